#include <sys/scsi/scsi.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ddi/violation.h"
#include "scsa/config_impl.h"
#include "scsa/maps.h"

#define SPI_TARGETS_MAX	65535
#define SPI_LUNS_MAX	256

struct scsa_port *
config_hold(dev_info_t *dip)
{
	struct scsa_port *port;

	if (dip == NULL || !devi_hold(dip))
		return NULL;
	port = port_of(dip);
	if (port == NULL || !devi_is_attached(dip)) {
		devi_release(dip);
		return NULL;
	}
	if (ddi_get_driver_private(dip) != port->tran)
		ddi_violation("driver-private", "%s: the private slot of a registered node is "
		    "the framework's", ddi_node_name(dip));
	return port;
}

void
config_release(struct scsa_port *port)
{
	devi_release(port->dip);
}

static bool
port_is_hba(const struct scsa_port *port)
{
	return (port->tran->tran_hba_flags & SCSI_HBA_HBA) != 0;
}

/* can the port's addressing express it? */
static bool
port_can_have(const struct scsa_port *port, const struct unit_addr *ua)
{
	const struct scsi_hba_tran *tran = port->tran;

	if (port_is_complex(tran) || tran->tran_get_name != NULL)
		return true;
	return ua->is_numeric && ua->target < SPI_TARGETS_MAX && ua->lun >= 0 &&
	    ua->lun < SPI_LUNS_MAX;
}

/* the child with this unit address: a reference, or NULL */
static dev_info_t *
unit_find(struct scsa_port *port, const struct unit_addr *ua)
{
	char key[UA_LEN + 1];

	(void)snprintf(key, sizeof(key), "@%s", ua->text);
	return devi_find(port->dip, key);
}

/*
 * Probe node: a node without name and driver, initialised for the time of an INQUIRY.
 */

static dev_info_t *
probe_node_new(struct scsa_port *port, const struct unit_addr *ua)
{
	dev_info_t *child = unit_node_new(port->dip, "probe", ua);
	int r;

	if (child == NULL)
		return NULL;
	devi_enter(port->dip);
	r = unit_init(port->dip, child);
	devi_exit(port->dip);
	if (r == DDI_SUCCESS)
		return child;
	(void)devi_free(child);
	return NULL;
}

static void
probe_node_free(struct scsa_port *port, dev_info_t *child)
{
	devi_enter(port->dip);
	unit_fini(port->dip, child);
	devi_exit(port->dip);
	(void)devi_free(child);
}

static int
probe_errno(int r)
{
	switch (r) {
	case SCSIPROBE_EXISTS:
		return 0;
	case SCSIPROBE_NORESP:
	case SCSIPROBE_NONCCS:
		return -ENXIO;
	default:
		return -EIO;
	}
}

/* INQUIRY of an address that has no node */
static int
unit_probe(struct scsa_port *port, const struct unit_addr *ua, struct scsi_inquiry *ret_inq)
{
	dev_info_t *child = probe_node_new(port, ua);
	struct scsi_device *sd;
	int r;

	if (child == NULL)
		return -ENXIO;
	sd = ddi_get_driver_private(child);
	r = probe_errno(scsi_probe(sd, SLEEP_FUNC));
	if (r == 0)
		*ret_inq = *sd->sd_inq;
	probe_node_free(port, child);
	return r;
}

/*
 * A unit's real node.
 */

static int
unit_props(dev_info_t *child, dev_info_t *port, struct scsi_inquiry *inq, int dtype)
{
	char *binding_set = NULL, *name, **compatible;
	int n, r;

	(void)ddi_prop_lookup_string(DDI_DEV_T_ANY, port, DDI_PROP_DONTPASS, "scsi-binding-set",
	    &binding_set);
	scsi_hba_nodename_compatible_get(inq, binding_set, dtype, NULL, &name, &compatible, &n);
	ddi_prop_free(binding_set);
	r = devi_set_compatible(child, compatible, (unsigned int)n);
	scsi_hba_nodename_compatible_free(name, compatible);
	if (r < 0)
		return r;
	return ndi_prop_update_byte_array(DDI_DEV_T_NONE, child, UNIT_PROP_INQ, (uchar_t *)inq,
	    (uint_t)SUN_INQSIZE) == DDI_PROP_SUCCESS ? 0 : -ENOMEM;
}

