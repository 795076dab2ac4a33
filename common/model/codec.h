/* Between exact bytes and the structs of protobuf-c: a strict look over hostile bytes
 * before the library allocates for them, unpacking into an arena, packing into a buffer.
 *
 * Layer: model, of use inside it only. */
#ifndef SPLOT_MODEL_CODEC_H
#define SPLOT_MODEL_CODEC_H

#include <protobuf-c/protobuf-c.h>

#include "base/bytes.h"
#include "model/text.h"

/* All counted on the wire, so that every build refuses the same bytes. */
struct codec_bounds {
	size_t bytes;      /* of the whole message */
	size_t items;      /* elements of repeated fields, all together */
	size_t text_bytes; /* of one string */
};

/* LIMIT over a bound; DECODE for what is no such message, and for a string with a NUL
 * inside (it would be cut silently when encoded again); NOMEM.  The message lives in the
 * arena, nothing is to be freed. */
MUST_USE enum err codec_unpack(struct bytes raw, const ProtobufCMessageDescriptor *type,
			       struct codec_bounds bounds, struct arena *arena,
			       ProtobufCMessage **ret);

/* The look alone. */
MUST_USE enum err codec_scan(struct bytes raw, const ProtobufCMessageDescriptor *type,
			     struct codec_bounds bounds);

/* One number of the outermost message and nothing else (0 when it is not there): a few
 * steps when the field is an early one.  DECODE for no bytes at all, and for damage met on the way.
 */
MUST_USE enum err codec_number(struct bytes raw, uint32_t number, uint64_t *ret);
/* The same for the bytes of a text or a message: a slice; NOT_FOUND. */
MUST_USE enum err codec_slice(struct bytes raw, uint32_t number, struct bytes *ret);

/* How often a field of the outermost message is there.  DECODE as above. */
MUST_USE enum err codec_count(struct bytes raw, uint32_t number, size_t *ret);

/* A field of the outermost message whose bytes are counted. */
struct codec_limit {
	uint32_t number;
	size_t bytes_max;
	const char *what, *next; /* struct over */
};

/* The first of these that is longer than it may be; false: none is. */
bool codec_over(struct bytes raw, const struct codec_limit *limits, size_t count, struct over *ret);

/* Appends the message; LIMIT when it is over `limit` bytes (nothing is added then). */
MUST_USE enum err codec_pack(const ProtobufCMessage *message, size_t limit, struct buf *ret);

/* protobuf-c keeps non-const pointers also in messages that are only packed. NULL is "". */
char *codec_text(const char *text);
ProtobufCBinaryData codec_binary(struct bytes x);

#endif
