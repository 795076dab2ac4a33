/* A national log begun anew: what it may quote, and what a node makes of it. */
#include "session/anew.h"

#include "session_fixture.h"

enum { KEYS = 4 };

/* The national log of "centrum", generation by generation (1, 2 …), each with keys of its own. */
struct world {
	uint8_t secrets[KEYS][SIGN_SECRET_BYTES];
	struct signer signers[KEYS];
	struct buf notes[8];
	size_t note_count;
	struct arena arena;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char origin[ORIGIN_BYTES_MAX + 1];

	assert_non_null(w);
	for (uint32_t i = 0; i < KEYS; i++) {
		assert_ok(national_origin(REALM, "centrum", i + 1, origin, sizeof(origin)));
		make_signer(origin, KEY_ED25519, (uint8_t)(60 + i), w->secrets[i], &w->signers[i]);
	}
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < w->note_count; i++)
		buf_free(&w->notes[i]);
	arena_free(&w->arena);
	free(w);
	return 0;
}

/* A checkpoint of that generation; the root is of `root`. */
static struct bytes note_of(struct world *w, uint32_t generation, uint64_t size, uint8_t root)
{
	const struct signer *by = &w->signers[generation - 1];
	struct checkpoint c = {.size = size};
	struct buf *note = &w->notes[w->note_count++];

	memset(c.root.b, root, sizeof(c.root.b));
	memcpy(c.origin, by->key.name, sizeof(c.origin));
	assert_ok(checkpoint_sign(&c, by, note));
	return buf_bytes(note);
}

static const struct vkey *key_of(const struct world *w, uint32_t generation)
{
	return &w->signers[generation - 1].key;
}

static const char *origin_of(const struct world *w, uint32_t generation)
{
	return key_of(w, generation)->name;
}

/* ---- what a log quotes ---- */

static void only_a_lower_generation_of_the_same_server_is_quoted(void **state)
{
	struct world *w = *state;
	struct bytes first = note_of(w, 1, 9, 7);
	struct bytes second = note_of(w, 2, 5, 7);
	struct anew_quote q = {.generation = 99};
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer other;

	assert_err(anew_open(origin_of(w, 1), first, key_of(w, 1), &q), "invalid");
	assert_err(anew_open(origin_of(w, 2), second, key_of(w, 2), &q), "origin");
	assert_err(anew_open(origin_of(w, 2), note_of(w, 3, 5, 7), key_of(w, 3), &q), "origin");
	make_signer(REALM "/national/drugi", KEY_ED25519, 70, secret, &other);
	assert_err(anew_open(origin_of(w, 2), first, &other.key, &q), "origin");
	make_signer("other.example/national/centrum", KEY_ED25519, 70, secret, &other);
	assert_err(anew_open(origin_of(w, 2), first, &other.key, &q), "origin");
	make_signer(REALM "/region/26", KEY_ED25519, 70, secret, &other);
	assert_err(anew_open(origin_of(w, 2), first, &other.key, &q), "origin");
	assert_err(anew_open(REALM "/region/26/2", first, key_of(w, 1), &q), "invalid");
	/* the right log, by another key of that name */
	make_signer(origin_of(w, 1), KEY_ED25519, 70, secret, &other);
	assert_err(anew_open(origin_of(w, 2), first, &other.key, &q), "unknown-key");
	assert_err(anew_open(origin_of(w, 2), note_of(w, 1, 0, 7), key_of(w, 1), &q), "invalid");
	assert_err(anew_open(origin_of(w, 2), bytes_of_text("no note"), key_of(w, 1), &q),
		   "decode");
	assert_int_equal(q.generation, 99); /* untouched by failures */

	assert_ok(anew_open(origin_of(w, 2), first, key_of(w, 1), &q));
	assert_int_equal(q.generation, 1);
	assert_int_equal(q.checkpoint.size, 9);
	assert_ok(anew_open(origin_of(w, 4), second, key_of(w, 2), &q));
	assert_int_equal(q.generation, 2);
}

/* The entry as a server writes it. */
static struct national_entry continues(struct bytes note, uint64_t size, const char *key)
{
	return (struct national_entry){.kind = NATIONAL_ACT,
				       .log = {"national"},
				       .act = "continues",
				       .by = "a01",
				       .reason = "its disk was lost",
				       .document = note,
				       .other = bytes_of_text(key),
				       .size = size};
}

