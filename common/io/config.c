#include "io/config.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "io/files.h"

/* What libinih takes: longer lines and names it would cut without a word. */
enum { LINE_BYTES_MAX = 198, SECTION_BYTES_MAX = 49, HEADERS_MAX = 256, WORD_BYTES_MAX = 64 };

enum { MODE_DIGITS_MAX = 4 };

struct load {
	const char *path;
	const struct config_rule *rules;
	size_t rule_count;
	struct config *config;
	size_t capacity;
	char *why;
	size_t why_size;
	enum err err;
	/* The library says no line numbers to its handler: count what it is given. */
	struct bytes text;
	size_t at;
	int line;
	/* The sections by their headers, also those without keys; owned. */
	struct header {
		char name[SECTION_BYTES_MAX + 1];
		int line;
	} * headers;
	size_t header_count;
};

__attribute__((format(printf, 3, 4))) static int refuse(struct load *l, int line,
							const char *format, ...)
{
	va_list args;
	int used = 0;

	if (l->err != ERR_OK)
		return 0; /* the first fault is told */
	l->err = ERR_CONFIG;
	if (line > 0)
		used = snprintf(l->why, l->why_size, "%s:%d: ", l->path, line);
	else
		used = snprintf(l->why, l->why_size, "%s: ", l->path);
	if (used < 0 || (size_t)used >= l->why_size)
		return 0;
	va_start(args, format);
	(void)vsnprintf(l->why + used, l->why_size - (size_t)used, format, args);
	va_end(args);
	return 0;
}

/* ---- rules ---- */

static bool section_fits(const char *pattern, const char *section)
{
	size_t size = strlen(pattern);

	if (size > 2 && strcmp(pattern + size - 2, ".*") == 0)
		return strncmp(pattern, section, size - 1) == 0 && section[size - 1] != 0;
	return strcmp(pattern, section) == 0;
}

static bool section_known(const struct load *l, const char *section)
{
	for (size_t i = 0; i < l->rule_count; i++)
		if (section_fits(l->rules[i].section, section))
			return true;
	return false;
}

static const struct config_rule *find_rule(const struct config_rule *rules, size_t count,
					   const char *section, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (section_fits(rules[i].section, section) &&
		    (strcmp(rules[i].key, key) == 0 || strcmp(rules[i].key, "*") == 0))
			return &rules[i];
	return NULL;
}

/* Edits that turn one word into the other (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_BYTES_MAX + 1];
	size_t a_size = strlen(a);
	size_t b_size = strlen(b);

	if (a_size > WORD_BYTES_MAX || b_size > WORD_BYTES_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_size; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_size; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_size; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			corner = row[j];
			row[j] = best;
		}
	}
	return row[b_size];
}

static int refuse_key(struct load *l, const char *section, const char *key)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < l->rule_count; i++) {
		size_t d = section_fits(l->rules[i].section, section)
				   ? distance(key, l->rules[i].key)
				   : SIZE_MAX;

		if (d < least) {
			least = d;
			nearest = l->rules[i].key;
		}
	}
	if (nearest)
		return refuse(l, l->line, "[%s] has no key \"%s\"; did you mean \"%s\"?", section,
			      key, nearest);
	return refuse(l, l->line, "[%s] has no key \"%s\"; remove it", section, key);
}

static int refuse_section(struct load *l, const char *section)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;

	if (!*section)
		return refuse(l, l->line, "a key before any [section]; move it under one");
	for (size_t i = 0; i < l->rule_count; i++) {
		size_t d = distance(section, l->rules[i].section);

		if (d < least) {
			least = d;
			nearest = l->rules[i].section;
		}
	}
	return refuse(l, l->line, "there is no section [%s]; did you mean [%s]?", section,
		      nearest ? nearest : "?");
}

/* ---- values ---- */

static bool parse_uint(const char *text, uint64_t *ret)
{
	char *end = NULL;
	unsigned long long value = 0;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || *end)
		return false;
	*ret = value;
	return true;
}

static bool parse_mode(const char *text, mode_t *ret)
{
	size_t digits = strspn(text, "01234567");

	if (digits == 0 || digits > MODE_DIGITS_MAX || text[digits])
		return false;
	*ret = (mode_t)strtoul(text, NULL, 8);
	return *ret <= 0777;
}

static bool value_fits(struct load *l, const struct config_rule *r, const char *key,
		       const char *value)
{
	uint64_t most = r->most ? r->most : UINT64_MAX;
	uint64_t number = 0;
	mode_t mode = 0;

	switch (r->type) {
	case CONFIG_UINT:
		if (parse_uint(value, &number) && number >= r->least && number <= most)
			return true;
		(void)refuse(l, l->line, "%s = %s: write a whole number from %llu to %llu", key,
			     value, (unsigned long long)r->least, (unsigned long long)most);
		return false;
	case CONFIG_MODE:
		if (parse_mode(value, &mode))
			return true;
		(void)refuse(l, l->line, "%s = %s: write permissions in octal, such as 0660", key,
			     value);
		return false;
	case CONFIG_LEVEL:
		if (log_level_named(value) >= 0)
			return true;
		(void)refuse(l, l->line, "%s = %s: write error, warning, notice, info or debug",
			     key, value);
		return false;
	case CONFIG_TEXT:
	case CONFIG_PATH:
	default:
		if (*value)
			return true;
		(void)refuse(l, l->line, "%s has no value; write one or remove the line", key);
		return false;
	}
}

