/* audit export: the logs as static files for auditors. */
#include "admin/auditor/source.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "audit/export.h"
#include "model/json.h"

static void show_progress(void *context, uint64_t done, uint64_t total)
{
	const struct cli *cli = context;

	cli_progress(cli, "entries", (size_t)done, (size_t)total);
}

/* ---- what went wrong ---- */

static const char *advice(enum err e)
{
	static const struct {
		enum err e;
		const char *text;
	} rows[] = {
		{ERR_FORK, "the folder holds another history of this log: keep it, it may be "
			   "evidence, and export into an empty folder"},
		{ERR_ROLLBACK, "the folder holds more of this log than is here: was an older copy "
			       "put back? keep the folder, and run splotctl audit verify"},
		{ERR_CORRUPT, "what is stored does not give the signed root; splotctl audit verify "
			      "names every damaged place"},
		{ERR_SIGNATURE, "the log's key did not sign the checkpoint; splotctl audit verify "
				"tells more"},
		{ERR_UNKNOWN_KEY, "the checkpoint is signed by none of the keys known; is --key or "
				  "--keys the right one?"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].e == e)
			return rows[i].text;
	return NULL;
}

static enum outcome tell_failure(struct audit_source *a, const char *folder,
				 const struct export_report *report, enum err e)
{
	const char *log = report->failed.text;
	const char *text = advice(e);
	enum outcome outcome = e == ERR_CORRUPT || e == ERR_SIGNATURE ? BAD_DATA : FAILED;

	if (!*log)
		return source_failed(a->cli, &a->source, e);
	return cli_fail(a->cli, outcome, e,
			"%s: log %s: %s%s%s; the logs that could be written are", folder, log,
			err_text(e), text ? ": " : "", text ? text : "");
}

static enum outcome open_folder(struct cli *cli, const char *folder, struct exporter **ret)
{
	enum err e = exporter_open(folder, ret);

	if (e == ERR_OK)
		return DONE;
	if (e == ERR_EXISTS)
		return cli_fail(cli, FAILED, e,
				"%s: something else is in this folder (a store, or a README.md of "
				"another kind); name an empty or a new one",
				folder);
	if (e == ERR_BUSY)
		return cli_fail(cli, FAILED, e,
				"%s: another program keeps this export up to date (a server with "
				"\"export =\"?); read it where it is, or name another folder",
				folder);
	return cli_fail(cli, FAILED, e, "%s: %s", folder, err_text(e));
}

/* ---- what was done ---- */

static enum outcome tell(struct audit_source *a, const char *folder,
			 const struct export_report *report)
{
	struct cli *cli = a->cli;
	struct buf out = {0};
	struct json j = json_to(&out);
	enum outcome outcome = DONE;

	if (cli->json) {
		json_open(&j, '{');
		json_field_text(&j, "folder", folder);
		json_field_uint(&j, "logs", report->logs);
		json_field_uint(&j, "entries", report->leaves);
		json_field_uint(&j, "files", report->files);
		json_field_uint(&j, "national_size", report->cosigned);
		json_field_bool(&j, "quorum", report->quorum);
		json_field_text(&j, "keyless", report->unsaid.text);
		json_close(&j, '}');
		buf_add_text(&out, "\n");
	} else {
		buf_printf(&out, "%s: %s, %s and %s written now\n", folder,
			   text_count(&cli->arena, report->logs, "log", "logs"),
			   text_count(&cli->arena, report->leaves, "entry", "entries"),
			   text_count(&cli->arena, report->files, "file", "files"));
		if (report->cosigned)
			buf_printf(&out, "national checkpoint: %s, %s\n",
				   text_count(&cli->arena, report->cosigned, "entry", "entries"),
				   report->quorum ? "with its quorum of witnesses"
						  : "without a quorum of witnesses");
	}
	outcome = cli_print(cli, &out);
	buf_free(&out);
	if (*report->unsaid.text)
		cli_note(cli,
			 "log %s: its key is not known here, so its folder has no log.vkey; give "
			 "--keys FILE or --key VKEY",
			 report->unsaid.text);
	return outcome;
}

/* The national log accepts what stands in the others' folders, which were not written now. */
static void tell_left_behind(struct audit_source *a, const char *folder, struct log_name only)
{
	struct source_names names = {.count = 0};
	struct source written = {.ops = NULL};
	enum err e = ERR_OK;

	if (!*only.text || log_name_region(only) != REGION_NONE)
		return;
	e = source_open_export(folder, &written);
	if (e == ERR_OK)
		e = written.ops->names(&written, &names);
	if (e == ERR_OK && names.count > 1)
		cli_note(a->cli,
			 "%s: only the national log was written; the folders of other logs may "
			 "hold less now than it accepts, which audit verify finds. Without --log "
			 "they are brought up to date",
			 folder);
	source_close(&written);
}

static enum outcome export_to(struct audit_source *a, const char *folder, struct log_name only)
{
	struct export_report report = {0};
	struct exporter *x = NULL;
	enum outcome outcome = open_folder(a->cli, folder, &x);
	enum err e = ERR_OK;

	if (outcome != DONE)
		return outcome;
	e = exporter_run(x, &a->source, a->known, a->has_policy ? &a->policy : NULL, only,
			 show_progress, a->cli, &report);
	cli_progress(a->cli, "", 0, 0);
	exporter_close(x);
	if (e == ERR_NOT_FOUND && *only.text)
		return cli_fail(a->cli, FAILED, e, "%s: no log %s is here", a->source.what,
				only.text);
	if (e != ERR_OK)
		return tell_failure(a, folder, &report, e);
	outcome = tell(a, folder, &report);
	tell_left_behind(a, folder, only);
	return outcome;
}

static enum outcome run_audit_export(struct cli *cli)
{
	const char *log = cli_option(cli, "log");
	struct log_name only = {""};
	struct audit_source a;
	enum outcome outcome = log ? audit_log_named(cli, log, &only) : DONE;

	if (outcome != DONE)
		return outcome;
	outcome = audit_open_keyless(cli, NULL, &a);
	if (outcome != DONE)
		return outcome;
	outcome = audit_read_keys(&a);
	if (outcome == DONE)
		outcome = export_to(&a, cli->operands[0], only);
	audit_close(&a);
	return outcome;
}

static const struct option_rule options[] = {
	AUDIT_FROM_OPTION,
	{"log", 0, "LOG", "one log alone: 26, 26/2, PL, national"},
	AUDIT_KEY_OPTIONS,
	AUDIT_POLICY_OPTION,
};

const struct verb verb_audit_export = {
	.name = "audit export",
	.operands = "DIR",
	.operands_least = 1,
	.operands_most = 1,
	.summary = "write the logs as static files that anybody can check",
	.examples =
		"  splotctl audit export audit/ --socket /run/splot-server/control\n"
		"  splotctl audit export audit/ --from /var/lib/splot-server --config "
		"/etc/splot/server.ini\n"
		"  splotctl audit export 26/ --from audit/ --log 26\n"
		"\nOnly what is new is written: run it again to go on, also after it was ended.\n",
	.options = options,
	.option_count = sizeof options / sizeof *options,
	.asks = true,
	.run = run_audit_export,
};
