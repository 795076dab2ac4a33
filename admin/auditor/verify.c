/* audit verify: whether everything that a store, an export or a daemon holds is as it was signed.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "admin/auditor/report.h"
#include "admin/auditor/source.h"
#include "admin/settings.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "admin/auditor/view_socket.h"
#include "base/limits.h"
#include "io/files.h"
#include "ledger/view.h"

enum { PROGRESS_MS = 100 };

struct verifying {
	struct cli *cli;
	struct audit_source audit;
	struct store *store, *view; /* owned; one and the same at a node */
	const char *data;           /* a daemon's data folder, where the report belongs; or NULL */
	bool from_daemon;           /* its rows are asked for */
	struct buf out;
	enum outcome printed;
	int64_t told_ms; /* when the progress was shown last */
};

/* ---- a page that cannot be read ---- */

static void on_fault(int number)
{
	static const char text[] =
		"splotctl audit verify: a page of the store could not be read: the "
		"disk or the file is damaged\n";

	(void)number;
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(BAD_DATA);
}

static void tell_faults(void)
{
	struct sigaction action = {.sa_handler = on_fault};

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGBUS, &action, NULL);
	(void)sigaction(SIGSEGV, &action, NULL);
}

/* ---- what is verified ---- */

static bool has_store(struct cli *cli, const char *folder, const char *sub, const char **ret)
{
	const char *path = text_in(&cli->arena, "%s%s", folder, sub);

	if (!file_exists(text_in(&cli->arena, "%s/data.mdb", path)))
		return false;
	*ret = path;
	return true;
}

static enum outcome open_one(struct cli *cli, const char *folder, struct store **ret)
{
	const struct store_options options = {.read_only = true};
	enum err e = store_open(folder, &options, ret);

	if (e == ERR_OK)
		return DONE;
	return cli_fail(cli, e == ERR_CORRUPT ? BAD_DATA : FAILED, e, "%s: %s%s", folder,
			err_text(e),
			e == ERR_DENIED ? ": use the account of its daemon, whose lock file a "
					  "reader writes to"
					: "");
}

/* A server's logs with the view beside them, or a node's only store. */
static enum outcome open_stores(struct verifying *v, const char *logs, const char *beside)
{
	const char *view = NULL;
	struct table records;
	enum outcome outcome = open_one(v->cli, logs, &v->store);
	enum err e = ERR_OK;

	if (outcome != DONE)
		return outcome;
	e = store_table(v->store, "records", false, &records);
	if (e == ERR_OK)
		v->view = v->store;
	else if (e == ERR_NOT_FOUND && has_store(v->cli, beside, "/view", &view))
		outcome = open_one(v->cli, view, &v->view);
	else if (e != ERR_NOT_FOUND)
		outcome = cli_fail(v->cli, FAILED, e, "%s: %s", logs, err_text(e));
	v->data = v->view == v->store ? logs : beside;
	return outcome;
}

static enum outcome open_folder(struct verifying *v, const char *folder, struct source *ret)
{
	const char *logs = NULL;
	enum outcome outcome = DONE;
	enum err e = ERR_OK;

	if (has_store(v->cli, folder, "/logs", &logs))
		outcome = open_stores(v, logs, folder);
	else if (has_store(v->cli, folder, "", &logs))
		outcome = open_stores(v, logs, text_in(&v->cli->arena, "%s/..", folder));
	else
		return source_named(v->cli, folder, ret);
	if (outcome != DONE)
		return outcome;
	e = source_of_store(v->store, logs, ret);
	if (e == ERR_OK)
		return DONE;
	return cli_fail(v->cli, e == ERR_CORRUPT ? BAD_DATA : FAILED, e, "%s: %s", logs,
			e == ERR_NOT_FOUND ? "no log is in this store" : err_text(e));
}

/* The operand, the store of --config, or the daemon. */
static enum outcome open_source(struct verifying *v, struct source *ret)
{
	struct cli *cli = v->cli;
	const char *folder = cli->operand_count ? cli->operands[0] : NULL;
	const char *config = cli_option(cli, "config");
	enum outcome outcome = DONE;

	if (!folder && config && !cli_option(cli, "socket"))
		outcome = settings_path(cli, config, "data", &folder);
	if (outcome != DONE)
		return outcome;
	v->from_daemon = !folder;
	return folder ? open_folder(v, folder, ret) : source_open_daemon(cli, ret);
}

/* The policy that a server's configuration names, where none is given. */
static enum outcome take_policy(struct verifying *v)
{
	struct cli *cli = v->cli;
	const char *config = cli_option(cli, "config");
	const char *section = NULL;
	const char *path = NULL;
	struct buf text = {.data = NULL};
	unsigned line = 0;
	enum err e = ERR_OK;
	enum outcome outcome = DONE;

	if (!config || v->audit.has_policy)
		return DONE;
	outcome = audit_read_file(cli, config, CONFIG_BYTES_MAX, &text);
	if (outcome == DONE && settings_find(&cli->arena, buf_text(&text), "policy", &section))
		outcome = settings_path(cli, config, "policy", &path);
	buf_clear(&text);
	if (outcome == DONE && path)
		outcome = audit_read_file(cli, path, POLICY_BYTES_MAX, &text);
	if (outcome == DONE && path) {
		e = policy_parse(buf_bytes(&text), &v->audit.policy, &line);
		v->audit.has_policy = e == ERR_OK;
	}
	buf_free(&text);
	return e == ERR_OK ? outcome
			   : cli_fail(cli, FAILED, e, "%s, line %u: %s", path, line, err_text(e));
}

/* What a node's keys are known to have signed; 0 when that is not told here.  A backup may be
 * older: that is what it is. */
