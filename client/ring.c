#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "client/ring.h"
#include "client/scsac_impl.h"
#include "proto/error.h"

#define SOCKET_DATA	(RING_WAKE_DATA + 1)	/* epoll_event.data.u64 of the connection */

_Static_assert(SCSAC_RING_ENTRIES_MAX == RING_ENTRIES_MAX &&
    SCSAC_RING_ENTRIES_MIN == RING_ENTRIES_MIN && SCSAC_RING_CDB_MAX == RING_CDB_MAX,
    "the public header tells these numbers again");

/* ------ results ------ */

/* what a packet is told; @shared is read once. NULL: no daemon would write that */
static struct ring_packet *
result_read(struct scsac_ring *ring, const struct ring_result *shared,
    struct scsac_result *result)
{
	const struct ring_result res = *shared;
	uint32_t slot = ring_slot(res.tag);
	struct ring_packet *p;

	/* the copy decides, and must not be read from the ring again */
	atomic_signal_fence(memory_order_seq_cst);
	if (slot >= ring->view.n)
		return NULL;
	p = &ring->packets[slot];
	if (p->done == NULL || p->tag != res.tag || res.moved > p->data_len ||
	    res.resid > p->data_len || res.sense_len > PROTO_SENSE_MAX)
		return NULL;
	result->err = res.code == 0 ? 0 :
	    error_code_to_errno((Scsad__ErrorCode)res.code);
	if (res.code != 0)
		(void)error_local(ring->c, result->err, "", "the daemon refused a packet: %s",
		    error_code_name((Scsad__ErrorCode)res.code));
	result->is_unknown = false;
	result->status = res.status;
	result->reason = res.reason;
	result->state = res.state;
	result->statistics = res.statistics;
	result->resid = res.resid;
	result->overflow = res.overflow;
	result->duration_ns = res.duration_ns;
	result->data_len = res.moved;
	result->sense_len = res.sense_len;
	if (res.sense_len > 0)
		memcpy(result->sense, ring_sense_of(&ring->view, res.tag), res.sense_len);
	return p;
}

/* the packet's place is free before its callback, which may want one */
static void
packet_tell(struct scsac_ring *ring, struct ring_packet *p, const struct scsac_result *result)
{
	struct scsac *c = ring->c;
	scsac_done_fn done = STEAL(p->done);

	ring->free[ring->n_free++] = (uint16_t)(p - ring->packets);
	c->ring_packets--;
	c->callback_depth++;
	done(c, result, p->arg);
	c->callback_depth--;
}

/* callbacks of what is finished, @max of them at most; how many, or -EBADMSG */
static int
results_take(struct scsac_ring *ring, uint32_t max)
{
	struct ring_head *head = ring->view.head;
	struct scsac_result result;
	uint32_t n = 0;

	while (n < max && (!ring->c->is_doomed || ring->is_lost)) {
		struct ring_packet *p;

		if (ring->reaped == ring->completed)
			ring->completed = atomic_load_explicit(&head->completed,
			    memory_order_acquire);
		if (ring->reaped == ring->completed)
			break;
		if (ring_ahead(ring->completed, ring->reaped) > scsac_ring_in_flight(ring))
			return -EBADMSG;
		p = result_read(ring, ring_result_at(&ring->view, ring->reaped), &result);
		if (p == NULL)
			return -EBADMSG;
		ring->reaped++;
		atomic_store_explicit(&head->reaped, ring->reaped, memory_order_release);
		packet_tell(ring, p, &result);
		n++;
	}
	return (int)n;
}

static bool
has_results(struct scsac_ring *ring)
{
	return ring->reaped != atomic_load_explicit(&ring->view.head->completed,
	    memory_order_acquire);
}

/* ------ the end of the connection, and of a ring ------ */

static void
ring_lose(struct scsac_ring *ring)
{
	struct scsac_result result = { .reason = SCSAC_TRAN_ERR, .is_unknown = true };

	if (ring->is_lost)
		return;
	ring->is_lost = true;
	/* what has arrived is known; of the rest, nobody knows */
	(void)results_take(ring, ring->view.n);
	for (uint32_t i = 0; i < ring->view.n; i++)
		if (ring->packets[i].done != NULL) {
			result.resid = ring->packets[i].data_len;
			packet_tell(ring, &ring->packets[i], &result);
		}
}

void
rings_lose(struct scsac *c)
{
	struct scsac_ring *ring;

	LIST_FOREACH(ring, &c->rings, link)
		ring_lose(ring);
}

