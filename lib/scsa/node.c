#include <sys/scsi/scsi.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "ddi/violation.h"
#include "scsa/config_impl.h"
#include "scsa/maps.h"
#include "scsa/scsa_impl.h"

#define SPI_TARGETS	65535u
#define SPI_LUNS	256
#define LUN_PROP_MAX	32	/* below it, "lun" exists beside "lun64" */

/*
 * Registry of debug builds: which addresses belong to units of the framework.
 */
#ifdef SCSAD_DEBUG
static pthread_mutex_t units_lock = PTHREAD_MUTEX_INITIALIZER;
static struct unit *units;

static void
unit_register(struct unit *unit)
{
	unit->key = &unit->sd.sd_address;
	(void)pthread_mutex_lock(&units_lock);
	HASH_ADD_PTR(units, key, unit);
	(void)pthread_mutex_unlock(&units_lock);
}

static void
unit_unregister(struct unit *unit)
{
	int issued = atomic_load(&unit->issued);

	if (issued != 0)
		ddi_violation("tgt-free-busy", "%s goes away with %d packets in transport",
		    scsi_device_unit_address(&unit->sd), issued);
	(void)pthread_mutex_lock(&units_lock);
	HASH_DEL(units, unit);
	(void)pthread_mutex_unlock(&units_lock);
}

struct unit *
unit_by_address(const struct scsi_address *ap)
{
	struct unit *unit;

	(void)pthread_mutex_lock(&units_lock);
	HASH_FIND_PTR(units, &ap, unit);
	(void)pthread_mutex_unlock(&units_lock);
	return unit;
}
#else
static void
unit_register(struct unit *unit)
{
	(void)unit;
}

static void
unit_unregister(struct unit *unit)
{
	(void)unit;
}
#endif

/*
 * Nodes: the address is in the properties.
 */

static int
unit_node_props(dev_info_t *child, const struct unit_addr *ua)
{
	const dev_t dev = DDI_DEV_T_NONE;
	int r = 0;

	r |= ndi_prop_update_string(dev, child, "class", "scsi");
	r |= ndi_prop_update_string(dev, child, "target-port", ua->taddr);
	r |= ndi_prop_update_int64(dev, child, "lun64", ua->lun);
	if (ua->is_numeric && ua->target <= INT_MAX)
		r |= ndi_prop_update_int(dev, child, "target", (int)ua->target);
	if (ua->lun >= 0 && ua->lun < LUN_PROP_MAX)
		r |= ndi_prop_update_int(dev, child, "lun", (int)ua->lun);
	if (ua->sfunc != SFUNC_NONE)
		r |= ndi_prop_update_int(dev, child, "sfunc", ua->sfunc);
	return r;
}

dev_info_t *
unit_node_new(dev_info_t *port, const char *name, const struct unit_addr *ua)
{
	dev_info_t *child;

	if (devi_alloc(port, name, &child) < 0)
		return NULL;
	if (unit_node_props(child, ua) == DDI_PROP_SUCCESS)
		return child;
	(void)devi_free(child);
	return NULL;
}

/* the address back from the properties; also of nodes that a driver made */
static int
unit_node_addr(dev_info_t *child, struct unit_addr *ret)
{
	const uint_t flags = DDI_PROP_DONTPASS;
	int target = ddi_prop_get_int(DDI_DEV_T_ANY, child, flags, "target", -1);
	int sfunc = ddi_prop_get_int(DDI_DEV_T_ANY, child, flags, "sfunc", SFUNC_NONE);
	int64_t lun = ddi_prop_get_int(DDI_DEV_T_ANY, child, flags, "lun", 0);
	char *taddr, text[16];
	int r;

	lun = ddi_prop_get_int64(DDI_DEV_T_ANY, child, flags, "lun64", lun);
	if (ddi_prop_lookup_string(DDI_DEV_T_ANY, child, flags, "target-port", &taddr) ==
	    DDI_PROP_SUCCESS) {
		r = unit_addr_make(taddr, lun, sfunc, ret);
		ddi_prop_free(taddr);
		return r;
	}
	if (target < 0)
		return -EINVAL;
	(void)snprintf(text, sizeof(text), "%x", (unsigned int)target);
	return unit_addr_make(text, lun, sfunc, ret);
}

/*
 * The scsi_device of a node.
 */

