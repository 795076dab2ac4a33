#include "admin/log/difference.h"

#include <string.h>

#include "admin/text.h"

static const struct record *comparable(const struct record *before, const struct record *after)
{
	return before && after && record_kind(before) == record_kind(after) ? before : NULL;
}

bool difference_next(const struct record *before, const struct record *after, size_t *at,
		     struct difference *ret)
{
	const struct kind *kind = after ? record_info(after) : NULL;
	const struct record *old = comparable(before, after);

	while (kind && *at < kind->field_count) {
		size_t field = (*at)++;
		const char *from = old ? record_get(old, field) : "";
		const char *to = record_get(after, field);

		if (kind->fields[field].type == FIELD_ID || !strcmp(from, to))
			continue;
		*ret = (struct difference){&kind->fields[field], from, to};
		return true;
	}
	return false;
}

bool difference_has(const struct record *before, const struct record *after, const char *field)
{
	struct difference d;
	size_t at = 0;

	while (difference_next(before, after, &at, &d))
		if (!strcmp(d.field->name, field))
			return true;
	return false;
}

static void quoted(const char *text, struct buf *out)
{
	buf_add_text(out, "\"");
	text_escape(out, text);
	buf_add_text(out, "\"");
}

void difference_print(const struct record *before, const struct record *after, const char *indent,
		      struct buf *out)
{
	struct difference d;
	size_t at = 0;

	while (difference_next(before, after, &at, &d)) {
		buf_printf(out, "%s%s: ", indent, d.field->name);
		if (comparable(before, after)) {
			quoted(d.from, out);
			buf_add_text(out, " -> ");
		}
		quoted(d.to, out);
		buf_add_text(out, "\n");
	}
}

void difference_json(const struct record *before, const struct record *after, bool before_known,
		     struct json *j)
{
	struct difference d;
	size_t at = 0;

	json_open(j, '[');
	while (difference_next(before, after, &at, &d)) {
		json_open(j, '{');
		json_field_text(j, "field", d.field->name);
		json_key(j, "from");
		if (before_known)
			json_text(j, d.from);
		else
			json_null(j);
		json_field_text(j, "to", d.to);
		json_close(j, '}');
	}
	json_close(j, ']');
}
