/* The server's machine behind a small store in memory, driven by a script of messages and of what
 * a driver tells.  Messages are signed by the harness, well or badly as the script says.  The store
 * checks every action by itself: nothing is appended without the signature of the log's key and a
 * root that the leaves give, what is acknowledged is on disk, evidence is evidence. */
#include "fuzz.h"
#include "server_nation.h"

#include "session/server.h"
#include "tlog/witness.h"

enum {
	LEAVES_MAX = 256,
	STEPS_MAX = 300,
	PEERS = 4,
	ERASED_MAX = 8,
	KEYS_MAX = 8,
	FREE_EVENTS_MAX = 8,
	NOW_MS = 1764000000
};

/* ---- the store ---- */

struct held {
	size_t durable, pending;
	struct hash leaves[LEAVES_MAX];
	struct tree trees[LEAVES_MAX + 1];
	size_t key_count, pending_keys;
	struct vkey keys[KEYS_MAX]; /* the last one signs */
};

struct world {
	struct server_machine machine;
	struct server_update update;
	struct held held[LOGS];
	struct message said;
	struct wall_ms now;
	uint64_t nation;
	uint64_t sessions; /* the next one's number */
	uint64_t session_of[LOGS];
	uint64_t peer_of[LOGS];
	size_t erased_count;
	struct {
		size_t log;
		uint64_t index;
		struct hash leaf;
	} erased[ERASED_MAX];
	bool unreadable;
};

static size_t number_of(struct log_name log)
{
	size_t i = 0;

	while (i < LOGS && strcmp(nation.names[i], log.text) != 0)
		i++;
	return i;
}

static enum err root(void *context, struct log_name log, uint64_t size, struct hash *ret)
{
	struct world *w = context;
	size_t i = number_of(log);

	if (w->unreadable)
		return ERR_IO;
	if (i == LOGS) {
		ALWAYS(strcmp(log.text, "national") == 0);
		if (size > w->nation)
			return ERR_ARGUMENT;
		*ret = nation.roots[size];
		return ERR_OK;
	}
	if (size > w->held[i].pending)
		return ERR_ARGUMENT;
	*ret = tree_root(&w->held[i].trees[size]);
	return ERR_OK;
}

static bool redacted(void *context, struct log_name log, uint64_t index, struct hash leaf)
{
	const struct world *w = context;

	for (size_t i = 0; i < w->erased_count; i++)
		if (w->erased[i].log == number_of(log) && w->erased[i].index == index &&
		    hash_equal(w->erased[i].leaf, leaf))
			return true;
	return false;
}

static enum err next_redacted(void *context, struct log_name log, uint64_t from,
			      uint64_t *ret_index, struct hash *ret_leaf)
{
	const struct world *w = context;
	size_t best = ERASED_MAX;

	for (size_t i = 0; i < w->erased_count; i++)
		if (w->erased[i].log == number_of(log) && w->erased[i].index >= from &&
		    (best == ERASED_MAX || w->erased[i].index < w->erased[best].index))
			best = i;
	if (best == ERASED_MAX)
		return ERR_NOT_FOUND;
	*ret_index = w->erased[best].index;
	*ret_leaf = w->erased[best].leaf;
	return ERR_OK;
}

static enum err new_key(void *context, struct log_name log, const struct vkey *key)
{
	struct world *w = context;
	const struct held *h = &w->held[number_of(log)];

	for (size_t i = 0; i < h->pending_keys; i++)
		if (memcmp(h->keys[i].public, key->public, SIGN_PUBLIC_BYTES) == 0)
			return ERR_EXISTS;
	return h->pending_keys == KEYS_MAX ? ERR_LIMIT : ERR_OK;
}

/* ---- every action is checked ---- */

