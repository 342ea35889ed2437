/*
 * probe.c - a PCI function of a real kernel, through hw/pci: for guests with QEMU's "edu"
 * device
 *
 * usage: pci_probe vfio|uio ADDRESS [unsafe|identity|hold]
 * Attaches a driver of a few lines, takes interrupts of each kind there is, moves data by DMA
 * to and from the pool, copied memory and registered memory, and tells the device to write
 * where nothing is mapped: memory stays as it is (with an IOMMU; the kernel logs the fault).
 * Prints a line for each; exit status 0 when all are right. With "hold" it only attaches, and
 * lets go when the system wants the function back.
 */
#define SCSA_MOD probe
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ddi_intr.h>
#include <sys/mman.h>
#include <sys/modctl.h>
#include <sys/pci.h>
#include <sys/sunddi.h>
#include <time.h>

#include "ddi/driver.h"
#include "hw/pci/attach.h"

#define EDU_CAUSE	0x24
#define EDU_RAISE	0x60
#define EDU_ACK		0x64
#define EDU_SRC		0x80
#define EDU_DST		0x88
#define EDU_COUNT	0x90
#define EDU_CMD		0x98
#define EDU_INSIDE	0x40000u
#define EDU_START	0x1
#define EDU_FROM	0x2
#define EDU_IRQ		0x4
#define WAIT_MS		5000
#define ROUNDS		50u
#define MEMORY		(1u << 20)

static struct {
	struct pci_attach *attach;
	ddi_acc_handle_t config, regs;
	char *base;
	int type;
	ddi_intr_handle_t intr;
	_Atomic unsigned int interrupts;
} probe;

static unsigned int failures;

static void
say(bool is_right, const char *what)
{
	(void)printf("%s: %s\n", is_right ? "ok" : "FAILED", what);
	(void)fflush(stdout);
	failures += !is_right;
}

static uint32_t *
reg(unsigned int off)
{
	return (uint32_t *)(void *)(probe.base + off);
}

static uint_t
probe_intr(caddr_t arg1 UNUSED, caddr_t arg2 UNUSED)
{
	uint32_t cause = ddi_get32(probe.regs, reg(EDU_CAUSE));

	if (cause == 0)
		return DDI_INTR_UNCLAIMED;
	ddi_put32(probe.regs, reg(EDU_ACK), cause);
	probe.interrupts++;
	return DDI_INTR_CLAIMED;
}

static int
intr_open(dev_info_t *dip, int type)
{
	int n;

	if (ddi_intr_alloc(dip, &probe.intr, type, 0, 1, &n, DDI_INTR_ALLOC_STRICT) !=
	    DDI_SUCCESS)
		return DDI_FAILURE;
	if (ddi_intr_add_handler(probe.intr, probe_intr, NULL, NULL) == DDI_SUCCESS &&
	    ddi_intr_enable(probe.intr) == DDI_SUCCESS)
		return DDI_SUCCESS;
	(void)ddi_intr_remove_handler(probe.intr);
	(void)ddi_intr_free(probe.intr);
	return DDI_FAILURE;
}

static int
probe_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	if (cmd != DDI_ATTACH || pci_config_setup(dip, &probe.config) != DDI_SUCCESS)
		return DDI_FAILURE;
	pci_config_put16(probe.config, PCI_CONF_COMM,
	    pci_config_get16(probe.config, PCI_CONF_COMM) | PCI_COMM_ME);
	if (ddi_regs_map_setup(dip, 1, &probe.base, 0, 0, NULL, &probe.regs) != DDI_SUCCESS)
		return DDI_FAILURE;
	probe.interrupts = 0;
	return intr_open(dip, probe.type);
}

static int
probe_detach(dev_info_t *dip UNUSED, ddi_detach_cmd_t cmd UNUSED)
{
	(void)ddi_intr_disable(probe.intr);
	(void)ddi_intr_remove_handler(probe.intr);
	(void)ddi_intr_free(probe.intr);
	ddi_regs_map_free(&probe.regs);
	pci_config_teardown(&probe.config);
	return DDI_SUCCESS;
}

static struct dev_ops probe_ops = {
	.devo_rev = DEVO_REV,
	.devo_probe = nulldev,
	.devo_attach = probe_attach,
	.devo_detach = probe_detach,
	.devo_reset = nodev,
};

