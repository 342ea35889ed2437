#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/num.h"
#include "daemon/ex_finish.h"
#include "daemon/ex_impl.h"

#define PORT_NAME_LEN	(EX_NAME_MAX + 8)	/* "TARGET,TAG" */

/* ------ accounts ------ */

static int
accounts_check(const struct ex_set *set, const struct ex_object *o,
    const struct ex_words *accounts, struct ex_fault *f)
{
	for (size_t i = 0; i < accounts->n; i++) {
		const struct ex_chap *a = (const struct ex_chap *)ex_set_find(set, EX_CHAP,
		    accounts->v[i]);

		if (a == NULL)
			return ex_complain(f, o, -ENOENT, "chap", i, "there is no account '%s'",
			    ex_shown(accounts->v[i]));
		for (size_t k = 0; k < i; k++) {
			const struct ex_chap *b = (const struct ex_chap *)ex_set_find(set,
			    EX_CHAP, accounts->v[k]);

			if (strcmp(a->user, b->user) == 0)
				return ex_complain(f, o, -EINVAL, "chap", i,
				    "'%s' has the user of '%s': which secret would count?",
				    ex_shown(a->o.name), ex_shown(b->o.name));
		}
	}
	return 0;
}

/* ------ exports ------ */

/* a portal that other machines reach, through which @target is served; or NULL */
static const struct ex_portal *
open_portal(const struct ex_set *set, const struct ex_target *target)
{
	for (size_t i = 0; i < ex_set_count(set, EX_PORTAL); i++) {
		const struct ex_portal *p = (const struct ex_portal *)ex_set_at(set, EX_PORTAL,
		    i);

		for (size_t g = 0; !p->is_loopback && g < target->groups.n; g++)
			if (target->tags[g] == p->group)
				return p;
	}
	return NULL;
}

static int
export_check(const struct ex_set *set, const struct ex_export *e, struct ex_fault *f)
{
	const struct ex_target *target = ex_set_target(set, e->target);
	const struct ex_portal *portal;

	if (target == NULL)
		return ex_complain(f, &e->o, -ENOENT, "target", 0, "there is no target '%s'",
		    ex_shown(e->target));
	if (e->acl != NULL) {
		if (ex_set_find(set, EX_ACL, e->acl) != NULL)
			return 0;
		return ex_complain(f, &e->o, -ENOENT, "acl", 0, "there is no access list '%s'",
		    ex_shown(e->acl));
	}
	portal = e->allow_anyone ? NULL : open_portal(set, target);
	if (portal == NULL)
		return 0;
	return ex_complain(f, &e->o, -EINVAL, NULL, 0, "has no access list, and portal %s is "
	    "open to other machines: name an acl, or say allow_anyone", portal->o.name);
}

struct pair {
	const struct ex_export *e;
};

static int
pair_order(const void *a, const void *b)
{
	const struct ex_export *ea = ((const struct pair *)a)->e, *eb = ((const struct pair *)b)->e;
	int r = strcmp(ea->target, eb->target);

	if (r == 0)
		r = strcmp(ea->acl == NULL ? "" : ea->acl, eb->acl == NULL ? "" : eb->acl);
	return r != 0 ? r : strcmp(ea->unit, eb->unit);
}

/* to one initiator a unit has one LUN */
static int
units_check(const struct ex_set *set, struct ex_fault *f)
{
	size_t n = ex_set_count(set, EX_EXPORT);
	CLEANUP(free_ptr) struct pair *pairs = NULL;

	if (n < 2)
		return 0;
	pairs = fault_hit() ? NULL : calloc(n, sizeof(*pairs));
	if (pairs == NULL)
		return ex_complain(f, NULL, -ENOMEM, NULL, 0, "out of memory");
	for (size_t i = 0; i < n; i++)
		pairs[i].e = (const struct ex_export *)ex_set_at(set, EX_EXPORT, i);
	qsort(pairs, n, sizeof(*pairs), pair_order);
	for (size_t i = 1; i < n; i++)
		if (pair_order(&pairs[i - 1], &pairs[i]) == 0)
			return ex_complain(f, &pairs[i].e->o, -EINVAL, "unit", 0,
			    "'%s' is LUN %u there already", ex_shown(pairs[i].e->unit),
			    pairs[i - 1].e->lun);
	return 0;
}

/* ------ target ports ------ */

static int
ports_check(const struct ex_set *set, struct ex_fault *f)
{
	CLEANUP(free_ptr) const struct ex_port **owner = NULL;
	size_t n = 0;

	for (size_t i = 0; i < ex_set_count(set, EX_TARGET); i++) {
		const struct ex_target *t = (const struct ex_target *)ex_set_at(set, EX_TARGET,
		    i);

		n += t->groups.n;
		if (n > EX_PORTS_MAX)
			return ex_complain(f, &t->o, -EINVAL, "groups", 0, "are more target "
			    "ports than there can be: %d pairs of target and portal group",
			    EX_PORTS_MAX);
	}
	owner = fault_hit() ? NULL : calloc(EX_RTPI_MAX + 1, sizeof(owner[0]));
	if (owner == NULL)
		return ex_complain(f, NULL, -ENOMEM, NULL, 0, "out of memory");
	for (size_t i = 0; i < ex_set_count(set, EX_PORT); i++) {
		const struct ex_port *p = (const struct ex_port *)ex_set_at(set, EX_PORT, i);

		if (owner[p->rtpi] != NULL)
			return ex_complain(f, &p->o, -EINVAL, "rtpi", 0, "%u is that of '%s'",
			    p->rtpi, ex_shown(owner[p->rtpi]->o.name));
		owner[p->rtpi] = p;
	}
	return 0;
}

