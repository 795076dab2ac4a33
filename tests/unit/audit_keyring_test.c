/* Keyring: who may sign what, as acts and events say. */
#include "audit_fixture.h"

/* Whether that party may sign a checkpoint of that size. */
static enum err may_sign(struct nation *n, const char *log, uint64_t size, const struct party *by)
{
	struct checkpoint c;

	return keyring_checkpoint(n->keys, name_of(log), signed_note(n, by, size, hash_empty()),
				  &c);
}

static void assert_key(struct nation *n, const char *log, uint64_t size, const struct party *by)
{
	assert_ok(may_sign(n, log, size, by));
}

static void act_on(struct nation *n, const char *kind, const char *log)
{
	struct national_entry act = {.recorded = {2000},
				     .kind = NATIONAL_ACT,
				     .log = name_of(log),
				     .act = kind,
				     .by = "root",
				     .reason = "letter 2"};

	(void)nation_act(n, &act);
}

static void rotate(struct nation *n, uint64_t index, const struct party *next)
{
	struct national_entry act = {
		.recorded = {2000},
		.kind = NATIONAL_ACT,
		.log = name_of("26"),
		.act = "rotate",
		.by = "e07",
		.reason = "new card",
		.document = enrolment_of(n, "26", next, &n->witnesses[0]),
		.index = index,
	};

	(void)nation_act(n, &act);
}

static void an_enrolment_names_the_first_key(void **state)
{
	struct nation *n = *state;

	nation_grow(n, 5);
	nation_read_keys(n);
	assert_key(n, "26", 0, &n->region);
	assert_key(n, "26", 5, &n->region);
	assert_key(n, "national", 7, &n->server);
	assert_err(may_sign(n, "24", 1, &n->region), ERR_UNKNOWN_KEY);
	assert_null(keyring_log(n->keys, name_of("24")));
	assert_string_equal(keyring_log(n->keys, name_of("26"))->state, "active");
}

static void a_rotation_names_the_next_one(void **state)
{
	struct nation *n = *state;
	struct party next;

	party_make(&next, REALM "/region/26", KEY_ED25519, 77);
	nation_grow(n, 5);
	rotate(n, 4, &next);
	nation_read_keys(n);
	assert_key(n, "26", 4, &n->region);
	assert_key(n, "26", 5, &n->region);
	assert_key(n, "26", 6, &next);
	assert_int_equal(keyring_log(n->keys, name_of("26"))->count, 2);
}

/* An export's log.vkey has both keys and says of neither from when on: the log does. */
static void trusted_keys_find_their_place_by_the_rotation(void **state)
{
	struct nation *n = *state;
	struct party next;
	struct bytes enrolment;

	party_make(&next, REALM "/region/26", KEY_ED25519, 77);
	enrolment = enrolment_of(n, "26", &next, &n->witnesses[0]);
	assert_ok(keyring_new(&n->keys));
	assert_ok(keyring_trust(n->keys, &next.signer.key));
	assert_ok(keyring_trust(n->keys, &n->region.signer.key));
	assert_ok(keyring_trust(n->keys, &next.signer.key));
	assert_int_equal(keyring_log(n->keys, name_of("26"))->count, 2);
	assert_key(n, "26", 100, &next);
	assert_ok(keyring_take_rotation(n->keys, name_of("26"), 9, enrolment));
	assert_ok(keyring_take_rotation(n->keys, name_of("26"), 9, enrolment));
	assert_int_equal(keyring_log(n->keys, name_of("26"))->count, 2);
	assert_key(n, "26", 10, &n->region);
	assert_key(n, "26", 11, &next);
	assert_err(keyring_take_rotation(n->keys, name_of("24"), 9, enrolment), ERR_INVALID);
	assert_err(keyring_take_rotation(n->keys, name_of("26"), UINT64_MAX, enrolment),
		   ERR_INVALID);
}

