/* The exporter: costs what changed, survives being killed, never publishes what does not hold. */
#include "audit_fixture.h"

#include <ftw.h>

/* ---- a source that fails ---- */

static struct {
	const struct source_ops *inner;
	uint64_t leaves_left; /* then ERR_CLOSED, as when the program ends */
	uint64_t damaged;     /* this leaf is given with a bit flipped */
	struct buf copy;
} double_;

static enum err some_leaves(struct source *s, struct log_name log, uint64_t from, uint64_t size,
			    struct source_leaves *ret)
{
	enum err e = double_.inner->leaves(s, log, from, size, ret);

	if (e != ERR_OK || log_name_region(log) == REGION_NONE)
		return e;
	if (double_.leaves_left < ret->count)
		ret->count = (size_t)double_.leaves_left;
	double_.leaves_left -= ret->count;
	if (from <= double_.damaged && double_.damaged < from + ret->count) {
		struct bytes *leaf = &ret->items[double_.damaged - from];

		buf_clear(&double_.copy);
		buf_add_bytes(&double_.copy, *leaf);
		double_.copy.data[0] ^= 1;
		*leaf = buf_bytes(&double_.copy);
	}
	return ret->count ? ERR_OK : ERR_CLOSED;
}

static void put_double(struct nation *n, struct source_ops *ops, uint64_t leaves, uint64_t damaged)
{
	double_.inner = n->source.ops;
	double_.leaves_left = leaves;
	double_.damaged = damaged;
	*ops = *n->source.ops;
	ops->leaves = some_leaves;
	n->source.ops = ops;
}

static void take_double(struct nation *n)
{
	n->source.ops = double_.inner;
	buf_free(&double_.copy);
}

/* ---- what is there ---- */

static size_t files_found;
static struct bytes sought;
static bool sought_found;

static int count_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct buf content = {0};

	(void)st;
	(void)ftw;
	if (type != FTW_F)
		return 0;
	files_found++;
	if (sought.size && file_read(path, 32 * 1024 * 1024, &content) == ERR_OK && content.size &&
	    memmem(content.data, content.size, sought.data, sought.size))
		sought_found = true;
	buf_free(&content);
	return 0;
}

static size_t count_files(const struct nation *n)
{
	files_found = 0;
	sought = (struct bytes){NULL, 0};
	assert_int_equal(nftw(n->folder, count_file, 16, FTW_PHYS), 0);
	return files_found;
}

static bool is_in_a_file(const struct nation *n, struct bytes x)
{
	sought = x;
	sought_found = false;
	assert_int_equal(nftw(n->folder, count_file, 16, FTW_PHYS), 0);
	return sought_found;
}

static void assert_whole(struct nation *n, uint64_t size)
{
	struct source s = {0};
	struct buf note = {0};
	struct source_leaves *run = calloc(1, sizeof *run);
	struct checkpoint c;
	struct tree tree;
	struct hash root;

	assert_non_null(run);
	assert_ok(source_open(n->folder, &s));
	assert_ok(s.ops->newest(&s, name_of("26"), &c.size, &note));
	assert_ok(keyring_checkpoint(n->keys, name_of("26"), buf_bytes(&note), &c));
	assert_int_equal(c.size, size);
	tree_init(&tree);
	while (tree.size < size) {
		assert_ok(s.ops->leaves(&s, name_of("26"), tree.size, size, run));
		for (size_t i = 0; i < run->count; i++)
			tree_append(&tree, hash_leaf(run->items[i]));
	}
	root = tree_root(&tree);
	assert_memory_equal(root.b, c.root.b, HASH_BYTES);
	buf_free(&note);
	source_close(&s);
	free(run);
}

/* ---- what a run writes ---- */

