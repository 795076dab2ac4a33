/* What the tests of splotctl's parts share: cmocka, and bytes written plainly. */
#ifndef SPLOT_TESTS_ADMIN_H
#define SPLOT_TESTS_ADMIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/bytes.h"

#define assert_ok(e) assert_string_equal(err_code(e), "ok")

static inline struct bytes T(const char *text) {
	return bytes_of_text(text);
}

/* A generator for text: the seed is printed, SPLOT_SEED repeats it. */
static inline uint64_t
test_seed(void)
{
	const char *given = getenv("SPLOT_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	(void)printf("seed %llu (repeat with SPLOT_SEED)\n", (unsigned long long)seed);
	return seed;
}

static inline uint32_t test_random(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33) % below;
}

#endif
