/* FLAG_NOINTR where nobody can wait: the driver polls, interrupts go on, nothing is lost */
#include <pthread.h>
#include <stdatomic.h>

#include "ddi/sched.h"
#include "virtio.h"

#define BUSY	16
#define ROUNDS	50

static const struct chip_spec spec = {
	VIRTIO_SPEC,
	.disks = {
		{ .target = 0, .lun = 0 },
		{ .target = 1, .lun = 0, .store = CHIP_NULL },
	},
	.n_disks = 2,
};

static const struct chip_spec slow = {
	.device = VIRTIO_AT_ONCE, .driver = VIRTIO_SCSI_DRIVER,
	.mod_init = virtio_scsi_mod_init, .mod_fini = virtio_scsi_mod_fini,
	.disks = { { .target = 2, .lun = 0, .store = CHIP_NULL } },
	.n_disks = 1,
};

static struct chip *chip;

/* others keep the interrupts busy */
static void *
load(void *arg)
{
	struct scsi_device *sd = chip_await_unit(chip, 1, 0);
	struct chip_cmd *cmds[BUSY];

	(void)arg;
	for (unsigned int i = 0; i < BUSY; i++)
		cmds[i] = virtio_read_new(chip, sd, i, 1);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		for (unsigned int i = 0; i < BUSY; i++)
			ck_assert_int_eq(chip_cmd_start(cmds[i]), TRAN_ACCEPT);
		for (unsigned int i = 0; i < BUSY; i++) {
			chip_cmd_wait(cmds[i]);
			virtio_expect(cmds[i], CMD_CMPLT, VIRTIO_MOVED, 0);
		}
	}
	for (unsigned int i = 0; i < BUSY; i++)
		chip_cmd_free(cmds[i]);
	return NULL;
}

/* one command as from an interrupt handler */
static void
polled(struct chip_cmd *cmd, uint8_t reason)
{
	bool was = sched_set_interrupt(true);
	int r;

	cmd->pkt->pkt_flags |= FLAG_NOINTR;
	r = chip_cmd_start(cmd);
	(void)sched_set_interrupt(was);
	ck_assert_int_eq(r, TRAN_ACCEPT);
	ck_assert_uint_eq(cmd->completions, 0);		/* nobody is called back */
	ck_assert_uint_eq(cmd->pkt->pkt_reason, reason);
}

START_TEST(while_interrupts_are_busy)
{
	struct scsi_device *sd;
	struct chip_cmd *cmd;
	pthread_t thread;

	chip = chip_start(&spec);
	sd = chip_await_unit(chip, 0, 0);
	(void)chip_tur(chip, sd);
	(void)chip_tur(chip, chip_await_unit(chip, 1, 0));
	ck_assert_int_eq(pthread_create(&thread, NULL, load, NULL), 0);
	cmd = virtio_read_new(chip, sd, 0, 8);
	for (int i = 0; i < ROUNDS; i++) {
		polled(cmd, CMD_CMPLT);
		ck_assert_uint_eq(cmd->pkt->pkt_state, VIRTIO_MOVED);
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	chip_cmd_free(cmd);
	chip_stop(chip);
}
END_TEST

START_TEST(its_time_runs_out_too)
{
	struct chip_cmd *cmd;

	chip = chip_start(&slow);
	(void)chip_tur(chip, chip_await_unit(chip, 2, 0));
	chip_disk_hold(chip, 2, 0);
	chip_let_go_behind(chip, virtio_is_function, NULL);
	cmd = virtio_read_new(chip, chip_await_unit(chip, 2, 0), 0, 1);
	cmd->pkt->pkt_time = 1;
	polled(cmd, CMD_TIMEOUT);
	ck_assert_uint_eq(cmd->pkt->pkt_statistics, STAT_TIMEOUT | STAT_ABORTED);
	chip_cmd_free(cmd);
	chip_stop(chip);
}
END_TEST

/* from inside a completion, where doorbells wait for the end of all deliveries */
static struct chip_cmd *inner;
static _Atomic bool is_inner_done;

static void
poll_one(struct scsi_pkt *pkt)
{
	(void)pkt;
	inner->pkt->pkt_flags |= FLAG_NOINTR;
	if (chip_cmd_start(inner) == TRAN_ACCEPT && inner->pkt->pkt_reason == CMD_CMPLT)
		atomic_store(&is_inner_done, true);
}

static bool
inner_is_done(void *arg)
{
	(void)arg;
	return atomic_load(&is_inner_done);
}

START_TEST(inside_a_completion)
{
	struct scsi_device *sd;
	struct chip_cmd *outer;

	chip = chip_start(&spec);
	sd = chip_await_unit(chip, 1, 0);
	(void)chip_tur(chip, sd);
	inner = virtio_read_new(chip, sd, 0, 1);
	outer = virtio_read_new(chip, sd, 0, 1);
	outer->pkt->pkt_comp = poll_one;
	ck_assert_int_eq(scsi_transport(outer->pkt), TRAN_ACCEPT);
	chip_await(chip, inner_is_done, NULL, "the polled command to end");
	chip_cmd_free(inner);
	chip_cmd_free(outer);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio polls", while_interrupts_are_busy, its_time_runs_out_too,
    inside_a_completion)
