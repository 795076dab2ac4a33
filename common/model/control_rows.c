#include "model/control_rows.h"

#include <string.h>

#include "control.pb-c.h"
#include "model/codec.h"
#include "model/message.h"

/* ---- each kind of row to its message and back ---- */

static bool count_to(const void *row, ProtobufCMessage *message, struct arena *arena)
{
	const struct count_row *c = row;
	Splot__Count *m = (Splot__Count *)message;

	(void)arena;
	m->metric = codec_text(c->metric);
	m->region = codec_text(c->region);
	m->kind = codec_text(c->kind);
	m->key = codec_text(c->key);
	m->value = c->value;
	return true;
}

static enum err count_from(const ProtobufCMessage *message, void *row)
{
	const Splot__Count *m = (const Splot__Count *)message;

	*(struct count_row *)row =
		(struct count_row){m->metric, m->region, m->kind, m->key, m->value};
	return ERR_OK;
}

static bool problem_to(const void *row, ProtobufCMessage *message, struct arena *arena)
{
	const struct problem *p = row;
	Splot__Problem *m = (Splot__Problem *)message;

	(void)arena;
	m->row = p->row;
	m->column = codec_text(p->column);
	m->value = codec_text(p->value);
	m->code = codec_text(p->code);
	m->text_pl = codec_text(p->text_pl);
	m->text_en = codec_text(p->text_en);
	return true;
}

static enum err problem_from(const ProtobufCMessage *message, void *row)
{
	const Splot__Problem *m = (const Splot__Problem *)message;

	*(struct problem *)row = (struct problem){
		.row = (size_t)m->row,
		.column = m->column,
		.value = m->value,
		.code = m->code,
		.text_pl = m->text_pl,
		.text_en = m->text_en,
	};
	return ERR_OK;
}

static bool version_to(const void *row, ProtobufCMessage *message, struct arena *arena)
{
	const Splot__Version *made = version_to_message(row, arena);

	if (made)
		*(Splot__Version *)message = *made;
	return made != NULL;
}

static enum err version_from(const ProtobufCMessage *message, void *row)
{
	return version_of_message((const Splot__Version *)message, row);
}

static bool peer_to(const void *row, ProtobufCMessage *message, struct arena *arena)
{
	const struct peer_row *p = row;
	Splot__Peer *m = (Splot__Peer *)message;

	(void)arena;
	m->name = codec_text(p->name);
	m->state = codec_text(p->state);
	m->size = p->size;
	m->claimed = p->claimed;
	m->last_contact_ms = p->last_contact_ms;
	m->last_commit_ms = p->last_commit_ms;
	m->note = codec_text(p->note);
	m->checkpoint = codec_binary(p->checkpoint);
	return true;
}

static enum err peer_from(const ProtobufCMessage *message, void *row)
{
	const Splot__Peer *m = (const Splot__Peer *)message;

	*(struct peer_row *)row = (struct peer_row){
		.name = m->name,
		.state = m->state,
		.size = m->size,
		.claimed = m->claimed,
		.last_contact_ms = m->last_contact_ms,
		.last_commit_ms = m->last_commit_ms,
		.note = m->note,
		.checkpoint = bytes_of(m->checkpoint.data, m->checkpoint.len),
	};
	return ERR_OK;
}

static bool refusal_to(const void *row, ProtobufCMessage *message, struct arena *arena)
{
	const struct refusal_row *r = row;
	Splot__Refusal *m = (Splot__Refusal *)message;

	(void)arena;
	m->log = codec_text(r->log);
	m->code = codec_text(r->code);
	m->count = r->count;
	return true;
}

static enum err refusal_from(const ProtobufCMessage *message, void *row)
{
	const Splot__Refusal *m = (const Splot__Refusal *)message;

	*(struct refusal_row *)row = (struct refusal_row){m->log, m->code, m->count};
	return ERR_OK;
}

