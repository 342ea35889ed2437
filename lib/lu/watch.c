#include "lu/lu_impl.h"

#include "lu/loss.h"
#include "lu/reserve.h"
#include "lu/token.h"
#include "scsi/opcode.h"
#include "scsi/status.h"

#define DEPTH_GROW	64	/* completions without TASK SET FULL until one more may go */

/* what success of a command means to nexuses that did not send it */
enum watch {
	WATCH_NOTHING,
	WATCH_MODE_SELECT,
	WATCH_LOG_SELECT,
	WATCH_FORMAT,
	WATCH_LOAD,
	WATCH_FIRMWARE,
	WATCH_TIMESTAMP,
	WATCH_IDENTITY,
	WATCH_PRIORITY,
	WATCH_FLUSH,
	WATCH_N
};

const uint8_t lu_watch_ops[OP_N] = {
	[OP_MODE_SELECT_6] = WATCH_MODE_SELECT,
	[OP_MODE_SELECT_10] = WATCH_MODE_SELECT,
	[OP_LOG_SELECT] = WATCH_LOG_SELECT,
	[OP_FORMAT_UNIT] = WATCH_FORMAT,
	[OP_START_STOP_UNIT] = WATCH_LOAD,
	[OP_WRITE_BUFFER] = WATCH_FIRMWARE,
	[OP_SET_TIMESTAMP] = WATCH_TIMESTAMP,
	[OP_SET_IDENTIFYING_INFO] = WATCH_IDENTITY,
	[OP_SET_PRIORITY] = WATCH_PRIORITY,
	[OP_SYNCHRONIZE_CACHE_10] = WATCH_FLUSH,
	[OP_SYNCHRONIZE_CACHE_16] = WATCH_FLUSH,
};

void
lu_watch_update(struct lu *lu)
{
	lu->is_watching = lu->is_reset_told || lu->is_capacity_unknown ||
	    lu->depth < lu->depth_max;
}

/* ------ resets ------ */

void
lu_reset_happened(struct lu *lu, uint16_t asc)
{
	lu_ua_raise_all(lu, asc);
	lu_reserve_reset(lu);
	lu_prevent_reset(lu);
	lu->is_reset_told = true;
	lu->reset_seq = lu->seq;
	lu_watch_update(lu);
	/* mode parameters are the saved ones again */
	lu_refresh(lu, LU_REFRESH_MODES, NULL, NULL);
}

/* The device tells of a reset. If everybody has heard of it, it is asked again; else whatever
 * the reset ended there has ended here */
static bool
watch_device_reset(struct lu *lu, const struct lu_task *task, uint16_t asc)
{
	bool is_known = lu->is_reset_told && asc != ASC_POWER_ON;

	lu->is_reset_told = false;
	lu_watch_update(lu);
	if (is_known)
		return true;
	lu_ua_raise_others(lu, task->nexus, asc);
	lu_reserve_reset(lu);
	lu_prevent_reset(lu);
	lu_refresh(lu, LU_REFRESH_MODES, NULL, NULL);
	return false;
}

/* ------ unit attentions of the device: it has told one of us, and means all ------ */

/* not what resets say: 29h */
static bool
is_news(uint16_t asc)
{
	return asc >> 8 == 0x28 || asc >> 8 == 0x2a || asc >> 8 == 0x3f;
}

static void
watch_attention(struct lu *lu, const struct lu_task *task, const struct sense_data *sense)
{
	lu_ua_raise_others(lu, task->nexus, sense->asc);
	if (sense->asc >> 8 == ASC_MEDIUM_CHANGED >> 8)
		lu_token_lost(lu);
	if (sense->asc >> 8 == ASC_MEDIUM_CHANGED >> 8)
		lu_refresh(lu, LU_REFRESH_CAPACITY | LU_REFRESH_MODES, NULL, sense);
	else if (sense->asc == ASC_CAPACITY_CHANGED || sense->asc == ASC_PARAMETERS_CHANGED)
		lu_refresh(lu, LU_REFRESH_CAPACITY, NULL, sense);
	else if (sense->asc == ASC_MODE_PARAMETERS_CHANGED)
		lu_refresh(lu, LU_REFRESH_MODES, NULL, sense);
	else if (is_news(sense->asc))
		lu_news_tell(lu, sense);
}

static bool
watch_check(struct lu *lu, const struct lu_task *task)
{
	struct sense_data sense;

	if (sense_parse(task->sense, task->sense_len, &sense) < 0)
		return false;
	if (sense.key != SENSE_UNIT_ATTENTION || sense.is_deferred) {
		lu_loss_check(lu, task, &sense);
		return false;
	}
	if (sense.asc >> 8 == ASC_POWER_ON_OR_RESET >> 8)
		return watch_device_reset(lu, task, sense.asc);
	watch_attention(lu, task, &sense);
	return false;
}

/* ------ depth ------ */

void
lu_set_depth(struct lu *unit, uint32_t depth)
{
	unit->depth = unit->depth_max = depth == 0 ? LU_DEPTH_DEFAULT : depth;
	lu_watch_update(unit);
	lu_held_run(unit);
}

uint32_t
lu_depth(const struct lu *unit)
{
	return unit->depth_max == LU_DEPTH_DEFAULT ? 0 : unit->depth_max;
}

