/* what comes by itself: completions of the store, time, resets of the bus */
#include "hw/soft/soft_impl.h"

#include "base/clock.h"

static void soft_watch_run(void *arg);
static void soft_delay_run(void *arg);

uint_t
soft_intr(caddr_t arg1, caddr_t arg2)
{
	struct soft_queue *queue = (struct soft_queue *)(void *)arg1;

	(void)arg2;
	/* others share the loop: what the budget leaves gets an interrupt of its own */
	if (aio_reap(queue->aio, SOFT_REAP_BUDGET))
		scsad_intr_trigger(queue->vector);
	return DDI_INTR_CLAIMED;
}

static void
soft_timer_arm(struct soft_hba *hba, struct soft_timer *timer, void (*fn)(void *), clock_t us)
{
	mutex_enter(&hba->lock);
	if (!timer->is_armed && !hba->is_detaching) {
		timer->is_armed = true;
		timer->id = timeout(fn, hba, drv_usectohz(us));
	}
	mutex_exit(&hba->lock);
}

/* the timer has run out; armed again by whoever still needs it */
static void
soft_timer_begin(struct soft_hba *hba, struct soft_timer *timer)
{
	mutex_enter(&hba->lock);
	timer->is_armed = false;
	hba->ntimers++;
	mutex_exit(&hba->lock);
}

static void
soft_timer_end(struct soft_hba *hba)
{
	mutex_enter(&hba->lock);
	if (--hba->ntimers == 0)
		cv_broadcast(&hba->cv);
	mutex_exit(&hba->lock);
}

static void
soft_watch_arm(struct soft_hba *hba)
{
	soft_timer_arm(hba, &hba->watch, soft_watch_run, SOFT_WATCH_US);
}

static void
soft_delay_arm(struct soft_hba *hba)
{
	soft_timer_arm(hba, &hba->delay, soft_delay_run, SOFT_DELAY_US);
}

/* onto the pending list, where abort, reset and time find it; false: the unit has been removed,
 * and nobody will look at its list for commands that are held any more */
static bool
soft_append(struct soft_cmd *cmd, enum soft_cmd_state state)
{
	struct soft_unit *unit = cmd->unit;
	struct soft_hba *hba = unit->hba;
	bool has_deadline = cmd->pkt->pkt_time != 0;

	if (has_deadline && cmd->deadline_ns == 0)
		cmd->deadline_ns = clock_now_ns() + cmd->pkt->pkt_time * NS_PER_S;
	mutex_enter(&unit->lock);
	if (atomic_load(&unit->is_gone) && state == SOFT_HELD) {
		mutex_exit(&unit->lock);
		return false;
	}
	soft_move(cmd, state);
	TAILQ_INSERT_TAIL(&unit->pending, cmd, link);
	if (atomic_load(&unit->is_gone))
		soft_mark(unit, cmd, CMD_DEV_GONE, 0);
	soft_busy_add(unit);
	mutex_exit(&unit->lock);
	/* command and unit may be gone by now: nothing of them is looked at below */
	if (has_deadline)
		soft_watch_arm(hba);
	return true;
}

void
soft_hold(struct soft_cmd *cmd, uint64_t due_ns)
{
	struct soft_hba *hba = cmd->unit->hba;

	cmd->due_ns = due_ns;
	if (!soft_append(cmd, SOFT_HELD)) {
		cmd->why = CMD_DEV_GONE;
		soft_finish(cmd);
		return;
	}
	if (due_ns != SOFT_NEVER)
		soft_delay_arm(hba);
}

void
soft_wait(struct disk_cmd *disk)
{
	struct soft_cmd *cmd = container_of(disk, struct soft_cmd, disk);

	(void)soft_append(cmd, SOFT_WAITING);
}

void
soft_want_reset(struct soft_hba *hba)
{
	mutex_enter(&hba->lock);
	hba->has_reset_due = true;
	mutex_exit(&hba->lock);
	soft_delay_arm(hba);
}

