/* a chip that lies: bad tag, duplicate, index jump, sense and residual that cannot be, all
 * ones, interrupts without end. Its adapter fails within 100 ms, its packets end once, the
 * other adapter goes on, and it is built anew */
#include <pthread.h>

#include "stop_clock.h"
#include "virtio_ring.h"

static const struct chip_spec spec = {
	VIRTIO_SPEC,
	.disks = {
		{ .target = 0, .lun = 0, .store = CHIP_NULL },
		{ .target = 1, .lun = 0, .store = CHIP_NULL },
	},
	.n_disks = 2,
	.twins = 1,
};

static struct chip *chip;
static struct scsi_device *fast, *slow;
static struct chip_cmd *cmd;		/* in flight while the chip lies */
static struct virtio_ring ring;
static uint64_t lied_ns;

static void
begin(void)
{
	uint8_t data[512];

	chip = chip_start(&spec);
	fast = chip_await_unit(chip, 0, 0);
	slow = chip_await_unit(chip, 1, 0);
	chip_read(chip, fast, 0, 1, data);
	ck_assert_int_eq(chip_tur(chip, slow), 0);
	ring = virtio_ring_of(chip, VS_REQUEST_QUEUE);
	chip_disk_hold(chip, 1, 0);
	cmd = virtio_read_new(chip, slow, 0, 1);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
}

static bool
has_failed(void *arg)
{
	(void)arg;
	return virtio_failures(chip) > 0 || !virtio_has_state(chip, "ready");
}

/* the interrupt that goes with the lie */
static void
tell(void)
{
	lied_ns = clock_now_ns();
	for (unsigned int i = 0; i < 4; i++)
		chip_interrupt(chip, i);
	chip_await(chip, has_failed, NULL, "the adapter to fail");
}

static void
recovered(uint8_t reason, const char *why)
{
	uint8_t data[512];
	char *text;

	chip_cmd_wait(cmd);
	ck_assert_uint_eq(cmd->pkt->pkt_reason, reason);
	ck_assert_uint_eq(cmd->completions, 1);
	chip_cmd_free(cmd);
	chip_await(chip, virtio_is_ready, chip, "the adapter to be ready again");
	ck_assert_int_eq(ddi_prop_lookup_string(DDI_DEV_T_ANY, chip_node(chip),
	    DDI_PROP_DONTPASS, "hba-why", &text), DDI_PROP_SUCCESS);
	ck_assert_str_eq(text, why);
	ddi_prop_free(text);
	/* it works, and the other one has not noticed */
	chip_read(chip, fast, 0, 1, data);
	ck_assert_int_eq(virtio_failures(chip), 1);
	ck_assert_int_eq(virtio_failures(chip_twin(chip, 1)), 0);
	ck_assert(virtio_is_ready(chip_twin(chip, 1)));
	chip_stop(chip);
}

static void
lied_in_time(void)
{
	ck_assert_uint_lt(clock_now_ns() - lied_ns, chip_at_once_ns());
}

START_TEST(a_tag_that_nobody_gave)
{
	begin();
	virtio_ring_return(&ring, (uint32_t)(virtio_ring_last(&ring) ^ 1));
	tell();
	lied_in_time();
	recovered(CMD_TRAN_ERR, "lied");
}
END_TEST

START_TEST(a_tag_out_of_range)
{
	begin();
	virtio_ring_return(&ring, 0x12345678);
	tell();
	lied_in_time();
	recovered(CMD_TRAN_ERR, "lied");
}
END_TEST

START_TEST(a_jump_of_the_index)
{
	begin();
	__atomic_store_n(&ring.used[1], (uint16_t)(ring.used[1] + 100), __ATOMIC_RELEASE);
	tell();
	lied_in_time();
	recovered(CMD_TRAN_ERR, "lied");
}
END_TEST

START_TEST(a_duplicate)
{
	uint16_t head;

	begin();
	/* the first return counts, and says nothing; the second is a lie */
	head = virtio_ring_last(&ring);
	virtio_ring_return(&ring, head);
	virtio_ring_return(&ring, head);
	tell();
	lied_in_time();
	recovered(CMD_TRAN_ERR, "lied");
}
END_TEST

