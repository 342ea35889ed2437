/* capacity, write protection and media: what lu_info() says is what the device says now */
#include <string.h>

#include "check_main.h"
#include "mock_script.h"

static struct rclient a, b;
static struct ptask t;
static const uint8_t format[6] = { 0x04 };

static void
begin(void)
{
	script_begin(PORT_INLINE);
	rc_open(&a, script_unit, 'a', 1);
	rc_open(&b, script_unit, 'b', 1);
	script.n_capacity = script.n_modes = 0;
}

static void
end(void)
{
	rc_leave(&a);
	rc_leave(&b);
	script_end();
}

static void
expect(uint64_t blocks, int n_events)
{
	sim_settle();
	ck_assert_uint_eq(lu_info(script_unit)->blocks, blocks);
	ck_assert_int_eq(port_events[LU_EVENT_CHANGED], n_events);
}

static void
grow_scenario(void *arg UNUSED)
{
	begin();
	expect(1000, 0);
	script.last_lba = 1999;
	script.ua = ASC_CAPACITY_CHANGED;
	rc_told(&a, ASC_CAPACITY_CHANGED);
	expect(2000, 1);
	rc_told(&b, ASC_CAPACITY_CHANGED);
	rc_told(&a, 0);
	rc_told(&b, 0);
	ck_assert_int_eq(script.n_capacity, 1);
	end();
}

START_TEST(capacity_grows)
{
	port_sim(grow_scenario);
}
END_TEST

/* a reset or an abort of others may end the question: it is asked again, not for ever */
static void
ended_scenario(void *arg UNUSED)
{
	begin();
	script.last_lba = 1999;
	script.ua = ASC_CAPACITY_CHANGED;
	script.n_ended = 2;
	rc_told(&a, ASC_CAPACITY_CHANGED);
	expect(2000, 1);
	ck_assert_int_eq(script.n_capacity, 3);

	script.is_protected = true;
	script.ua = ASC_MODE_PARAMETERS_CHANGED;
	script.n_ended = 1;
	rc_told(&a, ASC_MODE_PARAMETERS_CHANGED);
	sim_settle();
	ck_assert(lu_info(script_unit)->is_readonly);
	ck_assert_int_eq(script.n_modes, 2);

	script.n_capacity = 0;
	script.last_lba = 2999;
	script.ua = ASC_CAPACITY_CHANGED;
	script.n_ended = 1000;
	rc_told(&a, ASC_CAPACITY_CHANGED);
	sim_settle();
	ck_assert_int_lt(script.n_capacity, 10);
	script.n_ended = 0;
	end();
}

START_TEST(a_question_that_was_ended_is_asked_again)
{
	port_sim(ended_scenario);
}
END_TEST

/* values that were rounded are new ones all the same */
static void
rounded_scenario(void *arg UNUSED)
{
	static const uint8_t select[6] = { 0x15, 0x10, 0, 0, 24 };
	uint8_t list[24] = { 0 };

	begin();
	script.is_rounded = true;
	script.is_protected = true;
	ck_assert_uint_eq(rc_cmd(&a, select, sizeof(select), LU_DIR_OUT, list, sizeof(list)),
	    RC_CHECK);
	ck_assert_uint_eq(a.sense.key, SENSE_RECOVERED_ERROR);
	sim_settle();
	ck_assert_int_eq(script.n_modes, 1);
	ck_assert(lu_info(script_unit)->is_readonly);
	rc_told(&b, ASC_MODE_PARAMETERS_CHANGED);
	rc_told(&a, 0);
	end();
}

START_TEST(rounded_modes_are_new_modes)
{
	port_sim(rounded_scenario);
}
END_TEST

/* more blocks than READ CAPACITY(10) can say; mock_port.c answers the longer one */
static void
large_scenario(void *arg UNUSED)
{
	begin();
	script.last_lba = UINT32_MAX;
	script.ua = ASC_CAPACITY_CHANGED;
	rc_told(&a, ASC_CAPACITY_CHANGED);
	expect(0x200000000ull, 1);
	end();
}

START_TEST(capacity_becomes_large)
{
	port_sim(large_scenario);
}
END_TEST

/* who formats knows; the others are told, if it is another capacity */
static void
format_scenario(void *arg UNUSED)
{
	begin();
	ck_assert_uint_eq(rc_cmd(&a, format, 6, LU_DIR_NONE, NULL, 0), RC_GOOD);
	expect(1000, 0);
	rc_told(&b, 0);
	script.last_lba = 499;
	ck_assert_uint_eq(rc_cmd(&a, format, 6, LU_DIR_NONE, NULL, 0), RC_GOOD);
	expect(500, 1);
	rc_told(&a, 0);
	rc_told(&b, ASC_CAPACITY_CHANGED);
	end();
}

START_TEST(format_changes_the_capacity)
{
	port_sim(format_scenario);
}
END_TEST

/* a READ of one block into @len bytes: what came, and nothing is known of more or less */
static void
expect_whole(uint32_t len)
{
	ptask_init(&t, &a.nexus);
	ptask_read(&t, 1, len);
	ptask_run(&t);
	ck_assert_uint_eq(t.lu.status, RC_GOOD);
	ck_assert_uint_eq(t.lu.moved, len);
	ck_assert_int_eq(t.lu.resid_kind, LU_RESID_NONE);
}

