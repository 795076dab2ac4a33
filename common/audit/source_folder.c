/* An export folder as a source.  No path is made of what a file says: folders and files are
 * named by logs and numbers that were parsed. */
#include "audit/source.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "io/files.h"
#include "ledger/log.h"
#include "tlog/note.h"

enum {
	PATH_BYTES_MAX = 4096,
	BUNDLE_BYTES_MAX = TILE_WIDTH * (2 + EVENT_BYTES_MAX),
	KEYS_BYTES_MAX = LOG_KEYS_MAX * (VKEY_BYTES + 1),
	WITNESSES_BYTES_MAX = LOGS_MAX * (VKEY_BYTES + 1),
};

struct folder_source {
	char folder[PATH_BYTES_MAX];
	bool single;          /* the folder is one log's */
	struct log_name only; /*   that one */
	struct buf bundle;    /* the leaves given last */
};

static struct folder_source *folder_of(struct source *s)
{
	return s->context;
}

/* The path of a log's file; `log` NULL: of the folder's own. */
static enum err path_of(const struct folder_source *x, const struct log_name *log, const char *file,
			char path[static PATH_BYTES_MAX])
{
	char name[LOG_NAME_BYTES] = "";
	bool inside = log && !x->single;
	int n = 0;

	if (log && x->single && !log_name_equal(*log, x->only))
		return ERR_NOT_FOUND;
	if (inside)
		source_folder_name(*log, name);
	n = snprintf(path, PATH_BYTES_MAX, "%s/%s%s%s", x->folder, name, inside ? "/" : "", file);
	return n < 0 || n >= PATH_BYTES_MAX ? ERR_ARGUMENT : ERR_OK;
}

static enum err read_of(const struct folder_source *x, const struct log_name *log, const char *file,
			size_t limit, struct buf *ret)
{
	char path[PATH_BYTES_MAX];
	enum err e = path_of(x, log, file, path);

	return e == ERR_OK ? file_read(path, limit, ret) : e;
}

/* ---- checkpoints ---- */

static enum err read_checkpoint(const struct folder_source *x, const struct log_name *log,
				struct checkpoint *ret, struct buf *ret_note)
{
	size_t start = ret_note->size;
	enum err e = read_of(x, log, "checkpoint", NOTE_BYTES_MAX, ret_note);

	if (e == ERR_OK)
		e = log_note_read(bytes_of(ret_note->data + start, ret_note->size - start), ret);
	if (e != ERR_OK)
		ret_note->size = start;
	return e == ERR_DECODE || e == ERR_ENCODING || e == ERR_LIMIT ? ERR_CORRUPT : e;
}

static enum err folder_newest(struct source *s, struct log_name log, uint64_t *ret_size,
			      struct buf *ret_note)
{
	struct checkpoint c;
	enum err e = read_checkpoint(folder_of(s), &log, &c, ret_note);

	if (e == ERR_OK)
		*ret_size = c.size;
	return e;
}

static enum err folder_checkpoint(struct source *s, struct log_name log, uint64_t after,
				  uint64_t *ret_size, struct buf *ret_note)
{
	size_t start = ret_note->size;
	struct checkpoint c;
	enum err e = read_checkpoint(folder_of(s), &log, &c, ret_note);

	if (e == ERR_OK && c.size <= after)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		*ret_size = c.size;
	else
		ret_note->size = start;
	return e;
}

/* The national checkpoint, when more than the log itself signed it. */
static enum err folder_cosigned(struct source *s, uint64_t size, uint64_t *ret_size,
				struct buf *ret_note)
{
	struct note *n = malloc(sizeof *n);
	size_t start = ret_note->size;
	struct log_name national;
	struct checkpoint c;
	enum err e = n ? log_name_parse(bytes_of_text("national"), &national) : ERR_NOMEM;

	if (e == ERR_OK)
		e = read_checkpoint(folder_of(s), &national, &c, ret_note);
	if (e == ERR_OK)
		e = note_parse(bytes_of(ret_note->data + start, ret_note->size - start), n);
	if (e == ERR_OK && (n->signature_count < 2 || c.size > size))
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		*ret_size = c.size;
	else
		ret_note->size = start;
	free(n);
	return e == ERR_DECODE || e == ERR_ENCODING || e == ERR_LIMIT ? ERR_CORRUPT : e;
}

/* ---- leaves and tiles ---- */

/* A tile's or bundle's file: the one of that width, else the full one, which stays when the
 * partial ones are gone. */
static enum err read_tile(const struct folder_source *x, const struct log_name *log,
			  struct tile_id id, unsigned width, size_t limit, unsigned *ret_width,
			  struct buf *ret)
{
	char path[TILE_PATH_BYTES];
	enum err e = ERR_NOT_FOUND;

	if (width == 0 || width > TILE_WIDTH)
		return ERR_NOT_FOUND;
	tile_path(id, width, path);
	*ret_width = width;
	e = read_of(x, log, path, limit, ret);
	if (e == ERR_NOT_FOUND && width < TILE_WIDTH) {
		*ret_width = TILE_WIDTH;
		tile_path(id, TILE_WIDTH, path);
		e = read_of(x, log, path, limit, ret);
	}
	return e == ERR_LIMIT ? ERR_CORRUPT : e;
}

static enum err folder_leaves(struct source *s, struct log_name log, uint64_t from, uint64_t size,
			      struct source_leaves *ret)
{
	struct folder_source *x = folder_of(s);
	struct tile_id id = {.level = UINT_MAX, .number = from / TILE_WIDTH};
	struct tile_id row = {.level = 0, .number = from / TILE_WIDTH};
	unsigned width = from < size ? tile_width(row, size) : 0;
	unsigned skip = (unsigned)(from % TILE_WIDTH);
	unsigned holds = 0;
	struct cursor c;
	size_t count = 0;
	enum err e = ERR_OK;

