/*
 * lu/recover.h - commands that do not come back: a ladder of harder and harder measures
 *
 * What      The HBA has its own clock for every packet. When it has not returned one
 *           the grace after that clock should have ended it, the command is expired:
 *           marked, and still alive below, because only its return proves otherwise. Then the
 *           ladder is climbed, each step with its time, until everything expired is back:
 *
 *             abort    5 s   the commands alone
 *             lun     10 s   the unit; from here on it sends nothing
 *             target  15 s   its target
 *             bus     20 s   everything behind its port
 *             hba     30 s   the HBA: lu_host.hba_reset, or tran_bus_reset
 *             offline        the unit is given up: what it held and what is sent ends with
 *                            CMD_DEV_GONE, or NOT READY, OFFLINE for nexuses that want sense.
 *                            What the HBA still has ends so only if lu_host.hba_silence says
 *                            that it cannot touch memory any more; else it stays, and the host
 *                            is asked again every LU_SILENCE_AGAIN_S. When all of it comes
 *                            back after all, the unit is on line again
 *
 *           Grace and times are defaults: lu_recover_set(). A step that is refused gives way
 *           to the next at once, one without time is left out. Every unit climbs by itself,
 *           others go on; a reset of what another unit is just resetting is not asked for
 *           twice.
 * Result    An expired command that comes back without having ended by itself has reason
 *           CMD_TIMEOUT with STAT_TIMEOUT.
 * Thread    The unit's home; the host's hooks on a worker.
 * Time      One timer for each unit with commands in flight, once a second.
 */
#ifndef LU_RECOVER_H
#define LU_RECOVER_H

#include <stdbool.h>
#include <stdint.h>

struct lu;
struct lu_task;

#define LU_EXPIRE_GRACE_S	5	/* unless lu_recover_set() says otherwise */
/* as above, by step */
#define LU_RECOVER_ABORT_S	5
#define LU_RECOVER_LUN_S	10
#define LU_RECOVER_TARGET_S	15
#define LU_RECOVER_BUS_S	20
#define LU_RECOVER_HBA_S	30
#define LU_SILENCE_AGAIN_S	60

enum lu_recover_step {
	LU_RECOVER_NONE,
	LU_RECOVER_ABORT,
	LU_RECOVER_LUN,
	LU_RECOVER_TARGET,
	LU_RECOVER_BUS,
	LU_RECOVER_HBA,
	LU_RECOVER_OFFLINE,
	LU_RECOVER_N
};

/* patience of a unit; what is set when it attaches are the values above */
struct lu_recover_times {
	uint32_t grace_s;
	uint32_t step_s[LU_RECOVER_OFFLINE];	/* by step, LU_RECOVER_ABORT to LU_RECOVER_HBA;
						 * 0: it is left out */
};

/* lu_recover_set() - other times from now on; a step that has begun ends by the new ones. NULL:
 * the defaults. Home */
void lu_recover_set(struct lu *unit, const struct lu_recover_times *times);

/* lu_recover_times() - those in force; home, borrowed from the unit */
const struct lu_recover_times *lu_recover_times(const struct lu *unit);

/* lu_recover_step() - where the unit stands, for events and statistics; home, or inside an
 * event */
enum lu_recover_step lu_recover_step(const struct lu *unit);

/* lu_recover_step_name() - "abort", "lun" ... */
const char *lu_recover_step_name(enum lu_recover_step step);

/* lu_recover_expired() - commands that are expired and not back */
uint32_t lu_recover_expired(const struct lu *unit);

/* lu_is_offline() - has it been given up? Any thread, may change at once */
bool lu_is_offline(const struct lu *unit);

/* ------ lib/lu only ------ */

/* a task was issued while no timer runs */
void lu_recover_arm(struct lu *lu);
/* an expired task is back: its result becomes what it was */
void lu_recover_back(struct lu *lu, struct lu_task *task);
/* detach: nothing is in flight; the timer ends */
void lu_recover_fini(struct lu *lu);

#endif /* LU_RECOVER_H */
