#include "mock_client.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "check_dir.h"
#include "proto/message.h"
#include "scsi/cdb.h"

#define SEND_MAX	(PROTO_DATA_DEFAULT + PROTO_MESSAGE_MAX + FRAME_HEAD_LEN)

/* ------ the daemon ------ */

void
fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	log_set_level(LOG_LEVEL_ERROR);
	config_init(&f->conf);
	f->conf.loops = 1;
	f->conf.drain_ms = 200;
	check_folder(f->dir, sizeof(f->dir));
	ck_assert_int_gt(asprintf(&f->conf.socket_path, "%s/s", f->dir), 0);
}

void
fixture_disk(struct fixture *f, const char *spec)
{
	struct soft_disk_conf *disk = malloc(sizeof(*disk));
	char text[SOFT_ERR_LEN];

	ck_assert_ptr_nonnull(disk);
	if (f->conf.n_hbas == 0)
		ck_assert_ptr_nonnull(config_add_hba(&f->conf, "soft"));
	ck_assert_msg(soft_conf_parse(spec, disk, text) == 0, "%s", text);
	ck_assert_int_eq(config_add_disk(&f->conf.hbas[0], disk), 0);
	free(disk);
}

void
fixture_start(struct fixture *f)
{
	f->conf.seccomp = SANDBOX_OFF;	/* tests do more than a daemon */
	ck_assert_int_eq(daemon_start(&f->conf, &f->daemon), 0);
	f->rpc = daemon_rpc(f->daemon);
}

void
fixture_stop(struct fixture *f)
{
	char cmd[128];

	daemon_stop(f->daemon);
	config_fini(&f->conf);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", f->dir);
	ck_assert_int_eq(system(cmd), 0);
}

void
fixture_simple(struct fixture *f)
{
	fixture_init(f);
	fixture_disk(f, "mem:16M,serial=DISK-A");
	fixture_start(f);
}

void
fixture_wait(struct fixture *f, uint64_t connections, uint64_t packets)
{
	uint64_t until = clock_now_ns() + MC_WAIT_MS * NS_PER_MS;
	struct rpc_stats st;

	do {
		rpc_server_stats(f->rpc, &st);
		if (st.connections == connections && st.packets_active == packets)
			return;
		(void)sched_yield();
	} while (clock_now_ns() < until);
	ck_abort_msg("%lu connections, %lu packets left", (unsigned long)st.connections,
	    (unsigned long)st.packets_active);
}

/* ------ the client ------ */

static int
client_init(struct fixture *f, struct mc *c, int pair[2])
{
	memset(c, 0, sizeof(*c));
	c->fd = pair[0];
	c->bytes = malloc(SEND_MAX);
	ck_assert_ptr_nonnull(c->bytes);
	arena_init(&c->arena, ARENA_FACTOR_REPLY);
	return rpc_server_adopt(f->rpc, pair[1]);
}

void
mc_connect_any(struct fixture *f, struct mc *c)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	(void)client_init(f, c, pair);
}

void
mc_connect_raw(struct fixture *f, struct mc *c)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(client_init(f, c, pair), 0);
}

struct scsac *
mc_library(struct fixture *f, const char *initiator)
{
	struct scsac *c;
	struct mc raw;

	mc_connect_raw(f, &raw);
	ck_assert_int_eq(scsac_new("test", &c), 0);
	ck_assert_int_eq(scsac_set_initiator(c, initiator), 0);
	ck_assert_int_eq(scsac_start_fd(c, raw.fd), 0);
	ck_assert_int_eq(scsac_connect(c, NULL), 0);
	raw.fd = -1;	/* the library's */
	mc_close(&raw);
	return c;
}

