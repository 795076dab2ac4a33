/* The field rules that bind edits at a node (docs/ARCHITECTURE.md lists them), and
 * the tools that imports need: minting ids, repairing what Excel damaged.
 *
 * Pure.  Layer: model. */
#ifndef SPLOT_MODEL_VALIDATE_H
#define SPLOT_MODEL_VALIDATE_H

#include "base/bytes.h"
#include "model/event.h"
#include "model/record.h"

/* Existence of TERYT codes, when a TERC table is configured; NULL functions or a NULL
 * table: only the format is checked. */
struct terc {
	void *context;
	bool (*powiat_known)(const void *context, const char *code4);
	bool (*gmina_known)(const void *context, const char *code7);
};

/* One thing wrong.  Texts are static or live in the arena given to validate_*. */
struct problem {
	size_t row;          /* the caller's number of the record: index of the change */
	const char *column;  /* field name; "" for the whole row */
	const char *value;   /* what was there; withheld ("…") when it looks like personal data */
	const char *code;    /* stable: "bad-date", "personal-data", … */
	const char *text_pl; /* what is wrong and what to do */
	const char *text_en;
};

struct problems {
	struct problem *items; /* in the arena; grows */
	size_t count;
	size_t capacity;
	size_t limit; /* 0: none; further problems are only counted in `dropped` */
	size_t dropped;
};

/* Appends a problem; texts are copied into the arena. NOMEM. */
MUST_USE enum err problem_add(struct problems *ps, struct arena *arena, const struct problem *p);

/* Checks one record against every field rule and the rules between fields (id against
 * region, kind and owner; exactly one of entity and operator; sector against form …).
 * `region` is the owner that may write.  Adds problems; returns only NOMEM or OK. */
MUST_USE enum err validate_record(const struct record *r, int region, const struct terc *terc,
				  size_t row, struct arena *arena, struct problems *problems);

/* A draft event: editor, reason, source and every change in it. */
MUST_USE enum err validate_event(const struct event *e, int region, const struct terc *terc,
				 struct arena *arena, struct problems *problems);

/* True when the text holds what looks like a PESEL, a private mailbox or a mobile number. */
bool looks_personal(struct bytes text);
/* What stands for an editor or an administrator in a log for ever: 1 to EDITOR_BYTES_MAX of a-z,
 * 0-9 and '-' that lead to no person. */
bool is_pseudonym(const char *text);

/* A new id for a record without one, from its fields: "pl26-kis-kielce-pestka",
 * "pl26-op-…", "pl22-net-…", "<network>--<member>", "st-26-2019-07-04-kis-…".  `taken`
 * tells whether an id is in use (then the operator, then a number is appended).
 * INVALID when fields that the id is made of are missing. */
MUST_USE enum err id_mint(const struct record *r, bool (*taken)(void *context, const char *id),
			  void *context, struct buf *ret);
/* Folds Polish text to [a-z0-9-] ("Wąchock nad Łęgą" -> "wachock-nad-lega"). */
void id_fold(struct bytes text, struct buf *ret);

/* What a spreadsheet may have done to one cell of this column. REPAIR_NONE: as it was;
 * REPAIR_DONE: `ret` holds the repaired text; REPAIR_UNSURE: damaged, but more than one
 * reading fits: refuse. */
enum repair { REPAIR_NONE, REPAIR_DONE, REPAIR_UNSURE };
enum repair repair_cell(const struct field *field, struct bytes text, struct buf *ret);

#endif
