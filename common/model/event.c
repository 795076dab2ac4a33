#include "model/event.h"

#include <string.h>

#include "base/limits.h"
#include "event.pb-c.h"
#include "model/codec.h"
#include "model/message.h"

/* Of Event and LogAct in proto/event.proto. */
enum {
	FIELD_RECORDED = 1,
	FIELD_EDITOR,
	FIELD_REASON,
	FIELD_SOURCE,
	FIELD_CHANGES,
	FIELD_ACT,
	FIELD_ROTATE = 2,
};

static const struct codec_bounds EVENT_BOUNDS = {
	.bytes = EVENT_BYTES_MAX, .items = EVENT_CHANGES_MAX, .text_bytes = FIELD_BYTES_MAX};

static bool longer(const char *text, size_t max)
{
	return strnlen(text, max + 1) > max;
}

/* ---- changes ---- */

void change_to_message(const struct change *c, Splot__Retired *retired, Splot__Change *ret)
{
	splot__change__init(ret);
	ret->id = codec_text(c->id);
	if (c->has_supersedes) {
		ret->replaces_case = SPLOT__CHANGE__REPLACES_SUPERSEDES;
		ret->supersedes = c->supersedes;
	}
	if (c->retired) {
		splot__retired__init(retired);
		retired->kind = (uint32_t)c->kind;
		ret->becomes_case = SPLOT__CHANGE__BECOMES_RETIRED;
		ret->retired = retired;
	} else if (c->record) {
		/* A kind's number is that of its field; the members of the union are all
		 * pointers to a message. */
		ret->becomes_case = (Splot__Change__BecomesCase)record_kind(c->record);
		ret->operator_ = (Splot__Operator *)(uintptr_t)record_message(c->record);
	}
}

static bool is_kind(uint32_t number)
{
	return number >= RECORD_KIND_FIRST && number <= RECORD_KIND_LAST;
}

enum err change_of_message(const Splot__Change *m, struct change *ret)
{
	struct change c = {.id = m->id};
	uint32_t becomes = (uint32_t)m->becomes_case;

	if (longer(m->id, ID_BYTES_MAX))
		return ERR_LIMIT;
	c.has_supersedes = m->replaces_case == SPLOT__CHANGE__REPLACES_SUPERSEDES;
	c.supersedes = c.has_supersedes ? m->supersedes : 0;
	if (m->becomes_case == SPLOT__CHANGE__BECOMES_RETIRED) {
		c.retired = true;
		c.kind = is_kind(m->retired->kind) ? (enum record_kind)m->retired->kind
						   : RECORD_NONE;
	} else if (is_kind(becomes)) {
		c.kind = (enum record_kind)becomes;
		c.record = record_of_message((const ProtobufCMessage *)m->operator_);
	}
	*ret = c;
	return ERR_OK;
}

/* The size of a tag below 16, a length, and what it counts. */
static size_t counted_size(size_t size)
{
	size_t length_bytes = 1;

	for (size_t rest = size >> 7; rest; rest >>= 7)
		length_bytes++;
	return 1 + length_bytes + size;
}

size_t change_size(const struct change *c, struct arena *scratch)
{
	Splot__Change message;
	Splot__Retired retired;

	(void)scratch;
	change_to_message(c, &retired, &message);
	return counted_size(splot__change__get_packed_size(&message));
}

/* ---- what an event says of its own log ---- */

struct packed_act {
	Splot__LogAct act;
	union {
		Splot__Continues continues;
		Splot__Rotate rotate;
	} of;
};

/* ARGUMENT: an act that is not known here cannot be written either. */
static enum err act_to_message(const struct event *e, struct packed_act *act)
{
	if (e->document.size > NOTE_BYTES_MAX)
		return ERR_LIMIT;
	splot__log_act__init(&act->act);
	if (e->act == EVENT_CONTINUES) {
		splot__continues__init(&act->of.continues);
		act->of.continues.log = codec_text(e->old_log.text);
		act->of.continues.size = e->old_size;
		act->of.continues.checkpoint = codec_binary(e->document);
		act->act.what_case = SPLOT__LOG_ACT__WHAT_CONTINUES;
		act->act.continues = &act->of.continues;
		return ERR_OK;
	}
	if (e->act == EVENT_ROTATES) {
		splot__rotate__init(&act->of.rotate);
		act->of.rotate.enrolment = codec_binary(e->document);
		act->act.what_case = SPLOT__LOG_ACT__WHAT_ROTATE;
		act->act.rotate = &act->of.rotate;
		return ERR_OK;
	}
	return ERR_ARGUMENT;
}

