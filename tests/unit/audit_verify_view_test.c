/* The stored view against the one that the logs give. */
#include "audit_verify_fixture.h"

/* ---- the view ---- */

static void an_altered_record_is_found_by_its_id(void **state)
{
	struct audit *a = *state;
	struct bytes key = row_after(a, a->view.records, "\x04pl26-cis-050");
	struct bytes value = get(a, a->store, a->view.records, key);

	flip(a, a->store, a->view.records, key, value.size - 4);
	assert_found_one(a, DAMAGE_RECORD);
	assert_non_null(strstr(a->told[0].what, "pl26-cis-0"));
	delete (a->store, a->view.records, key);
	assert_found_one(a, DAMAGE_RECORD);
	put(a->store, a->view.records, key, value);
	assert_whole(a);
	put(a->store, a->view.records, bytes_of_text("\x04pl26-cis-zzz"), value);
	assert_found_one(a, DAMAGE_RECORD);
}

static void an_altered_version_is_found_by_its_event(void **state)
{
	struct audit *a = *state;
	struct bytes key = row_after(a, a->view.versions, "\x04pl26-cis-050");
	struct bytes value = get(a, a->store, a->view.versions, key);
	struct bytes other = kept(a->n, key);

	flip(a, a->store, a->view.versions, key, value.size - 4);
	assert_found_one(a, DAMAGE_VERSION);
	assert_string_equal(a->told[0].log, "26");
	delete (a->store, a->view.versions, key);
	assert_found_one(a, DAMAGE_VERSION);
	put(a->store, a->view.versions, key, value);
	((uint8_t *)(uintptr_t)other.data)[other.size - 1] ^= 0x40; /* an event that is not there */
	put(a->store, a->view.versions, other, value);
	assert_found_one(a, DAMAGE_VERSION);
}

static void an_altered_count_is_found_by_its_row(void **state)
{
	struct audit *a = *state;
	static const char row[] = "entities\0PL\0CIS\0";
	struct bytes key = bytes_of(row, sizeof row - 1);

	flip(a, a->store, a->view.counts, key, 7);
	assert_found_one(a, DAMAGE_TALLY);
	assert_non_null(strstr(a->told[0].what, "entities PL CIS"));
	delete (a->store, a->view.counts, key);
	assert_found_one(a, DAMAGE_TALLY);
}

static void an_altered_change_is_found_by_its_entry(void **state)
{
	struct audit *a = *state;
	struct bytes key = row_after(a, a->view.changes, "");
	struct bytes value = get(a, a->store, a->view.changes, key);
	struct bytes other = kept(a->n, key);

	flip(a, a->store, a->view.changes, key, value.size - 1);
	assert_found_one(a, DAMAGE_CHANGE);
	assert_string_equal(a->told[0].log, "national");
	delete (a->store, a->view.changes, key);
	assert_found_one(a, DAMAGE_CHANGE);
	assert_non_null(strstr(a->told[0].what, "pl26-cis-"));
	put(a->store, a->view.changes, key, value);
	((uint8_t *)(uintptr_t)other.data)[other.size - 1] = 7; /* no eighth change was in it */
	put(a->store, a->view.changes, other, value);
	assert_found_one(a, DAMAGE_CHANGE);
	delete (a->store, a->view.changes, other);
	assert_whole(a);
	assert_int_equal(a->report.changes, EVENTS);
}

static void an_altered_time_is_found_by_its_entry(void **state)
{
	struct audit *a = *state;
	struct bytes key = number(a, -1, 3);

	flip(a, a->store, a->view.times, key, 7);
	assert_found(a, DAMAGE_CHANGE, "national", 3);
	delete (a->store, a->view.times, key);
	assert_found(a, DAMAGE_CHANGE, "national", 3);
}

static void a_view_ahead_of_its_log_is_found(void **state)
{
	struct audit *a = *state;
	struct txn *t = NULL;

	assert_ok(txn_begin(a->store, true, &t));
	assert_ok(view_fold_finish(a->fold, &a->view, t, 50));
	assert_ok(txn_commit(t));
	assert_found(a, DAMAGE_VIEW, "national", 50);
	assert_false(a->report.view_checked);
}

