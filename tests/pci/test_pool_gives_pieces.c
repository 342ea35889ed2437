#include <check_main.h>
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/num.h"
#include "base/rng.h"
#include "hw/pci/pool.h"

#define BYTES	(1u << 20)
#define IOVA	0x40000000ull
#define PIECES	200

static char memory[2][BYTES] __attribute__((aligned(65536)));

static struct pool *
make(size_t bytes)
{
	const struct pci_span span = { memory[0], IOVA, bytes };
	struct pool *pool;

	ck_assert_int_eq(dma_pool_new(&span, 1, &pool), 0);
	return pool;
}

START_TEST(all_of_it_can_be_taken_in_units_and_comes_together_again)
{
	struct pool *pool = make(BYTES);
	void *mem[BYTES / POOL_UNIT_BYTES];

	for (unsigned int i = 0; i < ARRAY_LEN(mem); i++) {
		mem[i] = dma_pool_take(pool, 1, 1);
		ck_assert_ptr_nonnull(mem[i]);
	}
	ck_assert_ptr_null(dma_pool_take(pool, 1, 1));
	ck_assert_uint_eq(dma_pool_used_bytes(pool), BYTES);
	for (unsigned int i = 0; i < ARRAY_LEN(mem); i++)
		dma_pool_give(pool, mem[(i * 7) % ARRAY_LEN(mem)]);
	ck_assert_uint_eq(dma_pool_used_bytes(pool), 0);
	ck_assert_ptr_eq(dma_pool_take(pool, BYTES, BYTES), memory[0]);
	dma_pool_free(pool);
}
END_TEST

START_TEST(an_odd_size_is_used_to_its_last_unit)
{
	struct pool *pool = make(7 * POOL_UNIT_BYTES + 100);

	ck_assert_uint_eq(dma_pool_piece_max(pool), 4 * POOL_UNIT_BYTES);
	ck_assert_ptr_null(dma_pool_take(pool, 5 * POOL_UNIT_BYTES, 1));
	for (int i = 0; i < 7; i++)
		ck_assert_ptr_nonnull(dma_pool_take(pool, POOL_UNIT_BYTES, 1));
	ck_assert_ptr_null(dma_pool_take(pool, 1, 1));
	dma_pool_free(pool);
}
END_TEST

START_TEST(pieces_are_aligned_on_the_bus)
{
	const struct pci_span span = { memory[0], IOVA + 4096, BYTES / 2 };
	struct pool *pool;
	char *mem;

	ck_assert_int_eq(dma_pool_new(&span, 1, &pool), 0);
	for (size_t align = 1; align <= 4096; align *= 2) {
		mem = dma_pool_take(pool, 100, align);
		ck_assert_uint_eq((span.iova + (uint64_t)(mem - memory[0])) % align, 0);
	}
	/* the span begins at an odd page: more cannot be promised */
	ck_assert_ptr_null(dma_pool_take(pool, 100, 8192));
	dma_pool_free(pool);
}
END_TEST

START_TEST(spans_are_found_by_address)
{
	const struct pci_span spans[] = { { memory[1], IOVA, BYTES / 2 },
		{ memory[0], IOVA + BYTES, BYTES } };
	struct pool *pool;
	unsigned int n;

	ck_assert_int_eq(dma_pool_new(spans, 2, &pool), 0);
	ck_assert_uint_eq(dma_pool_span(pool, memory[0] + 5)->iova, IOVA + BYTES);
	ck_assert_uint_eq(dma_pool_span(pool, memory[1])->iova, IOVA);
	ck_assert_ptr_null(dma_pool_span(pool, memory[1] + BYTES / 2));
	ck_assert_ptr_null(dma_pool_span(pool, NULL));
	ck_assert_ptr_eq(dma_pool_spans(pool, &n)[0].va, memory[0]);
	ck_assert_uint_eq(n, 2);
	/* the second serves when the first is full */
	ck_assert_ptr_eq(dma_pool_take(pool, BYTES, 1), memory[0]);
	ck_assert_ptr_eq(dma_pool_take(pool, BYTES / 2, 1), memory[1]);
	ck_assert_ptr_null(dma_pool_take(pool, 1, 1));
	dma_pool_free(pool);
}
END_TEST

struct piece {
	char *va;
	size_t bytes;
	uint8_t mark;
};

static void
piece_check(const struct piece *p)
{
	bool is_whole = true;

	for (size_t i = 0; i < p->bytes; i++)
		is_whole = is_whole && (uint8_t)p->va[i] == p->mark;
	ck_assert(is_whole);
}

/* no piece is ever given out twice: each holds its own mark until it goes */
START_TEST(by_chance)
{
	struct pool *pool = make(BYTES);
	struct piece piece[PIECES] = { { NULL, 0, 0 } };
	struct rng rng = rng_init(7);

	for (unsigned int round = 0; round < 20000; round++) {
		struct piece *p = &piece[rng_below(&rng, PIECES)];

		if (p->va != NULL) {
			piece_check(p);
			dma_pool_give(pool, p->va);
			p->va = NULL;
			continue;
		}
		p->bytes = 1 + rng_below(&rng, 1ull << rng_below(&rng, 17));
		p->mark = (uint8_t)round;
		p->va = dma_pool_take(pool, p->bytes, 1ull << rng_below(&rng, 13));
		if (p->va != NULL)
			memset(p->va, p->mark, p->bytes);
	}
	for (unsigned int i = 0; i < PIECES; i++)
		if (piece[i].va != NULL)
			dma_pool_give(pool, piece[i].va);
	ck_assert_uint_eq(dma_pool_used_bytes(pool), 0);
	ck_assert_ptr_nonnull(dma_pool_take(pool, BYTES, 1));
	dma_pool_free(pool);
}
END_TEST

START_TEST(bad_spans_and_short_memory_are_refused)
{
	const struct pci_span crooked = { memory[0] + 1, IOVA, BYTES };
	const struct pci_span tiny = { memory[0], IOVA, 10 };
	const struct pci_span good = { memory[0], IOVA, BYTES };
	struct pool *pool;

	ck_assert_int_eq(dma_pool_new(&crooked, 1, &pool), -EINVAL);
	ck_assert_int_eq(dma_pool_new(&tiny, 1, &pool), -EINVAL);
	ck_assert_int_eq(dma_pool_new(&good, 0, &pool), -EINVAL);
	for (int n = 1; n <= 2; n++) {
		fault_arm(n);
		ck_assert_int_eq(dma_pool_new(&good, 1, &pool), -ENOMEM);
		ck_assert(fault_disarm());
	}
	pool = make(BYTES);
	fault_arm(1);
	ck_assert_ptr_null(dma_pool_take(pool, 1, 1));
	ck_assert(fault_disarm());
	ck_assert_ptr_null(dma_pool_take(pool, SIZE_MAX, 1));
	dma_pool_free(pool);
	dma_pool_free(NULL);
}
END_TEST

CHECK_MAIN("pool", all_of_it_can_be_taken_in_units_and_comes_together_again,
    an_odd_size_is_used_to_its_last_unit, pieces_are_aligned_on_the_bus,
    spans_are_found_by_address, by_chance, bad_spans_and_short_memory_are_refused)
