#include "daemon/portal_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

struct portal_tmf;

/* what one unit has to do of it */
struct tmf_part {
	struct lu_tmf lu;
	struct portal_tmf *whole;
	struct portal_nexus *nexus;
	struct lu_work hop;
};

/* iscsi_tmf_priv() */
struct portal_tmf {
	struct tmf_part part;		/* of a function for one unit */
	struct tmf_part *parts;		/* one for each unit of the session, or NULL */
	size_t n_left;			/* loop of the session: parts that are not done */
	bool has_failed;
	struct iscsi_tmf *tmf;
	struct portal_session *session;
	struct portal_loop *loop;
};

size_t
portal_tmf_bytes(void)
{
	return sizeof(struct portal_tmf);
}

/* ------ answering: the session's loop ------ */

static void
tmf_finish(struct portal_tmf *p, enum iscsi_tmf_response response)
{
	struct portal_session *s = p->session;

	free(p->parts);
	iscsi_tmf_done(p->tmf, response);
	s->n_tasks--;
	portal_session_check(s);
}

static enum iscsi_tmf_response
response_of(const struct portal_tmf *p)
{
	const struct lu_tmf *lu = &p->part.lu;

	if (lu->is_succeeded) {
		memcpy(p->tmf->additional, lu->event, sizeof(p->tmf->additional));
		return ISCSI_TMF_SUCCEEDED;
	}
	switch (lu->result) {
	case LU_TMF_DONE:
		return ISCSI_TMF_COMPLETE;
	case LU_TMF_NO_TASK:
		/* a set that is empty is ended; a task that answered first is not there */
		return p->tmf->fn == ISCSI_TMF_ABORT_TASK ? ISCSI_TMF_NO_TASK :
		    ISCSI_TMF_COMPLETE;
	case LU_TMF_GONE:
		return ISCSI_TMF_NO_LUN;
	case LU_TMF_FAILED:
	case LU_TMF_BUSY:
		break;
	}
	return ISCSI_TMF_REJECTED;
}

/* what lib/lu calls it, for one unit; a target is reset unit by unit, because others of the
 * same HBA target may not be its own */
static const enum lu_tm functions[] = {
	[ISCSI_TMF_ABORT_TASK_SET] = LU_TM_ABORT_TASK_SET,
	[ISCSI_TMF_CLEAR_TASK_SET] = LU_TM_CLEAR_TASK_SET,
	[ISCSI_TMF_LU_RESET] = LU_TM_LUN_RESET,
	[ISCSI_TMF_WARM_RESET] = LU_TM_LUN_RESET,
	[ISCSI_TMF_COLD_RESET] = LU_TM_LUN_RESET,
	[ISCSI_TMF_NEXUS_RESET] = LU_TM_NEXUS_RESET,
	[ISCSI_TMF_QUERY_TASK_SET] = LU_TM_QUERY_TASK_SET,
	[ISCSI_TMF_QUERY_ASYNC] = LU_TM_QUERY_ASYNC_EVENT,
};

/* does it act on all units of the target? */
static bool
is_of_target(enum iscsi_tmf_function fn)
{
	return fn == ISCSI_TMF_WARM_RESET || fn == ISCSI_TMF_COLD_RESET ||
	    fn == ISCSI_TMF_NEXUS_RESET;
}

/* one part less; the last one answers */
static void
target_less(struct portal_tmf *p)
{
	if (--p->n_left == 0)
		tmf_finish(p, p->has_failed ? ISCSI_TMF_REJECTED : ISCSI_TMF_COMPLETE);
}

static void
tmf_returned(struct lu_work *w)
{
	struct tmf_part *part = container_of(w, struct tmf_part, hop);
	struct portal_tmf *p = part->whole;

	if (p->parts == NULL) {
		tmf_finish(p, response_of(p));
		return;
	}
	if (part->lu.result == LU_TMF_FAILED)
		p->has_failed = true;
	target_less(p);
}

/* ------ acting: the unit's home ------ */

