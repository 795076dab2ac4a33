/* What every target shares.  A target is one file NAME.c with two functions: it runs one input, and
 * it makes seeds by the real encoders.  libFuzzer links it in the fuzz build; in every build
 * replay.c runs the seeds and the files of corpus/NAME.
 *
 * A target must not keep anything from one input to the next but what it made once. */
#ifndef SPLOT_TESTS_FUZZ_H
#define SPLOT_TESTS_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* One input; 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whoever takes the seeds. */
struct seeds {
	void (*take)(struct seeds *to, const char *name, struct bytes input);
};

/* Calls seed_add for each seed; names are file names. */
void fuzz_seeds(struct seeds *to);

static inline void seed_add(struct seeds *to, const char *name, struct bytes input)
{
	to->take(to, name, input.data ? input : bytes_of("", 0));
}

/* An oracle: the input that breaks it is a finding. */
#define ALWAYS(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fuzz_broken(__FILE__, __LINE__, #condition);                               \
	} while (0)

__attribute__((noreturn)) static inline void fuzz_broken(const char *file, int line,
							 const char *condition)
{
	(void)fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
	abort();
}

/* Whether the input goes on: a read past its end gives zeros and ends it. */
static inline bool fuzz_more(const struct cursor *in)
{
	return in->err == ERR_OK && cursor_left(in) > 0;
}

/* What is called for its sake alone: whatever it says. */
static inline void fuzz_any(enum err e)
{
	ALWAYS((unsigned)e < ERR_COUNT);
}

/* Encoders write to buffers: a failed one is no finding of this input. */
static inline struct bytes fuzz_done(const struct buf *b)
{
	ALWAYS(buf_check(b) == ERR_OK);
	return buf_bytes(b);
}

/* A copy with a NUL behind it that ends where its allocation ends, for what takes text: malloc'd.
 */
static inline char *fuzz_text(struct bytes x)
{
	char *text = malloc(x.size + 1);

	ALWAYS(text);
	if (x.size > 0)
		memcpy(text, x.data, x.size);
	text[x.size] = 0;
	return text;
}

/* A copy of a part of the input that ends where its allocation ends, so that reading past it is
 * seen: malloc'd. */
static inline struct bytes fuzz_copy(struct bytes x)
{
	uint8_t *data = malloc(x.size ? x.size : 1);

	ALWAYS(data);
	if (x.size > 0)
		memcpy(data, x.data, x.size);
	return bytes_of(data, x.size);
}

static inline void fuzz_free(struct bytes x)
{
	free((void *)(uintptr_t)x.data);
}

#endif
