#include "audit/export_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/files.h"
#include "ledger/log.h"
#include "session/anew.h"

enum { README_BYTES_MAX = 64 * 1024 };

struct exporter {
	char folder[EXPORT_PATH_BYTES];
	int lock;             /* held as long as the exporter is open */
	struct keyring *acts; /* owned; what the first `taken` entries of the national log name */
	uint64_t taken;
	size_t count;
	struct exported logs[LOGS_MAX + 1];
};

/* ---- opening ---- */

static enum err in_folder(const struct exporter *x, const char *file,
			  char path[static EXPORT_PATH_BYTES])
{
	int n = snprintf(path, EXPORT_PATH_BYTES, "%s/%s", x->folder, file);

	return n < 0 || n >= EXPORT_PATH_BYTES ? ERR_ARGUMENT : ERR_OK;
}

/* A folder that is something else is left alone. */
static enum err check_ours(const struct exporter *x)
{
	char path[EXPORT_PATH_BYTES];
	struct buf readme = {0};
	size_t size = strlen(export_readme_first);
	enum err e = in_folder(x, "data.mdb", path);

	if (e == ERR_OK && file_exists(path))
		return ERR_EXISTS;
	if (e == ERR_OK)
		e = in_folder(x, "README.md", path);
	if (e == ERR_OK)
		e = file_read(path, README_BYTES_MAX, &readme);
	if (e == ERR_NOT_FOUND)
		e = ERR_OK;
	else if (e == ERR_LIMIT ||
		 (e == ERR_OK &&
		  (readme.size < size || memcmp(readme.data, export_readme_first, size) != 0)))
		e = ERR_EXISTS;
	buf_free(&readme);
	return e;
}

static enum err lock_folder(struct exporter *x)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[EXPORT_PATH_BYTES];
	enum err e = in_folder(x, ".lock", path);

	if (e != ERR_OK)
		return e;
	x->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (x->lock < 0)
		return errno == EACCES || errno == EROFS ? ERR_DENIED : ERR_IO;
	if (fcntl(x->lock, F_OFD_SETLK, &lock) != 0)
		return errno == EAGAIN || errno == EACCES ? ERR_BUSY : ERR_IO;
	return ERR_OK;
}

enum err exporter_open(const char *folder, struct exporter **ret)
{
	struct exporter *x = calloc(1, sizeof *x);
	enum err e = x ? ERR_OK : ERR_NOMEM;

	if (e != ERR_OK)
		return e;
	x->lock = -1;
	if (snprintf(x->folder, sizeof x->folder, "%s", folder) >= (int)sizeof x->folder)
		e = ERR_ARGUMENT;
	if (e == ERR_OK)
		e = folder_make(folder, 0755);
	if (e == ERR_OK)
		e = check_ours(x);
	if (e == ERR_OK)
		e = lock_folder(x);
	if (e != ERR_OK) {
		exporter_close(x);
		return e;
	}
	*ret = x;
	return ERR_OK;
}

void exporter_close(struct exporter *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->count; i++) {
		struct exported *l = &x->logs[i];

		for (size_t p = 0; p < l->partial_count; p++)
			free(l->partials[p]);
		free(l->partials);
		free(l->erased);
		buf_free(&l->note);
		buf_free(&l->target_note);
	}
	if (x->lock >= 0)
		(void)close(x->lock);
	keyring_free(x->acts);
	free(x);
}

/* ---- which checkpoint ---- */

/* Whether the note has its quorum; a bad line of a witness is no reason not to publish. */
static bool has_quorum(const struct policy *policy, struct bytes note)
{
	struct policy_finding *finding = malloc(sizeof *finding);
	struct note *n = malloc(sizeof *n);
	bool quorum = policy && finding && n && note_parse(note, n) == ERR_OK &&
		      policy_judge(policy, n, finding) == ERR_OK;

	free(n);
	free(finding);
	return quorum;
}

