#include "api/duplicates.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/core_name.h"
#include "api/sums.h"

static const char *const reason_names[] = {
#define REASON_NAME(name, text, percent) text,
	DUPLICATE_REASONS(REASON_NAME)
#undef REASON_NAME
};
static const unsigned reason_percents[] = {
#define REASON_PERCENT(name, text, percent) percent,
	DUPLICATE_REASONS(REASON_PERCENT)
#undef REASON_PERCENT
};
/* What is left of the score, in percent. */
static const struct {
	enum duplicate_reason reason;
	unsigned left;
} against[] = {
	{DUPLICATE_OTHER_IDENTIFIER, 30},
	{DUPLICATE_OTHER_OPERATOR, 50},
	{DUPLICATE_OTHER_FORM, 70},
};

const char *duplicate_reason_name(unsigned reason)
{
	return reason < DUPLICATE_REASON_COUNT ? reason_names[reason] : NULL;
}

static unsigned bit(enum duplicate_reason reason)
{
	return 1u << reason;
}

/* ---- what is compared ---- */

enum { REGON_SAME_DIGITS = 9 }; /* the rest numbers one body's local units */

struct search {
	const struct catalog *c;
	struct arena *arena;
	enum record_kind kind;
	struct common_words common;
	int name, nip, regon, krs, form; /* of operators */
	int entity_kind, place, street, building, flat, operator_id;
	struct buf entries; /* of struct entry; owned */
	uint64_t *pairs;    /* both rows */
	size_t pair_count;
	bool more;
};

static const char *folded(const struct search *s, size_t row, int column)
{
	text_id value = value_at(s->c, s->kind, row, column);

	return value ? catalog_folded(s->c, value) : "";
}

static const char *text(const struct search *s, size_t row, int column)
{
	return text_at(s->c, s->kind, row, column);
}

/* "ul. Długa" and "Długa" are one street. */
static const char *street_of(const struct search *s, size_t row)
{
	const char *street = folded(s, row, s->street);

	return strncmp(street, "ul ", 3) == 0 ? street + 3 : street;
}

static void core_of(const struct search *s, size_t row, struct core_name *ret)
{
	core_name_of(&s->common, folded(s, row, s->name), folded(s, row, s->place), ret);
}

/* ---- keys: records that share one are candidates ---- */

struct entry {
	uint64_t hash;
	size_t row;
};
/* What a key is of, so that keys of different things are different. */
enum key_of { KEY_NIP = 1, KEY_REGON, KEY_KRS, KEY_NAME, KEY_PART, KEY_ADDRESS };

static void add_entry(struct search *s, enum key_of of, uint64_t scope, uint64_t hash, size_t row)
{
	struct entry e = {hash_mix(hash_mix((uint64_t)of, scope), hash), row};

	buf_add(&s->entries, &e, sizeof e);
}

/* The whole name and the name less each word share their keys: so one word more is found too. */
static void add_similar(struct search *s, const struct core_name *core, uint64_t scope, size_t row)
{
	if (core->count < 2)
		return;
	add_entry(s, KEY_PART, scope, core_name_key(core, core->count), row);
	for (size_t i = 0; core->count > 2 && i < core->count; i++)
		add_entry(s, KEY_PART, scope, core_name_key(core, i), row);
}

static uint64_t regon_hash(const char *regon)
{
	char body[REGON_SAME_DIGITS + 1] = "";

	strncpy(body, regon, REGON_SAME_DIGITS);
	return hash_text(body);
}

static void add_operator(struct search *s, size_t row)
{
	struct core_name core;
	uint64_t region = (uint64_t)row_owner(s->c, s->kind, row) + 1;

	if (*text(s, row, s->nip))
		add_entry(s, KEY_NIP, 0, hash_text(text(s, row, s->nip)), row);
	if (*text(s, row, s->regon))
		add_entry(s, KEY_REGON, 0, regon_hash(text(s, row, s->regon)), row);
	if (*text(s, row, s->krs))
		add_entry(s, KEY_KRS, 0, hash_text(text(s, row, s->krs)), row);
	core_of(s, row, &core);
	if (core.count)
		add_entry(s, KEY_NAME, 0, core_name_key(&core, core.count), row);
	add_similar(s, &core, region, row);
}

