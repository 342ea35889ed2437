#include "hw/pci/dma.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "base/num.h"
#include "hw/pci/pool.h"

#define COPIES_KEPT	256	/* descriptors of copies that are kept for the next */

/* what the token of a binding points to */
enum kind { BIND_POOL, BIND_REGION, BIND_COPY };

struct region {
	enum kind kind;
	bool is_leaving;		/* no new bindings */
	char *va;
	size_t bytes;
	uint64_t iova;
	_Atomic unsigned int bound;
};

struct copy {
	enum kind kind;
	unsigned int pieces;
	SLIST_ENTRY(copy) link;		/* when free */
	struct { char *va; uint64_t iova; } piece[PCI_DMA_PIECES];
};

struct pci_dma {
	struct pci_fn *fn;
	struct pool *pool;
	size_t piece_bytes;		/* of a copy of more than one piece */
	pthread_rwlock_t lock;		/* of regions */
	struct region *region[PCI_DMA_REGIONS];	/* by address */
	unsigned int regions;
	pthread_mutex_t copies_lock;
	SLIST_HEAD(, copy) copies;
	unsigned int copies_kept;
	_Atomic uint64_t bytes_copied, bound[BIND_COPY + 1], refused;
};

static void
pci_dma_freep(struct pci_dma **dma)
{
	pci_dma_free(*dma);
}

int
pci_dma_new(struct pci_fn *fn, size_t pool_bytes, struct pci_dma **ret_dma)
{
	struct pci_span spans[POOL_SPANS_MAX];
	unsigned int count = POOL_SPANS_MAX;
	CLEANUP(pci_dma_freep) struct pci_dma *dma = fault_hit() ? NULL : calloc(1, sizeof(*dma));
	int r;

	if (dma == NULL)
		return pci_fn_refuse(fn, -ENOMEM, "%s: out of memory", fn->name);
	dma->fn = fn;
	(void)pthread_rwlock_init(&dma->lock, NULL);
	(void)pthread_mutex_init(&dma->copies_lock, NULL);
	SLIST_INIT(&dma->copies);
	if (pool_bytes == 0)
		pool_bytes = PCI_DMA_POOL_BYTES;
	r = fn->bus->memory_get(fn, pool_bytes, spans, &count);
	if (r < 0)
		return r;
	r = dma_pool_new(spans, count, &dma->pool);
	if (r < 0) {
		fn->bus->memory_put(fn, spans, count);
		return pci_fn_refuse(fn, r, "%s: no pool in its memory", fn->name);
	}
	dma->piece_bytes = num_min(dma_pool_piece_max(dma->pool), PCI_DMA_PIECE_BYTES);
	*ret_dma = STEAL(dma);
	return 0;
}

static void
region_free(struct pci_dma *dma, struct region *region)
{
	dma->fn->bus->unmap(dma->fn, region->va, region->bytes, region->iova);
	free(region);
}

void
pci_dma_free(struct pci_dma *dma)
{
	const struct pci_span *spans;
	unsigned int count;
	struct copy *copy;

	if (dma == NULL)
		return;
	for (unsigned int i = 0; i < dma->regions; i++)
		region_free(dma, dma->region[i]);
	while ((copy = SLIST_FIRST(&dma->copies)) != NULL) {
		SLIST_REMOVE_HEAD(&dma->copies, link);
		free(copy);
	}
	if (dma->pool != NULL) {
		spans = dma_pool_spans(dma->pool, &count);
		dma->fn->bus->memory_put(dma->fn, spans, count);
	}
	dma_pool_free(dma->pool);
	(void)pthread_mutex_destroy(&dma->copies_lock);
	(void)pthread_rwlock_destroy(&dma->lock);
	free(dma);
}

/* index of the first region that ends behind @va; the lock is held */
static unsigned int
region_index(const struct pci_dma *dma, const char *va)
{
	unsigned int lo = 0, hi = dma->regions;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (dma->region[mid]->va + dma->region[mid]->bytes <= va)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* into its place; the lock is held for writing */
static int
region_insert(struct pci_dma *dma, struct region *region)
{
	unsigned int at = region_index(dma, region->va);

	if (at < dma->regions && dma->region[at]->va < region->va + region->bytes)
		return -EEXIST;
	if (dma->regions == PCI_DMA_REGIONS)
		return -ENOSPC;
	memmove(&dma->region[at + 1], &dma->region[at],
	    (dma->regions - at) * sizeof(dma->region[0]));
	dma->region[at] = region;
	dma->regions++;
	return 0;
}

static void
region_take_out(struct pci_dma *dma, unsigned int at)
{
	dma->regions--;
	memmove(&dma->region[at], &dma->region[at + 1],
	    (dma->regions - at) * sizeof(dma->region[0]));
}

int
pci_dma_add(struct pci_dma *dma, void *va, size_t bytes)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	CLEANUP(free_ptr) struct region *region = NULL;
	int r;

	if (dma->fn->bus->map == NULL)
		return -ENOTSUP;
	bytes &= ~(page - 1);
	if (bytes == 0 || ((uintptr_t)va & (page - 1)) != 0)
		return -EINVAL;
	region = fault_hit() ? NULL : calloc(1, sizeof(*region));
	if (region == NULL)
		return -ENOMEM;
	*region = (struct region){ .kind = BIND_REGION, .va = va, .bytes = bytes };
	/* nobody binds it before it is in the table, and it is there only when it is mapped */
	(void)pthread_rwlock_wrlock(&dma->lock);
	r = region_insert(dma, region);
	if (r == 0) {
		r = dma->fn->bus->map(dma->fn, va, bytes, &region->iova);
		if (r < 0)
			region_take_out(dma, region_index(dma, va));
		else
			(void)STEAL(region);
	}
	(void)pthread_rwlock_unlock(&dma->lock);
	return r;
}

