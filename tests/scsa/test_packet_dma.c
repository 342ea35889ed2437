/* buffers bound to packets: cookies, windows, consistent memory, errors */
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "check_main.h"
#include "ddi/dma_shadow.h"
#include "scsa/config.h"
#include "scsa/scsa_impl.h"
#include "tests/scsa/mock_hba.h"

#define BIG	(64 * 1024)

static struct scsi_device *
start_one(void)
{
	mock.targets = 1;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 1);
	return mock_unit(mock_port(), "0,0");
}

static void
fill(uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
}

static void
buf_over(struct buf *bp, void *data, size_t len, int flags)
{
	bioinit(bp);
	bp->b_flags |= flags;
	bp->b_un.b_addr = data;
	bp->b_bcount = len;
}

static size_t
cookie_sum(const struct scsi_pkt *pkt)
{
	size_t sum = 0;

	for (uint_t i = 0; i < pkt->pkt_numcookies; i++)
		sum += pkt->pkt_cookies[i].dmac_size;
	return sum;
}

SIM_TEST(c25_cookies_cover_the_buffer)
{
	static uint8_t data[BIG];
	struct scsi_device *sd;
	struct buf b;

	/* 4 KiB extents: many cookies */
	mock.attr.dma_attr_count_max = 4095;
	sd = start_one();
	for (size_t len = 1; len <= BIG; len = len * 3 + 1) {
		struct scsi_pkt *pkt;

		buf_over(&b, data, len, B_READ);
		pkt = mock_pkt(sd, &b, SCMD_READ_G1, 0);
		ck_assert_ptr_nonnull(pkt);
		ck_assert_uint_ge(pkt->pkt_numcookies, (len + 4095) / 4096);
		ck_assert_uint_eq(cookie_sum(pkt), len);
		ck_assert_int_eq(pkt->pkt_resid, 0);
		ck_assert_uint_eq(pkt->pkt_dma_len, len);
		ck_assert_uint_eq(pkt->pkt_dma_flags & DDI_DMA_READ, DDI_DMA_READ);
		scsi_destroy_pkt(pkt);
	}
	buf_over(&b, data, 0, B_READ);
	{
		struct scsi_pkt *pkt = mock_pkt(sd, &b, SCMD_TEST_UNIT_READY, 0);

		ck_assert_uint_eq(pkt->pkt_numcookies, 0);
		ck_assert_ptr_null(pkt->pkt_cookies);
		ck_assert_uint_eq(pkt->pkt_dma_flags, 0);
		scsi_destroy_pkt(pkt);
	}
	mock_stop();
}

static void
read_all(struct scsi_device *sd, uint8_t *data)
{
	struct scsi_pkt *pkt = NULL;
	ssize_t left = BIG;
	struct buf b;

	buf_over(&b, data, BIG, B_READ);
	pkt = mock_pkt(sd, &b, SCMD_READ_G1, PKT_DMA_PARTIAL);
	ck_assert_ptr_nonnull(pkt);
	for (;;) {
		ssize_t window = left - pkt->pkt_resid;

		ck_assert_int_gt(window, 0);
		ck_assert_int_le(window, 16 * 1024);
		ck_assert(pkt->pkt_resid == 0 || window % 512 == 0);
		mock_pkt_rw(pkt, false, (uint32_t)(BIG - left) / 512, (uint16_t)(window / 512));
		left = pkt->pkt_resid;
		pkt->pkt_resid = 0;
		ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
		ck_assert_uint_eq(*pkt->pkt_scbp, STATUS_GOOD);
		ck_assert_int_eq(pkt->pkt_resid, 0);
		if (left == 0)
			break;
		/* as sd does: no lengths, no flags */
		ck_assert_ptr_eq(scsi_init_pkt(&sd->sd_address, pkt, &b, 0, 0, 0, 0, NULL_FUNC,
		    NULL), pkt);
	}
	/* behind the end there is no window */
	ck_assert_ptr_null(scsi_init_pkt(&sd->sd_address, pkt, &b, 0, 0, 0, 0, NULL_FUNC, NULL));
	scsi_destroy_pkt(pkt);
}

static void
windows(void)
{
	static uint8_t data[BIG];
	struct scsi_device *sd;

	mock.attr.dma_attr_maxxfer = 16 * 1024;
	sd = start_one();
	fill(mock.target[0].media, BIG);
	read_all(sd, data);
	ck_assert_mem_eq(data, mock.target[0].media, BIG);
	mock_stop();
}

