#include <string.h>
#include <sys/pci.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "check_main.h"
#include "ddi/devtree.h"

static union {
	uint8_t b[4096];
	uint32_t w[1024];
} config, mmio;
static int maps;
static uint64_t last_off, last_value;
static unsigned int last_width;

static unsigned int
reg_count(void *arg)
{
	(void)arg;
	return 3;
}

static int
reg_size(void *arg, unsigned int rnumber, uint64_t *ret_bytes)
{
	(void)arg;
	*ret_bytes = rnumber == 0 ? 256 : sizeof(mmio);
	return rnumber == 2 ? -EIO : 0;
}

static int
reg_map(void *arg, unsigned int rnumber, uint64_t off, uint64_t len, void **ret_addr)
{
	(void)arg;
	if (len == 13)
		return -EIO;
	maps++;
	*ret_addr = (rnumber == 0 ? config.b : mmio.b) + off;
	return 0;
}

static void
reg_unmap(void *arg, unsigned int rnumber, void *addr, uint64_t len)
{
	(void)arg;
	(void)rnumber;
	(void)addr;
	(void)len;
	maps--;
}

static uint64_t
reg_get(void *arg, unsigned int rnumber, uint64_t off, unsigned int width)
{
	(void)arg;
	(void)rnumber;
	last_off = off;
	last_width = width;
	return 0x1122334455667788;
}

static void
reg_put(void *arg, unsigned int rnumber, uint64_t off, unsigned int width, uint64_t value)
{
	(void)arg;
	(void)rnumber;
	last_off = off;
	last_width = width;
	last_value = value;
}

static const struct devi_reg_ops plain = { reg_count, reg_size, reg_map, reg_unmap, NULL,
    NULL };
static const struct devi_reg_ops called = {
	reg_count, reg_size, reg_map, reg_unmap, reg_get, reg_put,
};
static ddi_device_acc_attr_t le = { .devacc_attr_endian_flags = DDI_STRUCTURE_LE_ACC };
static ddi_device_acc_attr_t be = { .devacc_attr_endian_flags = DDI_STRUCTURE_BE_ACC };

static dev_info_t *
device(const struct devi_reg_ops *ops)
{
	dev_info_t *dip;

	ck_assert_int_eq(devi_alloc(devi_root(), "dev", &dip), 0);
	devi_set_regs(dip, ops, NULL);
	return dip;
}

START_TEST(sets_and_sizes)
{
	dev_info_t *dip = device(NULL);
	ddi_acc_handle_t acc;
	caddr_t addr;
	off_t size;
	int n;

	ck_assert_int_eq(ddi_dev_nregs(dip, &n), DDI_FAILURE);
	ck_assert_int_eq(ddi_dev_regsize(dip, 0, &size), DDI_FAILURE);
	devi_set_regs(dip, &plain, NULL);
	ck_assert_int_eq(ddi_dev_nregs(dip, &n), DDI_SUCCESS);
	ck_assert_int_eq(n, 3);
	ck_assert_int_eq(ddi_dev_regsize(dip, 1, &size), DDI_SUCCESS);
	ck_assert_int_eq(size, 4096);
	ck_assert_int_eq(ddi_dev_regsize(dip, 2, &size), DDI_FAILURE);
	ck_assert_int_eq(ddi_dev_regsize(dip, 3, &size), DDI_FAILURE);
	ck_assert_int_eq(ddi_regs_map_setup(dip, 1, &addr, 4000, 97, &le, &acc), DDI_FAILURE);
	ck_assert_int_eq(ddi_regs_map_setup(dip, 1, &addr, -1, 0, &le, &acc), DDI_FAILURE);
	ck_assert_int_eq(ddi_regs_map_setup(dip, 1, &addr, 5000, 0, &le, &acc), DDI_FAILURE);
	ck_assert_int_eq(ddi_regs_map_setup(dip, 1, &addr, 0, 13, &le, &acc), DDI_FAILURE);
	fault_arm(1);
	ck_assert_int_eq(ddi_regs_map_setup(dip, 1, &addr, 0, 0, &le, &acc), DDI_FAILURE);
	ck_assert(fault_disarm());
	ck_assert_int_eq(maps, 0);
	ck_assert_int_eq(devi_free(dip), 0);
}
END_TEST

