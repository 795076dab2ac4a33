/* Configuration: what fits is read, what does not is refused with file and line. */
#include "temporary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/config.h"
#include "io/files.h"

static const struct config_rule rules[] = {
	{.section = "node", .key = "keys", .type = CONFIG_PATH, .required = true, .help = "keys"},
	{.section = "node", .key = "control-mode", .type = CONFIG_MODE, .fallback = "0660"},
	{.section = "node", .key = "log-level", .type = CONFIG_LEVEL, .fallback = "info"},
	{.section = "node",
	 .key = "batch",
	 .type = CONFIG_UINT,
	 .fallback = "8",
	 .least = 1,
	 .most = 64},
	{.section = "server.*",
	 .key = "address",
	 .type = CONFIG_TEXT,
	 .required = true,
	 .help = "where"},
	{.section = "server.*", .key = "wait", .type = CONFIG_UINT, .fallback = "5"},
	{.section = "editors", .key = "*", .type = CONFIG_TEXT},
};

struct world {
	char folder[TEMPORARY_BYTES];
	char path[128];
	char why[TEXT_BYTES_MAX + 1];
	struct config config;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	temporary_make(w->folder, "config");
	(void)snprintf(w->path, sizeof w->path, "%s/x.ini", w->folder);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	config_free(&w->config);
	temporary_remove(w->folder);
	free(w);
	return 0;
}

static enum err load_bytes(struct world *w, struct bytes text)
{
	OK(file_replace(w->path, 0600, text));
	config_free(&w->config);
	w->why[0] = 0;
	return config_load(w->path, rules, sizeof rules / sizeof *rules, &w->config, w->why,
			   sizeof w->why);
}

static enum err load(struct world *w, const char *text)
{
	return load_bytes(w, bytes_of_text(text));
}

static void what_is_written_is_read_and_the_rest_falls_back(void **state)
{
	struct world *w = *state;
	char path[200];

	OK(load(w, "\xef\xbb\xbf# a comment\n[node]\r\nkeys = secret/keys\nbatch=9\n\n"
		   "[server.b]\naddress = tcp://127.0.0.1:1 ; inline\nwait = 9\n"
		   "[editors]\nanna = e07\njan = e08\n[server.a]\naddress=x"));
	(void)snprintf(path, sizeof path, "%s/secret/keys", w->folder);
	assert_string_equal(config_get(&w->config, "node", "keys"), path);
	assert_int_equal(config_mode(&w->config, "node", "control-mode"), 0660);
	assert_int_equal(config_level(&w->config, "node", "log-level"), LOG_INFO);
	assert_int_equal(config_uint(&w->config, "node", "batch"), 9);
	assert_string_equal(config_get(&w->config, "editors", "jan"), "e08");
	assert_null(config_get(&w->config, "editors", "ewa"));
	assert_string_equal(config_section(&w->config, "server.", 0), "b");
	assert_string_equal(config_section(&w->config, "server", 1), "a");
	assert_null(config_section(&w->config, "server.", 2));
	assert_string_equal(config_get(&w->config, "server.b", "address"), "tcp://127.0.0.1:1");
	assert_int_equal(config_uint(&w->config, "server.b", "wait"), 9);
	assert_int_equal(config_uint(&w->config, "server.a", "wait"), 5);
	assert_int_equal(w->config.entries[0].line, 3);
}

static void an_absolute_path_stays_as_it_is(void **state)
{
	struct world *w = *state;

	OK(load(w, "[node]\nkeys = /etc/splot/keys\ncontrol-mode = 640\nlog-level = debug\n"));
	assert_string_equal(config_get(&w->config, "node", "keys"), "/etc/splot/keys");
	assert_int_equal(config_uint(&w->config, "node", "batch"), 8);
	assert_int_equal(config_mode(&w->config, "node", "control-mode"), 0640);
	assert_int_equal(config_level(&w->config, "node", "log-level"), LOG_DEBUG);
}