SIM_TEST(c60_windows_of_a_setup_pkt_driver)
{
	windows();
}

SIM_TEST(c60_windows_of_an_init_pkt_driver)
{
	mock.has_init_pkt = true;
	mock.has_ctor = false;
	windows();
}

/* the short way of scsi_init_pkt() and scsi_dmafree() is taken while nobody looks on */
static struct scsi_pkt *
unseen_init(struct scsi_device *sd, struct scsi_pkt *pkt, struct buf *bp)
{
	scsa_trace_is_on = false;
	pkt = scsi_init_pkt(&sd->sd_address, pkt, bp, 0, 0, 0, 0, NULL_FUNC, NULL);
	scsa_trace_is_on = true;
	return pkt;
}

static void
unseen_dmafree(struct scsi_pkt *pkt)
{
	scsa_trace_is_on = false;
	scsi_dmafree(pkt);
	scsa_trace_is_on = true;
}

/* field by field: there is room between them */
static bool
cookies_are_same(const ddi_dma_cookie_t *a, const ddi_dma_cookie_t *b)
{
	return a->dmac_laddress == b->dmac_laddress && a->dmac_size == b->dmac_size &&
	    a->dmac_type == b->dmac_type;
}

/* a packet that is kept and gets new data each time shows what a new one would */
static void
bound_again(void)
{
	static const size_t lens[] = { 1, 512, 4095, 4096, 4097, 16384, 16385, BIG };
	static uint8_t data[BIG];
	struct scsi_device *sd = start_one();
	struct scsi_pkt *kept = mock_pkt(sd, NULL, SCMD_READ_G1, 0), *fresh;
	struct buf a, b;

	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		int dir = i % 2 == 0 ? B_READ : B_WRITE;

		buf_over(&a, data, lens[i], dir);
		buf_over(&b, data, lens[i], dir);
		b.b_error = EIO;
		b.b_flags |= B_ERROR;
		fresh = mock_pkt(sd, &a, SCMD_READ_G1, 0);
		ck_assert_ptr_eq(unseen_init(sd, kept, &b), fresh == NULL ? NULL : kept);
		ck_assert_int_eq(geterror(&b), geterror(&a));
		if (fresh == NULL)
			continue;
		ck_assert_uint_eq(kept->pkt_numcookies, fresh->pkt_numcookies);
		for (uint_t k = 0; k < kept->pkt_numcookies; k++)
			ck_assert(cookies_are_same(&kept->pkt_cookies[k], &fresh->pkt_cookies[k]));
		ck_assert_uint_eq(kept->pkt_dma_len, fresh->pkt_dma_len);
		ck_assert_uint_eq(kept->pkt_dma_flags, fresh->pkt_dma_flags);
		ck_assert_int_eq(kept->pkt_dma_offset, fresh->pkt_dma_offset);
		ck_assert_int_eq(kept->pkt_resid, fresh->pkt_resid);
		scsi_destroy_pkt(fresh);
		unseen_dmafree(kept);
		ck_assert_uint_eq(kept->pkt_numcookies, 0);
		ck_assert_ptr_null(kept->pkt_cookies);
	}
	scsi_destroy_pkt(kept);
	mock_stop();
}

SIM_TEST(a_kept_packet_is_bound_as_a_new_one)
{
	bound_again();
}

SIM_TEST(a_kept_packet_is_divided_as_a_new_one)
{
	mock.attr.dma_attr_count_max = 4095;
	bound_again();
}

SIM_TEST(a_kept_packet_is_limited_as_a_new_one)
{
	mock.attr.dma_attr_maxxfer = 16 * 1024;
	mock.attr.dma_attr_align = 16;
	mock.attr.dma_attr_seg = 0xffff;
	bound_again();
}

SIM_TEST(c61_errors_in_the_buf)
{
	static uint8_t data[BIG];
	struct scsi_device *sd;
	int teardowns;
	struct buf b;

	mock.attr.dma_attr_maxxfer = 16 * 1024;
	sd = start_one();
	buf_over(&b, data, BIG, B_READ);
	teardowns = mock.n_teardown;
	ck_assert_ptr_null(mock_pkt(sd, &b, SCMD_READ_G1, 0));
	ck_assert_int_eq(geterror(&b), EINVAL);
	/* the packet whose binding failed was torn down */
	ck_assert_int_eq(mock.n_teardown, teardowns + 1);
	buf_over(&b, NULL, 512, B_READ);
	ck_assert_ptr_null(mock_pkt(sd, &b, SCMD_READ_G1, 0));
	ck_assert_int_eq(geterror(&b), EFAULT);
	mock_stop();
}

