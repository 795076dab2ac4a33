#include "tlog_fixture.h"

#include "proof_check.h"

/* A log of eleven leaves, its checkpoint, and the proof of leaf six. */
#define ORIGIN "splot.example/region/26"
#define HEAD   "c2sp.org/tlog-proof@v1\n"
#define A_HASH "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

enum { LEAVES = 11, INDEX = 6 };

static const char LEAF[] = "leaf 6"; /* as the fixture makes them */

static uint8_t secret[SIGN_SECRET_BYTES];
static struct signer signer = {.secret = secret};
static struct forest forest;
static struct checkpoint checkpoint = {.origin = ORIGIN, .size = LEAVES};
static struct buf note;
static struct buf file; /* the proof as written, with the leaf as extra */
static struct arena arena;

static int set_up(void **state)
{
	const struct tree_reader reader = {&forest, forest_node};
	const uint8_t seed[SIGN_SEED_BYTES] = {6};
	struct proof_file p = {.index = INDEX, .has_extra = true};
	uint8_t public[SIGN_PUBLIC_BYTES];

	(void)state;
	assert_int_equal(crypto_sign_seed_keypair(public, secret, seed), 0);
	assert_ok(vkey_make(ORIGIN, KEY_ED25519, public, &signer.key));
	forest_make(&forest, LEAVES);
	checkpoint.root = forest_root(&forest, LEAVES);
	assert_ok(checkpoint_sign(&checkpoint, &signer, &note));
	assert_ok(proof_inclusion(&reader, INDEX, LEAVES, &p.proof));
	p.extra = bytes_of_text(LEAF);
	p.note = buf_bytes(&note);
	assert_ok(proof_file_write(&p, &file));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	forest_free(&forest);
	buf_free(&note);
	buf_free(&file);
	arena_free(&arena);
	return 0;
}

static enum err parse(struct bytes raw, struct proof_file *ret)
{
	arena_reset(&arena);
	return proof_file_parse(raw, &arena, ret);
}

/* As somebody does who holds nothing but the file and the key. */
static enum err check_alone(struct bytes raw, struct checkpoint *ret)
{
	struct proof_file p;
	enum err e = parse(raw, &p);

	if (e)
		return e;
	return proof_file_check(&p, hash_leaf(p.extra), &signer.key, ret);
}

static void a_proof_reads_as_it_was_written(void **state)
{
	struct checkpoint c;
	struct proof_file p;
	struct buf again = {0};

	(void)state;
	assert_ok(parse(buf_bytes(&file), &p));
	assert_true(p.has_extra);
	assert_true(bytes_equal(p.extra, bytes_of_text(LEAF)));
	assert_int_equal(p.index, INDEX);
	assert_int_equal(p.proof.count, 4);
	assert_true(bytes_equal(p.note, buf_bytes(&note)));
	assert_ok(proof_file_check(&p, forest.rows[0][INDEX], &signer.key, &c));
	assert_string_equal(c.origin, ORIGIN);
	assert_int_equal(c.size, LEAVES);
	assert_hash(c.root, checkpoint.root);
	assert_ok(proof_file_write(&p, &again));
	assert_true(bytes_equal(buf_bytes(&again), buf_bytes(&file)));
	buf_free(&again);
}

/* Line by line as the format says, put together without the code under test. */
static void a_proof_has_the_lines_that_the_format_names(void **state)
{
	struct bytes text = buf_bytes(&file);
	const char *at = (const char *)text.data;
	static const char head[] = HEAD "extra bGVhZiA2\nindex 6\n";

	(void)state;
	assert_true(text.size > sizeof(head));
	assert_memory_equal(at, head, sizeof(head) - 1);
	at += sizeof(head) - 1;
	for (size_t i = 0; i < 4; i++, at += 45)
		assert_memory_equal(at + 43, "=\n", 2);
	assert_memory_equal(at, "\n" ORIGIN "\n11\n", sizeof("\n" ORIGIN "\n11\n") - 1);
}

static void a_proof_without_extra_takes_the_leaf_from_elsewhere(void **state)
{
	struct proof_file p;
	struct proof_file read;
	struct checkpoint c;
	struct buf b = {0};

	(void)state;
	assert_ok(parse(buf_bytes(&file), &p));
	p.has_extra = false;
	assert_ok(proof_file_write(&p, &b));
	assert_null(strstr(buf_text(&b), "extra"));
	assert_ok(proof_file_parse(buf_bytes(&b), &arena, &read));
	assert_false(read.has_extra);
	assert_int_equal(read.extra.size, 0);
	assert_ok(proof_file_check(&read, forest.rows[0][INDEX], &signer.key, &c));
	assert_err(proof_file_check(&read, forest.rows[0][INDEX + 1], &signer.key, &c), ERR_PROOF);
	buf_free(&b);
}

