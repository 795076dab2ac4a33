/* The view: what folding gives, now and as of any position, and counts that are kept right
 * as they fold. */
#include "ledger_fixture.h"
#include "ledger_recount.h"
#include "ledger_sample.h"
#include "ledger_world.h"

#include "ledger/view.h"

struct viewed {
	struct fixture *f;
	struct view view;
	struct view_fold *fold;
	uint64_t position;
	uint64_t index;
};

static struct viewed *new_view(struct fixture *f)
{
	struct viewed *v = arena_alloc(&f->arena, sizeof *v);

	assert_non_null(v);
	*v = (struct viewed){.f = f};
	assert_ok(view_open(f->store, true, &v->view));
	assert_ok(view_fold_new(&v->fold));
	return v;
}

/* Folds events of log 26 as one entry. */
static void fold_entry_of(struct viewed *v, struct event *events, size_t count)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(v->f->store, true, &t));
	for (size_t i = 0; i < count; i++)
		assert_ok(view_fold_event(v->fold, &v->view, t, v->position, name_of("26"),
					  v->index++, &events[i]));
	assert_ok(view_fold_finish(v->fold, &v->view, t, ++v->position));
	assert_ok(txn_commit(t));
}

static void fold_changes(struct viewed *v, struct change *changes, size_t count)
{
	struct event e = event_of(changes, count);

	fold_entry_of(v, &e, 1);
}

static void put_record(struct viewed *v, const struct record *r)
{
	struct change c = put_change(r);

	fold_changes(v, &c, 1);
}

static void retire(struct viewed *v, enum record_kind kind, const char *id)
{
	struct change c = retire_change(kind, id);

	fold_changes(v, &c, 1);
}

static struct record *entity(struct viewed *v, const char *id, const char *kind, const char *name)
{
	return record_with(&v->f->arena, RECORD_ENTITY, "id", id, "kind", kind, "name", name, NULL);
}

static struct record *membership(struct viewed *v, const char *network, const char *member)
{
	char id[ID_BYTES_MAX + 1];

	(void)snprintf(id, sizeof id, "%s--%s", network, member);
	return record_with(&v->f->arena, RECORD_MEMBERSHIP, "id", id, "network_id", network,
			   "entity_id", member, NULL);
}

static struct txn *reading(struct viewed *v)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(v->f->store, false, &t));
	return t;
}

/* The name that an entity had when `at` entries were folded; "" retired, NULL not there. */
static const char *name_at(struct viewed *v, const char *id, uint64_t at)
{
	struct txn *t = reading(v);
	struct version found;
	enum err e = view_get_at(&v->view, t, RECORD_ENTITY, bytes_of_text(id), at, &v->f->arena,
				 &found);

	txn_abort(t);
	if (e == ERR_NOT_FOUND)
		return NULL;
	assert_ok(e);
	return found.change.retired ? "" : column(&found, "name");
}

static int64_t count_of(struct viewed *v, const char *row)
{
	struct txn *t = reading(v);
	struct count *rows = NULL;
	size_t count = 0;

	all_counts(&v->view, t, &v->f->arena, &rows, &count);
	txn_abort(t);
	return kept_count(rows, count, row);
}

static void done(struct viewed *v)
{
	view_fold_free(v->fold);
}

/* ---- one record ---- */

