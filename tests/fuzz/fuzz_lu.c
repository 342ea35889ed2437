/*
 * fuzz_lu.c - the border of lib/lu given any commands with any parameter data by several
 * initiators
 *
 * The input is a list of commands. Of each: a byte for nexus, disk, direction, task attribute,
 * and whether the next one is sent before its answer; a byte for the length of the CDB, or for
 * task management; two for the length of the buffer; the CDB; for data-out the buffer's bytes,
 * zeros where they are missing. Three initiators, one with few rights, work on two disks of the
 * software HBA, which live on: what earlier inputs reserved, set or locked is still so, until
 * every so often all nexuses are lost. Each command must be answered exactly once, with a
 * status that SAM knows, sense that can be read, and no byte moved beyond its buffer.
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/cursor.h"
#include "base/num.h"
#include "ddi/devtree.h"
#include "hw/soft/soft.h"
#include "lu/lu.h"
#include "lu/port.h"
#include "lu/worker.h"
#include "scsa/config.h"
#include "scsi/opcode.h"
#include <sys/scsi/scsi.h>

#define DISKS		2
#define INITIATORS	3
#define COMMANDS_MAX	24	/* of one input */
#define IN_FLIGHT_MAX	8
#define BUF_MAX		2048u
#define GUARD		16
#define INPUTS_A_NEXUS	64	/* after so many inputs all nexuses are lost */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ------ a home: the thread of the fuzzer ------ */

static struct {
	struct lu_exec exec;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cv;
	struct lu_work_list inbox, deferred;
} home = { .lock = PTHREAD_MUTEX_INITIALIZER, .cv = PTHREAD_COND_INITIALIZER };

static void
home_post(struct lu_exec *x UNUSED, struct lu_work *w)
{
	(void)pthread_mutex_lock(&home.lock);
	STAILQ_INSERT_TAIL(&home.inbox, w, entry);
	(void)pthread_cond_signal(&home.cv);
	(void)pthread_mutex_unlock(&home.lock);
}

static void
home_defer(struct lu_exec *x UNUSED, struct lu_work *w)
{
	STAILQ_INSERT_TAIL(&home.deferred, w, entry);
}

static bool
home_is_here(const struct lu_exec *x UNUSED)
{
	return pthread_equal(pthread_self(), home.thread) != 0;
}

/* run what is due; with nothing to do, wait until somebody posts */
static void
home_turn(void)
{
	struct lu_work *w;

	(void)pthread_mutex_lock(&home.lock);
	while (STAILQ_EMPTY(&home.deferred) && STAILQ_EMPTY(&home.inbox))
		(void)pthread_cond_wait(&home.cv, &home.lock);
	STAILQ_CONCAT(&home.deferred, &home.inbox);
	(void)pthread_mutex_unlock(&home.lock);
	while ((w = STAILQ_FIRST(&home.deferred)) != NULL) {
		STAILQ_REMOVE_HEAD(&home.deferred, entry);
		w->fn(w);
	}
}

/* ------ the world ------ */

struct slot {
	struct lu_task task;
	bool is_busy;
	uint8_t buf[BUF_MAX + GUARD];
};

static struct lu *units[DISKS];
static struct lu_nexus nexuses[DISKS][INITIATORS];
static struct lu_initiator initiators[INITIATORS];
static struct slot slots[IN_FLIGHT_MAX];
static struct lu_tmf tmf;
static unsigned int n_busy, n_nexuses, n_tmfs;

static struct lu_exec *
host_pick_home(struct lu_host *host UNUSED, const struct lu *unit UNUSED)
{
	return &home.exec;
}

static void
host_event(struct lu_host *host UNUSED, enum lu_event event UNUSED, struct lu *unit UNUSED)
{
}

static void
nexus_gone(struct lu_nexus *nexus UNUSED)
{
	n_nexuses--;
}

static void
nexuses_open(void)
{
	static const uint32_t classes[INITIATORS] = { UINT32_MAX, UINT32_MAX,
		LU_CLASS(OP_INFO) | LU_CLASS(OP_READ) };

	for (unsigned int i = 0; i < DISKS * INITIATORS; i++) {
		struct lu_nexus *n = &nexuses[i / INITIATORS][i % INITIATORS];

		memset(n, 0, sizeof(*n));
		n->classes = classes[i % INITIATORS];
		n->initiator = &initiators[i % INITIATORS];
		n->wants_sense = true;
		n->is_power_on_due = i == 0;
		n->gone = nexus_gone;
		if (lu_nexus_open(n, units[i / INITIATORS]) < 0)
			abort();
		n_nexuses++;
	}
}

static void
nexuses_lose(void)
{
	for (unsigned int i = 0; i < DISKS * INITIATORS; i++)
		lu_nexus_gone(&nexuses[i / INITIATORS][i % INITIATORS]);
	while (n_nexuses > 0)
		home_turn();
}

static void
disks_attach(void)
{
	static const char *const lines[DISKS] = {
		"mem:256K,physical=4096,removable,sanitize_rate=0,target=0,serial=FZ0",
		"mem:128K,block=4096,sanitize_rate=0,target=1,serial=FZ1",
	};
	static struct soft_disk_conf disks[DISKS];
	struct soft_hba_conf conf = { .disks = disks, .ndisks = DISKS };
	char err[SOFT_ERR_LEN] = "", serial[16];
	struct soft_hba *hba;

	for (int i = 0; i < DISKS; i++)
		if (soft_conf_parse(lines[i], &disks[i], err) < 0)
			abort();
	if (soft_mod_init() != 0 || soft_hba_new(&conf, &hba, err) < 0 ||
	    devi_attach(soft_hba_node(hba)) < 0 ||
	    scsa_bus_config_all(soft_hba_node(hba)) < 0)
		abort();
	for (int i = 0; i < DISKS; i++) {
		(void)snprintf(serial, sizeof(serial), "FZ%d", i);
		if (lu_find(serial, &units[i], NULL, 0) < 0)
			abort();
	}
}

