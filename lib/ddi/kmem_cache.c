#include <sys/kmem.h>

#include <stdatomic.h>
#include <string.h>
#include <sys/queue.h>

#include "base/fault.h"
#include "base/num.h"
#include "base/text.h"
#include "ddi/kmem_impl.h"
#include "ddi/kmem_stats.h"
#include "ddi/sched_impl.h"
#include "ddi/violation.h"

/*
 * Constructed objects that nobody uses lie in the magazine of the thread that freed them, and
 * when that is full in the cache's depot. The way to a magazine is a thread-local table by
 * cache number; a number is used again after its cache died, so an entry also says which cache
 * it is for (by serial, never by address). Magazines of a cache are on its list: destroying the
 * cache empties them, the end of a thread hands them to the depot; both happen under
 * caches_lock.
 */
#define NAME_LEN	32
#define CACHES_MAX	64		/* with magazines; further ones use the depot alone */
#define MAGAZINE_LEN	32
#define DEFAULT_ALIGN	16

#ifdef SCSAD_DEBUG
struct object_head {			/* in front of each object, at the end of its padding */
	struct kmem_cache *cache;
	uint32_t is_free;
	uint32_t pad;
};
#endif

struct magazine {
	LIST_ENTRY(magazine) link;
	_Atomic uint64_t allocs, frees;	/* written by the thread alone */
	unsigned int len;
	void *objects[MAGAZINE_LEN];
};

struct kmem_cache {
	char name[NAME_LEN];
	size_t size, align;
	size_t front;			/* bytes before an object: debug head */
	int (*construct)(void *, void *, int);
	void (*destruct)(void *, void *);
	void *private;
	int number;			/* index of the table, or -1 */
	uint64_t serial;
	pthread_mutex_t lock;
	void **depot;			/* a stack with room for all objects alive */
	size_t depot_len, depot_room;
	uint64_t alive;			/* objects constructed and not destructed */
	struct kmem_cache_stats stats;
	LIST_HEAD(, magazine) magazines;
};

struct magazine_slot {
	uint64_t serial;
	struct magazine *magazine;
};

static pthread_mutex_t caches_lock = PTHREAD_MUTEX_INITIALIZER;
static struct kmem_cache *caches[CACHES_MAX];
static uint64_t next_serial = 1;
static _Thread_local struct magazine_slot slots[CACHES_MAX];
static pthread_key_t slots_key;
static pthread_once_t slots_once = PTHREAD_ONCE_INIT;

static void
object_mark(kmem_cache_t *cache UNUSED, void *object UNUSED, bool is_free UNUSED)
{
#ifdef SCSAD_DEBUG
	struct object_head *head = (struct object_head *)object - 1;

	head->cache = cache;
	head->is_free = is_free;
#endif
}

/* object_is_ours() - debug builds: may @object be given back to @cache? */
static bool
object_is_ours(kmem_cache_t *cache UNUSED, void *object UNUSED)
{
#ifdef SCSAD_DEBUG
	struct object_head *head = (struct object_head *)object - 1;

	if (head->cache != cache) {
		ddi_violation("cache-foreign", "cache '%s': object %p is not its own",
		    cache->name, object);
		return false;
	}
	if (head->is_free != 0) {
		ddi_violation("cache-free-twice", "cache '%s': object %p", cache->name, object);
		return false;
	}
#endif
	return true;
}

/* depot_grow() - freeing must not need memory, so the depot has room for every living object */
static bool
depot_grow(kmem_cache_t *cache, size_t need)
{
	size_t room = cache->depot_room == 0 ? 64 : cache->depot_room * 2;
	void **depot;

	if (need <= cache->depot_room)
		return true;
	while (room < need)
		room *= 2;
	depot = reallocarray(cache->depot, room, sizeof(*depot));
	if (depot == NULL)
		return false;
	cache->depot = depot;
	cache->depot_room = room;
	return true;
}

static void *
memory_take(kmem_cache_t *cache, int flags)
{
	size_t total = num_round_up(cache->front + cache->size, cache->align);
	char *p = aligned_alloc(cache->align, total);

	while (p == NULL && (flags & KM_NOSLEEP) == 0) {
		free(kmem_must(total));
		p = aligned_alloc(cache->align, total);
	}
	return p == NULL ? NULL : p + cache->front;
}

static void
memory_give(kmem_cache_t *cache, void *object)
{
	free((char *)object - cache->front);
}

