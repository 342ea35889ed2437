/*
 * reader - reads of a disk, so many at a time: by the kernel's driver, by scsad, or by scsad's
 * driver without the daemon
 *
 * usage: reader [-b BYTES] [-q DEPTH] [-t MS] [-r] disk PATH
 *        reader [-b BYTES] [-q DEPTH] [-t MS] [-r] unit SOCKET UNIT
 *        reader [-b BYTES] [-q DEPTH] [-t MS] [-r] ring SOCKET UNIT
 *        reader [-b BYTES] [-q DEPTH] [-t MS] [-r] function CHIP ADDRESS
 *   -b   bytes of a read (4096)
 *   -q   reads in flight (1)
 *   -t   how long (1000)
 *   -r   at random places of the first 512 MiB; else one after the other
 * Prints reads a second, and the CPU time that the whole machine has spent on a read, in ns. Of
 * a disk, reads are direct, by io_submit(2), as many in a call as have completed before. A
 * function is one bound to vfio-pci; its first unit is read through the framework. A unit's
 * data is in memory that is shared with scsad; with "ring" its packets are, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "client/scsac.h"
#include "client/scsac_ring.h"
#include "direct.h"

#define DEPTH_MAX	256u
#define SPAN_BYTES	(512u << 20)
#define BLOCK		512u
#define PAGE		4096u
#define WAIT_MS		1000
#define TIME_S		30

struct slot {
	struct load *load;
	struct iocb iocb;
	uint8_t cdb[10];
	uint8_t *data;
	struct scsi_pkt *pkt;
	struct buf *bp;
};

struct load {
	uint32_t bytes;
	unsigned int depth, ms;
	bool is_random, is_over;
	uint64_t places, next, seed;
	uint64_t started_ns, ended_ns, idle_ns, n_done;
	unsigned int n_flying;
	struct slot slots[DEPTH_MAX];
	/* disk */
	int fd;
	aio_context_t aio;
	/* unit */
	struct scsac *c;
	struct scsac_ring *ring;	/* NULL: by the socket */
	uint64_t handle;
	/* function; the rest changes on the thread of the interrupt, under the lock */
	pthread_mutex_t lock;
	pthread_cond_t idle;
};

static void __attribute__((noreturn))
die(const char *what, const char *detail)
{
	direct_die("%s: %s", what, detail);
}

static uint64_t
now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* idle_ns() - time that the processors of the machine had nothing to do, all together */
static uint64_t
idle_ns(void)
{
	unsigned long long idle = 0, wait = 0;
	FILE *f = fopen("/proc/stat", "re");

	if (f == NULL || fscanf(f, "cpu %*u %*u %*u %llu %llu", &idle, &wait) != 2)
		die("/proc/stat", "no times of processors");
	(void)fclose(f);
	return (idle + wait) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void
run_begin(struct load *l)
{
	l->idle_ns = idle_ns();
	l->started_ns = now_ns();
}

static void
run_end(struct load *l)
{
	l->ended_ns = now_ns();
	l->idle_ns = idle_ns() - l->idle_ns;
}

static uint64_t
place_next(struct load *l)
{
	if (!l->is_random)
		return l->next++ % l->places * l->bytes;
	l->seed ^= l->seed << 13;
	l->seed ^= l->seed >> 7;
	l->seed ^= l->seed << 17;
	return l->seed % l->places * l->bytes;
}

/* is_time_over() - the clock is looked at by every read that ends */
static bool
is_time_over(struct load *l)
{
	if (now_ns() - l->started_ns >= (uint64_t)l->ms * 1000000u)
		l->is_over = true;
	return l->is_over;
}

/* ------ the kernel's driver ------ */

static void
disk_prepare(struct load *l, struct slot *s)
{
	s->iocb = (struct iocb){
		.aio_data = (uint64_t)(s - l->slots),
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)l->fd,
		.aio_buf = (uintptr_t)s->data,
		.aio_nbytes = l->bytes,
		.aio_offset = (int64_t)place_next(l),
	};
}

static void
disk_submit(struct load *l, struct iocb **list, long n)
{
	while (n > 0) {
		long r = syscall(SYS_io_submit, l->aio, n, list);

		if (r <= 0)
			die("io_submit", strerror(errno));
		l->n_flying += (unsigned int)r;
		list += r;
		n -= r;
	}
}

