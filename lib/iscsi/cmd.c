#include <errno.h>

#include "iscsi/iscsi_impl.h"
#include "scsi/asc.h"
#include "scsi/sense.h"
#include "scsi/status.h"

/*
 *	free -> arrived -----------> given -> answering -> retained -> free
 *	           |  ^                |          |           |
 *	           |  +--> ready ------+          +---- free  +-> answering (sent again)
 *	           +----> answering (refused)
 * given, and finished: a function has ended it that is not answered yet (cmd_end()).
 * arrived: its turn or its data is missing. ready: behind an ORDERED command. retained: until
 * the initiator acknowledges the status, ErrorRecoveryLevel 1 and 2.
 */
const struct sm_state cmd_states[CMD_NSTATES] = {
	[CMD_FREE]      = { "free",      SM_TO(CMD_ARRIVED) },
	[CMD_ARRIVED]   = { "arrived",   SM_TO(CMD_READY) | SM_TO(CMD_GIVEN) |
					 SM_TO(CMD_ANSWERING) | SM_TO(CMD_FREE) },
	[CMD_READY]     = { "ready",     SM_TO(CMD_GIVEN) | SM_TO(CMD_FREE) },
	[CMD_GIVEN]     = { "given",     SM_TO(CMD_ANSWERING) | SM_TO(CMD_FREE) },
	[CMD_ANSWERING] = { "answering", SM_TO(CMD_RETAINED) | SM_TO(CMD_FREE) },
	[CMD_RETAINED]  = { "retained",  SM_TO(CMD_ANSWERING) | SM_TO(CMD_FREE) },
};

/* ------ by task tag ------ */

static inline unsigned int
hash_of(uint32_t itt)
{
	return itt * 2654435761u >> (32 - HASH_BITS);
}

struct iscsi_cmd *
cmd_find(const struct iscsi_session *session, uint32_t itt)
{
	struct iscsi_cmd *cmd;

	LIST_FOREACH(cmd, &session->hash[hash_of(itt)], hash_entry)
		if (cmd->itt == itt)
			return cmd;
	return NULL;
}

/* ------ life ------ */

struct iscsi_cmd *
cmd_new(struct iscsi_conn *conn, const uint8_t *bhs)
{
	struct iscsi_session *session = conn->session;
	struct iscsi_cmd *cmd = loop_take_cmd(conn->loop);
	uint8_t flags = bhs[1];

	if (UNLIKELY(cmd == NULL))
		return NULL;
	memset(cmd, 0, offsetof(struct iscsi_cmd, entry));
	memcpy(cmd->bhs, bhs, ISCSI_BHS_LEN);
	cmd->session = session;
	cmd->conn = conn;
	cmd->cid = conn->cid;
	cmd->cdb = cmd->bhs + ISCSI_O_CDB;
	cmd->cdb_len = ISCSI_CDB_LEN;
	cmd->lun = cmd->bhs + ISCSI_O_LUN;
	cmd->edtl = iscsi_pdu_u32(bhs, ISCSI_O_EDTL);
	cmd->itt = iscsi_pdu_u32(bhs, ISCSI_O_ITT);
	cmd->cmd_sn = iscsi_pdu_u32(bhs, ISCSI_O_CMD_SN);
	cmd->is_immediate = iscsi_pdu_is_immediate(bhs);
	cmd->attr = (enum iscsi_attr)(flags & ISCSI_CMD_ATTR_MASK);
	cmd->dir = flags & ISCSI_CMD_READ ? ISCSI_DIR_READ :
	    flags & ISCSI_CMD_WRITE ? ISCSI_DIR_WRITE : ISCSI_DIR_NONE;
	cmd->tx.is_cmd = true;
	cmd->sm = CMD_ARRIVED;
	cmd->is_hashed = true;
	cmd->is_listed = true;
	LIST_INSERT_HEAD(&session->hash[hash_of(cmd->itt)], cmd, hash_entry);
	TAILQ_INSERT_TAIL(&session->tasks, cmd, entry);
	session->n_cmds++;
	window_take(session, cmd);
	return cmd;
}

