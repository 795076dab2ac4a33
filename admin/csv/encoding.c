#include "admin/csv/encoding.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

static const char *const names[ENCODING_COUNT] = {"UTF-8", "windows-1250", "ISO-8859-2"};

/* Bytes 0xA0 and up at which the two tables differ and Polish text tells them apart: the
 * letters Ą ą Ś ś Ź ź, which the other table shows as signs that no register holds. */
static const uint8_t only_1250[] = {0xa5, 0xb9};
static const uint8_t only_8859_2[] = {0xa1, 0xa6, 0xac, 0xb1, 0xb6, 0xbc};
/* Where the tables differ without telling: © Š, « Ť, ® Ž, µ ľ, · ˇ, » ť, ľ ž. */
static const uint8_t differing[] = {0xa9, 0xab, 0xae, 0xb5, 0xb7, 0xbb, 0xbe};
static const uint8_t undefined_1250[] = {0x81, 0x83, 0x88, 0x90, 0x98};

const char *encoding_name(enum text_encoding e)
{
	return e < ENCODING_COUNT ? names[e] : "";
}

enum text_encoding encoding_named(const char *name)
{
	for (int i = 0; i < ENCODING_COUNT; i++)
		if (!strcasecmp(name, names[i]))
			return (enum text_encoding)i;
	return ENCODING_COUNT;
}

static bool is_utf8(struct bytes raw)
{
	size_t at = 0;

	while (at < raw.size) {
		utf8proc_int32_t c = 0;
		utf8proc_ssize_t size =
			utf8proc_iterate(raw.data + at, (utf8proc_ssize_t)(raw.size - at), &c);

		if (size < 1)
			return false;
		at += (size_t)size;
	}
	return true;
}

static bool among(uint8_t x, const uint8_t *set, size_t count)
{
	return memchr(set, x, count) != NULL;
}

static enum encoding_doubt detect_8bit(struct bytes raw, enum text_encoding *ret, size_t *ret_at)
{
	size_t first[4] = {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX};
	enum { WINDOWS, ISO, CONTROL, UNTOLD };

	for (size_t i = raw.size; i-- > 0;) {
		uint8_t x = raw.data[i];

		if (among(x, undefined_1250, sizeof undefined_1250)) {
			*ret_at = i; /* and a control character in ISO 8859-2 */
			return ENCODING_NEITHER;
		}
		if (x >= 0x80 && x <= 0x9f)
			first[CONTROL] = i;
		else if (among(x, only_1250, sizeof only_1250))
			first[WINDOWS] = i;
		else if (among(x, only_8859_2, sizeof only_8859_2))
			first[ISO] = i;
		else if (among(x, differing, sizeof differing))
			first[UNTOLD] = i;
	}
	*ret = ENCODING_WINDOWS_1250;
	if (first[CONTROL] != SIZE_MAX) /* controls there, letters and quotes in windows-1250 */
		return ENCODING_CLEAR;
	if (first[WINDOWS] != SIZE_MAX && first[ISO] == SIZE_MAX)
		return ENCODING_CLEAR;
	if (first[ISO] != SIZE_MAX && first[WINDOWS] == SIZE_MAX) {
		*ret = ENCODING_ISO_8859_2;
		return ENCODING_CLEAR;
	}
	if (first[WINDOWS] == SIZE_MAX && first[UNTOLD] == SIZE_MAX)
		return ENCODING_CLEAR; /* both tables give the same text */
	*ret_at = first[ISO] != SIZE_MAX ? first[ISO] : first[UNTOLD];
	return ENCODING_EITHER;
}

enum encoding_doubt encoding_detect(struct bytes raw, enum text_encoding *ret, size_t *ret_at)
{
	const uint8_t *nul = NULL;

	*ret_at = 0;
	if (raw.size >= 2 && ((raw.data[0] == 0xff && raw.data[1] == 0xfe) ||
			      (raw.data[0] == 0xfe && raw.data[1] == 0xff)))
		return ENCODING_UTF16;
	nul = raw.size ? memchr(raw.data, 0, raw.size) : NULL;
	if (nul) {
		*ret_at = (size_t)(nul - raw.data);
		return ENCODING_NUL;
	}
	if (is_utf8(raw)) {
		*ret = ENCODING_UTF8;
		return ENCODING_CLEAR;
	}
	return detect_8bit(raw, ret, ret_at);
}

static struct bytes without_mark(struct bytes raw)
{
	if (raw.size >= 3 && !memcmp(raw.data, "\xef\xbb\xbf", 3))
		return bytes_of(raw.data + 3, raw.size - 3);
	return raw;
}

/* iconv(3) wants its input as plain char, which it does not change: pieces are copied. */
static enum err convert(iconv_t how, struct bytes raw, struct buf *ret)
{
	char piece[4096];
	char wide[4 * sizeof piece];
	size_t at = 0;

	while (at < raw.size) {
		size_t left = raw.size - at < sizeof piece ? raw.size - at : sizeof piece;
		size_t room = sizeof wide;
		char *in = piece;
		char *out = wide;

		memcpy(piece, raw.data + at, left);
		at += left;
		if (iconv(how, &in, &left, &out, &room) == (size_t)-1)
			return ERR_ENCODING;
		buf_add(ret, wide, (size_t)(out - wide));
	}
	return buf_check(ret);
}

enum err encoding_to_utf8(struct bytes raw, enum text_encoding from, struct buf *ret)
{
	iconv_t how = (iconv_t)-1;
	enum err e = ERR_OK;

	if (raw.size && memchr(raw.data, 0, raw.size))
		return ERR_ENCODING;
	if (from == ENCODING_UTF8) {
		raw = without_mark(raw);
		if (!is_utf8(raw))
			return ERR_ENCODING;
		buf_add_bytes(ret, raw);
		return buf_check(ret);
	}
	how = iconv_open("UTF-8", encoding_name(from));
	if (how == (iconv_t)-1)
		return errno == ENOMEM ? ERR_NOMEM : ERR_ENCODING;
	e = convert(how, raw, ret);
	(void)iconv_close(how);
	return e;
}
