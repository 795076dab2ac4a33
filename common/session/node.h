/* The node's protocol machine: one log, up to SERVERS_MAX servers.
 *
 *            connect          WELCOME           ACK (roots agree)
 *   AWAY ──► GREETING ──────► ANCHORING ──────► LIVE ◄──┐
 *    ▲          │                  │              │     │ all fetched
 *    │          └── silence ───────┴── silence ───┤     │
 *    └────────────────────────────────────────────┘   FETCHING (the server has more)
 *
 *   FROZEN   the server froze the log, by an act or since it was shown another history.  Asked
 *            slowly, showing nothing, whether it was released, and for its duties; then what it
 *            holds is compared here, or fetched when it is more, and ours is shown again when that
 *            is part of our own history
 *   DISTRUSTED  its national log does not extend what this node witnessed: nothing is sent there
 *            or taken from there any more (another server card is another server); the gate does
 *            not close by it, but waits for it, or for a waiver, where it was closed before
 *   HELD     its card is of another national log than the one that this node follows: nothing is
 *            sent there until somebody says that it is to be followed; the gate is as for one that
 *            has not answered
 *   REFUSED  the server does not want us (revoked, other protocol): tried again slowly
 *
 * Every refusal that a new HELLO can mend (gap, old session) leads back to GREETING, at once the
 * first time, then with back-off; one that only time mends (disk full) to AWAY with back-off.
 *
 * The gate: while the store is new or below its highwater mark, edits are refused until
 * every server has answered (or is waived) and the longest history is fetched.  It closes again
 * when a server proves that it holds more than we do, or freezes the log.
 *
 * Only one server at a time is fetched from, the one that holds most; whoever was anchored at a
 * smaller size than ours is greeted anew afterwards, so that two servers which hold different
 * histories are found out.
 *
 * Pure: time and randomness are arguments.  Layer: session. */
#ifndef SPLOT_SESSION_NODE_H
#define SPLOT_SESSION_NODE_H

#include "base/time.h"
#include "model/wire.h"
#include "session/commit.h"

enum {
	NODE_SILENCE_MS = 10000,     /* nothing heard, or nothing acknowledged: connect afresh */
	NODE_HEARTBEAT_MS = 2000,    /* nothing said: say a heartbeat */
	NODE_AGAIN_LEAST_MS = 250,   /* HELLO or FETCH unanswered: say it again, ever more */
	NODE_AGAIN_MOST_MS = 4000,   /*   slowly */
	NODE_BACKOFF_LEAST_MS = 100, /* between attempts: doubles, half of it random */
	NODE_BACKOFF_MOST_MS = 30000,
	NODE_REFUSED_MS = 60000, /* REFUSED and FROZEN are tried again, half sooner or later */
	NODE_FLIGHTS_MAX = 64,
	/* While commits are under way, fewer bytes than these wait for an acknowledgement, so that
	 * under load one signature seals what was accepted meanwhile. */
	NODE_SMALL_BYTES = 64 * 1024,
	/* … and go this far apart where acknowledgements are quicker: a server cuts off who says
	 * more than PEER_MESSAGES_PER_S. */
	NODE_SPACING_MS = 4,
	NODE_LATER_MS = 2000,   /* a commit larger than a server asks for is tried again */
	NODE_UNDONE_MS = 30000, /* a duty that could not be carried out is asked for again */
	/* Heard all the time, but the way to LIVE goes no further: another server's turn. */
	NODE_STALLED_MS = 30000,
	NODE_NOTHING_NEW_MS = 300000, /*   or it sends, but for so long only what is here already */
};

enum node_phase {
	NODE_AWAY,
	NODE_GREETING,
	NODE_ANCHORING,
	NODE_FETCHING,
	NODE_LIVE,
	NODE_FROZEN,
	NODE_REFUSED,
	NODE_DISTRUSTED,
	NODE_HELD
};

struct node_link { /* one server */
	enum node_phase phase;
	bool waived;
	bool answered; /* said its size since the start */
	bool agreed;   /* its history and ours were found to be one since the start */
	bool ahead;    /* it proved that it holds more than we do */
	bool stalled;  /*   … and did not send it, though it was heard */
	bool unshown;  /* it froze the log: it is shown nothing until both histories are one */
	bool forked;   /*   … for a fork */
	bool sending;  /* SEND_COMMIT was asked for, SENT not yet told */
	bool stuck;    /* it could not be sent: not before a message or a tick */
	uint64_t session;
	uint64_t server_size;  /* the server's size of our log, as it last said */
	uint64_t confirmed;    /* acknowledged there: never more than ours */
	uint64_t sent;         /* first index not yet sent in this session */
	uint64_t credit_bytes; /* as granted */
	uint64_t under_way_bytes;
	struct {
		uint64_t size;
		uint64_t bytes;
	} flights[NODE_FLIGHTS_MAX]; /* commits under way, oldest first */
	size_t flight_count;
	bool whole;              /* one larger than the server asks for is: nothing follows it */
	struct mono_ms small_at; /* before that no small commit goes, */
	struct mono_ms later_at; /*   and before that none at all */
	uint64_t waiting_bytes;  /* about what is not yet sent, as far as it is known */
	uint32_t commit_events, commit_bytes; /* the smaller of both sides' limits */
	uint64_t anchored_at;                 /* the size our newest HELLO or ANCHOR stands at */
	struct mono_ms heard, said;
	struct mono_ms progress;  /* on the way to LIVE; there, of what is under way */
	bool undone;              /* a duty could not be carried out: at undone_at the server is */
	struct mono_ms undone_at; /*   greeted anew, and tells all of them again */
	struct mono_ms retry_at;  /* AWAY, REFUSED: connect; others: ask again */
	unsigned attempts;        /* to get well since we last were */
	unsigned asked;           /* times the present question was asked */
	struct mono_ms brought;   /* FETCHING: the last that was new, or its turn to send began */
	struct wall_ms last_contact;
	enum err told;    /* what a person was told of since it last was well */
	enum err refused; /* why REFUSED or FROZEN */
	char refused_text[TEXT_BYTES_MAX + 1];
};

