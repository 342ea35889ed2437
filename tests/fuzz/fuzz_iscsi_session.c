/*
 * fuzz_iscsi_session.c - whole sessions: logins, requests of all kinds, a host that answers
 * when it likes, connections that break, time that passes
 *
 * The first byte chooses what is negotiated. Then steps follow, one byte each with what it
 * needs; numbers that a session needs to go on (CmdSN, lengths, digests) are right unless the
 * input says otherwise. The mock's own checks are the oracle: digests of what comes out, every
 * session that began ended once, every buffer given back.
 */
#include <string.h>

#include "base/cursor.h"
#include "tests/iscsi/mock_initiator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEYS(text)	{ text, sizeof(text) - 1 }

static const struct { const char *text; size_t len; } keys[8] = {
	KEYS(MOCK_KEYS),
	KEYS("InitialR2T=Yes\0ImmediateData=No\0MaxBurstLength=1024\0MaxOutstandingR2T=4\0"
	    "MaxRecvDataSegmentLength=512\0DefaultTime2Retain=0\0"),
	KEYS("HeaderDigest=CRC32C\0DataDigest=CRC32C\0InitialR2T=No\0FirstBurstLength=1024\0"),
	KEYS("ErrorRecoveryLevel=1\0HeaderDigest=CRC32C\0DataDigest=CRC32C\0InitialR2T=No\0"
	    "MaxRecvDataSegmentLength=512\0MaxBurstLength=1024\0FirstBurstLength=512\0"),
	KEYS("ErrorRecoveryLevel=2\0MaxConnections=4\0DefaultTime2Wait=0\0InitialR2T=No\0"
	    "DefaultTime2Retain=5\0MaxRecvDataSegmentLength=1024\0MaxBurstLength=2048\0"),
	KEYS("DataPDUInOrder=No\0DataSequenceInOrder=No\0InitialR2T=No\0MaxBurstLength=2048\0"
	    "FirstBurstLength=1024\0MaxOutstandingR2T=16\0"),
	KEYS("MaxConnections=4\0TaskReporting=ResponseFence\0iSCSIProtocolLevel=2\0"),
	KEYS("ErrorRecoveryLevel=2\0MaxConnections=2\0DefaultTime2Retain=0\0"
	    "TaskReporting=FastAbort\0DataDigest=CRC32C\0InitialR2T=No\0DataPDUInOrder=No\0"),
};

static uint8_t variety;

static void
prepare(struct mock_world *w)
{
	w->keys = keys[variety & 7].text;
	w->keys_len = keys[variety & 7].len;
	w->is_held = (variety & 8) != 0;
	w->is_tmf_held = (variety & 16) != 0;
	w->is_gathering = (variety & 128) != 0;
	w->config.window = (variety & 32) != 0 ? 4 : 0;
	w->config.nop_interval_ms = 5000;
	w->limits.rx_bytes = 65536;
	w->limits.xfer_max_bytes = 16384;
	w->limits.held_bytes = 24576;
	w->limits.cmd_slots_max = (variety & 64) != 0 ? 16 : 64;
	w->limits.retained_bytes = 4096;
	w->limits.tx_queued_bytes = 8192;
}

/* takes all that comes out; R2Ts are answered if @answers */
static void
swallow(struct mock_wire *wire, bool answers)
{
	struct mock_pdu pdu;

	while (wire->conn != NULL && mock_recv(wire, &pdu)) {
		uint32_t at = be32_get(pdu.bhs + ISCSI_O_OFFSET);
		uint32_t len = be32_get(pdu.bhs + ISCSI_O_R2T_LEN);

		if ((pdu.bhs[0] & 0x3f) != ISCSI_OP_R2T || !answers || wire->is_close_due)
			continue;
		must(at + len <= 16384);
		mock_data_out(wire, be32_get(pdu.bhs + ISCSI_O_ITT),
		    be32_get(pdu.bhs + ISCSI_O_TTT), 0, at, wire->world->disk + at, len, true);
	}
}

