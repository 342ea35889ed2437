#include "hw/pci/arena.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "hw/pci/attach.h"
#include "hw/pci/pool.h"

#define PAGE	4096u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct pool *) arena;

static int
arena_make(char *va, size_t bytes)
{
	const struct pci_span span = { va, 0, bytes };	/* bus addresses differ by function */
	struct pool *pool;
	int r = dma_pool_new(&span, 1, &pool);

	if (r < 0)
		return r;
	r = pci_memory_add(va, bytes);
	if (r < 0)
		dma_pool_free(pool);
	else
		atomic_store(&arena, pool);
	return r;
}

int
pci_arena_begin(size_t bytes)
{
	char *va;
	int r = 0;

	(void)pthread_mutex_lock(&lock);
	if (atomic_load(&arena) == NULL) {
		va = fault_hit() ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (va == MAP_FAILED) {
			r = -ENOMEM;
		} else {
			(void)madvise(va, bytes, MADV_DONTFORK);
			r = arena_make(va, bytes);
			if (r < 0)
				(void)munmap(va, bytes);
		}
	}
	(void)pthread_mutex_unlock(&lock);
	return r;
}

void *
pci_arena_take(size_t bytes)
{
	struct pool *pool = atomic_load_explicit(&arena, memory_order_acquire);

	if (LIKELY(pool == NULL) || bytes < PCI_ARENA_LEAST)
		return NULL;
	return dma_pool_take(pool, bytes, PAGE);
}

bool
pci_arena_give(void *mem)
{
	struct pool *pool = atomic_load_explicit(&arena, memory_order_acquire);

	if (LIKELY(pool == NULL) || dma_pool_span(pool, mem) == NULL)
		return false;
	dma_pool_give(pool, mem);
	return true;
}
