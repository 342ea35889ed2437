/* abort, reset, quiesce: asking the chip to return commands, and waiting until it has */
#include "hw/pvscsi/pvscsi.h"

#include <string.h>
#include <sys/cpuvar.h>
#include <sys/ddi.h>

#include "base/clock.h"

/* which commands are meant; NULL: whatever */
struct scope {
	const struct scsi_pkt *pkt;
	const struct pvscsi_target *target;
	const scsi_lun_t *lun;
};

static bool
scope_has(const struct scope *scope, const struct pvscsi_cmd *cmd)
{
	if (scope->pkt != NULL && cmd->pkt != scope->pkt)
		return false;
	if (scope->target != NULL && cmd->target != scope->target)
		return false;
	return scope->lun == NULL || memcmp(scope->lun, &cmd->lun, sizeof(cmd->lun)) == 0;
}

/* the first reason stays, later ones only leave their mark in the statistics */
static void
cmd_mark(struct pvscsi_cmd *cmd, uint8_t why, uint_t stats)
{
	cmd->stats |= stats;
	if (cmd->why == CMD_CMPLT)
		cmd->why = why;
}

static void
scope_mark(struct pvscsi *hba, const struct scope *scope, uint8_t why, uint_t stats)
{
	mutex_enter(&hba->lock);
	for (uint32_t i = 0; i < hba->tags.n; i++) {
		struct pvscsi_cmd *cmd = hba->tags.slots[i].cmd;

		if (cmd != NULL && scope_has(scope, cmd))
			cmd_mark(cmd, why, stats);
	}
	mutex_exit(&hba->lock);
}

/* lock is held: does the chip still have one that was asked for? */
static bool
scope_is_awaited(const struct pvscsi *hba, const struct scope *scope)
{
	for (uint32_t i = 0; i < hba->tags.n; i++) {
		const struct pvscsi_cmd *cmd = hba->tags.slots[i].cmd;

		if (cmd != NULL && cmd->why != CMD_CMPLT && scope_has(scope, cmd))
			return true;
	}
	return false;
}

/* until the chip has returned all that was asked for; who may not sleep is told if it has. When
 * it fails meanwhile they are as good as returned */
static bool
scope_wait(struct pvscsi *hba, const struct scope *scope)
{
	clock_t until = ddi_get_lbolt() + drv_usectohz(PVSCSI_WAIT_S * MICROSEC);
	bool is_awaited, may_wait = !servicing_interrupt();

	(void)pvscsi_drain(hba, UINT_MAX);
	mutex_enter(&hba->lock);
	while ((is_awaited = scope_is_awaited(hba, scope)) && may_wait &&
	    hba->state == PVSCSI_READY)
		may_wait = cv_timedwait(&hba->cv, &hba->lock, until) >= 0;
	mutex_exit(&hba->lock);
	return !is_awaited;
}

/*
 * Abort.
 */

static void
abort_ask(struct pvscsi *hba, uint32_t context, uint32_t target)
{
	struct pv_abort desc = { .context = context, .target = target };

	(void)atomic_fetch_add(&hba->stats.aborts, 1);
	(void)pvscsi_command(hba, PV_CMD_ABORT_CMD, &desc, sizeof(desc));
}

/* ask for the command in slot @i, if it is meant */
static bool
abort_slot(struct pvscsi *hba, const struct scope *scope, uint32_t i, uint8_t why, uint_t stats)
{
	struct pvscsi_cmd *cmd;
	uint32_t context = 0, target = 0;

	mutex_enter(&hba->lock);
	cmd = hba->tags.slots[i].cmd;
	if (cmd != NULL && scope_has(scope, cmd)) {
		cmd_mark(cmd, why, stats);
		context = cmd->context;
		target = cmd->target->number;
	}
	mutex_exit(&hba->lock);
	if (context != 0)
		abort_ask(hba, context, target);
	return context != 0;
}

int
pvscsi_abort(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct pvscsi_lu *lu = pvscsi_lu_of(ap);
	struct scope scope = { .pkt = pkt, .target = lu->target, .lun = &lu->lun };
	struct pvscsi *hba = lu->hba;
	uint_t n = 0;

	(void)pvscsi_drain(hba, UINT_MAX);
	for (uint32_t i = 0; i < hba->tags.n; i++)
		n += abort_slot(hba, &scope, i, CMD_ABORTED, STAT_ABORTED);
	if (n == 0)
		return pkt == NULL;
	return scope_wait(hba, &scope) || servicing_interrupt();
}

