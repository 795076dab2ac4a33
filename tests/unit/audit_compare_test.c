/* Two servers in small, which hold the same logs in other portions, or do not. */
#include "audit_verify_fixture.h"

#include "audit/compare.h"
#include "audit/view_rows.h"

struct pair {
	struct audit *sides[2];
	struct view_rows *rows[2];
	struct verify_rows functions[2];
	struct compare_report report;
	int failed;
};

/* The second one took the same events in other commits: its positions are its own. */
static int pair_setup(void **state)
{
	struct pair *p = calloc(1, sizeof *p);

	assert_non_null(p);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(audit_setup((void **)&p->sides[i]), 0);
		assert_ok(view_rows_open(p->sides[i]->store, &p->rows[i]));
		p->functions[i] = view_rows_functions(p->rows[i]);
	}
	party_make(&p->sides[1]->n->server, REALM "/national/zapas", KEY_ED25519, 98);
	for (int k = 0; k < 30; k++)
		commit(p->sides[0], 1);
	commit(p->sides[1], 30);
	fold_all(p->sides[0]);
	fold_all(p->sides[1]);
	*state = p;
	return 0;
}

static int pair_teardown(void **state)
{
	struct pair *p = *state;

	for (int i = 0; i < 2; i++) {
		void *a = p->sides[i];

		view_rows_close(p->rows[i]);
		assert_int_equal(audit_teardown(&a), 0);
	}
	free(p);
	return 0;
}

static enum err run(struct pair *p)
{
	const struct compare_side sides[2] = {{&p->sides[0]->n->source, &p->functions[0]},
					      {&p->sides[1]->n->source, &p->functions[1]}};

	return compare_run(sides, &p->report, &p->failed);
}

static enum compare_state state_of(const struct pair *p, const char *log)
{
	for (size_t i = 0; i < p->report.log_count; i++)
		if (!strcmp(p->report.logs[i].log.text, log))
			return p->report.logs[i].state;
	fail_msg("no log %s", log);
	return COMPARE_OTHER;
}

static void same_logs_in_other_portions_are_equal(void **state)
{
	struct pair *p = *state;

	assert_ok(run(p));
	assert_int_not_equal(p->report.position[0], p->report.position[1]);
	assert_int_equal(state_of(p, "26"), COMPARE_EQUAL);
	assert_int_equal(state_of(p, "national"), COMPARE_OWN);
	assert_true(p->report.viewed);
	assert_true(p->report.equal);
	assert_int_equal(p->report.differing, 0);
	assert_int_equal(p->report.records[0], 100); /* retired ones too */
	assert_true(hash_equal(p->report.records_digest[0], p->report.records_digest[1]));
	assert_int_equal(p->report.region_count, 2); /* 26 and the nation */
	assert_true(p->report.regions[0].rows[0] > 0);
}

static void who_is_behind_is_named_with_the_records_that_differ(void **state)
{
	struct pair *p = *state;

	commit(p->sides[1], 3);
	fold_all(p->sides[1]);
	assert_ok(run(p));
	assert_false(p->report.equal);
	assert_int_equal(state_of(p, "26"), COMPARE_B_AHEAD);
	assert_int_equal(p->report.differing, 3);
	assert_int_equal(p->report.first_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(p->report.first[i].there[0] && p->report.first[i].there[1]);
		assert_true(p->report.first[i].index[1] >= EVENTS + 30);
		assert_true(p->report.first[i].index[0] < EVENTS + 30);
		assert_int_equal(p->report.first[i].kind, RECORD_ENTITY);
	}
	assert_false(hash_equal(p->report.records_digest[0], p->report.records_digest[1]));
}

static void two_histories_are_no_lead(void **state)
{
	struct pair *p = *state;
	struct bytes other[] = {entity_event(p->sides[0], 5000)};
	struct bytes more[] = {entity_event(p->sides[1], 6000), entity_event(p->sides[1], 6001)};

	nation_commit(p->sides[0]->n, other, 1);
	nation_commit(p->sides[1]->n, more, 2);
	fold_all(p->sides[0]);
	fold_all(p->sides[1]);
	assert_ok(run(p));
	assert_false(p->report.equal);
	assert_int_equal(state_of(p, "26"), COMPARE_FORK);
}

static void a_view_behind_its_logs_is_waited_for(void **state)
{
	struct pair *p = *state;

	commit(p->sides[1], 3);
	assert_err(run(p), ERR_AGAIN);
	assert_int_equal(p->failed, 1);
	assert_true(p->report.position[1] < p->report.size[1]);
}

