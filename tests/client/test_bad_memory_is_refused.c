/* shared memory as a daemon should not give it: refused, with no descriptor left open */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check_main.h"
#include "mock_daemon.h"

#define BYTES	8192u

/* how memory-new is answered */
struct way {
	unsigned int n_fds;
	uint64_t memory, told, real;	/* id, bytes of the reply, bytes of the memfd */
	int seals;
	int result;
};

static struct mock m;
static struct scsac *c;

static void
memory_reply(struct mock *mock, const struct frame *frame, const struct way *way)
{
	Scsad__MemoryNewReply msg = SCSAD__MEMORY_NEW_REPLY__INIT;
	struct frame_head head = { .kind = FRAME_KIND_REPLY, .method = METHOD_MEMORY_NEW };
	uint8_t buf[FRAME_HEAD_LEN + 64];
	ptrdiff_t n;
	int fds[2];

	head.id = frame->head.id;
	msg.has_memory = msg.has_bytes = 1;
	msg.memory = way->memory;
	msg.bytes = way->told;
	n = frame_pack(buf, sizeof(buf), &head, &msg.base);
	ck_assert_int_gt(n, 0);
	for (unsigned int i = 0; i < way->n_fds; i++) {
		fds[i] = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		ck_assert_int_eq(ftruncate(fds[i], (off_t)way->real), 0);
		ck_assert_int_eq(fcntl(fds[i], F_ADD_SEALS, way->seals), 0);
	}
	mock_raw_fds(mock, buf, (size_t)n, fds, way->n_fds);
	for (unsigned int i = 0; i < way->n_fds; i++)
		(void)close(fds[i]);
}

static bool
answer(struct mock *mock, const struct frame *frame)
{
	Scsad__HelloReply hello = SCSAD__HELLO_REPLY__INIT;
	Scsad__Done done = SCSAD__DONE__INIT;

	switch (frame->head.method) {
	case METHOD_HELLO:
		hello.has_major = hello.has_minor = hello.has_features = hello.has_role = 1;
		hello.major = PROTO_MAJOR;
		hello.features = PROTO_FEATURE_MEMORY;
		hello.role = SCSAD__ROLE__ROLE_ADMIN;
		mock_reply(mock, frame, &hello.base, NULL, 0);
		return true;
	case METHOD_MEMORY_NEW:
		memory_reply(mock, frame, mock->arg);
		return true;
	case METHOD_MEMORY_FREE:
		mock_reply(mock, frame, &done.base, NULL, 0);
		return true;
	default:
		return false;
	}
}

START_TEST(only_one_good_descriptor_is_taken)
{
	static const struct way ways[] = {
		{ 1, 5, BYTES, BYTES, F_SEAL_SHRINK, 0 },
		{ 0, 5, BYTES, BYTES, F_SEAL_SHRINK, -EBADMSG },	/* none came */
		{ 2, 5, BYTES, BYTES, F_SEAL_SHRINK, -EBADMSG },
		{ 1, 0, BYTES, BYTES, F_SEAL_SHRINK, -EBADMSG },	/* no memory has id 0 */
		/* less than was asked for, less than it says */
		{ 1, 5, BYTES - 1, BYTES, F_SEAL_SHRINK, -EBADMSG },
		{ 1, 5, BYTES, BYTES - 1, F_SEAL_SHRINK, -EBADMSG },
		{ 1, 5, UINT64_MAX, BYTES, F_SEAL_SHRINK, -EBADMSG },
		{ 1, 5, BYTES, BYTES, F_SEAL_GROW, -EBADMSG },	/* could become less */
	};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct way way = ways[i];
		void *memory = NULL;
		unsigned int before = mock_fds_open();

		mock_init(&m);
		m.hook = answer;
		m.arg = &way;
		c = mock_connect(&m);
		ck_assert_msg(scsac_memory_new(c, BYTES, &memory) == way.result, "way %zu", i);
		ck_assert_msg((memory != NULL) == (way.result == 0), "way %zu", i);
		if (memory != NULL)
			ck_assert_int_eq(scsac_memory_free(c, memory), 0);
		scsac_free(c);
		mock_stop(&m);
		mock_fini(&m);
		ck_assert_msg(mock_fds_open() == before, "way %zu: a descriptor is left", i);
	}
}
END_TEST

CHECK_MAIN("bad memory", only_one_good_descriptor_is_taken)
