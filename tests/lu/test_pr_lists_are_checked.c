/* parameter lists of PERSISTENT RESERVE OUT: lengths, bits, TransportIDs; and no memory */
#include "check_main.h"
#include "mock_pr.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"

#define A 0
#define B 1

static uint8_t list[PR_LIST_MAX + 4];

static void
refused(size_t len, enum pr_action action, uint16_t asc, int at)
{
	ck_assert_uint_eq(prt_out_list(A, action, PR_WE, list, len), PRT_CHECK);
	ck_assert_uint_eq(prt.sense.key, SENSE_ILLEGAL_REQUEST);
	ck_assert_msg(prt.sense.asc == asc, "length %zu, action %d: %04x", len, action,
	    prt.sense.asc);
	if (at >= 0) {
		ck_assert(prt.sense.sks == SENSE_SKS_FIELD && !prt.sense.sks_in_cdb);
		ck_assert_int_eq(prt.sense.sks_value, at);
	}
	ck_assert(!prt.is_changed);
}

START_TEST(lengths)
{
	prt_begin(8);
	for (int action = PR_REGISTER; action <= PR_REGISTER_AND_IGNORE; action++) {
		prt_list(list, 0, 1, 0);
		for (size_t len = 0; len < 64; len++)
			if (len != PR_LIST_LEN)
				refused(len, (enum pr_action)action, ASC_PARAMETER_LIST_LENGTH,
				    -1);
		refused(PR_LIST_MAX + 1, (enum pr_action)action, ASC_PARAMETER_LIST_LENGTH, -1);
	}
	prt_end();
}
END_TEST

START_TEST(actions_that_are_not)
{
	prt_begin(8);
	prt_list(list, 0, 1, 0);
	for (int action = PR_REPLACE_LOST; action < 32; action++) {
		ck_assert_uint_eq(prt_out_list(A, (enum pr_action)action, 0, list,
		    PR_LIST_LEN), PRT_CHECK);
		ck_assert_uint_eq(prt.sense.asc, ASC_INVALID_FIELD_IN_CDB);
		ck_assert(prt.sense.sks_in_cdb);
		ck_assert_uint_eq(prt.sense.sks_value, 1);
	}
	prt_end();
}
END_TEST

START_TEST(bits)
{
	prt_begin(8);
	for (int action = PR_REGISTER; action <= PR_REGISTER_AND_IGNORE; action++)
		for (int bit = 0; bit < 8; bit++) {
			uint8_t flag = (uint8_t)(1 << bit);

			if (flag == PRT_APTPL || flag == PRT_ALL_TG_PT)
				continue;
			prt_list(list, 0, 1, flag);
			if (flag != PRT_SPEC_I_PT)
				refused(PR_LIST_LEN, (enum pr_action)action,
				    ASC_INVALID_FIELD_IN_LIST, 20);
			else if (action != PR_REGISTER)
				refused(PR_LIST_LEN, (enum pr_action)action,
				    ASC_INVALID_FIELD_IN_LIST, 20);
			else
				refused(PR_LIST_LEN, PR_REGISTER, ASC_PARAMETER_LIST_LENGTH,
				    -1);
		}
	/* obsolete and reserved bytes elsewhere are not looked at (SPC-4 4.2.6) */
	prt_list(list, 0, 1, 0);
	memset(list + 16, 0xff, 4);
	memset(list + 21, 0xff, 3);
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER, 0, list, PR_LIST_LEN), PRT_GOOD);
	prt_end();
}
END_TEST

