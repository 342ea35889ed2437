/* memory that the device reads and writes: rings, requests, answers */
#include "hw/virtio_scsi/virtio_scsi.h"

#define MEM_ALIGN	4096

/* one piece, anywhere */
static ddi_dma_attr_t mem_attr = {
	.dma_attr_version = DMA_ATTR_V0,
	.dma_attr_addr_hi = UINT64_MAX,
	.dma_attr_count_max = UINT32_MAX,
	.dma_attr_align = MEM_ALIGN,
	.dma_attr_burstsizes = 1,
	.dma_attr_minxfer = 1,
	.dma_attr_maxxfer = UINT32_MAX,
	.dma_attr_seg = UINT64_MAX,
	.dma_attr_sgllen = 1,
	.dma_attr_granular = 1,
};

static ddi_device_acc_attr_t mem_acc_attr = {
	.devacc_attr_version = DDI_DEVICE_ATTR_V0,
	.devacc_attr_endian_flags = DDI_STRUCTURE_LE_ACC,
	.devacc_attr_dataorder = DDI_STRICTORDER_ACC,
};

static int
mem_bind(struct vs_mem *mem, size_t bytes)
{
	ddi_dma_cookie_t cookie;
	uint_t n;

	if (ddi_dma_addr_bind_handle(mem->handle, NULL, (caddr_t)mem->va, bytes,
	    DDI_DMA_RDWR | DDI_DMA_CONSISTENT, DDI_DMA_SLEEP, NULL, &cookie, &n) !=
	    DDI_DMA_MAPPED)
		return DDI_FAILURE;
	mem->is_bound = true;
	mem->iova = cookie.dmac_laddress;
	return DDI_SUCCESS;
}

int
vs_mem_new(dev_info_t *dip, size_t bytes, struct vs_mem *mem)
{
	caddr_t va;
	size_t real;

	*mem = (struct vs_mem){ .va = NULL };
	if (ddi_dma_alloc_handle(dip, &mem_attr, DDI_DMA_DONTWAIT, NULL, &mem->handle) !=
	    DDI_SUCCESS) {
		mem->handle = NULL;
		return DDI_FAILURE;
	}
	if (ddi_dma_mem_alloc(mem->handle, bytes, &mem_acc_attr, DDI_DMA_CONSISTENT,
	    DDI_DMA_DONTWAIT, NULL, &va, &real, &mem->acc) != DDI_SUCCESS) {
		mem->acc = NULL;
		vs_mem_free(mem);
		return DDI_FAILURE;
	}
	mem->va = (uint8_t *)va;
	memset(mem->va, 0, bytes);
	if (mem_bind(mem, bytes) == DDI_SUCCESS)
		return DDI_SUCCESS;
	vs_mem_free(mem);
	return DDI_FAILURE;
}

void
vs_mem_free(struct vs_mem *mem)
{
	if (mem->is_bound)
		(void)ddi_dma_unbind_handle(mem->handle);
	if (mem->acc != NULL)
		ddi_dma_mem_free(&mem->acc);
	if (mem->handle != NULL)
		ddi_dma_free_handle(&mem->handle);
	*mem = (struct vs_mem){ .va = NULL };
}
