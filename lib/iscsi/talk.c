#include "iscsi/iscsi_impl.h"

/* ------ NOP ------ */

/* RFC 7143 11.18: an answer to our NOP-In, or a ping that comes back with its data */
void
talk_nop(struct iscsi_conn *conn, const uint8_t *bhs, const uint8_t *data, uint32_t len)
{
	uint32_t itt = iscsi_pdu_u32(bhs, ISCSI_O_ITT);
	struct iscsi_sns none = { 0 };
	struct iscsi_ctl *ctl;

	if (iscsi_pdu_u32(bhs, ISCSI_O_TTT) != ISCSI_TAG_NONE)
		conn->nop_ns = 0;
	if (itt == ISCSI_TAG_NONE)
		return;
	ctl = ctl_new(conn->loop, data, len < conn->max_send ? len : conn->max_send);
	if (ctl == NULL) {
		conn_close(conn, ISCSI_END_RESOURCES);
		return;
	}
	iscsi_pdu_nop_in(
	    ctl->bhs, bhs + ISCSI_O_LUN, itt, ISCSI_TAG_NONE, &none, ctl->data_len);
	ctl->has_status = true;
	ctl_send(conn, ctl);
}

/* ask for a sign of life, or for an acknowledgement */
void
talk_ping_now(struct iscsi_conn *conn)
{
	static const uint8_t no_lun[8];
	struct iscsi_ctl *ctl = ctl_new(conn->loop, NULL, 0);
	struct iscsi_sns none = { 0 };

	if (ctl == NULL)
		return;
	if (++conn->nop_ttt == ISCSI_TAG_NONE)
		conn->nop_ttt = 1;
	iscsi_pdu_nop_in(ctl->bhs, no_lun, ISCSI_TAG_NONE, conn->nop_ttt, &none, 0);
	conn->nop_ns = conn->loop->now_ns;
	ctl_send(conn, ctl);
}

/* silence for a while: ask; silence after that: give up. Any byte counts as an answer */
void
talk_ping(struct iscsi_conn *conn)
{
	const struct iscsi_node_config *config = &conn->session->node->config;
	uint64_t now = conn->loop->now_ns;

	if (config->nop_interval_ms == 0 || conn->sm != S5_LOGGED_IN)
		return;
	if (conn->nop_ns != 0 && conn->heard_ns > conn->nop_ns)
		conn->nop_ns = 0;
	if (conn->nop_ns == 0) {
		if (now >= conn->heard_ns + config->nop_interval_ms * NS_PER_MS)
			talk_ping_now(conn);
		return;
	}
	if (now >= conn->nop_ns + config->nop_timeout_ms * NS_PER_MS) {
		conn->stats.nop_timeouts++;
		conn_close(conn, ISCSI_END_SILENT);
	}
}

/* ------ Text ------ */

static void
text_end(struct iscsi_conn *conn)
{
	iscsi_gather_fini(&conn->gather);
	iscsi_text_out_fini(&conn->text);
	conn->text_ttt = ISCSI_TAG_NONE;
}

void
talk_fini(struct iscsi_conn *conn)
{
	text_end(conn);
}

static void
text_reject(struct iscsi_conn *conn, const uint8_t *bhs, enum iscsi_reject reason)
{
	text_end(conn);
	ctl_reject(conn, bhs, reason);
}

/* as much of the answer as one PDU carries; the rest is fetched by an empty request (6.2) */
static void
text_answer(struct iscsi_conn *conn, const uint8_t *bhs)
{
	struct iscsi_sns none = { 0 };
	struct iscsi_ctl *ctl;
	const char *piece;
	uint8_t flags;
	size_t len;

	piece = iscsi_text_out_piece(&conn->text, conn->max_send, &len);
	ctl = ctl_new(conn->loop, piece, (uint32_t)len);
	if (ctl == NULL) {
		conn_close(conn, ISCSI_END_RESOURCES);
		return;
	}
	flags = iscsi_text_out_left(&conn->text) > 0 ? ISCSI_TEXT_CONTINUE : 0;
	if (flags == 0 && iscsi_pdu_is_final(bhs))
		flags = ISCSI_FINAL;
	if (flags == ISCSI_FINAL) {
		conn->text_ttt = ISCSI_TAG_NONE;
	} else if (conn->text_ttt == ISCSI_TAG_NONE) {
		conn->text_itt = iscsi_pdu_u32(bhs, ISCSI_O_ITT);
		conn->text_ttt = 1;
	}
	iscsi_pdu_text_rsp(ctl->bhs, bhs, conn->text_ttt, &none, flags, ctl->data_len);
	ctl->has_status = true;
	ctl_send(conn, ctl);
	if (flags == ISCSI_FINAL)
		text_end(conn);
}

