/* iports: what is behind one is told to its target map; units get their scsi_device */
#include "hw/mptsas/mptsas.h"

#include <string.h>

#include "base/text.h"
#include "scsi/lun.h"

static bool
iport_leads_to(const struct mptsas_iport *iport, const struct mptsas_target *target)
{
	return !atomic_load(&target->is_gone) && target->local == iport->local &&
	    target->remote == iport->remote;
}

void
mptsas_iport_scan_luns(struct mptsas_iport *iport)
{
	struct mptsas_target *target;
	char addr[MPTSAS_TADDR_LEN];

	LIST_FOREACH(target, &iport->hba->targets, link) {
		if (!target->is_expander && iport_leads_to(iport, target))
			scsi_hba_tgtmap_scan_luns(
			    iport->map, scsi_wwn_to_wwnstr(target->sas, 1, addr));
	}
}

void
mptsas_iport_report(struct mptsas_iport *iport)
{
	struct mptsas_target *target;
	char addr[MPTSAS_TADDR_LEN];

	if (scsi_hba_tgtmap_set_begin(iport->map) != DDI_SUCCESS)
		return;
	LIST_FOREACH(target, &iport->hba->targets, link) {
		if (!iport_leads_to(iport, target))
			continue;
		(void)scsi_wwn_to_wwnstr(target->sas, 1, addr);
		(void)scsi_hba_tgtmap_set_add(iport->map, target->is_expander ?
		    SCSI_TGT_SMP_DEVICE : SCSI_TGT_SCSI_DEVICE, addr, NULL);
	}
	(void)scsi_hba_tgtmap_set_end(iport->map, 0);
}

void
mptsas_iport_props(struct mptsas_iport *iport)
{
	const struct mptsas_hba *hba = iport->hba;
	char wwn[SCSI_WWN_BUFLEN];
	int n = 0;

	for (unsigned int i = 0; i < PAGE_PHYS_MAX; i++)
		n += hba->phys[i].is_up && hba->phys[i].local == iport->local &&
		    hba->phys[i].remote == iport->remote;
	if (n == iport->nphys)
		return;
	iport->nphys = n;
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, iport->dip, "num-phys", n);
	(void)ddi_prop_update_string(DDI_DEV_T_NONE, iport->dip, SCSI_ADDR_PROP_INITIATOR_PORT,
	    scsi_wwn_to_wwnstr(iport->local, 0, wwn));
	(void)ddi_prop_update_string(DDI_DEV_T_NONE, iport->dip, SCSI_ADDR_PROP_ATTACHED_PORT,
	    scsi_wwn_to_wwnstr(iport->remote, 0, wwn));
}

static void
iport_become_sas(scsi_hba_tran_t *tran, dev_info_t *dip)
{
	char sas[] = INTERCONNECT_SAS_STR;

	tran->tran_interconnect_type = INTERCONNECT_SAS;
	(void)ddi_prop_update_string(DDI_DEV_T_NONE, dip, "initiator-interconnect-type", sas);
}

int
mptsas_iport_attach(dev_info_t *dip)
{
	scsi_hba_tran_t *tran = ddi_get_driver_private(dip);
	smp_hba_tran_t *smp = smp_hba_tran_of(dip);
	struct mptsas_hba *hba = mptsas_of(dip);
	struct mptsas_iport *iport;
	bool is_known;

	if (hba == NULL || tran == NULL)
		return DDI_FAILURE;
	iport = kmem_zalloc(sizeof(*iport), KM_SLEEP);
	iport->hba = hba;
	iport->dip = dip;
	mutex_enter(&hba->topo);
	is_known = mptsas_iport_resolve(
	    hba, scsi_hba_iport_unit_address(dip), &iport->local, &iport->remote);
	mutex_exit(&hba->topo);
	iport_become_sas(tran, dip);
	tran->tran_hba_private = iport;
	if (smp != NULL)
		smp->smp_tran_hba_private = iport;
	if (!is_known || scsi_hba_tgtmap_create(dip, SCSI_TM_FULLSET, MPTSAS_CSYNC_US,
	    MPTSAS_SETTLE_US, iport, NULL, NULL, &iport->map) != DDI_SUCCESS) {
		kmem_free(iport, sizeof(*iport));
		return DDI_FAILURE;
	}
	mutex_enter(&hba->topo);
	LIST_INSERT_HEAD(&hba->iports, iport, link);
	mptsas_iport_props(iport);
	mptsas_iport_report(iport);
	mutex_exit(&hba->topo);
	return DDI_SUCCESS;
}

