/* packets through shared memory: what comes out is what the socket would have given */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "client/scsac_ring.h"
#include "mock_ring.h"
#include "scsi/cdb.h"

#define BLOCK	512u
#define MIB	(1u << 20)
#define DEPTH	32u

static struct fixture f;
static struct scsac *c;
static struct scsac_ring *ring;
static uint64_t handle;
static uint8_t *memory;
static uint8_t cdb[CDB_BUF_LEN];

static void
up(unsigned loops, unsigned entries, uint32_t busy_poll_us)
{
	fixture_init(&f);
	f.conf.loops = loops;
	f.conf.busy_poll_us = busy_poll_us;
	fixture_disk(&f, "mem:16M,serial=DISK-A");
	fixture_disk(&f, "mem:16M,serial=DISK-B");
	fixture_start(&f);
	c = mc_library(&f, NULL);
	ck_assert_int_eq(scsac_ring_new(c, entries, &ring), 0);
	ck_assert_int_eq(scsac_open(c, "disk@0,0", &handle, NULL), 0);
	ck_assert_int_eq(scsac_memory_new(c, 4 * MIB, (void **)&memory), 0);
}

static void
down(void)
{
	scsac_free(c);
	c = NULL;
	ring = NULL;
	fixture_stop(&f);
}

struct done {
	unsigned n;
	struct scsac_result result;	/* the last */
};

static void
take(struct scsac *client, const struct scsac_result *result, void *arg)
{
	struct done *done = arg;

	(void)client;
	done->n++;
	done->result = *result;
}

static int
submit(uint64_t h, size_t cdb_len, enum scsac_direction direction, void *data, size_t len,
    struct done *done)
{
	const struct scsac_cmd cmd = { .handle = h, .cdb = cdb, .cdb_len = cdb_len,
		.direction = direction, .data = data, .data_len = len };

	return scsac_ring_submit(ring, &cmd, take, done, NULL);
}

static void
wait_for(struct done *done, unsigned n)
{
	while (done->n < n)
		ck_assert_int_ge(mr_wait(ring, MC_WAIT_MS), 1);
	ck_assert_uint_eq(done->n, n);
}

static struct scsac_result
exec(uint64_t h, size_t cdb_len, enum scsac_direction direction, void *data, size_t len)
{
	struct done done = { 0 };

	ck_assert_int_eq(submit(h, cdb_len, direction, data, len, &done), 0);
	wait_for(&done, 1);
	return done.result;
}

static void
pattern(uint8_t *to, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)(i * 11 ^ i >> 9 ^ seed);
}

START_TEST(data_comes_back)
{
	static uint8_t plain[64 * BLOCK];
	struct scsac_result result;
	struct scsac_cmd cmd = { .cdb = cdb, .direction = SCSAC_IN, .data = plain,
		.data_len = sizeof(plain) };

	up(1, 8, 0);
	pattern(memory, sizeof(plain), 1);
	result = exec(handle, mc_cdb_write(cdb, 5, 64), SCSAC_OUT, memory, sizeof(plain));
	ck_assert_uint_eq(result.reason, SCSAC_CMPLT);
	ck_assert_uint_eq(result.status, 0);
	ck_assert_uint_eq(result.data_len, 0);
	result = exec(handle, mc_cdb_read(cdb, 5, 64), SCSAC_IN, memory + 300001, sizeof(plain));
	ck_assert_uint_eq(result.data_len, sizeof(plain));
	ck_assert_mem_eq(memory, memory + 300001, sizeof(plain));
	ck_assert_uint_gt(result.duration_ns, 0);
	/* the socket sees the same disk */
	cmd.handle = handle;
	cmd.cdb_len = mc_cdb_read(cdb, 5, 64);
	ck_assert_int_eq(scsac_exec(c, &cmd, &result), 0);
	ck_assert_mem_eq(memory, plain, sizeof(plain));
	down();
}
END_TEST

START_TEST(results_are_those_of_the_socket)
{
	static uint8_t plain[512];
	struct scsac_result via, direct;
	struct scsac_cmd cmd = { .cdb = cdb };

	up(1, 2, 0);
	cmd.handle = handle;
	/* parameter data, shorter than its room; a check condition; no data at all */
	for (unsigned i = 0; i < 4; i++) {
		bool is_in = i != 3;

		cmd.cdb_len = i == 0 ? cdb_inquiry(cdb, 36) : i == 1 ?
		    mc_cdb_read(cdb, 1u << 30, 1) : i == 2 ? cdb_inquiry(cdb, 200) : 6;
		if (i == 3)
			memset(cdb, 0, 6);
		cmd.direction = is_in ? SCSAC_IN : SCSAC_NONE;
		cmd.data = is_in ? plain : NULL;
		cmd.data_len = is_in ? sizeof(plain) : 0;
		memset(plain, 0x5a, sizeof(plain));
		memset(memory, 0x5a, sizeof(plain));
		ck_assert_int_eq(scsac_exec(c, &cmd, &direct), 0);
		via = exec(handle, cmd.cdb_len, cmd.direction, is_in ? memory : NULL,
		    cmd.data_len);
		ck_assert_int_eq(via.err, 0);
		ck_assert_uint_eq(via.status, direct.status);
		ck_assert_uint_eq(via.reason, direct.reason);
		ck_assert_uint_eq(via.state, direct.state);
		ck_assert_uint_eq(via.statistics, direct.statistics);
		ck_assert_uint_eq(via.resid, direct.resid);
		ck_assert_uint_eq(via.overflow, direct.overflow);
		ck_assert_uint_eq(via.data_len, direct.data_len);
		ck_assert_uint_eq(via.sense_len, direct.sense_len);
		ck_assert_mem_eq(via.sense, direct.sense, via.sense_len);
		ck_assert_mem_eq(memory, plain, sizeof(plain));
	}
	ck_assert_uint_gt(direct.state, 0);
	down();
}
END_TEST