void
mc_connect_as(struct fixture *f, struct mc *c, unsigned int uid)
{
	int pair[2];

	ck_assert_int_eq(seteuid(uid), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(client_init(f, c, pair), 0);
}

void
mc_connect(struct fixture *f, struct mc *c)
{
	uint32_t id;

	mc_connect_raw(f, c);
	id = mc_send_hello(c, PROTO_MAJOR);
	(void)mc_reply(c, id, &scsad__hello_reply__descriptor);
}

void
mc_close(struct mc *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	arena_fini(&c->arena);
	free(c->bytes);
	c->bytes = NULL;
}

void
mc_write(struct mc *c, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	while (len > 0) {
		ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return;	/* it hung up on us: what it said before is read later */
		ck_assert_int_gt(n, 0);
		p += n;
		len -= (size_t)n;
	}
}

void
mc_send_id(struct mc *c, uint32_t id, uint16_t method, const ProtobufCMessage *msg,
    const void *data, uint32_t data_len)
{
	const struct frame_head head = {
		.method = method, .kind = FRAME_KIND_REQUEST, .id = id, .data_len = data_len,
	};
	uint8_t *buf = malloc(SEND_MAX);
	ptrdiff_t n = frame_pack(buf, SEND_MAX, &head, msg);

	ck_assert_int_gt(n, 0);
	mc_write(c, buf, (size_t)n);
	if (data_len > 0)
		mc_write(c, data, data_len);
	free(buf);
}

uint32_t
mc_send(struct mc *c, uint16_t method, const ProtobufCMessage *msg, const void *data,
    uint32_t data_len)
{
	mc_send_id(c, ++c->last_id, method, msg, data, data_len);
	return c->last_id;
}

static bool
read_all(struct mc *c, uint8_t *dst, size_t len)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	while (len > 0) {
		ssize_t n;

		ck_assert_msg(poll(&p, 1, MC_WAIT_MS) == 1, "no answer");
		n = recv(c->fd, dst, len, 0);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return false;
		ck_assert_int_gt(n, 0);
		dst += n;
		len -= (size_t)n;
	}
	return true;
}

bool
mc_recv(struct mc *c)
{
	static const struct frame_limits limits = { PROTO_MESSAGE_MAX, PROTO_DATA_MAX };
	uint8_t head[FRAME_HEAD_LEN];

	if (!read_all(c, head, sizeof(head)))
		return false;
	ck_assert_int_eq(frame_head_decode(head, &limits, &c->head), FRAME_READY);
	c->len = (size_t)c->head.msg_len + c->head.data_len;
	ck_assert_uint_le(c->len, SEND_MAX);
	return read_all(c, c->bytes, c->len);
}

static void *
unpack(struct mc *c, const ProtobufCMessageDescriptor *desc)
{
	ProtobufCMessage *msg;
	struct msg_fault fault = { 0 };
	char text[200];

	ck_assert_msg(msg_unpack(&c->arena, desc, c->bytes, c->head.msg_len, &msg, &fault) == 0,
	    "%s", msg_fault_text(&fault, text, sizeof(text)));
	return msg;
}

void *
mc_msg(struct mc *c, const ProtobufCMessageDescriptor *desc)
{
	ck_assert_msg(mc_recv(c), "connection ended");
	if (c->head.kind == FRAME_KIND_ERROR) {
		const Scsad__Error *e = unpack(c, &scsad__error__descriptor);

		ck_abort_msg("error %d: %s", (int)e->code, e->text);
	}
	return unpack(c, desc);
}

Scsad__ErrorCode
mc_error(struct mc *c, uint32_t id)
{
	const Scsad__Error *e;

	ck_assert_msg(mc_recv(c), "connection ended");
	ck_assert_int_eq(c->head.kind, FRAME_KIND_ERROR);
	ck_assert_uint_eq(c->head.id, id);
	e = unpack(c, &scsad__error__descriptor);
	ck_assert_ptr_nonnull(e->text);
	return e->code;
}

void *
mc_reply(struct mc *c, uint32_t id, const ProtobufCMessageDescriptor *desc)
{
	void *msg = mc_msg(c, desc);

	ck_assert_int_eq(c->head.kind, FRAME_KIND_REPLY);
	ck_assert_uint_eq(c->head.id, id);
	return msg;
}

