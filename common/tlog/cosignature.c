#include "tlog/cosignature.h"

#include <inttypes.h>
#include <sodium.h>

#include "tlog/encoding.h"
#include "tlog/note_line.h"

static void add_message(struct buf *b, struct bytes text, uint64_t time_s)
{
	buf_printf(b, "cosignature/v1\ntime %" PRIu64 "\n", time_s);
	buf_add_bytes(b, text);
}

enum err cosignature_check(struct bytes text, struct bytes body,
			   const uint8_t public[static SIGN_PUBLIC_BYTES], uint64_t *ret_time_s)
{
	struct cursor c = cursor_of(body);
	uint64_t time_s = cursor_u64be(&c);
	struct bytes signature = cursor_bytes(&c, SIGNATURE_BYTES);
	struct buf message = {0};
	enum err e = ERR_OK;

	if (cursor_finish(&c) || time_s > INT64_MAX)
		return ERR_SIGNATURE;
	add_message(&message, text, time_s);
	e = buf_check(&message);
	if (!e && crypto_sign_verify_detached(signature.data, message.data, message.size, public))
		e = ERR_SIGNATURE;
	if (!e)
		*ret_time_s = time_s;
	buf_free(&message);
	return e;
}

enum err note_cosign(struct bytes text, uint64_t time_s, const struct signer *by, struct buf *ret)
{
	struct buf message = {0};
	struct buf body = {0};
	uint8_t *signature = NULL;
	enum err e = note_signable(text, by, KEY_COSIGNATURE);

	if (e)
		return e;
	if (time_s > INT64_MAX)
		return ERR_ARGUMENT;
	add_message(&message, text, time_s);
	buf_add_u64be(&body, time_s);
	signature = buf_extend(&body, SIGNATURE_BYTES);
	e = buf_check(&message);
	if (!e)
		e = buf_check(&body);
	if (!e && (!signature ||
		   crypto_sign_detached(signature, NULL, message.data, message.size, by->secret)))
		e = ERR_INTERNAL;
	if (!e)
		e = note_add_line(&by->key, buf_bytes(&body), ret);
	buf_free(&message);
	buf_free(&body);
	return e;
}

enum err note_cosigned_at(const struct note *n, const struct vkey *key, uint64_t *ret_time_s)
{
	uint64_t latest = 0;
	bool found = false;

	if (key->type != KEY_COSIGNATURE)
		return ERR_ARGUMENT;
	for (size_t i = 0; i < n->signature_count; i++) {
		const struct note_signature *s = &n->signatures[i];
		uint64_t time_s = 0;
		enum err e = ERR_OK;

		if (!note_line_is_by(s, key))
			continue;
		e = cosignature_check(n->text, bytes_of(s->body, s->body_size), key->public,
				      &time_s);
		if (e)
			return e;
		latest = time_s > latest ? time_s : latest;
		found = true;
	}
	if (!found)
		return ERR_UNKNOWN_KEY;
	*ret_time_s = latest;
	return ERR_OK;
}
