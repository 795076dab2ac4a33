/* An item of `splotctl log` as text for people, or as one line of JSON. */
#ifndef SPLOT_ADMIN_LOG_PRINT_H
#define SPLOT_ADMIN_LOG_PRINT_H

#include "admin/log/walk.h"

void log_item_print(const struct log_item *item, struct buf *out);
void log_item_json(const struct log_item *item, struct buf *out);

#endif
