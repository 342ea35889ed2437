/* tran_start: from packet to request frame; the slots that frames belong to */
#include "hw/mptsas/mptsas.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"

#define POLL_STEP_US	5

/*
 * Slots. The free list is a chain of indexes, because it is foreign to nobody: the chip never
 * sees it.
 */

int
mptsas_slots_open(struct mptsas_hba *hba)
{
	uint32_t n = hba->layout.nslots;

	hba->slots = kmem_zalloc(n * sizeof(*hba->slots), KM_NOSLEEP);
	if (hba->slots == NULL)
		return -ENOMEM;
	for (uint32_t i = RING_SLOT_COMMANDS; i + 1 < n; i++)
		hba->slots[i].next = (uint16_t)(i + 1);
	hba->free_head = RING_SLOT_COMMANDS;
	return 0;
}

void
mptsas_slots_close(struct mptsas_hba *hba)
{
	if (hba->slots != NULL)
		kmem_free(hba->slots, hba->layout.nslots * sizeof(*hba->slots));
	hba->slots = NULL;
}

/* lock held; there is a free one */
static uint32_t
slot_take(struct mptsas_hba *hba, struct mptsas_cmd *cmd)
{
	uint32_t i = hba->free_head;
	struct mptsas_slot *slot = &hba->slots[i];

	hba->free_head = slot->next;
	slot->gen = (uint16_t)(slot->gen % RING_GEN_MAX + 1);
	slot->cmd = cmd;
	hba->active++;
	cmd->context = mpt_ring_context(hba->epoch, slot->gen, i);
	return i;
}

struct mptsas_cmd *
mptsas_slot_take_back(struct mptsas_hba *hba, uint32_t i)
{
	struct mptsas_slot *slot = &hba->slots[i];
	struct mptsas_cmd *cmd = slot->cmd;

	slot->cmd = NULL;
	slot->next = hba->free_head;
	hba->free_head = (uint16_t)i;
	cmd->lu->target->active--;
	hba->active--;
	if (UNLIKELY(hba->nwaiting > 0))
		cv_broadcast(&hba->cv);
	return cmd;
}

/*
 * Packets.
 */

int
mptsas_setup_pkt(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg)
{
	(void)pkt;
	(void)callback;
	(void)arg;
	return 0;
}

void
mptsas_teardown_pkt(struct scsi_pkt *pkt)
{
	(void)pkt;
}

static void
cmd_prepare(struct mptsas_lu *lu, struct scsi_pkt *pkt, struct mptsas_cmd *cmd)
{
	uint32_t len = 0;

	for (uint_t i = 0; i < pkt->pkt_numcookies; i++)
		len += (uint32_t)pkt->pkt_cookies[i].dmac_size;
	pkt->pkt_reason = CMD_CMPLT;
	pkt->pkt_state = 0;
	pkt->pkt_statistics = 0;
	pkt->pkt_resid = (ssize_t)len;
	if (pkt->pkt_scblen > 0)
		pkt->pkt_scbp[0] = STATUS_GOOD;
	*cmd = (struct mptsas_cmd){
		.pkt = pkt, .lu = lu, .len = len, .why = CMD_CMPLT,
		.is_polled = (pkt->pkt_flags & FLAG_NOINTR) != 0,
	};
	if (pkt->pkt_time != 0)
		cmd->deadline_ns = clock_now_ns() + pkt->pkt_time * NS_PER_S;
}

static uint32_t
pkt_control(const struct scsi_pkt *pkt)
{
	uint32_t control = MPT_CONTROL_UNTAGGED;

	if ((pkt->pkt_flags & FLAG_HTAG) != 0)
		control = MPT_CONTROL_HEAD;
	else if ((pkt->pkt_flags & FLAG_OTAG) != 0)
		control = MPT_CONTROL_ORDERED;
	else if ((pkt->pkt_flags & FLAG_STAG) != 0)
		control = MPT_CONTROL_SIMPLE;
	if (pkt->pkt_numcookies != 0)
		control |= (pkt->pkt_dma_flags & DDI_DMA_READ) != 0 ? MPT_CONTROL_READ :
		    MPT_CONTROL_WRITE;
	return control;
}

