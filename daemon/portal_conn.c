#include "daemon/portal_impl.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"

/* ------ going ------ */

static void
events_free(struct portal_conn *conn)
{
	if (conn->readable != NULL)
		event_free(STEAL(conn->readable));
	if (conn->writable != NULL)
		event_free(STEAL(conn->writable));
	conn->is_reading = conn->is_writing = false;
}

void
portal_conn_login_over(struct portal_conn *conn)
{
	if (!conn->is_login)
		return;
	conn->is_login = false;
	(void)atomic_fetch_sub(&conn->loop->server->n_logins, 1);
	/* a set that others have replaced, with its secrets, goes with its last login */
	conn->wanted = NULL;
	conn->account = NULL;
	ex_set_unref(STEAL(conn->set));
}

static void
conn_free(struct lu_work *w)
{
	struct portal_conn *conn = container_of(w, struct portal_conn, close_work);
	struct portal_target *target = STEAL(conn->target);
	struct portal_loop *loop = conn->loop;
	struct portal_server *server = loop->server;
	struct sockaddr_storage peer = conn->peer;

	portal_conn_login_over(conn);
	/* the session hears of it inside: its own target is looked at by its own calls */
	iscsi_conn_free(conn->iscsi);
	ex_set_unref(conn->set);
	LIST_REMOVE(conn, entry);
	loop->n_conns--;
	free(conn);
	if (target != NULL)
		portal_target_unpin(target);
	portal_loop_check(loop);
	portal_conn_gone(server, &peer);
}

void
portal_conn_close(struct portal_conn *conn)
{
	if (conn->state == PORTAL_CLOSED || conn->state == PORTAL_MOVING)
		return;
	conn->state = PORTAL_CLOSED;
	events_free(conn);
	close_fd(&conn->fd);
	/* somebody up the stack may still hold the pointer */
	loop_defer(conn->loop->loop, &conn->close_work, conn_free);
}

/* ------ sending ------ */

/* false: the connection is broken */
static bool
conn_send(struct portal_conn *conn, bool *ret_is_full)
{
	struct iovec iov[PORTAL_SEND_PIECES];
	struct msghdr msg = { .msg_iov = iov };
	size_t total;
	ssize_t r;

	*ret_is_full = false;
	while ((msg.msg_iovlen = iscsi_conn_tx(conn->iscsi, iov, PORTAL_SEND_PIECES)) > 0) {
		total = 0;
		for (size_t i = 0; i < msg.msg_iovlen; i++)
			total += iov[i].iov_len;
		do {
			r = sendmsg(conn->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		} while (r < 0 && errno == EINTR);
		if (r < 0 && errno != EAGAIN)
			return false;
		if (r > 0)
			iscsi_conn_sent(conn->iscsi, (size_t)r);
		if (r < 0 || (size_t)r < total) {
			*ret_is_full = true;
			return true;
		}
	}
	return true;
}

static void
conn_flush(struct portal_conn *conn)
{
	bool is_full;

	if (!conn_send(conn, &is_full)) {
		portal_conn_close(conn);
		return;
	}
	if (is_full != conn->is_writing) {
		conn->is_writing = is_full;
		if (is_full)
			(void)event_add(conn->writable, NULL);
		else
			(void)event_del(conn->writable);
	}
	if (!is_full && conn->state == PORTAL_CLOSING)
		portal_conn_close(conn);
}

static bool
is_sending(const struct portal_conn *conn)
{
	return conn->state == PORTAL_OPEN || conn->state == PORTAL_CLOSING;
}

static void
flush_work(struct lu_work *w)
{
	struct portal_conn *conn = container_of(w, struct portal_conn, flush_work);

	conn->is_flush_due = false;
	if (is_sending(conn))
		conn_flush(conn);
}

void
portal_host_want_send(struct iscsi_conn *iscsi)
{
	struct portal_conn *conn = iscsi_conn_host(iscsi);

	/* an answer may come for a connection that is to be freed later in this turn */
	if (conn->is_flush_due || conn->is_writing || !is_sending(conn))
		return;
	conn->is_flush_due = true;
	loop_defer(conn->loop->loop, &conn->flush_work, flush_work);
}

static void
conn_writable(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct portal_conn *conn = arg;

	iscsi_loop_time(conn->loop->iscsi, clock_now_ns());
	conn_flush(conn);
}

/* ------ receiving ------ */

static void
parse_work(struct lu_work *w)
{
	struct portal_loop *loop = container_of(w, struct portal_loop, parse_work);

	loop->is_parse_due = false;
	iscsi_loop_parse(loop->iscsi);
}

/* all sockets are read before what they said is looked at: code and data of each step stay in
 * the caches */
static void
want_parse(struct portal_loop *loop)
{
	if (loop->is_parse_due)
		return;
	loop->is_parse_due = true;
	loop_defer(loop->loop, &loop->parse_work, parse_work);
}

static ssize_t
socket_receive(int fd, struct iovec *iov, size_t n)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n };

	/* the kernel has less to copy and to check */
	if (n == 1)
		return recv(fd, iov->iov_base, iov->iov_len, MSG_DONTWAIT);
	return recvmsg(fd, &msg, MSG_DONTWAIT);
}

