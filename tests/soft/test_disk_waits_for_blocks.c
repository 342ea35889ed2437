/* who holds blocks alone keeps others out, in order, and nobody waits for ever */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "check_main.h"
#include "hw/soft/disk_range.h"
#include "mock_disk.h"

static struct disk_ranges ranges;
static struct range_list granted;

static enum range_state
enter(struct disk_range *r, enum range_kind kind, uint64_t first, uint64_t end)
{
	memset(r, 0, sizeof(*r));
	return range_enter(&ranges, r, kind, first, end);
}

/* ends @r; how many others may go on then */
static unsigned int
leave(struct disk_range *r)
{
	struct disk_range *each;
	unsigned int n = 0;

	STAILQ_INIT(&granted);
	if (!range_leave_fast(&ranges, r))
		range_leave(&ranges, r, &granted);
	ck_assert_int_eq(r->state, RANGE_OUT);
	STAILQ_FOREACH(each, &granted, granted_link)
		n++;
	return n;
}

START_TEST(fast_ones_are_waited_for)
{
	struct disk_range a, b, c, alone;

	ranges_init(&ranges, false);
	ck_assert_int_eq(enter(&a, RANGE_SHARED, 0, 10), RANGE_FAST);
	ck_assert_int_eq(enter(&b, RANGE_SHARED, 500, 510), RANGE_FAST);
	/* nobody knows where they are: it waits for both */
	ck_assert_int_eq(enter(&alone, RANGE_ALONE, 100, 110), RANGE_MUST_WAIT);
	ck_assert_int_eq(range_wait(&ranges, &alone), RANGE_QUEUED);
	/* who comes now is listed, and may go on where it is free */
	ck_assert_int_eq(enter(&c, RANGE_SHARED, 110, 120), RANGE_HELD);
	ck_assert_uint_eq(leave(&a), 0);
	ck_assert_uint_eq(leave(&b), 1);
	ck_assert_ptr_eq(STAILQ_FIRST(&granted), &alone);
	ck_assert_int_eq(alone.state, RANGE_HELD);
	ck_assert_uint_eq(leave(&alone), 0);
	ck_assert_uint_eq(leave(&c), 0);
	/* the gate is open again */
	ck_assert_int_eq(enter(&a, RANGE_SHARED, 0, 10), RANGE_FAST);
	ck_assert_uint_eq(leave(&a), 0);
	/* the last fast one may have left before the wait begins */
	ck_assert_int_eq(enter(&a, RANGE_SHARED, 0, 10), RANGE_FAST);
	ck_assert_int_eq(enter(&alone, RANGE_ALONE, 0, 1), RANGE_MUST_WAIT);
	ck_assert_uint_eq(leave(&a), 0);
	ck_assert_int_eq(range_wait(&ranges, &alone), RANGE_HELD);
	ck_assert_uint_eq(leave(&alone), 0);
	ranges_fini(&ranges);
}
END_TEST

START_TEST(first_come_first_served)
{
	struct disk_range r[5];

	ranges_init(&ranges, false);
	ck_assert_int_eq(enter(&r[0], RANGE_ALONE, 10, 20), RANGE_HELD);
	ck_assert_int_eq(enter(&r[1], RANGE_SHARED, 15, 16), RANGE_MUST_WAIT);
	ck_assert_int_eq(range_wait(&ranges, &r[1]), RANGE_QUEUED);
	ck_assert_int_eq(enter(&r[2], RANGE_ALONE, 15, 30), RANGE_MUST_WAIT);
	ck_assert_int_eq(range_wait(&ranges, &r[2]), RANGE_QUEUED);
	/* behind one that waits, too */
	ck_assert_int_eq(enter(&r[3], RANGE_SHARED, 25, 26), RANGE_MUST_WAIT);
	ck_assert_int_eq(range_wait(&ranges, &r[3]), RANGE_QUEUED);
	/* next to it is free */
	ck_assert_int_eq(enter(&r[4], RANGE_ALONE, 30, 31), RANGE_HELD);
	ck_assert_uint_eq(leave(&r[4]), 0);
	ck_assert_uint_eq(leave(&r[0]), 1);
	ck_assert_int_eq(r[1].state, RANGE_HELD);
	ck_assert_uint_eq(leave(&r[1]), 1);
	ck_assert_int_eq(r[2].state, RANGE_HELD);
	ck_assert_int_eq(r[3].state, RANGE_WAITING);
	ck_assert_uint_eq(leave(&r[2]), 1);
	ck_assert_uint_eq(leave(&r[3]), 0);
	ranges_fini(&ranges);
}
END_TEST

