#include "tlog_fixture.h"

#include "tlog/cosignature.h"

/* A key made from the seed 00 01 02 … 1f; what it signs here was worked out with OpenSSL. */
#define NAME         "splot.example/region/26"
#define VKEY         NAME "+dff46af4+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define WITNESS      "splot.example/witness/26"
#define WITNESS_VKEY WITNESS "+3d7c8780+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define TEXT         NAME "\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
#define DASH         "\xe2\x80\x94 "
#define BODY                                                                                       \
	"3/"                                                                                       \
	"Rq9JoS8RiS8GOfdOwKwgOSw9q1rpg4URnD3bWmnIg74aXbDzYPP3R9urztX6heb2pPYk7ErHwjZr5Vs2feNnV9Lg" \
	"Q="
#define LINE        DASH NAME " " BODY "\n"
#define COSIGNED_AT 1763760600
#define COSIGNATURE                                                                                \
	DASH WITNESS " PXyHgAAAAABpINnYPNhwp7AiuyzXL8sMbc1QOwO/TJNsNhiAgIvHosVVex2K1sDq/"          \
		     "cEwO8oZB29C7xeVD4zkU9eHi+HSOzebO9ogAA==\n"
#define NOTE TEXT "\n" LINE

static uint8_t secret[SIGN_SECRET_BYTES];
static struct signer signer;
static struct signer witness;

static int set_up(void **state)
{
	uint8_t seed[SIGN_SEED_BYTES];
	uint8_t public[SIGN_PUBLIC_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)i;
	assert_int_equal(crypto_sign_seed_keypair(public, secret, seed), 0);
	signer.secret = secret;
	witness.secret = secret;
	assert_ok(vkey_make(NAME, KEY_ED25519, public, &signer.key));
	assert_ok(vkey_make(WITNESS, KEY_COSIGNATURE, public, &witness.key));
	return 0;
}

static struct bytes text_of(const char *text)
{
	return bytes_of_text(text);
}

/* ---- keys ---- */

static void a_key_is_written_and_read_back(void **state)
{
	static const struct {
		const struct signer *signer;
		const char *text;
	} CASES[] = {{&signer, VKEY}, {&witness, WITNESS_VKEY}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct vkey *made = &CASES[i].signer->key;
		char text[VKEY_BYTES];
		struct vkey read;

		vkey_text(made, text);
		assert_string_equal(text, CASES[i].text);
		assert_ok(vkey_parse(text_of(text), &read));
		assert_string_equal(read.name, made->name);
		assert_int_equal(read.id, made->id);
		assert_int_equal(read.type, made->type);
		assert_memory_equal(read.public, made->public, SIGN_PUBLIC_BYTES);
	}
}

static void the_keys_of_rfc_8032(void **state)
{
	static const struct {
		const char *seed, *public;
	} CASES[] = {
		{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		 "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"},
		{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
		 "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"},
		{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
		 "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uint8_t made[SIGN_SECRET_BYTES];
		struct signer by = {.secret = made};
		struct hash seed = hash_hex(CASES[i].seed);
		struct hash public = hash_hex(CASES[i].public);
		struct buf b = {0};
		struct note n;
		uint8_t pk[SIGN_PUBLIC_BYTES];

		assert_int_equal(crypto_sign_seed_keypair(pk, made, seed.b), 0);
		assert_memory_equal(pk, public.b, SIGN_PUBLIC_BYTES);
		assert_ok(vkey_make("rfc8032", KEY_ED25519, public.b, &by.key));
		assert_ok(note_sign(text_of("a\n"), &by, &b));
		assert_ok(note_parse(buf_bytes(&b), &n));
		assert_ok(note_verify(&n, &by.key));
		buf_free(&b);
	}
}

static void a_key_text_of_another_form_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum err err;
	} CASES[] = {
		{"", ERR_DECODE},
		{"a", ERR_DECODE},
		{"a+b", ERR_DECODE},
		{"a++", ERR_DECODE},
		{VKEY " ", ERR_DECODE},
		{VKEY "\n", ERR_DECODE},
		{" " VKEY, ERR_DECODE}, /* no spaces in names */
		{"+dff46af4+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", ERR_DECODE},
		{NAME "+DFF46AF4+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", ERR_DECODE},
		{NAME "+dff46af+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", ERR_DECODE},
		{NAME "+dff46af44+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", ERR_DECODE},
		{NAME "+dff46af4+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTE=", ERR_DECODE},
		{NAME "+dff46af4+", ERR_DECODE},
		{NAME "+dff46af5+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", ERR_SIGNATURE},
		{NAME "+dff46af4+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG5", ERR_SIGNATURE},
		{NAME "x+dff46af4+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", ERR_SIGNATURE},
		{NAME "+dff46af4+AgOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", ERR_VERSION},
		{"a\xc2\xa0z+dff46af4+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", ERR_DECODE},
		{"a\xffz+dff46af4+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", ERR_DECODE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct vkey k;

		assert_err(vkey_parse(text_of(CASES[i].text), &k), CASES[i].err);
	}
}