void
cmd_drop_data(struct iscsi_cmd *cmd)
{
	struct iscsi_loop *loop = cmd->session->loop;

	if (cmd->held_bytes > 0)
		share_give(cmd);
	if (cmd->buf_bytes > 0)
		loop->ops->buf_put(loop, cmd->data, cmd->buf_bytes);
	else if (cmd->release != NULL)
		cmd->release(cmd);
	cmd->data = NULL;
	cmd->data_len = 0;
	cmd->buf_bytes = 0;
	cmd->release = NULL;
}

uint32_t
cmd_kept_bytes(const struct iscsi_cmd *cmd)
{
	if (cmd->buf_bytes > 0)
		return cmd->buf_bytes;
	return cmd->data != NULL ? cmd->data_len : 0;
}

/* neither its tag nor its place in the order is known any more */
static void
cmd_unlist(struct iscsi_cmd *cmd)
{
	if (cmd->is_hashed)
		LIST_REMOVE(cmd, hash_entry);
	if (cmd->is_listed)
		TAILQ_REMOVE(&cmd->session->tasks, cmd, entry);
	cmd->is_hashed = false;
	cmd->is_listed = false;
}

static void
cmd_unretain(struct iscsi_cmd *cmd)
{
	if (!cmd->is_retained)
		return;
	TAILQ_REMOVE(&cmd->conn->retained, cmd, conn_entry);
	cmd->conn->n_retained--;
	cmd->is_retained = false;
	cmd->session->retained_bytes -= cmd_kept_bytes(cmd);
}

static void
slot_put(struct iscsi_cmd *cmd)
{
	struct iscsi_session *session = cmd->session;

	loop_put_cmd(session->loop, cmd);
	session->n_cmds--;
	if (UNLIKELY(session->is_dead))
		session_put(session);
}

void
cmd_free(struct iscsi_cmd *cmd)
{
	cmd_unretain(cmd);
	cmd_unlist(cmd);
	window_give(cmd->session, cmd);
	if (UNLIKELY(!cmd->has_turn))
		window_forget_cmd(cmd->session, cmd);
	if (UNLIKELY(cmd->is_hungry))
		share_leave(cmd);
	if (UNLIKELY(cmd->ranges != NULL))
		free(STEAL(cmd->ranges));
	if (cmd->data != NULL)
		cmd_drop_data(cmd);
	cmd->sm = CMD_FREE;
	if (LIKELY(cmd->pins == 0))
		slot_put(cmd);
}

/* it was never there: the window is as it was before cmd_new() */
void
cmd_unmake(struct iscsi_cmd *cmd)
{
	if (cmd->is_owed)
		cmd->session->owed--;
	cmd->is_owed = false;
	cmd->has_turn = true;
	cmd_free(cmd);
}

void
cmd_unpin(struct iscsi_cmd *cmd)
{
	if (--cmd->pins == 0 && cmd->sm == CMD_FREE)
		slot_put(cmd);
}

/* ------ to the host ------ */

bool
cmd_is_whole(const struct iscsi_cmd *cmd)
{
	return cmd->n_bursts == 0 && !cmd->is_filling &&
	    (cmd->solicited >= cmd->wanted || cmd->is_refused);
}

static void
cmd_give(struct iscsi_cmd *cmd)
{
	struct iscsi_conn *conn = cmd->conn;

	(void)sm_move(cmd_states, &cmd->sm, CMD_GIVEN);
	if (LIKELY(conn != NULL)) {
		conn->stats.commands++;
		conn->stats.reads += cmd->dir == ISCSI_DIR_READ;
		conn->stats.writes += cmd->dir == ISCSI_DIR_WRITE;
	}
	cmd->session->loop->ops->command(cmd);
}

