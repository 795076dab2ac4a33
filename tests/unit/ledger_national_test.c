/* The national log: what is accepted is an entry, and entries are folded whole. */

#include <sodium.h>

#include "ledger_fixture.h"
#include "ledger_recount.h"

#include "ledger/national.h"

/* ---- appending ---- */

static struct national_entry national_at(struct fixture *f, const struct log *l, uint64_t index)
{
	struct national_entry entry;
	struct bytes raw;
	struct txn *t = NULL;

	assert_ok(txn_begin(f->store, false, &t));
	assert_ok(log_event(l, t, index, &raw));
	assert_ok(national_decode(raw, &f->arena, &entry));
	txn_abort(t);
	return entry;
}

/* Accepts events at a time of day, in a transaction of their own; gives the region's note. */
static struct bytes accept(struct fixture *f, struct log *national, struct log *l,
			   const struct bytes *events, uint32_t count, int64_t now)
{
	struct tree tree = l->tree;
	struct bytes note;
	struct txn *t = NULL;

	for (uint32_t i = 0; i < count; i++)
		tree_append(&tree, hash_leaf(events[i]));
	note = note_of(f, tree.size, tree_root(&tree));
	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(national_accept(national, l, t, (struct wall_ms){now}, events, count, note));
	seal(f, national, t);
	assert_ok(txn_commit(t));
	return note;
}

static struct bytes accept_plain(struct fixture *f, struct log *national, struct log *l,
				 uint32_t count, int64_t now)
{
	struct bytes *events = arena_alloc(&f->arena, count * sizeof *events);

	assert_non_null(events);
	for (uint32_t i = 0; i < count; i++)
		events[i] = plain_event(f, l->edge.size + i);
	return accept(f, national, l, events, count, now);
}

static void an_accepted_commit_is_an_entry_of_the_national_log(void **state)
{
	struct fixture *f = *state;
	struct log *national = opened(f, "national");
	struct log *l = opened(f, "26");
	struct national_entry entry;
	struct bytes note;
	struct bytes stored;
	struct txn *t = NULL;

	(void)accept_plain(f, national, l, 3, 100);
	note = accept_plain(f, national, l, 4, 200);
	entry = national_at(f, national, 1);
	assert_int_equal(entry.kind, NATIONAL_ACCEPTED);
	assert_true(log_name_equal(entry.log, name_of("26")));
	assert_int_equal(entry.from, 3);
	assert_int_equal(entry.size, 7);
	assert_int_equal(entry.recorded.ms, 200);
	assert_true(bytes_equal(entry.checkpoint, note));
	assert_ok(txn_begin(f->store, false, &t));
	assert_ok(log_checkpoint(l, t, 7, &stored));
	assert_true(bytes_equal(stored, note));
	txn_abort(t);
	assert_ok(log_open(f->store, name_of("26"), false, l));
	assert_int_equal(l->edge.size, 7);
}

static void national_time_never_goes_back(void **state)
{
	struct fixture *f = *state;
	struct log *national = opened(f, "national");
	struct log *l = opened(f, "26");
	struct national_entry act = {
		.recorded = {400},
		.kind = NATIONAL_ACT,
		.log = name_of("26"),
		.act = "enrol",
		.by = "root",
		.reason = "letter 12",
		.document = bytes_of_text("enrolment"),
	};
	struct txn *t = NULL;

	(void)accept_plain(f, national, l, 1, 500);
	(void)accept_plain(f, national, l, 1, 300);
	assert_int_equal(national_at(f, national, 1).recorded.ms, 500);
	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(national_act(national, t, &act)); /* twice in one transaction */
	act.recorded.ms = 900;
	assert_ok(national_act(national, t, &act));
	act.recorded.ms = 800;
	assert_ok(national_act(national, t, &act));
	seal(f, national, t);
	assert_ok(txn_commit(t));
	assert_int_equal(national_at(f, national, 2).recorded.ms, 500);
	assert_int_equal(national_at(f, national, 3).recorded.ms, 900);
	assert_int_equal(national_at(f, national, 4).recorded.ms, 900);
	assert_string_equal(national_at(f, national, 2).act, "enrol");
}

