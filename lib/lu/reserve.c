/* reservations of a unit: who is what, what conflicts, RESERVE, RELEASE, PERSISTENT RESERVE IN */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "lu/local.h"
#include "lu/port.h"
#include "lu/reserve_impl.h"
#include "scsi/status.h"

#define RESERVE_3RDPTY	4	/* bits of byte 1 (SPC-2 7.22) */
#define RESERVE_LONGID	1

/* something has changed: is there anything at all that could stop a command? */
static void
reserve_note(struct lu *lu)
{
	const struct lu_reservations *res = lu->reservations;

	lu->is_reserved = res->is_reserved || res->pr->type != PR_NONE;
}

int
lu_reserve_init(struct lu *lu)
{
	struct lu_reservations *res = fault_hit() ? NULL : calloc(1, sizeof(*res));
	int r;

	if (res == NULL)
		return -ENOMEM;
	STAILQ_INIT(&res->outs);
	r = reserve_keep_open(lu, &res->keep, &res->pr);
	if (r < 0) {
		free(res);
		return r;
	}
	lu->reservations = res;
	reserve_note(lu);
	return 0;
}

/* ------ who is what ------ */

struct pr_nexus
reserve_nexus(const struct lu_nexus *nexus)
{
	struct pr_nexus ret;

	pr_nexus_set(&ret, nexus->initiator, lu_port_or_local(nexus->port)->rtpi);
	return ret;
}

static void
nexus_refresh(const struct lu_reservations *res, struct lu_nexus *nexus)
{
	struct pr_nexus who;
	uint32_t i;

	nexus->reserve &= (uint8_t)~(LU_RESERVE_REGISTERED | LU_RESERVE_HOLDER);
	if (res->pr->n == 0)
		return;
	who = reserve_nexus(nexus);
	i = pr_find(res->pr, &who);
	if (i != PR_NOBODY)
		nexus->reserve |= LU_RESERVE_REGISTERED;
	if (pr_is_holder(res->pr, i))
		nexus->reserve |= LU_RESERVE_HOLDER;
}

void
reserve_refresh(struct lu *lu)
{
	struct lu_nexus *nexus;

	LIST_FOREACH(nexus, &lu->nexuses, entry)
		nexus_refresh(lu->reservations, nexus);
	reserve_note(lu);
}

/* of one that left, too: until its last command has ended it has reserved the unit */
void
lu_reserve_nexus_came(struct lu *lu, struct lu_nexus *nexus)
{
	const struct lu_nexus *other;

	nexus->reserve = 0;
	LIST_FOREACH(other, &lu->nexuses, entry) {
		if (other != nexus && lu_nexus_is_same(other, nexus))
			nexus->reserve |= other->reserve & LU_RESERVE_OWNER;
	}
	if (lu->reservations != NULL)
		nexus_refresh(lu->reservations, nexus);
}

/* ------ RESERVE ends ------ */

static void
reserved_end(struct lu *lu)
{
	struct lu_nexus *nexus;

	lu->reservations->is_reserved = false;
	reserve_note(lu);
	LIST_FOREACH(nexus, &lu->nexuses, entry)
		nexus->reserve &= (uint8_t)~LU_RESERVE_OWNER;
}

void
lu_reserve_nexus_lost(struct lu *lu, struct lu_nexus *nexus)
{
	if ((nexus->reserve & LU_RESERVE_OWNER) != 0)
		reserved_end(lu);
}

void
lu_reserve_reset(struct lu *lu)
{
	if (lu->reservations != NULL && lu->reservations->is_reserved)
		reserved_end(lu);
}

void
lu_reserve_fini(struct lu *lu)
{
	struct lu_reservations *res = lu->reservations;

	if (res == NULL)
		return;
	lu_reserve_reset(lu);
	lu->reservations = NULL;
	lu->is_reserved = false;
	reserve_keep_close(res->keep, res->pr);
	free(res);
}

void
lu_reserve_forget(void)
{
	reserve_keep_forget();
}

/* ------ conflicts ------ */

static enum conflict_column
column_of(uint8_t type, bool is_registered)
{
	bool is_exclusive = pr_type_is_exclusive(type);

	if (!pr_type_has_registrants(type))
		return is_exclusive ? CONFLICT_EA : CONFLICT_WE;
	if (is_registered)
		return is_exclusive ? CONFLICT_ER_REGISTERED : CONFLICT_WR_REGISTERED;
	return is_exclusive ? CONFLICT_ER_OTHER : CONFLICT_WR_OTHER;
}

