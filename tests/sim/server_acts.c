/* What administrators do at the simulated servers: each act and what it changes in one
 * transaction, as splot-server does it. */
#include <inttypes.h>
#include <string.h>

#include "checks.h"

enum { AGAIN_MS = 200, ERASE_AGAIN_MS = 1000 };

/* ---- one transaction ---- */

typedef enum err write_fn(struct server_host *s, struct txn *write, const void *what);

static enum err store_once(struct server_host *s, const struct national_entry *act, write_fn *write,
			   const void *what)
{
	struct txn *t = NULL;
	enum err e = archive_write(&s->archive, &t);

	if (!e)
		e = write(s, t, what);
	if (!e)
		e = archive_act(&s->archive, act);
	if (!e)
		e = archive_commit(&s->archive);
	if (memstore_died(s->disk))
		return e;
	if (e && archive_abort(&s->archive))
		server_logs_noticed(s, "its logs cannot be read again", e);
	trust_settle(&s->trust, e == ERR_OK);
	return e;
}

static enum err store(struct server_host *s, const struct national_entry *act, write_fn *write,
		      const void *what)
{
	enum err e = store_once(s, act, write, what);

	while (e == ERR_MAP_FULL && store_grow(s->archive.store) == ERR_OK)
		e = store_once(s, act, write, what);
	if (!e)
		server_host_stored(s);
	return e;
}

static struct national_entry entry_of(const struct server_host *s, const char *act,
				      struct log_name log)
{
	return (struct national_entry){.recorded = server_host_wall(s),
				       .kind = NATIONAL_ACT,
				       .log = log,
				       .act = act,
				       .by = "admin",
				       .reason = "story"};
}

/* ---- enrol ---- */

struct enrolment {
	struct card card;
	struct bytes document;
	struct wall_ms now;
};

static enum err write_enrolment(struct server_host *s, struct txn *t, const void *what)
{
	const struct enrolment *en = what;

	return trust_enrol(&s->trust, t, &en->card, en->document, en->now);
}

static enum err enrol(struct server_host *s, unsigned log)
{
	const struct log_standing active = {.state = LOG_ACTIVE, .size = UINT64_MAX};
	struct enrolment en = {.now = server_host_wall(s)};
	struct national_entry act = entry_of(s, "enrol", s->w->nodes[log].name);
	struct buf document = {0};
	enum err e = keys_card(s->w, log, 0, &en.card, &document);

	en.document = buf_bytes(&document);
	act.document = en.document;
	if (!e)
		e = archive_add(&s->archive, en.card.log);
	if (!e)
		e = store(s, &act, write_enrolment, &en);
	if (!e)
		e = trust_add(&s->trust, &en.card, en.document, active, en.now);
	if (!e)
		e = server_machine_enrol(&s->machine, &en.card, &server_host_log(s, log)->tree,
					 LOG_ACTIVE);
	buf_free(&document);
	return e;
}

enum err act_enrol_all(struct server_host *s)
{
	enum err e = ERR_OK;

	for (unsigned i = 0; !e && i < REGIONS; i++) {
		if (!trust_log(&s->trust, s->w->nodes[i].name))
			e = enrol(s, i);
	}
	return e;
}

/* ---- standing ---- */

struct standing {
	struct trusted *entry;
	struct log_standing now;
};

static enum err write_standing(struct server_host *s, struct txn *t, const void *what)
{
	const struct standing *st = what;

	return trust_stage(&s->trust, t, st->entry, st->now);
}

static enum err revoke(struct server_host *s, const struct act *a, struct trusted *entry)
{
	const struct standing st = {entry, {.state = LOG_REVOKED, .size = entry->now.size}};
	const struct national_entry act = entry_of(s, "revoke", entry->card.log);
	enum err e = store(s, &act, write_standing, &st);

	if (!e)
		e = server_machine_revoke(&s->machine, entry->card.log);
	if (!e)
		s->w->tally.revoked++;
	if (!e)
		world_tell(s->w, server_host_name(s), "log %s is revoked at %" PRIu64,
			   entry->card.log.text, server_host_log(s, a->log)->tree.size);
	return e;
}

static enum err freeze(struct server_host *s, const struct act *a, struct trusted *entry)
{
	struct standing st = {entry, {.state = LOG_FROZEN}};
	struct national_entry act = entry_of(s, "freeze", entry->card.log);
	struct server_log *state = NULL;
	struct buf note = {0};
	struct bytes found = {NULL, 0};
	struct txn *read = NULL;
	enum err e = txn_begin(s->archive.store, false, &read);

