/* Secret keys: made once, read only by their owner, refused when anything is odd. */
#include "temporary.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/files.h"
#include "io/keys.h"

static const char name[] = "splot.example/region/26";

struct world {
	char folder[TEMPORARY_BYTES];
	char path[128];
	char why[TEXT_BYTES_MAX + 1];
	struct keys keys;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	temporary_make(w->folder, "keys");
	(void)snprintf(w->path, sizeof w->path, "%s/keys", w->folder);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	keys_free(&w->keys);
	temporary_remove(w->folder);
	free(w);
	return 0;
}

static void a_nodes_keys_sign_and_match_their_public_halves(void **state)
{
	struct world *w = *state;
	uint8_t signature[crypto_sign_BYTES];
	uint8_t public[32];

	OK(keys_generate(w->path, KEYS_NODE, name));
	OK(keys_load(w->path, &w->keys, w->why));
	assert_int_equal(w->keys.kind, KEYS_NODE);
	assert_string_equal(w->keys.name, name);
	(void)crypto_sign_detached(signature, NULL, (const uint8_t *)"x", 1, w->keys.log_secret);
	assert_int_equal(
		crypto_sign_verify_detached(signature, (const uint8_t *)"x", 1, w->keys.log_public),
		0);
	(void)crypto_sign_detached(signature, NULL, (const uint8_t *)"x", 1,
				   w->keys.witness_secret);
	assert_int_equal(crypto_sign_verify_detached(signature, (const uint8_t *)"x", 1,
						     w->keys.witness_public),
			 0);
	(void)crypto_scalarmult_base(public, w->keys.curve_secret);
	assert_memory_equal(public, w->keys.curve_public, 32);
	assert_memory_not_equal(w->keys.log_public, w->keys.witness_public, 32);
}

static void a_server_has_no_witness_key(void **state)
{
	struct world *w = *state;
	struct buf b = {0};

	OK(keys_generate(w->path, KEYS_SERVER, "splot.example/national/main"));
	OK(keys_load(w->path, &w->keys, NULL));
	assert_int_equal(w->keys.kind, KEYS_SERVER);
	assert_null(w->keys.witness_secret);
	assert_non_null(w->keys.log_secret);
	OK(file_read(w->path, KEY_FILE_BYTES_MAX, &b));
	assert_null(strstr(buf_text(&b), "witness"));
	buf_free(&b);
}

static void keys_are_never_overwritten_and_each_are_new(void **state)
{
	struct world *w = *state;
	uint8_t first[32];

	OK(keys_generate(w->path, KEYS_NODE, name));
	assert_int_equal(keys_generate(w->path, KEYS_NODE, name), ERR_EXISTS);
	OK(keys_load(w->path, &w->keys, w->why));
	memcpy(first, w->keys.log_public, sizeof first);
	keys_free(&w->keys);
	assert_null(w->keys.log_secret);
	(void)unlink(w->path);
	OK(keys_generate(w->path, KEYS_NODE, name));
	OK(keys_load(w->path, &w->keys, w->why));
	assert_memory_not_equal(first, w->keys.log_public, sizeof first);
}

static void names_that_no_note_can_carry_are_refused(void **state)
{
	struct world *w = *state;
	char large[ORIGIN_BYTES_MAX + 2];

	memset(large, 'a', sizeof large - 1);
	large[sizeof large - 1] = 0;
	assert_int_equal(keys_generate(w->path, KEYS_NODE, ""), ERR_ARGUMENT);
	assert_int_equal(keys_generate(w->path, KEYS_NODE, "a b"), ERR_ARGUMENT);
	assert_int_equal(keys_generate(w->path, KEYS_NODE, "a+b"), ERR_ARGUMENT);
	assert_int_equal(keys_generate(w->path, KEYS_NODE, "a\nb"), ERR_ARGUMENT);
	assert_int_equal(keys_generate(w->path, KEYS_NODE, large), ERR_ARGUMENT);
	assert_false(file_exists(w->path));
}

