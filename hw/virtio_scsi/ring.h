/*
 * virtio_scsi/ring.h - one split ring: what to do and what has been done
 *
 * What      The arithmetic of a ring in memory shared with a device. What the device writes is
 *           foreign: it is read once and judged before it is used. The ring knows how many
 *           entries the device has, and nothing of what they mean.
 * Owner     The memory is the caller's and stays until nothing runs on the ring.
 * Thread    The owner's lock.
 * Limits    A power of two up to VS_RING_SIZE_MAX entries.
 * Source    VIRTIO 1.2, 2.7
 */
#ifndef VIRTIO_SCSI_RING_H
#define VIRTIO_SCSI_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "hw/virtio_scsi/regs.h"

struct vs_ring {
	struct vs_desc *desc;
	uint16_t *avail;	/* flags, index, entries, used_event */
	uint16_t *used;		/* flags, index, entries of 8 bytes, avail_event */
	uint16_t size;
	uint16_t avail_idx;	/* entries we have made available; our copy counts */
	uint16_t kicked_idx;	/* as of the last decision whether to kick */
	uint16_t used_idx;	/* entries we have taken back */
	uint16_t in_flight;	/* the device has them */
	bool has_event_idx;
};

/* vs_ring_avail_off(), _used_off(), _bytes() - where the parts are in memory of a ring of
 * @size */
size_t vs_ring_avail_off(uint16_t size);
size_t vs_ring_used_off(uint16_t size);
size_t vs_ring_bytes(uint16_t size);

/* vs_ring_init() - an empty ring in @mem, which is zeroed: what an earlier life left there is
 * no command */
void vs_ring_init(struct vs_ring *ring, void *mem, uint16_t size, bool has_event_idx);

/* vs_ring_put() - give the chain that begins at descriptor @head to the device; at most @size
 * chains at a time */
void vs_ring_put(struct vs_ring *ring, uint16_t head);

/* vs_ring_want_kick() - does the device want to be told of what was put since the last call? */
bool vs_ring_want_kick(struct vs_ring *ring);

/**
 * vs_ring_get() - take back one chain
 *
 * @ret_head  its first descriptor, below ring->size; whether that one was given is the caller's
 *            to know
 *
 * Returns:   1
 *            0        nothing there
 *            -EPROTO  the device has returned more than it has, or a head outside the ring
 */
int vs_ring_get(struct vs_ring *ring, uint16_t *ret_head) MUST_CHECK;

/* vs_ring_arm() - ask for an interrupt at the next chain that comes back; true: one has come
 * meanwhile, and there may be no interrupt for it */
bool vs_ring_arm(struct vs_ring *ring);

/* vs_ring_disarm() - no interrupts needed, until vs_ring_arm(); a hint, they may still come */
void vs_ring_disarm(struct vs_ring *ring);

#endif /* VIRTIO_SCSI_RING_H */