static void a_record_is_created_changed_and_retired(void **state)
{
	struct viewed *v = new_view(*state);
	struct txn *t = NULL;
	struct version found;
	uint64_t position = 9;
	bool used = false;

	t = reading(v);
	assert_ok(view_position(&v->view, t, &position));
	assert_int_equal(position, 0);
	assert_ok(view_id_used(&v->view, t, bytes_of_text("pl26-cis-a"), &used));
	assert_false(used);
	txn_abort(t);

	put_record(v, entity(v, "pl26-cis-a", "CIS", "first"));
	put_record(v, entity(v, "pl26-cis-a", "CIS", "second"));
	retire(v, RECORD_ENTITY, "pl26-cis-a");

	t = reading(v);
	assert_ok(view_position(&v->view, t, &position));
	assert_int_equal(position, 3);
	assert_ok(view_get(&v->view, t, RECORD_ENTITY, bytes_of_text("pl26-cis-a"), &v->f->arena,
			   &found));
	assert_true(found.change.retired);
	assert_int_equal(found.position, 2);
	assert_int_equal(found.index, 2);
	assert_string_equal(found.editor, "e07");
	assert_true(log_name_equal(found.log, name_of("26")));
	assert_ok(view_id_used(&v->view, t, bytes_of_text("pl26-cis-a"), &used));
	assert_true(used);
	assert_err(view_get(&v->view, t, RECORD_OPERATOR, bytes_of_text("pl26-cis-a"), &v->f->arena,
			    &found),
		   ERR_NOT_FOUND);
	txn_abort(t);

	assert_null(name_at(v, "pl26-cis-b", 0));
	assert_string_equal(name_at(v, "pl26-cis-a", 1), "first");
	assert_string_equal(name_at(v, "pl26-cis-a", 2), "second");
	assert_string_equal(name_at(v, "pl26-cis-a", 3), "");
	assert_string_equal(name_at(v, "pl26-cis-a", 0), "");
	done(v);
}

static void ids_that_begin_alike_do_not_mix(void **state)
{
	struct viewed *v = new_view(*state);

	put_record(v, entity(v, "pl26-cis-a", "CIS", "a1"));
	put_record(v, entity(v, "pl26-cis-a-b", "CIS", "b1"));
	put_record(v, entity(v, "pl26-cis-a-b", "CIS", "b2"));
	put_record(v, entity(v, "pl26-cis-a", "CIS", "a2"));
	assert_null(name_at(v, "pl26-cis-a-b", 1));
	assert_string_equal(name_at(v, "pl26-cis-a", 1), "a1");
	assert_string_equal(name_at(v, "pl26-cis-a", 3), "a1");
	assert_string_equal(name_at(v, "pl26-cis-a-b", 2), "b1");
	assert_string_equal(name_at(v, "pl26-cis-a-b", 3), "b2");
	assert_string_equal(name_at(v, "pl26-cis-a", 4), "a2");
	done(v);
}

static struct listing history(struct viewed *v, const char *id, struct version_place before,
			      size_t limit, bool *ret_more)
{
	struct listing l = {arena_alloc(&v->f->arena, limit * sizeof *l.rows), 0};
	struct txn *t = reading(v);

	assert_non_null(l.rows);
	assert_ok(view_history(&v->view, t, RECORD_ENTITY, bytes_of_text(id), before, limit, 100000,
			       &v->f->arena, l.rows, &l.count, ret_more));
	txn_abort(t);
	return l;
}

static void events_of_one_entry_share_its_position(void **state)
{
	struct viewed *v = new_view(*state);
	struct change changes[5];
	struct event events[5];
	struct listing l;
	bool more = false;

	put_record(v, entity(v, "pl26-cis-a", "CIS", "old"));
	for (size_t i = 0; i < 5; i++) {
		char name[] = {(char)('p' + i), 0};

		changes[i] = put_change(entity(v, "pl26-cis-a", "CIS", name));
		events[i] = event_of(&changes[i], 1);
	}
	fold_entry_of(v, events, 5);
	put_record(v, entity(v, "pl26-cis-a", "CIS", "new"));
	assert_string_equal(name_at(v, "pl26-cis-a", 1), "old");
	assert_string_equal(name_at(v, "pl26-cis-a", 2), "t");
	assert_string_equal(name_at(v, "pl26-cis-a", 3), "new");

	l = history(v, "pl26-cis-a", (struct version_place){0, 0}, 100, &more);
	assert_false(more);
	assert_int_equal(l.count, 7);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(l.rows[i].index, 6 - i);
	l = history(v, "pl26-cis-a", (struct version_place){2, 0}, 5, &more);
	assert_int_equal(l.count, 5); /* all of the entry before */
	assert_true(more);
	l = history(v, "pl26-cis-a", (struct version_place){1, 3}, 1, &more);
	assert_int_equal(l.rows[0].index, 2); /* inside an entry */
	assert_true(more);
	l = history(v, "pl26-cis-a", (struct version_place){1, 0}, 5, &more);
	assert_int_equal(l.count, 1);
	assert_false(more);
	done(v);
}

