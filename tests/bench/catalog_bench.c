/* The register of splot-web in memory, at a size no nation reaches soon: how long the load, a page
 * and a search take, and how much memory.  catalog_bench [ENTITIES [SEED]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/endpoints.h"
#include "register/movement.h"
#include "register/query.h"

enum { ENTITIES = 100000, REPEATS = 20 };

static uint64_t state = 1;

static uint64_t any(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static double now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void check(enum err e, const char *what)
{
	if (e == ERR_OK)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, err_text(e));
	exit(1);
}

/* ---- records ---- */

static const char *const syllables[] = {"ka",   "ło", "wi", "ce",  "żu", "ra",  "dą",  "bro", "gó",
					"ście", "no", "wa", "śli", "mo", "ryń", "sko", "pie", "to"};

/* A word that depends on its number alone. */
static const char *word_of(uint64_t number, char *text, size_t size)
{
	size_t count = sizeof syllables / sizeof syllables[0];

	(void)snprintf(text, size, "%s%s%s", syllables[number % count],
		       syllables[number / count % count],
		       syllables[number / count / count % count]);
	return text;
}

struct world {
	struct catalog *catalog;
	struct movements *movements;
	struct arena arena;
	uint64_t versions;
	double put_ms;
};

static void set(struct world *w, struct record *r, const char *field, const char *text)
{
	int f = field_named(record_info(r), field);

	check(record_set(r, &w->arena, (size_t)f, bytes_of_text(text)), field);
}

static void put(struct world *w, struct record *r, const char *id)
{
	struct version v = {
		.position = w->versions,
		.index = w->versions,
		.log = {"26"},
		.recorded = {1700000000000 + (int64_t)w->versions * 1000},
		.editor = "e1",
		.change = {.id = id, .kind = record_kind(r), .record = r},
	};
	double begin = 0;

	set(w, r, "id", id);
	begin = now_ms();
	check(movements_note(w->movements, w->catalog, &v), "note");
	check(catalog_put(w->catalog, &v), "put");
	w->put_ms += now_ms() - begin;
	w->versions++;
	arena_reset(&w->arena);
}

static const char *region_of(uint64_t i)
{
	return region_at((int)(i % 16))->code;
}

static void put_operator(struct world *w, uint64_t i)
{
	struct record *r = record_new(&w->arena, RECORD_OPERATOR);
	static const char *const forms[] = {"jst_gmina", "jst_powiat", "stowarzyszenie",
					    "fundacja"};
	char id[64];
	char word[64];
	char text[256];

	(void)snprintf(id, sizeof id, "pl%s-op-%06u", region_of(i), (unsigned)i);
	(void)snprintf(text, sizeof text, "Stowarzyszenie „%s %u”",
		       word_of(any(5832), word, sizeof word), (unsigned)i);
	set(w, r, "region", region_of(i));
	set(w, r, "name", text);
	set(w, r, "form", forms[any(4)]);
	(void)snprintf(text, sizeof text, "%010u", (unsigned)any(4000000000));
	set(w, r, "nip", text);
	put(w, r, id);
}