static void a_log_of_one_leaf_has_a_proof_without_hashes(void **state)
{
	struct checkpoint one = {.origin = ORIGIN, .size = 1, .root = forest.rows[0][0]};
	struct proof_file p = {0};
	struct checkpoint c;
	struct buf signed_one = {0};
	struct buf b = {0};

	(void)state;
	assert_ok(checkpoint_sign(&one, &signer, &signed_one));
	p.note = buf_bytes(&signed_one);
	assert_ok(proof_file_write(&p, &b));
	assert_ok(parse(buf_bytes(&b), &p));
	assert_int_equal(p.proof.count, 0);
	assert_ok(proof_file_check(&p, forest.rows[0][0], &signer.key, &c));
	p.index = 1;
	assert_err(proof_file_check(&p, forest.rows[0][0], &signer.key, &c), ERR_PROOF);
	buf_free(&signed_one);
	buf_free(&b);
}

static void a_proof_of_another_form_is_refused(void **state)
{
	static const struct {
		const char *head;
		enum err err;
	} CASES[] = {
		{"", ERR_DECODE},
		{"c2sp.org/tlog-proof@v1", ERR_DECODE},
		{"c2sp.org/tlog-proof@v2\nindex 6\n\n", ERR_DECODE},
		{"c2sp.org/tlog-proof@v1 \nindex 6\n\n", ERR_DECODE},
		{"c2sp.org/tlog-proof@v1\r\nindex 6\n\n", ERR_DECODE},
		{"\n" HEAD "index 6\n\n", ERR_DECODE},
		{HEAD "\n", ERR_DECODE}, /* no index */
		{HEAD A_HASH "\n", ERR_DECODE},
		{HEAD "extra AAAA\n\n", ERR_DECODE},
		{HEAD "index 6\nextra AAAA\n\n", ERR_DECODE}, /* the other way round */
		{HEAD "extra AAAA\nextra AAAA\nindex 6\n\n", ERR_DECODE},
		{HEAD "extra \nindex 6\n\n", ERR_DECODE}, /* then it is left out */
		{HEAD "extra\nindex 6\n\n", ERR_DECODE},
		{HEAD "extra  AAAA\nindex 6\n\n", ERR_DECODE},
		{HEAD "extra AAAA \nindex 6\n\n", ERR_DECODE},
		{HEAD "extra AAA\nindex 6\n\n", ERR_DECODE},
		{HEAD "extra AAB=\nindex 6\n\n", ERR_DECODE}, /* bits behind the end */
		{HEAD "extra AA-_\nindex 6\n\n", ERR_DECODE}, /* another alphabet */
		{HEAD "Extra AAAA\nindex 6\n\n", ERR_DECODE},
		{HEAD "index\n\n", ERR_DECODE},
		{HEAD "index \n\n", ERR_DECODE},
		{HEAD "index  6\n\n", ERR_DECODE},
		{HEAD "index 6 \n\n", ERR_DECODE},
		{HEAD "index 06\n\n", ERR_DECODE},
		{HEAD "index +6\n\n", ERR_DECODE},
		{HEAD "index -6\n\n", ERR_DECODE},
		{HEAD "index 0x6\n\n", ERR_DECODE},
		{HEAD "index 9223372036854775808\n\n", ERR_DECODE},
		{HEAD "index 6\n", ERR_DECODE}, /* no empty line: the note's text is no hash */
		{HEAD "index 6\n" A_HASH, ERR_DECODE},
		{HEAD "index 6\n\n\n", ERR_DECODE}, /* the note would begin with an empty line */
		{HEAD "index 6\n\n" A_HASH "\n", ERR_DECODE},
		{HEAD "index 6\nAAAA\n\n", ERR_DECODE},
		{HEAD "index 6\n " A_HASH "\n", ERR_DECODE},
		{HEAD "index 6\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n\n", ERR_DECODE},
		{HEAD "index 6\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\n", ERR_DECODE},
		/* 31 bytes */
		{HEAD "index 6\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n\n", ERR_DECODE},
		{HEAD "index 6\n\n\x01", ERR_ENCODING},
		{HEAD "index 6\n\n\xff", ERR_ENCODING},
	};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct proof_file p = {.index = 77};

		buf_clear(&b);
		buf_add_text(&b, CASES[i].head);
		buf_add_bytes(&b, buf_bytes(&note));
		assert_err(parse(buf_bytes(&b), &p), CASES[i].err);
		assert_int_equal(p.index, 77);
	}
	buf_free(&b);
}

static void a_proof_ends_in_a_note(void **state)
{
	struct bytes whole = buf_bytes(&file);
	struct checkpoint c;

	(void)state;
	assert_ok(check_alone(whole, &c));
	for (size_t size = 0; size < whole.size; size++)
		assert_true(check_alone(bytes_of(whole.data, size), &c) != ERR_OK);
}

