#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "proto/error.h"
#include "proto/limits.h"
#include "proto/method.h"

START_TEST(every_number_has_a_whole_row)
{
	ck_assert_ptr_null(method_find(METHOD_NONE));
	ck_assert_ptr_null(method_find(METHOD_N));
	ck_assert_ptr_null(method_find(UINT16_MAX));
	ck_assert_str_eq(method_name(METHOD_N), "unknown");
	for (uint16_t i = 1; i < METHOD_N; i++) {
		const struct method_info *m = method_find(i);

		ck_assert_ptr_nonnull(m);
		ck_assert_ptr_nonnull(m->request);
		ck_assert_ptr_nonnull(m->reply);
		for (uint16_t j = 1; j < i; j++)
			ck_assert_str_ne(method_name(i), method_name(j));
	}
}
END_TEST

/* a number on the wire never changes its meaning */
START_TEST(numbers_stay)
{
	static const char *const names[] = {"unknown", "hello", "status", "list", "show",
	    "probe", "open", "close", "submit", "abort", "reset", "getcap", "setcap",
	    "subscribe", "fault-add", "fault-list", "fault-clear", "target-add", "target-remove",
	    "lun-add", "lun-remove", "expander-add", "phy-up", "phy-down", "smp",
	    "export-list", "export-change", "export-reload", "session-list", "session-close",
	    "reserve-status", "resize", "rescan", "memory-new", "memory-free", "ring-new",
	    "ring-free"};

	for (uint16_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_str_eq(method_name(i), names[i]);
}
END_TEST

START_TEST(only_submit_carries_data_and_hello_needs_no_role)
{
	for (uint16_t i = 1; i < METHOD_N; i++) {
		ck_assert_int_eq(method_find(i)->has_data, i == METHOD_SUBMIT);
		ck_assert_int_eq(
		    method_find(i)->role == SCSAD__ROLE__ROLE_NONE, i == METHOD_HELLO);
	}
	ck_assert_int_eq(
	    reset_level_role(SCSAD__RESET_LEVEL__RESET_LEVEL_LUN), SCSAD__ROLE__ROLE_IO);
	ck_assert_int_eq(
	    reset_level_role(SCSAD__RESET_LEVEL__RESET_LEVEL_TARGET), SCSAD__ROLE__ROLE_ADMIN);
	ck_assert_int_eq(
	    reset_level_role(SCSAD__RESET_LEVEL__RESET_LEVEL_HBA), SCSAD__ROLE__ROLE_ADMIN);
}
END_TEST

START_TEST(every_code_has_a_name_and_an_errno)
{
	const ProtobufCEnumDescriptor *d = &scsad__error_code__descriptor;

	for (unsigned i = 0; i < d->n_values; i++) {
		Scsad__ErrorCode code = (Scsad__ErrorCode)d->values[i].value;

		ck_assert_ptr_nonnull(error_code_name(code));
		ck_assert_int_eq(error_code_to_errno(code) == 0, code == 0);
		/* what several codes share has one way back, the others have their own */
		if (code != SCSAD__ERROR_CODE__ERR_INTERNAL &&
		    code != SCSAD__ERROR_CODE__ERR_BAD_CDB)
			ck_assert_int_eq(
			    error_code_from_errno(error_code_to_errno(code)), code);
	}
	ck_assert_str_eq(error_code_name((Scsad__ErrorCode)999), "error");
	ck_assert_int_eq(error_code_to_errno((Scsad__ErrorCode)999), -EIO);
	ck_assert_int_eq(error_code_from_errno(-ENOTTY), SCSAD__ERROR_CODE__ERR_IO);
}
END_TEST

CHECK_MAIN("methods", every_number_has_a_whole_row, numbers_stay,
    only_submit_carries_data_and_hello_needs_no_role, every_code_has_a_name_and_an_errno)
