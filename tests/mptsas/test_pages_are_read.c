/* configuration pages: what is asked for, what is read, and which port leads where */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "hw/mptsas/mptsas.h"

static const struct page_name device = { MPT_PAGE_SAS_DEVICE, 0, 0x2000000a };
static const struct page_name five = { MPT_PAGE_MANUFACTURING, 5, 0 };

START_TEST(requests)
{
	struct page_head head = { .version = 5, .bytes = 0x24 };
	uint8_t frame[64];

	memset(frame, 0xee, sizeof(frame));
	mpt_page_request_write(frame, &device, NULL, 0x1000);
	ck_assert_uint_eq(frame[MPT_CFG_ACTION], MPT_CFG_HEADER);
	ck_assert_uint_eq(frame[MPT_CFG_TYPE], MPT_PAGE_EXTENDED);
	ck_assert_uint_eq(frame[MPT_CFG_EXT_TYPE], MPT_PAGE_SAS_DEVICE);
	ck_assert_uint_eq(le32_get(frame + MPT_CFG_ADDRESS), 0x2000000a);
	ck_assert_uint_eq(le32_get(frame + MPT_CFG_SGE) & MPT_SGE_LEN_MAX, 0);
	mpt_page_request_write(frame, &device, &head, 0x123456789);
	ck_assert_uint_eq(frame[MPT_CFG_ACTION], MPT_CFG_READ);
	ck_assert_uint_eq(frame[MPT_CFG_VERSION], 5);
	ck_assert_uint_eq(le16_get(frame + MPT_CFG_EXT_LEN), 9);
	ck_assert_uint_eq(le32_get(frame + MPT_CFG_SGE) & MPT_SGE_LEN_MAX, 0x24);
	ck_assert_uint_eq(le64_get(frame + MPT_CFG_SGE + 4), 0x123456789);
	mpt_page_request_write(frame, &five, &head, 0x1000);
	ck_assert_uint_eq(frame[MPT_CFG_TYPE], MPT_PAGE_MANUFACTURING);
	ck_assert_uint_eq(frame[MPT_CFG_PAGE_LEN], 9);
	ck_assert_uint_eq(frame[MPT_CFG_NUMBER], 5);
}
END_TEST

START_TEST(heads)
{
	uint8_t reply[0x18] = { [MPT_CFG_VERSION] = 3, [MPT_CFG_PAGE_LEN] = 4,
		[MPT_CFG_NUMBER] = 5, [MPT_CFG_TYPE] = MPT_PAGE_MANUFACTURING | 0x10 };
	struct page_head head;

	ck_assert_int_eq(mpt_page_head_read(reply, sizeof(reply), 0, &five, &head), 0);
	ck_assert_uint_eq(head.bytes, 16);
	ck_assert_uint_eq(head.version, 3);
	ck_assert_int_eq(mpt_page_head_read(reply, sizeof(reply), MPT_S_CONFIG_PAGE, &five,
	    &head), -ENOENT);
	ck_assert_int_eq(mpt_page_head_read(reply, 0x17, 0, &five, &head), -EBADMSG);
	ck_assert_int_eq(mpt_page_head_read(reply, sizeof(reply), 0, &device, &head), -EBADMSG);
	reply[MPT_CFG_PAGE_LEN] = 0;
	ck_assert_int_eq(mpt_page_head_read(reply, sizeof(reply), 0, &five, &head), -EBADMSG);
	reply[MPT_CFG_NUMBER] = 0;
	reply[MPT_CFG_TYPE] = MPT_PAGE_EXTENDED;
	le16_put(reply + MPT_CFG_EXT_LEN, RING_BUFFER_BYTES / 4 + 1);
	ck_assert_int_eq(mpt_page_head_read(reply, sizeof(reply), 0, &device, &head), -EBADMSG);
}
END_TEST

