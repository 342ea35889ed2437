/* a client is killed while a command is on its way: the next one finds it done or not done, and
 * nothing in between */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "check_main.h"
#include "mock_ring.h"
#include "scsi/cdb.h"
#include "scsi/status.h"

#define LBA	5u
#define BLOCK	512u
#define WIRE	(BLOCK + 8u)	/* with its protection information */
#define PROTECT	0x20u		/* RDPROTECT, WRPROTECT 1: it is sent, and checked */
#define KEY	0x1234567890abcdefu

static struct fixture f;
static struct mc victim, next;
static uint64_t victim_unit, next_unit;
static uint8_t cdb[CDB_BUF_LEN];
static uint8_t wire[WIRE];	/* what the victim writes: a block of 0xaa */

/* ------ commands ------ */

static uint32_t
block_send(struct mc *c, uint64_t unit, bool is_write, uint8_t protect, uint8_t *data)
{
	uint32_t len = protect != 0 ? WIRE : BLOCK;
	size_t n = is_write ? mc_cdb_write(cdb, LBA, 1) : mc_cdb_read(cdb, LBA, 1);

	cdb[1] = protect;
	return mc_submit(c, unit, cdb, n, is_write ? SCSAD__DIRECTION__DIR_OUT :
	    SCSAD__DIRECTION__DIR_IN, is_write ? data : NULL, len);
}

static void
block_write(struct mc *c, uint64_t unit, uint8_t value)
{
	uint8_t data[BLOCK];

	memset(data, value, sizeof(data));
	ck_assert_uint_eq(mc_completion(c, block_send(c, unit, true, 0, data))->scsi_status,
	    SAM_STAT_GOOD);
}

/* the block and its protection information, which fit each other, or it would not be read */
static void
block_read(uint8_t ret[WIRE])
{
	ck_assert_uint_eq(mc_completion(&next, block_send(&next, next_unit, false, PROTECT,
	    NULL))->scsi_status, SAM_STAT_GOOD);
	ck_assert_uint_eq(next.head.data_len, WIRE);
	memcpy(ret, mc_data(&next), WIRE);
}

static size_t
register_make(uint8_t list[24])
{
	memset(list, 0, 24);
	be64_put(list + 8, KEY);
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = 0x5f;
	cdb[8] = 24;
	return 10;
}

/* reservation keys that there are, and how often they changed */
static uint32_t
keys_read(uint32_t *ret_generation)
{
	const uint8_t in[10] = { 0x5e, [8] = 64 };

	ck_assert_uint_eq(mc_completion(&next, mc_submit(&next, next_unit, in, sizeof(in),
	    SCSAD__DIRECTION__DIR_IN, NULL, 64))->scsi_status, SAM_STAT_GOOD);
	*ret_generation = be32_get(mc_data(&next));
	if (be32_get(mc_data(&next) + 4) > 0)
		ck_assert_uint_eq(be64_get(mc_data(&next) + 8), KEY);
	return be32_get(mc_data(&next) + 4) / 8;
}

/* ------ victims ------ */

static void
begin(void)
{
	fixture_init(&f);
	fixture_disk(&f, "mem:1M,pi=1,serial=AAA");
	fixture_start(&f);
	mc_connect(&f, &victim);
	mc_connect(&f, &next);
	victim_unit = mc_open(&victim, "AAA");
	next_unit = mc_open(&next, "AAA");
	block_write(&next, next_unit, 0xaa);
	block_read(wire);
	block_write(&next, next_unit, 0);
}

static void
end(void)
{
	mc_close(&next);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}

/* the last who has the victim's end of the connection is a process, and it is killed */
static void
victim_dies(void)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		for (;;)
			(void)pause();
	mc_close(&victim);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}

/* a frame of which only so much data has been sent */
static void
send_half(size_t cdb_len, const uint8_t *data, uint32_t len, uint32_t sent)
{
	Scsad__SubmitRequest req = SCSAD__SUBMIT_REQUEST__INIT;
	struct frame_head fh = { .method = METHOD_SUBMIT, .id = 77, .data_len = len };
	uint8_t head[512];
	ptrdiff_t n;

	req.has_handle = req.has_cdb = req.has_direction = req.has_data_len = 1;
	req.handle = victim_unit;
	req.cdb.data = cdb;
	req.cdb.len = cdb_len;
	req.direction = SCSAD__DIRECTION__DIR_OUT;
	req.data_len = len;
	n = frame_pack(head, sizeof(head), &fh, &req.base);
	ck_assert_int_gt(n, 0);
	mc_write(&victim, head, (size_t)n);
	mc_write(&victim, data, sent);
	fixture_wait(&f, 2, 1);
}

/* ------ blocks with protection information ------ */

START_TEST(a_protected_write_is_done)
{
	uint8_t found[WIRE];

	begin();
	(void)mc_fault(&next, "action=delay,ms=100,op=0x2a,count=1");
	(void)block_send(&victim, victim_unit, true, PROTECT, wire);
	victim_dies();
	fixture_wait(&f, 1, 0);
	block_read(found);
	ck_assert_mem_eq(found, wire, WIRE);
	end();
}
END_TEST

