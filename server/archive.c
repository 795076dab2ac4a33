#include "server/archive.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* An entry's fields beside its notes, roughly. */
enum { ENTRY_HEAD_BYTES = 128 };

static const struct log_name national_name = {.text = "national"};

/* Readers need the tables alone (ledger/log_read.c): what the main thread changes in
 * memory is never shared. */
static void take_handle(const struct log *log, struct log *ret)
{
	ret->name = log->name;
	ret->events = log->events;
	ret->tiles = log->tiles;
	ret->checkpoints = log->checkpoints;
}

enum err archive_open(struct archive *a, const char *folder, const struct store_options *options,
		      const struct signer *signer)
{
	enum err e = ERR_OK;

	*a = (struct archive){.signer = signer};
	(void)pthread_mutex_init(&a->lock, NULL); /* cannot fail with default attributes */
	a->national = calloc(1, sizeof *a->national);
	a->national_handle = calloc(1, sizeof *a->national_handle);
	a->logs = calloc(LOGS_MAX, sizeof *a->logs);
	if (!a->national || !a->national_handle || !a->logs)
		return ERR_NOMEM;
	e = store_open(folder, options, &a->store);
	if (e == ERR_OK)
		e = log_open(a->store, national_name, true, a->national);
	if (e == ERR_OK)
		take_handle(a->national, a->national_handle);
	return e;
}

void archive_close(struct archive *a)
{
	txn_abort(a->write);
	for (size_t i = 0; i < a->log_count; i++) {
		free(a->logs[i].log);
		free(a->logs[i].handle);
	}
	free(a->logs);
	free(a->national);
	free(a->national_handle);
	store_close(a->store);
	buf_free(&a->note);
	(void)pthread_mutex_destroy(&a->lock);
	*a = (struct archive){.log_count = 0};
}

/* The newest checkpoint of a log, verified; NOT_FOUND when the log is empty. */
static enum err newest_verified(struct archive *a, const struct log *l, const struct vkey *key,
				struct buf *ret_note)
{
	struct txn *read = NULL;
	struct bytes note = {NULL, 0};
	struct checkpoint checkpoint;
	struct hash root = tree_root(&l->tree);
	uint64_t size = 0;
	enum err e = txn_begin(a->store, false, &read);

	if (e != ERR_OK)
		return e;
	e = log_newest(l, read, &size, &note);
	if (e == ERR_OK)
		e = checkpoint_open(note, key, &checkpoint);
	if (e == ERR_OK && (checkpoint.size != l->tree.size || !hash_equal(checkpoint.root, root)))
		e = ERR_CORRUPT;
	if (e == ERR_OK && ret_note) {
		buf_clear(ret_note);
		buf_add_bytes(ret_note, note);
		e = buf_check(ret_note);
	}
	txn_abort(read);
	return e;
}

enum err archive_check_national(struct archive *a)
{
	enum err e = newest_verified(a, a->national, &a->signer->key, &a->note);

	if (e == ERR_NOT_FOUND && a->national->tree.size == 0)
		e = ERR_OK;
	if (e == ERR_OK)
		a->size = a->national->tree.size;
	return e;
}

enum err archive_check_log(struct archive *a, const struct log *l, const struct vkey *key)
{
	enum err e = newest_verified(a, l, key, NULL);

	return e == ERR_NOT_FOUND && l->tree.size == 0 ? ERR_OK : e;
}

enum err archive_add(struct archive *a, struct log_name name)
{
	struct archive_log *slot = &a->logs[a->log_count];
	struct log *log = NULL;
	struct log *handle = NULL;
	enum err e = ERR_NOMEM;

	if (archive_log(a, name))
		return ERR_OK;
	if (a->log_count == LOGS_MAX)
		return ERR_LIMIT;
	log = calloc(1, sizeof *log);
	handle = calloc(1, sizeof *handle);
	if (log && handle)
		e = log_open(a->store, name, true, log);
	if (e != ERR_OK) {
		free(log);
		free(handle);
		return e;
	}
	take_handle(log, handle);
	*slot = (struct archive_log){.log = log, .handle = handle};
	(void)pthread_mutex_lock(&a->lock);
	a->log_count++;
	(void)pthread_mutex_unlock(&a->lock);
	return ERR_OK;
}

static struct archive_log *slot_of(struct archive *a, struct log_name name)
{
	for (size_t i = 0; i < a->log_count; i++)
		if (log_name_equal(a->logs[i].log->name, name))
			return &a->logs[i];
	return NULL;
}

struct log *archive_log(struct archive *a, struct log_name name)
{
	struct archive_log *slot = slot_of(a, name);

	if (slot)
		return slot->log;
	return log_name_equal(name, national_name) ? a->national : NULL;
}