/* a list with one TransportID, changed in one place */
START_TEST(transport_ids)
{
	const struct lu_initiator *id = prt_initiator(B);
	size_t n = PR_LIST_LEN + 4u + id->id_len;
	size_t first = PR_LIST_LEN + 4;

	prt_begin(8);
	prt_list(list, 0, 1, PRT_SPEC_I_PT);
	be32_put(list + PR_LIST_LEN, id->id_len);
	memcpy(list + first, id->id, id->id_len);
	for (size_t len = 0; len < n; len++)
		refused(len, PR_REGISTER, ASC_PARAMETER_LIST_LENGTH, -1);
	refused(n + 1, PR_REGISTER, ASC_PARAMETER_LIST_LENGTH, -1);
	/* cut */
	for (uint32_t cut = 1; cut < id->id_len; cut++) {
		be32_put(list + PR_LIST_LEN, cut);
		refused(first + cut, PR_REGISTER, ASC_INVALID_FIELD_IN_LIST, (int)first);
	}
	/* the second is cut: the pointer leads to it */
	memcpy(list + n, id->id, id->id_len);
	be32_put(list + PR_LIST_LEN, id->id_len + 8u);
	refused(n + 8, PR_REGISTER, ASC_INVALID_FIELD_IN_LIST, (int)n);
	be32_put(list + PR_LIST_LEN, UINT32_MAX);
	refused(n, PR_REGISTER, ASC_PARAMETER_LIST_LENGTH, -1);
	/* protocols and formats that are not, a length that is not */
	be32_put(list + PR_LIST_LEN, id->id_len);
	list[first] = 0xc5;
	refused(n, PR_REGISTER, ASC_INVALID_FIELD_IN_LIST, (int)first);
	list[first] = 0x0e;
	refused(n, PR_REGISTER, ASC_INVALID_FIELD_IN_LIST, (int)first);
	list[first] = 0x45;
	list[first + 3]--;
	refused(n, PR_REGISTER, ASC_INVALID_FIELD_IN_LIST, (int)first);
	list[first + 3]++;
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER, 0, list, n), PRT_GOOD);
	ck_assert_uint_eq(prt_key(B), 1);
	prt_end();
}
END_TEST

/* another spelling of the same initiator port is the same port */
/* one name again and again is no way to keep the unit busy */
START_TEST(more_ids_than_registrations)
{
	const struct lu_initiator *id = prt_initiator(B);
	size_t at = PR_LIST_LEN + 4;

	prt_begin(8);
	prt_list(list, 0, 1, PRT_SPEC_I_PT);
	for (uint32_t n = 1; n <= 9; n++, at += id->id_len) {
		memcpy(list + at, id->id, id->id_len);
		be32_put(list + PR_LIST_LEN, n * id->id_len);
	}
	refused(at, PR_REGISTER, ASC_REGISTRATION_RESOURCES, -1);
	at -= id->id_len;
	be32_put(list + PR_LIST_LEN, 8u * id->id_len);
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER, 0, list, at), PRT_GOOD);
	ck_assert_uint_eq(prt_key(B), 1);
	prt_end();
}
END_TEST

START_TEST(spellings)
{
	const struct lu_initiator *id = prt_initiator(B);
	uint8_t *at = list + PR_LIST_LEN + 4;
	uint16_t len = (uint16_t)(id->id_len + 8);

	prt_begin(8);
	prt_list(list, 0, 1, PRT_SPEC_I_PT);
	be32_put(list + PR_LIST_LEN, len);
	memset(at, 0, len);
	memcpy(at, id->id, id->id_len);
	be16_put(at + 2, (uint16_t)(len - 4));
	for (size_t i = 4; i < id->id_len; i++)
		if (at[i] >= 'a' && at[i] <= 'h')
			at[i] = (uint8_t)(at[i] - 32);
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER, 0, list, PR_LIST_LEN + 4u + len),
	    PRT_GOOD);
	ck_assert_uint_eq(prt_key(B), 1);
	prt_end();
}
END_TEST

/* every allocation may fail: nothing has happened, and the next try works */
START_TEST(no_memory)
{
	const struct lu_initiator *id = prt_initiator(B);
	struct pr_nexus nexus = prt_nexus(A);
	struct pr_world world;
	struct pr_request req = { .nexus = &nexus, .world = &world, .list = list,
		.action = PR_REGISTER };
	struct pr_result result;
	int n_failed = 0;

	prt_begin(20);
	world = (struct pr_world){ prt.ports, prt.n_ports, NULL, 0 };
	prt_list(list, 0, 1, PRT_SPEC_I_PT | PRT_ALL_TG_PT);
	be32_put(list + PR_LIST_LEN, id->id_len);
	memcpy(list + PR_LIST_LEN + 4, id->id, id->id_len);
	req.list_len = PR_LIST_LEN + 4u + id->id_len;
	for (int i = 1;; i++) {
		int r;

		fault_arm(i);
		r = pr_out(prt.pr, &req, &result);
		if (!fault_disarm())
			break;
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_uint_eq(prt.pr->n, 0);
		n_failed++;
	}
	ck_assert_int_ge(n_failed, 3);
	ck_assert_uint_eq(result.next->n, 8);
	pr_result_fini(&result);
	fault_arm(1);
	ck_assert_ptr_null(pr_new(3));
	fault_arm(1);
	ck_assert_ptr_null(pr_new_lost(3));
	(void)fault_disarm();
	prt_end();
}
END_TEST

CHECK_MAIN("pr_lists", lengths, actions_that_are_not, bits, transport_ids,
    more_ids_than_registrations, spellings, no_memory)
