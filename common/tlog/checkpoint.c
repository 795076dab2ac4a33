#include "tlog/checkpoint.h"

#include <inttypes.h>
#include <string.h>

#include "tlog/encoding.h"

enum { ROOT_TEXT_BYTES = 44 };

static enum err parse_root(struct bytes line, struct hash *ret)
{
	size_t size = 0;

	if (line.size != ROOT_TEXT_BYTES || encoding_base64(line, ret->b, HASH_BYTES, &size) ||
	    size != HASH_BYTES)
		return ERR_DECODE;
	return ERR_OK;
}

/* Opaque, but never empty: an empty line would end the text. */
static enum err check_extensions(struct bytes rest)
{
	struct bytes line = {NULL, 0};

	while (rest.size > 0) {
		if (encoding_cut(&rest, '\n', &line) || line.size == 0)
			return ERR_DECODE;
	}
	return ERR_OK;
}

enum err checkpoint_parse(struct bytes text, bool extensions, struct checkpoint *ret)
{
	struct checkpoint c = {0};
	struct bytes origin = {NULL, 0};
	struct bytes size = {NULL, 0};
	struct bytes root = {NULL, 0};
	enum err e = encoding_check_text(text);

	if (e)
		return e;
	if (encoding_cut(&text, '\n', &origin) || encoding_cut(&text, '\n', &size) ||
	    encoding_cut(&text, '\n', &root))
		return ERR_DECODE;
	if (origin.size == 0 || encoding_number(size, &c.size) || parse_root(root, &c.root))
		return ERR_DECODE;
	if (origin.size > ORIGIN_BYTES_MAX)
		return ERR_LIMIT;
	if (text.size > 0 && (!extensions || check_extensions(text)))
		return ERR_DECODE;
	memcpy(c.origin, origin.data, origin.size);
	*ret = c;
	return ERR_OK;
}

enum err checkpoint_text(const struct checkpoint *c, struct buf *ret)
{
	struct bytes origin = bytes_of_text(c->origin);
	enum err e = encoding_check_text(origin);

	if (e)
		return e;
	if (origin.size == 0 || strchr(c->origin, '\n') || c->size > INT64_MAX)
		return ERR_ARGUMENT;
	buf_printf(ret, "%s\n%" PRIu64 "\n", c->origin, c->size);
	encoding_add_base64(ret, bytes_of(c->root.b, HASH_BYTES));
	buf_add_u8(ret, '\n');
	return buf_check(ret);
}

enum err checkpoint_sign(const struct checkpoint *c, const struct signer *by, struct buf *ret)
{
	struct buf text = {0};
	enum err e = ERR_OK;

	if (strcmp(c->origin, by->key.name) != 0)
		return ERR_ORIGIN;
	e = checkpoint_text(c, &text);
	if (!e)
		e = note_sign(buf_bytes(&text), by, ret);
	buf_free(&text);
	return e;
}

enum err checkpoint_open(struct bytes note, const struct vkey *key, struct checkpoint *ret)
{
	struct checkpoint c;
	struct note n;
	enum err e = note_parse(note, &n);

	if (!e)
		e = checkpoint_parse(n.text, false, &c);
	if (e)
		return e;
	if (strcmp(c.origin, key->name) != 0)
		return ERR_ORIGIN;
	e = note_verify(&n, key);
	if (!e)
		*ret = c;
	return e;
}
