/* Frame 0 of the wire as a plain struct, and the packing of events into frames
 * (tlog-tiles entry bundles: uint16 length, bytes).  docs/PROTOCOL.md.
 *
 * Layer: model. */
#ifndef SPLOT_MODEL_WIRE_H
#define SPLOT_MODEL_WIRE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "model/region.h"

enum { WIRE_PROTOCOL = 1 };

/* Numbers are those of the fields of Header in proto/wire.proto. */
enum wire_kind {
	WIRE_NONE = 0,
	WIRE_HELLO,
	WIRE_WELCOME,
	WIRE_ANCHOR,
	WIRE_COMMIT,
	WIRE_ACK,
	WIRE_REFUSED,
	WIRE_FETCH,
	WIRE_RANGE,
	WIRE_HEARTBEAT,
	WIRE_FEED,
	WIRE_OFFER,
	WIRE_COSIGNED,
	WIRE_DECLINED,
	WIRE_DUTY,
};

/* One struct for all kinds; fields that a kind does not have are zero. */
struct wire_header {
	enum wire_kind kind;
	uint32_t protocol;             /* HELLO */
	struct log_name log;           /* HELLO, FETCH, RANGE, FEED */
	uint64_t session;              /* all but HELLO, FEED */
	uint64_t size;                 /* HELLO WELCOME ANCHOR ACK REFUSED HEARTBEAT OFFER
					COSIGNED DECLINED DUTY */
	uint64_t from;                 /* COMMIT FETCH RANGE FEED OFFER */
	uint64_t index;                /* FEED DUTY */
	uint32_t count;                /* COMMIT RANGE FEED */
	uint64_t credit;               /* WELCOME ACK */
	uint32_t commit_events;        /* WELCOME */
	uint32_t commit_bytes;         /* WELCOME */
	enum err code;                 /* REFUSED DECLINED; an unknown code decodes as INTERNAL */
	char text[TEXT_BYTES_MAX + 1]; /* REFUSED DECLINED; cut at a character */
};

/* Appends the encoded header. */
MUST_USE enum err wire_encode(const struct wire_header *h, struct buf *ret);
/* LIMIT over HEADER_BYTES_MAX, DECODE, VERSION for a kind not known here. */
MUST_USE enum err wire_decode(struct bytes raw, struct wire_header *ret);

/* ---- event bundles ---- */

/* Appends uint16 length and bytes. The event is at most EVENT_BYTES_MAX. */
void bundle_add(struct buf *frame, struct bytes event);
/* In place of a redacted event: length 0 and the 32 bytes of its leaf hash. */
enum { BUNDLE_LEAF_BYTES = 32 };
void bundle_add_redacted(struct buf *frame, const uint8_t leaf[static BUNDLE_LEAF_BYTES]);
/* What an event counts against COMMIT_BYTES_MAX; size 0: a redacted one.  One that is shorter than
 * a leaf hash counts as long as that, so that no commit outgrows the bound when it is redacted. */
static inline size_t bundle_packed(size_t size)
{
	return 2 + (size > BUNDLE_LEAF_BYTES ? size : BUNDLE_LEAF_BYTES);
}
/* Splits frames into exactly `count` events (slices of the frames).  A redacted one is a slice
 * of size 0 whose data point to the 32 bytes of its leaf hash.  DECODE when they hold more, fewer
 * or torn ones; LIMIT over the commit's bounds. */
MUST_USE enum err bundle_split(const struct bytes *frames, size_t frame_count, uint32_t count,
			       struct bytes *ret_events);

#endif
