/* port groups of a unit: reported, set, saved, refused; who hears of it, and what is stopped */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "check_main.h"
#include "lu/alua.h"
#include "lu/port.h"
#include "mock_port.h"
#include "scsi/cdb.h"

static const struct lu_port one = { .rtpi = 1, .group = 1, .protocol = LU_PROTOCOL_ISCSI };
static const struct lu_port two = { .rtpi = 2, .group = 2, .protocol = LU_PROTOCOL_ISCSI };

static struct lu *unit;
static struct pnexus a, b;	/* through one, and through two */
static struct ptask t, other;
static int result;

static void
bind_visit(void *arg UNUSED)
{
	ck_assert_int_eq(lu_alua_bind(unit, &one), 0);
	ck_assert_int_eq(lu_alua_bind(unit, &two), 0);
}

static void
begin(void)
{
	port_begin();
	unit = port_unit("disk@0,0");
	pnexus_open_at(&a, unit, &one, NULL);
	pnexus_open_at(&b, unit, &two, NULL);
	ptask_init(&t, &a.lu);
	ptask_init(&other, &b.lu);
	port_at_home(bind_visit, NULL);
}

static void
end(void)
{
	pnexus_leave(&a);
	pnexus_leave(&b);
	lu_unref(unit);
	port_end();
}

/* as parameter list: pairs of state and group */
static void
stpg(struct ptask *task, const uint8_t *pairs, size_t n)
{
	const uint8_t cdb[12] = { 0xa4, 0x0a, [9] = (uint8_t)(4 + 4 * n) };

	memset(task->data, 0, sizeof(task->data));
	for (size_t i = 0; i < n; i++) {
		task->data[4 + 4 * i] = pairs[2 * i];
		task->data[7 + 4 * i] = pairs[2 * i + 1];
	}
	ptask_cdb(task, cdb, sizeof(cdb), LU_DIR_OUT, (uint32_t)(4 + 4 * n));
	ptask_run(task);
}

/* state of @group as RTPG tells it to @task's nexus */
static int
rtpg(struct ptask *task, uint8_t group)
{
	uint8_t cdb[CDB_BUF_LEN];
	size_t len = cdb_report_tpgs(cdb, 1024);

	ptask_cdb(task, cdb, len, LU_DIR_IN, 1024);
	ptask_run(task);
	ck_assert_uint_eq(task->lu.status, 0);
	ck_assert_uint_eq(be32_get(task->data) + 4, task->lu.moved);
	for (size_t at = 4; at < task->lu.moved; at += 8u + 4u * task->data[at + 7]) {
		if (be16_get(task->data + at + 2) == group)
			return task->data[at] & 0x0f;
	}
	return -1;
}

static uint32_t
tur(struct ptask *task)
{
	ptask_tur(task);
	ptask_run(task);
	return task->lu.status == STATUS_GOOD ? 0 : ptask_sense(task);
}

/* ------ scenarios ------ */

static void
set_scenario(void *arg UNUSED)
{
	static const uint8_t standby[] = { 2, 2 }, back[] = { 0, 2, 1, 1 };
	uint8_t cdb[CDB_BUF_LEN];

	begin();
	ck_assert_int_eq(rtpg(&t, 1), ALUA_OPTIMIZED);
	ck_assert_int_eq(rtpg(&other, 2), ALUA_OPTIMIZED);
	ck_assert_int_eq(rtpg(&t, 9), -1);

	stpg(&t, standby, 1);
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
	ck_assert_uint_eq(t.lu.moved, 8);
	ck_assert_int_eq(rtpg(&t, 2), ALUA_STANDBY);
	/* who asked hears nothing, the others once; then the state stops them */
	ck_assert_uint_eq(tur(&t), 0);
	ck_assert_uint_eq(tur(&other), 0x062a06);
	ck_assert_uint_eq(tur(&other), 0x02040b);
	ptask_cdb(&other, cdb, cdb_inquiry(cdb, 36), LU_DIR_IN, 36);
	ptask_run(&other);
	ck_assert_uint_eq(other.lu.status, STATUS_GOOD);

	/* also through the port that is in standby */
	stpg(&other, back, 2);
	ck_assert_uint_eq(other.lu.status, STATUS_GOOD);
	ck_assert_uint_eq(tur(&other), 0);
	ck_assert_uint_eq(tur(&t), 0x062a06);
	ck_assert_uint_eq(tur(&t), 0);
	ck_assert_int_eq(rtpg(&t, 1), ALUA_NON_OPTIMIZED);
	/* the same once more: nobody hears anything */
	stpg(&other, back, 2);
	ck_assert_uint_eq(tur(&t), 0);
	end();
}