static void
port_name(char *dst, const struct ex_target *t, uint16_t tag)
{
	(void)snprintf(dst, PORT_NAME_LEN, "%s,%u", t->o.name, tag);
}

/* the lowest identifier that nobody has, from @from on; 0: none */
static uint32_t
rtpi_free(const struct ex_set *set, uint32_t from)
{
	for (uint32_t rtpi = from; rtpi <= EX_RTPI_MAX; rtpi++) {
		size_t i = 0;

		while (i < ex_set_count(set, EX_PORT) && ((const struct ex_port *)ex_set_at(set,
		    EX_PORT, i))->rtpi != rtpi)
			i++;
		if (i == ex_set_count(set, EX_PORT))
			return rtpi;
	}
	return 0;
}

static int
port_make(struct ex_set *set, const struct ex_target *t, uint16_t tag, struct ex_fault *f)
{
	char name[PORT_NAME_LEN], number[16];
	const char *values[] = { number };
	const struct ex_setting setting = { "rtpi", values, 1 };
	struct ex_object *port;
	int r;

	port_name(name, t, tag);
	if (ex_set_find(set, EX_PORT, name) != NULL)
		return 0;
	(void)snprintf(number, sizeof(number), "%u", rtpi_free(set, 1));
	r = ex_object_new(EX_PORT, EX_FROM_STATE, ex_set_count(set, EX_PORT), name, NULL,
	    &setting, 1, &port, f);
	if (r == 0)
		r = ex_set_add(set, port);
	if (r == -ENOSPC)
		return ex_complain(f, &t->o, r, "groups", 0,
		    "are more target ports than identifiers are kept for");
	return r == -ENOMEM ? ex_complain(f, NULL, r, NULL, 0, "out of memory") : r;
}

/* forget the identifiers of targets that are gone, when there is no room for new ones */
static void
ports_forget(struct ex_set *set)
{
	for (size_t i = 0; i < ex_set_count(set, EX_PORT);) {
		const struct ex_object *port = ex_set_at(set, EX_PORT, i);
		char name[PORT_NAME_LEN];

		(void)snprintf(name, sizeof(name), "%s", port->name);
		*strrchr(name, ',') = '\0';
		if (ex_set_find(set, EX_TARGET, name) == NULL)
			ex_set_drop(set, EX_PORT, port->name);
		else
			i++;
	}
}

int
ex_ports_assign(struct ex_set *set, struct ex_fault *reterr)
{
	int r = 0;

	if (ex_set_count(set, EX_PORT) + EX_PORTS_MAX > EX_KNOWN_PORTS_MAX)
		ports_forget(set);
	for (size_t i = 0; r == 0 && i < ex_set_count(set, EX_TARGET); i++) {
		const struct ex_target *t = (const struct ex_target *)ex_set_at(set, EX_TARGET,
		    i);

		for (size_t g = 0; r == 0 && g < t->groups.n; g++)
			r = port_make(set, t, t->tags[g], reterr);
	}
	return r;
}

uint16_t
ex_target_rtpi(const struct ex_set *set, const struct ex_target *target, uint16_t group)
{
	char name[PORT_NAME_LEN];
	const struct ex_port *port = NULL;

	port_name(name, target, group);
	for (size_t g = 0; g < target->groups.n; g++)
		if (target->tags[g] == group)
			port = (const struct ex_port *)ex_set_find(set, EX_PORT, name);
	return port == NULL ? 0 : (uint16_t)port->rtpi;
}

/* ------ all of it ------ */

int
ex_check(const struct ex_set *set, struct ex_fault *reterr)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ex_set_count(set, EX_TARGET); i++) {
		const struct ex_target *t = (const struct ex_target *)ex_set_at(set, EX_TARGET,
		    i);

		r = accounts_check(set, &t->o, &t->chap, reterr);
	}
	for (size_t i = 0; r == 0 && i < ex_set_count(set, EX_DISCOVERY); i++) {
		const struct ex_discovery *d = (const struct ex_discovery *)ex_set_at(set,
		    EX_DISCOVERY, i);

		r = accounts_check(set, &d->o, &d->chap, reterr);
	}
	for (size_t i = 0; r == 0 && i < ex_set_count(set, EX_EXPORT); i++)
		r = export_check(set, (const struct ex_export *)ex_set_at(set, EX_EXPORT, i),
		    reterr);
	if (r == 0)
		r = units_check(set, reterr);
	return r < 0 ? r : ports_check(set, reterr);
}
