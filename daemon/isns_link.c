#include "daemon/isns_link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"

static void
deadline_set(struct isns_link *link, uint32_t wait_ms)
{
	link->deadline_ns = clock_now_ns() + wait_ms * NS_PER_MS;
}

/* until the socket is ready for @events */
static int
link_wait(const struct isns_link *link, short events)
{
	struct pollfd fds[] = { { link->fd, events, 0 }, { link->stop_fd, POLLIN, 0 } };

	for (;;) {
		uint64_t now = clock_now_ns();
		int n;

		if (now >= link->deadline_ns)
			return -ETIMEDOUT;
		n = poll(fds, ARRAY_LEN(fds), (int)((link->deadline_ns - now + NS_PER_MS - 1) /
		    NS_PER_MS));
		if (n == 0)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			return fds[1].revents != 0 ? -ECANCELED : 0;
	}
}

/* ------ life ------ */

static int
link_connect(struct isns_link *link, const struct sockaddr *addr, socklen_t len)
{
	socklen_t err_len = sizeof(int);
	int err = 0, r;

	if (connect(link->fd, addr, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	r = link_wait(link, POLLOUT);
	if (r == 0 && getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &err, &err_len) < 0)
		err = errno;
	return r < 0 ? r : -err;
}

int
isns_link_open(struct isns_link *link, const struct sockaddr *addr, socklen_t len,
    uint32_t wait_ms)
{
	int r;

	link->payload = fault_hit() ? NULL : malloc(ISNS_PAYLOAD_MAX);
	if (link->payload == NULL) {
		link->fd = -1;
		return -ENOMEM;
	}
	deadline_set(link, wait_ms);
	link->fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	r = link->fd < 0 ? -errno : link_connect(link, addr, len);
	if (r < 0)
		isns_link_close(link);
	return r;
}

void
isns_link_close(struct isns_link *link)
{
	close_fd(&link->fd);
	free(STEAL(link->payload));
}

uint16_t
isns_link_xid(struct isns_link *link)
{
	link->xid++;
	return link->xid;
}

/* ------ bytes ------ */

static int
link_send(struct isns_link *link, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(link->fd, bytes, len, MSG_NOSIGNAL);
		int r;

		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = link_wait(link, POLLOUT);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
link_recv(struct isns_link *link, uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n;
		int r = link_wait(link, POLLIN);

		if (r < 0)
			return r;
		n = recv(link->fd, bytes, len, 0);
		if (n == 0)
			return -ECONNRESET;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* ------ answers ------ */

static int
pdu_recv(struct isns_link *link, struct isns_head *ret)
{
	uint8_t bytes[ISNS_HEAD_LEN];
	int r = link_recv(link, bytes, sizeof(bytes));

	if (r == 0 && !isns_head_parse(bytes, ret))
		return -EBADMSG;
	return r < 0 ? r : link_recv(link, link->payload, ret->len);
}

/* the first PDU of the answer to the last request */
static int
answer_recv(struct isns_link *link, uint16_t function, struct isns_head *ret)
{
	for (int i = 0; i <= ISNS_STRAY_MAX; i++) {
		int r = pdu_recv(link, ret);

		if (r < 0)
			return r;
		if (ret->xid != link->xid || (ret->function & ISNS_RESPONSE) == 0)
			continue;
		if (ret->function != function || ret->seq != 0)
			return -EBADMSG;
		return 0;
	}
	return -EBADMSG;
}

/* what follows the first PDU: it brings nothing that we look at */
static int
rest_recv(struct isns_link *link, const struct isns_head *first)
{
	struct isns_head head = *first;

	for (int i = 0; (head.flags & ISNS_FLAG_LAST) == 0; i++) {
		int r = i < ISNS_PARTS_MAX ? pdu_recv(link, &head) : -EBADMSG;

		if (r < 0)
			return r;
		if (head.xid != first->xid || head.function != first->function)
			return -EBADMSG;
	}
	return 0;
}

int
isns_link_call(struct isns_link *link, const uint8_t *msg, size_t len, const char *node,
    uint32_t wait_ms, struct isns_answer *ret_answer)
{
	struct isns_head request, head;
	struct isns_answer answer;
	int r;

	if (!isns_head_parse(msg, &request))
		return -EINVAL;
	deadline_set(link, wait_ms);
	r = link_send(link, msg, len);
	if (r == 0)
		r = answer_recv(link, request.function | ISNS_RESPONSE, &head);
	if (r == 0)
		r = isns_answer_parse(link->payload, head.len, head.flags & ISNS_FLAG_LAST,
		    node, &answer);
	if (r == 0)
		r = rest_recv(link, &head);
	if (r == 0)
		*ret_answer = answer;
	return r;
}
