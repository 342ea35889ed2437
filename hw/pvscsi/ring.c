/* rings and tags: arithmetic on shared memory, without a chip */
#include "hw/pvscsi/pvscsi.h"

#include <errno.h>
#include <string.h>

void
tags_init(struct pvscsi_tags *tags, struct pvscsi_slot *slots, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		slots[i] = (struct pvscsi_slot){ .next = i + 1 };
	*tags = (struct pvscsi_tags){ .slots = slots, .n = n };
}

uint32_t
tags_take(struct pvscsi_tags *tags, struct pvscsi_cmd *cmd)
{
	uint32_t i = tags->free_head;
	struct pvscsi_slot *slot;

	if (i >= tags->n)
		return 0;
	slot = &tags->slots[i];
	tags->free_head = slot->next;
	tags->used++;
	slot->cmd = cmd;
	slot->generation++;
	return slot->generation << PVSCSI_SLOT_BITS | (i + 1);
}

struct pvscsi_cmd *
tags_find(const struct pvscsi_tags *tags, uint64_t context)
{
	uint32_t i = tags_slot((uint32_t)context);
	const struct pvscsi_slot *slot;

	if (i >= tags->n)
		return NULL;
	slot = &tags->slots[i];
	if (context != (slot->generation << PVSCSI_SLOT_BITS | (i + 1)))
		return NULL;
	return slot->cmd;
}

void
tags_drop(struct pvscsi_tags *tags, uint32_t context)
{
	uint32_t i = tags_slot(context);

	tags->slots[i].cmd = NULL;
	tags->slots[i].next = tags->free_head;
	tags->free_head = i;
	tags->used--;
}

/* an index the chip writes: what is in the ring up to it is written, too */
static uint32_t
index_load(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void
index_store(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

void
rings_zero(struct pvscsi_rings *rings)
{
	memset(rings->state, 0, PV_PAGE);
	memset(rings->req, 0, rings->req_entries * sizeof(struct pv_req));
	memset(rings->cmp, 0, rings->cmp_entries * sizeof(struct pv_cmp));
	if (rings->msg != NULL)
		memset(rings->msg, 0, rings->msg_entries * sizeof(struct pv_msg));
	rings->req_prod = rings->cmp_cons = rings->msg_cons = 0;
}

bool
rings_agree(const struct pvscsi_rings *rings)
{
	uint32_t req = index_load(&rings->state->req_log2);
	uint32_t cmp = index_load(&rings->state->cmp_log2);

	return req < 32 && cmp < 32 && 1u << req == rings->req_entries &&
	    1u << cmp == rings->cmp_entries;
}

void
ring_post(struct pvscsi_rings *rings, const struct pv_req *req)
{
	rings->req[rings->req_prod & (rings->req_entries - 1)] = *req;
	index_store(&rings->state->req_prod, ++rings->req_prod);
}

int
ring_cmp_next(struct pvscsi_rings *rings, uint32_t out, struct pv_cmp *ret)
{
	uint32_t ready = index_load(&rings->state->cmp_prod) - rings->cmp_cons;

	if (ready == 0)
		return 0;
	if (ready > out)
		return -EPROTO;
	memcpy(ret, &rings->cmp[rings->cmp_cons & (rings->cmp_entries - 1)], sizeof(*ret));
	index_store(&rings->state->cmp_cons, ++rings->cmp_cons);
	return 1;
}

int
ring_msg_next(struct pvscsi_rings *rings, struct pv_msg *ret, bool *ret_lost)
{
	uint32_t ready;

	if (rings->msg == NULL)
		return 0;
	ready = index_load(&rings->state->msg_prod) - rings->msg_cons;
	if (ready == 0)
		return 0;
	if (ready > rings->msg_entries)
		return -EPROTO;
	memcpy(ret, &rings->msg[rings->msg_cons & (rings->msg_entries - 1)], sizeof(*ret));
	*ret_lost = ready == rings->msg_entries;
	index_store(&rings->state->msg_cons, ++rings->msg_cons);
	return 1;
}

uint64_t
sg_build(struct pv_sge *table, const ddi_dma_cookie_t *cookies, uint_t n, uint64_t bytes,
    uint32_t *ret_n)
{
	uint64_t done = 0;
	uint32_t k = 0;

	for (uint_t i = 0; i < n && done < bytes; i++) {
		uint64_t len = cookies[i].dmac_size;

		if (len > bytes - done)
			len = bytes - done;
		if (len == 0)
			continue;
		table[k++] = (struct pv_sge){
			.iova = cookies[i].dmac_laddress, .len = (uint32_t)len };
		done += len;
	}
	*ret_n = k;
	return done;
}