/* into the frame of slot @i; 0, or what mpt_ring_io_write() says of the packet */
static int
frame_write(struct mptsas_hba *hba, uint32_t i, const struct mptsas_cmd *cmd)
{
	const struct ring_layout *l = &hba->layout;
	const struct scsi_pkt *pkt = cmd->pkt;
	uint32_t route = atomic_load(&cmd->lu->target->route);
	struct ring_place place = {
		.frame = hba->pool.mem + mpt_ring_frame_off(l, i),
		.chains = hba->pool.mem + mpt_ring_chain_off(l, i),
		.chains_iova = hba->pool.iova + mpt_ring_chain_off(l, i),
	};
	struct ring_io io = {
		.context = cmd->context,
		.bus = (uint8_t)(route >> 8), .target = (uint8_t)route,
		.lun = cmd->lu->lun,
		.cdb = pkt->pkt_cdbp, .cdb_len = (uint8_t)pkt->pkt_cdblen,
		.control = pkt_control(pkt),
		.sense_len = RING_SENSE_LEN,
		.sense_low = (uint32_t)(hba->pool.iova + mpt_ring_sense_off(l, i)),
		.cookies = pkt->pkt_cookies, .ncookies = pkt->pkt_numcookies,
		.is_write = pkt->pkt_numcookies != 0 &&
		    (pkt->pkt_dma_flags & DDI_DMA_READ) == 0,
		.is_1078 = hba->device == MPT_DEV_1078,
	};

	return mpt_ring_io_write(l, &place, &io);
}

/* lock held: TRAN_ACCEPT, or not now */
static int
start_admit(struct mptsas_hba *hba, const struct mptsas_target *target)
{
	if (hba->state != MPTSAS_READY || hba->is_quiesced || target->is_moving ||
	    target->active >= target->throttle || hba->free_head == 0)
		return TRAN_BUSY;
	return TRAN_ACCEPT;
}

static int
start_take(struct mptsas_hba *hba, struct mptsas_cmd *cmd, uint32_t *ret_slot)
{
	struct mptsas_target *target = cmd->lu->target;
	int r;

	mutex_enter(&hba->lock);
	r = start_admit(hba, target);
	if (r == TRAN_ACCEPT) {
		target->active++;
		*ret_slot = slot_take(hba, cmd);
		hba->was_busy = true;
		if (cmd->deadline_ns != 0 && (hba->next_deadline_ns == 0 ||
		    cmd->deadline_ns < hba->next_deadline_ns))
			hba->next_deadline_ns = cmd->deadline_ns;
	}
	mutex_exit(&hba->lock);
	return r;
}

static void
start_undo(struct mptsas_hba *hba, uint32_t slot)
{
	mutex_enter(&hba->lock);
	(void)mptsas_slot_take_back(hba, slot);
	mutex_exit(&hba->lock);
}

/* whoever may not sleep waits here; time and faults end it as they end every command */
static void
start_poll(struct mptsas_hba *hba, struct mptsas_cmd *cmd)
{
	unsigned int n;

	while (!atomic_load_explicit(&cmd->is_done, memory_order_acquire)) {
		(void)mptsas_reap(hba, MPTSAS_REAP_BUDGET, &n);
		if (n == 0)
			drv_usecwait(POLL_STEP_US);
	}
}

static int
start_gone(struct mptsas_cmd *cmd)
{
	struct scsi_pkt *pkt = cmd->pkt;

	pkt->pkt_reason = CMD_DEV_GONE;
	if (!cmd->is_polled)
		scsi_hba_pkt_comp(pkt);
	return TRAN_ACCEPT;
}

int
mptsas_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct mptsas_lu *lu = mptsas_lu_of(ap);
	struct mptsas_hba *hba = lu->target->hba;
	struct mptsas_cmd *cmd = pkt->pkt_ha_private;
	bool is_polled = (pkt->pkt_flags & FLAG_NOINTR) != 0;
	uint32_t slot = 0;
	int r;

	if (pkt->pkt_cdblen == 0 || pkt->pkt_cdblen > MPT_IO_CDB_MAX)
		return TRAN_BADPKT;
	cmd_prepare(lu, pkt, cmd);
	if (UNLIKELY(atomic_load_explicit(&lu->target->is_gone, memory_order_acquire)))
		return start_gone(cmd);
	if (UNLIKELY(!mptsas_touch_begin(hba)))
		return atomic_load(&hba->is_dead) ? TRAN_FATAL_ERROR : TRAN_BUSY;
	r = start_take(hba, cmd, &slot);
	if (r == TRAN_ACCEPT && UNLIKELY(frame_write(hba, slot, cmd) < 0)) {
		start_undo(hba, slot);
		r = TRAN_BADPKT;
	}
	if (r == TRAN_ACCEPT) {
		/* from here on the packet may be completed, and be gone */
		mptsas_post(hba, slot, hba->layout.frame_bytes);
		mptsas_watch_arm(hba);
	}
	mptsas_touch_end(hba);
	if (r == TRAN_ACCEPT && is_polled)
		start_poll(hba, cmd);
	return r;
}
