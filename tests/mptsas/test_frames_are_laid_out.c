/* frames, chains and contexts: what a chip would read is what the packet said */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "mock_sgl.h"

static uint8_t frame[RING_FRAME_MAX], chains[64 * RING_FRAME_MAX];
static ddi_dma_cookie_t cookies[RING_SEGS_MAX + 1];
static const uint8_t lun[8] = { 0, 3 };
static const uint8_t cdb[10] = { 0x28, 0, 1, 2, 3, 4 };

static struct ring_layout
layout_for(uint32_t frame_bytes, uint8_t chain_depth)
{
	struct ring_facts facts = { .frame_bytes = frame_bytes, .credits = 128,
		.reply_depth = 128, .chain_depth = chain_depth };
	struct ring_layout l;

	mpt_ring_layout_make(&facts, &l);
	return l;
}

static struct ring_io
io_of(uint32_t n)
{
	return (struct ring_io){ .context = 0x1234567, .bus = 1, .target = 9, .lun = lun,
		.cdb = cdb, .cdb_len = sizeof(cdb), .control = MPT_CONTROL_READ,
		.sense_len = 252, .sense_low = 0xabcd0000, .cookies = cookies, .ncookies = n };
}

static void *
chain_at(void *arg, uint64_t iova, uint32_t len)
{
	uint64_t base = *(uint64_t *)arg;

	ck_assert_uint_ge(iova, base);
	ck_assert_uint_le(iova + len, base + sizeof(chains));
	return chains + (iova - base);
}

/* write @n pieces from @iova on, read them as the chip does */
static void
round_trip(const struct ring_layout *l, uint32_t n, uint64_t iova, uint64_t chains_iova)
{
	struct ring_place place = { frame, chains, chains_iova };
	struct ring_io io = io_of(n);
	struct sgl_piece pieces[RING_SEGS_MAX];
	uint64_t bytes = 0;
	unsigned int got;

	for (uint32_t i = 0; i < n; i++) {
		cookies[i] = (ddi_dma_cookie_t){ ._dmu._dmac_ll = iova + 0x2000ull * i,
			.dmac_size = 1 + i * 7 };
		bytes += cookies[i].dmac_size;
	}
	memset(frame, 0xee, sizeof(frame));
	memset(chains, 0xee, sizeof(chains));
	ck_assert_int_eq(mpt_ring_io_write(l, &place, &io), 0);
	ck_assert_uint_eq(le32_get(frame + MPT_IO_DATA_LEN), bytes);
	got = sgl_read(frame, l->frame_bytes, chain_at, &chains_iova, pieces, RING_SEGS_MAX);
	ck_assert_uint_eq(got, n);
	for (uint32_t i = 0; i < n; i++) {
		if (pieces[i].iova != cookies[i].dmac_laddress || pieces[i].is_out ||
		    pieces[i].len != cookies[i].dmac_size)
			ck_abort_msg("piece %u of %u is another one", i, n);
	}
}

START_TEST(lists_of_any_length)
{
	static const uint32_t frames[] = { 128, 192, 512 };

	for (size_t f = 0; f < ARRAY_LEN(frames); f++) {
		struct ring_layout l = layout_for(frames[f], 34);

		ck_assert_uint_eq(l.frame_bytes, frames[f]);
		ck_assert_uint_eq(l.segs_max, RING_SEGS_MAX);
		for (uint32_t n = 0; n <= l.segs_max; n += n < 64 || n == 256 ? 1 : 16) {
			round_trip(&l, n, 0x10000, 0x80000);
			round_trip(&l, n, 0xfffff000, 0x80000);
			round_trip(&l, n, 0x1000, 0x500000000);
		}
	}
}
END_TEST

START_TEST(chains_are_bounded)
{
	struct ring_layout l = layout_for(128, 2);
	struct ring_place place = { frame, chains, 0x80000 };
	struct ring_io io;

	/* 6 in the frame, 10 in each chain frame, two of the last are ways on */
	ck_assert_uint_eq(l.segs_max, 5 + 9 + 10);
	round_trip(&l, l.segs_max, 0x7fffffff0, 0x80000);
	io = io_of(l.segs_max + 1);
	ck_assert_int_eq(mpt_ring_io_write(&l, &place, &io), -E2BIG);
	io = io_of(1);
	cookies[0].dmac_size = MPT_SGE_LEN_MAX + 1ul;
	ck_assert_int_eq(mpt_ring_io_write(&l, &place, &io), -EINVAL);
	cookies[0].dmac_size = 0;
	ck_assert_int_eq(mpt_ring_io_write(&l, &place, &io), -EINVAL);
	l = layout_for(128, 0);
	ck_assert_uint_eq(l.segs_max, 6);
	round_trip(&l, 6, 0x7fffffff0, 0x80000);
}
END_TEST

