#include <string.h>

#include "base/limits.h"
#include "model/codec.h"
#include "model/event.h"
#include "model/message.h"

/* An event's change and texts, and the circumstances. */
enum { VERSION_BYTES_MAX = EVENT_BYTES_MAX + 1024 };

static const struct codec_bounds VERSION_BOUNDS = {
	.bytes = VERSION_BYTES_MAX, .items = 0, .text_bytes = FIELD_BYTES_MAX};

struct packed_version {
	Splot__Version version;
	Splot__Change change;
	Splot__Retired retired;
};

static void fill(const struct version *v, struct packed_version *ret)
{
	Splot__Version *m = &ret->version;

	splot__version__init(m);
	m->position = v->position;
	m->log = codec_text(v->log.text);
	m->index = v->index;
	m->recorded_ms = v->recorded.ms;
	m->editor = codec_text(v->editor);
	m->reason = codec_text(v->reason);
	m->source = codec_text(v->source);
	change_to_message(&v->change, &ret->retired, &ret->change);
	m->change = &ret->change;
}

Splot__Version *version_to_message(const struct version *v, struct arena *arena)
{
	struct packed_version *packed = arena_alloc(arena, sizeof *packed);

	if (!packed)
		return NULL;
	fill(v, packed);
	return &packed->version;
}

enum err version_of_message(const Splot__Version *m, struct version *ret)
{
	struct version v = {.position = m->position, .index = m->index};
	enum err err = ERR_OK;

	if (!m->change)
		return ERR_DECODE;
	if (log_name_parse(bytes_of_text(m->log), &v.log) != ERR_OK)
		return ERR_DECODE;
	v.recorded.ms = m->recorded_ms;
	v.editor = m->editor;
	v.reason = m->reason;
	v.source = m->source;
	err = change_of_message(m->change, &v.change);
	if (err != ERR_OK)
		return err;
	*ret = v;
	return ERR_OK;
}

enum err version_encode(const struct version *v, struct arena *scratch, struct buf *ret)
{
	struct packed_version packed;

	(void)scratch;
	fill(v, &packed);
	return codec_pack(&packed.version.base, VERSION_BYTES_MAX, ret);
}

enum err version_decode(struct bytes raw, struct arena *arena, struct version *ret)
{
	ProtobufCMessage *message = NULL;
	enum err err =
		codec_unpack(raw, &splot__version__descriptor, VERSION_BOUNDS, arena, &message);

	if (err != ERR_OK)
		return err;
	return version_of_message((const Splot__Version *)message, ret);
}
