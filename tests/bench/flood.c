/* A flood by the holder of one enrolled key (or by a stranger), for tests/bench/flood.py:
 *
 *   splot-flood MODE KEYS CARD ADDRESS SECONDS
 *
 *   commits   valid commits of one event, as many as the credit lets through
 *   paced     the same, a few fewer a second than would have it cut off
 *   bulk      valid commits as large as the server asks for, likewise
 *   dense     the same, of events with 1,024 changes
 *   wordy     the same, with a long reason and source
 *   vast      these in commits of as much work as one may be
 *   large     valid commits of 3,000 events, more than it asks for, again and again
 *   garbage   messages that do not decode      hello     HELLO again and again
 *   fetch     FETCH again and again            deaf      the same, and no answer is read
 *   endless   one message that never ends      connect   handshakes with the enrolled key
 *   stranger  handshakes with unknown keys     half      connections that only greet
 *
 * KEYS is a node's key file, CARD the server's card.  Ends after SECONDS; prints JSON. */
#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/time.h"
#include "flood_raw.h"
#include "io/files.h"
#include "io/keys.h"
#include "io/socket.h"
#include "model/event.h"
#include "model/region.h"
#include "model/wire.h"
#include "session/card.h"
#include "session/commit.h"
#include "tlog/checkpoint.h"

enum {
	LARGE_EVENTS = 3000,
	DENSE_CHANGES = EVENT_CHANGES_MAX,
	WORDS = 1000,
	FETCHES_IN_10_MS = PEER_MESSAGES_PER_S / 100 / 2,
	PACED_PER_S = PEER_MESSAGES_PER_S - 10, /* heartbeats and answers are messages too */
	UNDER_WAY_MOST =
		PEER_MESSAGES_BURST - 16, /* more that wait at a server, and it is cut off */
	RETRY_MS = 500,
	OPEN_MOST = 256, /* connections of a storm that are held */
	SECONDS_MAX = 3600,
	NUMBER_DIGITS = 9,
};

static struct flood {
	const char *address;
	int64_t end_ms;
	struct keys keys;
	struct signer signer;
	struct origin_parts of;
	uint8_t server[CURVE_BYTES];
	struct network *network;
	struct endpoint *endpoint;
	/* the session */
	struct tree tree;   /* of what was sent */
	struct tree landed; /* of what the server was heard to hold */
	uint64_t session, acked, credit, under_way, flights;
	uint32_t asked_events, asked_bytes; /* in one commit */
	bool anchored;
	int64_t asked_ms;
	/* the event, made once: its number has a fixed width */
	struct buf event;
	size_t places[2], place_count;
	uint64_t work; /* of one, where it is dense */
	/* counts */
	uint64_t sent, bytes, acks, refused, ranges;
	uint64_t by_code[ERR_COUNT];
} f;

_Noreturn static void fail(const char *what, const char *why)
{
	(void)fprintf(stderr, "splot-flood: %s: %s\n", what, why);
	exit(1);
}

static void must(enum err e, const char *what)
{
	if (e != ERR_OK)
		fail(what, err_text(e));
}

static bool going_on(void)
{
	return mono_now().ms < f.end_ms;
}

/* ---- its log: event i is the same in every run ---- */

