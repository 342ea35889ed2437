/*
 * ring_load.c - keep a unit busy through a ring, and check what comes back
 *
 * usage: ring_load --socket PATH --unit NAME [--depth N] [--base LBA]
 *
 * Each slot writes a block that only it could have written, reads it back, and goes on so. Says
 * "ready" when each slot has done so once. Ends with
 *   0  after SIGTERM, everything in flight has come back
 *   1  wrong data, a result that cannot be, or a packet that was completed twice or never
 *   3  the connection was lost, everything in flight has been completed
 *   4  the unit takes no more packets, everything in flight has been completed
 *   5  nothing has come back for a minute
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "client/scsac_ring.h"

#define BLOCK_BYTES	4096u
#define DEPTH_MAX	256u
#define PATIENCE	60u	/* waits of a second. Time in which we are stopped is none of them */

static struct slot {
	uint8_t cdb[10];
	uint8_t *data;
	uint64_t seq;		/* of the block last written */
	bool is_reading, is_busy;
} slots[DEPTH_MAX];

static struct scsac_ring *ring;
static uint64_t handle;
static uint32_t depth = 32, base_lba;
static uint32_t n_ready;
static bool is_over;		/* submit no more */
static bool is_lost, is_gone;
static volatile sig_atomic_t want_end;

static void
die(const char *what, const char *detail)
{
	(void)fprintf(stderr, "ring_load: %s: %s\n", what, detail);
	exit(1);
}

static void
on_term(int signo)
{
	(void)signo;
	want_end = 1;
}

static void
block_fill(struct slot *s)
{
	uint64_t x = ++s->seq * 0x9e3779b97f4a7c15ull + (uint64_t)(s - slots) + base_lba;

	for (size_t i = 0; i < BLOCK_BYTES; i += 8)
		le64_put(s->data + i, x + i * s->seq);
}

static void
block_check(const struct slot *s)
{
	uint64_t x = s->seq * 0x9e3779b97f4a7c15ull + (uint64_t)(s - slots) + base_lba;

	for (size_t i = 0; i < BLOCK_BYTES; i += 8)
		if (le64_get(s->data + i) != x + i * s->seq)
			die("data", "another block than was written");
}

static void slot_done(struct scsac *c, const struct scsac_result *res, void *arg);

static void
slot_submit(struct slot *s)
{
	struct scsac_cmd cmd = { .handle = handle, .cdb = s->cdb, .cdb_len = sizeof(s->cdb),
		.direction = s->is_reading ? SCSAC_IN : SCSAC_OUT, .data = s->data,
		.data_len = BLOCK_BYTES };
	int r;

	s->cdb[0] = s->is_reading ? 0x28 : 0x2a;
	be32_put(&s->cdb[2], base_lba + (uint32_t)(s - slots) * (BLOCK_BYTES / 512));
	be16_put(&s->cdb[7], BLOCK_BYTES / 512);
	r = scsac_ring_submit(ring, &cmd, slot_done, s, NULL);
	if (r < 0 && r != -ENOTCONN)
		die("submit", strerror(-r));
	is_lost = is_lost || r < 0;
	s->is_busy = r == 0;
}

/* does the unit want the same once more? */
static bool
want_again(const struct scsac_result *res)
{
	bool is_attention = res->status == 2 && res->sense_len > 2 &&
	    (res->sense[0] & 0x7e) == 0x70 && (res->sense[2] & 0xf) == 6;

	return res->err == -EBUSY || (res->err == 0 && !res->is_unknown &&
	    res->reason == SCSAC_CMPLT && (is_attention || res->status == 8 ||
	    res->status == 0x28));
}

static void
slot_good(struct slot *s, const struct scsac_result *res)
{
	if (s->is_reading && res->data_len != BLOCK_BYTES)
		die("read", "short");
	if (s->is_reading)
		block_check(s);
	if (s->is_reading && s->seq == 1 && ++n_ready == depth) {
		(void)printf("ready\n");
		(void)fflush(stdout);
	}
	s->is_reading = !s->is_reading;
	if (s->is_reading)
		memset(s->data, 0, BLOCK_BYTES);
	else
		block_fill(s);
}

static void
slot_done(struct scsac *c, const struct scsac_result *res, void *arg)
{
	struct slot *s = arg;

	(void)c;
	if (!s->is_busy)
		die("packet", "completed twice");
	s->is_busy = false;
	if (res->is_unknown)
		is_lost = true;
	else if (res->err == 0 && res->reason == SCSAC_CMPLT && res->status == 0)
		slot_good(s, res);
	else if (!want_again(res))
		is_gone = true;
	is_over = is_over || is_lost || is_gone || want_end;
	if (!is_over)
		slot_submit(s);
}

static void
begin(const char *path, const char *unit, struct scsac **ret)
{
	struct scsac *c;
	void *memory;

	if (scsac_new("ring_load", &c) < 0)
		die("new", "out of memory");
	if (scsac_connect(c, path) < 0 || scsac_open(c, unit, &handle, NULL) < 0 ||
	    scsac_memory_new(c, (size_t)depth * BLOCK_BYTES, &memory) < 0 ||
	    scsac_ring_new(c, depth, &ring) < 0)
		die("begin", scsac_last_error(c)->text);
	for (uint32_t i = 0; i < depth; i++) {
		slots[i].data = (uint8_t *)memory + (size_t)i * BLOCK_BYTES;
		block_fill(&slots[i]);
	}
	*ret = c;
}

static int
run(void)
{
	unsigned int n_empty = 0;

	for (uint32_t i = 0; i < depth; i++)
		slot_submit(&slots[i]);
	while (scsac_ring_in_flight(ring) > 0 && n_empty < PATIENCE) {
		int n = scsac_ring_wait(ring, 1000);

		if (n == -ENOTCONN)
			is_lost = true;
		else if (n < 0 && n != -EINTR)
			die("wait", strerror(-n));
		n_empty = n == 0 ? n_empty + 1 : 0;
	}
	if (scsac_ring_in_flight(ring) > 0)
		return 5;
	for (uint32_t i = 0; i < depth; i++)
		if (slots[i].is_busy)
			die("packet", "never completed");
	return is_lost ? 3 : is_gone ? 4 : 0;
}

static uint32_t
number(const char *text, uint64_t max)
{
	uint64_t value;

	if (num_parse_u64(text, max, &value) < 0)
		die("number", text);
	return (uint32_t)value;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "unit", required_argument, NULL, 'u' },
		{ "depth", required_argument, NULL, 'd' },
		{ "base", required_argument, NULL, 'b' },
		{ NULL, 0, NULL, 0 },
	};
	const struct sigaction action = { .sa_handler = on_term };
	const char *path = NULL, *unit = NULL;
	struct scsac *c;
	int o, status;

	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (o == 's')
			path = optarg;
		else if (o == 'u')
			unit = optarg;
		else if (o == 'd')
			depth = number(optarg, DEPTH_MAX);
		else if (o == 'b')
			base_lba = number(optarg, UINT32_MAX);
	}
	if (unit == NULL || depth < 2)
		die("usage", "ring_load --socket PATH --unit NAME [--depth N] [--base LBA]");
	(void)sigaction(SIGTERM, &action, NULL);
	begin(path, unit, &c);
	status = run();
	scsac_free(c);
	return status;
}
