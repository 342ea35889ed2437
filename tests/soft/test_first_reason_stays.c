/* C69: what ended a packet first is what it says; later events find it ended */
#include "check_main.h"
#include "mock_flow.h"

static struct io io, other;
static uint8_t cdb[CDB_BUF_LEN], data[512];

static void
send(struct io *one, struct scsi_device *sd, uint_t seconds)
{
	io_init(one, sd, cdb, cdb_read(cdb, CDB_10, 0, 1, 0), data, sizeof(data), true, IO_ARQ);
	one->pkt->pkt_time = seconds;
	io_send(one);
}

static void
timeout_then_reset(void)
{
	struct scsi_device *sd = flow_sd(0, 0);

	(void)fault("action=drop,op=read");
	send(&io, sd, 1);
	send(&other, sd, 60);
	io_wait(&io);
	ck_assert(io_ended(&io, CMD_TIMEOUT, STAT_TIMEOUT | STAT_ABORTED));
	ck_assert_int_eq(scsi_reset(&sd->sd_address, RESET_TARGET), 1);
	io_wait(&other);
	/* the one that was outstanding, and no other */
	ck_assert(io_ended(&other, CMD_RESET, STAT_DEV_RESET));
	ck_assert(io_ended(&io, CMD_TIMEOUT, STAT_TIMEOUT | STAT_ABORTED));
	ck_assert_int_eq(scsi_abort(&sd->sd_address, other.pkt), 0);
	ck_assert(io_ended(&other, CMD_RESET, STAT_DEV_RESET));
	/* sent again, it begins anew */
	io_send(&other);
	ck_assert_int_eq(scsi_abort(&sd->sd_address, other.pkt), 1);
	io_wait(&other);
	ck_assert(io_ended(&other, CMD_ABORTED, STAT_ABORTED));
	io_fini(&io);
	io_fini(&other);
}

START_TEST(c69_first_reason_is_kept)
{
	struct flow flow = { .scenario = timeout_then_reset, .disks = { "mem:1M,target=0" } };

	for (flow.seed = 1; flow.seed <= 3; flow.seed++)
		flow_run(&flow);
}
END_TEST

CHECK_MAIN("first reason stays", c69_first_reason_is_kept)
