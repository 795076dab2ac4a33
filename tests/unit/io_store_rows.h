/* A store of rows that were put, put again and deleted, so that it has free pages: its file now and
 * as it was before its last commits. */
#ifndef SPLOT_TESTS_IO_STORE_ROWS_H
#define SPLOT_TESTS_IO_STORE_ROWS_H

#include "temporary.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/store.h"

enum {
	ROWS = 1500,
	TABLES = 3,
	MAP_BYTES = 16 * 1024 * 1024,
	PAGE = 4096,
};

struct world {
	char root[TEMPORARY_BYTES];
	char folder[TEMPORARY_BYTES + 16], data[TEMPORARY_BYTES + 32];
	uint8_t *whole, *older; /* the file, and as it was before its last commits */
	size_t whole_size, older_size;
	uint64_t random;
};

static const char *const names[TABLES] = {"counts", "records", "versions"};

static inline void open_store(struct world *w, struct store **ret,
			      struct table tables[static TABLES])
{
	struct store_options o = {.map_bytes = MAP_BYTES};

	OK(store_open(w->folder, &o, ret));
	for (size_t i = 0; i < TABLES; i++)
		OK(store_table(*ret, names[i], true, &tables[i]));
}

static inline struct bytes key_of(uint32_t i, char key[static 32])
{
	return bytes_of(key, (size_t)snprintf(key, 32, "pl26-kis-%u", i * 2654435761U));
}

/* Short values, longer ones, some that need pages of their own, empty ones. */
static inline struct bytes value_of(uint32_t i, uint32_t turn, char value[static 10000])
{
	size_t size = i % 100 == 7 ? 9000 : i % 10 == 3 ? 0 : 20 + i % 300;

	for (size_t k = 0; k < size; k++)
		value[k] = (char)('a' + (i + k + turn) % 26);
	return bytes_of(value, size);
}

static inline void put_rows(struct world *w, uint32_t from, uint32_t to, uint32_t step,
			    uint32_t turn)
{
	static char value[10000];
	char key[32];
	struct store *s = NULL;
	struct table tables[TABLES];
	struct txn *t = NULL;

	open_store(w, &s, tables);
	for (uint32_t i = from; i < to; i += step) {
		if (!t)
			OK(txn_begin(s, true, &t));
		OK(txn_put(t, tables[i % TABLES], key_of(i, key), value_of(i, turn, value)));
		if (i % 300 > 300 - step) {
			OK(txn_commit(t));
			t = NULL;
		}
	}
	if (t)
		OK(txn_commit(t));
	store_close(s);
}

static inline void delete_rows(struct world *w, uint32_t from, uint32_t to)
{
	char key[32];
	struct store *s = NULL;
	struct table tables[TABLES];
	struct txn *t = NULL;

	open_store(w, &s, tables);
	OK(txn_begin(s, true, &t));
	for (uint32_t i = from; i < to; i++)
		OK(txn_delete(t, tables[i % TABLES], key_of(i, key)));
	OK(txn_commit(t));
	store_close(s);
}

static inline uint8_t *read_file(const char *path, size_t *ret_size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	struct stat st;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	data = malloc((size_t)st.st_size + 1);
	assert_non_null(data);
	*ret_size = fread(data, 1, (size_t)st.st_size, f);
	assert_int_equal(*ret_size, st.st_size);
	(void)fclose(f);
	return data;
}

static inline int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	temporary_make(w->root, "damage");
	(void)snprintf(w->folder, sizeof w->folder, "%s/store", w->root);
	(void)snprintf(w->data, sizeof w->data, "%s/data.mdb", w->folder);
	put_rows(w, 0, ROWS, 1, 0);
	delete_rows(w, 300, 700);
	w->older = read_file(w->data, &w->older_size);
	put_rows(w, 0, ROWS, 3, 1);
	delete_rows(w, 700, 800);
	w->whole = read_file(w->data, &w->whole_size);
	w->random = 20261122;
	*state = w;
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	temporary_remove(w->root);
	free(w->whole);
	free(w->older);
	free(w);
	return 0;
}

static inline bool turn_of(uint32_t i, uint32_t *ret)
{
	*ret = i % 3 == 0 ? 1 : 0;
	return i % 3 == 0 ? i < 700 || i >= 800 : i < 300 || i >= 800;
}

/* Each row as it was put, each that was deleted gone, and no others. */
static inline bool reads_as_before(struct store *s, const struct table tables[static TABLES])
{
	static char value[10000];
	char key[32];
	size_t rows = 0;
	size_t seen = 0;
	struct txn *t = NULL;
	struct scan *c = NULL;
	struct bytes k;
	struct bytes v;
	uint32_t turn = 0;
	bool same = txn_begin(s, false, &t) == ERR_OK;

	for (uint32_t i = 0; i < ROWS && same; i++) {
		bool there = turn_of(i, &turn);
		enum err e = txn_get(t, tables[i % TABLES], key_of(i, key), &v);

		same = e == (there ? ERR_OK : ERR_NOT_FOUND) &&
		       (!there || bytes_equal(v, value_of(i, turn, value)));
		rows += there;
	}
	for (size_t i = 0; i < TABLES && same; i++) {
		same = scan_open(t, tables[i], &c) == ERR_OK;
		while (same && scan_next(c, &k, &v) == ERR_OK)
			seen++;
	}
	txn_abort(t);
	return same && seen == rows;
}

#endif
