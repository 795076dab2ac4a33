/* tlog-proof files: what parses is written to the very same bytes. */
#include "fuzz.h"
#include "signers.h"

#include "tlog/proof_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes copy = fuzz_copy(bytes_of(data, size));
	struct arena arena = {.head = NULL};
	struct buf out = {.data = NULL};
	static struct proof_file p;

	if (proof_file_parse(copy, &arena, &p) == ERR_OK) {
		ALWAYS(p.proof.count <= PROOF_HASHES_MAX && p.index <= INT64_MAX);
		ALWAYS(p.has_extra == (p.extra.size > 0) && p.extra.size <= EVENT_BYTES_MAX);
		ALWAYS(p.note.data + p.note.size == copy.data + copy.size);
		ALWAYS(proof_file_write(&p, &out) == ERR_OK);
		ALWAYS(bytes_equal(buf_bytes(&out), copy));
		fuzz_any(proof_check_inclusion(&p.proof, p.index, p.index + 1, hash_leaf(p.extra),
					       hash_empty()));
	}
	buf_free(&out);
	arena_free(&arena);
	fuzz_free(copy);
	return 0;
}

static void add_hash_line(struct seeds *to, const char *text)
{
	const char *end = strstr(text, "\n\n") + 1;
	struct buf more = {.data = NULL};

	buf_add(&more, text, (size_t)(end - text));
	buf_add_text(&more, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
	buf_add_text(&more, end);
	seed_add(to, "hashes-too-many", fuzz_done(&more));
	buf_free(&more);
}

void fuzz_seeds(struct seeds *to)
{
	static struct proof_file p;
	struct fuzz_key key;
	struct buf note = {.data = NULL};
	struct buf out = {.data = NULL};

	fuzz_log_key(&key, "region/26", 1);
	fuzz_checkpoint(&key, 9, hash_empty(), &note);
	p.index = 5;
	p.note = buf_bytes(&note);
	for (size_t count = 0; count <= 4; count += 2) {
		char name[32];

		p.has_extra = count > 0;
		p.extra = bytes_of("an event's bytes", p.has_extra ? 16 : 0);
		p.proof.count = count;
		buf_clear(&out);
		ALWAYS(proof_file_write(&p, &out) == ERR_OK);
		(void)snprintf(name, sizeof name, "hashes-%zu", count);
		seed_add(to, name, buf_bytes(&out));
	}
	/* one hash more than there may be */
	p.proof.count = PROOF_HASHES_MAX;
	buf_clear(&out);
	ALWAYS(proof_file_write(&p, &out) == ERR_OK);
	add_hash_line(to, buf_text(&out));
	buf_free(&note);
	buf_free(&out);
}