static void
tmf_done(struct lu_tmf *lu)
{
	struct tmf_part *part = container_of(lu, struct tmf_part, lu);
	struct loop *loop = part->whole->loop->loop;

	if (loop_is_here(loop))
		tmf_returned(&part->hop);
	else
		loop_post(loop, &part->hop, tmf_returned);
}

static void
tmf_act(struct lu_work *w)
{
	struct tmf_part *part = container_of(w, struct tmf_part, hop);
	const struct iscsi_tmf *tmf = part->whole->tmf;
	struct lu_nexus *nexus = &part->nexus->lu;
	struct portal_task *t;

	if (!part->nexus->is_open) {
		part->lu.result = LU_TMF_GONE;
		tmf_done(&part->lu);
	} else if (tmf->fn == ISCSI_TMF_ABORT_TASK) {
		t = iscsi_cmd_priv(tmf->cmd);
		lu_abort_join(&part->lu, &t->lu, tmf_done);
	} else {
		lu_tm(&part->lu, nexus, functions[tmf->fn], 0, tmf_done);
	}
}

/* as commands are sent: those behind it are not among those that it ends */
static void
tmf_send(struct portal_tmf *p, struct tmf_part *part, struct portal_nexus *nexus)
{
	struct lu_exec *home = lu_home(nexus->unit);

	part->whole = p;
	part->nexus = nexus;
	if (lu_exec_is_here(home))
		tmf_act(&part->hop);
	else
		lu_exec_post(home, &part->hop, tmf_act);
}

/* to all units at once: a command that follows comes to none before it */
static void
target_begin(struct portal_tmf *p)
{
	struct portal_session *s = p->session;
	size_t n = lu_view_count(s->view);

	p->parts = fault_hit() ? NULL : calloc(n + 1, sizeof(p->parts[0]));
	if (p->parts == NULL) {
		tmf_finish(p, ISCSI_TMF_REJECTED);
		return;
	}
	/* one for ourselves: parts may be done at once */
	p->n_left = n + 1;
	for (size_t i = 0; i < n; i++)
		tmf_send(p, &p->parts[i], s->nexuses[i]);
	target_less(p);
}

/* ------ the way in ------ */

/* false: the LUN is another unit's by now. The one before ends the task, at a home of its own, and
 * nothing the initiator can reach hears of it any more */
static bool
is_task_of(struct iscsi_cmd *cmd, const struct portal_nexus *nexus)
{
	const struct portal_task *t = iscsi_cmd_priv(cmd);

	return t->nexus == nexus;
}

void
portal_host_tmf(struct iscsi_tmf *tmf)
{
	struct portal_session *s = iscsi_session_host(tmf->session);
	struct portal_tmf *p = iscsi_tmf_priv(tmf);
	struct portal_nexus *nexus;

	*p = (struct portal_tmf){ .tmf = tmf, .session = s, .loop = s->target->loop };
	s->n_tasks++;
	if (is_of_target(tmf->fn)) {
		target_begin(p);
		return;
	}
	if (tmf->fn == ISCSI_TMF_CLEAR_ACA) {
		/* there never is an ACA condition */
		tmf_finish(p, ISCSI_TMF_NOT_SUPPORTED);
		return;
	}
	nexus = portal_nexus_find(s, tmf->lun);
	if (nexus == NULL) {
		tmf_finish(p, ISCSI_TMF_NO_LUN);
	} else if (tmf->fn == ISCSI_TMF_QUERY_TASK) {
		tmf_finish(p, tmf->cmd == NULL ? ISCSI_TMF_COMPLETE : ISCSI_TMF_SUCCEEDED);
	} else if (tmf->fn == ISCSI_TMF_ABORT_TASK && tmf->cmd == NULL) {
		tmf_finish(p, ISCSI_TMF_NO_TASK);
	} else if (tmf->fn == ISCSI_TMF_ABORT_TASK && !is_task_of(tmf->cmd, nexus)) {
		tmf_finish(p, ISCSI_TMF_COMPLETE);
	} else {
		tmf_send(p, &p->part, nexus);
	}
}
