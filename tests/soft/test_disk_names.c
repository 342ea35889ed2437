/* identifying information, timestamps, diagnostics, the echo buffer */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "check_main.h"
#include "mock_disk.h"

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN];

/* a 12-byte command with a service action and a length in bytes 6 to 9 */
static size_t
command(uint8_t opcode, uint8_t sa, uint8_t type, uint32_t len)
{
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = opcode;
	cdb[1] = sa;
	be32_put(cdb + 6, len);
	cdb[10] = (uint8_t)(type << 1);
	return 12;
}

static bool
set_name(uint8_t type, const char *text, size_t len)
{
	return bench_out(&b, cdb, command(0xa4, 6, type, (uint32_t)len), text, len);
}

static void
check_name(uint8_t type, const char *text, size_t len)
{
	ck_assert(bench_in(&b, cdb, command(0xa3, 5, type, 512), 512));
	ck_assert_uint_eq(b.cmd->moved, 4 + len);
	ck_assert_uint_eq(be16_get(b.data + 2), len);
	ck_assert_mem_eq(b.data + 4, text, len);
}

START_TEST(names_stay)
{
	static const uint8_t types[] = { 0, 0, 0, 8, 0, 0, 0, 64, 4, 0, 1, 0 };
	const char *dir = bench_dir();
	char text[300] = "";

	bench_open_at(&b, "mem:1M", dir);
	check_name(0, "", 0);
	ck_assert(bench_in(&b, cdb, command(0xa3, 5, 0x7f, 512), 512));
	ck_assert_uint_eq(b.cmd->moved, sizeof(types));
	ck_assert_mem_eq(b.data, types, sizeof(types));
	ck_assert(set_name(0, "left bay", 8));
	ck_assert(set_name(2, "payroll", 8));
	disk_reset(b.disk, ASC_DEVICE_RESET);
	ck_assert(!bench_none(&b, cdb, cdb_tur(cdb)));
	bench_close(&b);
	bench_open_at(&b, "mem:1M", dir);
	check_name(0, "left bay", 8);
	check_name(2, "payroll", 8);
	ck_assert(set_name(0, "", 0));
	check_name(0, "", 0);
	ck_assert(set_name(2, text, 256) && set_name(0, text, 64));
	ck_assert(!set_name(0, text, 65));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB_BYTE(6)));
	ck_assert(!set_name(2, text, 257));
	ck_assert(!set_name(2, "no end", 6));
	ck_assert(bench_sense(
	    &b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST_BYTE(5)));
	ck_assert(!set_name(1, "x", 1));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(10, 7)));
	ck_assert(!bench_in(&b, cdb, command(0xa3, 5, 1, 512), 512));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(10, 7)));
	ck_assert(!bench_out(&b, cdb, command(0xa4, 6, 0, 8), text, 4));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH, 0));
	bench_close(&b);
	bench_dir_remove();

	/* without a place to keep it there are no such commands */
	bench_open(&b, "mem:1M");
	ck_assert(!set_name(0, "x", 1));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(1, 4)));
	bench_close(&b);
}
END_TEST

static uint64_t
timestamp(uint8_t origin)
{
	ck_assert(bench_in(&b, cdb, command(0xa3, 0x0f, 0, 512), 512));
	ck_assert_uint_eq(b.cmd->moved, 12);
	ck_assert_uint_eq(be16_get(b.data), 10);
	ck_assert_uint_eq(b.data[2], origin);
	return (uint64_t)be16_get(b.data + 4) << 32 | be32_get(b.data + 6);
}

START_TEST(time_goes_on)
{
	uint8_t list[12] = { [4] = 0, 0, 0, 1, 0, 0 };
	uint64_t now = (uint64_t)time(NULL) * 1000, t;

	bench_open(&b, "mem:1M");
	t = timestamp(3);
	ck_assert_uint_ge(t + 1000, now);
	ck_assert_uint_le(t, now + 100000);
	ck_assert(bench_out(&b, cdb, command(0xa4, 0x0f, 0, 12), list, 12));
	t = timestamp(2);
	ck_assert_uint_ge(t, 65536);
	ck_assert_uint_le(t, 65536 + 100000);
	ck_assert(bench_none(&b, cdb, command(0xa4, 0x0f, 0, 0)));
	ck_assert(!bench_out(&b, cdb, command(0xa4, 0x0f, 0, 11), list, 11));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH, 0));
	bench_close(&b);
}
END_TEST

static bool
send_diagnostic(uint8_t flags, const void *list, uint16_t len)
{
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = 0x1d;
	cdb[1] = flags;
	be16_put(cdb + 3, len);
	return bench_out(&b, cdb, 6, list, len);
}

