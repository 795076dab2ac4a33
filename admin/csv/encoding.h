/* What encoding a file is in, and its text as UTF-8.  Pure. */
#ifndef SPLOT_ADMIN_CSV_ENCODING_H
#define SPLOT_ADMIN_CSV_ENCODING_H

#include "base/bytes.h"

enum text_encoding { ENCODING_UTF8, ENCODING_WINDOWS_1250, ENCODING_ISO_8859_2, ENCODING_COUNT };

/* "UTF-8", "windows-1250", "ISO-8859-2". */
const char *encoding_name(enum text_encoding e);
/* By that name, any case; ENCODING_COUNT when there is none. */
enum text_encoding encoding_named(const char *name);

enum encoding_doubt {
	ENCODING_CLEAR,
	ENCODING_EITHER,  /* windows-1250 or ISO-8859-2: the bytes do not say which */
	ENCODING_NEITHER, /* holds bytes that none of the three has */
	ENCODING_UTF16,
	ENCODING_NUL, /* a zero byte: no text file */
};

/* UTF-8 when it is valid as such; else by bytes that make sense in only one of the other
 * two.  Whoever is not CLEAR sets *ret_at to the first byte that matters. */
enum encoding_doubt encoding_detect(struct bytes raw, enum text_encoding *ret, size_t *ret_at);
/* Appends the text as UTF-8, without a byte order mark.  ENCODING when it does not fit. */
MUST_USE enum err encoding_to_utf8(struct bytes raw, enum text_encoding from, struct buf *ret);

#endif
