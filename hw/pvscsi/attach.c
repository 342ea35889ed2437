/* the module: its entry points, and the life of an adapter */
#include "hw/pvscsi/pvscsi.h"

static void *pvscsi_instances;

/* 64-bit addresses, any alignment; as many pieces as a table has elements */
static ddi_dma_attr_t data_attr = {
	.dma_attr_version = DMA_ATTR_V0,
	.dma_attr_addr_hi = UINT64_MAX,
	.dma_attr_count_max = UINT32_MAX,
	.dma_attr_align = 1,
	.dma_attr_burstsizes = 1,
	.dma_attr_minxfer = 1,
	.dma_attr_maxxfer = PVSCSI_XFER_MAX,
	.dma_attr_seg = UINT64_MAX,
	.dma_attr_sgllen = PV_SGE_PER_PAGE,
	.dma_attr_granular = 512,
};

struct pvscsi *
pvscsi_of(dev_info_t *dip)
{
	if (scsi_hba_iport_unit_address(dip) != NULL)
		dip = ddi_get_parent(dip);
	return ddi_get_soft_state(pvscsi_instances, ddi_get_instance(dip));
}

/*
 * The interrupt: one vector, the best kind there is.
 */

static int
intr_open_type(struct pvscsi *hba, int type)
{
	int actual;

	if (ddi_intr_alloc(hba->dip, &hba->vector, type, 0, 1, &actual,
	    DDI_INTR_ALLOC_STRICT) != DDI_SUCCESS) {
		hba->vector = NULL;
		return DDI_FAILURE;
	}
	hba->intr_type = type;
	if (ddi_intr_add_handler(hba->vector, pvscsi_intr, hba, NULL) != DDI_SUCCESS)
		return DDI_FAILURE;
	hba->has_handler = true;
	if (ddi_intr_enable(hba->vector) != DDI_SUCCESS)
		return DDI_FAILURE;
	hba->is_enabled = true;
	return DDI_SUCCESS;
}

static void
intr_close(struct pvscsi *hba)
{
	if (hba->is_enabled)
		(void)ddi_intr_disable(hba->vector);
	if (hba->has_handler)
		(void)ddi_intr_remove_handler(hba->vector);
	if (hba->vector != NULL)
		(void)ddi_intr_free(hba->vector);
	hba->vector = NULL;
	hba->has_handler = hba->is_enabled = false;
}

/* property "interrupt-types": only those */
static int
intr_open(struct pvscsi *hba)
{
	static const int types[] = {
		DDI_INTR_TYPE_MSIX, DDI_INTR_TYPE_MSI, DDI_INTR_TYPE_FIXED };
	char name[] = "interrupt-types";
	int have = 0;
	int want = ddi_prop_get_int(DDI_DEV_T_ANY, hba->dip, DDI_PROP_DONTPASS, name, ~0);

	if (ddi_intr_get_supported_types(hba->dip, &have) != DDI_SUCCESS)
		return DDI_FAILURE;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if ((have & want & types[i]) == 0)
			continue;
		if (intr_open_type(hba, types[i]) == DDI_SUCCESS)
			return DDI_SUCCESS;
		intr_close(hba);
	}
	return DDI_FAILURE;
}

/*
 * Packets. Commands rest in constructed packets; what is in them is set at each start.
 */

static int
pkt_setup(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg)
{
	(void)pkt;
	(void)callback;
	(void)arg;
	return 0;
}

static void
pkt_teardown(struct scsi_pkt *pkt)
{
	(void)pkt;
}

static void
tran_fill(scsi_hba_tran_t *tran, struct pvscsi *hba)
{
	tran->tran_hba_private = hba;
	tran->tran_tgt_init = pvscsi_tgt_init;
	tran->tran_tgt_probe = scsi_hba_probe;
	tran->tran_tgt_free = pvscsi_tgt_free;
	tran->tran_start = pvscsi_start;
	tran->tran_abort = pvscsi_abort;
	tran->tran_reset = pvscsi_reset;
	tran->tran_bus_reset = pvscsi_bus_reset;
	tran->tran_clear_task_set = pvscsi_clear_task_set;
	tran->tran_reset_notify = pvscsi_reset_notify;
	tran->tran_quiesce = pvscsi_quiesce;
	tran->tran_unquiesce = pvscsi_unquiesce;
	tran->tran_getcap = pvscsi_getcap;
	tran->tran_setcap = pvscsi_setcap;
	tran->tran_setup_pkt = pkt_setup;
	tran->tran_teardown_pkt = pkt_teardown;
	tran->tran_hba_len = (int)sizeof(struct pvscsi_cmd);
	tran->tran_interconnect_type = INTERCONNECT_PARALLEL;
}

static int
tran_register(struct pvscsi *hba)
{
	char iport[] = PVSCSI_IPORT;
	scsi_hba_tran_t *tran = scsi_hba_tran_alloc(hba->dip, SCSI_HBA_CANSLEEP);

	tran_fill(tran, hba);
	if (scsi_hba_attach_setup(hba->dip, &data_attr, tran, SCSI_HBA_HBA |
	    SCSI_HBA_TRAN_CDB | SCSI_HBA_TRAN_SCB | SCSI_HBA_ADDR_COMPLEX) != DDI_SUCCESS) {
		scsi_hba_tran_free(tran);
		return DDI_FAILURE;
	}
	hba->tran = tran;
	return scsi_hba_iport_register(hba->dip, iport);
}

/*
 * Attach and detach.
 */

