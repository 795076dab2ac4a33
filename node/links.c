#include "node/node.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "base/log.h"

enum {
	RECEIVE_MAX = 64, /* messages of one server in one turn, so that edits get theirs */
	QUEUE_MAX = 4 * SERVERS_MAX + 8,
};

/* What performing an action tells the machine.  Told only after all actions of the step
 * were performed, since what they borrow lives until the next step. */
struct queue {
	struct node_event events[QUEUE_MAX];
	size_t first, count;
};

static void queue_add(struct queue *q, struct node_event event)
{
	if (q->count < QUEUE_MAX)
		q->events[(q->first + q->count++) % QUEUE_MAX] = event;
}

static struct node_event queue_take(struct queue *q)
{
	struct node_event event = q->events[q->first];

	q->first = (q->first + 1) % QUEUE_MAX;
	q->count--;
	return event;
}

/* ---- sending ---- */

static const char *server_name(const struct node *n, size_t link)
{
	return n->settings.servers[link].name;
}

/* Header, then `note` when it is not empty or further frames follow, then these. */
static enum err send_frames(struct node *n, size_t link, const struct wire_header *header,
			    struct bytes note, const struct bytes *more, size_t count)
{
	struct bytes frames[2 + COMMIT_FRAMES_MAX];
	size_t used = 0;
	enum err e = ERR_OK;

	if (!n->links[link].endpoint)
		return ERR_CLOSED;
	buf_clear(&n->header);
	e = wire_encode(header, &n->header);
	if (e != ERR_OK)
		return e;
	frames[used++] = buf_bytes(&n->header);
	if (note.size || count)
		frames[used++] = note;
	for (size_t i = 0; i < count; i++)
		frames[used++] = more[i];
	return endpoint_send(n->links[link].endpoint, (struct bytes){NULL, 0}, frames, used);
}

enum err link_send(struct node *n, size_t link, const struct wire_header *header, struct bytes note)
{
	return send_frames(n, link, header, note, NULL, 0);
}

/* A message that cannot go now is lost like one on the way: the machine says it again. */
void link_say_unsent(const struct node *n, size_t link, const char *what, enum err e)
{
	if (e != ERR_OK)
		log_line(e == ERR_AGAIN || e == ERR_CLOSED ? LOG_DEBUG : LOG_WARN,
			 "log %s: server %s: %s was not sent: %s; tried again", n->log.name.text,
			 server_name(n, link), what, err_text(e));
}

/* Where nothing of a size can be shown or signed the store is damaged, and that ends the node. */
static void say_unshown(struct node *n, size_t link, const char *what, uint64_t size, enum err e)
{
	if (e != ERR_CORRUPT && e != ERR_UNKNOWN_KEY) {
		link_say_unsent(n, link, what, e);
		return;
	}
	log_line(LOG_ERROR,
		 "log %s: %s is damaged: %s of size %" PRIu64
		 " or beyond cannot be made from it (%s), so nothing of it is signed or sent, and "
		 "the node ends; move that folder aside (keep it: edits that no server confirmed "
		 "are there alone) and start again: the log is fetched back",
		 n->log.name.text, n->settings.data, what, size, err_text(e));
	n->fault = ERR_CORRUPT;
}

/* A HELLO also shows what was witnessed of that server's national log. */
static void send_signed(struct node *n, const struct node_action *a)
{
	struct bytes witnessed = {NULL, 0};
	struct txn *read = NULL;
	enum err e = txn_begin(n->store, false, &read);

	buf_clear(&n->note);
	if (e == ERR_OK && a->header.size > 0)
		e = note_to_show(n, read, a->header.size, &n->note);
	if (e == ERR_OK && a->header.kind == WIRE_HELLO)
		e = witnessed_note(n, read, a->link, &witnessed);
	if (e == ERR_OK)
		e = send_frames(n, a->link, &a->header, buf_bytes(&n->note), &witnessed,
				witnessed.size ? 1 : 0);
	txn_abort(read);
	say_unshown(n, a->link, "a checkpoint", a->header.size, e);
}

