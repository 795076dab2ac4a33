/* The control socket: whole messages whatever the pieces, and nobody holds it up. */
#include "temporary.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "io/control_socket.h"
#include "io/files.h"

struct world {
	char folder[TEMPORARY_BYTES];
	char path[300];
	struct control *control;
	int64_t skipped_ms; /* added to the clock */
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	temporary_make(w->folder, "control");
	(void)snprintf(w->path, sizeof w->path, "%s/control", w->folder);
	OK(control_listen(w->path, 0660, &w->control));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	control_close(w->control);
	temporary_remove(w->folder);
	free(w);
	return 0;
}

/* One turn of a driver's loop. */
static void turn(struct world *w, int wait_ms)
{
	struct poll_item items[CONTROL_CLIENTS_MAX + 1];
	struct pollfd fds[CONTROL_CLIENTS_MAX + 1];
	size_t count = control_items(w->control, items, CONTROL_CLIENTS_MAX + 1);
	struct mono_ms now = {mono_now().ms + w->skipped_ms};

	for (size_t i = 0; i < count; i++)
		fds[i] = (struct pollfd){
			.fd = items[i].fd,
			.events = (short)((items[i].want & POLL_READ ? POLLIN : 0) |
					  (items[i].want & POLL_WRITE ? POLLOUT : 0)),
		};
	(void)poll(fds, count, wait_ms);
	for (size_t i = 0; i < count; i++)
		items[i].got = (short)((fds[i].revents & POLLIN ? POLL_READ : 0) |
				       (fds[i].revents & POLLOUT ? POLL_WRITE : 0) |
				       (fds[i].revents & (POLLERR | POLLHUP) ? POLL_ERROR : 0));
	control_turn(w->control, items, count, now);
}

static enum err next_within(struct world *w, struct control_call *call, int turns)
{
	enum err err = ERR_AGAIN;

	while ((err = control_next(w->control, call)) == ERR_AGAIN && turns-- > 0)
		turn(w, 2);
	return err;
}

static int ask(struct world *w, const char *text)
{
	uint8_t raw[64] = {0, 0, 0, (uint8_t)strlen(text)};
	int fd = -1;

	OK(control_connect(w->path, &fd));
	memcpy(raw + 4, text, strlen(text));
	assert_int_equal(write(fd, raw, 4 + strlen(text)), (ssize_t)(4 + strlen(text)));
	return fd;
}

static void assert_answer(int fd, const char *text)
{
	char raw[64] = {0};

	assert_int_equal(read(fd, raw, sizeof raw), (ssize_t)(4 + strlen(text)));
	assert_string_equal(raw + 4, text);
}

