/* A node's store set aside, so that the node begins with an empty one and fetches its log back. */
#ifndef SPLOT_ADMIN_ACTS_ASIDE_H
#define SPLOT_ADMIN_ACTS_ASIDE_H

#include "admin/cli.h"

/* Moves the store of the stopped node that --config names, and its keys' mark, to a new folder
 * beside it, and says where.  Told. */
enum outcome aside(struct cli *cli);

#endif
