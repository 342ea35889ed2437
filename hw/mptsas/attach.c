/* the driver: its entry points, and the life of an adapter */
#include "hw/mptsas/mptsas.h"

#include <errno.h>
#include <sys/pci.h>

#define BAR_MEMORY	1
#define REG_CELLS	5	/* of each set in "reg" */

static int mptsas_attach(dev_info_t *dip, ddi_attach_cmd_t cmd);
static int mptsas_detach(dev_info_t *dip, ddi_detach_cmd_t cmd);
static int mptsas_silence(dev_info_t *dip);

static void *mptsas_adapters;

static struct dev_ops mptsas_dev_ops = {
	.devo_rev = DEVO_REV,
	.devo_probe = nulldev,
	.devo_attach = mptsas_attach,
	.devo_detach = mptsas_detach,
	.devo_quiesce = mptsas_silence,
};

static struct modldrv mptsas_modldrv = {
	.drv_modops = &mod_driverops,
	.drv_linkinfo = "Fusion-MPT SAS HBA",
	.drv_dev_ops = &mptsas_dev_ops,
};

static struct modlinkage mptsas_modlinkage = {
	.ml_rev = MODREV_1,
	.ml_linkage = { &mptsas_modldrv, NULL },
};

int
_init(void)
{
	int r = ddi_soft_state_init(&mptsas_adapters, sizeof(struct mptsas_hba), 1);

	if (r != 0)
		return r;
	r = scsi_hba_init(&mptsas_modlinkage);
	if (r == 0) {
		r = mod_install(&mptsas_modlinkage);
		if (r != 0)
			scsi_hba_fini(&mptsas_modlinkage);
	}
	if (r != 0)
		ddi_soft_state_fini(&mptsas_adapters);
	return r;
}

int
_fini(void)
{
	int r = mod_remove(&mptsas_modlinkage);

	if (r != 0)
		return r;
	scsi_hba_fini(&mptsas_modlinkage);
	ddi_soft_state_fini(&mptsas_adapters);
	return 0;
}

int
_info(struct modinfo *modinfop)
{
	return mod_info(&mptsas_modlinkage, modinfop);
}

struct mptsas_hba *
mptsas_of(dev_info_t *dip)
{
	if (scsi_hba_iport_unit_address(dip) != NULL)
		dip = ddi_get_parent(dip);
	return ddi_get_soft_state(mptsas_adapters, ddi_get_instance(dip));
}

/*
 * Registers and interrupts.
 */

/* the register set that is the memory BAR: sets are numbered by what there is */
static int
regs_find(dev_info_t *dip, uint_t *ret_set)
{
	int *cells;
	uint_t n;
	int r = -ENODEV;

	if (ddi_prop_lookup_int_array(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, "reg", &cells,
	    &n) != DDI_PROP_SUCCESS)
		return -ENODEV;
	for (uint_t i = 1; i < n / REG_CELLS && r < 0; i++) {
		if (PCI_REG_REG_G((uint_t)cells[i * REG_CELLS]) !=
		    PCI_CONF_BASE0 + 4 * BAR_MEMORY)
			continue;
		*ret_set = i;
		r = 0;
	}
	ddi_prop_free(cells);
	return r;
}

static int
regs_open(struct mptsas_hba *hba)
{
	ddi_device_acc_attr_t acc = {
		.devacc_attr_version = DDI_DEVICE_ATTR_V0,
		.devacc_attr_endian_flags = DDI_STRUCTURE_LE_ACC,
		.devacc_attr_dataorder = DDI_STRICTORDER_ACC,
	};
	caddr_t base;
	off_t size;
	uint_t set;

	if (pci_config_setup(hba->dip, &hba->config) != DDI_SUCCESS)
		return -ENODEV;
	hba->device = pci_config_get16(hba->config, PCI_CONF_DEVID);
	if (regs_find(hba->dip, &set) < 0 ||
	    ddi_dev_regsize(hba->dip, set, &size) != DDI_SUCCESS || size < MPT_REGS_BYTES)
		return -ENODEV;
	if (hba->device == MPT_DEV_1078 && size < MPT_RESET_1078 + 4)
		return -ENODEV;
	if (ddi_regs_map_setup(hba->dip, set, &base, 0, 0, &acc, &hba->regs) != DDI_SUCCESS)
		return -ENODEV;
	hba->base = (uint8_t *)base;
	return 0;
}

static void
regs_close(struct mptsas_hba *hba)
{
	if (hba->regs != NULL)
		ddi_regs_map_free(&hba->regs);
	if (hba->config != NULL)
		pci_config_teardown(&hba->config);
}

/* one vector; a message if the bus has such, because a line may be shared and is masked and
 * unmasked by the system at each interrupt */
