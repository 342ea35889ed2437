/* PREEMPT, PREEMPT AND ABORT: reservations and registrations taken from others */
#include "check_main.h"
#include "mock_pr.h"

#define A 0
#define B 1
#define C 2
#define D 3
#define X 9

static const uint8_t types[] = { PR_WE, PR_EA, PR_WERO, PR_EARO, PR_WEAR, PR_EAAR };
static const enum pr_action both[] = { PR_PREEMPT, PR_PREEMPT_AND_ABORT };

/* A and D have key 1, B 2, C 3 */
static void
begin(void)
{
	prt_begin(8);
	(void)prt_out(A, PR_REGISTER, 0, 0, 1, 0);
	(void)prt_out(B, PR_REGISTER, 0, 0, 2, 0);
	(void)prt_out(C, PR_REGISTER, 0, 0, 3, 0);
	(void)prt_out(D, PR_REGISTER, 0, 0, 1, 0);
}

START_TEST(who_may)
{
	for (size_t k = 0; k < ARRAY_LEN(both); k++) {
		begin();
		ck_assert_uint_eq(prt_out(X, both[k], PR_WE, 0, 1, 0), PRT_CONFLICT);
		ck_assert_uint_eq(prt_out(B, both[k], PR_WE, 1, 1, 0), PRT_CONFLICT);
		ck_assert_uint_eq(prt_out(B, both[k], PR_WE, 2, 77, 0), PRT_CONFLICT);
		ck_assert_uint_eq(prt_out(B, both[k], PR_WE, 2, 0, 0), PRT_CHECK);
		ck_assert_uint_eq(prt.sense.asc, ASC_INVALID_FIELD_IN_LIST);
		ck_assert_uint_eq(prt.sense.sks_value, 8);
		ck_assert_uint_eq(prt.pr->generation, 4);
		ck_assert_uint_eq(prt.pr->n, 4);
		prt_end();
	}
}
END_TEST

START_TEST(registrations_alone)
{
	for (size_t k = 0; k < ARRAY_LEN(both); k++) {
		begin();
		/* scope and type are not looked at (SPC-4 5.12.11.4.4) */
		ck_assert_uint_eq(prt_out(B, both[k], 0xff, 2, 1, 0), PRT_GOOD);
		prt_told(ASC_REGISTRATIONS_PREEMPTED, A, D, -1);
		ck_assert(prt.is_aborted[A] == (k == 1) && prt.is_aborted[D] == (k == 1));
		ck_assert_uint_eq(prt.pr->n, 2);
		ck_assert_uint_eq(prt.pr->generation, 5);
		ck_assert_uint_eq(prt.pr->type, PR_NONE);
		/* itself */
		ck_assert_uint_eq(prt_out(B, both[k], 0, 2, 2, 0), PRT_GOOD);
		prt_told(0, -1);
		ck_assert_uint_eq(prt_key(B), 0);
		ck_assert_uint_eq(prt_key(C), 3);
		prt_end();

		/* of somebody who does not hold the reservation that is */
		begin();
		(void)prt_out(A, PR_RESERVE, PR_WERO, 1, 0, 0);
		ck_assert_uint_eq(prt_out(B, both[k], PR_EA, 2, 3, 0), PRT_GOOD);
		prt_told(ASC_REGISTRATIONS_PREEMPTED, C, -1);
		ck_assert_uint_eq(prt.pr->type, PR_WERO);
		ck_assert(prt_holds(A));
		prt_end();
	}
}
END_TEST

/* for every type that was, and every type that comes */
START_TEST(reservation_of_one)
{
	for (size_t k = 0; k < ARRAY_LEN(both); k++)
		for (size_t i = 0; i < 4; i++)
			for (size_t j = 0; j < ARRAY_LEN(types); j++) {
				begin();
				(void)prt_out(A, PR_RESERVE, types[i], 1, 0, 0);
				ck_assert_uint_eq(prt_out(B, both[k], types[j], 2, 1, 0), 0);
				ck_assert_uint_eq(prt.ua[A], ASC_REGISTRATIONS_PREEMPTED);
				ck_assert_uint_eq(prt.ua[D], ASC_REGISTRATIONS_PREEMPTED);
				ck_assert_uint_eq(prt.ua[C], i == j ? 0 :
				    ASC_RESERVATIONS_RELEASED);
				ck_assert_uint_eq(prt.n_effects, i == j ? 2 : 3);
				ck_assert(prt.is_aborted[A] == (k == 1));
				ck_assert(!prt.is_aborted[C]);
				ck_assert_uint_eq(prt.pr->type, types[j]);
				ck_assert(prt_holds(B));
				ck_assert(prt_holds(C) == pr_type_is_all(types[j]));
				ck_assert_uint_eq(prt.pr->n, 2);
				ck_assert_uint_eq(prt.pr->generation, 5);
				prt_end();
			}
}
END_TEST

