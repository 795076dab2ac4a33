/* The daemon: one log, one store, one thread.
 *
 *   start.c    opens everything and refuses what cannot be trusted
 *   loop.c     waits, and gives each thing that happened to whom it concerns
 *   calls.c    requests on the control socket: takes them in, sends the replies
 *   edits.c    EDIT: all that arrived together become one commit
 *   draft.c    whether an edit fits what the register holds
 *   queries.c  QUERY, SUMMARY, STATUS, WAIVE
 *   batch.c    one write transaction: events, view, checkpoint
 *   links.c    sockets, and performing what the machine decides
 *   confirmed.c  what each server has confirmed, kept across restarts */
#ifndef SPLOT_NODE_NODE_H
#define SPLOT_NODE_NODE_H

#include "base/time.h"
#include "io/control_socket.h"
#include "io/files.h"
#include "io/keys.h"
#include "io/socket.h"
#include "io/store.h"
#include "ledger/answer.h"
#include "ledger/log.h"
#include "ledger/view.h"
#include "model/control.h"
#include "node/settings.h"
#include "session/node.h"

enum exit_status {
	EXIT_STOPPED = 0, /* asked to stop, stopped cleanly */
	EXIT_FAILED = 1,  /* starting again may help */
	EXIT_USAGE = 2,
	EXIT_CONFIG = 3,    /* configuration or keys cannot be used */
	EXIT_UNTRUSTED = 4, /* the store cannot be trusted: a person must act */
};

struct link {                      /* what the machine does not know of a server: its socket */
	struct endpoint *endpoint; /* NULL: not connected; owned */
	enum node_phase told;      /* phase of the last log line */
	uint64_t confirmed;        /* as last known, also from before the start */
	struct wall_ms confirmed_at;
};

struct open_call { /* a request that has no reply yet */
	struct control_call call;
	struct control_request request; /* decoded in this turn */
	bool done;
};

/* How an edit of the present batch ended. */
struct outcome {
	bool taken;    /* part of the batch; else it waits for the next turn */
	bool accepted; /* index is valid once the batch is committed */
	uint64_t index;
	size_t reply_at, reply_size; /* refused, or a dry run: its reply in `replies` */
};

struct node {
	const char *config_path;
	struct settings settings;
	struct terc terc;
	struct keys keys;
	struct signer signer;
	char realm[REALM_BYTES_MAX + 1];
	int region;
	struct wall_ms started;

	struct store *store;
	struct log log;
	struct view view;
	struct view_fold *fold;
	struct table waivers, confirmed;
	struct highwater mark;
	bool mark_open; /* false until this log's history is known to be whole */
	struct wall_ms last_recorded;

	struct network *network;
	struct control *control;
	int signals; /* signalfd, -1 when closed */
	struct node_machine machine;
	struct node_update update;
	struct link links[SERVERS_MAX];

	struct open_call calls[CONTROL_CLIENTS_MAX];
	struct outcome outcomes[CONTROL_CLIENTS_MAX];
	size_t call_count;

	bool confirmed_moved; /* since it was saved */
	struct mono_ms confirmed_saved;

	bool stopping;
	enum err no_room; /* why the last commit failed, said already; OK when there is room */
	enum err fault;   /* the daemon cannot go on */

	/* reused, so that the work of one edit allocates nothing */
	struct arena requests; /* decoded requests of this turn */
	struct arena arena;    /* one edit or one answer */
	struct arena scratch;  /* encoding */
	struct buf encoded;    /* one event */
	struct buf note;       /* one checkpoint */
	struct buf header;
	struct buf reply;   /* one reply */
	struct buf replies; /* refusals of a batch, sent when it is through */
	struct buf frames[COMMIT_FRAMES_MAX];
};

/* ---- start.c ---- */

