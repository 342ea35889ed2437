/* row 13: FLAG_NOINTR in interrupt context, while interrupts are busy with others */
#include "ddi/sched.h"
#include "pvscsi.h"

#define N	64

static const struct chip_spec one = PV_SPEC(.n_disks = 1, .disks = { { .target = 0 } });

START_TEST(among_others)
{
	static struct chip_cmd *cmds[N];
	struct chip *chip = chip_start(&one);
	struct scsi_device *sd = chip_unit(chip, 0, 0);
	struct chip_cmd *polled;
	uint8_t cdb[10];

	chip_cdb_rw10(cdb, false, 8, 8);
	for (int round = 0; round < 8; round++) {
		for (int i = 0; i < N; i++)
			cmds[i] = pv_read(chip, sd, 8);
		polled = chip_cmd_new(chip, sd, cdb, sizeof(cdb), CHIP_IN, 4096);
		polled->pkt->pkt_flags |= FLAG_NOINTR;
		(void)sched_set_interrupt(true);
		ck_assert_int_eq(chip_cmd_start(polled), TRAN_ACCEPT);
		(void)sched_set_interrupt(false);
		ck_assert_uint_eq(polled->pkt->pkt_reason, CMD_CMPLT);
		ck_assert_uint_eq(polled->completions, 0);
		chip_cmd_free(polled);
		for (int i = 0; i < N; i++) {
			chip_cmd_wait(cmds[i]);
			ck_assert(pv_ended(cmds[i], CMD_CMPLT, 0));
			chip_cmd_free(cmds[i]);
		}
	}
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi: polling", among_others)
