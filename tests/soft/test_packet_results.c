/* C19, C28: what a packet says after each way a command can end (table 7.6 of the contract) */
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "mock_flow.h"
#include "scsa/config.h"

#define SENT	(STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD)

static uint8_t cdb[CDB_BUF_LEN], data[65536];
static struct io io;

static struct scsi_arq_status *
arq(void)
{
	return (struct scsi_arq_status *)(void *)io.pkt->pkt_scbp;
}

static void
good_and_short(void)
{
	struct scsi_device *sd = flow_sd(0, 0);

	ck_assert(io_run(&io, sd, cdb, cdb_read(cdb, CDB_10, 0, 8, 0), data, 4096, true));
	ck_assert_uint_eq(io.pkt->pkt_state, SENT | STATE_XFERRED_DATA | STATE_GOT_STATUS);
	ck_assert_uint_eq(io.pkt->pkt_statistics, 0);
	ck_assert_int_eq(io.pkt->pkt_resid, 0);
	io_fini(&io);

	ck_assert(io_run(&io, sd, cdb, cdb_tur(cdb), NULL, 0, true));
	ck_assert_uint_eq(io.pkt->pkt_state, SENT | STATE_GOT_STATUS);
	io_fini(&io);

	ck_assert(io_run(&io, sd, cdb, cdb_inquiry(cdb, 36), data, 4096, true));
	ck_assert_int_eq(io.pkt->pkt_resid, 4096 - 36);
	io_fini(&io);

	ck_assert(!io_run(&io, sd, cdb, cdb_read(cdb, CDB_10, 0, 8, 0), data, 1000, true));
	ck_assert(io_ended(&io, CMD_DATA_OVR, 0));
	ck_assert_uint_eq(io.pkt->pkt_state, SENT | STATE_XFERRED_DATA | STATE_GOT_STATUS);
	ck_assert_int_eq(io.pkt->pkt_resid, 0);
	io_fini(&io);

	ck_assert(!io_run(&io, sd, cdb, cdb_write(cdb, CDB_10, 0, 8, 0), data, 4096, true));
	ck_assert(io_ended(&io, CMD_DMA_DERR, 0));
	ck_assert_uint_eq(io.pkt->pkt_state, SENT);
	ck_assert_int_eq(io.pkt->pkt_resid, 4096);
	io_fini(&io);
}

