/* queues: memory, giving commands to the device, taking them back */
#include "hw/virtio_scsi/virtio_scsi.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"

#define DIRECT_DESCS	32	/* of a command, in a ring without indirect descriptors, */
#define DIRECT_LEAST	3
#define DIRECT_DEPTH	8	/* so that there are as many commands, if it can be */
#define CONTROL_STRIDE	2
#define CONTROL_BYTES	64	/* of one task management function */

/* the adapter whose completions this thread delivers: kicks for it wait */
static _Thread_local struct vs_hba *batching;

/*
 * Memory.
 */

/* entries of a ring: a power of two, at most what both can; 0: too few */
static uint16_t
ring_size(struct vs_hba *hba, unsigned int index, uint16_t most, uint16_t least)
{
	uint16_t size = most, offered = vs_queue_size_offered(hba, index);

	while (size > offered)
		size /= 2;
	return size < least ? 0 : size;
}

static int
ring_new(struct vs_hba *hba, struct vs_ring *ring, struct vs_mem *mem, uint16_t size)
{
	if (size == 0 || vs_mem_new(hba->dip, vs_ring_bytes(size), mem) != DDI_SUCCESS)
		return DDI_FAILURE;
	vs_ring_init(ring, mem->va, size, (hba->features & VS_F_EVENT_IDX) != 0);
	return DDI_SUCCESS;
}

static int
mems_new(struct vs_hba *hba, struct vs_mem *mems, unsigned int count, unsigned int per_mem,
    size_t bytes)
{
	for (unsigned int i = 0; i * per_mem < count; i++) {
		unsigned int n = (unsigned int)num_min(per_mem, count - i * per_mem);

		if (vs_mem_new(hba->dip, n * bytes, &mems[i]) != DDI_SUCCESS)
			return DDI_FAILURE;
	}
	return DDI_SUCCESS;
}

/* without indirect descriptors the ring is shared out evenly: so many for each command */
static uint16_t
direct_stride(uint16_t segs, uint16_t size)
{
	uint64_t most = num_min(segs + 2u, DIRECT_DESCS);
	unsigned int share = size / DIRECT_DEPTH;

	return (uint16_t)num_min(most, share < DIRECT_LEAST ? DIRECT_LEAST : share);
}

static int
queue_new(struct vs_hba *hba, struct vs_queue *queue)
{
	uint16_t size = ring_size(hba, queue->index, VS_DEPTH_MAX, 4);

	if (ring_new(hba, &queue->ring, &queue->ring_mem, size) != DDI_SUCCESS)
		return DDI_FAILURE;
	queue->stride = 1;
	if ((hba->features & VS_F_INDIRECT_DESC) == 0)
		queue->stride = direct_stride(hba->limits.segs, size);
	queue->depth = size / queue->stride;
	/* an indirect table may be no longer than the ring; a table of ours, than its place */
	hba->limits.segs = (uint16_t)num_min(hba->limits.segs,
	    (queue->stride == 1 ? size : queue->stride) - 2u);
	if (mems_new(hba, queue->slot_mems, queue->depth, VS_SLOTS_PER_MEM, VS_SLOT_BYTES) !=
	    DDI_SUCCESS)
		return DDI_FAILURE;
	if (queue->stride > 1 || hba->limits.segs + 2u <= VS_SLOT_DESCS)
		return DDI_SUCCESS;
	return mems_new(hba, queue->table_mems, queue->depth, VS_TABLES_PER_MEM,
	    VS_TABLE_BYTES);
}

static void
queue_free(struct vs_queue *queue)
{
	for (unsigned int i = 0; i < ARRAY_LEN(queue->slot_mems); i++)
		vs_mem_free(&queue->slot_mems[i]);
	for (unsigned int i = 0; i < ARRAY_LEN(queue->table_mems); i++)
		vs_mem_free(&queue->table_mems[i]);
	vs_mem_free(&queue->ring_mem);
	cv_destroy(&queue->cv);
	mutex_destroy(&queue->lock);
}

/* locks first, so that freeing is the same from everywhere */
static void
queues_prepare(struct vs_hba *hba)
{
	hba->queues = kmem_zalloc(hba->nqueues * sizeof(*hba->queues), KM_SLEEP);
	for (unsigned int i = 0; i < hba->nqueues; i++) {
		struct vs_queue *queue = &hba->queues[i];

		queue->hba = hba;
		queue->number = (uint16_t)i;
		queue->index = (uint16_t)(VS_REQUEST_QUEUE + i);
		mutex_init(&queue->lock, NULL, MUTEX_DRIVER, NULL);
		cv_init(&queue->cv, NULL, CV_DRIVER, NULL);
	}
	mutex_init(&hba->control.lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&hba->control.cv, NULL, CV_DRIVER, NULL);
	mutex_init(&hba->events.lock, NULL, MUTEX_DRIVER, NULL);
}