/* answer the command in the chip's name: its response is what the second descriptor says */
static uint8_t *
response(void)
{
	const struct vs_desc *desc = &ring.desc[virtio_ring_last(&ring)];
	const struct vs_desc *table = chip_memory(chip, desc->iova, desc->len);

	ck_assert_uint_eq(desc->flags, VS_DESC_INDIRECT);
	return chip_memory(chip, table[1].iova, VS_RESP_BYTES);
}

START_TEST(more_sense_than_there_is_room_for)
{
	uint8_t *resp;

	begin();
	resp = response();
	resp[VS_RESP_RESPONSE] = VS_RESPONSE_OK;
	resp[VS_RESP_STATUS] = STATUS_CHECK;
	le32_put(resp + VS_RESP_SENSE_LEN, 4096);
	virtio_ring_return(&ring, virtio_ring_last(&ring));
	tell();
	lied_in_time();
	recovered(CMD_TRAN_ERR, "lied");
}
END_TEST

START_TEST(more_left_over_than_there_was)
{
	uint8_t *resp;

	begin();
	resp = response();
	resp[VS_RESP_RESPONSE] = VS_RESPONSE_OK;
	le32_put(resp + VS_RESP_RESIDUAL, 513);
	virtio_ring_return(&ring, virtio_ring_last(&ring));
	tell();
	lied_in_time();
	recovered(CMD_TRAN_ERR, "lied");
}
END_TEST

START_TEST(a_lie_on_the_control_queue)
{
	struct virtio_ring control;

	begin();
	control = virtio_ring_of(chip, VS_CONTROL_QUEUE);
	virtio_ring_return(&control, 0);
	tell();
	lied_in_time();
	recovered(CMD_TRAN_ERR, "lied");
}
END_TEST

START_TEST(a_lie_on_the_event_queue)
{
	struct virtio_ring events;

	begin();
	events = virtio_ring_of(chip, VS_EVENT_QUEUE);
	virtio_ring_return(&events, 40);
	tell();
	lied_in_time();
	recovered(CMD_TRAN_ERR, "lied");
}
END_TEST

static void *
storm(void *is_over)
{
	while (!__atomic_load_n((bool *)is_over, __ATOMIC_ACQUIRE))
		chip_interrupt(chip, 0);
	return NULL;
}

/* too many are so many in a tick of the watch, which a slow machine does not even take: so the next
 * tick does not come before */
START_TEST(interrupts_without_end)
{
	bool is_over = false;
	pthread_t thread;

	stop_clock_use();
	begin();
	stop_clock();
	ck_assert_int_eq(pthread_create(&thread, NULL, storm, &is_over), 0);
	chip_await(chip, has_failed, NULL, "the adapter to fail");
	stop_clock_end();
	__atomic_store_n(&is_over, true, __ATOMIC_RELEASE);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	recovered(CMD_TRAN_ERR, "interrupts");
}
END_TEST

START_TEST(all_ones_for_a_moment)
{
	begin();
	/* whoever reads this has lost the device, and tries to reset it: that must fail, too */
	chip_poke_read(chip, VIRTIO_BAR, VIRTIO_STATUS, 0, 0xff, UINT32_MAX);
	tell();
	lied_in_time();
	chip_cmd_wait(cmd);
	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_DEV_GONE);
	ck_assert_uint_eq(cmd->completions, 1);
	chip_cmd_free(cmd);
	chip_await(chip, virtio_is_dead, chip, "the adapter to be dead");
	ck_assert(virtio_is_ready(chip_twin(chip, 1)));
	/* nothing is served any more, and nobody is there */
	chip_await_no_unit(chip, 0, 0);
	chip_await_no_unit(chip, 1, 0);
	chip_poke_none(chip);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio lies", a_tag_that_nobody_gave, a_tag_out_of_range, a_jump_of_the_index,
    a_duplicate, more_sense_than_there_is_room_for, more_left_over_than_there_was,
    a_lie_on_the_control_queue, a_lie_on_the_event_queue, interrupts_without_end,
    all_ones_for_a_moment)
