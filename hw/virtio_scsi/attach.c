/* the driver: its entry points, and the life of an adapter */
#include "hw/virtio_scsi/virtio_scsi.h"

#include "hw/virtio_scsi/module.h"

static int vs_attach(dev_info_t *dip, ddi_attach_cmd_t cmd);
static int vs_detach(dev_info_t *dip, ddi_detach_cmd_t cmd);
static int vs_silence(dev_info_t *dip);

static struct dev_ops vs_dev_ops = {
	.devo_rev = DEVO_REV,
	.devo_probe = nulldev,
	.devo_attach = vs_attach,
	.devo_detach = vs_detach,
	.devo_quiesce = vs_silence,
};

static struct modldrv vs_modldrv = {
	.drv_modops = &mod_driverops,
	.drv_linkinfo = "virtio SCSI HBA",
	.drv_dev_ops = &vs_dev_ops,
};

static struct modlinkage vs_modlinkage = {
	.ml_rev = MODREV_1,
	.ml_linkage = { &vs_modldrv, NULL },
};

int
_init(void)
{
	int r = scsi_hba_init(&vs_modlinkage);

	if (r != 0)
		return r;
	r = mod_install(&vs_modlinkage);
	if (r != 0)
		scsi_hba_fini(&vs_modlinkage);
	return r;
}

int
_fini(void)
{
	int r = mod_remove(&vs_modlinkage);

	if (r == 0)
		scsi_hba_fini(&vs_modlinkage);
	return r;
}

int
_info(struct modinfo *modinfop)
{
	return mod_info(&vs_modlinkage, modinfop);
}

struct vs_hba *
vs_hba_of(dev_info_t *dip)
{
	scsi_hba_tran_t *tran;

	if (scsi_hba_iport_unit_address(dip) != NULL)
		dip = ddi_get_parent(dip);
	tran = ddi_get_driver_private(dip);
	return tran == NULL ? NULL : tran->tran_hba_private;
}

static void
tran_fill(scsi_hba_tran_t *tran, struct vs_hba *hba)
{
	tran->tran_hba_private = hba;
	tran->tran_tgt_init = vs_tgt_init;
	tran->tran_tgt_probe = scsi_hba_probe;
	tran->tran_tgt_free = vs_tgt_free;
	tran->tran_start = vs_start;
	tran->tran_abort = vs_abort;
	tran->tran_reset = vs_reset;
	tran->tran_bus_reset = vs_bus_reset;
	tran->tran_reset_notify = vs_reset_notify;
	tran->tran_clear_task_set = vs_clear_task_set;
	tran->tran_quiesce = vs_quiesce;
	tran->tran_unquiesce = vs_unquiesce;
	tran->tran_getcap = vs_getcap;
	tran->tran_setcap = vs_setcap;
	tran->tran_setup_pkt = vs_setup_pkt;
	tran->tran_teardown_pkt = vs_teardown_pkt;
	tran->tran_pkt_constructor = vs_pkt_construct;
	tran->tran_hba_len = (int)sizeof(struct vs_cmd);
	tran->tran_interconnect_type = INTERCONNECT_SAS;
}

/* any alignment, 64-bit addresses; pieces and bytes as the device wants them */
static void
dma_attr_fill(struct vs_hba *hba)
{
	hba->dma_attr = (ddi_dma_attr_t){
		.dma_attr_version = DMA_ATTR_V0,
		.dma_attr_addr_hi = UINT64_MAX,
		.dma_attr_count_max = UINT32_MAX,
		.dma_attr_align = 1,
		.dma_attr_burstsizes = 1,
		.dma_attr_minxfer = 1,
		.dma_attr_maxxfer = hba->limits.xfer_bytes,
		.dma_attr_seg = UINT64_MAX,
		.dma_attr_sgllen = hba->limits.segs,
		.dma_attr_granular = 512,
	};
}

