/* log: who changed what, when, on whose word and why, from the change logs alone. */
#include <signal.h>
#include <time.h>

#include "base/day.h"
#include "admin/log/print.h"
#include "admin/auditor/source_socket.h"
#include "admin/text.h"
#include "admin/verbs.h"

enum {
	FLUSH_BYTES = 64 * 1024,
	FOLLOW_ASK_MS = 200,
};

struct logging {
	struct cli *cli;
	struct source source;
	struct log_filter filter;
	struct log_walk walk;
	struct buf out;
	enum outcome printed; /* how the output went */
};

/* ---- what is asked for ---- */

static enum outcome take_moment(struct cli *cli, const char *option, bool *ret_has,
				struct moment *ret)
{
	const char *text = cli_option(cli, option);

	*ret_has = text != NULL;
	if (!text || moment_parse(text, ret) == ERR_OK)
		return DONE;
	return cli_fail(cli, MISUSED, ERR_ARGUMENT,
			"--%s takes a day (2026-11-21) or a time in UTC (2026-11-21T09:30:00Z), "
			"not \"%s\"",
			option, text);
}

static enum outcome take_times(struct logging *l)
{
	struct moment since = {.day = false};
	struct moment until = {.day = false};
	enum outcome outcome = take_moment(l->cli, "since", &l->walk.has_since, &since);

	if (outcome == DONE)
		outcome = take_moment(l->cli, "until", &l->walk.has_until, &until);
	l->walk.since = since.first;
	l->walk.until = until.last;
	if (outcome == DONE && l->walk.has_until && cli_option(l->cli, "follow"))
		outcome = cli_fail(l->cli, MISUSED, ERR_ARGUMENT,
				   "--follow waits for what comes; it takes no --until");
	return outcome;
}

/* --kind, --field: names of the register. */
static enum outcome take_names(struct logging *l)
{
	const char *text = cli_option(l->cli, "kind");
	const struct kind *kind = text ? kind_named(text) : NULL;
	bool known = false;

	if (text && !kind)
		return cli_fail(l->cli, MISUSED, ERR_ARGUMENT,
				"\"%s\" is no kind: operators, entities, networks, memberships or "
				"statistics",
				text);
	l->filter.kind = kind ? kind->kind : RECORD_NONE;
	l->filter.field = cli_option(l->cli, "field");
	for (int k = RECORD_KIND_FIRST; l->filter.field && k <= (int)RECORD_KIND_LAST; k++) {
		const struct kind *each = kind_of((enum record_kind)k);

		if (each && (!kind || each == kind) && field_named(each, l->filter.field) >= 0)
			known = true;
	}
	if (l->filter.field && !known)
		return cli_fail(l->cli, MISUSED, ERR_ARGUMENT, "\"%s\" is no column of %s",
				l->filter.field, kind ? kind->plural : "any kind");
	return DONE;
}

/* --region, --log. */
static enum outcome take_logs(struct logging *l)
{
	const char *region = cli_option(l->cli, "region");
	const char *log = cli_option(l->cli, "log");

	l->filter.region = REGION_NONE;
	if (region)
		l->filter.region = region_by_code(bytes_of_text(region));
	if (region && l->filter.region == REGION_NONE)
		return cli_fail(l->cli, MISUSED, ERR_ARGUMENT,
				"\"%s\" is no region: 02, 04 … 32 or PL", region);
	if (log && (log_name_parse(bytes_of_text(log), &l->filter.log) != ERR_OK ||
		    log_name_region(l->filter.log) == REGION_NONE))
		return cli_fail(l->cli, MISUSED, ERR_ARGUMENT,
				"\"%s\" is no region's log, as 26 or 26/2 is; the national log "
				"is read with --national",
				log);
	return DONE;
}

static enum outcome take_options(struct logging *l)
{
	const char *limit = cli_option(l->cli, "limit");
	enum outcome outcome = DONE;

