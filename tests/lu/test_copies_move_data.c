/* EXTENDED COPY between units that are memory: what moves, what is refused, what is told */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "check_main.h"
#include "lu/alua.h"
#include "lu/copy.h"
#include "lu/copy_result.h"
#include "lu/lu_impl.h"
#include "lu/policy.h"
#include "lu/port.h"
#include "lu/view.h"
#include "mock_disks.h"
#include "scsi/cdb.h"
#include "scsi/vpd.h"

#define BLOCK	DISK_BLOCK
#define ALL	(LU_CLASS(OP_POLICY_N) - 1)

static struct lu_view *view;
static struct pnexus n;
static struct ptask t, other;

static void
begin(bool with_view)
{
	disks_begin();
	/* the third unit is not in the view; of the second it may only read */
	ck_assert_int_eq(lu_view_new((struct lu_view_entry[]){ { disks.units[0], 0, ALL, 1 },
	    { disks.units[1], 1, LU_CLASS(OP_INFO) | LU_CLASS(OP_READ), 1 } }, 2, &view, NULL), 0);
	pnexus_open_at(&n, disks.units[0], NULL, with_view ? view : NULL);
	n.lu.wants_sense = true;
	ptask_init(&t, &n.lu);
	ptask_init(&other, &n.lu);
}

static void
end(void)
{
	pnexus_leave(&n);
	lu_view_unref(view);
	disks_end();
}

/* ------ lists ------ */

static uint8_t list[COPY_LIST_MAX];
static size_t list_len;

/* CSCD descriptors of units 1, 2, 3 */
static void
list_begin(uint8_t id, uint8_t usage)
{
	memset(list, 0, sizeof(list));
	list[0] = id;
	list[1] = (uint8_t)(usage << 3);
	be16_put(list + 2, 96);
	list_len = 16 + 96;
	for (uint8_t i = 0; i < 3; i++) {
		const uint8_t cscd[32] = { 0xe4, [4] = 1, [5] = 3, [7] = 8, [8] = 0x30,
			[15] = (uint8_t)(i + 1), [30] = 2 };

		memcpy(list + 16 + 32 * i, cscd, sizeof(cscd));
	}
}

static void
list_segment(uint16_t src, uint16_t dst, uint16_t blocks, uint64_t src_lba, uint64_t dst_lba)
{
	uint8_t *d = list + list_len;

	d[0] = 0x02;
	be16_put(d + 2, 24);
	be16_put(d + 4, src);
	be16_put(d + 6, dst);
	be16_put(d + 10, blocks);
	be64_put(d + 12, src_lba);
	be64_put(d + 20, dst_lba);
	list_len += 28;
	be32_put(list + 8, be32_get(list + 8) + 28);
}

static void
copy_begin(struct ptask *task)
{
	const uint8_t cdb[16] = { 0x83, [12] = (uint8_t)(list_len >> 8),
		[13] = (uint8_t)list_len };

	memcpy(task->data, list, list_len);
	ptask_cdb(task, cdb, sizeof(cdb), LU_DIR_OUT, (uint32_t)list_len);
	task->n_done = 0;
	ck_assert_int_eq(ptask_submit(task), 0);
}

static void
copy(void)
{
	copy_begin(&t);
	ptask_wait(&t);
}

/* one segment; what it ends with: 0, or key and asc */
static uint32_t
copy_one(uint16_t src, uint16_t dst, uint16_t blocks, uint64_t src_lba, uint64_t dst_lba)
{
	list_begin(0, COPY_NO_ID);
	list_segment(src, dst, blocks, src_lba, dst_lba);
	copy();
	return t.lu.status == STATUS_GOOD ? 0 : ptask_sense(&t);
}

/* ------ scenarios ------ */