/* Whose log the keys speak for: realm, log, region, signer.  CONFIG when it is no region's. */
MUST_USE enum err node_identify(struct node *n);
/* Opens what `settings` and `keys` name; on failure `ret_status` and a log line say what. */
MUST_USE enum err node_start(struct node *n, enum exit_status *ret_status);
/* Closes all; NULL-safe and half-open-safe. */
void node_stop(struct node *n);
/* The mark of the largest size ever signed exists from the moment on that the log is whole. */
MUST_USE enum err node_open_mark(struct node *n);
/* Raises it to the log's size; without a mark there is nothing to raise.  `fault` is set on
 * failure: nothing of that size may leave then. */
MUST_USE enum err node_raise_mark(struct node *n);

/* ---- loop.c ---- */

void loop_run(struct node *n);

/* ---- calls.c ---- */

/* Takes what arrived; edits first, as one commit, then the others. */
void calls_turn(struct node *n);
/* True when edits wait for the next turn because a commit was full. */
bool calls_wait(const struct node *n);
void call_reply(struct node *n, struct open_call *call, const struct control_reply *reply);
/* Encodes into `ret` (appended); cuts lists that are too long for one reply. */
void reply_encode(struct node *n, const struct control_reply *reply, struct buf *ret);

/* ---- edits.c ---- */

void edits_turn(struct node *n);

/* ---- draft.c ---- */

/* Compares each change with the current version.  OK when all fit; else CONFLICT,
 * NOT_FOUND or INVALID with problems, versions and text in `ret` (in the arena), or an error
 * of the store with `ret` untouched and `*ret_store` set. */
MUST_USE enum err draft_compare(const struct view *v, struct txn *t, const struct event *draft,
				struct arena *arena, struct control_reply *ret,
				enum err *ret_store);

/* ---- queries.c ---- */

void query_view(struct node *n, struct open_call *call);
void query_status(struct node *n, struct open_call *call);
void query_waive(struct node *n, struct open_call *call);
/* Why edits are refused while the gate is closed, and what to do. */
void gate_text(const struct node *n, char *text, size_t size);

/* ---- batch.c ---- */

struct batch {
	struct txn *txn;         /* NULL when none is open */
	struct wall_ms recorded; /* of the newest event before it */
	bool touched;            /* the log in memory is ahead of the disk */
	uint32_t events;
	size_t bytes; /* packed, as a commit counts them */
};

MUST_USE enum err batch_begin(struct node *n, struct batch *b);
/* Appends exact bytes and folds the decoded event. */
MUST_USE enum err batch_append(struct node *n, struct batch *b, struct bytes raw,
			       const struct event *e);
/* Seals with `note` (empty: one signed now), commits, raises the mark.  On failure the batch
 * is abandoned; a mark that could not be raised is `fault`, and the batch stands. */
MUST_USE enum err batch_commit(struct node *n, struct batch *b, struct bytes note);
/* Nothing of it stands. */
void batch_abandon(struct node *n, struct batch *b);
/* After an abandoned batch: OK when the map was full and has grown, so that it can be done again.
 */
MUST_USE enum err batch_grow(struct node *n, enum err why);
/* What to do about DISK_FULL or MAP_FULL. */
const char *room_advice(enum err why);
/* Appends the stored checkpoint of exactly `size` events, else one signed now over the root
 * computed from the stored tree. */
MUST_USE enum err note_at(struct node *n, struct txn *t, uint64_t size, struct buf *ret);

/* ---- confirmed.c ---- */

MUST_USE enum err confirmed_load(struct node *n, struct txn *read);
/* Takes up what the machine heard. */
void confirmed_watch(struct node *n);
/* Whether a commit should take it along, once a second; then confirmed_saved is told. */
bool confirmed_due(const struct node *n);
MUST_USE enum err confirmed_save(struct node *n, struct txn *write);
void confirmed_saved(struct node *n);
/* At a clean stop. */
void confirmed_save_last(struct node *n);

/* ---- links.c ---- */

/* Steps the machine and performs what it decides, until it wants nothing more. */
void links_step(struct node *n, const struct node_event *event);
/* Takes what the servers sent (bounded). */
void links_receive(struct node *n);
/* Log lines for what changed. */
void links_tell(struct node *n);
/* Drops a link's socket: the machine connects it afresh after a silence. */
void link_drop(struct node *n, size_t link);

#endif
