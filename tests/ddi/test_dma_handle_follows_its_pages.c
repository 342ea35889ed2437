#include <stdlib.h>
#include <string.h>
#include <sys/ddi.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "check_main.h"
#include "ddi/devtree.h"
#include "ddi/dma_shadow.h"
#include "ddi/sim.h"
#include "mock_recorder.h"

static ddi_dma_attr_t attr = {
	.dma_attr_version = DMA_ATTR_V1,
	.dma_attr_addr_hi = UINT64_MAX,
	.dma_attr_count_max = 0xfff,
	.dma_attr_align = 64,
	.dma_attr_burstsizes = 0x7,
	.dma_attr_minxfer = 1,
	.dma_attr_maxxfer = 0x3000,
	.dma_attr_seg = 0xffffffff,
	.dma_attr_sgllen = 8,
	.dma_attr_granular = 512,
};

static ddi_device_acc_attr_t acc_attr = { .devacc_attr_version = DDI_DEVICE_ATTR_V0 };
static int called, answer;

static int
on_resources(caddr_t arg)
{
	ck_assert_ptr_eq(arg, &called);
	called++;
	return answer;
}

START_TEST(cookies_one_after_the_other)
{
	ddi_dma_handle_t h;
	ddi_dma_cookie_t cookie;
	const ddi_dma_cookie_t *c = NULL;
	char *mem = aligned_alloc(4096, 0x4000);
	uint_t count, n = 0;
	off_t off;
	size_t len;

	recorder_start();
	ck_assert_int_eq(ddi_dma_alloc_handle(devi_root(), &attr, DDI_DMA_SLEEP, NULL, &h),
	    DDI_SUCCESS);
	ck_assert_int_eq(ddi_dma_unbind_handle(h), DDI_FAILURE);
	ck_assert_int_eq(ddi_dma_numwin(h, &n), DDI_FAILURE);
	ck_assert_int_eq(ddi_dma_addr_bind_handle(h, NULL, mem, 0x4000,
	    DDI_DMA_WRITE | DDI_DMA_PARTIAL, DDI_DMA_DONTWAIT, NULL, &cookie, &count),
	    DDI_DMA_PARTIAL_MAP);
	ck_assert_uint_eq(count, 3);
	ck_assert_uint_eq(cookie.dmac_laddress, (uintptr_t)mem);
	ck_assert_uint_eq(cookie.dmac_size, 0x1000);
	ddi_dma_nextcookie(h, &cookie);
	ck_assert_uint_eq(cookie.dmac_laddress, (uintptr_t)mem + 0x1000);
	ddi_dma_nextcookie(h, &cookie);
	ck_assert_uint_eq(recorder_violations(), 0);
	ddi_dma_nextcookie(h, &cookie);
	ck_assert(recorder_broke("dma-cookie"));
	while ((c = ddi_dma_cookie_iter(h, c)) != NULL)
		ck_assert_uint_eq(c->dmac_laddress, (uintptr_t)mem + 0x1000 * n++);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(ddi_dma_ncookies(h), 3);
	ck_assert_ptr_null(ddi_dma_cookie_get(h, 3));
	ck_assert_int_eq(ddi_dma_numwin(h, &n), DDI_SUCCESS);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(ddi_dma_getwin(h, 1, &off, &len, &cookie, &count), DDI_SUCCESS);
	ck_assert_int_eq(off, 0x3000);
	ck_assert_uint_eq(len, 0x1000);
	ck_assert_uint_eq(count, 1);
	ck_assert_ptr_eq((void *)(uintptr_t)ddi_dma_cookie_one(h)->dmac_laddress, mem + 0x3000);
	ck_assert_int_eq(ddi_dma_getwin(h, 2, &off, &len, &cookie, &count), DDI_FAILURE);
	ck_assert_int_eq(ddi_dma_burstsizes(h), 7);
	ck_assert_int_eq(ddi_dma_sync(h, 0, 0, DDI_DMA_SYNC_FORDEV), DDI_SUCCESS);
	ck_assert_int_eq(ddi_dma_sync(h, 0x4000, 1, DDI_DMA_SYNC_FORCPU), DDI_FAILURE);
	ck_assert_int_eq(ddi_dma_sync(h, -1, 1, DDI_DMA_SYNC_FORCPU), DDI_FAILURE);
	ck_assert_int_eq(ddi_dma_getwin(h, 0, &off, &len, &cookie, &count), DDI_SUCCESS);
	(void)ddi_dma_cookie_one(h);
	ck_assert_uint_eq(recorder_violations(), 2);
	ddi_dma_free_handle(&h);
	ck_assert_ptr_null(h);
	ck_assert(recorder_broke("dma-free-bound"));
	free(mem);
}
END_TEST

