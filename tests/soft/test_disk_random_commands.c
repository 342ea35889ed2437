/*
 * Several threads send random commands to one disk, each to blocks of its own that lie between
 * those of the others, and each knows what has to be there.
 *
 * usage: test_disk_random_commands [COMMANDS [SEED]]   of each thread (1000000 for a night)
 *
 * Commands are cancelled in the middle: whatever of their blocks is as it was or as it was to be,
 * which a read finds out, must stay like that. Blocks of others are read as well: what they hold
 * is not known, but the read succeeds.
 */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/num.h"
#include "base/rng.h"
#include "hw/soft/aio.h"
#include "check_dir.h"
#include "mock_disk.h"

#define THREADS		4u
#define GROUP		12u		/* blocks in a row of one thread */
#define BLOCKS		(GROUP * 128u)
#define BLOCK_MAX	4096u
#define CDB_FORMS	3

enum ending { END_GOOD, END_BAD, END_CANCELLED };

struct player {
	struct disk_cmd cmd;		/* first */
	pthread_t thread;
	pthread_mutex_t lock;		/* of is_done: what an adapter has around its list */
	bool is_done;
	bool may_cancel;
	struct rng rng;
	uint64_t lba;			/* the range at work */
	uint32_t n;
	size_t len;			/* bytes of it */
	uint8_t cdb[CDB_BUF_LEN];
	uint8_t out[2 * GROUP * BLOCK_MAX], in[GROUP * BLOCK_MAX];
	uint8_t after[GROUP * BLOCK_MAX];	/* what the range is to hold */
};

static struct bench b;
static struct player players[THREADS];
static uint8_t *model;
static uint64_t commands_max = 400, seed = 1;
static atomic_uint n_bad, n_cancelled, n_good;
static atomic_bool is_over;
static int wakeup;

static uint32_t
below(struct player *p, uint32_t n)
{
	return (uint32_t)rng_below(&p->rng, n);
}

static uint32_t
block_bytes(void)
{
	return disk_block_bytes(b.disk);
}

static void
bad(const struct player *p, const char *what)
{
	if (atomic_fetch_add(&n_bad, 1) > 5)
		return;
	(void)fprintf(stderr, "%s: %s: CDB %02x %02x, block %llu, %u of them: status %02x, "
	    "sense %x/%04x\n", b.conf.path, what, p->cdb[0], p->cdb[1],
	    (unsigned long long)p->lba, p->n, p->cmd.status,
	    p->cmd.has_sense ? p->cmd.sense.key : 0, p->cmd.has_sense ? p->cmd.sense.asc : 0);
}

/* ------ one command ------ */

static void
cmd_pend(struct disk_cmd *cmd)
{
	(void)cmd;
}

static void
cmd_done(struct disk_cmd *cmd)
{
	struct player *p = container_of(cmd, struct player, cmd);

	(void)pthread_mutex_lock(&p->lock);
	p->is_done = true;
	(void)pthread_mutex_unlock(&p->lock);
}

static bool
is_done(struct player *p)
{
	bool is;

	(void)pthread_mutex_lock(&p->lock);
	is = p->is_done;
	(void)pthread_mutex_unlock(&p->lock);
	return is;
}

static bool
cancel(struct player *p)
{
	bool is;

	for (uint32_t i = below(p, 30); i > 0; i--)
		(void)sched_yield();
	(void)pthread_mutex_lock(&p->lock);
	is = !p->is_done;
	if (is)
		disk_cancel(&p->cmd);
	(void)pthread_mutex_unlock(&p->lock);
	return is;
}

/* a buffer in up to four pieces */
static void
cut(struct player *p, uint8_t *buf, size_t len)
{
	struct disk_cmd *cmd = &p->cmd;

	cmd->niov = 0;
	for (size_t at = 0; at < len;) {
		size_t left = len - at;
		size_t part = cmd->niov == 3 || left < 3 ? left : 1 + below(p, (uint32_t)left);

		cmd->iov[cmd->niov++] = (struct iovec){ buf + at, part };
		at += part;
	}
}

static enum ending
cmd_once(struct player *p, size_t cdb_len, enum op_dir dir, uint8_t *buf, size_t len)
{
	struct disk_cmd *cmd = &p->cmd;
	bool is_cancelled = false;

	p->is_done = false;
	atomic_store(&cmd->is_cancelled, false);
	cmd->cdb = p->cdb;
	cmd->cdb_len = cdb_len;
	cmd->buf_bytes = len;
	cmd->buf_dir = len == 0 ? OP_DIR_NONE : dir;
	cmd->limit_bytes = UINT64_MAX;
	cmd->aio = b.aio;
	cmd->pend = cmd_pend;
	cmd->done = cmd_done;
	cut(p, buf, len);
	if (!disk_execute(b.disk, cmd)) {
		if (p->may_cancel && below(p, 4) == 0)
			is_cancelled = cancel(p);
		while (!is_done(p))
			(void)sched_yield();
	}
	if (is_cancelled)
		return END_CANCELLED;
	return cmd->status == SAM_STAT_GOOD ? END_GOOD : END_BAD;
}

