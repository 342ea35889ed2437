#include "hw/soft/disk_job.h"

#include <errno.h>
#include <string.h>
#include <sys/ddi.h>
#include <sys/kmem.h>
#include <sys/sunddi.h>

#include "base/clock.h"
#include "base/num.h"
#include "hw/soft/disk_impl.h"

#define JOB_SAVE_NS	NS_PER_S	/* how far a restart throws it back, at most */

struct disk_job {
	struct disk *disk;
	struct disk_work work;		/* the next piece */
	struct job_order order;		/* under disk->lock, like what follows */
	struct disk_cmd *waiter;
	uint64_t number;		/* of the job at work, or the last */
	int result;			/* of the last one that ended, for waiters that are late */
	bool is_working;		/* a thread has it, or will */
	bool is_stopping;
	timeout_id_t timer;		/* only while is_timed */
	bool is_timed;
	kcondvar_t cv;			/* is_working has become false */

	/* whoever does the pieces */
	struct store_req req;
	struct iovec iov;
	uint8_t *chunk;
	size_t chunk_bytes;
	uint64_t began_ns, done_bytes;	/* since it was started, for the rate */
	uint64_t saved_ns;
	uint8_t *pattern;		/* a block of it */
};

enum piece { PIECE_MORE, PIECE_LAST };

static uint64_t
disk_bytes(const struct disk *disk)
{
	return disk->blocks * disk->block_bytes;
}

const uint8_t *
disk_job_pattern(const struct disk *disk)
{
	return disk->job->pattern;
}

static bool
job_is_unmap(const struct disk *disk, const struct job_order *order)
{
	return order->pattern_len == 0 && disk->is_thin;
}

/*
 * Saving.
 */

/* @order as the one that a restart finds; 0 when the disk cannot save */
static int
job_save(struct disk *disk, const struct job_order *order)
{
	struct disk_image image;

	if (disk->saved == NULL)
		return 0;
	disk_save_begin(disk, &image);
	image.job = *order;
	return disk_save_end(disk, &image);
}

/*
 * Pieces. One thread at a time; disk->lock is not held.
 */

/* fill the chunk: every block begins with the pattern anew */
static void
job_fill(struct disk_job *job)
{
	const struct job_order *order = &job->order;
	size_t block = job->disk->block_bytes;
	uint8_t flip = order->is_inverted && order->pass % 2 != 0 ? 0xff : 0;

	for (size_t i = 0; i < block; i++) {
		uint8_t byte = order->pattern_len == 0 ? 0
			: job->pattern[i % order->pattern_len];

		job->chunk[i] = byte ^ flip;
	}
	for (size_t have = block; have < job->chunk_bytes; have += block)
		memcpy(job->chunk + have, job->chunk, block);
}

/* bytes that were done, or -errno */
static int64_t
job_do_piece(struct disk_job *job)
{
	struct disk *disk = job->disk;
	bool is_unmap = job_is_unmap(disk, &job->order);
	uint64_t size = disk_bytes(disk), at = job->order.at;
	uint64_t left = at < size ? size - at : 0;	/* it may have become smaller */
	uint64_t len = num_min(left, is_unmap ? JOB_UNMAP_BYTES : job->chunk_bytes);
	int r;

	if (len == 0)
		return 0;
	job->iov = (struct iovec){ job->chunk, (size_t)len };
	job->req = (struct store_req){
		.op = is_unmap ? STORE_UNMAP : STORE_WRITE,
		.iov = &job->iov, .niov = 1,
		.offset = at, .len = len,
	};
	r = store_do(disk->store, &job->req);
	/* blocks without protection information: as if never written */
	if (r == 0 && disk->pi_type != 0) {
		job->req = (struct store_req){
			.op = STORE_UNMAP,
			.offset = at / disk->block_bytes * STORE_PI_BYTES,
			.len = len / disk->block_bytes * STORE_PI_BYTES,
		};
		r = store_do(disk->pi_store, &job->req);
	}
	return r < 0 ? r : (int64_t)len;
}

static int
job_flush(struct disk_job *job)
{
	int r;

	job->req = (struct store_req){ .op = STORE_FLUSH };
	r = store_do(job->disk->store, &job->req);
	if (r < 0 || job->disk->pi_type == 0)
		return r;
	job->req = (struct store_req){ .op = STORE_FLUSH };
	return store_do(job->disk->pi_store, &job->req);
}

