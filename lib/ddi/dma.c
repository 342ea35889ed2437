#include "ddi/dma.h"

#include <errno.h>
#include <string.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "base/num.h"

#define MEM_ALIGN_MIN	64u	/* a cache line: memory of different owners never shares one */

bool
dma_attr_is_valid(const ddi_dma_attr_t *attr)
{
	if (attr->dma_attr_version != DMA_ATTR_V0 && attr->dma_attr_version != DMA_ATTR_V1)
		return false;
	if (attr->dma_attr_addr_lo > attr->dma_attr_addr_hi)
		return false;
	if (!num_is_pow2(attr->dma_attr_align) && attr->dma_attr_align != 0)
		return false;
	if (attr->dma_attr_seg != UINT64_MAX && !num_is_pow2(attr->dma_attr_seg + 1))
		return false;
	return attr->dma_attr_sgllen != 0 && attr->dma_attr_granular != 0 &&
	    attr->dma_attr_maxxfer >= attr->dma_attr_granular;
}

/* no provider, no limit but the length */
static uint64_t
simple_max(const struct ddi_dma_impl *h)
{
	const ddi_dma_attr_t *attr = &h->attr;

	if (h->ops != NULL && (h->ops->map != NULL || h->ops->extent != NULL ||
	    h->ops->unmap != NULL))
		return 0;
	if (attr->dma_attr_addr_lo != 0 || attr->dma_attr_addr_hi != UINT64_MAX ||
	    attr->dma_attr_seg != UINT64_MAX || attr->dma_attr_align > 1)
		return 0;
	return attr->dma_attr_count_max < h->window_max ? attr->dma_attr_count_max + 1 :
	    h->window_max;
}

int
dma_init(struct ddi_dma_impl *h, dev_info_t *dip, const ddi_dma_attr_t *attr)
{
	if (!dma_attr_is_valid(attr))
		return DDI_DMA_BADATTR;
	*h = (struct ddi_dma_impl){ .dip = dip, .attr = *attr };
	h->ops = dip == NULL ? NULL : devi_dma(dip, &h->ops_arg);
	h->window_max = attr->dma_attr_maxxfer -
	    attr->dma_attr_maxxfer % attr->dma_attr_granular;
	h->cookie_max = attr->dma_attr_sgllen < 0 ?
	    UINT32_MAX : (uint32_t)attr->dma_attr_sgllen;
	h->cookies = h->inline_cookies;
	h->cookie_room = DMA_INLINE_COOKIES;
	h->has_sync = h->ops != NULL && h->ops->sync != NULL;
	h->simple_max = simple_max(h);
	return DDI_SUCCESS;
}

bool
dma_reserve(struct ddi_dma_impl *h, uint32_t count)
{
	ddi_dma_cookie_t *cookies;

	if (count <= h->cookie_room)
		return true;
	cookies = fault_hit() ? NULL : malloc(count * sizeof(*cookies));
	if (cookies == NULL)
		return false;
	memcpy(cookies, h->cookies, h->cookie_room * sizeof(*cookies));
	if (h->cookies != h->inline_cookies)
		free(h->cookies);
	h->cookies = cookies;
	h->cookie_room = count;
	return true;
}

void
dma_fini(struct ddi_dma_impl *h)
{
	(void)dma_unbind(h);
	if (h->cookies != h->inline_cookies)
		free(h->cookies);
	h->cookies = NULL;
	h->simple_max = 0;
}

/* extent_at() - bus address of byte @off and how many follow it, at most @len; 0: out of reach
 */
static inline size_t
extent_at(const struct ddi_dma_impl *h, size_t off, size_t len, uint64_t *ret_iova)
{
	size_t n = len;

	if (h->ops == NULL || h->ops->extent == NULL)
		*ret_iova = (uint64_t)(uintptr_t)h->addr + off;
	else
		n = h->ops->extent(h->ops_arg, h->token, h->addr, off, len, ret_iova);
	if (UNLIKELY(*ret_iova < h->attr.dma_attr_addr_lo ||
	    *ret_iova > h->attr.dma_attr_addr_hi))
		return 0;
	if (n > 0 && n - 1 > h->attr.dma_attr_addr_hi - *ret_iova)
		n = h->attr.dma_attr_addr_hi - *ret_iova + 1;
	return n < len ? n : len;
}

/* piece_max() - how long a cookie starting at @iova may be, minus 1 */
static inline uint64_t
piece_max(const struct ddi_dma_impl *h, uint64_t iova)
{
	uint64_t to_boundary = h->attr.dma_attr_seg - (iova & h->attr.dma_attr_seg);

	return num_min(to_boundary, h->attr.dma_attr_count_max);
}

struct walk {
	uint32_t count;			/* cookies so far */
	uint64_t end;			/* bus address behind the last */
	uint64_t room;			/* bytes it may still grow by */
	bool want_store;
};

