#include "mock_ioc.h"

#include <string.h>
#include <sys/pci.h>

#include "base/bytes.h"
#include "ddi/devtree.h"
#include "mock_sgl.h"

#define WORDS		256
#define BLOCK		512u

struct ioc ioc;

/* what the chip keeps to itself */
static struct {
	kmutex_t lock;
	uint8_t config[256];
	enum mpt_state state;
	uint16_t code;
	uint32_t status, mask;
	uint8_t keys;			/* of the sequence, seen so far */
	bool is_open;			/* the diagnostic register may be written */

	uint8_t in[128];		/* handshake */
	uint32_t in_len, in_want;
	uint8_t out[128];
	uint32_t out_len, out_at;
	bool is_active, is_over;

	uint32_t high;			/* of frames */
	uint32_t replies[WORDS], free[WORDS];
	unsigned int nreplies, nfree;
	uint32_t event_context;
	struct { uint8_t frame[512]; uint8_t *at; } held[IOC_HELD];
} fw;

/*
 * Memory and replies. The lock is held.
 */

static bool
is_master(void)
{
	return (fw.config[PCI_CONF_COMM] & PCI_COMM_ME) != 0;
}

static void *
memory(uint64_t iova)
{
	if (!is_master())
		ioc.dma_refused++;
	return is_master() ? (void *)(uintptr_t)iova : NULL;
}

static void *
memory_of_list(void *arg, uint64_t iova, uint32_t len)
{
	(void)arg;
	(void)len;
	return (void *)(uintptr_t)iova;
}

static void
interrupt(void)
{
	struct mptsas_hba *hba = rig_hba();

	if ((fw.status & ~fw.mask & MPT_INT_REPLY) != 0 && hba != NULL && hba->is_enabled)
		scsad_intr_trigger(hba->vector);
}

static void
say(uint32_t word)
{
	ck_assert_uint_lt(fw.nreplies, WORDS);
	fw.replies[fw.nreplies++] = word;
	fw.status |= MPT_INT_REPLY;
	interrupt();
}

static void
reply(const uint8_t *data, uint32_t len)
{
	uint32_t low;
	uint8_t *frame;

	ck_assert_uint_gt(fw.nfree, 0);
	low = fw.free[0];
	memmove(fw.free, fw.free + 1, --fw.nfree * sizeof(fw.free[0]));
	frame = memory((uint64_t)fw.high << 32 | low);
	if (frame == NULL)
		return;
	memcpy(frame, data, len);
	say(0x80000000u | low >> 1);
}

static void
reply_begin(uint8_t *r, const uint8_t *frame, uint8_t dwords, uint16_t status)
{
	memset(r, 0, 128);
	r[MPT_R_LENGTH] = dwords;
	r[MPT_FUNCTION] = frame[MPT_FUNCTION];
	memcpy(r + MPT_CONTEXT, frame + MPT_CONTEXT, 4);
	le16_put(r + MPT_R_STATUS, status);
}

static void
reply_plain(const uint8_t *frame, uint16_t status)
{
	uint8_t r[128];

	reply_begin(r, frame, 5, status);
	reply(r, 20);
}

/*
 * Pages.
 */

static struct ioc_device *
device_next(uint16_t handle)
{
	struct ioc_device *best = NULL;

	for (unsigned int i = 0; i < IOC_DEVICES; i++) {
		struct ioc_device *d = &ioc.devices[i];

		if (d->page.handle == 0 || (handle != 0xffff && d->page.handle <= handle))
			continue;
		if (best == NULL || d->page.handle < best->page.handle)
			best = d;
	}
	return best;
}

static uint32_t
page_device_make(uint8_t *page, uint32_t address)
{
	const struct ioc_device *d =
	    device_next(ioc.is_circular ? 0xffff : (uint16_t)address);

	if (d == NULL)
		return 0;
	le64_put(page + MPT_DEV0_SAS, d->page.sas);
	le16_put(page + MPT_DEV0_HANDLE, d->page.handle);
	le16_put(page + MPT_DEV0_PARENT, d->page.parent);
	page[MPT_DEV0_TARGET] = d->page.target;
	page[MPT_DEV0_BUS] = d->page.bus;
	page[MPT_DEV0_PORT] = d->page.port;
	le32_put(page + MPT_DEV0_INFO, d->page.info);
	le16_put(page + MPT_DEV0_FLAGS, MPT_DEV_PRESENT);
	return MPT_DEV0_LEN_MIN;
}

