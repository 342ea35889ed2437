/* rings of a client: how they come, where they are looked after, how they go */
#include "daemon/rpc_impl.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "base/fault.h"

/* ------ on a worker ------ */

static void
ring_destroy(struct rpc_ring *ring)
{
	if (ring->base != NULL)
		(void)munmap(ring->base, ring->bytes);
	for (size_t i = 0; i < RING_N_FDS; i++)
		close_fd(&ring->fds[i]);
	close_fd(&ring->doorbell_fd);
	close_fd(&ring->wake_fd);
	free(ring->tasks);
	free(ring);
}

static void
end_work(struct lu_work *w)
{
	ring_destroy(container_of(w, struct rpc_ring, end_work));
}

static int
ring_map(struct rpc_ring *ring)
{
	void *base;

	ring->fds[0] = rpc_memfd_new(ring->bytes);
	if (ring->fds[0] < 0)
		return ring->fds[0];
	base = fault_hit() ? MAP_FAILED : mmap(NULL, ring->bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_POPULATE, ring->fds[0], 0);
	if (base == MAP_FAILED)
		return -ENOMEM;
	ring->base = base;
	ring->view = ring_view(base, ring->view.n);
	ring->view.head->layout = RING_LAYOUT;
	ring->view.head->entries = ring->view.n;
	return 0;
}

/*
 * The client could take O_NONBLOCK away from an eventfd that it has, and fill it: then a write of
 * ours would block the loop. So it gets an epoll descriptor with an eventfd inside that it has not.
 */
static int
ring_make_fds(struct rpc_ring *ring)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	event.data.u64 = RING_WAKE_DATA;
	ring->doorbell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ring->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ring->fds[2] = epoll_create1(EPOLL_CLOEXEC);
	if (ring->doorbell_fd < 0 || ring->wake_fd < 0 || ring->fds[2] < 0)
		return -errno;
	ring->fds[1] = fault_hit() ? -1 : fcntl(ring->doorbell_fd, F_DUPFD_CLOEXEC, 0);
	if (ring->fds[1] < 0 ||
	    epoll_ctl(ring->fds[2], EPOLL_CTL_ADD, ring->wake_fd, &event) < 0)
		return -EMFILE;
	return 0;
}

static void
new_work(struct rpc_call *call)
{
	struct rpc_ring *ring = call->more;

	call->result = ring_map(ring);
	if (call->result == 0)
		call->result = ring_make_fds(ring);
}

static void
new_free(void *more)
{
	if (more != NULL)
		ring_destroy(more);
}

/* ------ watching ------ */

static void
ring_unwatch(struct rpc_ring *ring)
{
	loop_poll_end(&ring->poller);
	if (ring->doorbell != NULL)
		event_free(ring->doorbell);
	ring->doorbell = NULL;
}

static int
ring_watch(struct rpc_ring *ring)
{
	ring->doorbell = fault_hit() ? NULL : event_new(loop_base(ring->conn->loop->loop),
	    ring->doorbell_fd, EV_READ | EV_PERSIST | EV_ET, rpc_ring_doorbell, ring);
	if (ring->doorbell == NULL || event_add(ring->doorbell, NULL) < 0)
		return -ENOMEM;
	rpc_ring_wake(ring);
	return 0;
}

int
rpc_ring_watch_all(struct rpc_conn *conn)
{
	struct rpc_ring *ring;

	LIST_FOREACH(ring, &conn->rings, entry)
		if (ring_watch(ring) < 0)
			return -ENOMEM;
	return 0;
}

void
rpc_ring_unwatch_all(struct rpc_conn *conn)
{
	struct rpc_ring *ring;

	LIST_FOREACH(ring, &conn->rings, entry)
		ring_unwatch(ring);
}

bool
rpc_ring_can_move(const struct rpc_conn *conn)
{
	const struct rpc_ring *ring;

	LIST_FOREACH(ring, &conn->rings, entry)
		if (ring->is_flush_due)
			return false;
	return true;
}

/* ------ going ------ */

/* behind the last flush: unmapping takes its time */
static void
end_defer(struct lu_work *w)
{
	struct rpc_ring *ring = container_of(w, struct rpc_ring, end_work);

	lu_exec_post(ring->server->conf.worker, w, end_work);
}

static void
ring_bury(struct rpc_ring *ring)
{
	struct rpc_conn *conn = ring->conn;

	ring_unwatch(ring);
	LIST_REMOVE(ring, entry);
	conn->n_rings--;
	conn->memory_bytes -= ring->bytes;
	loop_defer(conn->loop->loop, &ring->end_work, end_defer);
}

void
rpc_ring_drop_all(struct rpc_conn *conn)
{
	struct rpc_ring *ring;

	while ((ring = LIST_FIRST(&conn->rings)) != NULL)
		ring_bury(ring);
}

static struct rpc_ring *
ring_get(struct rpc_conn *conn, uint64_t id)
{
	struct rpc_ring *ring;

	LIST_FOREACH(ring, &conn->rings, entry)
		if (ring->id == id)
			return ring;
	return NULL;
}

