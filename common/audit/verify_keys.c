/* The files of keys that an export has beside its logs, for whoever checks the national log's
 * cosignatures with them: the national log says whose keys those are. */
#include "audit/verify_parts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tlog/encoding.h"

enum { WRITING_MS = 200 }; /* an export is brought up to date file by file */

struct key_files {
	struct verify *verify;
	struct keyring *acts; /* owned; by the national log alone */
	size_t count;
	struct vkey active[LOGS_MAX];
	bool listed[LOGS_MAX]; /* of those */
	struct buf text;       /* of a file */
	struct buf wrong;      /* what is to be told, a line each */
};

/* The keys as the national log names them now, which may be written to meanwhile. */
static enum err read_acts(struct key_files *x)
{
	struct verify *v = x->verify;
	enum err e = ERR_OK;

	keyring_free(x->acts);
	x->acts = NULL;
	e = keyring_of_acts(v->options->trusted, &x->acts);
	if (e == ERR_OK)
		e = keyring_read(x->acts, v->source);
	if (e == ERR_OK)
		x->count = keyring_witnesses(x->acts, x->active, LOGS_MAX);
	memset(x->listed, 0, sizeof x->listed);
	return e;
}

/* ---- witnesses.vkeys ---- */

static bool list(struct key_files *x, const struct vkey *key)
{
	for (size_t i = 0; i < x->count; i++) {
		const struct vkey *active = &x->active[i];

		if (strcmp(active->name, key->name) != 0 || active->type != key->type ||
		    memcmp(active->public, key->public, sizeof key->public) != 0)
			continue;
		x->listed[i] = true;
		return true;
	}
	return false;
}

static void judge_line(struct key_files *x, struct bytes line, unsigned number)
{
	struct vkey key;

	if (vkey_parse(line, &key) != ERR_OK)
		buf_printf(&x->wrong, "witnesses.vkeys, line %u: no verifier key\n", number);
	else if (!list(x, &key))
		buf_printf(&x->wrong,
			   "witnesses.vkeys, line %u: %s: not the key of an active witness that "
			   "the national log enrolled\n",
			   number, key.name);
}

/* A file that could not be read: what is told of it.  One that is missing is no loss where there
 * is no witness that it would be about. */
static enum err unread(struct key_files *x, const char *file, enum err e)
{
	if (!verify_is_damage(e))
		return e;
	if (e != ERR_NOT_FOUND)
		buf_printf(&x->wrong, "%s: %s\n", file, err_text(e));
	else if (x->count)
		buf_printf(&x->wrong, "%s is missing\n", file);
	return ERR_OK;
}

static enum err judge_witnesses(struct key_files *x)
{
	struct source *s = x->verify->source;
	struct bytes rest = {NULL, 0};
	struct bytes line = {NULL, 0};
	enum err e = ERR_OK;

	buf_clear(&x->text);
	e = s->ops->witnesses(s, &x->text);
	if (e != ERR_OK)
		return unread(x, "witnesses.vkeys", e);
	rest = buf_bytes(&x->text);
	for (unsigned number = 1; rest.size; number++) {
		if (encoding_cut(&rest, '\n', &line) != ERR_OK) {
			line = rest;
			rest = bytes_of(NULL, 0);
		}
		judge_line(x, line, number);
	}
	for (size_t i = 0; i < x->count; i++)
		if (!x->listed[i])
			buf_printf(&x->wrong,
				   "witnesses.vkeys lacks %s, which the national log enrolled\n",
				   x->active[i].name);
	return ERR_OK;
}

/* ---- policy ---- */

/* An administrator's own may ask for fewer witnesses or group them in another way: it is judged by
 * whose keys are in it. */
static enum err judge_policy(struct key_files *x)
{
	struct source *s = x->verify->source;
	const struct vkey *stranger = NULL;
	struct policy *p = malloc(sizeof *p);
	unsigned line = 0;
	enum err e = p ? ERR_OK : ERR_NOMEM;

	buf_clear(&x->text);
	if (e == ERR_OK)
		e = s->ops->policy(s, &x->text);
	if (e != ERR_OK) {
		free(p);
		return unread(x, "policy", e);
	}
	e = policy_parse(buf_bytes(&x->text), p, &line);
	if (e != ERR_OK)
		buf_printf(&x->wrong, "policy, line %u: %s\n", line, err_text(e));
	else
		stranger = keyring_stranger(x->acts, p);
	if (stranger)
		buf_printf(&x->wrong,
			   "policy: %s: neither a key of the national log nor one of a witness "
			   "that it enrolled\n",
			   stranger->name);
	free(p);
	return ERR_OK;
}

/* ---- both ---- */

static enum err judge(struct key_files *x)
{
	enum err e = read_acts(x);

	buf_clear(&x->wrong);
	if (e == ERR_OK)
		e = judge_witnesses(x);
	if (e == ERR_OK)
		e = judge_policy(x);
	return e == ERR_OK ? buf_check(&x->wrong) : e;
}

static void tell(const struct key_files *x, const struct verify_target *national)
{
	struct bytes rest = buf_bytes(&x->wrong);
	struct bytes line = {NULL, 0};

	while (encoding_cut(&rest, '\n', &line) == ERR_OK)
		verify_found(x->verify, DAMAGE_KEYS, national->name, national->size, "%.*s",
			     (int)line.size, (const char *)line.data);
}

enum err verify_key_files(struct verify *v, const struct verify_target *national)
{
	const struct timespec pause = {.tv_nsec = WRITING_MS * 1000000L};
	struct key_files *x = NULL;
	enum err e = ERR_OK;

	if (v->source->single || !v->source->ops->witnesses)
		return ERR_OK;
	x = calloc(1, sizeof *x);
	if (!x)
		return ERR_NOMEM;
	x->verify = v;
	e = judge(x);
	if (e == ERR_OK && x->wrong.size) {
		(void)nanosleep(&pause, NULL);
		e = judge(x);
	}
	if (e == ERR_OK)
		tell(x, national);
	keyring_free(x->acts);
	buf_free(&x->text);
	buf_free(&x->wrong);
	free(x);
	return e;
}