void
lu_set_timeout(struct lu *unit, uint32_t timeout_ms)
{
	unit->timeout_ms = timeout_ms == 0 ? LU_TIMEOUT_DEFAULT_MS : timeout_ms;
}

static void
depth_lower(struct lu *lu)
{
	lu->depth = lu->n_issued > 0 ? lu->n_issued : 1;
	lu->depth_good = 0;
	lu_watch_update(lu);
}

/* completions while something is watched */
static void
watch_good(struct lu *lu, const struct lu_task *task)
{
	if (lu->is_reset_told && task->seq > lu->reset_seq &&
	    (task->op == NULL || (task->op->flags & OP_F_UA_EXEMPT) == 0))
		lu->is_reset_told = false;
	if (lu->depth < lu->depth_max && ++lu->depth_good >= DEPTH_GROW) {
		lu->depth_good = 0;
		lu->depth++;
	}
	if (task->op != NULL && (task->op->flags & OP_F_MEDIUM) != 0 && task->status == 0)
		lu_refresh_ready(lu, task->nexus);
	lu_watch_update(lu);
}

/* ------ commands that change the unit ------ */

static void
watch_start_stop(struct lu *lu, const struct lu_task *task)
{
	bool has_loej = (task->cdb[4] & 0x02) != 0, has_start = (task->cdb[4] & 0x01) != 0;

	/* with a power condition the other bits mean nothing (SBC-3 5.25) */
	if (!has_loej || (task->cdb[4] & 0xf0) != 0)
		return;
	if (has_start)
		lu_ua_raise_others(lu, task->nexus, ASC_MEDIUM_CHANGED);
	lu_refresh(lu, LU_REFRESH_CAPACITY | LU_REFRESH_MODES, task->nexus, NULL);
}

static void
watch_write_buffer(struct lu *lu, const struct lu_task *task)
{
	uint8_t mode = task->cdb[1] & 0x1f;

	/* download microcode, at once or when activated (SPC-4 6.49) */
	if ((mode >= 0x04 && mode <= 0x07) || mode == 0x0f)
		lu_ua_raise_others(lu, task->nexus, ASC_MICROCODE_CHANGED);
}

/* an empty list changes nothing; LOG SELECT has a bit that resets all the same (SPC-4 6.5) */
static bool
is_list_empty(const struct lu_task *task)
{
	return task->op->xfer == OP_XFER_BYTES && task->expected == 0 &&
	    (task->op->id != OP_LOG_SELECT || (task->cdb[1] & 0x02) == 0);
}

static void
watch_success(struct lu *lu, const struct lu_task *task)
{
	if (is_list_empty(task))
		return;
	switch ((enum watch)lu_watch_ops[task->op->id]) {
	case WATCH_MODE_SELECT:
		lu_ua_raise_others(lu, task->nexus, ASC_MODE_PARAMETERS_CHANGED);
		lu_refresh(lu, LU_REFRESH_MODES | LU_REFRESH_CAPACITY, task->nexus, NULL);
		break;
	case WATCH_LOG_SELECT:
		lu_ua_raise_others(lu, task->nexus, ASC_LOG_PARAMETERS_CHANGED);
		break;
	case WATCH_FORMAT:
		lu_refresh(lu, LU_REFRESH_CAPACITY | LU_REFRESH_MODES, task->nexus, NULL);
		break;
	case WATCH_LOAD:
		watch_start_stop(lu, task);
		break;
	case WATCH_FIRMWARE:
		watch_write_buffer(lu, task);
		break;
	case WATCH_TIMESTAMP:
		lu_ua_raise_others(lu, task->nexus, ASC_TIMESTAMP_CHANGED);
		break;
	case WATCH_IDENTITY:
		lu_ua_raise_others(lu, task->nexus, ASC_IDENTIFIER_CHANGED);
		break;
	case WATCH_PRIORITY:
		lu_ua_raise_others(lu, task->nexus, ASC_PRIORITY_CHANGED);
		break;
	case WATCH_FLUSH:
		lu_loss_flushed(lu, task);
		break;
	case WATCH_NOTHING:
	case WATCH_N:
		break;
	}
}

/* with a recovered error the command has done what it was to do (SPC-4 4.5.6) */
static bool
is_success(const struct lu_task *task)
{
	struct sense_data sense;

	if (task->status == SAM_STAT_GOOD)
		return true;
	return task->status == SAM_STAT_CHECK_CONDITION &&
	    sense_parse(task->sense, task->sense_len, &sense) == 0 &&
	    sense.key == SENSE_RECOVERED_ERROR && !sense.is_deferred;
}

bool
lu_watch_done(struct lu *lu, struct lu_task *task)
{
	bool is_again = false;

	if (task->reason == CMD_CMPLT) {
		if (task->status == SAM_STAT_CHECK_CONDITION)
			is_again = watch_check(lu, task);
		else if (task->status == SAM_STAT_TASK_SET_FULL)
			depth_lower(lu);
		else if (lu->is_watching)
			watch_good(lu, task);
		if (task->op != NULL && is_success(task))
			watch_success(lu, task);
	}
	if (is_again && !task->is_abort_due && !task->nexus->is_gone)
		return true;
	if (task->after != NULL)
		task->after(lu, task);
	return false;
}