static void the_newest_act_says_a_logs_state(void **state)
{
	struct nation *n = *state;
	static const struct {
		const char *act, *state;
	} rows[] = {{"freeze", "frozen"}, {"release", "active"}, {"revoke", "revoked"}};

	for (size_t i = 0; i < 3; i++) {
		act_on(n, rows[i].act, "26");
		nation_read_keys(n);
		assert_string_equal(keyring_log(n->keys, name_of("26"))->state, rows[i].state);
	}
}

static void witnesses_are_the_active_regions(void **state)
{
	struct nation *n = *state;
	struct vkey found[LOGS_MAX];
	struct party ministry;
	struct party region;
	struct party witness;

	party_make(&ministry, REALM "/region/PL", KEY_ED25519, 50);
	party_make(&region, REALM "/region/24", KEY_ED25519, 51);
	party_make(&witness, REALM "/witness/PL", KEY_COSIGNATURE, 52);
	(void)nation_enrol(n, "PL", &ministry, &witness);
	(void)nation_enrol(n, "24", &region, &n->witnesses[1]);
	nation_read_keys(n);
	assert_int_equal(keyring_witnesses(n->keys, found, LOGS_MAX), 2);
	assert_int_equal(keyring_witnesses(n->keys, found, 1), 1);
	act_on(n, "freeze", "26");
	nation_read_keys(n);
	assert_int_equal(keyring_witnesses(n->keys, found, LOGS_MAX), 1);
	assert_string_equal(found[0].name, REALM "/witness/24");
}

static void the_usual_policy_is_nine_or_more_than_half(void **state)
{
	struct nation *n = *state;
	struct policy *policy = calloc(1, sizeof *policy);

	assert_non_null(policy);
	nation_read_keys(n);
	assert_ok(keyring_policy(n->keys, policy));
	assert_int_equal(policy->members[policy->quorum].needed, 1);
	assert_int_equal(policy->log_count, 1);
	for (int i = 0; i < REGION_PL; i++) {
		struct party region;
		struct party witness;
		char name[64];

		(void)snprintf(name, sizeof name, REALM "/region/%s", region_at(i)->code);
		party_make(&region, name, KEY_ED25519, (uint8_t)(130 + i));
		(void)snprintf(name, sizeof name, REALM "/witness/%s", region_at(i)->code);
		party_make(&witness, name, KEY_COSIGNATURE, (uint8_t)(160 + i));
		if (strcmp(region_at(i)->code, "26") != 0)
			(void)nation_enrol(n, region_at(i)->code, &region, &witness);
		nation_read_keys(n);
		assert_ok(keyring_policy(n->keys, policy));
		if (i == 6)
			assert_int_equal(policy->members[policy->quorum].needed, 5); /* of 8 */
	}
	assert_int_equal(policy->members[policy->quorum].needed, 9);
	assert_int_equal(policy->member_count, 17);
	keyring_free(n->keys);
	n->keys = NULL;
	assert_ok(keyring_new(&n->keys));
	assert_err(keyring_policy(n->keys, policy), ERR_QUORUM);
	free(policy);
}

static void redactions_are_kept_by_log_and_index(void **state)
{
	struct nation *n = *state;
	static const uint64_t indexes[] = {7, 3, 900, 3};
	const struct redaction *all = NULL;
	uint64_t first = 0;

	for (size_t i = 0; i < 4; i++) {
		struct hash leaf = hash_plain(bytes_of(&indexes[i], sizeof indexes[i]));
		struct national_entry act = {.recorded = {2000},
					     .kind = NATIONAL_ACT,
					     .log = name_of("26"),
					     .act = "redact",
					     .by = "root",
					     .reason = "letter 3",
					     .index = indexes[i],
					     .leaf = bytes_of(leaf.b, HASH_BYTES)};
		uint64_t at = nation_act(n, &act);

		if (i == 1)
			first = at;
	}
	nation_read_keys(n);
	assert_int_equal(keyring_redactions(n->keys, &all), 3);
	assert_int_equal(all[0].index, 3);
	assert_int_equal(all[2].index, 900);
	assert_int_equal(keyring_redaction(n->keys, name_of("26"), 3)->national_index, first);
	assert_null(keyring_redaction(n->keys, name_of("26"), 4));
	assert_null(keyring_redaction(n->keys, name_of("24"), 3));
}