static void check_event(struct bytes raw, int region, bool first, bool last, bool anew)
{
	struct arena arena = {.head = NULL};
	struct event e;

	ALWAYS(event_decode(raw, &arena, &e) == ERR_OK);
	ALWAYS(event_check_owner(&e, region) == ERR_OK);
	ALWAYS(e.act != EVENT_ROTATES || last);
	ALWAYS((e.act == EVENT_CONTINUES) == (first && anew));
	arena_free(&arena);
}

static void do_append(struct world *w, const struct server_action *a)
{
	const struct commit *commit = a->commit;
	size_t log = number_of(a->log);
	struct held *h = &w->held[log];
	struct log_name before;
	struct checkpoint c;

	ALWAYS(log < LOGS && commit->count > 0 && commit->count <= COMMIT_EVENTS_MAX);
	ALWAYS(commit->from == h->pending);
	ALWAYS(checkpoint_open(commit->note, &h->keys[h->pending_keys - 1], &c) == ERR_OK);
	ALWAYS(c.size == commit->from + commit->count);
	if (c.size > LEAVES_MAX)
		return; /* the script goes on without what it does not hold */
	for (uint32_t i = 0; i < commit->count; i++) {
		struct bytes e = commit->events[i];
		struct hash leaf = commit_leaf(e);

		if (e.size > 0)
			check_event(e, log_name_region(a->log), commit->from + i == 0,
				    i + 1 == commit->count, log_name_before(a->log, &before));
		else
			ALWAYS(redacted(w, a->log, commit->from + i, leaf));
		h->leaves[h->pending] = leaf;
		h->trees[h->pending + 1] = h->trees[h->pending];
		tree_append(&h->trees[++h->pending], leaf);
	}
	ALWAYS(hash_equal(tree_root(&h->trees[h->pending]), c.root));
	if (commit->rotates) {
		ALWAYS(new_key(w, a->log, &commit->next.log_key) == ERR_OK);
		ALWAYS(checkpoint_open(commit->note, &commit->next.log_key, &c) == ERR_OK);
		h->keys[h->pending_keys++] = commit->next.log_key;
	}
}

static void check_freeze(struct world *w, const struct server_action *a)
{
	const struct held *h = &w->held[number_of(a->log)];
	struct checkpoint c;
	bool by_key = false;

	for (size_t i = 0; i < h->pending_keys; i++)
		by_key = by_key || checkpoint_open(a->note, &h->keys[i], &c) == ERR_OK;
	ALWAYS(by_key && c.size <= h->pending);
	ALWAYS(!hash_equal(c.root, tree_root(&h->trees[c.size])));
}

static void check_send(const struct world *w, const struct server_action *a)
{
	size_t log = number_of(a->log);
	struct buf raw = {.data = NULL};
	struct wire_header back;

	ALWAYS(wire_encode(&a->header, &raw) == ERR_OK);
	ALWAYS(wire_decode(buf_bytes(&raw), &back) == ERR_OK && back.kind == a->header.kind);
	buf_free(&raw);
	if (a->header.kind == WIRE_ACK)
		ALWAYS(log < LOGS && a->header.size <= w->held[log].durable);
	if (a->header.kind == WIRE_WELCOME)
		ALWAYS(log < LOGS && a->header.size == w->held[log].durable);
}

static void check_national(struct world *w, const struct server_action *a)
{
	struct checkpoint c = {.size = a->from};
	struct buf text = {.data = NULL};
	uint64_t at_s = 0;

	switch (a->kind) {
	case SERVER_OFFER:
		ALWAYS(a->header.size <= w->nation && a->header.from <= a->header.size);
		return;
	case SERVER_COSIGNED:
		ALWAYS(a->from <= w->nation);
		memcpy(c.origin, nation.key.signer.key.name, sizeof c.origin);
		c.root = nation.roots[a->from];
		ALWAYS(checkpoint_text(&c, &text) == ERR_OK);
		ALWAYS(cosignature_line(buf_bytes(&text), a->note,
					&nation.witness_keys[number_of(a->log)].signer.key,
					&at_s) == ERR_OK);
		buf_free(&text);
		return;
	case SERVER_ROLLED_BACK:
		ALWAYS(checkpoint_open(a->note, &nation.key.signer.key, &c) == ERR_OK);
		ALWAYS(c.size > w->nation || !hash_equal(c.root, nation.roots[c.size]));
		return;
	case SERVER_SEND:
	case SERVER_SEND_RANGE:
	case SERVER_APPEND:
	case SERVER_FREEZE:
	case SERVER_CLOSE:
	case SERVER_SEND_DUTIES:
		return;
	}
}

