/*
 * daemon/ex_set.h - what is exported to whom, as one immutable set of objects
 *
 * What      Portals, portal groups, targets, access lists, CHAP accounts, exports, local rules
 *           and policies of units. Each is an object with a kind and a name; a set holds the
 *           objects of one instant. Objects and sets never change: a change makes new objects,
 *           and a new set that shares the others. So two sets are compared by pointers, and
 *           who holds a set can look as long as it likes.
 * Words     A portal is an address that initiators connect to. Its group (RFC 7143: target
 *           portal group) has a tag, which is the number of the ALUA target port group as well.
 *           A target is served by some groups; the pair is a target port of SCSI and has a
 *           relative target port identifier that stays its own for ever.
 * Owner     Sets and objects are counted; ex_set_ref()/ex_set_unref(). What a function answers
 *           out of a set is borrowed from the set.
 * Thread    Any; constant once made.
 * Limits    Names 223 bytes (RFC 7143 4.2.7.1), EX_*_MAX.
 * Source    scsad.conf(5); RFC 7143 4.2, 4.4, 6.3; SPC-4 5.15
 */
#ifndef DAEMON_EX_SET_H
#define DAEMON_EX_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/compiler.h"
#include "lu/recover.h"

#define EX_NAME_MAX		223	/* bytes of an iSCSI name */
#define EX_PORTALS_MAX		64
#define EX_GROUPS_MAX		32	/* and portal groups of one target (ALUA_GROUPS_MAX) */
#define EX_TARGETS_MAX		4096
#define EX_ACLS_MAX		4096
#define EX_ACL_WORDS_MAX	4096	/* names, addresses of one access list */
#define EX_CHAPS_MAX		4096
#define EX_EXPORTS_MAX		65536
#define EX_PORTS_MAX		256	/* target ports: pairs of target and portal group */
#define EX_LOCALS_MAX		256
#define EX_UNITS_MAX		16384
#define EX_LUN_MAX		16383	/* flat space addressing, SAM-5 4.7.7.3 */
#define EX_DEPTH_MAX		65535
#define EX_TIMEOUT_MAX_S	86400
#define EX_RECOVER_MAX_S	3600
#define EX_PORT_DEFAULT		3260
#define EX_SECRET_MIN		12	/* RFC 7143 9.2.1: 96 bits */
#define EX_SECRET_MAX		255
#define EX_ADDR_LEN		64	/* "[addr%scope]:port" with its NUL */
#define EX_ERR_LEN		512

enum ex_kind {
	EX_PORTAL,
	EX_GROUP,
	EX_CHAP,
	EX_ACL,
	EX_TARGET,
	EX_EXPORT,
	EX_DISCOVERY,		/* one object at most: how discovery sessions log in */
	EX_LOCAL,
	EX_UNIT,		/* policy, depth and patience of a unit */
	EX_PORT,		/* identifier of a target port; made by the daemon itself */
	EX_KIND_N
};

/* where an object comes from; only EX_FROM_STATE can be changed by request */
enum ex_from {
	EX_FROM_FILE,		/* the administrator's file */
	EX_FROM_OPTION,		/* the command line */
	EX_FROM_STATE,		/* the daemon's own file: somebody asked for it at run time */
	EX_FROM_N
};

/* head of every object */
struct ex_object {
	_Atomic uint32_t refs;
	enum ex_kind kind;
	enum ex_from from;
	size_t at;		/* place in its part of the file it comes from */
	char *name;		/* unique among its kind */
};

struct ex_words {
	char **v;
	size_t n;
};

/* an address, or with port 0 and fewer bits a network */
struct ex_net {
	sa_family_t family;
	uint8_t bits;		/* 0 .. 32, 0 .. 128 */
	uint8_t addr[16];	/* IPv4: the first four */
};

/* name: "127.0.0.1:3260", "[::1]:3260", "0.0.0.0:0" (port 0: the system picks one) */
struct ex_portal {
	struct ex_object o;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	bool is_loopback;
	uint32_t group;		/* its tag, 1 .. 65535 */
};

/* name: its tag in decimal. A group without an object of its own is active/optimized */
struct ex_group {
	struct ex_object o;
	uint32_t tag;
	uint32_t state;		/* asymmetric access state, SPC-4 table 247: 0 optimized ... */
	bool is_preferred;
};

/* bytes that are never printed, and wiped when the object goes */
struct ex_secret {
	uint8_t bytes[EX_SECRET_MAX + 1];
	uint16_t len;		/* 0: there is none */
};

/* name: of the account, for people; the user is what goes over the wire */
struct ex_chap {
	struct ex_object o;
	char *user;
	char *secret_file, *secret_credential;		/* exactly one of the two */
	char *mutual_user;				/* NULL: one-way only */
	char *mutual_secret_file, *mutual_secret_credential;
	struct ex_secret secret, mutual_secret;
};

