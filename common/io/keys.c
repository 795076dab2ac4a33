#include "io/keys.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/files.h"
#include "io/keys_internal.h"

static_assert(crypto_sign_SEEDBYTES == 32, "seed");
static_assert(crypto_sign_SECRETKEYBYTES == 64, "Ed25519 secret");
static_assert(crypto_sign_PUBLICKEYBYTES == 32, "Ed25519 public");
static_assert(crypto_scalarmult_BYTES == 32, "X25519");

enum { SEED_BYTES = 32, SECRET_BYTES = 64, BASE64_BYTES = 44 };

/* All secrets of one file, in guarded memory, as keys.log_secret &c. point into it. */
struct secrets {
	uint8_t log[SECRET_BYTES];
	uint8_t witness[SECRET_BYTES];
	uint8_t curve[SEED_BYTES];
	uint8_t old[SECRET_BYTES];
	uint8_t seed[SEED_BYTES]; /* while one is read */
};

enum word {
	WORD_KIND,
	WORD_NAME,
	WORD_LOG,
	WORD_WITNESS,
	WORD_CURVE,
	WORD_PREVIOUS,
	WORD_OLD,
	WORD_UNTIL,
	WORD_COUNT
};

static const char *const words[WORD_COUNT] = {
	[WORD_KIND] = "kind",          [WORD_NAME] = "name",
	[WORD_LOG] = "log-seed",       [WORD_WITNESS] = "witness-seed",
	[WORD_CURVE] = "curve-secret", [WORD_PREVIOUS] = "previous-log-key",
	[WORD_OLD] = "old-log-seed",   [WORD_UNTIL] = "old-until",
};

static const char *const kind_names[] = {[KEYS_NODE] = "node", [KEYS_SERVER] = "server"};

/* ---- saying why ---- */

enum err keys_refuse(char *why, enum err err, const char *format, ...)
{
	va_list args;

	if (!why)
		return err;
	va_start(args, format);
	(void)vsnprintf(why, TEXT_BYTES_MAX + 1, format, args);
	va_end(args);
	return err;
}

/* ---- making ---- */

static bool name_fits(const char *name)
{
	size_t size = strlen(name);

	if (size == 0 || size > ORIGIN_BYTES_MAX)
		return false;
	/* As a key name must be (C2SP signed-note): no spaces, no plus; here ASCII only. */
	for (const char *at = name; *at; at++)
		if (*at <= ' ' || *at > '~' || *at == '+')
			return false;
	return true;
}

/* Text in guarded memory; what does not fit is told at the end. */
struct writer {
	char *text; /* KEY_FILE_BYTES_MAX + 1, sodium_malloc; owned */
	size_t size;
	bool full;
};

__attribute__((format(printf, 2, 3))) static void add(struct writer *w, const char *format, ...)
{
	size_t room = KEY_FILE_BYTES_MAX + 1 - w->size;
	va_list args;
	int n = 0;

	va_start(args, format);
	n = vsnprintf(w->text + w->size, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room)
		w->full = true;
	else
		w->size += (size_t)n;
}

static void add_secret(struct writer *w, const char *word, const uint8_t raw[static SEED_BYTES])
{
	/* Straight into guarded memory: a copy elsewhere is one that may stay. */
	add(w, "%s ", word);
	if (w->full || KEY_FILE_BYTES_MAX - w->size < BASE64_BYTES) {
		w->full = true;
		return;
	}
	(void)sodium_bin2base64(w->text + w->size, BASE64_BYTES + 1, raw, SEED_BYTES,
				sodium_base64_VARIANT_ORIGINAL);
	w->size += BASE64_BYTES;
	add(w, "\n");
}

