/* an adapter that cannot go on: noticing it, ending what it had, building it anew; and time */
#include "hw/virtio_scsi/virtio_scsi.h"

#include <errno.h>
#include <sys/disp.h>

#define START_TRIES	3
#define START_WAIT_MS	200	/* before the next try, longer each time */
#define EXPIRED_MAX	64	/* packets that are ended in one go */

const struct sm_state vs_states[VS_STATE_N] = {
	[VS_DOWN]     = { "down",     SM_TO(VS_STARTING) | SM_TO(VS_DEAD) },
	[VS_STARTING] = { "starting", SM_TO(VS_READY) | SM_TO(VS_HELD) | SM_TO(VS_FAILED) |
	                              SM_TO(VS_DEAD) },
	[VS_READY]    = { "ready",    SM_TO(VS_HELD) | SM_TO(VS_FAILED) },
	[VS_HELD]     = { "held",     SM_TO(VS_READY) | SM_TO(VS_FAILED) },
	[VS_FAILED]   = { "failed",   SM_TO(VS_STARTING) | SM_TO(VS_DEAD) },
	[VS_DEAD]     = { "dead",     0 },
};

/* what packets end with that were in flight */
static const struct {
	const char *text;
	uint8_t reason;
	unsigned int stats;
	bool is_liar;		/* its rings are not looked at any more */
} whys[VS_WHY_N] = {
	[VS_WHY_NONE] = { "none", CMD_RESET, STAT_BUS_RESET, false },
	[VS_WHY_WANTS_RESET] = { "wants-reset", CMD_RESET, STAT_BUS_RESET, false },
	[VS_WHY_STUCK] = { "stuck", CMD_RESET, STAT_BUS_RESET, false },
	[VS_WHY_ASKED] = { "asked", CMD_RESET, STAT_BUS_RESET, false },
	[VS_WHY_LIED] = { "lied", CMD_TRAN_ERR, 0, true },
	[VS_WHY_STORM] = { "interrupts", CMD_TRAN_ERR, 0, true },
	[VS_WHY_GONE] = { "gone", CMD_DEV_GONE, 0, true },
};

const char *
vs_why_text(enum vs_why why)
{
	return whys[why].text;
}

bool
vs_move(struct vs_hba *hba, enum vs_state to)
{
	unsigned int state = atomic_load(&hba->state);

	do {
		if (!sm_can(vs_states, state, to))
			return false;
	} while (!atomic_compare_exchange_weak(&hba->state, &state, to));
	return true;
}

void
vs_fail(struct vs_hba *hba, enum vs_why why)
{
	unsigned int none = VS_WHY_NONE;

	if (!atomic_compare_exchange_strong(&hba->why, &none, why) || !vs_move(hba, VS_FAILED))
		return;
	vs_want(hba, VS_WORK_RECOVER);
}

/*
 * Recovery.
 */

/* a liar is not listened to any more */
static void
queues_stop(struct vs_hba *hba)
{
	for (unsigned int i = 0; i < hba->nqueues; i++) {
		mutex_enter(&hba->queues[i].lock);
		hba->queues[i].is_live = false;
		mutex_exit(&hba->queues[i].lock);
	}
	mutex_enter(&hba->control.lock);
	hba->control.is_live = false;
	mutex_exit(&hba->control.lock);
	mutex_enter(&hba->events.lock);
	hba->events.is_live = false;
	mutex_exit(&hba->events.lock);
}

/* the device has let go of everything: end it */
static void
commands_end(struct vs_hba *hba, enum vs_why why)
{
	struct vs_cmd_list list = STAILQ_HEAD_INITIALIZER(list);
	struct vs_cmd *cmd;

	for (unsigned int i = 0; i < hba->nqueues; i++)
		vs_queue_take_all(&hba->queues[i], &list);
	STAILQ_FOREACH(cmd, &list, link)
		vs_cmd_fill_end(cmd, whys[why].reason, whys[why].stats);
	vs_deliver(&list);
}

/* too often of late? Then it is dead: nobody is served by an adapter that fails for ever */
static bool
is_hopeless(struct vs_hba *hba, enum vs_why why)
{
	uint64_t now = (uint64_t)gethrtime() / NANOSEC;
	uint64_t *at = &hba->failures_at[hba->nfailures % VS_FAILURES_MAX];
	bool is = hba->nfailures >= VS_FAILURES_MAX && now - *at < VS_FAILURES_S;

	(void)atomic_fetch_add(&hba->counts.failures, 1);
	/* somebody wanted that */
	if (why == VS_WHY_ASKED)
		return false;
	*at = now;
	hba->nfailures++;
	return is;
}

