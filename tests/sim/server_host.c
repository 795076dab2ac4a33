/* The server's driver over the simulated disk and network: what splot-server does, with the same
 * machine, the same logs and trust, and the same view. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"

enum { HEAL_MS = 1500 };

const char *server_host_name(const struct server_host *s)
{
	static const char *const SERVER_NAMES[SERVERS] = {"wschod", "zachod"};

	return SERVER_NAMES[s->number];
}

struct wall_ms server_host_wall(const struct server_host *s)
{
	return (struct wall_ms){WALL_BEGIN_MS + s->w->now_ms + s->clock_ms};
}

struct log *server_host_log(struct server_host *s, unsigned log)
{
	return archive_log(&s->archive, s->w->nodes[log].name);
}

uint64_t server_host_size(const struct server_host *s)
{
	return s->archive.size;
}

/* ---- what ends it ---- */

void server_host_noticed(struct server_host *s, const char *how, enum err e)
{
	if (!s->damage.there) {
		world_fail(s->w, "server %u: %s (%s), and nothing is damaged", s->number, how,
			   err_code(e));
		return;
	}
	if (!s->damage.told)
		world_tell(s->w, server_host_name(s), "notices damage in its %s: %s (%s)",
			   s->damage.where, how, err_code(e));
	s->damage.told = true;
	s->fault = ERR_CORRUPT;
}

void server_logs_noticed(struct server_host *s, const char *how, enum err e)
{
	if (s->damage.there && s->damage.view)
		world_fail(s->w, "server %u: %s (%s), and only its view is damaged", s->number, how,
			   err_code(e));
	else
		server_host_noticed(s, how, e);
}

void server_host_blamed(struct server_host *s, const struct packet *heard, const char *how,
			enum err e)
{
	if (!heard || heard->server != s->number || heard->illness == 0)
		world_fail(s->w, "server %u: %s (%s), and it was not damaged when it said that",
			   s->number, how, err_code(e));
	else if (heard->illness == world_illness(&s->damage))
		server_host_noticed(s, how, e);
}

/* The copy that is as new as the store: of a mirrored disk, say.  An older one is another fault
 * (PUT_BACK_RUNS); the view is folded anew. */
static void heal(struct server_host *s)
{
	s->w->tally.noticed++;
	if (s->damage.view)
		memstore_wipe(s->view_disk);
	else
		memstore_mend(s->disk);
	world_tell(s->w, server_host_name(s), "%s",
		   s->damage.view ? "its view is thrown away" : "its newest copy is put back");
	s->damage = (struct damage){0};
}

bool server_host_survives(struct server_host *s)
{
	bool died = memstore_died(s->disk) || memstore_died(s->view_disk);
	bool told = s->damage.told;

	if (!died && !s->fault && !s->again)
		return true;
	server_host_crash(s, died       ? "killed in a commit"
			     : s->again ? "begins anew, to erase for good"
					: err_text(s->fault));
	if (told)
		heal(s);
	world_plan(s->w, told ? HEAL_MS : 50 + world_below(s->w, 3000), AT_SERVER_START, s->number,
		   0, s->epoch, NULL);
	return false;
}

/* ---- performing what the machine decides ---- */

void server_host_send(struct server_host *s, const struct server_action *a,
		      const struct wire_header *header, const struct bytes *more, size_t count)
{
	struct bytes frames[FRAMES];

	buf_clear(&s->header);
	if (wire_encode(header, &s->header)) {
		world_fail(s->w, "server %u cannot encode an answer", s->number);
		return;
	}
	frames[0] = buf_bytes(&s->header);
	for (size_t i = 0; i < count; i++)
		frames[1 + i] = more[i];
	wire_down(s->w, s->number, a->peer, frames, 1 + count);
}

/* Outside the turn's transaction: what is not on disk is told to nobody. */
static void perform_send(struct server_host *s, const struct server_action *a)
{
	const struct log *log = a->with_newest ? archive_log(&s->archive, a->log) : NULL;
	struct txn *read = NULL;
	struct bytes note = {NULL, 0};
	uint64_t size = 0;
	enum err e = ERR_OK;

	if (a->header.kind == WIRE_REFUSED) {
		s->w->tally.refusals++;
		world_tell(s->w, server_host_name(s), "refuses log %s: %s at %" PRIu64, a->log.text,
			   err_code(a->header.code), a->header.size);
	}
	if (log)
		e = txn_begin(s->archive.store, false, &read);
	if (log && !e)
		e = log_newest(log, read, &size, &note);
	if (e)
		server_logs_noticed(s, "it has no checkpoint to show", e);
	else
		server_host_send(s, a, &a->header, &note, note.size ? 1 : 0);
	txn_abort(read);
}

