/* REPORT SUPPORTED ...: the device's commands and the layer's, in one list and one by one */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "check_main.h"
#include "lu/alua.h"
#include "lu/lu_impl.h"
#include "lu/opcodes.h"
#include "mock_port.h"
#include "scsi/cdb.h"

/* ------ the functions alone ------ */

/* INQUIRY and REPORT TARGET PORT GROUPS are ours, nobody does SET TARGET PORT GROUPS */
static enum opcodes_who
who(const void *arg, const struct op_info *op)
{
	ck_assert_ptr_null(arg);
	if (op->id == OP_INQUIRY || op->id == OP_REPORT_TARGET_PORT_GROUPS)
		return OPCODES_HERE;
	return op->id == OP_SET_TARGET_PORT_GROUPS ? OPCODES_NOBODY : OPCODES_DEVICE;
}

static const struct opcodes few = { who, NULL };

/* unsorted, doubles, one that nobody does, one of the vendor with a service action */
static const uint8_t device_list[] = {
	0, 0, 0, 64,
	0xa3, 0, 0, 0x0c, 0, 1, 0, 12,
	0x00, 0, 0, 0, 0, 0, 0, 6,
	0x12, 0, 0, 0, 0, 0, 0, 5,
	0xa4, 0, 0, 0x0a, 0, 1, 0, 12,
	0xc1, 0, 0x12, 0x34, 0, 1, 0, 10,
	0x00, 0, 0, 0, 0, 0, 0, 6,
	0xc1, 0, 0x00, 0x34, 0, 1, 0, 10,
	0x28, 0, 0xff, 0xff, 0, 0, 0, 10,
};

START_TEST(the_list_is_sorted_and_has_no_doubles)
{
	static const uint8_t want[] = {
		0, 0, 0, 56,
		0x00, 0, 0, 0, 0, 0, 0, 6,
		0x12, 0, 0, 0, 0, 0, 0, 6,
		0x28, 0, 0, 0, 0, 0, 0, 10,
		0xa3, 0, 0, 0x0a, 0, 1, 0, 12,
		0xa3, 0, 0, 0x0c, 0, 1, 0, 12,
		0xc1, 0, 0x00, 0x34, 0, 1, 0, 10,
		0xc1, 0, 0x12, 0x34, 0, 1, 0, 10,
	};
	uint8_t buf[200];

	ck_assert_uint_eq(opcodes_list(&few, device_list, sizeof(device_list), false, buf,
	    sizeof(buf)), sizeof(want));
	ck_assert_mem_eq(buf, want, sizeof(want));
	for (size_t size = 0; size < sizeof(want); size++) {
		memset(buf, 0xa5, sizeof(buf));
		ck_assert_uint_eq(opcodes_list(&few, device_list, sizeof(device_list), false,
		    buf, size), sizeof(want));
		ck_assert_mem_eq(buf, want, size);
		ck_assert_uint_eq(buf[size], 0xa5);
	}
	/* cut anywhere: whole entries are believed, and ours are always there */
	for (size_t len = 0; len <= sizeof(device_list); len++) {
		size_t n = opcodes_list(&few, device_list, len, false, buf, sizeof(buf));

		ck_assert_uint_ge(n, 4 + 16);
		ck_assert_uint_eq(be32_get(buf), n - 4);
	}
}
END_TEST

START_TEST(timeouts_come_along)
{
	static const uint8_t device[] = {
		0, 0, 0, 28,
		0x00, 0, 0, 0, 0, 2, 0, 6, 0, 10, 0, 0, 0, 0, 0, 5, 0, 0, 0, 9,
		0x28, 0, 0, 0, 0, 0, 0, 10,
	};
	static const uint8_t none[12] = { 0, 10 };
	uint8_t buf[200];
	size_t n = opcodes_list(&few, device, sizeof(device), true, buf, sizeof(buf));

	ck_assert_uint_eq(n, 4 + 4 * 20);
	ck_assert_mem_eq(buf + 4, device + 4, 20);
	for (size_t i = 1; i < 4; i++) {
		ck_assert_uint_eq(buf[4 + 20 * i + 5] & 0x02, 0x02);
		ck_assert_mem_eq(buf + 4 + 20 * i + 8, none, 12);
	}
	n = opcodes_list(&few, device, sizeof(device), false, buf, sizeof(buf));
	ck_assert_uint_eq(n, 4 + 4 * 8);
	ck_assert_uint_eq(buf[4 + 5], 0);
}
END_TEST