static bool
start_again(struct vs_hba *hba)
{
	(void)vs_move(hba, VS_STARTING);
	/* it may fail anew, and for another reason, as soon as it runs */
	atomic_store(&hba->why, VS_WHY_NONE);
	for (int try = 0; try < START_TRIES; try++) {
		if (try > 0)
			delay(drv_usectohz(START_WAIT_MS * MILLISEC * try));
		if (vs_device_start(hba) == 0)
			return true;
		if (vs_device_reset(hba, false) < 0)
			return false;
	}
	return false;
}

static void
wake(struct vs_hba *hba)
{
	mutex_enter(&hba->lock);
	cv_broadcast(&hba->cv);
	mutex_exit(&hba->lock);
}

static void
die(struct vs_hba *hba, enum vs_why why)
{
	(void)vs_move(hba, VS_DEAD);
	queues_stop(hba);
	vs_intr_off(hba);
	vs_publish(hba);
	wake(hba);
	if (why == VS_WHY_GONE)
		vs_targets_gone(hba);
}

/* back to work, unless somebody wants it quiet, or it has failed again meanwhile */
static void
resume(struct vs_hba *hba)
{
	bool is_quiesced;

	mutex_enter(&hba->lock);
	is_quiesced = hba->is_quiesced;
	mutex_exit(&hba->lock);
	(void)vs_move(hba, is_quiesced ? VS_HELD : VS_READY);
	vs_publish(hba);
	wake(hba);
	vs_tell_reset(hba, -1, -1);
	vs_want(hba, VS_WORK_SCAN);
}

static void
recover(struct vs_hba *hba)
{
	enum vs_why why = (enum vs_why)atomic_load(&hba->why);
	int r;

	if (vs_state(hba) != VS_FAILED)
		return;
	atomic_store(&hba->last_why, why);
	vs_publish(hba);
	if (whys[why].is_liar)
		queues_stop(hba);
	(void)atomic_fetch_add(&hba->bus_resets, 1);
	r = vs_device_reset(hba, whys[why].is_liar);
	/* what was finished before the reset is */
	if (!whys[why].is_liar && r == 0)
		vs_reap_all(hba);
	commands_end(hba, r == -ENODEV ? VS_WHY_GONE : why);
	(void)atomic_fetch_sub(&hba->bus_resets, 1);
	if (r < 0 || is_hopeless(hba, why) || !start_again(hba))
		die(hba, r == -ENODEV ? VS_WHY_GONE : why);
	else
		resume(hba);
}

/*
 * Packets whose time is over.
 */

struct expired {
	uint64_t id;
	uint8_t wire[8];
};

/* the device still has it after it was asked to end it */
static bool
end_expired(struct vs_hba *hba, const struct expired *one)
{
	(void)vs_tmf(hba, one->wire, VS_TMF_ABORT_TASK, one->id);
	vs_reap_all(hba);
	if (!vs_queue_has(hba, one->id))
		return true;
	if (vs_tmf_is_good(vs_tmf(hba, one->wire, VS_TMF_LOGICAL_UNIT_RESET, 0))) {
		vs_reap_all(hba);
		vs_tell_reset(hba, one->wire[1], one->wire[3] | (one->wire[2] & 0x3f) << 8);
	}
	return !vs_queue_has(hba, one->id);
}

/* ids of packets that the watch has marked, and that nobody has ended yet */
static unsigned int
expired_collect(struct vs_hba *hba, struct expired *list)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < hba->nqueues; i++) {
		struct vs_queue *queue = &hba->queues[i];

		mutex_enter(&queue->lock);
		for (uint16_t slot = 0; slot < queue->depth && n < EXPIRED_MAX; slot++) {
			const struct vs_cmd *cmd = queue->cmds[slot];

			if (cmd == NULL || !cmd->is_expired)
				continue;
			list[n].id = cmd->id;
			vs_queue_lun(queue, slot, list[n++].wire);
		}
		mutex_exit(&queue->lock);
	}
	return n;
}

