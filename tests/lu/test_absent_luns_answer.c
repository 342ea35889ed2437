/* LUNs without a unit: INQUIRY, REPORT LUNS, REQUEST SENSE are answered, the rest refused */
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "lu/lu_impl.h"
#include "lu/port.h"
#include "lu/view.h"
#include "scsi/cdb.h"
#include "scsi/inquiry.h"
#include "scsi/lun.h"
#include "scsi/vpd.h"

#define WLUN	LUNFMT_REPORT_LUNS_WLUN

static struct lu unit;
static struct lu_view *view;
static struct lu_task task;
static uint8_t data[512];

static const struct lu_port port = {
	.rtpi = 3, .group = 9, .protocol = LU_PROTOCOL_ISCSI,
	.name = "iqn.t,t,0x0003", .device_name = "iqn.t",
};

/* a view of LUN 5 alone */
static void
begin(void)
{
	struct lu_view_entry entry = { &unit, 5, 0, 1 };

	atomic_store(&unit.refs, 1);
	ck_assert_int_eq(lu_view_new(&entry, 1, &view, NULL), 0);
}

/* @task.cdb is set; the command takes @len bytes of @data_len */
static void
answer(uint64_t lun, size_t cdb_len, uint32_t data_len)
{
	memset(data, 0xa5, sizeof(data));
	task.cdb_len = (uint16_t)cdb_len;
	task.dir = data_len > 0 ? LU_DIR_IN : LU_DIR_NONE;
	task.data = data;
	task.data_len = data_len;
	lu_view_answer_absent(view, lun, &port, &task);
	ck_assert_uint_eq(task.reason, CMD_CMPLT);
	ck_assert(task.state & STATE_GOT_STATUS);
	ck_assert_uint_le(task.moved, data_len);
	ck_assert_uint_eq(data[data_len], 0xa5);
	if (task.moved < data_len)
		ck_assert_uint_eq(task.resid, data_len - task.moved);
}

static void
is_good(uint32_t moved)
{
	ck_assert_uint_eq(task.status, STATUS_GOOD);
	ck_assert_uint_eq(task.moved, moved);
	ck_assert_uint_eq(task.sense_len, 0);
}

static void
is_refused(uint16_t asc, int byte)
{
	struct sense_data sense;

	ck_assert_uint_eq(task.status, STATUS_CHECK);
	ck_assert_uint_eq(task.moved, 0);
	ck_assert(task.state & STATE_ARQ_DONE);
	ck_assert_int_eq(sense_parse(task.sense, task.sense_len, &sense), 0);
	ck_assert_uint_eq(sense.key, SENSE_ILLEGAL_REQUEST);
	ck_assert_uint_eq(sense.asc, asc);
	ck_assert_int_eq(sense.sks == SENSE_SKS_FIELD ? sense.sks_value : -1, byte);
}

START_TEST(inquiry_says_that_nothing_is_there)
{
	static const uint64_t luns[] = { 0, 6, 0x4007ull << 48, 0x8000ull << 48 };
	struct inq_std inq;

	begin();
	for (size_t i = 0; i < ARRAY_LEN(luns); i++) {
		answer(luns[i], cdb_inquiry(task.cdb, 96), 96);
		is_good(96);
		ck_assert_uint_eq(data[0], 0x7f);
		ck_assert_int_eq(inq_parse_std(data, 96, &inq), 0);
		ck_assert_uint_eq(inq.version, INQ_VERSION_SPC4);
		ck_assert_uint_eq(inq.format, 2);
	}
	answer(WLUN, cdb_inquiry(task.cdb, 96), 96);
	is_good(96);
	ck_assert_uint_eq(data[0], 0x1e);
	/* longer and shorter than what is there */
	answer(0, cdb_inquiry(task.cdb, 255), 255);
	is_good(96);
	ck_assert_int_eq(task.resid_kind, LU_RESID_UNDER);
	answer(0, cdb_inquiry(task.cdb, 96), 36);
	is_good(36);
	ck_assert_int_eq(task.resid_kind, LU_RESID_OVER);
	ck_assert_uint_eq(task.resid, 60);
	answer(0, cdb_inquiry(task.cdb, 5), 96);
	is_good(5);
	ck_assert_uint_eq(data[5], 0xa5);
	answer(0, cdb_inquiry(task.cdb, 0), 0);
	is_good(0);
	ck_assert_int_eq(task.resid_kind, LU_RESID_NONE);
	lu_view_unref(view);
}
END_TEST

