#include "lu/lu_impl.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "base/bytes.h"
#include "lu/loss.h"
#include "lu/pkts.h"
#include "lu/recover.h"
#include "lu/token.h"
#include "scsi/status.h"

const struct sm_state lu_task_states[LU_TASK_N] = {
	[LU_TASK_IDLE]   = { "idle",   SM_TO(LU_TASK_HELD) | SM_TO(LU_TASK_LOCAL) |
	    SM_TO(LU_TASK_ISSUED) | SM_TO(LU_TASK_DONE) },
	[LU_TASK_HELD]   = { "held",   SM_TO(LU_TASK_LOCAL) | SM_TO(LU_TASK_ISSUED) |
	    SM_TO(LU_TASK_DONE) },
	[LU_TASK_LOCAL]  = { "local",  SM_TO(LU_TASK_HELD) | SM_TO(LU_TASK_ISSUED) |
	    SM_TO(LU_TASK_DONE) },
	[LU_TASK_ISSUED] = { "issued", SM_TO(LU_TASK_HELD) | SM_TO(LU_TASK_DONE) },
	[LU_TASK_DONE]   = { "done",   SM_TO(LU_TASK_IDLE) },
};

static const uint_t attr_flags[LU_ATTR_N] = {
	[LU_ATTR_UNTAGGED] = 0,
	[LU_ATTR_SIMPLE]   = FLAG_STAG,
	[LU_ATTR_ORDERED]  = FLAG_OTAG,
	[LU_ATTR_HEAD]     = FLAG_HTAG | FLAG_HEAD,
};

void
lu_task_init(struct lu_task *task)
{
	memset(task, 0, sizeof(*task));
	bioinit(&task->buf);
	task->sm = LU_TASK_IDLE;
}

void
lu_task_move(struct lu_task *task, enum lu_task_state to)
{
	(void)sm_move(lu_task_states, &task->sm, to);
}

/* ------ result ------ */

/* sense is worth something only if the implied REQUEST SENSE went well (scsi.h,
 * scsi_arq_status) */
static void
result_take_sense(struct lu_task *task, const struct scsi_pkt *pkt)
{
	const struct scsi_arq_status *arq = (const void *)pkt->pkt_scbp;
	size_t len = LU_SENSE_MAX;
	uint8_t rq_status = *(const uint8_t *)&arq->sts_rqpkt_status & STATUS_MASK;

	if ((pkt->pkt_state & STATE_ARQ_DONE) == 0 || arq->sts_rqpkt_reason != CMD_CMPLT ||
	    rq_status != STATUS_GOOD || (arq->sts_rqpkt_state & STATE_XFERRED_DATA) == 0)
		return;
	/* without XARQ the driver filled, and counts from, the 20 bytes of the structure */
	if ((pkt->pkt_state & STATE_XARQ_DONE) == 0)
		len = SENSE_LENGTH;
	len = arq->sts_rqpkt_resid >= len ? 0 : len - arq->sts_rqpkt_resid;
	memcpy(task->sense, &arq->sts_sensedata, len);
	task->sense_len = (uint8_t)len;
}

static uint32_t
result_moved(const struct lu_task *task, const struct scsi_pkt *pkt)
{
	bool is_good = task->reason == CMD_CMPLT && task->status == STATUS_GOOD;

	/* a driver that says nothing of data after an error has moved none */
	if (!is_good && (task->state & STATE_XFERRED_DATA) == 0)
		return 0;
	if (pkt->pkt_resid <= 0)
		return task->device_len;
	if ((uint64_t)pkt->pkt_resid >= task->device_len)
		return 0;
	return task->device_len - (uint32_t)pkt->pkt_resid;
}

static void
result_take_resid(struct lu_task *task)
{
	bool is_good = (task->reason == CMD_CMPLT || task->reason == CMD_DATA_OVR) &&
	    task->status == STATUS_GOOD;
	bool is_over = task->expected != UINT64_MAX && task->expected > task->data_len;

	task->resid_kind = LU_RESID_NONE;
	task->resid = 0;
	/* a buffer shorter than the command is short even if a block did not fit into it */
	if (task->moved < task->data_len && !(is_good && is_over)) {
		task->resid_kind = LU_RESID_UNDER;
		task->resid = task->data_len - task->moved;
		return;
	}
	if (is_over) {
		task->resid_kind = LU_RESID_OVER;
		task->resid = (uint32_t)num_min(task->expected - task->data_len, UINT32_MAX);
	} else if (task->reason == CMD_DATA_OVR) {
		task->resid_kind = LU_RESID_OVER;	/* by how much, nobody knows */
	}
}

/* as asked for, not a byte more or less: nearly all */
static bool
is_exact(const struct lu_task *task, const struct scsi_pkt *pkt)
{
	return task->reason == CMD_CMPLT && task->status == STATUS_GOOD && pkt->pkt_resid == 0 &&
	    task->expected == task->data_len;
}