static bool
unit_set_address(struct scsi_device *sd, struct scsi_hba_tran *tran, const struct unit_addr *ua)
{
	struct scsi_address *ap = &sd->sd_address;

	ap->a_hba_tran = tran;
	if (port_is_complex(tran)) {
		ap->a.a_sd = sd;
		return true;
	}
	if (ua->is_numeric && ua->target < SPI_TARGETS && ua->lun >= 0 && ua->lun < SPI_LUNS) {
		ap->a_target = (ushort_t)ua->target;
		ap->a_lun = (uchar_t)ua->lun;
		ap->a_sublun = (uchar_t)(ua->sfunc + 1);
		return true;
	}
	/* a driver with naming entries of its own knows where such an address leads */
	return tran->tran_get_name != NULL;
}

static struct unit *
unit_alloc(struct scsi_hba_tran *tran, dev_info_t *child, const struct unit_addr *ua)
{
	struct unit *unit = kmem_zalloc(sizeof(*unit), KM_SLEEP);
	struct scsi_device *sd = &unit->sd;

	if (!unit_set_address(sd, tran, ua)) {
		kmem_free(unit, sizeof(*unit));
		return NULL;
	}
	mutex_init(&sd->sd_mutex, "sd_mutex", MUTEX_DRIVER, NULL);
	sd->sd_dev = child;
	if (port_clones(tran))
		sd->sd_address.a_hba_tran = clone_new(tran, sd);
	sd->sd_tran_safe = sd->sd_address.a_hba_tran;
	return unit;
}

static void
unit_free(struct unit *unit, struct scsi_hba_tran *port_tran)
{
	struct scsi_device *sd = &unit->sd;

	if (sd->sd_inq != NULL)
		kmem_free(sd->sd_inq, SUN_INQSIZE);
	if (sd->sd_tran_safe != port_tran)
		clone_free(sd->sd_tran_safe);
	mutex_destroy(&sd->sd_mutex);
	kmem_free(unit, sizeof(*unit));
}

/* give the node its unit address; false if another child of the port has it */
static bool
unit_name(dev_info_t *port, dev_info_t *child, struct scsi_device *sd, const struct unit_addr *ua)
{
	char name[UA_LEN] = "", key[UA_LEN + 1] = "@";
	dev_info_t *twin;

	if (sd->sd_address.a_hba_tran->tran_get_name != NULL) {
		if (!tran_call_get_name(sd, name, (int)sizeof(name)))
			return false;
	} else {
		memcpy(name, ua->text, sizeof(name));
	}
	memcpy(key + 1, name, sizeof(name));
	twin = devi_find(port, key);
	if (twin != NULL)
		devi_unref(twin);
	if (twin != NULL && twin != child)
		return false;
	ddi_set_name_addr(child, name);
	return true;
}

/* the INQUIRY data by which the node was found goes to its scsi_device */
static void
unit_load_inq(dev_info_t *child, struct scsi_device *sd)
{
	uchar_t *data;
	uint_t len;

	if (sd->sd_inq != NULL)
		return;
	if (ddi_prop_lookup_byte_array(DDI_DEV_T_ANY, child, DDI_PROP_DONTPASS, UNIT_PROP_INQ,
	    &data, &len) != DDI_PROP_SUCCESS)
		return;
	if (len == SUN_INQSIZE) {
		sd->sd_inq = kmem_alloc(SUN_INQSIZE, KM_SLEEP);
		memcpy(sd->sd_inq, data, SUN_INQSIZE);
	}
	ddi_prop_free(data);
}

int
unit_init(dev_info_t *port, dev_info_t *child)
{
	struct scsi_hba_tran *tran = port_of(port)->tran;
	struct scsi_device *sd;
	struct unit_addr ua;
	struct unit *unit;

	if (unit_node_addr(child, &ua) < 0)
		return DDI_NOT_WELL_FORMED;
	unit = unit_alloc(tran, child, &ua);
	if (unit == NULL)
		return DDI_NOT_WELL_FORMED;
	sd = &unit->sd;
	if (!unit_name(port, child, sd, &ua)) {
		unit_free(unit, tran);
		return DDI_FAILURE;
	}
	ddi_set_driver_private(child, sd);
	if (tran_call_tgt_init(port, child, sd->sd_tran_safe, sd) != DDI_SUCCESS) {
		ddi_set_driver_private(child, NULL);
		ddi_set_name_addr(child, NULL);
		unit_free(unit, tran);
		return DDI_FAILURE;
	}
	/* a pointer of ours: what target drivers do to their private slot does not matter */
	ddi_set_parent_data(child, unit);
	unit_register(unit);
	unit_load_inq(child, sd);
	return DDI_SUCCESS;
}

