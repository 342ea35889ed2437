/* commands: done, aborted, reset, out of time, lost with the session; each ends once, and as
 * the table of SCSA has it */
#include <string.h>

#include "check_main.h"
#include "mock_gate.h"
#include "scsa/config.h"

/* for targets that answer, be it late: the machine may do something else meanwhile */
#define PATIENT	"ping=0,task=60"

static struct far *far;
static struct scsi_device *sd0, *sd1;
static uint8_t data[FAR_BYTES];

static void
up(const char *options)
{
	far = far_open();
	gate_far_up(far, options);
	sd0 = gate_sd("0,0");
	sd1 = gate_sd("0,1");
}

static void
down(void)
{
	gate_down();
	far_close(far);
}

/* @n reads of unit 0 that the target has and does not answer */
static void
swallow(struct io *ios, unsigned int n)
{
	unsigned int before = atomic_load(&far->swallowed);

	atomic_store(&far->swallow, n);
	for (unsigned int i = 0; i < n; i++) {
		io_init(&ios[i], sd0, true, 0, 1, data);
		ck_assert_int_eq(io_send(&ios[i]), TRAN_ACCEPT);
	}
	far_wait(&far->swallowed, before + n);
}

START_TEST(data_goes_both_ways)
{
	static uint8_t back[FAR_BYTES];
	static const uint16_t blocks[] = { 1, 2, 15, 16, 17, 128, 129, 513, 2048 };

	up(PATIENT);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 512);
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		memset(back, 0, sizeof(back));
		ck_assert(io_run(sd1, false, 0, blocks[i], data));
		ck_assert(far_holds(far, 1, data, blocks[i] * FAR_BLOCK));
		ck_assert(io_run(sd1, true, 0, blocks[i], back));
		ck_assert(memcmp(back, data, blocks[i] * FAR_BLOCK) == 0);
	}
	ck_assert(!far_holds(far, 0, data, sizeof(data)));
	ck_assert_uint_gt(gate_info(0).read_bytes, sizeof(data));
	down();
}
END_TEST

START_TEST(sense_comes_back)
{
	struct scsi_arq_status *arq;
	struct io io;

	up(PATIENT);
	io_init(&io, sd0, true, FAR_BYTES / FAR_BLOCK, 1, data);
	ck_assert_int_eq(io_send(&io), TRAN_ACCEPT);
	ck_assert(io_ended(&io, CMD_CMPLT, 0));
	arq = (struct scsi_arq_status *)(void *)io.pkt->pkt_scbp;
	ck_assert_uint_eq(*io.pkt->pkt_scbp, STATUS_CHECK);
	ck_assert((io.pkt->pkt_state & STATE_ARQ_DONE) != 0);
	ck_assert_uint_eq(arq->sts_sensedata.es_key, KEY_ILLEGAL_REQUEST);
	ck_assert_uint_eq(arq->sts_sensedata.es_add_code, 0x21);
	ck_assert_int_eq(arq->sts_rqpkt_resid, 2);
	ck_assert_int_eq(io.pkt->pkt_resid, FAR_BLOCK);
	ck_assert((io.pkt->pkt_state & STATE_XFERRED_DATA) == 0);
	io_fini(&io);
	down();
}
END_TEST

START_TEST(abort_one_and_all)
{
	struct io ios[3];

	up(PATIENT);
	swallow(ios, 3);
	ck_assert_int_eq(scsi_abort(&sd0->sd_address, ios[1].pkt), 1);
	ck_assert(io_ended(&ios[1], CMD_ABORTED, STAT_ABORTED));
	ck_assert_int_eq(atomic_load(&far->last_task), 1);
	ck_assert_uint_eq(atomic_load(&ios[0].done), 0);
	/* of another unit there is nothing to abort, and nothing is sent */
	ck_assert_int_eq(scsi_abort(&sd1->sd_address, NULL), 1);
	ck_assert_uint_eq(atomic_load(&far->tasks), 1);
	ck_assert_int_eq(scsi_abort(&sd0->sd_address, NULL), 1);
	ck_assert_int_eq(atomic_load(&far->last_task), 2);
	ck_assert(io_ended(&ios[0], CMD_ABORTED, STAT_ABORTED));
	ck_assert(io_ended(&ios[2], CMD_ABORTED, STAT_ABORTED));
	/* one that is over */
	ck_assert_int_eq(scsi_abort(&sd0->sd_address, ios[2].pkt), 0);
	ck_assert_uint_eq(gate_info(0).aborted, 3);
	ck_assert(io_run(sd0, true, 0, 1, data));
	for (int i = 0; i < 3; i++)
		io_fini(&ios[i]);
	down();
}
END_TEST