START_TEST(buf_gives_the_direction)
{
	char mem[256] __attribute__((aligned(64)));
	struct buf bp = { .b_flags = B_READ, .b_bcount = 256, .b_un.b_addr = mem };
	ddi_dma_cookie_t cookie;
	ddi_dma_handle_t h;
	uint_t count;

	ck_assert_int_eq(ddi_dma_alloc_handle(devi_root(), &attr, DDI_DMA_DONTWAIT, NULL, &h),
	    DDI_SUCCESS);
	ck_assert_int_eq(ddi_dma_buf_bind_handle(h, &bp, 0, DDI_DMA_DONTWAIT, NULL, &cookie,
	    &count), DDI_DMA_MAPPED);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(ddi_dma_buf_bind_handle(h, &bp, 0, DDI_DMA_DONTWAIT, NULL, &cookie,
	    &count), DDI_DMA_INUSE);
	ck_assert_int_eq(ddi_dma_unbind_handle(h), DDI_SUCCESS);
	bp.b_bcount = 0;
	ck_assert_int_eq(ddi_dma_buf_bind_handle(h, &bp, 0, DDI_DMA_DONTWAIT, NULL, &cookie,
	    &count), DDI_DMA_NOMAPPING);
	ddi_dma_free_handle(&h);
}
END_TEST

START_TEST(memory_suits_the_device)
{
	ddi_dma_handle_t h;
	ddi_acc_handle_t acc;
	caddr_t mem;
	size_t real;

	attr.dma_attr_align = 4096;
	ck_assert_int_eq(ddi_dma_alloc_handle(devi_root(), &attr, DDI_DMA_SLEEP, NULL, &h),
	    DDI_SUCCESS);
	attr.dma_attr_align = 64;
	ck_assert_int_eq(ddi_dma_mem_alloc(h, 1000, &acc_attr, DDI_DMA_CONSISTENT,
	    DDI_DMA_SLEEP, NULL, &mem, &real, &acc), DDI_SUCCESS);
	ck_assert_uint_ge(real, 1000);
	ck_assert_uint_eq((uintptr_t)mem % 4096, 0);
	for (size_t i = 0; i < real; i++)
		ck_assert_int_eq(mem[i], 0);
	ddi_put32(acc, (uint32_t *)(void *)mem, 0x11223344);
	ck_assert_uint_eq(ddi_get32(acc, (uint32_t *)(void *)mem), 0x11223344);
	ck_assert_int_eq(ddi_dma_addr_bind_handle(h, NULL, mem, real, DDI_DMA_RDWR,
	    DDI_DMA_SLEEP, NULL, NULL, NULL), DDI_DMA_MAPPED);
	ck_assert_uint_eq(ddi_dma_cookie_one(h)->dmac_size, real);
	ck_assert_int_eq(ddi_dma_unbind_handle(h), DDI_SUCCESS);
	ddi_dma_mem_free(&acc);
	ck_assert_ptr_null(acc);
	ck_assert_int_eq(ddi_dma_mem_alloc(h, 0, &acc_attr, 0, DDI_DMA_SLEEP, NULL, &mem, &real,
	    &acc), DDI_FAILURE);
	ddi_dma_free_handle(&h);
}
END_TEST

START_TEST(shortage_calls_back)
{
	char mem[64] __attribute__((aligned(64)));
	ddi_dma_handle_t h, none;
	ddi_acc_handle_t acc;
	size_t real;
	caddr_t p;

	ck_assert_int_eq(ddi_dma_alloc_handle(devi_root(), &attr, DDI_DMA_SLEEP, NULL, &h),
	    DDI_SUCCESS);
	fault_arm(1);
	ck_assert_int_eq(ddi_dma_alloc_handle(devi_root(), &attr, on_resources,
	    (caddr_t)&called, &none), DDI_DMA_NORESOURCES);
	ck_assert(fault_disarm());
	fault_arm(1);
	ck_assert_int_eq(ddi_dma_mem_alloc(h, 64, NULL, 0, DDI_DMA_DONTWAIT, NULL, &p, &real,
	    &acc), DDI_FAILURE);
	ck_assert(fault_disarm());
	ck_assert_int_eq(ddi_dma_addr_bind_handle(h, NULL, mem, 64, DDI_DMA_READ,
	    DDI_DMA_DONTWAIT, NULL, NULL, NULL), DDI_DMA_MAPPED);
	ck_assert_int_eq(called, 0);
	answer = 0;
	ck_assert_int_eq(ddi_dma_unbind_handle(h), DDI_SUCCESS);
	ck_assert_int_eq(called, 1);
	answer = 1;
	ddi_dma_free_handle(&h);
	ck_assert_int_eq(called, 2);
	ck_assert_int_eq(ddi_dma_alloc_handle(devi_root(), &attr, DDI_DMA_SLEEP, NULL, &h),
	    DDI_SUCCESS);
	ddi_dma_free_handle(&h);
	ck_assert_int_eq(called, 2);
}
END_TEST