/* many packets of two units, the second of which has another home when there is one */
static void
many(unsigned loops, uint32_t busy_poll_us)
{
	enum { ROUNDS = 200 };
	struct done done = { 0 };
	uint64_t handles[2];
	unsigned n = 0;

	up(loops, DEPTH, busy_poll_us);
	handles[0] = handle;
	ck_assert_int_eq(scsac_open(c, "disk@1,0", &handles[1], NULL), 0);
	pattern(memory, MIB, 7);
	for (unsigned round = 0; round < ROUNDS; round++) {
		bool is_out = round % 2 == 0;

		for (unsigned i = 0; i < DEPTH; i++, n++) {
			uint8_t *data = memory + i * 8 * BLOCK + (is_out ? 0 : 2 * MIB);
			uint32_t lba = (round / 2 * DEPTH + i) * 8 % 32768;

			if (!is_out)
				memset(data, 0, 8 * BLOCK);
			ck_assert_int_eq(submit(handles[i % 2], is_out ? mc_cdb_write(cdb, lba, 8) :
			    mc_cdb_read(cdb, lba, 8), is_out ? SCSAC_OUT : SCSAC_IN, data,
			    8 * BLOCK, &done), 0);
		}
		ck_assert_uint_eq(scsac_ring_in_flight(ring), DEPTH);
		ck_assert_int_eq(submit(handle, 6, SCSAC_NONE, NULL, 0, &done), -EBUSY);
		wait_for(&done, n);
		ck_assert_uint_eq(done.result.status, 0);
		if (!is_out)
			ck_assert_mem_eq(memory, memory + 2 * MIB, DEPTH * 8 * BLOCK);
	}
	ck_assert_uint_eq(scsac_ring_room(ring), DEPTH);
	down();
}

START_TEST(many_packets_keep_their_data)
{
	many(1, 0);
	many(1, 50);
	many(2, 0);
}
END_TEST

START_TEST(limits_of_calls_hold)
{
	struct scsac_ring *rings[PROTO_RINGS_MAX], *one;
	struct done done = { 0 };
	uint8_t plain[512];

	up(1, 3, 0);
	ck_assert_uint_eq(scsac_ring_room(ring), 4);	/* rounded up */
	ck_assert_int_eq(submit(handle, mc_cdb_read(cdb, 0, 1), SCSAC_IN, plain, 512, &done),
	    -EFAULT);
	ck_assert_int_eq(submit(handle, mc_cdb_read(cdb, 0, 1), SCSAC_IN, memory + 4 * MIB - 511,
	    512, &done), -EFAULT);
	ck_assert_int_eq(submit(handle, SCSAC_RING_CDB_MAX + 1, SCSAC_NONE, NULL, 0, &done),
	    -EINVAL);
	ck_assert_int_eq(submit(handle, 5, SCSAC_NONE, NULL, 0, &done), -EINVAL);
	ck_assert_int_eq(submit(handle, 6, SCSAC_NONE, NULL, 1, &done), -EINVAL);
	ck_assert_int_eq(submit(handle, 6, SCSAC_IN, memory, scsac_info(c)->data_max + 1, &done),
	    -EMSGSIZE);
	ck_assert_int_eq(scsac_ring_new(c, 1, &one), -EINVAL);
	ck_assert_int_eq(scsac_ring_new(c, SCSAC_RING_ENTRIES_MAX + 1, &one), -EINVAL);
	for (unsigned i = 1; i < PROTO_RINGS_MAX; i++)
		ck_assert_int_eq(scsac_ring_new(c, SCSAC_RING_ENTRIES_MAX, &rings[i]), 0);
	ck_assert_int_eq(scsac_ring_new(c, 2, &one), -EMSGSIZE);
	ck_assert_int_eq(scsac_ring_free(rings[1]), 0);
	ck_assert_int_eq(scsac_ring_new(c, 2, &one), 0);
	ck_assert_int_eq(scsac_ring_free(NULL), 0);
	ck_assert_uint_eq(done.n, 0);
	down();
}
END_TEST

