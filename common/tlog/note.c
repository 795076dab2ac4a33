#include "tlog/note.h"

#include <sodium.h>
#include <string.h>

#include "tlog/cosignature.h"
#include "tlog/encoding.h"
#include "tlog/note_line.h"

#define EM_DASH "\xe2\x80\x94 " /* and a space: how a signature line begins */

enum {
	EM_DASH_BYTES = sizeof(EM_DASH) - 1,
	KEY_ID_BYTES = 4,
	/* blank line and the longest line written here, so that a note made can be parsed */
	LINE_BYTES_MAX = 1 + EM_DASH_BYTES + KEY_NAME_BYTES_MAX + 1 +
			 4 * ((KEY_ID_BYTES + COSIGNATURE_BYTES + 2) / 3) + 1,
};

/* ---- parsing ---- */

/* The last empty line parts text and signature lines. */
static enum err split(struct bytes raw, struct bytes *ret_text, struct bytes *ret_lines)
{
	size_t i = 0;

	if (raw.size < 2 || raw.data[raw.size - 1] != '\n')
		return ERR_DECODE;
	for (i = raw.size - 1; i > 0; i--) {
		if (raw.data[i] == '\n' && raw.data[i - 1] == '\n')
			break;
	}
	if (i == 0 || i + 1 == raw.size) /* no empty line, or nothing behind it */
		return ERR_DECODE;
	*ret_text = bytes_of(raw.data, i);
	*ret_lines = bytes_of(raw.data + i + 1, raw.size - i - 1);
	return ERR_OK;
}

/* A body that does not fit (of an algorithm not known here) is checked and left out. */
static enum err parse_line(struct bytes line, struct note_signature *ret)
{
	uint8_t raw[NOTE_BYTES_MAX];
	struct cursor c;
	struct bytes name = {NULL, 0};
	size_t size = 0;

	if (line.size < EM_DASH_BYTES || memcmp(line.data, EM_DASH, EM_DASH_BYTES) != 0)
		return ERR_DECODE;
	line = bytes_of(line.data + EM_DASH_BYTES, line.size - EM_DASH_BYTES);
	if (encoding_cut(&line, ' ', &name) || encoding_check_name(name) ||
	    encoding_base64(line, raw, sizeof(raw), &size) || size <= KEY_ID_BYTES)
		return ERR_DECODE;
	c = cursor_of(bytes_of(raw, size));
	ret->name = name;
	ret->key_id = cursor_u32be(&c);
	ret->body_size = cursor_left(&c) <= sizeof(ret->body) ? cursor_left(&c) : 0;
	cursor_copy(&c, ret->body, ret->body_size);
	return c.err;
}

enum err note_parse(struct bytes raw, struct note *ret)
{
	struct bytes text = {NULL, 0};
	struct bytes lines = {NULL, 0};
	struct bytes line = {NULL, 0};
	size_t count = 0;
	enum err e = ERR_OK;

	if (raw.size > NOTE_BYTES_MAX)
		return ERR_LIMIT;
	e = encoding_check_text(raw);
	if (!e)
		e = split(raw, &text, &lines);
	while (!e && lines.size > 0) {
		if (count == NOTE_SIGNATURES_MAX)
			return ERR_LIMIT;
		e = encoding_cut(&lines, '\n', &line);
		if (!e)
			e = parse_line(line, &ret->signatures[count++]);
	}
	if (e)
		return e;
	ret->text = text;
	ret->signature_count = count;
	return ERR_OK;
}

/* ---- verifying ---- */

bool note_line_is_by(const struct note_signature *s, const struct vkey *key)
{
	return s->key_id == key->id && bytes_equal(s->name, bytes_of_text(key->name));
}

static enum err check_line(struct bytes text, const struct note_signature *s,
			   const struct vkey *key)
{
	uint64_t time_s = 0;

	if (key->type == KEY_COSIGNATURE)
		return cosignature_check(text, bytes_of(s->body, s->body_size), key->public,
					 &time_s);
	if (key->type != KEY_ED25519)
		return ERR_VERSION;
	if (s->body_size != SIGNATURE_BYTES ||
	    crypto_sign_verify_detached(s->body, text.data, text.size, key->public))
		return ERR_SIGNATURE;
	return ERR_OK;
}

enum err note_verify(const struct note *n, const struct vkey *key)
{
	bool found = false;

