/* An input as a file, for what reads files: one in memory, at a path that stays the same. */
#ifndef SPLOT_TESTS_FUZZ_FILE_INPUT_H
#define SPLOT_TESTS_FUZZ_FILE_INPUT_H

#include "fuzz.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* `number`: of the descriptor, 100 and up, so that texts may name the file. */
static inline const char *file_input(int number, struct bytes content)
{
	static char path[32];

	if (lseek(number, 0, SEEK_SET) != 0) { /* not open yet */
		int fd = memfd_create("input", MFD_CLOEXEC);

		ALWAYS(fd >= 0 && dup2(fd, number) == number && close(fd) == 0);
		ALWAYS(fchmod(number, 0600) == 0);
	}
	ALWAYS(ftruncate(number, 0) == 0);
	ALWAYS(pwrite(number, content.data, content.size, 0) == (ssize_t)content.size);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", number);
	return path;
}

#endif
