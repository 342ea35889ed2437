#include "daemon/rpc_impl.h"

#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"

#define SOCKET_BUF_BYTES	(1 << 20)

/* ------ coming ------ */

static int
events_make(struct rpc_conn *conn)
{
	struct event_base *base = loop_base(conn->loop->loop);

	conn->readable = event_new(base, conn->fd, EV_READ | EV_PERSIST, rpc_conn_readable,
	    conn);
	conn->writable = event_new(base, conn->fd, EV_WRITE | EV_PERSIST, rpc_conn_writable,
	    conn);
	if (fault_hit() || conn->readable == NULL || conn->writable == NULL ||
	    event_add(conn->readable, NULL) < 0)
		return -ENOMEM;
	conn->is_reading = true;
	return rpc_ring_watch_all(conn);
}

static void
events_free(struct rpc_conn *conn)
{
	rpc_ring_unwatch_all(conn);
	if (conn->readable != NULL)
		event_free(conn->readable);
	if (conn->writable != NULL)
		event_free(conn->writable);
	conn->readable = conn->writable = NULL;
	conn->is_reading = conn->is_writing = false;
}

/* a turn's answers shall fit into one write */
static void
buffers_widen(int fd)
{
	static const int options[] = { SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_SNDBUF, SO_RCVBUF };
	int bytes = SOCKET_BUF_BYTES;

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		(void)setsockopt(fd, SOL_SOCKET, options[i], &bytes, sizeof(bytes));
}

static void
conn_join(struct rpc_conn *conn, struct rpc_loop *loop)
{
	conn->loop = loop;
	LIST_INSERT_HEAD(&loop->conns, conn, entry);
	loop->n_conns++;
	rpc_loop_tick_arm(loop);
}

static void
conn_leave(struct rpc_conn *conn)
{
	LIST_REMOVE(conn, entry);
	conn->loop->n_conns--;
	rpc_loop_tick_arm(conn->loop);
}

static bool
requests_init(struct rpc_conn *conn)
{
	/* one that no client can name: the table is made once, not at each first request */
	HASH_ADD(hh, conn->requests, id, sizeof(conn->req_none.id), &conn->req_none);
	return conn->req_none.hh.tbl != NULL;
}

int
rpc_conn_new(struct rpc_loop *loop, int fd, const struct access_cred *cred, Scsad__Role role,
    struct rpc_conn **ret_conn)
{
	struct rpc_conn *conn = fault_hit() ? NULL : calloc(1, sizeof(*conn));

	if (conn == NULL)
		return -ENOMEM;
	conn->server = loop->server;
	conn->loop = loop;
	conn->fd = fd;
	conn->cred = *cred;
	conn->role = role;
	lu_initiator_uid(&conn->initiator, cred->uid);
	conn->since_ns = clock_now_ns();
	conn->buf_owner = bufs_owner();
	conn->limits = (struct frame_limits){ PROTO_MESSAGE_MAX, 0 };
	conn->requests_max = loop->server->config->requests;
	STAILQ_INIT(&conn->out);
	LIST_INIT(&conn->handle_list);
	LIST_INIT(&conn->memories);
	LIST_INIT(&conn->rings);
	slot_init(&conn->handles, loop->server->config->handles);
	buffers_widen(fd);
	if (!requests_init(conn) || events_make(conn) < 0) {
		events_free(conn);
		HASH_CLEAR(hh, conn->requests);
		free(conn);
		return -ENOMEM;
	}
	conn_join(conn, loop);
	*ret_conn = conn;
	return 0;
}

/* ------ going ------ */

static void
conn_free_work(struct lu_work *w)
{
	struct rpc_conn *conn = container_of(w, struct rpc_conn, flush_work);
	struct rpc_server *server = conn->server;
	uid_t uid = conn->cred.uid;

	conn_leave(conn);
	rpc_ring_drop_all(conn);
	rpc_memory_drop_all(conn);
	HASH_CLEAR(hh, conn->requests);
	slot_fini(&conn->handles);
	free(conn->stash);
	log_debug("client %llu: gone", (unsigned long long)conn->serial);
	free(conn);
	rpc_server_conn_gone(server, uid);
}

void
rpc_conn_check(struct rpc_conn *conn)
{
	if (!conn->is_closed || conn->is_flush_due || conn->n_tasks > 0 || conn->n_calls > 0 ||
	    !LIST_EMPTY(&conn->handle_list))
		return;
	/* somebody up the stack may still hold the pointer: not before the end of the turn */
	conn->is_flush_due = true;
	loop_defer(conn->loop->loop, &conn->flush_work, conn_free_work);
}

