#include "hw/pci/file.h"

#include <endian.h>
#include <sys/types.h>
#include <unistd.h>

#include "hw/pci/mmio.h"
#include "hw/pci/pci.h"

uint64_t
file_get(int fd, uint64_t off, unsigned int width)
{
	uint64_t raw = 0;

	if (pread(fd, &raw, width, (off_t)off) != (ssize_t)width)
		return pci_ones(width);
	mmio_barrier();
	return le64toh(raw) & pci_ones(width);
}

void
file_put(int fd, uint64_t off, unsigned int width, uint64_t value)
{
	const uint64_t raw = htole64(value);

	mmio_barrier();
	/* a function that has gone takes nothing; the next read shows it */
	if (pwrite(fd, &raw, width, (off_t)off) != (ssize_t)width)
		return;
}