enum rpc_go
rpc_ring_free(const struct rpc_in *in)
{
	const Scsad__RingFreeRequest *req = (const void *)in->msg;
	struct rpc_conn *conn = in->conn;
	struct rpc_ring *ring = ring_get(conn, req->ring);
	Scsad__Done done = SCSAD__DONE__INIT;

	if (ring == NULL) {
		rpc_refuse(conn, rpc_in_id(in), METHOD_RING_FREE, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_STALE_HANDLE, .err = -ESTALE,
		    .text = "this connection has no such ring" });
		return RPC_NEXT;
	}
	if (ring->n_tasks > 0) {
		rpc_refuse_errno(conn, rpc_in_id(in), METHOD_RING_FREE, -EBUSY,
		    "packets of this ring are in flight");
		return RPC_NEXT;
	}
	ring_bury(ring);
	rpc_reply(conn, rpc_in_id(in), METHOD_RING_FREE, &done.base, false);
	return RPC_NEXT;
}

/* ------ coming ------ */

static void
new_refuse(struct rpc_call *call, struct rpc_ring *ring)
{
	struct rpc_conn *conn = call->req.conn;

	conn->n_rings--;
	conn->memory_bytes -= ring->bytes;
	rpc_refuse_errno(conn, call->req.id, METHOD_RING_NEW, call->result, NULL);
}

static void
new_reply(struct rpc_call *call)
{
	struct rpc_conn *conn = call->req.conn;
	struct rpc_ring *ring = call->more;
	Scsad__RingNewReply reply = SCSAD__RING_NEW_REPLY__INIT;
	const struct frame_head head = {
		.method = METHOD_RING_NEW, .kind = FRAME_KIND_REPLY, .id = call->req.id,
	};

	if (call->result == 0)
		call->result = ring_watch(ring);
	if (call->result < 0) {
		ring_unwatch(ring);
		new_refuse(call, ring);
		return;
	}
	call->more = NULL;
	ring->id = ++conn->last_ring;
	LIST_INSERT_HEAD(&conn->rings, ring, entry);
	reply.has_ring = reply.has_bytes = 1;
	reply.ring = ring->id;
	reply.bytes = ring->bytes;
	rpc_send_fds(conn, &head, &reply.base, ring->fds, RING_N_FDS);
	for (size_t i = 0; i < RING_N_FDS; i++)
		ring->fds[i] = -1;
}

/* NULL, or why not */
static const char *
new_check(const struct rpc_conn *conn, uint32_t n)
{
	if (conn->n_rings >= PROTO_RINGS_MAX)
		return "this connection has as many rings as it may";
	return rpc_memory_check(conn, ring_bytes(n));
}

static struct rpc_ring *
ring_alloc(struct rpc_conn *conn, uint32_t n)
{
	struct rpc_ring *ring = fault_hit() ? NULL : calloc(1, sizeof(*ring));

	if (ring == NULL)
		return NULL;
	ring->tasks = fault_hit() ? NULL : calloc(n, sizeof(struct rpc_task *));
	if (ring->tasks == NULL) {
		free(ring);
		return NULL;
	}
	ring->server = conn->server;
	ring->conn = conn;
	ring->view.n = n;
	ring->bytes = ring_bytes(n);
	for (size_t i = 0; i < RING_N_FDS; i++)
		ring->fds[i] = -1;
	ring->doorbell_fd = ring->wake_fd = -1;
	return ring;
}

enum rpc_go
rpc_ring_new(const struct rpc_in *in)
{
	const Scsad__RingNewRequest *req = (const void *)in->msg;
	struct rpc_conn *conn = in->conn;
	bool is_fit = ring_entries_fit(req->entries);
	const char *why = is_fit ? new_check(conn, req->entries) :
	    "the number of entries is no power of two in its range";
	struct rpc_ring *ring;
	struct rpc_call *call;

	if (why != NULL) {
		rpc_refuse(conn, rpc_in_id(in), METHOD_RING_NEW, &(struct rpc_refusal){
		    .code = is_fit ? SCSAD__ERROR_CODE__ERR_LIMIT :
		    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE, .err = is_fit ? -EMSGSIZE : -EINVAL,
		    .text = why, .hint = "see limits/client_bytes in scsad.conf(5)" });
		return RPC_NEXT;
	}
	call = rpc_fds_admit(in) ? rpc_call_new(in) : NULL;
	if (call == NULL)
		return RPC_NEXT;
	ring = ring_alloc(conn, req->entries);
	if (ring == NULL) {
		rpc_refuse_errno(conn, rpc_in_id(in), METHOD_RING_NEW, -ENOMEM, NULL);
		rpc_call_free(call);
		return RPC_NEXT;
	}
	conn->n_rings++;
	conn->memory_bytes += ring->bytes;
	call->more = ring;
	call->more_free = new_free;
	call->work_fn = new_work;
	call->reply_fn = new_reply;
	rpc_call_work(call);
	return RPC_NEXT;
}

/* ------ its packets ------ */

struct rpc_task *
rpc_ring_task(struct rpc_conn *conn, uint64_t id, uint32_t tag)
{
	struct rpc_ring *ring = ring_get(conn, id);
	struct rpc_task *task;

	if (ring == NULL || ring_slot(tag) >= ring->view.n)
		return NULL;
	task = ring->tasks[ring_slot(tag)];
	return task != NULL && task->tag == tag ? task : NULL;
}

void
rpc_ring_take_all(struct rpc_conn *conn)
{
	struct rpc_ring *ring, *next;

	for (ring = LIST_FIRST(&conn->rings); ring != NULL; ring = next) {
		next = LIST_NEXT(ring, entry);
		(void)rpc_ring_take(ring, ring->view.n);
	}
}
