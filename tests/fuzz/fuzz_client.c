/*
 * fuzz_client.c - a daemon that talks nonsense to libscsac
 *
 * The library has said hello and has packets in flight with buffers of its caller; then it
 * receives the input. Whatever that is, each packet is completed exactly once by the time the
 * connection is freed, and nothing is written outside of the buffers.
 */
#include <assert.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/scsac.h"
#include "proto/frame.h"
#include "proto/limits.h"
#include "proto/method.h"

#define PACKETS		8
#define BUF_BYTES	2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	unsigned int done[PACKETS];
	uint8_t buf[PACKETS][BUF_BYTES + 8];
} world;

static void
on_done(struct scsac *c, const struct scsac_result *result, void *arg)
{
	unsigned int *done = arg;

	(void)c;
	assert(++*done == 1);
	assert(result->data_len <= BUF_BYTES && result->sense_len <= SCSAC_SENSE_MAX);
}

static void
say_hello(int fd)
{
	uint8_t buf[512], instance[PROTO_INSTANCE_LEN] = { 1 };
	Scsad__HelloReply reply = SCSAD__HELLO_REPLY__INIT;
	Scsad__Limits limits = SCSAD__LIMITS__INIT;
	struct frame_head head = { .method = METHOD_HELLO, .kind = FRAME_KIND_REPLY, .id = 1 };
	uint8_t got[FRAME_HEAD_LEN];
	ptrdiff_t n;

	/* the id of the hello is whatever the library chose */
	if (recv(fd, got, sizeof(got), MSG_PEEK) != sizeof(got))
		abort();
	head.id = (uint32_t)got[8] | (uint32_t)got[9] << 8 | (uint32_t)got[10] << 16 |
	    (uint32_t)got[11] << 24;
	limits.has_message_bytes_max = limits.has_data_bytes_max = true;
	limits.has_requests_max = limits.has_handles_max = true;
	limits.message_bytes_max = PROTO_MESSAGE_MAX;
	limits.data_bytes_max = PROTO_DATA_DEFAULT;
	limits.requests_max = PROTO_REQUESTS_DEFAULT;
	limits.handles_max = PROTO_HANDLES_DEFAULT;
	reply.has_major = reply.has_minor = reply.has_role = reply.has_instance = true;
	reply.major = PROTO_MAJOR;
	reply.minor = PROTO_MINOR;
	reply.role = SCSAD__ROLE__ROLE_ADMIN;
	reply.instance = (ProtobufCBinaryData){ sizeof(instance), instance };
	reply.limits = &limits;
	n = frame_pack(buf, sizeof(buf), &head, &reply.base);
	if (n < 0 || send(fd, buf, (size_t)n, 0) != n)
		abort();
}

static void
submit(struct scsac *c, unsigned int i)
{
	static const uint8_t cdb[10] = { 0x28, [8] = BUF_BYTES / 512 };
	struct scsac_cmd cmd = {
		.handle = 1,
		.cdb = cdb,
		.cdb_len = sizeof(cdb),
		.direction = i % 2 == 0 ? SCSAC_IN : SCSAC_OUT,
		.data = world.buf[i],
		.data_len = BUF_BYTES,
	};

	memset(world.buf[i], 0, sizeof(world.buf[i]));
	memset(world.buf[i] + BUF_BYTES, 0xa5, 8);
	if (scsac_submit(c, &cmd, on_done, &world.done[i], NULL) < 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t guard[8] = { 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5 };
	struct scsac *c;
	int sv[2];

	memset(world.done, 0, sizeof(world.done));
	if (size > 65536 || socketpair(AF_UNIX, SOCK_STREAM, 0, sv) < 0 ||
	    scsac_new("fuzz", &c) < 0)
		return 0;
	if (scsac_start_fd(c, sv[0]) < 0)
		abort();
	(void)scsac_process(c);
	say_hello(sv[1]);
	(void)scsac_process(c);
	if (!scsac_is_ready(c))
		abort();
	for (unsigned int i = 0; i < PACKETS; i++)
		submit(c, i);
	(void)scsac_process(c);
	if (size > 0 && send(sv[1], data, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		abort();
	for (int i = 0; i < 20 && scsac_process(c) >= 0; i++)
		;
	(void)close(sv[1]);
	(void)scsac_process(c);
	scsac_free(c);
	for (unsigned int i = 0; i < PACKETS; i++) {
		assert(world.done[i] == 1);
		assert(memcmp(world.buf[i] + BUF_BYTES, guard, sizeof(guard)) == 0);
	}
	return 0;
}
