#include "mock_home.h"

#include <pthread.h>

#include "base/compiler.h"

static struct {
	struct lu_exec exec;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cv;
	struct lu_work_list inbox, deferred;
	bool is_over;			/* the step */
} home = { .lock = PTHREAD_MUTEX_INITIALIZER, .cv = PTHREAD_COND_INITIALIZER };

static void
home_post(struct lu_exec *x UNUSED, struct lu_work *w)
{
	(void)pthread_mutex_lock(&home.lock);
	STAILQ_INSERT_TAIL(&home.inbox, w, entry);
	(void)pthread_cond_broadcast(&home.cv);
	(void)pthread_mutex_unlock(&home.lock);
}

static void
home_defer(struct lu_exec *x UNUSED, struct lu_work *w)
{
	STAILQ_INSERT_TAIL(&home.deferred, w, entry);
}

static bool
home_is_here(const struct lu_exec *x UNUSED)
{
	return pthread_equal(pthread_self(), home.thread) != 0;
}

static void
list_run(struct lu_work_list *list)
{
	struct lu_work *w;

	while ((w = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, entry);
		w->fn(w);
	}
}

static void *
home_main(void *arg)
{
	struct lu_work_list list;

	(void)pthread_mutex_lock(&home.lock);
	for (;;) {
		while (STAILQ_EMPTY(&home.inbox))
			(void)pthread_cond_wait(&home.cv, &home.lock);
		STAILQ_INIT(&list);
		STAILQ_CONCAT(&list, &home.inbox);
		(void)pthread_mutex_unlock(&home.lock);
		list_run(&list);
		list_run(&home.deferred);
		(void)pthread_mutex_lock(&home.lock);
	}
	return arg;
}

static struct lu_exec *
host_pick_home(struct lu_host *host UNUSED, const struct lu *unit UNUSED)
{
	return &home.exec;
}

static void
host_event(struct lu_host *host UNUSED, enum lu_event event UNUSED, struct lu *unit UNUSED)
{
}

bool
mock_home_start(struct lu_host *host)
{
	home.exec = (struct lu_exec){ home_post, home_defer, home_is_here };
	STAILQ_INIT(&home.inbox);
	STAILQ_INIT(&home.deferred);
	host->pick_home = host_pick_home;
	host->event = host_event;
	return pthread_create(&home.thread, NULL, home_main, NULL) == 0;
}

void
mock_home_step(lu_work_fn fn)
{
	static struct lu_work work;

	home.is_over = false;
	lu_exec_post(&home.exec, &work, fn);
	(void)pthread_mutex_lock(&home.lock);
	while (!home.is_over)
		(void)pthread_cond_wait(&home.cv, &home.lock);
	(void)pthread_mutex_unlock(&home.lock);
}

void
mock_home_step_end(void)
{
	(void)pthread_mutex_lock(&home.lock);
	home.is_over = true;
	(void)pthread_cond_broadcast(&home.cv);
	(void)pthread_mutex_unlock(&home.lock);
}
