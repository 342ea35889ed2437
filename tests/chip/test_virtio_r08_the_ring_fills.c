/* more commands than the ring has room for, from several threads: busy or done, none lost */
#include <pthread.h>

#include "virtio.h"

#define THREADS	4
#define EACH	100
#define DEPTH	256		/* of the queue */

static const struct chip_spec spec = {
	VIRTIO_SPEC,
	.disks = { { .target = 0, .lun = 0, .store = CHIP_NULL } },
	.n_disks = 1,
};

static struct chip *chip;
static struct scsi_device *sd;
static struct chip_cmd *cmds[THREADS][EACH];

static void *
submit(void *arg)
{
	struct chip_cmd **mine = arg;

	for (unsigned int i = 0; i < EACH; i++)
		(void)chip_cmd_start(mine[i]);
	return NULL;
}

START_TEST(none_is_lost)
{
	unsigned int taken = 0, busy = 0;
	pthread_t threads[THREADS];

	chip = chip_start(&spec);
	sd = chip_await_unit(chip, 0, 0);
	(void)chip_tur(chip, sd);
	for (unsigned int t = 0; t < THREADS; t++) {
		for (unsigned int i = 0; i < EACH; i++)
			cmds[t][i] = virtio_read_new(chip, sd, 8 * i, 1);
	}
	chip_disk_hold(chip, 0, 0);
	for (unsigned int t = 0; t < THREADS; t++)
		ck_assert_int_eq(pthread_create(&threads[t], NULL, submit, cmds[t]), 0);
	for (unsigned int t = 0; t < THREADS; t++)
		ck_assert_int_eq(pthread_join(threads[t], NULL), 0);
	for (unsigned int t = 0; t < THREADS; t++) {
		for (unsigned int i = 0; i < EACH; i++) {
			busy += cmds[t][i]->accepted == TRAN_BUSY;
			taken += cmds[t][i]->accepted == TRAN_ACCEPT;
		}
	}
	ck_assert_uint_eq(taken, DEPTH);
	ck_assert_uint_eq(busy, THREADS * EACH - DEPTH);
	chip_disk_let_go(chip, 0, 0);
	for (unsigned int t = 0; t < THREADS; t++) {
		for (unsigned int i = 0; i < EACH; i++) {
			struct chip_cmd *cmd = cmds[t][i];

			/* now there is room again */
			if (cmd->accepted == TRAN_ACCEPT)
				chip_cmd_wait(cmd);
		}
	}
	for (unsigned int t = 0; t < THREADS; t++) {
		for (unsigned int i = 0; i < EACH; i++) {
			struct chip_cmd *cmd = cmds[t][i];

			if (cmd->accepted == TRAN_BUSY)
				ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
		}
	}
	for (unsigned int t = 0; t < THREADS; t++) {
		for (unsigned int i = 0; i < EACH; i++) {
			chip_cmd_wait(cmds[t][i]);
			virtio_expect(cmds[t][i], CMD_CMPLT, VIRTIO_MOVED, 0);
			chip_cmd_free(cmds[t][i]);
		}
	}
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio ring", none_is_lost)