/* Puts versions `first` to before `end` of one entity, in one entry. */
static void fold_versions(struct viewed *v, const char *id, size_t first, size_t end)
{
	struct change *changes = arena_alloc(&v->f->arena, (end - first) * sizeof *changes);
	struct event *events = arena_alloc(&v->f->arena, (end - first) * sizeof *events);

	assert_true(changes && events);
	for (size_t i = first; i < end; i++) {
		char name[24];

		(void)snprintf(name, sizeof name, "%zu", i);
		changes[i - first] = put_change(entity(v, id, "CIS", name));
		events[i - first] = event_of(&changes[i - first], 1);
	}
	fold_entry_of(v, events, end - first);
}

static void an_entry_of_more_versions_than_a_page_holds_is_read_whole(void **state)
{
	enum { FIRST = 1500, ALL = 4000, PAGE = 7 };
	struct viewed *v = new_view(*state);
	struct version_place before = {0, 0};
	size_t left = ALL;
	bool more = true;

	/* The first entry, whose position is 0, and another; a neighbour after each. */
	fold_versions(v, "pl26-cis-a", 0, FIRST);
	put_record(v, entity(v, "pl26-cis-a-b", "CIS", "b"));
	v->index = FIRST;
	fold_versions(v, "pl26-cis-a", FIRST, ALL);
	put_record(v, entity(v, "pl26-cis", "CIS", "c"));
	while (more) {
		struct listing l = history(v, "pl26-cis-a", before, PAGE, &more);

		assert_true(l.count > 0 && l.count <= left);
		for (size_t i = 0; i < l.count; i++) {
			left--;
			assert_int_equal(strtoul(column(&l.rows[i], "name"), NULL, 10), left);
			assert_int_equal(l.rows[i].index, left);
		}
		before.position = l.rows[l.count - 1].position;
		before.index = l.rows[l.count - 1].index;
	}
	assert_int_equal(left, 0);
	done(v);
}

static void a_list_is_paged_by_number_and_by_bytes(void **state)
{
	struct viewed *v = new_view(*state);
	struct version rows[8];
	struct txn *t = NULL;
	size_t count = 0;
	bool more = false;

	for (char c = 'a'; c < 'f'; c++) {
		char id[] = {'p', 'l', '2', '6', '-', 'c', 'i', 's', '-', c, 0};

		put_record(v, entity(v, id, "CIS", id));
	}
	retire(v, RECORD_ENTITY, "pl26-cis-c");
	t = reading(v);
	assert_ok(view_list(&v->view, t, RECORD_ENTITY, "", 0, false, 2, 100000, &v->f->arena, rows,
			    &count, &more));
	assert_int_equal(count, 2);
	assert_true(more);
	assert_ok(view_list(&v->view, t, RECORD_ENTITY, "pl26-cis-b", 0, false, 2, 100000,
			    &v->f->arena, rows, &count, &more));
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].change.id, "pl26-cis-d");
	assert_false(more); /* exactly at the end */
	assert_ok(view_list(&v->view, t, RECORD_ENTITY, "pl26-cis-b", 0, true, 8, 100000,
			    &v->f->arena, rows, &count, &more));
	assert_int_equal(count, 3);
	assert_true(rows[0].change.retired);
	assert_ok(view_list(&v->view, t, RECORD_ENTITY, "", 0, true, 8, 1, &v->f->arena, rows,
			    &count, &more));
	assert_int_equal(count, 1); /* never none, whatever its size */
	assert_true(more);
	assert_ok(view_list(&v->view, t, RECORD_ENTITY, "", 5, false, 8, 100000, &v->f->arena, rows,
			    &count, &more));
	assert_int_equal(count, 5); /* before it was retired */
	assert_ok(view_list(&v->view, t, RECORD_ENTITY, "", 3, false, 8, 100000, &v->f->arena, rows,
			    &count, &more));
	assert_int_equal(count, 3); /* before the others came */
	assert_ok(view_list(&v->view, t, RECORD_NETWORK, "", 0, true, 8, 100000, &v->f->arena, rows,
			    &count, &more));
	assert_int_equal(count, 0);
	txn_abort(t);
	done(v);
}

