#include "ddi/sim.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/sm.h"
#include "base/text.h"
#include "ddi/sched_impl.h"

#define SIM_START_NS	NS_PER_S	/* a clock at 0 would hide errors in differences */

enum sim_state { SIM_READY, SIM_RUNNING, SIM_BLOCKED, SIM_SETTLING, SIM_DONE, SIM_STATE_N };

static const struct sm_state sim_states[SIM_STATE_N] = {
	[SIM_READY]    = { "ready",    SM_TO(SIM_RUNNING) },
	[SIM_RUNNING]  = { "running",  SM_TO(SIM_READY) | SM_TO(SIM_BLOCKED) |
				       SM_TO(SIM_SETTLING) | SM_TO(SIM_DONE) },
	[SIM_BLOCKED]  = { "blocked",  SM_TO(SIM_READY) },
	[SIM_SETTLING] = { "settling", SM_TO(SIM_RUNNING) },
	[SIM_DONE]     = { "done",     0 },
};

struct sim_thread {
	TAILQ_ENTRY(sim_thread) link;
	char name[SCHED_NAME_LEN];
	uint64_t number;		/* in the order of creation */
	unsigned int state;
	const void *object;		/* what it waits for, when blocked */
	const char *what;
	uint64_t deadline_ns;		/* SCHED_FOREVER: the clock does not wake it */
	bool is_timed_out;
	bool is_listed;
	pthread_cond_t turn;
	struct sched_thread *left;	/* to be joined by sim_run(), when nobody else will */
};

TAILQ_HEAD(sim_thread_list, sim_thread);

static struct {
	struct sim_thread_list threads;
	/* under baton, the rest belongs to the running thread */
	struct sim_thread *running;
	pthread_mutex_t baton;
	struct rng rng;
	struct sim_opts opts;
	uint64_t now_ns;
	uint64_t next_number;
	uint64_t trace_hash;
	bool (*idle_hook)(void);
	char end;			/* its address is what sim_run() waits for at the end */
} sim = { .baton = PTHREAD_MUTEX_INITIALIZER };

static uint64_t
sim_clock(void *arg UNUSED)
{
	return __atomic_load_n(&sim.now_ns, __ATOMIC_RELAXED);
}

static void
trace_mix(uint64_t v)
{
	sim.trace_hash = (sim.trace_hash ^ v) * 0x100000001b3ull;
}

static void
thread_wake(struct sim_thread *t, bool is_timed_out)
{
	(void)sm_move(sim_states, &t->state, SIM_READY);
	t->object = NULL;
	t->deadline_ns = SCHED_FOREVER;
	t->is_timed_out = is_timed_out;
}

static struct sim_thread *
pick_in_state(unsigned int state)
{
	struct sim_thread *t;
	uint64_t n = 0, k;

	TAILQ_FOREACH(t, &sim.threads, link)
		n += t->state == state;
	if (n == 0)
		return NULL;
	k = n == 1 ? 0 : rng_below(&sim.rng, n);
	TAILQ_FOREACH(t, &sim.threads, link)
		if (t->state == state && k-- == 0)
			break;
	return t;
}

/* clock_jump() - go to the next deadline and wake everyone due; false when there is none */
static bool
clock_jump(void)
{
	struct sim_thread *t;
	uint64_t next_ns = SCHED_FOREVER;

	TAILQ_FOREACH(t, &sim.threads, link)
		if (t->state == SIM_BLOCKED && t->deadline_ns < next_ns)
			next_ns = t->deadline_ns;
	if (next_ns == SCHED_FOREVER)
		return false;
	if (next_ns > sim.now_ns)
		__atomic_store_n(&sim.now_ns, next_ns, __ATOMIC_RELAXED);
	TAILQ_FOREACH(t, &sim.threads, link)
		if (t->state == SIM_BLOCKED && t->deadline_ns <= sim.now_ns)
			thread_wake(t, true);
	return true;
}

static void
deadlock_report(void)
{
	struct sim_thread *t;

	log_error("simulation: deadlock at %llu us, seed %llu",
	    (unsigned long long)sim_now_us(), (unsigned long long)sim.opts.seed);
	TAILQ_FOREACH(t, &sim.threads, link)
		log_error("simulation: thread %llu '%s' %s, waits for %s %p",
		    (unsigned long long)t->number, t->name, sim_states[t->state].name,
		    t->what == NULL ? "nothing" : t->what, t->object);
	abort();
}

static struct sim_thread *
pick_next(void)
{
	struct sim_thread *t;

	for (;;) {
		t = pick_in_state(SIM_READY);
		if (t != NULL)
			return t;
		if (sim.idle_hook != NULL && sim.idle_hook())
			continue;
		t = pick_in_state(SIM_SETTLING);
		if (t != NULL)
			return t;
		if (!clock_jump())
			deadlock_report();
	}
}

static void
turn_await(struct sim_thread *self)
{
	while (sim.running != self)
		(void)pthread_cond_wait(&self->turn, &sim.baton);
}

/* hand_over() - the caller has left "running"; returns when it is its turn again */
static void
hand_over(struct sim_thread *self, bool will_return)
{
	struct sim_thread *next = pick_next();

	(void)sm_move(sim_states, &next->state, SIM_RUNNING);
	trace_mix(next->number);
	trace_mix(sim.now_ns);
	if (next == self)
		return;

	(void)pthread_mutex_lock(&sim.baton);
	sim.running = next;
	(void)pthread_cond_signal(&next->turn);
	if (will_return)
		turn_await(self);
	(void)pthread_mutex_unlock(&sim.baton);
}

