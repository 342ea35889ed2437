/*
 * lu/ua.h - unit attentions: what a nexus has to hear before anything else
 *
 * What      Every nexus has a small set of conditions that it was not told of yet. Something
 *           that happens to the unit raises a condition on the nexuses that it concerns; the
 *           next command of each that is not exempt (INQUIRY, REPORT LUNS, REQUEST SENSE) ends
 *           with it, and it is gone. REQUEST SENSE reports and clears it as well.
 * Order     Power on and resets (29h, but not I_T nexus loss) first: they take the place of
 *           everything raised before, because whoever hears of them asks for everything again.
 *           Of several of those the gravest stays. I_T nexus loss comes next; the rest in the
 *           order in which it happened. What is in the set is not added again.
 * Loss      LU_UA_LOSS is none of them, but a deferred error (loss.h), which is told in the same
 *           way: after all others, as MEDIUM ERROR, WRITE ERROR with response code 71h or 73h.
 *           No reset makes it void, nothing crowds it out, UA_INTLCK_CTRL does not keep it.
 * Limits    LU_UA_MAX conditions; more are dropped, and the next report says so (sense-key
 *           specific data, bit OVERFLOW).
 * Owner     The set is embedded in its nexus, or in whoever keeps one for a nexus to come.
 * Thread    The unit's home.
 * Source    SAM-5 5.14; SPC-4 4.5.7 (deferred errors)
 */
#ifndef LU_UA_H
#define LU_UA_H

#include <stdbool.h>
#include <stdint.h>

#include "scsi/sense.h"

#define LU_UA_MAX	8
#define LU_UA_LOSS	ASC_WRITE_ERROR

struct lu;
struct lu_initiator;
struct lu_nexus;

struct lu_ua_set {
	uint16_t asc[LU_UA_MAX + 1];	/* in the order in which they are told */
	uint8_t n;
	bool is_overflown;
};

/* ------ the set alone ------ */

/* ua_set_add() - one more condition: an ASC_* that unit attentions have, or LU_UA_LOSS */
void ua_set_add(struct lu_ua_set *set, uint16_t asc);

/* ua_set_drop() - forget one condition, if it is there */
void ua_set_drop(struct lu_ua_set *set, uint16_t asc);

/* ua_set_has_loss() - is LU_UA_LOSS to be told? */
bool ua_set_has_loss(const struct lu_ua_set *set);

/* ua_set_take() - the first condition as sense data, and forget it; false: there is none */
bool ua_set_take(struct lu_ua_set *set, struct sense_data *ret);

/* ua_set_look() - the first condition as sense data, which stays */
bool ua_set_look(const struct lu_ua_set *set, struct sense_data *ret);

/* ------ nexuses ------ */

/* lu_ua_raise() - @asc to one nexus; internal and leaving ones hear nothing */
void lu_ua_raise(struct lu_nexus *nexus, uint16_t asc);

/* lu_ua_raise_all() - to every nexus of the unit, who caused it included: resets */
void lu_ua_raise_all(struct lu *unit, uint16_t asc);

/* lu_ua_raise_others() - to every nexus of the unit but those of the same initiator and port
 * as @but_not; NULL spares nobody */
void lu_ua_raise_others(struct lu *unit, const struct lu_nexus *but_not, uint16_t asc);

/* lu_ua_raise_identity() - to every nexus of that initiator through that port */
void lu_ua_raise_identity(struct lu *unit, const struct lu_initiator *initiator, uint16_t rtpi,
    uint16_t asc);

/* lu_ua_status() - its command ends with BUSY, TASK SET FULL or RESERVATION CONFLICT, which is
 * a condition with UA_INTLCK_CTRL 11b (SPC-4 7.5.8) */
void lu_ua_status(struct lu_nexus *nexus, uint8_t status);

/* lu_ua_pending(), lu_ua_take(), lu_ua_tell() - is there one; tell the first and clear it; the
 * same, but UA_INTLCK_CTRL may keep it */
bool lu_ua_pending(const struct lu_nexus *nexus);
bool lu_ua_take(struct lu_nexus *nexus, struct sense_data *ret);
bool lu_ua_tell(struct lu_nexus *nexus, struct sense_data *ret);

#endif /* LU_UA_H */
