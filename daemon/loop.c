#include "daemon/loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "ddi/intr.h"
#include "ddi/sched.h"

struct loop {
	struct lu_exec exec;
	struct loops *loops;
	unsigned int index;
	struct event_base *base;
	struct event *wakeup;
	int wakeup_fd;
	pthread_t thread;
	bool is_started;
	bool want_stop;			/* loop's thread only */
	struct lu_work_list deferred;	/* loop's thread only */
	TAILQ_HEAD(, loop_poller) pollers;	/* loop's thread only */
	struct loop_poller *next_poller;	/* of the walk that is going on */
	void *slot;

	pthread_mutex_t lock;		/* inbox */
	struct lu_work_list inbox;

	struct lu_work stop_work;
	struct lu_work ping_work;
	_Atomic bool is_ping_due;	/* ping_work is in the inbox */
};

struct loops {
	struct intr_dispatcher dispatcher;
	struct loops_conf conf;
	unsigned int n;
	struct loop loop[LOOP_MAX];
};

static _Thread_local struct loop *current;

struct loop *
loop_current(void)
{
	return current;
}

unsigned int
loop_index(const struct loop *loop)
{
	return loop->index;
}

struct event_base *
loop_base(struct loop *loop)
{
	return loop->base;
}

struct lu_exec *
loop_exec(struct loop *loop)
{
	return &loop->exec;
}

struct loop *
loop_of(struct lu_exec *x)
{
	return container_of(x, struct loop, exec);
}

void **
loop_slot(struct loop *loop)
{
	return &loop->slot;
}

void
loop_post(struct loop *loop, struct lu_work *w, lu_work_fn fn)
{
	bool was_empty;

	w->fn = fn;
	(void)pthread_mutex_lock(&loop->lock);
	was_empty = STAILQ_EMPTY(&loop->inbox);
	STAILQ_INSERT_TAIL(&loop->inbox, w, entry);
	/* inside the lock: once the work can run, the loop may be stopped and freed */
	if (was_empty)
		(void)eventfd_write(loop->wakeup_fd, 1);
	(void)pthread_mutex_unlock(&loop->lock);
}

void
loop_defer(struct loop *loop, struct lu_work *w, lu_work_fn fn)
{
	assert(loop_is_here(loop));
	w->fn = fn;
	STAILQ_INSERT_TAIL(&loop->deferred, w, entry);
}

void
loop_poll_begin(struct loop *loop, struct loop_poller *poller)
{
	assert(loop_is_here(loop));
	if (poller->loop != NULL)
		return;
	poller->loop = loop;
	TAILQ_INSERT_TAIL(&loop->pollers, poller, entry);
}

void
loop_poll_end(struct loop_poller *poller)
{
	struct loop *loop = STEAL(poller->loop);

	if (loop == NULL)
		return;
	if (loop->next_poller == poller)
		loop->next_poller = TAILQ_NEXT(poller, entry);
	TAILQ_REMOVE(&loop->pollers, poller, entry);
}

uint64_t
loop_busy_poll_ns(const struct loop *loop)
{
	return loop->loops->conf.busy_poll_us * NS_PER_US;
}

static void
exec_post(struct lu_exec *x, struct lu_work *w)
{
	loop_post(loop_of(x), w, w->fn);
}

static void
exec_defer(struct lu_exec *x, struct lu_work *w)
{
	loop_defer(loop_of(x), w, w->fn);
}

static bool
exec_is_here(const struct lu_exec *x)
{
	return current != NULL && &current->exec == x;
}

/* the inbox joins the deferred works: one list, one order */
static void
inbox_take(struct loop *loop)
{
	(void)pthread_mutex_lock(&loop->lock);
	STAILQ_CONCAT(&loop->deferred, &loop->inbox);
	(void)pthread_mutex_unlock(&loop->lock);
}

static void
works_run(struct loop *loop)
{
	for (unsigned int n = 0; n < LOOP_TURN_WORKS; n++) {
		struct lu_work *w = STAILQ_FIRST(&loop->deferred);

		if (w == NULL)
			return;
		STAILQ_REMOVE_HEAD(&loop->deferred, entry);
		w->fn(w);
	}
}

static void
turn_end(struct loop *loop)
{
	inbox_take(loop);
	works_run(loop);
}

