/* row 6: abort one of four; reset the unit, the target, everything: each command ends once, and
 * says why */
#include "mptsas.h"

#define N	4

static const struct chip_spec spec = MPT_SPEC(.n_disks = 3, .disks = {
	MPT_DISK(0, .store = CHIP_NULL), { .target = 0, .lun = 1, .store = CHIP_NULL },
	MPT_DISK(1, .store = CHIP_NULL),
});

static struct chip *chip;
static struct chip_cmd *cmds[N];
static int notified;

static struct chip_cmd *
read_of(unsigned int target, unsigned int lun)
{
	struct chip_cmd *cmd;
	uint8_t cdb[10];

	chip_cdb_rw10(cdb, false, 8, 1);
	cmd = chip_cmd_new(
	    chip, mpt_unit(chip, target, lun), cdb, sizeof(cdb), CHIP_IN, 512);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	return cmd;
}

static void
let_go(void)
{
	for (unsigned int i = 0; i < spec.n_disks; i++)
		chip_disk_let_go(chip, spec.disks[i].target, spec.disks[i].lun);
}

/* 0 and 1: target 0, lun 0; 2: target 0, lun 1; 3: target 1; all are with their disks, and stay */
static void
begin(void)
{
	chip = chip_start(&spec);
	(void)chip_tur(chip, mpt_unit(chip, 0, 0));
	(void)chip_tur(chip, mpt_unit(chip, 0, 1));
	(void)chip_tur(chip, mpt_unit(chip, 1, 0));
	for (unsigned int i = 0; i < spec.n_disks; i++)
		chip_disk_hold(chip, spec.disks[i].target, spec.disks[i].lun);
	cmds[0] = read_of(0, 0);
	cmds[1] = read_of(0, 0);
	cmds[2] = read_of(0, 1);
	cmds[3] = read_of(1, 0);
}

/* bit i of @killed: command i ended for @reason; the others did what they should */
static void
end(unsigned int killed, uint8_t reason, uint_t stats)
{
	for (unsigned int i = 0; i < N; i++) {
		const struct scsi_pkt *pkt = cmds[i]->pkt;
		bool is_killed = (killed & 1u << i) != 0;

		chip_cmd_wait(cmds[i]);
		ck_assert_uint_eq(cmds[i]->completions, 1);
		ck_assert_uint_eq(pkt->pkt_reason, is_killed ? reason : CMD_CMPLT);
		ck_assert_uint_eq(pkt->pkt_statistics, is_killed ? stats : 0);
		if (!is_killed)
			ck_assert_uint_eq(*pkt->pkt_scbp, STATUS_GOOD);
		chip_cmd_free(cmds[i]);
	}
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 0, 0)), 0);
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 1, 0)), 0);
	chip_stop(chip);
}

static void
count_notice(caddr_t arg)
{
	(void)arg;
	__atomic_add_fetch(&notified, 1, __ATOMIC_SEQ_CST);
}

static void
listen_at(unsigned int target, unsigned int lun, int flag)
{
	ck_assert_int_eq(scsi_reset_notify(&mpt_unit(chip, target, lun)->sd_address, flag,
	    count_notice, NULL), DDI_SUCCESS);
}

static void
listen_everywhere(int flag)
{
	listen_at(0, 0, flag);
	listen_at(0, 1, flag);
	listen_at(1, 0, flag);
}

START_TEST(abort_one)
{
	begin();
	chip_let_go_behind(chip, mpt_is_function, chip);
	ck_assert_int_eq(scsi_abort(&mpt_unit(chip, 0, 0)->sd_address, cmds[1]->pkt), 1);
	end(0x2, CMD_ABORTED, STAT_ABORTED);
}
END_TEST

START_TEST(abort_all_of_a_unit)
{
	begin();
	chip_let_go_behind(chip, mpt_is_function, chip);
	ck_assert_int_eq(scsi_abort(&mpt_unit(chip, 0, 0)->sd_address, NULL), 1);
	end(0x3, CMD_ABORTED, STAT_ABORTED);
}
END_TEST

/* too late, or never started */
START_TEST(abort_what_is_not_there)
{
	begin();
	let_go();
	for (unsigned int i = 0; i < N; i++)
		chip_cmd_wait(cmds[i]);
	ck_assert_int_eq(scsi_abort(&mpt_unit(chip, 0, 0)->sd_address, cmds[1]->pkt), 0);
	end(0, CMD_CMPLT, 0);
}
END_TEST

static void
reset(int level, unsigned int killed, uint_t stats, int notices)
{
	begin();
	notified = 0;
	listen_everywhere(SCSI_RESET_NOTIFY);
	ck_assert_int_eq(scsi_reset(&mpt_unit(chip, 0, 0)->sd_address, level), 1);
	ck_assert_int_eq(notified, notices);
	listen_everywhere(SCSI_RESET_CANCEL);
	let_go();
	end(killed, CMD_RESET, stats);
}

START_TEST(reset_lun)
{
	reset(RESET_LUN, 0x3, STAT_DEV_RESET, 1);
}
END_TEST

START_TEST(reset_target)
{
	reset(RESET_TARGET, 0x7, STAT_DEV_RESET, 2);
}
END_TEST

START_TEST(reset_all)
{
	reset(RESET_ALL, 0xf, STAT_BUS_RESET, 3);
}
END_TEST

CHECK_MAIN("mptsas: task management", abort_one, abort_all_of_a_unit, abort_what_is_not_there,
    reset_lun, reset_target, reset_all)