	if (!e)
		e = log_newest(server_host_log(s, a->log), read, &act.size, &found);
	if (e == ERR_NOT_FOUND)
		e = ERR_OK;
	buf_add_bytes(&note, found);
	txn_abort(read);
	act.document = buf_bytes(&note);
	st.now.size = act.size;
	if (!e)
		e = store(s, &act, write_standing, &st);
	buf_free(&note);
	if (!e)
		e = server_machine_freeze(&s->machine, entry->card.log);
	state = e ? NULL : server_machine_log(&s->machine, entry->card.log);
	if (state)
		state->stands = act.size;
	return e;
}

static enum err release(struct server_host *s, const struct act *a, struct trusted *entry)
{
	const struct standing st = {entry, {.state = LOG_ACTIVE, .size = UINT64_MAX}};
	struct national_entry act = entry_of(s, "release", entry->card.log);
	enum err e = ERR_OK;

	act.size = server_host_log(s, a->log)->tree.size;
	e = store(s, &act, write_standing, &st);
	if (!e)
		e = server_machine_release(&s->machine, entry->card.log);
	if (e)
		return e;
	s->w->tally.released++;
	return ERR_OK;
}

/* ---- redact ---- */

struct erasure {
	const struct log *log;
	struct redacted what;
	bool here;
};

static enum err write_redaction(struct server_host *s, struct txn *t, const void *what)
{
	const struct erasure *r = what;
	enum err e = redactions_put(&s->redactions, t, r->log->name, &r->what);

	if (!e && r->here)
		e = log_redact(r->log, t, r->what.index, r->what.leaf);
	if (!e && r->here)
		e = redactions_ask_scrub(&s->redactions, t);
	return e;
}

static void tell_node(struct server_host *s, struct log_name log)
{
	const struct server_log *state = server_machine_log(&s->machine, log);
	bool frozen = state && state->state == LOG_FROZEN && state->peer_size > 0;

	if (frozen || (state && state->open && state->anchored))
		server_host_duties(s, state->peer, state->peer_size, log,
				   frozen ? 0 : state->session);
}

/* EXISTS: it is done; a kill came before that was told. */
static enum err look(struct server_host *s, const struct act *a, struct erasure *r)
{
	struct redacted before = {.index = 0};
	struct txn *read = NULL;
	enum err e = txn_begin(s->archive.store, false, &read);

	if (!e)
		e = redactions_next(&s->redactions, read, r->log->name, a->index, &before);
	if (!e && before.index == a->index)
		e = ERR_EXISTS;
	if (!e || e == ERR_NOT_FOUND)
		e = log_leaf(r->log, read, a->index, &r->what.leaf);
	r->here = e == ERR_OK;
	if (e == ERR_NOT_FOUND)
		e = ERR_OK; /* ahead of its coming */
	if (!e && !r->here)
		r->what.leaf = a->leaf;
	txn_abort(read);
	return !e && !hash_equal(r->what.leaf, a->leaf) ? ERR_ROOT : e;
}

static enum err redact(struct server_host *s, const struct act *a, struct trusted *entry)
{
	struct national_entry act = entry_of(s, "redact", entry->card.log);
	struct erasure r = {.log = server_host_log(s, a->log),
			    .what = {.index = a->index, .act = server_host_size(s)}};
	enum err e = look(s, a, &r);

	act.index = a->index;
	act.leaf = bytes_of(r.what.leaf.b, HASH_BYTES);
	if (e == ERR_EXISTS)
		return ERR_OK;
	if (e == ERR_ROOT) /* a fork: the event there is another one */
		return world_is_forked(s->w, a->log) ? ERR_OK : e;
	if (!e)
		e = store(s, &act, write_redaction, &r);
	if (e)
		return e;
	s->w->tally.redacted++;
	world_tell(s->w, server_host_name(s), "event %" PRIu64 " of log %s is redacted%s", a->index,
		   entry->card.log.text, r.here ? "" : " ahead of its coming");
	tell_node(s, entry->card.log);
	s->again = r.here;
	return ERR_OK;
}

/* ---- duties ---- */

static enum err send_duty(struct server_host *s, struct txn *read, const struct server_action *to,
			  struct wire_header header)
{
	struct bytes frames[3];
	struct log_reader reader;
	struct proof proof;
	enum err e = log_newest(s->archive.national, read, &header.size, &frames[0]);

