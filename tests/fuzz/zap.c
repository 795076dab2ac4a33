/* Questions of the authentication protocol: a key comes out only of the one right form.  Input: the
 * number of frames, each behind its size. */
#include "fuzz.h"

#include "io/socket.h"
#include "io/zap.h"

enum { FRAMES = ZAP_FRAMES + 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const right[ZAP_FRAMES] = {"1.0", NULL,    "splot", NULL,
						      NULL,  "CURVE", NULL};
	struct cursor in = cursor_of(bytes_of(data, size));
	struct bytes frames[FRAMES];
	uint8_t what = cursor_u8(&in);
	size_t count = what % (FRAMES + 1);
	bool excess = what & 0x80;
	bool fine = count == ZAP_FRAMES && !excess;
	const uint8_t *key = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t want = cursor_u8(&in);

		frames[i] = fuzz_copy(
			cursor_bytes(&in, want < cursor_left(&in) ? want : cursor_left(&in)));
		if (i < ZAP_FRAMES && right[i])
			fine = fine && frames[i].size == strlen(right[i]) &&
			       memcmp(frames[i].data, right[i], frames[i].size) == 0;
	}
	fine = fine && frames[ZAP_KEY].size == CURVE_BYTES;
	key = zap_key(frames, count, excess);
	ALWAYS((key != NULL) == fine && (!key || key == frames[ZAP_KEY].data));
	if (key) { /* all of it is there to be read */
		uint8_t copy[CURVE_BYTES];

		memcpy(copy, key, sizeof copy);
		ALWAYS(memcmp(copy, key, sizeof copy) == 0);
	}
	for (size_t i = 0; i < count; i++)
		fuzz_free(frames[i]);
	return 0;
}

static void add(struct seeds *to, const char *name, const char *domain, size_t key_size,
		size_t count)
{
	const char *const frames[FRAMES] = {
		"1.0", "7", domain, "127.0.0.1", "", "CURVE", "0123456789abcdef0123456789abcdef!",
		"",    ""};
	struct buf b = {.data = NULL};

	buf_add_u8(&b, (uint8_t)count);
	for (size_t i = 0; i < count; i++) {
		size_t size = i == ZAP_KEY ? key_size : strlen(frames[i]);

		buf_add_u8(&b, (uint8_t)size);
		buf_add(&b, frames[i], size);
	}
	seed_add(to, name, fuzz_done(&b));
	buf_free(&b);
}

void fuzz_seeds(struct seeds *to)
{
	add(to, "right", "splot", CURVE_BYTES, ZAP_FRAMES);
	add(to, "other-domain", "global", CURVE_BYTES, ZAP_FRAMES);
	add(to, "short-key", "splot", CURVE_BYTES - 1, ZAP_FRAMES);
	add(to, "long-key", "splot", CURVE_BYTES + 1, ZAP_FRAMES);
	add(to, "few", "splot", CURVE_BYTES, ZAP_FRAMES - 1);
	add(to, "many", "splot", CURVE_BYTES, ZAP_FRAMES + 1);
}