	l->filter.record = cli_option(l->cli, "record");
	l->filter.editor = cli_option(l->cli, "editor");
	l->walk.entries = cli_option(l->cli, "national");
	outcome = take_names(l);
	if (outcome == DONE)
		outcome = take_logs(l);
	if (outcome == DONE && limit && !text_number(limit, &l->walk.limit))
		outcome = cli_fail(l->cli, MISUSED, ERR_ARGUMENT,
				   "--limit takes a number, 1 or more, not \"%s\"", limit);
	if (outcome == DONE && l->walk.entries && filter_wants_changes(&l->filter))
		outcome = cli_fail(l->cli, MISUSED, ERR_ARGUMENT,
				   "--national reads entries of the national log, which have no "
				   "--record, --kind or --field");
	return outcome;
}

/* ---- where it is read ---- */

/* Goes by the national log where there is one, else by the only log there is. */
static enum outcome choose_order(struct logging *l, const struct source_names *names)
{
	bool named = false;
	bool national = false;
	struct buf known = {0};
	enum outcome outcome = DONE;

	for (size_t i = 0; i < names->count; i++) {
		if (log_name_region(names->items[i]) == REGION_NONE)
			national = true;
		else
			buf_printf(&known, "%s%s", known.size ? ", " : "", names->items[i].text);
		named = named || log_name_equal(names->items[i], l->filter.log);
	}
	l->walk.has_national = national;
	if (l->walk.entries && !national)
		outcome = cli_fail(l->cli, FAILED, ERR_NOT_FOUND,
				   "%s: no national log is here; servers keep one", l->source.what);
	else if (*l->filter.log.text && !named)
		outcome = cli_fail(l->cli, FAILED, ERR_NOT_FOUND,
				   "%s: no log %s is here; there are: %s", l->source.what,
				   l->filter.log.text, buf_text(&known));
	else if (!national && names->count != 1 && !*l->filter.log.text)
		outcome = cli_fail(l->cli, MISUSED, ERR_ARGUMENT,
				   "%s: several logs, and no national one that orders them; which "
				   "--log? there are: %s",
				   l->source.what, buf_text(&known));
	else if (l->walk.entries || (national && !*l->filter.log.text))
		l->walk.order = names->items[names->count - 1];
	else
		l->walk.order = *l->filter.log.text ? l->filter.log : names->items[0];
	buf_free(&known);
	return outcome;
}

static enum outcome find_order(struct logging *l)
{
	struct source_names names = {0};
	enum err e = l->source.ops->names(&l->source, &names);

	if (e == ERR_OK && !names.count)
		e = ERR_NOT_FOUND;
	if (e != ERR_OK)
		return source_failed(l->cli, &l->source, e);
	return choose_order(l, &names);
}

/* ---- output ---- */

static enum outcome flush(struct logging *l)
{
	if (l->printed == DONE && l->out.size)
		l->printed = cli_print(l->cli, &l->out);
	buf_clear(&l->out);
	return l->printed;
}

static bool tell(void *context, const struct log_item *item)
{
	struct logging *l = context;

	if (l->cli->json)
		log_item_json(item, &l->out);
	else
		log_item_print(item, &l->out);
	return l->out.size < FLUSH_BYTES || flush(l) == DONE;
}

static void tell_what_is_left_out(const struct logging *l)
{
	if (l->walk.hidden)
		cli_note(l->cli, "%s is not known any more",
			 text_count(&l->cli->arena, l->walk.hidden,
				    "redacted event is left out: what it changed",
				    "redacted events are left out: what they changed"));
	if (l->walk.absent)
		cli_note(l->cli, "%s not in %s",
			 text_count(&l->cli->arena, l->walk.absent,
				    "event that the national log accepted is left out: it is",
				    "events that the national log accepted are left out: they are"),
			 l->source.what);
}

/* ---- going through it ---- */

static volatile sig_atomic_t interrupted;

