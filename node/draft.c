#include "node/node.h"

#include <stdio.h>

/* What can be wrong between a change and the register; one row each. */
enum misfit { FITS, EXISTS, GONE, MISSING, CHANGED, SAME };

static const struct {
	enum err err;
	const char *code;
	const char *pl;
	const char *en;
} misfits[] = {
	[FITS] = {ERR_OK, "", "", ""},
	[EXISTS] = {ERR_CONFLICT, "exists",
		    "rekord o tym identyfikatorze już jest; odczytaj go i podaj wersję, którą "
		    "zmieniasz",
		    "a record of this id is there already; read it and name the version that you "
		    "change"},
	[GONE] = {ERR_CONFLICT, "retired",
		  "rekord o tym identyfikatorze został zakończony; identyfikatora nie używa się "
		  "ponownie, nadaj inny",
		  "the record of this id was retired; an id is never used again, take another"},
	[MISSING] = {ERR_NOT_FOUND, "not-found",
		     "nie ma rekordu o tym identyfikatorze i rodzaju; popraw identyfikator albo "
		     "dodaj rekord jako nowy",
		     "no record has this id and kind; correct the id, or add the record as a new "
		     "one"},
	[CHANGED] = {ERR_CONFLICT, "conflict",
		     "ktoś zmienił ten rekord w międzyczasie; odczytaj go i powtórz zmianę",
		     "somebody changed this record meanwhile; read it and repeat the change"},
	[SAME] = {ERR_INVALID, "unchanged",
		  "nic się nie zmienia; pomiń ten rekord albo użyj „confirm”",
		  "nothing changes; leave this record out, or use `confirm`"},
};

/* The current version of an id, of whatever kind. */
static enum err find_any(const struct view *v, struct txn *t, struct bytes id, struct arena *arena,
			 struct version *ret)
{
	enum err e = ERR_NOT_FOUND;

	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST && e == ERR_NOT_FOUND; k++)
		e = view_get(v, t, (enum record_kind)k, id, arena, ret);
	return e;
}

/* `ret_now` is filled when there is a current version, `*ret_found` says so. */
static enum err compare_change(const struct view *v, struct txn *t, const struct change *c,
			       struct arena *arena, enum misfit *ret, struct version *ret_now,
			       bool *ret_found)
{
	struct bytes id = bytes_of_text(c->id);
	bool used = false;
	enum err e = ERR_OK;

	*ret_found = false;
	if (!c->has_supersedes) {
		e = view_id_used(v, t, id, &used);
		if (e != ERR_OK)
			return e;
		*ret = c->retired ? MISSING : FITS;
		if (!used)
			return ERR_OK;
		e = find_any(v, t, id, arena, ret_now);
	} else {
		e = view_get(v, t, c->kind, id, arena, ret_now);
		if (e == ERR_NOT_FOUND) {
			*ret = MISSING;
			return ERR_OK;
		}
	}
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
	*ret_found = true;
	if (ret_now->change.retired)
		*ret = GONE;
	else if (!c->has_supersedes)
		*ret = EXISTS;
	else if (ret_now->index != c->supersedes)
		*ret = CHANGED;
	else if (c->record && ret_now->change.record &&
		 record_same(c->record, ret_now->change.record))
		*ret = SAME;
	else
		*ret = FITS;
	return ERR_OK;
}

/* What a refusal gathers: a problem for each change that does not fit, and the versions
 * that are current instead. */
struct findings {
	struct problems problems;
	struct version *versions;
	size_t version_count;
	enum misfit first;
	const char *first_id;
};

static enum err find_misfit(struct findings *f, const struct event *draft, size_t row,
			    enum misfit misfit, const struct version *now, struct arena *arena)
{
	const struct change *c = &draft->changes[row];
	struct problem p = {.row = row,
			    .column = "id",
			    .value = c->id,
			    .code = misfits[misfit].code,
			    .text_pl = misfits[misfit].pl,
			    .text_en = misfits[misfit].en};

	if (!f->versions) {
		f->versions = arena_alloc(arena, draft->change_count * sizeof *f->versions);
		if (!f->versions)
			return ERR_NOMEM;
		f->first = misfit;
		f->first_id = c->id;
	}
	if (now)
		f->versions[f->version_count++] = *now;
	return problem_add(&f->problems, arena, &p);
}

static enum err refuse(const struct findings *f, struct arena *arena, struct control_reply *ret)
{
	char text[TEXT_BYTES_MAX + 1];
	const char *kept = NULL;
	enum err code = misfits[f->first].err;

	(void)snprintf(text, sizeof text, "%s: %s", f->first_id, misfits[f->first].en);
	if (f->problems.count > 1)
		(void)snprintf(text, sizeof text, "%s: %s (and %zu more)", f->first_id,
			       misfits[f->first].en, f->problems.count - 1);
	kept = arena_text(arena, bytes_of_text(text));
	*ret = answer_plain(code, kept ? kept : err_text(code));
	ret->problems = f->problems.items;
	ret->problem_count = f->problems.count;
	ret->versions = f->versions;
	ret->version_count = f->version_count;
	return code;
}

enum err draft_compare(const struct view *v, struct txn *t, const struct event *draft,
		       struct arena *arena, struct control_reply *ret, enum err *ret_store)
{
	struct findings f = {.first = FITS};
	enum err e = ERR_OK;

	*ret_store = ERR_OK;
	for (size_t i = 0; i < draft->change_count && e == ERR_OK; i++) {
		struct version now;
		enum misfit misfit = FITS;
		bool found = false;

		e = compare_change(v, t, &draft->changes[i], arena, &misfit, &now, &found);
		if (e == ERR_OK && misfit != FITS)
			e = find_misfit(&f, draft, i, misfit, found ? &now : NULL, arena);
	}
	*ret_store = e;
	if (e != ERR_OK)
		return e;
	return f.versions ? refuse(&f, arena, ret) : ERR_OK;
}