void
unit_fini(dev_info_t *port, dev_info_t *child)
{
	struct scsi_hba_tran *tran = port_of(port)->tran;
	struct unit *unit = ddi_get_parent_data(child);
	struct scsi_device *sd;

	if (unit == NULL)
		return;
	sd = &unit->sd;
	unit_unregister(unit);
	sd->sd_address.a_hba_tran = sd->sd_tran_safe;
	/* the mark is the framework's: without it, each tgt_init has its tgt_free */
	if (sd->sd_tran_tgt_free_done)
		ddi_violation("tgt-free-imbalance",
		    "%s: somebody has marked its tgt_free as done",
		    scsi_device_unit_address(sd));
	else
		tran_call_tgt_free(port, child, sd->sd_tran_safe, sd);
	sd->sd_tran_tgt_free_done = 1;
	/* the node keeps its address: that is how enumeration finds it again */
	ddi_set_parent_data(child, NULL);
	ddi_set_driver_private(child, NULL);
	unit_free(unit, tran);
}

/*
 * Entries of the nexus. A child of an HBA with SCSI_HBA_HBA is an iport; any other is a unit,
 * or an expander.
 */

static int
bus_initchild(dev_info_t *parent, dev_info_t *child)
{
	struct scsa_port *port = port_of(parent);

	if (port == NULL)
		return DDI_FAILURE;
	if (port->tran->tran_hba_flags & SCSI_HBA_HBA)
		return iport_init(parent, child);
	return smp_node_is(child) ? smp_init(parent, child) : unit_init(parent, child);
}

static void
bus_uninitchild(dev_info_t *parent, dev_info_t *child)
{
	struct scsa_port *port = port_of(parent);

	if (port == NULL)
		return;
	if (port->tran->tran_hba_flags & SCSI_HBA_HBA)
		iport_fini(child);
	else if (smp_node_is(child))
		smp_fini(parent, child);
	else
		unit_fini(parent, child);
}

/* "name@addr" or "addr": the address */
static const char *
bus_arg_addr(const char *arg)
{
	const char *at = strchr(arg, '@');

	return at != NULL ? at + 1 : arg;
}

static int
bus_config(dev_info_t *parent, uint_t flags, ddi_bus_config_op_t op, void *arg,
    dev_info_t **ret_child)
{
	struct scsa_port *port = config_hold(parent);
	dev_info_t *child = NULL;
	int r;

	if (port == NULL)
		return DDI_FAILURE;
	if (port->tran->tran_bus_config != NULL)
		r = config_own(port, flags, op, arg, &child);
	else if (op == BUS_CONFIG_ONE)
		r = scsa_bus_config_one(parent, bus_arg_addr(arg), &child);
	else
		r = scsa_bus_config_all(parent);
	config_release(port);
	if (r < 0)
		return DDI_FAILURE;
	if (ret_child != NULL && child != NULL) {
		if (!devi_hold(child))
			return DDI_FAILURE;
		*ret_child = child;
	}
	return DDI_SUCCESS;
}

static int
bus_unconfig(dev_info_t *parent, uint_t flags, ddi_bus_config_op_t op, void *arg)
{
	struct scsa_port *port = config_hold(parent);
	int r;

	if (port == NULL)
		return DDI_FAILURE;
	if (port->tran->tran_bus_unconfig != NULL)
		r = unconfig_own(port, flags, op, arg);
	else if (op == BUS_UNCONFIG_ONE)
		r = scsa_bus_unconfig_one(parent, bus_arg_addr(arg));
	else
		r = scsa_bus_unconfig_all(parent);
	config_release(port);
	return r < 0 ? DDI_FAILURE : DDI_SUCCESS;
}

struct bus_ops scsa_bus_ops = {
	.bus_initchild = bus_initchild,
	.bus_uninitchild = bus_uninitchild,
	.bus_config = bus_config,
	.bus_unconfig = bus_unconfig,
};
