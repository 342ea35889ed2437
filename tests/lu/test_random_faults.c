/*
 * Several initiators at work on disks whose adapter does everything wrong that it can: each
 * command is answered exactly once, and nothing moves after an abort or a reset was answered.
 *
 * usage: lu_test_random_faults [COMMANDS [SEED]]
 *
 * Every slot of an initiator owns a buffer and a block, and writes and reads it one command at a
 * time. A buffer that is not with lib/lu is filled with a pattern, which must be there when it
 * is used again. A block holds stamps: when a write has ended without GOOD, the old and the new
 * stamp are both right, until a read has shown which; then it must stay.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "base/rng.h"
#include "check_main.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "hw/soft/soft.h"
#include "lu/lu_impl.h"
#include "lu/port.h"
#include "mock_reserve.h"
#include "scsa/config.h"
#include "scsa/smp.h"
#include "scsi/cdb.h"

#define UNITS		3
#define CLIENTS		4	/* a unit */
#define SLOTS		12	/* a client */
#define BLOCK		512
#define CANARY		0xa5
#define COMMANDS_DEFAULT	40000

static uint64_t commands_max = COMMANDS_DEFAULT, seed_given;

enum slot_does { SLOT_IDLE, SLOT_READS, SLOT_WRITES, SLOT_OTHER };

struct client;

struct slot {
	struct lu_task task;
	struct client *client;
	enum slot_does does;
	bool is_out;			/* with lib/lu */
	uint64_t lba;
	uint64_t sure;			/* stamp that is there, if doubts is 0 */
	uint64_t doubts[8];		/* others that may be there as well */
	unsigned int n_doubts;
	uint64_t stamp;			/* the one being written */
	uint8_t data[BLOCK];
};

struct client {
	struct lu_nexus nexus;
	struct lu_initiator id;
	struct lu *unit;
	unsigned int number;
	bool is_open, is_leaving;
	struct slot slots[SLOTS];
	struct lu_tmf tmf;
	bool is_tmf_out;
	enum lu_tm function;
	uint64_t born[UNITS];		/* tasks accepted when it was asked for */
};

static struct client clients[UNITS * CLIENTS];
/* where some come in: they wait for their own late writes when they come back */
static const struct lu_port remote = { .rtpi = 7, .group = 7 };
static struct lu *units[UNITS];
static struct soft_hba *hba;
static struct rng rng;
static bool is_ending;
static uint64_t n_sent, n_done, n_tmf, n_left, stamps;
static uint64_t reasons[64], statuses[256];

static void slot_go(struct slot *slot);

/* ck_assert() writes a line to a file each time */
#define must(x)	do { if (!(x)) ck_abort_msg("%s", #x); } while (0)

/* ------ what may be where ------ */

static bool
stamp_may_be(const struct slot *slot, uint64_t stamp)
{
	if (stamp == slot->sure)
		return true;
	for (unsigned int i = 0; i < slot->n_doubts; i++) {
		if (slot->doubts[i] == stamp)
			return true;
	}
	return false;
}

static void
stamp_sure(struct slot *slot, uint64_t stamp)
{
	slot->sure = stamp;
	slot->n_doubts = 0;
}

static void
stamp_doubt(struct slot *slot, uint64_t stamp)
{
	must(slot->n_doubts < ARRAY_LEN(slot->doubts));
	slot->doubts[slot->n_doubts++] = stamp;
}

static void
canary_set(struct slot *slot)
{
	memset(slot->data, CANARY, sizeof(slot->data));
}

static void
canary_check(const struct slot *slot)
{
	for (size_t i = 0; i < sizeof(slot->data); i++) {
		if (slot->data[i] != CANARY)
			ck_abort_msg("byte %zu of a buffer that was given back is %02x", i,
			    slot->data[i]);
	}
}

/* ------ one command after the other ------ */

static bool
is_good(const struct lu_task *task)
{
	return task->reason == CMD_CMPLT && (task->state & STATE_GOT_STATUS) != 0 &&
	    task->status == STATUS_GOOD;
}

static void
slot_judge(struct slot *slot)
{
	const struct lu_task *task = &slot->task;

	if (slot->does == SLOT_READS && is_good(task) && task->moved == BLOCK) {
		uint64_t stamp = be64_get(slot->data);

		if (!stamp_may_be(slot, stamp))
			ck_abort_msg("block %llu holds stamp %llu, not %llu",
			    (unsigned long long)slot->lba, (unsigned long long)stamp,
			    (unsigned long long)slot->sure);
		stamp_sure(slot, stamp);
	}
	if (slot->does != SLOT_WRITES)
		return;
	/* a short write leaves the block half new: write it again */
	if (is_good(task) && task->moved == BLOCK)
		stamp_sure(slot, slot->stamp);
	else
		stamp_doubt(slot, slot->stamp);
}

