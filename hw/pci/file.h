/*
 * hw/pci/file.h - registers that are reached by pread(2) and pwrite(2): configuration space,
 * I/O ports, BARs that cannot be mapped
 *
 * Thread    Any; no state.
 */
#ifndef HW_PCI_FILE_H
#define HW_PCI_FILE_H

#include <stdint.h>

/* file_get() - @width 1, 2, 4 or 8 bytes, little endian; ones when it cannot be read */
uint64_t file_get(int fd, uint64_t off, unsigned int width);
void file_put(int fd, uint64_t off, unsigned int width, uint64_t value);

#endif /* HW_PCI_FILE_H */
