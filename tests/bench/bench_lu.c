/*
 * bench_lu.c - what the waist costs: READ(10) from lu_submit() to done() on a disk without a
 * store
 *
 * usage: bench_lu [--ms N] [--reads N] [--depth N] [--bytes N]
 *   --ms       time for each row (500)
 *   --reads    so many READ(10) of one block, and nothing else: for a profiler (tests/bench/run
 *              counts instructions of reads_run())
 *   --depth    with --reads: how many are in flight (1)
 *
 * The home of the unit is the main thread; a second one brings the unit up and takes it down,
 * because that waits for home. The disk answers inside tran_start.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/scsi/scsi.h>

#include "base/log.h"
#include "base/num.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "hw/soft/soft.h"
#include "lu/lu.h"
#include "lu/worker.h"
#include "sample.h"
#include "scsa/config.h"
#include "scsa/smp.h"
#include "scsi/cdb.h"
#include "scsi/opcode.h"

#define DEPTH_MAX	256
#define DATA_MAX	131072

static struct {
	struct lu_exec exec;
	pthread_mutex_t lock;
	pthread_cond_t cv;
	struct lu_work_list inbox, deferred;
	bool is_over;
} home = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.cv = PTHREAD_COND_INITIALIZER,
};

static pthread_t home_thread;
static struct lu_host host;
static struct lu_nexus nexus;
static bool is_nexus_gone;
static struct lu_task tasks[DEPTH_MAX];
static char *data;
static uint64_t n_done, n_left;

/*
 * Home.
 */

static void
home_post(struct lu_exec *x, struct lu_work *w)
{
	(void)x;
	(void)pthread_mutex_lock(&home.lock);
	STAILQ_INSERT_TAIL(&home.inbox, w, entry);
	(void)pthread_cond_signal(&home.cv);
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
	return pthread_equal(pthread_self(), home_thread);
}

static void
deferred_run(void)
{
	struct lu_work *w;

	while ((w = STAILQ_FIRST(&home.deferred)) != NULL) {
		STAILQ_REMOVE_HEAD(&home.deferred, entry);
		w->fn(w);
	}
}

static void
home_run(void)
{
	struct lu_work *w;

	(void)pthread_mutex_lock(&home.lock);
	for (;;) {
		w = STAILQ_FIRST(&home.inbox);
		if (w != NULL) {
			STAILQ_REMOVE_HEAD(&home.inbox, entry);
			(void)pthread_mutex_unlock(&home.lock);
			w->fn(w);
			deferred_run();
			(void)pthread_mutex_lock(&home.lock);
		} else if (home.is_over) {
			break;
		} else {
			(void)pthread_cond_wait(&home.cv, &home.lock);
		}
	}
	(void)pthread_mutex_unlock(&home.lock);
}

static struct lu_exec *
host_pick_home(struct lu_host *h, const struct lu *unit)
{
	(void)h;
	(void)unit;
	return &home.exec;
}

static void
host_event(struct lu_host *h, enum lu_event event, struct lu *unit)
{
	(void)h;
	(void)event;
	(void)unit;
}

/*
 * Tasks.
 */

static void
task_send(struct lu_task *task)
{
	if (lu_submit(task) < 0)
		abort();
}

static void
task_done(struct lu_task *task)
{
	if (task->reason != CMD_CMPLT || task->status != 0)
		abort();
	n_done++;
	if (n_left == 0)
		return;
	n_left--;
	task_send(task);
}

/* @n READ(10), @depth at a time; a function of its own, for profilers */
static void __attribute__((noinline))
reads_run(uint64_t n, unsigned int depth)
{
	n_done = 0;
	n_left = n - depth;
	for (unsigned int i = 0; i < depth; i++)
		task_send(&tasks[i]);
	deferred_run();
	if (n_done != n)
		abort();
}

static void
tasks_init(uint32_t len)
{
	for (unsigned int i = 0; i < DEPTH_MAX; i++) {
		struct lu_task *task = &tasks[i];

		lu_task_init(task);
		task->nexus = &nexus;
		task->data = data;
		task->data_len = len;
		task->dir = LU_DIR_IN;
		task->attr = LU_ATTR_SIMPLE;
		task->has_tag = true;
		task->tag = i;
		task->done = task_done;
		task->cdb_len = (uint16_t)cdb_read(task->cdb, CDB_10, 0, len / 512, 0);
	}
}

static void
row(const char *name, uint32_t len, unsigned int depth, uint64_t ms)
{
	uint64_t begin, end, n = 0;

	tasks_init(len);
	reads_run(1000, depth);
	begin = sample_now_ns();
	do {
		reads_run(1000, depth);
		n += 1000;
		end = sample_now_ns();
	} while (end - begin < ms * 1000000);
	printf("%-28s %11.0f commands/s %8.1f ns each\n", name,
	    (double)n * 1e9 / (double)(end - begin), (double)(end - begin) / (double)n);
}

/*
 * What happens at home, one after the other.
 */

