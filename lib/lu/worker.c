#include "lu/worker.h"

#include <errno.h>
#include <sys/ksynch.h>
#include <sys/taskq.h>

#include "base/fault.h"

struct lu_worker {
	struct lu_exec exec;
	unsigned int n_threads;
	taskq_t *taskq;		/* its threads stay in worker_main() until the end */
	kmutex_t lock;
	kcondvar_t cv;
	struct lu_work_list list;
	bool is_ending;
};

static void
worker_post(struct lu_exec *x, struct lu_work *w)
{
	struct lu_worker *worker = container_of(x, struct lu_worker, exec);

	mutex_enter(&worker->lock);
	STAILQ_INSERT_TAIL(&worker->list, w, entry);
	cv_signal(&worker->cv);
	mutex_exit(&worker->lock);
}

static bool
worker_is_here(const struct lu_exec *x)
{
	const struct lu_worker *worker =
	    container_of(x, const struct lu_worker, exec);

	return taskq_member(worker->taskq, NULL) != B_FALSE;
}

static void
worker_main(void *arg)
{
	struct lu_worker *worker = arg;
	struct lu_work *w;

	mutex_enter(&worker->lock);
	for (;;) {
		w = STAILQ_FIRST(&worker->list);
		if (w != NULL) {
			STAILQ_REMOVE_HEAD(&worker->list, entry);
			mutex_exit(&worker->lock);
			w->fn(w);
			mutex_enter(&worker->lock);
		} else if (worker->is_ending) {
			break;
		} else {
			cv_wait(&worker->cv, &worker->lock);
		}
	}
	mutex_exit(&worker->lock);
}

int
lu_worker_new(unsigned int n_threads, struct lu_worker **ret_worker)
{
	struct lu_worker *worker = fault_hit() ? NULL : calloc(1, sizeof(*worker));

	if (worker == NULL)
		return -ENOMEM;
	worker->exec.post = worker_post;
	worker->exec.is_here = worker_is_here;
	worker->n_threads = n_threads;
	mutex_init(&worker->lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&worker->cv, NULL, CV_DRIVER, NULL);
	STAILQ_INIT(&worker->list);
	worker->taskq = taskq_create("lu_worker", (int)n_threads, 0, (int)n_threads, INT32_MAX,
	    TASKQ_PREPOPULATE);
	if (worker->taskq == NULL) {
		lu_worker_free(worker);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < n_threads; i++)
		(void)taskq_dispatch(worker->taskq, worker_main, worker, TQ_SLEEP);
	*ret_worker = worker;
	return 0;
}

void
lu_worker_free(struct lu_worker *worker)
{
	if (worker == NULL)
		return;
	mutex_enter(&worker->lock);
	worker->is_ending = true;
	cv_broadcast(&worker->cv);
	mutex_exit(&worker->lock);
	if (worker->taskq != NULL)
		taskq_destroy(worker->taskq);
	cv_destroy(&worker->cv);
	mutex_destroy(&worker->lock);
	free(worker);
}

struct lu_exec *
lu_worker_exec(struct lu_worker *worker)
{
	return &worker->exec;
}
