/* What was witnessed, beside the keys as well: KEYS.witnessed.  A witness that forgot, because its
 * store was lost or put back from an older copy, could be led to cosign another history than the
 * one it cosigned before.  The file is written before the store, and the store before a
 * cosignature leaves; at the start whichever of both is newer counts.
 *
 * The file: each note behind its size in bytes, a line of decimal digits. */
#include "node/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum {
	PATH_BYTES = 4096,
	SIZE_DIGITS_MAX = 5,
	FILE_BYTES_MAX = 64 * NOTE_BYTES_MAX,
	WITNESSED_ROWS_MAX =
		64, /* as many notes as the file may hold; one has a few hundred bytes */
};

static void path_of(const struct node *n, char path[static PATH_BYTES])
{
	(void)snprintf(path, PATH_BYTES, "%s.witnessed", n->settings.keys);
}

/* ---- writing ---- */

static void add_note(struct buf *file, struct bytes note)
{
	buf_printf(file, "%zu\n", note.size);
	buf_add_bytes(file, note);
}

/* All notes of the store but that of `origin`. */
static enum err add_others(struct node *n, struct bytes origin, struct buf *file)
{
	struct txn *read = NULL;
	struct scan *scan = NULL;
	struct bytes key, note;
	enum err e = txn_begin(n->store, false, &read);

	if (e == ERR_OK)
		e = scan_open(read, n->witnessed, &scan);
	if (e == ERR_OK)
		e = scan_next(scan, &key, &note);
	while (e == ERR_OK) {
		if (!bytes_equal(key, origin))
			add_note(file, note);
		e = scan_next(scan, &key, &note);
	}
	scan_close(scan);
	txn_abort(read);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err witnessed_write_down(struct node *n, const char *origin, struct bytes note)
{
	char path[PATH_BYTES];
	struct buf file = {.limit = FILE_BYTES_MAX};
	enum err e = add_others(n, bytes_of_text(origin), &file);

	path_of(n, path);
	add_note(&file, note);
	if (e == ERR_OK)
		e = buf_check(&file);
	if (e == ERR_OK)
		e = file_replace(path, 0600, buf_bytes(&file));
	buf_free(&file);
	if (e != ERR_OK)
		log_line(LOG_ERROR,
			 "log %s: what is witnessed cannot be written to %s: %s; nothing is "
			 "cosigned; "
			 "look at that folder",
			 n->log.name.text, path, err_text(e));
	return e;
}

/* ---- at the start ---- */

static enum err take_note(struct bytes *rest, struct bytes *ret)
{
	const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
	size_t digits = end ? (size_t)(end - rest->data) : 0;
	size_t size = 0;

	if (digits == 0 || digits > SIZE_DIGITS_MAX)
		return ERR_DECODE;
	for (size_t i = 0; i < digits; i++) {
		if (rest->data[i] < '0' || rest->data[i] > '9')
			return ERR_DECODE;
		size = size * 10 + (size_t)(rest->data[i] - '0');
	}
	*rest = bytes_of(end + 1, rest->size - digits - 1);
	if (size == 0 || size > rest->size)
		return ERR_DECODE;
	*ret = bytes_of(rest->data, size);
	*rest = bytes_of(rest->data + size, rest->size - size);
	return ERR_OK;
}

/* The key that this node knows that log by: a card may have come that names another one, which
 * follow.c says. */
static enum err key_of(const struct node *n, struct txn *t, const struct vkey *card,
		       struct vkey *ret)
{
	struct bytes text = {NULL, 0};
	enum err e = txn_get(t, n->cards, bytes_of_text(card->name), &text);

	*ret = *card;
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	return e == ERR_OK ? vkey_parse(text, ret) : e;
}

/* A note that its server did not sign so was damaged: gone by, it would accuse that server. */
static enum err check_signed(const struct node *n, struct txn *t, struct bytes note,
			     const struct checkpoint *c)
{
	struct checkpoint same;
	struct vkey key;
	enum err e = ERR_OK;

	for (size_t i = 0; i < n->settings.server_count && e == ERR_OK; i++) {
		const struct vkey *card = &n->settings.servers[i].card.log_key;

		if (strcmp(card->name, c->origin) != 0)
			continue;
		e = key_of(n, t, card, &key);
		if (e == ERR_OK)
			e = checkpoint_open(note, &key, &same);
	}
	return e;
}

/* Into the store, unless that knows as much. */
static enum err take_over(struct node *n, struct txn *write, struct bytes note)
{
	struct bytes stored = {NULL, 0};
	struct checkpoint before = {.size = 0};
	struct checkpoint c;
	enum err e = log_note_read(note, &c);

