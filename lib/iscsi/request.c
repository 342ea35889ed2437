#include "iscsi/iscsi_impl.h"
#include "scsi/asc.h"
#include "scsi/status.h"

/* ------ SCSI Command ------ */

/* what the header and the session's parameters say against it */
static enum iscsi_reject
scsi_check(const struct iscsi_session *session, const uint8_t *bhs)
{
	const struct iscsi_params *params = &session->params;
	uint32_t immediate = iscsi_pdu_data_len(bhs), edtl = iscsi_pdu_u32(bhs, ISCSI_O_EDTL);
	bool is_write = (bhs[1] & ISCSI_CMD_WRITE) != 0;

	if (immediate > 0 &&
	    (!is_write || !params->immediate_data || immediate > params->first_burst ||
	    immediate > edtl))
		return ISCSI_REJECT_PROTOCOL;
	if (!iscsi_pdu_is_final(bhs) && (!is_write || params->initial_r2t))
		return ISCSI_REJECT_PROTOCOL;
	return ISCSI_REJECT_NONE;
}

/* the additional headers: a long CDB is taken, bidirectional commands are refused */
static enum iscsi_reject
scsi_take_ahs(struct iscsi_cmd *cmd, const uint8_t *ahs, uint32_t len)
{
	struct iscsi_ahs parsed;

	if (len > AHS_TAKEN_MAX || iscsi_ahs_parse(ahs, len, &parsed) < 0)
		return ISCSI_REJECT_FIELD;
	if (parsed.has_bidi)
		cmd->bidi_resid = parsed.bidi_read_len;
	if (parsed.ext_cdb == NULL)
		return ISCSI_REJECT_NONE;
	memcpy(cmd->long_cdb, cmd->bhs + ISCSI_O_CDB, ISCSI_CDB_LEN);
	memcpy(cmd->long_cdb + ISCSI_CDB_LEN, parsed.ext_cdb, parsed.ext_cdb_len);
	cmd->cdb = cmd->long_cdb;
	cmd->cdb_len = (uint16_t)(ISCSI_CDB_LEN + parsed.ext_cdb_len);
	return ISCSI_REJECT_NONE;
}

static void
scsi_refuse_bidi(struct iscsi_cmd *cmd)
{
	cmd->dir = ISCSI_DIR_WRITE;
	cmd->resid_bits = cmd->bidi_resid > 0 ? ISCSI_RSP_BIDI_UNDER : 0;
	cmd_refuse(cmd, ASC_INVALID_FIELD_IN_CDB);
}

/* no slot for it: BUSY all the same, its data is swallowed */
static void
scsi_busy(struct iscsi_conn *conn, const uint8_t *bhs)
{
	struct iscsi_ctl *ctl = ctl_new(conn->loop, NULL, 0);
	uint32_t itt = iscsi_pdu_u32(bhs, ISCSI_O_ITT);
	struct iscsi_sns none = { 0 };

	conn->session->stats.no_buffer++;
	if (ctl == NULL) {
		conn_close(conn, ISCSI_END_RESOURCES);
		return;
	}
	if (!iscsi_pdu_is_final(bhs))
		dataout_bury(conn->session, itt);
	iscsi_pdu_scsi_rsp(ctl->bhs, itt, &none, ISCSI_RSP_UNDER, ISCSI_RSP_COMPLETED,
	    SAM_STAT_BUSY);
	memcpy(ctl->bhs + ISCSI_O_RESID, bhs + ISCSI_O_EDTL, 4);
	ctl->has_status = true;
	ctl_send(conn, ctl);
}

/* a request that is answered, or refused, without a slot used up its CmdSN all the same */
static void
sn_consume(struct iscsi_conn *conn, const uint8_t *bhs)
{
	struct iscsi_session *session = conn->session;

	if (iscsi_pdu_is_immediate(bhs))
		return;
	if (iscsi_pdu_u32(bhs, ISCSI_O_CMD_SN) != session->exp_cmd_sn) {
		(void)window_void(session, iscsi_pdu_u32(bhs, ISCSI_O_CMD_SN));
		return;
	}
	session->exp_cmd_sn++;
	session->max_cmd_sn++;
	window_advance(session);
}

static void
scsi_reject(struct iscsi_conn *conn, const uint8_t *bhs, enum iscsi_reject reason)
{
	if (!iscsi_pdu_is_final(bhs) && (bhs[1] & ISCSI_CMD_WRITE) != 0)
		dataout_bury(conn->session, iscsi_pdu_u32(bhs, ISCSI_O_ITT));
	ctl_reject(conn, bhs, reason);
	if (conn->session != NULL)
		sn_consume(conn, bhs);
}

/* the usual ways on: its turn is now, or when what is missing has come */
static void
scsi_enter(struct iscsi_conn *conn, struct iscsi_cmd *cmd, enum window window,
    struct rx_plan *plan)
{
	struct iscsi_session *session = conn->session;
	uint32_t immediate = iscsi_pdu_data_len(cmd->bhs);

