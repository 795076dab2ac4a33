/* A store's truth copied into another store: all of one moment, what is new later, and nothing that
 * its signatures do not stand for. */
#include "audit_fixture.h"

#include "audit/backup.h"

enum { LONG_EVENT_BYTES = 60 * 1024 };

struct copying {
	struct nation *n;
	char folder[TEMPORARY_BYTES + 8];
	struct store *copy;
	struct keyring *trusted;
	struct table redacted;
	struct backup_report report;
	uint64_t progressed;
	void (*meanwhile)(struct copying *c); /* called once, while events are read */
};

static void open_copy(struct copying *c)
{
	struct store_options options = {.map_bytes = TEST_MAP_BYTES};

	store_close(c->copy);
	c->copy = NULL;
	assert_ok(store_open(c->folder, &options, &c->copy));
}

static int copying_setup(void **state)
{
	struct copying *c = calloc(1, sizeof *c);

	assert_non_null(c);
	assert_int_equal(nation_setup((void **)&c->n), 0);
	(void)snprintf(c->folder, sizeof c->folder, "%s/copy", c->n->folder);
	open_copy(c);
	assert_ok(keyring_new(&c->trusted));
	assert_ok(keyring_trust(c->trusted, &c->n->server.signer.key));
	assert_ok(store_table(c->n->f.store, "redacted", true, &c->redacted));
	*state = c;
	return 0;
}

static int copying_teardown(void **state)
{
	struct copying *c = *state;
	void *n = c->n;

	keyring_free(c->trusted);
	store_close(c->copy);
	free(c);
	return nation_teardown(&n);
}

static void count_progress(void *context, uint64_t done, uint64_t total)
{
	struct copying *c = context;

	assert_true(done <= total);
	c->progressed = done;
	if (c->meanwhile) {
		void (*meanwhile)(struct copying * c) = c->meanwhile;

		c->meanwhile = NULL;
		meanwhile(c);
	}
}

static enum err copy_with(struct copying *c, bool in_parts)
{
	const struct backup_options options = {.in_parts = in_parts,
					       .trusted = c->trusted,
					       .context = c,
					       .progress = count_progress};

	return backup_copy(c->n->f.store, c->copy, &options, &c->report);
}

static void must_copy(struct copying *c)
{
	enum err e = copy_with(c, false);

	if (e != ERR_OK)
		print_error("log %s at %llu: %s\n", c->report.failed.text,
			    (unsigned long long)c->report.failed_at, c->report.why);
	assert_ok(e);
}

/* ---- rows ---- */

static struct bytes number(struct copying *c, uint64_t x)
{
	struct buf b = {0};
	struct bytes copy;

	buf_add_u64be(&b, x);
	copy = kept(c->n, buf_bytes(&b));
	buf_free(&b);
	return copy;
}

static bool has_table(struct store *s, const char *name)
{
	struct table t;

	return store_table(s, name, false, &t) == ERR_OK;
}

static struct bytes row_of(struct copying *c, struct store *s, const char *table, struct bytes key)
{
	struct txn *t = NULL;
	struct table in;
	struct bytes value = {NULL, 0};

	assert_ok(store_table(s, table, false, &in));
	assert_ok(txn_begin(s, false, &t));
	if (txn_get(t, in, key, &value) == ERR_OK)
		value = kept(c->n, value);
	txn_abort(t);
	return value;
}

static void put_row(struct copying *c, struct store *s, const char *table, struct bytes key,
		    struct bytes value)
{
	struct txn *t = NULL;
	struct table in;

	(void)c;
	assert_ok(store_table(s, table, true, &in));
	assert_ok(txn_begin(s, true, &t));
	assert_ok(txn_put(t, in, key, value));
	assert_ok(txn_commit(t));
}