static dev_info_t *
unit_new(struct scsa_port *port, const struct unit_addr *ua, struct scsi_inquiry *inq)
{
	int dtype = ua->sfunc != SFUNC_NONE ? ua->sfunc : inq->inq_dtype & DTYPE_MASK;
	dev_info_t *child = unit_node_new(port->dip, scsi_node_name(dtype), ua);

	if (child == NULL)
		return NULL;
	if (unit_props(child, port->dip, inq, dtype) == 0)
		return child;
	(void)devi_free(child);
	return NULL;
}

/* -errno of enumeration for that of devi_init() and devi_attach() */
static int
attach_errno(int r)
{
	switch (r) {
	case 0:
		return 0;
	case -ENOMEM:
		return -ENOMEM;
	case -ENODEV:
	case -EINVAL:
		return -ENXIO;
	default:
		return -EIO;
	}
}

/* where people find it: what tran_get_bus_addr says, or the unit address */
static void
unit_report(dev_info_t *child, struct scsi_device *sd)
{
	dev_info_t *port = ddi_get_parent(child);
	char text[UA_LEN] = "";

	if (sd->sd_address.a_hba_tran->tran_get_bus_addr == NULL ||
	    !tran_call_get_bus_addr(sd, text, (int)sizeof(text)))
		(void)snprintf(text, sizeof(text), "%s", ddi_get_name_addr(child));
	log_info("%s%d at %s%d: %s", ddi_driver_name(child), ddi_get_instance(child),
	    ddi_driver_name(port), ddi_get_instance(port), text);
}

static int
unit_attach(dev_info_t *child)
{
	struct scsi_device *sd;
	int r = devi_init(child);

	if (r < 0)
		return attach_errno(r);
	sd = ddi_get_driver_private(child);
	if (sd != NULL && !devi_is_attached(child)) {
		if (sd->sd_inq != NULL)
			probe_props(sd);
		luns_identity(sd);
		unit_report(child, sd);
	}
	return attach_errno(devi_attach(child));
}

/* attach it, or take it away; @child is not touched after a failure */
static int
unit_attach_or_free(dev_info_t *child, dev_info_t **ret_dip)
{
	int r = unit_attach(child);

	if (r < 0)
		(void)devi_free(child);
	else if (ret_dip != NULL)
		*ret_dip = child;
	return r;
}

/* make, or find, the node of a unit and attach it. @inq: its INQUIRY data if that is known */
static int
unit_config(struct scsa_port *port, const struct unit_addr *ua, struct scsi_inquiry *inq,
    dev_info_t **ret_dip)
{
	dev_info_t *child = unit_find(port, ua);
	struct scsi_inquiry fresh;
	int r;

	if (child != NULL) {
		r = unit_attach_or_free(child, ret_dip);
		devi_unref(child);
		return r;
	}
	if (inq == NULL) {
		r = unit_probe(port, ua, &fresh);
		if (r < 0)
			return r;
		inq = &fresh;
	}
	if (!inq_is_unit(inq, ua->lun, ua->sfunc))
		return -ENXIO;
	child = unit_new(port, ua, inq);
	if (child == NULL)
		return -ENOMEM;
	return unit_attach_or_free(child, ret_dip);
}

/*
 * A target: LUN 0 tells of the others.
 */

/* without an answer scan->luns stays NULL, and LUNs are tried one by one */
static void
scan_ask(struct target_scan *scan, struct scsi_device *sd, bool want_luns)
{
	if (!want_luns || scan->inq.inq_ansi < 2)
		return;
	if (luns_report(sd, &scan->luns, &scan->n, &scan->room) < 0)
		scan->n = 0;
}

