/*
 * ddi/kmem_stats.h - what the allocator counts
 *
 * Thread    Any; exact when nobody allocates meanwhile.
 */
#ifndef DDI_KMEM_STATS_H
#define DDI_KMEM_STATS_H

#include <stdint.h>
#include <sys/kmem.h>

struct kmem_cache_stats {
	uint64_t allocs;	/* successful kmem_cache_alloc() */
	uint64_t frees;
	uint64_t constructed;	/* objects made */
	uint64_t destructed;
	uint64_t failures;	/* NULL answers */
};

void kmem_cache_stats(kmem_cache_t *cache, struct kmem_cache_stats *ret_stats);

/* kmem_in_use() - bytes of kmem_alloc() not freed yet; debug builds, else 0 */
uint64_t kmem_in_use(void);

#endif /* DDI_KMEM_STATS_H */