static void delete_row(struct store *s, const char *table, struct bytes key)
{
	struct txn *t = NULL;
	struct table in;

	assert_ok(store_table(s, table, false, &in));
	assert_ok(txn_begin(s, true, &t));
	assert_ok(txn_delete(t, in, key));
	assert_ok(txn_commit(t));
}

/* Another last byte. */
static void flip(struct copying *c, const char *table, struct bytes key)
{
	struct bytes value = row_of(c, c->n->f.store, table, key);
	struct buf other = {0};

	assert_true(value.size > 0);
	buf_add_bytes(&other, value);
	other.data[other.size - 1] ^= 1;
	put_row(c, c->n->f.store, table, key, buf_bytes(&other));
	buf_free(&other);
}

/* The copy's log as its daemon would open it, with the same root as the source's. */
static void assert_same_log(struct copying *c, const char *name, const struct log *source)
{
	struct log *l = calloc(1, sizeof *l);

	assert_non_null(l);
	assert_ok(log_open(c->copy, name_of(name), false, l));
	assert_int_equal(l->tree.size, source->tree.size);
	assert_true(hash_equal(tree_root(&l->tree), tree_root(&source->tree)));
	free(l);
}

static void assert_same_table(struct copying *c, const char *name)
{
	struct txn *reads[2] = {NULL, NULL};
	struct store *stores[2] = {c->n->f.store, c->copy};
	struct scan *scans[2] = {NULL, NULL};
	struct table tables[2];
	struct bytes keys[2];
	struct bytes values[2];
	enum err found[2] = {ERR_OK, ERR_OK};

	for (int i = 0; i < 2; i++) {
		assert_ok(store_table(stores[i], name, false, &tables[i]));
		assert_ok(txn_begin(stores[i], false, &reads[i]));
		assert_ok(scan_open(reads[i], tables[i], &scans[i]));
	}
	while (found[0] == ERR_OK) {
		for (int i = 0; i < 2; i++)
			found[i] = scan_next(scans[i], &keys[i], &values[i]);
		assert_err(found[1], found[0]);
		if (found[0] == ERR_OK) {
			assert_true(bytes_equal(keys[0], keys[1]));
			assert_true(bytes_equal(values[0], values[1]));
		}
	}
	for (int i = 0; i < 2; i++) {
		scan_close(scans[i]);
		txn_abort(reads[i]);
	}
}

/* ---- what is what ---- */

static void each_table_has_a_kind_and_a_new_one_is_unknown(void **state)
{
	static const struct {
		const char *name;
		enum backup_kind kind;
	} rows[] = {
		{"26.events", BACKUP_LOG},          {"26/2.tiles", BACKUP_LOG},
		{"PL.checkpoints", BACKUP_LOG},     {"national.events", BACKUP_LOG},
		{"national.cosigned", BACKUP_ROWS}, {"trust", BACKUP_ROWS},
		{"witnessed", BACKUP_ROWS},         {"scrub", BACKUP_OWN},
		{"records", BACKUP_VIEW},           {"status", BACKUP_VIEW},
		{"27.events", BACKUP_UNKNOWN},      {"26.other", BACKUP_UNKNOWN},
		{"events", BACKUP_UNKNOWN},         {"anything", BACKUP_UNKNOWN},
	};
	struct log_name log = {""};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(backup_kind_of(rows[i].name, &log), rows[i].kind);
	assert_int_equal(backup_kind_of("26/2.tiles", &log), BACKUP_LOG);
	assert_string_equal(log.text, "26/2");
}

/* ---- copying ---- */

