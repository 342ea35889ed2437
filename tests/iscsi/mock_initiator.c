#include "tests/iscsi/mock_initiator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scsi/status.h"

#define MS	1000000ull

/* ------ the host ------ */

static struct mock_world *
world_of_conn(struct iscsi_conn *conn)
{
	struct mock_wire *wire = iscsi_conn_host(conn);

	return wire->world;
}

static struct mock_world *
world_of(const struct iscsi_session *session)
{
	return iscsi_node_host(iscsi_session_node(session));
}

static uint16_t
host_find_target(struct iscsi_conn *conn, const struct iscsi_login_result *who,
    struct iscsi_login_target *ret, struct iscsi_node **ret_node)
{
	struct mock_world *w = world_of_conn(conn);

	ret->auth = ISCSI_AUTH_NONE;
	ret->window = 128;
	ret->offer = w->offer;
	if (who->is_discovery)
		return ISCSI_LOGIN_OK;
	if (strcmp(who->target, MOCK_TARGET) != 0)
		return ISCSI_LOGIN_NOT_FOUND;
	*ret_node = w->node;
	return w->find_status;
}

static bool
host_move(struct iscsi_conn *conn, struct iscsi_node *node)
{
	(void)node;
	return !world_of_conn(conn)->is_away;
}

static void
host_send_targets(struct iscsi_conn *conn, enum iscsi_send_targets what, const char *name,
    struct iscsi_text_out *out)
{
	struct iscsi_address address = { .host = "127.0.0.1", .port = 3260, .tag = 1 };

	(void)conn;
	if (what == ISCSI_SEND_ONE && strcmp(name, MOCK_TARGET) != 0)
		return;
	iscsi_send_targets_name(out, MOCK_TARGET);
	iscsi_send_targets_portal(out, &address);
	if (what == ISCSI_SEND_ALL) {
		iscsi_send_targets_name(out, MOCK_TARGET "2");
		iscsi_send_targets_portal(out, &address);
	}
}

static int
host_random(void *arg, void *buf, size_t len)
{
	(void)arg;
	memset(buf, 7, len);
	return 0;
}

static int
host_secret(void *arg, const char *name, struct iscsi_chap_secret *ret)
{
	(void)arg;
	(void)name;
	(void)ret;
	return -ENOENT;
}

static int
host_begin(struct iscsi_session *session, struct iscsi_conn *conn UNUSED)
{
	struct mock_world *w = world_of(session);

	if (w->begin_fails)
		return -EAGAIN;
	w->n_begun++;
	return 0;
}

static void
host_end(struct iscsi_session *session, enum iscsi_end why)
{
	struct mock_world *w = world_of(session);

	w->n_ended++;
	w->ended_why = why;
}

static void
host_free(struct iscsi_session *session)
{
	world_of(session)->n_freed++;
}

/* bytes that a CDB moves */
static uint32_t
cdb_bytes(const struct iscsi_cmd *cmd)
{
	switch (cmd->cdb[0]) {
	case 0x28:
	case 0x2a:
		return be16_get(cmd->cdb + 7) * MOCK_BLOCK;
	default:
		return 0;
	}
}

static uint32_t
host_admit(struct iscsi_cmd *cmd)
{
	struct mock_world *w = world_of(cmd->session);

	if (w->admits != UINT32_MAX)
		return w->admits;
	return cdb_bytes(cmd) < cmd->edtl ? cdb_bytes(cmd) : cmd->edtl;
}

static void
unit_run(struct iscsi_cmd *cmd)
{
	static const uint8_t sense[18] = { 0x70, 0, 5, [7] = 10, [12] = 0x20 };
	struct mock_world *w = world_of(cmd->session);
	uint32_t want = cdb_bytes(cmd), len = want < cmd->edtl ? want : cmd->edtl;
	uint64_t at = (uint64_t)be32_get(cmd->cdb + 2) * MOCK_BLOCK;
	struct iscsi_result result = { .status = SAM_STAT_GOOD, .moved = len };

	result.overflow = want > cmd->edtl ? want - cmd->edtl : 0;
	if (at + len > MOCK_DISK_BYTES || (want > 0 && cmd->cdb[0] == 0x2a &&
	    (cmd->dir != ISCSI_DIR_WRITE || cmd->data_len < len)))
		result = (struct iscsi_result){ .status = SAM_STAT_BUSY };
	else if (cmd->cdb[0] == 0x28 && len > 0) {
		if (cmd->dir != ISCSI_DIR_READ || iscsi_cmd_buf(cmd, len) < 0) {
			result = (struct iscsi_result){ .status = SAM_STAT_BUSY };
		} else {
			memcpy(cmd->data, w->disk + at, len);
		}
	} else if (cmd->cdb[0] == 0x2a && len > 0) {
		memcpy(w->disk + at, cmd->data, len);
	} else if (cmd->cdb[0] != 0 && cmd->cdb[0] != 0x28 && cmd->cdb[0] != 0x2a) {
		result = (struct iscsi_result){ .status = SAM_STAT_CHECK_CONDITION,
			.sense = sense, .sense_len = sizeof(sense) };
	}
	iscsi_cmd_done(cmd, &result);
}

