/* A real store without a name: its files are removed as soon as it is open. */
#ifndef SPLOT_TESTS_FUZZ_STORE_INPUT_H
#define SPLOT_TESTS_FUZZ_STORE_INPUT_H

#include "fuzz.h"

#include <dirent.h>
#include <unistd.h>

#include "io/store.h"

enum { STORE_INPUT_MAP_BYTES = 64 * 1024 * 1024 };

static inline void store_input_remove(const char *folder)
{
	DIR *d = opendir(folder);
	const struct dirent *entry = NULL;

	while (d && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	if (d)
		(void)closedir(d);
	(void)rmdir(folder);
}

static inline struct store *store_input(void)
{
	struct store_options options = {.mode = STORE_UNSYNCED, .map_bytes = STORE_INPUT_MAP_BYTES};
	struct store *s = NULL;
	char folder[64];

	(void)snprintf(folder, sizeof folder, "%s/splot-fuzz-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	ALWAYS(mkdtemp(folder));
	ALWAYS(store_open(folder, &options, &s) == ERR_OK);
	store_input_remove(folder);
	return s;
}

#endif
