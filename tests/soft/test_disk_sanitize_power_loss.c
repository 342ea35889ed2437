/*
 * A sanitize and a loss of power: what the order says is done, no old block comes back to.
 * The medium here is a second file that follows the image with each flush, and only then.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "check_main.h"
#include "ddi/sim.h"
#include "hw/soft/store.h"
#include "mock_disk.h"

#define BYTES	(4u << 20)
#define PIECES	4		/* of the job, one a second */

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN], block[512];
static const char *dir;
static char image[48], medium[56], state[80], saved[80], line[128];
static const struct store_ops *real_ops;
static struct store_ops volatile_ops;
static int n_flushed, flush_answer;

static int
volatile_try(struct store *store, struct store_req *req)
{
	if (req->op != STORE_FLUSH)
		return real_ops->try_req(store, req);
	n_flushed++;
	if (flush_answer == 0)
		bench_copy_file(image, medium);
	return flush_answer;
}

static size_t
no_luns(void *arg UNUSED, uint64_t *luns UNUSED, size_t max UNUSED)
{
	return 0;
}

static void
power_on(void)
{
	struct disk_place place = { .luns = no_luns };
	char err[SOFT_ERR_LEN];
	struct store *store;

	memset(&b, 0, sizeof(b));
	ck_assert_int_eq(disk_host_open(dir, &b.host, err), 0);
	ck_assert_msg(soft_conf_parse(line, &b.conf, err) == 0, "%s", err);
	ck_assert_msg(store_open(&b.conf, &store, err) == 0, "%s", err);
	real_ops = store->ops;
	volatile_ops = *store->ops;
	volatile_ops.try_req = volatile_try;
	store->ops = &volatile_ops;
	place.host = b.host;
	ck_assert_int_eq(disk_new(&b.conf, store, &place, &b.disk), 0);
	b.cmd = calloc(1, sizeof(*b.cmd));
	ck_assert(!bench_none(&b, cdb, cdb_tur(cdb)));
}

/* what is in no cache is what is left */
static void
power_off(void)
{
	bench_copy_file(state, saved);
	bench_close(&b);
	bench_copy_file(medium, image);
	bench_copy_file(saved, state);
}

static bool
overwrite(uint8_t passes)
{
	const uint8_t list[5] = { passes, 0, 0, 1, 's' };

	memset(cdb, 0, sizeof(cdb));
	cdb[0] = 0x48;
	cdb[1] = 0x81;		/* IMMED, OVERWRITE */
	cdb[8] = sizeof(list);
	return bench_out(&b, cdb, 10, list, sizeof(list));
}

static void
begin(void)
{
	int fd;

	dir = bench_dir();
	fd = check_file(image, sizeof(image));
	ck_assert_int_eq(ftruncate(fd, BYTES), 0);
	close(fd);
	(void)snprintf(medium, sizeof(medium), "%s.medium", image);
	(void)snprintf(state, sizeof(state), "%s/disk-B-1", dir);
	(void)snprintf(saved, sizeof(saved), "%s/saved", dir);
	(void)snprintf(line, sizeof(line),
	    "%s,sanitize_rate=1M,vendor=x,product=x,serial=B-1", image);
	n_flushed = flush_answer = 0;
	power_on();
	memset(block, 'a', sizeof(block));
	/* one assertion for each of them would take longer than all the rest */
	for (uint32_t lba = 0; lba < BYTES / 512; lba++)
		if (!bench_out(&b, cdb, cdb_write(cdb, CDB_10, lba, 1, 0), block, 512))
			ck_abort_msg("block %u is not written", lba);
	ck_assert(bench_none(&b, cdb, cdb_sync_cache(cdb, CDB_10, 0, 0, 0)));
	n_flushed = 0;
}

static void
end(void)
{
	bench_close(&b);
	(void)unlink(saved);
	bench_dir_remove();
	(void)unlink(image);
	(void)unlink(medium);
}

/* after @ms of it the power goes, and comes back */
static void
loss_scenario(uint64_t ms)
{
	begin();
	ck_assert(overwrite(1));
	sim_advance_us(ms * 1000);
	power_off();
	power_on();
	sim_advance_us((PIECES + 1) * 1000000ull);
	ck_assert(bench_none(&b, cdb, cdb_tur(cdb)));
	for (uint32_t lba = 0; lba < BYTES / 512; lba++)
		if (!bench_in(&b, cdb, cdb_read(cdb, CDB_10, lba, 1, 0), 512) ||
		    b.data[0] != 's' || b.data[511] != 's')
			ck_abort_msg("block %u", lba);
	end();
}

static void
loss_fn(void *arg UNUSED)
{
	for (uint64_t ms = 100; ms < PIECES * 1000; ms += 1000)
		loss_scenario(ms);
}

START_TEST(no_old_block_comes_back)
{
	sim_run(&(struct sim_opts){ .seed = 1 }, loss_fn, NULL);
}
END_TEST

/* three passes that the cache holds together would be one */
static void
passes_fn(void *arg UNUSED)
{
	begin();
	ck_assert(overwrite(3));
	sim_advance_us((PIECES * 3 + 1) * 1000000ull);
	ck_assert(bench_none(&b, cdb, cdb_tur(cdb)));
	ck_assert_int_ge(n_flushed, 3);
	end();
}

START_TEST(each_pass_reaches_the_medium)
{
	sim_run(&(struct sim_opts){ .seed = 1 }, passes_fn, NULL);
}
END_TEST

/* the store tells once that something is lost: then the job has failed, whatever comes later */
static void
failure_fn(void *arg UNUSED)
{
	begin();
	ck_assert(overwrite(1));
	flush_answer = -EIO;
	sim_advance_us(2100000);
	flush_answer = 0;
	sim_advance_us((PIECES + 1) * 1000000ull);
	ck_assert(!bench_none(&b, cdb, cdb_tur(cdb)));
	ck_assert(bench_sense_is(&b, SENSE_MEDIUM_ERROR, ASC_SANITIZE_FAILED));
	end();
}

START_TEST(a_flush_that_fails_is_not_forgotten)
{
	sim_run(&(struct sim_opts){ .seed = 1 }, failure_fn, NULL);
}
END_TEST

CHECK_MAIN("sanitize and power", no_old_block_comes_back, each_pass_reaches_the_medium,
    a_flush_that_fails_is_not_forgotten)
