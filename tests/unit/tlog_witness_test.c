#include "tlog_vectors.h"

#include "tlog/cosignature.h"
#include "tlog/witness.h"

/* ---- the table of answers, with its files ---- */

struct vectors {
	struct vkey log;
	struct buf init, next; /* notes of sizes 5 and 8 */
	struct checkpoint at_init, at_next;
	struct proof proof; /* from 5 to 8 */
};

static void read_vectors(struct vectors *v)
{
	read_vkey("witness/log.vkey", &v->log);
	read_file("witness/mInit.checkpoint", &v->init);
	read_file("witness/mNext.checkpoint", &v->next);
	read_hashes("witness/consistency-5-8.hex", &v->proof);
	assert_ok(checkpoint_open(buf_bytes(&v->init), &v->log, &v->at_init));
	assert_ok(checkpoint_open(buf_bytes(&v->next), &v->log, &v->at_next));
}

static void free_vectors(struct vectors *v)
{
	buf_free(&v->init);
	buf_free(&v->next);
}

enum about { AS_IT_IS, OTHER_ROOT, UNKNOWN_ORIGIN, UNSIGNED, BAD_LINE };
enum proof_kind { EMPTY, GOOD, GARBAGE };

/* The rows of cases.md: what is stored and asked by their words there. */
static const struct row {
	const char *stored, *request;
	uint64_t stored_size, old;
	enum proof_kind proof;
	bool next; /* the note of size 8, else that of 5 */
	enum about about;
	enum witness_answer answer;
} ROWS[] = {
	{"size 5 = mInit", "old 5, consistency-5-8, mNext", 5, 5, GOOD, true, AS_IT_IS,
	 WITNESS_COSIGN},
	{"size 5", "old 2, mNext", 5, 2, EMPTY, true, AS_IT_IS, WITNESS_CONFLICT},
	{"size 0", "old 0, no proof, size-5 checkpoint", 0, 0, EMPTY, false, AS_IT_IS,
	 WITNESS_COSIGN},
	{"size 0", "old 0, non-empty proof", 0, 0, GOOD, false, AS_IT_IS, WITNESS_BAD_PROOF},
	{"size 5", "old 5, same checkpoint again, no proof", 5, 5, EMPTY, false, AS_IT_IS,
	 WITNESS_COSIGN},
	{"size 5", "old 5, size 5 with another root", 5, 5, EMPTY, false, OTHER_ROOT,
	 WITNESS_OTHER_ROOT},
	{"size 4", "old 4, size 5, no proof", 4, 4, EMPTY, false, AS_IT_IS, WITNESS_BAD_PROOF},
	{"size 8", "old 8, size 5", 8, 8, EMPTY, false, AS_IT_IS, WITNESS_BAD_REQUEST},
	{"size 5", "old 5, garbage proof, mNext", 5, 5, GARBAGE, true, AS_IT_IS, WITNESS_BAD_PROOF},
	{"any", "unknown origin", 5, 5, GOOD, true, UNKNOWN_ORIGIN, WITNESS_UNKNOWN_LOG},
	{"any", "no valid log signature", 5, 5, GOOD, true, UNSIGNED, WITNESS_FORBIDDEN},
	{"any", "no valid log signature", 5, 5, GOOD, true, BAD_LINE, WITNESS_FORBIDDEN},
};

enum { ROW_COUNT = sizeof(ROWS) / sizeof(ROWS[0]) };

static struct witness_state stored_state(const struct vectors *v, const struct row *row)
{
	struct witness_state s = {row->stored_size, v->at_init.root};

	if (s.size == v->at_next.size)
		s.root = v->at_next.root;
	if (s.size == 4 || row->about == OTHER_ROOT)
		s.root.b[0] ^= 1;
	return s;
}

static struct proof sent_proof(const struct vectors *v, const struct row *row)
{
	struct proof p = v->proof;