/* unit attentions of resets come in between */
static enum ending
cmd_run(struct player *p, size_t cdb_len, enum op_dir dir, uint8_t *buf, size_t len)
{
	enum ending end;

	do {
		end = cmd_once(p, cdb_len, dir, buf, len);
	} while (end == END_BAD && p->cmd.has_sense &&
	    p->cmd.sense.key == SENSE_UNIT_ATTENTION);
	return end;
}

/* ------ what has to be there ------ */

static uint8_t *
model_at(uint64_t lba)
{
	return model + lba * block_bytes();
}

/* the range as it is on the disk, into p->in */
static bool
range_read(struct player *p)
{
	static const enum cdb_form forms[CDB_FORMS] = { CDB_10, CDB_12, CDB_16 };
	uint8_t before[CDB_BUF_LEN];
	enum ending end;

	memcpy(before, p->cdb, sizeof(before));
	p->may_cancel = false;
	end = cmd_run(p, cdb_read(p->cdb, forms[below(p, CDB_FORMS)], p->lba, p->n,
	    below(p, 8) == 0 ? CDB_FUA : 0), OP_DIR_IN, p->in, p->len);
	if (end != END_GOOD || p->cmd.moved != p->len) {
		bad(p, "a read failed");
		return false;
	}
	memcpy(p->cdb, before, sizeof(before));
	return true;
}

/* each block is as it was, or as it was to be: from now on it is what it is */
static void
range_settle(struct player *p)
{
	uint32_t block = block_bytes();

	if (!range_read(p))
		return;
	for (uint32_t i = 0; i < p->n; i++) {
		const uint8_t *now = p->in + i * block;

		if (memcmp(now, model_at(p->lba + i), block) != 0 &&
		    memcmp(now, p->after + i * block, block) != 0)
			bad(p, "a block is neither old nor new after a cancel");
		memcpy(model_at(p->lba + i), now, block);
	}
}

static void
range_check(struct player *p)
{
	if (range_read(p) && memcmp(p->in, model_at(p->lba), p->len) != 0)
		bad(p, "a block is not what was written");
}

/* a command that makes p->after of the range */
static void
change(struct player *p, size_t cdb_len, size_t len)
{
	p->may_cancel = true;
	switch (cmd_run(p, cdb_len, OP_DIR_OUT, p->out, len)) {
	case END_GOOD:
		memcpy(model_at(p->lba), p->after, p->len);
		(void)atomic_fetch_add(&n_good, 1);
		break;
	case END_CANCELLED:
		(void)atomic_fetch_add(&n_cancelled, 1);
		range_settle(p);
		break;
	case END_BAD:
		bad(p, "a change failed");
		break;
	}
}

/* ------ commands ------ */

static void
fill_random(struct player *p, uint8_t *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)rng_next(&p->rng);
}

static void
do_write(struct player *p)
{
	static const enum cdb_form forms[CDB_FORMS] = { CDB_10, CDB_12, CDB_16 };

	fill_random(p, p->after, p->len);
	memcpy(p->out, p->after, p->len);
	change(p, cdb_write(p->cdb, forms[below(p, CDB_FORMS)], p->lba, p->n,
	    below(p, 4) == 0 ? CDB_FUA : 0), p->len);
}

static void
do_write_verify(struct player *p)
{
	size_t cdb_len;

	fill_random(p, p->after, p->len);
	memcpy(p->out, p->after, p->len);
	cdb_len = cdb_write_verify(p->cdb, CDB_16, p->lba, p->n, 0);
	p->cdb[1] |= (uint8_t)(below(p, 2) << 1);
	change(p, cdb_len, p->len);
}

static void
do_write_same(struct player *p)
{
	uint32_t block = block_bytes(), how = below(p, 4);
	size_t cdb_len = cdb_write_same(p->cdb, CDB_16, p->lba, p->n, 0);

	/* data, zeros that may be unmapped, no data at all, data with UNMAP */
	if (how == 1 || how == 3)
		p->cdb[1] |= 0x08;
	if (how == 2)
		p->cdb[1] |= 0x01;
	memset(p->out, 0, block);
	if (how == 0 || how == 3)
		fill_random(p, p->out, block);
	for (uint32_t i = 0; i < p->n; i++)
		memcpy(p->after + i * block, p->out, block);
	change(p, cdb_len, how == 2 ? 0 : block);
}

