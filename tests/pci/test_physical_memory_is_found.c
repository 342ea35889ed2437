/* huge pages on a machine that has none: mmap(2) and pread(2) of the pagemap end here */
#include <check_main.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hw/pci/phys.h"

#define PAGES_MAX	64u
#define PRESENT		(1ull << 63)
#define PAGE		PHYS_PAGE_BYTES
#define LOW		0x10000000ull
#define HIGH		0x200000000ull

static struct {
	unsigned int pages;		/* how many there are */
	uint64_t frame[PAGES_MAX];	/* where; 0: not told */
	char *va;
	unsigned int unmapped;
	bool has_no_pagemap;
} machine;

void *__real_mmap(void *addr, size_t bytes, int prot, int flags, int fd, off_t off);
void *__wrap_mmap(void *addr, size_t bytes, int prot, int flags, int fd, off_t off);
int __real_munmap(void *addr, size_t bytes);
int __wrap_munmap(void *addr, size_t bytes);
ssize_t __real_pread(int fd, void *buf, size_t n, off_t off);
ssize_t __wrap_pread(int fd, void *buf, size_t n, off_t off);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

void *
__wrap_mmap(void *addr, size_t bytes, int prot, int flags, int fd, off_t off)
{
	if ((flags & MAP_HUGETLB) == 0)
		return __real_mmap(addr, bytes, prot, flags, fd, off);
	if (bytes > (size_t)machine.pages * PAGE) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	machine.va = __real_mmap(addr, bytes, prot,
	    (flags & ~(MAP_HUGETLB | MAP_POPULATE)) | MAP_NORESERVE, fd, off);
	return machine.va;
}

int
__wrap_munmap(void *addr, size_t bytes)
{
	machine.unmapped += (unsigned int)(bytes / PAGE);
	return __real_munmap(addr, bytes);
}

int
__wrap_open(const char *path, int flags, ...)
{
	if (machine.has_no_pagemap && strstr(path, "pagemap") != NULL) {
		errno = EACCES;
		return -1;
	}
	return __real_open(path, flags, 0);
}

ssize_t
__wrap_pread(int fd, void *buf, size_t n, off_t off)
{
	const uint64_t small = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t va = (uint64_t)off / sizeof(uint64_t) * small, entry;

	if (machine.va == NULL)
		return __real_pread(fd, buf, n, off);
	entry = machine.frame[(va - (uintptr_t)machine.va) / PAGE];
	entry = entry == 0 ? 0 : PRESENT | entry / small;
	memcpy(buf, &entry, sizeof(entry));
	return sizeof(entry);
}

static struct pci_fn fn = { .name = "0000:00:10.0" };

static int
get(size_t bytes, struct pci_span *spans, unsigned int *count)
{
	*count = PAGES_MAX;
	machine.unmapped = 0;
	return phys_get(&fn, bytes, spans, count);
}

START_TEST(pages_side_by_side_are_one)
{
	struct pci_span spans[PAGES_MAX];
	unsigned int n;

	machine.pages = 4;
	for (unsigned int i = 0; i < 4; i++)
		machine.frame[i] = LOW + (i < 3 ? i : 10) * (uint64_t)PAGE;
	ck_assert_int_eq(get(4 * (size_t)PAGE - 5, spans, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(spans[0].iova, LOW);
	ck_assert_uint_eq(spans[0].bytes, 3 * (size_t)PAGE);
	ck_assert_uint_eq(spans[1].iova, LOW + 10 * (uint64_t)PAGE);
	memset(spans[1].va, 1, spans[1].bytes);
	phys_put(spans, n);
	ck_assert_uint_eq(machine.unmapped, 4);
}
END_TEST

START_TEST(fewer_pages_will_do)
{
	struct pci_span spans[PAGES_MAX];
	unsigned int n;

	machine.pages = 3;
	for (unsigned int i = 0; i < 3; i++)
		machine.frame[i] = LOW + i * (uint64_t)PAGE;
	ck_assert_int_eq(get(8 * (size_t)PAGE, spans, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(spans[0].bytes, 2 * (size_t)PAGE);
	phys_put(spans, n);
	machine.pages = 0;
	ck_assert_int_eq(get(PAGE, spans, &n), -ENOMEM);
	ck_assert_ptr_nonnull(strstr(fn.detail, "vm.nr_hugepages"));
}
END_TEST

START_TEST(pages_that_every_chip_reaches_come_first)
{
	struct pci_span spans[PAGES_MAX];
	unsigned int n;

	machine.pages = 4;
	machine.frame[0] = HIGH;
	machine.frame[1] = LOW;
	machine.frame[2] = HIGH + PAGE;
	machine.frame[3] = LOW + PAGE;
	ck_assert_int_eq(get(4 * (size_t)PAGE, spans, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(spans[0].iova, LOW);
	ck_assert_uint_eq(machine.unmapped, 2);
	phys_put(spans, n);
	/* none is low: all are kept */
	machine.pages = 2;
	machine.frame[1] = HIGH + PAGE;
	ck_assert_int_eq(get(2 * (size_t)PAGE, spans, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(spans[0].iova, HIGH);
	phys_put(spans, n);
}
END_TEST

START_TEST(not_told_is_refused)
{
	struct pci_span spans[PAGES_MAX];
	unsigned int n;

	machine.pages = 2;
	machine.frame[0] = LOW;
	machine.frame[1] = 0;
	ck_assert_int_eq(get(2 * (size_t)PAGE, spans, &n), -EACCES);
	ck_assert_ptr_nonnull(strstr(fn.detail, "CAP_SYS_ADMIN"));
	ck_assert_uint_eq(machine.unmapped, 2);
	machine.has_no_pagemap = true;
	ck_assert_int_eq(get(2 * (size_t)PAGE, spans, &n), -EACCES);
}
END_TEST

CHECK_MAIN("physical memory", pages_side_by_side_are_one, fewer_pages_will_do,
    pages_that_every_chip_reaches_come_first, not_told_is_refused)
