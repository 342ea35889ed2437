/*
 * stray - tell a device to write where it must not
 *
 * usage: stray CHIP ADDRESS
 *
 * Takes a PCI function bound to vfio-pci as scsad does, with the same driver, and reads blocks of its
 * first unit. Then the same read again, with the bus address of its data replaced by where a page of
 * this process really is in memory: an address that was never mapped for the device. The page must
 * not change, and afterwards the device must read well again. What the IOMMU has to say about it is
 * in the kernel's log: for that the address is printed.
 *
 * Exit status: 0 the page is as it was; 1 it is not, or something failed.
 */
#define SCSA_MOD stray
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/modctl.h>
#include <sys/scsi/scsi.h>
#include <sys/sunddi.h>
#include <unistd.h>

#include "base/bytes.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "hw/mptsas/module.h"
#include "hw/pci/attach.h"
#include "hw/pvscsi/module.h"
#include "hw/virtio_scsi/module.h"
#include "scsa/scsa.h"

#define PAGE		4096u
#define TIME_S		10
#define TRIES		20	/* of a read after the stray one: the device may need a reset */
#define CANARY		0xa5

static const struct chip {
	const char *name;
	int (*init)(void), (*fini)(void);
} chips[] = {
	{ VIRTIO_SCSI_DRIVER, virtio_scsi_mod_init, virtio_scsi_mod_fini },
	{ PVSCSI_DRIVER, pvscsi_mod_init, pvscsi_mod_fini },
	{ MPTSAS_DRIVER, mptsas_mod_init, mptsas_mod_fini },
};

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fputs("stray: ", stderr);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputs("\n", stderr);
	va_end(ap);
	exit(1);
}

/* ------ a target driver, so that units stay ------ */

static int
unit_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	struct scsi_device *sd = ddi_get_driver_private(dip);

	return cmd == DDI_ATTACH && scsi_probe(sd, SLEEP_FUNC) == SCSIPROBE_EXISTS ?
	    DDI_SUCCESS : DDI_FAILURE;
}

static int
unit_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	(void)dip;
	return cmd == DDI_DETACH ? DDI_SUCCESS : DDI_FAILURE;
}

static struct dev_ops unit_ops = {
	.devo_rev = DEVO_REV,
	.devo_probe = nulldev,
	.devo_attach = unit_attach,
	.devo_detach = unit_detach,
	.devo_reset = nodev,
};

static struct modldrv unit_modldrv = { &mod_driverops, "units", &unit_ops };
static struct modlinkage unit_modlinkage = { MODREV_1, { &unit_modldrv, NULL } };

static int
unit_mod_init(void)
{
	return mod_install(&unit_modlinkage);
}

static int
unit_mod_fini(void)
{
	return mod_remove(&unit_modlinkage);
}

static enum devi_walk
unit_step(dev_info_t *dip, void *arg)
{
	struct scsi_device **found = arg;

	if (!devi_is_attached(dip) || devi_driver(dip) == NULL ||
	    strcmp(driver_name(devi_driver(dip)), "stray") != 0)
		return DEVI_WALK_CONTINUE;
	*found = ddi_get_driver_private(dip);
	return DEVI_WALK_STOP;
}

/* ------ where the page is ------ */

/* page_iova() - the physical address of a page that stays there */
static uint64_t
page_iova(const void *page)
{
	uint64_t entry;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)page / PAGE *
	    sizeof(entry))) != sizeof(entry))
		die("pagemap: %s", strerror(errno));
	(void)close(fd);
	/* Linux Documentation/admin-guide/mm/pagemap.rst: bit 63 present, 54-0 page frame */
	if (entry >> 63 == 0 || (entry & ((1ull << 55) - 1)) == 0)
		die("pagemap does not tell where the page is");
	return (entry & ((1ull << 55) - 1)) * PAGE;
}

static uint8_t *
page_new(uint64_t *ret_iova)
{
	uint8_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);

	if (page == MAP_FAILED)
		die("memory: %s", strerror(errno));
	memset(page, CANARY, PAGE);
	*ret_iova = page_iova(page);
	return page;
}

static bool
page_is_same(const uint8_t *page)
{
	for (size_t i = 0; i < PAGE; i++)
		if (page[i] != CANARY)
			return false;
	return true;
}

/* ------ reads ------ */

/* unit_read() - one page from LBA 0, polled; to @iova when that is not 0. What came of it is said in
 * @ret_what. Returns whether it was good */
