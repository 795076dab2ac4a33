/* Sums over rows and tables, so that damage is found rather than served.
 *
 * Each value ends in a sum over table, key and value, checked whenever it is read.  The table
 * "sums" holds, for each other table, the sum of those of its rows (modulo 2^64), written in the
 * same commit: a walk finds by it what no row can say, that a row is not there any more or is
 * one of before.  This is against chance, not against somebody who can count as well: against
 * him there are signatures. */
#include "io/store_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- one row ---- */

/* For any `h` another word gives another result, and for any word another `h`: so damage within
 * eight bytes is found for certain. */
static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15U;
	return h ^ h >> 29;
}

static uint64_t word_at(const uint8_t *data, size_t size)
{
	uint64_t word = 0;

	memcpy(&word, data, size);
	return word;
}

/* Four lanes, since a multiplication waits for the one before. */
static uint64_t sum_long(uint64_t h, const uint8_t **data, size_t *size)
{
	uint64_t lane[4] = {h, ~h, h << 1 | h >> 63, h >> 1 | h << 63};

	for (; *size >= sizeof lane; *data += sizeof lane, *size -= sizeof lane)
		for (size_t i = 0; i < 4; i++)
			lane[i] = mix(lane[i], word_at(*data + i * sizeof *lane, sizeof *lane));
	return mix(mix(mix(lane[0], lane[1]), lane[2]), lane[3]);
}

static uint64_t sum_bytes(uint64_t h, const uint8_t *data, size_t size)
{
	h = mix(h, size);
	if (size >= 32)
		h = sum_long(h, &data, &size);
	for (; size >= sizeof h; data += sizeof h, size -= sizeof h)
		h = mix(h, word_at(data, sizeof h));
	return size ? mix(h, word_at(data, size)) : h;
}

uint64_t store_seed(const char *table)
{
	return sum_bytes(0, (const uint8_t *)table, strlen(table));
}

uint64_t store_row_sum(uint64_t seed, struct bytes key, struct bytes value)
{
	uint64_t h = sum_bytes(seed, key.data, key.size);

	return mix(sum_bytes(h, value.data, value.size), seed);
}

enum err store_row_open(uint64_t seed, MDB_val k, MDB_val v, struct bytes *ret, uint64_t *ret_sum)
{
	struct bytes key = {k.mv_data, k.mv_size};
	struct bytes value = {v.mv_data, 0};
	uint64_t sum = 0;

	if (v.mv_size < SUM_BYTES)
		return ERR_CORRUPT;
	value.size = v.mv_size - SUM_BYTES;
	sum = word_at(value.data + value.size, SUM_BYTES);
	if (sum != store_row_sum(seed, key, value))
		return ERR_CORRUPT;
	*ret = value;
	*ret_sum = sum;
	return ERR_OK;
}

void store_row_close(void *to, struct bytes value, uint64_t sum)
{
	if (value.size)
		memmove(to, value.data, value.size);
	memcpy((uint8_t *)to + value.size, &sum, SUM_BYTES);
}

/* ---- tables ---- */

enum err store_sums_new(struct store *s, unsigned tables)
{
	s->sums = calloc(tables, sizeof *s->sums);
	s->sums_count = s->sums ? tables : 0;
	return s->sums ? ERR_OK : ERR_NOMEM;
}

void store_sums_free(struct store *s)
{
	for (unsigned i = 0; i < s->sums_count; i++)
		free(s->sums[i].name);
	free(s->sums);
	s->sums = NULL;
}

enum err store_sums_name(struct store *s, unsigned table, const char *name)
{
	struct table_sum *sum = NULL;
	char *copy = NULL;

	if (table >= s->sums_count)
		return ERR_INTERNAL;
	sum = &s->sums[table];
	if (sum->name)
		return ERR_OK;
	copy = strdup(name);
	if (!copy)
		return ERR_NOMEM;
	sum->seed = store_seed(name);
	sum->name = copy;
	return ERR_OK;
}

enum err store_sum_read(MDB_txn *txn, MDB_dbi sums, const char *name, uint64_t *ret)
{
	MDB_val k = {strlen(name), (void *)(uintptr_t)name};
	MDB_val v = {0, NULL};
	struct bytes value = {NULL, 0};
	uint64_t own = 0;
	int rc = mdb_get(txn, sums, &k, &v);

	if (rc == MDB_NOTFOUND) {
		*ret = 0;
		return ERR_OK;
	}
	if (rc != 0)
		return store_err(rc);
	if (store_row_open(store_seed(SUMS_TABLE), k, v, &value, &own) != ERR_OK ||
	    value.size != sizeof *ret)
		return ERR_CORRUPT;
	memcpy(ret, value.data, sizeof *ret);
	return ERR_OK;
}

int store_sum_write(MDB_txn *txn, MDB_dbi sums, const char *name, uint64_t sum)
{
	uint8_t row[sizeof sum + SUM_BYTES];
	struct bytes key = {(const uint8_t *)name, strlen(name)};
	struct bytes value = {(const uint8_t *)&sum, sizeof sum};
	MDB_val k = {key.size, (void *)(uintptr_t)name};
	MDB_val v = {sizeof row, row};

	store_row_close(row, value, store_row_sum(store_seed(SUMS_TABLE), key, value));
	return mdb_put(txn, sums, &k, &v, 0);
}

enum err store_sum_move(struct txn *t, unsigned table, uint64_t before, uint64_t after)
{
	struct table_sum *sum = &t->store->sums[table];
	enum err err = ERR_OK;

	if (!sum->known)
		err = store_sum_read(t->mdb, t->store->sums_table.id, sum->name, &sum->sum);
	if (err != ERR_OK)
		return err;
	sum->known = sum->moved = true;
	sum->sum += after - before;
	return ERR_OK;
}

void store_sum_clear(struct txn *t, unsigned table)
{
	struct table_sum *sum = &t->store->sums[table];

	sum->known = sum->moved = true;
	sum->sum = 0;
}

int store_sums_commit(struct txn *t)
{
	struct store *s = t->store;
	int rc = 0;

	for (unsigned i = 0; i < s->sums_count && rc == 0; i++)
		if (s->sums[i].moved)
			rc = store_sum_write(t->mdb, s->sums_table.id, s->sums[i].name,
					     s->sums[i].sum);
	return rc;
}

void store_sums_settle(struct store *s, bool committed)
{
	for (unsigned i = 0; i < s->sums_count; i++) {
		if (s->sums[i].moved && !committed)
			s->sums[i].known = false;
		s->sums[i].moved = false;
	}
}
