/* lu_submit: what is refused, what ends how, exactly once and never from inside */
#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "mock_port.h"
#include "scsi/cdb.h"
#include "scsi/opcode.h"

static struct pnexus n;
static struct ptask t;
static struct lu *unit;

static void
begin(void)
{
	port_begin();
	unit = port_unit("disk@0,0");
	pnexus_open(&n, unit);
	ptask_init(&t, &n.lu);
}

static void
end(void)
{
	pnexus_leave(&n);
	lu_unref(unit);
	port_end();
}

static void
units_scenario(void *arg UNUSED)
{
	const struct lu_info *info;
	struct lu *found;
	char list[200];
	uint64_t id = 0;
	int count = 0;

	port_begin();
	unit = port_unit("port0/disk@0,1");
	info = lu_info(unit);
	ck_assert_str_eq(info->hba, "port0");
	ck_assert_str_eq(info->vendor, "MOCK");
	ck_assert_str_eq(info->product, "PORT DISK");
	ck_assert_str_eq(info->serial, "T0L1");
	ck_assert_uint_eq(info->blocks, 1000);
	ck_assert_uint_eq(info->block_bytes, 512);
	ck_assert_uint_eq(info->cdb_max, 16);
	ck_assert_uint_eq(info->xfer_max_bytes, 1u << 20);
	ck_assert(info->is_readonly);
	ck_assert_int_eq(info->target, 0);
	ck_assert_uint_eq(info->lun, 1);
	lu_unref(unit);
	ck_assert_int_eq(lu_find("T1L0", &found, NULL, 0), 0);
	lu_unref(found);
	found = lu_at("port0", "", "0,1");
	ck_assert_str_eq(lu_info(found)->path, "port0/disk@0,1");
	lu_unref(found);
	ck_assert_ptr_null(lu_at("port0", "", "0,9"));
	ck_assert_ptr_null(lu_at("port0", "iport0", "0,1"));
	ck_assert_uint_eq(lu_count_all(), 3);
	/* the right place, but not the node's name */
	ck_assert_int_eq(lu_find("port0/tape@0,1", &found, list, sizeof(list)), -ENOENT);
	ck_assert_int_eq(lu_find("nothing", &found, list, sizeof(list)), -ENOENT);
	ck_assert_int_eq(lu_find("isk@0,0", &found, list, sizeof(list)), -ENOENT);
	while ((found = lu_next(id)) != NULL) {
		ck_assert_uint_gt(lu_id(found), id);
		id = lu_id(found);
		lu_unref(found);
		count++;
	}
	ck_assert_int_eq(count, 3);
	ck_assert_int_eq(port_events[LU_EVENT_ADDED], 3);
	port_end();
	ck_assert_int_eq(port_events[LU_EVENT_GONE], 3);
	ck_assert_ptr_null(lu_next(0));
}

START_TEST(units_are_identified)
{
	port_sim(units_scenario);
}
END_TEST

static void
large_scenario(void *arg UNUSED)
{
	port.last_lba = UINT32_MAX;
	port_begin();
	unit = port_unit("disk@0,0");
	ck_assert_uint_eq(lu_info(unit)->blocks, 0x200000000ull);
	lu_unref(unit);
	port_end();
}

START_TEST(large_disks_are_asked_with_16_bytes)
{
	port_sim(large_scenario);
}
END_TEST

static void
refusals_scenario(void *arg UNUSED)
{
	static const struct {
		uint8_t cdb[10];
		uint16_t len;
		enum lu_dir dir;
		uint32_t data_len;
		int want;
	} rows[] = {
		{ { 0x28, [8] = 1 }, 10, LU_DIR_OUT, 512, -EPROTO },
		{ { 0x2a, [8] = 1 }, 10, LU_DIR_IN, 512, -EPROTO },
		{ { 0x28, [8] = 1 }, 6, LU_DIR_IN, 512, -EINVAL },
		{ { 0x28, [8] = 1 }, 5, LU_DIR_IN, 512, -EINVAL },
		{ { 0xc5 }, 17, LU_DIR_IN, 512, -EMSGSIZE },
		{ { 0x28, [8] = 1 }, 261, LU_DIR_IN, 512, -EMSGSIZE },
		{ { 0x28, [8] = 1 }, 10, LU_DIR_IN, 0, -EINVAL },
		{ { 0x28, [8] = 1 }, 10, LU_DIR_NONE, 512, -EINVAL },
		{ { 0x28, [8] = 1 }, 10, LU_DIR_IN, (1u << 20) + 1, -EMSGSIZE },
		{ { 0x28, [8] = 0 }, 17, LU_DIR_OUT, 512, 0 },	/* moves nothing: no
								 * contradiction */
		{ { 0xc5 }, 10, LU_DIR_OUT, 512, 0 },		/* vendor: nobody knows */
	};
	struct lu_stats st;

	begin();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r;

		memcpy(t.lu.cdb, rows[i].cdb, sizeof(rows[i].cdb));
		t.lu.cdb_len = rows[i].len;
		t.lu.dir = rows[i].dir;
		t.lu.data_len = rows[i].data_len;
		t.lu.data = t.data;
		t.n_done = 0;
		r = ptask_submit(&t);
		ck_assert_msg(r == rows[i].want, "row %zu: %d", i, r);
		if (r == 0)
			ptask_wait(&t);
		else
			ck_assert_int_eq(t.n_done, 0);
	}
	lu_stats_read(unit, &st);
	ck_assert_uint_eq(st.refused, 9);
	ck_assert_uint_eq(st.tasks, 2);

	/* a nexus that may only read */
	n.lu.classes = LU_CLASS(OP_INFO) | LU_CLASS(OP_READ);
	t.lu.cdb_len = (uint16_t)cdb_write(t.lu.cdb, CDB_10, 0, 1, 0);
	t.lu.dir = LU_DIR_OUT;
	t.lu.data_len = 512;
	ck_assert_int_eq(ptask_submit(&t), -EACCES);
	t.lu.cdb[0] = 0xc5;
	ck_assert_int_eq(ptask_submit(&t), -EACCES);
	end();
}