/* its other processes may go on writing where the data was */
START_TEST(a_protected_write_from_shared_memory_is_done)
{
	Scsad__SubmitRequest req = SCSAD__SUBMIT_REQUEST__INIT;
	uint8_t found[WIRE], *memory;

	begin();
	(void)mc_fault(&next, "action=delay,ms=100,op=0x2a,count=1");
	req.memory = mr_memory(&victim, 4096, &memory);
	memcpy(memory, wire, WIRE);
	req.has_handle = req.has_cdb = req.has_direction = req.has_data_len = req.has_memory = 1;
	req.handle = victim_unit;
	req.cdb.data = cdb;
	req.cdb.len = mc_cdb_write(cdb, LBA, 1);
	cdb[1] = PROTECT;
	req.direction = SCSAD__DIRECTION__DIR_OUT;
	req.data_len = WIRE;
	(void)mc_send(&victim, METHOD_SUBMIT, &req.base, NULL, 0);
	/* asked twice: a turn that began after it was sent has ended */
	mc_check_alive(&next);
	mc_check_alive(&next);
	memset(memory, 0x55, WIRE);
	victim_dies();
	fixture_wait(&f, 1, 0);
	block_read(found);
	ck_assert_mem_eq(found, wire, WIRE);
	(void)munmap(memory, 4096);
	end();
}
END_TEST

START_TEST(half_a_protected_write_is_not_done)
{
	uint8_t found[WIRE], zero[BLOCK] = { 0 };

	begin();
	(void)mc_cdb_write(cdb, LBA, 1);
	cdb[1] = PROTECT;
	send_half(10, wire, WIRE, WIRE - 1);
	victim_dies();
	fixture_wait(&f, 1, 0);
	block_read(found);
	ck_assert_mem_eq(found, zero, BLOCK);
	end();
}
END_TEST

/* ------ reservations ------ */

/* nobody took its answer: it counts, once */
START_TEST(a_registration_is_done)
{
	uint32_t before, after;
	uint8_t list[24];

	begin();
	ck_assert_uint_eq(keys_read(&before), 0);
	(void)mc_submit(&victim, victim_unit, cdb, register_make(list),
	    SCSAD__DIRECTION__DIR_OUT, list, sizeof(list));
	victim_dies();
	fixture_wait(&f, 1, 0);
	ck_assert_uint_eq(keys_read(&after), 1);
	ck_assert_uint_eq(after, before + 1);
	end();
}
END_TEST

START_TEST(half_a_registration_is_not_done)
{
	uint32_t before, after;
	uint8_t list[24];

	begin();
	(void)keys_read(&before);
	send_half(register_make(list), list, sizeof(list), 23);
	victim_dies();
	fixture_wait(&f, 1, 0);
	ck_assert_uint_eq(keys_read(&after), 0);
	ck_assert_uint_eq(after, before);
	end();
}
END_TEST

/* it waits for its turn, and its client goes: whatever others do after that stays */
START_TEST(a_registration_that_waits_is_not_done)
{
	Scsad__SubmitRequest req = SCSAD__SUBMIT_REQUEST__INIT;
	Scsad__ResetRequest reset = SCSAD__RESET_REQUEST__INIT;
	uint32_t before, after;
	uint8_t list[24];

	begin();
	(void)keys_read(&before);
	(void)mc_fault(&next, "action=drop,op=0x00,count=1");
	req.has_handle = req.has_cdb = req.has_attribute = 1;
	req.handle = victim_unit;
	req.cdb.data = cdb;
	req.cdb.len = cdb_tur(cdb);
	req.attribute = SCSAD__TASK_ATTRIBUTE__ATTR_ORDERED;
	(void)mc_send(&victim, METHOD_SUBMIT, &req.base, NULL, 0);
	(void)mc_submit(&victim, victim_unit, cdb, register_make(list),
	    SCSAD__DIRECTION__DIR_OUT, list, sizeof(list));
	fixture_wait(&f, 2, 2);
	victim_dies();
	fixture_wait(&f, 2, 1);
	reset.has_level = reset.has_handle = 1;
	reset.level = SCSAD__RESET_LEVEL__RESET_LEVEL_LUN;
	reset.handle = next_unit;
	(void)mc_reply(&next, mc_send(&next, METHOD_RESET, &reset.base, NULL, 0),
	    &scsad__reset_reply__descriptor);
	fixture_wait(&f, 1, 0);
	/* a unit attention tells of the reset */
	ck_assert_uint_eq(mc_completion(&next, mc_submit(&next, next_unit, cdb, cdb_tur(cdb),
	    SCSAD__DIRECTION__DIR_NONE, NULL, 0))->scsi_status, SAM_STAT_CHECK_CONDITION);
	ck_assert_uint_eq(keys_read(&after), 0);
	ck_assert_uint_eq(after, before);
	end();
}
END_TEST

CHECK_MAIN("killed clients", a_protected_write_is_done,
    a_protected_write_from_shared_memory_is_done, half_a_protected_write_is_not_done,
    a_registration_is_done, half_a_registration_is_not_done,
    a_registration_that_waits_is_not_done)
