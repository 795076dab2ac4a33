/* The exported logs as static files: only names that an export has, and no link is followed. */
#ifndef SPLOT_WEB_HTTP_FILES_H
#define SPLOT_WEB_HTTP_FILES_H

#include <stdbool.h>

#include "http/door.h"

struct files {
	int folder_fd; /* -1: no folder */
};

enum file_name { FILE_NONE, FILE_CHANGES, FILE_SETTLED };

/* Whether `name` ("26/tile/0/x001/234", "policy") may be a file of an export; one that is there is
 * written anew from time to time, or for ever as it is.  Pure. */
enum file_name file_name_kind(const char *name);

/* A folder that is missing is opened later. */
void files_open(struct files *f, const char *folder);
void files_close(struct files *f);
/* NOT_FOUND, also for what is no file or larger than any of an export; IO when it cannot be read;
 * NOMEM. */
MUST_USE enum err files_page(const struct files *f, struct door *d, const char *name,
			     struct page **ret);

#endif