START_TEST(pages_name_the_port)
{
	struct vpd_desig_walk walk;
	struct vpd_desig d;
	unsigned int kinds = 0;

	begin();
	answer(0, cdb_inquiry_vpd(task.cdb, VPD_SUPPORTED, 64), 64);
	is_good(6);
	ck_assert_mem_eq(data, "\x7f\0\0\2\0\x83", 6);
	answer(6, cdb_inquiry_vpd(task.cdb, VPD_SUPPORTED, 64), 64);
	is_good(5);
	answer(WLUN, cdb_inquiry_vpd(task.cdb, VPD_IDENT, 255), 255);
	ck_assert_uint_eq(task.status, STATUS_GOOD);
	ck_assert_int_eq(vpd_desig_begin(data, task.moved, &walk), 0);
	while (vpd_desig_next(&walk, &d) == 1) {
		ck_assert_uint_ne(d.assoc, VPD_ASSOC_UNIT);
		if (d.type == VPD_DESIG_REL_PORT)
			ck_assert_uint_eq(be16_get(d.data + 2), 3);
		if (d.type == VPD_DESIG_TPG)
			ck_assert_uint_eq(be16_get(d.data + 2), 9);
		kinds |= 1u << d.type;
	}
	ck_assert_uint_eq(kinds, 1u << VPD_DESIG_REL_PORT | 1u << VPD_DESIG_TPG |
	    1u << VPD_DESIG_NAME);
	answer(6, cdb_inquiry_vpd(task.cdb, VPD_IDENT, 255), 255);
	is_refused(ASC_INVALID_FIELD_IN_CDB, 2);
	answer(0, cdb_inquiry_vpd(task.cdb, VPD_SERIAL, 255), 255);
	is_refused(ASC_INVALID_FIELD_IN_CDB, 2);
	(void)cdb_inquiry(task.cdb, 255);
	task.cdb[2] = 0x83;	/* page code without EVPD */
	answer(0, 6, 255);
	is_refused(ASC_INVALID_FIELD_IN_CDB, 2);
	lu_view_unref(view);
}
END_TEST

START_TEST(report_luns_is_answered_where_it_must)
{
	static const uint8_t want[] = { 0, 0, 0, 8, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0 };

	begin();
	answer(0, cdb_report_luns(task.cdb, 0, 256), 256);
	is_good(16);
	ck_assert_mem_eq(data, want, 16);
	answer(0x4000ull << 48, cdb_report_luns(task.cdb, 0, 256), 256);
	is_good(16);
	answer(WLUN, cdb_report_luns(task.cdb, 2, 256), 256);
	is_good(24);
	/* what was asked for bounds what is sent, and the buffer does */
	answer(0, cdb_report_luns(task.cdb, 0, 12), 256);
	is_good(12);
	answer(0, cdb_report_luns(task.cdb, 0, 16), 9);
	is_good(9);
	ck_assert_int_eq(task.resid_kind, LU_RESID_OVER);
	ck_assert_uint_eq(task.resid, 7);
	answer(0, cdb_report_luns(task.cdb, 0, 0), 0);
	is_good(0);
	answer(0, cdb_report_luns(task.cdb, 3, 256), 256);
	is_refused(ASC_INVALID_FIELD_IN_CDB, 2);
	answer(6, cdb_report_luns(task.cdb, 0, 256), 256);
	is_refused(ASC_LUN_NOT_SUPPORTED, -1);
	lu_view_unref(view);
	view = NULL;
	answer(0, cdb_report_luns(task.cdb, 0, 256), 256);
	is_good(8);
}
END_TEST

