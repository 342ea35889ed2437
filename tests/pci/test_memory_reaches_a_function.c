/* what a driver binds: memory of the pool, registered memory, and copies of the rest */
#include <check_main.h>
#include <errno.h>
#include <string.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "hw/pci/dma.h"
#include "tests/pci/mock_fn.h"

#define POOL	(4u << 20)
#define PAGE	4096u

static char foreign[64 * PAGE] __attribute__((aligned(4096)));

static struct mock_fn *mock;
static struct pci_dma *dma;

static void
setup(unsigned int spans, size_t pool_bytes)
{
	mock = mock_fn_new();
	mock->want_spans = spans;
	ck_assert_int_eq(pci_dma_new(&mock->fn, pool_bytes, &dma), 0);
}

static void
teardown(void)
{
	struct pci_dma_stats stats;

	pci_dma_stats(dma, &stats);
	ck_assert_uint_eq(stats.pool_used_bytes, 0);
	pci_dma_free(dma);
	pci_fn_close(&mock->fn);
}

static void *
bind(void *addr, size_t len, unsigned int flags)
{
	void *token;

	ck_assert_int_eq(pci_dma_ops.map(dma, addr, len, flags, &token), 0);
	return token;
}

static uint64_t
iova_of(void *token, void *addr, size_t off, size_t len, size_t *ret_n)
{
	uint64_t iova;

	*ret_n = pci_dma_ops.extent(dma, token, addr, off, len, &iova);
	return iova;
}

static struct pci_dma_stats
stats(void)
{
	struct pci_dma_stats s;

	pci_dma_stats(dma, &s);
	return s;
}

START_TEST(the_pool_is_where_it_is)
{
	setup(2, POOL);
	char *mem = pci_dma_ops.mem_alloc(dma, 5000, 4096);
	void *token = bind(mem + 10, 4000, DDI_DMA_READ);
	size_t n;
	uint64_t iova = iova_of(token, mem + 10, 100, 3900, &n);

	ck_assert_uint_eq(n, 3900);
	ck_assert_ptr_eq(pci_dma_at(dma, iova, n), mem + 110);
	ck_assert_ptr_null(pci_dma_at(dma, 0x1000, 1));
	pci_dma_ops.unmap(dma, token, mem + 10, 4000);
	ck_assert_uint_eq(stats().bound_pool, 1);
	ck_assert_uint_eq(stats().bytes_copied, 0);
	ck_assert_uint_eq(stats().pool_bytes, POOL);
	pci_dma_ops.mem_free(dma, mem, 5000);
	teardown();
}
END_TEST

START_TEST(registered_memory_is_not_copied)
{
	setup(1, POOL);
	void *token;
	size_t n;

	ck_assert_int_eq(pci_dma_add(dma, foreign, 8 * PAGE + 5), 0);
	ck_assert_uint_eq(mock->map[0].bytes, 8 * PAGE);
	token = bind(foreign + 100, 7 * PAGE, DDI_DMA_WRITE);
	ck_assert_uint_eq(iova_of(token, foreign + 100, 50, 10, &n), mock->map[0].iova + 150);
	ck_assert_uint_eq(stats().bound_region, 1);
	/* not while it is bound; and nobody binds it any more */
	ck_assert_int_eq(pci_dma_remove(dma, foreign), -EBUSY);
	pci_dma_ops.unmap(dma, bind(foreign, 10, DDI_DMA_WRITE), foreign, 10);
	ck_assert_uint_eq(stats().bound_copy, 1);
	pci_dma_ops.unmap(dma, token, foreign + 100, 7 * PAGE);
	ck_assert_int_eq(pci_dma_remove(dma, foreign), 0);
	ck_assert_int_eq(pci_dma_remove(dma, foreign), -ENOENT);
	ck_assert_uint_eq(mock->n_maps, 0);
	teardown();
}
END_TEST

START_TEST(registrations_are_judged)
{
	setup(1, POOL);
	struct pci_bus blind = *mock->fn.bus;

	ck_assert_int_eq(pci_dma_add(dma, foreign + 1, PAGE), -EINVAL);
	ck_assert_int_eq(pci_dma_add(dma, foreign, PAGE - 1), -EINVAL);
	ck_assert_int_eq(pci_dma_add(dma, foreign + 4 * PAGE, 4 * PAGE), 0);
	ck_assert_int_eq(pci_dma_add(dma, foreign, 5 * PAGE), -EEXIST);
	ck_assert_int_eq(pci_dma_add(dma, foreign + 7 * PAGE, PAGE), -EEXIST);
	ck_assert_int_eq(pci_dma_add(dma, foreign, 4 * PAGE), 0);
	ck_assert_int_eq(pci_dma_add(dma, foreign + 8 * PAGE, PAGE), 0);
	ck_assert_uint_eq(stats().regions, 3);
	mock->map_error = -ENOMEM;
	ck_assert_int_eq(pci_dma_add(dma, foreign + 20 * PAGE, PAGE), -ENOMEM);
	ck_assert_uint_eq(stats().regions, 3);
	fault_arm(1);
	ck_assert_int_eq(pci_dma_add(dma, foreign + 20 * PAGE, PAGE), -ENOMEM);
	ck_assert(fault_disarm());
	blind.map = NULL;
	mock->fn.bus = &blind;
	ck_assert_int_eq(pci_dma_add(dma, foreign + 20 * PAGE, PAGE), -ENOTSUP);
	mock->fn.bus = mock_fn_bus();
	teardown();	/* takes them all out */
}
END_TEST

