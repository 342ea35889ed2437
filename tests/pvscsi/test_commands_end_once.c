/* abort and reset: the right commands end, each once, and say why */
#include <string.h>

#include "check_main.h"
#include "mock_world.h"

#define N 4

static struct io io[N], other;
static uint8_t cdb[CDB_BUF_LEN], data[4096];
static unsigned int told;

static void
two_disks(struct mock_chip *c)
{
	c->disks[0].is_there = c->disks[2].is_there = true;
}

static void
hold(unsigned int target, struct io *ios, int n)
{
	chip->disks[target].is_held = true;
	for (int i = 0; i < n; i++)
		io_tur(&ios[i], world_sd(target));
}

static void
release(struct io *ios, int n)
{
	for (int i = 0; i < n; i++)
		io_fini(&ios[i]);
}

static void
on_reset(caddr_t arg)
{
	told++;
	(void)arg;
}

static void
abort_one(void)
{
	struct scsi_address *ap = &world_sd(0)->sd_address;

	hold(0, io, N);
	ck_assert_int_eq(scsi_abort(ap, io[2].pkt), 1);
	io_wait(&io[2]);
	ck_assert(io_ended(&io[2], CMD_ABORTED, STAT_ABORTED));
	ck_assert_int_eq(scsi_abort(ap, io[2].pkt), 0);
	chip->disks[0].is_held = false;
	mock_release(chip, 0, N);
	for (int i = 0; i < N; i++) {
		io_wait(&io[i]);
		if (i != 2)
			ck_assert(io_ended(&io[i], CMD_CMPLT, 0));
	}
	/* of another unit it is not */
	hold(2, &other, 1);
	ck_assert_int_eq(scsi_abort(ap, other.pkt), 0);
	ck_assert_int_eq(scsi_abort(ap, NULL), 1);
	ck_assert_uint_eq(atomic_load(&other.done), 0);
	mock_release(chip, 2, 1);
	io_wait(&other);
	io_fini(&other);
	release(io, N);
}

static void
abort_all(void)
{
	hold(0, io, N);
	hold(2, &other, 1);
	ck_assert_int_eq(scsi_abort(&world_sd(0)->sd_address, NULL), 1);
	for (int i = 0; i < N; i++) {
		io_wait(&io[i]);
		ck_assert(io_ended(&io[i], CMD_ABORTED, STAT_ABORTED));
	}
	ck_assert_uint_eq(atomic_load(&other.done), 0);
	mock_release(chip, 2, 1);
	io_wait(&other);
	ck_assert(io_ended(&other, CMD_CMPLT, 0));
	io_fini(&other);
	release(io, N);
}

static void
abort_in_vain(void)
{
	struct scsi_address *ap = &world_sd(0)->sd_address;
	uint64_t from = sim_now_us();

	chip->is_deaf_to_abort = true;
	hold(0, io, 1);
	io[0].pkt->pkt_time = 0;
	ck_assert_int_eq(scsi_abort(ap, io[0].pkt), 0);
	ck_assert_uint_ge(sim_now_us() - from, PVSCSI_WAIT_S * MICROSEC);
	mock_release(chip, 0, 1);
	io_wait(&io[0]);
	ck_assert_int_eq(io[0].pkt->pkt_reason, CMD_CMPLT);
	release(io, 1);
}

