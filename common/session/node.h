/* The node's protocol machine: one log, up to SERVERS_MAX servers.
 *
 *            connect          WELCOME           ACK (roots agree)
 *   AWAY ──► GREETING ──────► ANCHORING ──────► LIVE ◄──┐
 *    ▲          │                  │              │     │ all fetched
 *    │          └── silence ───────┴── silence ───┤     │
 *    └────────────────────────────────────────────┘   FETCHING (the server has more)
 *
 *   FROZEN   the server says fork: nothing more is sent there until an administrator acts
 *   REFUSED  the server does not want us (revoked, other protocol): tried again slowly
 *
 * The gate: while the store is new or below its highwater mark, edits are refused until
 * every server has answered (or is waived) and the longest history is fetched.
 *
 * Pure: time and randomness are arguments.  Layer: session. */
#ifndef SPLOT_SESSION_NODE_H
#define SPLOT_SESSION_NODE_H

#include "base/time.h"
#include "model/wire.h"
#include "session/commit.h"

enum node_phase { NODE_AWAY, NODE_GREETING, NODE_ANCHORING, NODE_FETCHING, NODE_LIVE, NODE_FROZEN, NODE_REFUSED };

struct node_link { /* one server */
	enum node_phase phase;
	bool waived;
	bool answered;             /* said its size since the start */
	uint64_t session;
	uint64_t server_size;      /* the server's size of our log, as it last said */
	uint64_t confirmed;        /* acknowledged there: never more than ours */
	uint64_t sent;             /* first index not yet sent in this session */
	uint64_t credit_bytes;     /* as granted */
	uint64_t under_way_bytes;
	struct { uint64_t size; uint64_t bytes; } flights[64]; /* commits under way, oldest first */
	size_t flight_count;
	uint32_t commit_events, commit_bytes; /* the smaller of both sides' limits */
	struct mono_ms heard, said, retry_at;
	unsigned attempts;
	struct wall_ms last_contact;
	enum err refused;          /* why REFUSED or FROZEN */
	char refused_text[TEXT_BYTES_MAX + 1];
};

struct node_machine {
	struct log_name log;
	struct vkey key;
	int region;
	uint64_t size;             /* durable here */
	struct tree tree;          /* of that size */
	bool gated;
	size_t link_count;
	struct node_link links[SERVERS_MAX];
	struct arena arena;        /* for checking fetched commits */
	struct bytes *events;      /* owned */
};

enum node_action_kind {
	NODE_CONNECT,      /* drop the link's socket if any, connect afresh */
	NODE_SEND,         /* header alone */
	NODE_SEND_SIGNED,  /* header, then our checkpoint at exactly header.size (none when 0) */
	NODE_SEND_COMMIT,  /* header.session/from; as many events from header.from to `size` as fit `bytes_max`
	                      and `events_max`; then tell NODE_EV_SENT */
	NODE_APPEND,       /* fetched events, verified; store them, then tell NODE_EV_STORED */
	NODE_ALARM,        /* a person must know: link's refused, refused_text */
	NODE_OPENED,       /* the gate opened: edits are taken */
};

struct node_action {
	enum node_action_kind kind;
	size_t link;
	struct wire_header header;
	uint64_t size;
	size_t bytes_max;
	uint32_t events_max;
	const struct commit *commit; /* APPEND; borrowed until the next step */
};

enum { NODE_ACTIONS_MAX = 4 * SERVERS_MAX + 4 };

struct node_update {
	size_t count;
	struct node_action actions[NODE_ACTIONS_MAX];
	struct commit commit;
};

enum node_event_kind {
	NODE_EV_TICK,     /* at least every 250 ms */
	NODE_EV_GREW,     /* our log grew by edits: `tree` is durable */
	NODE_EV_STORED,   /* an APPEND is durable: `tree` */
	NODE_EV_FAILED,   /* an APPEND failed (disk full): asked again later */
	NODE_EV_SENT,     /* a SEND_COMMIT went out: `size` after it, `bytes` of it; bytes 0: it could not be sent now */
	NODE_EV_MESSAGE,  /* from link */
	NODE_EV_WAIVE,    /* an administrator goes on without this link */
};

struct node_event {
	enum node_event_kind kind;
	struct mono_ms mono;
	struct wall_ms wall;
	uint32_t random;          /* for back-off jitter */
	size_t link;
	const struct tree *tree;  /* GREW, STORED */
	uint64_t size, bytes;     /* SENT */
	const struct bytes *frames; /* MESSAGE */
	size_t frame_count;
};

/* `highwater`: the largest size these keys ever signed; `found` whether there was a mark;
 * the gate is closed when there is none and servers are configured, or when tree->size < highwater. */
MUST_USE enum err node_machine_init(struct node_machine *m, struct log_name log, const struct vkey *key,
				    const struct tree *tree, uint64_t highwater, bool found, size_t link_count);
void node_machine_free(struct node_machine *m);
void node_step(struct node_machine *m, const struct node_event *event, struct node_update *ret);

#endif
