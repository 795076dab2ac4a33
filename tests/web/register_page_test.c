/* Pages of a list that changes while it is read. */
#include "register_support.h"

enum { RECORDS = 300 };

static const char *const sorts[] = {"name",
				    "-name",
				    "id",
				    "-id",
				    "registered_on",
				    "-place",
				    "place",
				    "-status",
				    "status",
				    "participants_total",
				    "-participants_total"};

/* Values that many records share, that few share, and none. */
static void put_any(struct fixture *f, uint64_t *chance, const char *id)
{
	static const char *const places[] = {"", "Łódź", "Lublin", "Ćmielów", "Żary", "Nowiny"};
	static const char *const dates[] = {"", "2016", "2016-03", "2016-03-14", "2019-12-31"};
	static const char *const numbers[] = {"", "9", "9.0", "100", "-3", "około 6"};
	static const char *const statuses[] = {"", "active", "ceased"};
	char name[64];

	(void)snprintf(name, sizeof name, "%s %u", any(chance, 2) ? "Klub" : "Łączka",
		       (unsigned)any(chance, 40));
	put(f, RECORD_ENTITY, id, "name", any(chance, 10) ? name : "", "place",
	    places[any(chance, 6)], "registered_on", dates[any(chance, 5)], "participants_total",
	    numbers[any(chance, 6)], "status", statuses[any(chance, 3)], "region", "26", NULL);
}

static const char *id_of(uint64_t number)
{
	static char id[32];

	(void)snprintf(id, sizeof id, "pl26-kis-%u", (unsigned)number);
	return id;
}

struct reading {
	bool stays[RECORDS]; /* never touched while it is read */
	unsigned seen[RECORDS];
	unsigned pages;
};

/* Between two pages: records come, change their place in the order, and go; but those that stay
 * are left alone. */
static void disturb(struct fixture *f, uint64_t *chance, const struct reading *r)
{
	for (int i = 0; i < 12; i++) {
		uint64_t number = any(chance, RECORDS);

		if (any(chance, 3) == 0)
			put_any(f, chance, id_of(RECORDS + any(chance, RECORDS)));
		else if (r->stays[number])
			continue;
		else if (any(chance, 2))
			put_any(f, chance, id_of(number));
		else
			retire(f, RECORD_ENTITY, id_of(number));
	}
}

static void note_page(struct fixture *f, struct reading *r, const struct query_result *page)
{
	for (size_t i = 0; i < page->row_count; i++) {
		const char *id = catalog_text(f->catalog, RECORD_ENTITY, page->rows[i], 0);
		unsigned long number = strtoul(id + strlen("pl26-kis-"), NULL, 10);

		if (number < RECORDS)
			r->seen[number]++;
	}
	r->pages++;
}

static void read_all(struct fixture *f, uint64_t *chance, struct reading *r, const char *sort,
		     size_t limit, bool disturbed)
{
	struct query_result page = {.next = NULL};
	char asked[2048];
	char next[QUERY_CURSOR_MAX + 1] = "";

	do {
		(void)snprintf(asked, sizeof asked, "region=26&sort=%s&limit=%zu%s%s", sort, limit,
			       *next ? "&cursor=" : "", next);
		assert_ok(ask(f, RECORD_ENTITY, asked, &page));
		assert_true(page.row_count <= limit);
		note_page(f, r, &page);
		(void)snprintf(next, sizeof next, "%s", page.next ? page.next : "");
		arena_reset(&f->answers);
		if (disturbed)
			disturb(f, chance, r);
		assert_true(r->pages < 10 * RECORDS);
	} while (*next);
}

static void pages_hold_every_record_once_in_every_order(void **state)
{
	struct fixture f;
	struct reading r;
	uint64_t chance = seed_of_run();

	(void)state;
	fixture_open(&f);
	for (unsigned i = 0; i < RECORDS; i++)
		put_any(&f, &chance, id_of(i));
	for (size_t s = 0; s < sizeof sorts / sizeof sorts[0]; s++) {
		r = (struct reading){.pages = 0};
		read_all(&f, &chance, &r, sorts[s], 1 + any(&chance, 20), false);
		for (unsigned i = 0; i < RECORDS; i++)
			assert_int_equal(r.seen[i], 1);
	}
	fixture_close(&f);
}

