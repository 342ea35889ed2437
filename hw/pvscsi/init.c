/* the chip: its memory, its commands, up and down */
#include "hw/pvscsi/pvscsi.h"

#include <errno.h>
#include <string.h>
#include <sys/pci.h>

#include "base/bytes.h"

#define PROBE_PAGES	((PV_TARGETS * PVSCSI_PROBE_BYTES + PV_PAGE - 1) / PV_PAGE)

static ddi_device_acc_attr_t acc_attr = {
	.devacc_attr_version = DDI_DEVICE_ATTR_V0,
	.devacc_attr_endian_flags = DDI_STRUCTURE_LE_ACC,
	.devacc_attr_dataorder = DDI_STRICTORDER_ACC,
};

/*
 * Memory.
 */

/* whole pages, wherever each of them is */
static ddi_dma_attr_t mem_attr = {
	.dma_attr_version = DMA_ATTR_V0,
	.dma_attr_addr_hi = UINT64_MAX,
	.dma_attr_count_max = UINT32_MAX,
	.dma_attr_align = PV_PAGE,
	.dma_attr_burstsizes = 1,
	.dma_attr_minxfer = 1,
	.dma_attr_maxxfer = UINT32_MAX,
	.dma_attr_seg = UINT64_MAX,
	.dma_attr_sgllen = -1,
	.dma_attr_granular = 1,
};

static void
mem_free(struct pvscsi_mem *mem)
{
	if (mem->is_bound)
		(void)ddi_dma_unbind_handle(mem->handle);
	if (mem->acc != NULL)
		ddi_dma_mem_free(&mem->acc);
	if (mem->handle != NULL)
		ddi_dma_free_handle(&mem->handle);
	kmem_free(mem->iova, mem->pages * sizeof(uint64_t));
	*mem = (struct pvscsi_mem){ .va = NULL };
}

/* bus addresses page by page; false: a page is in pieces */
static bool
mem_pages(struct pvscsi_mem *mem)
{
	const ddi_dma_cookie_t *cookie = NULL;
	size_t page = 0;

	while ((cookie = ddi_dma_cookie_iter(mem->handle, cookie)) != NULL) {
		uint64_t iova = cookie->dmac_laddress;
		size_t n = cookie->dmac_size / PV_PAGE;

		if (iova % PV_PAGE != 0 || cookie->dmac_size % PV_PAGE != 0)
			return false;
		for (; n > 0 && page < mem->pages; n--, iova += PV_PAGE)
			mem->iova[page++] = iova;
	}
	return page == mem->pages;
}

static int
mem_alloc(dev_info_t *dip, size_t pages, struct pvscsi_mem *mem)
{
	size_t len = pages * PV_PAGE, real;

	mem->pages = pages;
	mem->iova = kmem_zalloc(pages * sizeof(uint64_t), KM_SLEEP);
	if (ddi_dma_alloc_handle(dip, &mem_attr, DDI_DMA_DONTWAIT, NULL, &mem->handle) !=
	    DDI_SUCCESS)
		return -ENOMEM;
	if (ddi_dma_mem_alloc(mem->handle, len, &acc_attr, DDI_DMA_CONSISTENT, DDI_DMA_DONTWAIT,
	    NULL, &mem->va, &real, &mem->acc) != DDI_SUCCESS)
		return -ENOMEM;
	if (ddi_dma_addr_bind_handle(mem->handle, NULL, mem->va, len,
	    DDI_DMA_RDWR | DDI_DMA_CONSISTENT, DDI_DMA_DONTWAIT, NULL, NULL, NULL) !=
	    DDI_DMA_MAPPED)
		return -ENOMEM;
	mem->is_bound = true;
	return mem_pages(mem) ? 0 : -ENOMEM;
}

static void *
mem_at(const struct pvscsi_mem *mem, size_t page)
{
	return mem->va + page * PV_PAGE;
}

static void
probes_init(struct pvscsi *hba)
{
	const uint32_t per_page = PV_PAGE / PVSCSI_PROBE_BYTES;

	for (uint32_t i = 0; i < PV_TARGETS; i++) {
		uint32_t page = hba->probe_page + i / per_page;
		uint32_t off = i % per_page * PVSCSI_PROBE_BYTES;

		hba->probes[i].data = (uint8_t *)mem_at(&hba->mem, page) + off;
		hba->probes[i].iova = hba->mem.iova[page] + off;
	}
}

static int
tables_alloc(struct pvscsi *hba)
{
	uint32_t n = hba->depth;
	int r = 0;

	for (uint32_t i = 0; n > 0 && r == 0; i++) {
		uint32_t part = n < PVSCSI_TABLES ? n : PVSCSI_TABLES;

		r = mem_alloc(hba->dip, part, &hba->tables[i]);
		n -= part;
	}
	return r;
}

