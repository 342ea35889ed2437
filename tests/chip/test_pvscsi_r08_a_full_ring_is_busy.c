/* row 8: more commands than the ring has room for, from several threads: BUSY, and none is
 * lost */
#include "pvscsi.h"

#define THREADS	4
#define EACH	100

static const struct chip_spec one = PV_SPEC(.n_disks = 1, .is_detached = true, .disks = {
	{ .target = 0, .store = CHIP_NULL, } });

static struct chip *chip;
static _Atomic unsigned int busy;

static bool
is_accepted(void *arg)
{
	struct chip_cmd *cmd = arg;
	int r = chip_cmd_start(cmd);

	ck_assert(r == TRAN_ACCEPT || r == TRAN_BUSY);
	busy += r == TRAN_BUSY;
	return r == TRAN_ACCEPT;
}

static bool
is_full(void *arg)
{
	(void)arg;
	return busy > 0;
}

static void *
submit(void *arg)
{
	struct chip_cmd **cmds = arg;
	uint8_t cdb[10];

	for (uint32_t i = 0; i < EACH; i++) {
		chip_cdb_rw10(cdb, false, i, 1);
		cmds[i] =
		    chip_cmd_new(chip, chip_unit(chip, 0, 0), cdb, sizeof(cdb), CHIP_IN, 512);
		chip_await(chip, is_accepted, cmds[i], "room in the ring");
	}
	return NULL;
}

START_TEST(more_than_there_is_room_for)
{
	static struct chip_cmd *cmds[THREADS][EACH];
	char pages[] = "ring-pages";
	pthread_t threads[THREADS];

	chip = chip_start(&one);
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, chip_node(chip), pages, 1);
	chip_attach_all(chip);
	ck_assert_uint_eq(pvscsi_of(chip_node(chip))->depth, 31);
	chip_disk_hold(chip, 0, 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, submit, cmds[i]), 0);
	chip_await(chip, is_full, NULL, "a full ring");
	chip_disk_let_go(chip, 0, 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < THREADS; i++) {
		for (int k = 0; k < EACH; k++) {
			chip_cmd_wait(cmds[i][k]);
			ck_assert(pv_ended(cmds[i][k], CMD_CMPLT, 0));
			chip_cmd_free(cmds[i][k]);
		}
	}
	chip_stop(chip);
}
END_TEST

/* the model hangs when its largest ring is full to the last entry */
START_TEST(the_largest_ring)
{
	static struct chip_cmd *cmds[1024];
	char pages[] = "ring-pages";

	chip = chip_start(&one);
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, chip_node(chip), pages, 32);
	chip_attach_all(chip);
	chip_disk_hold(chip, 0, 0);
	for (int i = 0; i < 1023; i++)
		cmds[i] = pv_read(chip, chip_unit(chip, 0, 0), 1);
	cmds[1023] = pv_tur(chip, chip_unit(chip, 0, 0));
	ck_assert_int_eq(chip_cmd_start(cmds[1023]), TRAN_BUSY);
	chip_disk_let_go(chip, 0, 0);
	for (int i = 0; i < 1023; i++)
		chip_cmd_wait(cmds[i]);
	ck_assert_int_eq(chip_cmd_start(cmds[1023]), TRAN_ACCEPT);
	for (int i = 0; i < 1024; i++) {
		chip_cmd_wait(cmds[i]);
		ck_assert(pv_ended(cmds[i], CMD_CMPLT, 0));
		chip_cmd_free(cmds[i]);
	}
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi: full ring", more_than_there_is_room_for, the_largest_ring)