static void the_first_entry_of_a_log_begun_anew_and_no_other_quotes(void **state)
{
	struct world *w = *state;
	char key[VKEY_BYTES];
	struct national_entry act;
	struct national_entry enrol = {.kind = NATIONAL_ACT, .act = "enrol", .log = {"26"}};
	struct national_entry accepted = {.kind = NATIONAL_ACCEPTED, .log = {"26"}};
	struct anew_quote q = {.generation = 99};

	vkey_text(key_of(w, 1), key);
	act = continues(note_of(w, 1, 9, 7), 9, key);
	assert_ok(anew_entry(origin_of(w, 2), 0, &act, &q));
	assert_int_equal(q.generation, 1);
	assert_int_equal(q.checkpoint.size, 9);
	assert_string_equal(q.key.name, origin_of(w, 1));
	assert_err(anew_entry(origin_of(w, 2), 1, &act, &q), "invalid");
	assert_err(anew_entry(origin_of(w, 1), 0, &act, &q), "invalid");
	assert_err(anew_entry(origin_of(w, 2), 0, &enrol, &q), "invalid");
	assert_err(anew_entry(origin_of(w, 2), 0, &accepted, &q), "invalid");
	act.size = 8; /* another size than its document says */
	assert_err(anew_entry(origin_of(w, 2), 0, &act, &q), "invalid");
	act.size = 9;
	act.log = (struct log_name){"26"};
	assert_err(anew_entry(origin_of(w, 2), 0, &act, &q), "invalid");
	act = continues(note_of(w, 1, 9, 7), 9, "no key");
	assert_err(anew_entry(origin_of(w, 2), 0, &act, &q), "decode");
	assert_int_equal(q.generation, 1);
	assert_ok(anew_entry(origin_of(w, 1), 0, &enrol, &q));
	assert_int_equal(q.generation, 0);
	assert_ok(anew_entry(origin_of(w, 2), 1, &accepted, &q));
}

static void such_an_entry_comes_back_from_its_bytes(void **state)
{
	struct world *w = *state;
	char key[VKEY_BYTES];
	struct national_entry act;
	struct national_entry back;
	struct anew_quote q;
	struct buf raw = {0};

	vkey_text(key_of(w, 1), key);
	act = continues(note_of(w, 1, 9, 7), 9, key);
	assert_ok(national_encode(&act, &raw));
	assert_ok(national_decode(buf_bytes(&raw), &w->arena, &back));
	assert_ok(anew_entry(origin_of(w, 2), 0, &back, &q));
	assert_int_equal(q.checkpoint.size, 9);
	buf_free(&raw);
}

/* ---- cards ---- */

static void a_card_of_another_generation_is_not_followed_unasked(void **state)
{
	struct world *w = *state;
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer other;
	struct anew_seen seen[] = {
		{.generation = 2, .has_key = true, .key = *key_of(w, 2)},
		{.generation = 1, .has_key = true, .key = *key_of(w, 1)},
	};

	assert_int_equal(anew_card_is(key_of(w, 3), 3, seen, 0), ANEW_FIRST);
	assert_int_equal(anew_card_is(key_of(w, 2), 2, seen, 2), ANEW_SAME);
	assert_int_equal(anew_card_is(key_of(w, 3), 3, seen, 2), ANEW_LATER);
	assert_int_equal(anew_card_is(key_of(w, 1), 1, seen, 2), ANEW_EARLIER);
	make_signer(origin_of(w, 2), KEY_ED25519, 70, secret, &other);
	assert_int_equal(anew_card_is(&other.key, 2, seen, 2), ANEW_STRANGE);
}

static void what_was_witnessed_tells_the_generation_when_the_store_was_lost(void **state)
{
	struct world *w = *state;
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer other;
	struct anew_seen seen = {.generation = 1, .note = note_of(w, 1, 9, 7)};

	assert_int_equal(anew_card_is(key_of(w, 1), 1, &seen, 1), ANEW_SAME);
	assert_int_equal(anew_card_is(key_of(w, 2), 2, &seen, 1), ANEW_LATER);
	make_signer(origin_of(w, 1), KEY_ED25519, 70, secret, &other);
	assert_int_equal(anew_card_is(&other.key, 1, &seen, 1), ANEW_STRANGE);
}

