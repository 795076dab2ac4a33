/* New ids: readable, made of what is known when the record is first written, and opaque
 * from then on. */
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#include "base/limits.h"
#include "model/region.h"
#include "model/text.h"
#include "model/validate.h"

enum {
	SLUG_BYTES_MAX = 40,     /* of one name inside an id: cut between words */
	REPORTER_BYTES_MAX = 20, /* cut anywhere: it is one word */
	NUMBER_MAX = 999,        /* tries to find a free id */
};

/* ---- folding ---- */

/* Letters that have no decomposition in Unicode. */
static const struct {
	uint32_t code;
	const char *letters;
} folds[] = {
	{0x142, "l"}, {0x141, "l"}, {0x111, "d"}, {0x110, "d"},  {0xf8, "o"},   {0xd8, "o"},
	{0xdf, "ss"}, {0xe6, "ae"}, {0xc6, "ae"}, {0x153, "oe"}, {0x152, "oe"}, {0x131, "i"},
	{0xf0, "d"},  {0xd0, "d"},  {0xfe, "th"}, {0xde, "th"},
};

/* Adds the letters a-z and digits that a character stands for; false for none. */
static bool fold_character(uint32_t code, struct buf *ret)
{
	utf8proc_int32_t parts[18] = {0}; /* the longest decomposition */
	int boundary = 0;
	utf8proc_ssize_t count = 0;
	bool any = false;

	for (size_t i = 0; i < sizeof folds / sizeof folds[0]; i++) {
		if (folds[i].code == code) {
			buf_add_text(ret, folds[i].letters);
			return true;
		}
	}
	count = utf8proc_decompose_char((utf8proc_int32_t)code, parts, 18,
					UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD,
					&boundary);
	for (utf8proc_ssize_t i = 0; i < count && i < 18; i++) {
		if (parts[i] < 0x80 && (is_lower((char)parts[i]) || is_digit((char)parts[i]))) {
			buf_add_u8(ret, (uint8_t)parts[i]);
			any = true;
		}
	}
	return any;
}

void id_fold(struct bytes text, struct buf *ret)
{
	struct bytes rest = text;
	size_t start = ret->size;
	bool gap = false;

	while (rest.size) {
		size_t size = utf8_character(rest);
		size_t before = ret->size;
		uint32_t code = utf8_code_point(rest);

		if (gap && before > start)
			buf_add_u8(ret, '-');
		if (fold_character(code, ret)) {
			gap = false;
		} else {
			ret->size = before; /* the hyphen waits for a letter */
			gap = true;
		}
		size = size ? size : 1;
		rest = bytes_of(rest.data + size, rest.size - size);
	}
}

/* Cuts what was added since `start` to `max` bytes, between words where there are any. */
static void cut_slug(struct buf *b, size_t start, size_t max)
{
	size_t end = start + max;

	if (b->size <= end)
		return;
	while (end > start && b->data[end] != '-')
		end--;
	b->size = end > start ? end : start + max;
}

static void add_slug(struct buf *b, const char *text, size_t max)
{
	size_t start = b->size;

	id_fold(bytes_of_text(text), b);
	cut_slug(b, start, max);
}

/* ---- names ---- */

/* Words that say what something is and not which. */
static const char *const common_words[] = {
	"stowarzyszenie-",
	"fundacja-",
	"centrum-integracji-spolecznej-",
	"klub-integracji-spolecznej-",
	"warsztat-terapii-zajeciowej-",
	"zaklad-aktywnosci-zawodowej-",
	"cis-",
	"kis-",
	"wtz-",
	"zaz-",
	"w-",
	"we-",
};

static size_t common_size(const char *slug)
{
	for (size_t i = 0; i < sizeof common_words / sizeof common_words[0]; i++) {
		size_t size = strlen(common_words[i]);

		if (strncmp(slug, common_words[i], size) == 0 && slug[size])
			return size;
	}
	return 0;
}

/* What stands from the first Polish opening quote on, or the whole name: a name between
 * quotes is the shortest that people use. */
static const char *quoted_part(const char *name)
{
	const char *quote = strstr(name, "„");

	return quote && quote[strlen("„")] ? quote : name;
}

static void add_name(struct buf *b, const char *name)
{
	struct buf slug = {.data = NULL};
	const char *text = NULL;
	size_t skip = 0;

	id_fold(bytes_of_text(quoted_part(name)), &slug);
	text = buf_text(&slug);
	while ((skip = common_size(text)) > 0)
		text += skip;
	add_slug(b, text, SLUG_BYTES_MAX);
	b->failed = b->failed || slug.failed;
	buf_free(&slug);
}

/* ---- prefixes ---- */

/* "pl26" or "pl"; for statistics "26" or "pl". */
static enum err add_owner(struct buf *b, const struct record *r)
{
	const char *code = record_get_named(r, "region");
	int region = region_by_code(bytes_of_text(code));
	bool statistic = record_kind(r) == RECORD_STATISTIC;

	if (region == REGION_NONE)
		return ERR_INVALID;
	buf_add_text(b, statistic ? "st-" : "pl");
	if (region != REGION_PL)
		buf_add_text(b, code);
	else if (statistic)
		buf_add_text(b, "pl");
	return ERR_OK;
}

/* Adds what add_part makes; INVALID when that is nothing. */
static enum err added(const struct buf *b, size_t before)
{
	if (b->failed)
		return b->limit ? ERR_LIMIT : ERR_NOMEM;
	return b->size > before ? ERR_OK : ERR_INVALID;
}

/* ---- one base for each kind ---- */

static enum err base_operator(const struct record *r, struct buf *b)
{
	enum err err = add_owner(b, r);
	size_t before = 0;

