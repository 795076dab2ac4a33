/* Questions to the API of splot-web, as targets of HTTP, over a small register: every answer is of
 * a known status, and JSON that parses where it says JSON.  Input: a line of Accept, then the
 * target. */
#include "fuzz.h"
#include "json_check.h"
#include "samples.h"
#include "store_input.h"

#include "api/api.h"
#include "http/target.h"
#include "ledger/view.h"

enum { ENTRIES = 12, RUN = 50, RUN_BYTES = 1024 * 1024, POSITIONS = ENTRIES + 1 };

struct moment_of {
	struct catalog *catalog; /* at that position; NULL until it is asked for */
	struct movements *movements;
};

static struct store *store;
static struct view view;
static struct moment_of moments[POSITIONS];
static const struct wall_ms NOW = {1764500000000};

/* ---- the register, made once ---- */

static void happens(uint64_t position, struct arena *arena)
{
	struct event e = sample_event(arena);
	struct view_fold *fold = NULL;
	struct txn *t = NULL;

	e.recorded.ms += (int64_t)position * 3600 * 1000;
	e.change_count = 1 + position % (SAMPLE_CHANGES - 1);
	if (position == ENTRIES - 1)
		e.changes[0].retired = true;
	if (e.changes[0].retired)
		e.changes[0].record = NULL;
	ALWAYS(view_fold_new(&fold) == ERR_OK && txn_begin(store, true, &t) == ERR_OK);
	ALWAYS(view_fold_time(fold, &view, t, position, &e.recorded) == ERR_OK);
	ALWAYS(view_fold_event(fold, &view, t, position, (struct log_name){"26"}, position, &e) ==
	       ERR_OK);
	ALWAYS(view_fold_finish(fold, &view, t, position + 1) == ERR_OK);
	ALWAYS(txn_commit(t) == ERR_OK);
	view_fold_free(fold);
}

static void make_view(void)
{
	if (store)
		return;
	store = store_input();
	ALWAYS(view_open(store, true, &view) == ERR_OK);
	for (uint64_t i = 0; i < ENTRIES; i++) {
		struct arena arena = {.head = NULL};

		happens(i, &arena);
		arena_free(&arena);
	}
}

static const struct moment_of *moment_at(struct txn *t, uint64_t end)
{
	struct moment_of *m = &moments[end];
	struct view_change *run = NULL;
	struct change_place from = {0, 0, 0};
	struct arena arena = {.head = NULL};
	struct wall_ms time = {0};
	bool more = true;
	bool begun = false;

	if (m->catalog)
		return m;
	run = calloc(RUN, sizeof *run);
	ALWAYS(run && catalog_new(&m->catalog) == ERR_OK && movements_new(&m->movements) == ERR_OK);
	while (more) {
		size_t count = 0;

		ALWAYS(view_changes(&view, t, begun ? &from : NULL, false, end, RUN, RUN_BYTES,
				    &arena, run, &count, &more) == ERR_OK);
		for (size_t i = 0; i < count; i++) {
			ALWAYS(movements_note(m->movements, m->catalog, &run[i].version) == ERR_OK);
			ALWAYS(catalog_put(m->catalog, &run[i].version) == ERR_OK);
			from = run[i].place;
			begun = true;
		}
	}
	if (end)
		ALWAYS(view_time(&view, t, end - 1, &time) == ERR_OK);
	catalog_stands_at(m->catalog, end, time);
	arena_free(&arena);
	free(run);
	return m;
}

/* ---- one question ---- */

static void check(const struct api_answer *a)
{
	ALWAYS(a->status == 200 || a->status == 400 || a->status == 404 || a->status == 406 ||
	       a->status == 409 || a->status == 410 || a->status == 422 || a->status == 503);
	ALWAYS(a->type && buf_check(a->body) == ERR_OK);
	ALWAYS(strnlen(a->filename, sizeof a->filename) < sizeof a->filename);
	if (strstr(a->type, "json"))
		ALWAYS(json_fits(buf_bytes(a->body)));
}

static void ask(const struct api_request *rq, struct arena *arena)
{
	static const struct site_text site[] = {{"body", "Biuro \"A\""}};
	static const struct terc_area powiats[] = {{"2661", "Kielce"}, {"2604", "kielecki"}};
	struct buf body = {.data = NULL};
	struct api_answer a = {.body = &body};
	struct txn *t = NULL;
	uint64_t position = 0;
	bool past = false;
	enum err e = ERR_OK;

	ALWAYS(txn_begin(store, false, &t) == ERR_OK);
	e = api_position(&view, t, rq, NOW, &position, &past, &a);
	if (e == ERR_OK) {
		const struct moment_of *m = NULL;

		ALWAYS(position <= ENTRIES);
		m = moment_at(t, position);
		struct api_context x = {.catalog = m->catalog,
					.past = past,
					.movements = m->movements,
					.view = &view,
					.txn = t,
					.now = NOW,
					.site = site,
					.site_count = 1,
					.powiats = powiats,
					.powiat_count = 2,
					.arena = arena};

		ALWAYS(api_answer(&x, rq, &a) == ERR_OK);
	} else {
		ALWAYS(a.status >= 400);
	}
	check(&a);
	txn_abort(t);
	buf_free(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct target target;
	struct api_param params[TARGET_PARAMS_MAX];
	struct arena arena = {.head = NULL};
	char *accept = fuzz_text(bytes_of(data, size));
	char *line = strchr(accept, '\n');
	const char *why = NULL;

	make_view();
	if (line) {
		struct bytes raw =
			bytes_of(data + (line + 1 - accept), size - (size_t)(line + 1 - accept));

		*line = 0;
		if (target_parse(raw, &arena, &target, &why) == ERR_OK) {
			struct api_request rq = {.path = target.path,
						 .params = params,
						 .param_count = target.param_count,
						 .accept = *accept ? accept : NULL};

			for (size_t i = 0; i < target.param_count; i++)
				params[i] = (struct api_param){target.params[i].name,
							       target.params[i].value};
			ask(&rq, &arena);
		}
	}
	free(accept);
	arena_free(&arena);
	return 0;
}

void fuzz_seeds(struct seeds *to)
{
	static const char *const paths[] = {
		"",
		"/openapi.json",
		"/columns",
		"/site",
		"/summary?as_of=4",
		"/regions",
		"/regions/26",
		"/entities",
		"/entities.csv?kind=CIS",
		"/operators?sort=-name&limit=2",
		"/networks?facets=status",
		"/memberships",
		"/statistics?as_of=2025-12-01",
		"/records/pl26-cis-a",
		"/records/pl26-cis-a/history?limit=2",
		"/records/pl26-op-a?as_of=2025-11-24T20:00:00Z",
		"/changes?limit=3",
		"/changes?before=3-3-0&region=26&kind=changed&field=name",
		"/conflicts",
		"/quality",
		"/coverage",
		"/status",
		"/logs/26/proof/3",
		"/logs/26/checkpoint",
		"/events",
		"/entities?as_of=4&q=centrum&kind=CIS&region=26&facets=kind",
	};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct buf b = {.data = NULL};
		char name[32];

		(void)snprintf(name, sizeof name, "path-%zu", i);
		buf_printf(&b, "%s\n/api/v1%s", i % 3 ? "" : "text/csv, application/json;q=0.5",
			   paths[i]);
		seed_add(to, name, fuzz_done(&b));
		buf_free(&b);
	}
}
