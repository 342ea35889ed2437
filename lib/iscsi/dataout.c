#include "iscsi/iscsi_impl.h"
#include "scsi/asc.h"

/* parts of a write's data that are here, apart from each other: Data-Out PDUs in any order */
struct iscsi_ranges {
	unsigned int n;
	struct { uint32_t at, end; } part[ISCSI_R2T_MAX * 2];
};

/* ------ data in any order ------ */

/* false: some of it was there already, or it lies too scattered */
static bool
ranges_add(struct iscsi_ranges *ranges, uint32_t at, uint32_t end)
{
	unsigned int i = 0;

	while (i < ranges->n && ranges->part[i].end < at)
		i++;
	if (i < ranges->n && ranges->part[i].end == at) {
		bool joins = i + 1 < ranges->n && ranges->part[i + 1].at == end;

		if (i + 1 < ranges->n && ranges->part[i + 1].at < end)
			return false;
		ranges->part[i].end = joins ? ranges->part[i + 1].end : end;
		if (joins)
			memmove(&ranges->part[i + 1], &ranges->part[i + 2],
			    (--ranges->n - i - 1) * sizeof(ranges->part[0]));
		return true;
	}
	if (i < ranges->n && ranges->part[i].at < end)
		return false;
	if (i < ranges->n && ranges->part[i].at == end) {
		ranges->part[i].at = at;
		return true;
	}
	if (ranges->n == ARRAY_LEN(ranges->part))
		return false;
	memmove(
	    &ranges->part[i + 1], &ranges->part[i], (ranges->n - i) * sizeof(ranges->part[0]));
	ranges->part[i].at = at;
	ranges->part[i].end = end;
	ranges->n++;
	return true;
}

/* ------ bursts ------ */

static struct iscsi_burst *
burst_find(struct iscsi_cmd *cmd, uint32_t ttt)
{
	for (unsigned int i = 0; i < cmd->n_bursts; i++)
		if (cmd->burst[i].ttt == ttt)
			return &cmd->burst[i];
	return NULL;
}

static void
burst_drop(struct iscsi_cmd *cmd, struct iscsi_burst *burst)
{
	*burst = cmd->burst[--cmd->n_bursts];
}

static void
burst_add(struct iscsi_cmd *cmd, uint32_t ttt, uint32_t offset, uint32_t len)
{
	cmd->burst[cmd->n_bursts++] = (struct iscsi_burst){
		.ttt = ttt, .offset = offset, .len = len,
	};
	cmd->data_ns = cmd->session->loop->now_ns;
}

/* whoever still sends data for a task that is gone is not told off: it cannot know yet */
static void
grave_add(struct iscsi_session *session, uint32_t itt, uint32_t ttt)
{
	session->graves[session->next_grave++ % GRAVES] = (struct grave){ itt, ttt, true };
}

static bool
grave_takes(struct iscsi_session *session, const uint8_t *bhs)
{
	uint32_t itt = iscsi_pdu_u32(bhs, ISCSI_O_ITT), ttt = iscsi_pdu_u32(bhs, ISCSI_O_TTT);

	for (unsigned int i = 0; i < GRAVES; i++) {
		struct grave *grave = &session->graves[i];

		if (!grave->is_used || grave->itt != itt || grave->ttt != ttt)
			continue;
		grave->is_used = !iscsi_pdu_is_final(bhs);
		return true;
	}
	return false;
}

/* no more data is waited for; what comes is dropped */
void
dataout_end(struct iscsi_cmd *cmd)
{
	for (unsigned int i = 0; i < cmd->n_bursts; i++)
		grave_add(cmd->session, cmd->itt, cmd->burst[i].ttt);
	cmd->n_bursts = 0;
	if (cmd->conn != NULL)
		rx_forget_cmd(cmd->conn, cmd);
}

void
dataout_bury(struct iscsi_session *session, uint32_t itt)
{
	grave_add(session, itt, ISCSI_TAG_NONE);
}

/* ------ asking for data ------ */

static uint32_t
ttt_next(struct iscsi_session *session)
{
	if (++session->next_ttt == ISCSI_TAG_NONE)
		session->next_ttt = 1;
	return session->next_ttt;
}

/* R2T carries the next StatSN without using it up: ctl's has_status stays false. False: there was
 * no memory, the connection is closed and @cmd is gone, or waits for another one to ask */
