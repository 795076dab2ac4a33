/* Whether bytes are one JSON text (RFC 8259) of valid UTF-8: an own reader, for oracles. */
#ifndef SPLOT_TESTS_FUZZ_JSON_CHECK_H
#define SPLOT_TESTS_FUZZ_JSON_CHECK_H

#include "fuzz.h"

#include "model/text.h"

enum { JSON_DEPTH_MAX = 64 };

struct json_reader {
	const uint8_t *at, *end;
	char open[JSON_DEPTH_MAX]; /* brackets */
	size_t depth;
};

static inline void json_blanks(struct json_reader *r)
{
	while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at)
		r->at++;
}

static inline bool json_is(struct json_reader *r, char c)
{
	if (r->at == r->end || *r->at != (uint8_t)c)
		return false;
	r->at++;
	return true;
}

static inline bool json_string(struct json_reader *r)
{
	if (!json_is(r, '"'))
		return false;
	while (r->at < r->end && *r->at != '"') {
		size_t size = utf8_character(bytes_of(r->at, (size_t)(r->end - r->at)));

		if (size == 0 || *r->at < 0x20)
			return false;
		if (*r->at == '\\') {
			if (r->end - r->at < 2 || !r->at[1] || !strchr("\"\\/bfnrtu", r->at[1]))
				return false;
			size = r->at[1] == 'u' ? 6 : 2;
			if ((size_t)(r->end - r->at) < size)
				return false;
		}
		r->at += size;
	}
	return json_is(r, '"');
}

static inline bool json_word(struct json_reader *r)
{
	const uint8_t *begin = r->at;

	while (r->at < r->end && *r->at && strchr("+-.eE0123456789aflnrstu", *r->at))
		r->at++;
	return r->at > begin;
}

/* A value, or the beginning of an array or object: then *ret_open. */
static inline bool json_value(struct json_reader *r, bool *ret_open)
{
	*ret_open = false;
	json_blanks(r);
	if (r->at == r->end)
		return false;
	if (*r->at == '"')
		return json_string(r);
	if (*r->at != '{' && *r->at != '[')
		return json_word(r);
	if (r->depth == JSON_DEPTH_MAX)
		return false;
	r->open[r->depth++] = (char)*r->at++;
	*ret_open = true;
	return true;
}

static inline bool json_key_before(struct json_reader *r)
{
	if (r->open[r->depth - 1] == '[')
		return true;
	json_blanks(r);
	if (!json_string(r))
		return false;
	json_blanks(r);
	return json_is(r, ':');
}

static inline bool json_closes(struct json_reader *r)
{
	json_blanks(r);
	if (!json_is(r, r->open[r->depth - 1] == '[' ? ']' : '}'))
		return false;
	r->depth--;
	return true;
}

static inline bool json_fits(struct bytes text)
{
	struct json_reader r = {.at = text.data, .end = text.data + text.size};
	bool begun = false;

	if (!json_value(&r, &begun))
		return false;
	while (r.depth > 0) {
		if (json_closes(&r)) {
			begun = false;
			continue;
		}
		if (!begun && !json_is(&r, ','))
			return false;
		if (!json_key_before(&r) || !json_value(&r, &begun))
			return false;
	}
	json_blanks(&r);
	return r.at == r.end;
}

#endif
