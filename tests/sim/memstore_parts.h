/* How the simulated disks keep what they hold; shared by memstore.c (disks and stores) and
 * memstore_txn.c (transactions and scans). */
#ifndef SPLOT_SIM_MEMSTORE_PARTS_H
#define SPLOT_SIM_MEMSTORE_PARTS_H

#include "memstore.h"

enum { TABLES_MAX = 96, NAME_BYTES = 48 };

struct value {
	size_t size;
	bool bad; /* its sum is not that of its bytes */
	uint8_t data[];
};

/* A key with what is on the disk and what the open write transaction makes of it; NULL: nothing. */
struct entry {
	struct value *key;
	struct value *committed;
	struct value *current; /* the same pointer unless touched */
	unsigned table;
	bool touched; /* by the open write transaction: it is in its list */
};

struct mem_table {
	char name[NAME_BYTES];
	struct entry **entries; /* in the order of their keys */
	size_t count, capacity;
};

/* Freed values with text that is to be erased: free pages hold them until the store is compacted.
 */
struct remains {
	struct value **values;
	size_t count, capacity;
};

struct disk {
	char name[NAME_BYTES];
	struct mem_table tables[TABLES_MAX];
	size_t table_count;
	size_t used_bytes, map_bytes, map_bytes_max;
	bool full, died;
	enum memstore_death death;
	struct remains remains;
	struct value *damaged; /* a committed one; NULL: none */
	size_t damaged_at;     /* the byte of it */
	uint8_t damaged_bit;   /*   and the bit that is another one; 0: the sum is wrong */
	struct store *open;
};

struct txn {
	struct store *store;
	bool write;
	size_t used_before;
	struct entry **touched;
	size_t touched_count, touched_capacity;
	struct txn *next; /* of the store's open ones */
};

struct store {
	struct disk *disk;
	bool read_only;
	struct txn *writer;
	struct txn *open;
};

struct scan {
	struct txn *txn;
	unsigned table;
	struct value *key; /* of the entry last given; NULL: none */
};

struct disk *mem_disk(const char *name); /* NULL: none */
/* A simulation without memory cannot go on: ends the program when p is NULL. */
void *mem_must(void *p);
struct value *mem_value(struct bytes x);
struct bytes mem_bytes(const struct value *v);
/* Place of the first entry with a key >= `key`. */
size_t mem_find(const struct mem_table *t, struct bytes key);
/* The entry there, if it has that key. */
struct entry *mem_entry(const struct mem_table *t, size_t i, struct bytes key);
struct entry *mem_insert(struct mem_table *t, unsigned table, size_t i, struct bytes key);
void mem_remove(struct mem_table *t, struct entry *e);
/* A committed value is committed no more. */
void mem_discard(struct disk *d, struct value *v);

#endif
