#include "lu/lu_impl.h"

void
lu_watch_done(struct lu *lu, struct lu_task *task)
{
	if (task->after != NULL)
		task->after(lu, task);
}
