/* status: a node's or a server's state at a glance. */
#include <string.h>

#include "admin/ask.h"
#include "admin/status_audit.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "base/time.h"
#include "model/json.h"

static uint64_t behind(uint64_t there, uint64_t here)
{
	return there > here ? there - here : 0;
}

/* ---- for people ---- */

/* A row for each server of a node, or for each log of a server.  A node's lag is what a server
 * has not confirmed; a server's is what the log's node says that it has more. */
static void print_peers(struct cli *cli, const struct control_reply *r, struct wall_ms now,
			const char *peer, const char *size, struct buf *out)
{
	const bool node = strcmp(r->role, "node") == 0;
	struct text_table t = table_in(&cli->arena);

	table_column(&t, peer, ALIGN_LEFT);
	table_column(&t, "state", ALIGN_LEFT);
	table_column(&t, size, ALIGN_RIGHT);
	table_column(&t, "lag", ALIGN_RIGHT);
	table_column(&t, "last contact", ALIGN_RIGHT);
	table_column(&t, "last commit", ALIGN_RIGHT);
	table_column(&t, "", ALIGN_LEFT);
	for (size_t i = 0; i < r->peer_count; i++) {
		const struct peer_row *p = &r->peers[i];

		table_cell(&t, p->name);
		table_cell(&t, p->state);
		table_cell_uint(&t, p->size);
		table_cell_uint(&t, behind(node ? r->size : p->claimed, p->size));
		table_cell(&t, status_age(cli, p->last_contact_ms, now));
		table_cell(&t, status_age(cli, p->last_commit_ms, now));
		table_cell(&t, p->note);
	}
	table_print(&t, "  ", out);
}

static void print_node(struct cli *cli, const struct control_reply *r, struct wall_ms now,
		       struct buf *out)
{
	uint64_t confirmed = r->size;

	for (size_t i = 0; i < r->peer_count; i++)
		if (r->peers[i].size < confirmed)
			confirmed = r->peers[i].size;
	buf_printf(out, "  accepted %s, ", text_count(&cli->arena, r->size, "event", "events"));
	if (!r->peer_count) {
		buf_add_text(out, "no server is configured: nothing is confirmed\n");
		return;
	}
	if (confirmed == r->size)
		buf_add_text(out, "all confirmed by every server\n");
	else
		buf_printf(out, "%llu confirmed by every server\n", (unsigned long long)confirmed);
	print_peers(cli, r, now, "server", "confirmed", out);
}

static void print_server(struct cli *cli, const struct control_reply *r, struct wall_ms now,
			 struct buf *out)
{
	buf_printf(out, "  national log %s, view at %llu (%llu behind)\n",
		   text_count(&cli->arena, r->size, "entry", "entries"),
		   (unsigned long long)r->position,
		   (unsigned long long)behind(r->size, r->position));
	print_peers(cli, r, now, "log", "size", out);
}

static void print_refusals(struct cli *cli, const struct control_reply *r, struct buf *out)
{
	struct text_table t = table_in(&cli->arena);

	if (!r->refusal_count)
		return;
	buf_add_text(out, "  refused since the start\n");
	table_column(&t, "log", ALIGN_LEFT);
	table_column(&t, "reason", ALIGN_LEFT);
	table_column(&t, "count", ALIGN_RIGHT);
	table_column(&t, "", ALIGN_LEFT);
	for (size_t i = 0; i < r->refusal_count; i++) {
		const struct refusal_row *row = &r->refusals[i];
		enum err e = err_from_code(row->code);

		table_cell(&t, *row->log ? row->log : "?");
		table_cell(&t, row->code);
		table_cell_uint(&t, row->count);
		table_cell(&t, e == ERR_COUNT ? "" : err_text(e));
	}
	table_print(&t, "  ", out);
}

static void print_status(struct cli *cli, const struct control_reply *r,
			 const struct control_reply *evidence, struct buf *out)
{
	struct wall_ms now = wall_now();

	text_escape(out, r->role);
	buf_add_text(out, " ");
	text_escape(out, r->identity);
	buf_add_text(out, " of ");
	text_escape(out, r->realm);
	buf_add_text(out, ": ");
	text_escape(out, r->state);
	buf_printf(out, ", started %s ago\n", status_age(cli, r->started_ms, now));
	if (*r->note) {
		buf_add_text(out, "  ");
		text_escape(out, r->note);
		buf_add_text(out, "\n");
	}
	status_print_evidence(evidence, out);
	if (!strcmp(r->role, "node"))
		print_node(cli, r, now, out);
	else
		print_server(cli, r, now, out);
	status_print_audit(cli, r, now, out);
	print_refusals(cli, r, out);
}