int
vs_queues_new(struct vs_hba *hba)
{
	int want = ddi_prop_get_int(DDI_DEV_T_ANY, hba->dip, 0, "virtio-scsi-queues", 0);

	hba->nqueues = (unsigned int)num_min(hba->limits.queues,
	    want > 0 ? (unsigned int)want : (unsigned int)ncpus);
	queues_prepare(hba);
	if (ring_new(hba, &hba->control.ring, &hba->control.ring_mem, ring_size(hba,
	    VS_CONTROL_QUEUE, 64, CONTROL_STRIDE)) != DDI_SUCCESS ||
	    vs_mem_new(hba->dip, (size_t)VS_TMFS * CONTROL_BYTES, &hba->control.slot_mem) !=
	    DDI_SUCCESS)
		return DDI_FAILURE;
	if (ring_new(hba, &hba->events.ring, &hba->events.ring_mem, ring_size(hba,
	    VS_EVENT_QUEUE, 64, 1)) != DDI_SUCCESS || vs_mem_new(hba->dip,
	    (size_t)VS_EVENTS * VS_EVENT_BYTES, &hba->events.slot_mem) != DDI_SUCCESS)
		return DDI_FAILURE;
	if (vs_mem_new(hba->dip, (size_t)VS_SCAN_DEPTH * VS_SCAN_BYTES, &hba->scan_mem) !=
	    DDI_SUCCESS)
		return DDI_FAILURE;
	for (unsigned int i = 0; i < hba->nqueues; i++) {
		if (queue_new(hba, &hba->queues[i]) != DDI_SUCCESS)
			return DDI_FAILURE;
	}
	return DDI_SUCCESS;
}

void
vs_queues_free(struct vs_hba *hba)
{
	if (hba->queues == NULL)
		return;
	for (unsigned int i = 0; i < hba->nqueues; i++)
		queue_free(&hba->queues[i]);
	kmem_free(hba->queues, hba->nqueues * sizeof(*hba->queues));
	vs_mem_free(&hba->scan_mem);
	vs_mem_free(&hba->events.slot_mem);
	vs_mem_free(&hba->events.ring_mem);
	vs_mem_free(&hba->control.slot_mem);
	vs_mem_free(&hba->control.ring_mem);
	mutex_destroy(&hba->events.lock);
	cv_destroy(&hba->control.cv);
	mutex_destroy(&hba->control.lock);
}

static void
queue_clear(struct vs_queue *queue)
{
	mutex_enter(&queue->lock);
	queue->is_live = false;
	vs_ring_init(&queue->ring, queue->ring_mem.va, queue->ring.size,
	    queue->ring.has_event_idx);
	queue->nfree = 0;
	for (uint16_t slot = queue->depth; slot > 0; slot--) {
		queue->cmds[slot - 1] = NULL;
		queue->free[queue->nfree++] = slot - 1;
	}
	mutex_exit(&queue->lock);
}

void
vs_queues_clear(struct vs_hba *hba)
{
	for (unsigned int i = 0; i < hba->nqueues; i++)
		queue_clear(&hba->queues[i]);
	vs_control_clear(hba);
	mutex_enter(&hba->events.lock);
	hba->events.is_live = false;
	vs_ring_init(&hba->events.ring, hba->events.ring_mem.va, hba->events.ring.size,
	    hba->events.ring.has_event_idx);
	memset(hba->events.is_posted, 0, sizeof(hba->events.is_posted));
	mutex_exit(&hba->events.lock);
}

/*
 * To the device.
 */

static inline uint8_t *
slot_at(struct vs_queue *queue, uint16_t slot, uint64_t *ret_iova)
{
	const struct vs_mem *mem = &queue->slot_mems[slot / VS_SLOTS_PER_MEM];
	size_t off = (size_t)(slot % VS_SLOTS_PER_MEM) * VS_SLOT_BYTES;

	*ret_iova = mem->iova + off;
	return mem->va + off;
}

