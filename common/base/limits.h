/* Every bound that an outsider can push against, with its reason.
 *
 * Layer: base. */
#ifndef SPLOT_BASE_LIMITS_H
#define SPLOT_BASE_LIMITS_H

enum {
	/* -- events and commits (docs/PROTOCOL.md) -- */
	EVENT_BYTES_MAX = 65535,           /* a tlog-tiles entry bundle counts in uint16 */
	EVENT_CHANGES_MAX = 1024,          /* an import of a whole file fits a few events */
	COMMIT_EVENTS_MAX = 4096,          /* one signature and one sync for all of them */
	COMMIT_BYTES_MAX = 1024 * 1024,    /* packed (bundle_packed): bounds a verifier's memory */
	COMMIT_EVENTS_ASKED = 64,          /* what a server asks for: who else speaks waits */
	COMMIT_BYTES_ASKED = 128 * 1024,   /*   while one commit is checked, some 1 ms */
	FRAME_BYTES_MAX = 256 * 1024,      /* libzmq buffers whole frames */
	COMMIT_FRAMES_MAX = 8,             /* 1 MiB in frames that break only between events */
	HEADER_BYTES_MAX = 4096,           /* frame 0, one protobuf header */
	FEED_EVENTS_BYTES_MAX = 16 * 1024, /* in one message: a slow reader holds memory */
	NOTE_BYTES_MAX = 16 * 1024,        /* a checkpoint with every witness's line */
	NOTE_SIGNATURES_MAX = 100,         /* C2SP signed-note allows at least 16 */

	/* -- names and texts -- */
	ID_BYTES_MAX = 128,     /* a record's id: two ids and "--" in a membership */
	ORIGIN_BYTES_MAX = 128, /* <realm>/region/26/2 */
	KEY_NAME_BYTES_MAX = ORIGIN_BYTES_MAX,
	REALM_BYTES_MAX = 64,
	FIELD_BYTES_MAX = 8192, /* one field of a record */
	EDITOR_BYTES_MAX = 32,  /* a pseudonym */
	REASON_BYTES_MAX = 1024,
	SOURCE_BYTES_MAX = 1024,
	TEXT_BYTES_MAX = 512, /* explanation beside an error code */

	/* -- how many -- */
	LOGS_MAX = 64,                  /* 17 logs, and those begun anew */
	SERVERS_MAX = 8,                /* that one node publishes to */
	CONTROL_CLIENTS_MAX = 64,       /* connections to a control socket */
	DESCRIPTORS_LEAST = 256,        /* of a daemon: those clients, peers, stores, and room */
	CONTROL_BYTES_MAX = 256 * 1024, /* one control request or reply */
	QUERY_ROWS_MAX = 1000,          /* records in one control reply */
	TREE_LEVELS_MAX = 8,            /* tile levels: 256^8 leaves are beyond 2^63 */
	PROOF_HASHES_MAX = 64,          /* a tree of 2^63 leaves */
	WITNESSES_MAX = 16,             /* cosignatures that are kept with a checkpoint */
	NOTE_LINES_PUBLISHED = 16,      /* signature lines that every C2SP verifier accepts */
	POLICY_MEMBERS_MAX = 64,        /* witnesses and groups in a policy */
	LOG_KEYS_MAX = 32,              /* keys that one log had, one after the other */

	/* -- what the holder of one key may do at a server (base/allowance.h): a rate, and how
	 *    much of it at once.  Honest nodes stay below what cuts off: they gather small commits
	 * while one is under way, wait between attempts, and fetch one piece after the other -- */
	PEER_MESSAGES_PER_S = 500, /* a message costs some 100 microseconds at most */
	PEER_MESSAGES_BURST = 256, /* all that may be under way, some times over */
	PEER_MIB_PER_S = 256,      /* beyond what credit lets through in any case */
	PEER_MIB_BURST = 512,
	PEER_WORK_MIB_PER_S = 8, /* bytes of commits, and what their events and changes count */
	PEER_WORK_MIB_BURST = 1, /*   more, as below: beyond it the key waits */
	COMMIT_WORK_BYTES = 8 * 1024, /* its signature, and its part in a sync */
	/* A view folds a whole commit in one transaction, in memory of about twice this.  Nodes cut
	 * commits by it, too; with ids as they should be (a change of 12 bytes at least) none of
	 * the size that is asked for reaches it. */
	COMMIT_WORK_MAX = 38 * 1024 * 1024,
	EVENT_WORK_BYTES = 512,   /* to check, store and fold one is like so many bytes more; */
	CHANGE_WORK_BYTES = 1536, /*   what is in it beyond one change is done in one go */
	PEER_LARGE_COMMIT_S = 10, /* larger than asked for, 20 ms each: one in so many seconds */
	PEER_FETCHES_PER_S = 16,  /* 4,096 events and 11 ms each at most: more often they wait */
	PEER_FETCHES_BURST = 32,
	PEER_HELLOS_PER_S = 8,
	PEER_HELLOS_BURST = 64, /* restarts and bad lines: the first ten attempts take 3 s */
	PEER_HANDSHAKES_PER_S = 8,
	PEER_HANDSHAKES_BURST = 16, /* a message without an end may be each one's first */
	PEER_REFUSALS_PER_S = 16,
	PEER_REFUSALS_BURST = 128,          /* all that may be under way when a session ends */
	PEER_PENALTY_MS = 1000,             /* how long who breaks these stays out; doubled … */
	PEER_PENALTY_MS_MAX = 5 * 60000,    /*   … up to this: it may be a fault that is mended */
	PEER_PENALTY_FORGOTTEN_MS = 600000, /*   … until there was none for so long */

	/* -- files -- */
	CONFIG_BYTES_MAX = 64 * 1024,
	KEY_FILE_BYTES_MAX = 16 * 1024, /* with the keys before, LOG_KEYS_MAX of them */
	POLICY_BYTES_MAX = 32 * 1024,
	PROOF_FILE_BYTES_MAX = 192 * 1024, /* an event in base64, 64 hashes and a note */
	IMPORT_FILE_BYTES_MAX = 64 * 1024 * 1024,
	IMPORT_ROWS_MAX = 200000,
};

#endif