static void
result_take(struct lu_task *task, const struct scsi_pkt *pkt)
{
	task->reason = pkt->pkt_reason;
	task->state = pkt->pkt_state;
	task->statistics = pkt->pkt_statistics;
	/* unmasked: TASK ABORTED lies outside of STATUS_MASK */
	task->status = (task->state & STATE_GOT_STATUS) != 0 ? pkt->pkt_scbp[0] : 0;
	task->sense_len = 0;
	if (LIKELY(is_exact(task, pkt))) {
		task->moved = task->data_len;
		task->resid_kind = LU_RESID_NONE;
		task->resid = 0;
		return;
	}
	if (task->status == STATUS_CHECK)
		result_take_sense(task, pkt);
	task->moved = result_moved(task, pkt);
	result_take_resid(task);
}

static void
result_count(struct lu *lu, const struct lu_task *task, bool is_device)
{
	if (task->dir == LU_DIR_IN)
		lu_count(&lu->stats.read_bytes, task->moved);
	else
		lu_count(&lu->stats.written_bytes, task->moved);
	if (task->dir != LU_DIR_IN && is_device)
		lu_loss_note(lu, task);
	if (UNLIKELY(task->reason != CMD_CMPLT)) {
		lu_count(&lu->stats.transport_errors, 1);
		if (task->reason == CMD_RESET)
			lu->reset_returned++;
	} else if (task->status == STATUS_CHECK) {
		lu_count(&lu->stats.checks, 1);
		if (is_device)
			lu_media_note(lu, task);
		lu_abort_qerr(lu, task);
	}
	if (task->is_orphan)
		lu_count(&lu->stats.orphans, 1);
}

/* ------ the end of a task ------ */

/* the HBA gave it back; false: it goes there once more */
static bool
task_back(struct lu_task *task, struct lu *lu, struct scsi_pkt *pkt)
{
	TAILQ_REMOVE(&lu->issued, task, unit_entry);
	lu->n_issued--;
	lu->is_hba_busy = false;
	lu_count(&lu->stats.in_flight, (uint64_t)-1);
	result_take(task, pkt);
	if (UNLIKELY(task->is_expired))
		lu_recover_back(lu, task);
	if (UNLIKELY(lu_is_watched(lu, task)) && lu_watch_done(lu, task)) {
		task->is_passed = true;
		lu_hold(task, lu);
		return false;
	}
	lu_task_move(task, LU_TASK_DONE);
	return true;
}

static inline void
unit_go_on(struct lu *lu)
{
	if (UNLIKELY(!STAILQ_EMPTY(&lu->barriers)))
		lu_barriers_check(lu);
	if (UNLIKELY(lu->n_held > 0))
		lu_held_run(lu);
	if (UNLIKELY(!unit_is_active(lu)))
		lu_drain_check(lu);
}

/* the task may be gone when its done() returns; the nexus is not: its gone() comes at the end
 * of a turn */
void
lu_task_finish(struct lu_task *task)
{
	struct lu_nexus *nexus = task->nexus;
	struct lu *lu = nexus->unit;
	struct scsi_pkt *pkt = STEAL(task->pkt);
	struct lu_tmf *tmf;
	uint8_t reason;

	if (task->sm == LU_TASK_ISSUED && !task_back(task, lu, pkt)) {
		lu_pkt_put(lu, pkt, task->data_len > 0);
		unit_go_on(lu);
		return;
	}
	if (pkt != NULL)
		lu_pkt_put(lu, pkt, task->data_len > 0);
	tmf = STEAL(task->tmf);
	reason = task->reason;
	task->is_orphan = nexus->is_gone;
	TAILQ_REMOVE(&nexus->tasks, task, nexus_entry);
	if (task->has_tag)
		LIST_REMOVE(task, tag_entry);
	lu_set_leave(task);
	if (UNLIKELY(task->is_cleared))
		lu_abort_result(lu, task);
	result_count(lu, task, pkt != NULL);
	lu_task_move(task, LU_TASK_IDLE);
	task->done(task);
	if (tmf != NULL)
		lu_tmf_task_done(tmf, reason);
	unit_go_on(lu);
	if (UNLIKELY(nexus->is_gone))
		lu_nexus_check(nexus);
}

static void
task_work(struct lu_work *w)
{
	struct lu_task *task = container_of(w, struct lu_task, work);

	if (task->is_pinned)
		task->is_finish_due = true;
	else
		lu_task_finish(task);
}

void
lu_task_end(struct lu_task *task, uint8_t reason, uint32_t statistics)
{
	struct lu *lu = task->nexus->unit;

	if (task->sm == LU_TASK_HELD)
		lu_held_remove(task, lu);
	else if (task->sm == LU_TASK_LOCAL)
		lu->n_local--;
	lu_task_move(task, LU_TASK_DONE);
	task->reason = reason;
	task->statistics = statistics;
	task->state = 0;
	task->status = 0;
	task->sense_len = 0;
	task->moved = 0;
	task->resid = task->data_len;
	task->resid_kind = task->data_len > 0 ? LU_RESID_UNDER : LU_RESID_NONE;
	lu_exec_defer(lu->home, &task->work, task_work);
}