/* The newest national checkpoint with its quorum; NOT_FOUND. */
static enum err newest_with_quorum(struct export_run *run, struct buf *ret)
{
	uint64_t below = UINT64_MAX;
	uint64_t size = 0;
	enum err e = ERR_OK;

	for (;;) {
		buf_clear(ret);
		e = run->source->ops->cosigned(run->source, below, &size, ret);
		if (e != ERR_OK)
			return e;
		if (has_quorum(run->policy, buf_bytes(ret)))
			return note_shorten(run->policy, ret);
		if (size == 0)
			return ERR_NOT_FOUND;
		below = size - 1;
	}
}

/* The checkpoint that the folder is to have; the one it has when what is offered is older. */
static enum err choose_target(struct exported *l, struct export_run *run, uint64_t newest,
			      struct bytes newest_note)
{
	struct log_name log = l->log;
	enum err e = ERR_NOT_FOUND;

	if (log_name_region(log) == REGION_NONE)
		e = newest_with_quorum(run, &l->target_note);
	if (e == ERR_NOT_FOUND) {
		buf_clear(&l->target_note);
		buf_add_bytes(&l->target_note, newest_note);
		e = buf_check(&l->target_note);
	}
	if (e == ERR_OK)
		e = keyring_checkpoint(run->keys, log, buf_bytes(&l->target_note), &l->target);
	if (e == ERR_UNKNOWN_KEY &&
	    !(keyring_log(run->keys, log) && keyring_log(run->keys, log)->count))
		e = log_note_read(buf_bytes(&l->target_note), &l->target);
	if (e == ERR_OK && l->target.size > newest)
		e = ERR_ROLLBACK;
	if (e == ERR_OK && l->target.size < l->size) {
		buf_clear(&l->target_note);
		buf_add_bytes(&l->target_note, buf_bytes(&l->note));
		l->target.size = l->size;
		l->target.root = l->root;
		e = buf_check(&l->target_note);
	}
	return e;
}

/* ---- one log ---- */

static struct exported *log_of(struct exporter *x, struct log_name log)
{
	char name[LOG_NAME_BYTES];
	char path[EXPORT_PATH_BYTES]; /* its own: the compiler cannot tell the log's from x's */
	struct exported *l = NULL;

	for (size_t i = 0; i < x->count; i++)
		if (log_name_equal(x->logs[i].log, log))
			return &x->logs[i];
	if (x->count == sizeof x->logs / sizeof *x->logs)
		return NULL;
	l = &x->logs[x->count];
	source_folder_name(log, name);
	*l = (struct exported){.log = log};
	if (in_folder(x, name, path) != ERR_OK)
		return NULL;
	memcpy(l->folder, path, sizeof l->folder);
	x->count++;
	return l;
}

static enum err root_at(struct source_tree *tree, uint64_t size, struct hash *ret)
{
	struct tree t;
	enum err e = tree_at(&tree->tree, size, &t);

	if (e == ERR_OK)
		*ret = tree_root(&t);
	return e;
}

static void forget(struct exported *l)
{
	for (size_t p = 0; p < l->partial_count; p++)
		free(l->partials[p]);
	l->partial_count = 0;
	l->erased_count = 0;
	l->size = 0;
	l->written = 0;
	l->looked = false;
}

static enum err note_origin(struct bytes note, struct origin_parts *ret)
{
	struct checkpoint c;
	enum err e = log_note_read(note, &c);

	return e == ERR_OK ? origin_parse(bytes_of_text(c.origin), ret) : e;
}

/* What the folder holds of a national log that was lost, and that the source's goes on from, is
 * all that is left of it: it stays, in another place. */
static enum err set_aside_lost(struct exported *l, struct bytes newest)
{
	char name[SERVER_NAME_BYTES];
	struct origin_parts was;
	struct origin_parts is;

	if (note_origin(buf_bytes(&l->note), &was) != ERR_OK ||
	    note_origin(newest, &is) != ERR_OK || !anew_same_server(&was, &is) ||
	    was.generation >= is.generation)
		return ERR_OK;
	(void)snprintf(name, sizeof name, "%s-%u", l->log.text, (unsigned)was.generation);
	forget(l);
	buf_clear(&l->note);
	return export_set_aside(l, name);
}