	if (row->proof == EMPTY)
		p.count = 0;
	if (row->proof == GARBAGE)
		memset(p.hashes, 0xaa, sizeof(p.hashes));
	return p;
}

static enum witness_answer ask(struct vectors *v, const struct row *row, struct checkpoint *ret)
{
	const struct witness_state state = stored_state(v, row);
	const struct proof proof = sent_proof(v, row);
	struct vkey key = v->log;
	struct buf b = {0};
	enum witness_answer a = WITNESS_COSIGN;

	buf_add_bytes(&b, buf_bytes(row->next ? &v->next : &v->init));
	if (row->about == UNKNOWN_ORIGIN)
		assert_ok(vkey_make("gorillas", KEY_ED25519, v->log.public, &key));
	if (row->about == UNSIGNED) /* a line by somebody else of that name */
		key.id ^= 1;
	if (row->about == BAD_LINE) /* the line is the log's, the key not the one it names */
		key.public[0] ^= 1;
	a = witness_judge(&key, &state, row->old, &proof, buf_bytes(&b), ret);
	buf_free(&b);
	return a;
}

static void the_answers_are_those_that_were_listed(void **state)
{
	struct vectors v = {0};

	(void)state;
	read_vectors(&v);
	for (size_t i = 0; i < ROW_COUNT; i++) {
		struct checkpoint c = {.size = 77};
		bool is_signed = ROWS[i].answer != WITNESS_BAD_REQUEST &&
				 ROWS[i].about != UNKNOWN_ORIGIN && ROWS[i].about != UNSIGNED &&
				 ROWS[i].about != BAD_LINE;

		assert_int_equal(ask(&v, &ROWS[i], &c), ROWS[i].answer);
		assert_int_equal(c.size, !is_signed ? 77 : ROWS[i].next ? 8 : 5);
	}
	free_vectors(&v);
}

