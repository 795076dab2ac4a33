#include "register/movement.h"

#include <stdlib.h>
#include <string.h>

enum {
	EVERYWHERE = REGION_COUNT, /* as a region of its own */
	FRESH_FIRST = 256,
	FRESH_LOOKED_AT = 64,
};

static const int64_t HOUR_MS = 3600000;

struct tally {
	int64_t hour;
	uint64_t count;
	uint8_t what, region;
};

/* Most is counted in the hour that was counted last; so what is new is gathered at the end and
 * sorted in when it is much. */
struct movements {
	struct tally *tallies; /* owned; the first `sorted` by what, region, hour, each once */
	size_t sorted, count, capacity;
};

const char *movement_name(enum movement m)
{
	static const char *const names[MOVEMENT_COUNT] = {
		[MOVEMENT_NEW] = "new",       [MOVEMENT_ENDED] = "ended",
		[MOVEMENT_MOVED] = "moved",   [MOVEMENT_OPERATOR] = "operator_changed",
		[MOVEMENT_JOINED] = "joined", [MOVEMENT_LEFT] = "left",
		[MOVEMENT_EDITED] = "edited",
	};

	return m < MOVEMENT_COUNT ? names[m] : "";
}

enum err movements_new(struct movements **ret)
{
	struct movements *m = calloc(1, sizeof *m);

	if (!m)
		return ERR_NOMEM;
	*ret = m;
	return ERR_OK;
}

void movements_free(struct movements *m)
{
	if (!m)
		return;
	free(m->tallies);
	free(m);
}

size_t movements_memory(const struct movements *m)
{
	return sizeof *m + m->capacity * sizeof *m->tallies;
}

/* ---- counting ---- */

static int compare_tallies(const void *a, const void *b)
{
	const struct tally *x = a;
	const struct tally *y = b;

	if (x->what != y->what)
		return x->what < y->what ? -1 : 1;
	if (x->region != y->region)
		return x->region < y->region ? -1 : 1;
	return x->hour < y->hour ? -1 : x->hour > y->hour;
}

