/* The sixteen regions and the ministry, the logs named after them, and who owns an id.
 *
 * Layer: model.  May use base. */
#ifndef SPLOT_MODEL_REGION_H
#define SPLOT_MODEL_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/limits.h"

/* Index into the table below: 0..15 the regions in the order of their TERYT codes,
 * 16 the ministry. */
enum { REGION_COUNT = 17, REGION_PL = 16, REGION_NONE = -1 };

struct region {
	const char *code;    /* "26", "PL" */
	const char *slug;    /* "swietokrzyskie", "ministerstwo" */
	const char *name_pl; /* "świętokrzyskie" */
	const char *name_en; /* "Holy Cross" */
};

/* i in 0..REGION_COUNT-1. */
const struct region *region_at(int i);
/* By exact code; REGION_NONE when there is none. */
int region_by_code(struct bytes code);

/* A log's short name: a region's code, or code/N (N >= 2) for one begun anew,
 * or "national".  NUL-terminated, so that it can be compared and printed. */
enum { LOG_NAME_BYTES = 16 };
struct log_name {
	char text[LOG_NAME_BYTES];
};

MUST_USE enum err log_name_parse(struct bytes text, struct log_name *ret_name);
bool log_name_equal(struct log_name a, struct log_name b);
/* The region whose records this log may hold; REGION_NONE for "national". */
int log_name_region(struct log_name name);
/* The log that this one goes on from: "26" before "26/2", "26/2" before "26/3"; false for one
 * that did not begin anew (`ret` is untouched). */
bool log_name_before(struct log_name name, struct log_name *ret);

/* "<realm>/region/26" (a region's log) or, for a server's national log,
 * "<realm>/national/<server>", with "/N" behind it for generation N >= 2: one that began anew.
 * LIMIT; INVALID for a generation of 0 or over LOG_GENERATION_MAX, or of a server that is named
 * like a part of an origin ("region", "national", "witness"), which could not be told apart. */
enum { LOG_GENERATION_MAX = 999999999 };
MUST_USE enum err log_origin(const char *realm, struct log_name name, char *ret_origin,
			     size_t size);
MUST_USE enum err national_origin(const char *realm, const char *server, uint32_t generation,
				  char *ret_origin, size_t size);
/* "<realm>/witness/26": as whom the keeper of that log cosigns. */
MUST_USE enum err witness_origin(const char *realm, struct log_name name, char *ret_origin,
				 size_t size);

enum { SERVER_NAME_BYTES = 64 };
enum origin_kind { ORIGIN_REGION, ORIGIN_NATIONAL, ORIGIN_WITNESS };

/* An origin taken apart.  The texts are NUL-terminated. */
struct origin_parts {
	enum origin_kind kind;
	char realm[REALM_BYTES_MAX + 1];
	struct log_name log;            /* "national" for a server's national log */
	char server[SERVER_NAME_BYTES]; /* a server's name; else empty */
	uint32_t generation;            /* of a national log: 1, or N of ".../N" */
};

/* The inverse of the three above.  The last "/region/", "/national/" or "/witness/" decides, so a
 * realm may hold such parts itself; no log's or server's name does (".../national/2" is of a server
 * "2", ".../national/2/2" of its second generation).  A realm has 1 to
 * REALM_BYTES_MAX of A-Z a-z 0-9 . - _ / and a letter or digit at both ends; a server's name the
 * same without "/", up to SERVER_NAME_BYTES - 1.  INVALID for anything else and for more than
 * ORIGIN_BYTES_MAX; `ret` is untouched then. */
MUST_USE enum err origin_parse(struct bytes text, struct origin_parts *ret);

/* The region that an id names as its owner ("pl26-…", "pl-…", "st-26-…", "st-pl-…");
 * REGION_NONE when it names none. */
int id_owner(struct bytes id);

#endif