static void the_folder_has_what_an_outsider_needs(void **state)
{
	struct nation *n = *state;
	struct export_report report;
	char line[VKEY_BYTES];
	struct bytes text;

	nation_grow(n, 300);
	assert_int_equal(nation_cosign(n, 1), n->national->edge.size);
	assert_ok(export_all(n, &report));
	assert_int_equal(report.logs, 2);
	assert_int_equal(report.leaves, 300 + n->national->edge.size);
	assert_true(report.quorum);
	assert_int_equal(report.cosigned, n->national->edge.size);
	assert_string_equal(report.failed.text, "");
	assert_string_equal(report.unsaid.text, "");
	vkey_text(&n->region.signer.key, line);
	text = file_of(n, "26/log.vkey");
	assert_int_equal(text.size, strlen(line) + 1);
	assert_memory_equal(text.data, line, strlen(line));
	vkey_text(&n->witnesses[0].signer.key, line);
	text = file_of(n, "witnesses.vkeys");
	assert_memory_equal(text.data, line, strlen(line));
	assert_true(has_file(n, "policy"));
	assert_true(has_file(n, "README.md"));
	assert_true(has_file(n, "national/tile/entries/000.p/2"));
	assert_true(has_file(n, "26/tile/0/000"));
	assert_true(has_file(n, "26/tile/0/001.p/44"));
	assert_true(has_file(n, "26/tile/1/000.p/1"));
	assert_false(has_file(n, "26/redacted"));
	assert_false(has_file(n, "26/.new"));
	assert_false(has_file(n, "26/.progress"));
}

static void a_log_that_did_not_change_costs_no_writes(void **state)
{
	struct nation *n = *state;
	const struct log_name all = {""};
	struct export_report report;
	struct exporter *x = NULL;

	nation_grow(n, 300);
	assert_ok(export_all(n, &report));
	assert_true(report.files > 0);
	assert_ok(export_all(n, &report));
	assert_int_equal(report.files, 0);
	assert_int_equal(report.leaves, 0);
	assert_ok(exporter_open(n->folder, &x));
	for (int i = 0; i < 3; i++) {
		assert_ok(exporter_run(x, &n->source, n->keys, NULL, all, NULL, NULL, &report));
		assert_int_equal(report.files, 0);
	}
	/* One more event: its bundle, its tile and its checkpoint, in both logs. */
	nation_grow(n, 301);
	assert_ok(exporter_run(x, &n->source, n->keys, NULL, all, NULL, NULL, &report));
	assert_int_equal(report.files, 6);
	assert_int_equal(report.leaves, 2);
	exporter_close(x);
	assert_whole(n, 301);
}

static void partial_files_stay_for_one_run(void **state)
{
	struct nation *n = *state;
	struct export_report report;

	nation_grow(n, 300);
	assert_ok(export_all(n, &report));
	nation_grow(n, 310);
	assert_ok(export_all(n, &report));
	assert_true(has_file(n, "26/tile/entries/001.p/44"));
	assert_true(has_file(n, "26/tile/0/001.p/54"));
	nation_grow(n, 600);
	assert_ok(export_all(n, &report));
	assert_false(has_file(n, "26/tile/entries/001.p/44"));
	assert_false(has_file(n, "26/tile/0/001.p/44"));
	assert_true(has_file(n, "26/tile/entries/001.p/54"));
	assert_true(has_file(n, "26/tile/entries/001"));
	assert_true(has_file(n, "26/tile/1/000.p/1"));
	nation_grow(n, 601);
	assert_ok(export_all(n, &report));
	assert_false(has_file(n, "26/tile/entries/001.p"));
	assert_false(has_file(n, "26/tile/1/000.p/1"));
	assert_true(has_file(n, "26/tile/1/000.p/2"));
	assert_whole(n, 601);
}

static void one_log_can_be_exported_alone(void **state)
{
	struct nation *n = *state;
	struct export_report report;
	struct exporter *x = NULL;

	nation_grow(n, 3);
	nation_read_keys(n);
	assert_ok(exporter_open(n->folder, &x));
	assert_ok(exporter_run(x, &n->source, n->keys, NULL, name_of("26"), NULL, NULL, &report));
	assert_int_equal(report.logs, 1);
	assert_false(has_file(n, "national/checkpoint"));
	assert_err(exporter_run(x, &n->source, n->keys, NULL, name_of("24"), NULL, NULL, &report),
		   ERR_NOT_FOUND);
	exporter_close(x);
}

/* ---- cosigned ---- */

