#include <sys/sunddi.h>

#include <stdatomic.h>

#include "base/fault.h"
#include "ddi/kmem_impl.h"
#include "ddi/sched_impl.h"

#define ITEMS_MAX	(1u << 20)
#define ITEMS_MIN	16u

/* readers take no lock: an array that was outgrown stays until ddi_soft_state_fini() */
struct item_array {
	struct item_array *older;
	unsigned int len;
	void *_Atomic items[];
};

struct soft_state {
	kmutex_t lock;
	size_t size;
	struct item_array *_Atomic array;
};

static struct item_array *
array_new(unsigned int len)
{
	struct item_array *a = kmem_must(sizeof(*a) + len * sizeof(a->items[0]));

	a->len = len;
	return a;
}

int
ddi_soft_state_init(void **state_p, size_t size, size_t nitems)
{
	struct soft_state *ss;
	unsigned int len = ITEMS_MIN;

	if (state_p == NULL || size == 0)
		return EINVAL;
	while (len < nitems && len < ITEMS_MAX)
		len *= 2;
	ss = kmem_must(sizeof(*ss));
	mutex_init(&ss->lock, NULL, MUTEX_DRIVER, NULL);
	ss->size = size;
	atomic_init(&ss->array, array_new(len));
	*state_p = ss;
	return 0;
}

void
ddi_soft_state_fini(void **state_p)
{
	struct soft_state *ss = state_p == NULL ? NULL : *state_p;
	struct item_array *a, *older;

	if (ss == NULL)
		return;
	a = atomic_load(&ss->array);
	for (unsigned int i = 0; i < a->len; i++)
		kmem_free(a->items[i], ss->size);
	for (; a != NULL; a = older) {
		older = a->older;
		free(a);
	}
	mutex_destroy(&ss->lock);
	free(ss);
	*state_p = NULL;
}

static void
array_grow(struct soft_state *ss, unsigned int item)
{
	struct item_array *old = atomic_load(&ss->array), *a;
	unsigned int len = old->len;

	while (len <= item)
		len *= 2;
	a = array_new(len);
	for (unsigned int i = 0; i < old->len; i++)
		atomic_init(&a->items[i], atomic_load(&old->items[i]));
	a->older = old;
	atomic_store_explicit(&ss->array, a, memory_order_release);
}

int
ddi_soft_state_zalloc(void *state, int item)
{
	struct soft_state *ss = state;
	struct item_array *a;
	int r = DDI_FAILURE;
	void *new;

	if (ss == NULL || item < 0 || (unsigned int)item >= ITEMS_MAX || fault_hit())
		return DDI_FAILURE;
	new = kmem_zalloc(ss->size, KM_SLEEP);
	mutex_enter(&ss->lock);
	if ((unsigned int)item >= atomic_load(&ss->array)->len)
		array_grow(ss, (unsigned int)item);
	a = atomic_load(&ss->array);
	if (atomic_load(&a->items[item]) == NULL) {
		atomic_store_explicit(&a->items[item], STEAL(new), memory_order_release);
		r = DDI_SUCCESS;
	}
	mutex_exit(&ss->lock);
	kmem_free(new, ss->size);
	return r;
}

void *
ddi_get_soft_state(void *state, int item)
{
	struct soft_state *ss = state;
	struct item_array *a;

	if (ss == NULL || item < 0)
		return NULL;
	a = atomic_load_explicit(&ss->array, memory_order_acquire);
	if ((unsigned int)item >= a->len)
		return NULL;
	return atomic_load_explicit(&a->items[item], memory_order_acquire);
}

void
ddi_soft_state_free(void *state, int item)
{
	struct soft_state *ss = state;
	struct item_array *a;
	void *old = NULL;

	if (ss == NULL || item < 0)
		return;
	mutex_enter(&ss->lock);
	a = atomic_load(&ss->array);
	if ((unsigned int)item < a->len)
		old = atomic_exchange(&a->items[item], NULL);
	mutex_exit(&ss->lock);
	kmem_free(old, ss->size);
}
