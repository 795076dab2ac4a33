/* Events whose bytes were erased: their hashes stay, everything else goes on; and sizes found by
 * the time of day. */
#include "ledger_fixture.h"
#include "ledger_recount.h"

#include "ledger/answer.h"
#include "ledger/national.h"

static struct bytes entity_event(struct fixture *f, const char *id, const char *name, int64_t at)
{
	struct record *r =
		record_with(&f->arena, RECORD_ENTITY, "id", id, "kind", "CIS", "name", name, NULL);
	struct change c = put_change(r);
	struct event e = event_of(&c, 1);

	e.recorded.ms = at;
	return encoded(f, &e);
}

static void append_sealed(struct fixture *f, struct log *l, const struct bytes *events,
			  size_t count)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(f->store, true, &t));
	for (size_t i = 0; i < count; i++)
		assert_ok(log_append(l, t, events[i]));
	seal(f, l, t);
	assert_ok(txn_commit(t));
}

static void redact(struct fixture *f, const struct log *l, uint64_t index, struct hash leaf)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(log_redact(l, t, index, leaf));
	assert_ok(txn_commit(t));
}

/* ---- logs ---- */

static void an_erased_event_keeps_its_leaf(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct hash root;
	struct hash leaf;
	struct bytes event;
	struct txn *t = NULL;

	for (uint64_t i = 0; i < 300; i++) {
		event = plain_event(f, i);
		append_sealed(f, l, &event, 1);
	}
	root = tree_root(&l->tree);
	redact(f, l, 299, hash_leaf(plain_event(f, 299)));
	redact(f, l, 7, hash_leaf(plain_event(f, 7)));
	redact(f, l, 7, hash_leaf(plain_event(f, 7))); /* twice is once */
	assert_ok(log_open(f->store, name_of("26"), false, l));
	assert_memory_equal(root.b, tree_root(&l->tree).b, HASH_BYTES);
	assert_ok(txn_begin(f->store, false, &t));
	for (uint64_t i = 0; i < 300; i++) {
		struct hash own = hash_leaf(plain_event(f, i));

		assert_err(log_event(l, t, i, &event), i == 7 || i == 299 ? ERR_REDACTED : ERR_OK);
		assert_ok(log_leaf(l, t, i, &leaf));
		assert_true(hash_equal(leaf, own));
	}
	assert_err(log_leaf(l, t, 300, &leaf), ERR_NOT_FOUND);
	txn_abort(t);
	event = plain_event(f, 300);
	append_sealed(f, l, &event, 1);
	assert_ok(log_open(f->store, name_of("26"), false, l));
}

static void another_hash_or_an_event_not_there_erases_nothing(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct bytes events[2] = {plain_event(f, 0), plain_event(f, 1)};
	struct bytes event;
	struct txn *t = NULL;

	append_sealed(f, l, events, 2);
	assert_ok(txn_begin(f->store, true, &t));
	assert_err(log_redact(l, t, 0, hash_leaf(events[1])), ERR_ROOT);
	assert_err(log_redact(l, t, 2, hash_leaf(events[1])), ERR_NOT_FOUND);
	assert_ok(log_event(l, t, 0, &event));
	assert_err(log_append(l, t, bytes_of("", 0)), ERR_ARGUMENT);
	txn_abort(t);
}

static void an_event_that_arrives_erased_gives_the_same_tree(void **state)
{
	struct fixture *f = *state;
	struct log *whole = opened(f, "26");
	struct log *other = opened(f, "24");
	struct hash leaf;
	struct txn *t = NULL;

	assert_ok(txn_begin(f->store, true, &t));
	for (uint64_t i = 0; i < 600; i++) {
		struct bytes event = plain_event(f, i);

		assert_ok(log_append(whole, t, event));
		leaf = hash_leaf(event);
		assert_ok(i % 100 ? log_append(other, t, event)
				  : log_append_redacted(other, t, leaf));
	}
	seal(f, whole, t);
	seal(f, other, t);
	assert_ok(txn_commit(t));
	assert_memory_equal(tree_root(&whole->tree).b, tree_root(&other->tree).b, HASH_BYTES);
	assert_ok(log_open(f->store, name_of("24"), false, other));
}

