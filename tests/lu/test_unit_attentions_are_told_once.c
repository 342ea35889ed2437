/* what a nexus has to hear comes first, once, in the order of its weight; to whom it
 * concerns */
#include <string.h>

#include "check_main.h"
#include "base/bytes.h"
#include "lu/ua.h"
#include "mock_script.h"
#include "scsi/cdb.h"

static struct rclient a, b, twin;

/* ------ the set ------ */

static void
expect_set(struct lu_ua_set *set, const uint16_t *want, size_t n, bool is_overflown)
{
	struct sense_data s;

	for (size_t i = 0; i < n; i++) {
		ck_assert(ua_set_take(set, &s));
		ck_assert_int_eq(s.is_deferred, want[i] == LU_UA_LOSS);
		ck_assert_uint_eq(s.key, want[i] == LU_UA_LOSS ? SENSE_MEDIUM_ERROR :
		    SENSE_UNIT_ATTENTION);
		ck_assert_uint_eq(s.asc, want[i]);
		ck_assert_int_eq(s.sks == SENSE_SKS_OVERFLOW, i == 0 && is_overflown);
	}
	ck_assert(!ua_set_take(set, &s));
}

START_TEST(set_has_an_order)
{
	static const struct {
		uint16_t add[12];
		uint16_t want[10];
		size_t n;
		bool is_overflown;
	} rows[] = {
		{ { 0x2a01 }, { 0x2a01 }, 1, false },
		{ { 0x2a01, 0x2a03, 0x2a01 }, { 0x2a01, 0x2a03 }, 2, false },
		/* nexus loss goes before, and takes nothing away */
		{ { 0x2a01, 0x2907, 0x3f0e }, { 0x2907, 0x2a01, 0x3f0e }, 3, false },
		/* resets say all that came before them */
		{ { 0x2a01, 0x2907, 0x2903 }, { 0x2903 }, 1, false },
		{ { 0x2903, 0x2a09 }, { 0x2903, 0x2a09 }, 2, false },
		{ { 0x2902, 0x2a09, 0x2903 }, { 0x2902 }, 1, false },
		{ { 0x2903, 0x2902, 0x2900, 0x2901 }, { 0x2901 }, 1, false },
		{ { 0x2901, 0x2900 }, { 0x2901 }, 1, false },
		{ { 0x2a01, 0x2a02, 0x2a03, 0x2a04, 0x2a05, 0x2a06, 0x2a07 },
		    { 0x2a01, 0x2a02, 0x2a03, 0x2a04, 0x2a05, 0x2a06, 0x2a07 }, 7, false },
		{ { 0x2a01, 0x2a02, 0x2a03, 0x2a04, 0x2a05, 0x2a06, 0x2a07, 0x2a08 },
		    { 0x2a01, 0x2a02, 0x2a03, 0x2a04, 0x2a05, 0x2a06, 0x2a07, 0x2a08 }, 8,
		    false },
		{ { 0x2a01, 0x2a02, 0x2a03, 0x2a04, 0x2a05, 0x2a06, 0x2a07, 0x2a08, 0x2a09 },
		    { 0x2a01, 0x2a02, 0x2a03, 0x2a04, 0x2a05, 0x2a06, 0x2a07, 0x2a08 }, 8,
		    true },
		/* a loss comes last, once, is not crowded out and outlives resets */
		{ { 0x0c00 }, { 0x0c00 }, 1, false },
		{ { 0x0c00, 0x2a01, 0x0c00, 0x2907 }, { 0x2907, 0x2a01, 0x0c00 }, 3, false },
		{ { 0x2a01, 0x0c00, 0x2903, 0x2900 }, { 0x2900, 0x0c00 }, 2, false },
		{ { 0x2a01, 0x2a02, 0x2a03, 0x2a04, 0x2a05, 0x2a06, 0x2a07, 0x2a08, 0x0c00 },
		    { 0x2a01, 0x2a02, 0x2a03, 0x2a04, 0x2a05, 0x2a06, 0x2a07, 0x2a08, 0x0c00 },
		    9, false },
		{ { 0x0c00, 0x2a01, 0x2a02, 0x2a03, 0x2a04, 0x2a05, 0x2a06, 0x2a07, 0x2a08,
		      0x2a09 },
		    { 0x2a01, 0x2a02, 0x2a03, 0x2a04, 0x2a05, 0x2a06, 0x2a07, 0x2a08, 0x0c00 },
		    9, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lu_ua_set set = { .n = 0 };

		for (size_t j = 0; j < ARRAY_LEN(rows[i].add) && rows[i].add[j] != 0; j++)
			ua_set_add(&set, rows[i].add[j]);
		expect_set(&set, rows[i].want, rows[i].n, rows[i].is_overflown);
	}
}
END_TEST

START_TEST(set_forgets)
{
	struct lu_ua_set set = { .n = 0 };

	ua_set_add(&set, ASC_REPORTED_LUNS_CHANGED);
	ua_set_add(&set, ASC_CAPACITY_CHANGED);
	ua_set_drop(&set, ASC_REPORTED_LUNS_CHANGED);
	ua_set_drop(&set, ASC_REPORTED_LUNS_CHANGED);
	expect_set(&set, (const uint16_t[]){ ASC_CAPACITY_CHANGED }, 1, false);
}
END_TEST

/* ------ nexuses ------ */

static void
begin(void)
{
	script_begin(PORT_INLINE);
	rc_open(&a, script_unit, 'a', 1);
	rc_open(&b, script_unit, 'b', 1);
	rc_open(&twin, script_unit, 'a', 1);
}

static void
end(void)
{
	rc_leave(&a);
	rc_leave(&b);
	rc_leave(&twin);
	script_end();
}

static void
quiet(void)
{
	rc_told(&a, 0);
	rc_told(&b, 0);
	rc_told(&twin, 0);
}

static void
raise_visit(void *arg)
{
	(void)arg;
	lu_ua_raise(&a.nexus, ASC_PARAMETERS_CHANGED);
	lu_ua_raise_others(script_unit, &a.nexus, ASC_THIN_THRESHOLD);
	lu_ua_raise_identity(script_unit, &a.id, 2, ASC_INQUIRY_CHANGED);
	lu_ua_raise_identity(script_unit, &a.id, 1, ASC_LOG_PARAMETERS_CHANGED);
}

static void
whom_scenario(void *arg UNUSED)
{
	begin();
	port_at_home(raise_visit, NULL);
	rc_told(&a, ASC_PARAMETERS_CHANGED);
	rc_told(&a, ASC_LOG_PARAMETERS_CHANGED);
	rc_told(&twin, ASC_LOG_PARAMETERS_CHANGED);
	rc_told(&b, ASC_THIN_THRESHOLD);
	quiet();
	end();
}

START_TEST(to_whom_it_concerns)
{
	port_sim(whom_scenario);
}
END_TEST

static void
exempt_scenario(void *arg UNUSED)
{
	static const uint8_t inquiry[6] = { 0x12, 0, 0, 0, 36 };
	static const uint8_t luns[12] = { 0xa0, [9] = 16 };
	uint8_t sense[6] = { 0x03, 0, 0, 0, 252 }, data[252];
	struct sense_data s;

	begin();
	port_at_home(raise_visit, NULL);
	ck_assert_uint_eq(rc_cmd(&a, inquiry, 6, LU_DIR_IN, NULL, 36), RC_GOOD);
	ck_assert_uint_eq(rc_cmd(&a, luns, 12, LU_DIR_IN, NULL, 16), RC_GOOD);
	/* REQUEST SENSE tells the first, in the format it is asked for, and clears it */
	ck_assert_uint_eq(rc_cmd(&a, sense, 6, LU_DIR_IN, data, 252), RC_GOOD);
	ck_assert_int_eq(sense_parse(data, a.t.lu.moved, &s), 0);
	ck_assert_int_eq(s.format, SENSE_FMT_FIXED);
	ck_assert_uint_eq(s.asc, ASC_PARAMETERS_CHANGED);
	sense[1] = 1;
	sense[4] = 4;
	ck_assert_uint_eq(rc_cmd(&a, sense, 6, LU_DIR_IN, data, 252), RC_GOOD);
	ck_assert_uint_eq(a.t.lu.moved, 4);
	ck_assert_uint_eq(data[0], 0x72);
	ck_assert_uint_eq(be16_get(data + 2), ASC_LOG_PARAMETERS_CHANGED);
	rc_told(&a, 0);
	/* reserved bits of what is answered here */
	sense[2] = 0x10;
	ck_assert_uint_eq(rc_cmd(&a, sense, 6, LU_DIR_IN, data, 252), RC_CHECK);
	ck_assert_uint_eq(a.sense.asc, ASC_INVALID_FIELD_IN_CDB);
	ck_assert_uint_eq(a.sense.sks_value, 2);
	ck_assert_uint_eq(a.sense.sks_bit, 4);
	end();
}

START_TEST(three_commands_are_exempt)
{
	port_sim(exempt_scenario);
}
END_TEST

/* a refusal that would be sense data comes after it */
static void
refusal_scenario(void *arg UNUSED)
{
	static const uint8_t read[10] = { 0x28, [8] = 1 };

	begin();
	port_at_home(raise_visit, NULL);
	b.nexus.classes = LU_CLASS(OP_INFO);
	ck_assert_uint_eq(rc_cmd(&b, read, 10, LU_DIR_IN, NULL, 512), RC_CHECK);
	ck_assert_uint_eq(b.sense.asc, ASC_THIN_THRESHOLD);
	ck_assert_uint_eq(rc_cmd(&b, read, 10, LU_DIR_IN, NULL, 512), RC_CHECK);
	ck_assert_uint_eq(b.sense.asc, ASC_NO_ACCESS_RIGHTS);
	end();
}

START_TEST(attention_goes_before_refusal)
{
	port_sim(refusal_scenario);
}
END_TEST

static void
power_scenario(void *arg UNUSED)
{
	static struct rclient late;

	begin();
	rc_open(&late, script_unit, 'l', 1);
	rc_told(&late, 0);
	rc_leave(&late);
	memset(&late, 0, sizeof(late));
	end();
}

START_TEST(a_new_nexus_hears_nothing)
{
	port_sim(power_scenario);
}
END_TEST

/* ------ from the device ------ */

static void
device_scenario(void *arg UNUSED)
{
	begin();
	script.ua = ASC_INQUIRY_CHANGED;
	rc_told(&a, ASC_INQUIRY_CHANGED);
	rc_told(&b, ASC_INQUIRY_CHANGED);
	quiet();
	ck_assert_int_eq(port_events[LU_EVENT_CHANGED], 1);
	/* power on: what the device forgot is forgotten, everybody hears */
	script.ua = ASC_POWER_ON;
	rc_told(&b, ASC_POWER_ON);
	rc_told(&a, ASC_POWER_ON);
	rc_told(&twin, ASC_POWER_ON);
	quiet();
	end();
}

START_TEST(what_the_device_tells_one_all_hear)
{
	port_sim(device_scenario);
}
END_TEST

static void
commands_scenario(void *arg UNUSED)
{
	static const struct {
		uint8_t cdb[12];
		uint16_t len;
		uint16_t data;
		uint16_t asc;
	} rows[] = {
		{ { 0x15, 0x10, 0, 0, 24 }, 6, 24, ASC_MODE_PARAMETERS_CHANGED },
		{ { 0x15, 0x10, 0, 0, 0 }, 6, 0, 0 },
		{ { 0x4c, 0, 0x40 }, 10, 0, 0 },
		{ { 0x4c, 2, 0x40 }, 10, 0, ASC_LOG_PARAMETERS_CHANGED },
		{ { 0x4c, 0, 0x40, [8] = 8 }, 10, 8, ASC_LOG_PARAMETERS_CHANGED },
		{ { 0xa4, 0x0f, [9] = 12 }, 12, 12, ASC_TIMESTAMP_CHANGED },
		{ { 0xa4, 0x0f }, 12, 0, 0 },
		{ { 0x3b, 0x05, [8] = 8 }, 10, 8, ASC_MICROCODE_CHANGED },
		{ { 0x3b, 0x02, [8] = 8 }, 10, 8, 0 },
		{ { 0x1b, 0, 0, 0, 0x03 }, 6, 0, ASC_MEDIUM_CHANGED },
		{ { 0x1b, 0, 0, 0, 0x02 }, 6, 0, 0 },
		{ { 0x1b, 0, 0, 0, 0x13 }, 6, 0, 0 },
		{ { 0x1b, 0, 0, 0, 0x01 }, 6, 0, 0 },
	};
	static const uint8_t data[24];

	begin();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_uint_eq(rc_cmd(&a, rows[i].cdb, rows[i].len, LU_DIR_OUT,
		    (void *)(uintptr_t)data, rows[i].data), RC_GOOD);
		sim_settle();
		rc_told(&a, 0);
		rc_told(&twin, 0);
		rc_told(&b, rows[i].asc);
		rc_told(&b, 0);
	}
	end();
}