static void of_two_acts_about_one_event_the_newest_leaf_counts(void **state)
{
	struct nation *n = *state;
	const struct redaction *found = NULL;
	uint64_t last = 0;

	for (uint64_t i = 0; i < 2; i++) {
		struct hash leaf = hash_plain(bytes_of(&i, sizeof i));
		struct national_entry act = {.recorded = {2000},
					     .kind = NATIONAL_ACT,
					     .log = name_of("26"),
					     .act = "redact",
					     .by = "root",
					     .reason = "letter 3",
					     .index = 3,
					     .leaf = bytes_of(leaf.b, HASH_BYTES)};

		last = nation_act(n, &act);
	}
	nation_read_keys(n);
	found = keyring_redaction(n->keys, name_of("26"), 3);
	assert_non_null(found);
	assert_int_equal(found->national_index, last);
}

static void what_does_not_fit_is_not_trusted(void **state)
{
	struct nation *n = *state;
	struct party other;
	struct national_entry act = {.recorded = {2000},
				     .kind = NATIONAL_ACT,
				     .log = name_of("24"),
				     .act = "enrol",
				     .by = "root",
				     .reason = "letter 4",
				     .document = bytes_of_text("no enrolment")};

	nation_read_keys(n);
	party_make(&other, "elsewhere.test/region/26", KEY_ED25519, 60);
	assert_err(keyring_trust(n->keys, &other.signer.key), ERR_INVALID);
	party_make(&other, REALM "/region/26", KEY_COSIGNATURE, 60);
	assert_err(keyring_trust(n->keys, &other.signer.key), ERR_INVALID);
	party_make(&other, REALM "/witness/26", KEY_ED25519, 60);
	assert_err(keyring_trust(n->keys, &other.signer.key), ERR_INVALID);
	party_make(&other, REALM "/other/26", KEY_ED25519, 60);
	assert_err(keyring_trust(n->keys, &other.signer.key), ERR_INVALID);
	/* An act whose document does not read is passed over when a source is read. */
	(void)nation_act(n, &act);
	nation_read_keys(n);
	assert_null(keyring_log(n->keys, name_of("24")));
}

static void a_checkpoint_is_verified_by_the_key_of_its_size(void **state)
{
	struct nation *n = *state;
	struct party next;
	struct checkpoint c;
	struct hash root = hash_empty();

	party_make(&next, REALM "/region/26", KEY_ED25519, 77);
	rotate(n, 4, &next);
	nation_read_keys(n);
	assert_ok(keyring_checkpoint(n->keys, name_of("26"), signed_note(n, &n->region, 5, root),
				     &c));
	assert_int_equal(c.size, 5);
	assert_ok(keyring_checkpoint(n->keys, name_of("26"), signed_note(n, &next, 6, root), &c));
	/* The old key, found by whoever, signs nothing any more. */
	assert_err(
		keyring_checkpoint(n->keys, name_of("26"), signed_note(n, &n->region, 6, root), &c),
		ERR_UNKNOWN_KEY);
	assert_err(keyring_checkpoint(n->keys, name_of("26"), signed_note(n, &next, 5, root), &c),
		   ERR_UNKNOWN_KEY);
	assert_err(keyring_checkpoint(n->keys, name_of("24"), signed_note(n, &next, 5, root), &c),
		   ERR_UNKNOWN_KEY);
	assert_err(keyring_checkpoint(n->keys, name_of("26"), bytes_of_text("x"), &c), ERR_DECODE);
}

