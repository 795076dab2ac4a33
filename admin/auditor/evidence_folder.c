/* Writing and checking a folder of evidence. */
#include "admin/auditor/evidence.h"

#include <string.h>

#include "admin/text.h"
#include "base/limits.h"
#include "io/files.h"
#include "ledger/log.h"
#include "model/json.h"

static const char readme[] =
	"# Two histories of one log\n"
	"\n"
	"`note-1` and `note-2` are checkpoints of one log (C2SP signed notes), both signed by the\n"
	"log's key.  The first three lines of each are the log's name, its size and the root of "
	"its\n"
	"Merkle tree (RFC 6962).  Check both signatures with the log's public key, got from "
	"somebody\n"
	"you trust; `log.vkey`, when it is here, is only what the writer of this folder knew.\n"
	"\n"
	"## When both have the same size\n"
	"\n"
	"Their roots differ: an append-only log cannot have both.  Nothing more is needed.\n"
	"\n"
	"## When note-2 is larger\n"
	"\n"
	"`consistency` is a consistency proof (RFC 9162, 2.1.4; the form is the request of C2SP\n"
	"tlog-witness): the first line is note-1's size, then hashes in base64, an empty line, "
	"and\n"
	"note-2.  It leads from the root in the third line of `root` to the root of note-2: so "
	"that\n"
	"one is the root that note-2's history has at note-1's size.  Verify it with any such "
	"tool.\n"
	"note-1, signed by the same key, says another root at that size.\n"
	"\n"
	"Without `consistency` the notes are genuine, but this folder alone does not show that "
	"they\n"
	"contradict each other: ask the log for the proof that note-2 grew from note-1.  A log "
	"with\n"
	"one history can give it.\n"
	"\n"
	"With Splot's own tool:\n"
	"\n"
	"    splotctl audit evidence --check . --key VKEY\n";

static const char *in_folder(struct cli *cli, const char *folder, const char *file)
{
	return text_in(&cli->arena, "%s/%s", folder, file);
}

enum err evidence_read(struct bytes note, struct bytes other, struct evidence_item *ret)
{
	struct evidence_item item = *ret;
	struct bytes realm = {NULL, 0};
	bool witness = false;
	enum err e = ERR_OK;

	item.notes[0] = note;
	item.notes[1] = other;
	for (size_t i = 0; e == ERR_OK && i < 2; i++)
		e = log_note_read(item.notes[i], &item.checkpoints[i]);
	if (e != ERR_OK)
		return e;
	if (strcmp(item.checkpoints[0].origin, item.checkpoints[1].origin) != 0 ||
	    source_origin_log(bytes_of_text(item.checkpoints[0].origin), &realm, &item.log,
			      &witness) != ERR_OK ||
	    witness)
		return ERR_ORIGIN;
	if (item.checkpoints[0].size > item.checkpoints[1].size) {
		struct checkpoint smaller = item.checkpoints[1];

		item.checkpoints[1] = item.checkpoints[0];
		item.checkpoints[0] = smaller;
		item.notes[0] = other;
		item.notes[1] = note;
	}
	*ret = item;
	return ERR_OK;
}

/* ---- writing ---- */

static enum outcome put(struct cli *cli, const char *folder, const char *file, struct bytes content)
{
	return audit_write_file(cli, in_folder(cli, folder, file), content);
}

static enum outcome put_keys(struct audit_source *a, struct log_name log, const char *folder)
{
	const struct log_keys *keys = keyring_log(a->known, log);
	char line[VKEY_BYTES];
	struct buf text = {0};
	enum outcome outcome = DONE;

	for (size_t i = keys ? keys->count : 0; i-- > 0;) {
		vkey_text(&keys->keys[i].key, line);
		buf_printf(&text, "%s\n", line);
	}
	if (text.size)
		outcome = put(a->cli, folder, "log.vkey", buf_bytes(&text));
	buf_free(&text);
	return outcome;
}

/* The proof that shows what the larger note's history says at the smaller size. */
static enum outcome put_proof(struct audit_source *a, const struct evidence_item *item,
			      const char *folder, bool *ret_shown)
{
	struct consistency_file file = {.old = item->checkpoints[0].size, .note = item->notes[1]};
	struct checkpoint root = item->checkpoints[0];
	enum relation relation = RELATION_UNKNOWN;
	struct buf text = {0};
	enum outcome outcome = DONE;
	enum err e = consistency_prove(&a->source, item->log, &item->checkpoints[0],
				       &item->checkpoints[1], &file.proof, &root.root);

	if (e == ERR_NOT_FOUND || e == ERR_ROOT)
		return DONE; /* the larger note is of another history than this source's */
	if (e == ERR_OK)
		e = consistency_judge(&item->checkpoints[0], &item->checkpoints[1], &file.proof,
				      &root.root, &relation);
	if (e == ERR_OK)
		e = consistency_write(&file, &text);
	if (e == ERR_OK)
		outcome = put(a->cli, folder, EVIDENCE_CONSISTENCY, buf_bytes(&text));
	buf_clear(&text);
	if (e == ERR_OK)
		e = checkpoint_text(&root, &text);
	if (e == ERR_OK && outcome == DONE)
		outcome = put(a->cli, folder, EVIDENCE_ROOT, buf_bytes(&text));
	buf_free(&text);
	*ret_shown = relation == RELATION_FORKED;
	return e == ERR_OK ? outcome : source_failed(a->cli, &a->source, e);
}

