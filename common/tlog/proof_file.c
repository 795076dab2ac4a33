#include "tlog/proof_file.h"

#include <inttypes.h>
#include <string.h>

#include "tlog/encoding.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1"
#define EXTRA      "extra "
#define INDEX      "index "

enum {
	HASH_TEXT_BYTES = 44,
	EXTRA_TEXT_BYTES_MAX = 4 * ((EVENT_BYTES_MAX + 2) / 3),
};

/* ---- reading ---- */

/* Whether *line begins with that word and its space; then *line is what is behind them. */
static bool take_word(struct bytes *line, const char *word)
{
	size_t size = strlen(word);

	if (line->size < size || memcmp(line->data, word, size) != 0)
		return false;
	*line = bytes_of(line->data + size, line->size - size);
	return true;
}

static enum err parse_extra(struct bytes text, struct arena *arena, struct proof_file *p)
{
	size_t room = text.size / 4 * 3;
	size_t size = 0;
	uint8_t *data = NULL;

	if (text.size == 0)
		return ERR_DECODE; /* nothing to say: then the line is left out */
	if (text.size > EXTRA_TEXT_BYTES_MAX)
		return ERR_LIMIT;
	data = arena_alloc(arena, room + 1);
	if (!data)
		return ERR_NOMEM;
	if (encoding_base64(text, data, room, &size))
		return ERR_DECODE;
	if (size > EVENT_BYTES_MAX)
		return ERR_LIMIT;
	p->extra = bytes_of(data, size);
	p->has_extra = true;
	return ERR_OK;
}

/* Up to the empty line before the note. */
static enum err parse_hashes(struct bytes *rest, struct proof *ret)
{
	struct bytes line = {NULL, 0};
	size_t size = 0;

	for (;;) {
		if (encoding_cut(rest, '\n', &line))
			return ERR_DECODE;
		if (line.size == 0)
			return ERR_OK;
		if (ret->count == PROOF_HASHES_MAX || line.size != HASH_TEXT_BYTES ||
		    encoding_base64(line, ret->hashes[ret->count].b, HASH_BYTES, &size) ||
		    size != HASH_BYTES)
			return ERR_DECODE;
		ret->count++;
	}
}

enum err proof_file_parse(struct bytes raw, struct arena *arena, struct proof_file *ret)
{
	struct proof_file p = {0};
	struct bytes line = {NULL, 0};
	struct checkpoint c;
	struct note n;
	enum err e = ERR_OK;

	if (raw.size > PROOF_FILE_BYTES_MAX)
		return ERR_LIMIT;
	if (encoding_cut(&raw, '\n', &line) || !bytes_equal(line, bytes_of_text(FIRST_LINE)) ||
	    encoding_cut(&raw, '\n', &line))
		return ERR_DECODE;
	if (take_word(&line, EXTRA)) {
		e = parse_extra(line, arena, &p);
		if (e)
			return e;
		if (encoding_cut(&raw, '\n', &line))
			return ERR_DECODE;
	}
	if (!take_word(&line, INDEX) || encoding_number(line, &p.index) ||
	    parse_hashes(&raw, &p.proof))
		return ERR_DECODE;
	e = note_parse(raw, &n);
	if (!e)
		e = checkpoint_parse(n.text, true, &c);
	if (e)
		return e;
	p.note = raw;
	*ret = p;
	return ERR_OK;
}

/* ---- writing ---- */

enum err proof_file_write(const struct proof_file *p, struct buf *ret)
{
	if (p->proof.count > PROOF_HASHES_MAX || p->index > INT64_MAX ||
	    (p->has_extra && (p->extra.size == 0 || p->extra.size > EVENT_BYTES_MAX)))
		return ERR_ARGUMENT;
	buf_add_text(ret, FIRST_LINE "\n");
	if (p->has_extra) {
		buf_add_text(ret, EXTRA);
		encoding_add_base64(ret, p->extra);
		buf_add_u8(ret, '\n');
	}
	buf_printf(ret, INDEX "%" PRIu64 "\n", p->index);
	for (size_t i = 0; i < p->proof.count; i++) {
		encoding_add_base64(ret, bytes_of(p->proof.hashes[i].b, HASH_BYTES));
		buf_add_u8(ret, '\n');
	}
	buf_add_u8(ret, '\n');
	buf_add_bytes(ret, p->note);
	return buf_check(ret);
}