/* Entities are compared with those of their kind at their place alone. */
static void add_entity(struct search *s, size_t row)
{
	struct core_name core;
	const char *place = folded(s, row, s->place);
	const char *street = street_of(s, row);
	const char *building = text(s, row, s->building);
	uint64_t scope = hash_mix(value_at(s->c, s->kind, row, s->entity_kind), hash_text(place));

	if (!*place)
		return;
	core_of(s, row, &core);
	add_entry(s, KEY_NAME, scope, core_name_key(&core, core.count), row);
	add_similar(s, &core, scope, row);
	if (*street && *building)
		add_entry(s, KEY_ADDRESS, scope, hash_mix(hash_text(street), hash_text(building)),
			  row);
}

/* ---- records of one key ---- */

enum { RADIX_BITS = 11, RADIX_SLOTS = 1 << RADIX_BITS, RADIX_PASSES = 3, HASH_BITS = 64 };

/* By the hash's upper 33 bits, which is in linear time; others are told apart by who looks.  After
 * an odd number of passes the result is in `other`. */
static void sort_entries(struct entry *entries, struct entry *other, size_t count)
{
	struct entry *from = entries;
	struct entry *to = other;

	for (int pass = 0; pass < RADIX_PASSES; pass++) {
		int shift = HASH_BITS - RADIX_BITS * (RADIX_PASSES - pass);
		size_t starts[RADIX_SLOTS + 1] = {0};
		struct entry *swap = from;

		for (size_t i = 0; i < count; i++)
			starts[(from[i].hash >> shift) % RADIX_SLOTS + 1]++;
		for (size_t i = 0; i < RADIX_SLOTS; i++)
			starts[i + 1] += starts[i];
		for (size_t i = 0; i < count; i++)
			to[starts[(from[i].hash >> shift) % RADIX_SLOTS]++] = from[i];
		from = to;
		to = swap;
	}
}
static_assert(RADIX_PASSES % 2 == 1, "sort_entries leaves its result in `other`");

static bool same_slot(const struct entry *a, const struct entry *b)
{
	return (a->hash ^ b->hash) >> (HASH_BITS - RADIX_BITS * RADIX_PASSES) == 0;
}

static void add_pair(struct search *s, size_t a, size_t b)
{
	if (a == b)
		return;
	if (s->pair_count == DUPLICATE_CANDIDATES_MAX) {
		s->more = true;
		return;
	}
	s->pairs[s->pair_count++] =
		a < b ? (uint64_t)a << 32 | (uint64_t)b : (uint64_t)b << 32 | (uint64_t)a;
}

static void add_block(struct search *s, const struct entry *entries, size_t count)
{
	if (count > DUPLICATE_BLOCK_MAX) {
		count = DUPLICATE_BLOCK_MAX;
		s->more = true;
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t k = i + 1; k < count; k++) {
			if (entries[i].hash == entries[k].hash)
				add_pair(s, entries[i].row, entries[k].row);
		}
	}
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void pair_up(struct search *s, const struct entry *entries, size_t count)
{
	size_t kept = 0;

	for (size_t from = 0, to = 0; from < count; from = to) {
		while (to < count && same_slot(&entries[from], &entries[to]))
			to++;
		add_block(s, entries + from, to - from);
	}
	if (s->pair_count)
		qsort(s->pairs, s->pair_count, sizeof *s->pairs, by_number);
	for (size_t i = 0; i < s->pair_count; i++) {
		if (i == 0 || s->pairs[i] != s->pairs[i - 1])
			s->pairs[kept++] = s->pairs[i];
	}
	s->pair_count = kept;
}

static enum err find_pairs(struct search *s)
{
	size_t rows = catalog_count(s->c, s->kind);
	struct buf sorted = {.data = NULL};
	void *to = NULL;