static void
host_command(struct iscsi_cmd *cmd)
{
	struct mock_world *w = world_of(cmd->session);

	memcpy(w->last_cdb, cmd->cdb, cmd->cdb_len);
	w->last_cdb_len = cmd->cdb_len;
	w->order[w->n_commands++ % MOCK_HELD] = cmd->itt;
	if (w->is_held && w->n_held < MOCK_HELD) {
		w->held[w->n_held++] = cmd;
		return;
	}
	unit_run(cmd);
}

void
mock_finish(struct mock_world *w, unsigned int i)
{
	struct iscsi_cmd *cmd = w->held[i];

	must(i < w->n_held);
	memmove(&w->held[i], &w->held[i + 1], (w->n_held - i - 1) * sizeof(cmd));
	w->n_held--;
	unit_run(cmd);
}

static bool
tmf_is_about(const struct iscsi_tmf *tmf, const struct iscsi_cmd *cmd)
{
	if (tmf->fn == ISCSI_TMF_ABORT_TASK)
		return cmd == tmf->cmd;
	return cmd->session == tmf->session;
}

static void
host_tmf(struct iscsi_tmf *tmf)
{
	struct mock_world *w = world_of(tmf->session);

	w->n_tmfs++;
	if (w->is_tmf_held && w->tmf == NULL) {
		w->tmf = tmf;
		return;
	}
	for (unsigned int i = 0; i < w->n_held;) {
		struct iscsi_cmd *cmd = w->held[i];

		if (!tmf_is_about(tmf, cmd)) {
			i++;
			continue;
		}
		memmove(&w->held[i], &w->held[i + 1], (w->n_held - i - 1) * sizeof(cmd));
		w->n_held--;
		iscsi_cmd_drop(cmd);
	}
	iscsi_tmf_done(tmf, ISCSI_TMF_COMPLETE);
}

static void *
host_buf_get(struct iscsi_loop *loop, uint32_t bytes)
{
	struct mock_world *w = iscsi_loop_host(loop);

	must(bytes > 0);
	if (w->has_no_memory)
		return NULL;
	w->n_bufs++;
	return malloc(bytes);
}

static void
host_buf_put(struct iscsi_loop *loop, void *buf, uint32_t bytes)
{
	struct mock_world *w = iscsi_loop_host(loop);

	must(bytes > 0);
	w->n_bufs--;
	free(buf);
}

static void
host_want_send(struct iscsi_conn *conn)
{
	struct mock_wire *wire = iscsi_conn_host(conn);

	wire->is_send_due = true;
}

static void
host_want_recv(struct iscsi_conn *conn)
{
	struct mock_wire *wire = iscsi_conn_host(conn);

	wire->is_recv_due = true;
}

static void
host_want_close(struct iscsi_conn *conn, enum iscsi_end why)
{
	struct mock_wire *wire = iscsi_conn_host(conn);

	must(!wire->is_close_due);
	wire->is_close_due = true;
	wire->why = why;
}

static const struct iscsi_host_ops host_ops = {
	.find_target = host_find_target,
	.chap = { .random = host_random, .secret = host_secret },
	.move = host_move,
	.send_targets = host_send_targets,
	.session_begin = host_begin,
	.session_end = host_end,
	.session_free = host_free,
	.admit = host_admit,
	.command = host_command,
	.tmf = host_tmf,
	.buf_get = host_buf_get,
	.buf_put = host_buf_put,
	.want_send = host_want_send,
	.want_recv = host_want_recv,
	.want_close = host_want_close,
};

/* ------ the world ------ */

/* large memory is kept from one world to the next: fuzzers make thousands of them */
static uint8_t *spare[MOCK_WIRES + 1];
static unsigned int n_spare;