static void a_commit_with_a_wrong_checkpoint_is_not_accepted(void **state)
{
	struct fixture *f = *state;
	struct log *national = opened(f, "national");
	struct log *l = opened(f, "26");
	struct bytes event = plain_event(f, 0);
	struct txn *t = NULL;

	assert_ok(txn_begin(f->store, true, &t));
	assert_err(national_accept(national, l, t, (struct wall_ms){1}, &event, 1,
				   note_of(f, 1, hash_empty())),
		   ERR_ROOT);
	assert_err(national_accept(national, l, t, (struct wall_ms){1}, &event, 0,
				   note_of(f, 0, hash_empty())),
		   ERR_ARGUMENT);
	txn_abort(t);
	assert_int_equal(national->edge.size, 0);
}

/* ---- how far a log was ---- */

static void act(struct fixture *f, struct log *national, const char *kind, const char *log)
{
	struct national_entry entry = {.recorded = {1},
				       .kind = NATIONAL_ACT,
				       .log = name_of(log),
				       .act = kind,
				       .by = "root",
				       .reason = "letter 12"};
	struct txn *t = NULL;

	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(national_act(national, t, &entry));
	seal(f, national, t);
	assert_ok(txn_commit(t));
}

/* An entry that does not read: whoever gets as far fails. */
static void append_unreadable(struct fixture *f, struct log *national)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(log_append(national, t, bytes_of_text("\xff")));
	seal(f, national, t);
	assert_ok(txn_commit(t));
}

static uint64_t size_of(struct fixture *f, const struct log *national, const char *log,
			uint64_t national_size)
{
	struct txn *t = NULL;
	uint64_t size = 99;

	assert_ok(txn_begin(f->store, false, &t));
	assert_ok(national_size_of(national, t, name_of(log), national_size, &size));
	txn_abort(t);
	return size;
}

static void the_size_of_a_log_is_looked_for_no_further_than_its_enrolment(void **state)
{
	struct fixture *f = *state;
	struct log *national = opened(f, "national");
	struct log *l26 = opened(f, "26");
	struct log *l24 = opened(f, "24");
	struct txn *t = NULL;
	uint64_t size = 0;

	append_unreadable(f, national);               /* 0 */
	act(f, national, "enrol", "26");              /* 1 */
	(void)accept_plain(f, national, l26, 3, 100); /* 2 */
	act(f, national, "enrol", "24");              /* 3 */
	(void)accept_plain(f, national, l26, 4, 200); /* 4 */
	act(f, national, "freeze", "26");             /* 5 */
	(void)accept_plain(f, national, l24, 2, 300); /* 6 */
	assert_int_equal(size_of(f, national, "26", 7), 7);
	assert_int_equal(size_of(f, national, "26", 4), 3);
	assert_int_equal(size_of(f, national, "26", 2), 0);
	assert_int_equal(size_of(f, national, "24", 7), 2);
	assert_int_equal(size_of(f, national, "24", 6), 0);
	assert_int_equal(size_of(f, national, "26", 0), 0);
	assert_ok(txn_begin(f->store, false, &t));
	assert_err(national_size_of(national, t, name_of("26"), 8, &size), ERR_ARGUMENT);
	assert_err(national_size_of(national, t, name_of("14"), 7, &size), ERR_DECODE);
	txn_abort(t);
}

/* ---- folding ---- */

/* A server in small: logs in one store, the view in another. */
struct server {
	struct fixture *logs, views;
	struct log *national, *l26, *l24;
	struct view view;
	struct view_fold *fold;
	struct arena arena;
};

static void server_start(struct server *s, struct fixture *logs)
{
	memset(s, 0, sizeof *s);
	s->logs = logs;
	s->national = opened(logs, "national");
	s->l26 = opened(logs, "26");
	s->l24 = opened(logs, "24");
	fixture_start(&s->views);
	assert_ok(view_open(s->views.store, true, &s->view));
	assert_ok(view_fold_new(&s->fold));
}

