#include "admin/settings.h"

#include <string.h>

#include "admin/text.h"
#include "base/limits.h"
#include "io/files.h"

/* The line without blanks around it and without a comment behind " ;", as inih reads it. */
static struct bytes trimmed(const char *line, size_t size)
{
	for (size_t i = 1; i < size; i++)
		if (line[i] == ';' && (line[i - 1] == ' ' || line[i - 1] == '\t'))
			size = i;
	while (size && strchr(" \t\r", line[size - 1]))
		size--;
	while (size && strchr(" \t\r", *line)) {
		line++;
		size--;
	}
	return bytes_of(line, size);
}

static bool is_text(struct bytes x, const char *text)
{
	return bytes_equal(x, bytes_of_text(text));
}

const char *settings_find(struct arena *arena, const char *text, const char *key,
			  const char **ret_section)
{
	const char *value = NULL;
	bool inside = false;

	*ret_section = NULL;
	for (const char *line = text; line && *line;) {
		size_t size = strcspn(line, "\n");
		struct bytes x = trimmed(line, size);
		const uint8_t *equals = x.size ? memchr(x.data, '=', x.size) : NULL;

		line += size + (line[size] == '\n');
		if (is_text(x, "[node]") || is_text(x, "[server]")) {
			*ret_section = is_text(x, "[node]") ? "node" : "server";
			inside = true;
		} else if (x.size && x.data[0] == '[') {
			inside = false;
		} else if (inside && equals) {
			const char *name = (const char *)x.data;
			size_t length = (size_t)(equals - x.data);
			struct bytes found = trimmed((const char *)equals + 1, x.size - length - 1);

			if (is_text(trimmed(name, length), key))
				value = arena_text(arena, found);
		}
	}
	return value;
}

static enum outcome read_text(struct cli *cli, const char *path, const char **ret)
{
	struct buf raw = {0};
	enum err e = file_read(path, CONFIG_BYTES_MAX, &raw);

	if (e == ERR_OK) {
		*ret = arena_text(&cli->arena, buf_bytes(&raw));
		if (!*ret)
			e = ERR_NOMEM;
	}
	buf_free(&raw);
	return e == ERR_OK ? DONE : cli_fail(cli, FAILED, e, "%s: %s", path, err_text(e));
}

enum outcome settings_daemon(struct cli *cli, const char *path, const char **ret_program)
{
	const char *text = NULL;
	const char *section = NULL;
	enum outcome outcome = read_text(cli, path, &text);

	if (outcome != DONE)
		return outcome;
	(void)settings_find(&cli->arena, text, "control", &section);
	if (!section)
		return cli_fail(cli, BAD_DATA, ERR_CONFIG,
				"%s: neither a [node] nor a [server] section is in it", path);
	*ret_program = !strcmp(section, "node") ? "splot-node" : "splot-server";
	return DONE;
}

enum outcome settings_path(struct cli *cli, const char *path, const char *key,
			   const char **ret_value)
{
	const char *text = NULL;
	const char *section = NULL;
	const char *value = NULL;
	const char *slash = strrchr(path, '/');
	enum outcome outcome = read_text(cli, path, &text);

	if (outcome != DONE)
		return outcome;
	value = settings_find(&cli->arena, text, key, &section);
	if (!value || !*value)
		return cli_fail(cli, FAILED, ERR_CONFIG,
				"%s: no \"%s\" in a [node] or [server] section%s", path, key,
				!strcmp(key, "control") ? "; give --socket" : "");
	if (*value != '/' && slash)
		value = text_in(&cli->arena, "%.*s/%s", (int)(slash - path), path, value);
	*ret_value = value;
	return DONE;
}

enum outcome settings_control(struct cli *cli, const char *path, const char **ret_socket)
{
	return settings_path(cli, path, "control", ret_socket);
}