/* Of the refused ones, those that convict the log: never one that only brings a bad proof along. */
static void two_histories_are_told_from_a_proof_that_nobody_needed(void **state)
{
	static const struct {
		enum witness_answer answer;
		uint64_t witnessed, old, size;
		bool fork;
	} rows[] = {
		{WITNESS_OTHER_ROOT, 5, 5, 5, true},   {WITNESS_OTHER_ROOT, 5, 2, 5, true},
		{WITNESS_BAD_PROOF, 5, 5, 8, true},    {WITNESS_BAD_PROOF, 5, 5, 5, false},
		{WITNESS_BAD_PROOF, 0, 0, 5, false},   {WITNESS_BAD_PROOF, 5, 2, 8, false},
		{WITNESS_CONFLICT, 5, 2, 8, false},    {WITNESS_FORBIDDEN, 5, 5, 8, false},
		{WITNESS_BAD_REQUEST, 5, 5, 8, false}, {WITNESS_COSIGN, 5, 5, 8, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct witness_state seen = {.size = rows[i].witnessed};
		const struct checkpoint c = {.size = rows[i].size};

		assert_int_equal(witness_shows_fork(rows[i].answer, &seen, rows[i].old, &c),
				 rows[i].fork);
	}
}

static char *trimmed(char *text)
{
	char *end = text + strlen(text);

	while (*text == ' ')
		text++;
	while (end > text && end[-1] == ' ')
		*--end = 0;
	return text;
}

/* The HTTP status of C2SP tlog-witness v1.0.0. */
static unsigned status_of(enum witness_answer a)
{
	static const unsigned STATUS[] = {
		[WITNESS_COSIGN] = 200,    [WITNESS_BAD_REQUEST] = 400,
		[WITNESS_FORBIDDEN] = 403, [WITNESS_UNKNOWN_LOG] = 404,
		[WITNESS_CONFLICT] = 409,  [WITNESS_OTHER_ROOT] = 409,
		[WITNESS_BAD_PROOF] = 422,
	};

	return STATUS[a];
}

/* Every row of the file is one of ours, and says the status that we give: the first number of
 * its last column, which is that of version 1.0.0. */
static void the_list_says_the_same_statuses(void **state)
{
	struct buf file = {0};
	char *field[FIELDS];
	char *at = NULL;
	size_t seen = 0;
	bool used[ROW_COUNT] = {false};

	(void)state;
	read_file("witness/cases.md", &file);
	at = (char *)file.data;
	while (next_row(&at, "|", field)) {
		const char *stored = trimmed(field[1]);
		const char *request = trimmed(field[2]);
		bool known = false;

		if (strcmp(stored, "stored") == 0 || strcmp(stored, "---") == 0)
			continue;
		for (size_t i = 0; i < ROW_COUNT; i++) {
			if (strcmp(ROWS[i].stored, stored) || strcmp(ROWS[i].request, request))
				continue;
			assert_int_equal(strtoul(trimmed(field[3]), NULL, 10),
					 status_of(ROWS[i].answer));
			used[i] = known = true;
		}
		if (!known)
			fail_msg("no such case here: %s | %s", stored, request);
		seen++;
	}
	assert_in_range(seen, 11, ROW_COUNT);
	for (size_t i = 0; i < ROW_COUNT; i++)
		assert_true(used[i]);
	buf_free(&file);
}

static void what_is_cosigned_stands_in_the_note(void **state)
{
	uint8_t secret[SIGN_SECRET_BYTES];
	struct vectors v = {0};
	struct signer by;
	struct buf line = {0};
	struct buf merged = {0};
	struct note n;
	uint64_t time_s = 0;

	(void)state;
	read_vectors(&v);
	read_skey("witness/witness.skey-TEST-ONLY", secret, &by);
	assert_ok(vkey_make(by.key.name, KEY_COSIGNATURE, by.key.public, &by.key));
	assert_ok(note_parse(buf_bytes(&v.next), &n));
	assert_ok(note_cosign(n.text, 1763760600, &by, &line));
	assert_ok(note_merge(buf_bytes(&v.next), buf_bytes(&line), &by.key, &merged));
	assert_ok(note_parse(buf_bytes(&merged), &n));
	assert_ok(note_verify(&n, &v.log));
	assert_ok(note_cosigned_at(&n, &by.key, &time_s));
	assert_int_equal(time_s, 1763760600);
	buf_free(&line);
	buf_free(&merged);
	free_vectors(&v);
}

/* ---- a log and witnesses made here ---- */

#define ORIGIN "splot.example/national/1"

enum { LEAVES = 40, WITNESSES = WITNESSES_MAX + 1, TIME = 1763760600 };

static uint8_t log_secret[SIGN_SECRET_BYTES];
static struct signer log_signer = {.secret = log_secret};
static uint8_t secrets[WITNESSES][SIGN_SECRET_BYTES];
static struct signer witnesses[WITNESSES];
static struct forest forest;

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
	(void)state;
	make_signer(ORIGIN, KEY_ED25519, 1, log_secret, &log_signer);
	for (unsigned i = 0; i < WITNESSES; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "splot.example/witness/%02u", 2 * (i + 1));
		make_signer(name, KEY_COSIGNATURE, (uint8_t)(100 + i), secrets[i], &witnesses[i]);
	}
	forest_make(&forest, LEAVES);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	forest_free(&forest);
	return 0;
}

static void make_note(uint64_t size, struct buf *ret)
{
	struct checkpoint c = {.origin = ORIGIN, .size = size, .root = forest_root(&forest, size)};

	buf_clear(ret);
	assert_ok(checkpoint_sign(&c, &log_signer, ret));
}

