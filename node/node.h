/* The daemon: one log, one store, one thread.
 *
 *   start.c    opens everything and refuses what cannot be trusted
 *   rebuild.c  at the start: folds on, folds anew and erases for good what was redacted
 *   loop.c     waits, and gives each thing that happened to whom it concerns
 *   calls.c    requests on the control socket: takes them in, sends the replies
 *   edits.c    EDIT: all that arrived together become one commit
 *   draft.c    whether an edit fits what the register holds
 *   queries.c  QUERY, SUMMARY
 *   rows.c     ROWS, EVIDENCE
 *   status.c   STATUS: what a person needs to know
 *   tell.c     the same in the view, for programs that read it
 *   acts.c     who may ask the node for an act of its own; WAIVE
 *   rotate.c   ROTATE: other keys
 *   anew.c     CONTINUE: the first event of a log begun anew
 *   follow.c   FOLLOW: which national log of each server is followed, and how it has to begin
 *   batch.c    one write transaction: events, view, checkpoint
 *   signing.c  which key signs a checkpoint of which size
 *   links.c    sockets, and performing what the machine decides
 *   fetch.c    storing what was fetched back from a server
 *   witness.c  cosigning the national log, or keeping evidence against it
 *   witnessed.c  WITNESSED; what was witnessed, kept beside the keys as well
 *   duties.c   what a server's national log has for this node: redact, its first entry
 *   confirmed.c  what each server has confirmed, kept across restarts */
#ifndef SPLOT_NODE_NODE_H
#define SPLOT_NODE_NODE_H

#include "base/histogram.h"
#include "base/time.h"
#include "io/control_socket.h"
#include "io/files.h"
#include "io/keys.h"
#include "io/program.h"
#include "io/socket.h"
#include "io/store.h"
#include "ledger/answer.h"
#include "ledger/log.h"
#include "ledger/view.h"
#include "model/control.h"
#include "model/wire.h"
#include "node/settings.h"
#include "session/anew.h"
#include "session/node.h"
#include "tlog/succession.h"

struct link {                      /* what the machine does not know of a server: its socket */
	struct endpoint *endpoint; /* NULL: not connected; owned */
	enum node_phase told;      /* phase of the last log line */
	uint64_t confirmed;        /* as last known, also from before the start */
	struct wall_ms confirmed_at;
	/* follow.c */
	enum anew_card card; /* what its card is to this node */
	uint32_t followed;   /* the generation of its national log that this node follows */
	bool begun;          /* a log begun anew: its first entry was shown, and is good */
	enum err declines;   /*   or why it is not witnessed; OK: not known yet */
	char declined[TEXT_BYTES_MAX + 1];
	struct buf begun_by; /*   the national checkpoint that it was shown to stand in */
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

/* The status in the view. */
struct telling {
	struct mono_ms next; /* when a change may be written */
	struct mono_ms all;  /* when it is written whether it changed or not */
	struct buf said;     /* encoded */
	struct buf same;     /*   without what time alone moves */
	struct buf told;     /*   the same of what stands in the view */
	struct arena arena;
};

struct node {
	const char *config_path;
	struct settings settings;
	struct terc terc;
	struct keys keys;
	struct signer signer;
	struct signer old_signer;     /* the key before; only while keys.old_secret is there */
	struct succession succession; /* keys.previous and the present one */
	uint64_t damaged_told;        /* size of the last damaged checkpoint that was told */
	bool old_kept;                /* the file could not be written without it: said already */
	char realm[REALM_BYTES_MAX + 1];
	int region;
	struct wall_ms started;

	struct store *store;
	struct log log;
	struct view view;
	struct view_fold *fold;
	struct table waivers, confirmed;
	struct table cards, follows;      /* follow.c */
	struct table witnessed, evidence; /* witness.c */
	struct table redacted, scrub;     /* duties.c */
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

	struct telling telling;
	struct histogram stored; /* how long commits took, begun to synced */

	bool confirmed_moved; /* since it was saved */
	struct mono_ms confirmed_saved;

