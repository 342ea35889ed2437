/* memory that client and daemon have both: data is moved there, and nothing outside of it */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check_main.h"
#include "client/scsac.h"
#include "mock_client.h"
#include "scsi/cdb.h"

#define BLOCK	512u
#define MIB	(1u << 20)

static uint8_t cdb[CDB_BUF_LEN];

static uint64_t
unit_open(struct scsac *c)
{
	uint64_t handle;

	ck_assert_int_eq(scsac_open(c, "disk@0,0", &handle, NULL), 0);
	return handle;
}

static void
exec(struct scsac *c, uint64_t handle, size_t cdb_len, enum scsac_direction direction,
    void *data, size_t len, struct scsac_result *result)
{
	const struct scsac_cmd cmd = { .handle = handle, .cdb = cdb, .cdb_len = cdb_len,
		.direction = direction, .data = data, .data_len = len };

	ck_assert_int_eq(scsac_exec(c, &cmd, result), 0);
	ck_assert_uint_eq(result->reason, SCSAC_CMPLT);
}

START_TEST(blocks_are_moved_in_place)
{
	static uint8_t plain[64 * BLOCK];
	struct scsac_result result;
	struct fixture f;
	struct scsac *c;
	uint8_t *memory;
	uint64_t h;

	fixture_simple(&f);
	c = mc_library(&f, NULL);
	h = unit_open(c);
	ck_assert_int_eq(scsac_memory_new(c, MIB, (void **)&memory), 0);
	for (size_t i = 0; i < sizeof(plain); i++)
		memory[4096 + i] = (uint8_t)(i * 11 ^ i >> 9);
	exec(c, h, mc_cdb_write(cdb, 5, 64), SCSAC_OUT, memory + 4096, sizeof(plain), &result);
	ck_assert_uint_eq(result.status, 0);
	/* through the socket, and to an odd place in memory */
	exec(c, h, mc_cdb_read(cdb, 5, 64), SCSAC_IN, plain, sizeof(plain), &result);
	ck_assert_mem_eq(plain, memory + 4096, sizeof(plain));
	exec(c, h, mc_cdb_read(cdb, 5, 64), SCSAC_IN, memory + 300001, sizeof(plain), &result);
	ck_assert_uint_eq(result.data_len, sizeof(plain));
	ck_assert_mem_eq(plain, memory + 300001, sizeof(plain));
	ck_assert_uint_eq(memory[300000], 0);
	ck_assert_uint_eq(memory[300001 + sizeof(plain)], 0);
	ck_assert_int_eq(scsac_memory_free(c, memory), 0);
	scsac_free(c);
	fixture_stop(&f);
}
END_TEST

START_TEST(parameter_data_comes_through_a_copy)
{
	struct scsac_result result;
	uint8_t plain[96];
	struct fixture f;
	struct scsac *c;
	uint8_t *memory;
	uint64_t h;

	fixture_simple(&f);
	c = mc_library(&f, NULL);
	h = unit_open(c);
	ck_assert_int_eq(scsac_memory_new(c, 1, (void **)&memory), 0);
	exec(c, h, cdb_inquiry(cdb, sizeof(plain)), SCSAC_IN, plain, sizeof(plain), &result);
	exec(c, h, cdb_inquiry(cdb, sizeof(plain)), SCSAC_IN, memory + 7, sizeof(plain),
	    &result);
	ck_assert_uint_gt(result.data_len, 36);
	ck_assert_mem_eq(plain, memory + 7, result.data_len);
	/* fewer bytes than there is room: the rest stays as it was */
	memset(memory, 0xa5, 4096);
	exec(c, h, cdb_inquiry(cdb, 36), SCSAC_IN, memory, 512, &result);
	ck_assert_uint_eq(result.data_len, 36);
	ck_assert_uint_eq(result.resid, 512 - 36);
	ck_assert_mem_eq(plain + 8, memory + 8, 28);
	for (size_t i = 36; i < 4096; i++)
		ck_assert_uint_eq(memory[i], 0xa5);
	scsac_free(c);
	fixture_stop(&f);
}
END_TEST

START_TEST(limits_hold)
{
	void *memories[PROTO_MEMORIES_MAX], *one;
	struct fixture f;
	struct scsac *c;

	fixture_simple(&f);
	c = mc_library(&f, NULL);
	ck_assert_int_eq(scsac_memory_new(c, 0, &one), -EINVAL);
	ck_assert_int_eq(scsac_memory_new(c, f.conf.client_bytes + 1, &one), -EMSGSIZE);
	ck_assert_int_eq(scsac_memory_new(c, SIZE_MAX, &one), -EMSGSIZE);
	for (size_t i = 0; i < PROTO_MEMORIES_MAX; i++)
		ck_assert_int_eq(scsac_memory_new(c, MIB, &memories[i]), 0);
	ck_assert_int_eq(scsac_memory_new(c, MIB, &one), -EMSGSIZE);
	ck_assert_int_eq(scsac_memory_free(c, memories[1]), 0);
	ck_assert_int_eq(scsac_memory_free(c, memories[1]), -EINVAL);
	ck_assert_int_eq(scsac_memory_free(c, (uint8_t *)memories[2] + 1), -EINVAL);
	/* all together no more than one alone */
	ck_assert_int_eq(scsac_memory_new(c, f.conf.client_bytes - 3 * MIB + 1, &one), -EMSGSIZE);
	ck_assert_int_eq(scsac_memory_new(c, f.conf.client_bytes - 3 * MIB, &memories[1]), 0);
	scsac_free(c);
	fixture_stop(&f);
}
END_TEST