static struct modldrv probe_modldrv = { &mod_driverops, "probe", &probe_ops };
static struct modlinkage probe_modlinkage = { MODREV_1, { &probe_modldrv, NULL } };

int
_init(void)
{
	return mod_install(&probe_modlinkage);
}

int
_fini(void)
{
	return mod_remove(&probe_modlinkage);
}

int
_info(struct modinfo *modinfop)
{
	return mod_info(&probe_modlinkage, modinfop);
}

static bool
await_interrupts(unsigned int count)
{
	for (int ms = 0; ms < WAIT_MS && probe.interrupts < count; ms++)
		(void)poll(NULL, 0, 1);
	return probe.interrupts >= count;
}

static bool
interrupts_come(void)
{
	for (unsigned int i = 1; i <= ROUNDS; i++) {
		ddi_put32(probe.regs, reg(EDU_RAISE), i);
		if (!await_interrupts(i))
			return false;
	}
	return probe.interrupts == ROUNDS;
}

static void
put64(unsigned int off, uint64_t value)
{
	ddi_put64(probe.regs, (uint64_t *)(void *)(probe.base + off), value);
}

static bool
transfer(uint64_t src, uint64_t dst, uint64_t len, uint64_t flags)
{
	unsigned int next = probe.interrupts + 1;

	put64(EDU_SRC, src);
	put64(EDU_DST, dst);
	put64(EDU_COUNT, len);
	put64(EDU_CMD, EDU_START | EDU_IRQ | flags);
	return await_interrupts(next);
}

static ddi_dma_attr_t attr = {
	.dma_attr_version = DMA_ATTR_V0,
	.dma_attr_addr_hi = 0xffffffff,
	.dma_attr_count_max = 0xffffffff,
	.dma_attr_align = 1,
	.dma_attr_burstsizes = 1,
	.dma_attr_minxfer = 1,
	.dma_attr_maxxfer = 0xffffffff,
	.dma_attr_seg = 0xffffffff,
	.dma_attr_sgllen = 1,
	.dma_attr_granular = 1,
};

/* @len bytes at @mem go into the device, and come back after they were wiped */
static bool
round_trip(char *mem, size_t len)
{
	dev_info_t *dip = pci_attach_node(probe.attach);
	ddi_dma_cookie_t cookie;
	ddi_dma_handle_t h;
	uint_t n;
	bool ok;

	if (ddi_dma_alloc_handle(dip, &attr, DDI_DMA_DONTWAIT, NULL, &h) != DDI_SUCCESS)
		return false;
	memset(mem, 0x5a, len);
	ok = ddi_dma_addr_bind_handle(h, NULL, mem, len, DDI_DMA_RDWR, DDI_DMA_DONTWAIT, NULL,
	    &cookie, &n) == DDI_DMA_MAPPED;
	if (ok) {
		(void)ddi_dma_sync(h, 0, 0, DDI_DMA_SYNC_FORDEV);
		ok = transfer(cookie.dmac_laddress, EDU_INSIDE, len, 0);
		memset(mem, 0, len);
		(void)ddi_dma_sync(h, 0, 0, DDI_DMA_SYNC_FORDEV);
		ok = ok && transfer(EDU_INSIDE, cookie.dmac_laddress, len, EDU_FROM);
		(void)ddi_dma_sync(h, 0, 0, DDI_DMA_SYNC_FORCPU);
		(void)ddi_dma_unbind_handle(h);
	}
	for (size_t i = 0; i < len; i++)
		ok = ok && mem[i] == 0x5a;
	ddi_dma_free_handle(&h);
	return ok;
}

static void
memory_kinds(void)
{
	struct pci_dma *dma = nexus_dma(pci_attach_nexus(probe.attach));
	struct pci_dma_stats before, after;
	char heap[3000], *pool, *own;
	size_t len;

	pool = pci_dma_ops.mem_alloc(dma, 4096, 64);
	say(pool != NULL && round_trip(pool, 4000), "data through memory of the pool");
	pci_dma_ops.mem_free(dma, pool, len = 4096);
	say(round_trip(heap, sizeof(heap)), "data through memory that is copied");
	own = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	say(pci_memory_add(own, MEMORY) == 0, "memory is registered");
	pci_dma_stats(dma, &before);
	say(round_trip(own + 5000, 4000), "data through registered memory");
	pci_dma_stats(dma, &after);
	(void)printf("registered: %u regions, %llu bytes copied\n", after.regions,
	    (unsigned long long)(after.bytes_copied - before.bytes_copied));
	say(pci_memory_remove(own) == 0, "memory is taken back");
}

