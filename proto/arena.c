#include <errno.h>
#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include "base/fault.h"
#include "base/num.h"
#include "proto/arena.h"

static void *
arena_pb_alloc(void *data, size_t len)
{
	return arena_alloc(data, len);
}

static void
arena_pb_free(void *data, void *ptr)
{
	(void)data;
	(void)ptr;
}

void
arena_init(struct arena *a, unsigned factor)
{
	memset(a, 0, sizeof(*a));
	a->factor = factor;
	a->allocator.alloc = arena_pb_alloc;
	a->allocator.free = arena_pb_free;
	a->allocator.allocator_data = a;
}

void
arena_fini(struct arena *a)
{
	free(a->base);
	a->base = NULL;
	a->size = 0;
	a->cap = 0;
	a->used = 0;
}

int
arena_begin(struct arena *a, size_t msg_len)
{
	size_t cap = (size_t)a->factor * msg_len + ARENA_SLACK;
	size_t size = cap < ARENA_KEEP ? ARENA_KEEP : cap;

	if (a->size < cap || (a->size > ARENA_KEEP && cap <= ARENA_KEEP)) {
		arena_fini(a);
		a->base = fault_hit() ? NULL : malloc(size);
		if (a->base == NULL)
			return -ENOMEM;
		a->size = size;
	}
	a->cap = cap;
	a->used = 0;
	return 0;
}

void *
arena_alloc(struct arena *a, size_t len)
{
	size_t room = a->cap - a->used;
	void *p;

	if (len > room)
		return NULL;
	p = a->base + a->used;
	len = num_round_up(len, alignof(max_align_t));
	a->used += len > room ? room : len;
	return p;
}
