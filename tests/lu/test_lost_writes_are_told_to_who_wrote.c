/* the cache could not be written back: who has written hears of it, once, before anything else
 * happens; nobody else does */
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "check_main.h"
#include "lu/loss.h"
#include "mock_script.h"

#define DEFERRED	0x01	/* what it changes in a response code */

static struct rclient a, b, c;
static bool (*script_answer)(struct scsi_address *ap, struct scsi_pkt *pkt);
static uint8_t loss_key;		/* flushes fail with it; 0: they do not */
static uint16_t loss_asc;
static int deferred_op;			/* answered with a deferred error, once; -1: none */
static bool is_slow;			/* flushes stay with the HBA */
static int n_writes;

static void
answer_flush(struct scsi_pkt *pkt)
{
	if (loss_key != 0)
		port_refuse(pkt, loss_key, loss_asc);
	else
		port_answer(pkt, NULL, 0);
}

static bool
answer(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct scsi_arq_status *arq = (void *)pkt->pkt_scbp;
	uint8_t op = pkt->pkt_cdbp[0];

	n_writes += op == 0x2a;
	if (op == deferred_op) {
		port_refuse(pkt, loss_key, loss_asc);
		*(uint8_t *)&arq->sts_sensedata |= DEFERRED;
		deferred_op = -1;
		return true;
	}
	if (op != 0x35 && op != 0x91 && op != 0x2f)
		return script_answer(ap, pkt);
	if (!is_slow)
		answer_flush(pkt);
	return !is_slow;
}

static void
begin(void)
{
	loss_key = SENSE_MEDIUM_ERROR;
	loss_asc = ASC_WRITE_ERROR;
	deferred_op = -1;
	is_slow = false;
	script_begin(PORT_INLINE);
	script_answer = port.answer;
	port.answer = answer;
	rc_open(&a, script_unit, 'a', 1);
	rc_open(&b, script_unit, 'b', 1);
	rc_open(&c, script_unit, 'c', 1);
}

static void
end(void)
{
	rc_leave(&a);
	rc_leave(&b);
	rc_leave(&c);
	script_end();
}

static void
write_block(struct rclient *who, uint8_t flags)
{
	const uint8_t cdb[10] = { 0x2a, flags, [8] = 1 };

	ck_assert_uint_eq(rc_cmd(who, cdb, sizeof(cdb), LU_DIR_OUT, NULL, 512), RC_GOOD);
}

static uint8_t
flush(struct rclient *who)
{
	return rc_op(who, OP_SYNCHRONIZE_CACHE_10);
}

static void
flush_fails(struct rclient *who)
{
	ck_assert_uint_eq(flush(who), RC_CHECK);
	ck_assert(!who->sense.is_deferred);
	ck_assert_uint_eq(who->sense.key, loss_key);
}

static bool
is_loss_told(const struct rclient *who)
{
	return who->t.lu.status == RC_CHECK && who->sense.is_deferred &&
	    who->sense.key == SENSE_MEDIUM_ERROR && who->sense.asc == ASC_WRITE_ERROR;
}

/* by the next command, and not by the one behind it */
static void
hears(struct rclient *who)
{
	(void)rc_op(who, OP_TEST_UNIT_READY);
	ck_assert(is_loss_told(who));
	ck_assert_uint_eq(who->t.lu.sense[0], 0x71);
	rc_told(who, 0);
}

static void
nobody_hears(void)
{
	rc_told(&a, 0);
	rc_told(&b, 0);
	rc_told(&c, 0);
}

static void
once_scenario(void *arg UNUSED)
{
	begin();
	write_block(&a, 0);
	write_block(&b, 0);
	flush_fails(&a);
	hears(&b);
	nobody_hears();
	/* nothing was written since, but with FUA */
	write_block(&b, 0x08);
	flush_fails(&a);
	nobody_hears();
	end();
}

START_TEST(who_wrote_hears_once)
{
	port_sim(once_scenario);
}
END_TEST

