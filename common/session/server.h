/* The server's protocol machine: decides what every message means; stores and sends nothing.
 *
 *   HELLO ──► WELCOME          a session opens for that log (an older one of it ends); after
 *                              "stored" when appends of that log are under way
 *   ANCHOR ─► ACK              roots agree at the smaller size: commits may flow
 *           └► REFUSED fork    they do not: FREEZE, evidence kept
 *   COMMIT ─► (APPEND; told stored) ─► ACK     cumulative, only after "stored"
 *   FETCH ──► RANGE
 *
 * Credit: WELCOME and ACK grant a window of bytes of event frames that may be on their way
 * unacknowledged (commit_frames_size).  Who sends more is cut off, and so is who does more of
 * anything than a node has reason to (server_limits.c): nothing more of its connections is heard,
 * and its key is let in again only after a while, which doubles each time.
 *
 *   OFFER ──► COSIGNED         once a round: the national checkpoint, to every region's node
 *           └► DECLINED        it witnessed something else: offered again from there
 *   (DUTY ►)                   acts that the node carries out, after WELCOME and when they happen;
 *                              in no session (0) when a frozen log's HELLO is refused
 *
 * HELLO shows the newest national checkpoint that the node witnessed.  Should this server's own
 * key have signed one that its log does not contain, then it was put back from an old copy, or
 * another one speaks with its keys: ROLLED_BACK, and the driver stops.
 *
 * A checkpoint that is signed by the log's key and says another root than ours at a size that we
 * hold is a fork, in whatever message it comes.
 *
 * The driver gives it messages of authenticated peers, performs the actions in order inside
 * one transaction, and then says whether the transaction was stored.
 *
 * Pure: time and the session ids come in as arguments.  Layer: session. */
#ifndef SPLOT_SESSION_SERVER_H
#define SPLOT_SESSION_SERVER_H

#include "base/allowance.h"
#include "base/time.h"
#include "model/wire.h"
#include "session/card.h"
#include "session/commit.h"

enum {
	SERVER_PEER_BYTES = 16,
	SERVER_SILENCE_MS = 30000, /* a session that says nothing for so long ends */
	/* The national checkpoint is offered to witnesses so often at most; an offer without an
	 * answer is made again after as long. */
	SERVER_ROUND_MS = 10000,
	SERVER_SKEW_MS = 3600000, /* a cosignature's time may be so far from ours */
};

enum server_log_state { LOG_ACTIVE, LOG_FROZEN, LOG_REVOKED };

/* What the machine knows of one log. */
struct server_log {
	struct card card;
	enum server_log_state state;
	struct tree durable; /* on disk */
	struct tree pending; /* with what this turn's APPENDs add */
	/* session */
	bool open; /* WELCOME was sent */
	bool anchored;
	uint64_t session;
	uint8_t peer[SERVER_PEER_BYTES];
	size_t peer_size;
	uint64_t claimed;     /* the node's size, as it last said */
	uint64_t credit_left; /* bytes it may still send */
	uint64_t taken;       /* bytes taken in this turn: granted again with the ACK */
	uint64_t anchor_size; /* where this session must anchor: the smaller size at WELCOME */
	uint64_t agreed;      /* the largest size at which it showed our root: what ACK says */
	bool ack_due;
	bool lost; /* of this session something could not be stored: what followed it is no news */
	bool fetch_due;      /* a FETCH waits for its time */
	uint64_t fetch_from; /*   of what it asks for */
	bool welcome_due;    /* HELLO came while appends were under way: answered after them */
	bool freezing;       /* FREEZE was asked for and is not stored yet */
	struct wall_ms last_contact;
	struct wall_ms last_commit;
	uint64_t refused[ERR_COUNT];
	bool rotating;    /* this turn's last APPEND names other keys */
	struct card next; /*   taken up when it is stored */
	uint64_t stands;  /* of a frozen log: how much of it a log begun anew may go on from (the
			     driver says so after freezing or enrolling it; all, unless told) */
	/* what its key does (limits.h) */
	struct allowance messages, bytes, work, large, fetches, hellos, refusals, handshakes;
	uint64_t work_due;   /* of commits taken, not yet counted against `work` */
	uint64_t heard_from; /* connections before this one are heard no more */
	struct wall_ms out_until;
	int64_t penalty_ms; /* the last one; 0: none */
	/* witnessing */
	uint64_t witnessed; /* size of the newest national checkpoint that it is known to hold */
	uint64_t offered;   /* size offered in this session and not answered; 0: none */
	struct wall_ms offered_at;
	bool offered_twice; /* a DECLINED said from where, and it was offered from there */
	bool declined;      /* for good, in this session */
	/* why this session's node did not cosign what it was offered last; "": it did, or was not
	 * asked */
	char declined_text[TEXT_BYTES_MAX + 1];
	uint64_t cosigning; /* this turn's cosignature is of that size; 0: none */
	struct wall_ms cosigning_at;
	uint64_t cosigned;          /* size of the newest that it cosigned */
	struct wall_ms cosigned_at; /* by its own word */
};

