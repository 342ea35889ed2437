/* What waits for an initiator that never acknowledges, never comes back, or comes again and again. */
#include "check_main.h"
#include "iscsi/iscsi_impl.h"
#include "mock_initiator.h"

static const uint8_t data[64u << 10];

static void
level(struct mock_world *w, const char *keys, size_t len)
{
	w->keys = keys;
	w->keys_len = len;
}

static void
level1(struct mock_world *w)
{
	static const char keys[] = "ErrorRecoveryLevel=1\0MaxRecvDataSegmentLength=65536\0";

	level(w, keys, sizeof(keys) - 1);
	w->limits.retained_bytes = 1u << 20;
}

static void
level2(struct mock_world *w)
{
	static const char keys[] = "ErrorRecoveryLevel=2\0MaxRecvDataSegmentLength=65536\0"
	    "DefaultTime2Wait=3600\0DefaultTime2Retain=20\0";

	level(w, keys, sizeof(keys) - 1);
	w->limits.retained_bytes = 1u << 20;
}

/* with @len bytes that come back; nothing is acknowledged */
static void
ping(struct mock_wire *wire, uint32_t itt, uint32_t len)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_cmd_bhs(wire, bhs, ISCSI_OP_NOP_OUT | ISCSI_IMMEDIATE, ISCSI_FINAL, itt);
	be32_put(bhs + ISCSI_O_TTT, ISCSI_TAG_NONE);
	be32_put(bhs + ISCSI_O_EXP_STAT_SN, 0);
	mock_send(wire, bhs, data, len);
	(void)mock_expect(wire, ISCSI_OP_NOP_IN);
}

/* whose answer is not acknowledged */
static void
read_again(struct mock_wire *wire, uint32_t itt, uint16_t blocks)
{
	uint32_t seen = wire->exp_stat_sn;

	mock_read(wire, itt, 0, blocks, blocks * MOCK_BLOCK);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	wire->exp_stat_sn = seen;
}

/* data of the answers that a SNACK could ask for again */
static uint32_t
kept_bytes(const struct mock_wire *wire)
{
	const struct iscsi_ctl *ctl;
	uint32_t sum = 0;

	TAILQ_FOREACH(ctl, &wire->conn->kept, entry)
		sum += ctl->data_len;
	return sum;
}

START_TEST(test_answers_that_nobody_acknowledges)
{
	struct mock_world *w = mock_open(level1);
	struct mock_wire *wire = mock_session(w);
	const struct iscsi_session *session = iscsi_conn_session(wire->conn);

	for (uint32_t i = 0; i < RETAINED_MAX; i++)
		ping(wire, i, sizeof(data));
	ck_assert_uint_eq(kept_bytes(wire), w->limits.retained_bytes);
	for (uint32_t i = 0; i < RETAINED_MAX; i++)
		ping(wire, i, 0); /* those need no memory: none is dropped for it */
	ck_assert_uint_eq(wire->conn->n_retained, RETAINED_MAX);
	for (uint32_t i = 0; i < 40; i++)
		read_again(wire, i, 64);
	ck_assert_uint_le(session->retained_bytes, w->limits.retained_bytes);
	mock_close(w);
}
END_TEST

START_TEST(test_an_answer_too_many_goes_once)
{
	struct mock_world *w = mock_open(level1);
	struct mock_wire *wire = mock_session(w);

	for (uint32_t i = 0; i < RETAINED_MAX; i++)
		read_again(wire, i, 1);
	for (uint32_t i = 0; i < 3; i++) {
		ping(wire, 1000, 4096); /* there is no place for it behind the reads */
		ping(wire, 1000, 0);
	}
	ck_assert_uint_eq(wire->conn->n_retained, RETAINED_MAX);
	mock_close(w);
}
END_TEST

START_TEST(test_tasks_of_connections_that_come_and_go)
{
	struct mock_world *w = mock_open(level2);
	struct mock_wire *wire = mock_session(w);
	struct iscsi_session *session = iscsi_conn_session(wire->conn);
	uint16_t tsih = wire->tsih;
	uint32_t sn = wire->cmd_sn;

	for (uint32_t i = 0; i < 12; i++) {
		for (uint32_t n = 0; n < 30; n++)
			read_again(wire, i * 100 + n, 128);
		w->is_held = true;
		for (uint32_t n = 30; n < 60; n++)
			mock_read(wire, i * 100 + n, 0, 1, 512);
		sn = wire->cmd_sn;
		mock_hangup(wire);
		while (w->n_held > 0)
			mock_finish(w, 0);
		w->is_held = false;
		wire = mock_connect(w);
		wire->cmd_sn = sn;
		ck_assert_uint_eq(mock_login(wire, tsih, (uint16_t)(i % 3)), ISCSI_LOGIN_OK);
	}
	ck_assert_uint_le(iscsi_session_tasks(session), RETAINED_MAX);
	ck_assert_uint_le(w->n_bufs, w->limits.retained_bytes / (128 * MOCK_BLOCK) + RETAINED_MAX);
	mock_close(w);
}
END_TEST

START_TEST(test_lost_connections)
{
	struct mock_world *w = mock_open(level2);
	struct mock_wire *wire = mock_session(w);
	struct iscsi_session *session = iscsi_conn_session(wire->conn);
	uint16_t tsih = wire->tsih;
	const struct lost *lost;
	unsigned int n = 0;

	for (uint16_t i = 0; i < 100; i++) {
		mock_hangup(wire);
		wire = mock_connect(w);
		ck_assert_uint_eq(mock_login(wire, tsih, (uint16_t)(i / 2)), ISCSI_LOGIN_OK);
	}
	LIST_FOREACH(lost, &session->lost, entry)
		n++;
	ck_assert_uint_eq(n, LOST_MAX);
	mock_close(w);
}
END_TEST

