/* Whether the pages of a data file fit together.  LMDB believes what they say: a page that is
 * listed as free while a table uses it is overwritten later, and a separator that is off hides
 * rows from whoever looks them up.  So this reads the file itself, in the layout of LMDB's data
 * version 1 (which 0.9 writes) on a little-endian machine. */
#include "io/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PAGE_HEAD = 16,
	NODE_HEAD = 8,
	IS_BRANCH = 1,
	IS_LEAF = 2,
	IS_OVERFLOW = 4,
	IS_META = 8,
	NODE_BIG = 1,   /* its value stands in pages of its own */
	NODE_TABLE = 2, /* its value describes a table */
	MAGIC = (int)0xBEEFC0DEU,
	DATA_VERSION = 1,
	PAGE_LEAST = 512,
	PAGE_MOST = 65536,
	DEPTH_MOST = 32,     /* LMDB's own bound */
	OPEN_MOST = 1 << 16, /* pages that wait: far more than a node of any depth has below it */
};

#define NO_PAGE UINT64_MAX

/* LMDB's description of a table, as it lies in the file. */
struct table_row {
	uint32_t pad;
	uint16_t flags, depth;
	uint64_t branches, leaves, overflows, entries, root;
};

struct meta_row {
	uint32_t magic, version;
	uint64_t address, map_size;
	struct table_row free, main;
	uint64_t last_page, txn;
};

struct page_head {
	uint64_t number;
	uint16_t pad, flags, lower, upper;
};

/* A page to look at, and between which keys those on it lie: from `low` (none: no bound) to below
 * `high`. */
struct waiting {
	uint64_t page;
	unsigned depth; /* how many levels it is from the leaves; 1: a leaf */
	bool numbers;   /* keys of the list of free pages are numbers */
	bool tables;    /* rows of the main table describe others */
	MDB_val low, high;
};

struct pages {
	const uint8_t *map;
	size_t size; /* of the map, in bytes */
	size_t page_size;
	uint64_t last;
	uint8_t *used;
	struct waiting *open;
	size_t open_count;
};

struct node {
	MDB_val key;
	unsigned flags;
	uint64_t below;      /* in a branch: the page */
	const uint8_t *data; /* in a leaf */
	size_t size;
};

/* ---- one page ---- */

static const uint8_t *page_at(const struct pages *p, uint64_t number)
{
	return p->map + number * p->page_size;
}

/* Marks pages as used; each may be so once. */
static bool take(struct pages *p, uint64_t number, uint64_t count)
{
	if (number < 2 || number > p->last || count == 0 || count > p->last - number + 1)
		return false;
	for (uint64_t i = number; i < number + count; i++) {
		if (p->used[i])
			return false;
		p->used[i] = 1;
	}
	return true;
}

static bool take_page(struct pages *p, uint64_t number, unsigned flags, uint64_t count)
{
	struct page_head head;

	if (!take(p, number, count))
		return false;
	memcpy(&head, page_at(p, number), sizeof head);
	return head.number == number && head.flags == flags;
}

static bool read_node(const struct pages *p, const uint8_t *page, const struct page_head *head,
		      size_t i, struct node *ret)
{
	uint16_t raw[4];
	uint16_t at = 0;

	memcpy(&at, page + PAGE_HEAD + i * sizeof at, sizeof at);
	if (at < head->upper || (size_t)at + NODE_HEAD > p->page_size)
		return false;
	memcpy(raw, page + at, sizeof raw);
	if ((size_t)at + NODE_HEAD + raw[3] > p->page_size)
		return false;
	*ret = (struct node){
		.key = {raw[3], (void *)(uintptr_t)(page + at + NODE_HEAD)},
		.flags = raw[2],
		.below = (uint64_t)raw[2] << 32 | (uint64_t)raw[1] << 16 | raw[0],
		.data = page + at + NODE_HEAD + raw[3],
		.size = (size_t)raw[1] << 16 | raw[0],
	};
	return true;
}

static int compare(MDB_val a, MDB_val b, bool numbers)
{
	size_t size = a.mv_size < b.mv_size ? a.mv_size : b.mv_size;
	uint64_t x = 0;
	uint64_t y = 0;
	int order = 0;

	if (!numbers) {
		order = memcmp(a.mv_data, b.mv_data, size);
		return order ? order : (a.mv_size > b.mv_size) - (a.mv_size < b.mv_size);
	}
	memcpy(&x, a.mv_data, sizeof x);
	memcpy(&y, b.mv_data, sizeof y);
	return (x > y) - (x < y);
}