static enum err add_event(const struct log *log, struct txn *read, uint64_t index,
			  struct buf *bundle)
{
	struct bytes event;
	struct hash leaf;
	enum err e = log_event(log, read, index, &event);

	if (!e)
		bundle_add(bundle, event);
	if (e != ERR_REDACTED)
		return e;
	e = log_leaf(log, read, index, &leaf);
	if (!e)
		bundle_add_redacted(bundle, leaf.b);
	return e;
}

static enum err send_range(struct server_host *s, const struct server_action *a, struct txn *read)
{
	const struct log *log = archive_log(&s->archive, a->log);
	struct wire_header header = {
		.kind = WIRE_RANGE, .session = a->session, .log = a->log, .from = a->from};
	struct bytes frames[2];
	struct buf bundle = {0};
	uint64_t size = 0;
	enum err e = log_chunk(log, read, a->from, &size, &frames[0]);

	if (e == ERR_NOT_FOUND) {
		server_host_send(s, a, &header, NULL, 0);
		return ERR_OK;
	}
	for (uint64_t i = a->from; !e && i < size; i++)
		e = add_event(log, read, i, &bundle);
	header.count = (uint32_t)(size - a->from);
	frames[1] = buf_bytes(&bundle);
	if (!e)
		server_host_send(s, a, &header, frames, 2);
	buf_free(&bundle);
	return e;
}

static void perform_range(struct server_host *s, const struct server_action *a)
{
	struct wire_header refused = {.kind = WIRE_REFUSED, .session = a->session};
	struct txn *read = NULL;
	enum err e = txn_begin(s->archive.store, false, &read);

	if (!e)
		e = send_range(s, a, read);
	txn_abort(read);
	if (!e)
		return;
	refused.code = e;
	server_host_send(s, a, &refused, NULL, 0);
	server_logs_noticed(s, "it cannot give events back", e);
}

/* Both notes must be signed by the log's key and tell two histories. */
static void judge_evidence(struct server_host *s, const struct server_action *a,
			   struct bytes newest)
{
	const struct trusted *entry = trust_log(&s->trust, a->log);
	unsigned log = (unsigned)log_name_region(a->log);
	struct checkpoint theirs, ours;
	struct hash root;

	if (!world_is_forked(s->w, log) && !(world_is_hostile(s->w, log) && s->w->hostile.forked))
		world_fail(s->w, "log %s is frozen, but nobody forked it", a->log.text);
	else if (!entry || checkpoint_open(a->note, &entry->card.log_key, &theirs) ||
		 checkpoint_open(newest, &entry->card.log_key, &ours) || theirs.size > ours.size ||
		 archive_root(&s->archive, a->log, theirs.size, &root) ||
		 hash_equal(root, theirs.root))
		world_fail(s->w, "the evidence against log %s proves nothing", a->log.text);
}

static enum err freeze(struct server_host *s, const struct server_action *a, struct txn *write,
		       struct bytes newest, uint64_t size)
{
	const struct log_standing frozen = {.state = LOG_FROZEN, .size = UINT64_MAX};
	struct trusted *entry = trust_log(&s->trust, a->log);
	const struct national_entry act = {.recorded = server_host_wall(s),
					   .kind = NATIONAL_ACT,
					   .log = a->log,
					   .size = size,
					   .act = "freeze",
					   .by = "server",
					   .reason = "two histories of this log",
					   .document = a->note,
					   .other = newest};
	enum err e = entry ? ERR_OK : ERR_INTERNAL;

	if (!e)
		e = evidence_put(&s->evidence, write, a->log, s->archive.national->tree.size,
				 a->note, newest);
	if (!e)
		e = trust_stage(&s->trust, write, entry, frozen);
	return e ? e : archive_act(&s->archive, &act);
}