static void
a_record_that_stays_is_neither_repeated_nor_skipped_while_others_come_and_go(void **state)
{
	struct fixture f;
	struct reading r;
	uint64_t chance = seed_of_run();

	(void)state;
	for (size_t s = 0; s < sizeof sorts / sizeof sorts[0]; s++) {
		fixture_open(&f);
		r = (struct reading){.pages = 0};
		for (unsigned i = 0; i < RECORDS; i++) {
			put_any(&f, &chance, id_of(i));
			r.stays[i] = any(&chance, 3) == 0;
		}
		read_all(&f, &chance, &r, sorts[s], 1 + any(&chance, 30), true);
		assert_true(r.pages > 5);
		for (unsigned i = 0; i < RECORDS; i++) {
			if (r.stays[i] && r.seen[i] != 1)
				fail_msg("%s by %s came %u times", id_of(i), sorts[s], r.seen[i]);
		}
		fixture_close(&f);
	}
}

static void the_page_after_a_record_that_is_gone_goes_on_behind_it(void **state)
{
	struct fixture f;
	struct query_result page;
	char asked[2048];

	(void)state;
	fixture_open(&f);
	for (int i = 1; i <= 6; i++) {
		char name[2] = {(char)('A' + i), 0};

		put(&f, RECORD_ENTITY, id_of((uint64_t)i), "name", name, NULL);
	}
	for (int falling = 0; falling < 2; falling++) {
		const char *sort = falling ? "-name" : "name";

		(void)snprintf(asked, sizeof asked, "limit=3&sort=%s", sort);
		assert_ok(ask(&f, RECORD_ENTITY, asked, &page));
		(void)snprintf(asked, sizeof asked, "limit=3&sort=%s&cursor=%s", sort, page.next);
		retire(&f, RECORD_ENTITY, id_of(falling ? 4 : 3));
		assert_string_equal(found(&f, RECORD_ENTITY, asked),
				    falling ? "pl26-kis-2 pl26-kis-1"
					    : "pl26-kis-4 pl26-kis-5 pl26-kis-6");
	}
	fixture_close(&f);
}

static void of_records_that_sort_alike_the_one_behind_a_gone_one_comes(void **state)
{
	struct fixture f;
	struct query_result page;
	char asked[2048];

	(void)state;
	fixture_open(&f);
	for (unsigned i = 1; i <= 5; i++)
		put(&f, RECORD_ENTITY, id_of(i), "name", "tak samo", NULL);
	for (unsigned falling = 0; falling < 2; falling++) {
		const char *sort = falling ? "-name" : "name";

		(void)snprintf(asked, sizeof asked, "limit=2&sort=%s", sort);
		assert_ok(ask(&f, RECORD_ENTITY, asked, &page));
		(void)snprintf(asked, sizeof asked, "limit=2&sort=%s&cursor=%s", sort, page.next);
		retire(&f, RECORD_ENTITY, id_of(falling ? 3 : 2));
		/* a new id: all ids are ranked anew */
		put(&f, RECORD_ENTITY, id_of(90 + falling), "name", "inny", NULL);
		assert_string_equal(found(&f, RECORD_ENTITY, asked),
				    falling ? "pl26-kis-4 pl26-kis-5" : "pl26-kis-3 pl26-kis-4");
	}
	fixture_close(&f);
}

static void the_last_page_has_no_next_even_when_it_is_full(void **state)
{
	struct fixture f;
	struct query_result page;

	(void)state;
	fixture_open(&f);
	for (unsigned i = 0; i < 10; i++)
		put(&f, RECORD_ENTITY, id_of(i), "name", "x", NULL);
	assert_ok(ask(&f, RECORD_ENTITY, "limit=10", &page));
	assert_int_equal(page.row_count, 10);
	assert_null(page.next);
	assert_ok(ask(&f, RECORD_ENTITY, "limit=9", &page));
	assert_non_null(page.next);
	assert_int_equal(page.total, 10);
	assert_true(strlen(page.next) <= QUERY_CURSOR_MAX);
	fixture_close(&f);
}

static void without_a_limit_all_rows_come(void **state)
{
	struct fixture f;
	struct query q = {.kind = RECORD_ENTITY};
	struct query_result page;

	(void)state;
	fixture_open(&f);
	for (unsigned i = 0; i < 2 * QUERY_LIMIT_MAX; i++)
		put(&f, RECORD_ENTITY, id_of(i), "name", "x", NULL);
	assert_ok(query_run(f.catalog, &q, &f.answers, &page, f.why));
	assert_int_equal(page.row_count, 2 * QUERY_LIMIT_MAX);
	assert_null(page.next);
	fixture_close(&f);
}

