/* Dates as people and spreadsheets write them. */
#include <stdio.h>
#include <string.h>

#include "model/field_rules.h"
#include "model/text.h"
#include "model/validate.h"

enum { TOKENS_MAX = 4, YEAR_TWO_DIGITS_MAX = 39 };

/* A word or a number of the cell, and the mark behind it. */
struct token {
	const char *at;
	size_t size;
	bool number;
	char mark; /* the first byte of what follows; 0 at the end */
};

/* ---- months by name ---- */

/* Folded to a-z; a name or a case of it begins with one of these. */
static const struct {
	const char *start;
	unsigned month;
} months[] = {
	{"sty", 1}, {"lut", 2}, {"mar", 3},  {"kwi", 4},  {"maj", 5},  {"cze", 6},
	{"lip", 7}, {"sie", 8}, {"wrz", 9},  {"paz", 10}, {"lis", 11}, {"gru", 12},
	{"jan", 1}, {"feb", 2}, {"apr", 4},  {"may", 5},  {"jun", 6},  {"jul", 7},
	{"aug", 8}, {"sep", 9}, {"oct", 10}, {"nov", 11}, {"dec", 12},
};

static const char *const month_names[] = {
	"styczen",     "stycznia",     "luty",     "lutego",    "marzec",   "marca",
	"kwiecien",    "kwietnia",     "maj",      "maja",      "czerwiec", "czerwca",
	"lipiec",      "lipca",        "sierpien", "sierpnia",  "wrzesien", "wrzesnia",
	"pazdziernik", "pazdziernika", "listopad", "listopada", "grudzien", "grudnia",
	"january",     "february",     "march",    "april",     "june",     "july",
	"august",      "september",    "sept",     "october",   "november", "december",
};

static bool known_name(struct bytes word)
{
	for (size_t i = 0; i < sizeof month_names / sizeof month_names[0]; i++) {
		if (bytes_equal(word, bytes_of_text(month_names[i])))
			return true;
	}
	return word.size == 3;
}

/* 0 when the word is no month. */
static unsigned month_named(const struct token *token)
{
	struct buf word = {.data = NULL};
	unsigned month = 0;

	id_fold(bytes_of(token->at, token->size), &word);
	for (size_t i = 0; i < sizeof months / sizeof months[0]; i++) {
		if (!word.failed && word.size >= 3 && known_name(buf_bytes(&word)) &&
		    memcmp(word.data, months[i].start, 3) == 0)
			month = months[i].month;
	}
	buf_free(&word);
	return month;
}

/* ---- the cell in pieces ---- */

static bool is_word_byte(char c)
{
	return (uint8_t)c >= 0x80 || is_lower((char)(c | 0x20));
}

static bool is_mark(char c)
{
	return c && strchr(" .-/,", c);
}

/* Words and numbers between marks; 0 when there is anything else. */
static size_t tokens_of(const char *cell, struct token tokens[static TOKENS_MAX])
{
	size_t count = 0;

	while (*cell) {
		struct token *t = &tokens[count];

		if (count == TOKENS_MAX)
			return 0;
		*t = (struct token){.at = cell, .number = is_digit(*cell)};
		while (t->number ? is_digit(*cell) : is_word_byte(*cell))
			cell++;
		t->size = (size_t)(cell - t->at);
		if (t->size == 0)
			return 0;
		t->mark = *cell;
		while (is_mark(*cell))
			cell++;
		count++;
	}
	return count;
}

static unsigned value(const struct token *t)
{
	return t->size <= 4 ? digits_value(t->at, t->size) : 99999;
}

/* The year of a token; 0 when it is none, or when its century cannot be told. */
static unsigned year_of(const struct token *t)
{
	if (t->number && t->size == 4)
		return value(t);
	if (t->number && t->size == 2 && value(t) <= YEAR_TWO_DIGITS_MAX)
		return 2000 + value(t);
	return 0;
}

/* ---- readings ---- */

static void put(char *to, size_t size, unsigned year, unsigned month, unsigned day)
{
	if (day)
		(void)snprintf(to, size, "%04u-%02u-%02u", year, month, day);
	else
		(void)snprintf(to, size, "%04u-%02u", year, month);
}