static int
tran_register(struct vs_hba *hba)
{
	scsi_hba_tran_t *tran = scsi_hba_tran_alloc(hba->dip, SCSI_HBA_CANSLEEP);
	char port[] = VS_PORT;

	tran_fill(tran, hba);
	dma_attr_fill(hba);
	if (scsi_hba_attach_setup(hba->dip, &hba->dma_attr, tran, SCSI_HBA_HBA |
	    SCSI_HBA_TRAN_CDB | SCSI_HBA_TRAN_SCB | SCSI_HBA_ADDR_COMPLEX) != DDI_SUCCESS) {
		scsi_hba_tran_free(tran);
		return DDI_FAILURE;
	}
	hba->tran = tran;
	if (scsi_hba_iport_register(hba->dip, port) == DDI_SUCCESS)
		return DDI_SUCCESS;
	(void)scsi_hba_detach(hba->dip);
	scsi_hba_tran_free(STEAL(hba->tran));
	return DDI_FAILURE;
}

static struct vs_hba *
hba_new(dev_info_t *dip)
{
	struct vs_hba *hba = kmem_zalloc(sizeof(*hba), KM_SLEEP);

	hba->dip = dip;
	mutex_init(&hba->lock, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->notify_lock, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->map_lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&hba->cv, NULL, CV_DRIVER, NULL);
	LIST_INIT(&hba->lus);
	return hba;
}

/* whatever there is of it; nothing runs on it any more */
static void
hba_free(struct vs_hba *hba)
{
	/* who looks may have to be rescued, and for that somebody has to watch */
	vs_lane_close(hba, VS_SCOUT);
	vs_lane_close(hba, VS_RESCUE);
	vs_intr_close(hba);
	vs_watch_stop(hba);
	vs_lanes_free(hba);
	if (hba->blocks[VS_BLOCK_COMMON].acc != NULL && vs_device_reset(hba, false) < 0)
		(void)vs_move(hba, VS_DEAD);
	vs_queues_free(hba);
	vs_regs_close(hba);
	cv_destroy(&hba->cv);
	mutex_destroy(&hba->map_lock);
	mutex_destroy(&hba->notify_lock);
	mutex_destroy(&hba->lock);
	kmem_free(hba, sizeof(*hba));
}

/* vectors, then the device: it is told which queue has which. One that refuses them gets
 * fewer */
static int
chip_up(struct vs_hba *hba)
{
	int r = -EBUSY;

	if (!vs_move(hba, VS_STARTING))
		return DDI_FAILURE;
	for (int few = 0; few < 2 && r == -EBUSY; few++) {
		if (vs_intr_open(hba, few != 0) != DDI_SUCCESS)
			return DDI_FAILURE;
		r = vs_device_start(hba);
		if (r == -EBUSY) {
			vs_intr_close(hba);
			if (vs_device_reset(hba, false) < 0)
				return DDI_FAILURE;
		}
	}
	return r == 0 && vs_move(hba, VS_READY) ? DDI_SUCCESS : DDI_FAILURE;
}

static int
hba_attach(dev_info_t *dip)
{
	struct vs_hba *hba = hba_new(dip);

	if (vs_regs_open(hba) != DDI_SUCCESS || vs_device_probe(hba) < 0 ||
	    vs_queues_new(hba) != DDI_SUCCESS || vs_lanes_open(hba) != DDI_SUCCESS ||
	    chip_up(hba) != DDI_SUCCESS || tran_register(hba) != DDI_SUCCESS) {
		hba_free(hba);
		return DDI_FAILURE;
	}
	vs_publish(hba);
	ddi_report_dev(dip);
	return DDI_SUCCESS;
}

static int
vs_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	if (cmd != DDI_ATTACH)
		return DDI_FAILURE;
	return scsi_hba_iport_unit_address(dip) != NULL ? vs_iport_attach(dip) :
	    hba_attach(dip);
}

static int
vs_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	struct vs_hba *hba = vs_hba_of(dip);

	if (cmd != DDI_DETACH || hba == NULL)
		return DDI_FAILURE;
	if (scsi_hba_iport_unit_address(dip) != NULL)
		return vs_iport_detach(dip);
	if (scsi_hba_detach(dip) != DDI_SUCCESS)
		return DDI_FAILURE;
	scsi_hba_tran_free(hba->tran);
	hba_free(hba);
	return DDI_SUCCESS;
}

/* the process ends without a detach: no DMA into memory that others get */
static int
vs_silence(dev_info_t *dip)
{
	struct vs_hba *hba = vs_hba_of(dip);

	if (hba == NULL)
		return DDI_FAILURE;
	return vs_device_reset(hba, false) == 0 ? DDI_SUCCESS : DDI_FAILURE;
}
