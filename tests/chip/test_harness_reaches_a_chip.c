/* the harness by itself, on QEMU's "edu" device and a driver of ten lines */
#define SCSA_MOD edu
#include <check_main.h>
#include <string.h>
#include <sys/ddi_intr.h>
#include <sys/modctl.h>
#include <sys/pci.h>
#include <sys/sunddi.h>

#include "tests/chip/chip.h"

#define EDU_ID		0x00
#define EDU_LIVE	0x04
#define EDU_RAISE	0x60
#define EDU_CAUSE	0x24
#define EDU_ACK		0x64
#define EDU_SRC		0x80
#define EDU_DST		0x88
#define EDU_COUNT	0x90
#define EDU_CMD		0x98
#define EDU_INSIDE	0x40000u	/* its buffer, as its DMA engine names it */
#define EDU_START	0x1
#define EDU_FROM	0x2		/* from the device to memory */
#define EDU_IRQ		0x4

static struct {
	ddi_acc_handle_t config, regs;
	char *base;
	ddi_intr_handle_t intr;
	int type;
	_Atomic unsigned int interrupts;
	_Atomic uint32_t cause;
} edu;

static uint32_t *
reg(unsigned int off)
{
	return (uint32_t *)(void *)(edu.base + off);
}

static uint_t
edu_intr(caddr_t arg1, caddr_t arg2)
{
	uint32_t cause = ddi_get32(edu.regs, reg(EDU_CAUSE));

	(void)arg1;
	(void)arg2;
	if (cause == 0)
		return DDI_INTR_UNCLAIMED;
	edu.cause = cause;
	ddi_put32(edu.regs, reg(EDU_ACK), cause);
	edu.interrupts++;
	return DDI_INTR_CLAIMED;
}

static int
intr_setup(dev_info_t *dip)
{
	int n;

	if (ddi_intr_alloc(dip, &edu.intr, edu.type, 0, 1, &n, DDI_INTR_ALLOC_STRICT) !=
	    DDI_SUCCESS)
		return DDI_FAILURE;
	if (ddi_intr_add_handler(edu.intr, edu_intr, NULL, NULL) != DDI_SUCCESS)
		return DDI_FAILURE;
	return ddi_intr_enable(edu.intr);
}

static int
edu_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	if (cmd != DDI_ATTACH || pci_config_setup(dip, &edu.config) != DDI_SUCCESS)
		return DDI_FAILURE;
	pci_config_put16(edu.config, PCI_CONF_COMM,
	    pci_config_get16(edu.config, PCI_CONF_COMM) | PCI_COMM_ME);
	if (ddi_regs_map_setup(dip, 1, &edu.base, 0, 0, NULL, &edu.regs) != DDI_SUCCESS)
		return DDI_FAILURE;
	return intr_setup(dip);
}

static int
edu_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	(void)dip;
	(void)cmd;
	ck_assert_int_eq(ddi_intr_disable(edu.intr), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_remove_handler(edu.intr), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_free(edu.intr), DDI_SUCCESS);
	ddi_regs_map_free(&edu.regs);
	pci_config_teardown(&edu.config);
	return DDI_SUCCESS;
}

static struct dev_ops edu_ops = {
	.devo_rev = DEVO_REV,
	.devo_probe = nulldev,
	.devo_attach = edu_attach,
	.devo_detach = edu_detach,
	.devo_reset = nodev,
};

static struct modldrv edu_modldrv = { &mod_driverops, "edu", &edu_ops };
static struct modlinkage edu_modlinkage = { MODREV_1, { &edu_modldrv, NULL } };

int
_init(void)
{
	return mod_install(&edu_modlinkage);
}

int
_fini(void)
{
	return mod_remove(&edu_modlinkage);
}

int
_info(struct modinfo *modinfop)
{
	return mod_info(&edu_modlinkage, modinfop);
}

