#include "admin/csv/finding.h"

#include <stdlib.h>
#include <string.h>

#include "admin/text.h"

enum err findings_add(struct findings *fs, const struct finding *f)
{
	if (fs->count == fs->capacity) {
		size_t capacity = fs->capacity ? 2 * fs->capacity : 64;
		struct finding *items = reallocarray(fs->items, capacity, sizeof *items);

		if (!items)
			return ERR_NOMEM;
		fs->items = items;
		fs->capacity = capacity;
	}
	fs->items[fs->count++] = *f;
	return ERR_OK;
}

void findings_free(struct findings *fs)
{
	free(fs->items);
	*fs = (struct findings){0};
}

static int compare(const void *a, const void *b)
{
	const struct finding *x = a;
	const struct finding *y = b;
	int order = strcmp(x->file, y->file);

	return order ? order : (x->row > y->row) - (x->row < y->row);
}

void findings_sort(struct findings *fs)
{
	if (fs->count > 1)
		qsort(fs->items, fs->count, sizeof *fs->items, compare);
}

bool findings_has(const struct findings *fs, const char *file, size_t row, const char *column)
{
	for (size_t i = fs->count; i-- > 0;) {
		const struct finding *f = &fs->items[i];

		if (f->row == row && !strcmp(f->column, column) && !strcmp(f->file, file))
			return true;
	}
	return false;
}

void finding_print(const struct finding *f, bool polish, struct buf *out)
{
	text_escape(out, f->file);
	if (f->row)
		buf_printf(out, polish ? ", wiersz %zu" : ", row %zu", f->row);
	if (*f->column) {
		buf_add_text(out, ", ");
		text_escape(out, f->column);
	}
	if (*f->value) {
		buf_add_text(out, " \"");
		text_escape(out, f->value);
		buf_add_text(out, "\"");
	}
	buf_add_text(out, ": ");
	text_escape(out, polish ? f->text_pl : f->text_en);
	buf_printf(out, " [%s]\n", f->code);
}

void finding_json(const struct finding *f, bool polish, struct json *j)
{
	json_open(j, '{');
	json_field_text(j, "file", f->file);
	json_field_uint(j, "row", f->row);
	json_field_text(j, "column", f->column);
	json_field_text(j, "value", f->value);
	json_field_text(j, "code", f->code);
	json_field_text(j, "text", polish ? f->text_pl : f->text_en);
	json_field_text(j, "text_pl", f->text_pl);
	json_field_text(j, "text_en", f->text_en);
	json_close(j, '}');
}
