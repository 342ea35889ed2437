/* Several connections are received before any is parsed, as a host with many sockets does. */
#include "check_main.h"
#include "mock_initiator.h"

#define HALF		((64u << 10) / 2)
#define PING_DATA	5120u
#define PING_BYTES	(ISCSI_BHS_LEN + PING_DATA)

static uint8_t zeros[PING_DATA];

static void
many_connections(struct mock_world *w)
{
	static const char keys[] = "MaxConnections=8\0InitialR2T=No\0ImmediateData=Yes\0";

	w->keys = keys;
	w->keys_len = sizeof(keys) - 1;
	w->limits.rx_bytes = 2 * HALF;
}

/* a session of @n connections */
static void
session_of(struct mock_world *w, struct mock_wire **wires, uint16_t n)
{
	wires[0] = mock_session(w);
	for (uint16_t i = 1; i < n; i++) {
		wires[i] = mock_connect(w);
		ck_assert_uint_eq(mock_login(wires[i], wires[0]->tsih, i), 0);
	}
	w->is_gathering = true;
}

/* a read that does not wait for its turn */
static void
read_now(struct mock_wire *wire, uint32_t itt)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_cmd_bhs(wire, bhs, ISCSI_OP_SCSI_CMD | ISCSI_IMMEDIATE,
	    ISCSI_FINAL | ISCSI_CMD_READ, itt);
	be32_put(bhs + ISCSI_O_EDTL, MOCK_BLOCK);
	bhs[32] = 0x28;
	bhs[40] = 1;
	mock_send(wire, bhs, NULL, 0);
}

static void
ping(struct mock_wire *wire, uint32_t itt)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_cmd_bhs(wire, bhs, ISCSI_OP_NOP_OUT | ISCSI_IMMEDIATE, ISCSI_FINAL, itt);
	be32_put(bhs + ISCSI_O_TTT, ISCSI_TAG_NONE);
	mock_send(wire, bhs, zeros, PING_DATA);
}

START_TEST(test_the_order_is_that_of_receiving)
{
	struct mock_world *w = mock_open(many_connections);
	struct mock_wire *wires[3];

	session_of(w, wires, 3);
	read_now(wires[2], 30);
	read_now(wires[0], 10);
	read_now(wires[1], 20);
	ck_assert_uint_eq(w->n_commands, 0);
	mock_parse(w);
	ck_assert_uint_eq(w->n_commands, 3);
	ck_assert_uint_eq(w->order[0], 30);
	ck_assert_uint_eq(w->order[1], 10);
	ck_assert_uint_eq(w->order[2], 20);
	for (int i = 0; i < 3; i++)
		(void)mock_expect(wires[i], ISCSI_OP_DATA_IN);
	mock_close(w);
}
END_TEST

START_TEST(test_an_abort_comes_between_receiving_and_parsing)
{
	struct mock_world *w = mock_open(many_connections);
	struct mock_wire *wires[2], *first, *second;
	uint8_t pdu[ISCSI_BHS_LEN + 4096 + ISCSI_BHS_LEN], *behind = pdu + ISCSI_BHS_LEN + 4096;

	session_of(w, wires, 2);
	first = wires[0];
	second = wires[1];
	mock_cmd_bhs(first, pdu, ISCSI_OP_SCSI_CMD, ISCSI_FINAL | ISCSI_CMD_WRITE, 1);
	be24_put(pdu + 5, 4096);
	pdu[9] = 1;
	be32_put(pdu + ISCSI_O_EDTL, 4096);
	pdu[32] = 0x2a;
	pdu[40] = 8;
	memset(pdu + ISCSI_BHS_LEN, 0x5a, 4096);
	mock_cmd_bhs(first, behind, ISCSI_OP_NOP_OUT | ISCSI_IMMEDIATE, ISCSI_FINAL, 3);
	be32_put(behind + ISCSI_O_TTT, ISCSI_TAG_NONE);
	mock_feed(first, pdu, 1000);
	mock_parse(w);

	/* the rest goes straight to the memory of a command that is aborted before it is
	 * looked at; what comes behind it is found all the same */
	second->cmd_sn = first->cmd_sn;
	mock_tmf(second, 9, ISCSI_TMF_ABORT_TASK, 1, first->cmd_sn - 1, true);
	mock_feed(first, pdu + 1000, sizeof(pdu) - 1000);
	mock_parse(w);
	ck_assert_uint_eq(mock_expect(second, ISCSI_OP_TMF_RSP).bhs[2], ISCSI_TMF_COMPLETE);
	ck_assert_uint_eq(w->n_commands, 0);
	ck_assert_uint_eq(w->n_bufs, 0);
	ck_assert_uint_eq(be32_get(mock_expect(first, ISCSI_OP_NOP_IN).bhs + ISCSI_O_ITT), 3);

	mock_read(first, 2, 0, 1, 512);
	ck_assert_uint_eq(be32_get(mock_expect(first, ISCSI_OP_DATA_IN).bhs + ISCSI_O_ITT), 2);
	ck_assert_uint_eq(w->n_commands, 1);
	mock_close(w);
}
END_TEST

START_TEST(test_a_filling_buffer_is_parsed_before_more_is_received)
{
	struct mock_world *w = mock_open(many_connections);
	struct mock_wire *wires[MOCK_WIRES];
	struct iovec iov[ISCSI_RX_IOV_MAX];

	session_of(w, wires, MOCK_WIRES);
	for (int i = 0; i < MOCK_WIRES - 1; i++) {
		ck_assert_uint_eq(iscsi_conn_rx(wires[i]->conn, iov), 1);
		ck_assert_uint_eq(iov[0].iov_len, 2 * HALF - (size_t)i * PING_BYTES);
		ping(wires[i], 1);
		ck_assert(!wires[0]->is_send_due);
	}
	/* more than half of it is used */
	ck_assert_uint_eq(iscsi_conn_rx(wires[MOCK_WIRES - 1]->conn, iov), 1);
	ck_assert_uint_eq(iov[0].iov_len, 2 * HALF);
	for (int i = 0; i < MOCK_WIRES - 1; i++)
		ck_assert(wires[i]->is_send_due);
	mock_close(w);
}
END_TEST

START_TEST(test_a_connection_is_parsed_before_it_is_received_again)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	w->is_gathering = true;
	ping(wire, 1);
	ck_assert(!wire->is_send_due);
	ping(wire, 2);
	ck_assert(wire->is_send_due);
	ck_assert_uint_eq(be32_get(mock_expect(wire, ISCSI_OP_NOP_IN).bhs + ISCSI_O_ITT), 1);
	ck_assert_uint_eq(be32_get(mock_expect(wire, ISCSI_OP_NOP_IN).bhs + ISCSI_O_ITT), 2);
	mock_close(w);
}
END_TEST

START_TEST(test_who_hangs_up_takes_what_was_not_parsed)
{
	struct mock_world *w = mock_open(many_connections);
	struct mock_wire *wires[2];

	session_of(w, wires, 2);
	read_now(wires[0], 1);
	read_now(wires[1], 2);
	mock_hangup(wires[0]);
	mock_parse(w);
	ck_assert_uint_eq(w->n_commands, 1);
	(void)mock_expect(wires[1], ISCSI_OP_DATA_IN);
	mock_close(w);
}
END_TEST

CHECK_MAIN("receiving", test_the_order_is_that_of_receiving,
    test_an_abort_comes_between_receiving_and_parsing,
    test_a_filling_buffer_is_parsed_before_more_is_received,
    test_a_connection_is_parsed_before_it_is_received_again,
    test_who_hangs_up_takes_what_was_not_parsed)
