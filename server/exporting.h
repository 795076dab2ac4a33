/* The thread that keeps a folder of static files up to date for auditors: what audit/export.h
 * writes, from read transactions of its own.  Woken after each commit and cosignature, at work at
 * most once a second, and never waited for. */
#ifndef SPLOT_SERVER_EXPORTING_H
#define SPLOT_SERVER_EXPORTING_H

#include <pthread.h>
#include <stdatomic.h>

#include "audit/export.h"
#include "server/archive.h"

struct exporting {
	/* set by exporting_start */
	const char *folder;
	struct archive *archive;
	/* of the thread */
	struct source source;
	const struct source_ops *inner; /* what `ops` stands in front of */
	struct source_ops ops;
	struct keyring *keys;
	uint64_t taken; /* national entries that the keyring knows */
	struct exporter *exporter;
	bool failed; /* said so already */
	/* between the threads */
	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	bool wanted;          /* something changed; under lock */
	bool has_policy;      /* under lock */
	struct policy policy; /* under lock */
	_Atomic bool stop;    /* raised under lock */
};

/* `key`: the server's own; `folder` outlives it; `policy` may be NULL: there is none. */
MUST_USE enum err exporting_start(struct exporting *x, const char *folder, struct archive *archive,
				  const struct vkey *key, const struct policy *policy);
void exporting_wake(struct exporting *x); /* also when none was started */
/* The policy from now on. */
void exporting_policy(struct exporting *x, const struct policy *policy);
/* Ends it in the midst of its work: the next start goes on. */
void exporting_stop(struct exporting *x);

#endif