static void check_machine(const struct world *w)
{
	ALWAYS(w->machine.log_count <= LOGS);
	for (size_t i = 0; i < w->machine.log_count; i++) {
		const struct server_log *l = &w->machine.logs[i];
		const struct held *h = &w->held[number_of(l->card.log)];

		ALWAYS(l->durable.size <= l->pending.size && l->agreed <= l->pending.size);
		ALWAYS(l->pending.size == h->pending ||
		       h->pending + COMMIT_EVENTS_MAX > LEAVES_MAX);
		ALWAYS(l->credit_left + l->taken <= w->machine.credit_bytes);
		ALWAYS(l->peer_size <= SERVER_PEER_BYTES && (unsigned)l->state <= LOG_REVOKED);
		ALWAYS(!l->open || l->session != 0);
		ALWAYS(!l->anchored || l->open);
	}
}

static void perform(struct world *w)
{
	ALWAYS(w->update.count <= SERVER_ACTIONS_MAX);
	for (size_t i = 0; i < w->update.count; i++) {
		const struct server_action *a = &w->update.actions[i];

		ALWAYS(a->peer_size <= SERVER_PEER_BYTES);
		if (a->kind == SERVER_APPEND)
			do_append(w, a);
		else if (a->kind == SERVER_FREEZE)
			check_freeze(w, a);
		else if (a->kind == SERVER_SEND)
			check_send(w, a);
		else
			check_national(w, a);
		if (a->kind == SERVER_SEND && a->header.kind == WIRE_WELCOME)
			w->session_of[number_of(a->log)] = a->header.session;
	}
	check_machine(w);
}

/* ---- events ---- */

static void settle(struct world *w, bool stored, enum err code)
{
	struct server_event e = {
		.kind = stored ? SERVER_EV_STORED : SERVER_EV_FAILED, .now = w->now, .code = code};

	for (size_t i = 0; i < LOGS; i++) {
		struct held *h = &w->held[i];

		if (stored && h->pending > h->durable && w->nation < NATION_MAX)
			w->nation++;
		*(stored ? &h->durable : &h->pending) = stored ? h->pending : h->durable;
		*(stored ? &h->key_count : &h->pending_keys) =
			stored ? h->pending_keys : h->key_count;
	}
	e.national_size = w->nation;
	server_step(&w->machine, &e, &w->update);
	perform(w);
}

static void hear(struct world *w, size_t user, size_t peer)
{
	static const char *const peers[] = {"peer1", "peer2", "a long name of 1",
					    "a longer name, 17"};
	struct server_event e = {.kind = SERVER_EV_MESSAGE,
				 .now = w->now,
				 .peer = bytes_of_text(peers[peer % PEERS]),
				 .new_session = w->sessions++};

	ALWAYS(log_name_parse(bytes_of_text(user < LOGS ? nation.names[user] : "02"), &e.user) ==
	       ERR_OK);
	e.frames = message_done(&w->said);
	e.frame_count = w->said.count;
	server_step(&w->machine, &e, &w->update);
	perform(w);
	message_over(&w->said);
}

static void add_nation_note(struct world *w, uint64_t size, bool other)
{
	struct hash h = nation.roots[size % (NATION_MAX + 1)];

	if (size % (NATION_MAX + 1) == 0)
		return;
	if (other)
		h.b[3] ^= 1;
	fuzz_checkpoint(&nation.key, size % (NATION_MAX + 1), h, message_frame(&w->said));
}

