#include "register/query.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/text.h"
#include "register/fold.h"
#include "register/query_parts.h"

enum { SHOWN_MAX = 64 }; /* bytes of what was asked that an explanation repeats */

struct parse {
	const struct kind *kind;
	struct query *q;
	char *why;
	bool has_search, has_sort, has_limit, has_cursor, has_facets;
};

__attribute__((format(printf, 2, 3))) static enum err refuse(const struct parse *p,
							     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(p->why, TEXT_BYTES_MAX + 1, format, args);
	va_end(args);
	return ERR_INVALID;
}

/* How much of a text an explanation shows: whole characters. */
static int shown(const char *text)
{
	size_t size = strlen(text);
	size_t at = 0;

	while (at < size) {
		size_t character = utf8_character(bytes_of(text + at, size - at));

		if (!character || at + character > SHOWN_MAX)
			break;
		at += character;
	}
	return (int)at;
}

static int field_of(const struct parse *p, const char *name, size_t size)
{
	for (size_t f = 0; f < p->kind->field_count; f++) {
		const char *known = p->kind->fields[f].name;

		if (strlen(known) == size && memcmp(known, name, size) == 0)
			return (int)f;
	}
	return -1;
}

/* ---- filters ---- */

static enum err check_bound(const struct parse *p, const struct field *field, const char *value)
{
	uint8_t key[NUMBER_KEY_MAX];
	size_t size = 0;

	if (field->type == FIELD_UINT || field->type == FIELD_DECIMAL) {
		if (number_key(value, key, &size))
			return ERR_OK;
		return refuse(p, "%s: a bound is a number such as 12 or 49.5", field->name);
	}
	if (field->type != FIELD_DATE)
		return refuse(p, "%s: only dates and numbers have .from and .to", field->name);
	if (query_is_date(value))
		return ERR_OK;
	return refuse(p, "%s: a bound is a date such as 2026, 2026-11 or 2026-11-21", field->name);
}

/* The filter that another value goes to; NULL: there are too many. */
static struct filter *add_filter(struct query *q, size_t field, enum condition condition)
{
	struct filter *f = NULL;

	for (size_t i = 0; condition == IS_ANY_OF && i < q->filter_count; i++) {
		if (q->filters[i].field == field && q->filters[i].condition == IS_ANY_OF)
			return &q->filters[i];
	}
	if (q->filter_count == QUERY_FILTERS_MAX)
		return NULL;
	f = &q->filters[q->filter_count++];
	*f = (struct filter){.field = field, .condition = condition};
	return f;
}

static enum err parse_filter(const struct parse *p, const char *name, const char *value)
{
	static const struct {
		const char *suffix;
		enum condition condition;
	} suffixes[] = {{"", IS_ANY_OF}, {".from", IS_FROM}, {".to", IS_TO}, {".starts", STARTS}};
	size_t size = strcspn(name, ".");
	int field = field_of(p, name, size);
	struct filter *f = NULL;
	enum err e = ERR_OK;

	for (size_t i = 0; field >= 0 && i < sizeof suffixes / sizeof suffixes[0]; i++) {
		if (strcmp(name + size, suffixes[i].suffix) != 0)
			continue;
		if (suffixes[i].condition == IS_FROM || suffixes[i].condition == IS_TO)
			e = check_bound(p, &p->kind->fields[field], value);
		if (e != ERR_OK)
			return e;
		f = add_filter(p->q, (size_t)field, suffixes[i].condition);
		if (!f)
			return refuse(p, "more than %d conditions", QUERY_FILTERS_MAX);
		if (f->value_count == QUERY_VALUES_MAX)
			return refuse(p, "%s: more than %d values", p->kind->fields[field].name,
				      QUERY_VALUES_MAX);
		f->values[f->value_count++] = value;
		return ERR_OK;
	}
	return refuse(p,
		      "%.*s: no such parameter; there are q, sort, limit, cursor, facets and the "
		      "columns of %s, each also with .from, .to (dates, numbers) and .starts",
		      shown(name), name, p->kind->plural);
}

/* ---- the rest ---- */

