/* A store in a folder of its own, with one table of numbers. */
#ifndef SPLOT_TESTS_IO_STORE_NUMBERS_H
#define SPLOT_TESTS_IO_STORE_NUMBERS_H

#include "temporary.h"

#include <stdlib.h>
#include <string.h>

#include "io/store.h"

struct world {
	char folder[TEMPORARY_BYTES];
	char path[128];
	struct store *store;
	struct table table;
};

static inline void open_store(struct world *w, size_t map_bytes, size_t map_bytes_max)
{
	struct store_options o = {.map_bytes = map_bytes, .map_bytes_max = map_bytes_max};

	OK(store_open(w->path, &o, &w->store));
	OK(store_table(w->store, "things", true, &w->table));
}

static inline void close_store(struct world *w)
{
	store_close(w->store);
	w->store = NULL;
}

static inline int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	temporary_make(w->folder, "store");
	(void)snprintf(w->path, sizeof w->path, "%s/a/store", w->folder);
	*state = w;
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	store_close(w->store);
	temporary_remove(w->folder);
	free(w);
	return 0;
}

static inline struct bytes key_of(uint32_t number, uint8_t raw[static 4])
{
	for (unsigned i = 0; i < 4; i++)
		raw[i] = (uint8_t)(number >> (24 - 8 * i));
	return bytes_of(raw, 4);
}

static inline uint32_t number_of(struct bytes key)
{
	struct cursor c = cursor_of(key);
	uint32_t number = cursor_u32be(&c);

	OK(cursor_finish(&c));
	return number;
}

static inline enum err put_number(struct txn *t, struct table table, uint32_t number, size_t size)
{
	uint8_t raw[4];
	uint8_t value[8192];

	memset(value, (int)(number & 0xff), sizeof value);
	return txn_put(t, table, key_of(number, raw), bytes_of(value, size));
}

static inline void commit_numbers(struct world *w, uint32_t from, uint32_t to, size_t size)
{
	struct txn *t = NULL;

	OK(txn_begin(w->store, true, &t));
	for (uint32_t i = from; i < to; i++)
		OK(put_number(t, w->table, i, size));
	OK(txn_commit(t));
}

static inline bool holds(struct world *w, uint32_t number)
{
	struct txn *t = NULL;
	struct bytes value;
	uint8_t raw[4];
	enum err err = ERR_OK;

	OK(txn_begin(w->store, false, &t));
	err = txn_get(t, w->table, key_of(number, raw), &value);
	if (err == ERR_OK)
		assert_true(value.size > 0 && value.data[0] == (number & 0xff));
	else
		assert_int_equal(err, ERR_NOT_FOUND);
	txn_abort(t);
	return err == ERR_OK;
}

#endif
