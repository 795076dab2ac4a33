#include "tlog_fixture.h"

#include <limits.h>

#include "tlog/tile.h"

enum { LEAVES = 70000, LEVELS = 3, NUMBERS = LEAVES / TILE_WIDTH + 1 };

static struct forest forest;

/* What a store would hold: each tile as it was last written. */
struct shelf {
	unsigned width[LEVELS][NUMBERS];
	struct hash hashes[LEVELS][NUMBERS][TILE_WIDTH];
};

static struct shelf *shelf; /* owned */

static enum err put(struct tile_id id, const struct hash *hashes, unsigned width)
{
	if (id.level >= LEVELS || id.number >= NUMBERS)
		return ERR_INTERNAL;
	memcpy(shelf->hashes[id.level][id.number], hashes, width * sizeof(struct hash));
	shelf->width[id.level][id.number] = width;
	return ERR_OK;
}

static enum err put_full(void *context, struct tile_id id, const struct hash *hashes)
{
	(void)context;
	assert_int_not_equal(id.number < NUMBERS ? shelf->width[id.level][id.number] : 0,
			     TILE_WIDTH); /* written once */
	return put(id, hashes, TILE_WIDTH);
}

static enum err get(void *context, struct tile_id id, struct bytes *ret)
{
	(void)context;
	if (id.level >= LEVELS || id.number >= NUMBERS || !shelf->width[id.level][id.number])
		return ERR_NOT_FOUND;
	*ret = bytes_of(shelf->hashes[id.level][id.number],
			shelf->width[id.level][id.number] * sizeof(struct hash));
	return ERR_OK;
}

static const struct tile_reader tiles = {NULL, get};

static void seal(const struct tile_edge *e)
{
	for (unsigned level = 0; level < TREE_LEVELS_MAX; level++) {
		struct tile_id id = {level, 0};
		unsigned width = tile_edge_partial(e, level, &id.number);

		assert_int_equal(width, tile_width(id, e->size));
		if (width > 0)
			assert_ok(put(id, e->row[level], width));
	}
}

static int set_up(void **state)
{
	(void)state;
	forest_make(&forest, LEAVES);
	shelf = calloc(1, sizeof(*shelf));
	return shelf ? 0 : -1;
}

static int empty_shelf(void **state)
{
	(void)state;
	memset(shelf, 0, sizeof(*shelf));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	forest_free(&forest);
	free(shelf);
	return 0;
}

static void grow(struct tile_edge *e, uint64_t size)
{
	while (e->size < size)
		assert_ok(tile_edge_append(e, forest.rows[0][e->size], put_full, NULL));
}

/* Sizes about the boundaries of a tile and of a tile of tiles, and some between. */
static const uint64_t SIZES[] = {
	0,     1,     2,     3,     127,   128,   255,   256,   257,   384,
	511,   512,   513,   1000,  4095,  32768, 40001, 65279, 65280, 65281,
	65535, 65536, 65537, 65791, 65792, 65793, 69999, 70000,
};

enum { SIZE_COUNT = sizeof(SIZES) / sizeof(SIZES[0]) };

static enum err node_over_tiles(void *context, unsigned level, uint64_t index, struct hash *ret)
{
	(void)context;
	return tile_node(&tiles, level, index, ret);
}

static const struct tree_reader tree_reader = {NULL, node_over_tiles};

static void assert_node(unsigned level, uint64_t index)
{
	struct hash h = {{0}};

	assert_ok(tile_node(&tiles, level, index, &h));
	assert_hash(h, forest.rows[level][index]);
}

/* The ends of each row and every 97th of it, and nothing behind its end. */
static void assert_all_nodes(uint64_t size)
{
	for (unsigned level = 0; level < 17; level++) {
		uint64_t row = size >> level;
		uint64_t last = row > 5 ? row - 5 : 0;
		struct hash h = {{0}};

		for (uint64_t i = 0; i < last; i += 97)
			assert_node(level, i);
		for (uint64_t i = last; i < row; i++)
			assert_node(level, i);
		assert_int_not_equal(tile_node(&tiles, level, row, &h), ERR_OK);
	}
}

static void every_node_is_found_at_every_size(void **state)
{
	struct tile_edge e;

	(void)state;
	tile_edge_init(&e);
	for (size_t i = 0; i < SIZE_COUNT; i++) {
		grow(&e, SIZES[i]);
		seal(&e);
		assert_all_nodes(SIZES[i]);
	}
}

