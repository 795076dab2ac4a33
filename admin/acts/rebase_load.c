#include <stdlib.h>
#include <string.h>

#include "admin/acts/branch.h"
#include "admin/acts/rebase.h"
#include "admin/auditor/source_socket.h"
#include "admin/text.h"
#include "tlog/checkpoint.h"

static enum outcome no_memory(struct cli *cli)
{
	return cli_fail(cli, FAILED, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
}

/* ---- which two histories ---- */

/* The old store's newest checkpoint: of which log it is, and its size. */
static enum outcome read_old(struct rebase *r)
{
	struct note *note = malloc(sizeof *note);
	struct checkpoint newest = {.size = 0};
	struct buf raw = {0};
	enum err e = note ? r->old.ops->newest(&r->old, r->log, &r->old_size, &raw) : ERR_NOMEM;
	enum outcome outcome = DONE;

	if (e == ERR_OK)
		e = note_parse(buf_bytes(&raw), note);
	if (e == ERR_OK)
		e = checkpoint_parse(note->text, false, &newest);
	if (e == ERR_NOT_FOUND)
		outcome = cli_fail(r->cli, FAILED, e,
				   "%s holds no event of log %s, which this node keeps", r->folder,
				   r->log.text);
	else if (e != ERR_OK)
		outcome = source_failed(r->cli, &r->old, e);
	else if (strcmp(newest.origin, r->origin) != 0)
		outcome = cli_fail(r->cli, FAILED, ERR_ORIGIN, "%s is of %s, this node keeps %s",
				   r->folder, newest.origin, r->origin);
	free(note);
	buf_free(&raw);
	return outcome;
}

static enum outcome open_both(struct rebase *r)
{
	struct control_reply status;
	enum outcome outcome = link_open(r->cli, &r->link);
	enum err e = ERR_OK;
	int region = REGION_NONE;

	if (outcome == DONE)
		outcome = link_node(&r->link, &status, &region);
	if (outcome != DONE)
		return outcome;
	e = log_name_parse(bytes_of_text(status.identity), &r->log);
	if (e == ERR_OK)
		e = log_origin(status.realm, r->log, r->origin, sizeof r->origin);
	if (e != ERR_OK)
		return link_lost(&r->link, ERR_DECODE);
	outcome = source_open_daemon(r->cli, &r->node);
	if (outcome == DONE)
		outcome = source_named(r->cli, r->folder, &r->old);
	if (outcome != DONE)
		return outcome;
	e = leaf_reader_open(&r->old_leaves, &r->old);
	if (e == ERR_OK)
		e = leaf_reader_open(&r->node_leaves, &r->node);
	return e == ERR_OK ? DONE : no_memory(r->cli);
}

static enum outcome find_fork(struct rebase *r)
{
	const struct source *at = &r->node;
	uint64_t common = 0;
	enum err e = leaf_size(&r->node_leaves, r->log, true, &r->node_size);

	common = r->old_size < r->node_size ? r->old_size : r->node_size;
	if (e == ERR_OK)
		e = branch_fork(&r->old, &r->node, r->log, common, &r->fork, &at);
	return e == ERR_OK ? DONE : source_failed(r->cli, at, e);
}

/* ---- the orphaned events ---- */

/* Bytes of a text up to `max`, cut between characters. */
static int cut(const char *text, size_t max)
{
	size_t size = strnlen(text, max + 1);

	if (size <= max)
		return (int)size;
	size = max;
	while (size > 0 && ((uint8_t)text[size] & 0xc0) == 0x80)
		size--;
	return (int)size;
}

/* "rebased from splot.example/region/26@17: the reason (e07)" */
static const char *reason_again(const struct rebase *r, const struct orphan *o)
{
	struct arena *arena = &r->cli->arena;
	const char *from =
		text_in(arena, "rebased from %s@%llu: ", r->origin, (unsigned long long)o->index);
	size_t taken = strlen(from) + strlen(o->event.editor) + strlen(" ()");

	return text_in(arena, "%s%.*s (%s)", from, cut(o->event.reason, REASON_BYTES_MAX - taken),
		       o->event.reason, o->event.editor);
}

/* The leaf must be what the old store's own tree says of it. */
static enum err check_leaf(struct rebase *r, uint64_t index, struct bytes raw, struct buf *tile)
{
	const struct tile_id id = {0, index / TILE_WIDTH};
	size_t at = (size_t)(index % TILE_WIDTH) * HASH_BYTES;
	struct hash hash = hash_leaf(raw);
	enum err e = ERR_OK;