/* ---- cursors from anybody ---- */

static const char *first_cursor(struct fixture *f, const char *asked)
{
	struct query_result page;

	assert_ok(ask(f, RECORD_ENTITY, asked, &page));
	assert_non_null(page.next);
	return page.next;
}

static void a_cursor_fits_a_url_and_only_its_own_order(void **state)
{
	static const char *const others[] = {"sort=-name", "sort=id", "sort=place"};
	static const char safe[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct fixture f;
	struct query_result page;
	const char *cursor = NULL;
	char asked[2048];

	(void)state;
	fixture_open(&f);
	for (unsigned i = 0; i < 10; i++) {
		put(&f, RECORD_ENTITY, id_of(i), "name", "Świętokrzyski / klub?&=", NULL);
		put(&f, RECORD_OPERATOR, id_of(i), "name", "x", NULL);
	}
	cursor = first_cursor(&f, "sort=name&limit=3");
	assert_int_equal(strspn(cursor, safe), strlen(cursor));
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		(void)snprintf(asked, sizeof asked, "%s&cursor=%s", others[i], cursor);
		assert_err(ask(&f, RECORD_ENTITY, asked, &page), ERR_INVALID);
		assert_non_null(strstr(f.why, "begin at the first page"));
	}
	(void)snprintf(asked, sizeof asked, "sort=name&cursor=%s", cursor);
	assert_err(ask(&f, RECORD_OPERATOR, asked, &page), ERR_INVALID);
	assert_ok(ask(&f, RECORD_ENTITY, asked, &page));
	assert_int_equal(page.row_count, 7);
	fixture_close(&f);
}

static void a_damaged_cursor_is_refused_or_is_some_place_but_never_more(void **state)
{
	struct fixture f;
	struct query_result page;
	uint64_t chance = seed_of_run();
	char cursor[QUERY_CURSOR_MAX + 1];
	char asked[2 * QUERY_CURSOR_MAX];
	unsigned refused = 0;

	(void)state;
	fixture_open(&f);
	for (unsigned i = 0; i < 40; i++)
		put_any(&f, &chance, id_of(i));
	(void)snprintf(cursor, sizeof cursor, "%s", first_cursor(&f, "sort=name&limit=30"));
	for (int i = 0; i < 4000; i++) {
		char damaged[QUERY_CURSOR_MAX + 1];
		size_t size = strlen(cursor);
		enum err e = ERR_OK;

		memcpy(damaged, cursor, size + 1);
		for (uint64_t k = any(&chance, 3) + 1; k > 0; k--) {
			size_t at = any(&chance, size);

			if (any(&chance, 4) == 0)
				damaged[at] = 0; /* cut */
			else if (damaged[at])
				damaged[at] = "AQgw_-9z+/=%\xc5"[any(&chance, 13)];
		}
		(void)snprintf(asked, sizeof asked, "sort=name&limit=40&cursor=%s", damaged);
		if (strpbrk(damaged, "=&"))
			continue; /* another parameter, not another cursor */
		e = ask(&f, RECORD_ENTITY, asked, &page);
		assert_true(e == ERR_OK || e == ERR_INVALID);
		refused += e == ERR_INVALID;
		arena_reset(&f.answers);
	}
	assert_true(refused > 1000);
	fixture_close(&f);
}

static enum err ask_after(struct fixture *f, const char *cursor)
{
	char asked[2 * QUERY_CURSOR_MAX];
	struct query_result page;

	(void)snprintf(asked, sizeof asked, "cursor=%s", cursor);
	return ask(f, RECORD_ENTITY, asked, &page);
}