static void an_erased_event_is_packed_as_its_hash(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct bytes events[3] = {plain_event(f, 299), plain_event(f, 299), plain_event(f, 299)};
	const size_t each = 2 + events[0].size;
	struct bytes note;
	struct txn *t = NULL;
	uint64_t size = 0;
	uint32_t count = 0;

	append_sealed(f, l, events, 3);
	redact(f, l, 1, hash_leaf(events[1]));
	assert_ok(txn_begin(f->store, false, &t));
	assert_ok(log_fit(l, t, 0, 3, 2 * each + 2 + HASH_BYTES, &count));
	assert_int_equal(count, 3);
	assert_ok(log_fit(l, t, 0, 3, 2 * each + 1 + HASH_BYTES, &count));
	assert_int_equal(count, 2);
	assert_ok(log_chunk(l, t, 0, &size, &note));
	assert_int_equal(size, 3);
	txn_abort(t);
}

enum { SHORT = 1000, SHORT_BYTES = 20, LONG = 15 };

/* The first `count` of events that fill a commit to the byte, a thousand of them shorter than the
 * hash that would stay of each. */
static void append_full(struct fixture *f, struct log *l, uint32_t count)
{
	static const uint8_t raw[EVENT_BYTES_MAX] = {1};
	size_t left = COMMIT_BYTES_MAX;
	struct txn *t = NULL;

	assert_ok(txn_begin(f->store, true, &t));
	for (uint32_t i = 0; i < count; i++) {
		size_t size = i < SHORT ? SHORT_BYTES : EVENT_BYTES_MAX;

		if (i == SHORT + LONG)
			size = left - 2;
		assert_ok(log_append(l, t, bytes_of(raw, size)));
		left -= 2 + size;
	}
	seal(f, l, t);
	assert_ok(txn_commit(t));
}

static void a_full_commit_can_be_sent_when_its_shortest_events_are_erased(void **state)
{
	struct fixture *f = *state;
	struct log *all = opened(f, "24");
	struct log *l = opened(f, "26");
	struct hash leaf;
	struct bytes note;
	struct txn *t = NULL;
	uint64_t size = 0;
	uint32_t count = 0;

	append_full(f, all, SHORT + LONG + 1);
	assert_ok(txn_begin(f->store, false, &t));
	assert_ok(log_fit(all, t, 0, all->tree.size, COMMIT_BYTES_MAX, &count));
	txn_abort(t);
	append_full(f, l, count);
	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(log_leaf(l, t, 0, &leaf));
	for (uint64_t i = 0; i < SHORT; i++)
		assert_ok(log_redact(l, t, i, leaf));
	assert_ok(txn_commit(t));
	assert_ok(txn_begin(f->store, false, &t));
	assert_ok(log_chunk(l, t, 0, &size, &note));
	assert_int_equal(size, count);
	txn_abort(t);
}

/* ---- files ---- */

static bool in_some_file(struct fixture *f, const char *text)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "writer.lock"};
	bool found = false;

	for (size_t i = 0; i < 3; i++) {
		char path[128];
		FILE *file = NULL;
		struct buf raw = {.data = NULL};
		int c = 0;

		(void)snprintf(path, sizeof path, "%s/%s", f->folder, names[i]);
		file = fopen(path, "rb");
		if (!file)
			continue;
		while ((c = getc(file)) != EOF)
			buf_add_u8(&raw, (uint8_t)c);
		assert_ok(buf_check(&raw));
		found |= memmem(raw.data, raw.size, text, strlen(text)) != NULL;
		buf_free(&raw);
		assert_int_equal(fclose(file), 0);
	}
	return found;
}

static void erased_bytes_are_in_no_file_once_the_store_is_written_anew(void **state)
{
	static const char secret[] = "a word that is nowhere else";
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct bytes events[3] = {entity_event(f, "pl26-cis-a", "one", 1),
				  entity_event(f, "pl26-cis-b", secret, 2),
				  entity_event(f, "pl26-cis-c", "three", 3)};
	struct txn *t = NULL;
	struct bytes event;

	append_sealed(f, l, events, 3);
	redact(f, l, 1, hash_leaf(events[1]));
	store_close(f->store);
	f->store = NULL;
	assert_true(in_some_file(f, secret)); /* else this test shows nothing */
	assert_ok(store_compact(f->folder));
	assert_false(in_some_file(f, secret));
	assert_false(in_some_file(f, secret + sizeof secret - 8));
	fixture_reopen(f);
	assert_ok(log_open(f->store, name_of("26"), false, l));
	assert_ok(txn_begin(f->store, false, &t));
	assert_ok(log_event(l, t, 0, &event));
	assert_err(log_event(l, t, 1, &event), ERR_REDACTED);
	txn_abort(t);
}

