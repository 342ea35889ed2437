/*
 * mock_ring.h - a ring in the hands of a client that may do everything wrong with it
 *
 * What      mr_new() has one made over a connection of mock_client.h and maps it. Entries are put
 *           in as they are, counts may be set to anything.
 * Limits    A wait ends after MC_WAIT_MS with a failed test.
 */
#ifndef TESTS_DAEMON_MOCK_RING_H
#define TESTS_DAEMON_MOCK_RING_H

#include "client/scsac_ring.h"
#include "mock_client.h"
#include "proto/ring.h"

struct mr {
	struct mc *c;
	uint64_t id;
	struct ring_view view;
	void *base;
	size_t bytes;
	int fds[RING_N_FDS];		/* memfd, doorbell, what we sleep in */
	uint32_t submitted, reaped;	/* our counts */
};

/* one request whose reply brings descriptors: it is sent, and they are taken; how many came. The
 * reply itself is still to be read */
unsigned int mr_call(struct mc *c, uint16_t method, const ProtobufCMessage *msg,
    int fds[RING_N_FDS], uint32_t *ret_id);

/* a memory of @bytes; its id */
uint64_t mr_memory(struct mc *c, uint64_t bytes, uint8_t **ret_base);

void mr_new(struct mr *r, struct mc *c, uint32_t entries);
void mr_unmap(struct mr *r);

/* a packet that any unit would answer: TEST UNIT READY */
struct ring_entry mr_tur(uint64_t handle, uint32_t tag);

/* write an entry and count it; the daemon is not woken */
void mr_put(struct mr *r, const struct ring_entry *entry);
/* write the doorbell, whether the daemon sleeps or not */
void mr_bell(struct mr *r);

/* the next result, waited for; it counts as reaped. The place stays as it is until the slot is
 * used again */
const struct ring_result *mr_result(struct mr *r);
/* results that are there and not reaped */
uint32_t mr_results(const struct mr *r);

/* scsac_ring_wait(), once more when it is interrupted: the kernel does that, some time later, to who
 * had an io_uring, and so to a test that had a daemon before */
int mr_wait(struct scsac_ring *ring, int ms);

#endif /* TESTS_DAEMON_MOCK_RING_H */
