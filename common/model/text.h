/* Characters of UTF-8, and the small questions that field rules ask of them.
 *
 * Layer: model. */
#ifndef SPLOT_MODEL_TEXT_H
#define SPLOT_MODEL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Bytes of the valid character at the start (RFC 3629: no overlong forms, no surrogates);
 * 0 when there is none. */
size_t utf8_character(struct bytes text);
/* The code point at the start; U+FFFD when there is no valid one. */
uint32_t utf8_code_point(struct bytes text);

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* Nothing is to be seen of it: it is empty, or white space alone, any of Unicode's. */
bool text_is_blank(const char *text);

bool all_digits(const char *text);
/* The number of `count` digits at `text`. */
unsigned digits_value(const char *text, size_t count);

/* What is longer than it may be, and what to do about it. */
struct over {
	const char *what; /* "the reason" */
	size_t bytes, bytes_max;
	const char *next; /* "shorten it" */
};

/* All of it in words, for who sent it. */
void over_tell(const struct over *over, struct buf *out);

#endif
