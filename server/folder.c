#include "server/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "server/batch.h"

enum {
	DISK_WAIT_S = 1,
	/* Readers of other processes that were killed hold pages: looked for so often. */
	SWEEP_US = 10 * 1000 * 1000,
};

/* ---- opening ---- */

enum err folder_throw_away(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *file = NULL;
	struct stat st;
	enum err e = ERR_OK;

	if (!folder)
		return errno == ENOENT ? ERR_OK : ERR_IO;
	while (e == ERR_OK && (file = readdir(folder))) {
		if (fstatat(dirfd(folder), file->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    (S_ISREG(st.st_mode) && unlinkat(dirfd(folder), file->d_name, 0) != 0))
			e = ERR_IO;
	}
	(void)closedir(folder);
	return e;
}

static const char ROOT_KEY[] = "root";

/* Root of the national log at `position`. */
static enum err root_at(struct folder *f, struct txn *logs_read, uint64_t position,
			struct hash *ret)
{
	struct tree tree;
	enum err e = log_tree_at(f->archive->national_handle, logs_read, position, &tree);

	if (e == ERR_OK)
		*ret = tree_root(&tree);
	return e;
}

/* CORRUPT unless the view was folded from the national log that we hold. */
static enum err check_followed(struct folder *f, struct txn *read, uint64_t position)
{
	struct txn *logs_read = NULL;
	struct bytes stored = {NULL, 0};
	struct hash root;
	enum err e = ERR_OK;

	if (position == 0)
		return ERR_OK;
	if (position > f->archive->size)
		return ERR_CORRUPT;
	e = txn_get(read, f->followed, bytes_of_text(ROOT_KEY), &stored);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
	e = txn_begin(f->archive->store, false, &logs_read);
	if (e != ERR_OK)
		return e;
	e = root_at(f, logs_read, position, &root);
	txn_abort(logs_read);
	if (e == ERR_OK && !bytes_equal(stored, bytes_of(root.b, HASH_BYTES)))
		e = ERR_CORRUPT;
	return e;
}

/* Opens the environment and reads its cursor; CORRUPT when it does not fit the logs. */
static enum err open_view(struct folder *f, const char *path, const struct store_options *options)
{
	struct txn *read = NULL;
	uint64_t position = 0;
	enum err e = store_open(path, options, &f->store);

	if (e == ERR_OK)
		e = view_open(f->store, true, &f->view);
	if (e == ERR_OK)
		e = store_table(f->store, "followed", true, &f->followed);
	if (e == ERR_OK)
		e = txn_begin(f->store, false, &read);
	if (e == ERR_OK)
		e = view_position(&f->view, read, &position);
	if (e == ERR_OK)
		e = check_followed(f, read, position);
	txn_abort(read);
	if (e == ERR_OK) {
		atomic_store(&f->position, position);
		return ERR_OK;
	}
	store_close(f->store);
	f->store = NULL;
	return e;
}

enum err folder_open(struct folder *f, const char *path, const struct store_options *options,
		     struct archive *archive, bool damaged, bool *ret_anew)
{
	enum err e = damaged ? ERR_CORRUPT : ERR_OK;
	bool anew = false;

	*f = (struct folder){.archive = archive, .event_fd = -1};
	(void)pthread_mutex_init(&f->lock, NULL); /* neither can fail with default attributes */
	(void)pthread_cond_init(&f->woken, NULL);
	f->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->event_fd < 0)
		return ERR_IO;
	if (e == ERR_OK)
		e = open_view(f, path, options);
	if (e == ERR_CORRUPT || e == ERR_VERSION) {
		anew = true;
		e = folder_throw_away(path);
		if (e == ERR_OK)
			e = open_view(f, path, options);
	}
	if (e == ERR_OK)
		*ret_anew = anew;
	return e;
}

enum err folder_finish(struct folder *f)
{
	folder_stop(f);
	return f->store ? store_sync(f->store) : ERR_CLOSED;
}

void folder_close(struct folder *f)
{
	folder_stop(f);
	store_close(f->store);
	f->store = NULL;
	if (f->event_fd >= 0)
		(void)close(f->event_fd);
	f->event_fd = -1;
	buf_free(&f->said);
}

/* ---- the thread ---- */

struct work {
	struct folder *folder;
	struct view_fold *fold;
	struct arena arena;
	size_t batch_events; /* of the next batch, at most */
	bool disk_was_full;
	struct buf said; /* the status that is being written */
	int64_t swept_us;
};