static void proofs_over_tiles_verify(void **state)
{
	struct tile_edge e;

	(void)state;
	tile_edge_init(&e);
	for (size_t i = 1; i < SIZE_COUNT; i++) {
		uint64_t n = SIZES[i];
		struct hash root = forest_root(&forest, n);
		struct tree t;
		struct proof p;

		grow(&e, n);
		seal(&e);
		assert_ok(tree_at(&tree_reader, n, &t));
		assert_hash(tree_root(&t), root);
		for (uint64_t leaf = 0; leaf < n; leaf += 1 + n / 7) {
			assert_ok(proof_inclusion(&tree_reader, leaf, n, &p));
			assert_ok(proof_check_inclusion(&p, leaf, n, forest.rows[0][leaf], root));
		}
		for (size_t k = 0; k < i; k += 3) {
			uint64_t old = SIZES[k];

			assert_ok(proof_consistency(&tree_reader, old, n, &p));
			assert_ok(proof_check_consistency(&p, old, n, forest_root(&forest, old),
							  root));
		}
	}
}

static void assert_same_edge(const struct tile_edge *a, const struct tile_edge *b)
{
	assert_int_equal(a->size, b->size);
	for (unsigned level = 0; level < TREE_LEVELS_MAX; level++) {
		uint64_t number = 0;
		unsigned width = tile_edge_partial(a, level, &number);

		assert_memory_equal(a->row[level], b->row[level], width * sizeof(struct hash));
	}
}

static void an_edge_loaded_at_any_size_goes_on_like_one_grown(void **state)
{
	static struct tile_edge grown;
	static struct tile_edge loaded;

	(void)state;
	tile_edge_init(&grown);
	tile_edge_init(&loaded);
	for (size_t i = 0; i < SIZE_COUNT; i++) {
		grow(&grown, SIZES[i]);
		seal(&grown);
		assert_ok(tile_edge_load(&loaded, &tiles, SIZES[i]));
		assert_same_edge(&grown, &loaded);
		grown = loaded; /* what follows grows from what was loaded */
	}
	assert_all_nodes(LEAVES);
}

static void loading_an_older_size_takes_it_from_tiles_that_have_grown(void **state)
{
	static struct tile_edge e;
	static struct tile_edge older;
	static struct tile_edge loaded;

	(void)state;
	tile_edge_init(&e);
	grow(&e, 300);
	older = e;
	grow(&e, 900);
	seal(&e);
	assert_ok(tile_edge_load(&loaded, &tiles, 300));
	assert_same_edge(&older, &loaded);
}

static enum err refuse(void *context, struct tile_id id, const struct hash *hashes)
{
	(void)id;
	(void)hashes;
	(*(int *)context)++;
	return ERR_MAP_FULL;
}

static void an_append_whose_tile_cannot_be_stored_changes_nothing(void **state)
{
	static struct tile_edge e;
	uint64_t number = 0;
	int calls = 0;

	(void)state;
	tile_edge_init(&e);
	grow(&e, 255);
	assert_err(tile_edge_append(&e, forest.rows[0][255], refuse, &calls), ERR_MAP_FULL);
	assert_int_equal(calls, 1);
	assert_int_equal(e.size, 255);
	assert_int_equal(tile_edge_partial(&e, 0, &number), 255);
	assert_int_equal(tile_edge_partial(&e, 1, &number), 0);
	grow(&e, 300); /* the same leaf again, stored this time */
	seal(&e);
	assert_all_nodes(300);
}

static void a_log_cannot_outgrow_its_numbers(void **state)
{
	static struct tile_edge e = {.size = INT64_MAX};
	static struct tile_edge loaded = {.size = 7};

	(void)state;
	assert_err(tile_edge_append(&e, forest.rows[0][0], put_full, NULL), ERR_LIMIT);
	assert_int_equal(e.size, INT64_MAX);
	assert_err(tile_edge_load(&loaded, &tiles, (uint64_t)INT64_MAX + 1), ERR_ARGUMENT);
	assert_int_equal(loaded.size, 7);
}

/* ---- damage ---- */

static size_t given_bytes;

static enum err give(void *context, struct tile_id id, struct bytes *ret)
{
	static uint8_t zeros[TILE_BYTES + HASH_BYTES];

	(void)context;
	(void)id;
	*ret = bytes_of(zeros, given_bytes);
	return ERR_OK;
}

