/* Sockets over loopback with CURVE and ZAP: who is known gets in, who is not never speaks. */
#include "io_socket_world.h"

#include <unistd.h>
#include <zmq.h> /* to speak as a peer that is not ours would */

#include "base/time.h"

enum { PATIENCE_MS = 5000 };

static struct endpoint *dealer(struct world *w, struct key_pair *own)
{
	struct curve keys = asking_keys(w, own);
	struct endpoint *e = NULL;

	OK(endpoint_dealer(w->asking, endpoint_address(w->router), &keys, &e));
	return e;
}

/* Both sides' turns until `at` has a message or time runs out. */
static enum err receive_within(struct world *w, struct endpoint *at, struct message *m, long ms)
{
	int64_t end = mono_now().ms + ms;
	enum err err = ERR_AGAIN;

	while ((err = endpoint_receive(at, m)) == ERR_AGAIN && mono_now().ms < end) {
		struct poll_item router = {.endpoint = w->router, .want = POLL_READ};

		OK(network_poll(w->serving, &router, 1, 2));
		OK(network_poll(w->asking, NULL, 0, 0));
	}
	return err;
}

static enum err send_within(struct world *w, struct endpoint *from, struct bytes peer,
			    const struct bytes *frames, size_t count, long ms)
{
	int64_t end = mono_now().ms + ms;
	enum err err = ERR_AGAIN;

	while ((err = endpoint_send(from, peer, frames, count)) == ERR_AGAIN && mono_now().ms < end)
		OK(network_poll(w->serving, NULL, 0, 2));
	return err;
}

static void a_known_key_speaks_under_its_name_and_is_answered(void **state)
{
	struct world *w = *state;
	struct endpoint *node = dealer(w, &w->node);
	struct bytes frames[] = {bytes_of_text("header"), bytes_of("", 0), bytes_of_text("x")};
	struct bytes none = {NULL, 0};
	struct message m = {0};
	struct message reply = {0};

	OK(send_within(w, node, none, frames, 3, PATIENCE_MS));
	OK(receive_within(w, w->router, &m, PATIENCE_MS));
	assert_string_equal(m.user, "26");
	assert_int_equal(m.frame_count, 3);
	assert_false(m.excess);
	assert_true(bytes_equal(m.frames[0], frames[0]));
	assert_int_equal(m.frames[1].size, 0);
	assert_true(m.peer_size > 0);
	OK(endpoint_send(w->router, bytes_of(m.peer, m.peer_size), frames, 1));
	OK(receive_within(w, node, &reply, PATIENCE_MS));
	assert_int_equal(reply.frame_count, 1);
	assert_string_equal(reply.user, "");
	message_free(&reply);
	message_free(&m);
	message_free(&m); /* harmless */
	assert_int_equal(network_rejected(w->serving), 0);
	endpoint_close(node);
}

static void an_unknown_key_never_delivers_and_is_counted(void **state)
{
	struct world *w = *state;
	struct endpoint *stranger = dealer(w, &w->stranger);
	struct bytes frame = bytes_of_text("let me in");
	struct bytes none = {NULL, 0};
	struct message m = {0};

	(void)send_within(w, stranger, none, &frame, 1, 300);
	assert_int_equal(receive_within(w, w->router, &m, 300), ERR_AGAIN);
	assert_true(network_rejected(w->serving) > 0);
	endpoint_close(stranger);
}

/* Until the router's connection to that peer is gone. */
static void await_gone(struct world *w, const struct message *m)
{
	struct bytes frame = bytes_of_text("still there?");
	int64_t end = mono_now().ms + PATIENCE_MS;
	enum err err = ERR_OK;

	while (err != ERR_CLOSED && mono_now().ms < end) {
		OK(network_poll(w->serving, NULL, 0, 2));
		err = endpoint_send(w->router, bytes_of(m->peer, m->peer_size), &frame, 1);
	}
	assert_int_equal(err, ERR_CLOSED);
}