	if (UNLIKELY(window == WINDOW_LATE)) {
		if (!window_keep(conn, cmd->bhs, cmd, NULL, 0)) {
			conn->stats.dropped_pdus++;
			cmd_unmake(cmd);
			return;
		}
	} else {
		cmd->has_turn = true;
		session->exp_cmd_sn += !cmd->is_immediate;
	}
	if (cmd->dir == ISCSI_DIR_WRITE)
		dataout_begin(cmd, immediate);
	if (UNLIKELY(conn->is_closing)) { /* for lack of memory */
		if (cmd->sm == CMD_ARRIVED && immediate > 0)
			dataout_unfilled(cmd);
		return;
	}
	if (immediate > 0) {
		plan->kind = RX_CMD;
		plan->dest = cmd->buf_bytes >= immediate ? cmd->data : NULL;
		conn->rx_cmd = cmd;
		cmd->pins++;
		cmd->is_filling = true;
		/* meanwhile other connections may bring commands that must wait for it */
		if (UNLIKELY(session->n_conns > 1))
			cmd_go(cmd);
	} else {
		cmd_go(cmd);
	}
	session = conn->session;
	if (LIKELY(session != NULL) && UNLIKELY(session->n_late > 0 || session->n_tmfs > 0) &&
	    window == WINDOW_NOW)
		window_advance(session);
}

static void
scsi_begin(struct iscsi_conn *conn, const uint8_t *bhs, const uint8_t *ahs, uint32_t ahs_len,
    struct rx_plan *plan)
{
	struct iscsi_session *session = conn->session;
	enum window window = WINDOW_NOW;
	enum iscsi_reject reason;
	struct iscsi_cmd *cmd;

	if (LIKELY(!iscsi_pdu_is_immediate(bhs))) {
		window = window_judge(session, iscsi_pdu_u32(bhs, ISCSI_O_CMD_SN));
		if (UNLIKELY(window == WINDOW_OUT)) {
			conn->stats.dropped_pdus++;
			return;
		}
	} else if (session->n_immediate >= ISCSI_IMMEDIATE_MAX) {
		scsi_reject(conn, bhs, ISCSI_REJECT_TOO_MANY_IMMEDIATE);
		return;
	}
	reason = scsi_check(session, bhs);
	cmd = cmd_find(session, iscsi_pdu_u32(bhs, ISCSI_O_ITT));
	if (UNLIKELY(cmd != NULL && cmd->sm != CMD_RETAINED))
		reason = ISCSI_REJECT_TASK_IN_PROGRESS;
	if (UNLIKELY(reason != ISCSI_REJECT_NONE)) {
		scsi_reject(conn, bhs, reason);
		return;
	}
	cmd = cmd_new(conn, bhs);
	if (UNLIKELY(cmd == NULL)) {
		scsi_busy(conn, bhs);
		if (conn->session != NULL)
			sn_consume(conn, bhs);
		return;
	}
	if (UNLIKELY(ahs_len > 0)) {
		reason = scsi_take_ahs(cmd, ahs, ahs_len);
		if (reason != ISCSI_REJECT_NONE) {
			cmd_unmake(cmd);
			scsi_reject(conn, bhs, reason);
			return;
		}
	}
	if (UNLIKELY((bhs[1] & (ISCSI_CMD_READ | ISCSI_CMD_WRITE)) ==
	    (ISCSI_CMD_READ | ISCSI_CMD_WRITE)))
		scsi_refuse_bidi(cmd);
	scsi_enter(conn, cmd, window, plan);
}

/* ------ all requests ------ */

static bool
is_for_discovery(uint8_t opcode)
{
	return opcode == ISCSI_OP_TEXT || opcode == ISCSI_OP_LOGOUT ||
	       opcode == ISCSI_OP_NOP_OUT;
}

static bool
has_cmd_sn(uint8_t opcode)
{
	return opcode == ISCSI_OP_NOP_OUT || opcode == ISCSI_OP_SCSI_CMD ||
	    opcode == ISCSI_OP_TMF || opcode == ISCSI_OP_TEXT || opcode == ISCSI_OP_LOGOUT;
}

static void
other_begin(struct iscsi_conn *conn, const uint8_t *bhs, struct rx_plan *plan)
{
	uint8_t opcode = iscsi_pdu_opcode(bhs);

	if (opcode == ISCSI_OP_DATA_OUT)
		dataout_header(conn, bhs, plan);
	else if (opcode == ISCSI_OP_SNACK)
		snack_request(conn, bhs);
	else
		plan->kind = RX_CTL;
}

/* a header is here: act on it, or say where its data is to go */
void
request_begin(struct iscsi_conn *conn, const uint8_t *bhs, const uint8_t *ahs, uint32_t ahs_len,
    struct rx_plan *plan)
{
	struct iscsi_session *session = conn->session;
	uint8_t opcode = iscsi_pdu_opcode(bhs);
	enum iscsi_reject reason;