static void make_event(void)
{
	static struct arena arena;
	char id[64];
	struct record *r = record_new(&arena, RECORD_ENTITY);
	struct change change = {.kind = RECORD_ENTITY, .record = r};
	struct event event = {.recorded = {1790000000000},
			      .editor = "e01",
			      .reason = "flood",
			      .source = "none",
			      .changes = &change,
			      .change_count = 1};
	const char *const texts[][2] = {
		{"region", f.of.log.text}, {"kind", "KIS"}, {"name", "Klub Integracji Społecznej"}};
	uint8_t *at = NULL;

	if (!r)
		fail("record", "out of memory");
	(void)snprintf(id, sizeof id, "pl%s-kis-%0*d",
		       strcmp(f.of.log.text, "PL") == 0 ? "" : f.of.log.text, NUMBER_DIGITS, 0);
	must(record_set(r, &arena, (size_t)field_named(record_info(r), "id"), bytes_of_text(id)),
	     "id");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		must(record_set(r, &arena, (size_t)field_named(record_info(r), texts[i][0]),
				bytes_of_text(texts[i][1])),
		     texts[i][0]);
	change.id = id;
	must(event_encode(&event, &arena, &f.event), "event");
	for (size_t i = 0; i < 2; i++) {
		at = memmem(f.event.data + (i ? f.places[0] + 1 : 0),
			    f.event.size - (i ? f.places[0] + 1 : 0), id, strlen(id));
		if (!at)
			fail("event", "its id is not where it should be");
		f.places[i] = (size_t)(at - f.event.data) + strlen(id) - NUMBER_DIGITS;
	}
	f.place_count = 2;
}

/* As many changes as an event may have, each as small as can be. */
static void make_dense(size_t words)
{
	static struct arena arena;
	static struct change changes[DENSE_CHANGES];
	static char ids[DENSE_CHANGES][32], text[WORDS + 1];
	struct event event = {.recorded = {1790000000000},
			      .editor = "e01",
			      .reason = text,
			      .source = text,
			      .changes = changes,
			      .change_count = DENSE_CHANGES};

	memset(text, 'a', words);
	for (size_t i = 0; i < DENSE_CHANGES; i++) {
		(void)snprintf(ids[i], sizeof ids[i], "pl%s-%zu",
			       strcmp(f.of.log.text, "PL") == 0 ? "" : f.of.log.text, i);
		changes[i] = (struct change){.kind = RECORD_ENTITY, .id = ids[i], .retired = true};
	}
	must(event_encode(&event, &arena, &f.event), "event");
	f.work = event_work(&event);
}

static struct bytes event_at(uint64_t i)
{
	char digits[NUMBER_DIGITS + 12];

	(void)snprintf(digits, sizeof digits, "%0*llu", NUMBER_DIGITS, (unsigned long long)i);
	for (size_t k = 0; k < f.place_count; k++)
		memcpy(f.event.data + f.places[k], digits, NUMBER_DIGITS);
	return buf_bytes(&f.event);
}

/* The tree of the first `size` events. */
static struct tree grown_to(uint64_t size)
{
	struct tree t;

	tree_init(&t);
	for (uint64_t i = 0; i < size; i++)
		tree_append(&t, hash_leaf(event_at(i)));
	return t;
}

static void sign(const struct tree *t, struct buf *ret)
{
	struct checkpoint c = {.size = t->size, .root = tree_root(t)};

	memcpy(c.origin, f.keys.name, sizeof f.keys.name);
	must(checkpoint_sign(&c, &f.signer, ret), "checkpoint");
}

/* ---- messages ---- */

/* False when the socket takes no more now. */
static bool send_frames(const struct bytes *frames, size_t count)
{
	enum err e = endpoint_send(f.endpoint, bytes_of("", 0), frames, count);

	if (e != ERR_OK)
		return false;
	f.sent++;
	for (size_t i = 0; i < count; i++)
		f.bytes += frames[i].size;
	return true;
}

static bool say(const struct wire_header *header, const struct tree *shown)
{
	struct buf head = {.data = NULL};
	struct buf note = {.data = NULL};
	struct bytes frames[2];
	bool sent = false;

	must(wire_encode(header, &head), "header");
	frames[0] = buf_bytes(&head);
	if (shown && shown->size > 0)
		sign(shown, &note);
	frames[1] = buf_bytes(&note);
	sent = send_frames(frames, note.size ? 2 : 1);
	buf_free(&head);
	buf_free(&note);
	return sent;
}

