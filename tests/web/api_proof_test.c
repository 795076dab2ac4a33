/* Proof files from the exported logs, and what is said where there is none. */
#include "audit_fixture.h"

#include "api/api.h"
#include "tlog/proof_file.h"

/* The body of the answer, kept in the fixture's arena. */
static const char *ask(struct nation *n, const char *folder, const char *path,
		       const struct api_param *params, size_t count, struct api_answer *ret)
{
	struct api_request rq = {.path = path, .params = params, .param_count = count};
	struct api_context x = {.export_folder = folder, .arena = &n->f.arena};
	struct buf body = {0};
	struct catalog *c = NULL;
	const char *text = NULL;

	assert_ok(catalog_new(&c));
	x.catalog = c;
	*ret = (struct api_answer){.body = &body};
	assert_ok(api_answer(&x, &rq, ret));
	text = arena_text(&n->f.arena, buf_bytes(&body));
	assert_non_null(text);
	buf_free(&body);
	catalog_free(c);
	return text;
}

static const char *first(struct nation *n, const char *path, struct api_answer *ret)
{
	return ask(n, n->folder, path, NULL, 0, ret);
}

static const char *second(struct nation *n, const char *path, const char *size,
			  struct api_answer *ret)
{
	const struct api_param params[] = {{"national", "1"}, {"size", size}};

	return ask(n, n->folder, path, params, size ? 2 : 1, ret);
}

static void redact(struct nation *n, uint64_t index)
{
	struct hash leaf;
	struct national_entry act = {.recorded = {2000},
				     .kind = NATIONAL_ACT,
				     .log = name_of("26"),
				     .act = "redact",
				     .by = "root",
				     .reason = "order",
				     .index = index};
	struct txn *t = NULL;

	assert_ok(txn_begin(n->f.store, true, &t));
	assert_ok(log_leaf(n->l26, t, index, &leaf));
	txn_abort(t);
	act.leaf = bytes_of(leaf.b, sizeof leaf.b);
	(void)nation_act(n, &act);
	assert_ok(txn_begin(n->f.store, true, &t));
	assert_ok(log_redact(n->l26, t, index, leaf));
	assert_ok(txn_commit(t));
}

static void assert_proves(struct nation *n, const char *text, uint64_t index, struct bytes event)
{
	struct proof_file file;

	assert_ok(proof_file_parse(bytes_of_text(text), &n->f.arena, &file));
	assert_int_equal(file.index, index);
	assert_true(file.has_extra);
	if (event.data)
		assert_true(bytes_equal(file.extra, event));
}

static void an_event_and_its_acceptance_are_two_files(void **state)
{
	struct nation *n = *state;
	struct export_report report;
	struct api_answer a;
	const char *text = NULL;

	nation_grow(n, 300);
	assert_ok(export_all(n, &report));
	text = first(n, "/api/v1/logs/26/proof/7", &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.type, "text/plain; charset=utf-8");
	assert_string_equal(a.filename, "splot-26-7.tlog-proof");
	assert_proves(n, text, 7, plain_event(&n->f, 7));
	text = second(n, "/api/v1/logs/26/proof/7", NULL, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.filename, "splot-26-7.national.tlog-proof");
	assert_proves(n, text, 1, (struct bytes){NULL, 0});
	/* the log grows: the first file's checkpoint is still one that was accepted */
	nation_grow(n, 310);
	assert_ok(export_all(n, &report));
	assert_proves(n, second(n, "/api/v1/logs/26/proof/7", "300", &a), 1,
		      (struct bytes){NULL, 0});
	assert_proves(n, second(n, "/api/v1/logs/26/proof/7", NULL, &a), 2,
		      (struct bytes){NULL, 0});
	(void)second(n, "/api/v1/logs/26/proof/7", "305", &a);
	assert_int_equal(a.status, 404);
}

static void what_is_not_exported_or_erased_is_said_to_be_so(void **state)
{
	struct nation *n = *state;
	struct export_report report;
	struct api_answer a;

	(void)first(n, "/api/v1/logs/26/proof/0", &a); /* nothing is exported yet */
	assert_int_equal(a.status, 404);
	nation_grow(n, 20);
	redact(n, 5);
	assert_ok(export_all(n, &report));
	assert_non_null(
		strstr(first(n, "/api/v1/logs/26/proof/20", &a), "not exported, or not yet"));
	assert_int_equal(a.status, 404);
	assert_non_null(strstr(first(n, "/api/v1/logs/26/proof/5", &a), "was erased by an act"));
	assert_int_equal(a.status, 410);
	(void)first(n, "/api/v1/logs/24/proof/0", &a);
	assert_int_equal(a.status, 404);
	assert_non_null(strstr(ask(n, NULL, "/api/v1/logs/26/proof/0", NULL, 0, &a),
			       "The logs are not served here."));
	assert_int_equal(a.status, 404);
}

static void a_path_that_names_no_event_is_not_found(void **state)
{
	struct nation *n = *state;
	struct export_report report;
	struct api_answer a;
	static const char *const paths[] = {
		"/api/v1/logs/26/proof/x",   "/api/v1/logs/26/proof/-1",
		"/api/v1/logs/26/proof/",    "/api/v1/logs/../proof/0",
		"/api/v1/logs/2/proof/0",    "/api/v1/logs/national/proof/0",
		"/api/v1/logs/26-1/proof/0", "/api/v1/logs/26/proof/99999999999999999999",
	};
	static const struct api_param wrong[] = {
		{"national", "2"}, {"national", ""}, {"size", "20"}, {"index", "1"}};

	nation_grow(n, 20);
	assert_ok(export_all(n, &report));
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		(void)first(n, paths[i], &a);
		assert_int_equal(a.status, 404);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		(void)ask(n, n->folder, "/api/v1/logs/26/proof/0", &wrong[i], 1, &a);
		assert_int_equal(a.status, 400);
	}
	(void)second(n, "/api/v1/logs/26/proof/7", "7", &a); /* does not cover event 7 */
	assert_int_equal(a.status, 400);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, nation_setup, nation_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_event_and_its_acceptance_are_two_files),
		TEST(what_is_not_exported_or_erased_is_said_to_be_so),
		TEST(a_path_that_names_no_event_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