	buf_add_text(b, "-op-");
	before = b->size;
	add_name(b, record_get_named(r, "name"));
	return err != ERR_OK ? err : added(b, before);
}

static enum err base_entity(const struct record *r, struct buf *b)
{
	const char *kind = record_get_named(r, "kind");
	const char *place = record_get_named(r, "place");
	enum err err = add_owner(b, r);
	size_t before = 0;

	if (err != ERR_OK || !*kind)
		return ERR_INVALID;
	buf_add_text(b, "-");
	add_slug(b, kind, SLUG_BYTES_MAX);
	buf_add_text(b, "-");
	before = b->size;
	if (*place)
		add_slug(b, place, SLUG_BYTES_MAX);
	else
		add_name(b, record_get_named(r, "name"));
	return added(b, before);
}

static enum err base_network(const struct record *r, struct buf *b)
{
	enum err err = add_owner(b, r);
	size_t before = 0;

	buf_add_text(b, "-net-");
	before = b->size;
	add_slug(b, record_get_named(r, "form"), SLUG_BYTES_MAX);
	return err != ERR_OK ? err : added(b, before);
}

static enum err base_membership(const struct record *r, struct buf *b)
{
	const char *network = record_get_named(r, "network_id");
	const char *entity = record_get_named(r, "entity_id");
	const char *operator= record_get_named(r, "operator_id");

	if (!*network || !*entity == !*operator)
		return ERR_INVALID;
	buf_add_text(b, network);
	buf_add_text(b, "--");
	buf_add_text(b, *entity ? entity : operator);
	return ERR_OK;
}

static void add_reporter(struct buf *b, const char *reporter)
{
	size_t start = b->size;
	size_t to = start;

	id_fold(bytes_of_text(reporter), b);
	for (size_t i = start; i < b->size; i++) {
		if (b->data[i] != '-')
			b->data[to++] = b->data[i];
	}
	b->size = to - start > REPORTER_BYTES_MAX ? start + REPORTER_BYTES_MAX : to;
}

static enum err base_statistic(const struct record *r, struct buf *b)
{
	static const char *const needed[] = {"as_of", "measure", "reported_by"};
	const char *kind = record_get_named(r, "kind");
	enum err err = add_owner(b, r);
	size_t before = 0;

	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		if (!*record_get_named(r, needed[i]))
			return ERR_INVALID;
	}
	buf_add_text(b, "-");
	add_slug(b, record_get_named(r, "as_of"), SLUG_BYTES_MAX);
	buf_add_text(b, "-");
	add_slug(b, *kind ? kind : "x", SLUG_BYTES_MAX);
	buf_add_text(b, "-");
	add_slug(b, record_get_named(r, "measure"), SLUG_BYTES_MAX);
	buf_add_text(b, "-");
	before = b->size;
	add_reporter(b, record_get_named(r, "reported_by"));
	return err != ERR_OK ? err : added(b, before);
}

static const struct {
	enum record_kind kind;
	enum err (*base)(const struct record *r, struct buf *b);
} bases[] = {
	{RECORD_OPERATOR, base_operator},   {RECORD_ENTITY, base_entity},
	{RECORD_NETWORK, base_network},     {RECORD_MEMBERSHIP, base_membership},
	{RECORD_STATISTIC, base_statistic},
};

/* ---- when it is taken ---- */

/* "-pestka", from the operator's id (without the place that it may end with) or its name;
 * false when no operator is known. */
static bool add_operator(const struct record *r, struct buf *b)
{
	const char *id = strstr(record_get_named(r, "operator_id"), "-op-");
	size_t before = b->size;
	struct buf place = {.data = NULL};
	size_t tail = 0;

	buf_add_u8(b, '-');
	if (id)
		add_slug(b, id + strlen("-op-"), SLUG_BYTES_MAX);
	else
		add_name(b, record_get_named(r, "operator_name"));
	if (b->size == before + 1) {
		b->size = before;
		return false;
	}
	buf_add_u8(&place, '-');
	id_fold(bytes_of_text(record_get_named(r, "place")), &place);
	tail = place.size;
	if (tail > 1 && b->size - before > tail + 1 &&
	    memcmp(b->data + b->size - tail, place.data, tail) == 0)
		b->size -= tail;
	buf_free(&place);
	return true;
}

static enum err add_number(struct buf *b, bool (*taken)(void *context, const char *id),
			   void *context)
{
	size_t before = b->size;

	for (int number = 2; number <= NUMBER_MAX; number++) {
		b->size = before;
		buf_printf(b, "-%d", number);
		if (b->failed || !taken(context, buf_text(b)))
			return buf_check(b);
	}
	return ERR_EXISTS;
}

enum err id_mint(const struct record *r, bool (*taken)(void *context, const char *id),
		 void *context, struct buf *ret)
{
	struct buf id = {.data = NULL};
	enum err err = ERR_ARGUMENT;

	for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
		if (bases[i].kind == record_kind(r))
			err = bases[i].base(r, &id);
	}
	if (err == ERR_OK && id.failed)
		err = ERR_NOMEM;
	if (err == ERR_OK && taken(context, buf_text(&id))) {
		if (record_kind(r) == RECORD_MEMBERSHIP)
			err = ERR_EXISTS; /* its id is its two ends: there is no other */
		else if (record_kind(r) != RECORD_ENTITY || !add_operator(r, &id) ||
			 taken(context, buf_text(&id)))
			err = add_number(&id, taken, context);
	}
	if (err == ERR_OK && id.size > ID_BYTES_MAX)
		err = ERR_LIMIT;
	if (err == ERR_OK) {
		buf_add_bytes(ret, buf_bytes(&id));
		err = buf_check(ret);
	}
	buf_free(&id);
	return err;
}