/* Work of this thread, waits and other processes apart. */
static int64_t worked_us(void)
{
	struct timespec t = {0, 0};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail for this clock */
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* One bounded batch in a read transaction of the logs and a write transaction of the view. */
static enum err fold_batch(struct work *w, uint64_t *ret_position)
{
	struct folder *f = w->folder;
	struct log_finder logs = archive_finder(f->archive);
	struct txn *read = NULL;
	struct txn *write = NULL;
	struct bytes newest;
	struct hash root;
	uint64_t size = 0;
	uint64_t position = 0;
	size_t events = 0;
	int64_t began_us = 0;
	enum err e = txn_begin(f->archive->store, false, &read);

	if (e == ERR_OK)
		e = txn_begin(f->store, true, &write);
	if (e == ERR_OK)
		e = log_newest(f->archive->national_handle, read, &size, &newest);
	began_us = worked_us();
	if (e == ERR_OK)
		e = national_fold(f->archive->national_handle, &logs, read, &f->view, write,
				  w->fold, &w->arena, w->batch_events, &position, &events);
	w->batch_events =
		batch_next(w->batch_events, e == ERR_OK && position < size, worked_us() - began_us);
	if (e == ERR_OK && position > 0) {
		e = root_at(f, read, position, &root);
		if (e == ERR_OK)
			e = txn_put(write, f->followed, bytes_of_text(ROOT_KEY),
				    bytes_of(root.b, HASH_BYTES));
	}
	txn_abort(read);
	if (e == ERR_OK) {
		e = txn_commit(write);
		write = NULL;
	}
	txn_abort(write);
	arena_reset(&w->arena);
	if (e == ERR_OK)
		*ret_position = position;
	else
		view_fold_abandon(w->fold);
	return e;
}

/* Waits for entries beyond `position`; false to stop. */
static bool wait_for_work(struct folder *f, uint64_t position)
{
	bool go_on = false;

	(void)pthread_mutex_lock(&f->lock);
	while (!f->stop && !f->saying && f->wanted <= position)
		(void)pthread_cond_wait(&f->woken, &f->lock);
	go_on = !f->stop;
	(void)pthread_mutex_unlock(&f->lock);
	return go_on;
}

/* A full disk or a busy machine may pass: waits a moment, unless told to stop. */
static void wait_a_moment(struct folder *f)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += DISK_WAIT_S;
	(void)pthread_mutex_lock(&f->lock);
	while (!f->stop && pthread_cond_timedwait(&f->woken, &f->lock, &until) == 0)
		continue; /* woken by a commit: the moment is not over */
	(void)pthread_mutex_unlock(&f->lock);
}

/* ---- what the view says of the server ---- */

/* Takes over what is to be said; false when there is nothing new. */
static bool take_status(struct work *w)
{
	struct folder *f = w->folder;
	struct buf before = w->said;
	bool saying = false;

	(void)pthread_mutex_lock(&f->lock);
	saying = f->saying;
	if (saying) {
		w->said = f->said;
		f->said = before;
		f->saying = false;
	}
	(void)pthread_mutex_unlock(&f->lock);
	return saying;
}

static enum err put_status(struct work *w)
{
	struct folder *f = w->folder;
	struct txn *write = NULL;
	enum err e = ERR_OK;

	if (!take_status(w))
		return ERR_OK;
	e = txn_begin(f->store, true, &write);
	if (e == ERR_OK)
		e = view_put_status(&f->view, write, buf_bytes(&w->said));
	if (e == ERR_OK)
		return txn_commit(write);
	txn_abort(write);
	return e;
}

/* The commits that are in the view now, and how long that took. */
static void note_visible(struct folder *f, uint64_t position)
{
	int64_t now_us = mono_us();
	size_t count = 0;

	(void)pthread_mutex_lock(&f->lock);
	while (count < f->waiting_count && f->waiting[count].size <= position)
		histogram_note(&f->visible, now_us - f->waiting[count++].at_us);
	f->waiting_count -= count;
	if (count > 0)
		memmove(f->waiting, f->waiting + count, f->waiting_count * sizeof *f->waiting);
	(void)pthread_mutex_unlock(&f->lock);
}

static void sweep(struct work *w)
{
	int64_t now_us = mono_us();

	if (now_us - w->swept_us < SWEEP_US)
		return;
	w->swept_us = now_us;
	store_sweep(w->folder->store);
}