static void
hba_init(struct pvscsi *hba, dev_info_t *dip)
{
	hba->dip = dip;
	mutex_init(&hba->recovery_lock, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->command_lock, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->topo_lock, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->notify_lock, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&hba->cv, NULL, CV_DRIVER, NULL);
	STAILQ_INIT(&hba->ended);
	pvscsi_caps_init(hba->caps);
	for (uint32_t i = 0; i < PV_TARGETS; i++) {
		hba->targets[i].number = i;
		pvscsi_caps_init(hba->targets[i].caps);
	}
	hba->probes = kmem_zalloc(PV_TARGETS * sizeof(*hba->probes), KM_SLEEP);
}

/* takes any half-built state. The clocks end first: from then on nobody is at it but us */
static void
hba_free(struct pvscsi *hba)
{
	pvscsi_clocks_stop(hba);
	if (hba->state != PVSCSI_DOWN)
		(void)sm_move(pvscsi_states, &hba->state, PVSCSI_DOWN);
	if (hba->regs_acc != NULL)
		pvscsi_silence(hba, true);
	intr_close(hba);
	pvscsi_fini(hba);
	if (hba->tran != NULL)
		scsi_hba_tran_free(hba->tran);
	for (uint32_t i = 0; i < PV_TARGETS; i++)
		scsi_hba_reset_notify_tear_down(hba->targets[i].notify);
	kmem_free(hba->probes, PV_TARGETS * sizeof(*hba->probes));
	cv_destroy(&hba->cv);
	mutex_destroy(&hba->lock);
	mutex_destroy(&hba->notify_lock);
	mutex_destroy(&hba->topo_lock);
	mutex_destroy(&hba->command_lock);
	mutex_destroy(&hba->recovery_lock);
	ddi_soft_state_free(pvscsi_instances, ddi_get_instance(hba->dip));
}

static int
hba_start(struct pvscsi *hba)
{
	if (pvscsi_clocks_start(hba) != DDI_SUCCESS || pvscsi_init(hba) < 0 ||
	    intr_open(hba) != DDI_SUCCESS || pvscsi_bring_up(hba) < 0)
		return DDI_FAILURE;
	mutex_enter(&hba->lock);
	(void)sm_move(pvscsi_states, &hba->state, PVSCSI_READY);
	mutex_exit(&hba->lock);
	if (tran_register(hba) == DDI_SUCCESS)
		return DDI_SUCCESS;
	if (hba->tran != NULL)
		(void)scsi_hba_detach(hba->dip);
	return DDI_FAILURE;
}

static int
pvscsi_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	char id[] = "scsi-initiator-id";
	struct pvscsi *hba;

	if (cmd != DDI_ATTACH)
		return DDI_FAILURE;
	if (scsi_hba_iport_unit_address(dip) != NULL)
		return pvscsi_iport_attach(dip);
	if (ddi_soft_state_zalloc(pvscsi_instances, ddi_get_instance(dip)) != DDI_SUCCESS)
		return DDI_FAILURE;
	hba = pvscsi_of(dip);
	hba_init(hba, dip);
	if (hba_start(hba) != DDI_SUCCESS) {
		hba_free(hba);
		return DDI_FAILURE;
	}
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, dip, id, PVSCSI_INITIATOR_ID);
	pvscsi_show(hba);
	ddi_report_dev(dip);
	return DDI_SUCCESS;
}

static int
pvscsi_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	struct pvscsi *hba = pvscsi_of(dip);

	if (cmd != DDI_DETACH || hba == NULL)
		return DDI_FAILURE;
	if (scsi_hba_iport_unit_address(dip) != NULL)
		return pvscsi_iport_detach(dip);
	/* with a control session open it goes on as before */
	if (scsi_hba_detach(dip) != DDI_SUCCESS)
		return DDI_FAILURE;
	hba_free(hba);
	return DDI_SUCCESS;
}

/* the last resort: no lock, no wait, nothing given back */
static int
pvscsi_silence_dev(dev_info_t *dip)
{
	struct pvscsi *hba = pvscsi_of(dip);

	if (hba == NULL || hba->regs_acc == NULL)
		return DDI_FAILURE;
	pvscsi_put(hba, PV_INTR_MASK, 0);
	pvscsi_put(hba, PV_COMMAND, PV_CMD_ADAPTER_RESET);
	(void)pvscsi_get(hba, PV_COMMAND_STATUS);
	return DDI_SUCCESS;
}

static struct dev_ops pvscsi_dev_ops = {
	.devo_rev = DEVO_REV,
	.devo_probe = nulldev,
	.devo_attach = pvscsi_attach,
	.devo_detach = pvscsi_detach,
	.devo_quiesce = pvscsi_silence_dev,
};

static struct modldrv pvscsi_modldrv = {
	.drv_modops = &mod_driverops,
	.drv_linkinfo = "VMware paravirtual SCSI",
	.drv_dev_ops = &pvscsi_dev_ops,
};

static struct modlinkage pvscsi_modlinkage = {
	.ml_rev = MODREV_1,
	.ml_linkage = { &pvscsi_modldrv, NULL }
};

int
_init(void)
{
	int r = ddi_soft_state_init(&pvscsi_instances, sizeof(struct pvscsi), 1);

	if (r != 0)
		return r;
	r = scsi_hba_init(&pvscsi_modlinkage);
	if (r == 0) {
		r = mod_install(&pvscsi_modlinkage);
		if (r != 0)
			scsi_hba_fini(&pvscsi_modlinkage);
	}
	if (r != 0)
		ddi_soft_state_fini(&pvscsi_instances);
	return r;
}

int
_fini(void)
{
	int r = mod_remove(&pvscsi_modlinkage);

	if (r != 0)
		return r;
	scsi_hba_fini(&pvscsi_modlinkage);
	ddi_soft_state_fini(&pvscsi_instances);
	return 0;
}

int
_info(struct modinfo *modinfop)
{
	return mod_info(&pvscsi_modlinkage, modinfop);
}
