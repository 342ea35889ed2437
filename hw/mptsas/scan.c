/* reading the topology: configuration pages, and which port leads to which device */
#include "hw/mptsas/mptsas.h"

#include <errno.h>
#include <string.h>

/* pages whose heads are asked for once */
enum scan_page { SCAN_WWID, SCAN_IO_UNIT, SCAN_DEVICE, SCAN_PAGE_N };

static const struct page_name pages[SCAN_PAGE_N] = {
	[SCAN_WWID] = { MPT_PAGE_MANUFACTURING, 5, 0 },
	[SCAN_IO_UNIT] = { MPT_PAGE_SAS_IO_UNIT, 0, 0 },
	[SCAN_DEVICE] = { MPT_PAGE_SAS_DEVICE, 0, 0 },
};

_Static_assert(SCAN_PAGE_N == ARRAY_LEN(((struct mptsas_scan *)0)->heads), "a head a page");

/* message held */
static int
head_ask(struct mptsas_hba *hba, const struct page_name *name, struct page_head *ret)
{
	const struct mptsas_msg *msg = &hba->msgs[RING_SLOT_MESSAGE];
	uint8_t *frame = mptsas_frame(hba, RING_SLOT_MESSAGE);
	int r;

	mpt_page_request_write(frame, name, NULL, hba->pool.iova + hba->layout.buffer_off);
	r = mptsas_exchange(hba, RING_SLOT_MESSAGE, PAGE_REQUEST_LEN, MPTSAS_MESSAGE_US);
	if (r < 0)
		return r;
	return mpt_page_head_read(msg->reply, msg->head.len, msg->head.status, name, ret);
}

/* message held: the page is in the buffer */
static int
page_ask(struct mptsas_hba *hba, const struct page_name *name, const struct page_head *head)
{
	uint8_t *frame = mptsas_frame(hba, RING_SLOT_MESSAGE);
	int r;

	memset(hba->pool.mem + hba->layout.buffer_off, 0, head->bytes);
	mpt_page_request_write(frame, name, head, hba->pool.iova + hba->layout.buffer_off);
	r = mptsas_exchange(hba, RING_SLOT_MESSAGE, PAGE_REQUEST_LEN, MPTSAS_MESSAGE_US);
	if (r < 0)
		return r;
	if (hba->msgs[RING_SLOT_MESSAGE].head.status != MPT_S_OK)
		return -ENOENT;
	(void)ddi_dma_sync(hba->pool.dma, (off_t)hba->layout.buffer_off, head->bytes,
	    DDI_DMA_SYNC_FORCPU);
	return 0;
}

/* a private copy of a page at @buf, RING_BUFFER_BYTES; 0, -ENOENT, -EBADMSG, -EIO */
static int
page_get(struct mptsas_hba *hba, struct mptsas_scan *scan, enum scan_page which,
    uint32_t address, uint8_t *buf, size_t *ret_len)
{
	struct page_name name = pages[which];
	struct page_head *head = &scan->heads[which];
	int r = 0;

	name.address = address;
	mutex_enter(&hba->message);
	if (head->bytes == 0)
		r = head_ask(hba, &name, head);
	if (r == 0)
		r = page_ask(hba, &name, head);
	if (r == 0) {
		memcpy(buf, hba->pool.mem + hba->layout.buffer_off, head->bytes);
		*ret_len = head->bytes;
	}
	mutex_exit(&hba->message);
	return r;
}

static bool
scan_has_handle(const struct mptsas_scan *scan, uint16_t handle)
{
	for (unsigned int i = 0; i < scan->ndevices; i++) {
		if (scan->devices[i].handle == handle)
			return true;
	}
	return false;
}

/* from handle to handle, until there is none; a chip that walks in circles is lying */
static int
devices_read(struct mptsas_hba *hba, struct mptsas_scan *scan, uint8_t *buf)
{
	uint16_t handle = MPT_HANDLE_FIRST;

	scan->ndevices = 0;
	for (;;) {
		struct page_device *d = &scan->devices[scan->ndevices];
		size_t len;
		int r = page_get(
		    hba, scan, SCAN_DEVICE, MPT_ADDR_NEXT_HANDLE | handle, buf, &len);

		if (r == -ENOENT)
			return 0;
		if (r == 0)
			r = mpt_page_device_read(buf, len, d);
		if (r < 0)
			return r;
		if (scan->ndevices + 1 == MPTSAS_DEVICES_MAX ||
		    scan_has_handle(scan, d->handle))
			return -EBADMSG;
		handle = d->handle;
		scan->ndevices++;
	}
}

