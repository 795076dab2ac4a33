/* A source made of memory, the events said into it, and a walk whose places and texts are noted
 * down. */
#ifndef SPLOT_TESTS_ADMIN_LOG_H
#define SPLOT_TESTS_ADMIN_LOG_H

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

static inline struct fake_log *fake_find(struct log_name name)
{
	for (size_t i = 0; i < fake_count; i++)
		if (log_name_equal(fakes[i].name, name))
			return &fakes[i];
	return NULL;
}

static inline enum err fake_names(struct source *s, struct source_names *ret)
{
	(void)s;
	ret->count = fake_count;
	for (size_t i = 0; i < fake_count; i++)
		ret->items[i] = fakes[i].name;
	return ERR_OK;
}

static inline enum err fake_newest(struct source *s, struct log_name log, uint64_t *ret_size,
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

static inline enum err fake_leaves(struct source *s, struct log_name log, uint64_t from,
				   uint64_t size, struct source_leaves *ret)
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

static inline enum err fake_none(struct source *s, uint64_t size, uint64_t *ret_size,
				 struct buf *ret)
{
	(void)s;
	(void)size;
	(void)ret_size;
	(void)ret;
	return ERR_NOT_FOUND;
}

static inline enum err fake_keys(struct source *s, struct log_name log, struct buf *ret)
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

static inline struct log_name name_of(const char *text)
{
	struct log_name name;

	assert_ok(log_name_parse(T(text), &name));
	return name;
}

static inline struct fake_log *fake_log(const char *name)
{
	struct fake_log *l = &fakes[fake_count++];

	assert_true(fake_count <= FAKE_LOGS_MAX);
	l->name = name_of(name);
	return l;
}

/* ---- what stands in it ---- */

static inline struct change entity(const char *id, const char *status, const char *place)
{
	struct record *r = record_new(&arena, RECORD_ENTITY);
	const struct kind *kind = kind_of(RECORD_ENTITY);

	assert_ok(record_set(r, &arena, (size_t)field_named(kind, "id"), T(id)));
	assert_ok(record_set(r, &arena, (size_t)field_named(kind, "status"), T(status)));
	assert_ok(record_set(r, &arena, (size_t)field_named(kind, "place"), T(place)));
	return (struct change){.id = id, .kind = RECORD_ENTITY, .record = r};
}

static inline struct change after(struct change c, uint64_t supersedes)
{
	c.has_supersedes = true;
	c.supersedes = supersedes;
	return c;
}

/* Appends an event of an editor; its time is 1000 ms a place. */
static inline void say(struct fake_log *l, const char *editor, const struct change *changes,
		       size_t count)
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

static inline void say_one(struct fake_log *l, const char *editor, struct change c)
{
	say(l, editor, &c, 1);
}

static inline void enter(struct fake_log *national, const struct national_entry *e)
{
	assert_ok(national_encode(e, &national->leaves[national->size++]));
}

static inline void accept(struct fake_log *national, const struct fake_log *l, uint64_t from,
			  uint64_t size)
{
	const struct national_entry e = {.kind = NATIONAL_ACCEPTED,
					 .log = l->name,
					 .from = from,
					 .size = size,
					 .checkpoint = T("a note")};

	enter(national, &e);
}

static inline int set_up(void **state)
{
	(void)state;
	fake_count = 0;
	fake_calls = 0;
	return 0;
}

static inline int tear_down(void **state)
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

static inline bool note_down(void *context, const struct log_item *item)
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

static inline void begin(const char *order)
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
static inline const char *all_back(void)
{
	uint64_t size = 0;

	buf_clear(&told);
	buf_clear(&texts);
	assert_ok(leaf_size(&walk.leaves, walk.order, true, &size));
	assert_ok(walk_range(&walk, 0, size, true));
	walk_close(&walk);
	return buf_text(&told);
}

static inline int end(void **state)
{
	walk_close(&walk);
	buf_free(&told);
	buf_free(&texts);
	return tear_down(state);
}

/* Events 0 … 4: added, another added, changed, both in one, retired. */
static inline struct fake_log *small_log(void)
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

#endif
