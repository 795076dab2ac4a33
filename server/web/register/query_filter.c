#include <string.h>

#include "model/text.h"
#include "register/query_parts.h"

enum { NOT_TESTED = 0, HOLDS = 1, HOLDS_NOT = 2 };

bool query_is_date(const char *text)
{
	size_t size = strlen(text);

	if (size != 4 && size != 7 && size != 10)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (i == 4 || i == 7 ? text[i] != '-' : !is_digit(text[i]))
			return false;
	}
	return true;
}

/* Dates are compared as far as both go. */
static bool date_in_range(const char *date, const char *bound, bool from)
{
	size_t size = strlen(date);
	size_t bound_size = strlen(bound);
	int order = 0;

	if (!query_is_date(date) || !query_is_date(bound))
		return false;
	order = memcmp(date, bound, size < bound_size ? size : bound_size);
	return from ? order >= 0 : order <= 0;
}

static bool number_in_range(const char *number, const char *bound, bool from)
{
	uint8_t a[NUMBER_KEY_MAX];
	uint8_t b[NUMBER_KEY_MAX];
	size_t a_size = 0;
	size_t b_size = 0;
	int order = 0;

	if (!number_key(number, a, &a_size) || !number_key(bound, b, &b_size))
		return false;
	order = bytes_compare(bytes_of(a, a_size), bytes_of(b, b_size));
	return from ? order >= 0 : order <= 0;
}

static bool holds(const struct filter *f, enum field_type type, const char *text)
{
	switch (f->condition) {
	case STARTS:
		return strncmp(text, f->values[0], strlen(f->values[0])) == 0;
	case IS_FROM:
	case IS_TO:
		if (type == FIELD_DATE)
			return date_in_range(text, f->values[0], f->condition == IS_FROM);
		return number_in_range(text, f->values[0], f->condition == IS_FROM);
	case IS_ANY_OF:
		break;
	}
	return false;
}

/* The texts that are among the values, so that no other text is looked at. */
static void mark_values(const struct run *x, const struct filter *f, uint8_t *by_text)
{
	memset(by_text, HOLDS_NOT, catalog_texts(x->catalog));
	for (size_t i = 0; i < f->value_count; i++) {
		text_id text = catalog_lookup(x->catalog, f->values[i]);

		if (text || !*f->values[i])
			by_text[text] = HOLDS;
	}
}

static void run_filter(struct run *x, const struct filter *f, uint8_t *by_text)
{
	const text_id *column = catalog_column(x->catalog, x->query->kind, f->field);
	enum field_type type = x->kind->fields[f->field].type;
	uint8_t fails_here = (uint8_t)(f->field + 1);

	if (f->condition == IS_ANY_OF)
		mark_values(x, f, by_text);
	else
		memset(by_text, NOT_TESTED, catalog_texts(x->catalog));
	for (size_t row = 0; row < x->rows; row++) {
		uint8_t *known = &by_text[column[row]];

		if (*known == NOT_TESTED)
			*known = holds(f, type, catalog_of(x->catalog, column[row])) ? HOLDS
										     : HOLDS_NOT;
		if (*known == HOLDS)
			continue;
		if (x->state[row] == ROW_PASSES)
			x->state[row] = fails_here;
		else if (x->state[row] != fails_here)
			x->state[row] = ROW_FAILS;
	}
}

enum err run_filters(struct run *x)
{
	const struct query *q = x->query;
	uint8_t *by_text = NULL;

	if (q->filter_count == 0)
		return ERR_OK;
	by_text = arena_alloc(x->arena, catalog_texts(x->catalog));
	if (!by_text)
		return ERR_NOMEM;
	for (size_t i = 0; i < q->filter_count; i++)
		run_filter(x, &q->filters[i], by_text);
	return ERR_OK;
}