/* the range in two descriptors, one of which may be empty */
static void
do_unmap(struct player *p)
{
	uint32_t first = below(p, p->n + 1);

	memset(p->after, 0, p->len);
	memset(p->out, 0, 40);
	be16_put(p->out, 38);
	be16_put(p->out + 2, 32);
	be64_put(p->out + 8, p->lba);
	be32_put(p->out + 16, first);
	be64_put(p->out + 24, p->lba + first);
	be32_put(p->out + 32, p->n - first);
	change(p, cdb_unmap(p->cdb, 40, below(p, 3) == 0 ? CDB_ANCHOR : 0), 40);
}

static void
do_compare_and_write(struct player *p)
{
	size_t cdb_len = cdb_compare_and_write(p->cdb, p->lba, (uint8_t)p->n, 0);
	uint32_t wrong;

	memcpy(p->out, model_at(p->lba), p->len);
	fill_random(p, p->after, p->len);
	memcpy(p->out + p->len, p->after, p->len);
	if (below(p, 3) != 0) {
		change(p, cdb_len, 2 * p->len);
		return;
	}
	wrong = below(p, (uint32_t)p->len);
	p->out[wrong] ^= 0x10;
	p->may_cancel = false;
	if (cmd_run(p, cdb_len, OP_DIR_OUT, p->out, 2 * p->len) != END_BAD ||
	    p->cmd.sense.key != SENSE_MISCOMPARE || p->cmd.sense.info != wrong)
		bad(p, "a difference was not found");
	range_check(p);
}

static void
do_orwrite(struct player *p)
{
	fill_random(p, p->out, p->len);
	for (size_t i = 0; i < p->len; i++)
		p->after[i] = p->out[i] | model_at(p->lba)[i];
	change(p, cdb_orwrite(p->cdb, p->lba, p->n, 0), p->len);
}

static void
do_write_atomic(struct player *p)
{
	if (p->n < 2)
		return;
	/* groups begin at multiples of the grain */
	p->lba -= p->lba % 2;
	p->n -= p->n % 2;
	p->len = (size_t)p->n * block_bytes();
	fill_random(p, p->after, p->len);
	memcpy(p->out, p->after, p->len);
	change(p, cdb_write_atomic(p->cdb, p->lba, 0, (uint16_t)p->n, 0), p->len);
}

static void
do_verify(struct player *p)
{
	size_t cdb_len = cdb_verify(p->cdb, CDB_16, p->lba, p->n, 0);

	p->cdb[1] |= 0x02;
	memcpy(p->out, model_at(p->lba), p->len);
	p->may_cancel = false;
	if (cmd_run(p, cdb_len, OP_DIR_OUT, p->out, p->len) != END_GOOD)
		bad(p, "a block is not what was written, says the disk");
}

static void
do_flush(struct player *p)
{
	p->may_cancel = true;
	if (cmd_run(p, cdb_sync_cache(p->cdb, CDB_10, 0, 0, 0), OP_DIR_NONE, NULL, 0) ==
	    END_BAD)
		bad(p, "a flush failed");
}

/* blocks of others, too */
static void
do_read_any(struct player *p)
{
	p->lba = below(p, BLOCKS - GROUP);
	p->n = 1 + below(p, GROUP);
	p->len = (size_t)p->n * block_bytes();
	(void)range_read(p);
}

static void
do_reset(struct player *p)
{
	if (below(p, 10) == 0)
		disk_reset(b.disk, ASC_DEVICE_RESET);
	range_check(p);
}

static void (*const does[])(struct player *p) = {
	range_check, range_check, range_check, do_write, do_write, do_write, do_write_verify,
	do_write_same, do_write_same, do_unmap, do_unmap, do_compare_and_write,
	do_compare_and_write, do_orwrite, do_write_atomic, do_verify, do_flush, do_read_any,
	do_read_any, do_reset,
};

static void *
player_run(void *arg)
{
	struct player *p = arg;
	uint32_t number = (uint32_t)(p - players);

	for (uint64_t i = 0; i < commands_max && atomic_load(&n_bad) == 0; i++) {
		uint32_t group = below(p, BLOCKS / GROUP / THREADS) * THREADS + number;
		uint32_t first = below(p, GROUP);

		p->lba = (uint64_t)group * GROUP + first;
		p->n = 1 + below(p, GROUP - first);
		p->len = (size_t)p->n * block_bytes();
		does[below(p, ARRAY_LEN(does))](p);
	}
	return NULL;
}

