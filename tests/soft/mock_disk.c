#include "mock_disk.h"

#include <sched.h>
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "check_dir.h"

static size_t
two_luns(void *arg, uint64_t *luns, size_t max)
{
	(void)arg;
	if (max > 0)
		luns[0] = 0;
	if (max > 1)
		luns[1] = 5;
	return 2;
}

static const struct store_ops *real_ops;	/* of stores that dawdle */

/* gives other threads a chance before and after: to meet in the middle is then no accident */
static int
slow_try(struct store *store, struct store_req *req)
{
	int r;

	(void)sched_yield();
	r = real_ops->try_req(store, req);
	(void)sched_yield();
	return r;
}

static void
bench_slow(struct store *store)
{
	static struct store_ops slow_ops;

	real_ops = store->ops;
	slow_ops = *store->ops;
	slow_ops.try_req = slow_try;
	store->ops = &slow_ops;
	if (store->tuples != NULL)
		store->tuples->ops = &slow_ops;
}

static void
bench_start(struct bench *b, const char *line)
{
	struct disk_place place = { .luns = two_luns, .host = b->host };
	char err[SOFT_ERR_LEN];
	struct store *store;
	uint8_t cdb[CDB_BUF_LEN];

	ck_assert_msg(soft_conf_parse(line, &b->conf, err) == 0, "%s", err);
	ck_assert(text_copy(b->conf.vendor, sizeof(b->conf.vendor), "TEST"));
	ck_assert(text_copy(b->conf.product, sizeof(b->conf.product), "Bench disk"));
	ck_assert(text_copy(b->conf.revision, sizeof(b->conf.revision), "1.2"));
	ck_assert(text_copy(b->conf.serial, sizeof(b->conf.serial), "B-1"));
	ck_assert_msg(store_open(&b->conf, &store, err) == 0, "%s", err);
	if (b->is_slow)
		bench_slow(store);
	ck_assert_int_eq(disk_new(&b->conf, store, &place, &b->disk), 0);
	b->cmd = calloc(1, sizeof(*b->cmd));
	ck_assert(!bench_none(b, cdb, cdb_tur(cdb)));
	ck_assert(bench_sense_is(b, SENSE_UNIT_ATTENTION, ASC_POWER_ON_OR_RESET));
}

void
bench_open(struct bench *b, const char *line)
{
	memset(b, 0, sizeof(*b));
	bench_start(b, line);
}

void
bench_open_slow(struct bench *b, const char *line)
{
	memset(b, 0, sizeof(*b));
	b->is_slow = true;
	bench_start(b, line);
}

void
bench_open_at(struct bench *b, const char *line, const char *dir)
{
	char err[SOFT_ERR_LEN];

	memset(b, 0, sizeof(*b));
	ck_assert_msg(disk_host_open(dir, &b->host, err) == 0, "%s", err);
	bench_start(b, line);
}

void
bench_close(struct bench *b)
{
	disk_free(b->disk);
	disk_host_close(b->host);
	free(b->cmd);
}

static char state_dir[40];

const char *
bench_dir(void)
{
	check_folder(state_dir, sizeof(state_dir));
	return state_dir;
}

void
bench_dir_remove(void)
{
	static const char *const names[] = { "disk-B-1", "disk-B-1.new" };
	char path[80];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", state_dir, names[i]);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(state_dir), 0);
}

void
bench_copy_file(const char *from, const char *to)
{
	char bytes[8192];
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	size_t n, all = 0;

	ck_assert(in != NULL && out != NULL);
	while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0) {
		ck_assert_uint_eq(fwrite(bytes, 1, n, out), n);
		all += n;
	}
	ck_assert(ferror(in) == 0 && all > 0);
	ck_assert_int_eq(fclose(in), 0);
	ck_assert_int_eq(fclose(out), 0);
}

static struct bench *current;

static void
bench_pend(struct disk_cmd *cmd)
{
	(void)cmd;
	atomic_fetch_add(&current->pended, 1);
}

