/*
 * soft/disk_job.h - what a disk does for a long time: sanitize, format
 *
 * What      A job goes over all blocks, once or several times, in pieces, on the threads of the
 *           adapter, and no faster than it may; other disks get their turn between the pieces.
 *           While it is at work, and after it has failed, the disk refuses nearly everything.
 * State
 *                   start                  all done
 *           none ----------> at work ------------------> none
 *                             |   ^  another start         ^
 *                             v   |                        | exit failure mode, if allowed
 *                            failed -----------------------+
 *
 *           The order, how far it is, and that it has failed, are saved, if the disk can save:
 *           a job goes on at the next start of the program. No reset ends it. What is saved as
 *           done has been flushed before, and so has each pass; a flush that fails is a failure
 *           of the job.
 * Waiting   A command without IMMED waits for its end; it may be aborted, the job not.
 * Thread    start: where it may block. The others: any.
 * Source    SBC-3 4.11 (sanitize), 5.3 (FORMAT UNIT), 5.30 (SANITIZE)
 */
#ifndef SOFT_DISK_JOB_H
#define SOFT_DISK_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "scsi/sense.h"

#define JOB_PIECE_BYTES	(1u << 20)	/* written at a time */
#define JOB_UNMAP_BYTES	(1u << 30)	/* given back at a time */

struct disk;
struct disk_cmd;
struct disk_job;

enum job_kind {
	JOB_NONE,
	JOB_OVERWRITE,		/* sanitize by a pattern */
	JOB_ERASE,		/* sanitize by giving back all space, or by zeros */
	JOB_FORMAT,
	JOB_KIND_N
};

/* what to do, and how far it is; saved */
struct job_order {
	uint8_t kind;		/* enum job_kind */
	bool may_exit;		/* AUSE: a failure may be left by EXIT FAILURE MODE */
	bool is_inverted;	/* every other pass writes the complement of the pattern */
	bool has_failed;
	bool is_over;		/* nothing to write: it ends as soon as it has begun */
	uint8_t passes, pass;
	uint16_t pattern_len;	/* 0: space is given back, or zeros are written */
	uint64_t at;		/* bytes of this pass that are done */
};

/**
 * disk_job_start() - save the order, begin to obey it
 *
 * @pattern  order->pattern_len bytes, at most a block; copied
 * @ret_number  names the job for disk_job_wait()
 *
 * Returns:  0
 *           -EBUSY   another one is at work
 *           -ENOMEM, and errors of saving: nothing has begun
 */
int disk_job_start(struct disk *disk, const struct job_order *order, const uint8_t *pattern,
    uint64_t *ret_number) MUST_CHECK;

/* disk_job_restore() - what the last run of the program has left goes on. 0 or -ENOMEM */
int disk_job_restore(
    struct disk *disk, const struct job_order *order, const uint8_t *pattern) MUST_CHECK;

/* disk_job_stop() - the disk goes: the place is saved, and disk_job_restore() goes on there. Nothing
 * touches the store any more. Blocks */
void disk_job_stop(struct disk *disk);

/* disk_job_free() - after disk_job_stop() */
void disk_job_free(struct disk *disk);

/* disk_job_wait() - let @cmd, which has started the job @number, wait for its end. DISK_WAIT */
int disk_job_wait(struct disk_cmd *cmd, uint64_t number);

/* disk_job_started() - step of a command whose work was disk_job_start(), with the number in
 * cmd->at: it finishes, or waits for the end */
int disk_job_started(struct disk_cmd *cmd, int result);

/* disk_job_sense() - why the disk is not ready: progress, or failure; NO SENSE without
 * either */
struct sense_data disk_job_sense(struct disk *disk);

/* disk_job_exit_failure() - 0; -EPERM: the order did not allow that; errors of saving */
int disk_job_exit_failure(struct disk *disk) MUST_CHECK;

/* disk_job_pattern() - the pattern that belongs to the saved order; order->pattern_len bytes */
const uint8_t *disk_job_pattern(const struct disk *disk);

#endif /* SOFT_DISK_JOB_H */
