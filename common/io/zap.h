/* A question of the library's authentication protocol (RFC 27) as plain frames.  Pure.
 *
 * Layer: io, of use inside it only. */
#ifndef SPLOT_IO_ZAP_H
#define SPLOT_IO_ZAP_H

#include <stdbool.h>

#include "base/bytes.h"

enum zap_frame {
	ZAP_VERSION,
	ZAP_REQUEST,
	ZAP_DOMAIN,
	ZAP_ADDRESS,
	ZAP_IDENTITY,
	ZAP_MECHANISM,
	ZAP_KEY,
	ZAP_FRAMES /* of a question about a CURVE key */
};

#define ZAP_DOMAIN_NAME "splot"

/* The CURVE key that asks to enter, CURVE_BYTES; NULL when the question is of another form, domain
 * or mechanism: nobody is let in by it.  `excess`: there were more frames. */
const uint8_t *zap_key(const struct bytes *frames, size_t count, bool excess);

#endif
