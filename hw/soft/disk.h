/*
 * soft/disk.h - the device server of a disk
 *
 * What      What is behind the connector of a disk: it takes a CDB with a data buffer and
 *           answers with a status, sense and moved bytes, as SBC says. It knows nothing of
 *           packets, adapters, aborts or time.
 * Life      disk_new() -> disk_execute() as often as wanted -> disk_free()
 * Flow      disk_execute() either finishes at once, or calls cmd->pend() before it waits for
 *           the store and cmd->done() when it has finished.
 * Owner     The caller owns command and buffers; between pend and done the disk does. The disk
 *           owns its store.
 * Thread    disk_execute(): any, several commands at a time, interrupt context too if cmd->aio
 *           is set. new, free: not in interrupt context.
 * Limits    DISK_XFER_MAX bytes a read, write or verify (told in VPD page B0h).
 * Source    SPC-4, SBC-3, SAM-5
 */
#ifndef SOFT_DISK_H
#define SOFT_DISK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/compiler.h"
#include "hw/soft/disk_host.h"
#include "hw/soft/disk_range.h"
#include "hw/soft/store.h"
#include "scsi/cdb.h"
#include "scsi/sense.h"
#include "scsi/status.h"

#define DISK_XFER_MAX	(16u << 20)

struct disk;
struct disk_cmd;
struct soft_disk_conf;

/* some blocks of a command that is done in pieces: disk_piece.h */
struct disk_piece {
	uint8_t *data;			/* room for them, in the chunk */
	uint8_t *tuples;		/* and for their protection information, or NULL */
	uint64_t room;			/* blocks that fit */
	uint64_t lba, blocks;
	int (*then)(struct disk_cmd *cmd);
	uint8_t checks;			/* PI_*: what is checked when it is read */
	uint8_t tuple[8];		/* WRITE SAME: of the next block */
	bool is_sent;			/* protection information is part of the data phase */
	bool is_fua;
};

struct disk_cmd {
	/* set by the caller before disk_execute() */
	const uint8_t *cdb;		/* @cdb_len bytes; zeros behind the CDB are fine */
	size_t cdb_len;
	uint64_t buf_bytes;		/* in all pieces of iov together */
	enum op_dir buf_dir;		/* OP_DIR_IN: may be written; OP_DIR_NONE: none */
	unsigned int niov;
	struct aio *aio;		/* NULL: blocks instead of waiting */
	void (*pend)(struct disk_cmd *cmd);	/* once, before the first wait; no lock held */
	void (*done)(struct disk_cmd *cmd);	/* once after pend, any thread; may free @cmd */
	uint64_t limit_bytes;		/* move no more, though the buffer is larger */
	atomic_bool is_cancelled;	/* may be set while pending: stop at the next step */

	/* set by the disk, valid when finished */
	struct sense_data sense;
	uint64_t moved;			/* bytes moved through the buffer */
	uint8_t status;			/* enum sam_status */
	bool has_sense;			/* with CHECK CONDITION: sense */
	bool want_descriptor;		/* the sense format the Control page asks for */
	bool is_overrun;		/* more data was to move than the buffer holds */
	bool is_dir_wrong;		/* nothing done: CDB and buffer disagree */

	/* disk only; what is cleared for each command stands together */
	bool is_pending;
	bool is_counted;
	uint8_t phase;
	struct disk *disk;
	struct cdb_info info;
	int (*step)(struct disk_cmd *cmd, int result);
	int (*work)(struct disk_cmd *cmd);	/* DISK_WORK: what blocks; 0 or -errno */
	/* DISK_WAIT: put it where it is found again, unless is_cancelled (false); the lock that
	 * unpark takes is held while that is looked at */
	bool (*park)(struct disk_cmd *cmd);
	/* take it from there; false: it is not there */
	bool (*_Atomic unpark)(struct disk_cmd *cmd);
	struct disk_work bg;
	int result;				/* of who resumes it */
	struct disk_poll *poll;			/* without aio: who waits for that */
	struct store_req req;
	struct store *where;		/* of req: the blocks, or their protection information */
	struct disk_range range;	/* of blocks, while it is at work on them */
	uint64_t at, left;		/* what remains of a command done in pieces */
	struct disk_piece piece;
	int (*piece_step)(struct disk_cmd *cmd, int result); /* after that of another store */
	uint8_t *chunk;			/* memory for that, chunk_bytes of it, or NULL */
	size_t chunk_bytes;
	struct iovec chunk_iov;
	bool want_job_end;		/* not IMMED: finishes with the job it has started */
	atomic_uint whole;		/* enum disk_whole: why a cancel has to wait */
	struct iovec iov[STORE_IOV_MAX]; /* the buffer; set by the caller, eaten by the store */
};