/* where the descriptors of a command with @n pieces go */
static inline struct vs_desc *
table_at(struct vs_queue *queue, uint16_t slot, unsigned int n, uint8_t *mem, uint64_t *iova)
{
	const struct vs_mem *table = &queue->table_mems[slot / VS_TABLES_PER_MEM];
	size_t off = (size_t)(slot % VS_TABLES_PER_MEM) * VS_TABLE_BYTES;

	if (queue->stride > 1)
		return &queue->ring.desc[slot * queue->stride];
	if (LIKELY(n + 2 <= VS_SLOT_DESCS)) {
		*iova += VS_SLOT_TABLE;
		return (struct vs_desc *)(void *)(mem + VS_SLOT_TABLE);
	}
	*iova = table->iova + off;
	return (struct vs_desc *)(void *)(table->va + off);
}

static inline uint64_t
slot_id(struct vs_queue *queue, uint16_t slot)
{
	/* a late abort of an earlier life of the slot must not meet this one */
	if (++queue->generations[slot] == 0)
		queue->generations[slot] = 1;
	return (uint64_t)queue->generations[slot] << 32 | (uint64_t)queue->number << 16 | slot;
}

bool
vs_queue_issue(struct vs_queue *queue, struct vs_cmd *cmd, const struct vs_order *order)
{
	struct vs_chain chain = {
		.request_bytes = VS_REQ_BYTES, .response_bytes = VS_RESP_BYTES,
		.cookies = order->cookies, .ncookies = order->ncookies,
		.is_read = order->is_read,
	};
	struct vs_desc *table;
	uint64_t iova;
	unsigned int n;
	uint16_t slot;
	uint8_t *mem;

	if (queue->nfree == 0)
		return false;
	slot = queue->free[--queue->nfree];
	mem = slot_at(queue, slot, &iova);
	chain.request_iova = iova + VS_SLOT_REQUEST;
	chain.response_iova = iova + VS_SLOT_RESPONSE;
	table = table_at(queue, slot, order->ncookies, mem, &iova);
	cmd->id = slot_id(queue, slot);
	vs_request_build(mem + VS_SLOT_REQUEST, order->lun, cmd->id, order->attr, order->cdb,
	    order->cdb_bytes);
	/* what the device does not write is no answer */
	memset(mem + VS_SLOT_RESPONSE, 0, VS_RESP_RESPONSE);
	mem[VS_SLOT_RESPONSE + VS_RESP_RESPONSE] = VS_RESPONSE_NONE;
	n = vs_chain_build(table, queue->stride == 1 ? 0 : (uint16_t)(slot * queue->stride),
	    &chain);
	if (LIKELY(queue->stride == 1))
		queue->ring.desc[slot] = (struct vs_desc){ .iova = iova,
		    .len = n * (uint32_t)sizeof(*table), .flags = VS_DESC_INDIRECT };
	queue->cmds[slot] = cmd;
	vs_ring_put(&queue->ring, (uint16_t)(slot * queue->stride));
	return true;
}

static void
queue_kick(struct vs_queue *queue)
{
	ddi_put16(queue->hba->blocks[VS_BLOCK_NOTIFY].acc, queue->doorbell, queue->index);
}

void
vs_queue_leave(struct vs_queue *queue)
{
	bool want = false;

	if (batching == queue->hba)
		atomic_store_explicit(&queue->want_kick, true, memory_order_relaxed);
	else
		want = queue->is_live && vs_ring_want_kick(&queue->ring);
	mutex_exit(&queue->lock);
	if (want)
		queue_kick(queue);
}

struct vs_hba *
vs_batch_begin(struct vs_hba *hba)
{
	struct vs_hba *outer = batching;

	batching = hba;
	return outer;
}

void
vs_batch_end(struct vs_hba *hba, struct vs_hba *outer)
{
	batching = outer;
	if (outer == hba)
		return;
	for (unsigned int i = 0; i < hba->nqueues; i++) {
		struct vs_queue *queue = &hba->queues[i];

		if (!atomic_load_explicit(&queue->want_kick, memory_order_relaxed))
			continue;
		mutex_enter(&queue->lock);
		atomic_store_explicit(&queue->want_kick, false, memory_order_relaxed);
		vs_queue_leave(queue);
	}
}

/*
 * And back.
 */

/* the slot whose chain begins at @head; depth: there is none, or nobody gave it */
static inline uint16_t
slot_of(const struct vs_queue *queue, uint16_t head)
{
	uint16_t slot = head;

	if (UNLIKELY(queue->stride > 1)) {
		if (head % queue->stride != 0)
			return queue->depth;
		slot = head / queue->stride;
	}
	return slot < queue->depth && queue->cmds[slot] != NULL ? slot : queue->depth;
}

