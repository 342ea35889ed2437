#include <sys/scsi/scsi.h>

#include <errno.h>
#include <string.h>
#include <sys/modctl.h>
#include <sys/stat.h>

#include "ddi/violation.h"
#include "scsa/pkt_dma.h"
#include "scsa/scsa_impl.h"

#define PROP_TYPE	"initiator-interconnect-type"

#define MINOR_SHIFT	6	/* of the instance in a minor number */
#define MINOR_DEVCTL	0
#define MINOR_SCSI	1

#define ATTACH_FLAGS	(SCSI_HBA_TRAN_CLONE | SCSI_HBA_TRAN_PHCI | SCSI_HBA_TRAN_CDB | \
	    SCSI_HBA_TRAN_SCB | SCSI_HBA_HBA | SCSI_HBA_ADDR_SPI | SCSI_HBA_ADDR_COMPLEX)

/*
 * A driver becomes a nexus.
 */

static struct dev_ops *
modlinkage_ops(struct modlinkage *modlp)
{
	if (modlp == NULL)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(modlp->ml_linkage) && modlp->ml_linkage[i] != NULL; i++) {
		struct modldrv *drv = modlp->ml_linkage[i];

		if (drv->drv_modops == &mod_driverops)
			return drv->drv_dev_ops;
	}
	return NULL;
}

int
scsi_hba_init(struct modlinkage *modlp)
{
	struct dev_ops *ops = modlinkage_ops(modlp);

	if (ops == NULL || ops->devo_bus_ops != NULL)
		return EINVAL;
	ops->devo_bus_ops = &scsa_bus_ops;
	return 0;
}

void
scsi_hba_fini(struct modlinkage *modlp)
{
	struct dev_ops *ops = modlinkage_ops(modlp);

	if (ops != NULL && ops->devo_bus_ops == &scsa_bus_ops)
		ops->devo_bus_ops = NULL;
}

static void tran_unregister(scsi_hba_tran_t *tran);

/*
 * The vector.
 */

scsi_hba_tran_t *
scsi_hba_tran_alloc(dev_info_t *dip, int flags)
{
	scsi_hba_tran_t *tran;

	(void)dip;
	tran = kmem_zalloc(sizeof(*tran), flags & SCSI_HBA_CANSLEEP ? KM_SLEEP : KM_NOSLEEP);
	if (tran == NULL)
		return NULL;
	tran->tran_interconnect_type = INTERCONNECT_PARALLEL;
	tran->tran_hba_flags = SCSI_HBA_SCSA_TA;
	mutex_init(&tran->tran_open_lock, "tran_open_lock", MUTEX_DRIVER, NULL);
	return tran;
}

void
scsi_hba_tran_free(scsi_hba_tran_t *tran)
{
	if (tran == NULL)
		return;
	if (tran->tran_hba_dip != NULL) {
		ddi_violation("tran-free-registered", "scsi_hba_tran_free before scsi_hba_detach");
		/* the framework's own copies and vectors with children stay */
		if (tran->tran_extension != port_of(tran->tran_hba_dip) ||
		    ddi_get_child(tran->tran_hba_dip) != NULL)
			return;
		tran_unregister(tran);
	}
	mutex_destroy(&tran->tran_open_lock);
	kmem_free(tran, sizeof(*tran));
}

struct scsa_port *
port_new(dev_info_t *dip, struct scsi_hba_tran *tran, bool is_iport, int kmflag)
{
	struct scsa_port *port = kmem_zalloc(sizeof(*port), kmflag);

	if (port == NULL)
		return NULL;
	port->dip = dip;
	port->tran = tran;
	port->is_iport = is_iport;
	mutex_init(&port->lock, "scsa port", MUTEX_DRIVER, NULL);
	cv_init(&port->cv, "scsa port", CV_DRIVER, NULL);
	return port;
}

void
port_free(struct scsa_port *port)
{
	if (port->is_type_ours)
		(void)ndi_prop_remove(DDI_DEV_T_NONE, port->dip, PROP_TYPE);
	for (unsigned int i = 0; i < port->n_iports; i++)
		kmem_strfree(port->iports[i]);
	cv_destroy(&port->cv);
	mutex_destroy(&port->lock);
	kmem_free(port, sizeof(*port));
}

