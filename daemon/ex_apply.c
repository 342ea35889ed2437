#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/ex_live.h"

/* ------ the data plane; each call in one place ------ */

static int
call_portal_open(struct exports *ex, struct ex_live_portal *live, char *reterr)
{
	struct sockaddr_storage bound = { 0 };
	int r = 0;

	if (ex->ops != NULL)
		r = ex->ops->portal_open(ex->ctx, live->portal, &bound, &live->handle, reterr);
	if (r == 0 && ex->ops != NULL)
		(void)ex_addr_format((struct sockaddr *)&bound, live->bound);
	return r;
}

static void
call_portal_close(struct exports *ex, struct ex_live_portal *live)
{
	if (ex->ops != NULL)
		ex->ops->portal_close(ex->ctx, live->handle);
}

static int
call_target_up(struct exports *ex, struct ex_live_target *live, char *reterr)
{
	int r = 0;

	if (ex->ops != NULL)
		r = ex->ops->target_up(ex->ctx, live->target, &live->handle, reterr);
	live->is_up = r == 0;
	return r;
}

static void
call_target_down(struct exports *ex, struct ex_live_target *live)
{
	if (ex->ops != NULL && live->is_up)
		ex->ops->target_down(ex->ctx, live->handle);
	live->is_up = false;
}

static void
call_view_changed(struct exports *ex, struct ex_live_target *live)
{
	if (ex->ops != NULL)
		ex->ops->view_changed(ex->ctx, live->handle, ex->set, live->target);
}

/* ------ target ports ------ */

static void
port_remove(struct ex_live_target *live, struct ex_live_port *port)
{
	TAILQ_REMOVE(&live->ports, port, entry);
	lu_port_remove(port->port);
	lu_port_unref(port->port);
	free(port);
}

static struct ex_live_port *
port_find(const struct ex_live_target *live, uint16_t group)
{
	struct ex_live_port *port;

	TAILQ_FOREACH(port, &live->ports, entry)
		if (port->port->group == group)
			return port;
	return NULL;
}

static int
port_add(struct ex_live_target *live, const struct ex_target *target, uint16_t group,
    uint16_t rtpi, struct ex_fault *f)
{
	struct lu_port port = { .rtpi = rtpi, .group = group, .protocol = LU_PROTOCOL_ISCSI };
	struct ex_live_port *added = fault_hit() ? NULL : calloc(1, sizeof(*added));
	int r = added == NULL ? -ENOMEM : 0;

	(void)text_copy(port.device_name, sizeof(port.device_name), target->o.name);
	(void)snprintf(port.name, sizeof(port.name), "%s,t,0x%04x", target->o.name, group);
	if (r == 0)
		r = lu_port_add(&port, &added->port);
	if (r < 0) {
		free(added);
		return ex_complain(f, &target->o, r, "groups", 0,
		    "target port %u of portal group %u cannot be made: %s", rtpi, group,
		    strerror(-r));
	}
	added->is_new = true;
	TAILQ_INSERT_TAIL(&live->ports, added, entry);
	return 0;
}

/* all ports that @target has in @set */
static int
ports_add(struct ex_live_target *live, const struct ex_set *set, const struct ex_target *target,
    struct ex_fault *f)
{
	int r = 0;

	for (size_t g = 0; r == 0 && g < target->groups.n; g++)
		if (port_find(live, target->tags[g]) == NULL)
			r = port_add(live, target, target->tags[g],
			    ex_target_rtpi(set, target, target->tags[g]), f);
	return r;
}

/* keep the new ones of a change, or take them away again */
static void
ports_settle(struct ex_live_target *live, bool is_good)
{
	for (struct ex_live_port *p = TAILQ_FIRST(&live->ports), *next; p != NULL; p = next) {
		next = TAILQ_NEXT(p, entry);
		if (p->is_new && !is_good)
			port_remove(live, p);
		else
			p->is_new = false;
	}
}