static uint64_t highwater_of(struct cli *cli)
{
	const char *config = cli_option(cli, "config");
	const char *program = NULL;
	const char *keys = NULL;
	uint64_t size = 0;

	if (cli->operand_count &&
	    file_exists(text_in(&cli->arena, "%s/backup.txt", cli->operands[0])))
		return 0;
	if (!config || settings_daemon(cli, config, &program) != DONE ||
	    strcmp(program, "splot-node") != 0 || settings_path(cli, config, "keys", &keys) != DONE)
		return 0;
	if (highwater_read(text_in(&cli->arena, "%s.highwater", keys), &size) != ERR_OK) {
		cli_note(cli,
			 "%s.highwater could not be read: whether the store is older than what "
			 "its keys signed is not told",
			 keys);
		return 0;
	}
	return size;
}

static const char *scratch_folder(const struct verifying *v)
{
	const char *temporary = getenv("TMPDIR");

	if (v->data && access(v->data, W_OK) == 0)
		return v->data;
	return temporary && *temporary ? temporary : "/tmp";
}

/* ---- as it goes on ---- */

static int64_t mono_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_progress(void *context, const char *what, uint64_t done, uint64_t total)
{
	struct verifying *v = context;
	int64_t now = mono_ms();

	if (now - v->told_ms < PROGRESS_MS)
		return;
	v->told_ms = now;
	cli_progress(v->cli, what, (size_t)done, (size_t)total);
}

static void flush(struct verifying *v)
{
	if (v->printed == DONE)
		v->printed = cli_print(v->cli, &v->out);
	buf_clear(&v->out);
}

static void on_found(void *context, const struct damage_found *f)
{
	struct verifying *v = context;

	cli_progress(v->cli, "", 0, 0);
	report_finding(v->cli, f, &v->out);
	flush(v);
}

/* ---- the report ---- */

static void keep_report(struct verifying *v, const struct report_of *of,
			const struct verify_report *r)
{
	const char *path = text_in(&v->cli->arena, "%s/verified.json", v->data);
	struct buf line = {.data = NULL};
	enum err e = ERR_OK;

	report_json(of, r, &line);
	e = buf_check(&line);
	if (e == ERR_OK)
		e = file_replace(path, 0644, buf_bytes(&line));
	if (e != ERR_OK)
		cli_note(v->cli, "%s: %s: status will not show this pass", path, err_text(e));
	buf_free(&line);
}

static enum outcome tell(struct verifying *v, const struct verify_report *r)
{
	const struct report_of of = {v->audit.source.what, v->audit.stated, wall_now()};

	cli_progress(v->cli, "", 0, 0);
	if (v->data)
		keep_report(v, &of, r);
	if (v->cli->json)
		report_json(&of, r, &v->out);
	else
		report_summary(v->cli, &of, r, &v->out);
	flush(v);
	if (v->printed != DONE)
		return v->printed;
	return r->damaged ? BAD_DATA : DONE;
}

static enum outcome verify(struct verifying *v)
{
	const struct verify_watch watch = {v, on_progress, on_found};
	const struct verify_rows rows = view_of_daemon(&v->audit.source);
	const struct verify_options options = {
		.trusted = v->audit.known,
		.policy = v->audit.has_policy ? &v->audit.policy : NULL,
		.quorum_needed = cli_option(v->cli, "policy") != NULL,
		.is_store = v->store || v->from_daemon,
		.view = v->view,
		.rows = v->from_daemon ? &rows : NULL,
		.scratch = scratch_folder(v),
		.highwater = v->store ? highwater_of(v->cli) : 0,
	};
	struct verify_report *r = calloc(1, sizeof *r);
	enum outcome outcome = DONE;
	enum err e = r ? verify_run(&v->audit.source, &options, &watch, r) : ERR_NOMEM;

	if (e == ERR_DISK_FULL || e == ERR_DENIED)
		outcome = cli_fail(v->cli, FAILED, e,
				   "%s: %s: the view is folded anew there, to be compared; TMPDIR "
				   "names a folder for a data folder that may not be written",
				   options.scratch, err_text(e));
	else if (e != ERR_OK)
		outcome = source_failed(v->cli, &v->audit.source, e);
	else
		outcome = tell(v, r);
	free(r);
	return outcome;
}

static enum outcome run_verify(struct cli *cli)
{
	struct verifying v = {.cli = cli, .printed = DONE};
	struct source source = {.ops = NULL};
	enum outcome outcome = DONE;

	tell_faults();
	outcome = open_source(&v, &source);
	if (outcome == DONE)
		outcome = audit_open_source(cli, source, &v.audit);
	if (outcome == DONE)
		outcome = audit_read_keys(&v.audit);
	if (outcome == DONE)
		outcome = take_policy(&v);
	if (outcome == DONE)
		outcome = verify(&v);
	audit_close(&v.audit);
	if (v.view != v.store)
		store_close(v.view);
	store_close(v.store);
	buf_free(&v.out);
	return outcome;
}

static const struct option_rule options[] = {
	AUDIT_KEY_OPTIONS,
	{"policy", 0, "FILE", "which witnesses are enough; fewer are damage then"},
};

const struct verb verb_audit_verify = {
	.name = "audit verify",
	.operands = "[FOLDER]",
	.operands_most = 1,
	.summary = "check every event, tile, checkpoint and record",
	.examples = "  splotctl audit verify --config /etc/splot/server.ini\n"
		    "  splotctl audit verify /srv/splot/export --keys national.vkey\n"
		    "  splotctl audit verify --socket /run/splot/node.sock --json\n",
	.options = options,
	.option_count = sizeof options / sizeof *options,
	.asks = true,
	.run = run_verify,
};
