/* ROD tokens: made, written, worth nothing after a change, in time, or in the wrong hands */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/fault.h"
#include "check_main.h"
#include "lu/copy_result.h"
#include "lu/lu_impl.h"
#include "lu/token.h"
#include "lu/view.h"
#include "mock_disks.h"
#include "scsi/cdb.h"

#define ALL	(LU_CLASS(OP_POLICY_N) - 1)
#define INFO	LU_CLASS(OP_INFO)

static struct pnexus n;		/* on unit 0 */
static struct pnexus at_one;	/* on unit 1; without views they see everything */
static struct ptask t, u;
static uint8_t token[COPY_TOKEN_LEN];

static void
begin(void)
{
	disks_begin();
	pnexus_open(&n, disks.units[0]);
	pnexus_open(&at_one, disks.units[1]);
	ptask_init(&t, &n.lu);
	ptask_init(&u, &at_one.lu);
}

static void
end(void)
{
	pnexus_leave(&n);
	pnexus_leave(&at_one);
	disks_end();
}

static uint32_t
result_of(const struct ptask *task)
{
	return task->lu.status == STATUS_GOOD ? 0 : ptask_sense(task);
}

/* RECEIVE ROD TOKEN INFORMATION */
static void
receive(struct ptask *task, uint32_t id)
{
	uint8_t cdb[16] = { 0x84, 0x07, [12] = 4 };

	be32_put(cdb + 2, id);
	ptask_cdb(task, cdb, sizeof(cdb), LU_DIR_IN, 1024);
	ptask_run(task);
}

struct range {
	uint64_t lba;
	uint32_t blocks;
};

static void
out(struct ptask *task, uint8_t sa, uint32_t id, size_t hdr, const struct range *ranges,
    size_t count)
{
	size_t len = hdr + 16 * count;
	uint8_t cdb[16] = { 0x83, sa };

	be32_put(cdb + 6, id);
	be32_put(cdb + 10, (uint32_t)len);
	be16_put(task->data, (uint16_t)(len - 2));
	be16_put(task->data + hdr - 2, (uint16_t)(16 * count));
	for (size_t i = 0; i < count; i++) {
		memset(task->data + hdr + 16 * i, 0, 16);
		be64_put(task->data + hdr + 16 * i, ranges[i].lba);
		be32_put(task->data + hdr + 16 * i + 8, ranges[i].blocks);
	}
	ptask_cdb(task, cdb, sizeof(cdb), LU_DIR_OUT, (uint32_t)len);
	task->n_done = 0;
	ck_assert_int_eq(ptask_submit(task), 0);
}

/* token of ranges of unit 0, through its list identifier */
static void
populate_as(uint32_t id, uint32_t idle_s, const struct range *ranges, size_t count)
{
	memset(t.data, 0, 16);
	be32_put(t.data + 4, idle_s);
	out(&t, 0x10, id, 16, ranges, count);
	ptask_wait(&t);
	ck_assert_uint_eq(result_of(&t), 0);
	receive(&t, id);
	ck_assert_uint_eq(t.data[4], 0x10);
	ck_assert_uint_eq(t.data[5], COPY_GOOD);
	ck_assert_uint_eq(be32_get(t.data + 32), 514);
	memcpy(token, t.data + 38, sizeof(token));
}

static void
populate(uint64_t lba, uint32_t blocks)
{
	populate_as(1, 0, &(struct range){ lba, blocks }, 1);
}

static void
write_begin(struct ptask *task, uint64_t offset, bool is_del, const struct range *ranges,
    size_t count)
{
	memset(task->data, 0, TOKEN_WRITE_HDR);
	task->data[2] = is_del ? 2 : 0;
	be64_put(task->data + 8, offset);
	memcpy(task->data + 16, token, sizeof(token));
	out(task, 0x11, 2, TOKEN_WRITE_HDR, ranges, count);
}