static void *
object_new(kmem_cache_t *cache, int flags)
{
	void *object = memory_take(cache, flags);
	bool has_room;

	if (object == NULL)
		return NULL;
	(void)pthread_mutex_lock(&cache->lock);
	has_room = depot_grow(cache, cache->alive + 1);
	cache->alive += has_room;
	(void)pthread_mutex_unlock(&cache->lock);
	if (has_room && (cache->construct == NULL ||
	    cache->construct(object, cache->private, flags & KM_NOSLEEP) == 0)) {
		(void)pthread_mutex_lock(&cache->lock);
		cache->stats.constructed++;
		(void)pthread_mutex_unlock(&cache->lock);
		return object;
	}
	(void)pthread_mutex_lock(&cache->lock);
	cache->alive -= has_room;
	(void)pthread_mutex_unlock(&cache->lock);
	memory_give(cache, object);
	return NULL;
}

/* object_end() - the cache's lock is not held: a destructor may take long */
static void
object_end(kmem_cache_t *cache, void *object)
{
	if (cache->destruct != NULL)
		cache->destruct(object, cache->private);
	memory_give(cache, object);
	(void)pthread_mutex_lock(&cache->lock);
	cache->stats.destructed++;
	cache->alive--;
	(void)pthread_mutex_unlock(&cache->lock);
}

/* magazine_close() - hand what @m has and has counted to the cache; both locks are held */
static void
magazine_close(kmem_cache_t *cache, struct magazine *m)
{
	while (m->len > 0)
		cache->depot[cache->depot_len++] = m->objects[--m->len];
	cache->stats.allocs += m->allocs;
	cache->stats.frees += m->frees;
	LIST_REMOVE(m, link);
	free(m);
}

static void
thread_slots_close(void *arg)
{
	struct magazine_slot *mine = arg;

	(void)pthread_mutex_lock(&caches_lock);
	for (int i = 0; i < CACHES_MAX; i++) {
		kmem_cache_t *cache = caches[i];

		if (cache != NULL && mine[i].magazine != NULL &&
		    mine[i].serial == cache->serial) {
			(void)pthread_mutex_lock(&cache->lock);
			magazine_close(cache, mine[i].magazine);
			(void)pthread_mutex_unlock(&cache->lock);
		}
		mine[i] = (struct magazine_slot){ 0 };
	}
	(void)pthread_mutex_unlock(&caches_lock);
}

void
kmem_thread_end(void)
{
	thread_slots_close(slots);
}

static void
slots_key_make(void)
{
	(void)pthread_key_create(&slots_key, thread_slots_close);
}

/* magazine_new() - the calling thread's first use of @cache; NULL: the depot serves */
static struct magazine *
magazine_new(kmem_cache_t *cache)
{
	struct magazine *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	(void)pthread_once(&slots_once, slots_key_make);
	(void)pthread_setspecific(slots_key, slots);
	(void)pthread_mutex_lock(&cache->lock);
	LIST_INSERT_HEAD(&cache->magazines, m, link);
	(void)pthread_mutex_unlock(&cache->lock);
	slots[cache->number] = (struct magazine_slot){ cache->serial, m };
	return m;
}

static inline struct magazine *
magazine_get(kmem_cache_t *cache)
{
	const struct magazine_slot *s;

	if (UNLIKELY(cache->number < 0))
		return NULL;
	s = &slots[cache->number];
	return LIKELY(s->serial == cache->serial) ? s->magazine : magazine_new(cache);
}

static inline void
count_up(_Atomic uint64_t *n)
{
	/* one writer: no locked instruction needed */
	atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1,
	    memory_order_relaxed);
}

/* depot_take() - an object of the depot, and half a magazine more for @m */
static void *
depot_take(kmem_cache_t *cache, struct magazine *m)
{
	void *object = NULL;

	(void)pthread_mutex_lock(&cache->lock);
	if (cache->depot_len > 0)
		object = cache->depot[--cache->depot_len];
	while (m != NULL && cache->depot_len > 0 && m->len < MAGAZINE_LEN / 2)
		m->objects[m->len++] = cache->depot[--cache->depot_len];
	(void)pthread_mutex_unlock(&cache->lock);
	return object;
}

static void
cache_count(kmem_cache_t *cache, struct magazine *m, bool is_alloc, bool is_failure)
{
	if (m != NULL && !is_failure) {
		count_up(is_alloc ? &m->allocs : &m->frees);
		return;
	}
	(void)pthread_mutex_lock(&cache->lock);
	cache->stats.failures += is_failure;
	cache->stats.allocs += is_alloc && !is_failure;
	cache->stats.frees += !is_alloc;
	(void)pthread_mutex_unlock(&cache->lock);
}

