/* C90: a target is pulled with commands under way: each ends once, then its nodes go, then its
 * store is closed */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/taskq.h>
#include <unistd.h>

#include "base/rng.h"
#include "check_main.h"
#include "ddi/devtree.h"
#include "mock_flow.h"
#include "scsa/config.h"

#define DEPTH	24

static char err[SOFT_ERR_LEN], path[64], line[96];
static uint8_t cdb[CDB_BUF_LEN], data[4096];
static struct io ios[DEPTH], io;

static void
let_settle(void)
{
	sim_advance_us(500000);
}

static void
start(struct io *one, struct scsi_device *sd)
{
	io_init(one, sd, cdb, cdb_read(cdb, CDB_10, 0, 8, 0), data, sizeof(data), true, IO_ARQ);
	one->pkt->pkt_time = 0;
	io_send(one);
}

/* dropped, delayed, and sent afterwards: all the same end */
static void
held_commands_end(void)
{
	struct scsi_device *sd = flow_sd(1, 0), *other = flow_sd(0, 0);
	dev_info_t *node = sd->sd_dev;

	(void)fault("action=drop,op=read,count=4");
	(void)fault("action=delay,ms=20,op=read,count=4");
	for (size_t i = 0; i < 8; i++)
		start(&ios[i], sd);
	ck_assert(devi_hold(node));
	ck_assert_int_eq(soft_target_remove(flow_hba, "iport0/1", err), 0);
	sim_settle();
	for (size_t i = 0; i < 8; i++)
		ck_assert(io_ended(&ios[i], CMD_DEV_GONE, 0));
	let_settle();
	/* its node is still held: whoever sends is told, and everything else goes on */
	start(&io, sd);
	io_wait(&io);
	ck_assert(io_ended(&io, CMD_DEV_GONE, 0));
	ck_assert_uint_eq(io.pkt->pkt_state, 0);
	io_fini(&io);
	ck_assert_int_eq(scsi_reset(&sd->sd_address, RESET_LUN), 0);
	ck_assert_int_eq(scsi_reset(&sd->sd_address, RESET_TARGET), 0);
	ck_assert_int_eq(scsi_abort(&sd->sd_address, NULL), 1);
	ck_assert_int_eq(scsi_reset(&other->sd_address, RESET_ALL), 1);
	ck_assert_int_eq(soft_target_add(flow_hba, "mem:1M,target=1", NULL, err), -EBUSY);
	for (size_t i = 0; i < 8; i++)
		io_fini(&ios[i]);
	devi_release(node);
	let_settle();
	ck_assert_uint_eq(flow_units(), 1);
	ck_assert_int_eq(soft_target_add(flow_hba, "mem:1M,target=1", NULL, err), 0);
	let_settle();
	ck_assert_uint_eq(flow_units(), 2);
	/* a delayed command of the old unit is not executed on anybody later */
	sim_advance_us(1000000);
	for (size_t i = 0; i < 8; i++)
		ck_assert_uint_eq(atomic_load(&ios[i].done), 1);
}

/* quiesce and removal do not wait for each other */
static void
quiesced_removal(void)
{
	(void)fault("action=drop,op=read,target=1");
	start(&io, flow_sd(1, 0));
	ck_assert_int_eq(soft_target_remove(flow_hba, "1", err), 0);
	ck_assert_int_eq(scsa_bus_quiesce(soft_hba_node(flow_hba)), 0);
	io_wait(&io);
	ck_assert(io_ended(&io, CMD_DEV_GONE, 0));
	io_fini(&io);
	let_settle();
	ck_assert_uint_eq(flow_units(), 1);
	ck_assert_int_eq(scsa_bus_unquiesce(soft_hba_node(flow_hba)), 0);
}

static void
pull(void *arg)
{
	(void)arg;
	ck_assert_int_eq(soft_target_remove(flow_hba, "1", err), 0);
}

/* commands that were let in just before, and are held just after: nobody forgets them */
static void
sent_meanwhile(void)
{
	struct scsi_device *sd = flow_sd(1, 0);
	taskq_t *tq = taskq_create("pull", 1, 0, 1, 1, 0);
	dev_info_t *node = sd->sd_dev;

	(void)fault("action=drop,op=read");
	ck_assert(devi_hold(node));
	ck_assert_uint_ne(taskq_dispatch(tq, pull, NULL, TQ_SLEEP), 0);
	for (size_t i = 0; i < DEPTH; i++)
		start(&ios[i], sd);
	for (size_t i = 0; i < DEPTH; i++) {
		io_wait(&ios[i]);
		ck_assert(io_ended(&ios[i], CMD_DEV_GONE, 0));
		io_fini(&ios[i]);
	}
	taskq_destroy(tq);
	devi_release(node);
	let_settle();
	ck_assert_uint_eq(flow_units(), 1);
}