/* the target does not know the command any more: it will not answer it either. It refuses: the
 * command goes on */
START_TEST(abort_unknown_and_refused)
{
	struct io io;

	up(PATIENT);
	swallow(&io, 1);
	atomic_store(&far->task_answer, 5);
	ck_assert_int_eq(scsi_abort(&sd0->sd_address, io.pkt), 0);
	ck_assert_uint_eq(atomic_load(&io.done), 0);
	atomic_store(&far->task_answer, 1);
	ck_assert_int_eq(scsi_abort(&sd0->sd_address, io.pkt), 1);
	ck_assert(io_ended(&io, CMD_ABORTED, STAT_ABORTED));
	io_fini(&io);
	down();
}
END_TEST

static atomic_uint told;

static void
tell(caddr_t arg)
{
	(void)arg;
	(void)atomic_fetch_add(&told, 1);
}

START_TEST(resets)
{
	struct io ios[2], other;

	up(PATIENT);
	atomic_store(&told, 0);
	ck_assert_int_eq(scsi_reset_notify(&sd0->sd_address, SCSI_RESET_NOTIFY, tell, NULL),
	    DDI_SUCCESS);
	swallow(ios, 2);
	ck_assert_int_eq(scsi_reset(&sd0->sd_address, RESET_LUN), 1);
	ck_assert(io_ended(&ios[0], CMD_RESET, STAT_DEV_RESET));
	ck_assert(io_ended(&ios[1], CMD_RESET, STAT_DEV_RESET));
	ck_assert_int_eq(atomic_load(&far->last_task), 5);
	io_fini(&ios[0]);
	io_fini(&ios[1]);
	far_wait(&told, 1);

	atomic_store(&far->swallow, 0);
	swallow(&other, 1);
	ck_assert_int_eq(scsi_reset(&sd1->sd_address, RESET_TARGET), 1);
	ck_assert(io_ended(&other, CMD_RESET, STAT_DEV_RESET));
	ck_assert_int_eq(atomic_load(&far->last_task), 6);
	io_fini(&other);
	far_wait(&told, 2);

	swallow(&other, 1);
	ck_assert_int_eq(scsi_reset(&sd1->sd_address, RESET_ALL), 1);
	ck_assert(io_ended(&other, CMD_RESET, STAT_BUS_RESET));
	io_fini(&other);
	far_wait(&told, 3);
	ck_assert_uint_eq(gate_info(0).reset, 4);
	ck_assert_uint_eq(gate_info(0).losses, 0);
	ck_assert_int_eq(scsi_reset_notify(&sd0->sd_address, SCSI_RESET_CANCEL, tell, NULL),
	    DDI_SUCCESS);
	down();
}
END_TEST

/* a target that cannot reset itself: a new session does it */
START_TEST(reset_refused)
{
	struct io io;

	up(PATIENT);
	swallow(&io, 1);
	atomic_store(&far->task_answer, 5);
	ck_assert_int_eq(scsi_reset(&sd0->sd_address, RESET_LUN), 0);
	ck_assert_uint_eq(atomic_load(&io.done), 0);
	ck_assert_int_eq(scsi_reset(&sd0->sd_address, RESET_TARGET), 1);
	ck_assert(io_ended(&io, CMD_RESET, STAT_DEV_RESET));
	io_fini(&io);
	far_wait(&far->logins, 2);
	ck_assert(io_run(sd0, true, 0, 1, data));
	ck_assert_ptr_eq(gate_sd("0,0"), sd0);
	down();
}
END_TEST

