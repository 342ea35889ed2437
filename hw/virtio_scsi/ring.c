/* split rings */
#include "hw/virtio_scsi/ring.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"

/* places in avail and used, in units of 16 bits */
#define FLAGS		0
#define IDX		1
#define ENTRIES		2
#define USED_ENTRY	4	/* units of one entry of used */

size_t
vs_ring_avail_off(uint16_t size)
{
	return sizeof(struct vs_desc) * size;
}

size_t
vs_ring_used_off(uint16_t size)
{
	/* a cache line of its own: the device writes there */
	return num_round_up(vs_ring_avail_off(size) + 2 * (3u + size), 64);
}

size_t
vs_ring_bytes(uint16_t size)
{
	return vs_ring_used_off(size) + 2 * (3u + USED_ENTRY * (size_t)size);
}

void
vs_ring_init(struct vs_ring *ring, void *mem, uint16_t size, bool has_event_idx)
{
	uint8_t *base = mem;

	memset(mem, 0, vs_ring_bytes(size));
	*ring = (struct vs_ring){
		.desc = mem,
		.avail = (uint16_t *)(void *)(base + vs_ring_avail_off(size)),
		.used = (uint16_t *)(void *)(base + vs_ring_used_off(size)),
		.size = size,
		.has_event_idx = has_event_idx,
	};
}

static inline uint16_t
shared_get(const uint16_t *p, int order)
{
	return __atomic_load_n(p, order);
}

static inline void
shared_put(uint16_t *p, uint16_t v, int order)
{
	__atomic_store_n(p, v, order);
}

/* the last word of each part speaks of the other side's interrupts or kicks */
static inline uint16_t *
used_event(struct vs_ring *ring)
{
	return ring->avail + ENTRIES + ring->size;
}

static inline const uint16_t *
avail_event(const struct vs_ring *ring)
{
	return ring->used + ENTRIES + USED_ENTRY * (size_t)ring->size;
}

void
vs_ring_put(struct vs_ring *ring, uint16_t head)
{
	ring->avail[ENTRIES + (ring->avail_idx & (ring->size - 1))] = head;
	ring->avail_idx++;
	ring->in_flight++;
	shared_put(&ring->avail[IDX], ring->avail_idx, __ATOMIC_RELEASE);
}

bool
vs_ring_want_kick(struct vs_ring *ring)
{
	uint16_t new = ring->avail_idx, old = ring->kicked_idx, event;

	if (new == old)
		return false;
	ring->kicked_idx = new;
	/* the index is seen before we look whether anybody waits for it */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!ring->has_event_idx)
		return (shared_get(&ring->used[FLAGS], __ATOMIC_RELAXED) &
		    VS_USED_NO_NOTIFY) == 0;
	event = shared_get(avail_event(ring), __ATOMIC_RELAXED);
	return (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

int
vs_ring_get(struct vs_ring *ring, uint16_t *ret_head)
{
	uint16_t idx = shared_get(&ring->used[IDX], __ATOMIC_ACQUIRE);
	const uint16_t *entry;
	uint32_t head;

	if (idx == ring->used_idx)
		return 0;
	if ((uint16_t)(idx - ring->used_idx) > ring->in_flight)
		return -EPROTO;
	entry = ring->used + ENTRIES + USED_ENTRY * (size_t)(ring->used_idx & (ring->size - 1));
	head = __atomic_load_n((const uint32_t *)(const void *)entry, __ATOMIC_RELAXED);
	if (head >= ring->size)
		return -EPROTO;
	ring->used_idx++;
	ring->in_flight--;
	*ret_head = (uint16_t)head;
	return 1;
}

bool
vs_ring_arm(struct vs_ring *ring)
{
	if (ring->has_event_idx)
		shared_put(used_event(ring), ring->used_idx, __ATOMIC_RELAXED);
	else
		shared_put(&ring->avail[FLAGS], 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return shared_get(&ring->used[IDX], __ATOMIC_ACQUIRE) != ring->used_idx;
}

void
vs_ring_disarm(struct vs_ring *ring)
{
	/* with event index the device asks only for the entry that was named */
	if (!ring->has_event_idx)
		shared_put(&ring->avail[FLAGS], VS_AVAIL_NO_INTERRUPT, __ATOMIC_RELAXED);
}