static uint32_t
page_io_unit_make(uint8_t *page)
{
	page[MPT_IOU0_NPHYS] = (uint8_t)ioc.nphys;
	for (unsigned int i = 0; i < ioc.nphys; i++) {
		uint8_t *p = page + MPT_IOU0_PHYS + i * MPT_IOU0_PHY_BYTES;

		p[MPT_IOU0_PHY_PORT] = ioc.phys[i].port;
		p[MPT_IOU0_PHY_RATE] = ioc.phys[i].rate;
		le16_put(p + MPT_IOU0_PHY_ATTACHED, ioc.phys[i].attached);
		le16_put(p + MPT_IOU0_PHY_OWN, ioc.phys[i].own);
	}
	return MPT_IOU0_PHYS + ioc.nphys * MPT_IOU0_PHY_BYTES;
}

static uint32_t
page_make(uint8_t *page, uint8_t type, uint32_t address)
{
	switch (type) {
	case MPT_PAGE_MANUFACTURING:
		le64_put(page + MPT_M5_WWID, IOC_WWID);
		return ioc.is_nameless ? 0 : 0x10;
	case MPT_PAGE_SAS_IO_UNIT:
		return page_io_unit_make(page);
	case MPT_PAGE_SAS_DEVICE:
		return page_device_make(page, address);
	default:
		return 0;
	}
}

static void
config(const uint8_t *frame)
{
	uint8_t page[RING_BUFFER_BYTES] = { 0 }, r[128], *to;
	bool is_extended = frame[MPT_CFG_TYPE] == MPT_PAGE_EXTENDED;
	bool is_header = frame[MPT_CFG_ACTION] == MPT_CFG_HEADER;
	uint8_t type = is_extended ? frame[MPT_CFG_EXT_TYPE] : frame[MPT_CFG_TYPE];
	uint32_t len = page_make(page, type, le32_get(frame + MPT_CFG_ADDRESS));

	if (ioc.is_mute)
		return;
	if (is_header && type == MPT_PAGE_SAS_DEVICE)
		len = MPT_DEV0_LEN_MIN;
	reply_begin(r, frame, 6, len == 0 ? MPT_S_CONFIG_PAGE : MPT_S_OK);
	r[MPT_CFG_NUMBER] = frame[MPT_CFG_NUMBER];
	r[MPT_CFG_TYPE] = frame[MPT_CFG_TYPE];
	if (is_extended)
		le16_put(r + MPT_CFG_EXT_LEN, (uint16_t)(len / 4));
	else
		r[MPT_CFG_PAGE_LEN] = (uint8_t)(len / 4);
	to = memory(le64_get(frame + MPT_CFG_SGE + 4));
	if (!is_header && to != NULL) {
		uint32_t room = le32_get(frame + MPT_CFG_SGE) & MPT_SGE_LEN_MAX;

		memcpy(to, page, len < room ? len : room);
	}
	reply(r, 24);
}

/*
 * Commands.
 */

static struct ioc_device *
device_at(const uint8_t *frame)
{
	for (unsigned int i = 0; i < IOC_DEVICES; i++) {
		struct ioc_device *d = &ioc.devices[i];

		if (d->page.handle != 0 && d->page.target == frame[MPT_IO_TARGET] &&
		    d->page.bus == frame[MPT_IO_BUS] && d->mem != NULL)
			return d;
	}
	return NULL;
}

static void
io_reply(const uint8_t *frame, uint16_t status, uint8_t scsi, uint8_t state, uint32_t moved)
{
	uint8_t r[128];

	reply_begin(r, frame, 9, status | (ioc.loginfo != 0 ? MPT_STATUS_HAS_LOGINFO : 0));
	le32_put(r + MPT_R_LOGINFO, ioc.loginfo);
	r[MPT_IOR_SCSI_STATUS] = scsi;
	r[MPT_IOR_STATE] = state;
	le32_put(r + MPT_IOR_MOVED, moved);
	reply(r, 36);
}