/* libsodium keeps an Ed25519 secret as its seed and the public key. */
static void add_keys(struct writer *w, const struct keys *k)
{
	add(w,
	    "# splot secret keys: whoever reads this file can speak for this log\n"
	    "kind %s\nname %s\n",
	    kind_names[k->kind], k->name);
	add_secret(w, words[WORD_LOG], k->log_secret);
	if (k->kind == KEYS_NODE)
		add_secret(w, words[WORD_WITNESS], k->witness_secret);
	add_secret(w, words[WORD_CURVE], k->curve_secret);
	for (size_t i = 0; i < k->previous_count; i++)
		add(w, "%s %s %" PRIu64 "\n", words[WORD_PREVIOUS], k->previous[i].vkey,
		    k->previous[i].size);
	if (k->old_secret) {
		add_secret(w, words[WORD_OLD], k->old_secret);
		add(w, "%s %" PRId64 "\n", words[WORD_UNTIL], k->old_until_ms);
	}
}

enum err keys_write(const char *path, const struct keys *k, keys_write_fn *how)
{
	struct writer w = {.text = sodium_malloc(KEY_FILE_BYTES_MAX + 1)};
	enum err err = ERR_OK;

	if (!w.text)
		return ERR_NOMEM;
	add_keys(&w, k);
	err = w.full ? ERR_LIMIT : how(path, 0600, bytes_of(w.text, w.size));
	sodium_free(w.text);
	return err;
}

enum err keys_draw(const char *path, const struct keys *like, const uint8_t *curve)
{
	struct secrets *secrets = sodium_malloc(sizeof *secrets);
	struct keys k = *like;
	enum err err = ERR_OK;

	if (!secrets)
		return ERR_NOMEM;
	randombytes_buf(secrets, sizeof *secrets);
	if (curve)
		memcpy(secrets->curve, curve, sizeof secrets->curve);
	k.log_secret = secrets->log;
	k.witness_secret = secrets->witness;
	k.curve_secret = secrets->curve;
	k.old_secret = NULL;
	k.previous_count = 0;
	err = keys_write(path, &k, file_create);
	sodium_free(secrets);
	return err;
}

enum err keys_generate(const char *path, enum key_kind kind, const char *name)
{
	struct keys k = {.kind = kind};

	if (!name_fits(name))
		return ERR_ARGUMENT;
	if (sodium_init() < 0)
		return ERR_INTERNAL;
	(void)snprintf(k.name, sizeof k.name, "%s", name);
	return keys_draw(path, &k, NULL);
}

/* ---- reading the file ---- */

static enum err open_guarded(const char *path, int *ret_fd, char *why)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return keys_refuse(
			why, ERR_NOT_FOUND,
			"%s: there is no such key file; put its copy back, or, when this is a "
			"new node or server, make one with splotctl keygen",
			path);
	if (fd < 0)
		return keys_refuse(
			why, errno == EACCES ? ERR_DENIED : ERR_IO,
			"%s: the key file cannot be opened (%s); give it to the user that "
			"runs this program: chown",
			path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return keys_refuse(why, ERR_DENIED, "%s: the key file is no plain file", path);
	}
	if (st.st_uid != geteuid() && st.st_uid != 0) {
		(void)close(fd);
		return keys_refuse(why, ERR_DENIED,
				   "%s: the key file belongs to user %u, this program runs as %u; "
				   "chown it",
				   path, (unsigned)st.st_uid, (unsigned)geteuid());
	}
	if ((st.st_mode & 07777) != 0600 && (st.st_mode & 07777) != 0400) {
		(void)close(fd);
		return keys_refuse(why, ERR_DENIED,
				   "%s: the key file has mode %04o, so that others may get at it; "
				   "chmod 600 it",
				   path, (unsigned)st.st_mode & 07777U);
	}
	*ret_fd = fd;
	return ERR_OK;
}

/* The whole file as text into guarded memory of KEY_FILE_BYTES_MAX + 1. */
static enum err read_guarded(const char *path, char *text, char *why)
{
	size_t size = 0;
	ssize_t n = 0;
	int fd = -1;
	enum err err = open_guarded(path, &fd, why);

