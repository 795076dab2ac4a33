#include "tlog_fixture.h"

#include "tlog/checkpoint.h"

#define ORIGIN "splot.example/region/26"
#define ROOT   "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define TEXT   ORIGIN "\n0\n" ROOT "\n"

static uint8_t secret[SIGN_SECRET_BYTES];
static struct signer signer;
static struct signer neighbour;

static int set_up(void **state)
{
	uint8_t seed[SIGN_SEED_BYTES] = {26};
	uint8_t public[SIGN_PUBLIC_BYTES];

	(void)state;
	assert_int_equal(crypto_sign_seed_keypair(public, secret, seed), 0);
	signer.secret = secret;
	neighbour.secret = secret;
	assert_ok(vkey_make(ORIGIN, KEY_ED25519, public, &signer.key));
	assert_ok(vkey_make("splot.example/region/24", KEY_ED25519, public, &neighbour.key));
	return 0;
}

static struct checkpoint of_size(uint64_t size)
{
	struct checkpoint c = {.origin = ORIGIN, .size = size, .root = leaf_number(size)};

	return c;
}

static void the_empty_log(void **state)
{
	struct checkpoint c = {.origin = ORIGIN, .root = hash_empty()};
	struct checkpoint read;
	struct buf b = {0};

	(void)state;
	assert_ok(checkpoint_text(&c, &b));
	assert_string_equal(buf_text(&b), TEXT);
	assert_ok(checkpoint_parse(buf_bytes(&b), false, &read));
	assert_string_equal(read.origin, ORIGIN);
	assert_int_equal(read.size, 0);
	assert_hash(read.root, hash_empty());
	buf_free(&b);
}

static void what_is_written_is_read_back(void **state)
{
	static const uint64_t SIZES[] = {1, 9, 10, 4096, UINT32_MAX, INT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
		struct checkpoint c = of_size(SIZES[i]);
		struct checkpoint read;
		struct buf b = {0};

		assert_ok(checkpoint_sign(&c, &signer, &b));
		assert_ok(checkpoint_open(buf_bytes(&b), &signer.key, &read));
		assert_string_equal(read.origin, ORIGIN);
		assert_int_equal(read.size, SIZES[i]);
		assert_hash(read.root, c.root);
		buf_free(&b);
	}
}

static void a_text_of_another_form_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum err err;
	} CASES[] = {
		{"", ERR_DECODE},
		{ORIGIN, ERR_DECODE},
		{ORIGIN "\n", ERR_DECODE},
		{ORIGIN "\n1\n", ERR_DECODE},
		{ORIGIN "\n1\n" ROOT, ERR_DECODE},
		{"\n1\n" ROOT "\n", ERR_DECODE},
		{"\n" TEXT, ERR_DECODE},
		{TEXT "\n", ERR_DECODE},
		{ORIGIN "\n\n" ROOT "\n", ERR_DECODE},
		{ORIGIN "\n01\n" ROOT "\n", ERR_DECODE},
		{ORIGIN "\n00\n" ROOT "\n", ERR_DECODE},
		{ORIGIN "\n+1\n" ROOT "\n", ERR_DECODE},
		{ORIGIN "\n-1\n" ROOT "\n", ERR_DECODE},
		{ORIGIN "\n 1\n" ROOT "\n", ERR_DECODE},
		{ORIGIN "\n1 \n" ROOT "\n", ERR_DECODE},
		{ORIGIN "\n0x1\n" ROOT "\n", ERR_DECODE},
		{ORIGIN "\n1a\n" ROOT "\n", ERR_DECODE},
		{ORIGIN "\n1.0\n" ROOT "\n", ERR_DECODE},
		{ORIGIN "\n9223372036854775808\n" ROOT "\n", ERR_DECODE},
		{ORIGIN "\n18446744073709551616\n" ROOT "\n", ERR_DECODE},
		{ORIGIN "\n99999999999999999999999999\n" ROOT "\n", ERR_DECODE},
		{ORIGIN "\n1\n\n", ERR_DECODE},
		{ORIGIN "\n1\n " ROOT "\n", ERR_DECODE},
		{ORIGIN "\n1\n" ROOT "=\n", ERR_DECODE},
		{ORIGIN "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==\n", ERR_DECODE},
		{ORIGIN "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFVV\n", ERR_DECODE},
		{ORIGIN "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n", ERR_DECODE},
		{ORIGIN "\n1\n47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=\n", ERR_DECODE},
		{ORIGIN "\r\n1\n" ROOT "\n", ERR_ENCODING},
		{"\xff\n1\n" ROOT "\n", ERR_ENCODING},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct checkpoint c = {.size = 77};

		assert_err(checkpoint_parse(bytes_of_text(CASES[i].text), true, &c), CASES[i].err);
		assert_int_equal(c.size, 77);
	}
}

