/* REGISTER AND MOVE: a reservation handed to another nexus */
#include "check_main.h"
#include "mock_pr.h"

#include <string.h>

#include "base/bytes.h"

#define A 0
#define B 1
#define C 2
#define X 9
#define UNREG	0x02

static uint8_t list[400];

static size_t
move_list(uint64_t key, uint64_t sa_key, uint8_t flags, uint16_t rtpi,
    const struct lu_initiator *to)
{
	memset(list, 0, sizeof(list));
	be64_put(list, key);
	be64_put(list + 8, sa_key);
	list[17] = flags;
	be16_put(list + 18, rtpi);
	be32_put(list + 20, to->id_len);
	memcpy(list + 24, to->id, to->id_len);
	return 24u + to->id_len;
}

static uint8_t
move(int who, uint64_t key, uint64_t sa_key, uint8_t flags, int to)
{
	size_t n = move_list(key, sa_key, flags, (uint16_t)(1 + to / 10), prt_initiator(to));

	return prt_out_list(who, PR_REGISTER_AND_MOVE, 0, list, n);
}

static void
begin(uint8_t type)
{
	prt_begin(3);
	(void)prt_out(A, PR_REGISTER, 0, 0, 1, 0);
	(void)prt_out(B, PR_REGISTER, 0, 0, 2, 0);
	if (type != PR_NONE)
		(void)prt_out(A, PR_RESERVE, type, 1, 0, 0);
}

START_TEST(moves)
{
	static const uint8_t types[] = { PR_WE, PR_EA, PR_WERO, PR_EARO };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		begin(types[i]);
		ck_assert_uint_eq(move(A, 1, 9, 0, 12), PRT_GOOD);	/* C, port 2: new */
		ck_assert(prt_holds(12) && !prt_holds(A));
		ck_assert_uint_eq(prt_key(12), 9);
		ck_assert_uint_eq(prt_key(A), 1);
		ck_assert_uint_eq(prt.pr->type, types[i]);
		ck_assert_uint_eq(prt.pr->generation, 3);
		prt_told(0, -1);
		/* on to one that is registered: its key changes */
		ck_assert_uint_eq(move(12, 9, 8, UNREG, B), PRT_GOOD);
		ck_assert(prt_holds(B));
		ck_assert_uint_eq(prt_key(B), 8);
		ck_assert_uint_eq(prt_key(12), 0);
		ck_assert_uint_eq(prt.pr->n, 2);
		prt_told(0, -1);
		prt_end();
	}
}
END_TEST

START_TEST(persistence)
{
	begin(PR_WE);
	ck_assert_uint_eq(move(A, 1, 9, PRT_APTPL, B), PRT_GOOD);
	ck_assert(prt.is_save_due && prt.pr->is_aptpl);
	ck_assert_uint_eq(move(B, 9, 1, 0, A), PRT_GOOD);
	ck_assert(prt.is_save_due && !prt.pr->is_aptpl);
	prt.can_persist = false;
	ck_assert_uint_eq(move(A, 1, 9, PRT_APTPL, B), PRT_CHECK);
	ck_assert_uint_eq(prt.sense.sks_value, 17);
	prt_end();
}
END_TEST

START_TEST(conflicts)
{
	begin(PR_NONE);
	ck_assert_uint_eq(move(A, 1, 9, 0, C), PRT_CONFLICT);	/* there is none */
	prt_end();
	begin(PR_WE);
	ck_assert_uint_eq(move(X, 0, 9, 0, C), PRT_CONFLICT);
	ck_assert_uint_eq(move(A, 2, 9, 0, C), PRT_CONFLICT);
	ck_assert_uint_eq(move(B, 2, 9, 0, C), PRT_CONFLICT);	/* does not hold it */
	prt_end();
	begin(PR_WEAR);
	ck_assert_uint_eq(move(A, 1, 9, 0, C), PRT_CONFLICT);
	prt_end();
}
END_TEST