static void
move_scenario(void *arg UNUSED)
{
	begin(false);
	ck_assert_uint_eq(copy_one(0, 0, 300, 0, 700), 0);
	disks_check(0, 0, 0, 700, 300);
	disks_check(0, 300, 0, 300, 400);
	/* across units, also when neither is the one that is asked; 600 blocks are two
	 * chunks */
	disks_fill();
	ck_assert_uint_eq(copy_one(1, 2, 600, 10, 20), 0);
	disks_check(1, 10, 2, 20, 600);
	disks_check(2, 0, 2, 0, 20);
	disks_check(2, 620, 2, 620, 380);
	/* the unit itself has an identifier of its own */
	ck_assert_uint_eq(copy_one(COPY_SELF, 1, 5, 3, 4), 0);
	disks_check(0, 3, 1, 4, 5);
	ck_assert_uint_eq(copy_one(0, 0, 0, 0, 1), 0);
	/* a segment that counts bytes */
	disks_fill();
	list_begin(0, COPY_NO_ID);
	list_segment(0, 1, 0, 8, 0);
	list[112] = 0x0a;
	be16_put(list + 114, 28);
	be32_put(list + 112 + 8, 2 * BLOCK);
	be16_put(list + 112 + 28, BLOCK);
	list_len += 4;
	be32_put(list + 8, 32);
	copy();
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
	disks_check(0, 9, 1, 0, 2);
	disks_check(1, 2, 1, 2, 100);
	/* several, one after the other; none at all; no list at all */
	disks_fill();
	list_begin(0, COPY_NO_ID);
	list_segment(0, 1, 4, 0, 10);
	list_segment(1, 2, 4, 10, 20);
	copy();
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
	disks_check(0, 0, 2, 20, 4);
	list_begin(0, COPY_NO_ID);
	copy();
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
	list_len = 0;
	copy();
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
	end();
}

START_TEST(data_moves)
{
	port_sim(move_scenario);
}
END_TEST

static void
far_scenario(void *arg)
{
	port.has_two_homes = true;
	move_scenario(arg);
}

START_TEST(ends_may_live_elsewhere)
{
	port_sim(far_scenario);
}
END_TEST

static void
overlap_scenario(void *arg UNUSED)
{
	begin(true);
	ck_assert_uint_eq(copy_one(0, 0, 800, 0, 100), 0);
	disks_check(0, 0, 0, 100, 800);
	disks_fill();
	ck_assert_uint_eq(copy_one(0, 0, 800, 100, 3), 0);
	disks_check(0, 100, 0, 3, 800);
	disks_fill();
	ck_assert_uint_eq(copy_one(0, 0, 900, 50, 50), 0);
	disks_check(0, 0, 0, 0, 1000);
	end();
}

START_TEST(overlap_is_as_if_read_first)
{
	port_sim(overlap_scenario);
}
END_TEST

static void
access_scenario(void *arg UNUSED)
{
	begin(true);
	ck_assert_uint_eq(copy_one(1, 0, 4, 0, 0), 0);
	disks_check(1, 0, 0, 0, 4);
	disks.n_reads = disks.n_writes = 0;
	/* may only be read; is not in the view; has no descriptor */
	ck_assert_uint_eq(copy_one(0, 1, 4, 0, 0), 0x052002);
	ck_assert_uint_eq(copy_one(2, 0, 4, 0, 0), 0x0a0d02);
	ck_assert_uint_eq(copy_one(0, 2, 4, 0, 0), 0x0a0d02);
	ck_assert_uint_eq(copy_one(0, 3, 4, 0, 0), 0x0a0804);
	/* also when only the last segment is at fault nothing moves */
	list_begin(0, COPY_NO_ID);
	list_segment(0, 0, 4, 0, 100);
	list_segment(0, 2, 4, 0, 100);
	copy();
	ck_assert_uint_eq(ptask_sense(&t), 0x0a0d02);
	/* a name that was another unit's when it was attached */
	disks.names[1] = 9;
	ck_assert_uint_eq(copy_one(1, 0, 4, 0, 0), 0x0a0d02);
	/* block sizes that are told must be right */
	list_begin(0, COPY_NO_ID);
	list_segment(0, 0, 4, 0, 100);
	list[16 + 30] = 4;
	copy();
	ck_assert_uint_eq(ptask_sense(&t), 0x052600);
	ck_assert_int_eq(disks.n_reads + disks.n_writes, 0);
	end();
}

START_TEST(access_of_the_caller_bounds_copies)
{
	port_sim(access_scenario);
}
END_TEST