/* a header out of the input; small numbers are likely to mean something */
static void
send_pdu(struct mock_wire *wire, struct cursor *c)
{
	static const uint8_t opcodes[8] = { ISCSI_OP_SCSI_CMD, ISCSI_OP_SCSI_CMD, ISCSI_OP_TMF,
		ISCSI_OP_DATA_OUT, ISCSI_OP_NOP_OUT, ISCSI_OP_TEXT, ISCSI_OP_SNACK,
		ISCSI_OP_LOGOUT };
	uint8_t bhs[ISCSI_BHS_LEN], ahs[32], how = cursor_u8(c), what = cursor_u8(c);
	uint32_t len = cursor_u8(c) * ((how & 4) != 0 ? 16u : 4u), ahs_len = 0;
	uint8_t *more;

	mock_cmd_bhs(wire, bhs, (uint8_t)(opcodes[what & 7] | (how & 8 ? ISCSI_IMMEDIATE : 0)),
	    cursor_u8(c), cursor_u8(c) & 7);
	bhs[9] = (how & 16) != 0;
	be32_put(bhs + 20, (how & 32) != 0 ? ISCSI_TAG_NONE : cursor_be16(c));
	if ((what & 7) == 3 || (what & 7) == 6) { /* these have no CmdSN */
		if ((bhs[0] & ISCSI_IMMEDIATE) == 0)
			wire->cmd_sn--;
		bhs[0] &= 0x3f;
	}
	if ((what & 7) <= 1) {
		bhs[32] = (bhs[1] & ISCSI_CMD_READ) != 0    ? 0x28
			  : (bhs[1] & ISCSI_CMD_WRITE) != 0 ? 0x2a
							    : 0;
		bhs[40] = cursor_u8(c) & 31;
	} else {
		be32_put(bhs + 32, cursor_u8(c));
		be32_put(bhs + 36, cursor_u8(c));
		be32_put(bhs + 40, cursor_u8(c) * 4u);
		be32_put(bhs + 44, cursor_u8(c));
	}
	if ((how & 64) != 0) /* one field as the input likes it */
		be32_put(bhs + (cursor_u8(c) % 11) * 4 + 4, cursor_be32(c));
	if ((how & 128) != 0) {
		more = cursor_take(c, 16);
		if (more != NULL)
			memcpy(ahs, more, ahs_len = 16);
	}
	mock_send_ahs(wire, bhs, ahs, ahs_len, wire->world->disk, len);
}

static void
send_raw(struct mock_wire *wire, struct cursor *c)
{
	size_t n = cursor_u8(c);
	const uint8_t *p = cursor_take(c, n);

	if (p != NULL && n > 0)
		mock_feed(wire, p, n);
}

static void
host_step(struct mock_world *w, uint8_t what)
{
	struct iscsi_session *session = iscsi_session_next(w->node, NULL);
	static const uint8_t lun[8] = { 0, 1 };
	struct iscsi_tmf *tmf = w->tmf;

	switch (what % 10) {
	case 0:
	case 1:
		if (w->n_held > 0)
			mock_finish(w, (what / 10) % w->n_held);
		break;
	case 2:
		w->tmf = NULL;
		if (tmf != NULL)
			iscsi_tmf_done(
			    tmf, (what & 64) != 0 ? ISCSI_TMF_NO_TASK : ISCSI_TMF_COMPLETE);
		break;
	case 3:
		mock_tick(w, what * 40);
		break;
	case 4:
		w->has_no_memory = !w->has_no_memory;
		break;
	case 5:
		w->is_held = !w->is_held;
		break;
	case 6:
		if (session != NULL)
			iscsi_session_ask_logout(session, 3);
		break;
	case 7:
		if (session != NULL && (what & 32) != 0)
			iscsi_session_end(session, ISCSI_END_ADMIN);
		break;
	case 8:
		if (session != NULL)
			must(iscsi_session_async(session, lun, w->disk, what % 20) <= 0);
		break;
	case 9:
		if (session != NULL)
			iscsi_session_tasks_ended(session, lun);
		break;
	}
}

/* the host lets one request be held only; others it answers at once */
static struct mock_wire *
wire_pick(struct mock_world *w, uint8_t which)
{
	struct mock_wire *wire = &w->wire[which % 3];

	return wire->conn != NULL ? wire : NULL;
}

static void
wire_step(struct mock_world *w, struct cursor *c, uint8_t step)
{
	struct mock_wire *wire = wire_pick(w, step >> 4);

	if (wire == NULL) {
		if (w->wire[0].conn != NULL && w->wire[1].conn != NULL &&
		    w->wire[2].conn != NULL)
			return;
		wire = mock_connect(w);
		wire->cmd_sn = w->wire[0].cmd_sn;
		if ((step & 1) != 0)
			(void)mock_login(wire, (step & 2) != 0 ? w->wire[0].tsih : 0, step & 3);
		return;
	}
	wire->chunk = (step & 8) != 0 ? 17 : 0;
	switch (step & 7) {
	case 0:
		send_raw(wire, c);
		break;
	case 1:
	case 2:
	case 3:
		send_pdu(wire, c);
		break;
	case 4:
		swallow(wire, true);
		break;
	case 5:
		swallow(wire, false);
		break;
	case 6:
		mock_hangup(wire);
		break;
	case 7:
		wire->cmd_sn += cursor_u8(c) % 3;
		break;
	}
	if (wire->conn != NULL && wire->is_close_due) {
		mock_drain(wire);
		mock_hangup(wire);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_read_init(data, size);
	struct mock_world *w;

	variety = cursor_u8(&c);
	w = mock_open(prepare);
	(void)mock_login(mock_connect(w), 0, 0);
	for (int steps = 0; steps < 400 && cursor_left(&c) > 0; steps++) {
		uint8_t step = cursor_u8(&c);

		if ((step & 0xc0) == 0xc0)
			host_step(w, step & 0x3f);
		else
			wire_step(w, &c, step);
		for (unsigned int i = 0; i < 3; i++)
			if (w->wire[i].conn != NULL && w->wire[i].stream_len > MOCK_STREAM / 2)
				swallow(&w->wire[i], false);
	}
	mock_close(w);
	return 0;
}
