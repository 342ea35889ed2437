#include <sys/cpuvar.h>
#include <sys/cred.h>
#include <sys/sunddi.h>
#include <sys/thread.h>

#include "ddi/kmem_impl.h"
#include "ddi/sched_impl.h"

struct own_thread {
	struct kthread thread;
	TAILQ_ENTRY(own_thread) link;
	void (*func)(void *);
	void *arg;
};

static struct {
	kmutex_t lock;
	kcondvar_t cv;
	TAILQ_HEAD(, own_thread) alive;
	kt_did_t next_did;
} own = {
	.lock = KMUTEX_INITIALIZER,
	.cv = KCV_INITIALIZER,
	.alive = TAILQ_HEAD_INITIALIZER(own.alive),
	.next_did = 1,
};

struct proc p0;

static _Thread_local struct kthread foreign_thread;	/* of threads we did not make */
static _Thread_local struct cpu this_cpu;

static void
own_thread_end(void *arg)
{
	struct own_thread *t = arg;

	sched_tls.kthread = NULL;
	mutex_enter(&own.lock);
	TAILQ_REMOVE(&own.alive, t, link);
	cv_broadcast(&own.cv);
	mutex_exit(&own.lock);
	free(t);
}

static void
own_thread_main(void *arg)
{
	struct own_thread *t = arg;

	sched_tls.kthread = &t->thread;
	pthread_cleanup_push(own_thread_end, t);
	t->func(t->arg);
	pthread_cleanup_pop(1);
}

kthread_t *
thread_create(void *stk UNUSED, size_t stksize UNUSED, void (*func)(void *), void *arg,
    size_t len UNUSED, proc_t *p UNUSED, int state UNUSED, pri_t pri UNUSED)
{
	struct own_thread *t = kmem_must(sizeof(*t));
	struct sched_thread *host;
	int r;

	t->func = func;
	t->arg = arg;
	mutex_enter(&own.lock);
	t->thread.t_did = own.next_did++;
	TAILQ_INSERT_TAIL(&own.alive, t, link);
	mutex_exit(&own.lock);
	r = sched_thread_start("driver", own_thread_main, t, &host);
	if (r < 0)
		panic("thread: the host gives none, error %d", -r);
	sched_thread_detach(host);
	return &t->thread;
}

void
thread_exit(void)
{
	pthread_exit(NULL);
}

void
thread_join(kt_did_t did)
{
	struct own_thread *t;

	mutex_enter(&own.lock);
	do {
		TAILQ_FOREACH(t, &own.alive, link)
			if (t->thread.t_did == did)
				break;
		if (t != NULL)
			cv_wait(&own.cv, &own.lock);
	} while (t != NULL);
	mutex_exit(&own.lock);
}

kthread_t *
threadp(void)
{
	if (sched_tls.kthread != NULL)
		return sched_tls.kthread;
	if (foreign_thread.t_did == 0) {
		mutex_enter(&own.lock);
		foreign_thread.t_did = own.next_did++;
		mutex_exit(&own.lock);
	}
	return &foreign_thread;
}

int
servicing_interrupt(void)
{
	return sched_is_interrupt();
}

cpu_t *
scsad_cpu_self(void)
{
	this_cpu.cpu_id = (processorid_t)sched_cpu_hint();
	this_cpu.cpu_seqid = this_cpu.cpu_id;
	return &this_cpu;
}

int
scsad_ncpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : (int)n;
}

cred_t *
ddi_get_cred(void)
{
	static _Thread_local cred_t self;

	self.cr_uid = geteuid();
	self.cr_gid = getegid();
	return &self;
}

int
drv_priv(cred_t *cr)
{
	return cr->cr_uid == 0 ? 0 : EPERM;
}
