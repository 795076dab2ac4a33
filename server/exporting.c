#include "server/exporting.h"

#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

enum {
	REST_MS = 1000,         /* between two runs */
	TROUBLE_MS = 10000,     /*   after one that failed */
	ENTRIES_AT_ONCE = 1024, /* read in one transaction */
	NICE = 10,              /* commits and folding come first */
};

/* ---- what is read ---- */

static struct exporting *of_source(struct source *s)
{
	return (struct exporting *)(void *)((char *)s - offsetof(struct exporting, source));
}

/* A long run ends at the next read when the server stops. */
static enum err leaves_or_stop(struct source *s, struct log_name log, uint64_t from, uint64_t size,
			       struct source_leaves *ret)
{
	struct exporting *x = of_source(s);

	return atomic_load(&x->stop) ? ERR_CLOSED : x->inner->leaves(s, log, from, size, ret);
}

static enum err tile_or_stop(struct source *s, struct log_name log, struct tile_id id,
			     unsigned width, struct buf *ret)
{
	struct exporting *x = of_source(s);

	return atomic_load(&x->stop) ? ERR_CLOSED : x->inner->tile(s, log, id, width, ret);
}

static enum err open_source(struct exporting *x, const struct vkey *key)
{
	enum err e = source_of_store(x->archive->store, "the server's store", &x->source);

	if (e != ERR_OK)
		return e;
	x->inner = x->source.ops;
	x->ops = *x->inner;
	x->ops.leaves = leaves_or_stop;
	x->ops.tile = tile_or_stop;
	x->source.ops = &x->ops;
	e = keyring_new(&x->keys);
	return e == ERR_OK ? keyring_trust(x->keys, key) : e;
}

/* A bounded run of the national log's new entries; their acts name keys and redactions. */
static enum err take_some(struct exporting *x, struct txn *read, bool *ret_more)
{
	const struct log *national = x->archive->national_handle;
	struct bytes entry = {NULL, 0};
	enum err e = ERR_OK;

	for (int i = 0; i < ENTRIES_AT_ONCE; i++) {
		e = log_event(national, read, x->taken, &entry);
		if (e == ERR_OK)
			e = keyring_take_entry(x->keys, x->taken, entry);
		if (e != ERR_OK && !keyring_passes_over(e))
			break;
		e = ERR_OK;
		x->taken++;
	}
	*ret_more = e == ERR_OK;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err take_entries(struct exporting *x)
{
	bool more = true;
	enum err e = ERR_OK;

	while (more && e == ERR_OK && !atomic_load(&x->stop)) {
		struct txn *read = NULL;

		e = txn_begin(x->archive->store, false, &read);
		if (e == ERR_OK)
			e = take_some(x, read, &more);
		txn_abort(read);
	}
	return e;
}

/* ---- the thread ---- */

static enum err run(struct exporting *x, struct export_report *ret)
{
	const struct log_name all = {.text = ""};
	struct policy policy;
	bool has_policy = false;
	enum err e = x->exporter ? ERR_OK : exporter_open(x->folder, &x->exporter);

	(void)pthread_mutex_lock(&x->lock);
	has_policy = x->has_policy;
	policy = x->policy;
	(void)pthread_mutex_unlock(&x->lock);
	if (e == ERR_OK)
		e = take_entries(x);
	if (e == ERR_OK)
		e = exporter_run(x->exporter, &x->source, x->keys, has_policy ? &policy : NULL, all,
				 NULL, NULL, ret);
	return e;
}

/* An export that cannot be written is no reason to stop anything. */
static void tell(struct exporting *x, enum err e, const struct export_report *report)
{
	const char *log = report->failed.text;

	if (e != ERR_OK && !x->failed)
		log_line(LOG_ERROR,
			 "export: %s%s%s could not be brought up to date: %s (%s); tried again "
			 "every %d s, commits go on",
			 x->folder, log[0] ? ": log " : "", log, err_text(e), err_code(e),
			 TROUBLE_MS / 1000);
	else if (e == ERR_OK && x->failed)
		log_line(LOG_NOTICE, "export: %s is up to date again", x->folder);
	x->failed = e != ERR_OK;
}

/* Waits for something to do; false to stop. */
static bool wait_for_work(struct exporting *x)
{
	(void)pthread_mutex_lock(&x->lock);
	while (!atomic_load(&x->stop) && !x->wanted)
		(void)pthread_cond_wait(&x->woken, &x->lock);
	x->wanted = false;
	(void)pthread_mutex_unlock(&x->lock);
	return !atomic_load(&x->stop);
}

static void rest(struct exporting *x, int ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	(void)pthread_mutex_lock(&x->lock);
	while (!atomic_load(&x->stop) && pthread_cond_timedwait(&x->woken, &x->lock, &until) == 0)
		continue; /* woken by a commit: it waits as well */
	(void)pthread_mutex_unlock(&x->lock);
}

static void *export_thread(void *context)
{
	struct exporting *x = context;

	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	while (wait_for_work(x)) {
		struct export_report report = {.failed = {.text = ""}};
		enum err e = run(x, &report);

		if (atomic_load(&x->stop))
			break;
		tell(x, e, &report);
		if (e != ERR_OK)
			exporting_wake(x);
		rest(x, e == ERR_OK ? REST_MS : TROUBLE_MS);
	}
	return NULL;
}

enum err exporting_start(struct exporting *x, const char *folder, struct archive *archive,
			 const struct vkey *key, const struct policy *policy)
{
	pthread_condattr_t monotonic;
	enum err e = ERR_OK;

	*x = (struct exporting){.folder = folder, .archive = archive, .wanted = true};
	(void)pthread_mutex_init(&x->lock, NULL); /* these cannot fail with such attributes */
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&x->woken, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	exporting_policy(x, policy);
	e = open_source(x, key);
	if (e == ERR_OK && pthread_create(&x->thread, NULL, export_thread, x) != 0)
		e = ERR_NOMEM;
	x->running = e == ERR_OK;
	return e;
}

void exporting_wake(struct exporting *x)
{
	if (!x->folder)
		return;
	(void)pthread_mutex_lock(&x->lock);
	x->wanted = true;
	(void)pthread_cond_signal(&x->woken);
	(void)pthread_mutex_unlock(&x->lock);
}

void exporting_policy(struct exporting *x, const struct policy *policy)
{
	if (!x->folder)
		return;
	(void)pthread_mutex_lock(&x->lock);
	x->has_policy = policy != NULL;
	if (policy)
		x->policy = *policy;
	(void)pthread_mutex_unlock(&x->lock);
}

void exporting_stop(struct exporting *x)
{
	if (x->running) {
		(void)pthread_mutex_lock(&x->lock);
		atomic_store(&x->stop, true);
		(void)pthread_cond_signal(&x->woken);
		(void)pthread_mutex_unlock(&x->lock);
		(void)pthread_join(x->thread, NULL);
	}
	x->running = false;
	exporter_close(x->exporter);
	keyring_free(x->keys);
	source_close(&x->source);
	x->exporter = NULL;
	x->keys = NULL;
	x->source = (struct source){.ops = NULL};
}
