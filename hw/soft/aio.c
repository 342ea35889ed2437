#include "hw/soft/aio.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <sys/kmem.h>
#include <sys/ksynch.h>
#include <sys/taskq.h>

#include "base/fault.h"
#include "base/num.h"
#include "hw/soft/store.h"

#define AIO_THREADS	4
#define AIO_BATCH	32
#define AIO_SUBMIT_TRIES 100

struct aio {
	kmutex_t lock;			/* of everything below */
	bool is_uring;
	struct io_uring ring;
	unsigned int busy;		/* calls in the kernel */
	struct store_req *wait_head, **wait_tail;
	taskq_t *threads;		/* without io_uring */
};

/* one finished call, copied out of the ring */
struct aio_event {
	struct store_req *req;
	int res;
};

int
aio_open(int eventfd, struct aio **ret)
{
	struct aio *aio = fault_hit() ? NULL : calloc(1, sizeof(*aio));

	if (aio == NULL)
		return -ENOMEM;
	aio->wait_tail = &aio->wait_head;
	if (eventfd >= 0 && io_uring_queue_init(AIO_DEPTH, &aio->ring, 0) == 0) {
		aio->is_uring = io_uring_register_eventfd(&aio->ring, eventfd) == 0;
		if (!aio->is_uring)
			io_uring_queue_exit(&aio->ring);
	}
	mutex_init(&aio->lock, NULL, MUTEX_DRIVER, NULL);
	if (!aio->is_uring)
		aio->threads = taskq_create("soft_aio", AIO_THREADS, 0, AIO_DEPTH, INT32_MAX,
		    TASKQ_PREPOPULATE);
	*ret = aio;
	return 0;
}

void
aio_close(struct aio *aio)
{
	if (aio == NULL)
		return;
	if (aio->threads != NULL)
		taskq_destroy(aio->threads);
	if (aio->is_uring)
		io_uring_queue_exit(&aio->ring);
	mutex_destroy(&aio->lock);
	free(aio);
}

bool
aio_is_uring(const struct aio *aio)
{
	return aio->is_uring;
}

int
aio_run(const struct aio_call *call)
{
	ssize_t n = -1;

	switch (call->op) {
	case AIO_READ:
		n = preadv2(
		    call->fd, call->iov, (int)call->niov, (off_t)call->offset, call->flags);
		break;
	case AIO_WRITE:
		n = pwritev2(
		    call->fd, call->iov, (int)call->niov, (off_t)call->offset, call->flags);
		break;
	case AIO_SYNC:
		n = fdatasync(call->fd);
		break;
	case AIO_FALLOCATE:
		n = fallocate(call->fd, call->flags, (off_t)call->offset, (off_t)call->len);
		break;
	case AIO_ADVISE:
		return -posix_fadvise(
		    call->fd, (off_t)call->offset, (off_t)call->len, call->flags);
	}
	return n < 0 ? -errno : (int)n;
}

static void
aio_prepare(struct io_uring_sqe *sqe, struct store_req *req)
{
	const struct aio_call *call = &req->call;

	switch (call->op) {
	case AIO_READ:
		io_uring_prep_readv2(
		    sqe, call->fd, call->iov, call->niov, call->offset, call->flags);
		break;
	case AIO_WRITE:
		io_uring_prep_writev2(
		    sqe, call->fd, call->iov, call->niov, call->offset, call->flags);
		break;
	case AIO_SYNC:
		io_uring_prep_fsync(sqe, call->fd, IORING_FSYNC_DATASYNC);
		break;
	case AIO_FALLOCATE:
		io_uring_prep_fallocate(sqe, call->fd, call->flags, (off_t)call->offset,
		    (off_t)call->len);
		break;
	case AIO_ADVISE:
		/* a length of 32 bits: less than a hint may be, never more than is asked */
		io_uring_prep_fadvise(sqe, call->fd, call->offset,
		    (off_t)num_min(call->len, INT32_MAX), call->flags);
		break;
	}
	io_uring_sqe_set_data(sqe, req);
}

/* what the kernel does not take now stays in the ring and goes with the next one */
static void
aio_submit(struct aio *aio)
{
	for (unsigned int i = 0; i < AIO_SUBMIT_TRIES; i++) {
		if (io_uring_submit(&aio->ring) >= 0)
			return;
	}
}

static void
aio_append(struct aio *aio, struct store_req *req)
{
	req->next = NULL;
	*aio->wait_tail = req;
	aio->wait_tail = &req->next;
}

/* give the kernel as much of the waiting list as it may have */
static void
aio_advance(struct aio *aio)
{
	/* what it did not take the last time */
	bool has_new = io_uring_sq_ready(&aio->ring) > 0;

	while (aio->wait_head != NULL && aio->busy < AIO_DEPTH) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&aio->ring);
		struct store_req *req = aio->wait_head;

		if (sqe == NULL)
			break;
		aio->wait_head = req->next;
		if (aio->wait_head == NULL)
			aio->wait_tail = &aio->wait_head;
		aio_prepare(sqe, req);
		aio->busy++;
		has_new = true;
	}
	if (has_new)
		aio_submit(aio);
}

static void
aio_thread(void *arg)
{
	struct store_req *req = arg;

	store_step(req, aio_run(&req->call));
}

void
aio_issue(struct aio *aio, struct store_req *req)
{
	if (!aio->is_uring) {
		if (taskq_dispatch(aio->threads, aio_thread, req, TQ_NOSLEEP) ==
		    TASKQID_INVALID)
			store_step(req, aio_run(&req->call));
		return;
	}
	mutex_enter(&aio->lock);
	aio_append(aio, req);
	aio_advance(aio);
	mutex_exit(&aio->lock);
}

void
aio_cancel(struct aio *aio, struct store_req *req)
{
	struct io_uring_sqe *sqe;

	if (!aio->is_uring)
		return;
	mutex_enter(&aio->lock);
	sqe = io_uring_get_sqe(&aio->ring);
	if (sqe != NULL) {
		io_uring_prep_cancel(sqe, req, 0);
		io_uring_sqe_set_data(sqe, NULL);
		aio_submit(aio);
	}
	mutex_exit(&aio->lock);
}

/* take finished calls out of the ring; those of aio_cancel() itself say nothing */
static unsigned int
aio_collect(struct aio *aio, struct aio_event *events, unsigned int max)
{
	struct io_uring_cqe *cqe;
	unsigned int n = 0;

	mutex_enter(&aio->lock);
	while (n < max && io_uring_peek_cqe(&aio->ring, &cqe) == 0) {
		events[n] = (struct aio_event){ io_uring_cqe_get_data(cqe), cqe->res };
		io_uring_cqe_seen(&aio->ring, cqe);
		if (events[n].req == NULL)
			continue;
		aio->busy--;
		n++;
	}
	aio_advance(aio);
	mutex_exit(&aio->lock);
	return n;
}

bool
aio_reap(struct aio *aio, unsigned int budget)
{
	struct aio_event events[AIO_BATCH];

	if (!aio->is_uring)
		return false;
	while (budget > 0) {
		unsigned int max = budget < AIO_BATCH ? budget : AIO_BATCH;
		unsigned int n = aio_collect(aio, events, max);

		for (unsigned int i = 0; i < n; i++)
			store_step(events[i].req, events[i].res);
		if (n < max)
			return false;
		budget -= n;
	}
	return true;
}
