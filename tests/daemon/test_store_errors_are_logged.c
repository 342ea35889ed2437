/* what an operator must know of a unit's store is in the log: at once, then once a minute */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "check_main.h"
#include "mock_client.h"
#include "scsi/cdb.h"
#include "scsi/status.h"

#define LINES_MAX	32

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char lines[LINES_MAX][512];
static size_t n_lines;
static _Atomic uint64_t skipped_ns;

static void
line_take(enum log_level level, const char *line, void *arg)
{
	(void)arg;
	if (level != LOG_LEVEL_WARNING)
		return;
	(void)pthread_mutex_lock(&lock);
	if (n_lines < LINES_MAX)
		(void)snprintf(lines[n_lines++], sizeof(lines[0]), "%s", line);
	(void)pthread_mutex_unlock(&lock);
}

static size_t
lines_count(void)
{
	size_t n;

	(void)pthread_mutex_lock(&lock);
	n = n_lines;
	(void)pthread_mutex_unlock(&lock);
	return n;
}

static uint64_t
now(void *arg)
{
	struct timespec ts;

	(void)arg;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec + atomic_load(&skipped_ns);
}

/* before the first thread: the one that serves timeouts stays until the end */
static void
clock_once(void)
{
	static bool is_set;

	if (!is_set)
		clock_set_source(now, NULL);
	is_set = true;
}

static void
begin(struct fixture *f, struct mc *c)
{
	n_lines = 0;
	clock_once();
	fixture_init(f);
	log_set_sink(line_take, NULL);
	log_set_level(LOG_LEVEL_WARNING);
	fixture_disk(f, "mem:16M,serial=AAA");
	fixture_disk(f, "mem:16M,serial=BBB");
	fixture_start(f);
	mc_connect(f, c);
}

static void
end(struct fixture *f, struct mc *c)
{
	mc_close(c);
	fixture_stop(f);
	log_set_sink(NULL, NULL);
}

/* the log line is written before the answer comes */
static void
write_fails(struct mc *c, uint64_t h, unsigned int times)
{
	static uint8_t data[512];
	uint8_t cdb[CDB_BUF_LEN];

	for (unsigned int i = 0; i < times; i++) {
		uint32_t id = mc_submit(c, h, cdb, mc_cdb_write(cdb, 100, 1),
		    SCSAD__DIRECTION__DIR_OUT, data, sizeof(data));

		ck_assert_uint_eq(mc_completion(c, id)->scsi_status, SAM_STAT_CHECK_CONDITION);
	}
}

START_TEST(once_and_then_once_a_minute)
{
	struct fixture f;
	struct mc c;
	uint64_t h;

	begin(&f, &c);
	h = mc_open(&c, "AAA");
	(void)mc_fault(&c, "action=medium,lba=100");
	write_fails(&c, h, 1);
	ck_assert_uint_eq(lines_count(), 1);
	ck_assert_ptr_nonnull(strstr(lines[0], "soft0/iport0/disk@0,0: MEDIUM ERROR"));
	ck_assert_ptr_nonnull(strstr(lines[0], "so: 1"));
	write_fails(&c, h, 10);
	ck_assert_uint_eq(lines_count(), 1);
	atomic_fetch_add(&skipped_ns, 59 * NS_PER_S);
	write_fails(&c, h, 1);
	ck_assert_uint_eq(lines_count(), 1);
	atomic_fetch_add(&skipped_ns, 2 * NS_PER_S);
	write_fails(&c, h, 1);
	ck_assert_uint_eq(lines_count(), 2);
	ck_assert_ptr_nonnull(strstr(lines[1], "so: 12"));
	end(&f, &c);
}
END_TEST

START_TEST(units_and_kinds_by_themselves)
{
	struct fixture f;
	struct mc c;
	uint64_t a, b;

	begin(&f, &c);
	a = mc_open(&c, "AAA");
	b = mc_open(&c, "BBB");
	(void)mc_fault(&c, "action=check,sense=7/27/07,target=0,op=write");
	write_fails(&c, a, 3);
	ck_assert_uint_eq(lines_count(), 1);
	ck_assert_ptr_nonnull(strstr(lines[0], "disk@0,0: no room"));
	(void)mc_fault(&c, "action=medium,target=1");
	write_fails(&c, b, 3);
	ck_assert_uint_eq(lines_count(), 2);
	ck_assert_ptr_nonnull(strstr(lines[1], "disk@1,0: MEDIUM ERROR"));
	end(&f, &c);
}
END_TEST

/* refusals that are the client's own are nothing for the operator */
START_TEST(other_checks_are_quiet)
{
	struct fixture f;
	struct mc c;
	uint64_t h;

	begin(&f, &c);
	h = mc_open(&c, "AAA");
	(void)mc_fault(&c, "action=check,sense=7/27/00,op=write,count=1");
	(void)mc_fault(&c, "action=check,sense=5/24/00,op=write,count=1");
	(void)mc_fault(&c, "action=check,sense=6/29/00,op=write,count=1");
	write_fails(&c, h, 3);
	ck_assert_uint_eq(lines_count(), 0);
	end(&f, &c);
}
END_TEST

CHECK_MAIN("store errors", once_and_then_once_a_minute, units_and_kinds_by_themselves,
    other_checks_are_quiet)
