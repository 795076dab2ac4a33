#include "tlog/succession.h"

#include <string.h>

size_t succession_at(const struct succession *s, uint64_t size)
{
	size_t i = 0;

	while (i + 1 < s->count && size > s->ends[i])
		i++;
	return i;
}

/* Whether a rotation ends there, whose checkpoint the next key signs as well. */
static bool ends_at(const struct succession *s, uint64_t size)
{
	size_t i = succession_at(s, size);

	return i + 1 < s->count && s->ends[i] == size;
}

static enum err check_signed(const struct succession *s, uint64_t size, struct bytes note)
{
	size_t i = succession_at(s, size);
	struct checkpoint c;
	enum err e = checkpoint_open(note, &s->keys[i], &c);

	if (!e && c.size != size)
		e = ERR_CORRUPT;
	if (!e && ends_at(s, size))
		e = checkpoint_open(note, &s->keys[i + 1], &c);
	return e;
}

enum err succession_check(const struct succession *s, uint64_t size, struct bytes note)
{
	struct note parsed;
	enum err e = check_signed(s, size, note);

	if (e || s->count == 1)
		return e;
	e = note_parse(note, &parsed);
	return e ? e : note_verify_all(&parsed, s->keys, s->count);
}

enum err succession_keep(const struct succession *s, struct bytes note, const struct vkey *next,
			 struct buf *ret)
{
	struct vkey keys[LOG_KEYS_MAX + 1];
	struct note parsed;
	size_t count = s->count;
	enum err e = note_parse(note, &parsed);

	memcpy(keys, s->keys, count * sizeof(*keys));
	if (next)
		keys[count++] = *next;
	return e ? e : note_keep(&parsed, keys, count, ret);
}

enum err succession_introduce(const struct succession *s, uint64_t size, const struct signer *last,
			      struct buf *ret)
{
	if (!ends_at(s, size) || succession_at(s, size) + 2 != s->count)
		return ERR_OK;
	return note_sign_once(last, ret);
}

enum err succession_mend(const struct succession *s, uint64_t size, struct bytes note,
			 const struct signer *last, struct buf *ret)
{
	enum err e = succession_keep(s, note, NULL, ret);

	if (!e)
		e = succession_introduce(s, size, last, ret);
	if (!e)
		e = check_signed(s, size, buf_bytes(ret));
	if (!e)
		return ERR_OK;
	buf_clear(ret);
	return e == ERR_NOMEM ? e : ERR_NOT_FOUND;
}