static void
check_conditions(void)
{
	struct scsi_device *sd = flow_sd(0, 0);
	size_t len = cdb_read(cdb, CDB_10, 100000, 1, 0);
	uint8_t rs[CDB_BUF_LEN];

	/* sense in the packet */
	ck_assert(!io_run(&io, sd, cdb, len, data, 512, true));
	ck_assert(io_ended(&io, CMD_CMPLT, 0));
	ck_assert_uint_eq(io.pkt->pkt_state, SENT | STATE_GOT_STATUS | STATE_ARQ_DONE);
	ck_assert_int_eq(*io.pkt->pkt_scbp, STATUS_CHECK);
	ck_assert_int_eq(io.pkt->pkt_resid, 512);
	ck_assert_uint_eq(arq()->sts_rqpkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(*(uint8_t *)&arq()->sts_rqpkt_status, 0);
	ck_assert_uint_eq(arq()->sts_rqpkt_resid, 2);
	ck_assert_uint_eq(arq()->sts_rqpkt_state, SENT | STATE_XFERRED_DATA | STATE_GOT_STATUS);
	ck_assert_uint_eq(io.sense.asc, ASC_LBA_OUT_OF_RANGE);
	io_fini(&io);

	/* a larger area */
	io_init(&io, sd, cdb, len, data, 512, true, (int)SCSI_ARQ_STATUS_LEN(252));
	io_send(&io);
	io_wait(&io);
	ck_assert_uint_eq(
	    io.pkt->pkt_state, SENT | STATE_GOT_STATUS | STATE_ARQ_DONE | STATE_XARQ_DONE);
	ck_assert_uint_eq(arq()->sts_rqpkt_resid, 252 - 18);
	io_fini(&io);

	/* no room: the device keeps it for REQUEST SENSE */
	io_init(&io, sd, cdb, len, data, 512, true, 1);
	io_send(&io);
	io_wait(&io);
	ck_assert_uint_eq(io.pkt->pkt_state, SENT | STATE_GOT_STATUS);
	ck_assert_int_eq(*io.pkt->pkt_scbp, STATUS_CHECK);
	io_fini(&io);
	ck_assert(io_run(&io, sd, rs, cdb_request_sense(rs, false, 18), data, 18, true));
	ck_assert_uint_eq(data[2] & 0xf, SENSE_ILLEGAL_REQUEST);
	ck_assert_uint_eq(data[12], 0x21);
	io_fini(&io);
}

static void
nobody_there(void)
{
	struct scsi_device *sd;
	char err[SOFT_ERR_LEN];

	/* the driver has no device at a target that is not there */
	ck_assert_ptr_null(flow_absent(9, 0));
	ck_assert_int_eq(scsa_bus_config_one(flow_port, "9,0", NULL), -ENXIO);
	ck_assert_int_eq(scsa_bus_config_one(flow_port, "0,4d", NULL), -ENXIO);

	/* a target that is there speaks for the units it has not got, whatever way their number
	 * is written */
	sd = flow_absent(0, 77);
	ck_assert_ptr_nonnull(sd);
	ck_assert(!io_run(&io, sd, cdb, cdb_tur(cdb), NULL, 0, true));
	ck_assert(io_ended(&io, CMD_CMPLT, 0));
	ck_assert_uint_eq(io.sense.asc, ASC_LUN_NOT_SUPPORTED);
	io_fini(&io);
	ck_assert(io_run(&io, sd, cdb, cdb_inquiry(cdb, 36), data, 36, true));
	ck_assert_int_eq(data[0], 0x7f);
	io_fini(&io);
	ck_assert(io_run(&io, sd, cdb, cdb_report_luns(cdb, 0, 64), data, 64, true));
	ck_assert_uint_eq(be32_get(data), 8);
	io_fini(&io);
	ck_assert_int_eq(scsi_abort(&sd->sd_address, NULL), 0);
	ck_assert_int_eq(scsi_reset(&sd->sd_address, RESET_LUN), 0);

	/* and is gone with them when it is pulled */
	ck_assert_int_eq(soft_target_remove(flow_hba, "iport0/0", err), 0);
	ck_assert(!io_run(&io, sd, cdb, cdb_tur(cdb), NULL, 0, true));
	ck_assert(io_ended(&io, CMD_DEV_GONE, 0));
	ck_assert_uint_eq(io.pkt->pkt_state, 0);
	io_fini(&io);
	ck_assert_int_eq(scsi_reset(&sd->sd_address, RESET_TARGET), 0);
	flow_absent_free(sd);
}

static void
polled_and_reused(void)
{
	struct scsi_device *sd = flow_sd(0, 0);

	io_init(&io, sd, cdb, cdb_read(cdb, CDB_10, 0, 1, 0), data, 512, true, IO_ARQ);
	ck_assert_int_eq(scsi_poll(io.pkt), 0);
	for (int i = 0; i < 5; i++) {
		io_send(&io);
		io_wait(&io);
		ck_assert(io_ended(&io, CMD_CMPLT, 0));
	}
	io_fini(&io);
}

static void
scattered_window(void)
{
	struct scsi_device *sd = flow_sd(0, 0);
	struct soft_disk_info info;

	memset(data, 0x3c, sizeof(data));
	ck_assert(io_run(&io, sd, cdb, cdb_write(cdb, CDB_10, 64, 128, 0), data, 65536, false));
	io_fini(&io);
	memset(data, 0, sizeof(data));
	ck_assert(io_run(&io, sd, cdb, cdb_read(cdb, CDB_10, 64, 128, 0), data, 65536, true));
	ck_assert_int_eq(data[0] & data[65535], 0x3c);
	io_fini(&io);
	ck_assert_int_eq(soft_disk_info_get(flow_hba, 0, &info), 0);
	ck_assert_uint_eq(info.writes, 1);
	ck_assert_uint_eq(info.written_bytes, 65536);
	ck_assert_uint_eq(info.read_bytes, 65536);
	ck_assert_int_eq(soft_disk_info_get(flow_hba, 9, &info), -ENOENT);
}

static void
first_attention(void)
{
	struct scsi_device *sd = flow_sd(0, 0);

	ck_assert(!io_run(&io, sd, cdb, cdb_tur(cdb), NULL, 0, true));
	ck_assert_uint_eq(io.sense.asc, ASC_POWER_ON_OR_RESET);
	io_fini(&io);
	ck_assert_int_eq(soft_unit_attention(flow_hba, 0, 0, 0x2a, 0x09), 0);
	ck_assert_int_eq(soft_unit_attention(flow_hba, 5, 0, 0x2a, 0x09), -ENOENT);
	ck_assert(!io_run(&io, sd, cdb, cdb_tur(cdb), NULL, 0, true));
	ck_assert_uint_eq(io.sense.asc, ASC_CAPACITY_CHANGED);
	io_fini(&io);
	ck_assert(io_run(&io, sd, cdb, cdb_tur(cdb), NULL, 0, true));
	io_fini(&io);
}

static void
several_units(void)
{
	uint64_t luns[8] = { 0 };

	ck_assert_ptr_nonnull(flow_sd(0, 0));
	ck_assert_ptr_nonnull(flow_sd(0, 3));
	ck_assert_ptr_nonnull(flow_sd(1, 0));
	ck_assert_ptr_nonnull(flow_sd(2, 0));
	ck_assert_ptr_eq(soft_hba_find(flow_sd(2, 0)->sd_dev), flow_hba);
	ck_assert(io_run(&io, flow_sd(0, 3), cdb, cdb_report_luns(cdb, 0, 64), data, 64, true));
	ck_assert_uint_eq(be32_get(data), 16);
	ck_assert_uint_eq(data[8 + 8 + 1], 3);
	(void)luns;
	io_fini(&io);
	ck_assert_uint_eq(soft_hba_disks(flow_hba), 4);
}

#define FLOW_TEST(name, ...)                                                   \
	START_TEST(c19_##name)                                                 \
	{                                                                      \
		struct flow flow = { .scenario = name, __VA_ARGS__ };          \
                                                                               \
		for (flow.seed = 1; flow.seed <= 3; flow.seed++)               \
			flow_run(&flow);                                       \
	}                                                                      \
	END_TEST

FLOW_TEST(good_and_short, .disks = { "mem:1M" })
FLOW_TEST(check_conditions, .disks = { "mem:1M" })
FLOW_TEST(nobody_there, .disks = { "mem:1M" })
FLOW_TEST(polled_and_reused, .disks = { "mem:1M" })
FLOW_TEST(scattered_window, .disks = { "mem:1M" })
FLOW_TEST(first_attention, .disks = { "mem:1M" }, .keep_attention = true)
FLOW_TEST(
    several_units, .disks = {"mem:1M,target=0", "null:1G", "mem:1M,target=0,lun=3", "mem:2M"})

CHECK_MAIN("packet results", c19_good_and_short, c19_check_conditions, c19_nobody_there,
    c19_polled_and_reused, c19_scattered_window, c19_first_attention, c19_several_units)
