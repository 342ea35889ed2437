/*
 * bench_rpc.c - a packet from submit to completion over the socket, beside a bare echo
 *
 * usage: bench_rpc --scsad PROGRAM [--rounds N] [--ms N] [--json] [--filter WORD]
 *
 * Starts the daemon with a null and a memory disk on CPU 0, keeps itself on CPU 1, and runs for each
 * row, in turn, the echo of exactly the same number of bytes (echo.h) and the real thing. Ratios
 * are taken inside a round, and their median is what counts: the machine's speed drifts, the ratio
 * does not. A round in which the host took more than 5 % of the time away does not count.
 *
 * Rows "ring" take the ring of shared memory instead of the socket, beside a bare ring
 * (ring_echo.h); in rows "spin" neither end of it sleeps. Their last column is how often daemon
 * and client slept for a packet: so often somebody had to be woken.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/num.h"
#include "base/rng.h"
#include "client/scsac_ring.h"
#include "echo.h"
#include "proto/frame.h"
#include "proto/method.h"
#include "ring_echo.h"

#define DEPTH_MAX	64u
#define ROUNDS_MAX	99u
#define DATA_MAX	(128u << 10)
#define DISK_BYTES	(256ull << 20)
#define WARM_NS		150000000ull	/* before each run, or as long as that if it is shorter */

struct row {
	const char *name;
	const char *tail;	/* of the unit's path */
	uint32_t bytes;		/* data of a packet; 0 is TEST UNIT READY */
	bool is_write;
	unsigned int depth;
	bool is_shared;		/* data in shared memory; the echo sends it all the same */
	enum { SOCKET, RING, RING_SPIN } way;	/* rings: data is in shared memory, too */
};

static const struct row rows[] = {
	{ "null  no data      depth  1", "disk@0,0", 0, false, 1, false, SOCKET },
	{ "null  no data      depth 32", "disk@0,0", 0, false, 32, false, SOCKET },
	{ "null  read 512 B   depth  1", "disk@0,0", 512, false, 1, false, SOCKET },
	{ "null  read 512 B   depth 32", "disk@0,0", 512, false, 32, false, SOCKET },
	{ "null  read 4 KiB   depth  1", "disk@0,0", 4096, false, 1, false, SOCKET },
	{ "null  read 4 KiB   depth 32", "disk@0,0", 4096, false, 32, false, SOCKET },
	{ "null  read 128 KiB depth  1", "disk@0,0", 131072, false, 1, false, SOCKET },
	{ "null  read 128 KiB depth 32", "disk@0,0", 131072, false, 32, false, SOCKET },
	{ "mem   read 512 B   depth  1", "disk@1,0", 512, false, 1, false, SOCKET },
	{ "mem   read 512 B   depth 32", "disk@1,0", 512, false, 32, false, SOCKET },
	{ "mem   read 4 KiB   depth  1", "disk@1,0", 4096, false, 1, false, SOCKET },
	{ "mem   read 4 KiB   depth 32", "disk@1,0", 4096, false, 32, false, SOCKET },
	{ "mem   read 128 KiB depth  1", "disk@1,0", 131072, false, 1, false, SOCKET },
	{ "mem   read 128 KiB depth 32", "disk@1,0", 131072, false, 32, false, SOCKET },
	{ "mem   write 4 KiB  depth  1", "disk@1,0", 4096, true, 1, false, SOCKET },
	{ "mem   write 4 KiB  depth 32", "disk@1,0", 4096, true, 32, false, SOCKET },
	{ "mem   read 4 KiB   depth 32 shared", "disk@1,0", 4096, false, 32, true, SOCKET },
	{ "mem   write 4 KiB  depth 32 shared", "disk@1,0", 4096, true, 32, true, SOCKET },
	{ "null  read 128 KiB depth  1 shared", "disk@0,0", 131072, false, 1, true, SOCKET },
	{ "mem   read 128 KiB depth  1 shared", "disk@1,0", 131072, false, 1, true, SOCKET },
	{ "mem   read 128 KiB depth 32 shared", "disk@1,0", 131072, false, 32, true, SOCKET },
	{ "mem   write 128 K  depth 32", "disk@1,0", 131072, true, 32, false, SOCKET },
	{ "null  no data      depth  1 ring", "disk@0,0", 0, false, 1, true, RING },
	{ "null  no data      depth  1 ring spin", "disk@0,0", 0, false, 1, true, RING_SPIN },
	{ "null  no data      depth 32 ring", "disk@0,0", 0, false, 32, true, RING },
	{ "null  no data      depth 32 ring spin", "disk@0,0", 0, false, 32, true, RING_SPIN },
	{ "null  read 4 KiB   depth  1 ring", "disk@0,0", 4096, false, 1, true, RING },
	{ "null  read 4 KiB   depth 32 ring", "disk@0,0", 4096, false, 32, true, RING },
	{ "mem   read 4 KiB   depth  1 ring", "disk@1,0", 4096, false, 1, true, RING },
	{ "mem   read 4 KiB   depth 32 ring", "disk@1,0", 4096, false, 32, true, RING },
	{ "mem   write 4 KiB  depth 32 ring", "disk@1,0", 4096, true, 32, true, RING },
	{ "mem   read 128 KiB depth 32 ring", "disk@1,0", 131072, false, 32, true, RING },
};

