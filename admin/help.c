#include "admin/help.h"

#include <string.h>

bool help_is_of_family(const struct verb *verb, const char *family)
{
	size_t length = strlen(family);

	return !strncmp(verb->name, family, length) && verb->name[length] == ' ';
}

void help_overview(FILE *to, const char *family, const struct verb *verbs, size_t verb_count)
{
	int width = 0;

	for (size_t i = 0; i < verb_count; i++)
		if ((int)strlen(verbs[i].name) > width)
			width = (int)strlen(verbs[i].name);
	if (*family)
		(void)fprintf(to, "usage: splotctl %s COMMAND [option…] [operand…]\n\n", family);
	else
		(void)fputs(
			"splotctl: keys, trust, edits, imports, exports, audits and the state of "
			"Splot\n\n"
			"usage: splotctl COMMAND [option…] [operand…]\n\n",
			to);
	for (size_t i = 0; i < verb_count; i++)
		if (!*family || help_is_of_family(&verbs[i], family))
			(void)fprintf(to, "  %-*s  %s\n", width, verbs[i].name, verbs[i].summary);
	(void)fputs(
		"\nsplotctl COMMAND --help tells more and gives examples; so does splotctl(1).\n"
		"Exit codes: 0 done, 1 failed or refused, 2 command line, 3 problems in the data,\n"
		"4 conflict, 5 no daemon answers.\n",
		to);
}

static void help_option(const struct option_rule *rule)
{
	char left[64];

	(void)snprintf(left, sizeof left, "%s%c%s--%s%s%s", rule->letter ? "-" : "",
		       rule->letter ? rule->letter : ' ', rule->letter ? ", " : "   ", rule->name,
		       rule->value ? " " : "", rule->value ? rule->value : "");
	(void)printf("  %-28s %s\n", left, rule->help);
}

void help_verb(const struct verb *verb)
{
	(void)printf("splotctl %s: %s\n\nusage: splotctl %s [option…]%s%s\n\n", verb->name,
		     verb->summary, verb->name, *verb->operands ? " " : "", verb->operands);
	for (size_t i = 0; i < verb->option_count; i++)
		help_option(&verb->options[i]);
	for (size_t i = 0; i < (size_t)COMMON_OPTION_COUNT - (verb->asks ? 0 : 2); i++)
		help_option(&common_options[i]);
	(void)printf("\nExamples:\n%s", verb->examples);
}
