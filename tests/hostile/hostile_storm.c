/*
 * hostile_storm - initiators that come, work a little and break off, while targets come and go
 *
 * usage: hostile_storm [--seconds S] [--threads N] [--seed N] PROGRAM
 *   --seconds S   how long (default 5)
 *   --threads N   initiators at one time (default 6)
 *   --seed N      of the choices (default 1); the order of events is the machine's
 *
 * The target serves an image file (its commands are answered by another turn of its loop than the
 * one that took them) under one name that stays and three that come and go by SIGHUP. Exit status
 * 0: the target lived, its last session was served, and it ended in time at SIGTERM although some
 * connections were open and nobody read from them.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "hostile/options.h"
#include "hostile/target.h"

#define DISK		"DIR/storm.img,size=67108864,direct"
#define EXTRAS		3
#define THREADS_MAX	64
#define BATCH_MAX	24
#define BLOCK		512u
#define BLOCKS_MAX	1024u
#define DISK_BLOCKS	131072u

static struct target_run run;
static atomic_bool is_over;
static atomic_uint n_sessions, n_refused, n_commands;

struct guest {
	struct raw raw, second;
	struct raw_where where;
	struct rng rng;
	unsigned int index;
	pthread_t thread;
};

static unsigned int
pick(struct rng *rng, unsigned int n)
{
	return (unsigned int)rng_below(rng, n);
}

static void
rest(struct rng *rng, unsigned int ms)
{
	(void)poll(NULL, 0, (int)pick(rng, ms + 1));
}

/* ------ the administrator ------ */

/* the targets of @mask beside the one that stays */
static bool
config_put(unsigned int mask)
{
	char path[96], successor[100];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/config", run.dir);
	(void)snprintf(successor, sizeof(successor), "%s.new", path);
	f = fopen(successor, "we");
	if (f == NULL)
		return false;
	(void)fprintf(f, "hbas:\n  - { driver: soft, disks: [ \"%s\" ] }\n"
	    "portals:\n  - { address: \"127.0.0.1:0\", group: 1 }\ntargets:\n", run.disk);
	for (unsigned int i = 0; i <= EXTRAS; i++)
		if (i == 0 || (mask >> (i - 1) & 1) != 0)
			(void)fprintf(f, "  - { name: \"iqn.2026-11.internal.hostile:target%s%.0u\","
			    " groups: [ \"1\" ] }\n", i == 0 ? "" : "-", i);
	(void)fprintf(f, "exports:\n");
	for (unsigned int i = 0; i <= EXTRAS; i++)
		if (i == 0 || (mask >> (i - 1) & 1) != 0)
			(void)fprintf(f, "  - { target: \"iqn.2026-11.internal.hostile:target%s%.0u\","
			    " lun: 0,\n      unit: \"soft0/iport0/disk@0,0\", access: [ all ] }\n",
			    i == 0 ? "" : "-", i);
	return fclose(f) == 0 && rename(successor, path) == 0;
}

static void *
admin_run(void *arg)
{
	struct rng *rng = arg;

	while (!atomic_load(&is_over)) {
		if (config_put(pick(rng, 1u << EXTRAS)))
			(void)kill(run.pid, SIGHUP);
		rest(rng, 80);
	}
	return NULL;
}

/* ------ initiators ------ */

static void
command(struct guest *g, struct raw *raw)
{
	static const uint8_t zeros[BLOCKS_MAX * BLOCK];
	uint32_t blocks = pick(&g->rng, 4) == 0 ? BLOCKS_MAX : 1 + pick(&g->rng, 16);
	uint32_t lba = pick(&g->rng, DISK_BLOCKS - BLOCKS_MAX), bytes = blocks * BLOCK;
	uint8_t cdb[10] = { pick(&g->rng, 3) == 0 ? 0x2a : 0x28 };

	raw_put32(cdb + 2, lba);
	raw_put16(cdb + 7, (uint16_t)blocks);
	(void)atomic_fetch_add(&n_commands, 1);
	if (cdb[0] == 0x28)
		(void)raw_cmd(raw, RAW_FINAL | RAW_READ | RAW_SIMPLE, cdb, 10, bytes, NULL, 0);
	else if (bytes <= 8192 && pick(&g->rng, 3) > 0)
		(void)raw_cmd(raw, RAW_FINAL | RAW_WRITE | RAW_SIMPLE, cdb, 10, bytes, zeros,
		    bytes);
	else /* its data is asked for, and does not come */
		(void)raw_cmd(raw, RAW_FINAL | RAW_WRITE | RAW_SIMPLE, cdb, 10, bytes, NULL, 0);
}

