/* What becomes of one field when a file comes back while the register went on.  Pure. */
#ifndef SPLOT_ADMIN_MERGE_H
#define SPLOT_ADMIN_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/region.h"

enum merge {
	MERGE_KEEP,     /* the register's text stays */
	MERGE_TAKE,     /* the file's text is new */
	MERGE_CONFLICT, /* both changed it, to different texts */
};

/* `base`: the text when the file was exported; NULL: not known, so the file's text counts.
 * Other line ends alone are no change of an exported text: spreadsheets rewrite them. */
enum merge merge_field(const char *base, const char *in_register, const char *in_file);

/* "<log>@<size>", what a file was exported as; false when it is not that.  The log is a
 * region's ("26") or a server's ("national/centrum"). */
enum { STATE_LOG_BYTES = 80 };
struct state_mark {
	char log[STATE_LOG_BYTES];
	uint64_t size;
};
bool state_parse(const char *text, struct state_mark *ret);

#endif
