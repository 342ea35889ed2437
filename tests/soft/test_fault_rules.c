/* fault rules hit what they name, as often as they say, the same again with the same seed */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "hw/soft/fault.h"

static char err[FAULT_ERR_LEN];
static struct fault_set set;

static const uint8_t read_10[10] = { 0x28 }, write_16[16] = { 0x8a }, tur[6] = { 0 };

static struct fault_subject
subject(const uint8_t *cdb, int target, int lun, uint64_t lba, uint64_t blocks)
{
	return (struct fault_subject){ .cdb = cdb, .cdb_len = 6, .target = target, .lun = lun,
		.has_lba = blocks > 0, .lba = lba, .blocks = blocks };
}

static uint32_t
add(const char *text)
{
	struct fault_rule rule;
	uint32_t id = 0;

	ck_assert_msg(fault_parse(text, &rule, err) == 0, "%s: %s", text, err);
	ck_assert_int_eq(fault_add(&set, &rule, &id), 0);
	return id;
}

static enum fault_action
match(struct fault_subject s)
{
	return fault_match(&set, &s).action;
}

START_TEST(words_come_back)
{
	static const char *const texts[] = {
		"action=drop",
		"action=delay,target=1,lun=2,op=read,lba=0-99,us=50000,count=3,prob=500,seed=7",
		"action=check,op=0x12,sense=3/11/00",
		"action=short,op=write,bytes=512",
		"action=stuck,op=read,until=target,count=1",
	};
	char buf[FAULT_TEXT_LEN];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fault_rule rule;

		ck_assert_int_eq(fault_parse(texts[i], &rule, err), 0);
		ck_assert_str_eq(fault_format(&rule, buf), texts[i]);
	}
}
END_TEST

START_TEST(every_action_has_a_name)
{
	for (unsigned int i = FAULT_DELAY; i < FAULT_ACTION_N; i++) {
		char text[64];
		struct fault_rule rule;

		snprintf(text, sizeof(text), "action=%s%s",
		    fault_action_name((enum fault_action)i),
		    i == FAULT_DELAY   ? ",ms=1"
		    : i == FAULT_CHECK ? ",sense=2/4/1"
		    : i == FAULT_SHORT || i == FAULT_RESID ? ",bytes=1"
				       : "");
		ck_assert_msg(fault_parse(text, &rule, err) == 0, "%s", err);
		ck_assert_uint_eq(rule.action, i);
	}
	ck_assert_str_eq(fault_action_name(FAULT_ACTION_N), "none");
}
END_TEST