/* while the device is asked nobody's buffer is cut at the old length of blocks */
static void
block_scenario(void *arg UNUSED)
{
	begin();
	expect_whole(512);
	port.kept = 0x25;
	script.block_bytes = 4096;
	ck_assert_uint_eq(rc_cmd(&a, format, 6, LU_DIR_NONE, NULL, 0), RC_GOOD);
	expect_whole(4096);
	port_release();
	sim_settle();
	ck_assert_uint_eq(lu_info(script_unit)->block_bytes, 4096);
	expect_whole(4096);
	rc_told(&b, ASC_CAPACITY_CHANGED);
	end();
}

START_TEST(blocks_get_another_length)
{
	port_sim(block_scenario);
}
END_TEST

/* a format with IMMED: the capacity is asked for again when there is one, once */
static void
immed_scenario(void *arg UNUSED)
{
	begin();
	script.not_ready = ASC_FORMAT_IN_PROGRESS;
	script.block_bytes = 4096;
	ck_assert_uint_eq(rc_cmd(&a, format, 6, LU_DIR_NONE, NULL, 0), RC_GOOD);
	sim_settle();
	ck_assert_int_eq(script.n_capacity, 1);
	script.not_ready = 0;
	expect_whole(4096);
	sim_settle();
	ck_assert_uint_eq(lu_info(script_unit)->block_bytes, 4096);
	expect_whole(4096);
	(void)rc_op(&a, OP_TEST_UNIT_READY);
	sim_settle();
	ck_assert_int_eq(script.n_capacity, 2);
	rc_told(&b, ASC_CAPACITY_CHANGED);
	rc_told(&a, 0);
	end();
}

START_TEST(format_ends_later)
{
	port_sim(immed_scenario);
}
END_TEST

/* it was not ready when it came */
static void
late_scenario(void *arg UNUSED)
{
	script.not_ready = ASC_BECOMING_READY;
	begin();
	expect(0, 0);
	expect_whole(4096);
	expect(0, 0);
	script.not_ready = 0;
	ck_assert_uint_eq(rc_op(&a, OP_TEST_UNIT_READY), RC_GOOD);
	expect(1000, 1);
	rc_told(&a, 0);
	rc_told(&b, 0);
	end();
}

START_TEST(capacity_comes_later)
{
	port_sim(late_scenario);
}
END_TEST

static void
medium_scenario(void *arg UNUSED)
{
	static const uint8_t eject[6] = { 0x1b, 0, 0, 0, 2 }, load[6] = { 0x1b, 0, 0, 0, 3 };

	begin();
	script.is_absent = true;
	ck_assert_uint_eq(rc_cmd(&a, eject, 6, LU_DIR_NONE, NULL, 0), RC_GOOD);
	expect(0, 1);
	script.is_absent = false;
	script.last_lba = 99;
	script.is_protected = true;
	ck_assert_uint_eq(rc_cmd(&a, load, 6, LU_DIR_NONE, NULL, 0), RC_GOOD);
	expect(100, 2);
	ck_assert(lu_info(script_unit)->is_readonly);
	/* by hand: the device says so */
	script.is_protected = false;
	script.ua = ASC_MEDIUM_CHANGED;
	rc_told(&b, ASC_CAPACITY_CHANGED);
	(void)rc_op(&b, OP_TEST_UNIT_READY);
	end();
}

START_TEST(media_come_and_go)
{
	port_sim(medium_scenario);
}
END_TEST

static void
protect_scenario(void *arg UNUSED)
{
	begin();
	ck_assert(!lu_info(script_unit)->is_readonly);
	script.is_protected = true;
	script.ua = ASC_MODE_PARAMETERS_CHANGED;
	rc_told(&a, ASC_MODE_PARAMETERS_CHANGED);
	expect(1000, 1);
	ck_assert(lu_info(script_unit)->is_readonly);
	ck_assert_int_eq(script.n_capacity, 0);
	end();
}

START_TEST(write_protection)
{
	port_sim(protect_scenario);
}
END_TEST

/* the device has more to tell while it is asked */
static void
busy_scenario(void *arg UNUSED)
{
	begin();
	script.ua = ASC_CAPACITY_CHANGED;
	rc_told(&a, ASC_CAPACITY_CHANGED);
	script.last_lba = 9;
	script.ua = ASC_CAPACITY_CHANGED;
	rc_told(&b, ASC_CAPACITY_CHANGED);
	sim_settle();
	(void)rc_op(&a, OP_TEST_UNIT_READY);
	(void)rc_op(&b, OP_TEST_UNIT_READY);
	sim_settle();
	ck_assert_uint_eq(lu_info(script_unit)->blocks, 10);
	ck_assert_uint_eq(script.ua, 0);
	rc_told(&a, 0);
	rc_told(&b, 0);
	end();
}

START_TEST(news_upon_news)
{
	port_sim(busy_scenario);
}
END_TEST

CHECK_MAIN("follows", capacity_grows, a_question_that_was_ended_is_asked_again,
    rounded_modes_are_new_modes, capacity_becomes_large, format_changes_the_capacity,
    blocks_get_another_length, format_ends_later, capacity_comes_later, media_come_and_go,
    write_protection, news_upon_news)
