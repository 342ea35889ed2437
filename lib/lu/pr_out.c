/* PERSISTENT RESERVE OUT: one function a service action (lu/pr.h) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "lu/pr_impl.h"
#include "scsi/status.h"

#define CDB_ACTION	1
#define CDB_TYPE	2
#define SCOPE_LU	0

/* ------ outcomes ------ */

void
pr_op_status(struct pr_op *op, uint8_t status)
{
	op->ret->status = status;
}

void
pr_op_check(struct pr_op *op, uint16_t asc)
{
	op->ret->status = SAM_STAT_CHECK_CONDITION;
	op->ret->sense = sense_make(SENSE_ILLEGAL_REQUEST, asc);
}

void
pr_op_bad_list(struct pr_op *op, size_t byte, int bit)
{
	op->ret->status = SAM_STAT_CHECK_CONDITION;
	op->ret->sense = sense_invalid_field_list((uint16_t)byte, bit);
}

static int
op_conflict(struct pr_op *op)
{
	pr_op_status(op, SAM_STAT_RESERVATION_CONFLICT);
	return 0;
}

static int
op_bad_cdb(struct pr_op *op, uint16_t byte, int bit)
{
	op->ret->status = SAM_STAT_CHECK_CONDITION;
	op->ret->sense = sense_invalid_field_cdb(byte, bit);
	return 0;
}

/* of pr_add(): no room is an outcome, no memory is none */
static int
op_no_room(struct pr_op *op, int r)
{
	if (r != -ENOSPC)
		return r;
	pr_op_check(op, ASC_REGISTRATION_RESOURCES);
	return 0;
}

/* ------ changing the next state ------ */

static uint32_t
live_count(const struct pr *pr)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < pr->n; i++)
		n += pr->regs[i].key != 0;
	return n;
}

int
pr_add(struct pr_op *op, const struct pr_nexus *nexus, uint64_t key)
{
	struct pr *next = op->next;

	if (live_count(next) >= next->limit)
		return -ENOSPC;
	if (next->n == next->room) {
		next = pr_copy(op->next, op->next->n / 2 + 4);
		if (next == NULL)
			return -ENOMEM;
		pr_free(op->next);
		op->next = next;
	}
	next->regs[next->n++] = (struct pr_reg){ .key = key, .nexus = *nexus };
	return 0;
}

static void
reservation_end(struct pr *next)
{
	next->type = PR_NONE;
	next->holder = PR_NOBODY;
}

/* a registration goes, and with its holder the reservation (SPC-4 5.12.11.2.3) */
static void
reg_remove(struct pr_op *op, uint32_t i)
{
	struct pr *next = op->next;

	next->regs[i].key = 0;
	if (next->holder == i || (pr_type_is_all(next->type) && live_count(next) == 0))
		reservation_end(next);
}

static void
tell(struct pr_op *op, uint32_t i, uint16_t asc)
{
	if (i != op->self)
		op->effects[i].asc = asc;
}

/* unit attention for everyone who is still registered */
static void
tell_registered(struct pr_op *op, uint16_t asc)
{
	for (uint32_t i = 0; i < op->now->n; i++)
		if (op->next->regs[i].key != 0)
			tell(op, i, asc);
}

/* may the command come from this nexus with this key? Else it has ended */
static bool
key_fits(struct pr_op *op)
{
	if (op->self != PR_NOBODY && op->now->regs[op->self].key == op->key)
		return true;
	(void)op_conflict(op);
	return false;
}

/* ------ REGISTER, REGISTER AND IGNORE EXISTING KEY (SPC-4 5.12.7) ------ */

static void
register_done(struct pr_op *op)
{
	op->next->generation++;
	op->next->is_aptpl = (op->flags & PR_F_APTPL) != 0;
	op->is_changed = true;
}

static int
register_new(struct pr_op *op)
{
	int r;

	if (op->sa_key == 0)
		return 0;
	r = pr_ids_register(op);
	if (r < 0)
		return op_no_room(op, r);
	register_done(op);
	return 0;
}

/* the registration of the same initiator through another port, or PR_NOBODY */
static uint32_t
register_other_port(const struct pr_op *op, uint16_t rtpi)
{
	struct pr_nexus nexus = *op->req->nexus;

	nexus.rtpi = rtpi;
	return pr_port_is_wanted(op, rtpi) ? pr_find(op->next, &nexus) : PR_NOBODY;
}

