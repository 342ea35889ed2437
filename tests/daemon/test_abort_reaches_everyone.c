/* an administrator ends the packets of all clients on a unit; others may end their own only */
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "mock_client.h"
#include "scsi/cdb.h"
#include <sys/scsi/scsi_pkt.h>

#define NOBODY	65534u

static uint8_t cdb[CDB_BUF_LEN];

static uint32_t
tur(struct mc *c, uint64_t h)
{
	return mc_submit(c, h, cdb, cdb_tur(cdb), SCSAD__DIRECTION__DIR_NONE, NULL, 0);
}

static uint32_t
abort_send(struct mc *c, uint64_t handle, const char *path, bool is_everyone)
{
	Scsad__AbortRequest req = SCSAD__ABORT_REQUEST__INIT;

	req.has_handle = handle != 0;
	req.handle = handle;
	req.path = (char *)(uintptr_t)path;
	req.has_is_everyone = is_everyone;
	req.is_everyone = is_everyone;
	return mc_send(c, METHOD_ABORT, &req.base, NULL, 0);
}

static void
begin(struct fixture *f, unsigned int loops)
{
	fixture_init(f);
	f->conf.loops = loops;
	fixture_disk(f, "mem:16M,serial=AAA");
	fixture_disk(f, "mem:16M,serial=BBB");
	fixture_start(f);
}

/* two clients and a third that has nothing open; the second unit is left alone */
static void
abort_others(const char *name, const char *other, unsigned int loops)
{
	const Scsad__AbortReply *reply;
	struct mc a, b, admin;
	uint32_t a1, a2, b1, left;
	struct fixture f;
	uint64_t ha, hb;

	begin(&f, loops);
	mc_connect(&f, &a);
	mc_connect(&f, &b);
	mc_connect(&f, &admin);
	ha = mc_open(&a, name);
	hb = mc_open(&b, name);
	(void)mc_fault(&admin, "action=drop");
	left = tur(&b, mc_open(&b, other));
	a1 = tur(&a, ha);
	a2 = tur(&a, ha);
	b1 = tur(&b, hb);
	mc_check_alive(&a);
	mc_check_alive(&b);
	fixture_wait(&f, 3, 4);

	reply = mc_reply(&admin, abort_send(&admin, 0, name, true),
	    &scsad__abort_reply__descriptor);
	ck_assert_uint_eq(reply->aborted, 3);
	ck_assert_uint_eq(reply->failed, 0);
	ck_assert_uint_eq(mc_completion(&a, a1)->reason, CMD_ABORTED);
	ck_assert_uint_eq(mc_completion(&a, a2)->reason, CMD_ABORTED);
	ck_assert((mc_completion(&b, b1)->statistics & STAT_ABORTED) != 0);
	fixture_wait(&f, 3, 1);

	/* nothing is left there; and by handle, of a client that has it open */
	reply = mc_reply(&admin, abort_send(&admin, 0, name, true),
	    &scsad__abort_reply__descriptor);
	ck_assert_uint_eq(reply->aborted, 0);
	a1 = tur(&a, ha);
	fixture_wait(&f, 3, 2);
	(void)abort_send(&b, hb, NULL, true);
	ck_assert_uint_eq(mc_completion(&a, a1)->reason, CMD_ABORTED);
	ck_assert_uint_eq(((Scsad__AbortReply *)mc_msg(&b,
	    &scsad__abort_reply__descriptor))->aborted, 1);

	(void)abort_send(&admin, 0, other, true);
	ck_assert_uint_eq(mc_completion(&b, left)->reason, CMD_ABORTED);
	mc_close(&a);
	mc_close(&b);
	mc_close(&admin);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}

START_TEST(on_one_loop)
{
	abort_others("AAA", "BBB", 1);
}
END_TEST

START_TEST(on_several_loops)
{
	abort_others("AAA", "BBB", 3);
	abort_others("BBB", "AAA", 3);
}
END_TEST

START_TEST(what_is_refused)
{
	struct fixture f;
	struct mc c;

	begin(&f, 1);
	mc_connect(&f, &c);
	ck_assert_int_eq(mc_error(&c, abort_send(&c, 0, "AAA", false)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	ck_assert_int_eq(mc_error(&c, abort_send(&c, 0, "CCC", true)),
	    SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT);
	ck_assert_int_eq(mc_error(&c, abort_send(&c, 77, NULL, true)),
	    SCSAD__ERROR_CODE__ERR_STALE_HANDLE);
	ck_assert_int_eq(mc_error(&c, abort_send(&c, 0, NULL, true)),
	    SCSAD__ERROR_CODE__ERR_STALE_HANDLE);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(role_io_is_not_enough)
{
	struct mc admin, io;
	struct fixture f;
	uint32_t mine, others;
	uint64_t h;

	if (geteuid() != 0)
		return;		/* nobody else to be */
	fixture_init(&f);
	ck_assert_int_eq(config_add_access(&f.conf, false, NOBODY, SCSAD__ROLE__ROLE_IO), 0);
	fixture_disk(&f, "mem:16M,serial=AAA");
	fixture_start(&f);
	mc_connect(&f, &admin);
	mc_connect_as(&f, &io, NOBODY);
	(void)mc_reply(&io, mc_send_hello(&io, PROTO_MAJOR), &scsad__hello_reply__descriptor);
	(void)mc_fault(&admin, "action=drop");
	others = tur(&admin, mc_open(&admin, "AAA"));
	h = mc_open(&io, "AAA");
	mine = tur(&io, h);
	fixture_wait(&f, 2, 2);

	ck_assert_int_eq(mc_error(&io, abort_send(&io, 0, "AAA", true)),
	    SCSAD__ERROR_CODE__ERR_NOT_PERMITTED);
	ck_assert_int_eq(mc_error(&io, abort_send(&io, h, NULL, true)),
	    SCSAD__ERROR_CODE__ERR_NOT_PERMITTED);
	(void)abort_send(&io, h, NULL, false);
	ck_assert_uint_eq(mc_completion(&io, mine)->reason, CMD_ABORTED);
	ck_assert_uint_eq(((Scsad__AbortReply *)mc_msg(&io,
	    &scsad__abort_reply__descriptor))->aborted, 1);
	fixture_wait(&f, 2, 1);
	(void)abort_send(&admin, 0, "AAA", true);
	ck_assert_uint_eq(mc_completion(&admin, others)->reason, CMD_ABORTED);
	mc_close(&io);
	mc_close(&admin);
	fixture_stop(&f);
}
END_TEST

CHECK_MAIN("abort everyone", on_one_loop, on_several_loops, what_is_refused,
    role_io_is_not_enough)
