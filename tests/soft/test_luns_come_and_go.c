/* C58: units of a target are added and removed; those that stay notice by an attention only */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "ddi/devtree.h"
#include "mock_flow.h"
#include "scsa/config.h"

static char err[SOFT_ERR_LEN], addr[SOFT_ADDR_LEN];
static uint8_t cdb[CDB_BUF_LEN], data[4096];
static struct io io, held;

static void
let_settle(void)
{
	sim_advance_us(500000);
}

static void
add(const char *line, const char *want)
{
	ck_assert_msg(soft_lun_add(flow_hba, line, addr, err) == 0, "%s", err);
	ck_assert_str_eq(addr, want);
}

static void
take_attention(struct scsi_device *sd, uint16_t asc)
{
	ck_assert(!io_run(&io, sd, cdb, cdb_tur(cdb), NULL, 0, true));
	ck_assert_uint_eq(io.sense.asc, asc);
	io_fini(&io);
}

static bool
is_ready(struct scsi_device *sd)
{
	bool is_good = io_run(&io, sd, cdb, cdb_tur(cdb), NULL, 0, true);

	io_fini(&io);
	return is_good;
}

static void
survivors_stay(void)
{
	struct scsi_device *zero = flow_sd(0, 0), *two = flow_sd(0, 2), *other = flow_sd(1, 0);

	/* a command of a survivor is under way all the time */
	(void)fault("action=drop,op=read,target=0,lun=2,count=1");
	io_init(&held, two, cdb, cdb_read(cdb, CDB_10, 0, 8, 0), data, 4096, true, IO_ARQ);
	held.pkt->pkt_time = 0;
	io_send(&held);

	add("mem:1M,target=0", "iport0/0,1");
	add("mem:1M,target=0", "iport0/0,3");
	add("null:1G,target=0,lun=16380,luns=4", "iport0/0,3ffc");
	let_settle();
	ck_assert_uint_eq(flow_units(), 9);
	ck_assert_uint_eq(flow_attaches(), 9);
	ck_assert_ptr_nonnull(flow_find("iport0/0,3fff"));
	take_attention(zero, ASC_REPORTED_LUNS_CHANGED);
	ck_assert(is_ready(zero) && is_ready(other));
	take_attention(two, ASC_REPORTED_LUNS_CHANGED);

	ck_assert_int_eq(soft_lun_remove(flow_hba, "iport0/0,3ffd", err), 0);
	ck_assert_int_eq(soft_lun_remove(flow_hba, "0,1", err), 0);
	let_settle();
	ck_assert_uint_eq(flow_units(), 7);
	ck_assert_uint_eq(flow_attaches(), 9);
	ck_assert_ptr_null(flow_find("iport0/0,1"));
	ck_assert_ptr_eq(flow_sd(0, 0), zero);
	ck_assert_ptr_eq(flow_sd(0, 2), two);
	take_attention(zero, ASC_REPORTED_LUNS_CHANGED);
	ck_assert(io_run(&io, zero, cdb, cdb_report_luns(cdb, 0, 64), data, 64, true));
	ck_assert_uint_eq(be32_get(data), 8 * 6);
	io_fini(&io);

	ck_assert_uint_eq(atomic_load(&held.done), 0);
	ck_assert_int_eq(scsi_abort(&two->sd_address, held.pkt), 1);
	io_wait(&held);
	ck_assert(io_ended(&held, CMD_ABORTED, STAT_ABORTED));
	io_fini(&held);
}

