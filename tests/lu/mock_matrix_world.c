/* the disks of test_matrix_of_commands.c, and one task at a time */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/scsi/scsi.h>

#include "base/compiler.h"
#include "ddi/devtree.h"
#include "hw/soft/soft.h"
#include "lu/port.h"
#include "lu/ua.h"
#include "lu/worker.h"
#include "mock_matrix.h"
#include "scsa/config.h"
#include "scsi/opcode.h"

/* ------ a home for the units, and one task at a time ------ */

static struct {
	struct lu_exec exec;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cv;
	struct lu_work_list inbox, deferred;
	bool is_over;
} home = { .lock = PTHREAD_MUTEX_INITIALIZER, .cv = PTHREAD_COND_INITIALIZER };

static void
home_post(struct lu_exec *x, struct lu_work *w)
{
	(void)x;
	(void)pthread_mutex_lock(&home.lock);
	STAILQ_INSERT_TAIL(&home.inbox, w, entry);
	(void)pthread_cond_broadcast(&home.cv);
	(void)pthread_mutex_unlock(&home.lock);
}

static void
home_defer(struct lu_exec *x, struct lu_work *w)
{
	(void)x;
	STAILQ_INSERT_TAIL(&home.deferred, w, entry);
}

static bool
home_is_here(const struct lu_exec *x)
{
	(void)x;
	return pthread_equal(pthread_self(), home.thread) != 0;
}

static void
list_run(struct lu_work_list *list)
{
	struct lu_work *w;

	while ((w = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, entry);
		w->fn(w);
	}
}

static void *
home_main(void *arg)
{
	struct lu_work_list list;

	(void)pthread_mutex_lock(&home.lock);
	for (;;) {
		while (STAILQ_EMPTY(&home.inbox))
			(void)pthread_cond_wait(&home.cv, &home.lock);
		STAILQ_INIT(&list);
		STAILQ_CONCAT(&list, &home.inbox);
		(void)pthread_mutex_unlock(&home.lock);
		list_run(&list);
		list_run(&home.deferred);
		(void)pthread_mutex_lock(&home.lock);
	}
	return arg;
}

static void
step_end(void)
{
	(void)pthread_mutex_lock(&home.lock);
	home.is_over = true;
	(void)pthread_cond_broadcast(&home.cv);
	(void)pthread_mutex_unlock(&home.lock);
}

/* run @fn at home; it, or what it starts, calls step_end() */
static void
step(lu_work_fn fn)
{
	static struct lu_work work;

	home.is_over = false;
	lu_exec_post(&home.exec, &work, fn);
	(void)pthread_mutex_lock(&home.lock);
	while (!home.is_over)
		(void)pthread_cond_wait(&home.cv, &home.lock);
	(void)pthread_mutex_unlock(&home.lock);
}

void
matrix_die(const char *what)
{
	(void)fprintf(stderr, "matrix: %s\n", what);
	exit(1);
}

static struct lu *units[DISKS];
struct lu_nexus matrix_nexuses[DISKS][NEXUSES];
static struct lu_initiator names[NEXUSES];
static struct lu_port ports[NEXUSES];
struct lu_task matrix_task;
uint8_t matrix_data[MATRIX_DATA_MAX];

static void
nexus_gone(struct lu_nexus *nexus)
{
	(void)nexus;
}

static void
open_work(struct lu_work *w)
{
	static const uint8_t isid[LU_ISID_LEN] = { 0x80, 1 };

	(void)w;
	for (int i = 0; i < DISKS * NEXUSES; i++) {
		struct lu_nexus *n = &matrix_nexuses[i / NEXUSES][i % NEXUSES];
		char name[64];

		(void)snprintf(name, sizeof(name), "iqn.2026-11.test:%c", 'a' + i % NEXUSES);
		if (lu_initiator_isid(&names[i % NEXUSES], name, isid) < 0)
			matrix_die("no name");
		ports[i % NEXUSES].rtpi = 1;
		n->classes = i % NEXUSES == NOBODY ? 0 : LU_CLASS(OP_POLICY_N) - 1;
		n->initiator = &names[i % NEXUSES];
		n->port = &ports[i % NEXUSES];
		n->wants_sense = true;
		n->gone = nexus_gone;
		if (lu_nexus_open(n, units[i / NEXUSES]) < 0)
			matrix_die("no nexus");
	}
	step_end();
}