/* ---- whether a quote is enough ---- */

static struct anew_quote quote(struct world *w, uint32_t of, uint64_t size, uint8_t root)
{
	struct anew_quote q;

	assert_ok(anew_open(origin_of(w, of + 1), note_of(w, of, size, root), key_of(w, of), &q));
	return q;
}

static void a_quote_bears_out_what_was_witnessed_or_is_declined(void **state)
{
	struct world *w = *state;
	char why[TEXT_BYTES_MAX + 1] = "";
	struct anew_seen seen = {.generation = 1,
				 .has_key = true,
				 .key = *key_of(w, 1),
				 .note = note_of(w, 1, 1234, 7)};
	struct anew_quote same = quote(w, 1, 1234, 7);
	struct anew_quote larger = quote(w, 1, 1235, 8);
	struct anew_quote smaller = quote(w, 1, 1200, 7);
	struct anew_quote forked = quote(w, 1, 1234, 8);

	assert_ok(anew_judge(&same, &seen, 1, why));
	assert_ok(anew_judge(&larger, &seen, 1, why));
	assert_ok(anew_judge(&smaller, &seen, 0, why));
	assert_string_equal(why, "");
	assert_err(anew_judge(&smaller, &seen, 1, why), "rollback");
	assert_string_equal(why, "this node witnessed 1234 of the old log, the new one quotes "
				 "1200: give the administrator the note that `splotctl witnessed` "
				 "prints");
	assert_err(anew_judge(&forked, &seen, 1, why), "root");
	assert_non_null(strstr(why, "two histories"));
	/* whoever witnessed nothing has nothing to hold against it */
	seen.note.size = 0;
	assert_ok(anew_judge(&smaller, &seen, 1, why));
}

static void the_old_log_is_known_by_its_key(void **state)
{
	struct world *w = *state;
	char why[TEXT_BYTES_MAX + 1] = "";
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer other;
	struct anew_seen seen = {.generation = 1, .has_key = true};
	struct anew_quote q = quote(w, 1, 9, 7);

	make_signer(origin_of(w, 1), KEY_ED25519, 70, secret, &other);
	seen.key = other.key;
	assert_err(anew_judge(&q, &seen, 1, why), "unknown-key");
	/* the node's own note tells the key when nothing else does */
	seen.has_key = false;
	seen.note = note_of(w, 1, 5, 7);
	assert_ok(anew_judge(&q, &seen, 1, why));
	q.key = other.key;
	assert_err(anew_judge(&q, &seen, 1, why), "unknown-key");
	assert_non_null(strstr(why, "another key"));
	seen.note = bytes_of_text("no note");
	assert_err(anew_judge(&q, &seen, 1, why), "corrupt");
}

static void the_highest_generation_that_was_witnessed_is_to_be_quoted(void **state)
{
	struct world *w = *state;
	char why[TEXT_BYTES_MAX + 1] = "";
	struct anew_seen seen[] = {
		{.generation = 1, .note = note_of(w, 1, 9, 7)},
		{.generation = 2, .note = note_of(w, 2, 3, 7)},
		{.generation = 3, .has_key = true, .key = *key_of(w, 3)},
	};
	struct anew_quote first = quote(w, 1, 9, 7);
	struct anew_quote second = quote(w, 2, 3, 7);
	struct anew_quote third = quote(w, 3, 3, 7);

	assert_ok(anew_judge(&second, seen, 2, why)); /* what it quoted was judged then */
	assert_ok(anew_judge(&second, seen, 3, why)); /* followed, but nothing witnessed */
	assert_err(anew_judge(&first, seen, 2, why), "rollback");
	assert_err(anew_judge(&third, seen, 3, why), "proof");
	assert_non_null(strstr(why, "quotes generation 3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			only_a_lower_generation_of_the_same_server_is_quoted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_first_entry_of_a_log_begun_anew_and_no_other_quotes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(such_an_entry_comes_back_from_its_bytes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			a_card_of_another_generation_is_not_followed_unasked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_was_witnessed_tells_the_generation_when_the_store_was_lost, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_quote_bears_out_what_was_witnessed_or_is_declined,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_old_log_is_known_by_its_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_highest_generation_that_was_witnessed_is_to_be_quoted, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
