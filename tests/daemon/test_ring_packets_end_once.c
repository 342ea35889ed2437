/* rings of several clients, and every way in which a packet can end, in any order: each packet that
 * was taken ends once, and nothing is left */
#include <errno.h>
#include <string.h>

#include "base/rng.h"
#include "check_main.h"
#include "mock_ring.h"
#include "scsi/cdb.h"

#define CLIENTS		3u
#define DEPTH		16u
#define BYTES		4096u
#define STEPS		2500u
#define TIMEOUT_MS	300u

struct packet {
	bool is_in_flight;
	uint32_t tag;
};

static struct client {
	struct scsac *c;
	struct scsac_ring *ring;
	uint64_t handles[2];
	uint8_t *memory;
	struct packet packets[DEPTH];
} clients[CLIENTS];

static struct fixture f;
static struct mc admin;
static struct rng rng;
static uint64_t n_begun, n_ended;

static const char *const units[] = { "disk@0,0", "disk@1,0" };

/* ------ clients ------ */

static void
client_begin(struct client *cl)
{
	cl->c = mc_library(&f, NULL);
	/* sometimes a ring moves with its connection, sometimes it comes later */
	if (rng_below(&rng, 2) == 0)
		ck_assert_int_eq(scsac_ring_new(cl->c, DEPTH, &cl->ring), 0);
	else
		cl->ring = NULL;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		ck_assert_int_eq(scsac_open(cl->c, units[i], &cl->handles[i], NULL), 0);
	ck_assert_int_eq(scsac_memory_new(cl->c, DEPTH * BYTES, (void **)&cl->memory), 0);
	if (cl->ring == NULL)
		ck_assert_int_eq(scsac_ring_new(cl->c, DEPTH, &cl->ring), 0);
}

static void
all_have_ended(const struct client *cl)
{
	for (size_t i = 0; i < DEPTH; i++)
		ck_assert(!cl->packets[i].is_in_flight);
}

static void
client_end(struct client *cl)
{
	scsac_free(cl->c);
	cl->c = NULL;
	all_have_ended(cl);
}

static void
ended(struct scsac *c, const struct scsac_result *result, void *arg)
{
	struct packet *p = arg;

	(void)c;
	(void)result;
	ck_assert(p->is_in_flight);
	p->is_in_flight = false;
	n_ended++;
}

static struct packet *
packet_free(struct client *cl)
{
	for (size_t i = 0; i < DEPTH; i++)
		if (!cl->packets[i].is_in_flight)
			return &cl->packets[i];
	return NULL;
}

/* ------ steps ------ */

static void
step_submit(struct client *cl)
{
	struct packet *p = packet_free(cl);
	uint8_t cdb[CDB_BUF_LEN] = { 0 };
	struct scsac_cmd cmd = { .cdb = cdb, .cdb_len = 6, .timeout_ms = TIMEOUT_MS };

	if (p == NULL)
		return;
	cmd.handle = cl->handles[rng_below(&rng, 2)];
	cmd.direction = (enum scsac_direction)rng_below(&rng, 3);
	if (cmd.direction != SCSAC_NONE) {
		cmd.data = cl->memory + (size_t)(p - cl->packets) * BYTES;
		cmd.data_len = BYTES;
		cmd.cdb_len = cmd.direction == SCSAC_IN ? mc_cdb_read(cdb, 0, 8) :
		    mc_cdb_write(cdb, 8 * (uint32_t)rng_below(&rng, 64), 8);
	}
	p->is_in_flight = true;
	n_begun++;
	/* the socket, now and then */
	ck_assert_int_eq(rng_below(&rng, 10) == 0 ?
	    scsac_submit(cl->c, &cmd, ended, p, &p->tag) :
	    scsac_ring_submit(cl->ring, &cmd, ended, p, &p->tag), 0);
}

static void
step_reap(struct client *cl)
{
	ck_assert_int_ge(scsac_ring_reap(cl->ring), 0);
}

static void
step_wait(struct client *cl)
{
	ck_assert_int_ge(mr_wait(cl->ring, (int)rng_below(&rng, 3)), 0);
}