static void
reset_target(void)
{
	struct scsi_address *ap = &world_sd(0)->sd_address, *ap2 = &world_sd(2)->sd_address;

	told = 0;
	ck_assert_int_eq(scsi_reset_notify(ap, SCSI_RESET_NOTIFY, on_reset, NULL), DDI_SUCCESS);
	ck_assert_int_eq(scsi_reset_notify(ap, SCSI_RESET_NOTIFY, on_reset, NULL), DDI_FAILURE);
	ck_assert_int_eq(
	    scsi_reset_notify(ap2, SCSI_RESET_NOTIFY, on_reset, NULL), DDI_SUCCESS);
	hold(0, io, N);
	hold(2, &other, 1);
	ck_assert_int_eq(scsi_reset(ap, RESET_LUN), 0);
	ck_assert_int_eq(scsi_reset(ap, RESET_TARGET), 1);
	for (int i = 0; i < N; i++) {
		io_wait(&io[i]);
		ck_assert(io_ended(&io[i], CMD_RESET, STAT_DEV_RESET));
	}
	ck_assert_uint_eq(told, 1);
	ck_assert_uint_eq(chip->disks[0].resets, 1);
	ck_assert_uint_eq(atomic_load(&other.done), 0);
	mock_release(chip, 2, 1);
	io_wait(&other);
	ck_assert_int_eq(scsi_reset_notify(ap, SCSI_RESET_CANCEL, NULL, NULL), DDI_SUCCESS);
	ck_assert_int_eq(scsi_reset_notify(ap2, SCSI_RESET_CANCEL, NULL, NULL), DDI_SUCCESS);
	io_fini(&other);
	release(io, N);
}

static void
reset_all(void)
{
	struct scsi_address *ap = &world_sd(0)->sd_address;

	told = 0;
	ck_assert_int_eq(scsi_reset_notify(ap, SCSI_RESET_NOTIFY, on_reset, NULL), DDI_SUCCESS);
	hold(0, io, N);
	hold(2, &other, 1);
	ck_assert_int_eq(scsi_reset(ap, RESET_ALL), 1);
	for (int i = 0; i < N; i++) {
		io_wait(&io[i]);
		ck_assert(io_ended(&io[i], CMD_RESET, STAT_BUS_RESET));
	}
	io_wait(&other);
	ck_assert(io_ended(&other, CMD_RESET, STAT_BUS_RESET));
	ck_assert_uint_eq(told, 1);
	ck_assert_uint_eq(chip->bus_resets, 1);
	ck_assert_int_eq(hba->tran->tran_bus_reset(chip->dip, RESET_BUS), 1);
	ck_assert_int_eq(hba->tran->tran_bus_reset(chip->dip, RESET_LUN), 0);
	ck_assert_uint_eq(chip->bus_resets, 2);
	ck_assert_int_eq(scsi_reset_notify(ap, SCSI_RESET_CANCEL, NULL, NULL), DDI_SUCCESS);
	io_fini(&other);
	release(io, N);
}

/* a bus that cannot be reset: the adapter can */
static void
reset_of_the_adapter(void)
{
	unsigned int resets = chip->adapter_resets;

	chip->is_deaf_to_bus = true;
	hold(0, io, N);
	chip->disks[0].is_held = false;
	ck_assert_int_eq(scsi_reset(&world_sd(0)->sd_address, RESET_ALL), 1);
	ck_assert_uint_eq(chip->adapter_resets, resets + 1);
	for (int i = 0; i < N; i++) {
		io_wait(&io[i]);
		ck_assert(io_ended(&io[i], CMD_RESET, STAT_BUS_RESET) ||
			  io_ended(&io[i], CMD_TIMEOUT,
			      STAT_TIMEOUT | STAT_ABORTED | STAT_BUS_RESET));
	}
	ck_assert_int_eq(world_state(), PVSCSI_READY);
	ck_assert(!io_run(&other, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false));
	ck_assert_uint_eq(other.pkt->pkt_scbp[0], STATUS_CHECK);
	io_fini(&other);
	ck_assert(io_run(&other, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false));
	io_fini(&other);
	release(io, N);
}

