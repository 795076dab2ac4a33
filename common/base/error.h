/* One error enum for the whole project.  Every function that can fail returns
 * `enum err`; outputs come last, are named ret_x, and stay untouched on failure.
 * Codes are stable: they appear in JSON output and in docs/PROTOCOL.md.
 *
 * Layer: base.  May use nothing of ours; may be used by everything. */
#ifndef SPLOT_BASE_ERROR_H
#define SPLOT_BASE_ERROR_H

#define MUST_USE __attribute__((warn_unused_result))

/* X(NAME, "stable-code", "text for people").  DESCRIPTORS has the code of NOMEM: whoever is told it
 * does the same, people do not. */
#define ERR_TABLE(X)                                                                               \
	X(OK, "ok", "no error")                                                                    \
	X(NOMEM, "no-memory", "out of memory")                                                     \
	X(DESCRIPTORS, "no-memory", "no file descriptors left")                                    \
	X(LIMIT, "limit", "over a limit")                                                          \
	X(DECODE, "decode", "bytes that do not decode")                                            \
	X(ENCODING, "encoding", "text that is not valid")                                          \
	X(INVALID, "invalid", "a value that is not allowed")                                       \
	X(ARGUMENT, "argument", "an argument that does not fit")                                   \
	X(CONFIG, "config", "configuration that cannot be used")                                   \
	X(NOT_FOUND, "not-found", "nothing of that name")                                          \
	X(EXISTS, "exists", "it is there already")                                                 \
	X(CONFLICT, "conflict", "changed meanwhile by somebody else")                              \
	X(OWNER, "owner", "belongs to another owner")                                              \
	X(DENIED, "denied", "not allowed")                                                         \
	X(UNKNOWN_KEY, "unknown-key", "a key that is not trusted")                                 \
	X(SIGNATURE, "signature", "a signature that does not verify")                              \
	X(ORIGIN, "origin", "a checkpoint of another log")                                         \
	X(ROOT, "root", "a root that the events do not give")                                      \
	X(PROOF, "proof", "a proof that does not verify")                                          \
	X(GAP, "gap", "events are missing before this one")                                        \
	X(OLD, "old", "events that are there already")                                             \
	X(SESSION, "session", "a session that is not open")                                        \
	X(CREDIT, "credit", "more was sent than was granted")                                      \
	X(RATE, "rate", "more at once than one peer may")                                          \
	X(FORK, "fork", "two histories of one log")                                                \
	X(REDACTED, "redacted", "erased by an administrative act")                                 \
	X(ROLLBACK, "rollback", "older than what was signed before")                               \
	X(QUORUM, "quorum", "too few witnesses")                                                   \
	X(CLOCK, "clock", "a time more than an hour from this machine's: one clock is wrong")      \
	X(FROZEN, "frozen", "the log is frozen")                                                   \
	X(GATED, "gated", "edits wait until the log is complete again")                            \
	X(VERSION, "version", "a protocol or format version not known here")                       \
	X(BUSY, "busy", "in use, or overloaded for now")                                           \
	X(AGAIN, "again", "nothing now, ask again")                                                \
	X(CLOSED, "closed", "the other side is gone")                                              \
	X(TIMEOUT, "timeout", "no answer in time")                                                 \
	X(DISK_FULL, "disk-full", "no room on the disk")                                           \
	X(MAP_FULL, "map-full", "the store's map is full")                                         \
	X(CORRUPT, "corrupt", "stored data that are damaged")                                      \
	X(SYNC, "sync", "the disk did not confirm a write")                                        \
	X(IO, "io", "input or output failed")                                                      \
	X(INTERNAL, "internal", "a fault in the program")

enum err {
#define ERR_ENUM(name, code, text) ERR_##name,
	ERR_TABLE(ERR_ENUM)
#undef ERR_ENUM
		ERR_COUNT
};

/* The stable code ("disk-full") and the text for people; both static, both
 * defined for every value (unknown values give "internal"). */
const char *err_code(enum err e);
const char *err_text(enum err e);

/* The error with that code, the first of those that share it; ERR_COUNT when there is none. */
enum err err_from_code(const char *code);

#endif
