#include "register_support.h"

/* 2026-10-01, 2026-11-01 and 2027-01-01 in Warsaw */
static const struct wall_ms october = {1790805600000}, november = {1793487600000},
			    january = {1798758000000};

struct story {
	struct fixture f;
	struct movements *m;
};

static void begin(struct story *s)
{
	fixture_open(&s->f);
	assert_ok(movements_new(&s->m));
	s->f.now = november;
}

static void end(struct story *s)
{
	movements_free(s->m);
	fixture_close(&s->f);
}

static void happens(struct story *s, struct version v)
{
	assert_ok(movements_note(s->m, s->f.catalog, &v));
	assert_ok(catalog_put(s->f.catalog, &v));
	arena_reset(&s->f.records);
}

static void says(struct story *s, enum record_kind kind, const char *id, ...)
{
	va_list pairs;
	struct version v;

	va_start(pairs, id);
	v = version_with(&s->f, kind, id, pairs);
	va_end(pairs);
	happens(s, v);
}

static void goes(struct story *s, enum record_kind kind, const char *id)
{
	happens(s, version_of(&s->f, id, kind, NULL));
}

/* "new:1 edited:2": what happened in the quarter; what did not is left out. */
static const char *quarter(struct story *s, const char *region)
{
	struct buf text = {.data = NULL};
	const char *kept = NULL;

	for (int i = 0; i < MOVEMENT_COUNT; i++) {
		enum movement what = (enum movement)i;
		uint64_t sum = movements_sum(s->m, what, region, october, january);

		if (sum)
			buf_printf(&text, "%s%s:%llu", text.size ? " " : "", movement_name(what),
				   (unsigned long long)sum);
	}
	kept = arena_text(&s->f.answers, buf_bytes(&text));
	buf_free(&text);
	return kept;
}

static void an_entity_comes_moves_and_ends(void **state)
{
	struct story s;

	(void)state;
	begin(&s);
	says(&s, RECORD_ENTITY, "pl26-kis-a", "name", "A", "place", "Kielce", NULL);
	assert_string_equal(quarter(&s, NULL), "new:1");
	says(&s, RECORD_ENTITY, "pl26-kis-a", "name", "A", "place", "Nowiny", NULL);
	assert_string_equal(quarter(&s, NULL), "new:1 moved:1");
	says(&s, RECORD_ENTITY, "pl26-kis-a", "name", "A", "place", "Nowiny", "status", "ceased",
	     NULL);
	assert_string_equal(quarter(&s, NULL), "new:1 ended:1 moved:1");
	goes(&s, RECORD_ENTITY, "pl26-kis-a"); /* it had ended before */
	assert_string_equal(quarter(&s, NULL), "new:1 ended:1 moved:1 edited:1");
	says(&s, RECORD_ENTITY, "pl26-kis-b", "status", "active", NULL);
	goes(&s, RECORD_ENTITY, "pl26-kis-b");
	assert_string_equal(quarter(&s, NULL), "new:2 ended:2 moved:1 edited:1");
	end(&s);
}

static void learning_an_address_or_an_operator_is_no_move(void **state)
{
	struct story s;

	(void)state;
	begin(&s);
	says(&s, RECORD_ENTITY, "pl26-kis-a", "name", "A", NULL);
	says(&s, RECORD_ENTITY, "pl26-kis-a", "name", "A", "place", "Kielce", "gmina", "2661011",
	     "operator_id", "pl26-op-a", NULL);
	assert_string_equal(quarter(&s, NULL), "new:1 edited:1");
	says(&s, RECORD_ENTITY, "pl26-kis-a", "name", "A", "place", "Kielce", "gmina", "2604102",
	     "operator_id", "pl26-op-b", NULL);
	assert_string_equal(quarter(&s, NULL), "new:1 moved:1 operator_changed:1 edited:1");
	end(&s);
}

static void a_membership_is_joined_and_left(void **state)
{
	static const char id[] = "pl26-net-k--pl26-kis-a";
	struct story s;

	(void)state;
	begin(&s);
	says(&s, RECORD_MEMBERSHIP, id, "role", "member", NULL);
	says(&s, RECORD_MEMBERSHIP, id, "role", "chair", NULL);
	assert_string_equal(quarter(&s, NULL), "joined:1 edited:1");
	says(&s, RECORD_MEMBERSHIP, id, "role", "chair", "until", "2026-11-02", NULL);
	assert_string_equal(quarter(&s, NULL), "joined:1 left:1 edited:1");
	goes(&s, RECORD_MEMBERSHIP, id);
	assert_string_equal(quarter(&s, NULL), "joined:1 left:1 edited:2");
	says(&s, RECORD_MEMBERSHIP, "pl26-net-k--pl26-kis-b", "until", "2019", NULL);
	assert_string_equal(quarter(&s, NULL), "joined:1 left:1 edited:3"); /* of the past */
	says(&s, RECORD_MEMBERSHIP, "pl26-net-k--pl26-kis-c", "role", "member", NULL);
	goes(&s, RECORD_MEMBERSHIP, "pl26-net-k--pl26-kis-c");
	assert_string_equal(quarter(&s, NULL), "joined:2 left:2 edited:3");
	end(&s);
}

