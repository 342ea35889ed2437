#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "client/scsac_impl.h"

#define ROUNDS_MAX	16	/* receives a call: others want their turn too */
#define BLOCK_US	1000000u	/* what SO_RCVTIMEO lets a receive wait */

uint64_t
io_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* hello has been answered: from here on packets are possible */
static void
hello_done(struct scsac *c, struct request *req, int err)
{
	size_t len = 2 * (size_t)c->info.packets_max + CALLS_MAX;

	request_drop(c, req);
	if (err == 0) {
		err = requests_resize(c, len);
		if (err < 0)
			(void)error_local(c, err, "", "out of memory");
	}
	if (err == 0)
		c->state = CONN_READY;
	c->hello.is_done = true;
	c->hello.result = err;
	if (err < 0)
		conn_doom(c, err);
}

static void
call_reply(struct scsac *c, struct request *req, const ProtobufCMessage *msg, bool has_more)
{
	struct call *call = req->call;
	int r = call->take == NULL ? 0 : call->take(call, msg);

	if (req->method == METHOD_HELLO) {
		hello_done(c, req, r);
		return;
	}
	if (r < 0 && has_more) {
		/* its further replies have nobody to go to */
		call->is_done = true;
		call->result = r;
		req->kind = REQUEST_DROP;
		return;
	}
	if (!has_more)
		request_finish(c, req, r);
}

static int
packet_reply(struct scsac *c, struct request *req, const struct frame *frame,
    const ProtobufCMessage *msg)
{
	int r = packet_take(req, (const void *)msg, frame->head.data_len);

	if (r < 0)
		return r;
	if (frame->data_here > 0)
		memcpy(req->data, frame->data, frame->data_here);
	if (frame->data_here < frame->head.data_len) {
		c->data_req = req;
		c->data_left = frame->head.data_len - frame->data_here;
		return 0;
	}
	request_finish(c, req, 0);
	return 0;
}

static int
frame_reply(struct scsac *c, const struct frame *frame)
{
	struct request *req = request_find(c, frame->head.id);
	const struct method_info *method = method_find(frame->head.method);
	ProtobufCMessage *msg;
	int r;

	if (req == NULL || method == NULL || req->is_answered ||
	    req->method != frame->head.method)
		return -EBADMSG;
	if ((frame->head.data_len > 0 && req->kind != REQUEST_PACKET) ||
	    (frame->head.has_more && !method->can_stream))
		return -EBADMSG;
	r = msg_unpack(&c->arena, method->reply, frame->msg, frame->head.msg_len, &msg, NULL);
	if (r < 0)
		return r;
	if (req->kind == REQUEST_PACKET)
		return packet_reply(c, req, frame, msg);
	if (req->kind == REQUEST_CALL)
		call_reply(c, req, msg, frame->head.has_more);
	else if (!frame->head.has_more)
		request_finish(c, req, 0);
	return 0;
}

static int
frame_error(struct scsac *c, const struct frame *frame)
{
	struct request *req = request_find(c, frame->head.id);
	ProtobufCMessage *msg;
	int r;

	if (frame->head.data_len > 0 || (frame->head.id != 0 && req == NULL) ||
	    (req != NULL && req->is_answered))
		return -EBADMSG;
	r = msg_unpack(&c->arena, &scsad__error__descriptor, frame->msg, frame->head.msg_len,
	    &msg, NULL);
	if (r < 0)
		return r;
	if (req != NULL && req->kind == REQUEST_DROP) {
		request_finish(c, req, 0);
		return 0;
	}
	r = error_remote(c, (const void *)msg);
	if (req == NULL)
		return r;
	if (req->method == METHOD_HELLO)
		hello_done(c, req, r);
	else
		request_finish(c, req, r);
	return 0;
}

static int
frame_event(struct scsac *c, const struct frame *frame)
{
	ProtobufCMessage *msg;
	int r;

	if (frame->head.method != METHOD_SUBSCRIBE || frame->head.data_len > 0)
		return -EBADMSG;
	r = msg_unpack(&c->arena, &scsad__event__descriptor, frame->msg, frame->head.msg_len,
	    &msg, NULL);
	if (r == 0)
		event_take(c, (const void *)msg);
	return r;
}