static bool greet(void)
{
	struct wire_header h = {.kind = WIRE_HELLO,
				.protocol = WIRE_PROTOCOL,
				.log = f.of.log,
				.size = f.tree.size};

	return say(&h, &f.tree);
}

static void on_welcome(const struct wire_header *h)
{
	struct tree there = h->size < f.tree.size ? grown_to(h->size) : f.tree;
	struct wire_header anchor = {
		.kind = WIRE_ANCHOR, .session = h->session, .size = there.size};

	f.session = h->session;
	f.credit = h->credit;
	f.asked_events = h->commit_events;
	f.asked_bytes = h->commit_bytes;
	f.under_way = f.flights = 0;
	f.anchored = false;
	(void)say(&anchor, &there);
	if (f.tree.size != h->size) /* all of it is hashed anew */
		f.tree = grown_to(h->size);
	f.landed = f.tree;
	f.acked = h->size;
}

/* Whatever it says, the same again. */
static void on_refused(const struct wire_header *h)
{
	f.refused++;
	f.by_code[h->code]++;
	if ((h->code == ERR_BUSY || h->code == ERR_GAP) && h->size == f.landed.size) {
		f.tree = f.landed;
		f.under_way = f.flights = 0;
	} else if (f.session) {
		f.anchored = false;
	}
}

static void on_message(const struct message *m)
{
	struct wire_header h;

	if (wire_decode(m->frames[0], &h) != ERR_OK)
		return;
	if (h.kind == WIRE_WELCOME)
		on_welcome(&h);
	if (h.kind == WIRE_ACK) {
		f.anchored = true;
		f.acks++;
		f.acked = h.size;
		if (h.size >= f.tree.size) {
			f.landed = f.tree;
			f.under_way = f.flights = 0;
		}
		f.credit = h.credit;
	}
	f.ranges += h.kind == WIRE_RANGE;
	if (h.kind == WIRE_REFUSED)
		on_refused(&h);
}

static void take_answers(void)
{
	struct message m;

	while (endpoint_receive(f.endpoint, &m) == ERR_OK) {
		on_message(&m);
		message_free(&m);
	}
}

static void wait_a_moment(long ms)
{
	struct poll_item item = {.endpoint = f.endpoint, .fd = -1, .want = POLL_READ};

	must(network_poll(f.network, &item, 1, ms), "poll");
}

/* True in an anchored session; else it is on the way to one. */
static bool in_session(void)
{
	int64_t now_ms = mono_now().ms;

	if (f.anchored)
		return true;
	if (now_ms - f.asked_ms >= RETRY_MS && greet())
		f.asked_ms = now_ms;
	wait_a_moment(5);
	return false;
}

/* ---- modes ---- */

static void commit(uint32_t count)
{
	struct wire_header h = {
		.kind = WIRE_COMMIT, .session = f.session, .from = f.tree.size, .count = count};
	static struct buf bufs[2 + COMMIT_FRAMES_MAX];
	struct bytes frames[2 + COMMIT_FRAMES_MAX];
	struct tree after = f.tree;
	size_t last = 2;
	uint64_t size = 0;

	for (size_t i = 0; i < 2 + COMMIT_FRAMES_MAX; i++)
		buf_clear(&bufs[i]);
	for (uint32_t i = 0; i < count; i++) {
		struct bytes event = event_at(f.tree.size + i);

		if (bufs[last].size + bundle_packed(event.size) > FRAME_BYTES_MAX)
			last++;
		bundle_add(&bufs[last], event);
		tree_append(&after, hash_leaf(event));
	}
	must(wire_encode(&h, &bufs[0]), "header");
	for (size_t i = 2; i <= last; i++)
		size += bufs[i].size;
	if (f.under_way + size > f.credit) {
		wait_a_moment(5);
		return;
	}
	sign(&after, &bufs[1]);
	for (size_t i = 0; i <= last; i++)
		frames[i] = buf_bytes(&bufs[i]);
	if (!send_frames(frames, last + 1)) {
		wait_a_moment(1);
		return;
	}
	f.tree = after;
	f.under_way += size;
	f.flights++;
}

