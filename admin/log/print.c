#include "admin/log/print.h"

#include <stdlib.h>
#include <string.h>

#include "admin/log/difference.h"
#include "admin/text.h"
#include "session/anew.h"
#include "session/card.h"
#include "tlog/encoding.h"

static const char *kind_name(enum record_kind kind)
{
	const struct kind *k = kind_of(kind);

	return k ? k->name : "record";
}

static void add_reason(const char *by, const char *reason, const char *source, struct buf *out)
{
	text_escape(out, by);
	buf_add_text(out, ": ");
	text_escape(out, reason);
	if (*source) {
		buf_add_text(out, " (");
		text_escape(out, source);
		buf_add_text(out, ")");
	}
}

static void add_time(struct wall_ms t, struct buf *out)
{
	char text[25];

	wall_format(t, text);
	buf_add_text(out, text);
}

static void json_time(struct json *j, const char *key, struct wall_ms t)
{
	char text[25];

	wall_format(t, text);
	json_field_text(j, key, text);
}

static void json_field_null(struct json *j, const char *key)
{
	json_key(j, key);
	json_null(j);
}

/* The key that an enrolment names; NULL when it is none. */
static const struct vkey *key_of(struct bytes enrolment, struct card *card)
{
	return card_open(enrolment, card) == ERR_OK ? &card->log_key : NULL;
}

/* ---- for people ---- */

static void print_change(const struct log_item *item, const struct shown_change *shown,
			 struct buf *out)
{
	const struct change *c = shown->change;

	buf_add_text(out, c->retired ? "  - " : c->has_supersedes ? "  ~ " : "  + ");
	text_escape(out, c->id);
	buf_printf(out, " (%s)%s", kind_name(c->kind), c->retired ? ", retired" : "");
	if (shown->before_lost && !c->retired)
		buf_printf(out, ", %s: %s@%llu",
			   shown->alone ? "as it is from here on; the version before is not here"
					: "the version before cannot be read",
			   item->log.text, (unsigned long long)c->supersedes);
	buf_add_text(out, "\n");
	difference_print(shown->before, c->record, "      ", out);
}

static void print_act(const struct event *event, struct buf *out)
{
	struct card card;
	const struct vkey *key = NULL;
	char text[VKEY_BYTES];

	switch (event->act) {
	case EVENT_CONTINUES:
		buf_printf(out, "  continues the log %s, of which the first %llu %s\n",
			   event->old_log.text, (unsigned long long)event->old_size,
			   event->old_size == 1 ? "event stands" : "events stand");
		return;
	case EVENT_ROTATES:
		key = key_of(event->document, &card);
		if (key)
			vkey_text(key, text);
		buf_printf(out, "  rotates the key: from here on %s\n",
			   key ? text : "one that cannot be read");
		return;
	case EVENT_ACT_UNKNOWN:
		buf_add_text(out, "  an act that this program does not know\n");
		return;
	case EVENT_CHANGES:
		return;
	}
}

static void print_event(const struct log_item *item, struct buf *out)
{
	const struct event *event = &item->event;

	buf_add_text(out, ", ");
	add_time(event->recorded, out);
	buf_add_text(out, ", ");
	add_reason(event->editor, event->reason, event->source, out);
	buf_add_text(out, "\n");
	print_act(event, out);
	for (size_t i = 0; i < item->change_count; i++)
		print_change(item, &item->changes[i], out);
	if (item->others)
		buf_printf(out, "    and %zu other change%s\n", item->others,
			   item->others == 1 ? "" : "s");
}

static void print_redacted(const struct log_item *item, struct buf *out)
{
	buf_add_text(out, ", redacted: its bytes were erased, its hash stands");
	if (item->has_order && item->order.leaf.size > 0) {
		buf_add_text(out, ": ");
		encoding_add_base64(out, item->order.leaf);
	}
	buf_add_text(out, "\n");
	if (!item->has_order)
		return;
	buf_add_text(out, "  ");
	if (item->order_index != UINT64_MAX)
		buf_printf(out, "national@%llu, ", (unsigned long long)item->order_index);
	add_time(item->order.recorded, out);
	buf_add_text(out, ", ");
	add_reason(item->order.by, item->order.reason, "", out);
	buf_add_text(out, "\n");
}

/* A national log begun anew: the log that it goes on from. */
static const char *quoted_log(const struct national_entry *n, struct vkey *key)
{
	return !strcmp(n->act, ANEW_ACT) && vkey_parse(n->other, key) == ERR_OK ? key->name : NULL;
}

/* Of what an act says beside its log: "@17", " at size 23". */
static void print_place(const struct national_entry *n, struct buf *out)
{
	struct vkey key;

	if (quoted_log(n, &key))
		buf_printf(out, ", as %s", key.name);
	if (!strcmp(n->act, "redact") || !strcmp(n->act, "rotate"))
		buf_printf(out, "@%llu", (unsigned long long)n->index);
	else if (n->size)
		buf_printf(out, " at size %llu", (unsigned long long)n->size);
}

static void print_entry(const struct national_entry *n, struct buf *out)
{
	buf_add_text(out, ", ");
	add_time(n->recorded, out);
	if (n->kind == NATIONAL_ACCEPTED) {
		buf_printf(out, ", accepted %s@%llu", n->log.text, (unsigned long long)n->from);
		if (n->size > n->from + 1)
			buf_printf(out, " to %llu", (unsigned long long)n->size - 1);
		buf_add_text(out, "\n");
		return;
	}
	if (n->kind != NATIONAL_ACT) {
		buf_add_text(out, ", an entry that this program does not know\n");
		return;
	}
	buf_add_text(out, ", ");
	text_escape(out, n->act);
	if (*n->log.text)
		buf_printf(out, " %s", n->log.text);
	print_place(n, out);
	buf_add_text(out, ", ");
	add_reason(n->by, n->reason, "", out);
	buf_add_text(out, "\n");
}

