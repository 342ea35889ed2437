/* Digests, and recovery within a connection: ErrorRecoveryLevel 0 and 1. */
#include <string.h>

#include "check_main.h"
#include "mock_initiator.h"
#include "scsi/asc.h"
#include "scsi/status.h"

static uint8_t pattern[1u << 18];

#define SET(w, text)	((w)->keys = (text), (w)->keys_len = sizeof(text) - 1)

#define DIGESTS	"HeaderDigest=CRC32C\0DataDigest=CRC32C\0"
#define LEVEL1	"ErrorRecoveryLevel=1\0"
#define SMALL	"MaxRecvDataSegmentLength=4096\0MaxBurstLength=8192\0FirstBurstLength=4096\0"

static void
fill(uint8_t seed)
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 11 + seed);
}

/* sends a PDU with byte @at of it turned over */
static void
send_bad(struct mock_wire *wire, const uint8_t *bhs, const void *data, uint32_t len, size_t at)
{
	uint8_t *p = wire->world->scratch;
	size_t n = 52, pad = iscsi_pdu_pad(len);

	memcpy(p, bhs, 48);
	be24_put(p + 5, len);
	iscsi_digest_put(p + 48, iscsi_digest(p, 48));
	if (len > 0) {
		memcpy(p + n, data, len);
		memset(p + n + len, 0, pad);
		iscsi_digest_put(p + n + len + pad, iscsi_digest(p + n, len + pad));
		n += len + pad + 4;
	}
	p[at] ^= 0x10;
	mock_feed(wire, p, n);
}

static void
write_bhs(struct mock_wire *wire, uint8_t *bhs, uint32_t itt, uint16_t blocks, bool is_final)
{
	mock_cmd_bhs(wire, bhs, ISCSI_OP_SCSI_CMD,
	    (uint8_t)((is_final ? ISCSI_FINAL : 0) | ISCSI_CMD_WRITE), itt);
	bhs[9] = 1;
	be32_put(bhs + ISCSI_O_EDTL, blocks * 512u);
	bhs[32] = 0x2a;
	be16_put(bhs + 39, blocks);
}

static void
snack(struct mock_wire *wire, uint8_t type, uint32_t itt, uint32_t ttt, uint32_t begin,
    uint32_t run)
{
	uint8_t bhs[ISCSI_BHS_LEN] = { ISCSI_OP_SNACK, ISCSI_FINAL | type };

	be32_put(bhs + ISCSI_O_ITT, itt);
	be32_put(bhs + ISCSI_O_TTT, ttt);
	be32_put(bhs + ISCSI_O_EXP_STAT_SN, wire->exp_stat_sn);
	be32_put(bhs + ISCSI_O_BEG_RUN, begin);
	be32_put(bhs + ISCSI_O_RUN_LEN, run);
	bhs[9] = type == ISCSI_SNACK_DATA_ACK ? 1 : 0;
	mock_send(wire, bhs, NULL, 0);
}

START_TEST(test_digests_are_checked_and_made)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire;

	SET(w, DIGESTS "InitialR2T=No\0");
	fill(1);
	wire = mock_session(w);
	ck_assert(wire->has_header_digest && wire->has_data_digest);
	for (size_t chunk = 0; chunk < 3000; chunk += 1 + chunk) {
		wire->chunk = chunk;
		mock_write(wire, 1, 0, 3, 1536, pattern, 1533, false);
		mock_data_out(wire, 1, ISCSI_TAG_NONE, 0, 1533, pattern + 1533, 3, true);
		ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_SCSI_RSP).bhs[3], SAM_STAT_GOOD);
		mock_read(wire, 2, 0, 3, 1536);
		ck_assert_mem_eq(mock_expect(wire, ISCSI_OP_DATA_IN).data, pattern, 1536);
	}
	mock_close(w);
}
END_TEST

START_TEST(test_header_digest_without_recovery)
{
	struct mock_world *w = mock_open(NULL);
	uint8_t bhs[ISCSI_BHS_LEN];
	struct mock_wire *wire;

	SET(w, DIGESTS);
	wire = mock_session(w);
	write_bhs(wire, bhs, 1, 1, true);
	send_bad(wire, bhs, pattern, 512, 20);
	ck_assert(wire->is_close_due);
	ck_assert_int_eq(wire->why, ISCSI_END_DIGEST);
	mock_close(w);
}
END_TEST

