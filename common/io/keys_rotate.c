/* The next keys beside those in use, and the file that follows once they are.  Each step is one
 * file replaced or removed, so that a kill leaves a state that the same step goes on from. */
#include "io/keys_internal.h"

#include <stdio.h>
#include <string.h>

#include "io/files.h"

void keys_next_path(const char *path, char ret[static KEYS_PATH_BYTES])
{
	(void)snprintf(ret, KEYS_PATH_BYTES, "%s.next", path);
}

enum err keys_generate_next(const char *path, char *why)
{
	char next[KEYS_PATH_BYTES];
	struct keys k = {0};
	enum err err = keys_load(path, &k, why);

	if (err != ERR_OK)
		return err;
	keys_next_path(path, next);
	if (k.kind != KEYS_NODE)
		err = keys_refuse(why, ERR_ARGUMENT,
				  "%s: these are a server's keys; only a node's are rotated", path);
	else
		err = keys_draw(next, &k, k.curve_secret);
	if (err == ERR_EXISTS)
		(void)keys_refuse(
			why, err,
			"%s is there already: install it with splotctl rotate, or remove it", next);
	keys_free(&k);
	return err;
}

/* The file that follows `old` once `next` is in use, in one piece. */
static enum err install(const char *path, const struct keys *old, const struct keys *next,
			const char *old_vkey, uint64_t size, int64_t until_ms)
{
	struct keys k = *next;
	struct previous_key *last = &k.previous[old->previous_count];

	if (old->previous_count == KEYS_PREVIOUS_MAX || strlen(old_vkey) >= sizeof last->vkey)
		return ERR_LIMIT;
	memcpy(k.previous, old->previous, sizeof k.previous);
	(void)snprintf(last->vkey, sizeof last->vkey, "%s", old_vkey);
	last->size = size;
	k.previous_count = old->previous_count + 1;
	k.old_secret = until_ms > 0 ? old->log_secret : NULL;
	k.old_until_ms = until_ms;
	return keys_write(path, &k, file_replace);
}

enum err keys_install_next(const char *path, const char *old_vkey, uint64_t size, int64_t until_ms,
			   char *why)
{
	char next_path[KEYS_PATH_BYTES];
	struct keys old = {0};
	struct keys next = {0};
	enum err err = keys_load(path, &old, why);

	keys_next_path(path, next_path);
	if (err == ERR_OK)
		err = keys_load(next_path, &next, why);
	if (err == ERR_OK) {
		if (memcmp(old.log_public, next.log_public, sizeof old.log_public) != 0)
			err = install(path, &old, &next, old_vkey, size, until_ms);
		if (err == ERR_OK)
			err = file_remove(next_path);
		if (err != ERR_OK)
			(void)keys_refuse(why, err,
					  "%s: the next keys cannot be put in its place: %s", path,
					  err_text(err));
	}
	keys_free(&old);
	keys_free(&next);
	return err;
}

enum err keys_drop_installed(const char *path, const struct keys *installed)
{
	char next_path[KEYS_PATH_BYTES];
	struct keys next = {0};
	bool same = false;

	keys_next_path(path, next_path);
	if (keys_load(next_path, &next, NULL) != ERR_OK)
		return ERR_OK; /* none wait, or not such as could have been installed */
	same = memcmp(next.log_public, installed->log_public, sizeof next.log_public) == 0;
	keys_free(&next);
	return same ? file_remove(next_path) : ERR_OK;
}

enum err keys_move_end(const char *path, uint64_t size, char *why)
{
	struct keys k = {0};
	enum err err = keys_load(path, &k, why);

	/* Such a file would not be read again. */
	if (err == ERR_OK && k.previous_count > 1 && size <= k.previous[k.previous_count - 2].size)
		err = keys_refuse(why, ERR_ARGUMENT,
				  "%s: the key before began at that size or later", path);
	if (err == ERR_OK && k.previous_count > 0 &&
	    k.previous[k.previous_count - 1].size != size) {
		k.previous[k.previous_count - 1].size = size;
		err = keys_write(path, &k, file_replace);
		if (err != ERR_OK)
			(void)keys_refuse(why, err, "%s: cannot be written: %s", path,
					  err_text(err));
	}
	keys_free(&k);
	return err;
}

enum err keys_forget_old(const char *path, char *why)
{
	struct keys k = {0};
	enum err err = keys_load(path, &k, why);

	if (err == ERR_OK && k.old_secret) {
		struct keys without = k;

		without.old_secret = NULL;
		err = keys_write(path, &without, file_replace);
		if (err != ERR_OK)
			(void)keys_refuse(why, err, "%s: cannot be written without the old key: %s",
					  path, err_text(err));
	}
	keys_free(&k);
	return err;
}