START_TEST(refusals)
{
	port_sim(refusals_scenario);
}
END_TEST

static void
twice_scenario(void *arg UNUSED)
{
	port.how = PORT_LATER;
	begin();
	ck_assert_int_eq(ptask_submit(&t), 0);
	ck_assert_int_eq(ptask_submit(&t), -EALREADY);
	ck_assert_int_eq(port_complete(), 1);
	ptask_wait(&t);
	end();
}

START_TEST(a_task_in_flight_is_not_taken_again)
{
	port_sim(twice_scenario);
}
END_TEST

static void
ways_scenario(void *arg UNUSED)
{
	static const enum port_how ways[] = { PORT_INLINE, PORT_LATER, PORT_THREAD };
	static const uint_t flags[LU_ATTR_N] = {
		[LU_ATTR_SIMPLE] = FLAG_STAG, [LU_ATTR_ORDERED] = FLAG_OTAG,
		    [LU_ATTR_HEAD] = FLAG_HTAG,
	};
	struct lu_stats st;

	begin();
	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		for (int a = 0; a < LU_ATTR_N; a++) {
			port.how = ways[i];
			t.n_done = 0;
			t.lu.attr = (enum lu_attr)a;
			t.lu.timeout_ms = 1001;
			ptask_read(&t, 8, 4096);
			ck_assert_int_eq(ptask_submit(&t), 0);
			(void)port_complete();
			ptask_wait(&t);
			ck_assert_int_eq(t.lu.reason, CMD_CMPLT);
			ck_assert_uint_eq(t.lu.moved, 4096);
			ck_assert_int_eq(t.lu.resid_kind, LU_RESID_NONE);
			ck_assert_uint_eq(port.last_flags & FLAG_TAGMASK, flags[a]);
			ck_assert_uint_eq(port.last_time, 2);
		}
	lu_stats_read(unit, &st);
	ck_assert_uint_eq(st.read_bytes, 12 * 4096);
	ck_assert_uint_eq(st.in_flight, 0);
	end();
}

START_TEST(completion_from_anywhere)
{
	port_sim(ways_scenario);
}
END_TEST

/* what the driver says, and what the front end gets */
struct outcome {
	const char *name;
	uchar_t reason, status;
	uint_t state;
	ssize_t resid;
	uint16_t blocks;
	uint32_t len;
	bool has_sense, is_xarq;
	uchar_t rq_reason, rq_resid;
	uint32_t moved;
	enum lu_resid kind;
	uint32_t want_resid;
	uint8_t sense_len;
};

#define SENT	(STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD | STATE_GOT_STATUS)

