/* SANITIZE: patterns, progress, what is refused meanwhile, and what no reset, no abort and no
 * restart ends */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "check_main.h"
#include "ddi/sim.h"
#include "hw/soft/aio.h"
#include "mock_disk.h"

enum { OVERWRITE = 1, BLOCK_ERASE, CRYPTO_ERASE, EXIT_FAILURE_MODE = 0x1f, AUSE = 0x20,
	IMMED = 0x80 };

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN], list[5000], data[65536];

static bool
tur(void)
{
	return bench_none(&b, cdb, cdb_tur(cdb));
}

/* SANITIZE without a list */
static bool
sanitize(uint8_t how)
{
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = 0x48;
	cdb[1] = how;
	return bench_none(&b, cdb, 10);
}

/* @len bytes of list: header, and a pattern of @pattern_len that counts from @first */
static bool
overwrite(uint8_t how, uint8_t flags, uint16_t pattern_len, uint8_t first, size_t len)
{
	memset(list, 0, sizeof(list));
	list[0] = flags;
	be16_put(list + 2, pattern_len);
	for (size_t i = 0; i < pattern_len; i++)
		list[4 + i] = (uint8_t)(first + i);
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = 0x48;
	cdb[1] = how | OVERWRITE;
	be16_put(cdb + 7, (uint16_t)len);
	return bench_out(&b, cdb, 10, list, len);
}

static void
fill(uint8_t byte)
{
	memset(data, byte, sizeof(data));
	for (uint32_t lba = 0; lba < disk_blocks(b.disk); lba += 128)
		ck_assert(
		    bench_out(&b, cdb, cdb_write(cdb, CDB_10, lba, 128, 0), data, 65536));
}

/* every block of the disk begins with the pattern anew */
static void
check_pattern(uint16_t pattern_len, uint8_t first, uint8_t flip)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(first + i % 512 % pattern_len) ^ flip;
	for (uint32_t lba = 0; lba < disk_blocks(b.disk); lba += 128) {
		ck_assert(
		    bench_in(&b, cdb, cdb_read(cdb, CDB_10, lba, 128, 0), 65536));
		ck_assert_mem_eq(b.data, data, sizeof(data));
	}
}

START_TEST(patterns_fill_every_block)
{
	static const uint16_t lens[] = { 1, 4, 7, 256, 512 };

	bench_open(&b, "mem:1M");
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		fill('a');
		ck_assert(overwrite(0, 1, lens[i], (uint8_t)i, 4u + lens[i]));
		check_pattern(lens[i], (uint8_t)i, 0);
	}
	/* twice with INVERT ends with the complement, three times not */
	ck_assert(overwrite(IMMED, 0x80 | 2, 4, 9, 8));
	check_pattern(4, 9, 0xff);
	ck_assert(overwrite(IMMED, 0x80 | 3, 4, 9, 8));
	check_pattern(4, 9, 0);
	bench_close(&b);
}
END_TEST

START_TEST(erasing_leaves_zeros)
{
	bench_open(&b, "mem:1M");
	for (uint8_t how = BLOCK_ERASE; how <= CRYPTO_ERASE; how++) {
		fill('a');
		ck_assert(sanitize(how));
		check_pattern(1, 0, 0);
	}
	ck_assert(bench_in(&b, cdb, cdb_inquiry_vpd(cdb, 0xb1, 64), 64));
	ck_assert_uint_eq(b.data[7] & 0xf0, 0x50);	/* WABEREQ, WACEREQ: 01b */
	bench_close(&b);

	bench_open(&b, "mem:1M,thin=0");
	fill('a');
	ck_assert(!sanitize(BLOCK_ERASE));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(1, 4)));
	ck_assert(sanitize(CRYPTO_ERASE));
	check_pattern(1, 0, 0);
	bench_close(&b);
}
END_TEST

