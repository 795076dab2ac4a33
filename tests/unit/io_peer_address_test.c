/* Which connections are bounded together. */
#include "temporary.h"

#include <arpa/inet.h>
#include <string.h>

#include "io/peer_address.h"

static union peer_address at(const char *text, uint16_t port)
{
	union peer_address a;

	memset(&a, 0, sizeof a);
	if (strchr(text, ':')) {
		a.v6.sin6_family = AF_INET6;
		a.v6.sin6_port = htons(port);
		assert_int_equal(inet_pton(AF_INET6, text, &a.v6.sin6_addr), 1);
	} else {
		a.v4.sin_family = AF_INET;
		a.v4.sin_port = htons(port);
		assert_int_equal(inet_pton(AF_INET, text, &a.v4.sin_addr), 1);
	}
	return a;
}

static void who_has_a_network_of_addresses_is_one_party(void **state)
{
	static const struct {
		const char *a, *b;
		bool related;
	} rows[] = {
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.1", true},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		{"::1", "::ffff:192.0.2.1", false},
		{"192.0.2.1", "::ffff:192.0.2.1", false}, /* one socket gives one kind */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		union peer_address a = at(rows[i].a, 1000);
		union peer_address b = at(rows[i].b, 2000);

		assert_int_equal(peer_address_related(&a, &b), rows[i].related);
		assert_int_equal(peer_address_related(&b, &a), rows[i].related);
	}
}

static void a_connection_is_known_by_its_whole_address_and_port(void **state)
{
	static const char *const texts[] = {"192.0.2.1", "192.0.2.2", "2001:db8:1:2::1",
					    "2001:db8:1:2::2", "::ffff:192.0.2.1"};
	const size_t count = sizeof texts / sizeof *texts;

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++) {
			union peer_address a = at(texts[i], 1000);
			union peer_address b = at(texts[j], 1000);
			union peer_address c = at(texts[j], 1001);

			assert_int_equal(peer_address_equal(&a, &b), i == j);
			assert_false(peer_address_equal(&a, &c));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_a_network_of_addresses_is_one_party),
		cmocka_unit_test(a_connection_is_known_by_its_whole_address_and_port),
	};

	return cmocka_run_group_tests_name("peer address", tests, NULL, NULL);
}