START_TEST(states_are_set_and_told)
{
	port_sim(set_scenario);
}
END_TEST

static void
refuse_scenario(void *arg UNUSED)
{
	static const uint8_t cut[12] = { 0xa4, 0x0a, [9] = 8 }, none[12] = { 0xa4, 0x0a };
	static const uint8_t huge[12] = { 0xa4, 0x0a, [8] = 2 };
	static const uint8_t format[12] = { 0xa3, 0x4a, [9] = 64 };
	static const uint8_t unknown[] = { 0, 9 }, offline[] = { 0xe, 1 };

	begin();
	stpg(&t, unknown, 1);
	ck_assert_uint_eq(ptask_sense(&t), 0x052600);
	stpg(&t, offline, 1);
	ck_assert_uint_eq(ptask_sense(&t), 0x052600);
	/* less data than the CDB says, more than a list can have */
	ptask_cdb(&t, cut, sizeof(cut), LU_DIR_OUT, 4);
	ptask_run(&t);
	ck_assert_uint_eq(ptask_sense(&t), 0x051a00);
	ptask_cdb(&t, huge, sizeof(huge), LU_DIR_OUT, 512);
	ptask_run(&t);
	ck_assert_uint_eq(ptask_sense(&t), 0x051a00);
	ptask_cdb(&t, none, sizeof(none), LU_DIR_OUT, 0);
	ptask_run(&t);
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
	ptask_cdb(&t, format, sizeof(format), LU_DIR_IN, 64);
	ptask_run(&t);
	ck_assert_uint_eq(ptask_sense(&t), 0x052400);
	end();
}

START_TEST(bad_requests_are_refused)
{
	port_sim(refuse_scenario);
}
END_TEST

/* ------ the API ------ */

static void
api_visit(void *arg)
{
	switch (*(const int *)arg) {
	case 0:
		result = lu_alua_set(unit, 2, ALUA_UNAVAILABLE);
		break;
	case 1:
		result = lu_alua_first(unit, 2, ALUA_STANDBY);
		break;
	case 2:
		lu_alua_failed(unit);
		break;
	case 3:
		result = lu_alua_prefer(unit, 1, true);
		break;
	case 4:
		result = lu_alua_set_mode(unit, ALUA_MODE_IMPLICIT);
		break;
	case 5:
		result = lu_alua_set_mode(unit, ALUA_MODE_NONE);
		break;
	case 6:
		lu_alua_unbind(unit, &two);
		break;
	default:
		result = lu_alua_bind(unit, &two);
		break;
	}
}

static void
api(int what)
{
	result = -1;
	port_at_home(api_visit, &what);
}

static void
api_scenario(void *arg UNUSED)
{
	static const uint8_t optimized[] = { 0, 2 };
	uint8_t cdb[CDB_BUF_LEN];

	begin();
	api(0);
	ck_assert_int_eq(result, 0);
	ck_assert_uint_eq(tur(&t), 0x062a06);
	ck_assert_uint_eq(tur(&other), 0x062a06);
	ck_assert_uint_eq(tur(&other), 0x02040c);
	api(0);		/* no change */
	ck_assert_uint_eq(tur(&t), 0);
	api(2);
	ck_assert_uint_eq(tur(&t), 0x062a07);
	ck_assert_uint_eq(tur(&other), 0x062a07);
	api(3);
	ck_assert_int_eq(rtpg(&t, 1), ALUA_OPTIMIZED);
	ck_assert_uint_eq(t.data[4], 0x80);
	stpg(&t, optimized, 1);
	ck_assert_uint_eq(tur(&other), 0x062a06);
	api(1);		/* somebody chose meanwhile */
	ck_assert_int_eq(result, 0);
	ck_assert_int_eq(rtpg(&t, 2), ALUA_OPTIMIZED);
	api(4);
	stpg(&t, optimized, 1);
	ck_assert_uint_eq(ptask_sense(&t), 0x052400);
	ck_assert_int_eq(rtpg(&t, 2), ALUA_OPTIMIZED);
	api(5);
	ptask_cdb(&t, cdb, cdb_report_tpgs(cdb, 64), LU_DIR_IN, 64);
	ptask_run(&t);
	ck_assert_uint_eq(ptask_sense(&t), 0x052400);
	api(6);
	fault_arm(1);
	api(7);		/* needs no memory: the machine is there */
	(void)fault_disarm();
	ck_assert_int_eq(result, 0);
	end();
}

START_TEST(the_api_changes_states)
{
	port_sim(api_scenario);
}
END_TEST

