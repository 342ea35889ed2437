#include "base/slot.h"

#include <errno.h>
#include <stdlib.h>

struct slot_entry {
	void *ptr;		/* NULL when free */
	uint32_t generation;	/* of the present or next use */
	uint32_t next_free;	/* while free: next free entry, or SLOT_MAX */
};

void
slot_init(struct slot_table *t, uint32_t max)
{
	*t = (struct slot_table){ .max = max < SLOT_MAX ? max : SLOT_MAX, .free_head = SLOT_MAX };
}

void
slot_fini(struct slot_table *t)
{
	free(t->entries);
	slot_init(t, t->max);
}

static int
slot_grow(struct slot_table *t)
{
	uint32_t len = t->len == 0 ? 16 : t->len * 2;
	struct slot_entry *entries;

	if (len > t->max)
		len = t->max;
	entries = realloc(t->entries, len * sizeof(*entries));
	if (entries == NULL)
		return -ENOMEM;

	for (uint32_t i = t->len; i < len; i++)
		entries[i] = (struct slot_entry){
			.generation = 1,
			.next_free = i + 1 < len ? i + 1 : SLOT_MAX,
		};
	t->free_head = t->len;
	t->entries = entries;
	t->len = len;
	return 0;
}

int
slot_take(struct slot_table *t, void *ptr, uint64_t *ret_id)
{
	struct slot_entry *e;
	uint32_t i;
	int r;

	if (t->used == t->max)
		return -ENOSPC;
	if (t->free_head == SLOT_MAX) {
		r = slot_grow(t);
		if (r < 0)
			return r;
	}

	i = t->free_head;
	e = &t->entries[i];
	t->free_head = e->next_free;
	e->ptr = ptr;
	t->used++;
	*ret_id = (uint64_t)e->generation << 32 | i;
	return 0;
}

static struct slot_entry *
slot_find(const struct slot_table *t, uint64_t id)
{
	uint32_t i = (uint32_t)id;
	struct slot_entry *e;

	if (i >= t->len)
		return NULL;
	e = &t->entries[i];
	return e->ptr != NULL && e->generation == id >> 32 ? e : NULL;
}

void *
slot_get(const struct slot_table *t, uint64_t id)
{
	struct slot_entry *e = slot_find(t, id);

	return e == NULL ? NULL : e->ptr;
}

void *
slot_drop(struct slot_table *t, uint64_t id)
{
	struct slot_entry *e = slot_find(t, id);
	void *ptr;

	if (e == NULL)
		return NULL;

	ptr = e->ptr;
	e->ptr = NULL;
	if (++e->generation == 0)
		e->generation = 1;
	e->next_free = t->free_head;
	t->free_head = (uint32_t)id;
	t->used--;
	return ptr;
}

void *
slot_next(const struct slot_table *t, uint32_t *pos)
{
	while (*pos < t->len) {
		void *ptr = t->entries[(*pos)++].ptr;

		if (ptr != NULL)
			return ptr;
	}
	return NULL;
}
