#include "iscsi/iscsi_impl.h"

#define SLOT_PIECES	3

static inline struct tx_slot *
slot_at(const struct iscsi_conn *conn, uint32_t n)
{
	return &conn->ring->slot[n % TX_SLOTS];
}

static inline bool
has_something(const struct iscsi_conn *conn)
{
	return conn->ring_head != conn->ring_tail || !STAILQ_EMPTY(&conn->txq);
}

/* ------ the queue ------ */

void
tx_kick(struct iscsi_conn *conn)
{
	if (conn->is_send_due || conn->is_moving || !has_something(conn))
		return;
	conn->is_send_due = true;
	conn->loop->ops->want_send(conn);
}

/* what an answer counts for towards limits.tx_queued_bytes */
static uint32_t
item_bytes(const struct iscsi_conn *conn, struct iscsi_tx_item *item)
{
	if (LIKELY(item->is_cmd))
		return container_of(item, struct iscsi_cmd, tx)->to_send + conn->loop->cmd_bytes;
	return container_of(item, struct iscsi_ctl, tx)->data_len +
	    (uint32_t)sizeof(struct iscsi_ctl);
}

void
tx_add(struct iscsi_conn *conn, struct iscsi_tx_item *item)
{
	conn->queued_bytes += item_bytes(conn, item);
	item->is_queued = true;
	STAILQ_INSERT_TAIL(&conn->txq, item, entry);
	if (!conn->is_send_due)
		tx_kick(conn);
}

void
tx_remove(struct iscsi_conn *conn, struct iscsi_tx_item *item)
{
	if (!item->is_queued)
		return;
	STAILQ_REMOVE(&conn->txq, item, iscsi_tx_item, entry);
	item->is_queued = false;
	conn->queued_bytes -= item_bytes(conn, item);
}

/* what every PDU tells about the window; the session may be gone already */
void
tx_sns(const struct iscsi_conn *conn, struct iscsi_sns *ret)
{
	const struct iscsi_session *session = conn->session;

	ret->stat_sn = conn->stat_sn;
	ret->exp_cmd_sn = session != NULL ? session->exp_cmd_sn : conn->exp_cmd_sn;
	ret->max_cmd_sn = session != NULL ? session->max_cmd_sn : conn->max_cmd_sn;
}

uint32_t
tx_end_sn(const struct iscsi_conn *conn)
{
	const struct iscsi_tx_item *item;
	uint32_t sn = conn->stat_sn;

	STAILQ_FOREACH(item, &conn->txq, entry) {
		const struct iscsi_ctl *ctl = container_of(item, struct iscsi_ctl, tx);

		if (item->is_cmd)
			sn += !container_of(item, struct iscsi_cmd, tx)->is_answered;
		else
			sn += ctl->has_status && !ctl->is_numbered;
	}
	return sn;
}

/* ------ PDUs into slots ------ */

static void
ctl_slot(struct iscsi_conn *conn, struct iscsi_ctl *ctl, struct tx_slot *slot)
{
	struct iscsi_sns sns;

	tx_sns(conn, &sns);
	memcpy(slot->head, ctl->bhs, ISCSI_BHS_LEN);
	if (ctl->is_numbered) {
		sns.stat_sn = ctl->stat_sn;
	} else if (ctl->has_status) {
		ctl->stat_sn = conn->stat_sn++;
		ctl->is_numbered = true;
	}
	if (iscsi_pdu_opcode(ctl->bhs) != ISCSI_OP_LOGIN_RSP)
		iscsi_pdu_put_sns(slot->head, &sns);
	slot->data = ctl->data;
	slot->data_len = ctl->data_len;
	slot->is_cmd = false;
	slot->owner = ctl;
}

static void
slot_finish(const struct iscsi_conn *conn, struct tx_slot *slot)
{
	uint32_t pad = iscsi_pdu_pad(slot->data_len);

	slot->head_len = ISCSI_BHS_LEN;
	slot->tail_len = (uint8_t)pad;
	if (UNLIKELY(pad != 0))
		memset(slot->tail, 0, pad);
	if (LIKELY(!conn->has_header_digest && !conn->has_data_digest) ||
	    iscsi_pdu_opcode(slot->head) == ISCSI_OP_LOGIN_RSP)
		return;
	if (conn->has_header_digest) {
		iscsi_digest_put(slot->head + ISCSI_BHS_LEN,
		    iscsi_digest(slot->head, ISCSI_BHS_LEN));
		slot->head_len += ISCSI_DIGEST_LEN;
	}
	if (conn->has_data_digest && slot->data_len > 0) {
		iscsi_digest_put(slot->tail + pad,
		    iscsi_digest_padded(slot->data, slot->data_len));
		slot->tail_len = (uint8_t)(pad + ISCSI_DIGEST_LEN);
	}
}