int
pci_dma_remove(struct pci_dma *dma, void *va)
{
	struct region *region = NULL;
	unsigned int at;
	int r = -ENOENT;

	(void)pthread_rwlock_wrlock(&dma->lock);
	at = region_index(dma, va);
	if (at < dma->regions && dma->region[at]->va == va) {
		region = dma->region[at];
		region->is_leaving = true;
		r = atomic_load(&region->bound) == 0 ? 0 : -EBUSY;
		if (r == 0)
			region_take_out(dma, at);
	}
	(void)pthread_rwlock_unlock(&dma->lock);
	if (r == 0)
		region_free(dma, region);
	return r;
}

/* the region that holds all of it, with a binding more; NULL */
static struct region *
region_bind(struct pci_dma *dma, const char *va, size_t bytes)
{
	struct region *region = NULL;
	unsigned int at;

	(void)pthread_rwlock_rdlock(&dma->lock);
	at = region_index(dma, va);
	if (at < dma->regions && dma->region[at]->va <= va && !dma->region[at]->is_leaving &&
	    bytes <= (size_t)(dma->region[at]->va + dma->region[at]->bytes - va)) {
		region = dma->region[at];
		region->bound++;
	}
	(void)pthread_rwlock_unlock(&dma->lock);
	return region;
}

static struct copy *
copy_get(struct pci_dma *dma)
{
	struct copy *copy;

	(void)pthread_mutex_lock(&dma->copies_lock);
	copy = SLIST_FIRST(&dma->copies);
	if (copy != NULL) {
		SLIST_REMOVE_HEAD(&dma->copies, link);
		dma->copies_kept--;
	}
	(void)pthread_mutex_unlock(&dma->copies_lock);
	if (copy == NULL && !fault_hit())
		copy = malloc(sizeof(*copy));
	if (copy != NULL) {
		copy->kind = BIND_COPY;
		copy->pieces = 0;
	}
	return copy;
}

static void
copy_put(struct pci_dma *dma, struct copy *copy)
{
	bool is_kept;

	for (unsigned int i = 0; i < copy->pieces; i++)
		dma_pool_give(dma->pool, copy->piece[i].va);
	(void)pthread_mutex_lock(&dma->copies_lock);
	is_kept = dma->copies_kept < COPIES_KEPT;
	if (is_kept) {
		SLIST_INSERT_HEAD(&dma->copies, copy, link);
		dma->copies_kept++;
	}
	(void)pthread_mutex_unlock(&dma->copies_lock);
	if (!is_kept)
		free(copy);
}

static bool
copy_fill(struct pci_dma *dma, struct copy *copy, size_t len)
{
	while (len > 0) {
		size_t n = num_min(len, dma->piece_bytes);
		char *va = dma_pool_take(dma->pool, n, POOL_UNIT_BYTES);
		const struct pci_span *span;

		if (va == NULL)
			return false;
		span = dma_pool_span(dma->pool, va);
		copy->piece[copy->pieces].va = va;
		copy->piece[copy->pieces].iova = span->iova + (uint64_t)(va - span->va);
		copy->pieces++;
		len -= n;
	}
	return true;
}

/* between @addr + @off and its copy, @len bytes */
static void
copy_move(struct pci_dma *dma, struct copy *copy, char *addr, size_t off, size_t len,
    bool is_to_copy)
{
	dma->bytes_copied += len;
	while (len > 0) {
		char *piece = copy->piece[off / dma->piece_bytes].va;
		size_t in = off % dma->piece_bytes, n = num_min(len, dma->piece_bytes - in);

		if (is_to_copy)
			memcpy(piece + in, addr + off, n);
		else
			memcpy(addr + off, piece + in, n);
		off += n;
		len -= n;
	}
}

