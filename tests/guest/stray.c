/*
 * stray - tell a device to write where it must not
 *
 * usage: stray CHIP ADDRESS
 *
 * Takes a PCI function bound to vfio-pci as scsad does, with the same driver, and reads blocks
 * of its first unit. Then the same read again, with the bus address of its data replaced by
 * where a page of this process really is in memory: an address that was never mapped for the
 * device. The page must not change, and afterwards the device must read well again. What the
 * IOMMU has to say about it is in the kernel's log: for that the address is printed.
 *
 * Exit status: 0 the page is as it was; 1 it is not, or something failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/scsi/scsi.h>
#include <unistd.h>

#include "base/bytes.h"
#include "direct.h"

#define PAGE		4096u
#define TIME_S		10
#define TRIES		20	/* of a read after the stray one: the device may need a reset */
#define CANARY		0xa5

/* ------ where the page is ------ */

/* page_iova() - the physical address of a page that stays there */
static uint64_t
page_iova(const void *page)
{
	uint64_t entry;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)page / PAGE *
	    sizeof(entry))) != sizeof(entry))
		direct_die("pagemap: %s", strerror(errno));
	(void)close(fd);
	/* Linux Documentation/admin-guide/mm/pagemap.rst: bit 63 present, 54-0 page frame */
	if (entry >> 63 == 0 || (entry & ((1ull << 55) - 1)) == 0)
		direct_die("pagemap does not tell where the page is");
	return (entry & ((1ull << 55) - 1)) * PAGE;
}

static uint8_t *
page_new(uint64_t *ret_iova)
{
	uint8_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);

	if (page == MAP_FAILED)
		direct_die("memory: %s", strerror(errno));
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

/* unit_read() - one page from LBA 0, polled; to @iova when that is not 0. What came of it is
 * said in
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
		direct_die("no packet");
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

/* unit_must_read() - sooner or later: unit attentions come first, or the driver resets its
 * chip */
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
	direct_die("%s: a read fails: %s", when, what);
}

int
main(int argc, char **argv)
{
	struct direct *d;
	uint64_t iova;
	uint8_t *page = page_new(&iova);
	char what[80];

	if (argc != 3)
		direct_die("usage: stray CHIP ADDRESS");
	d = direct_open(argv[1], argv[2]);
	unit_must_read(direct_unit(d), "at first");
	(void)unit_read(direct_unit(d), iova, what, sizeof(what));
	printf("%" PRIx64 " %s\n", iova, what);
	if (!page_is_same(page))
		direct_die("the device has written to memory that is not its own");
	unit_must_read(direct_unit(d), "afterwards");
	direct_close(d);
	return page_is_same(page) ? 0 : 1;
}
