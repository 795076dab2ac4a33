/* Something wrong with a file: where, what was there, a stable code, and words in Polish
 * and English.  What validation finds and what only a file can have look the same here. */
#ifndef SPLOT_ADMIN_CSV_FINDING_H
#define SPLOT_ADMIN_CSV_FINDING_H

#include "base/bytes.h"
#include "model/json.h"
#include "model/validate.h"

struct finding {
	const char *file;
	size_t row;         /* as a spreadsheet counts: 1 is the header; 0: the whole file */
	const char *column; /* "" for the whole row */
	const char *value;
	const char *code;
	const char *text_pl;
	const char *text_en;
};

struct findings {
	struct finding *items; /* owned array; texts are borrowed or in an arena */
	size_t count, capacity;
};

MUST_USE enum err findings_add(struct findings *fs, const struct finding *f);
void findings_free(struct findings *fs);
/* By file, then by row. */
void findings_sort(struct findings *fs);
/* True when row and column have one already. */
bool findings_has(const struct findings *fs, const char *file, size_t row, const char *column);
/* "entities.csv, row 4, nip "123": text [bad-nip]" and a newline. */
void finding_print(const struct finding *f, bool polish, struct buf *out);
void finding_json(const struct finding *f, bool polish, struct json *j);

#endif
