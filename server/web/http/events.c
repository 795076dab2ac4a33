#include "http/events.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/door_internal.h"
#include "http/limits.h"

enum { BLOCK_BYTES = 8192, LEFT_AT_ONCE = 64, AFTER_HELLO_MS = 2000, LOST_MS = 30000 };

struct message {
	size_t users;
	uint64_t entry;
	size_t size;
	char text[];
};

/* The messages of all entries from `from` on. */
struct ring {
	struct message *slots[RING_MESSAGES_MAX];
	size_t first, count, bytes;
	uint64_t from;
	size_t readers;
};

struct reader {
	struct events *events;
	struct reader *next, *before;
	struct MHD_Connection *mhd;
	int fd;
	unsigned scope;
	uint64_t at;              /* the first entry that it has not got */
	struct message *greeting; /* to be sent first; NULL: was */
	struct message *found;    /* of an entry before the ring, to be sent next; NULL */
	struct message *now;      /* being sent, owned */
	size_t sent;              /* of it */
	uint64_t status_seen, beat_seen;
	struct mono_ms given; /* when it last took something, or had all */
	bool suspended, dead;
};

struct events {
	struct door *door;
	struct events_source source;
	unsigned readers_max;
	int watch_fd; /* epoll over sockets of readers that hang up */
	struct ring rings[EVENTS_SCOPES];
	struct reader *readers;
	struct reader *turn; /* whose replay goes on next; NULL: the first one's */
	struct message *status, *beat;
	uint64_t status_number, beat_number;
	struct mono_ms next_beat;
	bool finishing, behind;
};

/* ---- messages ---- */

static struct message *message_of(struct buf *text, uint64_t entry)
{
	struct message *m = NULL;

	if (buf_check(text) == ERR_OK)
		m = malloc(sizeof *m + text->size);
	if (m) {
		*m = (struct message){.users = 1, .entry = entry, .size = text->size};
		memcpy(m->text, text->data, text->size);
	}
	buf_free(text);
	return m;
}

static void message_release(struct message *m)
{
	if (m && --m->users == 0)
		free(m);
}

static struct message *message_keep(struct message *m)
{
	m->users++;
	return m;
}

static struct message *change_message(uint64_t entry, struct bytes data)
{
	struct buf text = {.limit = MESSAGE_BYTES_MAX};

	buf_printf(&text, "id: %" PRIu64 "\nevent: change\ndata: ", entry);
	buf_add_bytes(&text, data);
	buf_add_text(&text, "\n\n");
	return message_of(&text, entry);
}

static struct message *greet(struct events *e, const char *event)
{
	struct buf data = {.limit = MESSAGE_BYTES_MAX};
	struct buf text = {.limit = MESSAGE_BYTES_MAX};

	if (e->source.hello(e->source.context, &data) != ERR_OK)
		buf_clear(&data);
	buf_printf(&text, "retry: %d\nevent: %s\ndata: ", AFTER_HELLO_MS, event);
	buf_add_bytes(&text, buf_bytes(&data));
	buf_add_text(&text, "\n\n");
	buf_free(&data);
	return message_of(&text, 0);
}

/* ---- rings ---- */

static void ring_drop_first(struct ring *r)
{
	struct message *m = r->slots[r->first];

	r->from = m->entry + 1;
	r->bytes -= m->size;
	message_release(m);
	r->slots[r->first] = NULL;
	r->first = (r->first + 1) % RING_MESSAGES_MAX;
	r->count--;
}

static void ring_empty(struct ring *r, uint64_t from)
{
	while (r->count > 0)
		ring_drop_first(r);
	r->from = from;
}

static struct message *ring_at(const struct ring *r, size_t i)
{
	return r->slots[(r->first + i) % RING_MESSAGES_MAX];
}

/* The first message of an entry not below `at`; NULL. */
static struct message *ring_find(const struct ring *r, uint64_t at)
{
	size_t low = 0;
	size_t high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ring_at(r, middle)->entry < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->count ? ring_at(r, low) : NULL;
}