static void
bench_done(struct disk_cmd *cmd)
{
	(void)cmd;
	atomic_fetch_add(&current->done, 1);
}

static bool
bench_run(
    struct bench *b, const uint8_t *cdb, size_t cdb_len, enum op_dir dir, void *buf, size_t len)
{
	struct disk_cmd *cmd = b->cmd;
	unsigned int before = atomic_load(&b->done);

	/* three pieces, of which the middle one is odd */
	size_t first = len / 3, second = len / 2 - first;

	current = b;
	memset(cmd, 0, offsetof(struct disk_cmd, iov));
	cmd->cdb = cdb;
	cmd->cdb_len = cdb_len;
	cmd->buf_bytes = len;
	cmd->buf_dir = len == 0 ? OP_DIR_NONE : dir;
	cmd->limit_bytes = UINT64_MAX;
	cmd->aio = b->aio;
	cmd->pend = bench_pend;
	cmd->done = bench_done;
	if (len > 0) {
		cmd->niov = 3;
		cmd->iov[0] = (struct iovec){ buf, first };
		cmd->iov[1] = (struct iovec){ (uint8_t *)buf + first, second };
		cmd->iov[2] =
		    (struct iovec){(uint8_t *)buf + first + second, len - first - second};
	}
	if (!disk_execute(b->disk, cmd)) {
		while (atomic_load(&b->done) == before)
			sched_yield();
	}
	return cmd->status == SAM_STAT_GOOD;
}

bool
bench_in(struct bench *b, const uint8_t *cdb, size_t cdb_len, size_t buf_len)
{
	if (buf_len > sizeof(b->data))
		ck_abort_msg("%zu bytes", buf_len);
	memset(b->data, 0xee, sizeof(b->data));
	return bench_run(b, cdb, cdb_len, OP_DIR_IN, b->data, buf_len);
}

bool
bench_out(struct bench *b, const uint8_t *cdb, size_t cdb_len, const void *buf, size_t len)
{
	return bench_run(b, cdb, cdb_len, OP_DIR_OUT, (void *)(uintptr_t)buf, len);
}

bool
bench_none(struct bench *b, const uint8_t *cdb, size_t cdb_len)
{
	return bench_run(b, cdb, cdb_len, OP_DIR_NONE, NULL, 0);
}

bool
bench_sense_is(const struct bench *b, uint8_t key, uint16_t asc)
{
	return b->cmd->status == SAM_STAT_CHECK_CONDITION && b->cmd->has_sense &&
	    b->cmd->sense.key == key && b->cmd->sense.asc == asc;
}

bool
bench_sense(const struct bench *b, uint8_t key, uint16_t asc, uint32_t sks)
{
	uint8_t want[18] = { 0x70, 0, key, [7] = 10, [12] = (uint8_t)(asc >> 8), (uint8_t)asc };
	uint8_t got[SENSE_LEN_MAX];
	size_t len;

	be24_put(want + 15, sks);
	if (b->cmd->status != SAM_STAT_CHECK_CONDITION || !b->cmd->has_sense ||
	    b->cmd->want_descriptor)
		return false;
	len = sense_build(&b->cmd->sense, false, got, sizeof(got));
	return len == sizeof(want) && memcmp(got, want, len) == 0;
}

bool
bench_field_is(const struct bench *b, bool in_cdb, uint16_t byte, int bit)
{
	const struct sense_data *s = &b->cmd->sense;

	return bench_sense_is(b, SENSE_ILLEGAL_REQUEST,
		   in_cdb ? ASC_INVALID_FIELD_IN_CDB : ASC_INVALID_FIELD_IN_LIST) &&
	       s->sks == SENSE_SKS_FIELD && s->sks_in_cdb == in_cdb && s->sks_value == byte &&
	       s->sks_has_bit == (bit >= 0) && (bit < 0 || s->sks_bit == bit);
}
