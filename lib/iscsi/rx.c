#include "iscsi/iscsi_impl.h"

/* ------ where the next bytes go ------ */

unsigned int
iscsi_conn_rx(struct iscsi_conn *conn, struct iovec iov[ISCSI_RX_IOV_MAX])
{
	struct iscsi_loop *loop = conn->loop;
	unsigned int n = 0;

	if (UNLIKELY(conn->rx_got > 0 || loop->rx_used > loop->limits.rx_bytes / 2))
		iscsi_loop_parse(loop);
	if (UNLIKELY(!conn_has_room(conn) || conn->held != NULL)) {
		conn->is_full = true;
		return 0;
	}
	conn->rx_direct = 0;
	if (conn->step == RX_DATA && conn->dest != NULL) {
		conn->rx_direct = conn->seg_left;
		iov[n].iov_base = conn->dest;
		iov[n++].iov_len = conn->seg_left;
	}
	conn->rx_at = loop->rx + loop->rx_used;
	iov[n].iov_base = conn->rx_at;
	iov[n++].iov_len = loop->limits.rx_bytes - loop->rx_used;
	return n;
}

void
iscsi_conn_received(struct iscsi_conn *conn, size_t bytes)
{
	struct iscsi_loop *loop = conn->loop;

	assert(conn->rx_got == 0 && bytes > 0);
	conn->rx_got = (uint32_t)bytes;
	if (bytes > conn->rx_direct)
		loop->rx_used += (uint32_t)(bytes - conn->rx_direct);
	TAILQ_INSERT_TAIL(&loop->received, conn, received_entry);
}

/* ------ segments ------ */

static void
segment_release(struct iscsi_conn *conn)
{
	struct iscsi_cmd *cmd = conn->rx_cmd;

	free(STEAL(conn->seg));
	conn->dest = NULL;
	conn->rx_cmd = NULL;
	conn->kind = RX_DROP;
	if (cmd != NULL)
		cmd_unpin(cmd);
}

/* the memory at dest is about to go: what is still to come is dropped */
void
rx_forget_cmd(struct iscsi_conn *conn, struct iscsi_cmd *cmd)
{
	if (conn->rx_cmd != cmd)
		return;
	if (cmd->is_filling)
		dataout_unfilled(cmd);
	conn->rx_cmd = NULL;
	conn->dest = NULL;
	conn->kind = RX_DROP;
	cmd_unpin(cmd);
}

static bool
segment_is_intact(const struct iscsi_conn *conn, const uint8_t *data)
{
	uint32_t crc, pad = iscsi_pdu_pad(conn->seg_len);

	if (!conn->has_data_digest || data == NULL)
		return true;
	crc = iscsi_digest_add(iscsi_digest_start(), data, conn->seg_len);
	crc = iscsi_digest_end(iscsi_digest_add(crc, conn->tail, pad));
	return crc == iscsi_digest_get(conn->tail + pad);
}

/* first byte of the whole segment; NULL when it was dropped */
static const uint8_t *
segment_start(const struct iscsi_conn *conn)
{
	if (conn->kind == RX_DROP || conn->dest == NULL)
		return NULL;
	return conn->dest - conn->seg_len;
}

static void
segment_end(struct iscsi_conn *conn, const uint8_t *data)
{
	conn->step = RX_HEAD;
	conn->head_got = 0;
	if (!segment_is_intact(conn, data)) {
		conn->stats.data_digest_errors++;
		request_bad_data(conn, conn->head);
	} else {
		request_end(conn, conn->head, data, conn->seg_len);
	}
	segment_release(conn);
}

/* ------ headers ------ */

static uint32_t
tail_len(const struct iscsi_conn *conn, uint32_t seg_len)
{
	return iscsi_pdu_pad(seg_len) + (conn->has_data_digest ? ISCSI_DIGEST_LEN : 0);
}

