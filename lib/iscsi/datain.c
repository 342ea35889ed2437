#include "iscsi/iscsi_impl.h"

static inline void
slot_init(struct tx_slot *slot, struct iscsi_cmd *cmd)
{
	slot->is_cmd = true;
	slot->owner = cmd;
	slot->data = NULL;
	slot->data_len = 0;
}

/* ------ SCSI Response ------ */

static void
response_slot(struct iscsi_conn *conn, struct iscsi_cmd *cmd, struct tx_slot *slot)
{
	struct iscsi_sns sns;

	slot_init(slot, cmd);
	tx_sns(conn, &sns);
	if (!cmd->is_answered)
		cmd->stat_sn = conn->stat_sn++;
	sns.stat_sn = cmd->stat_sn;
	cmd->is_answered = true;
	cmd->is_resp_due = false;
	iscsi_pdu_init(slot->head, ISCSI_OP_SCSI_RSP,
	    (uint8_t)(ISCSI_FINAL | cmd->resid_bits), cmd->itt);
	slot->head[2] = cmd->is_failure ? ISCSI_RSP_TARGET_FAILURE : ISCSI_RSP_COMPLETED;
	slot->head[3] = cmd->is_failure ? 0 : cmd->status;
	iscsi_pdu_put_sns(slot->head, &sns);
	be32_put(slot->head + ISCSI_O_SNACK_TAG, cmd->snack_tag);
	be32_put(slot->head + ISCSI_O_EXP_DATA_SN, cmd->data_sn);
	be32_put(slot->head + ISCSI_O_BIDI_RESID, cmd->bidi_resid);
	be32_put(slot->head + ISCSI_O_RESID, cmd->resid);
	if (cmd->sense_len > 0) {
		slot->data = cmd->sense;
		slot->data_len = cmd->sense_len;
		iscsi_pdu_put_data_len(slot->head, cmd->sense_len);
	}
}

/* ------ Data-In ------ */

/* what one Data-In PDU carries */
struct piece {
	uint32_t offset;
	uint32_t len;
	bool ends_burst;
	bool is_last;
};

static inline void
piece_at(const struct iscsi_cmd *cmd, uint32_t offset, struct piece *ret)
{
	uint32_t burst = cmd->session->params.max_burst;
	uint32_t in_burst = burst - offset % burst, left = cmd->to_send - offset;
	uint32_t len = cmd->segment < in_burst ? cmd->segment : in_burst;

	ret->offset = offset;
	ret->len = len < left ? len : left;
	ret->is_last = ret->len == left;
	ret->ends_burst = ret->is_last || ret->len == in_burst;
}

static inline void
data_header(struct iscsi_conn *conn, struct iscsi_cmd *cmd, const struct piece *piece,
    uint32_t data_sn, uint8_t *head)
{
	bool has_status = piece->is_last && cmd->is_collapsed;
	uint8_t flags = piece->ends_burst ? ISCSI_FINAL : 0;
	struct iscsi_sns sns;

	tx_sns(conn, &sns);
	if (has_status) {
		if (!cmd->is_answered)
			cmd->stat_sn = conn->stat_sn++;
		cmd->is_answered = true;
		flags |= (uint8_t)(ISCSI_DATA_IN_STATUS | cmd->resid_bits);
	}
	sns.stat_sn = has_status ? cmd->stat_sn : 0;
	iscsi_pdu_init(head, ISCSI_OP_DATA_IN, flags, cmd->itt);
	iscsi_pdu_put_data_len(head, piece->len);
	be32_put(head + ISCSI_O_TTT, ISCSI_TAG_NONE);
	iscsi_pdu_put_sns(head, &sns);
	be32_put(head + ISCSI_O_DATA_SN, data_sn);
	be32_put(head + ISCSI_O_OFFSET, piece->offset);
	if (has_status) {
		head[3] = cmd->status;
		be32_put(head + ISCSI_O_RESID, cmd->resid);
	}
	/* with error recovery, ask for an acknowledgement where a burst ends (11.7.2) */
	if (cmd->session->has_recovery && piece->ends_burst && !piece->is_last) {
		head[1] |= ISCSI_DATA_IN_ACK;
		memcpy(head + ISCSI_O_LUN, cmd->lun, 8);
		be32_put(head + ISCSI_O_TTT, cmd->itt == ISCSI_TAG_NONE ? 0 : cmd->itt);
	}
}

static void
data_slot(struct iscsi_conn *conn, struct iscsi_cmd *cmd, const struct piece *piece,
    uint32_t data_sn, struct tx_slot *slot)
{
	slot_init(slot, cmd);
	data_header(conn, cmd, piece, data_sn, slot->head);
	slot->data = cmd->data + piece->offset;
	slot->data_len = piece->len;
	conn->stats.read_bytes += piece->len;
}

/* the PDUs of a command are cut alike every time, so the number of one that was sent finds its
 * data: every burst has as many of them */
static void
piece_of(const struct iscsi_cmd *cmd, uint32_t data_sn, struct piece *ret)
{
	uint32_t burst = cmd->session->params.max_burst;
	uint32_t in_burst = burst / cmd->segment + (burst % cmd->segment != 0);
	uint64_t offset = (uint64_t)(data_sn / in_burst) * burst +
	    (uint64_t)(data_sn % in_burst) * cmd->segment;

	assert(offset < cmd->to_send);
	piece_at(cmd, (uint32_t)offset, ret);
}

/* answer again from the Data-In PDU @data_sn on */
void
datain_rewind(struct iscsi_cmd *cmd, uint32_t data_sn)
{
	struct piece piece;

	if (cmd->to_send == 0)
		return;
	cmd->data_sn = data_sn;
	cmd->sent = 0;
	if (data_sn == 0)
		return;
	piece_of(cmd, data_sn - 1, &piece);
	cmd->sent = piece.offset + piece.len;
}

static void
resend_slot(struct iscsi_conn *conn, struct iscsi_cmd *cmd, struct tx_slot *slot)
{
	struct piece piece;

	piece_of(cmd, cmd->resend_sn, &piece);
	data_slot(conn, cmd, &piece, cmd->resend_sn++, slot);
	conn->stats.resent_pdus++;
}

/* the next PDU of @cmd's answer; true: it was the last one */
bool
datain_next(struct iscsi_conn *conn, struct iscsi_cmd *cmd, struct tx_slot *slot)
{
	struct piece piece;

	if (UNLIKELY(cmd->resend_sn != cmd->resend_end)) {
		resend_slot(conn, cmd, slot);
	} else if (cmd->sent < cmd->to_send) {
		piece_at(cmd, cmd->sent, &piece);
		data_slot(conn, cmd, &piece, cmd->data_sn++, slot);
		cmd->sent += piece.len;
	} else {
		response_slot(conn, cmd, slot);
	}
	return cmd->resend_sn == cmd->resend_end && cmd->sent >= cmd->to_send &&
	    !cmd->is_resp_due;
}

/* a PDU of @cmd is with the kernel */
void
datain_sent(struct iscsi_conn *conn, struct iscsi_cmd *cmd)
{
	(void)conn;
	if (cmd->slots == 0 && cmd->is_answered && !cmd->tx.is_queued &&
	    cmd->sm == CMD_ANSWERING)
		cmd_answered(cmd);
}
