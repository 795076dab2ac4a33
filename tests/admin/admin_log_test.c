/* splotctl log over a source made of memory: order, filters, differences, what is erased,
 * missing or spoilt. */
#include "admin.h"

#include "admin/log/difference.h"
#include "admin/log/print.h"
#include "admin/log/walk.h"

/* ---- a source in memory ---- */

enum { FAKE_EVENTS_MAX = 700, FAKE_LOGS_MAX = 4 };

struct fake_log {
	struct log_name name;
	uint64_t size;
	struct buf leaves[FAKE_EVENTS_MAX]; /* owned */
	bool missing[FAKE_EVENTS_MAX];
};

static struct fake_log fakes[FAKE_LOGS_MAX];
static size_t fake_count;
static size_t fake_calls;
static struct arena arena;

static struct fake_log *fake_find(struct log_name name)
{
	for (size_t i = 0; i < fake_count; i++)
		if (log_name_equal(fakes[i].name, name))
			return &fakes[i];
	return NULL;
}

static enum err fake_names(struct source *s, struct source_names *ret)
{
	(void)s;
	ret->count = fake_count;
	for (size_t i = 0; i < fake_count; i++)
		ret->items[i] = fakes[i].name;
	return ERR_OK;
}

static enum err fake_newest(struct source *s, struct log_name log, uint64_t *ret_size,
			    struct buf *ret_note)
{
	struct fake_log *l = fake_find(log);

	(void)s;
	(void)ret_note;
	if (!l || !l->size)
		return ERR_NOT_FOUND;
	*ret_size = l->size;
	return ERR_OK;
}

static enum err fake_leaves(struct source *s, struct log_name log, uint64_t from, uint64_t size,
			    struct source_leaves *ret)
{
	struct fake_log *l = fake_find(log);
	size_t count = 0;

	(void)s;
	fake_calls++;
	while (l && from + count < size && from + count < l->size && count < 100 &&
	       !l->missing[from + count]) {
		ret->items[count] = buf_bytes(&l->leaves[from + count]);
		count++;
	}
	ret->count = count;
	return count ? ERR_OK : ERR_NOT_FOUND;
}

static enum err fake_none(struct source *s, uint64_t size, uint64_t *ret_size, struct buf *ret)
{
	(void)s;
	(void)size;
	(void)ret_size;
	(void)ret;
	return ERR_NOT_FOUND;
}

static enum err fake_keys(struct source *s, struct log_name log, struct buf *ret)
{
	(void)s;
	(void)log;
	(void)ret;
	return ERR_NOT_FOUND;
}

static const struct source_ops fake_ops = {.names = fake_names,
					   .newest = fake_newest,
					   .leaves = fake_leaves,
					   .cosigned = fake_none,
					   .keys = fake_keys};

static struct log_name name_of(const char *text)
{
	struct log_name name;

	assert_ok(log_name_parse(T(text), &name));
	return name;
}

static struct fake_log *fake_log(const char *name)
{
	struct fake_log *l = &fakes[fake_count++];

	assert_true(fake_count <= FAKE_LOGS_MAX);
	l->name = name_of(name);
	return l;
}

/* ---- what stands in it ---- */

static struct change entity(const char *id, const char *status, const char *place)
{
	struct record *r = record_new(&arena, RECORD_ENTITY);
	const struct kind *kind = kind_of(RECORD_ENTITY);

	assert_ok(record_set(r, &arena, (size_t)field_named(kind, "id"), T(id)));
	assert_ok(record_set(r, &arena, (size_t)field_named(kind, "status"), T(status)));
	assert_ok(record_set(r, &arena, (size_t)field_named(kind, "place"), T(place)));
	return (struct change){.id = id, .kind = RECORD_ENTITY, .record = r};
}

static struct change after(struct change c, uint64_t supersedes)
{
	c.has_supersedes = true;
	c.supersedes = supersedes;
	return c;
}

