/* iports: what is behind one is told to its target map; units get their scsi_device */
#include "hw/soft/soft_impl.h"

#include <string.h>

#include "base/text.h"
#include "scsi/lun.h"

#define CSYNC_MIN_US	100000	/* who asks early waits so long at most for what is reported, */
#define CSYNC_UNIT_US	1000	/* and so much longer for each unit that has to be looked at, */
#define ORDERED_UNITS	256
#define CSYNC_MAX_US	60000000	/* but never longer than this */

struct soft_iport *
soft_iport_find(struct soft_hba *hba, const char *ua)
{
	struct soft_iport *iport;
	struct soft_port *port;

	TAILQ_FOREACH(port, &hba->ports, link) {
		LIST_FOREACH(iport, &port->iports, link) {
			if (strcmp(scsi_hba_iport_unit_address(iport->dip), ua) == 0)
				return iport;
		}
	}
	return NULL;
}

/*
 * Reports. The maps take locks of their own only. While an iport attaches it has none, and
 * reports everything at the end of that.
 */

static void
iport_report(struct soft_iport *iport, scsi_tgtmap_tgt_type_t type, char *addr, bool is_there)
{
	if (iport->map == NULL)
		return;
	if (is_there)
		(void)scsi_hba_tgtmap_tgt_add(iport->map, type, addr, NULL);
	else
		(void)scsi_hba_tgtmap_tgt_remove(iport->map, type, addr);
}

void
soft_report_target(struct soft_target *target, bool is_there)
{
	struct soft_iport *iport;

	LIST_FOREACH(iport, &target->port->iports, link)
		iport_report(iport, SCSI_TGT_SCSI_DEVICE, target->addr, is_there);
}

void
soft_report_luns(struct soft_target *target)
{
	struct soft_iport *iport;

	for (size_t i = 0; i < target->nluns; i++) {
		if (!atomic_load(&target->luns[i]->is_gone))
			disk_attention(target->luns[i]->disk, ASC_REPORTED_LUNS_CHANGED);
	}
	LIST_FOREACH(iport, &target->port->iports, link) {
		/* should it not have answered before: it is tried again */
		iport_report(iport, SCSI_TGT_SCSI_DEVICE, target->addr, true);
		if (iport->map != NULL)
			scsi_hba_tgtmap_scan_luns(iport->map, target->addr);
	}
}

void
soft_report_expander(struct soft_port *port, struct soft_expander *exp, bool is_there)
{
	struct soft_iport *iport;
	char wwn[SCSI_WWN_BUFLEN];

	(void)scsi_wwn_to_wwnstr(exp->conf.wwn, 1, wwn);
	LIST_FOREACH(iport, &port->iports, link)
		iport_report(iport, SCSI_TGT_SMP_DEVICE, wwn, is_there);
}

/* everything that is there at first; nothing is a report, too: who waits for the first need not
 * wait in vain */
static void
iport_report_all(struct soft_iport *iport)
{
	struct soft_port *port = iport->port;
	struct soft_target *target, *next;
	struct soft_expander *exp;
	char wwn[SCSI_WWN_BUFLEN], nobody[] = "nobody";

	HASH_ITER(hh, port->targets, target, next) {
		if (!atomic_load(&target->is_gone))
			iport_report(iport, SCSI_TGT_SCSI_DEVICE, target->addr, true);
	}
	if (port->targets == NULL)
		iport_report(iport, SCSI_TGT_SCSI_DEVICE, nobody, false);
	LIST_FOREACH(exp, &port->expanders, link) {
		(void)scsi_wwn_to_wwnstr(exp->conf.wwn, 1, wwn);
		iport_report(iport, SCSI_TGT_SMP_DEVICE, wwn, true);
	}
}

/*
 * Life.
 */

static size_t
port_units(const struct soft_port *port)
{
	struct soft_target *target, *next;
	size_t n = 0;

	HASH_ITER(hh, port->targets, target, next)
		n += target->nluns + 1;
	return n;
}

static int
port_csync_us(const struct soft_port *port)
{
	uint64_t us = CSYNC_MIN_US + CSYNC_UNIT_US * (uint64_t)port_units(port);

	return us < CSYNC_MAX_US ? (int)us : CSYNC_MAX_US;
}

