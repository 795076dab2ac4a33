#include "ledger/links.h"

#include <string.h>

#include "base/limits.h"
#include "ledger/keys.h"
#include "model/region.h"

#define IN_NETWORK  "entities_in_a_regional_network"
#define IN_CONFLICT "statistics_in_conflict"

/* The measure whose claims are held against each other. */
static const char compared_measure[] = "active_count";

enum { TAG_MEMBERSHIPS = 'm', TAG_GROUP = 'g', TAG_REPORTER = 'r', TAG_VALUE = 'v' };

static enum err column(enum record_kind kind, const char *name, size_t *ret)
{
	const struct kind *info = kind_of(kind);
	int at = info ? field_named(info, name) : -1;

	if (at < 0)
		return ERR_INTERNAL;
	*ret = (size_t)at;
	return ERR_OK;
}

enum err link_columns_init(struct link_columns *c)
{
	const struct {
		enum record_kind kind;
		const char *name;
		size_t *at;
	} wanted[] = {
		{RECORD_ENTITY, "kind", &c->entity_kind},
		{RECORD_MEMBERSHIP, "network_id", &c->network_id},
		{RECORD_MEMBERSHIP, "entity_id", &c->entity_id},
		{RECORD_STATISTIC, "kind", &c->statistic_kind},
		{RECORD_STATISTIC, "measure", &c->measure},
		{RECORD_STATISTIC, "value", &c->value},
		{RECORD_STATISTIC, "reported_by", &c->reported_by},
	};
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < sizeof wanted / sizeof wanted[0]; i++)
		e = column(wanted[i].kind, wanted[i].name, wanted[i].at);
	return e;
}

/* ---- numbers in the table ---- */

static enum err read_number(const struct links *l, const struct key *key, uint64_t *ret)
{
	struct bytes value = {NULL, 0};
	enum err e = txn_get(l->txn, l->view->links, key_bytes(key), &value);

	if (e == ERR_NOT_FOUND) {
		*ret = 0;
		return ERR_OK;
	}
	if (e == ERR_OK && value.size != INDEX_KEY_BYTES)
		e = ERR_CORRUPT;
	if (e == ERR_OK)
		*ret = u64_read(value.data);
	return e;
}

/* Raises or lowers a number by one. */
static enum err step_number(const struct links *l, const struct key *key, bool up,
			    uint64_t *ret_before)
{
	uint8_t raw[INDEX_KEY_BYTES];
	uint64_t n = 0;
	enum err e = read_number(l, key, &n);

	if (e == ERR_OK && !up && n == 0)
		e = ERR_CORRUPT;
	if (e != ERR_OK)
		return e;
	*ret_before = n;
	n = up ? n + 1 : n - 1;
	if (n == 0)
		return txn_delete(l->txn, l->view->links, key_bytes(key));
	u64_write(raw, n);
	return txn_put(l->txn, l->view->links, key_bytes(key), bytes_of(raw, sizeof raw));
}

/* ---- entities in a regional network ---- */

static bool is_region(int owner)
{
	return owner != REGION_NONE && owner != REGION_PL;
}

/* The kind under which an entity counts by region; "" when it does not. */
static const char *counted_kind(const struct links *l, const struct standing *s)
{
	const char *kind = s->record ? record_get(s->record, l->columns->entity_kind) : "";

	if (!s->record || strcmp(s->region, region_at(REGION_PL)->code) == 0)
		return "";
	return strcmp(kind, "CIS") == 0 || strcmp(kind, "KIS") == 0 ? kind : "";
}

static enum err count_entity(const struct links *l, const struct standing *s, int64_t change)
{
	const char *kind = counted_kind(l, s);

	return *kind ? tally_add(l->tally, IN_NETWORK, s->region, kind, "", change) : ERR_OK;
}

static void membership_key(struct key *k, const char *entity_id)
{
	k->size = 0;
	key_add_u8(k, TAG_MEMBERSHIPS);
	key_add_text(k, entity_id);
}

static enum err move_entity(const struct links *l, const char *id, const struct standing *from,
			    const struct standing *to)
{
	struct key key;
	uint64_t memberships = 0;
	enum err e = ERR_OK;

	if (strcmp(counted_kind(l, from), counted_kind(l, to)) == 0 &&
	    strcmp(from->region, to->region) == 0)
		return ERR_OK;
	membership_key(&key, id);
	e = read_number(l, &key, &memberships);
	if (e != ERR_OK || memberships == 0)
		return e;
	e = count_entity(l, from, -1);
	return e == ERR_OK ? count_entity(l, to, 1) : e;
}

/* The entity that a membership puts into a regional network; "" for none. */
static const char *entity_in_network(const struct links *l, const struct standing *s)
{
	const char *network = NULL;

	if (!s->record)
		return "";
	network = record_get(s->record, l->columns->network_id);
	return is_region(id_owner(bytes_of_text(network)))
		       ? record_get(s->record, l->columns->entity_id)
		       : "";
}

/* Counts an entity that came into its first regional network or left its last, where it is
 * known already. */
static enum err count_by_id(const struct links *l, const char *entity_id, int64_t change)
{
	struct version v;
	struct standing s = {.record = NULL, .region = ""};
	enum err e = tally_add(l->tally, IN_NETWORK, region_at(REGION_PL)->code, "", "", change);

	if (e != ERR_OK || strlen(entity_id) > ID_BYTES_MAX)
		return e;
	e = view_get(l->view, l->txn, RECORD_ENTITY, bytes_of_text(entity_id), l->arena, &v);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	s = standing_of(entity_id, v.change.retired ? NULL : v.change.record);
	return count_entity(l, &s, change);
}