/* ---- JSON ---- */

/* A signed note as its text. */
static void json_note(struct json *j, struct bytes note)
{
	json_key(j, "checkpoint");
	if (note.size)
		json_bytes_text(j, note);
	else
		json_null(j);
}

static void json_peer(const struct control_reply *r, const struct peer_row *p, bool node,
		      struct json *j)
{
	json_open(j, '{');
	json_field_text(j, node ? "server" : "log", p->name);
	json_field_text(j, "state", p->state);
	json_field_uint(j, node ? "confirmed" : "size", p->size);
	json_field_uint(j, node ? "server_size" : "claimed", p->claimed);
	json_field_uint(j, "lag", behind(node ? r->size : p->claimed, p->size));
	status_json_time(j, "last_contact", p->last_contact_ms);
	status_json_time(j, "last_commit", p->last_commit_ms);
	json_field_text(j, "note", p->note);
	if (!node)
		json_note(j, p->checkpoint);
	json_close(j, '}');
}

static void json_latencies(const struct control_reply *r, struct json *j)
{
	json_key(j, "latencies");
	json_open(j, '[');
	for (size_t i = 0; i < r->histogram_count; i++) {
		const struct histogram_row *h = &r->histograms[i];
		uint64_t count = 0;

		json_open(j, '{');
		json_field_text(j, "name", h->name);
		json_key(j, "buckets");
		json_open(j, '[');
		for (size_t k = 0; k <= h->bound_count; k++) {
			json_open(j, '{');
			json_key(j, "up_to_us");
			if (k < h->bound_count)
				json_uint(j, h->bounds_us[k]);
			else
				json_null(j);
			json_field_uint(j, "count", h->counts[k]);
			json_close(j, '}');
			count += h->counts[k];
		}
		json_close(j, ']');
		json_field_uint(j, "count", count);
		json_field_uint(j, "sum_us", h->sum_us);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void json_status(const struct control_reply *r, const struct control_reply *evidence,
			struct buf *out)
{
	bool node = !strcmp(r->role, "node");
	struct json j = json_to(out);

	json_open(&j, '{');
	json_field_text(&j, "role", r->role);
	json_field_text(&j, node ? "log" : "server", r->identity);
	json_field_text(&j, "realm", r->realm);
	json_field_text(&j, "state", r->state);
	json_field_text(&j, "note", r->note);
	status_json_time(&j, "started", r->started_ms);
	json_field_uint(&j, "size", r->size);
	json_field_uint(&j, "position", r->position);
	json_key(&j, node ? "servers" : "logs");
	json_open(&j, '[');
	for (size_t i = 0; i < r->peer_count; i++)
		json_peer(r, &r->peers[i], node, &j);
	json_close(&j, ']');
	json_key(&j, "refusals");
	json_open(&j, '[');
	for (size_t i = 0; i < r->refusal_count; i++) {
		json_open(&j, '{');
		json_field_text(&j, "log", r->refusals[i].log);
		json_field_text(&j, "code", r->refusals[i].code);
		json_field_uint(&j, "count", r->refusals[i].count);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_note(&j, r->checkpoint);
	json_latencies(r, &j);
	status_json_audit(r, evidence, &j);
	json_close(&j, '}');
	buf_add_text(out, "\n");
}

static enum outcome run_status(struct cli *cli)
{
	struct link link = {.fd = -1};
	const struct control_request ask_evidence = {.verb = CONTROL_EVIDENCE};
	struct control_reply reply;
	struct control_reply evidence;
	struct buf out = {0};
	enum outcome outcome = link_open(cli, &link);

	if (outcome == DONE)
		outcome = link_status(&link, &reply);
	if (outcome == DONE)
		outcome = link_ask(&link, &ask_evidence, &cli->arena, &evidence);
	if (outcome == DONE) {
		if (cli->json)
			json_status(&reply, &evidence, &out);
		else
			print_status(cli, &reply, &evidence, &out);
		outcome = cli_print(cli, &out);
	}
	buf_free(&out);
	link_close(&link);
	return outcome;
}

const struct verb verb_status = {
	.name = "status",
	.operands = "",
	.summary = "sizes, lag, connections, witnesses and refusals at a glance",
	.examples = "  splotctl status --socket /run/splot/node.sock\n"
		    "  splotctl status --config /etc/splot/server.ini --json\n",
	.asks = true,
	.run = run_status,
};
