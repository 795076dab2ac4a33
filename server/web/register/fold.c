#include "register/fold.h"

#include <utf8proc.h>

#include "model/text.h"

enum { DECOMPOSED_MAX = 32 }; /* the longest decomposition has 18 */

/* Letters that are of one piece to Unicode, not a letter and a mark; lower case, since case is
 * folded first. */
static const struct {
	uint32_t code;
	const char *plain;
} whole_letters[] = {
	{0x142, "l"},  /* ł */
	{0x111, "d"},  /* đ */
	{0xf0, "d"},   /* ð */
	{0xf8, "o"},   /* ø */
	{0xe6, "ae"},  /* æ */
	{0x153, "oe"}, /* œ */
	{0xfe, "th"},  /* þ */
	{0x127, "h"},  /* ħ */
	{0x131, "i"},  /* ı */
	{0x138, "k"},  /* ĸ */
	{0x14b, "n"},  /* ŋ */
	{0x167, "t"},  /* ŧ */
};

/* One folding under way: a space is written only before the next letter or digit. */
struct folding {
	struct buf *out;
	size_t start;
	bool gap;
	bool full;
};

static void write_part(struct folding *f, const void *bytes, size_t size)
{
	bool gap = f->gap && f->out->size > f->start;

	if (f->full || f->out->size - f->start + gap + size > FOLD_BYTES_MAX) {
		f->full = true;
		return;
	}
	if (gap)
		buf_add_u8(f->out, ' ');
	buf_add(f->out, bytes, size);
	f->gap = false;
}

static bool is_word_part(uint32_t code)
{
	utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);

	return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
	       (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

static void write_code(struct folding *f, uint32_t code)
{
	utf8proc_uint8_t raw[4];

	for (size_t i = 0; i < sizeof whole_letters / sizeof whole_letters[0]; i++) {
		if (whole_letters[i].code == code) {
			struct bytes plain = bytes_of_text(whole_letters[i].plain);

			write_part(f, plain.data, plain.size);
			return;
		}
	}
	if (!is_word_part(code)) {
		f->gap = true;
		return;
	}
	write_part(f, raw, (size_t)utf8proc_encode_char((utf8proc_int32_t)code, raw));
}

static void fold_character(struct folding *f, uint32_t code)
{
	utf8proc_int32_t parts[DECOMPOSED_MAX];
	int boundary = 0;
	utf8proc_ssize_t count =
		utf8proc_decompose_char((utf8proc_int32_t)code, parts, DECOMPOSED_MAX,
					UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD |
						UTF8PROC_STRIPMARK | UTF8PROC_IGNORE,
					&boundary);

	if (count < 0 || count > DECOMPOSED_MAX) {
		f->gap = true;
		return;
	}
	for (utf8proc_ssize_t i = 0; i < count; i++)
		write_code(f, (uint32_t)parts[i]);
}

static void fold_ascii(struct folding *f, uint8_t byte)
{
	if (byte >= 'A' && byte <= 'Z')
		byte = (uint8_t)(byte - 'A' + 'a');
	if (is_lower((char)byte) || is_digit((char)byte))
		write_part(f, &byte, 1);
	else
		f->gap = true;
}

enum err fold_text(struct bytes text, struct buf *ret)
{
	struct folding f = {.out = ret, .start = ret->size};

	while (text.size && !f.full) {
		size_t size = utf8_character(text);

		if (size == 1)
			fold_ascii(&f, text.data[0]);
		else if (size)
			fold_character(&f, utf8_code_point(text));
		else
			f.gap = true;
		size += size == 0;
		text = bytes_of(text.data + size, text.size - size);
	}
	return buf_check(ret);
}
