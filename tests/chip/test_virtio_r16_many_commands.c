/* a random mix of commands in flight all the time, until the indices of the rings have gone
 * round more than once: all come back, all data is right. The number is CHIP_COMMANDS, or so
 * many that it takes seconds */
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/rng.h"
#include "virtio.h"

#define LANES	32
#define BLOCKS	16u
#define ROUND	65536u			/* commands until the indices are where they were */

static const struct chip_spec spec = {
	VIRTIO_SPEC,
	.disks = {
		{ .target = 0, .lun = 0 }, { .target = 0, .lun = 1 },
		{ .target = 9, .lun = 0, .store = CHIP_NULL },
	},
	.n_disks = 3,
};

static struct chip *chip;

/* a packet that starts itself again, in the context where it has completed */
struct runner {
	struct scsi_pkt *pkt;
	_Atomic uint64_t *left, *ended;
};

static void
again(struct scsi_pkt *pkt)
{
	struct runner *runner = pkt->pkt_private;

	if (pkt->pkt_reason != CMD_CMPLT || *pkt->pkt_scbp != STATUS_GOOD)
		abort();
	if ((int64_t)atomic_fetch_sub(runner->left, 1) > 0) {
		if (scsi_transport(pkt) != TRAN_ACCEPT)
			abort();
		return;
	}
	(void)atomic_fetch_add(runner->ended, 1);
}

static _Atomic uint64_t left, ended;

static bool
all_ended(void)
{
	return atomic_load(&ended) == LANES;
}

/* however slow the machine is, so many come back before one takes it to hang */
static bool
has_moved(void *arg)
{
	return all_ended() || (int64_t)atomic_load(&left) <= *(int64_t *)arg;
}

static void
all_await(void)
{
	while (!all_ended()) {
		int64_t next = (int64_t)atomic_load(&left) - 1000;

		chip_await(chip, has_moved, &next, "commands to end");
	}
}

START_TEST(indices_go_round)
{
	struct runner runners[LANES];
	struct chip_cmd *cmds[LANES];
	const char *want = getenv("CHIP_COMMANDS");
	uint64_t total = 2 * ROUND + 1000, before;
	struct scsi_device *sd;

	if (want != NULL)
		ck_assert_int_eq(num_parse_u64(want, UINT32_MAX, &total), 0);
	chip = chip_start(&spec);
	sd = chip_await_unit(chip, 9, 0);
	(void)chip_tur(chip, sd);
	atomic_store(&left, total - LANES);
	for (unsigned int i = 0; i < LANES; i++) {
		cmds[i] = virtio_read_new(chip, sd, i, 1 + i % BLOCKS);
		runners[i] = (struct runner){ cmds[i]->pkt, &left, &ended };
		cmds[i]->pkt->pkt_private = &runners[i];
		cmds[i]->pkt->pkt_comp = again;
	}
	before = chip_accesses(chip);
	for (unsigned int i = 0; i < LANES; i++)
		ck_assert_int_eq(scsi_transport(cmds[i]->pkt), TRAN_ACCEPT);
	all_await();
	/* what is submitted where commands complete shares a doorbell */
	printf("%.3f register accesses a command\n",
	    (double)(chip_accesses(chip) - before) / (double)total);
	ck_assert_uint_lt(chip_accesses(chip) - before, total);
	for (unsigned int i = 0; i < LANES; i++)
		chip_cmd_free(cmds[i]);
	ck_assert_int_eq(virtio_failures(chip), 0);
	chip_stop(chip);
}
END_TEST

/* what is in a range of the disk, which is one command's own */
struct lane {
	struct chip_cmd *cmd;
	uint32_t blocks;
	uint8_t fill;
	bool has_written;
};

static void
lane_start(struct lane *lane, unsigned int i, struct rng *rng)
{
	bool is_write = !lane->has_written || rng_below(rng, 2) == 0;
	uint8_t cdb[10];

	if (is_write) {
		lane->fill = (uint8_t)rng_below(rng, 256);
		lane->blocks = 1 + (uint32_t)rng_below(rng, BLOCKS);
		lane->has_written = true;
	}
	chip_cdb_rw10(cdb, is_write, i * BLOCKS, lane->blocks);
	lane->cmd = chip_cmd_new(chip, chip_await_unit(chip, 0, i % 2), cdb, sizeof(cdb),
	    is_write ? CHIP_OUT : CHIP_IN, lane->blocks * 512);
	if (is_write)
		memset(lane->cmd->data, lane->fill, lane->cmd->len);
	ck_assert_int_eq(chip_cmd_start(lane->cmd), TRAN_ACCEPT);
}

static void
lane_end(struct lane *lane)
{
	chip_cmd_wait(lane->cmd);
	virtio_expect(lane->cmd, CMD_CMPLT, VIRTIO_MOVED, 0);
	ck_assert_int_eq(lane->cmd->pkt->pkt_resid, 0);
	ck_assert_uint_eq(lane->cmd->data[0], lane->fill);
	ck_assert_int_eq(memcmp(lane->cmd->data, lane->cmd->data + 1, lane->cmd->len - 1), 0);
	chip_cmd_free(lane->cmd);
}

START_TEST(data_is_right)
{
	static struct lane lanes[LANES];
	struct rng rng = rng_init(16);

	chip = chip_start(&spec);
	(void)chip_tur(chip, chip_await_unit(chip, 0, 0));
	(void)chip_tur(chip, chip_await_unit(chip, 0, 1));
	for (unsigned int i = 0; i < LANES; i++)
		lane_start(&lanes[i], i, &rng);
	for (unsigned int n = 0; n < 3000; n++) {
		unsigned int i = (unsigned int)rng_below(&rng, LANES);

		lane_end(&lanes[i]);
		lane_start(&lanes[i], i, &rng);
	}
	for (unsigned int i = 0; i < LANES; i++)
		lane_end(&lanes[i]);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio many commands", indices_go_round, data_is_right)
