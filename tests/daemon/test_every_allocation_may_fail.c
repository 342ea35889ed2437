/* the n-th allocation fails, for every n: an error, a closed connection, never a crash or a
 * leak */
#include <string.h>

#include "base/fault.h"
#include "check_main.h"
#include "mock_client.h"
#include "scsi/cdb.h"

static uint8_t cdb[CDB_BUF_LEN];

/* send, and take whatever comes back: a reply, an error, the end. False at the end */
static bool
try(struct mc *c, uint16_t method, const ProtobufCMessage *msg, const void *data, uint32_t len)
{
	uint32_t id = mc_send(c, method, msg, data, len);

	do {
		if (!mc_recv(c))
			return false;
	} while (c->head.id != id || c->head.has_more);
	return true;
}

/* a target comes and goes, the expander is asked */
static bool
scenario_tree(struct mc *c)
{
	static uint8_t ask[8] = { 0x40 };
	Scsad__AddRequest add = SCSAD__ADD_REQUEST__INIT;
	Scsad__RemoveRequest del = SCSAD__REMOVE_REQUEST__INIT;
	Scsad__SmpRequest smp = SCSAD__SMP_REQUEST__INIT;
	Scsad__ShowRequest show = SCSAD__SHOW_REQUEST__INIT;

	add.text = (char *)(uintptr_t)"mem:1M,target=5";
	del.address = (char *)(uintptr_t)"iport0/5";
	smp.path = (char *)(uintptr_t)"w5000c500a0000000";
	smp.has_request = 1;
	smp.request.data = ask;
	smp.request.len = sizeof(ask);
	show.path = (char *)(uintptr_t)"soft0/iport0";
	return try(c, METHOD_TARGET_ADD, &add.base, NULL, 0) &&
	    try(c, METHOD_TARGET_REMOVE, &del.base, NULL, 0) &&
	    try(c, METHOD_SMP, &smp.base, NULL, 0) && try(c, METHOD_SHOW, &show.base, NULL, 0);
}

static bool
scenario(struct mc *c)
{
	Scsad__HelloRequest hello = SCSAD__HELLO_REQUEST__INIT;
	Scsad__OpenRequest open = SCSAD__OPEN_REQUEST__INIT;
	Scsad__SubmitRequest submit = SCSAD__SUBMIT_REQUEST__INIT;
	Scsad__ResetRequest reset = SCSAD__RESET_REQUEST__INIT;
	Scsad__GetCapRequest getcap = SCSAD__GET_CAP_REQUEST__INIT;
	Scsad__CloseRequest close_req = SCSAD__CLOSE_REQUEST__INIT;
	static uint8_t data[8192];
	ProtobufCMessage *reply;

	hello.has_major = 1;
	hello.major = PROTO_MAJOR;
	if (!try(c, METHOD_HELLO, &hello.base, NULL, 0) || c->head.kind != FRAME_KIND_REPLY)
		return false;
	open.name = (char *)(uintptr_t)"disk@0,0";
	if (!try(c, METHOD_OPEN, &open.base, NULL, 0) || c->head.kind != FRAME_KIND_REPLY)
		return false;
	reply = protobuf_c_message_unpack(&scsad__open_reply__descriptor, NULL, c->head.msg_len,
	    c->bytes);
	submit.has_handle = submit.has_cdb = submit.has_direction = submit.has_data_len = 1;
	submit.handle = ((Scsad__OpenReply *)reply)->handle;
	protobuf_c_message_free_unpacked(reply, NULL);
	submit.cdb.data = cdb;
	submit.cdb.len = mc_cdb_write(cdb, 0, sizeof(data) / 512);
	submit.direction = SCSAD__DIRECTION__DIR_OUT;
	submit.data_len = sizeof(data);
	if (!try(c, METHOD_SUBMIT, &submit.base, data, sizeof(data)))
		return false;
	getcap.has_handle = 1;
	getcap.handle = submit.handle;
	if (!try(c, METHOD_GETCAP, &getcap.base, NULL, 0))
		return false;
	reset.has_handle = reset.has_level = 1;
	reset.handle = submit.handle;
	reset.level = SCSAD__RESET_LEVEL__RESET_LEVEL_LUN;
	if (!try(c, METHOD_RESET, &reset.base, NULL, 0) || !try(c, METHOD_LIST, NULL, NULL, 0))
		return false;
	if (!scenario_tree(c))
		return false;
	close_req.has_handle = 1;
	close_req.handle = submit.handle;
	return try(c, METHOD_CLOSE, &close_req.base, NULL, 0);
}

START_TEST(of_a_session)
{
	struct soft_expander_conf exp;
	char text[SOFT_ERR_LEN];
	struct fixture f;
	bool was_hit = true;

	fixture_init(&f);
	fixture_disk(&f, "mem:1M");
	ck_assert_int_eq(soft_expander_parse("5000c500a0000000", &exp, text), 0);
	ck_assert_int_eq(config_add_expander(&f.conf.hbas[0], &exp), 0);
	fixture_start(&f);
	for (int64_t n = 1; was_hit; n++) {
		struct mc c;

		ck_assert_int_lt(n, 2000);
		fault_arm(n);
		mc_connect_any(&f, &c);
		(void)scenario(&c);
		was_hit = fault_disarm();
		mc_close(&c);
		fixture_wait(&f, 0, 0);
	}
	fixture_stop(&f);
}
END_TEST

START_TEST(of_a_start)
{
	bool was_hit = true;

	for (int64_t n = 1; was_hit && n < 400; n++) {
		struct fixture f;
		int r;

		fixture_init(&f);
		fixture_disk(&f, "mem:1M");
		fault_arm(n);
		f.conf.seccomp = SANDBOX_OFF;
		r = daemon_start(&f.conf, &f.daemon);
		was_hit = fault_disarm();
		if (r < 0)
			f.daemon = NULL;
		fixture_stop(&f);
	}
}
END_TEST

CHECK_MAIN("allocations", of_a_session, of_a_start)
