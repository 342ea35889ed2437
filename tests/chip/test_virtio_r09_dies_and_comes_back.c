/* an adapter that gives up: what was in flight ends by reset, it is built anew, works, and
 * those who want to know are told; one that gives up again and again stays dead */
#include "virtio_ring.h"

static const struct chip_spec spec = {
	VIRTIO_SPEC,
	.disks = {
		{ .target = 0, .lun = 0 },
		{ .target = 1, .lun = 0, .store = CHIP_NULL, .latency_ms = 500 },
	},
	.n_disks = 2,
};

static struct chip *chip;
static struct scsi_device *fast, *slow;
static unsigned int resets;

static void
on_reset(caddr_t arg)
{
	(void)arg;
	(void)__atomic_add_fetch(&resets, 1, __ATOMIC_SEQ_CST);
}

static void
begin(void)
{
	chip = chip_start(&spec);
	fast = chip_await_unit(chip, 0, 0);
	slow = chip_await_unit(chip, 1, 0);
	ck_assert_int_eq(chip_tur(chip, fast), 0);
	ck_assert_int_eq(chip_tur(chip, slow), 0);
	resets = 0;
}

/* rings of this thread are broken; others look for targets at the same time */
static _Thread_local bool is_breaking;

/* the next chain of a request queue has a header that is too short when its doorbell rings */
static bool
break_header(void *arg, unsigned int bar, uint64_t off, unsigned int width, uint64_t value)
{
	struct virtio_ring *ring = arg;
	struct vs_desc *desc, *table;

	(void)width;
	if (!is_breaking || bar != VIRTIO_BAR || off < VIRTIO_NOTIFY ||
	    value < VS_REQUEST_QUEUE)
		return true;
	desc = &ring->desc[virtio_ring_last(ring)];
	table = chip_memory(chip, desc->iova, desc->len);
	table[0].len = 10;
	return true;
}

static bool
has_failed(void *arg)
{
	return virtio_failures(chip) >= *(int *)arg && virtio_is_ready(chip);
}

static void
give_up(int times)
{
	struct virtio_ring ring = virtio_ring_of(chip, VS_REQUEST_QUEUE);
	struct chip_cmd *cmd = virtio_read_new(chip, fast, 0, 1);

	is_breaking = true;
	chip_on_write(chip, break_header, &ring);
	/* without a doorbell of its own, while the chip is at work, it slips through */
	do {
		ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
		chip_cmd_wait(cmd);
	} while (cmd->pkt->pkt_reason == CMD_CMPLT);
	chip_on_write(chip, NULL, NULL);
	is_breaking = false;
	virtio_expect(cmd, CMD_RESET, VIRTIO_SENT, STAT_BUS_RESET);
	chip_cmd_free(cmd);
	if (times > 0)
		chip_await(chip, has_failed, &times, "the adapter to be ready again");
}

START_TEST(it_comes_back)
{
	uint8_t out[512], in[512];
	struct chip_cmd *cmd;

	begin();
	ck_assert_int_eq(scsi_reset_notify(&slow->sd_address, SCSI_RESET_NOTIFY, on_reset,
	    NULL), DDI_SUCCESS);
	memset(out, 0x77, sizeof(out));
	chip_write(chip, fast, 3, 1, out);
	cmd = virtio_read_new(chip, slow, 0, 1);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	give_up(1);
	chip_cmd_wait(cmd);
	/* the chip ends what it is doing before it is reset: this one may have come through */
	ck_assert(cmd->pkt->pkt_reason == CMD_RESET || cmd->pkt->pkt_reason == CMD_CMPLT);
	chip_cmd_free(cmd);
	chip_read(chip, fast, 3, 1, in);
	ck_assert_mem_eq(in, out, sizeof(in));
	ck_assert_int_eq(chip_tur(chip, slow), 0);
	ck_assert_uint_ge(resets, 1);
	(void)scsi_reset_notify(&slow->sd_address, SCSI_RESET_CANCEL, on_reset, NULL);
	chip_stop(chip);
}
END_TEST

START_TEST(it_is_busy_meanwhile)
{
	struct virtio_ring ring;
	struct chip_cmd *cmd, *next;

	begin();
	is_breaking = true;
	ring = virtio_ring_of(chip, VS_REQUEST_QUEUE);
	cmd = virtio_read_new(chip, fast, 0, 1);
	next = virtio_read_new(chip, fast, 0, 1);
	chip_on_write(chip, break_header, &ring);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_on_write(chip, NULL, NULL);
	chip_cmd_wait(cmd);
	for (int r = TRAN_BUSY; r != TRAN_ACCEPT;) {
		r = chip_cmd_start(next);
		ck_assert(r == TRAN_ACCEPT || r == TRAN_BUSY);
	}
	chip_cmd_wait(next);
	chip_cmd_free(cmd);
	chip_cmd_free(next);
	chip_stop(chip);
}
END_TEST

START_TEST(too_often_is_too_often)
{
	struct chip_cmd *cmd;

	begin();
	for (int i = 1; i <= 5; i++)
		give_up(i);
	give_up(0);
	chip_await(chip, virtio_is_dead, chip, "the adapter to stay dead");
	cmd = virtio_read_new(chip, fast, 0, 1);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_FATAL_ERROR);
	chip_cmd_free(cmd);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio dies", it_comes_back, it_is_busy_meanwhile, too_often_is_too_often)
