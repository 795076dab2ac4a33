/* Answers that are longer than one reply: read page by page, nothing is left out. */
#include "ledger_fixture.h"

#include "ledger/answer.h"

enum { CHANGES_EACH = 500 };

struct answering {
	struct fixture *f;
	struct view view;
	struct view_fold *fold;
	uint64_t position;
};

static struct answering *new_answering(struct fixture *f)
{
	struct answering *a = arena_alloc(&f->arena, sizeof *a);

	assert_non_null(a);
	*a = (struct answering){.f = f};
	assert_ok(view_open(f->store, true, &a->view));
	assert_ok(view_fold_new(&a->fold));
	return a;
}

/* One entry; event `index` of it has the changes from `index` * `each` on. */
static void fold(struct answering *a, struct change *changes, size_t count, size_t each)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(a->f->store, true, &t));
	for (size_t i = 0; i * each < count; i++) {
		size_t left = count - i * each;
		struct event e = event_of(changes + i * each, left < each ? left : each);

		assert_ok(view_fold_event(a->fold, &a->view, t, a->position, name_of("26"), i, &e));
	}
	assert_ok(view_fold_finish(a->fold, &a->view, t, ++a->position));
	assert_ok(txn_commit(t));
}

/* As a daemon answers: the request and the reply have been bytes on the way. */
static struct control_reply ask(struct answering *a, const struct control_request *q)
{
	struct arena *arena = &a->f->arena;
	struct control_request taken;
	struct control_reply given;
	struct control_reply reply;
	struct buf raw = {.data = NULL};
	struct txn *t = NULL;

	assert_ok(control_request_encode(q, &raw));
	assert_ok(control_request_decode(buf_bytes(&raw), arena, &taken));
	assert_ok(txn_begin(a->f->store, false, &t));
	assert_ok(answer_view(&a->view, t, &taken, arena, &given));
	buf_clear(&raw);
	assert_ok(control_reply_encode(&given, arena, &raw)); /* LIMIT over CONTROL_BYTES_MAX */
	txn_abort(t);
	assert_ok(control_reply_decode(buf_bytes(&raw), arena, &reply));
	buf_free(&raw);
	return reply;
}

static int compare(const struct count_row *a, const struct count_row *b)
{
	const char *const of_a[] = {a->metric, a->region, a->kind, a->key};
	const char *const of_b[] = {b->metric, b->region, b->kind, b->key};
	int order = 0;

	for (size_t i = 0; order == 0 && i < 4; i++)
		order = strcmp(of_a[i], of_b[i]);
	return order;
}

/* Memberships of `count` networks, whose ids are as long as ids can be when `longest`. */
static struct change *memberships(struct answering *a, size_t count, bool longest)
{
	struct change *changes = arena_alloc(&a->f->arena, count * sizeof *changes);

	assert_non_null(changes);
	for (size_t i = 0; i < count; i++) {
		char network[ID_BYTES_MAX + 1];
		char id[ID_BYTES_MAX + 1];

		(void)snprintf(network, sizeof network, "pl26-net-%0*zu", longest ? 119 : 5, i);
		(void)snprintf(id, sizeof id, "pl26-net-%05zu--pl26-kis-a", i);
		changes[i] = put_change(record_with(&a->f->arena, RECORD_MEMBERSHIP, "id", id,
						    "network_id", network, NULL));
	}
	return changes;
}

static void the_summary_of_so_many_networks_is_read_whole(struct answering *a, size_t networks)
{
	struct control_request q = {.verb = CONTROL_SUMMARY};
	struct control_reply page = {.more = true};
	struct count_row last = {"", "", "", "", 0};
	size_t found = 0;
	size_t pages = 0;

	while (page.more) {
		page = ask(a, &q);
		assert_int_equal(page.code, ERR_OK);
		assert_int_equal(page.position, a->position);
		assert_true(page.count_count > 0);
		pages++;
		for (size_t i = 0; i < page.count_count; i++) {
			assert_true(compare(&last, &page.counts[i]) < 0);
			last = page.counts[i];
			if (strcmp(last.metric, "memberships_by_network") == 0) {
				found++;
				assert_int_equal(last.value, 1);
			}
		}
		q.after_count = last;
	}
	assert_int_equal(found, networks);
	assert_true(pages > 1);
	q.after_count.metric = "zzz";
	page = ask(a, &q);
	assert_true(page.code == ERR_OK && page.count_count == 0 && !page.more);
}

