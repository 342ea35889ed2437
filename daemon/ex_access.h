/*
 * daemon/ex_access.h - what a set allows to an initiator
 *
 * What      Questions of login, discovery and sessions, answered from one set. What no object
 *           allows is refused.
 * Thread    Any; no state. Nothing here blocks but ex_view(), which takes short locks.
 * Source    RFC 7143 4.3, 9; scsad.conf(5)
 */
#ifndef DAEMON_EX_ACCESS_H
#define DAEMON_EX_ACCESS_H

#include <sys/socket.h>

#include "daemon/access.h"
#include "daemon/ex_set.h"

struct lu_view;

/* who asks, and through which door */
struct ex_peer {
	const char *initiator;		/* its iSCSI name, normalised */
	const struct sockaddr *addr;	/* where it comes from; IPv4 mapped into IPv6 is IPv4 */
	uint16_t group;			/* tag of the portal it came through */
};

enum ex_verdict {
	EX_ADMIT,		/* log in, after CHAP if the target has accounts */
	EX_NOT_FOUND,		/* no such target, or not through this portal group, or it is not
				 * to know that there is one: status 0203h */
	EX_FORBIDDEN,		/* there is one, nothing of it is exported to this initiator: status
				 * 0202h; only for names that some access list of the target
				 * has, from another address */
	EX_REDIRECT,		/* status 0101h or 0102h, TargetAddress is target->redirect */
};

/* ex_admit() - may it log in to @target (NULL: EX_NOT_FOUND)? */
enum ex_verdict ex_admit(const struct ex_set *set, const struct ex_target *target,
    const struct ex_peer *peer);

/* ex_visible() - is the target told to it by SendTargets? As EX_ADMIT or EX_REDIRECT */
bool ex_visible(const struct ex_set *set, const struct ex_target *target,
    const struct ex_peer *peer);

/* ex_target_rtpi() - the relative target port identifier of a target in a portal group; 0: it
 * is not served there. lu_port_find() has the port while the target is up */
uint16_t ex_target_rtpi(const struct ex_set *set, const struct ex_target *target,
    uint16_t group);

/* ex_target_chap(), ex_discovery_chap() - accounts that may log in; none: AuthMethod is None */
const struct ex_words *ex_target_chap(const struct ex_target *target);
const struct ex_words *ex_discovery_chap(const struct ex_set *set);

/* ex_chap_find() - the account among @accounts with that user (CHAP_N); NULL: refuse, after the
 * same work as for a wrong secret */
const struct ex_chap *ex_chap_find(const struct ex_set *set, const struct ex_words *accounts,
    const char *user);

/**
 * ex_view() - what @peer sees of @target: units by LUN
 *
 * Units that are not there now are left out; exports_ops.view_changed tells when that changes.
 * Where several exports give one LUN, the first in the order of the set counts.
 *
 * @ret_view  the caller's reference
 *
 * Returns:  0
 *           -EACCES   nothing is exported to it: the session must end
 *           -ENOMEM
 */
int ex_view(const struct ex_set *set, const struct ex_target *target,
    const struct ex_peer *peer, struct lu_view **ret_view) MUST_CHECK;

/**
 * ex_local_classes() - which commands a client of the Unix socket may send to a unit
 *
 * @role        its role; admin is not bound by local rules
 * @ret_weight  its share when the unit is full: the largest of the rules about it
 *
 * Returns:  LU_CLASS() mask; 0: it may not even open the unit
 */
uint32_t ex_local_classes(const struct ex_set *set, const struct access_cred *cred,
    Scsad__Role role, const char *unit_path, uint32_t *ret_weight);

/* ex_addr_format() - "192.0.2.7:3260", "[::1]:3260" into EX_ADDR_LEN bytes at @dst, returned */
char *ex_addr_format(const struct sockaddr *addr, char dst[EX_ADDR_LEN]);

/**
 * ex_addr_parse() - "192.0.2.7:3260", "[::1]", "192.0.2.7" (EX_PORT_DEFAULT)
 *
 * Returns:  0, or -EINVAL. Names are not resolved
 */
int ex_addr_parse(const char *word, struct sockaddr_storage *ret, socklen_t *ret_len)
    MUST_CHECK;

#endif /* DAEMON_EX_ACCESS_H */
