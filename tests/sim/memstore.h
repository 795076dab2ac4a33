/* The simulation's disks: another implementation of io/store.h, in memory, with the faults that
 * a real one has.  A disk stays when its program dies; what was not committed does not. */
#ifndef SPLOT_SIM_MEMSTORE_H
#define SPLOT_SIM_MEMSTORE_H

#include <stdint.h>

#include "io/store.h"

/* When the program that uses a disk dies, or its sync fails, seen from its next commit that writes.
 * Cut off inside a sync, a transaction is whole or is not there: the store's promise. */
enum memstore_death {
	MEMSTORE_LIVES,
	MEMSTORE_DIES_BEFORE,     /* the sync begins: nothing of it is there */
	MEMSTORE_DIES_DURING_OLD, /*   cut off inside it, and the old state is found */
	MEMSTORE_DIES_DURING_NEW, /*   or the new one */
	MEMSTORE_DIES_AFTER,      /* it is there, and nobody was told */
	MEMSTORE_FAILS_OLD,       /* the program lives, and is told SYNC: the old state is there */
	MEMSTORE_FAILS_NEW,       /*   or the new one */
	MEMSTORE_DEATHS
};

/* Forgets every disk. */
void memstore_reset(void);
/* The program died: open transactions are rolled back and its handle is gone. */
void memstore_crash(const char *disk);
/* The machine fell, and what was not synced is ruined: rows are gone, torn or damaged. */
void memstore_fall(const char *disk, uint64_t chance);
void memstore_wipe(const char *disk);
/* Makes `to` what `from` holds committed. */
MUST_USE enum err memstore_copy(const char *from, const char *to);
/* While true, commits that write fail with DISK_FULL and change nothing. */
void memstore_fill(const char *disk, bool full);
/* The next commit that writes ends so; memstore_died() is true from then on if it died. */
void memstore_kill_at_commit(const char *disk, enum memstore_death when);
bool memstore_died(const char *disk);
/* Of every disk, one commit in so many that write is answered OK and is not there: no store can
 * live with that, and whoever watches has to see it.  0: none. */
void memstore_lie(unsigned one_in);

/* One bit of a committed row of a table whose name ends so is another one.  `summed`: the store's
 * sums find that when it is read (CORRUPT); else whoever reads has to.  The table's name, or NULL
 * when there is no such row. */
const char *memstore_damage(const char *disk, const char *table, uint64_t chance, bool summed);
/* Whether such a row is still there: it may have been written anew. */
bool memstore_is_damaged(const char *disk);
/* The row as it was. */
void memstore_mend(const char *disk);

/* Rows that hold this text, in their keys or values; bytes of rows that were deleted or written
 * over count as long as the store was not compacted. */
size_t memstore_holding(const char *disk, struct bytes text);
/* Whether both disks hold the same in the table of that name. */
bool memstore_same(const char *a, const char *b, const char *table);

#endif
