/* Who signs which checkpoints of a log whose keys were rotated twice, at 10 and at 20, and what a
 * damaged note of such a log is worth. */
#include <sodium.h>
#include <string.h>

#include "tlog_fixture.h"
#include "tlog/succession.h"

#define NAME "splot.example/region/26"

static uint8_t secrets[3][SIGN_SECRET_BYTES];
static struct signer signers[3];
static struct succession keys;
static struct buf note, ret;

static int set_up(void **state)
{
	(void)state;
	keys = (struct succession){.count = 3, .ends = {10, 20}};
	for (uint8_t i = 0; i < 3; i++) {
		uint8_t seed[SIGN_SEED_BYTES] = {i, 1};
		uint8_t public[SIGN_PUBLIC_BYTES];

		if (crypto_sign_seed_keypair(public, secrets[i], seed) ||
		    vkey_make(NAME, KEY_ED25519, public, &signers[i].key))
			return -1;
		signers[i].secret = secrets[i];
		keys.keys[i] = signers[i].key;
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buf_free(&note);
	buf_free(&ret);
	return 0;
}

/* By the first, and by the others up to NULL as well. */
static void sign(uint64_t size, const struct signer *first, const struct signer *then)
{
	struct checkpoint c = {.origin = NAME, .size = size, .root = hash_empty()};

	buf_clear(&note);
	assert_ok(checkpoint_sign(&c, first, &note));
	if (then)
		assert_ok(note_sign_also(then, &note));
}

/* The line's last but few bytes. */
static void damage(size_t line)
{
	const char *at = (const char *)note.data;

	for (size_t i = 0; i <= line; i++) {
		at = strstr(at + 1, "\n\xe2\x80\x94 ");
		assert_non_null(at);
	}
	at = strchr(at + 1, '\n') - 20;
	note.data[at - (const char *)note.data] ^= 1;
}

static enum err mended(uint64_t size, const struct signer *last)
{
	buf_clear(&ret);
	return succession_mend(&keys, size, buf_bytes(&note), last, &ret);
}

static void each_key_signs_up_to_its_end(void **state)
{
	static const size_t numbers[] = {[1] = 0, [10] = 0, [11] = 1, [20] = 1, [21] = 2};

	(void)state;
	for (size_t size = 0; size < sizeof(numbers) / sizeof(numbers[0]); size++) {
		if (size != 1 && size % 10 > 1)
			continue;
		assert_int_equal(succession_at(&keys, size), numbers[size]);
	}
	assert_int_equal(succession_at(&keys, UINT64_MAX), 2);
	keys.count = 1;
	assert_int_equal(succession_at(&keys, 21), 0);
}

static void a_whole_note_is_of_its_size_by_its_key_and_has_no_bad_line(void **state)
{
	(void)state;
	sign(7, &signers[0], NULL);
	assert_ok(succession_check(&keys, 7, buf_bytes(&note)));
	assert_err(succession_check(&keys, 8, buf_bytes(&note)), ERR_CORRUPT);
	assert_err(succession_check(&keys, 11, buf_bytes(&note)), ERR_UNKNOWN_KEY);
	sign(12, &signers[1], &signers[0]);
	assert_ok(succession_check(&keys, 12, buf_bytes(&note)));
	damage(1);
	assert_err(succession_check(&keys, 12, buf_bytes(&note)), ERR_SIGNATURE);
	sign(12, &signers[1], &signers[0]);
	damage(0);
	assert_err(succession_check(&keys, 12, buf_bytes(&note)), ERR_SIGNATURE);
	assert_err(succession_check(&keys, 12, bytes_of_text("x")), ERR_DECODE);
}

static void a_rotations_checkpoint_is_signed_by_both_keys(void **state)
{
	(void)state;
	sign(10, &signers[0], NULL);
	assert_err(succession_check(&keys, 10, buf_bytes(&note)), ERR_UNKNOWN_KEY);
	sign(10, &signers[1], NULL);
	assert_err(succession_check(&keys, 10, buf_bytes(&note)), ERR_UNKNOWN_KEY);
	sign(10, &signers[0], &signers[1]);
	assert_ok(succession_check(&keys, 10, buf_bytes(&note)));
}

static void a_bad_line_that_nobody_needs_is_left_out(void **state)
{
	(void)state;
	sign(12, &signers[1], &signers[0]);
	damage(1);
	assert_ok(mended(12, &signers[2]));
	assert_ok(succession_check(&keys, 12, buf_bytes(&ret)));
	sign(12, &signers[1], NULL);
	assert_true(bytes_equal(buf_bytes(&ret), buf_bytes(&note)));
}

static void without_a_line_that_is_needed_a_note_is_worth_nothing(void **state)
{
	(void)state;
	sign(12, &signers[1], &signers[0]);
	damage(0);
	assert_err(mended(12, &signers[2]), ERR_NOT_FOUND);
	assert_int_equal(ret.size, 0);
	sign(12, &signers[1], NULL);
	assert_err(mended(13, &signers[2]), ERR_NOT_FOUND); /* it is of another size */
	sign(10, &signers[0], &signers[1]);
	damage(1);
	assert_err(mended(10, &signers[2]), ERR_NOT_FOUND); /* the next key is gone by now */
	assert_int_equal(ret.size, 0);
	buf_clear(&note);
	assert_err(mended(10, &signers[2]), ERR_NOT_FOUND);
}

static void the_next_key_signs_its_rotation_anew_while_it_is_the_last(void **state)
{
	(void)state;
	sign(20, &signers[1], &signers[2]);
	damage(1);
	assert_ok(mended(20, &signers[2]));
	assert_ok(succession_check(&keys, 20, buf_bytes(&ret)));
	sign(20, &signers[1], &signers[2]);
	assert_true(bytes_equal(buf_bytes(&ret), buf_bytes(&note)));
	sign(20, &signers[1], &signers[2]);
	damage(0);
	assert_err(mended(20, &signers[2]), ERR_NOT_FOUND);
}

static void what_is_kept_is_good_by_a_known_key_or_the_next(void **state)
{
	(void)state;
	sign(12, &signers[1], &signers[2]);
	keys.count = 2;
	assert_ok(succession_keep(&keys, buf_bytes(&note), &signers[2].key, &ret));
	assert_true(bytes_equal(buf_bytes(&ret), buf_bytes(&note)));
	buf_clear(&ret);
	assert_ok(
		succession_keep(&keys, buf_bytes(&note), NULL, &ret)); /* a stranger's line goes */
	sign(12, &signers[1], NULL);
	assert_true(bytes_equal(buf_bytes(&ret), buf_bytes(&note)));
	damage(0);
	buf_clear(&ret);
	assert_err(succession_keep(&keys, buf_bytes(&note), NULL, &ret), ERR_UNKNOWN_KEY);
	assert_int_equal(ret.size, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_key_signs_up_to_its_end),
		TEST(a_whole_note_is_of_its_size_by_its_key_and_has_no_bad_line),
		TEST(a_rotations_checkpoint_is_signed_by_both_keys),
		TEST(a_bad_line_that_nobody_needs_is_left_out),
		TEST(without_a_line_that_is_needed_a_note_is_worth_nothing),
		TEST(the_next_key_signs_its_rotation_anew_while_it_is_the_last),
		TEST(what_is_kept_is_good_by_a_known_key_or_the_next),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