void
mc_expect_end(struct mc *c)
{
	ck_assert(!mc_recv(c));
}

/* ------ requests ------ */

uint32_t
mc_send_hello(struct mc *c, uint32_t major)
{
	Scsad__HelloRequest req = SCSAD__HELLO_REQUEST__INIT;

	req.client_name = (char *)(uintptr_t)"test";
	req.has_major = 1;
	req.major = major;
	return mc_send(c, METHOD_HELLO, &req.base, NULL, 0);
}

uint64_t
mc_open(struct mc *c, const char *name)
{
	Scsad__OpenRequest req = SCSAD__OPEN_REQUEST__INIT;
	const Scsad__OpenReply *reply;

	req.name = (char *)(uintptr_t)name;
	reply = mc_reply(c, mc_send(c, METHOD_OPEN, &req.base, NULL, 0),
	    &scsad__open_reply__descriptor);
	ck_assert(reply->handle != 0);
	return reply->handle;
}

uint32_t
mc_send_close(struct mc *c, uint64_t handle)
{
	Scsad__CloseRequest req = SCSAD__CLOSE_REQUEST__INIT;

	req.has_handle = 1;
	req.handle = handle;
	return mc_send(c, METHOD_CLOSE, &req.base, NULL, 0);
}

uint32_t
mc_submit(struct mc *c, uint64_t handle, const uint8_t *cdb, size_t cdb_len,
    Scsad__Direction dir, const void *data, uint32_t data_len)
{
	Scsad__SubmitRequest req = SCSAD__SUBMIT_REQUEST__INIT;

	req.has_handle = req.has_cdb = req.has_direction = req.has_data_len = 1;
	req.handle = handle;
	req.cdb.data = (uint8_t *)(uintptr_t)cdb;
	req.cdb.len = cdb_len;
	req.direction = dir;
	req.data_len = data_len;
	return mc_send(c, METHOD_SUBMIT, &req.base, data, data == NULL ? 0 : data_len);
}

Scsad__Completion *
mc_completion(struct mc *c, uint32_t id)
{
	return mc_reply(c, id, &scsad__completion__descriptor);
}

uint32_t
mc_fault(struct mc *c, const char *rule)
{
	Scsad__FaultAddRequest req = SCSAD__FAULT_ADD_REQUEST__INIT;
	const Scsad__FaultAddReply *reply;

	req.text = (char *)(uintptr_t)rule;
	reply = mc_reply(c, mc_send(c, METHOD_FAULT_ADD, &req.base, NULL, 0),
	    &scsad__fault_add_reply__descriptor);
	return reply->id;
}

uint32_t
mc_abort_all(struct mc *c, const char *path)
{
	Scsad__AbortRequest req = SCSAD__ABORT_REQUEST__INIT;
	const Scsad__AbortReply *reply;

	req.path = (char *)(uintptr_t)path;
	req.has_is_everyone = req.is_everyone = 1;
	reply = mc_reply(c, mc_send(c, METHOD_ABORT, &req.base, NULL, 0),
	    &scsad__abort_reply__descriptor);
	return reply->aborted;
}

size_t
mc_cdb_read(uint8_t *cdb, uint32_t lba, uint16_t blocks)
{
	return cdb_read(cdb, CDB_10, lba, blocks, 0);
}

size_t
mc_cdb_write(uint8_t *cdb, uint32_t lba, uint16_t blocks)
{
	return cdb_write(cdb, CDB_10, lba, blocks, 0);
}

void
mc_check_alive(struct mc *c)
{
	const Scsad__StatusReply *reply;
	Scsad__StatusRequest req = SCSAD__STATUS_REQUEST__INIT;

	reply = mc_reply(c, mc_send(c, METHOD_STATUS, &req.base, NULL, 0),
	    &scsad__status_reply__descriptor);
	ck_assert_ptr_nonnull(reply->state);
}
