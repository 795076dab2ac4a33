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
	ROUND_MS = 3000, /* of witnessing */
	SERVER_FOLD_MS = 400,
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

/* What some witness cosigned of a server's national log. */
struct cosigned {
	unsigned server;
	uint64_t size;
	struct hash root;
};

/* A server whose disk is replaced by an older copy, in the quiet after all agreed. */
enum put_back {
	PUT_BACK_NEVER,
	PUT_BACK_PLANNED, /* a copy is to be taken */
	PUT_BACK_COPIED,
	PUT_BACK_RUNS,    /* the older copy is in use: somebody has to notice */
	PUT_BACK_NOTICED, /* the newest is in use again */
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
	uint8_t witness_secret[SIGN_SECRET_BYTES];
	struct signer witness;
	/* beside the keys: stays when the store is lost */
	uint64_t mark;
	bool mark_found;
	/* while it is up */
	struct store *store;
	struct log log;
	struct table witnessed; /* national origin -> newest note of it */
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
	char disk[DISK_NAME], view_disk[DISK_NAME], copy[DISK_NAME], newest[DISK_NAME];
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer signer;
	/* while it is up */
	struct store *store, *view_store;
	struct log national;
	struct log *logs; /* REGIONS of them; owned */
	struct table trust, cosigned;
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
		doubled, full, grown, folds, cosigned, put_back, confirmed;
};

struct world {
	uint64_t seed, random;
	int64_t now_ms, end_ms;
	int64_t converge_ms; /* from the last fault until all agreed */
	bool verbose, failed, calm; /* calm: no more faults */
	struct buf story;
	struct occurrence *heap; /* owned */
	size_t heap_count, heap_capacity;
	uint64_t order, peers;
	unsigned loss_permille, double_permille, delay_ms;
	unsigned forked; /* node that has a twin from fork_at_ms on; NODES: none */
	int64_t fork_at_ms;
	unsigned put_back_server;
	enum put_back put_back;
	int64_t put_back_at_ms; /* the copy is taken then; from PUT_BACK_RUNS on: it was put back */
	uint64_t copied_size;   /* of the national log in it */
	struct cosigned *cosigned; /* owned */
	size_t cosigned_count, cosigned_capacity;
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
/* Whether this server's store is or was an older copy: it lacks what it had confirmed. */
bool world_was_put_back(const struct world *w, unsigned server);
bool world_is_forked(const struct world *w, unsigned node); /* the node's log is being forked */
void world_signer(const char *name, uint8_t type, uint8_t tag, unsigned number, uint8_t *secret,
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

/* Sends an answer or question of the link's session; AGAIN when it is not connected. */
MUST_USE enum err node_host_send(struct node_host *n, size_t link, const struct wire_header *header,
				 const struct bytes *more, size_t count);

/* ---- node_witness.c ---- */

/* The newest note of this server's national log that was witnessed; NOT_FOUND. */
MUST_USE enum err node_host_witnessed(struct node_host *n, unsigned server, struct txn *t,
				      struct bytes *ret);
/* Performs NODE_WITNESS. */
void node_host_witness(struct node_host *n, const struct node_action *a);

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
const char *server_host_name(const struct server_host *s);
void server_host_send(struct server_host *s, const struct server_action *a,
		      const struct wire_header *header, const struct bytes *more, size_t count);
/* The turn's write transaction, begun when there is none. */
MUST_USE enum err server_host_writing(struct server_host *s);

bool server_host_survives(struct server_host *s); /* false: it died in a commit */

/* ---- server_fold.c ---- */
void server_host_fold(struct server_host *s);
/* As a log_finder's. */
const struct log *server_host_find(void *context, struct log_name name);

/* ---- server_witness.c ---- */
void server_host_offer(struct server_host *s, const struct server_action *a);
MUST_USE enum err server_host_cosigned(struct server_host *s, const struct server_action *a);
/* Somebody noticed that the store is an older copy: the newest one is put in its place. */
void server_host_rolled_back(struct server_host *s, const struct server_action *a);

/* ---- faults.c ---- */
void fault_strike(struct world *w);
/* Puts the older copy of a server's store in place of the newest; false when there is nothing to
 * put back in this world. */
bool fault_put_back(struct world *w);

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
/* ---- check_witness.c ---- */

/* Notes what a witness cosigned, and fails the seed when one of that size was another. */
void check_cosigned(struct world *w, unsigned server, const struct checkpoint *c);
/* Every cosigned checkpoint is of the history that the servers hold, and the newest carries the
 * line of every witness. */
void check_witnessed(struct world *w);

#endif