struct visit {
	struct lu_work work;
	struct lu *unit;
	uint64_t ms, reads;
	unsigned int depth;
	bool is_over;
};

static void
visit_end(struct visit *v)
{
	(void)pthread_mutex_lock(&home.lock);
	v->is_over = true;
	(void)pthread_cond_broadcast(&home.cv);
	(void)pthread_mutex_unlock(&home.lock);
}

static void
nexus_gone(struct lu_nexus *n)
{
	(void)n;
	is_nexus_gone = true;
}

static void
visit_run(struct lu_work *w)
{
	struct visit *v = container_of(w, struct visit, work);

	nexus.classes = LU_CLASS(OP_POLICY_N) - 1;
	nexus.gone = nexus_gone;
	if (lu_nexus_open(&nexus, v->unit) < 0)
		abort();
	if (v->reads != 0) {
		tasks_init(512);
		reads_run(v->reads, v->depth);
	} else {
		row("READ(10), 512 B, 1 deep", 512, 1, v->ms);
		row("READ(10), 512 B, 32 deep", 512, 32, v->ms);
		row("READ(10), 4 KiB, 32 deep", 4096, 32, v->ms);
		row("READ(10), 128 KiB, 32 deep", 131072, 32, v->ms);
	}
	lu_nexus_gone(&nexus);
	deferred_run();
	if (!is_nexus_gone)
		abort();
	visit_end(v);
}

static void
visit_wait(struct visit *v)
{
	lu_exec_post(&home.exec, &v->work, visit_run);
	(void)pthread_mutex_lock(&home.lock);
	while (!v->is_over)
		(void)pthread_cond_wait(&home.cv, &home.lock);
	/* home waits for the same: both are woken */
	(void)pthread_cond_broadcast(&home.cv);
	(void)pthread_mutex_unlock(&home.lock);
}

/*
 * The disk.
 */

static void
unit_use(struct visit *v)
{
	struct soft_disk_conf disk;
	struct soft_hba_conf conf = { .disks = &disk, .ndisks = 1 };
	struct soft_hba *hba;
	char err[SOFT_ERR_LEN];

	if (soft_conf_parse("null:1G", &disk, err) < 0 || soft_hba_new(&conf, &hba, err) < 0) {
		fprintf(stderr, "bench_lu: %s\n", err);
		exit(EXIT_FAILURE);
	}
	if (devi_attach(soft_hba_node(hba)) < 0 ||
	    scsa_bus_config_all(soft_hba_node(hba)) != 1)
		abort();
	v->unit = lu_next(0);
	visit_wait(v);
	lu_unref(v->unit);
	if (scsa_bus_unconfig_all(soft_hba_node(hba)) < 0 ||
	    devi_detach(soft_hba_node(hba), 0) < 0)
		abort();
	soft_hba_free(hba);
}

static void *
side_main(void *arg)
{
	struct lu_worker *worker;

	if (lu_worker_new(1, &worker) < 0)
		abort();
	host = (struct lu_host){ .pick_home = host_pick_home, .event = host_event,
		.worker = lu_worker_exec(worker), .drain_ms = 1000 };
	if (lu_init(&host) < 0 || scsa_smp_init() < 0 ||
	    driver_init(SOFT_DRIVER, soft_mod_init, soft_mod_fini) < 0)
		abort();
	unit_use(arg);
	if (driver_unload(SOFT_DRIVER) < 0 || scsa_smp_fini() < 0 || lu_fini() < 0)
		abort();
	lu_worker_free(worker);
	(void)pthread_mutex_lock(&home.lock);
	home.is_over = true;
	(void)pthread_cond_broadcast(&home.cv);
	(void)pthread_mutex_unlock(&home.lock);
	return NULL;
}

static uint64_t
number(const char *text, uint64_t max)
{
	uint64_t n;

	if (text == NULL || num_parse_u64(text, max, &n) < 0) {
		fprintf(stderr, "usage: bench_lu [--ms N] [--reads N] [--depth N]\n");
		exit(EXIT_FAILURE);
	}
	return n;
}

int
main(int argc, char **argv)
{
	struct visit v = { .ms = 500, .depth = 1 };
	pthread_t side;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--ms") == 0)
			v.ms = number(argv[++i], 100000);
		else if (strcmp(argv[i], "--reads") == 0)
			v.reads = number(argv[++i], UINT64_MAX);
		else if (strcmp(argv[i], "--depth") == 0)
			v.depth = (unsigned int)number(argv[++i], DEPTH_MAX);
		else
			(void)number(NULL, 0);
	}
	log_set_level(LOG_LEVEL_ERROR);
	home.exec = (struct lu_exec){ home_post, home_defer, home_is_here };
	STAILQ_INIT(&home.inbox);
	STAILQ_INIT(&home.deferred);
	home_thread = pthread_self();
	data = calloc(1, DATA_MAX);
	if (data == NULL || pthread_create(&side, NULL, side_main, &v) != 0)
		return EXIT_FAILURE;
	home_run();
	(void)pthread_join(side, NULL);
	free(data);
	return EXIT_SUCCESS;
}