/* those that @target has no more */
static void
ports_trim(struct ex_live_target *live, const struct ex_target *target)
{
	for (struct ex_live_port *p = TAILQ_FIRST(&live->ports), *next; p != NULL; p = next) {
		bool is_kept = false;

		next = TAILQ_NEXT(p, entry);
		for (size_t g = 0; g < target->groups.n; g++)
			is_kept = is_kept || target->tags[g] == p->port->group;
		if (!is_kept)
			port_remove(live, p);
	}
}

/* ------ targets ------ */

static struct ex_live_target *
target_find(struct exports *ex, const char *name)
{
	struct ex_live_target *live;

	TAILQ_FOREACH(live, &ex->targets, entry)
		if (strcmp(live->target->o.name, name) == 0)
			return live;
	return NULL;
}

static void
target_free(struct exports *ex, struct ex_live_target *live)
{
	call_target_down(ex, live);
	while (!TAILQ_EMPTY(&live->ports))
		port_remove(live, TAILQ_FIRST(&live->ports));
	TAILQ_REMOVE(&ex->targets, live, entry);
	ex_object_unref((struct ex_object *)(uintptr_t)live->target);
	free(live);
}

static int
target_new(struct exports *ex, const struct ex_set *set, const struct ex_target *target,
    struct ex_fault *f)
{
	struct ex_live_target *live = fault_hit() ? NULL : calloc(1, sizeof(*live));
	char text[EX_ERR_LEN] = "";
	int r;

	if (live == NULL)
		return ex_complain(f, &target->o, -ENOMEM, NULL, 0, "out of memory");
	live->target = (const struct ex_target *)ex_object_ref(
	    (struct ex_object *)(uintptr_t)&target->o);
	live->is_new = true;
	TAILQ_INIT(&live->ports);
	TAILQ_INSERT_TAIL(&ex->targets, live, entry);
	r = ports_add(live, set, target, f);
	if (r < 0)
		return r;
	r = call_target_up(ex, live, text);
	return r < 0 ? ex_complain(f, &target->o, r, NULL, 0, "%s",
	    text[0] != '\0' ? text : strerror(-r)) : 0;
}

static int
targets_come(struct exports *ex, const struct ex_set *set, struct ex_fault *f)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ex_set_count(set, EX_TARGET); i++) {
		const struct ex_target *target = (const struct ex_target *)ex_set_at(set,
		    EX_TARGET, i);
		struct ex_live_target *live = target_find(ex, target->o.name);

		r = live == NULL ? target_new(ex, set, target, f) :
		    ports_add(live, set, target, f);
	}
	return r;
}

/* ------ portals ------ */

static struct ex_live_portal *
portal_find(struct exports *ex, const char *name)
{
	struct ex_live_portal *live;

	TAILQ_FOREACH(live, &ex->portals, entry)
		if (strcmp(live->portal->o.name, name) == 0)
			return live;
	return NULL;
}

static void
portal_free(struct exports *ex, struct ex_live_portal *live)
{
	call_portal_close(ex, live);
	(void)pthread_mutex_lock(&ex->lock);
	TAILQ_REMOVE(&ex->portals, live, entry);
	(void)pthread_mutex_unlock(&ex->lock);
	ex_object_unref((struct ex_object *)(uintptr_t)live->portal);
	free(live);
}

static int
portal_new(struct exports *ex, const struct ex_portal *portal, struct ex_fault *f)
{
	struct ex_live_portal *live = fault_hit() ? NULL : calloc(1, sizeof(*live));
	char text[EX_ERR_LEN] = "";
	int r;

	if (live == NULL)
		return ex_complain(f, &portal->o, -ENOMEM, NULL, 0, "out of memory");
	live->portal = portal;
	live->is_new = true;
	r = call_portal_open(ex, live, text);
	if (r < 0) {
		free(live);
		return ex_complain(f, &portal->o, r, NULL, 0, "%s",
		    text[0] != '\0' ? text : strerror(-r));
	}
	(void)ex_object_ref((struct ex_object *)(uintptr_t)&portal->o);
	(void)pthread_mutex_lock(&ex->lock);
	TAILQ_INSERT_TAIL(&ex->portals, live, entry);
	(void)pthread_mutex_unlock(&ex->lock);
	return 0;
}

