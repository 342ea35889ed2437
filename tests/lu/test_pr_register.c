/* REGISTER, REGISTER AND IGNORE EXISTING KEY: every row of the tables of SPC-4 5.12.7 */
#include "check_main.h"
#include "mock_pr.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define A 0
#define B 1
#define C 2
#define A2 10	/* A through port 2 */
#define B2 11

static uint8_t
reg(int who, uint64_t key, uint64_t sa_key, uint8_t flags)
{
	return prt_out(who, PR_REGISTER, 0, key, sa_key, flags);
}

START_TEST(the_table)
{
	prt_begin(8);
	/* not registered */
	ck_assert_uint_eq(reg(A, 0, 0, 0), PRT_GOOD);
	ck_assert(!prt.is_changed);
	ck_assert_uint_eq(prt.pr->generation, 0);
	ck_assert_uint_eq(reg(A, 7, 0, 0), PRT_CONFLICT);
	ck_assert_uint_eq(reg(A, 7, 1, 0), PRT_CONFLICT);
	ck_assert_uint_eq(reg(A, 0, 1, 0), PRT_GOOD);
	ck_assert_uint_eq(prt_key(A), 1);
	ck_assert_uint_eq(prt.pr->generation, 1);
	/* registered */
	ck_assert_uint_eq(reg(A, 0, 2, 0), PRT_CONFLICT);
	ck_assert_uint_eq(reg(A, 2, 2, 0), PRT_CONFLICT);
	ck_assert_uint_eq(reg(A, 0, 0, 0), PRT_CONFLICT);
	ck_assert_uint_eq(reg(A, 1, 2, 0), PRT_GOOD);
	ck_assert_uint_eq(prt_key(A), 2);
	ck_assert_uint_eq(prt.pr->generation, 2);
	ck_assert_uint_eq(reg(A, 2, 2, 0), PRT_GOOD);
	ck_assert_uint_eq(prt.pr->generation, 3);
	ck_assert_uint_eq(reg(A, 2, 0, 0), PRT_GOOD);
	ck_assert_uint_eq(prt_key(A), 0);
	ck_assert_uint_eq(prt.pr->generation, 4);
	ck_assert_uint_eq(prt.pr->n, 0);
	prt_end();
}
END_TEST

START_TEST(ignoring_the_key)
{
	prt_begin(8);
	ck_assert_uint_eq(prt_out(A, PR_REGISTER_AND_IGNORE, 0, 99, 0, 0), PRT_GOOD);
	ck_assert(!prt.is_changed);
	ck_assert_uint_eq(prt_out(A, PR_REGISTER_AND_IGNORE, 0, 99, 1, 0), PRT_GOOD);
	ck_assert_uint_eq(prt_out(A, PR_REGISTER_AND_IGNORE, 0, 99, 2, 0), PRT_GOOD);
	ck_assert_uint_eq(prt_key(A), 2);
	ck_assert_uint_eq(prt.pr->generation, 2);
	ck_assert_uint_eq(prt_out(A, PR_REGISTER_AND_IGNORE, 0, 99, 0, 0), PRT_GOOD);
	ck_assert_uint_eq(prt.pr->n, 0);
	ck_assert_uint_eq(prt.pr->generation, 3);
	prt_end();
}
END_TEST

/* one initiator through two ports, and two initiators with one key, are different */
START_TEST(who_is_who)
{
	prt_begin(8);
	ck_assert_uint_eq(reg(A, 0, 5, 0), PRT_GOOD);
	ck_assert_uint_eq(reg(A2, 5, 6, 0), PRT_CONFLICT);
	ck_assert_uint_eq(reg(A2, 0, 5, 0), PRT_GOOD);
	ck_assert_uint_eq(reg(B, 0, 5, 0), PRT_GOOD);
	ck_assert_uint_eq(prt.pr->n, 3);
	ck_assert_uint_eq(reg(A2, 5, 0, 0), PRT_GOOD);
	ck_assert_uint_eq(prt_key(A), 5);
	ck_assert_uint_eq(prt_key(B), 5);
	prt_end();
}
END_TEST