START_TEST(reservation_of_all)
{
	for (size_t k = 0; k < ARRAY_LEN(both); k++)
		for (size_t i = 4; i < ARRAY_LEN(types); i++)
			for (size_t j = 0; j < ARRAY_LEN(types); j++) {
				begin();
				(void)prt_out(A, PR_RESERVE, types[i], 1, 0, 0);
				ck_assert_uint_eq(prt_out(C, both[k], types[j], 3, 0, 0), 0);
				prt_told(ASC_REGISTRATIONS_PREEMPTED, A, B, D, -1);
				ck_assert(prt.is_aborted[B] == (k == 1));
				ck_assert_uint_eq(prt.pr->n, 1);
				ck_assert_uint_eq(prt.pr->type, types[j]);
				ck_assert(prt_holds(C));
				prt_end();

				/* with a key: registrations only, the reservation stays */
				begin();
				(void)prt_out(A, PR_RESERVE, types[i], 1, 0, 0);
				ck_assert_uint_eq(prt_out(C, both[k], types[j], 3, 1, 0), 0);
				prt_told(ASC_REGISTRATIONS_PREEMPTED, A, D, -1);
				ck_assert_uint_eq(prt.pr->type, types[i]);
				/* down to the last, which takes it along */
				ck_assert_uint_eq(prt_out(C, both[k], types[j], 3, 2, 0), 0);
				ck_assert_uint_eq(prt_out(C, both[k], types[j], 3, 3, 0), 0);
				ck_assert_uint_eq(prt.pr->n, 0);
				ck_assert_uint_eq(prt.pr->type, PR_NONE);
				prt_end();
			}
}
END_TEST

/* the holder gives its own key: others with it go, the type may change */
START_TEST(the_holder_itself)
{
	begin();
	(void)prt_out(A, PR_RESERVE, PR_WERO, 1, 0, 0);
	ck_assert_uint_eq(prt_out(A, PR_PREEMPT_AND_ABORT, PR_EARO, 1, 1, 0), PRT_GOOD);
	ck_assert_uint_eq(prt_key(A), 1);
	ck_assert_uint_eq(prt_key(D), 0);
	ck_assert_uint_eq(prt.ua[D], ASC_REGISTRATIONS_PREEMPTED);
	ck_assert_uint_eq(prt.ua[B], ASC_RESERVATIONS_RELEASED);
	ck_assert_uint_eq(prt.ua[C], ASC_RESERVATIONS_RELEASED);
	ck_assert_uint_eq(prt.n_effects, 3);
	ck_assert(prt_holds(A));
	ck_assert_uint_eq(prt.pr->type, PR_EARO);
	prt_end();
}
END_TEST

/* a reservation that is to be taken needs a type that is */
START_TEST(type_and_scope_count_for_a_reservation)
{
	begin();
	(void)prt_out(A, PR_RESERVE, PR_WE, 1, 0, 0);
	for (uint8_t type = 0; type < 16; type++)
		if (!pr_type_is_valid(type)) {
			ck_assert_uint_eq(prt_out(B, PR_PREEMPT, type, 2, 1, 0), PRT_CHECK);
			ck_assert_uint_eq(prt.sense.asc, ASC_INVALID_FIELD_IN_CDB);
		}
	ck_assert_uint_eq(prt_out(B, PR_PREEMPT, 0x11, 2, 1, 0), PRT_CHECK);
	ck_assert_uint_eq(prt.sense.asc, ASC_INVALID_FIELD_IN_CDB);
	ck_assert(prt_holds(A));
	ck_assert_uint_eq(prt.pr->n, 4);
	ck_assert_uint_eq(prt.pr->generation, 4);
	prt_end();
}
END_TEST

CHECK_MAIN("pr_preempt", who_may, registrations_alone, reservation_of_one, reservation_of_all,
    the_holder_itself, type_and_scope_count_for_a_reservation)
