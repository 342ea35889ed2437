#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/fault.h"
#include "client/outq.h"

#define IOV_AT_ONCE	128
#define BUF_FIRST	(16u << 10)
#define SEGS_FIRST	64u

void
outq_init(struct outq *q, outq_sent_fn sent, void *owner)
{
	memset(q, 0, sizeof(*q));
	q->sent = sent;
	q->owner = owner;
}

void
outq_fini(struct outq *q)
{
	free(q->buf);
	free(q->segs);
	memset(q, 0, sizeof(*q));
}

void
outq_clear(struct outq *q)
{
	q->tail = 0;
	q->first = 0;
	q->nsegs = 0;
}

bool
outq_is_empty(const struct outq *q)
{
	return q->first == q->nsegs;
}

/* Move what is unsent to the front of buffer and table. */
static void
outq_compact(struct outq *q)
{
	size_t from = q->tail;
	size_t n = q->nsegs - q->first;

	for (size_t i = q->first; i < q->nsegs; i++) {
		if (q->segs[i].data == NULL) {
			from = q->segs[i].at;
			break;
		}
	}
	memmove(q->buf, q->buf + from, q->tail - from);
	q->tail -= from;
	memmove(q->segs, q->segs + q->first, n * sizeof(q->segs[0]));
	q->first = 0;
	q->nsegs = n;
	for (size_t i = 0; i < n; i++) {
		if (q->segs[i].data == NULL)
			q->segs[i].at -= from;
	}
}

/* @ptr with room for @need items of @item bytes, in doubling steps; NULL leaves @ptr alone */
static void *
grow(void *ptr, size_t *size, size_t need, size_t first, size_t item)
{
	size_t size_new = *size > 0 ? *size : first;
	void *p;

	while (size_new < need)
		size_new *= 2;
	if (size_new == *size)
		return ptr;
	p = fault_hit() ? NULL : realloc(ptr, size_new * item);
	if (p != NULL)
		*size = size_new;
	return p;
}

uint8_t *
outq_reserve(struct outq *q, size_t len)
{
	void *p;

	if (q->first > 0 && (q->size - q->tail < len || q->segs_size - q->nsegs < 2))
		outq_compact(q);
	p = grow(q->segs, &q->segs_size, q->nsegs + 2, SEGS_FIRST, sizeof(q->segs[0]));
	if (p == NULL)
		return NULL;
	q->segs = p;
	p = grow(q->buf, &q->size, q->tail + len, BUF_FIRST, 1);
	if (p == NULL)
		return NULL;
	q->buf = p;
	return q->buf + q->tail;
}

void
outq_commit(struct outq *q, size_t len)
{
	struct outq_seg *last = q->nsegs > q->first ? &q->segs[q->nsegs - 1] : NULL;

	assert(q->size - q->tail >= len && q->nsegs < q->segs_size);
	if (last != NULL && last->data == NULL)
		last->len += len;
	else
		q->segs[q->nsegs++] = (struct outq_seg){ .at = q->tail, .len = len };
	q->tail += len;
}

void
outq_data(struct outq *q, const void *data, size_t len, void *arg)
{
	assert(q->nsegs < q->segs_size && len > 0);
	q->segs[q->nsegs++] = (struct outq_seg){ .data = data, .len = len, .arg = arg };
}

static int
outq_gather(const struct outq *q, struct iovec iov[IOV_AT_ONCE])
{
	int n = 0;

	for (size_t i = q->first; i < q->nsegs && n < IOV_AT_ONCE; i++, n++) {
		const struct outq_seg *seg = &q->segs[i];
		const uint8_t *at = seg->data != NULL ? seg->data : q->buf + seg->at;

		iov[n].iov_base = (void *)(uintptr_t)at;
		iov[n].iov_len = seg->len;
	}
	return n;
}

static void
outq_advance(struct outq *q, size_t sent)
{
	while (sent > 0) {
		struct outq_seg *seg = &q->segs[q->first];
		size_t step = sent < seg->len ? sent : seg->len;

		sent -= step;
		seg->len -= step;
		if (seg->data != NULL)
			seg->data += step;
		else
			seg->at += step;
		if (seg->len > 0)
			return;
		if (seg->arg != NULL)
			q->sent(seg->arg, q->owner);
		q->first++;
	}
	if (outq_is_empty(q))
		outq_clear(q);
}

int
outq_send(struct outq *q, int fd)
{
	while (!outq_is_empty(q)) {
		struct iovec iov[IOV_AT_ONCE];
		struct msghdr msg = { .msg_iov = iov };
		ssize_t n;

		msg.msg_iovlen = (size_t)outq_gather(q, iov);
		n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		outq_advance(q, (size_t)n);
	}
	return 0;
}
