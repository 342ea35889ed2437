/*
 * mptsas/ring.h - request frames: where they lie, what names them, what is written into them
 *
 * What      Pure functions over bytes. One area of DMA memory holds, for every slot, a request
 *           frame, chain frames and sense; then the reply frames, then a buffer for messages
 *           of the driver's own. A slot is named towards the chip by a context: index,
 *           generation and epoch, so that a reply for an earlier use, or of the time before a
 *           reset, is told from one that is due.
 * Limits    Contexts have 29 bits, because a short reply carries no more.
 * Thread    Any; no state.
 * Source    MPI 1.5: SCSI IO request, scatter/gather elements
 */
#ifndef MPTSAS_RING_H
#define MPTSAS_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/dditypes.h>

#include "base/compiler.h"
#include "hw/mptsas/regs.h"

#define RING_SLOTS_MAX		256u
#define RING_SEGS_MAX		257u	/* 1 MiB that begins anywhere in a page */
#define RING_FRAME_MAX		512u	/* bytes of a frame we use, if the chip allows more */
#define RING_FRAME_MIN		128u	/* room for every request of the driver */
#define RING_REPLY_BYTES	128u
#define RING_REPLIES_MAX	128u
#define RING_SENSE_BYTES	256u	/* stride; RING_SENSE_LEN of them are used */
#define RING_SENSE_LEN		252u
#define RING_BUFFER_BYTES	4096u	/* a page or an SMP exchange */

/* the slots that carry no packets */
enum ring_slot { RING_SLOT_MESSAGE, RING_SLOT_TASK, RING_SLOT_EVENTS, RING_SLOT_COMMANDS };

/* what the chip said about itself; see IOC facts */
struct ring_facts {
	uint16_t version;
	uint16_t exceptions;
	uint32_t frame_bytes;
	uint16_t credits;		/* requests it takes at a time */
	uint16_t reply_depth;
	uint8_t chain_depth;		/* chain elements of a request */
	uint8_t nports;
	uint16_t max_devices;
	uint8_t max_buses;
	bool wants_firmware;
	bool has_hipri;
	uint32_t fw_version;
};

/* where everything lies in the area, in bytes from its start */
struct ring_layout {
	uint32_t frame_bytes;
	uint32_t nslots;		/* RING_SLOT_COMMANDS of them are the driver's own */
	uint32_t nchains;		/* chain frames of a slot */
	uint32_t segs_max;		/* elements of 12 bytes that a command can have */
	uint32_t nreplies;
	uint32_t chains_off, sense_off, replies_off, buffer_off, bytes;
};

/**
 * mpt_ring_facts_read() - the reply to IOC facts
 *
 * @reply    @len bytes as they came; older firmware sends less
 *
 * Returns:  0
 *           -EBADMSG  too short, or values nobody can work with
 */
int mpt_ring_facts_read(const uint8_t *reply, size_t len, struct ring_facts *ret) MUST_CHECK;

/* mpt_ring_layout_make() - how to use a chip like that */
void mpt_ring_layout_make(const struct ring_facts *facts, struct ring_layout *ret);

/* mpt_ring_layout_fits() - does a layout made earlier suit what the chip says now? */
bool mpt_ring_layout_fits(const struct ring_layout *layout, const struct ring_facts *facts);

static inline uint32_t
mpt_ring_frame_off(const struct ring_layout *l, uint32_t slot)
{
	return slot * l->frame_bytes;
}

static inline uint32_t
mpt_ring_chain_off(const struct ring_layout *l, uint32_t slot)
{
	return l->chains_off + slot * l->nchains * l->frame_bytes;
}

static inline uint32_t
mpt_ring_sense_off(const struct ring_layout *l, uint32_t slot)
{
	return l->sense_off + slot * RING_SENSE_BYTES;
}

/**
 * mpt_ring_reply_index() - which reply frame an address reply names
 *
 * @low      low 32 bits of the frame's bus address, as the chip gave them
 * @base     the same of the first frame
 *
 * Returns:  true, and its index; false: no frame of ours
 */
bool mpt_ring_reply_index(const struct ring_layout *l, uint32_t base, uint32_t low,
    uint32_t *ret_index);

/* Contexts */

#define RING_INDEX_BITS		10
#define RING_GEN_BITS		14
#define RING_GEN_MAX		((1u << RING_GEN_BITS) - 1)
#define RING_EPOCH_MAX		31u

static inline uint32_t
mpt_ring_context(uint32_t epoch, uint32_t gen, uint32_t index)
{
	return epoch << (RING_INDEX_BITS + RING_GEN_BITS) | gen << RING_INDEX_BITS | index;
}

static inline uint32_t
mpt_ring_context_index(uint32_t context)
{
	return context & ((1u << RING_INDEX_BITS) - 1);
}

static inline uint32_t
mpt_ring_context_gen(uint32_t context)
{
	return context >> RING_INDEX_BITS & RING_GEN_MAX;
}

static inline uint32_t
mpt_ring_context_epoch(uint32_t context)
{
	return context >> (RING_INDEX_BITS + RING_GEN_BITS);
}

/* Requests */

/* one SCSI command, as the frame needs it */
struct ring_io {
	uint32_t context;
	uint8_t bus, target;
	const uint8_t *lun;		/* 8 bytes, wire order */
	const uint8_t *cdb;
	uint8_t cdb_len;		/* 1 .. MPT_IO_CDB_MAX */
	uint32_t control;		/* MPT_CONTROL_* */
	uint8_t sense_len;
	uint32_t sense_low;		/* bus address, low half */
	const ddi_dma_cookie_t *cookies;
	uint32_t ncookies;
	bool is_write;
	bool is_1078;			/* addresses from 36 to 40 GiB are written otherwise */
};

/* where a command is written: a frame and its chain frames, and where the chip sees the latter
 */
struct ring_place {
	uint8_t *frame;
	uint8_t *chains;
	uint64_t chains_iova;
};

/**
 * mpt_ring_io_write() - a SCSI IO request with its scatter/gather list
 *
 * @place    of layout @l
 * @io       elements up to the layout's segs_max
 *
 * Shape:    8-byte elements when every address fits 32 bits, else 12-byte elements throughout;
 *           what does not fit the frame goes on in chain frames
 * Returns:  0
 *           -EINVAL  an element longer than MPT_SGE_LEN_MAX or empty
 *           -E2BIG   more elements than the layout has room for, or 4 GiB of data
 */
int mpt_ring_io_write(const struct ring_layout *l, const struct ring_place *place,
    const struct ring_io *io) MUST_CHECK;

/* mpt_ring_sge_put() - one simple element that ends its list: 12 bytes at @at; @len 0: no
 * data */
void mpt_ring_sge_put(uint8_t *at, uint64_t iova, uint32_t len, uint32_t flags);

#endif /* MPTSAS_RING_H */
