/* The simulation's disks: another implementation of io/store.h, in memory, with the faults that
 * a real one has.  A disk stays when its program dies; what was not committed does not. */
#ifndef SPLOT_SIM_MEMSTORE_H
#define SPLOT_SIM_MEMSTORE_H

#include "io/store.h"

/* When the program that uses a disk dies, seen from its next commit. */
enum memstore_death { MEMSTORE_LIVES, MEMSTORE_DIES_BEFORE_COMMIT, MEMSTORE_DIES_AFTER_COMMIT };

/* Forgets every disk. */
void memstore_reset(void);
/* The program died: open transactions are rolled back and its handle is gone.  `lose_last`: a
 * STORE_LAZY_META store also loses its last commit. */
void memstore_crash(const char *disk, bool lose_last);
void memstore_wipe(const char *disk);
/* Makes `to` what `from` holds committed. */
MUST_USE enum err memstore_copy(const char *from, const char *to);
/* While true, commits that write fail with DISK_FULL and change nothing. */
void memstore_fill(const char *disk, bool full);
/* The next commit that writes returns IO, and memstore_died() is true from then on. */
void memstore_kill_at_commit(const char *disk, enum memstore_death when);
bool memstore_died(const char *disk);
/* Whether both disks hold the same in the table of that name. */
bool memstore_same(const char *a, const char *b, const char *table);

#endif
