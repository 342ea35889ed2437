#include "daemon/rpc_impl.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"

static void
flush_defer(struct rpc_conn *conn)
{
	if (conn->is_flush_due || conn->is_writing)
		return;
	conn->is_flush_due = true;
	loop_defer(conn->loop->loop, &conn->flush_work, rpc_conn_flush_work);
}

void
rpc_out_queue(struct rpc_conn *conn, struct rpc_out *out)
{
	if (conn->is_closed) {
		out->sent(conn, out);
		return;
	}
	STAILQ_INSERT_TAIL(&conn->out, out, entry);
	conn->unsent += (uint64_t)out->head_len + out->data_len;
	flush_defer(conn);
}

void
rpc_out_drop_all(struct rpc_conn *conn)
{
	struct rpc_out *out;

	while ((out = STAILQ_FIRST(&conn->out)) != NULL) {
		STAILQ_REMOVE_HEAD(&conn->out, entry);
		out->sent(conn, out);
	}
	conn->unsent = 0;
	conn->out_sent = 0;
}

/* @skip bytes of head and data have left already; pieces added */
static size_t
out_gather(const struct rpc_out *out, size_t skip, struct iovec *iov)
{
	size_t n = 0;

	if (skip < out->head_len) {
		iov[n].iov_base = (void *)(uintptr_t)(out->head + skip);
		iov[n++].iov_len = out->head_len - skip;
		skip = 0;
	} else {
		skip -= out->head_len;
	}
	if (skip < out->data_len) {
		iov[n].iov_base = (void *)(uintptr_t)(out->data + skip);
		iov[n++].iov_len = out->data_len - skip;
	}
	return n;
}

static void
out_consume(struct rpc_conn *conn, size_t sent)
{
	struct rpc_out *out;

	conn->unsent -= sent;
	conn->n_sent += sent;
	sent += conn->out_sent;
	while ((out = STAILQ_FIRST(&conn->out)) != NULL &&
	    sent >= (size_t)out->head_len + out->data_len) {
		sent -= (size_t)out->head_len + out->data_len;
		STAILQ_REMOVE_HEAD(&conn->out, entry);
		out->sent(conn, out);
	}
	conn->out_sent = sent;
}

union fd_room {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(RPC_FDS_MAX * sizeof(int))];
};

static void
fds_attach(struct msghdr *msg, union fd_room *room, const struct rpc_out *out)
{
	size_t len = out->n_fds * sizeof(int);

	memset(room, 0, sizeof(*room));
	room->head.cmsg_level = SOL_SOCKET;
	room->head.cmsg_type = SCM_RIGHTS;
	room->head.cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(&room->head), out->fds, len);
	msg->msg_control = room;
	msg->msg_controllen = CMSG_SPACE(len);
}

