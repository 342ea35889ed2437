/*
 * lu/pr_impl.h - the inside of the machine of persistent reservations
 *
 * What      Calls between pr.c (states), pr_out.c (service actions), pr_transport.c (the
 *           nexuses that TransportIDs and port bits name), pr_in.c and pr_save.c (bytes).
 * Thread    as pr.h
 */
#ifndef LU_PR_IMPL_H
#define LU_PR_IMPL_H

#include "lu/pr.h"

/* parameter list of REGISTER AND MOVE and of all others (SPC-4 6.16.3, 6.16.4) */
#define PR_AT_KEY		0
#define PR_AT_SA_KEY		8
#define PR_AT_MOVE_FLAGS	17
#define PR_AT_MOVE_PORT		18
#define PR_AT_MOVE_IDS		20	/* length of the TransportID */
#define PR_AT_FLAGS		20
#define PR_AT_IDS		24	/* length of the TransportIDs, with SPEC_I_PT */

#define PR_F_SPEC_I_PT		0x08
#define PR_F_ALL_TG_PT		0x04
#define PR_F_APTPL		0x01
#define PR_MOVE_F_UNREG		0x02
#define PR_MOVE_F_APTPL		0x01

/* a command at work. While it is, a registration of next that is gone has key 0 and keeps its
 * place, so that an index means the same in both states; new ones stand behind */
struct pr_op {
	const struct pr *now;
	const struct pr_request *req;
	struct pr_result *ret;
	struct pr *next;		/* a copy of now, changed by the service action */
	struct pr_effect *effects;	/* now->n of them, one a registration */
	uint32_t self;			/* index of the nexus that asks, or PR_NOBODY */
	uint64_t key, sa_key;		/* RESERVATION KEY, SERVICE ACTION RESERVATION KEY */
	uint8_t flags;			/* of the parameter list */
	bool is_changed;		/* next is to be kept */
};

/* pr.c: @room registrations; a copy with room for @more. NULL: no memory */
struct pr *pr_alloc(uint32_t limit, uint32_t room);
struct pr *pr_copy(const struct pr *pr, uint32_t more);

/* pr_out.c: the outcome is an error */
void pr_op_status(struct pr_op *op, uint8_t status);
void pr_op_check(struct pr_op *op, uint16_t asc);
void pr_op_bad_list(struct pr_op *op, size_t byte, int bit);

/* pr_add() - register @nexus with @key in op->next, which may move; 0, -ENOSPC at the limit,
 * -ENOMEM */
int pr_add(struct pr_op *op, const struct pr_nexus *nexus, uint64_t key) MUST_CHECK;

/**
 * pr_ids_check() - are the TransportIDs of a parameter list whole and known kinds?
 *
 * @at       where they begin; their length stands in the four bytes before
 *
 * Returns:  true; else the outcome of @op is set
 */
bool pr_ids_check(struct pr_op *op, size_t at);

/* pr_ids_register() - REGISTER: the nexus that asks, those that SPEC_I_PT names, and all of
 * them on every port with ALL_TG_PT get op->sa_key, unless they are registered. 0 or as
 * pr_add() */
int pr_ids_register(struct pr_op *op) MUST_CHECK;

/* pr_id_destination() - the nexus of REGISTER AND MOVE; false: the outcome of @op is set */
bool pr_id_destination(struct pr_op *op, struct pr_nexus *ret);

/* pr_port_is_wanted() - does ALL_TG_PT of the nexus that asks reach port @rtpi? Its own is left
 * out, and the local port has only local initiators */
bool pr_port_is_wanted(const struct pr_op *op, uint16_t rtpi);

#endif /* LU_PR_IMPL_H */