START_TEST(refusals)
{
	struct lu_initiator name;
	size_t n;

	begin(PR_WE);
	ck_assert_uint_eq(move(A, 1, 0, 0, C), PRT_CHECK);	/* no key */
	ck_assert_uint_eq(prt.sense.sks_value, 8);
	ck_assert_uint_eq(move(A, 1, 9, 0, A), PRT_CHECK);	/* to itself */
	ck_assert_uint_eq(prt.sense.asc, ASC_INVALID_FIELD_IN_LIST);
	ck_assert_uint_eq(prt.sense.sks_value, 24);
	ck_assert_uint_eq(move(A, 1, 9, 0x04, C), PRT_CHECK);	/* reserved bit */
	ck_assert_uint_eq(prt.sense.sks_value, 17);
	n = move_list(1, 9, 0, 77, prt_initiator(C));		/* no such port */
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER_AND_MOVE, 0, list, n), PRT_CHECK);
	ck_assert_uint_eq(prt.sense.sks_value, 18);
	/* no room: nothing moves, not even when the mover leaves */
	(void)prt_out(C, PR_REGISTER, 0, 0, 3, 0);
	ck_assert_uint_eq(move(A, 1, 9, 0, X), PRT_CHECK);
	ck_assert_uint_eq(prt.sense.asc, ASC_REGISTRATION_RESOURCES);
	ck_assert(prt_holds(A));

	/* a name without ISID is no port, unless someone is called so */
	ck_assert_int_eq(lu_initiator_iscsi(&name, "iqn.2026-11.test:b"), 0);
	n = move_list(1, 9, UNREG, 1, &name);
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER_AND_MOVE, 0, list, n), PRT_CHECK);
	ck_assert_uint_eq(prt.sense.sks_value, 24);
	prt.peers[0] = prt_initiator(B);
	prt.n_peers = 1;
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER_AND_MOVE, 0, list, n), PRT_CHECK);
	(void)prt_out(C, PR_REGISTER, 0, 3, 0, 0);
	prt.peers[0] = &name;
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER_AND_MOVE, 0, list, n), PRT_GOOD);
	prt_end();
}
END_TEST

START_TEST(lengths)
{
	size_t n = move_list(1, 9, 0, 1, prt_initiator(C));

	begin(PR_WE);
	for (size_t len = 0; len < n; len++) {
		ck_assert_uint_eq(prt_out_list(A, PR_REGISTER_AND_MOVE, 0, list, len),
		    PRT_CHECK);
		ck_assert_uint_eq(prt.sense.asc, ASC_PARAMETER_LIST_LENGTH);
	}
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER_AND_MOVE, 0, list, n + 4), PRT_CHECK);
	ck_assert_uint_eq(prt.sense.asc, ASC_PARAMETER_LIST_LENGTH);
	/* no TransportID; two of them; one that is cut */
	be32_put(list + 20, 0);
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER_AND_MOVE, 0, list, 24), PRT_CHECK);
	ck_assert_uint_eq(prt.sense.asc, ASC_INVALID_FIELD_IN_LIST);
	ck_assert_uint_eq(prt.sense.sks_value, 20);
	n = move_list(1, 9, 0, 1, prt_initiator(C));
	memcpy(list + n, list + 24, n - 24);
	be32_put(list + 20, (uint32_t)(2 * (n - 24)));
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER_AND_MOVE, 0, list, 2 * n - 24),
	    PRT_CHECK);
	ck_assert_uint_eq(prt.sense.sks_value, 20);
	be32_put(list + 20, (uint32_t)(n - 24 - 4));
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER_AND_MOVE, 0, list, n - 4), PRT_CHECK);
	ck_assert_uint_eq(prt.sense.asc, ASC_INVALID_FIELD_IN_LIST);
	ck_assert_uint_eq(prt.sense.sks_value, 24);
	ck_assert(prt_holds(A));
	prt_end();
}
END_TEST

CHECK_MAIN("pr_move", moves, persistence, conflicts, refusals, lengths)
