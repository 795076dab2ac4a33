/* Records, changes and versions as the generated messages, for the codecs that share them.
 *
 * Layer: model, of use inside it only. */
#ifndef SPLOT_MODEL_MESSAGE_H
#define SPLOT_MODEL_MESSAGE_H

#include <protobuf-c/protobuf-c.h>

#include "event.pb-c.h"
#include "model/event.h"
#include "view.pb-c.h"

/* A record is its message: the same memory. */
const ProtobufCMessage *record_message(const struct record *r);
const struct record *record_of_message(const ProtobufCMessage *message);

/* Fills *ret for packing; it borrows from the change.  `retired` is room for the message of
 * a retired record. */
void change_to_message(const struct change *c, Splot__Retired *retired, Splot__Change *ret);
/* LIMIT for an id that is too long. */
MUST_USE enum err change_of_message(const Splot__Change *m, struct change *ret);

/* A message for packing, in the arena; it borrows from the version.  NULL without memory. */
Splot__Version *version_to_message(const struct version *v, struct arena *arena);
MUST_USE enum err version_of_message(const Splot__Version *m, struct version *ret);

#endif