/* who leaves, and which reservation goes with it */
START_TEST(the_holder_unregisters)
{
	static const struct {
		uint8_t type;
		bool is_told, stays;
	} rows[] = {
		{ PR_WE, false, false }, { PR_EA, false, false }, { PR_WERO, true, false },
		{ PR_EARO, true, false }, { PR_WEAR, false, true }, { PR_EAAR, false, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int ignore = 0; ignore < 2; ignore++) {
			enum pr_action action = ignore ? PR_REGISTER_AND_IGNORE : PR_REGISTER;

			prt_begin(8);
			(void)reg(A, 0, 1, 0);
			(void)reg(B, 0, 2, 0);
			(void)reg(C, 0, 3, 0);
			ck_assert_uint_eq(prt_out(A, PR_RESERVE, rows[i].type, 1, 0, 0), 0);
			/* somebody who does not hold it */
			if (!rows[i].stays) {
				ck_assert_uint_eq(prt_out(C, action, 0, 3, 0, 0), PRT_GOOD);
				prt_told(0, -1);
				ck_assert_uint_eq(prt.pr->type, rows[i].type);
				ck_assert(prt_holds(A));
				(void)reg(C, 0, 3, 0);
			}
			ck_assert_uint_eq(prt_out(A, action, 0, 1, 0, 0), PRT_GOOD);
			if (rows[i].is_told)
				prt_told(ASC_RESERVATIONS_RELEASED, B, C, -1);
			else
				prt_told(0, -1);
			ck_assert_uint_eq(prt.pr->type, rows[i].stays ? rows[i].type : PR_NONE);
			/* the last of all registrants takes it along */
			(void)prt_out(B, action, 0, 2, 0, 0);
			(void)prt_out(C, action, 0, 3, 0, 0);
			ck_assert_uint_eq(prt.pr->n, 0);
			ck_assert_uint_eq(prt.pr->type, PR_NONE);
			prt_end();
		}
}
END_TEST

/* a holder that changes its key still holds */
START_TEST(a_new_key_keeps_the_reservation)
{
	prt_begin(8);
	(void)reg(A, 0, 1, 0);
	(void)reg(B, 0, 2, 0);
	(void)prt_out(B, PR_RESERVE, PR_EA, 2, 0, 0);
	ck_assert_uint_eq(reg(B, 2, 22, 0), PRT_GOOD);
	ck_assert(prt_holds(B));
	/* its index moves when one before it leaves */
	ck_assert_uint_eq(reg(A, 1, 0, 0), PRT_GOOD);
	ck_assert(prt_holds(B));
	ck_assert_uint_eq(prt.pr->holder, 0);
	prt_end();
}
END_TEST

START_TEST(all_target_ports)
{
	prt_begin(8);
	ck_assert_uint_eq(reg(A, 0, 1, PRT_ALL_TG_PT), PRT_GOOD);
	ck_assert_uint_eq(prt.pr->n, 4);	/* not the local port */
	ck_assert_uint_eq(prt_key(A2), 1);
	ck_assert_uint_eq(prt_key(30), 1);
	ck_assert_uint_eq(prt.pr->generation, 1);
	/* one port alone */
	ck_assert_uint_eq(reg(A2, 1, 2, 0), PRT_GOOD);
	ck_assert_uint_eq(prt_key(A), 1);
	/* the ports do not agree: nothing happens */
	ck_assert_uint_eq(reg(A, 1, 3, PRT_ALL_TG_PT), PRT_CONFLICT);
	ck_assert_uint_eq(reg(A, 1, 0, PRT_ALL_TG_PT), PRT_CONFLICT);
	ck_assert_uint_eq(prt_key(A), 1);
	/* unless the key is ignored */
	ck_assert_uint_eq(prt_out(A, PR_REGISTER_AND_IGNORE, 0, 0, 3, PRT_ALL_TG_PT), 0);
	ck_assert_uint_eq(prt_key(A2), 3);
	/* a port that is not registered joins */
	ck_assert_uint_eq(reg(A2, 3, 0, 0), PRT_GOOD);
	ck_assert_uint_eq(reg(A, 3, 4, PRT_ALL_TG_PT), PRT_GOOD);
	ck_assert_uint_eq(prt_key(A2), 4);
	ck_assert_uint_eq(prt.pr->n, 4);
	ck_assert_uint_eq(reg(A, 4, 0, PRT_ALL_TG_PT), PRT_GOOD);
	ck_assert_uint_eq(prt.pr->n, 0);
	/* new through one, registered through another */
	(void)reg(A, 0, 1, 0);
	ck_assert_uint_eq(reg(A2, 0, 1, PRT_ALL_TG_PT), PRT_CONFLICT);
	ck_assert_uint_eq(prt_out(A2, PR_REGISTER_AND_IGNORE, 0, 0, 9, PRT_ALL_TG_PT), 0);
	ck_assert_uint_eq(prt.pr->n, 4);
	ck_assert_uint_eq(prt_key(A2), 9);
	prt_end();
}
END_TEST

/* the reservation is held through another port of the initiator that leaves with all its
 * ports */
START_TEST(all_target_ports_release)
{
	prt_begin(8);
	(void)reg(A, 0, 1, PRT_ALL_TG_PT);
	(void)reg(B, 0, 2, 0);
	(void)prt_out(A2, PR_RESERVE, PR_WERO, 1, 0, 0);
	ck_assert_uint_eq(reg(A, 1, 0, PRT_ALL_TG_PT), PRT_GOOD);
	ck_assert_uint_eq(prt.pr->type, PR_NONE);
	prt_told(ASC_RESERVATIONS_RELEASED, B, -1);
	prt_end();
}
END_TEST

/* header, list of TransportIDs of the initiators given, -1 ends it */
static size_t
spec_list(uint8_t *list, uint64_t key, uint64_t sa_key, uint8_t flags, const int *who)
{
	size_t at = PR_LIST_LEN + 4;

	prt_list(list, key, sa_key, (uint8_t)(PRT_SPEC_I_PT | flags));
	for (; *who >= 0; who++) {
		const struct lu_initiator *id = prt_initiator(*who);

		memcpy(list + at, id->id, id->id_len);
		at += id->id_len;
	}
	be32_put(list + PR_LIST_LEN, (uint32_t)(at - PR_LIST_LEN - 4));
	return at;
}

START_TEST(named_initiators)
{
	static const int both[] = { B, C, -1 }, nobody[] = { -1 }, twice[] = { B, B, A, -1 };
	uint8_t list[2000];
	size_t n;

	prt_begin(8);
	(void)reg(C, 0, 33, 0);
	n = spec_list(list, 0, 1, 0, both);
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER, 0, list, n), PRT_GOOD);
	ck_assert_uint_eq(prt_key(A), 1);
	ck_assert_uint_eq(prt_key(B), 1);
	ck_assert_uint_eq(prt_key(C), 33);	/* was registered: left alone */
	ck_assert_uint_eq(prt_key(B2), 0);
	ck_assert_uint_eq(prt.pr->generation, 2);
	/* of a nexus that is registered */
	n = spec_list(list, 1, 2, 0, nobody);
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER, 0, list, n), PRT_CHECK);
	ck_assert_uint_eq(prt.sense.asc, ASC_INVALID_FIELD_IN_LIST);
	prt_end();

	prt_begin(8);
	n = spec_list(list, 0, 1, 0, twice);
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER, 0, list, n), PRT_GOOD);
	ck_assert_uint_eq(prt.pr->n, 2);
	prt_end();

	prt_begin(8);
	n = spec_list(list, 0, 1, 0, nobody);
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER, 0, list, n), PRT_GOOD);
	ck_assert_uint_eq(prt.pr->n, 1);
	prt_end();

	prt_begin(8);
	n = spec_list(list, 0, 1, PRT_ALL_TG_PT, both + 1);
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER, 0, list, n), PRT_GOOD);
	ck_assert_uint_eq(prt.pr->n, 8);
	ck_assert_uint_eq(prt_key(C + 30), 1);
	prt_end();

	prt_begin(7);	/* one too few: nobody is registered */
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER, 0, list, n), PRT_CHECK);
	ck_assert_uint_eq(prt.sense.asc, ASC_REGISTRATION_RESOURCES);
	ck_assert_uint_eq(prt.pr->n, 0);
	prt_end();
}
END_TEST