/* two registrations side by side are two: a buffer over both has no one address */
START_TEST(a_buffer_over_a_border_is_copied)
{
	setup(1, POOL);
	void *token;

	ck_assert_int_eq(pci_dma_add(dma, foreign, PAGE), 0);
	ck_assert_int_eq(pci_dma_add(dma, foreign + PAGE, PAGE), 0);
	token = bind(foreign + PAGE - 10, 20, DDI_DMA_WRITE);
	ck_assert_uint_eq(stats().bound_copy, 1);
	pci_dma_ops.unmap(dma, token, foreign + PAGE - 10, 20);
	teardown();
}
END_TEST

/* a copy in several pieces: what goes out and what comes back is the same, and what the
 * function does not write stays as it was */
START_TEST(copies_are_true)
{
	const size_t len = sizeof(foreign);
	bool is_true = true;
	void *token;

	setup(4, POOL / 8);	/* pieces of 128 KiB */
	for (size_t i = 0; i < len; i++)
		foreign[i] = (char)(i * 7);
	token = bind(foreign, len, DDI_DMA_WRITE);
	pci_dma_ops.sync(dma, token, foreign, 0, len, DDI_DMA_SYNC_FORDEV);
	for (size_t off = 0, n; off < len; off += n) {
		uint64_t iova = iova_of(token, foreign, off, len - off, &n);

		ck_assert_uint_gt(n, 0);
		ck_assert_mem_eq(pci_dma_at(dma, iova, n), foreign + off, n);
	}
	pci_dma_ops.unmap(dma, token, foreign, len);
	token = bind(foreign, len, DDI_DMA_READ);
	for (size_t off = 0, n; off < len / 2; off += n) {
		uint64_t iova = iova_of(token, foreign, off, len / 2 - off, &n);

		memset(pci_dma_at(dma, iova, n), 0x3c, n);
	}
	pci_dma_ops.sync(dma, token, foreign, 0, len, DDI_DMA_SYNC_FORCPU);
	pci_dma_ops.unmap(dma, token, foreign, len);
	for (size_t i = 0; i < len && is_true; i++)
		is_true = foreign[i] == (i < len / 2 ? 0x3c : (char)(i * 7));
	ck_assert(is_true);
	teardown();
}
END_TEST

START_TEST(a_copy_needs_room)
{
	void *token, *mem;

	setup(1, 64 * PAGE);
	/* never, and not now */
	ck_assert_int_eq(pci_dma_ops.map(dma, foreign, (size_t)64 * PAGE * PCI_DMA_PIECES + 1,
	    DDI_DMA_READ, &token), -EFAULT);
	mem = pci_dma_ops.mem_alloc(dma, 33 * PAGE, 1);
	ck_assert_int_eq(pci_dma_ops.map(dma, foreign, sizeof(foreign), DDI_DMA_READ, &token),
	    -ENOMEM);
	ck_assert_uint_eq(stats().refused, 1);
	pci_dma_ops.mem_free(dma, mem, 33 * PAGE);
	token = bind(foreign, sizeof(foreign), DDI_DMA_READ);
	pci_dma_ops.unmap(dma, token, foreign, sizeof(foreign));
	teardown();
}
END_TEST

START_TEST(short_of_memory_nothing_is_left_behind)
{
	void *token;
	int r = -1;

	for (int n = 1; r != 0; n++) {
		mock = mock_fn_new();
		fault_arm(n);
		r = pci_dma_new(&mock->fn, POOL, &dma);
		(void)fault_disarm();
		if (r < 0) {
			ck_assert_int_eq(r, -ENOMEM);
			ck_assert_str_ne(mock->fn.detail, "");
			pci_fn_close(&mock->fn);
		}
	}
	for (int n = 1; n <= 2; n++) {
		fault_arm(n);
		ck_assert_int_eq(pci_dma_ops.map(dma, foreign, 10, DDI_DMA_READ, &token),
		    -ENOMEM);
		ck_assert(fault_disarm());
	}
	teardown();
	mock = mock_fn_new();
	mock->memory_error = -ENOSPC;
	ck_assert_int_eq(pci_dma_new(&mock->fn, 0, &dma), -ENOSPC);
	ck_assert_str_eq(mock->fn.detail, "no memory today");
	pci_fn_close(&mock->fn);
	pci_dma_free(NULL);
}
END_TEST

CHECK_MAIN("memory of a function", the_pool_is_where_it_is, registered_memory_is_not_copied,
    registrations_are_judged, a_buffer_over_a_border_is_copied, copies_are_true,
    a_copy_needs_room, short_of_memory_nothing_is_left_behind)