static void
ring_unmake(struct scsac_ring *ring)
{
	if (ring->base != NULL)
		(void)munmap(ring->base, ring->bytes);
	close_fd(&ring->bell_fd);
	close_fd(&ring->wait_fd);
	free(ring->packets);
	free(ring->free);
	free(ring);
}

void
rings_fini(struct scsac *c)
{
	struct scsac_ring *ring;

	while ((ring = LIST_FIRST(&c->rings)) != NULL) {
		LIST_REMOVE(ring, link);
		ring_unmake(ring);
	}
}

bool
rings_use(const struct scsac *c, const void *base, size_t bytes)
{
	const struct scsac_ring *ring;

	LIST_FOREACH(ring, &c->rings, link)
		for (uint32_t i = 0; i < ring->view.n; i++) {
			const struct ring_packet *p = &ring->packets[i];

			if (p->done != NULL && p->data_len > 0 &&
			    (uintptr_t)p->data - (uintptr_t)base < bytes)
				return true;
		}
	return false;
}

static int
free_call(struct scsac *c, uint64_t id)
{
	Scsad__RingFreeRequest msg = SCSAD__RING_FREE_REQUEST__INIT;

	msg.has_ring = 1;
	msg.ring = id;
	return call_run(c, METHOD_RING_FREE, &msg.base, NULL, NULL);
}

int
scsac_ring_free(struct scsac_ring *ring)
{
	struct scsac *c;
	int r = 0;

	if (ring == NULL)
		return 0;
	c = ring->c;
	if (c->callback_depth > 0)
		return error_local(c, -EDEADLK, "", "a callback must not free a ring");
	if (scsac_ring_in_flight(ring) > 0)
		return error_local(c, -EBUSY, "reap them first", "%u packets are in flight",
		    scsac_ring_in_flight(ring));
	if (!ring->is_lost)
		r = free_call(c, ring->id);
	if (r == -EBUSY)
		return r;
	/* the daemon's end goes with the connection at last */
	LIST_REMOVE(ring, link);
	ring_unmake(ring);
	return 0;
}

/* ------ the beginning of one ------ */

static int
ring_map(struct scsac_ring *ring, int fd, uint64_t bytes)
{
	void *base;

	if (bytes < ring_bytes(ring->view.n) || !memfd_is_good(fd, bytes))
		return -EBADMSG;
	ring->bytes = ring_bytes(ring->view.n);
	base = fault_hit() ? MAP_FAILED :
	    mmap(NULL, ring->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (base == MAP_FAILED)
		return error_local(ring->c, -ENOMEM, "", "the ring cannot be mapped");
	ring->base = base;
	ring->view = ring_view(base, ring->view.n);
	if (ring->view.head->layout != RING_LAYOUT || ring->view.head->entries != ring->view.n)
		return -EBADMSG;
	return 0;
}

/* the socket goes into what we sleep in: a daemon that dies must wake us as well */
static int
ring_watch_socket(struct scsac_ring *ring, bool want_out, int op)
{
	struct epoll_event event = { .events = EPOLLIN | (want_out ? EPOLLOUT : 0) };

	event.data.u64 = SOCKET_DATA;
	ring->is_out_wanted = want_out;
	return epoll_ctl(ring->wait_fd, op, ring->c->fd, &event) < 0 ? -errno : 0;
}

static int
new_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__RingNewReply *msg = (const void *)reply;
	struct scsac_ring *ring = call->arg;
	struct scsac *c = ring->c;
	CLEANUP(close_fd) int fd = -1;
	int r;

	if (c->n_fds_in != RING_N_FDS || msg->ring == 0) {
		fds_drop(c);
		return -EBADMSG;
	}
	fd = c->fds_in[0];
	ring->bell_fd = c->fds_in[1];
	ring->wait_fd = c->fds_in[2];
	c->n_fds_in = 0;
	r = ring_map(ring, fd, msg->bytes);
	if (r == 0)
		r = ring_watch_socket(ring, false, EPOLL_CTL_ADD) < 0 ? -EBADMSG : 0;
	if (r == 0 || r == -ENOMEM)
		ring->id = msg->ring;
	return r;
}

static struct scsac_ring *
ring_alloc(struct scsac *c, uint32_t n)
{
	struct scsac_ring *ring = fault_hit() ? NULL : calloc(1, sizeof(*ring));

	if (ring == NULL)
		return NULL;
	ring->c = c;
	ring->view.n = n;
	ring->bell_fd = ring->wait_fd = -1;
	ring->packets = fault_hit() ? NULL : calloc(n, sizeof(*ring->packets));
	ring->free = fault_hit() ? NULL : calloc(n, sizeof(*ring->free));
	if (ring->packets == NULL || ring->free == NULL) {
		ring_unmake(ring);
		return NULL;
	}
	while (ring->n_free < n) {
		ring->free[ring->n_free] = (uint16_t)(n - 1 - ring->n_free);
		ring->n_free++;
	}
	return ring;
}