static int
copy_map(struct pci_dma *dma, void *addr, size_t len, unsigned int flags, void **ret_token)
{
	struct copy *copy;

	if (len > dma->piece_bytes * PCI_DMA_PIECES)
		return -EFAULT;
	copy = copy_get(dma);
	if (copy == NULL || !copy_fill(dma, copy, len)) {
		if (copy != NULL)
			copy_put(dma, copy);
		dma->refused++;
		return -ENOMEM;
	}
	/* what the function leaves as it was must come back as it was, and not as somebody
	 * else's data */
	if ((flags & DDI_DMA_READ) != 0)
		copy_move(dma, copy, addr, 0, len, true);
	dma->bound[BIND_COPY]++;
	*ret_token = copy;
	return 0;
}

static const enum kind pool_kind = BIND_POOL;

static int
dma_map(void *arg, void *addr, size_t len, unsigned int flags, void **ret_token)
{
	struct pci_dma *dma = arg;
	const struct pci_span *span = dma_pool_span(dma->pool, addr);
	struct region *region;

	if (span != NULL && len <= (size_t)(span->va + span->bytes - (char *)addr)) {
		dma->bound[BIND_POOL]++;
		*ret_token = (void *)(uintptr_t)&pool_kind;
		return 0;
	}
	region = region_bind(dma, addr, len);
	if (region != NULL) {
		dma->bound[BIND_REGION]++;
		*ret_token = region;
		return 0;
	}
	return copy_map(dma, addr, len, flags, ret_token);
}

static void
dma_unmap(void *arg, void *token, void *addr UNUSED, size_t len UNUSED)
{
	struct pci_dma *dma = arg;

	switch (*(const enum kind *)token) {
	case BIND_POOL:
		break;
	case BIND_REGION:
		((struct region *)token)->bound--;
		break;
	case BIND_COPY:
		copy_put(dma, token);
		break;
	}
}

static size_t
copy_extent(const struct pci_dma *dma, const struct copy *copy, size_t off, size_t len,
    uint64_t *ret_iova)
{
	size_t in = off % dma->piece_bytes;

	*ret_iova = copy->piece[off / dma->piece_bytes].iova + in;
	return num_min(len, dma->piece_bytes - in);
}

static size_t
dma_extent(void *arg, void *token, void *addr, size_t off, size_t len, uint64_t *ret_iova)
{
	const struct pci_dma *dma = arg;
	const char *va = (const char *)addr + off;
	const struct region *region;
	const struct pci_span *span;

	switch (*(const enum kind *)token) {
	case BIND_POOL:
		span = dma_pool_span(dma->pool, va);
		*ret_iova = span->iova + (uint64_t)(va - span->va);
		return len;
	case BIND_REGION:
		region = token;
		*ret_iova = region->iova + (uint64_t)(va - region->va);
		return len;
	case BIND_COPY:
		return copy_extent(dma, token, off, len, ret_iova);
	}
	return 0;
}

static void
dma_sync_provider(void *arg, void *token, void *addr, size_t off, size_t len, unsigned int type)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (*(const enum kind *)token == BIND_COPY)
		copy_move(arg, token, addr, off, len, type == DDI_DMA_SYNC_FORDEV);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void *
dma_mem_alloc(void *arg, size_t len, size_t align)
{
	struct pci_dma *dma = arg;

	return dma_pool_take(dma->pool, len, align);
}

static void
dma_mem_free(void *arg, void *mem, size_t len UNUSED)
{
	struct pci_dma *dma = arg;

	dma_pool_give(dma->pool, mem);
}

const struct devi_dma_ops pci_dma_ops = {
	.map = dma_map,
	.unmap = dma_unmap,
	.extent = dma_extent,
	.sync = dma_sync_provider,
	.mem_alloc = dma_mem_alloc,
	.mem_free = dma_mem_free,
};

void
pci_dma_stats(struct pci_dma *dma, struct pci_dma_stats *ret)
{
	const struct pci_span *spans;
	unsigned int count;

	*ret = (struct pci_dma_stats){
		.bytes_copied = dma->bytes_copied,
		.bound_pool = dma->bound[BIND_POOL],
		.bound_region = dma->bound[BIND_REGION],
		.bound_copy = dma->bound[BIND_COPY],
		.refused = dma->refused,
		.pool_used_bytes = dma_pool_used_bytes(dma->pool),
	};
	spans = dma_pool_spans(dma->pool, &count);
	for (unsigned int i = 0; i < count; i++)
		ret->pool_bytes += spans[i].bytes;
	(void)pthread_rwlock_rdlock(&dma->lock);
	ret->regions = dma->regions;
	(void)pthread_rwlock_unlock(&dma->lock);
}

void *
pci_dma_at(struct pci_dma *dma, uint64_t iova, size_t bytes)
{
	const struct pci_span *spans;
	unsigned int count;

	spans = dma_pool_spans(dma->pool, &count);
	for (unsigned int i = 0; i < count; i++)
		if (iova >= spans[i].iova && iova - spans[i].iova <= spans[i].bytes &&
		    bytes <= spans[i].bytes - (iova - spans[i].iova))
			return spans[i].va + (iova - spans[i].iova);
	return NULL;
}