static inline bool
walk_store(struct ddi_dma_impl *h, struct walk *w, uint64_t iova, uint64_t len)
{
	if (UNLIKELY(w->count == h->cookie_room) &&
	    !dma_reserve(h, (uint32_t)num_min(2ull * w->count, h->cookie_max)))
		return false;
	h->cookies[w->count] = (ddi_dma_cookie_t){ ._dmu._dmac_ll = iova, .dmac_size = len };
	return true;
}

/* walk_add() - one piece of an extent; its length, 0 when the window is full, -1 without memory
 */
static inline ssize_t
walk_add(struct ddi_dma_impl *h, struct walk *w, uint64_t iova, size_t len)
{
	uint64_t max = piece_max(h, iova), n;

	if (UNLIKELY(w->count > 0 && w->end == iova && w->room > 0)) {
		n = num_min(len, w->room);
		if (w->want_store)
			h->cookies[w->count - 1].dmac_size += n;
		w->room -= n;
		w->end += n;
		return (ssize_t)n;
	}
	if (w->count == h->cookie_max)
		return 0;
	n = len - 1 <= max ? len : max + 1;
	if (w->want_store && !walk_store(h, w, iova, n))
		return -1;
	w->count++;
	w->end = iova + n;
	w->room = max - (n - 1);
	return (ssize_t)n;
}

/* cookies_trim() - the window ends @excess bytes earlier */
static void
cookies_trim(struct ddi_dma_impl *h, uint32_t *count, size_t excess)
{
	while (excess > 0) {
		ddi_dma_cookie_t *last = &h->cookies[*count - 1];
		size_t n = num_min(last->dmac_size, excess);

		last->dmac_size -= n;
		excess -= n;
		*count -= last->dmac_size == 0;
	}
}

struct window {
	size_t len;
	uint32_t count;
};

/* first_cookie() - a range in one piece, all of it in the first window: nearly every one. False:
 * it takes window_make() */
static inline bool
first_cookie(struct ddi_dma_impl *h, struct window *ret)
{
	uint64_t iova;

	if (UNLIKELY(h->len > h->window_max || extent_at(h, 0, h->len, &iova) != h->len ||
	    h->len - 1 > piece_max(h, iova)))
		return false;
	h->cookies[0] = (ddi_dma_cookie_t){ ._dmu._dmac_ll = iova, .dmac_size = h->len };
	*ret = (struct window){ h->len, 1 };
	return true;
}

/* window_make() - measure the window at @off, and store its cookies if wanted */
static int
window_make(struct ddi_dma_impl *h, size_t off, bool want_store, struct window *ret)
{
	size_t limit = num_min(h->len - off, h->window_max), pos = 0, extent, excess;
	struct walk w = { .want_store = want_store };
	uint64_t iova;
	ssize_t n = 1;

	while (pos < limit && n > 0) {
		extent = extent_at(h, off + pos, limit - pos, &iova);
		if (extent == 0)
			return DDI_DMA_NOMAPPING;
		for (; extent > 0 && n > 0; extent -= (size_t)n, iova += (uint64_t)n) {
			n = walk_add(h, &w, iova, extent);
			if (n < 0)
				return DDI_DMA_NORESOURCES;
			pos += (size_t)n;
		}
	}
	if (off + pos < h->len) {
		excess = pos % h->attr.dma_attr_granular;
		pos -= excess;
		if (want_store)
			cookies_trim(h, &w.count, excess);
	}
	*ret = (struct window){ pos, w.count };
	return pos == 0 ? DDI_DMA_TOOBIG : DDI_SUCCESS;
}

static void
window_set(struct ddi_dma_impl *h, unsigned int win, size_t off, const struct window *w)
{
	h->window = win;
	h->window_off = off;
	h->window_len = w->len;
	h->cookie_count = w->count;
	h->cookie_next = 0;
}

static int
provider_map(struct ddi_dma_impl *h, void *addr, size_t len, unsigned int flags)
{
	int r;

	h->token = NULL;
	if (h->ops == NULL || h->ops->map == NULL)
		return DDI_SUCCESS;
	r = h->ops->map(h->ops_arg, addr, len, flags, &h->token);
	if (r == 0)
		return DDI_SUCCESS;
	return r == -ENOMEM ? DDI_DMA_NORESOURCES : DDI_DMA_NOMAPPING;
}

static void
provider_unmap(struct ddi_dma_impl *h)
{
	if (h->ops != NULL && h->ops->unmap != NULL)
		h->ops->unmap(h->ops_arg, h->token, h->addr, h->len);
}

