/* INQUIRY of a unit: the device's answer corrected, refusals made good, failures told */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "check_main.h"
#include "lu/lu_impl.h"
#include "lu/policy.h"
#include "lu/port.h"
#include "mock_port.h"
#include "scsi/cdb.h"
#include "scsi/inquiry.h"
#include "scsi/vpd.h"

static const struct lu_port iscsi = {
	.rtpi = 1, .group = 4, .protocol = LU_PROTOCOL_ISCSI,
	.name = "iqn.t,t,0x0001", .device_name = "iqn.t",
};

static struct lu *unit;
static struct pnexus n;
static struct ptask t;
static bool has_pages;		/* the device knows 00h, 83h, 86h, B0h */
static int trouble;		/* pkt_reason, or -1: BUSY */

static bool
answer_page(struct scsi_pkt *pkt, uint8_t page)
{
	static const uint8_t pages[] = { VPD_SUPPORTED, VPD_SERIAL, VPD_IDENT, VPD_EXTENDED,
		VPD_BLOCK_LIMITS };
	const struct vpd_ids ids = { .naa = { 0x35, 1 }, .naa_len = 8, .rel_port = 1 };
	const struct vpd_extended e = { .v_sup = true };
	const struct vpd_limits l = { .max_xfer = 99 };
	uint8_t buf[VPD_PAGE_MAX];
	size_t len = 0;

	if (page == VPD_SERIAL)
		return false;
	if (has_pages && page == VPD_SUPPORTED)
		len = vpd_build_supported(0, pages, sizeof(pages), buf, sizeof(buf));
	else if (has_pages && page == VPD_IDENT)
		len = vpd_build_ident(0, &ids, buf, sizeof(buf));
	else if (has_pages && page == VPD_EXTENDED)
		len = vpd_build_extended(0, &e, buf, sizeof(buf));
	else if (has_pages && page == VPD_BLOCK_LIMITS)
		len = vpd_build_limits(0, &l, buf, sizeof(buf));
	if (len > 0)
		port_answer(pkt, buf, len);
	else
		port_refuse(pkt, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
	return true;
}

static bool
answer(struct scsi_address *ap UNUSED, struct scsi_pkt *pkt)
{
	if (pkt->pkt_cdbp[0] != 0x12)
		return false;
	if (trouble > 0) {
		pkt->pkt_reason = (uchar_t)trouble;
		pkt->pkt_state = STATE_GOT_BUS;
		return true;
	}
	if (trouble < 0) {
		port_answer(pkt, NULL, 0);
		pkt->pkt_scbp[0] = STATUS_BUSY;
		return true;
	}
	return (pkt->pkt_cdbp[1] & 1) != 0 && answer_page(pkt, pkt->pkt_cdbp[2]);
}

static void
begin(bool with_pages)
{
	has_pages = with_pages;
	trouble = 0;
	port.answer = answer;
	port_begin();
	unit = port_unit("disk@0,0");
	pnexus_open_at(&n, unit, &iscsi, NULL);
	ptask_init(&t, &n.lu);
}

static void
end(void)
{
	pnexus_leave(&n);
	lu_unref(unit);
	port_end();
}

/* @page below 0: standard data */
static void
inquire(int page, uint16_t alloc_len, uint32_t len)
{
	uint8_t cdb[CDB_BUF_LEN];
	size_t cdb_len = page < 0 ? cdb_inquiry(cdb, alloc_len) :
	    cdb_inquiry_vpd(cdb, (uint8_t)page, alloc_len);

	memset(t.data, 0xa5, sizeof(t.data));
	ptask_cdb(&t, cdb, cdb_len, LU_DIR_IN, len);
	ptask_run(&t);
	if (t.lu.status == STATUS_GOOD && t.lu.reason == CMD_CMPLT && len < sizeof(t.data))
		ck_assert_uint_eq(t.data[len], 0xa5);
}

static void
standard_scenario(void *arg UNUSED)
{
	uint8_t cdb[6] = { 0x12, 0, 0x83, 0, 96 };
	struct inq_std inq;

	begin(true);
	inquire(-1, 255, 255);
	ck_assert_uint_eq(t.lu.moved, 96);
	ck_assert_int_eq(inq_parse_std(t.data, 96, &inq), 0);
	ck_assert_str_eq(inq.vendor, "MOCK");
	ck_assert(inq.has_cmdque && inq.has_3pc);
	ck_assert_uint_eq(inq.tpgs, 3);
	ck_assert_uint_eq(inq.versions[0], INQ_STANDARD_ISCSI);
	inquire(-1, 5, 255);
	ck_assert_uint_eq(t.lu.moved, 5);
	inquire(-1, 255, 36);
	ck_assert_uint_eq(t.lu.moved, 36);
	ck_assert_uint_eq(t.lu.resid, 60);
	inquire(-1, 0, 0);
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
	ptask_cdb(&t, cdb, sizeof(cdb), LU_DIR_IN, 96);
	ptask_run(&t);
	ck_assert_uint_eq(ptask_sense(&t), 0x052400);
	end();
}

START_TEST(standard_data_is_corrected)
{
	port_sim(standard_scenario);
}
END_TEST

static void
pages_scenario(void *arg UNUSED)
{
	static const uint8_t list[] = { 0, 0, 0, 7, 0x00, 0x80, 0x83, 0x86, 0x88, 0x8f, 0xb0 };
	struct vpd_desig_walk walk;
	struct vpd_desig d;
	struct vpd_extended e;
	struct vpd_limits l;

	begin(true);
	inquire(VPD_SUPPORTED, 255, 255);
	ck_assert_uint_eq(t.lu.moved, sizeof(list));
	ck_assert_mem_eq(t.data, list, sizeof(list));
	inquire(VPD_IDENT, 1024, 1024);
	ck_assert_int_eq(vpd_desig_begin(t.data, t.lu.moved, &walk), 0);
	ck_assert_int_eq(vpd_desig_next(&walk, &d), 1);
	ck_assert_uint_eq(d.type, VPD_DESIG_NAA);
	ck_assert_int_eq(vpd_desig_next(&walk, &d), 1);
	ck_assert_uint_eq(d.type, VPD_DESIG_REL_PORT);
	ck_assert_uint_eq(d.protocol, LU_PROTOCOL_ISCSI);
	ck_assert_int_eq(vpd_desig_next(&walk, &d), 1);
	ck_assert_uint_eq(be16_get(d.data + 2), 4);
	inquire(VPD_IDENT, 1024, 8);
	ck_assert_uint_eq(t.lu.moved, 8);
	ck_assert_int_eq(t.lu.resid_kind, LU_RESID_OVER);
	inquire(VPD_EXTENDED, 255, 255);
	ck_assert_int_eq(vpd_parse_extended(t.data, t.lu.moved, &e), 0);
	ck_assert(e.v_sup && e.ordsup);
	inquire(VPD_PORTS, 255, 255);
	ck_assert_uint_eq(t.lu.moved, 4 + 12 + 4 + 16);
	ck_assert_uint_eq(t.data[7], 1);
	inquire(VPD_PORTS, 255, 6);
	ck_assert_uint_eq(t.lu.resid, 30);
	/* the device does less than its HBA */
	inquire(VPD_BLOCK_LIMITS, 255, 255);
	ck_assert_int_eq(vpd_parse_limits(t.data, t.lu.moved, &l), 0);
	ck_assert_uint_eq(l.max_xfer, 99);
	inquire(VPD_SERIAL, 255, 255);
	ck_assert_mem_eq(t.data, "\0\x80\0\4T0L0", 8);
	inquire(0xc0, 255, 255);
	ck_assert_uint_eq(ptask_sense(&t), 0x052400);
	end();
}

START_TEST(pages_are_corrected)
{
	port_sim(pages_scenario);
}
END_TEST

static void
bare_scenario(void *arg UNUSED)
{
	static const uint8_t list[] = { 0, 0, 0, 6, 0x00, 0x83, 0x86, 0x88, 0x8f, 0xb0 };
	char text[64];
	struct vpd_desig_walk walk;
	struct vpd_desig d;
	struct vpd_limits l;

	begin(false);
	inquire(VPD_SUPPORTED, 255, 255);
	ck_assert_uint_eq(t.lu.moved, sizeof(list));
	ck_assert_mem_eq(t.data, list, sizeof(list));
	inquire(VPD_IDENT, 255, 255);
	ck_assert_int_eq(vpd_desig_begin(t.data, t.lu.moved, &walk), 0);
	ck_assert_int_eq(vpd_desig_next(&walk, &d), 1);
	ck_assert_str_eq(vpd_desig_format(&d, text, sizeof(text)),
	    "t10.MOCK    PORT DISK       T0L0");
	inquire(VPD_EXTENDED, 255, 255);
	ck_assert_uint_eq(t.lu.moved, 64);
	/* its HBA has a limit that initiators have to know */
	inquire(VPD_BLOCK_LIMITS, 255, 255);
	ck_assert_int_eq(vpd_parse_limits(t.data, t.lu.moved, &l), 0);
	ck_assert_uint_eq(l.max_xfer * lu_info(unit)->block_bytes, lu_info(unit)->xfer_max_bytes);
	inquire(VPD_THIN, 255, 255);
	ck_assert_uint_eq(ptask_sense(&t), 0x052400);
	end();
}

START_TEST(a_device_without_pages_has_some)
{
	port_sim(bare_scenario);
}
END_TEST

static void
trouble_scenario(void *arg UNUSED)
{
	begin(true);
	trouble = CMD_TIMEOUT;
	inquire(VPD_IDENT, 255, 255);
	ck_assert_uint_eq(t.lu.reason, CMD_TIMEOUT);
	ck_assert_uint_eq(t.lu.moved, 0);
	inquire(-1, 255, 255);
	ck_assert_uint_eq(t.lu.reason, CMD_TIMEOUT);
	trouble = -1;
	inquire(VPD_SUPPORTED, 255, 255);
	ck_assert_uint_eq(t.lu.reason, CMD_CMPLT);
	ck_assert_uint_eq(t.lu.status, STATUS_BUSY);
	trouble = 0;
	fault_arm(1);
	inquire(-1, 255, 255);
	ck_assert(fault_disarm());
	ck_assert_uint_eq(ptask_sense(&t), 0x055503);
	inquire(-1, 255, 255);
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
	end();
}

START_TEST(failures_of_the_device_are_told)
{
	port_sim(trouble_scenario);
}
END_TEST

static void
pass_visit(void *arg)
{
	lu_policy_set(unit, *(const enum lu_policy *)arg, true);
}

static void
policy_scenario(void *arg UNUSED)
{
	enum lu_policy policy = LU_POLICY_ALUA;
	struct vpd_desig_walk walk;
	struct vpd_desig d;

	begin(true);
	port_at_home(pass_visit, &policy);
	inquire(-1, 255, 255);
	ck_assert_uint_eq(t.data[5] & 0x30, 0);
	inquire(VPD_IDENT, 255, 255);
	ck_assert_int_eq(vpd_desig_begin(t.data, t.lu.moved, &walk), 0);
	while (vpd_desig_next(&walk, &d) == 1)
		ck_assert_uint_ne(d.type, VPD_DESIG_TPG);
	policy = LU_POLICY_INQUIRY;
	port_at_home(pass_visit, &policy);
	inquire(-1, 255, 255);
	ck_assert_uint_eq(t.data[7] & 0x02, 0);
	end();
}

START_TEST(a_policy_leaves_it_to_the_device)
{
	port_sim(policy_scenario);
}
END_TEST

CHECK_MAIN("INQUIRY of units", standard_data_is_corrected, pages_are_corrected,
    a_device_without_pages_has_some, failures_of_the_device_are_told,
    a_policy_leaves_it_to_the_device)
