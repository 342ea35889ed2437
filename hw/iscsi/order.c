/* orders, as the session's thread carries them out */
#include "hw/iscsi/iscsi_hba_impl.h"

#include "base/clock.h"

/* what goes out, what comes of it, and what the commands of it end with */
static const struct {
	enum wire_task task;
	bool is_barrier;	/* nothing else is sent meanwhile */
	bool is_reset;		/* clients are told; if it is refused, a new session does it */
	bool is_target;		/* of all LUNs */
} whats[IH_WHAT_N] = {
	[IH_ABORT] = { .task = WIRE_ABORT_TASK },
	[IH_CLEAR] = { .task = WIRE_ABORT_TASK_SET, .is_barrier = true },
	[IH_RESET_LUN] = { .task = WIRE_LUN_RESET, .is_barrier = true, .is_reset = true },
	[IH_RESET_TARGET] = { .task = WIRE_TARGET_RESET, .is_barrier = true, .is_reset = true,
		.is_target = true },
	[IH_RESET_BUS] = { .task = WIRE_TARGET_RESET, .is_barrier = true, .is_reset = true,
		.is_target = true },
};

/* the last touch: who waits for it may be gone with it then */
static void
order_over(struct ih_session *s, struct ih_order *o, bool is_done)
{
	mutex_enter(&s->lock);
	o->is_done = is_done;
	o->is_over = true;
	o->is_used = false;
	cv_broadcast(&s->cv);
	mutex_exit(&s->lock);
}

/* the command an order names, if it is still that use of it */
static struct ih_cmd *
order_cmd(struct ih_session *s, const struct ih_order *o)
{
	struct ih_cmd *cmd;

	mutex_enter(&s->lock);
	TAILQ_FOREACH(cmd, &s->sent, link) {
		if (cmd == o->cmd && cmd->serial == o->serial)
			break;
	}
	mutex_exit(&s->lock);
	return cmd;
}

/* a sent command is over: the target says that it will not touch it any more */
static void
cmd_kill(struct ih_session *s, struct ih_cmd *cmd, const struct ih_order *o)
{
	ih_mark(cmd, o->why, o->stats);
	wire_forget(s->wire, cmd->slot);
	ih_done(s, cmd);
}

/* all commands an order is about end. One that is in libiscsi, unsent, cannot be taken back:
 * with a new session it is */
static void
cmds_kill(struct ih_session *s, const struct ih_order *o)
{
	int lun = whats[o->what].is_target ? IH_ANY_LUN : o->lun;
	struct ih_cmd *cmd, *next;

	mutex_enter(&s->lock);
	(void)ih_take_queued(s, lun, o->why, o->stats, &s->done);
	mutex_exit(&s->lock);
	/* only this thread changes the list */
	for (cmd = TAILQ_FIRST(&s->sent); cmd != NULL; cmd = next) {
		next = TAILQ_NEXT(cmd, link);
		if (!ih_is_of(cmd, lun))
			continue;
		if (wire_is_sent(s->wire, cmd->slot)) {
			cmd_kill(s, cmd, o);
			continue;
		}
		ih_mark(cmd, o->why, o->stats);
		s->is_relogin = true;
	}
}

static void
units_mark(struct ih_session *s, const struct ih_order *o)
{
	struct ih_unit *unit;

	mutex_enter(&s->lock);
	LIST_FOREACH(unit, &s->units, link) {
		if (whats[o->what].is_target || unit->lun == o->lun)
			unit->is_marked = true;
	}
	mutex_exit(&s->lock);
}

/* the target did not do it: a new session ends all that this one has under way */
static void
order_relogin(struct ih_session *s, struct ih_order *o)
{
	struct ih_cmd *cmd;

	mutex_enter(&s->lock);
	(void)ih_take_queued(s, whats[o->what].is_target ? IH_ANY_LUN : o->lun, o->why,
	    o->stats, &s->done);
	TAILQ_FOREACH(cmd, &s->sent, link) {
		if (ih_is_of(cmd, whats[o->what].is_target ? IH_ANY_LUN : o->lun))
			ih_mark(cmd, o->why, o->stats);
	}
	mutex_exit(&s->lock);
	units_mark(s, o);
	o->is_relogin = s->is_relogin = true;
	TAILQ_INSERT_TAIL(&s->active, o, link);
	s->nbarriers++;
}

/* it failed. true: there is another way, to be begun; else it is over, or a new session does
 * it */
static bool
order_next(struct ih_session *s, struct ih_order *o)
{
	if (o->what == IH_ABORT && o->is_own && order_cmd(s, o) != NULL) {
		/* the next rung, for a command whose time is over */
		o->what = IH_RESET_LUN;
		o->why = CMD_RESET;
		o->stats = STAT_DEV_RESET;
		return true;
	}
	if (whats[o->what].is_target || (o->what == IH_RESET_LUN && o->is_own))
		order_relogin(s, o);
	else
		order_over(s, o, false);
	return false;
}

static bool
order_send(struct ih_session *s, struct ih_order *o, uint64_t now_ns)
{
	const struct ih_cmd *cmd = o->what == IH_ABORT ? order_cmd(s, o) : NULL;

	if (o->what == IH_ABORT && (cmd == NULL || !wire_is_sent(s->wire, cmd->slot)))
		return false;
	if (wire_task(s->wire, &o->tmf, whats[o->what].task, o->lun,
	    cmd == NULL ? NULL : cmd->slot) < 0)
		return false;
	o->deadline_ns = now_ns + s->conf.task_ms * NS_PER_MS;
	s->nbarriers += whats[o->what].is_barrier;
	TAILQ_INSERT_TAIL(&s->active, o, link);
	return true;
}