/* one command that has come back: 1; 0 there is none; -EPROTO that cannot be */
static int
queue_take(struct vs_queue *queue, struct vs_cmd_list *list)
{
	struct vs_cmd *cmd;
	uint16_t head, slot;
	uint64_t iova;
	int r;

	r = vs_ring_get(&queue->ring, &head);
	if (r <= 0)
		return r;
	slot = slot_of(queue, head);
	if (slot == queue->depth)
		return -EPROTO;
	cmd = STEAL(queue->cmds[slot]);
	r = vs_cmd_fill(queue->hba, cmd, slot_at(queue, slot, &iova) + VS_SLOT_RESPONSE);
	queue->free[queue->nfree++] = slot;
	STAILQ_INSERT_TAIL(list, cmd, link);
	return r < 0 ? r : 1;
}

bool
vs_queue_reap(struct vs_queue *queue, unsigned int *ret_n)
{
	struct vs_cmd_list list = STAILQ_HEAD_INITIALIZER(list);
	unsigned int n = 0;
	int r = 0;

	mutex_enter(&queue->lock);
	do {
		while (queue->is_live && n < VS_BUDGET && (r = queue_take(queue, &list)) > 0)
			n++;
	} while (queue->is_live && r == 0 && n < VS_BUDGET && vs_ring_arm(&queue->ring));
	if (r < 0)
		queue->is_live = false;
	if (UNLIKELY(vs_state(queue->hba) != VS_READY) && queue->nfree == queue->depth)
		cv_broadcast(&queue->cv);
	mutex_exit(&queue->lock);
	if (r < 0)
		vs_fail(queue->hba, VS_WHY_LIED);
	vs_deliver(&list);
	*ret_n = n;
	return n == VS_BUDGET;
}

void
vs_reap_all(struct vs_hba *hba)
{
	struct vs_hba *outer = vs_batch_begin(hba);
	unsigned int n;

	for (unsigned int i = 0; i < hba->nqueues; i++) {
		while (vs_queue_reap(&hba->queues[i], &n))
			continue;
	}
	vs_batch_end(hba, outer);
}

void
vs_deliver(struct vs_cmd_list *list)
{
	struct vs_cmd *cmd;

	while ((cmd = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, link);
		if (UNLIKELY(cmd->pkt == NULL))
			cmd->done(cmd);
		else if (UNLIKELY(cmd->is_polled))
			atomic_store_explicit(&cmd->is_done, true, memory_order_release);
		else
			scsi_hba_pkt_comp(cmd->pkt);
	}
}

uint64_t
vs_queue_find(struct vs_hba *hba, const struct vs_cmd *cmd)
{
	uint64_t id = 0;

	for (unsigned int i = 0; i < hba->nqueues && id == 0; i++) {
		struct vs_queue *queue = &hba->queues[i];

		mutex_enter(&queue->lock);
		for (uint16_t slot = 0; slot < queue->depth && id == 0; slot++) {
			if (queue->cmds[slot] == cmd)
				id = cmd->id;
		}
		mutex_exit(&queue->lock);
	}
	return id;
}

bool
vs_queue_has(struct vs_hba *hba, uint64_t id)
{
	struct vs_queue *queue = &hba->queues[id >> 16 & 0xffff];
	const struct vs_cmd *cmd;
	bool has;

	mutex_enter(&queue->lock);
	cmd = queue->cmds[id & 0xffff];
	has = cmd != NULL && cmd->id == id;
	mutex_exit(&queue->lock);
	return has;
}

void
vs_queue_lun(struct vs_queue *queue, uint16_t slot, uint8_t ret_wire[8])
{
	uint64_t iova;

	memcpy(ret_wire, slot_at(queue, slot, &iova) + VS_SLOT_REQUEST + VS_REQ_LUN, 8);
}

void
vs_queue_take_all(struct vs_queue *queue, struct vs_cmd_list *list)
{
	mutex_enter(&queue->lock);
	queue->is_live = false;
	for (uint16_t slot = 0; slot < queue->depth; slot++) {
		if (queue->cmds[slot] == NULL)
			continue;
		STAILQ_INSERT_TAIL(list, queue->cmds[slot], link);
		queue->cmds[slot] = NULL;
		queue->free[queue->nfree++] = slot;
	}
	cv_broadcast(&queue->cv);
	mutex_exit(&queue->lock);
}
