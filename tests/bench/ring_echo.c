#include "ring_echo.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/ring.h"

#define ENTRIES	256u

struct ring_echo {
	const struct ring_echo_conf *conf;
	struct ring_view view;
	int server_fd, client_fd;	/* eventfds */
	uint8_t *data;			/* shared, after the ring */
	uint64_t sent_at[ENTRIES];
};

/* until *@count is another one than @old; false: the other has gone */
static bool
count_wait(const struct ring_echo *e, _Atomic uint32_t *count, uint32_t old,
    _Atomic uint32_t *sleeps, int fd)
{
	eventfd_t value;

	while (atomic_load_explicit(count, memory_order_acquire) == old) {
		if (e->view.head->layout == 0)
			return false;
		if (e->conf->is_spinning) {
			ring_relax();
			continue;
		}
		ring_sleep_begin(sleeps);
		if (atomic_load_explicit(count, memory_order_acquire) == old &&
		    eventfd_read(fd, &value) < 0)
			return false;
		ring_sleep_end(sleeps);
	}
	return true;
}

static void
count_tell(const struct ring_echo *e, _Atomic uint32_t *sleeps, int fd)
{
	if (!e->conf->is_spinning && ring_must_wake(sleeps))
		(void)eventfd_write(fd, 1);
}

static void
echo_serve(struct ring_echo *e)
{
	struct ring_head *head = e->view.head;
	size_t copy = e->conf->copy_bytes;
	uint8_t *from = calloc(1, copy + 1);
	uint32_t taken = 0, submitted;

	if (from == NULL)
		_exit(1);
	sample_pin(e->conf->server_cpu);
	while (count_wait(e, &head->submitted, taken, &head->daemon_sleeps, e->server_fd)) {
		submitted = atomic_load_explicit(&head->submitted, memory_order_acquire);
		while (taken != submitted) {
			struct ring_entry entry;

			ring_entry_copy(&entry, ring_entry_at(&e->view, taken));
			if (copy > 0)
				memcpy(e->data + entry.tag % e->conf->depth * copy, from, copy);
			*ring_result_at(&e->view, taken) = (struct ring_result){ .tag = entry.tag };
			taken++;
			atomic_store_explicit(&head->completed, taken, memory_order_release);
		}
		count_tell(e, &head->client_sleeps, e->client_fd);
	}
	_exit(0);
}

static void
echo_submit(struct ring_echo *e, uint32_t *submitted, uint32_t n)
{
	uint64_t now = sample_now_ns();

	for (uint32_t i = 0; i < n; i++, ++*submitted) {
		struct ring_entry *entry = ring_entry_at(&e->view, *submitted);

		entry->tag = *submitted;
		entry->cdb_len = 10;
		memset(entry->cdb, 0, 10);
		e->sent_at[*submitted % ENTRIES] = now;
	}
	atomic_store_explicit(&e->view.head->submitted, *submitted, memory_order_release);
	count_tell(e, &e->view.head->daemon_sleeps, e->server_fd);
}

static void
echo_measure(struct ring_echo *e, struct sample *ret)
{
	struct ring_head *head = e->view.head;
	uint64_t start = sample_now_ns() + e->conf->warm_ns, end = start + e->conf->run_ns, now;
	uint32_t submitted = 0, reaped = 0, completed;

	echo_submit(e, &submitted, e->conf->depth);
	do {
		(void)count_wait(e, &head->completed, reaped, &head->client_sleeps, e->client_fd);
		completed = atomic_load_explicit(&head->completed, memory_order_acquire);
		now = sample_now_ns();
		for (; reaped != completed; reaped++) {
			uint32_t tag = ring_result_at(&e->view, reaped)->tag;
			uint64_t at = e->sent_at[tag % ENTRIES];

			if (at >= start && now < end)
				sample_add(ret, now - at);
		}
		echo_submit(e, &submitted, e->conf->depth - (submitted - reaped));
	} while (now < end);
	ret->span_ns = e->conf->run_ns;
	head->layout = 0;
	(void)eventfd_write(e->server_fd, 1);
}

static uint64_t
usage_ns(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000000ull + (uint64_t)t->tv_usec * 1000;
}

int
ring_echo_run(const struct ring_echo_conf *conf, struct sample *ret)
{
	size_t ring = ring_bytes(ENTRIES), bytes = ring + conf->depth * conf->copy_bytes;
	struct ring_echo e = { .conf = conf };
	struct rusage before, after;
	uint8_t *base;
	pid_t pid;

	memset(ret, 0, sizeof(*ret));
	base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (base == MAP_FAILED)
		return -ENOMEM;
	e.view = ring_view(base, ENTRIES);
	e.view.head->layout = RING_LAYOUT;
	e.data = base + ring;
	e.server_fd = eventfd(0, EFD_CLOEXEC);
	e.client_fd = eventfd(0, EFD_CLOEXEC);
	(void)getrusage(RUSAGE_CHILDREN, &before);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		echo_serve(&e);
	}
	if (pid > 0) {
		sample_pin(conf->client_cpu);
		echo_measure(&e, ret);
		(void)waitpid(pid, NULL, 0);
	}
	(void)getrusage(RUSAGE_CHILDREN, &after);
	ret->server_cpu_ns = usage_ns(&after.ru_utime) + usage_ns(&after.ru_stime) -
	    usage_ns(&before.ru_utime) - usage_ns(&before.ru_stime);
	(void)close(e.server_fd);
	(void)close(e.client_fd);
	(void)munmap(base, bytes);
	return pid < 0 ? -EAGAIN : 0;
}