/* @len bytes of @mem to or from the command's pieces; how many fit */
static uint32_t
move(const uint8_t *frame, uint8_t *mem, uint32_t len, bool is_in)
{
	static struct sgl_piece pieces[RING_SEGS_MAX];
	unsigned int n = sgl_read(
	    frame, 4u * ioc.frame_dwords, memory_of_list, NULL, pieces, RING_SEGS_MAX);
	uint32_t done = 0;

	for (unsigned int i = 0; i < n && done < len; i++) {
		uint32_t part = pieces[i].len < len - done ? pieces[i].len : len - done;
		uint8_t *at = memory(pieces[i].iova);

		ck_assert(pieces[i].is_out != is_in);
		ck_assert_ptr_nonnull(at);
		memcpy(is_in ? at : mem + done, is_in ? mem + done : at, part);
		done += part;
	}
	return done;
}

static void
answer(const uint8_t *frame, uint8_t *data, uint32_t len, bool is_in)
{
	uint32_t want = le32_get(frame + MPT_IO_DATA_LEN);
	uint32_t moved = move(frame, data, len, is_in);

	if (moved == want)
		say(le32_get(frame + MPT_CONTEXT));
	else
		io_reply(frame, MPT_S_UNDERRUN, 0, 0, moved);
}

/* CHECK CONDITION with sense: the units have changed */
static void
io_attention(const uint8_t *frame)
{
	static const uint8_t sense[18] = { 0x70, 0, 6, [7] = 10, [12] = 0x3f, 0x0e };
	uint8_t *at = memory((uint64_t)fw.high << 32 | le32_get(frame + MPT_IO_SENSE_LOW)), r[128];

	memcpy(at, sense, sizeof(sense));
	reply_begin(r, frame, 9, MPT_S_UNDERRUN);
	r[MPT_IOR_SCSI_STATUS] = STATUS_CHECK;
	r[MPT_IOR_STATE] = MPT_IO_STATE_SENSE;
	le32_put(r + MPT_IOR_SENSE_COUNT, sizeof(sense));
	reply(r, 36);
}

static void
io_execute(const uint8_t *frame)
{
	struct ioc_device *d = device_at(frame);
	uint8_t inquiry[36] = { 0, 0, 5, 2, 31, 0, 0, 2 }, luns[8 + 8 * 8] = { 0 };
	uint16_t status = ioc.status;

	ioc.status = 0;
	memcpy(inquiry + 8, "MOCK    IOC DISK        1   ", 28);
	if (d == NULL || status != 0) {
		io_reply(frame, d == NULL ? MPT_S_ABSENT : status, 0, 0, 0);
		return;
	}
	if (d->status != 0) {
		io_reply(frame, MPT_S_OK, d->status, 0, 0);
		return;
	}
	if (d->has_attention && frame[MPT_IO_CDB] != SCMD_INQUIRY &&
	    frame[MPT_IO_CDB] != SCMD_REPORT_LUNS) {
		d->has_attention = false;
		io_attention(frame);
		return;
	}
	luns[3] = (uint8_t)(8 * d->nluns);
	for (uint8_t i = 0; i < d->nluns; i++)
		luns[8 + 8 * i + 1] = i;
	if (frame[MPT_IO_LUN + 1] >= d->nluns)
		inquiry[0] = 0x7f;
	switch (frame[MPT_IO_CDB]) {
	case SCMD_INQUIRY:
		answer(frame, inquiry, (frame[MPT_IO_CDB + 1] & 1) != 0 ? 0 : 36, true);
		break;
	case SCMD_REPORT_LUNS:
		answer(frame, luns, 8u + luns[3], true);
		break;
	case SCMD_READ_G1:
	case SCMD_WRITE_G1:
		answer(frame, d->mem, be16_get(frame + MPT_IO_CDB + 7) * BLOCK,
		    frame[MPT_IO_CDB] == SCMD_READ_G1);
		break;
	default:
		answer(frame, NULL, 0, true);
		break;
	}
}