static void what_a_list_passes_over_takes_no_memory(void **state)
{
	struct viewed *v = new_view(*state);
	struct arena small = {.limit_bytes = 100 * 1024};
	struct version rows[8];
	struct txn *t = NULL;
	size_t count = 0;
	bool more = true;

	put_record(v, entity(v, "pl26-cis-a", "CIS", "first"));
	for (int i = 0; i < 500; i++) {
		char id[32];

		(void)snprintf(id, sizeof id, "pl26-cis-%03d", i);
		put_record(v, entity(v, id, "CIS", "later"));
	}
	t = reading(v);
	assert_ok(view_list(&v->view, t, RECORD_ENTITY, "", 1, false, 8, 100000, &small, rows,
			    &count, &more));
	txn_abort(t);
	assert_int_equal(count, 1);
	assert_false(more);
	assert_string_equal(column(&rows[0], "name"), "first");
	arena_free(&small);
	done(v);
}

static void an_abandoned_fold_leaves_nothing(void **state)
{
	struct viewed *v = new_view(*state);
	struct change c = put_change(entity(v, "pl26-cis-a", "CIS", "a"));
	struct event e = event_of(&c, 1);
	struct txn *t = NULL;

	assert_ok(txn_begin(v->f->store, true, &t));
	assert_ok(view_fold_event(v->fold, &v->view, t, 0, name_of("26"), 0, &e));
	txn_abort(t);
	view_fold_abandon(v->fold);
	put_record(v, entity(v, "pl26-cis-b", "CIS", "b"));
	assert_int_equal(count_of(v, "entities,PL,,"), 1);
	assert_null(name_at(v, "pl26-cis-a", 0));
	done(v);
}

static void a_view_of_another_format_is_not_opened(void **state)
{
	struct viewed *v = new_view(*state);
	uint8_t raw[8] = {0, 0, 0, 0, 0, 0, 0, 99};
	struct view again;
	struct txn *t = NULL;

	assert_ok(view_open(v->f->store, false, &again));
	assert_ok(txn_begin(v->f->store, true, &t));
	assert_ok(txn_put(t, v->view.state, bytes_of_text("format"), bytes_of(raw, sizeof raw)));
	assert_ok(txn_commit(t));
	assert_err(view_open(v->f->store, false, &again), ERR_VERSION);
	assert_err(view_open(v->f->store, true, &again), ERR_VERSION);
	done(v);
}

/* ---- counts ---- */

static void a_membership_counts_whichever_comes_first(void **state)
{
	struct viewed *v = new_view(*state);

	put_record(v, membership(v, "pl26-net-x", "pl26-cis-a"));
	assert_int_equal(count_of(v, "entities_in_a_regional_network,PL,,"), 1);
	assert_int_equal(count_of(v, "entities_in_a_regional_network,26,CIS,"), 0);
	put_record(v, entity(v, "pl26-cis-a", "CIS", "a"));
	assert_int_equal(count_of(v, "entities_in_a_regional_network,26,CIS,"), 1);
	put_record(v, membership(v, "pl26-net-y", "pl26-cis-a"));
	put_record(v, membership(v, "pl-net-z", "pl26-cis-a"));
	assert_int_equal(count_of(v, "entities_in_a_regional_network,26,CIS,"), 1);
	assert_int_equal(count_of(v, "entities_in_a_regional_network,PL,,"), 1);
	put_record(v, entity(v, "pl26-cis-a", "KIS", "a"));
	assert_int_equal(count_of(v, "entities_in_a_regional_network,26,CIS,"), 0);
	assert_int_equal(count_of(v, "entities_in_a_regional_network,26,KIS,"), 1);
	retire(v, RECORD_MEMBERSHIP, "pl26-net-x--pl26-cis-a");
	assert_int_equal(count_of(v, "entities_in_a_regional_network,26,KIS,"), 1);
	retire(v, RECORD_MEMBERSHIP, "pl26-net-y--pl26-cis-a");
	assert_int_equal(count_of(v, "entities_in_a_regional_network,26,KIS,"), 0);
	assert_int_equal(count_of(v, "entities_in_a_regional_network,PL,,"), 0);
	assert_int_equal(count_of(v, "memberships,PL,,all"), 1);
	put_record(v, membership(v, "pl24-net-q", "pl26-cis-a"));
	assert_int_equal(count_of(v, "entities_in_a_regional_network,26,KIS,"), 1);
	retire(v, RECORD_ENTITY, "pl26-cis-a");
	assert_int_equal(count_of(v, "entities_in_a_regional_network,26,KIS,"), 0);
	assert_int_equal(count_of(v, "entities_in_a_regional_network,PL,,"), 1);
	done(v);
}

