/*
 * tests/chip/qtest.h - the qtest protocol: registers of an emulated machine over a socket
 *
 * What      Requests are lines, answered one by one ("OK 0x.."); in between come lines about
 *           interrupt lines ("IRQ raise 20"). A thread waits for those, and for the eventfds
 *           that stand for message-signalled interrupts, and carries them to where they are
 *           wanted.
 * Thread    Any; one request at a time.
 */
#ifndef TESTS_CHIP_QTEST_H
#define TESTS_CHIP_QTEST_H

#include <stdbool.h>
#include <stdint.h>

#define QTEST_LINES	24	/* of the interrupt controller */
#define QTEST_MESSAGES	64	/* message-signalled interrupts in all */
#define QTEST_DOORBELL	0xfe00000cu	/* an MSI is a write of its number to this address */

struct qtest;

/* qtest_open() - on connected sockets, which are taken over: that of the protocol, and that of
 * the ivshmem-doorbell device */
struct qtest *qtest_open(int fd, int irq_fd);
void qtest_close(struct qtest *q);

/* qtest_get(), qtest_put() - memory or I/O space; ones, and nothing, when QEMU is gone */
uint64_t qtest_get(struct qtest *q, bool is_io, uint64_t addr, unsigned int width);
void qtest_put(struct qtest *q, bool is_io, uint64_t addr, unsigned int width, uint64_t value);

/* qtest_config_get(), qtest_config_put() - configuration space of a slot of bus 0 */
uint64_t qtest_config_get(struct qtest *q, unsigned int slot, unsigned int off,
    unsigned int width);
void qtest_config_put(struct qtest *q, unsigned int slot, unsigned int off, unsigned int width,
    uint64_t value);

/* qtest_line_on() - signal @fd when line @line is raised, once until qtest_line_unmask(); -1:
 * no more. Several may listen to one line: @slot says who */
void qtest_line_on(struct qtest *q, unsigned int slot, unsigned int line, int fd);
void qtest_line_unmask(struct qtest *q, unsigned int slot);

/* qtest_message_on() - signal @fd at message @n; -1: no more */
void qtest_message_on(struct qtest *q, unsigned int n, int fd);

/* qtest_requests() - how many there were */
uint64_t qtest_requests(struct qtest *q);

#endif /* TESTS_CHIP_QTEST_H */
