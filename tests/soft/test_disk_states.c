/* unit attentions, sense that waits, media that leave, commands that wait for the file */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "check_main.h"
#include "hw/soft/aio.h"
#include "hw/soft/disk_impl.h"
#include "mock_disk.h"

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN], data[262144];

static bool
tur(void)
{
	return bench_none(&b, cdb, cdb_tur(cdb));
}

START_TEST(attentions_are_told_once_in_order)
{
	struct sense_data sense;

	bench_open(&b, "mem:1M");
	disk_attention(b.disk, ASC_CAPACITY_CHANGED);
	disk_attention(b.disk, ASC_MODE_PARAMETERS_CHANGED);
	disk_attention(b.disk, ASC_CAPACITY_CHANGED);
	ck_assert(bench_in(&b, cdb, cdb_inquiry(cdb, 36), 36));
	ck_assert(bench_in(&b, cdb, cdb_report_luns(cdb, 0, 64), 64));
	ck_assert(!tur() && bench_sense_is(&b, SENSE_UNIT_ATTENTION, ASC_CAPACITY_CHANGED));
	ck_assert(bench_in(&b, cdb, cdb_request_sense(cdb, false, 18), 18));
	ck_assert_int_eq(sense_parse(b.data, b.cmd->moved, &sense), 0);
	ck_assert_int_eq(sense.key, SENSE_UNIT_ATTENTION);
	ck_assert_uint_eq(sense.asc, ASC_MODE_PARAMETERS_CHANGED);
	ck_assert(tur());
	/* a reset makes the others meaningless */
	disk_attention(b.disk, ASC_CAPACITY_CHANGED);
	disk_attention(b.disk, ASC_BUS_RESET);
	ck_assert(!tur() && bench_sense_is(&b, SENSE_UNIT_ATTENTION, ASC_BUS_RESET));
	ck_assert(tur());
	/* unknown commands report them too */
	disk_attention(b.disk, ASC_CAPACITY_CHANGED);
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = 0xc0;
	ck_assert(!bench_none(&b, cdb, 6) &&
		  bench_sense_is(&b, SENSE_UNIT_ATTENTION, ASC_CAPACITY_CHANGED));
	for (uint16_t i = 0; i < 9; i++)
		disk_attention(b.disk, (uint16_t)(0x2a10 + i));
	for (int i = 0; i < 4; i++)
		ck_assert(!tur());
	ck_assert(tur());
	bench_close(&b);
}
END_TEST

START_TEST(held_sense_waits_for_request_sense)
{
	struct sense_data sense = sense_make(SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);

	bench_open(&b, "mem:1M");
	disk_hold_sense(b.disk, &sense);
	ck_assert(bench_in(&b, cdb, cdb_request_sense(cdb, false, 252), 252));
	ck_assert_uint_eq(b.data[2] & 0xf, SENSE_ILLEGAL_REQUEST);
	ck_assert_uint_eq(b.data[12], 0x21);
	ck_assert(bench_in(&b, cdb, cdb_request_sense(cdb, false, 252), 252));
	ck_assert_uint_eq(b.data[2] & 0xf, SENSE_NO_SENSE);
	disk_hold_sense(b.disk, &sense);
	ck_assert(tur());
	ck_assert(bench_in(&b, cdb, cdb_request_sense(cdb, false, 252), 252));
	ck_assert_uint_eq(b.data[2] & 0xf, SENSE_NO_SENSE);
	bench_close(&b);
}
END_TEST

START_TEST(medium_leaves_and_returns)
{
	bench_open(&b, "mem:1M,removable");
	ck_assert(bench_none(&b, cdb, cdb_start_stop(cdb, false, false, 0)));
	ck_assert(tur());
	ck_assert(bench_none(&b, cdb, cdb_start_stop(cdb, false, true, 0)));
	ck_assert(!tur() && bench_sense_is(&b, SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT));
	ck_assert(!bench_in(&b, cdb, cdb_read(cdb, CDB_10, 0, 1, 0), 512));
	ck_assert(bench_sense_is(&b, SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT));
	ck_assert(!bench_in(&b, cdb, cdb_readcap16(cdb, 32), 32));
	ck_assert(bench_in(&b, cdb, cdb_inquiry(cdb, 36), 36));
	ck_assert(bench_none(&b, cdb, cdb_start_stop(cdb, true, true, 0)));
	ck_assert(tur());
	(void)cdb_start_stop(cdb, false, true, 0);
	cdb[4] |= 0x04;			/* NO_FLUSH */
	ck_assert(bench_none(&b, cdb, 6));
	ck_assert(!tur());
	bench_close(&b);

	bench_open(&b, "mem:1M");
	ck_assert(!bench_none(&b, cdb, cdb_start_stop(cdb, false, true, 0)));
	ck_assert(bench_field_is(&b, true, 4, 1));
	ck_assert(bench_none(&b, cdb, cdb_start_stop(cdb, true, false, CDB_IMMED)));
	(void)cdb_start_stop(cdb, false, false, 0);
	cdb[4] = 0x30;			/* standby */
	ck_assert(bench_none(&b, cdb, 6));
	bench_close(&b);
}
END_TEST