static bool trust_to(const void *row, ProtobufCMessage *message, struct arena *arena)
{
	const struct trust_row *t = row;
	Splot__Trust *m = (Splot__Trust *)message;

	(void)arena;
	m->log = codec_text(t->log);
	m->state = codec_text(t->state);
	m->log_key = codec_text(t->log_key);
	m->witness_key = codec_text(t->witness_key);
	m->curve_key = codec_text(t->curve_key);
	m->since_ms = t->since_ms;
	return true;
}

static enum err trust_from(const ProtobufCMessage *message, void *row)
{
	const Splot__Trust *m = (const Splot__Trust *)message;

	*(struct trust_row *)row = (struct trust_row){m->log,         m->state,     m->log_key,
						      m->witness_key, m->curve_key, m->since_ms};
	return ERR_OK;
}

static bool stored_to(const void *row, ProtobufCMessage *message, struct arena *arena)
{
	const struct stored_row *s = row;
	Splot__Row *m = (Splot__Row *)message;

	(void)arena;
	m->key = codec_binary(s->key);
	m->value = codec_binary(s->value);
	return true;
}

static enum err stored_from(const ProtobufCMessage *message, void *row)
{
	const Splot__Row *m = (const Splot__Row *)message;

	*(struct stored_row *)row = (struct stored_row){
		.key = bytes_of(m->key.data, m->key.len),
		.value = bytes_of(m->value.data, m->value.len),
	};
	return ERR_OK;
}

static bool evidence_to(const void *row, ProtobufCMessage *message, struct arena *arena)
{
	const struct evidence_row *e = row;
	Splot__Evidence *m = (Splot__Evidence *)message;

	(void)arena;
	m->log = codec_text(e->log);
	m->index = e->index;
	m->server = codec_text(e->server);
	m->note = codec_binary(e->note);
	m->other = codec_binary(e->other);
	m->at_ms = e->at_ms;
	return true;
}

static enum err evidence_from(const ProtobufCMessage *message, void *row)
{
	const Splot__Evidence *m = (const Splot__Evidence *)message;

	*(struct evidence_row *)row = (struct evidence_row){
		.log = m->log,
		.index = m->index,
		.server = m->server,
		.note = bytes_of(m->note.data, m->note.len),
		.other = bytes_of(m->other.data, m->other.len),
		.at_ms = m->at_ms,
	};
	return ERR_OK;
}

static bool witness_to(const void *row, ProtobufCMessage *message, struct arena *arena)
{
	const struct witness_row *w = row;
	Splot__Witness *m = (Splot__Witness *)message;

	(void)arena;
	m->log = codec_text(w->log);
	m->key = codec_text(w->key);
	m->size = w->size;
	m->at_ms = w->at_ms;
	return true;
}

static enum err witness_from(const ProtobufCMessage *message, void *row)
{
	const Splot__Witness *m = (const Splot__Witness *)message;

	*(struct witness_row *)row = (struct witness_row){m->log, m->key, m->size, m->at_ms};
	return ERR_OK;
}

static bool witnessed_to(const void *row, ProtobufCMessage *message, struct arena *arena)
{
	const struct witnessed_row *w = row;
	Splot__Witnessed *m = (Splot__Witnessed *)message;

	(void)arena;
	m->server = codec_text(w->server);
	m->origin = codec_text(w->origin);
	m->note = codec_binary(w->note);
	m->followed = w->followed;
	return true;
}

static enum err witnessed_from(const ProtobufCMessage *message, void *row)
{
	const Splot__Witnessed *m = (const Splot__Witnessed *)message;

	*(struct witnessed_row *)row = (struct witnessed_row){
		m->server, m->origin, bytes_of(m->note.data, m->note.len), m->followed};
	return ERR_OK;
}

