/* A nation in one process: 17 nodes and 2 servers that run the real protocol machines and the
 * real ledger, over a clock, a network and disks that a seed decides.  Nothing else is random,
 * so a seed tells the same story every time. */
#ifndef SPLOT_SIM_WORLD_H
#define SPLOT_SIM_WORLD_H

#include "ledger/national.h"
#include "memstore.h"
#include "server/archive.h"
#include "server/evidence.h"
#include "server/redactions.h"
#include "server/trust.h"
#include "session/node.h"
#include "session/server.h"

#define REALM "sim.example"

enum {
	REGIONS = REGION_COUNT,
	ANEW = REGIONS, /* the log that goes on from a revoked one, in some seeds */
	LOGS = REGIONS + 1,
	TWIN = LOGS, /* the copy of a node that some seeds start */
	NODES = LOGS + 1,
	STRANGER = NODES, /* a peer that nobody enrolled */
	SERVERS = 2,
	KEYS_MOST = 4, /* of one log in one seed, one after the other */
	ACTS_MAX = 48,
	CAPTURED_MAX = 64,
	SECRETS_MAX = 64,
	ERASED_MAX = 8,
	SECRET_BYTES = 64,
	PEER_SIZE = 5,
	DISK_NAME = 32,
	FRAMES = 2 + COMMIT_FRAMES_MAX,
	FAULTS_END_MS = 30000,     /* faults and edits until then */
	CONVERGE_MS = 180000,      /* and so long, at most, until all agree */
	CREDIT = COMMIT_BYTES_MAX, /* the least that is allowed */
	NODE_EDIT_MEAN_MS = 2500,
	ROUND_MS = 3000,    /* of witnessing */
	COMMIT_EVENTS = 16, /* that servers ask for: fewer than a burst */
	SERVER_FOLD_MS = 400,
	BOTH_KEYS_MS = 8000, /* the key before signs beside the present one for so long */
};
/* Clocks of hosts begin here, in ms since 1970: what they say is no small number. */
#define WALL_BEGIN_MS INT64_C(1800000000000)
/* Some events have a reason that begins so, and are to be erased later. */
#define SECRET "to-be-erased-"

/* ---- what happens, in the order of the clock ---- */

enum occasion {
	AT_NODE_TICK,
	AT_NODE_DUE,
	AT_NODE_EDIT,
	AT_NODE_START,
	AT_SERVER_TICK,
	AT_SERVER_WAIT,
	AT_SERVER_TURN,
	AT_SERVER_FOLD,
	AT_SERVER_START,
	AT_ESTABLISH,
	AT_DELIVER,
	AT_FAULT,
	AT_DISK_FREE,
	AT_ACT,
	AT_BEGIN_ANEW,
	AT_ERASE,
	AT_ROTATE,
	AT_HOSTILE,
	AT_THIEF,
	AT_CHECK,
};

