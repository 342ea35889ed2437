/* tran_start: from packet to device server */
#include "hw/soft/soft_impl.h"

#include <sys/cpuvar.h>

#include "base/clock.h"

const struct sm_state soft_cmd_states[SOFT_STATE_N] = {
    [SOFT_IDLE] = {"idle", SM_TO(SOFT_RUNNING)},
    [SOFT_RUNNING] = {"running", SM_TO(SOFT_IDLE) | SM_TO(SOFT_HELD) | SM_TO(SOFT_WAITING)},
    [SOFT_HELD] = {"held", SM_TO(SOFT_RUNNING) | SM_TO(SOFT_IDLE)},
    [SOFT_WAITING] = {"waiting", SM_TO(SOFT_IDLE)},
};

static struct aio *
soft_aio(const struct soft_hba *hba, const struct scsi_pkt *pkt)
{
	unsigned int cpu;

	if (hba->nqueues == 0 || (pkt->pkt_flags & FLAG_NOINTR) != 0)
		return NULL;
	cpu = (unsigned int)CPU->cpu_id;
	return hba->queues[LIKELY(cpu < hba->nqueues) ? cpu : cpu % hba->nqueues].aio;
}

/* the store has answered: the command comes back to us, marked or not */
static void
soft_returned(struct disk_cmd *disk)
{
	struct soft_cmd *cmd = container_of(disk, struct soft_cmd, disk);
	struct soft_unit *unit = cmd->unit;

	mutex_enter(&unit->lock);
	TAILQ_REMOVE(&unit->pending, cmd, link);
	if (cmd->why != CMD_CMPLT && --unit->nkilled == 0)
		cv_broadcast(&unit->cv);
	mutex_exit(&unit->lock);
	soft_finish(cmd);
}

/* pieces of the packet's memory; bus addresses are addresses here */
static inline void
soft_map_data(struct disk_cmd *disk, const struct scsi_pkt *pkt)
{
	const ddi_dma_cookie_t *cookies = pkt->pkt_cookies;
	unsigned int n = pkt->pkt_numcookies;
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < n; i++) {
		disk->iov[i].iov_base = (void *)(uintptr_t)cookies[i].dmac_laddress;
		disk->iov[i].iov_len = cookies[i].dmac_size;
		bytes += cookies[i].dmac_size;
	}
	disk->buf_bytes = bytes;
	disk->niov = n;
	if (n == 0)
		disk->buf_dir = OP_DIR_NONE;
	else
		disk->buf_dir =
		    (pkt->pkt_dma_flags & DDI_DMA_READ) != 0 ? OP_DIR_IN : OP_DIR_OUT;
}

static inline void
soft_prepare(
    struct soft_hba *hba, struct soft_unit *unit, struct scsi_pkt *pkt, struct soft_cmd *cmd)
{
	struct disk_cmd *disk = &cmd->disk;

	pkt->pkt_reason = CMD_CMPLT;
	pkt->pkt_state = 0;
	pkt->pkt_statistics = 0;
	if (pkt->pkt_scblen > 0)
		pkt->pkt_scbp[0] = 0;
	cmd->pkt = pkt;
	cmd->unit = unit;
	cmd->why = CMD_CMPLT;
	cmd->stats = 0;
	cmd->deadline_ns = 0;
	cmd->tag = 0;
	cmd->verdict.action = FAULT_NONE;
	disk->cdb = pkt->pkt_cdbp;
	disk->cdb_len = pkt->pkt_cdblen;
	disk->limit_bytes = UINT64_MAX;
	disk->aio = soft_aio(hba, pkt);
	disk->pend = soft_wait;
	disk->done = soft_returned;
	atomic_store_explicit(&disk->is_cancelled, false, memory_order_relaxed);
	soft_map_data(disk, pkt);
	pkt->pkt_resid = (ssize_t)disk->buf_bytes;
}