/* what is done counts; a pass that is over makes the next */
static enum piece
job_advance(struct disk_job *job, uint64_t bytes)
{
	struct disk *disk = job->disk;
	struct job_order *order = &job->order;
	bool is_next = false;

	job->done_bytes += bytes;
	mutex_enter(&disk->lock);
	order->at += bytes;
	if (order->at >= disk_bytes(disk)) {
		order->at = 0;
		order->pass++;
		is_next = true;
	}
	mutex_exit(&disk->lock);
	if (order->pass >= order->passes)
		return PIECE_LAST;
	if (is_next && !job_is_unmap(disk, order))
		job_fill(job);
	return PIECE_MORE;
}

/* all is over: the disk is itself again, or it says for good that it is not */
static void
job_end(struct disk_job *job, int result)
{
	struct disk *disk = job->disk;
	struct job_order order = job->order;
	struct disk_cmd *waiter;
	int r;

	if (result == 0)
		order = (struct job_order){ .kind = JOB_NONE };
	else
		order.has_failed = true;
	r = job_save(disk, &order);
	/* it would begin again: better no success now than a surprise then */
	if (r < 0 && result == 0) {
		result = r;
		order = job->order;
		order.has_failed = true;
	}
	kmem_free(job->chunk, job->chunk_bytes);
	job->chunk = NULL;
	mutex_enter(&disk->lock);
	job->order = order;
	job->result = result;
	waiter = STEAL(job->waiter);
	if (result < 0)
		(void)atomic_fetch_or(&disk->condition, DISK_FAILED);
	(void)atomic_fetch_and(&disk->condition, ~DISK_JOB);
	job->is_working = false;
	cv_broadcast(&job->cv);
	mutex_exit(&disk->lock);
	/* the job may be freed from here on, the command's disk may not */
	if (waiter != NULL)
		disk_resume(waiter, result);
}

/* a restart must not be thrown back too far; where it cannot be saved now, later will do. What is
 * saved as done is on the medium before: a loss of power must not bring the old blocks back. So is
 * each pass, or only the last would ever get there. 0, or -errno of the flush */
static int
job_checkpoint(struct disk_job *job)
{
	struct job_order order = job->order;
	bool is_pass_over = order.at == 0;
	int r;

	if (!is_pass_over && clock_now_ns() - job->saved_ns < JOB_SAVE_NS)
		return 0;
	r = job_flush(job);
	if (r < 0)
		return r;
	(void)job_save(job->disk, &order);
	job->saved_ns = clock_now_ns();
	return 0;
}

/* nanoseconds that it is ahead of what it may do */
static uint64_t
job_ahead(const struct disk_job *job)
{
	uint64_t rate = job->disk->job_rate, due;

	if (rate == 0 || job->disk->place.host == NULL || job_is_unmap(job->disk, &job->order))
		return 0;
	due = job->began_ns + job->done_bytes / rate * NS_PER_S +
	    job->done_bytes % rate * NS_PER_S / rate;
	return due > clock_now_ns() ? due - clock_now_ns() : 0;
}

static void
job_timer(void *arg)
{
	struct disk_job *job = arg;

	mutex_enter(&job->disk->lock);
	job->is_timed = false;
	mutex_exit(&job->disk->lock);
	disk_host_post(job->disk->place.host, &job->work);
}

/* false: it is to stop, and goes on with the next start */
static bool
job_continue(struct disk_job *job)
{
	struct disk *disk = job->disk;
	uint64_t ahead_ns = job_ahead(job);
	bool goes_on;

	mutex_enter(&disk->lock);
	goes_on = !job->is_stopping;
	if (!goes_on) {
		job->is_working = false;
		cv_broadcast(&job->cv);
	} else if (ahead_ns >= NS_PER_MS) {
		job->is_timed = true;
		job->timer = timeout(
		    job_timer, job, drv_usectohz((clock_t)(ahead_ns / NS_PER_US)));
	}
	goes_on = goes_on && ahead_ns < NS_PER_MS;
	mutex_exit(&disk->lock);
	return goes_on;
}

