/*
 * PERSISTENT RESERVE OUT at a unit: one after the other; saved before it counts; then told to
 * the nexuses it concerns (lu/reserve.h)
 *
 *	wait --> decide --> (save) --> in force, unit attentions --> (abort tasks) --> answered
 *	           |           |
 *	           +-----------+--> answered: refused, nothing has changed
 */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "base/log.h"
#include "lu/local.h"
#include "lu/port.h"
#include "lu/reserve_impl.h"
#include "scsi/status.h"

struct out_abort {
	struct lu_tmf tmf;
	struct reserve_out *out;
};

struct reserve_out {
	STAILQ_ENTRY(reserve_out) entry;
	struct lu_task *task;
	struct lu *lu;
	struct pr_result result;
	struct lu_job job;
	const struct reserve_keep *keep;
	void *image;			/* to save; NULL: nothing is to be kept any more */
	size_t image_len;
	void *old_image;		/* the same for the state before */
	size_t old_len;
	struct out_abort *aborts;	/* n_aborts of them */
	size_t n_aborts, n_left;	/* left: those at work */
	size_t list_len;
	uint8_t list[];
};

static void outs_run(struct lu *lu);

static void
out_free(struct reserve_out *out)
{
	pr_result_fini(&out->result);
	free(out->image);
	free(out->old_image);
	free(out->aborts);
	free(out);
}

/* the first one has been answered */
static void
out_done(struct reserve_out *out)
{
	struct lu_reservations *res = out->lu->reservations;

	STAILQ_REMOVE_HEAD(&res->outs, entry);
	res->is_running = false;
	out_free(out);
}

/* ------ aborting the tasks of who was preempted ------ */

static bool out_abort_next(struct reserve_out *out);

static void
out_aborted(struct lu_tmf *tmf)
{
	struct reserve_out *out = container_of(tmf, struct out_abort, tmf)->out;
	struct lu *lu = out->lu;

	if (--out->n_left > 0 || out_abort_next(out))
		return;
	lu_local_good(out->task);
	out_done(out);
	outs_run(lu);
}

/* what waits behind us and is to end would make the abort wait for us */
static void
outs_drop_aborted(struct lu_reservations *res)
{
	struct reserve_out *out = STAILQ_FIRST(&res->outs), *next;

	for (out = STAILQ_NEXT(out, entry); out != NULL; out = next) {
		next = STAILQ_NEXT(out, entry);
		if (!lu_local_is_aborted(out->task))
			continue;
		STAILQ_REMOVE(&res->outs, out, reserve_out, entry);
		lu_local_aborted(out->task);
		out_free(out);
	}
}

/* as many nexuses as there is room for; false: none is left */
static bool
out_abort_next(struct reserve_out *out)
{
	struct lu_nexus *nexus;
	size_t n = 0;

	LIST_FOREACH(nexus, &out->lu->nexuses, entry) {
		if ((nexus->reserve & LU_RESERVE_VICTIM) == 0 || n == out->n_aborts)
			continue;
		nexus->reserve &= (uint8_t)~LU_RESERVE_VICTIM;
		out->aborts[n].out = out;
		out->n_left++;
		lu_abort_preempted(&out->aborts[n++].tmf, nexus, out_aborted);
	}
	if (n > 0)
		outs_drop_aborted(out->lu->reservations);
	return n > 0;
}

/* room for those who are there now: for one at least, because more may come while we save */
static int
out_abort_prepare(struct reserve_out *out)
{
	struct lu_nexus *nexus;
	size_t n = 1;

	if (out->task->op->id != OP_PROUT_PREEMPT_AND_ABORT)
		return 0;
	LIST_FOREACH(nexus, &out->lu->nexuses, entry)
		n++;
	out->aborts = fault_hit() ? NULL : calloc(n, sizeof(*out->aborts));
	out->n_aborts = n;
	return out->aborts == NULL ? -ENOMEM : 0;
}

/* ------ in force ------ */

static void
effect_apply(struct lu *lu, const struct pr_nexus *who, const struct pr_effect *effect)
{
	struct lu_nexus *nexus;

	LIST_FOREACH(nexus, &lu->nexuses, entry) {
		struct pr_nexus other = reserve_nexus(nexus);

		if (!pr_nexus_equal(&other, who))
			continue;
		if (effect->asc != 0)
			lu_ua_raise(nexus, effect->asc);
		if (effect->is_abort)
			nexus->reserve |= LU_RESERVE_VICTIM;
	}
}

/* true: answered */
static bool
out_commit(struct reserve_out *out)
{
	struct lu *lu = out->lu;
	struct lu_reservations *res = lu->reservations;
	struct pr_result *result = &out->result;

	for (size_t i = 0; i < result->n_effects; i++)
		effect_apply(lu, &res->pr->regs[result->effects[i].reg].nexus,
		    &result->effects[i]);
	pr_free(res->pr);
	res->pr = STEAL(result->next);
	reserve_refresh(lu);
	if (out_abort_next(out))
		return false;
	lu_local_good(out->task);
	return true;
}

/* ------ saving ------ */

static int
out_save(struct lu_job *job)
{
	struct reserve_out *out = container_of(job, struct reserve_out, job);
	int r = reserve_keep_write(out->keep, out->image, out->image_len);

	/* it stands there although it is refused: the next start must not find it in force */
	if (r == -EUCLEAN &&
	    reserve_keep_write(out->keep, out->old_image, out->old_len) < 0)
		log_error("unit %s: persistent reservations that were refused may be in force "
		    "after a restart", out->lu->info.path);
	return r;
}

