#include "audit/prove.h"

#include <stdlib.h>
#include <string.h>

#include "audit/keyring.h"
#include "base/limits.h"
#include "model/event.h"

/* ---- a source's tiles as a tree ---- */

static enum err tree_tile(void *context, struct tile_id id, struct bytes *ret)
{
	struct source_tree *t = context;
	unsigned width = tile_width(id, t->size);
	struct buf *tile = &t->cached[id.level];
	enum err e = ERR_OK;

	if (tile->size == 0 || t->cached_id[id.level].number != id.number) {
		buf_clear(tile);
		e = width ? t->source->ops->tile(t->source, t->log, id, width, tile)
			  : ERR_NOT_FOUND;
		t->cached_id[id.level] = id;
	}
	if (e != ERR_OK) {
		buf_clear(tile);
		return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
	}
	*ret = buf_bytes(tile);
	return ERR_OK;
}

static enum err tree_node(void *context, unsigned level, uint64_t index, struct hash *ret)
{
	struct source_tree *t = context;

	return tile_node(&t->tiles, level, index, ret);
}

void source_tree_init(struct source_tree *t, struct source *s, struct log_name log, uint64_t size)
{
	*t = (struct source_tree){
		.source = s,
		.log = log,
		.size = size,
		.tiles = {.context = t, .tile = tree_tile},
		.tree = {.context = t, .node = tree_node},
	};
}

void source_tree_free(struct source_tree *t)
{
	for (size_t i = 0; i < TREE_LEVELS_MAX; i++)
		buf_free(&t->cached[i]);
}

enum err source_tree_open(struct source_tree *t, struct source *s, struct log_name log,
			  uint64_t least)
{
	struct buf note = {0};
	uint64_t newest = 0;
	enum err e = s->ops->newest(s, log, &newest, &note);

	buf_free(&note);
	if (e == ERR_OK && newest < least)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		source_tree_init(t, s, log, newest);
	return e;
}

/* ---- inclusion ---- */

struct inclusion {
	uint64_t index, size;
	struct bytes leaf; /* the exact bytes; size 0: redacted */
	struct bytes note; /* of `size` */
};

/* Writes the proof file, when it proves what it says. */
static enum err write_inclusion(const struct inclusion *in, struct source_tree *t, struct buf *ret,
				struct proved *ret_proved)
{
	struct proof_file file = {.index = in->index, .note = in->note, .extra = in->leaf};
	struct checkpoint c;
	struct note *n = malloc(sizeof *n);
	struct hash leaf;
	enum err e = n ? note_parse(in->note, n) : ERR_NOMEM;

	if (e == ERR_OK)
		e = checkpoint_parse(n->text, false, &c);
	if (e == ERR_OK && c.size != in->size)
		e = ERR_CORRUPT;
	if (e == ERR_OK && in->leaf.size)
		leaf = hash_leaf(in->leaf);
	else if (e == ERR_OK)
		e = t->tree.node(t->tree.context, 0, in->index, &leaf);
	if (e == ERR_OK)
		e = proof_inclusion(&t->tree, in->index, in->size, &file.proof);
	if (e == ERR_OK)
		e = proof_check_inclusion(&file.proof, in->index, in->size, leaf, c.root);
	file.has_extra = in->leaf.size > 0;
	if (e == ERR_OK)
		e = proof_file_write(&file, ret);
	if (e == ERR_OK)
		*ret_proved = (struct proved){.under = c, .leaf = leaf};
	free(n);
	if (e == ERR_PROOF || e == ERR_DECODE || e == ERR_ENCODING || e == ERR_ARGUMENT)
		return ERR_CORRUPT;
	return e;
}

static enum err prove(struct source *s, struct log_name log, const struct inclusion *in,
		      struct buf *ret, struct proved *ret_proved)
{
	struct source_tree tree;
	enum err e = source_tree_open(&tree, s, log, in->size);

	if (e != ERR_OK)
		return e;
	e = write_inclusion(in, &tree, ret, ret_proved);
	source_tree_free(&tree);
	return e;
}

/* ---- the national note ---- */

enum err note_shorten(const struct policy *p, struct buf *note)
{
	struct buf shorter = {0};
	enum err e = policy_trim(p, buf_bytes(note), &shorter);

	if (e == ERR_OK) {
		buf_clear(note);
		buf_add_bytes(note, buf_bytes(&shorter));
		e = buf_check(note);
	}
	buf_free(&shorter);
	return e;
}

/* The source's own policy, else the usual one of those whom its national log enrolled. */
static enum err find_policy(struct source *s, struct policy *ret)
{
	struct keyring *k = NULL;
	enum err e = keyring_new(&k);

	if (e == ERR_OK)
		e = keyring_source_policy(k, s, ret);
	if (e == ERR_QUORUM) {
		e = keyring_read(k, s);
		if (e == ERR_OK)
			e = keyring_policy(k, ret);
	}
	keyring_free(k);
	return e;
}

/* No more lines than every verifier accepts.  Where no policy can be had, any of them go. */
static enum err publish(struct source *s, struct buf *note)
{
	struct note *n = malloc(sizeof *n);
	struct policy *policy = malloc(sizeof *policy);
	enum err e = n && policy ? note_parse(buf_bytes(note), n) : ERR_NOMEM;

