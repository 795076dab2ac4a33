/* What a server takes of what came in one turn: each log's share, what waits and for how long, and
 * what becomes of who says more than may wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/intake.h"

enum { ARRIVALS_MAX = 1024, A = 0, B, C, NOBODY = LOGS_MAX, CREDIT = COMMIT_BYTES_MAX };

static struct intake intake;
/* What the network brings: messages are told apart by their connection. */
static struct arrival {
	size_t log, bytes;
	uint64_t number;
} arrivals[ARRIVALS_MAX];
static size_t arrival_count, received;
static uint64_t heard[ARRIVALS_MAX];
static size_t heard_count;
static bool owing[LOGS_MAX];
static uint64_t work;     /* of each message */
static size_t enough_at;  /* so many heard are enough; 0: never */
static enum err hear_err; /* what hearing fails with */
static size_t overruns, overrun_log;
static bool no_memory; /* for what would wait */
static uint64_t unkept_number;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
	return no_memory ? NULL : __real_malloc(size);
}

static int set_up(void **state)
{
	(void)state;
	intake = (struct intake){.credit_bytes = CREDIT};
	arrival_count = received = heard_count = overruns = enough_at = 0;
	memset(owing, 0, sizeof owing);
	work = 0;
	hear_err = ERR_OK;
	no_memory = false;
	unkept_number = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	intake_close(&intake);
	assert_false(intake_waits(&intake));
	assert_int_equal(unkept_number, 0);
	return 0;
}

/* ---- what is around it ---- */

static enum err receive(void *context, struct message *ret)
{
	static const uint8_t zeroes[2 * CREDIT];
	const struct arrival *a = &arrivals[received];

	(void)context;
	if (received == arrival_count)
		return ERR_AGAIN;
	received++;
	*ret = (struct message){
		.connection = a->number, .frame_count = 1, .frames = {bytes_of(zeroes, a->bytes)}};
	(void)snprintf(ret->user, sizeof ret->user, "%zu", a->log);
	return ERR_OK;
}

static size_t whose(void *context, const struct message *m)
{
	(void)context;
	return (size_t)strtoul(m->user, NULL, 10);
}

static bool owes(void *context, size_t log)
{
	(void)context;
	return owing[log];
}

static enum err hear(void *context, const struct message *m, uint64_t *ret_work)
{
	(void)context;
	heard[heard_count++] = m->connection;
	*ret_work = work;
	return hear_err;
}

static bool enough(void *context)
{
	(void)context;
	return enough_at > 0 && heard_count >= enough_at;
}

static void overrun(void *context, const struct message *m)
{
	overruns++;
	overrun_log = whose(context, m);
	intake_drop(&intake, overrun_log); /* as the server does */
}

static void unkept(void *context, const struct message *m)
{
	(void)context;
	unkept_number = m->connection;
}

static const struct intake_ops OPS = {receive, whose, owes, hear, enough, overrun, unkept};

static void comes(size_t log, uint64_t number, size_t bytes)
{
	assert_true(arrival_count < ARRIVALS_MAX);
	arrivals[arrival_count++] = (struct arrival){log, bytes, number};
}

static void turn(void)
{
	heard_count = 0;
	assert_int_equal(intake_turn(&intake, &OPS, NULL), ERR_OK);
}

/* Those numbers were heard in that order, and no others. */
static void assert_heard(const char *numbers)
{
	char text[256] = "";

	for (size_t i = 0; i < heard_count && i < 32; i++)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%u",
			       i ? " " : "", (unsigned)heard[i]);
	assert_string_equal(text, numbers);
}

/* ---- shares ---- */

static void what_comes_is_heard_in_its_order(void **state)
{
	(void)state;
	comes(A, 1, 10);
	comes(NOBODY, 2, 10);
	comes(B, 3, 10);
	comes(A, 4, 10);
	turn();
	assert_heard("1 2 3 4");
	assert_false(intake_waits(&intake));
}

static void
a_log_that_had_its_share_of_messages_ends_the_turn_and_comes_first_in_the_next(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= TURN_PEER_MESSAGES + 2; i++)
		comes(A, i, 10);
	comes(B, 9, 10);
	turn();
	assert_heard("1 2 3 4");
	assert_true(intake_is_ready(&intake));
	turn();
	assert_heard("5 6 9");
	assert_false(intake_is_ready(&intake));
}

static void a_share_is_one_of_work_and_of_bytes_as_well(void **state)
{
	(void)state;
	work = TURN_PEER_WORK;
	comes(A, 1, 10);
	comes(B, 2, 10);
	comes(A, 3, 10);
	turn();
	assert_heard("1 2");
	work = 0;
	turn();
	assert_heard("3");
	comes(A, 4, TURN_PEER_WORK);
	comes(A, 5, 10);
	turn();
	assert_heard("4");
	turn();
	assert_heard("5");
}

static void nobody_has_no_share_to_use_up(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 8; i++)
		comes(NOBODY, i, 10);
	turn();
	assert_heard("1 2 3 4 5 6 7 8");
}

static void a_large_message_is_not_taken_after_small_ones_but_first_in_the_next_turn(void **state)
{
	(void)state;
	comes(A, 1, 10);
	comes(B, 2, TURN_LARGE_BYTES);
	comes(C, 3, 10);
	turn();
	assert_heard("1");
	assert_true(intake_is_ready(&intake));
	turn();
	assert_heard("2 3");
	comes(B, 4, TURN_LARGE_BYTES); /* alone, or after another large one */
	comes(C, 5, TURN_LARGE_BYTES);
	turn();
	assert_heard("4 5");
}