static void
stop_scenario(void *arg UNUSED)
{
	begin(false);
	ck_assert_uint_eq(copy_one(0, 0, 2, 999, 0), 0x0a0000);
	ck_assert_uint_eq(copy_one(0, 1, 2, 0, 999), 0x0a0000);
	ck_assert_uint_eq(copy_one(0, 1, 1, 0, UINT64_MAX), 0x0a0000);
	ck_assert_int_eq(disks.n_writes, 0);
	disks.refuse_writes = 1;
	ck_assert_uint_eq(copy_one(0, 1, 4, 0, 0), 0x0a0d01);
	disks.refuse_writes = 0;
	/* attentions of an end are not the copy's business, and others hear of them */
	disks.n_attentions = 2;
	ck_assert_uint_eq(copy_one(0, 1, 4, 0, 0), 0);
	ptask_tur(&t);
	ptask_run(&t);
	ck_assert_uint_eq(ptask_sense(&t), 0x062a02);
	disks.n_attentions = 1000;
	ck_assert_uint_eq(copy_one(1, 0, 4, 0, 0), 0x0a0d01);
	end();
}

START_TEST(failures_stop_it)
{
	port_sim(stop_scenario);
}
END_TEST

/* ------ states and reservations ------ */

static const struct lu_port far = { .rtpi = 5, .group = 5 };

static void
standby_visit(void *arg UNUSED)
{
	ck_assert_int_eq(lu_alua_set(disks.units[1], 5, ALUA_STANDBY), 0);
}

static void
state_scenario(void *arg UNUSED)
{
	struct pnexus through;
	struct ptask task;

	begin(false);
	port_at_home(standby_visit, NULL);
	ck_assert_uint_eq(copy_one(0, 1, 4, 0, 0), 0);
	pnexus_open_at(&through, disks.units[0], &far, NULL);
	ptask_init(&task, &through.lu);
	list_begin(0, COPY_NO_ID);
	list_segment(0, 1, 4, 0, 8);
	copy_begin(&task);
	ptask_wait(&task);
	ck_assert_uint_eq(ptask_sense(&task), 0x0a0d01);
	pnexus_leave(&through);
	end();
}

START_TEST(access_states_bound_copies)
{
	port_sim(state_scenario);
}
END_TEST

/* ------ what is told afterwards ------ */

static void
receive(uint8_t sa, uint8_t id)
{
	const uint8_t cdb[16] = { 0x84, sa, id, [12] = 1 };

	memset(other.data, 0, sizeof(other.data));
	ptask_cdb(&other, cdb, sizeof(cdb), LU_DIR_IN, 256);
	ptask_run(&other);
}

static void
results_scenario(void *arg UNUSED)
{
	begin(false);
	receive(3, 0);
	ck_assert_uint_eq(other.lu.moved, COPY_PARAMETERS_LEN);
	receive(0, 1);
	ck_assert_uint_eq(ptask_sense(&other), 0x052400);
	list_begin(1, COPY_HOLD);
	list_segment(0, 1, 4, 0, 0);
	list_segment(0, 1, 4, 0, 8);
	copy();
	receive(0, 1);
	ck_assert_uint_eq(other.data[4], COPY_GOOD);
	ck_assert_uint_eq(be16_get(other.data + 5), 2);
	ck_assert_uint_eq(be32_get(other.data + 8), 8 * BLOCK);
	receive(1, 1);
	ck_assert_uint_eq(other.lu.moved, 4);
	receive(4, 1);
	ck_assert_uint_eq(be32_get(other.data), 0);
	receive(0, 2);
	ck_assert_uint_eq(ptask_sense(&other), 0x052400);
	/* the same identifier again: the older results are gone */
	list_begin(1, COPY_DISCARD);
	list_segment(0, 1, 4, 0, 0);
	copy();
	receive(0, 1);
	ck_assert_uint_eq(ptask_sense(&other), 0x052400);
	/* a failure is told whatever the usage, its details once */
	list_begin(1, COPY_DISCARD);
	list_segment(0, 1, 4, 0, 0);
	list_segment(0, 1, 4, 0, 999);
	copy();
	ck_assert_uint_eq(ptask_sense(&t), 0x0a0000);
	receive(0, 1);
	ck_assert_uint_eq(other.data[4], COPY_FAILED);
	ck_assert_uint_eq(be16_get(other.data + 5), 1);
	receive(4, 1);
	ck_assert_uint_eq(other.data[56], STATUS_CHECK);
	ck_assert_mem_eq(other.data + 60, t.lu.sense, be16_get(other.data + 58));
	receive(4, 1);
	ck_assert_uint_eq(ptask_sense(&other), 0x052400);
	/* more than are held: the oldest is gone */
	for (uint8_t id = 10; id < 10 + COPY_HELD_MAX + 1; id++) {
		list_begin(id, COPY_HOLD);
		list_segment(0, 1, 1, 0, 0);
		copy();
	}
	receive(0, 10);
	ck_assert_uint_eq(ptask_sense(&other), 0x052400);
	receive(0, 11);
	ck_assert_uint_eq(other.data[4], COPY_GOOD);
	end();
}