/* an iSCSI name alone: all its ports that are known, or itself */
START_TEST(named_devices)
{
	struct lu_initiator name, other;
	uint8_t list[400];
	struct pr_nexus nexus = { 0 };
	static const uint8_t isid[LU_ISID_LEN] = { 1 };
	size_t n = PR_LIST_LEN + 4;

	prt_begin(8);
	ck_assert_int_eq(lu_initiator_iscsi(&name, "iqn.2026-11.test:b"), 0);
	ck_assert_int_eq(lu_initiator_isid(&other, "iqn.2026-11.test:b", isid), 0);
	prt.peers[prt.n_peers++] = prt_initiator(B);
	prt.peers[prt.n_peers++] = prt_initiator(C);
	prt.peers[prt.n_peers++] = &other;
	prt_list(list, 0, 1, PRT_SPEC_I_PT);
	be32_put(list + PR_LIST_LEN, name.id_len);
	memcpy(list + n, name.id, name.id_len);
	n += name.id_len;
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER, 0, list, n), PRT_GOOD);
	ck_assert_uint_eq(prt.pr->n, 3);
	ck_assert_uint_eq(prt_key(B), 1);
	pr_nexus_set(&nexus, &other, 1);
	ck_assert_uint_ne(pr_find(prt.pr, &nexus), PR_NOBODY);
	prt_end();

	prt_begin(8);
	ck_assert_uint_eq(prt_out_list(A, PR_REGISTER, 0, list, n), PRT_GOOD);
	pr_nexus_set(&nexus, &name, 1);
	ck_assert_uint_eq(pr_find(prt.pr, &nexus), 1);
	prt_end();
}
END_TEST