static void logs_and_small_tables_come_and_the_view_does_not(void **state)
{
	static const char *const same[] = {"26.events",         "26.tiles",       "26.checkpoints",
					   "national.events",   "national.tiles", "trust",
					   "national.cosigned", "redacted",       "a later table"};
	struct copying *c = *state;
	struct store *s = c->n->f.store;

	nation_grow(c->n, 700);
	(void)nation_cosign(c->n, 2);
	put_row(c, s, "trust", bytes_of_text("26"), bytes_of_text("a key"));
	put_row(c, s, "a later table", bytes_of_text("k"), bytes_of_text("v"));
	put_row(c, s, "records", bytes_of_text("k"), bytes_of_text("v"));
	put_row(c, s, "scrub", bytes_of_text("pending"), bytes_of_text("1"));
	must_copy(c);
	assert_same_log(c, "26", c->n->l26);
	assert_same_log(c, "national", c->n->national);
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		assert_same_table(c, same[i]);
	assert_false(has_table(c->copy, "records"));
	assert_int_equal(row_of(c, c->copy, "scrub", bytes_of_text("pending")).size, 0);
	assert_int_equal(c->report.unknown_count, 1);
	assert_string_equal(c->report.unknown[0], "a later table");
	assert_int_equal(c->report.log_count, 2);
	assert_string_equal(c->report.logs[0].origin, REALM "/region/26");
	assert_string_equal(c->report.logs[1].log.text, "national");
	assert_true(hash_equal(c->report.logs[1].root, tree_root(&c->n->national->tree)));
}

static void a_second_copy_reads_and_writes_what_is_new(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 700);
	must_copy(c);
	assert_int_equal(c->report.logs[0].before, 0);
	assert_int_equal(c->report.logs[0].size, 700);
	assert_true(c->report.rows_read > 700);
	must_copy(c);
	assert_int_equal(c->report.rows_read, 0);
	assert_int_equal(c->report.rows_written, 0);
	nation_grow(c->n, 703);
	put_row(c, c->n->f.store, "trust", bytes_of_text("26"), bytes_of_text("a key"));
	put_row(c, c->n->f.store, "trust", bytes_of_text("28"), bytes_of_text("a key"));
	must_copy(c);
	assert_int_equal(c->report.logs[0].before, 700);
	/* three events, one entry, their checkpoints, two rows */
	assert_int_equal(c->report.rows_read, 3 + 1 + 2 + 2);
	assert_same_log(c, "26", c->n->l26);
	delete_row(c->n->f.store, "trust", bytes_of_text("26"));
	must_copy(c);
	assert_same_table(c, "trust");
	assert_same_table(c, "26.tiles");
}

/* More than goes into one transaction. */
static void grow_long(struct copying *c)
{
	const uint32_t count = 16;
	struct bytes events[16];
	char *text = malloc(LONG_EVENT_BYTES);

	assert_non_null(text);
	for (uint64_t total = 0; total <= BACKUP_PART_BYTES; total += count * LONG_EVENT_BYTES) {
		for (uint32_t i = 0; i < count; i++) {
			memset(text, 'a' + (int)i, LONG_EVENT_BYTES);
			memcpy(text, &total, sizeof total);
			events[i] = kept(c->n, bytes_of(text, LONG_EVENT_BYTES));
		}
		nation_commit(c->n, events, count);
		arena_reset(&c->n->f.arena);
		/* handles lived in it */
		c->n->l26 = opened(&c->n->f, "26");
		c->n->national = opened(&c->n->f, "national");
	}
	free(text);
}

static void what_is_too_much_for_one_transaction_changes_nothing_and_goes_in_parts(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 10);
	must_copy(c);
	grow_long(c);
	assert_err(copy_with(c, false), ERR_LIMIT);
	assert_string_equal(c->report.why, "");
	open_copy(c);
	assert_int_equal(row_of(c, c->copy, "26.events", number(c, 10)).size, 0);
	assert_ok(copy_with(c, true));
	assert_same_log(c, "26", c->n->l26);
	assert_same_table(c, "26.events");
	assert_same_table(c, "26.checkpoints");
	assert_true(c->progressed > 0);
}

/* ---- damage ---- */