static void growth_is_cosigned_whatever_the_sizes(void **state)
{
	const struct tree_reader reader = {&forest, forest_node};
	struct buf note = {0};
	struct checkpoint c;
	struct proof p;

	(void)state;
	for (uint64_t size = 0; size <= LEAVES; size++) {
		make_note(size, &note);
		for (uint64_t old = 0; old <= size; old++) {
			struct witness_state s = {old, forest_root(&forest, old)};

			assert_ok(proof_consistency(&reader, old, size, &p));
			assert_int_equal(
				witness_judge(&log_signer.key, &s, old, &p, buf_bytes(&note), &c),
				WITNESS_COSIGN);
			assert_int_equal(c.size, size);
			s.root.b[31] ^= 1; /* another history was witnessed */
			if (old == 0)
				continue;
			assert_int_equal(
				witness_judge(&log_signer.key, &s, old, &p, buf_bytes(&note), &c),
				old == size ? WITNESS_OTHER_ROOT : WITNESS_BAD_PROOF);
		}
	}
	buf_free(&note);
}

static void what_was_witnessed_decides_and_not_what_is_said(void **state)
{
	const struct tree_reader reader = {&forest, forest_node};
	const struct witness_state s = {20, forest_root(&forest, 20)};
	struct buf note = {0};
	struct checkpoint c;
	struct proof p;

	(void)state;
	make_note(30, &note);
	for (uint64_t old = 0; old <= 30; old++) {
		assert_ok(proof_consistency(&reader, old, 30, &p));
		assert_int_equal(witness_judge(&log_signer.key, &s, old, &p, buf_bytes(&note), &c),
				 old == 20 ? WITNESS_COSIGN : WITNESS_CONFLICT);
	}
	assert_int_equal(witness_judge(&log_signer.key, &s, 31, &p, buf_bytes(&note), &c),
			 WITNESS_BAD_REQUEST);
	buf_free(&note);
}

static void another_root_of_the_witnessed_size_is_named_whatever_old_says(void **state)
{
	struct witness_state s = {20, forest_root(&forest, 20)};
	const struct proof none = {0};
	struct buf note = {0};
	struct checkpoint c;

	(void)state;
	s.root.b[0] ^= 1;
	make_note(20, &note);
	for (uint64_t old = 0; old <= 20; old++)
		assert_int_equal(
			witness_judge(&log_signer.key, &s, old, &none, buf_bytes(&note), &c),
			WITNESS_OTHER_ROOT);
	buf_free(&note);
}

static void an_empty_log_has_one_root(void **state)
{
	const struct witness_state s = {0};
	struct checkpoint empty = {.origin = ORIGIN};
	const struct proof none = {0};
	struct buf note = {0};
	struct checkpoint c;

	(void)state;
	assert_ok(checkpoint_sign(&empty, &log_signer, &note)); /* a root of zeros */
	assert_int_equal(witness_judge(&log_signer.key, &s, 0, &none, buf_bytes(&note), &c),
			 WITNESS_BAD_PROOF);
	make_note(0, &note);
	assert_int_equal(witness_judge(&log_signer.key, &s, 0, &none, buf_bytes(&note), &c),
			 WITNESS_COSIGN);
	buf_free(&note);
}

static void what_is_no_checkpoint_is_a_bad_request(void **state)
{
	static const char *const TEXTS[] = {
		"hello\n",
		ORIGIN "\n",
		ORIGIN "\n7\n",
		ORIGIN "\n07\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		ORIGIN "\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nmore\n",
	};
	const struct witness_state s = {0};
	const struct proof none = {0};
	struct checkpoint c = {.size = 77};
	struct vkey cosigner;
	struct buf note = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
		buf_clear(&note);
		assert_ok(note_sign(bytes_of_text(TEXTS[i]), &log_signer, &note));
		assert_int_equal(witness_judge(&log_signer.key, &s, 0, &none, buf_bytes(&note), &c),
				 WITNESS_BAD_REQUEST);
	}
	assert_int_equal(witness_judge(&log_signer.key, &s, 0, &none, bytes_of_text("hello\n"), &c),
			 WITNESS_BAD_REQUEST);
	/* a log does not sign by cosigning */
	assert_ok(vkey_make(ORIGIN, KEY_COSIGNATURE, log_signer.key.public, &cosigner));
	make_note(7, &note);
	assert_int_equal(witness_judge(&cosigner, &s, 0, &none, buf_bytes(&note), &c),
			 WITNESS_FORBIDDEN);
	assert_int_equal(c.size, 77);
	buf_free(&note);
}

