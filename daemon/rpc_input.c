#include "daemon/rpc_impl.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/num.h"

/* the place of the next frame cannot be trusted any more: say why, then close */
static void
frame_bad(struct rpc_conn *conn, enum frame_result result)
{
	rpc_refuse(conn, 0, METHOD_NONE, &(struct rpc_refusal){
	    .code = result == FRAME_TOO_LONG ? SCSAD__ERROR_CODE__ERR_LIMIT :
	    SCSAD__ERROR_CODE__ERR_BAD_FRAME,
	    .err = -EPROTO, .text = frame_result_text(result) });
	rpc_conn_drop(conn, "bad frame, %s", frame_result_text(result));
}

/* keep @len bytes for later; @buf may lie in the old stash */
static bool
stash_keep(struct rpc_conn *conn, const uint8_t *buf, size_t len)
{
	uint8_t *stash;

	if (len > conn->stash_size) {
		stash = fault_hit() ? NULL : malloc(num_round_up(len, 1024));
		if (stash == NULL) {
			rpc_conn_drop(conn, "no memory for half a frame");
			return false;
		}
		memcpy(stash, buf, len);
		free(conn->stash);
		conn->stash = stash;
		conn->stash_size = num_round_up(len, 1024);
	} else if (len > 0) {
		memmove(conn->stash, buf, len);
	}
	conn->stash_len = len;
	return true;
}

static size_t
skip_take(struct rpc_conn *conn, size_t len)
{
	uint32_t n = (uint32_t)num_min(conn->skip, len);

	conn->skip -= n;
	return n;
}

static size_t
filling_take(struct rpc_conn *conn, const uint8_t *buf, size_t len)
{
	struct rpc_task *task = conn->filling;
	uint32_t n = (uint32_t)num_min(task->lu.data_len - conn->filled, len);

	memcpy(task->buf + conn->filled, buf, n);
	conn->filled += n;
	if (conn->filled == task->lu.data_len)
		rpc_submit_filled(conn);
	return n;
}

static bool
conn_can_take(const struct rpc_conn *conn)
{
	return !conn->is_closed && !conn->is_ending &&
	    conn->unsent <= conn->server->config->unsent_bytes;
}

/* deal with @len bytes; how many were used. *@ret_move: the connection shall go elsewhere */
static size_t
conn_feed(struct rpc_conn *conn, const uint8_t *buf, size_t len, bool *ret_move)
{
	size_t used = 0;
	struct frame frame;
	enum frame_result result;

	while (used < len && conn_can_take(conn)) {
		if (conn->skip > 0) {
			used += skip_take(conn, len - used);
			continue;
		}
		if (conn->filling != NULL) {
			used += filling_take(conn, buf + used, len - used);
			continue;
		}
		result = frame_peek(buf + used, len - used, &conn->limits, &frame);
		if (result == FRAME_NEED_MORE)
			break;
		if (result != FRAME_READY) {
			frame_bad(conn, result);
			break;
		}
		conn->n_frames++;
		if (rpc_dispatch(conn, &frame) == RPC_MOVE) {
			*ret_move = true;
			break;
		}
		used += frame.len;
	}
	return used;
}

/* reading stops while a client does not take its answers */
static void
reading_set(struct rpc_conn *conn, bool want)
{
	if (conn->is_reading == want)
		return;
	if (want)
		(void)event_add(conn->readable, NULL);
	else
		(void)event_del(conn->readable);
	conn->is_reading = want;
}

/* how long is the frame that is not complete already on its way? */
static void
frame_clock(struct rpc_conn *conn, size_t used, uint64_t frames_before)
{
	bool is_body = conn->filling != NULL || conn->skip > 0;
	bool is_same = is_body ? conn->n_frames == frames_before : used == 0;

	/* time in which we did not read is not the client's */
	if ((!is_body && conn->stash_len == 0) || !conn->is_reading)
		conn->frame_since_ns = 0;
	else if (conn->frame_since_ns == 0 || !is_same)
		conn->frame_since_ns = clock_now_ns();
}

static void
conn_input(struct rpc_conn *conn, const uint8_t *buf, size_t len)
{
	uint64_t frames_before = conn->n_frames;
	bool want_move = false;
	size_t used = conn_feed(conn, buf, len, &want_move);

	if (conn->is_closed)
		return;
	if (conn->is_ending || want_move)
		reading_set(conn, false);
	if (conn->is_ending || !stash_keep(conn, buf + used, len - used) || want_move)
		return;
	reading_set(conn, conn_can_take(conn));
	frame_clock(conn, used, frames_before);
}

void
rpc_conn_resume(struct rpc_conn *conn)
{
	uint8_t *stash = STEAL(conn->stash);
	size_t len = conn->stash_len;

	conn->stash_len = conn->stash_size = 0;
	conn_input(conn, len == 0 ? conn->loop->rx : stash, len);
	free(stash);
}

/* one receive, as large as it gets: the rest of a submit's data goes straight to its place */
static ssize_t
conn_receive(struct rpc_conn *conn, size_t *ret_filled)
{
	struct rpc_loop *loop = conn->loop;
	struct rpc_task *task = conn->filling;
	struct iovec iov[2];
	struct msghdr msg = { .msg_iov = iov };
	size_t n_iov = 0, direct = 0;
	ssize_t n;

	if (task != NULL) {
		direct = task->lu.data_len - conn->filled;
		iov[n_iov].iov_base = task->buf + conn->filled;
		iov[n_iov++].iov_len = direct;
	}
	iov[n_iov].iov_base = loop->rx + conn->stash_len;
	iov[n_iov++].iov_len = RPC_RX_BYTES;
	msg.msg_iovlen = n_iov;
	do {
		n = recvmsg(conn->fd, &msg, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* no room for descriptors was offered: the kernel has closed what came */
	if ((msg.msg_flags & MSG_CTRUNC) != 0)
		return -EPROTO;
	*ret_filled = num_min((size_t)n, direct);
	return n;
}

void
rpc_conn_readable(int fd UNUSED, short what UNUSED, void *arg)
{
	struct rpc_conn *conn = arg;
	uint8_t *rx = conn->loop->rx;
	size_t filled = 0, stash_len = conn->stash_len;
	ssize_t n = conn_receive(conn, &filled);

	if (n == -EAGAIN)
		return;
	if (n == -EPROTO) {
		frame_bad(conn, FRAME_BAD_FDS);
		return;
	}
	if (n <= 0) {
		rpc_conn_close(conn);
		return;
	}
	if (filled > 0) {
		conn->filled += (uint32_t)filled;
		if (conn->filled == conn->filling->lu.data_len)
			rpc_submit_filled(conn);
	}
	if (stash_len > 0) {
		memcpy(rx, conn->stash, stash_len);
		conn->stash_len = 0;
	}
	conn_input(conn, rx, stash_len + (size_t)n - filled);
}
