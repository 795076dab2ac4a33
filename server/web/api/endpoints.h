/* The API's endpoints: one function each.  What reaches them has a path of theirs and parameters
 * that api.c knows; `as_of` is resolved, so the context's catalog is the one that was asked for.
 *
 * Inside the api layer. */
#ifndef SPLOT_API_ENDPOINTS_H
#define SPLOT_API_ENDPOINTS_H

#include "api/api.h"

/* Fills `ret`, problems included; NOMEM alone is returned. */
typedef enum err endpoint(const struct api_context *x, const struct api_request *rq,
			  struct api_answer *ret);

/* sums */
MUST_USE endpoint endpoint_summary;
MUST_USE endpoint endpoint_regions;
MUST_USE endpoint endpoint_region; /* /regions/NN */
MUST_USE endpoint endpoint_conflicts;
MUST_USE endpoint endpoint_quality;
MUST_USE endpoint endpoint_coverage;
MUST_USE endpoint endpoint_status;

/* lists and records */
MUST_USE endpoint endpoint_index; /* /api/v1 */
MUST_USE endpoint endpoint_openapi;
MUST_USE endpoint endpoint_columns;
MUST_USE endpoint endpoint_site;
MUST_USE endpoint endpoint_list;    /* /entities, /operators, … with .json, .csv */
MUST_USE endpoint endpoint_record;  /* /records/ID */
MUST_USE endpoint endpoint_history; /* /records/ID/history */
MUST_USE endpoint endpoint_changes;
MUST_USE endpoint endpoint_proof; /* /logs/NN/proof/INDEX */

#endif
