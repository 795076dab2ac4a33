#include "session_fixture.h"

static struct history region;
static struct card node_card, server_card;
static struct signer server_signer;
static uint8_t server_secret[SIGN_SECRET_BYTES];

static int set_up(void **state)
{
	(void)state;
	history_begin(&region, "26", 1);
	history_card(&region, &node_card);
	make_signer(REALM "/national/centrum", KEY_ED25519, 2, server_secret, &server_signer);
	server_card = (struct card){
		.server = true, .server_name = "centrum", .log_key = server_signer.key};
	memcpy(server_card.realm, REALM, sizeof(REALM));
	memset(server_card.curve_public, 9, sizeof(server_card.curve_public));
	return 0;
}

static void an_enrolment_is_signed_and_opened(void **state)
{
	struct buf raw = {0};
	struct card c;

	(void)state;
	assert_ok(card_sign(&node_card, &region.signer, &raw));
	assert_non_null(strstr(buf_text(&raw), "splot enrolment v1\nlog " REALM "/region/26\n"));
	assert_ok(card_open(buf_bytes(&raw), &c));
	assert_false(c.server);
	assert_string_equal(c.realm, REALM);
	assert_string_equal(c.log.text, "26");
	assert_memory_equal(c.log_key.public, node_card.log_key.public, SIGN_PUBLIC_BYTES);
	assert_string_equal(c.witness_key.name, REALM "/witness/26");
	assert_memory_equal(c.curve_public, node_card.curve_public, 32);
	buf_free(&raw);
}

static void a_server_card_is_signed_and_opened(void **state)
{
	struct buf raw = {0};
	struct card c;

	(void)state;
	assert_ok(card_sign(&server_card, &server_signer, &raw));
	assert_null(strstr(buf_text(&raw), "witness-key"));
	assert_ok(card_open(buf_bytes(&raw), &c));
	assert_true(c.server);
	assert_string_equal(c.server_name, "centrum");
	assert_string_equal(c.log.text, "national");
	assert_memory_equal(c.curve_public, server_card.curve_public, 32);
	buf_free(&raw);
}

static void a_card_signed_by_another_key_is_not_made(void **state)
{
	struct buf raw = {0};

	(void)state;
	assert_err(card_sign(&node_card, &server_signer, &raw), "argument");
	assert_int_equal(raw.size, 0);
	buf_free(&raw);
}

static void a_card_whose_names_do_not_fit_is_not_made(void **state)
{
	struct card c = node_card;
	struct buf raw = {0};

	(void)state;
	memcpy(c.log.text, "24", 3); /* the key speaks for 26 */
	assert_err(card_sign(&c, &region.signer, &raw), "origin");
	c = node_card;
	memcpy(c.realm, "a b", 4);
	assert_err(card_sign(&c, &region.signer, &raw), "invalid");
	buf_free(&raw);
}

/* Each byte of the text is covered by the signature or breaks the form. */
static void no_byte_of_a_card_can_be_changed(void **state)
{
	struct buf raw = {0};
	struct card c;

	(void)state;
	assert_ok(card_sign(&node_card, &region.signer, &raw));
	for (size_t i = 0; i < raw.size; i++) {
		raw.data[i] ^= 1;
		assert_true(card_open(buf_bytes(&raw), &c) != ERR_OK);
		raw.data[i] ^= 1;
	}
	for (size_t i = 0; i < raw.size; i++)
		assert_true(card_open(bytes_of(raw.data, i), &c) != ERR_OK);
	assert_ok(card_open(buf_bytes(&raw), &c));
	buf_free(&raw);
}

static void a_card_with_a_line_too_many_is_refused(void **state)
{
	struct buf text = {0};
	struct buf raw = {0};
	struct card c;
	const char *end = NULL;

	(void)state;
	assert_ok(card_sign(&node_card, &region.signer, &raw));
	end = strstr(buf_text(&raw), "\n\n");
	assert_non_null(end);
	buf_add(&text, raw.data, (size_t)(end - (const char *)raw.data) + 1);
	buf_add_text(&text, "note more\n");
	buf_clear(&raw);
	assert_ok(note_sign(buf_bytes(&text), &region.signer, &raw));
	assert_err(card_open(buf_bytes(&raw), &c), "decode");
	buf_free(&text);
	buf_free(&raw);
}

static void a_card_of_another_version_is_refused(void **state)
{
	struct buf raw = {0};
	struct card c;

	(void)state;
	assert_ok(note_sign(bytes_of_text("splot enrolment v9\n"), &region.signer, &raw));
	assert_err(card_open(buf_bytes(&raw), &c), "version");
	buf_free(&raw);
}

static void a_fingerprint_stands_for_both_keys(void **state)
{
	char one[20];
	char other[20];
	struct card c = node_card;

	(void)state;
	card_fingerprint(&node_card, one);
	assert_int_equal(strlen(one), 19);
	assert_int_equal(strspn(one, "0123456789abcdef-"), 19);
	card_fingerprint(&c, other);
	assert_string_equal(one, other);
	c.curve_public[0] ^= 1;
	card_fingerprint(&c, other);
	assert_string_not_equal(one, other);
	c = node_card;
	c.log_key = server_signer.key;
	card_fingerprint(&c, other);
	assert_string_not_equal(one, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_enrolment_is_signed_and_opened),
		cmocka_unit_test(a_server_card_is_signed_and_opened),
		cmocka_unit_test(a_card_signed_by_another_key_is_not_made),
		cmocka_unit_test(a_card_whose_names_do_not_fit_is_not_made),
		cmocka_unit_test(no_byte_of_a_card_can_be_changed),
		cmocka_unit_test(a_card_with_a_line_too_many_is_refused),
		cmocka_unit_test(a_card_of_another_version_is_refused),
		cmocka_unit_test(a_fingerprint_stands_for_both_keys),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
