/*
 * soft/disk_impl.h - inside of the disk's device server
 *
 * What      Handlers are grouped by opcode family: disk_info.c (who are you), disk_rw.c
 *           (blocks), disk_pi_rw.c (with protection information), disk_verify.c,
 *           disk_atomic.c, disk_same.c, disk_thin.c (UNMAP), disk_lbas.c, disk_mode.c,
 *           disk_log.c, disk_name.c (texts and time), disk_diag.c, disk_media.c,
 *           disk_sanitize.c and disk_format.c (which start what disk_job.c does),
 *           disk_opcodes.c. disk_save.c keeps what outlives a restart, disk_watch.c looks
 *           after size, space and exceptions. disk.c judges a command, finds its handler, and runs
 *           its steps, disk_answer.c ends it; disk_life.c makes, resets and frees the disk.
 * Handlers  Get a command that is whole, in range, permitted, with no reserved bit set. They
 *           finish it (return DISK_DONE), or set cmd->step and cmd->req and return DISK_IO; the
 *           step is then called with the result of the request, and so on.
 * Waiting   Besides DISK_IO there is DISK_WORK: cmd->work() is called where it may block, and
 *           DISK_WAIT: cmd->park() puts the command somewhere (a list, with a lock of its own),
 *           and disk_resume() goes on with it, which may happen before park() returns. Both end
 *           in cmd->step(). A handler that uses DISK_WAIT sets cmd->unpark, once, before it
 *           returns: abort and reset call it, with locks held, to get the command off there. A
 *           command that is cancelled finishes without another step.
 */
#ifndef SOFT_DISK_IMPL_H
#define SOFT_DISK_IMPL_H

#include <sys/ksynch.h>

#include "hw/soft/disk.h"
#include "hw/soft/disk_job.h"
#include "hw/soft/soft.h"
#include "scsi/mode.h"
#include "scsi/opcode.h"

#define DISK_CHUNK_MAX		(256u << 10)
#define DISK_UNMAP_DESCR_MAX	256u
#define DISK_UNMAP_BLOCKS_MAX	(1u << 20)
#define DISK_ATOMIC_MAX		(1u << 20)	/* bytes of a WRITE ATOMIC */
#define DISK_COMPARE_MAX	255u	/* blocks of a COMPARE AND WRITE: all its field can say */
#define DISK_WRITE_SAME_MAX	65535u	/* blocks; what WRITE SAME(10) can say */
#define DISK_LIST_MAX		4108u	/* longest list: an UNMAP of all descriptors */
#define DISK_UA_MAX		4

/* what is to be done next; DISK_AWAY in disk.c only: by somebody else */
enum { DISK_DONE, DISK_IO, DISK_WORK, DISK_WAIT, DISK_AWAY };

/* what is done wholly or not at all, cancelled or not; bits of disk_cmd.whole */
enum disk_whole {
	DISK_WHOLE_PIECE = 0x01,	/* blocks and their protection information */
	DISK_WHOLE_CMD = 0x02,		/* all blocks of COMPARE AND WRITE, WRITE ATOMIC */
};

/* why a disk may not do a command that needs its medium; bits of disk.condition. All but
 * DISK_LOW_POWER refuse it */
#define DISK_EJECTED		0x01	/* no medium */
#define DISK_JOB		0x02	/* a sanitize or format is at work */
#define DISK_FAILED		0x04	/* the last sanitize or format did not succeed */
#define DISK_LOW_POWER		0x08	/* idle or standby by command; ends by itself */

#define DISK_COUNTERS		11	/* of log pages, and numbers of page 19h */
#define DISK_STATISTICS		4
#define DISK_SELF_TESTS		20	/* results that are kept */

#define DISK_TEXT_MAX		256u	/* text identification, bytes */
#define DISK_IDENT_MAX		64u	/* peripheral device identification, bytes */

enum disk_page {
	PAGE_RECOVERY,
	PAGE_DISCONNECT,
	PAGE_CACHING,
	PAGE_CONTROL,
	PAGE_CONTROL_EXT,
	PAGE_POWER,
	PAGE_EXCEPTIONS,
	PAGE_THIN,			/* only with logical block provisioning */
	PAGE_N
};

struct disk_modes {
	uint8_t recovery[12], disconnect[16], caching[20], control[12], control_ext[32],
	    power[40], exceptions[12], thin[32];
};

enum { DISK_NAME_IDENT, DISK_NAME_TEXT, DISK_NAME_N };

/* what SET IDENTIFYING INFORMATION has set */
struct disk_name {
	uint16_t len;
	uint8_t bytes[DISK_TEXT_MAX];
};

