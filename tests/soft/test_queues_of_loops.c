/* files behind real queues: many packets at a time, aborts and resets, each ends once */
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/rng.h"
#include "check_main.h"
#include "ddi/sched.h"
#include "mock_flow.h"

#define DEPTH	32
#define ROUNDS	40

static char path[64], line[96];
static bool is_in_memory, can_direct;	/* the image, as its file system is */

static void
make_image(const char *options)
{
	struct statfs fs;
	int fd;

	fd = check_file(path, sizeof(path));
	ck_assert_int_eq(ftruncate(fd, 16 << 20), 0);
	ck_assert_int_eq(fstatfs(fd, &fs), 0);
	is_in_memory = fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC;
	close(fd);
	fd = open(path, O_RDWR | O_DIRECT);
	can_direct = fd >= 0;
	if (can_direct)
		close(fd);
	snprintf(line, sizeof(line), "%s%s", path, options);
}

static struct io ios[DEPTH];
static uint32_t blocks;		/* of one buffer */
static uint8_t bufs[DEPTH][8192];

/* start packet @i of a round: forced unit access writes wait for the disk */
static void
start(size_t i, struct rng *rng)
{
	uint8_t cdb[CDB_BUF_LEN];
	uint64_t lba = rng_below(rng, 2000) * blocks;
	bool is_read = rng_below(rng, 2) == 0;
	size_t len;

	if (rng_below(rng, 10) == 0)
		len = cdb_sync_cache(cdb, CDB_10, 0, 0, 0);
	else
		len = is_read ? cdb_read(cdb, CDB_10, lba, blocks, 0) :
		    cdb_write(cdb, CDB_10, lba, blocks, CDB_FUA);
	io_init(&ios[i], flow_sd(0, 0), cdb, len, bufs[i], sizeof(bufs[i]), is_read, IO_ARQ);
	sched_set_cpu_hint((unsigned int)rng_below(rng, 4));
	io_send(&ios[i]);
}

static void
mixed_load(void)
{
	struct scsi_address *ap = &flow_sd(0, 0)->sd_address;
	struct rng rng = rng_init(99);
	unsigned int good = 0, ended = 0;

	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < DEPTH; i++)
			start(i, &rng);
		if (round % 4 == 1)
			(void)scsi_abort(ap, ios[DEPTH / 2].pkt);
		if (round % 4 == 2)
			ck_assert_int_eq(scsi_abort(ap, NULL), 1);
		if (round % 4 == 3)
			ck_assert_int_eq(scsi_reset(ap, RESET_LUN), 1);
		for (size_t i = 0; i < DEPTH; i++) {
			io_wait(&ios[i]);
			good += ios[i].pkt->pkt_reason == CMD_CMPLT;
			ended += ios[i].pkt->pkt_reason == CMD_ABORTED ||
				 ios[i].pkt->pkt_reason == CMD_RESET;
			io_fini(&ios[i]);
		}
	}
	ck_assert_uint_eq(good + ended, DEPTH * ROUNDS);
	ck_assert_uint_gt(good, DEPTH * ROUNDS / 4);
}

static void
written_data_is_read(void)
{
	uint8_t cdb[CDB_BUF_LEN];
	struct soft_disk_info info;
	struct io io;

	for (size_t i = 0; i < DEPTH; i++) {
		memset(bufs[i], (int)i + 1, sizeof(bufs[i]));
		io_init(&ios[i], flow_sd(0, 0), cdb,
		    cdb_write(cdb, CDB_10, 16 * i, 16, CDB_FUA), bufs[i], sizeof(bufs[i]),
		    false, IO_ARQ);
		io_send(&ios[i]);
	}
	for (size_t i = 0; i < DEPTH; i++) {
		io_wait(&ios[i]);
		ck_assert(io_ended(&ios[i], CMD_CMPLT, 0));
		io_fini(&ios[i]);
	}
	for (size_t i = 0; i < DEPTH; i++) {
		ck_assert(
		    io_run(&io, flow_sd(0, 0), cdb, cdb_read(cdb, CDB_10, 16 * i, 16, CDB_FUA),
			bufs[0], sizeof(bufs[0]), true));
		ck_assert_int_eq(bufs[0][0], (int)i + 1);
		ck_assert_int_eq(bufs[0][8191], (int)i + 1);
		io_fini(&io);
	}
	ck_assert_int_eq(soft_disk_info_get(flow_hba, 0, &info), 0);
	ck_assert_uint_ge(info.queued, is_in_memory ? 0 : 2 * DEPTH);
}

static struct flow flow = { .disks = { line } };

static void
run(void (*scenario)(void), const char *options, unsigned int queues)
{
	make_image(options);
	if (strstr(options, "direct") != NULL && !can_direct) {
		unlink(path);
		return;
	}
	blocks = strstr(options, "4096") != NULL ? 2 : 16;
	flow.scenario = scenario;
	flow.queues = queues;
	flow_native(&flow);
	unlink(path);
}

START_TEST(c70_load_with_aborts_and_resets)
{
	run(mixed_load, "", 1);
	run(mixed_load, "", 3);
}
END_TEST

START_TEST(c70_load_past_the_page_cache)
{
	run(mixed_load, ",direct,block=4096", 2);
}
END_TEST

START_TEST(data_is_kept)
{
	run(written_data_is_read, "", 2);
	run(written_data_is_read, "", 2);
}
END_TEST

static void *
submit_many(void *arg)
{
	struct rng rng = rng_init((uintptr_t)arg);
	uint8_t cdb[CDB_BUF_LEN], buf[4096];
	struct io io;

	sched_set_cpu_hint((unsigned int)(uintptr_t)arg);
	for (int i = 0; i < 400; i++) {
		uint64_t lba = rng_below(&rng, 4000) * 8;
		bool is_read = rng_below(&rng, 2) == 0;
		size_t len = is_read ? cdb_read(cdb, CDB_10, lba, 8, 0) :
		    cdb_write(cdb, CDB_10, lba, 8, i % 8 == 0 ? CDB_FUA : 0);

		io_init(&io, flow_sd(0, 0), cdb, len, buf, sizeof(buf), is_read, IO_ARQ);
		io_send(&io);
		io_wait(&io);
		ck_assert(io.pkt->pkt_reason == CMD_CMPLT || io.pkt->pkt_reason == CMD_RESET);
		io_fini(&io);
	}
	return NULL;
}

static void
several_threads(void)
{
	pthread_t threads[4];

	for (uintptr_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, submit_many, (void *)i), 0);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(scsi_reset(&flow_sd(0, 0)->sd_address, RESET_LUN), 1);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}

START_TEST(c84_threads_and_resets)
{
	run(several_threads, "", 2);
}
END_TEST

static void
nothing(void)
{
}

START_TEST(adapter_comes_and_goes)
{
	for (int i = 0; i < 3; i++)
		run(nothing, "", 4);
}
END_TEST

CHECK_MAIN("queues of loops", c70_load_with_aborts_and_resets, c70_load_past_the_page_cache,
    data_is_kept, c84_threads_and_resets, adapter_comes_and_goes)