static void a_turn_ends_when_it_is_full_and_goes_on_with_what_waits(void **state)
{
	(void)state;
	enough_at = 2;
	for (size_t log = A; log <= C; log++)
		comes(log, log + 1, 10);
	turn();
	assert_heard("1 2");
	turn();
	assert_heard("3");
	enough_at = 0;
	for (size_t log = 0; log < 8; log++)
		comes(log, log + 1, TURN_BYTES / 4);
	turn();
	assert_heard("1 2 3 4");
	turn();
	assert_heard("5 6 7 8");
}

static void a_turn_has_a_bounded_number_of_messages(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < TURN_MESSAGES + 1; i++)
		comes(NOBODY, i, 10);
	turn();
	assert_int_equal(heard_count, TURN_MESSAGES);
	turn();
	assert_int_equal(heard_count, 1);
}

/* ---- debts ---- */

static void a_log_that_owes_waits_with_all_that_it_says_and_the_others_do_not(void **state)
{
	(void)state;
	owing[A] = true;
	comes(A, 1, 10);
	comes(B, 2, 10);
	comes(A, 3, 10);
	comes(B, 4, 10);
	turn();
	assert_heard("2 4");
	assert_true(intake_waits(&intake));
	assert_false(intake_is_ready(&intake)); /* for its time, not for the next turn */
	comes(A, 5, 10);
	owing[A] = false;
	turn();
	assert_heard("1 3 5");
	assert_false(intake_waits(&intake));
}

static void what_comes_behind_what_waits_stays_behind_it(void **state)
{
	(void)state;
	owing[A] = true;
	comes(A, 1, 10);
	turn();
	owing[A] = false;
	enough_at = 1; /* the turn ends before all that waits was heard */
	comes(A, 2, 10);
	comes(B, 3, 10);
	turn();
	assert_heard("1");
	turn();
	assert_heard("2");
	turn();
	assert_heard("3");
}

static void more_messages_than_may_wait_are_an_overrun_and_nothing_of_them_is_heard(void **state)
{
	(void)state;
	owing[A] = true;
	for (uint64_t i = 0; i < AHEAD_MESSAGES; i++)
		comes(A, i, 10);
	turn();
	comes(B, 900, 10);
	turn();
	assert_heard("900");
	assert_int_equal(overruns, 0);
	assert_int_equal(intake.inbox.of[A].count, AHEAD_MESSAGES);
	comes(A, 999, 10);
	comes(B, 901, 10);
	turn();
	assert_heard("901");
	assert_int_equal(overruns, 1);
	assert_int_equal(overrun_log, A);
	assert_false(intake_waits(&intake));
}

static void more_bytes_than_may_wait_are_an_overrun(void **state)
{
	(void)state;
	owing[A] = true;
	for (uint64_t i = 0; i < (CREDIT + AHEAD_BYTES) / COMMIT_BYTES_MAX; i++)
		comes(A, i, COMMIT_BYTES_MAX);
	turn();
	assert_int_equal(overruns, 0);
	comes(A, 99, 1);
	turn();
	assert_int_equal(overruns, 1);
}

static void what_finds_no_memory_to_wait_in_is_told_and_what_waits_already_stays(void **state)
{
	(void)state;
	owing[A] = true;
	comes(A, 1, 10);
	turn();
	no_memory = true;
	comes(A, 2, 10);
	comes(B, 3, 10);
	turn();
	assert_heard("3");
	assert_int_equal(unkept_number, 2);
	unkept_number = 0;
	assert_int_equal(overruns, 0);
	no_memory = owing[A] = false;
	turn();
	assert_heard("1");
}

/* Else the next turn would begin at once, for ever. */
static void what_is_dropped_is_waited_for_no_more(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= TURN_PEER_MESSAGES + 1; i++)
		comes(A, i, 10);
	turn();
	assert_true(intake_is_ready(&intake));
	intake_drop(&intake, A);
	assert_false(intake_is_ready(&intake));
	assert_false(intake_waits(&intake));
}

static void a_fault_ends_the_turn_and_is_told(void **state)
{
	(void)state;
	hear_err = ERR_SYNC;
	comes(A, 1, 10);
	comes(B, 2, 10);
	assert_int_equal(intake_turn(&intake, &OPS, NULL), ERR_SYNC);
	assert_heard("1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_comes_is_heard_in_its_order),
		TEST(a_log_that_had_its_share_of_messages_ends_the_turn_and_comes_first_in_the_next),
		TEST(a_share_is_one_of_work_and_of_bytes_as_well),
		TEST(nobody_has_no_share_to_use_up),
		TEST(a_large_message_is_not_taken_after_small_ones_but_first_in_the_next_turn),
		TEST(a_turn_ends_when_it_is_full_and_goes_on_with_what_waits),
		TEST(a_turn_has_a_bounded_number_of_messages),
		TEST(a_log_that_owes_waits_with_all_that_it_says_and_the_others_do_not),
		TEST(what_comes_behind_what_waits_stays_behind_it),
		TEST(more_messages_than_may_wait_are_an_overrun_and_nothing_of_them_is_heard),
		TEST(more_bytes_than_may_wait_are_an_overrun),
		TEST(what_finds_no_memory_to_wait_in_is_told_and_what_waits_already_stays),
		TEST(what_is_dropped_is_waited_for_no_more),
		TEST(a_fault_ends_the_turn_and_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