static void a_key_has_a_name_that_fits_a_line(void **state)
{
	char name[KEY_NAME_BYTES_MAX + 2];
	struct vkey k;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[KEY_NAME_BYTES_MAX + 1] = 0;
	assert_err(vkey_make(name, KEY_ED25519, signer.key.public, &k), ERR_LIMIT);
	name[KEY_NAME_BYTES_MAX] = 0;
	assert_ok(vkey_make(name, KEY_ED25519, signer.key.public, &k));
	assert_err(vkey_make("", KEY_ED25519, signer.key.public, &k), ERR_INVALID);
	assert_err(vkey_make("a b", KEY_ED25519, signer.key.public, &k), ERR_INVALID);
	assert_err(vkey_make("a+b", KEY_ED25519, signer.key.public, &k), ERR_INVALID);
	assert_err(vkey_make("a\nb", KEY_ED25519, signer.key.public, &k), ERR_INVALID);
	assert_err(vkey_make("a", 2, signer.key.public, &k), ERR_VERSION);
}

/* ---- notes ---- */

static void a_note_is_what_another_signer_makes_of_it(void **state)
{
	struct buf b = {0};
	struct note n;

	(void)state;
	assert_ok(note_sign(text_of(TEXT), &signer, &b));
	assert_string_equal(buf_text(&b), NOTE);
	assert_ok(note_parse(buf_bytes(&b), &n));
	assert_true(bytes_equal(n.text, text_of(TEXT)));
	assert_int_equal(n.signature_count, 1);
	assert_true(bytes_equal(n.signatures[0].name, text_of(NAME)));
	assert_int_equal(n.signatures[0].key_id, 0xdff46af4);
	assert_int_equal(n.signatures[0].body_size, SIGNATURE_BYTES);
	assert_ok(note_verify(&n, &signer.key));
	assert_err(note_verify(&n, &witness.key), ERR_UNKNOWN_KEY);
	buf_free(&b);
}