	bool stopping;
	bool asked;       /* to stop, by a signal: then it does not begin anew */
	bool again;       /* to begin anew once it has stopped: rebuild.c has work */
	bool scrubbing;   /* what was redacted is still in the file: somebody else reads it */
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
void node_settle_mark(struct node *n, int64_t mono_ms); /* `fault` is set on failure */

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

/* ---- rows.c ---- */

void query_rows(struct node *n, struct open_call *call);
void query_evidence(struct node *n, struct open_call *call);

/* ---- status.c ---- */

void query_status(struct node *n, struct open_call *call);
/* The whole answer; `t`: where the newest checkpoint is read, NULL: in a transaction of its own. */
MUST_USE enum err status_fill(const struct node *n, struct txn *t, struct arena *arena,
			      struct control_reply *ret);
/* Whether edits wait: the log may not be whole, or begins anew and says so first. */
bool gate_closed(const struct node *n);
/* Why, and what to do. */
void gate_text(const struct node *n, char *text, size_t size);

/* ---- tell.c ---- */

/* Whether a commit should take the status along, once a second; then tell_done is told. */
bool tell_due(const struct node *n);
MUST_USE enum err tell_put(struct node *n, struct txn *write);
void tell_done(struct node *n);
/* Writes it when something changed that no commit took along, once a second, and every 30 s. */
void tell_tick(struct node *n);
/* What is about to happen: "rewriting" (whoever reads the store closes it now), "stopped". */
void tell_state(struct node *n, const char *state);

/* ---- acts.c ---- */

struct act {
	const char *account; /* who asks; for texts, valid until the next call */
	const char *by;      /* the same as a pseudonym: what goes into the log */
	const char *reason;
};

/* Whether this caller may ask for an act and says why; else it is answered. */
bool act_begin(struct node *n, struct open_call *call, struct act *ret);
/* The link that the request names; false when there is none, which was answered. */
bool act_link(struct node *n, struct open_call *call, size_t *ret);
void act_reply(struct node *n, struct open_call *call, enum err code, const char *text);
/* Appends an event about the log itself as a commit of its own, signed by `also` as well when it
 * is not NULL.  The machine is not told: act_grew. */
MUST_USE enum err act_append(struct node *n, struct event *e, const struct signer *also);
void act_grew(struct node *n);
void act_waive(struct node *n, struct open_call *call);

/* ---- rotate.c ---- */

void act_rotate(struct node *n, struct open_call *call);
/* The log holds `size` events, and the last one names `next`: installs these keys unless they are
 * known here.  After an error, which was logged, nothing may be signed. */
MUST_USE enum err rotate_follow(struct node *n, const struct card *next, uint64_t size);
/* The gate opened below a rotation, which was lost with the store before any server heard of it: it
 * is told again, so that servers learn who signs.  True when the log grew by that; `fault` when it
 * cannot be. */
bool rotate_again(struct node *n);
/* Whether every server that is not waived has the last rotation: none needs the key before. */
bool rotate_is_everywhere(const struct node *n);
/* At the start: finishes what a kill interrupted. */
MUST_USE enum err rotate_heal(struct node *n, struct txn *read);

/* ---- anew.c ---- */

void act_continue(struct node *n, struct open_call *call);
/* The log begins anew, and CONTINUE has not been said yet. */
bool anew_waits(const struct node *n);
void anew_text(const struct node *n, char *text, size_t size);

/* ---- follow.c ---- */

/* At the start, when what was witnessed is known: what each card is.  Errors are logged. */
MUST_USE enum err follow_load(struct node *n);
/* At the start of the machine: links whose card is not of the log that is followed. */
void follow_hold(struct node *n);
bool follow_held(const struct node *n, size_t link);
/* Why, and what to do. */
void follow_text(const struct node *n, size_t link, char *text, size_t size);
void act_follow(struct node *n, struct open_call *call);
/* The first entry of the link's national log, shown to stand in `note`; that log began anew. */
void follow_entry(struct node *n, size_t link, const struct national_entry *entry,
		  struct bytes note);
/* Whether a log of which nothing was witnessed yet may be; else why not. */
bool follow_may_witness(const struct node *n, size_t link, enum err *ret_code,
			const char **ret_why);

/* ---- signing.c ---- */

/* Takes the loaded keys apart; CONFIG, logged, when they do not fit each other. */
MUST_USE enum err signing_load(struct node *n);
/* Loads the key file again, then the same. */
MUST_USE enum err signing_reload(struct node *n);
/* node_lookup.key_at: the key that signs checkpoints of `size`. */
MUST_USE enum err signing_key_at(void *node, uint64_t size, struct vkey *ret);
/* Forgets the key before when its time is over. */
void signing_tick(struct node *n);
/* Whether the secret is here that signs checkpoints of `size`. */
bool signing_can(const void *node, uint64_t size);
/* Signs what the log holds with this transaction's events. */
MUST_USE enum err sign_present(const struct node *n, struct buf *ret);
/* Gives, into *ret, which is empty, the stored checkpoint of exactly `size` events, without lines
 * that are damaged.  Where there is none, or nothing is left of it, it is signed now over the root
 * computed from the stored tree.  UNKNOWN_KEY when the key of that size is gone, CORRUPT when the
 * tree is damaged. */
MUST_USE enum err note_at(struct node *n, struct txn *t, uint64_t size, struct buf *ret);
/* The same for a server to compare, which may know the key of that size, the present one or the
 * one before: a line by each that can be had. */
MUST_USE enum err note_to_show(struct node *n, struct txn *t, uint64_t size, struct buf *ret);

/* ---- witness.c ---- */

/* The newest checkpoint of a server's national log that was witnessed; empty: none. */
MUST_USE enum err witnessed_note(struct node *n, struct txn *t, size_t link, struct bytes *ret);
/* Answers an OFFER; true when it shows another history: the machine is told DISTRUST. */
bool witness_offer(struct node *n, const struct node_action *a);
/* At the start: servers against which there is evidence. */
MUST_USE enum err witness_distrust_known(struct node *n);
struct evidence_found {
	struct wall_ms at; /* 0: there is none */
	struct bytes note, other;
};
MUST_USE enum err evidence_against(struct node *n, struct txn *t, size_t link,
				   struct evidence_found *ret);
/* Hashes as they travel, 32 bytes each; DECODE. */
MUST_USE enum err proof_read(struct bytes raw, struct proof *ret);

/* ---- witnessed.c ---- */

/* On disk when it returns OK: from now on this node stands by that note.  Errors are logged. */
MUST_USE enum err witnessed_write_down(struct node *n, const char *origin, struct bytes note);
/* At the start: what the store has forgotten.  Errors are logged. */
MUST_USE enum err witnessed_recall(struct node *n);
void query_witnessed(struct node *n, struct open_call *call);

/* ---- duties.c ---- */

#define SCRUB_PENDING "pending" /* in table "scrub": erased bytes are still in the file */

/* False: there was no room for it; it is to be told again. */
MUST_USE bool duty_carry_out(struct node *n, const struct node_action *a);
/* node_lookup.redacted: whether a verified duty redacts this event. */
bool duty_known(void *node, uint64_t index, struct hash leaf);
/* The same inside a transaction. */
MUST_USE enum err duty_redacts(struct node *n, struct txn *t, uint64_t index, struct hash leaf,
			       bool *ret);

/* ---- rebuild.c ---- */

/* Folds what the view lacks, in bounded transactions; CORRUPT when it is ahead of the log. */
MUST_USE enum err rebuild_fold_on(struct node *n);
/* Whether bytes that were redacted may still be in the file. */
MUST_USE enum err rebuild_wanted(struct node *n, bool *ret);
/* Folds anew; the caller has the file written anew then, and says that it is done. */
MUST_USE enum err rebuild_view(struct node *n);
MUST_USE enum err rebuild_done(struct node *n);

/* ---- batch.c ---- */

struct batch {
	struct txn *txn; /* NULL when none is open */
	int64_t begun_us;
	struct wall_ms recorded; /* of the newest event before it */
	bool touched;            /* the log in memory is ahead of the disk */
	uint32_t events;
	size_t bytes; /* packed, as a commit counts them */
	/* how far they are sealed already */
	uint32_t sealed_events;
	size_t sealed_bytes;
};

MUST_USE enum err batch_begin(struct node *n, struct batch *b);
/* Seals what was appended so far when, with `size` more bytes, it would be more than a server asks
 * for in one commit: so it goes in such pieces also when the key that sealed it is gone. */
MUST_USE enum err batch_divide(struct node *n, struct batch *b, size_t size);
/* Appends exact bytes and folds the decoded event. */
MUST_USE enum err batch_append(struct node *n, struct batch *b, struct bytes raw,
			       const struct event *e);
/* An event of which only the leaf hash is left. */
MUST_USE enum err batch_append_redacted(struct node *n, struct batch *b, struct hash leaf);
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
/* Header and, when it is not empty, a note. */
MUST_USE enum err link_send(struct node *n, size_t link, const struct wire_header *header,
			    struct bytes note);
/* A line about what was not sent; none when it was. */
void link_say_unsent(const struct node *n, size_t link, const char *what, enum err e);

/* ---- fetch.c ---- */

/* Stores a verified commit; what the machine is to be told. */
struct node_event fetch_append(struct node *n, const struct node_action *a);

#endif
