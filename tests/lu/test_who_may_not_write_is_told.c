/* to a nexus without the class of writes, MODE SENSE says that the medium is write protected */
#include <string.h>

#include "check_main.h"
#include "lu/lu_impl.h"
#include "lu/view.h"
#include "mock_port.h"
#include "scsi/cdb.h"
#include "scsi/inquiry.h"
#include "scsi/sense.h"

#define RO	(LU_CLASS(OP_INFO) | LU_CLASS(OP_READ))
#define RW	(RO | LU_CLASS(OP_WRITE))

static struct lu *unit;
static struct lu_view *ro, *rw, *next;
static struct pnexus reader, writer;
static struct ptask r, w;
static bool is_refused;

static bool
answer(struct scsi_address *ap UNUSED, struct scsi_pkt *pkt)
{
	uint8_t data[16] = { 0 };

	if (pkt->pkt_cdbp[0] != 0x1a && pkt->pkt_cdbp[0] != 0x5a)
		return false;
	if (is_refused) {
		port_refuse(pkt, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
		return true;
	}
	data[pkt->pkt_cdbp[0] == 0x1a ? 0 : 1] = 10;
	data[pkt->pkt_cdbp[0] == 0x1a ? 2 : 3] = 0x10;
	port_answer(pkt, data, pkt->pkt_dma_len < sizeof(data) ? pkt->pkt_dma_len : sizeof(data));
	return true;
}

static struct lu_view *
view_of(uint32_t classes)
{
	struct lu_view *view;

	ck_assert_int_eq(lu_view_new(&(struct lu_view_entry){ unit, 0, classes, 1 }, 1, &view,
	    NULL), 0);
	return view;
}

static void
begin(void)
{
	port_defaults();
	port.answer = answer;
	is_refused = false;
	port_begin();
	unit = port_unit("disk@0,0");
	ro = view_of(RO);
	rw = view_of(RW);
	pnexus_open_at(&reader, unit, NULL, ro);
	pnexus_open_at(&writer, unit, NULL, rw);
	reader.lu.classes = RO;
	writer.lu.classes = RW;
	reader.lu.wants_sense = writer.lu.wants_sense = true;
	ptask_init(&r, &reader.lu);
	ptask_init(&w, &writer.lu);
}

static void
end(void)
{
	pnexus_leave(&reader);
	pnexus_leave(&writer);
	lu_view_unref(ro);
	lu_view_unref(rw);
	lu_unref(unit);
	port_end();
}

static void
sense(struct ptask *t, enum cdb_form form, uint16_t len)
{
	uint8_t cdb[CDB_BUF_LEN];
	size_t cdb_len = cdb_mode_sense(cdb, form, 0, 0x3f, 0, false, len);

	memset(t->data, 0, sizeof(t->data));
	ptask_cdb(t, cdb, cdb_len, LU_DIR_IN, len);
	ptask_run(t);
}

static void
wp_scenario(void *arg UNUSED)
{
	begin();
	sense(&r, CDB_6, 16);
	ck_assert_uint_eq(r.lu.status, STATUS_GOOD);
	ck_assert_uint_eq(r.data[2], 0x90);
	ck_assert_uint_eq(r.data[3], 0);
	sense(&r, CDB_10, 16);
	ck_assert_uint_eq(r.data[3], 0x90);
	ck_assert_uint_eq(r.data[2], 0);
	/* who may write hears what the device says */
	sense(&w, CDB_6, 16);
	ck_assert_uint_eq(w.data[2], 0x10);
	sense(&w, CDB_10, 16);
	ck_assert_uint_eq(w.data[3], 0x10);
	/* an answer that does not come to the byte stays as it is, and so does a refusal */
	sense(&r, CDB_6, 2);
	ck_assert_uint_eq(r.lu.moved, 2);
	ck_assert_uint_eq(r.data[2], 0);
	sense(&r, CDB_10, 3);
	ck_assert_uint_eq(r.data[3], 0);
	is_refused = true;
	sense(&r, CDB_6, 16);
	ck_assert_uint_eq(r.lu.status, STATUS_CHECK);
	ck_assert_uint_eq(r.data[2], 0);
	end();
}

START_TEST(the_bit_is_of_the_nexus)
{
	port_sim(wp_scenario);
}
END_TEST

/* other types use the byte otherwise */
static void
types_scenario(void *arg UNUSED)
{
	static const struct {
		uint8_t type, want;
	} rows[] = {
		{ INQ_TYPE_DISK, 0x90 }, { INQ_TYPE_TAPE, 0x90 }, { INQ_TYPE_OPTICAL, 0x90 },
		{ INQ_TYPE_CD, 0x10 }, { INQ_TYPE_CHANGER, 0x10 },
	};

	begin();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unit->info.type = rows[i].type;
		sense(&r, CDB_6, 16);
		ck_assert_uint_eq(r.data[2], rows[i].want);
	}
	unit->info.type = INQ_TYPE_DISK;
	end();
}

START_TEST(types_without_the_bit)
{
	port_sim(types_scenario);
}
END_TEST

static void
set_visit(void *arg)
{
	lu_nexus_set_view(arg, next);
}

static void
change_scenario(void *arg UNUSED)
{
	begin();
	next = rw;
	port_at_home(set_visit, &reader.lu);
	ptask_tur(&r);
	ptask_run(&r);
	ck_assert_uint_eq(ptask_sense(&r), 0x062a01);
	sense(&r, CDB_6, 16);
	ck_assert_uint_eq(r.data[2], 0x10);
	/* nothing has changed, nothing is told */
	port_at_home(set_visit, &reader.lu);
	ptask_run(&r);
	ck_assert_uint_eq(r.lu.status, STATUS_GOOD);
	next = ro;
	port_at_home(set_visit, &reader.lu);
	ptask_run(&r);
	ck_assert_uint_eq(ptask_sense(&r), 0x062a01);
	sense(&r, CDB_6, 16);
	ck_assert_uint_eq(r.data[2], 0x90);
	end();
}

START_TEST(a_change_is_told)
{
	port_sim(change_scenario);
}
END_TEST

CHECK_MAIN("write protection", the_bit_is_of_the_nexus, types_without_the_bit, a_change_is_told)