/* ------ saving ------ */

static char dir[] = "/tmp/scsad-alua-XXXXXX";

static void
saved_scenario(void *arg UNUSED)
{
	static const uint8_t standby[] = { 2, 2 };
	char path[100];
	int fd;

	port.state_dir = dir;
	begin();
	stpg(&t, standby, 1);
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
	end();
	begin();
	ck_assert_int_eq(rtpg(&t, 2), ALUA_STANDBY);
	ck_assert_uint_eq(tur(&other), 0x02040b);
	api(1);
	ck_assert_int_eq(rtpg(&t, 2), ALUA_STANDBY);
	end();
	/* another unit is not concerned; a spoilt file is as good as none */
	(void)snprintf(path, sizeof(path), "%s/alua-MOCK_PORT%%20DISK_T0L0", dir);
	fd = open(path, O_WRONLY | O_TRUNC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "rubbish", 7), 7);
	ck_assert_int_eq(close(fd), 0);
	begin();
	ck_assert_int_eq(rtpg(&t, 2), ALUA_OPTIMIZED);
	api(1);
	ck_assert_uint_eq(tur(&t), 0x062a06);
	ck_assert_int_eq(rtpg(&t, 2), ALUA_STANDBY);
	end();
	ck_assert_int_eq(unlink(path), 0);
}

START_TEST(what_was_set_is_in_force_again)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	port_sim(saved_scenario);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

static void
unsaved_scenario(void *arg UNUSED)
{
	static const uint8_t standby[] = { 2, 2 };

	port.state_dir = "/nowhere/at/all";
	begin();
	stpg(&t, standby, 1);
	ck_assert_uint_eq(ptask_sense(&t), 0x04670a);
	ck_assert_int_eq(rtpg(&t, 2), ALUA_OPTIMIZED);
	ck_assert_uint_eq(tur(&other), 0);
	/* without memory */
	for (int64_t n = 1; n <= 2; n++) {
		fault_arm(n);
		stpg(&t, standby, 1);
		(void)fault_disarm();
		ck_assert_uint_eq(ptask_sense(&t), 0x055503);
	}
	end();
}

START_TEST(what_cannot_be_saved_does_not_happen)
{
	port_sim(unsaved_scenario);
}
END_TEST

/* ------ a host that has a say ------ */

static struct ptask late;
static int n_asked;

static int
gate(struct lu_host *host UNUSED, struct lu *lu UNUSED, uint16_t group, uint8_t state)
{
	static const uint8_t again[] = { 0, 1 };

	n_asked++;
	ck_assert_uint_eq(state, ALUA_STANDBY);
	/* meanwhile the groups are on their way, and nobody else can move them */
	ck_assert_int_eq(rtpg(&late, 1), ALUA_TRANSITIONING);
	ck_assert_int_eq(rtpg(&late, 2), ALUA_TRANSITIONING);
	ck_assert_uint_eq(tur(&late), 0x02040a);
	stpg(&late, again, 1);
	ck_assert_uint_eq(late.lu.status, STATUS_BUSY);
	return group == 1 ? -EPERM : 0;
}

static void
gate_scenario(void *arg UNUSED)
{
	static const uint8_t first[] = { 2, 2, 2, 1 }, second[] = { 2, 1, 2, 2 };

	begin();
	ptask_init(&late, &a.lu);
	port_host.alua_gate = gate;
	n_asked = 0;
	/* group 2 is let move, group 1 is not */
	stpg(&t, first, 2);
	ck_assert_uint_eq(ptask_sense(&t), 0x04670a);
	ck_assert_int_eq(n_asked, 2);
	ck_assert_int_eq(rtpg(&t, 1), ALUA_OPTIMIZED);
	ck_assert_int_eq(rtpg(&t, 2), ALUA_STANDBY);
	ck_assert_uint_eq(tur(&other), 0x062a06);
	/* group 1 is not, and group 2 not asked for */
	stpg(&t, second, 2);
	ck_assert_uint_eq(ptask_sense(&t), 0x04670a);
	ck_assert_int_eq(n_asked, 3);
	ck_assert_int_eq(rtpg(&t, 1), ALUA_OPTIMIZED);
	ck_assert_uint_eq(tur(&other), 0x02040b);
	end();
}

START_TEST(the_host_may_refuse_a_part)
{
	port_sim(gate_scenario);
}
END_TEST

CHECK_MAIN("port groups of units", states_are_set_and_told, bad_requests_are_refused,
    the_api_changes_states, what_was_set_is_in_force_again,
    what_cannot_be_saved_does_not_happen, the_host_may_refuse_a_part)
