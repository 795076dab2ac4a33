/* The header Accept (RFC 9110, 12.5.1): ranges with weights, the more exact range decides. */
#include <string.h>
#include <strings.h>

#include "api/request.h"

enum { WEIGHT_FULL = 1000, RANGES_MAX = 64 };

struct range {
	struct bytes type; /* "text/csv", "text/<star>", a star for each part */
	unsigned weight;
};

static struct bytes trim(struct bytes x)
{
	while (x.size && (x.data[0] == ' ' || x.data[0] == '\t'))
		x = bytes_of(x.data + 1, x.size - 1);
	while (x.size && (x.data[x.size - 1] == ' ' || x.data[x.size - 1] == '\t'))
		x.size--;
	return x;
}

/* Up to the separator; the rest behind it goes to *rest. */
static struct bytes take(struct bytes *rest, char separator)
{
	struct bytes all = *rest;
	const uint8_t *end = all.size ? memchr(all.data, separator, all.size) : NULL;
	size_t size = end ? (size_t)(end - all.data) : all.size;

	*rest = end ? bytes_of(end + 1, all.size - size - 1) : bytes_of(NULL, 0);
	return trim(bytes_of(all.data, size));
}

/* "0.8" in thousandths; what is no weight counts as full. */
static unsigned weight_of(struct bytes text)
{
	unsigned weight = 0;
	unsigned unit = WEIGHT_FULL / 10;

	if (text.size == 0 || text.data[0] != '0')
		return WEIGHT_FULL;
	for (size_t i = 2; i < text.size && unit && text.data[1] == '.'; i++, unit /= 10) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return WEIGHT_FULL;
		weight += unit * (unsigned)(text.data[i] - '0');
	}
	return weight;
}

static struct range range_of(struct bytes text)
{
	struct range r = {.type = take(&text, ';'), .weight = WEIGHT_FULL};

	while (text.size) {
		struct bytes parameter = take(&text, ';');

		if (parameter.size >= 2 && (parameter.data[0] == 'q' || parameter.data[0] == 'Q') &&
		    parameter.data[1] == '=')
			r.weight = weight_of(bytes_of(parameter.data + 2, parameter.size - 2));
	}
	return r;
}

/* How exactly a range names the type: 3 itself, 2 its first part, 1 anything, 0 not at all. */
static unsigned exactness(const struct range *r, const char *type)
{
	const char *range = (const char *)r->type.data;
	size_t first = strcspn(type, "/") + 1;

	if (r->type.size == strlen(type) && strncasecmp(range, type, r->type.size) == 0)
		return 3;
	if (r->type.size == first + 1 && range[first] == '*' &&
	    strncasecmp(range, type, first) == 0)
		return 2;
	return r->type.size == 3 && memcmp(range, "*/*", 3) == 0 ? 1 : 0;
}

static unsigned liked(const char *accept, const char *type)
{
	struct bytes rest = bytes_of_text(accept);
	unsigned best = 0;
	unsigned weight = 0;

	for (int i = 0; i < RANGES_MAX && rest.size; i++) {
		struct range r = range_of(take(&rest, ','));
		unsigned exact = r.type.size ? exactness(&r, type) : 0;

		if (exact > best) {
			best = exact;
			weight = r.weight;
		}
	}
	return weight;
}

int accept_choose(const char *accept, const char *const *types, size_t count)
{
	unsigned most = 0;
	int chosen = -1;

	if (!accept || !*accept)
		return count ? 0 : -1;
	for (size_t i = 0; i < count; i++) {
		unsigned weight = liked(accept, types[i]);

		if (weight > most) {
			most = weight;
			chosen = (int)i;
		}
	}
	return chosen;
}