	log_reader_init(&reader, s->archive.national, read);
	if (!e)
		e = proof_inclusion(&reader.tree, header.index, header.size, &proof);
	if (!e)
		e = log_event(s->archive.national, read, header.index, &frames[1]);
	if (e)
		return e;
	frames[2] = bytes_of(proof.hashes, proof.count * HASH_BYTES);
	server_host_send(s, to, &header, frames, 3);
	return ERR_OK;
}

void server_host_duties(struct server_host *s, const uint8_t *peer, size_t peer_size,
			struct log_name log, uint64_t session)
{
	struct wire_header header = {.kind = WIRE_DUTY, .session = session};
	struct server_action to = {.peer_size = peer_size};
	struct redacted row = {.index = 0};
	struct txn *read = NULL;
	enum err e = s->redactions.any ? txn_begin(s->archive.store, false, &read) : ERR_NOT_FOUND;

	memcpy(to.peer, peer, peer_size);
	for (uint64_t from = 0; !e; from = row.index + 1) {
		e = redactions_next(&s->redactions, read, log, from, &row);
		header.index = row.act;
		if (!e)
			e = send_duty(s, read, &to, header);
	}
	txn_abort(read);
	if (e != ERR_NOT_FOUND)
		server_logs_noticed(s, "its acts cannot be told", e);
}

/* ---- when ---- */

static bool all_done(const struct world *w, enum act_kind kind)
{
	for (size_t i = 0; i < w->act_count; i++) {
		if (w->acts[i].kind == kind && !w->acts[i].done)
			return false;
	}
	return true;
}

struct act *act_plan(struct world *w, enum act_kind kind, unsigned server, unsigned log,
		     int64_t in_ms)
{
	struct act *a = &w->acts[w->act_count];

	if (w->act_count == ACTS_MAX)
		return NULL;
	*a = (struct act){.kind = kind, .server = server, .log = log};
	world_plan(w, in_ms, AT_ACT, (unsigned)w->act_count++, 0, 0, NULL);
	return a;
}

bool acts_done(const struct world *w)
{
	return all_done(w, ACT_REVOKE) && all_done(w, ACT_ENROL) && all_done(w, ACT_FREEZE) &&
	       all_done(w, ACT_RELEASE) && all_done(w, ACT_REDACT);
}

bool act_is_planned(const struct world *w, enum act_kind kind, unsigned server, unsigned log)
{
	for (size_t i = 0; i < w->act_count; i++) {
		const struct act *a = &w->acts[i];

		if (a->kind == kind && a->server == server && a->log == log)
			return true;
	}
	return false;
}

/* Its office starts the node when every server knows it. */
static void start_anew(struct world *w)
{
	struct node_host *n = &w->nodes[ANEW];

	if (all_done(w, ACT_ENROL))
		world_plan(w, world_below(w, 2000), AT_NODE_START, ANEW, 0, n->epoch, NULL);
}

/* The freeze that it ends is the act before it. */
static bool is_too_early(const struct act *a)
{
	return a->kind == ACT_RELEASE && !a[-1].done;
}

static enum err perform(struct server_host *s, const struct act *a)
{
	struct trusted *entry = trust_log(&s->trust, s->w->nodes[a->log].name);

	if (a->kind == ACT_ENROL) {
		if (entry)
			return ERR_OK;
		return trust_writer(&s->trust, s->w->nodes[a->log].name) ? ERR_AGAIN
									 : enrol(s, a->log);
	}
	if (!entry || is_too_early(a))
		return ERR_AGAIN;
	switch (a->kind) {
	case ACT_REVOKE:
		return entry->now.state == LOG_REVOKED ? ERR_OK : revoke(s, a, entry);
	case ACT_FREEZE:
		return entry->now.state != LOG_ACTIVE ? ERR_OK : freeze(s, a, entry);
	case ACT_RELEASE:
		return entry->now.state != LOG_FROZEN ? ERR_OK : release(s, a, entry);
	case ACT_REDACT:
		return redact(s, a, entry);
	case ACT_ENROL:
		break;
	}
	return ERR_INTERNAL;
}

static bool has_passed(enum err e)
{
	return e == ERR_DISK_FULL || e == ERR_AGAIN || e == ERR_SYNC || e == ERR_MAP_FULL;
}

