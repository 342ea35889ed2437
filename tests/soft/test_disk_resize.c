/* disks that grow and shrink, thresholds that are crossed, exceptions that were asked for */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "check_main.h"
#include "ddi/sim.h"
#include "hw/soft/disk_impl.h"
#include "hw/soft/store.h"
#include "mock_disk.h"

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN], data[4096];
static char image[40];

static int
image_make(void)
{
	int fd;

	fd = check_file(image, sizeof(image));
	ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
	return fd;
}

static void
image_remove(int fd)
{
	close(fd);
	unlink(image);
}

/* the capacity has changed: told once, and both commands know */
static void
check_capacity(uint64_t blocks)
{
	ck_assert(!bench_none(&b, cdb, cdb_tur(cdb)));
	ck_assert(bench_sense(&b, SENSE_UNIT_ATTENTION, ASC_CAPACITY_CHANGED, 0));
	ck_assert(bench_none(&b, cdb, cdb_tur(cdb)));
	ck_assert(bench_in(&b, cdb, cdb_readcap10(cdb), 8));
	ck_assert_uint_eq(be32_get(b.data), blocks - 1);
	ck_assert(bench_in(&b, cdb, cdb_readcap16(cdb, 32), 32));
	ck_assert_uint_eq(be64_get(b.data), blocks - 1);
	ck_assert(
	    bench_out(&b, cdb, cdb_write(cdb, CDB_10, (uint32_t)blocks - 1, 1, 0), data, 512));
	ck_assert(
	    bench_in(&b, cdb, cdb_read(cdb, CDB_10, (uint32_t)blocks - 1, 1, 0), 512));
	ck_assert_mem_eq(b.data, data, 512);
	ck_assert(!bench_in(&b, cdb, cdb_read(cdb, CDB_10, (uint32_t)blocks, 1, 0), 512));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE, 0));
}

START_TEST(memory_and_nothing_grow)
{
	static const char *const lines[] = { "mem:1M", "mem:1M,pi=1" };

	memset(data, 0x5a, sizeof(data));
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		bench_open(&b, lines[i]);
		ck_assert_int_eq(disk_resize(b.disk, 3 << 20), 0);
		check_capacity(3 * 2048);
		ck_assert_int_eq(disk_resize(b.disk, 3 << 20), 0);
		ck_assert(bench_none(&b, cdb, cdb_tur(cdb)));
		ck_assert_int_eq(disk_resize(b.disk, 1 << 20), -ENOTSUP);
		ck_assert_int_eq(disk_resize(b.disk, 1ull << 50), -ENOMEM);
		ck_assert_int_eq(disk_resize(b.disk, 1000), -EINVAL);
		ck_assert_uint_eq(disk_blocks(b.disk), 3 * 2048);
		bench_close(&b);
	}
	bench_open(&b, "null:1G");
	ck_assert_int_eq(disk_resize(b.disk, 1ull << 40), 0);
	ck_assert_uint_eq(disk_blocks(b.disk), 1ull << 31);
	bench_close(&b);
	bench_open(&b, "mem:1M,readonly");
	ck_assert_int_eq(disk_resize(b.disk, 2 << 20), -EROFS);
	bench_close(&b);
}
END_TEST

START_TEST(files_grow_and_shrink)
{
	char line[80];
	int fd = image_make();

	memset(data, 0x5a, sizeof(data));
	bench_open(&b, image);
	ck_assert_int_eq(disk_resize(b.disk, 2 << 20), 0);
	check_capacity(2 * 2048);
	ck_assert_int_eq(disk_resize(b.disk, 1 << 20), 0);
	check_capacity(2048);
	/* somebody else does it; what is no whole block does not count */
	ck_assert_int_eq(ftruncate(fd, (3 << 20) + 100), 0);
	ck_assert_int_eq(disk_resize(b.disk, 0), 0);
	check_capacity(3 * 2048);
	bench_close(&b);

	/* a size that was asked for stays, as long as the file holds it */
	(void)snprintf(line, sizeof(line), "%s,size=1M", image);
	bench_open(&b, line);
	ck_assert_int_eq(disk_resize(b.disk, 0), 0);
	ck_assert(bench_none(&b, cdb, cdb_tur(cdb)));
	ck_assert_int_eq(ftruncate(fd, 1 << 19), 0);
	ck_assert_int_eq(disk_resize(b.disk, 0), 0);
	check_capacity(1024);
	ck_assert_int_eq(disk_resize(b.disk, 2 << 20), 0);
	check_capacity(2 * 2048);
	bench_close(&b);
	image_remove(fd);
}
END_TEST

/* somebody else makes the file of a disk with protection information longer: new blocks come with
 * a place for theirs, or not at all */