static void a_note_of_another_form_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum err err;
	} CASES[] = {
		{"", ERR_DECODE},
		{"\n", ERR_DECODE},
		{"\n\n", ERR_DECODE},
		{TEXT, ERR_DECODE},
		{TEXT "\n", ERR_DECODE},
		{LINE, ERR_DECODE},
		{"\n" LINE, ERR_DECODE}, /* no text */
		{TEXT LINE, ERR_DECODE}, /* no blank line */
		{NOTE "\n", ERR_DECODE},
		{NOTE "trailing\n", ERR_DECODE},
		{NOTE LINE "\n" LINE "x", ERR_DECODE},
		{TEXT "\n" DASH NAME " " BODY, ERR_DECODE}, /* no final newline */
		{TEXT "\n- " NAME " " BODY "\n", ERR_DECODE},
		{TEXT "\n\xe2\x80\x93 " NAME " " BODY "\n", ERR_DECODE}, /* en dash */
		{TEXT "\n\xe2\x80\x94" NAME " " BODY "\n", ERR_DECODE},
		{TEXT "\n " LINE, ERR_DECODE},
		{TEXT "\n" DASH BODY "\n", ERR_DECODE},
		{TEXT "\n" DASH " " BODY "\n", ERR_DECODE},
		{TEXT "\n" DASH NAME "  " BODY "\n", ERR_DECODE},
		{TEXT "\n" DASH NAME " " BODY " \n", ERR_DECODE},
		{TEXT "\n" DASH NAME "+ " BODY "\n", ERR_DECODE},
		{TEXT "\n" DASH "a\xe3\x80\x80z " BODY "\n", ERR_DECODE}, /* U+3000 */
		{TEXT "\n" DASH NAME " \n", ERR_DECODE},
		{TEXT "\n" DASH NAME " AAAAAA==\n", ERR_DECODE}, /* a key id alone */
		{TEXT "\n" DASH NAME " AAAAAAA\n", ERR_DECODE},  /* padding missing */
		{TEXT "\n" DASH NAME " AAAAAAB=\n", ERR_DECODE}, /* bits behind the end */
		{TEXT "\n" DASH NAME " AAAA=AAA\n", ERR_DECODE},
		{TEXT "\n" DASH NAME " AAAAAAA=AAAA\n", ERR_DECODE},
		{TEXT "\n" DASH NAME " AAAAAAA-\n", ERR_DECODE},       /* another alphabet */
		{TEXT "\n" DASH NAME " AAAAAA\xc4\x85\n", ERR_DECODE}, /* no letter of it */
		{TEXT "\n" DASH NAME " AAAAAAAA====\n", ERR_DECODE},
		{"\x01" NOTE, ERR_ENCODING},
		{"a\tb\n" NOTE, ERR_ENCODING},
		{"a\r\n" NOTE, ERR_ENCODING},
		{"\xff" NOTE, ERR_ENCODING},
		{"\xc0\xaf" NOTE, ERR_ENCODING},         /* overlong */
		{"\xe0\x80\xaf" NOTE, ERR_ENCODING},     /* overlong */
		{"\xed\xa0\x80" NOTE, ERR_ENCODING},     /* a surrogate */
		{"\xf4\x90\x80\x80" NOTE, ERR_ENCODING}, /* above U+10FFFF */
		{"\xc4" NOTE, ERR_ENCODING},             /* cut short */
		{NOTE "\xc4", ERR_ENCODING},
		{"\x80" NOTE, ERR_ENCODING},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct note n = {.signature_count = 77};

		assert_err(note_parse(text_of(CASES[i].text), &n), CASES[i].err);
		assert_int_equal(n.signature_count, 77);
	}
}

static void a_nul_in_a_note_is_refused(void **state)
{
	static const char raw[] = "a\0b\n\n" LINE;
	struct note n;

	(void)state;
	assert_err(note_parse(bytes_of(raw, sizeof(raw) - 1), &n), ERR_ENCODING);
}

static void text_may_hold_blank_lines_and_what_looks_like_a_signature(void **state)
{
	static const char text[] =
		"za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87 \xf0\x9f\x8c\xbf\n\n" LINE "\n\n";
	struct buf b = {0};
	struct note n;

	(void)state;
	assert_ok(note_sign(text_of(text), &signer, &b));
	assert_ok(note_parse(buf_bytes(&b), &n));
	assert_true(bytes_equal(n.text, text_of(text)));
	assert_int_equal(n.signature_count, 1);
	assert_ok(note_verify(&n, &signer.key));
	buf_free(&b);
}