static struct chip *
start(int type)
{
	const struct chip_spec spec = { .device = "edu", .driver = "edu", .mod_init = _init,
		.mod_fini = _fini, .is_detached = true };
	struct chip *chip = chip_start(&spec);

	memset(&edu, 0, sizeof(edu));
	edu.type = type;
	ck_assert_int_eq(devi_attach(chip_node(chip)), 0);
	return chip;
}

static void
stop(struct chip *chip)
{
	ck_assert_int_eq(devi_detach(chip_node(chip), 0), 0);
	chip_stop(chip);
}

static bool
has_interrupted(void *arg)
{
	return edu.interrupts >= *(unsigned int *)arg;
}

static void
raise_and_wait(struct chip *chip, uint32_t cause, unsigned int count)
{
	ddi_put32(edu.regs, reg(EDU_RAISE), cause);
	chip_await(chip, has_interrupted, &count, "an interrupt");
	ck_assert_uint_eq(edu.cause, cause);
}

START_TEST(registers_are_reached)
{
	struct chip *chip = start(DDI_INTR_TYPE_FIXED);
	int *cells;
	uint_t n;

	ck_assert_uint_eq(pci_config_get32(edu.config, PCI_CONF_VENID), 0x11e81234);
	ck_assert_uint_eq(ddi_get32(edu.regs, reg(EDU_ID)), 0x010000ed);
	ddi_put32(edu.regs, reg(EDU_LIVE), 0x12345678);
	ck_assert_uint_eq(ddi_get32(edu.regs, reg(EDU_LIVE)), ~0x12345678u);
	ck_assert_int_eq(ddi_prop_lookup_int_array(DDI_DEV_T_ANY, chip_node(chip),
	    DDI_PROP_DONTPASS, "reg", &cells, &n), DDI_PROP_SUCCESS);
	ck_assert_uint_eq(n, 10);
	ck_assert_uint_eq(PCI_REG_REG_G((unsigned int)cells[5]), PCI_CONF_BASE0);
	ck_assert_int_eq(cells[9], 1 << 20);
	ddi_prop_free(cells);
	stop(chip);
}
END_TEST

static void
interrupts(int type)
{
	struct chip *chip = start(type);

	for (unsigned int i = 1; i <= 20; i++)
		raise_and_wait(chip, i, i);
	ck_assert_uint_eq(edu.interrupts, 20);
	stop(chip);
}

START_TEST(a_line_interrupts_again_and_again)
{
	interrupts(DDI_INTR_TYPE_FIXED);
}
END_TEST

START_TEST(a_message_interrupts_again_and_again)
{
	interrupts(DDI_INTR_TYPE_MSI);
}
END_TEST

static void
put64(unsigned int off, uint64_t value)
{
	ddi_put64(edu.regs, (uint64_t *)(void *)(edu.base + off), value);
}

static void
transfer(struct chip *chip, uint64_t src, uint64_t dst, uint64_t len, uint64_t flags)
{
	unsigned int next = edu.interrupts + 1;

	put64(EDU_SRC, src);
	put64(EDU_DST, dst);
	put64(EDU_COUNT, len);
	put64(EDU_CMD, EDU_START | EDU_IRQ | flags);
	chip_await(chip, has_interrupted, &next, "the end of a transfer");
}

static ddi_dma_attr_t attr = {
	.dma_attr_version = DMA_ATTR_V0,
	.dma_attr_addr_hi = 0x0fffffff,
	.dma_attr_count_max = 0x0fffffff,
	.dma_attr_align = 1,
	.dma_attr_burstsizes = 1,
	.dma_attr_minxfer = 1,
	.dma_attr_maxxfer = 0x0fffffff,
	.dma_attr_seg = 0x0fffffff,
	.dma_attr_sgllen = 1,
	.dma_attr_granular = 1,
};

/* memory of the heap is copied on its way; a transfer shorter than the binding leaves the
 * rest */
