/* RESERVE, RELEASE, CLEAR: who may, what it does, who hears of it */
#include "check_main.h"
#include "mock_pr.h"

#define A 0
#define B 1
#define C 2
#define X 9	/* not registered */

static const uint8_t types[] = { PR_WE, PR_EA, PR_WERO, PR_EARO, PR_WEAR, PR_EAAR };

static void
begin(void)
{
	prt_begin(8);
	(void)prt_out(A, PR_REGISTER, 0, 0, 1, 0);
	(void)prt_out(B, PR_REGISTER, 0, 0, 2, 0);
	(void)prt_out(C, PR_REGISTER, 0, 0, 3, 0);
}

START_TEST(reserve)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		bool is_all = pr_type_is_all(types[i]);

		begin();
		ck_assert_uint_eq(prt_out(X, PR_RESERVE, types[i], 0, 0, 0), PRT_CONFLICT);
		ck_assert_uint_eq(prt_out(A, PR_RESERVE, types[i], 2, 0, 0), PRT_CONFLICT);
		ck_assert_uint_eq(prt_out(A, PR_RESERVE, types[i], 0, 0, 0), PRT_CONFLICT);
		ck_assert_uint_eq(prt_out(A, PR_RESERVE, types[i], 1, 0, 0), PRT_GOOD);
		ck_assert_uint_eq(prt.n_effects, 0);
		ck_assert_uint_eq(prt.pr->type, types[i]);
		ck_assert_uint_eq(prt.pr->generation, 3);
		ck_assert(prt_holds(A));
		ck_assert(prt_holds(B) == is_all);
		ck_assert(!prt_holds(X));
		/* again; by another; otherwise */
		for (size_t k = 0; k < ARRAY_LEN(types); k++) {
			uint8_t want = k == i ? PRT_GOOD : PRT_CONFLICT;

			ck_assert_uint_eq(prt_out(A, PR_RESERVE, types[k], 1, 0, 0), want);
			ck_assert(!prt.is_changed);
			if (!is_all)
				want = PRT_CONFLICT;
			ck_assert_uint_eq(prt_out(B, PR_RESERVE, types[k], 2, 0, 0), want);
			ck_assert(!prt.is_changed);
		}
		prt_end();
	}
}
END_TEST

START_TEST(types_and_scopes_that_are_not)
{
	begin();
	for (uint8_t type = 0; type < 16; type++) {
		if (pr_type_is_valid(type))
			continue;
		ck_assert_uint_eq(prt_out(A, PR_RESERVE, type, 1, 0, 0), PRT_CHECK);
		ck_assert_uint_eq(prt.sense.asc, ASC_INVALID_FIELD_IN_CDB);
		ck_assert(prt.sense.sks_in_cdb);
		ck_assert_uint_eq(prt.sense.sks_value, 2);
		ck_assert_uint_eq(prt.sense.sks_bit, 3);
	}
	for (uint8_t scope = 1; scope < 16; scope++) {
		ck_assert_uint_eq(prt_out(A, PR_RESERVE, (uint8_t)(scope << 4 | PR_WE), 1, 0,
		    0), PRT_CHECK);
		ck_assert_uint_eq(prt.sense.asc, ASC_INVALID_FIELD_IN_CDB);
		ck_assert_uint_eq(prt.sense.sks_bit, 7);
	}
	ck_assert(!pr_type_is_valid(16) && !pr_type_is_valid(255));
	/* REGISTER and CLEAR do not look at them */
	ck_assert_uint_eq(prt_out(A, PR_REGISTER, 0xff, 1, 1, 0), PRT_GOOD);
	ck_assert_uint_eq(prt_out(A, PR_CLEAR, 0xff, 1, 0, 0), PRT_GOOD);
	prt_end();
}
END_TEST

