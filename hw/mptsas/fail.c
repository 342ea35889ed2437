/* an adapter that cannot be trusted: stopped at once, reset, brought up again or given up */
#include "hw/mptsas/mptsas.h"

#include <errno.h>

#include "base/clock.h"

#define RETRIES		3		/* of one bring-up */
#define RETRY_US	1000000
#define REBOOT_US	50000		/* registers mean nothing for so long after a reset */
#define LEAVE_STEP_US	10

const struct sm_state mptsas_states[MPTSAS_STATE_N] = {
    [MPTSAS_OFF] = {"off", SM_TO(MPTSAS_READY)},
    [MPTSAS_READY] = {"ready", SM_TO(MPTSAS_FAILED) | SM_TO(MPTSAS_OFF)},
    [MPTSAS_FAILED] = {"failed", SM_TO(MPTSAS_RESETTING) | SM_TO(MPTSAS_OFF)},
    [MPTSAS_RESETTING] = {"resetting",
	SM_TO(MPTSAS_READY) | SM_TO(MPTSAS_DEAD) | SM_TO(MPTSAS_OFF)},
    [MPTSAS_DEAD] = {"dead", SM_TO(MPTSAS_OFF)},
};

/* what becomes of commands in flight */
static const struct {
	uint8_t reason;
	uint_t stats;
} endings[MPTSAS_FAULT_N] = {
	[MPTSAS_FAULT_NONE] = { CMD_RESET, STAT_BUS_RESET },
	[MPTSAS_FAULT_LIE] = { CMD_TRAN_ERR, 0 },
	[MPTSAS_FAULT_GONE] = { CMD_TRAN_ERR, 0 },
	[MPTSAS_FAULT_IOC] = { CMD_RESET, STAT_BUS_RESET },
	[MPTSAS_FAULT_SILENCE] = { CMD_RESET, STAT_BUS_RESET },
	[MPTSAS_FAULT_ASKED] = { CMD_RESET, STAT_BUS_RESET },
};

void
mptsas_work_add(struct mptsas_hba *hba, enum mptsas_work work)
{
	hba->work |= 1u << work;
	cv_broadcast(&hba->cv);
}

void
mptsas_fail(struct mptsas_hba *hba, enum mptsas_fault fault, const char *what)
{
	bool is_first;

	/* the worker waits until this is over */
	(void)atomic_fetch_add(&hba->touching, 1);
	mutex_enter(&hba->lock);
	is_first = hba->state == MPTSAS_READY;
	if (is_first) {
		(void)sm_move(mptsas_states, &hba->state, MPTSAS_FAILED);
		atomic_store(&hba->can_touch, false);
		hba->fault = fault;
		hba->why = what;
		hba->failures++;
		mptsas_work_add(hba, MPTSAS_WORK_FAIL);
	}
	mutex_exit(&hba->lock);
	if (is_first) {
		/* whatever it still means to write goes nowhere from here on */
		mptsas_bus_master(hba, false);
		mptsas_put(hba, MPT_INT_MASK, MPT_INT_ALL);
		dev_err(hba->dip, CE_WARN, "adapter failed: %s", what);
	}
	mptsas_touch_end(hba);
}

/* how it is, for whoever looks at the node; not in interrupt context */
static void
state_tell(struct mptsas_hba *hba)
{
	const char *name, *why;
	int failures;

	mutex_enter(&hba->lock);
	name = mptsas_states[hba->state].name;
	why = hba->why;
	failures = (int)hba->failures;
	mutex_exit(&hba->lock);
	(void)ddi_prop_update_string(DDI_DEV_T_NONE, hba->dip, "hba-state", name);
	(void)ddi_prop_update_string(DDI_DEV_T_NONE, hba->dip, "hba-why", why);
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, hba->dip, "hba-failures", failures);
}

static void
count_tell(struct mptsas_hba *hba, const char *name, const _Atomic uint64_t *count)
{
	(void)ddi_prop_update_int64(
	    DDI_DEV_T_NONE, hba->dip, name, (int64_t)atomic_load(count));
}