/* At the first look: whether the folder holds the beginning of the same history. */
static enum err look(struct exported *l, struct export_run *run, uint64_t newest,
		     struct bytes newest_note)
{
	struct source_tree tree;
	struct hash root;
	enum err e = export_look(l);

	if (e == ERR_OK)
		e = set_aside_lost(l, newest_note);
	if (e == ERR_OK && l->size > newest)
		e = ERR_ROLLBACK;
	if (e != ERR_OK)
		return e;
	source_tree_init(&tree, run->source, l->log, newest);
	e = root_at(&tree, l->size, &root);
	if (e == ERR_OK && l->size > 0 && !hash_equal(root, l->root))
		e = ERR_FORK;
	/* What a run that was ended left behind is used only when it is the same as well. */
	if (e == ERR_OK && l->written > l->size &&
	    (l->written > newest || root_at(&tree, l->written, &root) != ERR_OK ||
	     !hash_equal(root, l->target.root)))
		l->written = l->size;
	source_tree_free(&tree);
	l->looked = e == ERR_OK;
	return e;
}

/* Finds what is to be done for a log. */
static enum err plan(struct exported *l, struct export_run *run)
{
	struct buf note = {0};
	uint64_t newest = 0;
	enum err e = run->source->ops->newest(run->source, l->log, &newest, &note);

	if (e == ERR_OK && !l->looked) {
		e = look(l, run, newest, buf_bytes(&note));
		if (e != ERR_OK)
			forget(l);
	}
	if (e == ERR_OK && l->size > newest)
		e = ERR_ROLLBACK;
	if (e == ERR_OK)
		e = choose_target(l, run, newest, buf_bytes(&note));
	if (e == ERR_OK && l->written > l->target.size)
		l->written = l->size;
	if (e == ERR_OK)
		run->total += l->target.size - l->written;
	buf_free(&note);
	return e;
}

/* The log's keys, newest first, one a line. */
static enum err write_keys(struct exported *l, struct export_run *run)
{
	const struct log_keys *keys = keyring_log(run->keys, l->log);
	char line[VKEY_BYTES];
	struct buf text = {0};
	enum err e = ERR_OK;

	if (!keys || !keys->count) {
		if (!*run->report.unsaid.text)
			run->report.unsaid = l->log;
		return ERR_OK;
	}
	for (size_t i = keys->count; i-- > 0;) {
		vkey_text(&keys->keys[i].key, line);
		buf_printf(&text, "%s\n", line);
	}
	e = buf_check(&text);
	if (e == ERR_OK)
		e = export_put_changed(l->folder, "log.vkey", buf_bytes(&text), run);
	buf_free(&text);
	return e;
}

/* ---- what stands beside the logs ---- */

/* Takes in what the national log names below `size`, which is what the folder shows of it: keys of
 * acts that came later would be nobody's to whoever reads the folder. */
static enum err take_acts(struct exporter *x, struct export_run *run, struct log_name national,
			  uint64_t size)
{
	struct source_leaves *leaves = NULL;
	enum err e = ERR_OK;

	if (x->acts && x->taken > size) {
		keyring_free(x->acts);
		x->acts = NULL;
	}
	if (!x->acts) {
		x->taken = 0;
		e = keyring_of_acts(run->keys, &x->acts);
	}
	if (e == ERR_OK && x->taken < size) {
		leaves = malloc(sizeof *leaves);
		e = leaves ? ERR_OK : ERR_NOMEM;
	}
	while (e == ERR_OK && x->taken < size) {
		e = run->source->ops->leaves(run->source, national, x->taken, size, leaves);
		for (size_t i = 0; e == ERR_OK && i < leaves->count; i++) {
			e = keyring_take_entry(x->acts, x->taken, leaves->items[i]);
			e = keyring_passes_over(e) ? ERR_OK : e;
			x->taken += e == ERR_OK;
		}
	}
	free(leaves);
	return e;
}

