/* who may do what: rules give roles, roles allow methods and classes of commands */
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "daemon/access.h"
#include "lu/lu.h"
#include "mock_client.h"
#include "scsi/cdb.h"
#include "scsi/opcode.h"

#define NOBODY	65534u


START_TEST(highest_rule_counts)
{
	struct config conf;
	struct access_cred cred = { .uid = 4000, .gid = 4001, .groups = { 5, 6 },
	    .n_groups = 2 };

	config_init(&conf);
	ck_assert_int_eq(access_role(&conf, (gid_t)-1, &cred), SCSAD__ROLE__ROLE_NONE);
	ck_assert_int_eq(access_role(&conf, 6, &cred), SCSAD__ROLE__ROLE_IO);
	ck_assert_int_eq(access_role(&conf, 4001, &cred), SCSAD__ROLE__ROLE_IO);
	ck_assert_int_eq(config_add_access(&conf, true, 5, SCSAD__ROLE__ROLE_MONITOR), 0);
	ck_assert_int_eq(access_role(&conf, (gid_t)-1, &cred), SCSAD__ROLE__ROLE_MONITOR);
	ck_assert_int_eq(access_role(&conf, 6, &cred), SCSAD__ROLE__ROLE_IO);
	ck_assert_int_eq(config_add_access(&conf, false, 4000, SCSAD__ROLE__ROLE_ADMIN), 0);
	ck_assert_int_eq(access_role(&conf, (gid_t)-1, &cred), SCSAD__ROLE__ROLE_ADMIN);
	cred.uid = 4002;
	cred.n_groups = 0;
	ck_assert_int_eq(access_role(&conf, (gid_t)-1, &cred), SCSAD__ROLE__ROLE_NONE);
	cred.uid = 0;
	ck_assert_int_eq(access_role(&conf, (gid_t)-1, &cred), SCSAD__ROLE__ROLE_ADMIN);
	config_fini(&conf);
}
END_TEST

START_TEST(classes_follow_roles)
{
	ck_assert_uint_eq(access_classes(SCSAD__ROLE__ROLE_NONE), 0);
	ck_assert_uint_eq(access_classes(SCSAD__ROLE__ROLE_MONITOR), 0);
	ck_assert((access_classes(SCSAD__ROLE__ROLE_IO) & LU_CLASS(OP_WRITE)) != 0);
	ck_assert((access_classes(SCSAD__ROLE__ROLE_IO) & LU_CLASS(OP_FIRMWARE)) == 0);
	ck_assert((access_classes(SCSAD__ROLE__ROLE_IO) & LU_CLASS(OP_MANAGE)) == 0);
	for (unsigned int p = 0; p < OP_POLICY_N; p++)
		ck_assert((access_classes(SCSAD__ROLE__ROLE_ADMIN) & LU_CLASS(p)) != 0);
}
END_TEST

/* every method by every role, on the wire: refused exactly when the method's row says so */
static void
walk_methods(struct fixture *f, Scsad__Role role)
{
	struct mc c;

	for (uint16_t m = METHOD_STATUS; m < METHOD_N; m++) {
		const struct method_info *info = method_find(m);
		bool is_refused;

		mc_connect_as(f, &c, NOBODY);
		(void)mc_reply(&c, mc_send_hello(&c, PROTO_MAJOR),
		    &scsad__hello_reply__descriptor);
		(void)mc_send(&c, m, NULL, NULL, 0);
		ck_assert(mc_recv(&c));
		is_refused = c.head.kind == FRAME_KIND_ERROR && c.len > 2 &&
		    c.bytes[0] == 0x08 && c.bytes[1] == SCSAD__ERROR_CODE__ERR_NOT_PERMITTED;
		ck_assert_msg(is_refused == (role < info->role), "%s as role %d", info->name,
		    (int)role);
		mc_close(&c);
	}
}

START_TEST(methods_need_their_role)
{
	static const Scsad__Role roles[] = {
		SCSAD__ROLE__ROLE_MONITOR, SCSAD__ROLE__ROLE_IO, SCSAD__ROLE__ROLE_ADMIN,
	};

	if (geteuid() != 0)
		return;	/* only root can be somebody else */
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		struct fixture f;

		fixture_init(&f);
		ck_assert_int_eq(config_add_access(&f.conf, false, NOBODY, roles[i]), 0);
		fixture_disk(&f, "mem:1M");
		fixture_start(&f);
		walk_methods(&f, roles[i]);
		fixture_stop(&f);
	}
}
END_TEST

START_TEST(no_rule_no_connection)
{
	struct fixture f;
	struct mc c;

	if (geteuid() != 0)
		return;
	fixture_simple(&f);
	mc_connect_as(&f, &c, NOBODY);
	ck_assert_int_eq(mc_error(&c, 0), SCSAD__ERROR_CODE__ERR_NOT_PERMITTED);
	mc_expect_end(&c);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(io_may_not_manage)
{
	static const struct {
		uint8_t cdb[16];
		uint8_t len;
		bool is_allowed;
	} rows[] = {
		{ { 0x00 }, 6, true },				/* TEST UNIT READY */
		{ { 0x35 }, 10, true },				/* SYNCHRONIZE CACHE */
		{ { 0x1b }, 6, false },				/* START STOP UNIT */
		{ { 0x04 }, 6, false },				/* FORMAT UNIT */
		{ { 0xc1 }, 10, false },			/* vendor */
	};
	struct fixture f;
	struct mc c;
	uint64_t h;
	Scsad__ResetRequest reset = SCSAD__RESET_REQUEST__INIT;

	if (geteuid() != 0)
		return;
	fixture_init(&f);
	ck_assert_int_eq(config_add_access(&f.conf, false, NOBODY, SCSAD__ROLE__ROLE_IO), 0);
	fixture_disk(&f, "mem:1M");
	fixture_start(&f);
	mc_connect_as(&f, &c, NOBODY);
	(void)mc_reply(&c, mc_send_hello(&c, PROTO_MAJOR), &scsad__hello_reply__descriptor);
	h = mc_open(&c, "disk@0,0");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t id = mc_submit(&c, h, rows[i].cdb, rows[i].len,
		    SCSAD__DIRECTION__DIR_NONE, NULL, 0);

		if (rows[i].is_allowed)
			ck_assert_uint_eq(mc_completion(&c, id)->reason, 0);
		else
			ck_assert_int_eq(mc_error(&c, id),
			    SCSAD__ERROR_CODE__ERR_NOT_PERMITTED);
	}
	reset.has_handle = reset.has_level = 1;
	reset.handle = h;
	reset.level = SCSAD__RESET_LEVEL__RESET_LEVEL_BUS;
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_RESET, &reset.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_NOT_PERMITTED);
	reset.level = SCSAD__RESET_LEVEL__RESET_LEVEL_LUN;
	(void)mc_reply(&c, mc_send(&c, METHOD_RESET, &reset.base, NULL, 0),
	    &scsad__reset_reply__descriptor);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

CHECK_MAIN("roles", highest_rule_counts, classes_follow_roles, methods_need_their_role,
    no_rule_no_connection, io_may_not_manage)
