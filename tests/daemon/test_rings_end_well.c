/* aborts, resets, and ends of clients, rings and the daemon with packets in flight in a ring */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "check_main.h"
#include "client/scsac_ring.h"
#include "mock_ring.h"
#include "scsi/cdb.h"

#define N	8u

static struct fixture f;
static struct mc admin;
static struct scsac *c;
static struct scsac_ring *ring;
static uint64_t handle;
static const uint8_t tur[6];

static void
up(unsigned loops)
{
	fixture_init(&f);
	f.conf.loops = loops;
	fixture_disk(&f, "mem:16M,serial=DISK-A");
	fixture_disk(&f, "mem:16M,serial=DISK-B");
	fixture_start(&f);
	mc_connect(&f, &admin);
	c = mc_library(&f, NULL);
	ck_assert_int_eq(scsac_open(c, "disk@0,0", &handle, NULL), 0);
	/* of another loop, if there is one */
	ck_assert_int_eq(scsac_open(c, "disk@1,0", &handle, NULL), 0);
	ck_assert_int_eq(scsac_ring_new(c, N, &ring), 0);
}

static void
down(void)
{
	scsac_free(c);
	mc_close(&admin);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}

struct done {
	unsigned n, unknown, aborted, reset, refused;
	struct scsac_result last;
};

static void
count(struct scsac *client, const struct scsac_result *result, void *arg)
{
	struct done *done = arg;

	(void)client;
	done->n++;
	done->unknown += result->is_unknown;
	done->aborted += result->reason == SCSAC_ABORTED;
	done->reset += result->reason == SCSAC_RESET;
	done->refused += result->err < 0;
	done->last = *result;
}

/* TEST UNIT READY, @n times */
static uint32_t
submit(unsigned n, struct done *done)
{
	const struct scsac_cmd cmd = { .handle = handle, .cdb = tur, .cdb_len = 6 };
	uint32_t tag = 0;

	for (unsigned i = 0; i < n; i++)
		ck_assert_int_eq(scsac_ring_submit(ring, &cmd, count, done, &tag), 0);
	return tag;
}

static void
wait_for(const struct done *done, unsigned n)
{
	while (done->n < n)
		ck_assert_int_ge(mr_wait(ring, MC_WAIT_MS), 0);
	ck_assert_uint_eq(done->n, n);
}

static void
one_of_many_is_aborted(unsigned loops)
{
	struct done done = { 0 };
	struct scsac_aborted aborted;
	uint32_t tag;

	up(loops);
	(void)mc_fault(&admin, "action=drop");
	(void)submit(N - 1, &done);
	tag = submit(1, &done);
	/* not even taken: the question overtakes it, and finds it all the same */
	ck_assert_int_eq(scsac_ring_cancel(ring, tag), 0);
	wait_for(&done, 1);
	ck_assert_uint_eq(done.aborted, 1);
	ck_assert_int_eq(scsac_ring_cancel(ring, tag), -ENOENT);
	ck_assert_int_eq(scsac_ring_cancel(ring, 0xffff), -ENOENT);
	/* all of the handle; they are finished when the call is answered */
	ck_assert_int_eq(scsac_abort(c, handle, &aborted), 0);
	ck_assert_uint_eq(aborted.aborted, N - 1);
	ck_assert_int_eq(scsac_ring_reap(ring), N - 1);
	ck_assert_uint_eq(done.aborted, N);
	down();
}

START_TEST(packets_can_be_aborted)
{
	one_of_many_is_aborted(1);
	one_of_many_is_aborted(2);
}
END_TEST

START_TEST(abort_of_nothing_is_refused)
{
	Scsad__AbortRequest req = SCSAD__ABORT_REQUEST__INIT;
	struct mr r;

	up(1);
	mr_new(&r, &admin, 2);
	req.has_ring = req.has_tag = 1;
	for (unsigned i = 0; i < 3; i++) {
		req.ring = i == 0 ? r.id + 1 : r.id;
		req.tag = i == 1 ? 2 : 0;	/* a slot that there is not; one that is empty */
		ck_assert_int_eq(mc_error(&admin, mc_send(&admin, METHOD_ABORT, &req.base, NULL,
		    0)), SCSAD__ERROR_CODE__ERR_NO_SUCH_REQUEST);
	}
	mr_unmap(&r);
	down();
}
END_TEST