static void
task_done(struct lu_task *t)
{
	(void)t;
	step_end();
}

static void
submit_work(struct lu_work *w)
{
	(void)w;
	if (lu_submit(&matrix_task) < 0)
		matrix_die("refused by lu_submit()");
}

static void
forget_work(struct lu_work *w)
{
	struct sense_data sense;

	(void)w;
	for (int i = 0; i < DISKS * NEXUSES; i++) {
		while (lu_ua_take(&matrix_nexuses[i / NEXUSES][i % NEXUSES], &sense))
			continue;
	}
	step_end();
}

static void
raise_work(struct lu_work *w)
{
	(void)w;
	lu_ua_raise(&matrix_nexuses[GOOD_DISK][A], 0x2a01);
	step_end();
}

void
matrix_forget(void)
{
	step(forget_work);
}

void
matrix_raise(void)
{
	step(raise_work);
}

void
matrix_send(struct lu_nexus *nexus, const uint8_t *cdb, size_t len, char dir, uint32_t bytes)
{
	struct lu_task *t = &matrix_task;

	lu_task_init(t);
	memcpy(t->cdb, cdb, len);
	t->cdb_len = (uint16_t)len;
	t->nexus = nexus;
	t->dir = bytes == 0 || dir == 'n' ? LU_DIR_NONE : dir == 'i' ? LU_DIR_IN : LU_DIR_OUT;
	t->data_len = t->dir == LU_DIR_NONE ? 0 : bytes;
	t->data = t->data_len == 0 ? NULL : matrix_data;
	t->done = task_done;
	step(submit_work);
}

/* ------ the disks ------ */

static struct lu_exec *
host_pick_home(struct lu_host *host, const struct lu *unit)
{
	(void)host;
	(void)unit;
	return &home.exec;
}

static void
host_event(struct lu_host *host, enum lu_event event, struct lu *unit)
{
	(void)host;
	(void)event;
	(void)unit;
}

void
matrix_begin(const char *dir)
{
	static const char *const lines[DISKS] = {
		"mem:8M,physical=4096,removable,sanitize_rate=0,target=0,serial=MX0",
		"mem:8M,physical=4096,removable,sanitize_rate=0,target=1,serial=MX1",
		"mem:8M,physical=4096,removable,readonly,target=2,serial=MX2",
	};
	static const uint8_t eject[6] = { 0x1b, [4] = 0x02 };
	static struct soft_disk_conf disks[DISKS];
	static struct lu_host host;
	static struct lu_worker *worker;
	struct soft_hba_conf conf = { .disks = disks, .ndisks = DISKS, .state_dir = dir };
	struct soft_hba *hba;
	char err[SOFT_ERR_LEN] = "", serial[16];

	home.exec = (struct lu_exec){ home_post, home_defer, home_is_here };
	STAILQ_INIT(&home.inbox);
	STAILQ_INIT(&home.deferred);
	if (pthread_create(&home.thread, NULL, home_main, NULL) != 0 ||
	    lu_worker_new(1, &worker) < 0)
		matrix_die("no thread");
	host = (struct lu_host){ .pick_home = host_pick_home, .event = host_event,
		.worker = lu_worker_exec(worker),
		.drain_ms = 100, .state_dir = dir };
	for (int i = 0; i < DISKS; i++) {
		if (soft_conf_parse(lines[i], &disks[i], err) < 0)
			matrix_die(err);
	}
	if (lu_init(&host) < 0 || soft_mod_init() != 0 || soft_hba_new(&conf, &hba, err) < 0 ||
	    devi_attach(soft_hba_node(hba)) < 0 ||
	    scsa_bus_config_all(soft_hba_node(hba)) < 0)
		matrix_die(err);
	for (int i = 0; i < DISKS; i++) {
		(void)snprintf(serial, sizeof(serial), "MX%d", i);
		if (lu_find(serial, &units[i], NULL, 0) < 0)
			matrix_die("no disk");
	}
	step(open_work);
	for (int i = 0; i < DISKS; i++)
		matrix_send(&matrix_nexuses[i][A], (uint8_t[6]){ 0 }, 6, 'n', 0);
	matrix_send(&matrix_nexuses[EMPTY_DISK][A], eject, sizeof(eject), 'n', 0);
	if (matrix_task.status != 0)
		matrix_die("eject");
	matrix_forget();
}
