#include "daemon/rpc_impl.h"

#include <stdlib.h>

#include "base/fault.h"

struct rpc_task *
rpc_task_take(struct rpc_loop *loop)
{
	struct rpc_task *task = SLIST_FIRST(&loop->free_tasks);

	if (LIKELY(task != NULL)) {
		SLIST_REMOVE_HEAD(&loop->free_tasks, entry);
		loop->n_free_tasks--;
		return task;
	}
	task = fault_hit() ? NULL : malloc(sizeof(*task));
	if (task != NULL)
		lu_task_init(&task->lu);
	return task;
}

void
rpc_task_give(struct rpc_loop *loop, struct rpc_task *task)
{
	if (loop->n_free_tasks >= RPC_POOL_TASKS) {
		free(task);
		return;
	}
	SLIST_INSERT_HEAD(&loop->free_tasks, task, entry);
	loop->n_free_tasks++;
}

void
rpc_pool_fini(struct rpc_loop *loop)
{
	struct rpc_task *task;

	while ((task = SLIST_FIRST(&loop->free_tasks)) != NULL) {
		SLIST_REMOVE_HEAD(&loop->free_tasks, entry);
		free(task);
	}
	bufs_fini(&loop->bufs);
}
