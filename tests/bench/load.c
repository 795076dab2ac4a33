/* Load and latency for ./dev bench: many editors at once, each with one edit open, against
 * running nodes; then waits until the server's view holds all of it.
 *
 *   splot-load rate    SERVER EDITORS CHANGES SECONDS NODE…   edits as fast as they are accepted
 *   splot-load latency SERVER SAMPLES NODE                    one edit at a time: write -> visible
 *   splot-load fill    EDITORS CHANGES COUNT NODE…            COUNT edits at each node, not awaited
 *   splot-load confirm PERIOD_MS SECONDS NODE…                one edit a period at each node: from
 *                                                              accepted to confirmed by a server
 *   splot-load await   SERVER NODE…                           until the view holds all of it
 *
 * SERVER is a control socket; NODE is LOG=SOCKET ("26=/run/26.sock").  Prints JSON. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "io/control_socket.h"
#include "load.h"
#include "model/control.h"

enum { EDITORS_MAX = 2048, SAMPLES_MAX = 100000, WAIT_MS = 60000 };

struct editor {
	int fd;
	const char *log;
	uint64_t sent, accepted;
	struct buf in;
};

static struct editor editors[EDITORS_MAX];
static size_t editor_count;
static struct arena arena;

static double now_s(void)
{
	struct timespec t = {0, 0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

_Noreturn void fail(const char *what, const char *detail)
{
	(void)fprintf(stderr, "splot-load: %s: %s\n", what, detail);
	exit(1);
}

void must(enum err e, const char *what)
{
	if (e != ERR_OK)
		fail(what, err_text(e));
}

/* ---- editors ---- */

static void send_next(struct editor *e, uint64_t number)
{
	struct bytes out = form_request(e->log, number);
	size_t done = 0;

	while (done < out.size) {
		ssize_t n = send(e->fd, out.data + done, out.size - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = {.fd = e->fd, .events = POLLOUT};

			(void)poll(&p, 1, WAIT_MS);
			continue;
		}
		if (n < 0)
			fail("send", strerror(errno));
		done += (size_t)n;
	}
	e->sent++;
}

static void check_reply(struct bytes body)
{
	struct control_reply reply;

	arena_reset(&arena);
	must(control_reply_decode(body, &arena, &reply), "reply");
	if (reply.code != ERR_OK || reply.problem_count)
		fail(err_code(reply.code),
		     reply.problem_count ? reply.problems[0].text_en : reply.text);
}

/* True when a whole reply came. */
static bool read_reply(struct editor *e)
{
	uint8_t *room = buf_extend(&e->in, 65536);
	ssize_t n = 0;
	struct cursor c;
	uint32_t size = 0;

	if (!room)
		fail("reply", "out of memory");
	n = recv(e->fd, room, 65536, MSG_DONTWAIT);
	e->in.size -= 65536 - (n > 0 ? (size_t)n : 0);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		fail("reply", n ? strerror(errno) : "the node closed the connection");
	c = cursor_of(buf_bytes(&e->in));
	size = cursor_u32be(&c);
	if (c.err != ERR_OK || cursor_left(&c) < size)
		return false;
	check_reply(cursor_bytes(&c, size));
	buf_clear(&e->in);
	e->accepted++;
	return true;
}

static void open_editors(char **nodes, size_t node_count, unsigned each)
{
	for (unsigned k = 0; k < each; k++)
		for (size_t i = 0; i < node_count; i++) {
			struct editor *e = &editors[editor_count++];
			char *equals = strchr(nodes[i], '=');

			if (editor_count > EDITORS_MAX || !equals)
				fail("nodes", nodes[i]);
			e->log = arena_text(&(struct arena){0},
					    bytes_of(nodes[i], (size_t)(equals - nodes[i])));
			must(control_connect(equals + 1, &e->fd), nodes[i]);
		}
}

