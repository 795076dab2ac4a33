#include "server/web/snapshots.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "http/limits.h"

enum {
	/* A register of a hundred thousand entities takes about 150 MiB. */
	KEPT_MAX = 4,
	WANTED_MAX = 8, /* at once, those that are kept apart */
	SLOTS = KEPT_MAX + WANTED_MAX,
	WAITING_MAX = READERS_WAITING_MAX,
	SLICE_US = 20000, /* in one read transaction: a pinned reader makes the file grow */
	NICE = 10,
};

/*   FREE ──► WANTED ──► MAKING ──► READY ──► FREE
 *                │         └──► FAILED ──► FREE         (closing: any ──► FREE) */
enum state { FREE, WANTED, MAKING, READY, FAILED };

struct slot {
	enum state state; /* under lock */
	uint64_t position;
	uint64_t used;        /* when it was wanted, made or last asked, as a count */
	struct follower made; /* READY: the answering thread's */
	enum err why;         /* FAILED */
	bool told;            /* who waited was resumed */
};

struct snapshots {
	struct counters *counters;
	struct store *store; /* NULL: none; under lock */
	const struct view *view;
	struct slot slots[SLOTS];
	uint64_t uses;
	size_t waiting_count;
	struct {
		struct visit *visit;
		uint64_t position;
	} waiting[WAITING_MAX];
	int event_fd;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	_Atomic bool give_up; /* what is being made is not wanted any more */
	bool stop;            /* under lock */
};

/* ---- the thread ---- */

static enum err make(struct snapshots *s, struct store *store, uint64_t position,
		     struct follower *ret)
{
	struct arena arena = {.head = NULL};
	struct follower f = {.catalog = NULL};
	bool more = true;
	enum err e = follower_new(&f);

	while (e == ERR_OK && more) {
		struct txn *t = NULL;

		if (atomic_load(&s->give_up))
			e = ERR_CLOSED;
		if (e == ERR_OK)
			e = txn_begin(store, false, &t);
		if (e == ERR_OK)
			e = follow(&f, s->view, t, position, SLICE_US, &arena, NULL, NULL, &more);
		if (e == ERR_OK && txn_stands(t) != ERR_OK)
			e = ERR_BUSY; /* this machine is: the asker may try again */
		txn_abort(t);
	}
	arena_free(&arena);
	if (e != ERR_OK)
		follower_free(&f);
	else
		*ret = f;
	return e;
}

static struct slot *in_state(struct snapshots *s, enum state state)
{
	struct slot *found = NULL;

	for (size_t i = 0; i < SLOTS; i++) /* the one that waits longest */
		if (s->slots[i].state == state && (!found || s->slots[i].used < found->used))
			found = &s->slots[i];
	return found;
}

static void make_one(struct snapshots *s, struct slot *slot)
{
	struct follower made = {.catalog = NULL};
	struct store *store = s->store;
	uint64_t position = slot->position;
	uint64_t one = 1;
	enum err e = ERR_OK;

	slot->state = MAKING;
	(void)pthread_mutex_unlock(&s->lock);
	e = make(s, store, position, &made);
	(void)pthread_mutex_lock(&s->lock);
	slot->made = made;
	slot->why = e;
	slot->state = e == ERR_OK ? READY : FAILED;
	(void)pthread_cond_broadcast(&s->moved);
	(void)!write(s->event_fd, &one, sizeof one);
}

static void *snapshot_thread(void *context)
{
	struct snapshots *s = context;

	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	(void)pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		struct slot *slot = s->store ? in_state(s, WANTED) : NULL;

		if (slot)
			make_one(s, slot);
		else
			(void)pthread_cond_wait(&s->moved, &s->lock);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- slots; the lock is held ---- */

static void free_slot(struct slot *slot)
{
	if (slot->state == READY)
		follower_free(&slot->made);
	*slot = (struct slot){.state = FREE};
}

static struct slot *of_position(struct snapshots *s, uint64_t position)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (s->slots[i].state != FREE && s->slots[i].position == position)
			return &s->slots[i];
	return NULL;
}

static size_t count_state(const struct snapshots *s, enum state state)
{
	size_t count = 0;

	for (size_t i = 0; i < SLOTS; i++)
		count += s->slots[i].state == state;
	return count;
}

/* Of those that are ready, not more than are to be kept; of those that failed, for who waited, only
 * the last. */
static void tidy(struct snapshots *s)
{
	while (count_state(s, READY) > KEPT_MAX)
		free_slot(in_state(s, READY));
	while (count_state(s, FAILED) > 1)
		free_slot(in_state(s, FAILED));
	s->counters->snapshots_kept = count_state(s, READY);
	s->counters->snapshots_bytes = 0;
	for (size_t i = 0; i < SLOTS; i++)
		if (s->slots[i].state == READY)
			s->counters->snapshots_bytes +=
				catalog_memory(s->slots[i].made.catalog) +
				movements_memory(s->slots[i].made.movements);
}

/* NULL: too many are wanted. */
static struct slot *want(struct snapshots *s, uint64_t position)
{
	struct slot *slot = NULL;

