/* A server's machine with two logs, and what is said to it. */
#ifndef SPLOT_TESTS_SESSION_SERVER_FIXTURE_H
#define SPLOT_TESTS_SESSION_SERVER_FIXTURE_H

#include "session_fixture.h"

#include "session/server.h"

enum { CREDIT = COMMIT_BYTES_MAX };

static struct history ours;   /* log 26, as the server comes to hold it */
static struct history theirs; /* log 26 again: another history from index 5 on */
static struct history other;  /* log 24 */
static struct history nation; /* the server's own log, as it holds it; its events are anything */
static struct server_machine machine;
static struct server_update update;
static struct message said;
static struct wall_ms now;
static bool disk_fails;
static uint64_t national_size; /* on disk, as the driver says */

static const char PEER[] = "peer1";
static const char PEER_2[] = "peer2";

static inline const struct history *history_of(struct log_name log)
{
	if (log_name_equal(log, ours.log))
		return &ours;
	return log_name_equal(log, other.log) ? &other : &nation;
}

static inline enum err root(void *context, struct log_name log, uint64_t size, struct hash *ret)
{
	const struct history *h = history_of(log);

	(void)context;
	if (disk_fails)
		return ERR_IO;
	if (size > h->count)
		return ERR_ARGUMENT;
	*ret = tree_root(&h->trees[size]);
	return ERR_OK;
}

/* Events that an act erased, by index, of any log; UINT64_MAX: none. */
static uint64_t erased;

static inline bool redacted(void *context, struct log_name log, uint64_t index, struct hash leaf)
{
	const struct history *h = history_of(log);

	(void)context;
	return index == erased && index < h->count &&
	       hash_equal(leaf, hash_leaf(buf_bytes(&h->events[index])));
}

static inline enum err next_redacted(void *context, struct log_name log, uint64_t from,
				     uint64_t *ret_index, struct hash *ret_leaf)
{
	const struct history *h = history_of(log);

	(void)context;
	if (disk_fails)
		return ERR_IO;
	if (erased == UINT64_MAX || from > erased || erased >= h->count)
		return ERR_NOT_FOUND;
	*ret_index = erased;
	*ret_leaf = hash_leaf(buf_bytes(&h->events[erased]));
	return ERR_OK;
}

/* What becomes of a rotation, as the driver knows. */
static enum err key_answer;

static inline enum err new_key(void *context, struct log_name log, const struct vkey *key)
{
	(void)context;
	return log_name_equal(log, ours.log) && key->type == KEY_ED25519 ? key_answer
									 : ERR_INTERNAL;
}

static inline int set_up(void **state)
{
	struct card card;
	struct tree empty;

	(void)state;
	history_begin(&ours, "26", 1);
	history_grow(&ours, 5, "common");
	history_begin(&theirs, "26", 1);
	history_grow(&theirs, 5, "common");
	history_grow(&ours, 25, "first");
	history_grow(&theirs, 25, "second");
	history_begin(&other, "24", 2);
	history_grow(&other, 30, "first");
	tree_init(&empty);
	disk_fails = false;
	national_size = 0;
	now.ms = 1000000;
	nation_begin(&nation);
	nation_grow(&nation, 20, "told");
	erased = UINT64_MAX;
	key_answer = ERR_OK;
	assert_ok(server_machine_init(&machine, REALM, &nation.signer.key, CREDIT,
				      (struct server_lookup){.root = root,
							     .redacted = redacted,
							     .next_redacted = next_redacted,
							     .new_key = new_key}));
	history_card(&ours, &card);
	assert_ok(server_machine_enrol(&machine, &card, &empty, LOG_ACTIVE));
	history_card(&other, &card);
	assert_ok(server_machine_enrol(&machine, &card, &empty, LOG_ACTIVE));
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	history_end(&ours);
	history_end(&theirs);
	history_end(&other);
	history_end(&nation);
	server_machine_free(&machine);
	message_free(&said);
	return 0;
}

/* ---- speaking to the machine ---- */

static inline void step(enum server_event_kind kind, enum err code)
{
	struct server_event e = {
		.kind = kind, .now = now, .code = code, .national_size = national_size};

	server_step(&machine, &e, &update);
}

static inline void hear_as(struct log_name user, const char *peer, uint64_t new_session)
{
	struct server_event e = {
		.kind = SERVER_EV_MESSAGE,
		.now = now,
		.peer = bytes_of_text(peer),
		.user = user,
		.frames = said.frames,
		.frame_count = said.count,
		.new_session = new_session,
	};

	server_step(&machine, &e, &update);
}

static inline void hear(const char *peer)
{
	hear_as(ours.log, peer, 77);
}

static inline struct server_log *held(void)
{
	return server_machine_log(&machine, ours.log);
}

static inline const struct wire_header *reply(size_t i, enum wire_kind kind)
{
	assert_true(i < update.count);
	assert_int_equal(update.actions[i].kind, SERVER_SEND);
	assert_int_equal(update.actions[i].header.kind, kind);
	return &update.actions[i].header;
}

static inline const struct server_action *found(enum server_action_kind kind)
{
	for (size_t i = 0; i < update.count; i++) {
		if (update.actions[i].kind == kind)
			return &update.actions[i];
	}
	return NULL;
}

/* As found, but it must be there. */
static inline const struct server_action *needed(enum server_action_kind kind)
{
	static struct server_action nothing;
	const struct server_action *a = found(kind);

	assert_non_null(a);
	return a ? a : &nothing;
}

static inline void expect_refused(const char *code, uint64_t size)
{
	assert_true(update.count >= 1);
	assert_string_equal(err_code(reply(0, WIRE_REFUSED)->code), code);
	assert_int_equal(update.actions[0].header.size, size);
	assert_true(strlen(update.actions[0].header.text) > 0);
}

/* The log holds `size` events before anything is said. */
static inline void server_holds(uint64_t size)
{
	held()->durable = ours.trees[size];
	held()->pending = ours.trees[size];
}

/* An anchored session 77 of `size` events at the node. */
static inline void open_session(const struct history *h, uint64_t size)
{
	uint64_t meet = size < held()->durable.size ? size : held()->durable.size;

	message_hello(&said, h, size);
	hear(PEER);
	assert_int_equal(reply(0, WIRE_WELCOME)->session, 77);
	message_anchor(&said, h, 77, meet);
	hear(PEER);
	assert_int_equal(reply(0, WIRE_ACK)->size, meet);
}

static inline void say_commit(uint64_t from, uint64_t size)
{
	message_commit(&said, &ours, 77, from, size);
	hear(PEER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