struct packet {
	bool to_server, hostile;
	/* A commit that says what its events do not give: nothing of it may be taken.  An offer of
	 * another history than was witnessed: its server is to be distrusted. */
	bool lies;
	unsigned node, server; /* node: also whose transport key speaks */
	uint64_t connection, socket;
	uint64_t illness; /* of the server that said it, then: world_illness */
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

/* What an administrator does at one server, as soon as it can be done. */
enum act_kind { ACT_REVOKE, ACT_ENROL, ACT_FREEZE, ACT_RELEASE, ACT_REDACT };
struct act {
	enum act_kind kind;
	unsigned server, log;
	uint64_t index;   /* REDACT */
	struct hash leaf; /*   of it */
	bool done;
};

/* ---- keys: the files beside a node's store, which outlive it ---- */

struct key_pair {
	uint8_t secret[SIGN_SECRET_BYTES], witness_secret[SIGN_SECRET_BYTES];
	struct signer signer, witness;
};
struct node_keys {
	const struct key_pair *pairs; /* KEYS_MOST of them; not owned */
	size_t present;
	uint64_t ends[KEYS_MOST]; /* sizes at which those before the present one ended */
	int64_t both_until_ms;    /* by its clock; 0: the key before is forgotten */
	uint64_t mark, mark_synced;
	int64_t mark_synced_ms;
	bool mark_found;
	struct buf witnessed[SERVERS]; /* notes */
};

/* ---- hosts ---- */

/* One bit of one stored row is another one. */
struct damage {
	bool there;
	bool told;       /* somebody noticed */
	bool view;       /* in a view: what it says of its logs is right all the same */
	uint64_t number; /* among all of this world, from 1 on */
	const char *where;
};

struct node_host {
	struct world *w;
	unsigned number;
	bool exists, up, retired;
	uint64_t epoch;
	char disk[DISK_NAME], copy[DISK_NAME];
	bool has_copy;
	uint64_t copy_size;
	struct log_name name;
	struct node_keys keys;
	int64_t clock_ms;      /* how wrong its clock is */
	int64_t busy_until_ms; /* nothing happens in it before */
	int64_t slow_until_ms;
	unsigned slow_ms; /* for each thing that it does, until then */
	struct damage damage;
	/* while it is up */
	struct store *store;
	struct log log;
	struct table witnessed; /* national origin -> newest note of it */
	struct table redacted, scrub;
	struct view view;
	struct view_fold *fold;
	struct arena arena;
	struct node_machine machine;
	struct node_update update;
	struct wall_ms last_recorded;
	bool again;     /* to begin anew: erased bytes are to be scrubbed */
	enum err fault; /* it cannot go on */
	struct chain chain;
	struct buf note, header, frame[COMMIT_FRAMES_MAX];
	uint64_t told[SERVERS];     /* confirmed, as last seen */
	struct promise safe;        /* accepted: a crash alone loses nothing of it */
	unsigned steps;             /* that may have changed its view */
	const struct packet *hears; /* during a step that it causes; else NULL */
	int64_t due_ms;             /* a step is planned for then */
};

/* Whether a server is to hear a log, by what was done there and not by what the server thinks. */
enum hearing {
	HEARING_OPEN,
	HEARING_CLOSES, /* a freeze that this turn's transaction brings */
	HEARING_SHUT,
};

struct server_host {
	struct world *w;
	unsigned number;
	bool up;
	uint64_t epoch;
	char disk[DISK_NAME], view_disk[DISK_NAME], copy[DISK_NAME], newest[DISK_NAME];
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer signer;
	int64_t clock_ms;
	int64_t slow_until_ms;
	unsigned slow_ms;
	int64_t stalled_until_ms;
	bool fell; /* the machine under it: what was not synced is worth nothing */
	struct damage damage;
	/* while it is up */
	struct archive archive;
	struct trust trust;
	struct evidence evidence;
	struct redactions redactions;
	struct table cosigned;
	struct store *view_store;
	struct view view;
	struct view_fold *fold;
	struct arena arena;
	struct server_machine machine;
	struct server_update update;
	enum err fault;
	bool again;
	struct buf header;
	struct packet *inbox, **inbox_end;
	int64_t busy_until_ms;
	bool turn_planned, wait_planned;
	struct chain chains[LOGS];
	enum hearing hearing[LOGS]; /* by its disk: it outlives a crash */
	enum hearing hearing_copy[LOGS], hearing_newest[LOGS]; /* of `copy` and `newest` */
	uint64_t folded;
	unsigned steps; /* the same */
};

/* A node's socket to a server, and the connection that it has now or waits for. */
struct wire {
	bool wanted, established;
	uint64_t connection; /* grows with each attempt */
	uint64_t socket;     /* grows with each socket */
	uint8_t peer[PEER_SIZE];
	int64_t last_up_ms, last_down_ms;       /* deliveries keep their order */
	int64_t blocked_up_ms, blocked_down_ms; /* partitioned until */
};

/* A peer that speaks the protocol with the keys of one log, or with none, and keeps no rule. */
struct hostile {
	unsigned log;                             /* NODES: there is none */
	uint8_t peer[SERVERS][2][PEER_SIZE];      /* with its key, and as a stranger */
	uint64_t session[SERVERS], held[SERVERS]; /* as the servers said */
	uint64_t taken[SERVERS];               /* bytes of commits since they last granted credit */
	struct packet *captured[CAPTURED_MAX]; /* of honest nodes; owned */
	size_t captured_next;
	struct buf events[64]; /* its log's */
	size_t event_count;
	bool forked; /* it signed two histories */
};

/* Who speaks to nodes as a server.  One of them is shown two histories, in some seeds. */
struct thief {
	bool there;
	unsigned node, server; /* NODES: none */
	bool distrusted;       /* that node knows; beside its keys, so that it outlives all */
};

/* An event that may be erased later. */
struct secret {
	unsigned log;
	uint64_t index;
	char text[SECRET_BYTES];
};

struct tally {
	uint64_t events, commits, accepted, fetched, frozen, restarts, restores, refusals, lost,
		doubled, full, grown, folds, cosigned, put_back, confirmed, rotated, revoked,
		redacted, released, damaged, noticed, jumps, stalls, fell, unsynced, hostile,
		unwelcome, acks_late, shares, owed, due, thefts, distrusted;
};

struct world {
	uint64_t seed, random;
	int64_t now_ms, end_ms;
	int64_t converge_ms;        /* from the last fault until all agreed */
	bool verbose, failed, calm; /* calm: no more faults */
	bool tight;                 /* servers bound how much of one log they take at once */
	bool quick; /* acknowledgements come soon, and some edits as soon after another */
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
	unsigned revoked;       /* log that is revoked, and goes on as ANEW; NODES: none */
	bool begun_anew;
	struct buf quote;                   /* the checkpoint that it goes on from */
	struct secret secrets[SECRETS_MAX]; /* the newest of them */
	size_t secret_count;
	struct secret erased[ERASED_MAX];
	size_t erased_count;
	struct act acts[ACTS_MAX];
	size_t act_count;
	struct hostile hostile;
	struct thief thief;
	struct cosigned *cosigned; /* owned */
	size_t cosigned_count, cosigned_capacity;
	struct wire wires[NODES][SERVERS];
	struct promise promised[SERVERS][LOGS];
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
bool world_is_revoked(const struct world *w, unsigned log); /* at some server, or soon */
bool world_is_hostile(const struct world *w, unsigned log);
/* The damage that what a host says of its logs may come from; 0: none. */
uint64_t world_illness(const struct damage *d);
/* Which log a node writes: the twin writes another's. */
unsigned world_log_of(const struct world *w, unsigned node);
/* Plays one seed; true when every invariant held. */
bool world_play(struct world *w, uint64_t seed, bool verbose);
void world_free(struct world *w);

/* ---- make.c ---- */
void world_begin(struct world *w, uint64_t seed, bool verbose);

/* ---- chain.c ---- */
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
/* Takes the packet. */
void wire_deliver(struct world *w, struct packet *p);
struct packet *packet_make(const struct bytes *frames, size_t count);
/* Whatever the node sent has come or is gone for good: putting a backup back takes longer than
 * any message lives. */
void wire_forget(struct world *w, unsigned node);

/* ---- node_host.c ---- */
void node_host_start(struct node_host *n);
void node_host_crash(struct node_host *n, const char *why);
/* The machine under it falls: what was not synced is gone. */
void node_host_fall(struct node_host *n, const char *why);
void node_host_tick(struct node_host *n);
/* The time of a commit that waited has come. */
void node_host_due(struct node_host *n);
void node_host_hear(struct node_host *n, unsigned server, const struct packet *p);
/* Gives the machine an event, and performs what it decides. */
void node_host_step(struct node_host *n, const struct node_event *event);
/* What follows a write or a fault: the process may have died; false then. */
bool node_host_survives(struct node_host *n);
const char *node_host_name(const struct node_host *n);
MUST_USE enum err node_host_send(struct node_host *n, size_t link, const struct wire_header *header,
				 const struct bytes *more, size_t count);
struct wall_ms node_host_wall(const struct node_host *n);
/* Something that only a damaged disk explains: noted; the fault ends the program. */
void node_host_noticed(struct node_host *n, const char *how, enum err e);

/* ---- node_log.c: the store ---- */
MUST_USE enum err node_log_open(struct node_host *n);
/* Parts of a write: append, then finish (an empty note: signs one), which undoes what failed. */
MUST_USE enum err node_log_append(struct node_host *n, struct txn *t, struct bytes raw,
				  const struct event *event);
MUST_USE enum err node_log_finish(struct node_host *n, struct txn *t, struct bytes note);
void node_log_undo(struct node_host *n, struct txn *t);
/* OK when the map was full and has grown. */
bool node_log_grow(struct node_host *n, enum err why);
/* Fetched events. */
MUST_USE enum err node_log_fetched(struct node_host *n, const struct commit *c);
/* True when bytes that were erased may still be there. */
MUST_USE enum err node_log_scrub(struct node_host *n, bool *ret_wanted);
/* An event about the log itself as a commit of its own, signed by `also` as well unless NULL. */
MUST_USE enum err node_log_act(struct node_host *n, struct event *event, const struct signer *also);

/* ---- node_keys.c ---- */
/* KEYS_MOST of them, the same in every world: of a region's log, or, REGIONS further on, of the one
 * that goes on from it. */
const struct key_pair *keys_of(unsigned slot);
void keys_server(const char *name, unsigned number, uint8_t *secret, struct signer *ret);
const struct key_pair *node_keys_present(const struct node_host *n);
/* As node_lookup.key_at. */
MUST_USE enum err node_keys_at(void *node, uint64_t size, struct vkey *ret);
/* Whether the key that signs checkpoints of `size` is here. */
bool node_keys_can_sign(const void *node, uint64_t size);
MUST_USE enum err node_keys_sign(struct node_host *n, uint64_t size, const struct tree *tree,
				 struct buf *ret);
/* What is stored of a note that was fetched, as in node/fetch.c. */
MUST_USE enum err node_keys_keep(const struct node_host *n, struct bytes note,
				 const struct vkey *next, struct buf *ret);
MUST_USE enum err node_keys_note(struct node_host *n, struct txn *t, uint64_t size,
				 struct buf *ret);
MUST_USE enum err node_keys_show(struct node_host *n, struct txn *t, uint64_t size,
				 struct buf *ret);
void node_keys_raise_mark(struct node_host *n);
void node_keys_open_mark(struct node_host *n);
void node_keys_rotate(struct node_host *n);
/* The gate opened below a rotation that no server had heard of when the store was lost: it is told
 * again.  True when the log grew by that. */
bool node_keys_mend(struct node_host *n);
/* Syncs the mark; forgets the key before the present one when its time is over. */
void node_keys_tick(struct node_host *n);
/* The log names these keys from `size` on. */
MUST_USE enum err node_keys_follow(struct node_host *n, const struct vkey *key, uint64_t size);
/* At the start: finishes what a kill interrupted. */
MUST_USE enum err node_keys_heal(struct node_host *n);
/* The enrolment of one of the log's keys. */
MUST_USE enum err keys_card(struct world *w, unsigned log, size_t number, struct card *ret,
			    struct buf *ret_document);

/* ---- node_edit.c ---- */
void node_host_edit(struct node_host *n);
/* The id of the region's record of that number, if there is one. */
bool node_host_id(const struct node_host *n, unsigned number, enum record_kind *ret_kind,
		  char id[static ID_BYTES_MAX]);

/* ---- node_witness.c ---- */
/* True when it shows another history of the server. */
bool node_host_witness(struct node_host *n, const struct node_action *a);
/* The newest note of that server's national log that was witnessed; NOT_FOUND. */
MUST_USE enum err node_host_witnessed(struct node_host *n, unsigned server, struct txn *t,
				      struct bytes *ret);
/* At the start: what the store has forgotten. */
MUST_USE enum err node_witness_recall(struct node_host *n);

/* ---- node_duty.c ---- */
/* False: there was no room for it. */
MUST_USE bool node_duty_carry_out(struct node_host *n, const struct node_action *a);
/* As node_lookup.redacted. */
bool node_duty_known(void *node, uint64_t index, struct hash leaf);
MUST_USE enum err node_duty_redacts(struct node_host *n, struct txn *t, uint64_t index,
				    struct hash leaf, bool *ret);

/* ---- server_host.c ---- */
const char *server_host_name(const struct server_host *s);
void server_host_crash(struct server_host *s, const char *why);
void server_host_fall(struct server_host *s, const char *why);
/* Performs what the machine decided; what of it was to be stored and could not be. */
MUST_USE enum err server_host_perform(struct server_host *s);
void server_host_send(struct server_host *s, const struct server_action *a,
		      const struct wire_header *header, const struct bytes *more, size_t count);
bool server_host_survives(struct server_host *s); /* false: it died, or cannot go on */
struct wall_ms server_host_wall(const struct server_host *s);
/* Something that only damage explains: of its store or its view, and of its store. */
void server_host_noticed(struct server_host *s, const char *how, enum err e);
void server_logs_noticed(struct server_host *s, const char *how, enum err e);
/* The same, by the message of it that a node hears (NULL: none): the server must have been damaged
 * when it said that.  Nothing is to be done when that was mended meanwhile. */
void server_host_blamed(struct server_host *s, const struct packet *heard, const char *how,
			enum err e);
uint64_t server_host_size(const struct server_host *s); /* national entries, committed */

/* NULL: it holds none of that number. */
struct log *server_host_log(struct server_host *s, unsigned log);

/* ---- server_turn.c ---- */
void server_host_tick(struct server_host *s);
/* An answer waits for its time: has it come? */
void server_host_wait(struct server_host *s);
void server_host_turn(struct server_host *s);
void server_host_hear(struct server_host *s, struct packet *p); /* takes the packet */
/* After something was stored: histories are taken over and compared. */
void server_host_stored(struct server_host *s);

/* ---- server_start.c ---- */
void server_host_start(struct server_host *s);
void server_host_close(struct server_host *s);

/* ---- server_fold.c ---- */
void server_host_fold(struct server_host *s);

/* ---- server_witness.c ---- */
void server_host_offer(struct server_host *s, const struct server_action *a);
MUST_USE enum err server_host_cosigned(struct server_host *s, const struct server_action *a);
/* Somebody noticed that the store is an older copy: the newest one is put in its place. */
void server_host_rolled_back(struct server_host *s, const struct server_action *a);

/* ---- server_acts.c: administrators ---- */
/* Plans an act at one server. */
struct act *act_plan(struct world *w, enum act_kind kind, unsigned server, unsigned log,
		     int64_t in_ms);
/* Does it, or tries again later. */
void act_try(struct world *w, unsigned number);
bool acts_done(const struct world *w);
/* Whether the administrator of a server does so with this log some time. */
bool act_is_planned(const struct world *w, enum act_kind kind, unsigned server, unsigned log);
/* Every log that is enrolled from the beginning. */
MUST_USE enum err act_enrol_all(struct server_host *s);
void server_host_duties(struct server_host *s, const uint8_t *peer, size_t peer_size,
			struct log_name log, uint64_t session);
/* One of the events that may be erased is, at both servers. */
void act_erase(struct world *w);
/* The office of a region whose log is revoked everywhere begins another log. */
void act_begin_anew(struct world *w);

/* ---- hostile.c ---- */
void hostile_begin(struct world *w);
void hostile_capture(struct world *w, const struct packet *like, const struct bytes *frames,
		     size_t count);
bool hostile_hears(struct world *w, unsigned server, const uint8_t *peer,
		   const struct bytes *frames, size_t count);
void hostile_act(struct world *w);
void hostile_free(struct world *w);

/* ---- thief.c ---- */
void thief_begin(struct world *w);
void thief_act(struct world *w);
/* A node saw two histories of a server that a thief signs for. */
void thief_is_found_out(struct node_host *n, unsigned server);
/* At the start of a node: what it has evidence of. */
void thief_start(struct node_host *n);
/* Whether that node is to have nothing to do with that server any more. */
bool world_distrusts(const struct world *w, unsigned node, unsigned server);

/* ---- faults.c ---- */
void fault_strike(struct world *w);
/* Puts the older copy of a server's store in place of the newest; false when there is nothing to
 * put back in this world. */
bool fault_put_back(struct world *w);

#endif