	if (count_state(s, WANTED) + count_state(s, MAKING) >= WANTED_MAX)
		return NULL;
	slot = in_state(s, FREE);
	if (!slot)
		return NULL;
	*slot = (struct slot){.state = WANTED, .position = position, .used = ++s->uses};
	(void)pthread_cond_broadcast(&s->moved);
	return slot;
}

/* ---- asking ---- */

static enum err wait_for(struct snapshots *s, uint64_t position, struct visit *v)
{
	if (s->waiting_count == WAITING_MAX)
		return ERR_BUSY;
	s->waiting[s->waiting_count].visit = v;
	s->waiting[s->waiting_count].position = position;
	s->waiting_count++;
	visit_wait(v);
	return ERR_AGAIN;
}

static enum err get(struct snapshots *s, uint64_t position, struct visit *v,
		    const struct follower **ret)
{
	struct slot *slot = of_position(s, position);
	enum err e = ERR_OK;

	if (!s->store)
		return ERR_CLOSED;
	if (!slot)
		slot = want(s, position);
	if (!slot)
		return ERR_BUSY;
	switch (slot->state) {
	case READY:
		slot->used = ++s->uses;
		*ret = &slot->made;
		return ERR_OK;
	case FAILED:
		e = slot->why;
		free_slot(slot);
		return e == ERR_AGAIN ? ERR_INTERNAL : e;
	case FREE:
	case WANTED:
	case MAKING:
	default:
		return wait_for(s, position, v);
	}
}

enum err snapshots_get(struct snapshots *s, uint64_t position, struct visit *v,
		       const struct follower **ret)
{
	enum err e = ERR_OK;

	(void)pthread_mutex_lock(&s->lock);
	e = get(s, position, v, ret);
	(void)pthread_mutex_unlock(&s->lock);
	return e;
}

void snapshots_forget(struct snapshots *s, struct visit *v)
{
	for (size_t i = 0; i < s->waiting_count; i++)
		if (s->waiting[i].visit == v)
			s->waiting[i--] = s->waiting[--s->waiting_count];
}

int snapshots_fd(const struct snapshots *s)
{
	return s->event_fd;
}

/* Resumes who waits for what is made, or for what nobody makes. */
static void resume_those_done(struct snapshots *s)
{
	for (size_t i = 0; i < s->waiting_count;) {
		struct slot *slot = of_position(s, s->waiting[i].position);
		struct visit *v = s->waiting[i].visit;

		if (slot && slot->state != READY && slot->state != FAILED) {
			i++;
			continue;
		}
		s->waiting[i] = s->waiting[--s->waiting_count];
		visit_resume(v);
	}
}

void snapshots_turn(struct snapshots *s)
{
	uint64_t many = 0;

	(void)!read(s->event_fd, &many, sizeof many);
	(void)pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &s->slots[i];
		bool done = slot->state == READY || slot->state == FAILED;

		if (!done || slot->told)
			continue;
		if (slot->state == READY)
			s->counters->snapshots_made++;
		else
			s->counters->snapshots_failed++;
		slot->told = true;
		slot->used = ++s->uses; /* before tidying: or it is gone before who waited had it */
	}
	resume_those_done(s);
	tidy(s);
	(void)pthread_mutex_unlock(&s->lock);
}

/* ---- the whole ---- */

enum err snapshots_new(struct counters *counters, struct snapshots **ret)
{
	struct snapshots *s = calloc(1, sizeof *s);

	if (!s)
		return ERR_NOMEM;
	s->counters = counters;
	(void)pthread_mutex_init(&s->lock, NULL); /* neither can fail with default attributes */
	(void)pthread_cond_init(&s->moved, NULL);
	s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->event_fd < 0) {
		snapshots_free(s);
		return ERR_NOMEM;
	}
	if (pthread_create(&s->thread, NULL, snapshot_thread, s) != 0) {
		snapshots_free(s);
		return ERR_NOMEM;
	}
	s->running = true;
	*ret = s;
	return ERR_OK;
}

enum err snapshots_open(struct snapshots *s, struct store *store, const struct view *view)
{
	(void)pthread_mutex_lock(&s->lock);
	s->store = store;
	s->view = view;
	atomic_store(&s->give_up, false);
	(void)pthread_mutex_unlock(&s->lock);
	return ERR_OK;
}

void snapshots_close(struct snapshots *s)
{
	atomic_store(&s->give_up, true);
	(void)pthread_mutex_lock(&s->lock);
	s->store = NULL; /* nothing new is begun */
	while (in_state(s, MAKING))
		(void)pthread_cond_wait(&s->moved, &s->lock);
	for (size_t i = 0; i < SLOTS; i++)
		free_slot(&s->slots[i]);
	resume_those_done(s);
	tidy(s);
	(void)pthread_mutex_unlock(&s->lock);
}

void snapshots_free(struct snapshots *s)
{
	if (!s)
		return;
	if (s->running) {
		snapshots_close(s);
		(void)pthread_mutex_lock(&s->lock);
		s->stop = true;
		(void)pthread_cond_broadcast(&s->moved);
		(void)pthread_mutex_unlock(&s->lock);
		(void)pthread_join(s->thread, NULL);
	}
	if (s->event_fd >= 0)
		(void)close(s->event_fd);
	(void)pthread_cond_destroy(&s->moved);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}