START_TEST(limit)
{
	prt_begin(3);
	for (int who = 0; who < 3; who++)
		ck_assert_uint_eq(reg(who, 0, 1, 0), PRT_GOOD);
	ck_assert_uint_eq(reg(3, 0, 1, 0), PRT_CHECK);
	ck_assert_uint_eq(prt.sense.key, SENSE_ILLEGAL_REQUEST);
	ck_assert_uint_eq(prt.sense.asc, ASC_REGISTRATION_RESOURCES);
	ck_assert_uint_eq(prt.pr->n, 3);
	ck_assert_uint_eq(prt.pr->generation, 3);
	/* who is in may change its key */
	ck_assert_uint_eq(reg(2, 1, 2, 0), PRT_GOOD);
	ck_assert_uint_eq(reg(0, 1, 0, 0), PRT_GOOD);
	ck_assert_uint_eq(reg(3, 0, 1, 0), PRT_GOOD);
	ck_assert_uint_eq(reg(0, 0, 1, 0), PRT_CHECK);
	ck_assert_uint_eq(prt_out(0, PR_REGISTER_AND_IGNORE, 0, 0, 1, 0), PRT_CHECK);
	prt_end();
}
END_TEST

static void
register_nth(uint32_t i, uint8_t want)
{
	struct lu_initiator id;
	struct pr_nexus nexus = { 0 };
	struct pr_world world = { NULL, 0, NULL, 0 };
	uint8_t list[PR_LIST_LEN];
	struct pr_request req = { .nexus = &nexus, .world = &world, .list = list,
		.list_len = sizeof(list), .action = PR_REGISTER };
	struct pr_result result;

	lu_initiator_sas(&id, 0x5000c50000000000u + i);
	pr_nexus_set(&nexus, &id, 1);
	prt_list(list, 0, i + 1, 0);
	ck_assert_int_eq(pr_out(prt.pr, &req, &result), 0);
	ck_assert_uint_eq(result.status, want);
	if (result.next != NULL) {
		pr_free(prt.pr);
		prt.pr = STEAL(result.next);
	}
	pr_result_fini(&result);
}

