/* a client that dies with packets in flight: each ends once, nothing is left, others go on */
#include <string.h>

#include "check_main.h"
#include "mock_client.h"
#include "scsi/cdb.h"

static uint8_t cdb[CDB_BUF_LEN];

static void
vanish_with(const char *rule, unsigned int loops, bool want_clear)
{
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
	for (unsigned int i = 0; i < 20; i++)
		(void)mc_submit(&c, h, cdb, mc_cdb_read(cdb, i, 8), SCSAD__DIRECTION__DIR_IN,
		    NULL, 4096);
	mc_check_alive(&other);
	mc_close(&c);
	if (want_clear) {
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
	ck_assert_uint_eq(st.orphans, 20);
	ck_assert_uint_eq(st.packets_done, 20);
	ck_assert_uint_eq(mc_completion(&other, mc_submit(&other, ho, cdb, cdb_tur(cdb),
	    SCSAD__DIRECTION__DIR_NONE, NULL, 0))->reason, 0);
	mc_close(&other);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}

START_TEST(late_packets_are_orphans)
{
	vanish_with("action=delay,ms=150,target=1", 1, false);
}
END_TEST

START_TEST(late_packets_of_another_loop_are_orphans)
{
	vanish_with("action=delay,ms=150,target=1", 2, false);
}
END_TEST

START_TEST(dropped_packets_stay_until_reset)
{
	vanish_with("action=drop,target=1", 1, true);
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