static bool
r2t_send(struct iscsi_cmd *cmd, uint32_t offset, uint32_t len)
{
	struct iscsi_conn *conn = cmd->conn;
	struct iscsi_ctl *ctl = ctl_new(conn->loop, NULL, 0);
	struct iscsi_sns none = { 0 };
	uint32_t ttt = ttt_next(cmd->session);

	burst_add(cmd, ttt, offset, len);
	cmd->burst[cmd->n_bursts - 1].r2t_sn = cmd->data_sn;
	if (ctl == NULL) {
		conn_close(conn, ISCSI_END_RESOURCES);
		return false;
	}
	iscsi_pdu_r2t(ctl->bhs, cmd->lun, cmd->itt, ttt, &none);
	be32_put(ctl->bhs + ISCSI_O_R2T_SN, cmd->data_sn++);
	be32_put(ctl->bhs + ISCSI_O_OFFSET, offset);
	be32_put(ctl->bhs + ISCSI_O_R2T_LEN, len);
	conn->stats.r2ts++;
	ctl_send(conn, ctl);
	return true;
}

void
dataout_solicit(struct iscsi_cmd *cmd)
{
	const struct iscsi_params *params = &cmd->session->params;
	uint32_t most;

	if (UNLIKELY(cmd->sm != CMD_ARRIVED))
		return;
	if (UNLIKELY(cmd->is_hungry)) {
		share_feed(cmd->session);
		return;
	}
	most = params->max_outstanding_r2t;
	if (most > ISCSI_R2T_MAX)
		most = ISCSI_R2T_MAX;
	while (cmd->conn != NULL && !cmd->is_refused && cmd->n_bursts < most &&
	    cmd->solicited < cmd->wanted) {
		uint32_t left = cmd->wanted - cmd->solicited;
		uint32_t len = left < params->max_burst ? left : params->max_burst;

		cmd->solicited += len;
		if (!r2t_send(cmd, cmd->solicited - len, len))
			return;
	}
}

/* ------ the command itself ------ */

static uint32_t
wanted_bytes(struct iscsi_cmd *cmd)
{
	struct iscsi_loop *loop = cmd->session->loop;
	uint32_t most = loop->limits.xfer_max_bytes, n = cmd->edtl;

	if (loop->ops->admit != NULL)
		n = loop->ops->admit(cmd);
	if (n > cmd->edtl)
		n = cmd->edtl;
	return n < most ? n : most;
}

/* for what is wanted and for what comes unasked, whether wanted or not */
uint32_t
dataout_bytes(const struct iscsi_cmd *cmd)
{
	uint32_t most = cmd->session->loop->limits.xfer_max_bytes;
	uint32_t bytes = cmd->wanted > cmd->solicited ? cmd->wanted : cmd->solicited;

	return bytes < most ? bytes : most;
}

/* false: there is none, the command is refused */
static bool
buffer_take(struct iscsi_cmd *cmd, uint32_t bytes)
{
	struct iscsi_loop *loop = cmd->session->loop;
	void *data = loop->ops->buf_get(loop, bytes);

	if (UNLIKELY(data == NULL)) {
		window_squeeze(cmd->session);
		cmd_refuse(cmd, 0);
		return false;
	}
	if (UNLIKELY(cmd->session->is_short))
		window_pay(cmd->session);
	if (UNLIKELY(cmd->buf_bytes > 0)) {
		memcpy(data, cmd->data, cmd->buf_bytes);
		loop->ops->buf_put(loop, cmd->data, cmd->buf_bytes);
	}
	cmd->data = data;
	cmd->buf_bytes = bytes;
	return true;
}

bool
dataout_grow(struct iscsi_cmd *cmd)
{
	uint32_t bytes = dataout_bytes(cmd);

	if (!buffer_take(cmd, bytes))
		return false;
	cmd->data_len = cmd->wanted;
	share_hold(cmd, bytes);
	return true;
}

/* who holds much already waits with what has to be asked for: only what comes unasked needs a
 * place now. That is little, and does not count */