/* Appends an event of an editor; its time is 1000 ms a place. */
static void say(struct fake_log *l, const char *editor, const struct change *changes, size_t count)
{
	struct change copies[4];
	struct event e = {.recorded = {(int64_t)l->size * 1000},
			  .editor = editor,
			  .reason = "because",
			  .source = "letter 1",
			  .change_count = count,
			  .changes = copies};

	memcpy(copies, changes, count * sizeof *changes);
	assert_true(l->size < FAKE_EVENTS_MAX);
	assert_ok(event_encode(&e, &arena, &l->leaves[l->size++]));
}

static void say_one(struct fake_log *l, const char *editor, struct change c)
{
	say(l, editor, &c, 1);
}

static void enter(struct fake_log *national, const struct national_entry *e)
{
	assert_ok(national_encode(e, &national->leaves[national->size++]));
}

static void accept(struct fake_log *national, const struct fake_log *l, uint64_t from,
		   uint64_t size)
{
	const struct national_entry e = {.kind = NATIONAL_ACCEPTED,
					 .log = l->name,
					 .from = from,
					 .size = size,
					 .checkpoint = T("a note")};

	enter(national, &e);
}

static int set_up(void **state)
{
	(void)state;
	fake_count = 0;
	fake_calls = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAKE_LOGS_MAX; i++) {
		for (size_t k = 0; k < FAKE_EVENTS_MAX; k++)
			buf_free(&fakes[i].leaves[k]);
		memset(&fakes[i], 0, sizeof fakes[i]);
	}
	arena_free(&arena);
	return 0;
}

/* ---- walking ---- */

static struct source source = {.ops = &fake_ops, .what = "memory"};
static struct log_filter filter;
static struct log_walk walk;
static struct buf told;  /* "26@3 26@2 …" */
static struct buf texts; /* the items as text or JSON */
static bool as_json;

static bool note_down(void *context, const struct log_item *item)
{
	(void)context;
	buf_printf(&told, "%s%s@%llu", told.size ? " " : "", item->log.text,
		   (unsigned long long)item->index);
	if (as_json)
		log_item_json(item, &texts);
	else
		log_item_print(item, &texts);
	return true;
}

static void begin(const char *order)
{
	filter = (struct log_filter){.region = REGION_NONE};
	assert_ok(walk_open(&walk, &source));
	walk.filter = &filter;
	walk.tell = note_down;
	walk.order = name_of(order);
	walk.has_national = fake_find(name_of("national")) != NULL;
	as_json = false;
}

/* The places told, from the newest; the walk is ended. */
static const char *all_back(void)
{
	uint64_t size = 0;

	buf_clear(&told);
	buf_clear(&texts);
	assert_ok(leaf_size(&walk.leaves, walk.order, true, &size));
	assert_ok(walk_range(&walk, 0, size, true));
	walk_close(&walk);
	return buf_text(&told);
}

static int end(void **state)
{
	walk_close(&walk);
	buf_free(&told);
	buf_free(&texts);
	return tear_down(state);
}

/* ---- differences ---- */

static void a_difference_names_what_changed_and_nothing_else(void **state)
{
	struct change old = entity("pl26-kis-a", "active", "Kielce");
	struct change new = entity("pl26-kis-a", "", "Kielce");
	struct difference d;
	size_t at = 0;

	(void)state;
	assert_true(difference_next(old.record, new.record, &at, &d));
	assert_string_equal(d.field->name, "status");
	assert_string_equal(d.from, "active");
	assert_string_equal(d.to, "");
	assert_false(difference_next(old.record, new.record, &at, &d));
	assert_true(difference_has(old.record, new.record, "status"));
	assert_false(difference_has(old.record, new.record, "place"));
}

static void a_new_record_differs_in_every_field_that_is_not_empty(void **state)
{
	struct change new = entity("pl26-kis-a", "", "Kielce");
	struct difference d;
	size_t at = 0;

	(void)state;
	assert_true(difference_next(NULL, new.record, &at, &d));
	assert_string_equal(d.field->name, "place");
	assert_false(difference_next(NULL, new.record, &at, &d));
	assert_false(difference_has(new.record, NULL, "place")); /* it ends */
	/* a version of another kind is nothing to compare with */
	assert_true(difference_has(record_new(&arena, RECORD_NETWORK), new.record, "place"));
}

