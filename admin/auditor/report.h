/* What a verification found, for people and as lines of JSON. */
#ifndef SPLOT_ADMIN_AUDITOR_REPORT_H
#define SPLOT_ADMIN_AUDITOR_REPORT_H

#include "admin/cli.h"
#include "audit/verify.h"
#include "base/time.h"

/* Where a report was made of. */
struct report_of {
	const char *what; /* the folder or socket */
	bool stated;      /* the keys are its own word */
	struct wall_ms at;
};

/* One bad place, one line. */
void report_finding(const struct cli *cli, const struct damage_found *f, struct buf *out);
void report_summary(struct cli *cli, const struct report_of *of, const struct verify_report *r,
		    struct buf *out);
/* The whole report in one line of JSON, as `verified.json` keeps it. */
void report_json(const struct report_of *of, const struct verify_report *r, struct buf *out);

/* A number that such a line says; false when it does not. */
bool report_number(const char *line, const char *key, uint64_t *ret);

#endif
