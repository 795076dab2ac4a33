#include "model/region.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct region regions[REGION_COUNT] = {
	{"02", "dolnoslaskie", "dolnośląskie", "Lower Silesia"},
	{"04", "kujawsko-pomorskie", "kujawsko-pomorskie", "Kuyavia-Pomerania"},
	{"06", "lubelskie", "lubelskie", "Lublin"},
	{"08", "lubuskie", "lubuskie", "Lubusz"},
	{"10", "lodzkie", "łódzkie", "Łódź"},
	{"12", "malopolskie", "małopolskie", "Lesser Poland"},
	{"14", "mazowieckie", "mazowieckie", "Mazovia"},
	{"16", "opolskie", "opolskie", "Opole"},
	{"18", "podkarpackie", "podkarpackie", "Subcarpathia"},
	{"20", "podlaskie", "podlaskie", "Podlaskie"},
	{"22", "pomorskie", "pomorskie", "Pomerania"},
	{"24", "slaskie", "śląskie", "Silesia"},
	{"26", "swietokrzyskie", "świętokrzyskie", "Holy Cross"},
	{"28", "warminsko-mazurskie", "warmińsko-mazurskie", "Warmia-Masuria"},
	{"30", "wielkopolskie", "wielkopolskie", "Greater Poland"},
	{"32", "zachodniopomorskie", "zachodniopomorskie", "West Pomerania"},
	{"PL", "ministerstwo", "ministerstwo", "Ministry"},
};

static const char NATIONAL[] = "national";
static const char *const part_texts[] = {
	[ORIGIN_REGION] = "/region/",
	[ORIGIN_NATIONAL] = "/national/",
	[ORIGIN_WITNESS] = "/witness/",
};
enum { ORIGIN_KINDS = sizeof part_texts / sizeof part_texts[0] };

enum { CODE_BYTES = 2, LOG_GENERATION_DIGITS_MAX = 9 };

const struct region *region_at(int i)
{
	return i >= 0 && i < REGION_COUNT ? &regions[i] : NULL;
}

/* The even numbers 02 … 32 in order, so the place follows from the digits. */
static int region_by_digits(const uint8_t *code)
{
	int number = 0;

	if (code[0] < '0' || code[0] > '3' || code[1] < '0' || code[1] > '9')
		return REGION_NONE;
	number = (code[0] - '0') * 10 + (code[1] - '0');
	if (number < 2 || number > 32 || number % 2 != 0)
		return REGION_NONE;
	return number / 2 - 1;
}

int region_by_code(struct bytes code)
{
	if (code.size != CODE_BYTES)
		return REGION_NONE;
	if (memcmp(code.data, regions[REGION_PL].code, CODE_BYTES) == 0)
		return REGION_PL;
	return region_by_digits(code.data);
}

/* "/2", "/13": no leading zero, 2 or more. */
static bool generation_valid(struct bytes text)
{
	if (text.size < 2 || text.size > 1 + LOG_GENERATION_DIGITS_MAX || text.data[0] != '/')
		return false;
	for (size_t i = 1; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	}
	return text.data[1] != '0' && !(text.size == 2 && text.data[1] == '1');
}

enum err log_name_parse(struct bytes text, struct log_name *ret_name)
{
	struct log_name name = {""};
	struct bytes tail = {NULL, 0};

	if (text.size < CODE_BYTES || text.size >= sizeof name.text)
		return ERR_INVALID;
	if (!bytes_equal(text, bytes_of_text(NATIONAL))) {
		tail = bytes_of(text.data + CODE_BYTES, text.size - CODE_BYTES);
		if (region_by_code(bytes_of(text.data, CODE_BYTES)) == REGION_NONE ||
		    (tail.size && !generation_valid(tail)))
			return ERR_INVALID;
	}
	memcpy(name.text, text.data, text.size);
	*ret_name = name;
	return ERR_OK;
}

bool log_name_equal(struct log_name a, struct log_name b)
{
	return strncmp(a.text, b.text, sizeof a.text) == 0;
}

int log_name_region(struct log_name name)
{
	size_t size = strnlen(name.text, sizeof name.text);

	if (size < CODE_BYTES || (size > CODE_BYTES && name.text[CODE_BYTES] != '/'))
		return REGION_NONE;
	return region_by_code(bytes_of(name.text, CODE_BYTES));
}

bool log_name_before(struct log_name name, struct log_name *ret)
{
	const unsigned long most = 1000000000; /* LOG_GENERATION_DIGITS_MAX */
	struct log_name before = {""};
	unsigned long generation = 0;

	if (log_name_region(name) == REGION_NONE || name.text[CODE_BYTES] != '/')
		return false;
	generation = strtoul(name.text + CODE_BYTES + 1, NULL, 10) % most;
	memcpy(before.text, name.text, CODE_BYTES);
	if (generation > 2)
		(void)snprintf(before.text + CODE_BYTES, sizeof before.text - CODE_BYTES, "/%lu",
			       generation - 1);
	*ret = before;
	return true;
}

static enum err join(const char *realm, enum origin_kind kind, const char *name, char *ret_origin,
		     size_t size)
{
	const char *what = part_texts[kind];
	size_t need = strlen(realm) + strlen(what) + strlen(name);

	if (need >= size)
		return ERR_LIMIT;
	(void)snprintf(ret_origin, size, "%s%s%s", realm, what, name);
	return ERR_OK;
}