/* true when the turn found something to do */
static bool
turn_take(struct loop *loop, bool can_sleep)
{
	bool has_works;

	(void)event_base_loop(loop->base, can_sleep ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
	inbox_take(loop);
	has_works = !STAILQ_EMPTY(&loop->deferred);
	works_run(loop);
	return has_works;
}

/* once; how many things they did */
static unsigned int
pollers_run(struct loop *loop)
{
	struct loop_poller *poller = TAILQ_FIRST(&loop->pollers);
	unsigned int n = 0;

	while (poller != NULL) {
		loop->next_poller = TAILQ_NEXT(poller, entry);
		n += poller->poll(poller);
		poller = STEAL(loop->next_poller);
	}
	return n;
}

/* events are looked for once in a while only: that is a system call */
static void
turn_poll(struct loop *loop)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < LOOP_POLL_ROUNDS && n < LOOP_POLL_WORKS &&
	    !TAILQ_EMPTY(&loop->pollers); i++) {
		n += pollers_run(loop);
		works_run(loop);
	}
	/* without them, the next turn may sleep: it looks for events itself */
	if (!TAILQ_EMPTY(&loop->pollers))
		(void)turn_take(loop, false);
}

static void
loop_turn(struct loop *loop)
{
	uint64_t busy_ns = loop_busy_poll_ns(loop);
	uint64_t until_ns;

	if (!TAILQ_EMPTY(&loop->pollers)) {
		turn_poll(loop);
		return;
	}
	if (busy_ns > 0) {
		until_ns = clock_now_ns() + busy_ns;
		do {
			if (turn_take(loop, false) || !TAILQ_EMPTY(&loop->pollers))
				return;
		} while (clock_now_ns() < until_ns && !loop->want_stop);
	}
	(void)turn_take(loop, STAILQ_EMPTY(&loop->deferred) && !loop->want_stop);
}

static void *
loop_main(void *arg)
{
	struct loop *loop = arg;
	char name[16];

	(void)snprintf(name, sizeof(name), "loop%u", loop->index);
	(void)pthread_setname_np(pthread_self(), name);
	current = loop;
	(void)sched_set_interrupt(true);
	sched_set_cpu_hint(loop->index);
	while (!loop->want_stop)
		loop_turn(loop);

	/* what was handed over before the stop still runs; nothing else does */
	turn_end(loop);
	while (!STAILQ_EMPTY(&loop->deferred))
		turn_end(loop);
	(void)sched_set_interrupt(false);
	current = NULL;
	return NULL;
}

/* edge-triggered: nobody needs to read the counter back to zero */
static void
loop_wakeup(evutil_socket_t fd UNUSED, short what UNUSED, void *arg UNUSED)
{
}

static int
loop_init(struct loop *loop, struct loops *loops, unsigned int index)
{
	struct event_config *config;

	loop->exec = (struct lu_exec){ exec_post, exec_defer, exec_is_here };
	loop->loops = loops;
	loop->index = index;
	STAILQ_INIT(&loop->inbox);
	STAILQ_INIT(&loop->deferred);
	TAILQ_INIT(&loop->pollers);
	(void)pthread_mutex_init(&loop->lock, NULL);
	loop->wakeup_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->wakeup_fd < 0)
		return -errno;

	config = fault_hit() ? NULL : event_config_new();
	if (config == NULL)
		return -ENOMEM;
	/* only its own thread touches a base; what others want goes through the inbox */
	(void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	(void)event_config_require_features(config, EV_FEATURE_ET);
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	if (loop->base == NULL)
		return -ENOMEM;

	loop->wakeup = event_new(loop->base, loop->wakeup_fd, EV_READ | EV_PERSIST | EV_ET,
	    loop_wakeup, loop);
	if (loop->wakeup == NULL || event_add(loop->wakeup, NULL) < 0)
		return -ENOMEM;
	return 0;
}

static int
loop_start(struct loop *loop)
{
	sigset_t all, before;
	int r;

	/* signals are the main thread's */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = fault_hit() ? EAGAIN : pthread_create(&loop->thread, NULL, loop_main, loop);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return -r;
	loop->is_started = true;
	return 0;
}

static void
loop_fini(struct loop *loop)
{
	if (loop->wakeup != NULL)
		event_free(loop->wakeup);
	if (loop->base != NULL)
		event_base_free(loop->base);
	close_fd(&loop->wakeup_fd);
	(void)pthread_mutex_destroy(&loop->lock);
}

/* ------ interrupts ------ */

struct intr_watch {
	struct loop *loop;
	struct intr_vector *vector;
	struct event *event;
	int fd;
	int result;
};

static void
watch_fire(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct intr_watch *watch = arg;

	intr_fire(watch->vector);
}

static void
watch_begin(void *arg)
{
	struct intr_watch *watch = arg;

	watch->event = event_new(watch->loop->base, watch->fd, EV_READ | EV_PERSIST, watch_fire,
	    watch);
	if (watch->event == NULL || event_add(watch->event, NULL) < 0)
		watch->result = -ENOMEM;
}