static void claim(struct viewed *v, const char *id, const char *reporter, const char *value)
{
	put_record(v,
		   record_with(&v->f->arena, RECORD_STATISTIC, "id", id, "kind", "CIS", "measure",
			       "active_count", "reported_by", reporter, "value", value, NULL));
}

static void claims_conflict_when_reporters_and_values_differ(void **state)
{
	struct viewed *v = new_view(*state);
	const char *row = "statistics_in_conflict,32,,active_count";

	claim(v, "st-32-1", "ROPS", "6");
	claim(v, "st-32-2", "ROPS", "7"); /* a series, not a conflict */
	assert_int_equal(count_of(v, row), 0);
	claim(v, "st-32-3", "UW", "7");
	assert_int_equal(count_of(v, row), 1);
	claim(v, "st-32-1", "ROPS", "7");
	assert_int_equal(count_of(v, row), 0);
	claim(v, "st-32-3", "UW", "11");
	assert_int_equal(count_of(v, row), 1);
	retire(v, RECORD_STATISTIC, "st-32-3");
	assert_int_equal(count_of(v, row), 0);
	claim(v, "st-pl-1", "A", "1"); /* of the ministry: no region's conflict */
	claim(v, "st-pl-2", "B", "2");
	assert_int_equal(count_of(v, "statistics_in_conflict,PL,,active_count"), 0);
	assert_int_equal(count_of(v, "statistics,PL,,all"), 4);
	done(v);
}

static void what_looks_wrong_is_counted_not_refused(void **state)
{
	struct viewed *v = new_view(*state);
	char *wide = arena_alloc(&v->f->arena, FIELD_BYTES_MAX + 1);
	struct change odd[] = {
		{.id = "pl26-new-kind", .kind = RECORD_NONE},
		{.id = "pl26-cis-a", .kind = RECORD_NONE, .retired = true},
	};
	struct record *r = NULL;

	assert_non_null(wide);
	memset(wide, 'x', FIELD_BYTES_MAX);
	wide[FIELD_BYTES_MAX] = 0;
	fold_changes(v, odd, 2);
	assert_int_equal(count_of(v, "changes_of_unknown_kind,PL,,all"), 2);
	retire(v, RECORD_ENTITY, "pl26-cis-never-was");
	put_record(v, record_with(&v->f->arena, RECORD_ENTITY, "id", "somewhere", "region", "99",
				  "kind", wide, "status", wide, NULL));
	assert_int_equal(count_of(v, "entities,99,,"), 1);
	assert_int_equal(count_of(v, "entities,PL,,"), 1);
	r = record_with(&v->f->arena, RECORD_MEMBERSHIP, "id", "pl26-net-a--b", "network_id", wide,
			"entity_id", wide, NULL);
	put_record(v, r);
	retire(v, RECORD_ENTITY, "somewhere");
	retire(v, RECORD_MEMBERSHIP, "pl26-net-a--b");
	assert_int_equal(count_of(v, "entities,99,,"), 0);
	assert_int_equal(count_of(v, "entities,PL,,"), 0);
	assert_int_equal(count_of(v, "memberships,PL,,all"), 0);
	done(v);
}

/* ---- the real register ---- */

static void fold_sample(struct viewed *v, const char *plural)
{
	const struct kind *kind = kind_named(plural);
	struct cursor c = cursor_of(sample(v->f, plural));
	struct buf cell = {.data = NULL};

	while (!read_cell(&c, &cell))
		continue; /* the header: the columns' order is that of the schema */
	while (cursor_left(&c)) {
		struct record *r = record_new(&v->f->arena, kind->kind);
		size_t field = 0;

		assert_non_null(r);
		for (bool last = false; !last; field++) {
			last = read_cell(&c, &cell);
			assert_ok(record_set(r, &v->f->arena, field, buf_bytes(&cell)));
		}
		assert_int_equal(field, kind->field_count);
		put_record(v, r);
	}
	buf_free(&cell);
}

