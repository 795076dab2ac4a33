/* A log of a backup: what is added is appended as the source's daemon once appended it, so that
 * tiles and roots are computed anew and held against every checkpoint. */
#include "audit/backup_parts.h"

#include <string.h>

#include "base/time.h"
#include "model/event.h"

/* A reader that stays pins pages that the writer frees. */
enum { RENEW_US = 50 * 1000, PROGRESS_EVENTS = 256 };

/* ---- what is copied ---- */

static enum err read_newest(struct backup *b, struct backup_pair *p, struct checkpoint *ret)
{
	struct bytes note = {NULL, 0};
	enum err e = log_newest(&p->from, b->read, &p->size, &note);

	*ret = (struct checkpoint){.size = 0, .root = hash_empty()};
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK && (log_note_read(note, ret) != ERR_OK || ret->size != p->size))
		e = ERR_CORRUPT;
	if (e != ERR_OK)
		return backup_failed(b, p->from.name, p->size, "its newest checkpoint", e);
	buf_clear(&p->note);
	buf_add_bytes(&p->note, note);
	return buf_check(&p->note);
}

/* The copy's newest checkpoint must be one that the source's log grew from. */
static enum err check_grown(struct backup *b, struct backup_pair *p, const char *origin)
{
	struct bytes note = {NULL, 0};
	struct checkpoint copied;
	struct txn *t = NULL;
	struct tree tree;
	uint64_t size = 0;
	enum err e = txn_begin(b->to, false, &t);

	if (e == ERR_OK)
		e = log_newest(&p->to, t, &size, &note);
	if (e == ERR_OK)
		e = log_note_read(note, &copied);
	txn_abort(t);
	if (e != ERR_OK)
		return backup_copy_failed(b, p->to.name, e);
	if (p->size == 0 || strcmp(copied.origin, origin) == 0) {
		if (p->size < size)
			return backup_failed(b, p->from.name, p->size,
					     "the log ends before its backup does", ERR_ROLLBACK);
	} else {
		return backup_failed(b, p->from.name, 0, "the backup is of another log",
				     ERR_ORIGIN);
	}
	e = log_tree_proved(&p->from, b->read, size, &tree);
	if (e != ERR_OK)
		return backup_failed(b, p->from.name, size, "its tiles", e);
	if (!hash_equal(tree_root(&tree), copied.root))
		return backup_failed(b, p->from.name, size,
				     "another history than the backup's: the roots differ",
				     ERR_FORK);
	return ERR_OK;
}

enum err backup_fix_log(struct backup *b, struct backup_pair *p)
{
	struct checkpoint newest;
	enum err e = read_newest(b, p, &newest);

	if (e != ERR_OK)
		return e;
	p->row->before = p->to.edge.size;
	p->row->size = p->size;
	p->row->root = newest.root;
	if (p->size)
		memcpy(p->row->origin, newest.origin, sizeof p->row->origin);
	b->total += p->size > p->to.edge.size ? p->size - p->to.edge.size : 0;
	if (p->to.edge.size)
		e = check_grown(b, p, newest.origin);
	if (e == ERR_OK && p->size && b->options->trusted && p == backup_followed(b)) {
		e = keyring_checkpoint(b->options->trusted, p->from.name, buf_bytes(&p->note),
				       &newest);
		if (e != ERR_OK)
			return backup_failed(
				b, p->from.name, p->size,
				"its newest checkpoint is not signed by the keys given", e);
	}
	return e;
}

/* ---- one event after the other ---- */

static enum err renew(struct backup *b)
{
	int64_t now_us = mono_us();

	if (now_us - b->renewed_us < RENEW_US)
		return ERR_OK;
	b->renewed_us = now_us;
	return txn_renew(b->read);
}

/* The key of a server's row, or a node's, in table "redacted". */
static enum err redaction_key(struct backup *b, const struct backup_pair *p, uint64_t index,
			      struct buf *ret)
{
	buf_clear(ret);
	if (backup_followed(b)->national) {
		buf_add_text(ret, p->from.name.text);
		buf_add_u8(ret, 0);
	}
	buf_add_u64be(ret, index);
	return buf_check(ret);
}

/* An event without bytes needs an act that erased it. */
static enum err append_erased(struct backup *b, struct backup_pair *p, uint64_t index)
{
	struct buf key = {.data = NULL};
	struct bytes row = {NULL, 0};
	struct hash leaf;
	enum err e = redaction_key(b, p, index, &key);