#define FLOW_TEST(name)                                                        \
	START_TEST(c90_##name)                                                 \
	{                                                                      \
		struct flow flow = { .scenario = name,                         \
			.disks = { "mem:1M,target=0", "mem:1M,target=1" } };   \
                                                                               \
		for (flow.seed = 1; flow.seed <= 10; flow.seed++)              \
			flow_run(&flow);                                       \
	}                                                                      \
	END_TEST

FLOW_TEST(held_commands_end)
FLOW_TEST(quiesced_removal)

START_TEST(c90_sent_meanwhile)
{
	struct flow flow = { .scenario = sent_meanwhile,
		.disks = { "mem:1M,target=0", "mem:1M,target=1" } };

	for (flow.seed = 1; flow.seed <= 100; flow.seed++)
		flow_run(&flow);
}
END_TEST

/* real threads and a real file from here on */

/* the address is in use until the node is gone, and the file until its store is closed */
static void
add_again(void)
{
	int r;

	do {
		r = soft_target_add(flow_hba, line, NULL, err);
		ck_assert_msg(r == 0 || r == -EBUSY, "%d %s", r, err);
	} while (r == -EBUSY);
}

static struct scsi_device *
wait_unit(void)
{
	struct scsi_device *sd;

	while ((sd = flow_find("iport0/1,0")) == NULL)
		ck_assert_int_ge(scsa_bus_config_all(flow_port), 1);
	return sd;
}

static void
pulled_under_load(void)
{
	unsigned int gone = 0;

	add_again();
	for (int round = 0; round < 15; round++) {
		struct scsi_device *sd = wait_unit();
		dev_info_t *node = sd->sd_dev;

		/* as long as there are commands, somebody holds the node */
		ck_assert(devi_hold(node));
		for (size_t i = 0; i < DEPTH; i++) {
			io_init(&ios[i], sd, cdb, cdb_write(cdb, CDB_10, i * 8, 8, CDB_FUA),
			    data, sizeof(data), false, IO_ARQ);
			io_send(&ios[i]);
			if (i == DEPTH / 2)
				ck_assert_int_eq(soft_target_remove(flow_hba, "1", err), 0);
		}
		for (size_t i = 0; i < DEPTH; i++) {
			io_wait(&ios[i]);
			ck_assert(ios[i].pkt->pkt_reason == CMD_CMPLT ||
			    ios[i].pkt->pkt_reason == CMD_DEV_GONE);
			gone += ios[i].pkt->pkt_reason == CMD_DEV_GONE;
			io_fini(&ios[i]);
		}
		devi_release(node);
		add_again();
	}
	ck_assert_uint_ge(gone, 15 * (DEPTH / 2 - 1));
}

START_TEST(c90_file_is_closed_after_the_last_command)
{
	struct flow flow = { .disks = { "mem:1M" }, .scenario = pulled_under_load,
		.queues = 2 };
	int fd;

	fd = check_file(path, sizeof(path));
	ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
	close(fd);
	snprintf(line, sizeof(line), "%s,target=1", path);
	flow_native(&flow);
	unlink(path);
}
END_TEST

/* what two that do not know of each other may be told */
static void
one_of(int r)
{
	ck_assert_msg(r == 0 || r == -EBUSY || r == -EEXIST || r == -ENOENT, "%d", r);
}

/* two threads change the same adapter */
static void *
change_much(void *arg)
{
	struct rng rng = rng_init((uintptr_t)arg);
	char text[64], addr[SOFT_ADDR_LEN], why[SOFT_ERR_LEN];

	for (int i = 0; i < 60; i++) {
		int target = 1 + (int)rng_below(&rng, 4);

		snprintf(text, sizeof(text), "null:1G,target=%d,luns=%d", target,
		    1 + (int)rng_below(&rng, 4));
		one_of(soft_target_add(flow_hba, text, addr, why));
		snprintf(text, sizeof(text), "null:1G,target=%d", target);
		one_of(soft_lun_add(flow_hba, text, addr, why));
		snprintf(text, sizeof(text), "%x,%x", target, (unsigned int)rng_below(&rng, 4));
		one_of(soft_lun_remove(flow_hba, text, why));
		if (rng_below(&rng, 2) == 0)
			one_of(soft_target_remove(flow_hba, text, why));
	}
	return NULL;
}

static void
changed_by_two(void)
{
	pthread_t threads[2];

	for (uintptr_t i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, change_much, (void *)i), 0);
	for (int i = 0; i < 200; i++) {
		struct soft_port_info port;
		struct soft_disk_info info;

		ck_assert_uint_eq(soft_ports(flow_hba, &port, 1), 1);
		one_of(soft_disk_info_get(flow_hba, (size_t)i % 8, &info));
		ck_assert_int_eq(scsi_reset(&flow_sd(0, 0)->sd_address, RESET_ALL), 1);
	}
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	for (unsigned int t = 1; t < 5; t++) {
		char text[8];

		snprintf(text, sizeof(text), "%x", t);
		one_of(soft_target_remove(flow_hba, text, err));
	}
	while (scsa_bus_config_all(flow_port) != 1)
		;
	ck_assert_uint_eq(soft_hba_disks(flow_hba), 1);
}

START_TEST(changes_of_two_threads)
{
	struct flow flow = { .disks = { "mem:1M" }, .scenario = changed_by_two };

	flow_native(&flow);
}
END_TEST

CHECK_MAIN("removal ends commands", c90_held_commands_end, c90_quiesced_removal,
    c90_sent_meanwhile, c90_file_is_closed_after_the_last_command, changes_of_two_threads)