/* it ends without the host: with BUSY, or with the sense of RFC 7143 11.4.7.2 */
static void
cmd_end_refused(struct iscsi_cmd *cmd)
{
	struct sense_data sense = sense_make(cmd->refusal_asc == ASC_INVALID_FIELD_IN_CDB ?
	    SENSE_ILLEGAL_REQUEST : SENSE_ABORTED_COMMAND, cmd->refusal_asc);
	struct iscsi_result result = { .status = SAM_STAT_BUSY };
	uint8_t bytes[SENSE_FIXED_LEN];

	if (cmd->is_hungry)
		share_leave(cmd);
	if (cmd->refusal_asc != 0) {
		result.status = SAM_STAT_CHECK_CONDITION;
		result.sense = bytes;
		result.sense_len = (uint16_t)sense_build(&sense, false, bytes, sizeof(bytes));
	}
	iscsi_cmd_done(cmd, &result);
}

void
cmd_refuse(struct iscsi_cmd *cmd, uint16_t asc)
{
	if (cmd->is_refused)
		return;
	cmd->is_refused = true;
	cmd->refusal_asc = asc;
}

static bool
is_barrier(const struct iscsi_cmd *cmd)
{
	return cmd->attr == ISCSI_ATTR_ORDERED && !cmd->is_immediate;
}

/* leaves arrived or ready: what waited for it may go */
static void
cmd_uncount(struct iscsi_cmd *cmd)
{
	struct iscsi_session *session = cmd->session;

	if (!cmd->is_ready)
		return;
	cmd->is_ready = false;
	session->n_collecting--;
	if (is_barrier(cmd))
		session->n_barriers--;
}

/*
 * Commands enter the task set in the order of CmdSN, but those that write enter it when their
 * data is here. That matters to ORDERED ones only: they wait for those before them, and those
 * behind wait for them.
 */
void
cmd_run_ready(struct iscsi_session *session)
{
	struct iscsi_cmd *cmd;
	bool is_blocked, is_feeding = session->is_feeding;

	if (session->n_collecting == 0 && LIKELY(TAILQ_EMPTY(&session->hungry)))
		return;
	session->n_cmds++; /* hold: the host may end the session */
	session->is_feeding = true; /* not before all have gone that can */
again:
	is_blocked = false;
	TAILQ_FOREACH(cmd, &session->tasks, entry) {
		if (!cmd->is_ready)
			continue;
		if (!cmd_is_whole(cmd) || (is_blocked && is_barrier(cmd))) {
			if (is_barrier(cmd))
				break;
			is_blocked = true;
			continue;
		}
		cmd_uncount(cmd);
		if (cmd->is_refused)
			cmd_end_refused(cmd);
		else
			cmd_give(cmd);
		goto again; /* the host may have finished any of them */
	}
	session->is_feeding = is_feeding;
	if (UNLIKELY(!TAILQ_EMPTY(&session->hungry)))
		share_feed(session);
	session->n_cmds--;
	session_put(session);
}

void
cmd_go(struct iscsi_cmd *cmd)
{
	struct iscsi_session *session = cmd->session;
	bool is_whole = cmd_is_whole(cmd);

	if (!cmd->has_turn)
		return;
	if (LIKELY(is_whole && session->n_barriers == 0 && !cmd->is_ready && !cmd->is_refused &&
	    (!is_barrier(cmd) || session->n_collecting == 0))) {
		cmd_give(cmd);
		return;
	}
	/* these do not wait for their order, but ORDERED ones may have waited for them */
	if (is_whole &&
	    (cmd->is_immediate || cmd->attr == ISCSI_ATTR_HEAD || cmd->is_refused) &&
	    session->n_barriers == 0) {
		cmd_uncount(cmd);
		if (cmd->is_refused)
			cmd_end_refused(cmd);
		else
			cmd_give(cmd);
		return;
	}
	if (!cmd->is_ready) {
		cmd->is_ready = true;
		session->n_collecting++;
		if (is_barrier(cmd))
			session->n_barriers++;
	}
	if (is_whole)
		cmd_run_ready(session);
}

/* every CmdSN before it has come; it may have waited for that */
void
cmd_turn(struct iscsi_cmd *cmd)
{
	struct iscsi_session *session = cmd->session;

	cmd->has_turn = true;
	TAILQ_REMOVE(&session->tasks, cmd, entry);
	TAILQ_INSERT_TAIL(&session->tasks, cmd, entry);
	if (LIKELY(cmd->sm == CMD_ARRIVED))
		cmd_go(cmd);
}

