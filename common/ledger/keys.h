/* Keys of the ledger's tables, built without allocating.
 *
 * Inside the ledger only. */
#ifndef SPLOT_LEDGER_KEYS_H
#define SPLOT_LEDGER_KEYS_H

#include "base/bytes.h"
#include "model/record.h"

enum {
	KEY_BYTES_MAX = 511, /* LMDB's bound; three texts and a tag stay below it */
	INDEX_KEY_BYTES = 8,
	TILE_KEY_BYTES = 9,
	CHANGE_KEY_BYTES = 20,
};

struct key {
	size_t size;
	uint8_t data[KEY_BYTES_MAX];
};

/* Big-endian, so that the order of keys is the order of numbers. */
void u64_write(uint8_t to[static INDEX_KEY_BYTES], uint64_t x);
uint64_t u64_read(const uint8_t from[static INDEX_KEY_BYTES]);

struct bytes key_bytes(const struct key *k);
void key_add_u8(struct key *k, uint8_t x);
void key_add_u32(struct key *k, uint32_t x);
void key_add_u64(struct key *k, uint64_t x);
/* A text of any length: one over ID_BYTES_MAX becomes "sha256:" and its hash in hex, so
 * that whatever a record says has a place in a key. */
void key_add_text(struct key *k, const char *text);

/* records: kind ‖ id */
void key_record(struct key *k, enum record_kind kind, const char *id);
/* versions: kind ‖ id ‖ 0 ‖ position ‖ index; all of a record begin with key_versions. */
void key_versions(struct key *k, enum record_kind kind, const char *id);
/* changes: position ‖ index ‖ number, 4 bytes */
void key_change(struct key *k, uint64_t position, uint64_t index, uint32_t number);
/* counts: metric 0 region 0 kind 0 key */
void key_count(struct key *k, const char *metric, const char *region, const char *kind,
	       const char *key);

#endif