START_TEST(results_are_held)
{
	port_sim(results_scenario);
}
END_TEST

/* ------ stopping ------ */

static struct lu_tmf tmf;
static int n_tmf;

static void
tmf_done(struct lu_tmf *done UNUSED)
{
	n_tmf++;
}

static void
abort_visit(void *arg UNUSED)
{
	lu_tm(&tmf, &n.lu, LU_TM_ABORT_TASK_SET, 0, tmf_done);
}

static void
gone_visit(void *arg UNUSED)
{
	lu_nexus_gone(&n.lu);
}

static void
settle(void)
{
	for (int i = 0; i < 20; i++)
		sim_advance_us(1000);
}

static void
abort_scenario(void *arg UNUSED)
{
	begin(false);
	port.how = PORT_LATER;
	disks.is_stalled = true;
	list_begin(1, COPY_HOLD);
	list_segment(0, 1, 900, 0, 50);
	copy_begin(&t);
	settle();
	ck_assert_int_eq(port.n_pending, 2);	/* two chunks are being read */
	receive(0, 1);
	ck_assert_uint_eq(other.data[4], COPY_RUNNING);
	receive(4, 1);
	ck_assert_uint_eq(ptask_sense(&other), 0x052400);
	/* the same identifier is in use */
	copy_begin(&other);
	ptask_wait(&other);
	ck_assert_uint_eq(ptask_sense(&other), 0x050016);
	n_tmf = 0;
	port_at_home(abort_visit, NULL);
	settle();
	ck_assert_int_eq(n_tmf, 0);
	ck_assert_int_eq(t.n_done, 0);
	(void)port_complete();
	ptask_wait(&t);
	settle();
	ck_assert_int_eq(n_tmf, 1);
	ck_assert_uint_eq(t.lu.reason, CMD_ABORTED);
	ck_assert_int_eq(port.n_pending, 0);	/* nothing is written */
	end();
}

START_TEST(an_abort_stops_it)
{
	port_sim(abort_scenario);
}
END_TEST

static void
far_abort_scenario(void *arg)
{
	port.has_two_homes = true;
	abort_scenario(arg);
}

START_TEST(an_abort_stops_it_elsewhere)
{
	port_sim(far_abort_scenario);
}
END_TEST

static void
leave_scenario(void *arg UNUSED)
{
	begin(false);
	port.how = PORT_LATER;
	disks.is_stalled = true;
	list_begin(1, COPY_HOLD);
	list_segment(0, 1, 900, 0, 50);
	copy_begin(&t);
	settle();
	port_at_home(gone_visit, NULL);
	settle();
	ck_assert_int_eq(n.n_gone, 0);
	(void)port_complete();
	settle();
	ck_assert_int_eq(t.n_done, 1);
	ck_assert_int_eq(n.n_gone, 1);
	ck_assert_int_eq(port.n_pending, 0);
	disks.is_stalled = false;
	pnexus_open_at(&n, disks.units[0], NULL, NULL);
	ptask_init(&other, &n.lu);
	receive(0, 1);
	ck_assert_uint_eq(ptask_sense(&other), 0x052400);
	end();
}

START_TEST(who_leaves_stops_it)
{
	port_sim(leave_scenario);
}
END_TEST

/* ------ order, memory, what is not there ------ */

static void
order_scenario(void *arg UNUSED)
{
	uint8_t cdb[CDB_BUF_LEN];
	size_t len = cdb_report_opcodes(cdb, 0, 0, 0, false, 4096);

	begin(false);
	/* what is sent for a command does not wait for the command */
	for (enum lu_attr attr = LU_ATTR_UNTAGGED; attr < LU_ATTR_N; attr++) {
		t.lu.attr = attr;
		ck_assert_uint_eq(copy_one(0, 0, 4, 0, 100), 0);
		ptask_cdb(&t, cdb, len, LU_DIR_IN, 4096);
		ptask_run(&t);
	}
	end();
}

START_TEST(it_does_not_wait_for_itself)
{
	port_sim(order_scenario);
}
END_TEST