/* one gather write; bytes, or -errno. Descriptors go with the first byte of their piece */
static ssize_t
out_write(struct rpc_conn *conn)
{
	struct iovec iov[RPC_IOV_MAX];
	struct msghdr msg = { .msg_iov = iov };
	union fd_room room;
	size_t skip = conn->out_sent;
	struct rpc_out *out;
	ssize_t n;

	STAILQ_FOREACH(out, &conn->out, entry) {
		if (msg.msg_iovlen + 2 > RPC_IOV_MAX ||
		    (out->n_fds > 0 && msg.msg_iovlen > 0))
			break;
		if (out->n_fds > 0 && skip == 0)
			fds_attach(&msg, &room, out);
		msg.msg_iovlen += out_gather(out, skip, &iov[msg.msg_iovlen]);
		skip = 0;
	}
	do {
		n = sendmsg(conn->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static void
writable_arm(struct rpc_conn *conn)
{
	if (!conn->is_writing)
		(void)event_add(conn->writable, NULL);
	conn->is_writing = true;
	if (conn->progress_ns == 0)
		conn->progress_ns = clock_now_ns();
}

static void
writable_disarm(struct rpc_conn *conn)
{
	if (conn->is_writing)
		(void)event_del(conn->writable);
	conn->is_writing = false;
	conn->progress_ns = 0;
}

void
rpc_conn_flush(struct rpc_conn *conn)
{
	while (!STAILQ_EMPTY(&conn->out)) {
		ssize_t n = out_write(conn);

		if (n == -EAGAIN || n == -ENOBUFS) {
			writable_arm(conn);
			break;
		}
		if (n < 0) {
			rpc_conn_close(conn);
			return;
		}
		conn->progress_ns = 0;
		out_consume(conn, (size_t)n);
	}
	if (STAILQ_EMPTY(&conn->out)) {
		writable_disarm(conn);
		if (conn->is_ending) {
			rpc_conn_close(conn);
			return;
		}
	}
	if (!conn->is_reading && !conn->is_ending && conn->move_to == NULL &&
	    conn->unsent <= conn->server->config->unsent_bytes / 2)
		rpc_conn_resume(conn);
}

void
rpc_conn_flush_work(struct lu_work *w)
{
	struct rpc_conn *conn = container_of(w, struct rpc_conn, flush_work);

	conn->is_flush_due = false;
	if (conn->is_closed)
		rpc_conn_check(conn);
	else
		rpc_conn_flush(conn);
}

void
rpc_conn_writable(int fd UNUSED, short what UNUSED, void *arg)
{
	rpc_conn_flush(arg);
}

/* ------ replies from the heap ------ */

struct out_msg {
	struct rpc_out out;
	int fds[RPC_FDS_MAX];		/* owned */
	uint8_t bytes[];
};

void
rpc_out_msg_free(struct rpc_out *out)
{
	struct out_msg *m = container_of(out, struct out_msg, out);

	for (uint32_t i = 0; i < out->n_fds; i++)
		close_fd(&m->fds[i]);
	free(m);
}

static void
out_msg_sent(struct rpc_conn *conn UNUSED, struct rpc_out *out)
{
	rpc_out_msg_free(out);
}

/* NULL and the connection is dropped when there is no memory; to be queued */
static struct out_msg *
out_msg_new(struct rpc_conn *conn, const struct frame_head *head, const ProtobufCMessage *msg,
    void (*sent)(struct rpc_conn *, struct rpc_out *))
{
	size_t msg_len = msg == NULL ? 0 : protobuf_c_message_get_packed_size(msg);
	size_t size = FRAME_HEAD_LEN + msg_len;
	struct out_msg *m = fault_hit() ? NULL : malloc(sizeof(*m) + size);
	ptrdiff_t n;

	/* a reader would refuse the whole message for one bad string */
	assert(msg == NULL || msg_check(msg, NULL) == 0);
	n = m == NULL ? -ENOMEM : frame_pack(m->bytes, size, head, msg);
	if (n < 0) {
		free(m);
		rpc_conn_drop(conn, "no reply to '%s' can be made: %s",
		    method_name(head->method), strerror((int)-n));
		return NULL;
	}
	m->out = (struct rpc_out){
		.head = m->bytes,
		.head_len = (uint32_t)n,
		.sent = sent != NULL ? sent : out_msg_sent,
		.fds = m->fds,
	};
	return m;
}

bool
rpc_send(struct rpc_conn *conn, const struct frame_head *head, const ProtobufCMessage *msg,
    void (*sent)(struct rpc_conn *, struct rpc_out *))
{
	struct out_msg *m = out_msg_new(conn, head, msg, sent);

	if (m == NULL)
		return false;
	rpc_out_queue(conn, &m->out);
	return true;
}

void
rpc_send_fds(struct rpc_conn *conn, const struct frame_head *head, const ProtobufCMessage *msg,
    const int *fds, uint32_t n)
{
	struct out_msg *m = out_msg_new(conn, head, msg, NULL);

	assert(n <= RPC_FDS_MAX);
	if (m == NULL) {
		for (uint32_t i = 0; i < n; i++)
			(void)close(fds[i]);
		return;
	}
	memcpy(m->fds, fds, n * sizeof(*fds));
	m->out.n_fds = n;
	rpc_out_queue(conn, &m->out);
	assert(conn->n_fd_ends < RPC_FD_ENDS_MAX);
	conn->fd_ends[conn->n_fd_ends++] = conn->n_sent + conn->unsent;
}

/* What was sent counts as the sender's until it is read, with more than its bytes: when that is
 * less than what was sent behind a reply, the reply has been read. */
static void
fd_ends_forget(struct rpc_conn *conn)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);
	uint64_t unread = 0;
	uint32_t n = 0;

	if (getsockopt(conn->fd, SOL_SOCKET, SO_MEMINFO, info, &len) == 0)
		unread = info[SK_MEMINFO_WMEM_ALLOC];
	while (n < conn->n_fd_ends && conn->fd_ends[n] + unread <= conn->n_sent)
		n++;
	conn->n_fd_ends -= n;
	memmove(conn->fd_ends, conn->fd_ends + n, conn->n_fd_ends * sizeof(conn->fd_ends[0]));
}

bool
rpc_fds_admit(const struct rpc_in *in)
{
	struct rpc_conn *conn = in->conn;

	if (conn->n_fd_ends > 0)
		fd_ends_forget(conn);
	if (conn->n_fd_ends < RPC_FD_REPLIES_MAX)
		return true;
	rpc_refuse(conn, rpc_in_id(in), in->frame->head.method, &(struct rpc_refusal){
	    .code = SCSAD__ERROR_CODE__ERR_BUSY, .err = -EBUSY,
	    .text = "descriptors that were sent before have not been taken",
	    .hint = "read the answers" });
	return false;
}

void
rpc_reply(struct rpc_conn *conn, uint32_t id, uint16_t method, const ProtobufCMessage *msg,
    bool has_more)
{
	const struct frame_head head = {
		.method = method,
		.kind = FRAME_KIND_REPLY,
		.has_more = has_more,
		.id = id,
	};

	(void)rpc_send(conn, &head, msg, NULL);
}
