#include "hw/mptsas/ring.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"

#define ALIGN_BYTES	64u		/* of frames, and of each part of the area */
#define WINDOW_LOW	0xffffffffull

int
mpt_ring_facts_read(const uint8_t *reply, size_t len, struct ring_facts *ret)
{
	struct ring_facts f;
	size_t said;

	if (len < MPT_REPLY_LEN_MIN)
		return -EBADMSG;
	said = 4u * reply[MPT_R_LENGTH];
	if (said < MPT_FACTS_LEN_MIN || said > len || reply[MPT_FUNCTION] != MPT_FN_IOC_FACTS)
		return -EBADMSG;
	f = (struct ring_facts){
		.version = le16_get(reply + MPT_FACTS_VERSION),
		.exceptions = le16_get(reply + MPT_FACTS_EXCEPTIONS),
		.frame_bytes = 4u * le16_get(reply + MPT_FACTS_FRAME_DWORDS),
		.credits = le16_get(reply + MPT_FACTS_CREDITS),
		.reply_depth = le16_get(reply + MPT_FACTS_REPLY_DEPTH),
		.chain_depth = reply[MPT_FACTS_CHAIN_DEPTH],
		.nports = reply[MPT_FACTS_PORTS],
		.max_devices = reply[MPT_FACTS_DEVICES] == 0 ? 256 : reply[MPT_FACTS_DEVICES],
		.max_buses = reply[MPT_FACTS_BUSES],
		.wants_firmware = (reply[MPT_FACTS_FLAGS] & 1) != 0,
	};
	if (said >= MPT_FACTS_CAPS + 4)
		f.has_hipri = (le32_get(reply + MPT_FACTS_CAPS) & MPT_CAP_HIPRI) != 0;
	if (said >= MPT_FACTS_FW_VERSION + 4)
		f.fw_version = le32_get(reply + MPT_FACTS_FW_VERSION);
	if (f.frame_bytes < RING_FRAME_MIN || f.credits <= RING_SLOT_COMMANDS ||
	    f.reply_depth == 0 || f.nports == 0)
		return -EBADMSG;
	*ret = f;
	return 0;
}

/* elements of 12 bytes behind the fixed part of a frame, and in a chain frame */
static uint32_t
head_elements(const struct ring_layout *l)
{
	return (l->frame_bytes - MPT_IO_SGL) / MPT_SGE64_BYTES;
}

static uint32_t
chain_elements(const struct ring_layout *l)
{
	return l->frame_bytes / MPT_SGE64_BYTES;
}

/* the last element of every segment but the last is the way to the next */
static uint32_t
segs_of(const struct ring_layout *l, uint32_t nchains)
{
	if (nchains == 0)
		return head_elements(l);
	return head_elements(l) - 1 + nchains * (chain_elements(l) - 1) + 1;
}

void
mpt_ring_layout_make(const struct ring_facts *facts, struct ring_layout *ret)
{
	struct ring_layout l = {
		.frame_bytes = (uint32_t)num_min(facts->frame_bytes, RING_FRAME_MAX) &
		    ~(ALIGN_BYTES - 1),
		.nslots = (uint32_t)num_min(facts->credits, RING_SLOTS_MAX),
		.nreplies = (uint32_t)num_min(facts->reply_depth, RING_REPLIES_MAX),
	};

	while (segs_of(&l, l.nchains) < RING_SEGS_MAX && l.nchains < facts->chain_depth)
		l.nchains++;
	l.segs_max = (uint32_t)num_min(segs_of(&l, l.nchains), RING_SEGS_MAX);
	l.chains_off = l.nslots * l.frame_bytes;
	l.sense_off = l.chains_off + l.nslots * l.nchains * l.frame_bytes;
	l.replies_off = l.sense_off + l.nslots * RING_SENSE_BYTES;
	l.buffer_off = l.replies_off + l.nreplies * RING_REPLY_BYTES;
	l.bytes = l.buffer_off + RING_BUFFER_BYTES;
	*ret = l;
}

bool
mpt_ring_layout_fits(const struct ring_layout *layout, const struct ring_facts *facts)
{
	return layout->frame_bytes <= facts->frame_bytes && layout->nslots <= facts->credits &&
	    layout->nreplies <= facts->reply_depth && layout->nchains <= facts->chain_depth;
}

bool
mpt_ring_reply_index(
    const struct ring_layout *l, uint32_t base, uint32_t low, uint32_t *ret_index)
{
	uint32_t off = low - base;

	if (off % RING_REPLY_BYTES != 0 || off / RING_REPLY_BYTES >= l->nreplies)
		return false;
	*ret_index = off / RING_REPLY_BYTES;
	return true;
}

void
mpt_ring_sge_put(uint8_t *at, uint64_t iova, uint32_t len, uint32_t flags)
{
	le32_put(at, MPT_SGE_SIMPLE | MPT_SGE_END | MPT_SGE_ADDR64 | flags | len);
	le64_put(at + 4, iova);
}

/* a list being written: where the next element goes, and what is left of the segment */
struct sgl {
	const struct ring_layout *l;
	const struct ring_place *place;
	const struct ring_io *io;
	uint8_t *segment, *at;
	uint32_t room;			/* elements */
	uint32_t element;		/* bytes */
	uint32_t chain;			/* the next chain frame */
	uint8_t *pending;		/* chain element whose segment is being written */
};

static uint32_t
sgl_flags(const struct sgl *s)
{
	return MPT_SGE_SIMPLE | (s->io->is_write ? MPT_SGE_TO_DEVICE : 0) |
	    (s->element == MPT_SGE64_BYTES ? MPT_SGE_ADDR64 : 0);
}