static void
expired_work(struct vs_hba *hba)
{
	struct expired list[EXPIRED_MAX];
	unsigned int n = expired_collect(hba, list);

	for (unsigned int i = 0; i < n; i++) {
		if (vs_state(hba) != VS_READY && vs_state(hba) != VS_HELD)
			return;
		if (vs_queue_has(hba, list[i].id) && !end_expired(hba, &list[i])) {
			vs_fail(hba, VS_WHY_STUCK);
			return;
		}
	}
	if (n == EXPIRED_MAX)
		vs_want(hba, VS_WORK_EXPIRED);
}

/*
 * Lanes: a thread each.
 */

static void
work_do(struct vs_hba *hba, unsigned int work)
{
	if ((work & VS_WORK_RECOVER) != 0)
		recover(hba);
	if ((work & VS_WORK_EXPIRED) != 0)
		expired_work(hba);
	if ((work & VS_WORK_EVENTS) != 0)
		vs_events_work(hba);
	if ((work & VS_WORK_RECHECK) != 0)
		vs_recheck_work(hba);
	if ((work & VS_WORK_SCAN) != 0)
		vs_scan_work(hba);
}

static void
lane_run(void *arg)
{
	struct vs_lane *lane = arg;
	unsigned int work;

	do {
		while ((work = atomic_exchange(&lane->work, 0)) != 0) {
			if (!atomic_load(&lane->is_closed))
				work_do(lane->hba, work);
		}
		atomic_store(&lane->is_working, false);
		/* what came in between has found us working */
	} while (atomic_load(&lane->work) != 0 && !atomic_exchange(&lane->is_working, true));
}

/* true: there is work, and nobody who does it, for lack of memory */
static bool
lane_dispatch(struct vs_lane *lane)
{
	if (atomic_load(&lane->work) == 0 || atomic_load(&lane->is_closed) ||
	    atomic_exchange(&lane->is_working, true))
		return false;
	if (ddi_taskq_dispatch(lane->thread, lane_run, lane, DDI_NOSLEEP) == DDI_SUCCESS)
		return false;
	atomic_store(&lane->is_working, false);
	return true;
}

void
vs_want(struct vs_hba *hba, unsigned int work)
{
	struct vs_lane *lane =
	    &hba->lanes[(work & VS_WORK_OF_SCOUT) != 0 ? VS_SCOUT : VS_RESCUE];

	(void)atomic_fetch_or(&lane->work, work);
	if (lane_dispatch(lane))
		vs_watch_need(hba);
}

int
vs_lanes_open(struct vs_hba *hba)
{
	static const char *const names[VS_LANE_N] = {
		[VS_RESCUE] = "vs_rescue",
		[VS_SCOUT] = "vs_scout",
	};

	for (unsigned int i = 0; i < VS_LANE_N; i++) {
		hba->lanes[i].hba = hba;
		hba->lanes[i].thread =
		    ddi_taskq_create(hba->dip, names[i], 1, TASKQ_DEFAULTPRI, 0);
		if (hba->lanes[i].thread == NULL)
			return DDI_FAILURE;
	}
	return DDI_SUCCESS;
}

void
vs_lane_close(struct vs_hba *hba, enum vs_lane_kind kind)
{
	struct vs_lane *lane = &hba->lanes[kind];

	atomic_store(&lane->is_closed, true);
	if (lane->thread != NULL)
		ddi_taskq_wait(lane->thread);
}

void
vs_lanes_free(struct vs_hba *hba)
{
	for (unsigned int i = 0; i < VS_LANE_N; i++) {
		if (hba->lanes[i].thread != NULL)
			ddi_taskq_destroy(STEAL(hba->lanes[i].thread));
	}
}

/*
 * The watch.
 */

static uint64_t
tick_now(void)
{
	return (uint64_t)gethrtime() / (VS_TICK_MS * (NANOSEC / MILLISEC));
}

/* mark what is over; does the queue have anything? What was issued since the tick before knew
 * no better time than that: if it was long ago, time is added, so that nothing is over early */
static bool
queue_watch(struct vs_queue *queue, uint64_t before, uint64_t now, bool *ret_expired)
{
	bool is_busy;

	mutex_enter(&queue->lock);
	is_busy = queue->nfree < queue->depth;
	for (uint16_t slot = 0; slot < queue->depth && is_busy; slot++) {
		struct vs_cmd *cmd = queue->cmds[slot];

		if (cmd == NULL || cmd->is_expired || cmd->deadline == 0)
			continue;
		if (cmd->issued == before && now > before) {
			cmd->deadline += now - before - 1;
			cmd->issued = now;
		}
		if (cmd->deadline > now)
			continue;
		cmd->is_expired = true;
		*ret_expired = true;
		(void)atomic_fetch_add(&queue->hba->counts.timeouts, 1);
	}
	mutex_exit(&queue->lock);
	return is_busy;
}

