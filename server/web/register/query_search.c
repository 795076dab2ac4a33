#include <string.h>

#include "register/fold.h"
#include "register/query_parts.h"

static size_t words_of(size_t bits)
{
	return bits / 64 + 1;
}

/* Marks the rows whose value in the column is among the texts. */
static void mark_rows(const struct run *x, size_t field, const uint64_t *texts, uint64_t *rows)
{
	const text_id *column = catalog_column(x->catalog, x->query->kind, field);

	for (size_t row = 0; row < x->rows; row++)
		rows[row / 64] |= (uint64_t)bit_is_set(texts, column[row]) << (row % 64);
}

/* The ids of the records of a kind whose name is among the texts. */
static void mark_ids(const struct run *x, enum record_kind kind, const uint64_t *texts,
		     uint64_t *ids)
{
	const text_id *names = catalog_column(x->catalog, kind, catalog_title_field(kind));
	const text_id *id = catalog_column(x->catalog, kind, 0);
	size_t count = catalog_count(x->catalog, kind);

	for (size_t row = 0; row < count; row++) {
		if (bit_is_set(texts, names[row]))
			bit_set(ids, id[row]);
	}
}

struct search {
	uint64_t *texts, *ids, *rows; /* bits */
};

static void search_word(struct run *x, struct search *s, struct bytes word)
{
	size_t texts = words_of(catalog_texts(x->catalog)) * sizeof(uint64_t);

	memset(s->texts, 0, texts);
	memset(s->rows, 0, words_of(x->rows) * sizeof(uint64_t));
	pool_search(catalog_pool(x->catalog), word, s->texts);
	for (size_t f = 0; f < x->kind->field_count; f++) {
		const struct field *field = &x->kind->fields[f];

		if (catalog_is_searched(field)) {
			mark_rows(x, f, s->texts, s->rows);
		} else if (field->type == FIELD_REF) {
			memset(s->ids, 0, texts);
			mark_ids(x, field->refers_to, s->texts, s->ids);
			mark_rows(x, f, s->ids, s->rows);
		}
	}
	for (size_t row = 0; row < x->rows; row++) {
		if (!bit_is_set(s->rows, row))
			x->state[row] = ROW_FAILS;
	}
}

static enum err search_words(struct run *x, struct bytes folded)
{
	size_t texts = words_of(catalog_texts(x->catalog)) * sizeof(uint64_t);
	struct search s = {arena_alloc(x->arena, texts), arena_alloc(x->arena, texts),
			   arena_alloc(x->arena, words_of(x->rows) * sizeof(uint64_t))};

	if (!s.texts || !s.ids || !s.rows)
		return ERR_NOMEM;
	for (size_t words = 0; folded.size && words < QUERY_WORDS_MAX; words++) {
		const uint8_t *space = memchr(folded.data, ' ', folded.size);
		size_t size = space ? (size_t)(space - folded.data) : folded.size;

		search_word(x, &s, bytes_of(folded.data, size));
		size += space != NULL;
		folded = bytes_of(folded.data + size, folded.size - size);
	}
	return ERR_OK;
}

enum err run_search(struct run *x)
{
	struct buf folded = {.data = NULL};
	enum err e = ERR_OK;

	if (!x->query->search || !*x->query->search)
		return ERR_OK;
	e = fold_text(bytes_of_text(x->query->search), &folded);
	if (e == ERR_OK && folded.size)
		e = search_words(x, buf_bytes(&folded));
	buf_free(&folded);
	return e;
}
