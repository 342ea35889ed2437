/* connections, credits, bytes, slow readers, deadlines */
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "check_main.h"
#include "mock_client.h"
#include "scsi/cdb.h"

static uint8_t cdb[CDB_BUF_LEN];

/* real time, and what a test adds to it */
static _Atomic uint64_t skew_ns;

static uint64_t
skewed(void *arg UNUSED)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec + atomic_load(&skew_ns);
}

START_TEST(connections_are_counted)
{
	struct fixture f;
	struct mc c[20], late;

	fixture_init(&f);
	f.conf.connections = 4;		/* and 16 for admins, which this is */
	fixture_disk(&f, "mem:1M");
	fixture_start(&f);
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		mc_connect(&f, &c[i]);
	mc_connect_raw(&f, &late);
	ck_assert_int_eq(mc_error(&late, 0), SCSAD__ERROR_CODE__ERR_BUSY);
	mc_expect_end(&late);
	mc_close(&late);
	mc_close(&c[0]);
	fixture_wait(&f, ARRAY_LEN(c) - 1, 0);
	mc_connect(&f, &c[0]);
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		mc_close(&c[i]);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}
END_TEST

START_TEST(credits_are_limited)
{
	struct fixture f;
	struct mc c;
	uint64_t h;

	fixture_init(&f);
	f.conf.requests = 3;
	fixture_disk(&f, "mem:1M");
	fixture_start(&f);
	mc_connect(&f, &c);
	h = mc_open(&c, "disk@0,0");
	(void)mc_fault(&c, "action=drop");
	for (unsigned int i = 0; i < 3; i++)
		(void)mc_submit(&c, h, cdb, cdb_tur(cdb), SCSAD__DIRECTION__DIR_NONE, NULL, 0);
	ck_assert_int_eq(mc_error(&c, mc_submit(&c, h, cdb, cdb_tur(cdb),
	    SCSAD__DIRECTION__DIR_NONE, NULL, 0)), SCSAD__ERROR_CODE__ERR_BUSY);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(bytes_are_limited)
{
	struct fixture f;
	struct mc c;
	uint64_t h;

	fixture_init(&f);
	f.conf.client_bytes = 1u << 20;
	fixture_disk(&f, "mem:2M");
	fixture_start(&f);
	mc_connect(&f, &c);
	h = mc_open(&c, "disk@0,0");
	(void)mc_fault(&c, "action=drop");
	(void)mc_submit(&c, h, cdb, mc_cdb_read(cdb, 0, 2048), SCSAD__DIRECTION__DIR_IN, NULL,
	    1u << 20);
	ck_assert_int_eq(mc_error(&c, mc_submit(&c, h, cdb, mc_cdb_read(cdb, 0, 1),
	    SCSAD__DIRECTION__DIR_IN, NULL, 512)), SCSAD__ERROR_CODE__ERR_BUSY);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

/* packets done when the loop has nothing left to do for @c: two turns without a further one */
static uint64_t
settled(struct fixture *f, struct mc *other)
{
	struct rpc_stats before, after;

	do {
		rpc_server_stats(f->rpc, &before);
		mc_check_alive(other);
		mc_check_alive(other);
		rpc_server_stats(f->rpc, &after);
	} while (before.packets_done != after.packets_done || after.packets_done == 0);
	return after.packets_done;
}

/* asks for far more than it reads: the daemon stops reading it, and goes on when it reads */
START_TEST(slow_reader_is_not_read)
{
	struct fixture f;
	struct mc c, other;
	uint64_t h;
	uint64_t done;
	enum { N = 100, LEN = 65536 };

	fixture_init(&f);
	f.conf.unsent_bytes = 65536;
	fixture_disk(&f, "mem:1M");
	fixture_start(&f);
	mc_connect(&f, &c);
	mc_connect(&f, &other);
	h = mc_open(&c, "disk@0,0");
	for (unsigned int i = 0; i < N / 2; i++)
		(void)mc_submit(&c, h, cdb, mc_cdb_read(cdb, 0, LEN / 512),
		    SCSAD__DIRECTION__DIR_IN, NULL, LEN);
	done = settled(&f, &other);
	for (unsigned int i = N / 2; i < N; i++)
		(void)mc_submit(&c, h, cdb, mc_cdb_read(cdb, 0, LEN / 512),
		    SCSAD__DIRECTION__DIR_IN, NULL, LEN);
	ck_assert_uint_eq(settled(&f, &other), done);
	ck_assert_uint_le(done, N / 2);
	for (unsigned int i = 0; i < N; i++) {
		(void)mc_msg(&c, &scsad__completion__descriptor);
		ck_assert_uint_eq(c.head.data_len, LEN);
	}
	mc_check_alive(&c);
	mc_close(&c);
	mc_close(&other);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}
END_TEST

START_TEST(silence_before_hello_ends)
{
	struct fixture f;
	struct mc c, other;

	clock_set_source(skewed, NULL);
	fixture_simple(&f);
	mc_connect_raw(&f, &c);
	mc_connect(&f, &other);
	atomic_fetch_add(&skew_ns, 6 * NS_PER_S);
	ck_assert_int_eq(mc_error(&c, 0), SCSAD__ERROR_CODE__ERR_TIMEOUT);
	mc_expect_end(&c);
	mc_check_alive(&other);
	mc_close(&c);
	mc_close(&other);
	fixture_stop(&f);
}
END_TEST

START_TEST(half_a_frame_ends)
{
	struct fixture f;
	struct mc c;
	uint8_t half[5] = { 0 };

	clock_set_source(skewed, NULL);
	fixture_simple(&f);
	mc_connect(&f, &c);
	mc_check_alive(&c);
	mc_write(&c, half, sizeof(half));
	/* until it has been read, the clock must not jump */
	{
		struct mc sync;

		mc_connect(&f, &sync);
		mc_check_alive(&sync);
		mc_close(&sync);
	}
	atomic_fetch_add(&skew_ns, 6 * NS_PER_S);
	ck_assert_int_eq(mc_error(&c, 0), SCSAD__ERROR_CODE__ERR_TIMEOUT);
	mc_expect_end(&c);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(answers_not_taken_end)
{
	struct fixture f;
	struct mc c, other;
	uint64_t h;
	enum { N = 200, LEN = 65536 };

	clock_set_source(skewed, NULL);
	fixture_init(&f);
	f.conf.unsent_bytes = 65536;
	fixture_disk(&f, "mem:1M");
	fixture_start(&f);
	mc_connect(&f, &c);
	mc_connect(&f, &other);
	h = mc_open(&c, "disk@0,0");
	for (unsigned int i = 0; i < N; i++)
		(void)mc_submit(&c, h, cdb, mc_cdb_read(cdb, 0, LEN / 512),
		    SCSAD__DIRECTION__DIR_IN, NULL, LEN);
	/* the socket takes some, and then there is no progress any more */
	(void)settled(&f, &other);
	mc_close(&other);
	atomic_fetch_add(&skew_ns, 31 * NS_PER_S);
	fixture_wait(&f, 0, 0);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

/* it broke a rule, and then did not take the answer that says so: closed for one reason */
START_TEST(one_connection_is_dropped_once)
{
	struct fixture f;
	struct mc c, other;
	struct rpc_stats st;
	uint8_t garbage[64];
	uint64_t h;
	enum { N = 64, LEN = 65536 };

	clock_set_source(skewed, NULL);
	fixture_init(&f);
	f.conf.unsent_bytes = 16u << 20;
	fixture_disk(&f, "mem:1M");
	fixture_start(&f);
	mc_connect(&f, &c);
	mc_connect(&f, &other);
	h = mc_open(&c, "disk@0,0");
	for (unsigned int i = 0; i < N; i++)
		(void)mc_submit(&c, h, cdb, mc_cdb_read(cdb, 0, LEN / 512),
		    SCSAD__DIRECTION__DIR_IN, NULL, LEN);
	ck_assert_uint_eq(settled(&f, &other), N);
	memset(garbage, 0xa5, sizeof(garbage));
	mc_write(&c, garbage, sizeof(garbage));
	do {
		mc_check_alive(&other);
		rpc_server_stats(f.rpc, &st);
	} while (st.dropped == 0);
	ck_assert_uint_eq(st.connections, 2);
	atomic_fetch_add(&skew_ns, 31 * NS_PER_S);
	fixture_wait(&f, 1, 0);
	rpc_server_stats(f.rpc, &st);
	ck_assert_uint_eq(st.dropped, 1);
	mc_close(&c);
	mc_close(&other);
	fixture_stop(&f);
}
END_TEST

START_TEST(users_are_counted)
{
	struct fixture f;
	struct mc a, b, late;

	if (geteuid() != 0)
		return;	/* only root can be somebody else */
	fixture_init(&f);
	f.conf.connections_per_uid = 2;
	ck_assert_int_eq(config_add_access(&f.conf, false, 65534, SCSAD__ROLE__ROLE_IO), 0);
	fixture_disk(&f, "mem:1M");
	fixture_start(&f);
	mc_connect_as(&f, &a, 65534);
	mc_connect_as(&f, &b, 65534);
	mc_connect_as(&f, &late, 65534);
	ck_assert_int_eq(mc_error(&late, 0), SCSAD__ERROR_CODE__ERR_BUSY);
	mc_expect_end(&late);
	mc_close(&a);
	mc_close(&b);
	mc_close(&late);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}
END_TEST

CHECK_MAIN("limits", connections_are_counted, credits_are_limited, bytes_are_limited,
    slow_reader_is_not_read, silence_before_hello_ends, half_a_frame_ends,
    answers_not_taken_end, one_connection_is_dropped_once, users_are_counted)