START_TEST(commands_wait_for_the_queue)
{
	char path[64];
	int fd = check_file(path, sizeof(path));
	unsigned int waits;

	ck_assert_int_eq(ftruncate(fd, 1 << 22), 0);
	bench_open(&b, path);
	/* nothing waits for a file in memory */
	waits = b.disk->store->info.is_memory ? 0 : 1;
	ck_assert_int_eq(aio_open(-1, &b.aio), 0);
	memset(data, 0x66, sizeof(data));
	ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, 0, 512, CDB_FUA), data, 262144));
	ck_assert_uint_eq(atomic_load(&b.pended), waits);
	ck_assert(bench_none(&b, cdb, cdb_sync_cache(cdb, CDB_10, 0, 0, 0)));
	ck_assert_uint_eq(atomic_load(&b.pended), 2 * waits);
	/* several steps are one wait for the caller */
	ck_assert(bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 0, 2000, 0), data, 512));
	ck_assert(
	    bench_out(&b, cdb, cdb_verify(cdb, CDB_10, 0, 2000, CDB_BYTCHK_3), data, 512));
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 100, 8, CDB_FUA), 4096));
	ck_assert_mem_eq(b.data, data, 4096);
	ck_assert_uint_eq(atomic_load(&b.pended), atomic_load(&b.done));
	ck_assert_uint_eq(disk_stats(b.disk)->queued, atomic_load(&b.done));
	ck_assert_int_eq(ftruncate(fd, 4096), 0);
	ck_assert(!bench_in(&b, cdb, cdb_read(cdb, CDB_10, 100, 8, CDB_FUA), 4096));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE, 0));
	aio_close(b.aio);
	bench_close(&b);
	close(fd);
	unlink(path);
}
END_TEST

/* number of commands in a REPORT SUPPORTED OPERATION CODES answer */
static size_t
opcodes(bool want_timeouts)
{
	ck_assert(
	    bench_in(&b, cdb, cdb_report_opcodes(cdb, 0, 0, 0, want_timeouts, 4096), 4096));
	ck_assert_uint_eq(be32_get(b.data) + 4, b.cmd->moved);
	ck_assert_uint_eq((b.cmd->moved - 4) % (want_timeouts ? 20 : 8), 0);
	return (b.cmd->moved - 4) / (want_timeouts ? 20 : 8);
}

START_TEST(every_reported_command_works_and_no_other)
{
	static uint8_t all[4096];
	uint8_t usage[OP_CDB_MAX], one[OP_CDB_MAX];
	size_t n;

	bench_open(&b, "mem:1M");
	n = opcodes(false);
	memcpy(all, b.data, sizeof(all));
	ck_assert_uint_eq(opcodes(true), n);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *d = all + 4 + 8 * i;
		uint16_t sa = be16_get(d + 2);
		const struct op_info *op = op_find_sa(d[0], sa);

		ck_assert_ptr_nonnull(op);
		ck_assert_uint_eq(be16_get(d + 6), op->cdb_len);
		ck_assert(bench_in(&b, cdb,
		    cdb_report_opcodes(cdb, (d[5] & 1) ? 2 : 1, d[0], sa, i % 2, 255), 255));
		ck_assert_uint_eq(b.data[1] & 7, 3);
		ck_assert_uint_eq(b.data[1] >> 7, i % 2);
		ck_assert_uint_eq(op_usage(op, usage), be16_get(b.data + 2));
		ck_assert_mem_eq(b.data + 4, usage, op->cdb_len);
		/* the command itself is not an unknown one */
		memset(one, 0, sizeof(one));
		one[0] = d[0];
		if (op->sa_place == OP_SA_BYTE1)
			one[1] = (uint8_t)sa;
		(void)bench_none(&b, one, op->cdb_len);
		ck_assert(!bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE));
	}
	ck_assert(bench_in(&b, cdb, cdb_report_opcodes(cdb, 1, 0x07, 0, true, 255), 255));
	ck_assert_uint_eq(b.data[1], 1);
	ck_assert(bench_in(&b, cdb, cdb_report_opcodes(cdb, 3, 0x9e, 0x10, false, 255), 255));
	ck_assert_uint_eq(b.data[1] & 7, 3);
	ck_assert(!bench_in(&b, cdb, cdb_report_opcodes(cdb, 1, 0x9e, 0, false, 255), 255));
	ck_assert(bench_field_is(&b, true, 2, 2));
	ck_assert(!bench_in(&b, cdb, cdb_report_opcodes(cdb, 2, 0x28, 0, false, 255), 255));
	ck_assert(!bench_in(&b, cdb, cdb_report_opcodes(cdb, 4, 0x28, 0, false, 255), 255));
	bench_close(&b);

	/* without thin provisioning there is no UNMAP and no SANITIZE that erases blocks */
	bench_open(&b, "mem:1M,thin=0");
	ck_assert_uint_eq(opcodes(false), n - 2);
	bench_close(&b);
}
END_TEST

START_TEST(task_management_functions)
{
	bench_open(&b, "mem:1M");
	ck_assert(bench_in(&b, cdb, cdb_report_tmfs(cdb, 255), 255));
	ck_assert_uint_eq(b.cmd->moved, 4);
	ck_assert_uint_eq(b.data[0], 0xda);
	cdb[2] = 0x80;
	ck_assert(bench_in(&b, cdb, 12, 255));
	ck_assert_uint_eq(b.cmd->moved, 16);
	ck_assert_uint_eq(b.data[3], 12);
	ck_assert(!bench_in(&b, cdb, cdb_report_tmfs(cdb, 3), 255));
	ck_assert(bench_field_is(&b, true, 6, 7));
	bench_close(&b);
}
END_TEST

CHECK_MAIN("disk states", attentions_are_told_once_in_order, held_sense_waits_for_request_sense,
    medium_leaves_and_returns, commands_wait_for_the_queue,
    every_reported_command_works_and_no_other, task_management_functions)
