#include "tlog_fixture.h"

#include <inttypes.h>

#include "tlog/checkpoint.h"
#include "tlog/cosignature.h"
#include "tlog/policy.h"

#define REALM  "splot.example"
#define ORIGIN REALM "/national/1"

enum { WITNESSES = 16, NEEDED = 9, TIME = 1763760600 };

static uint8_t log_secret[SIGN_SECRET_BYTES];
static struct signer log_signer = {.secret = log_secret};
static uint8_t secrets[WITNESSES][SIGN_SECRET_BYTES];
static struct signer witnesses[WITNESSES];
static struct vkey witness_keys[WITNESSES];
static struct buf note; /* the log's checkpoint, signed by the log alone */

static void make_signer(const char *name, uint8_t type, uint8_t number, uint8_t *secret,
			struct signer *ret)
{
	const uint8_t seed[SIGN_SEED_BYTES] = {number};
	uint8_t public[SIGN_PUBLIC_BYTES];

	assert_int_equal(crypto_sign_seed_keypair(public, secret, seed), 0);
	assert_ok(vkey_make(name, type, public, &ret->key));
	ret->secret = secret;
}

static int set_up(void **state)
{
	const struct checkpoint c = {.origin = ORIGIN, .size = 7};

	(void)state;
	make_signer(ORIGIN, KEY_ED25519, 1, log_secret, &log_signer);
	for (unsigned i = 0; i < WITNESSES; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), REALM "/witness/%02u", 2 * (i + 1));
		make_signer(name, KEY_COSIGNATURE, (uint8_t)(100 + i), secrets[i], &witnesses[i]);
		witness_keys[i] = witnesses[i].key;
	}
	assert_ok(checkpoint_sign(&c, &log_signer, &note));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buf_free(&note);
	return 0;
}

/* `%L` stands for the log's key, `%a` … `%p` for the witnesses'. */
static void add_policy(struct buf *b, const char *text)
{
	char key[VKEY_BYTES];

	for (; *text; text++) {
		if (*text != '%') {
			buf_add_u8(b, (uint8_t)*text);
			continue;
		}
		text++;
		vkey_text(*text == 'L' ? &log_signer.key : &witness_keys[*text - 'a'], key);
		buf_add_text(b, key);
	}
}

static enum err parse(const char *text, struct policy *ret, unsigned *ret_line)
{
	struct buf b = {0};
	enum err e = ERR_OK;

	add_policy(&b, text);
	e = policy_parse(buf_bytes(&b), ret, ret_line);
	buf_free(&b);
	return e;
}

/* The checkpoint with the lines of those witnesses whose bits are set: witness i at TIME + i. */
static void cosigned_by(unsigned who, struct buf *ret_raw, struct note *ret)
{
	struct note n;

	assert_ok(note_parse(buf_bytes(&note), &n));
	buf_clear(ret_raw);
	buf_add_bytes(ret_raw, buf_bytes(&note));
	for (unsigned i = 0; i < WITNESSES; i++) {
		if (who >> i & 1)
			assert_ok(note_cosign(n.text, TIME + i, &witnesses[i], ret_raw));
	}
	assert_ok(note_parse(buf_bytes(ret_raw), ret));
}

/* ---- reading and writing ---- */

static void assert_same(const struct policy *got, const struct policy *expected)
{
	assert_int_equal(got->quorum, expected->quorum);
	assert_int_equal(got->log_count, expected->log_count);
	for (size_t i = 0; i < got->log_count; i++)
		assert_memory_equal(got->logs[i].public, expected->logs[i].public,
				    SIGN_PUBLIC_BYTES);
	assert_int_equal(got->member_count, expected->member_count);
	for (size_t i = 0; i < got->member_count; i++) {
		const struct policy_member *a = &got->members[i];
		const struct policy_member *b = &expected->members[i];

		assert_string_equal(a->name, b->name);
		assert_string_equal(a->key.name, b->key.name);
		assert_int_equal(a->is_group, b->is_group);
		assert_int_equal(a->needed, b->needed);
		assert_int_equal(a->members, b->members);
	}
}