static void
memory_scenario(void *arg UNUSED)
{
	int n_failed = 0;

	begin(false);
	for (int64_t i = 1;; i++) {
		uint32_t r;

		fault_arm(i);
		r = copy_one(0, 1, 4, 0, 0);
		if (!fault_disarm()) {
			ck_assert_uint_eq(r, 0);
			break;
		}
		n_failed++;
		/* packets are waited for */
		ck_assert_msg(r == 0 || r == 0x055503 || r == 0x0a0d02, "%x", r);
	}
	ck_assert_int_ge(n_failed, 7);
	end();
}

START_TEST(without_memory_it_is_refused)
{
	port_sim(memory_scenario);
}
END_TEST

static void
pass_visit(void *arg UNUSED)
{
	lu_policy_set(disks.units[0], LU_POLICY_COPY, true);
}

static void
others_scenario(void *arg UNUSED)
{
	static const uint8_t sas[] = { 0x01, 0x1c };
	uint8_t cdb[CDB_BUF_LEN];

	begin(false);
	for (size_t i = 0; i < sizeof(sas); i++) {
		const uint8_t out[16] = { 0x83, sas[i] };

		ptask_cdb(&t, out, sizeof(out), LU_DIR_NONE, 0);
		ptask_run(&t);
		ck_assert_uint_eq(ptask_sense(&t), 0x052400);
	}
	ptask_cdb(&t, cdb, cdb_inquiry_vpd(cdb, VPD_THIRD_PARTY_COPY, 512), LU_DIR_IN, 512);
	ptask_run(&t);
	ck_assert_uint_eq(t.data[1], 0x8f);
	ck_assert_uint_eq(be16_get(t.data + 2) + 4u, t.lu.moved);
	/* left to the device, which answers as the script says */
	port_at_home(pass_visit, NULL);
	port.n_start = 0;
	list_begin(0, COPY_NO_ID);
	list_segment(0, 0, 4, 0, 100);
	copy();
	receive(0, 1);
	ck_assert_int_eq(port.n_start, 2);
	ck_assert_int_eq(disks.n_writes, 0);
	end();
}

START_TEST(others_of_the_family_are_refused)
{
	port_sim(others_scenario);
}
END_TEST

static bool (*disks_answer)(struct scsi_address *ap, struct scsi_pkt *pkt);

static bool
answer_no_flush(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	if (pkt->pkt_cdbp[0] != 0x35)
		return disks_answer(ap, pkt);
	port_refuse(pkt, SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR);
	return true;
}

/* what a copy has written its initiator hears of, when the cache could not be written back */
static void
loss_scenario(void *arg UNUSED)
{
	static const uint8_t flush[10] = { 0x35 }, tur[6] = { 0 };
	struct pnexus flusher;
	struct sense_data sense;

	begin(false);
	disks_answer = port.answer;
	port.answer = answer_no_flush;
	pnexus_open(&flusher, disks.units[0]);
	ck_assert_uint_eq(copy_one(1, 0, 4, 0, 0), 0);
	ptask_init(&other, &flusher.lu);
	ptask_cdb(&other, flush, sizeof(flush), LU_DIR_NONE, 0);
	ptask_run(&other);
	ck_assert_uint_eq(ptask_sense(&other), 0x030c00);
	ptask_cdb(&t, tur, sizeof(tur), LU_DIR_NONE, 0);
	ptask_run(&t);
	ck_assert_uint_eq(t.lu.status, STATUS_CHECK);
	ck_assert_int_eq(sense_parse(t.lu.sense, t.lu.sense_len, &sense), 0);
	ck_assert(sense.is_deferred && sense.asc == ASC_WRITE_ERROR);
	ptask_cdb(&t, tur, sizeof(tur), LU_DIR_NONE, 0);
	ptask_run(&t);
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
	pnexus_leave(&flusher);
	end();
}

START_TEST(what_it_wrote_may_be_lost)
{
	port_sim(loss_scenario);
}
END_TEST

CHECK_MAIN("copies", data_moves, ends_may_live_elsewhere, an_abort_stops_it_elsewhere,
    overlap_is_as_if_read_first,
    access_of_the_caller_bounds_copies, failures_stop_it, access_states_bound_copies,
    results_are_held, an_abort_stops_it, who_leaves_stops_it, it_does_not_wait_for_itself,
    without_memory_it_is_refused, others_of_the_family_are_refused, what_it_wrote_may_be_lost)
