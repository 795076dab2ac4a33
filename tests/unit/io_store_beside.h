/* A store that this process writes, and another process that reads it beside the writer. */
#ifndef SPLOT_TESTS_IO_STORE_BESIDE_H
#define SPLOT_TESTS_IO_STORE_BESIDE_H

#include "temporary.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/store.h"

enum { MAP_BYTES = 1 << 20, TIMEOUT_S = 20 };

struct world {
	char root[TEMPORARY_BYTES];
	char folder[TEMPORARY_BYTES + 16];
	struct store *store;
	struct table table;
	int to_child[2], to_parent[2];
};

static inline int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	temporary_make(w->root, "beside");
	(void)snprintf(w->folder, sizeof w->folder, "%s/store", w->root);
	assert_int_equal(pipe(w->to_child), 0);
	assert_int_equal(pipe(w->to_parent), 0);
	*state = w;
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	store_close(w->store);
	for (int i = 0; i < 2; i++) {
		(void)close(w->to_child[i]);
		(void)close(w->to_parent[i]);
	}
	temporary_remove(w->root);
	free(w);
	return 0;
}

static inline void open_writer(struct world *w, bool group_reads)
{
	struct store_options o = {.map_bytes = MAP_BYTES, .group_reads = group_reads};

	OK(store_open(w->folder, &o, &w->store));
	OK(store_table(w->store, "things", true, &w->table));
}

static inline void close_writer(struct world *w)
{
	store_close(w->store);
	w->store = NULL;
}

static inline void put(struct world *w, const char *key, size_t size)
{
	static const uint8_t zeros[100 * 1000];
	struct txn *t = NULL;
	enum err e = ERR_MAP_FULL;

	assert_true(size <= sizeof zeros);
	while (e == ERR_MAP_FULL) {
		OK(txn_begin(w->store, true, &t));
		e = txn_put(t, w->table, bytes_of_text(key), bytes_of(zeros, size));
		if (e == ERR_OK) {
			e = txn_commit(t);
			t = NULL;
		}
		txn_abort(t);
		if (e == ERR_MAP_FULL)
			OK(store_grow(w->store));
	}
	OK(e);
}

/* ---- the other process ---- */

static inline void say(int fd)
{
	if (write(fd, "x", 1) != 1)
		_exit(90);
}

static inline void hear(int fd)
{
	char x = 0;

	if (read(fd, &x, 1) != 1)
		_exit(91);
}

/* In the child: `what` holds, or the number of this line is its exit status. */
#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what))                                                                       \
			_exit(__LINE__ & 0x7f ? __LINE__ & 0x7f : 1);                              \
	} while (0)

static inline struct store *open_beside(const struct world *w)
{
	const struct store_options o = {.read_only = true, .map_bytes = MAP_BYTES};
	struct store *s = NULL;

	MUST(store_open(w->folder, &o, &s) == ERR_OK);
	return s;
}

static inline struct store *open_apart(const struct world *w)
{
	const struct store_options o = {.read_only = true, .apart = true, .map_bytes = MAP_BYTES};
	struct store *s = NULL;

	MUST(store_open(w->folder, &o, &s) == ERR_OK);
	return s;
}

static inline bool has(struct store *s, const char *key)
{
	struct table table;
	struct txn *t = NULL;
	struct bytes value = {NULL, 0};
	enum err e = store_table(s, "things", false, &table);

	MUST(e == ERR_OK);
	MUST(txn_begin(s, false, &t) == ERR_OK);
	e = txn_get(t, table, bytes_of_text(key), &value);
	txn_abort(t);
	MUST(e == ERR_OK || e == ERR_NOT_FOUND);
	return e == ERR_OK;
}

static inline pid_t beside(struct world *w, void (*work)(struct world *w))
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		(void)alarm(TIMEOUT_S);
		work(w);
		_exit(0);
	}
	return child;
}

static inline void child_ends_well(pid_t child)
{
	int status = 0;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#endif