static void
sense_is_delivered(void)
{
	struct scsi_arq_status *arq;
	uint8_t *sense;

	ck_assert(!io_run(
	    &other, world_sd(0), cdb, cdb_read(cdb, CDB_10, 1000, 8, 0), data, 4096, true));
	arq = (struct scsi_arq_status *)(void *)other.pkt->pkt_scbp;
	sense = (uint8_t *)&arq->sts_sensedata;
	ck_assert_uint_eq(other.pkt->pkt_reason, CMD_CMPLT);
	ck_assert_uint_ne(other.pkt->pkt_state & STATE_ARQ_DONE, 0);
	ck_assert_uint_eq(other.pkt->pkt_scbp[0], STATUS_CHECK);
	ck_assert_uint_eq(arq->sts_rqpkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(arq->sts_rqpkt_resid, 2);
	ck_assert_uint_eq(sense[2], 5);
	ck_assert_uint_eq(sense[12], 0x21);
	ck_assert_int_eq(other.pkt->pkt_resid, 4096);
	io_fini(&other);
	/* none could be fetched */
	chip->lie.host_status = PV_HS_SENSFAILED;
	ck_assert(!io_run(&other, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false));
	ck_assert_uint_eq(other.pkt->pkt_scbp[0], STATUS_CHECK);
	ck_assert_uint_eq(other.pkt->pkt_state & STATE_ARQ_DONE, 0);
	io_fini(&other);
}

/* what the chip must not see ends before it */
static void
nonsense_is_not_sent(void)
{
	struct scsi_device *sd = world_sd(0);
	unsigned int before;

	ck_assert(io_run(&other, sd, cdb, cdb_tur(cdb), NULL, 0, false));
	io_fini(&other);
	before = chip->disks[0].commands;
	ck_assert(!io_run(&other, sd, cdb, cdb_read(cdb, CDB_10, 0, 8, 0), data, 4096, false));
	ck_assert(io_ended(&other, CMD_DMA_DERR, 0));
	ck_assert_int_eq(other.pkt->pkt_resid, 4096);
	io_fini(&other);
	ck_assert(!io_run(&other, sd, cdb, cdb_write(cdb, CDB_10, 0, 8, 0), data, 512, false));
	ck_assert(io_ended(&other, CMD_DATA_OVR, 0));
	io_fini(&other);
	ck_assert(!io_run(&other, sd, cdb, cdb_read(cdb, CDB_10, 0, 8, 0), NULL, 0, true));
	ck_assert(io_ended(&other, CMD_DATA_OVR, 0));
	io_fini(&other);
	ck_assert_uint_eq(chip->disks[0].commands, before);
	/* a longer list is cut to what the CDB moves (the mock asserts that) */
	ck_assert(io_run(&other, sd, cdb, cdb_write(cdb, CDB_10, 0, 1, 0), data, 4096, false));
	ck_assert_int_eq(other.pkt->pkt_resid, 4096 - 512);
	ck_assert_uint_eq(chip->last.data_len, 512);
	io_fini(&other);
	/* data with a command that has none */
	ck_assert(io_run(&other, sd, cdb, cdb_tur(cdb), data, 512, true));
	ck_assert_uint_eq(chip->last.flags, PV_REQ_DIR_NONE);
	ck_assert_int_eq(other.pkt->pkt_resid, 512);
	io_fini(&other);
}

static void
tags_reach_the_chip(void)
{
	static const struct { uint_t flag; uint8_t tag; } tags[] = {
		{ FLAG_HTAG, PV_TAG_HEAD }, { FLAG_OTAG, PV_TAG_ORDERED },
		{ FLAG_STAG, PV_TAG_SIMPLE }, { 0, PV_TAG_SIMPLE },
	};

	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		io_init(&other, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false);
		other.pkt->pkt_flags = tags[i].flag;
		io_send(&other);
		io_wait(&other);
		ck_assert_uint_eq(chip->last.tag, tags[i].tag);
		io_fini(&other);
	}
}

WORLD_TEST(abort_one, .prepare = two_disks)
WORLD_TEST(abort_all, .prepare = two_disks)
WORLD_TEST(abort_in_vain)
WORLD_TEST(reset_target, .prepare = two_disks)
WORLD_TEST(reset_all, .prepare = two_disks)
WORLD_TEST(reset_of_the_adapter)
WORLD_TEST(sense_is_delivered)
WORLD_TEST(nonsense_is_not_sent)
WORLD_TEST(tags_reach_the_chip)

CHECK_MAIN("commands end once", abort_one_test, abort_all_test, abort_in_vain_test,
    reset_target_test, reset_all_test, reset_of_the_adapter_test, sense_is_delivered_test,
    nonsense_is_not_sent_test, tags_reach_the_chip_test)