START_TEST(test_data_digest_without_recovery)
{
	struct mock_world *w = mock_open(NULL);
	uint8_t bhs[ISCSI_BHS_LEN];
	struct mock_wire *wire;
	struct mock_pdu pdu;

	SET(w, DIGESTS);
	wire = mock_session(w);
	write_bhs(wire, bhs, 1, 1, true);
	send_bad(wire, bhs, pattern, 512, 100);
	pdu = mock_expect(wire, ISCSI_OP_REJECT);
	ck_assert_uint_eq(pdu.bhs[2], ISCSI_REJECT_DATA_DIGEST);
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(pdu.bhs[3], SAM_STAT_CHECK_CONDITION);
	ck_assert_uint_eq(pdu.data[4] & 0x0f, 0x0b);
	ck_assert_uint_eq(be16_get(pdu.data + 14), ASC_PROTOCOL_CRC);
	/* the same for Data-Out that was asked for */
	mock_write(wire, 2, 0, 1, 512, NULL, 0, true);
	pdu = mock_expect(wire, ISCSI_OP_R2T);
	memset(bhs, 0, sizeof(bhs));
	bhs[0] = ISCSI_OP_DATA_OUT;
	bhs[1] = ISCSI_FINAL;
	memcpy(bhs + ISCSI_O_ITT, pdu.bhs + ISCSI_O_ITT, 8);
	send_bad(wire, bhs, pattern, 512, 200);
	(void)mock_expect(wire, ISCSI_OP_REJECT);
	ck_assert_uint_eq(
	    mock_expect(wire, ISCSI_OP_SCSI_RSP).bhs[3], SAM_STAT_CHECK_CONDITION);
	ck_assert_uint_eq(w->n_commands, 0);
	mock_close(w);
}
END_TEST

START_TEST(test_lost_headers_leave_a_gap)
{
	struct mock_world *w = mock_open(NULL);
	uint8_t bhs[ISCSI_BHS_LEN];
	struct mock_wire *wire;
	struct iscsi_stats stats;

	SET(w, DIGESTS LEVEL1);
	wire = mock_session(w);
	write_bhs(wire, bhs, 1, 1, true);
	send_bad(wire, bhs, pattern, 512, 20);
	ck_assert(!wire->is_close_due);
	mock_read(wire, 2, 0, 1, 512); /* waits for the command that was lost */
	mock_quiet(wire);
	wire->cmd_sn -= 2;
	mock_write(wire, 1, 0, 1, 512, pattern, 512, true);
	wire->cmd_sn++;
	/* both have their turn, but the write's data follows its header */
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_SCSI_RSP).bhs[3], SAM_STAT_GOOD);
	iscsi_conn_stats(wire->conn, &stats);
	ck_assert_uint_eq(stats.header_digest_errors, 1);
	/* two in a row: the length of the first one was wrong, too */
	write_bhs(wire, bhs, 1, 1, true);
	send_bad(wire, bhs, pattern, 512, 20);
	send_bad(wire, bhs, pattern, 512, 20);
	ck_assert(wire->is_close_due);
	mock_close(w);
}
END_TEST

START_TEST(test_bad_data_is_asked_for_again)
{
	struct mock_world *w = mock_open(NULL);
	uint8_t bhs[ISCSI_BHS_LEN];
	struct mock_wire *wire;
	struct mock_pdu pdu;
	uint32_t ttt;

	SET(w, DIGESTS LEVEL1 "InitialR2T=No\0FirstBurstLength=4096\0");
	fill(5);
	wire = mock_session(w);
	/* immediate data */
	write_bhs(wire, bhs, 1, 8, true);
	send_bad(wire, bhs, pattern, 4096, 100);
	(void)mock_expect(wire, ISCSI_OP_REJECT);
	pdu = mock_expect(wire, ISCSI_OP_R2T);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_OFFSET), 0);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_R2T_LEN), 4096);
	ttt = be32_get(pdu.bhs + ISCSI_O_TTT);
	/* the second PDU of the answer is bad, and those behind it are not taken */
	mock_data_out(wire, 1, ttt, 0, 0, pattern, 1024, false);
	memset(bhs, 0, sizeof(bhs));
	bhs[0] = ISCSI_OP_DATA_OUT;
	memcpy(bhs + ISCSI_O_ITT, pdu.bhs + ISCSI_O_ITT, 8);
	be32_put(bhs + ISCSI_O_DATA_SN, 1);
	be32_put(bhs + ISCSI_O_OFFSET, 1024);
	send_bad(wire, bhs, pattern + 1024, 1024, 100);
	(void)mock_expect(wire, ISCSI_OP_REJECT);
	mock_data_out(wire, 1, ttt, 2, 2048, pattern + 2048, 2048, true);
	pdu = mock_expect(wire, ISCSI_OP_R2T);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_R2T_SN), 1);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_OFFSET), 1024);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_R2T_LEN), 3072);
	ttt = be32_get(pdu.bhs + ISCSI_O_TTT);
	mock_data_out(wire, 1, ttt, 0, 1024, pattern + 1024, 3072, true);
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(pdu.bhs[3], SAM_STAT_GOOD);
	ck_assert_mem_eq(w->disk, pattern, 4096);
	mock_close(w);
}
END_TEST

