/* commands and task management functions of a connection */
#include "hw/iscsi/wire_impl.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

bool
wire_has_unsent(const struct wire *wire)
{
	return (iscsi_which_events(wire->ctx) & POLLOUT) != 0 ||
	    iscsi_out_queue_length(wire->ctx) > 0;
}

/* a slot is over, and nobody points at it any more */
static void
slot_free(struct wire *wire, struct wire_slot *slot)
{
	free(slot->task.datain.data);
	slot->task.datain.data = NULL;
	slot->cmd = NULL;
	TAILQ_INSERT_HEAD(&wire->free, slot, link);
}

/* PDUs that can be written are written before others that wait for the target's window: data of
 * a command that is over is always among the former */
static bool
has_writable(const struct wire *wire)
{
	return (iscsi_which_events(wire->ctx) & POLLOUT) != 0;
}

/* a busy slot is over. Data-Out PDUs may still point at it: from now on to zeros */
static void
slot_end(struct wire *wire, struct wire_slot *slot)
{
	TAILQ_REMOVE(&wire->busy, slot, link);
	if (wire->stuck == slot)
		wire->stuck = NULL;
	if (slot->seen.dir != SCREEN_OUT || !has_writable(wire)) {
		slot_free(wire, slot);
		return;
	}
	for (unsigned int i = 0; i < slot->niov; i++)
		slot->iov[i].iov_base = wire->zeros;
	TAILQ_INSERT_TAIL(&wire->early, slot, link);
}

void
wire_drained(struct wire *wire)
{
	struct wire_slot *slot;

	if (wire->stuck != NULL && iscsi_out_queue_length(wire->ctx) == 0)
		wire->stuck = NULL;
	if (has_writable(wire))
		return;
	wire->screen.replies = 0;
	while ((slot = TAILQ_FIRST(&wire->early)) != NULL) {
		TAILQ_REMOVE(&wire->early, slot, link);
		slot_free(wire, slot);
	}
}

static bool
tag_is_forgotten(const struct wire *wire, uint32_t tag)
{
	unsigned int n = wire->nforgotten < WIRE_FORGOTTEN ? wire->nforgotten : WIRE_FORGOTTEN;

	for (unsigned int i = 0; i < n; i++)
		if (wire->forgotten[i] == tag)
			return true;
	return false;
}

enum screen_tag
wire_tag_find(void *arg, uint32_t tag, struct screen_command **ret_command)
{
	struct wire *wire = arg;
	struct wire_slot *slot;

	TAILQ_FOREACH(slot, &wire->busy, link) {
		if (slot->task.itt == tag) {
			*ret_command = &slot->seen;
			return SCREEN_TAG_COMMAND;
		}
	}
	return tag_is_forgotten(wire, tag) ? SCREEN_TAG_FORGOTTEN : SCREEN_TAG_UNKNOWN;
}

/* the sense in a response: two bytes of length, then that many (RFC 7143 11.4.7.2) */
static void
answer_take_sense(struct wire_answer *answer, const struct scsi_task *task)
{
	const uint8_t *data = task->datain.data;
	size_t have = (size_t)task->datain.size, len;

	if (answer->status != SCSI_STATUS_CHECK_CONDITION || data == NULL || have <= 2)
		return;
	len = (size_t)data[0] << 8 | data[1];
	if (len > have - 2)
		len = have - 2;
	answer->sense_len = len < WIRE_SENSE_MAX ? len : WIRE_SENSE_MAX;
	answer->sense = data + 2;
}

/* what was moved: of a read what came, of a write all but the residual */
static uint64_t
answer_moved(const struct wire_slot *slot)
{
	uint64_t bytes = slot->seen.bytes;

	if (slot->seen.dir == SCREEN_IN)
		return slot->seen.moved;
	if (slot->seen.dir == SCREEN_NONE)
		return 0;
	if (slot->task.residual_status != SCSI_RESIDUAL_UNDERFLOW)
		return bytes;
	return slot->task.residual < bytes ? bytes - slot->task.residual : 0;
}

static void
command_done(struct iscsi_context *ctx, int status, void *data, void *private)
{
	struct wire_slot *slot = private;
	struct wire *wire = slot->wire;
	struct wire_answer answer = {
		.is_failed = !slot->seen.has_status || slot->seen.response != 0 ||
		    status == SCSI_STATUS_ERROR,
		.status = slot->seen.status,
	};

	(void)ctx;
	(void)data;
	if (wire->is_closing || slot->cmd == NULL)
		return;
	/* the end of the connection is told to those who wait, and to nobody else */
	if (status == SCSI_STATUS_CANCELLED) {
		wire_die_of_error(wire, "connection lost");
		return;
	}
	if (!answer.is_failed) {
		answer.is_over = slot->task.residual_status == SCSI_RESIDUAL_OVERFLOW;
		answer.moved_bytes = answer_moved(slot);
		answer_take_sense(&answer, &slot->task);
	}
	wire->ops->answered(wire->arg, slot->cmd, &answer);
	slot_end(wire, slot);
}

