/* Numbers as bytes: a sign, how many digits stand before the point, the digits. */
#include <string.h>

#include "model/text.h"
#include "register/ranking.h"

enum { SIGN_NEGATIVE = 1, SIGN_ZERO = 2, SIGN_POSITIVE = 3 };

struct digits {
	const char *whole, *fraction;
	size_t whole_size, fraction_size;
};

static size_t span(const char *at)
{
	return strspn(at, "0123456789");
}

/* Leading and trailing zeros say nothing of the value. */
static bool take_apart(const char *at, struct digits *ret)
{
	struct digits d = {.whole = at, .whole_size = span(at), .fraction = ""};

	at += d.whole_size;
	if (!d.whole_size)
		return false;
	if (*at == '.') {
		d.fraction = at + 1;
		d.fraction_size = span(d.fraction);
		at = d.fraction + d.fraction_size;
		if (!d.fraction_size)
			return false;
	}
	if (*at)
		return false;
	for (; d.whole_size && *d.whole == '0'; d.whole++)
		d.whole_size--;
	while (d.fraction_size && d.fraction[d.fraction_size - 1] == '0')
		d.fraction_size--;
	*ret = d;
	return true;
}

bool number_key(const char *text, uint8_t key[static NUMBER_KEY_MAX], size_t *ret_size)
{
	bool negative = text[0] == '-';
	struct digits d;
	size_t size = 0;

	if (!take_apart(text + negative, &d) || d.whole_size + d.fraction_size > NUMBER_KEY_MAX - 4)
		return false;
	if (!d.whole_size && !d.fraction_size) {
		key[0] = SIGN_ZERO;
		*ret_size = 1;
		return true;
	}
	key[0] = SIGN_POSITIVE;
	key[1] = (uint8_t)d.whole_size;
	memcpy(key + 2, d.whole, d.whole_size);
	memcpy(key + 2 + d.whole_size, d.fraction, d.fraction_size);
	size = 2 + d.whole_size + d.fraction_size;
	if (negative) { /* the greater amount is the smaller number; an end above every digit */
		key[0] = SIGN_NEGATIVE;
		for (size_t i = 1; i < size; i++)
			key[i] = (uint8_t)~key[i];
		key[size++] = 0xff;
	}
	*ret_size = size;
	return true;
}