/* LUN 0 is attached: ask it, without disturbing its driver */
static int
scan_attached(struct target_scan *scan, dev_info_t *child, bool want_luns)
{
	struct scsi_device *sd;
	uchar_t *data;
	uint_t len;
	int r = -EIO;

	if (ddi_prop_lookup_byte_array(DDI_DEV_T_ANY, child, DDI_PROP_DONTPASS, UNIT_PROP_INQ,
	    &data, &len) != DDI_PROP_SUCCESS)
		return -EIO;
	if (len == SUN_INQSIZE)
		memcpy(&scan->inq, data, SUN_INQSIZE);
	ddi_prop_free(data);
	if (!devi_hold(child))
		return -EIO;
	sd = ddi_get_driver_private(child);
	if (len == SUN_INQSIZE && sd != NULL && devi_is_attached(child)) {
		scan_ask(scan, sd, want_luns);
		r = 0;
	}
	devi_release(child);
	return r;
}

static int
scan_fresh(struct target_scan *scan, struct scsa_port *port, const struct unit_addr *ua,
    bool want_luns)
{
	dev_info_t *child = probe_node_new(port, ua);
	struct scsi_device *sd;
	int r;

	if (child == NULL)
		return -ENXIO;
	sd = ddi_get_driver_private(child);
	r = probe_errno(scsi_probe(sd, SLEEP_FUNC));
	if (r == 0) {
		scan->inq = *sd->sd_inq;
		scan_ask(scan, sd, want_luns);
	}
	probe_node_free(port, child);
	return r;
}

int
scan_target(struct target_scan *scan, struct scsa_port *port, const char *taddr, bool want_luns)
{
	struct unit_addr ua;
	dev_info_t *child;
	int r;

	*scan = (struct target_scan){ .taddr = taddr };
	r = unit_addr_make(taddr, 0, SFUNC_NONE, &ua);
	if (r < 0)
		return r;
	child = unit_find(port, &ua);
	if (child == NULL)
		return scan_fresh(scan, port, &ua, want_luns);
	if (devi_is_attached(child)) {
		r = scan_attached(scan, child, want_luns);
		devi_unref(child);
		return r;
	}
	/* a leftover of a unit that was detached: found anew */
	devi_unref(child);
	(void)devi_free(child);
	return scan_fresh(scan, port, &ua, want_luns);
}

void
scan_fini(struct target_scan *scan)
{
	if (scan->luns != NULL)
		kmem_free(scan->luns, scan->room * sizeof(*scan->luns));
}

int
scan_unit(struct target_scan *scan, struct scsa_port *port, scsi_lun64_t lun, int sfunc)
{
	struct unit_addr ua;
	bool is_lun0 = lun == 0 && sfunc == SFUNC_NONE;

	if (unit_addr_make(scan->taddr, lun, sfunc, &ua) < 0 || !port_can_have(port, &ua))
		return -EINVAL;
	return unit_config(port, &ua, is_lun0 || sfunc != SFUNC_NONE ? &scan->inq : NULL, NULL);
}

static int
target_config(struct scsa_port *port, const char *taddr)
{
	struct target_scan scan;
	int r = scan_target(&scan, port, taddr, true);

	if (r < 0)
		return r;
	/* a LUN 0 that is no unit has answered all the same, and tells of others */
	(void)scan_unit(&scan, port, 0, SFUNC_NONE);
	if (scan.inq.inq_encserv && scan.inq.inq_ansi >= 3 &&
	    (scan.inq.inq_dtype & DTYPE_MASK) != DTYPE_ESI)
		(void)scan_unit(&scan, port, 0, SFUNC_ENCLOSURE);
	if (scan.luns == NULL) {
		unsigned int limit = luns_old_limit(port->dip, &scan.inq);

		for (unsigned int lun = 1; lun < limit; lun++)
			(void)scan_unit(&scan, port, lun, SFUNC_NONE);
	}
	for (size_t i = 0; i < scan.n; i++) {
		if (scan.luns[i] != 0)
			(void)scan_unit(&scan, port, (scsi_lun64_t)scan.luns[i], SFUNC_NONE);
	}
	scan_fini(&scan);
	return 0;
}

/*
 * A port.
 */