enum err log_origin(const char *realm, struct log_name name, char *ret_origin, size_t size)
{
	if (log_name_region(name) == REGION_NONE)
		return ERR_ARGUMENT;
	return join(realm, ORIGIN_REGION, name.text, ret_origin, size);
}

enum err witness_origin(const char *realm, struct log_name name, char *ret_origin, size_t size)
{
	if (log_name_region(name) == REGION_NONE)
		return ERR_ARGUMENT;
	return join(realm, ORIGIN_WITNESS, name.text, ret_origin, size);
}

/* "/region/" of "x/region/2": a server of that name has no second generation. */
static bool is_part(const char *server)
{
	for (size_t kind = 0; kind < ORIGIN_KINDS; kind++) {
		size_t size = strlen(part_texts[kind]) - 2;

		if (strlen(server) == size && memcmp(server, part_texts[kind] + 1, size) == 0)
			return true;
	}
	return false;
}

enum err national_origin(const char *realm, const char *server, uint32_t generation,
			 char *ret_origin, size_t size)
{
	char name[SERVER_NAME_BYTES + 1 + LOG_GENERATION_DIGITS_MAX + 1];

	if (generation == 0 || generation > LOG_GENERATION_MAX ||
	    (generation > 1 && is_part(server)))
		return ERR_INVALID;
	if (strlen(server) >= SERVER_NAME_BYTES)
		return ERR_LIMIT;
	if (generation == 1)
		return join(realm, ORIGIN_NATIONAL, server, ret_origin, size);
	(void)snprintf(name, sizeof name, "%s/%u", server, (unsigned)generation);
	return join(realm, ORIGIN_NATIONAL, name, ret_origin, size);
}

static bool letter_or_digit(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Letters, digits and, but at the ends, what is in `also`; at most `most` bytes. */
static bool name_valid(struct bytes name, const char *also, size_t most)
{
	if (name.size == 0 || name.size > most || !letter_or_digit(name.data[0]) ||
	    !letter_or_digit(name.data[name.size - 1]))
		return false;
	for (size_t i = 0; i < name.size; i++) {
		uint8_t c = name.data[i];

		if (!letter_or_digit(c) && (c == 0 || !strchr(also, c)))
			return false;
	}
	return true;
}

/* Where the last of the three parts begins, and which it is. */
static bool last_part(struct bytes text, size_t *ret_at, enum origin_kind *ret_kind)
{
	for (size_t at = text.size; at-- > 0;) {
		for (size_t kind = 0; kind < ORIGIN_KINDS; kind++) {
			size_t size = strlen(part_texts[kind]);

			if (text.size - at < size ||
			    memcmp(text.data + at, part_texts[kind], size) != 0)
				continue;
			*ret_at = at;
			*ret_kind = (enum origin_kind)kind;
			return true;
		}
	}
	return false;
}

/* A server's name, and behind it the generation of a national log that began anew. */
static enum err parse_server(struct bytes text, struct origin_parts *o)
{
	const uint8_t *slash = text.size ? memchr(text.data, '/', text.size) : NULL;
	struct bytes name = slash ? bytes_of(text.data, (size_t)(slash - text.data)) : text;
	struct bytes tail = bytes_of(text.data + name.size, text.size - name.size);

	if (!name_valid(name, ".-_", sizeof o->server - 1) ||
	    (tail.size && !generation_valid(tail)))
		return ERR_INVALID;
	memcpy(o->server, name.data, name.size);
	o->generation = 1;
	if (tail.size > 0)
		o->generation = 0;
	for (size_t i = 1; i < tail.size; i++) /* LOG_GENERATION_DIGITS_MAX: it fits */
		o->generation = o->generation * 10 + (uint32_t)(tail.data[i] - '0');
	memcpy(o->log.text, NATIONAL, sizeof NATIONAL);
	return ERR_OK;
}

enum err origin_parse(struct bytes text, struct origin_parts *ret)
{
	struct origin_parts o = {.realm = ""};
	struct bytes rest = {NULL, 0};
	size_t at = 0;
	size_t behind = 0;

	if (text.size > ORIGIN_BYTES_MAX || !last_part(text, &at, &o.kind) ||
	    !name_valid(bytes_of(text.data, at), ".-_/", REALM_BYTES_MAX))
		return ERR_INVALID;
	behind = at + strlen(part_texts[o.kind]);
	rest = bytes_of(text.data + behind, text.size - behind);
	memcpy(o.realm, text.data, at);
	if (o.kind == ORIGIN_NATIONAL) {
		if (parse_server(rest, &o) != ERR_OK)
			return ERR_INVALID;
	} else if (log_name_parse(rest, &o.log) != ERR_OK ||
		   log_name_region(o.log) == REGION_NONE) {
		return ERR_INVALID;
	}
	*ret = o;
	return ERR_OK;
}

static bool starts(struct bytes text, const char *prefix)
{
	size_t size = strlen(prefix);

	return text.size >= size && memcmp(text.data, prefix, size) == 0;
}

int id_owner(struct bytes id)
{
	const uint8_t *code = NULL;

	if (starts(id, "pl-") || starts(id, "st-pl-"))
		return REGION_PL;
	if (id.size >= 5 && starts(id, "pl") && id.data[4] == '-')
		code = id.data + 2;
	else if (id.size >= 6 && starts(id, "st-") && id.data[5] == '-')
		code = id.data + 3;
	return code ? region_by_digits(code) : REGION_NONE;
}
