/* splot-server: everything that its main thread works with.
 *
 *   main.c      options, start-up in order, exit codes      settings.c  configuration
 *   start.c     opens and proves stores, keys, sockets      archive.c   logs and the turn's
 * transaction loop.c      the turn: messages, commit, control calls   trust.c     enrolments,
 * evidence actions.c   performs what the machine decided           folder.c    the fold thread and
 * the view queries.c   answers on the control socket               acts.c      enrol, revoke feed.c
 * the national feed                           refusals.c  one line a second for refusals */
#ifndef SPLOT_SERVER_SERVER_H
#define SPLOT_SERVER_SERVER_H

#include "io/control_socket.h"
#include "io/keys.h"
#include "io/socket.h"
#include "model/control.h"
#include "server/archive.h"
#include "server/feed.h"
#include "server/folder.h"
#include "server/refusals.h"
#include "server/settings.h"
#include "server/trust.h"
#include "session/server.h"

/* Peers that broke the rules of flow: a ROUTER cannot hang up on one peer, so their
 * messages are dropped unread until they connect anew (with a new routing id). */
enum { CUT_OFF_MAX = 64 };

struct peer_id {
	uint8_t bytes[PEER_BYTES_MAX];
	size_t size;
};

struct server {
	struct settings settings;
	struct keys keys;
	char realm[REALM_BYTES_MAX + 1];
	char name[ORIGIN_BYTES_MAX + 1];
	struct signer signer;
	char logs_path[PATH_MAX], logs_marker[PATH_MAX];
	char view_path[PATH_MAX], view_marker[PATH_MAX];
	struct wall_ms started;

	struct archive archive;
	struct trust trust;
	struct folder folder;
	struct server_machine machine;
	struct server_update update; /* of the step being performed */

	struct network *network;
	struct endpoint *router;
	uint64_t rejected_before; /* handshakes that our own proof had rejected */
	struct feed feed;
	struct control *control;
	int signal_fd;

	struct peer_id cut_off[CUT_OFF_MAX];
	size_t cut_off_next;
	struct refusals refusals;
	struct wall_ms trouble_told; /* when a failure to store was last logged */
	struct buf out;              /* an encoded header or reply */
	struct arena arena;          /* of one control call */
};

/* start.c: on failure it has logged what is wrong and what to do. */
MUST_USE enum err server_start(struct server *s);
void server_end(struct server *s, bool clean);

/* loop.c: until SIGTERM (OK) or a fault that only a restart heals. */
MUST_USE enum err server_run(struct server *s, const char *config_path);

/* actions.c: gives the event to the machine and performs what it decides.  Only what
 * must end the program is returned: SYNC, IO, CORRUPT, INTERNAL. */
MUST_USE enum err server_tell(struct server *s, const struct server_event *event);
/* Stores the turn's transaction, if any, and tells the machine. */
MUST_USE enum err server_store_turn(struct server *s, struct wall_ms now);
bool server_is_cut_off(const struct server *s, const uint8_t *peer, size_t size);
/* True for errors after which going on could lie to somebody. */
bool server_is_fatal(enum err e);

/* queries.c: always replies; returns only what must end the program. */
MUST_USE enum err server_answer(struct server *s, const struct control_call *call);
/* acts.c: fills code and text of the reply. */
MUST_USE enum err server_enrol(struct server *s, const struct control_call *call,
			       const struct control_request *q, struct control_reply *ret);
MUST_USE enum err server_revoke(struct server *s, const struct control_call *call,
				const struct control_request *q, struct control_reply *ret);

#endif