/* the first bytes of the newest two results */
static void
check_results(uint8_t newest, uint8_t second)
{
	ck_assert(bench_in(&b, cdb, cdb_log_sense(cdb, 0x10, 0, 512), 512));
	ck_assert_uint_eq(b.cmd->moved, 4 + 20 * 20);
	ck_assert_uint_eq(be16_get(b.data + 4), 1);
	ck_assert_uint_eq(b.data[8], newest);
	ck_assert_uint_eq(b.data[28], second);
}

START_TEST(self_tests_read_and_remember)
{
	static const uint8_t page[4] = { 0 }, other[4] = { 0x40 };
	char path[64];
	int fd = check_file(path, sizeof(path));

	ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
	bench_open(&b, path);
	ck_assert(send_diagnostic(0x04, NULL, 0));
	check_results(0, 0);
	ck_assert(send_diagnostic(0x20, NULL, 0));	/* background, short */
	ck_assert(send_diagnostic(0xc0, NULL, 0));	/* foreground, extended */
	check_results(0xc0, 0x20);
	ck_assert_uint_eq(be64_get(b.data + 12), UINT64_MAX);
	ck_assert(send_diagnostic(0x80, NULL, 0));
	check_results(0xc0, 0x20);
	/* a test that finds something: in the foreground it fails, in the background it is
	 * told */
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert(!send_diagnostic(0xa0, NULL, 0));
	ck_assert(bench_sense(&b, SENSE_HARDWARE_ERROR, ASC_SELF_TEST_FAILED, 0));
	ck_assert(send_diagnostic(0x40, NULL, 0));
	check_results(0x47, 0xa7);
	ck_assert_uint_eq(be64_get(b.data + 12), 0);
	ck_assert_uint_eq(b.data[20], SENSE_MEDIUM_ERROR);
	ck_assert_uint_eq(be16_get(b.data + 21), ASC_UNRECOVERED_READ_ERROR);

	ck_assert(!send_diagnostic(0x24, NULL, 0));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(1, 7)));
	ck_assert(!send_diagnostic(0x20, page, 4));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB_BYTE(3)));
	ck_assert(send_diagnostic(0x10, page, 4));
	ck_assert(!send_diagnostic(0x10, other, 4));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST(0, 7)));
	ck_assert(!send_diagnostic(0x10, page, 3));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH, 0));
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = 0x1c;
	cdb[1] = 1;
	cdb[4] = 64;
	ck_assert(bench_in(&b, cdb, 6, 64));
	ck_assert_uint_eq(b.cmd->moved, 5);
	ck_assert_mem_eq(b.data, ((uint8_t[5]){ 0, 0, 0, 1, 0 }), 5);
	cdb[2] = 0x40;
	ck_assert(!bench_in(&b, cdb, 6, 64));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(2, 7)));
	bench_close(&b);
	close(fd);
	unlink(path);
}
END_TEST

static size_t
buffer(uint8_t opcode, uint8_t mode, uint32_t len)
{
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = opcode;
	cdb[1] = mode;
	be24_put(cdb + 6, len);
	return 10;
}

START_TEST(the_echo_buffer_echoes)
{
	static uint8_t out[4097];

	bench_open(&b, "mem:1M");
	ck_assert(!bench_in(&b, cdb, buffer(0x3c, 0x0a, 64), 64));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_COMMAND_SEQUENCE, 0));
	ck_assert(bench_in(&b, cdb, buffer(0x3c, 0x0b, 64), 64));
	ck_assert_mem_eq(b.data, ((uint8_t[4]){ 0, 0, 0x10, 0 }), 4);
	ck_assert(bench_in(&b, cdb, buffer(0x3c, 0x03, 64), 64));
	ck_assert_mem_eq(b.data, ((uint8_t[4]){ 0 }), 4);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7);
	ck_assert(bench_out(&b, cdb, buffer(0x3b, 0x0a, 4096), out, 4096));
	ck_assert(bench_in(&b, cdb, buffer(0x3c, 0x0a, 8192), 8192));
	ck_assert_uint_eq(b.cmd->moved, 4096);
	ck_assert_mem_eq(b.data, out, 4096);
	ck_assert(!bench_out(&b, cdb, buffer(0x3b, 0x0a, 4097), out, 4097));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB_BYTE(6)));
	ck_assert(!bench_out(&b, cdb, buffer(0x3b, 0x05, 16), out, 16));	/* firmware */
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(1, 4)));
	ck_assert(!bench_in(&b, cdb, buffer(0x3c, 0x2a, 16), 16));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(1, 7)));
	bench_close(&b);
}
END_TEST

CHECK_MAIN("disk names", names_stay, time_goes_on, self_tests_read_and_remember,
    the_echo_buffer_echoes)
