/* The check pass: who signed each checkpoint, whether each event is one of its log's, whether the
 * national log and the regional ones fit each other, and what the witnesses say. */
#include "audit/verify_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/log.h"
#include "session/anew.h"

static bool is_unsigned(enum err e)
{
	return e == ERR_UNKNOWN_KEY || e == ERR_SIGNATURE;
}

/* ---- signatures ---- */

static bool is_key_of(const struct log_keys *keys, struct bytes line)
{
	struct vkey key;

	if (vkey_parse(line, &key) != ERR_OK)
		return false;
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->keys[i].key.name, key.name) == 0 &&
		    memcmp(keys->keys[i].key.public, key.public, sizeof key.public) == 0)
			return true;
	return false;
}

/* The keys that an export's folder gives to whoever reads it. */
static enum err check_stated(struct verify *v, const struct verify_target *t)
{
	const struct log_keys *keys = keyring_log(v->options->trusted, t->name);
	struct buf text = {.data = NULL};
	struct bytes rest = {NULL, 0};
	enum err e = v->source->ops->keys(v->source, t->name, &text);

	rest = buf_bytes(&text);
	while (e == ERR_OK && keys && keys->count && rest.size) {
		const uint8_t *end = memchr(rest.data, '\n', rest.size);
		size_t size = end ? (size_t)(end - rest.data) : rest.size;

		if (!is_key_of(keys, bytes_of(rest.data, size))) {
			verify_found(v, DAMAGE_SIGNATURE, t->name, t->size,
				     "log.vkey holds what is no key of this log");
			break;
		}
		size += end != NULL;
		rest = bytes_of(rest.data + size, rest.size - size);
	}
	buf_free(&text);
	return verify_is_damage(e) ? ERR_OK : e;
}

enum err verify_signatures(struct verify *v, struct verify_target *t)
{
	struct source *s = v->source;
	struct buf note = {.data = NULL};
	uint64_t size = 0;
	enum err e = ERR_OK;

	if (t->size > 0 && !keyring_log(v->options->trusted, t->name)) {
		verify_found(v, DAMAGE_SIGNATURE, t->name, t->size, "no key of this log is known");
		return ERR_OK;
	}
	while (e == ERR_OK && size < t->size) {
		struct checkpoint c;
		enum err bad = ERR_OK;

		buf_clear(&note);
		e = s->ops->checkpoint(s, t->name, size, &size, &note);
		if (e != ERR_OK || size > t->size)
			break;
		bad = keyring_stored(v->options->trusted, t->name, buf_bytes(&note), &c);
		if (is_unsigned(bad))
			verify_found(v, DAMAGE_SIGNATURE, t->name, size, "%s", err_text(bad));
		else if (bad == ERR_ORIGIN)
			verify_found(v, DAMAGE_CHECKPOINT, t->name, size, "%s", err_text(bad));
		else if (bad != ERR_OK && log_note_read(buf_bytes(&note), &c) == ERR_OK)
			/* The hash pass reads its text alone. */
			verify_found(v, DAMAGE_SIGNATURE, t->name, size, "its lines: %s",
				     err_text(bad));
	}
	buf_free(&note);
	e = verify_is_damage(e) ? ERR_OK : e; /* told by the hash pass */
	return e == ERR_OK && !v->options->is_store ? check_stated(v, t) : e;
}

/* ---- events ---- */

static void unreadable(struct verify *v, const struct verify_target *t, uint64_t index,
		       const char *why)
{
	verify_found(v, DAMAGE_LEAF_UNREADABLE, t->name, index, "%s", why);
}

/* What a log begun anew quotes of the old one.  A thief may have rotated that log's keys, so a
 * quote that none of them vouches for counts by what it says, as at the server. */
static enum err open_quote(struct verify *v, const struct event *event, struct checkpoint *ret,
			   bool *ret_vouched)
{
	const struct log_keys *keys = keyring_log(v->options->trusted, event->old_log);
	struct note note;
	enum err e = keyring_checkpoint(v->options->trusted, event->old_log, event->document, ret);

	*ret_vouched = e == ERR_OK;
	if (!is_unsigned(e) || keys->count == 0)
		return e;
	e = note_parse(event->document, &note);
	if (e == ERR_OK)
		e = checkpoint_parse(note.text, false, ret);
	return e == ERR_OK && strcmp(ret->origin, keys->keys[0].key.name) != 0 ? ERR_ORIGIN : e;
}

