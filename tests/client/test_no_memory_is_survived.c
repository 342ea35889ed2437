/*
 * Every allocation of the library fails once in a session of all calls: the call that needed it
 * says -ENOMEM, or the connection ends; nothing leaks and nothing is told twice.
 *
 * The mock daemon shares the process, and with it the count of the fault helper; its arena is
 * warm before the walk begins and does not allocate again.
 */
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "check_main.h"
#include "mock_daemon.h"

static unsigned done;

static void
on_done(struct scsac *c, const struct scsac_result *result, void *arg)
{
	(void)c;
	(void)result;
	(void)arg;
	done++;
}

static int
packets(struct scsac *c)
{
	static uint8_t data[MOCK_BLOCK];
	static const uint8_t cdb[10] = { 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0 };
	const struct scsac_cmd cmd = { .handle = MOCK_HANDLE, .cdb = cdb, .cdb_len = 10,
		.direction = SCSAC_IN, .data = data, .data_len = sizeof(data) };
	unsigned taken = 0;
	int r = 0;

	done = 0;
	for (int i = 0; i < 250 && r == 0; i++) {
		r = scsac_submit(c, &cmd, on_done, NULL, NULL);
		taken += r == 0;
	}
	while (scsac_in_flight(c) > 0)
		(void)scsac_wait(c, -1);
	ck_assert_uint_eq(done, taken);
	return r;
}

static int
answers(struct scsac *c)
{
	struct scsac_list *list = NULL, *unit = NULL;
	struct scsac_show *show = NULL;
	struct scsac_status *status = NULL;
	struct scsac_caps *caps = NULL;
	struct scsac_faults *faults = NULL;
	struct scsac_change *change = NULL;
	uint64_t handle;
	int r;

	r = scsac_list(c, &list);
	r = r < 0 ? r : scsac_open(c, "disk", &handle, &unit);
	r = r < 0 ? r : scsac_show(c, "disk", &show);
	r = r < 0 ? r : scsac_status(c, &status);
	r = r < 0 ? r : scsac_getcap(c, 7, NULL, NULL, &caps);
	r = r < 0 ? r : scsac_fault_list(c, NULL, &faults);
	r = r < 0 ? r : scsac_target_add(c, NULL, "mem:1M", &change);
	scsac_list_free(list);
	scsac_list_free(unit);
	scsac_show_free(show);
	scsac_status_free(status);
	scsac_caps_free(caps);
	scsac_faults_free(faults);
	scsac_change_free(change);
	return r;
}

static int
session(struct mock *m)
{
	struct scsac *c = NULL;
	int r = scsac_new("test", &c);

	if (r < 0)
		return r;
	r = scsac_start_fd(c, mock_start(m));
	r = r < 0 ? r : scsac_connect(c, NULL);
	r = r < 0 ? r : answers(c);
	r = r < 0 ? r : packets(c);
	scsac_free(c);
	mock_stop(m);
	return r;
}

START_TEST(each_allocation_fails_once)
{
	struct mock m;
	int64_t n = 1;

	mock_init(&m);
	ck_assert_int_eq(arena_begin(&m.arena, 64), 0);
	for (;;) {
		int r;

		fault_arm(n);
		r = session(&m);
		if (!fault_disarm())
			break;
		ck_assert_msg(r == -ENOMEM || r == -ENOTCONN, "allocation %d: %d", (int)n, r);
		n++;
	}
	ck_assert_int_gt(n, 30);
	ck_assert_int_eq(session(&m), 0);
	mock_fini(&m);
}
END_TEST

CHECK_MAIN("no memory", each_allocation_fails_once)
