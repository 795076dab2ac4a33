#include "admin/auditor/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/settings.h"
#include "admin/text.h"
#include "base/limits.h"
#include "io/files.h"
#include "io/keys.h"
#include "tlog/encoding.h"

enum { KEYS_TEXT_BYTES_MAX = 64 * 1024 };

/* ---- files ---- */

enum outcome audit_read_file(struct cli *cli, const char *path, size_t limit, struct buf *ret)
{
	struct stat st;
	enum err e = file_read(path, limit, ret);

	if (e == ERR_OK)
		return DONE;
	if (e == ERR_LIMIT)
		return cli_fail(cli, FAILED, e,
				"%s: more than %zu bytes, which no file of this kind has", path,
				limit);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return cli_fail(cli, FAILED, e, "%s: a folder, not a file", path);
	return cli_fail(cli, FAILED, e, "%s: %s", path, err_text(e));
}

enum outcome audit_write_file(struct cli *cli, const char *path, struct bytes content)
{
	enum err e = file_replace(path, 0644, content);

	return e == ERR_OK ? DONE : cli_fail(cli, FAILED, e, "%s: %s", path, err_text(e));
}

/* ---- operands ---- */

enum outcome audit_log_named(struct cli *cli, const char *text, struct log_name *ret)
{
	if (log_name_parse(bytes_of_text(text), ret) == ERR_OK ||
	    source_folder_log(text, ret) == ERR_OK)
		return DONE;
	return cli_fail(cli, MISUSED, ERR_ARGUMENT,
			"\"%s\" is no log: 02, 04 … 32, PL, one begun anew as 26/2, or national",
			text);
}

enum outcome audit_number(struct cli *cli, const char *what, const char *text, uint64_t *ret)
{
	if (encoding_number(bytes_of_text(text), ret) == ERR_OK)
		return DONE;
	return cli_fail(cli, MISUSED, ERR_ARGUMENT,
			"\"%s\" is no %s: digits alone, no zero before them, %llu at most", text,
			what, (unsigned long long)INT64_MAX);
}

/* ---- keys ---- */

static enum outcome trust(struct cli *cli, struct keyring *k, const struct vkey *key, uint64_t from,
			  const char *where)
{
	enum err e = keyring_trust_from(k, key, from);

	if (e == ERR_OK)
		return DONE;
	return cli_fail(cli, e == ERR_INVALID ? MISUSED : FAILED, e,
			e == ERR_INVALID ? "%s: \"%s\" is no name of a log or witness, or of "
					   "another realm than the other keys"
					 : "%s: \"%s\": one key too many",
			where, key->name);
}

static enum outcome trust_text(struct cli *cli, struct keyring *k, struct bytes text,
			       const char *where)
{
	struct vkey key;
	enum err e = vkey_parse(text, &key);

	if (e == ERR_OK)
		return trust(cli, k, &key, 0, where);
	return cli_fail(cli, MISUSED, e,
			"%s: \"%.*s\" is no verifier key (name+hash+key): %s; one stands in an "
			"export's log.vkey",
			where, (int)text.size, (const char *)text.data, err_text(e));
}

/* The last word of a line: a key's own line, "log KEY", "witness NAME KEY", "log-key KEY". */
static struct bytes last_word(struct bytes line)
{
	size_t begin = 0;

	while (line.size && strchr(" \t\r", line.data[line.size - 1]))
		line.size--;
	for (size_t i = 0; i < line.size; i++)
		if (line.data[i] == ' ' || line.data[i] == '\t')
			begin = i + 1;
	return bytes_of(line.data + begin, line.size - begin);
}

/* Every line that ends in a key; a line that is one word must be one. */
static enum outcome trust_lines(struct cli *cli, struct keyring *k, struct bytes text,
				const char *where)
{
	size_t count = 0;
	enum outcome outcome = DONE;

	while (outcome == DONE && text.size) {
		const uint8_t *end = memchr(text.data, '\n', text.size);
		size_t size = end ? (size_t)(end - text.data) : text.size;
		struct bytes word = last_word(bytes_of(text.data, size));
		struct vkey key;

		if (word.size && text.data[0] != '#' &&
		    (word.data == text.data || vkey_parse(word, &key) == ERR_OK)) {
			outcome = trust_text(cli, k, word, where);
			count++;
		}
		size += end != NULL;
		text = bytes_of(text.data + size, text.size - size);
	}
	if (outcome == DONE && count == 0)
		outcome = cli_fail(cli, MISUSED, ERR_NOT_FOUND, "%s: no verifier key is in it",
				   where);
	return outcome;
}