/* the device writes right behind its memory, and where there is none at all; the IOMMU stops
 * it, and nothing that this process has changes */
static void
stray_write(void)
{
	struct pci_dma *dma = nexus_dma(pci_attach_nexus(probe.attach));
	char *pool = pci_dma_ops.mem_alloc(dma, 4096, 4096);
	const uint64_t beyond[] = { 0x00100000ull, 0xc0000000ull, 0x3ffff000ull };
	bool ok = pool != NULL;

	memset(pool, 0x11, 4096);
	for (size_t i = 0; i < ARRAY_LEN(beyond) && ok; i++) {
		ok = transfer(EDU_INSIDE, beyond[i], 4000, EDU_FROM);
		for (unsigned int k = 0; k < 4096; k++)
			ok = ok && pool[k] == 0x11;
	}
	say(ok, "writes outside of the map change nothing");
	pci_dma_ops.mem_free(dma, pool, 4096);
}

static void
kind_check(int type, const char *what)
{
	int count;

	probe.type = type;
	if (ddi_intr_get_nintrs(pci_attach_node(probe.attach), type, &count) != DDI_SUCCESS) {
		(void)printf("none: %s\n", what);
		return;
	}
	if (devi_attach(pci_attach_node(probe.attach)) < 0) {
		say(false, what);
		return;
	}
	say(interrupts_come(), what);
	memory_kinds();
	if (nexus_fn(pci_attach_nexus(probe.attach))->bus->has_iommu)
		stray_write();
	say(devi_detach(pci_attach_node(probe.attach), 0) == 0, "detach");
}

static _Atomic bool is_wanted;

static void
told(enum pci_event event, const char *detail, void *arg UNUSED)
{
	(void)printf("event %d: %s\n", (int)event, detail);
	(void)fflush(stdout);
	is_wanted = is_wanted || event == PCI_EV_REQUEST;
}

static void
hold(void)
{
	probe.type = DDI_INTR_TYPE_MSI;
	say(devi_attach(pci_attach_node(probe.attach)) == 0, "attached, and held");
	for (int ms = 0; ms < 10 * WAIT_MS && !is_wanted; ms++)
		(void)poll(NULL, 0, 1);
	say(is_wanted, "it is wanted back");
	say(devi_detach(pci_attach_node(probe.attach), 0) == 0, "detach");
}

static void
all_checks(void)
{
	kind_check(DDI_INTR_TYPE_FIXED, "interrupts by the line");
	kind_check(DDI_INTR_TYPE_MSI, "interrupts by messages");
	kind_check(DDI_INTR_TYPE_MSIX, "interrupts by messages of a table");
}

int
main(int argc, char **argv)
{
	char detail[PCI_DETAIL_LEN], text[PCI_DETAIL_LEN];
	struct pci_attach_conf conf = { .driver = "probe", .pool_bytes = 4u << 20,
		.event = told };
	int r;

	if (argc < 3)
		return 2;
	conf.via = strcmp(argv[1], "uio") == 0 ? PCI_VIA_UIO : PCI_VIA_VFIO;
	conf.address = argv[2];
	conf.allow_unsafe_dma = argc > 3;
	conf.is_identity = argc > 3 && strcmp(argv[3], "identity") == 0;
	if (driver_init("probe", _init, _fini) != 0)
		return 2;
	r = pci_attach_open(&conf, &probe.attach, detail);
	if (r < 0) {
		(void)printf("refused: %s: %s\n", strerror(-r), detail);
		return 1;
	}
	pci_attach_describe(probe.attach, text, sizeof(text));
	(void)printf("%s\n", text);
	if (argc > 3 && strcmp(argv[3], "hold") == 0)
		hold();
	else
		all_checks();
	say(pci_attach_close(probe.attach) == 0, "close");
	return failures == 0 ? 0 : 1;
}
