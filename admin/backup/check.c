#include "admin/backup/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/auditor/report.h"
#include "audit/verify.h"

/* ---- faults ---- */

static char fault_line[1024];
static size_t fault_size;
static enum outcome fault_outcome;

static void on_fault(int number)
{
	(void)number;
	(void)!write(STDERR_FILENO, fault_line, fault_size);
	_exit((int)fault_outcome);
}

void check_tell_faults(const char *what, enum outcome outcome)
{
	struct sigaction action = {.sa_handler = on_fault};
	int n = snprintf(fault_line, sizeof fault_line,
			 "splotctl: a page of %s could not be read: the disk or the file is "
			 "damaged\n",
			 what);

	fault_size = n < 0 ? 0 : (size_t)n < sizeof fault_line ? (size_t)n : sizeof fault_line - 1;
	fault_outcome = outcome;
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGBUS, &action, NULL);
	(void)sigaction(SIGSEGV, &action, NULL);
}

/* ---- a whole copy ---- */

struct checking {
	struct cli *cli;
	const struct keyring *trusted;
	struct log_name followed; /* whose keys nobody gave, when there are none */
	uint64_t damaged;
};

static void on_progress(void *context, const char *what, uint64_t done, uint64_t total)
{
	struct checking *c = context;

	(void)what;
	if (done % 1024 == 0)
		cli_progress(c->cli, "verifying", (size_t)done, (size_t)total);
}

static void on_found(void *context, const struct damage_found *f)
{
	struct checking *c = context;
	struct buf line = {.data = NULL};

	if (!c->trusted && f->damage == DAMAGE_SIGNATURE && log_name_equal(f->log, c->followed))
		return;
	c->damaged++;
	cli_progress(c->cli, "", 0, 0);
	report_finding(c->cli, f, &line);
	(void)fputs(buf_text(&line), stderr);
	buf_free(&line);
}

static enum err run(struct checking *c, struct source *s, struct keyring **known)
{
	const struct verify_watch watch = {c, on_progress, on_found};
	struct verify_options options = {.is_store = true};
	struct verify_report *report = calloc(1, sizeof *report);
	struct source_names names;
	enum err e = report ? s->ops->names(s, &names) : ERR_NOMEM;

	if (e == ERR_OK)
		c->followed = names.items[0];
	if (e == ERR_OK && !strcmp(names.items[names.count - 1].text, "national"))
		c->followed = names.items[names.count - 1];
	if (e == ERR_OK)
		e = c->trusted ? keyring_copy(c->trusted, known) : keyring_new(known);
	if (e == ERR_OK)
		e = keyring_read(*known, s);
	options.trusted = *known;
	if (e == ERR_OK)
		e = verify_run(s, &options, &watch, report);
	free(report);
	return e;
}

enum outcome check_whole(struct cli *cli, struct store *copy, const char *what,
			 const struct keyring *trusted)
{
	struct checking c = {.cli = cli, .trusted = trusted};
	struct keyring *known = NULL;
	struct source source = {.ops = NULL};
	enum err e = source_of_store(copy, what, &source);

	if (e == ERR_OK)
		e = run(&c, &source, &known);
	keyring_free(known);
	source_close(&source);
	cli_progress(cli, "", 0, 0);
	if (e != ERR_OK)
		return cli_fail(cli, FAILED, e, "%s: it cannot be verified: %s", what,
				e == ERR_NOT_FOUND ? "no log is in this store" : err_text(e));
	if (c.damaged)
		return cli_fail(cli, BAD_DATA, ERR_CORRUPT,
				"%s: %llu places are not as they were signed", what,
				(unsigned long long)c.damaged);
	return DONE;
}

const char *check_but_for(const struct keyring *trusted)
{
	return trusted ? "" : " but for the signatures (give --config FILE or --key VKEY)";
}

/* ---- why a copy failed ---- */

void check_progress(void *context, uint64_t done, uint64_t total)
{
	cli_progress(context, "copying", (size_t)done, (size_t)total);
}

static enum outcome tell_refused(struct cli *cli, const char *from, const char *to, enum err e,
				 const struct backup_report *r)
{
	static const char next[] = "nothing was changed. Name another folder for another daemon; "
				   "of the same one the backup may be the better copy: see which "
				   "of the two is right before you give it up with --full";

	if (e == ERR_ORIGIN)
		return cli_fail(cli, FAILED, e,
				"%s: log %s: %s: %s is of other keys or another server or node; "
				"nothing was changed; name another folder",
				from, r->failed.text, r->why, to);
	return cli_fail(cli, FAILED, e, "%s: log %s at %llu: %s; %s", from, r->failed.text,
			(unsigned long long)r->failed_at, r->why, next);
}

enum outcome check_tell(struct cli *cli, const char *from, const char *to, enum err e,
			const struct backup_report *r)
{
	cli_progress(cli, "", 0, 0);
	if (r->copy_failed && *r->why)
		return cli_fail(cli, BAD_DATA, e,
				"%s: log %s: the backup itself cannot be relied on: %s; --full "
				"makes it anew",
				to, r->failed.text, err_text(e));
	if (r->copy_failed)
		return cli_fail(cli, FAILED, e, "%s: %s; what was there before stands%s", to,
				err_text(e), e == ERR_DISK_FULL ? ": make room" : "");
	if (e == ERR_ROLLBACK || e == ERR_FORK || e == ERR_ORIGIN)
		return tell_refused(cli, from, to, e, r);
	if (*r->why)
		return cli_fail(cli, e == ERR_CORRUPT ? BAD_DATA : FAILED, e,
				"%s: log %s at %llu: %s: %s; nothing was changed in %s; splotctl "
				"audit verify says more",
				from, r->failed.text, (unsigned long long)r->failed_at, r->why,
				err_text(e), to);
	return cli_fail(cli, FAILED, e,
			e == ERR_AGAIN ? "%s: it was changed again and again while it was read; "
					 "try again in a moment%s"
				       : "%s: %s",
			from, e == ERR_AGAIN ? "" : err_text(e));
}