/* firmware without the page has a name all the same: nobody else's */
static int
wwid_read(struct mptsas_hba *hba, struct mptsas_scan *scan, uint8_t *buf)
{
	size_t len;
	int r = page_get(hba, scan, SCAN_WWID, 0, buf, &len);

	if (r == 0)
		return mpt_page_wwid_read(buf, len, &scan->wwid);
	if (r == -ENOENT)
		scan->wwid = 3ull << 60 | ((uint64_t)ddi_get_instance(hba->dip) + 1) << 16;
	return r == -ENOENT ? 0 : r;
}

int
mptsas_scan_read(struct mptsas_hba *hba, struct mptsas_scan *scan)
{
	uint8_t buf[RING_BUFFER_BYTES];
	size_t len;
	int r = wwid_read(hba, scan, buf);

	if (r == 0)
		r = page_get(hba, scan, SCAN_IO_UNIT, 0, buf, &len);
	if (r == 0)
		r = mpt_page_io_unit_read(buf, len, scan->phys, &scan->nphys);
	return r < 0 ? r : devices_read(hba, scan, buf);
}

/*
 * Routes.
 */

static const struct page_device *
device_by_handle(const struct mptsas_scan *scan, uint16_t handle)
{
	for (unsigned int i = 0; i < scan->ndevices; i++) {
		if (scan->devices[i].handle == handle)
			return &scan->devices[i];
	}
	return NULL;
}

/* the phy that a device is attached to by itself */
static int
phy_of_handle(const struct mptsas_scan *scan, uint16_t handle)
{
	for (unsigned int i = 0; i < scan->nphys; i++) {
		if (scan->phys[i].is_up && scan->phys[i].attached == handle)
			return (int)i;
	}
	return -1;
}

static int
phy_of_port(const struct mptsas_scan *scan, uint8_t port)
{
	for (unsigned int i = 0; i < scan->nphys; i++) {
		if (scan->phys[i].is_up && scan->phys[i].port == port)
			return (int)i;
	}
	return -1;
}

/* up through expanders, until one is attached to us; else by the port that the chip names */
static int
phy_of_device(const struct mptsas_scan *scan, const struct page_device *d)
{
	const struct page_device *at = d;

	for (unsigned int i = 0; i <= scan->ndevices && at != NULL; i++) {
		int phy = phy_of_handle(scan, at->handle);

		if (phy >= 0)
			return phy;
		at = device_by_handle(scan, at->parent);
	}
	return phy_of_port(scan, d->port);
}

/* a device without a name gets one that stays with its place */
static uint64_t
name_for_place(const struct mptsas_scan *scan, const struct page_device *d)
{
	return 3ull << 60 | (scan->wwid & 0xffffffffffull) << 16 | (uint64_t)d->bus << 8 |
	    d->target;
}

void
mptsas_scan_route(struct mptsas_scan *scan)
{
	for (unsigned int i = 0; i < scan->ndevices; i++) {
		if (scan->devices[i].sas == 0)
			scan->devices[i].sas = name_for_place(scan, &scan->devices[i]);
	}
	for (unsigned int i = 0; i < scan->nphys; i++) {
		const struct page_device *own = device_by_handle(scan, scan->phys[i].own);

		/* some boards give each phy its own address. A record that is no initiator is
		 * not ours, whatever the handle says */
		scan->local[i] = own != NULL && (own->info & MPT_INFO_SSP_INITIATOR) != 0 ?
		    own->sas : scan->wwid;
	}
	for (unsigned int i = 0; i < scan->ndevices; i++) {
		int phy = phy_of_device(scan, &scan->devices[i]);
		const struct page_device *end = phy < 0 ? NULL :
		    device_by_handle(scan, scan->phys[phy].attached);

		scan->remote[i] = end == NULL ? 0 : end->sas;
		scan->via[i] = end == NULL ? 0 : scan->local[phy];
	}
}
