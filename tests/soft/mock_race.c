#include "mock_race.h"

#include <check.h>
#include <sched.h>
#include <string.h>

#include "base/compiler.h"

static void
racer_pend(struct disk_cmd *cmd)
{
	(void)cmd;
}

static void
racer_done(struct disk_cmd *cmd)
{
	struct racer *r = container_of(cmd, struct racer, cmd);

	atomic_store(&r->done, true);
}

static bool
racer_run(struct racer *r, size_t cdb_len, enum op_dir dir, void *buf, size_t len)
{
	struct disk_cmd *cmd = &r->cmd;

	atomic_store(&r->done, false);
	cmd->cdb = r->cdb;
	cmd->cdb_len = cdb_len;
	cmd->buf_bytes = len;
	cmd->buf_dir = len == 0 ? OP_DIR_NONE : dir;
	cmd->limit_bytes = UINT64_MAX;
	cmd->aio = r->is_async ? r->bench->aio : NULL;
	cmd->pend = racer_pend;
	cmd->done = racer_done;
	cmd->niov = len == 0 ? 0 : 1;
	cmd->iov[0] = (struct iovec){ buf, len };
	if (!disk_execute(r->bench->disk, cmd)) {
		while (!atomic_load(&r->done))
			sched_yield();
	}
	return cmd->status == SAM_STAT_GOOD;
}

bool
racer_out(struct racer *r, size_t cdb_len, void *buf, size_t len)
{
	return racer_run(r, cdb_len, OP_DIR_OUT, buf, len);
}

bool
racer_in(struct racer *r, size_t cdb_len, void *buf, size_t len)
{
	return racer_run(r, cdb_len, OP_DIR_IN, buf, len);
}

static void *
racer_thread(void *arg)
{
	struct racer *r = arg;

	r->run(r);
	return NULL;
}

void
race_run(struct bench *b, unsigned int n, bool is_mixed, void (*run)(struct racer *r))
{
	static struct racer racers[RACE_THREADS];

	ck_assert_uint_le(n, RACE_THREADS);
	ck_assert_int_eq(aio_open(-1, &b->aio), 0);
	for (unsigned int i = 0; i < n; i++) {
		memset(&racers[i], 0, sizeof(racers[i]));
		racers[i].bench = b;
		racers[i].number = i;
		racers[i].is_async = is_mixed && i % 2 != 0;
		racers[i].run = run;
	}
	for (unsigned int i = 0; i < n; i++)
		ck_assert_int_eq(
		    pthread_create(&racers[i].thread, NULL, racer_thread, &racers[i]), 0);
	for (unsigned int i = 0; i < n; i++)
		(void)pthread_join(racers[i].thread, NULL);
	aio_close(b->aio);
	b->aio = NULL;
}