START_TEST(reset_returns_packets)
{
	struct done done = { 0 };
	bool is_done;
	unsigned returned;

	up(2);
	(void)mc_fault(&admin, "action=drop");
	(void)submit(N, &done);
	ck_assert_int_eq(scsac_reset(c, handle, NULL, SCSAC_LEVEL_LUN, &is_done, &returned), 0);
	ck_assert(is_done);
	ck_assert_uint_eq(returned, N);
	ck_assert_int_eq(scsac_ring_reap(ring), N);
	ck_assert_uint_eq(done.reset, N);
	down();
}
END_TEST

/* once one more request has come than these: ends all packets */
static void *
aborter(void *arg)
{
	const struct rpc_stats *before = arg;
	struct rpc_stats now;

	do {
		(void)sched_yield();
		rpc_server_stats(f.rpc, &now);
	} while (now.requests == before->requests);
	ck_assert_uint_eq(mc_abort_all(&admin, "disk@1,0"), N);
	return NULL;
}

START_TEST(closed_handle_returns_packets)
{
	struct done done = { 0 };
	struct rpc_stats before;
	pthread_t thread;

	up(2);
	(void)mc_fault(&admin, "action=drop");
	(void)submit(N, &done);
	scsac_ring_flush(ring);
	fixture_wait(&f, 2, N);
	rpc_server_stats(f.rpc, &before);
	ck_assert_int_eq(pthread_create(&thread, NULL, aborter, &before), 0);
	ck_assert_int_eq(scsac_close(c, handle), 0);
	(void)pthread_join(thread, NULL);
	wait_for(&done, N);
	ck_assert_uint_eq(done.aborted, N);
	(void)submit(1, &done);
	wait_for(&done, N + 1);
	ck_assert_int_eq(done.last.err, -ESTALE);
	down();
}
END_TEST

/* nobody has woken the daemon for them: the question does, and their results are there before its
 * answer */
START_TEST(close_includes_packets_that_were_not_taken)
{
	for (unsigned loops = 1; loops <= 2; loops++) {
		struct done done = { 0 };

		up(loops);
		(void)mc_fault(&admin, "action=delay,ms=50");
		(void)submit(N, &done);
		ck_assert_int_eq(scsac_close(c, handle), 0);
		ck_assert_int_eq(scsac_ring_reap(ring), N);
		ck_assert_uint_eq(done.n, N);
		ck_assert_uint_eq(done.refused, 0);
		down();
	}
}
END_TEST

/* with one initiator's reservation, the other's packets come back without being executed */
START_TEST(reservations_hold_in_rings)
{
	static const uint8_t reserve[6] = { 0x16 };
	struct scsac_result result;
	struct done done = { 0 };
	struct scsac *holder;
	struct scsac_cmd cmd = { .cdb = reserve, .cdb_len = 6 };

	up(2);
	holder = mc_library(&f, "holder");
	ck_assert_int_eq(scsac_open(holder, "disk@1,0", &cmd.handle, NULL), 0);
	ck_assert_int_eq(scsac_exec(holder, &cmd, &result), 0);
	ck_assert_uint_eq(result.status, 0);
	(void)submit(1, &done);
	wait_for(&done, 1);
	ck_assert_uint_eq(done.last.status, 0x18);
	/* who opens it through the ring's connection is one nexus with it */
	scsac_free(holder);
	fixture_wait(&f, 2, 0);
	cmd.handle = handle;
	do {
		ck_assert_int_eq(scsac_exec(c, &cmd, &result), 0);
	} while (result.status != 0);
	(void)submit(1, &done);
	wait_for(&done, 2);
	ck_assert_uint_eq(done.last.status, 0);
	down();
}
END_TEST

/* the client's end of the socket goes: callbacks once each, the daemon is rid of all of it */
START_TEST(lost_connection_completes_packets)
{
	struct done done = { 0 };
	struct scsac_ring *again;

	up(2);
	(void)mc_fault(&admin, "action=drop");
	(void)submit(N, &done);
	scsac_ring_flush(ring);
	fixture_wait(&f, 2, N);
	scsac_disconnect(c);
	ck_assert_uint_eq(done.n, N);
	ck_assert_uint_eq(done.unknown, N);
	ck_assert_uint_eq(done.last.reason, SCSAC_TRAN_ERR);
	ck_assert_int_eq(scsac_ring_reap(ring), -ENOTCONN);
	ck_assert_int_eq(scsac_ring_wait(ring, -1), -ENOTCONN);
	ck_assert_int_eq(scsac_ring_arm(ring), -ENOTCONN);
	ck_assert_int_eq(scsac_ring_cancel(ring, 0), -ENOTCONN);
	ck_assert_int_eq(scsac_ring_new(c, 2, &again), -ENOTCONN);
	ck_assert_uint_eq(scsac_ring_room(ring), 0);
	scsac_ring_flush(ring);
	ck_assert_int_eq(scsac_ring_free(ring), 0);
	(void)mc_abort_all(&admin, "disk@1,0");
	fixture_wait(&f, 1, 0);
	mc_check_alive(&admin);
	down();
}
END_TEST