	s->pairs = arena_alloc(s->arena, DUPLICATE_CANDIDATES_MAX * sizeof *s->pairs);
	if (!s->pairs)
		return ERR_NOMEM;
	for (size_t row = 0; row < rows; row++) {
		if (s->kind == RECORD_OPERATOR)
			add_operator(s, row);
		else
			add_entity(s, row);
	}
	to = buf_extend(&sorted, s->entries.size + 1); /* never of no size */
	if (to && !s->entries.failed) {
		void *from = s->entries.data;
		size_t count = s->entries.size / sizeof(struct entry);

		sort_entries(from, to, count);
		pair_up(s, to, count);
	}
	buf_free(&sorted);
	return to && !s->entries.failed ? ERR_OK : ERR_NOMEM;
}

/* ---- what speaks for a pair and against it ---- */

static bool both_known(const struct search *s, size_t a, size_t b, int column)
{
	return value_at(s->c, s->kind, a, column) && value_at(s->c, s->kind, b, column);
}

static unsigned compare_identifier(const struct search *s, size_t a, size_t b, int column,
				   size_t digits, enum duplicate_reason same)
{
	if (!both_known(s, a, b, column))
		return 0;
	return strncmp(text(s, a, column), text(s, b, column), digits) == 0
		       ? bit(same)
		       : bit(DUPLICATE_OTHER_IDENTIFIER);
}

static bool differ(const struct search *s, size_t a, size_t b, int column)
{
	return both_known(s, a, b, column) &&
	       value_at(s->c, s->kind, a, column) != value_at(s->c, s->kind, b, column);
}

static unsigned compare_operators(const struct search *s, size_t a, size_t b)
{
	struct core_name x, y;
	bool region = row_owner(s->c, s->kind, a) == row_owner(s->c, s->kind, b);
	unsigned reasons =
		compare_identifier(s, a, b, s->nip, SIZE_MAX, DUPLICATE_NIP) |
		compare_identifier(s, a, b, s->regon, REGON_SAME_DIGITS, DUPLICATE_REGON) |
		compare_identifier(s, a, b, s->krs, SIZE_MAX, DUPLICATE_KRS);

	core_of(s, a, &x);
	core_of(s, b, &y);
	if (x.count && core_name_same(&x, &y))
		reasons |= bit(region ? DUPLICATE_NAME_REGION : DUPLICATE_NAME);
	else if (region && core_name_similar(&x, &y))
		reasons |= bit(DUPLICATE_SIMILAR);
	if (differ(s, a, b, s->form))
		reasons |= bit(DUPLICATE_OTHER_FORM);
	return reasons;
}

static bool same_address(const struct search *s, size_t a, size_t b)
{
	const char *street = street_of(s, a);

	return *street && strcmp(street, street_of(s, b)) == 0 &&
	       both_known(s, a, b, s->building) && !differ(s, a, b, s->building) &&
	       !differ(s, a, b, s->flat);
}

/* Two of one kind at one place. */
static unsigned compare_entities(const struct search *s, size_t a, size_t b)
{
	struct core_name x, y;
	unsigned reasons = 0;

	if (differ(s, a, b, s->entity_kind) ||
	    strcmp(folded(s, a, s->place), folded(s, b, s->place)) != 0)
		return 0; /* two keys of one hash */
	core_of(s, a, &x);
	core_of(s, b, &y);
	if (core_name_same(&x, &y))
		reasons = bit(DUPLICATE_NAME_PLACE);
	else if (core_name_similar(&x, &y))
		reasons = bit(DUPLICATE_SIMILAR);
	if (same_address(s, a, b))
		reasons |= bit(DUPLICATE_ADDRESS);
	if (differ(s, a, b, s->operator_id))
		reasons |= bit(DUPLICATE_OTHER_OPERATOR);
	else if (both_known(s, a, b, s->operator_id))
		reasons |= bit(DUPLICATE_OPERATOR);
	return reasons;
}

