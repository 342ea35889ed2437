/* a disk says who it is: INQUIRY, VPD pages, capacity, LUNs */
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "mock_disk.h"
#include "scsi/inquiry.h"
#include "scsi/lun.h"
#include "scsi/vpd.h"

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN];

START_TEST(standard_inquiry)
{
	struct inq_std inq;

	bench_open(&b, "mem:1M,removable");
	ck_assert(bench_in(&b, cdb, cdb_inquiry(cdb, 255), 255));
	ck_assert_uint_eq(b.cmd->moved, INQ_STD_LEN);
	ck_assert(!b.cmd->is_overrun);
	ck_assert_int_eq(inq_parse_std(b.data, b.cmd->moved, &inq), 0);
	ck_assert_str_eq(inq.vendor, "TEST");
	ck_assert_str_eq(inq.product, "Bench disk");
	ck_assert_str_eq(inq.revision, "1.2");
	ck_assert_int_eq(inq.type, INQ_TYPE_DISK);
	ck_assert_int_eq(inq.version, INQ_VERSION_SPC4);
	ck_assert(inq.is_removable && inq.has_cmdque);

	/* allocation length cuts; a buffer shorter than that is an overrun */
	ck_assert(bench_in(&b, cdb, cdb_inquiry(cdb, 5), 255));
	ck_assert_uint_eq(b.cmd->moved, 5);
	ck_assert_uint_eq(b.data[5], 0xee);
	ck_assert(bench_in(&b, cdb, cdb_inquiry(cdb, 96), 36));
	ck_assert_uint_eq(b.cmd->moved, 36);
	ck_assert(b.cmd->is_overrun);
	ck_assert(bench_in(&b, cdb, cdb_inquiry(cdb, 0), 36));
	ck_assert_uint_eq(b.cmd->moved, 0);

	(void)cdb_inquiry(cdb, 96);
	cdb[2] = 0x80;
	ck_assert(!bench_in(&b, cdb, 6, 96));
	ck_assert(bench_field_is(&b, true, 2, 7));
	bench_close(&b);
}
END_TEST

START_TEST(every_listed_page_is_there)
{
	uint8_t pages[256];
	size_t n;

	bench_open(&b, "mem:1M,block=512,physical=4096");
	ck_assert(bench_in(&b, cdb, cdb_inquiry_vpd(cdb, 0, 255), 255));
	ck_assert_int_eq(vpd_parse_supported(b.data, b.cmd->moved, pages, &n), 0);
	ck_assert_uint_eq(n, 7);
	for (size_t i = 0; i < n; i++) {
		size_t len;

		ck_assert(i == 0 || pages[i] > pages[i - 1]);
		ck_assert(bench_in(&b, cdb, cdb_inquiry_vpd(cdb, pages[i], 1000), 1000));
		ck_assert_int_eq(vpd_check(b.data, b.cmd->moved, pages[i], &len), 0);
		ck_assert_uint_eq(len, b.cmd->moved);
	}
	ck_assert(!bench_in(&b, cdb, cdb_inquiry_vpd(cdb, 0x42, 255), 255));
	ck_assert(bench_field_is(&b, true, 2, 7));
	bench_close(&b);
}
END_TEST

START_TEST(pages_say_the_truth)
{
	struct vpd_limits limits;
	struct vpd_thin thin;
	struct vpd_character character;
	struct vpd_desig_walk walk;
	struct vpd_desig desig;
	char serial[64];
	unsigned int kinds = 0;

	bench_open(&b, "mem:1M");
	ck_assert(bench_in(&b, cdb, cdb_inquiry_vpd(cdb, VPD_SERIAL, 255), 255));
	ck_assert_int_eq(vpd_parse_serial(b.data, b.cmd->moved, serial, sizeof(serial)), 0);
	ck_assert_str_eq(serial, "B-1");
	ck_assert(bench_in(&b, cdb, cdb_inquiry_vpd(cdb, VPD_BLOCK_LIMITS, 255), 255));
	ck_assert_int_eq(vpd_parse_limits(b.data, b.cmd->moved, &limits), 0);
	ck_assert_uint_eq(limits.max_xfer, DISK_XFER_MAX / 512);
	ck_assert_uint_gt(limits.max_unmap, 0);
	ck_assert_uint_gt(limits.max_unmap_descr, 0);
	ck_assert(bench_in(&b, cdb, cdb_inquiry_vpd(cdb, VPD_THIN, 255), 255));
	ck_assert_int_eq(vpd_parse_thin(b.data, b.cmd->moved, &thin), 0);
	ck_assert(thin.lbpu && thin.lbpws && thin.lbpws10 && thin.lbprz == 1 &&
		  thin.provisioning == 2);
	ck_assert(bench_in(&b, cdb, cdb_inquiry_vpd(cdb, VPD_BLOCK_CHARACTER, 255), 255));
	ck_assert_int_eq(vpd_parse_character(b.data, b.cmd->moved, &character), 0);
	ck_assert_uint_eq(character.rotation_rate, 1);
	ck_assert(bench_in(&b, cdb, cdb_inquiry_vpd(cdb, VPD_IDENT, 255), 255));
	ck_assert_int_eq(vpd_desig_begin(b.data, b.cmd->moved, &walk), 0);
	while (vpd_desig_next(&walk, &desig) == 1)
		kinds |= 1u << desig.type;
	ck_assert_uint_eq(kinds, 1u << VPD_DESIG_T10 | 1u << VPD_DESIG_NAA);
	bench_close(&b);

	bench_open(&b, "mem:1M,thin=0");
	ck_assert(bench_in(&b, cdb, cdb_inquiry_vpd(cdb, VPD_THIN, 255), 255));
	ck_assert_int_eq(vpd_parse_thin(b.data, b.cmd->moved, &thin), 0);
	ck_assert(!thin.lbpu && !thin.lbpws && thin.provisioning == 0);
	bench_close(&b);
}
END_TEST