static uint8_t *
stream_take(void)
{
	uint8_t *p = n_spare > 0 ? spare[--n_spare] : malloc(MOCK_STREAM);

	must(p != NULL);
	return p;
}

static void
stream_give(uint8_t *stream)
{
	if (stream != NULL && n_spare < ARRAY_LEN(spare))
		spare[n_spare++] = stream;
	else
		free(stream);
}

static uint8_t *
disk_shared(void)
{
	static uint8_t *disk;

	if (disk != NULL)
		return disk;
	disk = malloc(MOCK_DISK_BYTES);
	must(disk != NULL);
	for (uint32_t i = 0; i < MOCK_DISK_BYTES; i++)
		disk[i] = (uint8_t)(i * 7 + i / 512);
	return disk;
}

static void
world_fill(struct mock_world *w)
{
	w->ops = host_ops;
	w->admits = UINT32_MAX;
	w->now_ns = 1000 * MS;
	w->config = (struct iscsi_node_config){ .name = MOCK_TARGET };
	w->keys = MOCK_KEYS;
	w->keys_len = sizeof(MOCK_KEYS) - 1;
	w->find_status = ISCSI_LOGIN_OK;
	iscsi_offer_defaults(&w->offer);
	w->disk = disk_shared();
	w->scratch = stream_take();
	for (unsigned int i = 0; i < MOCK_WIRES; i++)
		w->wire[i].world = w;
}

struct mock_world *
mock_try(void (*prepare)(struct mock_world *))
{
	struct mock_world *w = calloc(1, sizeof(*w));

	world_fill(w);
	if (prepare != NULL)
		prepare(w);
	if (iscsi_loop_new(&w->ops, w, &w->limits, &w->loop) < 0 ||
	    iscsi_node_new(w->loop, &w->config, w, &w->node) < 0) {
		mock_close(w);
		return NULL;
	}
	iscsi_loop_time(w->loop, w->now_ns);
	return w;
}

struct mock_world *
mock_open(void (*prepare)(struct mock_world *))
{
	struct mock_world *w = mock_try(prepare);

	must(w != NULL);
	return w;
}

void
mock_close(struct mock_world *w)
{
	if (w == NULL)
		return;
	for (unsigned int i = 0; i < MOCK_WIRES; i++)
		mock_hangup(&w->wire[i]);
	if (w->node != NULL)
		iscsi_node_end(w->node, ISCSI_END_ADMIN);
	while (w->n_held > 0)
		mock_finish(w, 0);
	if (w->tmf != NULL)
		iscsi_tmf_done(w->tmf, ISCSI_TMF_COMPLETE);
	must(w->node == NULL || iscsi_node_is_idle(w->node));
	must(w->n_begun == w->n_ended && w->n_begun == w->n_freed);
	must(w->n_bufs == 0);
	iscsi_node_free(w->node);
	iscsi_loop_free(w->other);
	iscsi_loop_free(w->loop);
	stream_give(w->scratch);
	free(w);
}

struct mock_wire *
mock_connect(struct mock_world *w)
{
	static const struct iscsi_portal portal = {
	    .portal_group = 1, .local = "127.0.0.1:3260", .remote = "127.0.0.1:5000"};
	struct mock_wire *wire = w->wire;

	while (wire->conn != NULL) {
		wire++;
		must(wire < w->wire + MOCK_WIRES);
	}
	memset(wire, 0, sizeof(*wire));
	wire->world = w;
	if (iscsi_conn_new(w->other != NULL ? w->other : w->loop, &portal, wire, &wire->conn) <
	    0)
		return NULL;
	must(wire->stream == NULL);
	wire->stream = stream_take();
	return wire;
}

void
mock_hangup(struct mock_wire *wire)
{
	struct iscsi_conn *conn = wire->conn;

	wire->conn = NULL;
	iscsi_conn_free(conn);
	stream_give(STEAL(wire->stream));
}

void
mock_tick(struct mock_world *w, uint64_t ms)
{
	w->now_ns += ms * MS;
	iscsi_loop_tick(w->loop, w->now_ns);
	if (w->other != NULL)
		iscsi_loop_tick(w->other, w->now_ns);
}

/* ------ bytes ------ */

void
mock_parse(struct mock_world *w)
{
	if (w->other != NULL)
		iscsi_loop_parse(w->other);
	iscsi_loop_parse(w->loop);
}

