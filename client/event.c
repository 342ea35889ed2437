#include <errno.h>

#include "client/scsac_impl.h"

void
event_take(struct scsac *c, const Scsad__Event *msg)
{
	struct scsac_event event = {
		.kind = (unsigned)msg->kind,
		.lost = msg->lost,
		.seq = msg->seq,
		.time_us = msg->time_us,
		.subject = msg->subject != NULL ? msg->subject : "",
		.text = msg->text != NULL ? msg->text : "",
	};

	if (c->event == NULL)
		return;
	c->callback_depth++;
	c->event(c, &event, c->event_arg);
	c->callback_depth--;
}

int
scsac_subscribe(struct scsac *c, unsigned mask, scsac_event_fn fn, void *arg)
{
	Scsad__SubscribeRequest msg = SCSAD__SUBSCRIBE_REQUEST__INIT;
	scsac_event_fn old = c->event;
	void *old_arg = c->event_arg;
	int r;

	msg.has_mask = 1;
	msg.mask = mask;
	/* set first: events may come right behind the answer */
	c->event = fn;
	c->event_arg = arg;
	r = call_run(c, METHOD_SUBSCRIBE, &msg.base, NULL, NULL);
	if (r < 0 && c->state == CONN_READY) {
		c->event = old;
		c->event_arg = old_arg;
	} else if (mask == 0 || r < 0) {
		c->event = NULL;
	}
	return r;
}
