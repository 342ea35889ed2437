/*
 * hostile_idle - connections that never log in, beside a session that works
 *
 * usage: hostile_idle [--connections N] [--seconds S] [--p99 FACTOR] PROGRAM | --url URL
 *   --connections N   how many (default 1000, or half of the descriptors that a process may
 *                     have), one byte of a Login Request a second each
 *   --seconds S       all of them must be closed by the target within S (default 10)
 *   --p99 FACTOR      fail when the working session's p99 grows by more than that (default:
 *                     only printed)
 *
 * A session reads 4 KiB, one command at a time, before and during the attack. Exit status 0:
 * the connections are gone in time, every read was GOOD, and the factor is kept. The time of
 * reads that take longer than STALL_US does not count: the machine did something else then.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/compiler.h"
#include "hostile/target.h"

#define SAMPLES_MAX	(1u << 20)
#define BEFORE_MS	3000
#define CONNS_MAX	16384
#define STALL_US	20000

/* of the session that works: when the read under way began, and what stalls took so far */
static _Atomic int64_t read_began_us, stalled_us;

struct drip {
	const struct raw_where *where;
	int *fds;
	uint32_t n, left, limit_ms;
	int64_t gone_ms;		/* when the last one was closed */
	atomic_bool is_over;
};

struct work {
	struct raw raw;
	uint32_t *us;			/* of each read */
	uint32_t n, bad;
};

static int64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* ------ the attack ------ */

static uint32_t
drip_open(struct drip *drip)
{
	static struct raw raw;
	uint32_t i;

	raw_init(&raw, drip->where, 1);
	for (i = 0; i < drip->n && raw_connect(&raw) == 0; i++)
		drip->fds[i] = raw.fd;
	return i;
}

