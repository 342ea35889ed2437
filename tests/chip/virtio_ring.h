/*
 * tests/chip/virtio_ring.h - the rings of an adapter as it sees them itself, to lie in its name
 */
#ifndef TESTS_CHIP_VIRTIO_RING_H
#define TESTS_CHIP_VIRTIO_RING_H

#include "base/bytes.h"
#include "hw/virtio_scsi/ring.h"
#include "tests/chip/virtio.h"

struct virtio_ring {
	uint16_t size;
	struct vs_desc *desc;
	uint16_t *avail, *used;
};

/* virtio_ring_of() - queue @index: 0 control, 1 events, 2 .. requests */
static inline struct virtio_ring
virtio_ring_of(struct chip *chip, unsigned int index)
{
	struct virtio_ring ring;
	uint64_t at[3];

	chip_register_put(chip, VIRTIO_BAR, VS_COMMON_QUEUE_SELECT, 2, index);
	ring.size = (uint16_t)chip_register_get(chip, VIRTIO_BAR, VS_COMMON_QUEUE_SIZE, 2);
	for (unsigned int i = 0; i < 3; i++) {
		unsigned int off = VS_COMMON_QUEUE_DESC + 8 * i;

		at[i] = chip_register_get(chip, VIRTIO_BAR, off, 4) |
		    chip_register_get(chip, VIRTIO_BAR, off + 4, 4) << 32;
	}
	ring.desc = chip_memory(chip, at[0], sizeof(struct vs_desc) * ring.size);
	ring.avail = chip_memory(chip, at[1], 6 + 2u * ring.size);
	ring.used = chip_memory(chip, at[2], 6 + 8u * ring.size);
	return ring;
}

/* virtio_ring_return() - say that chain @head is done, whether it was asked for or not */
static inline void
virtio_ring_return(struct virtio_ring *ring, uint32_t head)
{
	uint16_t idx = ring->used[1];

	le32_put(&ring->used[2 + 4 * (size_t)(idx % ring->size)], head);
	__atomic_store_n(&ring->used[1], (uint16_t)(idx + 1), __ATOMIC_RELEASE);
}

/* virtio_ring_last() - the chain that the driver has given last */
static inline uint16_t
virtio_ring_last(const struct virtio_ring *ring)
{
	uint16_t idx = (uint16_t)(__atomic_load_n(&ring->avail[1], __ATOMIC_ACQUIRE) - 1);

	return ring->avail[2 + idx % ring->size];
}

#endif /* TESTS_CHIP_VIRTIO_RING_H */