/* does a command of @unit wait for its deadline? */
static bool
soft_has_deadline(struct soft_unit *unit)
{
	struct soft_cmd *cmd;
	bool has = false;

	mutex_enter(&unit->lock);
	TAILQ_FOREACH(cmd, &unit->pending, link)
		has = has || cmd->deadline_ns != 0;
	mutex_exit(&unit->lock);
	return has;
}

static void
soft_watch_run(void *arg)
{
	static const struct soft_end timed_out = { CMD_TIMEOUT, STAT_TIMEOUT | STAT_ABORTED,
		FAULT_UNTIL_LUN };
	struct soft_hba *hba = arg;
	struct soft_cmd_list dead = TAILQ_HEAD_INITIALIZER(dead);
	uint64_t now_ns = clock_now_ns();
	struct soft_unit *unit;
	bool want_more = false;

	soft_timer_begin(hba, &hba->watch);
	for (unit = soft_busy_next(hba, NULL); unit != NULL; unit = soft_busy_next(hba, unit)) {
		(void)soft_unit_kill(unit, NULL, now_ns, &timed_out, &dead);
		want_more = soft_has_deadline(unit) || want_more;
	}
	if (want_more)
		soft_watch_arm(hba);
	soft_finish_all(&dead);
	soft_timer_end(hba);
}

/* take the delayed commands whose time has come off @unit; are there others? */
static bool
soft_take_due(struct soft_unit *unit, uint64_t now_ns, struct soft_cmd_list *due)
{
	struct soft_cmd *cmd, *next;
	bool has_more = false;

	mutex_enter(&unit->lock);
	for (cmd = TAILQ_FIRST(&unit->pending); cmd != NULL; cmd = next) {
		next = TAILQ_NEXT(cmd, link);
		if (cmd->state != SOFT_HELD || cmd->due_ns == SOFT_NEVER)
			continue;
		if (cmd->due_ns > now_ns) {
			has_more = true;
			continue;
		}
		TAILQ_REMOVE(&unit->pending, cmd, link);
		soft_move(cmd, SOFT_RUNNING);
		TAILQ_INSERT_TAIL(due, cmd, link);
	}
	mutex_exit(&unit->lock);
	return has_more;
}

static bool
soft_take_reset(struct soft_hba *hba)
{
	bool was_due;

	mutex_enter(&hba->lock);
	was_due = hba->has_reset_due;
	hba->has_reset_due = false;
	mutex_exit(&hba->lock);
	return was_due;
}

static void
soft_delay_run(void *arg)
{
	struct soft_hba *hba = arg;
	struct soft_cmd_list due = TAILQ_HEAD_INITIALIZER(due);
	struct soft_unit *unit;
	struct soft_cmd *cmd;
	bool want_more = false;

	soft_timer_begin(hba, &hba->delay);
	if (soft_take_reset(hba))
		(void)soft_bus_was_reset(hba);
	for (unit = soft_busy_next(hba, NULL); unit != NULL; unit = soft_busy_next(hba, unit))
		want_more = soft_take_due(unit, clock_now_ns(), &due) || want_more;
	if (want_more)
		soft_delay_arm(hba);
	while ((cmd = TAILQ_FIRST(&due)) != NULL) {
		TAILQ_REMOVE(&due, cmd, link);
		soft_execute(cmd);
	}
	soft_timer_end(hba);
}

static void
soft_timer_stop(struct soft_hba *hba, struct soft_timer *timer)
{
	timeout_id_t id;

	mutex_enter(&hba->lock);
	id = timer->is_armed ? timer->id : NULL;
	mutex_exit(&hba->lock);
	/* called off, it will not say that it ran */
	if (id != NULL && untimeout(id) >= 0)
		timer->is_armed = false;
}

void
soft_timers_stop(struct soft_hba *hba)
{
	mutex_enter(&hba->lock);
	hba->is_detaching = true;
	mutex_exit(&hba->lock);
	soft_timer_stop(hba, &hba->watch);
	soft_timer_stop(hba, &hba->delay);
	mutex_enter(&hba->lock);
	while (hba->ntimers > 0)
		cv_wait(&hba->cv, &hba->lock);
	mutex_exit(&hba->lock);
}
