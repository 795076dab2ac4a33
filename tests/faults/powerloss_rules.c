/* Calls that fail on purpose.  The file SPLOT_POWER_RULES has lines "OP NAME WHAT AFTER TIMES" and
 * is read at each call: calls OP (write, meta: one that is synced at once, sync, rename, create) on
 * paths that end with NAME, but for the first AFTER, fail TIMES times with WHAT (eio, enospc,
 * short: half of it is written, die: all of it is, and then the program is killed).  What was done
 * stands in the file of that name with ".done" behind it. */
#include "powerloss.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RULES_BYTES = 4096, RULES_MAX = 8 };

static struct {
	char text[RULES_BYTES];
	struct {
		enum power_op op;
		char name[256], what[16];
		unsigned after, times;
	} rule[RULES_MAX];
	size_t count;
} now;

static void read_rules(void)
{
	static const char *const ops[] = {"write", "meta", "sync", "rename", "create"};
	char text[RULES_BYTES] = "";
	char op[16];
	int fd = NEXT(open)(power_rules, O_RDONLY | O_CLOEXEC);
	int used = 0;

	if (fd >= 0) {
		if (read(fd, text, sizeof text - 1) < 0)
			text[0] = 0;
		(void)NEXT(close)(fd);
	}
	if (strcmp(text, now.text) == 0)
		return;
	memcpy(now.text, text, sizeof text);
	now.count = 0;
	for (const char *at = text;
	     now.count < RULES_MAX &&
	     sscanf(at, "%15s %255s %15s %u %u%n", op, now.rule[now.count].name,
		    now.rule[now.count].what, &now.rule[now.count].after,
		    &now.rule[now.count].times, &used) == 5;
	     at += used) {
		for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
			if (strcmp(ops[i], op) == 0)
				now.rule[now.count].op = (enum power_op)i;
		now.count++;
	}
}

static void tell_done(const char *what, const char *path)
{
	char name[PATH_MAX];
	int fd = -1;

	(void)snprintf(name, sizeof name, "%s.done", power_rules);
	fd = NEXT(open)(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0) {
		(void)dprintf(fd, "%s %s\n", what, path);
		(void)NEXT(close)(fd);
	}
}

/* Counts this call of rule i; true when it is one that is to fail. */
static bool applies(size_t i, enum power_op op, const char *path)
{
	size_t size = strlen(path);
	size_t end = strlen(now.rule[i].name);

	if (now.rule[i].op != op || end > size || strcmp(path + size - end, now.rule[i].name) != 0)
		return false;
	if (now.rule[i].after) {
		now.rule[i].after--;
		return false;
	}
	if (!now.rule[i].times)
		return false;
	now.rule[i].times--;
	return true;
}

const char *power_fate(enum power_op op, const char *path)
{
	const char *what = NULL;

	if (!power_rules)
		return NULL;
	read_rules();
	for (size_t i = 0; i < now.count; i++)
		if (applies(i, op, path))
			what = now.rule[i].what;
	if (what)
		tell_done(what, path);
	return what;
}

bool power_fails(const char *what)
{
	if (!what || strcmp(what, "short") == 0 || strcmp(what, "die") == 0)
		return false;
	errno = strcmp(what, "enospc") == 0 ? ENOSPC : EIO;
	return true;
}