/* the next PDU of what is first in the queue */
static void
fill_one(struct iscsi_conn *conn)
{
	struct iscsi_tx_item *item = STAILQ_FIRST(&conn->txq);
	struct tx_slot *slot = slot_at(conn, conn->ring_head);

	if (LIKELY(item->is_cmd)) {
		struct iscsi_cmd *cmd = container_of(item, struct iscsi_cmd, tx);

		if (datain_next(conn, cmd, slot))
			tx_remove(conn, item);
		cmd->slots++;
	} else {
		struct iscsi_ctl *ctl = container_of(item, struct iscsi_ctl, tx);

		tx_remove(conn, item);
		ctl_slot(conn, ctl, slot);
		ctl->slots++;
	}
	slot_finish(conn, slot);
	conn->ring_head++;
	conn->stats.tx_pdus++;
}

static bool
ring_take(struct iscsi_conn *conn)
{
	if (conn->ring != NULL)
		return true;
	conn->ring = loop_take_ring(conn->loop);
	return conn->ring != NULL;
}

static void
ring_give(struct iscsi_conn *conn)
{
	if (conn->ring == NULL || has_something(conn))
		return;
	loop_put_ring(conn->loop, conn->ring);
	conn->ring = NULL;
}

/* ------ slots into pieces ------ */

static inline unsigned int
piece_add(struct iovec *iov, unsigned int n, const void *base, size_t len, size_t *skip)
{
	if (*skip >= len) {
		*skip -= len;
		return n;
	}
	iov[n].iov_base = (uint8_t *)(uintptr_t)base + *skip;
	iov[n].iov_len = len - *skip;
	*skip = 0;
	return n + 1;
}

static inline unsigned int
slot_pieces(const struct tx_slot *slot, struct iovec *iov, unsigned int n, size_t skip)
{
	n = piece_add(iov, n, slot->head, slot->head_len, &skip);
	if (slot->data_len > 0)
		n = piece_add(iov, n, slot->data, slot->data_len, &skip);
	if (slot->tail_len > 0)
		n = piece_add(iov, n, slot->tail, slot->tail_len, &skip);
	return n;
}

unsigned int
iscsi_conn_tx(struct iscsi_conn *conn, struct iovec *iov, unsigned int max)
{
	unsigned int n = 0;
	size_t skip = conn->tx_off;

	if (!has_something(conn) || conn->is_moving || !ring_take(conn)) {
		conn->is_send_due = false;
		return 0;
	}
	for (uint32_t at = conn->ring_tail; n + SLOT_PIECES <= max; at++) {
		if (at == conn->ring_head) {
			if (STAILQ_EMPTY(&conn->txq) || at - conn->ring_tail == TX_SLOTS)
				break;
			fill_one(conn);
		}
		n = slot_pieces(slot_at(conn, at), iov, n, skip);
		skip = 0;
	}
	return n;
}

/* memory of its own that a kept answer takes */
static uint32_t
ctl_kept_bytes(const struct iscsi_ctl *ctl)
{
	return ctl->data == ctl->inlined ? 0 : ctl->data_len;
}

static void
ctl_keep(struct iscsi_conn *conn, struct iscsi_ctl *ctl)
{
	ctl->is_kept = true;
	TAILQ_INSERT_TAIL(&conn->kept, ctl, entry);
	conn->n_retained++;
	conn->session->retained_bytes += ctl_kept_bytes(ctl);
}

static void
ctl_unkeep(struct iscsi_conn *conn, struct iscsi_ctl *ctl)
{
	TAILQ_REMOVE(&conn->kept, ctl, entry);
	ctl->is_kept = false;
	conn->n_retained--;
	conn->session->retained_bytes -= ctl_kept_bytes(ctl);
	ctl_put(conn->loop, ctl);
}

void
tx_forget_kept(struct iscsi_conn *conn)
{
	struct iscsi_ctl *ctl;

	while ((ctl = TAILQ_FIRST(&conn->kept)) != NULL)
		ctl_unkeep(conn, ctl);
}