static uint32_t
write_at(struct ptask *task, uint64_t offset, uint64_t lba, uint32_t blocks)
{
	write_begin(task, offset, false, &(struct range){ lba, blocks }, 1);
	ptask_wait(task);
	return result_of(task);
}

static void
plain_write(uint32_t lba, uint16_t blocks)
{
	uint8_t cdb[CDB_BUF_LEN];

	memset(t.data, 0xee, blocks * DISK_BLOCK);
	ptask_cdb(&t, cdb, cdb_write(cdb, CDB_10, lba, blocks, 0), LU_DIR_OUT,
	    blocks * DISK_BLOCK);
	ptask_run(&t);
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
}

/* ------ scenarios ------ */

static void
move_scenario(void *arg UNUSED)
{
	static const struct range from[] = { { 900, 50 }, { 100, 30 } };
	static const struct range to[] = { { 10, 20 }, { 700, 60 } };

	begin();
	populate(0, 600);
	ck_assert_uint_eq(write_at(&u, 0, 200, 600), 0);
	disks_check(0, 0, 1, 200, 600);
	receive(&u, 2);
	ck_assert_uint_eq(u.data[4], 0x11);
	ck_assert_uint_eq(u.data[5], 1);
	ck_assert_uint_eq(be64_get(u.data + 16), 600);
	/* a part of it, from an offset */
	disks_fill();
	ck_assert_uint_eq(write_at(&u, 590, 5, 4), 0);
	disks_check(0, 590, 1, 5, 4);
	receive(&u, 2);
	ck_assert_uint_eq(u.data[5], 3);
	/* more than there is */
	disks_fill();
	ck_assert_uint_eq(write_at(&u, 595, 5, 100), 0);
	disks_check(0, 595, 1, 5, 5);
	disks_check(1, 10, 1, 10, 100);
	ck_assert_uint_eq(write_at(&u, 600, 5, 1), 0x052600);
	/* ranges on both sides need not match */
	populate_as(7, 0, from, 2);
	disks_fill();
	write_begin(&u, 10, false, to, 2);
	ptask_wait(&u);
	ck_assert_uint_eq(result_of(&u), 0);
	disks_check(0, 910, 1, 10, 20);
	disks_check(0, 930, 1, 700, 20);
	disks_check(0, 100, 1, 720, 30);
	disks_check(1, 750, 1, 750, 10);
	/* within the unit, behind what it stands for */
	populate(0, 4);
	ck_assert_uint_eq(write_at(&t, 0, 500, 4), 0);
	disks_check(0, 0, 0, 500, 4);
	end();
}

START_TEST(data_is_written)
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

START_TEST(units_may_live_elsewhere)
{
	port_sim(far_scenario);
}
END_TEST

static void
zero_scenario(void *arg UNUSED)
{
	static const uint8_t zeros[8 * DISK_BLOCK];

	begin();
	memset(token, 0, sizeof(token));
	be32_put(token, TOKEN_TYPE_ZERO);
	be16_put(token + 6, 0x1f8);
	ck_assert_uint_eq(write_at(&u, 0, 100, 8), 0);
	ck_assert_mem_eq(disks.bytes[1] + 100 * DISK_BLOCK, zeros, sizeof(zeros));
	disks_check(1, 108, 1, 108, 100);
	ck_assert_int_eq(disks.n_reads, 0);
	end();
}

START_TEST(zeros_need_no_source)
{
	port_sim(zero_scenario);
}
END_TEST

