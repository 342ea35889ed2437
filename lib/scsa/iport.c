#include <sys/scsi/scsi.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "scsa/maps.h"
#include "scsa/scsa_impl.h"

#define IPORT_NAME	"iport"
#define IPORT_NAME_MAX	63u	/* longest unit address of an iport */

/*
 * Names that the HBA driver registered.
 */

static struct scsa_port *
iport_hba(dev_info_t *hba_dip)
{
	struct scsa_port *port = port_of(hba_dip);

	return port != NULL && (port->tran->tran_hba_flags & SCSI_HBA_HBA) ? port : NULL;
}

/* lock held */
static bool
iport_is_known(const struct scsa_port *hba, const char *name)
{
	for (unsigned int i = 0; i < hba->n_iports; i++) {
		if (strcmp(hba->iports[i], name) == 0)
			return true;
	}
	return false;
}

int
scsi_hba_iport_register(dev_info_t *hba_dip, char *port)
{
	struct scsa_port *hba = iport_hba(hba_dip);
	char *copy;
	int r = DDI_SUCCESS;

	if (hba == NULL || port == NULL || port[0] == '\0' || strlen(port) > IPORT_NAME_MAX)
		return DDI_FAILURE;
	copy = kmem_strdup(port, KM_NOSLEEP);
	if (copy == NULL)
		return DDI_FAILURE;
	mutex_enter(&hba->lock);
	if (iport_is_known(hba, port)) {
		/* twice is once */
	} else if (hba->n_iports == SCSI_HBA_MAX_IPORTS) {
		r = DDI_FAILURE;
	} else {
		hba->iports[hba->n_iports++] = STEAL(copy);
		(void)ndi_prop_update_string_array(DDI_DEV_T_NONE, hba_dip, "scsi-iports",
		    hba->iports, hba->n_iports);
	}
	mutex_exit(&hba->lock);
	if (copy != NULL)
		kmem_strfree(copy);
	return r;
}

int
scsi_hba_iport_exist(dev_info_t *hba_dip)
{
	struct scsa_port *hba = iport_hba(hba_dip);

	return hba != NULL && hba->n_iports != 0;
}

char *
scsi_hba_iport_unit_address(dev_info_t *dip)
{
	struct scsa_port *port = port_of(dip);

	return port != NULL && port->is_iport ? ddi_get_name_addr(dip) : NULL;
}

dev_info_t *
scsi_hba_iport_find(dev_info_t *hba_dip, char *port)
{
	dev_info_t *dip;

	if (iport_hba(hba_dip) == NULL || port == NULL)
		return NULL;
	dip = iport_node_find(hba_dip, port);
	if (dip == NULL)
		return NULL;
	/* the tree owns it: as published, the answer is good as long as the iport is
	 * attached */
	devi_unref(dip);
	return devi_is_attached(dip) ? dip : NULL;
}

/*
 * Nodes.
 */

dev_info_t *
iport_node_find(dev_info_t *hba, const char *name)
{
	dev_info_t *found = NULL;

	devi_enter(hba);
	for (dev_info_t *dip = devi_first_child(hba); dip != NULL && found == NULL;
	    dip = devi_next(dip)) {
		char *ua;

		if (ddi_prop_lookup_string(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, "scsi-iport",
		    &ua) != DDI_PROP_SUCCESS)
			continue;
		if (strcmp(ua, name) == 0)
			found = devi_ref(dip);
		ddi_prop_free(ua);
	}
	devi_exit(hba);
	return found;
}

dev_info_t *
iport_node_new(dev_info_t *hba, const char *name)
{
	/* the HBA's own driver, found by the name it has */
	char driver[MODMAXNAMELEN];
	char *const compatible[] = { driver };
	dev_info_t *dip;

	(void)snprintf(driver, sizeof(driver), "%s", ddi_driver_name(hba));
	if (devi_alloc(hba, IPORT_NAME, &dip) < 0)
		return NULL;
	if (ndi_prop_update_string(DDI_DEV_T_NONE, dip, "scsi-iport", name) ==
	    DDI_PROP_SUCCESS && devi_set_compatible(dip, compatible, 1) == 0)
		return dip;
	(void)devi_free(dip);
	return NULL;
}

/* the iport's own vector: the base vector, less what belongs to the HBA or to one session */
static struct scsi_hba_tran *
iport_tran_new(struct scsi_hba_tran *base, dev_info_t *iport)
{
	struct scsi_hba_tran *tran = kmem_alloc(sizeof(*tran), KM_SLEEP);

	memcpy(tran, base, sizeof(*tran));
	tran->tran_hba_private = NULL;
	tran->tran_iport_dip = iport;
	tran->tran_open_flag = 0;
	tran->tran_tgtmap = NULL;
	tran->tran_iportmap = NULL;
	tran->tran_extension = NULL;
	tran->tran_hba_flags &= ~(SCSI_HBA_HBA | SCSI_HBA_SCSA_FM | SCSI_HBA_SCSA_PHCI);
	tran->tran_hba_flags |= SCSI_HBA_SCSA_TA;
	mutex_init(&tran->tran_open_lock, "tran_open_lock", MUTEX_DRIVER, NULL);
	return tran;
}

static void
iport_tran_free(struct scsi_hba_tran *tran)
{
	mutex_destroy(&tran->tran_open_lock);
	kmem_free(tran, sizeof(*tran));
}

int
iport_init(dev_info_t *hba, dev_info_t *iport)
{
	struct scsi_hba_tran *tran;
	struct scsa_port *port;
	char *ua;

	if (ddi_prop_lookup_string(DDI_DEV_T_ANY, iport, DDI_PROP_DONTPASS, "scsi-iport", &ua) !=
	    DDI_PROP_SUCCESS)
		return DDI_NOT_WELL_FORMED;
	tran = iport_tran_new(port_of(hba)->tran, iport);
	port = port_new(iport, tran, true, KM_SLEEP);
	tran->tran_extension = port;
	smp_port_init(port_of(hba), port);
	ddi_set_name_addr(iport, ua);
	ddi_prop_free(ua);
	ddi_set_driver_private(iport, tran);
	devi_set_nexus(iport, port);
	port_props(port);
	TRACE(.kind = SCSA_EV_IPORT_INIT, .tran = tran, .dip = iport,
	    .text = ddi_get_name_addr(iport));
	return DDI_SUCCESS;
}

void
iport_fini(dev_info_t *iport)
{
	struct scsa_port *port = port_of(iport);
	struct scsi_hba_tran *tran;

	if (port == NULL)
		return;
	tran = port->tran;
	TRACE(.kind = SCSA_EV_IPORT_FREE, .tran = tran, .dip = iport,
	    .text = ddi_get_name_addr(iport));
	devi_set_nexus(iport, NULL);
	ddi_set_driver_private(iport, NULL);
	ddi_set_name_addr(iport, NULL);
	smp_port_fini(port);
	port_free(port);
	iport_tran_free(tran);
}
