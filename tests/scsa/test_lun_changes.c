/*
 * The logical units of a target in a map: what REPORT LUNS says, what happens without it, and
 * how changes are noticed.
 */
#include <check.h>
#include <string.h>

#include "ddi/sim.h"
#include "scsa/config.h"
#include "tests/include/check_main.h"
#include "tests/scsa/mock_maps.h"

static int
units(void)
{
	return mock.n_init - mock.n_free;
}

/* target A is @t's answer, and has settled */
static void
begin_with(const struct mock_target *t)
{
	maps_setup(SCSI_TM_PERADDR);
	mock.target[0].luns = t->luns;
	mock.target[0].nluns = t->nluns;
	mock.target[0].ansi = t->ansi;
	mock.target[0].has_no_report = t->has_no_report;
	mock.target[0].has_encserv = t->has_encserv;
	maps_begin();
	maps_add("A", NULL);
	maps_until(11);
	maps_expect("1.0 +A()");
}

SIM_TEST(c57_lists_of_every_length)
{
	static const int lengths[] = { 0, 1, 2, 256, 257, 300 };

	maps_setup(SCSI_TM_FULLSET);
	maps_begin();
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		mock.target[0].nluns = lengths[i];
		maps_mark();
		maps_set("A");
		maps_until(11);
		ck_assert_int_eq(units(), lengths[i]);
		maps_set("");
		maps_until(30);
		maps_expect("1.0 +A(p) 2.1 -A(p)");
		ck_assert_int_eq(units(), 0);
	}
	maps_end();
}

SIM_TEST(c57_a_list_without_lun_0)
{
	uint64_t luns[] = { 1, 5, 5, 0x4001000000000000ull };

	begin_with(&(struct mock_target){ .luns = luns, .nluns = 4, .ansi = 5 });
	ck_assert_int_eq(units(), 3);
	ck_assert(maps_has("A,1") && maps_has("A,5") && maps_has("A,4001000000000000"));
	ck_assert(!maps_has("A,0"));
	maps_end();
}

SIM_TEST(c57_without_report_luns_scsi_3_has_lun_0)
{
	begin_with(&(struct mock_target){ .nluns = 5, .ansi = 3, .has_no_report = true });
	ck_assert_int_eq(units(), 1);
	ck_assert(maps_has("A,0"));
	maps_end();
}

SIM_TEST(c57_without_report_luns_older_devices_are_tried_one_by_one)
{
	begin_with(&(struct mock_target){ .nluns = 5, .ansi = 2, .has_no_report = true });
	ck_assert_int_eq(units(), 5);
	maps_end();
}

SIM_TEST(c57_every_version)
{
	maps_setup(SCSI_TM_FULLSET);
	maps_begin();
	for (int ansi = 0; ansi <= 6; ansi++) {
		mock.target[0].nluns = 10;
		mock.target[0].ansi = ansi;
		maps_set("A");
		maps_until(20 + ansi * 40);
		ck_assert_int_eq(units(), ansi < 2 ? 8 : 10);
		maps_set("");
		maps_until(40 + ansi * 40);
	}
	maps_end();
}

SIM_TEST(c57_the_second_face_of_an_enclosure)
{
	begin_with(&(struct mock_target){ .nluns = 1, .ansi = 5, .has_encserv = true });
	ck_assert(maps_has("A,0") && maps_has("A,0,d"));
	mock.target[0].has_encserv = false;
	scsi_hba_tgtmap_scan_luns(maps.map, (char[]){ "A" });
	maps_until(30);
	ck_assert(maps_has("A,0"));
	maps_end();
}

SIM_TEST(c58_scan_luns_finds_what_is_new_and_what_is_gone)
{
	uint64_t luns[] = { 0, 1, 2, 3 };
	int init, freed;

	begin_with(&(struct mock_target){ .luns = luns, .nluns = 2, .ansi = 5 });
	ck_assert_int_eq(units(), 2);
	mock.target[0].nluns = 4;
	init = mock.n_init;
	freed = mock.n_free;
	scsi_hba_tgtmap_scan_luns(maps.map, (char[]){ "A" });
	maps_until(15);
	ck_assert(maps_has("A,2") && maps_has("A,3"));
	/* two lives for each new unit, probe and real; none for those that were there */
	ck_assert_int_eq(mock.n_init - init, 4);
	ck_assert_int_eq(mock.n_free - freed, 2);

	init = mock.n_init;
	freed = mock.n_free;
	luns[1] = 3;
	mock.target[0].nluns = 2;
	scsi_hba_tgtmap_scan_luns(maps.map, (char[]){ "A" });
	maps_until(20);
	ck_assert(maps_has("A,0") && maps_has("A,3"));
	ck_assert(!maps_has("A,1") && !maps_has("A,2"));
	ck_assert_int_eq(mock.n_init, init);
	ck_assert_int_eq(mock.n_free - freed, 2);
	maps_expect("1.0 +A()");
	maps_end();
}

SIM_TEST(c58_many_calls_are_one_look)
{
	int before, one;

	begin_with(&(struct mock_target){ .nluns = 2, .ansi = 5 });
	before = mock.n_start;
	scsi_hba_tgtmap_scan_luns(maps.map, (char[]){ "A" });
	maps_until(15);
	one = mock.n_start - before;
	ck_assert_int_gt(one, 0);
	before = mock.n_start;
	for (int i = 0; i < 100; i++)
		scsi_hba_tgtmap_scan_luns(maps.map, (char[]){ "A" });
	maps_until(20);
	ck_assert_int_eq(mock.n_start - before, one);
	/* nobody there: nothing to look at */
	before = mock.n_start;
	scsi_hba_tgtmap_scan_luns(maps.map, (char[]){ "B" });
	maps_until(30);
	ck_assert_int_eq(mock.n_start, before);
	maps_end();
}