/* Packs events [from, from + count) into frames that break only between events. */
static enum err pack(struct node *n, struct txn *read, uint64_t from, uint32_t count,
		     size_t *ret_frames, uint64_t *ret_bytes)
{
	size_t used = 0;
	uint64_t total = 0;

	buf_clear(&n->frames[0]);
	for (uint32_t i = 0; i < count; i++) {
		struct bytes event;
		struct hash leaf;
		bool redacted = false;
		size_t size = HASH_BYTES;
		enum err e = log_event(&n->log, read, from + i, &event);

		redacted = e == ERR_REDACTED;
		if (redacted)
			e = log_leaf(&n->log, read, from + i, &leaf);
		else
			size = event.size;
		if (e != ERR_OK)
			return e;
		if (n->frames[used].size + 2 + size > FRAME_BYTES_MAX) {
			if (++used == COMMIT_FRAMES_MAX)
				return ERR_LIMIT;
			buf_clear(&n->frames[used]);
		}
		if (redacted)
			bundle_add_redacted(&n->frames[used], leaf.b);
		else
			bundle_add(&n->frames[used], event);
		total += 2 + size;
		e = buf_check(&n->frames[used]);
		if (e != ERR_OK)
			return e;
	}
	*ret_frames = used + 1;
	*ret_bytes = total;
	return ERR_OK;
}

static enum err cut_commit(const struct node *n, struct txn *read, const struct node_action *a,
			   uint32_t *ret_count)
{
	const struct node_link *link = &n->machine.links[a->link];
	const struct log_cut c = {.from = a->header.from,
				  .size = a->size,
				  .bytes_max = a->bytes_max,
				  .events_max = a->events_max,
				  .narrow = (a->bytes_max < link->commit_bytes),
				  .under_way = (link->under_way_bytes > 0),
				  .signs = signing_can,
				  .context = n};

	return log_cut(&n->log, read, &c, ret_count);
}

/* `sent` says what went. */
static enum err send_commit(struct node *n, const struct node_action *a, struct node_event *sent)
{
	struct wire_header header = a->header;
	struct bytes frames[COMMIT_FRAMES_MAX];
	struct txn *read = NULL;
	uint32_t count = 0;
	size_t used = 0;
	uint64_t bytes = 0;
	enum err e = txn_begin(n->store, false, &read);

	if (e == ERR_OK)
		e = cut_commit(n, read, a, &count);
	if (e != ERR_OK || !count)
		goto out;
	buf_clear(&n->note);
	e = note_at(n, read, header.from + count, &n->note);
	if (e == ERR_OK)
		e = pack(n, read, header.from, count, &used, &bytes);
	if (e != ERR_OK)
		goto out;
	for (size_t i = 0; i < used; i++)
		frames[i] = buf_bytes(&n->frames[i]);
	header.kind = WIRE_COMMIT;
	header.count = count;
	e = send_frames(n, a->link, &header, buf_bytes(&n->note), frames, used);
	if (e != ERR_OK)
		goto out;
	sent->size = header.from + count;
	sent->bytes = bytes;
out:
	txn_abort(read);
	return e;
}

/* ---- connecting ---- */

void link_drop(struct node *n, size_t link)
{
	endpoint_close(n->links[link].endpoint);
	n->links[link].endpoint = NULL;
}

static void connect_link(struct node *n, size_t link)
{
	const struct server_setting *server = &n->settings.servers[link];
	struct curve curve = {
		.public = n->keys.curve_public,
		.secret = n->keys.curve_secret,
		.server = server->card.curve_public,
	};
	enum err e = ERR_OK;

	link_drop(n, link);
	e = endpoint_dealer(n->network, server->address, &curve, &n->links[link].endpoint);
	if (e != ERR_OK)
		log_line(LOG_WARN, "log %s: server %s: %s cannot be connected: %s; tried again",
			 n->log.name.text, server->name, server->address, err_text(e));
}

/* ---- the machine ---- */

static void alarm_person(const struct node *n, size_t link)
{
	const struct node_link *l = &n->machine.links[link];

	log_line(LOG_ERROR, "log %s: server %s: %s: %s; `splotctl status` says what to do",
		 n->log.name.text, server_name(n, link), err_code(l->refused),
		 l->refused_text[0] ? l->refused_text : err_text(l->refused));
}

static void opened(struct node *n)
{
	enum err e = node_open_mark(n);

	if (e == ERR_OK)
		e = node_raise_mark(n);
	if (e != ERR_OK)
		n->fault = e;
	else
		log_line(LOG_NOTICE, "log %s: complete with %" PRIu64 " events: edits are taken",
			 n->log.name.text, n->log.tree.size);
}