/* state, requests, completions, messages, probes, sense: a page after the other */
static int
hba_alloc(struct pvscsi *hba)
{
	const uint32_t senses = (hba->depth * PVSCSI_SENSE_ROOM + PV_PAGE - 1) / PV_PAGE;
	const uint32_t cmp_page = 1 + hba->ring_pages;
	int r;

	hba->msg_page = cmp_page + hba->cmp_pages;
	hba->probe_page = hba->msg_page + 1;
	hba->sense_page = hba->probe_page + PROBE_PAGES;
	r = mem_alloc(hba->dip, hba->sense_page + senses, &hba->mem);
	if (r == 0)
		r = tables_alloc(hba);
	if (r < 0)
		return r;
	hba->rings = (struct pvscsi_rings){
		.state = mem_at(&hba->mem, 0), .req = mem_at(&hba->mem, 1),
		.cmp = mem_at(&hba->mem, cmp_page),
		.req_entries = hba->ring_pages * PV_REQ_PER_PAGE,
		.cmp_entries = hba->cmp_pages * PV_CMP_PER_PAGE,
		.msg_entries = PV_MSG_PER_PAGE,
	};
	probes_init(hba);
	return 0;
}

/*
 * Commands.
 */

uint32_t
pvscsi_command(struct pvscsi *hba, uint32_t cmd, const void *desc, size_t len)
{
	const uint8_t *bytes = desc;
	uint32_t status;

	mutex_enter(&hba->command_lock);
	pvscsi_put(hba, PV_COMMAND, cmd);
	for (size_t i = 0; i < len; i += sizeof(uint32_t))
		pvscsi_put(hba, PV_COMMAND_DATA, le32_get(bytes + i));
	status = pvscsi_get(hba, PV_COMMAND_STATUS);
	mutex_exit(&hba->command_lock);
	return status;
}

bool
pvscsi_is_absent(struct pvscsi *hba)
{
	return pvscsi_get(hba, PV_INTR_STATUS) == PV_ALL_ONES;
}

static void
intr_clear(struct pvscsi *hba)
{
	uint32_t status = pvscsi_get(hba, PV_INTR_STATUS);

	if (status != 0 && status != PV_ALL_ONES)
		pvscsi_put(hba, PV_INTR_STATUS, status);
}

/* may the chip read and write memory? Read back: a function that was taken away or put to sleep
 * does not keep it */
static bool
bus_master(struct pvscsi *hba, bool is_on)
{
	uint16_t comm = pci_config_get16(hba->config_acc, PCI_CONF_COMM);
	uint16_t want = (uint16_t)(is_on ? comm | PCI_COMM_ME : comm & ~PCI_COMM_ME);

	pci_config_put16(hba->config_acc, PCI_CONF_COMM, (uint16_t)(want | PCI_COMM_MAE));
	comm = pci_config_get16(hba->config_acc, PCI_CONF_COMM);
	return comm != UINT16_MAX && ((comm & PCI_COMM_ME) != 0) == is_on;
}

void
pvscsi_silence(struct pvscsi *hba, bool is_final)
{
	pvscsi_put(hba, PV_INTR_MASK, 0);
	(void)pvscsi_command(hba, PV_CMD_ADAPTER_RESET, NULL, 0);
	/* the model keeps its line asserted over a reset */
	intr_clear(hba);
	if (is_final)
		(void)bus_master(hba, false);
}

static void
setup_rings_fill(const struct pvscsi *hba, struct pv_setup_rings *desc)
{
	const uint64_t *iova = hba->mem.iova;

	*desc = (struct pv_setup_rings){
		.req_pages = hba->ring_pages, .cmp_pages = hba->cmp_pages,
		.state_ppn = iova[0] >> PV_PAGE_SHIFT };
	for (uint32_t i = 0; i < hba->ring_pages; i++)
		desc->req_ppn[i] = iova[1 + i] >> PV_PAGE_SHIFT;
	for (uint32_t i = 0; i < hba->cmp_pages; i++)
		desc->cmp_ppn[i] = iova[1 + hba->ring_pages + i] >> PV_PAGE_SHIFT;
}

static bool
msg_ring_setup(struct pvscsi *hba)
{
	struct pv_setup_msg_ring desc = {
		.pages = 1, .ppn = { hba->mem.iova[hba->msg_page] >> PV_PAGE_SHIFT } };

	return pvscsi_command(hba, PV_CMD_SETUP_MSG_RING, &desc, sizeof(desc)) !=
	    PV_STATUS_FAILED;
}

int
pvscsi_rings_setup(struct pvscsi *hba)
{
	struct pv_setup_rings desc;
	bool is_agreed, has_msg;

	mutex_enter(&hba->lock);
	hba->rings.msg = mem_at(&hba->mem, hba->msg_page);
	rings_zero(&hba->rings);
	mutex_exit(&hba->lock);
	setup_rings_fill(hba, &desc);
	if (pvscsi_command(hba, PV_CMD_SETUP_RINGS, &desc, sizeof(desc)) == PV_STATUS_FAILED)
		return -EIO;
	has_msg = msg_ring_setup(hba);
	mutex_enter(&hba->lock);
	is_agreed = rings_agree(&hba->rings);
	if (!has_msg)
		hba->rings.msg = NULL;
	mutex_exit(&hba->lock);
	return is_agreed ? 0 : -EIO;
}