int
scsac_ring_new(struct scsac *c, unsigned entries, struct scsac_ring **ret)
{
	Scsad__RingNewRequest msg = SCSAD__RING_NEW_REQUEST__INIT;
	struct scsac_ring *ring;
	uint32_t n = RING_ENTRIES_MIN;
	int r;

	if (entries < RING_ENTRIES_MIN || entries > RING_ENTRIES_MAX)
		return error_local(c, -EINVAL, "", "a ring has %u to %u entries",
		    RING_ENTRIES_MIN, RING_ENTRIES_MAX);
	if (c->state == CONN_READY && (c->features & PROTO_FEATURE_RINGS) == 0)
		return error_local(c, -EOPNOTSUPP, "use a newer daemon",
		    "the daemon has no rings");
	while (n < entries)
		n *= 2;
	ring = ring_alloc(c, n);
	if (ring == NULL)
		return error_local(c, -ENOMEM, "", "out of memory");
	msg.has_entries = 1;
	msg.entries = n;
	r = call_run(c, METHOD_RING_NEW, &msg.base, new_take, ring);
	if (r < 0) {
		if (r == -ENOMEM && ring->id != 0 && c->state == CONN_READY)
			(void)free_call(c, ring->id);
		ring_unmake(ring);
		return r;
	}
	LIST_INSERT_HEAD(&c->rings, ring, link);
	*ret = ring;
	return 0;
}

/* ------ packets ------ */

static int
ring_check(struct scsac_ring *ring, const struct scsac_cmd *cmd, const struct memory **ret)
{
	struct scsac *c = ring->c;
	int r;

	if (ring->is_lost)
		return error_local(c, -ENOTCONN, "make a new one",
		    "the connection of this ring is lost");
	r = packet_check(c, cmd);
	if (r < 0)
		return r;
	if (cmd->cdb_len > RING_CDB_MAX)
		return error_local(c, -EINVAL, "submit it without the ring",
		    "a CDB in a ring has up to %u bytes", RING_CDB_MAX);
	if (ring->n_free == 0)
		return error_local(c, -EBUSY, "reap", "the ring is full");
	*ret = memory_find(c, cmd->data, cmd->data_len);
	if (cmd->data_len > 0 && *ret == NULL)
		return error_local(c, -EFAULT, "take it from scsac_memory_new()",
		    "the data is not in shared memory");
	return 0;
}

/* the second half of an entry is left alone when the CDB does not reach there */
static void
entry_write(struct ring_entry *e, uint32_t tag, const struct scsac_cmd *cmd,
    const struct memory *memory)
{
	e->tag = tag;
	e->op = RING_OP_SUBMIT;
	e->flags = 0;
	e->direction = (uint8_t)cmd->direction;
	e->attribute = (uint8_t)cmd->attribute;
	e->handle = cmd->handle;
	e->memory = memory == NULL ? 0 : memory->id;
	e->offset = memory == NULL ? 0 : (uint64_t)((uint8_t *)cmd->data - memory->base);
	e->data_len = (uint32_t)cmd->data_len;
	e->timeout_ms = cmd->timeout_ms;
	e->cdb_len = (uint16_t)cmd->cdb_len;
	memset(e->zero, 0, sizeof(e->zero));
	memcpy(e->cdb, cmd->cdb, cmd->cdb_len);
}

int
scsac_ring_submit(struct scsac_ring *ring, const struct scsac_cmd *cmd, scsac_done_fn done,
    void *arg, uint32_t *ret_tag)
{
	const struct memory *memory;
	struct ring_packet *p;
	uint32_t slot;
	int r = ring_check(ring, cmd, &memory);

	if (r < 0)
		return r;
	slot = ring->free[--ring->n_free];
	p = &ring->packets[slot];
	p->tag = slot | ++ring->generation << 16;
	p->done = done;
	p->arg = arg;
	p->data = cmd->data;
	p->data_len = (uint32_t)cmd->data_len;
	ring->c->ring_packets++;
	entry_write(ring_entry_at(&ring->view, ring->submitted), p->tag, cmd, memory);
	ring->submitted++;
	atomic_store_explicit(&ring->view.head->submitted, ring->submitted,
	    memory_order_release);
	ring->is_flush_due = true;
	if (ret_tag != NULL)
		*ret_tag = p->tag;
	return 0;
}