START_TEST(test_unsolicited_data_that_was_lost)
{
	struct mock_world *w = mock_open(NULL);
	uint8_t bhs[ISCSI_BHS_LEN];
	struct mock_wire *wire;
	struct mock_pdu pdu;

	SET(w, DIGESTS LEVEL1 "InitialR2T=No\0FirstBurstLength=4096\0");
	fill(6);
	wire = mock_session(w);
	write_bhs(wire, bhs, 1, 8, false);
	send_bad(
	    wire, bhs, pattern, 1024, 100); /* immediate part bad, the rest comes unasked */
	(void)mock_expect(wire, ISCSI_OP_REJECT);
	mock_data_out(wire, 1, ISCSI_TAG_NONE, 0, 1024, pattern + 1024, 3072, true);
	pdu = mock_expect(wire, ISCSI_OP_R2T);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_OFFSET), 0);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_R2T_LEN), 4096);
	mock_data_out(wire, 1, be32_get(pdu.bhs + ISCSI_O_TTT), 0, 0, pattern, 4096, true);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_SCSI_RSP).bhs[3], SAM_STAT_GOOD);
	ck_assert_mem_eq(w->disk, pattern, 4096);
	/* a sequence whose end never comes is asked for again after a while */
	mock_write(wire, 2, 8, 8, 4096, NULL, 0, true);
	pdu = mock_expect(wire, ISCSI_OP_R2T);
	mock_data_out(wire, 2, be32_get(pdu.bhs + ISCSI_O_TTT), 0, 0, pattern, 1024, false);
	mock_tick(w, 6000);
	pdu = mock_expect(wire, ISCSI_OP_R2T);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_OFFSET), 1024);
	mock_data_out(
	    wire, 2, be32_get(pdu.bhs + ISCSI_O_TTT), 0, 1024, pattern + 1024, 3072, true);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_SCSI_RSP).bhs[3], SAM_STAT_GOOD);
	ck_assert_mem_eq(w->disk + 4096, pattern, 4096);
	mock_close(w);
}
END_TEST

START_TEST(test_snack_for_data)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire;
	struct mock_pdu pdu;
	uint32_t first;

	SET(w, LEVEL1 SMALL);
	wire = mock_session(w);
	mock_read(wire, 1, 0, 40, 20480);
	for (uint32_t i = 0; i < 5; i++) {
		pdu = mock_expect(wire, ISCSI_OP_DATA_IN);
		/* an acknowledgement is asked for where a burst ends */
		ck_assert_uint_eq(pdu.bhs[1] & 0xc0, i == 4 ? 0x80 : i % 2 == 1 ? 0xc0 : 0);
	}
	first = wire->exp_stat_sn - 1; /* the initiator has not seen the status */
	wire->exp_stat_sn = first;
	snack(wire, ISCSI_SNACK_DATA, 1, ISCSI_TAG_NONE, 1, 2);
	for (uint32_t i = 1; i < 3; i++) {
		pdu = mock_expect(wire, ISCSI_OP_DATA_IN);
		ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_DATA_SN), i);
		ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_OFFSET), i * 4096);
		ck_assert_mem_eq(pdu.data, w->disk + i * 4096, 4096);
	}
	mock_quiet(wire);
	snack(
	    wire, ISCSI_SNACK_DATA, 1, ISCSI_TAG_NONE, 3, 0); /* all from there, with status */
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	pdu = mock_expect(wire, ISCSI_OP_DATA_IN);
	ck_assert_uint_eq(pdu.bhs[1] & 1, 1);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_STAT_SN), first);
	wire->exp_stat_sn = first;
	snack(wire, ISCSI_SNACK_DATA_ACK, ISCSI_TAG_NONE, 1, 4, 0);
	snack(wire, ISCSI_SNACK_DATA, 1, ISCSI_TAG_NONE, 3, 1); /* acknowledged: not any more */
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_REJECT).bhs[2], ISCSI_REJECT_SNACK);
	wire->exp_stat_sn = first;
	snack(wire, ISCSI_SNACK_DATA, 1, ISCSI_TAG_NONE, 4, 9); /* beyond the end */
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_REJECT).bhs[2], ISCSI_REJECT_SNACK);
	snack(wire, ISCSI_SNACK_DATA_ACK, ISCSI_TAG_NONE, 99, 1, 0);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_REJECT).bhs[2], ISCSI_REJECT_DATA_ACK);
	mock_close(w);
}
END_TEST

