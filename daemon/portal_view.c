#include "daemon/portal_impl.h"

#include "base/log.h"
#include "lu/view.h"

struct view_call {
	struct portal_target *target;
	struct ex_set *set;
	const struct ex_target *conf;
};

/* the session goes on with what it may see now, or ends */
static void
session_follow(struct portal_session *s, const struct view_call *call)
{
	const struct iscsi_session_info *info = iscsi_session_info(s->iscsi);
	const struct ex_peer peer = { info->initiator, (const struct sockaddr *)&s->peer,
		s->group };
	struct lu_view *view;
	bool is_different;

	if (ex_admit(call->set, call->conf, &peer) != EX_ADMIT ||
	    ex_view(call->set, call->conf, &peer, &view) < 0) {
		log_notice("target %s: nothing is exported to %s any more, it is logged out",
		    s->target->name, info->initiator);
		iscsi_session_end(s->iscsi, ISCSI_END_ADMIN);
		return;
	}
	is_different = lu_view_count(view) != lu_view_count(s->view);
	for (size_t i = 0; !is_different && i < lu_view_count(view); i++) {
		const struct lu_view_entry *a = lu_view_at(view, i), *b = lu_view_at(s->view, i);

		is_different = a->lun != b->lun || a->unit != b->unit ||
		    a->classes != b->classes || a->weight != b->weight;
	}
	if (!is_different)
		lu_view_unref(view);
	else if (portal_session_set_view(s, view) < 0)
		iscsi_session_end(s->iscsi, ISCSI_END_RESOURCES);
}

/* on the target's loop */
static void
view_follow(void *arg)
{
	struct view_call *call = arg;
	struct iscsi_node *node = call->target->node;
	struct iscsi_session *iscsi = iscsi_session_next(node, NULL), *next;
	struct iscsi_node_config config;

	portal_node_config(call->conf, &config);
	if (iscsi_node_set(node, &config) < 0)
		log_warning("target %s: its new options cannot be used", call->target->name);
	for (; iscsi != NULL; iscsi = next) {
		next = iscsi_session_next(node, iscsi);
		if (iscsi_session_host(iscsi) != NULL)
			session_follow(iscsi_session_host(iscsi), call);
	}
}

void
portal_view_changed(
    void *ctx UNUSED, void *handle, struct ex_set *set, const struct ex_target *target)
{
	struct portal_target *t = handle;
	struct view_call call = { t, set, target };

	loop_call(t->loop->loop, view_follow, &call);
}
