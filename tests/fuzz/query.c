/* Questions to the register: filters, search, order, pages, facets.  Paging through with cursors
 * gives the very rows of one large page, each once; cursors are read only as they were written.
 * Input: lines of name=value. */
#include "fuzz.h"

#include "register/query.h"
#include "register/query_parts.h"

enum { ROWS = 60, PARAMS_MAX = 40, PAGES_MAX = 200 };

static struct catalog *catalog;

static void set(struct record *r, struct arena *arena, const char *name, const char *text)
{
	int field = field_named(record_info(r), name);

	if (field >= 0)
		ALWAYS(record_set(r, arena, (size_t)field, bytes_of_text(text)) == ERR_OK);
}

static void put(enum record_kind kind, int i)
{
	static const char *const names[] = {"\xc5\x81ska", "Ala ma", "klub B", "", "Centrum 7"};
	static const char *const dates[] = {"2019", "2019-06", "2019-06-30", "", "2026-01-01"};
	struct arena arena = {.head = NULL};
	struct record *r = record_new(&arena, kind);
	struct version v = {.position = (uint64_t)i,
			    .log = {"26"},
			    .index = (uint64_t)i,
			    .editor = "e",
			    .reason = "",
			    .source = ""};
	char id[32];

	(void)snprintf(id, sizeof id, "pl26-x-%02d-%d", i % 40, (int)kind);
	ALWAYS(r);
	set(r, &arena, "id", id);
	set(r, &arena, "name", names[i % 5]);
	set(r, &arena, "kind", i % 2 ? "KIS" : "CIS");
	set(r, &arena, "region", i % 3 ? "26" : "24");
	set(r, &arena, "teryt4", i % 4 ? "2661" : "");
	set(r, &arena, "as_of", dates[i % 5]);
	set(r, &arena, "value", i % 3 ? "17" : "9,5");
	v.change = (struct change){.id = id, .kind = kind, .record = r};
	ALWAYS(catalog_put(catalog, &v) == ERR_OK);
	arena_free(&arena);
}

static void make_catalog(void)
{
	if (catalog)
		return;
	ALWAYS(catalog_new(&catalog) == ERR_OK);
	for (int i = 0; i < ROWS; i++)
		put((enum record_kind)(RECORD_KIND_FIRST + i % 5), i);
	ALWAYS(catalog_prepare(catalog) == ERR_OK);
}

struct params {
	size_t count;
	const char *names[PARAMS_MAX], *values[PARAMS_MAX];
};

static void cut(char *text, struct params *p)
{
	while (text && *text && p->count < PARAMS_MAX) {
		char *line = strsep(&text, "\n");
		char *value = strchr(line, '=');

		if (!value)
			continue;
		*value++ = 0;
		p->names[p->count] = line;
		p->values[p->count++] = value;
	}
}

static void try_cursor(const char *text)
{
	struct arena arena = {.head = NULL};
	struct place place;

	if (cursor_read(text, &arena, &place) == ERR_OK) {
		const char *again = cursor_write(&place, &arena);

		ALWAYS(again && strcmp(again, text) == 0);
	}
	arena_free(&arena);
}

static void check_facets(const struct query *q, const struct query_result *r)
{
	for (size_t i = 0; i < q->facet_count; i++) {
		const struct facet *f = &r->facets[i];

		ALWAYS(f->value_count <= QUERY_FACET_VALUES && f->value_count <= f->distinct);
		for (size_t k = 1; k < f->value_count; k++)
			ALWAYS(f->values[k].count <= f->values[k - 1].count);
	}
}

/* The same question page by page. */
static void pages(struct query q, const struct query_result *all, struct arena *arena)
{
	char why[TEXT_BYTES_MAX + 1];
	size_t seen = 0;

	q.cursor = NULL;
	q.limit = 7;
	for (size_t i = 0; i < PAGES_MAX; i++) {
		struct query_result page = {.total = 0};

		ALWAYS(query_run(catalog, &q, arena, &page, why) == ERR_OK);
		ALWAYS(page.total == all->total && page.row_count <= q.limit);
		for (size_t k = 0; k < page.row_count; k++) {
			ALWAYS(seen < all->row_count);
			ALWAYS(page.rows[k] == all->rows[seen++]);
		}
		if (!page.next)
			break;
		try_cursor(page.next);
		q.cursor = page.next;
	}
	ALWAYS(seen == all->row_count);
}