START_TEST(test_snack_for_status)
{
	struct mock_world *w = mock_open(NULL);
	uint8_t bhs[ISCSI_BHS_LEN];
	struct mock_wire *wire;
	struct mock_pdu pdu;
	uint32_t first;

	SET(w, LEVEL1 "ImmediateData=Yes\0");
	wire = mock_session(w);
	first = wire->exp_stat_sn;
	mock_read(wire, 1, 0, 1, 512);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	wire->exp_stat_sn = first;
	mock_write(wire, 2, 0, 1, 512, pattern, 512, true);
	(void)mock_expect(wire, ISCSI_OP_SCSI_RSP);
	wire->exp_stat_sn = first;
	mock_cmd_bhs(wire, bhs, ISCSI_OP_NOP_OUT, ISCSI_FINAL, 3);
	be32_put(bhs + ISCSI_O_TTT, ISCSI_TAG_NONE);
	mock_send(wire, bhs, "echo", 4);
	(void)mock_expect(wire, ISCSI_OP_NOP_IN);
	wire->exp_stat_sn = first;
	snack(wire, ISCSI_SNACK_STATUS, ISCSI_TAG_NONE, ISCSI_TAG_NONE, first, 0);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert(mock_recv(wire, &pdu));
		ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_STAT_SN), first + i);
		ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_ITT), 1 + i);
	}
	ck_assert_mem_eq(pdu.data, "echo", 4);
	mock_quiet(wire);
	snack(wire, ISCSI_SNACK_STATUS, ISCSI_TAG_NONE, ISCSI_TAG_NONE, first,
	    1); /* acknowledged */
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_REJECT).bhs[2], ISCSI_REJECT_SNACK);
	ck_assert_uint_eq(iscsi_session_tasks(iscsi_conn_session(wire->conn)), 0);
	mock_close(w);
}
END_TEST

START_TEST(test_snack_for_r2t)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire;
	struct mock_pdu pdu, again;

	SET(w, LEVEL1 "InitialR2T=Yes\0ImmediateData=No\0");
	wire = mock_session(w);
	mock_write(wire, 1, 0, 1, 512, NULL, 0, true);
	pdu = mock_expect(wire, ISCSI_OP_R2T);
	snack(wire, ISCSI_SNACK_DATA, 1, ISCSI_TAG_NONE, 0, 1);
	again = mock_expect(wire, ISCSI_OP_R2T);
	ck_assert_mem_eq(pdu.bhs, again.bhs, 48);
	mock_data_out(wire, 1, be32_get(pdu.bhs + ISCSI_O_TTT), 0, 0, pattern, 512, true);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_SCSI_RSP).bhs[3], SAM_STAT_GOOD);
	mock_close(w);
}
END_TEST

