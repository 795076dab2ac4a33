/* Orphaned changes: events of a node's own old store that the history which goes on does not
 * hold.  They are shown, and sent again as ordinary edits; a record that both histories changed is
 * left alone unless the caller says otherwise. */
#ifndef SPLOT_ADMIN_ACTS_REBASE_H
#define SPLOT_ADMIN_ACTS_REBASE_H

#include "admin/ask.h"
#include "admin/log/leaf_reader.h"

/* What was read of an orphaned event. */
enum orphan_state { ORPHAN_CHANGES, ORPHAN_ACT, ORPHAN_REDACTED, ORPHAN_UNREADABLE };

struct orphan {
	uint64_t index;
	enum orphan_state state;
	struct event event;
	const char *reason; /* under which it is sent again */
	bool *sent;         /* by change: the node's log has it already, from an earlier run */
};

/* A record that orphaned events change. */
struct touched {
	const char *id;
	bool elsewhere; /* the history that goes on changed it too … */
	uint64_t by;    /* … last with this event */
	bool loaded;    /* what follows is known: as the node has it, or would have it */
	bool exists;    /* a tombstone, too */
	bool retired;
	uint64_t index; /* that a change of it supersedes */
	const struct record *record;
};

struct rebase { /* texts in the cli's arena */
	struct cli *cli;
	const char *folder;
	struct link link;
	struct source old, node;
	struct leaf_reader old_leaves, node_leaves;
	struct log_name log;
	char origin[ORIGIN_BYTES_MAX + 1];
	uint64_t fork;      /* events before it are the same */
	uint64_t old_size;  /* of the orphaned history */
	uint64_t node_size; /* of the one that goes on */
	size_t orphan_count;
	struct orphan *orphans;
	size_t touched_count;
	struct touched *touched; /* by id */
};

/* Opens the old store and the node, finds where they part, reads both from there on.  Told. */
enum outcome rebase_load(struct cli *cli, const char *folder, struct rebase *ret);
void rebase_free(struct rebase *r); /* also a zeroed one */
/* NULL: no orphaned event changes it. */
struct touched *rebase_touched(const struct rebase *r, const char *id);

/* Shows what each orphaned change would do; `send`: does it.  `mine`: where both histories
 * changed a record, the fields that the orphaned one changed count.  Told. */
enum outcome rebase_go(struct rebase *r, bool send, bool mine);

#endif