static bool
queues_watch(struct vs_hba *hba, uint64_t before, uint64_t now)
{
	bool is_busy = false, has_expired = false;

	for (unsigned int i = 0; i < hba->nqueues; i++)
		is_busy = queue_watch(&hba->queues[i], before, now, &has_expired) || is_busy;
	if (has_expired)
		vs_want(hba, VS_WORK_EXPIRED);
	return is_busy;
}

/* does a target wait to be looked at? */
static bool
targets_watch(struct vs_hba *hba, uint64_t now)
{
	bool is_waiting = false, is_due = false;

	for (unsigned int t = 0; t < VS_TARGETS; t++) {
		uint64_t early = atomic_load(&hba->targets[t].recheck);
		uint64_t late = atomic_load(&hba->targets[t].recheck_late);

		is_waiting = is_waiting || early != 0 || late != 0;
		is_due = is_due || (early != 0 && early <= now) || (late != 0 && late <= now);
	}
	if (is_due)
		vs_want(hba, VS_WORK_RECHECK);
	return is_waiting;
}

static bool
vectors_watch(struct vs_hba *hba)
{
	bool was_idle = false;

	for (unsigned int i = 0; i < VS_VECTORS_MAX; i++)
		was_idle = atomic_exchange(&hba->vectors[i].idle, 0) != 0 || was_idle;
	return was_idle;
}

/* a device with so much to say is not to be listened to */
static bool
events_watch(struct vs_hba *hba)
{
	uint64_t n = atomic_load(&hba->counts.events), before = hba->events_before;

	hba->events_before = n;
	if (n - before > VS_EVENTS_MAX)
		vs_fail(hba, VS_WHY_STORM);
	return n != before;
}

/* true: there is something to watch */
static bool
watch_look(struct vs_hba *hba)
{
	uint64_t now = tick_now(), before = atomic_exchange(&hba->tick, now);
	bool is_busy;

	vs_look(hba);
	is_busy = queues_watch(hba, before, now);
	is_busy = events_watch(hba) || is_busy;
	is_busy = targets_watch(hba, now) || is_busy;
	is_busy = vectors_watch(hba) || is_busy;
	for (unsigned int i = 0; i < VS_LANE_N; i++)
		is_busy = lane_dispatch(&hba->lanes[i]) || is_busy;
	return is_busy;
}

static void watch_run(void *arg);

static void
watch_arm(struct vs_hba *hba)
{
	mutex_enter(&hba->lock);
	if (!hba->is_armed && !hba->is_detaching) {
		hba->is_armed = true;
		hba->watch = timeout(watch_run, hba, drv_usectohz(VS_TICK_MS * MILLISEC));
	}
	mutex_exit(&hba->lock);
}

static void
watch_run(void *arg)
{
	struct vs_hba *hba = arg;
	bool is_busy;

	mutex_enter(&hba->lock);
	hba->is_armed = false;
	hba->nwatches++;
	mutex_exit(&hba->lock);
	is_busy = watch_look(hba);
	if (!is_busy) {
		/* what is submitted from now on wakes us; what was submitted before, we see */
		atomic_store(&hba->is_watching, false);
		is_busy = watch_look(hba) && !atomic_exchange(&hba->is_watching, true);
	}
	if (is_busy)
		watch_arm(hba);
	mutex_enter(&hba->lock);
	if (--hba->nwatches == 0)
		cv_broadcast(&hba->cv);
	mutex_exit(&hba->lock);
}

void
vs_watch_start(struct vs_hba *hba)
{
	/* the time first: who sees that somebody watches, reads it */
	atomic_store(&hba->tick, tick_now());
	if (!atomic_exchange(&hba->is_watching, true))
		watch_arm(hba);
}

void
vs_watch_stop(struct vs_hba *hba)
{
	timeout_id_t id;

	mutex_enter(&hba->lock);
	hba->is_detaching = true;
	id = hba->is_armed ? hba->watch : NULL;
	mutex_exit(&hba->lock);
	if (id != NULL)
		(void)untimeout(id);
	mutex_enter(&hba->lock);
	while (hba->nwatches > 0)
		cv_wait(&hba->cv, &hba->lock);
	mutex_exit(&hba->lock);
}