/* What the server holds, what this turn's APPENDs added included (read inside the open write
 * transaction); reads are lookups, not effects. */
struct server_lookup {
	void *context;
	/* The root of a log's first `size` events, also of "national"; ARGUMENT or NOT_FOUND past
	 * its end, any other error when it could not be read. */
	MUST_USE enum err (*root)(void *context, struct log_name log, uint64_t size,
				  struct hash *ret);
	/* Whether an act redacted this event, here or ahead of its coming. */
	bool (*redacted)(void *context, struct log_name log, uint64_t index, struct hash leaf);
	/* The first event at or after `from` that an act redacted, and the leaf that it names;
	 * NOT_FOUND: none.  Its bytes are not stored, should they come all the same.  May be NULL:
	 * acts never come ahead. */
	MUST_USE enum err (*next_redacted)(void *context, struct log_name log, uint64_t from,
					   uint64_t *ret_index, struct hash *ret_leaf);
	/* Whether a key may sign this log next: EXISTS when the log had it, LIMIT when it had
	 * LOG_KEYS_MAX of them. */
	MUST_USE enum err (*new_key)(void *context, struct log_name log, const struct vkey *key);
};

struct server_machine {
	char realm[REALM_BYTES_MAX + 1];
	size_t log_count;
	struct server_log *logs;             /* LOGS_MAX slots, owned */
	uint64_t refused_unknown[ERR_COUNT]; /* of peers without a log */
	uint64_t credit_bytes;               /* granted to each session */
	uint32_t commit_events;              /* asked of each node: COMMIT_EVENTS_ASKED and */
	uint32_t commit_bytes;               /*   COMMIT_BYTES_ASKED unless the driver says so */
	uint64_t work_per_s;                 /* of one key, in bytes: PEER_WORK_MIB_PER_S and */
	uint64_t work_burst;                 /*   PEER_WORK_MIB_BURST unless it says so */
	struct vkey national;                /* the server's own key */
	uint64_t national_size;              /* on disk, as the driver last said */
	uint64_t round_size;                 /* the checkpoint that is offered; 0: none yet */
	struct wall_ms round_at;             /* when that round began */
	int64_t round_ms;                    /* SERVER_ROUND_MS unless the driver says so */
	struct server_lookup lookup;
	struct arena arena;   /* for decoding, reset per event */
	struct bytes *events; /* COMMIT_EVENTS_MAX slots, owned */
};

enum server_action_kind {
	SERVER_SEND,       /* header (and note, when not empty) to peer */
	SERVER_SEND_RANGE, /* the next chunk of `log` from `from` on, to peer */
	SERVER_APPEND,     /* commit's events and note to `log`, with a national entry; and when it
			      `rotates`, its card as the log's trusted one, with an act */
	SERVER_FREEZE,   /* keep note and other as evidence, mark the log frozen, national entry */
	SERVER_CLOSE,    /* end the connections of `log` up to that number: of old sessions, or,
			    `cut_off`, of a peer that broke the rules of flow */
	SERVER_OFFER,    /* header (session, from, size) with the national checkpoint of that size,
			    the consistency proof, and the newest cosigned checkpoint, to peer */
	SERVER_COSIGNED, /* keep `note`, a good cosignature line of `log` on the national
			    checkpoint of `from`; stored with the turn */
	SERVER_SEND_DUTIES, /* every redact act of `log`, to peer (`session`; 0: in none) */
	SERVER_ROLLED_BACK, /* `note`: a national checkpoint signed by our own key that our log does
			       not contain: keep it as evidence, and stop */
};

