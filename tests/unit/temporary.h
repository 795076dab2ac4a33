/* A folder of a test's own, gone with all that is in it when the test ends. */
#ifndef SPLOT_TESTS_TEMPORARY_H
#define SPLOT_TESTS_TEMPORARY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#define OK(call) assert_int_equal((call), ERR_OK)

enum { TEMPORARY_BYTES = 64 };

static inline int temporary_remove_one(const char *path, const struct stat *st, int type,
				       struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* `subject` shows in the folder's name. */
static inline void temporary_make(char folder[static TEMPORARY_BYTES], const char *subject)
{
	(void)snprintf(folder, TEMPORARY_BYTES, "/tmp/splot-%s-XXXXXX", subject);
	assert_non_null(mkdtemp(folder));
}

static inline void temporary_remove(const char *folder)
{
	assert_int_equal(nftw(folder, temporary_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