static size_t
feed_some(struct mock_wire *wire, const uint8_t *p, size_t len)
{
	struct iovec iov[ISCSI_RX_IOV_MAX];
	unsigned int n = iscsi_conn_rx(wire->conn, iov);
	size_t done = 0;

	for (unsigned int i = 0; i < n && done < len; i++) {
		size_t k = iov[i].iov_len < len - done ? iov[i].iov_len : len - done;

		memcpy(iov[i].iov_base, p + done, k);
		done += k;
	}
	if (done > 0)
		iscsi_conn_received(wire->conn, done);
	if (!wire->world->is_gathering)
		mock_parse(wire->world);
	return done;
}

void
mock_feed(struct mock_wire *wire, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	while (len > 0) {
		size_t k = wire->chunk != 0 && wire->chunk < len ? wire->chunk : len;
		size_t done = feed_some(wire, p, k);

		if (done == 0) {
			if (wire->is_close_due || wire->world->is_away)
				return;
			mock_drain(wire);
			if (feed_some(wire, p, 0) == 0 && !wire->is_recv_due)
				return;
			wire->is_recv_due = false;
		}
		p += done;
		len -= done;
	}
}

void
mock_send_ahs(struct mock_wire *wire, const uint8_t *bhs, const void *ahs, uint32_t ahs_len,
    const void *data, uint32_t len)
{
	uint8_t *p = wire->world->scratch;
	size_t n = ISCSI_BHS_LEN;
	uint32_t pad = iscsi_pdu_pad(len);

	memcpy(p, bhs, ISCSI_BHS_LEN);
	p[4] = (uint8_t)(ahs_len / 4);
	be24_put(p + 5, len);
	if (ahs_len > 0)
		memcpy(p + n, ahs, ahs_len);
	n += ahs_len;
	if (wire->has_header_digest) {
		iscsi_digest_put(p + n, iscsi_digest(p, n));
		n += 4;
	}
	if (len > 0) {
		size_t at = n;

		memcpy(p + n, data, len);
		memset(p + n + len, 0, pad);
		n += len + pad;
		if (wire->has_data_digest) {
			iscsi_digest_put(p + n, iscsi_digest(p + at, n - at));
			n += 4;
		}
	}
	mock_feed(wire, p, n);
}

void
mock_send(struct mock_wire *wire, const uint8_t *bhs, const void *data, uint32_t len)
{
	mock_send_ahs(wire, bhs, NULL, 0, data, len);
}

void
mock_drain(struct mock_wire *wire)
{
	struct iovec iov[64];
	unsigned int n;

	mock_parse(wire->world);
	while ((n = iscsi_conn_tx(wire->conn, iov, 64)) > 0) {
		size_t sent = 0;

		for (unsigned int i = 0; i < n; i++) {
			size_t k = iov[i].iov_len;

			if (wire->gulp != 0 && k > wire->gulp - sent)
				k = wire->gulp - sent;
			must(wire->stream_len + k <= MOCK_STREAM);
			memcpy(wire->stream + wire->stream_len, iov[i].iov_base, k);
			wire->stream_len += k;
			sent += k;
			if (wire->gulp != 0 && sent == wire->gulp)
				break;
		}
		iscsi_conn_sent(wire->conn, sent);
	}
	wire->is_send_due = false;
}

bool
mock_recv(struct mock_wire *wire, struct mock_pdu *ret)
{
	uint8_t *p = wire->stream;
	uint32_t op, extra = wire->has_header_digest ? 4 : 0;
	size_t n, need;

	mock_drain(wire);
	if (wire->stream_len < ISCSI_BHS_LEN)
		return false;
	op = p[0] & 0x3f;
	if (op == ISCSI_OP_LOGIN_RSP)
		extra = 0;
	memcpy(ret->bhs, p, ISCSI_BHS_LEN);
	ret->len = be24_get(p + 5);
	n = ISCSI_BHS_LEN + extra;
	if (extra != 0)
		must(iscsi_digest(p, ISCSI_BHS_LEN) == iscsi_digest_get(p + ISCSI_BHS_LEN));
	need = n + ret->len + iscsi_pdu_pad(ret->len);
	if (wire->has_data_digest && ret->len > 0 && op != ISCSI_OP_LOGIN_RSP) {
		must(iscsi_digest_padded(p + n, ret->len) == iscsi_digest_get(p + need));
		need += 4;
	}
	must(wire->stream_len >= need);
	memcpy(wire->world->scratch, p + n, ret->len);
	ret->data = wire->world->scratch;
	ret->data[ret->len] = 0;
	memmove(p, p + need, wire->stream_len - need);
	wire->stream_len -= need;
	/* numbers: status counts once, the window is what it is */
	if (op == ISCSI_OP_SCSI_RSP || op == ISCSI_OP_TMF_RSP || op == ISCSI_OP_TEXT_RSP ||
	    op == ISCSI_OP_LOGOUT_RSP || op == ISCSI_OP_REJECT || op == ISCSI_OP_ASYNC ||
	    op == ISCSI_OP_LOGIN_RSP || (op == ISCSI_OP_DATA_IN && (ret->bhs[1] & 1) != 0) ||
	    (op == ISCSI_OP_NOP_IN && be32_get(ret->bhs + 16) != ISCSI_TAG_NONE)) {
		uint32_t sn = be32_get(ret->bhs + ISCSI_O_STAT_SN);

		if (op == ISCSI_OP_LOGIN_RSP || !iscsi_sn_lt(sn, wire->exp_stat_sn))
			wire->exp_stat_sn = sn + 1;
	}
	return true;
}