START_TEST(lists_that_cannot_be)
{
	static const struct { uint8_t flags; uint16_t pattern_len, len; uint32_t sks; } rows[] = {
		{ 1, 4, 0, SKS_CDB_BYTE(7) },
		{ 1, 4, 4, SKS_CDB_BYTE(7) },
		{ 1, 512, 517, SKS_CDB_BYTE(7) },
		{ 0, 512, 516, 0 },		/* no pass */
		{ 1, 0, 516, 0 },
		{ 1, 516, 516, 0 },
		{ 1, 5, 8, 0 },			/* more than there is */
	};

	bench_open(&b, "mem:1M");
	fill('a');
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert(!overwrite(0, rows[i].flags, rows[i].pattern_len, 1, rows[i].len));
		ck_assert_msg(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB,
		    rows[i].sks), "%zu", i);
	}
	ck_assert(!overwrite(0, 0x21, 4, 1, 8));		/* TEST */
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST(0, 6)));
	list[0] = 1;
	list[1] = 0x10;
	ck_assert(!bench_out(&b, cdb, 10, list, 8));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST(1, 4)));
	list[1] = 0;
	ck_assert(!bench_out(&b, cdb, 10, list, 6));		/* less than was said */
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH, 0));
	/* ZNR is of zoned disks; the other actions have no list */
	ck_assert(!sanitize(BLOCK_ERASE | 0x40));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(1, 6)));
	cdb[1] = EXIT_FAILURE_MODE;
	cdb[8] = 8;
	ck_assert(!bench_out(&b, cdb, 10, list, 8));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(8, 3)));
	ck_assert(!sanitize(4));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(1, 4)));
	check_pattern(1, 'a', 0);
	/* nothing has failed, so there is nothing to leave */
	ck_assert(sanitize(EXIT_FAILURE_MODE) && sanitize(EXIT_FAILURE_MODE | IMMED));
	bench_close(&b);
}
END_TEST

START_TEST(write_protected_disks_are_spared)
{
	bench_open(&b, "mem:1M,readonly");
	ck_assert(!overwrite(0, 1, 4, 1, 8));
	ck_assert(bench_sense(&b, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED, 0));
	ck_assert(!sanitize(BLOCK_ERASE));
	ck_assert(bench_sense(&b, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED, 0));
	ck_assert(sanitize(EXIT_FAILURE_MODE));
	bench_close(&b);
}
END_TEST

/* 02h 04h/1Bh with @progress, 65536ths */
static bool
in_progress(uint16_t progress)
{
	return bench_sense(
	    &b, SENSE_NOT_READY, ASC_SANITIZE_IN_PROGRESS, 0x800000u | progress);
}

static void
refused_meanwhile(uint16_t progress)
{
	struct sense_data sense;

	ck_assert(!tur() && in_progress(progress));
	ck_assert(!bench_none(&b, cdb, cdb_start_stop(cdb, true, false, 0)));
	ck_assert(in_progress(progress));
	ck_assert(!bench_in(&b, cdb, cdb_read(cdb, CDB_16, 0, 1, 0), 512));
	ck_assert(in_progress(progress));
	ck_assert(!sanitize(BLOCK_ERASE) && in_progress(progress));
	ck_assert(!sanitize(EXIT_FAILURE_MODE) && in_progress(progress));
	ck_assert(bench_in(&b, cdb, cdb_inquiry(cdb, 36), 36));
	ck_assert(bench_in(&b, cdb, cdb_report_luns(cdb, 0, 64), 64));
	ck_assert(bench_in(&b, cdb, cdb_mode_sense(cdb, CDB_6, 0, 0x3f, 0, false, 255), 255));
	ck_assert(bench_in(&b, cdb, cdb_request_sense(cdb, false, 18), 18));
	ck_assert_int_eq(sense_parse(b.data, b.cmd->moved, &sense), 0);
	ck_assert_uint_eq(sense.key, SENSE_NOT_READY);
	ck_assert_uint_eq(sense.asc, ASC_SANITIZE_IN_PROGRESS);
	ck_assert_int_eq(sense.sks, SENSE_SKS_PROGRESS);
	ck_assert_uint_eq(sense.sks_value, progress);
}

