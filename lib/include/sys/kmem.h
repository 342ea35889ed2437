/*
 * sys/kmem.h - memory, and caches of constructed objects
 *
 * What      kmem_alloc() with the size given back at kmem_free(); caches whose objects keep
 *           what their constructor made between uses.
 * Debug     In debug builds a size is checked, freed memory is filled and kept for a while, and
 *           these are violations: "kmem-size", "kmem-free-twice", "kmem-overrun",
 *           "kmem-use-after-free", "kmem-foreign", "kmem-sleep" (KM_SLEEP where sleeping is
 *           forbidden), "cache-free-twice", "cache-foreign", "cache-busy".
 * Thread    Any; with KM_SLEEP not in interrupt context.
 * Source    kmem_alloc(9F), kmem_cache_create(9F)
 */
#ifndef SYS_DDI_KMEM_H
#define SYS_DDI_KMEM_H

#include <sys/types.h>

#define KM_SLEEP	0x0000	/* wait for memory; never NULL */
#define KM_NOSLEEP	0x0001	/* NULL when there is none now */
#define KM_PANIC	0x0002	/* accepted, means nothing */
#define KM_PUSHPAGE	0x0004	/* accepted, means nothing */
#define KM_NORMALPRI	0x0008	/* with KM_NOSLEEP: fail sooner; same here */
#define KM_NOSLEEP_LAZY	(KM_NOSLEEP | KM_NORMALPRI)
#define KM_FLAGS	0xffff

/**
 * kmem_alloc() - @size bytes, contents undefined, aligned to 16
 *
 * @size     0 gives NULL
 * @flags    KM_SLEEP or KM_NOSLEEP
 *
 * Returns:  the memory; NULL only with KM_NOSLEEP (or size 0)
 * Owner:    caller; kmem_free() with the same size
 */
void *kmem_alloc(size_t size, int flags);

/* kmem_zalloc() - the same, filled with zeros */
void *kmem_zalloc(size_t size, int flags);

/* kmem_free() - give back @buf, which was allocated with exactly @size; NULL with 0 is ignored
 */
void kmem_free(void *buf, size_t size);

/* kmem_strdup(), kmem_strfree() - a copy of a string; free it before changing its length */
char *kmem_strdup(const char *text, int flags);
void kmem_strfree(char *text);

/* kmem_asprintf() - formatted text in memory for kmem_strfree(); sleeps for memory */
char *kmem_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

typedef struct kmem_cache kmem_cache_t;

/* flags of kmem_cache_create(): accepted, mean nothing */
#define KMC_NOTOUCH	0x00010000
#define KMC_NODEBUG	0x00020000
#define KMC_NOMAGAZINE	0x00040000
#define KMC_NOHASH	0x00080000

/**
 * kmem_cache_create() - a cache of objects of @size bytes
 *
 * @name          for logs; copied
 * @align         power of two, or 0 for 16
 * @constructor   run once when an object comes to life, not at each allocation: (object,
 *                @private, flags); answers 0, or -1 to make the allocation fail. May sleep only
 *                if flags is KM_SLEEP. NULL: none
 * @destructor    run once before an object dies, in kmem_cache_reap_now() or
 *                kmem_cache_destroy(). NULL: none
 * @reclaim       accepted, never called
 * @private       handed to both
 * @vmp           NULL
 *
 * Returns:  the cache; sleeps for memory
 * Owner:    caller; kmem_cache_destroy() when every object is back
 */
kmem_cache_t *kmem_cache_create(const char *name, size_t size, size_t align,
    int (*constructor)(void *, void *, int), void (*destructor)(void *, void *),
    void (*reclaim)(void *), void *private, void *vmp, int flags);

/* kmem_cache_destroy() - destruct all objects; nobody may use the cache any more. NULL is
 * ignored */
void kmem_cache_destroy(kmem_cache_t *cache);

/**
 * kmem_cache_alloc() - a constructed object
 *
 * Returns:  the object, as its constructor or its last user left it; NULL with KM_NOSLEEP when
 *           there is no memory, or when the constructor refused
 * Owner:    caller; kmem_cache_free() in constructed state
 */
void *kmem_cache_alloc(kmem_cache_t *cache, int flags);

/* kmem_cache_free() - give an object back; any thread */
void kmem_cache_free(kmem_cache_t *cache, void *object);

/* kmem_cache_reap_now() - destruct the objects nobody uses, those kept by other threads
 * excepted */
void kmem_cache_reap_now(kmem_cache_t *cache);

#endif /* SYS_DDI_KMEM_H */
