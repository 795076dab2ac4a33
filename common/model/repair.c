/* What a spreadsheet does to a cell, undone where only one reading is left. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "model/field_rules.h"
#include "model/text.h"

enum { CELL_BYTES_MAX = 128 }; /* longer cells of typed columns are no such damage */

/* ---- a cell without what stands around it ---- */

static const char *const blanks[] = {" ", "\t", "\xc2\xa0", "\xe2\x80\xaf"};

static size_t blank_at(const char *text)
{
	for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
		if (strncmp(text, blanks[i], strlen(blanks[i])) == 0)
			return strlen(blanks[i]);
	}
	return 0;
}

/* Spaces at the ends, the apostrophe that forces text, and ="…". */
static void strip(struct bytes text, char cell[static CELL_BYTES_MAX])
{
	const char *at = NULL;
	size_t size = 0;

	memcpy(cell, text.data, text.size);
	cell[text.size] = 0;
	for (at = cell; blank_at(at) > 0;)
		at += blank_at(at);
	if (*at == '\'')
		at++;
	size = strlen(at);
	if (size > 3 && strncmp(at, "=\"", 2) == 0 && at[size - 1] == '"') {
		at += 2;
		size -= 3;
	}
	memmove(cell, at, size);
	cell[size] = 0;
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
			size_t width = strlen(blanks[i]);

			if (size >= width && strcmp(cell + size - width, blanks[i]) == 0) {
				size -= width;
				cell[size] = 0;
				more = true;
			}
		}
	}
}

/* Copies without blanks and without any of `also`. */
static void without(const char *text, const char *also, char to[static CELL_BYTES_MAX])
{
	size_t size = 0;

	while (*text) {
		size_t blank = blank_at(text);

		if (blank > 0 || strchr(also, *text)) {
			text += blank > 0 ? blank : 1;
			continue;
		}
		to[size++] = *text++;
	}
	to[size] = 0;
}

/* 1.23E+10: the digits behind are gone. */
static bool scientific(const char *text)
{
	size_t whole = strspn(text, "0123456789.,");

	return whole > 0 && (text[whole] == 'E' || text[whole] == 'e') &&
	       (text[whole + 1] == '+' || text[whole + 1] == '-') && all_digits(text + whole + 2);
}

/* ---- numbers with a fixed width ---- */

/* Zeros in front up to `width`, when at least `least` digits are left. */
static void pad(const char *digits, size_t least, size_t width, char to[static CELL_BYTES_MAX])
{
	size_t size = strlen(digits);

	to[0] = 0;
	if (!all_digits(digits) || size < least || size >= width)
		return;
	memset(to, '0', width - size);
	memcpy(to + width - size, digits, size + 1);
}

static enum repair repair_region(const char *cell, char to[static CELL_BYTES_MAX])
{
	if (strcasecmp(cell, "PL") == 0)
		memcpy(to, "PL", 3);
	else
		pad(cell, 1, 2, to);
	return REPAIR_DONE;
}

static enum repair repair_teryt4(const char *cell, char to[static CELL_BYTES_MAX])
{
	pad(cell, 3, 4, to);
	return REPAIR_DONE;
}

static enum repair repair_teryt7(const char *cell, char to[static CELL_BYTES_MAX])
{
	pad(cell, 6, 7, to);
	return REPAIR_DONE;
}

static enum repair repair_krs(const char *cell, char to[static CELL_BYTES_MAX])
{
	char digits[CELL_BYTES_MAX];

	if (scientific(cell))
		return REPAIR_UNSURE;
	without(cell, "", digits);
	pad(digits, 4, 10, to); /* numbers are given out in order: there are no shorter ones */
	if (!*to)
		memcpy(to, digits, strlen(digits) + 1);
	return REPAIR_DONE;
}

static enum repair repair_nip(const char *cell, char to[static CELL_BYTES_MAX])
{
	if (scientific(cell))
		return REPAIR_UNSURE;
	without(strncasecmp(cell, "PL", 2) == 0 ? cell + 2 : cell, "-", to);
	return REPAIR_DONE;
}

/* The check digit tells whether the zeros were there. */
static enum repair repair_regon(const char *cell, char to[static CELL_BYTES_MAX])
{
	char digits[CELL_BYTES_MAX];

	if (scientific(cell))
		return REPAIR_UNSURE;
	without(cell, "-", digits);
	pad(digits, strlen(digits) > 9 ? 12 : 7, strlen(digits) > 9 ? 14 : 9, to);
	if (!*to)
		memcpy(to, digits, strlen(digits) + 1);
	return REPAIR_DONE;
}