static bool hung_up(int fd)
{
	char c = 0;

	return recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

static void a_request_in_single_bytes_is_one_request(void **state)
{
	struct world *w = *state;
	const uint8_t raw[] = {0, 0, 0, 3, 'a', 'b', 'c'};
	struct control_call call;
	int fd = -1;

	OK(control_connect(w->path, &fd));
	for (size_t i = 0; i < sizeof raw; i++) {
		assert_int_equal(control_next(w->control, &call), ERR_AGAIN);
		assert_int_equal(write(fd, raw + i, 1), 1);
		turn(w, 10);
		turn(w, 10);
	}
	OK(control_next(w->control, &call));
	assert_true(bytes_equal(call.body, bytes_of_text("abc")));
	assert_int_equal(call.uid, getuid());
	control_reply(w->control, call.client, bytes_of_text("done"));
	assert_answer(fd, "done");
	(void)close(fd);
}

static void several_calls_are_open_at_once_but_one_a_client(void **state)
{
	struct world *w = *state;
	const uint8_t second[] = {0, 0, 0, 1, '2'};
	struct control_call calls[3];
	int a = ask(w, "a");
	int b = ask(w, "b");

	assert_int_equal(write(a, second, sizeof second), (ssize_t)sizeof second);
	OK(next_within(w, &calls[0], 50));
	OK(next_within(w, &calls[1], 50));
	assert_int_not_equal(calls[0].client, calls[1].client);
	assert_int_equal(next_within(w, &calls[2], 3), ERR_AGAIN);
	assert_int_not_equal(calls[0].body.data[0], calls[1].body.data[0]);
	for (int i = 0; i < 2; i++)
		control_reply(w->control, calls[i].client, calls[i].body);
	assert_answer(a, "a");
	assert_answer(b, "b");
	OK(next_within(w, &calls[2], 50));
	assert_int_equal(calls[2].body.data[0], '2');
	control_reply(w->control, calls[2].client, bytes_of_text("late"));
	control_reply(w->control, calls[2].client, bytes_of_text("twice")); /* ignored */
	assert_answer(a, "late");
	(void)close(a);
	(void)close(b);
}

static void a_client_that_left_is_forgotten_and_its_number_not_used_again(void **state)
{
	struct world *w = *state;
	struct control_call first;
	struct control_call second;
	int fd = ask(w, "first");

	OK(next_within(w, &first, 50));
	(void)close(fd);
	turn(w, 10);
	turn(w, 10);
	assert_true(bytes_equal(first.body, bytes_of_text("first"))); /* until the reply */
	control_reply(w->control, first.client, bytes_of_text("nobody reads this"));
	fd = ask(w, "second");
	OK(next_within(w, &second, 50));
	assert_int_not_equal(first.client, second.client);
	control_reply(w->control, first.client, bytes_of_text("to the wrong one"));
	control_reply(w->control, second.client, bytes_of_text("right"));
	assert_answer(fd, "right");
	(void)close(fd);
}

static void half_a_message_is_dropped_after_ten_seconds_and_not_before(void **state)
{
	struct world *w = *state;
	const uint8_t half[] = {0, 0, 0, 9, 'x'};
	int fd = -1;
	int idle = -1;

	OK(control_connect(w->path, &fd));
	OK(control_connect(w->path, &idle));
	assert_int_equal(write(fd, half, sizeof half), (ssize_t)sizeof half);
	for (int i = 0; i < 5; i++)
		turn(w, 2);
	w->skipped_ms = 9000;
	turn(w, 0);
	assert_false(hung_up(fd));
	w->skipped_ms = 11000;
	turn(w, 0);
	assert_true(hung_up(fd));
	assert_false(hung_up(idle)); /* silence between messages is no offence */
	(void)close(fd);
	(void)close(idle);
}

static void a_length_over_the_bound_ends_the_connection(void **state)
{
	struct world *w = *state;
	const uint8_t header[] = {0, 4, 0, 1}; /* CONTROL_BYTES_MAX + 1 */
	int fd = -1;

	OK(control_connect(w->path, &fd));
	assert_int_equal(write(fd, header, sizeof header), (ssize_t)sizeof header);
	for (int i = 0; i < 5 && !hung_up(fd); i++)
		turn(w, 5);
	assert_true(hung_up(fd));
	(void)close(fd);
}

struct asker {
	const char *path;
	struct bytes request;
	struct buf reply;
	enum err err;
};

static void *ask_in_thread(void *context)
{
	struct asker *a = context;
	int fd = -1;

	a->err = control_connect(a->path, &fd);
	if (a->err == ERR_OK) {
		a->err = control_ask(fd, a->request, 5000, &a->reply);
		(void)close(fd);
	}
	return NULL;
}

static void the_largest_message_passes_both_ways_in_pieces(void **state)
{
	struct world *w = *state;
	uint8_t *large = malloc(CONTROL_BYTES_MAX);
	struct asker a = {.path = w->path, .err = ERR_INTERNAL};
	struct control_call call;
	pthread_t thread;
	int64_t end = mono_now().ms + 5000;

	assert_non_null(large);
	for (size_t i = 0; i < CONTROL_BYTES_MAX; i++)
		large[i] = (uint8_t)(i * 7 + i / 251);
	a.request = bytes_of(large, CONTROL_BYTES_MAX);
	buf_add_text(&a.reply, "kept:");
	assert_int_equal(pthread_create(&thread, NULL, ask_in_thread, &a), 0);
	OK(next_within(w, &call, 1000));
	assert_true(bytes_equal(call.body, a.request));
	control_reply(w->control, call.client, a.request);
	while (mono_now().ms < end) {
		struct poll_item items[2];
		size_t count = control_items(w->control, items, 2);

		if (count < 2 || !(items[1].want & POLL_WRITE))
			break;
		turn(w, 2);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	OK(a.err);
	assert_int_equal(a.reply.size, CONTROL_BYTES_MAX + 5);
	assert_memory_equal(a.reply.data, "kept:", 5);
	assert_memory_equal(a.reply.data + 5, large, CONTROL_BYTES_MAX);
	buf_free(&a.reply);
	free(large);
}

static void count_up(void *context)
{
	(*(int *)context)++;
}

static void who_waits_long_is_told_once_and_waits_on(void **state)
{
	struct world *w = *state;
	int told = 0;
	struct control_patience patience = {200, 20, count_up, &told};
	struct buf reply = {0};
	int64_t begun = mono_now().ms;
	int fd = -1;

	OK(control_connect(w->path, &fd)); /* nobody answers */
	assert_int_equal(control_ask_telling(fd, bytes_of_text("?"), &patience, &reply),
			 ERR_TIMEOUT);
	assert_int_equal(told, 1);
	assert_true(mono_now().ms - begun >= 200);
	(void)close(fd);
	told = 0;
	patience.timeout_ms = 20;
	patience.slow_ms = 5000;
	OK(control_connect(w->path, &fd));
	assert_int_equal(control_ask_telling(fd, bytes_of_text("?"), &patience, &reply),
			 ERR_TIMEOUT);
	assert_int_equal(told, 0);
	assert_true(mono_now().ms - begun < 5000);
	(void)close(fd);
}

static void asking_ends_in_time_and_says_when_nobody_is_there(void **state)
{
	struct world *w = *state;
	struct buf reply = {0};
	char path[128];
	int fd = -1;

	OK(control_connect(w->path, &fd)); /* the kernel's queue takes it; nobody answers */
	assert_int_equal(control_ask(fd, bytes_of_text("?"), 50, &reply), ERR_TIMEOUT);
	(void)close(fd);
	OK(control_connect(w->path, &fd));
	control_close(w->control);
	w->control = NULL;
	assert_int_equal(control_ask(fd, bytes_of_text("?"), 1000, &reply), ERR_CLOSED);
	(void)close(fd);
	assert_int_equal(reply.size, 0);
	assert_int_equal(control_connect(w->path, &fd), ERR_NOT_FOUND);
	(void)snprintf(path, sizeof path, "%s/none/control", w->folder);
	assert_int_equal(control_listen(path, 0600, &w->control), ERR_NOT_FOUND);
}

static void a_live_socket_is_busy_and_a_stale_one_is_replaced(void **state)
{
	struct world *w = *state;
	struct control *second = NULL;
	struct stat st;
	char stale[160];
	int fd = -1;

	assert_int_equal(control_listen(w->path, 0600, &second), ERR_BUSY);
	assert_int_equal(stat(w->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	/* What a killed process leaves: the file without a listener. */
	(void)snprintf(stale, sizeof stale, "%s/stale", w->folder);
	OK(control_listen(stale, 0600, &second));
	(void)rename(stale, w->path);
	control_close(second);
	assert_int_equal(control_connect(w->path, &fd), ERR_CLOSED);
	control_close(w->control); /* must leave the other's file alone */
	assert_int_equal(stat(w->path, &st), 0);
	OK(control_listen(w->path, 0600, &w->control));
	OK(control_connect(w->path, &fd));
	(void)close(fd);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
	struct world *w = *state;
	struct control *second = NULL;
	char path[128];

	(void)snprintf(path, sizeof path, "%s/precious", w->folder);
	OK(file_create(path, 0600, bytes_of_text("data")));
	assert_int_equal(control_listen(path, 0600, &second), ERR_EXISTS);
	assert_true(file_exists(path));
}

static void a_path_longer_than_an_address_works(void **state)
{
	struct world *w = *state;
	struct control *deep = NULL;
	struct control *usual = w->control;
	struct control_call call;
	char path[300];
	char folder[280];
	int fd = -1;

	(void)snprintf(folder, sizeof folder, "%s/%0100d/%0100d", w->folder, 1, 2);
	OK(folder_make(folder, 0700));
	(void)snprintf(path, sizeof path, "%s/control", folder);
	OK(control_listen(path, 0600, &deep));
	(void)snprintf(w->path, sizeof w->path, "%s", path);
	w->control = deep;
	fd = ask(w, "deep");
	OK(next_within(w, &call, 50));
	control_reply(deep, call.client, bytes_of_text("yes"));
	assert_answer(fd, "yes");
	(void)close(fd);
	control_close(deep);
	assert_false(file_exists(path));
	w->control = usual;
}

static void an_idle_client_makes_room_for_a_new_one(void **state)
{
	struct world *w = *state;
	int fds[CONTROL_CLIENTS_MAX];
	struct control_call call;
	int fd = -1;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		OK(control_connect(w->path, &fds[i]));
		w->skipped_ms++;
		turn(w, 2);
	}
	fd = ask(w, "room?");
	OK(next_within(w, &call, 50));
	control_reply(w->control, call.client, bytes_of_text("made"));
	assert_answer(fd, "made");
	assert_true(hung_up(fds[0]));
	assert_false(hung_up(fds[1]));
	(void)close(fd);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		(void)close(fds[i]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_request_in_single_bytes_is_one_request),
		T(several_calls_are_open_at_once_but_one_a_client),
		T(a_client_that_left_is_forgotten_and_its_number_not_used_again),
		T(half_a_message_is_dropped_after_ten_seconds_and_not_before),
		T(a_length_over_the_bound_ends_the_connection),
		T(the_largest_message_passes_both_ways_in_pieces),
		T(who_waits_long_is_told_once_and_waits_on),
		T(asking_ends_in_time_and_says_when_nobody_is_there),
		T(a_live_socket_is_busy_and_a_stale_one_is_replaced),
		T(a_file_that_is_no_socket_is_left_alone),
		T(a_path_longer_than_an_address_works),
		T(an_idle_client_makes_room_for_a_new_one),
	};

	return cmocka_run_group_tests_name("control socket", tests, NULL, NULL);
}