static void
order_begin(struct ih_session *s, struct ih_order *o, uint64_t now_ns)
{
	while (!order_send(s, o, now_ns) && order_next(s, o))
		continue;
}

/* UNKNOWN: the target has no such command, and has not answered it. It never will */
static void
abort_answered(struct ih_session *s, struct ih_order *o, uint8_t response)
{
	struct ih_cmd *cmd = order_cmd(s, o);

	if (cmd != NULL && (response == WIRE_TASK_DONE || response == WIRE_TASK_UNKNOWN)) {
		cmd_kill(s, cmd, o);
		order_over(s, o, true);
	} else if (order_next(s, o)) {
		order_begin(s, o, clock_now_ns());
	}
}

void
ih_tmf_answered(void *arg, struct wire_tmf *tmf, uint8_t response)
{
	struct ih_order *o = container_of(tmf, struct ih_order, tmf);
	struct ih_session *s = arg;

	TAILQ_REMOVE(&s->active, o, link);
	s->nbarriers -= whats[o->what].is_barrier;
	if (o->what == IH_ABORT) {
		abort_answered(s, o, response);
		return;
	}
	if (response != WIRE_TASK_DONE) {
		(void)order_next(s, o);
		return;
	}
	cmds_kill(s, o);
	if (whats[o->what].is_reset)
		units_mark(s, o);
	order_over(s, o, true);
}

void
ih_orders_run(struct ih_session *s, uint64_t now_ns)
{
	struct ih_orders orders = TAILQ_HEAD_INITIALIZER(orders);
	struct ih_order *o;

	mutex_enter(&s->lock);
	TAILQ_CONCAT(&orders, &s->orders, link);
	mutex_exit(&s->lock);
	while ((o = TAILQ_FIRST(&orders)) != NULL) {
		TAILQ_REMOVE(&orders, o, link);
		if (s->state == IH_UP)
			order_begin(s, o, now_ns);
		else
			order_over(s, o, false);
	}
}

void
ih_orders_fail(struct ih_session *s)
{
	struct ih_order *o;

	while ((o = TAILQ_FIRST(&s->active)) != NULL) {
		TAILQ_REMOVE(&s->active, o, link);
		order_over(s, o, o->is_relogin);
	}
	s->nbarriers = 0;
}

/* one of our own; NULL: all are under way, the next tick has one */
static struct ih_order *
order_own(struct ih_session *s)
{
	for (unsigned int i = 0; i < IH_ORDERS; i++) {
		if (!s->own[i].is_used) {
			s->own[i] = (struct ih_order){ .is_own = true, .is_used = true };
			return &s->own[i];
		}
	}
	return NULL;
}

/* commands whose time is over become orders */
static void
cmds_expire(struct ih_session *s, uint64_t now_ns)
{
	struct ih_cmd *cmd;
	struct ih_order *o;

	mutex_enter(&s->lock);
	TAILQ_FOREACH(cmd, &s->sent, link) {
		if (cmd->deadline_ns > now_ns || (o = order_own(s)) == NULL)
			continue;
		cmd->deadline_ns = IH_NEVER;
		ih_mark(cmd, CMD_TIMEOUT, STAT_TIMEOUT);
		o->what = IH_ABORT;
		o->lun = cmd->unit->lun;
		o->cmd = cmd;
		o->serial = cmd->serial;
		o->why = CMD_ABORTED;
		o->stats = STAT_ABORTED;
		TAILQ_INSERT_TAIL(&s->orders, o, link);
	}
	mutex_exit(&s->lock);
}

void
ih_times_run(struct ih_session *s, uint64_t now_ns)
{
	const struct ih_order *o;

	if (now_ns - s->tick_ns < IH_TICK_MS * NS_PER_MS)
		return;
	s->tick_ns = now_ns;
	TAILQ_FOREACH(o, &s->active, link) {
		if (!o->is_relogin && o->deadline_ns <= now_ns)
			break;
	}
	if (o != NULL) {
		ih_lose(s, now_ns, "the target does not answer a task management function");
		return;
	}
	cmds_expire(s, now_ns);
	ih_orders_run(s, now_ns);
}

/* a marked unit, held; NULL: no more */
static struct ih_unit *
unit_hold_marked(struct ih_session *s)
{
	struct ih_unit *unit;

	mutex_enter(&s->lock);
	LIST_FOREACH(unit, &s->units, link) {
		if (unit->is_marked)
			break;
	}
	if (unit != NULL) {
		unit->is_marked = false;
		unit->holds++;
	}
	mutex_exit(&s->lock);
	return unit;
}

void
ih_tell_resets(struct ih_session *s)
{
	struct ih_unit *unit;

	while ((unit = unit_hold_marked(s)) != NULL) {
		mutex_enter(&s->hba->notify_lock);
		scsi_hba_reset_notify_callback(&s->hba->notify_lock, &unit->notify);
		mutex_exit(&s->hba->notify_lock);
		mutex_enter(&s->lock);
		if (--unit->holds == 0)
			cv_broadcast(&s->cv);
		mutex_exit(&s->lock);
	}
}
