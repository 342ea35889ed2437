/* mode pages: what is said, what may be changed, what follows from it */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "mock_disk.h"
#include "scsi/mode.h"

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN], data[512];

/* a page as MODE SENSE gives it; its length */
static size_t
page(uint8_t code, enum mode_pc pc, uint8_t *ret)
{
	struct mode_walk walk;
	struct mode_view view;
	size_t len;

	ck_assert(bench_in(
	    &b, cdb, cdb_mode_sense(cdb, CDB_10, (uint8_t)pc, code, 0, true, 255), 255));
	ck_assert_int_eq(mode_walk_begin(b.data, b.cmd->moved, true, &walk), 0);
	ck_assert_int_eq(mode_walk_next(&walk, &view), 1);
	ck_assert_int_eq(view.code, code);
	len = view.len;
	memcpy(ret, view.data, len);
	return len;
}

/* send a page back by MODE SELECT(10) */
static bool
select_page(const uint8_t *bytes, size_t len)
{
	uint8_t listed[64] = { 0 };

	memcpy(listed + 8, bytes, len);
	listed[8] &= 0x7f;
	return bench_out(
	    &b, cdb, cdb_mode_select(cdb, CDB_10, false, (uint16_t)(8 + len)), listed, 8 + len);
}

START_TEST(all_pages_in_both_forms)
{
	static const uint8_t codes[] = { 0x01, 0x02, 0x08, 0x0a, 0x1a, 0x1c };
	struct modehdr hdr;
	struct mode_walk walk;
	struct mode_view view;

	bench_open(&b, "mem:1M");
	for (int is_10 = 0; is_10 < 2; is_10++) {
		ck_assert(bench_in(&b, cdb,
		    cdb_mode_sense(
			cdb, is_10 ? CDB_10 : CDB_6, MODE_PC_CURRENT, MODE_ALL, 0, false, 255),
		    255));
		ck_assert_int_eq(mode_hdr_parse(b.data, b.cmd->moved, is_10, &hdr), 0);
		ck_assert_uint_eq(hdr.data_len, b.cmd->moved);
		ck_assert_uint_eq(hdr.device_specific, MODE_DSP_DPOFUA);
		ck_assert(hdr.has_bd);
		ck_assert_uint_eq(hdr.blocks, 2048);
		ck_assert_uint_eq(hdr.block_size, 512);
		ck_assert_int_eq(mode_walk_begin(b.data, b.cmd->moved, is_10, &walk), 0);
		for (size_t i = 0; i < sizeof(codes); i++) {
			ck_assert_int_eq(mode_walk_next(&walk, &view), 1);
			ck_assert_int_eq(view.code, codes[i]);
		}
		ck_assert_int_eq(mode_walk_next(&walk, &view), 0);
	}
	ck_assert(!bench_in(
	    &b, cdb, cdb_mode_sense(cdb, CDB_6, MODE_PC_CURRENT, 0x05, 0, false, 255), 255));
	ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB));
	ck_assert(!bench_in(
	    &b, cdb, cdb_mode_sense(cdb, CDB_6, MODE_PC_SAVED, 0x08, 0, false, 255), 255));
	ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED));
	ck_assert(bench_in(
	    &b, cdb, cdb_mode_sense(cdb, CDB_6, MODE_PC_CURRENT, MODE_ALL, 0, false, 4), 255));
	ck_assert_uint_eq(b.cmd->moved, 4);
	bench_close(&b);
}
END_TEST

START_TEST(software_write_protect)
{
	uint8_t control[64];
	size_t len;

	bench_open(&b, "mem:1M");
	len = page(MODE_CONTROL, MODE_PC_CURRENT, control);
	control[4] |= 0x08;
	ck_assert(select_page(control, len));
	ck_assert(!bench_out(&b, cdb, cdb_write(cdb, CDB_10, 0, 1, 0), data, 512));
	ck_assert(bench_sense_is(&b, SENSE_DATA_PROTECT, ASC_SOFTWARE_WRITE_PROTECTED));
	ck_assert(
	    bench_in(&b, cdb, cdb_mode_sense(cdb, CDB_6, 0, MODE_ALL, 0, false, 255), 255));
	ck_assert_int_eq(b.data[2] & MODE_DSP_WP, MODE_DSP_WP);
	/* a reset takes it away, and says so */
	disk_reset(b.disk, ASC_DEVICE_RESET);
	ck_assert(!bench_none(&b, cdb, cdb_tur(cdb)));
	ck_assert(bench_sense_is(&b, SENSE_UNIT_ATTENTION, ASC_DEVICE_RESET));
	ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, 0, 1, 0), data, 512));
	bench_close(&b);
}
END_TEST

