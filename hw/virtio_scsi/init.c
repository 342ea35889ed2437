/* the device from reset to "driver ok"; all of it can be done again at any time */
#include "hw/virtio_scsi/virtio_scsi.h"

#include <errno.h>
#include <sys/pci.h>

#include "base/bytes.h"
#include "base/num.h"

#define POLL_US		50
#define GENERATIONS	10	/* attempts to read a configuration that does not change */

static ddi_device_acc_attr_t reg_attr = {
	.devacc_attr_version = DDI_DEVICE_ATTR_V0,
	.devacc_attr_endian_flags = DDI_STRUCTURE_LE_ACC,
	.devacc_attr_dataorder = DDI_STRICTORDER_ACC,
};

/*
 * Registers.
 */

/* which register set is BAR @bar: the one whose entry in "reg" names its register; -1 none */
static int
bar_set(dev_info_t *dip, unsigned int bar)
{
	const unsigned int cells = sizeof(pci_regspec_t) / sizeof(int);
	int *reg, set = -1;
	uint_t n;

	if (ddi_prop_lookup_int_array(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, "reg", &reg, &n) !=
	    DDI_PROP_SUCCESS)
		return -1;
	for (unsigned int i = 1; i < n / cells && set < 0; i++) {
		if (PCI_REG_REG_G((uint_t)reg[i * cells]) == PCI_CONF_BASE0 + 4 * bar)
			set = (int)i;
	}
	ddi_prop_free(reg);
	return set;
}

static int
block_map(struct vs_hba *hba, enum vs_block block)
{
	const struct vs_place *place = &hba->places.block[block];
	struct vs_block_map *map = &hba->blocks[block];
	int set = bar_set(hba->dip, place->bar);
	caddr_t base;

	if (set < 0 || ddi_regs_map_setup(hba->dip, (uint_t)set, &base, place->off, place->len,
	    &reg_attr, &map->acc) != DDI_SUCCESS) {
		map->acc = NULL;
		return DDI_FAILURE;
	}
	map->base = (uint8_t *)base;
	return DDI_SUCCESS;
}

int
vs_regs_open(struct vs_hba *hba)
{
	uint8_t config[VS_PCI_CONFIG_BYTES];

	if (pci_config_setup(hba->dip, &hba->config) != DDI_SUCCESS) {
		hba->config = NULL;
		return DDI_FAILURE;
	}
	for (off_t off = 0; off < VS_PCI_CONFIG_BYTES; off += 4)
		le32_put(config + off, pci_config_get32(hba->config, off));
	if (vs_places_read(config, &hba->places) < 0)
		return DDI_FAILURE;
	for (unsigned int i = 0; i < VS_BLOCK_N; i++) {
		if (block_map(hba, (enum vs_block)i) != DDI_SUCCESS)
			return DDI_FAILURE;
	}
	return DDI_SUCCESS;
}

/* false: the command register does not take it */
static bool
master_set(struct vs_hba *hba, bool is_on)
{
	uint16_t command = pci_config_get16(hba->config, PCI_CONF_COMM);

	command |= PCI_COMM_MAE;
	if (is_on)
		command |= PCI_COMM_ME;
	else
		command &= (uint16_t)~PCI_COMM_ME;
	pci_config_put16(hba->config, PCI_CONF_COMM, command);
	/* what is not seen to be on is off: then nothing would ever complete */
	return ((pci_config_get16(hba->config, PCI_CONF_COMM) ^ command) & PCI_COMM_ME) == 0;
}

void
vs_regs_close(struct vs_hba *hba)
{
	for (unsigned int i = 0; i < VS_BLOCK_N; i++) {
		if (hba->blocks[i].acc != NULL)
			ddi_regs_map_free(&hba->blocks[i].acc);
	}
	if (hba->config != NULL) {
		(void)master_set(hba, false);
		pci_config_teardown(&hba->config);
	}
}

static uint8_t
get8(struct vs_hba *hba, enum vs_block block, unsigned int off)
{
	return ddi_get8(hba->blocks[block].acc, hba->blocks[block].base + off);
}

