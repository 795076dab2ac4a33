/* The gate: the map may move, and so grow, only while no transaction of this process is open. */
#include "io/store_internal.h"

#include <sys/mman.h>

void store_enter(struct txn *t)
{
	struct store *s = t->store;

	(void)pthread_mutex_lock(&s->gate);
	while (s->closed)
		(void)pthread_cond_wait(&s->gate_moved, &s->gate);
	t->thread = pthread_self();
	t->inside = true;
	t->next = s->inside;
	s->inside = t;
	(void)pthread_mutex_unlock(&s->gate);
}

void store_leave(struct txn *t)
{
	struct store *s = t->store;
	struct txn **link = &s->inside;

	if (!t->inside)
		return;
	(void)pthread_mutex_lock(&s->gate);
	while (*link != t)
		link = &(*link)->next;
	*link = t->next;
	t->inside = false;
	if (s->closed && !s->inside)
		(void)pthread_cond_broadcast(&s->gate_moved);
	(void)pthread_mutex_unlock(&s->gate);
}

/* Whether this thread has a transaction open: waiting for that would never end. */
static bool inside_here(struct store *s, bool writing)
{
	bool here = false;

	(void)pthread_mutex_lock(&s->gate);
	for (struct txn *t = s->inside; t; t = t->next)
		here = here || ((t->write || !writing) && pthread_equal(t->thread, pthread_self()));
	(void)pthread_mutex_unlock(&s->gate);
	return here;
}

bool store_writes_here(struct store *s)
{
	return inside_here(s, true);
}

enum err store_set_map(struct store *s, size_t bytes)
{
	int rc = 0;

	(void)pthread_mutex_lock(&s->gate);
	while (s->closed)
		(void)pthread_cond_wait(&s->gate_moved, &s->gate);
	s->closed = true;
	while (s->inside)
		(void)pthread_cond_wait(&s->gate_moved, &s->gate);
	rc = mdb_env_set_mapsize(s->env, bytes);
	s->closed = false;
	(void)pthread_cond_broadcast(&s->gate_moved);
	(void)pthread_mutex_unlock(&s->gate);
	return store_err(rc);
}

enum err store_grow(struct store *s)
{
	MDB_envinfo info;
	size_t bytes = 0;
	void *probe = NULL;

	if (inside_here(s, false) || s->read_only)
		return ERR_ARGUMENT;
	if (mdb_env_info(s->env, &info) != 0)
		return ERR_INTERNAL;
	if (__builtin_mul_overflow(info.me_mapsize, (size_t)2, &bytes))
		return ERR_LIMIT;
	if (s->map_bytes_max && bytes > s->map_bytes_max)
		bytes = s->map_bytes_max;
	if (bytes <= info.me_mapsize)
		return ERR_LIMIT;
	/* LMDB gives the old map up before it asks for the new one: ask first. */
	probe = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (probe == MAP_FAILED)
		return ERR_LIMIT;
	(void)munmap(probe, bytes);
	return store_set_map(s, bytes);
}