/* A flood that is not cut off. */
static void commit_within_bounds(uint32_t count)
{
	if (f.flights < UNDER_WAY_MOST)
		commit(count);
	else
		wait_a_moment(1);
}

static void one_commit(void)
{
	if (in_session())
		commit(1);
}

static void one_paced(void)
{
	static int64_t begun_ms;
	static int64_t said;
	int64_t now_ms = mono_now().ms;

	if (begun_ms == 0)
		begun_ms = now_ms;
	if (said * 1000 >= (now_ms - begun_ms) * PACED_PER_S) {
		wait_a_moment(1);
	} else if (in_session()) {
		commit_within_bounds(1);
		said++;
	}
}

static void one_bulk(void)
{
	if (in_session())
		commit_within_bounds(f.asked_events);
}

static void one_dense(void)
{
	if (in_session())
		commit_within_bounds((uint32_t)(f.asked_bytes / bundle_packed(f.event.size)));
}

static void one_wordy(void)
{
	one_dense();
}

static void one_large(void)
{
	if (in_session())
		commit(LARGE_EVENTS);
}

/* As much work as one commit may be. */
static void one_vast(void)
{
	if (in_session())
		commit((uint32_t)(COMMIT_WORK_MAX / f.work));
}

static void one_garbage(void)
{
	static uint8_t noise[4096];
	struct bytes frame = bytes_of(noise, sizeof noise);

	if (f.sent == 0)
		randombytes_buf(noise, sizeof noise);
	if (!send_frames(&frame, 1))
		wait_a_moment(1);
}

static void one_hello(void)
{
	if (!greet())
		wait_a_moment(1);
}

static void one_fetch(void)
{
	struct wire_header h = {.kind = WIRE_FETCH, .session = f.session, .log = f.of.log};

	static int64_t next_ms;
	static unsigned said;

	/* Below the rate at which it would be cut off. */
	if (mono_now().ms >= next_ms) {
		next_ms = mono_now().ms + 10;
		said = 0;
	}
	if (said++ >= FETCHES_IN_10_MS)
		wait_a_moment(1);
	else if (in_session() && !say(&h, NULL))
		wait_a_moment(1);
}

static void one_deaf(void)
{
	static bool once;
	struct wire_header h = {.kind = WIRE_FETCH, .session = f.session, .log = f.of.log};

	if (!once)
		once = in_session();
	else if (!say(&h, NULL))
		(void)poll(NULL, 0, 1);
}

static void one_endless(void)
{
	static uint8_t piece[FRAME_BYTES_MAX];
	struct raw r;

	if (!raw_open(f.address, f.server, f.keys.curve_public, f.keys.curve_secret, &r)) {
		(void)poll(NULL, 0, 10);
		return;
	}
	while (going_on() && raw_send(&r, piece, sizeof piece, true)) {
		f.sent++;
		f.bytes += sizeof piece;
	}
	f.refused++;
	raw_close(&r);
}

/* The newest ones are held, as many as one process may. */
static void hold(int fd)
{
	static int held[OPEN_MOST];

	if (f.sent >= OPEN_MOST && held[f.sent % OPEN_MOST] >= 0)
		close(held[f.sent % OPEN_MOST]);
	held[f.sent++ % OPEN_MOST] = fd;
}

static void one_connect(void)
{
	struct raw r = {.fd = -1};

	f.acks += raw_ask(f.address, f.server, f.keys.curve_public, f.keys.curve_secret, &r);
	hold(r.fd);
}

static void one_stranger(void)
{
	uint8_t public[CURVE_BYTES];
	uint8_t secret[CURVE_BYTES];
	struct raw r = {.fd = -1};

	curve_keypair(public, secret);
	f.acks += raw_ask(f.address, f.server, public, secret, &r);
	hold(r.fd);
}

