#include "admin/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* One character of the text: its bytes (at least 1 before the end) and code point,
 * negative when the bytes are not UTF-8. */
static size_t next_character(const char *text, utf8proc_int32_t *ret)
{
	utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, ret);

	if (size >= 1)
		return (size_t)size;
	*ret = -1;
	return 1;
}

size_t text_width(const char *text)
{
	size_t width = 0;

	while (*text) {
		utf8proc_int32_t c = 0;

		text += next_character(text, &c);
		width += c < 0 ? 1 : (size_t)utf8proc_charwidth(c);
	}
	return width;
}

static bool harmless(utf8proc_int32_t c)
{
	return c >= 0x20 && (c < 0x7f || c > 0x9f) && !(c >= 0x200b && c <= 0x200f) &&
	       !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff;
}

void text_escape(struct buf *out, const char *text)
{
	while (*text) {
		utf8proc_int32_t c = 0;
		size_t size = next_character(text, &c);

		if (harmless(c))
			buf_add(out, text, size);
		else if (c == '\n')
			buf_add_text(out, "\\n");
		else if (c == '\r')
			buf_add_text(out, "\\r");
		else if (c == '\t')
			buf_add_text(out, "\\t");
		else if (c > 0x7f)
			buf_printf(out, "\\u%04x", (unsigned)c);
		else
			buf_printf(out, "\\x%02x", (unsigned)(unsigned char)*text);
		text += size;
	}
}

const char *text_in(struct arena *arena, const char *format, ...)
{
	struct buf text = {0};
	char *raw = NULL;
	va_list args;
	int size = 0;
	const char *copy = NULL;

	va_start(args, format);
	size = vasprintf(&raw, format, args);
	va_end(args);
	if (size >= 0) {
		buf_add(&text, raw, (size_t)size);
		copy = arena_text(arena, buf_bytes(&text));
		free(raw);
	}
	buf_free(&text);
	return copy ? copy : "";
}

bool text_number(const char *text, uint64_t *ret)
{
	uint64_t number = 0;

	for (const char *digit = text; *digit; digit++)
		if (*digit < '0' || *digit > '9' ||
		    __builtin_mul_overflow(number, (uint64_t)10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*digit - '0'), &number))
			return false;
	if (!number)
		return false;
	*ret = number;
	return true;
}

const char *text_count(struct arena *arena, uint64_t count, const char *one, const char *many)
{
	return text_in(arena, "%llu %s", (unsigned long long)count, count == 1 ? one : many);
}

struct text_table table_in(struct arena *arena)
{
	return (struct text_table){.arena = arena};
}

void table_column(struct text_table *t, const char *title, enum text_align align)
{
	if (t->column_count == TABLE_COLUMNS_MAX) {
		t->failed = true;
		return;
	}
	t->titles[t->column_count] = title;
	t->aligns[t->column_count++] = align;
}

void table_cell(struct text_table *t, const char *text)
{
	struct buf safe = {0};

	if (t->cell_count == t->capacity) {
		size_t capacity = t->capacity ? 2 * t->capacity : 256;
		const char **cells = reallocarray(t->cells, capacity, sizeof *cells);

		if (!cells) {
			t->failed = true;
			return;
		}
		t->cells = cells;
		t->capacity = capacity;
	}
	text_escape(&safe, text);
	t->cells[t->cell_count] = arena_text(t->arena, buf_bytes(&safe));
	if (!t->cells[t->cell_count])
		t->failed = true;
	else
		t->cell_count++;
	buf_free(&safe);
}

void table_cell_uint(struct text_table *t, uint64_t x)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)x);
	table_cell(t, text);
}

static void print_padded(struct buf *out, const char *text, size_t width, enum text_align align,
			 bool last)
{
	size_t own = text_width(text);
	size_t pad = width > own ? width - own : 0;

	if (align == ALIGN_LEFT)
		buf_add_text(out, text);
	for (size_t i = 0; i < pad && !(last && align == ALIGN_LEFT); i++)
		buf_add_text(out, " ");
	if (align == ALIGN_RIGHT)
		buf_add_text(out, text);
}

static void print_row(const struct text_table *t, const char *const *cells, const size_t *widths,
		      const char *indent, struct buf *out)
{
	size_t last = t->column_count;

	while (last > 1 && !*cells[last - 1]) /* no blanks at the end of a line */
		last--;
	buf_add_text(out, indent);
	for (size_t c = 0; c < last; c++) {
		if (c)
			buf_add_text(out, "  ");
		print_padded(out, cells[c], widths[c], t->aligns[c], c + 1 == last);
	}
	buf_add_text(out, "\n");
}

void table_print(struct text_table *t, const char *indent, struct buf *out)
{
	size_t widths[TABLE_COLUMNS_MAX] = {0};

	if (!t->column_count)
		return;
	for (size_t c = 0; c < t->column_count; c++)
		widths[c] = text_width(t->titles[c]);
	for (size_t i = 0; i < t->cell_count; i++) {
		size_t width = text_width(t->cells[i]);

		if (width > widths[i % t->column_count])
			widths[i % t->column_count] = width;
	}
	print_row(t, t->titles, widths, indent, out);
	for (size_t i = 0; i + t->column_count <= t->cell_count; i += t->column_count)
		print_row(t, t->cells + i, widths, indent, out);
	out->failed = out->failed || t->failed;
	free(t->cells);
	*t = (struct text_table){.arena = t->arena};
}