/* is it there, and in the same group? */
static bool
portal_stays(const struct ex_set *set, const struct ex_live_portal *live)
{
	const struct ex_portal *portal = (const struct ex_portal *)ex_set_find(set, EX_PORTAL,
	    live->portal->o.name);

	return portal != NULL && portal->group == live->portal->group;
}

/* Close what leaves for another group now, because its address is needed. */
static void
portals_clear(struct exports *ex, const struct ex_set *set)
{
	for (struct ex_live_portal *p = TAILQ_FIRST(&ex->portals), *next; p != NULL; p = next) {
		next = TAILQ_NEXT(p, entry);
		if (ex_set_find(set, EX_PORTAL, p->portal->o.name) != NULL &&
		    !portal_stays(set, p))
			portal_free(ex, p);
	}
}

static int
portals_come(struct exports *ex, const struct ex_set *set, struct ex_fault *f)
{
	int r = 0;

	portals_clear(ex, set);
	for (size_t i = 0; r == 0 && i < ex_set_count(set, EX_PORTAL); i++) {
		const struct ex_portal *portal = (const struct ex_portal *)ex_set_at(set,
		    EX_PORTAL, i);

		if (portal_find(ex, portal->o.name) == NULL)
			r = portal_new(ex, portal, f);
	}
	return r;
}

static void
portals_start(struct exports *ex)
{
	struct ex_live_portal *p;

	TAILQ_FOREACH(p, &ex->portals, entry) {
		if (p->is_new && ex->ops != NULL)
			ex->ops->portal_start(ex->ctx, p->handle);
		p->is_new = false;
	}
}

static void
portals_go(struct exports *ex, const struct ex_set *set)
{
	for (struct ex_live_portal *p = TAILQ_FIRST(&ex->portals), *next; p != NULL; p = next) {
		next = TAILQ_NEXT(p, entry);
		if (ex_set_find(set, EX_PORTAL, p->portal->o.name) == NULL)
			portal_free(ex, p);
	}
}

/* ------ back to how it was ------ */

static void
portals_back(struct exports *ex)
{
	struct ex_fault f;

	for (struct ex_live_portal *p = TAILQ_FIRST(&ex->portals), *next; p != NULL; p = next) {
		next = TAILQ_NEXT(p, entry);
		if (p->is_new)
			portal_free(ex, p);
	}
	/* those that portals_clear() had closed; their addresses were free a moment ago */
	if (ex->set != NULL && ex->is_up && portals_come(ex, ex->set, &f) < 0)
		log_error("portal %s: cannot be opened again: %s", f.name, f.text);
	portals_start(ex);
}

static void
targets_back(struct exports *ex)
{
	for (struct ex_live_target *t = TAILQ_FIRST(&ex->targets), *next; t != NULL; t = next) {
		next = TAILQ_NEXT(t, entry);
		if (t->is_new)
			target_free(ex, t);
		else
			ports_settle(t, false);
	}
}

/* ------ forward ------ */

/* do options, exports or access lists of a target differ between the sets? */
static bool
target_differs(const struct ex_set *before, const struct ex_set *set,
    const struct ex_target *was, const struct ex_target *is)
{
	const struct ex_export *const *a, *const *b;
	size_t n, m;

	if (was != is)
		return true;
	a = ex_set_exports(before, was, &n);
	b = ex_set_exports(set, is, &m);
	if (n != m)
		return true;
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] || (a[i]->acl != NULL &&
		    ex_set_find(before, EX_ACL, a[i]->acl) !=
		    ex_set_find(set, EX_ACL, a[i]->acl)))
			return true;
	return false;
}

