/* A session that hoards memory for writes waits for its own data: others go on at once, and each of
 * its commands has its turn. */
#include "check_main.h"
#include "iscsi/iscsi_impl.h"
#include "mock_initiator.h"
#include "scsi/status.h"

#define BYTES	16384u
#define BLOCKS	(BYTES / MOCK_BLOCK)

static uint8_t data[BYTES];

/* room for four writes: half of it for the first session */
static void
narrow(struct mock_world *w)
{
	w->limits.held_bytes = 4 * BYTES;
	w->keys = "InitialR2T=Yes\0ImmediateData=Yes\0FirstBurstLength=4096\0MaxBurstLength=16384\0";
	w->keys_len = 76;
}

/* the same, and what fits into the first burst comes unasked */
static void
narrow_unasked(struct mock_world *w)
{
	narrow(w);
	w->keys = "InitialR2T=No\0ImmediateData=Yes\0FirstBurstLength=4096\0MaxBurstLength=16384\0";
	w->keys_len = 75;
}

static struct iscsi_session *
session_of(const struct mock_wire *wire)
{
	return iscsi_conn_session(wire->conn);
}

static struct mock_wire *
other_session(struct mock_world *w)
{
	struct mock_wire *wire = mock_connect(w);

	wire->qualifier = 7;
	ck_assert_uint_eq(mock_login(wire, 0, 0), 0);
	return wire;
}

/* data of command @itt: its tag in each byte, so that none can be taken for another's */
static void
fill(uint32_t itt)
{
	memset(data, (int)(itt + 1), sizeof(data));
}

static void
write_at(struct mock_wire *wire, uint32_t itt, uint32_t immediate)
{
	fill(itt);
	mock_write(wire, itt, itt * BLOCKS, BLOCKS, BYTES, data, immediate, true);
}

/* what has come out of a wire, in that order: tags of R2Ts and of answers */
static struct {
	uint32_t r2t[64], answer[64];
	uint8_t status[64];
	unsigned int n_r2ts, n_answers;
	uint64_t most_held;
} seen;

static void
answer_r2t(struct mock_wire *wire, const uint8_t *bhs)
{
	uint32_t itt = be32_get(bhs + ISCSI_O_ITT), offset = be32_get(bhs + ISCSI_O_OFFSET);
	uint32_t len = be32_get(bhs + ISCSI_O_R2T_LEN);

	ck_assert_uint_eq(offset + len, BYTES);
	seen.r2t[seen.n_r2ts++] = itt;
	fill(itt);
	mock_data_out(wire, itt, be32_get(bhs + ISCSI_O_TTT), 0, offset, data + offset, len, true);
}

/* takes what comes, up to @n PDUs, and sends what is asked for */
static void
serve(struct mock_wire *wire, unsigned int n)
{
	struct mock_pdu pdu;

	memset(&seen, 0, sizeof(seen));
	while (n-- > 0 && mock_recv(wire, &pdu)) {
		if (iscsi_pdu_opcode(pdu.bhs) == ISCSI_OP_R2T) {
			answer_r2t(wire, pdu.bhs);
		} else {
			ck_assert_uint_eq(iscsi_pdu_opcode(pdu.bhs), ISCSI_OP_SCSI_RSP);
			seen.answer[seen.n_answers] = be32_get(pdu.bhs + ISCSI_O_ITT);
			seen.status[seen.n_answers++] = pdu.bhs[3];
		}
		if (session_of(wire)->held_bytes > seen.most_held)
			seen.most_held = session_of(wire)->held_bytes;
	}
}

/* commands @from up to @to were asked for their data, and were good, in this order */
static void
expect_in_order(uint32_t from, uint32_t to)
{
	ck_assert_uint_eq(seen.n_r2ts, to - from);
	ck_assert_uint_eq(seen.n_answers, to - from);
	for (uint32_t i = 0; i < to - from; i++) {
		ck_assert_uint_eq(seen.r2t[i], from + i);
		ck_assert_uint_eq(seen.answer[i], from + i);
		ck_assert_uint_eq(seen.status[i], SAM_STAT_GOOD);
	}
	ck_assert_uint_le(seen.most_held, 2 * BYTES);
}

