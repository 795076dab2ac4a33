/* Sources: a store and an export of it say the same. */
#include "audit_fixture.h"

#include <sys/wait.h>

/* ---- names ---- */

static void a_log_has_its_folder(void **state)
{
	char folder[LOG_NAME_BYTES];
	struct log_name log;

	(void)state;
	source_folder_name(name_of("26/2"), folder);
	assert_string_equal(folder, "26-2");
	assert_ok(source_folder_log("26-2", &log));
	assert_string_equal(log.text, "26/2");
	assert_ok(source_folder_log("national", &log));
	assert_err(source_folder_log("26/2", &log), ERR_INVALID);
	assert_err(source_folder_log("..", &log), ERR_INVALID);
	assert_err(source_folder_log("27", &log), ERR_INVALID);
	assert_err(source_folder_log("tile", &log), ERR_INVALID);
}

static void a_name_says_whose_log_it_is(void **state)
{
	static const struct {
		const char *name, *log;
		bool witness;
	} rows[] = {
		{"splot.test/region/26", "26", false},
		{"a/region/b/region/26/2", "26/2", false},
		{"splot.test/national/centrum", "national", false},
		{"splot.test/witness/PL", "PL", true},
		{"splot.test/region/27", NULL, false},
		{"splot.test/region/national", NULL, false},
		{"splot.test/region/", NULL, false},
		{"/region/26", NULL, false},
		{"splot.test/region", NULL, false},
		{"", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bytes realm = {NULL, 0};
		struct log_name log;
		bool witness = false;
		enum err e = source_origin_log(bytes_of_text(rows[i].name), &realm, &log, &witness);

		if (!rows[i].log) {
			assert_err(e, ERR_INVALID);
			continue;
		}
		assert_ok(e);
		assert_string_equal(log.text, rows[i].log);
		assert_int_equal(witness, rows[i].witness);
	}
}

/* ---- a store ---- */

static void a_store_names_its_logs_in_order(void **state)
{
	struct nation *n = *state;
	struct source_names names;

	(void)opened(&n->f, "PL");
	(void)opened(&n->f, "26/2");
	(void)opened(&n->f, "02");
	assert_ok(n->source.ops->names(&n->source, &names));
	assert_int_equal(names.count, 5);
	assert_string_equal(names.items[0].text, "02");
	assert_string_equal(names.items[1].text, "26");
	assert_string_equal(names.items[2].text, "26/2");
	assert_string_equal(names.items[3].text, "PL");
	assert_string_equal(names.items[4].text, "national");
}

static void leaves_of_a_store_come_in_runs_and_end_before_a_gap(void **state)
{
	struct nation *n = *state;
	struct source_leaves *run = calloc(1, sizeof *run);
	uint8_t key[8] = {0, 0, 0, 0, 0, 0, 0, 5};
	struct txn *t = NULL;

	assert_non_null(run);
	nation_grow(n, 10);
	assert_ok(n->source.ops->leaves(&n->source, name_of("26"), 0, 10, run));
	assert_int_equal(run->count, 10);
	for (uint64_t i = 0; i < 10; i++)
		assert_true(bytes_equal(run->items[i], plain_event(&n->f, i)));
	assert_ok(n->source.ops->leaves(&n->source, name_of("26"), 7, 9, run));
	assert_int_equal(run->count, 2);
	assert_err(n->source.ops->leaves(&n->source, name_of("26"), 10, 11, run), ERR_NOT_FOUND);
	assert_err(n->source.ops->leaves(&n->source, name_of("24"), 0, 1, run), ERR_NOT_FOUND);

	assert_ok(txn_begin(n->f.store, true, &t));
	assert_ok(txn_delete(t, n->l26->events, bytes_of(key, sizeof key)));
	assert_ok(txn_commit(t));
	assert_ok(n->source.ops->leaves(&n->source, name_of("26"), 0, 10, run));
	assert_int_equal(run->count, 5);
	assert_err(n->source.ops->leaves(&n->source, name_of("26"), 5, 10, run), ERR_NOT_FOUND);
	assert_ok(n->source.ops->leaves(&n->source, name_of("26"), 6, 10, run));
	assert_int_equal(run->count, 4);
	free(run);
}

static void checkpoints_of_a_store_are_found_by_what_they_cover(void **state)
{
	struct nation *n = *state;
	struct buf note = {0};
	uint64_t size = 0;

	assert_err(n->source.ops->newest(&n->source, name_of("26"), &size, &note), ERR_NOT_FOUND);
	nation_grow(n, 3);
	nation_grow(n, 8);
	assert_ok(n->source.ops->newest(&n->source, name_of("26"), &size, &note));
	assert_int_equal(size, 8);
	buf_clear(&note);
	assert_ok(n->source.ops->checkpoint(&n->source, name_of("26"), 2, &size, &note));
	assert_int_equal(size, 3);
	assert_ok(n->source.ops->checkpoint(&n->source, name_of("26"), 3, &size, &note));
	assert_int_equal(size, 8);
	assert_err(n->source.ops->checkpoint(&n->source, name_of("26"), 8, &size, &note),
		   ERR_NOT_FOUND);
	assert_err(n->source.ops->checkpoint(&n->source, name_of("26"), UINT64_MAX, &size, &note),
		   ERR_NOT_FOUND);
	assert_err(n->source.ops->cosigned(&n->source, UINT64_MAX, &size, &note), ERR_NOT_FOUND);
	assert_int_equal(nation_cosign(n, 2), 3);
	assert_ok(n->source.ops->cosigned(&n->source, UINT64_MAX, &size, &note));
	assert_int_equal(size, 3);
	buf_free(&note);
}

static void what_is_no_store_is_not_opened(void **state)
{
	struct nation *n = *state;
	struct source s = {0};

	assert_err(source_open_store(n->folder, &s), ERR_NOT_FOUND);
	assert_err(source_open_store("/nonexistent", &s), ERR_NOT_FOUND);
	assert_err(source_open(n->folder, &s), ERR_NOT_FOUND);
	assert_err(source_open("/nonexistent", &s), ERR_NOT_FOUND);
	source_close(&s);
}

/* The daemon's part: appends to the store, so that the file grows under the reader. */
static void write_on(const char *folder, uint64_t size)
{
	struct store_options options = {.map_bytes = 1024 * 1024};
	struct nation *n = calloc(1, sizeof *n);

	assert_non_null(n);
	party_make(&n->region, REALM "/region/26", KEY_ED25519, 26);
	party_make(&n->server, REALM "/national/centrum", KEY_ED25519, 99);
	assert_ok(store_open(folder, &options, &n->f.store));
	while (store_grow(n->f.store) == ERR_OK) {
		size_t used = 0;
		size_t map = 0;

		assert_ok(store_usage(n->f.store, &used, &map));
		if (map >= (size_t)64 * 1024 * 1024)
			break;
	}
	n->national = opened(&n->f, "national");
	n->l26 = opened(&n->f, "26");
	nation_grow(n, size);
	store_close(n->f.store);
	arena_free(&n->f.arena);
	free(n);
}

static void a_store_is_read_while_another_program_writes_it(void **state)
{
	struct nation *n = *state;
	char folder[TEMPORARY_BYTES];
	struct source_leaves *run = calloc(1, sizeof *run);
	struct source s = {0};
	struct buf note = {0};
	uint64_t size = 0;
	int status = 0;
	int go[2];
	char byte = 0;
	pid_t child = -1;

	/* The child is made before this process opens the store: LMDB is not for use across fork.
	 */
	assert_non_null(run);
	temporary_make(folder, "audit");
	assert_int_equal(pipe(go), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		write_on(folder, 100);
		assert_int_equal(write(go[1], "1", 1), 1);
		(void)usleep(200 * 1000);
		write_on(folder, 9000);
		_exit(0);
	}
	assert_int_equal(read(go[0], &byte, 1), 1);
	assert_ok(source_open(folder, &s));
	assert_ok(s.ops->newest(&s, name_of("26"), &size, &note));
	assert_int_equal(size, 100);
	assert_ok(s.ops->leaves(&s, name_of("26"), 0, size, run));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	buf_clear(&note);
	assert_ok(s.ops->newest(&s, name_of("26"), &size, &note));
	assert_int_equal(size, 9000);
	assert_ok(s.ops->leaves(&s, name_of("26"), 8999, size, run));
	assert_true(bytes_equal(run->items[0], plain_event(&n->f, 8999)));
	buf_free(&note);
	source_close(&s);
	free(run);
	(void)close(go[0]);
	(void)close(go[1]);
	temporary_remove(folder);
}

/* ---- an export ---- */

static void compare_leaves(struct source *a, struct source *b, struct log_name log, uint64_t size)
{
	struct source_leaves *run = calloc(2, sizeof *run);
	uint64_t at = 0;

	assert_non_null(run);
	while (at < size) {
		size_t compared = 0;

		assert_ok(a->ops->leaves(a, log, at, size, &run[0]));
		assert_ok(b->ops->leaves(b, log, at, size, &run[1]));
		while (compared < run[0].count && compared < run[1].count) {
			assert_true(bytes_equal(run[0].items[compared], run[1].items[compared]));
			compared++;
		}
		assert_true(compared > 0);
		at += compared;
	}
	assert_err(b->ops->leaves(b, log, size, size, &run[1]), ERR_NOT_FOUND);
	free(run);
}

static void compare_tiles(struct source *a, struct source *b, struct log_name log, uint64_t size)
{
	struct buf tiles[2] = {{0}, {0}};

	for (unsigned level = 0; level < TREE_LEVELS_MAX; level++) {
		struct tile_id id = {.level = level};
		unsigned width = 0;

		for (; (width = tile_width(id, size)) > 0; id.number++) {
			buf_clear(&tiles[0]);
			buf_clear(&tiles[1]);
			assert_ok(a->ops->tile(a, log, id, width, &tiles[0]));
			assert_ok(b->ops->tile(b, log, id, width, &tiles[1]));
			assert_true(bytes_equal(buf_bytes(&tiles[0]), buf_bytes(&tiles[1])));
			assert_int_equal(tiles[1].size, width * HASH_BYTES);
		}
	}
	buf_free(&tiles[0]);
	buf_free(&tiles[1]);
}

static void compare_logs(struct source *a, struct source *b)
{
	struct source_names names[2];

	assert_ok(a->ops->names(a, &names[0]));
	assert_ok(b->ops->names(b, &names[1]));
	assert_int_equal(names[0].count, names[1].count);
	for (size_t i = 0; i < names[0].count; i++) {
		struct log_name log = names[0].items[i];
		struct buf notes[2] = {{0}, {0}};
		uint64_t sizes[2] = {0, 0};

		assert_true(log_name_equal(log, names[1].items[i]));
		assert_ok(a->ops->newest(a, log, &sizes[0], &notes[0]));
		assert_ok(b->ops->newest(b, log, &sizes[1], &notes[1]));
		assert_int_equal(sizes[0], sizes[1]);
		assert_true(bytes_equal(buf_bytes(&notes[0]), buf_bytes(&notes[1])));
		compare_leaves(a, b, log, sizes[0]);
		compare_tiles(a, b, log, sizes[0]);
		buf_free(&notes[0]);
		buf_free(&notes[1]);
	}
}

static void an_export_says_what_its_store_says(void **state)
{
	static const uint64_t sizes[] = {1, 255, 256, 257, 700, 65535, 65536, 65537};
	struct nation *n = *state;
	struct export_report report;
	struct source s = {0};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		nation_grow(n, sizes[i]);
		assert_ok(export_all(n, &report));
		assert_ok(source_open(n->folder, &s));
		compare_logs(&n->source, &s);
		source_close(&s);
	}
}