START_TEST(descriptor_sense)
{
	uint8_t control[64];
	struct sense_data sense;
	size_t len;

	bench_open(&b, "mem:1M");
	(void)bench_none(&b, cdb, cdb_read(cdb, CDB_10, 5000, 1, 0));
	ck_assert(!b.cmd->want_descriptor);
	len = page(MODE_CONTROL, MODE_PC_CURRENT, control);
	control[2] |= 0x04;
	ck_assert(select_page(control, len));
	(void)bench_none(&b, cdb, cdb_read(cdb, CDB_10, 5000, 1, 0));
	ck_assert(b.cmd->want_descriptor);
	ck_assert(bench_in(&b, cdb, cdb_request_sense(cdb, true, 252), 252));
	ck_assert_int_eq(sense_parse(b.data, b.cmd->moved, &sense), 0);
	ck_assert_int_eq(sense.format, SENSE_FMT_DESCRIPTOR);
	ck_assert_int_eq(sense.key, SENSE_NO_SENSE);
	bench_close(&b);
}
END_TEST

START_TEST(write_cache_off)
{
	uint8_t caching[64], changeable[64];
	char path[64];
	int fd = check_file(path, sizeof(path));
	size_t len;

	ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
	close(fd);
	bench_open(&b, path);
	len = page(MODE_CACHING, MODE_PC_CHANGEABLE, changeable);
	ck_assert_int_eq(changeable[2], 0x04);
	(void)page(MODE_CACHING, MODE_PC_CURRENT, caching);
	ck_assert_int_eq(caching[2] & 0x04, 0x04);
	caching[2] = 0;
	ck_assert(select_page(caching, len));
	ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, 0, 1, 0), data, 512));
	ck_assert(b.cmd->req.is_fua);
	caching[2] = 0x04;
	ck_assert(select_page(caching, len));
	ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, 0, 1, 0), data, 512));
	ck_assert(!b.cmd->req.is_fua);
	bench_close(&b);
	unlink(path);
}
END_TEST

START_TEST(bad_lists_change_nothing)
{
	uint8_t caching[64], list[600] = { 0 };
	size_t len;

	bench_open(&b, "mem:1M");
	len = page(MODE_CACHING, MODE_PC_CURRENT, caching);
	caching[3] ^= 0x01;		/* not changeable */
	caching[2] = 0;
	ck_assert(!select_page(caching, len));
	ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST));
	(void)page(MODE_CACHING, MODE_PC_CURRENT, caching);
	ck_assert_int_eq(caching[2], 0x04);

	/* when unit attentions are cleared is not to be chosen here: no bit of
	 * UA_INTLCK_CTRL */
	for (unsigned int control = 1; control < 4; control++) {
		uint8_t page_0a[64];
		size_t control_len = page(MODE_CONTROL, MODE_PC_CURRENT, page_0a);

		ck_assert_uint_eq(page_0a[4] & 0x30, 0);
		page_0a[4] |= (uint8_t)(control << 4);
		ck_assert(!select_page(page_0a, control_len));
		ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST));
		(void)page(MODE_CONTROL, MODE_PC_CHANGEABLE, page_0a);
		ck_assert_uint_eq(page_0a[4] & 0x30, 0);
	}

	/* fewer bytes than the list was said to have */
	memcpy(list + 8, caching, len);
	ck_assert(!bench_out(
	    &b, cdb, cdb_mode_select(cdb, CDB_10, false, (uint16_t)(8 + len)), list, 8));
	ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH));
	ck_assert(b.cmd->is_overrun);
	ck_assert(!bench_out(&b, cdb, cdb_mode_select(cdb, CDB_10, false, 600), list, 600));
	ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH));
	(void)cdb_mode_select(cdb, CDB_6, false, 24);
	cdb[1] = 0;
	ck_assert(!bench_out(&b, cdb, 6, list, 24));
	ck_assert(bench_field_is(&b, true, 1, 4));
	ck_assert(!bench_out(&b, cdb, cdb_mode_select(cdb, CDB_6, true, 24), list, 24));
	ck_assert(bench_none(&b, cdb, cdb_mode_select(cdb, CDB_6, false, 0)));
	bench_close(&b);
}
END_TEST

