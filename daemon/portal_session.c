#include "daemon/portal_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "scsi/lun.h"

/* ------ the end of a session ------ */

void
portal_session_check(struct portal_session *s)
{
	struct portal_target *target = s->target;

	if (s->iscsi != NULL || s->n_nexuses > 0 || s->n_tasks > 0)
		return;
	lu_view_unref(s->view);
	lu_port_unref(s->port);
	free(s->nexuses);
	free(s);
	target->n_sessions--;
	portal_target_check(target);
}

/* ------ the end of a nexus ------ */

/* on the loop of the session */
static void
nexus_left(struct lu_work *w)
{
	struct portal_nexus *n = container_of(w, struct portal_nexus, work);
	struct portal_session *s = n->session;

	lu_unref(n->unit);
	lu_view_unref(n->next_view);
	free(n);
	s->n_nexuses--;
	portal_session_check(s);
}

/* at home: the last word of the unit */
static void
nexus_gone(struct lu_nexus *lu)
{
	struct portal_nexus *n = container_of(lu, struct portal_nexus, lu);

	loop_post(n->session->target->loop->loop, &n->work, nexus_left);
}

static void
nexus_end(struct lu_work *w)
{
	struct portal_nexus *n = container_of(w, struct portal_nexus, work);

	/* what is still on its way to it does not find it open */
	if (n->is_open) {
		n->is_open = false;
		lu_nexus_gone(&n->lu);
	} else {
		nexus_gone(&n->lu);
	}
}

/* in the order of calls: the session that takes its place begins behind it (lib/lu lets that one
 * wait for what is still with the device) */
static void
nexus_leave(struct portal_nexus *n)
{
	struct lu_exec *home = lu_home(n->unit);
	struct portal_session *s = n->session;

	if (s->last == n)
		s->last = NULL;
	if (lu_exec_is_here(home))
		nexus_end(&n->work);
	else
		lu_exec_post(home, &n->work, nexus_end);
}

/* ------ the beginning of a nexus ------ */

/* at home */
static void
nexus_begin(struct lu_work *w)
{
	struct portal_nexus *n = container_of(w, struct portal_nexus, begin_work);
	struct lu_view *view = n->lu.view;

	n->is_open = lu_nexus_open(&n->lu, n->unit) == 0;
	lu_view_unref(view);	/* an open nexus holds one of its own */
}

static struct portal_nexus *
nexus_new(struct portal_session *s, struct lu_view *view, const struct lu_view_entry *entry)
{
	struct portal_nexus *n = fault_hit() ? NULL : calloc(1, sizeof(*n));
	struct lu_exec *home = lu_home(entry->unit);

	if (n == NULL)
		return NULL;
	n->session = s;
	n->unit = lu_ref(entry->unit);
	n->lu.classes = entry->classes;
	n->lu.weight = entry->weight;
	n->lu.initiator = &s->initiator;
	n->lu.port = s->port;
	n->lu.view = lu_view_ref(view);	/* the session may be over before nexus_begin() runs */
	n->lu.wants_sense = true;
	/* of a unit that comes while the session lasts, perhaps once more, nobody knows what it
	 * has lost meanwhile */
	n->lu.is_power_on_due = s->is_new || s->nexuses != NULL;
	n->lu.gone = nexus_gone;
	s->n_nexuses++;
	/* what is posted later comes later: commands find it open */
	if (lu_exec_is_here(home))
		nexus_begin(&n->begin_work);
	else
		lu_exec_post(home, &n->begin_work, nexus_begin);
	return n;
}

/* ------ finding one ------ */

struct portal_nexus *
portal_nexus_find(struct portal_session *s, const uint8_t lun[8])
{
	const struct lu_view_entry *entry;
	uint64_t raw;

	memcpy(&raw, lun, sizeof(raw));
	if (LIKELY(s->last != NULL && s->last_lun == raw))
		return s->last;
	entry = lu_view_find(s->view, lunfmt_get(lun));
	if (entry == NULL)
		return NULL;
	s->last = s->nexuses[entry - lu_view_at(s->view, 0)];
	s->last_lun = raw;
	return s->last;
}

/* ------ another view ------ */

/* at home */
static void
view_arrive(struct lu_work *w)
{
	struct portal_nexus *n = container_of(w, struct portal_nexus, view_work);
	struct lu_view *view = atomic_exchange(&n->next_view, NULL);

	if (view != NULL && n->is_open)
		lu_nexus_set_view(&n->lu, view);
	lu_view_unref(view);
}

static void
view_send(struct portal_nexus *n, struct lu_view *view)
{
	struct lu_view *before = atomic_exchange(&n->next_view, lu_view_ref(view));

	/* one that has not arrived yet is replaced: its work is on its way */
	if (before != NULL)
		lu_view_unref(before);
	else
		lu_exec_to(lu_home(n->unit), &n->view_work, view_arrive);
}

/* the nexus of the same LUN and unit in the view before, or NULL; both views are in order of
 * LUN, so that @at only moves on */
static struct portal_nexus *
nexus_keep(const struct portal_session *s, const struct lu_view_entry *entry, size_t *at)
{
	size_t n = lu_view_count(s->view);

	while (*at < n && lu_view_at(s->view, *at)->lun < entry->lun)
		(*at)++;
	if (*at == n || lu_view_at(s->view, *at)->lun != entry->lun ||
	    lu_view_at(s->view, *at)->unit != entry->unit)
		return NULL;
	s->nexuses[*at]->is_kept = true;
	return s->nexuses[*at];
}