static void
disk_run(struct load *l, const char *path)
{
	struct iocb *list[DEPTH_MAX];
	struct io_event events[DEPTH_MAX];
	long n;

	l->fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (l->fd < 0 || syscall(SYS_io_setup, DEPTH_MAX, &l->aio) < 0)
		die(path, strerror(errno));
	for (unsigned int i = 0; i < l->depth; i++) {
		l->slots[i].data = aligned_alloc(PAGE, (l->bytes + PAGE - 1) / PAGE * PAGE);
		if (l->slots[i].data == NULL)
			die("memory", strerror(errno));
	}
	run_begin(l);
	for (unsigned int i = 0; i < l->depth; i++) {
		disk_prepare(l, &l->slots[i]);
		list[i] = &l->slots[i].iocb;
	}
	disk_submit(l, list, l->depth);
	while (l->n_flying > 0) {
		n = syscall(SYS_io_getevents, l->aio, 1l, (long)DEPTH_MAX, events, NULL);
		if (n < 0)
			die("io_getevents", strerror(errno));
		for (long i = 0; i < n; i++) {
			struct slot *s = &l->slots[events[i].data];

			if (events[i].res != (int64_t)l->bytes)
				die(path, "a read has failed");
			disk_prepare(l, s);
			list[i] = &s->iocb;
		}
		l->n_flying -= (unsigned int)n;
		l->n_done += (uint64_t)n;
		if (!is_time_over(l))
			disk_submit(l, list, n);
	}
	run_end(l);
}

/* ------ scsad ------ */

static void unit_submit(struct load *l, struct slot *s);

static void
unit_done(struct scsac *c, const struct scsac_result *result, void *arg)
{
	struct slot *s = arg;
	struct load *l = s->load;

	if (result->err < 0)
		die("packet", scsac_last_error(c)->text);
	if (result->reason != SCSAC_CMPLT || result->status != 0 || result->resid != 0)
		die("packet", scsac_reason_name(result->reason));
	l->n_flying--;
	l->n_done++;
	if (!is_time_over(l))
		unit_submit(l, s);
}

static void
unit_submit(struct load *l, struct slot *s)
{
	int r;
	const struct scsac_cmd cmd = {
		.handle = l->handle,
		.cdb = s->cdb,
		.cdb_len = sizeof(s->cdb),
		.direction = SCSAC_IN,
		.data = s->data,
		.data_len = l->bytes,
		.attribute = SCSAC_ATTR_SIMPLE,
	};

	s->cdb[0] = 0x28;
	be32_put(&s->cdb[2], (uint32_t)(place_next(l) / BLOCK));
	be16_put(&s->cdb[7], (uint16_t)(l->bytes / BLOCK));
	r = l->ring != NULL ? scsac_ring_submit(l->ring, &cmd, unit_done, s, NULL) :
	    scsac_submit(l->c, &cmd, unit_done, s, NULL);
	if (r < 0)
		die("submit", strerror(-r));
	l->n_flying++;
}

static void
unit_wait(struct load *l)
{
	int r = l->ring != NULL ? scsac_ring_wait(l->ring, WAIT_MS) : scsac_wait(l->c, WAIT_MS);

	if (r < 0)
		die("wait", scsac_last_error(l->c)->text);
}

static void
unit_run(struct load *l, const char *socket, const char *unit, bool has_ring)
{
	void *memory;

	if (scsac_new("reader", &l->c) < 0 || scsac_connect(l->c, socket) < 0 ||
	    scsac_open(l->c, unit, &l->handle, NULL) < 0)
		die(unit, scsac_last_error(l->c)->text);
	if (scsac_memory_new(l->c, (size_t)l->depth * l->bytes, &memory) < 0)
		die(unit, scsac_last_error(l->c)->text);
	if (has_ring && scsac_ring_new(l->c, l->depth < 2 ? 2 : l->depth, &l->ring) < 0)
		die("ring", scsac_last_error(l->c)->text);
	for (unsigned int i = 0; i < l->depth; i++)
		l->slots[i].data = (uint8_t *)memory + (size_t)i * l->bytes;
	run_begin(l);
	for (unsigned int i = 0; i < l->depth; i++)
		unit_submit(l, &l->slots[i]);
	while (l->n_flying > 0)
		unit_wait(l);
	run_end(l);
	scsac_free(l->c);
}

/* ------ scsad's driver ------ */

static void
function_aim(struct load *l, struct slot *s)
{
	be32_put(&s->pkt->pkt_cdbp[2], (uint32_t)(place_next(l) / BLOCK));
}

static void
function_start(struct slot *s)
{
	if (scsi_transport(s->pkt) != TRAN_ACCEPT)
		die("function", "a read is refused");
}

/* there may be several interrupts, each with its thread: what they share is under the lock */
static void
function_done(struct scsi_pkt *pkt)
{
	struct slot *s = pkt->pkt_private;
	struct load *l = s->load;
	bool goes_on;

	if (pkt->pkt_reason != CMD_CMPLT || *pkt->pkt_scbp != STATUS_GOOD)
		die("function", scsi_rname(pkt->pkt_reason));
	(void)pthread_mutex_lock(&l->lock);
	l->n_done++;
	goes_on = !is_time_over(l);
	if (goes_on)
		function_aim(l, s);
	else if (--l->n_flying == 0)
		(void)pthread_cond_signal(&l->idle);
	(void)pthread_mutex_unlock(&l->lock);
	if (goes_on)
		function_start(s);
}

