#include "ddi/dma_shadow.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "base/num.h"
#include "ddi/sched_impl.h"

#define IOVA_START	(1ull << 30)

struct shadow {
	LIST_ENTRY(shadow) link;
	uint64_t first_unit;		/* number of its first piece of extent_bytes */
	size_t lead;			/* offset in that piece, as in memory */
	size_t len;
	char copy[];
};

struct dma_shadow {
	kmutex_t lock;
	size_t extent_bytes;
	uint64_t next_unit;
	unsigned int count;
	LIST_HEAD(, shadow) shadows;
};

struct dma_shadow *
dma_shadow_new(size_t extent_bytes)
{
	struct dma_shadow *s = fault_hit() ? NULL : calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	mutex_init(&s->lock, NULL, MUTEX_DRIVER, NULL);
	s->extent_bytes = extent_bytes;
	return s;
}

void
dma_shadow_free(struct dma_shadow *s)
{
	struct shadow *sh;

	if (s == NULL)
		return;
	while ((sh = LIST_FIRST(&s->shadows)) != NULL) {
		LIST_REMOVE(sh, link);
		free(sh);
	}
	mutex_destroy(&s->lock);
	free(s);
}

/* every second unit of bus addresses is left out: neighbours are never contiguous */
static uint64_t
iova_of(const struct dma_shadow *s, const struct shadow *sh, size_t off)
{
	uint64_t at = sh->lead + off;

	return IOVA_START + (sh->first_unit + at / s->extent_bytes) * 2 * s->extent_bytes +
	    at % s->extent_bytes;
}

static int
shadow_map(void *arg, void *addr, size_t len, unsigned int flags UNUSED, void **ret_token)
{
	struct dma_shadow *s = arg;
	struct shadow *sh = fault_hit() ? NULL : malloc(sizeof(*sh) + len);

	if (sh == NULL)
		return -ENOMEM;
	sh->lead = (uintptr_t)addr % s->extent_bytes;
	sh->len = len;
	memset(sh->copy, 0xee, len);
	mutex_enter(&s->lock);
	sh->first_unit = s->next_unit;
	s->next_unit += (sh->lead + len) / s->extent_bytes + 1;
	s->count++;
	LIST_INSERT_HEAD(&s->shadows, sh, link);
	mutex_exit(&s->lock);
	*ret_token = sh;
	return 0;
}

static void
shadow_unmap(void *arg, void *token, void *addr UNUSED, size_t len UNUSED)
{
	struct dma_shadow *s = arg;
	struct shadow *sh = token;

	mutex_enter(&s->lock);
	LIST_REMOVE(sh, link);
	s->count--;
	mutex_exit(&s->lock);
	free(sh);
}

static size_t
shadow_extent(void *arg, void *token, void *addr UNUSED, size_t off, size_t len,
    uint64_t *ret_iova)
{
	const struct dma_shadow *s = arg;
	const struct shadow *sh = token;
	size_t left = s->extent_bytes - (sh->lead + off) % s->extent_bytes;

	*ret_iova = iova_of(s, sh, off);
	return num_min(left, len);
}

static void
shadow_sync(void *arg UNUSED, void *token, void *addr, size_t off, size_t len,
    unsigned int type)
{
	struct shadow *sh = token;
	char *mem = addr;

	if (type == DDI_DMA_SYNC_FORDEV)
		memcpy(sh->copy + off, mem + off, len);
	else
		memcpy(mem + off, sh->copy + off, len);
}

const struct devi_dma_ops dma_shadow_ops = {
	.map = shadow_map,
	.unmap = shadow_unmap,
	.extent = shadow_extent,
	.sync = shadow_sync,
};

/* shadow_at() - the copy's byte at @iova if @len bytes from it are contiguous and in @sh */
static void *
shadow_at(const struct dma_shadow *s, struct shadow *sh, uint64_t iova, size_t len)
{
	uint64_t unit, in_unit, at;

	if (iova < IOVA_START)
		return NULL;
	unit = (iova - IOVA_START) / (2 * s->extent_bytes);
	in_unit = (iova - IOVA_START) % (2 * s->extent_bytes);
	if (unit < sh->first_unit || in_unit + len > s->extent_bytes)
		return NULL;
	at = (unit - sh->first_unit) * s->extent_bytes + in_unit;
	if (at < sh->lead || at - sh->lead > sh->len || len > sh->len - (at - sh->lead))
		return NULL;
	return sh->copy + (at - sh->lead);
}

void *
dma_shadow_at(struct dma_shadow *s, uint64_t iova, size_t len)
{
	struct shadow *sh;
	void *p = NULL;

	mutex_enter(&s->lock);
	LIST_FOREACH(sh, &s->shadows, link) {
		p = shadow_at(s, sh, iova, len);
		if (p != NULL)
			break;
	}
	mutex_exit(&s->lock);
	return p;
}

unsigned int
dma_shadow_bindings(struct dma_shadow *s)
{
	unsigned int n;

	mutex_enter(&s->lock);
	n = s->count;
	mutex_exit(&s->lock);
	return n;
}
