#include "iscsi_load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/num.h"
#include "base/rng.h"
#include "iscsi_wire.h"

#define CELLS		2048u	/* headers and pieces under way on one connection, a power of two */
#define RX_BYTES	(256u << 10)
#define SEND_PIECES	512u
#define EVENTS		64

struct slot {
	uint64_t since_ns;
};

struct conn {
	struct wire w;
	struct load_run *run;
	struct slot slots[ISCSI_LOAD_DEPTH];
	uint32_t unused[ISCSI_LOAD_DEPTH];	/* slots */
	unsigned int n_unused;
	uint64_t next;			/* sequential: the next block */
	uint64_t count;			/* commands answered while measuring */
	/* transmit: rings */
	uint8_t cells[CELLS][WIRE_BHS];
	struct iovec pieces[CELLS * 2];
	uint32_t cell, head, tail;
	/* receive */
	uint8_t bhs[WIRE_BHS];
	uint32_t have, skip;
};

struct load_run {
	const struct iscsi_load *load;
	struct rng rng;
	uint64_t units;			/* size of the disk in transfers */
	uint32_t blocks_each;
	uint8_t *pattern, *rx;
	struct sample *sample;
	bool is_measuring, is_stopping;
	uint64_t begin_ns, end_ns;
	pid_t pid;
	struct iscsi_usage before;
};

/* ------ what the target uses ------ */

static uint64_t
task_cpu_ns(pid_t pid, const char *task)
{
	unsigned long long ns = 0;
	char path[320];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid, task);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	(void)fclose(f);
	return ns;
}

static uint64_t
cpu_ns(pid_t pid)
{
	uint64_t sum = 0;
	struct dirent *e;
	char path[64];
	DIR *d;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			sum += task_cpu_ns(pid, e->d_name);
	if (d != NULL)
		(void)closedir(d);
	return sum;
}

static long
rss_kib(pid_t pid)
{
	char path[64], line[128];
	long kib = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	f = fopen(path, "r");
	while (f != NULL && kib == 0 && fgets(line, sizeof(line), f) != NULL)
		(void)sscanf(line, "Rss: %ld", &kib);
	if (f != NULL)
		(void)fclose(f);
	return kib;
}

struct iscsi_usage
iscsi_usage_read(pid_t pid)
{
	if (pid <= 0)
		return (struct iscsi_usage){ 0 };
	return (struct iscsi_usage){ cpu_ns(pid), rss_kib(pid) };
}

/* ------ sending ------ */

static uint8_t *
cell_take(struct conn *c)
{
	uint8_t *h;

	if (c->tail - c->head > 2 * CELLS - 8)
		die("too much to send at one time");
	h = c->cells[c->cell++ % CELLS];
	memset(h, 0, WIRE_BHS);
	return h;
}

static void
piece_add(struct conn *c, void *p, size_t n)
{
	c->pieces[c->tail++ % (2 * CELLS)] = (struct iovec){ p, n };
}

static void
pieces_advance(struct conn *c, size_t n)
{
	while (n > 0) {
		struct iovec *v = &c->pieces[c->head % (2 * CELLS)];

		if (n < v->iov_len) {
			v->iov_base = (uint8_t *)v->iov_base + n;
			v->iov_len -= n;
			return;
		}
		n -= v->iov_len;
		c->head++;
	}
}

