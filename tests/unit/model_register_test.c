/* The real register as a test: every row of tests/data/register is valid, survives the
 * event codec unchanged, and most ids are the ones that would be minted. */
#include "model/validate.h"

#include "model_support.h"

#include <stdio.h>

#include "base/limits.h"

enum { COLUMNS_MAX = 64, ROWS_MIN = 200 };

struct file {
	struct buf text;
	size_t at;
};

static void read_file(const char *name, struct file *ret)
{
	char path[512];
	uint8_t block[4096];
	size_t size = 0;
	FILE *f = NULL;

	(void)snprintf(path, sizeof path, "%s/tests/data/register/%s.csv", SPLOT_SOURCE, name);
	f = fopen(path, "rb");
	if (!f)
		fail_msg("%s is missing", path);
	while ((size = fread(block, 1, sizeof block, f)) > 0)
		buf_add(&ret->text, block, size);
	(void)fclose(f);
}

/* One cell into `cell`; false when it was the last of its row. */
static bool read_cell(struct file *f, struct buf *cell)
{
	const char *text = buf_text(&f->text);
	bool quoted = text[f->at] == '"';

	buf_clear(cell);
	f->at += quoted;
	while (f->at < f->text.size) {
		char c = text[f->at++];

		if (quoted && c == '"') {
			if (text[f->at] != '"') {
				quoted = false;
				continue;
			}
			f->at++;
		} else if (!quoted && c == ',') {
			return true;
		} else if (!quoted && c == '\r') {
			f->at++; /* and the LF */
			return false;
		}
		buf_add_u8(cell, (uint8_t)c);
	}
	return false;
}

static bool read_record(struct file *f, const struct kind *kind, const int *columns,
			struct arena *arena, struct record **ret)
{
	struct buf cell = {0};
	size_t column = 0;
	bool more = true;

	if (f->at >= f->text.size)
		return false;
	*ret = record_new(arena, kind->kind);
	while (more) {
		more = read_cell(f, &cell);
		assert_ok(record_set(*ret, arena, (size_t)columns[column++], buf_bytes(&cell)));
	}
	assert_int_equal(column, kind->field_count);
	buf_free(&cell);
	return true;
}

static void read_header(struct file *f, const struct kind *kind, int *columns)
{
	struct buf cell = {0};
	size_t count = 0;
	bool more = true;

	while (more) {
		more = read_cell(f, &cell);
		assert_true(count < COLUMNS_MAX);
		columns[count] = field_named(kind, buf_text(&cell));
		assert_int_equal(columns[count], count); /* the order of the schema */
		count++;
	}
	assert_int_equal(count, kind->field_count);
	buf_free(&cell);
}

static bool never_taken(void *context, const char *id)
{
	(void)context;
	(void)id;
	return false;
}

struct counts {
	size_t rows;
	size_t minted;
};

static void check_record(struct record *r, struct arena *arena, struct counts *counts)
{
	struct problems problems = {0};
	struct buf raw = {0};
	const char *id = record_get_named(r, "id");
	int owner = id_owner(bytes_of_text(id));
	struct change change = {.id = id, .kind = record_kind(r), .record = r};
	struct event e = {.editor = "e01",
			  .reason = "import",
			  .source = "register",
			  .change_count = 1,
			  .changes = &change};
	struct event back;

	assert_ok(validate_event(&e, owner, NULL, arena, &problems));
	if (problems.count)
		fail_msg("%s, %s = \"%s\": %s", id, problems.items[0].column,
			 problems.items[0].value, problems.items[0].code);
	assert_int_equal(kind_of_id(bytes_of_text(id)), record_kind(r));
	assert_ok(event_encode(&e, arena, &raw));
	assert_ok(event_decode(buf_bytes(&raw), arena, &back));
	assert_ok(event_check_owner(&back, owner));
	assert_true(record_same(back.changes[0].record, r));
	buf_clear(&raw);
	counts->rows++;
	if (id_mint(r, never_taken, NULL, &raw) == ERR_OK && strcmp(buf_text(&raw), id) == 0)
		counts->minted++;
	buf_free(&raw);
}

static void the_whole_register_is_valid_and_survives_the_codec(void **state)
{
	struct counts counts = {0, 0};
	struct arena arena = {0};

	(void)state;
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++) {
		const struct kind *kind = kind_of((enum record_kind)k);
		int columns[COLUMNS_MAX] = {0};
		struct file f = {.at = 0};
		struct record *r = NULL;

		read_file(kind->plural, &f);
		read_header(&f, kind, columns);
		while (read_record(&f, kind, columns, &arena, &r))
			check_record(r, &arena, &counts);
		buf_free(&f.text);
	}
	assert_true(counts.rows >= ROWS_MIN);
	print_message("%zu rows, of which %zu have the id that would be minted\n", counts.rows,
		      counts.minted);
	assert_true(counts.minted * 4 >= counts.rows * 3);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_register_is_valid_and_survives_the_codec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