	if (index == r->fork || index % TILE_WIDTH == 0) {
		buf_clear(tile);
		e = r->old.ops->tile(&r->old, r->log, id, tile_width(id, r->old_size), tile);
	}
	if (e != ERR_OK || !raw.size) /* a redacted one has its hash alone */
		return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
	if (!tile->data || at + HASH_BYTES > tile->size)
		return ERR_CORRUPT;
	return memcmp(tile->data + at, hash.b, HASH_BYTES) == 0 ? ERR_OK : ERR_CORRUPT;
}

static enum err take_orphan(struct rebase *r, struct orphan *o, struct bytes raw)
{
	enum err e = event_decode(raw, &r->cli->arena, &o->event);

	if (e == ERR_NOMEM)
		return e;
	if (e != ERR_OK) {
		o->state = ORPHAN_UNREADABLE;
		return ERR_OK;
	}
	o->state = o->event.act == EVENT_CHANGES ? ORPHAN_CHANGES : ORPHAN_ACT;
	o->reason = reason_again(r, o);
	o->sent = arena_alloc(&r->cli->arena, o->event.change_count);
	if (!o->sent)
		return ERR_NOMEM;
	memset(o->sent, 0, o->event.change_count);
	return ERR_OK;
}

static enum outcome read_orphans(struct rebase *r)
{
	uint64_t count = r->old_size - r->fork;
	struct buf tile = {0};
	enum err e = ERR_OK;

	if (count > SIZE_MAX / sizeof *r->orphans)
		return no_memory(r->cli);
	r->orphans = calloc((size_t)count + 1, sizeof *r->orphans);
	if (!r->orphans)
		return no_memory(r->cli);
	for (uint64_t i = r->fork; i < r->old_size && e == ERR_OK; i++) {
		struct orphan *o = &r->orphans[r->orphan_count];
		struct bytes raw;

		o->index = i;
		o->state = ORPHAN_REDACTED;
		e = leaf_at(&r->old_leaves, r->log, i, &raw);
		if (e == ERR_OK)
			e = check_leaf(r, i, raw, &tile);
		if (e == ERR_OK && raw.size)
			e = take_orphan(r, o, raw);
		r->orphan_count++;
		cli_progress(r->cli, "reading", r->orphan_count, (size_t)count);
	}
	cli_progress(r->cli, "", 0, 0);
	buf_free(&tile);
	if (e == ERR_CORRUPT || e == ERR_NOT_FOUND)
		return cli_fail(r->cli, BAD_DATA, ERR_CORRUPT,
				"%s: event %llu is not what its tree says; splotctl audit verify "
				"%s tells more",
				r->folder,
				(unsigned long long)r->orphans[r->orphan_count - 1].index,
				r->folder);
	return e == ERR_OK ? DONE : source_failed(r->cli, &r->old, e);
}

/* ---- the records they change ---- */

static int by_id(const void *a, const void *b)
{
	const struct touched *x = a;
	const struct touched *y = b;

	return strcmp(x->id, y->id);
}

struct touched *rebase_touched(const struct rebase *r, const char *id)
{
	const struct touched key = {.id = id};

	return r->touched_count ? bsearch(&key, r->touched, r->touched_count, sizeof key, by_id)
				: NULL;
}

static enum outcome collect_touched(struct rebase *r)
{
	size_t all = 0;
	size_t kept = 0;

