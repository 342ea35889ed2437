/*
 * fuzz_ring.c - what a client may write into the memory of a ring, against the whole daemon
 *
 * The input is a script: entries as they are, entries that are good but for a few bytes, counts that
 * are set to anything, looks at the results. The daemon lives in this process with a small disk; its
 * connection is made again when the daemon has ended it. Each entry gives one result, with its tag,
 * as long as the counts are sane; when they are not, the connection ends. Nothing may hang.
 */
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "client/ring.h"
#include "client/scsac_impl.h"
#include "daemon/daemon.h"
#include "daemon/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENTRIES		16u
#define MEMORY_BYTES	65536u
#define PATIENCE_NS	(100 * NS_PER_S)
#define OPS_MAX		64u

static struct config conf;
static struct daemon *scsad;
static char dir[] = "/tmp/scsad-fuzz-XXXXXX";

static struct scsac *c;
static struct scsac_ring *ring;
static uint64_t handle;
static uint32_t submitted, reaped;
static uint32_t tags[ENTRIES];		/* of entries that have no result yet, and how many */
static uint32_t n_tags;

/* ------ a world ------ */

static void
world_end(void)
{
	scsac_free(c);
	daemon_stop(scsad);
	config_fini(&conf);
	(void)rmdir(dir);
}

static void
world_begin(void)
{
	static struct soft_disk_conf disk;
	char text[SOFT_ERR_LEN];

	log_set_level(LOG_LEVEL_ERROR);
	config_init(&conf);
	conf.loops = 1;
	conf.drain_ms = 10;
	conf.seccomp = SANDBOX_OFF;
	if (mkdtemp(dir) == NULL || asprintf(&conf.socket_path, "%s/s", dir) < 0 ||
	    config_add_hba(&conf, "soft") == NULL || soft_conf_parse("mem:1M", &disk, text) < 0 ||
	    config_add_disk(&conf.hbas[0], &disk) < 0 || daemon_start(&conf, &scsad) < 0)
		abort();
	(void)atexit(world_end);
}

static void
conn_begin(void)
{
	int pair[2];
	void *memory;

	scsac_free(c);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
	    rpc_server_adopt(daemon_rpc(scsad), pair[1]) < 0 || scsac_new("fuzz", &c) < 0 ||
	    scsac_start_fd(c, pair[0]) < 0 || scsac_connect(c, NULL) < 0 ||
	    scsac_ring_new(c, ENTRIES, &ring) < 0 ||
	    scsac_open(c, "disk@0,0", &handle, NULL) < 0 ||
	    scsac_memory_new(c, MEMORY_BYTES, &memory) < 0)
		abort();
	submitted = reaped = 0;
	n_tags = 0;
}

static bool
is_closed(void)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* ------ results ------ */

static void
result_take(void)
{
	uint32_t tag = ring_result_at(&ring->view, reaped)->tag;
	uint32_t i = 0;

	while (i < n_tags && tags[i] != tag)
		i++;
	assert(i < n_tags);
	tags[i] = tags[--n_tags];
	assert(ring_result_at(&ring->view, reaped)->sense_len <= PROTO_SENSE_MAX);
	reaped++;
	atomic_store(&ring->view.head->reaped, reaped);
}

/* all that is on its way comes back; false: the daemon has closed */
static bool
settle(void)
{
	uint64_t until = clock_now_ns() + PATIENCE_NS;

	atomic_store(&ring->view.head->submitted, submitted);
	(void)eventfd_write(ring->bell_fd, 1);
	while (n_tags > 0) {
		if (atomic_load(&ring->view.head->completed) != reaped)
			result_take();
		else if (is_closed())
			return false;
		else if (clock_now_ns() > until)
			abort();
		else	/* a false count of results that were read held entries back: there is
			 * room now */
			(void)eventfd_write(ring->bell_fd, 1);
	}
	return true;
}

/* ------ a script ------ */

struct script {
	const uint8_t *at;
	size_t left;
};

static uint8_t
byte_take(struct script *s)
{
	if (s->left == 0)
		return 0;
	s->left--;
	return *s->at++;
}

static void
bytes_take(struct script *s, void *dst, size_t len)
{
	uint8_t *to = dst;

	while (len-- > 0)
		*to++ = byte_take(s);
}

/* names that nobody can guess are put in where the input asks for them */
static bool
entry_put(struct ring_entry *e)
{
	if (n_tags == ENTRIES && !settle())
		return false;
	if ((e->handle & 0xff) == 1)
		e->handle = handle;
	tags[n_tags++] = e->tag;
	*ring_entry_at(&ring->view, submitted) = *e;
	submitted++;
	return true;
}

static bool
step_good(struct script *s)
{
	struct ring_entry e = { .op = RING_OP_SUBMIT, .handle = 1, .cdb_len = 10, .memory = 1,
		.direction = 1, .data_len = 4096, .cdb = { 0x28, 0, 0, 0, 0, 0, 0, 0, 8 } };
	uint8_t n = byte_take(s) % 16;

	e.tag = submitted % ENTRIES;
	while (n-- > 0) {
		uint8_t at = byte_take(s) % sizeof(e);

		((uint8_t *)&e)[at] = byte_take(s);
	}
	return entry_put(&e);
}

static bool
step_raw(struct script *s)
{
	struct ring_entry e;

	bytes_take(s, &e, sizeof(e));
	return entry_put(&e);
}

/* old entries once more, or a count that cannot be */
static bool
step_submitted(struct script *s)
{
	uint32_t by = 0;

	bytes_take(s, &by, sizeof(by));
	if (!settle())
		return false;
	if (by > ENTRIES) {
		atomic_store(&ring->view.head->submitted, submitted + by);
		(void)eventfd_write(ring->bell_fd, 1);
		for (uint64_t until = clock_now_ns() + PATIENCE_NS; !is_closed();)
			assert(clock_now_ns() < until);
		return false;
	}
	for (uint32_t i = 0; i < by; i++)
		tags[n_tags++] = ring_entry_at(&ring->view, submitted++)->tag;
	return true;
}

/* only looked at when the ring is full: then it ends the connection, or it does not */
static bool
step_reaped(struct script *s)
{
	uint32_t to = 0;

	bytes_take(s, &to, sizeof(to));
	if (to == 0)
		return settle();
	atomic_store(&ring->view.head->reaped, reaped + to);
	return true;
}

static bool
step(struct script *s)
{
	switch (byte_take(s) % 6) {
	case 0:
	case 1:
		return step_good(s);
	case 2:
		return step_raw(s);
	case 3:
		return step_submitted(s);
	case 4:
		return step_reaped(s);
	default:
		return settle();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = { data, size };
	bool is_open = true;

	if (scsad == NULL)
		world_begin();
	if (c == NULL)
		conn_begin();
	for (unsigned i = 0; i < OPS_MAX && s.left > 0 && is_open; i++)
		is_open = step(&s);
	if (!is_open || !settle())
		conn_begin();
	return 0;
}
