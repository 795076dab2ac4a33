/* What a request says, taken apart, and the problems that it may be answered with.
 *
 * Inside the api layer. */
#ifndef SPLOT_API_REQUEST_H
#define SPLOT_API_REQUEST_H

#include "api/api.h"
#include "model/json.h"

#define API_ROOT "/api/v1"

enum {
	NUMBER_DIGITS_MAX = 18, /* of a number in a request: below 2^63 */
};

/* Segment `n` of the path below API_ROOT ("/regions/26": 0 "regions", 1 "26"); {NULL, 0} for none.
 */
struct bytes request_segment(const struct api_request *rq, size_t n);
/* The same as a text in the arena; NULL without memory or without a segment. */
const char *request_segment_text(const struct api_context *x, const struct api_request *rq,
				 size_t n);

/* Whether it asks something that as_of is known for. */
bool request_has_past(const struct api_request *rq);

/* Digits alone, at least one. */
bool number_parse(struct bytes text, uint64_t *ret);

/* What the header Accept ("" or NULL: anything) likes best of the media types given; the first of
 * equals, -1 for none. */
int accept_choose(const char *accept, const char *const *types, size_t count);

/* Appends a text as a part of a URL's path or query: percent-encoded but for unreserved characters.
 */
void url_add(struct buf *out, const char *text);
/* A log in a path: "26/2" is "26-2". */
void url_add_log(struct buf *out, struct log_name log);

/* "next": this question with the parameter `name` as given (NULL: null, there is no more), as path
 * and query. */
void write_next(struct json *j, const struct api_request *rq, const char *name, const char *value);

/* A parameter in digits, from 1 to `most`; `usual` when it is not given.  False: it is none. */
bool request_number(const struct api_request *rq, const char *name, uint64_t usual, uint64_t most,
		    uint64_t *ret);
/* "12-3-0": so many numbers, with - between them. */
bool numbers_parse(const char *text, uint64_t *ret, size_t count);

/* 400, 404 with a formatted detail. */
MUST_USE enum err problem_invalid(struct api_answer *ret, const char *next, const char *detail, ...)
	__attribute__((format(printf, 3, 4)));
MUST_USE enum err problem_missing(struct api_answer *ret, const char *next, const char *detail, ...)
	__attribute__((format(printf, 3, 4)));
/* What a store that fails is answered with; NOMEM is returned. */
MUST_USE enum err problem_of(struct api_answer *ret, enum err e);

#endif
