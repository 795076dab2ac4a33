/* What acts of the national log do to an export. */
#include "audit_fixture.h"

static void redact_as(struct nation *n, uint64_t index, struct bytes event)
{
	struct hash leaf = hash_leaf(event);
	struct national_entry act = {.recorded = {2000},
				     .kind = NATIONAL_ACT,
				     .log = name_of("26"),
				     .act = "redact",
				     .by = "root",
				     .reason = "letter 3",
				     .index = index,
				     .leaf = bytes_of(leaf.b, HASH_BYTES)};

	(void)nation_act(n, &act);
}

static bool holds(struct nation *n, const char *file, struct bytes x)
{
	struct bytes content = file_of(n, file);

	return memmem(content.data, content.size, x.data, x.size) != NULL;
}

static void an_act_that_names_another_leaf_erases_nothing(void **state)
{
	struct nation *n = *state;
	struct export_report report;

	nation_grow(n, 300);
	redact_as(n, 17, plain_event(&n->f, 18));
	assert_ok(export_all(n, &report));
	assert_true(holds(n, "26/tile/entries/000", plain_event(&n->f, 17)));
	redact_as(n, 19, plain_event(&n->f, 20)); /* when the bundle is there already */
	assert_ok(export_all(n, &report));
	assert_true(holds(n, "26/tile/entries/000", plain_event(&n->f, 19)));
	assert_false(has_file(n, "26/redacted"));
	assert_ok(export_all(n, &report));
	assert_int_equal(report.files, 0); /* nor is it looked at for ever */
}

static void an_event_that_rotates_keys_stays_whatever_an_act_says(void **state)
{
	struct nation *n = *state;
	struct export_report report;
	struct party next;
	struct event event = {.recorded = {1}, .editor = "e07", .reason = "card", .source = ""};
	struct bytes raw = {NULL, 0};

	party_make(&next, REALM "/region/26", KEY_ED25519, 77);
	event.act = EVENT_ROTATES;
	event.document = enrolment_of(n, "26", &next, &n->witnesses[0]);
	raw = encoded(&n->f, &event);
	nation_grow(n, 4);
	nation_commit(n, &raw, 1);
	redact_as(n, 4, raw);
	assert_ok(export_all(n, &report));
	assert_true(holds(n, "26/tile/entries/000.p/5", raw));
}

static void an_act_that_comes_after_its_event_is_gone_is_named_then(void **state)
{
	struct nation *n = *state;
	struct export_report report;
	struct txn *t = NULL;

	nation_grow(n, 20);
	assert_ok(txn_begin(n->f.store, true, &t));
	assert_ok(log_redact(n->l26, t, 17, hash_leaf(plain_event(&n->f, 17))));
	assert_ok(txn_commit(t));
	assert_ok(export_all(n, &report));
	assert_true(holds(n, "26/redacted", bytes_of_text(" -\n")));
	redact_as(n, 17, plain_event(&n->f, 17));
	nation_grow(n, 21);
	assert_ok(export_all(n, &report));
	assert_false(holds(n, "26/redacted", bytes_of_text(" -\n")));
}

static void the_newest_key_stands_first(void **state)
{
	struct nation *n = *state;
	struct export_report report;
	struct party next;
	struct national_entry act = {
		.recorded = {2000},
		.kind = NATIONAL_ACT,
		.log = name_of("26"),
		.act = "rotate",
		.by = "e07",
		.reason = "new card",
		.index = 4,
	};
	char expected[2 * VKEY_BYTES + 2];
	char line[VKEY_BYTES];
	int size = 0;

	party_make(&next, REALM "/region/26", KEY_ED25519, 77);
	act.document = enrolment_of(n, "26", &next, &n->witnesses[0]);
	nation_grow(n, 5);
	(void)nation_act(n, &act);
	assert_ok(export_all(n, &report));
	vkey_text(&next.signer.key, line);
	size = snprintf(expected, sizeof expected, "%s\n", line);
	vkey_text(&n->region.signer.key, line);
	(void)snprintf(expected + size, sizeof expected - (size_t)size, "%s\n", line);
	assert_true(bytes_equal(file_of(n, "26/log.vkey"), bytes_of_text(expected)));
}

/* All that is left of a national log that was lost may be its export. */
static void a_national_log_begun_anew_leaves_the_lost_ones_files_as_they_are(void **state)
{
	struct nation *n = *state;
	struct nation *anew = NULL;
	struct export_report report;
	struct bytes old = {NULL, 0};
	char own[sizeof n->folder];

	nation_grow(n, 2);
	assert_ok(export_all(n, &report));
	old = file_of(n, "national/checkpoint");
	assert_int_equal(nation_setup((void **)&anew), 0);
	memcpy(own, anew->folder, sizeof own);
	memcpy(anew->folder, n->folder, sizeof own);
	/* another history under the same name stays one */
	nation_grow(anew, 5);
	assert_err(export_all(anew, &report), ERR_FORK);
	party_make(&anew->server, REALM "/national/centrum/2", KEY_ED25519, 98);
	nation_grow(anew, 6);
	assert_ok(export_all(anew, &report));
	assert_true(bytes_equal(old, file_of(n, "before/national-1/checkpoint")));
	assert_true(has_file(n, "before/national-1/tile/entries/000.p/2"));
	assert_true(
		holds(n, "national/checkpoint", bytes_of_text(REALM "/national/centrum/2\n3\n")));
	assert_ok(export_all(anew, &report)); /* and the folder goes on */
	memcpy(anew->folder, own, sizeof own);
	(void)nation_teardown((void **)&anew);
}

/* The store is older than what its own witnesses signed. */
static void a_log_below_its_cosigned_checkpoint_is_not_exported(void **state)
{
	struct nation *n = *state;
	struct export_report report;
	struct buf all = {0};
	struct note parsed;
	struct txn *t = NULL;

	nation_grow(n, 20);
	buf_add_bytes(&all, signed_note(n, &n->server, 90, hash_empty()));
	assert_ok(note_parse(buf_bytes(&all), &parsed));
	assert_ok(note_cosign(parsed.text, 1700000000, &n->witnesses[0].signer, &all));
	assert_ok(txn_begin(n->f.store, true, &t));
	assert_ok(cosigned_put(n->cosigned, t, 90, buf_bytes(&all)));
	assert_ok(txn_commit(t));
	assert_err(export_all(n, &report), ERR_ROLLBACK);
	assert_string_equal(report.failed.text, "national");
	assert_false(has_file(n, "national/checkpoint"));
	assert_true(has_file(n, "26/checkpoint"));
	buf_free(&all);
}

#define NATION(test) cmocka_unit_test_setup_teardown(test, nation_setup, nation_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NATION(an_act_that_names_another_leaf_erases_nothing),
		NATION(an_event_that_rotates_keys_stays_whatever_an_act_says),
		NATION(an_act_that_comes_after_its_event_is_gone_is_named_then),
		NATION(the_newest_key_stands_first),
		NATION(a_national_log_begun_anew_leaves_the_lost_ones_files_as_they_are),
		NATION(a_log_below_its_cosigned_checkpoint_is_not_exported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