static void a_stored_checkpoint_has_no_bad_line_by_any_key_of_its_log(void **state)
{
	struct nation *n = *state;
	struct party next;
	struct checkpoint c;
	struct buf note = {0};
	uint8_t *last = NULL;

	party_make(&next, REALM "/region/26", KEY_ED25519, 77);
	rotate(n, 4, &next);
	nation_read_keys(n);
	buf_add_bytes(&note, signed_note(n, &next, 6, hash_empty()));
	assert_ok(keyring_stored(n->keys, name_of("26"), buf_bytes(&note), &c));
	assert_ok(note_sign_also(&n->region.signer, &note)); /* for a while both keys sign */
	assert_ok(keyring_stored(n->keys, name_of("26"), buf_bytes(&note), &c));
	assert_int_equal(c.size, 6);
	last = &note.data[note.size - 20];
	*last = *last == 'A' ? 'B' : 'A';
	assert_err(keyring_stored(n->keys, name_of("26"), buf_bytes(&note), &c), ERR_SIGNATURE);
	/* Who was shown it holds the signer to it all the same. */
	assert_ok(keyring_checkpoint(n->keys, name_of("26"), buf_bytes(&note), &c));
	buf_free(&note);
}

/* A node's store has no national log: its own events say which keys come next. */
static void rotations_are_read_from_a_log_alone(void **state)
{
	struct nation *n = *state;
	struct fixture node;
	struct source source = {0};
	struct party next;
	struct event event = {.recorded = {1}, .editor = "e07", .reason = "card", .source = ""};
	struct log *l = NULL;
	struct txn *t = NULL;

	party_make(&next, REALM "/region/26", KEY_ED25519, 77);
	event.act = EVENT_ROTATES;
	event.document = enrolment_of(n, "26", &next, &n->witnesses[0]);
	fixture_start(&node);
	l = opened(&node, "26");
	assert_ok(txn_begin(node.store, true, &t));
	assert_ok(log_append(l, t, plain_event(&node, 0)));
	assert_ok(log_append(l, t, encoded(&node, &event)));
	seal(&node, l, t);
	assert_ok(txn_commit(t));
	assert_ok(source_of_store(node.store, "a node", &source));
	assert_ok(keyring_new(&n->keys));
	assert_ok(keyring_trust(n->keys, &n->region.signer.key));
	assert_ok(keyring_read(n->keys, &source));
	assert_key(n, "26", 2, &n->region);
	assert_key(n, "26", 3, &next);
	source_close(&source);
	fixture_stop(&node);
}

/* A node keeps the acts that made it erase events in a table of its own. */
static void a_nodes_duties_name_its_redactions(void **state)
{
	struct nation *n = *state;
	struct fixture node;
	struct source source = {0};
	struct log *l = NULL;
	struct table duties;
	struct txn *t = NULL;
	struct buf value = {0};
	uint8_t key[8] = {0, 0, 0, 0, 0, 0, 0, 1};
	struct hash leaf;
	struct national_entry act = {.recorded = {2000},
				     .kind = NATIONAL_ACT,
				     .log = name_of("26"),
				     .act = "redact",
				     .by = "root",
				     .reason = "letter 3",
				     .index = 1};

	fixture_start(&node);
	l = opened(&node, "26");
	assert_ok(store_table(node.store, "redacted", true, &duties));
	leaf = hash_leaf(plain_event(&node, 1));
	act.leaf = bytes_of(leaf.b, HASH_BYTES);
	buf_add(&value, leaf.b, HASH_BYTES);
	assert_ok(national_encode(&act, &value));
	assert_ok(txn_begin(node.store, true, &t));
	for (uint64_t i = 0; i < 3; i++)
		assert_ok(log_append(l, t, plain_event(&node, i)));
	assert_ok(txn_put(t, duties, bytes_of(key, sizeof key), buf_bytes(&value)));
	seal(&node, l, t);
	assert_ok(txn_commit(t));
	assert_ok(source_of_store(node.store, "a node", &source));
	assert_ok(keyring_new(&n->keys));
	assert_ok(keyring_read(n->keys, &source));
	assert_non_null(keyring_redaction(n->keys, name_of("26"), 1));
	assert_true(keyring_redaction(n->keys, name_of("26"), 1)->national_index == UINT64_MAX);
	source_close(&source);
	buf_free(&value);
	fixture_stop(&node);
}