static void
counts_tell(struct mptsas_hba *hba)
{
	count_tell(hba, "hba-aborts", &hba->counts.aborts);
	count_tell(hba, "hba-resets", &hba->counts.resets);
	count_tell(hba, "hba-timeouts", &hba->counts.timeouts);
	count_tell(hba, "hba-queue-full", &hba->counts.queue_full);
	count_tell(hba, "hba-events", &hba->counts.events);
	count_tell(hba, "hba-stale-replies", &hba->counts.stale);
	count_tell(hba, "hba-recoveries", &hba->counts.recoveries);
}

static void
state_set(struct mptsas_hba *hba, enum mptsas_state state)
{
	mutex_enter(&hba->lock);
	(void)sm_move(mptsas_states, &hba->state, state);
	if (state == MPTSAS_DEAD)
		atomic_store(&hba->is_dead, true);
	cv_broadcast(&hba->cv);
	mutex_exit(&hba->lock);
	state_tell(hba);
}

/*
 * Recovery; the worker's.
 */

/* the chip cannot reach memory any more, and nobody is at its FIFOs: all that it had is ours
 * again. A new epoch, so that what it may still say about this one is known for what it is */
static void
end_all(struct mptsas_hba *hba)
{
	struct mptsas_cmd_list dead = TAILQ_HEAD_INITIALIZER(dead);
	struct mptsas_cmd *cmd;
	enum mptsas_fault fault;

	mutex_enter(&hba->lock);
	hba->epoch = (hba->epoch + 1) & RING_EPOCH_MAX;
	fault = hba->fault;
	for (uint32_t i = RING_SLOT_COMMANDS; i < hba->layout.nslots; i++) {
		if (hba->slots[i].cmd == NULL)
			continue;
		cmd = mptsas_slot_take_back(hba, i);
		TAILQ_INSERT_TAIL(&dead, cmd, link);
	}
	cv_broadcast(&hba->cv);
	mutex_exit(&hba->lock);
	while ((cmd = TAILQ_FIRST(&dead)) != NULL) {
		TAILQ_REMOVE(&dead, cmd, link);
		mptsas_end(cmd, endings[fault].reason, endings[fault].stats);
	}
}

/* too often lately? */
static bool
recovery_is_allowed(struct mptsas_hba *hba)
{
	uint64_t now_ns = clock_now_ns(), oldest_ns = hba->recovered_ns[0];

	for (size_t i = 0; i + 1 < MPTSAS_RECOVERIES; i++)
		hba->recovered_ns[i] = hba->recovered_ns[i + 1];
	hba->recovered_ns[MPTSAS_RECOVERIES - 1] = now_ns;
	return oldest_ns == 0 || now_ns - oldest_ns > MPTSAS_RECOVERY_NS;
}

static int
bring_back_once(struct mptsas_hba *hba)
{
	int r = mptsas_make_ready(hba);

	if (r == 0)
		r = mptsas_learn(hba);
	if (r == 0 && !mpt_ring_layout_fits(&hba->layout, &hba->facts))
		r = -EIO;
	return r < 0 ? r : mptsas_bring_up(hba);
}

static int
bring_back(struct mptsas_hba *hba)
{
	int r = -EIO;

	drv_usecwait(REBOOT_US);
	for (int i = 0; i < RETRIES && r < 0 && !atomic_load(&hba->is_stopping); i++) {
		if (i > 0)
			drv_usecwait(RETRY_US);
		r = bring_back_once(hba);
	}
	return r;
}

/* the ports open as after power on; what fails here fails the adapter again */
static void
reopen(struct mptsas_hba *hba)
{
	(void)atomic_fetch_add(&hba->counts.recoveries, 1);
	if (mptsas_open_ports(hba) < 0) {
		mptsas_fail(hba, MPTSAS_FAULT_SILENCE, "its ports do not open");
		return;
	}
	mptsas_tell_reset(hba, NULL, NULL);
	mptsas_topo_run(hba);
	state_tell(hba);
	dev_err(hba->dip, CE_NOTE, "adapter recovered");
}