static void
buffer_begin(struct iscsi_cmd *cmd)
{
	const struct iscsi_session *session = cmd->session;
	uint32_t bytes = dataout_bytes(cmd);

	if (cmd->wanted <= cmd->solicited) {
		if (bytes > 0 && buffer_take(cmd, bytes))
			cmd->data_len = cmd->wanted;
	} else if (LIKELY(TAILQ_EMPTY(&session->hungry) && share_has_room(session, bytes))) {
		(void)dataout_grow(cmd);
	} else if (cmd->solicited == 0 || buffer_take(cmd, cmd->solicited)) {
		share_wait(cmd);
	}
}

static void
ranges_begin(struct iscsi_cmd *cmd, uint32_t immediate)
{
	if (LIKELY(cmd->session->params.data_pdu_in_order) ||
	    (cmd->n_bursts == 0 && cmd->solicited >= cmd->wanted))
		return;
	cmd->ranges = fault_hit() ? NULL : calloc(1, sizeof(*cmd->ranges));
	if (cmd->ranges == NULL)
		cmd_refuse(cmd, 0);
	else if (immediate > 0)
		(void)ranges_add(cmd->ranges, 0, immediate);
}

/* a command that writes has arrived, with @immediate bytes of data behind it */
void
dataout_begin(struct iscsi_cmd *cmd, uint32_t immediate)
{
	const struct iscsi_params *params = &cmd->session->params;
	uint32_t first = params->first_burst < cmd->edtl ? params->first_burst : cmd->edtl;

	cmd->wanted = wanted_bytes(cmd);
	cmd->solicited = immediate;
	if (!iscsi_pdu_is_final(cmd->bhs) && first > immediate) {
		burst_add(cmd, ISCSI_TAG_NONE, immediate, first - immediate);
		cmd->solicited = first;
	}
	buffer_begin(cmd);
	ranges_begin(cmd, immediate);
	if (cmd->n_bursts == 0 && LIKELY(!cmd->is_hungry))
		dataout_solicit(cmd);
}

/* ------ Data-Out ------ */

static void
data_refuse(struct iscsi_conn *conn, struct iscsi_cmd *cmd, const uint8_t *bhs,
    enum iscsi_reject reason)
{
	if (reason != ISCSI_REJECT_NONE)
		ctl_reject(conn, bhs, reason);
	if (cmd != NULL)
		cmd_refuse(cmd, ASC_DATA_PHASE);
}

static bool
is_in_order(const struct iscsi_cmd *cmd, const struct iscsi_burst *burst, uint32_t offset)
{
	return cmd->ranges != NULL || offset == burst->offset + burst->got;
}

/* may these bytes be stored? What is wrong with them is remembered in @cmd and @burst */
static bool
data_check(struct iscsi_conn *conn, struct iscsi_cmd *cmd, struct iscsi_burst *burst,
    const uint8_t *bhs)
{
	uint32_t len = iscsi_pdu_data_len(bhs), offset = iscsi_pdu_u32(bhs, ISCSI_O_OFFSET);
	uint32_t sn = iscsi_pdu_u32(bhs, ISCSI_O_DATA_SN), end = burst->offset + burst->len;

	if (offset < burst->offset || offset > end || len > end - offset) {
		data_refuse(conn, cmd, bhs, ISCSI_REJECT_PROTOCOL);
		return false;
	}
	if (burst->is_broken || cmd->is_refused)
		return false;
	if (sn != burst->next_sn || !is_in_order(cmd, burst, offset)) {
		/* a PDU was lost on the way, or the initiator cannot count */
		if (cmd->session->has_recovery && iscsi_sn_lt(burst->next_sn, sn))
			burst->is_broken = true;
		else
			data_refuse(conn, cmd, bhs, ISCSI_REJECT_NONE);
		return false;
	}
	if (cmd->ranges != NULL && len > 0 && !ranges_add(cmd->ranges, offset, offset + len)) {
		data_refuse(conn, cmd, bhs, ISCSI_REJECT_PROTOCOL);
		return false;
	}
	return true;
}

/* the sequence that a PDU is part of, noted as the one under way; NULL: nobody waits for such */
static struct iscsi_burst *
header_find(struct iscsi_conn *conn, const uint8_t *bhs, struct rx_plan *plan)
{
	struct iscsi_cmd *cmd = cmd_find(conn->session, iscsi_pdu_u32(bhs, ISCSI_O_ITT));
	struct iscsi_burst *burst = NULL;

	if (cmd != NULL && cmd->conn == conn && cmd->n_bursts > 0)
		burst = burst_find(cmd, iscsi_pdu_u32(bhs, ISCSI_O_TTT));
	if (burst == NULL)
		return NULL;
	plan->kind = RX_BURST;
	conn->rx_cmd = cmd;
	conn->rx_ttt = burst->ttt;
	conn->rx_counts = false;
	cmd->pins++;
	return burst;
}