/* ---- the view ---- */

struct server {
	struct log *national, *log;
	struct view view;
	struct view_fold *fold;
	struct arena arena;
};

static const struct log *find_log(void *context, struct log_name name)
{
	const struct server *s = context;

	return log_name_equal(name, s->log->name) ? s->log : NULL;
}

static void server_start(struct server *s, struct fixture *f)
{
	memset(s, 0, sizeof *s);
	s->national = opened(f, "national");
	s->log = opened(f, "26");
	assert_ok(view_open(f->store, true, &s->view));
	assert_ok(view_fold_new(&s->fold));
}

static void accept(struct fixture *f, struct server *s, const struct bytes *events, uint32_t count)
{
	struct tree tree = s->log->tree;
	struct txn *t = NULL;

	for (uint32_t i = 0; i < count; i++) {
		struct hash leaf = hash_leaf(events[i]);

		if (events[i].size == 0)
			memcpy(leaf.b, events[i].data, HASH_BYTES);
		tree_append(&tree, leaf);
	}
	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(national_accept(s->national, s->log, t, (struct wall_ms){1}, events, count,
				  note_of(f, tree.size, tree_root(&tree))));
	seal(f, s->national, t);
	assert_ok(txn_commit(t));
}

static void fold_all(struct fixture *f, struct server *s)
{
	struct log_finder finder = {s, find_log};
	uint64_t position = 0;
	size_t events = 0;
	struct txn *t = NULL;

	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(national_fold(s->national, &finder, t, &s->view, t, s->fold, &s->arena, 1000,
				&position, &events));
	assert_int_equal(position, s->national->edge.size);
	arena_free(&s->arena);
	assert_ok(txn_commit(t));
}

static int64_t count_of(struct fixture *f, const struct server *s, const char *row)
{
	struct count *rows = NULL;
	struct txn *t = NULL;
	size_t count = 0;

	assert_ok(txn_begin(f->store, false, &t));
	all_counts(&s->view, t, &f->arena, &rows, &count);
	txn_abort(t);
	return kept_count(rows, count, row);
}

/* Every row of a table but one named, as one text. */
static struct bytes dump(struct fixture *f, struct table table, const char *but)
{
	struct scan *scan = NULL;
	struct txn *t = NULL;
	struct buf all = {.data = NULL};
	struct bytes key;
	struct bytes value;
	struct bytes kept;

	assert_ok(txn_begin(f->store, false, &t));
	assert_ok(scan_open(t, table, &scan));
	while (scan_next(scan, &key, &value) == ERR_OK) {
		if (key.size >= strlen(but) && *but && memcmp(key.data, but, strlen(but)) == 0)
			continue;
		buf_add_bytes(&all, key);
		buf_add_u8(&all, '=');
		buf_add_bytes(&all, value);
		buf_add_u8(&all, '\n');
	}
	scan_close(scan);
	txn_abort(t);
	assert_ok(buf_check(&all));
	kept = bytes_of(arena_text(&f->arena, buf_bytes(&all)), all.size);
	buf_free(&all);
	return kept;
}

/* Folds the events with the one at `hole` erased, and again with one there that says nothing. */
static void the_view_with_an_erased_event_is_that_of_a_history_without_it(void **state)
{
	struct fixture *f = *state;
	struct fixture other;
	struct server a;
	struct server b;
	struct event empty = event_of(NULL, 0);
	struct bytes events[4] = {entity_event(f, "pl26-cis-a", "one", 1),
				  entity_event(f, "pl26-cis-b", "two", 2),
				  entity_event(f, "pl26-cis-a", "changed", 3),
				  entity_event(f, "pl26-cis-c", "three", 4)};
	struct hash leaf = hash_leaf(events[2]);

	server_start(&a, f);
	events[2] = bytes_of(leaf.b, 0); /* as it travels */
	accept(f, &a, events, 4);
	fold_all(f, &a);
	fixture_start(&other);
	server_start(&b, &other);
	events[2] = encoded(&other, &empty);
	accept(&other, &b, events, 4);
	fold_all(&other, &b);

	assert_true(bytes_equal(dump(f, a.view.records, ""), dump(&other, b.view.records, "")));
	assert_true(bytes_equal(dump(f, a.view.versions, ""), dump(&other, b.view.versions, "")));
	assert_true(bytes_equal(dump(f, a.view.links, ""), dump(&other, b.view.links, "")));
	assert_true(bytes_equal(dump(f, a.view.counts, "redacted_events"),
				dump(&other, b.view.counts, "")));
	assert_int_equal(count_of(f, &a, "redacted_events,PL,,all"), 1);
	assert_int_equal(count_of(f, &a, "entities,PL,CIS,"), 3);
	view_fold_free(a.fold);
	view_fold_free(b.fold);
	fixture_stop(&other);
}