/* A relative path counts from the folder of the configuration file. */
static char *resolve(const struct load *l, enum config_type type, const char *value)
{
	const char *slash = strrchr(l->path, '/');
	size_t folder = slash ? (size_t)(slash - l->path) + 1 : 0;
	size_t size = strlen(value) + 1;
	char *path = NULL;

	if (type != CONFIG_PATH || value[0] == '/' || folder == 0)
		return strdup(value);
	path = malloc(folder + size);
	if (path) {
		memcpy(path, l->path, folder);
		memcpy(path + folder, value, size);
	}
	return path;
}

static enum err add_entry(struct load *l, enum config_type type, const char *section,
			  const char *key, const char *value, int line)
{
	struct config *c = l->config;
	struct config_entry e = {.line = line};

	if (c->count == l->capacity) {
		size_t capacity = l->capacity ? l->capacity * 2 : 32;
		struct config_entry *entries = realloc(c->entries, capacity * sizeof *entries);

		if (!entries)
			return ERR_NOMEM;
		c->entries = entries;
		l->capacity = capacity;
	}
	e.section = strdup(section);
	e.key = strdup(key);
	e.value = resolve(l, type, value);
	c->entries[c->count++] = e; /* config_free takes half-made ones too */
	return e.section && e.key && e.value ? ERR_OK : ERR_NOMEM;
}

static const struct config_entry *find_entry(const struct config *c, const char *section,
					     const char *key)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->entries[i].section, section) == 0 &&
		    strcmp(c->entries[i].key, key) == 0)
			return &c->entries[i];
	return NULL;
}

/* ---- reading ---- */

/* fgets for the library, out of memory; counts lines. */
static char *give_line(char *to, int size, void *context)
{
	struct load *l = context;
	size_t n = 0;

	if (l->at == l->text.size || size <= LINE_BYTES_MAX)
		return NULL;
	l->line++;
	while (n < (size_t)size - 1 && l->at < l->text.size) {
		char c = (char)l->text.data[l->at++];

		to[n++] = c;
		if (c == '\n')
			break;
	}
	to[n] = 0;
	return to;
}

static int take_pair(void *context, const char *section, const char *key, const char *value)
{
	struct load *l = context;
	const struct config_rule *rule = NULL;
	const struct config_entry *before = NULL;

	if (l->err != ERR_OK)
		return 0;
	if (!section_known(l, section))
		return refuse_section(l, section);
	rule = find_rule(l->rules, l->rule_count, section, key);
	if (!rule)
		return refuse_key(l, section, key);
	before = find_entry(l->config, section, key);
	if (before)
		return refuse(l, l->line, "[%s] says \"%s\" again, as line %d did; keep one",
			      section, key, before->line);
	if (!value_fits(l, rule, key, value))
		return 0;
	l->err = add_entry(l, rule->type, section, key, value, l->line);
	return l->err == ERR_OK;
}

/* "[name]": notes the section; the library says nothing about one that has no keys. */
static void take_header(struct load *l, const char *text, size_t size)
{
	const char *end = memchr(text, ']', size);
	size_t name_size = end ? (size_t)(end - text) - 1 : 0;
	struct header *grown = NULL;
	struct header *h = NULL;

	if (name_size == 0 || name_size > SECTION_BYTES_MAX || l->header_count == HEADERS_MAX) {
		(void)refuse(l, l->line, "a section is [name], its name at most %d bytes",
			     SECTION_BYTES_MAX);
		return;
	}
	grown = realloc(l->headers, (l->header_count + 1) * sizeof *grown);
	if (!grown) {
		l->err = ERR_NOMEM;
		return;
	}
	l->headers = grown;
	h = &grown[l->header_count++];
	memcpy(h->name, text + 1, name_size);
	h->name[name_size] = 0;
	h->line = l->line;
	if (!section_known(l, h->name))
		(void)refuse_section(l, h->name); /* NOLINT(clang-analyzer-unix.Malloc): l owns h */
}

static void check_line(struct load *l, const char *text, size_t size)
{
	if (size > 0 && text[size - 1] == '\r')
		size--;
	if (size > LINE_BYTES_MAX)
		(void)refuse(l, l->line, "a line over %d bytes; shorten it", LINE_BYTES_MAX);
	else if (memchr(text, 0, size))
		(void)refuse(l, l->line, "a zero byte; write plain text");
	else if (size > 0 && text[0] == '[')
		take_header(l, text, size);
	else if (size > 0 && (text[0] == ' ' || text[0] == '\t') && strspn(text, " \t\r\n") < size)
		/* The library would join it to the line above. */
		(void)refuse(l, l->line, "the line begins with a space; remove that");
}

