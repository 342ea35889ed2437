#include <stdlib.h>
#include <string.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "check_main.h"
#include "ddi/devtree.h"
#include "ddi/dma.h"
#include "ddi/dma_shadow.h"

#define ALL	UINT64_MAX

/* one row: limits, a range, and what must come of it; addr is relative to a 1 MiB aligned base
 */
struct row {
	const char *claim;
	uint64_t count_max, seg, maxxfer, align;
	int sgllen;
	uint32_t granular;
	size_t off, len;
	bool is_partial;
	int result;
	unsigned int windows, cookies;		/* cookies of the first window */
	size_t window_len;			/* of the first */
};

static const struct row rows[] = {
	{ "no limits: one cookie", ALL, ALL, ALL, 1, 1, 1, 5, 100000, false,
	    DDI_DMA_MAPPED, 1, 1, 100000 },
	{ "longest cookie", 0xfff, ALL, ALL, 1, 10, 1, 0, 10000, false,
	    DDI_DMA_MAPPED, 1, 3, 10000 },
	{ "longest cookie, exactly", 0xfff, ALL, ALL, 1, 1, 1, 0, 4096, false,
	    DDI_DMA_MAPPED, 1, 1, 4096 },
	{ "segment boundary", ALL, 0xfff, ALL, 1, 10, 1, 100, 8192, false,
	    DDI_DMA_MAPPED, 1, 3, 8192 },
	{ "boundary touched is not crossed", ALL, 0xfff, ALL, 1, 2, 1, 0, 8192, false,
	    DDI_DMA_MAPPED, 1, 2, 8192 },
	{ "too many cookies", 0xfff, ALL, ALL, 1, 2, 1, 0, 10000, false,
	    DDI_DMA_TOOBIG, 0, 0, 0 },
	{ "windows by cookies", 0xfff, ALL, ALL, 1, 2, 512, 0, 20000, true,
	    DDI_DMA_PARTIAL_MAP, 3, 2, 8192 },
	{ "windows by length", ALL, ALL, 3000, 1, 9, 512, 0, 6000, true,
	    DDI_DMA_PARTIAL_MAP, 3, 1, 2560 },
	{ "partial allowed, not needed", ALL, ALL, ALL, 1, 9, 512, 0, 6000, true,
	    DDI_DMA_MAPPED, 1, 1, 6000 },
	{ "window rounded down to granular", ALL, 0xfff, ALL, 1, 2, 4096, 100, 20000, true,
	    DDI_DMA_PARTIAL_MAP, 4, 2, 4096 },
	{ "less than granular fits", ALL, 0xff, ALL, 1, 2, 4096, 0, 8192, true,
	    DDI_DMA_TOOBIG, 0, 0, 0 },
	{ "misaligned", ALL, ALL, ALL, 512, 9, 1, 4, 100, false, DDI_DMA_NOMAPPING, 0, 0, 0 },
	{ "aligned", ALL, ALL, ALL, 512, 9, 1, 512, 100, false, DDI_DMA_MAPPED, 1, 1, 100 },
	{ "nothing", ALL, ALL, ALL, 1, 9, 1, 0, 0, false, DDI_DMA_NOMAPPING, 0, 0, 0 },
	{ "no limit of cookies", 0xff, ALL, ALL, 1, -1, 1, 0, 100000, false,
	    DDI_DMA_MAPPED, 1, 391, 100000 },
};

static ddi_dma_attr_t
attr_of(const struct row *row)
{
	return (ddi_dma_attr_t){
		.dma_attr_version = DMA_ATTR_V0,
		.dma_attr_addr_hi = ALL,
		.dma_attr_count_max = row->count_max,
		.dma_attr_align = row->align,
		.dma_attr_minxfer = 1,
		.dma_attr_maxxfer = row->maxxfer,
		.dma_attr_seg = row->seg,
		.dma_attr_sgllen = row->sgllen,
		.dma_attr_granular = row->granular,
	};
}

/* cookies_check() - they cover the window without gap and within every limit */
static void
cookies_check(const struct row *row, struct ddi_dma_impl *h, uint64_t start)
{
	uint64_t at = start + h->window_off;

	for (uint32_t i = 0; i < h->cookie_count; i++) {
		const ddi_dma_cookie_t *c = ddi_dma_cookie_get(h, i);

		ck_assert_msg(c->dmac_laddress == at, "%s: gap", row->claim);
		ck_assert_uint_gt(c->dmac_size, 0);
		ck_assert_uint_le(c->dmac_size - 1, row->count_max);
		ck_assert_uint_eq(c->dmac_laddress & ~row->seg,
		    (c->dmac_laddress + c->dmac_size - 1) & ~row->seg);
		at += c->dmac_size;
	}
	ck_assert_uint_eq(at, start + h->window_off + h->window_len);
	if (row->sgllen > 0)
		ck_assert_uint_le(h->cookie_count, (unsigned int)row->sgllen);
	ck_assert_uint_le(h->window_len, row->maxxfer);
}