static int
vector_alloc(struct mptsas_hba *hba)
{
	static const int types[] = {
		DDI_INTR_TYPE_MSI, DDI_INTR_TYPE_MSIX, DDI_INTR_TYPE_FIXED
	};
	int have, n;

	if (ddi_intr_get_supported_types(hba->dip, &have) != DDI_SUCCESS)
		return -ENODEV;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if ((have & types[i]) == 0)
			continue;
		if (ddi_intr_alloc(hba->dip, &hba->vector, types[i], 0, 1, &n,
		    DDI_INTR_ALLOC_STRICT) != DDI_SUCCESS)
			continue;
		hba->intr_type = types[i];
		return 0;
	}
	return -ENODEV;
}

static int
vector_open(struct mptsas_hba *hba)
{
	int r = vector_alloc(hba);

	if (r < 0)
		return r;
	if (ddi_intr_add_handler(hba->vector, mptsas_intr, hba, NULL) != DDI_SUCCESS)
		return -EIO;
	hba->has_handler = true;
	if (ddi_intr_enable(hba->vector) != DDI_SUCCESS)
		return -EIO;
	hba->is_enabled = true;
	return 0;
}

static void
vector_close(struct mptsas_hba *hba)
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

/*
 * The adapter.
 */

static void
hba_init(struct mptsas_hba *hba, dev_info_t *dip)
{
	hba->dip = dip;
	hba->why = "";
	mutex_init(&hba->lock, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->scanning, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->message, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->task, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->notify, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->topo, NULL, MUTEX_DRIVER, NULL);
	cv_init(&hba->cv, NULL, CV_DRIVER, NULL);
	cv_init(&hba->walk_cv, NULL, CV_DRIVER, NULL);
	LIST_INIT(&hba->targets);
	LIST_INIT(&hba->iports);
	LIST_INIT(&hba->lus);
	mptsas_caps_init(hba->caps);
	hba->poll_ms = (unsigned int)ddi_prop_get_int(
	    DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, "topology-poll-ms", 0);
}

/* the chip is left as it was found: at rest, and unable to reach memory */
static void
chip_close(struct mptsas_hba *hba)
{
	atomic_store(&hba->can_touch, false);
	if (hba->regs != NULL) {
		mptsas_put(hba, MPT_INT_MASK, MPT_INT_ALL);
		if (hba->pool.is_bound && mptsas_make_ready(hba) < 0)
			mptsas_halt(hba);
	}
	if (hba->config != NULL)
		mptsas_bus_master(hba, false);
}

/* takes any half-built state */
static void
hba_close(struct mptsas_hba *hba)
{
	chip_close(hba);
	vector_close(hba);
	mptsas_topo_free(hba);
	if (hba->scan != NULL)
		kmem_free(hba->scan, sizeof(*hba->scan));
	mptsas_slots_close(hba);
	mptsas_pool_close(hba);
	regs_close(hba);
	cv_destroy(&hba->walk_cv);
	cv_destroy(&hba->cv);
	mutex_destroy(&hba->topo);
	mutex_destroy(&hba->notify);
	mutex_destroy(&hba->task);
	mutex_destroy(&hba->message);
	mutex_destroy(&hba->scanning);
	mutex_destroy(&hba->lock);
	ddi_soft_state_free(mptsas_adapters, ddi_get_instance(hba->dip));
}

/* up to a chip that takes requests */
static int
hba_open(struct mptsas_hba *hba)
{
	int r = regs_open(hba);

	if (r == 0)
		r = mptsas_make_ready(hba);
	if (r == 0)
		r = mptsas_learn(hba);
	if (r < 0)
		return r;
	mpt_ring_layout_make(&hba->facts, &hba->layout);
	hba->scan = kmem_zalloc(sizeof(*hba->scan), KM_NOSLEEP);
	if (hba->scan == NULL)
		return -ENOMEM;
	r = mptsas_pool_open(hba);
	if (r == 0)
		r = mptsas_slots_open(hba);
	if (r == 0)
		r = vector_open(hba);
	if (r == 0)
		r = mptsas_bring_up(hba);
	return r == 0 ? mptsas_open_ports(hba) : r;
}

/*
 * The framework.
 */

static void
tran_fill(scsi_hba_tran_t *tran, struct mptsas_hba *hba)
{
	tran->tran_hba_private = hba;
	tran->tran_tgt_init = mptsas_tgt_init;
	tran->tran_tgt_probe = scsi_hba_probe;
	tran->tran_tgt_free = mptsas_tgt_free;
	tran->tran_start = mptsas_start;
	tran->tran_abort = mptsas_abort;
	tran->tran_reset = mptsas_reset;
	tran->tran_bus_reset = mptsas_bus_reset;
	tran->tran_reset_notify = mptsas_reset_notify;
	tran->tran_clear_task_set = mptsas_clear_task_set;
	tran->tran_quiesce = mptsas_quiesce;
	tran->tran_unquiesce = mptsas_unquiesce;
	tran->tran_getcap = mptsas_getcap;
	tran->tran_setcap = mptsas_setcap;
	tran->tran_setup_pkt = mptsas_setup_pkt;
	tran->tran_teardown_pkt = mptsas_teardown_pkt;
	tran->tran_hba_len = (int)sizeof(struct mptsas_cmd);
	tran->tran_interconnect_type = INTERCONNECT_SAS;
}