static void
effect_scenario(void *arg UNUSED)
{
	static const uint8_t write[10] = { 0x2a, [8] = 1 };
	static const uint8_t inquiry[6] = { 0x12, 0, 0, 0, 36 };
	static const uint8_t sense[6] = { 0x03, 0, 0, 0, 252 };
	uint8_t data[252];
	int before;

	begin();
	write_block(&b, 0);
	flush_fails(&a);
	flush_fails(&a);
	before = n_writes;
	ck_assert_uint_eq(rc_cmd(&b, inquiry, 6, LU_DIR_IN, NULL, 36), RC_GOOD);
	ck_assert_uint_eq(rc_cmd(&b, write, 10, LU_DIR_OUT, NULL, 512), RC_CHECK);
	ck_assert(is_loss_told(&b));
	ck_assert_int_eq(n_writes, before);
	write_block(&b, 0);
	flush_fails(&a);
	/* REQUEST SENSE tells it as data */
	ck_assert_uint_eq(rc_cmd(&b, sense, 6, LU_DIR_IN, data, 252), RC_GOOD);
	ck_assert_uint_eq(data[0], 0x71);
	ck_assert_uint_eq(data[2], SENSE_MEDIUM_ERROR);
	nobody_hears();
	end();
}

START_TEST(a_command_that_tells_does_nothing)
{
	port_sim(effect_scenario);
}
END_TEST

static void
stable_scenario(void *arg UNUSED)
{
	static const uint8_t some[10] = { 0x35, [5] = 1, [8] = 1 };
	static const uint8_t at_once[16] = { 0x91, 0x02 };

	begin();
	write_block(&b, 0);
	loss_key = 0;
	ck_assert_uint_eq(flush(&a), RC_GOOD);
	ck_assert_uint_eq(rc_op(&a, OP_SYNCHRONIZE_CACHE_16), RC_GOOD);
	loss_key = SENSE_MEDIUM_ERROR;
	flush_fails(&a);
	nobody_hears();
	/* some blocks only, and a flush that has not ended when it answers */
	write_block(&b, 0);
	loss_key = 0;
	ck_assert_uint_eq(rc_cmd(&a, some, 10, LU_DIR_NONE, NULL, 0), RC_GOOD);
	ck_assert_uint_eq(rc_cmd(&a, at_once, 16, LU_DIR_NONE, NULL, 0), RC_GOOD);
	loss_key = SENSE_HARDWARE_ERROR;
	loss_asc = ASC_INTERNAL_FAILURE;
	flush_fails(&a);
	hears(&b);
	/* a command with a flush inside, and no room for what the cache holds */
	write_block(&b, 0);
	loss_key = SENSE_DATA_PROTECT;
	loss_asc = ASC_SPACE_ALLOCATION_FAILED;
	ck_assert_uint_eq(rc_op(&a, OP_VERIFY_10), RC_CHECK);
	hears(&b);
	write_block(&b, 0);
	loss_key = SENSE_HARDWARE_ERROR;
	loss_asc = ASC_WRITE_ERROR;
	ck_assert_uint_eq(rc_op(&a, OP_VERIFY_10), RC_CHECK);
	hears(&b);
	/* what is the business of the command alone */
	write_block(&b, 0);
	loss_key = SENSE_MEDIUM_ERROR;
	loss_asc = ASC_UNRECOVERED_READ_ERROR;
	ck_assert_uint_eq(rc_op(&a, OP_VERIFY_10), RC_CHECK);
	loss_key = SENSE_ABORTED_COMMAND;
	ck_assert_uint_eq(flush(&a), RC_CHECK);
	nobody_hears();
	end();
}

START_TEST(what_is_stable_is_not_lost)
{
	port_sim(stable_scenario);
}
END_TEST

/* what is_slow has left with the HBA */
static void
flushes_end(void)
{
	for (int i = 0; i < port.n_pending; i++)
		answer_flush(port.pending[i]);
	(void)port_complete();
	is_slow = false;
	port.how = PORT_INLINE;
}