void
lu_task_end_status(struct lu_task *task, uint8_t status)
{
	lu_task_end(task, CMD_CMPLT, 0);
	task->state = STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD | STATE_GOT_STATUS;
	task->status = status;
	lu_ua_status(task->nexus, status);
}

void
lu_task_end_sense(struct lu_task *task, const struct sense_data *sense)
{
	lu_task_end_status(task, SAM_STAT_CHECK_CONDITION);
	task->state |= STATE_ARQ_DONE;
	task->sense_len = (uint8_t)sense_build(sense,
	    task->nexus->unit->control.is_descriptor, task->sense, LU_SENSE_MAX);
}

void
lu_task_abandon(struct lu_task *task, struct lu *lu)
{
	if (task->is_pinned ||
	    __atomic_exchange_n(&task->pkt->pkt_private, NULL, __ATOMIC_ACQ_REL) == NULL)
		return;
	task->pkt = NULL;
	TAILQ_REMOVE(&lu->issued, task, unit_entry);
	lu->n_issued--;
	lu_count(&lu->stats.in_flight, (uint64_t)-1);
	if (task->is_expired)
		lu->n_expired--;
	task->is_expired = false;
	lu_task_end(task, CMD_DEV_GONE, 0);
}

/* ------ going down ------ */

/* pkt_comp: any thread, perhaps inside scsi_transport() */
static void
task_comp(struct scsi_pkt *pkt)
{
	struct lu_task *task = __atomic_exchange_n(&pkt->pkt_private, NULL, __ATOMIC_ACQ_REL);

	/* given up: whatever the packet refers to is not ours any more */
	if (UNLIKELY(task == NULL))
		return;
	lu_exec_to(task->nexus->unit->home, &task->work, task_work);
}

/* lengths that the compiler knows are a move or two */
static void
cdb_copy(uint8_t *to, const uint8_t *from, size_t len)
{
	if (LIKELY(len == 10))
		memcpy(to, from, 10);
	else if (len == 16)
		memcpy(to, from, 16);
	else
		memcpy(to, from, len);
}

/* 0, -EAGAIN no packet now, -EIO never */
static int
task_make_pkt(struct lu_task *task, struct lu *lu)
{
	uint32_t ms = task->timeout_ms == 0 ? lu->timeout_ms : task->timeout_ms;
	int r = lu_pkt_take(lu, task);
	struct scsi_pkt *pkt = task->pkt;

	if (UNLIKELY(r < 0))
		return r;
	pkt->pkt_private = task;
	pkt->pkt_comp = task_comp;
	pkt->pkt_time = ms / 1000 + (ms % 1000 != 0);
	pkt->pkt_flags = attr_flags[task->attr];
	cdb_copy(pkt->pkt_cdbp, task->cdb, task->cdb_used);
	return 0;
}

/* false: no room in the HBA now. True: issued, or ended because it never will be */
static bool
task_issue(struct lu_task *task, struct lu *lu)
{
	int r = task->pkt != NULL ? 0 : task_make_pkt(task, lu);

	if (r == -EAGAIN)
		return false;
	if (r < 0) {
		lu_task_end(task, CMD_DMA_DERR, 0);
		return true;
	}
	if (UNLIKELY(lu_has_tokens(lu)))
		lu_token_note(lu, task);
	/* completion may run before this returns; it only posts, so the lists can wait */
	r = scsi_transport(task->pkt);
	if (r == TRAN_BUSY)
		return false;
	if (r != TRAN_ACCEPT) {
		lu_task_end(task, CMD_TRAN_ERR, 0);
		return true;
	}
	if (task->sm == LU_TASK_HELD)
		lu_held_remove(task, lu);
	else if (task->sm == LU_TASK_LOCAL)
		lu->n_local--;
	lu_task_move(task, LU_TASK_ISSUED);
	if (UNLIKELY(!lu->is_tick_armed))
		lu_recover_arm(lu);
	task->issue_tick = lu->ticks;
	task->seq = ++lu->seq;
	TAILQ_INSERT_TAIL(&lu->issued, task, unit_entry);
	lu->n_issued++;
	lu_count(&lu->stats.in_flight, 1);
	return true;
}

bool
lu_task_run(struct lu_task *task, struct lu *lu)
{
	lu_local_fn *fn = task->is_passed || task->nexus->is_internal ? NULL :
	    lu_local_of(lu, task->op);

	if (UNLIKELY(fn != NULL)) {
		lu_local_start(task, lu, fn);
		return true;
	}
	if (LIKELY(task_issue(task, lu)))
		return true;
	lu->is_hba_busy = true;
	return false;
}
