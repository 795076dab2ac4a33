#include "io/keys.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/files.h"

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
};

static const char *const kind_names[] = {[KEYS_NODE] = "node", [KEYS_SERVER] = "server"};

/* ---- saying why ---- */

__attribute__((format(printf, 3, 4))) static enum err refuse(char *why, enum err err,
							     const char *format, ...)
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

static void add_secret(char *text, size_t size, const char *word)
{
	uint8_t raw[SEED_BYTES];
	char line[BASE64_BYTES + 1];
	size_t used = strlen(text);

	randombytes_buf(raw, sizeof raw);
	(void)sodium_bin2base64(line, sizeof line, raw, sizeof raw, sodium_base64_VARIANT_ORIGINAL);
	(void)snprintf(text + used, size - used, "%s %s\n", word, line);
	sodium_memzero(raw, sizeof raw);
	sodium_memzero(line, sizeof line);
}

enum err keys_generate(const char *path, enum key_kind kind, const char *name)
{
	char *text = NULL;
	enum err err = ERR_OK;

	if (!name_fits(name))
		return ERR_ARGUMENT;
	if (sodium_init() < 0)
		return ERR_INTERNAL;
	text = sodium_malloc(KEY_FILE_BYTES_MAX);
	if (!text)
		return ERR_NOMEM;
	(void)snprintf(text, KEY_FILE_BYTES_MAX,
		       "# splot secret keys: whoever reads this file can speak for this log\n"
		       "kind %s\nname %s\n",
		       kind_names[kind], name);
	add_secret(text, KEY_FILE_BYTES_MAX, "log-seed");
	if (kind == KEYS_NODE)
		add_secret(text, KEY_FILE_BYTES_MAX, "witness-seed");
	add_secret(text, KEY_FILE_BYTES_MAX, "curve-secret");
	err = file_create(path, 0600, bytes_of_text(text));
	sodium_free(text);
	return err;
}

/* ---- reading the file ---- */

static enum err open_guarded(const char *path, int *ret_fd, char *why)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return refuse(why, ERR_NOT_FOUND,
			      "%s: there is no such key file; make one with splotctl keygen", path);
	if (fd < 0)
		return refuse(why, errno == EACCES ? ERR_DENIED : ERR_IO,
			      "%s: the key file cannot be opened (%s); give it to the user that "
			      "runs this program: chown",
			      path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return refuse(why, ERR_DENIED, "%s: the key file is no plain file", path);
	}
	if (st.st_uid != geteuid() && st.st_uid != 0) {
		(void)close(fd);
		return refuse(why, ERR_DENIED,
			      "%s: the key file belongs to user %u, this program runs as %u; "
			      "chown it",
			      path, (unsigned)st.st_uid, (unsigned)geteuid());
	}
	if ((st.st_mode & 07777) != 0600 && (st.st_mode & 07777) != 0400) {
		(void)close(fd);
		return refuse(why, ERR_DENIED,
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
		return refuse(why, ERR_IO, "%s: the key file cannot be read", path);
	if (size > KEY_FILE_BYTES_MAX)
		return refuse(why, ERR_LIMIT, "%s: no key file is longer than %d bytes", path,
			      KEY_FILE_BYTES_MAX);
	text[size] = 0;
	if (strlen(text) != size)
		return refuse(why, ERR_DECODE, "%s: the key file holds a zero byte", path);
	return ERR_OK;
}

/* ---- parsing ---- */

enum word { WORD_KIND, WORD_NAME, WORD_LOG, WORD_WITNESS, WORD_CURVE, WORD_COUNT };

static const char *const words[WORD_COUNT] = {
	[WORD_KIND] = "kind",          [WORD_NAME] = "name",
	[WORD_LOG] = "log-seed",       [WORD_WITNESS] = "witness-seed",
	[WORD_CURVE] = "curve-secret",
};

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

static bool take_seed(const char *text, uint8_t secret[static SECRET_BYTES],
		      uint8_t public[static 32])
{
	uint8_t seed[SEED_BYTES];
	bool good = decode_secret(text, seed);

	if (good)
		(void)crypto_sign_seed_keypair(public, secret, seed);
	sodium_memzero(seed, sizeof seed);
	return good;
}

static bool take_value(struct parse *p, enum word word, const char *value)
{
	struct keys *k = p->keys;

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
		return take_seed(value, p->secrets->log, k->log_public);
	case WORD_WITNESS:
		return take_seed(value, p->secrets->witness, k->witness_public);
	case WORD_CURVE:
		return decode_secret(value, p->secrets->curve) &&
		       crypto_scalarmult_base(k->curve_public, p->secrets->curve) == 0;
	case WORD_COUNT:
	default:
		return false;
	}
}

/* One line, "word value" with single spaces or many; never quoted back: it may be a secret. */
static const char *take_line(struct parse *p, char *line)
{
	char *save = NULL;
	const char *key = strtok_r(line, " \t\r", &save);
	const char *value = key ? strtok_r(NULL, " \t\r", &save) : NULL;
	size_t word = 0;

	if (!key || key[0] == '#')
		return NULL;
	while (word < WORD_COUNT && strcmp(words[word], key) != 0)
		word++;
	if (word == WORD_COUNT)
		return "a word that no key file has";
	if (p->seen[word])
		return "said twice";
	if (!value || strtok_r(NULL, " \t\r", &save))
		return "one value is wanted";
	p->seen[word] = true;
	return take_value(p, (enum word)word, value) ? NULL : "a value that does not fit";
}

static enum err check_complete(const struct parse *p, const char *path, char *why)
{
	for (size_t i = 0; i < WORD_COUNT; i++) {
		bool wanted = i != WORD_WITNESS || p->keys->kind == KEYS_NODE;

		if (p->seen[i] != wanted)
			return refuse(why, ERR_DECODE,
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
			return refuse(why, ERR_DECODE,
				      "%s:%d: %s; use the file as splotctl keygen wrote it", path,
				      number, wrong);
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
		return refuse(why, ERR_INTERNAL, "libsodium cannot start");
	p.secrets = sodium_malloc(sizeof *p.secrets);
	text = sodium_malloc(KEY_FILE_BYTES_MAX + 1);
	if (!p.secrets || !text) {
		err = refuse(why, ERR_NOMEM, "%s: no memory for the secrets", path);
		goto out;
	}
	err = read_guarded(path, text, why);
	if (err == ERR_OK)
		err = parse_text(&p, path, text, why);
	if (err == ERR_OK && sodium_mprotect_readonly(p.secrets) != 0)
		err = refuse(why, ERR_INTERNAL, "%s: memory cannot be protected", path);
out:
	sodium_free(text); /* wipes; NULL-safe */
	if (err != ERR_OK) {
		sodium_free(p.secrets);
		return err;
	}
	k.log_secret = p.secrets->log;
	k.witness_secret = k.kind == KEYS_NODE ? p.secrets->witness : NULL;
	k.curve_secret = p.secrets->curve;
	*ret = k;
	return ERR_OK;
}

void keys_free(struct keys *k)
{
	/* The first secret begins the region that holds them all. */
	sodium_free(k->log_secret);
	*k = (struct keys){.kind = k->kind};
}

void keys_protect_process(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