static void
conn_flush(struct conn *c)
{
	while (c->head != c->tail) {
		uint32_t first = c->head % (2 * CELLS);
		uint32_t n = (uint32_t)num_min(c->tail - c->head, 2 * CELLS - first);
		struct msghdr m = { .msg_iov = c->pieces + first,
			.msg_iovlen = num_min(n, SEND_PIECES) };
		ssize_t r = sendmsg(c->w.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (r < 0 && errno == EAGAIN)
			return;
		if (r < 0 && errno != EINTR)
			die("send: %s", strerror(errno));
		if (r > 0)
			pieces_advance(c, (size_t)r);
	}
}

static uint32_t
lba_pick(struct conn *c)
{
	struct load_run *run = c->run;
	uint64_t share = run->units / run->load->conns;

	if (!run->load->is_sequential)
		return (uint32_t)(rng_next(&run->rng) % run->units * run->blocks_each);
	return (uint32_t)((c->w.index * share + c->next++ % share) * run->blocks_each);
}

static void
command_rw(struct conn *c, uint8_t *h)
{
	const struct iscsi_load *load = c->run->load;
	bool is_write = rng_next(&c->run->rng) % 100 >= load->reads_pct;
	uint32_t immediate = 0;

	h[1] |= is_write ? 0x20 : 0x40;
	be32_put(h + 20, load->bytes);
	h[32] = is_write ? 0x2a : 0x28;
	be32_put(h + 34, lba_pick(c));
	be16_put(h + 39, (uint16_t)c->run->blocks_each);
	if (is_write && c->w.has_immediate)
		immediate = (uint32_t)num_min(load->bytes,
		    num_min(c->w.first_burst, c->w.segment));
	be24_put(h + 5, immediate);
	piece_add(c, h, WIRE_BHS);
	if (immediate > 0)
		piece_add(c, c->run->pattern, immediate);
}

static void
command_send(struct conn *c)
{
	uint32_t i = c->unused[--c->n_unused];
	uint8_t *h = cell_take(c);

	h[0] = 0x01;
	h[1] = 0x81;
	be16_put(h + 8, c->w.lun);
	be32_put(h + 16, i);
	be32_put(h + 24, c->w.cmd_sn++);
	be32_put(h + 28, c->w.exp_stat_sn);
	c->slots[i].since_ns = sample_now_ns();
	if (c->run->load->op == ISCSI_LOAD_RW)
		command_rw(c, h);
	else
		piece_add(c, h, WIRE_BHS);
}

static void
conn_pump(struct conn *c)
{
	while (!c->run->is_stopping && c->n_unused > 0 &&
	    (int32_t)(c->w.max_cmd_sn - c->w.cmd_sn) >= 0)
		command_send(c);
}

/* ------ receiving ------ */

static void
command_done(struct conn *c, const uint8_t *h)
{
	uint32_t tag = be32_get(h + 16);

	if (tag >= c->run->load->depth)
		die("an answer to a command that was not sent, tag %u", tag);
	if (h[3] != 0 || ((h[0] & 0x3f) == 0x21 && h[2] != 0))
		die("a command failed, status %02xh", h[3]);
	c->w.exp_stat_sn = be32_get(h + 24) + 1;
	if (c->run->is_measuring) {
		sample_add(c->run->sample, sample_now_ns() - c->slots[tag].since_ns);
		c->count++;
	}
	c->unused[c->n_unused++] = tag;
}

static void
data_send(struct conn *c, const uint8_t *r2t)
{
	uint32_t offset = be32_get(r2t + 40), left = be32_get(r2t + 44), n;

	if ((uint64_t)offset + left > c->run->load->bytes)
		die("an R2T for more than there is");
	for (uint32_t sn = 0; left > 0; sn++, offset += n, left -= n) {
		uint8_t *h = cell_take(c);

		n = (uint32_t)num_min(left, c->w.segment);
		h[0] = 0x05;
		h[1] = n == left ? 0x80 : 0;
		be24_put(h + 5, n);
		memcpy(h + 8, r2t + 8, 16);
		be32_put(h + 28, c->w.exp_stat_sn);
		be32_put(h + 36, sn);
		be32_put(h + 40, offset);
		piece_add(c, h, WIRE_BHS);
		piece_add(c, c->run->pattern + offset, n);
	}
}

static void
ping_answer(struct conn *c, const uint8_t *ping)
{
	uint8_t *h;

	if (be32_get(ping + 20) == UINT32_MAX)
		return;
	h = cell_take(c);
	h[0] = 0x40;
	h[1] = 0x80;
	memcpy(h + 8, ping + 8, 8);
	be32_put(h + 16, UINT32_MAX);
	memcpy(h + 20, ping + 20, 4);
	be32_put(h + 24, c->w.cmd_sn);
	be32_put(h + 28, c->w.exp_stat_sn);
	piece_add(c, h, WIRE_BHS);
}

static void
pdu_take(struct conn *c, const uint8_t *h)
{
	uint32_t max = be32_get(h + 32);

	if ((int32_t)(max - c->w.max_cmd_sn) > 0)
		c->w.max_cmd_sn = max;
	switch (h[0] & 0x3f) {
	case 0x25:	/* Data-In; with the status in it, it is the end */
		if ((h[1] & 0x01) != 0)
			command_done(c, h);
		break;
	case 0x21:
		command_done(c, h);
		break;
	case 0x31:
		data_send(c, h);
		break;
	case 0x20:
		ping_answer(c, h);
		break;
	default:
		die("unexpected PDU %02xh", h[0]);
	}
}

static void
bytes_take(struct conn *c, const uint8_t *p, size_t n)
{
	while (n > 0) {
		const uint8_t *h = p;
		size_t k;

		if (c->skip > 0) {
			k = num_min(n, c->skip);
			c->skip -= (uint32_t)k;
			p += k;
			n -= k;
			continue;
		}
		if (c->have > 0 || n < WIRE_BHS) {
			k = num_min(WIRE_BHS - c->have, n);
			memcpy(c->bhs + c->have, p, k);
			c->have += (uint32_t)k;
			if (c->have < WIRE_BHS)
				return;
			c->have = 0;
			h = c->bhs;
		} else {
			k = WIRE_BHS;
		}
		c->skip = (be24_get(h + 5) + 3) / 4 * 4 + h[4] * 4u;
		pdu_take(c, h);
		p += k;
		n -= k;
	}
}

static void
conn_receive(struct conn *c)
{
	ssize_t r;

	do {
		r = recv(c->w.fd, c->run->rx, RX_BYTES, MSG_DONTWAIT);
		if (r == 0)
			die("the target closed the connection");
		if (r < 0 && errno != EAGAIN && errno != EINTR)
			die("receive: %s", strerror(errno));
		if (r > 0)
			bytes_take(c, c->run->rx, (size_t)r);
		/* the events are edge-triggered: what is left would not wake us */
	} while (r == RX_BYTES || (r < 0 && errno == EINTR));
}

/* ------ a run ------ */

static struct conn *
conns_open(struct load_run *run, const struct iscsi_where *where, int epoll)
{
	const struct iscsi_load *load = run->load;
	struct conn *conns = calloc(load->conns, sizeof(*conns));
	uint32_t block_bytes = 0;
	uint64_t blocks = 0;

	if (conns == NULL)
		die("no memory");
	for (unsigned int i = 0; i < load->conns; i++) {
		struct conn *c = &conns[i];
		struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET,
			.data.ptr = c };

		wire_login(&c->w, where, i);
		wire_ready(&c->w, &blocks, &block_bytes);
		c->run = run;
		for (uint32_t k = 0; k < load->depth; k++)
			c->unused[c->n_unused++] = k;
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->w.fd, &e) < 0)
			die("epoll: %s", strerror(errno));
	}
	run->blocks_each = load->bytes / block_bytes;
	run->units = load->op == ISCSI_LOAD_RW ? blocks / run->blocks_each : 1;
	if (run->units < load->conns && load->op == ISCSI_LOAD_RW)
		die("the disk is too small");
	return conns;
}