static void the_national_checkpoint_is_the_newest_with_its_quorum(void **state)
{
	struct nation *n = *state;
	struct party region;
	struct export_report report;
	uint64_t size = 0;

	party_make(&region, REALM "/region/24", KEY_ED25519, 24);
	(void)nation_enrol(n, "24", &region, &n->witnesses[1]);
	nation_grow(n, 10);
	size = nation_cosign(n, 2);
	nation_grow(n, 20);
	(void)nation_cosign(n, 1); /* one of two is not more than half */
	nation_grow(n, 30);
	assert_ok(export_all(n, &report));
	assert_int_equal(report.cosigned, size);
	assert_true(report.quorum);
	/* Cosigned once more at the same size, by others as well: only the note changes. */
	(void)nation_cosign(n, 2);
	assert_ok(export_all(n, &report));
	assert_int_equal(report.cosigned, n->national->edge.size);
}

static void without_a_quorum_the_newest_is_exported_and_never_an_older_one_after(void **state)
{
	struct nation *n = *state;
	struct export_report report;
	uint64_t cosigned = 0;
	uint64_t newest = 0;

	nation_grow(n, 10);
	cosigned = nation_cosign(n, 0);
	nation_grow(n, 20);
	newest = n->national->edge.size;
	assert_ok(export_all(n, &report));
	assert_int_equal(report.cosigned, newest);
	assert_false(report.quorum);
	/* A quorum that comes late, for an older size, does not turn the folder back. */
	{
		struct bytes note = {NULL, 0};
		struct buf all = {0};
		struct note parsed;
		struct txn *t = NULL;

		assert_ok(txn_begin(n->f.store, false, &t));
		assert_ok(log_checkpoint(n->national, t, cosigned, &note));
		note = kept(n, note);
		txn_abort(t);
		assert_ok(note_parse(note, &parsed));
		buf_add_bytes(&all, note);
		assert_ok(note_cosign(parsed.text, 1700000000, &n->witnesses[0].signer, &all));
		assert_ok(txn_begin(n->f.store, true, &t));
		assert_ok(cosigned_put(n->cosigned, t, cosigned, buf_bytes(&all)));
		assert_ok(txn_commit(t));
		buf_free(&all);
	}
	assert_ok(export_all(n, &report));
	assert_int_equal(report.cosigned, newest);
	assert_int_equal(report.files, 0);
}

/* ---- kills and damage ---- */

/* A run that ends after so many leaves were read. */
static void export_until_killed(struct nation *n, uint64_t leaves, struct export_report *ret)
{
	const struct log_name all = {""};
	struct source_ops ops;
	struct exporter *x = NULL;

	nation_read_keys(n);
	put_double(n, &ops, leaves, UINT64_MAX);
	assert_ok(exporter_open(n->folder, &x));
	assert_err(exporter_run(x, &n->source, n->keys, NULL, all, NULL, NULL, ret), ERR_CLOSED);
	exporter_close(x);
	take_double(n);
}

static void a_run_that_was_killed_is_mended_by_the_next(void **state)
{
	struct nation *n = *state;
	struct export_report report;

	nation_grow(n, 300);
	assert_ok(export_all(n, &report));
	nation_grow(n, 5000);
	export_until_killed(n, 2000, &report);
	assert_string_equal(report.failed.text, "26");
	assert_whole(n, 300); /* whoever reads meanwhile has the old state */
	put_file(n, "26/.new", bytes_of_text("half a file"));
	assert_ok(export_all(n, &report));
	assert_whole(n, 5000);
	assert_false(has_file(n, "26/.new"));
}

static void a_long_run_goes_on_where_it_was_killed(void **state)
{
	struct nation *n = *state;
	struct export_report report;

	nation_grow(n, 70000);
	export_until_killed(n, 69000, &report);
	assert_true(has_file(n, "26/.progress"));
	assert_false(has_file(n, "26/checkpoint"));
	assert_ok(export_all(n, &report));
	assert_true(report.leaves < 70000 - 65536 + 256);
	assert_false(has_file(n, "26/.progress"));
	assert_whole(n, 70000);
}

