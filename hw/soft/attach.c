/* the driver: its entry points, and the life of an adapter and its port */
#include "hw/soft/soft_impl.h"

static int soft_attach(dev_info_t *dip, ddi_attach_cmd_t cmd);
static int soft_detach(dev_info_t *dip, ddi_detach_cmd_t cmd);

/* 64-bit addresses, any alignment; as many pieces as a command has room for */
static ddi_dma_attr_t soft_dma_attr = {
	.dma_attr_version = DMA_ATTR_V0,
	.dma_attr_addr_hi = UINT64_MAX,
	.dma_attr_count_max = UINT32_MAX,
	.dma_attr_align = 1,
	.dma_attr_burstsizes = 1,
	.dma_attr_minxfer = 1,
	.dma_attr_maxxfer = DISK_XFER_MAX,
	.dma_attr_seg = UINT64_MAX,
	.dma_attr_sgllen = STORE_IOV_MAX,
	.dma_attr_granular = 512,
};

static struct dev_ops soft_dev_ops = {
	.devo_rev = DEVO_REV,
	.devo_probe = nulldev,
	.devo_attach = soft_attach,
	.devo_detach = soft_detach,
	.devo_quiesce = soft_silence,
};

static struct modldrv soft_modldrv = {
	.drv_modops = &mod_driverops,
	.drv_linkinfo = "software HBA",
	.drv_dev_ops = &soft_dev_ops,
};

static struct modlinkage soft_modlinkage = {
	.ml_rev = MODREV_1,
	.ml_linkage = { &soft_modldrv, NULL },
};

int
_init(void)
{
	int r = scsi_hba_init(&soft_modlinkage);

	if (r != 0)
		return r;
	r = mod_install(&soft_modlinkage);
	if (r != 0)
		scsi_hba_fini(&soft_modlinkage);
	return r;
}

int
_fini(void)
{
	int r = mod_remove(&soft_modlinkage);

	if (r == 0)
		scsi_hba_fini(&soft_modlinkage);
	return r;
}

int
_info(struct modinfo *modinfop)
{
	return mod_info(&soft_modlinkage, modinfop);
}

static void
soft_queue_close(struct soft_queue *queue)
{
	if (queue->is_enabled)
		(void)ddi_intr_disable(queue->vector);
	if (queue->has_handler)
		(void)ddi_intr_remove_handler(queue->vector);
	aio_close(queue->aio);
	if (queue->vector != NULL)
		(void)ddi_intr_free(queue->vector);
	*queue = (struct soft_queue){ .aio = NULL };
}

static void
soft_queues_close(struct soft_hba *hba)
{
	for (unsigned int i = 0; i < hba->want_queues && hba->queues != NULL; i++)
		soft_queue_close(&hba->queues[i]);
	free(hba->queues);
	hba->queues = NULL;
	hba->nqueues = 0;
}

/* vector @i belongs to loop @i; the kernel writes to its eventfd when something has finished */
static int
soft_queue_open(struct soft_hba *hba, unsigned int i)
{
	struct soft_queue *queue = &hba->queues[i];
	int actual;

	if (ddi_intr_alloc(hba->dip, &queue->vector, DDI_INTR_TYPE_MSIX, (int)i, 1, &actual,
	    DDI_INTR_ALLOC_STRICT) != DDI_SUCCESS)
		return DDI_FAILURE;
	if (aio_open(scsad_intr_fd(queue->vector), &queue->aio) < 0)
		return DDI_FAILURE;
	if (ddi_intr_add_handler(queue->vector, soft_intr, queue, NULL) != DDI_SUCCESS)
		return DDI_FAILURE;
	queue->has_handler = true;
	if (ddi_intr_enable(queue->vector) != DDI_SUCCESS)
		return DDI_FAILURE;
	queue->is_enabled = true;
	return DDI_SUCCESS;
}

static int
soft_queues_open(struct soft_hba *hba)
{
	if (hba->want_queues == 0)
		return DDI_SUCCESS;
	hba->queues = calloc(hba->want_queues, sizeof(*hba->queues));
	if (hba->queues == NULL)
		return DDI_FAILURE;
	for (unsigned int i = 0; i < hba->want_queues; i++) {
		if (soft_queue_open(hba, i) != DDI_SUCCESS) {
			soft_queues_close(hba);
			return DDI_FAILURE;
		}
	}
	hba->nqueues = hba->want_queues;
	return DDI_SUCCESS;
}