static enum opcodes_answer
judge(uint8_t option, uint8_t opcode, uint16_t sa, const struct op_info **ret_op)
{
	struct opcodes_query query;
	uint8_t cdb[CDB_BUF_LEN];
	enum opcodes_answer answer;

	(void)cdb_report_opcodes(cdb, option & 3, opcode, sa, true, 100);
	cdb[2] = (uint8_t)((cdb[2] & ~7) | option);
	answer = opcodes_judge(&few, cdb, &query, ret_op);
	ck_assert(query.want_timeouts);
	ck_assert_uint_eq(query.sa, sa);
	return answer;
}

START_TEST(one_command_is_judged_by_who_answers_it)
{
	const struct op_info *op = NULL;

	ck_assert_int_eq(judge(0, 0, 0, &op), OPCODES_ALL);
	ck_assert_int_eq(judge(1, 0x12, 0, &op), OPCODES_ONE);
	ck_assert_int_eq(op->id, OP_INQUIRY);
	ck_assert_int_eq(judge(3, 0x12, 0, &op), OPCODES_ONE);
	ck_assert_int_eq(judge(2, 0x12, 0, &op), OPCODES_BAD);
	ck_assert_int_eq(judge(1, 0xa3, 0, &op), OPCODES_BAD);
	ck_assert_int_eq(judge(2, 0xa3, 0x0a, &op), OPCODES_ONE);
	ck_assert_int_eq(op->id, OP_REPORT_TARGET_PORT_GROUPS);
	ck_assert_int_eq(judge(3, 0xa3, 0x0a, &op), OPCODES_ONE);
	ck_assert_int_eq(judge(2, 0xa4, 0x0a, &op), OPCODES_ONE);
	ck_assert_ptr_null(op);
	ck_assert_int_eq(judge(2, 0xa3, 0x0c, &op), OPCODES_ASK);
	ck_assert_int_eq(judge(2, 0xa3, 0x1f, &op), OPCODES_ASK);
	ck_assert_int_eq(judge(1, 0x28, 0, &op), OPCODES_ASK);
	ck_assert_int_eq(judge(1, 0xc1, 0, &op), OPCODES_ASK);
	ck_assert_int_eq(judge(2, 0xc1, 7, &op), OPCODES_ASK);
	for (uint8_t option = 4; option < 8; option++)
		ck_assert_int_eq(judge(option, 0x12, 0, &op), OPCODES_BAD);
}
END_TEST

START_TEST(one_command_has_its_usage)
{
	const struct op_info *op = op_get(OP_REPORT_TARGET_PORT_GROUPS);
	uint8_t buf[OPCODES_ONE_MAX], usage[OP_CDB_MAX];

	ck_assert_uint_eq(opcodes_one(op, false, buf), 4 + 12);
	ck_assert_uint_eq(be32_get(buf), 0x0003000c);
	ck_assert_uint_eq(op_usage(op, usage), 12);
	ck_assert_mem_eq(buf + 4, usage, 12);
	ck_assert_uint_eq(opcodes_one(op, true, buf), 4 + 12 + 12);
	ck_assert_uint_eq(buf[1], 0x83);
	ck_assert_uint_eq(be16_get(buf + 16), 10);
	ck_assert_uint_eq(opcodes_one(NULL, true, buf), 4);
	ck_assert_uint_eq(be32_get(buf), 0x00010000);
}
END_TEST

/* ------ units ------ */

static struct lu *unit;
static struct pnexus n;
static struct ptask t;
static bool has_list;

