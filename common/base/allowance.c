#include "base/allowance.h"

enum { MILLI = 1000 };

bool allowance_take(struct allowance *a, uint64_t per_s, uint64_t burst, uint64_t amount,
		    struct wall_ms now)
{
	uint64_t passed_ms = 0;
	uint64_t forgotten = 0;
	uint64_t more = 0;
	uint64_t most = 0;

	if (now.ms > a->at.ms && __builtin_sub_overflow(now.ms, a->at.ms, &passed_ms))
		passed_ms = INT64_MAX;
	a->at = now;
	/* So many per second are as many thousandths in a millisecond. */
	if (__builtin_mul_overflow(passed_ms, per_s, &forgotten) || forgotten > a->used_milli)
		forgotten = a->used_milli;
	a->used_milli -= forgotten;
	if (__builtin_mul_overflow(amount, MILLI, &more) ||
	    __builtin_mul_overflow(burst, MILLI, &most) ||
	    __builtin_add_overflow(a->used_milli, more, &more) || more > most)
		return false;
	a->used_milli = more;
	return true;
}