/* too many, or too much: the oldest go */
static void
kept_trim(struct iscsi_conn *conn)
{
	const struct iscsi_session *session = conn->session;
	struct iscsi_ctl *ctl, *next;

	for (ctl = TAILQ_FIRST(&conn->kept); ctl != NULL; ctl = next) {
		next = TAILQ_NEXT(ctl, entry);
		if (conn->n_retained > RETAINED_MAX || (ctl_kept_bytes(ctl) > 0 &&
		    session->retained_bytes > session->loop->limits.retained_bytes))
			ctl_unkeep(conn, ctl);
	}
}

static void
ctl_sent(struct iscsi_conn *conn, struct iscsi_ctl *ctl)
{
	const struct iscsi_session *session = conn->session;

	if (session != NULL && session->has_recovery && ctl->is_numbered && !ctl->is_kept &&
	    iscsi_sn_le(conn->acked_sn, ctl->stat_sn)) {
		ctl_keep(conn, ctl);
		if (conn->n_retained > RETAINED_MAX || ctl_kept_bytes(ctl) > 0)
			kept_trim(conn); /* this one may go again */
		return;
	}
	ctl_put(conn->loop, ctl);
}

static void
slot_done(struct iscsi_conn *conn, struct tx_slot *slot)
{
	if (LIKELY(slot->is_cmd)) {
		struct iscsi_cmd *cmd = slot->owner;

		cmd->slots--;
		datain_sent(conn, cmd);
	} else {
		struct iscsi_ctl *ctl = slot->owner;

		ctl->slots--;
		ctl_sent(conn, ctl);
	}
}

void
iscsi_conn_sent(struct iscsi_conn *conn, size_t bytes)
{
	conn->stats.tx_bytes += bytes;
	bytes += conn->tx_off;
	while (conn->ring_tail != conn->ring_head) {
		struct tx_slot *slot = slot_at(conn, conn->ring_tail);
		size_t len = (size_t)slot->head_len + slot->data_len + slot->tail_len;

		if (bytes < len)
			break;
		bytes -= len;
		conn->ring_tail++;
		slot_done(conn, slot);
	}
	conn->tx_off = (uint32_t)bytes;
	ring_give(conn);
	if (!has_something(conn))
		conn->is_send_due = false;
	conn_wake(conn);
}

void
tx_fini(struct iscsi_conn *conn)
{
	struct iscsi_tx_item *item;
	struct iscsi_ctl *ctl;

	while (conn->ring_tail != conn->ring_head) {
		struct tx_slot *slot = slot_at(conn, conn->ring_tail++);

		if (slot->is_cmd) {
			struct iscsi_cmd *cmd = slot->owner;

			cmd->slots--;
			datain_sent(conn, cmd);
		} else {
			ctl = slot->owner;
			ctl->slots--;
			ctl_put(conn->loop, ctl);
		}
	}
	while ((item = STAILQ_FIRST(&conn->txq)) != NULL) {
		tx_remove(conn, item);
		if (!item->is_cmd)
			ctl_put(conn->loop, container_of(item, struct iscsi_ctl, tx));
	}
	conn->tx_off = 0;
	ring_give(conn);
}

/* ------ acknowledgement ------ */

/* ErrorRecoveryLevel 1: what the initiator has need not be kept */
void
tx_ack(struct iscsi_conn *conn, uint32_t exp_stat_sn)
{
	struct iscsi_cmd *cmd;
	struct iscsi_ctl *ctl, *next;

	if (!iscsi_sn_lt(conn->acked_sn, exp_stat_sn) ||
	    iscsi_sn_lt(conn->stat_sn, exp_stat_sn))
		return;
	conn->acked_sn = exp_stat_sn;
	while ((cmd = TAILQ_FIRST(&conn->retained)) != NULL) {
		if (!iscsi_sn_lt(cmd->stat_sn, exp_stat_sn))
			break;
		cmd_free(cmd);
	}
	for (ctl = TAILQ_FIRST(&conn->kept); ctl != NULL; ctl = next) {
		next = TAILQ_NEXT(ctl, entry);
		if (iscsi_sn_lt(ctl->stat_sn, exp_stat_sn))
			ctl_unkeep(conn, ctl);
	}
	if (conn->session->n_tmfs > 0)
		tmf_acked(conn->session);
}