struct sim_thread *
sim_thread_new(const char *name)
{
	struct sim_thread *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	(void)text_copy(t->name, sizeof(t->name), name);
	(void)pthread_cond_init(&t->turn, NULL);
	t->number = sim.next_number++;
	t->state = SIM_READY;
	t->deadline_ns = SCHED_FOREVER;
	t->is_listed = true;
	TAILQ_INSERT_TAIL(&sim.threads, t, link);
	return t;
}

void
sim_thread_free(struct sim_thread *t)
{
	if (t == NULL)
		return;
	if (t->is_listed)
		TAILQ_REMOVE(&sim.threads, t, link);
	(void)pthread_cond_destroy(&t->turn);
	free(t);
}

void
sim_thread_enter(struct sim_thread *t)
{
	sched_tls.sim = t;
	(void)pthread_mutex_lock(&sim.baton);
	turn_await(t);
	(void)pthread_mutex_unlock(&sim.baton);
}

void
sim_thread_end(struct sim_thread *t)
{
	(void)sm_move(sim_states, &t->state, SIM_DONE);
	sim_wake_all(t);
	sim_wake_all(&sim.end);
	hand_over(t, false);
}

void
sim_thread_join(struct sim_thread *t)
{
	while (t->state != SIM_DONE)
		(void)sim_block(t, "end of a thread", SCHED_FOREVER);
}

void
sim_thread_leave(struct sched_thread *t)
{
	t->sim->left = t;
}

bool
sim_block(const void *object, const char *what, uint64_t deadline_ns)
{
	struct sim_thread *self = sched_tls.sim;

	self->object = object;
	self->what = what;
	self->deadline_ns = deadline_ns;
	self->is_timed_out = false;
	(void)sm_move(sim_states, &self->state, SIM_BLOCKED);
	hand_over(self, true);
	self->what = NULL;
	return !self->is_timed_out;
}

void
sim_wake_all(const void *object)
{
	struct sim_thread *t;

	TAILQ_FOREACH(t, &sim.threads, link)
		if (t->state == SIM_BLOCKED && t->object == object)
			thread_wake(t, false);
}

void
sim_wake_one(const void *object)
{
	struct sim_thread *t;
	uint64_t n = 0, k;

	TAILQ_FOREACH(t, &sim.threads, link)
		n += t->state == SIM_BLOCKED && t->object == object;
	if (n == 0)
		return;
	k = n == 1 ? 0 : rng_below(&sim.rng, n);
	TAILQ_FOREACH(t, &sim.threads, link)
		if (t->state == SIM_BLOCKED && t->object == object && k-- == 0)
			break;
	thread_wake(t, false);
}

void
sim_yield(void)
{
	struct sim_thread *self = sched_tls.sim;

	if (sim.opts.yield_per_1024 == 0 ||
	    rng_below(&sim.rng, 1024) >= sim.opts.yield_per_1024)
		return;
	(void)sm_move(sim_states, &self->state, SIM_READY);
	hand_over(self, true);
}

void
sim_set_idle_hook(bool (*fn)(void))
{
	sim.idle_hook = fn;
}

void
sim_settle(void)
{
	struct sim_thread *self = sched_tls.sim;

	(void)sm_move(sim_states, &self->state, SIM_SETTLING);
	hand_over(self, true);
}

void
sim_advance_us(uint64_t us)
{
	(void)sim_block(sched_identity(), "time to pass", sim.now_ns + us * NS_PER_US);
	sim_settle();
}

uint64_t
sim_now_us(void)
{
	return (sim_clock(NULL) - SIM_START_NS) / NS_PER_US;
}

uint64_t
sim_trace_hash(void)
{
	return sim.trace_hash;
}

bool
sim_is_active(void)
{
	return sched_is_sim();
}

static bool
others_are_done(const struct sim_thread *self)
{
	struct sim_thread *t;

	TAILQ_FOREACH(t, &sim.threads, link)
		if (t != self && t->state != SIM_DONE)
			return false;
	return true;
}

static void
left_threads_join(void)
{
	struct sim_thread *t, *next;

	for (t = TAILQ_FIRST(&sim.threads); t != NULL; t = next) {
		next = TAILQ_NEXT(t, link);
		if (t->left != NULL)
			sched_thread_join(t->left);
	}
}

void
sim_run(const struct sim_opts *opts, void (*fn)(void *arg), void *arg)
{
	struct sim_thread *self;

	TAILQ_INIT(&sim.threads);
	sim.opts = *opts;
	sim.rng = rng_init(opts->seed);
	sim.now_ns = SIM_START_NS;
	sim.next_number = 0;
	sim.trace_hash = 0xcbf29ce484222325ull;
	sched_services_stop();		/* those of the world outside have real threads */
	sched_sim_on = true;
	clock_set_source(sim_clock, NULL);

	self = sim_thread_new("scenario");
	if (self == NULL)
		abort();
	self->state = SIM_RUNNING;
	sched_tls.sim = self;
	sim.running = self;

	fn(arg);

	sched_services_stop();
	while (!others_are_done(self))
		(void)sim_block(&sim.end, "the end of all threads", SCHED_FOREVER);
	left_threads_join();
	sched_tls.sim = NULL;
	sim_thread_free(self);
	clock_set_source(NULL, NULL);
	sched_sim_on = false;
}