static void
management(struct guest *g, struct raw *raw)
{
	static const uint8_t functions[] = { 1, 2, 4, 5, 6, 8 };
	uint8_t bhs[RAW_BHS];

	raw_head(raw, bhs, RAW_TMF | RAW_IMMEDIATE,
	    RAW_FINAL | functions[pick(&g->rng, ARRAY_LEN(functions))]);
	raw_put32(bhs + 20, raw->itt - pick(&g->rng, 4));
	(void)raw_pdu(raw, bhs, NULL, 0);
}

static void
logout(struct guest *g, struct raw *raw)
{
	uint8_t bhs[RAW_BHS];

	raw_head(raw, bhs, RAW_LOGOUT | (pick(&g->rng, 2) == 0 ? RAW_IMMEDIATE : 0),
	    (uint8_t)(RAW_FINAL | pick(&g->rng, 3)));
	raw_put16(bhs + 20, (uint16_t)pick(&g->rng, 2));
	(void)raw_pdu(raw, bhs, NULL, 0);
}

static void
part(struct guest *g, struct raw *raw)
{
	switch (pick(&g->rng, 5)) {
	case 0:
		logout(g, raw);
		(void)raw_recv(raw, (int)pick(&g->rng, 20));
		raw_close(raw);
		break;
	case 1:
	case 2:
		raw_abort(raw);
		break;
	case 3: /* the end of the stream, then nothing is read any more */
		(void)shutdown(raw->fd, SHUT_WR);
		rest(&g->rng, 10);
		raw_close(raw);
		break;
	default:
		raw_close(raw);
		break;
	}
}

static void
work(struct guest *g)
{
	unsigned int n = 1 + pick(&g->rng, BATCH_MAX);

	for (unsigned int i = 0; i < n; i++) {
		bool is_second = g->second.fd >= 0 && pick(&g->rng, 2) == 0;
		struct raw *raw = is_second ? &g->second : &g->raw;

		/* both count the commands of one session */
		if (is_second)
			g->second.cmd_sn = g->raw.cmd_sn;
		if (pick(&g->rng, 12) == 0)
			management(g, raw);
		else
			command(g, raw);
		if (is_second)
			g->raw.cmd_sn = g->second.cmd_sn;
		if (pick(&g->rng, 3) == 0)
			(void)raw_recv(raw, (int)pick(&g->rng, 4));
	}
	for (unsigned int i = pick(&g->rng, 2) * pick(&g->rng, 200); i > 0; i--)
		if (raw_recv(&g->raw, 20) != RAW_PDU)
			break;
}

/* a login in two steps, with time between them, or only the first */
static void
half_login(struct guest *g)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "InitiatorName=%s\nTargetName=%s\n", g->raw.initiator,
	    g->where.name);
	if (raw_connect(&g->raw) < 0)
		return;
	if (raw_login_pdu(&g->raw, 0x04, text) && raw_recv(&g->raw, 1000) == RAW_PDU) {
		rest(&g->rng, 60);
		if (pick(&g->rng, 2) == 0 && raw_login_pdu(&g->raw, 0x87, ""))
			(void)raw_recv(&g->raw, 1000);
	}
	part(g, &g->raw);
}

static void
whole_login(struct guest *g)
{
	static const char *const keys[] = {
		"", "ErrorRecoveryLevel=1\n", "ErrorRecoveryLevel=2\nMaxConnections=4\n",
		"MaxConnections=4\nDefaultTime2Retain=0\n", "HeaderDigest=CRC32C\nDataDigest=CRC32C\n",
		"MaxConnections=4\nTaskReporting=FastAbort\n",
	};
	const char *wanted = keys[pick(&g->rng, ARRAY_LEN(keys))];

	if (raw_login(&g->raw, wanted) != 0) {
		(void)atomic_fetch_add(&n_refused, 1);
		raw_close(&g->raw);
		return;
	}
	(void)atomic_fetch_add(&n_sessions, 1);
	g->second.fd = -1;
	if (strstr(wanted, "MaxConnections") != NULL) {
		raw_init(&g->second, &g->where, g->index);
		g->second.tsih = g->raw.tsih;
		g->second.cid = 1;
		g->second.cmd_sn = g->raw.cmd_sn;
		if (raw_login(&g->second, "") != 0)
			raw_close(&g->second);
	}
	work(g);
	part(g, &g->raw);
	if (g->second.fd >= 0)
		part(g, &g->second);
}