/* Sends until something arrives: what was on its way when the connection ended is lost. */
static void send_until_heard(struct world *w, struct endpoint *from, struct message *ret)
{
	struct bytes frame = bytes_of_text("header");
	struct bytes none = {NULL, 0};
	int64_t end = mono_now().ms + PATIENCE_MS;
	enum err err = ERR_AGAIN;

	while (err == ERR_AGAIN && mono_now().ms < end) {
		OK(send_within(w, from, none, &frame, 1, PATIENCE_MS));
		err = receive_within(w, w->router, ret, 200);
	}
	assert_int_equal(err, ERR_OK);
}

static void one_connection_is_ended_and_the_others_go_on(void **state)
{
	struct world *w = *state;
	struct endpoint *nodes[] = {dealer(w, &w->node), NULL};
	struct bytes frame = bytes_of_text("header");
	struct bytes none = {NULL, 0};
	struct message first = {0};
	struct message second = {0};
	struct message again = {0};

	OK(send_within(w, nodes[0], none, &frame, 1, PATIENCE_MS));
	OK(receive_within(w, w->router, &first, PATIENCE_MS));
	nodes[1] = dealer(w, &w->node);
	OK(send_within(w, nodes[1], none, &frame, 1, PATIENCE_MS));
	OK(receive_within(w, w->router, &second, PATIENCE_MS));
	assert_int_equal(first.connection, 1);
	assert_int_equal(second.connection, 2);
	assert_int_equal(network_admitted(w->serving), 2);
	endpoint_end(w->router, "24", 2, 0);
	endpoint_end(w->router, "26", 1, 0);
	await_gone(w, &first);
	OK(endpoint_send(w->router, bytes_of(second.peer, second.peer_size), &frame, 1));
	/* Who was hung up on connects anew, with another number. */
	send_until_heard(w, nodes[0], &again);
	assert_int_equal(again.connection, 3);
	message_free(&first);
	message_free(&second);
	message_free(&again);
	endpoint_close(nodes[0]);
	endpoint_close(nodes[1]);
}

static void what_comes_before_a_connection_ends_is_dropped(void **state)
{
	struct world *w = *state;
	struct endpoint *node = dealer(w, &w->node);
	struct bytes frame = bytes_of_text("header");
	struct bytes none = {NULL, 0};
	struct message m = {0};
	struct message more = {0};

	OK(send_within(w, node, none, &frame, 1, PATIENCE_MS));
	OK(receive_within(w, w->router, &m, PATIENCE_MS));
	endpoint_end(w->router, "26", 1, 200);
	OK(endpoint_send(w->router, bytes_of(m.peer, m.peer_size), &frame, 1)); /* it still hears */
	OK(send_within(w, node, none, &frame, 1, PATIENCE_MS));
	assert_int_equal(receive_within(w, w->router, &more, 100), ERR_AGAIN);
	await_gone(w, &m);
	message_free(&m);
	endpoint_close(node);
}

static void overran(void *context, const char *user)
{
	char *told = context;

	(void)snprintf(told, USER_BYTES_MAX + 1, "%s", user);
}

static void who_sends_further_ahead_than_it_may_is_ended_and_told_of(void **state)
{
	enum { AHEAD = 100 * 1000, FRAME = 50 * 1000, FRAMES = 30 };
	struct world *w = *state;
	struct endpoint *node = dealer(w, &w->node);
	static const uint8_t data[FRAME];
	struct bytes frame = bytes_of(data, sizeof data);
	struct bytes none = {NULL, 0};
	char told[USER_BYTES_MAX + 1] = "";
	struct message m = {0};
	int64_t end = mono_now().ms + PATIENCE_MS;

	endpoint_bound(w->router, AHEAD, overran, told);
	/* Read as it comes, it is never ahead. */
	for (int i = 0; i < FRAMES; i++) {
		OK(send_within(w, node, none, &frame, 1, PATIENCE_MS));
		OK(receive_within(w, w->router, &m, PATIENCE_MS));
		if (i < FRAMES - 1)
			message_free(&m);
	}
	OK(network_poll(w->serving, NULL, 0, 100));
	assert_string_equal(told, "");
	for (int i = 0; i < FRAMES; i++)
		OK(send_within(w, node, none, &frame, 1, PATIENCE_MS));
	while (!told[0] && mono_now().ms < end)
		OK(network_poll(w->serving, NULL, 0, 10));
	assert_string_equal(told, "26");
	await_gone(w, &m);
	message_free(&m);
	endpoint_close(node);
}