static void
recover(struct mptsas_hba *hba)
{
	state_tell(hba);
	state_set(hba, MPTSAS_RESETTING);
	while (atomic_load(&hba->touching) > 0)
		drv_usecwait(LEAVE_STEP_US);
	mptsas_halt(hba);
	end_all(hba);
	if (recovery_is_allowed(hba) && bring_back(hba) == 0) {
		reopen(hba);
		return;
	}
	mptsas_bus_master(hba, false);
	state_set(hba, MPTSAS_DEAD);
	dev_err(hba->dip, CE_WARN, "adapter given up");
}

/*
 * The worker.
 */

static const struct {
	void (*run)(struct mptsas_hba *hba);
} works[MPTSAS_WORK_N] = {
	[MPTSAS_WORK_FAIL] = { recover },
	[MPTSAS_WORK_TASKS] = { mptsas_tasks_run },
	[MPTSAS_WORK_ACKS] = { mptsas_acks_run },
	[MPTSAS_WORK_DEVICES] = { mptsas_devices_run },
	[MPTSAS_WORK_TOPO] = { mptsas_topo_run },
	[MPTSAS_WORK_LUNS] = { mptsas_luns_run },
};

static void
worker_run(void *arg)
{
	struct mptsas_hba *hba = arg;

	mutex_enter(&hba->lock);
	for (;;) {
		unsigned int work;

		while (hba->work == 0 && !atomic_load(&hba->is_stopping))
			cv_wait(&hba->cv, &hba->lock);
		/* a reset that is due is still made: commands wait for it */
		if (hba->work == 0 || (atomic_load(&hba->is_stopping) &&
		    (hba->work & 1u << MPTSAS_WORK_FAIL) == 0))
			break;
		work = (unsigned int)__builtin_ctz(hba->work);
		hba->work &= ~(1u << work);
		mutex_exit(&hba->lock);
		works[work].run(hba);
		counts_tell(hba);
		mutex_enter(&hba->lock);
	}
	mutex_exit(&hba->lock);
}

/*
 * Watching: what the chip would have said itself if it could.
 */

static void
doorbell_check(struct mptsas_hba *hba)
{
	uint32_t v;

	if (!mptsas_touch_begin(hba))
		return;
	v = mptsas_get(hba, MPT_DOORBELL);
	if (v == MPT_GONE)
		mptsas_fail(hba, MPTSAS_FAULT_GONE, "registers read as ones");
	else if (MPT_DB_STATE(v) == MPT_ST_FAULT)
		mptsas_fail(hba, MPTSAS_FAULT_IOC, "its firmware has stopped");
	else if (MPT_DB_STATE(v) != MPT_ST_OPERATIONAL)
		mptsas_fail(hba, MPTSAS_FAULT_IOC, "it has been reset by somebody else");
	mptsas_touch_end(hba);
}

/* lock held: commands whose time is over are the worker's; the next deadline */
static void
deadlines_check(struct mptsas_hba *hba)
{
	uint64_t now_ns = clock_now_ns(), next_ns = 0;

	if (hba->next_deadline_ns == 0 || hba->next_deadline_ns > now_ns)
		return;
	for (uint32_t i = RING_SLOT_COMMANDS; i < hba->layout.nslots; i++) {
		struct mptsas_cmd *cmd = hba->slots[i].cmd;

		if (cmd == NULL || cmd->deadline_ns == 0)
			continue;
		if (cmd->deadline_ns > now_ns) {
			if (next_ns == 0 || cmd->deadline_ns < next_ns)
				next_ns = cmd->deadline_ns;
			continue;
		}
		cmd->deadline_ns = 0;
		cmd->has_expired = true;
		cmd->stats |= STAT_TIMEOUT;
		if (cmd->why == CMD_CMPLT)
			cmd->why = CMD_TIMEOUT;
		(void)atomic_fetch_add(&hba->counts.timeouts, 1);
		mptsas_work_add(hba, MPTSAS_WORK_TASKS);
	}
	hba->next_deadline_ns = next_ns;
}

static void watch_run(void *arg);
static void tick_run(void *arg);

/* lock held */
static void
watch_set(struct mptsas_hba *hba)
{
	if (hba->is_watch_armed || atomic_load(&hba->is_stopping))
		return;
	hba->is_watch_armed = true;
	hba->watch = timeout(watch_run, hba, drv_usectohz(MPTSAS_WATCH_US));
}