void
dataout_header(struct iscsi_conn *conn, const uint8_t *bhs, struct rx_plan *plan)
{
	struct iscsi_burst *burst = header_find(conn, bhs, plan);
	uint32_t offset = iscsi_pdu_u32(bhs, ISCSI_O_OFFSET), len = iscsi_pdu_data_len(bhs);
	struct iscsi_cmd *cmd = conn->rx_cmd;

	if (burst == NULL) {
		if (grave_takes(conn->session, bhs))
			conn->stats.dropped_pdus++;
		else
			ctl_reject(conn, bhs, ISCSI_REJECT_FIELD);
		return;
	}
	conn->rx_counts = data_check(conn, cmd, burst, bhs);
	if (conn->rx_counts && cmd->data != NULL && offset + len <= cmd->buf_bytes)
		plan->dest = cmd->data + offset;
}

void
dataout_rejected(struct iscsi_conn *conn, const uint8_t *bhs, struct rx_plan *plan)
{
	if (header_find(conn, bhs, plan) != NULL)
		cmd_refuse(conn->rx_cmd, ASC_DATA_PHASE);
}

/* the sequence ended with less than all of its data */
static void
burst_short(struct iscsi_cmd *cmd, const struct iscsi_burst *burst)
{
	uint32_t at = burst->offset + burst->got, end = burst->offset + burst->len;

	if (cmd->is_refused)
		return;
	if (cmd->ranges != NULL ||
	    (burst->ttt != ISCSI_TAG_NONE && !cmd->session->has_recovery)) {
		cmd_refuse(cmd, burst->is_broken ? ASC_PROTOCOL_CRC :
		    ASC_NOT_ENOUGH_UNSOLICITED_DATA);
		return;
	}
	if (end > cmd->wanted)
		end = cmd->wanted;
	/* asked for again; an initiator may also send less than it may without being asked */
	if (at < end && cmd->conn != NULL)
		(void)r2t_send(cmd, at, end - at);
}

static void
burst_end(struct iscsi_cmd *cmd, struct iscsi_burst *burst)
{
	struct iscsi_burst ended = *burst;

	burst_drop(cmd, burst);
	if (ended.got < ended.len)
		burst_short(cmd, &ended);
	dataout_solicit(cmd);
	if (cmd->sm == CMD_ARRIVED && cmd_is_whole(cmd))
		cmd_go(cmd);
}

/* a Data-Out PDU is here with all of its data */
void
dataout_segment(struct iscsi_conn *conn, const uint8_t *bhs)
{
	struct iscsi_cmd *cmd = conn->rx_cmd;
	struct iscsi_burst *burst = burst_find(cmd, conn->rx_ttt);

	if (burst == NULL)
		return;
	cmd->data_ns = conn->loop->now_ns;
	if (conn->rx_counts) {
		burst->got += conn->seg_len;
		burst->next_sn++;
		conn->stats.written_bytes += conn->seg_len;
	}
	if (iscsi_pdu_is_final(bhs) || burst->got == burst->len)
		burst_end(cmd, burst);
}

/* RFC 7143 7.8: its data had a wrong digest. With error recovery it is asked for again */
void
dataout_lost(struct iscsi_conn *conn, const uint8_t *bhs)
{
	struct iscsi_cmd *cmd = conn->rx_cmd;
	struct iscsi_burst *burst = burst_find(cmd, conn->rx_ttt);

	if (burst == NULL)
		return;
	burst->is_broken = true;
	if (!cmd->session->has_recovery || cmd->ranges != NULL)
		cmd_refuse(cmd, ASC_PROTOCOL_CRC);
	if (iscsi_pdu_is_final(bhs))
		burst_end(cmd, burst);
}

/* the connection breaks off in the middle of the data that comes with it */
void
dataout_unfilled(struct iscsi_cmd *cmd)
{
	cmd->is_filling = false;
	if (cmd->n_bursts < ISCSI_R2T_MAX)
		burst_add(cmd, ISCSI_TAG_NONE, 0, iscsi_pdu_data_len(cmd->bhs));
	else
		cmd_refuse(cmd, ASC_PROTOCOL_CRC);
}