/* Every place has one text, and a text of another program's version is none. */
static void another_text_for_the_same_place_is_no_cursor(void **state)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct fixture f;
	unsigned with_a_rest = 0;
	char id[32] = "pl26-kis-a";

	(void)state;
	fixture_open(&f);
	put(&f, RECORD_ENTITY, "pl26-kis-z", "name", "Z", NULL);
	for (int i = 0; i < 3; i++) {
		char cursor[QUERY_CURSOR_MAX + 1];
		char *last = NULL;

		put(&f, RECORD_ENTITY, id, "name", "A", NULL);
		(void)snprintf(cursor, sizeof cursor, "%s", first_cursor(&f, "limit=1"));
		assert_ok(ask_after(&f, cursor));
		last = &cursor[strlen(cursor) - 1];
		if (strlen(cursor) % 4) {
			char good = *last;

			*last = strchr(digits, *last)[1];
			assert_err(ask_after(&f, cursor), ERR_INVALID);
			*last = good;
			with_a_rest++;
		}
		cursor[1] = strchr(digits, cursor[1])[16]; /* version 2 */
		assert_err(ask_after(&f, cursor), ERR_INVALID);
		retire(&f, RECORD_ENTITY, id);
		(void)strcat(id, "a");
	}
	assert_int_equal(with_a_rest, 2);
	fixture_close(&f);
}

static void texts_that_are_no_cursor_are_refused(void **state)
{
	static const char *const texts[] = {"A",    "AAAA", "AQ",          "AQQDAAAA",
					    "....", "%00",  "AQQDAP__cGwy"};
	struct fixture f;
	struct query_result page;
	struct buf asked = {.data = NULL};

	(void)state;
	fixture_open(&f);
	put(&f, RECORD_ENTITY, "pl26-kis-a", "name", "A", NULL);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		buf_clear(&asked);
		buf_printf(&asked, "cursor=%s", texts[i]);
		assert_err(ask(&f, RECORD_ENTITY, buf_text(&asked), &page), ERR_INVALID);
	}
	buf_clear(&asked);
	buf_add_text(&asked, "cursor=");
	for (int i = 0; i <= QUERY_CURSOR_MAX; i++)
		buf_add_text(&asked, "A");
	assert_err(ask(&f, RECORD_ENTITY, buf_text(&asked), &page), ERR_INVALID);
	buf_free(&asked);
	fixture_close(&f);
}

static void the_longest_names_and_ids_still_have_a_cursor(void **state)
{
	struct fixture f;
	struct query_result page;
	char *name = test_malloc(FIELD_BYTES_MAX + 1);
	char id[ID_BYTES_MAX + 1];
	char asked[2048];

	(void)state;
	fixture_open(&f);
	memset(name, 0, FIELD_BYTES_MAX + 1);
	for (size_t i = 0; i < FIELD_BYTES_MAX; i += 2)
		memcpy(name + i, "ż", 2);
	memset(id, 'a', sizeof id);
	id[ID_BYTES_MAX] = 0;
	for (char last = 'a'; last < 'd'; last++) {
		id[ID_BYTES_MAX - 1] = last;
		put(&f, RECORD_ENTITY, id, "name", name, "participants_total", name,
		    "registered_on", name, NULL);
	}
	for (int i = 0; i < 3; i++) {
		static const char *const columns[] = {"name", "participants_total",
						      "registered_on"};
		const char *sort = columns[i];

		(void)snprintf(asked, sizeof asked, "limit=1&sort=%s", sort);
		for (int k = 0; k < 3; k++) {
			assert_ok(ask(&f, RECORD_ENTITY, asked, &page));
			assert_int_equal(page.row_count, 1);
			assert_int_equal(catalog_text(f.catalog, RECORD_ENTITY, page.rows[0],
						      0)[ID_BYTES_MAX - 1],
					 'a' + k);
			assert_int_equal(page.next == NULL, k == 2);
			(void)snprintf(asked, sizeof asked, "limit=1&sort=%s&cursor=%s", sort,
				       page.next ? page.next : "");
		}
	}
	test_free(name);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_hold_every_record_once_in_every_order),
		cmocka_unit_test(
			a_record_that_stays_is_neither_repeated_nor_skipped_while_others_come_and_go),
		cmocka_unit_test(the_page_after_a_record_that_is_gone_goes_on_behind_it),
		cmocka_unit_test(of_records_that_sort_alike_the_one_behind_a_gone_one_comes),
		cmocka_unit_test(the_last_page_has_no_next_even_when_it_is_full),
		cmocka_unit_test(without_a_limit_all_rows_come),
		cmocka_unit_test(a_cursor_fits_a_url_and_only_its_own_order),
		cmocka_unit_test(a_damaged_cursor_is_refused_or_is_some_place_but_never_more),
		cmocka_unit_test(another_text_for_the_same_place_is_no_cursor),
		cmocka_unit_test(texts_that_are_no_cursor_are_refused),
		cmocka_unit_test(the_longest_names_and_ids_still_have_a_cursor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
