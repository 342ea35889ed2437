/* interrupts and completion: from the device's answer to the packet's result */
#include "hw/virtio_scsi/virtio_scsi.h"

#include <errno.h>
#include <string.h>

#define ROUNDS		16	/* of VS_BUDGET completions; then others on this loop */
#define LOOK_EVERY	64	/* idle interrupts until the next look at the registers */

/*
 * Results.
 */

/* sense into the status block, as if a REQUEST SENSE had been run */
static void
arq_fill(struct scsi_pkt *pkt, const uint8_t *sense, size_t len)
{
	struct scsi_arq_status *arq = (struct scsi_arq_status *)(void *)pkt->pkt_scbp;
	size_t room = pkt->pkt_scblen - offsetof(struct scsi_arq_status, sts_sensedata);
	uint8_t *data = (uint8_t *)&arq->sts_sensedata;

	if (room > MAX_SENSE_LENGTH)
		room = MAX_SENSE_LENGTH;
	if (len > room)
		len = room;
	memcpy(data, sense, len);
	memset(data + len, 0, room - len);
	memset(&arq->sts_rqpkt_status, 0, sizeof(arq->sts_rqpkt_status));
	arq->sts_rqpkt_reason = CMD_CMPLT;
	arq->sts_rqpkt_resid = (uchar_t)(room - len);
	arq->sts_rqpkt_state = STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD |
	    STATE_XFERRED_DATA | STATE_GOT_STATUS;
	arq->sts_rqpkt_statistics = 0;
	pkt->pkt_state |= STATE_ARQ_DONE;
	if (pkt->pkt_scblen > sizeof(*arq))
		pkt->pkt_state |= STATE_XARQ_DONE;
}

static void
pkt_fill(struct scsi_pkt *pkt, const struct vs_result *result, const uint8_t *response)
{
	pkt->pkt_reason = result->reason;
	pkt->pkt_state = result->state;
	pkt->pkt_statistics = result->stats;
	pkt->pkt_resid = (ssize_t)result->resid;
	if ((result->state & STATE_GOT_STATUS) == 0)
		return;
	if (pkt->pkt_scblen > 0)
		pkt->pkt_scbp[0] = result->status;
	if (UNLIKELY(result->sense_bytes > 0) &&
	    pkt->pkt_scblen >= sizeof(struct scsi_arq_status))
		arq_fill(pkt, response + VS_RESP_SENSE, result->sense_bytes);
}

/* the device has dropped a command that nobody wanted dropped: has its unit left? */
static void
result_of_leaving(struct vs_hba *hba, struct vs_cmd *cmd, struct vs_result *result)
{
	if (result->reason != CMD_ABORTED)
		return;
	/* the news has been sent before, but on another queue */
	(void)vs_events_reap(hba);
	if (!atomic_load(&hba->targets[cmd->target].is_leaving))
		return;
	result->reason = CMD_DEV_GONE;
	result->stats = 0;
}

int
vs_cmd_fill(struct vs_hba *hba, struct vs_cmd *cmd, const uint8_t *response)
{
	struct vs_target *target = &hba->targets[cmd->target];
	uint8_t head[VS_RESP_SENSE];
	struct vs_result result;
	struct vs_fate fate = {
		.data_bytes = cmd->data_bytes,
		.is_expired = cmd->is_expired,
		.was_known = atomic_load_explicit(&target->was_known, memory_order_relaxed),
		.is_bus_reset =
		    atomic_load_explicit(&hba->bus_resets, memory_order_relaxed) > 0,
	};

	memcpy(head, response, sizeof(head));
	if (vs_response_judge(head, &fate, &result) < 0) {
		vs_cmd_fill_end(cmd, CMD_TRAN_ERR, 0);
		return -EPROTO;
	}
	if (UNLIKELY(!fate.was_known) && (result.state & STATE_GOT_STATUS) != 0)
		atomic_store(&target->was_known, true);
	if (UNLIKELY(result.was_clamped))
		(void)atomic_fetch_add(&hba->counts.clamped, 1);
	if (UNLIKELY(result.reason != CMD_CMPLT))
		result_of_leaving(hba, cmd, &result);
	if (UNLIKELY(cmd->pkt == NULL))
		cmd->result = result;
	else
		pkt_fill(cmd->pkt, &result, response);
	return 0;
}