static struct {
	const char *scsad;
	const char *filter;
	unsigned int rounds;
	uint64_t run_ns, warm_ns;
	bool is_json;
} opts = { .rounds = 5, .run_ns = 600000000ull, .filter = "" };

static void
die(const char *what, const char *detail)
{
	(void)fprintf(stderr, "bench_rpc: %s: %s\n", what, detail);
	exit(1);
}

/* ------ the daemon ------ */

static char run_dir[] = "/tmp/scsad-bench.XXXXXX";
static char sock_path[64];
static pid_t daemon_pid, loop_tid;

static void
daemon_stop(void)
{
	if (daemon_pid > 0) {
		(void)kill(daemon_pid, SIGTERM);
		(void)waitpid(daemon_pid, NULL, 0);
	}
	(void)unlink(sock_path);
	(void)rmdir(run_dir);
}

static uint64_t
daemon_cpu_ns(void)
{
	clockid_t clock;
	struct timespec ts;

	if (clock_getcpuclockid(daemon_pid, &clock) != 0 || clock_gettime(clock, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

/* the thread that serves us, by its name */
static void
loop_find(void)
{
	char path[64], name[32];
	struct dirent *d;
	DIR *dir;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", daemon_pid);
	dir = opendir(path);
	while (dir != NULL && (d = readdir(dir)) != NULL) {
		uint64_t tid;

		if (num_parse_u64(d->d_name, INT32_MAX, &tid) < 0)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", daemon_pid, (int)tid);
		f = fopen(path, "r");
		if (f != NULL && fgets(name, sizeof(name), f) != NULL &&
		    strncmp(name, "loop0", 5) == 0)
			loop_tid = (pid_t)tid;
		if (f != NULL)
			(void)fclose(f);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

static struct scsac *
daemon_start(void)
{
	uint64_t give_up = sample_now_ns() + 60000000000ull;
	struct scsac *c;

	if (mkdtemp(run_dir) == NULL)
		die(run_dir, strerror(errno));
	(void)snprintf(sock_path, sizeof(sock_path), "%s/sock", run_dir);
	daemon_pid = fork();
	if (daemon_pid < 0)
		die("fork", strerror(errno));
	if (daemon_pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		sample_pin(0);
		(void)execl(opts.scsad, opts.scsad, "--socket", sock_path, "--loops", "1",
		    "--log-level", "error", "--disk", "null:1T", "--disk", "mem:256M", NULL);
		_exit(127);
	}
	(void)atexit(daemon_stop);

	if (scsac_new("bench_rpc", &c) < 0)
		die("scsac_new", "out of memory");
	while (scsac_connect(c, sock_path) < 0) {
		const struct timespec pause = { .tv_nsec = 5000000 };

		if (sample_now_ns() > give_up || waitpid(daemon_pid, NULL, WNOHANG) == daemon_pid)
			die(opts.scsad, scsac_last_error(c)->text);
		(void)nanosleep(&pause, NULL);
	}
	loop_find();
	return c;
}

/* ------ packets ------ */

struct slot {
	struct run *run;
	uint64_t at;
	uint8_t cdb[10];
	size_t cdb_len;
	uint8_t *data;
};

struct run {
	struct scsac *c;
	struct scsac_ring *ring;	/* NULL: the socket */
	const struct row *row;
	uint64_t handle;
	uint64_t start, end;
	struct rng rng;
	struct sample *sample;
	bool is_over;
	struct slot slots[DEPTH_MAX];
};

static void slot_done(struct scsac *c, const struct scsac_result *res, void *arg);

static void
slot_submit(struct slot *s, uint64_t now)
{
	struct run *r = s->run;
	const struct row *row = r->row;
	struct scsac_cmd cmd = {
		.handle = r->handle,
		.cdb = s->cdb,
		.cdb_len = s->cdb_len,
		.direction = row->bytes == 0 ? SCSAC_NONE : row->is_write ? SCSAC_OUT : SCSAC_IN,
		.data = row->bytes == 0 ? NULL : s->data,
		.data_len = row->bytes,
		.attribute = SCSAC_ATTR_SIMPLE,
	};
	int err;

	if (row->bytes > 0) {
		uint64_t places = DISK_BYTES / row->bytes;

		be32_put(&s->cdb[2], (uint32_t)(rng_below(&r->rng, places) * (row->bytes / 512)));
	}
	s->at = now;
	err = r->ring == NULL ? scsac_submit(r->c, &cmd, slot_done, s, NULL) :
	    scsac_ring_submit(r->ring, &cmd, slot_done, s, NULL);
	if (err < 0)
		die("submit", scsac_last_error(r->c)->text);
}

static void
slot_done(struct scsac *c, const struct scsac_result *res, void *arg)
{
	struct slot *s = arg;
	uint64_t now = sample_now_ns();

	(void)c;
	if (res->err < 0 || res->reason != SCSAC_CMPLT || res->status != 0 || res->resid != 0) {
		char text[200];

		(void)snprintf(text, sizeof(text),
		    "a packet ended with error %d, reason %u, state %#x, statistics %#x, status %#x, "
		    "resid %u, sense %02x %02x%02x", res->err, res->reason, res->state, res->statistics,
		    res->status, res->resid, res->sense[2], res->sense[12], res->sense[13]);
		die(s->run->row->name, text);
	}
	if (s->at >= s->run->start && now < s->run->end)
		sample_add(s->run->sample, now - s->at);
	if (now >= s->run->end)
		s->run->is_over = true;
	else
		slot_submit(s, now);
}

/* kept for all rows */
static uint8_t *
slot_data(struct run *r, size_t i)
{
	static void *plain, *shared;
	void **data = r->row->is_shared ? &shared : &plain;

	if (*data == NULL && !r->row->is_shared)
		*data = calloc(DEPTH_MAX, DATA_MAX);
	else if (*data == NULL && scsac_memory_new(r->c, DEPTH_MAX * DATA_MAX, data) < 0)
		die("shared memory", scsac_last_error(r->c)->text);
	if (*data == NULL)
		die("memory", "out of it");
	return (uint8_t *)*data + i * DATA_MAX;
}

static void
slot_init(struct slot *s, struct run *r)
{
	*s = (struct slot){ .run = r, .data = slot_data(r, (size_t)(s - r->slots)) };
	if (r->row->bytes == 0) {
		s->cdb_len = 6;
		return;
	}
	s->cdb_len = 10;
	s->cdb[0] = r->row->is_write ? 0x2a : 0x28;
	be16_put(&s->cdb[7], (uint16_t)(r->row->bytes / 512));
}

/* of a row's way; kept for all rows */
static struct scsac_ring *
ring_of(struct scsac *c, const struct row *row)
{
	static struct scsac_ring *ring;

	if (row->way == SOCKET)
		return NULL;
	if (ring == NULL && scsac_ring_new(c, DEPTH_MAX, &ring) < 0)
		die("ring", scsac_last_error(c)->text);
	return ring;
}

/* until all packets are back; more are submitted meanwhile */
static void
packets_wait(const struct run *r)
{
	int n = 0;

	if (r->ring == NULL)
		while (n >= 0 && scsac_in_flight(r->c) > 0)
			n = scsac_wait(r->c, -1);
	else
		while (n >= 0 && scsac_ring_in_flight(r->ring) > 0)
			n = r->row->way == RING_SPIN ? scsac_ring_reap(r->ring) :
			    scsac_ring_wait(r->ring, -1);
	if (n < 0)
		die("connection", scsac_last_error(r->c)->text);
}

static void
packets_run(struct scsac *c, uint64_t handle, const struct row *row, struct sample *ret)
{
	struct run r = { .c = c, .row = row, .handle = handle, .rng = rng_init(1), .sample = ret };
	uint64_t cpu;

	memset(ret, 0, sizeof(*ret));
	r.ring = ring_of(c, row);
	r.start = sample_now_ns() + opts.warm_ns;
	r.end = r.start + opts.run_ns;
	cpu = daemon_cpu_ns();
	for (unsigned int i = 0; i < row->depth; i++) {
		slot_init(&r.slots[i], &r);
		slot_submit(&r.slots[i], sample_now_ns());
	}
	packets_wait(&r);
	ret->span_ns = opts.run_ns;
	ret->server_cpu_ns = daemon_cpu_ns() - cpu;
}

/* bytes of a packet on the socket: what the library packs, the daemon answers */
static void
wire_bytes(const struct row *row, size_t *ret_request, size_t *ret_reply)
{
	static uint8_t buf[FRAME_HEAD_LEN + 4096];
	uint8_t cdb[10] = { 0 };
	Scsad__SubmitRequest req = SCSAD__SUBMIT_REQUEST__INIT;
	Scsad__Completion done = SCSAD__COMPLETION__INIT;
	struct frame_head head = { .method = METHOD_SUBMIT, .id = 1000 };

	req.has_handle = req.has_cdb = req.has_direction = req.has_data_len = true;
	req.has_attribute = true;
	req.handle = 1ull << 32;
	req.cdb = (ProtobufCBinaryData){ .len = row->bytes == 0 ? 6 : 10, .data = cdb };
	req.direction = SCSAD__DIRECTION__DIR_IN;
	req.data_len = row->bytes;
	req.attribute = SCSAD__TASK_ATTRIBUTE__ATTR_SIMPLE;
	*ret_request = (size_t)frame_pack(buf, sizeof(buf), &head, &req.base);

	done.has_reason = done.has_state = done.has_scsi_status = done.has_duration_ns = true;
	done.state = 0x1f;
	done.duration_ns = 3000;
	*ret_reply = (size_t)frame_pack(buf, sizeof(buf), &head, &done.base);
	if (row->is_write)
		*ret_request += row->bytes;
	else
		*ret_reply += row->bytes;
}

/* ------ rounds ------ */

struct result {
	double rate, p50, p99, cpu_us, sleeps;
	double echo_rate, echo_p50;
	double rate_ratio, p50_ratio;
};

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

#define MEDIAN(results, n, field)                                              \
	({                                                                     \
		double v_[ROUNDS_MAX];                                         \
		for (unsigned int i_ = 0; i_ < (n); i_++)                      \
			v_[i_] = (results)[i_].field;                          \
		qsort(v_, (n), sizeof(v_[0]), by_value);                       \
		v_[(n) / 2];                                                   \
	})

static void
yardstick_run(const struct row *row, struct sample *ret)
{
	struct echo_conf conf = {
		.depth = row->depth,
		.warm_ns = opts.warm_ns,
		.run_ns = opts.run_ns,
		.server_cpu = 0,
		.client_cpu = 1,
	};
	const struct ring_echo_conf ring = {
		.depth = row->depth,
		.copy_bytes = row->bytes,
		.is_spinning = row->way == RING_SPIN,
		.warm_ns = opts.warm_ns,
		.run_ns = opts.run_ns,
		.server_cpu = 0,
		.client_cpu = 1,
	};
	int r;

	wire_bytes(row, &conf.request_bytes, &conf.reply_bytes);
	r = row->way == SOCKET ? echo_run(&conf, ret) : ring_echo_run(&ring, ret);
	if (r < 0)
		die("echo", strerror(-r));
}

/* how often the daemon's loop and this process went to sleep by themselves, ever */
static uint64_t
sleeps_now(void)
{
	char path[64], line[128];
	unsigned long long n = 0;
	struct rusage usage;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/status", daemon_pid, loop_tid);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "voluntary_ctxt_switches: %llu", &n) == 1)
			break;
	if (f != NULL)
		(void)fclose(f);
	(void)getrusage(RUSAGE_SELF, &usage);
	return n + (uint64_t)usage.ru_nvcsw;
}

static bool
round_run(struct scsac *c, uint64_t handle, const struct row *row, struct result *ret)
{
	static struct sample echo, mine;
	uint64_t steal = sample_steal_ticks(), span = 2 * (opts.run_ns + opts.warm_ns), sleeps;

	yardstick_run(row, &echo);
	sample_pin(1);
	sleeps = sleeps_now();
	packets_run(c, handle, row, &mine);
	sleeps = sleeps_now() - sleeps;
	if (mine.count == 0 || echo.count == 0)
		return false;

	*ret = (struct result){
		.rate = sample_rate(&mine),
		.p50 = sample_quantile_us(&mine, 0.5),
		.p99 = sample_quantile_us(&mine, 0.99),
		.cpu_us = (double)mine.server_cpu_ns / 1e3 / ((double)mine.count *
		    (double)(opts.run_ns + opts.warm_ns) / (double)opts.run_ns),
		.sleeps = (double)sleeps / ((double)mine.count *
		    (double)(opts.run_ns + opts.warm_ns) / (double)opts.run_ns),
		.echo_rate = sample_rate(&echo),
		.echo_p50 = sample_quantile_us(&echo, 0.5),
	};
	ret->rate_ratio = ret->rate / ret->echo_rate;
	ret->p50_ratio = ret->p50 / ret->echo_p50;
	/* a tick is 10 ms of one CPU, and there are two */
	return (double)(sample_steal_ticks() - steal) * 1e7 <= 0.05 * 2 * (double)span;
}

static void
row_print(const struct row *row, const struct result *res, unsigned int n, bool is_first)
{
	double ratio = MEDIAN(res, n, rate_ratio), p50_ratio = MEDIAN(res, n, p50_ratio);

	if (opts.is_json) {
		printf("%s{\"row\":\"%s\",\"bytes\":%u,\"depth\":%u,\"rounds\":%u,\"rate\":%.0f,"
		    "\"p50_us\":%.2f,\"p99_us\":%.2f,\"cpu_us\":%.3f,\"sleeps\":%.3f,\"echo_rate\":%.0f,"
		    "\"echo_p50_us\":%.2f,\"rate_ratio\":%.3f,\"p50_ratio\":%.3f}",
		    is_first ? "" : ",\n ", row->name, row->bytes, row->depth, n,
		    MEDIAN(res, n, rate), MEDIAN(res, n, p50), MEDIAN(res, n, p99),
		    MEDIAN(res, n, cpu_us), MEDIAN(res, n, sleeps), MEDIAN(res, n, echo_rate),
		    MEDIAN(res, n, echo_p50), ratio, p50_ratio);
		return;
	}
	printf("%-37s %9.0f/s %8.1f %8.1f us %6.2f us | %9.0f/s %8.1f us | %5.2f x  %5.2f x",
	    row->name, MEDIAN(res, n, rate), MEDIAN(res, n, p50), MEDIAN(res, n, p99),
	    MEDIAN(res, n, cpu_us), MEDIAN(res, n, echo_rate), MEDIAN(res, n, echo_p50), ratio,
	    p50_ratio);
	printf(row->way == SOCKET ? "\n" : "  %.3f sleeps\n", MEDIAN(res, n, sleeps));
	(void)fflush(stdout);
}

static void
row_run(struct scsac *c, const struct row *row, bool is_first)
{
	struct result results[ROUNDS_MAX];
	unsigned int n = 0, tries = 0;
	uint64_t handle;

	if (scsac_open(c, row->tail, &handle, NULL) < 0)
		die(row->tail, scsac_last_error(c)->text);
	while (n < opts.rounds && tries++ < 2 * opts.rounds)
		n += round_run(c, handle, row, &results[n]);
	if (n < (opts.rounds + 1) / 2) {
		if (!opts.is_json)
			printf("%-37s not measured: the machine's host takes too much time away\n", row->name);
	} else {
		row_print(row, results, n, is_first);
	}
	(void)scsac_close(c, handle);
}

static void
options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "scsad", required_argument, NULL, 's' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "ms", required_argument, NULL, 'm' },
		{ "filter", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t v;
	int o;

	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (o == 's')
			opts.scsad = optarg;
		else if (o == 'f')
			opts.filter = optarg;
		else if (o == 'j')
			opts.is_json = true;
		else if (o == 'r' && num_parse_u64(optarg, ROUNDS_MAX, &v) == 0 && v > 0)
			opts.rounds = (unsigned int)v;
		else if (o == 'm' && num_parse_u64(optarg, 60000, &v) == 0 && v > 0)
			opts.run_ns = v * 1000000ull;
		else
			opts.scsad = NULL, optind = argc + 1;
	}
	opts.warm_ns = opts.run_ns < WARM_NS ? opts.run_ns : WARM_NS;
	if (opts.scsad == NULL || optind != argc) {
		(void)fprintf(stderr, "usage: bench_rpc --scsad PROGRAM [--rounds N] [--ms N] "
		    "[--json] [--filter WORD]\n");
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	bool is_first = true;
	struct scsac *c;

	options(argc, argv);
	c = daemon_start();
	if (!opts.is_json)
		printf("%-30s %11s %8s %11s %9s | %11s %11s | %7s %7s\n%-30s %11s %8s %11s %9s | %11s %11s |"
		    " %7s %7s\n", "", "scsad", "p50", "p99", "CPU each", "bare echo", "p50", "rate", "p50",
		    "", "packets", "", "", "", "messages", "", "to echo", "to echo");
	else
		printf("[");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strstr(rows[i].name, opts.filter) == NULL)
			continue;
		row_run(c, &rows[i], is_first);
		is_first = false;
	}
	if (opts.is_json)
		printf("]\n");
	scsac_free(c);
	return 0;
}
