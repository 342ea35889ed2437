#include "daemon/ex_access.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/fault.h"
#include "daemon/ex_impl.h"
#include "lu/lu.h"
#include "lu/view.h"

/* ------ who is meant ------ */

struct ip {
	sa_family_t family;
	uint8_t bytes[16];
};

static struct ip
ip_of(const struct sockaddr *addr)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)addr;
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)addr;
	struct ip ip = { .family = AF_UNSPEC };

	if (addr != NULL && addr->sa_family == AF_INET) {
		ip.family = AF_INET;
		memcpy(ip.bytes, &in->sin_addr, 4);
	} else if (addr != NULL && addr->sa_family == AF_INET6) {
		bool is_mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);

		ip.family = is_mapped ? AF_INET : AF_INET6;
		memcpy(ip.bytes, (const uint8_t *)&in6->sin6_addr + (is_mapped ? 12 : 0),
		    is_mapped ? 4 : 16);
	}
	return ip;
}

static bool
ip_is_loopback(const struct ip *ip)
{
	return ip->family == AF_INET ? ip->bytes[0] == 127 : ip->family == AF_INET6 &&
	    memcmp(ip->bytes, &in6addr_loopback, 16) == 0;
}

static bool
net_has(const struct ex_net *net, const struct ip *ip)
{
	unsigned int whole = net->bits / 8, rest = net->bits % 8;

	if (net->family != ip->family || memcmp(net->addr, ip->bytes, whole) != 0)
		return false;
	return rest == 0 || ((net->addr[whole] ^ ip->bytes[whole]) >> (8 - rest)) == 0;
}

static bool
acl_names(const struct ex_acl *acl, const char *initiator)
{
	return acl->initiators.n == 0 || ex_words_fit(&acl->initiators, initiator);
}

static bool
acl_has_addr(const struct ex_acl *acl, const struct ip *ip)
{
	bool is_in = acl->n_nets == 0;

	for (size_t i = 0; !is_in && i < acl->n_nets; i++)
		is_in = net_has(&acl->nets[i], ip);
	return is_in;
}

/* is this export for that peer? @ret_named: its name at least fits */
static bool
export_is_for(const struct ex_set *set, const struct ex_export *e, const struct ex_peer *peer,
    const struct ip *ip, bool *ret_named)
{
	const struct ex_acl *acl;

	if (e->acl == NULL)
		return e->allow_anyone || ip_is_loopback(ip);
	acl = (const struct ex_acl *)ex_set_find(set, EX_ACL, e->acl);
	if (acl == NULL || !acl_names(acl, peer->initiator))
		return false;
	/* a list of addresses alone names nobody */
	*ret_named = *ret_named || acl->initiators.n > 0;
	return acl_has_addr(acl, ip);
}

/* ------ login and discovery ------ */

enum ex_verdict
ex_admit(const struct ex_set *set, const struct ex_target *target, const struct ex_peer *peer)
{
	struct ip ip = ip_of(peer->addr);
	bool is_for = false, is_named = false;
	const struct ex_export *const *e;
	size_t n;

	if (target == NULL || ex_target_rtpi(set, target, peer->group) == 0)
		return EX_NOT_FOUND;
	e = ex_set_exports(set, target, &n);
	for (size_t i = 0; !is_for && i < n; i++)
		is_for = export_is_for(set, e[i], peer, &ip, &is_named);
	if (!is_for)
		return is_named ? EX_FORBIDDEN : EX_NOT_FOUND;
	return target->redirect != NULL ? EX_REDIRECT : EX_ADMIT;
}

bool
ex_visible(const struct ex_set *set, const struct ex_target *target, const struct ex_peer *peer)
{
	enum ex_verdict verdict = ex_admit(set, target, peer);

	return verdict == EX_ADMIT || verdict == EX_REDIRECT;
}

const struct ex_words *
ex_target_chap(const struct ex_target *target)
{
	return &target->chap;
}

const struct ex_words *
ex_discovery_chap(const struct ex_set *set)
{
	static const struct ex_words none;

	if (ex_set_count(set, EX_DISCOVERY) == 0)
		return &none;
	return &((const struct ex_discovery *)ex_set_at(set, EX_DISCOVERY, 0))->chap;
}

const struct ex_chap *
ex_chap_find(const struct ex_set *set, const struct ex_words *accounts, const char *user)
{
	const struct ex_chap *found = NULL;

	for (size_t i = 0; i < accounts->n; i++) {
		const struct ex_chap *a = (const struct ex_chap *)ex_set_find(set, EX_CHAP,
		    accounts->v[i]);

		if (a != NULL && found == NULL && strcmp(a->user, user) == 0)
			found = a;
	}
	return found;
}

/* ------ views ------ */

