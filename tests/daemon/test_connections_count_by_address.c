/* so many connections from one place: an address of IPv4, a network of IPv6 */
#include <arpa/inet.h>
#include <string.h>

#include "check_main.h"
#include "daemon/portal_impl.h"

static struct portal_server server;

static struct sockaddr_storage
address(const char *text)
{
	struct sockaddr_storage addr = { .ss_family = AF_INET };
	struct sockaddr_in6 *in6 = (void *)&addr;
	struct sockaddr_in *in = (void *)&addr;

	if (inet_pton(AF_INET, text, &in->sin_addr) == 1)
		return addr;
	addr.ss_family = AF_INET6;
	ck_assert_int_eq(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	return addr;
}

static bool
come(const char *text)
{
	struct sockaddr_storage addr = address(text);

	return portal_conn_admit(&server, &addr);
}

static void
leave(const char *text)
{
	struct sockaddr_storage addr = address(text);

	portal_conn_gone(&server, &addr);
}

static void
begin(uint32_t conns, uint32_t of_one)
{
	server = (struct portal_server){ .limits = { .conns_max = conns,
	    .conns_address_max = of_one, .logins_max = 100 } };
	ck_assert_int_eq(pthread_mutex_init(&server.lock, NULL), 0);
	ck_assert_int_eq(pthread_cond_init(&server.cond, NULL), 0);
}

START_TEST(one_place_one_count)
{
	static const struct {
		const char *first, *second;
		bool is_one;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", false },
		{ "2001:db8::1", "2001:db8::ffff:1:2:3", true },
		{ "2001:db8:0:1::1", "2001:db8:0:2::1", false },
		{ "fe80::1", "fe80::2", false },
		{ "fe80::1", "fe80::1", true },
		/* not counted */
		{ "127.0.0.1", "127.0.0.1", false },
		{ "::1", "::1", false },
		{ "::ffff:127.0.0.1", "::ffff:127.0.0.1", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin(100, 1);
		ck_assert(come(rows[i].first));
		ck_assert_msg(come(rows[i].second) != rows[i].is_one, "%s and %s",
		    rows[i].first, rows[i].second);
		leave(rows[i].first);
		if (!rows[i].is_one)
			leave(rows[i].second);
		ck_assert_uint_eq(server.n_conns, 0);
		ck_assert_ptr_null(server.addresses);
	}
}
END_TEST

START_TEST(who_leaves_makes_room)
{
	begin(3, 2);
	ck_assert(come("2001:db8::1") && come("2001:db8::2") && !come("2001:db8::3"));
	leave("2001:db8::1");
	ck_assert(come("2001:db8::3"));
	ck_assert(come("127.0.0.1") && !come("127.0.0.1"));
	leave("127.0.0.1");
	leave("2001:db8::2");
	leave("2001:db8::3");
	ck_assert_ptr_null(server.addresses);
}
END_TEST

CHECK_MAIN("connections by address", one_place_one_count, who_leaves_makes_room)