	for (size_t i = 0; i < n->signature_count; i++) {
		enum err e = ERR_OK;

		if (!note_line_is_by(&n->signatures[i], key))
			continue;
		e = check_line(n->text, &n->signatures[i], key);
		if (e)
			return e;
		found = true;
	}
	return found ? ERR_OK : ERR_UNKNOWN_KEY;
}

enum err note_verify_all(const struct note *n, const struct vkey *keys, size_t count)
{
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		enum err e = note_verify(n, &keys[i]);

		if (e && e != ERR_UNKNOWN_KEY)
			return e;
		found = found || !e;
	}
	return found ? ERR_OK : ERR_UNKNOWN_KEY;
}

static const struct vkey *good_by(const struct note *n, const struct note_signature *s,
				  const struct vkey *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (note_line_is_by(s, &keys[i]) && !check_line(n->text, s, &keys[i]))
			return &keys[i];
	}
	return NULL;
}

enum err note_keep(const struct note *n, const struct vkey *keys, size_t count, struct buf *ret)
{
	const size_t before = ret->size;
	enum err e = ERR_UNKNOWN_KEY;

	buf_add_bytes(ret, n->text);
	buf_add_text(ret, "\n");
	for (size_t i = 0; i < n->signature_count; i++) {
		const struct note_signature *s = &n->signatures[i];
		const struct vkey *key = good_by(n, s, keys, count);

		if (key)
			e = note_add_line(key, bytes_of(s->body, s->body_size), ret);
		if (key && e)
			return e;
	}
	if (e)
		ret->size = before;
	return e ? e : buf_check(ret);
}

/* ---- signing ---- */

enum err note_signable(struct bytes text, const struct signer *by, uint8_t type)
{
	/* libsodium's secret ends in its public key; signing with another one gives it away */
	if (by->key.type != type ||
	    memcmp(by->secret + SIGN_SEED_BYTES, by->key.public, SIGN_PUBLIC_BYTES) != 0)
		return ERR_ARGUMENT;
	if (text.size == 0 || text.data[text.size - 1] != '\n')
		return ERR_ARGUMENT;
	if (text.size > NOTE_BYTES_MAX - LINE_BYTES_MAX)
		return ERR_LIMIT;
	return encoding_check_text(text);
}

enum err note_add_line(const struct vkey *key, struct bytes body, struct buf *ret)
{
	struct buf raw = {0};
	enum err e = ERR_OK;

	buf_add_u32be(&raw, key->id);
	buf_add_bytes(&raw, body);
	e = buf_check(&raw);
	if (!e) {
		buf_add_text(ret, EM_DASH);
		buf_add_text(ret, key->name);
		buf_add_u8(ret, ' ');
		encoding_add_base64(ret, buf_bytes(&raw));
		buf_add_u8(ret, '\n');
		e = buf_check(ret);
	}
	buf_free(&raw);
	return e;
}

static enum err sign(struct bytes text, const struct signer *by,
		     uint8_t ret[static SIGNATURE_BYTES])
{
	enum err e = note_signable(text, by, KEY_ED25519);

	if (!e && crypto_sign_detached(ret, NULL, text.data, text.size, by->secret))
		e = ERR_INTERNAL;
	return e;
}

enum err note_sign(struct bytes text, const struct signer *by, struct buf *ret)
{
	uint8_t signature[SIGNATURE_BYTES];
	enum err e = sign(text, by, signature);

	if (e)
		return e;
	buf_add_bytes(ret, text);
	buf_add_u8(ret, '\n');
	return note_add_line(&by->key, bytes_of(signature, sizeof(signature)), ret);
}

enum err note_sign_also(const struct signer *by, struct buf *ret)
{
	uint8_t signature[SIGNATURE_BYTES];
	struct note n;
	enum err e = buf_check(ret);

	if (!e)
		e = note_parse(buf_bytes(ret), &n);
	if (!e)
		e = sign(n.text, by, signature);
	if (!e && (n.signature_count == NOTE_SIGNATURES_MAX ||
		   ret->size > NOTE_BYTES_MAX - LINE_BYTES_MAX))
		e = ERR_LIMIT;
	return e ? e : note_add_line(&by->key, bytes_of(signature, sizeof(signature)), ret);
}

enum err note_sign_once(const struct signer *by, struct buf *ret)
{
	struct note n;
	enum err e = note_parse(buf_bytes(ret), &n);

	if (!e)
		e = note_verify(&n, &by->key);
	return e == ERR_UNKNOWN_KEY ? note_sign_also(by, ret) : e;
}