int
pvscsi_clear_task_set(struct scsi_address *ap)
{
	return pvscsi_abort(ap, NULL);
}

void
pvscsi_empty(struct pvscsi *hba, struct pvscsi_target *target)
{
	struct scope scope = { .target = target };

	atomic_store(&target->is_gone, true);
	(void)pvscsi_drain(hba, UINT_MAX);
	for (uint32_t i = 0; i < hba->tags.n; i++)
		(void)abort_slot(hba, &scope, i, CMD_DEV_GONE, 0);
	(void)scope_wait(hba, &scope);
}

/*
 * Reset.
 */

void
pvscsi_tell_reset(struct pvscsi *hba, struct pvscsi_target *target)
{
	mutex_enter(&hba->notify_lock);
	for (uint32_t i = 0; i < PV_TARGETS; i++) {
		if (target == NULL || target == &hba->targets[i])
			scsi_hba_reset_notify_callback(
			    &hba->notify_lock, &hba->targets[i].notify);
	}
	mutex_exit(&hba->notify_lock);
}

/* LUN 0, and every other one that is known; false: none of them was found */
static bool
target_reset_ask(struct pvscsi *hba, struct pvscsi_target *target)
{
	uint64_t luns[ARRAY_LEN(target->luns)];
	bool is_found = false;

	(void)atomic_fetch_add(&hba->stats.device_resets, 1);
	mutex_enter(&hba->lock);
	memcpy(luns, target->luns, sizeof(luns));
	mutex_exit(&hba->lock);
	luns[0] |= 1;
	for (uint_t lun = 0; lun < 64 * ARRAY_LEN(luns); lun++) {
		struct pv_reset_device desc = {
			.target = target->number, .lun = { [1] = (uint8_t)lun } };

		if ((luns[lun / 64] & 1ull << lun % 64) == 0)
			continue;
		if (pvscsi_command(hba, PV_CMD_RESET_DEVICE, &desc, sizeof(desc)) !=
		    PV_STATUS_FAILED)
			is_found = true;
	}
	return is_found;
}

/* what is in the ring goes first: nothing is to come to life after the reset */
static bool
target_reset(struct pvscsi *hba, struct pvscsi_target *target)
{
	struct scope scope = { .target = target };

	pvscsi_kick(hba);
	scope_mark(hba, &scope, CMD_RESET, STAT_DEV_RESET);
	return target_reset_ask(hba, target);
}

static void
bus_reset(struct pvscsi *hba)
{
	struct scope scope = { .pkt = NULL };

	(void)atomic_fetch_add(&hba->stats.bus_resets, 1);
	pvscsi_kick(hba);
	scope_mark(hba, &scope, CMD_RESET, STAT_BUS_RESET);
	(void)pvscsi_command(hba, PV_CMD_RESET_BUS, NULL, 0);
}

static bool
pvscsi_is_ready(struct pvscsi *hba)
{
	bool is;

	mutex_enter(&hba->lock);
	is = hba->state == PVSCSI_READY;
	mutex_exit(&hba->lock);
	return is;
}

static int
reset_all(struct pvscsi *hba)
{
	struct scope scope = { .pkt = NULL };

	if (!pvscsi_is_ready(hba))
		return 0;
	bus_reset(hba);
	if (!scope_wait(hba, &scope))
		return pvscsi_recover(hba) == 0;
	pvscsi_tell_reset(hba, NULL);
	return 1;
}

static int
reset_target(struct pvscsi *hba, struct pvscsi_target *target)
{
	struct scope scope = { .target = target };

	if (!pvscsi_is_ready(hba) || atomic_load(&target->is_gone))
		return 0;
	if (!target_reset(hba, target) || !scope_wait(hba, &scope))
		return 0;
	pvscsi_tell_reset(hba, target);
	return 1;
}

