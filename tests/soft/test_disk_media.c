/* media that leave and return, removal that is prevented, power conditions: START STOP UNIT and
 * PREVENT ALLOW MEDIUM REMOVAL */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "mock_disk.h"

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN];

static bool
tur(void)
{
	return bench_none(&b, cdb, cdb_tur(cdb));
}

static bool
eject(void)
{
	return bench_none(&b, cdb, cdb_start_stop(cdb, false, true, 0));
}

static bool
load(void)
{
	return bench_none(&b, cdb, cdb_start_stop(cdb, true, true, 0));
}

static bool
prevent(uint8_t how)
{
	return bench_none(&b, cdb, cdb_prevent_allow(cdb, how));
}

static bool
no_medium(void)
{
	return bench_sense(&b, SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT, 0);
}

/* every command of the disk whose row says so is refused without a medium, and no other */
START_TEST(medium_commands_need_a_medium)
{
	unsigned int refused = 0, answered = 0;

	bench_open(&b, "mem:1M,removable");
	ck_assert(eject());
	ck_assert(!tur() && no_medium());
	for (const struct op_info *op = op_next(NULL); op != NULL; op = op_next(op)) {
		uint8_t one[OP_CDB_MAX] = { op->opcode };
		bool needs_medium = (op->flags & OP_F_MEDIUM) != 0 ||
		    op->id == OP_FORMAT_UNIT || op->opcode == 0x48;

		if (op->sa_place == OP_SA_BYTE1)
			one[1] = (uint8_t)op->sa;
		if (op->sa_place == OP_SA_BYTES8 || op->id == OP_START_STOP_UNIT)
			continue;
		(void)bench_none(&b, one, op->cdb_len);
		if (bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE) ||
		    bench_field_is(&b, true, 1, 4))
			continue;	/* the disk does not know it */
		ck_assert_msg(needs_medium == no_medium(), "%s", op->name);
		refused += needs_medium;
		answered += !needs_medium;
	}
	ck_assert_uint_ge(refused, 19);
	ck_assert_uint_gt(answered, 8);
	ck_assert(load() && tur());
	bench_close(&b);
}
END_TEST

START_TEST(prevention_keeps_the_medium)
{
	bench_open(&b, "mem:1M,removable");
	ck_assert(prevent(1));
	ck_assert(!eject());
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_REMOVAL_PREVENTED, 0));
	ck_assert(tur());
	ck_assert(prevent(0) && eject());
	/* nor is one loaded */
	ck_assert(prevent(1) && !load());
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_REMOVAL_PREVENTED, 0));
	ck_assert(prevent(0) && load() && tur());
	/* a stop moves nothing */
	ck_assert(prevent(1) && bench_none(&b, cdb, cdb_start_stop(cdb, false, false, 0)));
	disk_reset(b.disk, ASC_DEVICE_RESET);
	ck_assert(!tur() && bench_sense(&b, SENSE_UNIT_ATTENTION, ASC_DEVICE_RESET, 0));
	ck_assert(eject() && !tur() && no_medium());
	for (uint8_t how = 2; how < 4; how++) {
		ck_assert(!prevent(how));
		ck_assert(bench_sense(
		    &b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(4, 1)));
	}
	bench_close(&b);

	bench_open(&b, "mem:1M");
	ck_assert(!prevent(1));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE, 0));
	ck_assert(!eject());
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(4, 1)));
	bench_close(&b);
}
END_TEST

START_TEST(what_is_put_in_by_hand_is_told)
{
	bench_open(&b, "mem:1M,removable");
	ck_assert_int_eq(disk_set_medium(b.disk, true), 0);
	ck_assert(tur());
	ck_assert_int_eq(disk_set_medium(b.disk, false), 0);
	ck_assert(!tur() && no_medium());
	ck_assert_int_eq(disk_set_medium(b.disk, true), 0);
	ck_assert(!tur() && bench_sense(&b, SENSE_UNIT_ATTENTION, ASC_MEDIUM_CHANGED, 0));
	ck_assert(prevent(1));
	ck_assert_int_eq(disk_set_medium(b.disk, false), -EBUSY);
	ck_assert(!tur() && bench_sense(&b, SENSE_UNIT_ATTENTION, ASC_REMOVAL_REQUEST, 0));
	ck_assert(tur());
	bench_close(&b);

	bench_open(&b, "mem:1M");
	ck_assert_int_eq(disk_set_medium(b.disk, false), -ENOTSUP);
	bench_close(&b);
}
END_TEST

static bool
power(uint8_t condition, uint8_t modifier)
{
	(void)cdb_start_stop(cdb, false, true, 0);
	cdb[3] = modifier;
	cdb[4] |= (uint8_t)(condition << 4);
	return bench_none(&b, cdb, 6);
}

static uint16_t
asked_sense(void)
{
	ck_assert(bench_in(&b, cdb, cdb_request_sense(cdb, false, 18), 18));
	ck_assert_uint_eq(b.data[2], SENSE_NO_SENSE);
	return be16_get(b.data + 12);
}

START_TEST(power_conditions_end_with_the_next_access)
{
	static const struct { uint8_t condition, modifier; uint16_t asc; } rows[] = {
		{ 2, 0, 0x5e03 }, { 2, 1, 0x5e06 }, { 2, 2, 0x5e08 },
		{ 3, 0, 0x5e04 }, { 3, 1, 0x5e0a },
	};

	bench_open(&b, "mem:1M,removable");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert(power(rows[i].condition, rows[i].modifier));
		ck_assert(tur());
		ck_assert_uint_eq(asked_sense(), rows[i].asc);
		ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 0, 1, 0), 512));
		ck_assert_uint_eq(asked_sense(), 0);
	}
	ck_assert(power(3, 0) && power(1, 0));
	ck_assert_uint_eq(asked_sense(), 0);
	ck_assert(power(3, 0) && bench_none(&b, cdb, cdb_start_stop(cdb, true, false, 0)));
	ck_assert_uint_eq(asked_sense(), 0);
	/* LOEJ means nothing with a power condition, whatever condition */
	for (uint8_t condition = 1; condition < 16; condition++)
		ck_assert(power(condition, 0) && tur());
	ck_assert(!power(2, 3));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(3, 3)));
	ck_assert(!power(0, 1));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(3, 3)));
	bench_close(&b);
}
END_TEST

CHECK_MAIN("disk media", medium_commands_need_a_medium, prevention_keeps_the_medium,
    what_is_put_in_by_hand_is_told, power_conditions_end_with_the_next_access)