/* a few units are looked at one after the other, in order of declaration, so that they have the
 * same order at every start; unless somebody wants it otherwise */
static void
iport_set_order(dev_info_t *dip, const struct soft_port *port)
{
	if (ddi_prop_exists(DDI_DEV_T_ANY, dip, 0, "scsi-enumeration") != 0 ||
	    port_units(port) > ORDERED_UNITS)
		return;
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, dip, "scsi-enumeration",
	    SCSI_ENUMERATION_ENABLE | SCSI_ENUMERATION_MT_LUN_DISABLE |
	    SCSI_ENUMERATION_MT_TARGET_DISABLE);
}

/* how the iport differs from one that stands for a parallel bus */
static void
iport_become(scsi_hba_tran_t *tran, dev_info_t *dip, const struct soft_port *port)
{
	char sas[] = INTERCONNECT_SAS_STR, fabric[] = INTERCONNECT_FABRIC_STR;

	if (port->kind == SOFT_PORT_PHYS) {
		tran->tran_interconnect_type = INTERCONNECT_SAS;
		(void)ddi_prop_update_string(
		    DDI_DEV_T_NONE, dip, "initiator-interconnect-type", sas);
	}
	if (port->kind != SOFT_PORT_VIRTUAL)
		return;
	tran->tran_interconnect_type = INTERCONNECT_FABRIC;
	tran->tran_getcap = soft_virtual_getcap;
	tran->tran_setcap = soft_virtual_setcap;
	tran->tran_reset = soft_virtual_reset;
	(void)ddi_prop_update_string(
	    DDI_DEV_T_NONE, dip, "initiator-interconnect-type", fabric);
}

void
soft_iport_props(struct soft_port *port)
{
	struct soft_hba *hba = port->hba;
	struct soft_iport *iport;
	char wwn[SCSI_WWN_BUFLEN];

	LIST_FOREACH(iport, &port->iports, link) {
		const struct soft_link *link =
		    soft_link_find(hba, scsi_hba_iport_unit_address(iport->dip));
		bool is_ours = link != NULL && link->port == port;
		uint64_t local = is_ours ? link->local : port->local;
		int n = 0;

		for (int i = 0; i < SOFT_PHYS; i++)
			n += hba->phys[i].is_up && hba->phys[i].remote == port->remote &&
			    hba->phys[i].local == local;
		(void)ddi_prop_update_int(DDI_DEV_T_NONE, iport->dip, "num-phys", n);
		(void)ddi_prop_update_string(DDI_DEV_T_NONE, iport->dip,
		    SCSI_ADDR_PROP_INITIATOR_PORT, scsi_wwn_to_wwnstr(local, 0, wwn));
		(void)ddi_prop_update_string(DDI_DEV_T_NONE, iport->dip,
		    SCSI_ADDR_PROP_ATTACHED_PORT, scsi_wwn_to_wwnstr(port->remote, 0, wwn));
	}
}

/* from now on no other port gets an iport of this name */
static void
iport_claim(struct soft_iport *iport, struct soft_hba *hba, scsi_hba_tran_t *tran)
{
	struct soft_port *port;

	mutex_enter(&hba->topo);
	port = soft_port_of_iport(hba, scsi_hba_iport_unit_address(iport->dip));
	iport->port = port;
	if (port != NULL) {
		LIST_INSERT_HEAD(&port->iports, iport, link);
		iport_become(tran, iport->dip, port);
		iport_set_order(iport->dip, port);
	}
	mutex_exit(&hba->topo);
}

static void
iport_disclaim(struct soft_iport *iport, struct soft_hba *hba)
{
	mutex_enter(&hba->topo);
	if (iport->port != NULL) {
		LIST_REMOVE(iport, link);
		soft_iport_left(hba, scsi_hba_iport_unit_address(iport->dip), iport->port);
	}
	mutex_exit(&hba->topo);
}