	if (e == ERR_OK && n->signature_count > NOTE_LINES_PUBLISHED)
		e = note_shorten(find_policy(s, policy) == ERR_OK ? policy : NULL, note);
	free(n);
	free(policy);
	return e == ERR_DECODE || e == ERR_ENCODING || e == ERR_LIMIT ? ERR_CORRUPT : e;
}

/* The newest cosigned national checkpoint when it covers `index`, else the newest one. */
static enum err national_note(struct source *s, struct log_name national, uint64_t index,
			      uint64_t *ret_size, struct buf *ret_note)
{
	enum err e = s->ops->cosigned(s, UINT64_MAX, ret_size, ret_note);

	if (e == ERR_OK && *ret_size > index)
		return publish(s, ret_note);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	buf_clear(ret_note);
	e = s->ops->newest(s, national, ret_size, ret_note);
	return e == ERR_OK && *ret_size <= index ? ERR_NOT_FOUND : e;
}

enum err prove_event(struct source *s, struct log_name log, uint64_t index, struct buf *ret,
		     struct proved *ret_proved)
{
	struct source_leaves *run = malloc(sizeof *run);
	struct inclusion in = {.index = index};
	struct buf leaf = {0}; /* a run of leaves is gone with the next call on the source */
	struct buf note = {0};
	enum err e = ERR_NOMEM;

	if (run && log_name_region(log) == REGION_NONE)
		e = national_note(s, log, index, &in.size, &note);
	else if (run)
		e = s->ops->checkpoint(s, log, index, &in.size, &note);
	if (e == ERR_OK)
		e = s->ops->leaves(s, log, index, in.size, run);
	if (e == ERR_OK) {
		buf_add_bytes(&leaf, run->items[0]);
		e = buf_check(&leaf);
	}
	if (e == ERR_OK) {
		in.leaf = buf_bytes(&leaf);
		in.note = buf_bytes(&note);
		e = prove(s, log, &in, ret, ret_proved);
	}
	if (e == ERR_OK && in.leaf.size == 0)
		e = ERR_REDACTED;
	free(run);
	buf_free(&leaf);
	buf_free(&note);
	return e;
}

/* ---- the national entry ---- */

static bool is_wanted(struct bytes raw, struct arena *arena, struct log_name log, uint64_t size)
{
	struct national_entry entry;

	arena_reset(arena);
	return national_decode(raw, arena, &entry) == ERR_OK && entry.kind == NATIONAL_ACCEPTED &&
	       entry.size == size && log_name_equal(entry.log, log);
}

struct search {
	struct source *source;
	struct log_name national, log;
	uint64_t size;
	struct source_leaves *run;
	struct arena arena;
	bool found;
	uint64_t index;
	struct buf *entry; /* its bytes are appended */
};

/* Looks through [from, end) for the entry. */
static enum err search_from(struct search *w, uint64_t from, uint64_t end)
{
	struct source *s = w->source;
	enum err e = ERR_OK;

	while (e == ERR_OK && !w->found && from < end) {
		e = s->ops->leaves(s, w->national, from, end, w->run);
		for (size_t i = 0; e == ERR_OK && !w->found && i < w->run->count; i++) {
			w->found = is_wanted(w->run->items[i], &w->arena, w->log, w->size);
			if (w->found) {
				buf_add_bytes(w->entry, w->run->items[i]);
				w->index = from + i;
			}
		}
		from += e == ERR_OK ? w->run->count : 0;
	}
	return e;
}

/* Where the entry is, and its bytes (appended).  From the end, a bundle at a time: what is asked
 * for is mostly new. */
static enum err find_entry(struct source *s, struct log_name national, uint64_t end,
			   struct log_name log, uint64_t size, uint64_t *ret_index,
			   struct buf *ret_entry)
{
	struct search w = {.source = s,
			   .national = national,
			   .log = log,
			   .size = size,
			   .run = malloc(sizeof *w.run),
			   .entry = ret_entry};
	enum err e = w.run ? ERR_OK : ERR_NOMEM;

	while (e == ERR_OK && !w.found && end > 0) {
		uint64_t from = (end - 1) / TILE_WIDTH * TILE_WIDTH;

		e = search_from(&w, from, end);
		end = from;
	}
	if (e == ERR_OK)
		e = w.found ? buf_check(ret_entry) : ERR_NOT_FOUND;
	if (e == ERR_OK)
		*ret_index = w.index;
	free(w.run);
	arena_free(&w.arena);
	return e;
}

enum err prove_accepted(struct source *s, struct log_name log, uint64_t size, struct buf *ret,
			struct proved *ret_proved)
{
	struct log_name national;
	struct inclusion in = {0};
	struct buf note = {0};
	struct buf entry = {0};
	enum err e = log_name_parse(bytes_of_text("national"), &national);

	if (e == ERR_OK)
		e = s->ops->newest(s, national, &in.size, &note);
	if (e == ERR_OK)
		e = find_entry(s, national, in.size, log, size, &in.index, &entry);
	buf_clear(&note);
	if (e == ERR_OK)
		e = national_note(s, national, in.index, &in.size, &note);
	if (e == ERR_OK) {
		in.leaf = buf_bytes(&entry);
		in.note = buf_bytes(&note);
		e = prove(s, national, &in, ret, ret_proved);
	}
	buf_free(&note);
	buf_free(&entry);
	return e;
}