static void a_policy_is_read_as_it_says(void **state)
{
	static struct policy p;
	unsigned line = 77;

	(void)state;
	assert_ok(parse("# who may say what\n"
			"\n"
			" \t\n"
			"  # indented\n"
			"log %L https://log.example/\n"
			"witness X1 %a\n"
			"\twitness  X2\t%b https://witness.example/ \n"
			"witness X3 %c\n"
			"group X 2 X1 X2 X3\n"
			"witness \xc5\xbb\xc3\xb3\xc5\x82w %d\n"
			"group Y any \xc5\xbb\xc3\xb3\xc5\x82w\n"
			"group both all X Y\n"
			"quorum both\n"
			"witness late %e\n",
			&p, &line));
	assert_int_equal(line, 77);
	assert_int_equal(p.log_count, 1);
	assert_string_equal(p.logs[0].name, ORIGIN);
	assert_int_equal(p.member_count, 8);
	assert_string_equal(p.members[1].name, "X2");
	assert_false(p.members[1].is_group);
	assert_memory_equal(p.members[1].key.public, witness_keys[1].public, SIGN_PUBLIC_BYTES);
	assert_string_equal(p.members[3].name, "X");
	assert_true(p.members[3].is_group);
	assert_int_equal(p.members[3].needed, 2);
	assert_int_equal(p.members[3].members, 7);
	assert_int_equal(p.members[5].needed, 1);
	assert_int_equal(p.members[6].needed, 2);
	assert_int_equal(p.members[6].members, 1 << 3 | 1 << 5);
	assert_int_equal(p.quorum, 6);
}

static void a_policy_is_written_in_the_form_that_it_is_read(void **state)
{
	static struct policy p;
	static struct policy again;
	struct buf expected = {0};
	struct buf b = {0};

	(void)state;
	assert_ok(
		parse("log %L\nwitness a %a\nwitness b %b\ngroup g any a b\nquorum g\n", &p, NULL));
	assert_ok(policy_text(&p, &b));
	add_policy(&expected, "log %L\nwitness a %a\nwitness b %b\ngroup g 1 a b\nquorum g\n");
	assert_string_equal(buf_text(&b), buf_text(&expected));
	assert_ok(policy_parse(buf_bytes(&b), &again, NULL));
	assert_same(&again, &p);
	buf_free(&expected);
	buf_free(&b);
}

static void no_quorum_may_be_needed(void **state)
{
	static struct policy p;
	struct buf b = {0};

	(void)state;
	assert_ok(parse("quorum none\n", &p, NULL));
	assert_int_equal(p.quorum, -1);
	assert_int_equal(p.log_count + p.member_count, 0);
	assert_ok(policy_text(&p, &b));
	assert_string_equal(buf_text(&b), "quorum none\n");
	p.quorum = 0; /* a member that is not there */
	assert_err(policy_text(&p, &b), ERR_ARGUMENT);
	buf_free(&b);
}