/* the next byte for everybody, and who is still there */
static void
drip_turn(struct drip *drip, unsigned int turn)
{
	static const uint8_t login[48] = { 0x43, 0x87, [7] = 200 };

	for (uint32_t i = 0; i < drip->n; i++)
		if (drip->fds[i] >= 0)
			(void)send(drip->fds[i], &login[turn % sizeof(login)], 1,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
drip_look(struct drip *drip, struct pollfd *pollers)
{
	uint8_t byte;

	for (uint32_t i = 0; i < drip->n; i++)
		pollers[i] = (struct pollfd){ drip->fds[i], POLLIN, 0 };
	if (poll(pollers, drip->n, 50) <= 0)
		return;
	for (uint32_t i = 0; i < drip->n; i++) {
		if (drip->fds[i] < 0 || pollers[i].revents == 0 ||
		    (recv(drip->fds[i], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN))
			continue;
		(void)close(drip->fds[i]);
		drip->fds[i] = -1;
		drip->left--;
	}
}

/* time without stalls */
static int64_t
served_us(void)
{
	int64_t now = now_us(), taken = now - atomic_load(&read_began_us);

	return now - atomic_load(&stalled_us) - (taken > STALL_US ? taken : 0);
}

static void *
drip_run(void *arg)
{
	struct drip *drip = arg;
	struct pollfd *pollers = calloc(drip->n, sizeof(*pollers));
	int64_t start = now_us(), next = start;
	unsigned int turn = 0;

	while (pollers != NULL && drip->left > 0 &&
	    served_us() - start < drip->limit_ms * (int64_t)1000) {
		if (now_us() >= next) {
			drip_turn(drip, turn++);
			next += 1000000;
		}
		drip_look(drip, pollers);
	}
	drip->gone_ms = (now_us() - start) / 1000;
	free(pollers);
	atomic_store(&drip->is_over, true);
	return NULL;
}

/* ------ the work ------ */

static void
work_once(struct work *work)
{
	static const uint8_t read_10[10] = { 0x28, [8] = 8 };
	int64_t start = now_us(), taken;

	atomic_store(&read_began_us, start);
	if (raw_run(&work->raw, read_10, sizeof(read_10), NULL, 0, 4096) != 0)
		work->bad++;
	taken = now_us() - start;
	if (taken > STALL_US)
		(void)atomic_fetch_add(&stalled_us, taken);
	atomic_store(&read_began_us, start + taken);
	if (work->n < SAMPLES_MAX)
		work->us[work->n++] = (uint32_t)taken;
}

static int
order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t
work_tell(struct work *work, const char *when)
{
	uint32_t p50, p99, n = work->n;

	if (n == 0)
		return 0;
	qsort(work->us, n, sizeof(work->us[0]), order);
	p50 = work->us[n / 2];
	p99 = work->us[(uint64_t)n * 99 / 100];
	(void)printf("%-8s %8u reads of 4 KiB, p50 %u us, p99 %u us, longest %u us\n", when, n,
	    p50, p99, work->us[n - 1]);
	work->n = 0;
	return p99;
}

static int
judge(const struct drip *drip, const struct work *work, double factor, double want)
{
	(void)printf("%u connections at 1 byte/s: %u left after %.1f s, %.1f s of them stalls; p99 "
	    "%.2f times what it was; %u reads failed\n", drip->n, drip->left,
	    (double)drip->gone_ms / 1000, (double)atomic_load(&stalled_us) / 1000000, factor,
	    work->bad);
	return drip->left == 0 && work->bad == 0 && (want <= 0 || factor <= want) ? 0 : 1;
}

static int
attack(struct drip *drip, double want)
{
	static struct work work;
	uint32_t before, during, opened;
	pthread_t thread;
	int64_t until;

	work.us = calloc(SAMPLES_MAX, sizeof(work.us[0]));
	drip->fds = calloc(drip->n, sizeof(drip->fds[0]));
	raw_init(&work.raw, drip->where, 2);
	if (work.us == NULL || drip->fds == NULL || raw_login(&work.raw, "") != 0 ||
	    !raw_ready(&work.raw))
		return 1;
	for (until = now_us() + BEFORE_MS * 1000; now_us() < until;)
		work_once(&work);
	before = work_tell(&work, "before");
	opened = drip_open(drip);
	drip->left = opened;
	atomic_store(&read_began_us, now_us());
	atomic_store(&stalled_us, 0);
	if (opened < drip->n || pthread_create(&thread, NULL, drip_run, drip) != 0) {
		(void)printf("%u connections only\n", opened);
		return 1;
	}
	while (!atomic_load(&drip->is_over) && work.bad == 0)
		work_once(&work);
	(void)pthread_join(thread, NULL);
	during = work_tell(&work, "during");
	raw_close(&work.raw);
	free(work.us);
	free(drip->fds);
	return judge(drip, &work, before == 0 ? 0 : (double)during / before, want);
}

/* as many files as there may be: the target has as many; how many connections fit into them */
static uint32_t
more_files(uint32_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return wanted;
	limit.rlim_cur = limit.rlim_max < CONNS_MAX + 64 ? limit.rlim_max : CONNS_MAX + 64;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_max / 2 < wanted ? (uint32_t)limit.rlim_max / 2 : wanted;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "connections", required_argument, NULL, 'c' },
		{ "seconds", required_argument, NULL, 's' }, { "p99", required_argument, NULL, 'p' },
		{ "url", required_argument, NULL, 'u' }, { NULL, 0, NULL, 0 },
	};
	struct drip drip = { .n = 1000, .limit_ms = 10000 };
	const char *url = NULL;
	struct target_run at;
	double want = 0;
	int opt, status;

	(void)signal(SIGPIPE, SIG_IGN);
	while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (opt == 'c')
			drip.n = (uint32_t)strtoul(optarg, NULL, 10);
		else if (opt == 's')
			drip.limit_ms = (uint32_t)strtoul(optarg, NULL, 10) * 1000;
		else if (opt == 'p')
			want = strtod(optarg, NULL);
		else if (opt == 'u')
			url = optarg;
		else
			return 2;
	}
	if ((url == NULL) != (optind + 1 == argc) || drip.n == 0 || drip.n > CONNS_MAX) {
		(void)fprintf(stderr, "usage: hostile_idle [OPTION]... PROGRAM | --url URL\n");
		return 2;
	}
	drip.n = more_files(drip.n);
	if (url != NULL ? !target_at(&at, url) : !target_start(&at, argv[optind], "mem:64M"))
		return 2;
	drip.where = &at.where;
	status = attack(&drip, want);
	return target_stop(&at) ? status : 1;
}
