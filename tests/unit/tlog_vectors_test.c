#include "tlog_vectors.h"

#include "tlog/checkpoint.h"
#include "tlog/cosignature.h"

/* "-" is the empty proof; false when an element is not a hash or there are too many. */
static bool parse_proof(char *list, struct proof *ret)
{
	char *item = NULL;

	ret->count = 0;
	if (strcmp(list, "-") == 0)
		return true;
	while ((item = strsep(&list, ","))) {
		if (ret->count == PROOF_HASHES_MAX || !parse_hash(item, &ret->hashes[ret->count]))
			return false;
		ret->count++;
	}
	return true;
}

/* "-" stands for no bytes. */
static size_t from_hex(const char *hex, uint8_t *ret, size_t max)
{
	size_t size = 0;

	if (strcmp(hex, "-") == 0)
		return 0;
	assert_int_equal(sodium_hex2bin(ret, max, hex, strlen(hex), NULL, &size, NULL), 0);
	return size;
}

/* ---- hashing and trees ---- */

static void rfc6962_hasher(void **state)
{
	struct buf file = {0};
	char *row[FIELDS];
	char *at = NULL;
	size_t fields = 0;
	size_t count = 0;

	(void)state;
	read_file("rfc6962/hasher.txt", &file);
	at = (char *)file.data;
	while ((fields = next_row(&at, " ", row))) {
		uint8_t x[128];
		uint8_t y[128 + 1 + 128];
		size_t size = from_hex(row[1], x, sizeof(x));
		struct hash expected = hash_hex(row[fields - 1]);

		count++;
		if (strcmp(row[0], "empty_root") == 0) {
			assert_hash(hash_empty(), expected);
		} else if (strcmp(row[0], "leaf") == 0) {
			assert_hash(hash_leaf(bytes_of(x, fields == 3 ? size : 0)), expected);
		} else { /* nodes of any length there: over the raw form */
			assert_string_equal(row[0], "node");
			y[0] = 0x01;
			memcpy(y + 1, x, size);
			size += from_hex(row[2], y + 1 + size, 128);
			assert_hash(hash_plain(bytes_of(y, size + 1)), expected);
			if (size == 64) {
				struct hash left = hash_hex(row[1]);

				assert_hash(hash_node(left, hash_hex(row[2])), expected);
			}
		}
	}
	assert_in_range(count, 6, 1000);
	buf_free(&file);
}

/* A reader over the few leaves of the file. */
struct few {
	uint64_t count;
	struct hash leaves[16];
};

static enum err few_node(void *context, unsigned level, uint64_t index, struct hash *ret)
{
	const struct few *f = context;

	if (level > 4 || (index + 1) << level > f->count)
		return ERR_NOT_FOUND;
	*ret = slow_root(f->leaves + (index << level), UINT64_C(1) << level);
	return ERR_OK;
}

static void assert_proof(const struct proof *made, char *list)
{
	struct proof expected;

	assert_true(parse_proof(list, &expected));
	assert_int_equal(made->count, expected.count);
	for (size_t i = 0; i < made->count; i++)
		assert_hash(made->hashes[i], expected.hashes[i]);
}

static uint64_t named_number(const char *field)
{
	const char *equals = strchr(field, '=');

	assert_non_null(equals);
	return strtoull(equals + 1, NULL, 10);
}

static void rfc6962_reference_tree(void **state)
{
	struct few few = {0};
	const struct tree_reader reader = {&few, few_node};
	struct buf file = {0};
	struct tree t;
	struct proof p;
	char *row[FIELDS];
	char *at = NULL;
	size_t proofs = 0;

	(void)state;
	read_file("rfc6962/ct_reference_tree.txt", &file);
	at = (char *)file.data;
	while (next_row(&at, " ", row)) {
		uint8_t raw[64];

		if (strcmp(row[0], "empty_root") == 0) {
			assert_hash(hash_empty(), hash_hex(row[1]));
		} else if (strcmp(row[0], "leaf") == 0) {
			size_t size = from_hex(row[2], raw, sizeof(raw));

			assert_true(few.count < 16);
			few.leaves[few.count++] = hash_leaf(bytes_of(raw, size));
		} else if (strcmp(row[0], "root") == 0) {
			assert_ok(tree_at(&reader, strtoull(row[1], NULL, 10), &t));
			assert_hash(tree_root(&t), hash_hex(row[2]));
		} else if (strcmp(row[0], "inclusion") == 0) {
			assert_ok(proof_inclusion(&reader, named_number(row[1]),
						  named_number(row[2]), &p));
			assert_proof(&p, row[3]);
			proofs++;
		} else {
			assert_string_equal(row[0], "consistency");
			assert_ok(proof_consistency(&reader, named_number(row[1]),
						    named_number(row[2]), &p));
			assert_proof(&p, row[3]);
			proofs++;
		}
	}
	assert_int_equal(few.count, 8);
	assert_in_range(proofs, 9, 1000);
	buf_free(&file);
}

