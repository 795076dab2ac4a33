/* splotctl: the administrator's and the clerk's tool (docs/man/splotctl.1). */
#include <signal.h>
#include <string.h>

#include "admin/verbs.h"
#include "io/program.h"

int main(int argc, char **argv)
{
	/* clang-format off */
	const struct verb verbs[] = {
		verb_status,
		verb_summary,
		verb_import,
		verb_export,
		verb_put,
		verb_retire,
		verb_confirm,
		verb_get,
		verb_list,
		verb_history,
		verb_log,
		verb_keygen,
		verb_enrol,
		verb_server_card,
		verb_trust,
		verb_waive,
		verb_check_config,
		verb_freeze,
		verb_release,
		verb_redact,
		verb_rotate,
		verb_continue,
		verb_recover,
		verb_backup,
		verb_restore,
		verb_compare,
		verb_audit_verify,
		verb_audit_export,
		verb_audit_prove,
		verb_audit_check,
		verb_audit_consistency,
		verb_audit_evidence, verb_witnessed,    verb_follow,
	};
	/* clang-format on */
	struct cli cli = {0};
	bool finished = false;
	enum outcome outcome = DONE;

	program_protect();
	(void)signal(SIGPIPE, SIG_IGN); /* a closed pipe is told as a failed write */
	outcome = cli_parse(&cli, verbs, sizeof verbs / sizeof *verbs, argc, argv, &finished);
	if (outcome == DONE && !finished)
		outcome = cli.verb->run(&cli);
	cli_free(&cli);
	return (int)outcome;
}