START_TEST(test_r_data_snack_cuts_anew)
{
	struct mock_world *w = mock_open(NULL);
	uint8_t bhs[ISCSI_BHS_LEN];
	struct mock_wire *wire;
	struct mock_pdu pdu;
	uint32_t sn;

	SET(w, LEVEL1 "MaxRecvDataSegmentLength=4096\0");
	wire = mock_session(w);
	sn = wire->exp_stat_sn;
	mock_read(wire, 1, 0, 8, 4096);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	wire->exp_stat_sn = sn;
	mock_cmd_bhs(wire, bhs, ISCSI_OP_TEXT, ISCSI_FINAL, 2);
	be32_put(bhs + ISCSI_O_TTT, ISCSI_TAG_NONE);
	mock_send(wire, bhs, "MaxRecvDataSegmentLength=1024", 30);
	(void)mock_expect(wire, ISCSI_OP_TEXT_RSP);
	wire->exp_stat_sn = sn;
	snack(wire, ISCSI_SNACK_R_DATA, 1, 0x55, 0, 0);
	for (uint32_t i = 0; i < 4; i++) {
		pdu = mock_expect(wire, ISCSI_OP_DATA_IN);
		ck_assert_uint_eq(pdu.len, 1024);
		ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_DATA_SN), i);
		ck_assert_uint_eq(pdu.bhs[1] & 1, 0);
	}
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_SNACK_TAG), 0x55);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_STAT_SN), sn);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_EXP_DATA_SN), 4);
	mock_close(w);
}
END_TEST

static void
little_memory(struct mock_world *w)
{
	w->limits.retained_bytes = 8192;
}

START_TEST(test_what_is_kept_is_bounded)
{
	struct mock_world *w = mock_open(little_memory);
	struct mock_wire *wire;
	struct mock_pdu pdu;
	uint32_t first;

	SET(w, LEVEL1 "ImmediateData=Yes\0");
	wire = mock_session(w);
	first = wire->exp_stat_sn;
	for (uint32_t i = 0; i < 400; i++) { /* never acknowledged */
		mock_read(wire, i, 0, 8, 4096);
		(void)mock_expect(wire, ISCSI_OP_DATA_IN);
		wire->exp_stat_sn = first;
	}
	ck_assert_uint_le(w->n_bufs, 2);
	ck_assert_uint_le(iscsi_session_tasks(iscsi_conn_session(wire->conn)), 256);
	snack(wire, ISCSI_SNACK_STATUS, ISCSI_TAG_NONE, ISCSI_TAG_NONE, first + 200, 1);
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP); /* its data is gone, its status is not */
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_STAT_SN), first + 200);
	snack(wire, ISCSI_SNACK_DATA, 200, ISCSI_TAG_NONE, 0, 1);
	(void)mock_expect(wire, ISCSI_OP_REJECT);
	mock_close(w);
}
END_TEST

START_TEST(test_data_out_in_any_order)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire;
	struct mock_pdu pdu;
	uint32_t ttt, sn = 0;

	SET(w, "InitialR2T=Yes\0ImmediateData=No\0DataPDUInOrder=No\0DataSequenceInOrder=No\0");
	fill(9);
	wire = mock_session(w);
	mock_write(wire, 1, 0, 32, 16384, NULL, 0, true);
	ttt = be32_get(mock_expect(wire, ISCSI_OP_R2T).bhs + ISCSI_O_TTT);
	for (uint32_t i = 16; i-- > 0;) {
		uint32_t at = (i * 5 % 16) * 1024;

		mock_data_out(wire, 1, ttt, sn++, at, pattern + at, 1024, i == 0);
	}
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_SCSI_RSP).bhs[3], SAM_STAT_GOOD);
	ck_assert_mem_eq(w->disk, pattern, 16384);
	mock_write(wire, 2, 0, 4, 2048, NULL, 0, true); /* the same part twice */
	ttt = be32_get(mock_expect(wire, ISCSI_OP_R2T).bhs + ISCSI_O_TTT);
	mock_data_out(wire, 2, ttt, 0, 0, pattern, 1024, false);
	mock_data_out(wire, 2, ttt, 1, 512, pattern, 1024, true);
	(void)mock_expect(wire, ISCSI_OP_REJECT);
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(pdu.bhs[3], SAM_STAT_CHECK_CONDITION);
	mock_close(w);
}
END_TEST

CHECK_MAIN("recovery in a connection", test_digests_are_checked_and_made,
    test_header_digest_without_recovery, test_data_digest_without_recovery,
    test_lost_headers_leave_a_gap, test_bad_data_is_asked_for_again,
    test_unsolicited_data_that_was_lost, test_snack_for_data, test_snack_for_status,
    test_snack_for_r2t, test_r_data_snack_cuts_anew, test_what_is_kept_is_bounded,
    test_data_out_in_any_order)