int
pvscsi_bring_up(struct pvscsi *hba)
{
	int r;

	if (pvscsi_is_absent(hba))
		return -ENODEV;
	if (!bus_master(hba, true))
		return -EIO;
	r = pvscsi_rings_setup(hba);
	if (r < 0)
		return r;
	intr_clear(hba);
	pvscsi_put(hba, PV_INTR_MASK, hba->rings.msg != NULL ? PV_INTR_ALL : PV_INTR_CMPL);
	return 0;
}

/*
 * What it can do.
 */

/* how many targets there can be, if the chip tells. The answer goes to a page that nobody else
 * uses yet */
static uint32_t
ask_targets(struct pvscsi *hba)
{
	uint8_t *page = mem_at(&hba->tables[0], 0);
	struct pv_config desc = { .answer_iova = hba->tables[0].iova[0],
		.address = PV_CONFIG_CONTROLLER, .page = PV_CONFIG_PAGE };
	uint32_t n;

	memset(page, 0, PV_PAGE);
	le16_put(page + PV_CONFIG_HOST_STATUS, PV_HS_INVPARAM);
	le16_put(page + PV_CONFIG_SCSI_STATUS, STATUS_CHECK);
	if (pvscsi_command(hba, PV_CMD_CONFIG, &desc, sizeof(desc)) == PV_STATUS_FAILED ||
	    le16_get(page + PV_CONFIG_HOST_STATUS) != PV_HS_SUCCESS ||
	    le16_get(page + PV_CONFIG_SCSI_STATUS) != STATUS_GOOD)
		return PV_TARGETS;
	n = le32_get(page + PV_CONFIG_TARGETS);
	return n >= 1 && n < PV_TARGETS ? n : PV_TARGETS;
}

static uint32_t
ask_ring_pages(dev_info_t *dip)
{
	char name[] = "ring-pages";
	int pages = ddi_prop_get_int(
	    DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, name, PVSCSI_RING_PAGES);

	if (pages < 1 || pages > (int)PV_RING_PAGES_MAX)
		pages = PVSCSI_RING_PAGES;
	/* a power of two, as the chip wants it */
	return 1u << (31 - __builtin_clz((uint_t)pages));
}

static int
regs_open(struct pvscsi *hba)
{
	uint16_t comm;

	if (pci_config_setup(hba->dip, &hba->config_acc) != DDI_SUCCESS)
		return -EIO;
	comm = pci_config_get16(hba->config_acc, PCI_CONF_COMM);
	pci_config_put16(hba->config_acc, PCI_CONF_COMM, (uint16_t)(comm | PCI_COMM_MAE));
	if (ddi_regs_map_setup(hba->dip, PV_BAR, &hba->regs, 0, PV_BAR_BYTES, &acc_attr,
	    &hba->regs_acc) != DDI_SUCCESS)
		return -EIO;
	return 0;
}

int
pvscsi_init(struct pvscsi *hba)
{
	char refresh[] = "ring-refresh-at";
	struct pvscsi_slot *slots;
	int r = regs_open(hba);

	if (r < 0)
		return r;
	if (pvscsi_is_absent(hba))
		return -ENODEV;
	/* a previous owner may have left it running: first of all it lets go of his memory */
	pvscsi_silence(hba, true);
	hba->ring_pages = hba->cmp_pages = ask_ring_pages(hba->dip);
	hba->depth = hba->ring_pages * PV_REQ_PER_PAGE - 1;
	hba->refresh_at = (uint32_t)ddi_prop_get_int64(DDI_DEV_T_ANY, hba->dip,
	    DDI_PROP_DONTPASS, refresh, PVSCSI_REFRESH_AT);
	r = hba_alloc(hba);
	if (r < 0)
		return r;
	slots = kmem_zalloc(hba->depth * sizeof(*slots), KM_SLEEP);
	tags_init(&hba->tags, slots, hba->depth);
	if (!bus_master(hba, true))
		return -EIO;
	hba->ntargets = ask_targets(hba);
	return 0;
}

void
pvscsi_fini(struct pvscsi *hba)
{
	if (hba->regs_acc != NULL) {
		pvscsi_silence(hba, true);
		ddi_regs_map_free(&hba->regs_acc);
	}
	if (hba->config_acc != NULL)
		pci_config_teardown(&hba->config_acc);
	kmem_free(hba->tags.slots, hba->depth * sizeof(struct pvscsi_slot));
	hba->tags.slots = NULL;
	for (uint32_t i = 0; i < PVSCSI_TABLE_MEMS; i++)
		mem_free(&hba->tables[i]);
	mem_free(&hba->mem);
}
