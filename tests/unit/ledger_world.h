/* A small register that changes at random: few ids, so that each is created, changed,
 * referred to, retired and created again many times. */
#ifndef SPLOT_TESTS_LEDGER_WORLD_H
#define SPLOT_TESTS_LEDGER_WORLD_H

#include "ledger_fixture.h"

struct world {
	uint64_t state;
	struct arena *arena;
};

/* splitmix64 */
static inline uint64_t world_random(struct world *w, uint64_t below)
{
	uint64_t x = w->state += 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return (x ^ (x >> 31)) % below;
}

#define PICK(w, ...)                                                                               \
	(((const char *const[]){__VA_ARGS__})[world_random(                                        \
		w, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))])

static inline const char *world_entity_id(struct world *w)
{
	return PICK(w, "pl26-cis-a", "pl26-cis-b", "pl26-kis-c", "pl24-cis-a", "pl24-kis-d",
		    "pl-wtz-e", "pl26-cis-a-b");
}

static inline const char *world_network_id(struct world *w)
{
	return PICK(w, "pl26-net-x", "pl26-net-y", "pl24-net-x", "pl-net-z");
}

static inline struct record *world_membership(struct world *w)
{
	char id[ID_BYTES_MAX + 1];
	const char *network = world_network_id(w);

	/* The entity is not always the one that the id says: it may change its mind. */
	(void)snprintf(id, sizeof id, "%s--%s", network, world_entity_id(w));
	return record_with(w->arena, RECORD_MEMBERSHIP, "id", id, "network_id",
			   world_random(w, 4) ? network : world_network_id(w), "entity_id",
			   world_random(w, 6) ? world_entity_id(w) : "", "certainty",
			   PICK(w, "stated", "inferred", ""), NULL);
}

static inline struct record *world_entity(struct world *w)
{
	return record_with(w->arena, RECORD_ENTITY, "id", world_entity_id(w), "kind",
			   PICK(w, "CIS", "KIS", "KIS", "WTZ", ""), "name",
			   PICK(w, "one", "two", "three"), "operator_id", PICK(w, "", "pl26-op-a"),
			   "operator_form", PICK(w, "", "jst_ops", "fundacja"), "operator_sector",
			   PICK(w, "", "jst", "ngo"), "status", PICK(w, "", "active", "ceased"),
			   "powiat", PICK(w, "", "2604"), "gmina", PICK(w, "", "2604011"), "street",
			   PICK(w, "", "Krótka"), "participants_total", PICK(w, "", "0", "12"),
			   NULL);
}

static inline struct record *world_record(struct world *w, enum record_kind kind)
{
	switch (kind) {
	case RECORD_OPERATOR:
		return record_with(w->arena, kind, "id", PICK(w, "pl26-op-a", "pl24-op-b"), "name",
				   PICK(w, "A", "B"), NULL);
	case RECORD_ENTITY:
		return world_entity(w);
	case RECORD_NETWORK:
		return record_with(w->arena, kind, "id", world_network_id(w), "form",
				   PICK(w, "siec", "rada"), "status", PICK(w, "", "active"), NULL);
	case RECORD_MEMBERSHIP:
		return world_membership(w);
	case RECORD_STATISTIC:
		return record_with(
			w->arena, kind, "id",
			PICK(w, "st-26-a", "st-26-b", "st-26-c", "st-24-a", "st-pl-a", "st-pl-b"),
			"kind", PICK(w, "CIS", "CIS", "KIS"), "measure",
			PICK(w, "active_count", "active_count", "persons"), "value",
			PICK(w, "6", "11", "6.0"), "reported_by", PICK(w, "ROPS", "UW", "GUS"),
			NULL);
	case RECORD_NONE:
	default:
		return NULL;
	}
}

/* An event of one to four changes, each of another record. */
static inline struct event world_event(struct world *w)
{
	static const enum record_kind kinds[] = {
		RECORD_OPERATOR,   RECORD_ENTITY,     RECORD_ENTITY,   RECORD_NETWORK,
		RECORD_MEMBERSHIP, RECORD_MEMBERSHIP, RECORD_STATISTIC};
	struct change *changes = arena_alloc(w->arena, 4 * sizeof *changes);
	size_t count = 0;

	assert_non_null(changes);
	for (uint64_t tries = 1 + world_random(w, 4); tries > 0; tries--) {
		enum record_kind kind = kinds[world_random(w, sizeof kinds / sizeof kinds[0])];
		struct change c = put_change(world_record(w, kind));
		bool known = false;

		for (size_t i = 0; i < count; i++)
			known |= strcmp(changes[i].id, c.id) == 0;
		if (known)
			continue;
		if (world_random(w, 4) == 0)
			c = retire_change(kind, c.id);
		changes[count++] = c;
	}
	return event_of(changes, count);
}

#endif