/* ---- merging ---- */

static void add_line(const struct buf *note, unsigned i, uint64_t time_s, struct buf *ret)
{
	struct note n;

	assert_ok(note_parse(buf_bytes(note), &n));
	assert_ok(note_cosign(n.text, time_s, &witnesses[i], ret));
}

/* The note with witness i's line merged in. */
static enum err merge(struct buf *note, unsigned i, uint64_t time_s)
{
	struct buf line = {0};
	struct buf merged = {0};
	enum err e = ERR_OK;

	add_line(note, i, time_s, &line);
	e = note_merge(buf_bytes(note), buf_bytes(&line), &witnesses[i].key, &merged);
	if (!e) {
		buf_clear(note);
		buf_add_bytes(note, buf_bytes(&merged));
	}
	buf_free(&line);
	buf_free(&merged);
	return e;
}

static void lines_are_gathered_up_to_the_bound(void **state)
{
	uint8_t next_secret[SIGN_SECRET_BYTES];
	struct signer next;
	struct buf note = {0};
	struct note n;

	(void)state;
	make_note(7, &note);
	make_signer(ORIGIN, KEY_ED25519, 2, next_secret, &next);
	assert_ok(note_sign_also(&next, &note)); /* the log's own lines do not count */
	for (unsigned i = 0; i < WITNESSES_MAX; i++)
		assert_ok(merge(&note, i, TIME + i));
	assert_err(merge(&note, WITNESSES_MAX, TIME), ERR_LIMIT);
	assert_ok(merge(&note, 3, TIME + 100)); /* in the place of an older one */
	assert_ok(note_parse(buf_bytes(&note), &n));
	assert_int_equal(n.signature_count, 2 + WITNESSES_MAX);
	assert_ok(note_verify(&n, &log_signer.key));
	assert_ok(note_verify(&n, &next.key));
	for (unsigned i = 0; i < WITNESSES_MAX; i++) {
		uint64_t time_s = 0;

		assert_ok(note_cosigned_at(&n, &witnesses[i].key, &time_s));
		assert_int_equal(time_s, i == 3 ? TIME + 100 : TIME + i);
		assert_true(bytes_equal(n.signatures[2 + i].name,
					bytes_of_text(witnesses[i].key.name)));
	}
	buf_free(&note);
}

static void a_line_takes_the_place_of_all_by_its_key(void **state)
{
	struct buf note = {0};
	struct note n;

	(void)state;
	make_note(7, &note);
	add_line(&note, 0, TIME, &note);
	add_line(&note, 1, TIME, &note);
	add_line(&note, 0, TIME + 1, &note);
	assert_ok(merge(&note, 0, TIME + 2));
	assert_ok(note_parse(buf_bytes(&note), &n));
	assert_int_equal(n.signature_count, 3);
	assert_true(bytes_equal(n.signatures[1].name, bytes_of_text(witnesses[0].key.name)));
	assert_true(bytes_equal(n.signatures[2].name, bytes_of_text(witnesses[1].key.name)));
	buf_free(&note);
}