/* What the library lets pass without a word.  The text ends in a line break or a zero. */
static void check_lines(struct load *l)
{
	const char *at = (const char *)l->text.data;
	size_t left = l->text.size;

	l->line = 0;
	if (left >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) { /* the library skips it too */
		at += 3;
		left -= 3;
	}
	while (left > 0 && l->err == ERR_OK) {
		const char *end = memchr(at, '\n', left);
		size_t size = end ? (size_t)(end - at) : left;

		l->line++;
		check_line(l, at, size);
		at += end ? size + 1 : size;
		left -= end ? size + 1 : size;
	}
	l->line = 0;
}

/* ---- what is not said ---- */

static void complete_key(struct load *l, const struct config_rule *r, const char *section, int line)
{
	if (strcmp(r->key, "*") == 0 || find_entry(l->config, section, r->key))
		return;
	if (r->required)
		(void)refuse(l, line, "[%s] lacks \"%s\" (%s)", section, r->key, r->help);
	else if (r->fallback)
		l->err = add_entry(l, r->type, section, r->key, r->fallback, 0);
}

static void complete(struct load *l)
{
	for (size_t i = 0; i < l->rule_count && l->err == ERR_OK; i++) {
		const struct config_rule *r = &l->rules[i];
		size_t size = strlen(r->section);
		bool many = size > 2 && strcmp(r->section + size - 2, ".*") == 0;

		if (!many)
			complete_key(l, r, r->section, 0);
		for (size_t h = 0; many && h < l->header_count && l->err == ERR_OK; h++)
			if (section_fits(r->section, l->headers[h].name))
				complete_key(l, r, l->headers[h].name, l->headers[h].line);
	}
}

static enum err read_text(struct load *l, struct buf *text)
{
	enum err err = file_read(l->path, CONFIG_BYTES_MAX, text);

	if (err == ERR_OK) {
		(void)buf_text(text); /* a zero behind it */
		return buf_check(text);
	}
	if (err == ERR_LIMIT)
		(void)refuse(l, 0, "over %d bytes; no configuration is that long",
			     CONFIG_BYTES_MAX);
	else
		(void)refuse(l, 0, "cannot be read (%s); give its path with --config",
			     err_text(err));
	return ERR_CONFIG;
}

enum err config_load(const char *path, const struct config_rule *rules, size_t rule_count,
		     struct config *ret, char *why, size_t why_size)
{
	struct config c = {.path = strdup(path)};
	struct buf text = {0};
	struct load l = {
		.path = path,
		.rules = rules,
		.rule_count = rule_count,
		.config = &c,
		.why = why,
		.why_size = why_size,
	};
	enum err err = c.path ? read_text(&l, &text) : ERR_NOMEM;
	int rc = 0;

	if (err != ERR_OK)
		goto out;
	l.text = buf_bytes(&text);
	check_lines(&l);
	if (l.err == ERR_OK)
		rc = ini_parse_stream(give_line, &l, take_pair, &l);
	if (rc > 0)
		(void)refuse(&l, rc, "neither a [section] nor key = value");
	else if (rc < 0 && l.err == ERR_OK)
		l.err = ERR_NOMEM;
	if (l.err == ERR_OK)
		complete(&l);
	err = l.err;
out:
	buf_free(&text);
	free(l.headers);
	if (err == ERR_NOMEM)
		(void)snprintf(why, why_size, "%s: %s", path, err_text(err));
	if (err == ERR_OK)
		*ret = c;
	else
		config_free(&c);
	return err;
}

void config_free(struct config *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->entries[i].section);
		free(c->entries[i].key);
		free(c->entries[i].value);
	}
	free(c->entries);
	free(c->path);
	*c = (struct config){0};
}

/* ---- asking ---- */

const char *config_get(const struct config *c, const char *section, const char *key)
{
	const struct config_entry *e = find_entry(c, section, key);

	return e ? e->value : NULL;
}

uint64_t config_uint(const struct config *c, const char *section, const char *key)
{
	const char *value = config_get(c, section, key);
	uint64_t number = 0;

	return value && parse_uint(value, &number) ? number : 0;
}

mode_t config_mode(const struct config *c, const char *section, const char *key)
{
	const char *value = config_get(c, section, key);
	mode_t mode = 0;

	return value && parse_mode(value, &mode) ? mode : 0;
}

enum log_priority config_level(const struct config *c, const char *section, const char *key)
{
	const char *value = config_get(c, section, key);
	int level = value ? log_level_named(value) : -1;

	return level >= 0 ? (enum log_priority)level : LOG_INFO;
}

const char *config_section(const struct config *c, const char *prefix, size_t i)
{
	size_t size = strlen(prefix);
	size_t behind = size > 0 && prefix[size - 1] == '.' ? size : size + 1;

	for (size_t e = 0; e < c->count; e++) {
		const char *section = c->entries[e].section;
		size_t before = 0;

		if (strncmp(section, prefix, size) != 0 || section[behind - 1] != '.')
			continue;
		while (strcmp(c->entries[before].section, section) != 0)
			before++;
		if (before == e && i-- == 0)
			return section + behind;
	}
	return NULL;
}