static void *
guest_run(void *arg)
{
	struct guest *g = arg;

	while (!atomic_load(&is_over)) {
		unsigned int extra = pick(&g->rng, EXTRAS + 2);

		g->where = run.where;
		if (extra >= 1 && extra <= EXTRAS)
			(void)snprintf(g->where.name, sizeof(g->where.name),
			    "iqn.2026-11.internal.hostile:target-%u", extra);
		/* now and then as somebody else, who is replaced by it */
		raw_init(&g->raw, &g->where, pick(&g->rng, 8) == 0 ? g->index + 1 : g->index);
		if (pick(&g->rng, 4) == 0)
			half_login(g);
		else
			whole_login(g);
	}
	return NULL;
}

/* ------ before the storm ------ */

/* a read right behind a request that ends all tasks is not among these: it must be answered */
static bool
is_answered(struct raw *raw, uint8_t function)
{
	uint8_t bytes[2 * RAW_BHS], *read = bytes + RAW_BHS;
	unsigned int missing = 2;

	raw_head(raw, bytes, RAW_TMF | RAW_IMMEDIATE, (uint8_t)(RAW_FINAL | function));
	raw_put32(bytes + 20, RAW_NO_TAG);
	raw_head(raw, read, RAW_CMD, RAW_FINAL | RAW_READ | RAW_SIMPLE);
	raw_put32(read + 20, 8 * BLOCK);
	read[32] = 0x28;
	read[40] = 8;
	if (!raw_bytes(raw, bytes, sizeof(bytes)))
		return false;
	while (missing > 0 && raw_recv(raw, RAW_WAIT_MS) == RAW_PDU)
		missing -= raw_op(raw) == RAW_TMF_RSP || raw_op(raw) == RAW_RSP ||
		    (raw_op(raw) == RAW_DATA_IN && (raw->bhs[1] & 1) != 0);
	return missing == 0;
}

static bool
order_is_kept(void)
{
	static const uint8_t functions[] = { 2, 4, 5 };
	static struct raw raw;
	bool is_kept;

	raw_init(&raw, &run.where, 100);
	is_kept = raw_login(&raw, "") == 0 && raw_ready(&raw);
	for (unsigned int i = 0; is_kept && i < 30; i++)
		is_kept = is_answered(&raw, functions[i % ARRAY_LEN(functions)]);
	raw_close(&raw);
	if (!is_kept)
		(void)fprintf(stderr, "a command behind task management is not answered\n");
	return is_kept;
}

/* ------ the end ------ */

/* sessions that want much and take nothing, in the way of those who end the target */
static void
choke(struct raw *raws, unsigned int n)
{
	static const uint8_t read_10[10] = { 0x28, [7] = 0x20 };

	for (unsigned int i = 0; i < n; i++) {
		raw_init(&raws[i], &run.where, 200 + i);
		if (raw_login(&raws[i], "") != 0)
			continue;
		for (unsigned int k = 0; k < 8; k++)
			(void)raw_cmd(&raws[i], RAW_FINAL | RAW_READ | RAW_SIMPLE, read_10, 10,
			    8192 * BLOCK, NULL, 0);
	}
}

static int
storm(struct guest *guests, const struct hostile_options *o)
{
	static struct raw last, chokers[4];
	struct rng rng = rng_init(o->seed);
	int status = order_is_kept() ? 0 : 1;
	pthread_t admin;

	(void)pthread_create(&admin, NULL, admin_run, &rng);
	for (unsigned int i = 0; i < o->threads; i++) {
		guests[i].index = i;
		guests[i].rng = rng_init(o->seed + 1 + i);
		(void)pthread_create(&guests[i].thread, NULL, guest_run, &guests[i]);
	}
	for (unsigned int i = 0; i < o->seconds * 10 && target_is_alive(&run); i++)
		(void)poll(NULL, 0, 100);
	atomic_store(&is_over, true);
	for (unsigned int i = 0; i < o->threads; i++)
		(void)pthread_join(guests[i].thread, NULL);
	(void)pthread_join(admin, NULL);
	raw_init(&last, &run.where, 300);
	if (raw_login(&last, "") != 0 || !raw_ready(&last)) {
		(void)fprintf(stderr, "nobody is served any more\n");
		status = 1;
	}
	choke(chokers, ARRAY_LEN(chokers));
	(void)printf("%u sessions, %u logins refused, %u commands; seed %llu\n",
	    atomic_load(&n_sessions), atomic_load(&n_refused), atomic_load(&n_commands),
	    (unsigned long long)o->seed);
	return target_stop(&run) ? status : 1;
}

int
main(int argc, char **argv)
{
	struct hostile_options o = { .seconds = 5, .threads = 6, .threads_max = THREADS_MAX,
		.seed = 1 };
	static struct guest guests[THREADS_MAX];

	if (!hostile_options_take(argc, argv, &o))
		return 2;
	(void)signal(SIGPIPE, SIG_IGN);
	if (!target_start(&run, o.target, DISK))
		return 1;
	return storm(guests, &o);
}
