/* What the API says of the register's schema, by the tables that the register itself goes by.
 *
 * Inside the api layer. */
#ifndef SPLOT_API_DESCRIBE_H
#define SPLOT_API_DESCRIBE_H

#include "model/json.h"
#include "model/record.h"

/* openapi.json, embedded.  A text in it that begins with "@" stands for something that is made here
 * from the tables: see openapi.c. */
extern const uint8_t openapi_template[];
extern const size_t openapi_template_size;

/* "enum", "date", …: as /columns names the types. */
const char *field_type_name(enum field_type type);
/* Types of columns, counted from 0; NULL past the last. */
const char *field_type_at(size_t i);

#endif