static void server_stop(struct server *s)
{
	view_fold_free(s->fold);
	arena_free(&s->arena);
	fixture_stop(&s->views);
}

static const struct log *find_log(void *context, struct log_name name)
{
	const struct server *s = context;

	if (s->l26 && log_name_equal(name, s->l26->name))
		return s->l26;
	return log_name_equal(name, s->l24->name) ? s->l24 : NULL;
}

/* One call of national_fold and its commit. */
static enum err fold_some(struct server *s, size_t most, uint64_t *position, size_t *events)
{
	struct log_finder finder = {s, find_log};
	struct txn *read = NULL;
	struct txn *write = NULL;
	enum err e = ERR_OK;

	assert_ok(txn_begin(s->logs->store, false, &read));
	assert_ok(txn_begin(s->views.store, true, &write));
	e = national_fold(s->national, &finder, read, &s->view, write, s->fold, &s->arena, most,
			  position, events);
	txn_abort(read);
	if (e == ERR_OK) {
		assert_ok(txn_commit(write));
	} else {
		txn_abort(write);
		view_fold_abandon(s->fold);
	}
	return e;
}

static int64_t server_count(struct server *s, const char *row)
{
	struct txn *t = NULL;
	struct count *rows = NULL;
	size_t count = 0;

	assert_ok(txn_begin(s->views.store, false, &t));
	all_counts(&s->view, t, &s->logs->arena, &rows, &count);
	txn_abort(t);
	return kept_count(rows, count, row);
}

static struct bytes entity_event(struct fixture *f, const char *id)
{
	struct record *r =
		record_with(&f->arena, RECORD_ENTITY, "id", id, "kind", "CIS", "name", id, NULL);
	struct change c = put_change(r);
	struct event e = event_of(&c, 1);

	return encoded(f, &e);
}

static void act_once(struct fixture *f, struct log *national)
{
	struct national_entry act = {
		.kind = NATIONAL_ACT,
		.log = name_of("26"),
		.act = "enrol",
		.by = "root",
		.reason = "",
	};
	struct txn *t = NULL;

	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(national_act(national, t, &act));
	seal(f, national, t);
	assert_ok(txn_commit(t));
}

static void entries_are_folded_whole_and_no_more_than_asked(void **state)
{
	struct fixture *f = *state;
	struct server s;
	struct bytes events[3] = {entity_event(f, "pl26-cis-a"), entity_event(f, "pl26-cis-b"),
				  entity_event(f, "pl26-cis-c")};
	struct bytes other = entity_event(f, "pl24-cis-a");
	struct version found;
	struct txn *t = NULL;
	uint64_t position = 77;
	size_t folded = 77;

	server_start(&s, f);
	assert_ok(fold_some(&s, 10, &position, &folded));
	assert_int_equal(position, 0);
	assert_int_equal(folded, 0);
	(void)accept(f, s.national, s.l26, events, 2, 1);
	(void)accept(f, s.national, s.l24, &other, 1, 2);
	act_once(f, s.national);
	(void)accept(f, s.national, s.l26, events + 2, 1, 3);
	assert_ok(fold_some(&s, 1, &position, &folded));
	assert_int_equal(position, 1); /* whole, though two events were more than asked */
	assert_int_equal(folded, 2);
	assert_int_equal(server_count(&s, "entities,PL,,"), 2);
	assert_ok(fold_some(&s, 2, &position, &folded));
	assert_int_equal(position, 3);
	assert_int_equal(folded, 1);
	assert_ok(fold_some(&s, 100, &position, &folded));
	assert_int_equal(position, 4);
	assert_int_equal(folded, 1);
	assert_int_equal(server_count(&s, "entities,PL,CIS,"), 4);
	assert_ok(fold_some(&s, 100, &position, &folded));
	assert_int_equal(position, 4);
	assert_int_equal(folded, 0);

	assert_ok(txn_begin(s.views.store, false, &t));
	assert_ok(view_get(&s.view, t, RECORD_ENTITY, bytes_of_text("pl26-cis-c"), &f->arena,
			   &found));
	assert_int_equal(found.position, 3);
	assert_int_equal(found.index, 2);
	assert_true(log_name_equal(found.log, name_of("26")));
	txn_abort(t);
	server_stop(&s);
}

