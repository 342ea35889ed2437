/*
 * daemon/recovery.h - what is done with an HBA when commands do not come back
 *
 * What      The two hooks of lib/lu's ladder (lu/recover.h) that are about more than a unit.
 *           Resetting an HBA disturbs all of its units for a moment. Silencing it ends them, so
 *           that is done only when none of the others answers any more; until then a unit that
 *           was given up keeps what its HBA has of it, and others work on.
 * Thread    Workers; may block. The HBAs stay until units have ended.
 */
#ifndef DAEMON_RECOVERY_H
#define DAEMON_RECOVERY_H

#include "base/compiler.h"

struct hbas;
struct lu;

/**
 * recovery_reset() - reset the HBA of a unit (scsa_hba_reset())
 *
 * @hbas     NULL while they are being attached
 *
 * Returns:  0: every packet that it had comes back
 *           -EAGAIN     HBAs are still being attached
 *           -ENODEV     it has no HBA of this process, or not any more
 *           -ESHUTDOWN  the HBA is about to be detached
 *           -ENOTSUP    its driver has no tran_bus_reset
 *           -EIO        the driver could not
 */
int recovery_reset(struct hbas *hbas, const struct lu *unit) MUST_CHECK;

/**
 * recovery_silence() - keep the HBA of a unit from touching memory, for good (devo_quiesce)
 *
 * @hbas     as above
 *
 * Returns:  0: it does not any more; the HBA is in state "silenced"
 *           -EBUSY      another of its units answers
 *           -EAGAIN, -ENODEV, -ESHUTDOWN, -ENOTSUP, -EIO  as above
 */
int recovery_silence(struct hbas *hbas, const struct lu *unit) MUST_CHECK;

#endif /* DAEMON_RECOVERY_H */