static int
frame_take(struct scsac *c, const struct frame *frame)
{
	switch (frame->head.kind) {
	case FRAME_KIND_REPLY:
		return frame_reply(c, frame);
	case FRAME_KIND_ERROR:
		return frame_error(c, frame);
	case FRAME_KIND_EVENT:
		return frame_event(c, frame);
	case FRAME_KIND_REQUEST:
		break;
	}
	return -EBADMSG;
}

/* Bytes of data that were still missing have come, straight to where they belong. */
static void
data_came(struct scsac *c, size_t len)
{
	struct request *req = c->data_req;

	c->data_left -= len;
	if (c->data_left > 0)
		return;
	c->data_req = NULL;
	request_finish(c, req, 0);
}

static void
io_parse(struct scsac *c)
{
	while (!c->is_doomed && c->data_left == 0) {
		struct frame frame;
		enum frame_result result = frame_peek(c->in + c->in_start,
		    c->in_end - c->in_start, &c->limits, &frame);
		int r;

		if (result == FRAME_NEED_MORE)
			break;
		if (result != FRAME_READY) {
			conn_lost(c, -EBADMSG, "bad frame from the daemon: %s",
			    frame_result_text(result));
			return;
		}
		c->in_start += frame.len;
		r = frame_take(c, &frame);
		if (r < 0 && frame.head.kind == FRAME_KIND_ERROR && frame.head.id == 0) {
			conn_doom(c, r);	/* its words are in c->error */
		} else if (r < 0) {
			conn_lost(c, r == -ENOMEM ? -ENOMEM : -EBADMSG, "%s", r == -ENOMEM ?
			    "out of memory" : "daemon answered out of order or out of bounds");
			return;
		}
	}
	if (c->in_start == c->in_end) {
		c->in_start = 0;
		c->in_end = 0;
	}
}

/* Where the next bytes go: rest of a packet's data first, then the buffer. */
static int
io_vectors(struct scsac *c, struct iovec iov[2])
{
	size_t room;
	int n = 0;

	if (c->in_start > 0 && IN_BUF_LEN - c->in_end < FRAME_HEAD_LEN + PROTO_MESSAGE_MAX) {
		memmove(c->in, c->in + c->in_start, c->in_end - c->in_start);
		c->in_end -= c->in_start;
		c->in_start = 0;
	}
	room = IN_BUF_LEN - c->in_end;
	if (c->big_reads > 0 && room > BIG_READ_AHEAD)
		room = BIG_READ_AHEAD;
	if (c->data_left > 0) {
		struct request *req = c->data_req;

		iov[n].iov_base = req->data + (req->result.data_len - c->data_left);
		iov[n++].iov_len = c->data_left;
	}
	iov[n].iov_base = c->in + c->in_end;
	iov[n++].iov_len = room;
	return n;
}

union fd_room {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(FDS_IN_MAX * sizeof(int))];
};

void
fds_drop(struct scsac *c)
{
	while (c->n_fds_in > 0)
		close_fd(&c->fds_in[--c->n_fds_in]);
}

/* they belong to the reply whose first byte came with them. Of more than fit none is kept: there is
 * room for one too many, because of its alignment */
