/* local clients have names; reservations know them, and local rules limit them */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "check_main.h"
#include "lu/port.h"
#include "mock_client.h"
#include "mock_plane.h"

#define OTHER	65533u

static char *
word(const char *text)
{
	return (char *)(uintptr_t)text;
}

static uint32_t
send_hello_as(struct mc *c, const char *initiator)
{
	Scsad__HelloRequest req = SCSAD__HELLO_REQUEST__INIT;

	req.has_major = 1;
	req.major = PROTO_MAJOR;
	req.initiator = word(initiator);
	return mc_send(c, METHOD_HELLO, &req.base, NULL, 0);
}

static void
connect_as(struct fixture *f, struct mc *c, const char *initiator)
{
	mc_connect_raw(f, c);
	(void)mc_reply(c, send_hello_as(c, initiator), &scsad__hello_reply__descriptor);
}

/* PERSISTENT RESERVE OUT; its status */
static uint32_t
pr_out(struct mc *c, uint64_t handle, uint8_t action, uint8_t type, uint64_t key,
    uint64_t new_key)
{
	const uint8_t cdb[10] = { 0x5f, action, type, 0, 0, 0, 0, 0, 24, 0 };
	uint8_t list[24] = { 0 };

	be64_put(list, key);
	be64_put(list + 8, new_key);
	return mc_completion(c, mc_submit(c, handle, cdb, sizeof(cdb),
	    SCSAD__DIRECTION__DIR_OUT, list, sizeof(list)))->scsi_status;
}

static uint32_t
simple(struct mc *c, uint64_t handle, uint8_t opcode)
{
	const uint8_t cdb[6] = { opcode };

	return mc_completion(c, mc_submit(c, handle, cdb, sizeof(cdb),
	    SCSAD__DIRECTION__DIR_NONE, NULL, 0))->scsi_status;
}

static const Scsad__ReserveStatusReply *
status(struct mc *c)
{
	Scsad__ReserveStatusRequest req = SCSAD__RESERVE_STATUS_REQUEST__INIT;

	req.path = word("disk@0,0");
	return mc_reply(c, mc_send(c, METHOD_RESERVE_STATUS, &req.base, NULL, 0),
	    &scsad__reserve_status_reply__descriptor);
}

START_TEST(names_exclude_each_other)
{
	const Scsad__ReserveStatusReply *r;
	struct mc one, same, two;
	uint64_t h1, hs, h2;
	struct lu_initiator own;
	char name[300];
	struct fixture f;

	fixture_simple(&f);
	connect_as(&f, &one, "one");
	connect_as(&f, &same, "one");
	connect_as(&f, &two, NULL);
	h1 = mc_open(&one, "disk@0,0");
	hs = mc_open(&same, "disk@0,0");
	h2 = mc_open(&two, "disk@0,0");

	r = status(&one);
	ck_assert_uint_eq(r->n_registrations, 0);
	ck_assert_uint_eq(r->type, 0);
	ck_assert_str_eq(r->owner, "");

	/* RESERVE(6): the same name is the same nexus */
	ck_assert_uint_eq(simple(&one, h1, 0x16), 0);
	ck_assert_uint_eq(simple(&same, hs, 0x00), 0);
	ck_assert_uint_eq(simple(&two, h2, 0x00), 0x18);
	lu_initiator_uid(&own, geteuid());
	(void)snprintf(name, sizeof(name), "%s:one", own.name);
	r = status(&two);
	ck_assert_str_eq(r->owner, name);
	ck_assert_uint_eq(r->owner_rtpi, LU_PORT_LOCAL_RTPI);
	ck_assert_uint_eq(simple(&same, hs, 0x17), 0);
	ck_assert_uint_eq(simple(&two, h2, 0x00), 0);

	/* persistent: Exclusive Access */
	ck_assert_uint_eq(pr_out(&one, h1, 0, 0, 0, 0x11), 0);
	ck_assert_uint_eq(pr_out(&two, h2, 0, 0, 0, 0x22), 0);
	ck_assert_uint_eq(pr_out(&one, h1, 1, 3, 0x11, 0), 0);
	ck_assert_uint_eq(pr_out(&two, h2, 1, 3, 0x22, 0), 0x18);
	r = status(&two);
	ck_assert_uint_eq(r->type, 3);
	ck_assert_uint_eq(r->key, 0x11);
	ck_assert_uint_eq(r->generation, 2);
	ck_assert_uint_eq(r->n_registrations, 2);
	ck_assert_str_eq(r->registrations[0]->initiator, name);
	ck_assert(r->registrations[0]->is_holder);
	ck_assert_str_eq(r->registrations[1]->initiator, own.name);
	ck_assert(!r->registrations[1]->is_holder);

	/* it stays when its connections go */
	mc_close(&one);
	mc_close(&same);
	fixture_wait(&f, 1, 0);
	ck_assert_uint_eq(status(&two)->n_registrations, 2);
	mc_close(&two);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}
