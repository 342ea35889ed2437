/*
 * ddi/dma.h - a binding of memory to a device, without allocation on the way
 *
 * What      struct ddi_dma_impl is what a ddi_dma_handle_t points to. The framework keeps one
 *           in each packet and uses the functions here; drivers use ddi_dma_*(9F), which are
 *           thin names for the same.
 *           A binding is one range of memory, divided into windows where the device's limits
 *           ask for it, and a window into cookies. Only the present window has its cookies
 *           made.
 * Life      dma_init → dma_bind ⇄ dma_unbind → dma_fini
 * Limits    DMA_INLINE_COOKIES cookies live in the binding; a window with more takes memory
 *           once, which is kept until dma_fini().
 * Thread    The owner's. dma_bind(), dma_window(), dma_sync(), dma_unbind(): any context.
 * Source    ddi_dma_attr(9S), ddi_dma_getwin(9F)
 */
#ifndef DDI_DMA_H
#define DDI_DMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/dditypes.h>

#include "base/compiler.h"
#include "base/fault.h"
#include "ddi/devtree.h"

#define DMA_INLINE_COOKIES	4

struct ddi_dma_impl {
	/* first what every binding touches */
	bool is_bound;
	bool has_sync;				/* the provider wants to hear of dma_sync() */
	unsigned int flags;			/* DDI_DMA_* of the binding */
	uint64_t simple_max;			/* ranges of up to so many bytes are one cookie,
						 * and nobody maps them; 0: none is */
	char *addr;				/* the range */
	size_t len;
	void *token;				/* the provider's */

	unsigned int window;			/* the present one */
	unsigned int window_count;		/* 0: not counted yet */
	size_t window_off;			/* its place in the range */
	size_t window_len;

	uint32_t cookie_count;			/* of the present window */
	uint32_t cookie_next;			/* for ddi_dma_nextcookie() */
	uint32_t cookie_room;			/* of cookies[] */
	ddi_dma_cookie_t *cookies;		/* inline_cookies, or memory of its own */
	ddi_dma_cookie_t inline_cookies[DMA_INLINE_COOKIES];

	dev_info_t *dip;			/* for whom; borrowed */
	const struct devi_dma_ops *ops;		/* NULL: identity */
	void *ops_arg;
	ddi_dma_attr_t attr;
	uint64_t window_max;			/* bytes of a window; granular divides it */
	uint32_t cookie_max;			/* most cookies of a window */
};

/* dma_attr_is_valid() - can a device be like this? */
bool dma_attr_is_valid(const ddi_dma_attr_t *attr);

/**
 * dma_init() - an unbound binding in the caller's memory
 *
 * @attr     copied
 *
 * Returns:  DDI_SUCCESS or DDI_DMA_BADATTR
 */
int dma_init(struct ddi_dma_impl *h, dev_info_t *dip, const ddi_dma_attr_t *attr);

/* dma_reserve() - room for @count cookies now, so that no later call needs memory; false
 * without */
bool dma_reserve(struct ddi_dma_impl *h, uint32_t count);

/* dma_fini() - unbind if bound, free what it took; the memory is the caller's */
void dma_fini(struct ddi_dma_impl *h);

/**
 * dma_bind() - make @len bytes at @addr reachable and the first window's cookies
 *
 * @flags    DDI_DMA_READ, WRITE, PARTIAL ..
 *
 * Shape:    h->cookies[0 .. cookie_count - 1] cover window_len bytes from window_off on
 * Returns:  DDI_DMA_MAPPED, DDI_DMA_PARTIAL_MAP, DDI_DMA_INUSE, DDI_DMA_NORESOURCES (memory
 *           is short now), DDI_DMA_NOMAPPING (never, or @len is 0), DDI_DMA_TOOBIG
 */
int dma_bind(struct ddi_dma_impl *h, void *addr, size_t len, unsigned int flags);

/* dma_is_simple() - needs dma_bind() of this range no thought? dma_bind_simple() - then, and
 * only then: the same, and it is DDI_DMA_MAPPED */
static inline bool
dma_is_simple(const struct ddi_dma_impl *h, const void *addr, size_t len)
{
	return !h->is_bound && addr != NULL && len - 1 < h->simple_max && !fault_may_hit();
}

static inline void
dma_bind_simple(struct ddi_dma_impl *h, void *addr, size_t len, unsigned int flags)
{
	h->is_bound = true;
	h->flags = flags;
	h->addr = addr;
	h->len = len;
	h->token = NULL;
	h->window = 0;
	h->window_count = 1;
	h->window_off = 0;
	h->window_len = len;
	h->cookie_count = 1;
	h->cookie_next = 0;
	h->cookies[0] = (ddi_dma_cookie_t){ ._dmu._dmac_ll = (uintptr_t)addr,
		.dmac_size = len };
}

/* dma_unbind() - give the memory back to its owner; DDI_FAILURE when not bound */
int dma_unbind(struct ddi_dma_impl *h);

/* dma_release() - dma_unbind() of one that is bound */
static inline void
dma_release(struct ddi_dma_impl *h)
{
	/* without a provider there is nobody to tell */
	if (UNLIKELY(h->simple_max == 0)) {
		(void)dma_unbind(h);
		return;
	}
	h->is_bound = false;
	h->cookie_count = 0;
}

/* dma_is_last_window() - does the present window end the range? */
static inline bool
dma_is_last_window(const struct ddi_dma_impl *h)
{
	return h->window_off + h->window_len == h->len;
}

/* dma_window() - make window @win the present one; DDI_FAILURE (and nothing changed) if there
 * is none */
int dma_window(struct ddi_dma_impl *h, unsigned int win);

/* dma_window_count() - how many windows the range has */
unsigned int dma_window_count(struct ddi_dma_impl *h);

/* dma_sync() - @len 0: to the end of the range; DDI_FAILURE when out of range or not bound */
int dma_sync(struct ddi_dma_impl *h, size_t off, size_t len, unsigned int type);

/* dma_alloc(), dma_free() - memory fit for a device with @attr; NULL when there is none */
void *dma_alloc(dev_info_t *dip, const ddi_dma_attr_t *attr, size_t len, size_t *ret_len);
void dma_free(dev_info_t *dip, void *mem, size_t len);

#endif /* DDI_DMA_H */