static enum err step_memberships(const struct links *l, const char *entity_id, bool up)
{
	struct key key;
	uint64_t before = 0;
	enum err e = ERR_OK;

	if (!*entity_id)
		return ERR_OK;
	membership_key(&key, entity_id);
	e = step_number(l, &key, up, &before);
	if (e == ERR_OK && before == (up ? 0 : 1))
		e = count_by_id(l, entity_id, up ? 1 : -1);
	return e;
}

static enum err move_membership(const struct links *l, const struct standing *from,
				const struct standing *to)
{
	const char *before = entity_in_network(l, from);
	const char *after = entity_in_network(l, to);
	enum err e = ERR_OK;

	if (strcmp(before, after) == 0)
		return ERR_OK;
	e = step_memberships(l, before, false);
	return e == ERR_OK ? step_memberships(l, after, true) : e;
}

/* ---- statistics in conflict ---- */

/* One claim among those of a region and kind of entity. */
struct claim {
	bool compared;
	const char *region, *kind, *reporter, *value;
};

static struct claim claim_of(const struct links *l, const struct standing *s)
{
	const struct link_columns *c = l->columns;
	const struct record *r = s->record;

	if (!r || strcmp(record_get(r, c->measure), compared_measure) != 0 ||
	    strcmp(s->region, region_at(REGION_PL)->code) == 0)
		return (struct claim){.compared = false};
	return (struct claim){
		.compared = true,
		.region = s->region,
		.kind = record_get(r, c->statistic_kind),
		.reporter = record_get(r, c->reported_by),
		.value = record_get(r, c->value),
	};
}

static void claim_key(struct key *k, uint8_t tag, const struct claim *c, const char *what)
{
	k->size = 0;
	key_add_u8(k, tag);
	key_add_text(k, c->region);
	key_add_u8(k, 0);
	key_add_text(k, c->kind);
	if (what) {
		key_add_u8(k, 0);
		key_add_text(k, what);
	}
}

/* How many different reporters and values a group of claims has. */
struct group {
	uint64_t reporters, values;
};

static bool in_conflict(struct group g)
{
	return g.reporters > 1 && g.values > 1;
}

static enum err read_group(const struct links *l, const struct key *key, struct group *ret)
{
	struct bytes value = {NULL, 0};
	enum err e = txn_get(l->txn, l->view->links, key_bytes(key), &value);

	*ret = (struct group){0, 0};
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK && value.size != (size_t)2 * INDEX_KEY_BYTES)
		e = ERR_CORRUPT;
	if (e == ERR_OK)
		*ret = (struct group){u64_read(value.data), u64_read(value.data + INDEX_KEY_BYTES)};
	return e;
}

static enum err write_group(const struct links *l, const struct key *key, struct group g)
{
	uint8_t raw[2 * INDEX_KEY_BYTES];

	if (g.reporters == 0)
		return txn_delete(l->txn, l->view->links, key_bytes(key));
	u64_write(raw, g.reporters);
	u64_write(raw + INDEX_KEY_BYTES, g.values);
	return txn_put(l->txn, l->view->links, key_bytes(key), bytes_of(raw, sizeof raw));
}

/* One more or one less of a reporter or value; `distinct` follows when it is the first or
 * the last. */
static enum err step_distinct(const struct links *l, const struct key *key, bool up,
			      uint64_t *distinct)
{
	uint64_t before = 0;
	enum err e = step_number(l, key, up, &before);

	if (e == ERR_OK && up && before == 0)
		(*distinct)++;
	else if (e == ERR_OK && !up && before == 1)
		(*distinct)--;
	return e;
}

static enum err step_claim(const struct links *l, const struct claim *c, bool up)
{
	struct key group_key;
	struct key key;
	struct group before;
	struct group after;
	enum err e = ERR_OK;

	if (!c->compared)
		return ERR_OK;
	claim_key(&group_key, TAG_GROUP, c, NULL);
	e = read_group(l, &group_key, &before);
	if (e != ERR_OK)
		return e;
	after = before;
	claim_key(&key, TAG_REPORTER, c, c->reporter);
	e = step_distinct(l, &key, up, &after.reporters);
	if (e == ERR_OK) {
		claim_key(&key, TAG_VALUE, c, c->value);
		e = step_distinct(l, &key, up, &after.values);
	}
	if (e == ERR_OK && (after.reporters != before.reporters || after.values != before.values))
		e = write_group(l, &group_key, after);
	if (e == ERR_OK && in_conflict(after) != in_conflict(before))
		e = tally_add(l->tally, IN_CONFLICT, c->region, "", compared_measure,
			      in_conflict(after) ? 1 : -1);
	return e;
}

static bool same_claim(const struct claim *a, const struct claim *b)
{
	if (!a->compared || !b->compared)
		return a->compared == b->compared;
	return strcmp(a->region, b->region) == 0 && strcmp(a->kind, b->kind) == 0 &&
	       strcmp(a->reporter, b->reporter) == 0 && strcmp(a->value, b->value) == 0;
}

static enum err move_statistic(const struct links *l, const struct standing *from,
			       const struct standing *to)
{
	struct claim before = claim_of(l, from);
	struct claim after = claim_of(l, to);
	enum err e = ERR_OK;

	if (same_claim(&before, &after))
		return ERR_OK;
	e = step_claim(l, &before, false);
	return e == ERR_OK ? step_claim(l, &after, true) : e;
}

enum err links_move(const struct links *l, enum record_kind kind, const char *id,
		    const struct standing *from, const struct standing *to)
{
	if (kind == RECORD_ENTITY)
		return move_entity(l, id, from, to);
	if (kind == RECORD_MEMBERSHIP)
		return move_membership(l, from, to);
	return kind == RECORD_STATISTIC ? move_statistic(l, from, to) : ERR_OK;
}