START_TEST(request_sense_tells_in_its_data)
{
	struct sense_data sense;

	begin();
	for (int descriptor = 0; descriptor < 2; descriptor++) {
		answer(6, cdb_request_sense(task.cdb, descriptor, 252), 252);
		ck_assert_uint_eq(task.status, STATUS_GOOD);
		ck_assert_int_eq(sense_parse(data, task.moved, &sense), 0);
		ck_assert_int_eq(sense.format,
		    descriptor ? SENSE_FMT_DESCRIPTOR : SENSE_FMT_FIXED);
		ck_assert_uint_eq(sense.key, SENSE_ILLEGAL_REQUEST);
		ck_assert_uint_eq(sense.asc, ASC_LUN_NOT_SUPPORTED);
	}
	answer(WLUN, cdb_request_sense(task.cdb, false, 252), 252);
	ck_assert_int_eq(sense_parse(data, task.moved, &sense), 0);
	ck_assert_uint_eq(sense.key, SENSE_NO_SENSE);
	lu_view_unref(view);
}
END_TEST

START_TEST(everything_else_is_refused)
{
	begin();
	answer(6, cdb_tur(task.cdb), 0);
	is_refused(ASC_LUN_NOT_SUPPORTED, -1);
	answer(0, cdb_tur(task.cdb), 0);
	is_refused(ASC_LUN_NOT_SUPPORTED, -1);
	answer(WLUN, cdb_tur(task.cdb), 0);
	is_good(0);
	for (const struct op_info *op = op_next(NULL); op != NULL; op = op_next(op)) {
		uint8_t usage[OP_CDB_MAX];
		size_t len = op_usage(op, usage);

		if (op->id == OP_INQUIRY || op->id == OP_REPORT_LUNS ||
		    op->id == OP_REQUEST_SENSE || op->id == OP_TEST_UNIT_READY)
			continue;
		memset(task.cdb, 0, sizeof(task.cdb));
		task.cdb[0] = op->opcode;
		if (op->sa_place == OP_SA_BYTE1)
			task.cdb[1] = (uint8_t)op->sa;
		answer(6, len, 16);
		is_refused(ASC_LUN_NOT_SUPPORTED, -1);
		answer(0, len, 16);
		is_refused(ASC_LUN_NOT_SUPPORTED, -1);
		answer(WLUN, len, 16);
		is_refused(ASC_INVALID_OPCODE, -1);
	}
	memset(task.cdb, 0xff, sizeof(task.cdb));
	answer(6, 16, 16);
	is_refused(ASC_LUN_NOT_SUPPORTED, -1);
	/* cut, reserved bits, data going the other way */
	answer(6, cdb_report_luns(task.cdb, 0, 16) - 2, 16);
	is_refused(ASC_LUN_NOT_SUPPORTED, -1);
	(void)cdb_inquiry(task.cdb, 96);
	task.cdb[1] = 0x02;
	answer(6, 6, 96);
	is_refused(ASC_INVALID_FIELD_IN_CDB, 1);
	(void)cdb_inquiry(task.cdb, 96);
	task.dir = LU_DIR_OUT;
	task.cdb_len = 6;
	lu_view_answer_absent(view, 6, &port, &task);
	is_refused(ASC_LUN_NOT_SUPPORTED, -1);
	lu_view_unref(view);
}
END_TEST

CHECK_MAIN("absent LUNs", inquiry_says_that_nothing_is_there, pages_name_the_port,
    report_luns_is_answered_where_it_must, request_sense_tells_in_its_data,
    everything_else_is_refused)