START_TEST(files_with_protection_grow)
{
	char line[80], tuples[60];
	int fd = image_make();

	memset(data, 0x5a, sizeof(data));
	(void)snprintf(line, sizeof(line), "%s,pi=1", image);
	(void)snprintf(tuples, sizeof(tuples), "%s.pi", image);
	bench_open(&b, line);
	ck_assert_int_eq(ftruncate(fd, 3 << 20), 0);
	ck_assert_int_eq(disk_resize(b.disk, 0), 0);
	check_capacity(3 * 2048);
	ck_assert_int_eq(disk_resize(b.disk, 4 << 20), 0);
	check_capacity(4 * 2048);
	/* blocks that went and came back are as if never written */
	ck_assert_int_eq(disk_resize(b.disk, 1 << 20), 0);
	ck_assert_int_eq(disk_resize(b.disk, 4 << 20), 0);
	(void)bench_none(&b, cdb, cdb_tur(cdb));
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 4 * 2048 - 1, 1, 0), 512));
	ck_assert_uint_eq(b.data[0], 0);
	bench_close(&b);

	/* without a place: as large as it was */
	(void)snprintf(line, sizeof(line), "%s,pi=1,readonly", image);
	bench_open(&b, line);
	ck_assert_int_eq(ftruncate(fd, 5 << 20), 0);
	ck_assert_int_eq(disk_resize(b.disk, 0), 0);
	ck_assert_uint_eq(disk_blocks(b.disk), 4 * 2048);
	bench_close(&b);
	ck_assert_int_eq(unlink(tuples), 0);
	image_remove(fd);
}
END_TEST

static void
periodic_fn(void *arg)
{
	int fd = image_make();

	(void)arg;
	bench_open_at(&b, image, NULL);
	ck_assert_int_eq(ftruncate(fd, 2 << 20), 0);
	ck_assert(bench_none(&b, cdb, cdb_tur(cdb)));
	sim_advance_us(1100000);
	check_capacity(2 * 2048);
	sim_advance_us(3000000);
	ck_assert(bench_none(&b, cdb, cdb_tur(cdb)));
	bench_close(&b);
	image_remove(fd);
}

START_TEST(a_file_that_grew_is_found_out)
{
	sim_run(&(struct sim_opts){ .seed = 1 }, periodic_fn, NULL);
}
END_TEST

static atomic_bool is_over;
static atomic_uint n_resizes;

/* up and down under the feet of the others */
static void *
resizer(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; !atomic_load(&is_over); i++) {
		ck_assert_int_eq(disk_resize(b.disk, i % 2 == 0 ? 1 << 19 : 1 << 20), 0);
		(void)atomic_fetch_add(&n_resizes, 1);
	}
	return NULL;
}

START_TEST(commands_at_work_are_out_of_range_at_worst)
{
	unsigned int good = 0, refused = 0;
	int fd = image_make();
	pthread_t thread;

	bench_open(&b, image);
	ck_assert_int_eq(pthread_create(&thread, NULL, resizer, NULL), 0);
	/* both have had their turns, whoever came first */
	while (atomic_load(&n_resizes) < 2000 || good + refused == 0) {
		bool is_in = bench_in(&b, cdb, cdb_read(cdb, CDB_10, 1500, 8, 0), 4096);

		if (is_in)
			good++;
		else if (bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE))
			refused++;
		else if (!bench_sense_is(&b, SENSE_UNIT_ATTENTION, ASC_CAPACITY_CHANGED))
			/* it was long enough again when it was looked at */
			ck_assert(bench_sense_is(
			    &b, SENSE_MEDIUM_ERROR, ASC_UNRECOVERED_READ_ERROR));
	}
	atomic_store(&is_over, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	bench_close(&b);
	image_remove(fd);
}
END_TEST

/* MODE SELECT(10) of a page that was read */
static bool
select_page(uint8_t code, uint8_t subcode, void (*change)(uint8_t *page))
{
	uint8_t list[64] = { 0 };
	size_t len;

	ck_assert(bench_in(
	    &b, cdb, cdb_mode_sense(cdb, CDB_10, 0, code, subcode, true, 255), 255));
	len = b.cmd->moved - 8;
	memcpy(list + 8, b.data + 8, len);
	list[8] &= 0x7f;
	change(list + 8);
	return bench_out(
	    &b, cdb, cdb_mode_select(cdb, CDB_10, false, (uint16_t)(8 + len)), list, 8 + len);
}

static void
used_two(uint8_t *page)
{
	page[24] |= 0x80;
	be32_put(page + 28, 2);
}

static void
write_sets(uint32_t from, uint32_t to)
{
	for (uint32_t lba = from * 2048; lba < to * 2048; lba += 8)
		ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, lba, 8, 0), data, 4096));
}

static void
threshold_fn(void *arg)
{
	(void)arg;
	bench_open_at(&b, "mem:16M", NULL);
	ck_assert(select_page(0x1c, 2, used_two));
	write_sets(0, 1);
	sim_advance_us(2100000);
	ck_assert(bench_none(&b, cdb, cdb_tur(cdb)));
	write_sets(1, 3);
	sim_advance_us(1100000);
	ck_assert(!bench_none(&b, cdb, cdb_tur(cdb)));
	ck_assert(bench_sense(&b, SENSE_UNIT_ATTENTION, ASC_THIN_THRESHOLD, 0));
	/* once, until it has been below again */
	sim_advance_us(3100000);
	ck_assert(bench_none(&b, cdb, cdb_tur(cdb)));
	memset(data, 0, sizeof(data));
	ck_assert(bench_out(
	    &b, cdb, cdb_write_same(cdb, CDB_10, 0, 4096, CDB_UNMAP), data, 512));
	sim_advance_us(1100000);
	write_sets(0, 3);
	sim_advance_us(1100000);
	ck_assert(!bench_none(&b, cdb, cdb_tur(cdb)));
	ck_assert(bench_sense(&b, SENSE_UNIT_ATTENTION, ASC_THIN_THRESHOLD, 0));
	bench_close(&b);
}