/* one read whose time is a second; the target answers task management with @answer. How many
 * functions it took */
static unsigned int
time_out(unsigned int answer, uint_t stats)
{
	unsigned int before = atomic_load(&far->tasks), swallowed = atomic_load(&far->swallowed);
	struct io io;

	atomic_store(&far->task_answer, answer);
	atomic_store(&far->swallow, 1);
	io_init(&io, sd0, true, 0, 1, data);
	io.pkt->pkt_time = 1;
	ck_assert_int_eq(io_send(&io), TRAN_ACCEPT);
	far_wait(&far->swallowed, swallowed + 1);
	ck_assert_msg(io_ended(&io, CMD_TIMEOUT, stats), "%u: reason %u, statistics %x",
	    answer, io.pkt->pkt_reason, io.pkt->pkt_statistics);
	io_fini(&io);
	return atomic_load(&far->tasks) - before;
}

/* ABORT TASK; if that is refused LOGICAL UNIT RESET; if that is, a new session */
START_TEST(ladder_of_timeouts)
{
	up(PATIENT);
	ck_assert_uint_eq(time_out(0, STAT_TIMEOUT | STAT_ABORTED), 1);
	ck_assert_uint_eq(gate_info(0).losses, 0);
	ck_assert_uint_eq(time_out(5, STAT_TIMEOUT | STAT_DEV_RESET), 2);
	far_wait(&far->logins, 2);
	ck_assert(io_run(sd0, true, 0, 1, data));
	ck_assert_uint_eq(gate_info(0).timed_out, 2);
	down();
}
END_TEST

START_TEST(silence_ends_the_session)
{
	up("ping=0,task=1");
	ck_assert_uint_eq(time_out(FAR_SILENT, STAT_TIMEOUT), 1);
	far_wait(&far->logins, 2);
	ck_assert(io_run(sd0, true, 0, 1, data));
	ck_assert_uint_eq(gate_info(0).timed_out, 1);
	ck_assert_uint_eq(gate_info(0).losses, 1);
	down();
}
END_TEST

/* what was under way is lost, what comes then waits, and the units stay */
START_TEST(session_is_lost)
{
	struct io ios[4], late;

	up(PATIENT);
	swallow(ios, 4);
	far_hang_up(far);
	for (int i = 0; i < 4; i++) {
		ck_assert(io_ended(&ios[i], CMD_TRAN_ERR, 0));
		io_fini(&ios[i]);
	}
	io_init(&late, sd0, true, 0, 1, data);
	ck_assert_int_eq(io_send(&late), TRAN_ACCEPT);
	ck_assert(io_ended(&late, CMD_CMPLT, 0));
	io_fini(&late);
	ck_assert_ptr_eq(gate_find("0,0"), sd0);
	ck_assert_uint_eq(gate_info(0).lost, 4);
	ck_assert_uint_eq(gate_info(0).losses, 1);
	ck_assert_uint_eq(gate_info(0).logins, 2);
	down();
}
END_TEST

/* a target away for good: what waits ends, units go; and come back with it */
START_TEST(target_is_gone)
{
	struct io io;

	up("ping=0,grace=200ms,retry=100ms");
	far_leave(far);
	io_init(&io, sd0, true, 0, 1, data);
	ck_assert_int_eq(io_send(&io), TRAN_ACCEPT);
	/* it was under way or it waited: nobody knows */
	ck_assert(io_ended(&io, CMD_DEV_GONE, 0) || io_ended(&io, CMD_TRAN_ERR, 0));
	io_fini(&io);
	gate_gone("0,0");
	gate_gone("0,1");
	ck_assert(!gate_info(0).is_reported);
	ck_assert_str_ne(gate_info(0).error, "");
	atomic_store(&far->is_away, false);
	ck_assert_ptr_nonnull(gate_sd("0,0"));
	ck_assert(gate_info(0).is_reported);
	down();
}
END_TEST

/* the target's window is closed: one command waits in the library, the others here. All end by
 * a reset, and the one that cannot be taken back too */
