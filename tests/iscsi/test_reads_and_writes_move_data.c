/* What a session without any errors does: data in both directions, residuals, sense. */
#include "check_main.h"
#include "mock_initiator.h"
#include "scsi/status.h"

static uint8_t pattern[1u << 20];

static void
fill(uint8_t seed)
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 13 + seed);
}

START_TEST(test_read_collapses_its_status)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	struct mock_pdu pdu;

	mock_read(wire, 10, 3, 8, 4096);
	pdu = mock_expect(wire, ISCSI_OP_DATA_IN);
	ck_assert_uint_eq(pdu.bhs[1], ISCSI_FINAL | ISCSI_DATA_IN_STATUS);
	ck_assert_uint_eq(pdu.bhs[3], SAM_STAT_GOOD);
	ck_assert_uint_eq(pdu.len, 4096);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_ITT), 10);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_TTT), ISCSI_TAG_NONE);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_EXP_CMD_SN), wire->cmd_sn);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_MAX_CMD_SN), wire->cmd_sn + 127);
	ck_assert_mem_eq(pdu.data, w->disk + 3 * 512, 4096);
	mock_quiet(wire);
	mock_close(w);
}
END_TEST

START_TEST(test_long_read_is_cut_into_bursts)
{
	static const char keys[] = "MaxRecvDataSegmentLength=4096\0MaxBurstLength=10240\0";
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire;
	struct mock_pdu pdu;
	uint32_t at = 0;

	w->keys = keys;
	w->keys_len = sizeof(keys) - 1;
	wire = mock_session(w);
	wire->gulp = 1000; /* the queue is taken in pieces that cut PDUs anywhere */
	mock_read(wire, 10, 0, 50, 25600);
	for (uint32_t sn = 0; at < 25600; sn++) {
		uint32_t in_burst = 10240 - at % 10240,
			 want = in_burst < 4096 ? in_burst : 4096;

		if (want > 25600 - at)
			want = 25600 - at;
		pdu = mock_expect(wire, ISCSI_OP_DATA_IN);
		ck_assert_uint_eq(pdu.len, want);
		ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_DATA_SN), sn);
		ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_OFFSET), at);
		ck_assert_mem_eq(pdu.data, w->disk + at, want);
		at += want;
		ck_assert_uint_eq(
		    pdu.bhs[1], (at % 10240 == 0 || at == 25600 ? ISCSI_FINAL : 0) |
				    (at == 25600 ? ISCSI_DATA_IN_STATUS : 0));
	}
	mock_quiet(wire);
	mock_close(w);
}
END_TEST

START_TEST(test_read_residuals)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	struct mock_pdu pdu;

	mock_read(wire, 1, 0, 1, 1024);
	pdu = mock_expect(wire, ISCSI_OP_DATA_IN);
	ck_assert_uint_eq(pdu.len, 512);
	ck_assert_uint_eq(pdu.bhs[1] & 0x06, ISCSI_RSP_UNDER);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_RESID), 512);
	mock_read(wire, 2, 0, 2, 512);
	pdu = mock_expect(wire, ISCSI_OP_DATA_IN);
	ck_assert_uint_eq(pdu.len, 512);
	ck_assert_uint_eq(pdu.bhs[1] & 0x06, ISCSI_RSP_OVER);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_RESID), 512);
	mock_read(wire, 3, 0, 0, 512); /* moves nothing */
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(pdu.bhs[1] & 0x06, ISCSI_RSP_UNDER);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_RESID), 512);
	mock_read(wire, 4, 0, 1, 0); /* no room at all */
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(pdu.bhs[1] & 0x06, ISCSI_RSP_OVER);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_RESID), 512);
	mock_close(w);
}
END_TEST

START_TEST(test_write_with_immediate_data)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	struct mock_pdu pdu;

	fill(1);
	/* any cut of the bytes on their way in gives the same */
	for (size_t chunk = 0; chunk < 5000; chunk += 1 + chunk) {
		wire->chunk = chunk;
		memset(w->disk, 0, 8192);
		mock_write(wire, 5, 2, 8, 4096, pattern, 4096, true);
		pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
		ck_assert_uint_eq(pdu.bhs[2], 0);
		ck_assert_uint_eq(pdu.bhs[3], SAM_STAT_GOOD);
		ck_assert_uint_eq(pdu.bhs[1] & 0x06, 0);
		ck_assert_mem_eq(w->disk + 1024, pattern, 4096);
	}
	mock_quiet(wire);
	mock_close(w);
}
END_TEST

START_TEST(test_write_residuals)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	struct mock_pdu pdu;

	fill(2);
	mock_write(wire, 1, 0, 1, 1024, pattern, 1024, true); /* more than the CDB takes */
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(pdu.bhs[1] & 0x06, ISCSI_RSP_UNDER);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_RESID), 512);
	ck_assert_mem_eq(w->disk, pattern, 512);
	ck_assert_mem_ne(w->disk + 512, pattern + 512, 512);
	mock_write(wire, 2, 0, 2, 512, pattern, 512, true); /* less */
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(pdu.bhs[1] & 0x06, ISCSI_RSP_OVER);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_RESID), 512);
	mock_close(w);
}
END_TEST