static void
unregister(struct pr_op *op)
{
	uint8_t type = op->now->type;
	const struct pr_world *world = op->req->world;

	reg_remove(op, op->self);
	for (size_t p = 0; (op->flags & PR_F_ALL_TG_PT) != 0 && p < world->n_ports; p++) {
		uint32_t i = register_other_port(op, world->ports[p]);

		if (i != PR_NOBODY)
			reg_remove(op, i);
	}
	/* the holder has left: SPC-4 5.12.11.2.3 */
	if (type != PR_NONE && op->next->type == PR_NONE && pr_type_has_registrants(type))
		tell_registered(op, ASC_RESERVATIONS_RELEASED);
}

static int
register_again(struct pr_op *op)
{
	const struct pr_world *world = op->req->world;
	int r = 0;

	if (op->sa_key == 0) {
		unregister(op);
	} else {
		op->next->regs[op->self].key = op->sa_key;
		for (size_t p = 0; (op->flags & PR_F_ALL_TG_PT) != 0 && p < world->n_ports; p++) {
			uint32_t i = register_other_port(op, world->ports[p]);

			if (i != PR_NOBODY)
				op->next->regs[i].key = op->sa_key;
		}
		r = pr_ids_register(op);
	}
	if (r < 0)
		return op_no_room(op, r);
	register_done(op);
	return 0;
}

/* ALL_TG_PT: is the initiator registered through another port with a key it has not named? */
static bool
register_is_torn(const struct pr_op *op)
{
	const struct pr_world *world = op->req->world;

	for (size_t p = 0; (op->flags & PR_F_ALL_TG_PT) != 0 && p < world->n_ports; p++) {
		uint32_t i = register_other_port(op, world->ports[p]);

		if (i != PR_NOBODY && op->now->regs[i].key != op->key)
			return true;
	}
	return false;
}

static int
out_register(struct pr_op *op)
{
	bool is_new = op->self == PR_NOBODY;
	uint64_t key = is_new ? 0 : op->now->regs[op->self].key;

	if (op->key != key || register_is_torn(op))
		return op_conflict(op);
	if (is_new)
		return register_new(op);
	/* SPC-4 table 44 */
	if ((op->flags & PR_F_SPEC_I_PT) != 0) {
		pr_op_bad_list(op, PR_AT_FLAGS, 3);
		return 0;
	}
	return register_again(op);
}

static int
out_register_ignore(struct pr_op *op)
{
	return op->self == PR_NOBODY ? register_new(op) : register_again(op);
}

/* ------ RESERVE, RELEASE, CLEAR ------ */

static int
out_reserve(struct pr_op *op)
{
	const struct pr_request *req = op->req;

	if (!key_fits(op))
		return 0;
	if (req->scope != SCOPE_LU)
		return op_bad_cdb(op, CDB_TYPE, 7);
	if (!pr_type_is_valid(req->type))
		return op_bad_cdb(op, CDB_TYPE, 3);
	if (op->now->type != PR_NONE) {
		/* the holder may say it again, but not change it (SPC-4 5.12.9) */
		if (!pr_is_holder(op->now, op->self) || req->type != op->now->type)
			return op_conflict(op);
		return 0;
	}
	op->next->type = req->type;
	op->next->holder = pr_type_is_all(req->type) ? PR_NOBODY : op->self;
	op->is_changed = true;
	return 0;
}

static int
out_release(struct pr_op *op)
{
	const struct pr_request *req = op->req;

	if (!key_fits(op) || !pr_is_holder(op->now, op->self))
		return 0;
	if (req->scope != SCOPE_LU || req->type != op->now->type) {
		pr_op_check(op, ASC_INVALID_RELEASE);
		return 0;
	}
	reservation_end(op->next);
	if (pr_type_has_registrants(op->now->type))
		tell_registered(op, ASC_RESERVATIONS_RELEASED);
	op->is_changed = true;
	return 0;
}

static int
out_clear(struct pr_op *op)
{
	if (!key_fits(op))
		return 0;
	tell_registered(op, ASC_RESERVATIONS_PREEMPTED);
	for (uint32_t i = 0; i < op->now->n; i++)
		reg_remove(op, i);
	op->next->generation++;
	op->is_changed = true;
	return 0;
}