static void
slot_done(struct lu_task *task)
{
	struct slot *slot = container_of(task, struct slot, task);

	must(slot->is_out);
	slot->is_out = false;
	n_done++;
	reasons[task->reason]++;
	if (task->reason == CMD_CMPLT)
		statuses[task->status]++;
	slot_judge(slot);
	canary_set(slot);
	/* the disk answers at once: a turn of the loop has to end some time */
	if (slot->client->is_open && !slot->client->is_leaving && rng_below(&rng, 2) != 0)
		slot_go(slot);
}

static void
slot_fill(struct slot *slot)
{
	struct lu_task *task = &slot->task;
	uint64_t dice = rng_below(&rng, 16);

	task->dir = LU_DIR_NONE;
	task->data = NULL;
	task->data_len = 0;
	if (dice == 0) {
		slot->does = SLOT_OTHER;
		task->cdb_len = (uint16_t)cdb_tur(task->cdb);
		return;
	}
	task->data = slot->data;
	task->data_len = BLOCK;
	/* too many doubts: a read first */
	if (dice < 9 || slot->n_doubts >= ARRAY_LEN(slot->doubts) - 1) {
		slot->does = SLOT_READS;
		task->dir = LU_DIR_IN;
		task->cdb_len = (uint16_t)cdb_read(task->cdb, CDB_10, slot->lba, 1, 0);
		return;
	}
	slot->does = SLOT_WRITES;
	slot->stamp = ++stamps;
	task->dir = LU_DIR_OUT;
	memset(slot->data, 0, sizeof(slot->data));
	be64_put(slot->data, slot->stamp);
	task->cdb_len = (uint16_t)cdb_write(task->cdb, CDB_10, slot->lba, 1, 0);
}

static void
slot_go(struct slot *slot)
{
	static const enum lu_attr attrs[16] = { [0] = LU_ATTR_ORDERED, [1] = LU_ATTR_HEAD,
		[2] = LU_ATTR_UNTAGGED, [3 ... 15] = LU_ATTR_SIMPLE };
	struct lu_task *task = &slot->task;
	int r;

	if (is_ending || n_sent >= commands_max)
		return;
	canary_check(slot);
	slot_fill(slot);
	task->attr = attrs[rng_below(&rng, ARRAY_LEN(attrs))];
	task->has_tag = true;
	task->tag = (uint64_t)(slot - slot->client->slots);
	task->timeout_ms = 1000 + (uint32_t)rng_below(&rng, 3000);
	task->nexus = &slot->client->nexus;
	task->done = slot_done;
	slot->is_out = true;
	n_sent++;
	r = lu_submit(task);
	must(r == 0);
}

/* ------ task management ------ */

/* whose commands does it end? */
static bool
is_in_scope(const struct client *by, const struct client *c)
{
	switch (by->function) {
	case LU_TM_ABORT_TASK_SET:
	case LU_TM_NEXUS_RESET:
		return c == by;
	case LU_TM_CLEAR_TASK_SET:
	case LU_TM_LUN_RESET:
		return c->unit == by->unit;
	case LU_TM_TARGET_RESET:
		return (c->unit == units[2]) == (by->unit == units[2]);
	case LU_TM_ABORT_TASK:
	case LU_TM_QUERY_TASK:
	case LU_TM_QUERY_TASK_SET:
	case LU_TM_QUERY_ASYNC_EVENT:
	case LU_TM_N:
		break;
	}
	return false;
}

/* what was out when it was asked for is back when it is answered */
static void
tmf_done(struct lu_tmf *tmf)
{
	struct client *by = container_of(tmf, struct client, tmf);
	bool is_done = tmf->result == LU_TMF_DONE || tmf->result == LU_TMF_NO_TASK;

	by->is_tmf_out = false;
	n_tmf++;
	for (size_t i = 0; is_done && i < ARRAY_LEN(clients); i++) {
		const struct client *c = &clients[i];

		for (size_t j = 0; is_in_scope(by, c) && j < SLOTS; j++)
			must(!c->slots[j].is_out ||
			    c->slots[j].task.born > by->born[i / CLIENTS]);
	}
}

static void
client_tmf(struct client *c)
{
	static const enum lu_tm functions[] = {
		LU_TM_ABORT_TASK, LU_TM_ABORT_TASK, LU_TM_ABORT_TASK, LU_TM_ABORT_TASK_SET,
		LU_TM_CLEAR_TASK_SET, LU_TM_NEXUS_RESET, LU_TM_LUN_RESET, LU_TM_TARGET_RESET,
		LU_TM_QUERY_TASK_SET, LU_TM_QUERY_ASYNC_EVENT,
	};

	if (c->is_tmf_out || !c->is_open || c->is_leaving)
		return;
	c->is_tmf_out = true;
	c->function = functions[rng_below(&rng, ARRAY_LEN(functions))];
	for (size_t i = 0; i < UNITS; i++)
		c->born[i] = units[i]->born;
	lu_tm(&c->tmf, &c->nexus, c->function, rng_below(&rng, SLOTS), tmf_done);
}