static void leaves_that_do_not_give_the_root_are_not_published(void **state)
{
	struct nation *n = *state;
	const struct log_name all = {""};
	struct source_ops ops;
	struct export_report report;
	struct exporter *x = NULL;

	nation_grow(n, 300);
	assert_ok(export_all(n, &report));
	nation_grow(n, 600);
	nation_read_keys(n);
	put_double(n, &ops, UINT64_MAX, 400);
	assert_ok(exporter_open(n->folder, &x));
	assert_err(exporter_run(x, &n->source, n->keys, NULL, all, NULL, NULL, &report),
		   ERR_CORRUPT);
	assert_string_equal(report.failed.text, "26");
	assert_whole(n, 300);
	take_double(n);
	assert_ok(exporter_run(x, &n->source, n->keys, NULL, all, NULL, NULL, &report));
	exporter_close(x);
	assert_whole(n, 600);
}

/* The store says no more what the folder says: nothing is overwritten. */
static void another_history_is_refused(void **state)
{
	struct nation *n = *state;
	struct nation *other = NULL;
	void *second = NULL;
	struct export_report report;
	char folder[TEMPORARY_BYTES];
	struct bytes event = bytes_of_text("another beginning");

	nation_grow(n, 300);
	assert_ok(export_all(n, &report));
	assert_int_equal(nation_setup(&second), 0);
	other = second;
	memcpy(folder, other->folder, sizeof folder);
	memcpy(other->folder, n->folder, sizeof folder);
	assert_err(export_all(other, &report), ERR_ROLLBACK);
	nation_commit(other, &event, 1);
	nation_grow(other, 400);
	assert_err(export_all(other, &report), ERR_FORK);
	assert_string_equal(report.failed.text, "26");
	memcpy(other->folder, folder, sizeof folder);
	assert_int_equal(nation_teardown(&second), 0);
	assert_whole(n, 300);
}

static void a_checkpoint_by_a_foreign_key_is_not_published(void **state)
{
	struct nation *n = *state;
	struct export_report report;
	struct party thief;

	party_make(&thief, REALM "/region/26", KEY_ED25519, 66);
	nation_grow(n, 3);
	assert_ok(export_all(n, &report));
	memcpy(n->region.secret, thief.secret, sizeof thief.secret);
	n->region.signer.key = thief.signer.key;
	nation_grow(n, 5);
	assert_err(export_all(n, &report), ERR_UNKNOWN_KEY);
	party_make(&n->region, REALM "/region/26", KEY_ED25519, 26);
	assert_whole(n, 3);
}

static void a_damaged_folder_is_written_anew(void **state)
{
	struct nation *n = *state;
	struct export_report report;

	nation_grow(n, 300);
	assert_ok(export_all(n, &report));
	put_file(n, "26/checkpoint", bytes_of_text("torn"));
	assert_ok(export_all(n, &report));
	assert_int_equal(report.leaves, 300);
	assert_whole(n, 300);
}

static void other_folders_are_left_alone(void **state)
{
	struct nation *n = *state;
	struct exporter *x = NULL;
	struct exporter *second = NULL;

	put_file(n, "README.md", bytes_of_text("# My notes\n"));
	assert_err(exporter_open(n->folder, &x), ERR_EXISTS);
	put_file(n, "README.md", bytes_of_text("#"));
	assert_err(exporter_open(n->folder, &x), ERR_EXISTS);
	assert_err(exporter_open(n->f.folder, &x), ERR_EXISTS); /* a store */
	assert_int_equal(count_files(n), 1);
	{
		char path[NATION_PATH_BYTES];

		path_in(n, "README.md", path);
		assert_int_equal(unlink(path), 0);
	}
	assert_ok(exporter_open(n->folder, &x));
	assert_err(exporter_open(n->folder, &second), ERR_BUSY);
	exporter_close(x);
}

/* ---- redaction ---- */

static uint64_t redact(struct nation *n, uint64_t index, bool erase)
{
	struct hash leaf = hash_leaf(plain_event(&n->f, index));
	struct national_entry act = {.recorded = {2000},
				     .kind = NATIONAL_ACT,
				     .log = name_of("26"),
				     .act = "redact",
				     .by = "root",
				     .reason = "letter 3",
				     .index = index,
				     .leaf = bytes_of(leaf.b, HASH_BYTES)};
	uint64_t at = nation_act(n, &act);
	struct txn *t = NULL;

	if (!erase)
		return at;
	assert_ok(txn_begin(n->f.store, true, &t));
	assert_ok(log_redact(n->l26, t, index, leaf));
	assert_ok(txn_commit(t));
	return at;
}

