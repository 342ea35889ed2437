/* a chip whose owner has died: it was left running, with commands out and its rings in
 * memory that is another's now. Attaching stops it before anything else, and it writes there
 * no more */
#include "virtio_ring.h"

#define OLD	(150u << 20)		/* memory of the dead owner, beyond every pool */
#define SIZE	16u
#define AVAIL	(OLD + 0x400)
#define USED	(OLD + 0x800)
#define REQUEST	(OLD + 0x1000)
#define ANSWER	(OLD + 0x1100)
#define DATA	(OLD + 0x2000)

static const struct chip_spec spec = {
	VIRTIO_SPEC,
	.disks = { { .target = 0, .lun = 0, .store = CHIP_NULL } },
	.n_disks = 1, .is_detached = true,
};

static void
put(struct chip *chip, unsigned int off, unsigned int width, uint64_t value)
{
	chip_register_put(chip, VIRTIO_BAR, off, width, value);
}

/* bring the chip up by hand, as somebody else would have: one queue, all features refused */
static void
owner_begin(struct chip *chip)
{
	static const uint64_t at[3] = { OLD, AVAIL, USED };

	chip_register_put(chip, CHIP_CONFIG, 4, 2, 6);
	put(chip, VS_COMMON_STATUS, 1, 0);
	put(chip, VS_COMMON_STATUS, 1, 3);
	put(chip, VS_COMMON_DRIVER_FEATURE_SELECT, 4, 0);
	put(chip, VS_COMMON_DRIVER_FEATURE, 4, 0);
	put(chip, VS_COMMON_DRIVER_FEATURE_SELECT, 4, 1);
	put(chip, VS_COMMON_DRIVER_FEATURE, 4, 1);
	put(chip, VS_COMMON_STATUS, 1, 11);
	put(chip, VS_COMMON_QUEUE_SELECT, 2, VS_REQUEST_QUEUE);
	put(chip, VS_COMMON_QUEUE_SIZE, 2, SIZE);
	for (unsigned int i = 0; i < 3; i++) {
		put(chip, VS_COMMON_QUEUE_DESC + 8 * i, 4, at[i]);
		put(chip, VS_COMMON_QUEUE_DESC + 8 * i + 4, 4, 0);
	}
	put(chip, VS_COMMON_QUEUE_ENABLE, 2, 1);
	put(chip, VS_COMMON_STATUS, 1, 15);
}

/* a read that takes its time, the @n-th */
static void
owner_command(struct chip *chip, uint16_t n)
{
	static const uint8_t request[VS_REQ_BYTES] = { 1, 0, 0x40, 0, [19] = 0x28, [27] = 8 };
	struct vs_desc *desc = chip_memory(chip, OLD, sizeof(*desc) * SIZE);
	uint16_t *avail = chip_memory(chip, AVAIL, 64);

	memcpy(chip_memory(chip, REQUEST, sizeof(request)), request, sizeof(request));
	desc[0] = (struct vs_desc){ REQUEST, VS_REQ_BYTES, VS_DESC_NEXT, 1 };
	desc[1] = (struct vs_desc){ ANSWER, VS_RESP_BYTES, VS_DESC_NEXT | VS_DESC_WRITE, 2 };
	desc[2] = (struct vs_desc){ DATA, 4096, VS_DESC_WRITE, 0 };
	avail[1 + n] = 0;
	__atomic_store_n(&avail[1], n, __ATOMIC_RELEASE);
	put(chip, VIRTIO_NOTIFY + 4 * VS_REQUEST_QUEUE, 2, VS_REQUEST_QUEUE);
}

static bool
owner_has_been_told(void *chip)
{
	const uint16_t *used = chip_memory(chip, USED, 64);

	return __atomic_load_n(&used[1], __ATOMIC_ACQUIRE) == 1;
}

static void
canary(struct chip *chip, bool want_check)
{
	uint8_t *mem = chip_memory(chip, OLD, 0x4000);

	for (size_t i = 0; i < 0x4000 && want_check; i++) {
		if (mem[i] != 0xc5)
			ck_abort_msg("byte %zu of foreign memory was written", i);
	}
	memset(mem, 0xc5, 0x4000);
}

START_TEST(it_is_stopped_first)
{
	struct chip *chip = chip_start(&spec);
	uint8_t data[512];

	owner_begin(chip);
	owner_command(chip, 1);		/* the power-on unit attention */
	chip_await(chip, owner_has_been_told, chip, "the first answer");
	chip_disk_hold(chip, 0, 0);
	owner_command(chip, 2);
	ck_assert_int_eq(chip_attach(chip), 0);
	canary(chip, false);
	chip_disk_let_go(chip, 0, 0);
	chip_read(chip, chip_await_unit(chip, 0, 0), 0, 1, data);
	chip_read(chip, chip_await_unit(chip, 0, 0), 8, 1, data);
	canary(chip, true);
	ck_assert_int_eq(virtio_failures(chip), 0);
	chip_stop(chip);
}
END_TEST

START_TEST(again_and_again)
{
	struct chip *chip = chip_start(&spec);
	uint8_t data[512];

	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(chip_attach(chip), 0);
		chip_read(chip, chip_await_unit(chip, 0, 0), 0, 1, data);
		ck_assert_int_eq(chip_detach(chip), 0);
		ck_assert_uint_eq(chip_register_get(chip, VIRTIO_BAR, VIRTIO_STATUS, 1), 0);
	}
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio takes over", it_is_stopped_first, again_and_again)