static void perform(struct node *n, const struct node_action *a, struct queue *q)
{
	struct node_event sent = {.kind = NODE_EV_SENT, .link = a->link, .size = a->header.from};

	switch (a->kind) {
	case NODE_CONNECT:
		connect_link(n, a->link);
		break;
	case NODE_SEND:
		link_say_unsent(n, a->link, "a message",
				link_send(n, a->link, &a->header, (struct bytes){NULL, 0}));
		break;
	case NODE_SEND_SIGNED:
		send_signed(n, a);
		break;
	case NODE_SEND_COMMIT:
		say_unshown(n, a->link, "a commit", a->header.from, send_commit(n, a, &sent));
		queue_add(q, sent);
		break;
	case NODE_APPEND:
		queue_add(q, fetch_append(n, a));
		break;
	case NODE_ALARM:
		alarm_person(n, a->link);
		break;
	case NODE_OPENED:
		opened(n);
		if (n->fault == ERR_OK && rotate_again(n))
			queue_add(q, (struct node_event){.kind = NODE_EV_GREW,
							 .tree = &n->log.tree,
							 .bytes = n->encoded.size});
		break;
	case NODE_WITNESS:
		if (witness_offer(n, a))
			queue_add(q,
				  (struct node_event){.kind = NODE_EV_DISTRUST, .link = a->link});
		break;
	case NODE_CARRY_OUT:
		if (!duty_carry_out(n, a))
			queue_add(q, (struct node_event){.kind = NODE_EV_UNDONE, .link = a->link});
		break;
	}
}

void links_step(struct node *n, const struct node_event *event)
{
	struct queue q = {.count = 0};

	queue_add(&q, *event);
	while (q.count > 0 && n->fault == ERR_OK) {
		struct node_event e = queue_take(&q);

		e.mono = mono_now();
		e.wall = wall_now();
		e.random = randombytes_random();
		node_step(&n->machine, &e, &n->update);
		for (size_t i = 0; i < n->update.count && n->fault == ERR_OK; i++)
			perform(n, &n->update.actions[i], &q);
	}
}

void links_receive(struct node *n)
{
	for (size_t i = 0; i < n->machine.link_count; i++) {
		for (int taken = 0; taken < RECEIVE_MAX && n->fault == ERR_OK; taken++) {
			struct node_event event = {.kind = NODE_EV_MESSAGE, .link = i};
			struct message m;

			if (!n->links[i].endpoint ||
			    endpoint_receive(n->links[i].endpoint, &m) != ERR_OK)
				break;
			event.frames = m.frames;
			event.frame_count = m.frame_count;
			if (m.excess)
				log_line(LOG_WARN,
					 "log %s: server %s sent a message of too many frames: "
					 "dropped",
					 n->log.name.text, server_name(n, i));
			else
				links_step(n, &event);
			message_free(&m);
		}
	}
}

/* Coming and going, a line each; the moments in between are nobody's concern. */
static void tell_phase(const struct node *n, size_t i, enum node_phase phase)
{
	const char *log = n->log.name.text;
	const char *server = server_name(n, i);
	uint64_t there = n->machine.links[i].server_size;
	uint64_t here = n->log.tree.size;

	if (phase == NODE_LIVE)
		log_line(LOG_INFO,
			 "log %s: server %s: connected; it holds %" PRIu64 " of %" PRIu64 " events",
			 log, server, there, here);
	else if (phase == NODE_FETCHING && n->machine.links[i].refused == ERR_ROOT)
		return; /* compared once more with what does not continue ours: that was told */
	else if (phase == NODE_FETCHING)
		log_line(LOG_NOTICE,
			 "log %s: server %s holds %" PRIu64 " events, here are %" PRIu64
			 ": fetching them back",
			 log, server, there, here);
	else if (phase == NODE_AWAY && n->machine.links[i].refused != ERR_OK)
		log_line(LOG_WARN, "log %s: server %s: %s; tried again by itself", log, server,
			 n->machine.links[i].refused_text);
	else if (phase == NODE_AWAY)
		log_line(
			LOG_WARN,
			"log %s: server %s: no answer from %s; tried again by itself, it gets what "
			"it lacks when it is back",
			log, server, n->settings.servers[i].address);
}

void links_tell(struct node *n)
{
	for (size_t i = 0; i < n->machine.link_count; i++) {
		struct link *link = &n->links[i];
		enum node_phase phase = n->machine.links[i].phase;

		if (phase == link->told || phase == NODE_GREETING || phase == NODE_ANCHORING)
			continue;
		tell_phase(n, i, phase);
		link->told = phase;
	}
}