static void
target_take(struct ex_live_target *live, const struct ex_target *target)
{
	(void)ex_object_ref((struct ex_object *)(uintptr_t)&target->o);
	ex_object_unref((struct ex_object *)(uintptr_t)live->target);
	live->target = target;
}

static void
targets_update(struct exports *ex, const struct ex_set *before)
{
	struct ex_live_target *live;

	TAILQ_FOREACH(live, &ex->targets, entry) {
		const struct ex_target *was = live->target;
		const struct ex_target *is = ex_set_target(ex->set, was->o.name);
		bool is_new = live->is_new;

		live->is_new = false;
		ports_settle(live, true);
		if (is == NULL || is_new || !target_differs(before, ex->set, was, is))
			continue;
		target_take(live, is);
		call_view_changed(ex, live);
	}
}

static void
targets_go(struct exports *ex)
{
	for (struct ex_live_target *t = TAILQ_FIRST(&ex->targets), *next; t != NULL; t = next) {
		const struct ex_target *target = ex_set_target(ex->set, t->target->o.name);

		next = TAILQ_NEXT(t, entry);
		if (target == NULL)
			target_free(ex, t);
		else
			ports_trim(t, target);
	}
}

static int
file_write(const struct exports *ex, const struct ex_set *set, struct ex_fault *f)
{
	int r = ex->file == NULL ? 0 : ex_file_write(set, ex->file);

	if (r < 0)
		(void)ex_complain(f, NULL, r, NULL, 0, "'%s' cannot be written: %s; nothing "
		    "was changed", ex_shown(ex->file), strerror(-r));
	return r;
}

int
ex_apply(struct exports *ex, struct ex_set *set, bool want_file, struct ex_fault *reterr)
{
	struct ex_set *before = ex->set;
	int r = targets_come(ex, set, reterr);

	if (r == 0)
		r = portals_come(ex, set, reterr);
	if (r == 0 && want_file)
		r = file_write(ex, set, reterr);
	if (r < 0) {
		portals_back(ex);
		targets_back(ex);
		ex_set_unref(set);
		return r;
	}
	(void)pthread_mutex_lock(&ex->lock);
	ex->set = set;
	(void)pthread_mutex_unlock(&ex->lock);
	ex_units_sync(set, ex->is_up ? before : NULL);
	targets_update(ex, before);
	portals_start(ex);
	portals_go(ex, set);
	targets_go(ex);
	ex_changed(ex);
	ex_set_unref(before);
	return 0;
}

void
ex_down(struct exports *ex)
{
	while (!TAILQ_EMPTY(&ex->portals))
		portal_free(ex, TAILQ_FIRST(&ex->portals));
	while (!TAILQ_EMPTY(&ex->targets))
		target_free(ex, TAILQ_FIRST(&ex->targets));
}

/* ------ units that come and go ------ */

bool
ex_unit_is(const char *word, const char *path)
{
	size_t len = strlen(word), all = strlen(path);

	/* a serial number, maybe: better one look too many */
	if (strpbrk(word, "/@") == NULL)
		return true;
	if (len > all || strcmp(path + all - len, word) != 0)
		return false;
	return len == all || path[all - len - 1] == '/' || path[all - len - 1] == '@';
}

void
ex_views_changed(struct exports *ex, const char (*paths)[LU_PATH_MAX], size_t n)
{
	struct ex_live_target *live;

	TAILQ_FOREACH(live, &ex->targets, entry) {
		size_t n_exports;
		const struct ex_export *const *e = ex_set_exports(ex->set, live->target,
		    &n_exports);
		bool is_meant = false;

		for (size_t i = 0; !is_meant && i < n_exports; i++) {
			is_meant = n > EX_PENDING_MAX;
			for (size_t p = 0; !is_meant && p < n; p++)
				is_meant = ex_unit_is(e[i]->unit, paths[p]);
		}
		if (is_meant)
			call_view_changed(ex, live);
	}
}