/* what outlives a restart */
struct disk_image {
	struct disk_modes modes;	/* saved values */
	struct disk_name names[DISK_NAME_N];
	struct job_order job;		/* JOB_NONE: there is none */
};

struct disk_saved;
struct disk_tests;

/* what it looks after by itself; under disk->lock */
struct disk_watch {
	enum { WATCH_OFF, WATCH_BEGINS, WATCH_ON } state;
	kcondvar_t cv;			/* no longer WATCH_BEGINS */
	struct disk_work work;
	struct disk_tick tick;
	atomic_bool wants_thresholds;
	unsigned int crossed;		/* thresholds that are, by number */
	uint32_t reports_left;		/* of an exception; all ones: for ever */
	uint64_t report_due_ns;
};

struct disk {
	struct store *store;
	struct disk_place place;
	char vendor[9], product[17], revision[5], serial[33];
	_Atomic uint64_t blocks;	/* changed with the lock, when the store has changed */
	uint32_t block_bytes, physical_bytes;
	bool is_readonly, is_removable, is_thin, is_unmap_any;
	bool has_cache;			/* finished writes may still be volatile */
	uint8_t pi_type;		/* protection information: 0 none, 1, 3 */
	struct store *pi_store;		/* 8 bytes a block of it, with pi_type only */
	int32_t app_tag;		/* all application tags are this; below 0: not known */
	struct disk_ranges ranges;

	kmutex_t looking;		/* one look at the size at a time; before lock */
	kmutex_t lock;			/* of modes, ua, held, and of changes to the rest */
	struct disk_modes modes;
	struct disk_saved *saved;	/* NULL: nothing can be saved */
	struct disk_job *job;		/* made with the first one */
	uint64_t job_rate;		/* bytes a second that a job may write; 0: all it can */
	struct disk_watch watch;
	struct disk_tests *tests;	/* results, or NULL: there was none yet */
	uint8_t *echo;			/* the echo buffer, or NULL, with so many bytes in it */
	uint32_t echo_bytes;
	bool is_time_set;		/* by an initiator */
	uint64_t time_offset;		/* milliseconds, modulo 2^64, against the host's clock */
	uint16_t ua[DISK_UA_MAX];
	struct sense_data held;

	/* read without the lock on every command */
	atomic_uint nua;		/* unit attentions pending */
	atomic_bool has_held;
	atomic_uint condition;		/* DISK_* */
	_Atomic uint16_t power_asc;	/* with DISK_LOW_POWER: what REQUEST SENSE says */
	atomic_bool is_prevented;	/* medium removal is */
	atomic_bool has_exception;	/* an informational one, and how it is reported */
	atomic_bool reports_when_asked;
	atomic_bool wants_descriptor;	/* D_SENSE */
	atomic_bool is_soft_protected;	/* SWP */
	atomic_bool is_write_through;	/* not WCE */

	struct disk_stats stats;	/* as of the last disk_stats() */
	_Atomic uint64_t read_tally, write_tally;	/* disk_count.c: what came since */
	_Atomic uint64_t others;	/* commands that moved no blocks */
	_Atomic uint64_t log_bases[DISK_COUNTERS + DISK_STATISTICS]; /* what logs count from */
};

static inline kmutex_t *
disk_lock_of(const struct disk *disk)
{
	return (kmutex_t *)(uintptr_t)&disk->lock;
}

typedef int disk_handler_fn(struct disk *disk, struct disk_cmd *cmd);

struct disk_op {
	disk_handler_fn *run;		/* NULL: the disk does not know the command */
	bool needs_thin;		/* only with logical block provisioning */
	bool needs_removable;
	bool needs_saving;		/* only with a file to save to */
	bool needs_medium;		/* although its row has no OP_F_MEDIUM */
	bool is_always;			/* answered while a job is at work, or has failed */
	bool is_remedy;			/* answered when a job has failed */
	bool changes;			/* refused while write protected */
	bool carries_pi;		/* xxPROTECT may ask for protection information */
	enum range_kind range;		/* how it holds its blocks */
};

/* indexed by enum op_id */
extern const struct disk_op disk_ops[OP_N];

/* disk_op_get() - the row, or NULL when this disk does not know the command */
const struct disk_op *disk_op_get(const struct disk *disk, const struct op_info *op);

/* disk_take_attention() - the oldest unit attention; false when another command was faster */
bool disk_take_attention(struct disk *disk, uint16_t *ret_asc);

/* disk_cmd_prepare() - clear what the disk sets; @disk may be NULL (absent unit) */
void disk_cmd_prepare(struct disk *disk, struct disk_cmd *cmd);

/* ends of a command; all return DISK_DONE */
static inline int
disk_good(struct disk_cmd *cmd)
{
	cmd->status = SAM_STAT_GOOD;
	return DISK_DONE;
}

