/* The summary counted the slow way, from a list of all records, to hold the folded counts
 * against: each record is asked what rows it gives, nothing is remembered in between. */
#ifndef SPLOT_TESTS_LEDGER_RECOUNT_H
#define SPLOT_TESTS_LEDGER_RECOUNT_H

#include "ledger_fixture.h"

#include "ledger/view.h"

enum { ROW_BYTES = 512, PAGE_ROWS = 7 };

/* Rows as text "metric,region,kind,key". */
struct recount {
	struct {
		char text[ROW_BYTES];
		int64_t value;
	} * rows;
	size_t count, capacity;
};

static inline void recount_add(struct recount *r, const char *metric, const char *region,
			       const char *kind, const char *key)
{
	char text[ROW_BYTES];

	(void)snprintf(text, sizeof text, "%s,%s,%s,%s", metric, region, kind, key);
	for (size_t i = 0; i < r->count; i++) {
		if (strcmp(r->rows[i].text, text) == 0) {
			r->rows[i].value++;
			return;
		}
	}
	if (r->count == r->capacity) {
		r->capacity = r->capacity ? r->capacity * 2 : 64;
		r->rows = realloc(r->rows, r->capacity * sizeof *r->rows);
		assert_non_null(r->rows);
	}
	memcpy(r->rows[r->count].text, text, sizeof text);
	r->rows[r->count++].value = 1;
}

/* Every record of a kind as of `at`, listed in small pages. */
struct listing {
	struct version *rows; /* owned; texts in the arena */
	size_t count;
};

static inline struct listing list_all(const struct view *v, struct txn *t, struct arena *arena,
				      enum record_kind kind, uint64_t at, bool retired)
{
	struct listing l = {.rows = NULL};
	bool more = true;

	while (more) {
		const char *after = l.count ? l.rows[l.count - 1].change.id : "";
		size_t got = 0;

		l.rows = realloc(l.rows, (l.count + PAGE_ROWS) * sizeof *l.rows);
		assert_non_null(l.rows);
		assert_ok(view_list(v, t, kind, after, at, retired, PAGE_ROWS, 4096, arena,
				    l.rows + l.count, &got, &more));
		assert_true(got > 0 || !more);
		for (size_t i = l.count; i < l.count + got; i++) {
			assert_int_equal(l.rows[i].change.kind, kind);
			if (i > 0)
				assert_true(strcmp(l.rows[i - 1].change.id, l.rows[i].change.id) <
					    0);
		}
		l.count += got;
	}
	return l;
}

static inline const char *column(const struct version *v, const char *name)
{
	return record_get_named(v->change.record, name);
}

static inline const char *or_unknown(const char *text)
{
	return *text ? text : "unknown";
}

/* "26" of pl26-…, "PL" of pl-…: the tests use no other ids. */
static inline const char *owner_in(const char *id)
{
	int owner = id_owner(bytes_of_text(id));

	return owner == REGION_NONE ? "" : region_at(owner)->code;
}

static inline void recount_entity(struct recount *r, const struct version *e)
{
	static const char *const fields[] = {"operator_id",
					     "powiat",
					     "gmina",
					     "street",
					     "postcode",
					     "created_on",
					     "started_on",
					     "registered_on",
					     "participants_per_year_min",
					     "participants_total"};
	const char *region = owner_in(e->change.id);
	const char *kind = column(e, "kind");
	const char *form = or_unknown(column(e, "operator_form"));
	const char *sector = or_unknown(column(e, "operator_sector"));

	if (strcmp(region, "PL") != 0) {
		recount_add(r, "entities", region, "", "");
		if (*kind)
			recount_add(r, "entities", region, kind, "");
		recount_add(r, "entities_by_operator_sector", region, "", sector);
	}
	recount_add(r, "entities", "PL", "", "");
	recount_add(r, "entities_by_operator_sector", "PL", "", sector);
	recount_add(r, "entities_by_operator_form", "PL", "", form);
	if (*kind) {
		recount_add(r, "entities", "PL", kind, "");
		recount_add(r, "entities_by_operator_form", "PL", kind, form);
	}
	recount_add(r, "entities_by_status", "PL", "", column(e, "status"));
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		if (*column(e, fields[i]))
			recount_add(r, "entities_with_field", "PL", "", fields[i]);
	}
}

static inline void recount_network(struct recount *r, const struct version *n)
{
	const char *region = owner_in(n->change.id);

	recount_add(r, "networks", region, "",
		    strcmp(region, "PL") == 0 ? "national_scope" : "of_this_region");
	recount_add(r, "networks", "PL", "", "all");
	recount_add(r, "networks_by_form", "PL", "", or_unknown(column(n, "form")));
	recount_add(r, "networks_by_status", "PL", "", or_unknown(column(n, "status")));
}

static inline void recount_membership(struct recount *r, const struct version *m)
{
	const char *network = column(m, "network_id");

	recount_add(r, "memberships", "PL", "", "all");
	recount_add(r, "memberships_by_certainty", "PL", "", column(m, "certainty"));
	recount_add(r, "memberships_by_network", owner_in(network), "", network);
}

