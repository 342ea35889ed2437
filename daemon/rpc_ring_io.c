/* what comes out of the memory of a ring, and what goes in */
#include "daemon/rpc_impl.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/num.h"

#define BATCH_MAX	64u	/* packets of one look: others want their turn, too */
/*
 * Before a ring sleeps it looks for as long as sleeping and waking would cost: if the client comes
 * back within that time, nobody had to be woken. If it does not, the next times are left out, up to
 * 2^LINGER_SKIPS of them: a client that is slow, or wants the same CPU, shall not pay for that.
 */
#define LINGER_NS	(10 * NS_PER_US)
#define LINGER_SKIPS	6u
#define IDLE_MIN	16u	/* looks that may find nothing in any case: less than 1 us */

/* ------ results ------ */

static void
ring_flush(struct lu_work *w)
{
	struct rpc_ring *ring = container_of(w, struct rpc_ring, flush_work);

	ring->is_flush_due = false;
	if (!ring->conn->is_closed && ring_must_wake(&ring->view.head->client_sleeps))
		(void)eventfd_write(ring->wake_fd, 1);
}

/* one result more; there is room, as each entry was only taken with room for its result */
static void
result_put(struct rpc_ring *ring, const struct ring_result *result)
{
	*ring_result_at(&ring->view, ring->completed) = *result;
	ring->completed++;
	atomic_store_explicit(&ring->view.head->completed, ring->completed,
	    memory_order_release);
	if (ring->is_flush_due)
		return;
	ring->is_flush_due = true;
	loop_defer(ring->conn->loop->loop, &ring->flush_work, ring_flush);
}

static void
result_refuse(struct rpc_ring *ring, uint32_t tag, Scsad__ErrorCode code, int err)
{
	rpc_count(&ring->conn->loop->count.errors, 1);
	result_put(ring, &(struct ring_result){
	    .tag = tag, .code = (uint16_t)code, .sys_errno = (uint16_t)-err });
}

void
rpc_ring_leave(struct rpc_task *task)
{
	task->ring->tasks[ring_slot(task->tag)] = NULL;
	task->ring->n_tasks--;
}

void
rpc_ring_answer(struct rpc_task *task)
{
	struct rpc_ring *ring = task->ring;
	const struct lu_task *lu = &task->lu;
	struct ring_result result = {
		.tag = task->tag,
		.reason = lu->reason,
		.state = lu->state,
		.statistics = lu->statistics,
		.moved = lu->dir == LU_DIR_IN ? lu->moved : 0,
		.status = lu->status,
		.sense_len = lu->sense_len,
	};

	if (ring->conn->is_closed)
		return;
	if (task->refusal < 0) {
		result_refuse(ring, task->tag, rpc_code_of(task->refusal), task->refusal);
		return;
	}
	if (lu->resid_kind == LU_RESID_UNDER)
		result.resid = lu->resid;
	else if (lu->resid_kind == LU_RESID_OVER)
		result.overflow = lu->resid;
	if (lu->sense_len > 0)
		memcpy(ring_sense_of(&ring->view, task->tag), lu->sense, lu->sense_len);
	if (task->buf != NULL && result.moved > 0)
		memcpy(task->shared, task->buf, result.moved);
	result.duration_ns = clock_now_ns() - task->start_ns;
	result_put(ring, &result);
}

/* ------ packets ------ */

/* @entry is private */
static void
entry_take(struct rpc_ring *ring, const struct ring_entry *entry, uint64_t now_ns)
{
	struct rpc_conn *conn = ring->conn;
	const struct rpc_packet packet = {
		.handle = entry->handle, .memory = entry->memory, .offset = entry->offset,
		.cdb = entry->cdb, .cdb_len = entry->cdb_len,
		.data_len = entry->data_len, .timeout_ms = entry->timeout_ms,
		.direction = (Scsad__Direction)entry->direction,
		.attribute = (Scsad__TaskAttribute)entry->attribute,
		.now_ns = now_ns,
	};
	struct rpc_task *task;
	int r = ring_entry_check(entry, ring->view.n, conn->limits.data_max);

	if (r < 0) {
		result_refuse(ring, entry->tag, r == -EMSGSIZE ? SCSAD__ERROR_CODE__ERR_LIMIT :
		    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE, r);
		return;
	}
	r = ring->tasks[ring_slot(entry->tag)] != NULL ? -EEXIST :
	    rpc_task_new(conn, &packet, &task);
	if (r < 0) {
		result_refuse(ring, entry->tag, rpc_code_of(r), r);
		return;
	}
	task->ring = ring;
	task->tag = entry->tag;
	ring->tasks[ring_slot(entry->tag)] = task;
	ring->n_tasks++;
	rpc_task_begin(conn, task);
	rpc_task_go(task);
}

