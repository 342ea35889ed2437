/*
 * ddi/kmem_impl.h - memory of lib/ddi for itself
 *
 * Thread    Any context.
 */
#ifndef DDI_KMEM_IMPL_H
#define DDI_KMEM_IMPL_H

#include <stddef.h>

/* kmem_must() - zeroed memory, never NULL: tries for a while, then ends the process, because
 * the published call above it cannot fail. For free(3) */
void *kmem_must(size_t size);

/* kmem_thread_end() - the calling thread gives back what it keeps of caches. The C library does
 * so at a thread's end by itself, but in the simulation that is too late: the next thread runs
 * already */
void kmem_thread_end(void);

#endif /* DDI_KMEM_IMPL_H */