/* Does any membership before number `until` put the entity into a regional network? */
static inline bool in_regional_network(const struct listing *memberships, size_t until,
				       const char *entity)
{
	for (size_t i = 0; i < until; i++) {
		const char *owner = owner_in(column(&memberships->rows[i], "network_id"));

		if (*owner && strcmp(owner, "PL") != 0 &&
		    strcmp(column(&memberships->rows[i], "entity_id"), entity) == 0)
			return true;
	}
	return false;
}

static inline void recount_in_networks(struct recount *r, const struct listing *entities,
				       const struct listing *memberships)
{
	for (size_t i = 0; i < memberships->count; i++) {
		const char *entity = column(&memberships->rows[i], "entity_id");

		if (*entity && !in_regional_network(memberships, i, entity) &&
		    in_regional_network(memberships, i + 1, entity))
			recount_add(r, "entities_in_a_regional_network", "PL", "", "");
	}
	for (size_t i = 0; i < entities->count; i++) {
		const struct version *e = &entities->rows[i];
		const char *kind = column(e, "kind");

		if ((strcmp(kind, "CIS") == 0 || strcmp(kind, "KIS") == 0) &&
		    strcmp(owner_in(e->change.id), "PL") != 0 &&
		    in_regional_network(memberships, memberships->count, e->change.id))
			recount_add(r, "entities_in_a_regional_network", owner_in(e->change.id),
				    kind, "");
	}
}

static inline bool compared_together(const struct version *a, const struct version *b)
{
	return strcmp(column(a, "measure"), "active_count") == 0 &&
	       strcmp(column(b, "measure"), "active_count") == 0 &&
	       strcmp(column(a, "kind"), column(b, "kind")) == 0 &&
	       strcmp(owner_in(a->change.id), owner_in(b->change.id)) == 0;
}

/* Counted at the first claim of its group: do reporters differ, and do values? */
static inline void recount_conflict(struct recount *r, const struct listing *all, size_t at)
{
	const struct version *first = &all->rows[at];
	bool reporters = false;
	bool values = false;

	for (size_t i = 0; i < all->count; i++) {
		const struct version *other = &all->rows[i];

		if (!compared_together(first, other))
			continue;
		if (i < at)
			return;
		reporters |= strcmp(column(first, "reported_by"), column(other, "reported_by"));
		values |= strcmp(column(first, "value"), column(other, "value"));
	}
	if (reporters && values && strcmp(owner_in(first->change.id), "PL") != 0)
		recount_add(r, "statistics_in_conflict", owner_in(first->change.id), "",
			    "active_count");
}

static inline struct recount recount(const struct view *v, struct txn *t, struct arena *arena)
{
	struct recount r = {.rows = NULL};
	struct listing all[RECORD_KIND_LAST + 1] = {{NULL, 0}};

	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++)
		all[k] = list_all(v, t, arena, (enum record_kind)k, 0, false);
	for (size_t i = 0; i < all[RECORD_OPERATOR].count; i++)
		recount_add(&r, "operators", "PL", "", "all");
	for (size_t i = 0; i < all[RECORD_ENTITY].count; i++)
		recount_entity(&r, &all[RECORD_ENTITY].rows[i]);
	for (size_t i = 0; i < all[RECORD_NETWORK].count; i++)
		recount_network(&r, &all[RECORD_NETWORK].rows[i]);
	for (size_t i = 0; i < all[RECORD_MEMBERSHIP].count; i++)
		recount_membership(&r, &all[RECORD_MEMBERSHIP].rows[i]);
	recount_in_networks(&r, &all[RECORD_ENTITY], &all[RECORD_MEMBERSHIP]);
	for (size_t i = 0; i < all[RECORD_STATISTIC].count; i++) {
		recount_add(&r, "statistics", "PL", "", "all");
		recount_conflict(&r, &all[RECORD_STATISTIC], i);
	}
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++)
		free(all[k].rows);
	return r;
}

/* The value that the view keeps for a row of such text; 0 when it keeps none. */
static inline int64_t kept_count(const struct count *rows, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		char row[ROW_BYTES];

		(void)snprintf(row, sizeof row, "%s,%s,%s,%s", rows[i].metric, rows[i].region,
			       rows[i].kind, rows[i].key);
		if (strcmp(row, text) == 0)
			return rows[i].value;
	}
	return 0;
}

/* Every row of the summary. */
static inline void all_counts(const struct view *v, struct txn *t, struct arena *arena,
			      struct count **ret_rows, size_t *ret_count)
{
	bool more = true;

	assert_ok(view_counts(v, t, NULL, SIZE_MAX, arena, ret_rows, ret_count, &more));
	assert_false(more);
}

static inline void assert_counts_are_right(const struct view *v, struct txn *t, struct arena *arena,
					   const char *when)
{
	struct recount r = recount(v, t, arena);
	struct count *rows = NULL;
	size_t count = 0;

	all_counts(v, t, arena, &rows, &count);
	for (size_t i = 0; i < r.count; i++) {
		int64_t kept = kept_count(rows, count, r.rows[i].text);

		if (kept != r.rows[i].value)
			fail_msg("%s: %s is %lld, kept %lld", when, r.rows[i].text,
				 (long long)r.rows[i].value, (long long)kept);
	}
	if (count != r.count)
		fail_msg("%s: %zu rows kept, %zu counted", when, count, r.count);
	free(r.rows);
}

#endif