static enum outcome trust_file(struct cli *cli, struct keyring *k, const char *path)
{
	struct buf text = {0};
	enum outcome outcome = audit_read_file(cli, path, KEYS_TEXT_BYTES_MAX, &text);

	if (outcome == DONE)
		outcome = trust_lines(cli, k, buf_bytes(&text), path);
	buf_free(&text);
	return outcome;
}

/* --key and --keys; *ret_any: whether one of them is given. */
static enum outcome trust_given(struct cli *cli, struct keyring *k, bool *ret_any)
{
	const char *key = cli_option(cli, "key");
	const char *file = cli_option(cli, "keys");
	enum outcome outcome = DONE;

	*ret_any = key || file;
	if (key)
		outcome = trust_text(cli, k, bytes_of_text(key), "--key");
	if (outcome == DONE && file)
		outcome = trust_file(cli, k, file);
	return outcome;
}

enum outcome audit_keys_given(struct cli *cli, struct keyring **ret)
{
	struct keyring *k = NULL;
	bool any = false;
	enum outcome outcome = DONE;

	if (keyring_new(&k) != ERR_OK)
		return cli_fail(cli, FAILED, ERR_NOMEM, "out of memory");
	outcome = trust_given(cli, k, &any);
	if (outcome == DONE && !any)
		outcome = cli_fail(
			cli, MISUSED, ERR_UNKNOWN_KEY,
			"whose key? give --key VKEY or --keys FILE, with keys that you got "
			"from somebody you trust");
	if (outcome != DONE) {
		keyring_free(k);
		return outcome;
	}
	*ret = k;
	return DONE;
}

/* The public half of a daemon's own keys file, with the keys before. */
static enum err trust_own(struct keyring *k, const struct keys *keys)
{
	struct vkey key;
	uint64_t from = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < keys->previous_count; i++) {
		e = vkey_parse(bytes_of_text(keys->previous[i].vkey), &key);
		if (e == ERR_OK)
			e = keyring_trust_from(k, &key, from);
		from = keys->previous[i].size;
	}
	if (e == ERR_OK)
		e = vkey_make(keys->name, KEY_ED25519, keys->log_public, &key);
	return e == ERR_OK ? keyring_trust_from(k, &key, from) : e;
}

/* Whether a keys file is of an account that this one is not: it may be well all the same. */
static bool is_of_another(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return errno == EACCES;
	return (st.st_uid != geteuid() && st.st_uid != 0) ||
	       faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0;
}

/* The keys file that --config names, when it is this account's; a clerk's it is not. */
static enum outcome trust_config(struct audit_source *a, bool *ret_any, bool *ret_denied)
{
	const char *config = cli_option(a->cli, "config");
	char why[TEXT_BYTES_MAX + 1] = "";
	const char *path = NULL;
	struct keys keys = {0};
	enum outcome outcome = config ? settings_path(a->cli, config, "keys", &path) : DONE;
	enum err e = ERR_NOT_FOUND;

	if (!config || outcome != DONE)
		return outcome;
	e = keys_load(path, &keys, why);
	*ret_denied = e == ERR_DENIED && is_of_another(path);
	if (*ret_denied)
		return DONE;
	if (e == ERR_OK)
		e = trust_own(a->trusted, &keys);
	keys_free(&keys);
	*ret_any = e == ERR_OK;
	return e == ERR_OK ? DONE
			   : cli_fail(a->cli, FAILED, e, "%s",
				      *why ? why
					   : text_in(&a->cli->arena, "%s: %s", path, err_text(e)));
}

enum outcome audit_keys_known(struct cli *cli, struct keyring **ret)
{
	struct audit_source a = {.cli = cli};
	bool any = false;
	bool denied = false;
	enum outcome outcome = DONE;

	if (keyring_new(&a.trusted) != ERR_OK)
		return cli_fail(cli, FAILED, ERR_NOMEM, "out of memory");
	outcome = trust_given(cli, a.trusted, &any);
	if (outcome == DONE && !any)
		outcome = trust_config(&a, &any, &denied);
	if (outcome == DONE && any) {
		*ret = a.trusted;
		return DONE;
	}
	keyring_free(a.trusted);
	if (outcome == DONE && denied) /* whoever names keys does not mean to do without */
		outcome = cli_fail(cli, FAILED, ERR_DENIED,
				   "the keys file of --config is another account's: run this "
				   "under the account of the daemon, or give --keys FILE or --key "
				   "VKEY");
	else if (outcome == DONE)
		cli_note(cli, "no keys are known here: signatures are not looked at; give "
			      "--config FILE, --keys FILE or --key VKEY");
	*ret = NULL;
	return outcome;
}

