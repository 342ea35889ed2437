/*
 * guest/direct.h - a PCI function with scsad's driver, in a program of its own
 *
 * What      Opens a function that is bound to vfio-pci as scsad does, attaches the driver
 *           through the framework, and finds the first unit. There is no daemon around it: who
 *           calls is a requester as lib/lu is one.
 * Life      direct_open → scsi_init_pkt(9F), scsi_transport(9F), ... → direct_close
 * Failure   Ends the program with status 1 and a line on standard error.
 * Thread    Main thread. Packets complete on the thread of the interrupt.
 */
#ifndef TESTS_GUEST_DIRECT_H
#define TESTS_GUEST_DIRECT_H

#include <sys/scsi/scsi.h>

struct direct;

/* direct_open() - @chip is the name of a driver, @address that of the function */
struct direct *direct_open(const char *chip, const char *address);

/* direct_unit() - the first unit; it stays until direct_close() */
struct scsi_device *direct_unit(struct direct *d);

void direct_close(struct direct *d);

/* direct_die() - a line in printf's manner, and the end */
void direct_die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif /* TESTS_GUEST_DIRECT_H */