/* a unit is missing at once, though somebody holds its node for a while */
static void
removed_is_not_supported(void)
{
	struct scsi_device *two = flow_sd(0, 2);
	dev_info_t *node = two->sd_dev;

	ck_assert(devi_hold(node));
	(void)fault("action=drop,op=read,count=1");
	io_init(&held, two, cdb, cdb_read(cdb, CDB_10, 0, 8, 0), data, 4096, true, IO_ARQ);
	io_send(&held);
	ck_assert_int_eq(soft_lun_remove(flow_hba, "iport0/0,2", err), 0);
	sim_settle();
	ck_assert(io_ended(&held, CMD_DEV_GONE, 0));
	io_fini(&held);
	take_attention(two, ASC_LUN_NOT_SUPPORTED);
	ck_assert(io_run(&io, two, cdb, cdb_inquiry(cdb, 36), data, 36, true));
	ck_assert_int_eq(data[0], 0x7f);
	io_fini(&io);
	ck_assert_int_eq(scsi_reset(&two->sd_address, RESET_LUN), 0);
	ck_assert_int_eq(soft_lun_add(flow_hba, "mem:1M,target=0,lun=2", addr, err), -EBUSY);
	ck_assert(strstr(err, "in use") != NULL);
	ck_assert_int_eq(soft_lun_remove(flow_hba, "iport0/0,2", err), -ENOENT);
	let_settle();
	ck_assert_uint_eq(flow_units(), 3);
	devi_release(node);
	let_settle();
	ck_assert_uint_eq(flow_units(), 2);
	add("mem:1M,target=0,lun=2", "iport0/0,2");
	let_settle();
	ck_assert_uint_eq(flow_units(), 3);
	ck_assert_uint_eq(flow_attaches(), 4);
}

/* LUN 0 may go, and the rest stays; the last one may go, and the target stays */
static void
zero_goes(void)
{
	ck_assert_int_eq(soft_lun_remove(flow_hba, "0,0", err), 0);
	let_settle();
	ck_assert_ptr_null(flow_find("iport0/0,0"));
	ck_assert_ptr_nonnull(flow_find("iport0/0,2"));
	ck_assert_int_eq(soft_lun_remove(flow_hba, "0,2", err), 0);
	let_settle();
	ck_assert_uint_eq(flow_units(), 1);
	add("mem:1M,target=0,lun=7", "iport0/0,7");
	let_settle();
	ck_assert_ptr_nonnull(flow_find("iport0/0,7"));
	ck_assert_uint_eq(flow_units(), 2);
}

static void
refusals(void)
{
	static const struct {
		const char *line;
		int r;
		const char *says;
	} rows[] = {
		{ "mem:1M", -EINVAL, "needs its target" },
		{ "mem:1M,target=9", -ENOENT, "no target 9" },
		{ "mem:1M,wwn=5000c50012345678", -ENOENT, "no target w5000c50012345678" },
		{ "mem:1M,target=0,lun=2", -EEXIST, "two disks" },
		{ "null:1M,target=0,lun=1,luns=2", -EEXIST, "two disks" },
		{ "null:1M,target=0,luns=16384", -ENOSPC, "no lun is free" },
		{ "/nowhere/at/all.img,target=0", -ENOENT, "does not exist" },
		{ "mem:1M,target=0,colour=red", -EINVAL, "no such word" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int r = soft_lun_add(flow_hba, rows[i].line, NULL, err);

		ck_assert_msg(r == rows[i].r && strstr(err, rows[i].says) != NULL, "%s: %d %s",
		    rows[i].line, r, err);
	}
	ck_assert_int_eq(soft_lun_remove(flow_hba, "iport0/0", err), -EINVAL);
	ck_assert(strstr(err, "names no lun") != NULL);
	ck_assert_int_eq(soft_lun_remove(flow_hba, "iport0/0,9", err), -ENOENT);
	ck_assert_int_eq(soft_lun_remove(flow_hba, "iport0/7,0", err), -ENOENT);
	let_settle();
	ck_assert_uint_eq(flow_attaches(), 3);
}

#define FLOW_TEST(name)                                                        \
	START_TEST(c58_##name)                                                 \
	{                                                                      \
		struct flow flow = { .scenario = name, .disks = {              \
			"mem:1M,target=0", "mem:1M,target=0,lun=2", "mem:1M,target=1" } }; \
                                                                               \
		for (flow.seed = 1; flow.seed <= 5; flow.seed++)               \
			flow_run(&flow);                                       \
	}                                                                      \
	END_TEST

FLOW_TEST(survivors_stay)
FLOW_TEST(removed_is_not_supported)
FLOW_TEST(zero_goes)
FLOW_TEST(refusals)

CHECK_MAIN("luns come and go", c58_survivors_stay, c58_removed_is_not_supported, c58_zero_goes,
    c58_refusals)