static enum err parse_search(const struct parse *p, const char *value)
{
	struct buf folded = {.data = NULL};
	size_t words = 1;
	enum err e = ERR_OK;

	if (strlen(value) > QUERY_TEXT_MAX)
		return refuse(p, "q: more than %d bytes", QUERY_TEXT_MAX);
	e = fold_text(bytes_of_text(value), &folded);
	for (size_t i = 0; e == ERR_OK && i < folded.size; i++)
		words += folded.data[i] == ' ';
	buf_free(&folded);
	if (e != ERR_OK)
		return e;
	if (words > QUERY_WORDS_MAX)
		return refuse(p, "q: more than %d words", QUERY_WORDS_MAX);
	p->q->search = value;
	return ERR_OK;
}

static enum err parse_sort(const struct parse *p, const char *value)
{
	bool descending = value[0] == '-';
	int field = field_of(p, value + descending, strlen(value + descending));

	if (field < 0)
		return refuse(p, "sort: %s have no column \"%.*s\"", p->kind->plural, shown(value),
			      value);
	p->q->sort = (size_t)field;
	p->q->descending = descending;
	return ERR_OK;
}

static enum err parse_limit(const struct parse *p, const char *value)
{
	if (!all_digits(value) || strlen(value) > 6 || !digits_value(value, strlen(value)) ||
	    digits_value(value, strlen(value)) > QUERY_LIMIT_MAX)
		return refuse(p, "limit: a number from 1 to %d", QUERY_LIMIT_MAX);
	p->q->limit = digits_value(value, strlen(value));
	return ERR_OK;
}

static enum err parse_cursor(const struct parse *p, const char *value)
{
	if (!*value || strlen(value) > QUERY_CURSOR_MAX)
		return refuse(p, "cursor: none of this list; begin at the first page");
	p->q->cursor = value;
	return ERR_OK;
}

static enum err parse_facets(const struct parse *p, const char *value)
{
	while (*value) {
		size_t size = strcspn(value, ",");
		int field = field_of(p, value, size);

		if (field < 0)
			return refuse(p, "facets: %s have no column \"%.*s\"", p->kind->plural,
				      shown(value), value);
		for (size_t i = 0; i < p->q->facet_count; i++) {
			if (p->q->facets[i] == (size_t)field)
				return refuse(p, "facets: %s is there twice",
					      p->kind->fields[field].name);
		}
		if (p->q->facet_count == QUERY_FACETS_MAX)
			return refuse(p, "facets: more than %d", QUERY_FACETS_MAX);
		p->q->facets[p->q->facet_count++] = (size_t)field;
		value += size;
		value += *value == ',';
	}
	return ERR_OK;
}

static enum err parse_one(struct parse *p, const char *name, const char *value)
{
	const struct {
		const char *name;
		bool *seen;
		enum err (*parse)(const struct parse *p, const char *value);
	} once[] = {
		{"q", &p->has_search, parse_search},      {"sort", &p->has_sort, parse_sort},
		{"limit", &p->has_limit, parse_limit},    {"cursor", &p->has_cursor, parse_cursor},
		{"facets", &p->has_facets, parse_facets},
	};

	for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
		if (strcmp(name, once[i].name) != 0)
			continue;
		if (*once[i].seen)
			return refuse(p, "%s: there twice", once[i].name);
		*once[i].seen = true;
		return once[i].parse(p, value);
	}
	return parse_filter(p, name, value);
}

static bool is_among(const char *name, const char *const *names)
{
	for (; names && *names; names++) {
		if (strcmp(*names, name) == 0)
			return true;
	}
	return false;
}

enum err query_parse(enum record_kind kind, const char *const *names, const char *const *values,
		     size_t count, const char *const *ignored, struct query *ret, char *why)
{
	struct parse p = {.kind = kind_of(kind), .q = ret, .why = why};
	enum err e = ERR_OK;

	if (!p.kind)
		return ERR_ARGUMENT;
	*ret = (struct query){
		.kind = kind, .limit = QUERY_LIMIT, .sort = catalog_title_field(kind)};
	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		if (!is_among(names[i], ignored))
			e = parse_one(&p, names[i], values[i]);
	}
	return e;
}