START_TEST(mistakes_are_named)
{
	static const struct { const char *text, *says;
	} bad[] = {
	    {"", "missing"},
	    {"op=read", "'action' is missing"},
	    {"action=explode", "needs one of delay"},
	    {"action", "needs one of delay"},
	    {"action=delay", "needs a time"},
	    {"action=drop,ms=1", "takes no time"},
	    {"action=delay,ms=1,us=1", "given twice"},
	    {"action=delay,s=3601", "0 to 3600"},
	    {"action=check", "needs 'sense'"},
	    {"action=check,sense=3", "in hex"},
	    {"action=check,sense=10/0/0", "in hex"},
	    {"action=check,sense=3/11/00x", "in hex"},
	    {"action=busy,sense=3/11/0", "takes no 'sense'"},
	    {"action=short", "needs 'bytes'"},
	    {"action=busy,bytes=1", "takes no 'bytes'"},
	    {"action=busy,until=lun", "takes no 'until'"},
	    {"action=stuck,until=never", "lun target bus hba quiesce"},
	    {"action=stuck,until", "lun target bus hba quiesce"},
	    {"action=drop,op=fly", "needs read, write"},
	    {"action=drop,op=256", "needs read"},
	    {"action=drop,lba=9-1", "range of blocks"},
	    {"action=drop,lba=-", "range"},
	    {"action=drop,lba=", "range"},
	    {"action=drop,count=0", "1 to"},
	    {"action=drop,prob=1001", "1 to 1000"},
	    {"action=drop,target=x", "0 to 65535"},
	    {"action=drop,seed=x", "number"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault_rule rule;

		ck_assert_int_eq(fault_parse(bad[i].text, &rule, err), -EINVAL);
		ck_assert_msg(
		    strstr(err, bad[i].says) != NULL, "'%s' gave '%s'", bad[i].text, err);
	}
}
END_TEST

START_TEST(scope_is_obeyed)
{
	fault_set_init(&set);
	(void)add("action=busy,target=1,lun=2,op=read,lba=100-199");
	ck_assert_int_eq(match(subject(read_10, 1, 2, 150, 1)), FAULT_BUSY);
	ck_assert_int_eq(match(subject(read_10, 1, 2, 99, 1)), FAULT_NONE);
	ck_assert_int_eq(match(subject(read_10, 1, 2, 99, 2)), FAULT_BUSY);
	ck_assert_int_eq(match(subject(read_10, 1, 2, 199, 8)), FAULT_BUSY);
	ck_assert_int_eq(match(subject(read_10, 1, 2, 200, 8)), FAULT_NONE);
	ck_assert_int_eq(match(subject(read_10, 0, 2, 150, 1)), FAULT_NONE);
	ck_assert_int_eq(match(subject(read_10, 1, 3, 150, 1)), FAULT_NONE);
	ck_assert_int_eq(match(subject(write_16, 1, 2, 150, 1)), FAULT_NONE);
	ck_assert_int_eq(match(subject(tur, 1, 2, 0, 0)), FAULT_NONE);
	ck_assert_int_eq(match(subject(read_10, 1, 2, UINT64_MAX, 2)), FAULT_NONE);
}
END_TEST

START_TEST(count_runs_out)
{
	uint32_t id;

	fault_set_init(&set);
	id = add("action=qfull,op=0x00,count=2");
	ck_assert(fault_is_armed(&set));
	ck_assert_int_eq(match(subject(tur, 0, 0, 0, 0)), FAULT_QFULL);
	ck_assert_int_eq(match(subject(tur, 0, 0, 0, 0)), FAULT_QFULL);
	ck_assert_int_eq(match(subject(tur, 0, 0, 0, 0)), FAULT_NONE);
	ck_assert(!fault_is_armed(&set));
	ck_assert_uint_eq(set.slots[0].rule.hits, 2);
	ck_assert_int_eq(fault_remove(&set, id), 0);
	ck_assert_int_eq(fault_remove(&set, id), -ENOENT);
}
END_TEST

START_TEST(chance_follows_the_seed)
{
	unsigned int hits[2] = { 0, 0 };
	char trace[2][200];

	for (int run = 0; run < 2; run++) {
		fault_set_init(&set);
		(void)add("action=busy,prob=300,seed=42");
		for (int i = 0; i < 200; i++) {
			trace[run][i] = match(subject(tur, 0, 0, 0, 0)) == FAULT_BUSY;
			hits[run] += (unsigned int)trace[run][i];
		}
	}
	ck_assert_mem_eq(trace[0], trace[1], 200);
	ck_assert_uint_gt(hits[0], 30);
	ck_assert_uint_lt(hits[0], 90);
}
END_TEST

START_TEST(delay_adds_to_the_next_action)
{
	struct fault_subject s = subject(read_10, 0, 0, 5, 1);
	struct fault_verdict v;

	fault_set_init(&set);
	(void)add("action=delay,ms=5");
	(void)add("action=delay,ms=2");
	(void)add("action=medium,lba=3-9");
	v = fault_match(&set, &s);
	ck_assert_int_eq(v.action, FAULT_MEDIUM);
	ck_assert_uint_eq(v.delay_us, 5000);
	ck_assert_uint_eq(v.lba, 5);
	s.lba = 1;
	s.blocks = 8;
	ck_assert_uint_eq(fault_match(&set, &s).lba, 3);
}
END_TEST

START_TEST(used_rules_make_room)
{
	struct fault_rule rule;
	uint32_t id;

	fault_set_init(&set);
	(void)add("action=drop,count=1");
	for (int i = 1; i < FAULT_MAX; i++)
		(void)add("action=busy,target=9");
	ck_assert_int_eq(fault_parse("action=gone", &rule, err), 0);
	ck_assert_int_eq(fault_add(&set, &rule, &id), -ENOSPC);
	ck_assert_int_eq(match(subject(tur, 0, 0, 0, 0)), FAULT_DROP);
	ck_assert_int_eq(fault_add(&set, &rule, &id), 0);
	ck_assert_int_eq(match(subject(tur, 0, 0, 0, 0)), FAULT_GONE);
	ck_assert_int_eq(fault_remove(&set, 0), 0);
	ck_assert_int_eq(match(subject(tur, 0, 0, 0, 0)), FAULT_NONE);
}
END_TEST

CHECK_MAIN("fault rules", words_come_back, every_action_has_a_name, mistakes_are_named,
    scope_is_obeyed, count_runs_out, chance_follows_the_seed, delay_adds_to_the_next_action,
    used_rules_make_room)
