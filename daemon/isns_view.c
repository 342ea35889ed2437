#include "daemon/isns_view.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "daemon/exports.h"

/* ------ addresses ------ */

static void
addr_take(const struct sockaddr *from, uint8_t dst[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)from;
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)from;

	if (from->sa_family == AF_INET6) {
		memcpy(dst, &in6->sin6_addr, 16);
	} else {
		memcpy(dst, mapped, sizeof(mapped));
		memcpy(dst + sizeof(mapped), &in->sin_addr, 4);
	}
}

static bool
addr_is_any(const uint8_t addr[16])
{
	static const uint8_t any[2][16] = { { 0 }, { [10] = 0xff, [11] = 0xff } };

	return memcmp(addr, any[0], 16) == 0 || memcmp(addr, any[1], 16) == 0;
}

static bool
addr_is_loopback(const uint8_t addr[16])
{
	struct in6_addr in6;

	memcpy(&in6, addr, 16);
	return IN6_IS_ADDR_LOOPBACK(&in6) || (IN6_IS_ADDR_V4MAPPED(&in6) && addr[12] == 127);
}

/* means something on one cable only, and not without the name of the interface */
static bool
addr_is_link_local(const uint8_t addr[16])
{
	return addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

/* ------ portals ------ */

struct maker {
	struct isns_view *view;
	const struct ifaddrs *interfaces;
	bool want_loopback;
};

static void
portal_add(struct maker *m, const struct isns_portal *portal)
{
	struct isns_view *view = m->view;

	if ((addr_is_loopback(portal->addr) && !m->want_loopback) ||
	    addr_is_link_local(portal->addr))
		return;
	for (size_t i = 0; i < view->n_portals; i++)
		if (memcmp(view->portals[i].addr, portal->addr, 16) == 0 &&
		    view->portals[i].port == portal->port)
			return;
	if (view->n_portals == ISNS_PORTALS_MAX)
		view->is_cut = true;
	else
		view->portals[view->n_portals++] = *portal;
}

/* listeners of IPv6 take no IPv4: each is about the addresses of its own family */
static void
portals_add_any(struct maker *m, sa_family_t family, const struct isns_portal *portal)
{
	for (const struct ifaddrs *i = m->interfaces; i != NULL; i = i->ifa_next) {
		struct isns_portal one = *portal;

		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != family ||
		    (i->ifa_flags & IFF_UP) == 0)
			continue;
		addr_take(i->ifa_addr, one.addr);
		portal_add(m, &one);
	}
}

static void
portals_add(struct maker *m, struct exports *ex, const struct ex_portal *from)
{
	struct isns_portal portal = { .group = (uint16_t)from->group };
	struct sockaddr_storage addr;
	char bound[EX_ADDR_LEN];
	socklen_t len;

	if (!exports_portal_bound(ex, from->o.name, bound) ||
	    ex_addr_parse(bound, &addr, &len) < 0)
		return;
	addr_take((const struct sockaddr *)&addr, portal.addr);
	portal.port = ntohs(addr.ss_family == AF_INET6 ?
	    ((const struct sockaddr_in6 *)(const void *)&addr)->sin6_port :
	    ((const struct sockaddr_in *)(const void *)&addr)->sin_port);
	if (addr_is_any(portal.addr))
		portals_add_any(m, addr.ss_family, &portal);
	else
		portal_add(m, &portal);
}

/* ------ targets ------ */

/* Could anybody log in who has heard of it? Exports to nobody by name are for this machine. */
static bool
target_is_open(const struct isns_view *view, const struct ex_target *target, bool want_loopback)
{
	const struct ex_export *const *e;
	bool is_served = false;
	size_t n;

	for (size_t i = 0; !is_served && i < view->n_portals; i++)
		is_served = isns_view_serves(target, &view->portals[i]);
	e = ex_set_exports(view->set, target, &n);
	for (size_t i = 0; is_served && i < n; i++)
		if (e[i]->acl != NULL || e[i]->allow_anyone || want_loopback)
			return true;
	return false;
}

