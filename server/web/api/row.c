#include "api/row.h"

#include <string.h>

#include "api/pieces.h"

void write_row(struct json *j, const struct catalog *c, enum record_kind kind, size_t row)
{
	const struct kind *info = kind_of(kind);

	json_open(j, '{');
	for (size_t f = 0; info && f < info->field_count; f++)
		write_or_null(j, info->fields[f].name, catalog_text(c, kind, row, f));
	write_version(j, "version", catalog_origin(c, kind, row));
	json_close(j, '}');
}

/* ---- CSV ---- */

/* "-5", "+0.5", "12,7": digits with at most one point or comma inside. */
static bool is_number(const char *text)
{
	size_t digits = 0;

	text += *text == '-' || *text == '+';
	digits = strspn(text, "0123456789");
	if (!digits)
		return false;
	text += digits;
	if (*text == '.' || *text == ',') {
		digits = strspn(++text, "0123456789");
		text += digits;
	}
	return digits && !*text;
}

static bool is_formula(const char *text)
{
	return *text && strchr("=+-@\t\r\n", *text) && !is_number(text);
}

static void add_cell(struct buf *out, const char *text)
{
	bool formula = is_formula(text);

	if (!formula && !strpbrk(text, ",\"\r\n")) {
		buf_add_text(out, text);
		return;
	}
	buf_add_text(out, formula ? "\"'" : "\"");
	while (*text) {
		size_t plain = strcspn(text, "\"");

		buf_add(out, text, plain);
		text += plain;
		if (*text) {
			buf_add_text(out, "\"\"");
			text++;
		}
	}
	buf_add_u8(out, '"');
}

void csv_header(struct buf *out, const struct kind *kind)
{
	for (size_t f = 0; f < kind->field_count; f++) {
		if (f)
			buf_add_u8(out, ',');
		buf_add_text(out, kind->fields[f].name);
	}
	buf_add_text(out, "\r\n");
}

void csv_row(struct buf *out, const struct catalog *c, enum record_kind kind, size_t row)
{
	const struct kind *info = kind_of(kind);

	for (size_t f = 0; info && f < info->field_count; f++) {
		if (f)
			buf_add_u8(out, ',');
		add_cell(out, catalog_text(c, kind, row, f));
	}
	buf_add_text(out, "\r\n");
}
