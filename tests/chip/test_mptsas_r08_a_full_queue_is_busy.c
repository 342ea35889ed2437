/* row 8: more commands than the adapter takes, from several threads: busy, and none is lost */
#include <pthread.h>

#include "mptsas.h"

#define THREADS	4
#define EACH	60

static const struct chip_spec spec = MPT_SPEC(.n_disks = 4, .disks = {
	MPT_DISK(0, .store = CHIP_NULL), MPT_DISK(1, .store = CHIP_NULL),
	MPT_DISK(2, .store = CHIP_NULL), MPT_DISK(3, .store = CHIP_NULL),
});

static struct chip *chip;
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
	unsigned int accepted = 0, busy = 0;
	pthread_t threads[THREADS];
	uint8_t cdb[10];

	chip = chip_start(&spec);
	chip_cdb_rw10(cdb, false, 0, 1);
	for (unsigned int t = 0; t < THREADS; t++) {
		(void)chip_tur(chip, mpt_unit(chip, t, 0));
		for (unsigned int i = 0; i < EACH; i++)
			cmds[t][i] = chip_cmd_new(
			    chip, mpt_unit(chip, t, 0), cdb, sizeof(cdb), CHIP_IN, 512);
		chip_disk_hold(chip, t, 0);
	}
	for (unsigned int t = 0; t < THREADS; t++)
		ck_assert_int_eq(pthread_create(&threads[t], NULL, submit, cmds[t]), 0);
	for (unsigned int t = 0; t < THREADS; t++)
		(void)pthread_join(threads[t], NULL);
	for (unsigned int t = 0; t < THREADS; t++)
		chip_disk_let_go(chip, t, 0);
	for (unsigned int t = 0; t < THREADS; t++) {
		for (unsigned int i = 0; i < EACH; i++) {
			struct chip_cmd *cmd = cmds[t][i];

			if (cmd->accepted == TRAN_BUSY) {
				busy++;
			} else {
				chip_cmd_wait(cmd);
				ck_assert_int_eq(cmd->accepted, TRAN_ACCEPT);
				ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_CMPLT);
				accepted++;
			}
			chip_cmd_free(cmd);
		}
	}
	/* 128 credits, of which three are the driver's own */
	ck_assert_uint_ge(accepted, 125);
	ck_assert_uint_eq(accepted + busy, THREADS * EACH);
	ck_assert_uint_gt(busy, 0);
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 0, 0)), 0);
	ck_assert(mpt_state_is(chip, "ready"));
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: depth", none_is_lost)