/* first_window() - of a range just mapped */
static int
first_window(struct ddi_dma_impl *h, unsigned int flags)
{
	struct window w;
	int r;

	r = LIKELY(first_cookie(h, &w)) ? DDI_SUCCESS : window_make(h, 0, true, &w);
	if (r != DDI_SUCCESS)
		return r;
	if (h->attr.dma_attr_align > 1 &&
	    (h->cookies[0].dmac_laddress & (h->attr.dma_attr_align - 1)) != 0)
		return DDI_DMA_NOMAPPING;
	if (w.len < h->len && (flags & DDI_DMA_PARTIAL) == 0)
		return DDI_DMA_TOOBIG;
	window_set(h, 0, 0, &w);
	return w.len < h->len ? DDI_DMA_PARTIAL_MAP : DDI_DMA_MAPPED;
}

int
dma_bind(struct ddi_dma_impl *h, void *addr, size_t len, unsigned int flags)
{
	int r;

	if (h->is_bound)
		return DDI_DMA_INUSE;
	if (len == 0 || addr == NULL)
		return DDI_DMA_NOMAPPING;
	if (fault_hit())
		return DDI_DMA_NORESOURCES;
	r = provider_map(h, addr, len, flags);
	if (r != DDI_SUCCESS)
		return r;
	h->addr = addr;
	h->len = len;
	h->flags = flags;
	r = first_window(h, flags);
	if (r < 0) {
		provider_unmap(h);
		return r;
	}
	h->window_count = r == DDI_DMA_MAPPED ? 1 : 0;
	h->is_bound = true;
	return r;
}

int
dma_unbind(struct ddi_dma_impl *h)
{
	if (!h->is_bound)
		return DDI_FAILURE;
	provider_unmap(h);
	h->is_bound = false;
	h->cookie_count = 0;
	return DDI_SUCCESS;
}

/* window_find() - the offset of window @win, walking from a known one; false: no such window */
static bool
window_find(struct ddi_dma_impl *h, unsigned int win, size_t *ret_off)
{
	unsigned int i = win >= h->window ? h->window : 0;
	size_t off = i == 0 ? 0 : h->window_off;
	struct window w;

	for (; i < win; i++) {
		if (window_make(h, off, false, &w) != DDI_SUCCESS)
			return false;
		off += w.len;
		if (off == h->len)
			return false;
	}
	*ret_off = off;
	return true;
}

int
dma_window(struct ddi_dma_impl *h, unsigned int win)
{
	struct window w;
	size_t off;

	if (!h->is_bound || !window_find(h, win, &off))
		return DDI_FAILURE;
	/* measured and reserved first, so that the present window stays whole on failure */
	if (window_make(h, off, false, &w) != DDI_SUCCESS || !dma_reserve(h, w.count) ||
	    window_make(h, off, true, &w) != DDI_SUCCESS)
		return DDI_FAILURE;
	window_set(h, win, off, &w);
	return DDI_SUCCESS;
}

unsigned int
dma_window_count(struct ddi_dma_impl *h)
{
	struct window w;
	size_t off = 0;

	if (!h->is_bound)
		return 0;
	while (h->window_count == 0 || off > 0) {
		if (window_make(h, off, false, &w) != DDI_SUCCESS)
			break;
		h->window_count++;
		off += w.len;
		if (off == h->len)
			break;
	}
	return h->window_count;
}

int
dma_sync(struct ddi_dma_impl *h, size_t off, size_t len, unsigned int type)
{
	if (!h->is_bound || off > h->len || len > h->len - off)
		return DDI_FAILURE;
	if (len == 0)
		len = h->len - off;
	if (h->ops != NULL && h->ops->sync != NULL)
		h->ops->sync(h->ops_arg, h->token, h->addr, off, len, type);
	else
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return DDI_SUCCESS;
}

void *
dma_alloc(dev_info_t *dip, const ddi_dma_attr_t *attr, size_t len, size_t *ret_len)
{
	const struct devi_dma_ops *ops;
	size_t align = MEM_ALIGN_MIN, real;
	void *arg, *mem;

	if (len > SIZE_MAX / 2 || fault_hit())
		return NULL;
	if (attr->dma_attr_align > align)
		align = attr->dma_attr_align;
	real = num_round_up(len == 0 ? 1 : len, MEM_ALIGN_MIN);
	ops = dip == NULL ? NULL : devi_dma(dip, &arg);
	if (ops != NULL && ops->mem_alloc != NULL)
		mem = ops->mem_alloc(arg, real, align);
	else
		mem = aligned_alloc(align, num_round_up(real, align));
	if (mem == NULL)
		return NULL;
	memset(mem, 0, real);
	*ret_len = real;
	return mem;
}

void
dma_free(dev_info_t *dip, void *mem, size_t len)
{
	const struct devi_dma_ops *ops;
	void *arg;

	ops = dip == NULL ? NULL : devi_dma(dip, &arg);
	if (ops != NULL && ops->mem_alloc != NULL)
		ops->mem_free(arg, mem, len);
	else
		free(mem);
}