/* Each reason by itself leaves room for doubt, and the doubts multiply. */
static unsigned percent_of(unsigned reasons)
{
	unsigned doubt = 10000; /* hundredths of a percent */
	unsigned percent = 0;

	for (unsigned i = 0; i < DUPLICATE_REASON_COUNT; i++) {
		if (reasons & bit((enum duplicate_reason)i))
			doubt = doubt * (100 - reason_percents[i]) / 100;
	}
	percent = (10000 - doubt) / 100;
	for (size_t i = 0; i < sizeof against / sizeof against[0]; i++) {
		if (reasons & bit(against[i].reason))
			percent = percent * against[i].left / 100;
	}
	return percent;
}

/* ---- all of it ---- */

static struct search search_of(const struct catalog *c, enum record_kind kind, struct arena *arena)
{
	struct search s = {.c = c, .arena = arena, .kind = kind};

	common_words_init(&s.common);
	s.name = column_of(kind, "name");
	s.nip = column_of(kind, "nip");
	s.regon = column_of(kind, "regon");
	s.krs = column_of(kind, "krs");
	s.form = column_of(kind, "form");
	s.entity_kind = column_of(kind, "kind");
	s.place = column_of(kind, "place");
	s.street = column_of(kind, "street");
	s.building = column_of(kind, "building");
	s.flat = column_of(kind, "flat");
	s.operator_id = column_of(kind, "operator_id");
	return s;
}

struct found {
	struct duplicate *rows; /* room for all candidates of both kinds */
	size_t count;
	bool more;
};

static enum err find_of_kind(const struct catalog *c, enum record_kind kind, struct arena *arena,
			     struct found *f)
{
	struct search s = search_of(c, kind, arena);
	enum err e = find_pairs(&s);

	for (size_t i = 0; e == ERR_OK && i < s.pair_count; i++) {
		struct duplicate d = {
			.kind = kind,
			.rows = {(size_t)(s.pairs[i] >> 32), (size_t)(s.pairs[i] & UINT32_MAX)}};

		d.reasons = kind == RECORD_OPERATOR ? compare_operators(&s, d.rows[0], d.rows[1])
						    : compare_entities(&s, d.rows[0], d.rows[1]);
		d.percent = percent_of(d.reasons);
		if (d.percent >= DUPLICATE_PERCENT_MIN)
			f->rows[f->count++] = d;
	}
	f->more = f->more || s.more;
	buf_free(&s.entries);
	return e;
}

static int likeliest_first(const void *a, const void *b)
{
	const struct duplicate *x = a;
	const struct duplicate *y = b;

	if (x->percent != y->percent)
		return x->percent > y->percent ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->rows[0] != y->rows[0])
		return x->rows[0] < y->rows[0] ? -1 : 1;
	return x->rows[1] < y->rows[1] ? -1 : x->rows[1] > y->rows[1];
}

enum err duplicates_find(const struct catalog *c, struct arena *arena, struct duplicate **ret,
			 size_t *ret_count, bool *ret_more)
{
	static const enum record_kind kinds[] = {RECORD_OPERATOR, RECORD_ENTITY};
	enum { KINDS = sizeof kinds / sizeof kinds[0] };
	struct found f = {
		.rows = arena_alloc(arena,
				    (size_t)KINDS * DUPLICATE_CANDIDATES_MAX * sizeof *f.rows),
	};
	enum err e = f.rows ? ERR_OK : ERR_NOMEM;

	for (size_t i = 0; e == ERR_OK && i < KINDS; i++)
		e = find_of_kind(c, kinds[i], arena, &f);
	if (e != ERR_OK)
		return e;
	if (f.count)
		qsort(f.rows, f.count, sizeof *f.rows, likeliest_first);
	*ret = f.rows;
	*ret_count = f.count > DUPLICATES_MAX ? DUPLICATES_MAX : f.count;
	*ret_more = f.more || f.count > DUPLICATES_MAX;
	return ERR_OK;
}