static ddi_dma_attr_t
data_attr(const struct mptsas_hba *hba)
{
	return (ddi_dma_attr_t){
		.dma_attr_version = DMA_ATTR_V0,
		.dma_attr_addr_hi = UINT64_MAX,
		.dma_attr_count_max = 0x7fffff,	/* elements hold 16 MiB less a byte */
		.dma_attr_align = 1,
		.dma_attr_burstsizes = 1,
		.dma_attr_minxfer = 1,
		.dma_attr_maxxfer = MPTSAS_XFER_MAX,
		.dma_attr_seg = UINT64_MAX,
		.dma_attr_sgllen = (int)hba->layout.segs_max,
		.dma_attr_granular = 512,
	};
}

static int
hba_register(struct mptsas_hba *hba)
{
	ddi_dma_attr_t attr = data_attr(hba);
	scsi_hba_tran_t *tran = scsi_hba_tran_alloc(hba->dip, SCSI_HBA_CANSLEEP);

	tran_fill(tran, hba);
	if (scsi_hba_attach_setup(hba->dip, &attr, tran, SCSI_HBA_HBA | SCSI_HBA_TRAN_CDB |
	    SCSI_HBA_TRAN_SCB | SCSI_HBA_ADDR_COMPLEX) != DDI_SUCCESS) {
		scsi_hba_tran_free(tran);
		return -EIO;
	}
	hba->tran = tran;
	return 0;
}

static void
hba_unregister(struct mptsas_hba *hba)
{
	mptsas_worker_stop(hba);
	if (hba->tran != NULL) {
		(void)scsi_hba_detach(hba->dip);
		scsi_hba_tran_free(hba->tran);
	}
	hba->tran = NULL;
}

/* from a chip that works to an HBA of the framework */
static int
hba_join(struct mptsas_hba *hba)
{
	int r;

	mptsas_worker_start(hba);
	r = hba_register(hba);
	if (r == 0)
		r = mptsas_smp_open(hba);
	if (r == 0)
		r = mptsas_topo_open(hba);
	if (r < 0) {
		mptsas_smp_close(hba);
		hba_unregister(hba);
	}
	return r;
}

static int
attach_hba(dev_info_t *dip)
{
	int instance = ddi_get_instance(dip), r;
	struct mptsas_hba *hba;

	if (ddi_soft_state_zalloc(mptsas_adapters, instance) != DDI_SUCCESS)
		return DDI_FAILURE;
	hba = ddi_get_soft_state(mptsas_adapters, instance);
	hba_init(hba, dip);
	r = hba_open(hba);
	if (r == 0)
		r = hba_join(hba);
	if (r < 0) {
		dev_err(dip, CE_WARN, "not attached: error %d", -r);
		hba_close(hba);
		return DDI_FAILURE;
	}
	ddi_report_dev(dip);
	return DDI_SUCCESS;
}

static int
mptsas_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	if (cmd != DDI_ATTACH)
		return DDI_FAILURE;
	return scsi_hba_iport_unit_address(dip) != NULL ? mptsas_iport_attach(dip) :
	    attach_hba(dip);
}

static int
mptsas_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	struct mptsas_hba *hba = mptsas_of(dip);

	if (cmd != DDI_DETACH || hba == NULL)
		return DDI_FAILURE;
	if (scsi_hba_iport_unit_address(dip) != NULL)
		return mptsas_iport_detach(dip);
	mptsas_topo_close(hba);
	mptsas_smp_close(hba);
	if (scsi_hba_detach(dip) != DDI_SUCCESS) {
		/* a control session is open: go on as before */
		if (mptsas_smp_open(hba) == 0)
			(void)!mptsas_topo_open(hba);
		return DDI_FAILURE;
	}
	mptsas_worker_stop(hba);
	scsi_hba_tran_free(hba->tran);
	hba_close(hba);
	return DDI_SUCCESS;
}

/* the process is about to go: no locks, no waiting */
static int
mptsas_silence(dev_info_t *dip)
{
	struct mptsas_hba *hba = mptsas_of(dip);

	if (hba == NULL)
		return DDI_FAILURE;
	if (scsi_hba_iport_unit_address(dip) != NULL)
		return DDI_SUCCESS;
	mptsas_put(hba, MPT_INT_MASK, MPT_INT_ALL);
	mptsas_halt(hba);
	mptsas_bus_master(hba, false);
	return DDI_SUCCESS;
}
