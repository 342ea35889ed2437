/* row 16: more commands than 16 bits count, mixed, with rings that start again meanwhile.
 * CHIP_COMMANDS in the environment: so many instead */
#include <stdio.h>

#include "base/rng.h"
#include "pvscsi.h"

#define DEPTH		32
#define COMMANDS	70000u
#define REFRESH_AT	66000u

static const struct chip_spec one = PV_SPEC(.n_disks = 2, .is_detached = true, .disks = {
	{ .target = 0, .store = CHIP_NULL }, { .target = 1, .store = CHIP_NULL } });

static struct chip *chip;
static struct chip_cmd *cmds[DEPTH];

static bool
is_accepted(void *arg)
{
	int r = chip_cmd_start(arg);

	ck_assert(r == TRAN_ACCEPT || r == TRAN_BUSY);
	return r == TRAN_ACCEPT;
}

/* reads, writes, inquiries, questions */
static void
kinds_make(void)
{
	uint8_t cdb[CDB_BUF_LEN];

	for (uint32_t i = 0; i < DEPTH; i++) {
		struct scsi_device *sd = chip_unit(chip, i & 1, 0);
		uint32_t blocks = 1 + i % 16;

		if (i % 8 == 7)
			cmds[i] = chip_cmd_new(
			    chip, sd, cdb, cdb_inquiry(cdb, 96), CHIP_IN, 96);
		else if (i % 8 == 6)
			cmds[i] = pv_tur(chip, sd);
		else if (i % 4 == 1)
			cmds[i] = chip_cmd_new(chip, sd, cdb,
			    cdb_write(cdb, CDB_10, i, blocks, 0), CHIP_OUT, blocks * 512);
		else
			cmds[i] = chip_cmd_new(chip, sd, cdb,
			    cdb_read(cdb, CDB_10, i, blocks, 0), CHIP_IN, blocks * 512);
		ck_assert_int_eq(chip_cmd_start(cmds[i]), TRAN_ACCEPT);
	}
}

START_TEST(counts_are_equal)
{
	const char *text = getenv("CHIP_COMMANDS");
	uint32_t n = DEPTH, total = COMMANDS;
	char refresh[] = "ring-refresh-at";
	struct pvscsi *hba;
	uint64_t from_ns, accesses;

	if (text != NULL)
		total = (uint32_t)strtoul(text, NULL, 10);
	chip = chip_start(&one);
	(void)ddi_prop_update_int64(DDI_DEV_T_NONE, chip_node(chip), refresh, REFRESH_AT);
	chip_attach_all(chip);
	hba = pvscsi_of(chip_node(chip));
	from_ns = clock_now_ns();
	accesses = chip_accesses(chip);
	kinds_make();
	for (uint32_t i = 0; n < total; i = (i + 1) % DEPTH) {
		chip_cmd_wait(cmds[i]);
		ck_assert(pv_ended(cmds[i], CMD_CMPLT, 0));
		ck_assert_uint_eq(*cmds[i]->pkt->pkt_scbp, STATUS_GOOD);
		chip_await(chip, is_accepted, cmds[i], "room in the ring");
		n++;
	}
	for (uint32_t i = 0; i < DEPTH; i++) {
		chip_cmd_wait(cmds[i]);
		chip_cmd_free(cmds[i]);
	}
	printf("%u commands at depth %d: %.0f a second, %.2f register accesses each\n", total,
	    DEPTH, total * 1e9 / (double)(clock_now_ns() - from_ns),
	    (double)(chip_accesses(chip) - accesses) / total);
	ck_assert_uint_eq(
	    atomic_load(&hba->stats.commands), atomic_load(&hba->stats.completions));
	ck_assert_uint_ge(atomic_load(&hba->stats.refreshes), total / (REFRESH_AT + DEPTH));
	ck_assert_uint_eq(hba->tags.used, 0);
	ck_assert(pv_state_is(chip, PVSCSI_READY));
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi: many commands", counts_are_equal)
