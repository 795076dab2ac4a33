/* Verifier keys: "name+hash8hex+base64(type || public)". */
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "tlog/encoding.h"
#include "tlog/note.h"

static_assert(SIGN_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES, "libsodium's key");
static_assert(SIGN_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "libsodium's secret");
static_assert(SIGN_SEED_BYTES == crypto_sign_SEEDBYTES, "libsodium's seed");
static_assert(SIGNATURE_BYTES == crypto_sign_BYTES, "libsodium's signature");

enum {
	ENCODED_BYTES = 1 + SIGN_PUBLIC_BYTES, /* type and key */
	ENCODED_BYTES_MAX = 2048,              /* a key of a type not known here, to name it */
	ID_HEX = 8,
};

static bool known_type(uint8_t type)
{
	return type == KEY_ED25519 || type == KEY_COSIGNATURE;
}

static uint32_t key_id(struct bytes name, uint8_t type, const uint8_t *public)
{
	uint8_t raw[KEY_NAME_BYTES_MAX + 1 + ENCODED_BYTES];
	struct hash h;

	memcpy(raw, name.data, name.size);
	raw[name.size] = '\n';
	raw[name.size + 1] = type;
	memcpy(raw + name.size + 2, public, SIGN_PUBLIC_BYTES);
	h = hash_plain(bytes_of(raw, name.size + 1 + ENCODED_BYTES));
	return (uint32_t)h.b[0] << 24 | (uint32_t)h.b[1] << 16 | (uint32_t)h.b[2] << 8 | h.b[3];
}

/* Name and public key may be those of *ret itself. */
static enum err make(struct bytes name, uint8_t type, const uint8_t *public, struct vkey *ret)
{
	struct vkey k = {.type = type};
	enum err e = encoding_check_name(name);

	if (e)
		return e;
	if (name.size > KEY_NAME_BYTES_MAX)
		return ERR_LIMIT;
	memcpy(k.name, name.data, name.size);
	memcpy(k.public, public, SIGN_PUBLIC_BYTES);
	k.id = key_id(name, type, public);
	*ret = k;
	return ERR_OK;
}

enum err vkey_make(const char *name, uint8_t type, const uint8_t public[static SIGN_PUBLIC_BYTES],
		   struct vkey *ret)
{
	return known_type(type) ? make(bytes_of_text(name), type, public, ret) : ERR_VERSION;
}

/* Lowercase only, so that a key has one text. */
static enum err hex_number(struct bytes text, uint32_t *ret)
{
	uint32_t x = 0;

	if (text.size != ID_HEX)
		return ERR_DECODE;
	for (size_t i = 0; i < text.size; i++) {
		uint8_t c = text.data[i];

		if (c >= '0' && c <= '9')
			x = x << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			x = x << 4 | (uint32_t)(c - 'a' + 10);
		else
			return ERR_DECODE;
	}
	*ret = x;
	return ERR_OK;
}

enum err vkey_parse(struct bytes text, struct vkey *ret)
{
	uint8_t key[ENCODED_BYTES_MAX];
	struct bytes name = {NULL, 0};
	struct bytes hex = {NULL, 0};
	struct vkey k;
	uint32_t id = 0;
	size_t size = 0;
	enum err e = ERR_OK;

	if (encoding_cut(&text, '+', &name) || encoding_cut(&text, '+', &hex) ||
	    hex_number(hex, &id) || encoding_base64(text, key, sizeof(key), &size) || size == 0)
		return ERR_DECODE;
	if (!known_type(key[0]))
		return ERR_VERSION;
	if (size != ENCODED_BYTES)
		return ERR_DECODE;
	e = make(name, key[0], key + 1, &k);
	if (e)
		return e == ERR_INVALID ? ERR_DECODE : e;
	if (k.id != id)
		return ERR_SIGNATURE;
	*ret = k;
	return ERR_OK;
}

void vkey_text(const struct vkey *k, char text[static VKEY_BYTES])
{
	uint8_t raw[ENCODED_BYTES];
	char encoded[sodium_base64_ENCODED_LEN(ENCODED_BYTES, sodium_base64_VARIANT_ORIGINAL)];

	raw[0] = k->type;
	memcpy(raw + 1, k->public, SIGN_PUBLIC_BYTES);
	(void)sodium_bin2base64(encoded, sizeof(encoded), raw, sizeof(raw),
				sodium_base64_VARIANT_ORIGINAL);
	(void)snprintf(text, VKEY_BYTES, "%s+%08x+%s", k->name, k->id, encoded);
}