static void
header_end(struct iscsi_conn *conn, const uint8_t *bhs, const uint8_t *ahs, uint32_t ahs_len)
{
	uint32_t len = iscsi_pdu_data_len(bhs);
	struct rx_plan plan = { .kind = RX_DROP };

	conn->stats.rx_pdus++;
	conn->head_got = 0;
	conn->seg_len = len;
	request_begin(conn, bhs, ahs, ahs_len, &plan);
	/* what the request set off may have ended the command it belongs to */
	if (UNLIKELY(conn->rx_cmd == NULL && plan.kind != RX_CTL))
		plan = (struct rx_plan){ .kind = RX_DROP };
	if (len == 0) {
		if (plan.kind != RX_DROP) {
			conn->kind = plan.kind;
			request_end(conn, bhs, NULL, 0);
			segment_release(conn);
		}
		return;
	}
	if (bhs != conn->head)
		memcpy(conn->head, bhs, ISCSI_BHS_LEN);
	conn->kind = plan.kind;
	conn->dest = plan.dest;
	conn->seg_left = len;
	conn->tail_got = 0;
	conn->tail_len = tail_len(conn, len);
	conn->step = RX_DATA;
}

static uint32_t
header_len(const struct iscsi_conn *conn)
{
	/* in login there are no additional headers; who announces some is no initiator */
	if (conn->head_got < ISCSI_BHS_LEN || conn->sm < S5_LOGGED_IN)
		return ISCSI_BHS_LEN;
	return ISCSI_BHS_LEN + iscsi_pdu_ahs_len(conn->head) +
	    (conn->has_header_digest ? ISCSI_DIGEST_LEN : 0);
}

static bool
header_is_intact(const struct iscsi_conn *conn, uint32_t len)
{
	if (!conn->has_header_digest)
		return true;
	len -= ISCSI_DIGEST_LEN;
	return iscsi_digest(conn->head, len) == iscsi_digest_get(conn->head + len);
}

/*
 * A header with a wrong digest is dropped in silence. Its length cannot be trusted; with error
 * recovery it is believed once, because the digest of the next header tells whether it was
 * right.
 */
static void
header_bad(struct iscsi_conn *conn)
{
	uint32_t len = iscsi_pdu_data_len(conn->head);

	conn->stats.header_digest_errors++;
	if (conn->session == NULL || !conn->session->has_recovery || conn->is_resync ||
	    len > conn->max_recv) {
		conn_close(conn, ISCSI_END_DIGEST);
		return;
	}
	conn->is_resync = true;
	conn->head_got = 0;
	conn->seg_len = len;
	conn->seg_left = len;
	conn->tail_got = 0;
	conn->tail_len = tail_len(conn, len);
	conn->kind = RX_DROP;
	conn->dest = NULL;
	if (len > 0)
		conn->step = RX_DATA;
	memset(conn->head, 0, ISCSI_BHS_LEN);
}

/* ------ bytes ------ */

static size_t
take_head(struct iscsi_conn *conn, const uint8_t *p, size_t n)
{
	uint32_t want;
	size_t used = 0;

	/* the usual header lies whole in the buffer, with nothing behind it */
	if (LIKELY(conn->head_got == 0 && n >= ISCSI_BHS_LEN && !conn->has_header_digest &&
	    p[ISCSI_O_AHS_WORDS] == 0)) {
		header_end(conn, p, NULL, 0);
		return ISCSI_BHS_LEN;
	}
	while (conn->head_got < (want = header_len(conn)) && used < n) {
		size_t k = want - conn->head_got;

		if (k > n - used)
			k = n - used;
		memcpy(conn->head + conn->head_got, p + used, k);
		conn->head_got += (uint32_t)k;
		used += k;
	}
	if (conn->head_got < want)
		return used;
	if (!header_is_intact(conn, want)) {
		header_bad(conn);
		return used;
	}
	conn->is_resync = false;
	header_end(conn, conn->head, conn->head + ISCSI_BHS_LEN, iscsi_pdu_ahs_len(conn->head));
	return used;
}

/* a request with data of its own: in place if it is all there, else into memory */
static bool
ctl_in_place(struct iscsi_conn *conn, const uint8_t *p, size_t n)
{
	if (conn->kind != RX_CTL || conn->seg != NULL || conn->seg_left != conn->seg_len)
		return false;
	if (n >= (size_t)conn->seg_len + conn->tail_len) {
		memcpy(conn->tail, p + conn->seg_len, conn->tail_len);
		return true;
	}
	conn->seg = fault_hit() ? NULL : malloc(conn->seg_len);
	conn->dest = conn->seg;
	if (conn->seg == NULL)
		conn_close(conn, ISCSI_END_RESOURCES);
	return false;
}