int disk_check(struct disk_cmd *cmd, uint8_t key, uint16_t asc);
int disk_check_info(struct disk_cmd *cmd, uint8_t key, uint16_t asc, uint64_t info);
int disk_bad_cdb(struct disk_cmd *cmd, uint16_t byte, int bit);
int disk_bad_list(struct disk_cmd *cmd, uint16_t byte, int bit);
int disk_sense(struct disk_cmd *cmd, const struct sense_data *sense);
int disk_busy(struct disk_cmd *cmd);	/* no memory now */

/* disk_store_failed() - what the store's -errno means for the initiator */
int disk_store_failed(struct disk_cmd *cmd, int err);

/* disk_room() - bytes that may move: the buffer, or less when a limit was set */
static inline uint64_t
disk_room(const struct disk_cmd *cmd)
{
	return cmd->buf_bytes < cmd->limit_bytes ? cmd->buf_bytes : cmd->limit_bytes;
}

/* disk_reply() - good status with parameter data, cut at allocation length and buffer */
int disk_reply(struct disk_cmd *cmd, const void *data, size_t len, uint64_t alloc_len);

/* disk_take() - up to @len bytes of parameter list into @buf; how many there were */
size_t disk_take(struct disk_cmd *cmd, void *buf, size_t len);

/* disk_get_chunk() - memory for this command, freed at its end; false when there is none now */
bool disk_get_chunk(struct disk_cmd *cmd, size_t bytes);

/* disk_io_chunk() - cmd->req for @len bytes at @offset, from or to the chunk; DISK_IO */
int disk_io_chunk(struct disk_cmd *cmd, enum store_op op, uint64_t offset, uint64_t len);

/* disk_is_too_long() - are there more blocks than DISK_XFER_MAX bytes hold? */
static inline bool
disk_is_too_long(const struct disk_cmd *cmd)
{
	return cmd->info.blocks * cmd->disk->block_bytes > DISK_XFER_MAX;
}

/* disk_wants_fua() - by the CDB, or because there is no write-back */
bool disk_wants_fua(const struct disk_cmd *cmd);

/* disk_count_read(), disk_count_write() - cmd->moved bytes, in the statistics;
 * disk_count_other() - a command that ends without */
void disk_count_read(struct disk_cmd *cmd);
void disk_count_write(struct disk_cmd *cmd);
void disk_count_other(struct disk_cmd *cmd);

/* disk_atomic_grain() - alignment and granularity of WRITE ATOMIC, blocks */
uint32_t disk_atomic_grain(const struct disk *disk);

/* disk_begin_whole() - what begins now must not be left half done. disk_end_whole() - it is done.
 * Both: false when the command has been cancelled, and is to end here with DISK_DONE */
bool disk_begin_whole(struct disk_cmd *cmd, enum disk_whole what) MUST_CHECK;
bool disk_end_whole(struct disk_cmd *cmd, enum disk_whole what) MUST_CHECK;

/* disk_io_unmap() - cmd->req to unmap or anchor blocks and their protection information, then
 * @step; DISK_IO */
int disk_io_unmap(struct disk_cmd *cmd, uint64_t lba, uint64_t blocks, bool want_anchor,
    int (*step)(struct disk_cmd *cmd, int result));

/* disk_lock_blocks() - hold the blocks of @cmd as @row says; disk_lock_all() - all there are,
 * alone, for a command whose row holds none. False: DISK_WAIT, its step is called when they are
 * held. disk_unlock_blocks(): at its end, held or not */
bool disk_lock_blocks(struct disk *disk, struct disk_cmd *cmd, const struct disk_op *row);
bool disk_lock_all(struct disk *disk, struct disk_cmd *cmd);
void disk_unlock_blocks(struct disk_cmd *cmd);

/* disk_run_granted() - go on with the commands that ends on this thread have let in; no command
 * of the caller is at work */
void disk_run_granted_now(void);
extern _Thread_local bool disk_has_granted;	/* disk_lock.c */

static inline void
disk_run_granted(void)
{
	if (UNLIKELY(disk_has_granted))
		disk_run_granted_now();
}

/* disk_resume() - go on with a command that was parked: its step gets @result. Nobody finds it
 * any more; no lock is held. disk_resume_later() - the same from another thread: any lock may be
 * held */
void disk_resume(struct disk_cmd *cmd, int result);
void disk_resume_later(struct disk_cmd *cmd, int result);

/* disk_modes_reset() - saved pages, or default ones; disk_modes_apply() - act as the pages say
 * (lock held); disk_modes_default() - pages as they leave the factory */
void disk_modes_apply(struct disk *disk);
void disk_modes_reset(struct disk *disk);
const struct disk_modes *disk_modes_default(void);