static void a_policy_of_another_form_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text;
		enum err err;
		unsigned line;
	} CASES[] = {
		{"", ERR_DECODE, 1},
		{"log %L\n", ERR_DECODE, 2}, /* no quorum */
		{"quorum none", ERR_DECODE, 1},
		{"quorum none\nlog %L", ERR_DECODE, 2},
		{"quorum none\nquorum none\n", ERR_EXISTS, 2},
		{"quorum none none\n", ERR_DECODE, 1},
		{"quorum\n", ERR_DECODE, 1},
		{"quorum a\nwitness a %a\n", ERR_NOT_FOUND, 1},
		{"Quorum none\n", ERR_DECODE, 1},
		{"quorum none\nlogs %L\n", ERR_DECODE, 2},
		{"quorum none # why\n", ERR_DECODE, 1},
		{"quorum none\r\n", ERR_ENCODING, 1},
		{"# \x01\nquorum none\n", ERR_ENCODING, 1},
		{"# \x7f\nquorum none\n", ERR_ENCODING, 1},
		{"log\n", ERR_DECODE, 1},
		{"log x\n", ERR_DECODE, 1},
		{"log %L a b\n", ERR_DECODE, 1},
		{"log %L\nlog %L\n", ERR_EXISTS, 2},
		{"log %a\n", ERR_INVALID, 1},
		{"log %Lx\n", ERR_DECODE, 1},
		{"log "
		 "splot.example/national/1+00000000+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
		 ERR_SIGNATURE, 1},
		{"witness a\n", ERR_DECODE, 1},
		{"witness %a\n", ERR_DECODE, 1},
		{"witness a %L\n", ERR_INVALID, 1},
		{"witness a %a b c\n", ERR_DECODE, 1},
		{"witness a %a\nwitness a %b\n", ERR_EXISTS, 2},
		{"witness a %a\nwitness b %a\n", ERR_EXISTS, 2}, /* would count twice */
		{"witness none %a\n", ERR_EXISTS, 1},
		{"witness \xff %a\n", ERR_ENCODING, 1},
		{"witness a %a\n\ngroup g 1\n", ERR_DECODE, 3},
		{"witness a %a\ngroup g a\n", ERR_DECODE, 2},
		{"witness a %a\ngroup g 0 a\n", ERR_INVALID, 2},
		{"witness a %a\ngroup g 2 a\n", ERR_INVALID, 2},
		{"witness a %a\ngroup g 01 a\n", ERR_DECODE, 2},
		{"witness a %a\ngroup g most a\n", ERR_DECODE, 2},
		{"witness a %a\ngroup g 4294967297 a\n", ERR_INVALID, 2},
		{"witness a %a\ngroup g 1 a a\n", ERR_EXISTS, 2},
		{"witness a %a\ngroup g 1 b\n", ERR_NOT_FOUND, 2},
		{"witness a %a\ngroup g 1 g\n", ERR_NOT_FOUND, 2},
		{"witness a %a\ngroup g 1 none\n", ERR_NOT_FOUND, 2},
		{"witness a %a\ngroup a 1 a\n", ERR_EXISTS, 2},
		{"witness a %a\ngroup g any a\ngroup h any a\n", ERR_EXISTS, 3},
	};
	static struct policy p;

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		unsigned line = 0;

		assert_err(parse(CASES[i].text, &p, &line), CASES[i].err);
		assert_int_equal(line, CASES[i].line);
		assert_int_equal(p.member_count, 0); /* untouched */
	}
}

static void a_policy_is_bounded(void **state)
{
	static struct policy p;
	char name[POLICY_NAME_BYTES + 2];
	struct buf b = {0};

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = 0;
	buf_printf(&b, "witness %s %%a\nquorum none\n", name);
	assert_err(parse(buf_text(&b), &p, NULL), ERR_LIMIT);
	buf_clear(&b);
	buf_printf(&b, "witness %s %%a\nquorum none\n", name + 1);
	assert_ok(parse(buf_text(&b), &p, NULL));
	buf_clear(&b);
	buf_add_text(&b, "witness m0 %a\n");
	for (unsigned i = 1; i < POLICY_MEMBERS_MAX; i++)
		buf_printf(&b, "group m%u all m%u\n", i, i - 1);
	buf_add_text(&b, "quorum none\n");
	assert_ok(parse(buf_text(&b), &p, NULL));
	assert_int_equal(p.member_count, POLICY_MEMBERS_MAX);
	buf_printf(&b, "group m%u all m%u\n", POLICY_MEMBERS_MAX, POLICY_MEMBERS_MAX - 1);
	assert_err(parse(buf_text(&b), &p, NULL), ERR_LIMIT);
	buf_clear(&b);
	for (size_t i = 0; i <= POLICY_BYTES_MAX; i++)
		buf_add_u8(&b, '\n');
	assert_err(parse(buf_text(&b), &p, NULL), ERR_LIMIT);
	buf_clear(&b);
	for (unsigned i = 0; i <= LOG_KEYS_MAX; i++) {
		uint8_t public[SIGN_PUBLIC_BYTES] = {(uint8_t)i};
		char text[VKEY_BYTES];
		struct vkey key;

		assert_ok(vkey_make("l", KEY_ED25519, public, &key));
		vkey_text(&key, text);
		buf_printf(&b, "log %s\n", text);
	}
	assert_err(parse(buf_text(&b), &p, NULL), ERR_LIMIT);
	buf_free(&b);
}