/* ------ clients come and go ------ */

static void
client_gone(struct lu_nexus *nexus)
{
	struct client *c = container_of(nexus, struct client, nexus);

	for (size_t i = 0; i < SLOTS; i++)
		ck_assert(!c->slots[i].is_out);
	c->is_open = false;
	n_left++;
}

static void
client_open(struct client *c)
{
	memset(&c->nexus, 0, sizeof(c->nexus));
	c->nexus.classes = LU_CLASS(OP_POLICY_N) - 1;
	c->nexus.initiator = &c->id;
	c->nexus.port = c->number % 3 == 0 ? &remote : NULL;
	c->nexus.gone = client_gone;
	c->nexus.weight = c->number % CLIENTS;
	c->nexus.wants_sense = c->number % 2 == 0;
	c->is_leaving = false;
	ck_assert_int_eq(lu_nexus_open(&c->nexus, c->unit), 0);
	c->is_open = true;
	for (size_t i = 0; i < SLOTS; i++)
		slot_go(&c->slots[i]);
}

static void
client_leave(struct client *c)
{
	if (!c->is_open || c->is_leaving)
		return;
	c->is_leaving = true;
	lu_nexus_gone(&c->nexus);
}

static void
client_init(struct client *c, unsigned int number)
{
	memset(c, 0, sizeof(*c));
	c->number = number;
	c->unit = units[number / CLIENTS];
	lu_initiator_uid(&c->id, 1000 + number);
	for (size_t i = 0; i < SLOTS; i++) {
		lu_task_init(&c->slots[i].task);
		c->slots[i].client = c;
		c->slots[i].lba = (uint64_t)number * SLOTS + i;
		canary_set(&c->slots[i]);
	}
}

/* at home, every few milliseconds: something happens */
static void
turn(void *arg UNUSED)
{
	struct client *c = &clients[rng_below(&rng, ARRAY_LEN(clients))];
	uint64_t dice = rng_below(&rng, 200);

	if (dice < 60)
		client_tmf(c);
	else if (dice < 66 && !c->is_tmf_out)
		client_leave(c);
	else if (dice < 76)
		lu_set_depth(c->unit, (uint32_t)rng_below(&rng, 40));
	for (c = clients; c < clients + ARRAY_LEN(clients); c++) {
		if (!c->is_open)
			client_open(c);
		for (size_t i = 0; i < SLOTS && !c->is_leaving; i++) {
			if (!c->slots[i].is_out)
				slot_go(&c->slots[i]);
		}
	}
}

/* ------ the adapter ------ */

static void
faults_change(void)
{
	static const char *const rules[] = {
		"action=drop,prob=3", "action=drop,count=5", "action=delay,ms=2,prob=100",
		"action=delay,ms=700,prob=10", "action=delay,s=9,prob=2", "action=dup,prob=50",
		"action=busy,prob=20", "action=qfull,prob=10",
		"action=check,sense=6/29/00,prob=2", "action=check,sense=b/00/00,prob=20",
		"action=check,sense=6/2a/01,prob=2", "action=medium,prob=5",
		"action=short,bytes=100,op=read,prob=20", "action=resid,bytes=77,op=read,prob=20",
		"action=resid,bytes=999999,op=read,prob=20", "action=bus_reset,count=1",
		"action=gone,prob=5", "action=tran_err,prob=10", "action=stuck,count=1",
		"action=delay,us=10,prob=500",
	};
	char text[128], err[SOFT_ERR_LEN];
	uint32_t id;

	ck_assert_int_eq(soft_fault_remove(hba, 0), 0);
	for (uint64_t n = rng_below(&rng, 5); n > 0; n--) {
		const char *rule = rules[rng_below(&rng, ARRAY_LEN(rules))];

		(void)snprintf(text, sizeof(text), "%s%s%llu", rule,
		    strstr(rule, "prob") != NULL ? ",seed=" : ",target=",
		    (unsigned long long)rng_below(&rng, UNITS - 1));
		ck_assert_msg(soft_fault_add(hba, text, &id, err) == 0, "%s", err);
	}
}

