/* splot-node's configuration file, with the files that it names. */
#include "node/settings.h"

#include "config_body.h"

#include "signers.h"

static void config_check(const struct settings *s)
{
	const char *account = NULL;
	char why[WHY_BYTES] = "";
	static struct settings changed;

	ALWAYS(s->keys && s->data && s->control && s->server_count <= SERVERS_MAX);
	for (size_t i = 0; i < s->server_count; i++)
		ALWAYS(s->servers[i].card.server && s->servers[i].address);
	fuzz_any(settings_fit_realm(s, FUZZ_REALM, why));
	changed = *s;
	(void)settings_editor(&changed, 0, &account);
}

/* A card that server sections may name. */
static void config_files(void)
{
	static bool made;
	struct fuzz_key key;
	struct card c = {
		.realm = FUZZ_REALM, .log = {"national"}, .server_name = "a", .server = true};
	struct buf note = {.data = NULL};

	if (made)
		return;
	made = true;
	config_terc();
	fuzz_log_key(&key, "national/a", 2);
	c.log_key = key.signer.key;
	ALWAYS(card_sign(&c, &key.signer, &note) == ERR_OK);
	(void)file_input(CARD_FD, buf_bytes(&note));
	buf_free(&note);
}

void fuzz_seeds(struct seeds *to)
{
	struct buf many = {.data = NULL};

	buf_add_text(&many, "[node]\nkeys = k\ndata = d\ncontrol = c\n");
	for (int i = 0; i <= SERVERS_MAX; i++) /* one more than there may be */
		buf_printf(&many,
			   "[server.s%d]\naddress = tcp://127.0.0.1:1\n"
			   "card = /proc/self/fd/101\n",
			   i);
	seed_add(to, "servers-too-many", fuzz_done(&many));
	buf_free(&many);
	seed_add(to, "least", bytes_of_text("[node]\nkeys = k\ndata = d\ncontrol = c\n"));
	seed_add(to, "all",
		 bytes_of_text("[node]\nkeys = k\ndata = d\ncontrol = c\ncontrol-mode = 0660\n"
			       "terc = /proc/self/fd/102\nmap-size-mib = 1\nmap-max-mib = 2\n"
			       "rotation-days = 3\nlog-level = info\n[editors]\nroot = e01\n"
			       "[server.a]\naddress = tcp://127.0.0.1:1\n"
			       "card = /proc/self/fd/101\n"));
}
