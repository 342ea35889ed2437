/*
 * kill_loop.c - the daemon may die at any instant: no acknowledged block is lost or torn
 *
 * usage: kill_loop --scsad PROGRAM --dir FOLDER [--rounds N] [--seed N]
 *
 * Each round starts the daemon on one image file, keeps writes with FUA under way to random
 * blocks (every block carries its number, a sequence number and a check sum), kills the daemon
 * with SIGKILL at a random moment, starts it again, and reads the whole image: every block must
 * be whole, and as new as the newest write of it that was acknowledged, or newer. What is read
 * is carried into the next round, so a late write of an old round would be found as well.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/rng.h"
#include "client/scsac.h"

#define BLOCK_BYTES	4096u
#define BLOCKS		2048u
#define DEPTH		16u
#define CHUNK_BLOCKS	64u

static const char *scsad, *dir;
static char image_path[400], image_spec[512];
static char sock_dir[] = "/tmp/kill_loop.XXXXXX", sock_path[64]; /* paths of sockets are short */
static struct rng rng;
static pid_t daemon_pid;

/* what this program knows of a block */
static struct block {
	uint64_t sent;		/* highest sequence number ever sent */
	uint64_t acked;		/* highest acknowledged */
	bool is_busy;		/* a write is under way: one at a time a block */
} blocks[BLOCKS];

static uint64_t next_seq = 1;
static uint64_t acked_total;

static void
die(const char *what, const char *detail)
{
	(void)fprintf(stderr, "kill_loop: %s: %s\n", what, detail);
	if (daemon_pid > 0)
		(void)kill(daemon_pid, SIGKILL);
	exit(1);
}

/* ------ blocks that can be checked ------ */

static uint64_t
sum_of(const uint8_t *p)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 8; i < BLOCK_BYTES; i += 8)
		h = (h ^ le64_get(p + i)) * 0x100000001b3ull;
	return h;
}

static void
block_fill(uint8_t *p, uint32_t lba, uint64_t seq)
{
	struct rng r = rng_init(seq);

	for (size_t i = 24; i < BLOCK_BYTES; i += 8)
		le64_put(p + i, rng_next(&r));
	le64_put(p + 8, lba);
	le64_put(p + 16, seq);
	le64_put(p, sum_of(p));
}

static void
block_check(const uint8_t *p, uint32_t lba)
{
	struct block *b = &blocks[lba];
	uint64_t seq = le64_get(p + 16);
	char text[160];

	if (seq == 0 && le64_get(p) == 0 && le64_get(p + 8) == 0) {
		if (b->acked == 0)
			return;
		seq = 0;
	} else if (sum_of(p) != le64_get(p) || le64_get(p + 8) != lba) {
		(void)snprintf(text, sizeof(text), "block %u is torn", lba);
		die("data", text);
	}
	if (seq < b->acked || seq > b->sent) {
		(void)snprintf(text, sizeof(text),
		    "block %u holds write %llu; acknowledged %llu, sent %llu", lba,
		    (unsigned long long)seq, (unsigned long long)b->acked,
		    (unsigned long long)b->sent);
		die("data", text);
	}
	/* from now on this is what the disk is known to hold */
	b->acked = seq;
	b->is_busy = false;
}

/* ------ daemon ------ */

static struct scsac *
daemon_start(uint64_t *ret_handle)
{
	uint64_t give_up = clock_now_ns() + 60 * NS_PER_S;
	struct scsac *c;

	daemon_pid = fork();
	if (daemon_pid < 0)
		die("fork", strerror(errno));
	if (daemon_pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)execl(scsad, scsad, "--socket", sock_path, "--log-level", "error", "--loops", "1",
		    "--disk", image_spec, NULL);
		_exit(127);
	}
	if (scsac_new("kill_loop", &c) < 0)
		die("scsac_new", "out of memory");
	while (scsac_connect(c, sock_path) < 0) {
		const struct timespec pause = { .tv_nsec = 2000000 };

		if (clock_now_ns() > give_up || waitpid(daemon_pid, NULL, WNOHANG) == daemon_pid)
			die("the daemon did not come up", scsac_last_error(c)->text);
		(void)nanosleep(&pause, NULL);
	}
	if (scsac_open(c, "disk@0,0", ret_handle, NULL) < 0)
		die("open", scsac_last_error(c)->text);
	return c;
}

static void
daemon_kill(void)
{
	(void)kill(daemon_pid, SIGKILL);
	(void)waitpid(daemon_pid, NULL, 0);
	daemon_pid = 0;
}

/* ------ writing ------ */

struct writer {
	struct scsac *c;
	uint64_t handle;
	bool is_over;
};

struct slot {
	struct writer *w;
	uint32_t lba;
	uint64_t seq;
	uint8_t cdb[10];
	uint8_t data[BLOCK_BYTES];
};

static struct slot slots[DEPTH];

static void slot_done(struct scsac *c, const struct scsac_result *res, void *arg);