static void
count_done(struct scsac *c, const struct scsac_result *result, void *arg)
{
	(void)c;
	(void)result;
	++*(unsigned *)arg;
}

/* a READ(10) into @data that the unit does not answer for a while */
static void
slow_read(struct scsac *c, uint64_t handle, void *data, unsigned *ret_done)
{
	const struct scsac_cmd cmd = { .handle = handle, .cdb = cdb,
		.cdb_len = mc_cdb_read(cdb, 0, 8), .direction = SCSAC_IN, .data = data,
		.data_len = 8 * BLOCK };

	ck_assert_int_eq(scsac_submit(c, &cmd, count_done, ret_done, NULL), 0);
}

START_TEST(memory_of_a_packet_stays)
{
	struct fixture f;
	struct scsac *c;
	struct mc admin;
	unsigned done = 0;
	void *memory;
	uint64_t h;

	fixture_simple(&f);
	mc_connect(&f, &admin);
	c = mc_library(&f, NULL);
	h = unit_open(c);
	ck_assert_int_eq(scsac_memory_new(c, MIB, &memory), 0);
	(void)mc_fault(&admin, "action=drop");
	slow_read(c, h, memory, &done);
	ck_assert_int_ge(scsac_flush(c), 0);
	fixture_wait(&f, 2, 1);
	ck_assert_int_eq(scsac_memory_free(c, memory), -EBUSY);
	ck_assert_uint_eq(mc_abort_all(&admin, "disk@0,0"), 1);
	while (done == 0)
		ck_assert_int_ge(scsac_wait(c, -1), 0);
	ck_assert_int_eq(scsac_memory_free(c, memory), 0);
	scsac_free(c);
	mc_close(&admin);
	fixture_stop(&f);
}
END_TEST

/* the client goes while its packet is on its way: the daemon's map stays until that is over */
START_TEST(vanished_client_takes_nothing_away)
{
	struct fixture f;
	struct scsac *c;
	struct mc admin;
	unsigned done = 0;
	void *memory;
	uint64_t h;

	fixture_simple(&f);
	mc_connect(&f, &admin);
	c = mc_library(&f, NULL);
	h = unit_open(c);
	ck_assert_int_eq(scsac_memory_new(c, MIB, &memory), 0);
	(void)mc_fault(&admin, "action=delay,ms=100");
	for (unsigned i = 0; i < 16; i++)
		slow_read(c, h, (uint8_t *)memory + i * 8 * BLOCK, &done);
	ck_assert_int_ge(scsac_flush(c), 0);
	scsac_free(c);
	ck_assert_uint_eq(done, 16);
	fixture_wait(&f, 1, 0);
	mc_check_alive(&admin);
	mc_close(&admin);
	fixture_stop(&f);
}
END_TEST

/* a connection that is lost leaves plain memory, good for the next one as well */
START_TEST(lost_connection_leaves_plain_memory)
{
	struct scsac_result result;
	struct fixture f;
	struct scsac *c;
	struct mc raw;
	uint8_t *memory;

	fixture_simple(&f);
	c = mc_library(&f, NULL);
	ck_assert_int_eq(scsac_memory_new(c, MIB, (void **)&memory), 0);
	memset(memory, 0x77, MIB);
	scsac_disconnect(c);
	mc_connect_raw(&f, &raw);
	ck_assert_int_eq(scsac_start_fd(c, raw.fd), 0);
	ck_assert_int_eq(scsac_connect(c, NULL), 0);
	raw.fd = -1;
	mc_close(&raw);
	exec(c, unit_open(c), mc_cdb_write(cdb, 0, 2), SCSAC_OUT, memory, 2 * BLOCK, &result);
	ck_assert_uint_eq(result.status, 0);
	ck_assert_int_eq(scsac_memory_free(c, memory), 0);
	scsac_free(c);
	fixture_stop(&f);
}
END_TEST

/* ------ clients that do not use the library ------ */

/* memory-new by hand; the descriptor that came with the reply */
static int
raw_memory(struct mc *c, uint64_t bytes, uint64_t *ret_id)
{
	Scsad__MemoryNewRequest req = SCSAD__MEMORY_NEW_REQUEST__INIT;
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} room;
	char one;
	struct iovec iov = { &one, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &room,
		.msg_controllen = sizeof(room) };
	uint32_t id;
	int fd;

	req.has_bytes = 1;
	req.bytes = bytes;
	id = mc_send(c, METHOD_MEMORY_NEW, &req.base, NULL, 0);
	/* looked at with its first byte, which stays: the frame is read as ever */
	ck_assert_int_eq(recvmsg(c->fd, &msg, MSG_PEEK | MSG_CMSG_CLOEXEC), 1);
	ck_assert_int_eq(room.head.cmsg_type, SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(&room.head), sizeof(fd));
	*ret_id = ((Scsad__MemoryNewReply *)mc_reply(c, id,
	    &scsad__memory_new_reply__descriptor))->memory;
	return fd;
}