void
scsac_ring_flush(struct scsac_ring *ring)
{
	if (!ring->is_flush_due)
		return;
	ring->is_flush_due = false;
	if (!ring->is_lost && ring_must_wake(&ring->view.head->daemon_sleeps))
		(void)eventfd_write(ring->bell_fd, 1);
}

int
scsac_ring_cancel(struct scsac_ring *ring, uint32_t tag)
{
	Scsad__AbortRequest msg = SCSAD__ABORT_REQUEST__INIT;
	struct scsac *c = ring->c;
	uint32_t slot = ring_slot(tag);

	if (ring->is_lost || c->state != CONN_READY)
		return error_local(c, -ENOTCONN, "", "not connected");
	if (slot >= ring->view.n || ring->packets[slot].done == NULL ||
	    ring->packets[slot].tag != tag)
		return error_local(c, -ENOENT, "", "no packet %u is in flight", tag);
	msg.has_ring = msg.has_tag = 1;
	msg.ring = ring->id;
	msg.tag = tag;
	return call_queue(c, METHOD_ABORT, &msg.base, NULL);
}

int
scsac_ring_reap(struct scsac_ring *ring)
{
	struct scsac *c = ring->c;
	int n;

	if (c->callback_depth > 0)
		return error_local(c, -EDEADLK, "", "a callback must not reap");
	if (ring->is_lost)
		return -ENOTCONN;
	scsac_ring_flush(ring);
	n = results_take(ring, ring->view.n);
	if (n < 0)
		conn_lost(c, n, "the daemon wrote nonsense into a ring");
	conn_doom_now(c);
	if (ring->is_lost)
		return -ENOTCONN;
	scsac_ring_flush(ring);
	return n;
}

/* ------ sleeping ------ */

int
scsac_ring_arm(struct scsac_ring *ring)
{
	bool want_out;

	if (ring->is_lost)
		return -ENOTCONN;
	scsac_ring_flush(ring);
	if (!outq_is_empty(&ring->c->out))
		(void)io_flush(ring->c);
	want_out = (scsac_wants(ring->c) & POLLOUT) != 0;
	if (want_out != ring->is_out_wanted)
		(void)ring_watch_socket(ring, want_out, EPOLL_CTL_MOD);
	ring_sleep_begin(&ring->view.head->client_sleeps);
	if (!has_results(ring))
		return 0;
	ring_sleep_end(&ring->view.head->client_sleeps);
	return 1;
}

/* until something is there, for @ms at most: 1 when it is the socket that has something, 0, or
 * negative errno */
static int
ring_sleep(struct scsac_ring *ring, int ms)
{
	struct epoll_event events[2];
	bool has_socket = false;
	int n, r = scsac_ring_arm(ring);

	if (r < 0)
		return r;
	n = epoll_wait(ring->wait_fd, events, ARRAY_LEN(events), r > 0 ? 0 : ms);
	r = n < 0 ? -errno : 0;
	ring_sleep_end(&ring->view.head->client_sleeps);
	for (int i = 0; i < n; i++)
		has_socket = has_socket || events[i].data.u64 == SOCKET_DATA;
	if (!has_socket)
		return r;
	r = io_process(ring->c, false);
	return r < 0 && r != -EINTR ? r : 1;
}

/* milliseconds that are left, rounded up; -1: for ever */
static int
ms_left(uint64_t deadline_us)
{
	uint64_t now_us = deadline_us == UINT64_MAX ? 0 : io_now_us();

	if (deadline_us == UINT64_MAX)
		return -1;
	return deadline_us <= now_us ? 0 : (int)((deadline_us - now_us + 999) / 1000);
}

int
scsac_ring_wait(struct scsac_ring *ring, int timeout_ms)
{
	uint64_t deadline_us = UINT64_MAX;
	int more, ms, r = 0, n = scsac_ring_reap(ring);

	if (n < 0 || (n > 0 && timeout_ms != 0))
		return n;
	if (timeout_ms >= 0)
		deadline_us = io_now_us() + (uint64_t)timeout_ms * 1000;
	do {
		ms = ms_left(deadline_us);
		r = ring_sleep(ring, n > 0 ? 0 : ms);
		more = r < 0 ? r : scsac_ring_reap(ring);
		if (more < 0)
			return more == -EINTR && n > 0 ? n : more;
		n += more;
	} while (n == 0 && r == 0 && ms != 0);
	return n;
}

int
scsac_ring_fd(const struct scsac_ring *ring)
{
	return ring->wait_fd;
}

unsigned
scsac_ring_in_flight(const struct scsac_ring *ring)
{
	return ring->view.n - ring->n_free;
}

unsigned
scsac_ring_room(const struct scsac_ring *ring)
{
	return ring->is_lost ? 0 : ring->n_free;
}