/* By whose word the files of keys are written: the exported national log's; where the source has
 * none, the keys that are known; NULL: they stay as they are. */
static enum err choose_keys(struct exporter *x, struct export_run *run, const struct keyring **ret)
{
	char path[EXPORT_PATH_BYTES];
	enum err e = in_folder(x, "national/checkpoint", path);

	*ret = NULL;
	for (size_t i = 0; e == ERR_OK && i < x->count; i++) {
		const struct exported *l = &x->logs[i];

		if (log_name_region(l->log) != REGION_NONE || !l->size)
			continue;
		e = take_acts(x, run, l->log, l->size);
		*ret = e == ERR_OK ? x->acts : NULL;
		return e;
	}
	if (e == ERR_OK && !file_exists(path))
		*ret = run->keys;
	return e;
}

static enum err write_witnesses(const struct exporter *x, const struct keyring *by,
				struct export_run *run)
{
	struct vkey keys[LOGS_MAX];
	size_t count = keyring_witnesses(by, keys, LOGS_MAX);
	char line[VKEY_BYTES];
	char path[EXPORT_PATH_BYTES];
	struct buf text = {0};
	enum err e = in_folder(x, "witnesses.vkeys", path);

	for (size_t i = 0; i < count; i++) {
		vkey_text(&keys[i], line);
		buf_printf(&text, "%s\n", line);
	}
	if (e == ERR_OK)
		e = buf_check(&text);
	if (e == ERR_OK && (count || file_exists(path)))
		e = export_put_changed(x->folder, "witnesses.vkeys", buf_bytes(&text), run);
	buf_free(&text);
	return e;
}

/* A policy that names who is enrolled further on waits until the folder shows that. */
static enum err write_policy(const struct exporter *x, const struct keyring *by,
			     struct export_run *run)
{
	const struct policy *policy = run->policy;
	struct policy *usual = NULL;
	char path[EXPORT_PATH_BYTES];
	struct buf text = {0};
	enum err e = in_folder(x, "policy", path);

	if (e != ERR_OK || !policy)
		return e;
	if (keyring_stranger(by, policy) && !keyring_stranger(run->keys, policy)) {
		if (file_exists(path))
			return ERR_OK;
		usual = malloc(sizeof *usual);
		e = usual ? keyring_policy(by, usual) : ERR_NOMEM;
		policy = usual;
	}
	if (e == ERR_OK)
		e = policy_text(policy, &text);
	if (e == ERR_OK)
		e = export_put_changed(x->folder, "policy", buf_bytes(&text), run);
	free(usual);
	buf_free(&text);
	return e == ERR_QUORUM ? ERR_OK : e; /* no witness yet */
}

static enum err write_readme(const struct exporter *x, struct export_run *run)
{
	struct buf text = {0};
	enum err e = ERR_OK;

	for (size_t i = 0; export_readme[i]; i++)
		buf_add_text(&text, export_readme[i]);
	e = buf_check(&text);
	if (e == ERR_OK)
		e = export_put_changed(x->folder, "README.md", buf_bytes(&text), run);
	buf_free(&text);
	return e;
}

static enum err write_key_files(struct exporter *x, struct export_run *run)
{
	const struct keyring *by = NULL;
	enum err e = choose_keys(x, run, &by);

	if (e == ERR_OK && by)
		e = write_witnesses(x, by, run);
	if (e == ERR_OK && by)
		e = write_policy(x, by, run);
	return e;
}

/* ---- a run ---- */

/* Keeps the first failure; the other logs go on. */
static void note_failure(struct export_run *run, const struct exported *l, enum err e,
			 enum err *first)
{
	if (e == ERR_OK || *first != ERR_OK)
		return;
	*first = e;
	run->report.failed = l->log;
}

static bool stops_all(enum err e)
{
	return e == ERR_NOMEM || e == ERR_DESCRIPTORS || e == ERR_DISK_FULL || e == ERR_DENIED ||
	       e == ERR_IO || e == ERR_CLOSED || e == ERR_TIMEOUT;
}

