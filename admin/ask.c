#include "admin/ask.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/settings.h"
#include "admin/text.h"
#include "io/control_socket.h"

enum {
	REPLY_TIMEOUT_S = 120, /* a summary of a large register may take a while */
	REPLY_SLOW_S = 5,      /* then whoever waits learns for what */
};

static enum outcome find_socket(struct cli *cli, const char **ret)
{
	const char *path = cli_option(cli, "socket");
	const char *config = cli_option(cli, "config");
	const char *variable = getenv("SPLOT_SOCKET");

	if (path && config)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"--socket and --config both name a daemon; give one of them");
	if (config)
		return settings_control(cli, config, ret);
	if (!path)
		path = variable;
	if (!path || !*path)
		return cli_fail(
			cli, MISUSED, ERR_ARGUMENT,
			"which daemon? give --socket PATH or --config FILE, or set SPLOT_SOCKET");
	*ret = path;
	return DONE;
}

enum outcome link_open(struct cli *cli, struct link *ret)
{
	const char *path = NULL;
	enum outcome outcome = find_socket(cli, &path);

	*ret = (struct link){.cli = cli, .fd = -1};
	return outcome == DONE ? link_open_at(cli, path, ret) : outcome;
}

enum outcome link_open_at(struct cli *cli, const char *path, struct link *ret)
{
	enum err e = ERR_OK;

	*ret = (struct link){.cli = cli, .path = path, .fd = -1};
	e = control_connect(ret->path, &ret->fd);
	if (e == ERR_OK)
		return DONE;
	ret->fd = -1;
	return cli_fail(cli, UNREACHABLE, e, "%s: %s; %s", ret->path, err_text(e),
			e == ERR_DENIED
				? "your account may not write to this socket: ask for its group"
				: "is the daemon running, and is this its control socket?");
}

enum err link_renew(struct link *l)
{
	enum err e = ERR_OK;

	if (l->fd >= 0)
		(void)close(l->fd);
	e = control_connect(l->path, &l->fd);
	if (e != ERR_OK)
		l->fd = -1;
	return e;
}

void link_close(struct link *l)
{
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
	buf_free(&l->raw);
}

/* The daemon would refuse it; whoever gave it learns that sooner, and of which part. */
static enum err check_lengths(struct link *l, struct bytes request)
{
	struct buf text = {0};
	struct over over;

	if (!control_request_over(request, &over))
		return ERR_OK;
	over_tell(&over, &text);
	l->over = text_in(&l->cli->arena, "%s", buf_text(&text));
	buf_free(&text);
	return ERR_LIMIT;
}

static void tell_slow(void *context)
{
	struct link *l = context;

	if (l->slow)
		return;
	l->slow = true;
	cli_progress(l->cli, "", 0, 0);
	cli_note(l->cli,
		 "%s: no answer for %d s; waiting up to %d s: the daemon is busy with this, or it "
		 "hangs or was stopped (SIGSTOP)",
		 l->path, REPLY_SLOW_S, REPLY_TIMEOUT_S);
}

enum err link_try(struct link *l, const struct control_request *q, struct arena *arena,
		  struct control_reply *ret)
{
	const struct control_patience patience = {REPLY_TIMEOUT_S * 1000L, REPLY_SLOW_S * 1000L,
						  tell_slow, l};
	struct buf request = {0};
	struct control_request filled = *q;
	enum err e = ERR_OK;

	filled.id = q->id ? q->id : "";
	filled.after = q->after ? q->after : "";
	filled.name = q->name ? q->name : "";
	filled.reason = q->reason ? q->reason : "";
	l->over = NULL;
	l->refusal = NULL;
	e = control_request_encode(&filled, &request);
	if (e == ERR_OK)
		e = check_lengths(l, buf_bytes(&request));
	if (e == ERR_OK) {
		buf_clear(&l->raw);
		e = control_ask_telling(l->fd, buf_bytes(&request), &patience, &l->raw);
	}
	if (e == ERR_OK)
		e = control_reply_decode(buf_bytes(&l->raw), arena, ret);
	buf_free(&request);
	return e;
}

enum outcome link_lost(struct link *l, enum err e)
{
	if (l->over)
		return cli_fail(l->cli, MISUSED, e, "%s", l->over);
	if (l->refusal)
		return cli_fail(l->cli, FAILED, e, "%s", l->refusal);
	if (e == ERR_DECODE || e == ERR_VERSION)
		return cli_fail(
			l->cli, FAILED, e,
			"%s: the daemon's answer is not understood; splotctl and the daemon "
			"should be of the same version",
			l->path);
	if (e == ERR_NOMEM || e == ERR_LIMIT)
		return cli_fail(l->cli, FAILED, e, "%s: %s", l->path, err_text(e));
	return cli_fail(l->cli, UNREACHABLE, e,
			"%s: %s; see the daemon's log and splotctl status, then try again", l->path,
			err_text(e));
}

enum outcome link_refused(struct link *l, const struct control_reply *reply)
{
	enum outcome outcome = reply->code == ERR_CONFLICT ? CONFLICTED : FAILED;

	return cli_fail(l->cli, outcome, reply->code, "%s",
			reply->text && *reply->text ? reply->text : err_text(reply->code));
}

enum outcome link_ask(struct link *l, const struct control_request *q, struct arena *arena,
		      struct control_reply *ret)
{
	enum err e = link_try(l, q, arena, ret);

	if (e != ERR_OK)
		return link_lost(l, e);
	return ret->code == ERR_OK ? DONE : link_refused(l, ret);
}

enum err link_find(struct link *l, enum record_kind kind, const char *id, uint64_t at,
		   const struct version **ret)
{
	const struct control_request q = {
		.verb = CONTROL_QUERY, .kind = kind, .id = id, .at = at, .retired = true};
	struct control_reply reply;
	enum err e = link_try(l, &q, &l->cli->arena, &reply);

	*ret = NULL;
	if (e != ERR_OK)
		return e;
	if (reply.code != ERR_OK && reply.code != ERR_NOT_FOUND) {
		l->refusal = reply.text && *reply.text ? reply.text : NULL;
		return reply.code;
	}
	if (reply.code == ERR_OK && reply.version_count)
		*ret = &reply.versions[0];
	return ERR_OK;
}

enum outcome link_status(struct link *l, struct control_reply *ret)
{
	const struct control_request q = {.verb = CONTROL_STATUS};

	return link_ask(l, &q, &l->cli->arena, ret);
}

enum outcome link_node(struct link *l, struct control_reply *ret, int *ret_region)
{
	enum outcome outcome = link_status(l, ret);
	struct log_name log;

	if (outcome != DONE)
		return outcome;
	if (strcmp(ret->role, "node") != 0)
		return cli_fail(
			l->cli, FAILED, ERR_ARGUMENT,
			"%s is a %s's socket; edits are made at the node of the region that "
			"owns the records",
			l->path, ret->role);
	if (log_name_parse(bytes_of_text(ret->identity), &log) != ERR_OK)
		return cli_fail(l->cli, FAILED, ERR_DECODE, "the node calls its log \"%s\"",
				ret->identity);
	*ret_region = log_name_region(log);
	return DONE;
}
