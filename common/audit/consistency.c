#include "audit/consistency.h"

#include <inttypes.h>
#include <string.h>

#include "audit/prove.h"
#include "tlog/encoding.h"

/* ---- the file ---- */

static enum err parse_old(struct bytes *rest, uint64_t *ret)
{
	struct bytes line = {NULL, 0};
	struct bytes word = {NULL, 0};

	if (encoding_cut(rest, '\n', &line) != ERR_OK ||
	    encoding_cut(&line, ' ', &word) != ERR_OK || !bytes_equal(word, bytes_of_text("old")))
		return ERR_DECODE;
	return encoding_number(line, ret);
}

enum err consistency_parse(struct bytes raw, struct consistency_file *ret)
{
	struct consistency_file f = {0};
	struct bytes line = {NULL, 0};
	size_t size = 0;
	enum err e = raw.size > CONSISTENCY_BYTES_MAX ? ERR_LIMIT : parse_old(&raw, &f.old);

	while (e == ERR_OK) {
		e = encoding_cut(&raw, '\n', &line);
		if (e != ERR_OK || line.size == 0)
			break;
		if (f.proof.count == PROOF_HASHES_MAX)
			return ERR_DECODE;
		e = encoding_base64(line, f.proof.hashes[f.proof.count++].b, HASH_BYTES, &size);
		if (e == ERR_OK && size != HASH_BYTES)
			e = ERR_DECODE;
	}
	if (e != ERR_OK)
		return e;
	f.note = raw;
	*ret = f;
	return ERR_OK;
}

enum err consistency_write(const struct consistency_file *f, struct buf *ret)
{
	buf_printf(ret, "old %" PRIu64 "\n", f->old);
	for (size_t i = 0; i < f->proof.count; i++) {
		encoding_add_base64(ret, bytes_of(f->proof.hashes[i].b, HASH_BYTES));
		buf_add_u8(ret, '\n');
	}
	buf_add_u8(ret, '\n');
	buf_add_bytes(ret, f->note);
	return buf_check(ret);
}

/* ---- judging ---- */

enum err consistency_judge(const struct checkpoint *a, const struct checkpoint *b,
			   const struct proof *proof, const struct hash *old_root,
			   enum relation *ret)
{
	const struct checkpoint *small = a->size <= b->size ? a : b;
	const struct checkpoint *large = small == a ? b : a;

	if (strcmp(a->origin, b->origin) != 0)
		return ERR_ORIGIN;
	if (small->size == large->size)
		*ret = hash_equal(small->root, large->root) ? RELATION_SAME : RELATION_FORKED;
	else if (!proof || proof_check_consistency(proof, small->size, large->size, *old_root,
						   large->root) != ERR_OK)
		*ret = RELATION_UNKNOWN;
	else
		*ret = hash_equal(*old_root, small->root) ? RELATION_GREW : RELATION_FORKED;
	return ERR_OK;
}

static enum err root_at(struct source_tree *t, uint64_t size, struct hash *ret)
{
	struct tree tree;
	enum err e = tree_at(&t->tree, size, &tree);

	if (e == ERR_OK)
		*ret = tree_root(&tree);
	return e;
}

enum err consistency_prove(struct source *s, struct log_name log, const struct checkpoint *smaller,
			   const struct checkpoint *larger, struct proof *ret_proof,
			   struct hash *ret_old_root)
{
	struct source_tree tree;
	struct proof proof;
	struct hash root;
	struct hash old_root;
	enum err e = source_tree_open(&tree, s, log, larger->size);

	if (e != ERR_OK)
		return e;
	e = root_at(&tree, larger->size, &root);
	if (e == ERR_OK && !hash_equal(root, larger->root))
		e = ERR_ROOT;
	if (e == ERR_OK)
		e = root_at(&tree, smaller->size, &old_root);
	if (e == ERR_OK)
		e = proof_consistency(&tree.tree, smaller->size, larger->size, &proof);
	source_tree_free(&tree);
	if (e != ERR_OK)
		return e;
	*ret_proof = proof;
	*ret_old_root = old_root;
	return ERR_OK;
}
