/* the driver: its entry points, and the life of an adapter */
#include "hw/iscsi/iscsi_hba_impl.h"

static int iscsi_attach(dev_info_t *dip, ddi_attach_cmd_t cmd);
static int iscsi_detach(dev_info_t *dip, ddi_detach_cmd_t cmd);

/* memory is the process's own: any address, any alignment */
static ddi_dma_attr_t iscsi_dma_attr = {
	.dma_attr_version = DMA_ATTR_V0,
	.dma_attr_addr_hi = UINT64_MAX,
	.dma_attr_count_max = UINT32_MAX,
	.dma_attr_align = 1,
	.dma_attr_burstsizes = 1,
	.dma_attr_minxfer = 1,
	.dma_attr_maxxfer = WIRE_XFER_MAX,
	.dma_attr_seg = UINT64_MAX,
	.dma_attr_sgllen = WIRE_IOV_MAX,
	.dma_attr_granular = 512,
};

static struct dev_ops iscsi_dev_ops = {
	.devo_rev = DEVO_REV,
	.devo_probe = nulldev,
	.devo_attach = iscsi_attach,
	.devo_detach = iscsi_detach,
	.devo_quiesce = ddi_quiesce_not_needed,
};

static struct modldrv iscsi_modldrv = {
	.drv_modops = &mod_driverops,
	.drv_linkinfo = "iSCSI initiator HBA",
	.drv_dev_ops = &iscsi_dev_ops,
};

static struct modlinkage iscsi_modlinkage = {
	.ml_rev = MODREV_1,
	.ml_linkage = { &iscsi_modldrv, NULL },
};

int
_init(void)
{
	int r = scsi_hba_init(&iscsi_modlinkage);

	if (r != 0)
		return r;
	r = mod_install(&iscsi_modlinkage);
	if (r != 0)
		scsi_hba_fini(&iscsi_modlinkage);
	return r;
}

int
_fini(void)
{
	int r = mod_remove(&iscsi_modlinkage);

	if (r == 0)
		scsi_hba_fini(&iscsi_modlinkage);
	return r;
}

int
_info(struct modinfo *modinfop)
{
	return mod_info(&iscsi_modlinkage, modinfop);
}

/* commands rest in constructed packets; only what outlives a use is set here */
static int
iscsi_pkt_constructor(struct scsi_pkt *pkt, scsi_hba_tran_t *tran, int kmflag)
{
	struct ih_cmd *cmd = pkt->pkt_ha_private;

	(void)tran;
	(void)kmflag;
	cmd->state = IH_IDLE;
	return 0;
}

static int
iscsi_setup_pkt(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg)
{
	(void)pkt;
	(void)callback;
	(void)arg;
	return 0;
}

static void
iscsi_teardown_pkt(struct scsi_pkt *pkt)
{
	(void)pkt;
}

static void
iscsi_tran_fill(scsi_hba_tran_t *tran, struct iscsi_hba *hba)
{
	tran->tran_hba_private = hba;
	tran->tran_tgt_init = ih_tgt_init;
	tran->tran_tgt_probe = scsi_hba_probe;
	tran->tran_tgt_free = ih_tgt_free;
	tran->tran_start = ih_start;
	tran->tran_abort = ih_abort;
	tran->tran_reset = ih_reset;
	tran->tran_bus_reset = ih_bus_reset;
	tran->tran_reset_notify = ih_reset_notify;
	tran->tran_clear_task_set = ih_clear_task_set;
	tran->tran_quiesce = ih_quiesce;
	tran->tran_unquiesce = ih_unquiesce;
	tran->tran_getcap = ih_getcap;
	tran->tran_setcap = ih_setcap;
	tran->tran_setup_pkt = iscsi_setup_pkt;
	tran->tran_teardown_pkt = iscsi_teardown_pkt;
	tran->tran_pkt_constructor = iscsi_pkt_constructor;
	tran->tran_hba_len = (int)sizeof(struct ih_cmd);
	tran->tran_interconnect_type = INTERCONNECT_ISCSI;
}

static int
iscsi_attach_hba(dev_info_t *dip)
{
	char iport[] = ISCSI_HBA_IPORT;
	struct iscsi_hba *hba;

	if (ih_hba_new(dip, &hba) != DDI_SUCCESS)
		return DDI_FAILURE;
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, dip, "scsi-initiator-id", IH_INITIATOR_ID);
	hba->tran = scsi_hba_tran_alloc(dip, SCSI_HBA_CANSLEEP);
	iscsi_tran_fill(hba->tran, hba);
	if (scsi_hba_attach_setup(dip, &iscsi_dma_attr, hba->tran, SCSI_HBA_HBA |
	    SCSI_HBA_TRAN_CDB | SCSI_HBA_TRAN_SCB | SCSI_HBA_ADDR_COMPLEX) != DDI_SUCCESS) {
		ih_hba_free(hba);
		return DDI_FAILURE;
	}
	ih_sessions_start(hba);
	if (scsi_hba_iport_register(dip, iport) != DDI_SUCCESS) {
		ih_sessions_stop(hba);
		(void)scsi_hba_detach(dip);
		ih_hba_free(hba);
		return DDI_FAILURE;
	}
	ddi_report_dev(dip);
	return DDI_SUCCESS;
}

static int
iscsi_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	if (cmd != DDI_ATTACH)
		return DDI_FAILURE;
	return scsi_hba_iport_unit_address(dip) != NULL ? ih_iport_attach(dip) :
	    iscsi_attach_hba(dip);
}

static int
iscsi_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	struct iscsi_hba *hba = ih_hba_find(dip);

	if (cmd != DDI_DETACH || hba == NULL)
		return DDI_FAILURE;
	if (scsi_hba_iport_unit_address(dip) != NULL)
		return ih_iport_detach(dip);
	/* refused while a control session is open; sessions stay up then */
	if (scsi_hba_detach(dip) != DDI_SUCCESS)
		return DDI_FAILURE;
	ih_sessions_stop(hba);
	ih_hba_free(hba);
	return DDI_SUCCESS;
}