static void every_changed_bit_of_a_proof_is_noticed(void **state)
{
	struct buf changed = {0};
	struct checkpoint c;

	(void)state;
	buf_add_bytes(&changed, buf_bytes(&file));
	for (size_t bit = 0; bit < 8 * changed.size; bit++) {
		changed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_true(check_alone(buf_bytes(&changed), &c) != ERR_OK);
		changed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_ok(check_alone(buf_bytes(&changed), &c));
	buf_free(&changed);
}

static void another_key_or_origin_is_named(void **state)
{
	struct vkey other = signer.key;
	struct proof_file p;
	struct checkpoint c;

	(void)state;
	assert_ok(parse(buf_bytes(&file), &p));
	other.public[0] ^= 1;
	assert_ok(vkey_make(ORIGIN, KEY_ED25519, other.public, &other));
	assert_err(proof_file_check(&p, forest.rows[0][INDEX], &other, &c), ERR_UNKNOWN_KEY);
	assert_ok(vkey_make(ORIGIN "/2", KEY_ED25519, signer.key.public, &other));
	assert_err(proof_file_check(&p, forest.rows[0][INDEX], &other, &c), ERR_ORIGIN);
	other = signer.key; /* the same id, another key: the line is its own, and bad */
	other.public[0] ^= 1;
	assert_err(proof_file_check(&p, forest.rows[0][INDEX], &other, &c), ERR_SIGNATURE);
}

static void a_proof_is_bounded(void **state)
{
	static uint8_t leaf[EVENT_BYTES_MAX + 3];
	struct proof_file p = {.has_extra = true, .extra = {leaf, EVENT_BYTES_MAX}};
	struct proof_file read;
	struct buf b = {0};

	(void)state;
	p.note = buf_bytes(&note);
	p.proof.count = PROOF_HASHES_MAX;
	assert_ok(proof_file_write(&p, &b));
	assert_ok(parse(buf_bytes(&b), &read));
	assert_int_equal(read.extra.size, EVENT_BYTES_MAX);
	assert_int_equal(read.proof.count, PROOF_HASHES_MAX);
	/* one hash more */
	buf_clear(&b);
	buf_add_text(&b, HEAD "index 6\n");
	for (size_t i = 0; i <= PROOF_HASHES_MAX; i++)
		buf_add_text(&b, A_HASH);
	buf_add_text(&b, "\n");
	buf_add_bytes(&b, buf_bytes(&note));
	assert_err(parse(buf_bytes(&b), &read), ERR_DECODE);
	/* three bytes more of a leaf */
	buf_clear(&b);
	buf_add_text(&b, HEAD "extra ");
	for (size_t i = 0; i < (EVENT_BYTES_MAX + 3) / 3; i++)
		buf_add_text(&b, "AAAA");
	buf_add_text(&b, "\nindex 6\n\n");
	buf_add_bytes(&b, buf_bytes(&note));
	assert_err(parse(buf_bytes(&b), &read), ERR_LIMIT);
	/* a file that is too long, whatever it says */
	buf_clear(&b);
	assert_non_null(buf_extend(&b, PROOF_FILE_BYTES_MAX + 1));
	memset(b.data, 'A', b.size);
	assert_err(parse(buf_bytes(&b), &read), ERR_LIMIT);
	buf_free(&b);
}

static void what_could_not_be_read_back_is_not_written(void **state)
{
	static uint8_t leaf[EVENT_BYTES_MAX + 1];
	struct proof_file p = {.has_extra = true};
	struct buf b = {0};

	(void)state;
	p.note = buf_bytes(&note);
	assert_err(proof_file_write(&p, &b), ERR_ARGUMENT);
	p.extra = bytes_of(leaf, sizeof(leaf));
	assert_err(proof_file_write(&p, &b), ERR_ARGUMENT);
	p.has_extra = false;
	p.index = UINT64_C(1) << 63;
	assert_err(proof_file_write(&p, &b), ERR_ARGUMENT);
	p.index = 0;
	p.proof.count = PROOF_HASHES_MAX + 1;
	assert_err(proof_file_write(&p, &b), ERR_ARGUMENT);
	assert_int_equal(b.size, 0);
	buf_free(&b);
}

static void a_small_arena_is_no_memory(void **state)
{
	struct arena small = {.limit_bytes = 1};
	struct proof_file p;

	(void)state;
	assert_err(proof_file_parse(buf_bytes(&file), &small, &p), ERR_NOMEM);
	arena_free(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proof_reads_as_it_was_written),
		cmocka_unit_test(a_proof_has_the_lines_that_the_format_names),
		cmocka_unit_test(a_proof_without_extra_takes_the_leaf_from_elsewhere),
		cmocka_unit_test(a_log_of_one_leaf_has_a_proof_without_hashes),
		cmocka_unit_test(a_proof_of_another_form_is_refused),
		cmocka_unit_test(a_proof_ends_in_a_note),
		cmocka_unit_test(every_changed_bit_of_a_proof_is_noticed),
		cmocka_unit_test(another_key_or_origin_is_named),
		cmocka_unit_test(a_proof_is_bounded),
		cmocka_unit_test(what_could_not_be_read_back_is_not_written),
		cmocka_unit_test(a_small_arena_is_no_memory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
