#ifndef SPLOT_TESTS_MODEL_EVENT_WORLD_H
#define SPLOT_TESTS_MODEL_EVENT_WORLD_H

#include "model_support.h"

enum { REGION_26 = 12 };

/* What a test of events encodes into and decodes from. */
struct world {
	struct arena arena;
	struct arena scratch;
	struct buf out;
};

static inline int open_world(void **state)
{
	*state = calloc(1, sizeof(struct world));
	return *state ? 0 : -1;
}

static inline int close_world(void **state)
{
	struct world *w = *state;

	arena_free(&w->arena);
	arena_free(&w->scratch);
	buf_free(&w->out);
	free(w);
	return 0;
}

static inline struct record *club(struct world *w, const char *id)
{
	return make_record(&w->arena, RECORD_ENTITY, "id", id, "region", "26", "kind", "KIS",
			   "name", "KIS Nowiny (Stowarzyszenie PROREW)", "place", "Nowiny", NULL);
}

static inline struct log_name log_26(void)
{
	struct log_name name;

	assert_ok(log_name_parse(bytes_of_text("26"), &name));
	return name;
}

#endif
