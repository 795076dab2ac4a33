#include "admin/snapshot.h"

#include <stdlib.h>
#include <string.h>

void snapshot_free(struct snapshot *s)
{
	free(s->rows);
	*s = (struct snapshot){0};
}

const struct version *snapshot_find(const struct snapshot *s, const char *id)
{
	size_t low = 0;
	size_t high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(s->rows[middle].change.id, id);

		if (order == 0)
			return &s->rows[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