static void
sleeping(void *arg)
{
	char mem[64] __attribute__((aligned(64)));
	ddi_dma_handle_t h;

	(void)arg;
	ck_assert_int_eq(ddi_dma_alloc_handle(devi_root(), &attr, DDI_DMA_SLEEP, NULL, &h),
	    DDI_SUCCESS);
	fault_arm(1);
	ck_assert_int_eq(ddi_dma_addr_bind_handle(h, NULL, mem, 64, DDI_DMA_READ, DDI_DMA_SLEEP,
	    NULL, NULL, NULL), DDI_DMA_MAPPED);
	ck_assert(fault_disarm());
	ck_assert_uint_eq(sim_now_us(), 10000);
	(void)ddi_dma_unbind_handle(h);
	ddi_dma_free_handle(&h);
}

START_TEST(sleep_tries_again)
{
	sim_run(&(struct sim_opts){ .seed = 1 }, sleeping, NULL);
}
END_TEST

START_TEST(only_sync_makes_it_visible)
{
	char mem[8192] __attribute__((aligned(4096)));
	struct dma_shadow *s = dma_shadow_new(4096);
	ddi_dma_cookie_t cookie;
	ddi_dma_handle_t h;
	dev_info_t *bus, *dip;
	uint_t count;
	char *seen;

	ck_assert_int_eq(devi_alloc(devi_root(), "bus", &bus), 0);
	ck_assert_int_eq(devi_alloc(bus, "dev", &dip), 0);
	devi_set_dma(bus, &dma_shadow_ops, s);		/* inherited */
	ck_assert_int_eq(ddi_dma_alloc_handle(dip, &attr, DDI_DMA_SLEEP, NULL, &h),
	    DDI_SUCCESS);
	memset(mem, 'm', sizeof(mem));
	ck_assert_int_eq(ddi_dma_addr_bind_handle(h, NULL, mem, sizeof(mem), DDI_DMA_RDWR,
	    DDI_DMA_SLEEP, NULL, &cookie, &count), DDI_DMA_MAPPED);
	ck_assert_uint_eq(count, 2);
	ck_assert_ptr_null(dma_shadow_at(s, cookie.dmac_laddress, 4097));
	ck_assert_ptr_null(dma_shadow_at(s, cookie.dmac_laddress + 4096, 1));
	ck_assert_ptr_null(dma_shadow_at(s, 5, 1));
	ddi_dma_nextcookie(h, &cookie);
	seen = dma_shadow_at(s, cookie.dmac_laddress, 4096);
	ck_assert_int_ne(seen[0], 'm');
	ck_assert_int_eq(ddi_dma_sync(h, 4096, 16, DDI_DMA_SYNC_FORDEV), DDI_SUCCESS);
	ck_assert_int_eq(seen[15], 'm');
	ck_assert_int_ne(seen[16], 'm');
	memset(seen, 'd', 4096);
	ck_assert_int_eq(mem[4096], 'm');
	ck_assert_int_eq(ddi_dma_sync(h, 4096, 0, DDI_DMA_SYNC_FORKERNEL), DDI_SUCCESS);
	ck_assert_int_eq(mem[4096], 'd');
	ck_assert_int_eq(mem[4095], 'm');
	ck_assert_int_eq(ddi_dma_unbind_handle(h), DDI_SUCCESS);
	ck_assert_ptr_null(dma_shadow_at(s, cookie.dmac_laddress, 1));
	fault_arm(2);
	ck_assert_int_eq(ddi_dma_addr_bind_handle(h, NULL, mem, 1, DDI_DMA_RDWR,
	    DDI_DMA_DONTWAIT, NULL, NULL, NULL), DDI_DMA_NORESOURCES);
	ck_assert(fault_disarm());
	ddi_dma_free_handle(&h);
	dma_shadow_free(s);
	ck_assert_int_eq(devi_free(bus), -EBUSY);
	ck_assert_int_eq(devi_free(dip), 0);
	ck_assert_int_eq(devi_free(bus), 0);
}
END_TEST

CHECK_MAIN("dma handle", cookies_one_after_the_other, buf_gives_the_direction,
    memory_suits_the_device, shortage_calls_back, sleep_tries_again, only_sync_makes_it_visible)
