/*
 * lu/alua.h - asymmetric access: through which ports a unit can be reached, and how well
 *
 * What      A unit has target port groups; each has a state, a preference and ports. A pure
 *           machine: it decides which commands a state lets through, writes REPORT TARGET PORT
 *           GROUPS, judges SET TARGET PORT GROUPS, and says who has to hear of a change. What
 *           connects it to units is at the end of this header.
 * Life      alua_new() -> alua_free(). A unit has none until a port is bound to it or a state
 *           is set: then every port is active/optimized.
 * Thread    A machine is used by one thread: its unit's home.
 * Limits    ALUA_GROUPS_MAX groups, ALUA_PORTS_MAX ports a unit.
 * Source    SPC-4 5.15 (target port group asymmetric access states), 6.36, 6.45
 */
#ifndef LU_ALUA_H
#define LU_ALUA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "scsi/opcode.h"
#include "scsi/sense.h"

struct alua;
struct lu;
struct lu_nexus;
struct lu_port;

#define ALUA_GROUPS_MAX		32
#define ALUA_PORTS_MAX		254	/* with the asker's they fit TARGET PORT COUNT */

/* asymmetric access states, as they stand in the descriptors */
enum alua_state {
	ALUA_OPTIMIZED		= 0x0,
	ALUA_NON_OPTIMIZED	= 0x1,
	ALUA_STANDBY		= 0x2,
	ALUA_UNAVAILABLE	= 0x3,
	ALUA_OFFLINE		= 0xe,	/* set by the API only */
	ALUA_TRANSITIONING	= 0xf,	/* as above, or while a SET TARGET PORT GROUPS is saved */
};

/* STATUS CODE of a group: what changed it last */
enum alua_cause {
	ALUA_CAUSE_NONE		= 0,
	ALUA_CAUSE_EXPLICIT	= 1,	/* SET TARGET PORT GROUPS */
	ALUA_CAUSE_IMPLICIT	= 2,	/* the API */
};

/* TPGS of standard INQUIRY data */
enum alua_mode {
	ALUA_MODE_NONE		= 0,	/* no asymmetric access: RTPG and STPG are refused */
	ALUA_MODE_IMPLICIT	= 1,	/* SET TARGET PORT GROUPS is refused */
	ALUA_MODE_EXPLICIT	= 2,
	ALUA_MODE_BOTH		= 3,	/* default */
};

/* ------ the machine ------ */

struct alua_port {
	uint16_t rtpi;
	uint16_t group;
};

struct alua_group {
	uint16_t id;
	uint8_t state;		/* enum alua_state */
	uint8_t cause;		/* enum alua_cause */
	bool is_preferred;
};

/* alua_new() - no groups, no ports, ALUA_MODE_BOTH; NULL: no memory */
struct alua *alua_new(void);
void alua_free(struct alua *alua);	/* NULL is fine */

/* alua_mode(), alua_set_mode() - NULL has ALUA_MODE_BOTH */
enum alua_mode alua_mode(const struct alua *alua);
void alua_set_mode(struct alua *alua, enum alua_mode mode);

/**
 * alua_bind() - the unit can be reached through @rtpi, a port of @group
 *
 * A group that is new is active/optimized, not preferred.
 *
 * Returns:  0; also when it was bound to that group before
 *           -EEXIST   the port is bound to another group
 *           -ENOSPC   too many groups, or ports
 */
int alua_bind(struct alua *alua, uint16_t rtpi, uint16_t group) MUST_CHECK;

/* alua_unbind() - not any more. The group stays, and its state, also without ports; RTPG does
 * not report it then */
void alua_unbind(struct alua *alua, uint16_t rtpi);

/* alua_state_of() - state of a group; ALUA_OPTIMIZED for one that is not known; @alua may be
 * NULL */
enum alua_state alua_state_of(const struct alua *alua, uint16_t group);

/**
 * alua_set() - implicit change of one group
 *
 * @ret_is_changed  the state differs from what it was: every nexus has to hear 2Ah/06h
 *
 * Returns:  0
 *           -EINVAL   no such state
 *           -ENOSPC   too many groups
 */
int alua_set(struct alua *alua, uint16_t group, enum alua_state state, bool *ret_is_changed)
    MUST_CHECK;

/* alua_prefer() - the preference of one group; 0 or -ENOSPC. No unit attention comes of it */
int alua_prefer(struct alua *alua, uint16_t group, bool is_preferred) MUST_CHECK;

/* alua_groups(), alua_ports() - read: how many, and where they begin */
size_t alua_groups(const struct alua *alua, const struct alua_group **ret);
size_t alua_ports(const struct alua *alua, const struct alua_port **ret);

/* ------ commands ------ */

enum alua_verdict {
	ALUA_GO,		/* the state lets it through */
	ALUA_REFUSE,		/* CHECK CONDITION with the sense given */
};

/**
 * alua_check() - does a group in @state execute this command?
 *
 * @op       row of the CDB; NULL when it has none: only active states execute it
 * @cdb      looked at for READ BUFFER and WRITE BUFFER, of which some modes are let through
 * @ret      the sense, when refused: 02h and 04h/0Ah (transitioning), 0Bh (standby), 0Ch
 *           (unavailable), 12h (offline)
 *
 * Source:   SPC-4 5.15.2.4
 */
enum alua_verdict alua_check(enum alua_state state, const struct op_info *op,
    const uint8_t *cdb, struct sense_data *ret);

