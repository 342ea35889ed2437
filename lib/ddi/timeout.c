#include <sys/ddi.h>

#include "base/clock.h"
#include "base/slot.h"
#include "ddi/kmem_impl.h"
#include "ddi/sched_impl.h"

/*
 * One heap of deadlines, served by a pool of workers of equal rank: one of those without work
 * (the leader) waits for the earliest deadline, the others for the leader's place. Who takes a
 * due entry first sees to it that a new leader is there, by waking one or making one; so a
 * callback that blocks holds up nobody until all WORKERS_MAX block.
 */
#define WORKERS_MAX	16
#define IDS_MAX		(1u << 20)
#define NOT_IN_HEAP	SIZE_MAX
#define NS_PER_TICK(n)	((uint64_t)((long long)(n) * (NANOSEC / hz)))

struct callout {
	uint64_t id;
	uint64_t deadline_ns;
	uint64_t order;			/* among equal deadlines */
	size_t place;			/* in the heap */
	void (*func)(void *);
	void *arg;
	const void *runner;		/* identity of the thread that runs it */
};

static struct {
	kmutex_t lock;
	kcondvar_t leader_cv;		/* an earlier deadline, or the end */
	kcondvar_t follower_cv;		/* a leader is needed, or the end */
	kcondvar_t done_cv;		/* a callback has returned */
	struct callout **heap;
	size_t len, room;
	struct slot_table ids;
	uint64_t next_order;
	struct sched_thread *workers[WORKERS_MAX];
	unsigned int nworkers, nfollowers;
	bool has_leader;
	bool is_ending;
} svc = {
	.lock = KMUTEX_INITIALIZER,
	.leader_cv = KCV_INITIALIZER,
	.follower_cv = KCV_INITIALIZER,
	.done_cv = KCV_INITIALIZER,
};

static bool
is_before(const struct callout *a, const struct callout *b)
{
	if (a->deadline_ns != b->deadline_ns)
		return a->deadline_ns < b->deadline_ns;
	return a->order < b->order;
}

static void
heap_set(size_t i, struct callout *c)
{
	svc.heap[i] = c;
	c->place = i;
}