static void
expect_disk(const struct mock_world *w, uint32_t n)
{
	for (uint32_t itt = 0; itt < n; itt++) {
		fill(itt);
		ck_assert_mem_eq(w->disk + (size_t)itt * BYTES, data, BYTES);
	}
}

START_TEST(test_one_hoards_another_goes_on)
{
	struct mock_world *w = mock_open(narrow);
	struct mock_wire *hoarder = mock_session(w), *other = other_session(w);

	for (uint32_t itt = 0; itt < 20; itt++)
		write_at(hoarder, itt, 0);
	ck_assert_uint_eq(w->n_bufs, 2);
	write_at(other, 20, 0);
	serve(other, UINT32_MAX);
	expect_in_order(20, 21);
	/* in the order in which they came, and all of them */
	serve(hoarder, UINT32_MAX);
	expect_in_order(0, 20);
	expect_disk(w, 21);
	ck_assert_uint_eq(w->n_bufs, 0);
	mock_close(w);
}
END_TEST

/* what comes unasked is kept where it may stay */
START_TEST(test_unasked_data_is_kept)
{
	struct mock_world *w = mock_open(narrow);
	struct mock_wire *wire = mock_session(w);

	for (uint32_t itt = 0; itt < 6; itt++)
		write_at(wire, itt, 2048);
	serve(wire, UINT32_MAX);
	expect_in_order(0, 6);
	expect_disk(w, 6);
	mock_close(w);
}
END_TEST

/* the third one's turn comes while what it sends by itself is on its way */
START_TEST(test_a_first_burst_under_way_is_waited_for)
{
	struct mock_world *w = mock_open(narrow_unasked);
	struct mock_wire *wire = mock_session(w);

	write_at(wire, 0, 0);
	write_at(wire, 1, 0);
	fill(2);
	mock_write(wire, 2, 2 * BLOCKS, BLOCKS, BYTES, data, 1024, false);
	write_at(wire, 3, 0);
	serve(wire, UINT32_MAX);
	ck_assert_uint_eq(seen.n_answers, 3);
	ck_assert_uint_eq(seen.r2t[2], 3);
	fill(2);
	mock_data_out(wire, 2, ISCSI_TAG_NONE, 0, 1024, data + 1024, 3072, true);
	serve(wire, UINT32_MAX);
	expect_in_order(2, 3);
	expect_disk(w, 4);
	mock_close(w);
}
END_TEST

/* and who gives back by an abort lets others go on */
START_TEST(test_those_that_wait_can_be_aborted)
{
	struct mock_world *w = mock_open(narrow);
	struct mock_wire *wire = mock_session(w);

	for (uint32_t itt = 0; itt < 6; itt++)
		write_at(wire, itt, itt == 4 ? 512 : 0);
	for (uint32_t itt = 0; itt < 2; itt++)
		ck_assert_uint_eq(
		    be32_get(mock_expect(wire, ISCSI_OP_R2T).bhs + ISCSI_O_ITT), itt);
	mock_tmf(wire, 91, ISCSI_TMF_ABORT_TASK, 4, 0, true);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_TMF_RSP).bhs[2], ISCSI_TMF_COMPLETE);
	mock_quiet(wire);
	mock_tmf(wire, 90, ISCSI_TMF_ABORT_TASK, 1, 0, true);
	serve(wire, 1);
	ck_assert_uint_eq(seen.r2t[0], 2);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_TMF_RSP).bhs[2], ISCSI_TMF_COMPLETE);
	serve(wire, UINT32_MAX);
	ck_assert_uint_eq(seen.n_r2ts, 2);
	ck_assert_uint_eq(seen.n_answers, 3);
	mock_tmf(wire, 92, ISCSI_TMF_ABORT_TASK_SET, ISCSI_TAG_NONE, 0, true);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_TMF_RSP).bhs[2], ISCSI_TMF_COMPLETE);
	ck_assert_uint_eq(w->n_bufs, 0);
	ck_assert_uint_eq(session_of(wire)->held_bytes, 0);
	mock_close(w);
}
END_TEST

