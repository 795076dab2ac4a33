/* Doors that servers open: none without a keeper and a key, each proved closed before it is used.
 */
#include "io_socket_world.h"

#include <sys/resource.h>

static void no_door_opens_without_a_door_keeper_or_a_key(void **state)
{
	struct world *w = *state;
	struct curve keys = serving_keys(w);
	struct curve none = {NULL, NULL, NULL};
	struct endpoint *e = NULL;

	assert_int_equal(endpoint_router(w->asking, "tcp://127.0.0.1:*", &keys, &e), ERR_ARGUMENT);
	assert_int_equal(endpoint_router(w->serving, "tcp://127.0.0.1:*", &none, &e), ERR_ARGUMENT);
	assert_int_equal(endpoint_router(w->serving, "tcp://127.0.0.1:*", NULL, &e), ERR_ARGUMENT);
	assert_int_equal(endpoint_dealer(w->asking, "tcp://127.0.0.1:1", &keys, &e), ERR_ARGUMENT);
}

static void a_closed_door_is_proved_closed(void **state)
{
	struct world *w = *state;

	OK(network_prove_closed(w->serving, w->router, endpoint_address(w->router),
				w->server.public));
	OK(network_prove_closed(w->serving, w->router, NULL, w->server.public));
	assert_true(network_rejected(w->serving) >= 2);
}

static void an_open_door_is_found_open(void **state)
{
	struct world *w = *state;

	w->let_all_in = true;
	assert_int_equal(network_prove_closed(w->serving, w->router, endpoint_address(w->router),
					      w->server.public),
			 ERR_DENIED);
}

static void a_door_bound_everywhere_is_tried_through_loopback(void **state)
{
	struct world *w = *state;
	struct curve keys = serving_keys(w);
	struct endpoint *everywhere = NULL;

	OK(endpoint_router(w->serving, "tcp://*:*", &keys, &everywhere));
	OK(network_prove_closed(w->serving, everywhere, endpoint_address(everywhere),
				w->server.public));
	endpoint_close(everywhere);
}

static void a_bound_address_is_busy_for_another(void **state)
{
	struct world *w = *state;
	struct curve keys = serving_keys(w);
	struct endpoint *second = NULL;

	assert_int_equal(endpoint_router(w->serving, endpoint_address(w->router), &keys, &second),
			 ERR_BUSY);
	assert_int_equal(endpoint_router(w->serving, "nonsense", &keys, &second), ERR_ARGUMENT);
}

static void a_door_without_a_descriptor_left_is_told_from_one_without_memory(void **state)
{
	struct world *w = *state;
	struct curve keys = serving_keys(w);
	struct endpoint *second = NULL;
	struct rlimit usual, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	none = usual;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(endpoint_router(w->serving, "tcp://127.0.0.1:*", &keys, &second),
			 ERR_DESCRIPTORS);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
	OK(endpoint_router(w->serving, "tcp://127.0.0.1:*", &keys, &second));
	endpoint_close(second);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(no_door_opens_without_a_door_keeper_or_a_key),
		T(a_closed_door_is_proved_closed),
		T(an_open_door_is_found_open),
		T(a_door_bound_everywhere_is_tried_through_loopback),
		T(a_bound_address_is_busy_for_another),
		T(a_door_without_a_descriptor_left_is_told_from_one_without_memory),
	};

	return cmocka_run_group_tests_name("door", tests, NULL, NULL);
}