/* ---- what a reader gets next ---- */

/* Whether the view has to be asked for what comes next. */
static bool stands_before_ring(const struct reader *r)
{
	return !r->dead && !r->greeting && !r->found && r->at < r->events->rings[r->scope].from;
}

static struct message *present_message(struct reader *r)
{
	struct events *e = r->events;
	struct message *m = ring_find(&e->rings[r->scope], r->at);

	if (m) {
		r->at = m->entry + 1;
		return message_keep(m);
	}
	if (!e->status || r->status_seen == e->status_number)
		return NULL;
	r->status_seen = e->status_number;
	return message_keep(e->status);
}

static struct message *next_message(struct reader *r)
{
	struct events *e = r->events;
	struct message **first = r->greeting ? &r->greeting : &r->found;
	struct message *m = *first;

	if (m) {
		*first = NULL;
		return m;
	}
	/* Who waits for its turn (replay_turn) hears that we are there, no more. */
	m = stands_before_ring(r) ? NULL : present_message(r);
	if (m)
		return m;
	if (r->beat_seen != e->beat_number) {
		r->beat_seen = e->beat_number;
		return message_keep(e->beat);
	}
	return NULL;
}

/* Called by libmicrohttpd when the socket takes more. */
static ssize_t give(void *context, uint64_t position, char *to, size_t room)
{
	struct reader *r = context;
	size_t size = 0;

	(void)position;
	r->given = r->events->door->now;
	if (r->dead)
		return MHD_CONTENT_READER_END_OF_STREAM;
	while (size < room) {
		size_t left = 0;

		if (!r->now) {
			r->now = next_message(r);
			r->sent = 0;
		}
		if (!r->now)
			break;
		left = r->now->size - r->sent;
		if (left > room - size)
			left = room - size;
		memcpy(to + size, r->now->text + r->sent, left);
		size += left;
		r->sent += left;
		if (r->sent == r->now->size) {
			message_release(r->now);
			r->now = NULL;
		}
	}
	if (size == 0) {
		r->suspended = true;
		MHD_suspend_connection(r->mhd);
	}
	return (ssize_t)size;
}

static void wake(struct reader *r)
{
	if (!r->suspended)
		return;
	r->suspended = false;
	MHD_resume_connection(r->mhd);
}

static void wake_scope(struct events *e, unsigned scope)
{
	for (struct reader *r = e->readers; r; r = r->next)
		if (r->scope == scope)
			wake(r);
}

static void wake_all(struct events *e)
{
	for (struct reader *r = e->readers; r; r = r->next)
		wake(r);
}

/* ---- what is older than the ring ---- */

/* Looks for the next message in the view; false when it cannot be said now. */
static bool replay(struct reader *r)
{
	struct events *e = r->events;
	struct ring *ring = &e->rings[r->scope];
	struct buf data = {.limit = MESSAGE_BYTES_MAX};
	uint64_t entry = r->at;
	enum err err = e->source.next(e->source.context, r->scope, r->at, &data, &entry);

	if (err == ERR_OK)
		r->found = change_message(entry, buf_bytes(&data));
	buf_free(&data);
	if (err == ERR_NOT_FOUND)
		r->at = ring->from;
	else if (r->found || err == ERR_AGAIN)
		r->at = entry + 1;
	else
		return false;
	if (!stands_before_ring(r))
		wake(r);
	return true;
}

/* Reading in the view is dear, and whoever asks may ask a thousand times at once: all replays
 * together get a share of each turn, one after the other. */
static void replay_turn(struct events *e)
{
	int64_t until_us = mono_us() + REPLAY_US_A_TURN;
	uint64_t passed = 0; /* in a row, with nothing done */

	e->behind = false;
	while (passed < e->door->counters->readers) {
		struct reader *r = e->turn ? e->turn : e->readers;

		e->turn = r->next;
		passed++;
		if (!stands_before_ring(r) || !replay(r))
			continue;
		passed = 0;
		e->behind = true; /* once its message is taken, the next is looked for */
		if (mono_us() >= until_us)
			return;
	}
}

