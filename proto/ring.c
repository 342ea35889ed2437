#include "proto/ring.h"

#include <errno.h>
#include <string.h>

#include "proto/scsad.pb-c.h"

bool
ring_entries_fit(uint32_t n)
{
	return n >= RING_ENTRIES_MIN && n <= RING_ENTRIES_MAX && (n & (n - 1)) == 0;
}

size_t
ring_bytes(uint32_t n)
{
	size_t bytes = RING_HEAD_SIZE + (size_t)n *
	    (sizeof(struct ring_entry) + sizeof(struct ring_result) + RING_SENSE_SIZE);

	return (bytes + 4095) & ~(size_t)4095;
}

struct ring_view
ring_view(void *base, uint32_t n)
{
	uint8_t *entries = (uint8_t *)base + RING_HEAD_SIZE;
	uint8_t *results = entries + n * sizeof(struct ring_entry);

	return (struct ring_view){
		.head = base,
		.entries = (void *)entries,
		.results = (void *)results,
		.sense = results + n * sizeof(struct ring_result),
		.n = n,
	};
}

void
ring_entry_copy(struct ring_entry *dst, const struct ring_entry *shared)
{
	const size_t first = offsetof(struct ring_entry, cdb) + RING_CDB_SHORT;

	memcpy(dst, shared, first);
	/* the copy decides, and must not be read from the ring again */
	atomic_signal_fence(memory_order_seq_cst);
	if (dst->cdb_len > RING_CDB_SHORT)
		memcpy((uint8_t *)dst + first, (const uint8_t *)shared + first,
		    sizeof(*dst) - first);
}

int
ring_entry_check(const struct ring_entry *entry, uint32_t n, uint32_t data_max)
{
	bool has_data = entry->direction != SCSAD__DIRECTION__DIR_NONE;

	if (entry->op != RING_OP_SUBMIT || entry->flags != 0 ||
	    (entry->zero[0] | entry->zero[1] | entry->zero[2]) != 0)
		return -EINVAL;
	if (ring_slot(entry->tag) >= n)
		return -EINVAL;
	if (entry->cdb_len < PROTO_CDB_MIN || entry->cdb_len > RING_CDB_MAX)
		return -EINVAL;
	if (entry->direction > SCSAD__DIRECTION__DIR_OUT ||
	    entry->attribute > SCSAD__TASK_ATTRIBUTE__ATTR_HEAD ||
	    entry->timeout_ms > PROTO_TIMEOUT_MAX_MS)
		return -EINVAL;
	if (has_data != (entry->data_len > 0) || has_data != (entry->memory != 0))
		return -EINVAL;
	return entry->data_len > data_max ? -EMSGSIZE : 0;
}
