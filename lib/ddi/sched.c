#include "ddi/sched_impl.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "ddi/kmem_impl.h"
#include "ddi/violation.h"

_Thread_local struct sched_self sched_tls;
bool sched_sim_on;

unsigned int
sched_cpu_hint(void)
{
	return sched_tls.cpu_hint;
}

void
sched_set_cpu_hint(unsigned int hint)
{
	sched_tls.cpu_hint = hint;
}

void *
sched_self(void)
{
	return sched_identity();
}

void
sched_sleep_ns(uint64_t ns)
{
	struct timespec left = {
		.tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S),
	};

	ddi_check_may_sleep("sched_sleep_ns");
	if (sched_is_sim()) {
		(void)sim_block(sched_identity(), "sleep", clock_now_ns() + ns);
		return;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
}

static void
thread_finish(void *arg)
{
	struct sched_thread *t = arg;

	kmem_thread_end();
	if (t->sim != NULL)
		sim_thread_end(t->sim);
	else if (atomic_exchange(&t->is_over, true))
		free(t);
}

static void *
thread_main(void *arg)
{
	struct sched_thread *t = arg;

	if (t->sim != NULL)
		sim_thread_enter(t->sim);
	pthread_cleanup_push(thread_finish, t);
	t->fn(t->arg);
	pthread_cleanup_pop(1);
	return NULL;
}

int
sched_thread_start(const char *name, void (*fn)(void *), void *arg,
    struct sched_thread **ret_thread)
{
	CLEANUP(free_ptr) struct sched_thread *t = calloc(1, sizeof(*t));
	int r;

	if (t == NULL || fault_hit())
		return -ENOMEM;
	(void)text_copy(t->name, sizeof(t->name), name);
	t->fn = fn;
	t->arg = arg;
	if (sched_is_sim()) {
		t->sim = sim_thread_new(t->name);
		if (t->sim == NULL)
			return -ENOMEM;
	}
	r = pthread_create(&t->handle, NULL, thread_main, t);
	if (r != 0) {
		sim_thread_free(t->sim);
		return -r;
	}
	(void)pthread_setname_np(t->handle, t->name);
	*ret_thread = STEAL(t);
	return 0;
}

void
sched_thread_join(struct sched_thread *t)
{
	if (t->sim != NULL)
		sim_thread_join(t->sim);
	(void)pthread_join(t->handle, NULL);
	sim_thread_free(t->sim);
	free(t);
}

void
sched_thread_detach(struct sched_thread *t)
{
	if (t->sim != NULL) {
		sim_thread_leave(t);
		return;
	}
	(void)pthread_detach(t->handle);
	/* the second of the thread's end and this frees */
	if (atomic_exchange(&t->is_over, true))
		free(t);
}

void
sched_services_stop(void)
{
	timeout_service_stop();
	intr_service_stop();
}