static void
io_request(uint8_t *frame)
{
	bool is_medium = frame[MPT_IO_CDB] == SCMD_READ_G1 ||
	    frame[MPT_IO_CDB] == SCMD_WRITE_G1;

	if (!ioc.hold || !is_medium) {
		io_execute(frame);
		return;
	}
	ck_assert_uint_lt(ioc.nheld, IOC_HELD);
	memcpy(fw.held[ioc.nheld].frame, frame, 4u * ioc.frame_dwords);
	fw.held[ioc.nheld++].at = frame;
}

static void
held_drop(unsigned int i)
{
	memmove(&fw.held[i], &fw.held[i + 1], (--ioc.nheld - i) * sizeof(fw.held[0]));
}

static bool
task_has(const uint8_t *task, const uint8_t *io)
{
	switch (task[MPT_TM_TYPE]) {
	case MPT_TM_ABORT_TASK:
		return memcmp(task + MPT_TM_TASK, io + MPT_CONTEXT, 4) == 0;
	case MPT_TM_BUS_RESET:
		return true;
	case MPT_TM_TARGET_RESET:
		return memcmp(task, io, 2) == 0;
	default:
		return memcmp(task, io, 2) == 0 &&
		    memcmp(task + MPT_TM_LUN, io + MPT_IO_LUN, 8) == 0;
	}
}

static void
task_request(const uint8_t *frame)
{
	uint8_t type = frame[MPT_TM_TYPE] & 7, r[128];
	uint32_t count = 0;

	ioc.tasks_seen[type]++;
	if (ioc.tasks[type] == IOC_SILENT)
		return;
	for (unsigned int i = ioc.nheld; i-- > 0 && ioc.tasks[type] == IOC_DO;) {
		if (!task_has(frame, fw.held[i].frame))
			continue;
		io_reply(fw.held[i].frame, MPT_S_TERMINATED, 0, MPT_IO_STATE_TERMINATED, 0);
		held_drop(i);
		count++;
	}
	reply_begin(r, frame, 6, MPT_S_OK);
	r[MPT_TMR_RESPONSE] = ioc.tasks[type] == IOC_REFUSE ? 5 : 0;
	le32_put(r + MPT_TMR_COUNT, count);
	reply(r, 24);
}

/*
 * The other messages.
 */

static void
event_reply(uint32_t context, uint32_t event, const void *data, uint32_t len, bool wants_ack)
{
	uint8_t r[128] = { [MPT_R_LENGTH] = (uint8_t)((MPT_EV_DATA + len) / 4),
		[MPT_FUNCTION] = MPT_FN_EVENTS, [MPT_FLAGS] = MPT_FLAG_CONTINUES,
		[MPT_EV_WANTS_ACK] = wants_ack };

	le16_put(r, (uint16_t)(len / 4));
	le32_put(r + MPT_CONTEXT, context);
	le32_put(r + MPT_EV_EVENT, event);
	le32_put(r + MPT_EV_CONTEXT, 0x77);
	memcpy(r + MPT_EV_DATA, data, len);
	reply(r, MPT_EV_DATA + len);
}

/* an expander that repeats what it was asked, as far as it is to answer */
static void
smp_request(const uint8_t *frame)
{
	const uint8_t *out = memory(le64_get(frame + MPT_SMP_REQ_LEN + 4));
	uint8_t *in = memory(le64_get(frame + MPT_SMP_REQ_LEN + MPT_SGE64_BYTES + 4)), r[128];
	uint32_t len = ioc.smp_bytes == 0 ? 12 : ioc.smp_bytes;

	ck_assert_uint_eq(le64_get(frame + MPT_SMP_SAS) >> 56, 0x50);
	memset(in, 0, len);
	in[0] = 0x41;
	in[1] = out[1];
	in[4] = frame[MPT_SMP_REQ_BYTES];
	reply_begin(r, frame, 7, MPT_S_OK);
	le16_put(r + MPT_SMPR_BYTES, (uint16_t)len);
	r[MPT_SMPR_SAS_STATUS] = ioc.smp_status;
	reply(r, 28);
}