static void add_cosignature(struct world *w, size_t log, uint64_t size, uint8_t how)
{
	struct checkpoint c = {.size = size, .root = nation.roots[size % (NATION_MAX + 1)]};
	struct buf text = {.data = NULL};
	uint64_t at_s = (uint64_t)w->now.ms / 1000 + (how % 4 == 1 ? 7200 : 0);

	memcpy(c.origin, nation.key.signer.key.name, sizeof c.origin);
	ALWAYS(checkpoint_text(&c, &text) == ERR_OK);
	ALWAYS(note_cosign(buf_bytes(&text), at_s,
			   &nation.witness_keys[(log + (how % 4 == 2)) % LOGS].signer,
			   message_frame(&w->said)) == ERR_OK);
	buf_free(&text);
}

/* What its kind calls for, filled from a history; numbers that do not fit are left as they are
 * where the machine is to judge them. */
static void say(struct world *w, struct cursor *in)
{
	static const enum wire_kind kinds[] = {WIRE_HELLO,    WIRE_ANCHOR,    WIRE_COMMIT,
					       WIRE_FETCH,    WIRE_HEARTBEAT, WIRE_COSIGNED,
					       WIRE_DECLINED, WIRE_ACK};
	uint8_t kind = cursor_u8(in);
	uint8_t who = cursor_u8(in);
	const struct history *h = &nation.histories[who % HISTORIES];
	const struct history *told = h; /* whose events are sent under its checkpoint */
	size_t user = who & 0x80 ? who % (LOGS + 1) : number_of(h->log);
	uint8_t how = cursor_u8(in);
	uint64_t size = cursor_u8(in) % (h->count + 1);
	uint64_t from = cursor_u8(in);
	struct wire_header header = {.kind = kinds[kind % 8],
				     .protocol = WIRE_PROTOCOL + (how == 255),
				     .log = h->log,
				     .size = size,
				     .from = from};

	header.session = how & 0x40 ? from : w->session_of[user % LOGS];
	if (header.kind == WIRE_COMMIT) {
		from %= size + 1;
		header.from = from;
		header.count = (uint32_t)(size - from);
	}
	if (header.kind == WIRE_COSIGNED || header.kind == WIRE_DECLINED)
		header.size = how & 0x20 ? from : w->machine.round_size;
	header.code = how % 3 ? ERR_OLD : ERR_FORK;
	message_header(&w->said, &header);
	if (size > 0 && header.kind <= WIRE_COMMIT && header.kind != WIRE_WELCOME)
		history_note(h, size, message_frame(&w->said));
	if (header.kind == WIRE_HELLO && how & 0x10) {
		if (size == 0)
			(void)message_frame(&w->said);
		add_nation_note(w, from, how & 0x08);
	}
	if (how & 0x02 && size <= nation.histories[who % HISTORIES ^ 1].count)
		told = &nation.histories[who % HISTORIES ^ 1];
	if (header.kind == WIRE_COMMIT)
		message_events(&w->said, told, from, size,
			       how & 0x08 ? from + how % 4 : UINT64_MAX);
	if (header.kind == WIRE_COSIGNED)
		add_cosignature(w, user, header.size % (NATION_MAX + 1), how);
	if (header.kind == WIRE_DECLINED && how & 0x08)
		add_nation_note(w, from, how & 0x10);
	if (how & 0x04)
		message_spoil(&w->said, in);
	hear(w, user, kind / 8);
}