static void
heap_up(size_t i, struct callout *c)
{
	for (; i > 0 && is_before(c, svc.heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap_set(i, svc.heap[(i - 1) / 2]);
	heap_set(i, c);
}

static void
heap_down(size_t i, struct callout *c)
{
	size_t child;

	while ((child = 2 * i + 1) < svc.len) {
		if (child + 1 < svc.len && is_before(svc.heap[child + 1], svc.heap[child]))
			child++;
		if (!is_before(svc.heap[child], c))
			break;
		heap_set(i, svc.heap[child]);
		i = child;
	}
	heap_set(i, c);
}

static void
heap_insert(struct callout *c)
{
	if (svc.len == svc.room) {
		size_t room = svc.room == 0 ? 64 : svc.room * 2;
		struct callout **heap = kmem_must(room * sizeof(*heap));

		if (svc.len > 0)
			memcpy(heap, svc.heap, svc.len * sizeof(*heap));
		free(svc.heap);
		svc.heap = heap;
		svc.room = room;
	}
	svc.len++;
	heap_up(svc.len - 1, c);
}

static void
heap_remove(struct callout *c)
{
	size_t i = c->place;
	struct callout *last = svc.heap[--svc.len];

	c->place = NOT_IN_HEAP;
	if (last == c)
		return;
	heap_down(i, last);
	if (last->place == i)
		heap_up(i, last);
}

static void worker_main(void *arg);

/* leader_find() - somebody must watch the clock while the caller is busy */
static void
leader_find(void)
{
	if (svc.has_leader || svc.is_ending)
		return;
	if (svc.nfollowers > 0)
		cv_signal(&svc.follower_cv);
	else if (svc.nworkers < WORKERS_MAX &&
	    sched_thread_start("timeout", worker_main, NULL, &svc.workers[svc.nworkers]) == 0)
		svc.nworkers++;
}

static void
callout_run(struct callout *c)
{
	bool was;

	heap_remove(c);
	c->runner = sched_identity();
	leader_find();
	mutex_exit(&svc.lock);
	was = sched_set_interrupt(true);
	c->func(c->arg);
	(void)sched_set_interrupt(was);
	mutex_enter(&svc.lock);
	(void)slot_drop(&svc.ids, c->id);
	free(c);
	cv_broadcast(&svc.done_cv);
}

static void
worker_wait(void)
{
	if (svc.has_leader) {
		svc.nfollowers++;
		(void)cv_wait_until(&svc.follower_cv, &svc.lock, SCHED_FOREVER);
		svc.nfollowers--;
		return;
	}
	svc.has_leader = true;
	(void)cv_wait_until(&svc.leader_cv, &svc.lock,
	    svc.len == 0 ? SCHED_FOREVER : svc.heap[0]->deadline_ns);
	svc.has_leader = false;
}

static void
worker_main(void *arg UNUSED)
{
	mutex_enter(&svc.lock);
	while (!svc.is_ending) {
		if (svc.len > 0 && svc.heap[0]->deadline_ns <= clock_now_ns())
			callout_run(svc.heap[0]);
		else
			worker_wait();
	}
	mutex_exit(&svc.lock);
}

timeout_id_t
timeout(void (*func)(void *), void *arg, clock_t ticks)
{
	struct callout *c = kmem_must(sizeof(*c));
	uint64_t id;

	c->func = func;
	c->arg = arg;
	c->deadline_ns = clock_now_ns() + NS_PER_TICK(ticks < 0 ? 0 : ticks);
	mutex_enter(&svc.lock);
	if (svc.ids.max == 0)
		slot_init(&svc.ids, IDS_MAX);
	if (slot_take(&svc.ids, c, &c->id) < 0)
		panic("timeout: no memory, or %u pending", IDS_MAX);
	id = c->id;
	c->order = svc.next_order++;
	heap_insert(c);
	if (svc.heap[0] == c)
		cv_signal(&svc.leader_cv);
	leader_find();
	mutex_exit(&svc.lock);
	return (timeout_id_t)(uintptr_t)id;
}

clock_t
untimeout(timeout_id_t tid)
{
	uint64_t id = (uint64_t)(uintptr_t)tid, now_ns;
	struct callout *c;
	clock_t left = -1;

	mutex_enter(&svc.lock);
	c = slot_get(&svc.ids, id);
	if (c != NULL && c->place != NOT_IN_HEAP) {
		now_ns = clock_now_ns();
		left = c->deadline_ns <= now_ns ? 0 :
		    (clock_t)((c->deadline_ns - now_ns) / (uint64_t)(NANOSEC / hz));
		heap_remove(c);
		(void)slot_drop(&svc.ids, id);
		free(c);
	} else {
		while (c != NULL && c->runner != sched_identity()) {
			(void)cv_wait_until(&svc.done_cv, &svc.lock, SCHED_FOREVER);
			c = slot_get(&svc.ids, id);
		}
	}
	mutex_exit(&svc.lock);
	return left;
}

void
timeout_service_stop(void)
{
	unsigned int n;

	mutex_enter(&svc.lock);
	svc.is_ending = true;
	n = svc.nworkers;
	cv_broadcast(&svc.leader_cv);
	cv_broadcast(&svc.follower_cv);
	mutex_exit(&svc.lock);
	for (unsigned int i = 0; i < n; i++)
		sched_thread_join(svc.workers[i]);

	mutex_enter(&svc.lock);
	while (svc.len > 0) {
		struct callout *c = svc.heap[0];

		heap_remove(c);
		(void)slot_drop(&svc.ids, c->id);
		free(c);
	}
	svc.nworkers = 0;
	svc.is_ending = false;
	mutex_exit(&svc.lock);
}