static void ask(enum record_kind kind, const struct params *p)
{
	struct arena arena = {.head = NULL};
	char why[TEXT_BYTES_MAX + 1] = "";
	static struct query q;
	struct query_result r = {.total = 0};
	enum err e = query_parse(kind, p->names, p->values, p->count, NULL, &q, why);

	if (e == ERR_OK) {
		e = query_run(catalog, &q, &arena, &r, why);
		ALWAYS(e == ERR_OK || (e == ERR_INVALID && q.cursor));
	}
	if (e != ERR_OK) {
		ALWAYS(e == ERR_INVALID && *why && strlen(why) <= TEXT_BYTES_MAX);
		arena_free(&arena);
		return;
	}
	ALWAYS(r.row_count <= r.total && r.total <= catalog_count(catalog, kind));
	ALWAYS(q.limit == 0 || r.row_count <= q.limit);
	for (size_t i = 0; i < r.row_count; i++)
		ALWAYS(r.rows[i] < catalog_count(catalog, kind));
	check_facets(&q, &r);
	q.cursor = NULL;
	q.limit = 0;
	ALWAYS(query_run(catalog, &q, &arena, &r, why) == ERR_OK && r.row_count == r.total);
	pages(q, &r, &arena);
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct params p = {.count = 0};
	char *text = fuzz_text(bytes_of(data + (size > 0), size - (size > 0)));

	make_catalog();
	try_cursor(text);
	cut(text, &p);
	ask((enum record_kind)(RECORD_KIND_FIRST + (size ? data[0] % 5 : 0)), &p);
	free(text);
	return 0;
}

static void add(struct seeds *to, const char *name, char kind, const char *text)
{
	struct buf b = {.data = NULL};

	buf_add_u8(&b, (uint8_t)kind);
	buf_add_text(&b, text);
	seed_add(to, name, fuzz_done(&b));
	buf_free(&b);
}

void fuzz_seeds(struct seeds *to)
{
	struct arena arena = {.head = NULL};
	struct place place = {.kind = RECORD_ENTITY,
			      .sort = 1,
			      .key = bytes_of_text("abc"),
			      .id = bytes_of_text("pl26-x-01-4")};
	const char *cursor = cursor_write(&place, &arena);
	struct buf text = {.data = NULL};

	ALWAYS(cursor);
	add(to, "nothing", 1, "");
	add(to, "filters", 1,
	    "kind=KIS\nkind=CIS\nregion=26\nteryt4=\nteryt4.starts=26\nlimit=5\n");
	add(to, "search", 1, "q=lsk kl\nsort=-name\nfacets=kind,region\nlimit=3\n");
	add(to, "range", 4, "as_of.from=2019\nas_of.to=2019-06\nvalue.from=9\nsort=value\n");
	add(to, "operators", 0, "sort=-id\nfacets=form\n");
	for (int i = 0; i <= QUERY_VALUES_MAX; i++) /* more of each than there may be */
		buf_printf(&text, "kind=%d\n", i);
	add(to, "values-too-many", 1, buf_text(&text));
	buf_clear(&text);
	buf_add_text(&text, "facets=kind");
	for (int i = 0; i <= QUERY_FACETS_MAX; i++)
		buf_add_text(&text, ",name");
	add(to, "facets-too-many", 1, buf_text(&text));
	buf_clear(&text);
	buf_printf(&text, "sort=name\ncursor=%s\n", cursor);
	add(to, "cursor", 1, buf_text(&text));
	add(to, "cursor-alone", 1, cursor);
	buf_free(&text);
	arena_free(&arena);
}
