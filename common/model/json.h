/* A streaming JSON writer (RFC 8259): no tree, commas and escapes kept right.
 * Invalid UTF-8 is written as U+FFFD so that output always parses.
 *
 * Layer: model. */
#ifndef SPLOT_MODEL_JSON_H
#define SPLOT_MODEL_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/event.h"
#include "model/record.h"

struct json {
	struct buf *out; /* borrowed */
	unsigned depth;
	uint64_t has_item; /* bit per depth: a comma is due */
	bool after_key;
};

struct json json_to(struct buf *out);
void json_open(struct json *j, char bracket);  /* '{' or '[' */
void json_close(struct json *j, char bracket); /* '}' or ']' */
void json_key(struct json *j, const char *key);
void json_text(struct json *j, const char *text);
void json_bytes_text(struct json *j, struct bytes text);
void json_uint(struct json *j, uint64_t x);
void json_int(struct json *j, int64_t x);
/* `x` with that many digits, 1 to 9, behind the point: 1234, 3 is 1.234. */
void json_decimal(struct json *j, uint64_t x, unsigned digits);
void json_bool(struct json *j, bool x);
void json_null(struct json *j);
/* key and value in one call */
void json_field_text(struct json *j, const char *key, const char *text);
void json_field_uint(struct json *j, const char *key, uint64_t x);
void json_field_int(struct json *j, const char *key, int64_t x);
void json_field_bool(struct json *j, const char *key, bool x);

/* {"id":…,"name":…}: every column in order, unknown ones as null. */
void json_record(struct json *j, const struct record *r);
/* {"kind","id","log","index","position","recorded","editor","reason","source",
 *  "retired","supersedes","record":{…}|null} */
void json_version(struct json *j, const struct version *v);

#endif
