#include "hw/pci/pool.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/fault.h"

#define NONE	UINT32_MAX
#define INNER	0xff		/* order[] of a unit that begins no piece */
#define TAKEN	0x80		/* in order[]: the piece is with somebody */

/*
 * Units of a span are numbered from its begin; a piece is known by its first unit. order[]
 * holds its order, prev[] and next[] the neighbours of a free one in the list of that order.
 */
struct arena {
	struct pci_span span;
	uint32_t units;
	uint32_t first[POOL_ORDERS];
	uint8_t *order;
	uint32_t *prev, *next;
};

struct pool {
	pthread_mutex_t lock;
	size_t used_bytes;
	unsigned int count;
	struct arena arena[POOL_SPANS_MAX];	/* by address */
	struct pci_span spans[POOL_SPANS_MAX];
};

static void
list_add(struct arena *a, uint32_t unit, unsigned int order)
{
	uint32_t head = a->first[order];

	a->order[unit] = (uint8_t)order;
	a->prev[unit] = NONE;
	a->next[unit] = head;
	if (head != NONE)
		a->prev[head] = unit;
	a->first[order] = unit;
}

static void
list_remove(struct arena *a, uint32_t unit)
{
	unsigned int order = a->order[unit];

	if (a->prev[unit] == NONE)
		a->first[order] = a->next[unit];
	else
		a->next[a->prev[unit]] = a->next[unit];
	if (a->next[unit] != NONE)
		a->prev[a->next[unit]] = a->prev[unit];
	a->order[unit] = INNER;
}

/* the largest pieces that fit, from the begin on */
static void
arena_fill(struct arena *a)
{
	uint32_t unit = 0;

	for (unsigned int i = 0; i < POOL_ORDERS; i++)
		a->first[i] = NONE;
	memset(a->order, INNER, a->units);
	while (unit < a->units) {
		unsigned int order = POOL_ORDERS - 1;

		while ((unit & ((1u << order) - 1)) != 0 || (1u << order) > a->units - unit)
			order--;
		list_add(a, unit, order);
		unit += 1u << order;
	}
}

static int
arena_init(struct arena *a, const struct pci_span *span)
{
	const uint64_t mask = POOL_UNIT_BYTES - 1;

	if (((uintptr_t)span->va & mask) != 0 || (span->iova & mask) != 0 ||
	    span->bytes < POOL_UNIT_BYTES || span->bytes / POOL_UNIT_BYTES >= NONE)
		return -EINVAL;
	a->span = *span;
	a->units = (uint32_t)(span->bytes / POOL_UNIT_BYTES);
	if (fault_hit())
		return -ENOMEM;
	a->order = malloc(a->units);
	a->prev = calloc(a->units, sizeof(*a->prev));
	a->next = calloc(a->units, sizeof(*a->next));
	if (a->order == NULL || a->prev == NULL || a->next == NULL)
		return -ENOMEM;
	arena_fill(a);
	return 0;
}

static int
span_cmp(const void *a, const void *b)
{
	const struct pci_span *x = a, *y = b;

	return x->va < y->va ? -1 : x->va > y->va;
}

static void
pool_freep(struct pool **pool)
{
	dma_pool_free(*pool);
}

int
dma_pool_new(const struct pci_span *spans, unsigned int count, struct pool **ret_pool)
{
	CLEANUP(pool_freep) struct pool *pool = NULL;
	int r;

	if (count == 0 || count > POOL_SPANS_MAX)
		return -EINVAL;
	pool = fault_hit() ? NULL : calloc(1, sizeof(*pool));
	if (pool == NULL)
		return -ENOMEM;
	(void)pthread_mutex_init(&pool->lock, NULL);
	memcpy(pool->spans, spans, count * sizeof(*spans));
	qsort(pool->spans, count, sizeof(*spans), span_cmp);
	for (pool->count = 0; pool->count < count;) {
		r = arena_init(&pool->arena[pool->count], &pool->spans[pool->count]);
		pool->count++;
		if (r < 0)
			return r;
	}
	*ret_pool = STEAL(pool);
	return 0;
}

void
dma_pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	for (unsigned int i = 0; i < pool->count; i++) {
		free(pool->arena[i].order);
		free(pool->arena[i].prev);
		free(pool->arena[i].next);
	}
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* the order that holds @bytes; POOL_ORDERS: none does */
static unsigned int
order_of(size_t bytes)
{
	unsigned int order = 0;

	while (order < POOL_ORDERS && ((size_t)POOL_UNIT_BYTES << order) < bytes)
		order++;
	return order;
}

