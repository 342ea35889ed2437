/* statuses, attributes and additional sense codes have the names the standards give them */
#include "check_main.h"
#include "scsi/asc.h"
#include "scsi/status.h"

#include <string.h>

START_TEST(asc_names)
{
	ck_assert_str_eq(asc_name(0x24, 0x00), "INVALID FIELD IN CDB");
	ck_assert_str_eq(asc_name(0x00, 0x00), "NO ADDITIONAL SENSE INFORMATION");
	ck_assert_str_eq(asc_name(0x27, 0x07), "SPACE ALLOCATION FAILED WRITE PROTECT");
	ck_assert_str_eq(asc_name(0x74, 0x79), "SECURITY CONFLICT IN TRANSLATED DEVICE");
	ck_assert_ptr_null(asc_name(0xff, 0xff));
	ck_assert_ptr_null(asc_name(0x80, 0x00));
	ck_assert_ptr_null(asc_name(0x40, 0x01));
}
END_TEST

START_TEST(families_are_named)
{
	ck_assert_str_eq(asc_name(0x40, 0x80), "DIAGNOSTIC FAILURE ON COMPONENT");
	ck_assert_str_eq(asc_name(0x4d, 0x17), "TAGGED OVERLAPPED COMMANDS");
	ck_assert_str_eq(asc_name(0x5d, 0x42), asc_name(0x5d, 0x00));
	ck_assert_ptr_nonnull(asc_name(0x70, 0x01));
}
END_TEST

/* the table is searched by halves: one row out of order hides others, so all must be found */
START_TEST(many_are_known)
{
	unsigned n = 0;

	for (unsigned code = 0; code < 0x10000; code++) {
		unsigned asc = code >> 8;

		if (asc != 0x40 && asc != 0x4d && asc != 0x5d && asc != 0x70)
			n += asc_name((uint8_t)asc, (uint8_t)code) != NULL;
	}
	ck_assert_uint_ge(n, 370);
}
END_TEST

START_TEST(raised_codes_are_known)
{
	static const uint16_t codes[] = { ASC_NONE, ASC_INVALID_OPCODE, ASC_LBA_OUT_OF_RANGE,
		ASC_LUN_NOT_SUPPORTED, ASC_WRITE_PROTECTED, ASC_POWER_ON, ASC_CAPACITY_CHANGED,
		ASC_MISCOMPARE, ASC_REPORTED_LUNS_CHANGED, ASC_MEDIUM_NOT_PRESENT, ASC_QUOTA,
		ASC_ACCESS_NOT_AUTHORIZED };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		ck_assert_ptr_nonnull(asc_name((uint8_t)(codes[i] >> 8), (uint8_t)codes[i]));
}
END_TEST

START_TEST(statuses)
{
	static const uint8_t all[] = { 0x00, 0x02, 0x04, 0x08, 0x18, 0x28, 0x30, 0x40 };

	for (size_t i = 0; i < sizeof(all); i++)
		ck_assert_ptr_nonnull(sstat_name(all[i]));
	ck_assert_str_eq(sstat_name(SAM_STAT_RESERVATION_CONFLICT), "RESERVATION CONFLICT");
	ck_assert_ptr_null(sstat_name(0x01));
	ck_assert_str_eq(sattr_name(SAM_ATTR_HEAD_OF_QUEUE), "HEAD OF QUEUE");
	ck_assert_ptr_null(sattr_name(SAM_ATTR_N));
}
END_TEST

CHECK_MAIN("scsi names", asc_names, families_are_named, many_are_known, raised_codes_are_known,
    statuses)