static void put_entity(struct world *w, uint64_t i, uint64_t operators)
{
	static const char *const kinds[] = {"CIS", "KIS", "KIS", "WTZ", "ZAZ"};
	static const char *const statuses[] = {"active", "registered", "status_granted", "expired",
					       ""};
	struct record *r = record_new(&w->arena, RECORD_ENTITY);
	const char *kind = kinds[any(5)];
	uint64_t operator_number = any(operators);
	uint64_t place = any(3000);
	char id[64];
	char word[64];
	char text[256];

	(void)snprintf(id, sizeof id, "pl%s-%s-%06u", region_of(i),
		       *kind == 'C'   ? "cis"
		       : *kind == 'K' ? "kis"
		       : *kind == 'W' ? "wtz"
				      : "zaz",
		       (unsigned)i);
	set(w, r, "region", region_of(i));
	set(w, r, "kind", kind);
	(void)snprintf(text, sizeof text, "Klub Integracji Społecznej %u w miejscowości %s",
		       (unsigned)any(ENTITIES), word_of(place, word, sizeof word));
	set(w, r, "name", text);
	(void)snprintf(text, sizeof text, "pl%s-op-%06u", region_of(operator_number),
		       (unsigned)operator_number);
	set(w, r, "operator_id", text);
	(void)snprintf(text, sizeof text, "Stowarzyszenie %u", (unsigned)operator_number);
	set(w, r, "operator_name", text);
	set(w, r, "operator_sector", any(2) ? "ngo" : "jst");
	set(w, r, "place", word);
	set(w, r, "street", word_of(any(2000), text, sizeof text));
	(void)snprintf(text, sizeof text, "%u", (unsigned)any(120));
	set(w, r, "building", text);
	(void)snprintf(text, sizeof text, "%02u-%03u", (unsigned)any(99), (unsigned)any(999));
	set(w, r, "postcode", text);
	(void)snprintf(text, sizeof text, "%s%02u", region_of(i), (unsigned)any(30));
	set(w, r, "powiat", text);
	(void)snprintf(text, sizeof text, "%u-%02u-%02u", 2005 + (unsigned)any(20),
		       1 + (unsigned)any(12), 1 + (unsigned)any(28));
	set(w, r, "registered_on", text);
	(void)snprintf(text, sizeof text, "PS-III.9423.%u.2019", (unsigned)any(90000));
	set(w, r, "register_no", text);
	set(w, r, "status", statuses[any(5)]);
	(void)snprintf(text, sizeof text, "2026-%02u-%02u", 1 + (unsigned)any(12),
		       1 + (unsigned)any(28));
	set(w, r, "verified_on", text);
	(void)snprintf(text, sizeof text, "%u", (unsigned)any(400));
	set(w, r, "participants_total", text);
	set(w, r, "source", "002.pdf;003.pdf");
	put(w, r, id);
}

static void put_membership(struct world *w, uint64_t i)
{
	struct record *r = record_new(&w->arena, RECORD_MEMBERSHIP);
	const char *member = catalog_text(w->catalog, RECORD_ENTITY, i, 0);
	char network[64];
	char id[256];

	(void)snprintf(network, sizeof network, "pl%.2s-net-konwent", member + 2);
	(void)snprintf(id, sizeof id, "%s--%s", network, member);
	set(w, r, "network_id", network);
	set(w, r, "entity_id", member);
	set(w, r, "role", "member");
	put(w, r, id);
}

/* ---- questions ---- */

struct question {
	const char *what;
	size_t count;
	const char *names[6];
	const char *values[6];
};

static const struct question questions[] = {
	{"first page by name, no filter", 0, {0}, {0}},
	{"filtered page by name", 2, {"region", "kind"}, {"26", "KIS"}},
	{"filtered page by name, falling", 3, {"region", "status", "sort"}, {"26", "", "-name"}},
	{"page by date", 1, {"sort"}, {"-registered_on"}},
	{"page by place", 1, {"sort"}, {"place"}},
	{"range of dates", 2, {"registered_on.from", "registered_on.to"}, {"2016-03", "2019"}},
	{"ids that start so", 1, {"id.starts"}, {"pl26-kis-00"}},
	{"search, one rare word", 1, {"q"}, {"73112"}},
	{"search, one common word", 1, {"q"}, {"klub"}},
	{"search, three words", 1, {"q"}, {"klub lokawi 12"}},
	{"search, one letter", 1, {"q"}, {"k"}},
	{"search, four words", 1, {"q"}, {"klub integracji spolecznej wawawi"}},
	{"search, eight letters", 1, {"q"}, {"k i s w m p n u"}},
	{"filter, search, 4 facets",
	 3,
	 {"kind", "q", "facets"},
	 {"KIS", "katoka", "region,kind,status,operator_sector"}},
	{"8 facets of all",
	 1,
	 {"facets"},
	 {"region,kind,status,operator_sector,place,powiat,name,register_no"}},
	{"1000 rows by name", 1, {"limit"}, {"1000"}},
};

