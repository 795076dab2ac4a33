/* Events: what decodes is encoded and decoded to the same, what is read off raw bytes agrees with
 * the whole, and rules, repairs and JSON take whatever stands in a record. */
#include "fuzz.h"
#include "json_check.h"
#include "samples.h"

#include "model/event.h"
#include "model/json.h"
#include "model/validate.h"

static void same_change(const struct change *a, const struct change *b)
{
	ALWAYS(strcmp(a->id, b->id) == 0 && a->kind == b->kind && a->retired == b->retired);
	ALWAYS(a->has_supersedes == b->has_supersedes && a->supersedes == b->supersedes);
	ALWAYS(!a->record == !b->record);
	ALWAYS(!a->record || record_same(a->record, b->record));
}

static void same_event(const struct event *a, const struct event *b)
{
	ALWAYS(a->recorded.ms == b->recorded.ms && a->act == b->act);
	ALWAYS(strcmp(a->editor, b->editor) == 0 && strcmp(a->reason, b->reason) == 0 &&
	       strcmp(a->source, b->source) == 0);
	ALWAYS(bytes_equal(a->document, b->document) && a->old_size == b->old_size &&
	       log_name_equal(a->old_log, b->old_log));
	ALWAYS(a->change_count == b->change_count);
	for (size_t i = 0; i < a->change_count; i++)
		same_change(&a->changes[i], &b->changes[i]);
}

/* What is told by a few steps over the raw bytes is what the whole says. */
static void raw_agrees(struct bytes raw, const struct event *e)
{
	struct wall_ms at = {0};

	ALWAYS(event_rotates(raw) == (e->act == EVENT_ROTATES));
	ALWAYS(event_is_act(raw) == (e->act != EVENT_CHANGES));
	if (recorded_time(raw, &at) == ERR_OK)
		ALWAYS(at.ms == e->recorded.ms);
	else
		ALWAYS(raw.size == 0);
	if (event_time(raw, &at) == ERR_OK)
		ALWAYS(at.ms == e->recorded.ms);
}

static void round_trip(struct bytes raw, const struct event *e, struct arena *arena)
{
	struct buf once = {.data = NULL};
	struct buf twice = {.data = NULL};
	struct event again;
	enum err err = event_encode(e, arena, &once);

	if (e->act == EVENT_ACT_UNKNOWN) {
		ALWAYS(err == ERR_ARGUMENT && once.size == 0);
		return;
	}
	ALWAYS(err == ERR_OK && once.size <= raw.size);
	ALWAYS(event_decode(buf_bytes(&once), arena, &again) == ERR_OK);
	same_event(e, &again);
	ALWAYS(event_encode(&again, arena, &twice) == ERR_OK);
	ALWAYS(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
	raw_agrees(buf_bytes(&once), &again);
	buf_free(&once);
	buf_free(&twice);
}

/* An owner found by a walk of its own over all pairs. */
static enum err owner_by_pairs(const struct event *e, int region)
{
	for (size_t i = 0; i < e->change_count; i++) {
		if (id_owner(bytes_of_text(e->changes[i].id)) != region)
			return ERR_OWNER;
		for (size_t k = 0; k < i; k++)
			if (strcmp(e->changes[i].id, e->changes[k].id) == 0)
				return ERR_INVALID;
	}
	return ERR_OK;
}

static void judge(const struct event *e, struct arena *arena)
{
	struct problems problems = {.limit = 50};
	int first = e->change_count ? id_owner(bytes_of_text(e->changes[0].id)) : REGION_PL;
	int region = first == REGION_NONE ? 0 : first;
	enum err err = event_check_owner(e, region);

	ALWAYS(err == ERR_OK || err == ERR_OWNER || err == ERR_INVALID);
	if (e->act == EVENT_CHANGES && err == ERR_OK) {
		ALWAYS(e->change_count > 0);
		ALWAYS(owner_by_pairs(e, region) == ERR_OK);
		ALWAYS(event_check_owner(e, (region + 1) % REGION_COUNT) == ERR_OWNER);
	}
	ALWAYS(validate_event(e, region, NULL, arena, &problems) == ERR_OK);
	ALWAYS(problems.count <= problems.limit);
}

static void show(const struct event *e, struct arena *arena)
{
	struct buf out = {.data = NULL};
	struct json j = json_to(&out);

	json_open(&j, '[');
	for (size_t i = 0; i < e->change_count; i++) {
		const struct change *c = &e->changes[i];
		struct version v = {.log = {"26"},
				    .recorded = e->recorded,
				    .editor = e->editor,
				    .reason = e->reason,
				    .source = e->source,
				    .change = *c};
		struct buf cell = {.data = NULL};

		json_version(&j, &v);
		ALWAYS(change_size(c, arena) > 0);
		for (size_t f = 0; c->record && f < record_info(c->record)->field_count; f++) {
			buf_clear(&cell);
			(void)repair_cell(&record_info(c->record)->fields[f],
					  bytes_of_text(record_get(c->record, f)), &cell);
		}
		buf_free(&cell);
	}
	json_close(&j, ']');
	ALWAYS(json_fits(fuzz_done(&out)));
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes raw = bytes_of(data, size);
	struct arena arena = {.head = NULL};
	struct event e;
	struct wall_ms at = {0};

	(void)event_rotates(raw);
	(void)event_is_act(raw);
	fuzz_any(event_time(raw, &at));
	if (event_decode(raw, &arena, &e) == ERR_OK) {
		raw_agrees(raw, &e);
		round_trip(raw, &e, &arena);
		judge(&e, &arena);
		show(&e, &arena);
	}
	arena_free(&arena);
	return 0;
}

static void add(struct seeds *to, const char *name, const struct event *e, struct arena *arena)
{
	struct buf out = {.data = NULL};

	ALWAYS(event_encode(e, arena, &out) == ERR_OK);
	seed_add(to, name, fuzz_done(&out));
	buf_free(&out);
}

/* One change more than there may be, each of two bytes. */
static void add_many(struct seeds *to)
{
	struct buf b = {.data = NULL};

	for (int i = 0; i <= EVENT_CHANGES_MAX; i++)
		buf_add(&b, "\x2a\x00", 2);
	seed_add(to, "changes-too-many", fuzz_done(&b));
	buf_free(&b);
}

void fuzz_seeds(struct seeds *to)
{
	struct arena arena = {.head = NULL};
	struct event all = sample_event(&arena);
	struct event one = all;
	struct event act = {.recorded = {1764000000000},
			    .editor = "e01",
			    .reason = "anew",
			    .source = "",
			    .act = EVENT_CONTINUES,
			    .old_log = {"26"},
			    .old_size = 7,
			    .document = bytes_of_text("note")};

	add_many(to);
	seed_add(to, "nothing", bytes_of_text(""));
	add(to, "all-kinds", &all, &arena);
	one.change_count = 1;
	for (size_t i = 0; i < SAMPLE_CHANGES; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "kind-%zu", i);
		one.changes = all.changes + i;
		add(to, name, &one, &arena);
	}
	add(to, "continues", &act, &arena);
	act.act = EVENT_ROTATES;
	add(to, "rotates", &act, &arena);
	arena_free(&arena);
}
