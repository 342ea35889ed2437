/* copies and tokens after a format: nothing is cut, counted or written by the old length of blocks */
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "check_main.h"
#include "lu/copy.h"
#include "mock_disks.h"
#include "scsi/cdb.h"

#define LONG		4096u
#define LIST_LEN	(16 + 2 * 32 + 28)

enum { FORMAT = 0x04, CAPACITY = 0x25, READ = 0x28, WRITE = 0x2a };

static struct pnexus n, m;
static struct ptask t, formatter;
static bool (*disks_answer)(struct scsi_address *ap, struct scsi_pkt *pkt);
static bool is_long, has_grown;		/* unit 1 */
static int n_writes;			/* of long blocks */
static uint32_t lba, blocks;		/* of the last of them */
static uint8_t written[2 * LONG];

static bool
answer_long(struct scsi_pkt *pkt)
{
	uint8_t data[8] = { 0 };

	switch (pkt->pkt_cdbp[0]) {
	case CAPACITY:
		be32_put(data, DISK_BLOCKS * DISK_BLOCK / LONG - 1);
		be32_put(data + 4, LONG);
		port_answer(pkt, data, sizeof(data));
		return true;
	case WRITE:
		lba = be32_get(pkt->pkt_cdbp + 2);
		blocks = be16_get(pkt->pkt_cdbp + 7);
		n_writes++;
		ck_assert_uint_le(blocks * LONG, sizeof(written));
		port_take(pkt, written, blocks * LONG);
		return true;
	default:
		return false;
	}
}

static bool
answer(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	if (ap->a_target != 0 || ap->a_lun != 1)
		return disks_answer(ap, pkt);
	if (pkt->pkt_cdbp[0] == FORMAT) {
		is_long = true;
		port_answer(pkt, NULL, 0);
		return true;
	}
	if (has_grown && (pkt->pkt_cdbp[0] == READ || pkt->pkt_cdbp[0] == WRITE)) {
		has_grown = false;
		port_refuse(pkt, SENSE_UNIT_ATTENTION, ASC_CAPACITY_CHANGED);
		return true;
	}
	return (is_long && answer_long(pkt)) || disks_answer(ap, pkt);
}

static void
begin(void)
{
	disks_begin();
	disks_answer = port.answer;
	port.answer = answer;
	is_long = has_grown = false;
	n_writes = 0;
	pnexus_open(&n, disks.units[0]);
	pnexus_open(&m, disks.units[1]);
	n.lu.wants_sense = m.lu.wants_sense = true;
	ptask_init(&t, &n.lu);
	ptask_init(&formatter, &m.lu);
}

static void
end(void)
{
	pnexus_leave(&n);
	pnexus_leave(&m);
	disks_end();
}

static void
settle(void)
{
	for (int i = 0; i < 20; i++)
		sim_advance_us(1000);
}

static void
format_begin(void)
{
	static const uint8_t cdb[6] = { FORMAT };

	ptask_cdb(&formatter, cdb, sizeof(cdb), LU_DIR_NONE, 0);
	formatter.n_done = 0;
	ck_assert_int_eq(ptask_submit(&formatter), 0);
}

static void
format(void)
{
	format_begin();
	ptask_wait(&formatter);
	ck_assert_uint_eq(formatter.lu.status, STATUS_GOOD);
}

/* 16 blocks of unit 0, from its block 8 on, to block 3 of unit 1 */
static void
copy_begin(void)
{
	static const uint8_t cdb[16] = { 0x83, [13] = LIST_LEN };
	uint8_t *list = t.data;

	memset(list, 0, LIST_LEN);
	list[1] = COPY_NO_ID << 3;
	list[3] = 64;
	list[11] = 28;
	for (uint8_t i = 0; i < 2; i++) {
		const uint8_t cscd[32] = { 0xe4, [4] = 1, [5] = 3, [7] = 8, [8] = 0x30,
			[15] = (uint8_t)(i + 1) };

		memcpy(list + 16 + 32 * i, cscd, sizeof(cscd));
	}
	list += 16 + 64;
	list[0] = 0x02;
	list[3] = 24;
	list[7] = 1;
	list[11] = 16;
	be64_put(list + 12, 8);
	be64_put(list + 20, 3);
	ptask_cdb(&t, cdb, sizeof(cdb), LU_DIR_OUT, LIST_LEN);
	t.n_done = 0;
	ck_assert_int_eq(ptask_submit(&t), 0);
}

static void
wait_scenario(void *arg UNUSED)
{
	begin();
	port.kept = CAPACITY;
	format();
	copy_begin();
	settle();
	ck_assert_int_eq(t.n_done, 0);
	ck_assert_int_eq(n_writes + disks.n_writes, 0);
	port_release();
	ptask_wait(&t);
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
	ck_assert_int_eq(disks.n_writes, 0);
	ck_assert_int_eq(n_writes, 1);
	ck_assert_uint_eq(lba, 3);
	ck_assert_uint_eq(blocks, 16 * DISK_BLOCK / LONG);
	ck_assert_mem_eq(written, disks.bytes[0] + 8 * DISK_BLOCK, sizeof(written));
	end();
}