static void
world_begin(void)
{
	static struct lu_host host;
	static struct lu_worker *worker;
	char name[64];

	home.exec = (struct lu_exec){ home_post, home_defer, home_is_here };
	home.thread = pthread_self();
	STAILQ_INIT(&home.inbox);
	STAILQ_INIT(&home.deferred);
	if (lu_worker_new(1, &worker) < 0)
		abort();
	host = (struct lu_host){ .pick_home = host_pick_home, .event = host_event,
		.worker = lu_worker_exec(worker), .drain_ms = 100 };
	if (lu_init(&host) < 0)
		abort();
	disks_attach();
	for (int i = 0; i < INITIATORS; i++) {
		(void)snprintf(name, sizeof(name), "iqn.2026-11.test:%c", 'a' + i);
		if (lu_initiator_iscsi(&initiators[i], name) < 0)
			abort();
	}
	for (int i = 0; i < IN_FLIGHT_MAX; i++)
		lu_task_init(&slots[i].task);
	nexuses_open();
}

/* ------ commands ------ */

static void
answer_check(const struct slot *s)
{
	static const uint8_t guard[GUARD] = { 0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c,
		0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c };
	const struct lu_task *t = &s->task;
	struct sense_data sense;

	assert(t->moved <= t->data_len);
	assert(memcmp(s->buf + t->data_len, guard, GUARD) == 0);
	if ((t->state & STATE_GOT_STATUS) == 0)
		return;
	assert(t->status == 0x00 || t->status == 0x02 || t->status == 0x04 || t->status == 0x08 ||
	    t->status == 0x18 || t->status == 0x28 || t->status == 0x40);
	assert((t->status == 0x02) == (t->sense_len > 0));
	assert(t->status != 0x02 || sense_parse(t->sense, t->sense_len, &sense) == 0);
}

static void
task_done(struct lu_task *task)
{
	struct slot *s = container_of(task, struct slot, task);

	assert(s->is_busy);
	answer_check(s);
	s->is_busy = false;
	n_busy--;
}

static void
wait_for(unsigned int n)
{
	while (n_busy > n)
		home_turn();
}

static struct slot *
slot_take(void)
{
	wait_for(IN_FLIGHT_MAX - 1);
	for (int i = 0; i < IN_FLIGHT_MAX; i++)
		if (!slots[i].is_busy)
			return &slots[i];
	abort();
}

static void
command_send(struct cursor *c, uint8_t how, uint8_t cdb_len)
{
	struct slot *s = slot_take();
	struct lu_task *t = &s->task;
	uint8_t dir = how >> 3 & 3;
	size_t n;

	t->nexus = &nexuses[how & 1][(how >> 1 & 3) % INITIATORS];
	t->data_len = cursor_be16(c) % (BUF_MAX + 1);
	t->dir = dir == 1 ? LU_DIR_IN : dir == 2 ? LU_DIR_OUT : LU_DIR_NONE;
	if (t->dir == LU_DIR_NONE || t->data_len == 0) {
		t->dir = LU_DIR_NONE;
		t->data_len = 0;
	}
	t->data = t->data_len == 0 ? NULL : s->buf;
	t->attr = (enum lu_attr)(how >> 5 & 3);
	t->done = task_done;
	t->has_tag = false;
	t->cdb_len = (uint16_t)(6 + cdb_len % 27);
	memset(t->cdb, 0, t->cdb_len);
	n = num_min(t->cdb_len, cursor_left(c));
	memcpy(t->cdb, cursor_take(c, n), n);
	memset(s->buf + t->data_len, 0x5c, GUARD);
	if (t->dir == LU_DIR_OUT) {
		memset(s->buf, 0, t->data_len);
		n = num_min(t->data_len, cursor_left(c));
		memcpy(s->buf, cursor_take(c, n), n);
	}
	s->is_busy = true;
	n_busy++;
	if (lu_submit(t) < 0) {
		s->is_busy = false;
		n_busy--;
	}
}

static void
tmf_done(struct lu_tmf *t UNUSED)
{
	n_tmfs--;
}

static void
tmf_send(uint8_t how)
{
	struct lu_nexus *nexus = &nexuses[how & 1][(how >> 1 & 3) % INITIATORS];

	n_tmfs++;
	if ((how & 0x08) != 0)
		lu_reset(&tmf, nexus->unit, LU_RESET_LUN, tmf_done);
	else if ((how & 0x10) != 0)
		lu_abort_unit(&tmf, nexus->unit, tmf_done);
	else
		lu_abort_all(&tmf, nexus, tmf_done);
	while (n_tmfs > 0)
		home_turn();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_read_init(data, size);
	static unsigned int n_inputs;

	if (n_inputs++ == 0)
		world_begin();
	for (int i = 0; i < COMMANDS_MAX && cursor_left(&c) >= 4; i++) {
		uint8_t how = cursor_u8(&c), what = cursor_u8(&c);

		if (what == 0xff)
			tmf_send(how);
		else
			command_send(&c, how, what);
		if ((how & 0x80) == 0)
			wait_for(0);
	}
	wait_for(0);
	if (n_inputs % INPUTS_A_NEXUS == 0) {
		nexuses_lose();
		nexuses_open();
	}
	return 0;
}
