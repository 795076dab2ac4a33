#include <string.h>

#include "base/limits.h"
#include "model/codec.h"
#include "model/event.h"
#include "national.pb-c.h"

/* An entry is a leaf like any other; a note or an enrolment has at most NOTE_BYTES_MAX. */
static const struct codec_bounds NATIONAL_BOUNDS = {
	.bytes = EVENT_BYTES_MAX, .items = 0, .text_bytes = REASON_BYTES_MAX};

enum err national_encode(const struct national_entry *e, struct buf *ret)
{
	Splot__NationalEntry message;
	Splot__Accepted accepted;
	Splot__Act act;

	splot__national_entry__init(&message);
	message.recorded_ms = e->recorded.ms;
	if (e->kind == NATIONAL_ACCEPTED) {
		splot__accepted__init(&accepted);
		accepted.log = codec_text(e->log.text);
		accepted.from = e->from;
		accepted.size = e->size;
		accepted.checkpoint = codec_binary(e->checkpoint);
		message.what_case = SPLOT__NATIONAL_ENTRY__WHAT_ACCEPTED;
		message.accepted = &accepted;
	} else if (e->kind == NATIONAL_ACT) {
		splot__act__init(&act);
		act.kind = codec_text(e->act);
		act.log = codec_text(e->log.text);
		act.by = codec_text(e->by);
		act.reason = codec_text(e->reason);
		act.document = codec_binary(e->document);
		act.other = codec_binary(e->other);
		act.index = e->index;
		act.leaf = codec_binary(e->leaf);
		act.size = e->size;
		message.what_case = SPLOT__NATIONAL_ENTRY__WHAT_ACT;
		message.act = &act;
	} else {
		return ERR_ARGUMENT;
	}
	return codec_pack(&message.base, EVENT_BYTES_MAX, ret);
}

static struct bytes bytes_of_binary(ProtobufCBinaryData x)
{
	return bytes_of(x.data, x.len);
}

static enum err decode_accepted(const Splot__Accepted *m, struct national_entry *e)
{
	e->kind = NATIONAL_ACCEPTED;
	e->from = m->from;
	e->size = m->size;
	e->checkpoint = bytes_of_binary(m->checkpoint);
	return log_name_parse(bytes_of_text(m->log), &e->log) == ERR_OK ? ERR_OK : ERR_DECODE;
}

static enum err decode_act(const Splot__Act *m, struct national_entry *e)
{
	e->kind = NATIONAL_ACT;
	e->act = m->kind;
	e->by = m->by;
	e->reason = m->reason;
	e->document = bytes_of_binary(m->document);
	e->other = bytes_of_binary(m->other);
	e->index = m->index;
	e->leaf = bytes_of_binary(m->leaf);
	e->size = m->size;
	if (!*m->log) /* an act may be about no log */
		return ERR_OK;
	return log_name_parse(bytes_of_text(m->log), &e->log) == ERR_OK ? ERR_OK : ERR_DECODE;
}

enum err national_decode(struct bytes raw, struct arena *arena, struct national_entry *ret)
{
	ProtobufCMessage *decoded = NULL;
	const Splot__NationalEntry *message = NULL;
	struct national_entry e = {.act = "", .by = "", .reason = ""};
	enum err err = codec_unpack(raw, &splot__national_entry__descriptor, NATIONAL_BOUNDS, arena,
				    &decoded);

	if (err != ERR_OK)
		return err;
	message = (const Splot__NationalEntry *)decoded;
	e.recorded.ms = message->recorded_ms;
	if (message->what_case == SPLOT__NATIONAL_ENTRY__WHAT_ACCEPTED)
		err = decode_accepted(message->accepted, &e);
	else if (message->what_case == SPLOT__NATIONAL_ENTRY__WHAT_ACT)
		err = decode_act(message->act, &e);
	if (err == ERR_OK)
		*ret = e;
	return err;
}