static void
send_with_sense(uint8_t key, uint8_t asc, uint8_t ascq)
{
	const struct mock_script script[] = {
		{ .tran = TRAN_ACCEPT, .has_sense = true, .key = key, .asc = asc,
		    .ascq = ascq },
	};
	struct scsi_device *sd = mock_unit(maps.iport, "A,0");
	struct scsi_pkt *pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	int comp = mock.n_comp;

	mock.script = script;
	mock.nscript = 1;
	mock.script_at = 0;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_int_eq(mock.n_comp, comp + 1);
	ck_assert_uint_eq(pkt->pkt_state & STATE_ARQ_DONE, STATE_ARQ_DONE);
	scsi_destroy_pkt(pkt);
	mock.nscript = 0;
}

SIM_TEST(c58_a_unit_attention_tells_of_changes)
{
	begin_with(&(struct mock_target){ .nluns = 1, .ansi = 5 });
	mock.target[0].nluns = 3;
	send_with_sense(KEY_UNIT_ATTENTION, 0x29, 0x00);	/* reset: no news of LUNs */
	maps_until(20);
	ck_assert_int_eq(units(), 1);
	send_with_sense(KEY_UNIT_ATTENTION, 0x3f, 0x0e);
	maps_until(30);
	ck_assert_int_eq(units(), 3);
	mock.target[0].nluns = 2;
	send_with_sense(KEY_ILLEGAL_REQUEST, 0x25, 0x00);
	maps_until(40);
	ck_assert_int_eq(units(), 2);
	maps_end();
}

SIM_TEST(c58_a_unit_attention_on_a_waiting_command)
{
	static const struct mock_script script[] = {
		{ .tran = TRAN_ACCEPT, .has_sense = true, .key = KEY_UNIT_ATTENTION,
		    .asc = 0x3f, .ascq = 0x0e },
		MOCK_OK,
	};
	struct scsi_pkt *pkt;

	begin_with(&(struct mock_target){ .nluns = 1, .ansi = 5 });
	mock.target[0].nluns = 2;
	pkt = mock_pkt(mock_unit(maps.iport, "A,0"), NULL, SCMD_TEST_UNIT_READY, 0);
	mock.script = script;
	mock.nscript = 2;
	(void)scsi_poll(pkt);
	scsi_destroy_pkt(pkt);
	maps_until(20);
	ck_assert_int_eq(units(), 2);
	maps_end();
}

SIM_TEST(c58_a_unit_in_use_goes_when_it_is_free)
{
	begin_with(&(struct mock_target){ .nluns = 3, .ansi = 5 });
	mock.target[0].nluns = 1;
	mock_tgt.refuses_detach = true;
	scsi_hba_tgtmap_scan_luns(maps.map, (char[]){ "A" });
	maps_until(30);
	ck_assert_int_eq(units(), 3);
	mock_tgt.refuses_detach = false;
	maps_until(35);
	ck_assert_int_eq(units(), 1);
	maps_end();
}

SIM_TEST(c58_without_a_list_units_are_asked)
{
	begin_with(&(struct mock_target){ .nluns = 4, .ansi = 2, .has_no_report = true });
	ck_assert_int_eq(units(), 4);
	mock.target[0].nluns = 2;
	scsi_hba_tgtmap_scan_luns(maps.map, (char[]){ "A" });
	maps_until(20);
	ck_assert_int_eq(units(), 2);
	/* and silence is no answer */
	mock.target[0].is_there = false;
	scsi_hba_tgtmap_scan_luns(maps.map, (char[]){ "A" });
	maps_until(30);
	ck_assert_int_eq(units(), 2);
	mock.target[0].is_there = true;
	maps_end();
}

SIM_TEST(c58_lun_0_that_leaves_the_list_is_asked)
{
	uint64_t luns[] = { 0, 1 };

	begin_with(&(struct mock_target){ .luns = luns, .nluns = 2, .ansi = 5 });
	ck_assert_int_eq(units(), 2);
	luns[0] = 1;
	luns[1] = 2;
	scsi_hba_tgtmap_scan_luns(maps.map, (char[]){ "A" });
	maps_until(20);
	ck_assert(!maps_has("A,0") && maps_has("A,1") && maps_has("A,2"));
	/* with LUN 0 gone, looking goes on */
	luns[0] = 0;
	scsi_hba_tgtmap_scan_luns(maps.map, (char[]){ "A" });
	maps_until(30);
	ck_assert(maps_has("A,0") && !maps_has("A,1") && maps_has("A,2"));
	maps_end();
}

CHECK_MAIN("lun changes",
    c57_lists_of_every_length,
    c57_a_list_without_lun_0,
    c57_without_report_luns_scsi_3_has_lun_0,
    c57_without_report_luns_older_devices_are_tried_one_by_one,
    c57_every_version,
    c57_the_second_face_of_an_enclosure,
    c58_scan_luns_finds_what_is_new_and_what_is_gone,
    c58_many_calls_are_one_look,
    c58_a_unit_attention_tells_of_changes,
    c58_a_unit_attention_on_a_waiting_command,
    c58_a_unit_in_use_goes_when_it_is_free,
    c58_without_a_list_units_are_asked,
    c58_lun_0_that_leaves_the_list_is_asked)
