/* splot-server: everything that its main thread works with.
 *
 *   main.c      options, start-up in order, exit codes   settings.c    configuration
 *   start.c     opens and proves stores, keys, sockets   archive.c     logs and the turn's
 *   loop.c      the turn: messages, commit, control                    transaction
 *   actions.c   performs what the machine decided        bundles.c     events as frames
 *   witness.c   offers, cosignatures, the policy         trust.c       enrolments
 *   duties.c    acts that nodes carry out                evidence.c    notes that contradict
 *   queries.c   the control socket                       redactions.c  what was erased, scrub
 *   status.c    what it says of itself, to askers and    folder.c      the fold thread, the view
 *               into the view
 *   anew.c      continue                                 exporting.c   the thread that exports
 *   acts.c      what administrative acts share
 *   enrol.c     enrol, revoke                            feed.c        the national feed
 *   freeze.c    freeze, release                          refusals.c    one line a second
 *   redact.c    redact                                                 for refusals */
#ifndef SPLOT_SERVER_SERVER_H
#define SPLOT_SERVER_SERVER_H

#include "base/histogram.h"
#include "io/control_socket.h"
#include "io/keys.h"
#include "io/socket.h"
#include "model/control.h"
#include "server/archive.h"
#include "server/evidence.h"
#include "server/exporting.h"
#include "server/feed.h"
#include "server/folder.h"
#include "server/intake.h"
#include "server/redactions.h"
#include "server/refusals.h"
#include "server/settings.h"
#include "server/trust.h"
#include "server/witness.h"
#include "session/server.h"

/* How long a connection that is to end is kept for the refusal to leave; what comes by it meanwhile
 * is dropped. */
enum { CUT_OFF_GRACE_MS = 200 };

/* How long things took since the start, beside the fold's "visible". */
struct latencies {
	struct histogram store;    /* a turn's transaction, begun to synced */
	struct histogram arrival;  /* an event, from its recorded time to the turn that took it */
	struct histogram arriving; /* the same, of the turn that is not stored yet */
	struct histogram witness;  /* a cosignature, from the beginning of its round */
};

/* The file that the last full verification left, read again when it is another one. */
struct report {
	struct timespec changed;
	off_t size;
	ino_t inode;
	struct buf text;
};

/* What the view is told of the server. */
struct telling {
	struct mono_ms told;   /* when it last was */
	struct mono_ms judged; /* when the witnesses' lines were last judged for it */
	bool changed;          /* something happened since */
};

struct server {
	struct settings settings;
	struct keys keys;
	char realm[REALM_BYTES_MAX + 1];
	char name[ORIGIN_BYTES_MAX + 1];
	uint32_t generation; /* of the national log: 1, or N of one that began anew */
	struct signer signer;
	char logs_path[PATH_MAX], logs_marker[PATH_MAX];
	char view_path[PATH_MAX], view_marker[PATH_MAX];
	struct wall_ms started;
	enum err scrub_waits; /* why erased bytes are still in free pages; OK: they are not */

	struct archive archive;
	struct trust trust;
	struct evidence evidence;
	struct redactions redactions;
	struct witnessing witnessing;
	struct folder folder;
	struct exporting exporting;
	struct server_machine machine;
	struct server_update update; /* of the step being performed */

	struct network *network;
	struct endpoint *router;
	struct intake intake;
	uint64_t rejected_before; /* handshakes that our own proof had rejected */
	struct feed feed;
	struct control *control;
	int signal_fd;
	bool again;             /* ends in order to begin anew: bytes are to be scrubbed */
	struct mono_ms stop_at; /*   at this time, so that answers leave first */

	struct mono_ms
		deaf_since[LOGS_MAX]; /* by trusted logs: their node reads no answers; 0: it does */
	struct duties {
		bool due;      /* some are not sent yet: there was no room */
		bool first;    /* entry 0 of a log begun anew is one of them */
		uint64_t from; /* acts about events before this one are sent */
		uint64_t session;
		uint8_t peer[SERVER_PEER_BYTES];
		size_t peer_size;
	} duties[LOGS_MAX]; /* by trusted logs */
	struct refusals refusals;
	struct latencies latencies;
	struct telling telling;
	struct report report;
	struct wall_ms trouble_told; /* when a failure to store was last logged */
	struct buf out;              /* an encoded header or reply */
	struct arena arena;          /* of one control call */
	struct txn *view_read;       /* of one control call, until its reply is encoded */
};

