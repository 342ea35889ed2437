/* names of units, and handles: stale, foreign, closed, too many */
#include <string.h>

#include "check_main.h"
#include "mock_client.h"
#include "scsi/cdb.h"

static uint8_t cdb[CDB_BUF_LEN];

static void
two_disks(struct fixture *f, unsigned int loops)
{
	fixture_init(f);
	f->conf.loops = loops;
	f->conf.handles = 4;
	fixture_disk(f, "mem:1M,serial=AAA");
	fixture_disk(f, "mem:1M,serial=BBB");
	fixture_disk(f, "mem:1M,serial=CCC");
	fixture_start(f);
}

static uint32_t
tur(struct mc *c, uint64_t h)
{
	return mc_submit(c, h, cdb, cdb_tur(cdb), SCSAD__DIRECTION__DIR_NONE, NULL, 0);
}

static uint32_t
send_open(struct mc *c, const char *name)
{
	Scsad__OpenRequest req = SCSAD__OPEN_REQUEST__INIT;

	req.name = (char *)(uintptr_t)name;
	return mc_send(c, METHOD_OPEN, &req.base, NULL, 0);
}

START_TEST(names_find_units)
{
	struct fixture f;
	struct mc c;

	two_disks(&f, 1);
	mc_connect(&f, &c);
	(void)mc_open(&c, "soft0/iport0/disk@1,0");
	(void)mc_open(&c, "disk@1,0");
	(void)mc_open(&c, "1,0");
	(void)mc_open(&c, "BBB");
	ck_assert_int_eq(mc_error(&c, send_open(&c, "no such thing")),
	    SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT);
	ck_assert_int_eq(mc_error(&c, send_open(&c, "")), SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT);
	ck_assert_int_eq(mc_error(&c, send_open(&c, ",0")),
	    SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(ambiguous_name_lists_candidates)
{
	struct fixture f;
	struct mc c;

	fixture_init(&f);
	fixture_disk(&f, "mem:1M,serial=SAME");
	fixture_disk(&f, "mem:1M,serial=SAME");
	fixture_start(&f);
	mc_connect(&f, &c);
	ck_assert_int_eq(mc_error(&c, send_open(&c, "SAME")), SCSAD__ERROR_CODE__ERR_AMBIGUOUS);
	(void)mc_open(&c, "disk@1,0");
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(handles_end_with_close)
{
	struct fixture f;
	struct mc c, other;
	uint64_t h, h2;

	two_disks(&f, 1);
	mc_connect(&f, &c);
	mc_connect(&f, &other);
	h = mc_open(&c, "AAA");
	ck_assert_uint_eq(mc_completion(&c, tur(&c, h))->reason, 0);
	/* another connection's handle */
	ck_assert_int_eq(mc_error(&other, tur(&other, h)), SCSAD__ERROR_CODE__ERR_STALE_HANDLE);
	(void)mc_reply(&c, mc_send_close(&c, h), &scsad__done__descriptor);
	ck_assert_int_eq(mc_error(&c, tur(&c, h)), SCSAD__ERROR_CODE__ERR_STALE_HANDLE);
	ck_assert_int_eq(mc_error(&c, mc_send_close(&c, h)),
	    SCSAD__ERROR_CODE__ERR_STALE_HANDLE);
	/* the slot is used again, the id is not */
	h2 = mc_open(&c, "AAA");
	ck_assert(h2 != h);
	ck_assert_int_eq(mc_error(&c, tur(&c, h)), SCSAD__ERROR_CODE__ERR_STALE_HANDLE);
	ck_assert_int_eq(mc_error(&c, tur(&c, 0)), SCSAD__ERROR_CODE__ERR_STALE_HANDLE);
	mc_close(&c);
	mc_close(&other);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}
END_TEST

START_TEST(handles_are_limited)
{
	struct fixture f;
	struct mc c;
	uint64_t h = 0;

	two_disks(&f, 1);
	mc_connect(&f, &c);
	for (unsigned int i = 0; i < 4; i++)
		h = mc_open(&c, "AAA");
	ck_assert_int_eq(mc_error(&c, send_open(&c, "AAA")), SCSAD__ERROR_CODE__ERR_LIMIT);
	(void)mc_reply(&c, mc_send_close(&c, h), &scsad__done__descriptor);
	(void)mc_open(&c, "BBB");
	mc_close(&c);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}
END_TEST

/* units of three loops behind one connection: packets cross threads both ways */
START_TEST(units_of_other_loops_work)
{
	struct fixture f;
	struct mc c;
	static const char *const names[] = { "AAA", "BBB", "CCC" };
	uint64_t h[3];
	static uint8_t out[4096];

	two_disks(&f, 3);
	mc_connect(&f, &c);
	for (size_t i = 0; i < ARRAY_LEN(h); i++)
		h[i] = mc_open(&c, names[i]);
	for (unsigned int round = 0; round < 20; round++)
		for (size_t i = 0; i < ARRAY_LEN(h); i++) {
			memset(out, (int)(round * 3 + i), sizeof(out));
			ck_assert_uint_eq(mc_completion(&c, mc_submit(&c, h[i], cdb,
			    mc_cdb_write(cdb, round * 8, 8), SCSAD__DIRECTION__DIR_OUT, out,
			    sizeof(out)))->scsi_status, 0);
			ck_assert_uint_eq(mc_completion(&c, mc_submit(&c, h[i], cdb,
			    mc_cdb_read(cdb, round * 8, 8), SCSAD__DIRECTION__DIR_IN, NULL,
			    sizeof(out)))->scsi_status, 0);
			ck_assert_mem_eq(mc_data(&c), out, sizeof(out));
		}
	for (size_t i = 0; i < ARRAY_LEN(h); i++)
		(void)mc_reply(&c, mc_send_close(&c, h[i]), &scsad__done__descriptor);
	mc_check_alive(&c);
	/* refused at another loop */
	for (size_t i = 0; i < ARRAY_LEN(h); i++) {
		h[i] = mc_open(&c, names[i]);
		ck_assert_int_eq(mc_error(&c, mc_submit(&c, h[i], cdb, mc_cdb_read(cdb, 0, 1),
		    SCSAD__DIRECTION__DIR_OUT, out, 512)), SCSAD__ERROR_CODE__ERR_BAD_CDB);
	}
	mc_close(&c);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}
END_TEST

CHECK_MAIN("handles", names_find_units, ambiguous_name_lists_candidates, handles_end_with_close,
    handles_are_limited, units_of_other_loops_work)
