/* What splotctl makes of a daemon's replies: commands run whole, but for the socket; each reply is
 * a piece of the input, or one of the usual kind.  Whatever they are, a command ends with one of
 * its exit codes, and what it prints as JSON parses. */
#include "replies.h"
#include "fuzz.h"
#include "json_check.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "admin/verbs.h"
#include "io/control_socket.h"

enum { ARGUMENTS_MAX = 8, ASKED_MAX = 200 };

static const char *const COMMANDS[][ARGUMENTS_MAX] = {
	{"status"},
	{"status", "--json"},
	{"summary"},
	{"summary", "--json"},
	{"get", "pl26-cis-a"},
	{"get", "pl26-cis-a", "--json"},
	{"list", "entities", "kind=CIS"},
	{"list", "entities", "--json"},
	{"history", "pl26-cis-a"},
	{"history", "pl26-cis-a", "--json"},
	{"log", "--limit", "5"},
	{"log", "--json", "--record", "pl26-cis-a"},
	{"log", "--national"},
	{"trust", "list"},
	{"trust", "list", "--json"},
	{"audit", "evidence"},
	{"audit", "evidence", "--json"},
	{"audit", "verify"},
	{"audit", "verify", "--json"},
	{"retire", "pl26-cis-a", "--reason", "r", "--source", "s"},
	{"confirm", "pl26-cis-a", "--reason", "r", "--source", "s"},
	{"waive", "centrum", "--reason", "r"},
};
enum { COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS };

static struct cursor replies;
static int asked;

/* ---- in place of the socket ---- */

enum err control_connect(const char *path, int *ret_fd)
{
	(void)path;
	*ret_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return *ret_fd < 0 ? ERR_IO : ERR_OK;
}

enum err control_ask_telling(int fd, struct bytes request, const struct control_patience *patience,
			     struct buf *ret)
{
	uint8_t tag = cursor_u8(&replies);
	struct control_request q;
	struct arena arena = {.head = NULL};
	size_t size = 0;

	(void)patience;
	ALWAYS(fd >= 0 && control_request_decode(request, &arena, &q) == ERR_OK);
	arena_free(&arena);
	if (replies.err != ERR_OK || ++asked > ASKED_MAX)
		return ERR_CLOSED;
	if (tag % 2) {
		sample_reply_encode(tag / 2 % REPLY_KINDS, ret);
		return buf_check(ret);
	}
	size = cursor_u16be(&replies);
	buf_add_bytes(ret,
		      cursor_bytes(&replies,
				   size < cursor_left(&replies) ? size : cursor_left(&replies)));
	return buf_check(ret);
}

/* Nobody waits for a daemon that is not there. */
int nanosleep(const struct timespec *wanted, struct timespec *ret_left)
{
	(void)wanted;
	(void)ret_left;
	return 0;
}

/* ---- one command ---- */

static enum outcome run(const char *const *command)
{
	const struct verb verbs[] = {verb_status, verb_summary,        verb_get,
				     verb_list,   verb_history,        verb_log,
				     verb_trust,  verb_audit_evidence, verb_audit_verify,
				     verb_retire, verb_confirm,        verb_waive};
	char *argv[ARGUMENTS_MAX + 3] = {NULL};
	struct cli cli = {0};
	bool finished = false;
	enum outcome outcome = DONE;
	int argc = 0;

	argv[argc++] = fuzz_text(bytes_of_text("splotctl"));
	for (int i = 0; i < ARGUMENTS_MAX && command[i]; i++)
		argv[argc++] = fuzz_text(bytes_of_text(command[i]));
	outcome = cli_parse(&cli, verbs, sizeof verbs / sizeof *verbs, argc, argv, &finished);
	if (outcome == DONE && !finished)
		outcome = cli.verb->run(&cli);
	cli_free(&cli);
	while (argc > 0)
		free(argv[--argc]);
	return outcome;
}

static bool is_json(const char *const *command)
{
	for (int i = 0; i < ARGUMENTS_MAX && command[i]; i++)
		if (strcmp(command[i], "--json") == 0)
			return true;
	return false;
}

/* `log` prints a text for each line, everything else one. */
static void check_json(char *text, size_t size, bool lines)
{
	char *at = text;

	while (size > 0) {
		char *end = lines ? memchr(at, '\n', size) : NULL;
		size_t part = end ? (size_t)(end - at) + 1 : size;

		ALWAYS(json_fits(bytes_of(at, part)));
		at += part;
		size -= part;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *usual_out = stdout;
	FILE *usual_err = stderr;
	static FILE *nowhere;
	char *text = NULL;
	size_t printed = 0;
	const char *const *command = NULL;
	enum outcome outcome = DONE;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	ALWAYS(nowhere);
	(void)setenv("SPLOT_SOCKET", "/nowhere", 1);
	replies = cursor_of(bytes_of(data, size));
	asked = 0;
	command = COMMANDS[cursor_u8(&replies) % COMMAND_COUNT];
	stderr = nowhere;
	stdout = open_memstream(&text, &printed);
	outcome = run(command);
	(void)fclose(stdout);
	stdout = usual_out;
	stderr = usual_err;
	ALWAYS(outcome >= DONE && outcome <= UNREACHABLE);
	if (is_json(command))
		check_json(text, printed, strcmp(command[0], "log") == 0);
	free(text);
	return 0;
}

void fuzz_seeds(struct seeds *to)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		struct buf b = {.data = NULL};
		char name[32];

		buf_add_u8(&b, (uint8_t)i);
		for (int k = 0; k < 2; k++) /* status, and what was asked for */
			for (int kind = REPLY_KINDS - 1; kind >= 0; kind--) {
				struct buf reply = {.data = NULL};

				sample_reply_encode((kind + (int)i) % REPLY_KINDS, &reply);
				buf_add_u8(&b, k ? 0 : (uint8_t)(2 * kind + 1));
				if (k) {
					buf_add_u16be(&b, (uint16_t)reply.size);
					buf_add_bytes(&b, buf_bytes(&reply));
				}
				buf_free(&reply);
			}
		(void)snprintf(name, sizeof name, "command-%zu", i);
		seed_add(to, name, fuzz_done(&b));
		buf_free(&b);
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const uint8_t usual[] = {(uint8_t)i, 13, 9, 13, 3, 5, 7, 9, 11, 13, 3, 5, 7};
		char name[32];

		(void)snprintf(name, sizeof name, "usual-%zu", i);
		seed_add(to, name, bytes_of(usual, sizeof usual));
	}
}
