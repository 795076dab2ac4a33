#include "model/control.h"

#include <string.h>

#include "base/limits.h"
#include "control.pb-c.h"
#include "model/codec.h"
#include "model/message.h"

/* One reply's rows, all kinds together: what can be packed into it is bounded by its bytes;
 * this bounds what empty rows unpack to. */
enum { CONTROL_ITEMS_MAX = 32 * 1024 };

static const struct codec_bounds CONTROL_BOUNDS = {
	.bytes = CONTROL_BYTES_MAX, .items = CONTROL_ITEMS_MAX, .text_bytes = CONTROL_BYTES_MAX};

enum { CONTROL_VERB_LAST = CONTROL_FOLLOW };

/* Of a redacted event; and a verifier key, which is a name, a hash and a key in base64. */
enum { LEAF_BYTES = 32, VERIFIER_KEY_BYTES_MAX = KEY_NAME_BYTES_MAX + 64 };

/* ---- one row of the summary: in a reply, and where a request goes on ---- */

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

/* ---- request ---- */

enum err control_request_encode(const struct control_request *q, struct buf *ret)
{
	Splot__ControlRequest m;
	Splot__Count after_count;

	splot__control_request__init(&m);
	splot__count__init(&after_count);
	m.verb = (Splot__Verb)q->verb;
	m.draft = codec_binary(q->draft);
	m.dry_run = q->dry_run;
	m.kind = (uint32_t)q->kind;
	m.id = codec_text(q->id);
	m.after = codec_text(q->after);
	m.limit = q->limit;
	m.at = q->at;
	m.history = q->history;
	m.retired = q->retired;
	m.document = codec_binary(q->document);
	m.name = codec_text(q->name);
	m.reason = codec_text(q->reason);
	m.before_index = q->before_index;
	m.until_ms = q->until.ms;
	m.table = codec_text(q->table);
	m.after_key = codec_binary(q->after_key);
	m.reverse = q->reverse;
	m.index = q->index;
	m.leaf = codec_binary(q->leaf);
	m.size = q->size;
	m.key = codec_text(q->key);
	if (q->after_count.metric && *q->after_count.metric &&
	    count_to(&q->after_count, &after_count.base, NULL))
		m.after_count = &after_count;
	return codec_pack(&m.base, CONTROL_BYTES_MAX, ret);
}

static bool is_over(const char *text, size_t bytes_max)
{
	return strnlen(text, bytes_max + 1) > bytes_max;
}

/* A view's rows hold no longer text: what is longer stands there as its hash. */
static bool count_is_over(const Splot__Count *m)
{
	return m && (is_over(m->metric, ID_BYTES_MAX) || is_over(m->region, ID_BYTES_MAX) ||
		     is_over(m->kind, ID_BYTES_MAX) || is_over(m->key, ID_BYTES_MAX));
}

static enum err check_request(const Splot__ControlRequest *m)
{
	if ((int)m->verb <= CONTROL_NONE || (int)m->verb > CONTROL_VERB_LAST)
		return ERR_VERSION;
	if (m->kind != RECORD_NONE && (m->kind < RECORD_KIND_FIRST || m->kind > RECORD_KIND_LAST))
		return ERR_DECODE;
	if (m->leaf.len != 0 && m->leaf.len != LEAF_BYTES)
		return ERR_DECODE;
	if (m->draft.len > EVENT_BYTES_MAX || m->document.len > NOTE_BYTES_MAX ||
	    is_over(m->id, ID_BYTES_MAX) || is_over(m->after, ID_BYTES_MAX) ||
	    is_over(m->name, ORIGIN_BYTES_MAX) || is_over(m->reason, REASON_BYTES_MAX) ||
	    is_over(m->table, ID_BYTES_MAX) || m->after_key.len > ID_BYTES_MAX ||
	    is_over(m->key, VERIFIER_KEY_BYTES_MAX) || count_is_over(m->after_count))
		return ERR_LIMIT;
	return ERR_OK;
}

enum err control_request_decode(struct bytes raw, struct arena *arena, struct control_request *ret)
{
	ProtobufCMessage *decoded = NULL;
	const Splot__ControlRequest *m = NULL;
	enum err err = codec_unpack(raw, &splot__control_request__descriptor, CONTROL_BOUNDS, arena,
				    &decoded);