/* a page with subpage 2 and 1 are there, too, and every page is as long as its header says */
START_TEST(subpages)
{
	static const uint16_t want[] = { 0x0100, 0x0200, 0x0800, 0x0a00, 0x0a01, 0x1a00, 0x1c00,
		0x1c02 };
	struct mode_walk walk;
	struct mode_view view;

	for (int is_thin = 0; is_thin < 2; is_thin++) {
		bench_open(&b, is_thin ? "mem:1M" : "mem:1M,thin=0");
		ck_assert(bench_in(&b, cdb,
		    cdb_mode_sense(cdb, CDB_6, 0, MODE_ALL, 0xff, false, 255), 255));
		ck_assert_int_eq(mode_walk_begin(b.data, b.cmd->moved, false, &walk), 0);
		for (size_t i = 0; i < ARRAY_LEN(want) - !is_thin; i++) {
			ck_assert_int_eq(mode_walk_next(&walk, &view), 1);
			ck_assert_int_eq(view.code << 8 | view.subcode, want[i]);
		}
		ck_assert_int_eq(mode_walk_next(&walk, &view), 0);
		ck_assert(!bench_in(&b, cdb,
		    cdb_mode_sense(cdb, CDB_6, 0, MODE_CONTROL, 7, false, 255), 255));
		ck_assert(bench_sense(
		    &b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(3, 7)));
		bench_close(&b);
	}
}
END_TEST

START_TEST(values_that_cannot_be)
{
	uint8_t p[64];
	size_t len;

	bench_open(&b, "mem:1M");
	len = page(MODE_CONTROL, MODE_PC_CURRENT, p);
	p[2] |= 0x40;			/* TST 2 */
	ck_assert(!select_page(p, len));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST(10, 7)));
	p[2] = 0x20;
	p[3] |= 0x04;			/* QERR 2 */
	ck_assert(!select_page(p, len));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST(11, 2)));
	p[3] |= 0x06;
	p[5] |= 0x40;			/* TAS */
	ck_assert(select_page(p, len));
	p[4] |= 0x20;			/* UA_INTLCK */
	ck_assert(!select_page(p, len));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST(12, 5)));
	len = page(MODE_EXCEPTIONS, MODE_PC_CURRENT, p);
	p[2] |= 0x04;			/* TEST with DEXCPT */
	ck_assert(!select_page(p, len));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST(10, 2)));
	p[2] = 0;
	p[3] = 4;
	ck_assert(!select_page(p, len));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST(11, 3)));
	bench_close(&b);
}
END_TEST

/* intervals are whole seconds: what lies between is rounded up, and said */
START_TEST(intervals_are_rounded)
{
	uint8_t p[64];
	size_t len;

	bench_open(&b, "mem:1M");
	len = page(MODE_EXCEPTIONS, MODE_PC_CURRENT, p);
	p[7] = 11;
	ck_assert(!select_page(p, len));
	ck_assert(bench_sense(&b, SENSE_RECOVERED_ERROR, ASC_ROUNDED_PARAMETER, 0));
	(void)page(MODE_EXCEPTIONS, MODE_PC_CURRENT, p);
	ck_assert_uint_eq(p[7], 20);
	ck_assert(select_page(p, len));
	bench_close(&b);
}
END_TEST

START_TEST(block_descriptors_may_repeat_what_is_and_no_more)
{
	uint8_t list[64] = { [4] = 1, [7] = 16 };	/* LONGLBA */

	bench_open(&b, "mem:1M");
	(void)cdb_mode_sense(cdb, CDB_10, 0, MODE_CACHING, 0, false, 255);
	cdb[1] |= 0x10;				/* LLBAA */
	ck_assert(bench_in(&b, cdb, 10, 255));
	ck_assert_int_eq(b.data[4], 1);
	ck_assert_int_eq(b.data[7], 16);
	memcpy(list + 8, b.data + 8, 16);
	ck_assert(bench_out(&b, cdb, cdb_mode_select(cdb, CDB_10, false, 24), list, 24));
	list[15]--;				/* a block less */
	ck_assert(!bench_out(&b, cdb, cdb_mode_select(cdb, CDB_10, false, 24), list, 24));
	ck_assert(bench_sense(
	    &b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST_BYTE(8)));
	memset(list + 8, 0, 8);
	list[22] ^= 0x10;			/* blocks of another size */
	ck_assert(!bench_out(&b, cdb, cdb_mode_select(cdb, CDB_10, false, 24), list, 24));
	ck_assert(bench_sense(
	    &b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST_BYTE(20)));
	ck_assert(!bench_out(&b, cdb, cdb_mode_select(cdb, CDB_10, false, 20), list, 20));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH, 0));
	bench_close(&b);
}
END_TEST

CHECK_MAIN("disk modes", subpages, values_that_cannot_be, intervals_are_rounded,
    block_descriptors_may_repeat_what_is_and_no_more, all_pages_in_both_forms,
    software_write_protect, descriptor_sense, write_cache_off, bad_lists_change_nothing)
