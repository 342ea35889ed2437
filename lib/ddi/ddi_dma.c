#include <sys/queue.h>
#include <sys/sunddi.h>

#include "base/clock.h"
#include "base/fault.h"
#include "ddi/acc.h"
#include "ddi/dma.h"
#include "ddi/kmem_impl.h"
#include "ddi/sched_impl.h"
#include "ddi/violation.h"

#define RETRY_NS	(10 * NS_PER_MS)

/* drivers that wait for resources: called when some are given back, until they answer 1 */
struct waiter {
	TAILQ_ENTRY(waiter) link;
	int (*fn)(caddr_t);
	caddr_t arg;
};

TAILQ_HEAD(waiter_list, waiter);

static kmutex_t waiters_lock = KMUTEX_INITIALIZER;
static struct waiter_list waiters = TAILQ_HEAD_INITIALIZER(waiters);
static _Atomic unsigned int waiters_count;

static void
waiter_add(struct waiter *w)
{
	mutex_enter(&waiters_lock);
	TAILQ_INSERT_TAIL(&waiters, w, link);
	waiters_count++;
	mutex_exit(&waiters_lock);
}

/* waiters_run() - each one that waits now is asked once */
static void
waiters_run(void)
{
	struct waiter_list now = TAILQ_HEAD_INITIALIZER(now);
	struct waiter *w;

	if (waiters_count == 0)
		return;
	mutex_enter(&waiters_lock);
	TAILQ_CONCAT(&now, &waiters, link);
	waiters_count = 0;
	mutex_exit(&waiters_lock);
	while ((w = TAILQ_FIRST(&now)) != NULL) {
		TAILQ_REMOVE(&now, w, link);
		if (w->fn(w->arg) == 0)
			waiter_add(w);
		else
			free(w);
	}
}

/* wait_for_resources() - true: try again now */
static bool
wait_for_resources(int (*waitfp)(caddr_t), caddr_t arg)
{
	struct waiter *w;

	if (waitfp == DDI_DMA_SLEEP) {
		sched_sleep_ns(RETRY_NS);
		return true;
	}
	if (waitfp != DDI_DMA_DONTWAIT) {
		w = kmem_must(sizeof(*w));
		w->fn = waitfp;
		w->arg = arg;
		waiter_add(w);
	}
	return false;
}

int
ddi_dma_alloc_handle(dev_info_t *dip, ddi_dma_attr_t *attr, int (*waitfp)(caddr_t), caddr_t arg,
    ddi_dma_handle_t *ret_handle)
{
	struct ddi_dma_impl *h;
	int r;

	do
		h = fault_hit() ? NULL : malloc(sizeof(*h));
	while (h == NULL && wait_for_resources(waitfp, arg));
	if (h == NULL)
		return DDI_DMA_NORESOURCES;
	r = dma_init(h, dip, attr);
	if (r != DDI_SUCCESS) {
		free(h);
		return r;
	}
	*ret_handle = h;
	return DDI_SUCCESS;
}

void
ddi_dma_free_handle(ddi_dma_handle_t *handlep)
{
	struct ddi_dma_impl *h = STEAL(*handlep);

	if (h->is_bound)
		ddi_violation("dma-free-bound", "handle %p", (void *)h);
	dma_fini(h);
	free(h);
	waiters_run();
}

int
ddi_dma_mem_alloc(ddi_dma_handle_t handle, size_t length, ddi_device_acc_attr_t *acc_attr,
    uint_t flags UNUSED, int (*waitfp)(caddr_t), caddr_t arg, caddr_t *ret_kaddr,
    size_t *ret_real_length, ddi_acc_handle_t *ret_acc)
{
	CLEANUP(free_ptr) struct ddi_acc_impl *acc = NULL;
	void *mem;
	size_t real;

	if (length == 0)
		return DDI_FAILURE;
	do
		mem = dma_alloc(handle->dip, &handle->attr, length, &real);
	while (mem == NULL && wait_for_resources(waitfp, arg));
	if (mem == NULL)
		return DDI_FAILURE;
	acc = kmem_must(sizeof(*acc));
	acc->dip = handle->dip;
	acc->base = mem;
	acc->len = real;
	acc->is_swapped = acc_attr != NULL &&
	    acc_attr->devacc_attr_endian_flags == DDI_STRUCTURE_BE_ACC;
	*ret_kaddr = mem;
	*ret_real_length = real;
	*ret_acc = STEAL(acc);
	return DDI_SUCCESS;
}

