/* Judges a request's head before anything is done with it.
 *
 * libmicrohttpd 0.9.75 takes what other programs on the way may read differently: a length beside
 * a transfer coding, two lengths, a space before a colon, no Host, lines that end in LF alone,
 * folded lines, NUL inside a line.  What it hands out is texts that lie in one buffer, in which the
 * bytes that ended them are overwritten.  So a clean head is one in which these texts lie side by
 * side: a name, its colon, blanks, its value, CR and LF, the next name.  Whatever was passed over
 * or put together leaves a gap that is wider or narrower.  One thing leaves none: a NUL among
 * the two bytes that end a line, or the four that end the head, since all of them are NUL by then;
 * the head says the same with either.
 *
 * Pure: compares addresses, reads only the texts themselves and what ends them. */
#ifndef SPLOT_WEB_HTTP_GUARD_H
#define SPLOT_WEB_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "http/limits.h"

struct head_line {
	const char *name, *value;
	size_t name_size, value_size;
};

/* A head as it was received; texts are NUL-terminated and lie in one buffer. */
struct head {
	const char *method, *target, *version;
	size_t target_size; /* the target may be cut up by now */
	size_t size;        /* bytes from the method to the empty line, which is included */
	size_t line_count;  /* may exceed HEAD_LINES_MAX: then the first ones are there */
	struct head_line lines[HEAD_LINES_MAX];
};

/* X(NAME, "name in the metrics", status, "what is wrong") */
#define GUARD_TABLE(X)                                                                             \
	X(OK, "", 200, "")                                                                         \
	X(FRAMING, "framing", 400,                                                                 \
	  "a line of the request that does not end in CR LF, is folded "                           \
	  "or has a NUL in it")                                                                    \
	X(NAME, "header-name", 400, "a header name that is none, or a space before its colon")     \
	X(VALUE, "header-value", 400, "a control character in a header")                           \
	X(HOST, "host", 400, "not exactly one Host")                                               \
	X(LENGTH, "content-length", 400, "a Content-Length that is doubled or no number")          \
	X(CODING, "transfer-encoding", 400, "a transfer coding: requests here have no body")       \
	X(BODY, "body", 413, "a body: requests here have none")                                    \
	X(TARGET, "target", 400, "a target that is no plain path")                                 \
	X(VERSION, "version", 400, "a version of HTTP that is not 1.0 or 1.1")                     \
	X(LONG, "long-target", 414, "an address that is too long")                                 \
	X(LARGE, "large-header", 431, "a header that is too large, or has too many lines")

enum guard {
#define GUARD_ENUM(name, metric, status, text) GUARD_##name,
	GUARD_TABLE(GUARD_ENUM)
#undef GUARD_ENUM
		GUARD_COUNT
};

enum guard guard_head(const struct head *h);
unsigned guard_status(enum guard g);
const char *guard_metric(enum guard g);
const char *guard_text(enum guard g);

/* The value of the only line of that name (case does not matter); NULL when there is none or more
 * than one. */
const char *head_value(const struct head *h, const char *name);

#endif