/* refused like a packet of the socket: the call failed, the packet was not executed */
START_TEST(refusals_are_results)
{
	struct done done = { 0 };

	up(1, 4, 0);
	ck_assert_int_eq(submit(handle + 77, 6, SCSAC_NONE, NULL, 0, &done), 0);
	wait_for(&done, 1);
	ck_assert_int_eq(done.result.err, -ESTALE);
	ck_assert_str_ne(scsac_last_error(c)->text, "");
	/* the command writes, the packet reads */
	ck_assert_int_eq(submit(handle, mc_cdb_write(cdb, 0, 1), SCSAC_IN, memory, 512, &done), 0);
	wait_for(&done, 2);
	ck_assert_int_lt(done.result.err, 0);
	ck_assert_uint_eq(done.result.state, 0);
	down();
}
END_TEST

static void
again(struct scsac *client, const struct scsac_result *result, void *arg)
{
	unsigned *left = arg;
	struct scsac_ring *other;
	static const uint8_t tur[6];
	const struct scsac_cmd cmd = { .handle = handle, .cdb = tur, .cdb_len = 6 };

	ck_assert_int_eq(result->err, 0);
	ck_assert_int_eq(scsac_ring_reap(ring), -EDEADLK);
	ck_assert_int_eq(scsac_ring_wait(ring, 0), -EDEADLK);
	ck_assert_int_eq(scsac_ring_free(ring), -EDEADLK);
	ck_assert_int_eq(scsac_ring_new(client, 2, &other), -EDEADLK);
	if (--*left > 0)
		ck_assert_int_eq(scsac_ring_submit(ring, &cmd, again, left, NULL), 0);
}

START_TEST(callbacks_may_submit_but_not_wait)
{
	static const uint8_t tur[6];
	unsigned left = 5000;
	struct scsac_cmd cmd = { .cdb = tur, .cdb_len = 6 };

	up(1, 2, 0);
	cmd.handle = handle;
	ck_assert_int_eq(scsac_ring_submit(ring, &cmd, again, &left, NULL), 0);
	ck_assert_int_eq(scsac_ring_free(ring), -EBUSY);
	while (left > 0)
		ck_assert_int_ge(mr_wait(ring, MC_WAIT_MS), 0);
	ck_assert_int_eq(scsac_ring_free(ring), 0);
	down();
}
END_TEST

/* without a wait: polling the memory, then polling the descriptor */
START_TEST(reaping_needs_no_wait)
{
	struct rpc_stats before, after;
	struct done done = { 0 };
	struct pollfd p;

	up(1, 4, 0);
	rpc_server_stats(f.rpc, &before);
	memset(cdb, 0, 6);
	for (unsigned i = 0; i < 100; i++) {
		ck_assert_int_eq(submit(handle, 6, SCSAC_NONE, NULL, 0, &done), 0);
		while (done.n == i)
			ck_assert_int_ge(scsac_ring_reap(ring), 0);
	}
	p = (struct pollfd){ .fd = scsac_ring_fd(ring), .events = POLLIN };
	for (unsigned i = 100; i < 200; i++) {
		int r;

		ck_assert_int_eq(submit(handle, 6, SCSAC_NONE, NULL, 0, &done), 0);
		while (done.n == i) {
			r = scsac_ring_arm(ring);
			ck_assert_int_ge(r, 0);
			if (r == 0)
				ck_assert_int_eq(poll(&p, 1, MC_WAIT_MS), 1);
			ck_assert_int_ge(scsac_ring_wait(ring, 0), 0);
		}
	}
	ck_assert_int_eq(scsac_ring_wait(ring, 0), 0);
	ck_assert_int_eq(mr_wait(ring, 2), 0);
	rpc_server_stats(f.rpc, &after);
	ck_assert_uint_eq(after.requests - before.requests, 200);
	down();
}
END_TEST

/* a ring that always has something does not keep the socket waiting */
START_TEST(socket_gets_its_turn)
{
	struct done done = { 0 }, direct = { 0 };
	struct scsac_cmd cmd = { .cdb = cdb, .cdb_len = 6 };
	unsigned n = 0;

	up(1, 4, 0);
	memset(cdb, 0, 6);
	cmd.handle = handle;
	ck_assert_int_eq(scsac_submit(c, &cmd, take, &direct, NULL), 0);
	do {
		ck_assert_int_eq(submit(handle, 6, SCSAC_NONE, NULL, 0, &done), 0);
		while (scsac_ring_arm(ring) == 0)
			continue;
		ck_assert_int_eq(scsac_ring_wait(ring, 0), 1);
		ck_assert_uint_lt(++n, 100000);
	} while (direct.n == 0);
	ck_assert_uint_eq(direct.n, 1);
	ck_assert_uint_eq(done.n, n);
	down();
}
END_TEST

CHECK_MAIN("rings", data_comes_back, results_are_those_of_the_socket, many_packets_keep_their_data,
    limits_of_calls_hold, refusals_are_results, callbacks_may_submit_but_not_wait,
    reaping_needs_no_wait, socket_gets_its_turn)