START_TEST(memory_cannot_be_made_smaller)
{
	struct fixture f;
	struct mc c;
	uint64_t id;
	int fd;

	fixture_simple(&f);
	mc_connect(&f, &c);
	fd = raw_memory(&c, 10000, &id);
	ck_assert_int_eq((int)lseek(fd, 0, SEEK_END), 12288);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(ftruncate(fd, MIB), -1);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	(void)close(fd);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

struct place {
	uint64_t id, offset;
	uint32_t len;
	Scsad__ErrorCode code;
};

START_TEST(nothing_outside_is_reached)
{
	Scsad__SubmitRequest req = SCSAD__SUBMIT_REQUEST__INIT;
	Scsad__MemoryFreeRequest gone = SCSAD__MEMORY_FREE_REQUEST__INIT;
	struct fixture f;
	struct mc c, other;
	uint64_t id, foreign;
	int fd, fd_other;

	fixture_simple(&f);
	mc_connect(&f, &c);
	mc_connect(&f, &other);
	fd = raw_memory(&c, 8192, &id);
	fd_other = raw_memory(&other, 8192, &foreign);
	(void)close(raw_memory(&other, 8192, &foreign));
	req.has_handle = req.has_cdb = req.has_direction = req.has_data_len = 1;
	req.has_memory = req.has_offset = 1;
	req.handle = mc_open(&c, "disk@0,0");
	req.cdb.data = cdb;
	req.cdb.len = mc_cdb_read(cdb, 0, 8);
	req.direction = SCSAD__DIRECTION__DIR_IN;
	const struct place places[] = {
		{ id, 4097, 4096, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },
		{ id, 8192, 4096, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },
		{ id, 8193, 4096, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },
		{ id, UINT64_MAX, 4096, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },
		{ id, UINT64_MAX - 4095, 4096, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },
		{ 0, 0, 4096, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },
		{ foreign, 0, 4096, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },	/* of another */
		{ id, 4096, 4096, SCSAD__ERROR_CODE__ERR_NONE },
	};
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		uint32_t rid;

		req.memory = places[i].id;
		req.offset = places[i].offset;
		req.data_len = places[i].len;
		rid = mc_send(&c, METHOD_SUBMIT, &req.base, NULL, 0);
		if (places[i].code != SCSAD__ERROR_CODE__ERR_NONE) {
			ck_assert_int_eq(mc_error(&c, rid), places[i].code);
			continue;
		}
		ck_assert_uint_eq(mc_completion(&c, rid)->moved, 4096);
		ck_assert_uint_eq(c.head.data_len, 0);
	}
	/* data in the frame as well, and data where there is none */
	req.direction = SCSAD__DIRECTION__DIR_OUT;
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_SUBMIT, &req.base, cdb, 8)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	req.direction = SCSAD__DIRECTION__DIR_NONE;
	req.has_data_len = 0;
	req.data_len = 0;
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_SUBMIT, &req.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	gone.has_memory = 1;
	gone.memory = foreign;
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_MEMORY_FREE, &gone.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_STALE_HANDLE);
	(void)close(fd);
	(void)close(fd_other);
	mc_close(&other);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

static void
count(struct scsac *c, const struct scsac_result *result, void *arg)
{
	unsigned *n = arg;

	(void)c;
	ck_assert_int_eq(result->err, 0);
	(*n)++;
}

/* answers that are on their way to a busy client are none that it leaves unread */
START_TEST(memory_comes_and_goes_under_load)
{
	struct scsac_cmd cmd = { .cdb = cdb, .direction = SCSAC_NONE, .cdb_len = 6 };
	unsigned n_done = 0, n = 0;
	struct fixture f;
	struct scsac *c;
	void *memory;

	fixture_simple(&f);
	c = mc_library(&f, NULL);
	cmd.handle = unit_open(c);
	memset(cdb, 0, sizeof(cdb));
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned k = 0; k < 32 && n - n_done < 200; k++, n++)
			ck_assert_int_eq(scsac_submit(c, &cmd, count, &n_done, NULL), 0);
		ck_assert_int_eq(scsac_memory_new(c, 4096, &memory), 0);
		ck_assert_int_eq(scsac_memory_free(c, memory), 0);
	}
	while (n_done < n)
		ck_assert_int_ge(scsac_process(c), 0);
	scsac_free(c);
	fixture_stop(&f);
}
END_TEST

CHECK_MAIN("memory", blocks_are_moved_in_place, parameter_data_comes_through_a_copy,
    limits_hold, memory_of_a_packet_stays, vanished_client_takes_nothing_away,
    lost_connection_leaves_plain_memory, memory_cannot_be_made_smaller,
    nothing_outside_is_reached, memory_comes_and_goes_under_load)
