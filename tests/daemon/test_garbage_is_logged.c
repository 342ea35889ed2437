/* a client that breaks the rules is named in the log: who, and why; and no flood of it */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "check_main.h"
#include "mock_client.h"

#define LINES_MAX	256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char lines[LINES_MAX][512];
static size_t n_lines;
static _Atomic uint64_t stopped_ns;	/* 0: the clock goes */

static void
line_take(enum log_level level, const char *line, void *arg)
{
	(void)arg;
	if (level > LOG_LEVEL_WARNING)
		return;
	(void)pthread_mutex_lock(&lock);
	if (n_lines < LINES_MAX)
		(void)snprintf(lines[n_lines++], sizeof(lines[0]), "%s", line);
	(void)pthread_mutex_unlock(&lock);
}

static uint64_t
now(void *arg)
{
	uint64_t stopped = atomic_load(&stopped_ns);
	struct timespec ts;

	(void)arg;
	if (stopped != 0)
		return stopped;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
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
begin(struct fixture *f)
{
	n_lines = 0;
	clock_once();
	fixture_init(f);
	log_set_sink(line_take, NULL);
	log_set_level(LOG_LEVEL_WARNING);
	fixture_disk(f, "mem:1M,serial=AAA");
	fixture_start(f);
	atomic_store(&stopped_ns, clock_now_ns());
}

static void
end(struct fixture *f)
{
	/* units come and go with time */
	atomic_store(&stopped_ns, 0);
	fixture_stop(f);
	log_set_sink(NULL, NULL);
}

/* the connection has ended, so the line is there */
static void
garbage_send(struct fixture *f)
{
	uint8_t garbage[64];
	struct mc c;

	memset(garbage, 0xa5, sizeof(garbage));
	mc_connect(f, &c);
	mc_write(&c, garbage, sizeof(garbage));
	(void)mc_error(&c, 0);
	mc_expect_end(&c);
	mc_close(&c);
}

static void
line_check(size_t i, const char *reason)
{
	char who[64];

	(void)snprintf(who, sizeof(who), "uid %u pid %d: ", (unsigned int)getuid(),
	    (int)getpid());
	ck_assert_uint_gt(n_lines, i);
	ck_assert_msg(strstr(lines[i], who) != NULL, "%s", lines[i]);
	ck_assert_msg(strstr(lines[i], reason) != NULL, "%s", lines[i]);
	ck_assert_msg(strstr(lines[i], "connection closed") != NULL, "%s", lines[i]);
}

START_TEST(who_and_why)
{
	Scsad__StatusRequest status = SCSAD__STATUS_REQUEST__INIT;
	uint8_t cdb[16] = { 0 };
	struct fixture f;
	struct mc c;
	uint64_t h;
	uint32_t id;

	begin(&f);
	garbage_send(&f);
	line_check(0, "bad frame");

	mc_connect_raw(&f, &c);
	(void)mc_error(&c, mc_send(&c, METHOD_STATUS, &status.base, NULL, 0));
	mc_expect_end(&c);
	mc_close(&c);
	line_check(1, "no hello");

	/* an id that is in use */
	mc_connect(&f, &c);
	(void)mc_fault(&c, "action=drop");
	h = mc_open(&c, "AAA");
	id = mc_submit(&c, h, cdb, 6, SCSAD__DIRECTION__DIR_NONE, NULL, 0);
	c.last_id = id - 1;
	(void)mc_submit(&c, h, cdb, 6, SCSAD__DIRECTION__DIR_NONE, NULL, 0);
	ck_assert_int_eq(mc_error(&c, id), SCSAD__ERROR_CODE__ERR_DUPLICATE_ID);
	mc_expect_end(&c);
	mc_close(&c);
	line_check(2, "request id");
	ck_assert_uint_eq(n_lines, 3);
	end(&f);
}
END_TEST

START_TEST(flood)
{
	struct fixture f;

	begin(&f);
	for (int i = 0; i < 50; i++)
		garbage_send(&f);
	ck_assert_uint_eq(n_lines, 10);
	atomic_fetch_add(&stopped_ns, NS_PER_S);
	garbage_send(&f);
	ck_assert_uint_eq(n_lines, 12);
	ck_assert_ptr_nonnull(strstr(lines[10], "40 more lines"));
	end(&f);
}
END_TEST

CHECK_MAIN("garbage", who_and_why, flood)
