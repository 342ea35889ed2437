/* a flush of one client fails: another one's writes may be lost, and it is told */
#include <string.h>

#include "check_main.h"
#include "mock_client.h"
#include "scsi/cdb.h"
#include "scsi/sense.h"
#include "scsi/status.h"

static struct fixture f;
static struct mc writer, flusher;
static uint64_t writer_unit, flusher_unit;
static uint8_t cdb[CDB_BUF_LEN], block[512];

static uint32_t
send_none(struct mc *c, uint64_t unit, uint8_t op, size_t len)
{
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = op;
	return mc_submit(c, unit, cdb, len, SCSAD__DIRECTION__DIR_NONE, NULL, 0);
}

static void
expect_check(struct mc *c, uint32_t id, bool is_deferred)
{
	const Scsad__Completion *done = mc_completion(c, id);
	struct sense_data sense;

	ck_assert_uint_eq(done->scsi_status, SAM_STAT_CHECK_CONDITION);
	ck_assert_int_eq(sense_parse(done->sense.data, done->sense.len, &sense), 0);
	ck_assert_uint_eq(sense.key, SENSE_MEDIUM_ERROR);
	ck_assert_uint_eq(sense.asc, ASC_WRITE_ERROR);
	ck_assert_int_eq(sense.is_deferred, is_deferred);
}

static void
expect_good(struct mc *c, uint32_t id)
{
	ck_assert_uint_eq(mc_completion(c, id)->scsi_status, SAM_STAT_GOOD);
}

START_TEST(the_other_hears_of_it)
{
	fixture_init(&f);
	fixture_disk(&f, "mem:16M,serial=AAA");
	fixture_start(&f);
	mc_connect(&f, &writer);
	mc_connect(&f, &flusher);
	writer_unit = mc_open(&writer, "AAA");
	flusher_unit = mc_open(&flusher, "AAA");
	expect_good(&writer, mc_submit(&writer, writer_unit, cdb, mc_cdb_write(cdb, 100, 1),
	    SCSAD__DIRECTION__DIR_OUT, block, sizeof(block)));
	(void)mc_fault(&flusher, "action=check,sense=3/0c/00,op=0x35,count=1");
	expect_check(&flusher, send_none(&flusher, flusher_unit, 0x35, 10), false);
	expect_check(&writer, send_none(&writer, writer_unit, 0x00, 6), true);
	expect_good(&writer, send_none(&writer, writer_unit, 0x00, 6));
	expect_good(&flusher, send_none(&flusher, flusher_unit, 0x35, 10));
	mc_close(&writer);
	mc_close(&flusher);
	fixture_stop(&f);
}
END_TEST

CHECK_MAIN("lost writes of others", the_other_hears_of_it)
