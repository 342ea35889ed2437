/* nexuses and their views: what REPORT LUNS tells each, what a change tells it */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "lu/lu_impl.h"
#include "lu/view.h"
#include "mock_port.h"
#include "scsi/cdb.h"

static struct lu *unit, *other_unit;
static struct lu_view *view, *wider, *weaker;
static struct pnexus n, plain;
static struct ptask t, p;
static struct lu_view *next;

static struct lu_view *
make(const struct lu_view_entry *entries, size_t count)
{
	struct lu_view *made = NULL;

	ck_assert_int_eq(lu_view_new(entries, count, &made, NULL), 0);
	return made;
}

static void
begin(void)
{
	const uint32_t all = LU_CLASS(OP_POLICY_N) - 1, info = LU_CLASS(OP_INFO);

	port_begin();
	unit = port_unit("disk@0,0");
	other_unit = port_unit("disk@0,1");
	view = make(&(struct lu_view_entry){ unit, 7, all, 1 }, 1);
	weaker = make(&(struct lu_view_entry){ unit, 7, info, 1 }, 1);
	wider = make((struct lu_view_entry[]){ { unit, 7, all, 1 }, { other_unit, 300, all, 1 } }, 2);
	pnexus_open_at(&n, unit, NULL, view);
	pnexus_open_at(&plain, unit, NULL, NULL);
	ptask_init(&t, &n.lu);
	ptask_init(&p, &plain.lu);
}

static void
end(void)
{
	pnexus_leave(&n);
	pnexus_leave(&plain);
	lu_view_unref(view);
	lu_view_unref(weaker);
	lu_view_unref(wider);
	lu_unref(unit);
	lu_unref(other_unit);
	port_end();
}

static void
set_visit(void *arg UNUSED)
{
	lu_nexus_set_view(&n.lu, next);
}

static void
see(struct lu_view *what)
{
	next = what;
	port_at_home(set_visit, NULL);
}

static void
report(struct ptask *task, uint8_t select, uint32_t alloc_len, uint32_t len)
{
	uint8_t cdb[CDB_BUF_LEN];
	size_t cdb_len = cdb_report_luns(cdb, select, alloc_len);

	memset(task->data, 0xa5, sizeof(task->data));
	ptask_cdb(task, cdb, cdb_len, LU_DIR_IN, len);
	ptask_run(task);
}

static uint32_t
tur(struct ptask *task)
{
	ptask_tur(task);
	ptask_run(task);
	return task->lu.status == STATUS_GOOD ? 0 : ptask_sense(task);
}

static void
report_scenario(void *arg UNUSED)
{
	static const uint8_t one[] = { 0, 0, 0, 8, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0 };
	static const uint8_t two[] = { 0, 0, 0, 16, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0,
		0x41, 0x2c, 0, 0, 0, 0, 0, 0 };

	begin();
	report(&t, 0, 256, 256);
	ck_assert_uint_eq(t.lu.moved, 16);
	ck_assert_mem_eq(t.data, one, sizeof(one));
	ck_assert_int_eq(t.lu.resid_kind, LU_RESID_UNDER);
	report(&t, 0, 12, 256);
	ck_assert_uint_eq(t.lu.moved, 12);
	ck_assert_uint_eq(t.data[12], 0xa5);
	report(&t, 0, 256, 10);
	ck_assert_uint_eq(t.lu.moved, 10);
	ck_assert_int_eq(t.lu.resid_kind, LU_RESID_OVER);
	ck_assert_uint_eq(t.lu.resid, 6);
	report(&t, 0, 0, 0);
	ck_assert_uint_eq(t.lu.status, STATUS_GOOD);
	report(&t, 5, 256, 256);
	ck_assert_uint_eq(ptask_sense(&t), 0x052400);
	see(wider);
	report(&t, 0, 256, 256);
	ck_assert_mem_eq(t.data, two, sizeof(two));
	/* without a view the device tells */
	report(&p, 0, 256, 256);
	ck_assert_uint_eq(p.lu.moved, 24);
	ck_assert_uint_eq(p.data[17], 1);
	end();
}

START_TEST(report_luns_is_of_the_nexus)
{
	port_sim(report_scenario);
}
END_TEST

static void
change_scenario(void *arg UNUSED)
{
	begin();
	ck_assert_uint_eq(tur(&t), 0);
	see(wider);
	ck_assert_ptr_eq(n.lu.view, wider);
	ck_assert_uint_eq(tur(&p), 0);
	ck_assert_uint_eq(tur(&t), 0x063f0e);
	ck_assert_uint_eq(tur(&t), 0);
	/* the same inventory: nothing */
	see(wider);
	ck_assert_uint_eq(tur(&t), 0);
	/* two changes, one condition; and who reads the list knows */
	see(view);
	see(wider);
	report(&t, 0, 256, 256);
	ck_assert_uint_eq(tur(&t), 0);
	see(view);
	ck_assert_uint_eq(tur(&t), 0x063f0e);
	/* other classes are no other inventory, but they hold at once */
	see(weaker);
	ck_assert_uint_eq(n.lu.classes, LU_CLASS(OP_INFO));
	ck_assert_uint_eq(tur(&t), 0x062a01);
	ck_assert_uint_eq(tur(&t), 0);
	ptask_read(&t, 1, 512);
	ck_assert_int_eq(ptask_submit(&t), -EACCES);
	see(view);
	ck_assert_uint_eq(tur(&t), 0x062a01);
	/* a view without the unit: the nexus is about to go */
	see(NULL);
	ck_assert_ptr_null(n.lu.view);
	ck_assert_uint_eq(tur(&t), 0x063f0e);
	end();
}

START_TEST(a_change_is_one_attention)
{
	port_sim(change_scenario);
}
END_TEST

CHECK_MAIN("views of nexuses", report_luns_is_of_the_nexus, a_change_is_one_attention)