static struct pair *moving;
static struct verify_rows still;

static enum err page_and_move(void *context, const char *table, struct bytes after,
			      const struct stored_row **ret, size_t *ret_count)
{
	if (moving) {
		commit(moving->sides[0], 1);
		moving = NULL;
	}
	return still.page(context, table, after, ret, ret_count);
}

static void what_moves_while_it_is_read_is_compared_again(void **state)
{
	struct pair *p = *state;

	still = p->functions[0];
	p->functions[0].page = page_and_move;
	moving = p;
	assert_err(run(p), ERR_AGAIN);
	assert_int_equal(p->failed, 0);
	fold_all(p->sides[0]);
	commit(p->sides[1], 1);
	fold_all(p->sides[1]);
	assert_ok(run(p));
	assert_true(p->report.equal);
}

/* In the first row of the table that holds `text`, the text's first byte becomes another; without a
 * text, the last byte of the first row.  Returns the row's key. */
static struct bytes spoil_row(struct audit *a, struct table table, const char *text)
{
	struct txn *t = NULL;
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	struct buf changed = {0};
	const uint8_t *at = NULL;

	assert_ok(txn_begin(a->store, true, &t));
	assert_ok(scan_open(t, table, &scan));
	do {
		assert_ok(scan_next(scan, &key, &value));
		at = text ? memmem(value.data, value.size, text, strlen(text))
			  : value.data + value.size - 1;
	} while (!at);
	key = kept(a->n, key);
	buf_add_bytes(&changed, value);
	changed.data[at - value.data] ^= 'N' ^ 'n';
	scan_close(scan);
	assert_ok(txn_put(t, table, key, buf_bytes(&changed)));
	assert_ok(txn_commit(t));
	buf_free(&changed);
	return key;
}

/* One byte of the record's name in the stored view, whatever the logs say. */
static void what_a_view_says_otherwise_shows_in_its_digest(void **state)
{
	struct pair *p = *state;
	struct audit *a = p->sides[1];
	struct bytes key = spoil_row(a, a->view.records, "name ");

	assert_ok(run(p));
	assert_false(p->report.equal);
	assert_int_equal(p->report.differing, 1);
	assert_memory_equal(p->report.first[0].id, key.data + 1, key.size - 1);
	assert_int_equal(state_of(p, "26"), COMPARE_EQUAL);
}

/* The records are the same; a count is another than they give. */
static void a_count_that_differs_shows_in_its_regions_digest(void **state)
{
	struct pair *p = *state;
	struct audit *a = p->sides[1];
	size_t differing = 0;

	(void)spoil_row(a, a->view.counts, NULL);
	assert_ok(run(p));
	assert_false(p->report.equal);
	assert_int_equal(p->report.differing, 0);
	for (size_t i = 0; i < p->report.region_count; i++)
		differing +=
			!hash_equal(p->report.regions[i].digest[0], p->report.regions[i].digest[1]);
	assert_int_equal(differing, 1);
}

static void without_a_view_the_logs_alone_are_compared(void **state)
{
	struct pair *p = *state;
	const struct compare_side sides[2] = {{&p->sides[0]->n->source, &p->functions[0]},
					      {&p->sides[1]->n->source, NULL}};

	assert_ok(compare_run(sides, &p->report, &p->failed));
	assert_false(p->report.viewed);
	assert_true(p->report.equal);
	commit(p->sides[0], 1);
	assert_ok(compare_run(sides, &p->report, &p->failed));
	assert_int_equal(state_of(p, "26"), COMPARE_A_AHEAD);
	assert_false(p->report.equal);
}

int main(void)
{
#define WITH_PAIR(f) cmocka_unit_test_setup_teardown(f, pair_setup, pair_teardown)
	const struct CMUnitTest tests[] = {
		WITH_PAIR(same_logs_in_other_portions_are_equal),
		WITH_PAIR(who_is_behind_is_named_with_the_records_that_differ),
		WITH_PAIR(two_histories_are_no_lead),
		WITH_PAIR(a_view_behind_its_logs_is_waited_for),
		WITH_PAIR(what_moves_while_it_is_read_is_compared_again),
		WITH_PAIR(what_a_view_says_otherwise_shows_in_its_digest),
		WITH_PAIR(a_count_that_differs_shows_in_its_regions_digest),
		WITH_PAIR(without_a_view_the_logs_alone_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
