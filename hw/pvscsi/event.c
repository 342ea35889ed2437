/* what comes by itself: messages, time, and the work they make */
#include "hw/pvscsi/pvscsi.h"

#include <sys/ddi.h>

#include "base/clock.h"

/*
 * Messages.
 */

void
pvscsi_note(struct pvscsi *hba, const struct pv_msg *msg, bool lost)
{
	struct pvscsi_target *target;
	bool is_known = msg->type == PV_MSG_DEV_ADDED || msg->type == PV_MSG_DEV_REMOVED;

	(void)atomic_fetch_add(&hba->stats.messages, 1);
	/* the ring was full, or the message speaks of something new: only looking helps */
	if (lost || !is_known || msg->target >= PV_TARGETS) {
		pvscsi_work(hba, PVSCSI_WORK_SCAN);
		return;
	}
	target = &hba->targets[msg->target];
	if (msg->lun[1] != 0) {
		target->events |= PVSCSI_EV_LUNS;
	} else if (msg->type == PV_MSG_DEV_ADDED) {
		target->events |= PVSCSI_EV_ADDED;
	} else {
		target->events = (target->events & ~PVSCSI_EV_ADDED) | PVSCSI_EV_REMOVED;
		atomic_store(&target->is_gone, true);
	}
	pvscsi_work(hba, PVSCSI_WORK_EVENTS);
}

/*
 * Work.
 */

static uint_t
queue_take(struct pvscsi *hba, struct pvscsi_queue *queue)
{
	uint_t work;

	mutex_enter(&hba->lock);
	work = queue->todo;
	queue->todo = 0;
	queue->is_queued = false;
	mutex_exit(&hba->lock);
	return work;
}

static void
recovery_run(void *arg)
{
	struct pvscsi *hba = arg;

	pvscsi_recovery(hba, queue_take(hba, &hba->recovery));
}

static void
topology_run(void *arg)
{
	struct pvscsi *hba = arg;

	pvscsi_topology(hba, queue_take(hba, &hba->topology));
}

static void
aside_run(void *arg)
{
	struct pvscsi *hba = arg;

	(void)queue_take(hba, &hba->aside);
	pvscsi_deliver_ended(hba);
}

/* without memory for it the tick tries again */
static void
queue_run(struct pvscsi *hba, struct pvscsi_queue *queue, void (*fn)(void *))
{
	if (queue->todo == 0 || queue->is_queued || queue->is_closed)
		return;
	queue->is_queued =
	    ddi_taskq_dispatch(queue->taskq, fn, hba, DDI_NOSLEEP) == DDI_SUCCESS;
	if (!queue->is_queued)
		pvscsi_tick_arm(hba);
}

void
pvscsi_work(struct pvscsi *hba, uint_t work)
{
	hba->topology.todo |= work & PVSCSI_WORK_TOPOLOGY;
	hba->aside.todo |= work & PVSCSI_WORK_ENDED;
	hba->recovery.todo |= work & ~(PVSCSI_WORK_TOPOLOGY | PVSCSI_WORK_ENDED);
	queue_run(hba, &hba->topology, topology_run);
	queue_run(hba, &hba->recovery, recovery_run);
	queue_run(hba, &hba->aside, aside_run);
}

/*
 * Time.
 */

static void tick_run(void *arg);
static void scan_run(void *arg);

static void
timer_arm(struct pvscsi *hba, struct pvscsi_timer *timer, void (*fn)(void *), clock_t us)
{
	if (timer->is_armed || timer->is_closed)
		return;
	timer->is_armed = true;
	timer->id = timeout(fn, hba, drv_usectohz(us));
}

void
pvscsi_tick_arm(struct pvscsi *hba)
{
	timer_arm(hba, &hba->tick, tick_run, PVSCSI_TICK_US);
}

void
pvscsi_scan_arm(struct pvscsi *hba)
{
	if (hba->scan_s != 0)
		timer_arm(hba, &hba->scan, scan_run, (clock_t)hba->scan_s * MICROSEC);
}

/* lock is held */
static bool
has_late(const struct pvscsi *hba)
{
	uint64_t now_ns = clock_now_ns();

	for (uint32_t i = 0; i < hba->tags.n; i++) {
		const struct pvscsi_cmd *cmd = hba->tags.slots[i].cmd;

		if (cmd != NULL && cmd->deadline_ns != 0 && cmd->deadline_ns <= now_ns)
			return true;
	}
	return false;
}

