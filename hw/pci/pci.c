#include "hw/pci/pci.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/pci.h>

#define CAP_MAX		48	/* as many as fit: a list that is longer goes round in circles */
#define STAT_CAP_LIST	0x10
#define BAR_IO		0x1
#define BAR_TYPE_MASK	0x6
#define BAR_TYPE_64	0x4
#define BAR_PREFETCH	0x8

int
pci_fn_refuse(struct pci_fn *fn, int r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(fn->detail, sizeof(fn->detail), fmt, ap);
	va_end(ap);
	return r;
}

void
pci_fn_fail(struct pci_fn *fn)
{
	atomic_store(&fn->is_failed, true);
}

bool
pci_fn_is_failed(const struct pci_fn *fn)
{
	return atomic_load_explicit(&fn->is_failed, memory_order_acquire);
}

/* is an access of @width bytes at @off inside of @bytes, and in one piece? */
static bool
is_inside(uint64_t off, unsigned int width, uint64_t bytes)
{
	return off < bytes && width <= bytes - off && (off & (width - 1)) == 0;
}

uint64_t
pci_config_read(struct pci_fn *fn, unsigned int off, unsigned int width)
{
	if (pci_fn_is_failed(fn) || !is_inside(off, width, fn->config_bytes))
		return pci_ones(width);
	return fn->bus->config_get(fn, off, width);
}

void
pci_config_write(struct pci_fn *fn, unsigned int off, unsigned int width, uint64_t value)
{
	if (!pci_fn_is_failed(fn) && is_inside(off, width, fn->config_bytes))
		fn->bus->config_put(fn, off, width, value);
}

unsigned int
pci_config_cap(struct pci_fn *fn, unsigned int id, unsigned int after)
{
	unsigned int at;

	if ((pci_config_read(fn, PCI_CONF_STAT, 2) & STAT_CAP_LIST) == 0)
		return 0;
	at = (unsigned int)pci_config_read(fn, after == 0 ? PCI_CONF_CAP_PTR : after + 1, 1);
	for (unsigned int i = 0; i < CAP_MAX; i++) {
		at &= ~3u;
		if (at < PCI_CONF_CAP_PTR)
			return 0;
		if (pci_config_read(fn, at, 1) == id)
			return at;
		at = (unsigned int)pci_config_read(fn, at + 1, 1);
	}
	return 0;
}

uint64_t
pci_bar_read(struct pci_fn *fn, unsigned int bar, uint64_t off, unsigned int width)
{
	if (UNLIKELY(pci_fn_is_failed(fn) || bar >= PCI_BARS ||
	    !is_inside(off, width, fn->bar[bar].bytes)))
		return pci_ones(width);
	return fn->bus->bar_get(fn, bar, off, width);
}

void
pci_bar_write(struct pci_fn *fn, unsigned int bar, uint64_t off, unsigned int width,
    uint64_t value)
{
	if (UNLIKELY(pci_fn_is_failed(fn) || bar >= PCI_BARS ||
	    !is_inside(off, width, fn->bar[bar].bytes)))
		return;
	fn->bus->bar_put(fn, bar, off, width, value);
}

struct pci_bar
pci_bar_decode(uint32_t mask, uint32_t mask_hi)
{
	struct pci_bar bar = { .is_io = (mask & BAR_IO) != 0 };
	uint64_t size;

	if (mask == 0)
		return (struct pci_bar){ 0 };
	if (bar.is_io) {
		bar.bytes = (~(mask & ~3u) & 0xffff) + 1;
		return bar;
	}
	bar.is_64 = (mask & BAR_TYPE_MASK) == BAR_TYPE_64;
	bar.is_prefetchable = (mask & BAR_PREFETCH) != 0;
	size = (mask & ~15u) | (bar.is_64 ? (uint64_t)mask_hi << 32 : UINT64_MAX << 32);
	bar.bytes = ~size + 1;
	return bar;
}

static void
ids_read(struct pci_fn *fn)
{
	fn->vendor = (uint16_t)pci_config_read(fn, PCI_CONF_VENID, 2);
	fn->device = (uint16_t)pci_config_read(fn, PCI_CONF_DEVID, 2);
	fn->subvendor = (uint16_t)pci_config_read(fn, PCI_CONF_SUBVENID, 2);
	fn->subdevice = (uint16_t)pci_config_read(fn, PCI_CONF_SUBSYSID, 2);
	fn->revision = (uint8_t)pci_config_read(fn, PCI_CONF_REVID, 1);
	fn->class_code = (uint32_t)pci_config_read(fn, PCI_CONF_REVID, 4) >> 8;
}

/* what the function decodes, by the BARs it has */
static uint16_t
decode_bits(const struct pci_fn *fn)
{
	uint16_t bits = 0;

	for (unsigned int i = 0; i < PCI_BARS; i++)
		if (fn->bar[i].bytes != 0)
			bits |= fn->bar[i].is_io ? PCI_COMM_IO : PCI_COMM_MAE;
	return bits;
}

int
pci_fn_init(struct pci_fn *fn)
{
	const uint16_t on = decode_bits(fn), off = PCI_COMM_ME;
	uint16_t command;

	ids_read(fn);
	if (fn->vendor == 0xffff)
		return pci_fn_refuse(fn, -ENODEV, "%s does not answer", fn->name);
	command = (uint16_t)pci_config_read(fn, PCI_CONF_COMM, 2);
	command = (uint16_t)((command | on) & ~off);
	pci_config_write(fn, PCI_CONF_COMM, 2, command);
	command = (uint16_t)pci_config_read(fn, PCI_CONF_COMM, 2);
	if ((command & on) != on || (command & off) != 0)
		return pci_fn_refuse(fn, -EIO, "%s: its command register reads 0x%04x after it "
		    "was set", fn->name, command);
	return 0;
}

void
pci_fn_stop(struct pci_fn *fn)
{
	uint16_t command = (uint16_t)fn->bus->config_get(fn, PCI_CONF_COMM, 2);

	if (command == 0xffff)
		return;
	fn->bus->config_put(fn, PCI_CONF_COMM, 2, (uint16_t)(command & ~PCI_COMM_ME));
	/* writes of the function that were under way arrive before this answer */
	(void)fn->bus->config_get(fn, PCI_CONF_COMM, 2);
}

void
pci_fn_close(struct pci_fn *fn)
{
	if (fn == NULL)
		return;
	pci_fn_stop(fn);
	fn->bus->close(fn);
}
