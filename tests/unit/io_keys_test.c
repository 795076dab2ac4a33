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
#define NODE_KEYS NODE_HEAD "log-seed " GOOD "\nwitness-seed " GOOD "\ncurve-secret " GOOD "\n"

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
		/* rotations: no size, sizes that fall, an old key without its end or its name, a
		   server's */
		NODE_KEYS "previous-log-key a+b+c\n",
		NODE_KEYS "previous-log-key a+b+c -5\n",
		NODE_KEYS "previous-log-key a+b+c 5 6\n",
		NODE_KEYS "previous-log-key a+b+c 5\nprevious-log-key a+b+d 5\n",
		NODE_KEYS "previous-log-key a+b+c 5\nold-log-seed " GOOD "\n",
		NODE_KEYS "previous-log-key a+b+c 5\nold-until 5\n",
		NODE_KEYS "old-log-seed " GOOD "\nold-until 5\n",
		NODE_KEYS "previous-log-key a+b+c 5\nold-until soon\nold-log-seed " GOOD "\n",
		"kind server\nname a/b\nlog-seed " GOOD "\ncurve-secret " GOOD
		"\nprevious-log-key a+b+c 5\n",
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

/* ---- rotation ---- */

static const char first_key[] = "splot.example/region/26+00000001+first";
static const char second_key[] = "splot.example/region/26+00000002+second";

static void the_next_keys_are_new_but_for_name_and_transport(void **state)
{
	struct world *w = *state;
	char path[KEYS_PATH_BYTES];
	struct keys next = {0};

	OK(keys_generate(w->path, KEYS_NODE, name));
	OK(keys_generate_next(w->path, w->why));
	assert_int_equal(keys_generate_next(w->path, w->why), ERR_EXISTS);
	assert_non_null(strstr(w->why, "splotctl rotate"));
	keys_next_path(w->path, path);
	OK(keys_load(w->path, &w->keys, w->why));
	OK(keys_load(path, &next, w->why));
	assert_string_equal(next.name, name);
	assert_memory_equal(next.curve_public, w->keys.curve_public, 32);
	assert_memory_not_equal(next.log_public, w->keys.log_public, 32);
	assert_memory_not_equal(next.witness_public, w->keys.witness_public, 32);
	keys_free(&next);
}

static void a_servers_keys_are_not_rotated(void **state)
{
	struct world *w = *state;
	char path[KEYS_PATH_BYTES];

	OK(keys_generate(w->path, KEYS_SERVER, "splot.example/national/main"));
	assert_int_equal(keys_generate_next(w->path, w->why), ERR_ARGUMENT);
	keys_next_path(w->path, path);
	assert_false(file_exists(path));
}