static const struct outcome outcomes[] = {
	{ "short read", .resid = 512, .blocks = 2, .len = 1024, .moved = 512,
	    .kind = LU_RESID_UNDER, .want_resid = 512 },
	/* the device gets no more of it than the CDB asks for */
	{ "buffer longer", .resid = 0, .blocks = 1, .len = 1024, .moved = 512,
	    .kind = LU_RESID_UNDER, .want_resid = 512 },
	{ "buffer shorter", .reason = CMD_DATA_OVR, .resid = -1, .blocks = 4, .len = 512,
	    .moved = 512, .kind = LU_RESID_OVER, .want_resid = 1536 },
	{ "no buffer", .resid = -1, .blocks = 4, .len = 0, .moved = 0, .kind = LU_RESID_OVER,
	    .want_resid = 2048 },
	{ "residual that cannot be", .resid = 99999, .blocks = 1, .len = 512, .moved = 0,
	    .kind = LU_RESID_UNDER, .want_resid = 512 },
	{ "transport error", .reason = CMD_TRAN_ERR, .state = STATE_GOT_BUS, .resid = -1,
	    .blocks = 1, .len = 512, .moved = 0, .kind = LU_RESID_UNDER, .want_resid = 512 },
	{ "check with sense", .status = STATUS_CHECK, .state = SENT, .resid = -1, .blocks = 1,
	    .len = 512, .has_sense = true, .moved = 0, .kind = LU_RESID_UNDER,
	    .want_resid = 512, .sense_len = 20 },
	{ "short sense", .status = STATUS_CHECK, .state = SENT, .resid = -1, .has_sense = true,
	    .rq_resid = 2, .blocks = 1, .len = 512, .kind = LU_RESID_UNDER, .want_resid = 512,
	    .sense_len = 18 },
	{ "sense residual above its room", .status = STATUS_CHECK, .state = SENT, .resid = -1,
	    .has_sense = true, .rq_resid = 255, .blocks = 1, .len = 512, .kind = LU_RESID_UNDER,
	    .want_resid = 512, .sense_len = 0 },
	{ "long sense", .status = STATUS_CHECK, .state = SENT, .resid = -1, .has_sense = true,
	    .is_xarq = true, .rq_resid = 152, .blocks = 1, .len = 512, .kind = LU_RESID_UNDER,
	    .want_resid = 512, .sense_len = 100 },
	{ "sense that failed", .status = STATUS_CHECK, .state = SENT, .resid = -1,
	    .has_sense = true,
	    .rq_reason = CMD_TRAN_ERR, .blocks = 1, .len = 512, .kind = LU_RESID_UNDER,
	    .want_resid = 512, .sense_len = 0 },
	{ "task aborted", .status = 0x40, .state = SENT, .resid = -1, .blocks = 1, .len = 512,
	    .kind = LU_RESID_UNDER, .want_resid = 512 },
};

static void
outcome_scenario(void *arg UNUSED)
{
	begin();
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
		const struct outcome *o = &outcomes[i];

		port.reason = o->reason;
		port.status = o->status;
		port.state = o->state;
		port.resid = o->resid;
		port.has_sense = o->has_sense;
		port.is_xarq = o->is_xarq;
		port.rq_reason = o->rq_reason;
		port.rq_resid = o->rq_resid;
		t.n_done = 0;
		ptask_read(&t, o->blocks, o->len);
		ck_assert_int_eq(ptask_submit(&t), 0);
		ptask_wait(&t);
		ck_assert_msg(t.lu.reason == o->reason, "%s: reason %d", o->name, t.lu.reason);
		ck_assert_msg(t.lu.status == o->status, "%s: status %d", o->name, t.lu.status);
		ck_assert_msg(t.lu.moved == o->moved, "%s: moved %u", o->name, t.lu.moved);
		ck_assert_msg(t.lu.resid_kind == o->kind, "%s: kind %d", o->name,
		    t.lu.resid_kind);
		ck_assert_msg(t.lu.resid == o->want_resid, "%s: resid %u", o->name, t.lu.resid);
		ck_assert_msg(t.lu.sense_len == o->sense_len, "%s: sense %u", o->name,
		    t.lu.sense_len);
	}
	end();
}

START_TEST(outcomes_are_told_apart)
{
	port_sim(outcome_scenario);
}
END_TEST

static void
unusable_scenario(void *arg UNUSED)
{
	static const int answers[] = { TRAN_BADPKT, TRAN_FATAL_ERROR };

	begin();
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		port.tran = answers[i];
		t.n_done = 0;
		ck_assert_int_eq(ptask_submit(&t), 0);
		ptask_wait(&t);
		ck_assert_int_eq(t.lu.reason, CMD_TRAN_ERR);
		ck_assert_uint_eq(t.lu.state, 0);
	}
	end();
}

START_TEST(what_the_hba_refuses_ends_as_transport_error)
{
	port_sim(unusable_scenario);
}
END_TEST

static void
nexus_leave(void *arg)
{
	lu_nexus_gone(arg);
}

static void
orphan_scenario(void *arg UNUSED)
{
	struct lu_stats st;

	port.how = PORT_LATER;
	begin();
	ck_assert_int_eq(ptask_submit(&t), 0);
	port_at_home(nexus_leave, &n.lu);
	sim_settle();
	ck_assert_int_eq(n.n_gone, 0);
	ck_assert_int_eq(t.n_done, 0);
	/* the front end has left: nothing more is taken from it */
	{
		static struct ptask late;

		ptask_init(&late, &n.lu);
		ck_assert_int_eq(ptask_submit(&late), -ESHUTDOWN);
	}
	ck_assert_int_eq(port_complete(), 1);
	ptask_wait(&t);
	ck_assert(t.lu.is_orphan);
	sim_settle();
	ck_assert_int_eq(n.n_gone, 1);
	ck_assert_int_eq(port.n_abort, 0);
	lu_stats_read(unit, &st);
	ck_assert_uint_eq(st.orphans, 1);
	lu_unref(unit);
	port_end();
}

START_TEST(orphans_run_to_their_end)
{
	port_sim(orphan_scenario);
}
END_TEST

CHECK_MAIN("tasks", units_are_identified, large_disks_are_asked_with_16_bytes, refusals,
    a_task_in_flight_is_not_taken_again, completion_from_anywhere, outcomes_are_told_apart,
    what_the_hba_refuses_ends_as_transport_error, orphans_run_to_their_end)