/* "mar.16", "marzec 2016", "2016 marzec", "5 marca 2016", "05-mar-16". */
static enum repair with_name(const struct token *t, size_t count, size_t name, char *to,
			     size_t size)
{
	unsigned month = month_named(&t[name]);
	const struct token *year = &t[count - 1];
	unsigned day = 0;

	if (month == 0)
		return REPAIR_NONE;
	if (count == 2 && name == 1) {
		if (t[0].size != 4) /* "16.mar": the year is gone */
			return REPAIR_UNSURE;
		year = &t[0];
	} else if (count == 3 && name == 1 && t[0].size <= 2) {
		day = value(&t[0]);
	} else if (count != 2 || name != 0) {
		return REPAIR_NONE;
	}
	if (year_of(year) == 0 || (count == 3 && day == 0))
		return REPAIR_UNSURE;
	put(to, size, year_of(year), month, day);
	return REPAIR_DONE;
}

/* "4.06.2019", "2019.06.04", "2019-6-4"; a slash may mean month/day. */
static enum repair three_numbers(const struct token *t, char *to, size_t size)
{
	if (value(&t[0]) == 0 || value(&t[2]) == 0)
		return REPAIR_UNSURE; /* a day that nobody knew, or a slip? */
	if (t[0].size == 4 && t[1].size <= 2 && t[2].size <= 2) {
		put(to, size, value(&t[0]), value(&t[1]), value(&t[2]));
		return REPAIR_DONE;
	}
	if (t[2].size != 4 || t[0].size > 2 || t[1].size > 2)
		return t[2].size == 2 ? REPAIR_UNSURE : REPAIR_NONE; /* 4.06.19 */
	if (t[0].mark == '/' && value(&t[0]) <= 12 && value(&t[0]) != value(&t[1])) {
		if (value(&t[1]) <= 12)
			return REPAIR_UNSURE;
		put(to, size, value(&t[2]), value(&t[0]), value(&t[1]));
		return REPAIR_DONE;
	}
	put(to, size, value(&t[2]), value(&t[1]), value(&t[0]));
	return REPAIR_DONE;
}

/* "06.2019", "2019.06", "2019-6". */
static enum repair two_numbers(const struct token *t, char *to, size_t size)
{
	if (t[0].size <= 2 && t[1].size == 4)
		put(to, size, value(&t[1]), value(&t[0]), 0);
	else if (t[0].size == 4 && t[1].size <= 2)
		put(to, size, value(&t[0]), value(&t[1]), 0);
	else
		return REPAIR_UNSURE;
	return REPAIR_DONE;
}

/* Cuts " 00:00:00" and " r." off; false for a time that is not midnight. */
static bool cut_tail(char *cell)
{
	size_t size = strlen(cell);
	char *colon = strchr(cell, ':');
	char *time = NULL;

	if (colon) {
		time = colon;
		while (time > cell && is_digit(time[-1]))
			time--;
		if (time == cell || (time[-1] != ' ' && time[-1] != 'T') ||
		    strspn(time, "0:.Z") != strlen(time))
			return false;
		time[-1] = 0;
		return true;
	}
	if (size > 2 && strcmp(cell + size - 2, "r.") == 0)
		size -= 2;
	else if (size > 1 && cell[size - 1] == 'r' && !is_word_byte(cell[size - 2]))
		size -= 1;
	while (size > 0 && cell[size - 1] == ' ')
		size--;
	cell[size] = 0;
	return true;
}

enum repair repair_date(const char *given, char *to, size_t size)
{
	struct token tokens[TOKENS_MAX];
	char cell[64];
	size_t count = 0;
	size_t names = 0;
	size_t name = 0;

	if (strlen(given) >= sizeof cell)
		return REPAIR_NONE;
	memcpy(cell, given, strlen(given) + 1);
	if (!cut_tail(cell))
		return REPAIR_UNSURE;
	count = tokens_of(cell, tokens);
	for (size_t i = 0; i < count; i++) {
		if (!tokens[i].number) {
			name = i;
			names++;
		}
	}
	if (names == 1)
		return with_name(tokens, count, name, to, size);
	if (names > 1 || count == 0)
		return REPAIR_NONE;
	if (count == 1 && tokens[0].size != 4) /* 43620: a day's number, if it is one */
		return REPAIR_UNSURE;
	if (count == 1) {
		memcpy(to, cell, strlen(cell) + 1);
		return REPAIR_DONE;
	}
	if (count == 2)
		return two_numbers(tokens, to, size);
	return count == 3 ? three_numbers(tokens, to, size) : REPAIR_NONE;
}
