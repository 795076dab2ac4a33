#include "register/collate.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ucol.h>
#include <unicode/ustring.h>

/* Room for any key of COLLATE_CHARACTERS, before it is cut. */
enum { WHOLE_KEY_MAX = 4096 };

struct collator {
	UCollator *icu; /* owned */
};

enum err collator_new(struct collator **ret)
{
	UErrorCode status = U_ZERO_ERROR;
	struct collator *c = calloc(1, sizeof *c);
	const char *locale = NULL;

	if (!c)
		return ERR_NOMEM;
	c->icu = ucol_open("pl", &status);
	if (U_FAILURE(status))
		goto out;
	/* Without the data of a language ICU answers with the root's order. */
	locale = ucol_getLocaleByType(c->icu, ULOC_VALID_LOCALE, &status);
	if (U_FAILURE(status) || !locale || strcmp(locale, "pl") != 0)
		goto out;
	ucol_setAttribute(c->icu, UCOL_NUMERIC_COLLATION, UCOL_ON, &status);
	if (U_FAILURE(status))
		goto out;
	*ret = c;
	return ERR_OK;
out:
	collator_free(c);
	return status == U_MEMORY_ALLOCATION_ERROR ? ERR_NOMEM : ERR_CONFIG;
}

void collator_free(struct collator *c)
{
	if (!c)
		return;
	if (c->icu)
		ucol_close(c->icu);
	free(c);
}

enum err collator_key(struct collator *c, struct bytes text, struct buf *ret)
{
	UChar wide[COLLATE_CHARACTERS];
	uint8_t key[WHOLE_KEY_MAX];
	int32_t length = 0;
	int32_t size = 0;
	UErrorCode status = U_ZERO_ERROR;
	/* A character of UTF-16 has at most three bytes of UTF-8 (two of them: four). */
	size_t most = 3 * (size_t)COLLATE_CHARACTERS;

	if (text.size > most)
		text.size = most;
	(void)u_strFromUTF8WithSub(wide, COLLATE_CHARACTERS, &length, (const char *)text.data,
				   (int32_t)text.size, 0xfffd, NULL, &status);
	if (status == U_BUFFER_OVERFLOW_ERROR || length > COLLATE_CHARACTERS)
		length = COLLATE_CHARACTERS;
	else if (U_FAILURE(status))
		return ERR_NOMEM;
	size = ucol_getSortKey(c->icu, wide, length, key, WHOLE_KEY_MAX);
	if (size <= 0)
		return ERR_NOMEM;
	size--; /* its final 0 */
	if (size > COLLATE_KEY_MAX)
		size = COLLATE_KEY_MAX;
	buf_add(ret, key, (size_t)size);
	return buf_check(ret);
}