START_TEST(who_withdraws_lets_others_up)
{
	struct disk_range r[3];

	ranges_init(&ranges, true);
	ck_assert_int_eq(enter(&r[0], RANGE_SHARED, 10, 20), RANGE_HELD);	/* strict */
	ck_assert_int_eq(enter(&r[1], RANGE_ALONE, 15, 16), RANGE_MUST_WAIT);
	STAILQ_INIT(&granted);
	ck_assert(!range_withdraw(&ranges, &r[1], &granted));	/* it does not wait yet */
	ck_assert_int_eq(range_wait(&ranges, &r[1]), RANGE_QUEUED);
	ck_assert_int_eq(enter(&r[2], RANGE_SHARED, 15, 16), RANGE_MUST_WAIT);
	ck_assert_int_eq(range_wait(&ranges, &r[2]), RANGE_QUEUED);
	ck_assert(range_withdraw(&ranges, &r[1], &granted));
	ck_assert_ptr_eq(STAILQ_FIRST(&granted), &r[2]);
	STAILQ_INIT(&granted);
	ck_assert(!range_withdraw(&ranges, &r[1], &granted));
	ck_assert(!range_withdraw(&ranges, &r[2], &granted));	/* it has been granted */
	ck_assert_uint_eq(leave(&r[0]), 0);
	ck_assert_uint_eq(leave(&r[2]), 0);
	ck_assert_uint_eq(leave(&r[2]), 0);		/* once more does nothing */
	ranges_fini(&ranges);
}
END_TEST

/* ------ commands of a disk whose store answers when it is told to ------ */

#define KEPT_MAX	8

static struct store_req *kept[KEPT_MAX];
static unsigned int nkept;

static int
later_try(struct store *store, struct store_req *req)
{
	(void)store;
	(void)req;
	return -EAGAIN;
}

static void
later_queue(struct store *store, struct store_req *req)
{
	(void)store;
	ck_assert_uint_lt(nkept, KEPT_MAX);
	kept[nkept++] = req;
}

/* the oldest request is done, and what follows of it happens */
static void
answer(void)
{
	struct store_req *req = kept[0];
	int r;

	ck_assert_uint_gt(nkept, 0);
	memmove(kept, kept + 1, --nkept * sizeof(kept[0]));
	r = store_mem_ops.try_req(req->store, req);
	req->done(req, r);
}

struct sent {
	struct disk_cmd cmd;
	unsigned int n_pend, n_done;
	uint8_t cdb[16], data[1024];
};

static struct disk *disk;
static struct aio *aio;

static void
sent_pend(struct disk_cmd *cmd)
{
	container_of(cmd, struct sent, cmd)->n_pend++;
}

static void
sent_done(struct disk_cmd *cmd)
{
	container_of(cmd, struct sent, cmd)->n_done++;
}

static size_t
one_lun(void *arg, uint64_t *luns, size_t max)
{
	(void)arg;
	if (max > 0)
		luns[0] = 0;
	return 1;
}

static void
later_open(void)
{
	static struct store_ops ops;
	struct disk_place place = { .luns = one_lun };
	struct soft_disk_conf conf;
	char err[SOFT_ERR_LEN];
	struct store *store;
	struct sent tur;

	ck_assert_int_eq(soft_conf_parse("mem:1M,vendor=x,product=x,serial=x", &conf, err), 0);
	ck_assert_int_eq(store_open(&conf, &store, err), 0);
	ops = store_mem_ops;
	ops.try_req = later_try;
	ops.queue = later_queue;
	store->ops = &ops;
	ck_assert_int_eq(disk_new(&conf, store, &place, &disk), 0);
	ck_assert_int_eq(aio_open(-1, &aio), 0);
	memset(&tur, 0, sizeof(tur));
	tur.cmd.cdb = tur.cdb;
	tur.cmd.cdb_len = 6;
	ck_assert(disk_execute(disk, &tur.cmd));
}

static void
later_close(void)
{
	ck_assert_uint_eq(nkept, 0);
	aio_close(aio);
	disk_free(disk);
}

/* @bytes of data out; false: it is on its way */
static bool
send_out(struct sent *s, size_t cdb_len, size_t bytes)
{
	s->cmd.cdb = s->cdb;
	s->cmd.cdb_len = cdb_len;
	s->cmd.buf_bytes = bytes;
	s->cmd.buf_dir = OP_DIR_OUT;
	s->cmd.limit_bytes = UINT64_MAX;
	s->cmd.aio = aio;
	s->cmd.pend = sent_pend;
	s->cmd.done = sent_done;
	s->cmd.niov = 1;
	s->cmd.iov[0] = (struct iovec){ s->data, bytes };
	return disk_execute(disk, &s->cmd);
}

/* a COMPARE AND WRITE of block @lba: zeros become @value */
static bool
swap(struct sent *s, uint64_t lba, uint8_t value)
{
	memset(s, 0, sizeof(*s));
	memset(s->data + 512, value, 512);
	return send_out(s, cdb_compare_and_write(s->cdb, lba, 1, 0), 1024);
}

static bool
write_one(struct sent *s, uint32_t lba)
{
	memset(s, 0, sizeof(*s));
	return send_out(s, cdb_write(s->cdb, CDB_10, lba, 1, 0), 512);
}