static void assert_damaged(struct copying *c, const char *log, uint64_t at)
{
	assert_err(copy_with(c, false), ERR_CORRUPT);
	assert_string_equal(c->report.failed.text, log);
	assert_int_equal(c->report.failed_at, at);
	assert_true(*c->report.why);
	assert_false(c->report.copy_failed);
}

static void damage_in_the_source_is_named_and_nothing_of_it_is_taken(void **state)
{
	struct copying *c = *state;
	struct bytes event;

	nation_grow(c->n, 20);
	must_copy(c);
	nation_grow(c->n, 60);
	flip(c, "26.events", number(c, 40));
	assert_damaged(c, "26", 40);
	assert_int_equal(row_of(c, c->copy, "26.events", number(c, 20)).size, 0);
	flip(c, "26.events", number(c, 40));
	event = row_of(c, c->n->f.store, "26.events", number(c, 41));
	put_row(c, c->n->f.store, "26.events", number(c, 41), bytes_of("", 0));
	assert_damaged(c, "26", 41); /* no act erased it */
	delete_row(c->n->f.store, "26.events", number(c, 41));
	assert_damaged(c, "26", 41);
	put_row(c, c->n->f.store, "26.events", number(c, 41), event);
	must_copy(c);
	assert_same_log(c, "26", c->n->l26);
}

static void a_checkpoint_on_the_way_that_says_another_root_is_damage(void **state)
{
	struct copying *c = *state;
	struct bytes other;

	nation_grow(c->n, 30);
	nation_grow(c->n, 60);
	other = signed_note(c->n, &c->n->region, 30, hash_plain(bytes_of_text("x")));
	put_row(c, c->n->f.store, "26.checkpoints", number(c, 30), other);
	assert_damaged(c, "26", 30);
	delete_row(c->n->f.store, "26.checkpoints", number(c, 30));
	/* The national log accepted it, and it is not here. */
	assert_damaged(c, "national", 1);
}

/* Of the same size and root, but not what the region signed. */
static void a_checkpoint_that_is_not_the_one_accepted_is_damage(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 30);
	flip(c, "26.checkpoints", number(c, 30));
	assert_damaged(c, "national", 1);
	flip(c, "26.checkpoints", number(c, 30));
	must_copy(c);
}

static void what_no_national_entry_accepted_is_not_taken(void **state)
{
	struct copying *c = *state;
	struct txn *t = NULL;

	nation_grow(c->n, 30);
	assert_ok(txn_begin(c->n->f.store, true, &t));
	assert_ok(log_append(c->n->l26, t, bytes_of_text("on its own")));
	assert_ok(log_seal(c->n->l26, t,
			   signed_note(c->n, &c->n->region, 31, tree_root(&c->n->l26->tree))));
	assert_ok(txn_commit(t));
	assert_damaged(c, "26", 30);
}

static void a_damaged_copy_is_told_from_a_damaged_source(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 30);
	must_copy(c);
	delete_row(c->copy, "26.events", number(c, 29));
	assert_err(copy_with(c, false), ERR_CORRUPT);
	assert_true(c->report.copy_failed);
	assert_string_equal(c->report.failed.text, "26");
}

static void the_newest_checkpoint_is_signed_by_a_trusted_key(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 30);
	keyring_free(c->trusted);
	assert_ok(keyring_new(&c->trusted));
	assert_ok(keyring_trust(c->trusted, &c->n->region.signer.key));
	assert_err(copy_with(c, false), ERR_UNKNOWN_KEY);
	assert_false(has_table(c->copy, "26.events")); /* not touched */
	assert_ok(keyring_trust(c->trusted, &c->n->server.signer.key));
	must_copy(c);
}

/* ---- copies that do not belong ---- */

