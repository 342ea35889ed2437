/* abort, reset, quiesce: asking commands to end, and waiting until they have */
#include "hw/soft/soft_impl.h"

#include <sys/cpuvar.h>

void
soft_mark(struct soft_unit *unit, struct soft_cmd *cmd, uint8_t why, uint_t stats)
{
	cmd->stats |= stats;
	if (cmd->why != CMD_CMPLT)
		return;
	cmd->why = why;
	if (cmd->state == SOFT_WAITING)
		unit->nkilled++;
}

/* a device that is stuck does not hear of anything less than its rule says */
static bool
soft_is_deaf(const struct soft_cmd *cmd, const struct soft_end *end)
{
	if (cmd->verdict.action != FAULT_STUCK || end->why == CMD_DEV_GONE)
		return false;
	return end->why != CMD_RESET || end->reach < cmd->verdict.until;
}

unsigned int
soft_unit_kill(struct soft_unit *unit, const struct scsi_pkt *one, uint64_t now_ns,
    const struct soft_end *end, struct soft_cmd_list *dead)
{
	struct soft_cmd *cmd, *next;
	unsigned int n = 0;

	mutex_enter(&unit->lock);
	for (cmd = TAILQ_FIRST(&unit->pending); cmd != NULL; cmd = next) {
		next = TAILQ_NEXT(cmd, link);
		if (one != NULL && cmd->pkt != one)
			continue;
		if (soft_is_deaf(cmd, end))
			continue;
		if (now_ns != 0 && (cmd->deadline_ns == 0 || cmd->deadline_ns > now_ns))
			continue;
		n++;
		soft_mark(unit, cmd, end->why, end->stats);
		if (cmd->state == SOFT_WAITING) {
			disk_cancel(&cmd->disk);
			continue;
		}
		TAILQ_REMOVE(&unit->pending, cmd, link);
		TAILQ_INSERT_TAIL(dead, cmd, link);
	}
	mutex_exit(&unit->lock);
	return n;
}

/* wait for the commands the store still has; who may not sleep is told if there are any */
static bool
soft_drain(struct soft_unit *unit)
{
	bool is_drained;

	mutex_enter(&unit->lock);
	while (unit->nkilled > 0 && !servicing_interrupt())
		cv_wait(&unit->cv, &unit->lock);
	is_drained = unit->nkilled == 0;
	mutex_exit(&unit->lock);
	return is_drained;
}

/* is something left that no abort gets back? */
static bool
soft_has_stuck(struct soft_unit *unit)
{
	const struct soft_cmd *cmd;
	bool has_stuck = false;

	mutex_enter(&unit->lock);
	TAILQ_FOREACH(cmd, &unit->pending, link)
		has_stuck |= cmd->verdict.action == FAULT_STUCK;
	mutex_exit(&unit->lock);
	return has_stuck;
}

int
soft_abort(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	static const struct soft_end aborted = { .why = CMD_ABORTED, .stats = STAT_ABORTED };
	struct soft_unit *unit = soft_lu_of(ap)->unit;
	struct soft_cmd_list dead = TAILQ_HEAD_INITIALIZER(dead);
	unsigned int n;

	if (unit == NULL)
		return 0;
	n = soft_unit_kill(unit, pkt, 0, &aborted, &dead);
	soft_finish_all(&dead);
	return pkt == NULL ? !soft_has_stuck(unit) : n > 0;
}

int
soft_clear_task_set(struct scsi_address *ap)
{
	return soft_abort(ap, NULL);
}

int
soft_terminate_task(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	static const struct soft_end ended = { .why = CMD_TERMINATED, .stats = STAT_TERMINATED };
	struct soft_unit *unit = soft_lu_of(ap)->unit;
	struct soft_cmd_list dead = TAILQ_HEAD_INITIALIZER(dead);
	unsigned int n;

	if (unit == NULL || pkt == NULL)
		return 0;
	n = soft_unit_kill(unit, pkt, 0, &ended, &dead);
	soft_finish_all(&dead);
	return n > 0;
}

static bool
soft_unit_reset(struct soft_unit *unit, enum fault_until reach)
{
	const struct soft_end end = { CMD_RESET,
		reach < FAULT_UNTIL_BUS ? STAT_DEV_RESET : STAT_BUS_RESET, reach };
	struct soft_cmd_list dead = TAILQ_HEAD_INITIALIZER(dead);
	bool is_drained;

	(void)soft_unit_kill(unit, NULL, 0, &end, &dead);
	is_drained = soft_drain(unit);
	disk_reset(unit->disk, reach < FAULT_UNTIL_BUS ? ASC_DEVICE_RESET : ASC_BUS_RESET);
	soft_finish_all(&dead);
	return is_drained;
}