START_TEST(who_changes_something_tells_the_others)
{
	port_sim(commands_scenario);
}
END_TEST

/* ------ UA_INTLCK_CTRL ------ */

static uint8_t interlock;

static uint8_t
request_sense(struct rclient *c, uint16_t *ret_asc)
{
	static const uint8_t cdb[6] = { 0x03, [4] = 252 };
	uint8_t data[252] = { 0 }, status = rc_cmd(c, cdb, sizeof(cdb), LU_DIR_IN, data,
	    sizeof(data));
	struct sense_data sense;

	ck_assert_int_eq(sense_parse(data, sizeof(data), &sense), 0);
	*ret_asc = sense.asc;
	return status;
}

static void
interlock_scenario(void *arg UNUSED)
{
	bool is_kept = interlock >= 2;
	uint16_t asc;

	script.interlock = interlock;
	begin();
	port_at_home(raise_visit, NULL);
	rc_told(&a, ASC_PARAMETERS_CHANGED);
	rc_told(&a, is_kept ? ASC_PARAMETERS_CHANGED : ASC_LOG_PARAMETERS_CHANGED);
	if (is_kept) {
		rc_told(&a, ASC_PARAMETERS_CHANGED);
		ck_assert_uint_eq(request_sense(&a, &asc), RC_GOOD);
		ck_assert_uint_eq(asc, ASC_PARAMETERS_CHANGED);
		rc_told(&a, ASC_LOG_PARAMETERS_CHANGED);
		(void)request_sense(&a, &asc);
		(void)request_sense(&b, &asc);
		(void)request_sense(&twin, &asc);
	} else {
		rc_told(&b, ASC_THIN_THRESHOLD);
		rc_told(&twin, ASC_LOG_PARAMETERS_CHANGED);
	}
	quiet();
	/* a status that is none of a command that was done */
	ck_assert_uint_eq(rc_op(&a, OP_RESERVE_6), RC_GOOD);
	ck_assert_uint_eq(rc_op(&b, OP_READ_10), SAM_STAT_RESERVATION_CONFLICT);
	ck_assert_uint_eq(rc_op(&a, OP_RELEASE_6), RC_GOOD);
	rc_told(&b, interlock == 3 ? ASC_PREVIOUS_CONFLICT : 0);
	if (interlock == 3)
		(void)request_sense(&b, &asc);
	quiet();
	end();
	script.interlock = 0;
}