static bool
text_targets(struct iscsi_conn *conn, struct iscsi_text value)
{
	const struct iscsi_session *session = conn->session;
	char name[ISCSI_NAME_LEN] = "";
	enum iscsi_send_targets what;

	if (iscsi_send_targets_parse(value, session->info.is_discovery, &what, name) < 0)
		return false;
	if (session->node != NULL) {
		/* a normal session learns about its own target only */
		if (what == ISCSI_SEND_ONE && strcmp(name, session->node->name) != 0)
			return true;
		what = ISCSI_SEND_OWN;
	}
	conn->loop->ops->send_targets(conn, what, name, &conn->text);
	return true;
}

/* the text of a request is whole: negotiate */
static void
text_act(struct iscsi_conn *conn, const uint8_t *bhs, struct iscsi_text text)
{
	struct iscsi_text targets = { 0 };
	struct iscsi_params params = conn->session->params;

	params.max_send_data = conn->max_send;
	iscsi_text_out_reset(&conn->text);
	if (iscsi_keys_text(&params, text, &conn->text, &targets) < 0 ||
	    (targets.at != NULL && !text_targets(conn, targets)) || conn->text.error != 0) {
		text_reject(conn, bhs, conn->text.error == 0 ? ISCSI_REJECT_PROTOCOL :
		    ISCSI_REJECT_LONG_OP);
		return;
	}
	conn->max_send = params.max_send_data;
	iscsi_gather_fini(&conn->gather);
	text_answer(conn, bhs);
}

/* RFC 7143 11.10.4: the target transfer tag says whether it goes on with what was begun */
static bool
text_is_next(struct iscsi_conn *conn, const uint8_t *bhs)
{
	uint32_t ttt = iscsi_pdu_u32(bhs, ISCSI_O_TTT);

	if (ttt == ISCSI_TAG_NONE) {
		/* a new sequence ends the one before; pieces of one request share its tag */
		if (conn->gather.len == 0 || conn->text_itt != iscsi_pdu_u32(bhs, ISCSI_O_ITT))
			text_end(conn);
		return true;
	}
	return ttt == conn->text_ttt && conn->text_itt == iscsi_pdu_u32(bhs, ISCSI_O_ITT);
}

void
talk_text(struct iscsi_conn *conn, const uint8_t *bhs, const uint8_t *data, uint32_t len)
{
	struct iscsi_text whole;

	if (!text_is_next(conn, bhs)) {
		text_reject(conn, bhs, ISCSI_REJECT_FIELD);
		return;
	}
	conn->text_itt = iscsi_pdu_u32(bhs, ISCSI_O_ITT);
	if (iscsi_text_out_left(&conn->text) > 0) {
		if (len > 0 || (bhs[1] & ISCSI_TEXT_CONTINUE) != 0)
			text_reject(conn, bhs, ISCSI_REJECT_PROTOCOL);
		else
			text_answer(conn, bhs);
		return;
	}
	if ((bhs[1] & ISCSI_TEXT_CONTINUE) != 0) {
		if (iscsi_gather_add(&conn->gather, data, len) < 0) {
			text_reject(conn, bhs, ISCSI_REJECT_LONG_OP);
			return;
		}
		iscsi_text_out_reset(&conn->text);
		conn->text_ttt = 1;
		text_answer(conn, bhs);
		return;
	}
	if (iscsi_gather_whole(&conn->gather, data, len, &whole) < 0) {
		text_reject(conn, bhs, ISCSI_REJECT_LONG_OP);
		return;
	}
	text_act(conn, bhs, whole);
}