static void
job_run(struct disk_work *work)
{
	struct disk_job *job = container_of(work, struct disk_job, work);
	struct disk_host *host = job->disk->place.host;
	enum piece piece = job->order.is_over ? PIECE_LAST : PIECE_MORE;
	int64_t n = 0;

	do {
		if (piece == PIECE_MORE)
			n = job_do_piece(job);
		if (piece == PIECE_MORE && n >= 0)
			piece = job_advance(job, (uint64_t)n);
		if (piece == PIECE_MORE && n >= 0)
			n = job_checkpoint(job);
		if (n < 0 || piece == PIECE_LAST) {
			job_end(job, n < 0 ? (int)n : job_flush(job));
			return;
		}
		if (!job_continue(job))
			return;
	} while (host == NULL);
	disk_host_post(host, work);
}

/*
 * Beginning and end.
 */

static struct disk_job *
job_get(struct disk *disk)
{
	struct disk_job *job = disk->job;

	if (job != NULL)
		return job;
	job = kmem_zalloc(sizeof(*job), KM_NOSLEEP);
	if (job == NULL)
		return NULL;
	job->pattern = kmem_zalloc(disk->block_bytes, KM_NOSLEEP);
	if (job->pattern == NULL) {
		kmem_free(job, sizeof(*job));
		return NULL;
	}
	job->disk = disk;
	job->work.run = job_run;
	cv_init(&job->cv, NULL, CV_DRIVER, NULL);
	disk->job = job;
	return job;
}

/* the claim: from now on commands are refused */
static int
job_claim(struct disk *disk)
{
	unsigned int old = atomic_fetch_or(&disk->condition, DISK_JOB);

	return (old & DISK_JOB) != 0 ? -EBUSY : 0;
}

static uint64_t
job_begin(struct disk_job *job)
{
	struct disk *disk = job->disk;
	uint64_t number;

	job->began_ns = job->saved_ns = clock_now_ns();
	job->done_bytes = 0;
	if (!job->order.is_over && !job_is_unmap(disk, &job->order))
		job_fill(job);
	mutex_enter(&disk->lock);
	job->is_working = true;
	number = ++job->number;
	mutex_exit(&disk->lock);
	disk_host_post(disk->place.host, &job->work);
	return number;
}

/* memory, and what the order says */
static int
job_prepare(struct disk *disk, const struct job_order *order, const uint8_t *pattern)
{
	struct disk_job *job = job_get(disk);

	if (job == NULL)
		return -ENOMEM;
	job->chunk_bytes = JOB_PIECE_BYTES;
	job->chunk = kmem_alloc(job->chunk_bytes, KM_NOSLEEP);
	if (job->chunk == NULL)
		return -ENOMEM;
	memcpy(job->pattern, pattern, order->pattern_len);
	mutex_enter(&disk->lock);
	job->order = *order;
	mutex_exit(&disk->lock);
	return 0;
}

static void
job_unprepare(struct disk *disk, const struct job_order *old)
{
	struct disk_job *job = disk->job;

	if (job != NULL && job->chunk != NULL) {
		kmem_free(job->chunk, job->chunk_bytes);
		job->chunk = NULL;
	}
	mutex_enter(&disk->lock);
	if (job != NULL)
		job->order = *old;
	mutex_exit(&disk->lock);
	(void)atomic_fetch_and(&disk->condition, ~DISK_JOB);
}

int
disk_job_start(struct disk *disk, const struct job_order *order, const uint8_t *pattern,
    uint64_t *ret_number)
{
	struct job_order old = { .kind = JOB_NONE };
	int r = job_claim(disk);

	if (r < 0)
		return r;
	if (disk->job != NULL)
		old = disk->job->order;
	r = job_prepare(disk, order, pattern);
	if (r == 0)
		r = job_save(disk, order);
	if (r < 0) {
		job_unprepare(disk, &old);
		return r;
	}
	(void)atomic_fetch_and(&disk->condition, ~DISK_FAILED);
	*ret_number = job_begin(disk->job);
	return 0;
}

int
disk_job_restore(struct disk *disk, const struct job_order *order, const uint8_t *pattern)
{
	int r = job_prepare(disk, order, pattern);

	if (r < 0 || order->has_failed) {
		if (r == 0)
			(void)atomic_fetch_or(&disk->condition, DISK_FAILED);
		job_unprepare(disk, order);
		return r;
	}
	(void)atomic_fetch_or(&disk->condition, DISK_JOB);
	(void)job_begin(disk->job);
	return 0;
}