/* how many numbered targets are tried; addresses of a complex port come from elsewhere */
static int
port_targets(const struct scsa_port *port)
{
	int def = port_is_complex(port->tran) ? 0 : NTARGETS_WIDE;
	int n = ddi_prop_get_int(DDI_DEV_T_ANY, port->dip, 0, "scsi-max-targets", def);
	int enumeration = ddi_prop_get_int(DDI_DEV_T_ANY, port->dip, 0, "scsi-enumeration",
	    SCSI_ENUMERATION_ENABLE);

	if (!(enumeration & SCSI_ENUMERATION_ENABLE) || n < 0)
		return 0;
	return n < SPI_TARGETS_MAX ? n : SPI_TARGETS_MAX;
}

/* attached children */
static int
count_units(dev_info_t *dip)
{
	int n = 0;

	devi_enter(dip);
	for (dev_info_t *c = devi_first_child(dip); c != NULL; c = devi_next(c))
		n += devi_is_attached(c);
	devi_exit(dip);
	return n;
}

/* those of all iports */
static int
count_hba_units(dev_info_t *hba)
{
	int n = 0;

	devi_enter(hba);
	for (dev_info_t *c = devi_first_child(hba); c != NULL; c = devi_next(c))
		n += devi_is_attached(c) ? count_units(c) : 0;
	devi_exit(hba);
	return n;
}

int
port_config_all(struct scsa_port *port)
{
	int id = ddi_prop_get_int(DDI_DEV_T_ANY, port->dip, 0, "scsi-initiator-id",
	    SCSI_DEFAULT_INITIATOR_ID);
	int n = port_targets(port);
	char taddr[16];

	if (port->tran->tran_bus_config != NULL)
		return config_own(port, 0, BUS_CONFIG_ALL, NULL, NULL) < 0 ? -EIO :
		    count_units(port->dip);
	if (port->tran->tran_tgtmap != NULL) {
		tgtmap_config_all(port);
		return count_units(port->dip);
	}
	port_config_enter(port);
	for (int i = 0; i < n; i++) {
		if (i == id)
			continue;
		(void)snprintf(taddr, sizeof(taddr), "%x", (unsigned int)i);
		(void)target_config(port, taddr);
	}
	port_config_exit(port);
	return count_units(port->dip);
}

/* one name of a port, and what is behind it */
int
port_config_one(struct scsa_port *port, const char *addr, dev_info_t **ret_dip)
{
	struct target_scan scan;
	struct unit_addr ua;
	bool is_lun0;
	int r;

	r = unit_addr_parse(addr, &ua);
	if (r < 0)
		return r;
	if (!port_can_have(port, &ua))
		return -EINVAL;
	r = scan_target(&scan, port, ua.taddr, false);
	if (r < 0)
		return r;
	is_lun0 = ua.lun == 0 && ua.sfunc == SFUNC_NONE;
	if (!is_lun0)
		(void)scan_unit(&scan, port, 0, SFUNC_NONE);
	return unit_config(port, &ua, is_lun0 || ua.sfunc != SFUNC_NONE ? &scan.inq : NULL,
	    ret_dip);
}

/* "3,0" of an SPI port is the same device as "03,00" */
static int
addr_normalise(const struct scsa_port *port, const char *addr, char *text, size_t size)
{
	struct unit_addr ua;

	(void)snprintf(text, size, "%s", addr);
	if (port_is_complex(port->tran) || unit_addr_parse(addr, &ua) < 0 || !ua.is_numeric)
		return strlen(addr) < size ? 0 : -EINVAL;
	(void)snprintf(ua.taddr, sizeof(ua.taddr), "%x", (unsigned int)ua.target);
	if (unit_addr_make(ua.taddr, ua.lun, ua.sfunc, &ua) < 0)
		return -EINVAL;
	(void)snprintf(text, size, "%s", ua.text);
	return 0;
}

/* "taddr,*": all LUNs of it */
static bool
addr_is_rescan(const char *addr, char *taddr, size_t size)
{
	size_t len = strlen(addr);

	if (len < 3 || len - 2 >= size || strcmp(addr + len - 2, ",*") != 0)
		return false;
	memcpy(taddr, addr, len - 2);
	taddr[len - 2] = '\0';
	return true;
}

/*
 * An HBA with iports.
 */

