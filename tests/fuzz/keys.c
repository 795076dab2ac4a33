/* Key files: what loads is written anew to what loads to the same. */
#include "file_input.h"
#include "fuzz.h"

#include <sodium.h>

#include "io/keys.h"

enum { INPUT_FD = 100, PATH_BYTES = 64 };

static char copy_path[PATH_BYTES];

static void remove_copy(void)
{
	(void)unlink(copy_path);
}

/* Where the file is replaced: a folder in memory when there is one. */
static void make_path(void)
{
	if (*copy_path)
		return;
	(void)snprintf(copy_path, sizeof copy_path, "%s/splot-fuzz-keys-%d",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
	ALWAYS(atexit(remove_copy) == 0);
}

static bool same(const struct keys *a, const struct keys *b)
{
	bool fine = a->kind == b->kind && strcmp(a->name, b->name) == 0 &&
		    memcmp(a->log_secret, b->log_secret, 64) == 0 &&
		    memcmp(a->curve_secret, b->curve_secret, 32) == 0 &&
		    a->previous_count == b->previous_count;

	for (size_t i = 0; fine && i < a->previous_count; i++)
		fine = strcmp(a->previous[i].vkey, b->previous[i].vkey) == 0 &&
		       a->previous[i].size == b->previous[i].size;
	return fine && !b->old_secret;
}

static void check(const struct keys *k)
{
	ALWAYS(*k->name && strlen(k->name) <= ORIGIN_BYTES_MAX);
	ALWAYS((k->kind == KEYS_NODE) == (k->witness_secret != NULL));
	ALWAYS(k->previous_count <= KEYS_PREVIOUS_MAX);
	for (size_t i = 1; i < k->previous_count; i++)
		ALWAYS(k->previous[i].size > k->previous[i - 1].size);
	ALWAYS(memcmp(k->log_secret + 32, k->log_public, 32) == 0);
}

/* Written anew, which leaves out the old seed. */
static void again(const struct keys *k, struct bytes content)
{
	char why[TEXT_BYTES_MAX + 1];
	struct keys b = {.kind = KEYS_NODE};
	FILE *f = NULL;

	make_path();
	f = fopen(copy_path, "wb");
	ALWAYS(f && fwrite(content.data, 1, content.size, f) == content.size && fclose(f) == 0);
	ALWAYS(chmod(copy_path, 0600) == 0);
	ALWAYS(keys_forget_old(copy_path, why) == ERR_OK);
	ALWAYS(keys_load(copy_path, &b, why) == ERR_OK);
	ALWAYS(same(k, &b));
	keys_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[TEXT_BYTES_MAX + 1] = "";
	struct keys k = {.kind = KEYS_NODE};
	enum err e = keys_load(file_input(INPUT_FD, bytes_of(data, size)), &k, why);

	if (e == ERR_OK) {
		check(&k);
		again(&k, bytes_of(data, size));
		keys_free(&k);
		return 0;
	}
	ALWAYS(e == ERR_DECODE || e == ERR_LIMIT);
	ALWAYS(*why && strnlen(why, sizeof why) < sizeof why);
	return 0;
}

#define SEED "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

void fuzz_seeds(struct seeds *to)
{
	struct buf many = {.data = NULL};

	buf_add_text(&many, "kind node\nname a\nlog-seed " SEED "\nwitness-seed " SEED
			    "\ncurve-secret " SEED "\nold-log-seed " SEED "\nold-until 1\n");
	seed_add(to, "node",
		 bytes_of_text("# c\nkind node\nname fuzz.example/region/26\n"
			       "log-seed " SEED "\nwitness-seed " SEED "\n"
			       "curve-secret " SEED "\n"));
	seed_add(to, "server",
		 bytes_of_text("kind server\nname fuzz.example/national/a\n"
			       "log-seed " SEED "\ncurve-secret " SEED "\n"));
	seed_add(to, "rotated",
		 bytes_of_text("kind node\nname fuzz.example/region/26\nlog-seed " SEED
			       "\nwitness-seed " SEED "\ncurve-secret " SEED
			       "\nprevious-log-key a+00000000+AAAA 7\nprevious-log-key b+1+B 9\n"
			       "old-log-seed " SEED "\nold-until 1764000000000\n"));
	for (int i = 0; i <= KEYS_PREVIOUS_MAX; i++) /* one more than there may be */
		buf_printf(&many, "previous-log-key a+0+A %d\n", i + 1);
	seed_add(to, "previous-too-many", fuzz_done(&many));
	buf_free(&many);
	seed_add(to, "short", bytes_of_text("kind node\nname x\nlog-seed AAECAw==\n"));
}