static int
target_order(const void *a, const void *b)
{
	const struct ex_target *const *left = a, *const *right = b;

	return strcmp((*left)->o.name, (*right)->o.name);
}

static int
targets_add(struct isns_view *view, bool want_loopback)
{
	size_t n = ex_set_count(view->set, EX_TARGET);

	view->targets = fault_hit() ? NULL : calloc(n + 1, sizeof(*view->targets));
	if (view->targets == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct ex_target *target = (const struct ex_target *)ex_set_at(view->set,
		    EX_TARGET, i);

		if (target_is_open(view, target, want_loopback))
			view->targets[view->n_targets++] = target;
	}
	qsort(view->targets, view->n_targets, sizeof(*view->targets), target_order);
	if (view->n_targets == 0)
		view->n_portals = 0;
	return 0;
}

/* ------ views ------ */

int
isns_view_new(struct exports *ex, bool want_loopback, struct isns_view **ret)
{
	struct isns_view *view = fault_hit() ? NULL : calloc(1, sizeof(*view));
	struct ifaddrs *interfaces = NULL;
	struct maker m;
	int r;

	if (view == NULL)
		return -ENOMEM;
	if (getifaddrs(&interfaces) < 0) {
		r = -errno;
		free(view);
		return r;
	}
	view->set = exports_set(ex);
	m = (struct maker){ view, interfaces, want_loopback };
	for (size_t i = 0; i < ex_set_count(view->set, EX_PORTAL); i++)
		portals_add(&m, ex, (const struct ex_portal *)ex_set_at(view->set, EX_PORTAL,
		    i));
	freeifaddrs(interfaces);
	r = targets_add(view, want_loopback);
	if (r < 0)
		isns_view_free(view);
	else
		*ret = view;
	return r;
}

void
isns_view_free(struct isns_view *view)
{
	if (view == NULL)
		return;
	free(view->targets);
	ex_set_unref(view->set);
	free(view);
}

bool
isns_view_serves(const struct ex_target *target, const struct isns_portal *portal)
{
	for (size_t i = 0; i < target->groups.n; i++)
		if (target->tags[i] == portal->group)
			return true;
	return false;
}

bool
isns_view_find(const struct isns_view *view, const char *name, size_t *ret_at)
{
	struct ex_target key = { .o = { .name = (char *)(uintptr_t)name } };
	const struct ex_target *wanted = &key, **found;

	found = bsearch(&wanted, view->targets, view->n_targets, sizeof(*view->targets),
	    target_order);
	if (found == NULL)
		return false;
	*ret_at = (size_t)(found - view->targets);
	return true;
}

static bool
target_same(const struct ex_target *a, const struct ex_target *b)
{
	const char *left = a->alias != NULL ? a->alias : "";
	const char *right = b->alias != NULL ? b->alias : "";

	return a == b || (strcmp(left, right) == 0 && a->groups.n == b->groups.n &&
	    memcmp(a->tags, b->tags, a->groups.n * sizeof(a->tags[0])) == 0);
}

static bool
has_portal(const struct isns_view *view, const struct isns_portal *portal)
{
	for (size_t i = 0; i < view->n_portals; i++)
		if (memcmp(&view->portals[i], portal, sizeof(*portal)) == 0)
			return true;
	return false;
}

bool
isns_view_within(const struct isns_view *a, const struct isns_view *b)
{
	for (size_t i = 0; i < a->n_portals; i++)
		if (!has_portal(b, &a->portals[i]))
			return false;
	for (size_t i = 0; i < a->n_targets; i++) {
		size_t at;

		if (!isns_view_find(b, a->targets[i]->o.name, &at) ||
		    !target_same(a->targets[i], b->targets[at]))
			return false;
	}
	return true;
}

bool
isns_view_same(const struct isns_view *a, const struct isns_view *b)
{
	return a->n_portals == b->n_portals && a->n_targets == b->n_targets &&
	    isns_view_within(a, b);
}
