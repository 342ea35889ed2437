/* messages as bytes, and what an answer means */
#include "hw/virtio_scsi/layout.h"

#include <errno.h>
#include <string.h>
#include <sys/scsi/scsi.h>

#include "base/bytes.h"

#define STATE_SENT	(STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD)
#define LUN_FLAT	0x40

void
vs_lun_put(uint8_t wire[8], uint8_t target, uint16_t lun)
{
	memset(wire, 0, 8);
	wire[0] = 1;
	wire[1] = target;
	/* peripheral form would do below 256; everybody sends this one */
	wire[2] = (uint8_t)(LUN_FLAT | lun >> 8);
	wire[3] = (uint8_t)lun;
}

bool
vs_lun_get(const uint8_t wire[8], uint8_t *ret_target, uint16_t *ret_lun)
{
	if (wire[0] != 1 || (wire[2] & 0xc0) > LUN_FLAT)
		return false;
	*ret_target = wire[1];
	*ret_lun = be16_get(wire + 2) & VS_LUN_MAX;
	return true;
}

void
vs_request_build(uint8_t *mem, const uint8_t lun[8], uint64_t id, uint8_t attr,
    const uint8_t *cdb, size_t cdb_bytes)
{
	memcpy(mem + VS_REQ_LUN, lun, 8);
	le64_put(mem + VS_REQ_ID, id);
	mem[VS_REQ_ATTR] = attr;
	mem[VS_REQ_PRIO] = 0;
	mem[VS_REQ_CRN] = 0;
	memcpy(mem + VS_REQ_CDB, cdb, cdb_bytes);
	memset(mem + VS_REQ_CDB + cdb_bytes, 0, VS_CDB_BYTES - cdb_bytes);
}

void
vs_tmf_build(uint8_t *mem, const uint8_t lun[8], enum vs_tmf_subtype subtype, uint64_t tag)
{
	le32_put(mem + VS_TMF_TYPE, 0);
	le32_put(mem + VS_TMF_SUBTYPE, subtype);
	memcpy(mem + VS_TMF_LUN, lun, 8);
	le64_put(mem + VS_TMF_TAG, tag);
}

struct chain_writer {
	struct vs_desc *table;
	uint16_t first;
	unsigned int n;
};

static inline void
chain_add(struct chain_writer *w, uint64_t iova, size_t len, uint16_t flags)
{
	w->table[w->n] = (struct vs_desc){
		.iova = iova,
		.len = (uint32_t)len,
		.flags = flags | VS_DESC_NEXT,
		.next = (uint16_t)(w->first + w->n + 1),
	};
	w->n++;
}

static inline void
chain_add_data(struct chain_writer *w, const struct vs_chain *chain, uint16_t flags)
{
	for (unsigned int i = 0; i < chain->ncookies; i++)
		chain_add(w, chain->cookies[i].dmac_laddress, chain->cookies[i].dmac_size,
		    flags);
}

unsigned int
vs_chain_build(struct vs_desc *table, uint16_t first, const struct vs_chain *chain)
{
	struct chain_writer w = { .table = table, .first = first };

	/* 5.6.6.1.1: request, data out, response, data in */
	chain_add(&w, chain->request_iova, chain->request_bytes, 0);
	if (!chain->is_read)
		chain_add_data(&w, chain, 0);
	chain_add(&w, chain->response_iova, chain->response_bytes, VS_DESC_WRITE);
	if (chain->is_read)
		chain_add_data(&w, chain, VS_DESC_WRITE);
	table[w.n - 1].flags &= (uint16_t)~VS_DESC_NEXT;
	table[w.n - 1].next = 0;
	return w.n;
}