static void a_tile_of_a_wrong_length_is_called_damaged(void **state)
{
	static struct tile_edge e = {.size = 7};
	static const size_t WRONG[] = {0, 3 * HASH_BYTES, 4 * HASH_BYTES - 1, 4 * HASH_BYTES + 1,
				       TILE_BYTES + HASH_BYTES};
	const struct tile_reader damaged = {NULL, give};
	struct hash h = {{1}};

	(void)state;
	for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
		given_bytes = WRONG[i];
		assert_err(tile_node(&damaged, 2, 0, &h), ERR_CORRUPT);
		assert_err(tile_edge_load(&e, &damaged, 4), ERR_CORRUPT);
	}
	assert_int_equal(h.b[0], 1);
	assert_int_equal(e.size, 7);
	given_bytes = 4 * HASH_BYTES;
	assert_ok(tile_node(&damaged, 2, 0, &h));
	assert_err(tile_node(&damaged, 2, 1, &h), ERR_CORRUPT);
	assert_ok(tile_edge_load(&e, &damaged, 4));
}

static void a_node_beyond_any_log_is_refused(void **state)
{
	struct hash h;

	(void)state;
	assert_err(tile_node(&tiles, 64, 0, &h), ERR_ARGUMENT);
	assert_err(tile_node(&tiles, UINT_MAX, 0, &h), ERR_ARGUMENT);
	assert_err(tile_node(&tiles, 7, UINT64_MAX, &h), ERR_ARGUMENT);
	assert_err(tile_node(&tiles, 0, UINT64_MAX, &h), ERR_NOT_FOUND);
}

/* ---- names and widths ---- */

static void paths_are_those_of_tlog_tiles(void **state)
{
	static const struct {
		unsigned level;
		uint64_t number;
		unsigned width;
		const char *path;
	} CASES[] = {
		{0, 0, 256, "tile/0/000"},
		{0, 7, 5, "tile/0/007.p/5"},
		{1, 999, 256, "tile/1/999"},
		{2, 1000, 255, "tile/2/x001/000.p/255"},
		{0, 1234067, 256, "tile/0/x001/x234/067"},
		{UINT_MAX, 1234067, 1, "tile/entries/x001/x234/067.p/1"},
		{63, UINT64_MAX, 255, "tile/63/x018/x446/x744/x073/x709/x551/615.p/255"},
		{UINT_MAX, UINT64_MAX, 255, "tile/entries/x018/x446/x744/x073/x709/x551/615.p/255"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct tile_id id = {CASES[i].level, CASES[i].number};
		char path[TILE_PATH_BYTES];

		tile_path(id, CASES[i].width, path);
		assert_string_equal(path, CASES[i].path);
	}
}

/* The example that the specification works through: a tree of 70,000 leaves. */
static void widths_are_those_of_tlog_tiles(void **state)
{
	static const struct {
		struct tile_id id;
		uint64_t size;
		unsigned width;
	} CASES[] = {
		{{0, 0}, 70000, 256},
		{{0, 272}, 70000, 256},
		{{0, 273}, 70000, 112},
		{{0, 274}, 70000, 0},
		{{1, 0}, 70000, 256},
		{{1, 1}, 70000, 17},
		{{1, 2}, 70000, 0},
		{{2, 0}, 70000, 1},
		{{3, 0}, 70000, 0},
		{{0, 0}, 256, 256},
		{{0, 1}, 256, 0},
		{{1, 0}, 256, 1},
		{{0, 0}, 0, 0},
		{{8, 0}, 70000, 0},
		{{UINT_MAX, 0}, 70000, 0},
		{{7, 0}, INT64_MAX, 127},
		{{0, UINT64_MAX}, INT64_MAX, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
		assert_int_equal(tile_width(CASES[i].id, CASES[i].size), CASES[i].width);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_node_is_found_at_every_size, empty_shelf),
		cmocka_unit_test_setup(proofs_over_tiles_verify, empty_shelf),
		cmocka_unit_test_setup(an_edge_loaded_at_any_size_goes_on_like_one_grown,
				       empty_shelf),
		cmocka_unit_test_setup(loading_an_older_size_takes_it_from_tiles_that_have_grown,
				       empty_shelf),
		cmocka_unit_test_setup(an_append_whose_tile_cannot_be_stored_changes_nothing,
				       empty_shelf),
		cmocka_unit_test_setup(a_log_cannot_outgrow_its_numbers, empty_shelf),
		cmocka_unit_test_setup(a_tile_of_a_wrong_length_is_called_damaged, empty_shelf),
		cmocka_unit_test_setup(a_node_beyond_any_log_is_refused, empty_shelf),
		cmocka_unit_test(paths_are_those_of_tlog_tiles),
		cmocka_unit_test(widths_are_those_of_tlog_tiles),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