static bool key_fits(const struct waiting *w, MDB_val key)
{
	return (w->numbers ? key.mv_size == sizeof(uint64_t)
			   : key.mv_size > 0 && key.mv_size <= KEY_BYTES_MAX) &&
	       (!w->low.mv_data || compare(w->low, key, w->numbers) <= 0) &&
	       (!w->high.mv_data || compare(key, w->high, w->numbers) < 0);
}

/* ---- what stands below ---- */

static bool wait_for(struct pages *p, struct waiting w)
{
	if (p->open_count == OPEN_MOST)
		return false;
	p->open[p->open_count++] = w;
	return true;
}

static bool wait_for_table(struct pages *p, const struct table_row *table, bool numbers,
			   bool tables)
{
	if (table->depth == 0)
		return table->root == NO_PAGE && table->entries == 0;
	return table->depth <= DEPTH_MOST && wait_for(p, (struct waiting){.page = table->root,
									  .depth = table->depth,
									  .numbers = numbers,
									  .tables = tables});
}

/* A row of the list of free pages: how many, then their numbers, falling. */
static bool take_free(struct pages *p, const uint8_t *data, size_t size)
{
	uint64_t count = 0;
	uint64_t number = 0;
	uint64_t before = NO_PAGE;

	if (size < sizeof count)
		return false;
	memcpy(&count, data, sizeof count);
	if (count > size / sizeof count - 1)
		return false;
	for (uint64_t i = 1; i <= count; i++) {
		memcpy(&number, data + i * sizeof number, sizeof number);
		if (number >= before || !take(p, number, 1))
			return false;
		before = number;
	}
	return true;
}

static bool take_leaf_node(struct pages *p, const struct waiting *w, const uint8_t *page,
			   struct node *n)
{
	uint64_t first = 0;
	struct table_row table;

	if (n->flags & ~(unsigned)(NODE_BIG | NODE_TABLE) ||
	    ((n->flags & NODE_TABLE) != 0) != w->tables)
		return false;
	if (n->flags & NODE_BIG) {
		if (n->data + sizeof first > page + p->page_size)
			return false;
		memcpy(&first, n->data, sizeof first);
		if (!take_page(p, first, IS_OVERFLOW, (n->size + PAGE_HEAD - 1) / p->page_size + 1))
			return false;
		n->data = page_at(p, first) + PAGE_HEAD;
	} else if (n->data + n->size > page + p->page_size) {
		return false;
	}
	if (w->numbers)
		return take_free(p, n->data, n->size);
	if (!w->tables)
		return true;
	if (n->size != sizeof table)
		return false;
	memcpy(&table, n->data, sizeof table);
	return table.flags == 0 && wait_for_table(p, &table, false, false);
}

/* The first key of a branch is not written: it is the lower bound of all. */
static bool take_branch(struct pages *p, const struct waiting *w, const uint8_t *page,
			const struct page_head *head, size_t count)
{
	MDB_val low = w->low;

	for (size_t i = 0; i < count; i++) {
		struct node n;
		struct node next = {.key = w->high};

		if (!read_node(p, page, head, i, &n) ||
		    (i + 1 < count && !read_node(p, page, head, i + 1, &next)))
			return false;
		if (i + 1 < count &&
		    (!key_fits(w, next.key) || (i > 0 && compare(low, next.key, w->numbers) >= 0)))
			return false;
		if (!wait_for(p, (struct waiting){.page = n.below,
						  .depth = w->depth - 1,
						  .numbers = w->numbers,
						  .tables = w->tables,
						  .low = low,
						  .high = next.key}))
			return false;
		low = next.key;
	}
	return true;
}

static bool take_leaf(struct pages *p, const struct waiting *w, const uint8_t *page,
		      const struct page_head *head, size_t count)
{
	MDB_val before = {0, NULL};

	for (size_t i = 0; i < count; i++) {
		struct node n;

		if (!read_node(p, page, head, i, &n) || !key_fits(w, n.key) ||
		    (before.mv_data && compare(before, n.key, w->numbers) >= 0) ||
		    !take_leaf_node(p, w, page, &n))
			return false;
		before = n.key;
	}
	return true;
}

static bool take_waiting(struct pages *p, const struct waiting *w)
{
	const uint8_t *page = NULL;
	struct page_head head;
	size_t count = 0;

	if (!take_page(p, w->page, w->depth > 1 ? IS_BRANCH : IS_LEAF, 1))
		return false;
	page = page_at(p, w->page);
	memcpy(&head, page, sizeof head);
	if (head.lower < PAGE_HEAD || head.lower % 2 || head.upper < head.lower ||
	    head.upper > p->page_size)
		return false;
	count = (head.lower - (size_t)PAGE_HEAD) / 2;
	return count > 0 && (w->depth > 1 ? take_branch(p, w, page, &head, count)
					  : take_leaf(p, w, page, &head, count));
}