bool
lu_reserve_conflicts(const struct lu *lu, const struct lu_nexus *nexus,
    const struct op_info *op, const uint8_t *cdb)
{
	const struct lu_reservations *res = lu->reservations;
	uint8_t type = res->pr->type;

	if (!lu->is_reserved)
		return false;
	if (res->is_reserved)
		return (nexus->reserve & LU_RESERVE_OWNER) == 0 &&
		    !conflict_allows(op, cdb, CONFLICT_RESERVED);
	if ((nexus->reserve & LU_RESERVE_HOLDER) != 0)
		return false;
	return !conflict_allows(op, cdb, column_of(type,
	    (nexus->reserve & LU_RESERVE_REGISTERED) != 0));
}

/* ------ RESERVE, RELEASE ------ */

static void
end_conflict(struct lu_task *task)
{
	lu_local_status(task, SAM_STAT_RESERVATION_CONFLICT);
}

/* third parties and extents: gone since SPC-2. True: the task has ended */
static bool
is_third_party(struct lu_task *task)
{
	uint8_t bits = task->op->id == OP_RESERVE_10 || task->op->id == OP_RELEASE_10 ?
	    task->cdb[1] : 0;

	if ((bits & 1u << RESERVE_3RDPTY) != 0)
		lu_local_bad_cdb(task, 1, RESERVE_3RDPTY);
	else if ((bits & 1u << RESERVE_LONGID) != 0)
		lu_local_bad_cdb(task, 1, RESERVE_LONGID);
	else
		return false;
	return true;
}

/* compatible reservation handling (SPC-4 5.12.3). True: the task has ended */
static bool
is_persistent_matter(const struct lu_reservations *res, struct lu_task *task)
{
	uint8_t is = task->nexus->reserve;

	if (res->pr->n == 0 && res->pr->type == PR_NONE)
		return false;
	if ((is & LU_RESERVE_HOLDER) != 0 || ((is & LU_RESERVE_REGISTERED) != 0 &&
	    pr_type_has_registrants(res->pr->type)))
		lu_local_good(task);
	else
		end_conflict(task);
	return true;
}

void
lu_reserve_reserve(struct lu *lu, struct lu_task *task)
{
	struct lu_reservations *res = lu->reservations;
	struct lu_nexus *nexus;

	if (is_third_party(task) || is_persistent_matter(res, task))
		return;
	/* one that was reserved by another meanwhile, while this task was held */
	if (res->is_reserved && (task->nexus->reserve & LU_RESERVE_OWNER) == 0) {
		end_conflict(task);
		return;
	}
	/* its nexus has left while the task was on its way: nobody would release it */
	if (!task->nexus->is_gone) {
		res->is_reserved = true;
		reserve_note(lu);
		LIST_FOREACH(nexus, &lu->nexuses, entry)
			if (lu_nexus_is_same(nexus, task->nexus))
				nexus->reserve |= LU_RESERVE_OWNER;
	}
	lu_local_good(task);
}

void
lu_reserve_release(struct lu *lu, struct lu_task *task)
{
	if (is_third_party(task) || is_persistent_matter(lu->reservations, task))
		return;
	if ((task->nexus->reserve & LU_RESERVE_OWNER) != 0)
		reserved_end(lu);
	lu_local_good(task);
}

/* ------ PERSISTENT RESERVE IN ------ */

static size_t
in_fill(const struct lu_reservations *res, enum op_id id, void *buf)
{
	if (id == OP_PRIN_READ_KEYS)
		return pr_in_keys(res->pr, buf);
	if (id == OP_PRIN_READ_RESERVATION)
		return pr_in_reservation(res->pr, buf);
	if (id == OP_PRIN_REPORT_CAPABILITIES)
		return pr_in_capabilities(res->pr, reserve_keep_saves(res->keep), buf);
	return pr_in_full_status(res->pr, buf);
}

void
lu_reserve_pr_in(struct lu *lu, struct lu_task *task)
{
	const struct lu_reservations *res = lu->reservations;
	CLEANUP(free_ptr) void *buf = NULL;
	size_t len;

	/* SPC-2 5.5.1: regardless of initiator */
	if (res->is_reserved) {
		end_conflict(task);
		return;
	}
	buf = fault_hit() ? NULL : malloc(pr_in_room(res->pr));
	if (buf == NULL) {
		lu_local_no_room(task);
		return;
	}
	len = in_fill(res, task->op->id, buf);
	lu_local_reply(task, buf, len, be16_get(task->cdb + 7));
}
