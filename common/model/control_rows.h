/* Rows of a reply of the control socket, each to its message and back.  Only control.c needs them.
 *
 * Layer: model, of use inside it only. */
#ifndef SPLOT_MODEL_CONTROL_ROWS_H
#define SPLOT_MODEL_CONTROL_ROWS_H

#include <protobuf-c/protobuf-c.h>

#include "model/control.h"

struct row_codec {
	const ProtobufCMessageDescriptor *type;
	size_t row_bytes;
	bool (*to)(const void *row, ProtobufCMessage *message, struct arena *arena);
	enum err (*from)(const ProtobufCMessage *message, void *row);
};

extern const struct row_codec problem_rows, version_rows, count_rows, peer_rows, refusal_rows,
	trust_rows, stored_rows, evidence_rows, witness_rows, witnessed_rows, histogram_rows;

/* An array of pointers to messages made of the rows; NULL without memory. */
void *rows_to(const struct row_codec *codec, const void *rows, size_t count, struct arena *arena);
/* Back: `ret_rows` is where the pointer to the rows is written. */
MUST_USE enum err rows_from(const struct row_codec *codec, void *messages, size_t count,
			    struct arena *arena, void *ret_rows);

#endif