static void a_view_thrown_away_is_folded_anew_without_what_was_erased(void **state)
{
	struct fixture *f = *state;
	struct server s;
	struct bytes events[2] = {entity_event(f, "pl26-cis-a", "one", 1),
				  entity_event(f, "pl26-cis-a", "two", 2)};
	struct bytes before;
	struct txn *t = NULL;
	uint64_t position = 7;

	server_start(&s, f);
	accept(f, &s, events, 2);
	fold_all(f, &s);
	before = dump(f, s.view.records, "");
	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(view_clear(&s.view, t));
	assert_ok(view_position(&s.view, t, &position));
	assert_int_equal(position, 0);
	assert_ok(txn_commit(t));
	assert_int_equal(dump(f, s.view.records, "").size, 0);
	assert_int_equal(dump(f, s.view.versions, "").size, 0);
	assert_int_equal(dump(f, s.view.counts, "").size, 0);
	assert_ok(view_open(f->store, false, &s.view)); /* its format is still said */
	fold_all(f, &s);
	assert_true(bytes_equal(before, dump(f, s.view.records, "")));
	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(view_clear(&s.view, t));
	assert_ok(log_redact(s.log, t, 1, hash_leaf(events[1])));
	assert_ok(txn_commit(t));
	fold_all(f, &s);
	assert_false(bytes_equal(before, dump(f, s.view.records, "")));
	assert_int_equal(dump(f, s.view.versions, "").size, 0);
	assert_int_equal(count_of(f, &s, "redacted_events,PL,,all"), 1);
	view_fold_free(s.fold);
}

static void a_rotation_changes_no_record(void **state)
{
	struct fixture *f = *state;
	struct server s;
	struct event rotates = event_of(NULL, 0);
	struct bytes events[2] = {entity_event(f, "pl26-cis-a", "one", 1), {NULL, 0}};

	rotates.act = EVENT_ROTATES;
	rotates.document = bytes_of_text("an enrolment");
	events[1] = encoded(f, &rotates);
	server_start(&s, f);
	accept(f, &s, events, 2);
	fold_all(f, &s);
	assert_int_equal(count_of(f, &s, "entities,PL,CIS,"), 1);
	assert_int_equal(count_of(f, &s, "undecodable_events,PL,,all"), 0);
	view_fold_free(s.fold);
}

/* ---- cosigned checkpoints ---- */

static void the_newest_sixty_four_cosigned_checkpoints_are_kept(void **state)
{
	struct fixture *f = *state;
	struct table cosigned;
	struct bytes note;
	struct txn *t = NULL;
	uint64_t size = 0;

	assert_err(cosigned_open(f->store, false, &cosigned), ERR_NOT_FOUND);
	assert_ok(cosigned_open(f->store, true, &cosigned));
	assert_ok(txn_begin(f->store, true, &t));
	assert_err(cosigned_at(cosigned, t, UINT64_MAX, &size, &note), ERR_NOT_FOUND);
	for (uint64_t i = 1; i <= 70; i++)
		assert_ok(cosigned_put(cosigned, t, i * 10, plain_event(f, i)));
	assert_ok(cosigned_put(cosigned, t, 700, plain_event(f, 99)));
	assert_ok(cosigned_at(cosigned, t, UINT64_MAX, &size, &note));
	assert_int_equal(size, 700);
	assert_true(bytes_equal(note, plain_event(f, 99)));
	assert_ok(cosigned_at(cosigned, t, 699, &size, &note));
	assert_int_equal(size, 690);
	assert_ok(cosigned_at(cosigned, t, 70, &size, &note));
	assert_int_equal(size, 70);
	assert_err(cosigned_at(cosigned, t, 69, &size, &note), ERR_NOT_FOUND);
	assert_ok(txn_commit(t));
}