static void the_usual_policy_names_the_regions(void **state)
{
	static struct policy p;
	static struct policy again;
	struct buf b = {0};

	(void)state;
	assert_ok(policy_make(&log_signer.key, 1, witness_keys, WITNESSES, NEEDED, &p));
	assert_int_equal(p.member_count, WITNESSES + 1);
	assert_string_equal(p.members[0].name, "02");
	assert_string_equal(p.members[12].name, "26");
	assert_string_equal(p.members[p.quorum].name, "regions");
	assert_int_equal(p.members[p.quorum].needed, NEEDED);
	assert_int_equal(p.members[p.quorum].members, (1 << WITNESSES) - 1);
	assert_ok(policy_text(&p, &b));
	assert_ok(policy_parse(buf_bytes(&b), &again, NULL));
	assert_same(&again, &p);
	buf_free(&b);
}

static void a_log_begun_anew_keeps_a_name_of_its_own(void **state)
{
	static const char *const NAMES[] = {REALM "/witness/26", REALM "/witness/26/2",
					    REALM "/witness/04/2", "other/name", "plain"};
	static const char *const SHORT[] = {"26", "26/2", "04/2", "name", "plain"};
	static struct policy p;
	struct vkey keys[5];

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		uint8_t public[SIGN_PUBLIC_BYTES] = {(uint8_t)i};

		assert_ok(vkey_make(NAMES[i], KEY_COSIGNATURE, public, &keys[i]));
	}
	assert_ok(policy_make(NULL, 0, keys, 5, 1, &p));
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(p.members[i].name, SHORT[i]);
}

static void a_usual_policy_that_cannot_be_is_not_made(void **state)
{
	static struct policy p;
	struct vkey keys[2] = {witness_keys[0], witness_keys[0]};

	(void)state;
	assert_err(policy_make(NULL, 0, witness_keys, 2, 3, &p), ERR_INVALID);
	assert_err(policy_make(NULL, 0, witness_keys, 2, 0, &p), ERR_INVALID);
	assert_err(policy_make(NULL, 0, witness_keys, 0, 0, &p), ERR_INVALID);
	assert_err(policy_make(NULL, 0, keys, 2, 1, &p), ERR_EXISTS);
	assert_err(policy_make(keys, 1, witness_keys, 2, 1, &p), ERR_INVALID);
	assert_err(policy_make(NULL, 0, &log_signer.key, 1, 1, &p), ERR_INVALID);
	assert_err(policy_make(NULL, 0, witness_keys, POLICY_MEMBERS_MAX, 1, &p), ERR_LIMIT);
	assert_ok(vkey_make(REALM "/witness/", KEY_COSIGNATURE, keys[0].public, &keys[0]));
	assert_err(policy_make(NULL, 0, keys, 1, 1, &p), ERR_INVALID); /* would be named "" */
	assert_ok(vkey_make(REALM "/witness/none", KEY_COSIGNATURE, keys[0].public, &keys[0]));
	assert_err(policy_make(NULL, 0, keys, 1, 1, &p), ERR_EXISTS);
	assert_ok(vkey_make(REALM "/witness/regions", KEY_COSIGNATURE, keys[0].public, &keys[0]));
	assert_err(policy_make(NULL, 0, keys, 1, 1, &p), ERR_EXISTS);
}

/* ---- judging ---- */