/* ------ PREEMPT, PREEMPT AND ABORT (SPC-4 5.12.11.4) ------ */

/* registrations with SERVICE ACTION RESERVATION KEY, or all; how many. @spare stays */
static uint32_t
preempt_registrations(struct pr_op *op, bool is_all, uint32_t spare)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < op->now->n; i++) {
		if (i == spare || (!is_all && op->now->regs[i].key != op->sa_key))
			continue;
		reg_remove(op, i);
		tell(op, i, ASC_REGISTRATIONS_PREEMPTED);
		if (i != op->self)
			op->effects[i].is_abort =
			    op->req->action == PR_PREEMPT_AND_ABORT;
		n++;
	}
	return n;
}

static int
preempt_reservation(struct pr_op *op)
{
	const struct pr_request *req = op->req;
	uint8_t type = op->now->type;

	if (req->scope != SCOPE_LU)
		return op_bad_cdb(op, CDB_TYPE, 7);
	if (!pr_type_is_valid(req->type))
		return op_bad_cdb(op, CDB_TYPE, 3);
	(void)preempt_registrations(op, pr_type_is_all(type), op->self);
	op->next->type = req->type;
	op->next->holder = pr_type_is_all(req->type) ? PR_NOBODY : op->self;
	if (type != req->type)
		tell_registered(op, ASC_RESERVATIONS_RELEASED);
	return 0;
}

static int
out_preempt(struct pr_op *op)
{
	const struct pr *now = op->now;
	bool is_all = pr_type_is_all(now->type);
	bool is_reservation;
	int r = 0;

	if (!key_fits(op))
		return 0;
	if (op->sa_key == 0 && !is_all) {
		pr_op_bad_list(op, PR_AT_SA_KEY, -1);
		return 0;
	}
	is_reservation = is_all ? op->sa_key == 0 :
	    now->type != PR_NONE && now->regs[now->holder].key == op->sa_key;
	if (is_reservation)
		r = preempt_reservation(op);
	else if (preempt_registrations(op, false, PR_NOBODY) == 0)
		return op_conflict(op);
	if (r < 0 || op->ret->status != SAM_STAT_GOOD)
		return r;
	op->next->generation++;
	op->is_changed = true;
	return 0;
}

/* ------ REGISTER AND MOVE (SPC-4 5.12.8) ------ */

static int
move_to(struct pr_op *op, const struct pr_nexus *nexus)
{
	uint32_t to = pr_find(op->next, nexus);
	int r;

	if (to == PR_NOBODY) {
		to = op->next->n;
		r = pr_add(op, nexus, op->sa_key);
		if (r < 0)
			return op_no_room(op, r);
	}
	op->next->regs[to].key = op->sa_key;
	op->next->holder = to;
	if ((op->flags & PR_MOVE_F_UNREG) != 0)
		reg_remove(op, op->self);
	op->next->generation++;
	op->next->is_aptpl = (op->flags & PR_MOVE_F_APTPL) != 0;
	op->is_changed = true;
	return 0;
}

static int
out_move(struct pr_op *op)
{
	struct pr_nexus to;

	if (!key_fits(op))
		return 0;
	if (op->now->holder != op->self)	/* also: all registrants, or no reservation */
		return op_conflict(op);
	if (op->sa_key == 0) {
		pr_op_bad_list(op, PR_AT_SA_KEY, -1);
		return 0;
	}
	return pr_id_destination(op, &to) ? move_to(op, &to) : 0;
}

/* ------ the parameter list ------ */

static bool
list_check_move(struct pr_op *op)
{
	const struct pr_request *req = op->req;

	op->flags = req->list[PR_AT_MOVE_FLAGS];
	if ((op->flags & ~(PR_MOVE_F_UNREG | PR_MOVE_F_APTPL)) != 0)
		pr_op_bad_list(op, PR_AT_MOVE_FLAGS, -1);
	else if ((op->flags & PR_MOVE_F_APTPL) != 0 && !req->can_persist)
		pr_op_bad_list(op, PR_AT_MOVE_FLAGS, 0);
	else
		return pr_ids_check(op, PR_AT_MOVE_IDS + 4);
	return false;
}

static bool
action_registers(uint8_t action)
{
	return action == PR_REGISTER || action == PR_REGISTER_AND_IGNORE;
}