/* Events of any bytes, signed by the log's key over the tree that the server is about to have. */
static void say_free_commit(struct world *w, struct cursor *in)
{
	uint8_t what = cursor_u8(in);
	size_t log = what % LOGS;
	const struct held *held = &w->held[log];
	struct tree tree = held->trees[held->pending];
	uint32_t count = 1 + cursor_u8(in) % FREE_EVENTS_MAX;
	struct wire_header header = {.kind = WIRE_COMMIT,
				     .session = w->session_of[log],
				     .from = tree.size,
				     .count = count};
	struct buf events = {.data = NULL};

	for (uint32_t i = 0; i < count; i++) {
		size_t size = cursor_u16be(in);
		struct bytes raw =
			cursor_bytes(in, size < cursor_left(in) ? size : cursor_left(in));

		if (raw.size == 0)
			raw = buf_bytes(&nation_history(log)->events[i % 5]);
		bundle_add(&events, raw);
		tree_append(&tree, hash_leaf(raw));
	}
	message_header(&w->said, &header);
	fuzz_checkpoint(
		what & 0x80 ? &nation.stranger
			    : (held->pending_keys > 1 ? &nation.next_key : &nation.log_keys[log]),
		tree.size, tree_root(&tree), message_frame(&w->said));
	if (what & 0x40 && buf_check(&w->said.bufs[1]) == ERR_OK)
		fuzz_any(note_sign_also(&nation.next_key.signer, &w->said.bufs[1]));
	buf_add_bytes(message_frame(&w->said), buf_bytes(&events));
	buf_free(&events);
	hear(w, log, what / 16);
}

static void administrate(struct world *w, struct cursor *in)
{
	uint8_t what = cursor_u8(in);
	size_t log = what % LOGS;
	struct held *h = &w->held[log];
	struct card card = nation.cards[log];

	if (h->pending != h->durable || h->pending_keys != h->key_count)
		return; /* a driver acts between transactions */
	switch (what / LOGS % 5) {
	case 0:
		card.log_key = h->keys[h->key_count - 1];
		ALWAYS(server_machine_enrol(&w->machine, &card, &h->trees[h->durable],
					    LOG_ACTIVE) == ERR_OK);
		break;
	case 1:
		fuzz_any(server_machine_revoke(&w->machine, card.log));
		break;
	case 2:
		fuzz_any(server_machine_freeze(&w->machine, card.log));
		break;
	case 3:
		fuzz_any(server_machine_release(&w->machine, card.log));
		break;
	default:
		if (w->erased_count < ERASED_MAX) {
			const struct history *of = nation_history(log);
			uint64_t index = cursor_u8(in) % of->count;

			w->erased[w->erased_count].log = log;
			w->erased[w->erased_count].index = index;
			w->erased[w->erased_count++].leaf =
				hash_leaf(buf_bytes(&of->events[index]));
		}
	}
	check_machine(w);
}

static void tick(struct world *w, uint16_t ms)
{
	struct server_event e = {.kind = SERVER_EV_TICK, .national_size = w->nation};

	w->now.ms += ms;
	e.now = w->now;
	server_step(&w->machine, &e, &w->update);
	perform(w);
}

static void one_step(struct world *w, struct cursor *in)
{
	switch (cursor_u8(in) % 10) {
	case 0:
		tick(w, cursor_u16be(in));
		break;
	case 1:
	case 2:
		settle(w, true, ERR_OK);
		break;
	case 3:
		settle(w, false, (enum err)(1 + cursor_u8(in) % (ERR_COUNT - 1)));
		break;
	case 4:
		message_raw(&w->said, in);
		hear(w, cursor_u8(in) % (LOGS + 1), cursor_u8(in));
		break;
	case 5:
		say_free_commit(w, in);
		break;
	case 6:
		administrate(w, in);
		break;
	case 7:
		w->unreadable = cursor_u8(in) % 2;
		break;
	default:
		say(w, in);
	}
}