/* a piece of @order, split off a larger one if need be; NONE */
static uint32_t
arena_take(struct arena *a, unsigned int order)
{
	unsigned int have = order;
	uint32_t unit;

	while (have < POOL_ORDERS && a->first[have] == NONE)
		have++;
	if (have == POOL_ORDERS)
		return NONE;
	unit = a->first[have];
	list_remove(a, unit);
	while (have > order) {
		have--;
		list_add(a, unit + (1u << have), have);
	}
	a->order[unit] = (uint8_t)(TAKEN | order);
	return unit;
}

static void
arena_give(struct arena *a, uint32_t unit, unsigned int order)
{
	uint32_t buddy;

	a->order[unit] = INNER;
	for (; order < POOL_ORDERS - 1; order++) {
		buddy = unit ^ (1u << order);
		if (buddy >= a->units || a->order[buddy] != order)
			break;
		list_remove(a, buddy);
		unit &= ~(1u << order);
	}
	list_add(a, unit, order);
}

/* can a piece of @order, aligned in its span, have a bus address that is a multiple of
 * @align? */
static bool
arena_aligns(const struct arena *a, unsigned int order, size_t align)
{
	return (a->span.iova & (align - 1)) == 0 &&
	    align <= (size_t)POOL_UNIT_BYTES << order;
}

void *
dma_pool_take(struct pool *pool, size_t bytes, size_t align)
{
	unsigned int order = order_of(bytes > align ? bytes : align);
	void *mem = NULL;
	uint32_t unit;

	if (order == POOL_ORDERS || fault_hit())
		return NULL;
	(void)pthread_mutex_lock(&pool->lock);
	for (unsigned int i = 0; i < pool->count && mem == NULL; i++) {
		struct arena *a = &pool->arena[i];

		if (!arena_aligns(a, order, align))
			continue;
		unit = arena_take(a, order);
		if (unit != NONE)
			mem = a->span.va + (size_t)unit * POOL_UNIT_BYTES;
	}
	if (mem != NULL)
		pool->used_bytes += (size_t)POOL_UNIT_BYTES << order;
	(void)pthread_mutex_unlock(&pool->lock);
	return mem;
}

static unsigned int
arena_index(const struct pool *pool, const void *va)
{
	unsigned int lo = 0, hi = pool->count;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if ((const char *)va < pool->spans[mid].va)
			hi = mid;
		else if ((const char *)va >= pool->spans[mid].va + pool->spans[mid].bytes)
			lo = mid + 1;
		else
			return mid;
	}
	return pool->count;
}

const struct pci_span *
dma_pool_span(const struct pool *pool, const void *va)
{
	unsigned int i = arena_index(pool, va);

	return i == pool->count ? NULL : &pool->spans[i];
}

void
dma_pool_give(struct pool *pool, void *mem)
{
	struct arena *a = &pool->arena[arena_index(pool, mem)];
	uint32_t unit = (uint32_t)((size_t)((char *)mem - a->span.va) / POOL_UNIT_BYTES);
	unsigned int order = a->order[unit] & ~(unsigned int)TAKEN;

	assert(a->order[unit] != INNER && (a->order[unit] & TAKEN) != 0);
	(void)pthread_mutex_lock(&pool->lock);
	arena_give(a, unit, order);
	pool->used_bytes -= (size_t)POOL_UNIT_BYTES << order;
	(void)pthread_mutex_unlock(&pool->lock);
}

const struct pci_span *
dma_pool_spans(const struct pool *pool, unsigned int *ret_count)
{
	*ret_count = pool->count;
	return pool->spans;
}

size_t
dma_pool_piece_max(const struct pool *pool)
{
	size_t max = 0;

	for (unsigned int i = 0; i < pool->count; i++) {
		unsigned int order = POOL_ORDERS - 1;

		while (1u << order > pool->arena[i].units)
			order--;
		if ((size_t)POOL_UNIT_BYTES << order > max)
			max = (size_t)POOL_UNIT_BYTES << order;
	}
	return max;
}

size_t
dma_pool_used_bytes(struct pool *pool)
{
	size_t used;

	(void)pthread_mutex_lock(&pool->lock);
	used = pool->used_bytes;
	(void)pthread_mutex_unlock(&pool->lock);
	return used;
}
