/* Notes, checkpoints, cosignatures and verifier keys.  The first byte says who signs the text of
 * what follows, so that changed texts are signed as well: then they must verify. */
#include "fuzz.h"
#include "signers.h"

#include "tlog/encoding.h"
#include "tlog/witness.h"

enum { SIGN_LOG = 1, SIGN_WITNESS = 2, SIGN_ALSO = 4, AS_KEY = 8 };
enum { COSIGNED_S = 1764000000 };

static struct fuzz_key log_key, other_key, witness_key;

static void make_keys(void)
{
	static bool made;

	if (made)
		return;
	made = true;
	fuzz_log_key(&log_key, "region/26", 1);
	fuzz_log_key(&other_key, "region/26", 2);
	fuzz_log_key(&witness_key, "witness/24", 3);
}

static void try_vkey(struct bytes text)
{
	struct vkey key;
	struct vkey again;
	char written[VKEY_BYTES];

	if (vkey_parse(text, &key) != ERR_OK)
		return;
	vkey_text(&key, written);
	ALWAYS(vkey_parse(bytes_of_text(written), &again) == ERR_OK);
	ALWAYS(strcmp(key.name, again.name) == 0 && key.id == again.id && key.type == again.type);
	ALWAYS(memcmp(key.public, again.public, SIGN_PUBLIC_BYTES) == 0);
	ALWAYS(vkey_make(key.name, key.type, key.public, &again) == ERR_OK && again.id == key.id);
	ALWAYS(bytes_equal(bytes_of_text(written), text)); /* one form only */
}

static void try_text(struct bytes text)
{
	struct checkpoint c;
	struct checkpoint loose;
	struct checkpoint again;
	struct buf out = {.data = NULL};

	if (checkpoint_parse(text, true, &loose) != ERR_OK) {
		ALWAYS(checkpoint_parse(text, false, &c) != ERR_OK);
		return;
	}
	ALWAYS(loose.size <= INT64_MAX && strlen(loose.origin) <= ORIGIN_BYTES_MAX);
	ALWAYS(checkpoint_text(&loose, &out) == ERR_OK);
	ALWAYS(checkpoint_parse(buf_bytes(&out), false, &again) == ERR_OK);
	ALWAYS(again.size == loose.size && hash_equal(again.root, loose.root));
	ALWAYS(text.size >= out.size && memcmp(text.data, out.data, out.size) == 0);
	if (checkpoint_parse(text, false, &c) == ERR_OK)
		ALWAYS(bytes_equal(text, buf_bytes(&out)));
	buf_free(&out);
}

/* The signature lines written down anew give the same note. */
static void lines_again(struct bytes raw, const struct note *n)
{
	struct buf out = {.data = NULL};

	buf_add_bytes(&out, n->text);
	buf_add_u8(&out, '\n');
	for (size_t i = 0; i < n->signature_count; i++) {
		const struct note_signature *s = &n->signatures[i];
		struct buf body = {.data = NULL};

		if (s->body_size == 0) { /* longer than is kept */
			buf_free(&out);
			return;
		}
		ALWAYS(s->body_size <= sizeof s->body);
		buf_add_u32be(&body, s->key_id);
		buf_add(&body, s->body, s->body_size);
		buf_add_text(&out, "\xe2\x80\x94 ");
		buf_add_bytes(&out, s->name);
		buf_add_u8(&out, ' ');
		encoding_add_base64(&out, buf_bytes(&body));
		buf_add_u8(&out, '\n');
		buf_free(&body);
	}
	ALWAYS(bytes_equal(fuzz_done(&out), raw));
	buf_free(&out);
}

static void try_note(struct bytes raw)
{
	struct note n;
	struct checkpoint c;
	uint64_t at = 0;

	if (note_parse(raw, &n) != ERR_OK) {
		ALWAYS(checkpoint_open(raw, &log_key.signer.key, &c) != ERR_OK);
		return;
	}
	ALWAYS(raw.size <= NOTE_BYTES_MAX && n.signature_count <= NOTE_SIGNATURES_MAX);
	lines_again(raw, &n);
	try_text(n.text);
	if (checkpoint_open(raw, &log_key.signer.key, &c) == ERR_OK) {
		ALWAYS(note_verify(&n, &log_key.signer.key) == ERR_OK);
		ALWAYS(strcmp(c.origin, log_key.signer.key.name) == 0);
	}
	if (note_cosigned_at(&n, &witness_key.signer.key, &at) == ERR_OK)
		ALWAYS(note_verify(&n, &witness_key.signer.key) == ERR_OK);
	fuzz_any(note_verify(&n, &other_key.signer.key));
}

