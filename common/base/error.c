#include "base/error.h"

#include <string.h>

static const struct {
	const char *code;
	const char *text;
} table[ERR_COUNT] = {
#define ERR_ROW(name, code, text) [ERR_##name] = {code, text},
	ERR_TABLE(ERR_ROW)
#undef ERR_ROW
};

static enum err known(enum err e)
{
	return (unsigned)e < ERR_COUNT ? e : ERR_INTERNAL;
}

const char *err_code(enum err e)
{
	return table[known(e)].code;
}

const char *err_text(enum err e)
{
	return table[known(e)].text;
}

enum err err_from_code(const char *code)
{
	int i = 0;

	while (i < ERR_COUNT && strcmp(table[i].code, code) != 0)
		i++;
	return (enum err)i;
}
