/* What the tests of server/web/api share: a real view in a store of its own, folded from events
 * made of a few words, a catalog that follows it to any position, and questions as a URL has them.
 */
#ifndef SPLOT_TESTS_API_SUPPORT_H
#define SPLOT_TESTS_API_SUPPORT_H

#include "ledger_fixture.h"

#include <inttypes.h>

#include "api/api.h"
#include "api/request.h"
#include "base/day.h"
#include "ledger/view.h"
#include "tlog/proof_file.h"

enum { NATION_PARAMS = 64, NATION_RUN = 50, NATION_BYTES = 1024 * 1024 };

struct nation {
	char folder[TEMPORARY_BYTES];
	struct store *store;
	struct view view;
	struct arena arena;   /* of what is put in */
	struct arena scratch; /* of answers */
	uint64_t position;    /* entries folded */
	uint64_t sizes[REGION_COUNT];
	struct catalog *catalog; /* of the last question */
	struct movements *movements;
	struct api_context context; /* what questions are asked with */
	struct wall_ms now;
	struct buf body;
	struct api_answer answer;
};

static inline struct wall_ms time_of(const char *text)
{
	struct moment m;

	assert_ok(moment_parse(text, &m));
	return m.first;
}

static inline int nation_setup(void **state)
{
	struct nation *n = calloc(1, sizeof *n);
	struct store_options options = {.map_bytes = TEST_MAP_BYTES};

	assert_non_null(n);
	assert_true(sodium_init() >= 0);
	temporary_make(n->folder, "api");
	assert_ok(store_open(n->folder, &options, &n->store));
	assert_ok(view_open(n->store, true, &n->view));
	n->now = time_of("2026-11-22T10:00:00Z");
	*state = n;
	return 0;
}

static inline void nation_forget(struct nation *n)
{
	catalog_free(n->catalog);
	movements_free(n->movements);
	n->catalog = NULL;
	n->movements = NULL;
}

static inline int nation_teardown(void **state)
{
	struct nation *n = *state;

	nation_forget(n);
	store_close(n->store);
	arena_free(&n->arena);
	arena_free(&n->scratch);
	buf_free(&n->body);
	temporary_remove(n->folder);
	free(n);
	return 0;
}

/* ---- what happens ---- */

/* One entry with one event of a region's log: what its records become. */
static inline void happens(struct nation *n, const char *log, const char *when,
			   struct change *changes, size_t count)
{
	struct event e = event_of(changes, count);
	int region = region_by_code(bytes_of_text(log));
	struct view_fold *fold = NULL;
	struct txn *t = NULL;

	assert_true(region != REGION_NONE);
	e.recorded = time_of(when);
	assert_ok(view_fold_new(&fold));
	assert_ok(txn_begin(n->store, true, &t));
	assert_ok(view_fold_time(fold, &n->view, t, n->position, &e.recorded));
	assert_ok(view_fold_event(fold, &n->view, t, n->position, name_of(log), n->sizes[region]++,
				  &e));
	assert_ok(view_fold_finish(fold, &n->view, t, ++n->position));
	assert_ok(txn_commit(t));
	view_fold_free(fold);
}

#define HAPPENS(n, log, when, ...)                                                                 \
	happens(n, log, when, (struct change[]){__VA_ARGS__},                                      \
		sizeof((struct change[]){__VA_ARGS__}) / sizeof(struct change))
#define PUT(n, kind, ...) put_change(record_with(&(n)->arena, kind, __VA_ARGS__, NULL))
#define END(kind, id)     retire_change(kind, id)

/* ---- what is asked ---- */

static inline void follow(struct nation *n, struct txn *t, uint64_t end)
{
	struct view_change *run = calloc(NATION_RUN, sizeof *run);
	struct change_place from;
	struct wall_ms time = {0};
	struct arena arena = {0};
	bool begun = false;
	bool more = true;

	assert_non_null(run);
	nation_forget(n);
	assert_ok(catalog_new(&n->catalog));
	assert_ok(movements_new(&n->movements));
	while (more) {
		size_t count = 0;

		arena_reset(&arena);
		assert_ok(view_changes(&n->view, t, begun ? &from : NULL, false, end, NATION_RUN,
				       NATION_BYTES, &arena, run, &count, &more));
		for (size_t i = 0; i < count; i++) {
			assert_ok(movements_note(n->movements, n->catalog, &run[i].version));
			assert_ok(catalog_put(n->catalog, &run[i].version));
			from = run[i].place;
			begun = true;
		}
	}
	if (end)
		assert_ok(view_time(&n->view, t, end - 1, &time));
	catalog_stands_at(n->catalog, end, time);
	arena_free(&arena);
	free(run);
}

static inline char unhex(const char *two)
{
	const char text[] = {two[0], two[1], '\0'};

	return (char)strtol(text, NULL, 16);
}

/* In place, as the HTTP side does before the API sees it. */
static inline char *decoded(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		if (*at == '%') {
			*to++ = unhex(at + 1);
			at += 2;
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
	return text;
}

static inline void parse_url(struct nation *n, const char *url, struct api_request *rq)
{
	struct api_param *params = arena_alloc(&n->scratch, NATION_PARAMS * sizeof *params);
	char *at = arena_text(&n->scratch, bytes_of_text(url));
	char *question = at ? strchr(at, '?') : NULL;

	assert_true(params && at);
	rq->path = at;
	rq->params = params;
	rq->param_count = 0;
	if (question)
		*question++ = '\0';
	(void)decoded(at);
	for (at = question; at && *at;) {
		char *end = strchr(at, '&');
		char *value = strchr(at, '=');

		assert_true(value && rq->param_count < NATION_PARAMS);
		if (end)
			*end = '\0';
		*value++ = '\0';
		params[rq->param_count++] = (struct api_param){decoded(at), decoded(value)};
		at = end ? end + 1 : NULL;
	}
}

/* The body of the answer; n->answer has the rest. */
static inline const char *ask_as(struct nation *n, const char *url, const char *accept)
{
	struct api_request rq = {.accept = accept};
	struct txn *t = NULL;
	uint64_t position = 0;
	bool past = false;
	enum err e = ERR_OK;

	arena_reset(&n->scratch);
	buf_clear(&n->body);
	n->answer = (struct api_answer){.body = &n->body};
	parse_url(n, url, &rq);
	assert_ok(txn_begin(n->store, false, &t));
	e = api_position(&n->view, t, &rq, n->now, &position, &past, &n->answer);
	if (e == ERR_OK) {
		follow(n, t, position);
		n->context.catalog = n->catalog;
		n->context.movements = n->movements;
		n->context.view = &n->view;
		n->context.txn = t;
		n->context.past = past;
		n->context.now = n->now;
		n->context.arena = &n->scratch;
		assert_ok(api_answer(&n->context, &rq, &n->answer));
	}
	txn_abort(t);
	return buf_text(&n->body);
}

static inline const char *ask(struct nation *n, const char *url)
{
	return ask_as(n, url, NULL);
}

#define assert_status(n, expected) assert_int_equal((n)->answer.status, expected)
#define assert_has(text, part)                                                                     \
	do {                                                                                       \
		if (!strstr(text, part))                                                           \
			fail_msg("no %s in\n%s", part, text);                                      \
	} while (0)
#define assert_lacks(text, part)                                                                   \
	do {                                                                                       \
		if (strstr(text, part))                                                            \
			fail_msg("%s in\n%s", part, text);                                         \
	} while (0)

/* How often a part is there. */
static inline size_t times_in(const char *text, const char *part)
{
	size_t count = 0;

	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		count++;
	return count;
}

#endif
