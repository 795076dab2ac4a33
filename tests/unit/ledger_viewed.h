/* A view over a real store, and what is folded into it: entries of log 26. */
#ifndef SPLOT_TESTS_LEDGER_VIEWED_H
#define SPLOT_TESTS_LEDGER_VIEWED_H

#include "ledger_fixture.h"
#include "ledger_recount.h"

#include "ledger/view.h"

struct viewed {
	struct fixture *f;
	struct view view;
	struct view_fold *fold;
	uint64_t position;
	uint64_t index;
};

static inline struct viewed *new_view(struct fixture *f)
{
	struct viewed *v = arena_alloc(&f->arena, sizeof *v);

	assert_non_null(v);
	*v = (struct viewed){.f = f};
	assert_ok(view_open(f->store, true, &v->view));
	assert_ok(view_fold_new(&v->fold));
	return v;
}

/* Folds events of log 26 as one entry. */
static inline void fold_entry_of(struct viewed *v, struct event *events, size_t count)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(v->f->store, true, &t));
	for (size_t i = 0; i < count; i++)
		assert_ok(view_fold_event(v->fold, &v->view, t, v->position, name_of("26"),
					  v->index++, &events[i]));
	assert_ok(view_fold_finish(v->fold, &v->view, t, ++v->position));
	assert_ok(txn_commit(t));
}

static inline void fold_changes(struct viewed *v, struct change *changes, size_t count)
{
	struct event e = event_of(changes, count);

	fold_entry_of(v, &e, 1);
}

static inline void put_record(struct viewed *v, const struct record *r)
{
	struct change c = put_change(r);

	fold_changes(v, &c, 1);
}

static inline void retire(struct viewed *v, enum record_kind kind, const char *id)
{
	struct change c = retire_change(kind, id);

	fold_changes(v, &c, 1);
}

static inline struct record *entity(struct viewed *v, const char *id, const char *kind,
				    const char *name)
{
	return record_with(&v->f->arena, RECORD_ENTITY, "id", id, "kind", kind, "name", name, NULL);
}

static inline struct txn *reading(struct viewed *v)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(v->f->store, false, &t));
	return t;
}

static inline int64_t count_of(struct viewed *v, const char *row)
{
	struct txn *t = reading(v);
	struct count *rows = NULL;
	size_t count = 0;

	all_counts(&v->view, t, &v->f->arena, &rows, &count);
	txn_abort(t);
	return kept_count(rows, count, row);
}

static inline void done(struct viewed *v)
{
	view_fold_free(v->fold);
}

#endif