/* its attach may have changed the type of its vector */
static void
iport_type_settle(dev_info_t *iport)
{
	struct scsa_port *port = config_hold(iport);

	if (port == NULL)
		return;
	port_type_update(port);
	config_release(port);
}

int
iport_config(struct scsa_port *hba, const char *name, dev_info_t **ret_dip)
{
	dev_info_t *iport = iport_node_find(hba->dip, name);
	bool is_new = iport == NULL;
	int r;

	if (is_new) {
		iport = iport_node_new(hba->dip, name);
		if (iport == NULL)
			return -ENOMEM;
		(void)devi_ref(iport);
	}
	r = devi_attach(iport);
	if (r == 0)
		iport_type_settle(iport);
	if (r < 0 && is_new)
		(void)devi_free(iport);
	else if (r == 0)
		*ret_dip = iport;
	devi_unref(iport);
	return r < 0 ? -EIO : 0;
}

/* the name of registered iport @i; false behind the last */
static bool
iport_name(struct scsa_port *hba, unsigned int i, char *name, size_t size)
{
	bool has = false;

	mutex_enter(&hba->lock);
	if (i < hba->n_iports) {
		(void)snprintf(name, size, "%s", hba->iports[i]);
		has = true;
	}
	mutex_exit(&hba->lock);
	return has;
}

static int
hba_config_all(struct scsa_port *hba)
{
	char name[UA_LEN];
	int units = 0, r;
	bool has_failed = false;

	if (hba->tran->tran_bus_config != NULL)
		return config_own(hba, 0, BUS_CONFIG_ALL, NULL, NULL) < 0 ? -EIO :
		    count_hba_units(hba->dip);
	if (hba->tran->tran_iportmap != NULL)
		return iportmap_config_all(hba);
	for (unsigned int i = 0; iport_name(hba, i, name, sizeof(name)); i++) {
		struct scsa_port *port = NULL;
		dev_info_t *iport;

		port_config_enter(hba);
		if (iport_config(hba, name, &iport) == 0)
			port = config_hold(iport);
		port_config_exit(hba);
		if (port == NULL) {
			has_failed = true;
			continue;
		}
		r = port_config_all(port);
		config_release(port);
		has_failed |= r < 0;
		units += r < 0 ? 0 : r;
	}
	return has_failed ? -EIO : units;
}

static int
hba_config_one(struct scsa_port *hba, const char *addr, dev_info_t **ret_dip)
{
	char name[UA_LEN];
	int r = -ENXIO;

	if (hba->tran->tran_bus_config != NULL)
		return config_own_one(hba, addr, ret_dip);
	if (hba->tran->tran_iportmap != NULL)
		return iportmap_config_one(hba, addr, ret_dip);
	for (unsigned int i = 0; iport_name(hba, i, name, sizeof(name)); i++) {
		dev_info_t *iport;

		if (strcmp(name, addr) != 0)
			continue;
		port_config_enter(hba);
		r = iport_config(hba, name, &iport);
		port_config_exit(hba);
		if (r == 0 && ret_dip != NULL)
			*ret_dip = iport;
		break;
	}
	return r;
}

/*
 * The contract of config.h.
 */

int
scsa_bus_config_all(dev_info_t *dip)
{
	struct scsa_port *port = config_hold(dip);
	int r;

	if (port == NULL)
		return -ENODEV;
	r = port_is_hba(port) ? hba_config_all(port) : port_config_all(port);
	config_release(port);
	return r;
}

static int
port_config_addr(struct scsa_port *port, const char *addr, dev_info_t **ret_dip)
{
	char text[UA_LEN], taddr[UA_LEN];
	int r;

	if (addr_normalise(port, addr, text, sizeof(text)) < 0)
		return -EINVAL;
	if (port->tran->tran_bus_config != NULL)
		return config_own_one(port, text, ret_dip);
	if (port->tran->tran_tgtmap != NULL)
		return tgtmap_config_one(port, text, ret_dip);
	port_config_enter(port);
	if (addr_is_rescan(text, taddr, sizeof(taddr)))
		r = target_config(port, taddr);
	else
		r = port_config_one(port, text, ret_dip);
	port_config_exit(port);
	return r;
}