/* The note with the cosignature of its own text merged in, once and again. */
static void try_merge(struct bytes raw, const struct note *n)
{
	const struct vkey *by = &witness_key.signer.key;
	struct buf line = {.data = NULL};
	struct buf merged = {.data = NULL};
	struct buf again = {.data = NULL};
	struct note m;
	uint64_t at = 0;

	ALWAYS(note_cosign(n->text, COSIGNED_S, &witness_key.signer, &line) == ERR_OK);
	ALWAYS(cosignature_line(n->text, buf_bytes(&line), by, &at) == ERR_OK && at == COSIGNED_S);
	if (note_merge(raw, buf_bytes(&line), by, &merged) == ERR_OK) {
		ALWAYS(note_parse(buf_bytes(&merged), &m) == ERR_OK);
		ALWAYS(note_cosigned_at(&m, by, &at) == ERR_OK && at == COSIGNED_S);
		ALWAYS(note_merge(buf_bytes(&merged), buf_bytes(&line), by, &again) == ERR_OK);
		ALWAYS(bytes_equal(buf_bytes(&merged), buf_bytes(&again)));
	}
	buf_free(&line);
	buf_free(&merged);
	buf_free(&again);
}

static void try_witness(struct bytes raw)
{
	struct witness_state state = {.size = 7, .root = hash_empty()};
	struct proof proof = {.count = 0};
	struct checkpoint c;
	enum witness_answer a = WITNESS_BAD_REQUEST;

	state.root.b[0] ^= 1;
	for (uint64_t old = 0; old <= 7; old += 7) {
		a = witness_judge(&log_key.signer.key, &state, old, &proof, raw, &c);
		ALWAYS(a != WITNESS_COSIGN || (old == state.size && c.size == state.size));
		if (a == WITNESS_OTHER_ROOT || a == WITNESS_BAD_PROOF || a == WITNESS_CONFLICT)
			(void)witness_shows_fork(a, &state, old, &c);
	}
}

/* Text signed as the first byte says, with the input's own lines behind it. */
static void try_signed(unsigned how, struct bytes raw)
{
	struct note n;
	struct buf out = {.data = NULL};
	struct checkpoint c;
	enum err e = note_parse(raw, &n);
	struct bytes text = e == ERR_OK ? n.text : raw;

	e = note_sign(text, &log_key.signer, &out);
	if (e == ERR_OK) {
		if (how & SIGN_ALSO)
			fuzz_any(note_sign_also(&other_key.signer, &out));
		ALWAYS(note_parse(buf_bytes(&out), &n) == ERR_OK);
		ALWAYS(bytes_equal(n.text, text));
		ALWAYS(note_verify(&n, &log_key.signer.key) == ERR_OK);
		e = checkpoint_open(buf_bytes(&out), &log_key.signer.key, &c);
		ALWAYS(e == ERR_OK || e == ERR_DECODE || e == ERR_ORIGIN || e == ERR_LIMIT ||
		       e == ERR_ENCODING);
		if (how & SIGN_WITNESS)
			try_merge(buf_bytes(&out), &n);
		try_witness(buf_bytes(&out));
		try_note(buf_bytes(&out));
	}
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = bytes_of(data + (size > 0), size - (size > 0));
	struct bytes copy = fuzz_copy(rest);
	unsigned how = size ? data[0] : 0;

	make_keys();
	if (how & AS_KEY)
		try_vkey(copy);
	else if (how & SIGN_LOG)
		try_signed(how, copy);
	else
		try_note(copy);
	try_text(copy);
	fuzz_free(copy);
	return 0;
}

static void add(struct seeds *to, const char *name, unsigned how, struct bytes rest)
{
	struct buf b = {.data = NULL};

	buf_add_u8(&b, (uint8_t)how);
	buf_add_bytes(&b, rest);
	seed_add(to, name, fuzz_done(&b));
	buf_free(&b);
}

void fuzz_seeds(struct seeds *to)
{
	char text[VKEY_BYTES];
	struct buf note = {.data = NULL};
	struct buf line = {.data = NULL};
	struct note n;

	make_keys();
	fuzz_checkpoint(&log_key, 7, hash_empty(), &note);
	add(to, "checkpoint", 0, buf_bytes(&note));
	add(to, "witnessed", SIGN_LOG | SIGN_WITNESS, buf_bytes(&note));
	ALWAYS(note_sign_also(&other_key.signer, &note) == ERR_OK);
	add(to, "two-keys", 0, buf_bytes(&note));
	ALWAYS(note_parse(buf_bytes(&note), &n) == ERR_OK);
	ALWAYS(note_cosign(n.text, COSIGNED_S, &witness_key.signer, &line) == ERR_OK);
	add(to, "signed-again", SIGN_LOG | SIGN_ALSO | SIGN_WITNESS, n.text);
	buf_add_bytes(&note, buf_bytes(&line));
	add(to, "cosigned", 0, fuzz_done(&note));
	for (int i = 0; i < NOTE_SIGNATURES_MAX; i++) /* more than there may be */
		buf_add_text(&note, "\xe2\x80\x94 a AAAAAAA=\n");
	add(to, "lines-too-many", 0, fuzz_done(&note));
	vkey_text(&log_key.signer.key, text);
	add(to, "log-key", AS_KEY, bytes_of_text(text));
	vkey_text(&witness_key.signer.key, text);
	add(to, "witness-key", AS_KEY, bytes_of_text(text));
	add(to, "extension", SIGN_LOG | SIGN_WITNESS,
	    bytes_of_text("a\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nmore\n"));
	buf_free(&note);
	buf_free(&line);
}