START_TEST(attentions_stay_as_long_as_the_page_says)
{
	static const uint8_t values[] = { 0, 2, 3 };

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		interlock = values[i];
		port_sim(interlock_scenario);
	}
}
END_TEST

/* ------ resets ------ */

static void
reset_scenario(void *arg UNUSED)
{
	struct stm tm;

	begin();
	port_at_home(raise_visit, NULL);
	script.ua = ASC_DEVICE_RESET;	/* the device tells of it, too: nobody hears it twice */
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_LUN_RESET, 0), LU_TMF_DONE);
	rc_told(&a, ASC_DEVICE_RESET);
	rc_told(&b, ASC_DEVICE_RESET);
	rc_told(&twin, ASC_DEVICE_RESET);
	quiet();
	ck_assert_uint_eq(script.ua, 0);
	/* one that it had no part in */
	script.ua = ASC_POWER_ON_OR_RESET;
	rc_told(&b, ASC_POWER_ON_OR_RESET);
	rc_told(&a, ASC_POWER_ON_OR_RESET);
	end();
}

START_TEST(a_reset_is_told_to_everyone_once)
{
	port_sim(reset_scenario);
}
END_TEST

/* the HBA says that there was one; the device says so when the next command comes */
static void
seen_scenario(void *arg UNUSED)
{
	begin();
	script.ua = ASC_BUS_RESET;
	mutex_enter(&port.lock);
	scsi_hba_reset_notify_callback(&port.lock, &port.notify);
	mutex_exit(&port.lock);
	sim_settle();
	rc_told(&a, ASC_POWER_ON_OR_RESET);
	rc_told(&b, ASC_POWER_ON_OR_RESET);
	rc_told(&twin, ASC_POWER_ON_OR_RESET);
	quiet();
	ck_assert_uint_eq(script.ua, 0);
	end();
}

START_TEST(a_reset_that_the_hba_saw)
{
	port_sim(seen_scenario);
}
END_TEST

static void
descriptor_scenario(void *arg UNUSED)
{
	script.is_descriptor = true;
	begin();
	port_at_home(raise_visit, NULL);
	rc_told(&b, ASC_THIN_THRESHOLD);
	ck_assert_int_eq(b.sense.format, SENSE_FMT_DESCRIPTOR);
	end();
}

START_TEST(in_the_format_of_the_control_page)
{
	port_sim(descriptor_scenario);
}
END_TEST

CHECK_MAIN("unit attentions", set_has_an_order, set_forgets, to_whom_it_concerns,
    three_commands_are_exempt, attention_goes_before_refusal, a_new_nexus_hears_nothing,
    what_the_device_tells_one_all_hear, who_changes_something_tells_the_others,
    attentions_stay_as_long_as_the_page_says,
    a_reset_is_told_to_everyone_once, a_reset_that_the_hba_saw,
    in_the_format_of_the_control_page)