void
disk_job_stop(struct disk *disk)
{
	struct disk_job *job = disk->job;
	struct job_order order;
	bool was_working;

	if (job == NULL)
		return;
	mutex_enter(&disk->lock);
	was_working = job->is_working;
	job->is_stopping = true;
	/* a timer that has not run yet will not: then nobody has the job */
	while (job->is_working) {
		if (job->is_timed) {
			timeout_id_t timer = job->timer;

			mutex_exit(&disk->lock);
			if (untimeout(timer) >= 0) {
				mutex_enter(&disk->lock);
				job->is_timed = job->is_working = false;
				break;
			}
			mutex_enter(&disk->lock);
		}
		if (job->is_working && !job->is_timed)
			cv_wait(&job->cv, &disk->lock);
	}
	order = job->order;
	mutex_exit(&disk->lock);
	/* else the last checkpoint counts */
	if (was_working && order.kind != JOB_NONE && job_flush(job) == 0)
		(void)job_save(disk, &order);
}

void
disk_job_free(struct disk *disk)
{
	struct disk_job *job = disk->job;

	if (job == NULL)
		return;
	if (job->chunk != NULL)
		kmem_free(job->chunk, job->chunk_bytes);
	kmem_free(job->pattern, disk->block_bytes);
	cv_destroy(&job->cv);
	kmem_free(job, sizeof(*job));
	disk->job = NULL;
}

/*
 * Commands that ask, and commands that wait.
 */

static bool
job_park(struct disk_cmd *cmd)
{
	struct disk *disk = cmd->disk;
	struct disk_job *job = disk->job;
	bool is_parked, is_over;

	mutex_enter(&disk->lock);
	is_parked = !atomic_load(&cmd->is_cancelled);
	is_over = !job->is_working || job->number != cmd->at;
	if (is_parked && !is_over)
		job->waiter = cmd;
	mutex_exit(&disk->lock);
	if (is_parked && is_over)
		disk_resume(cmd, job->result);
	return is_parked;
}

static bool
job_unpark(struct disk_cmd *cmd)
{
	struct disk *disk = cmd->disk;
	bool is_mine;

	mutex_enter(&disk->lock);
	is_mine = disk->job->waiter == cmd;
	if (is_mine)
		disk->job->waiter = NULL;
	mutex_exit(&disk->lock);
	return is_mine;
}

static int
job_waited(struct disk_cmd *cmd, int result)
{
	struct sense_data sense;

	if (result == 0)
		return disk_good(cmd);
	sense = disk_job_sense(cmd->disk);
	return disk_sense(cmd, &sense);
}

int
disk_job_wait(struct disk_cmd *cmd, uint64_t number)
{
	cmd->at = number;
	cmd->park = job_park;
	cmd->unpark = job_unpark;
	cmd->step = job_waited;
	return DISK_WAIT;
}

/* 65536ths of all passes */
static uint16_t
job_progress(const struct disk *disk, const struct job_order *order)
{
	uint64_t size = disk_bytes(disk);
	uint64_t pass = 65536u / (order->passes == 0 ? 1 : order->passes);
	uint64_t now = order->pass * pass +
	    (uint64_t)((long double)order->at / (long double)size * (long double)pass);

	return (uint16_t)num_min(now, UINT16_MAX);
}

struct sense_data
disk_job_sense(struct disk *disk)
{
	struct job_order order = { .kind = JOB_NONE };

	mutex_enter(&disk->lock);
	if (disk->job != NULL)
		order = disk->job->order;
	mutex_exit(&disk->lock);
	if (order.kind == JOB_NONE)
		return sense_make(SENSE_NO_SENSE, ASC_NONE);
	if (order.has_failed)
		return sense_make(SENSE_MEDIUM_ERROR,
		    order.kind == JOB_FORMAT ? ASC_FORMAT_FAILED : ASC_SANITIZE_FAILED);
	return sense_progress(SENSE_NOT_READY,
	    order.kind == JOB_FORMAT ? ASC_FORMAT_IN_PROGRESS : ASC_SANITIZE_IN_PROGRESS,
	    job_progress(disk, &order));
}

int
disk_job_exit_failure(struct disk *disk)
{
	struct job_order order = { .kind = JOB_NONE };
	int r;

	if ((atomic_load(&disk->condition) & DISK_FAILED) == 0)
		return 0;
	if (!disk->job->order.may_exit)
		return -EPERM;
	r = job_save(disk, &order);
	if (r < 0)
		return r;
	mutex_enter(&disk->lock);
	disk->job->order = order;
	mutex_exit(&disk->lock);
	(void)atomic_fetch_and(&disk->condition, ~DISK_FAILED);
	return 0;
}