/* The first event of a log begun anew, and the old log as far as it is here. */
static enum err check_continues(struct verify *v, const struct verify_target *t, uint64_t index,
				const struct event *event)
{
	const struct verify_target *old = verify_target(v, event->old_log);
	struct checkpoint c;
	struct hash root;
	bool vouched = false;
	enum err e = ERR_OK;

	if (index != 0 || !strchr(t->name.text, '/')) {
		unreadable(v, t, index,
			   "only the first event of a log begun anew goes on from another");
		return ERR_OK;
	}
	if (!keyring_log(v->options->trusted, event->old_log))
		return ERR_OK; /* a node does not keep the old log's keys */
	e = open_quote(v, event, &c, &vouched);
	if (e != ERR_OK || c.size != event->old_size) {
		unreadable(v, t, index, "the old log's checkpoint is not one");
		return ERR_OK;
	}
	if (!old || old->size < c.size) {
		if (!vouched)
			unreadable(v, t, index,
				   "none of the old log's keys signed its checkpoint, and that log "
				   "is not here to compare it with");
		return ERR_OK;
	}
	e = verify_root_at(v, old->name, c.size, &root);
	if (e == ERR_OK && !hash_equal(root, c.root))
		unreadable(v, t, index, "the old log has another root at that size");
	return verify_is_damage(e) ? ERR_OK : e;
}

static enum err check_event(struct verify *v, const struct verify_target *t, uint64_t index,
			    struct bytes raw, struct arena *arena)
{
	struct event event;
	enum err e = ERR_OK;

	arena_reset(arena);
	e = event_decode(raw, arena, &event);
	if (e == ERR_OK)
		e = event_check_owner(&event, log_name_region(t->name));
	if (e == ERR_NOMEM)
		return e;
	if (e != ERR_OK) {
		unreadable(v, t, index, err_text(e));
		return ERR_OK;
	}
	return event.act == EVENT_CONTINUES ? check_continues(v, t, index, &event) : ERR_OK;
}

enum err verify_events(struct verify *v, struct verify_target *t)
{
	struct verify_stream leaves = {.items = NULL};
	struct arena arena = {.head = NULL};
	struct bytes raw = {NULL, 0};
	bool there = false;
	enum err e = verify_stream_open(&leaves, v, t);

	for (uint64_t i = 0; e == ERR_OK; i++) {
		e = verify_stream_next(&leaves, &raw, &there);
		if (e == ERR_OK && there && raw.size > 0)
			e = check_event(v, t, i, raw, &arena);
		if (i % TILE_WIDTH == 0)
			verify_progress(v, "check",
					t->size - i < TILE_WIDTH ? t->size - i : TILE_WIDTH);
	}
	arena_free(&arena);
	verify_stream_close(&leaves);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- the national log ---- */

struct matching {
	struct verify *verify;
	uint64_t index; /* of the entry */
	size_t absent_count;
	struct log_name absent[LOGS_MAX]; /* logs that it names and that are not here */
	struct arena arena;
	struct buf note;
};

static void misfit(struct matching *m, const char *why)
{
	struct log_name national = {"national"};

	verify_found(m->verify, DAMAGE_NATIONAL, national, m->index, "%s", why);
}

/* An entry above the size that its log had when the verification began: has it grown? */
static enum err check_grown(struct matching *m, const struct verify_target *t, uint64_t size)
{
	struct source *s = m->verify->source;
	uint64_t newest = 0;
	enum err e = ERR_OK;

	buf_clear(&m->note);
	e = s->ops->newest(s, t->name, &newest, &m->note);
	if ((e == ERR_OK && newest < size) || verify_is_damage(e))
		verify_found(m->verify, DAMAGE_CHECKPOINT_MISSING, t->name, size,
			     "national entry %" PRIu64 " accepted it, the log ends at %" PRIu64,
			     m->index, newest);
	return verify_is_damage(e) ? ERR_OK : e;
}

/* A checkpoint that the log does not store itself: by its signature and the log's tiles. */
static enum err check_alone(struct matching *m, const struct verify_target *t, struct bytes note)
{
	struct checkpoint c;
	struct hash root;
	enum err e = keyring_checkpoint(m->verify->options->trusted, t->name, note, &c);

