#include <sys/sunddi.h>
#include <sys/taskq.h>

#include "base/fault.h"
#include "base/text.h"
#include "ddi/kmem_impl.h"
#include "ddi/sched_impl.h"
#include "ddi/violation.h"

#define NTHREADS_MAX	64
#define SPARE_MAX	256	/* entries kept for reuse */

struct task {
	TAILQ_ENTRY(task) link;
	task_func_t *func;
	void *arg;
	taskqid_t id;
};

TAILQ_HEAD(task_list, task);

struct taskq {
	char name[SCHED_NAME_LEN];
	kmutex_t lock;
	kcondvar_t work_cv;		/* something to do, or the end */
	kcondvar_t idle_cv;		/* fewer run than before */
	struct task_list queue;
	struct task_list spare;
	int spare_len;
	int nthreads;
	int running;
	bool is_suspended;
	bool is_ending;
	taskqid_t last_id;
	int nmembers;			/* threads that have said who they are */
	struct {
		struct sched_thread *thread;
		kthread_t *self;
	} members[];
};

static void
task_put(taskq_t *tq, struct task *t)
{
	if (tq->spare_len >= SPARE_MAX) {
		free(t);
		return;
	}
	TAILQ_INSERT_HEAD(&tq->spare, t, link);
	tq->spare_len++;
}

static void
task_run(taskq_t *tq, struct task *t)
{
	TAILQ_REMOVE(&tq->queue, t, link);
	tq->running++;
	mutex_exit(&tq->lock);
	t->func(t->arg);
	mutex_enter(&tq->lock);
	tq->running--;
	task_put(tq, t);
	cv_broadcast(&tq->idle_cv);
}

static void
taskq_thread(void *arg)
{
	taskq_t *tq = arg;
	kthread_t *self = threadp();
	struct task *t;

	sched_tls.taskq = tq;
	mutex_enter(&tq->lock);
	tq->members[tq->nmembers++].self = self;
	for (;;) {
		t = tq->is_suspended ? NULL : TAILQ_FIRST(&tq->queue);
		if (t != NULL)
			task_run(tq, t);
		else if (tq->is_ending)
			break;
		else
			cv_wait(&tq->work_cv, &tq->lock);
	}
	mutex_exit(&tq->lock);
}

taskq_t *
taskq_create(const char *name, int nthreads, pri_t pri UNUSED, int minalloc,
    int maxalloc UNUSED, uint_t flags UNUSED)
{
	int n = nthreads < 1 ? 1 : nthreads > NTHREADS_MAX ? NTHREADS_MAX : nthreads;
	taskq_t *tq = kmem_must(sizeof(*tq) + (size_t)n * sizeof(tq->members[0]));
	int r;

	(void)text_copy(tq->name, sizeof(tq->name), name);
	mutex_init(&tq->lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&tq->work_cv, NULL, CV_DRIVER, NULL);
	cv_init(&tq->idle_cv, NULL, CV_DRIVER, NULL);
	TAILQ_INIT(&tq->queue);
	TAILQ_INIT(&tq->spare);
	for (int i = 0; i < minalloc && i < SPARE_MAX; i++)
		task_put(tq, kmem_must(sizeof(struct task)));

	while (tq->nthreads < n) {
		r = sched_thread_start(tq->name, taskq_thread, tq,
		    &tq->members[tq->nthreads].thread);
		if (r < 0)
			break;
		tq->nthreads++;
	}
	if (tq->nthreads == 0) {
		taskq_destroy(tq);
		return NULL;
	}
	return tq;
}

void
taskq_destroy(taskq_t *tq)
{
	struct task *t;

	if (tq == NULL)
		return;
	if (sched_tls.taskq == tq) {
		ddi_violation("taskq-self", "queue '%s' destroyed by its own task", tq->name);
		return;
	}
	mutex_enter(&tq->lock);
	tq->is_ending = true;
	tq->is_suspended = false;
	cv_broadcast(&tq->work_cv);
	mutex_exit(&tq->lock);
	for (int i = 0; i < tq->nthreads; i++)
		sched_thread_join(tq->members[i].thread);

	while ((t = TAILQ_FIRST(&tq->spare)) != NULL) {
		TAILQ_REMOVE(&tq->spare, t, link);
		free(t);
	}
	cv_destroy(&tq->idle_cv);
	cv_destroy(&tq->work_cv);
	mutex_destroy(&tq->lock);
	free(tq);
}

