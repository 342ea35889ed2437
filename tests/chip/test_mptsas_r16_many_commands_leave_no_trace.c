/* row 16: a mix of commands over several disks: all come back, all data is right. The number is
 * CHIP_COMMANDS, or a few thousand */
#include <stdlib.h>

#include "base/num.h"
#include "base/rng.h"
#include "mptsas.h"

#define DISKS	3
#define DEPTH	16
#define BLOCKS	64u

static const struct chip_spec spec = MPT_SPEC(.n_disks = DISKS, .disks = {
	MPT_DISK(0, .store = CHIP_FILE), MPT_DISK(1, .store = CHIP_FILE),
	MPT_DISK(2, .store = CHIP_FILE),
});

/* a command that runs, in a range of the disk that is its own */
struct lane {
	struct chip_cmd *cmd;
	bool is_write;
	uint8_t fill;			/* what was written last */
	uint32_t blocks;
	bool has_written;
};

static struct chip *chip;
static struct lane lanes[DISKS][DEPTH];
static struct rng rng;

static void
lane_start(unsigned int d, unsigned int i)
{
	struct lane *lane = &lanes[d][i];
	uint8_t cdb[10];
	int r;

	lane->is_write = !lane->has_written || rng_below(&rng, 2) == 0;
	if (lane->is_write) {
		lane->fill = (uint8_t)rng_below(&rng, 256);
		lane->blocks = 1 + (uint32_t)rng_below(&rng, BLOCKS);
		lane->has_written = true;
	}
	chip_cdb_rw10(cdb, lane->is_write, i * BLOCKS, lane->blocks);
	lane->cmd = chip_cmd_new(chip, mpt_unit(chip, d, 0), cdb, sizeof(cdb),
	    lane->is_write ? CHIP_OUT : CHIP_IN, lane->blocks * 512);
	if (lane->is_write)
		memset(lane->cmd->data, lane->fill, lane->cmd->len);
	r = chip_cmd_start(lane->cmd);
	ck_assert_int_eq(r, TRAN_ACCEPT);
}

static void
lane_end(unsigned int d, unsigned int i)
{
	struct lane *lane = &lanes[d][i];

	chip_cmd_wait(lane->cmd);
	ck_assert_uint_eq(lane->cmd->pkt->pkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(*lane->cmd->pkt->pkt_scbp, STATUS_GOOD);
	ck_assert_int_eq(lane->cmd->pkt->pkt_resid, 0);
	ck_assert_uint_eq(lane->cmd->data[0], lane->fill);
	ck_assert_int_eq(memcmp(lane->cmd->data, lane->cmd->data + 1, lane->cmd->len - 1), 0);
	chip_cmd_free(lane->cmd);
}

START_TEST(all_come_back)
{
	const char *want = getenv("CHIP_COMMANDS");
	uint64_t total = 3000;

	if (want != NULL)
		ck_assert_int_eq(num_parse_u64(want, UINT32_MAX, &total), 0);
	rng = rng_init(16);
	chip = chip_start(&spec);
	for (unsigned int d = 0; d < DISKS; d++) {
		(void)chip_tur(chip, mpt_unit(chip, d, 0));
		for (unsigned int i = 0; i < DEPTH; i++)
			lane_start(d, i);
	}
	for (uint64_t n = DISKS * DEPTH; n < total; n++) {
		unsigned int d = (unsigned int)rng_below(&rng, DISKS);
		unsigned int i = (unsigned int)rng_below(&rng, DEPTH);

		lane_end(d, i);
		lane_start(d, i);
	}
	for (unsigned int d = 0; d < DISKS; d++) {
		for (unsigned int i = 0; i < DEPTH; i++)
			lane_end(d, i);
	}
	ck_assert(mpt_state_is(chip, "ready"));
	ck_assert_int_eq(mpt_prop(chip, "hba-failures"), 0);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: endurance", all_come_back)
