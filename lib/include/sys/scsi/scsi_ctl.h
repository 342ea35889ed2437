/*
 * sys/scsi/scsi_ctl.h - control functions: abort, reset, notification, capabilities
 *
 * What      What a target driver may ask of the transport besides running commands.
 * Thread    Any, unless said otherwise. The HBA driver's entry points do not sleep.
 * Source    scsi_abort(9F), scsi_reset(9F), scsi_reset_notify(9F), scsi_ifgetcap(9F),
 *           scsi_clear_aca(9F)
 */
#ifndef SYS_SCSI_SCSI_CTL_H
#define SYS_SCSI_SCSI_CTL_H

#include <sys/scsi/scsi_types.h>

/* levels of scsi_reset() and tran_reset */
#define RESET_ALL	0	/* everything behind the port */
#define RESET_TARGET	1	/* all logical units of the target */
#define RESET_BUS	2	/* tran_bus_reset only */
#define RESET_LUN	3	/* one logical unit; needs capability lun-reset */

/* flags of scsi_reset_notify() */
#define SCSI_RESET_NOTIFY	0x01	/* register */
#define SCSI_RESET_CANCEL	0x02	/* cancel */

/**
 * scsi_abort() - ask that commands end
 *
 * @ap       device
 * @pkt      the command, or NULL for all that are outstanding for @ap
 *
 * The commands complete through pkt_comp with CMD_ABORTED and STAT_ABORTED; one that ends by
 * itself at the same time completes as it ended. Either way there is one completion.
 *
 * Returns:  1 done, 0 not possible
 */
int scsi_abort(struct scsi_address *ap, struct scsi_pkt *pkt);

/**
 * scsi_reset() - reset a logical unit, a target, or everything behind the port
 *
 * @level    RESET_LUN (refused unless the capability lun-reset is 1), RESET_TARGET, RESET_ALL
 *
 * Returns:  1 done: no affected command transfers data any more, though completions may
 *           still be on their way; 0 not possible
 */
int scsi_reset(struct scsi_address *ap, int level);

/**
 * scsi_reset_notify() - be told of resets
 *
 * @flag      SCSI_RESET_NOTIFY or SCSI_RESET_CANCEL
 * @callback  called with @arg once for every reset that affects @ap, in whatever context saw
 *            it; must not sleep; may register and cancel
 *
 * Returns:  DDI_SUCCESS; DDI_FAILURE when registered twice, unknown, or not supported
 */
int
scsi_reset_notify(struct scsi_address *ap, int flag, void (*callback)(caddr_t), caddr_t arg);

/* scsi_clear_task_set(), scsi_clear_aca(), scsi_terminate_task() - SAM task management;
 * 1 done, 0 failed, -1 the HBA driver has no such entry */
int scsi_clear_task_set(struct scsi_address *ap);
int scsi_clear_aca(struct scsi_address *ap);
int scsi_terminate_task(struct scsi_address *ap, struct scsi_pkt *pkt);

/**
 * scsi_ifgetcap() - value of a capability
 *
 * @cap      its name: "dma-max", "auto-rqsense", ... (impl/services.h has the list)
 * @whom     0: default of the HBA; anything else: of this target
 *
 * Returns:  the value; -1 unknown or undefined
 */
int scsi_ifgetcap(struct scsi_address *ap, char *cap, int whom);

/**
 * scsi_ifsetcap() - set a capability
 *
 * Returns:  1 set, 0 known but not changeable, -1 undefined
 */
int scsi_ifsetcap(struct scsi_address *ap, char *cap, int value, int whom);

#endif /* SYS_SCSI_SCSI_CTL_H */