struct mock_pdu
mock_expect(struct mock_wire *wire, uint8_t opcode)
{
	struct mock_pdu pdu = { 0 };

	if (!mock_recv(wire, &pdu) || (pdu.bhs[0] & 0x3f) != opcode) {
		fprintf(stderr,
		    "expected opcode %02x, got %02x flags %02x byte2 %02x byte3 %02x\n", opcode,
		    pdu.bhs[0], pdu.bhs[1], pdu.bhs[2], pdu.bhs[3]);
		abort();
	}
	return pdu;
}

void
mock_quiet(struct mock_wire *wire)
{
	struct mock_pdu pdu = { 0 };

	if (!mock_recv(wire, &pdu))
		return;
	fprintf(stderr, "expected nothing, got %02x flags %02x byte2 %02x\n", pdu.bhs[0],
	    pdu.bhs[1], pdu.bhs[2]);
	abort();
}

/* ------ login ------ */

static size_t
login_text(struct mock_world *w, char *text)
{
	static const char names[] = "InitiatorName=" MOCK_INITIATOR "\0TargetName=" MOCK_TARGET
	    "\0SessionType=Normal\0";
	char digits[5];

	memcpy(text, names, sizeof(names) - 1);
	if (w->who != 0) {
		(void)snprintf(digits, sizeof(digits), "%04x", w->who);
		memcpy(text + sizeof("InitiatorName=" MOCK_INITIATOR) - 5, digits, 4);
	}
	memcpy(text + sizeof(names) - 1, w->keys, w->keys_len);
	return sizeof(names) - 1 + w->keys_len;
}

static bool
text_has(const struct mock_pdu *pdu, const char *pair)
{
	for (const char *p = (const char *)pdu->data, *end = p + pdu->len; p < end;
	    p += strlen(p) + 1)
		if (strcmp(p, pair) == 0)
			return true;
	return false;
}

uint16_t
mock_login(struct mock_wire *wire, uint16_t tsih, uint16_t cid)
{
	uint8_t bhs[ISCSI_BHS_LEN] = { ISCSI_OP_LOGIN | ISCSI_IMMEDIATE,
		ISCSI_LOGIN_TRANSIT | ISCSI_STAGE_OPERATIONAL << 2 | ISCSI_STAGE_FULL };
	struct mock_pdu pdu;
	char text[2048];
	size_t len = login_text(wire->world, text);

	memcpy(bhs + ISCSI_O_ISID, "\x40\0\0\x01", 4);
	be16_put(bhs + ISCSI_O_ISID + 4, wire->qualifier);
	be16_put(bhs + ISCSI_O_TSIH, tsih);
	be32_put(bhs + ISCSI_O_ITT, 1);
	be16_put(bhs + ISCSI_O_CID, cid);
	be32_put(bhs + ISCSI_O_CMD_SN, wire->cmd_sn);
	be32_put(bhs + ISCSI_O_EXP_STAT_SN, wire->exp_stat_sn);
	wire->cid = cid;
	mock_send(wire, bhs, text, (uint32_t)len);
	if (wire->world->is_away) {
		iscsi_conn_detach(wire->conn);
		iscsi_conn_attach(wire->conn);
	}
	if (!mock_recv(wire, &pdu))
		return 0xffff;
	wire->tsih = be16_get(pdu.bhs + ISCSI_O_TSIH);
	wire->has_header_digest = text_has(&pdu, "HeaderDigest=CRC32C");
	wire->has_data_digest = text_has(&pdu, "DataDigest=CRC32C");
	return be16_get(pdu.bhs + ISCSI_O_LOGIN_STATUS);
}