static bool
answer(struct scsi_address *ap UNUSED, struct scsi_pkt *pkt)
{
	static const uint8_t yes[] = { 0, 3, 0, 6, 0xff, 0, 0, 0, 0, 0 };

	if (pkt->pkt_cdbp[0] != 0xa3)
		return false;
	if (!has_list)
		port_refuse(pkt, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	else if ((pkt->pkt_cdbp[2] & 7) == 0)
		port_answer(pkt, device_list, sizeof(device_list));
	else
		port_answer(pkt, yes, sizeof(yes));
	return true;
}

static void
begin(bool with_list)
{
	has_list = with_list;
	port.answer = answer;
	port_begin();
	unit = port_unit("disk@0,0");
	pnexus_open(&n, unit);
	ptask_init(&t, &n.lu);
}

static void
end(void)
{
	pnexus_leave(&n);
	lu_unref(unit);
	port_end();
}

static void
ask(uint8_t option, uint8_t opcode, uint16_t sa, uint32_t alloc_len, uint32_t len)
{
	uint8_t cdb[CDB_BUF_LEN];
	size_t cdb_len = cdb_report_opcodes(cdb, option, opcode, sa, false, alloc_len);

	memset(t.data, 0, sizeof(t.data));
	ptask_cdb(&t, cdb, cdb_len, LU_DIR_IN, len);
	ptask_run(&t);
}

static bool
is_listed(uint8_t opcode, uint16_t sa)
{
	for (size_t at = 4; at < t.lu.moved; at += 8) {
		if (t.data[at] == opcode && be16_get(t.data + at + 2) == sa)
			return true;
	}
	return false;
}

static void
mode_visit(void *arg)
{
	ck_assert_int_eq(lu_alua_set_mode(unit, *(const enum alua_mode *)arg), 0);
}

static void
unit_scenario(void *arg UNUSED)
{
	enum alua_mode mode = ALUA_MODE_IMPLICIT;

	begin(true);
	ask(0, 0, 0, 4096, 4096);
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
	ck_assert_uint_eq(be32_get(t.data) + 4, t.lu.moved);
	ck_assert(is_listed(0x12, 0) && is_listed(0xa0, 0) && is_listed(0x00, 0));
	ck_assert(is_listed(0xa3, 0x0a) && is_listed(0xa4, 0x0a) && is_listed(0xa3, 0x0d));
	ck_assert(is_listed(0xc1, 0x1234) && !is_listed(0x2a, 0));
	ask(0, 0, 0, 4096, 6);
	ck_assert_uint_eq(t.lu.moved, 6);
	ask(0, 0, 0, 3, 4096);
	ck_assert_uint_eq(t.lu.moved, 3);
	ask(2, 0xa4, 0x0a, 64, 64);
	ck_assert_uint_eq(t.data[1], 3);
	/* the device's own word */
	ask(1, 0x28, 0, 64, 64);
	ck_assert_uint_eq(be16_get(t.data + 2), 6);
	ask(2, 0x28, 0, 64, 64);
	ck_assert_uint_eq(ptask_sense(&t), 0x052400);
	port_at_home(mode_visit, &mode);
	ask(0, 0, 0, 4096, 4096);
	ck_assert(is_listed(0xa3, 0x0a) && !is_listed(0xa4, 0x0a));
	ask(2, 0xa4, 0x0a, 64, 64);
	ck_assert_uint_eq(t.data[1], 1);
	mode = ALUA_MODE_NONE;
	port_at_home(mode_visit, &mode);
	ask(2, 0xa3, 0x0a, 64, 64);
	ck_assert_uint_eq(t.data[1], 1);
	fault_arm(1);
	ask(0, 0, 0, 4096, 4096);
	ck_assert(fault_disarm());
	ck_assert_uint_eq(ptask_sense(&t), 0x055503);
	end();
}

START_TEST(units_tell_all_that_is_answered)
{
	port_sim(unit_scenario);
}
END_TEST

static void
mute_scenario(void *arg UNUSED)
{
	begin(false);
	/* nobody can say what such a device does, but what is ours is known */
	ask(0, 0, 0, 4096, 4096);
	ck_assert_uint_eq(ptask_sense(&t), 0x052000);
	ask(1, 0x28, 0, 64, 64);
	ck_assert_uint_eq(ptask_sense(&t), 0x052000);
	ask(1, 0xa0, 0, 64, 64);
	ck_assert_uint_eq(t.data[1], 3);
	end();
}

START_TEST(a_device_without_a_list_refuses)
{
	port_sim(mute_scenario);
}
END_TEST

static void
tmf_scenario(void *arg UNUSED)
{
	uint8_t cdb[CDB_BUF_LEN];
	size_t len = cdb_report_tmfs(cdb, 64);

	begin(true);
	ptask_cdb(&t, cdb, len, LU_DIR_IN, 64);
	ptask_run(&t);
	ck_assert_uint_eq(t.lu.moved, 4);
	ck_assert_uint_eq(be32_get(t.data), 0xde070000);
	cdb[2] = 0x80;
	ptask_cdb(&t, cdb, len, LU_DIR_IN, 64);
	ptask_run(&t);
	ck_assert_uint_eq(t.lu.moved, 16);
	ck_assert_uint_eq(be32_get(t.data), 0xde07000c);
	(void)cdb_report_tmfs(cdb, 3);
	ptask_cdb(&t, cdb, len, LU_DIR_IN, 64);
	ptask_run(&t);
	ck_assert_uint_eq(ptask_sense(&t), 0x052400);
	end();
}

START_TEST(task_management_is_told)
{
	port_sim(tmf_scenario);
}
END_TEST

CHECK_MAIN("supported commands", the_list_is_sorted_and_has_no_doubles, timeouts_come_along,
    one_command_is_judged_by_who_answers_it, one_command_has_its_usage,
    units_tell_all_that_is_answered, a_device_without_a_list_refuses, task_management_is_told)