START_TEST(a_crossed_threshold_is_told_once)
{
	sim_run(&(struct sim_opts){ .seed = 1 }, threshold_fn, NULL);
}
END_TEST

static void
test_by_attention(uint8_t *page)
{
	page[2] = 0x04;			/* TEST, not DEXCPT */
	page[3] = 2;
	be32_put(page + 4, 20);		/* every two seconds, three times */
	be32_put(page + 8, 3);
}

static void
test_when_asked(uint8_t *page)
{
	page[2] = 0x04;
	page[3] = 6;
}

static void
exception_fn(void *arg)
{
	unsigned int told = 0;

	(void)arg;
	bench_open_at(&b, "mem:1M", NULL);
	ck_assert(select_page(0x1c, 0, test_by_attention));
	for (int i = 0; i < 20; i++) {
		sim_advance_us(500000);
		if (!bench_none(&b, cdb, cdb_tur(cdb))) {
			ck_assert(bench_sense(
			    &b, SENSE_UNIT_ATTENTION, ASC_FAILURE_PREDICTED_TEST, 0));
			told++;
		}
	}
	ck_assert_uint_eq(told, 3);
	ck_assert(select_page(0x1c, 0, test_when_asked));
	sim_advance_us(3000000);
	ck_assert(bench_none(&b, cdb, cdb_tur(cdb)));
	ck_assert(bench_in(&b, cdb, cdb_request_sense(cdb, false, 18), 18));
	ck_assert_uint_eq(b.data[2], SENSE_NO_SENSE);
	ck_assert_uint_eq(be16_get(b.data + 12), ASC_FAILURE_PREDICTED_TEST);
	ck_assert(bench_in(&b, cdb, cdb_log_sense(cdb, 0x2f, 0, 64), 64));
	ck_assert_uint_eq(be16_get(b.data + 8), ASC_FAILURE_PREDICTED_TEST);
	ck_assert_uint_eq(b.data[10], 0xff);
	bench_close(&b);
}

START_TEST(exceptions_are_reported_as_asked)
{
	sim_run(&(struct sim_opts){ .seed = 1 }, exception_fn, NULL);
}
END_TEST

/* ------ two that find out at one time that it has grown ------ */

#define PATIENCE	100000	/* turns of others */

static const struct store_ops *real_ops;
static struct store_ops stalling_ops;
static atomic_bool is_stalled, is_written;

/* the first who clears the tuples of new blocks is slow: until the other is through, or cannot
 * get through */
static int
stalling_try(struct store *store, struct store_req *req)
{
	if (req->op == STORE_UNMAP && !atomic_exchange(&is_stalled, true)) {
		for (int i = 0; i < PATIENCE && !atomic_load(&is_written); i++)
			(void)sched_yield();
	}
	return real_ops->try_req(store, req);
}

static void *
grow(void *arg UNUSED)
{
	ck_assert_int_eq(disk_resize(b.disk, 2 << 20), 0);
	return NULL;
}

START_TEST(protection_of_new_blocks_stays)
{
	static const uint8_t none[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	pthread_t thread;

	bench_open(&b, "mem:1M,pi=1");
	real_ops = b.disk->pi_store->ops;
	stalling_ops = *real_ops;
	stalling_ops.try_req = stalling_try;
	b.disk->pi_store->ops = &stalling_ops;
	ck_assert_int_eq(pthread_create(&thread, NULL, grow, NULL), 0);
	while (!atomic_load(&is_stalled))
		(void)sched_yield();
	disk_look(b.disk);
	ck_assert_uint_eq(disk_blocks(b.disk), 4096);
	while (!bench_out(&b, cdb, cdb_write(cdb, CDB_10, 3000, 1, 0), data, 512))
		ck_assert(bench_sense_is(&b, SENSE_UNIT_ATTENTION, ASC_CAPACITY_CHANGED));
	atomic_store(&is_written, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	b.disk->pi_store->ops = real_ops;
	(void)bench_none(&b, cdb, cdb_tur(cdb));
	(void)cdb_read(cdb, CDB_10, 3000, 1, 0);
	cdb[1] |= 0x20;		/* RDPROTECT */
	ck_assert(bench_in(&b, cdb, 10, 520));
	ck_assert_mem_ne(b.data + 512, none, sizeof(none));
	bench_close(&b);
}
END_TEST

CHECK_MAIN("disk resize", memory_and_nothing_grow, files_grow_and_shrink,
    files_with_protection_grow,
    a_file_that_grew_is_found_out, commands_at_work_are_out_of_range_at_worst,
    a_crossed_threshold_is_told_once, exceptions_are_reported_as_asked,
    protection_of_new_blocks_stays)
