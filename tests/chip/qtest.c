#include "tests/chip/qtest.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "hw/pci/pci.h"
#include "tests/chip/chip.h"

#define CONFIG_ADDRESS	0xcf8u
#define CONFIG_DATA	0xcfcu
#define LISTENERS	8

struct listener {
	unsigned int slot, line;
	int fd;				/* -1: nobody */
	bool is_masked;
};

struct qtest {
	int fd, irq_fd, stop_fd;
	pthread_t thread;
	pthread_mutex_t lock;		/* of all below, held over a request and its answer */
	bool is_gone;
	char buf[512];
	size_t fill;
	uint64_t requests;
	bool is_raised[QTEST_LINES];
	struct listener listener[LISTENERS];
	int message_fd[QTEST_MESSAGES];	/* what QEMU signals */
	int wanted_fd[QTEST_MESSAGES];	/* whom we tell; -1 */
};

static void
fd_signal(int fd)
{
	const uint64_t one = 1;

	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		return;		/* full: it is readable */
}

static void
line_tell(struct qtest *q, struct listener *l)
{
	if (l->fd < 0 || l->is_masked || !q->is_raised[l->line])
		return;
	l->is_masked = true;
	fd_signal(l->fd);
}

/* a line of text about an interrupt; false: it is something else */
static bool
line_take(struct qtest *q, const char *text)
{
	unsigned int line;
	char word[8];

	if (sscanf(text, "IRQ %7s %u", word, &line) != 2)
		return false;
	if (line >= QTEST_LINES)
		return true;
	q->is_raised[line] = strcmp(word, "raise") == 0;
	for (unsigned int i = 0; i < LISTENERS; i++)
		if (q->listener[i].line == line)
			line_tell(q, &q->listener[i]);
	return true;
}

/* the next line in the buffer that is an answer; NULL: there is none. Interrupts are carried
 * out on the way */
static char *
answer_next(struct qtest *q, char *answer)
{
	char *end;

	while ((end = memchr(q->buf, '\n', q->fill)) != NULL) {
		size_t n = (size_t)(end - q->buf);

		memcpy(answer, q->buf, n);
		answer[n] = '\0';
		q->fill -= n + 1;
		memmove(q->buf, end + 1, q->fill);
		if (!line_take(q, answer))
			return answer;
	}
	return NULL;
}

static void
buffer_fill(struct qtest *q, int flags)
{
	ssize_t n = recv(q->fd, q->buf + q->fill, sizeof(q->buf) - q->fill, flags);

	if (n > 0)
		q->fill += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		q->is_gone = true;
}

/* the lock is held; false when QEMU is gone */
static PRINTF_LIKE(3, 4) bool
request(struct qtest *q, uint64_t *ret, const char *fmt, ...)
{
	char line[128], answer[sizeof(q->buf)];
	unsigned long long value = 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	q->requests++;
	if (send(q->fd, line, (size_t)n, MSG_NOSIGNAL) != n)
		q->is_gone = true;
	while (!q->is_gone && answer_next(q, answer) == NULL)
		buffer_fill(q, 0);
	if (q->is_gone)
		return false;
	if (strncmp(answer, "OK", 2) != 0)
		ck_abort_msg("qtest: '%s' was answered '%s'", line, answer);
	(void)sscanf(answer + 2, "%llx", &value);
	*ret = value;
	return true;
}

static char
width_letter(unsigned int width)
{
	static const char letter[] = { [1] = 'b', [2] = 'w', [4] = 'l', [8] = 'q' };

	return letter[width];
}

static uint64_t
get_locked(struct qtest *q, bool is_io, uint64_t addr, unsigned int width)
{
	uint64_t value;

	if (!request(q, &value, "%s%c 0x%llx\n", is_io ? "in" : "read", width_letter(width),
	    (unsigned long long)addr))
		return pci_ones(width);
	return value;
}

static void
put_locked(struct qtest *q, bool is_io, uint64_t addr, unsigned int width, uint64_t value)
{
	uint64_t ignored;

	(void)request(q, &ignored, "%s%c 0x%llx 0x%llx\n", is_io ? "out" : "write",
	    width_letter(width), (unsigned long long)addr, (unsigned long long)value);
}

