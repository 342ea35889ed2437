#include "hw/mptsas/page.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "hw/mptsas/ring.h"

static bool
page_is_extended(const struct page_name *name)
{
	return name->type > MPT_PAGE_TYPE_MASK;
}

void
mpt_page_request_write(
    uint8_t *frame, const struct page_name *name, const struct page_head *head, uint64_t iova)
{
	bool is_extended = page_is_extended(name);
	uint32_t dwords = head == NULL ? 0 : head->bytes / 4;

	memset(frame, 0, MPT_CFG_LEN);
	frame[MPT_CFG_ACTION] = head == NULL ? MPT_CFG_HEADER : MPT_CFG_READ;
	frame[MPT_FUNCTION] = MPT_FN_CONFIG;
	frame[MPT_CFG_VERSION] = head == NULL ? 0 : head->version;
	frame[MPT_CFG_NUMBER] = name->number;
	frame[MPT_CFG_TYPE] = is_extended ? MPT_PAGE_EXTENDED : name->type;
	le32_put(frame + MPT_CFG_ADDRESS, name->address);
	if (is_extended) {
		le16_put(frame + MPT_CFG_EXT_LEN, (uint16_t)dwords);
		frame[MPT_CFG_EXT_TYPE] = name->type;
	} else {
		frame[MPT_CFG_PAGE_LEN] = (uint8_t)dwords;
	}
	mpt_ring_sge_put(frame + MPT_CFG_SGE, iova, head == NULL ? 0 : head->bytes, 0);
}

int
mpt_page_head_read(const uint8_t *reply, size_t len, uint16_t status,
    const struct page_name *name, struct page_head *ret)
{
	uint8_t type = page_is_extended(name) ? MPT_PAGE_EXTENDED : name->type;
	uint32_t dwords;

	if (status != MPT_S_OK)
		return -ENOENT;
	if (len < MPT_CFGR_LEN_MIN || reply[MPT_CFG_NUMBER] != name->number ||
	    (reply[MPT_CFG_TYPE] & MPT_PAGE_TYPE_MASK) != type)
		return -EBADMSG;
	if (page_is_extended(name))
		dwords = le16_get(reply + MPT_CFG_EXT_LEN);
	else
		dwords = reply[MPT_CFG_PAGE_LEN];
	if (dwords == 0 || 4 * dwords > RING_BUFFER_BYTES)
		return -EBADMSG;
	*ret = (struct page_head){ .version = reply[MPT_CFG_VERSION], .bytes = 4 * dwords };
	return 0;
}

int
mpt_page_io_unit_read(
    const uint8_t *page, size_t len, struct page_phy *phys, unsigned int *ret_nphys)
{
	unsigned int n;

	if (len < MPT_IOU0_PHYS)
		return -EBADMSG;
	n = page[MPT_IOU0_NPHYS];
	if (n > PAGE_PHYS_MAX || len < MPT_IOU0_PHYS + n * MPT_IOU0_PHY_BYTES)
		return -EBADMSG;
	for (unsigned int i = 0; i < n; i++) {
		const uint8_t *p = page + MPT_IOU0_PHYS + i * MPT_IOU0_PHY_BYTES;

		phys[i] = (struct page_phy){
			.port = p[MPT_IOU0_PHY_PORT],
			.rate = p[MPT_IOU0_PHY_RATE] & 0x0f,
			.attached = le16_get(p + MPT_IOU0_PHY_ATTACHED),
			.own = le16_get(p + MPT_IOU0_PHY_OWN),
		};
		phys[i].is_up = phys[i].rate >= MPT_RATE_1_5 && phys[i].attached != 0 &&
		    (p[MPT_IOU0_PHY_FLAGS] & MPT_PHY_DISABLED) == 0;
	}
	*ret_nphys = n;
	return 0;
}

int
mpt_page_device_read(const uint8_t *page, size_t len, struct page_device *ret)
{
	if (len < MPT_DEV0_LEN_MIN)
		return -EBADMSG;
	*ret = (struct page_device){
		.sas = le64_get(page + MPT_DEV0_SAS),
		.handle = le16_get(page + MPT_DEV0_HANDLE),
		.parent = le16_get(page + MPT_DEV0_PARENT),
		.phy = page[MPT_DEV0_PHY],
		.port = page[MPT_DEV0_PORT],
		.bus = page[MPT_DEV0_BUS],
		.target = page[MPT_DEV0_TARGET],
		.access = page[MPT_DEV0_ACCESS],
		.info = le32_get(page + MPT_DEV0_INFO),
		.is_present = (le16_get(page + MPT_DEV0_FLAGS) & MPT_DEV_PRESENT) != 0,
	};
	return 0;
}

int
mpt_page_wwid_read(const uint8_t *page, size_t len, uint64_t *ret_wwid)
{
	if (len < MPT_M5_LEN_MIN)
		return -EBADMSG;
	*ret_wwid = le64_get(page + MPT_M5_WWID);
	return 0;
}