/* MODE SELECT of the caching page, with WCE or without */
static bool
set_cache(struct sent *s, bool is_on)
{
	memset(s, 0, sizeof(*s));
	s->data[4] = 0x08;
	s->data[5] = 0x12;
	s->data[6] = is_on ? 0x04 : 0;
	return send_out(s, cdb_mode_select(s->cdb, CDB_6, false, 24), 24);
}

START_TEST(commands_take_their_turn)
{
	static struct sent s[3];

	later_open();
	ck_assert(!swap(&s[0], 5, 1));
	ck_assert_uint_eq(nkept, 1);
	ck_assert(!swap(&s[1], 5, 2));
	ck_assert_uint_eq(nkept, 1);		/* it waits, and asks the store nothing */
	ck_assert_uint_eq(s[1].n_pend, 1);
	ck_assert(!swap(&s[2], 6, 3));
	ck_assert_uint_eq(nkept, 2);		/* another block */
	answer();				/* the first has read */
	answer();				/* the third, too */
	ck_assert_uint_eq(nkept, 2);
	answer();				/* the first has written */
	ck_assert_uint_eq(s[0].n_done, 1);
	ck_assert_int_eq(s[0].cmd.status, SAM_STAT_GOOD);
	ck_assert_uint_eq(nkept, 2);		/* now the second reads */
	answer();
	ck_assert_uint_eq(s[2].n_done, 1);
	answer();
	ck_assert_uint_eq(s[1].n_done, 1);
	ck_assert_int_eq(s[1].cmd.sense.key, SENSE_MISCOMPARE);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(s[i].n_pend, 1);
		ck_assert_uint_eq(s[i].n_done, 1);
	}
	later_close();
}
END_TEST

START_TEST(waiting_commands_can_be_cancelled)
{
	static struct sent s[3];

	later_open();
	for (size_t i = 0; i < 3; i++)
		ck_assert(!swap(&s[i], 5, (uint8_t)(i + 1)));
	ck_assert_uint_eq(nkept, 1);
	disk_cancel(&s[1].cmd);
	ck_assert_uint_eq(s[1].n_done, 1);	/* at once; the others as before */
	ck_assert_uint_eq(s[2].n_done, 0);
	answer();
	answer();
	ck_assert_uint_eq(s[0].n_done, 1);
	ck_assert_uint_eq(nkept, 1);
	/* one that is at work ends after its request, without the next step */
	disk_cancel(&s[2].cmd);
	ck_assert_uint_eq(s[2].n_done, 0);
	answer();
	ck_assert_uint_eq(s[2].n_done, 1);
	/* and has let its blocks go */
	ck_assert(!swap(&s[0], 5, 9));
	answer();
	ck_assert_uint_eq(s[0].n_done, 1);
	ck_assert_int_eq(s[0].cmd.sense.key, SENSE_MISCOMPARE);
	later_close();
}
END_TEST

/* writes that are told as done after write-back is off are stable: it waits for those at work,
 * flushes, and lets others in then */
START_TEST(turning_the_cache_off_waits_for_writes)
{
	static struct sent s[4];

	later_open();
	ck_assert(!write_one(&s[0], 5));
	ck_assert(!set_cache(&s[1], false));
	ck_assert_uint_eq(nkept, 1);		/* no flush yet */
	ck_assert(!write_one(&s[2], 6));
	ck_assert_uint_eq(nkept, 1);
	answer();
	ck_assert_uint_eq(s[0].n_done, 1);
	ck_assert_uint_eq(nkept, 1);
	ck_assert_int_eq(kept[0]->op, STORE_FLUSH);
	ck_assert_uint_eq(s[1].n_done, 0);
	answer();
	ck_assert_uint_eq(s[1].n_done, 1);
	ck_assert_int_eq(s[1].cmd.status, SAM_STAT_GOOD);
	ck_assert_uint_eq(nkept, 1);
	ck_assert(kept[0]->op == STORE_WRITE && kept[0]->is_fua);
	answer();
	ck_assert_uint_eq(s[2].n_done, 1);
	/* on again: nothing to wait for */
	ck_assert(!write_one(&s[0], 5));
	ck_assert(set_cache(&s[1], true));
	/* one that waits can be aborted, and holds nothing then */
	ck_assert(!set_cache(&s[2], false));
	disk_cancel(&s[2].cmd);
	ck_assert_uint_eq(s[2].n_done, 1);
	answer();
	ck_assert_uint_eq(s[0].n_done, 1);
	ck_assert(!swap(&s[3], 5, 1));
	answer();
	answer();
	ck_assert_uint_eq(s[3].n_done, 1);
	later_close();
}
END_TEST

CHECK_MAIN("disk waits for blocks", fast_ones_are_waited_for, first_come_first_served,
    who_withdraws_lets_others_up, commands_take_their_turn, waiting_commands_can_be_cancelled,
    turning_the_cache_off_waits_for_writes)