/* false when the run is over */
static bool
clock_step(struct load_run *run)
{
	uint64_t now = sample_now_ns();

	if (!run->is_measuring && !run->is_stopping && now >= run->begin_ns) {
		run->before = iscsi_usage_read(run->pid);
		run->begin_ns = sample_now_ns();
		run->end_ns = run->begin_ns + run->load->run_ns;
		run->is_measuring = true;
	} else if (run->is_measuring && now >= run->end_ns) {
		run->is_measuring = false;
		run->is_stopping = true;
		run->sample->span_ns = now - run->begin_ns;
		run->sample->server_cpu_ns =
		    iscsi_usage_read(run->pid).cpu_ns - run->before.cpu_ns;
	}
	return !run->is_stopping;
}

static void
run_events(struct load_run *run, int epoll)
{
	struct epoll_event events[EVENTS];
	unsigned int turn = 0;
	int n;

	do {
		n = epoll_wait(epoll, events, EVENTS, run->load->is_spinning ? 0 : 200);
		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;

			if ((events[i].events & EPOLLIN) != 0) {
				conn_receive(c);
				conn_pump(c);
			}
			conn_flush(c);
		}
		turn++;
	} while ((turn % 16 != 0 && n > 0) || clock_step(run));
}

static double
slowest_share(const struct conn *conns, unsigned int n)
{
	uint64_t least = UINT64_MAX, most = 0;

	for (unsigned int i = 0; i < n; i++) {
		least = num_min(least, conns[i].count);
		most = conns[i].count > most ? conns[i].count : most;
	}
	return most == 0 ? 0 : (double)least / (double)most;
}