static bool
unit_read(struct scsi_device *sd, uint64_t iova, char *ret_what, size_t size)
{
	struct buf *bp = scsi_alloc_consistent_buf(&sd->sd_address, NULL, PAGE, B_READ,
	    SLEEP_FUNC, NULL);
	struct scsi_pkt *pkt;
	bool is_good = false;

	pkt = scsi_init_pkt(&sd->sd_address, NULL, bp, 10, sizeof(struct scsi_arq_status), 0,
	    PKT_CONSISTENT, SLEEP_FUNC, NULL);
	if (pkt == NULL)
		die("no packet");
	pkt->pkt_cdbp[0] = SCMD_READ_G1;
	be16_put(&pkt->pkt_cdbp[7], PAGE / 512);
	pkt->pkt_time = TIME_S;
	pkt->pkt_flags = FLAG_NOINTR;
	if (iova != 0)
		pkt->pkt_cookies[0].dmac_laddress = iova;
	if (scsi_transport(pkt) != TRAN_ACCEPT) {
		(void)snprintf(ret_what, size, "not accepted");
	} else {
		is_good = pkt->pkt_reason == CMD_CMPLT && *pkt->pkt_scbp == STATUS_GOOD;
		(void)snprintf(ret_what, size, "reason %s, status 0x%x",
		    scsi_rname(pkt->pkt_reason), *pkt->pkt_scbp);
	}
	scsi_destroy_pkt(pkt);
	scsi_free_consistent_buf(bp);
	return is_good;
}

/* unit_must_read() - sooner or later: unit attentions come first, or the driver resets its chip */
static void
unit_must_read(struct scsi_device *sd, const char *when)
{
	const struct timespec pause = { .tv_nsec = 250000000 };
	char what[80];

	for (unsigned int i = 0; i < TRIES; i++) {
		if (unit_read(sd, 0, what, sizeof(what)))
			return;
		(void)nanosleep(&pause, NULL);
	}
	die("%s: a read fails: %s", when, what);
}

/* ------ the function ------ */

static struct pci_attach *
function_open(const struct chip *chip, const char *address)
{
	const struct pci_attach_conf conf = { .address = address, .driver = chip->name,
	    .via = PCI_VIA_VFIO, .is_identity = strcmp(chip->name, PVSCSI_DRIVER) == 0 };
	char detail[PCI_DETAIL_LEN];
	struct pci_attach *attach;
	int r;

	if (driver_init("stray", unit_mod_init, unit_mod_fini) < 0 ||
	    driver_alias_add("stray", "scsiclass") < 0 ||
	    driver_init(chip->name, chip->init, chip->fini) < 0)
		die("drivers");
	r = pci_attach_open(&conf, &attach, detail);
	if (r < 0)
		die("%s: %s", address, detail);
	r = devi_attach(pci_attach_node(attach));
	if (r < 0)
		die("%s: not attached: %s", address, strerror(-r));
	r = scsa_bus_config_all(pci_attach_node(attach));
	if (r < 0)
		die("%s: no units: %s", address, strerror(-r));
	return attach;
}

static void
function_close(struct pci_attach *attach)
{
	if (scsa_bus_unconfig_all(pci_attach_node(attach)) < 0 ||
	    devi_detach(pci_attach_node(attach), DEVI_DETACH_CHILDREN) < 0 ||
	    pci_attach_close(attach) < 0)
		die("not detached");
}

int
main(int argc, char **argv)
{
	const struct chip *chip = NULL;
	struct pci_attach *attach;
	struct scsi_device *sd = NULL;
	uint64_t iova;
	uint8_t *page = page_new(&iova);
	char what[80];

	for (size_t i = 0; argc == 3 && i < sizeof(chips) / sizeof(chips[0]); i++)
		if (strcmp(argv[1], chips[i].name) == 0)
			chip = &chips[i];
	if (chip == NULL)
		die("usage: stray CHIP ADDRESS");
	attach = function_open(chip, argv[2]);
	devi_walk(pci_attach_node(attach), unit_step, &sd);
	if (sd == NULL)
		die("%s: no unit", argv[2]);
	unit_must_read(sd, "at first");
	(void)unit_read(sd, iova, what, sizeof(what));
	printf("%" PRIx64 " %s\n", iova, what);
	if (!page_is_same(page))
		die("the device has written to memory that is not its own");
	unit_must_read(sd, "afterwards");
	function_close(attach);
	return page_is_same(page) ? 0 : 1;
}