static bool is_of_the_view(const char *metric)
{
	static const char *const others[] = {"entities_by_as_of",
					     "entities_ksr_pilot",
					     "powiaty",
					     "entities_by_operator",
					     "statistics_sum_over_regions",
					     "quarantine",
					     "discrepancies",
					     "quarantine_units"};

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		if (strcmp(metric, others[i]) == 0)
			return false;
	}
	return true;
}

static void the_real_register_gives_the_counts_worked_out_beside_it(void **state)
{
	struct viewed *v = new_view(*state);
	struct cursor c;
	struct buf cell = {.data = NULL};
	struct count *rows = NULL;
	struct txn *t = NULL;
	size_t count = 0;
	size_t expected = 0;

	fold_sample(v, "statistics");
	fold_sample(v, "memberships");
	fold_sample(v, "networks");
	fold_sample(v, "entities");
	fold_sample(v, "operators");
	t = reading(v);
	all_counts(&v->view, t, &v->f->arena, &rows, &count);
	c = cursor_of(sample(v->f, "expectations"));
	while (!read_cell(&c, &cell))
		continue;
	while (cursor_left(&c)) {
		char text[5][200];
		char row[ROW_BYTES * 2];

		for (size_t i = 0; i < 5; i++) {
			assert_int_equal(read_cell(&c, &cell), i == 4);
			(void)snprintf(text[i], sizeof text[i], "%s", buf_text(&cell));
		}
		if (!is_of_the_view(text[0]))
			continue;
		(void)snprintf(row, sizeof row, "%s,%s,%s,%s", text[0], text[1], text[2], text[3]);
		if (kept_count(rows, count, row) != strtoll(text[4], NULL, 10))
			fail_msg("%s should be %s", row, text[4]);
		expected += strcmp(text[4], "0") != 0;
	}
	buf_free(&cell);
	assert_true(expected > 100);
	assert_int_equal(count, expected);
	assert_counts_are_right(&v->view, t, &v->f->arena, "the real register");
	txn_abort(t);
	done(v);
}

/* ---- a register that changes at random ---- */

enum { ENTRIES = 40, EVENTS_MOST = ENTRIES * 4, SEEDS = 12 };

/* What was folded, and how the register stood after each entry. */
struct story {
	struct {
		uint64_t position;
		struct bytes event;
	} events[EVENTS_MOST];
	size_t count;
	struct listing standing[ENTRIES + 1][RECORD_KIND_LAST + 1];
};

/* One entry of one to four events. */
static void fold_random_entry(struct viewed *v, struct world *w, struct story *s)
{
	struct event events[4];
	size_t count = 1 + world_random(w, 4);

	for (size_t i = 0; i < count; i++) {
		events[i] = world_event(w);
		s->events[s->count].position = v->position;
		s->events[s->count++].event = encoded(v->f, &events[i]);
	}
	fold_entry_of(v, events, count);
}

static void assert_same_listing(const struct listing *a, const struct listing *b, const char *when)
{
	if (a->count != b->count)
		fail_msg("%s: %zu records, then %zu", when, a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct version *x = &a->rows[i];
		const struct version *y = &b->rows[i];

		if (strcmp(x->change.id, y->change.id) != 0 || x->index != y->index ||
		    x->position != y->position || x->change.retired != y->change.retired ||
		    (x->change.record && !record_same(x->change.record, y->change.record)))
			fail_msg("%s: %s of event %llu, then %s of event %llu", when, x->change.id,
				 (unsigned long long)x->index, y->change.id,
				 (unsigned long long)y->index);
	}
}

static void assert_the_past_stands(struct viewed *v, struct story *s, uint64_t seed)
{
	struct txn *t = reading(v);
	char when[100];

	for (uint64_t at = 1; at <= ENTRIES; at++) {
		for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++) {
			struct listing now =
				list_all(&v->view, t, &v->f->arena, (enum record_kind)k, at, true);

			(void)snprintf(when, sizeof when, "seed %llu, as of %llu, kind %d",
				       (unsigned long long)seed, (unsigned long long)at, k);
			assert_same_listing(&s->standing[at][k], &now, when);
			free(now.rows);
			free(s->standing[at][k].rows);
		}
	}
	txn_abort(t);
}

