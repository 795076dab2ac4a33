#include <stdlib.h>
#include <string.h>

#include "register/fold.h"
#include "register/query_parts.h"

/* One row in so many: then looking at rows is less work than at all texts. */
enum { FEW = 32 };

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

struct word {
	struct bytes text;
	size_t often; /* in a sample */
};
struct search {
	struct word words[QUERY_WORDS_MAX];
	size_t word_count;
	uint64_t *texts, *ids, *rows; /* bits */
};

/* Looks the word up among all texts, then which rows have them. */
static void search_texts(struct run *x, struct search *s, struct bytes word)
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

static bool row_has(const struct run *x, size_t row, struct bytes word)
{
	const struct pool *pool = catalog_pool(x->catalog);
	bool has = false;

	for (size_t f = 0; f < x->kind->field_count && !has; f++) {
		const struct field *field = &x->kind->fields[f];
		text_id text = catalog_value(x->catalog, x->query->kind, row, f);

		if (catalog_is_searched(field)) {
			has = pool_has(pool, text, word);
		} else if (field->type == FIELD_REF && text) {
			size_t other = catalog_row(x->catalog, field->refers_to, text);
			size_t name = catalog_title_field(field->refers_to);

			has = other != SIZE_MAX &&
			      pool_has(pool,
				       catalog_value(x->catalog, field->refers_to, other, name),
				       word);
		}
	}
	return has;
}

/* Looks only at the rows that are left. */
static void search_rows(struct run *x, struct bytes word)
{
	for (size_t row = 0; row < x->rows; row++) {
		if (x->state[row] != ROW_FAILS && !row_has(x, row, word))
			x->state[row] = ROW_FAILS;
	}
}

static size_t rows_left(const struct run *x)
{
	size_t left = 0;

	for (size_t row = 0; row < x->rows; row++)
		left += x->state[row] != ROW_FAILS;
	return left;
}

static bool begins_with(struct bytes text, struct bytes prefix)
{
	return text.size >= prefix.size && memcmp(text.data, prefix.data, prefix.size) == 0;
}

/* A word that begins another one asks nothing that the other does not. */
static void add_word(const struct run *x, struct search *s, struct bytes text)
{
	struct word word = {text, pool_sample(catalog_pool(x->catalog), text)};
	size_t kept = 0;

	for (size_t i = 0; i < s->word_count; i++) {
		if (begins_with(s->words[i].text, text))
			return;
	}
	for (size_t i = 0; i < s->word_count; i++) {
		if (!begins_with(text, s->words[i].text))
			s->words[kept++] = s->words[i];
	}
	s->word_count = kept;
	if (s->word_count < QUERY_WORDS_MAX)
		s->words[s->word_count++] = word;
}

static int compare_words(const void *a, const void *b)
{
	const struct word *x = a;
	const struct word *y = b;

	if (x->often != y->often)
		return x->often < y->often ? -1 : 1;
	return x->text.size > y->text.size ? -1 : x->text.size < y->text.size;
}

static enum err search_words(struct run *x, struct bytes folded)
{
	size_t texts = words_of(catalog_texts(x->catalog)) * sizeof(uint64_t);
	struct search s = {
		.texts = arena_alloc(x->arena, texts),
		.ids = arena_alloc(x->arena, texts),
		.rows = arena_alloc(x->arena, words_of(x->rows) * sizeof(uint64_t)),
	};

	if (!s.texts || !s.ids || !s.rows)
		return ERR_NOMEM;
	while (folded.size) {
		const uint8_t *space = memchr(folded.data, ' ', folded.size);
		size_t size = space ? (size_t)(space - folded.data) : folded.size;

		add_word(x, &s, bytes_of(folded.data, size));
		size += space != NULL;
		folded = bytes_of(folded.data + size, folded.size - size);
	}
	qsort(s.words, s.word_count, sizeof *s.words, compare_words);
	for (size_t i = 0; i < s.word_count; i++) {
		if (rows_left(x) <= x->rows / FEW)
			search_rows(x, s.words[i].text);
		else
			search_texts(x, &s, s.words[i].text);
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
