/* abort, clear, reset, quiesce: from whoever asks, to the session's thread and back */
#include "hw/iscsi/iscsi_hba_impl.h"

#include <sys/cpuvar.h>

/* may the caller wait for the thread? Neither handlers of interrupts nor the thread itself */
static bool
may_wait(const struct ih_session *s)
{
	return !servicing_interrupt() && threadp()->t_did != s->thread;
}

/* the lock is held; leave an order and wait for what comes of it */
static bool
order_wait(struct ih_session *s, struct ih_order *o)
{
	if (s->state != IH_UP || s->want_stop || !may_wait(s))
		return false;
	TAILQ_INSERT_TAIL(&s->orders, o, link);
	ih_kick(s);
	while (!o->is_over)
		cv_wait(&s->cv, &s->lock);
	return o->is_done;
}

static bool
abort_one(struct ih_session *s, struct scsi_pkt *pkt)
{
	struct ih_cmd *cmd = pkt->pkt_ha_private;
	struct ih_order o = { .what = IH_ABORT, .cmd = cmd, .why = CMD_ABORTED,
		.stats = STAT_ABORTED };
	bool is_done = false, is_queued;

	mutex_enter(&s->lock);
	is_queued = cmd->state == IH_QUEUED;
	if (is_queued) {
		/* one that is on its way out although queued has been taken by another */
		is_queued = cmd->why == CMD_CMPLT;
		if (is_queued) {
			TAILQ_REMOVE(&s->queue, cmd, link);
			s->nqueued--;
			ih_mark(cmd, CMD_ABORTED, STAT_ABORTED);
		}
	} else if (cmd->state == IH_SENT) {
		o.lun = cmd->unit->lun;
		o.serial = cmd->serial;
		is_done = order_wait(s, &o);
	}
	mutex_exit(&s->lock);
	if (is_queued)
		ih_finish(cmd);
	return is_queued || is_done;
}

/* end all commands of a LUN (or all) by an order; those that are queued only need none */
static bool
end_many(struct ih_session *s, struct ih_order *o, int lun, bool is_needed)
{
	struct ih_cmds dead = TAILQ_HEAD_INITIALIZER(dead);
	const struct ih_cmd *cmd;
	bool is_done = true;

	mutex_enter(&s->lock);
	TAILQ_FOREACH(cmd, &s->sent, link) {
		if (ih_is_of(cmd, lun))
			break;
	}
	if (cmd != NULL || is_needed)
		is_done = order_wait(s, o);
	if (is_done)
		(void)ih_take_queued(s, lun, o->why, o->stats, &dead);
	mutex_exit(&s->lock);
	ih_finish_all(&dead);
	return is_done;
}

static bool
clear_lun(struct ih_unit *unit)
{
	struct ih_order o = { .what = IH_CLEAR, .lun = unit->lun, .why = CMD_ABORTED,
		.stats = STAT_ABORTED };

	return end_many(unit->session, &o, unit->lun, false);
}

int
ih_abort(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct ih_unit *unit = ih_unit_of(ap);

	return pkt == NULL ? clear_lun(unit) : abort_one(unit->session, pkt);
}

int
ih_clear_task_set(struct scsi_address *ap)
{
	return clear_lun(ih_unit_of(ap));
}

static bool
reset_session(struct ih_session *s, enum ih_what what, uint16_t lun)
{
	struct ih_order o = { .what = what, .lun = lun, .why = CMD_RESET,
		.stats = what == IH_RESET_BUS ? STAT_BUS_RESET : STAT_DEV_RESET };

	return end_many(s, &o, what == IH_RESET_LUN ? lun : IH_ANY_LUN, true);
}

/* those that are not there cannot be reset, and need not */
static bool
reset_bus(struct iscsi_hba *hba)
{
	bool is_done = true, is_up;

	for (size_t i = 0; i < hba->nsessions; i++) {
		struct ih_session *s = &hba->sessions[i];

		mutex_enter(&s->lock);
		is_up = s->state == IH_UP;
		mutex_exit(&s->lock);
		if (is_up && !reset_session(s, IH_RESET_BUS, 0))
			is_done = false;
	}
	return is_done;
}

int
ih_reset(struct scsi_address *ap, int level)
{
	struct ih_unit *unit = ih_unit_of(ap);

	switch (level) {
	case RESET_ALL:
		return reset_bus(unit->session->hba);
	case RESET_TARGET:
		return reset_session(unit->session, IH_RESET_TARGET, unit->lun);
	case RESET_LUN:
		return reset_session(unit->session, IH_RESET_LUN, unit->lun);
	default:
		return 0;
	}
}

int
ih_bus_reset(dev_info_t *dip, int level)
{
	struct iscsi_hba *hba = ih_hba_find(dip);

	if (hba == NULL || (level != RESET_BUS && level != RESET_ALL))
		return 0;
	return reset_bus(hba);
}

int
ih_reset_notify(struct scsi_address *ap, int flag, void (*callback)(caddr_t), caddr_t arg)
{
	struct ih_unit *unit = ih_unit_of(ap);

	return scsi_hba_reset_notify_setup(ap, flag, callback, arg,
	    &unit->session->hba->notify_lock, &unit->notify);
}

/* commands that wait for a lost target end when it comes back, or when its grace is over */
int
ih_quiesce(dev_info_t *dip)
{
	struct iscsi_hba *hba = ih_hba_find(dip);

	if (hba == NULL)
		return -1;
	atomic_store(&hba->is_quiesced, true);
	for (size_t i = 0; i < hba->nsessions; i++) {
		struct ih_session *s = &hba->sessions[i];

		mutex_enter(&s->lock);
		while (s->nactive > 0)
			cv_wait(&s->cv, &s->lock);
		mutex_exit(&s->lock);
	}
	return 0;
}

int
ih_unquiesce(dev_info_t *dip)
{
	struct iscsi_hba *hba = ih_hba_find(dip);

	if (hba == NULL)
		return -1;
	atomic_store(&hba->is_quiesced, false);
	return 0;
}