SIM_TEST(c62_dmafree_starts_over)
{
	static uint8_t data[BIG];
	struct scsi_device *sd;
	struct scsi_pkt *pkt;
	struct buf b;

	mock.attr.dma_attr_maxxfer = 16 * 1024;
	sd = start_one();
	buf_over(&b, data, BIG, B_WRITE);
	pkt = mock_pkt(sd, &b, SCMD_WRITE_G1, PKT_DMA_PARTIAL);
	ck_assert_int_eq(pkt->pkt_dma_offset, 0);
	ck_assert_ptr_eq(scsi_init_pkt(&sd->sd_address, pkt, &b, 0, 0, 0, 0, NULL_FUNC, NULL),
	    pkt);
	ck_assert_int_eq(pkt->pkt_dma_offset, 16 * 1024);
	scsi_dmafree(pkt);
	ck_assert_uint_eq(pkt->pkt_numcookies, 0);
	ck_assert_ptr_null(pkt->pkt_cookies);
	scsi_dmafree(pkt);
	ck_assert_ptr_eq(scsi_init_pkt(&sd->sd_address, pkt, &b, 0, 0, 0, 0, NULL_FUNC, NULL),
	    pkt);
	ck_assert_int_eq(pkt->pkt_dma_offset, 0);
	ck_assert_int_eq(pkt->pkt_resid, BIG - 16 * 1024);
	scsi_dmafree(pkt);
	ck_assert_ptr_eq(scsi_dmaget(pkt, &b, NULL_FUNC), pkt);
	scsi_destroy_pkt(pkt);
	mock_stop();
}

/* C63: what the device wrote is visible to the client when pkt_comp runs, and not before */
static struct buf *sync_bp;
static int sync_checked;

static void
sync_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	(void)ap;
	if (pkt->pkt_cdbp[0] == SCMD_READ_G1)
		ck_assert_uint_eq((uint8_t)sync_bp->b_un.b_addr[1], 0);
}

static void
sync_comp(struct scsi_pkt *pkt)
{
	(void)pkt;
	ck_assert_mem_eq(sync_bp->b_un.b_addr, mock.target[0].media, 4096);
	sync_checked++;
}

static void
consistent_reads(void)
{
	struct scsi_device *sd;
	struct scsi_pkt *pkt;

	mock.shadow = dma_shadow_new(1024);
	sd = start_one();
	fill(mock.target[0].media, 4096);
	sync_bp = scsi_alloc_consistent_buf(&sd->sd_address, NULL, 4096, B_READ, SLEEP_FUNC, NULL);
	memset(sync_bp->b_un.b_addr, 0, 4096);
	pkt = mock_pkt(sd, sync_bp, SCMD_READ_G1, PKT_CONSISTENT);
	mock.on_start = sync_start;
	mock_pkt_rw(pkt, false, 0, 8);
	pkt->pkt_comp = sync_comp;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_int_eq(sync_checked, 1);
	scsi_destroy_pkt(pkt);
	scsi_free_consistent_buf(sync_bp);
	mock.on_start = NULL;
	mock_stop();
	ck_assert_uint_eq(dma_shadow_bindings(mock.shadow), 0);
	dma_shadow_free(mock.shadow);
}

SIM_TEST(c63_consistent_read_is_synced_before_completion)
{
	consistent_reads();
}

SIM_TEST(c63_also_with_an_init_pkt_driver)
{
	mock.has_init_pkt = true;
	mock.has_ctor = false;
	consistent_reads();
}

SIM_TEST(write_data_reaches_a_device_behind_copies)
{
	static uint8_t data[4096];
	struct scsi_device *sd;
	struct scsi_pkt *pkt;
	struct buf b;

	mock.shadow = dma_shadow_new(512);
	sd = start_one();
	buf_over(&b, data, sizeof(data), B_WRITE);
	pkt = mock_pkt(sd, &b, SCMD_WRITE_G1, 0);
	/* filled after binding, as clients may */
	fill(data, sizeof(data));
	mock_pkt_rw(pkt, true, 0, 8);
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_mem_eq(mock.target[0].media, data, sizeof(data));
	scsi_sync_pkt(pkt);
	scsi_sync_pkt(pkt);
	scsi_destroy_pkt(pkt);
	mock_stop();
	dma_shadow_free(mock.shadow);
}

