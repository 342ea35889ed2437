/*
 * What the system says about a file's data is passed on to all whom it concerns: an error of
 * writing back, which it tells once, and an end where there was none.
 *
 * The calls of the store come by here first.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check_main.h"
#include "mock_disk.h"

static struct bench b, b2;
static uint8_t cdb[CDB_BUF_LEN], data[4096];
static char image[40];
static bool is_read_empty, is_clearing_invalid;
static int stable_write_error;		/* of writes with FUA; 0: none */
static int sync_errors, sync_errno = EIO;	/* this many fail so */
static int n_syncs;
static void (*in_sync)(void);		/* what happens meanwhile, once */

int
fdatasync(int fd)
{
	void (*meanwhile)(void) = in_sync;

	in_sync = NULL;
	n_syncs++;
	if (meanwhile != NULL) {
		meanwhile();
		return 0;
	}
	if (sync_errors > 0) {
		sync_errors--;
		errno = sync_errno;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

int
fallocate(int fd, int mode, off_t offset, off_t len)
{
	if (is_clearing_invalid) {
		errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_fallocate, fd, mode, offset, len);
}

static int n_file_syncs, n_folder_syncs;

int
fsync(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	if (S_ISDIR(st.st_mode))
		n_folder_syncs++;
	else
		n_file_syncs += st.st_size == 1 << 20;
	return (int)syscall(SYS_fsync, fd);
}

ssize_t
pwritev2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
	if (stable_write_error != 0 && (flags & RWF_DSYNC) != 0) {
		errno = stable_write_error;
		return -1;
	}
	return syscall(SYS_pwritev2, fd, iov, n, offset, 0, flags);
}

ssize_t
preadv2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
	return is_read_empty ? 0 : syscall(SYS_preadv2, fd, iov, n, offset, 0, flags);
}

static void
begin(void)
{
	int fd;

	fd = check_file(image, sizeof(image));
	ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
	close(fd);
	bench_open(&b, image);
	memset(data, 0x5a, sizeof(data));
}

static void
end(void)
{
	bench_close(&b);
	unlink(image);
}

static bool
flush_of(struct bench *one)
{
	static const uint8_t sync[10] = { 0x35 };

	return bench_none(one, sync, sizeof(sync));
}

static bool
is_write_error(const struct bench *one)
{
	return bench_sense_is(one, SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR);
}

static bool
write_block(uint8_t flags)
{
	return bench_out(&b, cdb, cdb_write(cdb, CDB_10, 3, 1, flags), data, 512);
}

/* the store does not write the way that is looked at here, in memory */
static bool
is_in_cache_by(int error)
{
	bool has_failed;

	stable_write_error = error;
	has_failed = !write_block(CDB_FUA);
	stable_write_error = 0;
	return has_failed;
}

static bool
is_in_cache(void)
{
	return is_in_cache_by(EIO);
}

/* no space may have been found out late, for data of others */
START_TEST(a_flush_hears_what_a_write_was_told)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT };

	begin();
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		ck_assert(write_block(0));
		ck_assert(flush_of(&b));
		if (!is_in_cache_by(errors[i]))
			continue;
		ck_assert(!flush_of(&b) && is_write_error(&b));
		ck_assert(flush_of(&b));
	}
	end();
}
END_TEST

static void
flush_badly(void)
{
	sync_errors = 1;
	ck_assert(!flush_of(&b2) && is_write_error(&b2));
}

START_TEST(flushes_at_one_time_hear_the_same)
{
	begin();
	if (is_in_cache()) {
		ck_assert(!flush_of(&b));
		b2 = b;
		b2.cmd = calloc(1, sizeof(*b2.cmd));
		in_sync = flush_badly;
		ck_assert(!flush_of(&b) && is_write_error(&b));
		ck_assert(flush_of(&b));
		free(b2.cmd);
	}
	end();
}
END_TEST

/* whatever the system calls it, it is told as an error of writing */
START_TEST(a_flush_fails_by_writing)
{
	begin();
	if (is_in_cache()) {
		(void)flush_of(&b);
		sync_errno = EREMOTEIO;
		sync_errors = 1;
		ck_assert(!flush_of(&b));
		ck_assert(bench_sense_is(&b, SENSE_HARDWARE_ERROR, ASC_WRITE_ERROR));
		ck_assert(flush_of(&b));
	}
	end();
}
END_TEST

/* no more write-back: what was written before is stable, also when other values of the same list
 * are rounded */
START_TEST(write_through_begins_with_a_flush)
{
	uint8_t list[8 + 20 + 12] = { [8] = 0x08, 0x12, 0x00 };
	uint8_t *exceptions = list + 8 + 20;

	begin();
	if (is_in_cache()) {
		(void)flush_of(&b);
		ck_assert(write_block(0));
		exceptions[0] = 0x1c;
		exceptions[1] = 0x0a;
		exceptions[2] = 0x08;
		exceptions[7] = 5;
		n_syncs = 0;
		ck_assert(!bench_out(&b, cdb, cdb_mode_select(cdb, CDB_10, false, sizeof(list)),
		    list, sizeof(list)));
		ck_assert(bench_sense_is(&b, SENSE_RECOVERED_ERROR, ASC_ROUNDED_PARAMETER));
		ck_assert_int_eq(n_syncs, 1);
	}
	end();
}
END_TEST

/* a block device with longer blocks clears no part of one: zeros are written */
START_TEST(what_cannot_be_cleared_is_written)
{
	static const uint8_t list[24] = { 0, 22, 0, 16, [15] = 3, [19] = 1 };
	static const uint8_t zeros[512];

	begin();
	ck_assert(write_block(0));
	is_clearing_invalid = true;
	ck_assert(bench_out(&b, cdb, cdb_unmap(cdb, sizeof(list), 0), list, sizeof(list)));
	is_clearing_invalid = false;
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 3, 1, 0), 512));
	ck_assert_mem_eq(b.data, zeros, sizeof(zeros));
	end();
}
END_TEST

/* a new image has a length and a name that last */
START_TEST(a_new_file_is_found_again)
{
	char line[64];

	(void)snprintf(image, sizeof(image), "%s/new", check_dir());
	(void)snprintf(line, sizeof(line), "%s,size=1M", image);
	n_file_syncs = n_folder_syncs = 0;
	bench_open(&b, line);
	ck_assert_int_eq(n_file_syncs, 1);
	ck_assert_int_eq(n_folder_syncs, 1);
	end();
}
END_TEST

/* a block device that has gone ends at once */
START_TEST(an_early_end_is_no_data)
{
	begin();
	ck_assert(write_block(0));
	is_read_empty = true;
	ck_assert(!bench_in(&b, cdb, cdb_read(cdb, CDB_10, 3, 1, 0), 512));
	ck_assert(bench_sense_is(&b, SENSE_MEDIUM_ERROR, ASC_UNRECOVERED_READ_ERROR));
	is_read_empty = false;
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 3, 1, 0), 512));
	ck_assert_mem_eq(b.data, data, 512);
	end();
}
END_TEST

CHECK_MAIN("file errors", a_flush_hears_what_a_write_was_told,
    flushes_at_one_time_hear_the_same, a_flush_fails_by_writing,
    write_through_begins_with_a_flush, what_cannot_be_cleared_is_written,
    a_new_file_is_found_again, an_early_end_is_no_data)