START_TEST(default_limit)
{
	prt_begin(PR_LIMIT_DEFAULT);
	for (uint32_t i = 0; i < PR_LIMIT_DEFAULT; i++)
		register_nth(i, PRT_GOOD);
	ck_assert_uint_eq(prt.pr->n, PR_LIMIT_DEFAULT);
	register_nth(PR_LIMIT_DEFAULT, PRT_CHECK);
	ck_assert_uint_eq(prt.pr->n, PR_LIMIT_DEFAULT);
	prt_check();
	prt_end();
}
END_TEST

/* the last valid APTPL counts, for all (SPC-4 5.12.5) */
START_TEST(persistence)
{
	prt_begin(8);
	ck_assert_uint_eq(reg(A, 0, 1, 0), PRT_GOOD);
	ck_assert(!prt.is_save_due && !prt.pr->is_aptpl);
	ck_assert_uint_eq(reg(B, 0, 2, PRT_APTPL), PRT_GOOD);
	ck_assert(prt.is_save_due && prt.pr->is_aptpl);
	/* commands in which APTPL is not valid do not change it */
	ck_assert_uint_eq(prt_out(A, PR_RESERVE, PR_WE, 1, 0, 0), PRT_GOOD);
	ck_assert(prt.is_save_due && prt.pr->is_aptpl);
	ck_assert_uint_eq(prt_out(A, PR_RESERVE, PR_WE, 1, 0, 0), PRT_GOOD);
	ck_assert(!prt.is_changed && !prt.is_save_due);
	ck_assert_uint_eq(prt_out(A, PR_RELEASE, PR_WE, 1, 0, PRT_APTPL), PRT_GOOD);
	ck_assert(prt.is_save_due);
	/* nothing done, nothing changed */
	ck_assert_uint_eq(reg(C, 0, 0, 0), PRT_GOOD);
	ck_assert(prt.pr->is_aptpl);
	/* it ends: the predecessor must go */
	ck_assert_uint_eq(reg(A, 1, 1, 0), PRT_GOOD);
	ck_assert(prt.is_save_due && !prt.pr->is_aptpl);
	ck_assert_uint_eq(reg(A, 1, 1, 0), PRT_GOOD);
	ck_assert(!prt.is_save_due);
	prt_end();

	prt_begin(8);
	prt.can_persist = false;
	ck_assert_uint_eq(reg(A, 0, 1, PRT_APTPL), PRT_CHECK);
	ck_assert_uint_eq(prt.sense.asc, ASC_INVALID_FIELD_IN_LIST);
	ck_assert_uint_eq(prt.sense.sks_value, 20);
	ck_assert_uint_eq(prt.sense.sks_bit, 0);
	ck_assert_uint_eq(prt_out(A, PR_REGISTER_AND_IGNORE, 0, 0, 1, PRT_APTPL), PRT_CHECK);
	ck_assert_uint_eq(prt.pr->n, 0);
	ck_assert_uint_eq(reg(A, 0, 1, 0), PRT_GOOD);
	/* where it is not valid it is not looked at */
	ck_assert_uint_eq(prt_out(A, PR_RESERVE, PR_WE, 1, 0, PRT_APTPL), PRT_GOOD);
	prt_end();
}
END_TEST

CHECK_MAIN("pr_register", the_table, ignoring_the_key, who_is_who, the_holder_unregisters,
    a_new_key_keeps_the_reservation, all_target_ports, all_target_ports_release,
    named_initiators, named_devices, limit, default_limit, persistence)