static void assert_same_table(struct txn *a, struct table x, struct txn *b, struct table y,
			      uint64_t seed)
{
	struct scan *left = NULL;
	struct scan *right = NULL;
	struct bytes key[2];
	struct bytes value[2];
	enum err e = ERR_OK;

	assert_ok(scan_open(a, x, &left));
	assert_ok(scan_open(b, y, &right));
	while ((e = scan_next(left, &key[0], &value[0])) == ERR_OK) {
		if (scan_next(right, &key[1], &value[1]) != ERR_OK ||
		    !bytes_equal(key[0], key[1]) || !bytes_equal(value[0], value[1]))
			fail_msg("seed %llu: folded anew, the view is another",
				 (unsigned long long)seed);
	}
	assert_err(e, ERR_NOT_FOUND);
	assert_err(scan_next(right, &key[1], &value[1]), ERR_NOT_FOUND);
	scan_close(left);
	scan_close(right);
}

/* The same events, decoded again and folded into an empty view in one batch. */
static void assert_folds_anew(struct viewed *v, const struct story *s, uint64_t seed)
{
	struct fixture other;
	struct viewed *anew = NULL;
	struct txn *a = NULL;
	struct txn *b = NULL;

	fixture_start(&other);
	anew = new_view(&other);
	assert_ok(txn_begin(other.store, true, &b));
	for (size_t i = 0; i < s->count; i++) {
		struct event e;

		assert_ok(event_decode(s->events[i].event, &other.arena, &e));
		assert_ok(view_fold_event(anew->fold, &anew->view, b, s->events[i].position,
					  name_of("26"), i, &e));
	}
	assert_ok(view_fold_finish(anew->fold, &anew->view, b, v->position));
	assert_ok(txn_commit(b));
	a = reading(v);
	b = reading(anew);
	assert_same_table(a, v->view.records, b, anew->view.records, seed);
	assert_same_table(a, v->view.versions, b, anew->view.versions, seed);
	assert_same_table(a, v->view.counts, b, anew->view.counts, seed);
	assert_same_table(a, v->view.links, b, anew->view.links, seed);
	assert_same_table(a, v->view.changes, b, anew->view.changes, seed);
	assert_same_table(a, v->view.state, b, anew->view.state, seed);
	txn_abort(a);
	txn_abort(b);
	done(anew);
	fixture_stop(&other);
}

static void tell_one_story(uint64_t seed)
{
	struct fixture f;
	struct viewed *v = NULL;
	struct world w = {.state = seed};
	struct story *s = calloc(1, sizeof *s);
	char when[100];

	assert_non_null(s);
	fixture_start(&f);
	v = new_view(&f);
	w.arena = &f.arena;
	while (v->position < ENTRIES) {
		struct txn *t = NULL;

		fold_random_entry(v, &w, s);
		t = reading(v);
		(void)snprintf(when, sizeof when, "seed %llu, after entry %llu",
			       (unsigned long long)seed, (unsigned long long)v->position - 1);
		assert_counts_are_right(&v->view, t, &f.arena, when);
		for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++)
			s->standing[v->position][k] =
				list_all(&v->view, t, &f.arena, (enum record_kind)k, 0, true);
		txn_abort(t);
	}
	assert_the_past_stands(v, s, seed);
	assert_folds_anew(v, s, seed);
	done(v);
	free(s);
	fixture_stop(&f);
}

static void at_random_counts_past_and_folding_anew_agree(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		tell_one_story(seed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_record_is_created_changed_and_retired),
		TEST(ids_that_begin_alike_do_not_mix),
		TEST(events_of_one_entry_share_its_position),
		TEST(an_entry_of_more_versions_than_a_page_holds_is_read_whole),
		TEST(a_list_is_paged_by_number_and_by_bytes),
		TEST(what_a_list_passes_over_takes_no_memory),
		TEST(an_abandoned_fold_leaves_nothing),
		TEST(a_view_of_another_format_is_not_opened),
		TEST(a_membership_counts_whichever_comes_first),
		TEST(claims_conflict_when_reporters_and_values_differ),
		TEST(what_looks_wrong_is_counted_not_refused),
		TEST(the_real_register_gives_the_counts_worked_out_beside_it),
		cmocka_unit_test(at_random_counts_past_and_folding_anew_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