void
vs_cmd_fill_end(struct vs_cmd *cmd, uint8_t reason, unsigned int stats)
{
	struct vs_result result = {
		.reason = reason,
		.stats = stats,
		.state = reason == CMD_TRAN_ERR ? STATE_GOT_BUS : reason == CMD_DEV_GONE ? 0 :
		    STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD,
		.resid = cmd->data_bytes,
	};

	if (cmd->is_expired && reason != CMD_DEV_GONE) {
		result.reason = CMD_TIMEOUT;
		result.stats |= STAT_TIMEOUT;
	}
	if (cmd->pkt == NULL)
		cmd->result = result;
	else
		pkt_fill(cmd->pkt, &result, NULL);
}

/*
 * Interrupts.
 */

/* the device goes on with what was submitted in one round while we are at the next */
static bool
reap_queue(struct vs_queue *queue, unsigned int *total)
{
	struct vs_hba *hba = queue->hba;
	bool has_more = true;
	unsigned int n;

	for (int round = 0; round < ROUNDS && has_more; round++) {
		struct vs_hba *outer = vs_batch_begin(hba);

		has_more = vs_queue_reap(queue, &n);
		vs_batch_end(hba, outer);
		*total += n;
	}
	return has_more;
}

static bool
reap_queues(struct vs_vector *v, bool *ret_more)
{
	struct vs_hba *hba = v->hba;
	unsigned int total = 0;

	for (unsigned int i = 0; i < hba->nqueues; i++) {
		if ((v->queues & 1u << i) != 0 && reap_queue(&hba->queues[i], &total))
			*ret_more = true;
	}
	return total > 0;
}

void
vs_look(struct vs_hba *hba)
{
	uint64_t before = atomic_load(&hba->counts.failures);
	uint8_t status;

	if (vs_state(hba) != VS_READY && vs_state(hba) != VS_HELD)
		return;
	status = vs_status(hba);
	/* recovered meanwhile: what was read is of a device that was being built anew */
	if (before != atomic_load(&hba->counts.failures))
		return;
	if (status == VS_STATUS_GONE)
		vs_fail(hba, VS_WHY_GONE);
	else if ((status & VS_STATUS_NEEDS_RESET) != 0 || (status & VS_STATUS_DRIVER_OK) == 0)
		vs_fail(hba, VS_WHY_WANTS_RESET);
}

/* an interrupt for nothing is legal, and may be how the bus says that the device has left; too
 * many are a fault of it */
static void
intr_was_idle(struct vs_vector *v)
{
	struct vs_hba *hba = v->hba;
	unsigned int n = atomic_fetch_add(&v->idle, 1);

	(void)atomic_fetch_add_explicit(&hba->counts.spurious, 1, memory_order_relaxed);
	vs_watch_need(hba);
	if (v->has_config || n % LOOK_EVERY == 0)
		vs_look(hba);
	if (n == VS_IDLE_INTRS_MAX)
		vs_fail(hba, VS_WHY_STORM);
}

/* false: the line is another's, or nobody's */
static bool
isr_is_ours(struct vs_hba *hba)
{
	const struct vs_block_map *map = &hba->blocks[VS_BLOCK_ISR];
	uint8_t isr = ddi_get8(map->acc, map->base);

	if (isr == 0)
		return false;
	if ((isr & ~VS_ISR_QUEUE) != 0)
		vs_look(hba);
	return true;
}