static void
nexuses_undo(struct portal_nexus **list, size_t n)
{
	for (size_t i = 0; i < n && list[i] != NULL; i++) {
		if (!list[i]->is_kept)
			nexus_leave(list[i]);
		list[i]->is_kept = false;
	}
	free(list);
}

/* nexuses for every entry of @view: those of before where they fit, else new ones */
static struct portal_nexus **
nexuses_make(struct portal_session *s, struct lu_view *view)
{
	size_t n = lu_view_count(view), at = 0;
	struct portal_nexus **list = fault_hit() ? NULL : calloc(n + 1, sizeof(*list));

	for (size_t i = 0; list != NULL && i < n; i++) {
		const struct lu_view_entry *entry = lu_view_at(view, i);

		list[i] = nexus_keep(s, entry, &at);
		if (list[i] == NULL)
			list[i] = nexus_new(s, view, entry);
		if (list[i] == NULL) {
			nexuses_undo(list, i);
			return NULL;
		}
	}
	return list;
}

int
portal_session_set_view(struct portal_session *s, struct lu_view *view)
{
	struct portal_nexus **before = s->nexuses, **after = nexuses_make(s, view);
	size_t n = lu_view_count(s->view);

	if (after == NULL) {
		lu_view_unref(view);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		if (before[i]->is_kept)
			view_send(before[i], view);
		else
			nexus_leave(before[i]);
		before[i]->is_kept = false;
	}
	lu_view_unref(s->view);
	free(before);
	s->view = view;
	s->nexuses = after;
	s->last = NULL;
	return 0;
}

/* ------ the beginning of a session ------ */

/* has this initiator port not been here since the target came up? */
static bool
seen_first(struct portal_target *t, const struct lu_initiator *initiator)
{
	uint64_t hash = 14695981039346656037u;
	struct portal_seen *seen;

	for (uint16_t i = 0; i < initiator->id_len; i++)
		hash = (hash ^ initiator->id[i]) * 1099511628211u;
	HASH_FIND(hh, t->seen, &hash, sizeof(hash), seen);
	if (seen != NULL)
		return false;
	/* not remembered: it is told once more at its next login, which is harmless */
	seen = HASH_COUNT(t->seen) < PORTAL_SEEN_MAX ? calloc(1, sizeof(*seen)) : NULL;
	if (seen == NULL)
		return true;
	seen->hash = hash;
	HASH_ADD(hh, t->seen, hash, sizeof(hash), seen);
	if (seen->hh.tbl == NULL)
		free(seen);
	return true;
}

static int
session_view(struct portal_session *s, const char *name, struct lu_view **ret_view)
{
	struct ex_set *set = exports_set(s->target->server->exports);
	const struct ex_target *target = ex_set_target(set, s->target->name);
	const struct ex_peer peer = { name, (const struct sockaddr *)&s->peer, s->group };
	int r = -ENOENT;

	if (ex_admit(set, target, &peer) == EX_ADMIT) {
		s->port = lu_port_find(ex_target_rtpi(set, target, s->group));
		r = s->port == NULL ? -ENOENT : ex_view(set, target, &peer, ret_view);
	}
	ex_set_unref(set);
	return r;
}

static int
session_fill(struct portal_session *s, const struct iscsi_session_info *info,
    const struct portal_conn *conn)
{
	static _Atomic uint64_t last_id;
	struct lu_view *view;
	int r;

	s->id = atomic_fetch_add(&last_id, 1) + 1;
	s->buf_owner = bufs_owner();
	s->since_ns = clock_now_ns();
	s->peer = conn->peer;
	s->group = info->portal_group;
	r = lu_initiator_isid(&s->initiator, info->initiator, info->isid);
	if (r == 0)
		r = session_view(s, info->initiator, &view);
	if (r < 0)
		return r;
	s->is_new = seen_first(s->target, &s->initiator);
	return portal_session_set_view(s, view);
}

int
portal_host_session_begin(struct iscsi_session *iscsi, struct iscsi_conn *conn)
{
	struct portal_session *s = fault_hit() ? NULL : calloc(1, sizeof(*s));
	struct portal_target *target = iscsi_node_host(iscsi_session_node(iscsi));
	const struct iscsi_session_info *info = iscsi_session_info(iscsi);
	int r;

	if (s == NULL)
		return -ENOMEM;
	s->target = target;
	target->n_sessions++;
	r = session_fill(s, info, iscsi_conn_host(conn));
	if (r < 0) {
		portal_session_check(s);
		return r;
	}
	s->iscsi = iscsi;
	iscsi_session_set_host(iscsi, s);
	log_info("target %s: %s logged in from %s", target->name, info->initiator,
	    iscsi_conn_portal(conn)->remote);
	return 0;
}

void
portal_host_session_end(struct iscsi_session *iscsi, enum iscsi_end why)
{
	struct portal_session *s = iscsi_session_host(iscsi);

	log_info("target %s: %s left: %s", s->target->name, iscsi_session_info(iscsi)->initiator,
	    iscsi_end_name(why));
	s->iscsi = NULL;
	for (size_t i = 0; i < lu_view_count(s->view); i++)
		nexus_leave(s->nexuses[i]);
	lu_view_unref(STEAL(s->view));
	portal_session_check(s);
}

/* it may outlast all of ours: an answer that is half sent stays until its connection has gone */
void
portal_host_session_free(struct iscsi_session *iscsi)
{
	portal_target_check(iscsi_node_host(iscsi_session_node(iscsi)));
}