	if (e != ERR_OK) {
		misfit(m, "it accepts a checkpoint that its log's key did not sign");
		return ERR_OK;
	}
	e = verify_root_at(m->verify, t->name, c.size, &root);
	if (e == ERR_OK && !hash_equal(root, c.root))
		misfit(m, "it accepts another root than the log has");
	return verify_is_damage(e) ? ERR_OK : e;
}

static enum err check_accepted_note(struct matching *m, const struct verify_target *t,
				    const struct national_entry *entry)
{
	struct source *s = m->verify->source;
	uint64_t size = 0;
	enum err e = ERR_OK;

	buf_clear(&m->note);
	e = s->ops->checkpoint(s, t->name, entry->size - 1, &size, &m->note);
	if (e != ERR_OK && !verify_is_damage(e))
		return e;
	if (e == ERR_OK && size == entry->size &&
	    bytes_equal(buf_bytes(&m->note), entry->checkpoint))
		return ERR_OK; /* what the hash pass and the signatures were about */
	if (m->verify->options->is_store && (e != ERR_OK || size != entry->size))
		verify_found(m->verify, DAMAGE_CHECKPOINT_MISSING, t->name, entry->size,
			     "national entry %" PRIu64 " accepted it", m->index);
	return check_alone(m, t, entry->checkpoint);
}

/* Told once a log.  An export may hold the national log alone; else it holds them all. */
static void check_absent(struct matching *m, struct log_name log)
{
	if (!m->verify->options->is_store && m->verify->count == 1)
		return;
	for (size_t i = 0; i < m->absent_count; i++)
		if (log_name_equal(m->absent[i], log))
			return;
	if (m->absent_count < sizeof m->absent / sizeof *m->absent)
		m->absent[m->absent_count++] = log;
	verify_found(m->verify, DAMAGE_NATIONAL, (struct log_name){"national"}, m->index,
		     "it accepts a checkpoint of log %s, which is not here", log.text);
}

static enum err check_accepted(struct matching *m, const struct national_entry *entry)
{
	struct verify_target *t = verify_target(m->verify, entry->log);
	struct checkpoint c;

	if (!t || t->national) {
		check_absent(m, entry->log);
		return ERR_OK;
	}
	if (entry->from != t->accepted || entry->size <= entry->from)
		misfit(m, "it does not go on where the log was accepted before");
	t->accepted = entry->size;
	if (log_note_read(entry->checkpoint, &c) != ERR_OK || c.size != entry->size) {
		misfit(m, "its checkpoint says another size");
		return ERR_OK;
	}
	if (entry->size > t->size)
		return check_grown(m, t, entry->size);
	return check_accepted_note(m, t, entry);
}

/* A national log begun anew says first what it goes on from, and no other entry does so.  Where
 * the caller trusts keys of that log, the one named is among them. */
static void check_beginning(struct matching *m, const struct verify_target *national,
			    const struct national_entry *entry)
{
	struct verify *v = m->verify;
	struct anew_quote quote = {.generation = 0};
	enum err e =
		*national->origin ? anew_entry(national->origin, m->index, entry, &quote) : ERR_OK;

	if (e != ERR_OK && m->index == 0)
		verify_found(v, DAMAGE_NATIONAL, national->name, 0,
			     "%s: its first entry does not quote the log before it as it has to "
			     "(%s)",
			     national->origin, err_text(e));
	else if (e != ERR_OK)
		misfit(m, "only the first entry of a log begun anew quotes another");
	else if (quote.generation > 0 &&
		 keyring_contradicts(v->options->trusted, national->name, &quote.key))
		verify_found(v, DAMAGE_NATIONAL, national->name, 0,
			     "it quotes %s by another key than the one that is trusted",
			     quote.key.name);
}

static enum err check_entry(struct matching *m, const struct verify_target *national,
			    struct bytes raw)
{
	struct national_entry entry;
	enum err e = ERR_OK;

	arena_reset(&m->arena);
	e = national_decode(raw, &m->arena, &entry);
	if (e == ERR_NOMEM)
		return e;
	if (e != ERR_OK) {
		verify_found(m->verify, DAMAGE_LEAF_UNREADABLE, national->name, m->index, "%s",
			     err_text(e));
		return ERR_OK;
	}
	check_beginning(m, national, &entry);
	/* What an act erased is told where the leaves are: one that names another leaf than came
	 * erased nothing. */
	return entry.kind == NATIONAL_ACCEPTED ? check_accepted(m, &entry) : ERR_OK;
}

enum err verify_national(struct verify *v, struct verify_target *national)
{
	struct matching m = {.verify = v};
	struct verify_stream entries = {.items = NULL};
	struct bytes raw = {NULL, 0};
	bool there = false;
	enum err e = verify_stream_open(&entries, v, national);

	for (; e == ERR_OK; m.index++) {
		e = verify_stream_next(&entries, &raw, &there);
		if (e == ERR_OK && there && raw.size > 0)
			e = check_entry(&m, national, raw);
		if (e == ERR_OK)
			verify_progress(v, "check", 1);
	}
	for (size_t i = 0; e == ERR_NOT_FOUND && v->options->is_store && i < v->count; i++) {
		const struct verify_target *t = &v->targets[i];

		if (!t->national && t->accepted < t->size)
			verify_found(v, DAMAGE_NATIONAL, t->name, t->accepted,
				     "no national entry accepted what comes from here on");
	}
	verify_stream_close(&entries);
	arena_free(&m.arena);
	buf_free(&m.note);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- witnesses ---- */

struct judging {
	struct verify *verify;
	const struct verify_target *national;
	struct policy policy;
	struct note note;
	struct buf raw;
};

/* The caller's, the source's own, or the usual one of whoever is enrolled. */
static enum err find_policy(struct judging *j)
{
	struct verify *v = j->verify;
	enum err e = ERR_NOT_FOUND;