uint64_t
qtest_get(struct qtest *q, bool is_io, uint64_t addr, unsigned int width)
{
	uint64_t value;

	(void)pthread_mutex_lock(&q->lock);
	value = get_locked(q, is_io, addr, width);
	(void)pthread_mutex_unlock(&q->lock);
	return value;
}

void
qtest_put(struct qtest *q, bool is_io, uint64_t addr, unsigned int width, uint64_t value)
{
	(void)pthread_mutex_lock(&q->lock);
	put_locked(q, is_io, addr, width, value);
	(void)pthread_mutex_unlock(&q->lock);
}

static void
config_select(struct qtest *q, unsigned int slot, unsigned int off)
{
	put_locked(q, true, CONFIG_ADDRESS, 4, 0x80000000u | slot << 11 | (off & ~3u));
}

uint64_t
qtest_config_get(struct qtest *q, unsigned int slot, unsigned int off, unsigned int width)
{
	uint64_t value;

	(void)pthread_mutex_lock(&q->lock);
	config_select(q, slot, off);
	value = get_locked(q, true, CONFIG_DATA + (off & 3), width);
	(void)pthread_mutex_unlock(&q->lock);
	return value;
}

void
qtest_config_put(struct qtest *q, unsigned int slot, unsigned int off, unsigned int width,
    uint64_t value)
{
	(void)pthread_mutex_lock(&q->lock);
	config_select(q, slot, off);
	put_locked(q, true, CONFIG_DATA + (off & 3), width, value);
	(void)pthread_mutex_unlock(&q->lock);
}

static struct listener *
listener_of(struct qtest *q, unsigned int slot)
{
	for (unsigned int i = 0; i < LISTENERS; i++)
		if (q->listener[i].fd >= 0 && q->listener[i].slot == slot)
			return &q->listener[i];
	for (unsigned int i = 0; i < LISTENERS; i++)
		if (q->listener[i].fd < 0)
			return &q->listener[i];
	ck_abort_msg("more than %u interrupt lines", LISTENERS);
	return NULL;
}

void
qtest_line_on(struct qtest *q, unsigned int slot, unsigned int line, int fd)
{
	struct listener *l;

	(void)pthread_mutex_lock(&q->lock);
	l = listener_of(q, slot);
	*l = (struct listener){ .slot = slot, .line = line, .fd = fd };
	line_tell(q, l);
	(void)pthread_mutex_unlock(&q->lock);
}

void
qtest_line_unmask(struct qtest *q, unsigned int slot)
{
	struct listener *l;

	(void)pthread_mutex_lock(&q->lock);
	l = listener_of(q, slot);
	if (l->fd >= 0) {
		l->is_masked = false;
		line_tell(q, l);
	}
	(void)pthread_mutex_unlock(&q->lock);
}

void
qtest_message_on(struct qtest *q, unsigned int n, int fd)
{
	(void)pthread_mutex_lock(&q->lock);
	q->wanted_fd[n] = fd;
	(void)pthread_mutex_unlock(&q->lock);
}

uint64_t
qtest_requests(struct qtest *q)
{
	uint64_t n;

	(void)pthread_mutex_lock(&q->lock);
	n = q->requests;
	(void)pthread_mutex_unlock(&q->lock);
	return n;
}

static void
messages_take(struct qtest *q, const struct pollfd *p)
{
	uint64_t count;

	for (unsigned int i = 0; i < QTEST_MESSAGES; i++)
		if ((p[i].revents & POLLIN) != 0 &&
		    read(q->message_fd[i], &count, sizeof(count)) == sizeof(count))
			fd_signal(q->wanted_fd[i]);
}

enum { POLL_STOP = QTEST_MESSAGES, POLL_TEXT, POLL_N };

/* carries interrupts; answers it only puts into the buffer, where the one who asked, holding
 * the lock, would have found them */