static enum repair repair_postcode(const char *cell, char to[static CELL_BYTES_MAX])
{
	char digits[CELL_BYTES_MAX];

	without(cell, "-\xe2\x80\x93", digits); /* also a dash instead of the hyphen */
	if (strlen(digits) == 5 && all_digits(digits))
		(void)snprintf(to, CELL_BYTES_MAX, "%.2s-%.3s", digits, digits + 2);
	return all_digits(digits) && strlen(digits) == 4 ? REPAIR_UNSURE : REPAIR_DONE;
}

/* ---- figures ---- */

/* "1 234 567,50": groups of three behind the first; the fraction is copied as it is. */
static bool grouped(const char *text, char to[static CELL_BYTES_MAX])
{
	size_t size = 0;
	size_t group = 0;
	size_t gaps = 0;

	while (*text && *text != '.' && *text != ',') {
		size_t blank = blank_at(text);

		if (blank == 0) {
			to[size++] = *text++;
			group++;
			continue;
		}
		if (group == 0 || group > 3 || (gaps > 0 && group != 3))
			return false;
		text += blank;
		group = 0;
		gaps++;
	}
	memcpy(to + size, text, strlen(text) + 1);
	return gaps == 0 || group == 3;
}

static bool three_digits(const char *text)
{
	return strlen(text) == 3 && all_digits(text);
}

static bool only_zeros(const char *text)
{
	return *text && strspn(text, "0") == strlen(text);
}

static enum repair repair_uint(const char *cell, char to[static CELL_BYTES_MAX])
{
	char digits[CELL_BYTES_MAX];
	size_t point = 0;

	if (scientific(cell))
		return REPAIR_UNSURE;
	if (!grouped(cell, digits))
		return REPAIR_NONE;
	point = strcspn(digits, ".,");
	if (digits[point]) {
		if (three_digits(digits + point + 1))
			return REPAIR_UNSURE; /* 1.234: thousands, or a fraction? */
		if (!only_zeros(digits + point + 1))
			return REPAIR_NONE;
		digits[point] = 0;
	}
	memcpy(to, digits, strlen(digits) + 1);
	return REPAIR_DONE;
}

/* Both marks: the first stands between thousands, the last before the fraction. */
static bool thousands_and_fraction(const char *text, char first, char last,
				   char to[static CELL_BYTES_MAX])
{
	const char *fraction = strchr(text, last);
	size_t size = 0;
	size_t group = 0;
	bool after_mark = false;

	if (!fraction || strchr(fraction + 1, last) || strchr(fraction, first))
		return false;
	for (const char *at = text; at <= fraction; at++) {
		if (*at == first || *at == last) {
			if (after_mark ? group != 3 : group == 0 || group > 3)
				return false;
			after_mark = true;
			group = 0;
		} else {
			group++;
			to[size++] = *at;
		}
	}
	(void)snprintf(to + size, CELL_BYTES_MAX - size, ".%s", fraction + 1);
	return true;
}

static enum repair repair_decimal(const char *cell, char to[static CELL_BYTES_MAX])
{
	char digits[CELL_BYTES_MAX];
	char *comma = NULL;

	if (scientific(cell))
		return REPAIR_UNSURE;
	if (strchr(cell, ',') && strchr(cell, '.')) {
		bool comma_last = strrchr(cell, ',') > strrchr(cell, '.');

		if (!thousands_and_fraction(cell, comma_last ? '.' : ',', comma_last ? ',' : '.',
					    to))
			to[0] = 0;
		return REPAIR_DONE;
	}
	if (!grouped(cell, digits))
		return REPAIR_NONE;
	comma = strchr(digits, ',');
	if (comma) {
		/* 1,234 without other marks: a fraction, or English thousands? */
		if (three_digits(comma + 1) && strcmp(digits, cell) == 0 && digits[0] != '0')
			return REPAIR_UNSURE;
		*comma = '.';
	}
	memcpy(to, digits, strlen(digits) + 1);
	return REPAIR_DONE;
}

/* ---- words ---- */

static bool same_fold(const char *a, size_t a_size, const char *b)
{
	struct buf x = {.data = NULL};
	struct buf y = {.data = NULL};
	bool same = false;

	id_fold(bytes_of(a, a_size), &x);
	id_fold(bytes_of_text(b), &y);
	same = !x.failed && !y.failed && x.size && bytes_equal(buf_bytes(&x), buf_bytes(&y));
	buf_free(&x);
	buf_free(&y);
	return same;
}