START_TEST(test_all_of_them_can_be_aborted)
{
	struct mock_world *w = mock_open(narrow);
	struct mock_wire *wire = mock_session(w);
	struct mock_pdu pdu;

	for (uint32_t itt = 0; itt < 6; itt++)
		write_at(wire, itt, itt % 2 * 512);
	mock_tmf(wire, 92, ISCSI_TMF_ABORT_TASK_SET, ISCSI_TAG_NONE, 0, true);
	while (mock_recv(wire, &pdu))
		ck_assert_uint_ne(iscsi_pdu_opcode(pdu.bhs), ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(w->n_bufs, 0);
	ck_assert_uint_eq(w->loop->held_bytes, 0);
	write_at(wire, 7, 0);
	serve(wire, UINT32_MAX);
	expect_in_order(7, 8);
	mock_close(w);
}
END_TEST

START_TEST(test_the_session_may_end)
{
	struct mock_world *w = mock_open(narrow);
	struct mock_wire *wire = mock_session(w);

	for (uint32_t itt = 0; itt < 6; itt++)
		write_at(wire, itt, 512);
	iscsi_session_end(session_of(wire), ISCSI_END_ADMIN);
	ck_assert_uint_eq(w->n_bufs, 0);
	ck_assert_uint_eq(w->loop->held_bytes, 0);
	mock_close(w);
}
END_TEST

/* no memory when its turn comes: BUSY, and the next one has its turn */
START_TEST(test_no_memory_in_the_end)
{
	struct mock_world *w = mock_open(narrow);
	struct mock_wire *wire = mock_session(w);

	for (uint32_t itt = 0; itt < 4; itt++)
		write_at(wire, itt, 0);
	w->has_no_memory = true;
	serve(wire, 1);
	w->has_no_memory = false;
	serve(wire, UINT32_MAX);
	ck_assert_uint_eq(seen.n_answers, 4);
	for (unsigned int i = 0; i < 4; i++)
		ck_assert_uint_eq(seen.status[i],
		    seen.answer[i] < 2 ? SAM_STAT_GOOD : SAM_STAT_BUSY);
	ck_assert_uint_eq(w->n_bufs, 0);
	mock_close(w);
}
END_TEST

/* two that are ORDERED hold all that the session may, and wait for the one before them; that one
 * waits for memory */
START_TEST(test_order_and_memory_do_not_wait_for_each_other)
{
	struct mock_world *w = mock_open(narrow);
	struct mock_wire *wire = mock_session(w);
	uint32_t sn = wire->cmd_sn;
	uint8_t bhs[ISCSI_BHS_LEN];

	wire->cmd_sn = sn + 1; /* over another connection, say */
	for (uint32_t itt = 1; itt < 3; itt++) {
		mock_cmd_bhs(wire, bhs, ISCSI_OP_SCSI_CMD,
		    ISCSI_FINAL | ISCSI_CMD_WRITE | ISCSI_ATTR_ORDERED, itt);
		be32_put(bhs + ISCSI_O_EDTL, BYTES);
		bhs[9] = 1;
		bhs[32] = 0x2a;
		be32_put(bhs + 34, itt * BLOCKS);
		bhs[40] = BLOCKS;
		mock_send(wire, bhs, NULL, 0);
	}
	wire->cmd_sn = sn;
	write_at(wire, 0, 0);
	serve(wire, UINT32_MAX);
	ck_assert_uint_eq(seen.n_r2ts, 3);
	ck_assert_uint_eq(seen.r2t[2], 0);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(seen.answer[i], i);
		ck_assert_uint_eq(seen.status[i], SAM_STAT_GOOD);
	}
	expect_disk(w, 3);
	mock_close(w);
}
END_TEST

CHECK_MAIN("writes share memory", test_one_hoards_another_goes_on, test_unasked_data_is_kept,
    test_a_first_burst_under_way_is_waited_for, test_those_that_wait_can_be_aborted,
    test_all_of_them_can_be_aborted, test_the_session_may_end, test_no_memory_in_the_end,
    test_order_and_memory_do_not_wait_for_each_other)
