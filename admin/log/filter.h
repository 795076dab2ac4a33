/* Which changes `splotctl log` shows. */
#ifndef SPLOT_ADMIN_LOG_FILTER_H
#define SPLOT_ADMIN_LOG_FILTER_H

#include "model/event.h"

struct log_filter { /* what is NULL, "" or NONE passes everything */
	const char *record;
	enum record_kind kind;
	const char *field;
	const char *editor;
	int region;
	struct log_name log;
};

/* Whether anything of this log can pass. */
bool filter_takes_log(const struct log_filter *f, struct log_name log);
/* Whether only events that change certain records or fields can pass: acts of a log cannot. */
bool filter_wants_changes(const struct log_filter *f);
/* Whether who made it, passes. */
bool filter_takes_editor(const struct log_filter *f, const char *editor);
/* Whether the change may pass by what it says itself; its fields are another question. */
bool filter_takes_record(const struct log_filter *f, const struct change *c);
/* Whether it passes: `before` is the version that it replaces, NULL when there is none or it is
 * not known. */
bool filter_takes_change(const struct log_filter *f, const struct change *c,
			 const struct record *before);

#endif
