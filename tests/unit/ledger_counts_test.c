/* Counts that are kept right as they fold: of records made for it, and of the real register. */
#include "ledger_sample.h"
#include "ledger_viewed.h"

static struct record *membership(struct viewed *v, const char *network, const char *member)
{
	char id[ID_BYTES_MAX + 1];

	(void)snprintf(id, sizeof id, "%s--%s", network, member);
	return record_with(&v->f->arena, RECORD_MEMBERSHIP, "id", id, "network_id", network,
			   "entity_id", member, NULL);
}

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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_membership_counts_whichever_comes_first),
		TEST(claims_conflict_when_reporters_and_values_differ),
		TEST(what_looks_wrong_is_counted_not_refused),
		TEST(the_real_register_gives_the_counts_worked_out_beside_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
