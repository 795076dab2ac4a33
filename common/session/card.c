#include "session/card.h"

#include <stdio.h>
#include <string.h>

#include "tlog/encoding.h"

static const char ENROLMENT[] = "splot enrolment v1";
static const char SERVER_CARD[] = "splot server card v1";

/* ---- names ---- */

/* The origin of the log that the card is about. */
static enum err card_origin(const struct card *c, char *ret, size_t size)
{
	return c->server ? national_origin(c->realm, c->server_name,
					   c->generation ? c->generation : 1, ret, size)
			 : log_origin(c->realm, c->log, ret, size);
}

/* Realm, names and keys belong together. */
static enum err check(const struct card *c)
{
	struct origin_parts parts;
	char name[KEY_NAME_BYTES_MAX + 1];
	enum err e = card_origin(c, name, sizeof(name));

	if (!e)
		e = origin_parse(bytes_of_text(name), &parts);
	if (e)
		return e;
	if (strcmp(parts.realm, c->realm) != 0)
		return ERR_INVALID;
	if (strcmp(name, c->log_key.name) != 0 || c->log_key.type != KEY_ED25519)
		return ERR_ORIGIN;
	if (c->server)
		return ERR_OK;
	e = witness_origin(c->realm, c->log, name, sizeof(name));
	if (e)
		return e;
	return strcmp(name, c->witness_key.name) != 0 || c->witness_key.type != KEY_COSIGNATURE
		       ? ERR_ORIGIN
		       : ERR_OK;
}

/* ---- writing ---- */

static void add_line(struct buf *b, const char *word, const char *value)
{
	buf_add_text(b, word);
	buf_add_u8(b, ' ');
	buf_add_text(b, value);
	buf_add_u8(b, '\n');
}

static void add_log_key(const struct card *c, struct buf *b)
{
	char text[VKEY_BYTES];

	vkey_text(&c->log_key, text);
	add_line(b, "log-key", text);
}

static void add_curve_key(const struct card *c, struct buf *b)
{
	buf_add_text(b, "curve-key ");
	encoding_add_base64(b, bytes_of(c->curve_public, sizeof(c->curve_public)));
	buf_add_u8(b, '\n');
}

enum err card_sign(const struct card *c, const struct signer *by, struct buf *ret)
{
	char text[VKEY_BYTES];
	struct buf b = {0};
	enum err e = check(c);

	if (e)
		return e;
	if (strcmp(by->key.name, c->log_key.name) != 0 ||
	    memcmp(by->key.public, c->log_key.public, SIGN_PUBLIC_BYTES) != 0)
		return ERR_ARGUMENT;
	buf_add_text(&b, c->server ? SERVER_CARD : ENROLMENT);
	buf_add_u8(&b, '\n');
	add_line(&b, "log", c->log_key.name);
	add_log_key(c, &b);
	if (!c->server) {
		vkey_text(&c->witness_key, text);
		add_line(&b, "witness-key", text);
	}
	add_curve_key(c, &b);
	e = buf_check(&b);
	if (!e)
		e = note_sign(buf_bytes(&b), by, ret);
	buf_free(&b);
	return e;
}

/* ---- reading ---- */

/* The next line, which must begin with `word` and a space: what is behind them. */
static enum err take(struct bytes *text, const char *word, struct bytes *ret)
{
	struct bytes line = {NULL, 0};
	struct bytes first = {NULL, 0};

	if (encoding_cut(text, '\n', &line) || encoding_cut(&line, ' ', &first) ||
	    !bytes_equal(first, bytes_of_text(word)))
		return ERR_DECODE;
	*ret = line;
	return ERR_OK;
}

static enum err parse_origin(struct bytes origin, struct card *c)
{
	struct origin_parts parts;
	enum err e = origin_parse(origin, &parts);

	if (e)
		return e;
	if (parts.kind != (c->server ? ORIGIN_NATIONAL : ORIGIN_REGION))
		return ERR_DECODE;
	memcpy(c->realm, parts.realm, sizeof(c->realm));
	memcpy(c->server_name, parts.server, sizeof(c->server_name));
	c->generation = parts.generation;
	c->log = parts.log;
	return ERR_OK;
}

static enum err parse_text(struct bytes text, struct card *c)
{
	struct bytes first = {NULL, 0};
	struct bytes value = {NULL, 0};
	size_t size = 0;
	enum err e = encoding_cut(&text, '\n', &first);

	if (e)
		return e;
	c->server = bytes_equal(first, bytes_of_text(SERVER_CARD));
	if (!c->server && !bytes_equal(first, bytes_of_text(ENROLMENT)))
		return ERR_VERSION;
	e = take(&text, "log", &value);
	if (!e)
		e = parse_origin(value, c);
	if (!e)
		e = take(&text, "log-key", &value);
	if (!e)
		e = vkey_parse(value, &c->log_key);
	if (!e && !c->server)
		e = take(&text, "witness-key", &value);
	if (!e && !c->server)
		e = vkey_parse(value, &c->witness_key);
	if (!e)
		e = take(&text, "curve-key", &value);
	if (!e)
		e = encoding_base64(value, c->curve_public, sizeof(c->curve_public), &size);
	if (e)
		return e;
	return size != sizeof(c->curve_public) || text.size > 0 ? ERR_DECODE : ERR_OK;
}

enum err card_open(struct bytes raw, struct card *ret)
{
	struct card c = {0};
	struct note n;
	enum err e = note_parse(raw, &n);

	if (!e)
		e = parse_text(n.text, &c);
	if (!e)
		e = check(&c);
	if (!e)
		e = note_verify(&n, &c.log_key);
	if (!e)
		*ret = c;
	return e;
}

void card_fingerprint(const struct card *c, char text[static 20])
{
	struct buf b = {0};
	struct hash h;

	add_log_key(c, &b);
	add_curve_key(c, &b);
	h = hash_plain(buf_bytes(&b));
	(void)snprintf(text, 20, "(out of memory)");
	if (buf_check(&b)) {
		buf_free(&b);
		return;
	}
	buf_free(&b);
	for (size_t i = 0; i < 4; i++)
		(void)snprintf(text + 5 * i, 6, "%02x%02x%s", h.b[2 * i], h.b[2 * i + 1],
			       i < 3 ? "-" : "");
}