static void more_keys_than_a_log_may_have_are_refused(void **state)
{
	struct nation *n = *state;
	struct party next;

	assert_ok(keyring_new(&n->keys));
	for (unsigned i = 0; i < LOG_KEYS_MAX; i++) {
		party_make(&next, REALM "/region/26", KEY_ED25519, (uint8_t)(100 + i));
		assert_ok(keyring_trust_from(n->keys, &next.signer.key, i));
	}
	party_make(&next, REALM "/region/26", KEY_ED25519, 99);
	assert_err(keyring_trust_from(n->keys, &next.signer.key, 1000), ERR_LIMIT);
	assert_int_equal(keyring_log(n->keys, name_of("26"))->count, LOG_KEYS_MAX);
}

/* By a new card of the same log: what the server took in before it was signed by the old one. */
static void a_log_enrolled_once_more_has_its_new_key_from_there_on(void **state)
{
	struct nation *n = *state;
	struct party next;

	party_make(&next, REALM "/region/26", KEY_ED25519, 77);
	nation_grow(n, 5);
	(void)nation_enrol(n, "26", &next, &n->witnesses[0]);
	nation_read_keys(n);
	assert_key(n, "26", 5, &n->region);
	assert_key(n, "26", 6, &next);
}

/* An act whose leaf is no hash names no event. */
static void a_redaction_without_a_leaf_is_none(void **state)
{
	struct nation *n = *state;
	struct national_entry act = {.recorded = {2000},
				     .kind = NATIONAL_ACT,
				     .log = name_of("26"),
				     .act = "redact",
				     .by = "root",
				     .reason = "letter 3",
				     .index = 3,
				     .leaf = bytes_of_text("short")};
	struct buf raw = {0};

	assert_ok(keyring_new(&n->keys));
	assert_ok(national_encode(&act, &raw));
	assert_err(keyring_take_entry(n->keys, 7, buf_bytes(&raw)), ERR_INVALID);
	assert_null(keyring_redaction(n->keys, name_of("26"), 3));
	buf_free(&raw);
}

/* A rotation that was undone and done again: of one place, both keys are tried. */
static void of_several_keys_of_one_place_any_may_sign(void **state)
{
	struct nation *n = *state;
	struct party first;
	struct party second;
	struct checkpoint c;

	party_make(&first, REALM "/region/26", KEY_ED25519, 77);
	party_make(&second, REALM "/region/26", KEY_ED25519, 78);
	assert_ok(keyring_new(&n->keys));
	assert_ok(keyring_trust(n->keys, &first.signer.key));
	assert_ok(keyring_trust(n->keys, &second.signer.key));
	assert_ok(keyring_checkpoint(n->keys, name_of("26"),
				     signed_note(n, &first, 5, hash_empty()), &c));
	assert_ok(keyring_checkpoint(n->keys, name_of("26"),
				     signed_note(n, &second, 5, hash_empty()), &c));
	assert_err(keyring_checkpoint(n->keys, name_of("26"),
				      signed_note(n, &n->region, 5, hash_empty()), &c),
		   ERR_UNKNOWN_KEY);
}

#define NATION(test) cmocka_unit_test_setup_teardown(test, nation_setup, nation_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NATION(an_enrolment_names_the_first_key),
		NATION(a_rotation_names_the_next_one),
		NATION(trusted_keys_find_their_place_by_the_rotation),
		NATION(the_newest_act_says_a_logs_state),
		NATION(witnesses_are_the_active_regions),
		NATION(the_usual_policy_is_nine_or_more_than_half),
		NATION(redactions_are_kept_by_log_and_index),
		NATION(of_two_acts_about_one_event_the_newest_leaf_counts),
		NATION(what_does_not_fit_is_not_trusted),
		NATION(a_checkpoint_is_verified_by_the_key_of_its_size),
		NATION(a_stored_checkpoint_has_no_bad_line_by_any_key_of_its_log),
		NATION(rotations_are_read_from_a_log_alone),
		NATION(a_nodes_duties_name_its_redactions),
		NATION(more_keys_than_a_log_may_have_are_refused),
		NATION(a_log_enrolled_once_more_has_its_new_key_from_there_on),
		NATION(a_redaction_without_a_leaf_is_none),
		NATION(of_several_keys_of_one_place_any_may_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