START_TEST(test_sessions_that_nobody_comes_back_to)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *first = mock_session(w), *wire;

	for (uint16_t i = 1; i <= FAILED_MAX + 100; i++) {
		w->now_ns++;
		iscsi_loop_time(w->loop, w->now_ns);
		w->who = (uint16_t)(1 + i / FAILED_NAME_MAX);
		wire = mock_connect(w);
		wire->qualifier = i;
		ck_assert_uint_eq(mock_login(wire, 0, 0), ISCSI_LOGIN_OK);
		mock_hangup(wire);
	}
	/* one that works, and those that failed last */
	ck_assert_uint_eq(w->n_begun - w->n_ended, 1 + FAILED_MAX + 1);
	ck_assert_int_eq(w->ended_why, ISCSI_END_RETAIN);
	mock_read(first, 1, 0, 1, 512);
	(void)mock_expect(first, ISCSI_OP_DATA_IN);
	wire = mock_connect(w);
	wire->qualifier = FAILED_MAX + 100;
	ck_assert_uint_eq(mock_login(wire, 0, 0), ISCSI_LOGIN_OK); /* reinstates */
	mock_close(w);
}
END_TEST

static void
fail_one(struct mock_world *w, uint16_t who, uint16_t qualifier)
{
	struct mock_wire *wire = mock_connect(w);

	w->who = who;
	wire->qualifier = qualifier;
	ck_assert_uint_eq(mock_login(wire, 0, 0), ISCSI_LOGIN_OK);
	mock_hangup(wire);
	iscsi_loop_time(w->loop, ++w->now_ns);
}

static uint16_t
return_to(struct mock_world *w, uint16_t who, uint16_t qualifier, uint16_t tsih)
{
	struct mock_wire *wire = mock_connect(w);

	w->who = who;
	wire->qualifier = qualifier;
	return mock_login(wire, tsih, 0);
}

START_TEST(test_sessions_of_one_initiator)
{
	struct mock_world *w = mock_open(NULL);

	fail_one(w, 1, 1);
	for (uint16_t i = 0; i <= FAILED_NAME_MAX; i++)
		fail_one(w, 2, i);
	ck_assert_uint_eq(w->n_ended, 0);
	fail_one(w, 2, 100);
	ck_assert_uint_eq(w->n_ended, 1);
	ck_assert_uint_eq(return_to(w, 2, 0, 2), ISCSI_LOGIN_NO_SESSION);
	ck_assert_uint_eq(return_to(w, 2, 1, 3), ISCSI_LOGIN_OK);
	ck_assert_uint_eq(return_to(w, 1, 1, 1), ISCSI_LOGIN_OK);
	mock_close(w);
}
END_TEST

static void
one_session(struct mock_world *w)
{
	w->config.sessions_max = 1;
}

START_TEST(test_the_living_take_the_places_of_others)
{
	struct mock_world *w = mock_open(one_session);

	fail_one(w, 1, 1);
	ck_assert_uint_eq(w->n_ended, 0);
	ck_assert_uint_eq(return_to(w, 2, 1, 0), ISCSI_LOGIN_OK);
	ck_assert_uint_eq(w->n_ended, 1);
	ck_assert_uint_eq(return_to(w, 3, 1, 0), ISCSI_LOGIN_NO_RESOURCES);
	mock_close(w);
}
END_TEST

static void
patient(struct mock_world *w)
{
	static const char keys[] = "DefaultTime2Wait=3600\0DefaultTime2Retain=20";

	w->keys = keys;
	w->keys_len = sizeof(keys);
	w->config.wait_max_s = 3600;
}

static void
too_patient(struct mock_world *w)
{
	patient(w);
	w->config.wait_max_s = 3599;
}

START_TEST(test_who_wants_to_wait_long_is_not_kept)
{
	struct mock_world *w = mock_open(too_patient);

	mock_hangup(mock_session(w));
	ck_assert_uint_eq(w->n_ended, 1);
	mock_close(w);
	w = mock_open(patient);
	mock_hangup(mock_session(w));
	mock_tick(w, 3619 * 1000);
	ck_assert_uint_eq(w->n_ended, 0);
	mock_tick(w, 1000);
	ck_assert_uint_eq(w->n_ended, 1);
	mock_close(w);
}
END_TEST

START_TEST(test_numbers_of_sessions_run_out)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w), *other = mock_connect(w);

	w->node->n_sessions += SESSIONS_MAX - 1;
	other->qualifier = 1;
	ck_assert_uint_eq(mock_login(other, 0, 0), ISCSI_LOGIN_NO_RESOURCES);
	other = mock_connect(w);
	ck_assert_uint_eq(mock_login(other, 0, 0), ISCSI_LOGIN_OK); /* reinstates */
	ck_assert(wire->is_close_due);
	w->node->n_sessions -= SESSIONS_MAX - 1;
	mock_close(w);
}
END_TEST

CHECK_MAIN("bounds of what is kept", test_answers_that_nobody_acknowledges,
    test_an_answer_too_many_goes_once, test_tasks_of_connections_that_come_and_go,
    test_lost_connections, test_sessions_that_nobody_comes_back_to,
    test_sessions_of_one_initiator, test_the_living_take_the_places_of_others,
    test_who_wants_to_wait_long_is_not_kept, test_numbers_of_sessions_run_out)