static void
world_begin(void)
{
	static struct soft_disk_conf disks[UNITS];
	struct soft_hba_conf conf = { .disks = disks, .ndisks = UNITS };
	/* two units of one target, one of another */
	static const char *const lines[UNITS] = { "mem:1M,target=0,lun=0", "mem:1M,target=0,lun=1",
		"mem:1M,target=1" };
	char err[SOFT_ERR_LEN];

	port_home_begin();
	ck_assert_int_eq(scsa_smp_init(), 0);
	ck_assert_int_eq(driver_init(SOFT_DRIVER, soft_mod_init, soft_mod_fini), 0);
	for (int i = 0; i < UNITS; i++)
		ck_assert_msg(soft_conf_parse(lines[i], &disks[i], err) == 0, "%s", err);
	ck_assert_msg(soft_hba_new(&conf, &hba, err) == 0, "%s", err);
	ck_assert_int_eq(devi_attach(soft_hba_node(hba)), 0);
	ck_assert_int_eq(scsa_bus_config_all(soft_hba_node(hba)), UNITS);
	units[0] = port_unit("disk@0,0");
	units[1] = port_unit("disk@0,1");
	units[2] = port_unit("disk@1,0");
	for (unsigned int i = 0; i < ARRAY_LEN(clients); i++)
		client_init(&clients[i], i);
}

static void
world_end(void)
{
	for (int i = 0; i < UNITS; i++)
		lu_unref(units[i]);
	ck_assert_int_eq(scsa_bus_unconfig_all(soft_hba_node(hba)), 0);
	ck_assert_int_eq(devi_detach(soft_hba_node(hba), 0), 0);
	soft_hba_free(hba);
	ck_assert_int_eq(driver_unload(SOFT_DRIVER), 0);
	ck_assert_int_eq(scsa_smp_fini(), 0);
	port_home_end();
}

/* ------ the end ------ */

static bool
is_all_back(void)
{
	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		if (clients[i].is_tmf_out)
			return false;
		for (size_t j = 0; j < SLOTS; j++) {
			if (clients[i].slots[j].is_out)
				return false;
		}
	}
	return true;
}

static void
leave_all(void *arg UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(clients); i++)
		client_leave(&clients[i]);
}

static void
read_back(void *arg UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		for (size_t j = 0; j < SLOTS; j++)
			canary_check(&clients[i].slots[j]);
	}
}

static void
scenario(void *arg UNUSED)
{
	uint64_t turns = 0;

	n_sent = n_done = n_tmf = n_left = stamps = 0;
	is_ending = false;
	world_begin();
	while (n_sent < commands_max) {
		if (turns++ % 16 == 0)
			faults_change();
		port_at_home(turn, NULL);
		sim_advance_us(turns % 64 == 0 ? 3000000 : 100 + rng_below(&rng, 20000));
	}
	ck_assert_int_eq(soft_fault_remove(hba, 0), 0);
	/* the longest way back is up the ladder */
	for (int s = 0; s < 120 && !is_all_back(); s++)
		sim_advance_us(1000000);
	ck_assert(is_all_back());
	ck_assert_uint_eq(n_done, n_sent);
	is_ending = true;
	port_at_home(leave_all, NULL);
	sim_advance_us(1000000);
	port_at_home(read_back, NULL);
	for (size_t i = 0; i < ARRAY_LEN(clients); i++)
		ck_assert(!clients[i].is_open);
	world_end();
}

static void
run(uint64_t seed)
{
	const struct sim_opts opts = { .seed = seed, .yield_per_1024 = seed % 3 == 0 ? 0 : 16 };

	port_defaults();
	rng = rng_init(seed);
	sim_run(&opts, scenario, NULL);
	printf("seed %llu: %llu commands, %llu task management functions, %llu initiators left\n",
	    (unsigned long long)seed, (unsigned long long)n_done, (unsigned long long)n_tmf,
	    (unsigned long long)n_left);
}

START_TEST(each_is_answered_once)
{
	if (seed_given != 0) {
		run(seed_given);
		return;
	}
	for (uint64_t seed = 1; seed <= 3; seed++)
		run(seed);
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (reasons[i] != 0)
			printf("reason %2zu: %llu\n", i, (unsigned long long)reasons[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		if (statuses[i] != 0)
			printf("status %02zx: %llu\n", i, (unsigned long long)statuses[i]);
	}
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("random faults");
	TCase *tcase = tcase_create("random faults");
	SRunner *runner;
	int failed;

	if ((argc > 1 && num_parse_u64(argv[1], UINT64_MAX, &commands_max) < 0) ||
	    (argc > 2 && num_parse_u64(argv[2], UINT64_MAX, &seed_given) < 0)) {
		fprintf(stderr, "usage: %s [COMMANDS [SEED]]\n", argv[0]);
		return EXIT_FAILURE;
	}
	tcase_set_timeout(tcase, 0);
	tcase_add_test(tcase, each_is_answered_once);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
