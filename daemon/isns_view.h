/*
 * daemon/isns_view.h - what a name server is to know of us, at one instant
 *
 * What      Addresses that initiators can connect to, and targets that somebody can log in to
 *           through one of them. A portal that listens on all addresses stands for those of the
 *           interfaces that are up, link-local ones left out. Loopback addresses mean something
 *           only to a server on this machine.
 * Owner     isns_view_free(). What a view tells is borrowed from its set, which it holds.
 * Thread    Any; constant once made.
 * Limits    ISNS_PORTALS_MAX; more are left out (is_cut).
 * Source    RFC 4171 3.3, 3.4
 */
#ifndef DAEMON_ISNS_VIEW_H
#define DAEMON_ISNS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define ISNS_PORTALS_MAX	64

struct ex_set;
struct ex_target;
struct exports;

struct isns_portal {
	uint8_t addr[16];	/* IPv4 is mapped into IPv6, RFC 4171 6.3.1 */
	uint16_t port;
	uint16_t group;		/* tag of its portal group */
};

struct isns_view {
	struct ex_set *set;		/* a reference */
	struct isns_portal portals[ISNS_PORTALS_MAX];
	size_t n_portals;
	bool is_cut;			/* there are more portals */
	const struct ex_target **targets;	/* by name, ascending */
	size_t n_targets;
};

/**
 * isns_view_new() - look at the exports in force, and at the interfaces
 *
 * @want_loopback  the server is on this machine
 *
 * Shape:    both lists are empty, or none is
 * Returns:  0
 *           -ENOMEM
 *           -errno    the interfaces cannot be listed
 */
int isns_view_new(struct exports *ex, bool want_loopback, struct isns_view **ret) MUST_CHECK;
void isns_view_free(struct isns_view *view);	/* NULL is fine */

/* isns_view_find() - where in the list the target of that name is; false: it is not in it */
bool isns_view_find(const struct isns_view *view, const char *name, size_t *ret_at);

/* isns_view_serves() - does the target belong to the portal's group? */
bool isns_view_serves(const struct ex_target *target, const struct isns_portal *portal);

/* isns_view_within() - is all of @a in @b, too, with the same groups and aliases? */
bool isns_view_within(const struct isns_view *a, const struct isns_view *b);

/* isns_view_same() - would a server be told the same? */
bool isns_view_same(const struct isns_view *a, const struct isns_view *b);

#endif /* DAEMON_ISNS_VIEW_H */
