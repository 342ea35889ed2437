#include <sys/sunddi.h>

#include "base/fault.h"
#include "ddi/sched_impl.h"

/*
 * An id is slot (20 bits) and generation (12 bits, never 0). Free slots are queued, so a slot
 * comes round as late as possible and a stale id stays unknown for long.
 */
#define SLOT_BITS	20
#define SLOTS_MAX	(1u << SLOT_BITS)
#define SLOT_NONE	SLOTS_MAX
#define GENERATION_MAX	((1u << (32 - SLOT_BITS)) - 1)
#define GROW_BY		256u

struct id_slot {
	void *ptr;
	uint32_t generation;
	uint32_t next_free;
};

static struct {
	kmutex_t lock;
	struct id_slot *slots;
	uint32_t len;
	uint32_t free_head, free_tail;
	uint32_t free_count;
} ids = { .lock = KMUTEX_INITIALIZER, .free_head = SLOT_NONE, .free_tail = SLOT_NONE };

static void
free_append(uint32_t i)
{
	ids.slots[i].next_free = SLOT_NONE;
	if (ids.free_tail == SLOT_NONE)
		ids.free_head = i;
	else
		ids.slots[ids.free_tail].next_free = i;
	ids.free_tail = i;
	ids.free_count++;
}

static uint32_t
free_take(void)
{
	uint32_t i = ids.free_head;

	ids.free_head = ids.slots[i].next_free;
	if (ids.free_head == SLOT_NONE)
		ids.free_tail = SLOT_NONE;
	ids.free_count--;
	return i;
}

static bool
slots_grow(void)
{
	struct id_slot *slots;

	if (ids.len + GROW_BY > SLOTS_MAX)
		return false;
	slots = reallocarray(ids.slots, ids.len + GROW_BY, sizeof(*slots));
	if (slots == NULL)
		return false;
	ids.slots = slots;
	for (uint32_t i = ids.len; i < ids.len + GROW_BY; i++) {
		slots[i] = (struct id_slot){ .generation = 1 };
		free_append(i);
	}
	ids.len += GROW_BY;
	return true;
}

id32_t
id32_alloc(void *ptr, int kmflag)
{
	id32_t id = 0;
	uint32_t i;

	if ((kmflag & KM_NOSLEEP) != 0 && fault_hit())
		return 0;
	mutex_enter(&ids.lock);
	if (ids.free_head != SLOT_NONE || slots_grow()) {
		i = free_take();
		ids.slots[i].ptr = ptr;
		id = ids.slots[i].generation << SLOT_BITS | i;
	}
	mutex_exit(&ids.lock);
	if (id == 0 && (kmflag & KM_NOSLEEP) == 0)
		panic("id32: no memory, or %u ids taken", SLOTS_MAX);
	return id;
}

/* slot_of() - the slot of a valid @id, or NULL; the lock is held */
static struct id_slot *
slot_of(id32_t id)
{
	uint32_t i = id & (SLOTS_MAX - 1);

	if (i >= ids.len || ids.slots[i].ptr == NULL ||
	    ids.slots[i].generation != id >> SLOT_BITS)
		return NULL;
	return &ids.slots[i];
}

void *
id32_lookup(id32_t id)
{
	const struct id_slot *s;
	void *ptr;

	mutex_enter(&ids.lock);
	s = slot_of(id);
	ptr = s == NULL ? NULL : s->ptr;
	mutex_exit(&ids.lock);
	return ptr;
}

void
id32_free(id32_t id)
{
	struct id_slot *s;

	mutex_enter(&ids.lock);
	s = slot_of(id);
	if (s != NULL) {
		s->ptr = NULL;
		s->generation = s->generation == GENERATION_MAX ? 1 : s->generation + 1;
		free_append(id & (SLOTS_MAX - 1));
	}
	mutex_exit(&ids.lock);
}
