/* commands that do not come back: each step in its time, and not one more than it takes */
#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "lu/lu_impl.h"
#include "lu/recover.h"
#include "mock_script.h"

#define S	LU_ATTR_SIMPLE
#define TIMEOUT_MS	2000
/* the timeout, the grace, and what ticks may add */
#define EXPIRED_S	(TIMEOUT_MS / 1000 + LU_EXPIRE_GRACE_S + 2)

static struct rclient a, b;
static struct ptask t[16], o;
static struct lu *other, *third;
static struct pnexus on_other, on_third;
static int n_hba_reset, n_silence;
static int hba_reset_answer, silence_answer;

static int
hook_reset(struct lu_host *host, const struct lu *unit)
{
	(void)host;
	(void)unit;
	n_hba_reset++;
	if (hba_reset_answer == 0)
		(void)port_complete();
	return hba_reset_answer;
}

static int
hook_silence(struct lu_host *host, const struct lu *unit)
{
	(void)host;
	(void)unit;
	n_silence++;
	return silence_answer;
}

static void
begin(void)
{
	n_hba_reset = n_silence = 0;
	script_begin(PORT_LATER);
	port_host.hba_reset = hook_reset;
	port_host.hba_silence = hook_silence;
	other = port_unit("disk@0,1");
	third = port_unit("disk@1,0");
	rc_open(&a, script_unit, 'a', 1);
	rc_open(&b, script_unit, 'b', 1);
	pnexus_open(&on_other, other);
	pnexus_open(&on_third, third);
}

static void
end(void)
{
	pnexus_leave(&on_other);
	pnexus_leave(&on_third);
	rc_leave(&a);
	rc_leave(&b);
	lu_unref(other);
	lu_unref(third);
	script_end();
}

static void
send(struct rclient *c, uint8_t lba)
{
	ptask_init(&t[lba], &c->nexus);
	ptask_read(&t[lba], 1, 512);
	t[lba].lu.cdb[5] = lba;
	t[lba].lu.attr = S;
	t[lba].lu.timeout_ms = TIMEOUT_MS;
	ck_assert_int_eq(ptask_submit(&t[lba]), 0);
}

static void
seconds(uint32_t s)
{
	sim_advance_us(s * 1000000ull);
	sim_settle();
}

static void
at(enum lu_recover_step step)
{
	ck_assert_str_eq(lu_recover_step_name(lu_recover_step(script_unit)),
	    lu_recover_step_name(step));
}

static void
expect_timeout(uint8_t lba)
{
	ck_assert_int_eq(t[lba].n_done, 1);
	ck_assert_int_eq(t[lba].lu.reason, CMD_TIMEOUT);
	ck_assert((t[lba].lu.statistics & STAT_TIMEOUT) != 0);
}

static void
abort_scenario(void *arg UNUSED)
{
	struct lu_stats st;

	begin();
	send(&a, 1);
	seconds(1);
	send(&b, 2);
	t[2].lu.timeout_ms = 0;
	/* the HBA's own clock comes first */
	seconds(TIMEOUT_MS / 1000 + LU_EXPIRE_GRACE_S - 2);
	ck_assert_int_eq(t[1].n_done, 0);
	ck_assert_int_eq(port.n_abort, 0);
	seconds(3);
	expect_timeout(1);
	ck_assert_int_eq(port.n_abort, 1);
	ck_assert_int_eq(port.n_reset, 0);
	ck_assert_int_eq(t[2].n_done, 0);
	at(LU_RECOVER_NONE);
	lu_stats_read(script_unit, &st);
	ck_assert_uint_eq(st.expired, 1);
	ck_assert_int_eq(port_events[LU_EVENT_RECOVERY], 2);
	script_complete(2);
	/* nobody hears of anything */
	rc_told(&a, 0);
	rc_told(&b, 0);
	end();
}

START_TEST(an_abort_may_do)
{
	port_sim(abort_scenario);
}
END_TEST

static void
ends_by_itself_scenario(void *arg UNUSED)
{
	port.is_abort_silent = true;
	begin();
	send(&a, 1);
	seconds(EXPIRED_S);
	at(LU_RECOVER_ABORT);
	script_complete(1);
	ck_assert_int_eq(t[1].lu.reason, CMD_CMPLT);
	ck_assert_int_eq(t[1].lu.status, STATUS_GOOD);
	at(LU_RECOVER_NONE);
	end();
}

