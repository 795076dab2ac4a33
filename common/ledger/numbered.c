#include "ledger/numbered.h"

#include "ledger/keys.h"

enum err numbered_last(struct txn *t, struct table table, uint64_t most, uint64_t *ret_number,
		       struct bytes *ret_value)
{
	uint8_t wanted[INDEX_KEY_BYTES];
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	enum err e = scan_open(t, table, &scan);

	if (e != ERR_OK)
		return e;
	u64_write(wanted, most);
	e = scan_seek(scan, bytes_of(wanted, sizeof wanted), &key, &value);
	if (e == ERR_NOT_FOUND)
		e = scan_last(scan, &key, &value);
	else if (e == ERR_OK && !bytes_equal(key, bytes_of(wanted, sizeof wanted)))
		e = scan_prev(scan, &key, &value);
	if (e == ERR_OK && key.size != INDEX_KEY_BYTES)
		e = ERR_CORRUPT;
	if (e == ERR_OK) {
		*ret_number = u64_read(key.data);
		*ret_value = value;
	}
	scan_close(scan);
	return e;
}
