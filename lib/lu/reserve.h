/*
 * lu/reserve.h - reservations of a unit: RESERVE/RELEASE and persistent ones, kept and enforced
 *
 * What      The handlers of RESERVE(6,10), RELEASE(6,10), PERSISTENT RESERVE IN and OUT, and
 *           the question that every other command has to pass. The rules of persistent
 *           reservations are pr.h's; what they do to nexuses, tasks and the disk happens here.
 * Rules     A reservation of RESERVE belongs to an I_T nexus and ends with RELEASE, loss of the
 *           nexus, and a reset that reaches the unit. Compatible reservation handling (CRH 1):
 *           RESERVE and RELEASE of a nexus that holds the persistent reservation, or is
 *           registered under a Registrants Only or All Registrants one, end with GOOD and do
 *           nothing; of every other nexus they conflict while anyone is registered. While the
 *           unit is reserved by RESERVE, all PERSISTENT RESERVE commands conflict.
 * Saving    With APTPL the state lies in lu_host.state_dir under a name made of the unit's
 *           serial number or designator, and PERSISTENT RESERVE OUT ends after it has been
 *           flushed. Commands of one unit are taken one after the other, so what was
 *           acknowledged last is what is saved. When it cannot be saved, the command ends with
 *           04h 44h/00h and nothing has changed. Without a state_dir, or for a unit without an
 *           identity, APTPL 1 is refused (05h 26h/00h) and REPORT CAPABILITIES says PTPL_C 0.
 *           What was saved but cannot be read makes a unit fenced, not free: pr_new_lost().
 * Away      Without APTPL the state ends with a loss of power (SPC-4 5.12.1), and that is the
 *           end of this process: a unit that is detached and attached again may have lost
 *           nothing but a cable for a while, and would come back open to whom it was closed. So
 *           it has what it had, if it says that it is the same; RESERVE has ended, as with a
 *           reset.
 * Thread    The unit's home; init and fini: a worker, while the unit attaches or detaches.
 * Limits    PR_LIMIT_DEFAULT registrations.
 * Source    SPC-4 5.12; SPC-2 5.5.1, 7.21, 7.22 (RESERVE, RELEASE)
 */
#ifndef LU_RESERVE_H
#define LU_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "scsi/opcode.h"

struct lu;
struct lu_nexus;
struct lu_task;

/* lu_nexus.reserve: what the nexus is to the reservations of its unit; kept by reserve.c */
#define LU_RESERVE_REGISTERED	0x01	/* has a persistent registration */
#define LU_RESERVE_HOLDER	0x02	/* holds the persistent reservation */
#define LU_RESERVE_OWNER	0x04	/* has the unit by RESERVE */

/**
 * lu_reserve_init() - reservations of a unit that attaches: what was saved is in force again
 *
 * Returns:  0
 *           -ENOMEM, -EIO   what is saved cannot be known: the unit must not come, because it
 *                           would come without the reservations it may have
 * Thread:   a worker, before the unit is published; blocks
 */
int lu_reserve_init(struct lu *lu) MUST_CHECK;

/* lu_reserve_fini() - forget them, until the unit comes back; what is saved stays saved. No task is
 * left. Also for a unit whose lu_reserve_init() was never called. Home, or before anybody knows
 * the unit: nexuses may stay longer */
void lu_reserve_fini(struct lu *lu);

/* lu_reserve_forget() - as after a loss of power; no unit is there */
void lu_reserve_forget(void);

/**
 * lu_reserve_conflicts() - does a reservation of another nexus stop this command?
 *
 * @op       row of @cdb, or NULL: unknown
 * @cdb      whole
 *
 * Returns:  true: it ends with RESERVATION CONFLICT
 * Thread:   the unit's home; a few instructions while nobody has a reservation
 * Source:   SPC-4 5.12.1; SBC-3 4.16; SPC-2 5.5.1
 */
bool lu_reserve_conflicts(const struct lu *lu, const struct lu_nexus *nexus,
    const struct op_info *op, const uint8_t *cdb);

/* lu_reserve_is_ours() - PERSISTENT RESERVE, whatever its service action: one that has no row
 * is refused here (05h 24h/00h), not by the device */
static inline bool
lu_reserve_is_ours(const uint8_t *cdb)
{
	return cdb[0] == 0x5e || cdb[0] == 0x5f;
}

/* lu_reserve_nexus_came() - an object was opened; sets its reserve bits */
void lu_reserve_nexus_came(struct lu *lu, struct lu_nexus *nexus);

/* lu_reserve_nexus_lost() - the last object of an I_T nexus leaves: its RESERVE ends */
void lu_reserve_nexus_lost(struct lu *lu, struct lu_nexus *nexus);

/* lu_reserve_reset() - a reset reached the unit: RESERVE ends, persistent reservations stay */
void lu_reserve_reset(struct lu *lu);

struct lu_initiator;
struct pr;

/* what lu_reserve_look() sees */
struct lu_reserve_look {
	struct pr *pr;			/* a copy; pr_free() it */
	bool has_owner;			/* by RESERVE: */
	struct lu_initiator *owner;	/* room of the caller's, set with has_owner */
	uint16_t owner_rtpi;
};

/**
 * lu_reserve_look() - who has registered, and who has reserved the unit
 *
 * @ret      owner leads to room for one initiator; the rest is set
 *
 * Returns:  0, or -ENOMEM
 * Thread:   the unit's home
 */
int lu_reserve_look(const struct lu *lu, struct lu_reserve_look *ret) MUST_CHECK;

/* handlers (lu_local_ops) of RESERVE(6,10), RELEASE(6,10), and of all service actions of
 * PERSISTENT RESERVE IN and OUT */
void lu_reserve_reserve(struct lu *lu, struct lu_task *task);
void lu_reserve_release(struct lu *lu, struct lu_task *task);
void lu_reserve_pr_in(struct lu *lu, struct lu_task *task);
void lu_reserve_pr_out(struct lu *lu, struct lu_task *task);

/* ------ the table of conflicts (conflict.c) ------ */

/* who asks, under which reservation */
enum conflict_column {
	CONFLICT_WE,		/* Write Exclusive, held by another nexus */
	CONFLICT_EA,		/* Exclusive Access, held by another nexus */
	CONFLICT_WR_REGISTERED,	/* Write Exclusive RO or AR, and this nexus is registered */
	CONFLICT_WR_OTHER,	/* and it is not */
	CONFLICT_ER_REGISTERED,	/* Exclusive Access RO or AR, and this nexus is registered */
	CONFLICT_ER_OTHER,	/* and it is not */
	CONFLICT_RESERVED,	/* RESERVE, by another nexus */
	CONFLICT_N
};

/* conflict_allows() - may the command be executed? @op NULL, and a command without a row, never
 * may */
bool conflict_allows(const struct op_info *op, const uint8_t *cdb,
    enum conflict_column column);

/* conflict_is_decided() - somebody has thought about this command */
bool conflict_is_decided(enum op_id id);

#endif /* LU_RESERVE_H */
