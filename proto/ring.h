/*
 * proto/ring.h - packets without a system call: two rings in memory that both ends have
 *
 * What      The daemon makes a sealed memfd for a client (ring-new). The client writes packets
 *           into its entries, the daemon answers with results; neither says anything over the
 *           socket, and nobody enters the kernel while both are awake. Data lies in a memory of
 *           memory-new.
 * Layout    struct ring_head (4096 bytes), then as many entries (128 bytes each), as many
 *           results (64), and as many places for sense data (256), in this order. The number of
 *           entries is a power of two. All numbers have the order of the machine's bytes.
 * Tags      The client names a packet by its tag: in the lower 16 bits a slot below the number
 *           of entries, above whatever it likes. A slot has one packet at a time; sense data
 *           lies at the place of the packet's slot until the slot is used again.
 * Indices   Four counts that only rise and wrap at 2^32; an entry is at its count modulo the
 *           number of entries. Whoever counts up has written the entry before (release), whoever
 *           looks reads it after (acquire). submitted and reaped are the client's, taken and
 *           completed the daemon's, which keeps its own copies and never reads them back.
 * Room      Each entry taken gives one result. The daemon takes none when results for all
 *           entries are still unread, so none is ever lost or waits elsewhere: a client that has
 *           no more packets than entries, unread results included, is never held up by that.
 * Sleep     Who has found nothing to do may sleep: it sets its flag, fences, looks once more,
 *           and sleeps. Who has counted up fences, swaps 0 into the other's flag, and wakes the
 *           other when the flag was set. The client wakes the daemon by writing to the first
 *           descriptor (an eventfd), also when it has made room for results that the daemon
 *           waited for. The client sleeps by epoll_wait(2) in the second, an epoll descriptor
 *           in which there is an eventfd of the daemon, edge-triggered: a client can neither
 *           fill that nor make it block, so that a write of the daemon never blocks. The client
 *           may add descriptors of its own.
 * Trust     The daemon copies an entry once, then checks the copy. An entry that breaks rules is
 *           answered with an error. A count that rises by more than there can be ends the
 *           connection.
 * Thread    One thread at a time an end.
 * Source    scsad-protocol(7)
 */
#ifndef PROTO_RING_H
#define PROTO_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "proto/limits.h"

#define RING_LAYOUT		1u	/* of this file; another one gets another number */
#define RING_ENTRIES_MIN	2u
#define RING_ENTRIES_MAX	PROTO_REQUESTS_MAX
#define RING_CDB_MAX		80u	/* longer ones go through the socket */
#define RING_SENSE_SIZE		256u	/* of one place; PROTO_SENSE_MAX of it are used */
#define RING_HEAD_SIZE		4096u
#define RING_SLOT_MASK		0xffffu	/* of a tag */
#define RING_N_FDS		3u	/* with the reply: memfd, eventfd, epoll descriptor */
#define RING_WAKE_DATA		1u	/* epoll_event.data.u64 of the daemon's wake-ups */

/* processors fetch lines of 64 bytes in pairs */
#define RING_LINE		128

/* one packet on its way down, as the client writes it */
struct ring_entry {
	uint32_t tag;
	uint8_t op;			/* enum ring_op */
	uint8_t flags;			/* 0: none is defined */
	uint8_t direction;		/* enum Direction of scsad.proto */
	uint8_t attribute;		/* enum TaskAttribute */
	uint64_t handle;		/* of open */
	uint64_t memory;		/* of memory-new; 0 exactly when there is no data */
	uint64_t offset;		/* where in that memory the data is */
	uint32_t data_len;		/* 0 exactly for DIR_NONE */
	uint32_t timeout_ms;		/* 0: the daemon's default */
	uint16_t cdb_len;		/* PROTO_CDB_MIN .. RING_CDB_MAX */
	uint16_t zero[3];
	uint8_t cdb[RING_CDB_MAX];	/* of short ones the second half of the entry is not
					 * looked at */
};

/* what of an entry the first 64 bytes hold */
#define RING_CDB_SHORT		16u

_Static_assert(sizeof(struct ring_entry) == 128, "an entry is two lines");
_Static_assert(offsetof(struct ring_entry, cdb) + RING_CDB_SHORT == 64, "short CDBs take one");

enum ring_op {
	RING_OP_SUBMIT = 1,
};

/* one packet on its way back. The three worlds stay apart: code and sys_errno say that it was
 * refused, then all else is 0; reason, state and statistics are the transport's; status and
 * sense the unit's */