START_TEST(closed_window)
{
	struct io ios[6];

	far = far_open();
	atomic_store(&far->window, 1);
	gate_far_up(far, PATIENT);
	sd0 = gate_sd("0,0");
	(void)gate_sd("0,1");
	atomic_store(&far->window, 0);
	ck_assert(io_run(sd0, true, 0, 1, data));
	for (int i = 0; i < 6; i++) {
		io_init(&ios[i], sd0, true, 0, 1, data);
		ck_assert_int_eq(io_send(&ios[i]), TRAN_ACCEPT);
	}
	/* those that are queued can be taken back at once */
	ck_assert_int_eq(scsi_abort(&sd0->sd_address, ios[5].pkt), 1);
	ck_assert(io_ended(&ios[5], CMD_ABORTED, STAT_ABORTED));
	while (gate_info(0).sent == 0)
		sched_yield();
	/* the one in the library has a number: nobody can take it back */
	ck_assert_int_eq(scsi_abort(&sd0->sd_address, ios[0].pkt), 0);
	ck_assert_uint_eq(atomic_load(&ios[0].done), 0);
	atomic_store(&far->window, 32);
	ck_assert_int_eq(scsi_reset(&sd0->sd_address, RESET_LUN), 1);
	for (int i = 0; i < 5; i++)
		ck_assert_msg(io_ended(&ios[i], CMD_RESET, STAT_DEV_RESET), "%d: %u", i,
		    ios[i].pkt->pkt_reason);
	ck_assert_uint_eq(gate_info(0).losses, 1);
	ck_assert(io_run(sd0, true, 0, 1, data));
	for (int i = 0; i < 6; i++)
		io_fini(&ios[i]);
	down();
}
END_TEST

START_TEST(many_at_once)
{
	static struct io ios[200];
	static uint8_t bytes[200][4096];

	up(PATIENT ",depth=8");
	for (int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < 200; i++) {
			memset(bytes[i], (int)i + round, sizeof(bytes[i]));
			io_init(&ios[i], i % 2 == 0 ? sd0 : sd1, (i + (unsigned)round) % 3 == 0,
			    i * 8, 8, bytes[i]);
			ck_assert_int_eq(io_send(&ios[i]), TRAN_ACCEPT);
		}
		for (unsigned int i = 0; i < 200; i++) {
			ck_assert(io_ended(&ios[i], CMD_CMPLT, 0));
			io_fini(&ios[i]);
		}
	}
	ck_assert_uint_eq(gate_info(0).queued + gate_info(0).sent, 0);
	down();
}
END_TEST

START_TEST(too_many_are_refused)
{
	static struct io ios[1100];
	int n = 0, r = TRAN_ACCEPT;

	up(PATIENT ",depth=2");
	atomic_store(&far->swallow, 2000);
	while (r == TRAN_ACCEPT) {
		ck_assert_int_lt(n, 1100);
		io_init(&ios[n], sd0, true, 0, 1, data);
		r = io_send(&ios[n++]);
	}
	ck_assert_int_eq(r, TRAN_BUSY);
	ck_assert_int_eq(n, 1025);
	ck_assert_int_eq(scsi_reset(&sd0->sd_address, RESET_LUN), 1);
	for (int i = 0; i < n; i++) {
		ck_assert(i == n - 1 || io_ended(&ios[i], CMD_RESET, STAT_DEV_RESET));
		io_fini(&ios[i]);
	}
	down();
}
END_TEST

START_TEST(quiet_targets_are_asked)
{
	up("ping=50ms");
	far_hang_up(far);
	far_wait(&far->logins, 2);
	while (gate_info(0).losses == 0 || strcmp(gate_info(0).state, "up") != 0)
		sched_yield();
	down();
}
END_TEST

static bool
no_nops(struct far *f, const struct far_pdu *pdu)
{
	(void)f;
	return (pdu->hdr[0] & 0x3f) == 0x00;
}

/* noticed by what it does not answer; once it answers again it works. A machine that is slow
 * may make it look dead at any time: then the command ends with its session, and nothing else */