void
port_config_enter(struct scsa_port *port)
{
	mutex_enter(&port->lock);
	while (port->is_configuring)
		cv_wait(&port->cv, &port->lock);
	port->is_configuring = true;
	mutex_exit(&port->lock);
}

void
port_config_exit(struct scsa_port *port)
{
	mutex_enter(&port->lock);
	port->is_configuring = false;
	cv_broadcast(&port->cv);
	mutex_exit(&port->lock);
}

/*
 * Properties of a port, for those that the administrator did not set.
 */

static const char *const interconnect_names[INTERCONNECT_MAX] = {
	[INTERCONNECT_PARALLEL] = INTERCONNECT_PARALLEL_STR,
	[INTERCONNECT_FIBRE] = INTERCONNECT_FIBRE_STR,
	[INTERCONNECT_1394] = INTERCONNECT_1394_STR,
	[INTERCONNECT_FABRIC] = INTERCONNECT_FABRIC_STR,
	[INTERCONNECT_USB] = INTERCONNECT_USB_STR,
	[INTERCONNECT_ATAPI] = INTERCONNECT_ATAPI_STR,
	[INTERCONNECT_ISCSI] = INTERCONNECT_ISCSI_STR,
	[INTERCONNECT_IBSRP] = INTERCONNECT_IBSRP_STR,
	[INTERCONNECT_SATA] = INTERCONNECT_SATA_STR,
	[INTERCONNECT_SAS] = INTERCONNECT_SAS_STR,
};

static void
port_prop_default(dev_info_t *dip, const char *name, int value)
{
	if (!ddi_prop_exists(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, name))
		(void)ndi_prop_update_int(DDI_DEV_T_NONE, dip, name,
		    ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, name, value));
}

static void
port_prop_default_string(dev_info_t *dip, const char *name, const char *value)
{
	if (value != NULL && !ddi_prop_exists(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, name))
		(void)ndi_prop_update_string(DDI_DEV_T_NONE, dip, name, value);
}

void
port_type_update(struct scsa_port *port)
{
	int type = port->tran->tran_interconnect_type;
	const char *name = type > 0 && type < INTERCONNECT_MAX ? interconnect_names[type] : NULL;

	if (!port->is_type_ours)
		return;
	if (name != NULL)
		(void)ndi_prop_update_string(DDI_DEV_T_NONE, port->dip, PROP_TYPE, name);
	else
		(void)ndi_prop_remove(DDI_DEV_T_NONE, port->dip, PROP_TYPE);
}

void
port_props(struct scsa_port *port)
{
	dev_info_t *dip = port->dip;
	int id = ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "initiator-id",
	    SCSI_DEFAULT_INITIATOR_ID);

	port_prop_default(dip, "scsi-options", SCSI_OPTIONS_DEFAULT);
	port_prop_default(dip, "scsi-reset-delay", SCSI_DEFAULT_RESET_DELAY);
	port_prop_default(dip, "scsi-watchdog-tick", SCSI_DEFAULT_WATCHDOG_TICK);
	port_prop_default(dip, "scsi-selection-timeout", SCSI_DEFAULT_SELECTION_TIMEOUT);
	port_prop_default(dip, "scsi-tag-age-limit", SCSI_DEFAULT_TAG_AGE_LIMIT);
	port_prop_default(dip, "scsi-initiator-id", id);
	port->is_type_ours = !ddi_prop_exists(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, PROP_TYPE);
	port_type_update(port);
	port_prop_default_string(dip, "scsi-binding-set", "spi");
}

/*
 * Registration.
 */

static bool
attach_args_are_valid(dev_info_t *dip, const ddi_dma_attr_t *attr, const scsi_hba_tran_t *tran)
{
	struct dev_ops *ops;

	if (dip == NULL || tran == NULL || attr == NULL || devi_nexus(dip) != NULL)
		return false;
	ops = ddi_get_driver(dip);
	if (ops == NULL || ops->devo_bus_ops != &scsa_bus_ops) {
		dev_err(dip, CE_WARN, "scsi_hba_attach_setup without scsi_hba_init");
		return false;
	}
	if (!(tran->tran_hba_flags & SCSI_HBA_SCSA_TA) || tran->tran_hba_dip != NULL ||
	    tran->tran_start == NULL)
		return false;
	if (!dma_attr_is_valid(attr) || tran->tran_hba_len < 0)
		return false;
	if ((tran->tran_get_name == NULL) != (tran->tran_get_bus_addr == NULL))
		return false;
	if (tran->tran_setup_pkt != NULL)
		return tran->tran_init_pkt == NULL && tran->tran_destroy_pkt == NULL;
	return tran->tran_init_pkt != NULL && tran->tran_destroy_pkt != NULL;
}

