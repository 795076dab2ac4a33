/* Goes through the events of a source's logs, or through the entries of its national log,
 * newest first or oldest first, and gives each that passes a filter with what it changed. */
#ifndef SPLOT_ADMIN_LOG_WALK_H
#define SPLOT_ADMIN_LOG_WALK_H

#include "admin/log/leaf_reader.h"
#include "admin/log/filter.h"
#include "audit/keyring.h"
#include "model/event.h"

enum log_item_kind {
	ITEM_EVENT,
	ITEM_REDACTED,
	ITEM_UNREADABLE, /* it does not decode, or is not there */
	ITEM_ENTRY,      /* of the national log */
};

struct shown_change {
	const struct change *change;
	const struct record *before; /* what it replaces; NULL: nothing, or not known */
	bool before_lost;            /* it replaces a version that cannot be read */
	bool alone;                  /*   since only this event is at hand */
};

struct log_item { /* everything in the item's arena */
	enum log_item_kind kind;
	struct log_name log;
	uint64_t index;
	bool has_entry;
	uint64_t entry; /* of the national log, that accepted it */
	/* EVENT */
	struct event event;
	size_t change_count;
	struct shown_change *changes; /* those that pass */
	size_t others;                /* those that do not */
	/* REDACTED */
	bool has_order;
	struct national_entry order; /* the act */
	uint64_t order_index;        /* its entry; UINT64_MAX: not known */
	/* UNREADABLE */
	enum err problem;
	/* ENTRY */
	struct national_entry national;
};

enum { PREDECESSORS_KEPT = 8 };

struct predecessor { /* an event that was superseded, decoded: imports follow imports */
	struct log_name log;
	uint64_t index;
	uint64_t used; /* 0: empty */
	enum err read; /* how its reading went */
	struct arena arena;
	struct event event;
};

struct log_window {
	struct log_name log;
	uint64_t from, to; /* what was recorded in the time asked for */
};

struct log_walk {
	struct leaf_reader leaves;
	const struct log_filter *filter; /* borrowed */
	struct log_name order;           /* the log that is gone through; "national" */
	bool entries;                    /* the national log itself, not what it accepted */
	bool has_national;
	bool has_since, has_until;
	struct wall_ms since, until;
	uint64_t limit; /* 0: none */
	uint64_t shown;
	uint64_t hidden; /* redacted events that may belong to what was asked for */
	uint64_t absent; /* events that the national log accepted and that are not here */
	size_t window_count;
	struct log_window windows[LOGS_MAX + 1];
	struct arena arena; /* of one item */
	struct arena entry; /* of one national entry */
	uint64_t calls;
	struct predecessor before[PREDECESSORS_KEPT];
	struct keyring *keys; /* owned; NULL until a redacted event is met */
	uint64_t keys_size;   /* of the national log, when they were read */
	/* Tells an item; false: that is enough. */
	bool (*tell)(void *context, const struct log_item *item);
	void *context;
};

/* Begins; the fields of what is asked for are the caller's to set then. */
MUST_USE enum err walk_open(struct log_walk *w, struct source *s);
void walk_close(struct log_walk *w); /* also a zeroed one */

/* Tells what stands at [from, to) of the order, backwards or forwards. */
MUST_USE enum err walk_range(struct log_walk *w, uint64_t from, uint64_t to, bool backward);

#endif