int
pvscsi_reset(struct scsi_address *ap, int level)
{
	struct pvscsi_lu *lu = pvscsi_lu_of(ap);

	switch (level) {
	case RESET_ALL:
		return reset_all(lu->hba);
	case RESET_TARGET:
		return reset_target(lu->hba, lu->target);
	default:
		return 0;	/* the chip's device reset is for a target */
	}
}

int
pvscsi_bus_reset(dev_info_t *dip, int level)
{
	struct pvscsi *hba = pvscsi_of(dip);

	if (hba == NULL || (level != RESET_BUS && level != RESET_ALL))
		return 0;
	return reset_all(hba);
}

int
pvscsi_reset_notify(struct scsi_address *ap, int flag, void (*callback)(caddr_t), caddr_t arg)
{
	struct pvscsi_lu *lu = pvscsi_lu_of(ap);

	return scsi_hba_reset_notify_setup(
	    ap, flag, callback, arg, &lu->hba->notify_lock, &lu->target->notify);
}

/*
 * Time. A command climbs one step each time it is late: abort, device reset, bus reset, and the
 * reset that cannot be ignored.
 */

enum ladder { LADDER_ABORT, LADDER_DEVICE, LADDER_BUS, LADDER_ADAPTER };

/* the next step of the command in slot @i, when it is late */
static bool
late_step(struct pvscsi *hba, uint32_t i, enum ladder *ret, uint32_t *ret_context,
    struct pvscsi_target **ret_target)
{
	uint64_t now_ns = clock_now_ns();
	struct pvscsi_cmd *cmd;
	bool is_late;

	mutex_enter(&hba->lock);
	cmd = hba->state == PVSCSI_READY ? hba->tags.slots[i].cmd : NULL;
	is_late = cmd != NULL && cmd->deadline_ns != 0 && cmd->deadline_ns <= now_ns;
	if (is_late) {
		*ret = cmd->step;
		*ret_context = cmd->context;
		*ret_target = cmd->target;
		cmd_mark(cmd, CMD_TIMEOUT, STAT_TIMEOUT);
		if (cmd->step == LADDER_ABORT)
			cmd_mark(cmd, CMD_TIMEOUT, STAT_ABORTED);
		if (cmd->step < LADDER_ADAPTER)
			cmd->step++;
		cmd->deadline_ns = now_ns + PVSCSI_GRACE_S * NS_PER_S;
	}
	mutex_exit(&hba->lock);
	return is_late;
}

static void
late_climb(struct pvscsi *hba, enum ladder step, uint32_t context, struct pvscsi_target *target)
{
	switch (step) {
	case LADDER_ABORT:
		(void)atomic_fetch_add(&hba->stats.timeouts, 1);
		abort_ask(hba, context, target->number);
		break;
	case LADDER_DEVICE:
		(void)target_reset(hba, target);
		pvscsi_tell_reset(hba, target);
		break;
	case LADDER_BUS:
		bus_reset(hba);
		pvscsi_tell_reset(hba, NULL);
		break;
	case LADDER_ADAPTER:
		(void)pvscsi_recover(hba);
		break;
	}
	pvscsi_drain_aside(hba);
}

void
pvscsi_late(struct pvscsi *hba)
{
	struct pvscsi_target *target;
	uint32_t context;
	enum ladder step;

	pvscsi_drain_aside(hba);
	for (uint32_t i = 0; i < hba->tags.n; i++) {
		if (late_step(hba, i, &step, &context, &target))
			late_climb(hba, step, context, target);
	}
}

/*
 * Quiesce.
 */

int
pvscsi_quiesce(dev_info_t *dip)
{
	struct pvscsi *hba = pvscsi_of(dip);

	if (hba == NULL)
		return -1;
	mutex_enter(&hba->lock);
	hba->is_quiesced = true;
	hba->wants_idle = true;
	while (hba->tags.used > 0)
		cv_wait(&hba->cv, &hba->lock);
	hba->wants_idle = false;
	mutex_exit(&hba->lock);
	return 0;
}

int
pvscsi_unquiesce(dev_info_t *dip)
{
	struct pvscsi *hba = pvscsi_of(dip);

	if (hba == NULL)
		return -1;
	mutex_enter(&hba->lock);
	hba->is_quiesced = false;
	mutex_exit(&hba->lock);
	return 0;
}
