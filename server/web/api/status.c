/* /status and the event `status`: what the daemon last said of itself. */
#include <string.h>

#include "api/endpoints.h"
#include "api/replication.h"
#include "tlog/cosignature.h"

/* Told anew every `interval_ms` at least, so a few of them passed over mean that it is gone. */
enum { STALE_INTERVALS = 3, STALE_MORE_MS = 2000 };

int64_t status_age_ms(const struct control_reply *status, struct wall_ms now)
{
	int64_t written = status ? wall_of(status->written_ms).ms : 0;

	if (written <= 0)
		return -1;
	return now.ms > written ? now.ms - written : 0;
}

bool status_stale(const struct control_reply *status, struct wall_ms now)
{
	int64_t age = status_age_ms(status, now);

	return age < 0 ||
	       (uint64_t)age > STALE_INTERVALS * (status->interval_ms & INT32_MAX) + STALE_MORE_MS;
}

/* ---- parts ---- */

/* Servers that a node publishes to. */
static void write_servers(struct json *j, const struct control_reply *s)
{
	json_key(j, "servers");
	json_open(j, '[');
	for (size_t i = 0; s && !is_server(s) && i < s->peer_count; i++) {
		const struct peer_row *p = &s->peers[i];

		json_open(j, '{');
		json_field_text(j, "name", p->name);
		json_field_text(j, "state", p->state);
		json_field_uint(j, "confirmed", p->size);
		json_field_uint(j, "size", p->claimed);
		json_field_uint(j, "lag", s->size > p->size ? s->size - p->size : 0);
		write_time(j, "last_contact", wall_of(p->last_contact_ms));
		write_time(j, "last_commit", wall_of(p->last_commit_ms));
		write_or_null(j, "note", p->note);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void write_refusals(struct json *j, const struct control_reply *s)
{
	json_key(j, "refusals");
	json_open(j, '[');
	for (size_t i = 0; s && i < s->refusal_count; i++) {
		json_open(j, '{');
		write_or_null(j, "log", s->refusals[i].log);
		json_field_text(j, "code", s->refusals[i].code);
		json_field_uint(j, "count", s->refusals[i].count);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void write_witnesses(struct json *j, const struct control_reply *s)
{
	json_key(j, "witnesses");
	json_open(j, '[');
	for (size_t i = 0; s && i < s->witness_count; i++) {
		const struct witness_row *w = &s->witnesses[i];
		bool any = w->size > 0;

		json_open(j, '{');
		json_field_text(j, "log", w->log);
		write_uint_or_null(j, "size", any, w->size);
		write_uint_or_null(j, "behind", any, s->size > w->size ? s->size - w->size : 0);
		write_time(j, "at", wall_of(w->at_ms));
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* Names on the note's lines as witnesses, and the newest time that one states. */
static void write_cosigners(struct json *j, const struct note *note)
{
	uint64_t newest_s = 0;

	json_key(j, "witnesses");
	json_open(j, '[');
	for (size_t i = 0; i < note->signature_count; i++) {
		const struct note_signature *line = &note->signatures[i];
		struct origin_parts by;
		struct cursor body = cursor_of(bytes_of(line->body, line->body_size));
		uint64_t at_s = cursor_u64be(&body);

		if (line->body_size != COSIGNATURE_BYTES ||
		    origin_parse(line->name, &by) != ERR_OK || by.kind != ORIGIN_WITNESS)
			continue;
		json_text(j, by.log.text);
		if (at_s > newest_s && at_s < INT64_MAX / 1000)
			newest_s = at_s;
	}
	json_close(j, ']');
	write_time(j, "at", wall_of(newest_s * 1000));
}

static void write_cosigned(struct json *j, const struct control_reply *s)
{
	struct checkpoint c;
	struct note note;

	json_key(j, "cosigned");
	if (!s || !note_checkpoint(s->cosigned, &note, &c)) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	write_checkpoint_members(j, &c);
	write_cosigners(j, &note);
	json_field_bool(j, "quorum", s->quorum);
	json_close(j, '}');
}

static void write_latencies(struct json *j, const struct control_reply *s)
{
	json_key(j, "latencies");
	json_open(j, '[');
	for (size_t i = 0; s && i < s->histogram_count; i++) {
		const struct histogram_row *h = &s->histograms[i];
		uint64_t count = 0;

		json_open(j, '{');
		json_field_text(j, "name", h->name);
		json_field_text(j, "unit", "s");
		json_key(j, "buckets");
		json_open(j, '[');
		for (size_t k = 0; k < h->bound_count; k++) {
			count += h->counts[k];
			json_open(j, '{');
			json_key(j, "le");
			json_decimal(j, h->bounds_us[k], 6);
			json_field_uint(j, "count", count);
			json_close(j, '}');
		}
		json_close(j, ']');
		json_field_uint(j, "count", count + h->counts[h->bound_count]);
		json_key(j, "sum");
		json_decimal(j, h->sum_us, 6);
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* ---- the whole ---- */

static void write_identity(struct json *j, const struct api_context *x)
{
	const struct control_reply *s = x->status;
	int64_t age = status_age_ms(s, x->now);

	write_or_null(j, "role", s ? s->role : "");
	write_or_null(j, "identity", s ? s->identity : "");
	write_or_null(j, "realm", s ? s->realm : "");
	json_field_text(j, "version", SPLOT_VERSION);
	write_time(j, "started", wall_of(s ? s->started_ms : 0));
	write_time(j, "written", wall_of(s ? s->written_ms : 0));
	write_uint_or_null(j, "age_ms", age >= 0, (uint64_t)age);
	json_field_bool(j, "stale", status_stale(s, x->now));
	write_uint_or_null(j, "size", s != NULL, s ? s->size : 0);
	write_or_null(j, "state", s ? s->state : "");
	write_or_null(j, "note", s ? s->note : "");
}

enum err endpoint_status(const struct api_context *x, const struct api_request *rq,
			 struct api_answer *ret)
{
	const struct control_reply *s = x->status;
	struct json j = json_to(ret->body);

	(void)rq;
	ret->status = 200;
	ret->type = "application/json";
	ret->live = true;
	json_open(&j, '{');
	json_field_uint(&j, "position", catalog_position(x->catalog));
	write_time(&j, "time", catalog_time(x->catalog));
	write_identity(&j, x);
	write_logs(&j, "logs", s);
	write_servers(&j, s);
	write_refusals(&j, s);
	write_witnesses(&j, s);
	write_cosigned(&j, s);
	write_or_null(&j, "policy", s ? s->policy : "");
	write_or_null(&j, "key", s ? s->key : "");
	write_verified(&j, "verified", s ? s->verified : NULL);
	write_frozen(&j, "frozen", s);
	write_latencies(&j, s);
	return answer_end(&j, ret);
}

/* ---- the event ---- */

enum err api_status_event(const struct api_context *x, struct buf *ret)
{
	const struct control_reply *s = x->status;
	struct json j = json_to(ret);

	json_open(&j, '{');
	json_field_uint(&j, "position", catalog_position(x->catalog));
	json_field_bool(&j, "stale", status_stale(s, x->now));
	json_key(&j, "logs");
	json_open(&j, '[');
	for (size_t i = 0; is_server(s) && i < s->peer_count; i++) {
		const struct peer_row *p = &s->peers[i];
		bool claims = log_claims(p);

		json_open(&j, '{');
		json_field_text(&j, "log", p->name);
		json_field_text(&j, "state", p->state);
		json_field_uint(&j, "size", p->size);
		write_uint_or_null(&j, "claimed", claims, p->claimed);
		write_uint_or_null(&j, "lag", claims, log_lag(p));
		write_or_null(&j, "note", p->note);
		json_field_bool(&j, "frozen", log_frozen(p));
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_key(&j, "quorum");
	if (is_server(s))
		json_bool(&j, s->quorum);
	else
		json_null(&j);
	write_frozen(&j, "frozen", s);
	json_close(&j, '}');
	return buf_check(ret) == ERR_OK ? ERR_OK : ERR_NOMEM;
}
