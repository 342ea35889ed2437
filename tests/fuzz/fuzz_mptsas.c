/*
 * fuzz_mptsas.c - replies and configuration pages of a Fusion-MPT adapter that lies
 *
 * The first byte picks the reader, the rest is what the chip wrote. Readers must stay inside,
 * and what they made of it must be what the driver relies on.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "hw/mptsas/mptsas.h"

#define LEN	65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
facts_read(const uint8_t *data, size_t size)
{
	struct ring_layout l;
	struct ring_facts f;

	if (mpt_ring_facts_read(data, size, &f) < 0)
		return;
	mpt_ring_layout_make(&f, &l);
	assert(mpt_ring_layout_fits(&l, &f));
	assert(l.nslots > RING_SLOT_COMMANDS && l.nslots <= RING_SLOTS_MAX);
	assert(l.segs_max > 0 && l.segs_max <= RING_SEGS_MAX && l.nreplies > 0);
	assert(mpt_ring_chain_off(&l, l.nslots - 1) + l.nchains * l.frame_bytes <= l.sense_off);
	assert(l.bytes == l.buffer_off + RING_BUFFER_BYTES);
}

static void
io_read(const uint8_t *frame, const struct reply_head *head)
{
	struct reply_result r;

	if (mpt_reply_io_read(frame, head, LEN, &r) < 0)
		return;
	assert(r.moved <= LEN && r.sense_bytes <= RING_SENSE_LEN);
	assert(((r.state & STATE_XFERRED_DATA) != 0) == (r.moved > 0));
	assert(r.sense_bytes == 0 || r.status == STATUS_CHECK);
	assert(!r.is_killed || r.reason == CMD_RESET);
}

static void
reply_read(const uint8_t *data, size_t size)
{
	struct reply_event event;
	struct reply_head head;
	uint32_t n = 0;
	bool is_done;

	if (mpt_reply_head_read(data, size, &head) < 0)
		return;
	assert(head.len <= size && head.len >= MPT_REPLY_LEN_MIN);
	io_read(data, &head);
	(void)!mpt_reply_task_read(data, &head, &is_done, &n);
	if (mpt_reply_event_read(data, &head, &event) == 0)
		assert(event.data + event.len <= data + head.len);
	n = 0;
	(void)!mpt_reply_smp_read(data, &head, 64, &n);
	assert(n <= 64);
}

static void
page_read(const uint8_t *data, size_t size, const struct page_name *name)
{
	struct page_phy phys[PAGE_PHYS_MAX];
	struct page_device d;
	struct page_head head;
	unsigned int n;
	uint64_t wwid;

	if (mpt_page_head_read(data, size, 0, name, &head) == 0)
		assert(head.bytes > 0 && head.bytes <= RING_BUFFER_BYTES);
	if (mpt_page_io_unit_read(data, size, phys, &n) == 0)
		assert(n <= PAGE_PHYS_MAX);
	(void)!mpt_page_device_read(data, size, &d);
	(void)!mpt_page_wwid_read(data, size, &wwid);
}

/* a topology of eight bytes a device: any parents, any ports */
static void
scan_route(const uint8_t *data, size_t size)
{
	static struct mptsas_scan scan;
	unsigned int n = (unsigned int)(size / 8);

	scan.nphys = scan.ndevices = 0;
	for (unsigned int i = 0; i < n && i < 64; i++) {
		const uint8_t *p = data + 8 * (size_t)i;

		if ((p[0] & 1) != 0)
			scan.phys[scan.nphys++] = (struct page_phy){ .port = p[1],
				.is_up = (p[2] & 1) != 0, .attached = p[3], .own = p[4] };
		else
			scan.devices[scan.ndevices++] = (struct page_device){ .sas = p[1],
				.handle = p[2], .parent = p[3], .port = p[4],
				.info = le16_get(p + 5), .is_present = true };
	}
	mptsas_scan_route(&scan);
	for (unsigned int i = 0; i < scan.ndevices; i++)
		assert(scan.devices[i].sas != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct page_name plain = { MPT_PAGE_MANUFACTURING, 5, 0 };
	static const struct page_name extended = { MPT_PAGE_SAS_DEVICE, 0, 0 };

	if (size == 0)
		return 0;
	switch (data[0] % 5) {
	case 0:
		facts_read(data + 1, size - 1);
		break;
	case 1:
		reply_read(data + 1, size - 1);
		break;
	case 2:
		page_read(data + 1, size - 1, &plain);
		break;
	case 3:
		page_read(data + 1, size - 1, &extended);
		break;
	default:
		scan_route(data + 1, size - 1);
		break;
	}
	return 0;
}