static bool
list_check(struct pr_op *op)
{
	const struct pr_request *req = op->req;

	if (req->list_len < PR_LIST_LEN || req->list_len > PR_LIST_MAX) {
		pr_op_check(op, ASC_PARAMETER_LIST_LENGTH);
		return false;
	}
	op->key = be64_get(req->list + PR_AT_KEY);
	op->sa_key = be64_get(req->list + PR_AT_SA_KEY);
	if (req->action == PR_REGISTER_AND_MOVE)
		return list_check_move(op);
	op->flags = req->list[PR_AT_FLAGS];
	if ((op->flags & ~(PR_F_SPEC_I_PT | PR_F_ALL_TG_PT | PR_F_APTPL)) != 0)
		pr_op_bad_list(op, PR_AT_FLAGS, -1);
	else if ((op->flags & PR_F_SPEC_I_PT) != 0 && req->action != PR_REGISTER)
		pr_op_bad_list(op, PR_AT_FLAGS, 3);
	else if ((op->flags & PR_F_APTPL) != 0 && action_registers(req->action) &&
	    !req->can_persist)
		pr_op_bad_list(op, PR_AT_FLAGS, 0);
	else if ((op->flags & PR_F_SPEC_I_PT) != 0)
		return pr_ids_check(op, PR_AT_IDS + 4);
	else if (req->list_len != PR_LIST_LEN)
		pr_op_check(op, ASC_PARAMETER_LIST_LENGTH);
	else
		return true;
	return false;
}

/* ------ all of it ------ */

static int (*const actions[])(struct pr_op *op) = {
	[PR_REGISTER]            = out_register,
	[PR_RESERVE]             = out_reserve,
	[PR_RELEASE]             = out_release,
	[PR_CLEAR]               = out_clear,
	[PR_PREEMPT]             = out_preempt,
	[PR_PREEMPT_AND_ABORT]   = out_preempt,
	[PR_REGISTER_AND_IGNORE] = out_register_ignore,
	[PR_REGISTER_AND_MOVE]   = out_move,
};

/* close the gaps that registrations left */
static void
next_compact(struct pr *next)
{
	uint32_t to = 0;

	for (uint32_t i = 0; i < next->n; i++) {
		if (next->regs[i].key == 0)
			continue;
		if (next->holder == i)
			next->holder = to;
		if (to != i)
			next->regs[to] = next->regs[i];
		to++;
	}
	next->n = to;
}

static void
result_take(struct pr_op *op)
{
	struct pr_result *ret = op->ret;

	if (!op->is_changed)
		return;
	next_compact(op->next);
	ret->next = STEAL(op->next);
	ret->is_save_due = op->now->is_aptpl || ret->next->is_aptpl;
	ret->effects = STEAL(op->effects);
	for (uint32_t i = 0; i < op->now->n; i++)
		if (ret->effects[i].asc != 0 || ret->effects[i].is_abort) {
			ret->effects[ret->n_effects] = ret->effects[i];
			ret->effects[ret->n_effects++].reg = i;
		}
}

static int
op_begin(struct pr_op *op)
{
	op->self = pr_find(op->now, op->req->nexus);
	op->next = pr_copy(op->now, 1);
	op->effects = fault_hit() ? NULL : calloc(op->now->n + 1, sizeof(op->effects[0]));
	return op->next == NULL || op->effects == NULL ? -ENOMEM : 0;
}

static int
op_run(struct pr_op *op)
{
	int r;

	if (op->req->action >= ARRAY_LEN(actions))
		return op_bad_cdb(op, CDB_ACTION, 4);
	if (!list_check(op))
		return 0;
	r = op_begin(op);
	return r < 0 ? r : actions[op->req->action](op);
}

int
pr_out(const struct pr *now, const struct pr_request *req, struct pr_result *ret)
{
	struct pr_result result = { .status = SAM_STAT_GOOD };
	struct pr_op op = { .now = now, .req = req, .ret = &result };
	int r = op_run(&op);

	if (r == 0) {
		result_take(&op);
		*ret = result;
	}
	pr_free(op.next);
	free(op.effects);
	return r;
}

void
pr_result_fini(struct pr_result *result)
{
	pr_free(STEAL(result->next));
	free(STEAL(result->effects));
	result->n_effects = 0;
}
