/*
 * tests/chip/qemu.h - a QEMU whose processor is parked
 *
 * What      Starts it with its sockets connected and its memory shared, speaks QMP with it, and
 *           ends it. It dies with the thread that started it.
 */
#ifndef TESTS_CHIP_QEMU_H
#define TESTS_CHIP_QEMU_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/chip/chip.h"

#define QEMU_PROGRAM	"qemu-system-x86_64"
#define QEMU_RAM_BYTES	(192ull << 20)
#define QEMU_SLOT	0x10u	/* of the first adapter; further ones follow */

struct qemu {
	pid_t pid;
	int qtest_fd, irq_fd, qmp_fd;	/* connected; the first two are the taker's */
	char dir[64];			/* images of disks */
	pid_t janitor;			/* takes it away, when end_fd is closed */
	int end_fd;
	char *ram;			/* bus address 0 */
	pthread_mutex_t qmp_lock;	/* of a request and its answer */
	char reply[65536];
	size_t fill;			/* of reply, behind the answer */
	size_t used;			/* the answer and its end */
};

/* qemu_start() - does not return when there is no QEMU to start: the test program is skipped */
void qemu_start(struct qemu *qemu, const struct chip_spec *spec);
void qemu_stop(struct qemu *qemu);
void qemu_kill(struct qemu *qemu);	/* and wait for its end; twice is fine */

/* qemu_qmp() - one request, one answer, from any thread; fails the test when it is an error. The
 * text is valid until the next call */
const char *qemu_qmp(struct qemu *qemu, const char *line);

/* qemu_disk_node() - the QMP object that makes the block node of @disk, of @size bytes */
void qemu_disk_node(struct qemu *qemu, const struct chip_disk *disk, char *buf, size_t size);
void qemu_disk_device(const struct chip_disk *disk, char *buf, size_t size);
void qemu_disk_path(const struct qemu *qemu, unsigned int target, unsigned int lun, char *buf,
    size_t size);

#endif /* TESTS_CHIP_QEMU_H */
