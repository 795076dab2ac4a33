/* The table of rules, indexed by kind - RECORD_KIND_FIRST.  Read it through kind_of(),
 * which first makes sure that it agrees with the descriptors.
 *
 * Layer: model, of use inside it only. */
#ifndef SPLOT_MODEL_RULES_H
#define SPLOT_MODEL_RULES_H

#include "model/record.h"

enum { RULES_COUNT = RECORD_KIND_LAST - RECORD_KIND_FIRST + 1 };

extern const struct kind rules[RULES_COUNT];

#endif