static void
slot_fill(struct wire_slot *slot, const struct wire_command *command)
{
	static const enum screen_dir dirs[] = {
		[WIRE_NONE] = SCREEN_NONE, [WIRE_IN] = SCREEN_IN, [WIRE_OUT] = SCREEN_OUT };
	static const int xfers[] = {
		[WIRE_NONE] = SCSI_XFER_NONE, [WIRE_IN] = SCSI_XFER_READ,
		[WIRE_OUT] = SCSI_XFER_WRITE };
	struct scsi_task *task = &slot->task;

	slot->cmd = command->cmd;
	slot->niov = command->niov;
	for (unsigned int i = 0; i < command->niov; i++)
		slot->iov[i] = (struct scsi_iovec){ command->iov[i].iov_base,
			command->iov[i].iov_len };
	slot->seen = (struct screen_command){ .dir = dirs[command->dir],
		.bytes = (uint32_t)command->bytes };
	*task = (struct scsi_task){ .cdb_size = (int)command->cdb_len,
		.xfer_dir = xfers[command->dir], .expxferlen = (int)command->bytes };
	memcpy(task->cdb, command->cdb, command->cdb_len);
	slot->none = (struct scsi_iovec){ NULL, 0 };
	/* without any pieces libiscsi would keep what comes in memory of its own */
	scsi_task_set_iov_in(task, &slot->none, 1);
	if (command->dir == WIRE_IN)
		scsi_task_set_iov_in(task, slot->iov, (int)command->niov);
	if (command->dir == WIRE_OUT)
		scsi_task_set_iov_out(task, slot->iov, (int)command->niov);
}

bool
wire_can_send(struct wire *wire)
{
	if (wire->state != WIRE_UP || wire_has_unsent(wire))
		return false;
	wire_drained(wire);
	return !TAILQ_EMPTY(&wire->free);
}

struct wire_slot *
wire_send(struct wire *wire, const struct wire_command *command)
{
	struct wire_slot *slot = TAILQ_FIRST(&wire->free);
	struct wire *before;
	int r;

	slot_fill(slot, command);
	r = iscsi_scsi_command_async(wire->ctx, command->lun, &slot->task, command_done, NULL,
	    slot);
	if (r != 0) {
		slot->cmd = NULL;
		wire_die_of_error(wire, "out of memory");
		return NULL;
	}
	TAILQ_REMOVE(&wire->free, slot, link);
	TAILQ_INSERT_TAIL(&wire->busy, slot, link);
	before = wire_enter(wire);
	r = iscsi_service(wire->ctx, POLLOUT);
	wire_leave(before);
	if (r < 0)
		wire_die(wire, "connection lost: it cannot be written to");
	/* with the window open it is on its way, and only its data may wait for the socket */
	if (iscsi_out_queue_length(wire->ctx) > 0 && !has_writable(wire))
		wire->stuck = slot;
	return slot;
}

bool
wire_is_sent(const struct wire *wire, const struct wire_slot *slot)
{
	return wire->stuck != slot;
}

void
wire_forget(struct wire *wire, struct wire_slot *slot)
{
	assert(wire_is_sent(wire, slot));
	slot->cmd = NULL;
	wire->forgotten[wire->nforgotten++ % WIRE_FORGOTTEN] = slot->task.itt;
	(void)iscsi_scsi_cancel_task(wire->ctx, &slot->task);
	slot_end(wire, slot);
}

static void
task_done(struct iscsi_context *ctx, int status, void *data, void *private)
{
	struct wire_tmf *tmf = private;
	struct wire *wire = tmf->wire;
	const uint32_t *response = data;

	(void)ctx;
	if (wire->is_closing)
		return;
	if (status == SCSI_STATUS_CANCELLED) {
		wire_die_of_error(wire, "connection lost");
		return;
	}
	wire->ops->tmf_answered(wire->arg, tmf, status == SCSI_STATUS_GOOD && response != NULL ?
	    (uint8_t)*response : WIRE_TASK_REJECTED);
}

int
wire_task(struct wire *wire, struct wire_tmf *tmf, enum wire_task what, uint16_t lun,
    const struct wire_slot *slot)
{
	static const enum iscsi_task_mgmt_funcs funcs[] = {
		[WIRE_ABORT_TASK] = ISCSI_TM_ABORT_TASK,
		[WIRE_ABORT_TASK_SET] = ISCSI_TM_ABORT_TASK_SET,
		[WIRE_LUN_RESET] = ISCSI_TM_LUN_RESET,
		[WIRE_TARGET_RESET] = ISCSI_TM_TARGET_WARM_RESET,
	};

	if (wire->state != WIRE_UP)
		return -ENOTCONN;
	tmf->wire = wire;
	/* the functions that have names of their own cancel all commands of the context
	 * first */
	if (iscsi_task_mgmt_async(wire->ctx, lun, funcs[what],
	    slot == NULL ? 0xffffffff : slot->task.itt, slot == NULL ? 0 : slot->task.cmdsn,
	    task_done, tmf) != 0)
		return -ENOMEM;
	return 0;
}
