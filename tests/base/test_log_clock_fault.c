#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/sm.h"
#include "check_main.h"

static char last[1100];
static int lines;

static void
keep(enum log_level level, const char *line, void *arg)
{
	(void)arg;
	(void)level;
	strcpy(last, line);
	lines++;
}

START_TEST(log_lets_through_what_the_level_says)
{
	char big[3000];
	enum log_level level = LOG_LEVEL_ERROR;

	log_set_sink(keep, NULL);
	lines = 0;
	log_info("not this");
	ck_assert_int_eq(lines, 0);
	log_notice("unit %d ready", 3);
	ck_assert_str_eq(last, "unit 3 ready");
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("nor this");
	ck_assert_int_eq(lines, 1);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_error("%s", big);
	ck_assert_uint_eq(strlen(last), 1000);
	log_debug("%d", ++lines);
	ck_assert_int_eq(lines, 2);
	ck_assert(log_level_parse("debug", &level));
	ck_assert_int_eq(level, LOG_LEVEL_DEBUG);
	ck_assert(!log_level_parse("loud", &level));
}
END_TEST

static uint64_t
seven(void *arg)
{
	return *(uint64_t *)arg;
}

START_TEST(clock_can_be_replaced_and_put_back)
{
	uint64_t t = 7, a = clock_now_ns();

	clock_set_source(seven, &t);
	ck_assert_uint_eq(clock_now_ns(), 7);
	clock_set_source(NULL, NULL);
	ck_assert_uint_ge(clock_now_ns(), a);
}
END_TEST

START_TEST(the_nth_call_fails_once)
{
	for (int n = 1; n < 5; n++) {
		int failed_at = 0;

		fault_arm(n);
		for (int i = 1; i <= 6; i++)
			if (fault_hit()) {
				ck_assert_int_eq(failed_at, 0);
				failed_at = i;
			}
		ck_assert_int_eq(failed_at, n);
		ck_assert(fault_disarm());
	}
	fault_arm(10);
	ck_assert(!fault_hit());
	ck_assert(!fault_disarm());
	ck_assert(!fault_hit());
}
END_TEST

START_TEST(same_seed_same_numbers)
{
	struct rng a = rng_init(1), b = rng_init(1), c = rng_init(2);
	int same = 0;

	for (int i = 0; i < 100; i++) {
		uint64_t x = rng_next(&a);

		ck_assert_uint_eq(x, rng_next(&b));
		same += x == rng_next(&c);
		ck_assert_uint_lt(rng_below(&a, 10), 10);
		(void)rng_next(&b);
	}
	ck_assert_int_eq(same, 0);
}
END_TEST

START_TEST(machines_move_only_as_listed)
{
	static const struct sm_state states[] = {
		{ "on", SM_TO(1) },
		{ "off", 0 },
	};
	unsigned int state = 0;

	ck_assert(sm_can(states, 0, 1));
	ck_assert(!sm_can(states, 1, 0));
	ck_assert(!sm_can(states, 0, 0));
	ck_assert(sm_move(states, &state, 1));
	ck_assert_uint_eq(state, 1);
}
END_TEST

CHECK_MAIN("base", log_lets_through_what_the_level_says, clock_can_be_replaced_and_put_back,
    the_nth_call_fails_once, same_seed_same_numbers, machines_move_only_as_listed)
