/*
 * daemon/ex_words.h - the keys of each kind of object, once
 *
 * What      W(T, key) has one word as its value, L(T, key) a list of words; T is whatever the
 *           expander passes through. The reader of files makes its structs and schemas from
 *           these rows, daemon/ex_keys.c gives them meaning.
 */
#ifndef DAEMON_EX_WORDS_H
#define DAEMON_EX_WORDS_H

#define EX_PORTAL_WORDS(W, L, T) \
	W(T, address) W(T, group)
#define EX_GROUP_WORDS(W, L, T) \
	W(T, tag) W(T, state) W(T, preferred)
#define EX_CHAP_WORDS(W, L, T) \
	W(T, name) W(T, user) W(T, secret_file) W(T, secret_credential) \
	W(T, mutual_user) W(T, mutual_secret_file) \
	W(T, mutual_secret_credential)
#define EX_ACL_WORDS(W, L, T) \
	W(T, name) L(T, initiators) L(T, addresses)
#define EX_TARGET_WORDS(W, L, T) \
	W(T, name) W(T, alias) L(T, groups) L(T, chap) W(T, redirect) \
	W(T, redirect_permanent) W(T, nop_interval) W(T, nop_timeout) \
	W(T, max_sessions) W(T, max_connections) W(T, recovery_level) \
	W(T, time2retain) W(T, max_time2wait) W(T, window)
#define EX_EXPORT_WORDS(W, L, T) \
	W(T, target) W(T, lun) W(T, unit) W(T, acl) W(T, allow_anyone) \
	L(T, access) W(T, weight)
#define EX_DISCOVERY_WORDS(W, L, T) \
	L(T, chap)
#define EX_LOCAL_WORDS(W, L, T) \
	W(T, who) L(T, units) L(T, access) W(T, weight)
#define EX_UNIT_WORDS(W, L, T) \
	W(T, unit) W(T, reservations) W(T, alua) W(T, inquiry) W(T, opcodes) \
	W(T, copy) W(T, prevent) W(T, depth) W(T, command_timeout) \
	W(T, recover_grace) W(T, recover_abort) W(T, recover_lun) \
	W(T, recover_target) W(T, recover_bus) W(T, recover_hba)
#define EX_PORT_WORDS(W, L, T) \
	W(T, port) W(T, rtpi)

#define EX_KEYS_MAX	20	/* of one kind, and an end mark */

/* ROW(enum, word of the kind, key in the file, words); DISCOVERY is one mapping, the others are
 * lists of mappings */
#define EX_LISTS(ROW) \
	ROW(EX_PORTAL, portal, portals, EX_PORTAL_WORDS) \
	ROW(EX_GROUP, group, groups, EX_GROUP_WORDS) \
	ROW(EX_CHAP, chap, chap, EX_CHAP_WORDS) \
	ROW(EX_ACL, acl, acls, EX_ACL_WORDS) \
	ROW(EX_TARGET, target, targets, EX_TARGET_WORDS) \
	ROW(EX_EXPORT, export, exports, EX_EXPORT_WORDS) \
	ROW(EX_LOCAL, local, local, EX_LOCAL_WORDS) \
	ROW(EX_UNIT, unit, units, EX_UNIT_WORDS)
#define EX_MAPPINGS(ROW)	ROW(EX_DISCOVERY, discovery, discovery, EX_DISCOVERY_WORDS)
/* only in the daemon's own file */
#define EX_OWN_LISTS(ROW)	ROW(EX_PORT, port, ports, EX_PORT_WORDS)

#endif /* DAEMON_EX_WORDS_H */