START_TEST(late_is_not_lost)
{
	port_sim(ends_by_itself_scenario);
}
END_TEST

static void
lun_scenario(void *arg UNUSED)
{
	begin();
	port.abort_answer = 0;		/* refused: no time is lost */
	send(&a, 1);
	send(&b, 2);
	t[2].lu.timeout_ms = 0;
	seconds(EXPIRED_S);
	expect_timeout(1);
	ck_assert_int_eq(t[2].lu.reason, CMD_RESET);
	ck_assert_int_eq(port.n_reset, 1);
	ck_assert_int_eq(port.last_level, RESET_LUN);
	at(LU_RECOVER_NONE);
	rc_told(&a, ASC_DEVICE_RESET);
	rc_told(&b, ASC_DEVICE_RESET);
	end();
}

START_TEST(refused_steps_give_way)
{
	port_sim(lun_scenario);
}
END_TEST

/* somebody else's command, which is answered at once; the mock tells everybody of every
 * reset */
static void
others_work(struct pnexus *n)
{
	ptask_init(&o, &n->lu);
	ptask_read(&o, 1, 512);
	o.lu.cdb[5] = 99;
	do {
		o.n_done = 0;
		ck_assert_int_eq(ptask_submit(&o), 0);
		sim_settle();
	} while (o.n_done == 1 && o.lu.sense[12] == 0x29);
	script_complete(99);
	ck_assert_int_eq(o.n_done, 1);
}

static const struct {
	enum lu_recover_step step;
	uint32_t budget_s;
	int level;
} climb[] = {
	{ LU_RECOVER_ABORT, 5, -1 },
	{ LU_RECOVER_LUN, 10, RESET_LUN },
	{ LU_RECOVER_TARGET, 15, RESET_TARGET },
	{ LU_RECOVER_BUS, 20, RESET_ALL },
};

/* READ 1 is stuck; up to the end of step @last */
static void
climb_to(size_t last)
{
	send(&a, 1);
	seconds(EXPIRED_S + 1);
	for (size_t i = 0; i <= last; i++) {
		at(climb[i].step);
		if (climb[i].level >= 0)
			ck_assert_int_eq(port.last_level, climb[i].level);
		ck_assert_int_eq(port.n_abort + port.n_reset, (int)i + 1);
		if (climb[i].step < LU_RECOVER_TARGET)
			others_work(&on_other);
		if (climb[i].step < LU_RECOVER_BUS)
			others_work(&on_third);
		seconds(climb[i].budget_s - 3);
		at(climb[i].step);
		if (i < last)
			seconds(3);
	}
}

static int last_step;

static void
step_scenario(void *arg UNUSED)
{
	port.is_abort_silent = port.is_reset_silent = true;
	begin();
	climb_to((size_t)last_step);
	/* the unit sends nothing from the first reset on */
	send(&b, 2);
	sim_settle();
	ck_assert_int_eq(t[2].lu.sm == LU_TASK_HELD, last_step > 0);
	script_complete(1);
	ck_assert_int_eq(t[1].lu.reason, CMD_CMPLT);
	at(LU_RECOVER_NONE);
	sim_advance_us(100000);
	if (last_step > 0) {
		ptask_wait(&t[2]);
		ck_assert_int_eq(t[2].lu.status, STATUS_CHECK);
		rc_told(&a, last_step == 3 ? ASC_BUS_RESET : ASC_DEVICE_RESET);
	} else {
		script_complete(2);
	}
	/* and everything is as before */
	send(&a, 3);
	sim_settle();
	script_complete(3);
	ck_assert_int_eq(t[3].lu.status, STATUS_GOOD);
	end();
}

START_TEST(every_step_has_its_time)
{
	for (last_step = 0; last_step < (int)ARRAY_LEN(climb); last_step++)
		port_sim(step_scenario);
}
END_TEST

/* the packet comes back with the reset: the climb ends there */
static void
hba_scenario(void *arg UNUSED)
{
	port.is_abort_silent = port.is_reset_silent = true;
	hba_reset_answer = 0;
	begin();
	climb_to(ARRAY_LEN(climb) - 1);
	seconds(4);
	ck_assert_int_eq(n_hba_reset, 1);
	ck_assert_int_eq(t[1].n_done, 1);
	at(LU_RECOVER_NONE);
	end();
}

START_TEST(the_hba_is_reset)
{
	port_sim(hba_scenario);
}
END_TEST

