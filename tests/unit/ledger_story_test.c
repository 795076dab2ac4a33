/* A register that changes at random: after each entry its counts are recounted, in the end each
 * position of the past is asked for again, and all is folded anew. */
#include "ledger_viewed.h"
#include "ledger_world.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_random_counts_past_and_folding_anew_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