int
iscsi_cmd_buf(struct iscsi_cmd *cmd, uint32_t bytes)
{
	struct iscsi_loop *loop = cmd->session->loop;

	if (bytes == 0 || bytes > loop->limits.xfer_max_bytes || bytes > cmd->edtl)
		return -EMSGSIZE;
	cmd->data = loop->ops->buf_get(loop, bytes);
	if (UNLIKELY(cmd->data == NULL)) {
		window_squeeze(cmd->session);
		return -ENOBUFS;
	}
	if (UNLIKELY(cmd->session->is_short))
		window_pay(cmd->session);
	cmd->data_len = bytes;
	cmd->buf_bytes = bytes;
	return 0;
}

/* ------ back from the host ------ */

static void
answer_residual(struct iscsi_cmd *cmd, const struct iscsi_result *result)
{
	uint32_t moved = result->moved < cmd->edtl ? result->moved : cmd->edtl;

	if (result->overflow > 0) {
		cmd->resid_bits |= ISCSI_RSP_OVER;
		cmd->resid =
		    result->overflow > UINT32_MAX ? UINT32_MAX : (uint32_t)result->overflow;
	} else if (moved < cmd->edtl) {
		cmd->resid_bits |= ISCSI_RSP_UNDER;
		cmd->resid = cmd->edtl - moved;
	}
}

static void
answer_sense(struct iscsi_cmd *cmd, const struct iscsi_result *result)
{
	uint16_t len = result->sense_len;

	if (len == 0)
		return;
	if (len > ISCSI_SENSE_MAX)
		len = ISCSI_SENSE_MAX;
	be16_put(cmd->sense, len);
	memcpy(cmd->sense + 2, result->sense, len);
	cmd->sense_len = (uint16_t)(len + 2);
}

static void
cmd_queue_answer(struct iscsi_cmd *cmd)
{
	struct iscsi_conn *conn = cmd->conn;

	if (conn == NULL) { /* its connection is lost; TASK REASSIGN may fetch it */
		orphans_trim(cmd->session);
		return;
	}
	cmd->segment = conn->max_send;
	tx_add(conn, &cmd->tx);
}

static void
cmd_finish_silent(struct iscsi_cmd *cmd)
{
	cmd->is_finished = true;
	cmd->is_aborted = true;
	cmd_free(cmd);
}

static void
cmd_finish(struct iscsi_cmd *cmd, const struct iscsi_result *result)
{
	struct iscsi_session *session = cmd->session;

	if (UNLIKELY(cmd->is_aborted || session->is_dead)) {
		cmd_finish_silent(cmd);
		return;
	}
	cmd->is_finished = true;
	answer_residual(cmd, result);
	answer_sense(cmd, result);
	cmd->status = result->status;
	cmd->is_failure = result->is_failure;
	if (cmd->dir == ISCSI_DIR_READ && cmd->data != NULL && result->moved > 0)
		cmd->to_send = result->moved < cmd->data_len ? result->moved : cmd->data_len;
	else if (cmd->data != NULL)
		cmd_drop_data(cmd);
	cmd->is_collapsed = cmd->to_send > 0 && cmd->sense_len == 0 && !cmd->is_failure;
	cmd->is_resp_due = !cmd->is_collapsed;
	(void)sm_move(cmd_states, &cmd->sm, CMD_ANSWERING);
	window_give(session, cmd);
	cmd_queue_answer(cmd);
}

void
iscsi_cmd_done(struct iscsi_cmd *cmd, const struct iscsi_result *result)
{
	struct iscsi_session *session = cmd->session;

	assert(!cmd->is_finished);
	if (LIKELY(TAILQ_EMPTY(&session->hungry))) {
		cmd_finish(cmd, result);
		return;
	}
	session->n_cmds++; /* hold */
	cmd_finish(cmd, result);
	share_feed(session);
	session->n_cmds--;
	session_put(session);
}