kmem_cache_t *
kmem_cache_create(const char *name, size_t size, size_t align,
    int (*constructor)(void *, void *, int), void (*destructor)(void *, void *),
    void (*reclaim)(void *) UNUSED, void *private, void *vmp UNUSED, int flags UNUSED)
{
	kmem_cache_t *cache = kmem_must(sizeof(*cache));

	(void)text_copy(cache->name, sizeof(cache->name), name);
	cache->size = size == 0 ? 1 : size;
	cache->align = align < DEFAULT_ALIGN ? DEFAULT_ALIGN : align;
#ifdef SCSAD_DEBUG
	cache->front = num_round_up(sizeof(struct object_head), cache->align);
#endif
	cache->construct = constructor;
	cache->destruct = destructor;
	cache->private = private;
	cache->number = -1;
	(void)pthread_mutex_init(&cache->lock, NULL);
	LIST_INIT(&cache->magazines);

	(void)pthread_mutex_lock(&caches_lock);
	cache->serial = next_serial++;
	for (int i = 0; i < CACHES_MAX && cache->number < 0; i++)
		if (caches[i] == NULL) {
			caches[i] = cache;
			cache->number = i;
		}
	(void)pthread_mutex_unlock(&caches_lock);
	return cache;
}

void
kmem_cache_destroy(kmem_cache_t *cache)
{
	struct magazine *m;

	if (cache == NULL)
		return;
	(void)pthread_mutex_lock(&caches_lock);
	(void)pthread_mutex_lock(&cache->lock);
	if (cache->number >= 0)
		caches[cache->number] = NULL;
	while ((m = LIST_FIRST(&cache->magazines)) != NULL)
		magazine_close(cache, m);
	(void)pthread_mutex_unlock(&cache->lock);
	(void)pthread_mutex_unlock(&caches_lock);

	while (cache->depot_len > 0)
		object_end(cache, cache->depot[--cache->depot_len]);
	if (cache->alive > 0)
		ddi_violation("cache-busy", "cache '%s': %llu objects not given back",
		    cache->name, (unsigned long long)cache->alive);
	(void)pthread_mutex_destroy(&cache->lock);
	free(cache->depot);
	free(cache);
}

void *
kmem_cache_alloc(kmem_cache_t *cache, int flags)
{
	struct magazine *m = magazine_get(cache);
	void *object;

	if ((flags & KM_NOSLEEP) != 0 && fault_hit()) {
		cache_count(cache, m, true, true);
		return NULL;
	}
	if (LIKELY(m != NULL && m->len > 0))
		object = m->objects[--m->len];
	else
		object = depot_take(cache, m);
	if (object == NULL)
		object = object_new(cache, flags);
	cache_count(cache, m, true, object == NULL);
	if (object != NULL)
		object_mark(cache, object, false);
	return object;
}

void
kmem_cache_free(kmem_cache_t *cache, void *object)
{
	struct magazine *m = magazine_get(cache);

	if (!object_is_ours(cache, object))
		return;
	object_mark(cache, object, true);
	cache_count(cache, m, false, false);
	if (LIKELY(m != NULL && m->len < MAGAZINE_LEN)) {
		m->objects[m->len++] = object;
		return;
	}
	(void)pthread_mutex_lock(&cache->lock);
	cache->depot[cache->depot_len++] = object;
	while (m != NULL && m->len > MAGAZINE_LEN / 2)
		cache->depot[cache->depot_len++] = m->objects[--m->len];
	(void)pthread_mutex_unlock(&cache->lock);
}

void
kmem_cache_reap_now(kmem_cache_t *cache)
{
	struct magazine *m = magazine_get(cache);
	void *object;

	while (m != NULL && m->len > 0)
		object_end(cache, m->objects[--m->len]);
	for (;;) {
		object = depot_take(cache, NULL);
		if (object == NULL)
			break;
		object_end(cache, object);
	}
}

void
kmem_cache_stats(kmem_cache_t *cache, struct kmem_cache_stats *ret_stats)
{
	struct magazine *m;

	(void)pthread_mutex_lock(&cache->lock);
	*ret_stats = cache->stats;
	LIST_FOREACH(m, &cache->magazines, link) {
		ret_stats->allocs += atomic_load_explicit(&m->allocs, memory_order_relaxed);
		ret_stats->frees += atomic_load_explicit(&m->frees, memory_order_relaxed);
	}
	(void)pthread_mutex_unlock(&cache->lock);
}
