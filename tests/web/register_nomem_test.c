/* Every allocation fails once: a put changes all of a row or nothing, a question gives an error. */
#include "register_support.h"

/* The allocation that fails from now on; 0: none does. */
static unsigned fails_in;

static bool fails(void)
{
	return fails_in && --fails_in == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *at, size_t size);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *at, size_t size)
{
	return fails() ? NULL : __real_realloc(at, size);
}

static const char *whole_row(struct fixture *f, enum record_kind kind, const char *id)
{
	struct buf text = {.data = NULL};
	const char *kept = NULL;
	size_t row = 0;

	if (catalog_find(f->catalog, kind, id, NULL, &row) != ERR_OK)
		return "not there";
	for (size_t k = 0; k < kind_of(kind)->field_count; k++)
		buf_printf(&text, "%s|", catalog_text(f->catalog, kind, row, k));
	buf_printf(&text, "%llu", (unsigned long long)catalog_origin(f->catalog, kind, row)->index);
	kept = arena_text(&f->answers, buf_bytes(&text));
	buf_free(&text);
	return kept;
}

static struct version entity(struct fixture *f, const char *id, const char *name, const char *place)
{
	struct record *r = record_new(&f->records, RECORD_ENTITY);

	set_field(f, r, "id", id);
	set_field(f, r, "name", name);
	set_field(f, r, "place", place);
	set_field(f, r, "source_note", name);
	return version_of(f, id, RECORD_ENTITY, r);
}

static void a_put_without_memory_leaves_the_row_as_it_was(void **state)
{
	struct fixture f;
	char id[32];
	char name[64];
	unsigned failures = 0;

	(void)state;
	fixture_open(&f);
	for (unsigned i = 0; i < 3000; i++) {
		struct version v;
		const char *before = NULL;
		enum err e = ERR_NOMEM;

		(void)snprintf(id, sizeof id, "pl26-kis-%u", i % 2000);
		(void)snprintf(name, sizeof name, "Klub %u", i);
		v = entity(&f, id, name, i % 3 ? "Łódź" : name);
		before = whole_row(&f, RECORD_ENTITY, id);
		for (unsigned n = 1; e != ERR_OK; n++) {
			fails_in = n;
			e = catalog_put(f.catalog, &v);
			fails_in = 0;
			if (e == ERR_OK)
				break;
			failures++;
			assert_err(e, ERR_NOMEM);
			assert_string_equal(whole_row(&f, RECORD_ENTITY, id), before);
			assert_int_equal(catalog_lookup(f.catalog, name), 0);
			assert_int_equal(catalog_lookup(f.catalog, id) != 0, i >= 2000);
			assert_true(n < 100);
		}
		assert_string_not_equal(whole_row(&f, RECORD_ENTITY, id), before);
		arena_reset(&f.records);
		arena_reset(&f.answers);
	}
	assert_true(failures > 3000);
	assert_int_equal(catalog_count(f.catalog, RECORD_ENTITY), 2000);
	fixture_close(&f);
}

static void a_question_without_memory_is_an_error_and_can_be_asked_again(void **state)
{
	struct fixture f;
	unsigned failures = 0;

	(void)state;
	fixture_open(&f);
	for (unsigned round = 0; round < 20; round++) {
		struct query q = {.kind = RECORD_ENTITY,
				  .search = "klub",
				  .limit = 3,
				  .facet_count = 1,
				  .facets = {2},
				  .sort = catalog_title_field(RECORD_ENTITY)};
		struct query_result r = {.total = 0};
		enum err e = ERR_NOMEM;
		char id[32];
		char name[64];

		for (unsigned i = 0; i < 10; i++) {
			(void)snprintf(id, sizeof id, "pl26-kis-%u", i);
			(void)snprintf(name, sizeof name, "Klub %u %u", round, i);
			put(&f, RECORD_ENTITY, id, "name", name, NULL);
		}
		for (unsigned n = 1; e != ERR_OK; n++) {
			fails_in = n;
			e = query_run(f.catalog, &q, &f.answers, &r, f.why);
			fails_in = 0;
			arena_free(&f.answers);
			assert_true(e == ERR_OK || e == ERR_NOMEM);
			failures += e != ERR_OK;
			assert_true(n < 200);
		}
		assert_int_equal(r.total, 10);
		assert_string_equal(found(&f, RECORD_ENTITY, "limit=3"),
				    "pl26-kis-0 pl26-kis-1 pl26-kis-2");
	}
	assert_true(failures > 100);
	fixture_close(&f);
}

static void a_catalog_without_memory_is_none(void **state)
{
	struct catalog *c = NULL;
	struct movements *m = NULL;
	enum err e = ERR_NOMEM;

	(void)state;
	for (unsigned n = 1; e != ERR_OK; n++) {
		fails_in = n;
		e = catalog_new(&c);
		fails_in = 0;
		assert_true(e == ERR_OK || e == ERR_NOMEM);
		assert_true(n < 100);
	}
	catalog_free(c);
	fails_in = 1;
	assert_err(movements_new(&m), ERR_NOMEM);
	fails_in = 0;
	movements_free(NULL);
	catalog_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_put_without_memory_leaves_the_row_as_it_was),
		cmocka_unit_test(a_question_without_memory_is_an_error_and_can_be_asked_again),
		cmocka_unit_test(a_catalog_without_memory_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