static void
soft_tell_reset(struct soft_hba *hba, struct soft_unit *unit)
{
	mutex_enter(&hba->notify_lock);
	scsi_hba_reset_notify_callback(&hba->notify_lock, &unit->notify);
	mutex_exit(&hba->notify_lock);
}

/* those of @target; NULL: all. First everything ends, then everybody is told */
static bool
soft_units_reset(
    struct soft_hba *hba, const struct soft_target *target, enum fault_until reach)
{
	struct soft_unit *unit;
	bool is_drained = true;

	for (unit = soft_unit_next(hba, NULL); unit != NULL; unit = soft_unit_next(hba, unit)) {
		if ((target == NULL || unit->lu.target == target) &&
		    !soft_unit_reset(unit, reach))
			is_drained = false;
	}
	for (unit = soft_unit_next(hba, NULL); unit != NULL; unit = soft_unit_next(hba, unit)) {
		if (target == NULL || unit->lu.target == target)
			soft_tell_reset(hba, unit);
	}
	return is_drained;
}

bool
soft_bus_was_reset(struct soft_hba *hba)
{
	return soft_units_reset(hba, NULL, FAULT_UNTIL_BUS);
}

int
soft_reset(struct scsi_address *ap, int level)
{
	struct soft_lu *lu = soft_lu_of(ap);
	struct soft_hba *hba = lu->target->port->hba;
	struct soft_unit *unit = lu->unit;
	bool is_drained;

	switch (level) {
	case RESET_ALL:
		return soft_bus_was_reset(hba);
	case RESET_TARGET:
		if (atomic_load(&lu->target->is_gone))
			return 0;
		return soft_units_reset(hba, lu->target, FAULT_UNTIL_TARGET);
	case RESET_LUN:
		if (unit == NULL || atomic_load(&unit->is_gone))
			return 0;
		is_drained = soft_unit_reset(unit, FAULT_UNTIL_LUN);
		soft_tell_reset(hba, unit);
		return is_drained;
	default:
		return 0;
	}
}

int
soft_virtual_reset(struct scsi_address *ap, int level)
{
	return level == RESET_ALL ? 0 : soft_reset(ap, level);
}

int
soft_bus_reset(dev_info_t *dip, int level)
{
	struct soft_hba *hba = soft_hba_find(dip);

	if (hba == NULL || (level != RESET_BUS && level != RESET_ALL))
		return 0;
	return soft_units_reset(hba, NULL, FAULT_UNTIL_HBA);
}

int
soft_reset_notify(struct scsi_address *ap, int flag, void (*callback)(caddr_t), caddr_t arg)
{
	struct soft_unit *unit = soft_lu_of(ap)->unit;
	struct soft_hba *hba;

	if (unit == NULL)
		return DDI_FAILURE;
	hba = unit->hba;
	return scsi_hba_reset_notify_setup(
	    ap, flag, callback, arg, &hba->notify_lock, &unit->notify);
}

int
soft_quiesce(dev_info_t *dip)
{
	struct soft_hba *hba = soft_hba_find(dip);
	struct soft_unit *unit;

	if (hba == NULL)
		return -1;
	atomic_store(&hba->is_quiesced, true);
	for (unit = soft_unit_next(hba, NULL); unit != NULL; unit = soft_unit_next(hba, unit)) {
		mutex_enter(&unit->lock);
		while (atomic_load(&unit->active) > 0)
			cv_wait(&unit->cv, &unit->lock);
		mutex_exit(&unit->lock);
	}
	return 0;
}

int
soft_silence(dev_info_t *dip)
{
	struct soft_hba *hba = soft_hba_find(dip);

	if (hba == NULL)
		return DDI_FAILURE;
	atomic_store(&hba->is_quiesced, true);
	return soft_units_reset(hba, NULL, FAULT_UNTIL_QUIESCE) && soft_quiesce(dip) == 0 ?
	    DDI_SUCCESS : DDI_FAILURE;
}

int
soft_unquiesce(dev_info_t *dip)
{
	struct soft_hba *hba = soft_hba_find(dip);

	if (hba == NULL)
		return -1;
	atomic_store(&hba->is_quiesced, false);
	return 0;
}