/* ------ ended by a function that is not answered yet ------ */

bool
cmd_is_ended(const struct iscsi_cmd *cmd)
{
	return cmd->sm == CMD_GIVEN && cmd->is_finished;
}

void
cmd_end(struct iscsi_cmd *cmd)
{
	if (cmd->sm == CMD_ARRIVED) {
		dataout_end(cmd);
		cmd->n_bursts = 0;
		cmd_uncount(cmd);
		if (cmd->is_hungry)
			share_leave(cmd);
		(void)sm_move(cmd_states, &cmd->sm, CMD_GIVEN);
	}
	cmd->is_finished = true;
	if (cmd->data != NULL)
		cmd_drop_data(cmd);
}

void
cmd_end_undo(struct iscsi_cmd *cmd)
{
	const struct iscsi_result busy = { .status = SAM_STAT_BUSY };

	cmd->is_finished = false;
	iscsi_cmd_done(cmd, &busy);
}

void
iscsi_cmd_drop(struct iscsi_cmd *cmd)
{
	struct iscsi_session *session = cmd->session;

	assert(!cmd->is_finished);
	session->n_cmds++; /* hold */
	if (session->n_tmfs > 0 && !session->is_dead && !cmd->is_aborted &&
	    tmf_is_ending(session, cmd, NULL))
		cmd_end(cmd);
	else
		cmd_finish_silent(cmd);
	share_feed(session);
	session->n_cmds--;
	session_put(session);
}

/* ------ after the answer ------ */

/* memory for read data that may be asked for again is bounded: the oldest goes first */
static void
retained_trim(struct iscsi_session *session, struct iscsi_conn *conn)
{
	struct iscsi_cmd *cmd;

	TAILQ_FOREACH(cmd, &conn->retained, conn_entry) {
		if (session->retained_bytes <= session->loop->limits.retained_bytes)
			break;
		session->retained_bytes -= cmd_kept_bytes(cmd);
		if (cmd->data != NULL)
			cmd_drop_data(cmd);
	}
	while (conn->n_retained > RETAINED_MAX && (cmd = TAILQ_FIRST(&conn->retained)) != NULL)
		cmd_free(cmd);
}

void
cmd_answered(struct iscsi_cmd *cmd)
{
	struct iscsi_session *session = cmd->session;
	struct iscsi_conn *conn = cmd->conn;

	if (LIKELY(!session->has_recovery) || session->is_dead || cmd->is_aborted) {
		cmd_free(cmd);
		return;
	}
	(void)sm_move(cmd_states, &cmd->sm, CMD_RETAINED);
	if (conn == NULL)
		return;
	if (iscsi_sn_lt(cmd->stat_sn, conn->acked_sn)) {
		cmd_free(cmd);
		return;
	}
	cmd->is_retained = true;
	TAILQ_INSERT_TAIL(&conn->retained, cmd, conn_entry);
	conn->n_retained++;
	session->retained_bytes += cmd_kept_bytes(cmd);
	retained_trim(session, conn);
}

/* the initiator, or the end of its session or connection, ends the task: no answer */
void
cmd_abort(struct iscsi_cmd *cmd)
{
	if (cmd->is_aborted)
		return;
	cmd->is_aborted = true;
	switch ((enum cmd_state)cmd->sm) {
	case CMD_ARRIVED:
	case CMD_READY:
		dataout_end(cmd);
		cmd_uncount(cmd);
		cmd_free(cmd);
		break;
	case CMD_GIVEN:
		if (cmd->is_finished)
			cmd_free(cmd);
		else
			cmd_unlist(cmd);
		break;
	case CMD_ANSWERING:
		if (cmd->tx.is_queued)
			tx_remove(cmd->conn, &cmd->tx);
		cmd_unlist(cmd);
		cmd->is_answered = true;
		if (cmd->slots == 0)
			cmd_free(cmd);
		break;
	case CMD_RETAINED:
		cmd_free(cmd);
		break;
	case CMD_FREE:
	case CMD_NSTATES:
		break;
	}
}