/* ---- time ---- */

static uint64_t size_at(struct fixture *f, const struct log *l, int64_t until)
{
	struct txn *t = NULL;
	uint64_t size = 77;

	assert_ok(txn_begin(f->store, false, &t));
	assert_ok(log_size_at(l, t, (struct wall_ms){until}, &size));
	txn_abort(t);
	return size;
}

static void the_size_at_a_time_is_that_of_the_last_event_until_then(void **state)
{
	static const int64_t times[] = {100, 100, 200, 300, 300, 300, 400};
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct bytes events[7];

	assert_int_equal(size_at(f, l, 1000), 0);
	for (size_t i = 0; i < 7; i++)
		events[i] = entity_event(f, "pl26-cis-a", "one", times[i]);
	append_sealed(f, l, events, 7);
	for (int64_t until = 50; until <= 450; until += 50) {
		uint64_t expected = 0;

		while (expected < 7 && times[expected] <= until)
			expected++;
		assert_int_equal(size_at(f, l, until), expected);
	}
	redact(f, l, 2, hash_leaf(events[2])); /* 200: now as old as the one before */
	redact(f, l, 6, hash_leaf(events[6]));
	assert_int_equal(size_at(f, l, 99), 0);
	assert_int_equal(size_at(f, l, 100), 3);
	assert_int_equal(size_at(f, l, 299), 3);
	assert_int_equal(size_at(f, l, 300), 7);
}

static void a_day_is_found_in_the_log_that_the_view_follows(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct bytes events[2] = {entity_event(f, "pl26-cis-a", "one", 100),
				  entity_event(f, "pl26-cis-a", "two", 200)};
	struct control_request q = {.verb = CONTROL_QUERY, .until = {150}};
	struct control_reply reply;
	struct txn *t = NULL;

	append_sealed(f, l, events, 2);
	assert_ok(txn_begin(f->store, false, &t));
	assert_ok(answer_until(l, t, &q, &reply));
	assert_int_equal(q.at, 1);
	q.until.ms = 900; /* a position that is given stays */
	assert_ok(answer_until(l, t, &q, &reply));
	assert_int_equal(q.at, 1);
	q = (struct control_request){.verb = CONTROL_QUERY, .until = {99}};
	assert_err(answer_until(l, t, &q, &reply), ERR_NOT_FOUND);
	assert_int_equal(reply.code, ERR_NOT_FOUND);
	assert_int_equal(q.at, 0);
	q = (struct control_request){.verb = CONTROL_SUMMARY, .until = {99}};
	assert_ok(answer_until(l, t, &q, &reply));
	txn_abort(t);
}

/* The first one is there from the beginning, any other as old as the one before it. */
static void an_event_that_tells_no_time_is_as_old_as_the_one_before(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct bytes events[4] = {entity_event(f, "pl26-cis-a", "one", 100),
				  entity_event(f, "pl26-cis-a", "two", 200),
				  bytes_of_text("this is no event"),
				  entity_event(f, "pl26-cis-a", "three", 300)};

	append_sealed(f, l, events, 4);
	redact(f, l, 0, hash_leaf(events[0]));
	assert_int_equal(size_at(f, l, 1), 1);
	assert_int_equal(size_at(f, l, 199), 1);
	assert_int_equal(size_at(f, l, 200), 3);
	assert_int_equal(size_at(f, l, 300), 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_erased_event_keeps_its_leaf),
		TEST(another_hash_or_an_event_not_there_erases_nothing),
		TEST(an_event_that_arrives_erased_gives_the_same_tree),
		TEST(an_erased_event_is_packed_as_its_hash),
		TEST(a_full_commit_can_be_sent_when_its_shortest_events_are_erased),
		TEST(erased_bytes_are_in_no_file_once_the_store_is_written_anew),
		TEST(the_view_with_an_erased_event_is_that_of_a_history_without_it),
		TEST(a_view_thrown_away_is_folded_anew_without_what_was_erased),
		TEST(a_rotation_changes_no_record),
		TEST(the_newest_sixty_four_cosigned_checkpoints_are_kept),
		TEST(the_size_at_a_time_is_that_of_the_last_event_until_then),
		TEST(a_day_is_found_in_the_log_that_the_view_follows),
		TEST(an_event_that_tells_no_time_is_as_old_as_the_one_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