	buf_clear(&x->bundle);
	e = read_tile(x, &log, id, width, BUNDLE_BYTES_MAX, &holds, &x->bundle);
	if (e != ERR_OK)
		return e;
	c = cursor_of(buf_bytes(&x->bundle));
	for (unsigned i = 0; i < holds; i++) {
		struct bytes leaf = cursor_bytes(&c, cursor_u16be(&c));

		if (c.err != ERR_OK)
			break;
		if (i >= skip && i < width)
			ret->items[count++] = leaf;
	}
	if (c.err == ERR_OK && cursor_left(&c)) /* no bundle: others would refuse it */
		count = 0;
	ret->count = count;
	return count ? ERR_OK : ERR_CORRUPT;
}

static enum err folder_tile(struct source *s, struct log_name log, struct tile_id id,
			    unsigned width, struct buf *ret)
{
	size_t start = ret->size;
	size_t size = 0;
	unsigned holds = 0;
	enum err e = id.level < TREE_LEVELS_MAX
			     ? read_tile(folder_of(s), &log, id, width, TILE_BYTES, &holds, ret)
			     : ERR_NOT_FOUND;

	if (e != ERR_OK)
		return e;
	size = ret->size - start;
	if (size % HASH_BYTES || size > (size_t)holds * HASH_BYTES)
		e = ERR_CORRUPT;
	else if (size < (size_t)holds * HASH_BYTES)
		e = ERR_NOT_FOUND;
	if (e != ERR_OK)
		ret->size = start;
	return e;
}

/* ---- names, keys, policy ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct log_name *)a)->text, ((const struct log_name *)b)->text);
}

static bool has_checkpoint(const struct folder_source *x, const struct log_name *log)
{
	char path[PATH_BYTES_MAX];

	return path_of(x, log, "checkpoint", path) == ERR_OK && file_exists(path);
}

static enum err folder_names(struct source *s, struct source_names *ret)
{
	struct folder_source *x = folder_of(s);
	const size_t most = sizeof ret->items / sizeof *ret->items;
	struct dirent *entry = NULL;
	DIR *dir = NULL;
	enum err e = ERR_OK;

	ret->count = 0;
	if (x->single) {
		ret->items[ret->count++] = x->only;
		return ERR_OK;
	}
	dir = opendir(x->folder);
	if (!dir)
		return errno == EACCES                       ? ERR_DENIED
		       : errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND
							     : ERR_IO;
	while (e == ERR_OK && (entry = readdir(dir))) {
		struct log_name log;

		if (source_folder_log(entry->d_name, &log) != ERR_OK || !has_checkpoint(x, &log))
			continue;
		if (ret->count == most)
			e = ERR_LIMIT;
		else
			ret->items[ret->count++] = log;
	}
	(void)closedir(dir);
	qsort(ret->items, ret->count, sizeof *ret->items, by_name);
	return e;
}

static enum err folder_keys(struct source *s, struct log_name log, struct buf *ret)
{
	return read_of(folder_of(s), &log, "log.vkey", KEYS_BYTES_MAX, ret);
}

static enum err folder_policy(struct source *s, struct buf *ret)
{
	struct folder_source *x = folder_of(s);

	return x->single ? ERR_NOT_FOUND : read_of(x, NULL, "policy", POLICY_BYTES_MAX, ret);
}

static enum err folder_witnesses(struct source *s, struct buf *ret)
{
	struct folder_source *x = folder_of(s);

	return x->single ? ERR_NOT_FOUND
			 : read_of(x, NULL, "witnesses.vkeys", WITNESSES_BYTES_MAX, ret);
}

/* ---- opening ---- */

static void folder_close(struct source *s)
{
	struct folder_source *x = folder_of(s);

	buf_free(&x->bundle);
	free(x);
}

static const struct source_ops folder_ops = {
	.names = folder_names,
	.newest = folder_newest,
	.leaves = folder_leaves,
	.tile = folder_tile,
	.checkpoint = folder_checkpoint,
	.cosigned = folder_cosigned,
	.keys = folder_keys,
	.policy = folder_policy,
	.witnesses = folder_witnesses,
	.close = folder_close,
};

/* Which log the folder's own checkpoint is of. */
static enum err find_only(struct folder_source *x)
{
	struct buf note = {0};
	struct bytes realm = {NULL, 0};
	struct checkpoint c;
	bool witness = false;
	enum err e = read_checkpoint(x, NULL, &c, &note);

	if (e == ERR_OK)
		e = source_origin_log(bytes_of_text(c.origin), &realm, &x->only, &witness);
	if (e == ERR_INVALID || witness)
		e = ERR_CORRUPT;
	buf_free(&note);
	return e;
}

enum err source_open_export(const char *folder, struct source *ret)
{
	struct folder_source *x = calloc(1, sizeof *x);
	struct source s = {.ops = &folder_ops, .context = x};
	struct source_names names = {.count = 0};
	enum err e = x ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK && strlen(folder) >= sizeof x->folder)
		e = ERR_ARGUMENT;
	if (e == ERR_OK) {
		memcpy(x->folder, folder, strlen(folder) + 1);
		x->single = has_checkpoint(x, NULL);
		s.single = x->single;
		e = x->single ? find_only(x) : folder_names(&s, &names);
	}
	if (e == ERR_OK && !x->single && names.count == 0)
		e = ERR_NOT_FOUND;
	if (e != ERR_OK) {
		free(x);
		return e;
	}
	(void)snprintf(s.what, sizeof s.what, "%s", folder);
	*ret = s;
	return ERR_OK;
}
