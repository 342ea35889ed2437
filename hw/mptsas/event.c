/* events: what they say is noted in interrupt context, and looked into by the worker */
#include "hw/mptsas/mptsas.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

/* lock held: what @event says, as far as it is of use */
static bool
news_read(const struct reply_event *event, struct mptsas_news *ret)
{
	*ret = (struct mptsas_news){ .event = event->event };
	switch (event->event) {
	case MPT_EV_QUEUE_FULL:
		if (event->len < 4)
			return false;
		ret->depth = le16_get(event->data + MPT_EVD_DEPTH);
		break;
	case MPT_EV_DEVICE_STATUS:
		if (event->len < 8)
			return false;
		ret->reason = event->data[MPT_EVD_REASON];
		ret->handle = le16_get(event->data + MPT_EVD_HANDLE);
		break;
	default:
		return true;
	}
	ret->route =
	    (uint32_t)event->data[MPT_EVD_BUS] << 8 | event->data[MPT_EVD_TARGET];
	return true;
}

/* which events tell of devices and links */
static bool
event_is_of_devices(uint32_t event)
{
	return event == MPT_EV_DEVICE_STATUS || event == MPT_EV_PHY_LINK ||
	    event == MPT_EV_DISCOVERY || event == MPT_EV_BROADCAST ||
	    event == MPT_EV_EXPANDER;
}

/* lock held */
static void
news_add(struct mptsas_hba *hba, const struct mptsas_news *news)
{
	if (event_is_of_devices(news->event)) {
		hba->has_events = true;
		mptsas_work_add(hba, MPTSAS_WORK_TOPO);
	}
	if (hba->nnews == MPTSAS_NEWS_MAX)
		return;
	hba->news[hba->nnews++] = *news;
	mptsas_work_add(hba, MPTSAS_WORK_DEVICES);
}

/* lock held. Firmware sends no more than a few before it waits for acknowledgement */
static void
ack_add(struct mptsas_hba *hba, const struct reply_event *event)
{
	if (hba->nacks == MPTSAS_NEWS_MAX)
		return;
	hba->acks[hba->nacks].event = event->event;
	hba->acks[hba->nacks].context = event->context;
	hba->nacks++;
	mptsas_work_add(hba, MPTSAS_WORK_ACKS);
}

bool
mptsas_event(struct mptsas_hba *hba, const uint8_t *reply, const struct reply_head *head)
{
	struct mptsas_msg *msg = &hba->msgs[RING_SLOT_EVENTS];
	struct reply_event event;
	struct mptsas_news news;
	bool is_first;

	mutex_enter(&hba->lock);
	is_first = msg->state == MSG_SENT;
	if (head->context != msg->context) {
		mutex_exit(&hba->lock);
		return false;
	}
	mutex_exit(&hba->lock);
	if (is_first && !mptsas_message_done(hba, RING_SLOT_EVENTS, reply, head))
		return false;
	(void)atomic_fetch_add(&hba->counts.events, 1);
	if (mpt_reply_event_read(reply, head, &event) < 0)
		return is_first;	/* the answer to the request may have no event in it */
	mutex_enter(&hba->lock);
	if (event.wants_ack)
		ack_add(hba, &event);
	if (event.event != MPT_EV_CHANGE && news_read(&event, &news))
		news_add(hba, &news);
	mutex_exit(&hba->lock);
	return true;
}

/*
 * The worker.
 */

static bool
ack_take(struct mptsas_hba *hba, uint32_t *ret_event, uint32_t *ret_context)
{
	bool has;

	mutex_enter(&hba->lock);
	has = hba->nacks > 0;
	if (has) {
		*ret_event = hba->acks[0].event;
		*ret_context = hba->acks[0].context;
		hba->nacks--;
		memmove(&hba->acks[0], &hba->acks[1], hba->nacks * sizeof(hba->acks[0]));
	}
	mutex_exit(&hba->lock);
	return has;
}

