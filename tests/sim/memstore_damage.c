/* Damage at rest: rows that are not what was written. */
#include <stdlib.h>
#include <string.h>

#include "memstore_parts.h"

static bool ends_with(const char *name, const char *end)
{
	size_t a = strlen(name);
	size_t b = strlen(end);

	return a >= b && strcmp(name + a - b, end) == 0;
}

/* The row with that number of the tables that fit, counted round. */
static struct entry *row_at(struct disk *d, const char *table, uint64_t number, const char **ret)
{
	uint64_t rows = 0;

	for (size_t i = 0; i < d->table_count; i++)
		rows += ends_with(d->tables[i].name, table) ? d->tables[i].count : 0;
	if (rows == 0)
		return NULL;
	number %= rows;
	for (size_t i = 0; i < d->table_count; i++) {
		struct mem_table *t = &d->tables[i];

		if (!ends_with(t->name, table))
			continue;
		if (number < t->count) {
			*ret = t->name;
			return t->entries[number];
		}
		number -= t->count;
	}
	return NULL;
}

static void flip(const struct disk *d)
{
	uint8_t *byte = &d->damaged->data[d->damaged_at];

	*byte = (uint8_t)(*byte ^ d->damaged_bit);
}

const char *memstore_damage(const char *disk, const char *table, uint64_t chance, bool summed)
{
	struct disk *d = mem_disk(disk);
	const char *name = NULL;
	struct entry *e = d && !d->damaged ? row_at(d, table, chance >> 16, &name) : NULL;

	if (!e || !e->committed || e->committed->size == 0 || e->touched)
		return NULL;
	d->damaged = e->committed;
	d->damaged_at = chance % e->committed->size;
	d->damaged_bit = (uint8_t)(summed ? 0 : 1 << (chance >> 8) % 8);
	flip(d);
	e->committed->bad = summed;
	return name;
}

bool memstore_is_damaged(const char *disk)
{
	const struct disk *d = mem_disk(disk);

	return d && d->damaged;
}

void memstore_mend(const char *disk)
{
	struct disk *d = mem_disk(disk);

	if (!d || !d->damaged)
		return;
	flip(d);
	d->damaged->bad = false;
	d->damaged = NULL;
}

/* Every third row or so. */
void memstore_fall(const char *disk, uint64_t chance)
{
	struct disk *d = mem_disk(disk);

	for (size_t i = 0; d && i < d->table_count; i++) {
		for (size_t j = 0; j < d->tables[i].count; j++) {
			struct value *v = d->tables[i].entries[j]->committed;

			chance = chance * 0x5851f42d4c957f2dU + 0x14057b7ef767814fU;
			if (v && v->size && chance >> 62 == 0)
				v->data[(chance >> 32) % v->size] = (uint8_t)(chance >> 24);
		}
	}
}