static void
function_packet(struct load *l, struct slot *s, struct scsi_device *sd)
{
	s->bp = scsi_alloc_consistent_buf(&sd->sd_address, NULL, l->bytes, B_READ, SLEEP_FUNC,
	    NULL);
	s->pkt = scsi_init_pkt(&sd->sd_address, NULL, s->bp, 10, sizeof(struct scsi_arq_status),
	    0, PKT_CONSISTENT, SLEEP_FUNC, NULL);
	if (s->pkt == NULL)
		die("function", "no packet");
	s->pkt->pkt_cdbp[0] = SCMD_READ_G1;
	be16_put(&s->pkt->pkt_cdbp[7], (uint16_t)(l->bytes / BLOCK));
	s->pkt->pkt_time = TIME_S;
	s->pkt->pkt_private = s;
	s->pkt->pkt_comp = function_done;
	function_aim(l, s);
}

/* unit attentions are for somebody else */
static void
function_settle(struct scsi_device *sd)
{
	struct scsi_pkt *pkt;

	for (int i = 0; i < 3; i++) {
		pkt = scsi_init_pkt(&sd->sd_address, NULL, NULL, 6, sizeof(struct scsi_arq_status), 0,
		    0, SLEEP_FUNC, NULL);
		if (pkt == NULL)
			die("function", "no packet");
		pkt->pkt_flags = FLAG_NOINTR;
		(void)scsi_transport(pkt);
		scsi_destroy_pkt(pkt);
	}
}

static void
function_run(struct load *l, const char *chip, const char *address)
{
	struct direct *d = direct_open(chip, address);
	struct scsi_device *sd = direct_unit(d);

	function_settle(sd);
	for (unsigned int i = 0; i < l->depth; i++)
		function_packet(l, &l->slots[i], sd);
	l->n_flying = l->depth;
	run_begin(l);
	for (unsigned int i = 0; i < l->depth; i++)
		function_start(&l->slots[i]);
	(void)pthread_mutex_lock(&l->lock);
	while (l->n_flying > 0)
		(void)pthread_cond_wait(&l->idle, &l->lock);
	(void)pthread_mutex_unlock(&l->lock);
	run_end(l);
	for (unsigned int i = 0; i < l->depth; i++) {
		scsi_destroy_pkt(l->slots[i].pkt);
		scsi_free_consistent_buf(l->slots[i].bp);
	}
	direct_close(d);
}

/* ------ all ------ */

static bool
options(struct load *l, int argc, char **argv)
{
	for (int o; (o = getopt(argc, argv, "b:q:t:r")) != -1;)
		switch (o) {
		case 'b': l->bytes = (uint32_t)strtoul(optarg, NULL, 10); break;
		case 'q': l->depth = (unsigned int)strtoul(optarg, NULL, 10); break;
		case 't': l->ms = (unsigned int)strtoul(optarg, NULL, 10); break;
		case 'r': l->is_random = true; break;
		default: return false;
		}
	return l->bytes >= BLOCK && l->bytes % BLOCK == 0 && l->bytes <= SPAN_BYTES &&
	    l->depth > 0 && l->depth <= DEPTH_MAX;
}

int
main(int argc, char **argv)
{
	static struct load l = { .bytes = 4096, .depth = 1, .ms = 1000, .seed = 0x9e3779b97f4a7c15,
	    .lock = PTHREAD_MUTEX_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER };
	double elapsed, busy;

	if (!options(&l, argc, argv))
		die("usage", "see reader.c");
	l.places = SPAN_BYTES / l.bytes;
	for (unsigned int i = 0; i < l.depth; i++)
		l.slots[i].load = &l;
	if (optind == argc - 2 && strcmp(argv[optind], "disk") == 0)
		disk_run(&l, argv[optind + 1]);
	else if (optind == argc - 3 && strcmp(argv[optind], "unit") == 0)
		unit_run(&l, argv[optind + 1], argv[optind + 2], false);
	else if (optind == argc - 3 && strcmp(argv[optind], "ring") == 0)
		unit_run(&l, argv[optind + 1], argv[optind + 2], true);
	else if (optind == argc - 3 && strcmp(argv[optind], "function") == 0)
		function_run(&l, argv[optind + 1], argv[optind + 2]);
	else
		die("usage", "see reader.c");
	elapsed = (double)(l.ended_ns - l.started_ns);
	busy = elapsed * (double)sysconf(_SC_NPROCESSORS_ONLN) - (double)l.idle_ns;
	printf("%.0f %.0f\n", (double)l.n_done * 1e9 / elapsed, busy / (double)l.n_done);
	return 0;
}