bool events_behind(const struct events *e)
{
	return e->behind;
}

/* ---- readers ---- */

static void reader_free(void *context)
{
	struct reader *r = context;
	struct events *e = r->events;
	struct ring *ring = &e->rings[r->scope];

	*(r->before ? &r->before->next : &e->readers) = r->next;
	if (r->next)
		r->next->before = r->before;
	if (e->turn == r)
		e->turn = r->next;
	(void)epoll_ctl(e->watch_fd, EPOLL_CTL_DEL, r->fd, NULL);
	if (--ring->readers == 0)
		ring_empty(ring, 0);
	e->door->counters->readers--;
	message_release(r->greeting);
	message_release(r->found);
	message_release(r->now);
	free(r);
}

/* A reader that stalls holds little, one that is lost is noticed, one that hangs up at once. */
static void set_socket(struct reader *r)
{
	const int room = READER_SEND_BYTES;
	const unsigned lost_ms = LOST_MS;
	struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = r};

	(void)setsockopt(r->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	(void)setsockopt(r->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &lost_ms, sizeof lost_ms);
	(void)epoll_ctl(r->events->watch_fd, EPOLL_CTL_ADD, r->fd, &event);
}

static struct reader *reader_new(struct events *e, struct visit *v, unsigned scope, uint64_t after,
				 uint64_t present)
{
	struct reader *r = calloc(1, sizeof *r);
	struct ring *ring = &e->rings[scope];
	bool anew = after == UINT64_MAX;
	bool unknown = !anew && after >= present; /* of another server, or of one that lost some */

	if (!r)
		return NULL;
	*r = (struct reader){.events = e,
			     .mhd = v->mhd,
			     .fd = v->connection->fd,
			     .scope = scope,
			     .at = anew || unknown ? present : after + 1,
			     .beat_seen = e->beat_number,
			     .next = e->readers,
			     .given = e->door->now};
	if (anew || unknown) {
		r->greeting = greet(e, unknown ? "reset" : "hello");
		if (!r->greeting) {
			free(r);
			return NULL;
		}
	}
	if (e->readers)
		e->readers->before = r;
	e->readers = r;
	if (ring->readers++ == 0)
		ring_empty(ring, present);
	e->door->counters->readers++;
	set_socket(r);
	return r;
}

enum err events_read(struct events *e, struct visit *v, unsigned scope, uint64_t after,
		     uint64_t present)
{
	const struct page_draft draft = {.kind = PAGE_API,
					 .status = 200,
					 .type = "text/event-stream",
					 .cache_control = "no-cache"};
	struct MHD_Response *response = NULL;
	struct reader *r = NULL;
	enum err err = ERR_NOMEM;

	if (e->finishing || e->door->counters->readers >= e->readers_max)
		return ERR_BUSY;
	r = reader_new(e, v, scope, after, present);
	if (!r)
		return ERR_NOMEM;
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, give, r,
						     reader_free);
	if (!response) {
		reader_free(r);
		return ERR_NOMEM;
	}
	/* Nothing on the way gathers what is to be seen at once. */
	if (add_headers(e->door, response, &draft) &&
	    MHD_add_response_header(response, "X-Accel-Buffering", "no") == MHD_YES)
		err = visit_queue(v, 200, response, 0);
	if (err == ERR_OK)
		connection_enters(v->connection, PHASE_EVENTS);
	MHD_destroy_response(response); /* the connection holds it; else the reader ends here */
	return err;
}

/* ---- what happened ---- */

bool events_wanted(const struct events *e, unsigned scope)
{
	return e->rings[scope].readers > 0;
}

bool events_any(const struct events *e)
{
	return e->readers != NULL;
}