END_TEST

START_TEST(names_of_others_are_refused)
{
	static const struct {
		const char *name;
		Scsad__ErrorCode of_admin, of_io;	/* ERR_NONE: taken */
	} rows[] = {
		{ "word", 0, 0 },
		{ "iqn.2001-01.com.example:host", 0, SCSAD__ERROR_CODE__ERR_NOT_PERMITTED },
		{ "iqn.2026-11.internal.scsad:uid.65533", 0, 0 },
		{ "IQN.2026-11.internal.scsad:uid.65533:x", 0, 0 },
		{ "iqn.2026-11.internal.scsad:uid.655331", 0,
		    SCSAD__ERROR_CODE__ERR_NOT_PERMITTED },
		{ "iqn.2026-11.internal.scsad:uid.0", 0, SCSAD__ERROR_CODE__ERR_NOT_PERMITTED },
		{ "a b", SCSAD__ERROR_CODE__ERR_BAD_MESSAGE,
		    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },
		{ "a,b", SCSAD__ERROR_CODE__ERR_BAD_MESSAGE,
		    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },
	};
	struct fixture f;

	if (geteuid() != 0)
		return;
	fixture_init(&f);
	fixture_disk(&f, "mem:1M");
	ck_assert_int_eq(config_add_access(&f.conf, false, OTHER, SCSAD__ROLE__ROLE_IO), 0);
	fixture_start(&f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (unsigned int who = 0; who < 2; who++) {
			Scsad__ErrorCode code = who == 0 ? rows[i].of_admin : rows[i].of_io;
			struct mc c;
			uint32_t id;

			mc_connect_as(&f, &c, who == 0 ? 0 : OTHER);
			id = send_hello_as(&c, rows[i].name);
			if (code == SCSAD__ERROR_CODE__ERR_NONE)
				(void)mc_reply(&c, id, &scsad__hello_reply__descriptor);
			else
				ck_assert_int_eq(mc_error(&c, id), code);
			mc_close(&c);
		}
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}
END_TEST

START_TEST(local_rules_limit_units)
{
	static const char file[] =
	    "local:\n"
	    "  - {who: 'uid:65533', units: ['soft0/iport0/disk@0,0'], access: [ro]}\n";
	const uint8_t write10[10] = { 0x2a, [8] = 1 }, read10[10] = { 0x28, [8] = 1 };
	Scsad__OpenRequest open = SCSAD__OPEN_REQUEST__INIT;
	Scsad__ResetRequest reset = SCSAD__RESET_REQUEST__INIT;
	uint8_t block[512] = { 0 };
	struct world w;
	struct fixture f;
	struct mc c;
	uint64_t h;

	if (geteuid() != 0)
		return;
	fixture_init(&f);
	fixture_disk(&f, "mem:1M,luns=2");
	ck_assert_int_eq(config_add_access(&f.conf, false, OTHER, SCSAD__ROLE__ROLE_IO), 0);
	fixture_start(&f);
	world_init(&w, false);
	world_file(&w, file);
	ck_assert_int_eq(world_up(&w), 0);
	rpc_server_set_exports(f.rpc, w.exports);

	mc_connect_as(&f, &c, OTHER);
	(void)mc_reply(&c, send_hello_as(&c, NULL), &scsad__hello_reply__descriptor);
	h = mc_open(&c, "disk@0,0");
	ck_assert_uint_eq(mc_completion(&c, mc_submit(&c, h, read10, sizeof(read10),
	    SCSAD__DIRECTION__DIR_IN, NULL, 512))->scsi_status, 0);
	ck_assert_int_eq(mc_error(&c, mc_submit(&c, h, write10, sizeof(write10),
	    SCSAD__DIRECTION__DIR_OUT, block, 512)), SCSAD__ERROR_CODE__ERR_NOT_PERMITTED);
	open.name = word("disk@0,1");
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_OPEN, &open.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_NOT_PERMITTED);
	reset.has_level = 1;
	reset.level = SCSAD__RESET_LEVEL__RESET_LEVEL_LUN;
	reset.path = word("disk@0,1");
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_RESET, &reset.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_NOT_PERMITTED);
	mc_close(&c);
	fixture_wait(&f, 0, 0);

	/* root is not bound by them */
	mc_connect(&f, &c);
	h = mc_open(&c, "disk@0,1");
	mc_close(&c);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
	world_fini(&w);
}
END_TEST

CHECK_MAIN("clients are initiators", names_exclude_each_other, names_of_others_are_refused,
    local_rules_limit_units)