/* what the caller of disk_new() knows and the disk does not */
struct disk_place {
	/* copies up to @max of the target's unit numbers, in order; how many there are. Any
	 * context */
	size_t (*luns)(void *arg, uint64_t *luns, size_t max);
	void *arg;
	struct disk_host *host;		/* of the adapter, outlives the disk; may be NULL */
};

/**
 * disk_new() - a disk that has just been powered on: UNIT ATTENTION 29h/00h is pending
 *
 * @conf     copied where needed; vendor, product, serial must not be empty
 * @store    the disk's from now on, also when this fails
 *
 * Returns:  0
 *           -ENOMEM
 *           -EMFILE, -ENFILE, -EIO, -EACCES   what the disk has saved is there, and cannot be
 *                     read: it must not come as if nothing were
 */
int disk_new(const struct soft_disk_conf *conf, struct store *store,
    const struct disk_place *place, struct disk **ret) MUST_CHECK;

/* disk_free() - no command may be under way; NULL is fine */
void disk_free(struct disk *disk);

/**
 * disk_execute() - do what the CDB says
 *
 * Returns:  true: finished, neither pend nor done is called
 *           false: pend() was called; done() will be, or has been already
 */
bool disk_execute(struct disk *disk, struct disk_cmd *cmd);

/* disk_cancel() - ask a pending command to finish early; its result means nothing then */
void disk_cancel(struct disk_cmd *cmd);

/* disk_cmd_clear() - what a command answered without the disk looks like: GOOD, no data */
void disk_cmd_clear(struct disk_cmd *cmd);

/* disk_finish_check() - finish @cmd with CHECK CONDITION @sense before it is executed */
void disk_finish_check(struct disk *disk, struct disk_cmd *cmd, const struct sense_data *sense);

/* disk_reset() - modes to their defaults, medium loaded or not as it is, UNIT ATTENTION @asc */
void disk_reset(struct disk *disk, uint16_t asc);

/* disk_attention() - UNIT ATTENTION @asc for the next command that may report it */
void disk_attention(struct disk *disk, uint16_t asc);

/**
 * disk_set_medium() - somebody takes the medium out, or puts one in, by hand
 *
 * Returns:  0; what is put in is told by UNIT ATTENTION 28h/00h
 *           -ENOTSUP  the medium is not removable
 *           -EBUSY    removal is prevented; initiators hear of the wish (5Ah/01h)
 */
int disk_set_medium(struct disk *disk, bool is_there) MUST_CHECK;

/**
 * disk_resize() - the disk shall have @size_bytes, or (0) what its store has now
 *
 * A change is told by UNIT ATTENTION 2Ah/09h. Commands at work behind the new end fail with LBA
 * OUT OF RANGE.
 *
 * Returns:  0
 *           -EINVAL   not a number of blocks, or none
 *           -ENOTSUP  the store cannot
 *           -ENOMEM, -ENOSPC, -EROFS, ... from the store
 * Thread:   one that may block
 */
int disk_resize(struct disk *disk, uint64_t size_bytes) MUST_CHECK;

/* disk_hold_sense() - sense that could not be delivered with the status; REQUEST SENSE gets it,
 * any other command clears it */
void disk_hold_sense(struct disk *disk, const struct sense_data *sense);

/* disk_blocks(), disk_block_bytes() - the capacity */
uint64_t disk_blocks(const struct disk *disk);
uint32_t disk_block_bytes(const struct disk *disk);

/* disk_serial() - its serial number; lives as long as the disk */
const char *disk_serial(const struct disk *disk);

/* counters, written with relaxed order */
struct disk_stats {
	_Atomic uint64_t commands, reads, writes, read_bytes, written_bytes, checks,
	    store_errors, queued;
	/* of store_errors: what could not be read, written, verified, and the rest */
	_Atomic uint64_t read_errors, write_errors, verify_errors, other_errors;
	_Atomic uint64_t starts, loads;	/* START STOP UNIT with START, and with LOEJ too */
};

/* disk_stats() - the counters, all that has ended added up */
struct disk_stats *disk_stats(struct disk *disk);

/* disk_absent_execute() - the same for a unit number that a target has not got */
void disk_absent_execute(const struct disk_place *place, struct disk_cmd *cmd);

#endif /* SOFT_DISK_H */