typedef enum err check_fn(const struct proof *p, uint64_t first, uint64_t second, struct hash one,
			  struct hash two);

/* Rows: expect, two numbers, two hashes, the proof, where from.  What is not of 32 bytes
 * cannot even be said here: refused by its form. */
static void check_rows(const char *name, check_fn *check)
{
	struct buf file = {0};
	char *row[FIELDS];
	char *at = NULL;
	size_t good = 0;
	size_t bad = 0;

	read_file(name, &file);
	at = (char *)file.data;
	while (next_row(&at, "\t", row)) {
		struct hash one;
		struct hash two;
		struct proof p;
		bool said = parse_hash(row[3], &one) && parse_hash(row[4], &two) &&
			    parse_proof(row[5], &p);
		enum err e = said ? check(&p, strtoull(row[1], NULL, 10),
					  strtoull(row[2], NULL, 10), one, two)
				  : ERR_PROOF;

		if (strcmp(row[0], "good") == 0) {
			assert_ok(e);
			good++;
		} else {
			assert_string_equal(row[0], "bad");
			assert_err(e, ERR_PROOF);
			bad++;
		}
	}
	print_message("%s: %zu good, %zu refused\n", name, good, bad);
	assert_in_range(good, 5, 1000);
	assert_in_range(bad, 80, 1000);
	buf_free(&file);
}

static void merkle_inclusion(void **state)
{
	(void)state;
	check_rows("rfc6962/merkle_inclusion.tsv", proof_check_inclusion);
}

static void merkle_consistency(void **state)
{
	(void)state;
	check_rows("rfc6962/merkle_consistency.tsv", proof_check_consistency);
}

/* ---- notes ---- */

static void signed_notes(void **state)
{
	static const struct {
		const char *note, *key;
		enum err err;
	} CASES[] = {
		{"signed-note/c2sp-example.note", "signed-note/c2sp-example.vkey", ERR_OK},
		{"signed-note/go-peter.note", "signed-note/go-peter.vkey", ERR_OK},
		{"signed-note/go-peter-enoch.note", "signed-note/go-peter.vkey", ERR_OK},
		{"signed-note/go-peter-enoch.note", "signed-note/go-enoch.vkey", ERR_OK},
		{"signed-note/go-peter.note", "signed-note/go-enoch.vkey", ERR_UNKNOWN_KEY},
		{"signed-note/c2sp-example.note", "signed-note/go-peter.vkey", ERR_UNKNOWN_KEY},
		{"witness/mInit.checkpoint", "witness/log.vkey", ERR_OK},
		{"witness/mNext.checkpoint", "witness/log.vkey", ERR_OK},
	};
	struct buf file = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct vkey key;
		struct note n;

		read_vkey(CASES[i].key, &key);
		read_file(CASES[i].note, &file);
		assert_ok(note_parse(buf_bytes(&file), &n));
		assert_err(note_verify(&n, &key), CASES[i].err);
	}
	buf_free(&file);
}