static void a_key_enrolled_later_gets_in_by_itself(void **state)
{
	struct world *w = *state;
	struct endpoint *node = NULL;
	struct bytes frame = bytes_of_text("hello");
	struct bytes none = {NULL, 0};
	struct message m = {0};
	int64_t end = mono_now().ms + PATIENCE_MS;

	w->node_revoked = true;
	node = dealer(w, &w->node);
	while (network_rejected(w->serving) < 1 && mono_now().ms < end)
		OK(network_poll(w->serving, NULL, 0, 5));
	assert_int_equal(network_rejected(w->serving), 1);
	w->node_revoked = false;
	OK(send_within(w, node, none, &frame, 1, 2 * PATIENCE_MS));
	OK(receive_within(w, w->router, &m, PATIENCE_MS));
	message_free(&m);
	endpoint_close(node);
}

static void frames_too_many_are_dropped_and_marked(void **state)
{
	struct world *w = *state;
	struct endpoint *node = dealer(w, &w->node);
	struct bytes frames[2 + COMMIT_FRAMES_MAX + 1];
	struct bytes none = {NULL, 0};
	struct message m = {0};
	size_t most = sizeof frames / sizeof *frames - 1;

	for (size_t i = 0; i <= most; i++)
		frames[i] = bytes_of_text("f");
	assert_int_equal(endpoint_send(node, none, frames, most + 1), ERR_ARGUMENT);
	assert_int_equal(endpoint_send(node, none, frames, 0), ERR_ARGUMENT);
	OK(send_within(w, node, none, frames, most, PATIENCE_MS));
	OK(receive_within(w, w->router, &m, PATIENCE_MS));
	assert_int_equal(m.frame_count, most);
	assert_false(m.excess);
	message_free(&m);
	endpoint_close(node);
}

static void a_frame_of_the_largest_size_passes_and_one_more_byte_is_refused(void **state)
{
	struct world *w = *state;
	struct endpoint *node = dealer(w, &w->node);
	uint8_t *large = calloc(1, FRAME_BYTES_MAX + 1);
	struct bytes frame = bytes_of(large, FRAME_BYTES_MAX);
	struct bytes none = {NULL, 0};
	struct message m = {0};

	assert_non_null(large);
	OK(send_within(w, node, none, &frame, 1, PATIENCE_MS));
	OK(receive_within(w, w->router, &m, PATIENCE_MS));
	assert_int_equal(m.frames[0].size, FRAME_BYTES_MAX);
	message_free(&m);
	frame.size++;
	assert_int_equal(endpoint_send(node, none, &frame, 1), ERR_LIMIT);
	free(large);
	endpoint_close(node);
}

/* A peer with a known key and manners of its own. */
static void *rude_dealer(struct world *w, void *context, const void *id, size_t id_size)
{
	const int none = 0;
	void *socket = zmq_socket(context, ZMQ_DEALER);

	assert_non_null(socket);
	(void)zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
	(void)zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, w->server.public, CURVE_BYTES);
	(void)zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, w->node.public, CURVE_BYTES);
	(void)zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, w->node.secret, CURVE_BYTES);
	if (id_size)
		(void)zmq_setsockopt(socket, ZMQ_ROUTING_ID, id, id_size);
	assert_int_equal(zmq_connect(socket, endpoint_address(w->router)), 0);
	return socket;
}