static void an_origin_has_a_bound(void **state)
{
	struct buf b = {0};
	struct checkpoint c;

	(void)state;
	for (int i = 0; i < ORIGIN_BYTES_MAX; i++)
		buf_add_text(&b, "o");
	buf_add_text(&b, "\n1\n" ROOT "\n");
	assert_ok(checkpoint_parse(buf_bytes(&b), false, &c));
	assert_int_equal(strlen(c.origin), ORIGIN_BYTES_MAX);
	buf_clear(&b);
	for (int i = 0; i <= ORIGIN_BYTES_MAX; i++)
		buf_add_text(&b, "o");
	buf_add_text(&b, "\n1\n" ROOT "\n");
	assert_err(checkpoint_parse(buf_bytes(&b), false, &c), ERR_LIMIT);
	buf_free(&b);
}

static void extension_lines_are_for_those_who_ask_for_them(void **state)
{
	struct checkpoint c;

	(void)state;
	assert_ok(checkpoint_parse(bytes_of_text(TEXT), true, &c));
	assert_ok(checkpoint_parse(bytes_of_text(TEXT "one\n"), true, &c));
	assert_ok(checkpoint_parse(bytes_of_text(TEXT "one\ntwo\n"), true, &c));
	assert_err(checkpoint_parse(bytes_of_text(TEXT "one\n"), false, &c), ERR_DECODE);
	assert_err(checkpoint_parse(bytes_of_text(TEXT "one"), true, &c), ERR_DECODE);
	assert_err(checkpoint_parse(bytes_of_text(TEXT "\n"), true, &c), ERR_DECODE);
	assert_err(checkpoint_parse(bytes_of_text(TEXT "one\n\n"), true, &c), ERR_DECODE);
	assert_err(checkpoint_parse(bytes_of_text(TEXT "one\n\ntwo\n"), true, &c), ERR_DECODE);
}

static void a_signed_checkpoint_with_extension_lines_is_not_ours(void **state)
{
	struct buf b = {0};
	struct checkpoint c;

	(void)state;
	assert_ok(note_sign(bytes_of_text(TEXT "one\n"), &signer, &b));
	assert_err(checkpoint_open(buf_bytes(&b), &signer.key, &c), ERR_DECODE);
	buf_free(&b);
}

static void nobody_signs_for_another_log(void **state)
{
	struct checkpoint c = of_size(5);
	struct checkpoint read = {.size = 77};
	struct buf b = {0};

	(void)state;
	assert_err(checkpoint_sign(&c, &neighbour, &b), ERR_ORIGIN);
	assert_int_equal(b.size, 0);
	assert_ok(checkpoint_sign(&c, &signer, &b));
	assert_err(checkpoint_open(buf_bytes(&b), &neighbour.key, &read), ERR_ORIGIN);
	buf_clear(&b);
	assert_ok(note_sign(bytes_of_text(TEXT), &neighbour, &b)); /* a foreign origin, signed */
	assert_err(checkpoint_open(buf_bytes(&b), &neighbour.key, &read), ERR_ORIGIN);
	assert_err(checkpoint_open(buf_bytes(&b), &signer.key, &read), ERR_UNKNOWN_KEY);
	assert_int_equal(read.size, 77);
	buf_free(&b);
}

static void a_changed_checkpoint_is_refused(void **state)
{
	struct checkpoint c = of_size(1234567);
	struct checkpoint read = {.size = 77};
	struct buf b = {0};

	(void)state;
	assert_ok(checkpoint_sign(&c, &signer, &b));
	for (size_t bit = 0; bit < 8 * b.size; bit++) {
		b.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_not_equal(checkpoint_open(buf_bytes(&b), &signer.key, &read), ERR_OK);
		b.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_int_equal(read.size, 77);
	for (size_t size = 0; size < b.size; size++)
		assert_int_not_equal(checkpoint_open(bytes_of(b.data, size), &signer.key, &read),
				     ERR_OK);
	buf_free(&b);
}

static void what_cannot_be_read_back_is_not_written(void **state)
{
	struct checkpoint c = of_size((uint64_t)INT64_MAX + 1);
	struct buf b = {0};

	(void)state;
	assert_err(checkpoint_text(&c, &b), ERR_ARGUMENT);
	c = (struct checkpoint){.origin = ""};
	assert_err(checkpoint_text(&c, &b), ERR_ARGUMENT);
	c = (struct checkpoint){.origin = "a\nb"};
	assert_err(checkpoint_text(&c, &b), ERR_ARGUMENT);
	c = (struct checkpoint){.origin = "a\tb"};
	assert_err(checkpoint_text(&c, &b), ERR_ENCODING);
	assert_int_equal(b.size, 0);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_empty_log),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(a_text_of_another_form_is_refused),
		cmocka_unit_test(an_origin_has_a_bound),
		cmocka_unit_test(extension_lines_are_for_those_who_ask_for_them),
		cmocka_unit_test(a_signed_checkpoint_with_extension_lines_is_not_ours),
		cmocka_unit_test(nobody_signs_for_another_log),
		cmocka_unit_test(a_changed_checkpoint_is_refused),
		cmocka_unit_test(what_cannot_be_read_back_is_not_written),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