START_TEST(io_unit)
{
	uint8_t page[MPT_IOU0_PHYS + 65 * MPT_IOU0_PHY_BYTES] = { [MPT_IOU0_NPHYS] = 2 };
	uint8_t *phy = page + MPT_IOU0_PHYS;
	struct page_phy phys[PAGE_PHYS_MAX];
	unsigned int n;

	phy[MPT_IOU0_PHY_RATE] = 0x19;
	le16_put(phy + MPT_IOU0_PHY_ATTACHED, 9);
	le16_put(phy + MPT_IOU0_PHY_OWN, 1);
	ck_assert_int_eq(mpt_page_io_unit_read(page, sizeof(page), phys, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert(phys[0].is_up && phys[0].attached == 9 && phys[0].own == 1);
	ck_assert(!phys[1].is_up);
	phy[MPT_IOU0_PHY_FLAGS] = MPT_PHY_DISABLED;
	ck_assert_int_eq(mpt_page_io_unit_read(page, sizeof(page), phys, &n), 0);
	ck_assert(!phys[0].is_up);
	ck_assert_int_eq(mpt_page_io_unit_read(page, 0x2f, phys, &n), -EBADMSG);
	ck_assert_int_eq(mpt_page_io_unit_read(page, 0x0f, phys, &n), -EBADMSG);
	page[MPT_IOU0_NPHYS] = 65;
	ck_assert_int_eq(mpt_page_io_unit_read(page, sizeof(page), phys, &n), -EBADMSG);
}
END_TEST

START_TEST(devices_and_names)
{
	uint8_t page[MPT_DEV0_LEN_MIN] = { [MPT_DEV0_TARGET] = 4, [MPT_DEV0_BUS] = 1,
		[MPT_DEV0_FLAGS] = 7, [MPT_DEV0_PORT] = 2 };
	struct page_device d;
	uint64_t wwid;

	le64_put(page + MPT_DEV0_SAS, 0x5000c50012345678);
	le32_put(page + MPT_DEV0_INFO, MPT_INFO_SSP_TARGET | MPT_INFO_END);
	ck_assert_int_eq(mpt_page_device_read(page, sizeof(page), &d), 0);
	ck_assert(d.sas == 0x5000c50012345678 && d.target == 4 && d.bus == 1 && d.port == 2);
	ck_assert(mpt_page_device_is_disk(&d) && !mpt_page_device_is_expander(&d));
	d.is_present = false;
	ck_assert(!mpt_page_device_is_disk(&d));
	d.info = MPT_INFO_EDGE;
	ck_assert(mpt_page_device_is_expander(&d));
	ck_assert_int_eq(mpt_page_device_read(page, sizeof(page) - 1, &d), -EBADMSG);
	le64_put(page + MPT_M5_WWID, 77);
	ck_assert_int_eq(mpt_page_wwid_read(page, MPT_M5_LEN_MIN, &wwid), 0);
	ck_assert_uint_eq(wwid, 77);
	ck_assert_int_eq(mpt_page_wwid_read(page, MPT_M5_LEN_MIN - 1, &wwid), -EBADMSG);
}
END_TEST

static struct mptsas_scan scan;

static void
device_is(uint64_t sas, uint16_t handle, uint16_t parent, uint8_t port, uint32_t info)
{
	scan.devices[scan.ndevices++] = (struct page_device){ .sas = sas, .handle = handle,
		.parent = parent, .port = port, .info = info, .is_present = true };
}

START_TEST(routes)
{
	memset(&scan, 0, sizeof(scan));
	scan.wwid = 0x500a0b0000000000;
	scan.nphys = 5;
	scan.phys[0] = (struct page_phy){ .port = 0, .is_up = true, .attached = 9, .own = 1 };
	scan.phys[1] = (struct page_phy){ .port = 1, .is_up = true, .attached = 20, .own = 2 };
	scan.phys[2] = (struct page_phy){ .port = 1, .is_up = true, .attached = 20, .own = 2 };
	scan.phys[3] = (struct page_phy){ .port = 7, .attached = 40, .own = 2 };
	device_is(0xd1, 9, 1, 0, MPT_INFO_END | MPT_INFO_SSP_TARGET);
	device_is(0xe1, 20, 2, 1, MPT_INFO_EDGE);
	device_is(0xe2, 21, 20, 1, MPT_INFO_EDGE);
	device_is(0xd2, 22, 21, 1, MPT_INFO_END | MPT_INFO_SSP_TARGET);
	device_is(0xd3, 23, 99, 1, MPT_INFO_END | MPT_INFO_SATA);
	device_is(0xd4, 24, 99, 6, MPT_INFO_END | MPT_INFO_SATA);
	device_is(0, 25, 20, 1, MPT_INFO_END | MPT_INFO_SATA);
	device_is(0x500a0b0000000002, 2, 0, 0, MPT_INFO_END | MPT_INFO_SSP_INITIATOR);
	mptsas_scan_route(&scan);
	/* by itself; through two expanders; by its port's number; not at all */
	ck_assert_uint_eq(scan.remote[0], 0xd1);
	ck_assert_uint_eq(scan.remote[3], 0xe1);
	ck_assert_uint_eq(scan.remote[4], 0xe1);
	ck_assert_uint_eq(scan.remote[5], 0);
	/* a name for what has none */
	ck_assert_uint_eq(scan.devices[6].sas >> 60, 3);
	ck_assert_uint_eq(scan.remote[6], 0xe1);
	/* our own addresses: the adapter's, or the phy's own */
	ck_assert_uint_eq(scan.via[0], 0x500a0b0000000000);
	ck_assert_uint_eq(scan.via[3], 0x500a0b0000000002);
	/* parents in a circle lead nowhere, and end */
	scan.devices[3].parent = 22;
	scan.devices[3].port = 6;
	mptsas_scan_route(&scan);
	ck_assert_uint_eq(scan.remote[3], 0);
}
END_TEST

CHECK_MAIN("pages", requests, heads, io_unit, devices_and_names, routes)
