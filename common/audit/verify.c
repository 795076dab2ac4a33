#include "audit/verify_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/prove.h"
#include "ledger/log.h"

enum { WHAT_BYTES = 512 };

static const struct {
	const char *code, *text;
} damages[] = {
#define DAMAGE_ROW(name, code, text) {code, text},
	DAMAGE_TABLE(DAMAGE_ROW)
#undef DAMAGE_ROW
};

const char *damage_code(enum damage d)
{
	return d >= 0 && d < DAMAGE_COUNT ? damages[d].code : "unknown";
}

const char *damage_text(enum damage d)
{
	return d >= 0 && d < DAMAGE_COUNT ? damages[d].text : "unknown";
}

/* ---- telling ---- */

void verify_found(struct verify *v, enum damage damage, struct log_name log, uint64_t index,
		  const char *format, ...)
{
	char what[WHAT_BYTES];
	const struct damage_found f = {damage, log, index, what};
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof what, format, args);
	va_end(args);
	v->report->damaged++;
	if (v->watch && v->watch->found)
		v->watch->found(v->watch->context, &f);
}

void verify_progress(struct verify *v, const char *what, uint64_t more)
{
	v->done += more;
	if (v->watch && v->watch->progress)
		v->watch->progress(v->watch->context, what, v->done, v->total);
}

static void begin_pass(struct verify *v, const char *what, uint64_t total)
{
	v->done = 0;
	v->total = total;
	verify_progress(v, what, 0);
}

bool verify_is_damage(enum err e)
{
	return e == ERR_CORRUPT || e == ERR_DECODE || e == ERR_ENCODING || e == ERR_LIMIT ||
	       e == ERR_INVALID || e == ERR_NOT_FOUND;
}

/* ---- the logs ---- */

struct verify_target *verify_target(struct verify *v, struct log_name log)
{
	for (size_t i = 0; i < v->count; i++)
		if (log_name_equal(v->targets[i].name, log))
			return &v->targets[i];
	return NULL;
}

struct verify_target *verify_followed(struct verify *v)
{
	if (v->count == 0)
		return NULL;
	return v->targets[v->count - 1].national ? &v->targets[v->count - 1] : &v->targets[0];
}

/* Where a log stands.  Regions come before the national log: what it accepted of them is then
 * never less than what they are seen to hold. */
static enum err fix_target(struct verify *v, struct log_name name)
{
	struct verify_target *t = &v->targets[v->count];
	struct buf note = {.data = NULL};
	struct checkpoint c;
	uint64_t size = 0;
	enum err e = v->source->ops->newest(v->source, name, &size, &note);

	*t = (struct verify_target){
		.name = name,
		.national = strcmp(name.text, "national") == 0,
		.row = &v->report->logs[v->count],
	};
	*t->row = (struct verify_log){.log = name};
	v->count++;
	v->report->log_count = v->count;
	if (e == ERR_OK)
		e = log_note_read(buf_bytes(&note), &c);
	if (e == ERR_OK && c.size != size)
		e = ERR_CORRUPT;
	buf_free(&note);
	if (e == ERR_OK) {
		t->size = size;
		t->newest = c.root;
		memcpy(t->origin, c.origin, sizeof t->origin);
		t->row->size = size;
	} else if (e != ERR_NOT_FOUND && verify_is_damage(e)) {
		verify_found(v, DAMAGE_CHECKPOINT, name, size, "the newest one: %s", err_text(e));
		/* As far as it says: the events are looked at all the same. */
		t->size = size;
		t->row->size = size;
	}
	return e == ERR_OK || verify_is_damage(e) ? ERR_OK : e;
}

static enum err fix_targets(struct verify *v)
{
	struct source_names names;
	enum err e = v->source->ops->names(v->source, &names);

	for (size_t i = 0; e == ERR_OK && i < names.count; i++)
		e = fix_target(v, names.items[i]);
	return e;
}

enum err verify_root_at(struct verify *v, struct log_name log, uint64_t size, struct hash *ret)
{
	struct source_tree tiles;
	struct tree tree;
	enum err e = ERR_OK;

	source_tree_init(&tiles, v->source, log, size);
	e = tree_at(&tiles.tree, size, &tree);
	source_tree_free(&tiles);
	if (e == ERR_OK)
		*ret = tree_root(&tree);
	return e;
}

/* ---- streams ---- */

enum err verify_stream_open(struct verify_stream *s, struct verify *v,
			    const struct verify_target *t)
{
	*s = (struct verify_stream){.verify = v, .log = t->name, .size = t->size};
	s->items = calloc(SOURCE_LEAVES_MAX, sizeof *s->items);
	return s->items ? ERR_OK : ERR_NOMEM;
}

void verify_stream_close(struct verify_stream *s)
{
	free(s->items);
	buf_free(&s->copy);
	*s = (struct verify_stream){.items = NULL};
}

static enum err fill_stream(struct verify_stream *s)
{
	struct source_leaves *run = s->verify->run;
	size_t at = 0;
	enum err e =
		s->verify->source->ops->leaves(s->verify->source, s->log, s->next, s->size, run);

