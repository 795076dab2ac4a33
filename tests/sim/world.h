/* A nation in one process: 17 nodes and 2 servers that run the real protocol machines and the
 * real ledger, over a clock, a network and disks that a seed decides.  Nothing else is random,
 * so a seed tells the same story every time. */
#ifndef SPLOT_SIM_WORLD_H
#define SPLOT_SIM_WORLD_H

#include "ledger/national.h"
#include "memstore.h"
#include "session/node.h"
#include "session/server.h"

#define REALM "sim.example"

enum {
	REGIONS = REGION_COUNT,
	TWIN = REGIONS, /* the copy of a node that some seeds start */
	NODES = REGIONS + 1,
	SERVERS = 2,
	PEER_SIZE = 5,
	DISK_NAME = 32,
	FRAMES = 2 + COMMIT_FRAMES_MAX,
	FAULTS_END_MS = 30000,     /* faults and edits until then */
	CONVERGE_MS = 180000,      /* and so long, at most, until all agree */
	CREDIT = COMMIT_BYTES_MAX, /* the least that is allowed */
	NODE_EDIT_MEAN_MS = 2500,
};

/* ---- what happens, in the order of the clock ---- */

enum occasion {
	AT_NODE_TICK,
	AT_NODE_EDIT,
	AT_NODE_START,
	AT_SERVER_TICK,
	AT_SERVER_TURN,
	AT_SERVER_FOLD,
	AT_SERVER_START,
	AT_ESTABLISH,
	AT_DELIVER,
	AT_FAULT,
	AT_DISK_FREE,
	AT_CHECK,
};

struct packet {
	bool to_server;
	unsigned node, server;
	uint64_t connection;
	uint8_t peer[PEER_SIZE];
	size_t frame_count;
	struct bytes frames[FRAMES]; /* slices of data */
	struct packet *next;         /* in a server's inbox */
	uint8_t data[];
};

struct occurrence {
	int64_t at_ms;
	uint64_t order; /* of those at the same moment */
	enum occasion what;
	unsigned host, other;
	uint64_t epoch;        /* of the host, or of the connection: void when it is over */
	struct packet *packet; /* DELIVER; owned */
};

/* A history as one number for each size: equal numbers, equal events. */
struct chain {
	uint64_t *at; /* count + 1 of them; owned */
	uint64_t count, capacity;
};

/* A history up to a size that must still be there later. */
struct promise {
	uint64_t size, chain;
};

/* ---- hosts ---- */

struct node_host {
	struct world *w;
	unsigned number;
	bool exists, up;
	uint64_t epoch;
	char disk[DISK_NAME], copy[DISK_NAME];
	bool has_copy;
	struct log_name name;
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer signer;
	/* beside the keys: stays when the store is lost */
	uint64_t mark;
	bool mark_found;
	/* while it is up */
	struct store *store;
	struct log log;
	struct view view;
	struct view_fold *fold;
	struct arena arena;
	struct node_machine machine;
	struct node_update update;
	struct wall_ms last_recorded;
	struct chain chain;
	struct buf note, header, frame[COMMIT_FRAMES_MAX];
	uint64_t told[SERVERS]; /* confirmed, as last seen */
	struct promise safe;    /* accepted: a crash alone loses nothing of it */
};

struct server_host {
	struct world *w;
	unsigned number;
	bool up;
	uint64_t epoch;
	char disk[DISK_NAME], view_disk[DISK_NAME];
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer signer;
	/* while it is up */
	struct store *store, *view_store;
	struct log national;
	struct log *logs; /* REGIONS of them; owned */
	struct table trust;
	struct view view;
	struct view_fold *fold;
	struct arena arena;
	struct server_machine machine;
	struct server_update update;
	struct txn *write;
	bool touched; /* the write transaction holds something */
	struct buf note, header;
	struct packet *inbox, **inbox_end;
	int64_t busy_until_ms;
	bool turn_planned;
	struct chain chains[REGIONS];
	uint64_t folded;
};

/* A node's socket to a server, and the connection that it has now or waits for. */
struct wire {
	bool wanted, established;
	uint64_t connection; /* grows with each attempt */
	uint8_t peer[PEER_SIZE];
	int64_t last_up_ms, last_down_ms;       /* deliveries keep their order */
	int64_t blocked_up_ms, blocked_down_ms; /* partitioned until */
};

struct tally {
	uint64_t events, commits, accepted, fetched, frozen, restarts, restores, refusals, lost,
		doubled, full, grown, folds;
};