static void
fds_take(struct scsac *c, struct msghdr *msg)
{
	struct cmsghdr *head = CMSG_FIRSTHDR(msg);
	size_t n;
	int fd;

	if (head == NULL || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
		return;
	fds_drop(c);
	n = (head->cmsg_len - CMSG_LEN(0)) / sizeof(fd);
	for (size_t i = 0; i < n; i++) {
		memcpy(&fd, CMSG_DATA(head) + i * sizeof(fd), sizeof(fd));
		if (n <= FDS_IN_MAX)
			c->fds_in[c->n_fds_in++] = fd;
		else
			close_fd(&fd);
	}
}

/* One receive: 1 when more may be there, 0 when not, -EAGAIN, -EINTR; -ENOTCONN: all over. */
static int
io_receive(struct scsac *c, int flags)
{
	struct iovec iov[2];
	union fd_room room;
	struct msghdr msg = { .msg_iov = iov, .msg_control = &room,
		.msg_controllen = sizeof(room) };
	size_t wanted, to_data = c->data_left;
	ssize_t n;

	msg.msg_iovlen = (size_t)io_vectors(c, iov);
	wanted = iov[0].iov_len + (msg.msg_iovlen > 1 ? iov[1].iov_len : 0);
	n = recvmsg(c->fd, &msg, flags | MSG_CMSG_CLOEXEC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -errno;
	if (n <= 0) {
		conn_lost(c, -ENOTCONN, "%s", n == 0 ? "the daemon closed the connection" :
		    strerror(errno));
		return -ENOTCONN;
	}
	c->has_received = true;
	if (msg.msg_controllen > 0)
		fds_take(c, &msg);
	if (to_data > (size_t)n)
		to_data = (size_t)n;
	c->in_end += (size_t)n - to_data;
	if (to_data > 0)
		data_came(c, to_data);
	io_parse(c);
	if (c->state == CONN_IDLE)
		return -ENOTCONN;
	return (size_t)n == wanted;
}

int
io_flush(struct scsac *c)
{
	int r;

	if (c->state == CONN_IDLE)
		return -ENOTCONN;
	r = outq_send(&c->out, c->fd);
	/* a dead socket is found out by the receive, which may still have answers to give */
	return r == 0 ? 0 : r == -EAGAIN ? 1 : -ENOTCONN;
}

static void
io_finish_sent(struct scsac *c)
{
	struct request *req;

	while ((req = STAILQ_FIRST(&c->ready)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->ready, link);
		request_finish(c, req, req->result.err);
	}
}

int
io_process(struct scsac *c, bool may_block)
{
	int flags = may_block ? 0 : MSG_DONTWAIT;
	int r = 1;

	if (c->state == CONN_IDLE)
		return -ENOTCONN;
	c->completed = 0;
	for (int i = 0; i < ROUNDS_MAX && r == 1 && !c->is_doomed; i++) {
		r = io_receive(c, flags);
		flags = MSG_DONTWAIT;
	}
	if (c->state != CONN_IDLE)
		(void)io_flush(c);
	io_finish_sent(c);
	conn_doom_now(c);
	if (c->state == CONN_IDLE)
		return -ENOTCONN;
	return r == -EINTR && c->completed == 0 ? -EINTR : (int)c->completed;
}

static int
io_poll_ms(uint64_t now_us, uint64_t deadline_us)
{
	uint64_t left_us = deadline_us > now_us ? deadline_us - now_us : 0;

	return left_us > INT32_MAX ? INT32_MAX / 1000 : (int)((left_us + 999) / 1000);
}

int
io_wait(struct scsac *c, uint64_t deadline_us)
{
	uint64_t now_us = io_now_us();
	bool is_full = io_flush(c) != 0;
	struct pollfd fd = { .fd = c->fd, .events = scsac_wants(c) };

	if (c->state == CONN_IDLE)
		return -ENOTCONN;
	if (!STAILQ_EMPTY(&c->ready))
		return io_process(c, false);
	if (!is_full && (deadline_us == UINT64_MAX || deadline_us > now_us + BLOCK_US))
		return io_process(c, true);
	if (poll(&fd, 1, io_poll_ms(now_us, deadline_us)) < 0)
		return -errno;
	return io_process(c, false);
}

int
scsac_fd(const struct scsac *c)
{
	return c->fd;
}

short
scsac_wants(const struct scsac *c)
{
	if (c->state == CONN_IDLE)
		return 0;
	/* what waits for its callback since all of it has left needs no more than a look */
	return outq_is_empty(&c->out) && STAILQ_EMPTY(&c->ready) ? POLLIN : POLLIN | POLLOUT;
}

int
scsac_flush(struct scsac *c)
{
	return io_flush(c);
}

int
scsac_process(struct scsac *c)
{
	int r;

	if (c->callback_depth > 0)
		return error_local(c, -EDEADLK, "", "a callback must not process");
	r = io_process(c, false);
	return r == -EINTR ? 0 : r;
}

int
scsac_wait(struct scsac *c, int timeout_ms)
{
	uint64_t deadline_us = UINT64_MAX;
	int r;

	if (c->callback_depth > 0)
		return error_local(c, -EDEADLK, "", "a callback must not wait");
	if (timeout_ms >= 0)
		deadline_us = io_now_us() + (uint64_t)timeout_ms * 1000;
	c->has_received = false;
	do {
		r = io_wait(c, deadline_us);
	} while (r == 0 && !c->has_received && io_now_us() < deadline_us);
	return r;
}