/* one that may have ended, or be of the socket: then there is none of that tag */
static void
step_cancel(struct client *cl)
{
	int r = scsac_ring_cancel(cl->ring, cl->packets[rng_below(&rng, DEPTH)].tag);

	ck_assert(r == 0 || r == -ENOENT || r == -EBUSY);
}

static void
step_abort(struct client *cl)
{
	ck_assert_int_eq(scsac_abort(cl->c, cl->handles[rng_below(&rng, 2)], NULL), 0);
}

static void
step_reset(struct client *cl)
{
	enum scsac_level level = rng_below(&rng, 2) == 0 ? SCSAC_LEVEL_LUN :
	    SCSAC_LEVEL_TARGET;

	ck_assert_int_eq(scsac_reset(cl->c, cl->handles[rng_below(&rng, 2)], NULL, level, NULL,
	    NULL), 0);
}

static void
step_reopen(struct client *cl)
{
	size_t i = (size_t)rng_below(&rng, 2);

	ck_assert_int_eq(scsac_close(cl->c, cl->handles[i]), 0);
	ck_assert_int_eq(scsac_open(cl->c, units[i], &cl->handles[i], NULL), 0);
}

static void
step_other_ring(struct client *cl)
{
	int r = scsac_ring_free(cl->ring);

	ck_assert(r == 0 || r == -EBUSY);
	if (r == 0)
		ck_assert_int_eq(scsac_ring_new(cl->c, DEPTH, &cl->ring), 0);
}

static void
step_vanish(struct client *cl)
{
	client_end(cl);
	client_begin(cl);
}

static void
step(struct client *cl)
{
	static const struct {
		unsigned int weight;
		void (*run)(struct client *cl);
	} steps[] = {
		{ 560, step_submit }, { 200, step_reap }, { 100, step_wait },
		{ 60, step_cancel }, { 20, step_abort }, { 10, step_reset },
		{ 10, step_reopen }, { 30, step_other_ring }, { 10, step_vanish },
	};
	uint64_t at = rng_below(&rng, 1000);
	size_t i = 0;

	while (at >= steps[i].weight)
		at -= steps[i++].weight;
	steps[i].run(cl);
}

/* ------ worlds ------ */

static void
all_end(struct client *cl)
{
	while (scsac_ring_in_flight(cl->ring) > 0 || scsac_in_flight(cl->c) > 0)
		ck_assert_int_ge(mr_wait(cl->ring, 100), 0);
	all_have_ended(cl);
	client_end(cl);
}

static void
storm(unsigned int loops, const char *const *faults, size_t n_faults)
{
	fixture_init(&f);
	f.conf.loops = loops;
	fixture_disk(&f, "mem:1M,serial=DISK-A");
	fixture_disk(&f, "mem:1M,serial=DISK-B");
	fixture_start(&f);
	mc_connect(&f, &admin);
	rng = rng_init(loops);
	for (size_t i = 0; i < n_faults; i++)
		(void)mc_fault(&admin, faults[i]);
	for (size_t i = 0; i < CLIENTS; i++)
		client_begin(&clients[i]);
	for (unsigned int i = 0; i < STEPS; i++)
		step(&clients[rng_below(&rng, CLIENTS)]);
	for (size_t i = 0; i < CLIENTS; i++)
		all_end(&clients[i]);
	ck_assert_uint_eq(n_begun, n_ended);
	ck_assert_uint_gt(n_begun, STEPS / 4);
	fixture_wait(&f, 1, 0);
	mc_check_alive(&admin);
	mc_close(&admin);
	fixture_stop(&f);
}

START_TEST(in_peace)
{
	static const char *const faults[] = { "action=delay,ms=1,prob=300,seed=1" };

	storm(1, faults, ARRAY_LEN(faults));
	storm(2, faults, ARRAY_LEN(faults));
}
END_TEST

START_TEST(in_trouble)
{
	static const char *const faults[] = {
		"action=delay,ms=2,prob=200,seed=1", "action=dup,prob=50,seed=2",
		"action=drop,prob=10,seed=3", "action=busy,prob=20,seed=4",
		"action=tran_err,prob=10,seed=5", "action=check,sense=4/44/00,prob=10,seed=6",
	};

	storm(1, faults, ARRAY_LEN(faults));
	storm(2, faults, ARRAY_LEN(faults));
}
END_TEST

CHECK_MAIN("packets of rings", in_peace, in_trouble)