static enum repair repair_bool(const char *cell, char to[static CELL_BYTES_MAX])
{
	static const struct {
		const char *word;
		const char *value;
	} words[] = {
		{"prawda", "true"}, {"true", "true"},   {"tak", "true"},    {"yes", "true"},
		{"1", "true"},      {"falsz", "false"}, {"false", "false"}, {"nie", "false"},
		{"no", "false"},    {"0", "false"},
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (same_fold(cell, strlen(cell), words[i].word))
			memcpy(to, words[i].value, strlen(words[i].value) + 1);
	}
	return REPAIR_DONE;
}

/* Another case, a lost Polish letter, a space for an underscore. */
static enum repair repair_enum(const struct field *field, const char *cell,
			       char to[static CELL_BYTES_MAX])
{
	unsigned found = 0;

	for (const char *at = field->values; *at;) {
		size_t size = strcspn(at, " ");

		if (size < CELL_BYTES_MAX && same_fold(at, size, cell)) {
			memcpy(to, at, size);
			to[size] = 0;
			found++;
		}
		at += size;
		at += strspn(at, " ");
	}
	return found > 1 ? REPAIR_UNSURE : REPAIR_DONE;
}

/* Spaces beside the semicolons, and one semicolon too many at the end. */
static void repair_list(struct bytes text, struct buf *ret)
{
	size_t at = 0;

	while (at < text.size) {
		const uint8_t *part = text.data + at;
		const uint8_t *end = memchr(part, ';', text.size - at);
		size_t size = end ? (size_t)(end - part) : text.size - at;

		at += size + 1;
		while (size && part[0] == ' ') {
			part++;
			size--;
		}
		while (size && part[size - 1] == ' ')
			size--;
		if (!size && at >= text.size)
			break;
		if (ret->size)
			buf_add_u8(ret, ';');
		buf_add(ret, part, size);
	}
}

/* ---- the cell ---- */

static enum repair reading(const struct field *field, const char *cell,
			   char to[static CELL_BYTES_MAX])
{
	switch (field->type) {
	case FIELD_REGION:
		return repair_region(cell, to);
	case FIELD_DATE:
		return repair_date(cell, to, CELL_BYTES_MAX);
	case FIELD_BOOL:
		return repair_bool(cell, to);
	case FIELD_UINT:
		return repair_uint(cell, to);
	case FIELD_DECIMAL:
		return repair_decimal(cell, to);
	case FIELD_POSTCODE:
		return repair_postcode(cell, to);
	case FIELD_TERYT4:
		return repair_teryt4(cell, to);
	case FIELD_TERYT7:
		return repair_teryt7(cell, to);
	case FIELD_KRS:
		return repair_krs(cell, to);
	case FIELD_NIP:
		return repair_nip(cell, to);
	case FIELD_REGON:
		return repair_regon(cell, to);
	case FIELD_ENUM:
		return repair_enum(field, cell, to);
	case FIELD_ID:
	case FIELD_REF:
	case FIELD_TEXT:
	case FIELD_LIST:
		break;
	}
	return REPAIR_NONE;
}

/* Takes a reading only when it satisfies the column. */
static enum repair settle(const struct field *field, const char *text, struct buf *ret)
{
	if (!*text || field_fault(field, text) != FAULT_NONE)
		return REPAIR_NONE;
	buf_clear(ret);
	buf_add_text(ret, text);
	return ret->failed ? REPAIR_NONE : REPAIR_DONE;
}

enum repair repair_cell(const struct field *field, struct bytes text, struct buf *ret)
{
	char whole[CELL_BYTES_MAX];
	char cell[CELL_BYTES_MAX];
	char to[CELL_BYTES_MAX] = "";
	struct buf list = {.data = NULL};
	enum repair result = REPAIR_NONE;

	if (field->type == FIELD_TEXT || text.size == 0 || memchr(text.data, 0, text.size))
		return REPAIR_NONE;
	if (field->type == FIELD_LIST) {
		repair_list(text, &list);
		if (!bytes_equal(buf_bytes(&list), text))
			result = settle(field, buf_text(&list), ret);
		buf_free(&list);
		return result;
	}
	if (text.size >= CELL_BYTES_MAX)
		return REPAIR_NONE;
	memcpy(whole, text.data, text.size);
	whole[text.size] = 0;
	if (field_fault(field, whole) == FAULT_NONE)
		return REPAIR_NONE;
	strip(text, cell);
	if (settle(field, cell, ret) == REPAIR_DONE)
		return REPAIR_DONE;
	result = reading(field, cell, to);
	return result == REPAIR_DONE ? settle(field, to, ret) : result;
}