	if (UNLIKELY(conn->sm < S5_LOGGED_IN)) {
		entry_begin(conn, bhs, plan);
		return;
	}
	reason = iscsi_pdu_check(bhs, conn->max_recv);
	if (session->needs_acks && reason != ISCSI_REJECT_UNSUPPORTED)
		tx_ack(conn, iscsi_pdu_u32(bhs, ISCSI_O_EXP_STAT_SN));
	if (UNLIKELY(conn->is_closing))
		return;
	if (LIKELY(reason == ISCSI_REJECT_NONE)) {
		if (UNLIKELY(session->node == NULL && !is_for_discovery(opcode)))
			reason = ISCSI_REJECT_PROTOCOL;
		else if (UNLIKELY(ahs_len > 0 && opcode != ISCSI_OP_SCSI_CMD))
			reason = ISCSI_REJECT_FIELD;
	}
	if (UNLIKELY(reason != ISCSI_REJECT_NONE)) {
		ctl_reject(conn, bhs, reason);
		if (conn->session == NULL)
			return;
		if (has_cmd_sn(opcode))
			sn_consume(conn, bhs);
		else if (opcode == ISCSI_OP_DATA_OUT)
			dataout_rejected(conn, bhs, plan);
		return;
	}
	if (LIKELY(opcode == ISCSI_OP_SCSI_CMD))
		scsi_begin(conn, bhs, ahs, ahs_len, plan);
	else
		other_begin(conn, bhs, plan);
}

/* a request that is no SCSI command, in its turn */
void
request_run(struct iscsi_conn *conn, const uint8_t *bhs, const uint8_t *data, uint32_t len)
{
	switch (iscsi_pdu_opcode(bhs)) {
	case ISCSI_OP_NOP_OUT:
		talk_nop(conn, bhs, data, len);
		break;
	case ISCSI_OP_TEXT:
		talk_text(conn, bhs, data, len);
		break;
	case ISCSI_OP_TMF:
		tmf_request(conn, bhs);
		break;
	case ISCSI_OP_LOGOUT:
		logout_request(conn, bhs);
		break;
	default:
		break;
	}
}

static void
other_end(struct iscsi_conn *conn, const uint8_t *bhs, const uint8_t *data, uint32_t len)
{
	struct iscsi_session *session = conn->session;

	if (iscsi_pdu_is_immediate(bhs)) {
		request_run(conn, bhs, data, len);
		return;
	}
	switch (window_judge(session, iscsi_pdu_u32(bhs, ISCSI_O_CMD_SN))) {
	case WINDOW_OUT:
		conn->stats.dropped_pdus++;
		break;
	case WINDOW_LATE:
		if (!window_keep(conn, bhs, NULL, data, len))
			conn->stats.dropped_pdus++;
		break;
	case WINDOW_NOW:
		session->exp_cmd_sn++;
		session->max_cmd_sn++;
		session->n_cmds++; /* hold: a logout ends it */
		request_run(conn, bhs, data, len);
		window_advance(session);
		session->n_cmds--;
		session_put(session);
		break;
	}
}

/* a PDU is here with its data */
void
request_end(struct iscsi_conn *conn, const uint8_t *bhs, const uint8_t *data, uint32_t len)
{
	struct iscsi_cmd *cmd = conn->rx_cmd;

	switch (conn->kind) {
	case RX_DROP:
		break;
	case RX_CMD:
		conn->stats.written_bytes += len;
		cmd->is_filling = false;
		if (UNLIKELY(cmd->is_hungry))
			dataout_solicit(cmd);
		if (LIKELY(cmd->sm == CMD_ARRIVED))
			cmd_go(cmd);
		break;
	case RX_BURST:
		dataout_segment(conn, bhs);
		break;
	case RX_CTL:
		if (conn->sm < S5_LOGGED_IN)
			entry_end(conn, bhs, data);
		else
			other_end(conn, bhs, data, len);
		break;
	}
}

/* RFC 7143 7.8: the data of a PDU had a wrong digest */
void
request_bad_data(struct iscsi_conn *conn, const uint8_t *bhs)
{
	struct iscsi_cmd *cmd = conn->rx_cmd;

	ctl_reject(conn, bhs, ISCSI_REJECT_DATA_DIGEST);
	if (conn->session == NULL)
		return;
	switch (conn->kind) {
	case RX_DROP:
	case RX_CTL: /* the initiator sends it again, with the same CmdSN */
		break;
	case RX_CMD:
		cmd->is_filling = false;
		dataout_immediate_lost(cmd);
		if (cmd->sm == CMD_ARRIVED) /* else for lack of memory it is gone */
			cmd_go(cmd);
		break;
	case RX_BURST:
		dataout_lost(conn, bhs);
		break;
	}
}