static void nine_of_sixteen_are_enough_and_eight_are_not(void **state)
{
	static struct policy p;
	struct policy_finding f;
	struct buf raw = {0};
	struct note n;

	(void)state;
	assert_ok(policy_make(&log_signer.key, 1, witness_keys, WITNESSES, NEEDED, &p));
	cosigned_by(0x1ff << 3, &raw, &n);
	assert_ok(policy_judge(&p, &n, &f));
	assert_true(f.quorum);
	assert_int_equal(f.cosigned, 9);
	assert_int_equal(f.bad, 0);
	assert_int_equal(f.oldest_s, TIME + 3);
	assert_int_equal(f.newest_s, TIME + 11);
	assert_int_equal(f.at_s[2], 0);
	assert_int_equal(f.at_s[3], TIME + 3);
	assert_int_equal(f.at_s[11], TIME + 11);
	assert_int_equal(f.at_s[12], 0);
	cosigned_by(0xff << 3, &raw, &n);
	assert_err(policy_judge(&p, &n, &f), ERR_QUORUM);
	assert_false(f.quorum);
	assert_int_equal(f.cosigned, 8);
	cosigned_by(0, &raw, &n);
	assert_err(policy_judge(&p, &n, &f), ERR_QUORUM);
	assert_int_equal(f.cosigned, 0);
	assert_int_equal(f.oldest_s, 0);
	assert_int_equal(f.newest_s, 0);
	buf_free(&raw);
}

/* Every subset of four witnesses, against the words of the policy. */
static void groups_of_groups_are_judged_as_they_say(void **state)
{
	static struct policy p;
	struct buf raw = {0};

	(void)state;
	assert_ok(parse("witness a %a\nwitness b %b\nwitness c %c\nwitness d %d\n"
			"group X 2 a b c\ngroup Y any d\ngroup both all X Y\nquorum both\n",
			&p, NULL));
	for (unsigned who = 0; who < 16; who++) {
		bool expected = __builtin_popcount(who & 7) >= 2 && who >> 3 & 1;
		struct policy_finding f;
		struct note n;

		cosigned_by(who, &raw, &n);
		assert_err(policy_judge(&p, &n, &f), expected ? ERR_OK : ERR_QUORUM);
		assert_int_equal(f.quorum, expected);
		assert_int_equal(f.cosigned, __builtin_popcount(who));
	}
	buf_free(&raw);
}

static void one_witness_or_none_may_be_the_quorum(void **state)
{
	static struct policy p;
	struct policy_finding f;
	struct buf raw = {0};
	struct note n;

	(void)state;
	assert_ok(parse("witness a %a\nwitness b %b\nquorum b\n", &p, NULL));
	cosigned_by(1, &raw, &n);
	assert_err(policy_judge(&p, &n, &f), ERR_QUORUM);
	cosigned_by(2, &raw, &n);
	assert_ok(policy_judge(&p, &n, &f));
	assert_ok(parse("witness a %a\nquorum none\n", &p, NULL));
	cosigned_by(0, &raw, &n);
	assert_ok(policy_judge(&p, &n, &f));
	buf_free(&raw);
}

static void a_bad_line_and_a_copied_one_do_not_count(void **state)
{
	static struct policy p;
	struct policy_finding f;
	struct buf raw = {0};
	struct note n;

	(void)state;
	assert_ok(parse("witness a %a\nwitness b %b\ngroup g 2 a b\nquorum g\n", &p, NULL));
	cosigned_by(3, &raw, &n);
	assert_ok(policy_judge(&p, &n, &f));
	n.signatures[2].body[40] ^= 1;
	assert_err(policy_judge(&p, &n, &f), ERR_QUORUM);
	assert_int_equal(f.cosigned, 1);
	assert_int_equal(f.bad, 1);
	/* a's line twice, the second under b's name and id */
	cosigned_by(3, &raw, &n);
	memcpy(n.signatures[2].body, n.signatures[1].body, sizeof(n.signatures[1].body));
	assert_err(policy_judge(&p, &n, &f), ERR_QUORUM);
	assert_int_equal(f.bad, 1);
	/* a's line twice under its own name */
	cosigned_by(3, &raw, &n);
	n.signatures[2] = n.signatures[1];
	assert_err(policy_judge(&p, &n, &f), ERR_QUORUM);
	assert_int_equal(f.cosigned, 1);
	assert_int_equal(f.bad, 0);
	buf_free(&raw);
}