/* what each answer means, unless the moment gives it another meaning */
static const struct {
	uint8_t reason, status;
	unsigned int state, stats;
} results[VS_RESPONSE_N] = {
	[VS_RESPONSE_OK] = { .reason = CMD_CMPLT, .state = STATE_SENT | STATE_GOT_STATUS },
	[VS_RESPONSE_OVERRUN] = { .reason = CMD_DATA_OVR,
	    .state = STATE_SENT | STATE_XFERRED_DATA },
	[VS_RESPONSE_ABORTED] = { .reason = CMD_ABORTED, .state = STATE_SENT,
	    .stats = STAT_ABORTED },
	[VS_RESPONSE_BAD_TARGET] = { .reason = CMD_INCOMPLETE, .state = STATE_GOT_BUS },
	[VS_RESPONSE_RESET] = { .reason = CMD_RESET, .state = STATE_SENT,
	    .stats = STAT_DEV_RESET },
	/* it did not run */
	[VS_RESPONSE_BUSY] = { .reason = CMD_CMPLT, .status = STATUS_BUSY,
	    .state = STATE_SENT | STATE_GOT_STATUS },
	[VS_RESPONSE_TRANSPORT_FAILURE] = { .reason = CMD_TRAN_ERR, .state = STATE_GOT_BUS },
	[VS_RESPONSE_TARGET_FAILURE] = { .reason = CMD_TRAN_ERR, .state = STATE_GOT_BUS },
	[VS_RESPONSE_NEXUS_FAILURE] = { .reason = CMD_CMPLT,
	    .status = STATUS_RESERVATION_CONFLICT, .state = STATE_SENT | STATE_GOT_STATUS },
	[VS_RESPONSE_FAILURE] = { .reason = CMD_TRAN_ERR, .state = STATE_GOT_BUS },
	[VS_RESPONSE_TMF_SUCCEEDED] = { .reason = CMD_TRAN_ERR, .state = STATE_GOT_BUS },
	[VS_RESPONSE_TMF_REJECTED] = { .reason = CMD_TRAN_ERR, .state = STATE_GOT_BUS },
	[VS_RESPONSE_INCORRECT_LUN] = { .reason = CMD_INCOMPLETE, .state = STATE_GOT_BUS },
};

/* the answer is complete: status, residual and sense count */
static int
judge_ok(const uint8_t *head, const struct vs_fate *fate, struct vs_result *result)
{
	uint32_t resid = le32_get(head + VS_RESP_RESIDUAL);
	uint32_t sense = le32_get(head + VS_RESP_SENSE_LEN);

	/* one below zero is honest: the buffer was longer than the command, and the device has
	 * filled, or emptied, all of it */
	result->was_clamped = (int32_t)resid < 0;
	if (result->was_clamped)
		resid = 0;
	if (sense > VS_SENSE_BYTES || resid > fate->data_bytes)
		return -EPROTO;
	result->status = head[VS_RESP_STATUS];
	result->resid = resid;
	if (result->resid < fate->data_bytes)
		result->state |= STATE_XFERRED_DATA;
	if (result->status == STATUS_CHECK)
		result->sense_bytes = sense;
	return 0;
}

/* why it ended early depends on who wanted it */
static void
judge_early(unsigned int response, const struct vs_fate *fate, struct vs_result *result)
{
	if (response == VS_RESPONSE_RESET && fate->is_bus_reset)
		result->stats = STAT_BUS_RESET;
	if ((response == VS_RESPONSE_ABORTED || response == VS_RESPONSE_RESET) &&
	    fate->is_expired) {
		result->reason = CMD_TIMEOUT;
		result->stats |= STAT_TIMEOUT;
	}
	if (result->reason == CMD_INCOMPLETE && fate->was_known)
		result->reason = CMD_DEV_GONE;
	if (response == VS_RESPONSE_OVERRUN)
		result->resid = 0;
}

int
vs_response_judge(const uint8_t head[VS_RESP_SENSE], const struct vs_fate *fate,
    struct vs_result *ret)
{
	unsigned int response = head[VS_RESP_RESPONSE];

	/* one that we do not know, or none at all */
	if (response >= VS_RESPONSE_N)
		response = VS_RESPONSE_FAILURE;
	*ret = (struct vs_result){
		.reason = results[response].reason,
		.status = results[response].status,
		.state = results[response].state,
		.stats = results[response].stats,
		.resid = fate->data_bytes,
	};
	if (LIKELY(response == VS_RESPONSE_OK))
		return judge_ok(head, fate, ret);
	judge_early(response, fate, ret);
	return 0;
}

void
vs_event_read(const uint8_t mem[VS_EVENT_BYTES], struct vs_event *ret)
{
	uint32_t event = le32_get(mem + VS_EVENT_EVENT), kind = event & ~VS_EVENT_MISSED;

	*ret = (struct vs_event){
		.kind = kind <= VS_EVENT_PARAM_CHANGE ?
		    (enum vs_event_kind)kind : VS_EVENT_NONE,
		.was_missed = (event & VS_EVENT_MISSED) != 0,
		.reason = le32_get(mem + VS_EVENT_REASON),
	};
	ret->has_lun = vs_lun_get(mem + VS_EVENT_LUN, &ret->target, &ret->lun);
}