struct ring_result {
	uint32_t tag;
	uint16_t code;			/* enum ErrorCode; 0: it was taken */
	uint16_t sys_errno;		/* positive, 0 if none is behind a refusal */
	uint32_t reason;		/* from here on as in message Completion */
	uint32_t state;
	uint32_t statistics;
	uint32_t resid;
	uint32_t overflow;
	uint32_t moved;			/* bytes put into the client's memory */
	uint8_t status;
	uint8_t sense_len;		/* bytes at the sense place of its slot */
	uint8_t zero[6];
	uint64_t duration_ns;
	uint8_t zero_more[16];
};

_Static_assert(sizeof(struct ring_result) == 64, "a result is a line");

struct ring_head {
	uint32_t layout;					/* daemon, once: RING_LAYOUT */
	uint32_t entries;					/* daemon, once */
	alignas(RING_LINE) _Atomic uint32_t submitted;		/* client: entries written */
	alignas(RING_LINE) _Atomic uint32_t taken;		/* daemon: entries copied */
	alignas(RING_LINE) _Atomic uint32_t completed;		/* daemon: results written */
	alignas(RING_LINE) _Atomic uint32_t reaped;		/* client: results read */
	alignas(RING_LINE) _Atomic uint32_t daemon_sleeps;	/* daemon 1, client 0 */
	alignas(RING_LINE) _Atomic uint32_t client_sleeps;	/* client 1, daemon 0 */
};

_Static_assert(sizeof(struct ring_head) <= RING_HEAD_SIZE, "the head has its room");
_Static_assert(sizeof(_Atomic uint32_t) == 4 && ATOMIC_INT_LOCK_FREE == 2, "no lock in there");

/* where the parts of a ring are */
struct ring_view {
	struct ring_head *head;
	struct ring_entry *entries;
	struct ring_result *results;
	uint8_t *sense;
	uint32_t n;			/* entries */
};

/* ring_entries_fit() - can a ring have @n entries? */
bool ring_entries_fit(uint32_t n);

/* ring_bytes() - of the memory of a ring with @n entries, which fit */
size_t ring_bytes(uint32_t n);

/* ring_view() - the parts of the ring of @n entries at @base, which is aligned to a page */
struct ring_view ring_view(void *base, uint32_t n);

/**
 * ring_entry_copy() - take an entry out of shared memory: every byte is read once at most
 *
 * Bytes of the CDB beyond RING_CDB_SHORT are undefined when cdb_len does not reach them.
 */
void ring_entry_copy(struct ring_entry *dst, const struct ring_entry *shared);

/**
 * ring_entry_check() - are the fields of an entry in their ranges, and do they fit together?
 *
 * @entry     a private copy
 * @n         entries of the ring
 * @data_max  limit of the connection
 *
 * Returns:  0
 *           -EINVAL    a field breaks its limits, or contradicts another
 *           -EMSGSIZE  data_len above @data_max
 *           What it names (handle, memory) is still to be found
 */
int ring_entry_check(const struct ring_entry *entry, uint32_t n, uint32_t data_max) MUST_CHECK;

static inline uint32_t
ring_slot(uint32_t tag)
{
	return tag & RING_SLOT_MASK;
}

/* ring_ahead() - by how much a count is ahead of an older one, over the wrap as well */
static inline uint32_t
ring_ahead(uint32_t count, uint32_t older)
{
	return count - older;
}

/* ring_at() - where the entry or result of @count is */
static inline uint32_t
ring_at(const struct ring_view *v, uint32_t count)
{
	return count & (v->n - 1);
}

static inline struct ring_entry *
ring_entry_at(const struct ring_view *v, uint32_t count)
{
	return &v->entries[ring_at(v, count)];
}

static inline struct ring_result *
ring_result_at(const struct ring_view *v, uint32_t count)
{
	return &v->results[ring_at(v, count)];
}

/* ring_sense_of() - sense data of the packet with @tag, whose slot is below n */
static inline uint8_t *
ring_sense_of(const struct ring_view *v, uint32_t tag)
{
	return v->sense + (size_t)ring_slot(tag) * RING_SENSE_SIZE;
}

/* ring_must_wake() - having counted up: does the other, whose flag this is, sleep? At most one
 * caller is told so a sleep */
static inline bool
ring_must_wake(_Atomic uint32_t *sleeps)
{
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load_explicit(sleeps, memory_order_relaxed) != 0 &&
	    atomic_exchange_explicit(sleeps, 0, memory_order_relaxed) != 0;
}

/* ring_sleep_begin() - set one's own flag; what is looked at next was not counted up before, or
 * the other will see the flag */
static inline void
ring_sleep_begin(_Atomic uint32_t *sleeps)
{
	atomic_store_explicit(sleeps, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
}

static inline void
ring_sleep_end(_Atomic uint32_t *sleeps)
{
	atomic_store_explicit(sleeps, 0, memory_order_relaxed);
}

/* ring_relax() - in a loop that waits for the other end */
static inline void
ring_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

#endif /* PROTO_RING_H */