static void *
qtest_thread(void *arg)
{
	struct qtest *q = arg;
	struct pollfd p[POLL_N];
	char answer[sizeof(q->buf)];

	for (unsigned int i = 0; i < POLL_N; i++)
		p[i] = (struct pollfd){ .fd = i < QTEST_MESSAGES ? q->message_fd[i] :
		    i == POLL_STOP ? q->stop_fd : q->fd, .events = POLLIN };
	for (;;) {
		if (poll(p, POLL_N, -1) < 0)
			continue;
		if (p[POLL_STOP].revents != 0)
			return NULL;
		(void)pthread_mutex_lock(&q->lock);
		messages_take(q, p);
		if (p[POLL_TEXT].revents != 0)
			buffer_fill(q, MSG_DONTWAIT);
		if (answer_next(q, answer) != NULL)
			ck_abort_msg("qtest: '%s' answers nothing", answer);
		if (q->is_gone)
			p[POLL_TEXT].fd = -1;
		(void)pthread_mutex_unlock(&q->lock);
	}
}

/*
 * The server of an ivshmem-doorbell device: QEMU is peer 1, we are peer 0, and a write of
 * (peer << 16 | n) to the device's doorbell signals that peer's eventfd n.
 */
/* descriptors on their way are counted for all processes of a user: when many tests begin at the same
 * time it takes until others have received theirs. False: another error, or the end of patience */
static bool
flight_await(uint64_t end_ns)
{
	if (errno != ETOOMANYREFS || clock_now_ns() > end_ns)
		return false;
	(void)poll(NULL, 0, 1);
	return true;
}

static void
ivshmem_send(int s, int64_t value, int fd)
{
	struct iovec iov = { &value, sizeof(value) };
	union { char buf[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } c = { { 0 } };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	const uint64_t end_ns = clock_now_ns() + CHIP_WAIT_MS * NS_PER_MS;
	struct cmsghdr *h;
	ssize_t n;

	if (fd >= 0) {
		m.msg_control = c.buf;
		m.msg_controllen = sizeof(c.buf);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(s, &m, MSG_NOSIGNAL);
	} while (n < 0 && flight_await(end_ns));
	if (n != sizeof(value))
		ck_abort_msg("QEMU's doorbell device does not listen: %s", strerror(errno));
}

static void
ivshmem_serve(struct qtest *q)
{
	int shm = memfd_create("ivshmem", MFD_CLOEXEC), own;

	ck_assert_int_ge(shm, 0);
	ck_assert_int_eq(ftruncate(shm, 1 << 20), 0);
	ivshmem_send(q->irq_fd, 0, -1);		/* version of the protocol */
	ivshmem_send(q->irq_fd, 1, -1);		/* who QEMU is */
	ivshmem_send(q->irq_fd, -1, shm);
	for (unsigned int i = 0; i < QTEST_MESSAGES; i++)
		ivshmem_send(q->irq_fd, 0, q->message_fd[i]);
	for (unsigned int i = 0; i < QTEST_MESSAGES; i++) {
		own = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		ivshmem_send(q->irq_fd, 1, own);
		close_fd(&own);
	}
	close_fd(&shm);
}

struct qtest *
qtest_open(int fd, int irq_fd)
{
	struct qtest *q = calloc(1, sizeof(*q));
	uint64_t ignored;

	ck_assert_ptr_nonnull(q);
	q->fd = fd;
	q->irq_fd = irq_fd;
	q->stop_fd = eventfd(0, EFD_CLOEXEC);
	(void)pthread_mutex_init(&q->lock, NULL);
	for (unsigned int i = 0; i < LISTENERS; i++)
		q->listener[i].fd = -1;
	for (unsigned int i = 0; i < QTEST_MESSAGES; i++) {
		q->message_fd[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		q->wanted_fd[i] = -1;
		ck_assert_int_ge(q->message_fd[i], 0);
	}
	ivshmem_serve(q);
	if (!request(q, &ignored, "irq_intercept_in ioapic\n"))
		ck_abort_msg("QEMU ended before it began; its words are above");
	ck_assert_int_eq(pthread_create(&q->thread, NULL, qtest_thread, q), 0);
	return q;
}

void
qtest_close(struct qtest *q)
{
	fd_signal(q->stop_fd);
	(void)pthread_join(q->thread, NULL);
	for (unsigned int i = 0; i < QTEST_MESSAGES; i++)
		close_fd(&q->message_fd[i]);
	close_fd(&q->fd);
	close_fd(&q->irq_fd);
	close_fd(&q->stop_fd);
	(void)pthread_mutex_destroy(&q->lock);
	free(q);
}