static void
out_saved(struct lu_task *task, struct lu_job *job, int r)
{
	struct reserve_out *out = container_of(job, struct reserve_out, job);
	struct lu *lu = out->lu;

	lu->reservations->is_unsure = r < 0;
	if (r < 0)
		lu_local_check(task, SENSE_HARDWARE_ERROR, ASC_INTERNAL_FAILURE);
	else if (!out_commit(out))
		return;
	out_done(out);
	outs_run(lu);
}

static int
out_save_prepare(struct reserve_out *out)
{
	const struct lu_reservations *res = out->lu->reservations;

	out->keep = res->keep;
	if (res->pr->is_aptpl) {
		out->old_image = reserve_keep_image(out->keep, res->pr, &out->old_len);
		if (out->old_image == NULL)
			return -ENOMEM;
	}
	if (!out->result.next->is_aptpl)
		return 0;
	out->image = reserve_keep_image(out->keep, out->result.next, &out->image_len);
	return out->image == NULL ? -ENOMEM : 0;
}

/* ------ deciding ------ */

/* what ALL_TG_PT, SPEC_I_PT and REGISTER AND MOVE may speak of */
struct world {
	struct pr_world pr;
	uint16_t ports[LU_PORTS_MAX + 1];
};

static void
world_add_ports(struct world *w)
{
	const struct lu_port *port;
	uint16_t rtpi = 0;

	while (w->pr.n_ports < ARRAY_LEN(w->ports) && (port = lu_port_next(rtpi)) != NULL) {
		rtpi = port->rtpi;
		lu_port_unref(port);
		w->ports[w->pr.n_ports++] = rtpi;
	}
	w->pr.ports = w->ports;
}

static int
world_make(struct world *w, const struct lu *lu, const struct lu_initiator ***ret_peers)
{
	const struct lu_nexus *nexus;
	const struct lu_initiator **peers;
	size_t n = 0;

	LIST_FOREACH(nexus, &lu->nexuses, entry)
		n++;
	peers = fault_hit() ? NULL : calloc(n + 1, sizeof(peers[0]));
	if (peers == NULL)
		return -ENOMEM;
	n = 0;
	LIST_FOREACH(nexus, &lu->nexuses, entry)
		peers[n++] = nexus->initiator != NULL ? nexus->initiator :
		    lu_initiator_anonymous();
	*w = (struct world){ .pr = { .peers = peers, .n_peers = n } };
	world_add_ports(w);
	*ret_peers = peers;
	return 0;
}

static int
out_decide(struct reserve_out *out)
{
	const struct lu_reservations *res = out->lu->reservations;
	const uint8_t *cdb = out->task->cdb;
	CLEANUP(free_ptr) const struct lu_initiator **peers = NULL;
	struct pr_nexus nexus = reserve_nexus(out->task->nexus);
	struct world world;
	struct pr_request req = {
		.nexus = &nexus,
		.world = &world.pr,
		.list = out->list,
		.list_len = out->list_len,
		.action = (uint8_t)out->task->op->sa,
		.scope = cdb[2] >> 4,
		.type = cdb[2] & 0x0f,
		.can_persist = reserve_keep_saves(res->keep),
	};
	int r = world_make(&world, out->lu, &peers);

	return r < 0 ? r : pr_out(res->pr, &req, &out->result);
}

static void
end_with_result(struct lu_task *task, const struct pr_result *result)
{
	if (result->status == SAM_STAT_GOOD)
		lu_local_good(task);
	else if (result->status == SAM_STAT_CHECK_CONDITION)
		lu_local_sense(task, &result->sense);
	else
		lu_local_status(task, result->status);
}

/* nothing has changed yet, and everything that may fail for lack of memory comes first. True:
 * answered */
static bool
out_execute(struct reserve_out *out)
{
	struct lu_reservations *res = out->lu->reservations;
	bool is_save_due;

	if (out_decide(out) < 0) {
		lu_local_no_room(out->task);
		return true;
	}
	if (out->result.next == NULL) {
		end_with_result(out->task, &out->result);
		return true;
	}
	is_save_due = reserve_keep_saves(res->keep) &&
	    (out->result.is_save_due || res->is_unsure);
	if (out_abort_prepare(out) < 0 || (is_save_due && out_save_prepare(out) < 0)) {
		lu_local_no_room(out->task);
		return true;
	}
	if (!is_save_due)
		return out_commit(out);
	lu_local_offload(out->task, &out->job, out_save, out_saved);
	return false;
}

/* true: answered */
static bool
out_start(struct reserve_out *out)
{
	const struct lu_reservations *res = out->lu->reservations;

	if (lu_local_is_aborted(out->task))
		lu_local_aborted(out->task);
	else if (res->is_reserved)	/* SPC-2 5.5.1: regardless of initiator */
		lu_local_status(out->task, SAM_STAT_RESERVATION_CONFLICT);
	else
		return out_execute(out);
	return true;
}

static void
outs_run(struct lu *lu)
{
	struct lu_reservations *res = lu->reservations;
	struct reserve_out *out;

	while (!res->is_running && (out = STAILQ_FIRST(&res->outs)) != NULL) {
		res->is_running = true;
		if (out_start(out))
			out_done(out);
	}
}

/* ------ the way in ------ */

void
lu_reserve_pr_out(struct lu *lu, struct lu_task *task)
{
	size_t len = be32_get(task->cdb + 5);
	struct reserve_out *out;

	if (len > PR_LIST_MAX || (len > 0 && task->data_len < len)) {
		lu_local_check(task, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
		return;
	}
	out = fault_hit() ? NULL : calloc(1, sizeof(*out) + len);
	if (out == NULL) {
		lu_local_no_room(task);
		return;
	}
	out->task = task;
	out->lu = lu;
	out->list_len = lu_local_take(task, out->list, len);
	STAILQ_INSERT_TAIL(&lu->reservations->outs, out, entry);
	outs_run(lu);
}