SIM_TEST(plain_reads_are_synced_on_request)
{
	static uint8_t data[4096];
	struct scsi_device *sd;
	struct scsi_pkt *pkt;
	struct buf b;

	mock.shadow = dma_shadow_new(4096);
	sd = start_one();
	fill(mock.target[0].media, 4096);
	buf_over(&b, data, sizeof(data), B_READ);
	pkt = mock_pkt(sd, &b, SCMD_READ_G1, 0);
	mock_pkt_rw(pkt, false, 0, 8);
	ck_assert_int_eq(scsi_poll(pkt), 0);
	ck_assert_mem_eq(data, mock.target[0].media, sizeof(data));
	scsi_destroy_pkt(pkt);
	mock_stop();
	dma_shadow_free(mock.shadow);
}

static int more_memory;

static int
memory_again(caddr_t arg)
{
	(void)arg;
	more_memory++;
	return 1;
}

SIM_TEST(c93_consistent_buffers)
{
	struct scsi_device *sd = start_one();
	struct scsi_address *ap = &sd->sd_address;
	struct buf *bp, *own;

	scsi_free_consistent_buf(NULL);
	bp = scsi_alloc_consistent_buf(ap, NULL, 0, B_WRITE, NULL_FUNC, NULL);
	ck_assert_ptr_nonnull(bp);
	ck_assert_ptr_null(bp->b_un.b_addr);
	ck_assert_uint_eq(bp->b_bcount, 0);
	scsi_free_consistent_buf(bp);
	own = getrbuf(KM_SLEEP);
	bp = scsi_alloc_consistent_buf(ap, own, 100, B_READ, SLEEP_FUNC, NULL);
	ck_assert_ptr_eq(bp, own);
	ck_assert_uint_eq(bp->b_bcount, 100);
	ck_assert_int_ne(bp->b_flags & B_READ, 0);
	memset(bp->b_un.b_addr, 0xff, 100);
	scsi_free_consistent_buf(bp);

	/* every allocation on the way fails once; who asked is called later */
	for (int64_t n = 1;; n++) {
		fault_arm(n);
		bp = scsi_alloc_consistent_buf(ap, NULL, 100, B_READ, memory_again, NULL);
		if (!fault_disarm())
			break;
		ck_assert_ptr_null(bp);
		ck_assert_int_eq(more_memory, (int)n - 1);
		scsi_destroy_pkt(mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0));
		ck_assert_int_eq(more_memory, (int)n);
	}
	scsi_free_consistent_buf(bp);
	/* SLEEP_FUNC waits until there is memory */
	fault_arm(1);
	bp = scsi_alloc_consistent_buf(ap, NULL, 100, B_READ, SLEEP_FUNC, NULL);
	fault_disarm();
	ck_assert_ptr_nonnull(bp);
	scsi_free_consistent_buf(bp);
	mock_stop();
}

SIM_TEST(c93_buffer_outlives_its_packet)
{
	struct scsi_device *sd = start_one();
	struct scsi_pkt *pkt;
	struct buf *bp;

	bp = scsi_alloc_consistent_buf(&sd->sd_address, NULL, 252, B_READ, SLEEP_FUNC, NULL);
	for (int i = 0; i < 3; i++) {
		pkt = mock_pkt(sd, bp, SCMD_REQUEST_SENSE, PKT_CONSISTENT_OLD);
		ck_assert_uint_ne(pkt->pkt_dma_flags & DDI_DMA_CONSISTENT, 0);
		ck_assert_int_eq(scsi_poll(pkt), 0);
		ck_assert_uint_eq((uint8_t)bp->b_un.b_addr[0], 0x70);
		ck_assert_int_eq(pkt->pkt_resid, 252 - 18);
		scsi_destroy_pkt(pkt);
	}
	scsi_free_consistent_buf(bp);
	mock_stop();
}

CHECK_MAIN("packet dma", c25_cookies_cover_the_buffer, c60_windows_of_a_setup_pkt_driver,
    c60_windows_of_an_init_pkt_driver, c61_errors_in_the_buf, c62_dmafree_starts_over,
    c63_consistent_read_is_synced_before_completion, c63_also_with_an_init_pkt_driver,
    a_kept_packet_is_bound_as_a_new_one, a_kept_packet_is_divided_as_a_new_one,
    a_kept_packet_is_limited_as_a_new_one,
    write_data_reaches_a_device_behind_copies, plain_reads_are_synced_on_request,
    c93_consistent_buffers, c93_buffer_outlives_its_packet)
