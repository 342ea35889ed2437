#include <sys/pci.h>
#include <sys/sunddi.h>

#include "base/compiler.h"
#include "base/fault.h"
#include "ddi/acc.h"

int
ddi_dev_nregs(dev_info_t *dip, int *ret_count)
{
	const struct devi_reg_ops *ops;
	void *arg;

	ops = devi_regs(dip, &arg);
	if (ops == NULL)
		return DDI_FAILURE;
	*ret_count = (int)ops->count(arg);
	return DDI_SUCCESS;
}

int
ddi_dev_regsize(dev_info_t *dip, uint_t rnumber, off_t *ret_size)
{
	const struct devi_reg_ops *ops;
	uint64_t bytes;
	void *arg;

	ops = devi_regs(dip, &arg);
	if (ops == NULL || rnumber >= ops->count(arg) || ops->size(arg, rnumber, &bytes) < 0)
		return DDI_FAILURE;
	*ret_size = (off_t)bytes;
	return DDI_SUCCESS;
}

int
ddi_regs_map_setup(dev_info_t *dip, uint_t rnumber, caddr_t *ret_addr, offset_t offset,
    offset_t len, ddi_device_acc_attr_t *acc_attr, ddi_acc_handle_t *ret_acc)
{
	CLEANUP(free_ptr) struct ddi_acc_impl *acc = NULL;
	off_t size;
	void *base;

	if (ddi_dev_regsize(dip, rnumber, &size) != DDI_SUCCESS || offset < 0 || len < 0 ||
	    offset > size || len > size - offset)
		return DDI_FAILURE;
	acc = fault_hit() ? NULL : calloc(1, sizeof(*acc));
	if (acc == NULL)
		return DDI_FAILURE;
	acc->dip = dip;
	acc->regs = devi_regs(dip, &acc->regs_arg);
	acc->rnumber = rnumber;
	acc->off = (uint64_t)offset;
	acc->len = (size_t)(len == 0 ? size - offset : len);
	acc->is_swapped = acc_attr != NULL &&
	    acc_attr->devacc_attr_endian_flags == DDI_STRUCTURE_BE_ACC;
	if (acc->regs->map(acc->regs_arg, rnumber, acc->off, acc->len, &base) < 0)
		return DDI_FAILURE;
	acc->base = base;
	*ret_addr = base;
	*ret_acc = STEAL(acc);
	return DDI_SUCCESS;
}

void
ddi_regs_map_free(ddi_acc_handle_t *accp)
{
	struct ddi_acc_impl *acc = STEAL(*accp);

	acc->regs->unmap(acc->regs_arg, acc->rnumber, acc->base, acc->len);
	free(acc);
}

/* is_called() - registers that are functions, not memory */
static inline bool
is_called(const struct ddi_acc_impl *acc)
{
	return acc->regs != NULL && acc->regs->get != NULL;
}

static uint64_t
call_get(const struct ddi_acc_impl *acc, const void *addr, unsigned int width)
{
	uint64_t off = acc->off + (uint64_t)((const char *)addr - acc->base);

	return acc->regs->get(acc->regs_arg, acc->rnumber, off, width);
}

static void
call_put(const struct ddi_acc_impl *acc, void *addr, unsigned int width, uint64_t value)
{
	uint64_t off = acc->off + (uint64_t)((char *)addr - acc->base);

	acc->regs->put(acc->regs_arg, acc->rnumber, off, width, value);
}

#define ACC_WIDTH(bits)                                                        \
	uint##bits##_t                                                         \
	ddi_get##bits(ddi_acc_handle_t acc, uint##bits##_t *addr)              \
	{                                                                      \
		uint##bits##_t v;                                              \
                                                                               \
		if (is_called(acc))                                            \
			v = (uint##bits##_t)call_get(acc, addr, bits / 8);     \
		else                                                           \
			v = __atomic_load_n((volatile uint##bits##_t *)addr,   \
			    __ATOMIC_ACQUIRE);                                 \
		return acc->is_swapped ? BSWAP_##bits(v) : v;                  \
	}                                                                      \
                                                                               \
	void                                                                   \
	ddi_put##bits(ddi_acc_handle_t acc, uint##bits##_t *addr, uint##bits##_t value) \
	{                                                                      \
		if (acc->is_swapped)                                           \
			value = BSWAP_##bits(value);                           \
		if (is_called(acc))                                            \
			call_put(acc, addr, bits / 8, value);                  \
		else                                                           \
			__atomic_store_n((volatile uint##bits##_t *)addr, value, \
			    __ATOMIC_RELEASE);                                 \
	}

ACC_WIDTH(8)
ACC_WIDTH(16)
ACC_WIDTH(32)
ACC_WIDTH(64)

void
ddi_rep_get8(ddi_acc_handle_t acc, uint8_t *host, uint8_t *dev, size_t count, uint_t flags)
{
	for (size_t i = 0; i < count; i++)
		host[i] = ddi_get8(acc, flags == DDI_DEV_AUTOINCR ? dev + i : dev);
}

void
ddi_rep_put8(ddi_acc_handle_t acc, uint8_t *host, uint8_t *dev, size_t count, uint_t flags)
{
	for (size_t i = 0; i < count; i++)
		ddi_put8(acc, flags == DDI_DEV_AUTOINCR ? dev + i : dev, host[i]);
}

void
ddi_rep_get32(ddi_acc_handle_t acc, uint32_t *host, uint32_t *dev, size_t count, uint_t flags)
{
	for (size_t i = 0; i < count; i++)
		host[i] = ddi_get32(acc, flags == DDI_DEV_AUTOINCR ? dev + i : dev);
}

void
ddi_rep_put32(ddi_acc_handle_t acc, uint32_t *host, uint32_t *dev, size_t count, uint_t flags)
{
	for (size_t i = 0; i < count; i++)
		ddi_put32(acc, flags == DDI_DEV_AUTOINCR ? dev + i : dev, host[i]);
}

int
pci_config_setup(dev_info_t *dip, ddi_acc_handle_t *ret_acc)
{
	caddr_t addr;

	return ddi_regs_map_setup(dip, 0, &addr, 0, 0, NULL, ret_acc);
}

void
pci_config_teardown(ddi_acc_handle_t *accp)
{
	ddi_regs_map_free(accp);
}

/* config_addr() - register @off, or NULL when it is outside of the space: reads give all ones
 */
static void *
config_addr(const struct ddi_acc_impl *acc, off_t off, size_t width)
{
	if (off < 0 || (size_t)off > acc->len || width > acc->len - (size_t)off)
		return NULL;
	return acc->base + off;
}

#define CONFIG_WIDTH(bits)                                                     \
	uint##bits##_t                                                         \
	pci_config_get##bits(ddi_acc_handle_t acc, off_t off)                  \
	{                                                                      \
		uint##bits##_t *addr = config_addr(acc, off, bits / 8);        \
                                                                               \
		return addr == NULL ? PCI_EINVAL##bits : ddi_get##bits(acc, addr); \
	}                                                                      \
                                                                               \
	void                                                                   \
	pci_config_put##bits(ddi_acc_handle_t acc, off_t off, uint##bits##_t value) \
	{                                                                      \
		uint##bits##_t *addr = config_addr(acc, off, bits / 8);        \
                                                                               \
		if (addr != NULL)                                              \
			ddi_put##bits(acc, addr, value);                       \
	}

CONFIG_WIDTH(8)
CONFIG_WIDTH(16)
CONFIG_WIDTH(32)