START_TEST(data_comes_and_goes)
{
	struct chip *chip = start(DDI_INTR_TYPE_MSI);
	char out[256], in[256];
	ddi_dma_handle_t h;
	ddi_dma_cookie_t cookie;
	uint_t n;

	memset(out, 'o', sizeof(out));
	memset(in, 'i', sizeof(in));
	ck_assert_int_eq(ddi_dma_alloc_handle(chip_node(chip), &attr, DDI_DMA_DONTWAIT, NULL,
	    &h), DDI_SUCCESS);
	ck_assert_int_eq(ddi_dma_addr_bind_handle(h, NULL, out, sizeof(out), DDI_DMA_WRITE,
	    DDI_DMA_DONTWAIT, NULL, &cookie, &n), DDI_DMA_MAPPED);
	ck_assert_int_eq(ddi_dma_sync(h, 0, 0, DDI_DMA_SYNC_FORDEV), DDI_SUCCESS);
	transfer(chip, cookie.dmac_laddress, EDU_INSIDE, sizeof(out), 0);
	ck_assert_int_eq(ddi_dma_unbind_handle(h), DDI_SUCCESS);
	ck_assert_int_eq(ddi_dma_addr_bind_handle(h, NULL, in, sizeof(in), DDI_DMA_READ,
	    DDI_DMA_DONTWAIT, NULL, &cookie, &n), DDI_DMA_MAPPED);
	transfer(chip, EDU_INSIDE, cookie.dmac_laddress, 200, EDU_FROM);
	ck_assert_int_eq(ddi_dma_sync(h, 0, 0, DDI_DMA_SYNC_FORCPU), DDI_SUCCESS);
	ck_assert_int_eq(ddi_dma_unbind_handle(h), DDI_SUCCESS);
	ck_assert_mem_eq(in, out, 200);
	for (unsigned int i = 200; i < sizeof(in); i++)
		ck_assert_int_eq(in[i], 'i');
	ddi_dma_free_handle(&h);
	stop(chip);
}
END_TEST

START_TEST(lies_are_told)
{
	struct chip *chip = start(DDI_INTR_TYPE_MSI);

	chip_poke_read(chip, 0, EDU_ID, 4, 0xdeadbeef, 2);
	ck_assert_uint_eq(ddi_get32(edu.regs, reg(EDU_ID)), 0xdeadbeef);
	ck_assert_uint_eq(ddi_get32(edu.regs, reg(EDU_ID)), 0xdeadbeef);
	ck_assert_uint_eq(ddi_get32(edu.regs, reg(EDU_ID)), 0x010000ed);
	ck_assert_uint_eq(chip_pokes_used(chip), 2);
	ddi_put32(edu.regs, reg(EDU_LIVE), 1);
	chip_poke_write(chip, 0, EDU_LIVE, 1);
	ddi_put32(edu.regs, reg(EDU_LIVE), 2);
	ck_assert_uint_eq(ddi_get32(edu.regs, reg(EDU_LIVE)), ~1u);
	stop(chip);
}
END_TEST

START_TEST(a_chip_that_is_gone_reads_as_ones)
{
	struct chip *chip = start(DDI_INTR_TYPE_MSI);
	unsigned int one = 1;

	chip_kill(chip);
	chip_await(chip, has_interrupted, &one, "the last interrupt");
	ck_assert_uint_eq(edu.cause, UINT32_MAX);
	ck_assert_uint_eq(ddi_get32(edu.regs, reg(EDU_ID)), UINT32_MAX);
	ck_assert_uint_eq(pci_config_get16(edu.config, PCI_CONF_VENID), UINT16_MAX);
	stop(chip);
}
END_TEST

CHECK_MAIN("the harness reaches a chip", registers_are_reached,
    a_line_interrupts_again_and_again, a_message_interrupts_again_and_again,
    data_comes_and_goes, lies_are_told, a_chip_that_is_gone_reads_as_ones)