/* answers R2Ts until the command is answered; the R2Ts it took */
static unsigned int
serve_r2ts(struct mock_wire *wire, uint32_t itt, uint32_t segment)
{
	struct mock_pdu pdu;
	unsigned int n = 0;

	for (;;) {
		uint32_t at, left, ttt, sn = 0;

		ck_assert(mock_recv(wire, &pdu));
		if ((pdu.bhs[0] & 0x3f) == ISCSI_OP_SCSI_RSP) {
			ck_assert_uint_eq(pdu.bhs[3], SAM_STAT_GOOD);
			ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_EXP_DATA_SN), n);
			return n;
		}
		ck_assert_uint_eq(pdu.bhs[0] & 0x3f, ISCSI_OP_R2T);
		ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_ITT), itt);
		ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_R2T_SN), n++);
		ttt = be32_get(pdu.bhs + ISCSI_O_TTT);
		at = be32_get(pdu.bhs + ISCSI_O_OFFSET);
		left = be32_get(pdu.bhs + ISCSI_O_R2T_LEN);
		while (left > 0) {
			uint32_t k = left < segment ? left : segment;

			mock_data_out(wire, itt, ttt, sn++, at, pattern + at, k, k == left);
			at += k;
			left -= k;
		}
	}
}

START_TEST(test_write_by_r2t)
{
	static const char keys[] = "InitialR2T=Yes\0ImmediateData=No\0MaxBurstLength=65536\0"
	    "MaxOutstandingR2T=4\0";
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire;

	fill(3);
	w->keys = keys;
	w->keys_len = sizeof(keys) - 1;
	wire = mock_session(w);
	for (size_t chunk = 0; chunk < 100000; chunk += 777 + chunk) {
		wire->chunk = chunk;
		memset(w->disk, 0, sizeof(pattern));
		mock_write(wire, 7, 0, 2000, 1024000, NULL, 0, true);
		ck_assert_uint_eq(serve_r2ts(wire, 7, 8192), 16);
		ck_assert_mem_eq(w->disk, pattern, 1024000);
	}
	mock_close(w);
}
END_TEST

START_TEST(test_write_unsolicited_then_r2t)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	fill(4);
	memset(w->disk, 0, sizeof(pattern));
	/* FirstBurstLength 65536: 10000 with the command, the rest unasked, then by R2T */
	mock_write(wire, 9, 0, 800, 409600, pattern, 10000, false);
	mock_data_out(wire, 9, ISCSI_TAG_NONE, 0, 10000, pattern + 10000, 30000, false);
	mock_quiet(wire);
	mock_data_out(wire, 9, ISCSI_TAG_NONE, 1, 40000, pattern + 40000, 25536, true);
	ck_assert_uint_eq(serve_r2ts(wire, 9, 100000), 2);
	ck_assert_mem_eq(w->disk, pattern, 409600);
	mock_close(w);
}
END_TEST

START_TEST(test_sense_is_carried)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint8_t bhs[ISCSI_BHS_LEN];
	struct mock_pdu pdu;

	mock_cmd_bhs(wire, bhs, ISCSI_OP_SCSI_CMD, ISCSI_FINAL | ISCSI_ATTR_SIMPLE, 4);
	bhs[32] = 0xc1;
	mock_send(wire, bhs, NULL, 0);
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(pdu.bhs[3], SAM_STAT_CHECK_CONDITION);
	ck_assert_uint_eq(pdu.len, 20);
	ck_assert_uint_eq(be16_get(pdu.data), 18);
	ck_assert_uint_eq(pdu.data[2], 0x70);
	mock_close(w);
}
END_TEST

START_TEST(test_many_commands_in_one_receive)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	w->is_held = true;
	for (uint32_t i = 0; i < 128; i++)
		mock_read(wire, i, i, 1, 512);
	ck_assert_uint_eq(w->n_held, 128);
	mock_read(wire, 500, 0, 1, 512); /* one above the window: not heard */
	wire->cmd_sn--;
	ck_assert_uint_eq(w->n_held, 128);
	while (w->n_held > 0)
		mock_finish(w, w->n_held - 1);
	for (uint32_t i = 0; i < 128; i++) {
		struct mock_pdu pdu = mock_expect(wire, ISCSI_OP_DATA_IN);

		ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_ITT), 127 - i);
		ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_MAX_CMD_SN), wire->cmd_sn + 127);
	}
	w->is_held = false;
	mock_read(wire, 500, 0, 1, 512);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	mock_close(w);
}
END_TEST

CHECK_MAIN("reads and writes", test_read_collapses_its_status,
    test_long_read_is_cut_into_bursts, test_read_residuals, test_write_with_immediate_data,
    test_write_residuals, test_write_by_r2t, test_write_unsolicited_then_r2t,
    test_sense_is_carried, test_many_commands_in_one_receive)