START_TEST(release)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		bool is_all = pr_type_is_all(types[i]);

		begin();
		/* nothing to release is no error */
		ck_assert_uint_eq(prt_out(A, PR_RELEASE, types[i], 1, 0, 0), PRT_GOOD);
		ck_assert(!prt.is_changed);
		(void)prt_out(A, PR_RESERVE, types[i], 1, 0, 0);
		ck_assert_uint_eq(prt_out(X, PR_RELEASE, types[i], 0, 0, 0), PRT_CONFLICT);
		ck_assert_uint_eq(prt_out(A, PR_RELEASE, types[i], 3, 0, 0), PRT_CONFLICT);
		for (uint8_t k = 0; k < 16; k++) {
			if (k == types[i])
				continue;
			ck_assert_uint_eq(prt_out(A, PR_RELEASE, k, 1, 0, 0), PRT_CHECK);
			ck_assert_uint_eq(prt.sense.asc, ASC_INVALID_RELEASE);
			ck_assert_uint_eq(prt.sense.key, SENSE_ILLEGAL_REQUEST);
		}
		ck_assert_uint_eq(prt_out(A, PR_RELEASE, 0x10 | types[i], 1, 0, 0), PRT_CHECK);
		if (!is_all) {
			ck_assert_uint_eq(prt_out(B, PR_RELEASE, types[i], 2, 0, 0), PRT_GOOD);
			ck_assert(!prt.is_changed);
		}
		ck_assert_uint_eq(prt.pr->type, types[i]);
		/* of all registrants, anyone may */
		ck_assert_uint_eq(prt_out(is_all ? B : A, PR_RELEASE, types[i], is_all ? 2 : 1,
		    0, 0), PRT_GOOD);
		ck_assert_uint_eq(prt.pr->type, PR_NONE);
		if (is_all)
			prt_told(ASC_RESERVATIONS_RELEASED, A, C, -1);
		else if (pr_type_has_registrants(types[i]))
			prt_told(ASC_RESERVATIONS_RELEASED, B, C, -1);
		else
			prt_told(0, -1);
		ck_assert_uint_eq(prt.pr->generation, 3);
		ck_assert_uint_eq(prt.pr->n, 3);
		prt_end();
	}
}
END_TEST

START_TEST(clear)
{
	for (size_t i = 0; i <= ARRAY_LEN(types); i++) {
		begin();
		if (i < ARRAY_LEN(types))
			(void)prt_out(A, PR_RESERVE, types[i], 1, 0, 0);
		ck_assert_uint_eq(prt_out(X, PR_CLEAR, 0, 0, 0, 0), PRT_CONFLICT);
		ck_assert_uint_eq(prt_out(B, PR_CLEAR, 0, 1, 0, 0), PRT_CONFLICT);
		ck_assert_uint_eq(prt_out(B, PR_CLEAR, 0, 2, 0, 0), PRT_GOOD);
		prt_told(ASC_RESERVATIONS_PREEMPTED, A, C, -1);
		ck_assert(!prt.is_aborted[A]);
		ck_assert_uint_eq(prt.pr->n, 0);
		ck_assert_uint_eq(prt.pr->type, PR_NONE);
		ck_assert_uint_eq(prt.pr->generation, 4);
		prt_end();
	}
}
END_TEST

/* what could not be read back: nobody gets in without registering, and who does can heal it */
START_TEST(lost_state)
{
	prt_begin(8);
	pr_free(prt.pr);
	prt.pr = pr_new_lost(8);
	prt_check();
	ck_assert(prt.pr->is_aptpl);
	ck_assert_uint_eq(prt_out(A, PR_RELEASE, PR_EAAR, 0, 0, 0), PRT_CONFLICT);
	ck_assert_uint_eq(prt_out(A, PR_REGISTER, 0, 0, 1, 0), PRT_GOOD);
	ck_assert(prt_holds(A) && !prt_holds(B));
	ck_assert_uint_eq(prt_out(A, PR_RELEASE, PR_EAAR, 1, 0, 0), PRT_GOOD);
	ck_assert_uint_eq(prt.pr->type, PR_NONE);
	prt_end();

	prt_begin(8);
	pr_free(prt.pr);
	prt.pr = pr_new_lost(8);
	(void)prt_out(A, PR_REGISTER, 0, 0, 1, 0);
	ck_assert_uint_eq(prt_out(A, PR_PREEMPT, PR_WE, 1, 0, 0), PRT_GOOD);
	ck_assert_uint_eq(prt.pr->type, PR_WE);
	ck_assert(prt_holds(A));
	prt_end();
}
END_TEST

CHECK_MAIN("pr_reserve", reserve, types_and_scopes_that_are_not, release, clear, lost_state)