/* Runs until `seconds` went by or each editor had `count` edits accepted; edits accepted. */
static uint64_t run_editors(double seconds, uint64_t count)
{
	int epoll = epoll_create1(0);
	double end = now_s() + seconds;
	uint64_t number = 0;
	uint64_t accepted = 0;
	size_t open = editor_count;

	for (size_t i = 0; i < editor_count; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};

		(void)epoll_ctl(epoll, EPOLL_CTL_ADD, editors[i].fd, &event);
		send_next(&editors[i], number++);
	}
	while (open) {
		struct epoll_event ready[256];
		int n = epoll_wait(epoll, ready, 256, WAIT_MS);

		if (n == 0)
			fail("editors", "no node answered for a minute");
		for (int i = 0; i < n; i++) {
			struct editor *e = &editors[ready[i].data.u64];

			if (!read_reply(e))
				continue;
			accepted++;
			if (e->accepted < count && now_s() < end)
				send_next(e, number++);
			else
				open--;
		}
	}
	close(epoll);
	return accepted;
}

/* ---- asking ---- */

static struct control_reply ask(int fd, const struct control_request *request)
{
	static struct buf body, answer;
	struct control_reply reply;

	buf_clear(&body);
	buf_clear(&answer);
	arena_reset(&arena);
	must(control_request_encode(request, &body), "request");
	must(control_ask(fd, buf_bytes(&body), WAIT_MS, &answer), "ask");
	must(control_reply_decode(buf_bytes(&answer), &arena, &reply), "reply");
	return reply;
}

static struct control_reply ask_status(int fd)
{
	struct control_request request = {
		.verb = CONTROL_STATUS, .id = "", .after = "", .name = "", .reason = ""};

	return ask(fd, &request);
}

static uint64_t node_total(char **nodes, size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++) {
		int fd = -1;

		must(control_connect(strchr(nodes[i], '=') + 1, &fd), nodes[i]);
		total += ask_status(fd).size;
		close(fd);
	}
	return total;
}

