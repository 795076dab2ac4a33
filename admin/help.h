/* Help texts, made from the same tables that the parser reads. */
#ifndef SPLOT_ADMIN_HELP_H
#define SPLOT_ADMIN_HELP_H

#include <stdio.h>

#include "admin/cli.h"

/* The last two only for verbs that ask a daemon. */
enum { COMMON_OPTION_COUNT = 5 };
extern const struct option_rule common_options[COMMON_OPTION_COUNT];

void help_overview(FILE *to, const struct verb *verbs, size_t verb_count);
void help_verb(const struct verb *verb);

#endif