void
mptsas_acks_run(struct mptsas_hba *hba)
{
	uint8_t *frame = mptsas_frame(hba, RING_SLOT_MESSAGE);
	uint32_t event, context;
	int r = 0;

	while (r == 0 && ack_take(hba, &event, &context)) {
		mutex_enter(&hba->message);
		memset(frame, 0, MPT_ACK_LEN);
		frame[MPT_FUNCTION] = MPT_FN_EVENT_ACK;
		le32_put(frame + MPT_ACK_EVENT, event);
		le32_put(frame + MPT_ACK_CONTEXT, context);
		r = mptsas_exchange(hba, RING_SLOT_MESSAGE, MPT_ACK_LEN, MPTSAS_MESSAGE_US);
		mutex_exit(&hba->message);
	}
}

/* topo held */
static struct mptsas_target *
target_by_route(struct mptsas_hba *hba, uint32_t route)
{
	struct mptsas_target *target;

	LIST_FOREACH(target, &hba->targets, link) {
		if (!atomic_load(&target->is_gone) && atomic_load(&target->route) == route)
			return target;
	}
	return NULL;
}

static void
queue_full(struct mptsas_hba *hba, const struct mptsas_news *news)
{
	struct mptsas_target *target;

	mutex_enter(&hba->topo);
	target = target_by_route(hba, news->route);
	if (target != NULL && news->depth > 0) {
		mutex_enter(&hba->lock);
		if (news->depth < target->throttle)
			target->throttle = news->depth;
		mutex_exit(&hba->lock);
	}
	mutex_exit(&hba->topo);
}

/* the firmware keeps the handle of a device that is away until it is told to let go of it */
static void
device_remove(struct mptsas_hba *hba, const struct mptsas_news *news)
{
	uint8_t *frame = mptsas_frame(hba, RING_SLOT_MESSAGE);

	mutex_enter(&hba->message);
	memset(frame, 0, MPT_IUC_LEN);
	frame[MPT_IUC_OPERATION] = MPT_IUC_REMOVE;
	frame[MPT_FUNCTION] = MPT_FN_IO_UNIT_CONTROL;
	le16_put(frame + MPT_IUC_HANDLE, news->handle);
	frame[MPT_IUC_TARGET] = (uint8_t)news->route;
	frame[MPT_IUC_BUS] = (uint8_t)(news->route >> 8);
	(void)!mptsas_exchange(hba, RING_SLOT_MESSAGE, MPT_IUC_LEN, MPTSAS_MESSAGE_US);
	mutex_exit(&hba->message);
}

static void
not_responding(struct mptsas_hba *hba, const struct mptsas_news *news)
{
	struct mptsas_target *target;

	mutex_enter(&hba->topo);
	target = target_by_route(hba, news->route);
	if (target != NULL) {
		target->nlus++;		/* it stays while we look at it */
		mutex_enter(&hba->lock);
		target->is_moving = true;
		mutex_exit(&hba->lock);
	}
	mutex_exit(&hba->topo);
	if (target != NULL)
		(void)!mptsas_target_reset(target);
	device_remove(hba, news);
	if (target == NULL)
		return;
	mutex_enter(&hba->topo);
	mptsas_target_unref(target);
	mutex_exit(&hba->topo);
}

static bool
news_take(struct mptsas_hba *hba, struct mptsas_news *ret)
{
	bool has;

	mutex_enter(&hba->lock);
	has = hba->nnews > 0;
	if (has) {
		*ret = hba->news[0];
		hba->nnews--;
		memmove(&hba->news[0], &hba->news[1], hba->nnews * sizeof(hba->news[0]));
	}
	mutex_exit(&hba->lock);
	return has;
}

void
mptsas_devices_run(struct mptsas_hba *hba)
{
	struct mptsas_news news;

	while (news_take(hba, &news)) {
		if (news.event == MPT_EV_QUEUE_FULL)
			queue_full(hba, &news);
		else if (news.event == MPT_EV_DEVICE_STATUS &&
		    news.reason == MPT_EVD_NOT_RESPONDING)
			not_responding(hba, &news);
		else if (news.event == MPT_EV_IOC_BUS_RESET ||
		    news.event == MPT_EV_EXT_BUS_RESET)
			mptsas_tell_reset(hba, NULL, NULL);
	}
}