static void a_source_that_went_back_is_refused(void **state)
{
	struct copying *c = *state;
	struct copying *other = NULL;

	nation_grow(c->n, 30);
	must_copy(c);
	assert_int_equal(copying_setup((void **)&other), 0);
	nation_grow(other->n, 20);
	store_close(other->copy);
	other->copy = c->copy;
	assert_err(copy_with(other, false), ERR_ROLLBACK);
	assert_string_equal(other->report.failed.text, "26");
	assert_same_log(c, "26", c->n->l26);
	nation_commit(other->n, (struct bytes[]){bytes_of_text("another past")}, 1);
	nation_grow(other->n, 40);
	assert_err(copy_with(other, false), ERR_FORK);
	assert_same_log(c, "26", c->n->l26);
	other->copy = NULL;
	(void)copying_teardown((void **)&other);
}

static void another_log_of_that_name_is_refused(void **state)
{
	struct copying *c = *state;
	struct copying *other = NULL;

	nation_grow(c->n, 5);
	must_copy(c);
	assert_int_equal(copying_setup((void **)&other), 0);
	party_make(&other->n->region, "elsewhere.test/region/26", KEY_ED25519, 26);
	nation_grow(other->n, 20);
	store_close(other->copy);
	other->copy = c->copy;
	assert_err(copy_with(other, false), ERR_ORIGIN);
	other->copy = NULL;
	(void)copying_teardown((void **)&other);
}

static void a_log_that_the_source_has_no_more_is_refused(void **state)
{
	struct copying *c = *state;
	struct log *l = opened(&c->n->f, "28");
	struct copying *other = NULL;
	struct txn *t = NULL;

	assert_ok(txn_begin(c->n->f.store, true, &t));
	assert_ok(log_append(l, t, bytes_of_text("one")));
	assert_ok(log_seal(l, t, signed_note(c->n, &c->n->region, 1, tree_root(&l->tree))));
	assert_ok(txn_commit(t));
	assert_err(copy_with(c, false), ERR_CORRUPT); /* nobody accepted it */
	delete_row(c->n->f.store, "28.checkpoints", number(c, 1));
	delete_row(c->n->f.store, "28.events", number(c, 0));
	must_copy(c); /* an empty log */
	assert_int_equal(copying_setup((void **)&other), 0);
	store_close(other->copy);
	other->copy = c->copy;
	must_copy(other); /* that has no such log: nothing is lost */
	other->copy = NULL;
	(void)copying_teardown((void **)&other);
}

/* ---- redaction ---- */

static void erase(struct copying *c, uint64_t index)
{
	struct buf key = {0};
	struct hash leaf;
	struct txn *t = NULL;

	buf_add(&key, "26", 3);
	buf_add_u64be(&key, index);
	assert_ok(txn_begin(c->n->f.store, true, &t));
	assert_ok(log_leaf(c->n->l26, t, index, &leaf));
	assert_ok(log_redact(c->n->l26, t, index, leaf));
	assert_ok(txn_put(t, c->redacted, buf_bytes(&key), bytes_of(leaf.b, HASH_BYTES)));
	assert_ok(txn_commit(t));
	buf_free(&key);
}

static void what_is_erased_in_the_source_is_erased_in_the_copy_and_waits_for_a_scrub(void **state)
{
	struct copying *c = *state;
	bool waits = true;

	nation_grow(c->n, 20);
	must_copy(c);
	assert_ok(backup_scrub_waits(c->copy, &waits));
	assert_false(waits);
	nation_grow(c->n, 40);
	erase(c, 7);
	erase(c, 30); /* which the copy never had */
	must_copy(c);
	assert_int_equal(c->report.erased, 1);
	assert_same_log(c, "26", c->n->l26);
	assert_same_table(c, "26.events");
	assert_same_table(c, "redacted");
	open_copy(c);
	assert_ok(backup_scrub_waits(c->copy, &waits));
	assert_true(waits);
	store_close(c->copy);
	c->copy = NULL;
	assert_ok(store_compact(c->folder));
	open_copy(c);
	assert_ok(backup_scrubbed(c->copy));
	assert_ok(backup_scrub_waits(c->copy, &waits));
	assert_false(waits);
	must_copy(c);
	assert_int_equal(c->report.erased, 0);
}