static void grow_and_fold(struct audit *a)
{
	commit(a, 150);
	commit(a, 60);
	fold_all(a);
}

static void a_store_that_is_written_meanwhile_is_whole_as_well(void **state)
{
	struct audit *a = *state;

	a->meanwhile = grow_and_fold;
	assert_whole(a);
	assert_null(a->meanwhile);
	assert_int_equal(a->report.position, 8);
	assert_int_equal(a->report.records, 100);
	assert_whole(a);
	assert_int_equal(a->report.position, 10);
}

static void a_view_that_lags_behind_is_compared_where_it_stands(void **state)
{
	struct audit *a = *state;

	commit(a, 10);
	assert_whole(a);
	assert_int_equal(a->report.position, 8);
}

/* The row of a record's version among the superseded ones. */
static struct bytes version_key(struct audit *a, const char *record, uint64_t position,
				uint64_t index)
{
	struct buf key = {0};
	struct bytes copy = {NULL, 0};

	buf_add_text(&key, record);
	buf_add_u8(&key, 0);
	buf_add_u64be(&key, position);
	buf_add_u64be(&key, index);
	copy = kept(a->n, buf_bytes(&key));
	buf_free(&key);
	return copy;
}

/* Record 50 as the view was when its comparison began: event 650, of entry 7. */
static struct bytes version_of_then(struct audit *a)
{
	return version_key(a, "\x04pl26-cis-050", 7, 650);
}

static void grow_and_lose_a_version(struct audit *a)
{
	grow_and_fold(a);
	delete (a->store, a->view.versions, version_of_then(a));
}

static void grow_and_alter_a_version(struct audit *a)
{
	grow_and_fold(a);
	flip(a, a->store, a->view.versions, version_of_then(a), 4);
}

static void grow_and_add_a_version(struct audit *a)
{
	grow_and_fold(a);
	put(a->store, a->view.versions, version_key(a, "\x04pl26-cis-050", 7, 651),
	    get(a, a->store, a->view.versions, row_after(a, a->view.versions, "\x04pl26-cis-050")));
}

/* What happens as the view begins to be compared damages versions, and nothing else. */
static void assert_versions_damaged(struct audit *a, void (*meanwhile)(struct audit *a))
{
	a->meanwhile = meanwhile;
	verify(a);
	assert_int_equal(a->report.position, 8);
	assert_true(a->count > 0);
	for (size_t i = 0; i < a->count; i++)
		assert_int_equal(a->told[i].damage, DAMAGE_VERSION);
}

static void a_version_superseded_meanwhile_and_lost_is_found(void **state)
{
	assert_versions_damaged(*state, grow_and_lose_a_version);
}

static void a_version_superseded_meanwhile_and_altered_is_found(void **state)
{
	assert_versions_damaged(*state, grow_and_alter_a_version);
}

static void a_version_that_comes_up_meanwhile_is_found(void **state)
{
	assert_versions_damaged(*state, grow_and_add_a_version);
}

/* A current version is superseded by nothing. */
static void a_current_version_among_the_superseded_is_found(void **state)
{
	struct audit *a = *state;
	struct bytes current = get(a, a->store, a->view.records, bytes_of_text("\x04pl26-cis-050"));

	put(a->store, a->view.versions, version_of_then(a), current);
	assert_found_one(a, DAMAGE_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AUDIT(an_altered_record_is_found_by_its_id),
		AUDIT(an_altered_version_is_found_by_its_event),
		AUDIT(an_altered_count_is_found_by_its_row),
		AUDIT(an_altered_change_is_found_by_its_entry),
		AUDIT(an_altered_time_is_found_by_its_entry),
		AUDIT(a_view_ahead_of_its_log_is_found),
		AUDIT(a_store_that_is_written_meanwhile_is_whole_as_well),
		AUDIT(a_view_that_lags_behind_is_compared_where_it_stands),
		AUDIT(a_version_superseded_meanwhile_and_lost_is_found),
		AUDIT(a_version_superseded_meanwhile_and_altered_is_found),
		AUDIT(a_version_that_comes_up_meanwhile_is_found),
		AUDIT(a_current_version_among_the_superseded_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