/* true: there may be more */
static bool
conn_receive(struct portal_conn *conn)
{
	struct iovec iov[ISCSI_RX_IOV_MAX];
	size_t n = iscsi_conn_rx(conn->iscsi, iov), room = 0;
	ssize_t r;

	if (n == 0) {
		conn->is_reading = false;
		if (conn->readable != NULL)
			(void)event_del(conn->readable);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		room += iov[i].iov_len;
	r = socket_receive(conn->fd, iov, n);
	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (r <= 0) {
		portal_conn_close(conn);
		return false;
	}
	iscsi_conn_received(conn->iscsi, (size_t)r);
	want_parse(conn->loop);
	return (size_t)r == room;
}

static void
conn_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct portal_conn *conn = arg;

	iscsi_loop_time(conn->loop->iscsi, clock_now_ns());
	for (int i = 0; i < PORTAL_RECEIVES && conn_receive(conn); i++)
		;
}

void
portal_host_want_recv(struct iscsi_conn *iscsi)
{
	struct portal_conn *conn = iscsi_conn_host(iscsi);

	if (conn->is_reading || conn->state != PORTAL_OPEN || conn->readable == NULL)
		return;
	conn->is_reading = true;
	(void)event_add(conn->readable, NULL);
}

void
portal_host_want_close(struct iscsi_conn *iscsi, enum iscsi_end why)
{
	struct portal_conn *conn = iscsi_conn_host(iscsi);
	const struct iscsi_portal *portal = iscsi_conn_portal(iscsi);

	if (conn->state != PORTAL_OPEN)
		return;
	log_info("portal %s: connection from %s ends: %s", portal->local, portal->remote,
	    iscsi_end_name(why));
	conn->state = PORTAL_CLOSING;
	conn->closing_ns = clock_now_ns();
	if (conn->is_reading)
		(void)event_del(conn->readable);
	conn->is_reading = false;
	if (!conn->is_flush_due && !conn->is_writing) {
		conn->is_flush_due = true;
		loop_defer(conn->loop->loop, &conn->flush_work, flush_work);
	}
}

/* ------ coming ------ */

static int
events_make(struct portal_conn *conn)
{
	struct event_base *base = loop_base(conn->loop->loop);

	conn->readable = event_new(base, conn->fd, EV_READ | EV_PERSIST, conn_readable, conn);
	conn->writable = event_new(base, conn->fd, EV_WRITE | EV_PERSIST, conn_writable, conn);
	if (fault_hit() || conn->readable == NULL || conn->writable == NULL ||
	    event_add(conn->readable, NULL) < 0)
		return -ENOMEM;
	conn->is_reading = true;
	return 0;
}