static void
request(uint8_t *frame)
{
	static const uint32_t state = 1;

	ioc.requests[frame[MPT_FUNCTION]]++;
	switch (frame[MPT_FUNCTION]) {
	case MPT_FN_SCSI_IO:
		io_request(frame);
		break;
	case MPT_FN_TASK_MGMT:
		task_request(frame);
		break;
	case MPT_FN_CONFIG:
		config(frame);
		break;
	case MPT_FN_EVENTS:
		ioc.enabled_switch = frame[MPT_EVENTS_SWITCH];
		fw.event_context = le32_get(frame + MPT_CONTEXT);
		event_reply(fw.event_context, MPT_EV_CHANGE, &state, 4, false);
		break;
	case MPT_FN_EVENT_ACK:
		ck_assert_uint_eq(le32_get(frame + MPT_ACK_CONTEXT), 0x77);
		ioc.acked++;
		reply_plain(frame, MPT_S_OK);
		break;
	case MPT_FN_IO_UNIT_CONTROL:
		ioc.removed++;
		ioc.removed_handle = le16_get(frame + MPT_IUC_HANDLE);
		reply_plain(frame, MPT_S_OK);
		break;
	case MPT_FN_SMP:
		smp_request(frame);
		break;
	default:
		reply_plain(frame, MPT_S_OK);
		break;
	}
}

/*
 * The doorbell.
 */

static void
handshake_answer(void)
{
	uint8_t *r = fw.out;

	memset(r, 0, sizeof(fw.out));
	r[MPT_FUNCTION] = fw.in[MPT_FUNCTION];
	r[MPT_R_LENGTH] = 5;
	switch (fw.in[MPT_FUNCTION]) {
	case MPT_FN_IOC_FACTS:
		r[MPT_R_LENGTH] = ioc.is_old ? 0x0c : 0x10;
		r[MPT_FACTS_CHAIN_DEPTH] = 34;
		le16_put(r + MPT_FACTS_REPLY_DEPTH, 64);
		le16_put(r + MPT_FACTS_FRAME_DWORDS, ioc.frame_dwords);
		le16_put(r + MPT_FACTS_CREDITS, ioc.credits);
		r[MPT_FACTS_CAPS] = ioc.has_hipri;
		r[MPT_FACTS_PORTS] = 1;
		r[MPT_FACTS_BUSES] = 1;
		break;
	case MPT_FN_PORT_FACTS:
		r[MPT_R_LENGTH] = 0x0a;
		r[MPT_PORT_TYPE] = MPT_PORT_TYPE_SAS;
		le16_put(r + MPT_PORT_PROTOCOLS, MPT_PORT_INITIATOR);
		break;
	case MPT_FN_IOC_INIT:
		fw.high = le32_get(fw.in + MPT_INIT_FRAME_HIGH);
		ck_assert_uint_eq(fw.in[MPT_INIT_WHO], MPT_WHO_HOST);
		ck_assert_uint_eq(le16_get(fw.in + MPT_INIT_REPLY_BYTES), RING_REPLY_BYTES);
		fw.state = MPT_ST_OPERATIONAL;
		break;
	}
	fw.out_len = 4u * r[MPT_R_LENGTH];
	fw.out_at = 0;
	fw.is_over = false;
	fw.status |= MPT_INT_DOORBELL;
}

static void
chip_reset(void)
{
	ioc.resets++;
	fw.state = ioc.is_stuck ? MPT_ST_RESET : MPT_ST_READY;
	fw.is_active = false;
	fw.status = 0;
	fw.nreplies = fw.nfree = ioc.nheld = 0;
}

static void
doorbell_put(uint32_t v)
{
	if (fw.is_active) {
		ck_assert_uint_lt(fw.in_len, fw.in_want);
		le32_put(fw.in + fw.in_len, v);
		fw.in_len += 4;
		if (fw.in_len == fw.in_want)
			handshake_answer();
		return;
	}
	if (v >> 24 == MPT_DB_MU_RESET)
		chip_reset();
	if (v >> 24 != MPT_DB_HANDSHAKE)
		return;
	fw.is_active = true;
	fw.in_len = 0;
	fw.in_want = 4 * (v >> 16 & 0xff);
	fw.out_len = 0;
	fw.status |= MPT_INT_DOORBELL;
}

