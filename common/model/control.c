#include "model/control.h"

#include <string.h>

#include "base/limits.h"
#include "control.pb-c.h"
#include "model/codec.h"
#include "model/control_rows.h"

/* One reply's rows, all kinds together: what can be packed into it is bounded by its bytes;
 * this bounds what empty rows unpack to. */
enum { CONTROL_ITEMS_MAX = 32 * 1024 };

static const struct codec_bounds CONTROL_BOUNDS = {
	.bytes = CONTROL_BYTES_MAX, .items = CONTROL_ITEMS_MAX, .text_bytes = CONTROL_BYTES_MAX};

enum { CONTROL_VERB_LAST = CONTROL_FOLLOW };

/* Of a redacted event; and a verifier key, which is a name, a hash and a key in base64. */
enum { LEAF_BYTES = 32, VERIFIER_KEY_BYTES_MAX = KEY_NAME_BYTES_MAX + 64 };

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
	    count_rows.to(&q->after_count, &after_count.base, NULL))
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

bool control_request_over(struct bytes raw, struct over *ret)
{
	static const char shorten[] = "shorten it";
	static const char not_ours[] = "use the splotctl of this release";
	static const struct codec_limit limits[] = {
		{2, EVENT_BYTES_MAX, "the edit", "send it in parts"},
		{5, ID_BYTES_MAX, "the id", shorten},
		{6, ID_BYTES_MAX, "the id to go on after", shorten},
		{11, NOTE_BYTES_MAX, "the document", "send it as it was signed"},
		{12, ORIGIN_BYTES_MAX, "the name of the log or server", shorten},
		{13, REASON_BYTES_MAX, "the reason", shorten},
		{17, ID_BYTES_MAX, "the name of the table", not_ours},
		{18, ID_BYTES_MAX, "the key of a row", not_ours},
		{23, VERIFIER_KEY_BYTES_MAX, "the verifier key", "give it as it was shown"},
	};

	return codec_over(raw, limits, sizeof limits / sizeof limits[0], ret);
}

const char *control_request_why(struct bytes raw, enum err e, struct arena *arena)
{
	struct buf text = {.data = NULL};
	const char *kept = NULL;
	struct over over;

	if (e == ERR_LIMIT && control_request_over(raw, &over))
		over_tell(&over, &text);
	else
		buf_add_text(&text, e == ERR_LIMIT
					    ? "a part of the request is over its bound; use the "
					      "splotctl of this release"
					    : "the request does not decode; use the splotctl of "
					      "this release");
	if (buf_check(&text) == ERR_OK)
		kept = arena_text(arena, buf_bytes(&text));
	buf_free(&text);
	return kept ? kept : err_text(e);
}

static enum err check_request(struct bytes raw, const Splot__ControlRequest *m)
{
	struct over over;

	if ((int)m->verb <= CONTROL_NONE || (int)m->verb > CONTROL_VERB_LAST)
		return ERR_VERSION;
	if (m->kind != RECORD_NONE && (m->kind < RECORD_KIND_FIRST || m->kind > RECORD_KIND_LAST))
		return ERR_DECODE;
	if (m->leaf.len != 0 && m->leaf.len != LEAF_BYTES)
		return ERR_DECODE;
	return control_request_over(raw, &over) || count_is_over(m->after_count) ? ERR_LIMIT
										 : ERR_OK;
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
	err = check_request(raw, m);
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
	return m->after_count ? count_rows.from(&m->after_count->base, &ret->after_count) : ERR_OK;
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
	m.problems = rows_to(&problem_rows, r->problems, r->problem_count, scratch);
	m.n_versions = r->version_count;
	m.versions = rows_to(&version_rows, r->versions, r->version_count, scratch);
	m.n_counts = r->count_count;
	m.counts = rows_to(&count_rows, r->counts, r->count_count, scratch);
	m.n_peers = r->peer_count;
	m.peers = rows_to(&peer_rows, r->peers, r->peer_count, scratch);
	m.n_refusals = r->refusal_count;
	m.refusals = rows_to(&refusal_rows, r->refusals, r->refusal_count, scratch);
	m.n_trust = r->trust_count;
	m.trust = rows_to(&trust_rows, r->trust, r->trust_count, scratch);
	m.n_rows = r->row_count;
	m.rows = rows_to(&stored_rows, r->rows, r->row_count, scratch);
	m.n_evidence = r->evidence_count;
	m.evidence = rows_to(&evidence_rows, r->evidence, r->evidence_count, scratch);
	m.n_witnesses = r->witness_count;
	m.witnesses = rows_to(&witness_rows, r->witnesses, r->witness_count, scratch);
	m.n_histograms = r->histogram_count;
	m.histograms = rows_to(&histogram_rows, r->histograms, r->histogram_count, scratch);
	m.n_witnessed = r->witnessed_count;
	m.witnessed = rows_to(&witnessed_rows, r->witnessed, r->witnessed_count, scratch);
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
		{&problem_rows, m->problems, m->n_problems, &r->problems, &r->problem_count},
		{&version_rows, m->versions, m->n_versions, &r->versions, &r->version_count},
		{&count_rows, m->counts, m->n_counts, &r->counts, &r->count_count},
		{&peer_rows, m->peers, m->n_peers, &r->peers, &r->peer_count},
		{&refusal_rows, m->refusals, m->n_refusals, &r->refusals, &r->refusal_count},
		{&trust_rows, m->trust, m->n_trust, &r->trust, &r->trust_count},
		{&stored_rows, m->rows, m->n_rows, &r->rows, &r->row_count},
		{&evidence_rows, m->evidence, m->n_evidence, &r->evidence, &r->evidence_count},
		{&witness_rows, m->witnesses, m->n_witnesses, &r->witnesses, &r->witness_count},
		{&histogram_rows, m->histograms, m->n_histograms, &r->histograms,
		 &r->histogram_count},
		{&witnessed_rows, m->witnessed, m->n_witnessed, &r->witnessed, &r->witnessed_count},
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