enum outcome evidence_write(struct audit_source *a, const struct evidence_item *item,
			    const char *folder, bool *ret_shown)
{
	const struct checkpoint *c = item->checkpoints;
	enum outcome outcome = DONE;
	enum err e = folder_make(folder, 0755);

	if (e != ERR_OK)
		return cli_fail(a->cli, FAILED, e, "%s: %s", folder, err_text(e));
	outcome = put(a->cli, folder, EVIDENCE_SMALL, item->notes[0]);
	if (outcome == DONE)
		outcome = put(a->cli, folder, EVIDENCE_LARGE, item->notes[1]);
	if (outcome == DONE)
		outcome = put_keys(a, item->log, folder);
	if (outcome == DONE)
		outcome = put(a->cli, folder, "README.md", bytes_of_text(readme));
	*ret_shown = c[0].size == c[1].size && !hash_equal(c[0].root, c[1].root);
	if (outcome == DONE && c[0].size < c[1].size)
		outcome = put_proof(a, item, folder, ret_shown);
	return outcome;
}

/* ---- checking ---- */

struct checking {
	struct cli *cli;
	const char *folder;
	struct keyring *keys;
	struct buf notes[2], proof, root;
	struct evidence_item item;
	struct consistency_file file;
	struct checkpoint old;
	bool has_proof;
};

static enum outcome refuse(const struct checking *c, enum err e, const char *file, const char *what)
{
	return cli_fail(c->cli, BAD_DATA, e, "%s%s%s: NOT PROVED: %s", c->folder, *file ? "/" : "",
			file, what);
}

static enum outcome read_notes(struct checking *c)
{
	static const char *const files[] = {EVIDENCE_SMALL, EVIDENCE_LARGE};
	enum outcome outcome = DONE;
	enum err e = ERR_OK;

	for (size_t i = 0; outcome == DONE && i < 2; i++)
		outcome = audit_read_file(c->cli, in_folder(c->cli, c->folder, files[i]),
					  NOTE_BYTES_MAX, &c->notes[i]);
	if (outcome != DONE)
		return outcome;
	e = evidence_read(buf_bytes(&c->notes[0]), buf_bytes(&c->notes[1]), &c->item);
	if (e == ERR_ORIGIN)
		return refuse(c, e, "", "the notes are of two logs");
	if (e != ERR_OK)
		return refuse(c, e, "", "a note does not read as a signed checkpoint");
	for (size_t i = 0; i < 2; i++) {
		struct checkpoint read;

		e = keyring_checkpoint(c->keys, c->item.log, c->item.notes[i], &read);
		if (e != ERR_OK)
			return refuse(c, e, files[i],
				      e == ERR_UNKNOWN_KEY || e == ERR_ORIGIN
					      ? "none of the keys given signed it"
					      : err_text(e));
	}
	return DONE;
}

/* Whatever reads as a proof and a root counts only when it verifies. */
static void read_proof(struct checking *c)
{
	enum err e = file_read(in_folder(c->cli, c->folder, EVIDENCE_CONSISTENCY),
			       CONSISTENCY_BYTES_MAX, &c->proof);

	if (e == ERR_OK)
		e = file_read(in_folder(c->cli, c->folder, EVIDENCE_ROOT), NOTE_BYTES_MAX,
			      &c->root);
	if (e == ERR_OK)
		e = consistency_parse(buf_bytes(&c->proof), &c->file);
	if (e == ERR_OK)
		e = checkpoint_parse(buf_bytes(&c->root), false, &c->old);
	c->has_proof = e == ERR_OK && c->old.size == c->item.checkpoints[0].size &&
		       c->file.old == c->old.size;
}

static enum outcome tell(const struct checking *c)
{
	const struct checkpoint *n = c->item.checkpoints;
	struct buf out = {0};
	struct json j = json_to(&out);
	enum outcome outcome = DONE;

	if (c->cli->json) {
		json_open(&j, '{');
		json_field_bool(&j, "proved", true);
		json_field_text(&j, "origin", n[0].origin);
		json_field_uint(&j, "size", n[0].size);
		json_field_uint(&j, "larger", n[1].size);
		json_close(&j, '}');
		buf_add_text(&out, "\n");
	} else {
		buf_printf(
			&out,
			"%s: PROVED: two histories of %s\n"
			"  both notes are signed by its key; at size %llu they have two roots%s\n",
			c->folder, n[0].origin, (unsigned long long)n[0].size,
			n[0].size == n[1].size
				? ""
				: ", as the consistency proof to the larger one shows");
	}
	outcome = cli_print(c->cli, &out);
	buf_free(&out);
	return outcome;
}

static enum outcome judge(struct checking *c)
{
	enum relation relation = RELATION_UNKNOWN;
	enum err e =
		consistency_judge(&c->item.checkpoints[0], &c->item.checkpoints[1],
				  c->has_proof ? &c->file.proof : NULL, &c->old.root, &relation);

	if (e != ERR_OK)
		return refuse(c, e, "", err_text(e));
	switch (relation) {
	case RELATION_FORKED:
		return tell(c);
	case RELATION_SAME:
		return refuse(c, ERR_FORK, "", "both notes say the same");
	case RELATION_GREW:
		return refuse(c, ERR_FORK, "", "the larger note grew from the smaller one");
	case RELATION_UNKNOWN:
		break;
	}
	return refuse(c, ERR_PROOF, "",
		      "both notes are genuine, but nothing here shows that they contradict each "
		      "other: ask the log for a consistency proof between them");
}

enum outcome evidence_check(struct cli *cli, const char *folder)
{
	struct checking c = {.cli = cli, .folder = folder, .item = {.server = ""}};
	enum outcome outcome = audit_keys_given(cli, &c.keys);

	if (outcome == DONE)
		outcome = read_notes(&c);
	if (outcome == DONE) {
		read_proof(&c);
		outcome = judge(&c);
	}
	keyring_free(c.keys);
	buf_free(&c.notes[0]);
	buf_free(&c.notes[1]);
	buf_free(&c.proof);
	buf_free(&c.root);
	return outcome;
}