	for (size_t i = 0; i < r->orphan_count; i++)
		all += r->orphans[i].event.change_count;
	r->touched = calloc(all + 1, sizeof *r->touched);
	if (!r->touched)
		return no_memory(r->cli);
	all = 0;
	for (size_t i = 0; i < r->orphan_count; i++)
		for (size_t c = 0; c < r->orphans[i].event.change_count; c++)
			r->touched[all++].id = r->orphans[i].event.changes[c].id;
	qsort(r->touched, all, sizeof *r->touched, by_id);
	for (size_t i = 0; i < all; i++)
		if (!kept || strcmp(r->touched[kept - 1].id, r->touched[i].id) != 0)
			r->touched[kept++] = r->touched[i];
	r->touched_count = kept;
	return DONE;
}

/* ---- what the other history did with them ---- */

/* The orphaned event that this event sends again, of an earlier run; NULL: none.  The whole
 * reason is compared, since another old store may have had other events of the same number. */
static const struct orphan *sent_again(const struct rebase *r, const struct event *e)
{
	const char *at = NULL;
	char *end = NULL;
	uint64_t index = 0;
	const struct orphan *o = NULL;

	if (strncmp(e->reason, "rebased from ", strlen("rebased from ")) != 0)
		return NULL;
	at = strchr(e->reason, '@');
	if (!at)
		return NULL;
	index = strtoull(at + 1, &end, 10);
	if (*end != ':' || index < r->fork || index - r->fork >= r->orphan_count)
		return NULL;
	o = &r->orphans[index - r->fork];
	return o->reason && !strcmp(o->reason, e->reason) ? o : NULL;
}

static void note_sent(const struct orphan *o, const struct event *e)
{
	for (size_t c = 0; c < o->event.change_count; c++)
		for (size_t k = 0; k < e->change_count && !o->sent[c]; k++)
			o->sent[c] = !strcmp(o->event.changes[c].id, e->changes[k].id);
}

static void note_elsewhere(const struct rebase *r, uint64_t index, const struct event *e)
{
	for (size_t c = 0; c < e->change_count; c++) {
		struct touched *t = rebase_touched(r, e->changes[c].id);

		if (t) {
			t->elsewhere = true;
			t->by = index;
		}
	}
}

static enum outcome read_others(struct rebase *r)
{
	struct arena arena = {0};
	enum err e = ERR_OK;

	for (uint64_t i = r->fork; i < r->node_size && e == ERR_OK; i++) {
		const struct orphan *o = NULL;
		struct event event;
		struct bytes raw;

		arena_reset(&arena);
		e = leaf_at(&r->node_leaves, r->log, i, &raw);
		if (e != ERR_OK || !raw.size) /* a redacted one changes nothing */
			continue;
		e = event_decode(raw, &arena, &event);
		if (e != ERR_OK)
			break;
		o = sent_again(r, &event);
		if (o)
			note_sent(o, &event);
		else
			note_elsewhere(r, i, &event);
	}
	arena_free(&arena);
	return e == ERR_OK ? DONE : source_failed(r->cli, &r->node, e);
}

/* ---- all of it ---- */

enum outcome rebase_load(struct cli *cli, const char *folder, struct rebase *ret)
{
	enum outcome outcome = DONE;

	*ret = (struct rebase){.cli = cli, .folder = folder, .link = {.fd = -1}};
	outcome = open_both(ret);
	if (outcome == DONE)
		outcome = read_old(ret);
	if (outcome == DONE)
		outcome = find_fork(ret);
	if (outcome == DONE)
		outcome = read_orphans(ret);
	if (outcome == DONE)
		outcome = collect_touched(ret);
	if (outcome == DONE)
		outcome = read_others(ret);
	return outcome;
}

void rebase_free(struct rebase *r)
{
	link_close(&r->link);
	leaf_reader_close(&r->old_leaves);
	leaf_reader_close(&r->node_leaves);
	source_close(&r->old);
	source_close(&r->node);
	free(r->orphans);
	free(r->touched);
	*r = (struct rebase){.link = {.fd = -1}};
}