void events_add(struct events *e, unsigned scope, uint64_t entry, struct bytes data)
{
	struct ring *ring = &e->rings[scope];
	struct message *m = change_message(entry, data);

	if (!m) { /* readers get it from the view */
		ring_empty(ring, entry + 1);
		return;
	}
	while (ring->count > 0 &&
	       (ring->count == RING_MESSAGES_MAX || ring->bytes + m->size > RING_BYTES_MAX))
		ring_drop_first(ring);
	ring->slots[(ring->first + ring->count) % RING_MESSAGES_MAX] = m;
	ring->count++;
	ring->bytes += m->size;
	e->door->counters->messages++;
	wake_scope(e, scope);
}

void events_lost(struct events *e, uint64_t entries)
{
	for (size_t i = 0; i < EVENTS_SCOPES; i++)
		ring_empty(&e->rings[i], entries);
	wake_all(e);
}

void events_status(struct events *e, struct bytes data)
{
	struct buf text = {.limit = MESSAGE_BYTES_MAX};
	struct message *m = NULL;

	buf_add_text(&text, "event: status\ndata: ");
	buf_add_bytes(&text, data);
	buf_add_text(&text, "\n\n");
	m = message_of(&text, 0);
	if (!m)
		return;
	message_release(e->status);
	e->status = m;
	e->status_number++;
	wake_all(e);
}

void events_reset(struct events *e, uint64_t present)
{
	struct message *m = e->readers ? greet(e, "reset") : NULL;

	for (size_t i = 0; i < EVENTS_SCOPES; i++)
		ring_empty(&e->rings[i], present);
	for (struct reader *r = e->readers; r; r = r->next) {
		r->at = present;
		message_release(r->greeting);
		message_release(r->found);
		r->found = NULL;
		r->greeting = m ? message_keep(m) : NULL;
		if (!m)
			r->dead = true; /* it comes again */
		wake(r);
	}
	message_release(m);
}

/* ---- the clock, and who leaves ---- */

void events_tick(struct events *e, struct mono_ms now)
{
	replay_turn(e);
	for (struct reader *r = e->readers; r; r = r->next) {
		if (r->suspended || r->dead || now.ms - r->given.ms <= READER_STALL_MS)
			continue;
		r->dead = true;
		e->door->counters->dropped[DROP_STALLED_EVENTS]++;
		(void)shutdown(r->fd, SHUT_RDWR);
	}
	if (now.ms < e->next_beat.ms)
		return;
	e->next_beat.ms = now.ms + HEARTBEAT_MS;
	e->beat_number++;
	wake_all(e);
}

int events_fd(const struct events *e)
{
	return e->watch_fd;
}

void events_turn(struct events *e)
{
	struct epoll_event left[LEFT_AT_ONCE];
	int count = epoll_wait(e->watch_fd, left, LEFT_AT_ONCE, 0);

	for (int i = 0; i < count; i++) {
		struct reader *r = left[i].data.ptr;

		r->dead = true;
		wake(r);
	}
}

void events_finish(struct events *e)
{
	e->finishing = true;
	for (struct reader *r = e->readers; r; r = r->next) {
		r->dead = true;
		wake(r);
	}
}

/* ---- the whole ---- */

enum err events_new(struct door *d, const struct events_source *source, unsigned readers_max,
		    struct events **ret)
{
	struct events *e = calloc(1, sizeof *e);
	struct buf beat = {.data = NULL};

	if (!e)
		return ERR_NOMEM;
	buf_add_text(&beat, ": heartbeat\n\n");
	*e = (struct events){.door = d, .source = *source, .readers_max = readers_max};
	e->beat = message_of(&beat, 0);
	e->watch_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!e->beat || e->watch_fd < 0) {
		events_free(e);
		return ERR_NOMEM;
	}
	*ret = e;
	return ERR_OK;
}

void events_free(struct events *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < EVENTS_SCOPES; i++)
		ring_empty(&e->rings[i], 0);
	message_release(e->status);
	message_release(e->beat);
	if (e->watch_fd >= 0)
		(void)close(e->watch_fd);
	free(e);
}
