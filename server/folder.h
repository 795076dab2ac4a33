/* The fold thread: keeps the national view (an environment of its own) behind the national
 * log.  Woken after each commit; goes on from the view's own cursor. */
#ifndef SPLOT_SERVER_FOLDER_H
#define SPLOT_SERVER_FOLDER_H

#include <stdatomic.h>

#include "base/histogram.h"
#include "base/time.h"
#include "server/archive.h"

/* Commits that are on disk and not in the view yet, of which the time is kept: of more than these
 * it is not known how long they took. */
enum { FOLDER_WAITING_MAX = 256 };

struct folder {
	/* set by folder_open */
	struct store *store; /* owned: the view's environment */
	struct view view;
	struct table followed; /* "root" -> of the national log that was folded, at the view's
				  position */
	struct archive *archive;
	/* between the threads */
	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	uint64_t wanted; /* national entries to fold; under lock */
	bool stop;       /* under lock */
	struct buf said; /* the status to be put into the view; under lock */
	bool saying;     /* `said` is not in the view yet; under lock */
	/* under lock: when which size was reached, oldest first, and what came of it */
	struct {
		uint64_t size;
		int64_t at_us;
	} waiting[FOLDER_WAITING_MAX];
	size_t waiting_count;
	struct histogram visible;  /* from there to being committed in the view; under lock */
	_Atomic uint64_t position; /* entries folded and committed */
	_Atomic int failed;        /* enum err: the thread ended by it */
	int event_fd;              /* readable when the thread ended by an error */
};

/* Opens the view.  One that is damaged, ahead of the national log, or folded from another
 * one (a backup was put back), is thrown away and begun anew: it is a projection of the
 * logs (`ret_anew`). */
MUST_USE enum err folder_open(struct folder *f, const char *path,
			      const struct store_options *options, struct archive *archive,
			      bool damaged, bool *ret_anew);
/* Removes the files of a view that nobody has open; what else lies in the folder is no business of
 * ours. */
MUST_USE enum err folder_throw_away(const char *path);
/* Starts the thread. */
MUST_USE enum err folder_start(struct folder *f);
/* There are `size` entries now. */
void folder_wake(struct folder *f, uint64_t size);
/* The status that the view shows from now on: copied, written soon, and before the thread ends.
 * Without memory for it the one before stays. */
void folder_say(struct folder *f, struct bytes status);
/* How long it took since the start until a commit was visible. */
void folder_visible(struct folder *f, struct histogram *ret);
uint64_t folder_position(const struct folder *f);
/* Ends the thread after its batch. */
void folder_stop(struct folder *f);
/* Stops the thread and has the disk confirm what was folded. */
MUST_USE enum err folder_finish(struct folder *f);
void folder_close(struct folder *f);

#endif
