/* Changes rows of a store behind the back of its daemon, as somebody with the disk in hand would.
 *
 *     splot-tamper FOLDER TABLE keys               keys in order, in hex, one a line
 *     splot-tamper FOLDER TABLE get KEY            the value, in hex
 *     splot-tamper FOLDER TABLE put KEY VALUE
 *     splot-tamper FOLDER TABLE delete KEY
 *
 * Keys and values in hex. */
#include <stdio.h>
#include <string.h>

#include "io/store.h"

enum { MISUSED = 2 };

static enum err from_hex(const char *text, struct buf *ret)
{
	for (; *text; text += 2) {
		unsigned byte = 0;

		if (strlen(text) < 2 || sscanf(text, "%2x", &byte) != 1)
			return ERR_ARGUMENT;
		buf_add_u8(ret, (uint8_t)byte);
	}
	return buf_check(ret);
}

static void print_hex(struct bytes x)
{
	for (size_t i = 0; i < x.size; i++)
		printf("%02x", x.data[i]);
	printf("\n");
}

static enum err print_keys(struct txn *t, struct table table)
{
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	enum err e = scan_open(t, table, &scan);

	if (e != ERR_OK)
		return e;
	while ((e = scan_next(scan, &key, &value)) == ERR_OK)
		print_hex(key);
	scan_close(scan);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err do_it(struct txn *t, struct table table, const char *verb, struct bytes key,
		      struct bytes value)
{
	enum err e = ERR_ARGUMENT;

	if (strcmp(verb, "keys") == 0)
		e = print_keys(t, table);
	else if (strcmp(verb, "put") == 0)
		e = txn_put(t, table, key, value);
	else if (strcmp(verb, "delete") == 0)
		e = txn_delete(t, table, key);
	else if (strcmp(verb, "get") == 0)
		e = txn_get(t, table, key, &value);
	if (e == ERR_OK && strcmp(verb, "get") == 0)
		print_hex(value);
	return e;
}

static enum err run(struct store *s, int argc, char **argv)
{
	struct buf key = {.data = NULL};
	struct buf value = {.data = NULL};
	struct txn *t = NULL;
	struct table table;
	enum err e = store_table(s, argv[2], false, &table);

	if (e == ERR_OK)
		e = from_hex(argc > 4 ? argv[4] : "", &key);
	if (e == ERR_OK)
		e = from_hex(argc > 5 ? argv[5] : "", &value);
	if (e == ERR_OK)
		e = txn_begin(s, true, &t);
	if (e == ERR_OK) {
		e = do_it(t, table, argv[3], buf_bytes(&key), buf_bytes(&value));
		if (e == ERR_OK)
			e = txn_commit(t);
		else
			txn_abort(t);
	}
	buf_free(&key);
	buf_free(&value);
	return e;
}

int main(int argc, char **argv)
{
	struct store_options options = {.mode = STORE_SYNCED};
	struct store *s = NULL;
	enum err e = ERR_OK;

	if (argc < 4 || argc > 6)
		return MISUSED;
	e = store_open(argv[1], &options, &s);
	if (e == ERR_OK)
		e = run(s, argc, argv);
	store_close(s);
	if (e != ERR_OK)
		(void)fprintf(stderr, "splot-tamper: %s: %s\n", argv[1], err_text(e));
	return e == ERR_OK ? 0 : 1;
}