/* eight pieces, one a second; the first at once */
static void
progress_fn(void *arg)
{
	(void)arg;
	bench_open_at(&b, "mem:8M,sanitize_rate=1M", NULL);
	ck_assert(overwrite(IMMED, 1, 4, 3, 8));
	sim_settle();
	refused_meanwhile(8192);
	sim_advance_us(3000100);
	refused_meanwhile(4 * 8192);
	disk_reset(b.disk, ASC_DEVICE_RESET);
	ck_assert(!tur() && bench_sense(&b, SENSE_UNIT_ATTENTION, ASC_DEVICE_RESET, 0));
	refused_meanwhile(4 * 8192);
	sim_advance_us(5000000);
	ck_assert(tur());
	check_pattern(4, 3, 0);
	/* without IMMED it waits for the end */
	ck_assert(overwrite(0, 2, 4, 5, 8));
	ck_assert_uint_ge(sim_now_us(), 8000000 + 15000000);
	check_pattern(4, 5, 0);
	bench_close(&b);
}

START_TEST(progress_is_told_and_resets_change_nothing)
{
	for (uint64_t seed = 1; seed <= 5; seed++)
		sim_run(&(struct sim_opts){ .seed = seed, .yield_per_1024 = 64 }, progress_fn,
		    NULL);
}
END_TEST

static char image[40], line[128];

static void
image_make(void)
{
	int fd;

	fd = check_file(image, sizeof(image));
	ck_assert_int_eq(ftruncate(fd, 4 << 20), 0);
	close(fd);
	(void)snprintf(line, sizeof(line), "%s,sanitize_rate=1M", image);
}

static void
restart_fn(void *arg)
{
	const char *dir = bench_dir();
	char state[80], crashed[80];

	(void)arg;
	image_make();
	(void)snprintf(state, sizeof(state), "%s/disk-B-1", dir);
	(void)snprintf(crashed, sizeof(crashed), "%s/crashed", dir);
	bench_open_at(&b, line, dir);
	fill('a');
	ck_assert(overwrite(IMMED, 0x80 | 2, 4, 3, 8));
	bench_copy_file(state, crashed);		/* as it was when GOOD was answered */
	sim_advance_us(1500000);
	bench_close(&b);

	/* stopped in good order: it goes on where it was, two pieces of eight are done */
	bench_open_at(&b, line, dir);
	ck_assert(!tur() && b.cmd->sense.asc == ASC_SANITIZE_IN_PROGRESS);
	ck_assert_uint_ge(b.cmd->sense.sks_value, 2 * 8192);
	ck_assert_uint_le(b.cmd->sense.sks_value, 3 * 8192);
	sim_advance_us(6100000);
	ck_assert(tur());
	check_pattern(4, 3, 0xff);
	fill('a');
	bench_close(&b);
	bench_open_at(&b, line, dir);
	ck_assert(tur());
	bench_close(&b);

	/* killed: it begins again */
	ck_assert_int_eq(rename(crashed, state), 0);
	bench_open_at(&b, line, dir);
	ck_assert(!tur() && b.cmd->sense.asc == ASC_SANITIZE_IN_PROGRESS);
	sim_advance_us(8100000);
	ck_assert(tur());
	check_pattern(4, 3, 0xff);
	bench_close(&b);
	bench_dir_remove();
	unlink(image);
}

START_TEST(a_restart_does_not_end_it)
{
	sim_run(&(struct sim_opts){ .seed = 1 }, restart_fn, NULL);
}
END_TEST

static bool
has_failed(void)
{
	return bench_sense(&b, SENSE_MEDIUM_ERROR, ASC_SANITIZE_FAILED, 0);
}

/* one that was refused because its order could not be saved must not begin with the next start,
 * whatever of the order has reached the disk */
static void
refused_fn(void *arg)
{
	const char *dir = bench_dir();
	bool is_reached = true, is_refused;

	(void)arg;
	image_make();
	(void)snprintf(line, sizeof(line), "%s,sanitize_rate=0", image);
	for (int64_t n = 1; is_reached; n++) {
		bench_open_at(&b, line, dir);
		memset(data, 'a', 512);
		ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, 0, 1, 0), data, 512));
		fault_arm(n);
		is_refused = !overwrite(0, 1, 4, 3, 8) && !has_failed();
		is_reached = fault_disarm();
		bench_close(&b);
		bench_open_at(&b, line, dir);
		if (is_refused) {
			ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 0, 1, 0), 512));
			ck_assert_mem_eq(b.data, data, 512);
		}
		/* if only its end could not be saved, it goes on, or has failed */
		sim_settle();
		ck_assert(tur() || overwrite(0, 1, 4, 3, 8));
		bench_close(&b);
	}
	bench_dir_remove();
	unlink(image);
}