static void what_changes_nothing_is_not_counted(void **state)
{
	struct story s;

	(void)state;
	begin(&s);
	says(&s, RECORD_OPERATOR, "pl26-op-a", "name", "A", NULL);
	says(&s, RECORD_OPERATOR, "pl26-op-a", "name", "A", NULL);
	goes(&s, RECORD_OPERATOR, "pl26-op-never");
	assert_string_equal(quarter(&s, NULL), "edited:1");
	happens(&s, version_of(&s.f, "pl26-x-a", (enum record_kind)99, NULL));
	assert_string_equal(quarter(&s, NULL), "edited:1");
	end(&s);
}

static void regions_and_quarters_are_told_apart(void **state)
{
	struct story s;

	(void)state;
	begin(&s);
	s.f.now = (struct wall_ms){october.ms - 1};
	says(&s, RECORD_ENTITY, "pl26-kis-before", "name", "A", NULL);
	s.f.now = october;
	says(&s, RECORD_ENTITY, "pl26-kis-first", "name", "A", NULL);
	s.f.now = (struct wall_ms){january.ms - 1};
	says(&s, RECORD_ENTITY, "pl10-kis-last", "name", "A", NULL);
	s.f.now = january;
	says(&s, RECORD_ENTITY, "pl10-kis-after", "name", "A", NULL);
	s.f.now = november;
	says(&s, RECORD_ENTITY, "of-nobody", "name", "A", NULL);
	says(&s, RECORD_STATISTIC, "st-pl-a", "value", "1", NULL);
	assert_string_equal(quarter(&s, NULL), "new:3 edited:1");
	assert_string_equal(quarter(&s, "26"), "new:1");
	assert_string_equal(quarter(&s, "10"), "new:1");
	assert_string_equal(quarter(&s, "PL"), "edited:1");
	assert_string_equal(quarter(&s, "12"), "");
	assert_string_equal(quarter(&s, "no region"), "");
	assert_int_equal(movements_sum(s.m, MOVEMENT_NEW, NULL, january, october), 0);
	assert_int_equal(
		movements_sum(s.m, MOVEMENT_NEW, "26", (struct wall_ms){october.ms + 1}, january),
		0);
	assert_int_equal(movements_sum(s.m, MOVEMENT_NEW, NULL, (struct wall_ms){INT64_MIN},
				       (struct wall_ms){INT64_MAX}),
			 5);
	end(&s);
}

/* Hours in any order, as clocks of seventeen offices may be; each is counted once. */
static void events_out_of_order_are_counted_in_their_hours(void **state)
{
	enum { EVENTS = 5000, HOURS = 3000 };
	static unsigned by_hour[HOURS];
	struct story s;
	uint64_t chance = seed_of_run();
	char id[32];

	(void)state;
	begin(&s);
	for (unsigned i = 0; i < EVENTS; i++) {
		unsigned hour = (unsigned)any(&chance, HOURS);

		by_hour[hour]++;
		s.f.now.ms = october.ms + (int64_t)hour * 3600000 + (int64_t)any(&chance, 3600000);
		(void)snprintf(id, sizeof id, "pl26-kis-%u", i);
		says(&s, RECORD_ENTITY, id, "name", "A", NULL);
	}
	for (int i = 0; i < 200; i++) {
		unsigned from = (unsigned)any(&chance, HOURS);
		unsigned to = from + (unsigned)any(&chance, HOURS - from);
		uint64_t expected = 0;

		for (unsigned h = from; h < to; h++)
			expected += by_hour[h];
		assert_int_equal(
			movements_sum(s.m, MOVEMENT_NEW, "26",
				      (struct wall_ms){october.ms + from * INT64_C(3600000)},
				      (struct wall_ms){october.ms + to * INT64_C(3600000)}),
			expected);
	}
	s.f.now.ms = INT64_MIN; /* a clock that is quite wrong */
	says(&s, RECORD_ENTITY, "pl26-kis-early", "name", "A", NULL);
	s.f.now.ms = INT64_MAX;
	says(&s, RECORD_ENTITY, "pl26-kis-late", "name", "A", NULL);
	assert_in_range(movements_memory(s.m), 1, 256 * 1024);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entity_comes_moves_and_ends),
		cmocka_unit_test(learning_an_address_or_an_operator_is_no_move),
		cmocka_unit_test(a_membership_is_joined_and_left),
		cmocka_unit_test(what_changes_nothing_is_not_counted),
		cmocka_unit_test(regions_and_quarters_are_told_apart),
		cmocka_unit_test(events_out_of_order_are_counted_in_their_hours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
