/* The public test vectors, where they are to be found: $SPLOT_VECTORS, or the folder that the
 * build names.  A test whose files are absent says so and is skipped. */
#ifndef SPLOT_TESTS_TLOG_VECTORS_H
#define SPLOT_TESTS_TLOG_VECTORS_H

#include "tlog_fixture.h"

#include <unistd.h>

#include "tlog/note.h"

enum { PATH_BYTES = 4096, FIELDS = 8, FILE_BYTES_MAX = 1 << 20 };

static inline const char *folder(void)
{
	const char *named = getenv("SPLOT_VECTORS");

	return named && *named ? named : SPLOT_VECTORS_DEFAULT;
}

/* The whole file, with a NUL behind it; skips the test when it is absent. */
static inline void read_file(const char *name, struct buf *ret)
{
	char path[PATH_BYTES];
	FILE *f = NULL;
	uint8_t *at = NULL;
	int size = snprintf(path, sizeof(path), "%s/%s", folder(), name);

	assert_in_range(size, 1, PATH_BYTES - 1);
	if (access(path, F_OK) != 0) {
		print_message("skipped, there is no %s (SPLOT_VECTORS=DIR names the folder)\n",
			      path);
		skip();
	}
	f = fopen(path, "rb");
	assert_non_null(f);
	buf_clear(ret);
	at = buf_extend(ret, FILE_BYTES_MAX);
	assert_non_null(at);
	ret->size = fread(at, 1, FILE_BYTES_MAX, f);
	assert_int_equal(ferror(f), 0);
	assert_true(ret->size < FILE_BYTES_MAX);
	(void)fclose(f);
	(void)buf_text(ret);
}

/* The next line that is neither empty nor a comment, cut at `marks`; 0 at the end. */
static inline size_t next_row(char **at, const char *marks, char *ret[FIELDS])
{
	char *line = NULL;
	size_t count = 0;

	while ((line = strsep(at, "\n"))) {
		char *field = NULL;

		if (*line == 0 || *line == '#')
			continue;
		while ((field = strsep(&line, marks)) && count < FIELDS)
			ret[count++] = field;
		return count;
	}
	return 0;
}

static inline bool parse_hash(const char *hex, struct hash *ret)
{
	size_t size = 0;

	return sodium_hex2bin(ret->b, HASH_BYTES, hex, strlen(hex), NULL, &size, NULL) == 0 &&
	       size == HASH_BYTES && strlen(hex) == (size_t)2 * HASH_BYTES;
}

static inline void read_vkey(const char *name, struct vkey *ret)
{
	struct buf file = {0};
	char text[VKEY_BYTES];

	read_file(name, &file);
	assert_ok(vkey_parse(bytes_of(file.data, strcspn((char *)file.data, "\n")), ret));
	vkey_text(ret, text);
	assert_memory_equal(text, file.data, strlen(text));
	buf_free(&file);
}

/* "PRIVATE+KEY+name+hash+base64(type || seed)" */
static inline void read_skey(const char *name, uint8_t secret[static SIGN_SECRET_BYTES],
			     struct signer *ret)
{
	struct buf file = {0};
	char *field[5];
	char *at = NULL;
	uint8_t raw[1 + SIGN_SEED_BYTES];
	uint8_t public[SIGN_PUBLIC_BYTES];
	size_t size = 0;

	read_file(name, &file);
	at = (char *)file.data;
	for (size_t i = 0; i < 5; i++) {
		field[i] = strsep(&at, i < 4 ? "+" : "\n");
		assert_non_null(field[i]);
	}
	assert_int_equal(sodium_base642bin(raw, sizeof(raw), field[4], strlen(field[4]), NULL,
					   &size, NULL, sodium_base64_VARIANT_ORIGINAL),
			 0);
	assert_int_equal(size, sizeof(raw));
	assert_int_equal(crypto_sign_seed_keypair(public, secret, raw + 1), 0);
	assert_ok(vkey_make(field[2], KEY_ED25519, public, &ret->key));
	assert_int_equal(ret->key.id, strtoul(field[3], NULL, 16));
	ret->secret = secret;
	buf_free(&file);
}

/* A file of one hash a line. */
static inline void read_hashes(const char *name, struct proof *ret)
{
	struct buf file = {0};
	char *row[FIELDS];
	char *at = NULL;

	read_file(name, &file);
	at = (char *)file.data;
	ret->count = 0;
	while (next_row(&at, " ", row)) {
		assert_in_range(ret->count, 0, PROOF_HASHES_MAX - 1);
		ret->hashes[ret->count++] = hash_hex(row[0]);
	}
	buf_free(&file);
}

#endif