static void ask(struct world *w, const struct question *x)
{
	struct query q;
	struct query_result found = {.total = 0};
	char why[TEXT_BYTES_MAX + 1] = "";
	double best = 1e9;
	double first = 0;

	for (int i = 0; i < REPEATS; i++) {
		double begin = now_ms();
		double took = 0;

		check(query_parse(RECORD_ENTITY, x->names, x->values, x->count, NULL, &q, why),
		      why);
		check(query_run(w->catalog, &q, &w->arena, &found, why), why);
		took = now_ms() - begin;
		first = i ? first : took;
		best = took < best ? took : best;
		arena_reset(&w->arena);
	}
	printf("%-32s %8.2f ms   first %8.2f ms   %zu found\n", x->what, best, first, found.total);
}

/* One record changes its name between the pages: what a live register asks. */
static void ask_while_it_changes(struct world *w, uint64_t operators)
{
	static const struct question page = {"", 1, {"region"}, {"26"}};
	char why[TEXT_BYTES_MAX + 1] = "";
	double sum = 0;

	for (int i = 0; i < REPEATS; i++) {
		struct query q;
		struct query_result found;
		double begin = 0;

		put_entity(w, any(1000), operators);
		begin = now_ms();
		check(query_parse(RECORD_ENTITY, page.names, page.values, page.count, NULL, &q,
				  why),
		      why);
		check(query_run(w->catalog, &q, &w->arena, &found, why), why);
		sum += now_ms() - begin;
		arena_reset(&w->arena);
	}
	printf("%-32s %8.2f ms\n", "filtered page after each edit", sum / REPEATS);
}

/* The answers that pass over all records. */
static void sum_up(struct world *w)
{
	static const struct {
		const char *what;
		endpoint *answer;
	} answers[] = {
		{"/summary", endpoint_summary},     {"/regions", endpoint_regions},
		{"/conflicts", endpoint_conflicts}, {"/quality", endpoint_quality},
		{"/coverage", endpoint_coverage},
	};
	struct api_context x = {.catalog = w->catalog,
				.movements = w->movements,
				.now = {1800000000000},
				.arena = &w->arena};
	struct api_request rq = {.path = "/api/v1"};
	struct buf body = {.data = NULL};

	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		double best = 1e9;

		for (int k = 0; k < REPEATS; k++) {
			struct api_answer answer = {.body = &body};
			double begin = now_ms();
			double took = 0;

			buf_clear(&body);
			check(answers[i].answer(&x, &rq, &answer), answers[i].what);
			took = now_ms() - begin;
			best = took < best ? took : best;
			arena_reset(&w->arena);
		}
		printf("%-32s %8.2f ms   %zu bytes\n", answers[i].what, best, body.size);
	}
	buf_free(&body);
}

int main(int argc, char **argv)
{
	uint64_t entities = argc > 1 ? strtoull(argv[1], NULL, 10) : ENTITIES;
	uint64_t operators = entities / 4 + 1;
	struct world w = {.versions = 0};
	double begin = 0;

	state = argc > 2 ? strtoull(argv[2], NULL, 10) * 2654435761u + 1 : 88172645463325252u;
	check(catalog_new(&w.catalog), "catalog");
	check(movements_new(&w.movements), "movements");
	for (uint64_t i = 0; i < operators; i++)
		put_operator(&w, i);
	for (uint64_t i = 0; i < entities; i++)
		put_entity(&w, i, operators);
	for (uint64_t i = 0; i < entities / 2; i++)
		put_membership(&w, i);
	begin = now_ms();
	check(catalog_prepare(w.catalog), "prepare");
	printf("load %.0f ms (%llu records), order %.0f ms, memory %.1f MB, %zu texts\n", w.put_ms,
	       (unsigned long long)w.versions, now_ms() - begin,
	       (double)catalog_memory(w.catalog) / 1e6, catalog_texts(w.catalog));
	for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
		ask(&w, &questions[i]);
	ask_while_it_changes(&w, operators);
	sum_up(&w);
	catalog_free(w.catalog);
	movements_free(w.movements);
	arena_free(&w.arena);
	return 0;
}