/* nothing helps, and nobody can say that memory is safe: what is below stays */
static void
offline_scenario(void *arg UNUSED)
{
	begin();
	port.abort_answer = port.reset_answer = 0;
	hba_reset_answer = silence_answer = -EIO;
	send(&a, 1);
	send(&b, 2);
	t[2].lu.timeout_ms = 0;
	seconds(EXPIRED_S);
	at(LU_RECOVER_OFFLINE);
	ck_assert_int_eq(n_silence, 1);
	ck_assert_int_eq(t[1].n_done, 0);
	/* who comes now is answered */
	send(&a, 3);
	ptask_wait(&t[3]);
	ck_assert_int_eq(t[3].lu.status, STATUS_CHECK);
	ck_assert_uint_eq(t[3].lu.sense[2], SENSE_NOT_READY);
	ck_assert_uint_eq(t[3].lu.sense[12], 0x04);
	ck_assert_uint_eq(t[3].lu.sense[13], 0x12);
	a.nexus.wants_sense = false;
	send(&a, 4);
	ptask_wait(&t[4]);
	ck_assert_int_eq(t[4].lu.reason, CMD_DEV_GONE);
	others_work(&on_other);
	/* it was alive after all */
	script_complete(1);
	at(LU_RECOVER_NONE);
	script_complete(2);
	send(&a, 5);
	sim_settle();
	script_complete(5);
	ck_assert_int_eq(t[5].lu.status, STATUS_GOOD);
	end();
}

START_TEST(off_line_and_back)
{
	port_sim(offline_scenario);
}
END_TEST

/* what is answered here needs no room, but what the device is asked for it does */
static void
handlers_scenario(void *arg UNUSED)
{
	static struct ptask senses[3];

	port.is_abort_silent = port.is_reset_silent = true;
	begin();
	climb_to(1);
	at(LU_RECOVER_LUN);
	for (uint8_t i = 0; i < ARRAY_LEN(senses); i++) {
		const uint8_t sense[10] = { 0x5a, 0, (uint8_t)(0x01 + i), [8] = 16 };

		ptask_init(&senses[i], &b.nexus);
		ptask_cdb(&senses[i], sense, sizeof(sense), LU_DIR_IN, 16);
		ck_assert_int_eq(ptask_submit(&senses[i]), 0);
	}
	ck_assert_str_eq(script_pending(), "1 ");
	ck_assert_int_eq(senses[0].n_done, 0);
	script_complete(1);
	at(LU_RECOVER_NONE);
	ck_assert_str_eq(script_pending(), "0 0 0 ");
	for (uint8_t i = 0; i < ARRAY_LEN(senses); i++) {
		ck_assert_uint_eq(port.pending[0]->pkt_cdbp[2], 0x01 + i);
		script_complete(0);
		ck_assert_int_eq(senses[i].n_done, 1);
		ck_assert_int_eq(senses[i].lu.status, STATUS_GOOD);
	}
	end();
}

START_TEST(handlers_wait_with_all)
{
	port_sim(handlers_scenario);
}
END_TEST

/* the HBA cannot touch memory any more: everything ends, late packets find nobody */
static void
silence_scenario(void *arg UNUSED)
{
	begin();
	port.abort_answer = port.reset_answer = 0;
	hba_reset_answer = -EIO;
	silence_answer = 0;
	send(&a, 1);
	send(&b, 2);
	t[2].lu.timeout_ms = 0;
	seconds(EXPIRED_S);
	at(LU_RECOVER_OFFLINE);
	ck_assert_int_eq(t[1].lu.reason, CMD_DEV_GONE);
	ck_assert_int_eq(t[2].lu.reason, CMD_DEV_GONE);
	ck_assert_int_eq(port.n_pending, 2);
	/* the packets are nobody's: the test has to give them back to end */
	while (port.n_pending > 0) {
		struct scsi_pkt *pkt = port.pending[0];

		script_complete(pkt->pkt_cdbp[5]);
		ck_assert_int_eq(t[1].n_done + t[2].n_done, 2);
		scsi_destroy_pkt(pkt);
	}
	at(LU_RECOVER_OFFLINE);
	end();
}

START_TEST(off_line_for_good)
{
	port_sim(silence_scenario);
}
END_TEST