	if (err != ERR_OK)
		return err;
	m = (const Splot__ControlRequest *)decoded;
	err = check_request(m);
	if (err != ERR_OK)
		return err;
	*ret = (struct control_request){
		.verb = (enum control_verb)m->verb,
		.draft = bytes_of(m->draft.data, m->draft.len),
		.dry_run = m->dry_run,
		.kind = (enum record_kind)m->kind,
		.id = m->id,
		.after = m->after,
		.limit = m->limit,
		.at = m->at,
		.history = m->history,
		.retired = m->retired,
		.document = bytes_of(m->document.data, m->document.len),
		.name = m->name,
		.reason = m->reason,
		.before_index = m->before_index,
		.until = {m->until_ms},
		.table = m->table,
		.after_key = bytes_of(m->after_key.data, m->after_key.len),
		.reverse = m->reverse,
		.index = m->index,
		.leaf = bytes_of(m->leaf.data, m->leaf.len),
		.size = m->size,
		.key = m->key,
		.after_count = {"", "", "", "", 0},
	};
	return m->after_count ? count_from(&m->after_count->base, &ret->after_count) : ERR_OK;
}

/* ---- rows of a reply: each to its message and back ---- */

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

struct row_codec {
	const ProtobufCMessageDescriptor *type;
	size_t row_bytes;
	bool (*to)(const void *row, ProtobufCMessage *message, struct arena *arena);
	enum err (*from)(const ProtobufCMessage *message, void *row);
};

static const struct row_codec PROBLEMS = {&splot__problem__descriptor, sizeof(struct problem),
					  problem_to, problem_from};
static const struct row_codec VERSIONS = {&splot__version__descriptor, sizeof(struct version),
					  version_to, version_from};
static const struct row_codec COUNTS = {&splot__count__descriptor, sizeof(struct count_row),
					count_to, count_from};
static const struct row_codec PEERS = {&splot__peer__descriptor, sizeof(struct peer_row), peer_to,
				       peer_from};
static const struct row_codec REFUSALS = {&splot__refusal__descriptor, sizeof(struct refusal_row),
					  refusal_to, refusal_from};
static const struct row_codec TRUSTS = {&splot__trust__descriptor, sizeof(struct trust_row),
					trust_to, trust_from};

static const struct row_codec STORED = {&splot__row__descriptor, sizeof(struct stored_row),
					stored_to, stored_from};
static const struct row_codec EVIDENCE = {&splot__evidence__descriptor, sizeof(struct evidence_row),
					  evidence_to, evidence_from};
static const struct row_codec WITNESSES = {&splot__witness__descriptor, sizeof(struct witness_row),
					   witness_to, witness_from};

static const struct row_codec WITNESSED = {
	&splot__witnessed__descriptor, sizeof(struct witnessed_row), witnessed_to, witnessed_from};
static const struct row_codec HISTOGRAMS = {
	&splot__histogram__descriptor, sizeof(struct histogram_row), histogram_to, histogram_from};

/* An array of pointers to messages made of the rows; NULL without memory. */
static void *rows_to(const struct row_codec *codec, const void *rows, size_t count,
		     struct arena *arena)
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

static enum err rows_from(const struct row_codec *codec, void *messages, size_t count,
			  struct arena *arena, void *ret_rows)
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

/* ---- reply ---- */

enum err control_reply_encode(const struct control_reply *r, struct arena *scratch, struct buf *ret)
{
	Splot__ControlReply m;