static void
change_scenario(void *arg UNUSED)
{
	static const uint8_t sync[10] = { 0x35 }, unmap[10] = { 0x42, [8] = 8 };

	begin();
	populate(100, 10);
	/* beside it, reads, the cache: nothing */
	plain_write(92, 8);
	plain_write(110, 4);
	ptask_read(&t, 1, 512);
	ptask_run(&t);
	ptask_cdb(&t, sync, sizeof(sync), LU_DIR_NONE, 0);
	ptask_run(&t);
	ck_assert_uint_eq(write_at(&u, 0, 0, 10), 0);
	plain_write(109, 1);
	disks.n_writes = 0;
	ck_assert_uint_eq(write_at(&u, 0, 0, 10), 0x052306);
	populate(100, 10);
	plain_write(98, 3);
	ck_assert_uint_eq(write_at(&u, 0, 0, 10), 0x052306);
	/* a command that does not say where */
	populate(100, 10);
	ptask_cdb(&t, unmap, sizeof(unmap), LU_DIR_OUT, 8);
	ptask_run(&t);
	ck_assert_uint_eq(write_at(&u, 0, 0, 10), 0x052306);
	/* what a token writes over itself */
	populate(100, 600);
	ck_assert_uint_eq(write_at(&t, 0, 400, 600), 0x052306);
	end();
}

START_TEST(a_change_revokes)
{
	port_sim(change_scenario);
}
END_TEST

static void
race_scenario(void *arg UNUSED)
{
	static struct ptask late;
	uint8_t cdb[CDB_BUF_LEN];

	begin();
	ptask_init(&late, &n.lu);
	populate(0, 100);
	/* while it is read, a write comes: what was read goes nowhere */
	port.how = PORT_LATER;
	disks.is_stalled = true;
	write_begin(&u, 0, false, &(struct range){ 0, 100 }, 1);
	for (int i = 0; i < 20; i++)
		sim_advance_us(1000);
	ck_assert_int_eq(port.n_pending, 1);
	memset(t.data, 0, DISK_BLOCK);
	ptask_cdb(&t, cdb, cdb_write(cdb, CDB_10, 50, 1, 0), LU_DIR_OUT, DISK_BLOCK);
	t.n_done = 0;
	ck_assert_int_eq(ptask_submit(&t), 0);
	ck_assert_int_eq(port.n_pending, 2);
	/* and none is made of what is being written */
	memset(late.data, 0, 16);
	out(&late, 0x10, 5, 16, &(struct range){ 50, 1 }, 1);
	ptask_wait(&late);
	ck_assert_uint_eq(late.lu.status, STATUS_BUSY);
	disks.is_stalled = false;
	port.how = PORT_INLINE;
	(void)port_complete();
	ptask_wait(&u);
	ck_assert_uint_eq(result_of(&u), 0x052306);
	ck_assert_int_eq(disks.n_writes, 0);
	receive(&u, 2);
	ck_assert_uint_eq(u.data[5], COPY_FAILED);
	ck_assert_uint_eq(u.data[13], 18);
	end();
}

START_TEST(a_change_meanwhile_stops_it)
{
	port_sim(race_scenario);
}
END_TEST

static void
forged_scenario(void *arg UNUSED)
{
	uint8_t good[COPY_TOKEN_LEN];

	begin();
	populate(0, 10);
	memcpy(good, token, sizeof(good));
	for (size_t i = 128; i < 160; i++) {
		memcpy(token, good, sizeof(token));
		token[i] ^= 1;
		ck_assert_uint_eq(write_at(&u, 0, 0, 1), 0x052305);
	}
	memcpy(token, good, sizeof(token));
	token[15] ^= 1;
	ck_assert_uint_eq(write_at(&u, 0, 0, 1), 0x052304);
	memcpy(token, good, sizeof(token));
	token[0] ^= 1;
	ck_assert_uint_eq(write_at(&u, 0, 0, 1), 0x052301);
	memcpy(token, good, sizeof(token));
	token[7] ^= 1;
	ck_assert_uint_eq(write_at(&u, 0, 0, 1), 0x05230a);
	ck_assert_int_eq(disks.n_reads + disks.n_writes, 0);
	/* two of the same ranges are nothing alike where it counts */
	populate(0, 10);
	ck_assert_int_ne(memcmp(token + 128, good + 128, 32), 0);
	end();
}

