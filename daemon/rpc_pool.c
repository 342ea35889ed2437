#include "daemon/rpc_impl.h"

#include <string.h>

#include "base/fault.h"

#define BUF_ALIGN	4096u
#define CLASS_SIZE(c)	(4096u << (2 * (c)))

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

static uint8_t
class_of(uint32_t len)
{
	uint8_t c = 0;

	while (c < RPC_CLASSES && CLASS_SIZE(c) < len)
		c++;
	return c;
}

static struct rpc_buf *
buf_new(uint8_t class, uint32_t size)
{
	struct rpc_buf *buf = fault_hit() ? NULL : malloc(sizeof(*buf));
	void *bytes;

	if (buf == NULL)
		return NULL;
	if (posix_memalign(&bytes, BUF_ALIGN, size) != 0) {
		free(buf);
		return NULL;
	}
	*buf = (struct rpc_buf){ .bytes = bytes, .size = size, .class = class };
	return buf;
}

struct rpc_buf *
rpc_buf_take(struct rpc_loop *loop, uint32_t len, uint64_t owner)
{
	uint8_t c = class_of(len);
	struct rpc_buf *buf = c < RPC_CLASSES ? SLIST_FIRST(&loop->free_bufs[c]) : NULL;

	if (LIKELY(buf != NULL)) {
		SLIST_REMOVE_HEAD(&loop->free_bufs[c], entry);
		loop->free_bytes -= buf->size;
	} else {
		buf = buf_new(c, c < RPC_CLASSES ? CLASS_SIZE(c) : len);
		if (buf == NULL)
			return NULL;
	}
	/* a device that claims to have filled a buffer must not show one client another's
	 * data */
	if (buf->owner != owner) {
		memset(buf->bytes, 0, buf->size);
		buf->owner = owner;
	}
	return buf;
}

static void
buf_free(struct rpc_buf *buf)
{
	free(buf->bytes);
	free(buf);
}

void
rpc_buf_give(struct rpc_loop *loop, struct rpc_buf *buf)
{
	if (buf == NULL)
		return;
	if (buf->class >= RPC_CLASSES || loop->free_bytes + buf->size > RPC_POOL_BYTES) {
		buf_free(buf);
		return;
	}
	SLIST_INSERT_HEAD(&loop->free_bufs[buf->class], buf, entry);
	loop->free_bytes += buf->size;
}

void
rpc_pool_fini(struct rpc_loop *loop)
{
	struct rpc_task *task;
	struct rpc_buf *buf;

	while ((task = SLIST_FIRST(&loop->free_tasks)) != NULL) {
		SLIST_REMOVE_HEAD(&loop->free_tasks, entry);
		free(task);
	}
	for (unsigned int c = 0; c < RPC_CLASSES; c++)
		while ((buf = SLIST_FIRST(&loop->free_bufs[c])) != NULL) {
			SLIST_REMOVE_HEAD(&loop->free_bufs[c], entry);
			buf_free(buf);
		}
}