/* Of the text and of each good signature. */
static void every_changed_bit_of_a_signed_note_is_noticed(void **state)
{
	static const struct {
		const char *note, *key;
	} CASES[] = {
		{"signed-note/c2sp-example.note", "signed-note/c2sp-example.vkey"},
		{"signed-note/go-peter.note", "signed-note/go-peter.vkey"},
		{"signed-note/go-peter-enoch.note", "signed-note/go-peter.vkey"},
		{"signed-note/go-peter-enoch.note", "signed-note/go-enoch.vkey"},
		{"checkpoint/sigsum-seed11.checkpoint", "checkpoint/sigsum-seed11.vkey"},
		{"witness/mInit.checkpoint", "witness/log.vkey"},
		{"witness/mNext.checkpoint", "witness/log.vkey"},
	};
	struct buf file = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct vkey key;
		struct note n;
		size_t line = 0;

		read_vkey(CASES[i].key, &key);
		read_file(CASES[i].note, &file);
		assert_ok(note_parse(buf_bytes(&file), &n));
		for (size_t bit = 0; bit < 8 * n.text.size; bit++) {
			file.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
			assert_err(note_verify(&n, &key), ERR_SIGNATURE);
			file.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
		while (n.signatures[line].key_id != key.id)
			assert_in_range(++line, 1, n.signature_count - 1);
		for (size_t bit = 0; bit < (size_t)8 * SIGNATURE_BYTES; bit++) {
			n.signatures[line].body[bit / 8] ^= (uint8_t)(1U << bit % 8);
			assert_err(note_verify(&n, &key), ERR_SIGNATURE);
			n.signatures[line].body[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
		assert_ok(note_verify(&n, &key));
	}
	buf_free(&file);
}

static void signing_again_gives_the_same_note(void **state)
{
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer peter;
	struct buf file = {0};
	struct buf made = {0};
	struct note n;

	(void)state;
	read_skey("signed-note/go-peter.skey-TEST-ONLY", secret, &peter);
	read_file("signed-note/go-peter.note", &file);
	assert_ok(note_parse(buf_bytes(&file), &n));
	assert_ok(note_sign(n.text, &peter, &made));
	assert_true(bytes_equal(buf_bytes(&made), buf_bytes(&file)));
	buf_free(&made);
	buf_free(&file);
}

static void bad_notes_are_refused(void **state)
{
	static const struct {
		const char *note;
		enum err err;
	} CASES[] = {
		{"signed-note/bad/101-signatures.note", ERR_LIMIT},
		{"signed-note/bad/control-char.note", ERR_ENCODING},
		{"signed-note/bad/no-final-newline.note", ERR_DECODE},
		{"signed-note/bad/not-utf8.note", ERR_ENCODING},
		{"signed-note/bad/trailing-line.note", ERR_DECODE},
	};
	struct buf file = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct note n;

		read_file(CASES[i].note, &file);
		assert_err(note_parse(buf_bytes(&file), &n), CASES[i].err);
	}
	buf_free(&file);
}

/* ---- checkpoints, cosignatures, witnesses ---- */

#define SUM_GOLANG_ORG "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"

static void checkpoints(void **state)
{
	struct buf file = {0};
	struct checkpoint c;
	struct vkey key;
	struct note n;

	(void)state;
	read_vkey("checkpoint/sigsum-seed11.vkey", &key);
	read_file("checkpoint/sigsum-seed11.checkpoint", &file);
	assert_ok(checkpoint_open(buf_bytes(&file), &key, &c));
	assert_int_equal(c.size, 10);
	read_file("checkpoint/sum.golang.org-30055305.checkpoint", &file);
	assert_ok(note_parse(buf_bytes(&file), &n));
	assert_ok(checkpoint_parse(n.text, false, &c));
	assert_string_equal(c.origin, "go.sum database tree");
	assert_int_equal(c.size, 30055305);
	assert_err(checkpoint_open(buf_bytes(&file), &key, &c), ERR_ORIGIN);
	/* that log's key, whose name is not its origin */
	assert_ok(vkey_parse(bytes_of_text(SUM_GOLANG_ORG), &key));
	assert_ok(note_verify(&n, &key));
	assert_err(checkpoint_open(buf_bytes(&file), &key, &c), ERR_ORIGIN);
	buf_free(&file);
}

/* The file: comments, the three lines of the body, the line to be made. */
static void cosignature(void **state)
{
	uint8_t seed[SIGN_SEED_BYTES] = {0x11};
	uint8_t public[SIGN_PUBLIC_BYTES];
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer by = {.secret = secret};
	struct buf file = {0};
	struct buf made = {0};
	struct vkey key;
	struct note n;
	const char *body = NULL;
	const char *line = NULL;
	uint64_t time_s = 0;

	(void)state;
	read_vkey("cosignature/sigsum-seed11.vkey", &key);
	assert_int_equal(crypto_sign_seed_keypair(public, secret, seed), 0);
	assert_ok(vkey_make(key.name, KEY_COSIGNATURE, public, &by.key));
	assert_int_equal(by.key.id, key.id);
	read_file("cosignature/sigsum-seed11.txt", &file);
	body = strstr((char *)file.data, "\nexample.org/log\n");
	assert_non_null(body);
	body++;
	line = strstr(body, "\xe2\x80\x94 ");
	assert_non_null(line);
	buf_add(&made, body, (size_t)(line - body));
	buf_add_text(&made, "\n");
	assert_ok(note_cosign(bytes_of(body, (size_t)(line - body)), 1234, &by, &made));
	assert_string_equal(buf_text(&made) + (line - body) + 1, line);
	assert_ok(note_parse(buf_bytes(&made), &n));
	assert_ok(note_verify(&n, &key));
	assert_ok(note_cosigned_at(&n, &key, &time_s));
	assert_int_equal(time_s, 1234);
	for (size_t bit = 0; bit < 8 * n.text.size; bit++) {
		made.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_err(note_verify(&n, &key), ERR_SIGNATURE);
		made.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	for (size_t bit = 0; bit < (size_t)8 * COSIGNATURE_BYTES; bit++) {
		n.signatures[0].body[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_err(note_verify(&n, &key), ERR_SIGNATURE);
		n.signatures[0].body[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_ok(note_verify(&n, &key));
	buf_free(&made);
	buf_free(&file);
}

static void witness_consistency(void **state)
{
	struct buf file = {0};
	struct checkpoint init;
	struct checkpoint next;
	struct proof p = {0};
	struct vkey key;

	(void)state;
	read_vkey("witness/log.vkey", &key);
	read_file("witness/mInit.checkpoint", &file);
	assert_ok(checkpoint_open(buf_bytes(&file), &key, &init));
	read_file("witness/mNext.checkpoint", &file);
	assert_ok(checkpoint_open(buf_bytes(&file), &key, &next));
	read_hashes("witness/consistency-5-8.hex", &p);
	assert_ok(proof_check_consistency(&p, init.size, next.size, init.root, next.root));
	for (size_t i = 0; i < p.count; i++) {
		for (unsigned bit = 0; bit < 256; bit++) {
			p.hashes[i].b[bit / 8] ^= (uint8_t)(1U << bit % 8);
			assert_err(proof_check_consistency(&p, init.size, next.size, init.root,
							   next.root),
				   ERR_PROOF);
			p.hashes[i].b[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
	}
	for (uint64_t old = 0; old <= 9; old++) {
		if (old != init.size)
			assert_err(
				proof_check_consistency(&p, old, next.size, init.root, next.root),
				ERR_PROOF);
	}
	assert_err(proof_check_consistency(&p, 5, 8, next.root, init.root), ERR_PROOF);
	p.count--;
	assert_err(proof_check_consistency(&p, 5, 8, init.root, next.root), ERR_PROOF);
	p.count = 0;
	assert_err(proof_check_consistency(&p, 5, 8, init.root, next.root), ERR_PROOF);
	buf_free(&file);
}

/* ---- signatures: RFC 8032 over libsodium's strict verification ---- */

static void ed25519_rfc8032(void **state)
{
	struct buf file = {0};
	char *row[FIELDS];
	char *at = NULL;
	size_t count = 0;

	(void)state;
	read_file("ed25519/rfc8032.tsv", &file);
	at = (char *)file.data;
	while (next_row(&at, "\t", row)) {
		uint8_t message[2048];
		uint8_t signature[SIGNATURE_BYTES];
		uint8_t made[SIGNATURE_BYTES];
		uint8_t public[SIGN_PUBLIC_BYTES];
		uint8_t secret[SIGN_SECRET_BYTES];
		struct hash seed = hash_hex(row[1]);
		size_t size = from_hex(row[3], message, sizeof(message));

		assert_int_equal(from_hex(row[4], signature, sizeof(signature)), SIGNATURE_BYTES);
		assert_int_equal(crypto_sign_seed_keypair(public, secret, seed.b), 0);
		assert_memory_equal(public, hash_hex(row[2]).b, SIGN_PUBLIC_BYTES);
		assert_int_equal(crypto_sign_detached(made, NULL, message, size, secret), 0);
		assert_memory_equal(made, signature, SIGNATURE_BYTES);
		assert_int_equal(crypto_sign_verify_detached(signature, message, size, public), 0);
		signature[count] ^= 1;
		assert_int_not_equal(crypto_sign_verify_detached(signature, message, size, public),
				     0);
		count++;
	}
	assert_in_range(count, 5, 1000);
	buf_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc6962_hasher),
		cmocka_unit_test(rfc6962_reference_tree),
		cmocka_unit_test(merkle_inclusion),
		cmocka_unit_test(merkle_consistency),
		cmocka_unit_test(signed_notes),
		cmocka_unit_test(every_changed_bit_of_a_signed_note_is_noticed),
		cmocka_unit_test(signing_again_gives_the_same_note),
		cmocka_unit_test(bad_notes_are_refused),
		cmocka_unit_test(checkpoints),
		cmocka_unit_test(cosignature),
		cmocka_unit_test(witness_consistency),
		cmocka_unit_test(ed25519_rfc8032),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