static void erase_the_first(struct copying *c)
{
	erase(c, 0);
}

/* The act would be in no table of the copy, its event gone. */
static void an_erasure_while_it_reads_asks_for_another_try(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 700);
	c->meanwhile = erase_the_first;
	assert_err(copy_with(c, false), ERR_AGAIN);
	assert_int_equal(row_of(c, c->copy, "26.events", number(c, 1)).size, 0);
	must_copy(c);
	assert_same_table(c, "26.events");
	assert_same_table(c, "redacted");
}

static void a_try_in_parts_that_is_to_be_made_again_leaves_no_copy_to_go_on_from(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 10);
	grow_long(c);
	c->meanwhile = erase_the_first;
	assert_err(copy_with(c, true), ERR_AGAIN);
	assert_true(row_of(c, c->copy, "26.events", number(c, 0)).size > 0);
	assert_err(copy_with(c, true), ERR_CORRUPT);
	assert_true(c->report.copy_failed);
}

static void grow_by_one(struct copying *c)
{
	nation_grow(c->n, c->n->l26->edge.size + 1);
}

static void what_comes_while_it_reads_is_for_the_next_time(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 700);
	c->meanwhile = grow_by_one;
	must_copy(c);
	assert_int_equal(c->report.logs[0].size, 700);
	assert_int_equal(c->report.logs[1].size, 2);
	assert_same_table(c, "redacted");
	must_copy(c);
	assert_int_equal(c->report.logs[0].size, 701);
	assert_same_log(c, "national", c->n->national);
}

/* An act that names another event than came erased nothing. */
static void an_act_ahead_of_its_event_takes_nothing(void **state)
{
	struct copying *c = *state;
	struct bytes key = kept(c->n, bytes_of("26\0\0\0\0\0\0\0\0\5", 11));

	put_row(c, c->n->f.store, "redacted", key,
		bytes_of("0123456789abcdef0123456789abcdef", 32));
	nation_grow(c->n, 20);
	must_copy(c);
	must_copy(c);
	assert_int_equal(c->report.erased, 0);
	assert_same_table(c, "26.events");
}

int main(void)
{
#define WITH_COPY(f) cmocka_unit_test_setup_teardown(f, copying_setup, copying_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_table_has_a_kind_and_a_new_one_is_unknown),
		WITH_COPY(logs_and_small_tables_come_and_the_view_does_not),
		WITH_COPY(a_second_copy_reads_and_writes_what_is_new),
		WITH_COPY(what_is_too_much_for_one_transaction_changes_nothing_and_goes_in_parts),
		WITH_COPY(damage_in_the_source_is_named_and_nothing_of_it_is_taken),
		WITH_COPY(a_checkpoint_on_the_way_that_says_another_root_is_damage),
		WITH_COPY(a_checkpoint_that_is_not_the_one_accepted_is_damage),
		WITH_COPY(what_no_national_entry_accepted_is_not_taken),
		WITH_COPY(a_damaged_copy_is_told_from_a_damaged_source),
		WITH_COPY(the_newest_checkpoint_is_signed_by_a_trusted_key),
		WITH_COPY(a_source_that_went_back_is_refused),
		WITH_COPY(another_log_of_that_name_is_refused),
		WITH_COPY(a_log_that_the_source_has_no_more_is_refused),
		WITH_COPY(what_is_erased_in_the_source_is_erased_in_the_copy_and_waits_for_a_scrub),
		WITH_COPY(an_erasure_while_it_reads_asks_for_another_try),
		WITH_COPY(a_try_in_parts_that_is_to_be_made_again_leaves_no_copy_to_go_on_from),
		WITH_COPY(what_comes_while_it_reads_is_for_the_next_time),
		WITH_COPY(an_act_ahead_of_its_event_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