/* what had arrived before is told as it was */
START_TEST(results_that_arrived_are_told)
{
	struct done done = { 0 };

	up(1);
	(void)submit(N, &done);
	scsac_ring_flush(ring);
	fixture_wait(&f, 2, 0);
	mc_check_alive(&admin);
	while (scsac_ring_arm(ring) == 0)
		mc_check_alive(&admin);
	scsac_disconnect(c);
	ck_assert_uint_eq(done.n, N);
	ck_assert_uint_lt(done.unknown, N);
	down();
}
END_TEST

static void *
stopper(void *arg)
{
	fixture_stop(arg);
	return NULL;
}

START_TEST(stop_of_the_daemon_completes_packets)
{
	struct done done = { 0 };
	pthread_t thread;

	up(2);
	mc_close(&admin);
	mc_connect(&f, &admin);
	(void)mc_fault(&admin, "action=drop");
	(void)submit(N, &done);
	scsac_ring_flush(ring);
	fixture_wait(&f, 2, N);
	ck_assert_int_eq(pthread_create(&thread, NULL, stopper, &f), 0);
	while (done.n < N && mr_wait(ring, MC_WAIT_MS) >= 0)
		continue;
	ck_assert_uint_eq(done.n, N);
	ck_assert_uint_eq(done.aborted + done.unknown, N);
	(void)pthread_join(thread, NULL);
	scsac_free(c);
	mc_close(&admin);
}
END_TEST

START_TEST(draining_daemon_takes_nothing)
{
	struct done done = { 0 };

	up(1);
	ck_assert_uint_eq(rpc_server_drain(f.rpc, 0), 0);
	(void)submit(1, &done);
	wait_for(&done, 1);
	ck_assert_uint_eq(done.refused, 1);
	down();
}
END_TEST

/* the connection moves to the loop of its unit with a ring that has packets waiting */
START_TEST(ring_moves_with_its_connection)
{
	struct done done = { 0 };

	for (unsigned i = 0; i < 2; i++) {
		fixture_init(&f);
		f.conf.loops = 2;
		fixture_disk(&f, "mem:1M");
		fixture_disk(&f, "mem:1M");
		fixture_start(&f);
		mc_connect(&f, &admin);
		c = mc_library(&f, NULL);
		ck_assert_int_eq(scsac_ring_new(c, N, &ring), 0);
		handle = 0;
		(void)submit(3, &done);
		ck_assert_int_eq(scsac_open(c, i == 0 ? "disk@0,0" : "disk@1,0", &handle, NULL),
		    0);
		(void)submit(1, &done);
		wait_for(&done, 4 * (i + 1));
		ck_assert_uint_eq(done.refused, 3 * (i + 1));
		ck_assert_int_eq(done.last.err, 0);
		down();
	}
}
END_TEST

/* every allocation of a ring's life fails once, here and in the daemon */
START_TEST(no_memory_is_survived)
{
	bool was_hit = true;

	up(1);
	scsac_free(c);
	for (int64_t n = 1; was_hit; n++) {
		struct done done = { 0 };
		int r;

		ck_assert_int_lt(n, 500);
		fixture_wait(&f, 1, 0);
		c = mc_library(&f, NULL);
		ck_assert_int_eq(scsac_open(c, "disk@0,0", &handle, NULL), 0);
		fault_arm(n);
		r = scsac_ring_new(c, N, &ring);
		if (r == 0) {
			(void)submit(1, &done);
			while (done.n == 0 && mr_wait(ring, MC_WAIT_MS) >= 0)
				continue;
			ck_assert_uint_eq(done.n, 1);
			(void)scsac_ring_free(ring);
		}
		was_hit = fault_disarm();
		ck_assert_msg(r == 0 || r == -ENOMEM || r == -EMSGSIZE || r == -ENOTCONN, "%d: %d",
		    (int)n, r);
		scsac_free(c);
	}
	c = NULL;
	down();
}
END_TEST

CHECK_MAIN("ends of rings", packets_can_be_aborted, abort_of_nothing_is_refused,
    reset_returns_packets, closed_handle_returns_packets, close_includes_packets_that_were_not_taken,
    reservations_hold_in_rings,
    lost_connection_completes_packets, results_that_arrived_are_told,
    stop_of_the_daemon_completes_packets, draining_daemon_takes_nothing,
    ring_moves_with_its_connection, no_memory_is_survived)