START_TEST(guesses_are_worth_nothing)
{
	port_sim(forged_scenario);
}
END_TEST

static void
access_scenario(void *arg UNUSED)
{
	struct pnexus blind;
	struct ptask task;
	struct lu_view *own;

	begin();
	populate(0, 10);
	/* the token alone does not open what the view does not have */
	ck_assert_int_eq(lu_view_new(&(struct lu_view_entry){ disks.units[1], 0, ALL, 1 }, 1, &own,
	    NULL), 0);
	pnexus_open_at(&blind, disks.units[1], NULL, own);
	ptask_init(&task, &blind.lu);
	ck_assert_uint_eq(write_at(&task, 0, 0, 10), 0x052304);
	pnexus_leave(&blind);
	lu_view_unref(own);
	/* or may not be read */
	ck_assert_int_eq(lu_view_new((struct lu_view_entry[]){ { disks.units[1], 0, ALL, 1 },
	    { disks.units[0], 1, INFO, 1 } }, 2, &own, NULL), 0);
	pnexus_open_at(&blind, disks.units[1], NULL, own);
	ptask_init(&task, &blind.lu);
	ck_assert_uint_eq(write_at(&task, 0, 0, 10), 0x052002);
	pnexus_leave(&blind);
	lu_view_unref(own);
	ck_assert_int_eq(disks.n_reads + disks.n_writes, 0);
	end();
}

START_TEST(a_token_alone_opens_nothing)
{
	port_sim(access_scenario);
}
END_TEST

static void
time_scenario(void *arg UNUSED)
{
	begin();
	populate_as(1, 5, &(struct range){ 0, 10 }, 1);
	sim_advance_us(4000000);
	ck_assert_uint_eq(write_at(&u, 0, 0, 1), 0);
	sim_advance_us(4000000);
	ck_assert_uint_eq(write_at(&u, 0, 0, 1), 0);
	sim_advance_us(6000000);
	ck_assert_uint_eq(write_at(&u, 0, 0, 1), 0x052307);
	/* given back */
	populate(0, 10);
	write_begin(&u, 0, true, &(struct range){ 0, 10 }, 1);
	ptask_wait(&u);
	ck_assert_uint_eq(result_of(&u), 0);
	ck_assert_uint_eq(write_at(&u, 0, 0, 1), 0x052308);
	end();
	/* its unit has gone, and one of the same name is another */
	begin();
	ck_assert_uint_eq(write_at(&u, 0, 0, 1), 0x052308);
	end();
}

START_TEST(tokens_end)
{
	port_sim(time_scenario);
}
END_TEST

static void
limit_scenario(void *arg UNUSED)
{
	static const uint8_t report[16] = { 0x84, 0x08, [12] = 0x10 };
	struct range range = { 0, 1 };

	begin();
	for (uint32_t i = 0; i < TOKEN_UNIT_MAX; i++)
		populate_as(i, 600, &range, 1);
	memset(t.data, 0, 16);
	out(&t, 0x10, 999, 16, &range, 1);
	ptask_wait(&t);
	ck_assert_uint_eq(result_of(&t), 0x05550d);
	receive(&t, 999);
	ck_assert_uint_eq(t.data[5], COPY_FAILED);
	ptask_cdb(&t, report, sizeof(report), LU_DIR_IN, 4096);
	ptask_run(&t);
	ck_assert_uint_eq(be32_get(t.data), 4 + TOKEN_UNIT_MAX * TOKEN_MANAGE_LEN);
	ck_assert_uint_eq(be32_get(t.data + 8), TOKEN_TYPE_VULNERABLE);
	/* one change, and there is room again, time after time */
	for (int round = 0; round < 6; round++) {
		plain_write(0, 1);
		ptask_cdb(&t, report, sizeof(report), LU_DIR_IN, 4096);
		ptask_run(&t);
		ck_assert_uint_eq(be32_get(t.data), 4);
		for (uint32_t i = 0; i < TOKEN_UNIT_MAX; i++)
			populate_as(i, 600, &range, 1);
	}
	receive(&t, 123456);
	ck_assert_uint_eq(ptask_sense(&t), 0x052400);
	end();
}

