#include "admin/auditor/view_socket.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ledger/rows.h"
#include "ledger/view.h"

enum {
	/* Counts of two moments do not belong together: all of them are asked for again. */
	TRIES = 10,
	REST_MS = 50,
};

/* ---- rows ---- */

static enum err ask_rows(struct source *daemon, const char *table, struct bytes key, bool reverse,
			 uint32_t limit, struct control_reply *ret)
{
	const struct control_request q = {.verb = CONTROL_ROWS,
					  .name = ROWS_OF_VIEW,
					  .table = table,
					  .after_key = key,
					  .reverse = reverse,
					  .limit = limit};

	return source_ask(daemon, &q, ret);
}

static enum err view_page(void *context, const char *table, struct bytes after,
			  const struct stored_row **ret, size_t *ret_count)
{
	struct control_reply reply;
	enum err e = ask_rows(context, table, after, false, VERIFY_PAGE_ROWS, &reply);

	if (e != ERR_OK)
		return e;
	*ret = reply.rows;
	*ret_count = reply.row_count;
	return ERR_OK;
}

/* The last one before the key that follows it. */
static enum err view_row(void *context, const char *table, struct bytes key, struct bytes *ret)
{
	struct buf next = {.data = NULL};
	struct control_reply reply;
	enum err e = ERR_OK;

	buf_add_bytes(&next, key);
	buf_add_u8(&next, 0);
	e = buf_check(&next);
	if (e == ERR_OK)
		e = ask_rows(context, table, buf_bytes(&next), true, 1, &reply);
	buf_free(&next);
	if (e != ERR_OK)
		return e;
	if (!reply.row_count || !bytes_equal(reply.rows[0].key, key))
		return ERR_NOT_FOUND;
	*ret = reply.rows[0].value;
	return ERR_OK;
}

/* ---- counts ---- */

struct gathered {
	struct arena *arena;
	struct count *rows; /* in the arena */
	size_t count, capacity;
	uint64_t position;
};

static enum err keep_row(struct gathered *g, const struct count_row *row)
{
	struct count c = {arena_text(g->arena, bytes_of_text(row->metric)),
			  arena_text(g->arena, bytes_of_text(row->region)),
			  arena_text(g->arena, bytes_of_text(row->kind)),
			  arena_text(g->arena, bytes_of_text(row->key)), row->value};

	if (g->count == g->capacity) {
		size_t capacity = 2 * g->capacity + 64;
		struct count *rows = arena_alloc(g->arena, capacity * sizeof *rows);

		if (rows && g->count)
			memcpy(rows, g->rows, g->count * sizeof *rows);
		g->rows = rows;
		g->capacity = capacity;
	}
	if (!g->rows || !c.metric || !c.region || !c.kind || !c.key)
		return ERR_NOMEM;
	g->rows[g->count++] = c;
	return ERR_OK;
}

/* Every page; BUSY when one stands for another position than the first. */
static enum err gather(struct source *daemon, struct gathered *g)
{
	struct control_request q = {.verb = CONTROL_SUMMARY};
	struct control_reply page = {.more = true};
	enum err e = ERR_OK;

	while (e == ERR_OK && page.more) {
		e = source_ask(daemon, &q, &page);
		if (e == ERR_OK && g->count && page.position != g->position)
			e = ERR_BUSY;
		if (e == ERR_OK && page.more && !page.count_count)
			e = ERR_DECODE;
		g->position = page.position;
		for (size_t i = 0; e == ERR_OK && i < page.count_count; i++)
			e = keep_row(g, &page.counts[i]);
		if (e == ERR_OK && g->count) {
			const struct count *last = &g->rows[g->count - 1];

			q.after_count = (struct count_row){last->metric, last->region, last->kind,
							   last->key, last->value};
		}
	}
	return e;
}

static enum err view_state(void *context, struct arena *arena, uint64_t *ret_position,
			   struct count **ret_counts, size_t *ret_count)
{
	const struct timespec rest = {.tv_nsec = REST_MS * 1000L * 1000L};
	struct gathered g = {.arena = arena};
	enum err e = ERR_BUSY;

	for (int tries = 0; e == ERR_BUSY && tries < TRIES; tries++) {
		if (tries)
			(void)nanosleep(&rest, NULL);
		arena_reset(arena);
		g = (struct gathered){.arena = arena};
		e = gather(context, &g);
	}
	if (e != ERR_OK)
		return e;
	*ret_position = g.position;
	*ret_counts = g.rows;
	*ret_count = g.count;
	return ERR_OK;
}

struct verify_rows view_of_daemon(struct source *daemon)
{
	return (struct verify_rows){daemon, view_state, view_page, view_row};
}
