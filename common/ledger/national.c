#include "ledger/national.h"

#include <string.h>

#include "base/limits.h"
#include "ledger/keys.h"
#include "ledger/numbered.h"

/* Sizes of which a cosigned checkpoint is kept. */
enum { COSIGNED_MOST = 64 };

/* ---- appending ---- */

/* The recorded time of the newest entry; nothing before it may be recorded after it. */
static enum err newest_time(const struct log *national, struct txn *t, struct wall_ms *ret)
{
	struct national_entry entry;
	struct arena arena = {.head = NULL};
	struct bytes raw = {NULL, 0};
	enum err e = log_last(national, t, &raw);

	if (e == ERR_OK)
		e = national_decode(raw, &arena, &entry);
	if (e == ERR_OK)
		*ret = entry.recorded;
	arena_free(&arena);
	/* An empty log, or an entry that this program cannot read, sets no bound. */
	return e == ERR_NOT_FOUND || e == ERR_DECODE || e == ERR_LIMIT ? ERR_OK : e;
}

static enum err append_entry(struct log *national, struct txn *t, struct national_entry entry)
{
	struct wall_ms newest = {.ms = INT64_MIN};
	struct buf raw = {.data = NULL};
	enum err e = newest_time(national, t, &newest);

	if (e != ERR_OK)
		return e;
	if (entry.recorded.ms < newest.ms)
		entry.recorded = newest;
	e = national_encode(&entry, &raw);
	if (e == ERR_OK)
		e = buf_check(&raw);
	if (e == ERR_OK)
		e = log_append(national, t, buf_bytes(&raw));
	buf_free(&raw);
	return e;
}

/* An event, or the hash of one that was redacted. */
static enum err append_event(struct log *log, struct txn *t, struct bytes event)
{
	struct hash leaf;

	if (event.size > 0)
		return log_append(log, t, event);
	memcpy(leaf.b, event.data, sizeof leaf.b);
	return log_append_redacted(log, t, leaf);
}

enum err national_accept(struct log *national, struct log *log, struct txn *t, struct wall_ms now,
			 const struct bytes *events, uint32_t count, struct bytes note)
{
	uint64_t from = log->edge.size;
	enum err e = ERR_OK;

	if (count == 0 || count > COMMIT_EVENTS_MAX)
		return ERR_ARGUMENT;
	for (uint32_t i = 0; e == ERR_OK && i < count; i++)
		e = append_event(log, t, events[i]);
	if (e == ERR_OK)
		e = log_seal(log, t, note);
	if (e != ERR_OK)
		return e;
	return append_entry(national, t,
			    (struct national_entry){
				    .recorded = now,
				    .kind = NATIONAL_ACCEPTED,
				    .log = log->name,
				    .from = from,
				    .size = log->edge.size,
				    .checkpoint = note,
			    });
}

enum err national_act(struct log *national, struct txn *t, const struct national_entry *act)
{
	if (act->kind != NATIONAL_ACT)
		return ERR_ARGUMENT;
	return append_entry(national, t, *act);
}

/* ---- how far a log was ---- */

/* Whether nothing before this entry says more of the log; then `ret` is its size. */
static bool tells_size(const struct national_entry *entry, struct log_name log, uint64_t *ret)
{
	if (!log_name_equal(entry->log, log))
		return false;
	*ret = entry->kind == NATIONAL_ACCEPTED ? entry->size : 0;
	return entry->kind == NATIONAL_ACCEPTED ||
	       (entry->kind == NATIONAL_ACT && strcmp(entry->act, "enrol") == 0);
}

enum err national_size_of(const struct log *national, struct txn *read, struct log_name log,
			  uint64_t national_size, uint64_t *ret)
{
	struct arena arena = {.head = NULL};
	bool told = false;
	enum err e = ERR_OK;

	*ret = 0;
	for (uint64_t i = national_size; e == ERR_OK && i > 0 && !told; i--) {
		struct national_entry entry;
		struct bytes raw = {NULL, 0};

		arena_reset(&arena);
		e = log_event(national, read, i - 1, &raw);
		if (e == ERR_OK)
			e = national_decode(raw, &arena, &entry);
		if (e == ERR_OK)
			told = tells_size(&entry, log, ret);
	}
	arena_free(&arena);
	return e == ERR_NOT_FOUND ? ERR_ARGUMENT : e;
}

enum err national_prove(const struct vkey *key, struct bytes note, uint64_t size, uint64_t index,
			struct bytes entry, struct bytes proof)
{
	struct checkpoint c;
	struct proof hashes = {.count = 0};
	enum err e = checkpoint_open(note, key, &c);

	if (e == ERR_OK && (c.size != size || index >= c.size))
		e = ERR_PROOF;
	if (e == ERR_OK)
		e = proof_read(proof, &hashes);
	if (e == ERR_OK)
		e = proof_check_inclusion(&hashes, index, c.size, hash_leaf(entry), c.root);
	return e;
}

/* ---- cosigned checkpoints ---- */