/* counts that cannot be: nothing in there can be trusted any more */
static void
ring_bad(struct rpc_ring *ring, const char *name, uint32_t from, uint32_t to)
{
	struct rpc_conn *conn = ring->conn;

	rpc_refuse(conn, 0, METHOD_NONE, &(struct rpc_refusal){
	    .code = SCSAD__ERROR_CODE__ERR_BAD_FRAME, .err = -EPROTO,
	    .text = "a count of a ring has jumped" });
	rpc_conn_drop(conn, "ring %llu: count '%s' went from %u to %u",
	    (unsigned long long)ring->id, name, from, to);
}

/* is there a place for the result of one more packet? false also: the connection ends */
static bool
ring_has_room(struct rpc_ring *ring)
{
	uint32_t reaped;

	if (ring_ahead(ring->taken, ring->reaped) < ring->view.n)
		return true;
	reaped = atomic_load_explicit(&ring->view.head->reaped, memory_order_acquire);
	if (ring_ahead(reaped, ring->reaped) > ring_ahead(ring->completed, ring->reaped)) {
		ring_bad(ring, "reaped", ring->reaped, reaped);
		return false;
	}
	ring->reaped = reaped;
	return ring_ahead(ring->taken, reaped) < ring->view.n;
}

/* packets that wait; 0 also: the connection ends */
static uint32_t
ring_waiting(struct rpc_ring *ring)
{
	uint32_t submitted, n;

	if (ring->conn->is_ending || ring->conn->is_closed)
		return 0;
	submitted = atomic_load_explicit(&ring->view.head->submitted, memory_order_acquire);
	n = ring_ahead(submitted, ring->taken);
	if (n <= ring->view.n)
		return n;
	ring_bad(ring, "submitted", ring->taken, submitted);
	return 0;
}

uint32_t
rpc_ring_take(struct rpc_ring *ring, uint32_t max)
{
	uint32_t n = (uint32_t)num_min(ring_waiting(ring), max);
	uint64_t now_ns = n > 0 ? clock_now_ns() : 0;
	struct ring_entry entry;

	for (uint32_t i = 0; i < n; i++) {
		if (!ring_has_room(ring)) {
			n = i;
			break;
		}
		ring_entry_copy(&entry, ring_entry_at(&ring->view, ring->taken));
		ring->taken++;
		entry_take(ring, &entry, now_ns);
	}
	if (n == 0)
		return 0;
	atomic_store_explicit(&ring->view.head->taken, ring->taken, memory_order_release);
	rpc_count(&ring->conn->loop->count.requests, n);
	return n;
}

/* ------ looking and sleeping ------ */

/* nothing to be had: look once more, until that has gone on for long enough */
static bool
idle_is_over(struct rpc_ring *ring)
{
	uint64_t busy_ns = loop_busy_poll_ns(ring->conn->loop->loop);
	uint64_t now_ns;

	ring_relax();
	if (++ring->n_idle < IDLE_MIN)
		return false;
	if (busy_ns == 0 && ring->n_skips > 0) {
		ring->n_skips--;
		return true;
	}
	now_ns = clock_now_ns();
	if (ring->idle_since_ns == 0)
		ring->idle_since_ns = now_ns;
	if (now_ns - ring->idle_since_ns < (busy_ns > 0 ? busy_ns : LINGER_NS))
		return false;
	if (ring->n_fails < LINGER_SKIPS)
		ring->n_fails++;
	ring->n_skips = 1u << ring->n_fails;
	return true;
}

static void
idle_end(struct rpc_ring *ring)
{
	if (ring->idle_since_ns != 0)
		ring->n_fails = 0;	/* it was worth it */
	ring->n_idle = 0;
	ring->idle_since_ns = 0;
}

static unsigned int
ring_poll(struct loop_poller *poller)
{
	struct rpc_ring *ring = container_of(poller, struct rpc_ring, poller);
	uint32_t n;

	/* on its way to another loop: there it is looked at again */
	if (ring->conn->is_ending || ring->conn->move_to != NULL) {
		loop_poll_end(poller);
		return 0;
	}
	n = rpc_ring_take(ring, BATCH_MAX);
	if (n > 0) {
		idle_end(ring);
		return n;
	}
	if (!idle_is_over(ring))
		return 0;
	ring->n_idle = 0;
	ring->idle_since_ns = 0;
	ring_sleep_begin(&ring->view.head->daemon_sleeps);
	n = rpc_ring_take(ring, BATCH_MAX);
	if (n == 0)
		loop_poll_end(poller);
	else
		ring_sleep_end(&ring->view.head->daemon_sleeps);
	return n;
}

void
rpc_ring_wake(struct rpc_ring *ring)
{
	ring_sleep_end(&ring->view.head->daemon_sleeps);
	ring->poller.poll = ring_poll;
	loop_poll_begin(ring->conn->loop->loop, &ring->poller);
}

void
rpc_ring_doorbell(int fd UNUSED, short what UNUSED, void *arg)
{
	rpc_ring_wake(arg);
}