/* What is written grows with the changes, and so does the memory of the transaction. */
static void an_event_of_many_changes_counts_as_so_many(void **state)
{
	enum { CHANGES = 50 };
	struct fixture *f = *state;
	struct server s;
	struct change changes[CHANGES];
	struct event dense = event_of(changes, CHANGES);
	struct bytes raw;
	char ids[CHANGES][32];
	uint64_t position = 0;
	size_t folded = 0;

	server_start(&s, f);
	for (int i = 0; i < CHANGES; i++) {
		(void)snprintf(ids[i], sizeof ids[i], "pl26-cis-%d", i);
		changes[i] = retire_change(RECORD_ENTITY, ids[i]);
	}
	raw = encoded(f, &dense);
	for (int i = 0; i < 3; i++)
		(void)accept(f, s.national, s.l26, &raw, 1, i);
	assert_ok(fold_some(&s, event_work(&dense) / EVENT_WORK_BYTES * 3 / 2, &position, &folded));
	assert_int_equal(position, 2);
	assert_int_equal(folded, 2);
	server_stop(&s);
}

/* An entry is of the time at which the server took it, whatever its events say. */
static void an_entrys_time_is_the_servers_and_never_falls(void **state)
{
	static const int64_t expected[] = {5000, 5000, 5000, 8000};
	struct fixture *f = *state;
	struct server s;
	struct bytes event = entity_event(f, "pl26-cis-a"); /* recorded at 1000 */
	struct txn *t = NULL;
	uint64_t position = 0;
	size_t folded = 0;

	server_start(&s, f);
	(void)accept(f, s.national, s.l26, &event, 1, 5000);
	act_once(f, s.national); /* says no time */
	(void)accept(f, s.national, s.l26, &event, 1, 4000);
	(void)accept(f, s.national, s.l26, &event, 1, 8000);
	assert_ok(fold_some(&s, 100, &position, &folded));
	assert_int_equal(position, 4);
	assert_ok(txn_begin(s.views.store, false, &t));
	for (uint64_t i = 0; i < 4; i++) {
		struct wall_ms at = {0};

		assert_ok(view_time(&s.view, t, i, &at));
		assert_int_equal(at.ms, expected[i]);
	}
	assert_ok(view_position_at(&s.view, t, (struct wall_ms){5000}, &position));
	assert_int_equal(position, 3);
	txn_abort(t);
	server_stop(&s);
}

static void what_does_not_decode_is_counted_and_passed(void **state)
{
	struct fixture *f = *state;
	struct server s;
	struct bytes events[3] = {entity_event(f, "pl26-cis-a"), bytes_of_text("\xff\xff\xff"),
				  entity_event(f, "pl26-cis-c")};
	struct txn *t = NULL;
	uint64_t position = 0;
	size_t folded = 0;

	server_start(&s, f);
	(void)accept(f, s.national, s.l26, events, 3, 1);
	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(log_append(s.national, t, bytes_of_text("\xff")));
	seal(f, s.national, t);
	assert_ok(txn_commit(t));
	act_once(f, s.national); /* also behind an entry whose time nobody can read */
	assert_ok(fold_some(&s, 100, &position, &folded));
	assert_int_equal(position, 3);
	assert_int_equal(folded, 3);
	assert_int_equal(server_count(&s, "undecodable_events,PL,,all"), 2);
	assert_int_equal(server_count(&s, "entities,PL,,"), 2);
	server_stop(&s);
}

static void logs_that_lack_what_was_accepted_are_damage(void **state)
{
	struct fixture *f = *state;
	struct server s;
	struct bytes event = entity_event(f, "pl26-cis-a");
	struct log *l26 = NULL;
	uint64_t position = 0;
	size_t folded = 0;

	server_start(&s, f);
	(void)accept(f, s.national, s.l26, &event, 1, 1);
	l26 = s.l26;
	s.l26 = NULL;
	assert_err(fold_some(&s, 100, &position, &folded), ERR_CORRUPT);
	s.l26 = l26;
	assert_ok(fold_some(&s, 100, &position, &folded));
	assert_int_equal(position, 1);
	assert_int_equal(server_count(&s, "entities,PL,,"), 1); /* once */
	server_stop(&s);
}

