/* Where two histories of one log part: found by the hashes of their tiles, at every edge of them.
 */
#include "admin.h"

#include "admin/acts/branch.h"
#include "base/limits.h"

enum { LEVELS = 3, LEAVES_MAX = 66000 };

/* One history: leaf i is the same in all of them below `fork`. */
struct side {
	uint64_t size;
	size_t calls;
	int damaged_level;         /* -1: none; a tile of it is not there */
	bool short_tiles;          /* one hash too few */
	struct hash *rows[LEVELS]; /* owned */
	size_t row_sizes[LEVELS];
};

static struct hash subtree(const struct hash *children)
{
	struct hash row[TILE_WIDTH];

	memcpy(row, children, sizeof row);
	for (size_t width = TILE_WIDTH; width > 1; width /= 2)
		for (size_t i = 0; i < width / 2; i++)
			row[i] = hash_node(row[2 * i], row[2 * i + 1]);
	return row[0];
}

static struct side side_of(uint64_t size, uint64_t fork, const char *branch)
{
	struct side s = {.size = size, .damaged_level = -1};

	for (size_t level = 0; level < LEVELS; level++) {
		s.row_sizes[level] = (size_t)(size >> (level * TILE_HEIGHT));
		s.rows[level] = calloc(s.row_sizes[level] + 1, sizeof(struct hash));
		assert_non_null(s.rows[level]);
	}
	for (size_t i = 0; i < s.row_sizes[0]; i++) {
		struct buf leaf = {0};

		buf_printf(&leaf, "%zu%s", i, i < fork ? "" : branch);
		s.rows[0][i] = hash_leaf(buf_bytes(&leaf));
		buf_free(&leaf);
	}
	for (size_t level = 1; level < LEVELS; level++)
		for (size_t i = 0; i < s.row_sizes[level]; i++)
			s.rows[level][i] = subtree(&s.rows[level - 1][i * TILE_WIDTH]);
	return s;
}

static void side_free(struct side *s)
{
	for (size_t level = 0; level < LEVELS; level++)
		free(s->rows[level]);
}

static enum err side_tile(struct source *source, struct log_name log, struct tile_id id,
			  unsigned width, struct buf *ret)
{
	struct side *s = source->context;
	size_t first = (size_t)id.number * TILE_WIDTH;

	assert_string_equal(log.text, "26");
	s->calls++;
	if (id.level >= LEVELS || (int)id.level == s->damaged_level ||
	    first + width > s->row_sizes[id.level])
		return ERR_NOT_FOUND;
	buf_add(ret, &s->rows[id.level][first], (width - s->short_tiles) * sizeof(struct hash));
	return buf_check(ret);
}

static const struct source_ops ops = {.tile = side_tile};

static struct log_name log_26(void)
{
	struct log_name log;

	assert_ok(log_name_parse(T("26"), &log));
	return log;
}

static void the_fork_is_found_at_every_edge_of_a_tile(void **state)
{
	static const struct {
		uint64_t a, b, fork;
	} rows[] = {
		{0, 5, 0},
		{5, 5, 5},
		{5, 9, 5},
		{5, 9, 3},
		{1, 1, 0},
		{256, 256, 255},
		{300, 300, 255},
		{300, 300, 256},
		{300, 300, 257},
		{300, 513, 299},
		{513, 300, 300},
		{65536, 65536, 65535},
		{65537, 65537, 65536},
		{66000, 65800, 65536},
		{66000, 66000, 65535},
		{66000, 66000, 40000},
		{66000, 66000, 0},
		{66000, 66000, 66000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct side a = side_of(rows[i].a, rows[i].fork, " here");
		struct side b = side_of(rows[i].b, rows[i].fork, " there");
		struct source x = {.ops = &ops, .context = &a};
		struct source y = {.ops = &ops, .context = &b};
		const struct source *at = NULL;
		uint64_t common = a.size < b.size ? a.size : b.size;
		uint64_t found = UINT64_MAX;

		assert_ok(branch_fork(&x, &y, log_26(), common, &found, &at));
		if (found != rows[i].fork)
			fail_msg("row %zu: %llu", i, (unsigned long long)found);
		assert_true(a.calls <= LEVELS + 1); /* not leaf by leaf */
		side_free(&a);
		side_free(&b);
	}
}

static void a_tile_that_is_missing_or_short_is_told_with_its_source(void **state)
{
	struct side a = side_of(300, 300, "");
	struct side b = side_of(300, 300, "");
	struct source x = {.ops = &ops, .context = &a};
	struct source y = {.ops = &ops, .context = &b};
	const struct source *at = NULL;
	uint64_t found = 77;

	(void)state;
	b.damaged_level = 0;
	assert_int_equal(branch_fork(&x, &y, log_26(), 300, &found, &at), ERR_CORRUPT);
	assert_ptr_equal(at, &y);
	b.damaged_level = -1;
	a.short_tiles = true;
	assert_int_equal(branch_fork(&x, &y, log_26(), 300, &found, &at), ERR_CORRUPT);
	assert_ptr_equal(at, &x);
	assert_int_equal(found, 77); /* untouched */
	side_free(&a);
	side_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fork_is_found_at_every_edge_of_a_tile),
		cmocka_unit_test(a_tile_that_is_missing_or_short_is_told_with_its_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