static void
flush_send(struct rclient *who)
{
	static const uint8_t cdb[10] = { 0x35 };

	rc_send(who, cdb, sizeof(cdb), LU_DIR_NONE, NULL, 0);
}

static void
overlap_scenario(void *arg UNUSED)
{
	begin();
	/* two flushes at once: both are told by what they end with */
	write_block(&a, 0);
	write_block(&b, 0);
	is_slow = true;
	port.how = PORT_LATER;
	flush_send(&a);
	flush_send(&b);
	sim_settle();
	flushes_end();
	ck_assert_uint_eq(rc_wait(&a), RC_CHECK);
	ck_assert_uint_eq(rc_wait(&b), RC_CHECK);
	nobody_hears();
	/* a write that ends while a flush is under way is not of those that are stable */
	loss_key = 0;
	is_slow = true;
	port.how = PORT_LATER;
	flush_send(&a);
	sim_settle();
	port.how = PORT_INLINE;
	write_block(&b, 0);
	flushes_end();
	ck_assert_uint_eq(rc_wait(&a), RC_GOOD);
	loss_key = SENSE_MEDIUM_ERROR;
	flush_fails(&a);
	hears(&b);
	end();
}

START_TEST(flushes_and_writes_may_overlap)
{
	port_sim(overlap_scenario);
}
END_TEST

static void
leave_scenario(void *arg UNUSED)
{
	begin();
	/* leaves owing nothing, comes back owed; and the other way round */
	write_block(&b, 0);
	rc_leave(&b);
	flush_fails(&a);
	rc_open(&b, script_unit, 'b', 1);
	hears(&b);
	write_block(&b, 0);
	flush_fails(&a);
	rc_leave(&b);
	rc_open(&b, script_unit, 'b', 1);
	hears(&b);
	/* leaves and comes back, then it happens; other ports are others */
	write_block(&b, 0);
	rc_leave(&b);
	rc_open(&b, script_unit, 'b', 2);
	flush_fails(&a);
	rc_told(&b, 0);
	rc_leave(&b);
	rc_open(&b, script_unit, 'b', 1);
	hears(&b);
	write_block(&b, 0);
	rc_leave(&b);
	rc_open(&b, script_unit, 'b', 1);
	flush_fails(&a);
	hears(&b);
	/* no memory to remember it */
	write_block(&b, 0);
	fault_arm(1);
	rc_leave(&b);
	ck_assert(fault_disarm());
	flush_fails(&a);
	rc_open(&b, script_unit, 'b', 1);
	nobody_hears();
	end();
}

START_TEST(who_comes_back_hears)
{
	port_sim(leave_scenario);
}
END_TEST

static void
leave_visit(void *arg)
{
	lu_nexus_gone(arg);
}

static void
heir_scenario(void *arg UNUSED)
{
	static struct rclient twin;

	begin();
	/* the session that comes in place of another is there before that one has gone */
	write_block(&b, 0);
	rc_open(&twin, script_unit, 'b', 1);
	rc_leave(&b);
	flush_fails(&a);
	hears(&twin);
	rc_open(&b, script_unit, 'b', 1);
	rc_leave(&twin);
	/* a flush whose initiator has left tells it nothing */
	write_block(&b, 0);
	is_slow = true;
	port.how = PORT_LATER;
	flush_send(&b);
	sim_settle();
	port.how = PORT_INLINE;
	rc_open(&twin, script_unit, 'b', 1);
	port_at_home(leave_visit, &b.nexus);
	flushes_end();
	ck_assert_uint_eq(rc_wait(&b), RC_CHECK);
	hears(&twin);
	rc_leave(&twin);
	rc_open(&b, script_unit, 'b', 1);
	nobody_hears();
	end();
}

START_TEST(an_heir_hears)
{
	port_sim(heir_scenario);
}
END_TEST

