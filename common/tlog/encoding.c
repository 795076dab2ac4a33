#include "tlog/encoding.h"

#include <sodium.h>
#include <string.h>

/* ---- UTF-8 ---- */

/* The forms of RFC 3629: lead byte, continuation bytes, and the least code point that needs
 * that many bytes (less is an overlong form). */
static const struct {
	uint8_t mask, lead;
	unsigned more;
	uint32_t least;
} FORMS[] = {
	{0x80, 0x00, 0, 0},
	{0xe0, 0xc0, 1, 0x80},
	{0xf0, 0xe0, 2, 0x800},
	{0xf8, 0xf0, 3, 0x10000},
};

enum { FORM_COUNT = sizeof(FORMS) / sizeof(FORMS[0]) };

static bool next_code_point(struct cursor *c, uint32_t *ret)
{
	uint8_t lead = cursor_u8(c);
	uint32_t code = 0;
	size_t form = 0;

	while (form < FORM_COUNT && (lead & FORMS[form].mask) != FORMS[form].lead)
		form++;
	if (form == FORM_COUNT)
		return false;
	code = lead & (uint8_t)~FORMS[form].mask;
	for (unsigned i = 0; i < FORMS[form].more; i++) {
		uint8_t byte = cursor_u8(c);

		if ((byte & 0xc0) != 0x80)
			return false;
		code = code << 6 | (byte & 0x3f);
	}
	if (code < FORMS[form].least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return false;
	*ret = code;
	return c->err == ERR_OK;
}

/* What most texts are made of, so that notes and events are passed over byte by byte. */
static bool is_plain(uint8_t byte)
{
	return (byte >= 0x20 && byte < 0x80) || byte == '\n';
}

enum err encoding_check_text(struct bytes text)
{
	struct cursor c = cursor_of(text);
	uint32_t code = 0;

	while (cursor_left(&c) > 0) {
		if (is_plain(*c.at))
			c.at++;
		else if (!next_code_point(&c, &code) || code < 0x20)
			return ERR_ENCODING;
	}
	return ERR_OK;
}

/* Unicode's White_Space property. */
static bool is_space(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} SPACES[] = {
		{0x09, 0x0d},     {0x20, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},
		{0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f},
		{0x205f, 0x205f}, {0x3000, 0x3000},
	};

	for (size_t i = 0; i < sizeof(SPACES) / sizeof(SPACES[0]); i++) {
		if (code >= SPACES[i].first && code <= SPACES[i].last)
			return true;
	}
	return false;
}

enum err encoding_check_name(struct bytes name)
{
	struct cursor c = cursor_of(name);
	uint32_t code = 0;

	if (name.size == 0)
		return ERR_INVALID;
	while (cursor_left(&c) > 0) {
		if (!next_code_point(&c, &code) || code < 0x20 || code == '+' || is_space(code))
			return ERR_INVALID;
	}
	return ERR_OK;
}

/* ---- base64 ---- */

static bool is_ascii(struct bytes text)
{
	uint8_t bits = 0;

	for (size_t i = 0; i < text.size; i++)
		bits |= text.data[i];
	return bits < 0x80;
}

enum err encoding_base64(struct bytes text, uint8_t *ret, size_t max, size_t *ret_size)
{
	size_t size = 0;

	/* libsodium refuses what is not canonical: set bits behind the end, missing padding;
	 * but 1.0.18 takes any byte above ASCII for some digit */
	if (text.size % 4 != 0 || !is_ascii(text) ||
	    sodium_base642bin(ret, max, (const char *)text.data, text.size, NULL, &size, NULL,
			      sodium_base64_VARIANT_ORIGINAL) != 0)
		return ERR_DECODE;
	*ret_size = size;
	return ERR_OK;
}

void encoding_add_base64(struct buf *b, struct bytes x)
{
	size_t room = sodium_base64_encoded_len(x.size, sodium_base64_VARIANT_ORIGINAL);
	uint8_t *at = buf_extend(b, room);

	if (!at)
		return;
	(void)sodium_bin2base64((char *)at, room, x.data, x.size, sodium_base64_VARIANT_ORIGINAL);
	b->size--; /* without the final NUL */
}

/* ---- numbers and parts ---- */

enum err encoding_number(struct bytes text, uint64_t *ret)
{
	uint64_t x = 0;

	if (text.size == 0 || text.size > 19 || (text.size > 1 && text.data[0] == '0'))
		return ERR_DECODE;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return ERR_DECODE;
		x = x * 10 + (uint64_t)(text.data[i] - '0'); /* 19 digits fit 64 bits */
	}
	if (x > INT64_MAX)
		return ERR_DECODE;
	*ret = x;
	return ERR_OK;
}

enum err encoding_cut(struct bytes *rest, char mark, struct bytes *ret_part)
{
	const uint8_t *at = rest->size ? memchr(rest->data, mark, rest->size) : NULL;
	size_t size = 0;

	if (!at)
		return ERR_DECODE;
	size = (size_t)(at - rest->data);
	*ret_part = bytes_of(rest->data, size);
	*rest = bytes_of(at + 1, rest->size - size - 1);
	return ERR_OK;
}
