/* a client that dies with packets in flight: each ends once, nothing is left, others go on */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "check_main.h"
#include "mock_client.h"
#include "scsi/cdb.h"

static uint8_t cdb[CDB_BUF_LEN];

/* @delay_ms: commands come back by themselves, so long after they were sent; 0: a reset gets
 * them back. False: they may have come back before the client had gone */
static bool
vanish_with(const char *rule, unsigned int loops, uint64_t delay_ms)
{
	bool was_late;
	uint64_t since_ns;
	struct fixture f;
	struct mc c, other;
	struct rpc_stats st;
	uint64_t h, ho;

	fixture_init(&f);
	f.conf.loops = loops;
	fixture_disk(&f, "mem:1M,serial=AAA");
	fixture_disk(&f, "mem:1M,serial=BBB");
	fixture_start(&f);
	mc_connect(&f, &c);
	mc_connect(&f, &other);
	ho = mc_open(&other, "AAA");
	(void)mc_open(&c, "AAA");
	h = mc_open(&c, "BBB");
	(void)mc_fault(&other, rule);
	since_ns = clock_now_ns();
	for (unsigned int i = 0; i < 20; i++)
		(void)mc_submit(&c, h, cdb, mc_cdb_read(cdb, i, 8), SCSAD__DIRECTION__DIR_IN,
		    NULL, 4096);
	mc_check_alive(&other);
	mc_close(&c);
	mc_check_alive(&other);
	was_late = delay_ms == 0 || clock_now_ns() - since_ns < delay_ms * NS_PER_MS / 2;
	if (delay_ms == 0) {
		Scsad__ResetRequest reset = SCSAD__RESET_REQUEST__INIT;

		/* they do not come back by themselves: a reset gets them back */
		fixture_wait(&f, 2, 20);
		reset.has_level = 1;
		reset.level = SCSAD__RESET_LEVEL__RESET_LEVEL_TARGET;
		reset.path = (char *)(uintptr_t)"BBB";
		(void)mc_reply(&other, mc_send(&other, METHOD_RESET, &reset.base, NULL, 0),
		    &scsad__reset_reply__descriptor);
	}
	fixture_wait(&f, 1, 0);
	rpc_server_stats(f.rpc, &st);
	ck_assert(st.orphans == 20 || (!was_late && st.orphans < 20));
	ck_assert_uint_eq(st.packets_done, 20);
	ck_assert_uint_eq(mc_completion(&other, mc_submit(&other, ho, cdb, cdb_tur(cdb),
	    SCSAD__DIRECTION__DIR_NONE, NULL, 0))->reason, 0);
	mc_close(&other);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
	return was_late;
}

/* a machine under load may need more time for the client to go */
static void
vanish_early(unsigned int loops)
{
	bool was_late = false;
	char rule[64];

	for (uint64_t ms = 150; !was_late && ms < 10000; ms *= 4) {
		(void)snprintf(rule, sizeof(rule), "action=delay,ms=%u,target=1",
		    (unsigned int)ms);
		was_late = vanish_with(rule, loops, ms);
	}
	ck_assert(was_late);
}

START_TEST(late_packets_are_orphans)
{
	vanish_early(1);
}
END_TEST

START_TEST(late_packets_of_another_loop_are_orphans)
{
	vanish_early(2);
}
END_TEST

START_TEST(dropped_packets_stay_until_reset)
{
	ck_assert(vanish_with("action=drop,target=1", 1, 0));
}
END_TEST

START_TEST(half_a_write_is_forgotten)
{
	struct fixture f;
	struct mc c;
	Scsad__SubmitRequest req = SCSAD__SUBMIT_REQUEST__INIT;
	struct frame_head fh = { .method = METHOD_SUBMIT, .id = 7, .data_len = 65536 };
	uint8_t head[512];
	static uint8_t some[1000];
	ptrdiff_t n;

	fixture_simple(&f);
	mc_connect(&f, &c);
	req.has_handle = req.has_cdb = req.has_direction = req.has_data_len = 1;
	req.handle = mc_open(&c, "DISK-A");
	req.cdb.data = cdb;
	req.cdb.len = mc_cdb_write(cdb, 0, 128);
	req.direction = SCSAD__DIRECTION__DIR_OUT;
	req.data_len = 65536;
	n = frame_pack(head, sizeof(head), &fh, &req.base);
	mc_write(&c, head, (size_t)n);
	mc_write(&c, some, sizeof(some));
	fixture_wait(&f, 1, 1);
	mc_close(&c);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}
END_TEST

START_TEST(many_come_and_go)
{
	struct fixture f;
	struct mc c;

	fixture_simple(&f);
	for (unsigned int i = 0; i < 100; i++) {
		uint64_t h;

		mc_connect(&f, &c);
		h = mc_open(&c, "DISK-A");
		for (unsigned int k = 0; k < i % 17; k++)
			(void)mc_submit(&c, h, cdb, mc_cdb_read(cdb, k, 8),
			    SCSAD__DIRECTION__DIR_IN, NULL, 4096);
		mc_close(&c);
	}
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}
END_TEST

CHECK_MAIN("vanish", late_packets_are_orphans, late_packets_of_another_loop_are_orphans,
    dropped_packets_stay_until_reset, half_a_write_is_forgotten, many_come_and_go)
