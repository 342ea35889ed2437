#include "iscsi/iscsi_impl.h"

static struct iscsi_ctl *
ctl_take(struct iscsi_loop *loop)
{
	struct iscsi_tx_item *item = STAILQ_FIRST(&loop->ctls);

	if (item == NULL)
		return fault_hit() ? NULL : malloc(sizeof(struct iscsi_ctl));
	STAILQ_REMOVE_HEAD(&loop->ctls, entry);
	loop->n_ctls_free--;
	return container_of(item, struct iscsi_ctl, tx);
}

static void
ctl_give(struct iscsi_loop *loop, struct iscsi_ctl *ctl)
{
	STAILQ_INSERT_HEAD(&loop->ctls, &ctl->tx, entry);
	loop->n_ctls_free++;
}

/* an answer with a copy of @len bytes at @data, or none; its header is the caller's to fill */
struct iscsi_ctl *
ctl_new(struct iscsi_loop *loop, const void *data, uint32_t len)
{
	struct iscsi_ctl *ctl = ctl_take(loop);

	if (ctl == NULL)
		return NULL;
	memset(ctl, 0, offsetof(struct iscsi_ctl, inlined));
	ctl->data = ctl->inlined;
	ctl->data_len = len;
	if (len > sizeof(ctl->inlined)) {
		ctl->data = fault_hit() ? NULL : malloc(len);
		if (ctl->data == NULL) {
			ctl_give(loop, ctl);
			return NULL;
		}
	}
	if (len > 0)
		memcpy(ctl->data, data, len);
	return ctl;
}

void
ctl_put(struct iscsi_loop *loop, struct iscsi_ctl *ctl)
{
	if (ctl->is_kept || ctl->tx.is_queued || ctl->slots > 0)
		return;
	if (ctl->data != ctl->inlined)
		free(ctl->data);
	ctl_give(loop, ctl);
}

void
ctl_send(struct iscsi_conn *conn, struct iscsi_ctl *ctl)
{
	iscsi_pdu_put_data_len(ctl->bhs, ctl->data_len);
	tx_add(conn, &ctl->tx);
}

void
ctl_reject(struct iscsi_conn *conn, const uint8_t *bhs, enum iscsi_reject reason)
{
	struct iscsi_sns none = { 0 };
	struct iscsi_ctl *ctl = ctl_new(conn->loop, bhs, ISCSI_BHS_LEN);

	conn->stats.rejects++;
	if (ctl == NULL) {
		conn_close(conn, ISCSI_END_RESOURCES);
		return;
	}
	iscsi_pdu_reject(ctl->bhs, &none, reason);
	ctl->has_status = true;
	ctl_send(conn, ctl);
}
