/* INI files by libinih, checked against a table of what may stand in them: unknown
 * sections and keys, repeated keys and values that do not fit are errors that name
 * the line.
 *
 * Layer: io. */
#ifndef SPLOT_IO_CONFIG_H
#define SPLOT_IO_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"

/* One key that may stand in a section.  `section` may end in ".*": any name there
 * ("server.*"); section "editors" with key "*" takes any key. */
struct config_rule {
	const char *section;
	const char *key;
	enum config_type {
		CONFIG_TEXT,
		CONFIG_PATH,
		CONFIG_UINT,
		CONFIG_MODE,  /* permissions, octal */
		CONFIG_LEVEL, /* of log lines, by name */
	} type;
	bool required;
	const char *fallback; /* NULL: none */
	uint64_t least, most; /* CONFIG_UINT */
	const char *help;     /* what it is, said where a required one is missing */
};

struct config_entry {
	char *section, *key, *value; /* owned by the config */
	int line;                    /* 0: a fallback */
};

struct config {
	char *path;
	struct config_entry *entries;
	size_t count;
};

/* Reads and checks.  Lines are at most 198 bytes, section names 49 (libinih).  On CONFIG, `why`
 * says "file:line: what; what to do".  Relative CONFIG_PATH values are taken from the folder of the
 * file. */
MUST_USE enum err config_load(const char *path, const struct config_rule *rules, size_t rule_count,
			      struct config *ret, char *why, size_t why_size);
void config_free(struct config *c); /* also a zeroed one */
/* NULL when absent and without a fallback. */
const char *config_get(const struct config *c, const char *section, const char *key);
uint64_t config_uint(const struct config *c, const char *section, const char *key);
mode_t config_mode(const struct config *c, const char *section, const char *key);
enum log_priority config_level(const struct config *c, const char *section, const char *key);
/* Names behind "prefix." in the order of the file; NULL past the last.  `prefix` with or
 * without its dot. */
const char *config_section(const struct config *c, const char *prefix, size_t i);

#endif