/**
 * alua_rtpg() - REPORT TARGET PORT GROUPS parameter data
 *
 * @alua       NULL knows no groups
 * @asker      the port the command came in on; it is reported although it may not be bound
 * @is_extended  header with IMPLICIT TRANSITION TIME
 * @buf        @size bytes, written whole pieces only: ALUA_RTPG_MAX hold everything
 *
 * Returns:  bytes; 0 when @size is too small
 * Source:   SPC-4 6.36
 */
size_t alua_rtpg(const struct alua *alua, const struct lu_port *asker, bool is_extended,
    void *buf, size_t size);

#define ALUA_RTPG_MAX	(8 + 8 * (ALUA_GROUPS_MAX + 1) + 4 * (ALUA_PORTS_MAX + 1))
/* a list that names every group; longer ones must repeat themselves and are refused */
#define ALUA_STPG_MAX	(4 + 4 * (ALUA_GROUPS_MAX + 1))

/* a SET TARGET PORT GROUPS that was judged and found good */
struct alua_plan {
	unsigned int n;			/* groups named; may be none */
	struct {
		uint16_t group;
		uint8_t state;		/* enum alua_state it is to have */
		uint8_t before;		/* alua_begin(): what it had */
	} set[ALUA_GROUPS_MAX];
};

/**
 * alua_stpg() - judge a SET TARGET PORT GROUPS parameter list; changes nothing
 *
 * @asker    as for alua_rtpg()
 * @list     @len bytes of a private copy; none change nothing
 * @ret      the plan
 * @reterr   the sense: INVALID FIELD IN PARAMETER LIST with a field pointer, PARAMETER LIST
 *           LENGTH ERROR, or INSUFFICIENT RESOURCES
 *
 * Refused as a whole: a group that RTPG would not report, a group named twice, a state that is
 * none of optimized, non-optimized, standby and unavailable. That no group is active in the end
 * is fine: every state lets SET TARGET PORT GROUPS through.
 *
 * Returns:  0
 *           -EBADMSG   refused; @reterr is set
 * Source:   SPC-4 6.45
 */
int alua_stpg(const struct alua *alua, const struct lu_port *asker, const void *list,
    size_t len, struct alua_plan *ret, struct sense_data *reterr) MUST_CHECK;

/* alua_begin() - the groups of @plan are transitioning now */
void alua_begin(struct alua *alua, struct alua_plan *plan);

/* alua_end() - the first @n_good groups of @plan are where it wants them, the others where they
 * were; true when a state differs from before */
bool alua_end(struct alua *alua, const struct alua_plan *plan, unsigned int n_good);

/* ------ units ------ */

/**
 * lu_alua_check() - may @nexus's port have this command executed?
 *
 * Thread:   the unit's home, once a command: one test of a pointer when the unit has no groups
 */
enum alua_verdict lu_alua_check(const struct lu *lu, const struct lu_nexus *nexus,
    const struct op_info *op, const uint8_t *cdb, struct sense_data *ret);

/**
 * lu_alua_bind(), lu_alua_unbind() - the unit is exported through @port, or not any more
 *
 * Returns:  as alua_bind(); -ENOMEM
 * Thread:   the unit's home
 */
int lu_alua_bind(struct lu *lu, const struct lu_port *port) MUST_CHECK;
void lu_alua_unbind(struct lu *lu, const struct lu_port *port);

/**
 * lu_alua_set() - implicit change of the state of a group of this unit
 * lu_alua_first() - the state a group has at first: nothing happens if SET TARGET PORT GROUPS
 * gave it one, be it before the last end
 *
 * Every nexus of the unit gets 2Ah/06h if the state is another one. The change is not saved:
 * who sets it knows it at the next start.
 *
 * Returns:  as alua_set(); -ENOMEM
 * Thread:   the unit's home
 * Source:   SPC-4 5.15.2.7
 */
int lu_alua_set(struct lu *lu, uint16_t group, enum alua_state state) MUST_CHECK;
int lu_alua_first(struct lu *lu, uint16_t group, enum alua_state state) MUST_CHECK;

/* lu_alua_failed() - an implicit change was tried and failed: every nexus gets 2Ah/07h */
void lu_alua_failed(struct lu *lu);

/* lu_alua_prefer(), lu_alua_set_mode() - as the machine's; 0, -ENOSPC, -ENOMEM; at home */
int lu_alua_prefer(struct lu *lu, uint16_t group, bool is_preferred) MUST_CHECK;
int lu_alua_set_mode(struct lu *lu, enum alua_mode mode) MUST_CHECK;

/* lu_alua() - the unit's machine, to read; NULL while it has none; at home */
const struct alua *lu_alua(const struct lu *lu);

/*
 * Handlers (lu_local_ops). SET TARGET PORT GROUPS asks the host for each group in the order of
 * the list (lu_host.alua_gate, on a worker; the groups are transitioning meanwhile), saves what
 * came of it, and only then the states change, all at once. If the host refuses one, or saving
 * fails, the command ends with 04h 67h/0Ah; groups up to the refused one have changed, and RTPG
 * tells. One at a time for each unit: others end with BUSY. Saved are lu_host.state_dir's units
 * with a serial number; of others the states are forgotten at the end.
 */
struct lu_task;
void lu_alua_do_report(struct lu *lu, struct lu_task *task);
void lu_alua_do_set(struct lu *lu, struct lu_task *task);

/* lu_alua_init() - the unit attaches: the states that SET TARGET PORT GROUPS left before the
 * last end, if the host keeps such; 0 or -ENOMEM. lu_alua_fini() with the last reference */
int lu_alua_init(struct lu *lu) MUST_CHECK;
void lu_alua_fini(struct lu *lu);

#endif /* LU_ALUA_H */
