#include "model/text.h"

/* The rows of Unicode's table of well-formed sequences that have more than one byte. */
static const struct {
	uint8_t first_min, first_max, second_min, second_max;
	size_t size;
} sequences[] = {
	{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
	{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
	{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

size_t utf8_character(struct bytes text)
{
	const uint8_t *at = text.data;

	if (text.size == 0)
		return 0;
	if (at[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++) {
		size_t size = sequences[i].size;

		if (at[0] < sequences[i].first_min || at[0] > sequences[i].first_max)
			continue;
		if (text.size < size || at[1] < sequences[i].second_min ||
		    at[1] > sequences[i].second_max)
			return 0;
		for (size_t k = 2; k < size; k++) {
			if ((at[k] & 0xc0) != 0x80)
				return 0;
		}
		return size;
	}
	return 0;
}

uint32_t utf8_code_point(struct bytes text)
{
	size_t size = utf8_character(text);
	uint32_t code = 0;

	if (size == 0)
		return 0xfffd;
	code = size == 1 ? text.data[0]
			 : text.data[0] & (0x7fu >> size); /* past the length's bits */
	for (size_t i = 1; i < size; i++)
		code = code << 6 | (text.data[i] & 0x3fu);
	return code;
}

/* White_Space, and what shows as nothing: the soft hyphen, zero widths, the byte order mark. */
static bool is_blank(uint32_t code)
{
	static const uint32_t ranges[][2] = {
		{0x09, 0x0d},     {0x20, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},
		{0xad, 0xad},     {0x1680, 0x1680}, {0x2000, 0x200f}, {0x2028, 0x2029},
		{0x202f, 0x202f}, {0x205f, 0x2060}, {0x3000, 0x3000}, {0xfeff, 0xfeff},
	};

	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (code >= ranges[i][0] && code <= ranges[i][1])
			return true;
	return false;
}

bool text_is_blank(const char *text)
{
	struct bytes left = bytes_of_text(text);

	while (left.size > 0) {
		size_t size = utf8_character(left);

		if (size == 0 || !is_blank(utf8_code_point(left)))
			return false;
		left = bytes_of(left.data + size, left.size - size);
	}
	return true;
}

void over_tell(const struct over *over, struct buf *out)
{
	buf_printf(out, "%s is %zu bytes long and may have %zu: %s", over->what, over->bytes,
		   over->bytes_max, over->next);
}

bool all_digits(const char *text)
{
	const char *at = text;

	while (is_digit(*at))
		at++;
	return at != text && !*at;
}

unsigned digits_value(const char *text, size_t count)
{
	unsigned value = 0;

	for (size_t i = 0; i < count; i++)
		value = value * 10 + (unsigned)(text[i] - '0');
	return value;
}