void
rpc_conn_close(struct rpc_conn *conn)
{
	struct rpc_handle *handle, *next;

	if (conn->is_closed)
		return;
	conn->is_closed = true;
	events_free(conn);
	close_fd(&conn->fd);
	rpc_event_forget(conn);
	rpc_submit_cancel(conn);
	rpc_out_drop_all(conn);
	if (conn->n_tasks > 0)
		log_info("client %llu uid %u pid %d: left with %u packets in flight",
		    (unsigned long long)conn->serial, conn->cred.uid, conn->cred.pid,
		    conn->n_tasks);
	for (handle = LIST_FIRST(&conn->handle_list); handle != NULL; handle = next) {
		next = LIST_NEXT(handle, entry);
		rpc_handle_release(handle);
	}
	rpc_conn_check(conn);
}

void
rpc_conn_drop(struct rpc_conn *conn, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	if (conn->is_closed || conn->is_ending)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (rpc_server_may_log(conn->server))
		log_warning("client %llu uid %u pid %d: %s, connection closed",
		    (unsigned long long)conn->serial, conn->cred.uid, conn->cred.pid, why);
	rpc_count(&conn->loop->count.dropped, 1);
	conn->is_ending = true;
	if (STAILQ_EMPTY(&conn->out))
		rpc_conn_close(conn);
}

/* a deadline has passed: tell the client if it listens, and close */
static void
conn_expire(struct rpc_conn *conn, const char *text)
{
	rpc_refuse(conn, 0, METHOD_NONE, &(struct rpc_refusal){
	    .code = SCSAD__ERROR_CODE__ERR_TIMEOUT, .err = -ETIMEDOUT, .text = text });
	rpc_conn_drop(conn, "%s", text);
	if (!conn->is_closed)
		rpc_conn_flush(conn);
	rpc_conn_close(conn);
}

static bool
has_passed(uint64_t since_ns, uint64_t now_ns, uint64_t ms)
{
	return since_ns != 0 && now_ns > since_ns && now_ns - since_ns > ms * NS_PER_MS;
}

void
rpc_conn_tick(struct rpc_conn *conn, uint64_t now_ns)
{
	if (conn->is_closed || conn->move_to != NULL)
		return;
	if (!conn->is_greeted && has_passed(conn->since_ns, now_ns, PROTO_HELLO_MS))
		conn_expire(conn, "no hello in time");
	else if (has_passed(conn->frame_since_ns, now_ns, PROTO_FRAME_MS))
		conn_expire(conn, "half a frame, and the rest did not come in time");
	else if (has_passed(conn->progress_ns, now_ns, RPC_STUCK_MS))
		conn_expire(conn, "answers were not taken in time");
}

/* ------ moving ------ */

static void
move_arrive(struct lu_work *w)
{
	struct rpc_conn *conn = container_of(w, struct rpc_conn, move_work);
	struct rpc_loop *loop = STEAL(conn->move_to);

	conn_join(conn, loop);
	if (conn->server->is_closing) {
		rpc_conn_close(conn);
	} else if (events_make(conn) < 0) {
		rpc_conn_drop(conn, "no memory for its events");
		rpc_conn_close(conn);
	} else {
		rpc_conn_resume(conn);
	}
}

static void
move_depart(struct lu_work *w)
{
	struct rpc_conn *conn = container_of(w, struct rpc_conn, move_work);

	if (conn->is_closed || conn->is_ending) {
		conn->move_to = NULL;
		return;
	}
	events_free(conn);
	conn_leave(conn);
	loop_post(conn->move_to->loop, &conn->move_work, move_arrive);
}

bool
rpc_conn_move(struct rpc_conn *conn, struct rpc_loop *to)
{
	if (conn->has_moved || conn->n_tasks > 0 || conn->n_calls > 0 ||
	    !LIST_EMPTY(&conn->handle_list) || conn->event_mask != 0 ||
	    !rpc_ring_can_move(conn))
		return false;
	rpc_conn_flush(conn);
	if (conn->is_closed || !STAILQ_EMPTY(&conn->out) || conn->is_flush_due)
		return false;
	conn->has_moved = true;
	conn->move_to = to;
	loop_defer(conn->loop->loop, &conn->move_work, move_depart);
	return true;
}
