#include <check_main.h>
#include <errno.h>

#include "base/fault.h"
#include "hw/pci/iova.h"

#define MIB	(1ull << 20)

static struct iova *
make(const struct iova_range *ranges, unsigned int count)
{
	struct iova *iova;

	ck_assert_int_eq(iova_new(ranges, count, &iova), 0);
	return iova;
}

static uint64_t
take(struct iova *iova, uint64_t bytes, uint64_t align)
{
	uint64_t at;

	ck_assert_int_eq(iova_take(iova, bytes, align, &at), 0);
	ck_assert_uint_eq(at & (align - 1), 0);
	return at;
}

START_TEST(a_page_behind_each_piece_stays_free)
{
	struct iova *iova = make(NULL, 0);
	uint64_t a = take(iova, 4096, 4096), b = take(iova, 8192, 4096);
	uint64_t c = take(iova, 2 * MIB, 2 * MIB);

	ck_assert_uint_eq(a, IOVA_FIRST);
	ck_assert_uint_eq(b, a + 4096 + IOVA_GAP_BYTES);
	ck_assert_uint_ge(c, b + 8192 + IOVA_GAP_BYTES);
	iova_free(iova);
}
END_TEST

START_TEST(what_is_given_back_is_given_out_again)
{
	struct iova *iova = make(NULL, 0);
	uint64_t a = take(iova, MIB, 4096), b = take(iova, MIB, 4096);

	iova_give(iova, a);
	ck_assert_uint_eq(take(iova, MIB, 4096), a);
	iova_give(iova, a);
	/* too large for the hole: behind everything */
	ck_assert_uint_gt(take(iova, MIB + 4096, 4096), b);
	/* smaller ones fit */
	ck_assert_uint_eq(take(iova, MIB / 2, 4096), a);
	iova_give(iova, b);
	iova_free(iova);
}
END_TEST

START_TEST(ranges_of_the_iommu_are_kept)
{
	const struct iova_range r[] = { { 0, 0x3fffffff }, { 0x50000000, 0x50004fff },
		{ 0x60000001, 0x6fffffff } };
	struct iova *iova = make(r, 3);

	ck_assert_uint_eq(take(iova, 4 * 4096, 4096), 0x50000000);
	ck_assert_uint_eq(take(iova, 4096, 4096), 0x60001000);
	iova_free(iova);
}
END_TEST

START_TEST(an_iommu_without_the_best_addresses_gives_others)
{
	const struct iova_range small = { 0, 0x0fffffff }, high = { 1ull << 32, UINT64_MAX };
	struct iova *iova = make(&small, 1);

	ck_assert_uint_eq(take(iova, 4096, 4096), 0x01000000);
	iova_free(iova);
	ck_assert_int_eq(iova_new(&high, 1, &iova), -ENOSPC);
}
END_TEST

START_TEST(addresses_end)
{
	const struct iova_range r = { 0x40000000, 0x4000ffff };
	struct iova *iova = make(&r, 1);
	uint64_t at;

	/* 16 pages, each piece takes two */
	for (int i = 0; i < 8; i++)
		(void)take(iova, 4096, 4096);
	ck_assert_int_eq(iova_take(iova, 4096, 4096, &at), -ENOSPC);
	ck_assert_int_eq(iova_take(iova, UINT64_MAX & ~4095ull, 4096, &at), -ENOSPC);
	iova_free(iova);
	iova_free(NULL);
}
END_TEST

START_TEST(memory_may_be_short)
{
	struct iova *iova;
	uint64_t at;

	fault_arm(1);
	ck_assert_int_eq(iova_new(NULL, 0, &iova), -ENOMEM);
	ck_assert(fault_disarm());
	iova = make(NULL, 0);
	fault_arm(1);
	ck_assert_int_eq(iova_take(iova, 4096, 4096, &at), -ENOMEM);
	ck_assert(fault_disarm());
	iova_free(iova);
}
END_TEST

CHECK_MAIN("bus addresses", a_page_behind_each_piece_stays_free,
    what_is_given_back_is_given_out_again, ranges_of_the_iommu_are_kept,
    an_iommu_without_the_best_addresses_gives_others, addresses_end, memory_may_be_short)