/* what was said is taken note of: the next word, or the end */
static void
status_put(void)
{
	bool was_said = (fw.status & MPT_INT_DOORBELL) != 0;

	fw.status &= ~MPT_INT_DOORBELL;
	if (!fw.is_active || !was_said || fw.out_len == 0)
		return;
	/* behind the last word it speaks up once more */
	if (fw.out_at >= fw.out_len && fw.is_over)
		fw.is_active = false;
	else
		fw.status |= MPT_INT_DOORBELL;
	fw.is_over = fw.out_at >= fw.out_len;
}

static uint32_t
doorbell_get(void)
{
	uint32_t v = (uint32_t)fw.state << 28 | (fw.is_active ? 0x08000000u : 0);

	if (fw.is_active && fw.out_len > 0) {
		v |= fw.out_at < fw.out_len ? le16_get(fw.out + fw.out_at) : 0;
		fw.out_at += 2;
		return v;
	}
	return v | fw.code;
}

/*
 * Registers.
 */

static void
sequence_put(uint32_t v)
{
	static const uint8_t keys[] = { 0x4, 0xb, 0x2, 0x7, 0xd };

	if (v == 0xff || v != keys[fw.keys]) {
		fw.keys = 0;
		fw.is_open = false;
		return;
	}
	if (++fw.keys == sizeof(keys)) {
		fw.keys = 0;
		fw.is_open = true;
	}
}

static void
put(uint64_t off, uint32_t v)
{
	switch (off) {
	case MPT_DOORBELL:
		doorbell_put(v);
		break;
	case MPT_WRITE_SEQUENCE:
		sequence_put(v);
		break;
	case MPT_DIAGNOSTIC:
		if (fw.is_open && (v & MPT_DIAG_RESET) != 0)
			chip_reset();
		break;
	case MPT_INT_STATUS:
		status_put();
		break;
	case MPT_INT_MASK:
		fw.mask = v;
		interrupt();
		break;
	case MPT_REQUEST_FIFO:
		ck_assert_uint_eq(fw.state, MPT_ST_OPERATIONAL);
		ioc.last_frame = (uint64_t)fw.high << 32 | v;
		if (memory(ioc.last_frame) != NULL)
			request(memory(ioc.last_frame));
		break;
	case MPT_HIPRI_FIFO:
		ioc.urgent++;
		request(memory((uint64_t)fw.high << 32 | v));
		break;
	case MPT_REPLY_FIFO:
		ck_assert_uint_lt(fw.nfree, WORDS);
		fw.free[fw.nfree++] = v;
		break;
	}
}

static uint32_t
reply_get(void)
{
	uint32_t v;

	if (fw.nreplies == 0) {
		fw.status &= ~MPT_INT_REPLY;
		return MPT_FIFO_EMPTY;
	}
	v = fw.replies[0];
	memmove(fw.replies, fw.replies + 1, --fw.nreplies * sizeof(fw.replies[0]));
	return v;
}

static uint32_t
get(uint64_t off)
{
	switch (off) {
	case MPT_DOORBELL:
		return doorbell_get();
	case MPT_DIAGNOSTIC:
		return fw.is_open ? MPT_DIAG_WRITABLE : 0;
	case MPT_INT_STATUS:
		return fw.status;
	case MPT_REPLY_FIFO:
		return reply_get();
	default:
		return 0;
	}
}

static unsigned int
reg_count(void *arg)
{
	(void)arg;
	return 3;
}

static int
reg_size(void *arg, unsigned int rnumber, uint64_t *ret_bytes)
{
	(void)arg;
	*ret_bytes = rnumber == 0 ? sizeof(fw.config) : 0x2000;
	return 0;
}

