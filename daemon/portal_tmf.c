#include "daemon/portal_impl.h"

#include <string.h>

/* iscsi_tmf_priv() */
struct portal_tmf {
	struct lu_tmf lu;
	struct iscsi_tmf *tmf;
	struct portal_session *session;
	struct portal_loop *loop;
	struct portal_nexus *nexus;
	size_t next;			/* target resets: entry of the view that comes next */
	bool has_failed;
	struct lu_work hop;
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

	iscsi_tmf_done(p->tmf, response);
	s->n_tasks--;
	portal_session_check(s);
}

static enum iscsi_tmf_response
response_of(const struct portal_tmf *p)
{
	if (p->lu.is_succeeded) {
		memcpy(p->tmf->additional, p->lu.event, sizeof(p->tmf->additional));
		return ISCSI_TMF_SUCCEEDED;
	}
	switch (p->lu.result) {
	case LU_TMF_DONE:
	case LU_TMF_BUSY:	/* somebody else is ending it: it ends */
		return ISCSI_TMF_COMPLETE;
	case LU_TMF_NO_TASK:
		/* a set that is empty is ended; a task that answered first is not there */
		return p->tmf->fn == ISCSI_TMF_ABORT_TASK ? ISCSI_TMF_NO_TASK :
		    ISCSI_TMF_COMPLETE;
	case LU_TMF_GONE:
		return ISCSI_TMF_NO_LUN;
	case LU_TMF_FAILED:
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

static void target_step(struct portal_tmf *p);

static void
tmf_returned(struct lu_work *w)
{
	struct portal_tmf *p = container_of(w, struct portal_tmf, hop);

	if (!is_of_target(p->tmf->fn)) {
		tmf_finish(p, response_of(p));
		return;
	}
	if (p->lu.result == LU_TMF_FAILED)
		p->has_failed = true;
	target_step(p);
}

/* ------ acting: the unit's home ------ */

static void
tmf_done(struct lu_tmf *lu)
{
	struct portal_tmf *p = container_of(lu, struct portal_tmf, lu);

	if (loop_is_here(p->loop->loop))
		tmf_returned(&p->hop);
	else
		loop_post(p->loop->loop, &p->hop, tmf_returned);
}

static void
tmf_act(struct lu_work *w)
{
	struct portal_tmf *p = container_of(w, struct portal_tmf, hop);
	struct lu_nexus *nexus = &p->nexus->lu;
	struct portal_task *t;

	if (!p->nexus->is_open) {
		p->lu.result = LU_TMF_GONE;
		tmf_done(&p->lu);
	} else if (p->tmf->fn == ISCSI_TMF_ABORT_TASK) {
		t = iscsi_cmd_priv(p->tmf->cmd);
		lu_abort(&p->lu, &t->lu, tmf_done);
	} else {
		lu_tm(&p->lu, nexus, functions[p->tmf->fn], 0, tmf_done);
	}
}

static void
tmf_send(struct portal_tmf *p, struct portal_nexus *nexus)
{
	struct lu_exec *home = lu_home(nexus->unit);

	p->nexus = nexus;
	/* at once, as commands are: those behind it are not among those that it ends */
	if (!is_of_target(p->tmf->fn) && lu_exec_is_here(home))
		tmf_act(&p->hop);
	else
		lu_exec_to(home, &p->hop, tmf_act);
}

/* ------ resets of the whole target: one unit after the other ------ */

static void
target_step(struct portal_tmf *p)
{
	struct portal_session *s = p->session;

	if (s->iscsi != NULL && p->next < lu_view_count(s->view))
		tmf_send(p, s->nexuses[p->next++]);
	else
		tmf_finish(p, p->has_failed ? ISCSI_TMF_REJECTED : ISCSI_TMF_COMPLETE);
}

/* ------ the way in ------ */

void
portal_host_tmf(struct iscsi_tmf *tmf)
{
	struct portal_session *s = iscsi_session_host(tmf->session);
	struct portal_tmf *p = iscsi_tmf_priv(tmf);
	struct portal_nexus *nexus;

	*p = (struct portal_tmf){ .tmf = tmf, .session = s, .loop = s->target->loop };
	s->n_tasks++;
	if (is_of_target(tmf->fn)) {
		target_step(p);
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
	} else {
		tmf_send(p, nexus);
	}
}