/* ---- one log ---- */

/* Events 0 … 4: added, another added, changed, both in one, retired. */
static struct fake_log *small_log(void)
{
	struct fake_log *l = fake_log("26");
	struct change both[] = {after(entity("pl26-kis-a", "closed", "Kielce"), 2),
				after(entity("pl26-kis-b", "active", "Busko"), 1)};
	struct change end_of_b = {.id = "pl26-kis-b",
				  .has_supersedes = true,
				  .supersedes = 3,
				  .kind = RECORD_ENTITY,
				  .retired = true};

	say_one(l, "e01", entity("pl26-kis-a", "", "Kielce"));
	say_one(l, "e02", entity("pl26-kis-b", "", "Busko"));
	say_one(l, "e02", after(entity("pl26-kis-a", "active", "Kielce"), 0));
	say(l, "e01", both, 2);
	say_one(l, "e01", end_of_b);
	return l;
}

static void a_log_is_told_newest_first_with_what_each_field_was(void **state)
{
	(void)state;
	(void)small_log();
	begin("26");
	assert_string_equal(all_back(), "26@4 26@3 26@2 26@1 26@0");
	assert_string_equal(buf_text(&texts),
			    "26@4, 1970-01-01T00:00:04.000Z, e01: because (letter 1)\n"
			    "  - pl26-kis-b (entity), retired\n"
			    "26@3, 1970-01-01T00:00:03.000Z, e01: because (letter 1)\n"
			    "  ~ pl26-kis-a (entity)\n"
			    "      status: \"active\" -> \"closed\"\n"
			    "  ~ pl26-kis-b (entity)\n"
			    "      status: \"\" -> \"active\"\n"
			    "26@2, 1970-01-01T00:00:02.000Z, e02: because (letter 1)\n"
			    "  ~ pl26-kis-a (entity)\n"
			    "      status: \"\" -> \"active\"\n"
			    "26@1, 1970-01-01T00:00:01.000Z, e02: because (letter 1)\n"
			    "  + pl26-kis-b (entity)\n"
			    "      place: \"Busko\"\n"
			    "26@0, 1970-01-01T00:00:00.000Z, e01: because (letter 1)\n"
			    "  + pl26-kis-a (entity)\n"
			    "      place: \"Kielce\"\n");
}

static void a_line_of_json_says_the_same(void **state)
{
	(void)state;
	(void)small_log();
	begin("26");
	as_json = true;
	filter.record = "pl26-kis-b";
	filter.field = "status";
	assert_string_equal(all_back(), "26@3");
	assert_string_equal(
		buf_text(&texts),
		"{\"log\":\"26\",\"index\":3,\"national\":null,\"recorded\":"
		"\"1970-01-01T00:00:03.000Z\",\"editor\":\"e01\",\"reason\":\"because\","
		"\"source\":\"letter 1\",\"act\":null,\"changes\":[{\"kind\":\"entity\",\"id\":"
		"\"pl26-kis-b\",\"change\":\"changed\",\"supersedes\":1,\"before_known\":true,"
		"\"fields\":[{\"field\":\"status\",\"from\":\"\",\"to\":\"active\"}]}],"
		"\"others\":1}\n");
}

static void each_filter_leaves_what_it_names(void **state)
{
	(void)state;
	(void)small_log();
	begin("26");
	filter.record = "pl26-kis-a";
	assert_string_equal(all_back(), "26@3 26@2 26@0");
	begin("26");
	filter.editor = "e02";
	assert_string_equal(all_back(), "26@2 26@1");
	begin("26");
	filter.field = "place";
	assert_string_equal(all_back(), "26@1 26@0");
	begin("26");
	filter.kind = RECORD_NETWORK;
	assert_string_equal(all_back(), "");
	begin("26");
	filter.region = region_by_code(T("24"));
	assert_string_equal(all_back(), "");
	begin("26");
	filter.kind = RECORD_ENTITY;
	filter.editor = "e01";
	filter.record = "pl26-kis-b";
	assert_string_equal(all_back(), "26@4 26@3");
}

