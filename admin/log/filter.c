#include "admin/log/filter.h"

#include <string.h>

#include "admin/log/difference.h"

bool filter_takes_log(const struct log_filter *f, struct log_name log)
{
	if (*f->log.text && !log_name_equal(f->log, log))
		return false;
	return f->region == REGION_NONE || log_name_region(log) == f->region;
}

bool filter_wants_changes(const struct log_filter *f)
{
	return f->record || f->field || f->kind != RECORD_NONE;
}

bool filter_takes_editor(const struct log_filter *f, const char *editor)
{
	return !f->editor || !strcmp(f->editor, editor);
}

bool filter_takes_record(const struct log_filter *f, const struct change *c)
{
	if (f->record && strcmp(f->record, c->id) != 0)
		return false;
	return f->kind == RECORD_NONE || f->kind == c->kind;
}

bool filter_takes_change(const struct log_filter *f, const struct change *c,
			 const struct record *before)
{
	return filter_takes_record(f, c) &&
	       (!f->field || difference_has(before, c->record, f->field));
}