/* two units of a target are stuck: one target reset is enough */
static void
shared_scenario(void *arg UNUSED)
{
	static struct ptask second;

	port.is_abort_silent = port.is_reset_silent = true;
	begin();
	send(&a, 1);
	ptask_init(&second, &on_other.lu);
	ptask_read(&second, 1, 512);
	second.lu.cdb[5] = 50;
	second.lu.timeout_ms = TIMEOUT_MS;
	ck_assert_int_eq(ptask_submit(&second), 0);
	seconds(EXPIRED_S + 5 + 10 + 2);
	at(LU_RECOVER_TARGET);
	ck_assert_int_eq(lu_recover_step(other), LU_RECOVER_TARGET);
	/* a LUN reset each, and one of their target */
	ck_assert_int_eq(port.n_reset, 3);
	script_complete(1);
	script_complete(50);
	at(LU_RECOVER_NONE);
	ck_assert_int_eq(lu_recover_step(other), LU_RECOVER_NONE);
	end();
}

START_TEST(one_reset_for_two_units)
{
	port_sim(shared_scenario);
}
END_TEST

static void
own_times_visit(void *arg)
{
	lu_recover_set(script_unit, arg);
}

/* steps without time are left out, the others take theirs, and so does the grace */
static void
own_times_scenario(void *arg UNUSED)
{
	struct lu_recover_times times = { .grace_s = 20, .step_s = {
	    [LU_RECOVER_LUN] = 3, [LU_RECOVER_BUS] = 4 } };
	struct scsi_pkt *pkt;

	port.is_abort_silent = port.is_reset_silent = true;
	begin();
	silence_answer = -EBUSY;
	port_at_home(own_times_visit, &times);
	send(&a, 1);
	seconds(TIMEOUT_MS / 1000 + 20 - 1);
	at(LU_RECOVER_NONE);
	seconds(3);
	at(LU_RECOVER_LUN);
	ck_assert_int_eq(port.n_abort, 0);
	seconds(3);
	at(LU_RECOVER_BUS);
	ck_assert_int_eq(port.last_level, RESET_ALL);
	ck_assert(!lu_is_offline(script_unit));
	seconds(5);
	at(LU_RECOVER_OFFLINE);
	ck_assert(lu_is_offline(script_unit));
	ck_assert_int_eq(port.n_reset, 2);
	ck_assert_int_eq(n_hba_reset, 0);

	/* the host may have another answer later */
	ck_assert_int_eq(n_silence, 1);
	seconds(LU_SILENCE_AGAIN_S - 3);
	ck_assert_int_eq(n_silence, 1);
	seconds(4);
	ck_assert_int_eq(n_silence, 2);
	ck_assert_int_eq(t[1].n_done, 0);
	silence_answer = 0;
	seconds(LU_SILENCE_AGAIN_S + 1);
	ck_assert_int_eq(n_silence, 3);
	ck_assert_int_eq(t[1].lu.reason, CMD_DEV_GONE);
	pkt = port.pending[0];
	script_complete(1);
	ck_assert_int_eq(t[1].n_done, 1);
	scsi_destroy_pkt(pkt);
	end();
}

START_TEST(a_unit_has_its_own_times)
{
	port_sim(own_times_scenario);
}
END_TEST

static void
no_time_visit(void *arg)
{
	lu_set_timeout(script_unit, *(const uint32_t *)arg);
}

/* a task that brings no timeout has the unit's */
static void
default_timeout_scenario(void *arg UNUSED)
{
	uint32_t ms = 120000;

	begin();
	port_at_home(no_time_visit, &ms);
	ptask_init(&t[1], &a.nexus);
	ptask_read(&t[1], 1, 512);
	t[1].lu.cdb[5] = 1;
	ck_assert_int_eq(ptask_submit(&t[1]), 0);
	sim_settle();
	ck_assert_int_eq(port.pending[0]->pkt_time, 120);
	seconds(LU_TIMEOUT_DEFAULT_MS / 1000 + LU_EXPIRE_GRACE_S + 2);
	ck_assert_int_eq(port.n_abort, 0);
	seconds(60);
	ck_assert_int_eq(port.n_abort, 1);
	ck_assert_int_eq(t[1].n_done, 1);
	end();
}

START_TEST(a_unit_has_its_own_timeout)
{
	port_sim(default_timeout_scenario);
}
END_TEST

CHECK_MAIN("recovery", an_abort_may_do, late_is_not_lost, refused_steps_give_way,
    every_step_has_its_time, handlers_wait_with_all, the_hba_is_reset, off_line_and_back,
    off_line_for_good,
    one_reset_for_two_units, a_unit_has_its_own_times, a_unit_has_its_own_timeout)