START_TEST(plain_memory)
{
	dev_info_t *dip = device(&plain);
	uint32_t words[4] = { 1, 2, 3, 4 }, back[4];
	uint8_t bytes[4] = { 9, 8, 7, 6 };
	ddi_acc_handle_t acc;
	caddr_t addr;
	uint32_t *reg;

	ck_assert_int_eq(ddi_regs_map_setup(dip, 1, &addr, 16, 0, &be, &acc), DDI_SUCCESS);
	reg = (uint32_t *)(void *)addr;
	ddi_put32(acc, reg, 0x11223344);
	ck_assert_uint_eq(mmio.b[16], 0x11);
	ck_assert_uint_eq(ddi_get32(acc, reg), 0x11223344);
	ck_assert_uint_eq(ddi_get16(acc, (uint16_t *)(void *)addr), 0x1122);
	ddi_put16(acc, (uint16_t *)(void *)addr, 0x5566);
	ddi_put64(acc, (uint64_t *)(void *)addr, 0x0102030405060708);
	ck_assert_uint_eq(ddi_get8(acc, (uint8_t *)addr), 1);
	ck_assert_uint_eq(ddi_get64(acc, (uint64_t *)(void *)addr), 0x0102030405060708);
	ddi_regs_map_free(&acc);
	ck_assert_int_eq(ddi_regs_map_setup(dip, 1, &addr, 0, 64, &le, &acc), DDI_SUCCESS);
	reg = (uint32_t *)(void *)addr;
	ddi_rep_put32(acc, words, reg, 4, DDI_DEV_AUTOINCR);
	ddi_rep_get32(acc, back, reg, 4, DDI_DEV_AUTOINCR);
	ck_assert_mem_eq(words, back, sizeof(words));
	ddi_rep_put32(acc, words, reg, 4, DDI_DEV_NO_AUTOINCR);
	ck_assert_uint_eq(mmio.w[0], 4);
	ck_assert_uint_eq(mmio.w[1], 2);
	ddi_rep_put32(acc, NULL, reg, 0, DDI_DEV_NO_AUTOINCR);
	ddi_rep_put8(acc, bytes, (uint8_t *)addr, 4, DDI_DEV_AUTOINCR);
	ddi_rep_get8(acc, bytes, (uint8_t *)addr, 4, DDI_DEV_NO_AUTOINCR);
	ck_assert_uint_eq(bytes[3], 9);
	ddi_put8(acc, (uint8_t *)addr, 5);
	ddi_regs_map_free(&acc);
	ck_assert_ptr_null(acc);
	ck_assert_int_eq(maps, 0);
	ck_assert_int_eq(devi_free(dip), 0);
}
END_TEST

START_TEST(registers_that_are_functions)
{
	dev_info_t *dip = device(&called);
	ddi_acc_handle_t acc;
	caddr_t addr;

	ck_assert_int_eq(ddi_regs_map_setup(dip, 1, &addr, 32, 32, &le, &acc), DDI_SUCCESS);
	ck_assert_uint_eq(ddi_get32(acc, (uint32_t *)(void *)(addr + 8)), 0x55667788);
	ck_assert_uint_eq(last_off, 40);
	ck_assert_uint_eq(last_width, 4);
	ddi_put16(acc, (uint16_t *)(void *)addr, 0xabcd);
	ck_assert_uint_eq(last_off, 32);
	ck_assert_uint_eq(last_width, 2);
	ck_assert_uint_eq(last_value, 0xabcd);
	ddi_regs_map_free(&acc);
	ck_assert_int_eq(devi_free(dip), 0);
}
END_TEST

START_TEST(configuration_space)
{
	dev_info_t *dip = device(&plain);
	ddi_acc_handle_t acc;

	ck_assert_int_eq(pci_config_setup(dip, &acc), DDI_SUCCESS);
	pci_config_put16(acc, PCI_CONF_VENID, 0x15ad);
	pci_config_put32(acc, PCI_CONF_BASE0, 0xfebf0000);
	pci_config_put8(acc, PCI_CONF_ILINE, 11);
	ck_assert_uint_eq(pci_config_get16(acc, PCI_CONF_VENID), 0x15ad);
	ck_assert_uint_eq(pci_config_get32(acc, PCI_CONF_BASE0), 0xfebf0000);
	ck_assert_uint_eq(pci_config_get8(acc, PCI_CONF_ILINE), 11);
	ck_assert_uint_eq(pci_config_get32(acc, 254), PCI_EINVAL32);
	ck_assert_uint_eq(pci_config_get8(acc, 256), PCI_EINVAL8);
	ck_assert_uint_eq(pci_config_get16(acc, -2), PCI_EINVAL16);
	pci_config_put32(acc, 256, 1);
	ck_assert_uint_eq(config.b[256], 0);
	pci_config_teardown(&acc);
	ck_assert_int_eq(devi_free(dip), 0);
}
END_TEST

CHECK_MAIN("registers", sets_and_sizes, plain_memory, registers_that_are_functions,
    configuration_space)