static void a_summary_longer_than_a_reply_is_read_whole(void **state)
{
	enum { NETWORKS = 6000 };
	struct answering *a = new_answering(*state);
	struct change *changes = memberships(a, NETWORKS, false);

	fold(a, changes, NETWORKS, CHANGES_EACH);
	the_summary_of_so_many_networks_is_read_whole(a, NETWORKS);
	view_fold_free(a->fold);
}

static void a_summary_of_the_longest_ids_is_read_whole(void **state)
{
	enum { NETWORKS = 3000 };
	struct answering *a = new_answering(*state);
	struct change *changes = memberships(a, NETWORKS, true);

	fold(a, changes, NETWORKS, CHANGES_EACH);
	the_summary_of_so_many_networks_is_read_whole(a, NETWORKS);
	view_fold_free(a->fold);
}

static void a_summary_goes_on_after_a_row_that_has_gone(void **state)
{
	enum { NETWORKS = 6000 };
	struct answering *a = new_answering(*state);
	struct change *changes = memberships(a, NETWORKS, false);
	struct control_request q = {.verb = CONTROL_SUMMARY};
	struct control_reply page;
	struct change gone;
	struct count_row last;
	char id[ID_BYTES_MAX + 1];

	fold(a, changes, NETWORKS, CHANGES_EACH);
	page = ask(a, &q);
	assert_true(page.more);
	last = page.counts[page.count_count - 1];
	assert_string_equal(last.metric, "memberships_by_network");
	(void)snprintf(id, sizeof id, "%s--pl26-kis-a", last.key);
	gone = retire_change(RECORD_MEMBERSHIP, id);
	fold(a, &gone, 1, 1);
	q.after_count = last;
	page = ask(a, &q);
	assert_int_equal(page.position, 2); /* by which the asker sees that it has changed */
	assert_true(page.count_count > 0);
	assert_true(compare(&last, &page.counts[0]) < 0);
	assert_int_equal(strtoul(page.counts[0].key + strlen("pl26-net-"), NULL, 10),
			 strtoul(last.key + strlen("pl26-net-"), NULL, 10) + 1);
	view_fold_free(a->fold);
}

static void a_history_longer_than_a_reply_inside_one_entry_is_read_whole(void **state)
{
	enum { VERSIONS = 2 * QUERY_ROWS_MAX + 500 };
	struct answering *a = new_answering(*state);
	struct change *changes = arena_alloc(&a->f->arena, VERSIONS * sizeof *changes);
	struct control_request q = {.verb = CONTROL_QUERY, .id = "pl26-kis-a", .history = true};
	struct control_reply page = {.more = true};
	size_t left = VERSIONS;

	assert_non_null(changes);
	for (size_t i = 0; i < VERSIONS; i++) {
		char name[24];

		(void)snprintf(name, sizeof name, "%zu", i);
		changes[i] = put_change(record_with(&a->f->arena, RECORD_ENTITY, "id", "pl26-kis-a",
						    "name", name, NULL));
	}
	fold(a, changes, VERSIONS, 1);
	while (page.more) {
		page = ask(a, &q);
		assert_int_equal(page.code, ERR_OK);
		assert_true(page.version_count > 0 && page.version_count <= left);
		for (size_t i = 0; i < page.version_count; i++)
			assert_int_equal(page.versions[i].index, --left);
		q.at = page.versions[page.version_count - 1].position;
		q.before_index = page.versions[page.version_count - 1].index;
	}
	assert_int_equal(left, 0);
	view_fold_free(a->fold);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_summary_longer_than_a_reply_is_read_whole),
		TEST(a_summary_of_the_longest_ids_is_read_whole),
		TEST(a_summary_goes_on_after_a_row_that_has_gone),
		TEST(a_history_longer_than_a_reply_inside_one_entry_is_read_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
