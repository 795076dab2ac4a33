/* Cursors: where a page ended, as text that fits a URL.  They come back from anybody. */
#include <string.h>

#include "register/query_parts.h"

enum {
	CURSOR_VERSION = 1,
	DESCENDING = 1,
	UNKNOWN = 2,
};

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* base64url without padding */
static const char *write_text(struct bytes raw, struct arena *arena)
{
	size_t size = (raw.size * 8 + 5) / 6;
	char *text = arena_alloc(arena, size + 1);

	for (size_t i = 0; text && i < size; i++) {
		size_t at = i * 6 / 8;
		unsigned two =
			(unsigned)raw.data[at] << 8 | (at + 1 < raw.size ? raw.data[at + 1] : 0u);

		text[i] = digits[two >> (10 - i * 6 % 8) & 63];
	}
	if (text)
		text[size] = 0;
	return text;
}

static bool read_text(const char *text, struct buf *ret)
{
	unsigned bits = 0;
	size_t have = 0;

	for (; *text; text++) {
		const char *digit = strchr(digits, *text);

		if (!digit)
			return false;
		bits = (bits << 6 | (unsigned)(digit - digits)) & 0xfff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_add_u8(ret, (uint8_t)(bits >> have & 0xff));
		}
	}
	/* Each place has one text: what is left over is less than a digit, and zero. */
	return have < 6 && (bits & ((1u << have) - 1)) == 0;
}

const char *cursor_write(const struct place *place, struct arena *arena)
{
	struct buf raw = {.data = NULL};
	const char *text = NULL;

	buf_add_u8(&raw, CURSOR_VERSION);
	buf_add_u8(&raw, (uint8_t)place->kind);
	buf_add_u8(&raw, (uint8_t)place->sort);
	buf_add_u8(&raw, (uint8_t)((place->descending ? DESCENDING : 0) |
				   (place->unknown ? UNKNOWN : 0)));
	buf_add_u16be(&raw, (uint16_t)place->key.size);
	buf_add_bytes(&raw, place->key);
	buf_add_bytes(&raw, place->id);
	if (buf_check(&raw) == ERR_OK)
		text = write_text(buf_bytes(&raw), arena);
	buf_free(&raw);
	return text;
}

static enum err decode(struct cursor c, struct arena *arena, struct place *ret)
{
	uint8_t version = cursor_u8(&c);
	struct place p = {.kind = (enum record_kind)cursor_u8(&c), .sort = cursor_u8(&c)};
	uint8_t flags = cursor_u8(&c);
	struct bytes key = cursor_bytes(&c, cursor_u16be(&c));
	struct bytes id = cursor_bytes(&c, cursor_left(&c));

	p.descending = flags & DESCENDING;
	p.unknown = flags & UNKNOWN;
	if (cursor_finish(&c) != ERR_OK || version != CURSOR_VERSION ||
	    flags > (DESCENDING | UNKNOWN) || key.size > COLLATE_KEY_MAX || id.size == 0 ||
	    id.size > ID_BYTES_MAX || (p.unknown && key.size))
		return ERR_INVALID;
	if (arena_bytes(arena, key, &p.key) != ERR_OK || arena_bytes(arena, id, &p.id) != ERR_OK)
		return ERR_NOMEM;
	*ret = p;
	return ERR_OK;
}

enum err cursor_read(const char *text, struct arena *arena, struct place *ret)
{
	struct buf raw = {.data = NULL};
	enum err e = ERR_INVALID;

	if (strlen(text) <= QUERY_CURSOR_MAX && read_text(text, &raw)) {
		e = buf_check(&raw);
		if (e == ERR_OK)
			e = decode(cursor_of(buf_bytes(&raw)), arena, ret);
	}
	buf_free(&raw);
	return e;
}