static int
reg_map(void *arg, unsigned int rnumber, uint64_t off, uint64_t len, void **ret_addr)
{
	(void)arg;
	(void)len;
	*ret_addr = (void *)(uintptr_t)(((uint64_t)rnumber + 1) << 20 | off);
	return 0;
}

static void
reg_unmap(void *arg, unsigned int rnumber, void *addr, uint64_t len)
{
	(void)arg;
	(void)rnumber;
	(void)addr;
	(void)len;
}

static uint64_t
reg_get(void *arg, unsigned int rnumber, uint64_t off, unsigned int width)
{
	uint64_t v = 0;

	(void)arg;
	mutex_enter(&fw.lock);
	if (rnumber == 0)
		memcpy(&v, fw.config + off, width);
	else
		v = get(off);
	mutex_exit(&fw.lock);
	return v;
}

static void
reg_put(void *arg, unsigned int rnumber, uint64_t off, unsigned int width, uint64_t value)
{
	(void)arg;
	mutex_enter(&fw.lock);
	if (rnumber == 0)
		memcpy(fw.config + off, &value, width);
	else
		put(off, (uint32_t)value);
	mutex_exit(&fw.lock);
}

static const struct devi_reg_ops reg_ops = {
	reg_count, reg_size, reg_map, reg_unmap, reg_get, reg_put,
};

/*
 * For tests.
 */

void
ioc_power_on(dev_info_t *dip)
{
	memset(&fw, 0, sizeof(fw));
	mutex_init(&fw.lock, NULL, MUTEX_DRIVER, NULL);
	le16_put(fw.config + PCI_CONF_VENID, MPT_VENDOR);
	le16_put(fw.config + PCI_CONF_DEVID, ioc.device_id);
	fw.state = ioc.is_stuck ? MPT_ST_RESET : MPT_ST_READY;
	fw.mask = MPT_INT_ALL;
	devi_set_regs(dip, &reg_ops, NULL);
}

void
ioc_power_off(void)
{
	ck_assert(!is_master());
	for (unsigned int i = 0; i < IOC_DEVICES; i++)
		free(ioc.devices[i].mem);
	mutex_destroy(&fw.lock);
}

void
ioc_disk(unsigned int i, uint64_t sas, uint16_t handle, uint16_t parent, uint8_t port)
{
	struct ioc_device *d = &ioc.devices[i];

	free(d->mem);
	*d = (struct ioc_device){ .page = { .sas = sas, .handle = handle, .parent = parent,
	    .port = port, .target = (uint8_t)(10 + i), .info = MPT_INFO_END |
	    MPT_INFO_SSP_TARGET }, .mem = calloc(1, IOC_DISK_BYTES), .nluns = 1 };
}

void
ioc_expander(unsigned int i, uint64_t sas, uint16_t handle, uint8_t port)
{
	ioc.devices[i] = (struct ioc_device){ .page = { .sas = sas, .handle = handle,
	    .parent = 1, .port = port, .info = MPT_INFO_EDGE } };
}

void
ioc_phy(unsigned int phy, uint8_t port, uint16_t attached)
{
	ioc.phys[phy] = (struct page_phy){ .port = port, .attached = attached, .own = 1,
		.rate = attached == 0 ? 0 : 0x19 };
}

void
ioc_event(uint32_t event, const void *data, uint32_t len, bool wants_ack)
{
	mutex_enter(&fw.lock);
	event_reply(fw.event_context, event, data, len, wants_ack);
	mutex_exit(&fw.lock);
}

void
ioc_fault(uint16_t code)
{
	mutex_enter(&fw.lock);
	fw.state = MPT_ST_FAULT;
	fw.code = code;
	mutex_exit(&fw.lock);
}

void
ioc_say(uint32_t word)
{
	mutex_enter(&fw.lock);
	say(word);
	mutex_exit(&fw.lock);
}

void
ioc_release(void)
{
	mutex_enter(&fw.lock);
	while (ioc.nheld > 0) {
		io_execute(fw.held[0].at);
		held_drop(0);
	}
	mutex_exit(&fw.lock);
}

uint32_t
ioc_context(unsigned int i)
{
	return le32_get(fw.held[i].frame + MPT_CONTEXT);
}