static void
watch_end(void *arg)
{
	struct intr_watch *watch = arg;

	if (watch->event != NULL)
		event_free(watch->event);
}

static int
dispatcher_arm(struct intr_dispatcher *d, struct intr_vector *v, int fd, unsigned int hint)
{
	struct loops *loops = container_of(d, struct loops, dispatcher);
	struct intr_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (watch == NULL)
		return -ENOMEM;
	watch->loop = &loops->loop[hint % loops->n];
	watch->vector = v;
	watch->fd = fd;
	loop_call(watch->loop, watch_begin, watch);
	r = watch->result;
	if (r < 0) {
		watch_end(watch);
		free(watch);
		return r;
	}
	*intr_vector_slot(v) = watch;
	return 0;
}

static void
dispatcher_disarm(struct intr_dispatcher *d UNUSED, struct intr_vector *v)
{
	struct intr_watch *watch = *intr_vector_slot(v);

	if (watch == NULL)
		return;
	*intr_vector_slot(v) = NULL;
	loop_call(watch->loop, watch_end, watch);
	free(watch);
}

/* ------ the pool ------ */

int
loops_new(const struct loops_conf *conf, struct loops **ret_loops)
{
	CLEANUP(free_ptr) struct loops *loops = calloc(1, sizeof(*loops));
	int r = 0;

	assert(conf->n >= 1 && conf->n <= LOOP_MAX);
	if (loops == NULL)
		return -ENOMEM;
	loops->conf = *conf;
	loops->dispatcher = (struct intr_dispatcher){ dispatcher_arm, dispatcher_disarm };
	while (r == 0 && loops->n < conf->n) {
		r = loop_init(&loops->loop[loops->n], loops, loops->n);
		loops->n++;
	}
	for (unsigned int i = 0; r == 0 && i < loops->n; i++)
		r = loop_start(&loops->loop[i]);
	if (r < 0) {
		loops_free(STEAL(loops));
		return r;
	}
	intr_set_dispatcher(&loops->dispatcher);
	*ret_loops = STEAL(loops);
	return 0;
}

static void
loop_stop(struct lu_work *w)
{
	struct loop *loop = container_of(w, struct loop, stop_work);

	loop->want_stop = true;
}

void
loops_stop(struct loops *loops)
{
	for (unsigned int i = 0; i < loops->n; i++) {
		struct loop *loop = &loops->loop[i];

		if (!loop->is_started)
			continue;
		loop_post(loop, &loop->stop_work, loop_stop);
		(void)pthread_join(loop->thread, NULL);
		loop->is_started = false;
	}
}

void
loops_free(struct loops *loops)
{
	if (loops == NULL)
		return;
	loops_stop(loops);
	intr_set_dispatcher(NULL);
	for (unsigned int i = 0; i < loops->n; i++)
		loop_fini(&loops->loop[i]);
	free(loops);
}

unsigned int
loops_count(const struct loops *loops)
{
	return loops->n;
}

struct loop *
loops_get(struct loops *loops, unsigned int i)
{
	assert(i < loops->n);
	return &loops->loop[i];
}

static void
loop_pong(struct lu_work *w)
{
	struct loop *loop = container_of(w, struct loop, ping_work);

	atomic_store(&loop->is_ping_due, false);
}

bool
loops_are_alive(struct loops *loops)
{
	bool are_alive = true;

	for (unsigned int i = 0; i < loops->n; i++) {
		struct loop *loop = &loops->loop[i];

		if (atomic_exchange(&loop->is_ping_due, true))
			are_alive = false;
		else
			loop_post(loop, &loop->ping_work, loop_pong);
	}
	return are_alive;
}

struct loop_call {
	struct lu_work work;
	void (*fn)(void *arg);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool is_done;
};

static void
call_run(struct lu_work *w)
{
	struct loop_call *call = container_of(w, struct loop_call, work);

	call->fn(call->arg);
	(void)pthread_mutex_lock(&call->lock);
	call->is_done = true;
	(void)pthread_cond_signal(&call->cond);
	(void)pthread_mutex_unlock(&call->lock);
}

void
loop_call(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct loop_call call = {
		.fn = fn,
		.arg = arg,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.cond = PTHREAD_COND_INITIALIZER,
	};

	if (loop_is_here(loop) || !loop->is_started) {
		fn(arg);
		return;
	}
	assert(loop_current() == NULL);
	loop_post(loop, &call.work, call_run);
	(void)pthread_mutex_lock(&call.lock);
	while (!call.is_done)
		(void)pthread_cond_wait(&call.cond, &call.lock);
	(void)pthread_mutex_unlock(&call.lock);
	(void)pthread_mutex_destroy(&call.lock);
	(void)pthread_cond_destroy(&call.cond);
}
