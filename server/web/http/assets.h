/* The page's files, embedded: made by page/build.mjs as one C file that defines `assets`.
 *
 * Paths are what a browser asks for.  The shell is the one HTML document, in two languages:
 * "/index.pl.html" and "/index.en.html"; neither is asked for by that name, but answered for every
 * address of the page (http/pages.c).  A hashed file has its content's hash in its name, so it may
 * be kept for ever. */
#ifndef SPLOT_WEB_HTTP_ASSETS_H
#define SPLOT_WEB_HTTP_ASSETS_H

#include <stdbool.h>
#include <stddef.h>

struct asset {
	const char *path; /* "/app-3f2a91bc.js"; NULL ends the table */
	const char *type; /* "text/javascript; charset=utf-8" */
	bool hashed;
	const unsigned char *identity;
	size_t identity_size;
	const unsigned char *gzip; /* NULL: not worth it */
	size_t gzip_size;
	const unsigned char *brotli; /* NULL: none */
	size_t brotli_size;
};

extern const struct asset assets[];

#endif
