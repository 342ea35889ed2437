/*
 * lu/exec.h - a thread to run on, without knowing whose
 *
 * What      lib/lu owns no threads of its own choosing. The process above hands it executors:
 *           one for every thread that a unit may live on (a loop), one for threads that may
 *           block (workers). A piece of work is embedded in the object it is about, so handing
 *           it over never allocates.
 * Owner     A work item belongs to the executor from post()/defer() until its function is
 *           called; the function may hand it over again, or free what it is embedded in.
 * Order     Works posted by one thread run in that order; works deferred run in order, after
 *           what the thread is doing now has returned.
 * Thread    post(): any, never blocks. defer(): only the executor's own thread.
 */
#ifndef LU_EXEC_H
#define LU_EXEC_H

#include <stdbool.h>
#include <sys/queue.h>

struct lu_work;

/* lu_work_fn - runs once for each hand-over; on a loop it must not block */
typedef void (*lu_work_fn)(struct lu_work *w);

struct lu_work {
	STAILQ_ENTRY(lu_work) entry;	/* executor only */
	lu_work_fn fn;			/* set by the owner before the hand-over */
};

STAILQ_HEAD(lu_work_list, lu_work);

struct lu_exec {
	/* run @w on this executor's thread, soon */
	void (*post)(struct lu_exec *x, struct lu_work *w);
	/* run @w on this very thread at the end of its turn; NULL for workers */
	void (*defer)(struct lu_exec *x, struct lu_work *w);
	/* is the caller this executor's thread? For workers: is it one of them? */
	bool (*is_here)(const struct lu_exec *x);
};

static inline bool
lu_exec_is_here(const struct lu_exec *x)
{
	return x->is_here(x);
}

/* lu_exec_post(), lu_exec_defer(): the calls above, with the function set */
static inline void
lu_exec_post(struct lu_exec *x, struct lu_work *w, lu_work_fn fn)
{
	w->fn = fn;
	x->post(x, w);
}

static inline void
lu_exec_defer(struct lu_exec *x, struct lu_work *w, lu_work_fn fn)
{
	w->fn = fn;
	x->defer(x, w);
}

/* lu_exec_to() - end of turn if the caller is there already, else across threads */
static inline void
lu_exec_to(struct lu_exec *x, struct lu_work *w, lu_work_fn fn)
{
	w->fn = fn;
	if (x->is_here(x))
		x->defer(x, w);
	else
		x->post(x, w);
}

#endif /* LU_EXEC_H */