	if (e == ERR_OK)
		e = b->has_redacted ? txn_get(b->read, b->redacted, buf_bytes(&key), &row)
				    : ERR_NOT_FOUND;
	buf_free(&key);
	if (e == ERR_NOT_FOUND)
		return backup_failed(b, p->from.name, index,
				     "its bytes are gone without an act that says so", ERR_CORRUPT);
	if (e == ERR_OK)
		e = log_leaf(&p->from, b->read, index, &leaf);
	return e == ERR_OK ? log_append_redacted(&p->to, b->write, leaf) : e;
}

/* The very note that the national log accepted is what the log holds: so the national signature
 * covers all of them. */
static enum err check_entry(struct backup *b, struct backup_pair *national, uint64_t index,
			    struct bytes raw)
{
	struct national_entry entry;
	struct backup_pair *p = NULL;
	struct bytes note = {NULL, 0};
	enum err e = ERR_OK;

	arena_reset(&b->arena);
	e = national_decode(raw, &b->arena, &entry);
	if (e == ERR_NOMEM)
		return e;
	if (e != ERR_OK || entry.kind != NATIONAL_ACCEPTED)
		return ERR_OK; /* an act, or of a later release */
	p = backup_pair(b, entry.log);
	e = p ? log_checkpoint(&p->to, b->write, entry.size, &note) : ERR_NOT_FOUND;
	if (e == ERR_OK && !bytes_equal(note, entry.checkpoint))
		e = ERR_CORRUPT;
	if (e == ERR_NOT_FOUND || e == ERR_CORRUPT)
		return backup_failed(b, national->from.name, index,
				     "it accepts a checkpoint that its log does not hold",
				     ERR_CORRUPT);
	if (e == ERR_OK && entry.size > p->accepted)
		p->accepted = entry.size;
	return e;
}

static enum err copy_event(struct backup *b, struct backup_pair *p, uint64_t index)
{
	struct bytes event = {NULL, 0};
	enum err e = log_event(&p->from, b->read, index, &event);

	b->report->rows_read++;
	if (e == ERR_REDACTED) {
		e = append_erased(b, p, index);
	} else if (e != ERR_OK) {
		return backup_failed(b, p->from.name, index,
				     e == ERR_NOT_FOUND
					     ? "an event below the signed size is not there"
					     : "its bytes are not those that its tile stands for",
				     e == ERR_NOT_FOUND ? ERR_CORRUPT : e);
	} else {
		e = log_append(&p->to, b->write, event);
		if (e == ERR_LIMIT) /* longer than an event may be */
			return backup_failed(b, p->from.name, index, "no event is so long",
					     ERR_CORRUPT);
		if (e == ERR_OK && p->national)
			e = check_entry(b, p, index, event);
	}
	return e == ERR_OK ? backup_wrote(b, BACKUP_INDEX_BYTES + event.size) : e;
}

/* ---- checkpoints ---- */

/* The first one of a size above `after`, its note in `note`; NOT_FOUND. */
static enum err next_checkpoint(struct backup *b, const struct backup_pair *p, uint64_t after,
				uint64_t *ret_size, struct buf *note)
{
	uint8_t wanted[BACKUP_INDEX_BYTES];
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	struct cursor c;
	enum err e = scan_open(b->read, p->from.checkpoints, &scan);

	if (e != ERR_OK)
		return e;
	e = scan_seek(scan, backup_index_key(after + 1, wanted), &key, &value);
	if (e == ERR_OK && key.size != BACKUP_INDEX_BYTES)
		e = ERR_CORRUPT;
	if (e == ERR_OK) {
		c = cursor_of(key);
		*ret_size = cursor_u64be(&c);
		b->report->rows_read++;
		buf_clear(note);
		buf_add_bytes(note, value);
		e = buf_check(note);
	}
	scan_close(scan);
	return e;
}

/* The copy's log has grown to the size of this checkpoint. */
static enum err take_checkpoint(struct backup *b, struct backup_pair *p, struct bytes note)
{
	const uint64_t size = p->to.edge.size;
	uint8_t key[BACKUP_INDEX_BYTES];
	struct checkpoint c;
	enum err e = ERR_OK;