static void every_changed_bit_of_a_note_is_noticed(void **state)
{
	uint8_t raw[sizeof(NOTE) - 1];

	(void)state;
	memcpy(raw, NOTE, sizeof(raw));
	for (size_t bit = 0; bit < 8 * sizeof(raw); bit++) {
		struct note n;

		raw[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_true(note_parse(bytes_of(raw, sizeof(raw)), &n) ||
			    note_verify(&n, &signer.key));
		raw[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}

static void lines_by_other_keys_are_ignored(void **state)
{
	static const char raw[] =
		TEXT "\n" DASH "other.example " BODY "\n" /* same id, other name */
		DASH NAME " AAAAAAAA\n"                   /* same name, other id */
		LINE COSIGNATURE;
	struct note n;

	(void)state;
	assert_ok(note_parse(text_of(raw), &n));
	assert_int_equal(n.signature_count, 4);
	assert_ok(note_verify(&n, &signer.key));
	assert_ok(note_verify(&n, &witness.key));
}

static void one_bad_line_by_the_key_refuses_the_note(void **state)
{
	static const char bad[] = DASH NAME " 3/Rq9AAA\n";
	struct buf b = {0};
	struct note n;

	(void)state;
	for (int bad_first = 0; bad_first < 2; bad_first++) {
		buf_clear(&b);
		buf_add_text(&b, TEXT "\n");
		buf_add_text(&b, bad_first ? bad : LINE);
		buf_add_text(&b, bad_first ? LINE : bad);
		assert_ok(note_parse(buf_bytes(&b), &n));
		assert_err(note_verify(&n, &signer.key), ERR_SIGNATURE);
	}
	buf_free(&b);
}

/* Two notes whose signatures are good by the equation alone. */
static void lenient_signatures_are_refused(void **state)
{
	/* the order of the group, little-endian: S + L signs the same */
	struct hash order =
		hash_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
	struct signer small = signer;
	struct note n;
	unsigned carry = 0;

	(void)state;
	assert_ok(note_parse(text_of(NOTE), &n));
	for (size_t i = 0; i < 32; i++) {
		carry += (unsigned)n.signatures[0].body[32 + i] + order.b[i];
		n.signatures[0].body[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_err(note_verify(&n, &signer.key), ERR_SIGNATURE);

	/* a key and R that are the neutral element, S = 0: "signs" anything */
	memset(small.key.public, 0, SIGN_PUBLIC_BYTES);
	small.key.public[0] = 1;
	memset(n.signatures[0].body, 0, SIGNATURE_BYTES);
	n.signatures[0].body[0] = 1;
	assert_err(note_verify(&n, &small.key), ERR_SIGNATURE);
}

static void as_many_lines_as_the_bound_and_not_one_more(void **state)
{
	struct buf b = {0};
	struct note n;

	(void)state;
	buf_add_text(&b, TEXT "\n");
	for (size_t i = 0; i < NOTE_SIGNATURES_MAX; i++)
		buf_add_text(&b, DASH "k AAAAAAAA\n");
	assert_ok(note_parse(buf_bytes(&b), &n));
	assert_int_equal(n.signature_count, NOTE_SIGNATURES_MAX);
	buf_add_text(&b, LINE);
	assert_err(note_parse(buf_bytes(&b), &n), ERR_LIMIT);
	buf_free(&b);
}

static void a_long_signature_of_an_unknown_algorithm_is_left_out(void **state)
{
	struct buf b = {0};
	struct note n;

	(void)state;
	buf_add_text(&b, TEXT "\n" LINE DASH "pq.example ");
	for (size_t i = 0; i < 600; i++)
		buf_add_text(&b, "AAAA");
	buf_add_text(&b, "\n");
	assert_ok(note_parse(buf_bytes(&b), &n));
	assert_int_equal(n.signature_count, 2);
	assert_int_equal(n.signatures[1].body_size, 0);
	assert_ok(note_verify(&n, &signer.key));
	buf_free(&b);
}

static void a_note_is_as_long_as_the_bound_and_not_longer(void **state)
{
	static char text[NOTE_BYTES_MAX + 2];
	struct buf b = {0};
	struct note n;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[NOTE_BYTES_MAX] = '\n';
	assert_err(note_parse(bytes_of(text, NOTE_BYTES_MAX + 1), &n), ERR_LIMIT);
	assert_err(note_sign(bytes_of(text, NOTE_BYTES_MAX + 1), &signer, &b), ERR_LIMIT);
	assert_int_equal(b.size, 0);
	memcpy(text + NOTE_BYTES_MAX - 500, "\n", 1);
	assert_ok(note_sign(bytes_of(text, NOTE_BYTES_MAX - 499), &signer, &b));
	assert_ok(note_parse(buf_bytes(&b), &n));
	buf_free(&b);
}

static void what_cannot_be_read_back_is_not_signed(void **state)
{
	struct signer other = signer;
	struct buf b = {0};

	(void)state;
	assert_err(note_sign(text_of(""), &signer, &b), ERR_ARGUMENT);
	assert_err(note_sign(text_of("no newline"), &signer, &b), ERR_ARGUMENT);
	assert_err(note_sign(text_of("a\r\n"), &signer, &b), ERR_ENCODING);
	assert_err(note_sign(text_of("\xff\n"), &signer, &b), ERR_ENCODING);
	assert_err(note_sign(text_of(TEXT), &witness, &b), ERR_ARGUMENT);
	other.key.public[0] ^= 1; /* a public key that is not the secret's */
	assert_err(note_sign(text_of(TEXT), &other, &b), ERR_ARGUMENT);
	assert_int_equal(b.size, 0);
	b.limit = 10;
	assert_err(note_sign(text_of(TEXT), &signer, &b), ERR_LIMIT);
	buf_free(&b);
}

/* A key of the same name, as a log has after its key was rotated. */
static void make_next(uint8_t next_secret[static SIGN_SECRET_BYTES], struct signer *ret)
{
	const uint8_t seed[SIGN_SEED_BYTES] = {0x77};
	uint8_t public[SIGN_PUBLIC_BYTES];

	assert_int_equal(crypto_sign_seed_keypair(public, next_secret, seed), 0);
	assert_ok(vkey_make(NAME, KEY_ED25519, public, &ret->key));
	ret->secret = next_secret;
}

static void two_keys_of_one_log_sign_the_same_text(void **state)
{
	uint8_t next_secret[SIGN_SECRET_BYTES];
	struct signer next;
	struct buf alone = {0};
	struct buf b = {0};
	struct note one;
	struct note n;

	(void)state;
	make_next(next_secret, &next);
	assert_ok(note_sign(text_of(TEXT), &next, &alone));
	assert_ok(note_parse(buf_bytes(&alone), &one));
	assert_ok(note_sign(text_of(TEXT), &signer, &b));
	assert_ok(note_sign_also(&next, &b));
	assert_memory_equal(b.data, NOTE, sizeof(NOTE) - 1);
	assert_ok(note_parse(buf_bytes(&b), &n));
	assert_int_equal(n.signature_count, 2);
	assert_true(bytes_equal(n.text, text_of(TEXT)));
	assert_memory_equal(n.signatures[1].body, one.signatures[0].body, SIGNATURE_BYTES);
	assert_ok(note_verify(&n, &signer.key));
	assert_ok(note_verify(&n, &next.key));
	n.signatures[1].body[0] ^= 1;
	assert_ok(note_verify(&n, &signer.key));
	assert_err(note_verify(&n, &next.key), ERR_SIGNATURE);
	buf_free(&alone);
	buf_free(&b);
}

static void by_all_keys_of_a_signer_one_bad_line_refuses_the_note(void **state)
{
	uint8_t next_secret[SIGN_SECRET_BYTES];
	struct signer next;
	struct vkey keys[3] = {witness.key};
	struct buf b = {0};
	struct note n;

	(void)state;
	make_next(next_secret, &next);
	keys[1] = signer.key;
	keys[2] = next.key;
	assert_ok(note_sign(text_of(TEXT), &signer, &b));
	assert_ok(note_parse(buf_bytes(&b), &n));
	assert_ok(note_verify_all(&n, keys, 3)); /* not all need to have signed */
	assert_err(note_verify_all(&n, keys, 1), ERR_UNKNOWN_KEY);
	assert_err(note_verify_all(&n, keys, 0), ERR_UNKNOWN_KEY);
	assert_ok(note_sign_also(&next, &b));
	for (size_t line = 0; line < 2; line++) {
		assert_ok(note_parse(buf_bytes(&b), &n));
		assert_ok(note_verify_all(&n, keys, 3));
		n.signatures[line].body[9] ^= 1;
		assert_err(note_verify_all(&n, keys, 3), ERR_SIGNATURE);
		assert_ok(note_verify_all(&n, &keys[2 - line], 1)); /* by the other one alone */
	}
	buf_free(&b);
}

static void a_second_signature_wants_a_note_and_its_own_key(void **state)
{
	uint8_t next_secret[SIGN_SECRET_BYTES];
	struct signer next;
	struct signer other;
	struct buf b = {0};

	(void)state;
	make_next(next_secret, &next);
	assert_err(note_sign_also(&next, &b), ERR_DECODE); /* nothing stands there */
	buf_add_text(&b, TEXT);
	assert_err(note_sign_also(&next, &b), ERR_DECODE);
	buf_add_text(&b, "\n" LINE);
	assert_err(note_sign_also(&witness, &b), ERR_ARGUMENT);
	other = next;
	other.key.public[0] ^= 1;
	assert_err(note_sign_also(&other, &b), ERR_ARGUMENT);
	assert_string_equal(buf_text(&b), NOTE);
	while (b.size < sizeof(NOTE) - 1 + 99 * (sizeof(LINE) - 1))
		buf_add_text(&b, LINE);
	assert_err(note_sign_also(&next, &b), ERR_LIMIT); /* could not be read back */
	buf_free(&b);
}

/* ---- cosignatures ---- */

static void a_cosignature_is_what_another_signer_makes_of_it(void **state)
{
	struct buf b = {0};
	struct note n;
	uint64_t time_s = 0;

	(void)state;
	buf_add_text(&b, NOTE);
	assert_ok(note_cosign(text_of(TEXT), COSIGNED_AT, &witness, &b));
	assert_string_equal(buf_text(&b), NOTE COSIGNATURE);
	assert_ok(note_parse(buf_bytes(&b), &n));
	assert_ok(note_verify(&n, &witness.key));
	assert_ok(note_cosigned_at(&n, &witness.key, &time_s));
	assert_int_equal(time_s, COSIGNED_AT);
	assert_ok(note_cosign(text_of(TEXT), COSIGNED_AT + 5, &witness, &b));
	assert_ok(note_cosign(text_of(TEXT), 0, &witness, &b));
	assert_ok(note_parse(buf_bytes(&b), &n));
	assert_ok(note_cosigned_at(&n, &witness.key, &time_s));
	assert_int_equal(time_s, COSIGNED_AT + 5); /* the latest */
	buf_free(&b);
}

static void a_changed_cosignature_is_refused(void **state)
{
	uint64_t time_s = 7;
	struct note n;

	(void)state;
	assert_ok(note_parse(text_of(NOTE COSIGNATURE), &n));
	for (size_t bit = 0; bit < 8 * COSIGNATURE_BYTES; bit++) {
		n.signatures[1].body[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_err(note_verify(&n, &witness.key), ERR_SIGNATURE);
		assert_err(note_cosigned_at(&n, &witness.key, &time_s), ERR_SIGNATURE);
		n.signatures[1].body[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	n.signatures[1].body_size--;
	assert_err(note_verify(&n, &witness.key), ERR_SIGNATURE);
	n.signatures[1].body_size += 2;
	assert_err(note_verify(&n, &witness.key), ERR_SIGNATURE);
	n.signatures[1].body_size--;
	n.text.size--;
	assert_err(note_verify(&n, &witness.key), ERR_SIGNATURE);
	assert_int_equal(time_s, 7);
}

static void a_cosignature_wants_a_witness_and_a_time(void **state)
{
	struct buf b = {0};
	struct note n;
	uint64_t time_s = 7;

	(void)state;
	assert_err(note_cosign(text_of(TEXT), 1, &signer, &b), ERR_ARGUMENT);
	assert_err(note_cosign(text_of(TEXT), (uint64_t)INT64_MAX + 1, &witness, &b), ERR_ARGUMENT);
	assert_int_equal(b.size, 0);
	assert_ok(note_parse(text_of(NOTE), &n));
	assert_err(note_cosigned_at(&n, &witness.key, &time_s), ERR_UNKNOWN_KEY);
	assert_err(note_cosigned_at(&n, &signer.key, &time_s), ERR_ARGUMENT);
	assert_int_equal(time_s, 7);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_written_and_read_back),
		cmocka_unit_test(the_keys_of_rfc_8032),
		cmocka_unit_test(a_key_text_of_another_form_is_refused),
		cmocka_unit_test(a_key_has_a_name_that_fits_a_line),
		cmocka_unit_test(a_note_is_what_another_signer_makes_of_it),
		cmocka_unit_test(a_note_of_another_form_is_refused),
		cmocka_unit_test(a_nul_in_a_note_is_refused),
		cmocka_unit_test(text_may_hold_blank_lines_and_what_looks_like_a_signature),
		cmocka_unit_test(every_changed_bit_of_a_note_is_noticed),
		cmocka_unit_test(lines_by_other_keys_are_ignored),
		cmocka_unit_test(one_bad_line_by_the_key_refuses_the_note),
		cmocka_unit_test(lenient_signatures_are_refused),
		cmocka_unit_test(as_many_lines_as_the_bound_and_not_one_more),
		cmocka_unit_test(a_long_signature_of_an_unknown_algorithm_is_left_out),
		cmocka_unit_test(a_note_is_as_long_as_the_bound_and_not_longer),
		cmocka_unit_test(what_cannot_be_read_back_is_not_signed),
		cmocka_unit_test(two_keys_of_one_log_sign_the_same_text),
		cmocka_unit_test(by_all_keys_of_a_signer_one_bad_line_refuses_the_note),
		cmocka_unit_test(a_second_signature_wants_a_note_and_its_own_key),
		cmocka_unit_test(a_cosignature_is_what_another_signer_makes_of_it),
		cmocka_unit_test(a_changed_cosignature_is_refused),
		cmocka_unit_test(a_cosignature_wants_a_witness_and_a_time),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