START_TEST(a_copy_waits_for_the_new_length)
{
	port_sim(wait_scenario);
}
END_TEST

static void
meanwhile_scenario(void *arg UNUSED)
{
	begin();
	port.how = PORT_LATER;
	disks.is_stalled = true;
	copy_begin();
	settle();
	ck_assert_int_eq(port.n_pending, 1);
	format();
	settle();
	disks.is_stalled = false;
	port.how = PORT_INLINE;
	(void)port_complete();
	ptask_wait(&t);
	ck_assert_uint_eq(ptask_sense(&t), 0x0a0d02);
	ck_assert_int_eq(n_writes + disks.n_writes, 0);
	end();
}

START_TEST(a_format_meanwhile_stops_it)
{
	port_sim(meanwhile_scenario);
}
END_TEST

static void
formatting_scenario(void *arg UNUSED)
{
	begin();
	port.kept = FORMAT;
	format_begin();
	copy_begin();
	ptask_wait(&t);
	ck_assert_uint_eq(ptask_sense(&t), 0x0a0d02);
	ck_assert_int_eq(n_writes + disks.n_writes, 0);
	port_release();
	ptask_wait(&formatter);
	end();
}

START_TEST(nothing_is_sent_behind_a_format)
{
	port_sim(formatting_scenario);
}
END_TEST

/* the capacity is another, the blocks are as long as before */
static void
grown_scenario(void *arg UNUSED)
{
	begin();
	has_grown = true;
	port.kept = CAPACITY;
	copy_begin();
	settle();
	ck_assert_int_eq(t.n_done, 0);
	port_release();
	ptask_wait(&t);
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
	ck_assert_int_eq(disks.n_writes, 1);
	disks_check(0, 8, 1, 3, 16);
	end();
}

START_TEST(a_unit_that_grew_is_written_to)
{
	port_sim(grown_scenario);
}
END_TEST

/* POPULATE TOKEN or, with a token of zeros, WRITE USING TOKEN of a block; its status */
static uint8_t
token_command(uint8_t action)
{
	size_t at = action == 0x10 ? 16 : 536;
	uint8_t cdb[16] = { 0x83, action, [12] = (uint8_t)((at + 16) >> 8),
		[13] = (uint8_t)(at + 16) };
	uint8_t *list = formatter.data;

	memset(list, 0, at + 16);
	be16_put(list, (uint16_t)(at + 14));
	be16_put(list + at - 2, 16);
	be32_put(list + at + 8, 1);
	if (action == 0x11) {
		be32_put(list + 16, 0xffff0001);
		be16_put(list + 16 + 6, 0x1f8);
	}
	ptask_cdb(&formatter, cdb, sizeof(cdb), LU_DIR_OUT, (uint32_t)at + 16);
	ptask_run(&formatter);
	return formatter.lu.status;
}

static void
token_scenario(void *arg UNUSED)
{
	begin();
	port.kept = CAPACITY;
	format();
	ck_assert_uint_eq(token_command(0x10), STATUS_BUSY);
	ck_assert_uint_eq(token_command(0x11), STATUS_BUSY);
	port_release();
	settle();
	ck_assert_uint_eq(token_command(0x10), STATUS_GOOD);
	ck_assert_uint_eq(token_command(0x11), STATUS_GOOD);
	ck_assert_uint_eq(blocks, 1);
	end();
}

START_TEST(tokens_are_made_of_known_blocks)
{
	port_sim(token_scenario);
}
END_TEST

/* what cannot be asked for lack of memory is not known */
static void
memory_scenario(void *arg UNUSED)
{
	static const uint8_t tur[6] = { 0 };

	begin();
	port.kept = FORMAT;
	format_begin();
	settle();
	fault_arm(1);
	port_release();
	ptask_wait(&formatter);
	ck_assert(fault_disarm());
	ck_assert_uint_eq(lu_block_bytes(disks.units[1]), 0);
	ck_assert_uint_eq(token_command(0x10), STATUS_CHECK);
	ck_assert_uint_eq(ptask_sense(&formatter), 0x020400);
	/* it is asked again when blocks are used */
	ptask_cdb(&formatter, tur, sizeof(tur), LU_DIR_NONE, 0);
	ptask_run(&formatter);
	settle();
	ck_assert_uint_eq(lu_block_bytes(disks.units[1]), LONG);
	end();
}

START_TEST(without_memory_to_ask_nothing_is_known)
{
	port_sim(memory_scenario);
}
END_TEST

CHECK_MAIN("new blocks", a_copy_waits_for_the_new_length, a_format_meanwhile_stops_it,
    nothing_is_sent_behind_a_format, a_unit_that_grew_is_written_to,
    tokens_are_made_of_known_blocks, without_memory_to_ask_nothing_is_known)
