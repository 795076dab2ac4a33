/* What the tests of server/web/register share: records by name and value put into a catalog, and a
 * seeded generator. */
#ifndef SPLOT_TESTS_REGISTER_SUPPORT_H
#define SPLOT_TESTS_REGISTER_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "register/movement.h"
#include "register/query.h"

#define assert_ok(e)            assert_string_equal(err_code(e), "ok")
#define assert_err(e, expected) assert_string_equal(err_code(e), err_code(expected))

struct fixture {
	struct catalog *catalog;
	struct arena records; /* of one put */
	struct arena answers;
	uint64_t puts;
	struct wall_ms now; /* when the next version is recorded */
	char why[TEXT_BYTES_MAX + 1];
};

static inline void fixture_open(struct fixture *f)
{
	*f = (struct fixture){.puts = 0};
	assert_ok(catalog_new(&f->catalog));
}

static inline void fixture_close(struct fixture *f)
{
	catalog_free(f->catalog);
	arena_free(&f->records);
	arena_free(&f->answers);
}

/* ---- versions ---- */

static inline struct version version_of(struct fixture *f, const char *id, enum record_kind kind,
					const struct record *r)
{
	struct version v = {
		.position = f->puts + 100,
		.index = f->puts,
		.log = {"26"},
		.recorded = f->now,
		.editor = "e1",
		.reason = "",
		.source = "",
		.change = {.id = id, .kind = kind, .record = r, .retired = !r},
	};

	f->puts++;
	return v;
}

static inline void set_field(struct fixture *f, struct record *r, const char *name,
			     const char *text)
{
	int field = field_named(record_info(r), name);

	assert_true(field >= 0);
	assert_ok(record_set(r, &f->records, (size_t)field, bytes_of_text(text)));
}

/* Name, value, name, value, …, NULL. */
static inline struct version version_with(struct fixture *f, enum record_kind kind, const char *id,
					  va_list pairs)
{
	struct record *r = record_new(&f->records, kind);
	const char *name = NULL;

	assert_non_null(r);
	set_field(f, r, "id", id);
	while ((name = va_arg(pairs, const char *)) != NULL)
		set_field(f, r, name, va_arg(pairs, const char *));
	return version_of(f, id, kind, r);
}

static inline void put(struct fixture *f, enum record_kind kind, const char *id, ...)
{
	va_list pairs;
	struct version v;

	va_start(pairs, id);
	v = version_with(f, kind, id, pairs);
	va_end(pairs);
	assert_ok(catalog_put(f->catalog, &v));
	arena_reset(&f->records);
}

static inline void retire(struct fixture *f, enum record_kind kind, const char *id)
{
	struct version v = version_of(f, id, kind, NULL);

	assert_ok(catalog_put(f->catalog, &v));
}

/* ---- questions ---- */

/* "kind=KIS&sort=-name", nothing escaped; the text is cut in the arena. */
static inline enum err ask(struct fixture *f, enum record_kind kind, const char *asked,
			   struct query_result *ret)
{
	const char *names[128];
	const char *values[128];
	size_t count = 0;
	char *at = arena_text(&f->answers, bytes_of_text(asked));
	struct query *q = arena_alloc(&f->answers, sizeof *q);
	enum err e = ERR_OK;

	assert_non_null(at);
	assert_non_null(q);
	while (at && *at) {
		char *end = strchr(at, '&');
		char *value = strchr(at, '=');

		assert_true(count < 128 && value);
		if (end)
			*end = 0;
		*value = 0;
		names[count] = at;
		values[count++] = value + 1;
		at = end ? end + 1 : NULL;
	}
	f->why[0] = 0;
	e = query_parse(kind, names, values, count, NULL, q, f->why);
	return e == ERR_OK ? query_run(f->catalog, q, &f->answers, ret, f->why) : e;
}

/* The ids that a question finds, in order, with one space between. */
static inline const char *found(struct fixture *f, enum record_kind kind, const char *asked)
{
	struct query_result r = {.total = 0};
	struct buf ids = {.data = NULL};
	const char *text = NULL;

	assert_ok(ask(f, kind, asked, &r));
	for (size_t i = 0; i < r.row_count; i++) {
		buf_add_text(&ids, i ? " " : "");
		buf_add_text(&ids, catalog_text(f->catalog, kind, r.rows[i], 0));
	}
	text = arena_text(&f->answers, buf_bytes(&ids));
	buf_free(&ids);
	return text;
}

/* ---- chance ---- */

/* SPLOT_SEED repeats a failure. */
static inline uint64_t seed_of_run(void)
{
	const char *given = getenv("SPLOT_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)wall_now().ms;

	(void)printf("seed %llu (repeat with SPLOT_SEED)\n", (unsigned long long)seed);
	return seed * 2654435761u + 1;
}

static inline uint64_t any(uint64_t *state, uint64_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % below;
}

#endif