/* What the driver knows and the machine asks. */
struct node_lookup {
	void *context;
	/* The key that signs this log's checkpoints of `size`: its keys may have been rotated. */
	MUST_USE enum err (*key_at)(void *context, uint64_t size, struct vkey *ret);
	/* Whether a verified duty redacted this event. */
	bool (*redacted)(void *context, uint64_t index, struct hash leaf);
	/* Root of this log at `size`, which it has. */
	MUST_USE enum err (*root)(void *context, uint64_t size, struct hash *ret);
};

struct node_machine {
	struct log_name log;
	struct node_lookup lookup;
	int region;
	uint64_t size;    /* durable here */
	struct tree tree; /* of that size */
	bool gated;
	bool appending; /* APPEND was asked for, STORED or FAILED not yet told */
	size_t fetcher; /* the link that is fetched from; SERVERS_MAX: none */
	size_t link_count;
	struct node_link links[SERVERS_MAX];
	struct arena arena;   /* for checking fetched commits */
	struct bytes *events; /* owned */
};

enum node_action_kind {
	NODE_CONNECT,     /* drop the link's socket if any, connect afresh */
	NODE_SEND,        /* header alone */
	NODE_SEND_SIGNED, /* header, then our checkpoint at exactly header.size (none when 0); with
			     a HELLO also the link's newest witnessed national checkpoint */
	NODE_SEND_COMMIT, /* header.session/from; as many events from header.from to `size` as fit
			     `bytes_max` (packed: 2 + size each) and `events_max`; then tell
			     NODE_EV_SENT */
	NODE_APPEND,      /* fetched events, verified; store them, then tell NODE_EV_STORED */
	NODE_ALARM,       /* a person must know: link's refused, refused_text */
	NODE_OPENED,      /* the gate opened: edits are taken */
	NODE_WITNESS,     /* judge the OFFER in `frames` (tlog/witness.h), store, answer COSIGNED or
			     DECLINED in session header.session; should it be a fork, tell DISTRUST.
			     `header` is the OFFER's; four frames, the last two may be empty */
	NODE_CARRY_OUT,   /* the DUTY in `frames`: verify it by the server's key, then do it, or at
			     least store it before the link's next message is told: what is fetched
			     may need it.  `header` is the DUTY's; four frames, the last may be empty.
			     If it cannot be done now (disk full), tell NODE_EV_UNDONE */
};

struct node_action {
	enum node_action_kind kind;
	size_t link;
	struct wire_header header;
	uint64_t size;
	size_t bytes_max;
	uint32_t events_max;
	const struct commit *commit; /* APPEND; borrowed until the next step */
	const struct bytes *frames;  /* WITNESS, CARRY_OUT; borrowed until the next step */
	size_t frame_count;
};

enum { NODE_ACTIONS_MAX = 4 * SERVERS_MAX + 4 };

struct node_update {
	size_t count;
	struct node_action actions[NODE_ACTIONS_MAX];
	struct commit commit;
};

enum node_event_kind {
	NODE_EV_TICK,     /* at least every 250 ms */
	NODE_EV_DUE,      /* node_machine_due_ms() has come */
	NODE_EV_GREW,     /* our log grew by edits: `tree` is durable */
	NODE_EV_STORED,   /* an APPEND is durable: `tree` */
	NODE_EV_FAILED,   /* an APPEND failed (disk full): asked again later */
	NODE_EV_SENT,     /* a SEND_COMMIT of `link` went out: `size` after it, `bytes` of its event
			     frames    (commit_frames_size); bytes 0: it could not be sent now    (asked
			     for    again after the next tick or message of that link) */
	NODE_EV_MESSAGE,  /* from link */
	NODE_EV_WAIVE,    /* an administrator goes on without this link */
	NODE_EV_UNDONE,   /* a CARRY_OUT of this link could not be done now */
	NODE_EV_DISTRUST, /* evidence against this link's server is stored (also told at start) */
	NODE_EV_HOLD,     /* at the start: this link's card is not of the log that is followed */
	NODE_EV_FOLLOW,   /* it is now, by an explicit act */
};

struct node_event {
	enum node_event_kind kind;
	struct mono_ms mono;
	struct wall_ms wall;
	uint32_t random; /* for back-off jitter */
	size_t link;
	const struct tree *tree;    /* GREW, STORED */
	uint64_t size, bytes;       /* SENT; GREW: by how many bytes of events, roughly */
	const struct bytes *frames; /* MESSAGE */
	size_t frame_count;
};

/* Every step may be followed by another before its actions are done, but each must be done
 * once and in order, and SENT, STORED and FAILED told for what asks for them. */

/* `highwater`: the largest size these keys ever signed; `found` whether there was a mark;
 * the gate is closed when tree->size < highwater, and when there is no mark and servers are
 * configured.  Without servers a store below the mark stays closed: nobody can give back what
 * these keys signed.
 */
MUST_USE enum err node_machine_init(struct node_machine *m, struct log_name log,
				    const struct node_lookup *lookup, const struct tree *tree,
				    uint64_t highwater, bool found, size_t link_count);
void node_machine_free(struct node_machine *m);
/* When a commit that waits for its time is to go; INT64_MAX: none. */
int64_t node_machine_due_ms(const struct node_machine *m);
void node_step(struct node_machine *m, const struct node_event *event, struct node_update *ret);

#endif
