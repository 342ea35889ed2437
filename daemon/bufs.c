#include "daemon/bufs.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/fault.h"

#define BUF_ALIGN	4096u
#define CLASS_SIZE(c)	(4096u << (2 * (c)))

void
bufs_init(struct bufs *bufs)
{
	for (unsigned int c = 0; c < BUFS_CLASSES; c++)
		SLIST_INIT(&bufs->free[c]);
	bufs->free_bytes = 0;
}

uint64_t
bufs_owner(void)
{
	static _Atomic uint64_t last = BUFS_NOBODY;

	return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

static unsigned int
class_of(uint32_t len)
{
	unsigned int c = 0;

	while (c < BUFS_CLASSES && CLASS_SIZE(c) < len)
		c++;
	return c;
}

static void *
buf_new(uint32_t size, uint64_t owner)
{
	void *buf;

	if (fault_hit() || posix_memalign(&buf, BUF_ALIGN, size) != 0)
		return NULL;
	if (owner != BUFS_NOBODY)
		memset(buf, 0, size);
	return buf;
}

void *
bufs_take(struct bufs *bufs, uint32_t len, uint64_t owner)
{
	unsigned int c = class_of(len);
	struct buf_free *head;

	if (UNLIKELY(c == BUFS_CLASSES))
		return buf_new(len, owner);
	head = SLIST_FIRST(&bufs->free[c]);
	if (UNLIKELY(head == NULL))
		return buf_new(CLASS_SIZE(c), owner);
	SLIST_REMOVE_HEAD(&bufs->free[c], entry);
	bufs->free_bytes -= CLASS_SIZE(c);
	/* a device that claims to have filled a buffer must not show one client another's
	 * data, nor ours */
	if (owner != BUFS_NOBODY)
		memset(head, 0, head->owner == owner ? sizeof(*head) : CLASS_SIZE(c));
	return head;
}

void
bufs_give(struct bufs *bufs, void *buf, uint32_t len, uint64_t owner)
{
	unsigned int c = class_of(len);
	struct buf_free *head = buf;

	if (buf == NULL)
		return;
	if (c == BUFS_CLASSES || bufs->free_bytes + CLASS_SIZE(c) > BUFS_KEPT_BYTES) {
		free(buf);
		return;
	}
	head->owner = owner;
	SLIST_INSERT_HEAD(&bufs->free[c], head, entry);
	bufs->free_bytes += CLASS_SIZE(c);
}

void
bufs_fini(struct bufs *bufs)
{
	struct buf_free *head;

	for (unsigned int c = 0; c < BUFS_CLASSES; c++)
		while ((head = SLIST_FIRST(&bufs->free[c])) != NULL) {
			SLIST_REMOVE_HEAD(&bufs->free[c], entry);
			free(head);
		}
	bufs->free_bytes = 0;
}