int
scsa_bus_config_one(dev_info_t *dip, const char *addr, dev_info_t **ret_dip)
{
	struct scsa_port *port = config_hold(dip);
	int r;

	if (port == NULL)
		return -ENODEV;
	if (port_is_hba(port))
		r = hba_config_one(port, addr, ret_dip);
	else
		r = port_config_addr(port, addr, ret_dip);
	config_release(port);
	return r;
}

/* detach, if it is attached, and free */
int
child_remove(dev_info_t *child)
{
	if (devi_is_attached(child))
		return devi_detach(child, DEVI_DETACH_FREE) < 0 ? -EBUSY : 0;
	return devi_free(child) < 0 ? -EBUSY : 0;
}

static int
port_unconfig_one(struct scsa_port *port, const char *addr)
{
	char text[UA_LEN], key[UA_LEN + 1];
	dev_info_t *child;
	int r = -ENOENT;

	if (addr_normalise(port, addr, text, sizeof(text)) < 0)
		return -ENOENT;
	if (port->tran->tran_bus_unconfig != NULL)
		return unconfig_own_one(port, text);
	if (port->tran->tran_tgtmap != NULL)
		return tgtmap_unconfig_one(port, text);
	(void)snprintf(key, sizeof(key), "@%s", text);
	port_config_enter(port);
	child = devi_find(port->dip, key);
	if (child != NULL) {
		r = child_remove(child);
		devi_unref(child);
	}
	port_config_exit(port);
	return r;
}

int
scsa_bus_unconfig_one(dev_info_t *dip, const char *addr)
{
	struct scsa_port *port = config_hold(dip);
	int r;

	if (port == NULL)
		return -ENOENT;
	r = port_unconfig_one(port, addr);
	config_release(port);
	return r;
}

dev_info_t **
children_ref(dev_info_t *dip, size_t *ret_n)
{
	dev_info_t **list = NULL, *child;
	size_t n = 0, i = 0;

	devi_enter(dip);
	for (child = devi_first_child(dip); child != NULL; child = devi_next(child))
		n++;
	if (n != 0)
		list = kmem_alloc(n * sizeof(dev_info_t *), KM_SLEEP);
	for (child = devi_first_child(dip); i < n; child = devi_next(child))
		list[i++] = devi_ref(child);
	devi_exit(dip);
	*ret_n = n;
	return list;
}

int
port_unconfig_all(struct scsa_port *port)
{
	dev_info_t **children;
	size_t n;
	int r = 0;

	if (port->tran->tran_bus_unconfig != NULL)
		return unconfig_own(port, 0, BUS_UNCONFIG_ALL, NULL);
	if (port->tran->tran_tgtmap != NULL)
		return tgtmap_unconfig_all(port);
	port_config_enter(port);
	children = children_ref(port->dip, &n);
	for (size_t i = 0; i < n; i++) {
		if (child_remove(children[i]) < 0)
			r = -EBUSY;
		devi_unref(children[i]);
	}
	kmem_free(children, n * sizeof(dev_info_t *));
	port_config_exit(port);
	return r;
}

static int
hba_unconfig_all(struct scsa_port *hba)
{
	char name[UA_LEN];
	int r = 0;

	if (hba->tran->tran_bus_unconfig != NULL)
		return unconfig_own(hba, 0, BUS_UNCONFIG_ALL, NULL);
	if (hba->tran->tran_iportmap != NULL)
		return iportmap_unconfig_all(hba);
	for (unsigned int i = 0; iport_name(hba, i, name, sizeof(name)); i++) {
		dev_info_t *iport = iport_node_find(hba->dip, name);

		if (iport == NULL)
			continue;
		if (iport_remove(iport) < 0)
			r = -EBUSY;
		devi_unref(iport);
	}
	return r;
}

int
scsa_bus_unconfig_all(dev_info_t *dip)
{
	struct scsa_port *port = config_hold(dip);
	int r;

	if (port == NULL)
		return 0;
	r = port_is_hba(port) ? hba_unconfig_all(port) : port_unconfig_all(port);
	config_release(port);
	return r;
}