static uint_t
vs_intr(caddr_t arg1, caddr_t arg2)
{
	struct vs_vector *v = (struct vs_vector *)(void *)arg1;
	struct vs_hba *hba = v->hba;
	bool did = false, has_more = false;

	(void)arg2;
	if (hba->intr_type == DDI_INTR_TYPE_FIXED && !isr_is_ours(hba))
		return DDI_INTR_UNCLAIMED;
	if (v->queues != 0)
		did = reap_queues(v, &has_more);
	if (v->has_control)
		did = vs_control_reap(hba) > 0 || did;
	if (v->has_events)
		did = vs_events_reap(hba) > 0 || did;
	if (has_more)
		scsad_intr_trigger(v->handle);
	if (UNLIKELY(!did))
		intr_was_idle(v);
	return DDI_INTR_CLAIMED;
}

/*
 * Vectors.
 */

/* request queue i has vector i, which the dispatcher gives to loop i; the rest comes behind */
static void
vectors_share(struct vs_hba *hba, unsigned int n)
{
	unsigned int nq = hba->nqueues, last = n - 1;

	hba->nvectors = n;
	for (unsigned int i = 0; i < n; i++) {
		hba->vectors[i].queues = 0;
		hba->vectors[i].has_control = i == (n >= nq + 3 ? nq : last);
		hba->vectors[i].has_events = i == (n >= nq + 3 ? nq + 1 : last);
		hba->vectors[i].has_config = i == last;
	}
	if (n == 1)
		last = 1;
	for (unsigned int i = 0; i < nq; i++)
		hba->vectors[n >= nq + 1 ? i : i % last].queues |= 1u << i;
}

static int
vector_open(struct vs_hba *hba, struct vs_vector *v)
{
	v->hba = hba;
	atomic_store(&v->idle, 0);
	if (ddi_intr_add_handler(v->handle, vs_intr, v, NULL) != DDI_SUCCESS)
		return DDI_FAILURE;
	v->has_handler = true;
	return DDI_SUCCESS;
}

/* @count vectors of @type, or fewer */
static int
vectors_alloc(struct vs_hba *hba, int type, unsigned int count)
{
	ddi_intr_handle_t handles[VS_VECTORS_MAX];
	int actual;

	if (ddi_intr_alloc(hba->dip, handles, type, 0, (int)count, &actual,
	    DDI_INTR_ALLOC_NORMAL) != DDI_SUCCESS)
		return DDI_FAILURE;
	hba->intr_type = type;
	vectors_share(hba, (unsigned int)actual);
	for (int i = 0; i < actual; i++)
		hba->vectors[i].handle = handles[i];
	for (int i = 0; i < actual; i++) {
		if (vector_open(hba, &hba->vectors[i]) != DDI_SUCCESS)
			return DDI_FAILURE;
	}
	return ddi_intr_block_enable(handles, actual);
}

int
vs_intr_open(struct vs_hba *hba, bool want_few)
{
	int types, r = DDI_FAILURE;

	if (ddi_intr_get_supported_types(hba->dip, &types) != DDI_SUCCESS)
		return DDI_FAILURE;
	if ((types & DDI_INTR_TYPE_MSIX) != 0) {
		r = vectors_alloc(hba, DDI_INTR_TYPE_MSIX, want_few ? 1 : hba->nqueues + 3);
		if (r != DDI_SUCCESS)
			vs_intr_close(hba);
	}
	/* virtio knows no MSI: MSI-X or the line */
	if (r != DDI_SUCCESS && (types & DDI_INTR_TYPE_FIXED) != 0) {
		r = vectors_alloc(hba, DDI_INTR_TYPE_FIXED, 1);
		if (r != DDI_SUCCESS)
			vs_intr_close(hba);
	}
	return r;
}

void
vs_intr_off(struct vs_hba *hba)
{
	for (unsigned int i = 0; i < hba->nvectors; i++)
		(void)ddi_intr_disable(hba->vectors[i].handle);
}

void
vs_intr_close(struct vs_hba *hba)
{
	for (unsigned int i = 0; i < hba->nvectors; i++) {
		struct vs_vector *v = &hba->vectors[i];

		if (v->has_handler) {
			(void)ddi_intr_disable(v->handle);
			(void)ddi_intr_remove_handler(v->handle);
		}
		(void)ddi_intr_free(v->handle);
		v->has_handler = false;
	}
	hba->nvectors = 0;
}