void
iscsi_load_run(const struct iscsi_where *where, const struct iscsi_load *load,
    struct sample *ret, double *ret_slowest)
{
	struct load_run run = { .load = load, .sample = ret, .pid = where->pid };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct conn *conns;

	memset(ret, 0, sizeof(*ret));
	run.rng = rng_init(sample_now_ns());
	run.pattern = aligned_alloc(4096, ((size_t)load->bytes + 8191) / 4096 * 4096);
	run.rx = aligned_alloc(4096, RX_BYTES);
	if (epoll < 0 || run.pattern == NULL || run.rx == NULL)
		die("no memory");
	memset(run.pattern, 0x5a, load->bytes);
	conns = conns_open(&run, where, epoll);
	run.begin_ns = sample_now_ns() + load->warm_ns;
	for (unsigned int i = 0; i < load->conns; i++) {
		conn_pump(&conns[i]);
		conn_flush(&conns[i]);
	}
	run_events(&run, epoll);
	*ret_slowest = slowest_share(conns, load->conns);
	for (unsigned int i = 0; i < load->conns; i++)
		(void)close(conns[i].w.fd);
	(void)close(epoll);
	free(conns);
	free(run.pattern);
	free(run.rx);
}

/* ------ logins, idle sessions ------ */

void
iscsi_load_logins(const struct iscsi_where *where, uint64_t run_ns, struct sample *ret)
{
	uint64_t begin = sample_now_ns(), now = begin, cpu = iscsi_usage_read(where->pid).cpu_ns;
	struct wire w;

	memset(ret, 0, sizeof(*ret));
	for (unsigned int i = 0; now - begin < run_ns; i++) {
		uint64_t since = now;

		wire_login(&w, where, i);
		sample_add(ret, sample_now_ns() - since);
		wire_logout(&w);
		now = sample_now_ns();
	}
	ret->span_ns = now - begin;
	ret->server_cpu_ns = iscsi_usage_read(where->pid).cpu_ns - cpu;
}

void
iscsi_load_idle(const struct iscsi_where *where, unsigned int conns, uint64_t run_ns,
    struct iscsi_idle *ret)
{
	const struct timespec span = { (time_t)(run_ns / 1000000000), (long)(run_ns % 1000000000) };
	struct wire *w = calloc(conns, sizeof(*w));
	struct iscsi_usage before, begin, end;
	uint32_t block_bytes;
	uint64_t blocks;

	if (w == NULL)
		die("no memory");
	before = iscsi_usage_read(where->pid);
	for (unsigned int i = 0; i < conns; i++) {
		wire_login(&w[i], where, i);
		wire_ready(&w[i], &blocks, &block_bytes);
	}
	begin = iscsi_usage_read(where->pid);
	(void)nanosleep(&span, NULL);
	end = iscsi_usage_read(where->pid);
	for (unsigned int i = 0; i < conns; i++)
		wire_logout(&w[i]);
	free(w);
	*ret = (struct iscsi_idle){
		.rss_kib = before.rss_kib,
		.kib_session = (double)(end.rss_kib - before.rss_kib) / conns,
		.cpu = (double)(end.cpu_ns - begin.cpu_ns) / (double)run_ns,
	};
}