static void an_erased_event_is_in_no_file_afterwards(void **state)
{
	struct nation *n = *state;
	struct export_report report;
	struct buf line = {0};
	struct source s = {0};
	struct source_leaves *run = calloc(1, sizeof *run);
	struct hash leaf = hash_leaf(plain_event(&n->f, 290));
	uint64_t act = 0;

	assert_non_null(run);
	nation_grow(n, 300);
	assert_ok(export_all(n, &report));
	nation_grow(n, 310); /* two partial bundles hold it now */
	assert_ok(export_all(n, &report));
	assert_true(is_in_a_file(n, plain_event(&n->f, 290)));
	assert_true(is_in_a_file(n, plain_event(&n->f, 17)));
	(void)redact(n, 17, true);
	act = redact(n, 290, false); /* the act is there, the store still has the bytes */
	assert_ok(export_all(n, &report));
	assert_false(is_in_a_file(n, plain_event(&n->f, 290)));
	assert_false(is_in_a_file(n, plain_event(&n->f, 17)));
	buf_printf(&line, "290 ");
	{
		char text[64];
		struct bytes redacted = file_of(n, "26/redacted");

		(void)sodium_bin2base64(text, sizeof text, leaf.b, HASH_BYTES,
					sodium_base64_VARIANT_ORIGINAL);
		buf_printf(&line, "%s %llu\n", text, (unsigned long long)act);
		assert_non_null(memmem(redacted.data, redacted.size, line.data, line.size));
		assert_memory_equal(redacted.data, "17 ", 3);
	}
	assert_ok(source_open(n->folder, &s));
	assert_ok(s.ops->leaves(&s, name_of("26"), 290, 310, run));
	assert_int_equal(run->items[0].size, 0);
	assert_true(bytes_equal(run->items[1], plain_event(&n->f, 291)));
	assert_ok(s.ops->leaves(&s, name_of("26"), 17, 310, run));
	assert_int_equal(run->items[0].size, 0);
	source_close(&s);
	assert_ok(export_all(n, &report));
	assert_int_equal(report.files, 0);
	buf_free(&line);
	free(run);
}

static void an_event_erased_before_it_is_exported_has_its_place(void **state)
{
	struct nation *n = *state;
	struct export_report report;

	nation_grow(n, 300);
	(void)redact(n, 256, true);
	assert_ok(export_all(n, &report));
	assert_false(is_in_a_file(n, plain_event(&n->f, 256)));
	assert_true(is_in_a_file(n, plain_event(&n->f, 257)));
	nation_grow(n, 600);
	assert_ok(export_all(n, &report));
	assert_memory_equal(file_of(n, "26/redacted").data, "256 ", 4);
	assert_false(is_in_a_file(n, plain_event(&n->f, 256)));
}

#define NATION(test) cmocka_unit_test_setup_teardown(test, nation_setup, nation_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NATION(the_folder_has_what_an_outsider_needs),
		NATION(a_log_that_did_not_change_costs_no_writes),
		NATION(partial_files_stay_for_one_run),
		NATION(one_log_can_be_exported_alone),
		NATION(the_national_checkpoint_is_the_newest_with_its_quorum),
		NATION(without_a_quorum_the_newest_is_exported_and_never_an_older_one_after),
		NATION(a_run_that_was_killed_is_mended_by_the_next),
		NATION(a_long_run_goes_on_where_it_was_killed),
		NATION(leaves_that_do_not_give_the_root_are_not_published),
		NATION(another_history_is_refused),
		NATION(a_checkpoint_by_a_foreign_key_is_not_published),
		NATION(a_damaged_folder_is_written_anew),
		NATION(other_folders_are_left_alone),
		NATION(an_erased_event_is_in_no_file_afterwards),
		NATION(an_event_erased_before_it_is_exported_has_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