/* commands rest in constructed packets; only what outlives a use is set here */
static int
soft_pkt_constructor(struct scsi_pkt *pkt, scsi_hba_tran_t *tran, int kmflag)
{
	struct soft_cmd *cmd = pkt->pkt_ha_private;

	(void)tran;
	(void)kmflag;
	cmd->state = SOFT_IDLE;
	return 0;
}

static int
soft_setup_pkt(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg)
{
	(void)pkt;
	(void)callback;
	(void)arg;
	return 0;
}

static void
soft_teardown_pkt(struct scsi_pkt *pkt)
{
	(void)pkt;
}

static void
soft_tran_fill(scsi_hba_tran_t *tran, struct soft_hba *hba)
{
	tran->tran_hba_private = hba;
	tran->tran_tgt_init = soft_tgt_init;
	tran->tran_tgt_probe = scsi_hba_probe;
	tran->tran_tgt_free = soft_tgt_free;
	tran->tran_start = soft_start;
	tran->tran_abort = soft_abort;
	tran->tran_reset = soft_reset;
	tran->tran_bus_reset = soft_bus_reset;
	tran->tran_reset_notify = soft_reset_notify;
	tran->tran_clear_task_set = soft_clear_task_set;
	tran->tran_terminate_task = soft_terminate_task;
	tran->tran_quiesce = soft_quiesce;
	tran->tran_unquiesce = soft_unquiesce;
	tran->tran_getcap = soft_getcap;
	tran->tran_setcap = soft_setcap;
	tran->tran_setup_pkt = soft_setup_pkt;
	tran->tran_teardown_pkt = soft_teardown_pkt;
	tran->tran_pkt_constructor = soft_pkt_constructor;
	tran->tran_hba_len = (int)sizeof(struct soft_cmd);
	tran->tran_interconnect_type = INTERCONNECT_PARALLEL;
}

/* register the vectors; what a static adapter has for iports, or the maps by which they come */
static int
soft_register(struct soft_hba *hba, scsi_hba_tran_t *tran)
{
	if (scsi_hba_attach_setup(hba->dip, &soft_dma_attr, tran, SCSI_HBA_HBA |
	    SCSI_HBA_TRAN_CDB | SCSI_HBA_TRAN_SCB | SCSI_HBA_ADDR_COMPLEX) != DDI_SUCCESS)
		return DDI_FAILURE;
	hba->tran = tran;
	hba->is_detaching = false;
	atomic_store(&hba->is_quiesced, false);
	if (soft_smp_attach(hba) == DDI_SUCCESS) {
		if (soft_ports_attach(hba) == DDI_SUCCESS)
			return DDI_SUCCESS;
		soft_smp_detach(hba);
	}
	hba->tran = NULL;
	(void)scsi_hba_detach(hba->dip);
	return DDI_FAILURE;
}

static int
soft_attach_hba(dev_info_t *dip)
{
	struct soft_hba *hba = soft_hba_find(dip);
	scsi_hba_tran_t *tran;

	if (hba == NULL || soft_queues_open(hba) != DDI_SUCCESS)
		return DDI_FAILURE;
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, dip, "scsi-initiator-id", SOFT_INITIATOR_ID);
	tran = scsi_hba_tran_alloc(dip, SCSI_HBA_CANSLEEP);
	soft_tran_fill(tran, hba);
	if (soft_register(hba, tran) != DDI_SUCCESS) {
		scsi_hba_tran_free(tran);
		soft_queues_close(hba);
		return DDI_FAILURE;
	}
	ddi_report_dev(dip);
	return DDI_SUCCESS;
}

static int
soft_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	if (cmd != DDI_ATTACH)
		return DDI_FAILURE;
	return scsi_hba_iport_unit_address(dip) != NULL ? soft_iport_attach(dip) :
	    soft_attach_hba(dip);
}

static int
soft_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	struct soft_hba *hba = soft_hba_find(dip);

	if (cmd != DDI_DETACH || hba == NULL)
		return DDI_FAILURE;
	if (scsi_hba_iport_unit_address(dip) != NULL)
		return soft_iport_detach(dip);
	soft_ports_detach(hba);
	soft_smp_detach(hba);
	if (scsi_hba_detach(dip) != DDI_SUCCESS) {
		/* a control session is open: go on as before */
		if (soft_smp_attach(hba) == DDI_SUCCESS)
			(void)soft_ports_attach(hba);
		return DDI_FAILURE;
	}
	soft_timers_stop(hba);
	soft_queues_close(hba);
	scsi_hba_tran_free(hba->tran);
	hba->tran = NULL;
	return DDI_SUCCESS;
}
