#include "mock_ring.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

unsigned int
mr_call(struct mc *c, uint16_t method, const ProtobufCMessage *msg, int fds[RING_N_FDS],
    uint32_t *ret_id)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(RING_N_FDS * sizeof(int))];
	} room;
	char one;
	struct iovec iov = { &one, 1 };
	struct msghdr in = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &room,
		.msg_controllen = sizeof(room) };
	size_t len;

	*ret_id = mc_send(c, method, msg, NULL, 0);
	/* looked at with its first byte, which stays: the frame is read as ever */
	ck_assert_int_eq(recvmsg(c->fd, &in, MSG_PEEK | MSG_CMSG_CLOEXEC), 1);
	if (in.msg_controllen == 0)
		return 0;
	ck_assert_int_eq(room.head.cmsg_type, SCM_RIGHTS);
	len = room.head.cmsg_len - CMSG_LEN(0);
	ck_assert_uint_le(len, RING_N_FDS * sizeof(int));
	memcpy(fds, CMSG_DATA(&room.head), len);
	return (unsigned int)(len / sizeof(int));
}

uint64_t
mr_memory(struct mc *c, uint64_t bytes, uint8_t **ret_base)
{
	Scsad__MemoryNewRequest req = SCSAD__MEMORY_NEW_REQUEST__INIT;
	const Scsad__MemoryNewReply *reply;
	int fds[RING_N_FDS];
	uint32_t id;
	void *base;

	req.has_bytes = 1;
	req.bytes = bytes;
	ck_assert_uint_eq(mr_call(c, METHOD_MEMORY_NEW, &req.base, fds, &id), 1);
	reply = mc_reply(c, id, &scsad__memory_new_reply__descriptor);
	base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
	ck_assert_ptr_ne(base, MAP_FAILED);
	(void)close(fds[0]);
	*ret_base = base;
	return reply->memory;
}

void
mr_new(struct mr *r, struct mc *c, uint32_t entries)
{
	Scsad__RingNewRequest req = SCSAD__RING_NEW_REQUEST__INIT;
	const Scsad__RingNewReply *reply;
	uint32_t id;

	*r = (struct mr){ .c = c, .bytes = ring_bytes(entries) };
	req.has_entries = 1;
	req.entries = entries;
	ck_assert_uint_eq(mr_call(c, METHOD_RING_NEW, &req.base, r->fds, &id), RING_N_FDS);
	reply = mc_reply(c, id, &scsad__ring_new_reply__descriptor);
	ck_assert_uint_eq(reply->bytes, r->bytes);
	r->id = reply->ring;
	r->base = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fds[0], 0);
	ck_assert_ptr_ne(r->base, MAP_FAILED);
	r->view = ring_view(r->base, entries);
	ck_assert_uint_eq(r->view.head->layout, RING_LAYOUT);
	ck_assert_uint_eq(r->view.head->entries, entries);
}

void
mr_unmap(struct mr *r)
{
	(void)munmap(r->base, r->bytes);
	for (size_t i = 0; i < RING_N_FDS; i++)
		(void)close(r->fds[i]);
}

struct ring_entry
mr_tur(uint64_t handle, uint32_t tag)
{
	return (struct ring_entry){
		.tag = tag, .op = RING_OP_SUBMIT, .handle = handle, .cdb_len = 6,
	};
}

void
mr_put(struct mr *r, const struct ring_entry *entry)
{
	*ring_entry_at(&r->view, r->submitted) = *entry;
	r->submitted++;
	atomic_store(&r->view.head->submitted, r->submitted);
}

void
mr_bell(struct mr *r)
{
	ck_assert_int_eq(eventfd_write(r->fds[1], 1), 0);
}

uint32_t
mr_results(const struct mr *r)
{
	return ring_ahead(atomic_load(&r->view.head->completed), r->reaped);
}

static void
mr_sleep(struct mr *r)
{
	struct epoll_event event;
	int n;

	do {
		n = epoll_wait(r->fds[2], &event, 1, MC_WAIT_MS);
	} while (n < 0 && errno == EINTR);
	ck_assert_int_eq(n, 1);
}

const struct ring_result *
mr_result(struct mr *r)
{
	const struct ring_result *result = ring_result_at(&r->view, r->reaped);

	while (mr_results(r) == 0) {
		ring_sleep_begin(&r->view.head->client_sleeps);
		if (mr_results(r) == 0)
			mr_sleep(r);
		ring_sleep_end(&r->view.head->client_sleeps);
	}
	r->reaped++;
	atomic_store(&r->view.head->reaped, r->reaped);
	return result;
}

int
mr_wait(struct scsac_ring *ring, int ms)
{
	int r;

	do {
		r = scsac_ring_wait(ring, ms);
	} while (r == -EINTR);
	return r;
}