static size_t
take_data(struct iscsi_conn *conn, const uint8_t *p, size_t n)
{
	size_t k = n < conn->seg_left ? n : conn->seg_left;

	if (conn->kind == RX_CTL && ctl_in_place(conn, p, n)) {
		size_t used = (size_t)conn->seg_len + conn->tail_len;

		conn->seg_left = 0;
		segment_end(conn, p);
		return used;
	}
	if (conn->dest != NULL) {
		memcpy(conn->dest, p, k);
		conn->dest += k;
	}
	conn->seg_left -= (uint32_t)k;
	if (conn->seg_left == 0) {
		conn->step = RX_TAIL;
		if (conn->tail_len == 0)
			segment_end(conn, segment_start(conn));
	}
	return k;
}

static size_t
take_tail(struct iscsi_conn *conn, const uint8_t *p, size_t n)
{
	size_t k = conn->tail_len - conn->tail_got;

	if (k > n)
		k = n;
	memcpy(conn->tail + conn->tail_got, p, k);
	conn->tail_got += (uint32_t)k;
	if (conn->tail_got == conn->tail_len)
		segment_end(conn, segment_start(conn));
	return k;
}

static size_t
parse(struct iscsi_conn *conn, const uint8_t *p, size_t n)
{
	size_t used = 0;

	conn->is_parsing = true;
	while (used < n && !conn->is_closing && !conn->is_moving) {
		switch (conn->step) {
		case RX_HEAD:
			used += take_head(conn, p + used, n - used);
			break;
		case RX_DATA:
			used += take_data(conn, p + used, n - used);
			break;
		case RX_TAIL:
			used += take_tail(conn, p + used, n - used);
			break;
		}
	}
	conn->is_parsing = false;
	return used;
}

static void
hold(struct iscsi_conn *conn, const uint8_t *p, size_t n)
{
	if (n == 0 || conn->is_closing)
		return;
	conn->held = fault_hit() ? NULL : malloc(n);
	if (conn->held == NULL) {
		conn_close(conn, ISCSI_END_RESOURCES);
		return;
	}
	memcpy(conn->held, p, n);
	conn->held_len = n;
	conn->held_pos = 0;
}

/* parse what was kept while the connection moved */
void
rx_held(struct iscsi_conn *conn)
{
	if (conn->held != NULL)
		conn->held_pos += parse(conn, conn->held + conn->held_pos,
		    conn->held_len - conn->held_pos);
	if (conn->held_pos < conn->held_len && !conn->is_closing)
		return;
	free(STEAL(conn->held));
	conn->held_len = 0;
	conn->held_pos = 0;
	conn_wake(conn);
}

/* what went straight to where the segment goes */
static void
take_direct(struct iscsi_conn *conn, uint32_t n)
{
	/* the command may have gone since, and its memory */
	if (conn->dest != NULL)
		conn->dest += n;
	conn->seg_left -= n;
	if (conn->seg_left > 0)
		return;
	conn->step = RX_TAIL;
	if (conn->tail_len > 0)
		return;
	conn->is_parsing = true;
	segment_end(conn, segment_start(conn));
	conn->is_parsing = false;
}

static void
received_parse(struct iscsi_conn *conn)
{
	uint32_t bytes = conn->rx_got, direct = conn->rx_direct;
	size_t used;

	conn->rx_got = 0;
	if (direct > bytes)
		direct = bytes;
	conn->stats.rx_bytes += bytes;
	conn->heard_ns = conn->loop->now_ns;
	if (direct > 0 && !conn->is_closing)
		take_direct(conn, direct);
	bytes -= direct;
	if (bytes == 0)
		return;
	used = parse(conn, conn->rx_at, bytes);
	hold(conn, conn->rx_at + used, bytes - used);
}

void
iscsi_loop_parse(struct iscsi_loop *loop)
{
	struct iscsi_conn *conn;

	while ((conn = TAILQ_FIRST(&loop->received)) != NULL) {
		TAILQ_REMOVE(&loop->received, conn, received_entry);
		received_parse(conn);
	}
	loop->rx_used = 0;
	tmf_resets_run(loop);
}

void
rx_fini(struct iscsi_conn *conn)
{
	if (conn->rx_got > 0)
		TAILQ_REMOVE(&conn->loop->received, conn, received_entry);
	conn->rx_got = 0;
	segment_release(conn);
	free(STEAL(conn->held));
	conn->held_len = 0;
	conn->held_pos = 0;
}