/* task_get() - an entry, or NULL when @flags forbid to wait for one; the lock is held */
static struct task *
task_get(taskq_t *tq, uint_t flags)
{
	struct task *t = TAILQ_FIRST(&tq->spare);

	if ((flags & TQ_NOSLEEP) != 0 && fault_hit())
		return NULL;
	if (t != NULL) {
		TAILQ_REMOVE(&tq->spare, t, link);
		tq->spare_len--;
		return t;
	}
	if ((flags & TQ_NOALLOC) != 0)
		return NULL;
	if ((flags & TQ_NOSLEEP) != 0)
		return calloc(1, sizeof(*t));
	return kmem_must(sizeof(*t));
}

taskqid_t
taskq_dispatch(taskq_t *tq, task_func_t func, void *arg, uint_t flags)
{
	struct task *t = NULL;
	taskqid_t id = 0;

	mutex_enter(&tq->lock);
	if ((flags & TQ_NOQUEUE) == 0 || (!tq->is_suspended && TAILQ_EMPTY(&tq->queue) &&
	    tq->running < tq->nthreads))
		t = task_get(tq, flags);
	if (t != NULL) {
		t->func = func;
		t->arg = arg;
		id = t->id = ++tq->last_id;
		if ((flags & TQ_FRONT) != 0)
			TAILQ_INSERT_HEAD(&tq->queue, t, link);
		else
			TAILQ_INSERT_TAIL(&tq->queue, t, link);
		cv_signal(&tq->work_cv);
	}
	mutex_exit(&tq->lock);
	return id;
}

void
taskq_wait(taskq_t *tq)
{
	if (sched_tls.taskq == tq) {
		ddi_violation("taskq-self", "queue '%s' waited for by its own task", tq->name);
		return;
	}
	mutex_enter(&tq->lock);
	while (tq->running > 0 || (!tq->is_suspended && !TAILQ_EMPTY(&tq->queue)))
		cv_wait(&tq->idle_cv, &tq->lock);
	mutex_exit(&tq->lock);
}

void
taskq_suspend(taskq_t *tq)
{
	mutex_enter(&tq->lock);
	tq->is_suspended = true;
	cv_broadcast(&tq->idle_cv);
	mutex_exit(&tq->lock);
}

boolean_t
taskq_suspended(taskq_t *tq)
{
	boolean_t is_suspended;

	mutex_enter(&tq->lock);
	is_suspended = tq->is_suspended ? B_TRUE : B_FALSE;
	mutex_exit(&tq->lock);
	return is_suspended;
}

void
taskq_resume(taskq_t *tq)
{
	mutex_enter(&tq->lock);
	tq->is_suspended = false;
	cv_broadcast(&tq->work_cv);
	mutex_exit(&tq->lock);
}

boolean_t
taskq_member(taskq_t *tq, kthread_t *thread)
{
	bool is_member = false;

	if (thread == NULL)
		return sched_tls.taskq == tq ? B_TRUE : B_FALSE;
	mutex_enter(&tq->lock);
	for (int i = 0; i < tq->nmembers && !is_member; i++)
		is_member = tq->members[i].self == thread;
	mutex_exit(&tq->lock);
	return is_member ? B_TRUE : B_FALSE;
}

ddi_taskq_t *
ddi_taskq_create(dev_info_t *dip, const char *name, int nthreads, pri_t pri, uint_t flags)
{
	char full[SCHED_NAME_LEN * 4];

	if (dip != NULL)
		(void)snprintf(full, sizeof(full), "%s%d_%s", ddi_driver_name(dip),
		    ddi_get_instance(dip), name);
	else
		(void)snprintf(full, sizeof(full), "%s", name);
	return taskq_create(full, nthreads, pri, nthreads, INT32_MAX, flags);
}

void
ddi_taskq_destroy(ddi_taskq_t *tq)
{
	taskq_destroy(tq);
}

int
ddi_taskq_dispatch(ddi_taskq_t *tq, void (*func)(void *), void *arg, uint_t flags)
{
	uint_t how = (flags & DDI_NOSLEEP) != 0 ? TQ_NOSLEEP : TQ_SLEEP;

	return taskq_dispatch(tq, func, arg, how) == TASKQID_INVALID ?
	    DDI_FAILURE : DDI_SUCCESS;
}

void
ddi_taskq_wait(ddi_taskq_t *tq)
{
	taskq_wait(tq);
}

void
ddi_taskq_suspend(ddi_taskq_t *tq)
{
	taskq_suspend(tq);
}

boolean_t
ddi_taskq_suspended(ddi_taskq_t *tq)
{
	return taskq_suspended(tq);
}

void
ddi_taskq_resume(ddi_taskq_t *tq)
{
	taskq_resume(tq);
}