static uint16_t
get16(struct vs_hba *hba, enum vs_block block, unsigned int off)
{
	return ddi_get16(hba->blocks[block].acc,
	    (uint16_t *)(void *)(hba->blocks[block].base + off));
}

static uint32_t
get32(struct vs_hba *hba, enum vs_block block, unsigned int off)
{
	return ddi_get32(hba->blocks[block].acc,
	    (uint32_t *)(void *)(hba->blocks[block].base + off));
}

static void
common_put16(struct vs_hba *hba, unsigned int off, uint16_t value)
{
	struct vs_block_map *map = &hba->blocks[VS_BLOCK_COMMON];

	ddi_put16(map->acc, (uint16_t *)(void *)(map->base + off), value);
}

static void
common_put32(struct vs_hba *hba, unsigned int off, uint32_t value)
{
	struct vs_block_map *map = &hba->blocks[VS_BLOCK_COMMON];

	ddi_put32(map->acc, (uint32_t *)(void *)(map->base + off), value);
}

static void
common_put64(struct vs_hba *hba, unsigned int off, uint64_t value)
{
	common_put32(hba, off, (uint32_t)value);
	common_put32(hba, off + 4, (uint32_t)(value >> 32));
}

uint8_t
vs_status(struct vs_hba *hba)
{
	return get8(hba, VS_BLOCK_COMMON, VS_COMMON_STATUS);
}

void
vs_set_status(struct vs_hba *hba, uint8_t status)
{
	struct vs_block_map *map = &hba->blocks[VS_BLOCK_COMMON];

	ddi_put8(map->acc, map->base + VS_COMMON_STATUS, status);
}

int
vs_device_reset(struct vs_hba *hba, bool is_liar)
{
	hrtime_t end = gethrtime() + MSEC2NSEC(is_liar ? VS_RESET_LIAR_MS : VS_RESET_MS);
	clock_t us = POLL_US;
	uint8_t status;

	if (is_liar)
		(void)master_set(hba, false);
	vs_set_status(hba, 0);
	/* the device ends what is in flight first, and may have to wait for it */
	for (;;) {
		status = vs_status(hba);
		if (status == 0)
			return 0;
		if (status == VS_STATUS_GONE || gethrtime() > end)
			break;
		drv_usecwait(us);
		us = us < 10000 ? us * 2 : us;
	}
	(void)master_set(hba, false);
	return status == VS_STATUS_GONE ? -ENODEV : -ETIMEDOUT;
}

/*
 * What it can do.
 */

static uint64_t
features_offered(struct vs_hba *hba)
{
	uint64_t low;

	common_put32(hba, VS_COMMON_DEVICE_FEATURE_SELECT, 0);
	low = get32(hba, VS_BLOCK_COMMON, VS_COMMON_DEVICE_FEATURE);
	common_put32(hba, VS_COMMON_DEVICE_FEATURE_SELECT, 1);
	return low | (uint64_t)get32(hba, VS_BLOCK_COMMON, VS_COMMON_DEVICE_FEATURE) << 32;
}

/* 0, or -ENOTSUP: it does not want us with these */
static int
features_accept(struct vs_hba *hba)
{
	uint8_t status = VS_STATUS_ACKNOWLEDGE | VS_STATUS_DRIVER;

	vs_set_status(hba, VS_STATUS_ACKNOWLEDGE);
	vs_set_status(hba, status);
	common_put32(hba, VS_COMMON_DRIVER_FEATURE_SELECT, 0);
	common_put32(hba, VS_COMMON_DRIVER_FEATURE, (uint32_t)hba->features);
	common_put32(hba, VS_COMMON_DRIVER_FEATURE_SELECT, 1);
	common_put32(hba, VS_COMMON_DRIVER_FEATURE, (uint32_t)(hba->features >> 32));
	status |= VS_STATUS_FEATURES_OK;
	vs_set_status(hba, status);
	if (vs_status(hba) == status)
		return 0;
	vs_set_status(hba, status | VS_STATUS_FAILED);
	return -ENOTSUP;
}

