/* The register of tests/data/register, read cell by cell. */
#ifndef SPLOT_TESTS_LEDGER_SAMPLE_H
#define SPLOT_TESTS_LEDGER_SAMPLE_H

#include "ledger_fixture.h"

/* One CSV cell into `cell`; true when it was the last of its row. */
static inline bool read_cell(struct cursor *c, struct buf *cell)
{
	bool quoted = cursor_left(c) && *c->at == '"';

	buf_clear(cell);
	if (quoted)
		(void)cursor_u8(c);
	while (cursor_left(c)) {
		uint8_t x = cursor_u8(c);

		if (quoted && x == '"') {
			if (cursor_left(c) && *c->at == '"')
				buf_add_u8(cell, cursor_u8(c));
			else
				quoted = false;
		} else if (!quoted && x == ',') {
			return false;
		} else if (!quoted && x == '\n') {
			return true;
		} else if (quoted || x != '\r') {
			buf_add_u8(cell, x);
		}
	}
	return true;
}

static inline struct bytes sample(struct fixture *f, const char *name)
{
	char path[512];
	struct buf raw = {.data = NULL};
	struct bytes kept;
	FILE *file = NULL;
	int c = 0;

	(void)snprintf(path, sizeof path, "%s/tests/data/register/%s.csv", SPLOT_SOURCE, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	while ((c = fgetc(file)) != EOF)
		buf_add_u8(&raw, (uint8_t)c);
	assert_int_equal(fclose(file), 0);
	kept = bytes_of(arena_text(&f->arena, buf_bytes(&raw)), raw.size);
	buf_free(&raw);
	return kept;
}

#endif