static void what_does_not_fit_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *line, *says;
	} rows[] = {
		{"[node]\nkeys = k\nkesy = k\n", ":3:", "did you mean \"keys\"?"},
		{"[node]\nkeys = k\n[nodes]\nkeys = k\n", ":3:", "did you mean [node]?"},
		{"[node]\nkeys = k\n[empty]\n", ":3:", "no section [empty]"},
		{"[node]\nkeys = k\n\n#x\nkeys = l\n", ":5:", "line 2"},
		{"[node]\nkeys = k\nbatch = 0\n", ":3:", "from 1 to 64"},
		{"[node]\nkeys = k\nbatch = 65\n", ":3:", "from 1 to 64"},
		{"[node]\nkeys = k\nbatch = 3x\n", ":3:", "from 1 to 64"},
		{"[node]\nkeys = k\nbatch = -1\n", ":3:", "from 1 to 64"},
		{"[node]\nkeys = k\nbatch = 99999999999999999999\n", ":3:", "from 1 to 64"},
		{"[node]\nkeys = k\ncontrol-mode = 0668\n", ":3:", "octal"},
		{"[node]\nkeys = k\ncontrol-mode = 1777\n", ":3:", "octal"},
		{"[node]\nkeys = k\ncontrol-mode = -1\n", ":3:", "octal"},
		{"[node]\nkeys = k\ncontrol-mode = 0x1\n", ":3:", "octal"},
		{"[node]\nkeys = k\ncontrol-mode =\n", ":3:", "octal"},
		{"[node]\nkeys = k\nlog-level = loud\n", ":3:", "notice"},
		{"[node]\nkeys =\n", ":2:", "no value"},
		{"[node]\nbatch = 9\n", ".ini:", "lacks \"keys\""},
		{"[node]\nkeys = k\n[server.a]\n", ":3:", "lacks \"address\""},
		{"[node]\nkeys = k\n[server.a]\nwait = 1\n", ":3:", "lacks \"address\""},
		{"[node]\nkeys = k\n[server.]\naddress = 1\n", ":3:", "no section"},
		{"keys = k\n[node]\n", ":1:", "before any [section]"},
		{"[node]\nkeys = k\nnonsense\n", ":3:", "key = value"},
		{"[node]\nkeys = k\n  more\n", ":3:", "begins with a space"},
		{"[node\nkeys = k\n", ":1:", "a section is [name]"},
		{"[node]\nkeys = k\n[server.0123456789012345678901234567890123456789012345]\n",
		 ":3:", "at most 49"},
		{"", ".ini:", "lacks \"keys\""},
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(load(w, rows[i].text), ERR_CONFIG);
		if (!strstr(w->why, rows[i].line) || !strstr(w->why, rows[i].says))
			fail_msg("row %zu: \"%s\" lacks \"%s\" or \"%s\"", i, w->why, rows[i].line,
				 rows[i].says);
		assert_memory_equal(w->why, w->path, strlen(w->path));
	}
}

static void lines_that_the_library_would_cut_are_refused(void **state)
{
	struct world *w = *state;
	char text[400] = "[node]\nkeys = /";
	size_t start = strlen("[node]\n");

	memset(text + strlen(text), 'k', 300);
	text[start + 198] = '\n';
	text[start + 199] = 0;
	OK(load(w, text));
	assert_int_equal(strlen(config_get(&w->config, "node", "keys")), 198 - strlen("keys = "));
	memset(text + start + 198, 'k', 2);
	text[start + 199] = '\n';
	text[start + 200] = 0;
	assert_int_equal(load(w, text), ERR_CONFIG);
	assert_non_null(strstr(w->why, ":2: a line over 198 bytes"));
	assert_int_equal(load_bytes(w, bytes_of("[node]\nkeys = k\0x\n", 18)), ERR_CONFIG);
	assert_non_null(strstr(w->why, ":2: a zero byte"));
}

static void a_file_that_is_missing_or_huge_is_refused_by_name(void **state)
{
	struct world *w = *state;
	uint8_t *large = malloc(CONFIG_BYTES_MAX + 1);

	assert_non_null(large);
	memset(large, '\n', CONFIG_BYTES_MAX + 1);
	assert_int_equal(config_load("/nowhere.ini", rules, 1, &w->config, w->why, sizeof w->why),
			 ERR_CONFIG);
	assert_non_null(strstr(w->why, "/nowhere.ini: cannot be read"));
	assert_int_equal(load_bytes(w, bytes_of(large, CONFIG_BYTES_MAX + 1)), ERR_CONFIG);
	assert_non_null(strstr(w->why, "no configuration is that long"));
	free(large);
}

static void a_short_buffer_for_the_reason_is_enough(void **state)
{
	struct world *w = *state;
	char why[8];

	OK(file_replace(w->path, 0600, bytes_of_text("[x]\n")));
	assert_int_equal(config_load(w->path, rules, 1, &w->config, why, sizeof why), ERR_CONFIG);
	assert_int_equal(strlen(why), 7);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_is_written_is_read_and_the_rest_falls_back),
		T(an_absolute_path_stays_as_it_is),
		T(what_does_not_fit_is_refused_with_its_line),
		T(lines_that_the_library_would_cut_are_refused),
		T(a_file_that_is_missing_or_huge_is_refused_by_name),
		T(a_short_buffer_for_the_reason_is_enough),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