/* the same for data that came with the command: none of it is here */
void
dataout_immediate_lost(struct iscsi_cmd *cmd)
{
	struct iscsi_burst *burst = burst_find(cmd, ISCSI_TAG_NONE);

	if (!cmd->session->has_recovery || cmd->ranges != NULL) {
		cmd_refuse(cmd, ASC_PROTOCOL_CRC);
		return;
	}
	if (burst == NULL) {
		uint32_t len = iscsi_pdu_data_len(cmd->bhs);

		if (len > cmd->wanted)
			len = cmd->wanted;
		if (cmd->n_bursts == ISCSI_R2T_MAX)
			cmd_refuse(cmd, ASC_PROTOCOL_CRC);
		else if (len > 0)
			(void)r2t_send(cmd, 0, len);
		return;
	}
	/* what follows unasked is dropped, then all of it is asked for */
	burst->len += burst->offset;
	burst->offset = 0;
	burst->is_broken = true;
}

static void
r2t_again(struct iscsi_cmd *cmd, const struct iscsi_burst *burst)
{
	struct iscsi_conn *conn = cmd->conn;
	struct iscsi_ctl *ctl = ctl_new(conn->loop, NULL, 0);
	struct iscsi_sns none = { 0 };

	if (ctl == NULL)
		return;
	iscsi_pdu_r2t(ctl->bhs, cmd->lun, cmd->itt, burst->ttt, &none);
	be32_put(ctl->bhs + ISCSI_O_R2T_SN, burst->r2t_sn);
	be32_put(ctl->bhs + ISCSI_O_OFFSET, burst->offset);
	be32_put(ctl->bhs + ISCSI_O_R2T_LEN, burst->len);
	conn->stats.resent_pdus++;
	ctl_send(conn, ctl);
}

/* SNACK: R2Ts that are not answered yet; those that were need no repetition */
bool
dataout_resend_r2t(struct iscsi_cmd *cmd, uint32_t begin, uint32_t end)
{
	for (unsigned int i = 0; i < cmd->n_bursts; i++) {
		const struct iscsi_burst *burst = &cmd->burst[i];

		if (burst->ttt != ISCSI_TAG_NONE && burst->r2t_sn >= begin &&
		    burst->r2t_sn < end)
			r2t_again(cmd, burst);
	}
	return true;
}

/* another connection took the command over: what has not come is asked for there */
void
dataout_again(struct iscsi_cmd *cmd)
{
	unsigned int n = cmd->n_bursts;
	struct iscsi_burst was[ISCSI_R2T_MAX];

	memcpy(was, cmd->burst, sizeof(was));
	cmd->n_bursts = 0;
	for (unsigned int i = 0; i < n && cmd->sm == CMD_ARRIVED; i++) {
		uint32_t at = was[i].offset, end = was[i].offset + was[i].len;

		if (cmd->ranges != NULL)
			cmd_refuse(cmd, ASC_PROTOCOL_CRC);
		else
			at += was[i].got;
		if (end > cmd->wanted)
			end = cmd->wanted;
		if (at >= end || cmd->is_refused)
			continue;
		if (cmd->conn != NULL)
			(void)r2t_send(cmd, at, end - at);
		else
			burst_add(cmd, was[i].ttt, at, end - at);
	}
	dataout_solicit(cmd);
	if (cmd->sm == CMD_ARRIVED && cmd_is_whole(cmd))
		cmd_go(cmd);
}

/* the last PDU of a sequence may have been lost: ask again after a while. True: that was done, and
 * any task may have ended by it */
bool
dataout_tick(struct iscsi_cmd *cmd)
{
	uint64_t now = cmd->session->loop->now_ns;

	if (cmd->sm != CMD_ARRIVED || cmd->n_bursts == 0 || cmd->conn == NULL ||
	    cmd->conn->rx_cmd == cmd || now < cmd->data_ns + DATA_LOST_NS)
		return false;
	cmd->data_ns = now;
	grave_add(cmd->session, cmd->itt, cmd->burst[0].ttt);
	burst_end(cmd, &cmd->burst[0]);
	return true;
}