static void
tran_set_setup_entries(scsi_hba_tran_t *tran, bool is_on)
{
	tran->tran_init_pkt = is_on ? pkt_setup_init : NULL;
	tran->tran_destroy_pkt = is_on ? pkt_setup_destroy : NULL;
	tran->tran_dmafree = is_on ? pkt_setup_dmafree : NULL;
	tran->tran_sync_pkt = is_on ? pkt_setup_sync : NULL;
}

/* undo what attach_setup did, from any point of it */
static void
tran_unregister(scsi_hba_tran_t *tran)
{
	dev_info_t *dip = tran->tran_hba_dip;
	struct scsa_port *port = tran->tran_extension;

	ddi_remove_minor_node(dip, "devctl");
	ddi_remove_minor_node(dip, "scsi");
	if (port_has_setup(tran)) {
		pkt_cache_destroy(tran);
		tran_set_setup_entries(tran, false);
	}
	if (port != NULL)
		port_free(port);
	devi_set_nexus(dip, NULL);
	ddi_set_driver_private(dip, NULL);
	tran->tran_extension = NULL;
	tran->tran_hba_dip = NULL;
	tran->tran_iport_dip = NULL;
	tran->tran_hba_flags = SCSI_HBA_SCSA_TA;
	memset(&tran->tran_dma_attr, 0, sizeof(tran->tran_dma_attr));
}

static int
tran_register(scsi_hba_tran_t *tran)
{
	dev_info_t *dip = tran->tran_hba_dip;
	minor_t minor = (minor_t)ddi_get_instance(dip) << MINOR_SHIFT;

	tran->tran_extension = port_new(dip, tran, false, KM_SLEEP);
	devi_set_nexus(dip, tran->tran_extension);
	ddi_set_driver_private(dip, tran);
	if (port_has_setup(tran)) {
		tran_set_setup_entries(tran, true);
		if (pkt_cache_create(tran) < 0)
			return DDI_FAILURE;
	}
	if (ddi_create_minor_node(dip, "devctl", S_IFCHR, minor | MINOR_DEVCTL,
	    DDI_NT_SCSI_NEXUS, 0) != DDI_SUCCESS)
		return DDI_FAILURE;
	if (tran->tran_hba_flags & SCSI_HBA_HBA)
		return DDI_SUCCESS;
	tran->tran_iport_dip = dip;
	port_props(tran->tran_extension);
	return ddi_create_minor_node(dip, "scsi", S_IFCHR, minor | MINOR_SCSI,
	    DDI_NT_SCSI_ATTACHMENT_POINT, 0);
}

int
scsi_hba_attach_setup(dev_info_t *dip, ddi_dma_attr_t *attr, scsi_hba_tran_t *tran, int flags)
{
	if (!attach_args_are_valid(dip, attr, tran))
		return DDI_FAILURE;
	tran->tran_hba_dip = dip;
	tran->tran_hba_flags |= flags & ATTACH_FLAGS;
	tran->tran_dma_attr = *attr;
	if (tran_register(tran) != DDI_SUCCESS) {
		tran_unregister(tran);
		return DDI_FAILURE;
	}
	TRACE(.kind = SCSA_EV_ATTACH_SETUP, .tran = tran, .dip = dip, .arg = flags);
	return DDI_SUCCESS;
}

int
scsi_hba_detach(dev_info_t *dip)
{
	struct scsa_port *port = port_of(dip);
	scsi_hba_tran_t *tran;
	int open;

	if (port == NULL || port->is_iport)
		return DDI_FAILURE;
	tran = port->tran;
	mutex_enter(&tran->tran_open_lock);
	open = tran->tran_open_flag;
	mutex_exit(&tran->tran_open_lock);
	if (open != 0)
		return DDI_FAILURE;
	TRACE(.kind = SCSA_EV_DETACH, .tran = tran, .dip = dip);
	tran_unregister(tran);
	return DDI_SUCCESS;
}
