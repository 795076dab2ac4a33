/* check-config: asks the daemon whose file it is, since it alone knows its rules. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/settings.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "base/limits.h"
#include "model/json.h"

extern char **environ;

/* Beside splotctl itself, else by PATH. */
static const char *find_program(struct cli *cli, const char *name)
{
	char self[4096];
	ssize_t size = readlink("/proc/self/exe", self, sizeof self);
	const char *slash = NULL;
	const char *path = NULL;

	if (size <= 0 || (size_t)size >= sizeof self)
		return name;
	self[size] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return name;
	path = text_in(&cli->arena, "%.*s/%s", (int)(slash - self), self, name);
	return access(path, X_OK) == 0 ? path : name;
}

/* posix_spawn(3) wants changeable arguments: each has its own copy. */
static enum err spawn(struct cli *cli, const char *program, const char *file, int out, pid_t *ret)
{
	const char *const words[] = {program, "--config", file, "--check"};
	char *arguments[sizeof words / sizeof *words + 1] = {NULL};
	posix_spawn_file_actions_t actions;
	int failed = 0;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		arguments[i] = arena_text(&cli->arena, bytes_of_text(words[i]));
		if (!arguments[i])
			return ERR_NOMEM;
	}
	if (posix_spawn_file_actions_init(&actions) != 0)
		return ERR_NOMEM;
	failed = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) ||
		 posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	if (!failed)
		failed = posix_spawnp(ret, program, &actions, NULL, arguments, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return failed == ENOENT ? ERR_NOT_FOUND : failed ? ERR_IO : ERR_OK;
}

/* What it says, at most a page; the rest is read and dropped. */
static void read_all(int fd, struct buf *ret)
{
	uint8_t piece[4096];
	ssize_t got = 0;

	while ((got = read(fd, piece, sizeof piece)) != 0) {
		if (got < 0 && errno != EINTR)
			return;
		if (got > 0 && ret->size < CONFIG_BYTES_MAX)
			buf_add(ret, piece, (size_t)got);
	}
}

static enum outcome ask_daemon(struct cli *cli, const char *program, const char *file,
			       struct buf *said, bool *ret_fine)
{
	int ends[2] = {-1, -1};
	int status = 0;
	pid_t child = -1;
	enum err e = pipe2(ends, O_CLOEXEC) == 0 ? ERR_OK : ERR_IO;

	if (e == ERR_OK)
		e = spawn(cli, program, file, ends[1], &child);
	if (ends[1] >= 0)
		(void)close(ends[1]);
	if (e == ERR_OK) {
		read_all(ends[0], said);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
		*ret_fine = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	if (ends[0] >= 0)
		(void)close(ends[0]);
	if (e == ERR_NOT_FOUND)
		return cli_fail(
			cli, FAILED, e,
			"%s is neither beside splotctl nor in PATH; install it on this machine",
			program);
	return e == ERR_OK ? DONE : cli_fail(cli, FAILED, e, "%s: %s", program, err_text(e));
}

static enum outcome run_check_config(struct cli *cli)
{
	const char *file = cli->operands[0];
	const char *program = NULL;
	struct buf said = {0};
	struct buf out = {0};
	bool fine = false;
	enum outcome outcome = settings_daemon(cli, file, &program);

	if (outcome == DONE)
		outcome = ask_daemon(cli, find_program(cli, program), file, &said, &fine);
	if (outcome != DONE)
		goto out;
	if (cli->json) {
		struct json j = json_to(&out);

		json_open(&j, '{');
		json_field_text(&j, "file", file);
		json_field_text(&j, "program", program);
		json_field_bool(&j, "fine", fine);
		json_field_text(&j, "said", buf_text(&said));
		json_close(&j, '}');
		buf_add_text(&out, "\n");
	} else {
		buf_add_bytes(&out, buf_bytes(&said));
		if (!said.size)
			buf_printf(&out, "%s: %s\n", file, fine ? "fine" : "not accepted");
	}
	outcome = cli_print(cli, &out);
	if (outcome == DONE && !fine)
		outcome = BAD_DATA;
out:
	buf_free(&said);
	buf_free(&out);
	return outcome;
}

const struct verb verb_check_config = {
	.name = "check-config",
	.operands = "FILE",
	.operands_least = 1,
	.operands_most = 1,
	.summary = "let the daemon check its configuration file, keys and cards",
	.examples = "  splotctl check-config /etc/splot/node.ini\n",
	.run = run_check_config,
};
