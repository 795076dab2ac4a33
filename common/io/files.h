/* Files: reading whole with a bound, replacing atomically, the highwater mark.
 *
 * Layer: io. */
#ifndef SPLOT_IO_FILES_H
#define SPLOT_IO_FILES_H

#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"

/* Whole file; LIMIT when larger than `limit`. NOT_FOUND, DENIED, IO. Appends to ret. */
MUST_USE enum err file_read(const char *path, size_t limit, struct buf *ret);
/* Write temporary, fsync, rename, fsync of the folder. */
MUST_USE enum err file_replace(const char *path, mode_t mode, struct bytes content);
/* Fails with EXISTS rather than replace. */
MUST_USE enum err file_create(const char *path, mode_t mode, struct bytes content);
/* Removes it, if it is there, and syncs its folder.  NOT_FOUND: there is no such folder. */
MUST_USE enum err file_remove(const char *path);
MUST_USE enum err folder_make(const char *path, mode_t mode); /* and its parents */
/* Syncs the names of this folder and of those above it: what is synced in a folder whose own name
 * is not goes with it when the current fails. */
MUST_USE enum err folder_settle(const char *path);
bool file_exists(const char *path);

/* ---- highwater: the largest size this key holder ever signed, beside its keys ---- */

struct highwater {
	int fd;
	uint64_t size;
	int64_t synced_ms;
	bool unsynced; /* what was written last */
};
/* Opens or creates, and holds it until it is closed: BUSY when another program does.
 * `ret_found` false: there was none (a new key). CORRUPT when unreadable. */
MUST_USE enum err highwater_open(const char *path, struct highwater *ret, bool *ret_found);
/* What it says, without holding it: for one who only looks.  NOT_FOUND, CORRUPT. */
MUST_USE enum err highwater_read(const char *path, uint64_t *ret);
/* Writes in place, before anything of that size leaves; fdatasync at most once a second
 * (`mono_ms`): a kill loses nothing, a power cut at most a moment. */
MUST_USE enum err highwater_raise(struct highwater *h, uint64_t size, int64_t mono_ms);
/* Syncs what is not, unless it did so within the last second: to be called every now and then. */
MUST_USE enum err highwater_settle(struct highwater *h, int64_t mono_ms);
/* SYNC when the last of it is not sure to be on the disk. */
MUST_USE enum err highwater_close(struct highwater *h);

#endif