static void
windows_check(const struct row *row, struct ddi_dma_impl *h, uint64_t start)
{
	unsigned int n = dma_window_count(h);
	size_t off = 0;

	ck_assert_msg(n == row->windows, "%s: %u windows", row->claim, n);
	for (unsigned int i = 0; i < n; i++) {
		ck_assert_int_eq(dma_window(h, i), DDI_SUCCESS);
		ck_assert_uint_eq(h->window_off, off);
		cookies_check(row, h, start);
		off += h->window_len;
		ck_assert(dma_is_last_window(h) == (i == n - 1));
		if (i < n - 1)
			ck_assert_uint_eq(h->window_len % row->granular, 0);
	}
	ck_assert_uint_eq(off, row->len);
	ck_assert_int_eq(dma_window(h, n), DDI_FAILURE);
	ck_assert_uint_eq(h->window, n - 1);
	ck_assert_int_eq(dma_window(h, 0), DDI_SUCCESS);
	ck_assert_uint_eq(h->window_off, 0);
	cookies_check(row, h, start);
}

static void
row_check(const struct row *row, char *base)
{
	ddi_dma_attr_t attr = attr_of(row);
	unsigned int flags = DDI_DMA_WRITE | (row->is_partial ? DDI_DMA_PARTIAL : 0);
	struct ddi_dma_impl h;
	int r;

	ck_assert_int_eq(dma_init(&h, devi_root(), &attr), DDI_SUCCESS);
	r = dma_bind(&h, base + row->off, row->len, flags);
	ck_assert_msg(r == row->result, "%s: %d", row->claim, r);
	if (r >= 0) {
		ck_assert_msg(h.cookie_count == row->cookies, "%s: %u cookies", row->claim,
		    h.cookie_count);
		ck_assert_uint_eq(h.window_len, row->window_len);
		ck_assert_int_eq(dma_bind(&h, base, 1, flags), DDI_DMA_INUSE);
		windows_check(row, &h, (uintptr_t)base + row->off);
	}
	ck_assert_int_eq(dma_unbind(&h), r >= 0 ? DDI_SUCCESS : DDI_FAILURE);
	dma_fini(&h);
}

START_TEST(table)
{
	char *base = aligned_alloc(1 << 20, 1 << 20);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		row_check(&rows[i], base);
	free(base);
}
END_TEST

START_TEST(address_limits)
{
	static char mem[8192];
	const struct row row = { .count_max = ALL, .seg = ALL, .maxxfer = ALL, .align = 1,
	    .sgllen = 9, .granular = 1 };
	ddi_dma_attr_t attr = attr_of(&row);
	struct ddi_dma_impl h;

	attr.dma_attr_addr_hi = 0xffff;
	ck_assert_int_eq(dma_init(&h, NULL, &attr), DDI_SUCCESS);
	ck_assert_int_eq(dma_bind(&h, mem, sizeof(mem), DDI_DMA_READ), DDI_DMA_NOMAPPING);
	attr.dma_attr_addr_hi = (uintptr_t)mem + 99;
	ck_assert_int_eq(dma_init(&h, NULL, &attr), DDI_SUCCESS);
	ck_assert_int_eq(dma_bind(&h, mem, 101, DDI_DMA_READ), DDI_DMA_NOMAPPING);
	ck_assert_int_eq(dma_bind(&h, mem, 100, DDI_DMA_READ), DDI_DMA_MAPPED);
	dma_fini(&h);
	attr.dma_attr_addr_hi = ALL;
	attr.dma_attr_addr_lo = (uintptr_t)mem + 1;
	ck_assert_int_eq(dma_init(&h, NULL, &attr), DDI_SUCCESS);
	ck_assert_int_eq(dma_bind(&h, mem, 100, DDI_DMA_READ), DDI_DMA_NOMAPPING);
	dma_fini(&h);
}
END_TEST

