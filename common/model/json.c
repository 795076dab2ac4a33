#include "model/json.h"

#include <inttypes.h>
#include <string.h>

#include "model/text.h"

enum { JSON_DEPTH_MAX = 63 };

struct json json_to(struct buf *out)
{
	return (struct json){.out = out};
}

/* A comma, when something came before in this bracket. */
static void before_value(struct json *j)
{
	uint64_t bit = UINT64_C(1) << j->depth;

	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (j->depth == 0)
		return;
	if (j->has_item & bit)
		buf_add_u8(j->out, ',');
	j->has_item |= bit;
}

void json_open(struct json *j, char bracket)
{
	before_value(j);
	if (j->depth == JSON_DEPTH_MAX) { /* deeper than the bits: the output is spoilt */
		j->out->failed = true;
		return;
	}
	buf_add_u8(j->out, (uint8_t)bracket);
	j->depth++;
	j->has_item &= ~(UINT64_C(1) << j->depth);
}

void json_close(struct json *j, char bracket)
{
	buf_add_u8(j->out, (uint8_t)bracket);
	if (j->depth > 0)
		j->depth--;
}

void json_key(struct json *j, const char *key)
{
	before_value(j);
	j->after_key = true;
	buf_add_u8(j->out, '"');
	buf_add_text(j->out, key); /* names of ours: nothing to escape */
	buf_add(j->out, "\":", 2);
}

/* The letter behind the backslash; 0 when there is no short form. */
static char short_escape(uint8_t c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

static void add_escaped(struct buf *out, uint8_t c)
{
	char letter = short_escape(c);

	if (letter) {
		buf_add_u8(out, '\\');
		buf_add_u8(out, (uint8_t)letter);
	} else {
		buf_printf(out, "\\u%04x", c);
	}
}

static bool plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void json_bytes_text(struct json *j, struct bytes text)
{
	size_t from = 0; /* what is not yet written */
	size_t at = 0;

	before_value(j);
	buf_add_u8(j->out, '"');
	while (at < text.size) {
		size_t size = 1;

		if (plain(text.data[at])) {
			at++;
			continue;
		}
		if (text.data[at] >= 0x80) {
			size = utf8_character(bytes_of(text.data + at, text.size - at));
			if (size) {
				at += size;
				continue;
			}
		}
		buf_add(j->out, text.data + from, at - from);
		if (text.data[at] < 0x80)
			add_escaped(j->out, text.data[at]);
		else
			buf_add_text(j->out, "\xef\xbf\xbd"); /* U+FFFD */
		from = ++at;
	}
	buf_add(j->out, text.data + from, at - from);
	buf_add_u8(j->out, '"');
}

void json_text(struct json *j, const char *text)
{
	json_bytes_text(j, bytes_of_text(text ? text : ""));
}

void json_uint(struct json *j, uint64_t x)
{
	before_value(j);
	buf_printf(j->out, "%" PRIu64, x);
}

void json_int(struct json *j, int64_t x)
{
	before_value(j);
	buf_printf(j->out, "%" PRId64, x);
}

void json_decimal(struct json *j, uint64_t x, unsigned digits)
{
	uint64_t one = 1;

	for (unsigned i = 0; i < digits; i++)
		one *= 10;
	before_value(j);
	buf_printf(j->out, "%" PRIu64 ".%0*" PRIu64, x / one, (int)digits, x % one);
}

void json_bool(struct json *j, bool x)
{
	before_value(j);
	buf_add_text(j->out, x ? "true" : "false");
}

void json_null(struct json *j)
{
	before_value(j);
	buf_add_text(j->out, "null");
}

void json_field_text(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	json_text(j, text);
}

void json_field_uint(struct json *j, const char *key, uint64_t x)
{
	json_key(j, key);
	json_uint(j, x);
}

void json_field_int(struct json *j, const char *key, int64_t x)
{
	json_key(j, key);
	json_int(j, x);
}

void json_field_bool(struct json *j, const char *key, bool x)
{
	json_key(j, key);
	json_bool(j, x);
}

/* ---- what the register is made of ---- */

void json_record(struct json *j, const struct record *r)
{
	const struct kind *kind = record_info(r);

	json_open(j, '{');
	for (size_t i = 0; kind && i < kind->field_count; i++) {
		const char *text = record_get(r, i);

		json_key(j, kind->fields[i].name);
		if (*text)
			json_text(j, text);
		else
			json_null(j);
	}
	json_close(j, '}');
}

void json_version(struct json *j, const struct version *v)
{
	const struct kind *kind = kind_of(v->change.kind);
	char recorded[25];

	wall_format(v->recorded, recorded);
	json_open(j, '{');
	json_field_text(j, "kind", kind ? kind->name : "");
	json_field_text(j, "id", v->change.id);
	json_field_text(j, "log", v->log.text);
	json_field_uint(j, "index", v->index);
	json_field_uint(j, "position", v->position);
	json_field_text(j, "recorded", recorded);
	json_field_text(j, "editor", v->editor);
	json_field_text(j, "reason", v->reason);
	json_field_text(j, "source", v->source);
	json_field_bool(j, "retired", v->change.retired);
	json_key(j, "supersedes");
	if (v->change.has_supersedes)
		json_uint(j, v->change.supersedes);
	else
		json_null(j);
	json_key(j, "record");
	if (v->change.record)
		json_record(j, v->change.record);
	else
		json_null(j);
	json_close(j, '}');
}