/* What the source says of each of its logs. */
static enum outcome trust_stated(struct audit_source *a, bool *ret_any)
{
	struct source_names names;
	struct buf text = {0};
	enum outcome outcome = DONE;
	enum err e = a->source.ops->names(&a->source, &names);

	for (size_t i = 0; e == ERR_OK && outcome == DONE && i < names.count; i++) {
		buf_clear(&text);
		e = a->source.ops->keys(&a->source, names.items[i], &text);
		if (e == ERR_OK)
			outcome = trust_lines(a->cli, a->trusted, buf_bytes(&text), a->source.what);
		*ret_any = *ret_any || e == ERR_OK;
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	buf_free(&text);
	return e == ERR_OK ? outcome : source_failed(a->cli, &a->source, e);
}

static enum outcome collect_keys(struct audit_source *a, bool needed)
{
	bool any = false;
	bool denied = false;
	enum outcome outcome = trust_given(a->cli, a->trusted, &any);

	if (outcome == DONE && !any)
		outcome = trust_config(a, &any, &denied);
	if (outcome == DONE && !any) {
		outcome = trust_stated(a, &any);
		a->stated = any;
	}
	if (outcome == DONE && !any && needed)
		outcome = cli_fail(
			a->cli, MISUSED, ERR_UNKNOWN_KEY,
			"%s: what is here does not say whose keys signed its logs, and %s; "
			"give --keys FILE or --key VKEY",
			a->source.what,
			denied ? "the keys file of --config is another account's"
			       : "no --config FILE names its daemon");
	return outcome;
}

/* ---- opening ---- */

enum outcome audit_policy_given(struct cli *cli, struct policy *ret, bool *ret_found)
{
	const char *path = cli_option(cli, "policy");
	struct buf text = {0};
	unsigned line = 0;
	enum outcome outcome = DONE;
	enum err e = ERR_OK;

	*ret_found = path != NULL;
	if (!path)
		return DONE;
	outcome = audit_read_file(cli, path, POLICY_BYTES_MAX, &text);
	if (outcome == DONE)
		e = policy_parse(buf_bytes(&text), ret, &line);
	buf_free(&text);
	return e == ERR_OK ? outcome
			   : cli_fail(cli, MISUSED, e, "%s, line %u: %s", path, line, err_text(e));
}

static enum outcome open_over(struct cli *cli, struct source source, bool needed,
			      struct audit_source *ret)
{
	enum outcome outcome = DONE;

	*ret = (struct audit_source){.cli = cli, .source = source};
	if (keyring_new(&ret->trusted) != ERR_OK)
		outcome = cli_fail(cli, FAILED, ERR_NOMEM, "out of memory");
	if (outcome == DONE)
		outcome = collect_keys(ret, needed);
	if (outcome == DONE)
		outcome = audit_policy_given(cli, &ret->policy, &ret->has_policy);
	if (outcome != DONE)
		audit_close(ret);
	return outcome;
}

enum outcome audit_open_source(struct cli *cli, struct source source, struct audit_source *ret)
{
	return open_over(cli, source, true, ret);
}

static enum outcome open_named(struct cli *cli, const char *folder, bool needed,
			       struct audit_source *ret)
{
	const char *from = cli_option(cli, "from");
	struct source source = {0};
	enum outcome outcome = DONE;

	*ret = (struct audit_source){.cli = cli};
	if (folder && from)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT, "give \"%s\" or --from, not both",
				folder);
	outcome = source_named(cli, folder ? folder : from, &source);
	return outcome == DONE ? open_over(cli, source, needed, ret) : outcome;
}

enum outcome audit_open(struct cli *cli, const char *folder, struct audit_source *ret)
{
	return open_named(cli, folder, true, ret);
}

enum outcome audit_open_keyless(struct cli *cli, const char *folder, struct audit_source *ret)
{
	return open_named(cli, folder, false, ret);
}

void audit_tell_stated(const struct audit_source *a)
{
	if (a->stated && cli_option(a->cli, "from"))
		cli_note(
			a->cli,
			"the keys are those that %s itself states; give --keys FILE with ones that "
			"you got another way",
			a->source.what);
}

void audit_close(struct audit_source *a)
{
	source_close(&a->source);
	keyring_free(a->trusted);
	keyring_free(a->known);
	a->trusted = NULL;
	a->known = NULL;
}

enum outcome audit_read_keys(struct audit_source *a)
{
	enum err e = keyring_copy(a->trusted, &a->known);

	if (e == ERR_OK)
		e = keyring_read(a->known, &a->source);
	return e == ERR_OK ? DONE : source_failed(a->cli, &a->source, e);
}
