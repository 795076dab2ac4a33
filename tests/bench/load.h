/* What the parts of splot-load share. */
#ifndef SPLOT_TESTS_BENCH_LOAD_H
#define SPLOT_TESTS_BENCH_LOAD_H

#include "base/bytes.h"
#include "base/error.h"

enum { FORMS_MAX = 32 /* logs */ };

_Noreturn void fail(const char *what, const char *detail);
void must(enum err e, const char *what);

extern unsigned form_changes; /* of each edit, about 400 bytes a record */
extern uint64_t form_salt;    /* apart from the ids of other runs */

/* Id of record `i` of that edit. */
void form_id(char id[static 64], const char *log, uint64_t number, unsigned i);
/* The request that is edit `number` of this log, with its length in front; borrowed until the next
 * call for that log. */
struct bytes form_request(const char *log, uint64_t number);

#endif
