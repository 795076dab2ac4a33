#include "admin/merge.h"

#include <string.h>

/* Spreadsheets write CRLF inside a cell back as LF. */
static bool same_lines(const char *a, const char *b)
{
	while (true) {
		a += a[0] == '\r' && a[1] == '\n';
		b += b[0] == '\r' && b[1] == '\n';
		if (*a != *b)
			return false;
		if (!*a)
			return true;
		a++;
		b++;
	}
}

enum merge merge_field(const char *base, const char *in_register, const char *in_file)
{
	if (!strcmp(in_register, in_file))
		return MERGE_KEEP;
	if (base && same_lines(base, in_file))
		return MERGE_KEEP;
	return !base || !strcmp(base, in_register) ? MERGE_TAKE : MERGE_CONFLICT;
}

bool state_parse(const char *text, struct state_mark *ret)
{
	const char *at = strrchr(text, '@');
	size_t length = at ? (size_t)(at - text) : 0;
	uint64_t size = 0;

	if (!at || !length || length >= STATE_LOG_BYTES || !at[1])
		return false;
	for (const char *digit = at + 1; *digit; digit++) {
		if (*digit < '0' || *digit > '9' ||
		    __builtin_mul_overflow(size, (uint64_t)10, &size) ||
		    __builtin_add_overflow(size, (uint64_t)(*digit - '0'), &size))
			return false;
	}
	memcpy(ret->log, text, length);
	ret->log[length] = '\0';
	ret->size = size;
	return true;
}