static void a_peer_without_manners_harms_nobody(void **state)
{
	struct world *w = *state;
	void *context = zmq_ctx_new();
	void *chatty = rude_dealer(w, context, NULL, 0);
	void *named = rude_dealer(w, context, "a routing id longer than sixteen bytes", 38);
	void *heavy = rude_dealer(w, context, NULL, 0);
	uint8_t *large = calloc(1, FRAME_BYTES_MAX + 1);
	struct message m = {0};

	assert_non_null(large);
	(void)zmq_send(named, "who am I", 8, 0);
	(void)zmq_send(heavy, large, FRAME_BYTES_MAX + 1, 0);
	assert_int_equal(receive_within(w, w->router, &m, 300), ERR_AGAIN);
	for (int i = 0; i < 1000; i++)
		(void)zmq_send(chatty, "f", 1, i < 999 ? ZMQ_SNDMORE : 0);
	(void)zmq_send(chatty, "g", 1, 0);
	OK(receive_within(w, w->router, &m, PATIENCE_MS));
	assert_true(m.excess);
	assert_int_equal(m.frame_count, 2 + COMMIT_FRAMES_MAX);
	message_free(&m);
	OK(receive_within(w, w->router, &m, PATIENCE_MS));
	assert_false(m.excess);
	assert_int_equal(m.frame_count, 1);
	assert_memory_equal(m.frames[0].data, "g", 1);
	message_free(&m);
	(void)zmq_close(chatty);
	(void)zmq_close(named);
	(void)zmq_close(heavy);
	(void)zmq_ctx_term(context);
	free(large);
}

static void a_peer_that_left_is_closed_not_silence(void **state)
{
	struct world *w = *state;
	struct endpoint *node = dealer(w, &w->node);
	struct bytes frame = bytes_of_text("x");
	struct bytes none = {NULL, 0};
	struct message m = {0};
	enum err err = ERR_OK;
	int64_t end = mono_now().ms + PATIENCE_MS;

	OK(send_within(w, node, none, &frame, 1, PATIENCE_MS));
	OK(receive_within(w, w->router, &m, PATIENCE_MS));
	endpoint_close(node);
	while (err != ERR_CLOSED && mono_now().ms < end) {
		OK(network_poll(w->serving, NULL, 0, 5));
		err = endpoint_send(w->router, bytes_of(m.peer, m.peer_size), &frame, 1);
	}
	assert_int_equal(err, ERR_CLOSED);
	message_free(&m);
	assert_int_equal(endpoint_send(w->router, none, &frame, 1), ERR_ARGUMENT);
}

static void a_dealer_without_a_server_says_again_and_queues_nothing(void **state)
{
	struct world *w = *state;
	struct curve keys = asking_keys(w, &w->node);
	struct endpoint *node = NULL;
	struct bytes frame = bytes_of_text("x");
	struct bytes none = {NULL, 0};

	OK(endpoint_dealer(w->asking, "tcp://127.0.0.1:1", &keys, &node));
	assert_int_equal(endpoint_send(node, none, &frame, 1), ERR_AGAIN);
	endpoint_close(node);
}

static void many_messages_arrive_whole_and_in_order(void **state)
{
	struct world *w = *state;
	struct endpoint *node = dealer(w, &w->node);
	struct bytes none = {NULL, 0};
	struct message held[3] = {{0}};

	for (uint32_t sent = 0, got = 0; got < 2000;) {
		struct message *m = &held[got % 3];
		struct bytes frames[2] = {bytes_of(&sent, sizeof sent), bytes_of("y", 1)};

		if (sent < 2000 && endpoint_send(node, none, frames, 2) == ERR_OK)
			sent++;
		OK(network_poll(w->serving, NULL, 0, 0));
		message_free(m);
		if (endpoint_receive(w->router, m) == ERR_OK) {
			assert_int_equal(m->frame_count, 2);
			assert_memory_equal(m->frames[0].data, &got, sizeof got);
			got++;
		}
	}
	for (size_t i = 0; i < 3; i++)
		message_free(&held[i]);
	endpoint_close(node);
}

