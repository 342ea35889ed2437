#include "daemon/rpc_impl.h"

#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/text.h"

/* ------ to one subscriber ------ */

static void event_sent(struct rpc_conn *conn, struct rpc_out *out);

static void
event_send(struct rpc_conn *conn, const Scsad__Event *event)
{
	const struct frame_head head = { .method = METHOD_SUBSCRIBE, .kind = FRAME_KIND_EVENT };

	conn->n_events++;
	if (!rpc_send(conn, &head, &event->base, event_sent))
		conn->n_events--;
}

/* the queue was full: say how much is missing, once there is room again */
static void
event_send_lost(struct rpc_conn *conn)
{
	Scsad__Event event = SCSAD__EVENT__INIT;

	event.has_kind = event.has_seq = event.has_lost = 1;
	event.kind = SCSAD__EVENT_KIND__EVENT_LOST;
	event.seq = ++conn->event_seq;
	event.lost = conn->n_lost;
	conn->n_lost = 0;
	conn->last_kind = SCSAD__EVENT_KIND__EVENT_LOST;
	event_send(conn, &event);
}

static void
event_sent(struct rpc_conn *conn, struct rpc_out *out)
{
	rpc_out_msg_free(out);
	conn->n_events--;
	if (conn->n_events == 0)
		conn->last_kind = SCSAD__EVENT_KIND__EVENT_NONE;
	if (!conn->is_closed && conn->n_lost > 0 && conn->n_events <= RPC_EVENTS_MAX / 2)
		event_send_lost(conn);
}

static void
event_deliver(struct rpc_conn *conn, struct rpc_note *note)
{
	Scsad__Event event = SCSAD__EVENT__INIT;

	if (conn->is_closed || conn->is_ending || (conn->event_mask & (1u << note->kind)) == 0)
		return;
	/* the same as the newest that still waits: the reader learns nothing by reading it
	 * twice */
	if (conn->n_events > 0 && conn->last_kind == note->kind &&
	    strcmp(conn->last_subject, note->subject) == 0)
		return;
	if (conn->n_events >= RPC_EVENTS_MAX || conn->n_lost > 0) {
		conn->n_lost++;
		conn->event_seq++;
		rpc_count(&conn->loop->count.events_lost, 1);
		return;
	}
	event.has_kind = event.has_seq = event.has_time_us = 1;
	event.kind = note->kind;
	event.seq = ++conn->event_seq;
	event.time_us = note->time_us;
	event.subject = note->subject;
	event.text = note->text;
	conn->last_kind = note->kind;
	(void)text_copy(conn->last_subject, sizeof(conn->last_subject), note->subject);
	event_send(conn, &event);
}

/* ------ to all ------ */

static void
note_arrive(struct lu_work *w)
{
	struct rpc_note *note = container_of(w, struct rpc_note, work);
	struct rpc_conn *conn, *next;

	for (conn = LIST_FIRST(&note->loop->conns); conn != NULL; conn = next) {
		next = LIST_NEXT(conn, entry);
		event_deliver(conn, note);
	}
	free(note);
}

void
rpc_event_publish(struct rpc_server *server, Scsad__EventKind kind, const char *subject,
    const char *text)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	for (unsigned int i = 0; i < server->n_loops; i++) {
		struct rpc_loop *loop = &server->loops[i];
		struct rpc_note *note;

		if (atomic_load(&loop->subscribers) == 0)
			continue;
		note = fault_hit() ? NULL : malloc(sizeof(*note));
		if (note == NULL)
			continue;
		note->loop = loop;
		note->kind = kind;
		note->time_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
		(void)rpc_text(note->subject, sizeof(note->subject), subject);
		(void)rpc_text(note->text, sizeof(note->text), text);
		loop_post(loop->loop, &note->work, note_arrive);
	}
}

/* ------ subscribing ------ */

static void
mask_set(struct rpc_conn *conn, uint32_t mask)
{
	if (conn->event_mask == 0 && mask != 0)
		(void)atomic_fetch_add(&conn->loop->subscribers, 1);
	else if (conn->event_mask != 0 && mask == 0)
		(void)atomic_fetch_sub(&conn->loop->subscribers, 1);
	conn->event_mask = mask;
}

void
rpc_event_forget(struct rpc_conn *conn)
{
	mask_set(conn, 0);
}

enum rpc_go
rpc_subscribe(const struct rpc_in *in)
{
	const Scsad__SubscribeRequest *req = (const void *)in->msg;
	Scsad__Done done = SCSAD__DONE__INIT;

	mask_set(in->conn, req->mask);
	rpc_reply(in->conn, rpc_in_id(in), METHOD_SUBSCRIBE, &done.base, false);
	return RPC_NEXT;
}