/* the chip's address: as it is, or, for the range that a 1078 keeps for itself, marked */
static void
sgl_put(struct sgl *s, uint32_t flags, uint64_t iova)
{
	uint32_t len = flags & MPT_SGE_LEN_MAX;

	if (s->io->is_1078 && (iova + len) >> 32 == 9) {
		flags |= MPT_SGE_LOCAL;
		iova |= 1ull << 63;
	}
	le32_put(s->at, flags);
	if (s->element == MPT_SGE64_BYTES)
		le64_put(s->at + 4, iova);
	else
		le32_put(s->at + 4, (uint32_t)iova);
	s->at += s->element;
	s->room--;
}

/* where the segment's own chain element is, in dwords from its start; said by the header, or by
 * the element that led here */
static void
sgl_tell_offset(struct sgl *s)
{
	uint32_t off = (uint32_t)(s->at - s->segment) / 4;

	if (s->pending == NULL)
		s->place->frame[MPT_CHAIN_OFFSET] = (uint8_t)off;
	else
		le32_put(s->pending, le32_get(s->pending) | MPT_SGE_CHAIN_NEXT(off));
}

/* go on in the next chain frame, which will hold @left elements or what it can */
static void
sgl_chain(struct sgl *s, uint32_t left)
{
	uint32_t most = s->l->frame_bytes / s->element;
	uint32_t n = left > most ? most : left;
	uint64_t iova = s->place->chains_iova + (uint64_t)s->chain * s->l->frame_bytes;
	uint8_t *element = s->at;

	sgl_tell_offset(s);
	/* the last element before a chain says only that it is the last */
	le32_put(s->at - s->element, le32_get(s->at - s->element) | MPT_SGE_LAST);
	le32_put(element, MPT_SGE_CHAIN | n * s->element |
	    (s->element == MPT_SGE64_BYTES ? MPT_SGE_ADDR64 : 0));
	if (s->element == MPT_SGE64_BYTES)
		le64_put(element + 4, iova);
	else
		le32_put(element + 4, (uint32_t)iova);
	s->pending = element;
	s->segment = s->at = s->place->chains + s->chain * s->l->frame_bytes;
	s->room = most;
	s->chain++;
}

static void
sgl_write(struct sgl *s)
{
	const struct ring_io *io = s->io;

	if (io->ncookies == 0)
		sgl_put(s, sgl_flags(s) | MPT_SGE_END, 0);
	for (uint32_t i = 0; i < io->ncookies; i++) {
		const ddi_dma_cookie_t *c = &io->cookies[i];
		uint32_t end = i + 1 == io->ncookies ? MPT_SGE_END : 0;

		if (s->room == 1 && end == 0)
			sgl_chain(s, io->ncookies - i);
		sgl_put(s, sgl_flags(s) | end | (uint32_t)c->dmac_size, c->dmac_laddress);
	}
}

/* what the elements say together; 0, -EINVAL, -E2BIG */
static int
cookies_check(const struct ring_layout *l, const struct ring_io *io, uint32_t *ret_bytes,
    bool *ret_is_wide)
{
	uint64_t bytes = 0;

	if (io->ncookies > l->segs_max)
		return -E2BIG;
	*ret_is_wide = false;
	for (uint32_t i = 0; i < io->ncookies; i++) {
		const ddi_dma_cookie_t *c = &io->cookies[i];

		if (c->dmac_size == 0 || c->dmac_size > MPT_SGE_LEN_MAX)
			return -EINVAL;
		if (c->dmac_laddress + c->dmac_size - 1 > WINDOW_LOW)
			*ret_is_wide = true;
		bytes += c->dmac_size;
	}
	if (bytes > UINT32_MAX)
		return -E2BIG;
	*ret_bytes = (uint32_t)bytes;
	return 0;
}

int
mpt_ring_io_write(const struct ring_layout *l, const struct ring_place *place,
    const struct ring_io *io)
{
	uint8_t *frame = place->frame;
	uint32_t bytes;
	bool is_wide;
	int r = cookies_check(l, io, &bytes, &is_wide);
	struct sgl s;

	if (r < 0)
		return r;
	/* chain elements are as wide as the others, and so must reach the chain frames */
	is_wide = is_wide || place->chains_iova > WINDOW_LOW;
	memset(frame, 0, MPT_IO_SGL);
	frame[MPT_IO_TARGET] = io->target;
	frame[MPT_IO_BUS] = io->bus;
	frame[MPT_FUNCTION] = MPT_FN_SCSI_IO;
	frame[MPT_IO_CDB_LEN] = io->cdb_len;
	frame[MPT_IO_SENSE_LEN] = io->sense_len;
	le32_put(frame + MPT_CONTEXT, io->context);
	memcpy(frame + MPT_IO_LUN, io->lun, 8);
	le32_put(frame + MPT_IO_CONTROL, io->control);
	memcpy(frame + MPT_IO_CDB, io->cdb, io->cdb_len);
	le32_put(frame + MPT_IO_DATA_LEN, bytes);
	le32_put(frame + MPT_IO_SENSE_LOW, io->sense_low);

	s = (struct sgl){ .l = l, .place = place, .io = io, .segment = frame,
		.at = frame + MPT_IO_SGL,
		.element = is_wide ? MPT_SGE64_BYTES : MPT_SGE32_BYTES };
	s.room = (l->frame_bytes - MPT_IO_SGL) / s.element;
	sgl_write(&s);
	return 0;
}
