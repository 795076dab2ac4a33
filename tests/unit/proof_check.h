/* What somebody does who holds nothing but a proof, a leaf and a key. */
#ifndef SPLOT_TESTS_PROOF_CHECK_H
#define SPLOT_TESTS_PROOF_CHECK_H

#include "tlog/proof_file.h"

static inline enum err proof_file_check(const struct proof_file *p, struct hash leaf,
					const struct vkey *key, struct checkpoint *ret)
{
	enum err e = checkpoint_open(p->note, key, ret);

	return e ? e : proof_check_inclusion(&p->proof, p->index, ret->size, leaf, ret->root);
}

#endif