static void a_file_that_others_may_read_is_refused_with_the_remedy(void **state)
{
	struct world *w = *state;

	OK(keys_generate(w->path, KEYS_NODE, name));
	assert_int_equal(chmod(w->path, 0640), 0);
	assert_int_equal(keys_load(w->path, &w->keys, w->why), ERR_DENIED);
	assert_non_null(strstr(w->why, w->path));
	assert_non_null(strstr(w->why, "0640"));
	assert_non_null(strstr(w->why, "chmod 600"));
	assert_int_equal(chmod(w->path, 0400), 0);
	OK(keys_load(w->path, &w->keys, w->why));
}

static void a_file_of_another_user_is_refused(void **state)
{
	struct world *w = *state;

	OK(keys_generate(w->path, KEYS_NODE, name));
	if (chown(w->path, 12345, (gid_t)-1) != 0) {
		print_message("skipped, only root can give a file away\n");
		skip();
	}
	assert_int_equal(keys_load(w->path, &w->keys, w->why), ERR_DENIED);
	assert_non_null(strstr(w->why, "12345"));
}

static void a_missing_file_says_how_to_make_one(void **state)
{
	struct world *w = *state;

	assert_int_equal(keys_load(w->path, &w->keys, w->why), ERR_NOT_FOUND);
	assert_non_null(strstr(w->why, "keygen"));
}

/* 32 bytes in base64, and the same with a fault. */
#define GOOD      "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define NODE_HEAD "kind node\nname splot.example/region/26\n"

static void odd_files_are_refused_and_never_quoted(void **state)
{
	static const char *const texts[] = {
		"",
		NODE_HEAD "log-seed " GOOD "\nwitness-seed " GOOD "\n",
		NODE_HEAD "log-seed " GOOD "\nwitness-seed " GOOD "\ncurve-secret\n",
		NODE_HEAD "log-seed " GOOD "\nlog-seed " GOOD "\nwitness-seed " GOOD
			  "\ncurve-secret " GOOD "\n",
		NODE_HEAD "log-seed " GOOD "\nwitness-seed " GOOD "\ncurve-secret " GOOD " x\n",
		NODE_HEAD "log-seed " GOOD "\nwitness-seed " GOOD "\ncurve-secret " GOOD
			  "\nother " GOOD "\n",
		/* without padding, url alphabet, bits behind the end, too short */
		NODE_HEAD "witness-seed " GOOD "\ncurve-secret " GOOD
			  "\nlog-seed AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n",
		NODE_HEAD "witness-seed " GOOD "\ncurve-secret " GOOD
			  "\nlog-seed AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd-_8=\n",
		NODE_HEAD "witness-seed " GOOD "\ncurve-secret " GOOD
			  "\nlog-seed AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n",
		NODE_HEAD "witness-seed " GOOD "\ncurve-secret " GOOD "\nlog-seed AAEC\n",
		"kind clerk\nname splot.example/region/26\nlog-seed " GOOD "\n",
		"kind server\nname a/b\nlog-seed " GOOD "\nwitness-seed " GOOD
		"\ncurve-secret " GOOD "\n",
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		OK(file_replace(w->path, 0600, bytes_of_text(texts[i])));
		assert_int_equal(keys_load(w->path, &w->keys, w->why), ERR_DECODE);
		assert_null(strstr(w->why, "AAEC"));
		assert_non_null(strstr(w->why, w->path));
	}
	OK(file_replace(w->path, 0600,
			bytes_of_text("# by hand\n\n" NODE_HEAD "log-seed   " GOOD
				      "\r\nwitness-seed " GOOD "\ncurve-secret\t" GOOD)));
	OK(keys_load(w->path, &w->keys, w->why));
}

static void a_file_too_long_is_refused(void **state)
{
	struct world *w = *state;
	char text[KEY_FILE_BYTES_MAX + 1];

	memset(text, '#', sizeof text);
	OK(file_replace(w->path, 0600, bytes_of(text, sizeof text)));
	assert_int_equal(keys_load(w->path, &w->keys, w->why), ERR_LIMIT);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_nodes_keys_sign_and_match_their_public_halves),
		T(a_server_has_no_witness_key),
		T(keys_are_never_overwritten_and_each_are_new),
		T(names_that_no_note_can_carry_are_refused),
		T(a_file_that_others_may_read_is_refused_with_the_remedy),
		T(a_file_of_another_user_is_refused),
		T(a_missing_file_says_how_to_make_one),
		T(odd_files_are_refused_and_never_quoted),
		T(a_file_too_long_is_refused),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