static enum err act_of_message(const Splot__LogAct *m, struct event *e)
{
	ProtobufCBinaryData document = {0, NULL};

	if (m->what_case == SPLOT__LOG_ACT__WHAT_CONTINUES) {
		e->act = EVENT_CONTINUES;
		e->old_size = m->continues->size;
		document = m->continues->checkpoint;
		if (log_name_parse(bytes_of_text(m->continues->log), &e->old_log) != ERR_OK)
			return ERR_DECODE;
	} else if (m->what_case == SPLOT__LOG_ACT__WHAT_ROTATE) {
		e->act = EVENT_ROTATES;
		document = m->rotate->enrolment;
	} else {
		e->act = EVENT_ACT_UNKNOWN;
	}
	e->document = bytes_of(document.data, document.len);
	return e->document.size > NOTE_BYTES_MAX ? ERR_LIMIT : ERR_OK;
}

/* ---- events ---- */

struct packed_change {
	Splot__Change change;
	Splot__Retired retired;
};

enum err event_encode(const struct event *e, struct arena *scratch, struct buf *ret)
{
	Splot__Event message;
	struct packed_change *changes = NULL;
	struct packed_act act;

	if (e->change_count > EVENT_CHANGES_MAX)
		return ERR_LIMIT;
	changes = arena_alloc(scratch, e->change_count * sizeof *changes);
	splot__event__init(&message);
	message.recorded_ms = e->recorded.ms;
	message.editor = codec_text(e->editor);
	message.reason = codec_text(e->reason);
	message.source = codec_text(e->source);
	message.n_changes = e->change_count;
	message.changes = arena_alloc(scratch, e->change_count * sizeof(Splot__Change *));
	if (!changes || !message.changes)
		return ERR_NOMEM;
	for (size_t i = 0; i < e->change_count; i++) {
		change_to_message(&e->changes[i], &changes[i].retired, &changes[i].change);
		message.changes[i] = &changes[i].change;
	}
	if (e->act != EVENT_CHANGES) {
		enum err err = act_to_message(e, &act);

		if (err != ERR_OK)
			return err;
		message.act = &act.act;
	}
	return codec_pack(&message.base, EVENT_BYTES_MAX, ret);
}

bool event_over(struct bytes raw, struct over *ret)
{
	static const struct codec_limit limits[] = {
		{FIELD_EDITOR, EDITOR_BYTES_MAX, "the editor's name", "shorten it"},
		{FIELD_REASON, REASON_BYTES_MAX, "the reason", "shorten it"},
		{FIELD_SOURCE, SOURCE_BYTES_MAX, "the source", "shorten it"},
	};

	return codec_over(raw, limits, sizeof limits / sizeof limits[0], ret);
}

enum err event_decode(struct bytes raw, struct arena *arena, struct event *ret)
{
	ProtobufCMessage *decoded = NULL;
	const Splot__Event *message = NULL;
	struct event e = {.change_count = 0};
	struct over over;
	enum err err = codec_unpack(raw, &splot__event__descriptor, EVENT_BOUNDS, arena, &decoded);

	if (err != ERR_OK)
		return err;
	message = (const Splot__Event *)decoded;
	if (event_over(raw, &over))
		return ERR_LIMIT;
	e.recorded.ms = message->recorded_ms;
	e.editor = message->editor;
	e.reason = message->reason;
	e.source = message->source;
	e.change_count = message->n_changes;
	e.changes = arena_alloc(arena, e.change_count * sizeof *e.changes);
	if (!e.changes)
		return ERR_NOMEM;
	for (size_t i = 0; i < e.change_count; i++) {
		err = change_of_message(message->changes[i], &e.changes[i]);
		if (err != ERR_OK)
			return err;
	}
	err = message->act ? act_of_message(message->act, &e) : ERR_OK;
	if (err == ERR_OK)
		*ret = e;
	return err;
}

static uint64_t work_of(size_t changes, size_t text_bytes)
{
	uint64_t least = changes ? changes : 1;

	return EVENT_WORK_BYTES + (least - 1) * (CHANGE_WORK_BYTES + text_bytes);
}