/* disk_pages() - describe the pages whose values are @now, and @saved (NULL: cannot be saved);
 * how many the disk has */
size_t disk_pages(const struct disk *disk, struct disk_modes *now, struct disk_modes *saved,
    struct modepage pages[PAGE_N]);

/*
 * disk_save.c: a disk's file in the state directory
 */

/* disk_saved_open() - read what was saved; without a directory, or when another disk of this
 * process has the same serial number, the disk saves nothing. Returns: 0, or as disk_new() */
int disk_saved_open(struct disk *disk) MUST_CHECK;

/* disk_saved_resume() - go on with a job that was not finished. 0 or -ENOMEM */
int disk_saved_resume(struct disk *disk) MUST_CHECK;
void disk_saved_close(struct disk *disk);

/* disk_save_begin() - the image to change; nobody else saves until disk_save_end(), which
 * writes it and, if that went well, makes it what disk_saved_image() shows, or until
 * disk_save_cancel(). They block; disk->lock is not held.
 * Returns: 0, or -errno of the write: all is as before */
void disk_save_begin(struct disk *disk, struct disk_image *image);
int disk_save_end(struct disk *disk, const struct disk_image *image) MUST_CHECK;
void disk_save_cancel(struct disk *disk);

/* disk_saved_image() - what is saved; disk->lock is held. NULL: nothing can be */
const struct disk_image *disk_saved_image(const struct disk *disk);

/* disk_save_failed() - CHECK CONDITION that says so */
int disk_save_failed(struct disk_cmd *cmd);

/*
 * disk_watch.c
 */

/* disk_watch_start() - begin to look after something, lock held; disk_watch_stop() - end, at the
 * end of the disk; disk_watch_modes() - the pages are new, lock held */
void disk_watch_start(struct disk *disk);
void disk_watch_stop(struct disk *disk);
void disk_watch_modes(struct disk *disk);

/* disk_look() - has the store become larger or smaller? Then the disk has, too, and says so. Does
 * not wait for long; no lock held */
void disk_look(struct disk *disk);

/* disk_exception() - additional sense code of the informational exception there is, or 0;
 * disk_is_exception_asked() - REQUEST SENSE is to tell it */
uint16_t disk_exception(const struct disk *disk);
bool disk_is_exception_asked(const struct disk *disk);

/* disk_threshold_exponent() - threshold sets are 2^it blocks; disk_threshold_sets() - of bytes */
uint8_t disk_threshold_exponent(const struct disk *disk);
uint32_t disk_threshold_sets(const struct disk *disk, uint64_t bytes);

/* disk_put_self_test() - result @index (0: the newest) as the log has it. disk_tests_free(),
 * disk_echo_free() - at the end */
void disk_put_self_test(const struct disk *disk, unsigned int index, uint8_t bytes[16]);
void disk_tests_free(struct disk *disk);
void disk_echo_free(struct disk *disk);

/* disk_not_ready() - CHECK CONDITION that says why, by the bits of @condition */
int disk_not_ready(struct disk_cmd *cmd, unsigned int condition);

/* disk_flush() - let the store flush, protection information too, then call @step; DISK_IO */
int disk_flush(struct disk_cmd *cmd, int (*step)(struct disk_cmd *cmd, int result));

/* disk_take_sense() - what REQUEST SENSE is to say: held sense, a unit attention, or nothing */
struct sense_data disk_take_sense(struct disk *disk);

static inline struct disk_cmd *
disk_cmd_of(struct store_req *req)
{
	return container_of(req, struct disk_cmd, req);
}

disk_handler_fn disk_do_test_unit_ready, disk_do_inquiry, disk_do_request_sense,
    disk_do_report_luns, disk_do_read_capacity_10, disk_do_read_capacity_16, disk_do_read,
    disk_do_write, disk_do_sync_cache, disk_do_unmap, disk_do_write_same, disk_do_verify,
    disk_do_write_verify, disk_do_compare_and_write, disk_do_orwrite, disk_do_write_atomic,
    disk_do_get_lba_status, disk_do_prefetch, disk_do_read_defects, disk_do_pi_read,
    disk_do_pi_write, disk_do_mode_sense, disk_do_mode_select, disk_do_start_stop,
    disk_do_prevent_allow, disk_do_sanitize, disk_do_exit_failure, disk_do_format,
    disk_do_log_sense, disk_do_log_select, disk_do_report_name, disk_do_set_name,
    disk_do_report_time, disk_do_set_time, disk_do_send_diagnostic,
    disk_do_receive_diagnostic, disk_do_write_buffer, disk_do_read_buffer,
    disk_do_report_opcodes, disk_do_report_tmfs;

#endif /* SOFT_DISK_IMPL_H */