/* Until the server stored `total` events and folded its whole national log. */
static void await_view(int server, uint64_t total)
{
	for (;;) {
		struct control_reply reply = ask_status(server);
		uint64_t stored = 0;
		struct timespec pause = {0, 500000};

		for (size_t i = 0; i < reply.peer_count; i++)
			stored += reply.peers[i].size;
		if (stored >= total && reply.position >= reply.size)
			return;
		(void)nanosleep(&pause, NULL);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* ---- verbs ---- */

static unsigned number_of(const char *text)
{
	char *end = NULL;
	unsigned long x = strtoul(text, &end, 10);

	if (*end || end == text || x > 100000000)
		fail("not a number", text);
	return (unsigned)x;
}

static int rate(int argc, char **argv)
{
	int server = -1;
	char **nodes = argv + 4;
	size_t node_count = (size_t)argc - 4;
	uint64_t accepted = 0;
	double start = 0;
	double here = 0;
	double there = 0;

	form_changes = number_of(argv[2]);
	must(control_connect(argv[0], &server), argv[0]);
	open_editors(nodes, node_count, number_of(argv[1]));
	start = now_s();
	accepted = run_editors(number_of(argv[3]), UINT64_MAX);
	here = now_s() - start;
	await_view(server, node_total(nodes, node_count));
	there = now_s() - start;
	printf("{\"edits\":%llu,\"accepted_per_s\":%.0f,\"national_per_s\":%.0f,\"rows_per_s\":%."
	       "0f}\n",
	       (unsigned long long)accepted, (double)accepted / here, (double)accepted / there,
	       (double)accepted * form_changes / there);
	return 0;
}

static int fill(int argc, char **argv)
{
	double start = 0;
	uint64_t accepted = 0;

	form_changes = number_of(argv[1]);
	open_editors(argv + 3, (size_t)argc - 3, number_of(argv[0]));
	start = now_s();
	accepted = run_editors(1e9, number_of(argv[2]) / number_of(argv[0]));
	printf("{\"edits\":%llu,\"accepted_per_s\":%.0f}\n", (unsigned long long)accepted,
	       (double)accepted / (now_s() - start));
	return 0;
}

static int await(int argc, char **argv)
{
	int server = -1;
	double start = now_s();

	must(control_connect(argv[0], &server), argv[0]);
	await_view(server, node_total(argv + 1, (size_t)argc - 1));
	printf("{\"seconds\":%.4f}\n", now_s() - start);
	return 0;
}

static int latency(int argc, char **argv)
{
	static double accepted_us[SAMPLES_MAX], visible_us[SAMPLES_MAX];
	unsigned samples = number_of(argv[1]);
	int server = -1;

	(void)argc;
	if (samples < 1 || samples > SAMPLES_MAX)
		fail("samples", argv[1]);
	must(control_connect(argv[0], &server), argv[0]);
	open_editors(argv + 2, 1, 1);
	for (unsigned i = 0; i < samples; i++) {
		char id[64];
		struct control_request query = {.verb = CONTROL_QUERY,
						.kind = RECORD_ENTITY,
						.id = id,
						.after = "",
						.name = "",
						.reason = ""};
		struct timespec pause = {0, 4000000};
		struct pollfd p = {.fd = editors[0].fd, .events = POLLIN};
		double start = now_s();

		form_id(id, editors[0].log, i, 0);
		send_next(&editors[0], i);
		while (poll(&p, 1, WAIT_MS) > 0 && !read_reply(&editors[0]))
			;
		accepted_us[i] = (now_s() - start) * 1e6;
		while (ask(server, &query).version_count == 0)
			;
		visible_us[i] = (now_s() - start) * 1e6;
		(void)nanosleep(&pause, NULL);
	}
	qsort(accepted_us, samples, sizeof *accepted_us, by_value);
	qsort(visible_us, samples, sizeof *visible_us, by_value);
	printf("{\"samples\":%u,\"accepted_p50_us\":%.0f,\"accepted_p99_us\":%.0f,\"visible_p50_"
	       "us\":%.0f,\"visible_p99_us\":%.0f}\n",
	       samples, accepted_us[samples / 2], accepted_us[samples * 99 / 100],
	       visible_us[samples / 2], visible_us[samples * 99 / 100]);
	return 0;
}

/* One editor at each node, and a second connection that asks how far the node is confirmed. */
struct watcher {
	double due, accepted, asked;
	uint64_t size; /* to be confirmed; 0: none */
	struct buf in;
	int status;
	bool editing, asking;
};

static void ask_confirmed(struct watcher *w)
{
	static struct buf request;
	struct control_request q = {
		.verb = CONTROL_STATUS, .id = "", .after = "", .name = "", .reason = ""};
	static struct buf body;

	if (request.size == 0) {
		must(control_request_encode(&q, &body), "request");
		buf_add_u32be(&request, (uint32_t)body.size);
		buf_add_bytes(&request, buf_bytes(&body));
	}
	if (send(w->status, request.data, request.size, MSG_NOSIGNAL) != (ssize_t)request.size)
		fail("status", strerror(errno));
	w->asking = true;
}

/* A whole reply; false when it is not there yet. */
static bool take_status(struct watcher *w, struct control_reply *ret)
{
	uint8_t *room = buf_extend(&w->in, 65536);
	struct cursor c;
	uint32_t size = 0;
	ssize_t n = 0;

	if (!room)
		fail("status", "out of memory");
	n = recv(w->status, room, 65536, MSG_DONTWAIT);
	w->in.size -= 65536 - (n > 0 ? (size_t)n : 0);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		fail("status", "the node closed the connection");
	c = cursor_of(buf_bytes(&w->in));
	size = cursor_u32be(&c);
	if (c.err != ERR_OK || cursor_left(&c) < size)
		return false;
	arena_reset(&arena);
	must(control_reply_decode(cursor_bytes(&c, size), &arena, ret), "status");
	buf_clear(&w->in);
	w->asking = false;
	return true;
}

/* The first answer after an edit says the size that is to be confirmed. */
static void note_confirmed(struct watcher *w, double *samples_us, unsigned *count)
{
	struct control_reply reply;

	if (!take_status(w, &reply))
		return;
	w->asked = now_s();
	if (w->size == 0)
		w->size = reply.size;
	if (reply.peer_count == 0 || reply.peers[0].size < w->size)
		return;
	if (*count < SAMPLES_MAX)
		samples_us[(*count)++] = (now_s() - w->accepted) * 1e6;
	w->accepted = 0;
	w->size = 0;
}

/* What is due at one node now. */
static void drive(struct editor *e, struct watcher *w, double period, double end, uint64_t *number)
{
	const double every = 0.0005; /* asks are that far apart */
	double now = now_s();

	if (!w->editing && w->accepted == 0 && now >= w->due && now < end) {
		send_next(e, (*number)++);
		w->editing = true;
		w->due = w->due + period > now ? w->due + period : now;
	}
	if (w->accepted > 0 && !w->asking && now - w->asked >= every)
		ask_confirmed(w);
}

static bool is_busy(const struct watcher *w, double end)
{
	return w->editing || w->accepted > 0 || now_s() < end;
}

static int confirm(int argc, char **argv)
{
	static double samples_us[SAMPLES_MAX];
	static struct watcher watchers[FORMS_MAX];
	struct pollfd fds[2 * FORMS_MAX];
	size_t nodes = (size_t)argc - 2;
	double period = number_of(argv[0]) / 1000.0;
	double end = now_s() + number_of(argv[1]);
	uint64_t number = 0;
	unsigned count = 0;
	bool busy = true;

	if (nodes > FORMS_MAX)
		fail("nodes", "too many");
	open_editors(argv + 2, nodes, 1);
	for (size_t i = 0; i < nodes; i++) {
		must(control_connect(strchr(argv[2 + i], '=') + 1, &watchers[i].status),
		     argv[2 + i]);
		watchers[i].due = now_s() + period * (double)i / (double)nodes;
	}
	while (busy && now_s() < end + WAIT_MS / 1000.0) {
		busy = false;
		for (size_t i = 0; i < nodes; i++) {
			drive(&editors[i], &watchers[i], period, end, &number);
			fds[2 * i] = (struct pollfd){.fd = editors[i].fd, .events = POLLIN};
			fds[2 * i + 1] =
				(struct pollfd){.fd = watchers[i].status, .events = POLLIN};
			busy |= is_busy(&watchers[i], end);
		}
		if (poll(fds, 2 * nodes, 1) <= 0)
			continue;
		for (size_t i = 0; i < nodes; i++) {
			if (fds[2 * i].revents && read_reply(&editors[i])) {
				watchers[i].editing = false;
				watchers[i].accepted = now_s();
			}
			if (fds[2 * i + 1].revents)
				note_confirmed(&watchers[i], samples_us, &count);
		}
	}
	if (busy || count == 0)
		fail("confirm", "not everything was confirmed");
	qsort(samples_us, count, sizeof *samples_us, by_value);
	printf("{\"samples\":%u,\"p50_us\":%.0f,\"p99_us\":%.0f,\"all_us\":[", count,
	       samples_us[count / 2], samples_us[(size_t)count * 99 / 100]);
	for (unsigned i = 0; i < count; i++)
		printf("%s%.0f", i ? "," : "", samples_us[i]);
	printf("]}\n");
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
		int least;
	} verbs[] = {{"rate", rate, 5},
		     {"latency", latency, 3},
		     {"fill", fill, 4},
		     {"await", await, 2},
		     {"confirm", confirm, 3}};

	if (getrandom(&form_salt, 4, 0) != 4)
		fail("salt", strerror(errno));
	for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(argv[1], verbs[i].name) == 0 && argc - 2 >= verbs[i].least)
			return verbs[i].run(argc - 2, argv + 2);
	fail("usage", "see the head of tests/bench/load.c");
}