static const struct log *find_handle(void *context, struct log_name name)
{
	struct archive *a = context;
	const struct log *found = NULL;

	(void)pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->log_count && !found; i++)
		if (log_name_equal(a->logs[i].handle->name, name))
			found = a->logs[i].handle;
	(void)pthread_mutex_unlock(&a->lock);
	return found;
}

struct log_finder archive_finder(struct archive *a)
{
	return (struct log_finder){.context = a, .find = find_handle};
}

/* ---- the turn's transaction ---- */

enum err archive_write(struct archive *a, struct txn **ret)
{
	enum err e = ERR_OK;

	if (!a->write) {
		a->begun_us = mono_us();
		e = txn_begin(a->store, true, &a->write);
	}
	if (e == ERR_OK)
		*ret = a->write;
	return e;
}

enum err archive_accept(struct archive *a, struct log_name name, struct wall_ms now,
			const struct bytes *events, uint32_t count, struct bytes note)
{
	struct archive_log *slot = slot_of(a, name);
	struct txn *write = NULL;
	enum err e = slot ? archive_write(a, &write) : ERR_INTERNAL;

	if (e != ERR_OK)
		return e;
	slot->touched = true;
	a->entry_bytes += ENTRY_HEAD_BYTES + note.size;
	return national_accept(a->national, slot->log, write, now, events, count, note);
}

enum err archive_act(struct archive *a, const struct national_entry *act)
{
	struct txn *write = NULL;
	enum err e = archive_write(a, &write);

	if (e != ERR_OK)
		return e;
	a->entry_bytes += ENTRY_HEAD_BYTES + act->document.size + act->other.size;
	return national_act(a->national, write, act);
}

/* Memory goes back to what is on disk. */
static enum err forget(struct archive *a)
{
	struct txn *read = NULL;
	enum err e = txn_begin(a->store, false, &read);

	if (e == ERR_OK)
		e = log_reload(a->national, read);
	for (size_t i = 0; i < a->log_count && e == ERR_OK; i++)
		if (a->logs[i].touched)
			e = log_reload(a->logs[i].log, read);
	txn_abort(read);
	return e;
}

static void untouch(struct archive *a)
{
	a->entry_bytes = 0;
	for (size_t i = 0; i < a->log_count; i++)
		a->logs[i].touched = false;
}

enum err archive_abort(struct archive *a)
{
	enum err e = ERR_OK;

	txn_abort(a->write);
	a->write = NULL;
	e = forget(a);
	untouch(a);
	return e;
}

static enum err seal_national(struct archive *a, struct buf *note)
{
	struct checkpoint checkpoint = {.size = a->national->tree.size,
					.root = tree_root(&a->national->tree)};
	enum err e = ERR_OK;

	memcpy(checkpoint.origin, a->signer->key.name, sizeof checkpoint.origin);
	e = checkpoint_sign(&checkpoint, a->signer, note);
	return e == ERR_OK ? log_seal(a->national, a->write, buf_bytes(note)) : e;
}

enum err archive_commit(struct archive *a)
{
	struct buf note = {.data = NULL};
	bool grew = a->national->tree.size > a->size;
	enum err e = a->write ? ERR_OK : ERR_INTERNAL;

	if (e == ERR_OK && grew)
		e = seal_national(a, &note);
	if (e == ERR_OK) {
		e = txn_commit(a->write);
		a->write = NULL;
	}
	if (e != ERR_OK) {
		enum err undone = archive_abort(a);

		buf_free(&note);
		return undone == ERR_OK || e == ERR_SYNC ? e : undone;
	}
	untouch(a);
	if (grew) {
		buf_free(&a->note);
		a->note = note;
	}
	a->size = a->national->tree.size;
	return ERR_OK;
}

enum err archive_root(struct archive *a, struct log_name name, uint64_t size, struct hash *ret)
{
	const struct log *l = archive_log(a, name);
	struct txn *read = NULL;
	struct tree tree;
	enum err e = ERR_OK;

	if (!l)
		return ERR_NOT_FOUND;
	if (size == l->tree.size) {
		*ret = tree_root(&l->tree);
		return ERR_OK;
	}
	if (!a->write) {
		e = txn_begin(a->store, false, &read);
		if (e != ERR_OK)
			return e;
	}
	e = log_tree_proved(l, a->write ? a->write : read, size, &tree);
	txn_abort(read);
	if (e == ERR_OK)
		*ret = tree_root(&tree);
	else if (e == ERR_CORRUPT)
		log_line(LOG_ERROR,
			 "log %s: its tiles do not give the root of size %llu: they are damaged; "
			 "`splotctl audit verify` says where",
			 name.text, (unsigned long long)size);
	return e;
}