/* start.c: on failure it has logged what is wrong and what to do. */
MUST_USE enum err server_start(struct server *s);
/* What a clean end met: SYNC when the view is not sure to be on the disk. */
MUST_USE enum err server_end(struct server *s, bool clean);

/* loop.c: until SIGTERM or a wish to begin anew (OK), or a fault that only a restart heals. */
MUST_USE enum err server_run(struct server *s, const char *config_path);

/* actions.c: gives the event to the machine and performs what it decides.  Only what
 * must end the program is returned: SYNC, IO, CORRUPT, INTERNAL, ROLLBACK. */
MUST_USE enum err server_tell(struct server *s, const struct server_event *event);
/* Stores the turn's transaction, if any, and tells the machine. */
MUST_USE enum err server_store_turn(struct server *s, struct wall_ms now);
/* Header and frames (at most 1 + COMMIT_FRAMES_MAX) to a peer; a failure is its loss. */
MUST_USE enum err server_try_send(struct server *s, struct bytes peer, struct log_name log,
				  const struct wire_header *header, const struct bytes *more,
				  size_t count); /* AGAIN: no room; CLOSED: the peer is gone */
void server_send(struct server *s, struct bytes peer, struct log_name log,
		 const struct wire_header *header, const struct bytes *frames, size_t count);
/* overrun_fn; context: the server */
void server_overrun(void *context, const char *user);
/* True for errors after which going on could lie to somebody. */
bool server_is_fatal(enum err e);
/* Something was stored: fold and export follow. */
void server_wake_threads(struct server *s);

/* witness.c: the policy in force, and who cosigned what before the last stop.  CONFIG. */
MUST_USE enum err server_witness_start(struct server *s);
void server_send_offer(struct server *s, const struct server_action *action);
MUST_USE enum err server_keep_line(struct server *s, const struct server_action *action);
/* The usual policy follows the enrolments. */
void server_follow_trust(struct server *s);
/* Brings `witnessing` up to date: which checkpoint has its quorum. */
MUST_USE enum err server_judge_witnesses(struct server *s);

bool server_is_witness(struct log_name log); /* the sixteen regions' logs are */

/* anew.c: whether the national log begins anew and CONTINUE was not said yet. */
bool server_waits(const struct server *s);
/* What to do about it. */
void server_waits_text(const struct server *s, char *text, size_t size);
/* At the start: the first entry, when there is one, is what it has to be.  INVALID … */
MUST_USE enum err server_check_beginning(struct server *s);

/* duties.c: what the node of `log` is to know: the first entry of a national log begun anew, and
 * every redact act of its log; `session` is its session, 0 when it has none. */
void server_send_duties(struct server *s, struct bytes peer, struct log_name log, uint64_t session);
/* Sends what found no room in the queue of its peer.  Once a turn. */
void server_duties_go_on(struct server *s);
bool server_duties_wait(const struct server *s, struct log_name log);

/* queries.c: always replies; returns only what must end the program. */
MUST_USE enum err server_answer(struct server *s, const struct control_call *call);
/* status.c */
MUST_USE enum err server_answer_status(struct server *s, const struct control_call *call,
				       const struct control_request *q, struct control_reply *ret);
/* After how long the present state is to be told to the view, mono ms. */
int64_t server_tell_next(const struct server *s);
/* Tells it, when that time has come. */
void server_tell_view(struct server *s, struct mono_ms now);
/* At a clean stop: until it is back, nothing of it is of now. */
void server_tell_stopped(struct server *s);
MUST_USE enum err server_answer_trust(struct server *s, const struct control_call *call,
				      const struct control_request *q, struct control_reply *ret);

#endif