	splot__control_reply__init(&m);
	m.code = codec_text(err_code(r->code));
	m.text = codec_text(r->text);
	m.index = r->index;
	m.size = r->size;
	m.position = r->position;
	m.more = r->more;
	m.role = codec_text(r->role);
	m.identity = codec_text(r->identity);
	m.realm = codec_text(r->realm);
	m.state = codec_text(r->state);
	m.note = codec_text(r->note);
	m.started_ms = r->started_ms;
	m.key = codec_text(r->key);
	m.cosigned = codec_binary(r->cosigned);
	m.quorum = r->quorum;
	m.policy = codec_text(r->policy);
	m.verified = codec_text(r->verified);
	m.written_ms = r->written_ms;
	m.interval_ms = r->interval_ms;
	m.checkpoint = codec_binary(r->checkpoint);
	m.n_problems = r->problem_count;
	m.problems = rows_to(&PROBLEMS, r->problems, r->problem_count, scratch);
	m.n_versions = r->version_count;
	m.versions = rows_to(&VERSIONS, r->versions, r->version_count, scratch);
	m.n_counts = r->count_count;
	m.counts = rows_to(&COUNTS, r->counts, r->count_count, scratch);
	m.n_peers = r->peer_count;
	m.peers = rows_to(&PEERS, r->peers, r->peer_count, scratch);
	m.n_refusals = r->refusal_count;
	m.refusals = rows_to(&REFUSALS, r->refusals, r->refusal_count, scratch);
	m.n_trust = r->trust_count;
	m.trust = rows_to(&TRUSTS, r->trust, r->trust_count, scratch);
	m.n_rows = r->row_count;
	m.rows = rows_to(&STORED, r->rows, r->row_count, scratch);
	m.n_evidence = r->evidence_count;
	m.evidence = rows_to(&EVIDENCE, r->evidence, r->evidence_count, scratch);
	m.n_witnesses = r->witness_count;
	m.witnesses = rows_to(&WITNESSES, r->witnesses, r->witness_count, scratch);
	m.n_histograms = r->histogram_count;
	m.histograms = rows_to(&HISTOGRAMS, r->histograms, r->histogram_count, scratch);
	m.n_witnessed = r->witnessed_count;
	m.witnessed = rows_to(&WITNESSED, r->witnessed, r->witnessed_count, scratch);
	if (!m.problems || !m.versions || !m.counts || !m.peers || !m.refusals || !m.trust ||
	    !m.rows || !m.evidence || !m.witnesses || !m.histograms || !m.witnessed)
		return ERR_NOMEM;
	return codec_pack(&m.base, CONTROL_BYTES_MAX, ret);
}

static enum err reply_rows(const Splot__ControlReply *m, struct arena *arena,
			   struct control_reply *r)
{
	const struct {
		const struct row_codec *codec;
		void *messages;
		size_t count;
		void *ret_rows;
		size_t *ret_count;
	} lists[] = {
		{&PROBLEMS, m->problems, m->n_problems, &r->problems, &r->problem_count},
		{&VERSIONS, m->versions, m->n_versions, &r->versions, &r->version_count},
		{&COUNTS, m->counts, m->n_counts, &r->counts, &r->count_count},
		{&PEERS, m->peers, m->n_peers, &r->peers, &r->peer_count},
		{&REFUSALS, m->refusals, m->n_refusals, &r->refusals, &r->refusal_count},
		{&TRUSTS, m->trust, m->n_trust, &r->trust, &r->trust_count},
		{&STORED, m->rows, m->n_rows, &r->rows, &r->row_count},
		{&EVIDENCE, m->evidence, m->n_evidence, &r->evidence, &r->evidence_count},
		{&WITNESSES, m->witnesses, m->n_witnesses, &r->witnesses, &r->witness_count},
		{&HISTOGRAMS, m->histograms, m->n_histograms, &r->histograms, &r->histogram_count},
		{&WITNESSED, m->witnessed, m->n_witnessed, &r->witnessed, &r->witnessed_count},
	};

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		enum err err = rows_from(lists[i].codec, lists[i].messages, lists[i].count, arena,
					 lists[i].ret_rows);

		if (err != ERR_OK)
			return err;
		*lists[i].ret_count = lists[i].count;
	}
	return ERR_OK;
}

enum err control_reply_decode(struct bytes raw, struct arena *arena, struct control_reply *ret)
{
	ProtobufCMessage *decoded = NULL;
	const Splot__ControlReply *m = NULL;
	struct control_reply r;
	enum err err = codec_unpack(raw, &splot__control_reply__descriptor, CONTROL_BOUNDS, arena,
				    &decoded);

	if (err != ERR_OK)
		return err;
	m = (const Splot__ControlReply *)decoded;
	r = (struct control_reply){
		.code = err_from_code(m->code),
		.text = m->text,
		.index = m->index,
		.size = m->size,
		.position = m->position,
		.more = m->more,
		.role = m->role,
		.identity = m->identity,
		.realm = m->realm,
		.state = m->state,
		.note = m->note,
		.started_ms = m->started_ms,
		.key = m->key,
		.cosigned = bytes_of(m->cosigned.data, m->cosigned.len),
		.quorum = m->quorum,
		.policy = m->policy,
		.verified = m->verified,
		.written_ms = m->written_ms,
		.interval_ms = m->interval_ms,
		.checkpoint = bytes_of(m->checkpoint.data, m->checkpoint.len),
	};
	if (r.code == ERR_COUNT)
		r.code = ERR_INTERNAL;
	err = reply_rows(m, arena, &r);
	if (err == ERR_OK)
		*ret = r;
	return err;
}
