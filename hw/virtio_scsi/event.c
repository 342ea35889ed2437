/* events: what the device says without being asked, to the target map */
#include "hw/virtio_scsi/virtio_scsi.h"

#include <errno.h>
#include <string.h>

/* events->lock is held */
static void
event_post(struct vs_events *events, unsigned int i)
{
	memset(events->slot_mem.va + (size_t)i * VS_EVENT_BYTES, 0, VS_EVENT_BYTES);
	events->ring.desc[i] = (struct vs_desc){
		.iova = events->slot_mem.iova + (uint64_t)i * VS_EVENT_BYTES,
		.len = VS_EVENT_BYTES,
		.flags = VS_DESC_WRITE,
	};
	events->is_posted[i] = true;
	vs_ring_put(&events->ring, (uint16_t)i);
}

/* events->lock is held, and left */
static void
events_leave(struct vs_hba *hba)
{
	struct vs_events *events = &hba->events;
	bool want = events->is_live && vs_ring_want_kick(&events->ring);

	mutex_exit(&events->lock);
	if (want)
		ddi_put16(hba->blocks[VS_BLOCK_NOTIFY].acc, events->doorbell, VS_EVENT_QUEUE);
}

void
vs_events_post(struct vs_hba *hba)
{
	struct vs_events *events = &hba->events;

	mutex_enter(&events->lock);
	events->is_live = true;
	for (unsigned int i = 0; i < VS_EVENTS && i < events->ring.size; i++)
		event_post(events, i);
	(void)vs_ring_arm(&events->ring);
	events_leave(hba);
}

/* events->lock is held: note what was said; what cannot be acted upon now is for the worker */
static void
event_note(struct vs_hba *hba, const struct vs_event *event)
{
	struct vs_events *events = &hba->events;

	(void)atomic_fetch_add(&hba->counts.events, 1);
	if (event->kind == VS_EVENT_TRANSPORT_RESET && event->has_lun &&
	    event->reason == VS_EVENT_RESET_REMOVED)
		atomic_store(&hba->targets[event->target].is_leaving, true);
	if (events->nbacklog < VS_BACKLOG) {
		events->backlog[events->nbacklog++] = *event;
		return;
	}
	events->backlog[VS_BACKLOG - 1].was_missed = true;
}

/* 1, 0 or -EPROTO */
static int
event_returned(struct vs_hba *hba)
{
	struct vs_events *events = &hba->events;
	uint8_t copy[VS_EVENT_BYTES];
	struct vs_event event;
	uint16_t head;
	int r;

	r = vs_ring_get(&events->ring, &head);
	if (r <= 0)
		return r;
	if (head >= VS_EVENTS || !events->is_posted[head])
		return -EPROTO;
	events->is_posted[head] = false;
	memcpy(copy, events->slot_mem.va + (size_t)head * VS_EVENT_BYTES, sizeof(copy));
	/* the place is free again before anything is done about the news */
	event_post(events, head);
	vs_event_read(copy, &event);
	event_note(hba, &event);
	return 1;
}

unsigned int
vs_events_reap(struct vs_hba *hba)
{
	struct vs_events *events = &hba->events;
	unsigned int n = 0;
	int r = 0;

	mutex_enter(&events->lock);
	/* each gives a buffer back at once: a device that fills them for ever has its turn
	 * only */
	do {
		while (events->is_live && n < VS_BACKLOG && (r = event_returned(hba)) > 0)
			n++;
	} while (events->is_live && r == 0 && n < VS_BACKLOG && vs_ring_arm(&events->ring));
	if (r < 0)
		events->is_live = false;
	events_leave(hba);
	if (r < 0)
		vs_fail(hba, VS_WHY_LIED);
	if (n > 0) {
		vs_watch_need(hba);
		vs_want(hba, VS_WORK_EVENTS);
	}
	return n;
}

/*
 * What is done about it, by the worker.
 */

static void
act_on_reset(struct vs_hba *hba, const struct vs_event *event)
{
	struct vs_target *target = &hba->targets[event->target];
	uint64_t now = atomic_load(&hba->tick);

	switch (event->reason) {
	case VS_EVENT_RESET_HARD:
		vs_tell_reset(hba, event->target, event->lun);
		break;
	case VS_EVENT_RESET_RESCAN:
		vs_target_changed(hba, event->target);
		break;
	case VS_EVENT_RESET_REMOVED:
		/* what has left still answers for a moment */
		atomic_store(&target->recheck, now + VS_RECHECK_TICKS);
		atomic_store(&target->recheck_late, now + VS_RECHECK_LATE_TICKS);
		vs_watch_need(hba);
		break;
	default:
		break;
	}
}

static void
act_on(struct vs_hba *hba, const struct vs_event *event)
{
	if (event->was_missed) {
		(void)atomic_fetch_add(&hba->counts.missed, 1);
		vs_want(hba, VS_WORK_SCAN);
	}
	switch (event->kind) {
	case VS_EVENT_TRANSPORT_RESET:
		if (event->has_lun && event->target <= hba->limits.target_max)
			act_on_reset(hba, event);
		break;
	case VS_EVENT_PARAM_CHANGE:
		/* a unit attention says the same to whoever comes next */
		(void)atomic_fetch_add(&hba->counts.changes, 1);
		vs_publish(hba);
		break;
	case VS_EVENT_ASYNC_NOTIFY:
	case VS_EVENT_NONE:
		break;
	}
}

void
vs_events_work(struct vs_hba *hba)
{
	struct vs_events *events = &hba->events;
	struct vs_event backlog[VS_BACKLOG];
	unsigned int n;

	mutex_enter(&events->lock);
	n = events->nbacklog;
	memcpy(backlog, events->backlog, n * sizeof(backlog[0]));
	events->nbacklog = 0;
	mutex_exit(&events->lock);
	for (unsigned int i = 0; i < n; i++)
		act_on(hba, &backlog[i]);
	/* what did not fit into one turn */
	if (n == VS_BACKLOG)
		(void)vs_events_reap(hba);
}