/* false: the adapter is quiesced. The count comes first, so that quiesce sees us or we see
 * it */
static bool
soft_enter(struct soft_hba *hba, struct soft_unit *unit)
{
	(void)atomic_fetch_add(&unit->active, 1);
	if (LIKELY(!atomic_load(&hba->is_quiesced)))
		return true;
	mutex_enter(&unit->lock);
	if (atomic_fetch_sub(&unit->active, 1) == 1)
		cv_broadcast(&unit->cv);
	mutex_exit(&unit->lock);
	return false;
}

static void
soft_ask_faults(struct soft_hba *hba, struct soft_cmd *cmd)
{
	struct soft_unit *unit = cmd->unit;
	struct fault_subject subject = {
		.target = unit->lu.target->number, .lun = unit->lun,
		.cdb = cmd->disk.cdb, .cdb_len = cmd->disk.cdb_len,
	};
	struct cdb_info info;

	if (cdb_decode(subject.cdb, subject.cdb_len, disk_block_bytes(unit->disk), &info) ==
	    0) {
		subject.has_lba = info.has_lba;
		subject.lba = info.lba;
		subject.blocks = info.blocks;
	}
	mutex_enter(&hba->lock);
	cmd->verdict = fault_match(&hba->faults, &subject);
	if (cmd->verdict.id != 0 && !fault_is_armed(&hba->faults))
		atomic_store(&hba->is_faulty, false);
	mutex_exit(&hba->lock);
	if (cmd->verdict.id != 0)
		(void)atomic_fetch_add(&unit->faults, 1);
}

static void
soft_execute_check(struct soft_cmd *cmd)
{
	const struct fault_verdict *v = &cmd->verdict;
	struct disk *disk = cmd->unit->disk;
	bool is_write = (cmd->disk.cdb[0] & 0x1f) == 0x0a;
	struct sense_data sense = sense_make(v->key, ASC_CODE(v->asc, v->ascq));

	if (v->action == FAULT_MEDIUM)
		sense = sense_make_info(SENSE_MEDIUM_ERROR, is_write ? ASC_WRITE_ERROR :
		    ASC_UNRECOVERED_READ_ERROR, v->lba);
	disk_finish_check(disk, &cmd->disk, &sense);
	soft_finish(cmd);
}

/* end without asking the device: a status, or a reason of the transport */
static void
soft_execute_short(struct soft_cmd *cmd, uint8_t status, uint8_t why)
{
	disk_cmd_clear(&cmd->disk);
	cmd->disk.status = status;
	cmd->why = why;
	soft_finish(cmd);
}

/* from now on the device returns the command by a tag: something that can be repeated */
static void
soft_take_tag(struct soft_hba *hba, struct soft_cmd *cmd)
{
	mutex_enter(&hba->lock);
	if (slot_take(&hba->tags, cmd, &cmd->tag) < 0)
		cmd->tag = 0;
	mutex_exit(&hba->lock);
}

static void
soft_ask_disk(struct soft_cmd *cmd)
{
	if (disk_execute(cmd->unit->disk, &cmd->disk))
		soft_finish(cmd);
}

void
soft_execute(struct soft_cmd *cmd)
{
	switch (cmd->verdict.action) {
	case FAULT_CHECK:
	case FAULT_MEDIUM:
		soft_execute_check(cmd);
		return;
	case FAULT_BUSY:
		soft_execute_short(cmd, SAM_STAT_BUSY, CMD_CMPLT);
		return;
	case FAULT_QFULL:
		soft_execute_short(cmd, SAM_STAT_TASK_SET_FULL, CMD_CMPLT);
		return;
	case FAULT_GONE:
		soft_execute_short(cmd, 0, CMD_DEV_GONE);
		return;
	case FAULT_TRAN_ERR:
		soft_execute_short(cmd, 0, CMD_TRAN_ERR);
		return;
	case FAULT_SHORT:
		cmd->disk.limit_bytes = cmd->verdict.bytes;
		break;
	case FAULT_DUP:
		soft_take_tag(cmd->unit->hba, cmd);
		break;
	case FAULT_NONE:
	case FAULT_DELAY:
	case FAULT_DROP:
	case FAULT_BUS_RESET:
	case FAULT_RESID:
	case FAULT_STUCK:
	case FAULT_ACTION_N:
		break;
	}
	soft_ask_disk(cmd);
}