static void one_half(void)
{
	hold(raw_greet(f.address));
}

static const struct mode {
	const char *name;
	void (*one)(void);
	bool reads;
} modes[] = {
	{"commits", one_commit, true},     {"paced", one_paced, true},
	{"bulk", one_bulk, true},          {"large", one_large, true},
	{"dense", one_dense, true},        {"wordy", one_wordy, true},
	{"garbage", one_garbage, true},    {"hello", one_hello, true},
	{"fetch", one_fetch, true},        {"deaf", one_deaf, false},
	{"endless", one_endless, false},   {"connect", one_connect, false},
	{"stranger", one_stranger, false}, {"half", one_half, false},
	{"vast", one_vast, true},
};

/* ---- ---- */

static void load(const struct mode *mode, char **argv)
{
	struct buf raw = {.data = NULL};
	struct card card;
	char why[TEXT_BYTES_MAX + 1] = "";

	if (keys_load(argv[2], &f.keys, why) != ERR_OK)
		fail(argv[2], why);
	must(origin_parse(bytes_of_text(f.keys.name), &f.of), f.keys.name);
	must(vkey_make(f.keys.name, KEY_ED25519, f.keys.log_public, &f.signer.key), "key");
	f.signer.secret = f.keys.log_secret;
	must(file_read(argv[3], NOTE_BYTES_MAX, &raw), argv[3]);
	must(card_open(buf_bytes(&raw), &card), argv[3]);
	memcpy(f.server, card.curve_public, sizeof f.server);
	buf_free(&raw);
	f.address = argv[4];
	f.end_ms = mono_now().ms + (int64_t)(strtod(argv[5], NULL) * 1000);
	if (f.end_ms > mono_now().ms + (int64_t)SECONDS_MAX * 1000)
		fail("SECONDS", "too many");
	tree_init(&f.tree);
	if (mode->one == one_dense)
		make_dense(1);
	else if (mode->one == one_wordy || mode->one == one_vast)
		make_dense(WORDS);
	else
		make_event();
}

static void report(const char *mode)
{
	printf("{\"mode\":\"%s\",\"sent\":%llu,\"mib\":%.1f,\"acks\":%llu,\"acked\":%llu,"
	       "\"ranges\":%llu,"
	       "\"refused\":%llu",
	       mode, (unsigned long long)f.sent, (double)f.bytes / 1048576,
	       (unsigned long long)f.acks, (unsigned long long)f.acked,
	       (unsigned long long)f.ranges, (unsigned long long)f.refused);
	for (int i = 0; i < ERR_COUNT; i++)
		if (f.by_code[i])
			printf(",\"%s\":%llu", err_code((enum err)i),
			       (unsigned long long)f.by_code[i]);
	printf("}\n");
}

int main(int argc, char **argv)
{
	const struct mode *mode = NULL;
	struct curve curve;

	for (size_t i = 0; argc == 6 && i < sizeof modes / sizeof *modes; i++)
		if (strcmp(modes[i].name, argv[1]) == 0)
			mode = &modes[i];
	if (!mode || sodium_init() < 0)
		fail("usage", "see the head of tests/bench/flood.c");
	load(mode, argv);
	curve = (struct curve){f.keys.curve_public, f.keys.curve_secret, f.server};
	must(network_open(&f.network), "network");
	if (mode->one != one_endless && mode->one != one_connect && mode->one != one_stranger &&
	    mode->one != one_half)
		must(endpoint_dealer(f.network, f.address, &curve, &f.endpoint), f.address);
	while (going_on()) {
		if (f.endpoint && (mode->reads || !f.anchored))
			take_answers();
		mode->one();
	}
	report(mode->name);
	network_close(f.network);
	endpoint_close(f.endpoint);
	keys_free(&f.keys);
	buf_free(&f.event);
	return 0;
}
