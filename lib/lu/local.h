/*
 * lu/local.h - commands that the unit answers itself: their handlers, and what those may use
 *
 * What      lu_local_ops[] has a handler for every command that is not simply the device's:
 *           what belongs to a nexus (reservations, unit attentions, ports), and what has to be
 *           put together from several answers. A handler gets a task whose class is allowed,
 *           whose CDB is whole and free of reserved bits, which no unit attention, reservation
 *           or access state stops, and whose turn it is in the task set; it ends the task
 *           exactly once, by one of the calls below, now or later.
 * Life      handler called -> (offload, lu_ask, pass on) -> one of the ends -> done() at the
 *           end of the turn, as with every task.
 * Thread    The unit's home, run() of a job excepted.
 * Abort     A task in a handler's hands is not taken away from it: aborts and resets wait for
 *           its end. Handlers that take long look at lu_local_is_aborted() between their steps
 *           and end it with lu_local_aborted(); one that is through ends it as if nothing were.
 * Memory    Handlers run off the hot path and may allocate; without memory they end with
 *           lu_local_no_room().
 * Source    SPC-4 4.3 (CDB, allocation length), 5; SAM-5 5.14
 */
#ifndef LU_LOCAL_H
#define LU_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "lu/lu.h"
#include "scsi/opcode.h"
#include "scsi/sense.h"

/* ends @task exactly once, now or later */
typedef void lu_local_fn(struct lu *lu, struct lu_task *task);

extern lu_local_fn *const lu_local_ops[OP_N];

/* ------ ends ------ */

/* lu_local_good() - GOOD. Data-Out counts as taken whole; for Data-In use lu_local_reply() */
void lu_local_good(struct lu_task *task);

/* lu_local_status() - any other status without sense: an enum sam_status */
void lu_local_status(struct lu_task *task, uint8_t status);

/* lu_local_check() - CHECK CONDITION with @key and @asc; lu_local_sense() - with more. In the
 * format that the unit's Control page asks for (D_SENSE) */
void lu_local_check(struct lu_task *task, uint8_t key, uint16_t asc);
void lu_local_sense(struct lu_task *task, const struct sense_data *sense);

/* lu_local_bad_cdb(), lu_local_bad_list() - 05h 24h/00h or 26h/00h with a field pointer; @bit
 * -1 when the whole byte, or more, is meant */
void lu_local_bad_cdb(struct lu_task *task, uint16_t byte, int bit);
void lu_local_bad_list(struct lu_task *task, uint16_t byte, int bit);

/* lu_local_aborted() - the end that an abort or a reset waits for: no status */
void lu_local_aborted(struct lu_task *task);

/* lu_local_no_room() - 05h 55h/03h INSUFFICIENT RESOURCES */
void lu_local_no_room(struct lu_task *task);

/**
 * lu_local_reply() - GOOD, with Data-In
 *
 * @data       @len bytes, the whole answer; copied here. May be task->data, which then has it
 *             as far as it reaches
 * @alloc_len  what the CDB allows; the answer is cut there, and where the task's buffer ends.
 *             Cutting at the allocation length is no residual, cutting at the buffer is
 */
void lu_local_reply(struct lu_task *task, const void *data, size_t len, uint64_t alloc_len);

/* ------ input ------ */

/* lu_local_take() - copy Data-Out before anything of it is looked at: it may change meanwhile.
 * Bytes copied: those there are, @size at most. task->data_len says how many there are */
size_t lu_local_take(struct lu_task *task, void *buf, size_t size);

/* lu_local_is_aborted() - an abort or a reset waits for the end of this task */
bool lu_local_is_aborted(const struct lu_task *task);

/* ------ the device's help ------ */

/* lu_local_pass() - this command is the device's after all. The handler is through with it */
void lu_local_pass(struct lu_task *task);

/* lu_local_pass_then() - the same, but @after sees the device's result, at home, before done():
 * it may change status, sense, data and residual of @task, and must not end it */
void lu_local_pass_then(struct lu_task *task,
    void (*after)(struct lu *lu, struct lu_task *task));

/*
 * A command of the unit's own. It goes through the internal nexus, which neither unit
 * attentions nor reservations, access states or handlers stop, and ahead of held tasks. Unit
 * attentions that the device answers with go to the nexuses as always, and the command is sent
 * again.
 */
struct lu_ask {
	/* set by lu_ask_new(); cdb, cdb_len, dir, data_len and timeout_ms are the caller's */
	struct lu_task task;		/* data points to data[] */
	void (*done)(struct lu_ask *ask);	/* once, at home; lu_ask_free() it there, or
						 * change the CDB and ask again */
	void *arg;			/* the caller's */

	/* lib/lu only */
	uint8_t tries;			/* unit attentions met so far */
	uint32_t room;
	_Alignas(16) uint8_t data[];	/* room bytes */
};

/* lu_ask_new() - with room for @room bytes of data; NULL: no memory. data_len is 0 */
struct lu_ask *lu_ask_new(struct lu *lu, uint32_t room, void (*done)(struct lu_ask *ask),
    void *arg);
void lu_ask_free(struct lu_ask *ask);	/* NULL is fine */

/**
 * lu_ask() - send it; done() follows once
 *
 * Returns:  0
 *           or a refusal of lu_submit(): done() does not run
 */
int lu_ask(struct lu *lu, struct lu_ask *ask) MUST_CHECK;

/* lu_ask_in() - Data-In of @len bytes, the CDB is set; lu_ask_good() - it ended with GOOD */
void lu_ask_in(struct lu_ask *ask, uint32_t len);
bool lu_ask_good(const struct lu_ask *ask);

/* lu_local_as() - end @task as @ask ended, without data: status, sense, or transport reason */
void lu_local_as(struct lu_task *task, const struct lu_ask *ask);

/* ------ work that blocks ------ */

/* embedded in whatever the handler keeps for the command */
struct lu_job {
	/* lib/lu only */
	struct lu_work work;
	struct lu_task *task;
	int (*run)(struct lu_job *job);
	void (*then)(struct lu_task *task, struct lu_job *job, int r);
	int result;
};

/**
 * lu_local_offload() - let a worker do something for @task
 *
 * @run      on a worker: may block, must not touch the unit's or the task's state
 * @then     at home, with what @run returned; ends the task, or goes on. @job is free by then
 */
void lu_local_offload(struct lu_task *task, struct lu_job *job, int (*run)(struct lu_job *job),
    void (*then)(struct lu_task *task, struct lu_job *job, int r));

#endif /* LU_LOCAL_H */
