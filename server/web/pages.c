/* The embedded page: its files by their paths, and its one document for every address that the page
 * itself knows. */
#include <string.h>

#include "http/assets.h"
#include "server/web/web.h"

static const char document_pl[] = "/index.pl.html";
static const char document_en[] = "/index.en.html";

/* ---- addresses of the page ---- */

/* What stands behind "/", or behind "/en/".  A star stands for one segment. */
static const char *const addresses[] = {
	"",          "region/*", "entities", "entity/*", "record/*",      "networks",
	"network/*", "changes",  "quality",  "trust",    "accessibility",
};

static bool fits(const char *path, const char *address)
{
	const char *star = strchr(address, '*');
	size_t size = star ? (size_t)(star - address) : strlen(address);

	if (!star)
		return strcmp(path, address) == 0;
	return strncmp(path, address, size) == 0 && path[size] && !strchr(path + size, '/');
}

static bool is_english(const char *path)
{
	return strcmp(path, "/en") == 0 || strncmp(path, "/en/", 4) == 0;
}

static bool is_address(const char *path)
{
	const char *behind = path + 1;

	if (is_english(path))
		behind = path[3] ? path + 4 : path + 3;
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
		if (fits(behind, addresses[i]))
			return true;
	return false;
}

/* ---- pages ---- */

static enum err make_page(struct web *w, const struct asset *a, unsigned status, struct page **ret)
{
	bool document = strcmp(a->path, document_pl) == 0 || strcmp(a->path, document_en) == 0;
	const struct page_draft draft = {
		.kind = document ? PAGE_SHELL : PAGE_ASSET,
		.status = status,
		.type = a->type,
		.cache_control = a->hashed ? "public, max-age=31536000, immutable" : "no-cache"};
	const struct fixed bytes = {.identity = a->identity,
				    .gzip = a->gzip,
				    .brotli = a->brotli,
				    .identity_size = a->identity_size,
				    .gzip_size = a->gzip_size,
				    .brotli_size = a->brotli_size};

	return page_of_fixed(w->door, &draft, &bytes, ret);
}

static const struct asset *asset_of(const char *path)
{
	for (size_t i = 0; assets[i].path; i++)
		if (strcmp(assets[i].path, path) == 0)
			return &assets[i];
	return NULL;
}

enum err pages_open(struct web *w)
{
	const char *const lost[] = {document_pl, document_en};
	size_t count = 0;
	enum err e = ERR_OK;

	while (assets[count].path)
		count++;
	if (count + 2 > PAGES_MAX || !asset_of(document_pl) || !asset_of(document_en))
		return ERR_INTERNAL;
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = make_page(w, &assets[i], 200, &w->pages[i]);
	/* The document of an address that is none, behind all others. */
	for (size_t i = 0; i < 2 && e == ERR_OK; i++)
		e = make_page(w, asset_of(lost[i]), 404, &w->pages[count + i]);
	w->page_count = count;
	return e;
}

void pages_close(struct web *w)
{
	for (size_t i = 0; i < PAGES_MAX; i++) {
		page_release(w->pages[i]);
		w->pages[i] = NULL;
	}
}

struct page *pages_find(struct web *w, const char *path)
{
	const char *document = is_english(path) ? document_en : document_pl;
	const struct asset *a = asset_of(path);
	const char *dot = strrchr(path, '.');

	if (strcmp(path, document_pl) == 0 || strcmp(path, document_en) == 0)
		a = NULL; /* it has addresses of its own */
	if (a)
		return w->pages[a - assets];
	if (is_address(path))
		return w->pages[asset_of(document) - assets];
	/* A file that is not there is none of ours; anything else may be a mistyped address. */
	if (dot && !strchr(dot, '/'))
		return NULL;
	return w->pages[w->page_count + (document == document_en ? 1 : 0)];
}