/* lock held */
static void
tick_set(struct mptsas_hba *hba)
{
	if (atomic_load(&hba->is_stopping))
		return;
	hba->is_tick_armed = true;
	hba->tick = timeout(tick_run, hba, drv_usectohz(MPTSAS_TICK_US));
}

void
mptsas_watch_arm(struct mptsas_hba *hba)
{
	/* seen late, it is armed by the tick */
	if (LIKELY(atomic_load_explicit(&hba->is_watched, memory_order_relaxed)))
		return;
	mutex_enter(&hba->lock);
	atomic_store(&hba->is_watched, true);
	watch_set(hba);
	mutex_exit(&hba->lock);
}

static void
timer_end(struct mptsas_hba *hba)
{
	mutex_enter(&hba->lock);
	if (--hba->ntimers == 0)
		cv_broadcast(&hba->cv);
	mutex_exit(&hba->lock);
}

/* goes on as long as something was in flight since the last time */
static void
watch_run(void *arg)
{
	struct mptsas_hba *hba = arg;

	mutex_enter(&hba->lock);
	hba->is_watch_armed = false;
	hba->ntimers++;
	mutex_exit(&hba->lock);
	doorbell_check(hba);
	mutex_enter(&hba->lock);
	deadlines_check(hba);
	if (hba->active > 0 || hba->was_busy)
		watch_set(hba);
	else
		atomic_store(&hba->is_watched, false);
	hba->was_busy = false;
	mutex_exit(&hba->lock);
	timer_end(hba);
}

/* lock held: time to look at the topology again? */
static void
poll_check(struct mptsas_hba *hba)
{
	uint64_t now_ns = clock_now_ns();
	uint64_t ms = hba->poll_ms;

	if (ms == 0)
		ms = hba->has_events ? MPTSAS_POLL_SLOW_MS : MPTSAS_POLL_MS;
	if (hba->state != MPTSAS_READY || now_ns < hba->next_poll_ns)
		return;
	hba->next_poll_ns = now_ns + ms * NS_PER_MS;
	mptsas_work_add(hba, MPTSAS_WORK_TOPO);
}

static void
tick_run(void *arg)
{
	struct mptsas_hba *hba = arg;

	mutex_enter(&hba->lock);
	hba->is_tick_armed = false;
	hba->ntimers++;
	mutex_exit(&hba->lock);
	doorbell_check(hba);
	mutex_enter(&hba->lock);
	deadlines_check(hba);
	poll_check(hba);
	if (hba->active > 0) {
		atomic_store(&hba->is_watched, true);
		watch_set(hba);
	}
	tick_set(hba);
	mutex_exit(&hba->lock);
	mptsas_throttles_restore(hba);
	timer_end(hba);
}

void
mptsas_worker_start(struct mptsas_hba *hba)
{
	kthread_t *thread;

	atomic_store(&hba->is_stopping, false);
	thread = thread_create(NULL, 0, worker_run, hba, 0, &p0, TS_RUN, minclsyspri);
	hba->worker = thread->t_did;
	state_tell(hba);
	mutex_enter(&hba->lock);
	tick_set(hba);
	mutex_exit(&hba->lock);
}

static void
timer_stop(struct mptsas_hba *hba, timeout_id_t *id, bool *is_armed)
{
	timeout_id_t armed;

	mutex_enter(&hba->lock);
	armed = *is_armed ? *id : NULL;
	mutex_exit(&hba->lock);
	/* called off, it will not say that it ran */
	if (armed != NULL && untimeout(armed) >= 0)
		*is_armed = false;
}

void
mptsas_worker_stop(struct mptsas_hba *hba)
{
	mutex_enter(&hba->lock);
	atomic_store(&hba->is_stopping, true);
	cv_broadcast(&hba->cv);
	mutex_exit(&hba->lock);
	timer_stop(hba, &hba->watch, &hba->is_watch_armed);
	timer_stop(hba, &hba->tick, &hba->is_tick_armed);
	mutex_enter(&hba->lock);
	while (hba->ntimers > 0)
		cv_wait(&hba->cv, &hba->lock);
	mutex_exit(&hba->lock);
	thread_join(hba->worker);
}