static enum err perform_freeze(struct server_host *s, const struct server_action *a)
{
	const struct log *log = archive_log(&s->archive, a->log);
	struct buf newest = {0};
	struct bytes stored = {NULL, 0};
	struct txn *write = NULL;
	uint64_t size = 0;
	enum err e = archive_write(&s->archive, &write);

	if (!e)
		e = log_newest(log, write, &size, &stored);
	if (e)
		return e;
	buf_add_bytes(&newest, stored);
	judge_evidence(s, a, buf_bytes(&newest));
	e = freeze(s, a, write, buf_bytes(&newest), size);
	buf_free(&newest);
	world_tell(s->w, server_host_name(s), "freezes log %s at %" PRIu64, a->log.text, size);
	return e;
}

/* The event that names other keys makes them the trusted ones, by an act of its editor. */
static enum err rotate(struct server_host *s, const struct server_action *a)
{
	const struct commit *c = a->commit;
	struct trusted *entry = trust_log(&s->trust, a->log);
	struct national_entry act = {.recorded = server_host_wall(s),
				     .kind = NATIONAL_ACT,
				     .log = a->log,
				     .act = "rotate",
				     .index = c->from + c->count - 1};
	struct arena arena = {0};
	struct txn *write = NULL;
	struct event event;
	enum err e = entry ? archive_write(&s->archive, &write) : ERR_INTERNAL;

	if (!e)
		e = event_decode(c->events[c->count - 1], &arena, &event);
	if (!e)
		e = trust_stage_keys(&s->trust, write, entry, &c->next, event.document);
	if (!e) {
		act.by = event.editor;
		act.reason = event.reason;
		act.document = event.document;
		e = archive_act(&s->archive, &act);
	}
	arena_free(&arena);
	return e;
}

static enum err perform_append(struct server_host *s, const struct server_action *a)
{
	enum err e = archive_accept(&s->archive, a->log, server_host_wall(s), a->commit->events,
				    a->commit->count, a->commit->note);

	if (!e)
		s->w->tally.accepted++;
	return !e && a->commit->rotates ? rotate(s, a) : e;
}

static void perform_close(struct server_host *s, const struct server_action *a)
{
	if (!world_is_hostile(s->w, (unsigned)log_name_region(a->log)))
		world_fail(s->w, "an honest node was cut off");
}

enum err server_host_perform(struct server_host *s)
{
	enum err failed = ERR_OK;

	for (size_t i = 0; i < s->update.count; i++) {
		const struct server_action *a = &s->update.actions[i];

		switch (a->kind) {
		case SERVER_SEND:
			perform_send(s, a);
			break;
		case SERVER_SEND_RANGE:
			perform_range(s, a);
			break;
		case SERVER_APPEND:
			failed = failed ? failed : perform_append(s, a);
			break;
		case SERVER_FREEZE:
			failed = failed ? failed : perform_freeze(s, a);
			break;
		case SERVER_CLOSE:
			perform_close(s, a);
			break;
		case SERVER_OFFER:
			server_host_offer(s, a);
			break;
		case SERVER_COSIGNED:
			failed = failed ? failed : server_host_cosigned(s, a);
			break;
		case SERVER_SEND_DUTIES:
			server_host_duties(s, a->peer, a->peer_size, a->log, a->session);
			break;
		case SERVER_ROLLED_BACK:
			server_host_rolled_back(s, a);
			return ERR_OK; /* it is dead */
		}
	}
	return failed;
}

/* ---- dying ---- */

void server_host_crash(struct server_host *s, const char *why)
{
	if (s->up && why)
		world_tell(s->w, server_host_name(s), "dies: %s", why);
	s->up = false;
	s->fault = ERR_OK;
	s->again = false;
	s->epoch++;
	check_turn(s, false);
	for (unsigned i = 0; i < NODES; i++)
		wire_break(s->w, i, s->number);
	while (s->inbox) {
		struct packet *next = s->inbox->next;

		free(s->inbox);
		s->inbox = next;
	}
	s->inbox_end = &s->inbox;
	server_host_close(s);
	memstore_crash(s->disk);
	memstore_crash(s->view_disk);
}

void server_host_fall(struct server_host *s, const char *why)
{
	server_host_crash(s, why);
	s->fell = true;
	s->w->tally.fell++;
	memstore_fall(s->view_disk, world_random(s->w));
}