	if (v->options->policy) {
		j->policy = *v->options->policy;
		return ERR_OK;
	}
	buf_clear(&j->raw);
	e = v->source->ops->policy(v->source, &j->raw);
	if (e == ERR_OK)
		e = policy_parse(buf_bytes(&j->raw), &j->policy, NULL);
	/* What an export's file is, is told with its other files of keys. */
	if (e != ERR_OK && e != ERR_NOT_FOUND && v->options->is_store)
		verify_found(v, DAMAGE_QUORUM, j->national->name, 0, "the policy: %s", err_text(e));
	return e == ERR_OK ? e : keyring_policy(v->options->trusted, &j->policy);
}

/* What a cosigned checkpoint says, against the log. */
static enum err check_cosigned(struct judging *j, uint64_t size, struct bytes raw)
{
	struct verify *v = j->verify;
	const struct log_name log = j->national->name;
	struct checkpoint c;
	struct hash root;
	enum err e = keyring_checkpoint(v->options->trusted, log, raw, &c);

	if (e != ERR_OK || c.size != size) {
		verify_found(v, is_unsigned(e) ? DAMAGE_SIGNATURE : DAMAGE_CHECKPOINT, log, size,
			     "a cosigned one: %s", e == ERR_OK ? "another size" : err_text(e));
		return ERR_OK;
	}
	if (size > j->national->size) {
		uint64_t newest = 0;
		struct buf note = {.data = NULL};

		e = v->source->ops->newest(v->source, log, &newest, &note);
		buf_free(&note);
		if ((e == ERR_OK && newest < size) || verify_is_damage(e))
			verify_found(v, DAMAGE_ROLLBACK, log, size,
				     "witnesses cosigned this size, the log ends at %" PRIu64,
				     newest);
		return verify_is_damage(e) ? ERR_OK : e;
	}
	e = verify_root_at(v, log, size, &root);
	if (e == ERR_OK && !hash_equal(root, c.root))
		verify_found(v, DAMAGE_ROOT, log, size, "a cosigned one");
	return verify_is_damage(e) ? ERR_OK : e;
}

/* Reported is the newest that has its quorum; where none has, the newest. */
static void judge(struct judging *j, uint64_t size, struct bytes raw)
{
	struct verify_report *report = j->verify->report;
	struct policy_finding finding = {.quorum = false};

	if (!report->policy_known || note_parse(raw, &j->note) != ERR_OK)
		return;
	if (policy_judge(&j->policy, &j->note, &finding) != ERR_OK)
		finding.quorum = false;
	if (finding.bad > 0)
		verify_found(j->verify, DAMAGE_COSIGNATURE, j->national->name, size,
			     "%u of its lines", finding.bad);
	if (report->cosigned_size == 0 || (finding.quorum && !report->witnesses.quorum)) {
		report->cosigned_size = size;
		report->witnesses = finding;
	}
}

static enum err judge_all(struct judging *j)
{
	struct source *s = j->verify->source;
	struct buf raw = {.data = NULL};
	uint64_t most = UINT64_MAX;
	enum err e = ERR_OK;

	while (e == ERR_OK) {
		uint64_t size = 0;

		buf_clear(&raw);
		e = s->ops->cosigned(s, most, &size, &raw);
		if (e != ERR_OK)
			break;
		e = check_cosigned(j, size, buf_bytes(&raw));
		if (e == ERR_OK)
			judge(j, size, buf_bytes(&raw));
		if (size == 0)
			break;
		most = size - 1;
	}
	buf_free(&raw);
	if (e != ERR_OK && e != ERR_NOT_FOUND && verify_is_damage(e))
		verify_found(j->verify, DAMAGE_COSIGNATURE, j->national->name, 0, "%s",
			     err_text(e));
	return verify_is_damage(e) ? ERR_OK : e;
}

enum err verify_witnesses(struct verify *v, const struct verify_target *national)
{
	struct judging *j = calloc(1, sizeof *j);
	enum err e = j ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK) {
		j->verify = v;
		j->national = national;
		v->report->policy_known = find_policy(j) == ERR_OK;
		e = judge_all(j);
		buf_free(&j->raw);
	}
	if (e == ERR_OK && v->options->quorum_needed && !v->report->witnesses.quorum)
		verify_found(v, DAMAGE_QUORUM, national->name, v->report->cosigned_size,
			     "%u cosigned the newest one", v->report->witnesses.cosigned);
	free(j);
	return e;
}