struct server_action {
	enum server_action_kind kind;
	uint8_t peer[SERVER_PEER_BYTES];
	size_t peer_size;
	struct wire_header header; /* SEND */
	bool with_newest;          /* SEND: frame 1 is the newest stored checkpoint of `log` */
	struct log_name log;
	uint64_t from;               /* SEND_RANGE; COSIGNED: the size */
	uint64_t session;            /* SEND_RANGE, SEND_DUTIES */
	uint64_t connection;         /* CLOSE */
	bool cut_off;                /* CLOSE */
	const struct commit *commit; /* APPEND; borrowed until the next step */
	struct bytes note;           /* FREEZE: the peer's note, the server's own newest note of the
					log is the other one; COSIGNED; ROLLED_BACK.  Borrowed until
					the next step */
};

enum { SERVER_ACTIONS_MAX = 4 + LOGS_MAX * 3 };

struct server_update {
	size_t count;
	struct server_action actions[SERVER_ACTIONS_MAX];
	struct commit commit; /* what APPEND points to */
};

enum server_event_kind {
	SERVER_EV_MESSAGE, /* a message of an authenticated peer */
	SERVER_EV_STORED,  /* the transaction with all APPENDs and FREEZEs since the last STORED is
			      on disk */
	SERVER_EV_FAILED,  /* it is not (code): nothing of it stands */
	SERVER_EV_TICK,    /* time went by: a second, or less while an answer waits */
};

struct server_event {
	enum server_event_kind kind;
	struct wall_ms now;
	/* MESSAGE */
	struct bytes peer;
	struct log_name user;       /* the log that the peer's key was enrolled for */
	const struct bytes *frames; /* frame 0 is the header */
	size_t frame_count;
	bool excess;          /* it had more frames than these */
	uint64_t connection;  /* that brought it, counted from 1 as they are let in; 0: not known */
	uint64_t connections; /* let in so far */
	uint64_t new_session; /* random, used if a session opens */
	/* FAILED */
	enum err code;
	/* STORED, TICK: entries of the national log on disk */
	uint64_t national_size;
};

/* ARGUMENT when `credit_bytes` could not carry one whole commit (COMMIT_BYTES_MAX). */
MUST_USE enum err server_machine_init(struct server_machine *m, const char *realm,
				      const struct vkey *national, uint64_t credit_bytes,
				      struct server_lookup lookup);
void server_machine_free(struct server_machine *m);
/* Adds or replaces an enrolled log (at start, or by an administrator's act). */
MUST_USE enum err server_machine_enrol(struct server_machine *m, const struct card *card,
				       const struct tree *durable, enum server_log_state state);
/* Takes effect on the next message: the open session ends. NOT_FOUND. */
MUST_USE enum err server_machine_revoke(struct server_machine *m, struct log_name log);
/* A frozen log goes on with the history that is held, as soon as its node says HELLO.  NOT_FOUND;
 * ARGUMENT when it is not frozen. */
MUST_USE enum err server_machine_release(struct server_machine *m, struct log_name log);
/* An administrator freezes it: what is sent is refused (a revoked one stays revoked).
 * NOT_FOUND. */
MUST_USE enum err server_machine_freeze(struct server_machine *m, struct log_name log);
struct server_log *server_machine_log(struct server_machine *m,
				      struct log_name log); /* NULL if none */
/* Whether what this log said so far is more work than its share: what it says next is to wait. */
bool server_machine_owes(struct server_machine *m, struct log_name log, struct wall_ms now);
/* Whether the key of this log may connect now.  Counts who may not. */
bool server_machine_admit(struct server_machine *m, struct log_name log, struct wall_ms now);
/* The driver could not answer this FETCH of the open session yet: it is asked to again, at a tick.
 */
void server_machine_fetch_later(struct server_machine *m, struct log_name log, uint64_t from);
/* Cuts a peer off for what the machine does not see; `newest` is the number of the newest
 * connection.  The driver ends its connections. */
void server_machine_cut_off(struct server_machine *m, struct log_name log, uint64_t newest,
			    struct wall_ms now);

/* Whether an answer waits for its time: then a TICK is due every few milliseconds. */
bool server_machine_waits(const struct server_machine *m);
void server_step(struct server_machine *m, const struct server_event *event,
		 struct server_update *ret);

#endif