void log_item_print(const struct log_item *item, struct buf *out)
{
	buf_printf(out, "%s@%llu", item->log.text, (unsigned long long)item->index);
	switch (item->kind) {
	case ITEM_EVENT:
		print_event(item, out);
		return;
	case ITEM_REDACTED:
		print_redacted(item, out);
		return;
	case ITEM_ENTRY:
		print_entry(&item->national, out);
		return;
	case ITEM_UNREADABLE:
		buf_printf(out, ", cannot be read: %s; splotctl audit verify tells more\n",
			   err_text(item->problem));
		return;
	}
}

/* ---- JSON ---- */

static void json_change(const struct shown_change *shown, struct json *j)
{
	const struct change *c = shown->change;

	json_open(j, '{');
	json_field_text(j, "kind", kind_name(c->kind));
	json_field_text(j, "id", c->id);
	json_field_text(j, "change",
			c->retired          ? "retired"
			: c->has_supersedes ? "changed"
					    : "added");
	if (c->has_supersedes)
		json_field_uint(j, "supersedes", c->supersedes);
	else
		json_field_null(j, "supersedes");
	json_field_bool(j, "before_known", !shown->before_lost);
	json_key(j, "fields");
	difference_json(shown->before, c->record, !shown->before_lost, j);
	json_close(j, '}');
}

static void json_act(const struct event *event, struct json *j)
{
	struct card card;
	const struct vkey *key = NULL;
	char text[VKEY_BYTES];

	if (event->act == EVENT_CHANGES) {
		json_field_null(j, "act");
		return;
	}
	json_key(j, "act");
	json_open(j, '{');
	if (event->act == EVENT_CONTINUES) {
		json_field_text(j, "kind", "continues");
		json_field_text(j, "log", event->old_log.text);
		json_field_uint(j, "size", event->old_size);
	} else if (event->act == EVENT_ROTATES) {
		key = key_of(event->document, &card);
		if (key)
			vkey_text(key, text);
		json_field_text(j, "kind", "rotates");
		json_field_text(j, "log_key", key ? text : "");
	} else {
		json_field_text(j, "kind", "unknown");
	}
	json_close(j, '}');
}

static void json_event(const struct log_item *item, struct json *j)
{
	const struct event *event = &item->event;

	json_time(j, "recorded", event->recorded);
	json_field_text(j, "editor", event->editor);
	json_field_text(j, "reason", event->reason);
	json_field_text(j, "source", event->source);
	json_act(event, j);
	json_key(j, "changes");
	json_open(j, '[');
	for (size_t i = 0; i < item->change_count; i++)
		json_change(&item->changes[i], j);
	json_close(j, ']');
	json_field_uint(j, "others", item->others);
}

static void json_hash(struct json *j, const char *key, struct bytes hash)
{
	struct buf text = {0};

	encoding_add_base64(&text, hash);
	json_field_text(j, key, buf_text(&text));
	buf_free(&text);
}

static void json_redacted(const struct log_item *item, struct json *j)
{
	json_field_bool(j, "redacted", true);
	if (!item->has_order) {
		json_field_null(j, "redaction");
		return;
	}
	json_key(j, "redaction");
	json_open(j, '{');
	if (item->order_index != UINT64_MAX)
		json_field_uint(j, "national", item->order_index);
	else
		json_field_null(j, "national");
	json_time(j, "recorded", item->order.recorded);
	json_field_text(j, "by", item->order.by);
	json_field_text(j, "reason", item->order.reason);
	json_hash(j, "leaf", item->order.leaf);
	json_close(j, '}');
}

static void json_entry(const struct national_entry *n, struct json *j)
{
	struct vkey key;
	bool event =
		n->kind == NATIONAL_ACT && (!strcmp(n->act, "redact") || !strcmp(n->act, "rotate"));

	json_time(j, "recorded", n->recorded);
	json_field_text(j, "kind",
			n->kind == NATIONAL_ACCEPTED ? "accepted"
			: n->kind == NATIONAL_ACT    ? n->act
						     : "unknown");
	json_field_text(j, "of", n->log.text);
	if (n->kind == NATIONAL_ACCEPTED) {
		json_field_uint(j, "from", n->from);
		json_field_uint(j, "size", n->size);
		return;
	}
	json_field_text(j, "by", n->by);
	json_field_text(j, "reason", n->reason);
	if (quoted_log(n, &key))
		json_field_text(j, "origin", key.name);
	if (event)
		json_field_uint(j, "event", n->index);
	else if (n->size)
		json_field_uint(j, "size", n->size);
}

void log_item_json(const struct log_item *item, struct buf *out)
{
	struct json j = json_to(out);

	json_open(&j, '{');
	json_field_text(&j, "log", item->log.text);
	json_field_uint(&j, "index", item->index);
	if (item->has_entry)
		json_field_uint(&j, "national", item->entry);
	else if (item->kind != ITEM_ENTRY)
		json_field_null(&j, "national");
	switch (item->kind) {
	case ITEM_EVENT:
		json_event(item, &j);
		break;
	case ITEM_REDACTED:
		json_redacted(item, &j);
		break;
	case ITEM_ENTRY:
		json_entry(&item->national, &j);
		break;
	case ITEM_UNREADABLE:
		json_field_text(&j, "unreadable", err_code(item->problem));
		break;
	}
	json_close(&j, '}');
	buf_add_text(out, "\n");
}