START_TEST(what_was_refused_does_not_begin_with_a_restart)
{
	sim_run(&(struct sim_opts){ .seed = 1 }, refused_fn, NULL);
}
END_TEST

static void
failure_fn(void *arg)
{
	const char *dir = bench_dir();

	(void)arg;
	image_make();
	(void)snprintf(line, sizeof(line), "%s,sanitize_rate=0", image);
	bench_open_at(&b, line, dir);
	ck_assert_int_eq(truncate(image, 1 << 20), 0);
	ck_assert(!overwrite(0, 1, 4, 3, 8) && has_failed());
	ck_assert(!tur() && has_failed());
	ck_assert(!bench_in(&b, cdb, cdb_read(cdb, CDB_10, 0, 1, 0), 512) && has_failed());
	ck_assert(bench_in(&b, cdb, cdb_inquiry(cdb, 36), 36));
	/* this failure has no exit but a sanitize that succeeds */
	ck_assert(!sanitize(EXIT_FAILURE_MODE));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(1, 4)));
	ck_assert_int_eq(truncate(image, 4 << 20), 0);
	bench_close(&b);
	bench_open_at(&b, line, dir);
	ck_assert(!tur() && has_failed());
	ck_assert(overwrite(0, 1, 4, 3, 8) && tur());
	check_pattern(4, 3, 0);

	ck_assert_int_eq(truncate(image, 1 << 20), 0);
	ck_assert(overwrite(IMMED | AUSE, 1, 4, 3, 8));
	sim_settle();
	ck_assert(!tur() && has_failed());
	ck_assert(sanitize(EXIT_FAILURE_MODE) && tur());
	bench_close(&b);
	ck_assert_int_eq(truncate(image, 4 << 20), 0);
	bench_open_at(&b, line, dir);
	ck_assert(tur());
	bench_close(&b);
	bench_dir_remove();
	unlink(image);
}

START_TEST(failures_stay_until_they_may_be_left)
{
	sim_run(&(struct sim_opts){ .seed = 1 }, failure_fn, NULL);
}
END_TEST

static atomic_uint ended;

static void
waiter_pend(struct disk_cmd *cmd)
{
	(void)cmd;
}

static void
waiter_done(struct disk_cmd *cmd)
{
	(void)cmd;
	atomic_fetch_add(&ended, 1);
}

/* the command that waits is aborted; what it has started is not */
START_TEST(an_abort_ends_the_waiting_only)
{
	static struct disk_cmd cmd;

	bench_open_at(&b, "mem:4M,sanitize_rate=1M", NULL);
	ck_assert_int_eq(aio_open(-1, &b.aio), 0);
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = 0x48;
	cdb[1] = OVERWRITE;
	cdb[8] = 8;
	memset(list, 1, 8);
	be16_put(list + 2, 4);
	list[1] = 0;
	cmd = (struct disk_cmd){
		.cdb = cdb, .cdb_len = 10, .buf_bytes = 8, .buf_dir = OP_DIR_OUT, .niov = 1,
		.aio = b.aio, .pend = waiter_pend, .done = waiter_done,
		.limit_bytes = UINT64_MAX, .iov[0] = { list, 8 },
	};
	ck_assert(!disk_execute(b.disk, &cmd));
	disk_cancel(&cmd);
	while (atomic_load(&ended) == 0)
		sched_yield();
	while (tur())		/* it may just be beginning */
		sched_yield();
	ck_assert(bench_sense_is(&b, SENSE_NOT_READY, ASC_SANITIZE_IN_PROGRESS));
	aio_close(b.aio);
	bench_close(&b);
	ck_assert_uint_eq(atomic_load(&ended), 1);
}
END_TEST

CHECK_MAIN("disk sanitize", patterns_fill_every_block, erasing_leaves_zeros,
    lists_that_cannot_be, write_protected_disks_are_spared,
    progress_is_told_and_resets_change_nothing, a_restart_does_not_end_it,
    what_was_refused_does_not_begin_with_a_restart,
    failures_stay_until_they_may_be_left, an_abort_ends_the_waiting_only)