int
mptsas_iport_detach(dev_info_t *dip)
{
	scsi_hba_tran_t *tran = ddi_get_driver_private(dip);
	struct mptsas_iport *iport = tran->tran_hba_private;
	struct mptsas_hba *hba = iport->hba;

	mutex_enter(&hba->topo);
	LIST_REMOVE(iport, link);
	mutex_exit(&hba->topo);
	/* nobody reports any more; what is still active goes, and takes topo for that */
	scsi_hba_tgtmap_destroy(iport->map);
	kmem_free(iport, sizeof(*iport));
	return DDI_SUCCESS;
}

/*
 * Units.
 */

/* "w500...,3" in two; false: no address of ours */
static bool
address_read(const char *ua, uint64_t *ret_sas, uint8_t lun[LUNFMT_LEN])
{
	char taddr[64], *comma;
	scsi_lun64_t number;

	if (ua == NULL || !text_copy(taddr, sizeof(taddr), ua))
		return false;
	comma = strchr(taddr, ',');
	if (comma == NULL)
		return false;
	*comma = '\0';
	number = scsi_addr_to_lun64(comma + 1);
	if (number == SCSI_LUN64_ILLEGAL || scsi_wwnstr_to_wwn(taddr, ret_sas) != DDI_SUCCESS)
		return false;
	lunfmt_put(lun, (uint64_t)number);
	return true;
}

/* topo held */
static struct mptsas_target *
target_at(const struct mptsas_iport *iport, uint64_t sas)
{
	struct mptsas_target *target;

	LIST_FOREACH(target, &iport->hba->targets, link) {
		if (target->sas == sas && !target->is_expander &&
		    iport_leads_to(iport, target))
			return target;
	}
	return NULL;
}

int
mptsas_tgt_init(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	struct mptsas_iport *iport = tran->tran_hba_private;
	struct mptsas_lu *lu;
	uint8_t lun[LUNFMT_LEN];
	uint64_t sas;

	(void)hba_dip;
	(void)tgt_dip;
	if (!address_read(scsi_device_unit_address(sd), &sas, lun))
		return DDI_FAILURE;
	lu = kmem_zalloc(sizeof(*lu), KM_SLEEP);
	memcpy(lu->lun, lun, sizeof(lu->lun));
	mptsas_caps_init(lu->caps);
	mutex_enter(&iport->hba->topo);
	lu->target = target_at(iport, sas);
	if (lu->target != NULL) {
		lu->target->nlus++;
		LIST_INSERT_HEAD(&iport->hba->lus, lu, link);
	}
	mutex_exit(&iport->hba->topo);
	if (lu->target == NULL) {
		kmem_free(lu, sizeof(*lu));
		return DDI_FAILURE;
	}
	scsi_device_hba_private_set(sd, lu);
	return DDI_SUCCESS;
}

void
mptsas_tgt_free(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	struct mptsas_lu *lu = scsi_device_hba_private_get(sd);
	struct mptsas_hba *hba = lu->target->hba;

	(void)hba_dip;
	(void)tgt_dip;
	(void)tran;
	scsi_device_hba_private_set(sd, NULL);
	mutex_enter(&hba->topo);
	while (lu->nwalkers > 0)
		cv_wait(&hba->walk_cv, &hba->topo);
	LIST_REMOVE(lu, link);
	mptsas_target_unref(lu->target);
	mutex_exit(&hba->topo);
	scsi_hba_reset_notify_tear_down(lu->notify);
	kmem_free(lu, sizeof(*lu));
}
