/* How every program begins: its options, and that nobody looks into its memory. */
#include "temporary.h"

#include <getopt.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/program.h"

static const struct program program = {"splot-x", "0", "how to use it\n"};

/* Words as a command line, ended by NULL. */
static bool read_words(char **words, struct program_options *ret, enum exit_status *ret_status)
{
	int count = 0;

	while (words[count])
		count++;
	optind = 0; /* glibc: begin anew */
	return program_read_options(&program, count, words, ret, ret_status);
}

#define READ(options, status, ...)                                                                 \
	read_words((char *[]){(char[]){"splot-x"}, __VA_ARGS__, NULL}, options, status)

static void the_options_are_read(void **state)
{
	struct program_options options = {.config = NULL};
	enum exit_status status = EXIT_FAILED;
	char config[] = "--config", file[] = "x.ini", check[] = "--check", c[] = "-c", t[] = "-t";

	(void)state;
	assert_true(READ(&options, &status, config, file));
	assert_string_equal(options.config, "x.ini");
	assert_false(options.check);
	assert_true(READ(&options, &status, check, config, file));
	assert_true(options.check);
	assert_true(READ(&options, &status, c, file, t));
	assert_true(options.check);
}

static void whatever_else_ends_it_and_says_how(void **state)
{
	struct program_options options = {.config = NULL};
	enum exit_status status = EXIT_FAILED;
	char config[] = "--config", file[] = "x.ini", more[] = "more", wrong[] = "--colour";
	char version[] = "--version", help[] = "-h", check[] = "--check";

	(void)state;
	assert_false(READ(&options, &status, version));
	assert_int_equal(status, EXIT_STOPPED);
	assert_false(READ(&options, &status, help, wrong));
	assert_int_equal(status, EXIT_STOPPED);
	assert_false(READ(&options, &status, check));
	assert_int_equal(status, EXIT_USAGE);
	assert_false(READ(&options, &status, config));
	assert_int_equal(status, EXIT_USAGE);
	assert_false(READ(&options, &status, config, file, more));
	assert_int_equal(status, EXIT_USAGE);
	assert_false(READ(&options, &status, config, file, wrong));
	assert_int_equal(status, EXIT_USAGE);
	assert_null(options.config); /* untouched by what was refused */
}

static void a_protected_program_leaves_no_core_and_gains_no_rights(void **state)
{
	int status = 0;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit core = {1, 1};

		program_protect();
		_exit(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 &&
				      core.rlim_max == 0 &&
				      prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
				      prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* In a child, whose limits are its own: what the daemon would end with, EXIT_STOPPED when it goes
 * on. */
static int begun_with(rlim_t descriptors)
{
	char name[] = "splot-x", config[] = "--config", file[] = "x.ini";
	char *words[] = {name, config, file, NULL};
	struct program_options options = {.config = NULL};
	struct rlimit most = {descriptors, descriptors};
	enum exit_status said = EXIT_FAILED;
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		optind = 0;
		if (setrlimit(RLIMIT_NOFILE, &most) != 0)
			_exit(EXIT_UNTRUSTED);
		if (!program_begin(&program, 3, words, &options, &said))
			_exit((int)said);
		_exit(options.config && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? EXIT_STOPPED
										: EXIT_FAILED);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_daemon_begins_protected_and_not_without_descriptors(void **state)
{
	(void)state;
	assert_int_equal(begun_with(DESCRIPTORS_LEAST), EXIT_STOPPED);
	assert_int_equal(begun_with(DESCRIPTORS_LEAST - 1), EXIT_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_options_are_read),
		cmocka_unit_test(whatever_else_ends_it_and_says_how),
		cmocka_unit_test(a_protected_program_leaves_no_core_and_gains_no_rights),
		cmocka_unit_test(a_daemon_begins_protected_and_not_without_descriptors),
	};

	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
