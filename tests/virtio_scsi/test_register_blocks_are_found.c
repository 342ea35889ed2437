/* where the register blocks are: the capabilities of the function, honest and not */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "hw/virtio_scsi/regs.h"

static uint8_t config[VS_PCI_CONFIG_BYTES];
static struct vs_places places;

static void
cap(uint8_t at, uint8_t next, uint8_t kind, uint8_t bar, uint32_t off, uint32_t len)
{
	config[at] = VS_PCI_CAP_VENDOR;
	config[at + 1] = next;
	config[at + 2] = kind == 2 ? 20 : 16;
	config[at + 3] = kind;
	config[at + 4] = bar;
	le32_put(config + at + 8, off);
	le32_put(config + at + 12, len);
	if (kind == 2)
		le32_put(config + at + 16, 4);
}

/* as the emulated device has them, with an MSI-X capability in front */
static void
honest(void)
{
	memset(config, 0, sizeof(config));
	config[6] = VS_PCI_STATUS_CAPS;
	config[0x34] = 0xb0;
	config[0xb0] = 0x11;
	config[0xb1] = 0x40;
	cap(0x40, 0x54, 1, 4, 0, 0x1000);
	cap(0x54, 0x68, 3, 4, 0x1000, 0x1000);
	cap(0x68, 0x7c, 4, 4, 0x2000, 0x1000);
	cap(0x7c, 0x90, 2, 4, 0x3000, 0x1000);
	cap(0x90, 0, 5, 0, 0, 0);
}

START_TEST(all_four_are_found)
{
	honest();
	ck_assert_int_eq(vs_places_read(config, &places), 0);
	ck_assert_uint_eq(places.block[VS_BLOCK_COMMON].off, 0);
	ck_assert_uint_eq(places.block[VS_BLOCK_ISR].off, 0x1000);
	ck_assert_uint_eq(places.block[VS_BLOCK_DEVICE].off, 0x2000);
	ck_assert_uint_eq(places.block[VS_BLOCK_NOTIFY].off, 0x3000);
	ck_assert_uint_eq(places.block[VS_BLOCK_NOTIFY].bar, 4);
	ck_assert_uint_eq(places.notify_step, 4);
}
END_TEST

START_TEST(the_first_usable_one_counts)
{
	honest();
	cap(0x90, 0xc0, 1, 2, 0x500, 0x1000);
	cap(0xc0, 0, 8, 2, 0x500, 0x1000);
	ck_assert_int_eq(vs_places_read(config, &places), 0);
	ck_assert_uint_eq(places.block[VS_BLOCK_COMMON].bar, 4);
	/* a BAR that cannot be is as good as none */
	config[0x44] = 6;
	ck_assert_int_eq(vs_places_read(config, &places), 0);
	ck_assert_uint_eq(places.block[VS_BLOCK_COMMON].bar, 2);
	ck_assert_uint_eq(places.block[VS_BLOCK_COMMON].off, 0x500);
}
END_TEST

START_TEST(a_missing_or_short_one_is_no_device)
{
	for (unsigned int kind = 1; kind <= 4; kind++) {
		honest();
		for (unsigned int at = 0x40; at <= 0x7c; at += 0x14) {
			if (config[at + 3] == kind)
				config[at + 3] = 9;
		}
		ck_assert_int_eq(vs_places_read(config, &places), -ENODEV);
	}
	honest();
	le32_put(config + 0x40 + 12, VS_COMMON_BYTES - 1);
	ck_assert_int_eq(vs_places_read(config, &places), -ENODEV);
	le32_put(config + 0x40 + 12, VS_COMMON_BYTES);
	ck_assert_int_eq(vs_places_read(config, &places), 0);
	honest();
	config[0x7c + 2] = 16;		/* a doorbell without its step */
	ck_assert_int_eq(vs_places_read(config, &places), -ENODEV);
}
END_TEST

START_TEST(lists_without_end_end)
{
	honest();
	config[0x91] = 0x40;		/* in a circle */
	ck_assert_int_eq(vs_places_read(config, &places), 0);
	config[0x41] = 0x40;		/* to itself */
	ck_assert_int_eq(vs_places_read(config, &places), -ENODEV);
	honest();
	config[0x91] = 0xfc;		/* off the end */
	ck_assert_int_eq(vs_places_read(config, &places), 0);
	config[6] = 0;			/* there is no list */
	ck_assert_int_eq(vs_places_read(config, &places), -ENODEV);
	memset(config, 0xff, sizeof(config));
	ck_assert_int_eq(vs_places_read(config, &places), -ENODEV);
}
END_TEST

CHECK_MAIN("register blocks", all_four_are_found, the_first_usable_one_counts,
    a_missing_or_short_one_is_no_device, lists_without_end_end)