/* lock is held: what time has brought; is there more to wait for? */
static bool
tick_look(struct pvscsi *hba)
{
	if (hba->state == PVSCSI_READY && has_late(hba))
		pvscsi_work(hba, PVSCSI_WORK_LATE);
	if (hba->state == PVSCSI_FAILED && hba->retry_ns != 0 &&
	    hba->retry_ns <= clock_now_ns()) {
		hba->retry_ns = 0;
		pvscsi_work(hba, PVSCSI_WORK_REVIVE);
	}
	pvscsi_work(hba, 0);
	return hba->tags.used > 0 || (hba->state == PVSCSI_FAILED && hba->retry_ns != 0);
}

/* the chip may have been pulled out without a word */
static void
tick_run(void *arg)
{
	struct pvscsi *hba = arg;
	bool is_ready;

	mutex_enter(&hba->lock);
	hba->tick.is_armed = false;
	hba->ntimers++;			/* see timer_close() */
	is_ready = hba->state == PVSCSI_READY;
	mutex_exit(&hba->lock);
	if (is_ready && pvscsi_is_absent(hba))
		pvscsi_fail(hba, PVSCSI_LIE_GONE);
	mutex_enter(&hba->lock);
	if (tick_look(hba))
		pvscsi_tick_arm(hba);
	if (--hba->ntimers == 0)
		cv_broadcast(&hba->cv);
	mutex_exit(&hba->lock);
}

static void
scan_run(void *arg)
{
	struct pvscsi *hba = arg;

	mutex_enter(&hba->lock);
	hba->scan.is_armed = false;
	pvscsi_work(hba, PVSCSI_WORK_SCAN);
	pvscsi_scan_arm(hba);
	mutex_exit(&hba->lock);
}

/* once it returns, nothing runs by it, and never will */
static void
timer_close(struct pvscsi *hba, struct pvscsi_timer *timer)
{
	timeout_id_t id;

	mutex_enter(&hba->lock);
	timer->is_closed = true;
	id = timer->is_armed ? timer->id : NULL;
	mutex_exit(&hba->lock);
	if (id != NULL)
		(void)untimeout(id);
	mutex_enter(&hba->lock);
	while (hba->ntimers > 0)
		cv_wait(&hba->cv, &hba->lock);
	mutex_exit(&hba->lock);
}

static void
queue_close(struct pvscsi *hba, struct pvscsi_queue *queue)
{
	mutex_enter(&hba->lock);
	queue->is_closed = true;
	mutex_exit(&hba->lock);
	if (queue->taskq != NULL)
		ddi_taskq_destroy(queue->taskq);
	queue->taskq = NULL;
}

int
pvscsi_clocks_start(struct pvscsi *hba)
{
	char interval[] = "scan-interval";
	int scan_s = ddi_prop_get_int(
	    DDI_DEV_T_ANY, hba->dip, DDI_PROP_DONTPASS, interval, PVSCSI_SCAN_S);

	hba->scan_s = scan_s > 0 ? (uint_t)scan_s : 0;
	hba->recovery.taskq =
	    ddi_taskq_create(hba->dip, "recovery", 1, TASKQ_DEFAULTPRI, 0);
	hba->topology.taskq =
	    ddi_taskq_create(hba->dip, "topology", 1, TASKQ_DEFAULTPRI, 0);
	hba->aside.taskq = ddi_taskq_create(hba->dip, "aside", 1, TASKQ_DEFAULTPRI, 0);
	return hba->recovery.taskq != NULL && hba->topology.taskq != NULL &&
	    hba->aside.taskq != NULL ? DDI_SUCCESS : DDI_FAILURE;
}

/* probes may wait for recovery, and that for ticks: so they end in this order */
void
pvscsi_clocks_stop(struct pvscsi *hba)
{
	mutex_enter(&hba->lock);
	hba->is_detaching = true;
	cv_broadcast(&hba->cv);
	mutex_exit(&hba->lock);
	timer_close(hba, &hba->scan);
	queue_close(hba, &hba->topology);
	timer_close(hba, &hba->tick);
	queue_close(hba, &hba->recovery);
	queue_close(hba, &hba->aside);
	pvscsi_deliver_ended(hba);
}