START_TEST(they_are_bounded)
{
	port_sim(limit_scenario);
}
END_TEST

static void
failure_scenario(void *arg UNUSED)
{
	static const uint8_t none[16] = { 0x83, 0x11 }, cut[16] = { 0x83, 0x10, [13] = 32 };
	int n_failed = 0;

	begin();
	populate(0, 10);
	disks.refuse_writes = 1;
	ck_assert_uint_eq(write_at(&u, 0, 0, 10), 0x0a0d01);
	disks.refuse_writes = 0;
	ptask_cdb(&t, none, sizeof(none), LU_DIR_NONE, 0);
	ptask_run(&t);
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
	ptask_cdb(&t, cut, sizeof(cut), LU_DIR_OUT, 16);
	ptask_run(&t);
	ck_assert_uint_eq(ptask_sense(&t), 0x051a00);
	for (int64_t i = 1;; i++) {
		uint32_t r;

		fault_arm(i);
		r = write_at(&u, 0, 0, 4);
		if (!fault_disarm()) {
			ck_assert_uint_eq(r, 0);
			break;
		}
		n_failed++;
		ck_assert_msg(r == 0 || r == 0x055503, "%x", r);
	}
	ck_assert_int_ge(n_failed, 6);
	for (int64_t i = 1;; i++) {
		uint32_t r;

		memset(t.data, 0, 16);
		fault_arm(i);
		out(&t, 0x10, 3, 16, &(struct range){ 0, 1 }, 1);
		ptask_wait(&t);
		r = result_of(&t);
		if (!fault_disarm()) {
			ck_assert_uint_eq(r, 0);
			break;
		}
		ck_assert_msg(r == 0x05550d || r == 0x055503, "%x", r);
	}
	end();
}

START_TEST(failures_are_told)
{
	port_sim(failure_scenario);
}
END_TEST

/* the medium of unit @gone goes, and with it the size of its blocks, while the first of two ranges
 * is being written */
static void
medium_scenario(void *arg)
{
	const int *gone = arg;

	begin();
	populate(0, 100);
	port.how = PORT_LATER;
	disks.is_stalled = true;
	write_begin(&u, 0, false, (const struct range[]){ { 0, 8 }, { 50, 8 } }, 2);
	for (int i = 0; i < 20; i++)
		sim_advance_us(1000);
	ck_assert_int_eq(port_complete(), 1);
	for (int i = 0; i < 20; i++)
		sim_advance_us(1000);
	ck_assert_int_eq(port.n_pending, 1);
	atomic_store(&disks.units[*gone]->block_bytes, 0);
	disks.is_stalled = false;
	port.how = PORT_INLINE;
	(void)port_complete();
	ptask_wait(&u);
	ck_assert_uint_eq(result_of(&u), 0x0a0d02);
	ck_assert_int_eq(disks.n_writes, 0);
	atomic_store(&disks.units[*gone]->block_bytes, DISK_BLOCK);
	end();
}

static void
medium_src_scenario(void *arg UNUSED)
{
	medium_scenario(&(int){ 0 });
}

static void
medium_dst_scenario(void *arg UNUSED)
{
	medium_scenario(&(int){ 1 });
}

START_TEST(a_medium_that_goes_stops_it)
{
	port_sim(medium_src_scenario);
	port_sim(medium_dst_scenario);
}
END_TEST

CHECK_MAIN("tokens", data_is_written, units_may_live_elsewhere,
    zeros_need_no_source, a_change_revokes,
    a_change_meanwhile_stops_it, a_medium_that_goes_stops_it, guesses_are_worth_nothing,
    a_token_alone_opens_nothing,
    tokens_end, they_are_bounded, failures_are_told)
