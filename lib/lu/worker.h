/*
 * lu/worker.h - a few threads that may block
 *
 * What      An executor (lu/exec.h) for SCSA calls that may sleep: attach, probe, abort, reset,
 *           capabilities. Its threads are lib/ddi's, so they take part in the simulation.
 * Order     First in, first taken; with several threads later works may end first.
 * Thread    post() any, also interrupt context. new/free: a thread that may block.
 */
#ifndef LU_WORKER_H
#define LU_WORKER_H

#include "base/compiler.h"
#include "lu/exec.h"

struct lu_worker;

/**
 * lu_worker_new() - start @n_threads threads
 *
 * Returns:  0
 *           -ENOMEM   no memory, or no thread
 */
int lu_worker_new(unsigned int n_threads, struct lu_worker **ret_worker) MUST_CHECK;

/* lu_worker_free() - finish all works posted so far, end the threads; NULL is fine */
void lu_worker_free(struct lu_worker *worker);

/* lu_worker_exec() - the executor to post to; borrowed; it has no defer() */
struct lu_exec *lu_worker_exec(struct lu_worker *worker);

#endif /* LU_WORKER_H */