static void world_begin(struct world *w)
{
	struct server_lookup lookup = {w, root, redacted, next_redacted, new_key};

	memset(w, 0, sizeof *w);
	w->now.ms = NOW_MS * (int64_t)1000;
	w->sessions = 70;
	w->nation = 3;
	ALWAYS(server_machine_init(&w->machine, FUZZ_REALM, &nation.key.signer.key,
				   COMMIT_BYTES_MAX, lookup) == ERR_OK);
	for (size_t i = 0; i < LOGS; i++) {
		struct held *h = &w->held[i];

		tree_init(&h->trees[0]);
		h->keys[0] = nation.log_keys[i].signer.key;
		h->key_count = h->pending_keys = 1;
		ALWAYS(server_machine_enrol(&w->machine, &nation.cards[i], &h->trees[0],
					    LOG_ACTIVE) == ERR_OK);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct cursor in = cursor_of(bytes_of(data, size));

	nation_make();
	world_begin(&w);
	for (int i = 0; i < STEPS_MAX && fuzz_more(&in); i++)
		one_step(&w, &in);
	server_machine_free(&w.machine);
	message_free(&w.said);
	return 0;
}

/* ---- seeds: kind, who, how, size, from ---- */

#define HELLO(who, size)        9, 0, who, 0, size, 0
#define ANCHOR(who, size)       9, 1, who, 0, size, 0
#define COMMIT(who, from, size) 9, 2, who, 0, size, from
#define STORED                  1

void fuzz_seeds(struct seeds *to)
{
	static const uint8_t usual[] = {HELLO(0, 5),      ANCHOR(0, 0), COMMIT(0, 0, 5),   STORED,
					COMMIT(0, 5, 11), STORED,       COMMIT(0, 11, 20), STORED};
	static const uint8_t other_events[] = {HELLO(0, 10), ANCHOR(0, 0), 9, 2, 0, 2, 8, 0,
					       STORED};
	static const uint8_t fork[] = {HELLO(0, 10), ANCHOR(0, 0), COMMIT(0, 0, 10), STORED,
				       HELLO(1, 9),  STORED,       HELLO(1, 9)};
	static const uint8_t anew[] = {HELLO(0, 10), ANCHOR(0, 0), COMMIT(0, 0, 10), STORED, 6, 8,
				       HELLO(3, 3),  ANCHOR(3, 0), COMMIT(3, 0, 3),  STORED};
	static const uint8_t witness[] = {HELLO(2, 10),
					  ANCHOR(2, 0),
					  COMMIT(2, 0, 10),
					  STORED,
					  0,
					  255,
					  255,
					  9,
					  5,
					  2,
					  0,
					  10,
					  0,
					  STORED,
					  0,
					  255,
					  255,
					  9,
					  6,
					  2,
					  0,
					  0,
					  0};
	static const uint8_t failing[] = {HELLO(2, 10),
					  ANCHOR(2, 0),
					  COMMIT(2, 0, 10),
					  3,
					  6,
					  COMMIT(2, 0, 10),
					  STORED,
					  HELLO(2, 5),
					  ANCHOR(2, 5),
					  9,
					  3,
					  2,
					  0,
					  0,
					  2};
	static const uint8_t free_bytes[] = {
		HELLO(2, 0), ANCHOR(2, 0), 5, 1, 0, 0, 0, STORED, 5, 1, 1, 0, 2, 8, 1, 0,
		0,           STORED};
	static const uint8_t erased[] = {
		6, 17, 2, HELLO(2, 10), ANCHOR(2, 0), COMMIT(2, 0, 5), STORED, 9, 2, 2,
		8, 10, 5, STORED};
	static const uint8_t rolled_back[] = {9, 0, 2, 0x10, 3, 200};

	seed_add(to, "other-events", bytes_of(other_events, sizeof other_events));
	seed_add(to, "usual", bytes_of(usual, sizeof usual));
	seed_add(to, "fork", bytes_of(fork, sizeof fork));
	seed_add(to, "anew", bytes_of(anew, sizeof anew));
	seed_add(to, "witness", bytes_of(witness, sizeof witness));
	seed_add(to, "failing", bytes_of(failing, sizeof failing));
	seed_add(to, "free", bytes_of(free_bytes, sizeof free_bytes));
	seed_add(to, "erased", bytes_of(erased, sizeof erased));
	seed_add(to, "rolled-back", bytes_of(rolled_back, sizeof rolled_back));
}
