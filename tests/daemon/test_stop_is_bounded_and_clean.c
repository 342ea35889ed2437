/* stopping: packets in flight end or are aborted, clients are told, the socket goes */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "check_main.h"
#include "mock_client.h"
#include "scsi/cdb.h"
#include <sys/scsi/scsi_pkt.h>

static uint8_t cdb[CDB_BUF_LEN];

static void *
stopper(void *arg)
{
	fixture_stop(arg);
	return NULL;
}

static void
stop_with(const char *rule, uint32_t drain_ms, unsigned int loops, uint8_t want_reason)
{
	struct fixture f;
	struct mc c;
	struct stat st;
	char socket_path[80];
	pthread_t thread;
	uint32_t ids[5];
	uint64_t h;

	fixture_init(&f);
	f.conf.drain_ms = drain_ms;
	f.conf.loops = loops;
	fixture_disk(&f, "mem:1M");
	fixture_disk(&f, "mem:1M");
	fixture_start(&f);
	(void)snprintf(socket_path, sizeof(socket_path), "%s/s", f.dir);
	ck_assert_int_eq(stat(socket_path, &st), 0);
	mc_connect(&f, &c);
	(void)mc_open(&c, "disk@0,0");
	h = mc_open(&c, "disk@1,0");
	(void)mc_fault(&c, rule);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		ids[i] = mc_submit(&c, h, cdb, cdb_tur(cdb), SCSAD__DIRECTION__DIR_NONE, NULL,
		    0);
	mc_check_alive(&c);
	ck_assert_int_eq(pthread_create(&thread, NULL, stopper, &f), 0);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		ck_assert_uint_eq(mc_completion(&c, ids[i])->reason, want_reason);
	mc_expect_end(&c);
	(void)pthread_join(thread, NULL);
	mc_close(&c);
	ck_assert_int_lt(stat(socket_path, &st), 0);
}

START_TEST(late_packets_are_waited_for)
{
	stop_with("action=delay,ms=200", 10000, 1, CMD_CMPLT);
}
END_TEST

START_TEST(dropped_packets_are_aborted)
{
	stop_with("action=drop", 50, 1, CMD_ABORTED);
}
END_TEST

START_TEST(dropped_packets_of_other_loops_are_aborted)
{
	stop_with("action=drop", 50, 2, CMD_ABORTED);
}
END_TEST

START_TEST(nothing_new_while_draining)
{
	struct fixture f;
	struct mc c;
	Scsad__OpenRequest open = SCSAD__OPEN_REQUEST__INIT;
	uint64_t h;

	fixture_simple(&f);
	mc_connect(&f, &c);
	h = mc_open(&c, "DISK-A");
	ck_assert_uint_eq(rpc_server_drain(f.rpc, 0), 0);
	ck_assert_int_eq(mc_error(&c, mc_submit(&c, h, cdb, cdb_tur(cdb),
	    SCSAD__DIRECTION__DIR_NONE, NULL, 0)), SCSAD__ERROR_CODE__ERR_NOT_READY);
	open.name = (char *)(uintptr_t)"DISK-A";
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_OPEN, &open.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_NOT_READY);
	mc_check_alive(&c);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(start_that_fails_leaves_nothing)
{
	struct fixture f;

	fixture_init(&f);
	fixture_disk(&f, "mem:1M");
	fixture_disk(&f, "file:/no/such/image");
	f.conf.seccomp = SANDBOX_OFF;
	ck_assert_int_lt(daemon_start(&f.conf, &f.daemon), 0);
	fixture_stop(&f);
}
END_TEST

CHECK_MAIN("stop", late_packets_are_waited_for, dropped_packets_are_aborted,
    dropped_packets_of_other_loops_are_aborted, nothing_new_while_draining,
    start_that_fails_leaves_nothing)