	if (e != ERR_OK)
		return ERR_DECODE;
	e = check_signed(n, write, note, &c);
	if (e != ERR_OK)
		return e;
	e = txn_get(write, n->witnessed, bytes_of_text(c.origin), &stored);
	if (e == ERR_OK)
		e = log_note_read(stored, &before) == ERR_OK ? ERR_OK : ERR_CORRUPT;
	if (e == ERR_OK && before.size >= c.size)
		return ERR_OK;
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	log_line(LOG_NOTICE,
		 "log %s: the store has forgotten that %s was witnessed at size %" PRIu64
		 "; known from the file beside the keys",
		 n->log.name.text, c.origin, c.size);
	return txn_put(write, n->witnessed, bytes_of_text(c.origin), note);
}

static enum err take_all(struct node *n, struct bytes rest)
{
	struct txn *write = NULL;
	enum err e = txn_begin(n->store, true, &write);

	while (e == ERR_OK && rest.size > 0) {
		struct bytes note = {NULL, 0};

		e = take_note(&rest, &note);
		if (e == ERR_OK)
			e = take_over(n, write, note);
	}
	if (e == ERR_OK) {
		e = txn_commit(write);
		write = NULL;
	}
	txn_abort(write);
	return e;
}

/* The disk, the memory or a right that is missing is at fault, and not what is written there. */
static bool is_of_the_machine(enum err e)
{
	return e == ERR_IO || e == ERR_SYNC || e == ERR_DISK_FULL || e == ERR_MAP_FULL ||
	       e == ERR_NOMEM || e == ERR_DESCRIPTORS || e == ERR_DENIED;
}

enum err witnessed_recall(struct node *n)
{
	static const char damaged[] =
		"; are the servers' cards in the configuration the right ones? Else the file is "
		"damaged: put a copy back, or, last of all, remove it: then the store alone says "
		"what was cosigned";
	char path[PATH_BYTES];
	struct buf file = {.limit = FILE_BYTES_MAX};
	enum err e = ERR_OK;

	path_of(n, path);
	if (file_exists(path))
		e = file_read(path, FILE_BYTES_MAX, &file);
	if (e == ERR_OK && file.size > 0)
		e = take_all(n, buf_bytes(&file));
	while (e != ERR_OK && batch_grow(n, e) == ERR_OK)
		e = take_all(n, buf_bytes(&file));
	buf_free(&file);
	if (e != ERR_OK)
		log_line(LOG_ERROR, "log %s: what was witnessed cannot be taken from %s: %s%s",
			 n->log.name.text, path, err_text(e), is_of_the_machine(e) ? "" : damaged);
	return e;
}

/* ---- WITNESSED ---- */

/* A server as the configuration or its own card calls it. */
static bool is_named(const struct node *n, const char *name, const struct origin_parts *of)
{
	if (!name || !*name || strcmp(of->server, name) == 0)
		return true;
	for (size_t i = 0; i < n->settings.server_count; i++) {
		const struct server_setting *s = &n->settings.servers[i];

		if (strcmp(s->name, name) == 0 && strcmp(s->card.server_name, of->server) == 0)
			return true;
	}
	return false;
}

static bool is_followed(const struct node *n, const struct origin_parts *of)
{
	for (size_t i = 0; i < n->settings.server_count; i++)
		if (strcmp(n->settings.servers[i].card.server_name, of->server) == 0 &&
		    n->links[i].followed == of->generation)
			return true;
	return false;
}

/* What does not fit is left out: a reply has room for several notes of any size. */
static enum err read_rows(struct node *n, struct txn *read, const char *name,
			  struct witnessed_row *rows, size_t *ret_count)
{
	struct scan *scan = NULL;
	struct bytes key, note;
	enum err e = scan_open(read, n->witnessed, &scan);

	*ret_count = 0;
	if (e == ERR_OK)
		e = scan_next(scan, &key, &note);
	while (e == ERR_OK && *ret_count < WITNESSED_ROWS_MAX) {
		struct witnessed_row *row = &rows[*ret_count];
		struct origin_parts of;

		if (origin_parse(key, &of) == ERR_OK && is_named(n, name, &of)) {
			*row = (struct witnessed_row){
				.server = arena_text(&n->arena, bytes_of_text(of.server)),
				.origin = arena_text(&n->arena, key),
				.note = note,
				.followed = is_followed(n, &of),
			};
			if (!row->server || !row->origin)
				e = ERR_NOMEM;
			++*ret_count;
		}
		if (e == ERR_OK)
			e = scan_next(scan, &key, &note);
	}
	scan_close(scan);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

void query_witnessed(struct node *n, struct open_call *call)
{
	struct control_reply reply = answer_plain(ERR_OK, "");
	struct witnessed_row rows[WITNESSED_ROWS_MAX];
	struct txn *read = NULL;
	enum err e = txn_begin(n->store, false, &read);

	arena_reset(&n->arena);
	if (e == ERR_OK)
		e = read_rows(n, read, call->request.name, rows, &reply.witnessed_count);
	if (e != ERR_OK)
		reply = answer_plain(e, err_text(e));
	reply.witnessed = rows;
	reply.size = n->log.tree.size;
	call_reply(n, call, &reply);
	txn_abort(read);
}
