/* Help texts, made from the same tables that the parser reads. */
#ifndef SPLOT_ADMIN_HELP_H
#define SPLOT_ADMIN_HELP_H

#include <stdio.h>

#include "admin/cli.h"

/* The last two only for verbs that ask a daemon. */
enum { COMMON_OPTION_COUNT = 5 };
extern const struct option_rule common_options[COMMON_OPTION_COUNT];

/* All verbs, or those of one family of two-word verbs ("audit"); "" for all. */
void help_overview(FILE *to, const char *family, const struct verb *verbs, size_t verb_count);
/* Whether a verb's name has two words, the first of which is `family`. */
bool help_is_of_family(const struct verb *verb, const char *family);
void help_verb(const struct verb *verb);

#endif