static void
limit_scenario(void *arg UNUSED)
{
	static struct rclient many;

	begin();
	write_block(&b, 0);
	rc_leave(&b);
	for (int i = 0; i < LU_LOSS_KEPT; i++) {
		rc_open(&many, script_unit, 'b', (uint16_t)(10 + i));
		write_block(&many, 0);
		rc_leave(&many);
	}
	ck_assert_uint_eq(script_unit->n_losses, LU_LOSS_KEPT);
	flush_fails(&a);
	rc_open(&b, script_unit, 'b', 1);
	rc_told(&b, 0);
	rc_open(&many, script_unit, 'b', 10);
	hears(&many);
	rc_leave(&many);
	/* what is stable needs no memory */
	loss_key = 0;
	rc_open(&many, script_unit, 'd', 1);
	write_block(&many, 0);
	rc_leave(&many);
	ck_assert_uint_eq(flush(&a), RC_GOOD);
	rc_open(&many, script_unit, 'e', 1);
	write_block(&many, 0);
	rc_leave(&many);
	ck_assert_uint_eq(script_unit->n_losses, LU_LOSS_KEPT);
	end();
}

START_TEST(the_first_that_left_is_forgotten)
{
	port_sim(limit_scenario);
}
END_TEST

static void
device_scenario(void *arg UNUSED)
{
	begin();
	write_block(&a, 0);
	write_block(&b, 0);
	deferred_op = 0x00;
	hears(&a);
	hears(&b);
	nobody_hears();
	/* an error of a command that was no write is nobody's loss */
	write_block(&b, 0);
	loss_key = SENSE_RECOVERED_ERROR;
	deferred_op = 0x00;
	ck_assert_uint_eq(rc_op(&a, OP_TEST_UNIT_READY), RC_CHECK);
	nobody_hears();
	end();
}

START_TEST(the_device_tells_one_all_hear)
{
	port_sim(device_scenario);
}
END_TEST

static void
reset_scenario(void *arg UNUSED)
{
	static struct stm tm;

	begin();
	write_block(&b, 0);
	flush_fails(&a);
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_LUN_RESET, 0), LU_TMF_DONE);
	ck_assert_int_eq(script_tm(&tm, &b, LU_TM_QUERY_ASYNC_EVENT, 0), LU_TMF_DONE);
	ck_assert(tm.lu.is_succeeded);
	ck_assert_uint_eq(tm.lu.event[0], 2 << 4 | SENSE_UNIT_ATTENTION);
	(void)rc_op(&b, OP_TEST_UNIT_READY);
	ck_assert_uint_eq(b.sense.key, SENSE_UNIT_ATTENTION);
	ck_assert_int_eq(script_tm(&tm, &b, LU_TM_QUERY_ASYNC_EVENT, 0), LU_TMF_DONE);
	ck_assert_uint_eq(tm.lu.event[0], 1 << 4 | SENSE_MEDIUM_ERROR);
	ck_assert_uint_eq(tm.lu.event[1], ASC_WRITE_ERROR >> 8);
	hears(&b);
	end();
}

START_TEST(a_reset_brings_nothing_back)
{
	port_sim(reset_scenario);
}
END_TEST

/* D_SENSE, and unit attentions that stay until REQUEST SENSE: this one does not */
static void
form_scenario(void *arg UNUSED)
{
	script.is_descriptor = true;
	script.interlock = 2;
	begin();
	write_block(&b, 0);
	flush_fails(&a);
	(void)rc_op(&b, OP_TEST_UNIT_READY);
	ck_assert(is_loss_told(&b));
	ck_assert_uint_eq(b.t.lu.sense[0], 0x73);
	nobody_hears();
	end();
}

START_TEST(in_the_form_asked_for)
{
	port_sim(form_scenario);
}
END_TEST

CHECK_MAIN("lost writes", who_wrote_hears_once, a_command_that_tells_does_nothing,
    what_is_stable_is_not_lost, flushes_and_writes_may_overlap, who_comes_back_hears,
    an_heir_hears, the_first_that_left_is_forgotten, the_device_tells_one_all_hear,
    a_reset_brings_nothing_back, in_the_form_asked_for)
