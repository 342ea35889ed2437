/* wire form to number and back is the identity both ways; REPORT LUNS data stays in bounds */
#include "check_main.h"
#include "base/bytes.h"
#include "scsi/lun.h"

#include <errno.h>
#include <string.h>

START_TEST(numbers_round_trip)
{
	static const uint64_t luns[] = { 0, 1, 255, 256, 0x3fff, 0x4005000000000000ull,
		0xc101000000000000ull, 0x0001000200000000ull, UINT64_MAX };
	uint8_t wire[8];

	for (size_t i = 0; i < ARRAY_LEN(luns); i++) {
		lunfmt_put(wire, luns[i]);
		ck_assert_uint_eq(lunfmt_get(wire), luns[i]);
	}
	for (uint64_t lun = 0; lun <= LUNFMT_PERIPHERAL_MAX; lun++) {
		lunfmt_put(wire, lun);
		ck_assert_uint_eq(lunfmt_get(wire), lun);
	}
}
END_TEST

START_TEST(wire_round_trips)
{
	for (unsigned b0 = 0; b0 < 256; b0++) {
		for (unsigned b2 = 0; b2 < 3; b2++) {
			uint8_t wire[8] = { (uint8_t)b0, 0x5a, (uint8_t)b2 }, back[8];

			lunfmt_put(back, lunfmt_get(wire));
			ck_assert_mem_eq(wire, back, 8);
		}
	}
}
END_TEST

START_TEST(known_forms)
{
	static const uint8_t peripheral[8] = { 0x01, 0x02 }, flat[8] = { 0x40, 0x05 };

	ck_assert_uint_eq(lunfmt_get(peripheral), 0x102);
	ck_assert_uint_eq(lunfmt_get(flat), 0x4005000000000000ull);
	ck_assert_int_eq(lunfmt_method(0x102), LUNFMT_PERIPHERAL);
	ck_assert_int_eq(lunfmt_method(lunfmt_get(flat)), LUNFMT_FLAT);
	ck_assert_int_eq(lunfmt_method(LUNFMT_REPORT_LUNS_WLUN), LUNFMT_EXTENDED);
	ck_assert_int_eq(lunfmt_method(0x8000000000000000ull), LUNFMT_LOGICAL_UNIT);
}
END_TEST

START_TEST(index_of_plain_luns)
{
	uint32_t index = 99;

	ck_assert(lunfmt_index(7, &index) && index == 7);
	ck_assert(lunfmt_index(0x4007000000000000ull, &index) && index == 7);
	ck_assert(lunfmt_index(0x7fff000000000000ull, &index) && index == 0x3fff);
	ck_assert(lunfmt_index(0xd201020300000000ull, &index) && index == 0x010203);
	ck_assert(!lunfmt_index(LUNFMT_REPORT_LUNS_WLUN, &index));
	ck_assert(!lunfmt_index(0x0001000200000000ull, &index));
	ck_assert(!lunfmt_index(0x8001000000000000ull, &index));
	ck_assert(!lunfmt_index(0xd201020300000001ull, &index));
	ck_assert_uint_eq(index, 0x010203);
}
END_TEST

START_TEST(report_round_trips_and_is_cut)
{
	static const uint64_t luns[3] = { 0, 0x105, LUNFMT_REPORT_LUNS_WLUN };
	uint8_t whole[32];
	uint64_t back[3];
	size_t n, total;

	ck_assert_uint_eq(lunfmt_report_build(luns, 3, whole, sizeof(whole)), 32);
	ck_assert_uint_eq(be32_get(whole), 24);
	ck_assert_int_eq(lunfmt_report_parse(whole, 32, back, 3, &n, &total), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_mem_eq(back, luns, sizeof(luns));
	for (size_t cut = 0; cut < 32; cut++) {
		uint8_t *part = malloc(cut + (cut == 0));

		ck_assert_uint_eq(lunfmt_report_build(luns, 3, part, cut), 32);
		ck_assert_mem_eq(part, whole, cut);
		ck_assert_int_eq(lunfmt_report_parse(part, cut, back, 3, &n, &total),
		    cut < 8 ? -EBADMSG : 0);
		if (cut >= 8) {
			ck_assert_uint_eq(n, (cut - 8) / 8);
			ck_assert_uint_eq(total, 3);
		}
		free(part);
	}
}
END_TEST

START_TEST(report_stays_in_room)
{
	uint8_t list[40] = { 0, 0, 0, 16 }, huge[16] = { 0xff, 0xff, 0xff, 0xff };
	uint64_t luns[4] = { 9, 9, 9, 9 };
	size_t n, total;

	ck_assert_int_eq(lunfmt_report_parse(list, sizeof(list), luns, 4, &n, &total), 0);
	ck_assert_uint_eq(n, 2);	/* the header says so, though more bytes follow */
	ck_assert_int_eq(lunfmt_report_parse(list, sizeof(list), luns, 1, &n, &total), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(total, 2);
	ck_assert_int_eq(lunfmt_report_parse(huge, sizeof(huge), luns, 4, &n, &total), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(luns[3], 9);
}
END_TEST

CHECK_MAIN("scsi lun", numbers_round_trip, wire_round_trips, known_forms, index_of_plain_luns,
    report_round_trips_and_is_cut, report_stays_in_room)
