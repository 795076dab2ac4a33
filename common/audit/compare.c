#include "audit/compare_parts.h"

#include <stdlib.h>
#include <string.h>

#include "audit/prove.h"
#include "ledger/log.h"

/* ---- where the logs stand ---- */

struct standing {
	uint64_t size;
	struct hash root;
	char origin[ORIGIN_BYTES_MAX + 1];
};

static enum err stand(struct source *s, struct log_name log, struct standing *ret)
{
	struct buf note = {.data = NULL};
	struct checkpoint c = {.size = 0, .root = hash_empty()};
	uint64_t size = 0;
	enum err e = s->ops->newest(s, log, &size, &note);

	if (e == ERR_OK && (log_note_read(buf_bytes(&note), &c) != ERR_OK || c.size != size))
		e = ERR_CORRUPT;
	buf_free(&note);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	*ret = (struct standing){.size = c.size, .root = c.root};
	memcpy(ret->origin, c.origin, sizeof ret->origin);
	return ERR_OK;
}

static struct compare_log *log_row(struct compare_report *r, struct log_name log)
{
	struct compare_log *row = NULL;

	for (size_t i = 0; i < r->log_count; i++)
		if (log_name_equal(r->logs[i].log, log))
			return &r->logs[i];
	row = &r->logs[r->log_count++];
	*row = (struct compare_log){.log = log, .root = {hash_empty(), hash_empty()}};
	return row;
}

static enum err fix_side(struct compare *c, int side)
{
	struct source *s = c->sides[side].logs;
	struct source_names names;
	enum err e = s->ops->names(s, &names);

	for (size_t i = 0; e == ERR_OK && i < names.count; i++) {
		struct compare_log *row = log_row(c->report, names.items[i]);
		struct standing at;

		e = stand(s, names.items[i], &at);
		if (e != ERR_OK)
			break;
		row->there[side] = true;
		row->size[side] = at.size;
		row->root[side] = at.root;
		memcpy(row->origin[side], at.origin, sizeof at.origin);
		c->server[side] = c->server[side] || !strcmp(names.items[i].text, "national");
	}
	if (e != ERR_OK)
		c->failed = side;
	return e;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct compare_log *)a)->log.text,
		      ((const struct compare_log *)b)->log.text);
}

/* ---- what that makes of them ---- */

/* The longer one must have the shorter one's root at its size. */
static enum err judge_lengths(struct compare *c, struct compare_log *row)
{
	const int longer = row->size[1] > row->size[0];
	const uint64_t size = row->size[!longer];
	struct source_tree tiles;
	struct tree tree;
	enum err e = ERR_OK;

	source_tree_init(&tiles, c->sides[longer].logs, row->log, row->size[longer]);
	e = tree_at(&tiles.tree, size, &tree);
	source_tree_free(&tiles);
	if (e != ERR_OK) {
		c->failed = longer;
		return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
	}
	row->state = longer ? COMPARE_B_AHEAD : COMPARE_A_AHEAD;
	if (!hash_equal(tree_root(&tree), row->root[!longer]))
		row->state = COMPARE_FORK;
	return ERR_OK;
}

static enum err judge(struct compare *c, struct compare_log *row)
{
	const bool national = !strcmp(row->log.text, "national");
	const bool both = row->size[0] && row->size[1];

	row->state = COMPARE_EQUAL;
	if (national &&
	    (c->report->of_one_log || !both || strcmp(row->origin[0], row->origin[1]) != 0))
		row->state = COMPARE_OWN;
	else if (!both && row->size[0] != row->size[1])
		row->state = row->size[0] ? COMPARE_ONLY_A : COMPARE_ONLY_B;
	else if (strcmp(row->origin[0], row->origin[1]) != 0)
		row->state = COMPARE_OTHER;
	else if (row->size[0] != row->size[1])
		return judge_lengths(c, row);
	else if (!hash_equal(row->root[0], row->root[1]))
		row->state = COMPARE_FORK;
	return ERR_OK;
}

/* Beside a node only its own log counts. */
static void forget_others(struct compare_report *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->log_count; i++)
		if (r->logs[i].there[0] && r->logs[i].there[1])
			r->logs[kept++] = r->logs[i];
	if (kept)
		r->log_count = kept;
}

static enum err compare_logs(struct compare *c)
{
	struct compare_report *r = c->report;
	enum err e = fix_side(c, 0);

	if (e == ERR_OK)
		e = fix_side(c, 1);
	if (e != ERR_OK)
		return e;
	r->of_one_log = !c->server[0] || !c->server[1];
	qsort(r->logs, r->log_count, sizeof *r->logs, by_name);
	for (size_t i = 0; e == ERR_OK && i < r->log_count; i++)
		e = judge(c, &r->logs[i]);
	for (int side = 0; side < 2; side++)
		for (size_t i = 0; i < r->log_count; i++)
			if (c->server[side] ? !strcmp(r->logs[i].log.text, "national")
					    : r->logs[i].size[side] > 0)
				r->size[side] = r->logs[i].size[side];
	if (e == ERR_OK && r->of_one_log)
		forget_others(r);
	return e;
}

/* ---- all of it ---- */

/* What was fixed first must still stand when all is read. */
static enum err check_still(struct compare *c)
{
	enum err e = ERR_OK;

	for (int side = 0; e == ERR_OK && side < 2; side++) {
		for (size_t i = 0; e == ERR_OK && i < c->report->log_count; i++) {
			const struct compare_log *row = &c->report->logs[i];
			struct standing now;

			if (row->size[side] == 0)
				continue;
			e = stand(c->sides[side].logs, row->log, &now);
			if (e == ERR_OK && now.size != row->size[side])
				e = ERR_AGAIN;
		}
		if (e != ERR_OK)
			c->failed = side;
	}
	return e;
}

static bool all_equal(const struct compare_report *r)
{
	bool equal = true;

	for (size_t i = 0; i < r->log_count; i++)
		equal = equal &&
			(r->logs[i].state == COMPARE_EQUAL || r->logs[i].state == COMPARE_OWN);
	if (!r->viewed)
		return equal;
	equal = equal && r->differing == 0 &&
		hash_equal(r->records_digest[0], r->records_digest[1]);
	for (size_t i = 0; i < r->region_count; i++)
		equal = equal && hash_equal(r->regions[i].digest[0], r->regions[i].digest[1]);
	return equal;
}

enum err compare_run(const struct compare_side sides[static 2], struct compare_report *ret,
		     int *ret_side)
{
	struct compare c = {.sides = sides, .report = ret};
	enum err e = ERR_OK;

	memset(ret, 0, sizeof *ret);
	e = compare_logs(&c);
	ret->viewed = sides[0].view && sides[1].view;
	if (e == ERR_OK && ret->viewed)
		e = compare_views(&c);
	if (e == ERR_OK)
		e = check_still(&c);
	ret->equal = e == ERR_OK && all_equal(ret);
	*ret_side = c.failed;
	arena_free(&c.arena);
	arena_free(&c.counts_arena[0]);
	arena_free(&c.counts_arena[1]);
	for (int side = 0; side < 2; side++) {
		buf_free(&c.row[side]);
		buf_free(&c.key[side]);
	}
	return e;
}