static void a_limit_ends_it_and_the_other_direction_is_oldest_first(void **state)
{
	(void)state;
	(void)small_log();
	begin("26");
	walk.limit = 2;
	assert_string_equal(all_back(), "26@4 26@3");
	begin("26");
	buf_clear(&told);
	assert_ok(walk_range(&walk, 1, 4, false));
	assert_string_equal(buf_text(&told), "26@1 26@2 26@3");
}

static void times_bound_it_on_both_sides_inclusively(void **state)
{
	(void)state;
	(void)small_log();
	begin("26");
	walk.has_since = true;
	walk.since.ms = 1000;
	walk.has_until = true;
	walk.until.ms = 3000;
	assert_string_equal(all_back(), "26@3 26@2 26@1");
	begin("26");
	walk.has_since = true;
	walk.since.ms = 1001;
	assert_string_equal(all_back(), "26@4 26@3 26@2");
	begin("26");
	walk.has_until = true;
	walk.until.ms = -1;
	assert_string_equal(all_back(), "");
}

/* ---- what is erased, missing, spoilt ---- */

static void an_erased_event_is_named_and_what_it_held_is_not_made_up(void **state)
{
	struct fake_log *l = NULL;

	(void)state;
	l = small_log();
	buf_free(&l->leaves[2]);
	begin("26");
	assert_string_equal(all_back(), "26@4 26@3 26@2 26@1 26@0");
	assert_non_null(strstr(buf_text(&texts), "26@2, redacted"));
	assert_non_null(strstr(buf_text(&texts),
			       "  ~ pl26-kis-a (entity), the version before cannot be read: 26@2\n"
			       "      place: \"Kielce\"\n"
			       "      status: \"closed\"\n"));
}

static void an_erased_event_that_a_filter_cannot_judge_is_counted(void **state)
{
	struct fake_log *l = NULL;

	(void)state;
	l = small_log();
	buf_free(&l->leaves[2]);
	begin("26");
	filter.editor = "e02";
	buf_clear(&told);
	assert_ok(walk_range(&walk, 0, 5, true));
	assert_string_equal(buf_text(&told), "26@1");
	assert_int_equal(walk.hidden, 1);
}

static void missing_and_spoilt_events_are_named_and_the_rest_is_told(void **state)
{
	struct fake_log *l = NULL;

	(void)state;
	l = small_log();
	l->missing[1] = true;
	buf_clear(&l->leaves[3]);
	buf_add_text(&l->leaves[3], "no event at all");
	begin("26");
	assert_string_equal(all_back(), "26@4 26@3 26@2 26@1 26@0");
	assert_non_null(strstr(buf_text(&texts), "26@3, cannot be read: "));
	assert_non_null(strstr(buf_text(&texts), "26@1, cannot be read: nothing of that name"));
}

static void a_change_that_names_a_later_or_foreign_event_has_no_version_before(void **state)
{
	struct fake_log *l = fake_log("26");

	(void)state;
	say_one(l, "e01", entity("pl26-kis-a", "", "Kielce"));
	say_one(l, "e01", after(entity("pl26-kis-b", "", "Busko"), 0));
	say_one(l, "e01", after(entity("pl26-kis-a", "", "Busko"), 2));
	say_one(l, "e01", after(entity("pl26-kis-a", "", "Busko"), UINT64_MAX));
	begin("26");
	assert_string_equal(all_back(), "26@3 26@2 26@1 26@0");
	for (unsigned i = 1; i <= 3; i++) {
		char line[80];

		(void)snprintf(line, sizeof line, "the version before cannot be read: 26@%llu\n",
			       i == 1   ? 0ULL
			       : i == 2 ? 2ULL
					: (unsigned long long)UINT64_MAX);
		assert_non_null(strstr(buf_text(&texts), line));
	}
}

