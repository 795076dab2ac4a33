#include "io/zap.h"

#include "io/socket.h"

static bool is(struct bytes frame, const char *text)
{
	return bytes_equal(frame, bytes_of_text(text));
}

const uint8_t *zap_key(const struct bytes *frames, size_t count, bool excess)
{
	if (count != ZAP_FRAMES || excess || !is(frames[ZAP_VERSION], "1.0") ||
	    !is(frames[ZAP_MECHANISM], "CURVE") || !is(frames[ZAP_DOMAIN], ZAP_DOMAIN_NAME) ||
	    frames[ZAP_KEY].size != CURVE_BYTES)
		return NULL;
	return frames[ZAP_KEY].data;
}