START_TEST(the_fixed_part)
{
	struct ring_layout l = layout_for(128, 34);
	struct ring_place place = { frame, chains, 0x80000 };
	struct ring_io io = io_of(0);

	memset(frame, 0xee, sizeof(frame));
	ck_assert_int_eq(mpt_ring_io_write(&l, &place, &io), 0);
	ck_assert_uint_eq(frame[MPT_IO_TARGET], 9);
	ck_assert_uint_eq(frame[MPT_IO_BUS], 1);
	ck_assert_uint_eq(frame[MPT_CHAIN_OFFSET], 0);
	ck_assert_uint_eq(frame[MPT_FUNCTION], MPT_FN_SCSI_IO);
	ck_assert_uint_eq(frame[MPT_IO_CDB_LEN], sizeof(cdb));
	ck_assert_uint_eq(frame[MPT_FLAGS], 0);
	ck_assert_uint_eq(le32_get(frame + MPT_CONTEXT), 0x1234567);
	ck_assert_mem_eq(frame + MPT_IO_LUN, lun, 8);
	ck_assert_mem_eq(frame + MPT_IO_CDB, cdb, sizeof(cdb));
	ck_assert_uint_eq(le32_get(frame + MPT_IO_SENSE_LOW), 0xabcd0000);
	/* without data there is one element, of length 0 */
	ck_assert_uint_eq(le32_get(frame + MPT_IO_SGL), MPT_SGE_SIMPLE | MPT_SGE_END);
	ck_assert_uint_eq(le32_get(frame + MPT_IO_DATA_LEN), 0);
	/* a 1078 keeps 36 to 40 GiB for itself */
	io = io_of(1);
	io.is_1078 = io.is_write = true;
	cookies[0] = (ddi_dma_cookie_t){ ._dmu._dmac_ll = 0x900001000, .dmac_size = 512 };
	ck_assert_int_eq(mpt_ring_io_write(&l, &place, &io), 0);
	ck_assert_uint_eq(le32_get(frame + MPT_IO_SGL), MPT_SGE_SIMPLE | MPT_SGE_END |
	    MPT_SGE_ADDR64 | MPT_SGE_LOCAL | MPT_SGE_TO_DEVICE | 512);
	ck_assert_uint_eq(le64_get(frame + MPT_IO_SGL + 4), 1ull << 63 | 0x900001000);
}
END_TEST

START_TEST(contexts)
{
	uint32_t all = mpt_ring_context(RING_EPOCH_MAX, RING_GEN_MAX, 1023);

	ck_assert_uint_eq(all, 0x1fffffff);
	ck_assert_uint_eq(mpt_ring_context_epoch(all), RING_EPOCH_MAX);
	ck_assert_uint_eq(mpt_ring_context_gen(all), RING_GEN_MAX);
	ck_assert_uint_eq(mpt_ring_context_index(all), 1023);
	all = mpt_ring_context(3, 70, 5);
	ck_assert_uint_eq(mpt_ring_context_epoch(all), 3);
	ck_assert_uint_eq(mpt_ring_context_gen(all), 70);
	ck_assert_uint_eq(mpt_ring_context_index(all), 5);
}
END_TEST

START_TEST(reply_frames)
{
	struct ring_layout l = layout_for(512, 34);
	uint32_t i = 99;

	ck_assert(mpt_ring_reply_index(&l, 0xfffff000, 0xfffff000, &i));
	ck_assert_uint_eq(i, 0);
	ck_assert(mpt_ring_reply_index(&l, 0x1000, 0x1000 + 127 * RING_REPLY_BYTES, &i));
	ck_assert_uint_eq(i, 127);
	ck_assert(!mpt_ring_reply_index(&l, 0x1000, 0x1000 + 128 * RING_REPLY_BYTES, &i));
	ck_assert(!mpt_ring_reply_index(&l, 0x1000, 0x1004, &i));
	ck_assert(!mpt_ring_reply_index(&l, 0x1000, 0xf80, &i));
}
END_TEST

/* the reply of the model, field by field; and of firmware that sends less */
START_TEST(facts)
{
	uint8_t reply[0x40] = { 0x05, 0x01, 0x10, MPT_FN_IOC_FACTS, [0x14] = 0x22, [0x16] = 13,
		[0x18] = 128, [0x1a] = 128, [0x1e] = 0x02, 0x21, [0x24] = 128, [0x26] = 8,
		[0x2e] = 8, 1, [0x34] = 1 };
	struct ring_facts f;
	struct ring_layout l;

	ck_assert_int_eq(mpt_ring_facts_read(reply, sizeof(reply), &f), 0);
	ck_assert_uint_eq(f.version, 0x0105);
	ck_assert_uint_eq(f.frame_bytes, 512);
	ck_assert_uint_eq(f.credits, 128);
	ck_assert_uint_eq(f.chain_depth, 34);
	ck_assert_uint_eq(f.max_devices, 8);
	ck_assert(f.has_hipri && !f.wants_firmware);
	mpt_ring_layout_make(&f, &l);
	ck_assert(mpt_ring_layout_fits(&l, &f));
	ck_assert_uint_eq(l.bytes % 64, 0);
	f.credits = 127;
	ck_assert(!mpt_ring_layout_fits(&l, &f));
	reply[2] = 0x0c;
	reply[0x2e] = 0;
	ck_assert_int_eq(mpt_ring_facts_read(reply, 0x30, &f), 0);
	ck_assert_uint_eq(f.max_devices, 256);
	ck_assert(!f.has_hipri);
	ck_assert_int_eq(mpt_ring_facts_read(reply, 0x2f, &f), -EBADMSG);
	ck_assert_int_eq(mpt_ring_facts_read(reply, 3, &f), -EBADMSG);
	reply[0x1a] = 31;
	ck_assert_int_eq(mpt_ring_facts_read(reply, 0x30, &f), -EBADMSG);
	reply[0x1a] = 128;
	reply[0x24] = 3;
	ck_assert_int_eq(mpt_ring_facts_read(reply, 0x30, &f), -EBADMSG);
}
END_TEST

CHECK_MAIN("frames", lists_of_any_length, chains_are_bounded, the_fixed_part, contexts,
    reply_frames, facts)