/* it was removed: a unit of a target that is still there is only missing */
static void
soft_refuse_gone(struct soft_cmd *cmd)
{
	struct soft_target *target = cmd->unit->lu.target;

	if (atomic_load(&target->is_gone)) {
		soft_execute_short(cmd, 0, CMD_DEV_GONE);
		return;
	}
	disk_absent_execute(&target->place, &cmd->disk);
	soft_finish(cmd);
}

/* true: a fault keeps the command back, somebody else goes on with it */
static bool
soft_fault_holds(struct soft_hba *hba, struct soft_cmd *cmd)
{
	const struct fault_verdict *v = &cmd->verdict;
	bool is_lost = v->action == FAULT_DROP || v->action == FAULT_STUCK;
	bool is_kept = is_lost || v->action == FAULT_BUS_RESET;

	if (!is_kept && v->delay_us == 0)
		return false;
	/* whoever polls cannot be kept waiting: what would hold it is over at once */
	if ((cmd->pkt->pkt_flags & FLAG_NOINTR) != 0) {
		if (!is_kept)
			return false;
		cmd->stats = STAT_TIMEOUT;
		soft_execute_short(cmd, 0, CMD_TIMEOUT);
		return true;
	}
	if (v->action == FAULT_BUS_RESET) {
		soft_hold(cmd, SOFT_NEVER);
		soft_want_reset(hba);
		return true;
	}
	soft_hold(cmd, is_lost ? SOFT_NEVER :
	    clock_now_ns() + v->delay_us * NS_PER_US);
	return true;
}

/* the target has no such unit: it answers itself */
static int __attribute__((noinline))
soft_start_absent(struct soft_hba *hba, struct soft_target *target, struct scsi_pkt *pkt)
{
	struct soft_cmd *cmd = pkt->pkt_ha_private;

	soft_prepare(hba, NULL, pkt, cmd);
	return soft_finish_absent(target, cmd);
}

/* faults are to be injected: into this one? */
static void __attribute__((noinline))
soft_try_faults(struct soft_hba *hba, struct soft_cmd *cmd)
{
	soft_ask_faults(hba, cmd);
	if (!soft_fault_holds(hba, cmd))
		soft_execute(cmd);
}

int
soft_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct soft_lu *lu = soft_lu_of(ap);
	struct soft_unit *unit = lu->unit;
	struct soft_hba *hba = lu->target->port->hba;
	struct soft_cmd *cmd = pkt->pkt_ha_private;

	if (pkt->pkt_cdblen == 0 || pkt->pkt_cdblen > SOFT_CDB_MAX ||
	    pkt->pkt_numcookies > STORE_IOV_MAX)
		return TRAN_BADPKT;
	if (UNLIKELY(unit == NULL))
		return soft_start_absent(hba, lu->target, pkt);
	if (!soft_enter(hba, unit))
		return TRAN_BUSY;

	soft_prepare(hba, unit, pkt, cmd);
	soft_move(cmd, SOFT_RUNNING);
	if (UNLIKELY(atomic_load_explicit(&unit->is_gone, memory_order_acquire))) {
		soft_refuse_gone(cmd);
		return TRAN_ACCEPT;
	}
	if (UNLIKELY(atomic_load_explicit(&hba->is_faulty, memory_order_acquire)))
		soft_try_faults(hba, cmd);
	else
		soft_ask_disk(cmd);
	return TRAN_ACCEPT;
}
