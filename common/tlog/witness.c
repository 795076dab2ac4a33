#include "tlog/witness.h"

#include "tlog/cosignature.h"
#include "tlog/encoding.h"
#include "tlog/note_line.h"

/* ---- the decision ---- */

static enum witness_answer open_answer(enum err e)
{
	if (e == ERR_ORIGIN)
		return WITNESS_UNKNOWN_LOG;
	if (e == ERR_UNKNOWN_KEY || e == ERR_SIGNATURE)
		return WITNESS_FORBIDDEN;
	return WITNESS_BAD_REQUEST;
}

static enum witness_answer judge_signed(const struct checkpoint *c,
					const struct witness_state *state, uint64_t old,
					const struct proof *proof)
{
	struct hash root = state->size ? state->root : hash_empty();

	/* said whatever `old` is: two signed roots of one size are proof enough */
	if (state->size > 0 && c->size == state->size && !hash_equal(c->root, root))
		return WITNESS_OTHER_ROOT;
	if (old != state->size)
		return WITNESS_CONFLICT;
	if (proof_check_consistency(proof, old, c->size, root, c->root))
		return WITNESS_BAD_PROOF;
	return WITNESS_COSIGN;
}

enum witness_answer witness_judge(const struct vkey *log_key, const struct witness_state *state,
				  uint64_t old, const struct proof *proof, struct bytes note,
				  struct checkpoint *ret)
{
	struct checkpoint c;
	enum err e = ERR_OK;

	if (log_key->type != KEY_ED25519)
		return WITNESS_FORBIDDEN;
	e = checkpoint_open(note, log_key, &c);
	if (e)
		return open_answer(e);
	if (old > c.size)
		return WITNESS_BAD_REQUEST;
	*ret = c;
	return judge_signed(&c, state, old, proof);
}

bool witness_shows_fork(enum witness_answer a, const struct witness_state *state, uint64_t old,
			const struct checkpoint *judged)
{
	if (a == WITNESS_OTHER_ROOT)
		return true;
	return a == WITNESS_BAD_PROOF && state->size > 0 && old == state->size &&
	       judged->size > state->size;
}

/* ---- gathering cosignatures ---- */

enum err cosignature_line(struct bytes text, struct bytes line, const struct vkey *by,
			  uint64_t *ret_time_s)
{
	struct buf alone = {.limit = NOTE_BYTES_MAX};
	struct note n;
	enum err e = ERR_OK;

	buf_add_bytes(&alone, text);
	buf_add_u8(&alone, '\n');
	buf_add_bytes(&alone, line);
	e = buf_check(&alone);
	if (!e)
		e = note_parse(buf_bytes(&alone), &n);
	/* a line that holds an empty line would make another text of it */
	if (!e && (n.signature_count != 1 || !bytes_equal(n.text, text)))
		e = ERR_DECODE;
	if (!e)
		e = note_cosigned_at(&n, by, ret_time_s);
	buf_free(&alone);
	return e;
}

/* The note again with `line` in the place of the lines by `by`, else at the end.  LIMIT when
 * too many stand beside those in the log's own name. */
static enum err put_line(struct bytes note, const struct note *n, struct bytes line,
			 const struct vkey *by, struct buf *ret)
{
	struct bytes lines = bytes_of(note.data + n->text.size + 1, note.size - n->text.size - 1);
	struct bytes text = n->text;
	struct bytes origin = {NULL, 0};
	struct bytes kept = {NULL, 0};
	size_t others = 1; /* the new line */
	bool put = false;

	if (encoding_cut(&text, '\n', &origin))
		return ERR_DECODE;
	buf_add(ret, note.data, n->text.size + 1);
	for (size_t i = 0; i < n->signature_count; i++) {
		const struct note_signature *s = &n->signatures[i];

		if (encoding_cut(&lines, '\n', &kept))
			return ERR_DECODE;
		if (note_line_is_by(s, by)) {
			if (!put)
				buf_add_bytes(ret, line);
			put = true;
			continue;
		}
		buf_add_bytes(ret, kept);
		buf_add_u8(ret, '\n');
		if (!bytes_equal(s->name, origin))
			others++;
	}
	if (!put)
		buf_add_bytes(ret, line);
	return others > WITNESSES_MAX ? ERR_LIMIT : buf_check(ret);
}

enum err note_merge(struct bytes note, struct bytes line, const struct vkey *by, struct buf *ret)
{
	struct buf merged = {.limit = NOTE_BYTES_MAX};
	struct note n;
	uint64_t time_s = 0;
	enum err e = note_parse(note, &n);

	if (!e)
		e = cosignature_line(n.text, line, by, &time_s);
	if (!e)
		e = put_line(note, &n, line, by, &merged);
	if (!e) {
		buf_add_bytes(ret, buf_bytes(&merged));
		e = buf_check(ret);
	}
	buf_free(&merged);
	return e;
}