static void one_logs_folder_is_a_source_as_well(void **state)
{
	struct nation *n = *state;
	char folder[NATION_PATH_BYTES];
	struct source_names names;
	struct export_report report;
	struct buf text = {0};
	struct source s = {0};
	uint64_t size = 0;

	nation_grow(n, 300);
	(void)nation_cosign(n, 2);
	assert_ok(export_all(n, &report));
	path_in(n, "26", folder);
	assert_ok(source_open(folder, &s));
	assert_ok(s.ops->names(&s, &names));
	assert_int_equal(names.count, 1);
	assert_string_equal(names.items[0].text, "26");
	compare_leaves(&n->source, &s, names.items[0], 300);
	assert_ok(s.ops->keys(&s, names.items[0], &text));
	assert_err(s.ops->newest(&s, name_of("24"), &size, &text), ERR_NOT_FOUND);
	assert_err(s.ops->cosigned(&s, UINT64_MAX, &size, &text), ERR_NOT_FOUND);
	source_close(&s);
	path_in(n, "national", folder);
	assert_ok(source_open(folder, &s));
	assert_ok(s.ops->cosigned(&s, UINT64_MAX, &size, &text));
	assert_int_equal(size, n->national->edge.size);
	assert_err(s.ops->cosigned(&s, size - 1, &size, &text), ERR_NOT_FOUND);
	source_close(&s);
	buf_free(&text);
}