static void installed_keys_name_those_before_them_and_keep_the_last_ones_secret(void **state)
{
	struct world *w = *state;
	char path[KEYS_PATH_BYTES];
	uint8_t before[64];
	uint8_t next[32];
	struct stat st;

	OK(keys_generate(w->path, KEYS_NODE, name));
	keys_next_path(w->path, path);
	for (int round = 0; round < 2; round++) {
		OK(keys_generate_next(w->path, w->why));
		OK(keys_load(path, &w->keys, w->why));
		memcpy(next, w->keys.log_public, sizeof next);
		keys_free(&w->keys);
		OK(keys_load(w->path, &w->keys, w->why));
		memcpy(before, w->keys.log_secret, sizeof before);
		keys_free(&w->keys);
		OK(keys_install_next(w->path, round ? second_key : first_key, round ? 70 : 5,
				     1234567890123, w->why));
		assert_false(file_exists(path));
		OK(keys_load(w->path, &w->keys, w->why));
		assert_memory_equal(w->keys.log_public, next, sizeof next);
		assert_memory_equal(w->keys.old_secret, before, sizeof before);
		assert_memory_equal(w->keys.old_public, before + 32, 32);
		assert_int_equal(w->keys.old_until_ms, 1234567890123);
		assert_int_equal(w->keys.previous_count, round + 1);
		assert_string_equal(w->keys.previous[0].vkey, first_key);
		assert_int_equal(w->keys.previous[0].size, 5);
		keys_free(&w->keys);
	}
	OK(keys_load(w->path, &w->keys, w->why));
	assert_string_equal(w->keys.previous[1].vkey, second_key);
	assert_int_equal(w->keys.previous[1].size, 70);
	assert_int_equal(stat(w->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void where_the_last_key_ended_is_moved_but_not_before_the_one_before_it(void **state)
{
	struct world *w = *state;

	OK(keys_generate(w->path, KEYS_NODE, name));
	for (int round = 0; round < 2; round++) {
		OK(keys_generate_next(w->path, w->why));
		OK(keys_install_next(w->path, round ? second_key : first_key, round ? 70 : 5, 0,
				     w->why));
	}
	OK(keys_move_end(w->path, 6, w->why));
	assert_int_equal(keys_move_end(w->path, 5, w->why), ERR_ARGUMENT);
	OK(keys_load(w->path, &w->keys, w->why));
	assert_int_equal(w->keys.previous[0].size, 5);
	assert_int_equal(w->keys.previous[1].size, 6);
}

static void an_old_secret_is_forgotten_and_its_name_stays(void **state)
{
	struct world *w = *state;
	struct buf text = {0};

	OK(keys_generate(w->path, KEYS_NODE, name));
	OK(keys_generate_next(w->path, w->why));
	OK(keys_install_next(w->path, first_key, 5, 1234567890123, w->why));
	OK(keys_forget_old(w->path, w->why));
	OK(keys_load(w->path, &w->keys, w->why));
	assert_null(w->keys.old_secret);
	assert_int_equal(w->keys.previous_count, 1);
	OK(file_read(w->path, KEY_FILE_BYTES_MAX, &text));
	assert_null(strstr(buf_text(&text), "old-"));
	assert_non_null(strstr(buf_text(&text), first_key));
	buf_free(&text);
	OK(keys_forget_old(w->path, w->why));
}

static void without_a_period_no_old_secret_is_kept(void **state)
{
	struct world *w = *state;

	OK(keys_generate(w->path, KEYS_NODE, name));
	OK(keys_generate_next(w->path, w->why));
	OK(keys_install_next(w->path, first_key, 5, 0, w->why));
	OK(keys_load(w->path, &w->keys, w->why));
	assert_null(w->keys.old_secret);
	assert_int_equal(w->keys.previous_count, 1);
}

/* As after a kill between the two files: `<path>.next` put back beside what was installed. */
static void next_keys_that_were_installed_are_removed_and_others_are_not(void **state)
{
	struct world *w = *state;
	char path[KEYS_PATH_BYTES];
	struct buf text = {0};

	OK(keys_generate(w->path, KEYS_NODE, name));
	OK(keys_generate_next(w->path, w->why));
	keys_next_path(w->path, path);
	OK(file_read(path, KEY_FILE_BYTES_MAX, &text));
	OK(keys_load(w->path, &w->keys, w->why));
	OK(keys_drop_installed(w->path, &w->keys));
	assert_true(file_exists(path)); /* they are not those in use */
	keys_free(&w->keys);
	OK(keys_install_next(w->path, first_key, 5, 0, w->why));
	OK(file_create(path, 0600, buf_bytes(&text)));
	OK(keys_install_next(w->path, first_key, 5, 0, w->why)); /* changes nothing more */
	OK(keys_load(w->path, &w->keys, w->why));
	assert_int_equal(w->keys.previous_count, 1);
	assert_false(file_exists(path));
	OK(file_create(path, 0600, buf_bytes(&text)));
	OK(keys_drop_installed(w->path, &w->keys));
	assert_false(file_exists(path));
	buf_free(&text);
}

static void a_file_that_would_grow_too_long_stays_as_it_is(void **state)
{
	struct world *w = *state;
	char vkey[KEY_TEXT_BYTES];
	enum err e = ERR_OK;
	uint64_t size = 0;

	memset(vkey, 'v', sizeof vkey - 1);
	vkey[sizeof vkey - 1] = '\0';
	OK(keys_generate(w->path, KEYS_NODE, name));
	while (e == ERR_OK && size <= KEYS_PREVIOUS_MAX) {
		char path[KEYS_PATH_BYTES];

		keys_next_path(w->path, path);
		if (!file_exists(path))
			OK(keys_generate_next(w->path, w->why));
		e = keys_install_next(w->path, vkey, ++size, 1, w->why);
	}
	assert_int_equal(e, ERR_LIMIT);
	OK(keys_load(w->path, &w->keys, w->why));
	assert_int_equal(w->keys.previous_count, size - 1);
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
		T(the_next_keys_are_new_but_for_name_and_transport),
		T(a_servers_keys_are_not_rotated),
		T(installed_keys_name_those_before_them_and_keep_the_last_ones_secret),
		T(where_the_last_key_ended_is_moved_but_not_before_the_one_before_it),
		T(an_old_secret_is_forgotten_and_its_name_stays),
		T(without_a_period_no_old_secret_is_kept),
		T(next_keys_that_were_installed_are_removed_and_others_are_not),
		T(a_file_that_would_grow_too_long_stays_as_it_is),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