/* Publishes until the subscriber hears, at most so long. */
static enum err hear(struct world *w, struct endpoint *publisher, struct endpoint *subscriber,
		     long ms)
{
	struct bytes frame = bytes_of_text("news");
	struct bytes none = {NULL, 0};
	struct message m = {0};
	int64_t end = mono_now().ms + ms;
	enum err err = ERR_AGAIN;

	while (err == ERR_AGAIN && mono_now().ms < end) {
		OK(endpoint_send(publisher, none, &frame, 1));
		OK(network_poll(w->serving, NULL, 0, 5));
		err = endpoint_receive(subscriber, &m);
	}
	message_free(&m);
	return err;
}

static void a_revoked_subscriber_hears_nothing_after_the_publisher_rebinds(void **state)
{
	struct world *w = *state;
	struct curve keys = serving_keys(w);
	struct curve own = asking_keys(w, &w->node);
	struct endpoint *publisher = NULL;
	struct endpoint *subscriber = NULL;
	struct message m = {0};

	OK(endpoint_publisher(w->serving, "tcp://127.0.0.1:*", &keys, &publisher));
	OK(endpoint_subscriber(w->asking, endpoint_address(publisher), &own, &subscriber));
	OK(hear(w, publisher, subscriber, PATIENCE_MS));
	w->node_revoked = true;
	OK(hear(w, publisher, subscriber, PATIENCE_MS)); /* ZAP is asked at the handshake only */
	OK(endpoint_rebind(publisher, &keys));
	while (endpoint_receive(subscriber, &m) == ERR_OK)
		message_free(&m); /* what was under way */
	assert_int_equal(hear(w, publisher, subscriber, 400), ERR_AGAIN);
	assert_true(network_rejected(w->serving) > 0);
	endpoint_close(subscriber);
	endpoint_close(publisher);
}

static void polling_watches_plain_descriptors_too(void **state)
{
	struct world *w = *state;
	int fds[2];
	struct poll_item items[3] = {{0}};

	assert_int_equal(pipe(fds), 0);
	items[0] = (struct poll_item){.endpoint = w->router, .want = POLL_READ};
	items[1] = (struct poll_item){.fd = fds[0], .want = POLL_READ};
	items[2] = (struct poll_item){.fd = fds[1], .want = POLL_WRITE};
	OK(network_poll(w->serving, items, 3, 100));
	assert_int_equal(items[0].got, 0);
	assert_int_equal(items[1].got, 0);
	assert_int_equal(items[2].got, POLL_WRITE);
	assert_int_equal(write(fds[1], "x", 1), 1);
	OK(network_poll(w->serving, items, 2, -1));
	assert_int_equal(items[1].got, POLL_READ);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void a_public_key_follows_from_its_secret(void **state)
{
	struct world *w = *state;
	uint8_t public[CURVE_BYTES];

	OK(curve_public(w->node.secret, public));
	assert_memory_equal(public, w->node.public, CURVE_BYTES);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_known_key_speaks_under_its_name_and_is_answered),
		T(an_unknown_key_never_delivers_and_is_counted),
		T(one_connection_is_ended_and_the_others_go_on),
		T(what_comes_before_a_connection_ends_is_dropped),
		T(who_sends_further_ahead_than_it_may_is_ended_and_told_of),
		T(a_key_enrolled_later_gets_in_by_itself),
		T(frames_too_many_are_dropped_and_marked),
		T(a_frame_of_the_largest_size_passes_and_one_more_byte_is_refused),
		T(a_peer_without_manners_harms_nobody),
		T(a_peer_that_left_is_closed_not_silence),
		T(a_dealer_without_a_server_says_again_and_queues_nothing),
		T(many_messages_arrive_whole_and_in_order),
		T(a_revoked_subscriber_hears_nothing_after_the_publisher_rebinds),
		T(polling_watches_plain_descriptors_too),
		T(a_public_key_follows_from_its_secret),
	};

	return cmocka_run_group_tests_name("socket", tests, NULL, NULL);
}
