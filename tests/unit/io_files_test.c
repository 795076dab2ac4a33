/* Files: bounded reading, replacing whole or not at all, the highwater mark. */
#include "temporary.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/files.h"

struct world {
	char folder[TEMPORARY_BYTES];
	char path[128];
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	temporary_make(w->folder, "files");
	(void)snprintf(w->path, sizeof w->path, "%s/file", w->folder);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	temporary_remove(w->folder);
	free(w);
	return 0;
}

static unsigned count_files(const char *folder)
{
	DIR *d = opendir(folder);
	unsigned count = 0;

	assert_non_null(d);
	for (struct dirent *e = readdir(d); e; e = readdir(d))
		count += e->d_type == DT_REG;
	(void)closedir(d);
	return count;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void a_replaced_file_holds_the_new_bytes_and_mode_and_nothing_is_left_over(void **state)
{
	struct world *w = *state;
	struct buf b = {0};
	uint8_t large[50000];

	memset(large, 7, sizeof large);
	OK(file_replace(w->path, 0640, bytes_of(large, sizeof large)));
	OK(file_replace(w->path, 0644, bytes_of_text("second")));
	buf_add_text(&b, "before ");
	OK(file_read(w->path, 100, &b));
	assert_string_equal(buf_text(&b), "before second");
	assert_int_equal(mode_of(w->path), 0644);
	assert_int_equal(count_files(w->folder), 1);
	buf_free(&b);
}

static void creating_never_replaces(void **state)
{
	struct world *w = *state;
	struct buf b = {0};

	OK(file_create(w->path, 0600, bytes_of_text("first")));
	assert_int_equal(file_create(w->path, 0600, bytes_of_text("second")), ERR_EXISTS);
	OK(file_read(w->path, 100, &b));
	assert_string_equal(buf_text(&b), "first");
	assert_int_equal(mode_of(w->path), 0600);
	buf_free(&b);
}

static void a_file_is_removed_once_and_what_is_gone_is_no_error(void **state)
{
	struct world *w = *state;

	OK(file_create(w->path, 0600, bytes_of_text("once")));
	OK(file_remove(w->path));
	assert_false(file_exists(w->path));
	OK(file_remove(w->path));
	assert_int_equal(file_remove("/nowhere/at/all"), ERR_NOT_FOUND);
	assert_int_equal(file_remove(w->folder), ERR_IO);
	assert_true(file_exists(w->folder));
}

static void reading_stops_at_its_bound_and_leaves_the_buffer_alone(void **state)
{
	struct world *w = *state;
	struct buf b = {0};
	struct buf tight = {.limit = 5};

	OK(file_create(w->path, 0600, bytes_of_text("12345")));
	assert_int_equal(file_read(w->path, 4, &b), ERR_LIMIT);
	assert_int_equal(b.size, 0);
	OK(file_read(w->path, 5, &b));
	assert_int_equal(b.size, 5);
	OK(file_read(w->path, 5, &tight));
	assert_int_equal(file_read("/dev/zero", 100000, &b), ERR_LIMIT);
	assert_int_equal(b.size, 5);
	assert_int_equal(file_read("/nowhere/at/all", 5, &b), ERR_NOT_FOUND);
	assert_int_equal(file_read(w->folder, 5, &b), ERR_IO);
	buf_free(&b);
	buf_free(&tight);
}

static void folders_are_made_with_their_parents(void **state)
{
	struct world *w = *state;
	char deep[160];

	(void)snprintf(deep, sizeof deep, "%s/a/b/c", w->folder);
	OK(folder_make(deep, 0700));
	OK(folder_make(deep, 0700));
	assert_true(file_exists(deep));
	OK(file_create(w->path, 0600, bytes_of_text("")));
	assert_int_equal(folder_make(w->path, 0700), ERR_EXISTS);
	(void)snprintf(deep, sizeof deep, "%s/below", w->path);
	assert_true(folder_make(deep, 0700) != ERR_OK);
}

static void the_mark_is_found_again_and_never_sinks(void **state)
{
	struct world *w = *state;
	struct highwater h;
	bool found = true;
	struct buf b = {0};

	OK(highwater_open(w->path, &h, &found));
	assert_false(found);
	assert_int_equal(h.size, 0);
	OK(highwater_raise(&h, 41, 0));
	OK(highwater_raise(&h, 1000000, 10)); /* within the second: written, not synced */
	OK(highwater_raise(&h, 7, 20));
	OK(highwater_close(&h));
	OK(highwater_close(&h));
	OK(highwater_open(w->path, &h, &found));
	assert_true(found);
	assert_int_equal(h.size, 1000000);
	OK(highwater_raise(&h, UINT64_MAX, 30));
	OK(highwater_close(&h));
	OK(file_read(w->path, 100, &b));
	assert_string_equal(buf_text(&b), "18446744073709551615\n");
	OK(highwater_open(w->path, &h, &found));
	assert_true(h.size == UINT64_MAX);
	OK(highwater_close(&h));
	buf_free(&b);
}

/* Two programs that sign with the same keys would fork their log. */
static void a_mark_in_use_is_not_opened_a_second_time(void **state)
{
	struct world *w = *state;
	struct highwater h;
	struct highwater second;
	bool found = false;

	OK(highwater_open(w->path, &h, &found));
	assert_int_equal(highwater_open(w->path, &second, &found), ERR_BUSY);
	OK(highwater_close(&h));
	OK(highwater_open(w->path, &second, &found));
	OK(highwater_close(&second));
}

static void a_mark_in_use_may_be_looked_at(void **state)
{
	struct world *w = *state;
	struct highwater h;
	uint64_t size = 7;
	bool found = false;

	assert_int_equal(highwater_read(w->path, &size), ERR_NOT_FOUND);
	OK(highwater_open(w->path, &h, &found));
	OK(highwater_raise(&h, 41, 0));
	OK(highwater_read(w->path, &size));
	assert_int_equal(size, 41);
	OK(highwater_close(&h));
	OK(file_replace(w->path, 0600, bytes_of_text("41\n")));
	assert_int_equal(highwater_read(w->path, &size), ERR_CORRUPT);
	assert_int_equal(size, 41);
}

static void a_mark_that_is_damaged_is_corrupt_not_zero(void **state)
{
	static const char *const texts[] = {
		"",
		"12\n",
		"0000000000000000000x\n",
		"18446744073709551616\n",
		"00000000000000000001 ",
		"00000000000000000001\n\n",
	};
	struct world *w = *state;
	struct highwater h;
	bool found = false;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		OK(file_replace(w->path, 0600, bytes_of_text(texts[i])));
		assert_int_equal(highwater_open(w->path, &h, &found), ERR_CORRUPT);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_replaced_file_holds_the_new_bytes_and_mode_and_nothing_is_left_over),
		T(creating_never_replaces),
		T(a_file_is_removed_once_and_what_is_gone_is_no_error),
		T(reading_stops_at_its_bound_and_leaves_the_buffer_alone),
		T(folders_are_made_with_their_parents),
		T(the_mark_is_found_again_and_never_sinks),
		T(a_mark_in_use_is_not_opened_a_second_time),
		T(a_mark_in_use_may_be_looked_at),
		T(a_mark_that_is_damaged_is_corrupt_not_zero),
	};

	return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