/* ---- the national order ---- */

static void the_national_log_orders_what_it_accepted(void **state)
{
	struct fake_log *a = fake_log("24");
	struct fake_log *b = fake_log("26");
	struct fake_log *national = fake_log("national");

	(void)state;
	for (int i = 0; i < 3; i++) {
		say_one(a, "e01", entity("pl24-kis-a", "", "Katowice"));
		say_one(b, "e02", entity("pl26-kis-a", "", "Kielce"));
	}
	accept(national, b, 0, 1);
	accept(national, a, 0, 2);
	accept(national, b, 1, 3);
	begin("national");
	assert_string_equal(all_back(), "26@2 26@1 24@1 24@0 26@0");
	begin("national");
	filter.region = region_by_code(T("24"));
	assert_string_equal(all_back(), "24@1 24@0");
	begin("national");
	filter.log = name_of("26");
	walk.limit = 1;
	assert_string_equal(all_back(), "26@2");
	begin("national");
	walk.entries = true;
	assert_string_equal(all_back(), "national@2 national@1 national@0");
	assert_non_null(strstr(buf_text(&texts), "accepted 26@1 to 2\n"));
	assert_non_null(strstr(buf_text(&texts), "accepted 26@0\n"));
}

static void events_that_were_accepted_and_are_not_here_are_counted(void **state)
{
	struct fake_log *a = fake_log("24");
	struct fake_log *national = fake_log("national");
	struct fake_log other = {.name = name_of("26")};

	(void)state;
	say_one(a, "e01", entity("pl24-kis-a", "", "Katowice"));
	accept(national, a, 0, 3);
	accept(national, &other, 0, 5);
	begin("national");
	buf_clear(&told);
	assert_ok(walk_range(&walk, 0, 2, true));
	assert_string_equal(buf_text(&told), "24@0");
	assert_int_equal(walk.absent, 7);
}