static uint32_t
device32(struct vs_hba *hba, unsigned int off)
{
	return get32(hba, VS_BLOCK_DEVICE, off);
}

/* numbers that cannot be become the nearest that can */
static void
limits_read_once(struct vs_hba *hba, struct vs_limits *limits)
{
	uint64_t sectors = device32(hba, VS_DEVICE_MAX_SECTORS);
	uint32_t segs = device32(hba, VS_DEVICE_SEG_MAX);
	uint32_t queues = device32(hba, VS_DEVICE_NUM_QUEUES);
	uint16_t target = get16(hba, VS_BLOCK_DEVICE, VS_DEVICE_MAX_TARGET);
	uint32_t lun = device32(hba, VS_DEVICE_MAX_LUN);

	*limits = (struct vs_limits){
		.queues = (uint16_t)num_min(queues == 0 ? 1 : queues, VS_QUEUES_MAX),
		.segs = (uint16_t)num_min(segs == 0 ? 1 : segs, VS_SEGS_MAX),
		.xfer_bytes = (uint32_t)num_min((sectors == 0 ? 1 : sectors) * 512,
		    INT32_MAX & ~511u),
		.target_max = (uint16_t)num_min(target, VS_TARGET_MAX),
		.lun_max = (uint16_t)num_min(lun, VS_LUN_MAX),
		.cmd_per_lun = device32(hba, VS_DEVICE_CMD_PER_LUN),
	};
}

static int
limits_read(struct vs_hba *hba)
{
	for (int i = 0; i < GENERATIONS; i++) {
		uint8_t generation = get8(hba, VS_BLOCK_COMMON, VS_COMMON_GENERATION);

		limits_read_once(hba, &hba->limits);
		if (get8(hba, VS_BLOCK_COMMON, VS_COMMON_GENERATION) == generation)
			return 0;
	}
	return -EIO;
}

int
vs_device_probe(struct vs_hba *hba)
{
	int r = vs_device_reset(hba, false);
	uint64_t offered;

	if (r < 0)
		return r;
	vs_set_status(hba, VS_STATUS_ACKNOWLEDGE);
	vs_set_status(hba, VS_STATUS_ACKNOWLEDGE | VS_STATUS_DRIVER);
	offered = features_offered(hba);
	if ((offered & VS_F_VERSION_1) == 0)
		return -ENOTSUP;
	hba->features = offered & VS_F_WANTED;
	r = features_accept(hba);
	if (r == 0)
		r = limits_read(hba);
	return r < 0 ? r : vs_device_reset(hba, false);
}

/*
 * Queues.
 */

uint16_t
vs_queue_size_offered(struct vs_hba *hba, unsigned int index)
{
	common_put16(hba, VS_COMMON_QUEUE_SELECT, (uint16_t)index);
	return get16(hba, VS_BLOCK_COMMON, VS_COMMON_QUEUE_SIZE);
}

/* 0 or -EBUSY: it has not as many vectors as it said */
static int
vector_set(struct vs_hba *hba, unsigned int reg, unsigned int vector)
{
	uint16_t want = hba->intr_type == DDI_INTR_TYPE_MSIX ? (uint16_t)vector : VS_NO_VECTOR;

	common_put16(hba, reg, want);
	return get16(hba, VS_BLOCK_COMMON, reg) == want ? 0 : -EBUSY;
}

/* which vector serves queue @index */
static unsigned int
vector_of(struct vs_hba *hba, unsigned int index)
{
	for (unsigned int i = 0; i < hba->nvectors; i++) {
		const struct vs_vector *v = &hba->vectors[i];

		if ((index == VS_CONTROL_QUEUE && v->has_control) ||
		    (index == VS_EVENT_QUEUE && v->has_events) ||
		    (index >= VS_REQUEST_QUEUE &&
		    (v->queues & 1u << (index - VS_REQUEST_QUEUE)) != 0))
			return i;
	}
	return 0;
}