START_TEST(dead_targets_are_noticed)
{
	uint64_t losses;
	struct io io;
	bool is_good;

	up("ping=50ms");
	atomic_store(&far->hook, no_nops);
	far_wait(&far->logins, 2);
	ck_assert(strstr(gate_info(0).error, "NOP-Out") != NULL ||
	    gate_info(0).error[0] == '\0');
	atomic_store(&far->hook, NULL);
	do {
		losses = gate_info(0).losses;
		io_init(&io, sd0, true, 0, 1, data);
		ck_assert_int_eq(io_send(&io), TRAN_ACCEPT);
		is_good = io_ended(&io, CMD_CMPLT, 0);
		ck_assert(is_good || (io_ended(&io, CMD_TRAN_ERR, 0) &&
		    gate_info(0).losses > losses));
		io_fini(&io);
	} while (!is_good);
	down();
}
END_TEST

/* an answer to a command that there is not, once */
static bool
lie_once(struct far *f, const struct far_pdu *pdu)
{
	uint8_t hdr[FAR_HDR] = { 0x21, 0x80 };

	if ((pdu->hdr[0] & 0x3f) != 0x01)
		return false;
	atomic_store(&f->hook, NULL);
	memset(hdr + 16, 0x11, 4);
	far_put(f, hdr, NULL, 0);
	return true;
}

/* a lying target is hung up on because of its lie, no deadline has to pass, and nobody else
 * notices; it may come again */
START_TEST(liars_are_hung_up_on)
{
	struct far *liar = far_open();
	char line[GATE_LINE];
	struct scsi_device *sd;
	struct io ios[2];

	far = far_open();
	(void)snprintf(line, sizeof(line), "%s," PATIENT, liar->line);
	ck_assert_int_eq(gate_up(far->line, line, NULL), 0);
	sd0 = gate_sd("0,0");
	sd = gate_sd("1,0");
	atomic_store(&liar->hook, lie_once);
	for (int i = 0; i < 2; i++) {
		io_init(&ios[i], i == 0 ? sd : sd0, true, 0, 1, data);
		ios[i].pkt->pkt_time = 0;
	}
	ck_assert_int_eq(io_send(&ios[0]), TRAN_ACCEPT);
	ck_assert_int_eq(io_send(&ios[1]), TRAN_ACCEPT);
	ck_assert(io_ended(&ios[0], CMD_TRAN_ERR, 0));
	ck_assert(io_ended(&ios[1], CMD_CMPLT, 0));
	ck_assert_uint_eq(gate_info(1).liars, 1);
	ck_assert_uint_eq(gate_info(0).losses, 0);
	ck_assert(io_run(sd, true, 0, 1, data));
	io_fini(&ios[0]);
	io_fini(&ios[1]);
	gate_down();
	far_close(liar);
	far_close(far);
}
END_TEST

START_TEST(bad_packets_are_refused)
{
	struct io io;
	uint_t len;

	up(PATIENT);
	io_init(&io, sd0, true, 0, 1, data);
	len = io.pkt->pkt_cdblen;
	io.pkt->pkt_cdblen = 17;
	ck_assert_int_eq(io_send(&io), TRAN_BADPKT);
	io.pkt->pkt_cdblen = 0;
	ck_assert_int_eq(io_send(&io), TRAN_BADPKT);
	io.pkt->pkt_cdblen = len;
	ck_assert_int_eq(io_send(&io), TRAN_ACCEPT);
	ck_assert(io_ended(&io, CMD_CMPLT, 0));
	io_fini(&io);
	down();
}
END_TEST

CHECK_MAIN("commands end once", data_goes_both_ways, sense_comes_back, abort_one_and_all,
    abort_unknown_and_refused, resets, reset_refused, ladder_of_timeouts, silence_ends_the_session,
    session_is_lost,
    target_is_gone, closed_window, many_at_once, too_many_are_refused, quiet_targets_are_asked,
    dead_targets_are_noticed, liars_are_hung_up_on, bad_packets_are_refused)