/* the map, and what is told to it */
static int
iport_open(struct soft_iport *iport, struct soft_hba *hba)
{
	scsi_hba_tgtmap_t *map;
	int r, csync_us;

	if (iport->port == NULL)
		return DDI_FAILURE;
	mutex_enter(&hba->topo);
	csync_us = port_csync_us(iport->port);
	mutex_exit(&hba->topo);
	r = scsi_hba_tgtmap_create(
	    iport->dip, SCSI_TM_PERADDR, csync_us, SOFT_SETTLE_US, iport, NULL, NULL, &map);
	if (r != DDI_SUCCESS)
		return r;
	mutex_enter(&hba->topo);
	iport->map = map;
	iport_report_all(iport);
	if (iport->port->kind == SOFT_PORT_PHYS)
		soft_iport_props(iport->port);
	mutex_exit(&hba->topo);
	return DDI_SUCCESS;
}

int
soft_iport_attach(dev_info_t *dip)
{
	scsi_hba_tran_t *tran = ddi_get_driver_private(dip);
	smp_hba_tran_t *smp = smp_hba_tran_of(dip);
	struct soft_hba *hba = soft_hba_find(dip);
	struct soft_iport *iport;

	if (hba == NULL || tran == NULL)
		return DDI_FAILURE;
	iport = kmem_zalloc(sizeof(*iport), KM_SLEEP);
	iport->dip = dip;
	iport_claim(iport, hba, tran);
	tran->tran_hba_private = iport;
	if (smp != NULL)
		smp->smp_tran_hba_private = iport;
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, dip, "scsi-initiator-id", SOFT_INITIATOR_ID);
	if (iport_open(iport, hba) == DDI_SUCCESS)
		return DDI_SUCCESS;
	iport_disclaim(iport, hba);
	kmem_free(iport, sizeof(*iport));
	return DDI_FAILURE;
}

int
soft_iport_detach(dev_info_t *dip)
{
	scsi_hba_tran_t *tran = ddi_get_driver_private(dip);
	struct soft_iport *iport = tran->tran_hba_private;
	struct soft_hba *hba = iport->port->hba;

	iport_disclaim(iport, hba);
	/* nobody reports any more; what is still active goes, and takes topo for that */
	scsi_hba_tgtmap_destroy(iport->map);
	kmem_free(iport, sizeof(*iport));
	return DDI_SUCCESS;
}

/*
 * Units.
 */

/* what the device's address is about; counted. NULL: no such target */
static struct soft_lu *
lu_find(struct soft_port *port, const char *taddr, uint64_t lun)
{
	struct soft_target *target = soft_target_find(port, taddr);
	struct soft_unit *unit = NULL;
	uint32_t index;

	if (target == NULL || atomic_load(&target->is_gone))
		return NULL;
	if (lunfmt_index(lun, &index))
		unit = soft_target_unit(target, index);
	if (unit != NULL && !atomic_load(&unit->is_gone)) {
		unit->refs++;
		return &unit->lu;
	}
	target->refs++;
	return &target->nobody;
}

int
soft_tgt_init(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	struct soft_iport *iport = tran->tran_hba_private;
	struct soft_hba *hba = iport->port->hba;
	char taddr[64], *comma;
	struct soft_lu *lu;

	(void)hba_dip;
	(void)tgt_dip;
	if (!text_copy(taddr, sizeof(taddr), scsi_device_unit_address(sd)))
		return DDI_FAILURE;
	comma = strchr(taddr, ',');
	if (comma == NULL)
		return DDI_FAILURE;
	*comma++ = '\0';
	mutex_enter(&hba->topo);
	lu = lu_find(iport->port, taddr, (uint64_t)scsi_addr_to_lun64(comma));
	mutex_exit(&hba->topo);
	if (lu == NULL)
		return DDI_FAILURE;
	scsi_device_hba_private_set(sd, lu);
	return DDI_SUCCESS;
}

void
soft_tgt_free(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	struct soft_lu *lu = scsi_device_hba_private_get(sd);
	struct soft_hba *hba = lu->target->port->hba;

	(void)hba_dip;
	(void)tgt_dip;
	(void)tran;
	scsi_device_hba_private_set(sd, NULL);
	if (lu->unit != NULL) {
		soft_unit_unref(lu->unit);
		return;
	}
	mutex_enter(&hba->topo);
	soft_target_unref(lu->target);
	mutex_exit(&hba->topo);
}
