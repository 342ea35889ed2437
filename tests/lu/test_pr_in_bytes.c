/* PERSISTENT RESERVE IN: the parameter data, byte by byte */
#include "check_main.h"
#include "mock_pr.h"

#include <string.h>

#include "base/bytes.h"

#define A 0
#define B 1
#define B2 11

static uint8_t buf[8192];

static void
begin(uint8_t type)
{
	memset(buf, 0xee, sizeof(buf));
	prt_begin(8);
	(void)prt_out(A, PR_REGISTER, 0, 0, 0x1122334455667788, 0);
	(void)prt_out(B2, PR_REGISTER, 0, 0, 2, 0);
	if (type != PR_NONE)
		(void)prt_out(B2, PR_RESERVE, type, 2, 0, 0);
	ck_assert_uint_lt(pr_in_room(prt.pr), sizeof(buf));
}

START_TEST(nothing)
{
	static const uint8_t zeros[8];

	memset(buf, 0xee, sizeof(buf));
	prt_begin(8);
	ck_assert_uint_eq(pr_in_keys(prt.pr, buf), 8);
	ck_assert_mem_eq(buf, zeros, 8);
	ck_assert_uint_eq(pr_in_reservation(prt.pr, buf), 8);
	ck_assert_mem_eq(buf, zeros, 8);
	ck_assert_uint_eq(pr_in_full_status(prt.pr, buf), 8);
	ck_assert_mem_eq(buf, zeros, 8);
	ck_assert_uint_eq(buf[8], 0xee);
	prt_end();
}
END_TEST

START_TEST(keys)
{
	static const uint8_t want[] = {
		0, 0, 0, 2, 0, 0, 0, 16,
		0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
		0, 0, 0, 0, 0, 0, 0, 2,
	};

	begin(PR_NONE);
	ck_assert_uint_eq(pr_in_keys(prt.pr, buf), sizeof(want));
	ck_assert_mem_eq(buf, want, sizeof(want));
	prt_end();
}
END_TEST

START_TEST(reservation)
{
	static const uint8_t types[] = { PR_WE, PR_EA, PR_WERO, PR_EARO, PR_WEAR, PR_EAAR };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		uint8_t want[24] = { 0, 0, 0, 2, 0, 0, 0, 16, [15] = 2, [21] = types[i] };

		if (pr_type_is_all(types[i]))
			want[15] = 0;
		begin(types[i]);
		ck_assert_uint_eq(pr_in_reservation(prt.pr, buf), sizeof(want));
		ck_assert_mem_eq(buf, want, sizeof(want));
		prt_end();
	}
}
END_TEST

static void
status_is(const uint8_t *at, uint64_t key, bool is_holder, uint8_t type, uint16_t rtpi, int who)
{
	const struct lu_initiator *id = prt_initiator(who);
	uint8_t want[24 + LU_TRANSPORT_ID_MAX] = { 0 };

	be64_put(want, key);
	want[12] = is_holder;
	want[13] = is_holder ? type : 0;
	be16_put(want + 18, rtpi);
	be32_put(want + 20, id->id_len);
	memcpy(want + 24, id->id, id->id_len);
	ck_assert_mem_eq(at, want, 24u + id->id_len);
}

START_TEST(full_status)
{
	static const uint8_t types[] = { PR_NONE, PR_EA, PR_WERO, PR_WEAR };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		bool is_all = pr_type_is_all(types[i]);
		size_t one, n;

		begin(types[i]);
		n = pr_in_full_status(prt.pr, buf);
		one = 24u + prt_initiator(A)->id_len;
		ck_assert_uint_eq(n, 8 + 2 * one);
		ck_assert_uint_eq(be32_get(buf), 2);
		ck_assert_uint_eq(be32_get(buf + 4), n - 8);
		status_is(buf + 8, 0x1122334455667788, is_all, types[i], 1, A);
		status_is(buf + 8 + one, 2, types[i] != PR_NONE, types[i], 2, B);
		prt_end();
	}
}
END_TEST

START_TEST(capabilities)
{
	uint8_t want[8] = { 0, 8, 0x1d, 0x80, 0xea, 0x01, 0, 0 };
	uint8_t got[8];

	prt_begin(8);
	ck_assert_uint_eq(pr_in_capabilities(prt.pr, true, got), 8);
	ck_assert_mem_eq(got, want, 8);
	(void)prt_out(A, PR_REGISTER, 0, 0, 1, PRT_APTPL);
	want[3] = 0x81;
	(void)pr_in_capabilities(prt.pr, true, got);
	ck_assert_mem_eq(got, want, 8);
	prt_end();
	prt_begin(8);
	want[2] = 0x1c;
	want[3] = 0x80;
	(void)pr_in_capabilities(prt.pr, false, got);
	ck_assert_mem_eq(got, want, 8);
	prt_end();
}
END_TEST

/* PRGENERATION wraps (SPC-4 6.15.2) */
START_TEST(generation)
{
	begin(PR_NONE);
	prt.pr->generation = UINT32_MAX;
	(void)prt_out(A, PR_CLEAR, 0, 0x1122334455667788, 0, 0);
	ck_assert_uint_eq(pr_in_keys(prt.pr, buf), 8);
	ck_assert_uint_eq(be32_get(buf), 0);
	prt_end();
}
END_TEST

CHECK_MAIN("pr_in", nothing, keys, reservation, full_status, capabilities, generation)