static void on_signal(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

/* Ctrl-C and a service's stop end --follow between two items. */
static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

static bool follow_on(const struct logging *l)
{
	return !interrupted && l->printed == DONE &&
	       (!l->walk.limit || l->walk.shown < l->walk.limit);
}

/* From `from` to what is there now, a little at a time. */
static enum err follow_turn(struct logging *l, uint64_t *from)
{
	uint64_t size = 0;
	enum err e = leaf_size(&l->walk.leaves, l->walk.order, true, &size);

	while (e == ERR_OK && *from < size && follow_on(l)) {
		uint64_t to = size - *from < LEAF_BLOCK ? size : *from + LEAF_BLOCK;

		e = walk_range(&l->walk, *from, to, false);
		if (e == ERR_OK)
			*from = to;
	}
	return e;
}

/* Oldest first, then what comes, until a signal, the limit or an output that is gone.  A daemon
 * that went away is waited for. */
static enum outcome follow(struct logging *l)
{
	const struct timespec pause = {.tv_nsec = FOLLOW_ASK_MS * 1000000L};
	uint64_t from = 0;
	bool away = false;

	catch_signals();
	while (follow_on(l)) {
		enum err e = follow_turn(l, &from);

		if (e != ERR_OK && e != ERR_CLOSED && e != ERR_TIMEOUT)
			return interrupted ? l->printed : source_failed(l->cli, &l->source, e);
		if (e != ERR_OK && !away)
			cli_note(l->cli, "%s does not answer: waiting for it", l->source.what);
		away = e != ERR_OK;
		(void)flush(l);
		if (follow_on(l))
			(void)nanosleep(&pause, NULL);
	}
	return l->printed;
}

static enum outcome look_back(struct logging *l)
{
	uint64_t size = 0;
	enum err e = leaf_size(&l->walk.leaves, l->walk.order, true, &size);

	if (e == ERR_OK)
		e = walk_range(&l->walk, 0, size, true);
	(void)flush(l);
	if (e != ERR_OK)
		return source_failed(l->cli, &l->source, e);
	tell_what_is_left_out(l);
	if (!l->walk.shown)
		cli_note(l->cli, "%s: %s", l->source.what,
			 size ? "nothing in it is what the options ask for"
			      : "nothing is in it yet");
	return l->printed;
}

static enum outcome run_log(struct cli *cli)
{
	struct logging l = {.cli = cli, .printed = DONE};
	enum outcome outcome = DONE;
	enum err e = walk_open(&l.walk, &l.source);

	if (e != ERR_OK)
		return cli_fail(cli, FAILED, e, "%s", err_text(e));
	l.walk.filter = &l.filter;
	l.walk.tell = tell;
	l.walk.context = &l;
	outcome = take_options(&l);
	if (outcome == DONE)
		outcome = take_times(&l);
	if (outcome == DONE)
		outcome = source_named(cli, cli_option(cli, "from"), &l.source);
	if (outcome == DONE)
		outcome = find_order(&l);
	if (outcome == DONE)
		outcome = cli_option(cli, "follow") ? follow(&l) : look_back(&l);
	walk_close(&l.walk);
	source_close(&l.source);
	buf_free(&l.out);
	return outcome;
}

static const struct option_rule options[] = {
	{"follow", 'f', NULL, "oldest first, then wait for what comes"},
	{"national", 0, NULL, "the national log itself: what was accepted, and acts"},
	{"log", 0, "LOG", "this log alone, in its own order"},
	{"record", 0, "ID", "changes of this record"},
	{"kind", 0, "KIND", "changes of records of this kind"},
	{"field", 0, "COLUMN", "changes of this column"},
	{"region", 0, "REGION", "logs of this region"},
	{"editor", 0, "NAME", "what this editor did; with --national, whose act it was"},
	{"since", 0, "DATE", "recorded on this day in Warsaw or later"},
	{"until", 0, "DATE", "recorded on this day or earlier"},
	{"limit", 'n', "COUNT", "so many at most"},
	{"from", 0, "FOLDER", "read a daemon's data folder or an export, not a daemon"},
};

const struct verb verb_log = {
	.name = "log",
	.operands = "",
	.summary = "who changed what, when and why, from the change logs",
	.examples = "  splotctl log --limit 20\n"
		    "  splotctl log --record pl26-kis-kielce-pestka --field status\n"
		    "  splotctl log --since 2026-11-01 --until 2026-11-30 --region 26 --json\n"
		    "  splotctl log --follow --editor e07\n"
		    "  splotctl log --national --from /srv/splot/export\n",
	.options = options,
	.option_count = sizeof options / sizeof *options,
	.asks = true,
	.run = run_log,
};