	if (err != ERR_OK)
		return err;
	do {
		n = read(fd, text + size, KEY_FILE_BYTES_MAX + 1 - size);
		size += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && size <= KEY_FILE_BYTES_MAX) || (n < 0 && errno == EINTR));
	(void)close(fd);
	if (n < 0)
		return keys_refuse(why, ERR_IO,
				   "%s: the key file cannot be read; put its copy back", path);
	if (size > KEY_FILE_BYTES_MAX)
		return keys_refuse(
			why, ERR_LIMIT,
			"%s: no key file is longer than %d bytes; use the file as splotctl "
			"keygen wrote it",
			path, KEY_FILE_BYTES_MAX);
	text[size] = 0;
	if (strlen(text) != size)
		return keys_refuse(
			why, ERR_DECODE,
			"%s: the key file holds a zero byte; use the file as splotctl keygen "
			"wrote it",
			path);
	return ERR_OK;
}

/* ---- parsing ---- */

struct parse {
	struct keys *keys;
	struct secrets *secrets;
	bool seen[WORD_COUNT];
};

/* Exactly 32 bytes in standard base64 with its padding. */
static bool decode_secret(const char *text, uint8_t raw[static SEED_BYTES])
{
	const char *end = NULL;
	size_t size = 0;

	return strlen(text) == BASE64_BYTES &&
	       sodium_base642bin(raw, SEED_BYTES, text, BASE64_BYTES, NULL, &size, &end,
				 sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       size == SEED_BYTES && end == text + BASE64_BYTES;
}

static bool take_seed(struct secrets *s, const char *text, uint8_t secret[static SECRET_BYTES],
		      uint8_t public[static 32])
{
	bool good = decode_secret(text, s->seed);

	if (good)
		(void)crypto_sign_seed_keypair(public, secret, s->seed);
	sodium_memzero(s->seed, sizeof s->seed);
	return good;
}

static bool take_number(const char *text, uint64_t most, uint64_t *ret)
{
	char *end = NULL;
	unsigned long long number = 0;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	*ret = number;
	return errno == 0 && *end == '\0' && number <= most;
}

/* "VKEY SIZE", each of a larger size than the one before. */
static bool take_previous(struct keys *k, const char *value, const char *more)
{
	struct previous_key *p = &k->previous[k->previous_count];
	uint64_t after = k->previous_count ? p[-1].size : 0;

	if (k->previous_count == KEYS_PREVIOUS_MAX || !more || strlen(value) >= sizeof p->vkey ||
	    !take_number(more, INT64_MAX, &p->size) || p->size <= after)
		return false;
	(void)snprintf(p->vkey, sizeof p->vkey, "%s", value);
	k->previous_count++;
	return true;
}

static bool take_value(struct parse *p, enum word word, const char *value, const char *more)
{
	struct keys *k = p->keys;
	uint64_t number = 0;

	if (more && word != WORD_PREVIOUS)
		return false;

	switch (word) {
	case WORD_KIND:
		if (strcmp(value, kind_names[KEYS_NODE]) == 0)
			k->kind = KEYS_NODE;
		else if (strcmp(value, kind_names[KEYS_SERVER]) == 0)
			k->kind = KEYS_SERVER;
		else
			return false;
		return true;
	case WORD_NAME:
		if (!name_fits(value))
			return false;
		(void)snprintf(k->name, sizeof k->name, "%s", value);
		return true;
	case WORD_LOG:
		return take_seed(p->secrets, value, p->secrets->log, k->log_public);
	case WORD_WITNESS:
		return take_seed(p->secrets, value, p->secrets->witness, k->witness_public);
	case WORD_CURVE:
		return decode_secret(value, p->secrets->curve) &&
		       crypto_scalarmult_base(k->curve_public, p->secrets->curve) == 0;
	case WORD_PREVIOUS:
		return take_previous(k, value, more);
	case WORD_OLD:
		return take_seed(p->secrets, value, p->secrets->old, k->old_public);
	case WORD_UNTIL:
		if (!take_number(value, INT64_MAX, &number))
			return false;
		k->old_until_ms = (int64_t)number;
		return true;
	case WORD_COUNT:
	default:
		return false;
	}
}

/* One line, a word and its values with single spaces or many; never quoted back: it may be a
 * secret. */
static const char *take_line(struct parse *p, char *line)
{
	char *save = NULL;
	const char *key = strtok_r(line, " \t\r", &save);
	const char *value = key ? strtok_r(NULL, " \t\r", &save) : NULL;
	const char *more = value ? strtok_r(NULL, " \t\r", &save) : NULL;
	size_t word = 0;

	if (!key || key[0] == '#')
		return NULL;
	while (word < WORD_COUNT && strcmp(words[word], key) != 0)
		word++;
	if (word == WORD_COUNT)
		return "a word that no key file has";
	if (p->seen[word] && word != WORD_PREVIOUS)
		return "said twice";
	if (!value || (more && strtok_r(NULL, " \t\r", &save)))
		return "a value is missing, or there are too many";
	p->seen[word] = true;
	return take_value(p, (enum word)word, value, more) ? NULL : "a value that does not fit";
}

/* What each word needs: a server has no witness key and no rotation. */
static bool needed(const struct parse *p, size_t word)
{
	if (word == WORD_PREVIOUS)
		return p->seen[WORD_OLD] || (p->seen[word] && p->keys->kind == KEYS_NODE);
	if (word == WORD_OLD || word == WORD_UNTIL)
		return p->keys->kind == KEYS_NODE && (p->seen[WORD_OLD] || p->seen[WORD_UNTIL]);
	return word != WORD_WITNESS || p->keys->kind == KEYS_NODE;
}

static enum err check_complete(const struct parse *p, const char *path, char *why)
{
	for (size_t i = 0; i < WORD_COUNT; i++) {
		bool wanted = needed(p, i);

		if (p->seen[i] != wanted)
			return keys_refuse(why, ERR_DECODE,
					   "%s: %s is %s; use the file as splotctl "
					   "keygen wrote it",
					   path, words[i],
					   wanted ? "missing" : "nothing that a server has");
	}
	return ERR_OK;
}

static enum err parse_text(struct parse *p, const char *path, char *text, char *why)
{
	char *at = text;

	for (int number = 1; at; number++) {
		char *line = strsep(&at, "\n");
		const char *wrong = take_line(p, line);

		if (wrong)
			return keys_refuse(why, ERR_DECODE,
					   "%s:%d: %s; use the file as splotctl keygen wrote it",
					   path, number, wrong);
	}
	return check_complete(p, path, why);
}

enum err keys_load(const char *path, struct keys *ret, char *why)
{
	struct keys k = {.kind = KEYS_NODE};
	struct parse p = {.keys = &k};
	char *text = NULL;
	enum err err = ERR_OK;

	if (sodium_init() < 0)
		return keys_refuse(why, ERR_INTERNAL, "libsodium cannot start");
	p.secrets = sodium_malloc(sizeof *p.secrets);
	text = sodium_malloc(KEY_FILE_BYTES_MAX + 1);
	if (!p.secrets || !text) {
		err = keys_refuse(why, ERR_NOMEM, "%s: no memory for the secrets", path);
		goto out;
	}
	err = read_guarded(path, text, why);
	if (err == ERR_OK)
		err = parse_text(&p, path, text, why);
	if (err == ERR_OK && sodium_mprotect_readonly(p.secrets) != 0)
		err = keys_refuse(why, ERR_INTERNAL, "%s: memory cannot be protected", path);
out:
	sodium_free(text); /* wipes; NULL-safe */
	if (err != ERR_OK) {
		sodium_free(p.secrets);
		return err;
	}
	k.log_secret = p.secrets->log;
	k.witness_secret = k.kind == KEYS_NODE ? p.secrets->witness : NULL;
	k.curve_secret = p.secrets->curve;
	k.old_secret = p.seen[WORD_OLD] ? p.secrets->old : NULL;
	*ret = k;
	return ERR_OK;
}

void keys_free(struct keys *k)
{
	/* The first secret begins the region that holds them all. */
	sodium_free(k->log_secret);
	*k = (struct keys){.kind = k->kind};
}
