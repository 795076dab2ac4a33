/* The report of the last full verification, as `splotctl audit verify` left it: told again in own
 * words, so that a file which somebody cut does not spoil the answer, and without the paths in it.
 */
#include <stdlib.h>
#include <string.h>

#include "api/replication.h"

enum { DIGITS_MAX = 18 };

/* What is behind "key": in a line of JSON, from `from` on and before `to`; NULL.  A quote inside a
 * text is escaped, so only a member's name is found so. */
static const char *find_member(const char *from, const char *to, const char *key)
{
	size_t size = strlen(key);

	for (const char *at = from; (at = strstr(at, key)) && at < to; at += size) {
		if (at > from && at[-1] == '"' && at[size] == '"' && at[size + 1] == ':')
			return at + size + 2;
	}
	return NULL;
}

static bool read_number(const char *from, const char *to, const char *key, uint64_t *ret)
{
	const char *at = find_member(from, to, key);
	size_t digits = at ? strspn(at, "0123456789") : 0;

	if (digits == 0 || digits > DIGITS_MAX)
		return false;
	*ret = strtoull(at, NULL, 10);
	return true;
}

bool verified_number(const char *report, const char *key, uint64_t *ret)
{
	return report && read_number(report, report + strlen(report), key, ret);
}

static void copy_number(struct json *j, const char *from, const char *to, const char *key)
{
	uint64_t x = 0;
	bool known = read_number(from, to, key, &x);

	write_uint_or_null(j, key, known, x);
}

/* The object of that name; false when there is none, or it does not end. */
static bool find_object(const char *line, const char *key, const char **ret_from,
			const char **ret_to)
{
	const char *at = find_member(line, line + strlen(line), key);

	if (!at || *at != '{' || !strchr(at, '}'))
		return false;
	*ret_from = at;
	*ret_to = strchr(at, '}');
	return true;
}

static void write_object(struct json *j, const char *line, const char *key,
			 const char *const *numbers, bool quorum)
{
	const char *from = NULL;
	const char *to = NULL;
	const char *at = NULL;

	json_key(j, key);
	if (!find_object(line, key, &from, &to)) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	for (; *numbers; numbers++)
		copy_number(j, from, to, *numbers);
	at = quorum ? find_member(from, to, "quorum") : NULL;
	if (at)
		json_field_bool(j, "quorum", strncmp(at, "true", 4) == 0);
	json_close(j, '}');
}

void write_verified(struct json *j, const char *key, const char *report)
{
	static const char *const view[] = {"position", "records", "versions",
					   "changes",  "counts",  NULL};
	static const char *const cosigned[] = {"size", "witnesses", "bad", NULL};
	const char *end = report ? report + strlen(report) : NULL;
	uint64_t at_ms = 0;

	json_key(j, key);
	if (!verified_number(report, "at_ms", &at_ms)) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	write_time(j, "at", wall_of(at_ms));
	copy_number(j, report, end, "damaged");
	copy_number(j, report, end, "leaves");
	copy_number(j, report, end, "leaf_bytes");
	copy_number(j, report, end, "tiles");
	copy_number(j, report, end, "checkpoints");
	write_object(j, report, "view", view, false);
	write_object(j, report, "cosigned", cosigned, true);
	json_close(j, '}');
}