	if (size == p->size) {
		e = log_seal(&p->to, b->write, note);
	} else if (log_note_read(note, &c) != ERR_OK || c.size != size ||
		   !hash_equal(c.root, tree_root(&p->to.tree))) {
		e = ERR_ROOT;
	} else {
		e = txn_put(b->write, p->to.checkpoints, backup_index_key(size, key), note);
	}
	if (e == ERR_ROOT || e == ERR_DECODE || e == ERR_LIMIT)
		return backup_failed(b, p->from.name, size,
				     "the events do not give the root that the checkpoint of this "
				     "size says",
				     ERR_CORRUPT);
	return e == ERR_OK ? backup_wrote(b, BACKUP_INDEX_BYTES + note.size) : e;
}

enum err backup_copy_log(struct backup *b, struct backup_pair *p)
{
	struct buf note = {.data = NULL};
	uint64_t sealed = p->to.edge.size;
	enum err e = ERR_OK;

	while (e == ERR_OK && sealed < p->size) {
		e = next_checkpoint(b, p, sealed, &sealed, &note);
		if (e == ERR_NOT_FOUND || (e == ERR_OK && sealed > p->size))
			e = backup_failed(b, p->from.name, p->size, "its checkpoint is gone",
					  ERR_CORRUPT);
		while (e == ERR_OK && p->to.edge.size < sealed) {
			e = copy_event(b, p, p->to.edge.size);
			if (++b->done % PROGRESS_EVENTS == 0 && b->options->progress)
				b->options->progress(b->options->context, b->done, b->total);
			if (e == ERR_OK)
				e = renew(b);
		}
		if (e == ERR_OK)
			e = take_checkpoint(b, p, buf_bytes(&note));
	}
	buf_free(&note);
	return e;
}

/* ---- what was erased since ---- */

/* Whose event a row of "redacted" names; NULL for one that is not copied, or no row of ours. */
static struct backup_pair *redacted_event(struct backup *b, struct bytes key, uint64_t *ret_index)
{
	struct backup_pair *p = backup_followed(b);
	struct log_name log;
	struct cursor c = cursor_of(key);

	if (p && p->national) {
		const uint8_t *end = key.size ? memchr(key.data, 0, key.size) : NULL;

		if (!end ||
		    log_name_parse(cursor_bytes(&c, (size_t)(end - key.data)), &log) != ERR_OK)
			return NULL;
		(void)cursor_u8(&c);
		p = backup_pair(b, log);
	}
	*ret_index = cursor_u64be(&c);
	return p && cursor_finish(&c) == ERR_OK && *ret_index < p->row->before ? p : NULL;
}

static enum err erase_one(struct backup *b, struct bytes key, struct bytes value)
{
	uint64_t index = 0;
	struct backup_pair *p = redacted_event(b, key, &index);
	struct bytes event = {NULL, 0};
	struct hash leaf;
	enum err e = ERR_OK;

	if (!p || value.size < HASH_BYTES)
		return ERR_OK;
	memcpy(leaf.b, value.data, HASH_BYTES);
	if (log_event(&p->from, b->read, index, &event) != ERR_REDACTED)
		return ERR_OK; /* the act names another event than came */
	e = log_event(&p->to, b->write, index, &event);
	if (e == ERR_REDACTED)
		return ERR_OK;
	if (e == ERR_OK)
		e = log_redact(&p->to, b->write, index, leaf);
	if (e == ERR_ROOT)
		return backup_failed(b, p->from.name, index,
				     "the act that erased it is about another event", ERR_CORRUPT);
	if (e == ERR_CORRUPT || e == ERR_NOT_FOUND)
		return backup_copy_failed(b, p->to.name, ERR_CORRUPT);
	b->report->erased += e == ERR_OK;
	return e;
}

enum err backup_erase(struct backup *b)
{
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	enum err e = b->has_redacted ? scan_open(b->read, b->redacted, &scan) : ERR_NOT_FOUND;

	if (e == ERR_OK)
		e = scan_next(scan, &key, &value);
	while (e == ERR_OK) {
		e = erase_one(b, key, value);
		if (e == ERR_OK)
			e = scan_next(scan, &key, &value);
	}
	scan_close(scan);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err backup_redactions(struct backup *b, struct tree *ret)
{
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	enum err e = b->has_redacted ? scan_open(b->read, b->redacted, &scan) : ERR_NOT_FOUND;

	tree_init(ret);
	if (e == ERR_OK)
		e = scan_next(scan, &key, &value);
	while (e == ERR_OK) {
		tree_append(ret, hash_leaf(key));
		tree_append(ret, hash_leaf(value));
		e = scan_next(scan, &key, &value);
	}
	scan_close(scan);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
