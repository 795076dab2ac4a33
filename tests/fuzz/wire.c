/* Headers of the wire: what decodes is encoded and decoded to the same; texts can be shown. */
#include "fuzz.h"

#include "model/wire.h"

static bool same(const struct wire_header *a, const struct wire_header *b)
{
	return a->kind == b->kind && a->protocol == b->protocol && log_name_equal(a->log, b->log) &&
	       a->session == b->session && a->size == b->size && a->from == b->from &&
	       a->index == b->index && a->count == b->count && a->credit == b->credit &&
	       a->commit_events == b->commit_events && a->commit_bytes == b->commit_bytes &&
	       a->code == b->code && strcmp(a->text, b->text) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = {.data = NULL};
	struct wire_header h = {.kind = WIRE_NONE};
	struct wire_header again;
	enum err e = wire_decode(bytes_of(data, size), &h);

	ALWAYS(e == ERR_OK || e == ERR_LIMIT || e == ERR_DECODE || e == ERR_VERSION);
	if (e != ERR_OK)
		return 0;
	ALWAYS(size <= HEADER_BYTES_MAX && h.kind > WIRE_NONE && h.kind <= WIRE_DUTY);
	ALWAYS((unsigned)h.code < ERR_COUNT);
	ALWAYS(strnlen(h.text, sizeof h.text) <= TEXT_BYTES_MAX);
	for (const char *at = h.text; *at; at++)
		ALWAYS((unsigned char)*at >= 0x20 && *at != 0x7f);
	ALWAYS(wire_encode(&h, &out) == ERR_OK);
	ALWAYS(wire_decode(buf_bytes(&out), &again) == ERR_OK);
	ALWAYS(same(&h, &again));
	buf_free(&out);
	return 0;
}

/* A refusal with a longer text than is kept. */
static void add_long(struct seeds *to)
{
	enum { TEXT_BYTES = 600 };
	struct buf b = {.data = NULL};

	/* field 6, and in it field 3: lengths of two bytes */
	buf_add(&b, "\x32\xdb\x04\x1a\xd8\x04", 6);
	for (int i = 0; i < TEXT_BYTES; i++)
		buf_add_u8(&b, 'a');
	seed_add(to, "text-too-long", fuzz_done(&b));
	buf_free(&b);
}

void fuzz_seeds(struct seeds *to)
{
	add_long(to);
	for (int kind = WIRE_HELLO; kind <= WIRE_DUTY; kind++) {
		struct wire_header h = {.kind = (enum wire_kind)kind,
					.protocol = WIRE_PROTOCOL,
					.log = {"26/2"},
					.session = UINT64_MAX,
					.size = 300,
					.from = 7,
					.index = 9,
					.count = 4096,
					.credit = 2000000,
					.commit_events = 4096,
					.commit_bytes = 1048576,
					.code = ERR_GAP,
					.text = "za du\xc5\xbco\n"};
		struct buf out = {.data = NULL};
		char name[32];

		ALWAYS(wire_encode(&h, &out) == ERR_OK);
		(void)snprintf(name, sizeof name, "kind-%d", kind);
		seed_add(to, name, fuzz_done(&out));
		buf_free(&out);
	}
}