static bool histogram_to(const void *row, ProtobufCMessage *message, struct arena *arena)
{
	const struct histogram_row *h = row;
	Splot__Histogram *m = (Splot__Histogram *)message;
	size_t count = h->bound_count + 1;
	Splot__Bucket *buckets = arena_alloc(arena, count * sizeof *buckets);

	m->buckets = arena_alloc(arena, count * sizeof(void *));
	if (!buckets || !m->buckets)
		return false;
	for (size_t i = 0; i < count; i++) {
		splot__bucket__init(&buckets[i]);
		buckets[i].bound_us = i < h->bound_count ? h->bounds_us[i] : 0;
		buckets[i].count = h->counts[i];
		m->buckets[i] = &buckets[i];
	}
	m->n_buckets = count;
	m->name = codec_text(h->name);
	m->sum_us = h->sum_us;
	return true;
}

static enum err histogram_from(const ProtobufCMessage *message, void *row)
{
	const Splot__Histogram *m = (const Splot__Histogram *)message;
	struct histogram_row *h = row;
	uint64_t before = 0;

	if (m->n_buckets == 0 || m->n_buckets > HISTOGRAM_BOUNDS_MAX + 1 ||
	    m->buckets[m->n_buckets - 1]->bound_us != 0)
		return ERR_DECODE;
	*h = (struct histogram_row){
		.name = m->name, .bound_count = m->n_buckets - 1, .sum_us = m->sum_us};
	for (size_t i = 0; i < m->n_buckets; i++) {
		h->counts[i] = m->buckets[i]->count;
		if (i == h->bound_count)
			break;
		if (m->buckets[i]->bound_us <= before)
			return ERR_DECODE;
		before = h->bounds_us[i] = m->buckets[i]->bound_us;
	}
	return ERR_OK;
}

const struct row_codec problem_rows = {&splot__problem__descriptor, sizeof(struct problem),
				       problem_to, problem_from};
const struct row_codec version_rows = {&splot__version__descriptor, sizeof(struct version),
				       version_to, version_from};
const struct row_codec count_rows = {&splot__count__descriptor, sizeof(struct count_row), count_to,
				     count_from};
const struct row_codec peer_rows = {&splot__peer__descriptor, sizeof(struct peer_row), peer_to,
				    peer_from};
const struct row_codec refusal_rows = {&splot__refusal__descriptor, sizeof(struct refusal_row),
				       refusal_to, refusal_from};
const struct row_codec trust_rows = {&splot__trust__descriptor, sizeof(struct trust_row), trust_to,
				     trust_from};
const struct row_codec stored_rows = {&splot__row__descriptor, sizeof(struct stored_row), stored_to,
				      stored_from};
const struct row_codec evidence_rows = {&splot__evidence__descriptor, sizeof(struct evidence_row),
					evidence_to, evidence_from};
const struct row_codec witness_rows = {&splot__witness__descriptor, sizeof(struct witness_row),
				       witness_to, witness_from};
const struct row_codec witnessed_rows = {
	&splot__witnessed__descriptor, sizeof(struct witnessed_row), witnessed_to, witnessed_from};
const struct row_codec histogram_rows = {
	&splot__histogram__descriptor, sizeof(struct histogram_row), histogram_to, histogram_from};

/* ---- lists of them ---- */

void *rows_to(const struct row_codec *codec, const void *rows, size_t count, struct arena *arena)
{
	ProtobufCMessage **messages = arena_alloc(arena, count * sizeof(void *));
	uint8_t *room = arena_alloc(arena, count * codec->type->sizeof_message);

	if (!messages || !room)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		messages[i] = (void *)(room + i * codec->type->sizeof_message);
		protobuf_c_message_init(codec->type, messages[i]);
		if (!codec->to((const uint8_t *)rows + i * codec->row_bytes, messages[i], arena))
			return NULL;
	}
	return messages;
}

enum err rows_from(const struct row_codec *codec, void *messages, size_t count, struct arena *arena,
		   void *ret_rows)
{
	ProtobufCMessage **each = messages;
	uint8_t *rows = arena_alloc(arena, count * codec->row_bytes);
	void *as_any = rows;

	if (!rows)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		enum err err = codec->from(each[i], rows + i * codec->row_bytes);

		if (err != ERR_OK)
			return err;
	}
	memcpy(ret_rows, &as_any, sizeof as_any);
	return ERR_OK;
}
