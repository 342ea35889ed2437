#include "hw/pci/phys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "base/num.h"

#define PAGES_MAX	256u
#define PAGEMAP_PRESENT	(1ull << 63)
#define PAGEMAP_FRAME	((1ull << 55) - 1)

/* physical address of @va; 0: it is not told */
static uint64_t
frame_of(int pagemap, const void *va)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t entry;

	if (pread(pagemap, &entry, sizeof(entry),
	    (off_t)((uintptr_t)va / page * sizeof(entry))) != sizeof(entry))
		return 0;
	return (entry & PAGEMAP_PRESENT) == 0 ? 0 : (entry & PAGEMAP_FRAME) * page;
}

/* as many huge pages as there are, up to @pages; NULL: none */
static char *
pages_map(unsigned int *pages)
{
	char *va = MAP_FAILED;

	while (*pages > 0 && va == MAP_FAILED) {
		va = fault_hit() ? MAP_FAILED : mmap(NULL, (size_t)*pages * PHYS_PAGE_BYTES,
		    PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
		if (va == MAP_FAILED)
			*pages /= 2;
	}
	if (va == MAP_FAILED)
		return NULL;
	(void)madvise(va, (size_t)*pages * PHYS_PAGE_BYTES, MADV_DONTFORK);
	(void)mlock(va, (size_t)*pages * PHYS_PAGE_BYTES);
	memset(va, 0, (size_t)*pages * PHYS_PAGE_BYTES);
	return va;
}

unsigned int
phys_spans(char *va, const uint64_t *frame, unsigned int pages, struct pci_span *ret_spans,
    unsigned int max)
{
	struct pci_span *last = NULL;
	unsigned int n = 0;

	for (unsigned int i = 0; i < pages; i++, va += PHYS_PAGE_BYTES) {
		if (frame[i] == 0)
			continue;
		if (last != NULL && last->va + last->bytes == va &&
		    last->iova + last->bytes == frame[i]) {
			last->bytes += PHYS_PAGE_BYTES;
			continue;
		}
		if (n == max)
			break;
		last = &ret_spans[n++];
		*last = (struct pci_span){ va, frame[i], PHYS_PAGE_BYTES };
	}
	return n;
}

/* where the pages are; those above 4 GiB become 0 when there are others. False: not told */
static bool
frames_find(char *va, unsigned int pages, uint64_t *frame)
{
	CLEANUP(close_fd) int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned int low = 0;

	if (pagemap < 0)
		return false;
	for (unsigned int i = 0; i < pages; i++) {
		frame[i] = frame_of(pagemap, va + (size_t)i * PHYS_PAGE_BYTES);
		if (frame[i] == 0)
			return false;
		low += frame[i] <= UINT32_MAX;
	}
	for (unsigned int i = 0; i < pages && low > 0; i++)
		if (frame[i] > UINT32_MAX) {
			frame[i] = 0;
			(void)munmap(va + (size_t)i * PHYS_PAGE_BYTES, PHYS_PAGE_BYTES);
		}
	return true;
}

int
phys_get(struct pci_fn *fn, size_t bytes, struct pci_span *ret_spans, unsigned int *count)
{
	unsigned int pages = (unsigned int)num_min(PAGES_MAX,
	    num_round_up(bytes, PHYS_PAGE_BYTES) / PHYS_PAGE_BYTES);
	uint64_t frame[PAGES_MAX];
	char *va = pages_map(&pages);

	if (va == NULL)
		return pci_fn_refuse(fn, -ENOMEM, "%s: no huge page is free; some come by 'sysctl "
		    "vm.nr_hugepages=32'", fn->name);
	if (!frames_find(va, pages, frame)) {
		(void)munmap(va, (size_t)pages * PHYS_PAGE_BYTES);
		return pci_fn_refuse(fn, -EACCES, "%s: the kernel does not tell where memory is; "
		    "that takes CAP_SYS_ADMIN", fn->name);
	}
	*count = phys_spans(va, frame, pages, ret_spans, *count);
	return 0;
}

void
phys_put(const struct pci_span *spans, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		(void)munmap(spans[i].va, spans[i].bytes);
}
