/* Everything that the summary and the regions' answers count, from one pass over each kind.
 *
 * Records belong to the region that their id names.  An entity is in a network when a membership
 * of it in a region's own network has no end before today: the view's count of that name
 * (ledger/links.c) knows no today and so takes ended ones in.
 *
 * Inside the api layer.  Pure. */
#ifndef SPLOT_API_SUMS_H
#define SPLOT_API_SUMS_H

#include "api/cells.h"
#include "api/pieces.h"

enum { KIND_CIS, KIND_KIS, KIND_WTZ, KIND_ZAZ, KIND_OTHER, ENTITY_KINDS };
/* NULL for KIND_OTHER: a kind that the rules do not know. */
const char *entity_kind_name(unsigned kind);
unsigned entity_kind_named(const char *text);

enum {
	COORDINATOR_PRESENT,
	COORDINATOR_SUBSTITUTED,
	COORDINATOR_VACANT,
	COORDINATOR_NONE,
	COORDINATOR_UNKNOWN,
	COORDINATOR_STATES
};
const char *coordinator_name(unsigned state);

/* What is counted by text; see cells.h. */
enum sums_table {
	CELLS_STATUS,     /* entities by kind */
	CELLS_FORM,       /* entities by kind and their operator's form */
	CELLS_SECTOR,     /* entities by their operator's sector; the nation's by kind as well */
	CELLS_VERIFIED,   /* entities by the date; kind 0 */
	CELLS_NET_FORM,   /* networks; kind 0 */
	CELLS_NET_STATUS, /* networks; kind 0 */
	CELLS_SECTOR_KIND /* inside sums.c */
};

struct freshness {
	size_t of, known, over_12_months;
	const char *oldest, *median; /* ""; as they were written */
};

/* Of one region's records, or of all. */
struct place_sums {
	size_t entities, by_kind[ENTITY_KINDS], in_network[ENTITY_KINDS];
	size_t operators, networks, memberships, statistics;
	size_t fields_known; /* of the columns marked `completeness`, over all entities */
	size_t coordinator[COORDINATOR_STATES];
	struct freshness freshness;
};

enum { SUMS_NATION = REGION_COUNT, SUMS_PLACES, COMPLETENESS_FIELDS_MAX = 32 };

struct sums {
	struct place_sums places[SUMS_PLACES]; /* regions as region_at, then all */
	struct cells cells;
	size_t field_count; /* columns of entities marked `completeness` */
	size_t fields[COMPLETENESS_FIELDS_MAX], known[COMPLETENESS_FIELDS_MAX];
};

/* In the arena. NOMEM. */
MUST_USE enum err sums_make(const struct catalog *c, day_number today, struct arena *arena,
			    struct sums *ret);
/* Whether a region has any record. */
bool sums_any(const struct place_sums *p);

/* One mark for each text: the ids of entities that are in a region's network today.  NOMEM. */
MUST_USE enum err entities_in_networks(const struct catalog *c, day_number today,
				       struct arena *arena, bool **ret_by_text);

/* Column of a kind by name; -1 when the schema has none. */
int column_of(enum record_kind kind, const char *name);
/* 0, "" for column -1 */
text_id value_at(const struct catalog *c, enum record_kind kind, size_t row, int column);
const char *text_at(const struct catalog *c, enum record_kind kind, size_t row, int column);

#endif
