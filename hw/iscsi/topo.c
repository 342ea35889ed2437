/* the port and its map; units get their scsi_device */
#include "hw/iscsi/iscsi_hba_impl.h"

#include <string.h>

#include "base/text.h"

/*
 * Reports. Maps take locks of their own only.
 */

/* hba->lock is held */
static void
map_tell(struct ih_session *s)
{
	scsi_hba_tgtmap_t *map = s->hba->map;

	if (map == NULL)
		return;
	if (!s->info.is_reported) {
		(void)scsi_hba_tgtmap_tgt_remove(map, SCSI_TGT_SCSI_DEVICE, s->addr);
		return;
	}
	(void)scsi_hba_tgtmap_tgt_add(map, SCSI_TGT_SCSI_DEVICE, s->addr, NULL);
	/* of one that was away for a moment the map knows already; its units may be others */
	scsi_hba_tgtmap_scan_luns(map, s->addr);
}

void
ih_report(struct ih_session *s, bool is_there)
{
	mutex_enter(&s->hba->lock);
	mutex_enter(&s->lock);
	s->info.is_reported = is_there;
	mutex_exit(&s->lock);
	map_tell(s);
	mutex_exit(&s->hba->lock);
}

void
ih_known(struct ih_session *s)
{
	if (s->is_known)
		return;
	mutex_enter(&s->hba->lock);
	s->is_known = true;
	cv_broadcast(&s->hba->cv);
	mutex_exit(&s->hba->lock);
}

/* hba->lock is held */
static size_t
count_unknown(const struct iscsi_hba *hba)
{
	size_t n = 0;

	for (size_t i = 0; i < hba->nsessions; i++)
		n += !hba->sessions[i].is_known;
	return n;
}

/* give each target time for its first login, so that who looks after attach sees them; nothing
 * is a report, too: who waits for the first need not wait in vain */
static void
map_wait(struct iscsi_hba *hba)
{
	clock_t until = ddi_get_lbolt() + drv_usectohz(ISCSI_HBA_FIRST_MS * 1000);
	char nobody[] = "nobody";

	mutex_enter(&hba->lock);
	while (count_unknown(hba) > 0 && cv_timedwait(&hba->cv, &hba->lock, until) != -1)
		continue;
	(void)scsi_hba_tgtmap_tgt_remove(hba->map, SCSI_TGT_SCSI_DEVICE, nobody);
	mutex_exit(&hba->lock);
}

int
ih_iport_attach(dev_info_t *dip)
{
	scsi_hba_tran_t *tran = ddi_get_driver_private(dip);
	struct iscsi_hba *hba = ih_hba_find(dip);
	char iscsi[] = INTERCONNECT_ISCSI_STR;
	scsi_hba_tgtmap_t *map;

	if (hba == NULL || tran == NULL)
		return DDI_FAILURE;
	tran->tran_hba_private = hba;
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, dip, "scsi-initiator-id", IH_INITIATOR_ID);
	(void)ddi_prop_update_string(
	    DDI_DEV_T_NONE, dip, "initiator-interconnect-type", iscsi);
	if (scsi_hba_tgtmap_create(dip, SCSI_TM_PERADDR, IH_CSYNC_US, IH_SETTLE_US, hba, NULL,
	    NULL, &map) != DDI_SUCCESS)
		return DDI_FAILURE;
	mutex_enter(&hba->lock);
	hba->map = map;
	for (size_t i = 0; i < hba->nsessions; i++)
		if (hba->sessions[i].info.is_reported)
			map_tell(&hba->sessions[i]);
	mutex_exit(&hba->lock);
	map_wait(hba);
	return DDI_SUCCESS;
}

int
ih_iport_detach(dev_info_t *dip)
{
	struct iscsi_hba *hba = ih_hba_find(dip);
	scsi_hba_tgtmap_t *map;

	if (hba == NULL)
		return DDI_FAILURE;
	mutex_enter(&hba->lock);
	map = hba->map;
	hba->map = NULL;
	mutex_exit(&hba->lock);
	/* nobody reports any more; what is still active goes */
	scsi_hba_tgtmap_destroy(map);
	return DDI_SUCCESS;
}

/*
 * Units.
 */

bool
ih_lun_wire(scsi_lun64_t lun64, uint16_t *ret)
{
	scsi_lun_t lun;

	if (lun64 == SCSI_LUN64_ILLEGAL)
		return false;
	lun = scsi_lun64_to_lun(lun64);
	if (lun.sl_lun2_msb != 0 || lun.sl_lun2_lsb != 0 || lun.sl_lun3_msb != 0 ||
	    lun.sl_lun3_lsb != 0 || lun.sl_lun4_msb != 0 || lun.sl_lun4_lsb != 0)
		return false;
	*ret = (uint16_t)(lun.sl_lun1_msb << 8 | lun.sl_lun1_lsb);
	return true;
}

static struct ih_session *
session_by_addr(struct iscsi_hba *hba, const char *taddr)
{
	for (size_t i = 0; i < hba->nsessions; i++)
		if (strcmp(hba->sessions[i].addr, taddr) == 0)
			return &hba->sessions[i];
	return NULL;
}

int
ih_tgt_init(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	struct iscsi_hba *hba = tran->tran_hba_private;
	char taddr[64], *comma;
	struct ih_session *s;
	struct ih_unit *unit;
	uint16_t lun;

	(void)hba_dip;
	if (!text_copy(taddr, sizeof(taddr), scsi_device_unit_address(sd)))
		return DDI_FAILURE;
	comma = strchr(taddr, ',');
	if (comma == NULL || !ih_lun_wire(scsi_addr_to_lun64(comma + 1), &lun))
		return DDI_FAILURE;
	*comma = '\0';
	s = session_by_addr(hba, taddr);
	if (s == NULL)
		return DDI_FAILURE;
	unit = kmem_zalloc(sizeof(*unit), KM_SLEEP);
	unit->session = s;
	unit->lun = lun;
	ih_caps_init(unit->caps);
	(void)ddi_prop_update_string(
	    DDI_DEV_T_NONE, tgt_dip, "iscsi-target-name", s->conf.name);
	scsi_device_hba_private_set(sd, unit);
	mutex_enter(&s->lock);
	LIST_INSERT_HEAD(&s->units, unit, link);
	mutex_exit(&s->lock);
	return DDI_SUCCESS;
}

void
ih_tgt_free(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	struct ih_unit *unit = scsi_device_hba_private_get(sd);
	struct ih_session *s = unit->session;

	(void)hba_dip;
	(void)tgt_dip;
	(void)tran;
	scsi_device_hba_private_set(sd, NULL);
	mutex_enter(&s->lock);
	unit->is_marked = false;
	while (unit->holds > 0)
		cv_wait(&s->cv, &s->lock);
	LIST_REMOVE(unit, link);
	mutex_exit(&s->lock);
	scsi_hba_reset_notify_tear_down(unit->notify);
	kmem_free(unit, sizeof(*unit));
}