START_TEST(capacity)
{
	bench_open(&b, "null:8T,block=512,physical=4096");
	ck_assert(bench_in(&b, cdb, cdb_readcap10(cdb), 8));
	ck_assert_uint_eq(be32_get(b.data), UINT32_MAX);
	ck_assert_uint_eq(be32_get(b.data + 4), 512);
	ck_assert(bench_in(&b, cdb, cdb_readcap16(cdb, 32), 32));
	ck_assert_uint_eq(be64_get(b.data), (8ull << 40) / 512 - 1);
	ck_assert_uint_eq(be32_get(b.data + 8), 512);
	ck_assert_uint_eq(b.data[13], 3);
	ck_assert_uint_eq(b.data[14], 0xc0);
	ck_assert(bench_in(&b, cdb, cdb_readcap16(cdb, 12), 32));
	ck_assert_uint_eq(b.cmd->moved, 12);
	bench_close(&b);

	bench_open(&b, "mem:1M,thin=0");
	ck_assert(bench_in(&b, cdb, cdb_readcap10(cdb), 8));
	ck_assert_uint_eq(be32_get(b.data), 2047);
	ck_assert(bench_in(&b, cdb, cdb_readcap16(cdb, 32), 32));
	ck_assert_uint_eq(b.data[14], 0);
	bench_close(&b);
}
END_TEST

START_TEST(luns_of_the_target)
{
	uint64_t luns[8];
	size_t n, total;

	bench_open(&b, "mem:1M");
	ck_assert(bench_in(&b, cdb, cdb_report_luns(cdb, 0, 512), 512));
	ck_assert_int_eq(lunfmt_report_parse(b.data, b.cmd->moved, luns, 8, &n, &total), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(luns[1], 5);
	ck_assert(bench_in(&b, cdb, cdb_report_luns(cdb, 1, 512), 512));
	ck_assert_uint_eq(b.cmd->moved, 8);
	ck_assert(!bench_in(&b, cdb, cdb_report_luns(cdb, 0, 8), 512));
	ck_assert(bench_field_is(&b, true, 6, 7));
	ck_assert(!bench_in(&b, cdb, cdb_report_luns(cdb, 3, 512), 512));
	ck_assert(bench_field_is(&b, true, 2, 7));
	bench_close(&b);
}
END_TEST

static size_t
one_lun(void *arg, uint64_t *luns, size_t max)
{
	(void)arg;
	if (max > 0)
		luns[0] = 9;
	return 1;
}

/* run a CDB at a unit number nobody has */
static void
absent(struct disk_cmd *cmd, size_t len, uint8_t *buf, size_t buf_len)
{
	struct disk_place place = { .luns = one_lun };

	memset(cmd, 0, sizeof(*cmd));
	cmd->cdb = cdb;
	cmd->cdb_len = len;
	cmd->iov[0] = (struct iovec){ buf, buf_len };
	cmd->niov = 1;
	cmd->buf_bytes = buf_len;
	cmd->buf_dir = OP_DIR_IN;
	cmd->limit_bytes = UINT64_MAX;
	disk_absent_execute(&place, cmd);
}

START_TEST(absent_unit)
{
	static struct disk_cmd cmd;
	struct sense_data sense;
	uint8_t buf[256];

	absent(&cmd, cdb_inquiry(cdb, 96), buf, sizeof(buf));
	ck_assert_int_eq(cmd.status, SAM_STAT_GOOD);
	ck_assert_int_eq(buf[0], 0x7f);
	absent(&cmd, cdb_inquiry_vpd(cdb, 0, 96), buf, sizeof(buf));
	ck_assert_int_eq(cmd.status, SAM_STAT_CHECK_CONDITION);
	absent(&cmd, cdb_report_luns(cdb, 0, 256), buf, sizeof(buf));
	ck_assert_uint_eq(cmd.moved, 16);
	ck_assert_int_eq(buf[9], 9);
	absent(&cmd, cdb_request_sense(cdb, false, 252), buf, sizeof(buf));
	ck_assert_int_eq(cmd.status, SAM_STAT_GOOD);
	ck_assert_int_eq(sense_parse(buf, cmd.moved, &sense), 0);
	ck_assert_uint_eq(sense.asc, ASC_LUN_NOT_SUPPORTED);
	absent(&cmd, cdb_tur(cdb), buf, sizeof(buf));
	ck_assert_int_eq(cmd.status, SAM_STAT_CHECK_CONDITION);
	ck_assert_uint_eq(cmd.sense.asc, ASC_LUN_NOT_SUPPORTED);
}
END_TEST

CHECK_MAIN("disk identity", standard_inquiry, every_listed_page_is_there, pages_say_the_truth,
    capacity, luns_of_the_target, absent_unit)
