/* row 12: whoever had it before has died with commands out: attach is clean, his memory is
 * let be */
#include <sys/pci.h>

#include "hw/pci/dma.h"
#include "pvscsi.h"

static const struct chip_spec one = PV_SPEC(.n_disks = 1, .is_detached = true, .disks = {
	{ .target = 0, .store = CHIP_NULL, .latency_ms = 300 } });

#define OLD_PAGES	8
#define OLD_BYTES	(OLD_PAGES * PV_PAGE)

static void
old_command(struct chip *chip, uint32_t number, const void *desc, size_t len)
{
	chip_register_put(chip, PV_CHIP_BAR, PV_COMMAND, 4, number);
	for (size_t i = 0; i < len; i += 4)
		chip_register_put(chip, PV_CHIP_BAR, PV_COMMAND_DATA, 4,
		    le32_get((const uint8_t *)desc + i));
}

/* rings in memory of the previous owner, and a read into it under way */
static void
old_owner(struct chip *chip, uint8_t *mem, uint64_t iova)
{
	struct pv_setup_rings desc = { 1, 1, iova >> 12, { (iova >> 12) + 1 },
		{ (iova >> 12) + 2 } };
	struct pv_req *req = (struct pv_req *)(void *)(mem + PV_PAGE);

	chip_register_put(chip, CHIP_CONFIG, PCI_CONF_COMM, 2, PCI_COMM_MAE | PCI_COMM_ME);
	old_command(chip, PV_CMD_SETUP_RINGS, &desc, sizeof(desc));
	*req = (struct pv_req){ .context = 1, .data_iova = iova + 4 * PV_PAGE, .data_len = 4096,
		.flags = PV_REQ_DIR_IN, .cdb = { 0x28, [8] = 8 }, .cdb_len = 10,
		.tag = PV_TAG_SIMPLE };
	((struct pv_ring_state *)(void *)mem)->req_prod = 1;
	chip_register_put(chip, PV_CHIP_BAR, PV_INTR_MASK, 4, PV_INTR_ALL);
	chip_register_put(chip, PV_CHIP_BAR, PV_KICK_NON_RW, 4, 0);
}

START_TEST(left_running)
{
	struct chip *chip = chip_start(&one);
	const struct devi_dma_ops *dma;
	uint8_t *mem, data[512];
	uint64_t iova;
	void *arg, *token;

	dma = devi_dma(chip_node(chip), &arg);
	mem = dma->mem_alloc(arg, OLD_BYTES, PV_PAGE);
	ck_assert_ptr_nonnull(mem);
	memset(mem, 0, OLD_BYTES);
	ck_assert_int_eq(dma->map(arg, mem, OLD_BYTES, DDI_DMA_RDWR, &token), 0);
	ck_assert_uint_eq(dma->extent(arg, token, mem, 0, OLD_BYTES, &iova), OLD_BYTES);
	old_owner(chip, mem, iova);
	chip_attach_all(chip);
	/* from here on it is other people's memory */
	memset(mem, 0x6b, OLD_BYTES);
	ck_assert_uint_eq(chip_units(chip), 1);
	chip_read(chip, chip_unit(chip, 0, 0), 0, 1, data);
	chip_read(chip, chip_unit(chip, 0, 0), 0, 1, data);
	for (size_t i = 0; i < OLD_BYTES; i++)
		ck_assert_uint_eq(mem[i], 0x6b);
	dma->unmap(arg, token, mem, OLD_BYTES);
	dma->mem_free(arg, mem, OLD_BYTES);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi: crashed owner", left_running)