static int
conn_init(struct portal_conn *conn)
{
	struct iscsi_portal portal = { .portal_group = conn->group };
	socklen_t len = sizeof(conn->local);
	int one = 1;

	(void)setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(conn->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	(void)getsockname(conn->fd, (struct sockaddr *)&conn->local, &len);
	_Static_assert(EX_ADDR_LEN <= ISCSI_ADDRESS_MAX, "addresses fit");
	(void)ex_addr_format((struct sockaddr *)&conn->local, portal.local);
	(void)ex_addr_format((struct sockaddr *)&conn->peer, portal.remote);
	iscsi_loop_time(conn->loop->iscsi, clock_now_ns());
	return iscsi_conn_new(conn->loop->iscsi, &portal, conn, &conn->iscsi);
}

void
portal_conn_new(struct portal_loop *loop, int fd, uint16_t group,
    const struct sockaddr_storage *peer)
{
	struct portal_conn *conn = fault_hit() || loop->is_stopping ? NULL :
	    calloc(1, sizeof(*conn));

	if (conn == NULL) {
		(void)close(fd);
		portal_conn_gone(loop->server, peer);
		return;
	}
	conn->loop = loop;
	conn->fd = fd;
	conn->group = group;
	conn->peer = *peer;
	if (conn_init(conn) < 0 || events_make(conn) < 0) {
		events_free(conn);
		iscsi_conn_free(conn->iscsi);
		(void)close(fd);
		free(conn);
		portal_conn_gone(loop->server, peer);
		return;
	}
	conn->is_login = true;
	(void)atomic_fetch_add(&loop->server->n_logins, 1);
	LIST_INSERT_HEAD(&loop->conns, conn, entry);
	loop->n_conns++;
	portal_loop_check(loop);
}

/* ------ moving to the loop of the target ------ */

static void
move_arrive(struct lu_work *w)
{
	struct portal_conn *conn = container_of(w, struct portal_conn, move_work);

	LIST_INSERT_HEAD(&conn->loop->conns, conn, entry);
	conn->loop->n_conns++;
	portal_loop_check(conn->loop);
	conn->state = PORTAL_OPEN;
	if (conn->loop->is_stopping || events_make(conn) < 0) {
		portal_conn_close(conn);
		return;
	}
	iscsi_loop_time(conn->loop->iscsi, clock_now_ns());
	iscsi_conn_attach(conn->iscsi);
	if (conn->target != NULL)
		portal_target_unpin(STEAL(conn->target));
}

static void
move_depart(struct lu_work *w)
{
	struct portal_conn *conn = container_of(w, struct portal_conn, move_work);
	struct portal_loop *from = conn->loop;

	if (conn->state != PORTAL_OPEN)
		return;
	if (conn->is_flush_due) {
		/* that work belongs to this loop: let it run first */
		loop_defer(from->loop, &conn->move_work, move_depart);
		return;
	}
	conn->state = PORTAL_MOVING;
	events_free(conn);
	iscsi_conn_detach(conn->iscsi);
	LIST_REMOVE(conn, entry);
	from->n_conns--;
	portal_loop_check(from);
	conn->loop = conn->target->loop;
	loop_post(conn->loop->loop, &conn->move_work, move_arrive);
}

bool
portal_host_move(struct iscsi_conn *iscsi, struct iscsi_node *node)
{
	struct portal_conn *conn = iscsi_conn_host(iscsi);
	struct portal_target *target = iscsi_node_host(node);

	if (target->loop == conn->loop) {
		portal_target_unpin(STEAL(conn->target));
		return true;
	}
	if (conn->is_reading)
		(void)event_del(conn->readable);
	conn->is_reading = false;
	if (conn->state == PORTAL_OPEN)
		loop_defer(conn->loop->loop, &conn->move_work, move_depart);
	return false;
}