enum err cosigned_open(struct store *s, bool create, struct table *ret)
{
	return store_table(s, "national.cosigned", create, ret);
}

/* The key of the newest row that is one too many; NOT_FOUND. */
static enum err cosigned_surplus(struct table cosigned, struct txn *t, uint64_t *ret_size)
{
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes note = {NULL, 0};
	enum err e = scan_open(t, cosigned, &scan);

	if (e != ERR_OK)
		return e;
	e = scan_last(scan, &key, &note);
	for (int i = 0; e == ERR_OK && i < COSIGNED_MOST; i++)
		e = scan_prev(scan, &key, &note);
	if (e == ERR_OK && key.size != INDEX_KEY_BYTES)
		e = ERR_CORRUPT;
	if (e == ERR_OK)
		*ret_size = u64_read(key.data);
	scan_close(scan);
	return e;
}

enum err cosigned_put(struct table cosigned, struct txn *t, uint64_t size, struct bytes note)
{
	uint8_t key[INDEX_KEY_BYTES];
	enum err e = ERR_OK;

	u64_write(key, size);
	e = txn_put(t, cosigned, bytes_of(key, sizeof key), note);
	while (e == ERR_OK) {
		e = cosigned_surplus(cosigned, t, &size);
		if (e == ERR_NOT_FOUND)
			return ERR_OK;
		u64_write(key, size);
		if (e == ERR_OK)
			e = txn_delete(t, cosigned, bytes_of(key, sizeof key));
	}
	return e;
}

enum err cosigned_at(struct table cosigned, struct txn *t, uint64_t size, uint64_t *ret_size,
		     struct bytes *ret_note)
{
	return numbered_last(t, cosigned, size, ret_size, ret_note);
}

/* ---- folding ---- */

struct folding {
	const struct log_finder *logs;
	struct txn *logs_read;
	const struct view *view;
	struct txn *view_write;
	struct view_fold *fold;
	struct arena *arena;
	size_t events; /* folded so far */
	size_t others; /* entries without events: they are work as well */
};

static enum err fold_one(struct folding *f, uint64_t position, const struct log *log,
			 uint64_t index)
{
	struct bytes raw = {NULL, 0};
	enum err e = log_event(log, f->logs_read, index, &raw);

	if (e != ERR_OK && e != ERR_REDACTED)
		return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
	f->events++;
	return view_fold_stored(f->fold, f->view, f->view_write, position, log->name, index, raw,
				f->arena);
}

/* An accepted checkpoint names events that the server has stored with it: were they, or
 * their log, not there, going on would lose them for good. */
static enum err fold_entry(struct folding *f, uint64_t position, struct bytes raw)
{
	struct national_entry entry;
	const struct log *log = NULL;
	enum err e = ERR_OK;

	arena_reset(f->arena);
	e = national_decode(raw, f->arena, &entry);
	f->others += e != ERR_OK || entry.kind != NATIONAL_ACCEPTED;
	if (view_fold_ignores(e)) {
		e = view_fold_time(f->fold, f->view, f->view_write, position, NULL);
		return e == ERR_OK ? view_fold_undecodable(f->fold) : e;
	}
	if (e == ERR_OK)
		e = view_fold_time(f->fold, f->view, f->view_write, position, &entry.recorded);
	if (e != ERR_OK || entry.kind != NATIONAL_ACCEPTED)
		return e;
	log = f->logs->find(f->logs->context, entry.log);
	if (!log || entry.from > entry.size)
		return ERR_CORRUPT;
	for (uint64_t i = entry.from; e == ERR_OK && i < entry.size; i++)
		e = fold_one(f, position, log, i);
	return e;
}

enum err national_fold(const struct log *national, const struct log_finder *logs,
		       struct txn *logs_read, const struct view *view, struct txn *view_write,
		       struct view_fold *fold, struct arena *arena, size_t most_events,
		       uint64_t *ret_position, size_t *ret_events)
{
	struct folding f = {logs, logs_read, view, view_write, fold, arena, 0, 0};
	struct bytes raw = {NULL, 0};
	uint64_t size = 0;
	uint64_t begin = 0;
	uint64_t position = 0;
	enum err e = log_newest(national, logs_read, &size, &raw);

	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = view_position(view, view_write, &begin);
	if (e == ERR_OK && begin > size)
		e = ERR_CORRUPT;
	for (position = begin; e == ERR_OK && position < size; position++) {
		if (position > begin &&
		    f.others + view_fold_work(fold) / EVENT_WORK_BYTES >= most_events)
			break;
		e = log_event(national, logs_read, position, &raw);
		if (e == ERR_OK)
			e = fold_entry(&f, position, raw);
		else if (e == ERR_NOT_FOUND)
			e = ERR_CORRUPT;
	}
	if (e == ERR_OK && position > begin)
		e = view_fold_finish(fold, view, view_write, position);
	if (e != ERR_OK)
		return e;
	*ret_position = position;
	*ret_events = f.events;
	return ERR_OK;
}