/* ------ the disk ------ */

static void *
reaper_run(void *arg)
{
	uint64_t n;

	(void)arg;
	while (!atomic_load(&is_over)) {
		if (read(wakeup, &n, sizeof(n)) != (ssize_t)sizeof(n))
			continue;
		while (aio_reap(b.aio, 32))
			continue;
	}
	return NULL;
}

/* everything, by one who comes later */
static void
read_all(void)
{
	uint32_t block = block_bytes(), n = 65536 / block;
	uint8_t cdb[CDB_BUF_LEN];

	for (uint64_t lba = 0; lba < BLOCKS; lba += n) {
		n = (uint32_t)num_min(n, BLOCKS - lba);
		ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_16, lba, n, 0), (size_t)n * block));
		ck_assert_mem_eq(b.data, model_at(lba), (size_t)n * block);
	}
}

static void
play(const char *line, bool is_uring)
{
	uint64_t wake = 1;
	pthread_t reaper;

	bench_open_at(&b, line, NULL);
	model = calloc(BLOCKS, block_bytes());
	wakeup = eventfd(0, EFD_CLOEXEC);
	ck_assert_int_eq(aio_open(is_uring ? wakeup : -1, &b.aio), 0);
	atomic_store(&is_over, false);
	ck_assert_int_eq(pthread_create(&reaper, NULL, reaper_run, NULL), 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		memset(&players[i], 0, sizeof(players[i]));
		players[i].rng = rng_init(seed * THREADS + i);
		(void)pthread_mutex_init(&players[i].lock, NULL);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		ck_assert_int_eq(
		    pthread_create(&players[i].thread, NULL, player_run, &players[i]), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		(void)pthread_join(players[i].thread, NULL);
	atomic_store(&is_over, true);
	ck_assert_int_eq(write(wakeup, &wake, sizeof(wake)), sizeof(wake));
	(void)pthread_join(reaper, NULL);
	aio_close(b.aio);
	b.aio = NULL;
	(void)close(wakeup);
	ck_assert_uint_eq(atomic_load(&n_bad), 0);
	(void)disk_stats(b.disk);
	read_all();
}

static void
play_end(void)
{
	bench_close(&b);
	free(model);
}

static void
play_memory(const char *line)
{
	play(line, false);
	play_end();
}

/* what a file holds is there after a restart, too */
static void
play_file(const char *words, bool is_uring)
{
	char image[48], line[96], tuples[64];
	int fd;

	fd = check_file(image, sizeof(image));
	ck_assert_int_eq(ftruncate(fd, (off_t)BLOCKS * 4096), 0);
	(void)close(fd);
	(void)snprintf(line, sizeof(line), "%s%s", image, words);
	(void)snprintf(tuples, sizeof(tuples), "%s.pi", image);
	play(line, is_uring);
	bench_close(&b);
	bench_open_at(&b, line, NULL);
	read_all();
	play_end();
	(void)unlink(tuples);
	ck_assert_int_eq(unlink(image), 0);
}

START_TEST(memory_holds_what_was_written)
{
	play_memory("mem:8M");
	play_memory("mem:8M,pi=1");
	play_memory("mem:8M,block=4096");
}
END_TEST

START_TEST(files_hold_what_was_written)
{
	play_file("", true);
	play_file(",block=4096", false);
	play_file(",pi=1", true);
}
END_TEST

/* where the file system can do that */
START_TEST(direct_files_hold_what_was_written)
{
	int fd = open(check_dir(), O_TMPFILE | O_RDWR | O_DIRECT, 0600);

	if (fd < 0)
		return;
	(void)close(fd);
	play_file(",block=4096,direct", true);
	play_file(",block=4096,direct", false);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("random commands");
	TCase *tcase = tcase_create("random commands");
	SRunner *runner;
	int failed;

	if ((argc > 1 && num_parse_u64(argv[1], UINT64_MAX, &commands_max) < 0) ||
	    (argc > 2 && num_parse_u64(argv[2], UINT64_MAX, &seed) < 0)) {
		(void)fprintf(stderr, "usage: %s [COMMANDS [SEED]]\n", argv[0]);
		return EXIT_FAILURE;
	}
	tcase_set_timeout(tcase, 0);
	tcase_add_test(tcase, memory_holds_what_was_written);
	tcase_add_test(tcase, files_hold_what_was_written);
	tcase_add_test(tcase, direct_files_hold_what_was_written);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	check_dir_begin();
	srunner_run_all(runner, CK_NORMAL);
	check_dir_end();
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