static void a_torn_bundle_and_a_torn_tile_are_told(void **state)
{
	struct nation *n = *state;
	struct source_leaves *run = calloc(1, sizeof *run);
	struct export_report report;
	struct source s = {0};
	struct buf tile = {0};
	struct bytes whole = {NULL, 0};
	uint64_t size = 0;

	assert_non_null(run);
	nation_grow(n, 300);
	assert_ok(export_all(n, &report));
	assert_ok(source_open(n->folder, &s));
	whole = file_of(n, "26/tile/entries/001.p/44");
	put_file(n, "26/tile/entries/001.p/44", bytes_of(whole.data, whole.size - 1));
	assert_ok(s.ops->leaves(&s, name_of("26"), 256, 300, run));
	assert_int_equal(run->count, 43);
	assert_err(s.ops->leaves(&s, name_of("26"), 299, 300, run), ERR_CORRUPT);
	whole = file_of(n, "26/tile/0/000");
	put_file(n, "26/tile/0/000", bytes_of(whole.data, whole.size - 1));
	assert_err(s.ops->tile(&s, name_of("26"), (struct tile_id){0, 0}, 256, &tile), ERR_CORRUPT);
	put_file(n, "26/tile/0/000", bytes_of(whole.data, whole.size - HASH_BYTES));
	assert_err(s.ops->tile(&s, name_of("26"), (struct tile_id){0, 0}, 256, &tile),
		   ERR_NOT_FOUND);
	assert_err(s.ops->tile(&s, name_of("26"), (struct tile_id){0, 7}, 1, &tile), ERR_NOT_FOUND);
	put_file(n, "26/checkpoint", bytes_of_text("no checkpoint\n"));
	assert_err(s.ops->newest(&s, name_of("26"), &size, &tile), ERR_CORRUPT);
	source_close(&s);
	buf_free(&tile);
	free(run);
}

#define NATION(test) cmocka_unit_test_setup_teardown(test, nation_setup, nation_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_has_its_folder),
		cmocka_unit_test(a_name_says_whose_log_it_is),
		NATION(a_store_names_its_logs_in_order),
		NATION(leaves_of_a_store_come_in_runs_and_end_before_a_gap),
		NATION(checkpoints_of_a_store_are_found_by_what_they_cover),
		NATION(what_is_no_store_is_not_opened),
		NATION(a_store_is_read_while_another_program_writes_it),
		NATION(an_export_says_what_its_store_says),
		NATION(one_logs_folder_is_a_source_as_well),
		NATION(a_torn_bundle_and_a_torn_tile_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
