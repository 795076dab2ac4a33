/* recover: a node whose own history lost against the one that its server holds. */
#include "admin/acts/aside.h"
#include "admin/acts/rebase.h"
#include "admin/verbs.h"

static enum outcome run_recover(struct cli *cli)
{
	const char *folder = cli_option(cli, "rebase");
	bool set_aside = cli_option(cli, "aside");
	bool send = cli_option(cli, "yes");
	bool mine = cli_option(cli, "mine");
	struct rebase rebase;
	enum outcome outcome = DONE;

	if (set_aside == (folder != NULL))
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"give --aside (the node is stopped) or --rebase FOLDER (it runs)");
	if (set_aside && (send || mine))
		return cli_fail(cli, MISUSED, ERR_ARGUMENT, "--yes and --mine belong to --rebase");
	if (set_aside)
		return aside(cli);
	outcome = rebase_load(cli, folder, &rebase);
	if (outcome == DONE)
		outcome = rebase_go(&rebase, send, mine);
	rebase_free(&rebase);
	return outcome;
}

static const struct option_rule recover_options[] = {
	{"aside", 0, NULL, "move the stopped node's store away, so that it fetches its log back"},
	{"rebase", 0, "FOLDER", "show what only that old store holds, and what it would change"},
	{"yes", 0, NULL, "with --rebase: send it, as ordinary edits"},
	{"mine", 0, NULL, "with --rebase: also where the record was changed here meanwhile"},
};

const struct verb verb_recover = {
	.name = "recover",
	.operands = "",
	.summary = "bring back what a node's own history held when its server's went on",
	.examples = "  splotctl recover --aside --config /etc/splot/node.ini\n"
		    "  splotctl recover --rebase /var/lib/splot/orphaned-20261121T093000Z\n"
		    "  splotctl recover --rebase /var/lib/splot/orphaned-20261121T093000Z --yes\n",
	.options = recover_options,
	.option_count = sizeof recover_options / sizeof *recover_options,
	.asks = true,
	.run = run_recover,
};