/* What the folder's national checkpoint says when all is done. */
static void report_quorum(struct exporter *x, struct export_run *run)
{
	for (size_t i = 0; i < x->count; i++) {
		run->report.logs += x->logs[i].size > 0;
		if (log_name_region(x->logs[i].log) != REGION_NONE || !x->logs[i].size)
			continue;
		run->report.cosigned = x->logs[i].size;
		run->report.quorum = has_quorum(run->policy, buf_bytes(&x->logs[i].note));
	}
}

static enum err run_logs(struct exporter *x, struct export_run *run, struct exported **logs,
			 size_t count)
{
	enum err planned[LOGS_MAX + 1];
	enum err first = ERR_OK;
	enum err e = ERR_OK;
	bool any = false;

	/* The national log's size is settled first and published last: what it accepted of the
	 * others is always in their folders. */
	for (size_t i = count; i-- > 0;)
		planned[i] = plan(logs[i], run);
	for (size_t i = 0; i < count; i++) {
		e = planned[i];
		note_failure(run, logs[i], e == ERR_NOT_FOUND ? ERR_OK : e, &first);
		if (e != ERR_OK)
			logs[i] = NULL; /* an empty log, or one that failed */
	}
	for (size_t i = 0; i < count && !stops_all(first); i++) {
		e = logs[i] ? export_grow(logs[i], run) : ERR_OK;
		if (logs[i] && e == ERR_OK)
			e = write_keys(logs[i], run);
		if (e != ERR_OK) {
			note_failure(run, logs[i], e, &first);
			forget(logs[i]);
			logs[i] = NULL;
		}
		any = any || (logs[i] && logs[i]->changed);
	}
	if (any && !stops_all(first)) {
		e = export_sync(x->folder);
		if (e != ERR_OK)
			return e;
	}
	for (size_t i = 0; i < count && !stops_all(first); i++)
		if (logs[i] && logs[i]->changed)
			note_failure(run, logs[i], export_finish(logs[i], run), &first);
	return first;
}

/* The names to export, as their folders. */
static enum err choose_logs(struct exporter *x, struct source *s, struct log_name only,
			    struct exported **ret, size_t *ret_count)
{
	struct source_names names;
	enum err e = s->ops->names(s, &names);

	*ret_count = 0;
	for (size_t i = 0; e == ERR_OK && i < names.count; i++) {
		if (*only.text && !log_name_equal(names.items[i], only))
			continue;
		ret[*ret_count] = log_of(x, names.items[i]);
		if (!ret[*ret_count])
			e = ERR_LIMIT;
		else
			++*ret_count;
	}
	return e == ERR_OK && *ret_count == 0 ? ERR_NOT_FOUND : e;
}

enum err exporter_run(struct exporter *x, struct source *s, const struct keyring *keys,
		      const struct policy *policy, struct log_name only,
		      void (*progress)(void *context, uint64_t done, uint64_t total), void *context,
		      struct export_report *ret)
{
	struct export_run run = {.source = s,
				 .keys = keys,
				 .policy = policy,
				 .progress = progress,
				 .context = context};
	struct exported *logs[LOGS_MAX + 1];
	struct policy *found = NULL;
	size_t count = 0;
	enum err e = choose_logs(x, s, only, logs, &count);

	*ret = run.report;
	if (e == ERR_OK && !policy) {
		found = malloc(sizeof *found);
		e = found ? keyring_source_policy(keys, s, found) : ERR_NOMEM;
		run.policy = e == ERR_OK ? found : NULL;
		e = e == ERR_QUORUM ? ERR_OK : e;
	}
	if (e == ERR_OK)
		e = write_readme(x, &run);
	if (e == ERR_OK) {
		e = run_logs(x, &run, logs, count);
		if (!stops_all(e)) {
			enum err keys_written = write_key_files(x, &run);

			e = e == ERR_OK ? keys_written : e;
		}
	}
	report_quorum(x, &run);
	*ret = run.report;
	free(found);
	return e;
}