struct world {
	uint64_t seed, random;
	int64_t now_ms, end_ms;
	bool verbose, failed, calm; /* calm: no more faults */
	struct buf story;
	struct occurrence *heap; /* owned */
	size_t heap_count, heap_capacity;
	uint64_t order, peers;
	unsigned loss_permille, double_permille, delay_ms;
	unsigned forked; /* node that has a twin from fork_at_ms on; NODES: none */
	int64_t fork_at_ms;
	struct wire wires[NODES][SERVERS];
	struct promise promised[SERVERS][REGIONS];
	struct node_host nodes[NODES];
	struct server_host servers[SERVERS];
	struct tally tally;
};

/* ---- world.c ---- */
uint64_t world_random(struct world *w);
unsigned world_below(struct world *w, unsigned bound); /* 0 … bound - 1 */
bool world_chance(struct world *w, unsigned permille);
void world_plan(struct world *w, int64_t in_ms, enum occasion what, unsigned host, unsigned other,
		uint64_t epoch, struct packet *packet);
/* One line of the story. */
void world_tell(struct world *w, const char *who, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* An invariant is broken: the seed has failed. */
void world_fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool world_is_forked(const struct world *w, unsigned node); /* the node's log is being forked */
void world_signer(const char *name, uint8_t tag, unsigned number, uint8_t *secret,
		  struct signer *ret);
/* Plays one seed; true when every invariant held. */
bool world_play(struct world *w, uint64_t seed, bool verbose);
void world_free(struct world *w);

void chain_clear(struct chain *c);
void chain_free(struct chain *c);
/* Takes over what the log holds beyond the chain. */
MUST_USE enum err chain_follow(struct chain *c, const struct log *log, struct store *store);

/* ---- wire.c ---- */
void wire_connect(struct world *w, unsigned node, unsigned server);
void wire_establish(struct world *w, unsigned node, unsigned server, uint64_t connection);
/* The connection breaks; the socket connects again by itself. */
void wire_break(struct world *w, unsigned node, unsigned server);
void wire_close(struct world *w, unsigned node, unsigned server);
MUST_USE enum err wire_up(struct world *w, unsigned node, unsigned server,
			  const struct bytes *frames, size_t count);
void wire_down(struct world *w, unsigned server, const uint8_t *peer, const struct bytes *frames,
	       size_t count);
void wire_deliver(struct world *w, struct packet *p);
/* Whatever the node sent has come or is gone for good: putting a backup back takes longer than
 * any message lives. */
void wire_forget(struct world *w, unsigned node);

/* ---- node_host.c ---- */
void node_host_start(struct node_host *n);
void node_host_crash(struct node_host *n, const char *why);
void node_host_tick(struct node_host *n);
void node_host_hear(struct node_host *n, unsigned server, const struct packet *p);
/* Parts of a write: append, then finish (an empty note: signs one), which undoes what failed. */
MUST_USE enum err node_host_append(struct node_host *n, struct txn *t, struct bytes raw,
				   const struct event *event);
MUST_USE enum err node_host_finish(struct node_host *n, struct txn *t, struct bytes note);
void node_host_undo(struct node_host *n, struct txn *t);
bool node_host_grow(struct node_host *n, enum err why); /* true: the map has grown, do it again */
bool node_host_survives(struct node_host *n);           /* false: it died in that write */
void node_host_step(struct node_host *n, const struct node_event *event);
const char *node_host_name(const struct node_host *n);

/* ---- node_edit.c ---- */
void node_host_edit(struct node_host *n);
/* Ids that edits are about: those of one region, numbered; false past the last. */
bool node_host_id(const struct node_host *n, unsigned number, enum record_kind *ret_kind,
		  char id[static ID_BYTES_MAX]);

/* ---- server_host.c ---- */
void server_host_start(struct server_host *s);
void server_host_crash(struct server_host *s, const char *why);
void server_host_hear(struct server_host *s, struct packet *p); /* takes the packet */
void server_host_turn(struct server_host *s);
void server_host_tick(struct server_host *s);
void server_host_fold(struct server_host *s);
const char *server_host_name(const struct server_host *s);

/* ---- faults.c ---- */
void fault_strike(struct world *w);

/* ---- checks.c ---- */
void check_promise(struct world *w, unsigned server,
		   unsigned region); /* nothing confirmed is lost */
void check_prefix(struct world *w, unsigned server, unsigned region); /* one history */
void check_opened(struct node_host *n);
void check_views(struct world *w);        /* equal to a fold anew */
void check_accepted(struct node_host *n); /* what a node accepted outlives a crash */
/* Every record at a server is what its node has. */
void check_records(struct world *w);
/* All is as it should be once the faults are over; `why` says what is not. */
bool check_converged(struct world *w, char why[static 160]);
void check_evidence(struct world *w);

#endif
