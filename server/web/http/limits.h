/* Every bound that a stranger can push against at the public door, with its reason. */
#ifndef SPLOT_WEB_HTTP_LIMITS_H
#define SPLOT_WEB_HTTP_LIMITS_H

enum {
	/* -- one request -- */
	HEAD_BYTES_MAX = 12 * 1024,   /* request line and header; browsers send 1 to 2 KiB */
	HEAD_LINES_MAX = 64,          /* header lines; browsers send about 20 */
	TARGET_BYTES_MAX = 6 * 1024,  /* path and query: 32 conditions of many values fit */
	ACCEPT_BYTES_MAX = 256,       /* of Accept that is looked at; longer ones count as none */
	CONNECTION_BYTES = 24 * 1024, /* libmicrohttpd's memory for one connection: a head, its
				       * lines as it keeps them, and the head of the answer */

	/* -- connections -- */
	CONNECTIONS_OVER = 64,   /* over max-connections: they get a 503; then the backlog waits */
	LISTEN_BACKLOG = 512,    /* in the kernel, until they are accepted */
	HEAD_MS_MAX = 10000,     /* from the request line to the end of the header */
	IDLE_MS_MAX = 20000,     /* without a request line; new, or kept alive */
	STALL_S_MAX = 15,        /* an answer of which nothing at all is taken */
	ANSWER_MS_LEAST = 30000, /* to take any answer … */
	ANSWER_BYTES_A_SECOND =
		16 * 1024, /* … and this rate for the rest: slower readers hold memory */
	SWEEP_MS = 500,    /* how often the times above are looked at */

	/* -- answers -- */
	CACHE_BYTES_MAX = 64 * 1024 * 1024,   /* answers that are kept for the present position */
	CACHE_ONE_MAX = 24 * 1024 * 1024,     /* one of them: a table of 100,000 rows fits, so that
					       * many who fetch it have it made once */
	BODIES_BYTES_MAX = 256 * 1024 * 1024, /* all bodies, kept or under way; then 503 */
	LARGE_BODY_BYTES = 2 * 1024 * 1024, /* what is more than that is a table, and of those … */
	LARGE_BYTES_MAX = 160 * 1024 * 1024, /* … not more: a few that are taken slowly leave room
					      * for answers */
	GZIP_BYTES_LEAST = 1024,             /* below that a packet is a packet */
	GZIP_BYTES_MAX = 4 * 1024 * 1024,    /* packed at once; larger ones go as they are: packing
					      * them would stop the only thread that answers */
	LIVE_MS_MAX = 1000,                  /* an answer with times in it is kept no longer */
	FILE_BYTES_MAX = 32 * 1024 * 1024,   /* of the export: 256 events of 64 KiB are 16 MiB */

	/* -- events -- */
	READERS_WAITING_MAX = 256,        /* for an answer of the past that is being made */
	RING_MESSAGES_MAX = 1024,         /* kept for all readers; before that: from the view */
	RING_BYTES_MAX = 8 * 1024 * 1024, /* of them */
	MESSAGE_BYTES_MAX = 256 * 1024,   /* one: 100 changes with their fields */
	READER_SEND_BYTES = 64 * 1024,    /* a reader's socket buffer: what one that stalls holds */
	READER_STALL_MS = 12000,          /* a reader to which nothing could be sent so long */
	REPLAY_ENTRIES_A_TURN = 8,        /* looked at for one reader before others have a turn */
	REPLAY_US_A_TURN = 5000,          /* for all of them together, before requests have one */
	HEARTBEAT_MS = 15000,
};

#endif
