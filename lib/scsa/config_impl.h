/*
 * scsa/config_impl.h - pieces of enumeration that the maps use too
 *
 * What      One look at a target (struct target_scan), units of it, iports. All of config.c.
 * Locks     The caller has the port (port_config_enter), or the turn of the target (maps.h).
 */
#ifndef SCSA_CONFIG_IMPL_H
#define SCSA_CONFIG_IMPL_H

#include "scsa/scsa_impl.h"

#define SFUNC_ENCLOSURE	DTYPE_ESI	/* second face of a device with enclosure services */

/* what one look at LUN 0 of a target has told */
struct target_scan {
	const char *taddr;
	struct scsi_inquiry inq;	/* of LUN 0 */
	uint64_t *luns;			/* REPORT LUNS; NULL: the device has none */
	size_t n, room;
};

/* scan_target() - look at LUN 0, through its node or a probe node; 0, -ENXIO, -EIO, -EINVAL,
 * -ENOMEM. scan_fini() - free what a good look has left */
int scan_target(struct target_scan *scan, struct scsa_port *port, const char *taddr,
    bool want_luns) MUST_CHECK;
void scan_fini(struct target_scan *scan);

/* scan_unit() - find or make the node of a LUN, and attach it */
int scan_unit(struct target_scan *scan, struct scsa_port *port, scsi_lun64_t lun, int sfunc);

/* port_config_one() - one unit of a port by its address, LUN 0 of the target first */
int port_config_one(struct scsa_port *port, const char *addr, dev_info_t **ret_dip);

/* port_config_all() - everything behind an initiator port; number of units attached there
 * then, or -EIO when the driver enumerates itself and failed */
int port_config_all(struct scsa_port *port);

/* port_unconfig_all() - and take it away; 0 or -EBUSY */
int port_unconfig_all(struct scsa_port *port);

/* iport_config() - find or make an iport's node, and attach it; 0, -EIO, -ENOMEM. @hba is
 * entered */
int iport_config(struct scsa_port *hba, const char *name, dev_info_t **ret_dip);

/**
 * config_own(), unconfig_own() - where the vector has tran_bus_config, tran_bus_unconfig: let
 * the driver do it instead of the framework
 *
 * @arg      as the tree got it: "name@addr" or "@addr" for BUS_CONFIG_ONE
 * @ret_child  the child that the driver told; borrowed, untouched when it told none. May be
 *           NULL
 *
 * Returns:  0; -ENXIO and -EBUSY when the driver failed. The _one functions take an address;
 *           -ENOENT when there is no such child to take away
 */
int config_own(struct scsa_port *port, uint_t flags, ddi_bus_config_op_t op, const char *arg,
    dev_info_t **ret_child);
int config_own_one(struct scsa_port *port, const char *addr, dev_info_t **ret_child);
int unconfig_own(struct scsa_port *port, uint_t flags, ddi_bus_config_op_t op, const char *arg);
int unconfig_own_one(struct scsa_port *port, const char *addr);

/* child_remove() - detach a node if it is attached, and free it; 0 or -EBUSY */
int child_remove(dev_info_t *child);

/* children_ref() - references to the children of @dip: a kmem array of @ret_n, or NULL for
 * none */
dev_info_t **children_ref(dev_info_t *dip, size_t *ret_n);

/* config_hold() - the port of a node that is attached, held; NULL. config_release() - let it
 * go */
struct scsa_port *config_hold(dev_info_t *dip);
void config_release(struct scsa_port *port);

#endif /* SCSA_CONFIG_IMPL_H */