uint64_t event_work(const struct event *e)
{
	return work_of(e->change_count, strlen(e->reason) + strlen(e->source));
}

uint64_t event_work_of(struct bytes raw)
{
	struct bytes reason = {NULL, 0};
	struct bytes source = {NULL, 0};
	size_t changes = 0;

	if (codec_count(raw, FIELD_CHANGES, &changes) != ERR_OK)
		return work_of(1, 0);
	(void)!codec_slice(raw, FIELD_REASON, &reason); /* none is no text */
	(void)!codec_slice(raw, FIELD_SOURCE, &source);
	return work_of(changes, reason.size + source.size);
}

enum err recorded_time(struct bytes raw, struct wall_ms *ret)
{
	uint64_t ms = 0;
	enum err err = codec_number(raw, FIELD_RECORDED, &ms);

	if (err == ERR_OK)
		ret->ms = (int64_t)ms;
	return err;
}

enum err event_time(struct bytes raw, struct wall_ms *ret)
{
	uint64_t ms = 0;
	enum err err = codec_number(raw, FIELD_RECORDED, &ms);

	if (err == ERR_OK)
		ret->ms = (int64_t)ms;
	return err;
}

bool event_rotates(struct bytes raw)
{
	struct bytes act = {NULL, 0};

	return codec_slice(raw, FIELD_ACT, &act) == ERR_OK &&
	       codec_slice(act, FIELD_ROTATE, &act) == ERR_OK;
}

bool event_is_act(struct bytes raw)
{
	struct bytes act = {NULL, 0};

	return codec_slice(raw, FIELD_ACT, &act) == ERR_OK;
}

/* ---- who may say what ---- */

/* Ids seen so far in one event: open addressing, twice the room of the most changes. */
enum { SEEN_SLOTS = 2 * EVENT_CHANGES_MAX };

struct seen {
	uint16_t slots[SEEN_SLOTS]; /* place of a change + 1; 0: free */
};

_Static_assert((SEEN_SLOTS & (SEEN_SLOTS - 1)) == 0, "a slot is found by masking");
_Static_assert(EVENT_CHANGES_MAX < UINT16_MAX, "a place fits a slot");

static uint32_t hash_text(const char *text)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	return hash;
}

static bool seen_before(struct seen *seen, const struct event *e, size_t place)
{
	uint32_t at = hash_text(e->changes[place].id) & (SEEN_SLOTS - 1);

	while (seen->slots[at]) {
		if (strcmp(e->changes[seen->slots[at] - 1].id, e->changes[place].id) == 0)
			return true;
		at = (at + 1) & (SEEN_SLOTS - 1);
	}
	seen->slots[at] = (uint16_t)(place + 1);
	return false;
}

/* A record may not carry another id than its change, nor name another owner inside. */
static enum err check_record(const struct change *c, int region)
{
	const char *code = record_get_named(c->record, "region");
	const char *network = record_get_named(c->record, "network_id");

	if (strcmp(record_get_named(c->record, "id"), c->id) != 0)
		return ERR_INVALID;
	if (*code && region_by_code(bytes_of_text(code)) != region)
		return ERR_OWNER;
	if (*network && id_owner(bytes_of_text(network)) != region)
		return ERR_OWNER;
	return ERR_OK;
}

static enum err check_act(const struct event *e, int region)
{
	if (e->act == EVENT_ACT_UNKNOWN || e->change_count > 0 || e->document.size == 0)
		return ERR_INVALID;
	if (e->act == EVENT_CONTINUES && log_name_region(e->old_log) != region)
		return ERR_OWNER;
	return ERR_OK;
}

enum err event_check_owner(const struct event *e, int region)
{
	struct seen seen;

	if (e->change_count > EVENT_CHANGES_MAX)
		return ERR_LIMIT;
	if (e->act != EVENT_CHANGES)
		return check_act(e, region);
	if (e->change_count == 0)
		return ERR_INVALID;
	if (e->change_count > 1)
		memset(&seen, 0, sizeof seen);
	for (size_t i = 0; i < e->change_count; i++) {
		const struct change *c = &e->changes[i];
		enum err err = ERR_OK;

		if (!*c->id)
			return ERR_INVALID;
		if (id_owner(bytes_of_text(c->id)) != region)
			return ERR_OWNER;
		if (e->change_count > 1 && seen_before(&seen, e, i))
			return ERR_INVALID;
		if (c->record)
			err = check_record(c, region);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}