static void an_act_tells_who_erased_an_event_and_why(void **state)
{
	struct fake_log *l = NULL;
	struct fake_log *national = NULL;
	uint8_t leaf[HASH_BYTES] = {1};
	struct national_entry act = {.kind = NATIONAL_ACT,
				     .act = "redact",
				     .by = "a01",
				     .reason = "a name stood in it",
				     .index = 1,
				     .leaf = bytes_of(leaf, sizeof leaf)};

	(void)state;
	l = small_log();
	national = fake_log("national");
	accept(national, l, 0, 5);
	act.log = l->name;
	enter(national, &act);
	buf_free(&l->leaves[1]);
	begin("national");
	assert_string_equal(all_back(), "26@4 26@3 26@2 26@1 26@0");
	assert_non_null(
		strstr(buf_text(&texts),
		       "26@1, redacted: its bytes were erased, its hash stands: "
		       "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		       "  national@1, 1970-01-01T00:00:00.000Z, a01: a name stood in it\n"));
	begin("national");
	walk.entries = true;
	filter.editor = "a01";
	assert_string_equal(all_back(), "national@1");
	assert_string_equal(
		buf_text(&texts),
		"national@1, 1970-01-01T00:00:00.000Z, redact 26@1, a01: a name stood in it\n");
}

static void a_national_log_begun_anew_tells_what_it_goes_on_from(void **state)
{
	struct fake_log *national = fake_log("national");
	struct national_entry act = {.kind = NATIONAL_ACT,
				     .act = "continues",
				     .log = name_of("national"),
				     .by = "a01",
				     .reason = "its disk was lost",
				     .document = T("a note"),
				     .other = T("splot.example/region/26+dff46af4+AQOhB7/"
						"zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"),
				     .size = 23};

	(void)state;
	enter(national, &act);
	begin("national");
	walk.entries = true;
	assert_string_equal(all_back(), "national@0");
	assert_string_equal(buf_text(&texts),
			    "national@0, 1970-01-01T00:00:00.000Z, continues national, as "
			    "splot.example/region/26 at size 23, a01: its disk was lost\n");
}

static void acts_of_a_log_are_told_plainly(void **state)
{
	struct fake_log *l = fake_log("26/2");
	struct event e = {.editor = "a01",
			  .reason = "anew",
			  .source = "",
			  .act = EVENT_CONTINUES,
			  .old_size = 7,
			  .document = T("a note")};

	(void)state;
	e.old_log = name_of("26");
	assert_ok(event_encode(&e, &arena, &l->leaves[l->size++]));
	begin("26/2");
	assert_string_equal(all_back(), "26/2@0");
	assert_non_null(strstr(buf_text(&texts),
			       "  continues the log 26, of which the first 7 events stand\n"));
	begin("26/2");
	filter.kind = RECORD_ENTITY; /* an act is of no kind */
	assert_string_equal(all_back(), "");
}

/* ---- long logs ---- */

static void a_long_log_is_read_in_blocks_each_once(void **state)
{
	struct fake_log *l = fake_log("26");

	(void)state;
	say_one(l, "e01", entity("pl26-kis-a", "0", "Kielce"));
	for (unsigned i = 1; i < FAKE_EVENTS_MAX; i++)
		say_one(l, i % 2 ? "e01" : "e02",
			after(entity("pl26-kis-a", i % 2 ? "1" : "0", "Kielce"), i - 1));
	begin("26");
	filter.field = "status";
	assert_int_equal(strlen(all_back()) > 0, true);
	/* 700 events in runs of at most 100 within blocks of 256 */
	assert_int_equal(fake_calls, 3 + 3 + 2);
	assert_non_null(strstr(buf_text(&texts), "status: \"0\" -> \"1\""));
}

static void what_was_appended_meanwhile_is_found_when_asked_anew(void **state)
{
	struct fake_log *l = fake_log("26");
	uint64_t size = 0;

	(void)state;
	say_one(l, "e01", entity("pl26-kis-a", "", "Kielce"));
	begin("26");
	buf_clear(&told);
	assert_ok(leaf_size(&walk.leaves, walk.order, true, &size));
	assert_ok(walk_range(&walk, 0, size, false));
	say_one(l, "e01", after(entity("pl26-kis-a", "active", "Kielce"), 0));
	assert_ok(leaf_size(&walk.leaves, walk.order, true, &size));
	assert_ok(walk_range(&walk, 1, size, false));
	assert_string_equal(buf_text(&told), "26@0 26@1");
}

int main(void)
{
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, end)
	const struct CMUnitTest tests[] = {
		LOG_TEST(a_difference_names_what_changed_and_nothing_else),
		LOG_TEST(a_new_record_differs_in_every_field_that_is_not_empty),
		LOG_TEST(a_log_is_told_newest_first_with_what_each_field_was),
		LOG_TEST(a_line_of_json_says_the_same),
		LOG_TEST(each_filter_leaves_what_it_names),
		LOG_TEST(a_limit_ends_it_and_the_other_direction_is_oldest_first),
		LOG_TEST(times_bound_it_on_both_sides_inclusively),
		LOG_TEST(an_erased_event_is_named_and_what_it_held_is_not_made_up),
		LOG_TEST(an_erased_event_that_a_filter_cannot_judge_is_counted),
		LOG_TEST(missing_and_spoilt_events_are_named_and_the_rest_is_told),
		LOG_TEST(a_change_that_names_a_later_or_foreign_event_has_no_version_before),
		LOG_TEST(the_national_log_orders_what_it_accepted),
		LOG_TEST(events_that_were_accepted_and_are_not_here_are_counted),
		LOG_TEST(an_act_tells_who_erased_an_event_and_why),
		LOG_TEST(a_national_log_begun_anew_tells_what_it_goes_on_from),
		LOG_TEST(acts_of_a_log_are_told_plainly),
		LOG_TEST(a_long_log_is_read_in_blocks_each_once),
		LOG_TEST(what_was_appended_meanwhile_is_found_when_asked_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
