#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/compiler.h"
#include "base/fault.h"
#include "base/slot.h"
#include "ddi/intr_impl.h"
#include "ddi/sched_impl.h"

/*
 * One thread for all vectors. It waits in epoll(7); in a simulation, where nothing may block
 * outside, it sleeps on a condition and looks at the descriptors when somebody kicks it or when
 * nobody else can run. An armed vector is known to epoll by a slot id, so an event that was
 * fetched before a disarm leads nowhere.
 */
#define ARMED_MAX	4096
#define WAKE_ID		0	/* never a slot's */

static struct {
	kmutex_t lock;
	kcondvar_t cv;			/* simulation: look again; both: current has changed */
	struct slot_table armed;
	struct sched_thread *thread;
	int epoll_fd, wake_fd;
	struct intr_vector *current;	/* being fired */
	void *thread_self;
	bool is_ending;
} disp = { .lock = KMUTEX_INITIALIZER, .cv = KCV_INITIALIZER, .epoll_fd = -1, .wake_fd = -1 };

/* a vector's slot pointer holds where its id is kept */
struct armed {
	struct intr_vector *vector;
	uint64_t id;
	int fd;
};

static void
armed_fire(struct armed *a)
{
	disp.current = a->vector;
	mutex_exit(&disp.lock);
	intr_fire(disp.current);
	mutex_enter(&disp.lock);
	disp.current = NULL;
	cv_broadcast(&disp.cv);
}

static bool
is_readable(const struct armed *a)
{
	struct pollfd p = { .fd = a->fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0;
}

static struct armed *
readable_find(void)
{
	uint32_t pos = 0;
	struct armed *a;

	while ((a = slot_next(&disp.armed, &pos)) != NULL)
		if (is_readable(a))
			return a;
	return NULL;
}

/* sim_look() - nobody can run: has a descriptor become readable without a kick? */
static bool
sim_look(void)
{
	if (readable_find() == NULL || disp.current != NULL)
		return false;
	sim_wake_all(&disp.cv);
	return true;
}

static void
sim_thread_main(void *arg UNUSED)
{
	struct armed *a;

	mutex_enter(&disp.lock);
	disp.thread_self = sched_identity();
	while (!disp.is_ending) {
		a = readable_find();
		if (a != NULL)
			armed_fire(a);
		else
			(void)cv_wait_until(&disp.cv, &disp.lock, SCHED_FOREVER);
	}
	mutex_exit(&disp.lock);
}

static void
epoll_thread_main(void *arg UNUSED)
{
	struct epoll_event ev;
	struct armed *a;

	mutex_enter(&disp.lock);
	disp.thread_self = sched_identity();
	while (!disp.is_ending) {
		mutex_exit(&disp.lock);
		if (epoll_wait(disp.epoll_fd, &ev, 1, -1) != 1)
			ev.data.u64 = WAKE_ID;
		mutex_enter(&disp.lock);
		a = slot_get(&disp.armed, ev.data.u64);
		if (a != NULL)
			armed_fire(a);
	}
	mutex_exit(&disp.lock);
}

static int
fds_open(void)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = WAKE_ID };

	if (disp.epoll_fd >= 0)
		return 0;
	disp.epoll_fd = fault_hit() ? -1 : epoll_create1(EPOLL_CLOEXEC);
	disp.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (disp.epoll_fd < 0 || disp.wake_fd < 0 ||
	    epoll_ctl(disp.epoll_fd, EPOLL_CTL_ADD, disp.wake_fd, &ev) < 0) {
		close_fd(&disp.epoll_fd);
		close_fd(&disp.wake_fd);
		return -EMFILE;
	}
	return 0;
}

/* thread_need() - the lock is held */
static int
thread_need(void)
{
	int r;

	if (disp.armed.max == 0)
		slot_init(&disp.armed, ARMED_MAX);
	if (disp.thread != NULL)
		return 0;
	if (sched_is_sim()) {
		sim_set_idle_hook(sim_look);
		return sched_thread_start("interrupts", sim_thread_main, NULL, &disp.thread);
	}
	r = fds_open();
	if (r < 0)
		return r;
	return sched_thread_start("interrupts", epoll_thread_main, NULL, &disp.thread);
}

static int
armed_watch(struct armed *a)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = a->id };

	if (sched_is_sim())
		return 0;
	return epoll_ctl(disp.epoll_fd, EPOLL_CTL_ADD, a->fd, &ev) < 0 ? -errno : 0;
}

static int
builtin_arm(struct intr_dispatcher *d UNUSED, struct intr_vector *v, int fd,
    unsigned int hint UNUSED)
{
	CLEANUP(free_ptr) struct armed *a = fault_hit() ? NULL : calloc(1, sizeof(*a));
	int r;

	if (a == NULL)
		return -ENOMEM;
	a->vector = v;
	a->fd = fd;
	mutex_enter(&disp.lock);
	r = thread_need();
	if (r == 0)
		r = slot_take(&disp.armed, a, &a->id);
	if (r == 0) {
		r = armed_watch(a);
		if (r < 0)
			(void)slot_drop(&disp.armed, a->id);
	}
	if (r == 0) {
		*intr_vector_slot(v) = STEAL(a);
		cv_broadcast(&disp.cv);
	}
	mutex_exit(&disp.lock);
	return r;
}

static void
builtin_disarm(struct intr_dispatcher *d UNUSED, struct intr_vector *v)
{
	struct armed *a = *intr_vector_slot(v);

	*intr_vector_slot(v) = NULL;
	mutex_enter(&disp.lock);
	(void)slot_drop(&disp.armed, a->id);
	if (disp.epoll_fd >= 0)
		(void)epoll_ctl(disp.epoll_fd, EPOLL_CTL_DEL, a->fd, NULL);
	while (disp.current == v && disp.thread_self != sched_identity())
		(void)cv_wait_until(&disp.cv, &disp.lock, SCHED_FOREVER);
	mutex_exit(&disp.lock);
	free(a);
}

static struct intr_dispatcher builtin = { .arm = builtin_arm, .disarm = builtin_disarm };

struct intr_dispatcher *
intr_builtin(void)
{
	return &builtin;
}

void
intr_builtin_kick(void)
{
	mutex_enter(&disp.lock);
	cv_broadcast(&disp.cv);
	mutex_exit(&disp.lock);
}

void
intr_service_stop(void)
{
	struct sched_thread *t;
	uint64_t one = 1;

	mutex_enter(&disp.lock);
	t = STEAL(disp.thread);
	disp.is_ending = t != NULL;
	cv_broadcast(&disp.cv);
	mutex_exit(&disp.lock);
	if (t != NULL && disp.wake_fd >= 0 && write(disp.wake_fd, &one, sizeof(one)) < 0)
		abort();	/* an eventfd that is not full takes a write */
	if (t != NULL)
		sched_thread_join(t);
	disp.is_ending = false;
	disp.thread_self = NULL;
	sim_set_idle_hook(NULL);
	close_fd(&disp.epoll_fd);
	close_fd(&disp.wake_fd);
}