/* Who is meant: an initiator whose name is one of initiators (or they are empty) and that comes
 * from one of nets (or they are empty). Not both are empty. */
struct ex_acl {
	struct ex_object o;
	struct ex_words initiators;	/* names; '*' at the end fits any rest */
	struct ex_net *nets;
	size_t n_nets;
	struct ex_words addresses;	/* nets as they were written */
};

/* name: "TARGET,TAG". Outlives its target, so that one that is made again is known again */
struct ex_port {
	struct ex_object o;
	uint32_t rtpi;		/* relative target port identifier, 1 .. 65534; of it alone */
};

/* name: the iSCSI name */
struct ex_target {
	struct ex_object o;
	char *alias;			/* NULL: none */
	struct ex_words groups;		/* tags of the portal groups it is served by, as words */
	uint16_t tags[EX_GROUPS_MAX];	/* as numbers; groups.n of them */
	struct ex_words chap;		/* accounts that may log in; empty: nobody is asked */
	char *redirect;			/* NULL, or "192.0.2.7:3260": log in there instead */
	bool is_redirect_permanent;	/* 0102h instead of 0101h (RFC 7143 11.13.5) */
	uint32_t nop_interval_s;	/* idle so long: NOP-In; 0: never */
	uint32_t nop_timeout_s;		/* not answered so long: the connection is closed */
	uint32_t sessions_max;		/* at one time */
	uint32_t connections_max;	/* of one session; offered as MaxConnections */
	uint32_t recovery_level;	/* offered as ErrorRecoveryLevel, 0 .. 2 */
	uint32_t retain_s;		/* offered as DefaultTime2Retain */
	uint32_t wait_max_s;		/* with a longer Time2Wait a session is not kept */
	uint32_t window;		/* commands of one session in flight */
};

/* name: "TARGET,LUN" or "TARGET,LUN,ACL" */
struct ex_export {
	struct ex_object o;
	char *unit;			/* path of the unit; it need not be there now */
	char *target;
	uint32_t lun;			/* 0 .. EX_LUN_MAX */
	char *acl;			/* NULL: whoever may log in; see allow_anyone */
	bool allow_anyone;		/* without acl: also through portals that are no loopback */
	struct ex_words access;		/* as it was written: "ro", "rw", "all", classes */
	uint32_t classes;		/* LU_CLASS() mask of it */
	uint32_t weight;		/* share when the unit is full, 1 .. LU_WEIGHT_MAX */
};

/* name: "user:NAME", "uid:N", "group:NAME", "gid:N". With any rule, clients of the socket that
 * are no admin see and open only units of rules about them. */
struct ex_local {
	struct ex_object o;
	bool is_group;
	uint32_t id;
	struct ex_words units;		/* paths; '*' at the end fits any rest */
	struct ex_words access;
	uint32_t classes;
	uint32_t weight;
};

struct ex_discovery {
	struct ex_object o;
	struct ex_words chap;		/* as of targets */
};

enum ex_answer { EX_EMULATE, EX_PASS };	/* answered by us, or sent to the device */

/* name: path of the unit */
struct ex_unit {
	struct ex_object o;
	/* enum ex_answer of each enum lu_policy (lu/policy.h) */
	uint32_t reservations, alua, inquiry, opcodes, copy, prevent;
	uint32_t depth;			/* commands with its HBA at a time; 0: no limit */
	uint32_t timeout_s;		/* of commands that bring none */
	struct lu_recover_times times;
};

struct ex_set;

struct ex_set *ex_set_ref(struct ex_set *set);
void ex_set_unref(struct ex_set *set);		/* NULL is fine */

/* ex_set_generation() - counts changes, over restarts, too; never 0 */
uint64_t ex_set_generation(const struct ex_set *set);

/* ex_set_count(), ex_set_at() - all objects of a kind, in the order of configuration;
 * ex_set_find() - by name, or NULL. Cast to the struct of the kind */
size_t ex_set_count(const struct ex_set *set, enum ex_kind kind);
const struct ex_object *ex_set_at(const struct ex_set *set, enum ex_kind kind, size_t i);
const struct ex_object *ex_set_find(const struct ex_set *set, enum ex_kind kind,
    const char *name);

/* ex_set_exports() - the exports of a target, @ret_n of them, in the order of the set */
const struct ex_export *const *ex_set_exports(const struct ex_set *set,
    const struct ex_target *target, size_t *ret_n);

/* ex_set_target() - by iSCSI name, whatever its letters' case (RFC 7143 4.2.7.2); or NULL */
const struct ex_target *ex_set_target(const struct ex_set *set, const char *name);

/* ex_kind_name() - "portal"; ex_kind_plural() - "portals", also the key in the file */
const char *ex_kind_name(enum ex_kind kind);
const char *ex_kind_plural(enum ex_kind kind);

#endif /* DAEMON_EX_SET_H */