static void a_view_ahead_of_the_log_is_to_be_thrown_away(void **state)
{
	struct fixture *f = *state;
	struct server s;
	struct bytes event = entity_event(f, "pl26-cis-a");
	struct txn *t = NULL;
	uint64_t position = 0;
	size_t folded = 0;

	server_start(&s, f);
	(void)accept(f, s.national, s.l26, &event, 1, 1);
	assert_ok(txn_begin(s.views.store, true, &t));
	assert_ok(view_fold_finish(s.fold, &s.view, t, 2));
	assert_ok(txn_commit(t));
	assert_err(fold_some(&s, 100, &position, &folded), ERR_CORRUPT);
	server_stop(&s);
}

/* ---- one entry, proved to somebody else ---- */

enum { SIGN_SECRET = 64, SIGN_SEED = 32 };

static void make_signer(uint8_t seed_byte, uint8_t secret[static SIGN_SECRET], struct signer *ret)
{
	const uint8_t seed[SIGN_SEED] = {seed_byte};
	uint8_t public[SIGN_SEED];

	assert_int_equal(crypto_sign_seed_keypair(public, secret, seed), 0);
	assert_ok(vkey_make("splot.test/national/centrum", KEY_ED25519, public, &ret->key));
	ret->secret = secret;
}

static void an_entry_is_proved_by_its_place_its_size_and_the_logs_own_signature(void **state)
{
	const struct bytes first = bytes_of_text("one"), second = bytes_of_text("two");
	const struct hash left = hash_leaf(first), right = hash_leaf(second);
	const struct bytes proof = bytes_of(right.b, HASH_BYTES);
	struct checkpoint c = {
		.origin = "splot.test/national/centrum", .size = 2, .root = hash_node(left, right)};
	uint8_t secret[SIGN_SECRET], other_secret[SIGN_SECRET];
	struct signer signer, other;
	struct buf raw = {0};
	struct bytes note;

	(void)state;
	make_signer(1, secret, &signer);
	make_signer(2, other_secret, &other);
	assert_ok(checkpoint_sign(&c, &signer, &raw));
	note = buf_bytes(&raw);
	assert_ok(national_prove(&signer.key, note, 2, 0, first, proof));
	assert_err(national_prove(&signer.key, note, 2, 0, second, proof), ERR_PROOF);
	assert_err(national_prove(&signer.key, note, 2, 1, first, proof), ERR_PROOF);
	assert_err(national_prove(&signer.key, note, 2, 2, first, proof), ERR_PROOF);
	assert_err(national_prove(&signer.key, note, 3, 0, first, proof), ERR_PROOF);
	assert_err(
		national_prove(&signer.key, note, 2, 0, first, bytes_of(right.b, HASH_BYTES - 1)),
		ERR_DECODE);
	assert_err(national_prove(&other.key, note, 2, 0, first, proof), ERR_UNKNOWN_KEY);
	buf_free(&raw);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_accepted_commit_is_an_entry_of_the_national_log),
		TEST(national_time_never_goes_back),
		TEST(a_commit_with_a_wrong_checkpoint_is_not_accepted),
		TEST(the_size_of_a_log_is_looked_for_no_further_than_its_enrolment),
		TEST(entries_are_folded_whole_and_no_more_than_asked),
		TEST(an_event_of_many_changes_counts_as_so_many),
		TEST(an_entrys_time_is_the_servers_and_never_falls),
		TEST(what_does_not_decode_is_counted_and_passed),
		TEST(logs_that_lack_what_was_accepted_are_damage),
		TEST(a_view_ahead_of_the_log_is_to_be_thrown_away),
		TEST(an_entry_is_proved_by_its_place_its_size_and_the_logs_own_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