/* a view in the making; finding a unit in it takes no longer when it is large */
struct view_draft {
	struct lu_view_entry *entries;
	size_t n, room;
	uint16_t *places;	/* by hash of the unit: place in entries and 1, or 0; 2 * room */
	uint8_t luns[EX_LUN_MAX / 8 + 1];	/* bits: those that are taken */
};

static void
draft_fini(struct view_draft *d)
{
	for (size_t i = 0; i < d->n; i++)
		lu_unref(d->entries[i].unit);
	free(d->entries);
	free(d->places);
}

/* where @unit is, or would be */
static uint16_t *
draft_place(const struct view_draft *d, const struct lu *unit)
{
	size_t mask = 2 * d->room - 1;
	size_t i = (size_t)(lu_id(unit) * 0x9e3779b97f4a7c15u >> 32) & mask;

	while (d->places[i] != 0 && d->entries[d->places[i] - 1].unit != unit)
		i = (i + 1) & mask;
	return &d->places[i];
}

static int
draft_grow(struct view_draft *d)
{
	size_t room = d->room == 0 ? 8 : 2 * d->room;
	struct lu_view_entry *entries = fault_hit() ? NULL :
	    reallocarray(d->entries, room, sizeof(*entries));
	uint16_t *places;

	if (entries == NULL)
		return -ENOMEM;
	d->entries = entries;
	places = fault_hit() ? NULL : calloc(2 * room, sizeof(*places));
	if (places == NULL)
		return -ENOMEM;
	free(d->places);
	d->places = places;
	d->room = room;
	for (size_t i = 0; i < d->n; i++)
		*draft_place(d, d->entries[i].unit) = (uint16_t)(i + 1);
	return 0;
}

/* takes the reference of the unit. The first export of a LUN, and of a unit, counts */
static int
draft_add(struct view_draft *d, struct lu *unit, const struct ex_export *e)
{
	uint8_t bit = (uint8_t)(1u << e->lun % 8);
	uint16_t *place;
	int r = d->n < d->room ? 0 : draft_grow(d);

	if (r < 0) {
		lu_unref(unit);
		return r;
	}
	place = draft_place(d, unit);
	if (d->n == LU_VIEW_MAX || *place != 0 || (d->luns[e->lun / 8] & bit) != 0) {
		lu_unref(unit);
		return 0;
	}
	d->luns[e->lun / 8] |= bit;
	d->entries[d->n++] = (struct lu_view_entry){ unit, e->lun, e->classes, e->weight };
	*place = (uint16_t)d->n;
	return 0;
}

int
ex_view(const struct ex_set *set, const struct ex_target *target, const struct ex_peer *peer,
    struct lu_view **ret_view)
{
	CLEANUP(draft_fini) struct view_draft d = { 0 };
	struct ip ip = ip_of(peer->addr);
	bool is_for = false, is_named = false;
	const struct ex_export *const *e;
	struct lu *unit;
	size_t n;
	int r = 0;

	if (ex_target_rtpi(set, target, peer->group) == 0)
		return -EACCES;
	e = ex_set_exports(set, target, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!export_is_for(set, e[i], peer, &ip, &is_named))
			continue;
		is_for = true;
		if (lu_find(e[i]->unit, &unit, NULL, 0) == 0)
			r = draft_add(&d, unit, e[i]);
	}
	if (r == 0 && !is_for)
		r = -EACCES;
	return r < 0 ? r : lu_view_new(d.entries, d.n, ret_view, NULL);
}

/* ------ local clients ------ */

static bool
local_is_about(const struct ex_local *l, const struct access_cred *cred)
{
	if (!l->is_group)
		return cred->uid == l->id;
	if (cred->gid == l->id)
		return true;
	for (size_t i = 0; i < cred->n_groups; i++)
		if (cred->groups[i] == l->id)
			return true;
	return false;
}

uint32_t
ex_local_classes(const struct ex_set *set, const struct access_cred *cred, Scsad__Role role,
    const char *unit_path, uint32_t *ret_weight)
{
	uint32_t of_role = access_classes(role), classes = 0;
	size_t n = ex_set_count(set, EX_LOCAL);

	*ret_weight = LU_WEIGHT_DEFAULT;
	if (n == 0 || role >= SCSAD__ROLE__ROLE_ADMIN)
		return of_role;
	for (size_t i = 0; i < n; i++) {
		const struct ex_local *l = (const struct ex_local *)ex_set_at(set, EX_LOCAL, i);

		if (!local_is_about(l, cred) || !ex_words_fit(&l->units, unit_path))
			continue;
		classes |= l->classes;
		if (l->weight > *ret_weight)
			*ret_weight = l->weight;
	}
	return classes & of_role;
}