static void a_line_that_is_not_one_good_cosignature_is_refused(void **state)
{
	const struct vkey *by = &witnesses[0].key;
	struct buf note = {0};
	struct buf other = {0};
	struct buf line = {0};
	struct buf ret = {0};

	(void)state;
	make_note(7, &note);
	make_note(8, &other);
	assert_err(note_merge(buf_bytes(&note), bytes_of_text(""), by, &ret), ERR_DECODE);
	assert_err(note_merge(buf_bytes(&note), bytes_of_text("x\n"), by, &ret), ERR_DECODE);
	add_line(&other, 0, TIME, &line); /* about another checkpoint */
	assert_err(note_merge(buf_bytes(&note), buf_bytes(&line), by, &ret), ERR_SIGNATURE);
	buf_clear(&line);
	add_line(&note, 1, TIME, &line); /* by somebody else */
	assert_err(note_merge(buf_bytes(&note), buf_bytes(&line), by, &ret), ERR_UNKNOWN_KEY);
	add_line(&note, 0, TIME, &line); /* two */
	assert_err(note_merge(buf_bytes(&note), buf_bytes(&line), by, &ret), ERR_DECODE);
	buf_clear(&line);
	add_line(&note, 0, TIME, &line);
	assert_err(note_merge(buf_bytes(&note), bytes_of(line.data, line.size - 1), by, &ret),
		   ERR_DECODE);
	buf_add_u8(&line, '\n');
	assert_err(note_merge(buf_bytes(&note), buf_bytes(&line), by, &ret), ERR_DECODE);
	line.size--;
	/* the log's own line is no witness's */
	assert_err(note_merge(buf_bytes(&note), buf_bytes(&line), &log_signer.key, &ret),
		   ERR_ARGUMENT);
	assert_err(note_merge(bytes_of_text("x\n"), buf_bytes(&line), by, &ret), ERR_DECODE);
	assert_int_equal(ret.size, 0);
	assert_ok(note_merge(buf_bytes(&note), buf_bytes(&line), by, &ret));
	buf_free(&note);
	buf_free(&other);
	buf_free(&line);
	buf_free(&ret);
}

/* Good, but of the text and what comes before the empty line. */
static void a_line_that_makes_another_text_is_refused(void **state)
{
	struct buf note = {0};
	struct buf text = {0};
	struct buf line = {0};
	struct buf ret = {0};
	struct note n;

	(void)state;
	make_note(7, &note);
	assert_ok(note_parse(buf_bytes(&note), &n));
	buf_add_bytes(&text, n.text);
	buf_add_text(&text, "\nmore\n");
	buf_add_text(&line, "more\n\n");
	assert_ok(note_cosign(buf_bytes(&text), TIME, &witnesses[0], &line));
	assert_err(note_merge(buf_bytes(&note), buf_bytes(&line), &witnesses[0].key, &ret),
		   ERR_DECODE);
	assert_int_equal(ret.size, 0);
	buf_free(&note);
	buf_free(&text);
	buf_free(&line);
	buf_free(&ret);
}

static void a_note_grows_no_longer_than_it_can_be_read(void **state)
{
	struct buf note = {0};

	(void)state;
	make_note(7, &note);
	buf_add_text(&note, "\xe2\x80\x94 long "); /* of an algorithm that is not known here */
	while (note.size < NOTE_BYTES_MAX - 100)
		buf_add_text(&note, "AAAA");
	buf_add_u8(&note, '\n');
	assert_err(merge(&note, 0, TIME), ERR_LIMIT);
	buf_free(&note);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_answers_are_those_that_were_listed),
		cmocka_unit_test(two_histories_are_told_from_a_proof_that_nobody_needed),
		cmocka_unit_test(the_list_says_the_same_statuses),
		cmocka_unit_test(what_is_cosigned_stands_in_the_note),
		cmocka_unit_test(growth_is_cosigned_whatever_the_sizes),
		cmocka_unit_test(what_was_witnessed_decides_and_not_what_is_said),
		cmocka_unit_test(another_root_of_the_witnessed_size_is_named_whatever_old_says),
		cmocka_unit_test(an_empty_log_has_one_root),
		cmocka_unit_test(what_is_no_checkpoint_is_a_bad_request),
		cmocka_unit_test(lines_are_gathered_up_to_the_bound),
		cmocka_unit_test(a_line_takes_the_place_of_all_by_its_key),
		cmocka_unit_test(a_line_that_is_not_one_good_cosignature_is_refused),
		cmocka_unit_test(a_line_that_makes_another_text_is_refused),
		cmocka_unit_test(a_note_grows_no_longer_than_it_can_be_read),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
