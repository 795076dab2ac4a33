#include "http/guard.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *metric;
	unsigned status;
	const char *text;
} table[GUARD_COUNT] = {
#define GUARD_ROW(name, metric, status, text) {metric, status, text},
	GUARD_TABLE(GUARD_ROW)
#undef GUARD_ROW
};

unsigned guard_status(enum guard g)
{
	return table[g].status;
}

const char *guard_metric(enum guard g)
{
	return table[g].metric;
}

const char *guard_text(enum guard g)
{
	return table[g].text;
}

/* ---- texts side by side ---- */

/* Addresses as numbers: they are compared before it is known that they are of one buffer. */
static bool follows(const char *after, const char *before, size_t size)
{
	return (uintptr_t)after == (uintptr_t)before + size;
}

/* Colon and blanks between a name and its value; the colon was overwritten. */
static bool joins(const struct head_line *line)
{
	uintptr_t colon = (uintptr_t)line->name + line->name_size;
	uintptr_t value = (uintptr_t)line->value;

	if (value <= colon || value - colon > HEAD_BYTES_MAX)
		return false;
	for (size_t i = 1; i < value - colon; i++)
		if (line->name[line->name_size + i] != ' ' &&
		    line->name[line->name_size + i] != '\t')
			return false;
	return true;
}

/* The two bytes behind a text were CR and LF, and no other that a NUL hides.  Asked of texts that
 * something follows. */
static bool ends(const char *text, size_t size)
{
	return text[size] == 0 && text[size + 1] == 0;
}

static bool side_by_side(const struct head *h)
{
	enum { CRLF = 2, SPACE = 1 };
	const char *at = h->version;
	size_t size = strlen(h->version);

	if (!follows(h->target, h->method, strlen(h->method) + SPACE) ||
	    !follows(h->version, h->target, h->target_size + SPACE))
		return false;
	for (size_t i = 0; i < h->line_count; i++) {
		const struct head_line *line = &h->lines[i];

		if (!follows(line->name, at, size + CRLF) || !ends(at, size) || !joins(line))
			return false;
		at = line->value;
		size = line->value_size;
	}
	return follows(h->method + h->size, at, size + CRLF + CRLF) && ends(at, size);
}

/* ---- what the lines say ---- */

static bool is_token(const char *text, size_t size)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < size; i++) {
		char c = text[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!letter && !(c >= '0' && c <= '9') && (c == 0 || !strchr(marks, c)))
			return false;
	}
	return size > 0;
}

static bool is_plain(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool named(const struct head_line *line, const char *name)
{
	return line->name_size == strlen(name) &&
	       strncasecmp(line->name, name, line->name_size) == 0;
}

static enum guard check_lines(const struct head *h)
{
	for (size_t i = 0; i < h->line_count; i++) {
		const struct head_line *line = &h->lines[i];

		if (!is_token(line->name, line->name_size))
			return GUARD_NAME;
		if (!is_plain(line->value, line->value_size))
			return GUARD_VALUE;
	}
	return GUARD_OK;
}

/* Blanks behind a value are none of it. */
static size_t trimmed(const struct head_line *line)
{
	size_t size = line->value_size;

	while (size > 0 && (line->value[size - 1] == ' ' || line->value[size - 1] == '\t'))
		size--;
	return size;
}

/* "0" is a length of no body; anything else there is a body, or a number that two readers may
 * read in two ways. */
static enum guard check_length(const struct head_line *line)
{
	enum { DIGITS_MAX = 18 }; /* of a number that fits 63 bits, whatever they are */
	size_t size = trimmed(line);

	if (size == 0 || size > DIGITS_MAX || strspn(line->value, "0123456789") != size)
		return GUARD_LENGTH;
	return strspn(line->value, "0") == size ? GUARD_OK : GUARD_BODY;
}

static bool is_host(const struct head_line *line)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"-._~:[]";

	return trimmed(line) > 0 && strspn(line->value, allowed) == trimmed(line);
}

static enum guard check_framing(const struct head *h)
{
	size_t hosts = 0;
	size_t lengths = 0;
	enum guard length = GUARD_OK;

	for (size_t i = 0; i < h->line_count; i++) {
		const struct head_line *line = &h->lines[i];

		if (named(line, "Transfer-Encoding"))
			return GUARD_CODING;
		if (named(line, "Content-Length") && lengths++ == 0)
			length = check_length(line);
		if (named(line, "Host") && (hosts++ > 0 || !is_host(line)))
			return GUARD_HOST;
	}
	if (lengths > 1)
		return GUARD_LENGTH;
	/* HTTP/1.0 knew no Host. */
	if (hosts != 1 && strcmp(h->version, "HTTP/1.0") != 0)
		return GUARD_HOST;
	return length;
}

enum guard guard_head(const struct head *h)
{
	enum guard g = GUARD_OK;

	if (h->line_count > HEAD_LINES_MAX || h->size > HEAD_BYTES_MAX)
		return GUARD_LARGE;
	if (h->target_size > TARGET_BYTES_MAX)
		return GUARD_LONG;
	if (strcmp(h->version, "HTTP/1.1") != 0 && strcmp(h->version, "HTTP/1.0") != 0)
		return GUARD_VERSION;
	g = check_lines(h); /* before the framing: a space before a colon says more */
	if (g != GUARD_OK)
		return g;
	if (!side_by_side(h))
		return GUARD_FRAMING;
	g = check_framing(h);
	if (g != GUARD_OK)
		return g;
	return h->target[0] == '/' ? GUARD_OK : GUARD_TARGET;
}

const char *head_value(const struct head *h, const char *name)
{
	const char *found = NULL;

	for (size_t i = 0; i < h->line_count && i < HEAD_LINES_MAX; i++) {
		if (!named(&h->lines[i], name))
			continue;
		if (found)
			return NULL;
		found = h->lines[i].value;
	}
	return found;
}