/* ---- the file ---- */

static bool read_meta(const struct pages *p, uint64_t number, struct meta_row *ret)
{
	struct page_head head;

	memcpy(&head, page_at(p, number), sizeof head);
	memcpy(ret, page_at(p, number) + PAGE_HEAD, sizeof *ret);
	return head.number == number && head.flags == IS_META && ret->magic == (uint32_t)MAGIC &&
	       ret->version == DATA_VERSION && ret->free.pad == p->page_size;
}

/* LMDB goes by the newer of both.  Commits take turns, so that they are one apart; before the first
 * one both say 0. */
static bool newest_meta(const struct pages *p, struct meta_row *ret)
{
	struct meta_row other;
	bool odd_newer = false;

	if (!read_meta(p, 0, ret) || !read_meta(p, 1, &other))
		return false;
	if (!ret->txn && !other.txn)
		return true;
	odd_newer = other.txn > ret->txn;
	if (ret->txn % 2 != 0 || (odd_newer ? other.txn - ret->txn : ret->txn - other.txn) != 1)
		return false;
	if (odd_newer)
		*ret = other;
	return true;
}

static bool is_zero(const uint8_t *data, size_t size)
{
	return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

/* As LMDB writes a page of a new file: no table has a page, and nothing was committed. */
static bool is_first_meta(const uint8_t *page, size_t size, uint64_t number)
{
	struct page_head head;
	struct meta_row meta;

	if (size < sizeof head + sizeof meta)
		return false;
	memcpy(&head, page, sizeof head);
	memcpy(&meta, page + PAGE_HEAD, sizeof meta);
	return head.number == number && head.flags == IS_META && meta.magic == (uint32_t)MAGIC &&
	       meta.txn == 0 && meta.last_page == 1 && meta.free.root == NO_PAGE &&
	       meta.main.root == NO_PAGE;
}

bool store_holds_nothing(int fd)
{
	const size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t pages[2 * PAGE_MOST];
	ssize_t size = page_size <= PAGE_MOST ? pread(fd, pages, sizeof pages, 0) : -1;

	if (size < 0 || (size_t)size > 2 * page_size)
		return false;
	for (size_t at = 0, number = 0; at < (size_t)size; at += page_size, number++) {
		size_t left = (size_t)size - at < page_size ? (size_t)size - at : page_size;

		if (!is_zero(pages + at, left) && !is_first_meta(pages + at, left, number))
			return false;
	}
	return true;
}

static enum err check(struct pages *p)
{
	struct meta_row meta;
	bool fits = newest_meta(p, &meta);

	if (!fits || meta.last_page < 1 || meta.last_page >= p->size / p->page_size)
		return ERR_CORRUPT;
	p->last = meta.last_page;
	p->used = calloc(p->last + 1, 1);
	p->open = calloc(OPEN_MOST, sizeof *p->open);
	if (!p->used || !p->open)
		return ERR_NOMEM;
	fits = wait_for_table(p, &meta.free, true, false) &&
	       wait_for_table(p, &meta.main, false, true);
	while (fits && p->open_count > 0) {
		struct waiting w = p->open[--p->open_count];

		fits = take_waiting(p, &w);
	}
	return fits ? ERR_OK : ERR_CORRUPT;
}

static enum err map_file(int fd, struct pages *p)
{
	struct page_head head;
	struct meta_row meta;
	struct stat st;
	void *map = NULL;

	if (fstat(fd, &st) != 0)
		return ERR_IO;
	p->size = (size_t)st.st_size;
	if (p->size == 0)
		return ERR_NOT_FOUND; /* a kill came between making the file and its first page */
	if (p->size < sizeof head + sizeof meta)
		return ERR_CORRUPT;
	map = mmap(NULL, p->size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return store_err(errno);
	p->map = map;
	memcpy(&meta, p->map + PAGE_HEAD, sizeof meta);
	p->page_size = meta.free.pad;
	if (p->page_size < PAGE_LEAST || p->page_size > PAGE_MOST || p->size / 2 < p->page_size)
		return ERR_CORRUPT;
	return ERR_OK;
}

enum err store_check_pages(const char *folder)
{
	struct pages p = {.map = NULL};
	char path[STORE_PATH_BYTES];
	enum err err = store_path(folder, "data.mdb", path);
	int fd = err == ERR_OK ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (err == ERR_OK && fd < 0)
		err = store_err(errno);
	if (err == ERR_OK)
		err = map_file(fd, &p);
	if (err == ERR_OK)
		err = check(&p);
	if (p.map)
		(void)munmap((void *)(uintptr_t)p.map, p.size);
	if (fd >= 0)
		(void)close(fd);
	free(p.used);
	free(p.open);
	return err;
}
