#include "daemon/bufs.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/fault.h"
#include "hw/pci/arena.h"

#define BUF_ALIGN	4096u
#define STACK_FIRST	64u
#define CLASS_SIZE(c)	(4096u << (2 * (c)))

void
bufs_init(struct bufs *bufs)
{
	*bufs = (struct bufs){ .free_bytes = 0 };
}

void
bufs_set_max(struct bufs *bufs, uint64_t bytes)
{
	bufs->taken_max = bytes;
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

static uint32_t
size_of(unsigned int c, uint32_t len)
{
	return c == BUFS_CLASSES ? len : CLASS_SIZE(c);
}

static void *
buf_new(uint32_t size, uint64_t owner)
{
	void *buf = pci_arena_take(size);

	if (buf == NULL && (fault_hit() || posix_memalign(&buf, BUF_ALIGN, size) != 0))
		return NULL;
	if (owner != BUFS_NOBODY)
		memset(buf, 0, size);
	return buf;
}

static void
buf_free(void *buf)
{
	if (!pci_arena_give(buf))
		free(buf);
}

/* the last is not the owner's: one that is, out of the middle, where the last takes its place; or
 * the last. Who has several finds them one below the other, as they were given. @top: the count
 * already without it */
static struct buf_free __attribute__((noinline))
stack_take_hinted(struct buf_stack *stack, uint32_t top, uint64_t owner)
{
	uint32_t *hint = &stack->hint[owner % BUFS_HINTS];
	const struct buf_free *last = &stack->free[top];
	struct buf_free got;
	uint32_t at = *hint;

	if (at >= top || stack->free[at].owner != owner)
		return *last;
	got = stack->free[at];
	stack->free[at] = *last;
	if (stack->hint[last->owner % BUFS_HINTS] == top)
		stack->hint[last->owner % BUFS_HINTS] = at;
	*hint = at - 1;		/* below 0: none, as it is above every count */
	return got;
}

static inline struct buf_free
stack_take(struct buf_stack *stack, uint64_t owner)
{
	uint32_t top = --stack->count;

	if (LIKELY(stack->free[top].owner == owner))
		return stack->free[top];
	return stack_take_hinted(stack, top, owner);
}

static inline void
stack_give(struct buf_stack *stack, void *buf, uint64_t owner)
{
	stack->hint[owner % BUFS_HINTS] = stack->count;
	stack->free[stack->count++] = (struct buf_free){ buf, owner };
}

void *
bufs_take(struct bufs *bufs, uint32_t len, uint64_t owner)
{
	unsigned int c = class_of(len);
	uint32_t size = size_of(c, len);
	struct buf_free last;
	void *buf;

	if (UNLIKELY(bufs->taken_max != 0 && bufs->taken_bytes + size > bufs->taken_max))
		return NULL;
	if (UNLIKELY(c == BUFS_CLASSES || bufs->stack[c].count == 0)) {
		buf = buf_new(size, owner);
		bufs->taken_bytes += buf != NULL ? size : 0;
		return buf;
	}
	last = stack_take(&bufs->stack[c], owner);
	bufs->free_bytes -= size;
	bufs->taken_bytes += size;
	/* a device that claims to have filled a buffer must not show one client another's
	 * data */
	if (owner != BUFS_NOBODY && owner != last.owner)
		memset(last.buf, 0, size);
	return last.buf;
}

/* room for one more; false: it cannot be kept */
static bool
stack_grow(struct buf_stack *stack)
{
	uint32_t room = stack->room == 0 ? STACK_FIRST : 2 * stack->room;
	struct buf_free *free_bufs;

	if (stack->count < stack->room)
		return true;
	free_bufs = fault_hit() ? NULL : realloc(stack->free, room * sizeof(*free_bufs));
	if (free_bufs == NULL)
		return false;
	stack->free = free_bufs;
	stack->room = room;
	return true;
}

void
bufs_give(struct bufs *bufs, void *buf, uint32_t len, uint64_t owner)
{
	unsigned int c = class_of(len);

	if (buf == NULL)
		return;
	bufs->taken_bytes -= size_of(c, len);
	if (c == BUFS_CLASSES || bufs->free_bytes + CLASS_SIZE(c) > BUFS_KEPT_BYTES ||
	    !stack_grow(&bufs->stack[c])) {
		buf_free(buf);
		return;
	}
	stack_give(&bufs->stack[c], buf, owner);
	bufs->free_bytes += CLASS_SIZE(c);
}

void
bufs_fini(struct bufs *bufs)
{
	for (unsigned int c = 0; c < BUFS_CLASSES; c++) {
		struct buf_stack *stack = &bufs->stack[c];

		while (stack->count > 0)
			buf_free(stack->free[--stack->count].buf);
		free(stack->free);
	}
	bufs_init(bufs);
}