static void the_oldest_and_the_newest_cosignature_are_told(void **state)
{
	static struct policy p;
	static const uint64_t times[] = {TIME + 50, TIME, TIME + 20};
	struct policy_finding f;
	struct buf raw = {0};
	struct note n;

	(void)state;
	assert_ok(parse("witness a %a\nwitness b %b\nwitness c %c\ngroup all 3 a b c\nquorum all\n",
			&p, NULL));
	assert_ok(note_parse(buf_bytes(&note), &n));
	buf_add_bytes(&raw, buf_bytes(&note));
	for (unsigned i = 0; i < 3; i++)
		assert_ok(note_cosign(n.text, times[i], &witnesses[i], &raw));
	assert_ok(note_parse(buf_bytes(&raw), &n));
	assert_ok(policy_judge(&p, &n, &f));
	assert_int_equal(f.oldest_s, TIME);
	assert_int_equal(f.newest_s, TIME + 50);
	buf_free(&raw);
}

/* The own line and sixteen witnesses' are seventeen, one more than every verifier takes. */
static void a_published_note_has_sixteen_lines_and_keeps_its_quorum(void **state)
{
	static struct policy nine, all;
	static const unsigned rows[] = {0, 1, 0x7fff, 0xffff};
	struct policy_finding f;
	struct buf raw = {0};
	struct buf trimmed = {0};
	struct note n;

	(void)state;
	assert_ok(policy_make(&log_signer.key, 1, witness_keys, 16, NEEDED, &nine));
	assert_ok(policy_make(&log_signer.key, 1, witness_keys, 16, 16, &all));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned most = NOTE_LINES_PUBLISHED - 1;
		unsigned count = (unsigned)__builtin_popcount(rows[i]);

		cosigned_by(rows[i], &raw, &n);
		buf_clear(&trimmed);
		assert_ok(policy_trim(&nine, buf_bytes(&raw), &trimmed));
		assert_ok(note_parse(buf_bytes(&trimmed), &n));
		assert_ok(note_verify(&n, &log_signer.key));
		assert_int_equal(n.signature_count, 1 + (count < most ? count : most));
		assert_err(policy_judge(&nine, &n, &f), count >= NEEDED ? ERR_OK : ERR_QUORUM);
	}
	buf_clear(&trimmed); /* all sixteen are needed: none may go */
	assert_ok(policy_trim(&all, buf_bytes(&raw), &trimmed));
	assert_true(bytes_equal(buf_bytes(&trimmed), buf_bytes(&raw)));
	buf_clear(&trimmed);
	assert_ok(policy_trim(NULL, buf_bytes(&raw), &trimmed));
	assert_ok(note_parse(buf_bytes(&trimmed), &n));
	assert_int_equal(n.signature_count, NOTE_LINES_PUBLISHED);
	buf_clear(&trimmed); /* one witness that must be there, and whose line is the last */
	assert_ok(policy_make(&log_signer.key, 1, witness_keys + 15, 1, 1, &all));
	assert_ok(policy_trim(&all, buf_bytes(&raw), &trimmed));
	assert_ok(note_parse(buf_bytes(&trimmed), &n));
	assert_int_equal(n.signature_count, NOTE_LINES_PUBLISHED);
	assert_ok(policy_judge(&all, &n, &f));
	assert_err(policy_trim(&nine, bytes_of_text("no note"), &trimmed), ERR_DECODE);
	buf_free(&raw);
	buf_free(&trimmed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_is_read_as_it_says),
		cmocka_unit_test(a_policy_is_written_in_the_form_that_it_is_read),
		cmocka_unit_test(no_quorum_may_be_needed),
		cmocka_unit_test(a_policy_of_another_form_is_refused_with_its_line),
		cmocka_unit_test(a_policy_is_bounded),
		cmocka_unit_test(the_usual_policy_names_the_regions),
		cmocka_unit_test(a_log_begun_anew_keeps_a_name_of_its_own),
		cmocka_unit_test(a_usual_policy_that_cannot_be_is_not_made),
		cmocka_unit_test(nine_of_sixteen_are_enough_and_eight_are_not),
		cmocka_unit_test(groups_of_groups_are_judged_as_they_say),
		cmocka_unit_test(one_witness_or_none_may_be_the_quorum),
		cmocka_unit_test(a_bad_line_and_a_copied_one_do_not_count),
		cmocka_unit_test(the_oldest_and_the_newest_cosignature_are_told),
		cmocka_unit_test(a_published_note_has_sixteen_lines_and_keeps_its_quorum),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