struct mock_wire *
mock_session(struct mock_world *w)
{
	struct mock_wire *wire = mock_connect(w);
	uint16_t status = mock_login(wire, 0, 0);

	if (status != 0) {
		fprintf(stderr, "login status %04x\n", status);
		abort();
	}
	return wire;
}

/* ------ requests ------ */

void
mock_cmd_bhs(struct mock_wire *wire, uint8_t *bhs, uint8_t opcode, uint8_t flags, uint32_t itt)
{
	memset(bhs, 0, ISCSI_BHS_LEN);
	bhs[0] = opcode;
	bhs[1] = flags;
	be32_put(bhs + ISCSI_O_ITT, itt);
	be32_put(bhs + ISCSI_O_CMD_SN, wire->cmd_sn);
	be32_put(bhs + ISCSI_O_EXP_STAT_SN, wire->exp_stat_sn);
	if ((opcode & ISCSI_IMMEDIATE) == 0)
		wire->cmd_sn++;
}

static void
rw_bhs(struct mock_wire *wire, uint8_t *bhs, uint8_t flags, uint32_t itt, uint32_t lba,
    uint16_t blocks, uint32_t edtl)
{
	mock_cmd_bhs(wire, bhs, ISCSI_OP_SCSI_CMD, flags | ISCSI_ATTR_SIMPLE, itt);
	bhs[9] = 1;
	be32_put(bhs + ISCSI_O_EDTL, edtl);
	bhs[32] = (flags & ISCSI_CMD_READ) != 0 ? 0x28 : 0x2a;
	be32_put(bhs + 34, lba);
	be16_put(bhs + 39, blocks);
}

void
mock_read(struct mock_wire *wire, uint32_t itt, uint32_t lba, uint16_t blocks, uint32_t edtl)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	rw_bhs(wire, bhs, ISCSI_FINAL | ISCSI_CMD_READ, itt, lba, blocks, edtl);
	mock_send(wire, bhs, NULL, 0);
}

void
mock_write(struct mock_wire *wire, uint32_t itt, uint32_t lba, uint16_t blocks, uint32_t edtl,
    const void *immediate, uint32_t len, bool is_final)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	rw_bhs(wire, bhs, (uint8_t)((is_final ? ISCSI_FINAL : 0) | ISCSI_CMD_WRITE), itt, lba,
	    blocks, edtl);
	mock_send(wire, bhs, immediate, len);
}

void
mock_data_out(struct mock_wire *wire, uint32_t itt, uint32_t ttt, uint32_t sn, uint32_t offset,
    const void *data, uint32_t len, bool is_final)
{
	uint8_t bhs[ISCSI_BHS_LEN] = { ISCSI_OP_DATA_OUT, is_final ? ISCSI_FINAL : 0 };

	bhs[9] = 1;
	be32_put(bhs + ISCSI_O_ITT, itt);
	be32_put(bhs + ISCSI_O_TTT, ttt);
	be32_put(bhs + ISCSI_O_EXP_STAT_SN, wire->exp_stat_sn);
	be32_put(bhs + ISCSI_O_DATA_SN, sn);
	be32_put(bhs + ISCSI_O_OFFSET, offset);
	mock_send(wire, bhs, data, len);
}

void
mock_tmf(struct mock_wire *wire, uint32_t itt, uint8_t fn, uint32_t ref_itt, uint32_t ref_sn,
    bool is_immediate)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_cmd_bhs(wire, bhs, (uint8_t)(ISCSI_OP_TMF | (is_immediate ? ISCSI_IMMEDIATE : 0)),
	    ISCSI_FINAL | fn, itt);
	bhs[9] = 1;
	be32_put(bhs + ISCSI_O_REF_TAG, ref_itt);
	be32_put(bhs + ISCSI_O_REF_CMD_SN, ref_sn);
	mock_send(wire, bhs, NULL, 0);
}

void
mock_logout(struct mock_wire *wire, uint8_t reason, uint16_t cid)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_cmd_bhs(
	    wire, bhs, ISCSI_OP_LOGOUT | ISCSI_IMMEDIATE, ISCSI_FINAL | reason, 0x7777);
	be16_put(bhs + ISCSI_O_CID, cid);
	mock_send(wire, bhs, NULL, 0);
}