/* What can be got over is; OK to go on, else the error that ends the thread. */
static enum err get_over(struct work *w, enum err e)
{
	if (e == ERR_MAP_FULL) {
		e = store_grow(w->folder->store);
		if (e != ERR_LIMIT)
			return e;
		e = ERR_MAP_FULL;
	}
	if (e != ERR_DISK_FULL && e != ERR_MAP_FULL && e != ERR_NOMEM)
		return e;
	if (!w->disk_was_full)
		log_line(LOG_WARN,
			 "view: %s; answers stay as of national entry %llu until there is room "
			 "again%s",
			 err_text(e), (unsigned long long)folder_position(w->folder),
			 e == ERR_MAP_FULL ? " (raise map-max-mib and restart)" : "");
	w->disk_was_full = true;
	wait_a_moment(w->folder);
	return ERR_OK;
}

/* A batch, when entries wait, and the status, when there is a new one. */
static enum err take_a_step(struct work *w, uint64_t *position)
{
	struct folder *f = w->folder;
	bool waits = false;
	enum err e = ERR_OK;

	(void)pthread_mutex_lock(&f->lock);
	waits = f->wanted > *position;
	(void)pthread_mutex_unlock(&f->lock);
	if (waits)
		e = fold_batch(w, position);
	if (e == ERR_OK && waits) {
		atomic_store(&f->position, *position);
		note_visible(f, *position);
	}
	if (e == ERR_OK)
		e = put_status(w);
	if (e == ERR_OK && w->disk_was_full) {
		log_line(LOG_NOTICE, "view: there is room again, folding goes on");
		w->disk_was_full = false;
	}
	return e;
}

static void *fold_thread(void *context)
{
	struct folder *f = context;
	struct work work = {.folder = f, .batch_events = BATCH_EVENTS_FIRST};
	uint64_t position = folder_position(f);
	uint64_t one = 1;
	enum err e = view_fold_new(&work.fold);

	while (e == ERR_OK && wait_for_work(f, position)) {
		e = take_a_step(&work, &position);
		if (e != ERR_OK)
			e = get_over(&work, e);
		sweep(&work);
	}
	if (e == ERR_OK)
		e = put_status(&work); /* the last word */
	if (e == ERR_DISK_FULL || e == ERR_MAP_FULL)
		e = ERR_OK;
	view_fold_free(work.fold);
	buf_free(&work.said);
	arena_free(&work.arena);
	if (e != ERR_OK) {
		atomic_store(&f->failed, (int)e);
		(void)!write(f->event_fd, &one, sizeof one);
	}
	return NULL;
}

enum err folder_start(struct folder *f)
{
	f->wanted = f->archive->size;
	if (pthread_create(&f->thread, NULL, fold_thread, f) != 0)
		return ERR_NOMEM;
	f->running = true;
	return ERR_OK;
}

void folder_wake(struct folder *f, uint64_t size)
{
	(void)pthread_mutex_lock(&f->lock);
	if (size > f->wanted && f->waiting_count < FOLDER_WAITING_MAX) {
		f->waiting[f->waiting_count].size = size;
		f->waiting[f->waiting_count++].at_us = mono_us();
	}
	f->wanted = size;
	(void)pthread_cond_signal(&f->woken);
	(void)pthread_mutex_unlock(&f->lock);
}

void folder_say(struct folder *f, struct bytes status)
{
	(void)pthread_mutex_lock(&f->lock);
	buf_clear(&f->said);
	buf_add_bytes(&f->said, status);
	f->saying = buf_check(&f->said) == ERR_OK;
	(void)pthread_cond_signal(&f->woken);
	(void)pthread_mutex_unlock(&f->lock);
}

void folder_visible(struct folder *f, struct histogram *ret)
{
	(void)pthread_mutex_lock(&f->lock);
	*ret = f->visible;
	(void)pthread_mutex_unlock(&f->lock);
}

uint64_t folder_position(const struct folder *f)
{
	return atomic_load(&f->position);
}

void folder_stop(struct folder *f)
{
	if (!f->running)
		return;
	(void)pthread_mutex_lock(&f->lock);
	f->stop = true;
	(void)pthread_cond_signal(&f->woken);
	(void)pthread_mutex_unlock(&f->lock);
	(void)pthread_join(f->thread, NULL);
	f->running = false;
}