/* How many of the sorted ones come before it. */
static size_t count_before(const struct movements *m, const struct tally *key)
{
	size_t low = 0;
	size_t high = m->sorted;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_tallies(&m->tallies[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void sort_in(struct movements *m)
{
	size_t kept = 0;

	if (!m->tallies)
		return;
	qsort(m->tallies, m->count, sizeof *m->tallies, compare_tallies);
	for (size_t i = 0; i < m->count; i++) {
		if (kept && compare_tallies(&m->tallies[kept - 1], &m->tallies[i]) == 0)
			m->tallies[kept - 1].count += m->tallies[i].count;
		else
			m->tallies[kept++] = m->tallies[i];
	}
	m->count = kept;
	m->sorted = kept;
}

static struct tally *find(struct movements *m, const struct tally *key)
{
	size_t oldest =
		m->count > m->sorted + FRESH_LOOKED_AT ? m->count - FRESH_LOOKED_AT : m->sorted;
	size_t before = 0;

	for (size_t i = m->count; i > oldest; i--) {
		if (compare_tallies(&m->tallies[i - 1], key) == 0)
			return &m->tallies[i - 1];
	}
	before = count_before(m, key);
	return before < m->sorted && compare_tallies(&m->tallies[before], key) == 0
		       ? &m->tallies[before]
		       : NULL;
}

/* Where the next one goes; NULL without memory. */
static struct tally *next_place(struct movements *m)
{
	size_t capacity = m->capacity ? 2 * m->capacity : FRESH_FIRST;
	struct tally *grown = NULL;

	if (m->count == m->capacity) {
		grown = realloc(m->tallies, capacity * sizeof *grown);
		if (!grown)
			return NULL;
		m->tallies = grown;
		m->capacity = capacity;
	}
	return m->tallies ? &m->tallies[m->count] : NULL;
}

static enum err count_one(struct movements *m, struct tally key)
{
	struct tally *place = find(m, &key);

	if (place) {
		place->count++;
		return ERR_OK;
	}
	if (m->count - m->sorted >= FRESH_FIRST + m->sorted / 8)
		sort_in(m);
	place = next_place(m);
	if (!place)
		return ERR_NOMEM;
	*place = key;
	m->count++;
	return ERR_OK;
}

static int64_t hour_of(int64_t ms)
{
	return ms / HOUR_MS - (ms % HOUR_MS < 0);
}

static enum err count(struct movements *m, enum movement what, const struct version *v)
{
	int region = id_owner(bytes_of_text(v->change.id));
	struct tally key = {hour_of(v->recorded.ms), 1, (uint8_t)what, EVERYWHERE};
	enum err e = count_one(m, key);

	if (e != ERR_OK || region == REGION_NONE)
		return e;
	key.region = (uint8_t)region;
	return count_one(m, key);
}

/* ---- what a version does ---- */

/* A record before and after; a row or record that is not there has only unknown values. */
struct step {
	const struct catalog *catalog;
	enum record_kind kind;
	bool was, is;
	size_t row;
	const struct record *record;
	unsigned found; /* bits by movement */
};

static const char *before(const struct step *s, const char *field)
{
	int f = field_named(kind_of(s->kind), field);

	return s->was && f >= 0 ? catalog_text(s->catalog, s->kind, s->row, (size_t)f) : "";
}

static const char *after(const struct step *s, const char *field)
{
	return s->is ? record_get_named(s->record, field) : "";
}

static void found(struct step *s, enum movement what, bool it_is)
{
	if (it_is)
		s->found |= 1u << what;
}

static bool is_another(const struct step *s, const char *field)
{
	const char *was = before(s, field);
	const char *is = after(s, field);

	return *was && *is && strcmp(was, is) != 0;
}

static bool is_ended(const char *status)
{
	return strcmp(status, "expired") == 0 || strcmp(status, "ceased") == 0 ||
	       strcmp(status, "deleted") == 0;
}

static void note_entity(struct step *s)
{
	bool had_ended = is_ended(before(s, "status"));

	found(s, MOVEMENT_NEW, !s->was);
	if (!s->was)
		return;
	found(s, MOVEMENT_ENDED, !had_ended && (!s->is || is_ended(after(s, "status"))));
	found(s, MOVEMENT_MOVED, is_another(s, "place") || is_another(s, "gmina"));
	found(s, MOVEMENT_OPERATOR, is_another(s, "operator_id"));
}

static void note_membership(struct step *s)
{
	bool was_member = s->was && !*before(s, "until");
	bool is_member = s->is && !*after(s, "until");

	found(s, MOVEMENT_JOINED, !was_member && is_member);
	found(s, MOVEMENT_LEFT, was_member && !is_member);
}

static bool is_changed(const struct step *s)
{
	const struct kind *kind = kind_of(s->kind);

	if (s->was != s->is)
		return true;
	for (size_t f = 1; s->is && f < kind->field_count; f++) {
		if (strcmp(catalog_text(s->catalog, s->kind, s->row, f),
			   record_get(s->record, f)) != 0)
			return true;
	}
	return false;
}

enum err movements_note(struct movements *m, const struct catalog *before_it,
			const struct version *v)
{
	const struct change *change = &v->change;
	struct step s = {
		.catalog = before_it,
		.kind = change->kind,
		.is = !change->retired && change->record,
		.record = change->record,
	};
	enum err e = ERR_OK;

	if (!kind_of(change->kind) || !change->id || !*change->id ||
	    (s.is && record_kind(change->record) != change->kind))
		return ERR_OK;
	s.was = catalog_find(before_it, s.kind, change->id, NULL, &s.row) == ERR_OK;
	if (!is_changed(&s))
		return ERR_OK;
	if (s.kind == RECORD_ENTITY)
		note_entity(&s);
	else if (s.kind == RECORD_MEMBERSHIP)
		note_membership(&s);
	found(&s, MOVEMENT_EDITED, s.found == 0);
	for (int what = 0; what < MOVEMENT_COUNT && e == ERR_OK; what++) {
		if (s.found & 1u << what)
			e = count(m, (enum movement)what, v);
	}
	return e;
}

/* ---- sums ---- */

uint64_t movements_sum(const struct movements *m, enum movement what, const char *region,
		       struct wall_ms from, struct wall_ms to)
{
	int place = region ? region_by_code(bytes_of_text(region)) : EVERYWHERE;
	struct tally first = {.what = (uint8_t)what, .region = (uint8_t)place};
	struct tally end = first;
	uint64_t sum = 0;

	if (place == REGION_NONE || from.ms >= to.ms)
		return 0;
	first.hour = hour_of(from.ms) + (from.ms % HOUR_MS != 0);
	end.hour = hour_of(to.ms) + (to.ms % HOUR_MS != 0);
	for (size_t i = count_before(m, &first); i < m->sorted; i++) {
		if (compare_tallies(&m->tallies[i], &end) >= 0)
			break;
		sum += m->tallies[i].count;
	}
	for (size_t i = m->sorted; i < m->count; i++) {
		if (compare_tallies(&m->tallies[i], &first) >= 0 &&
		    compare_tallies(&m->tallies[i], &end) < 0)
			sum += m->tallies[i].count;
	}
	return sum;
}