static unsigned int
vector_of_config(struct vs_hba *hba)
{
	unsigned int i = 0;

	while (i + 1 < hba->nvectors && !hba->vectors[i].has_config)
		i++;
	return i;
}

/* give queue @index the memory of @ring; where its doorbell is */
static int
queue_start(struct vs_hba *hba, unsigned int index, const struct vs_ring *ring,
    const struct vs_mem *mem, uint16_t **ret_doorbell)
{
	uint64_t bell;
	uint16_t max;
	int r;

	common_put16(hba, VS_COMMON_QUEUE_SELECT, (uint16_t)index);
	max = get16(hba, VS_BLOCK_COMMON, VS_COMMON_QUEUE_SIZE);
	if (max < ring->size || get16(hba, VS_BLOCK_COMMON, VS_COMMON_QUEUE_ENABLE) != 0)
		return -EIO;
	common_put16(hba, VS_COMMON_QUEUE_SIZE, ring->size);
	r = vector_set(hba, VS_COMMON_QUEUE_VECTOR, vector_of(hba, index));
	if (r < 0)
		return r;
	common_put64(hba, VS_COMMON_QUEUE_DESC, mem->iova);
	common_put64(hba, VS_COMMON_QUEUE_DRIVER, mem->iova + vs_ring_avail_off(ring->size));
	common_put64(hba, VS_COMMON_QUEUE_DEVICE, mem->iova + vs_ring_used_off(ring->size));
	bell = (uint64_t)get16(hba, VS_BLOCK_COMMON, VS_COMMON_QUEUE_NOTIFY_OFF) *
	    hba->places.notify_step;
	if (bell > hba->places.block[VS_BLOCK_NOTIFY].len - sizeof(uint16_t))
		return -EIO;
	*ret_doorbell = (uint16_t *)(void *)(hba->blocks[VS_BLOCK_NOTIFY].base + bell);
	common_put16(hba, VS_COMMON_QUEUE_ENABLE, 1);
	return 0;
}

static int
queues_start(struct vs_hba *hba)
{
	int r = queue_start(hba, VS_CONTROL_QUEUE, &hba->control.ring, &hba->control.ring_mem,
	    &hba->control.doorbell);

	if (r == 0)
		r = queue_start(hba, VS_EVENT_QUEUE, &hba->events.ring, &hba->events.ring_mem,
		    &hba->events.doorbell);
	for (unsigned int i = 0; i < hba->nqueues && r == 0; i++)
		r = queue_start(hba, VS_REQUEST_QUEUE + i, &hba->queues[i].ring,
		    &hba->queues[i].ring_mem, &hba->queues[i].doorbell);
	return r;
}

/* from now on the rings are the device's, and ours to look at */
static void
queues_live(struct vs_hba *hba)
{
	mutex_enter(&hba->control.lock);
	hba->control.is_live = true;
	(void)vs_ring_arm(&hba->control.ring);
	mutex_exit(&hba->control.lock);
	for (unsigned int i = 0; i < hba->nqueues; i++) {
		struct vs_queue *queue = &hba->queues[i];

		mutex_enter(&queue->lock);
		queue->is_live = true;
		(void)vs_ring_arm(&queue->ring);
		mutex_exit(&queue->lock);
	}
}

int
vs_device_start(struct vs_hba *hba)
{
	uint8_t status = VS_STATUS_ACKNOWLEDGE | VS_STATUS_DRIVER | VS_STATUS_FEATURES_OK;
	int r;

	vs_queues_clear(hba);
	if (!master_set(hba, true))
		return -EIO;
	r = features_accept(hba);
	if (r == 0)
		r = vector_set(hba, VS_COMMON_CONFIG_VECTOR, vector_of_config(hba));
	if (r == 0)
		r = queues_start(hba);
	if (r < 0)
		return r;
	status |= VS_STATUS_DRIVER_OK;
	vs_set_status(hba, status);
	if (vs_status(hba) != status)
		return -EIO;
	queues_live(hba);
	/* before "driver ok" the device need not look at them */
	vs_events_post(hba);
	return 0;
}