START_TEST(impossible_devices_are_refused)
{
	const struct row row = { .count_max = ALL, .seg = ALL, .maxxfer = 4096, .align = 1,
	    .sgllen = 9, .granular = 512 };
	ddi_dma_attr_t good = attr_of(&row), bad;
	struct ddi_dma_impl h;

#define REFUSED(member, value)                                                 \
	bad = good;                                                            \
	bad.member = value;                                                    \
	ck_assert_int_eq(dma_init(&h, NULL, &bad), DDI_DMA_BADATTR)
	REFUSED(dma_attr_version, 7);
	good.dma_attr_addr_hi = 4;
	REFUSED(dma_attr_addr_lo, 5);
	REFUSED(dma_attr_align, 3);
	REFUSED(dma_attr_seg, 0x1000);
	REFUSED(dma_attr_sgllen, 0);
	REFUSED(dma_attr_granular, 0);
	REFUSED(dma_attr_maxxfer, 511);
}
END_TEST

START_TEST(many_cookies_need_memory_once)
{
	static char mem[64 * 256];
	const struct row row = { .count_max = 0xff, .seg = ALL, .maxxfer = ALL, .align = 1,
	    .sgllen = 65, .granular = 1 };
	ddi_dma_attr_t attr = attr_of(&row);
	struct ddi_dma_impl h;

	ck_assert_int_eq(dma_init(&h, NULL, &attr), DDI_SUCCESS);
	fault_arm(2);
	ck_assert_int_eq(dma_bind(&h, mem, sizeof(mem), DDI_DMA_READ), DDI_DMA_NORESOURCES);
	ck_assert(fault_disarm());
	fault_arm(1);
	ck_assert_int_eq(dma_bind(&h, mem, sizeof(mem), DDI_DMA_READ), DDI_DMA_NORESOURCES);
	ck_assert(fault_disarm());
	ck_assert(dma_reserve(&h, 64));
	fault_arm(2);
	ck_assert_int_eq(dma_bind(&h, mem, sizeof(mem), DDI_DMA_READ), DDI_DMA_MAPPED);
	ck_assert(!fault_disarm());
	ck_assert_uint_eq(h.cookie_count, 64);
	dma_fini(&h);
}
END_TEST

START_TEST(scattered_provider)
{
	static char mem[20000] __attribute__((aligned(4096)));
	struct row row = { .claim = "shadow", .count_max = ALL, .seg = ALL, .maxxfer = ALL,
	    .align = 1, .sgllen = 3, .granular = 1 };
	ddi_dma_attr_t attr = attr_of(&row);
	struct dma_shadow *shadow = dma_shadow_new(4096);
	struct ddi_dma_impl h;
	dev_info_t *dip;
	size_t total = 0;

	ck_assert_int_eq(devi_alloc(devi_root(), "dev", &dip), 0);
	devi_set_dma(dip, &dma_shadow_ops, shadow);
	ck_assert_int_eq(dma_init(&h, dip, &attr), DDI_SUCCESS);
	ck_assert_int_eq(dma_bind(&h, mem + 10, 10000, DDI_DMA_READ), DDI_DMA_MAPPED);
	ck_assert_uint_eq(h.cookie_count, 3);
	ck_assert_uint_eq(h.cookies[0].dmac_size, 4086);
	ck_assert_uint_eq(h.cookies[1].dmac_size, 4096);
	ck_assert_uint_eq(dma_shadow_bindings(shadow), 1);
	(void)dma_unbind(&h);
	ck_assert_uint_eq(dma_shadow_bindings(shadow), 0);
	ck_assert_int_eq(dma_bind(&h, mem, sizeof(mem), DDI_DMA_READ), DDI_DMA_TOOBIG);
	ck_assert_uint_eq(dma_shadow_bindings(shadow), 0);
	ck_assert_int_eq(dma_bind(&h, mem, sizeof(mem), DDI_DMA_READ | DDI_DMA_PARTIAL),
	    DDI_DMA_PARTIAL_MAP);
	ck_assert_uint_eq(dma_window_count(&h), 2);
	for (unsigned int i = 0; i < 2; i++) {
		ck_assert_int_eq(dma_window(&h, i), DDI_SUCCESS);
		total += h.window_len;
	}
	ck_assert_uint_eq(total, sizeof(mem));
	dma_fini(&h);
	ck_assert_uint_eq(dma_shadow_bindings(shadow), 0);
	dma_shadow_free(shadow);
	dma_shadow_free(NULL);
	ck_assert_int_eq(devi_free(dip), 0);
}
END_TEST

CHECK_MAIN("dma windows", table, address_limits, impossible_devices_are_refused,
    many_cookies_need_memory_once, scattered_provider)
