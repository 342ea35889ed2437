/*
 * scsa/config.h - enumeration and control, for the process that hosts the framework
 *
 * What      Find the children of an HBA and attach them: iports first, then for every target
 *           LUN 0, then the LUNs it reports. And the control verbs of a bus: quiesce, reset.
 * Life      An HBA node is attached (devi_attach); scsa_bus_config_all() makes its children;
 *           scsa_bus_unconfig_all() takes them away again, before the node is detached.
 * Owner     Nodes belong to the device tree.
 * Thread    A worker thread that may block for as long as devices take to answer; never a loop,
 *           never interrupt context. Calls for one port are serialised.
 * Props     On a port node: "scsi-max-targets" (int, default 16) how many SPI targets are
 *           probed; "scsi-initiator-id" is skipped; "scsi-options" limits LUNs of old devices;
 *           "scsi-enumeration" 0 switches probing off.
 * Source    scsi_hba_attach_setup(9F), iport(9), SPC-4 (REPORT LUNS)
 */
#ifndef SCSA_CONFIG_H
#define SCSA_CONFIG_H

#include <sys/types.h>
#include <sys/dditypes.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/**
 * scsa_bus_config_all() - make and attach everything behind an HBA or a port
 *
 * @dip      HBA node, attached; or an iport. Devices already attached are left alone
 *
 * Returns:  number of logical units attached behind @dip now
 *           -ENODEV  @dip is not an attached HBA or iport
 *           -EIO     an iport could not be attached, or tran_bus_config of the driver failed;
 *                    the others were configured
 */
int scsa_bus_config_all(dev_info_t *dip) MUST_CHECK;

/**
 * scsa_bus_config_one() - make and attach one device
 *
 * @port     the node that is the initiator port
 * @addr     unit address "target,lun", hexadecimal in SPI addressing, for instance "3,0". LUN 0
 *           is configured first, as enumeration does. "target,*" looks for all LUNs
 * @ret_dip  the node, attached; not held. May be NULL
 *
 * Returns:  0
 *           -EINVAL   @addr has no such form, or the address exceeds what the port can have
 *           -ENODEV   @port is no attached port
 *           -ENXIO    nobody answers there, or the HBA driver refuses the address
 *           -EIO      a device answers, but no driver took it
 */
int scsa_bus_config_one(dev_info_t *port, const char *addr, dev_info_t **ret_dip) MUST_CHECK;

/**
 * scsa_bus_unconfig_one() - detach and free one device
 *
 * Returns:  0
 *           -ENOENT   no such child
 *           -EBUSY    the target driver refused
 */
int scsa_bus_unconfig_one(dev_info_t *port, const char *addr) MUST_CHECK;

/**
 * scsa_bus_unconfig_all() - detach and free all devices, then, at an HBA node, all iports
 *
 * Returns:  0
 *           -EBUSY    something refused; what could be removed is gone
 */
int scsa_bus_unconfig_all(dev_info_t *dip) MUST_CHECK;

/**
 * scsa_bus_quiesce(), scsa_bus_unquiesce() - stop starting commands and wait until none is
 * active; go on
 *
 * @hba_dip  HBA node
 *
 * Returns:  0
 *           -ENODEV   not an attached HBA
 *           -EALREADY in that state already
 *           -ENOTSUP  the driver cannot, or "scsi-no-quiesce" is set on the node
 *           -EIO      the driver failed
 */
int scsa_bus_quiesce(dev_info_t *hba_dip) MUST_CHECK;
int scsa_bus_unquiesce(dev_info_t *hba_dip) MUST_CHECK;

/**
 * scsa_bus_reset() - reset the bus without naming a target (tran_bus_reset, RESET_BUS)
 *
 * Returns:  0, -ENODEV, -ENOTSUP, -EIO as above
 */
int scsa_bus_reset(dev_info_t *hba_dip) MUST_CHECK;

/**
 * scsa_hba_reset() - reset the HBA with everything behind it (tran_bus_reset, RESET_ALL); a
 * driver that refuses that is asked for RESET_BUS
 *
 * Returns:  0, -ENODEV, -ENOTSUP, -EIO as above
 */
int scsa_hba_reset(dev_info_t *hba_dip) MUST_CHECK;

/* scsa_control_open(), scsa_control_close() - a control session: while one is open, the HBA
 * refuses to detach. @is_excl wants to be the only one.
 * Returns 0, -ENODEV, or -EBUSY */
int scsa_control_open(dev_info_t *hba_dip, bool is_excl) MUST_CHECK;
void scsa_control_close(dev_info_t *hba_dip);

/* what happened in the framework of one HBA; for "show" and metrics */
struct scsa_stats {
	uint64_t busy;			/* answered TRAN_BUSY */
	uint64_t refused;		/* answered TRAN_BADPKT or TRAN_FATAL_ERROR */
	uint64_t double_comp;		/* completions ignored because there was one before */
	uint64_t direct_comp;		/* packets reused or freed without scsi_hba_pkt_comp() */
	uint64_t bad_destroy;		/* packets destroyed while issued */
	uint64_t no_packet;		/* packets that could not be allocated */
};

/* scsa_stats_get() - counters of an HBA or iport; -ENODEV */
int scsa_stats_get(dev_info_t *dip, struct scsa_stats *ret) MUST_CHECK;

#endif /* SCSA_CONFIG_H */