	s->at = 0;
	s->count = 0;
	if (e != ERR_OK)
		return e;
	buf_clear(&s->copy);
	for (size_t i = 0; i < run->count; i++)
		buf_add_bytes(&s->copy, run->items[i]);
	e = buf_check(&s->copy);
	for (size_t i = 0; e == ERR_OK && i < run->count; i++) {
		s->items[i] = bytes_of(s->copy.data + at, run->items[i].size);
		at += run->items[i].size;
	}
	s->count = e == ERR_OK ? run->count : 0;
	return e;
}

enum err verify_stream_next(struct verify_stream *s, struct bytes *ret, bool *ret_there)
{
	enum err e = ERR_OK;

	if (s->next >= s->size)
		return ERR_NOT_FOUND;
	if (s->at == s->count)
		e = fill_stream(s);
	if (e != ERR_OK && !verify_is_damage(e))
		return e;
	s->next++;
	*ret_there = e == ERR_OK;
	*ret = *ret_there ? s->items[s->at++] : bytes_of(NULL, 0);
	return ERR_OK;
}

/* ---- all of it ---- */

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint64_t leaves_in(const struct verify *v)
{
	uint64_t total = 0;

	for (size_t i = 0; i < v->count; i++)
		total += v->targets[i].size;
	return total;
}

static enum err hash_pass(struct verify *v)
{
	int64_t begin = now_ns();
	enum err e = ERR_OK;

	begin_pass(v, "hash", leaves_in(v));
	for (size_t i = 0; e == ERR_OK && i < v->count; i++)
		e = verify_hashes(v, &v->targets[i]);
	v->report->hash_ns = now_ns() - begin;
	return e;
}

/* The mark is raised a moment before the log grows. */
static enum err check_highwater(struct verify *v, const struct verify_target *own)
{
	const uint64_t mark = v->options->highwater;
	struct buf note = {.data = NULL};
	uint64_t size = own->size;
	enum err e = ERR_OK;

	if (size < mark)
		e = v->source->ops->newest(v->source, own->name, &size, &note);
	buf_free(&note);
	if (e == ERR_NOT_FOUND)
		size = 0;
	if (size < mark)
		verify_found(v, DAMAGE_ROLLBACK, own->name, size, "its keys once signed size %llu",
			     (unsigned long long)mark);
	return verify_is_damage(e) ? ERR_OK : e;
}

static enum err check_pass(struct verify *v)
{
	struct verify_target *followed = verify_followed(v);
	int64_t begin = now_ns();
	enum err e = ERR_OK;

	begin_pass(v, "check", leaves_in(v));
	for (size_t i = 0; e == ERR_OK && i < v->count; i++) {
		e = verify_signatures(v, &v->targets[i]);
		if (e == ERR_OK && !v->targets[i].national)
			e = verify_events(v, &v->targets[i]);
	}
	if (e == ERR_OK && followed && followed->national)
		e = verify_national(v, followed);
	if (e == ERR_OK && followed && followed->national)
		e = verify_witnesses(v, followed);
	if (e == ERR_OK && followed && followed->national && !v->options->is_store) {
		v->report->unmatched = v->count == 1;
		e = verify_key_files(v, followed);
	}
	if (e == ERR_OK && followed && !followed->national)
		e = check_highwater(v, followed);
	v->report->check_ns = now_ns() - begin;
	return e;
}

enum err verify_run(struct source *s, const struct verify_options *options,
		    const struct verify_watch *watch, struct verify_report *ret)
{
	struct verify *v = calloc(1, sizeof *v);
	struct verify_report *report = calloc(1, sizeof *report);
	int64_t begin = 0;
	enum err e = v && report ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK) {
		*v = (struct verify){
			.source = s, .options = options, .watch = watch, .report = report};
		v->run = malloc(sizeof *v->run);
		e = v->run ? fix_targets(v) : ERR_NOMEM;
	}
	if (e == ERR_OK)
		e = hash_pass(v);
	if (e == ERR_OK)
		e = check_pass(v);
	if (e == ERR_OK && (options->view || options->rows) && verify_followed(v)) {
		begin = now_ns();
		begin_pass(v, "view", leaves_in(v));
		e = verify_view(v);
		report->view_ns = now_ns() - begin;
	}
	if (e == ERR_OK)
		*ret = *report;
	free(v ? v->run : NULL);
	free(v);
	free(report);
	return e;
}

enum err verify_fold(struct source *s, const char *scratch, const struct verify_watch *watch,
		     struct store **ret)
{
	struct verify *v = calloc(1, sizeof *v);
	struct verify_report *report = calloc(1, sizeof *report);
	enum err e = v && report ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK) {
		*v = (struct verify){.source = s, .watch = watch, .report = report};
		v->run = malloc(sizeof *v->run);
		e = v->run ? fix_targets(v) : ERR_NOMEM;
	}
	if (e == ERR_OK) {
		begin_pass(v, "view", leaves_in(v));
		e = verify_fold_all(v, scratch, ret);
	}
	free(v ? v->run : NULL);
	free(v);
	free(report);
	return e;
}