void act_try(struct world *w, unsigned number)
{
	struct act *a = &w->acts[number];
	struct server_host *s = &w->servers[a->server];
	bool able = s->up && w->now_ms >= s->stalled_until_ms &&
		    !(w->put_back == PUT_BACK_RUNS && a->server == w->put_back_server);
	enum err e = ERR_AGAIN;

	if (a->done)
		return;
	if (able) {
		check_act_begins(s, a);
		e = perform(s, a);
		check_act(s, a, e);
	}
	a->done = able && e == ERR_OK;
	if (e == ERR_SYNC)
		s->fault = e;
	else if (e && !has_passed(e) && !memstore_died(s->disk))
		server_logs_noticed(s, "an act cannot be stored", e);
	if (able)
		(void)server_host_survives(s);
	if (!a->done)
		world_plan(w, AGAIN_MS, AT_ACT, number, 0, 0, NULL);
	else if (a->kind == ACT_REVOKE)
		act_begin_anew(w);
	else if (a->kind == ACT_ENROL)
		start_anew(w);
}

/* ---- what is to be erased ---- */

/* Whether the server holds it, under that index. */
static bool holds(struct server_host *s, const struct secret *x, struct hash *ret_leaf)
{
	const struct log *log = s->up ? server_host_log(s, x->log) : NULL;
	struct bytes event;
	struct txn *read = NULL;
	bool found = false;

	if (!log || txn_begin(s->archive.store, false, &read))
		return false;
	found = log_event(log, read, x->index, &event) == ERR_OK &&
		memmem(event.data, event.size, x->text, strlen(x->text));
	if (found)
		*ret_leaf = hash_leaf(event);
	txn_abort(read);
	return found;
}

void act_erase(struct world *w)
{
	size_t known = w->secret_count < SECRETS_MAX ? w->secret_count : SECRETS_MAX;
	const struct secret *x = known ? &w->secrets[world_below(w, (unsigned)known)] : NULL;
	struct hash leaf;

	if (w->calm || w->erased_count == ERASED_MAX)
		return;
	if (!x || x->log == w->forked || !holds(&w->servers[world_below(w, SERVERS)], x, &leaf)) {
		world_plan(w, ERASE_AGAIN_MS, AT_ERASE, 0, 0, 0, NULL);
		return;
	}
	w->erased[w->erased_count++] = *x;
	for (unsigned i = 0; i < SERVERS; i++) {
		struct act *a = act_plan(w, ACT_REDACT, i, x->log, world_below(w, 4000));

		if (!a)
			continue;
		a->index = x->index;
		a->leaf = leaf;
	}
}

/* ---- a log begun anew ---- */

/* The newest checkpoint of the server that holds less of it: both hold what it says. */
static bool find_quote(struct world *w)
{
	struct server_host *least = &w->servers[0];
	struct txn *read = NULL;
	struct bytes note = {NULL, 0};
	uint64_t size = 0;

	for (unsigned i = 1; i < SERVERS; i++) {
		if (w->servers[i].chains[w->revoked].count < least->chains[w->revoked].count)
			least = &w->servers[i];
	}
	if (txn_begin(least->archive.store, false, &read) == ERR_OK &&
	    log_newest(server_host_log(least, w->revoked), read, &size, &note) == ERR_OK)
		buf_add_bytes(&w->quote, note);
	txn_abort(read);
	return w->quote.size > 0;
}

void act_begin_anew(struct world *w)
{
	struct node_host *old = &w->nodes[w->revoked];
	struct node_host *n = &w->nodes[ANEW];

	if (!all_done(w, ACT_REVOKE))
		return;
	for (unsigned i = 0; i < SERVERS; i++) {
		if (!w->servers[i].up) { /* the office asks both servers what they hold */
			world_plan(w, AGAIN_MS, AT_BEGIN_ANEW, 0, 0, 0, NULL);
			return;
		}
	}
	if (w->begun_anew)
		return;
	w->begun_anew = true;
	if (!find_quote(w))
		return; /* nothing of it stands anywhere: the region stays without */
	node_host_crash(old, "the office puts it out of use");
	old->exists = false;
	n->exists = true;
	world_tell(w, "world", "log %s goes on from log %s", n->name.text, old->name.text);
	for (unsigned i = 0; i < SERVERS; i++)
		(void)act_plan(w, ACT_ENROL, i, ANEW, world_below(w, 3000));
}