static void
slot_write(struct slot *s)
{
	struct scsac_cmd cmd = {
		.handle = s->w->handle,
		.cdb = s->cdb,
		.cdb_len = sizeof(s->cdb),
		.direction = SCSAC_OUT,
		.data = s->data,
		.data_len = BLOCK_BYTES,
	};

	do {
		s->lba = (uint32_t)rng_below(&rng, BLOCKS);
	} while (blocks[s->lba].is_busy);
	s->seq = next_seq++;
	memset(s->cdb, 0, sizeof(s->cdb));
	s->cdb[0] = 0x2a;
	s->cdb[1] = 0x08; /* FUA: SBC-3 5.34 */
	be32_put(&s->cdb[2], s->lba * (BLOCK_BYTES / 512));
	be16_put(&s->cdb[7], BLOCK_BYTES / 512);
	block_fill(s->data, s->lba, s->seq);
	if (scsac_submit(s->w->c, &cmd, slot_done, s, NULL) < 0) {
		s->w->is_over = true;
		return;
	}
	blocks[s->lba].sent = s->seq;
	blocks[s->lba].is_busy = true;
}

static void
slot_done(struct scsac *c, const struct scsac_result *res, void *arg)
{
	struct slot *s = arg;

	(void)c;
	if (res->is_unknown || res->err < 0) {
		s->w->is_over = true;
		return; /* the block stays busy until it has been read back */
	}
	if (res->reason != SCSAC_CMPLT || res->status != 0)
		die("write", scsac_reason_name(res->reason));
	blocks[s->lba].acked = s->seq;
	blocks[s->lba].is_busy = false;
	acked_total++;
	if (!s->w->is_over)
		slot_write(s);
}

static void
write_until_killed(void)
{
	struct writer w = { 0 };
	bool is_alive = true;
	uint64_t kill_at;

	w.c = daemon_start(&w.handle);
	kill_at = clock_now_ns() + rng_below(&rng, 60) * NS_PER_MS;
	for (size_t i = 0; i < DEPTH; i++) {
		slots[i].w = &w;
		slot_write(&slots[i]);
	}
	while (scsac_in_flight(w.c) > 0) {
		if (is_alive && clock_now_ns() >= kill_at) {
			daemon_kill();
			is_alive = false;
		}
		if (scsac_wait(w.c, 5) == -ENOTCONN)
			break;
	}
	if (is_alive)
		die("the daemon", "went by itself");
	scsac_free(w.c);
}

/* ------ reading back ------ */

static void
read_all(void)
{
	static uint8_t data[CHUNK_BLOCKS * BLOCK_BYTES];
	uint64_t handle;
	struct scsac *c = daemon_start(&handle);
	struct scsac_result res;

	for (uint32_t lba = 0; lba < BLOCKS; lba += CHUNK_BLOCKS) {
		uint8_t cdb[10] = { 0x28 };
		struct scsac_cmd cmd = {
			.handle = handle,
			.cdb = cdb,
			.cdb_len = sizeof(cdb),
			.direction = SCSAC_IN,
			.data = data,
			.data_len = sizeof(data),
		};

		be32_put(&cdb[2], lba * (BLOCK_BYTES / 512));
		be16_put(&cdb[7], CHUNK_BLOCKS * (BLOCK_BYTES / 512));
		if (scsac_exec(c, &cmd, &res) < 0 || res.reason != SCSAC_CMPLT || res.resid != 0)
			die("read", scsac_last_error(c)->text);
		if (res.status == 0x02 && lba == 0) {
			/* power on, told once to the first who asks: ask again */
			if (scsac_exec(c, &cmd, &res) < 0)
				die("read", scsac_last_error(c)->text);
		}
		if (res.status != 0)
			die("read", "not good");
		for (uint32_t i = 0; i < CHUNK_BLOCKS; i++)
			block_check(data + (size_t)i * BLOCK_BYTES, lba + i);
	}
	scsac_free(c);
	daemon_kill();
}

static void
leftovers_remove(void)
{
	char lock_path[80];

	(void)snprintf(lock_path, sizeof(lock_path), "%s.lock", sock_path);
	(void)unlink(lock_path);
	(void)unlink(sock_path);
	(void)rmdir(sock_dir);
	(void)unlink(image_path);
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "scsad", required_argument, NULL, 's' },
		{ "dir", required_argument, NULL, 'd' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 'e' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t rounds = 100, seed = 1;
	int o;

	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (o == 's')
			scsad = optarg;
		else if (o == 'd')
			dir = optarg;
		else if (o == 'r' && num_parse_u64(optarg, 1000000, &rounds) == 0)
			continue;
		else if (o != 'e' || num_parse_u64(optarg, UINT64_MAX, &seed) < 0)
			optind = argc + 1;
	}
	if (scsad == NULL || dir == NULL || optind != argc) {
		(void)fprintf(stderr, "usage: kill_loop --scsad PROGRAM --dir FOLDER [--rounds N] [--seed N]\n");
		return 2;
	}
	rng = rng_init(seed);
	if (mkdtemp(sock_dir) == NULL)
		die(sock_dir, strerror(errno));
	(void)snprintf(image_path, sizeof(image_path), "%s/kill-%d.img", dir, (int)getpid());
	(void)snprintf(
	    image_spec, sizeof(image_spec), "%s,size=%u", image_path, BLOCKS * BLOCK_BYTES);
	(void)snprintf(sock_path, sizeof(sock_path), "%s/sock", sock_dir);
	(void)unlink(image_path); /* of a run that failed */
	for (uint64_t i = 0; i < rounds; i++) {
		write_until_killed();
		read_all();
	}
	leftovers_remove();
	printf("%llu kills, %llu acknowledged writes: none lost, none torn\n",
	    (unsigned long long)rounds, (unsigned long long)acked_total);
	return acked_total == 0;
}