void
ddi_dma_mem_free(ddi_acc_handle_t *accp)
{
	struct ddi_acc_impl *acc = STEAL(*accp);

	dma_free(acc->dip, acc->base, acc->len);
	free(acc);
	waiters_run();
}

int
ddi_dma_addr_bind_handle(ddi_dma_handle_t h, struct as *as UNUSED, caddr_t addr, size_t len,
    uint_t flags, int (*waitfp)(caddr_t), caddr_t arg, ddi_dma_cookie_t *ret_cookie,
    uint_t *ret_count)
{
	int r;

	do
		r = dma_bind(h, addr, len, flags);
	while (r == DDI_DMA_NORESOURCES && wait_for_resources(waitfp, arg));
	if (r < 0)
		return r;
	if (ret_cookie != NULL) {
		*ret_cookie = h->cookies[0];
		h->cookie_next = 1;
	}
	if (ret_count != NULL)
		*ret_count = h->cookie_count;
	return r;
}

int
ddi_dma_buf_bind_handle(ddi_dma_handle_t h, struct buf *bp, uint_t flags,
    int (*waitfp)(caddr_t), caddr_t arg, ddi_dma_cookie_t *ret_cookie, uint_t *ret_count)
{
	if ((flags & DDI_DMA_RDWR) == 0)
		flags |= (bp->b_flags & B_READ) != 0 ? DDI_DMA_READ : DDI_DMA_WRITE;
	return ddi_dma_addr_bind_handle(h, NULL, bp->b_un.b_addr, bp->b_bcount, flags, waitfp,
	    arg, ret_cookie, ret_count);
}

int
ddi_dma_unbind_handle(ddi_dma_handle_t h)
{
	int r = dma_unbind(h);

	if (r == DDI_SUCCESS)
		waiters_run();
	return r;
}

void
ddi_dma_nextcookie(ddi_dma_handle_t h, ddi_dma_cookie_t *ret_cookie)
{
	if (h->cookie_next >= h->cookie_count) {
		ddi_violation("dma-cookie", "handle %p has no more than %u", (void *)h,
		    h->cookie_count);
		return;
	}
	*ret_cookie = h->cookies[h->cookie_next++];
}

uint_t
ddi_dma_ncookies(ddi_dma_handle_t h)
{
	return h->cookie_count;
}

const ddi_dma_cookie_t *
ddi_dma_cookie_get(ddi_dma_handle_t h, uint_t index)
{
	return index < h->cookie_count ? &h->cookies[index] : NULL;
}

const ddi_dma_cookie_t *
ddi_dma_cookie_iter(ddi_dma_handle_t h, const ddi_dma_cookie_t *prev)
{
	return ddi_dma_cookie_get(h, prev == NULL ? 0 : (uint_t)(prev - h->cookies) + 1);
}

const ddi_dma_cookie_t *
ddi_dma_cookie_one(ddi_dma_handle_t h)
{
	if (h->cookie_count != 1)
		ddi_violation("dma-cookie", "handle %p has %u, one expected", (void *)h,
		    h->cookie_count);
	return &h->cookies[0];
}

int
ddi_dma_numwin(ddi_dma_handle_t h, uint_t *ret_nwin)
{
	if (!h->is_bound)
		return DDI_FAILURE;
	*ret_nwin = dma_window_count(h);
	return DDI_SUCCESS;
}

int
ddi_dma_getwin(ddi_dma_handle_t h, uint_t win, off_t *ret_off, size_t *ret_len,
    ddi_dma_cookie_t *ret_cookie, uint_t *ret_count)
{
	if (dma_window(h, win) != DDI_SUCCESS)
		return DDI_FAILURE;
	*ret_off = (off_t)h->window_off;
	*ret_len = h->window_len;
	*ret_cookie = h->cookies[0];
	*ret_count = h->cookie_count;
	h->cookie_next = 1;
	return DDI_SUCCESS;
}

int
ddi_dma_sync(ddi_dma_handle_t h, off_t off, size_t len, uint_t type)
{
	return off < 0 ? DDI_FAILURE : dma_sync(h, (size_t)off, len, type);
}

int
ddi_dma_burstsizes(ddi_dma_handle_t h)
{
	return (int)h->attr.dma_attr_burstsizes;
}
