/* the disks of test_matrix_of_commands.c, and one task at a time */
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
#include "mock_home.h"
#include "mock_matrix.h"
#include "scsa/config.h"
#include "scsi/opcode.h"

/* ------ one task at a time ------ */

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
	mock_home_step_end();
}

static void
task_done(struct lu_task *t)
{
	(void)t;
	mock_home_step_end();
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
	mock_home_step_end();
}

static void
raise_work(struct lu_work *w)
{
	(void)w;
	lu_ua_raise(&matrix_nexuses[GOOD_DISK][A], 0x2a01);
	mock_home_step_end();
}

void
matrix_forget(void)
{
	mock_home_step(forget_work);
}

void
matrix_raise(void)
{
	mock_home_step(raise_work);
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
	mock_home_step(submit_work);
}

/* ------ the disks ------ */

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

	if (!mock_home_start(&host) || lu_worker_new(1, &worker) < 0)
		matrix_die("no thread");
	host.worker = lu_worker_exec(worker);
	host.drain_ms = 100;
	host.state_dir = dir;
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
	mock_home_step(open_work);
	for (int i = 0; i < DISKS; i++)
		matrix_send(&matrix_nexuses[i][A], (uint8_t[6]){ 0 }, 6, 'n', 0);
	matrix_send(&matrix_nexuses[EMPTY_DISK][A], eject, sizeof(eject), 'n', 0);
	if (matrix_task.status != 0)
		matrix_die("eject");
	matrix_forget();
}
