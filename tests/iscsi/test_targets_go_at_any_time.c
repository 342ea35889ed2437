/* A target may be removed while initiators log in, and while answers are half sent. */
#include <string.h>

#include "check_main.h"
#include "iscsi/iscsi_impl.h"
#include "mock_initiator.h"

#define NAMES	"InitiatorName=" MOCK_INITIATOR "\0TargetName=" MOCK_TARGET

static bool was_idle;

/* the operational stage, with or without a step out of it */
static void
login_step(struct mock_wire *wire, uint8_t flags, const char *text, uint32_t len)
{
	uint8_t bhs[ISCSI_BHS_LEN] = { 0x43, flags, [8] = 0x40 };

	mock_send(wire, bhs, text, len);
}

static void
node_replace(struct mock_world *w)
{
	iscsi_node_end(w->node, ISCSI_END_ADMIN);
	ck_assert(iscsi_node_is_idle(w->node));
	iscsi_node_free(w->node);
	ck_assert_int_eq(iscsi_node_new(w->loop, &w->config, w, &w->node), 0);
}

START_TEST(test_a_login_under_way_hears_of_it)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_connect(w);
	struct mock_pdu answer;

	login_step(wire, 0x04, NAMES, sizeof(NAMES));
	(void)mock_expect(wire, ISCSI_OP_LOGIN_RSP);
	node_replace(w);
	login_step(wire, 0x87, "", 0);
	answer = mock_expect(wire, ISCSI_OP_LOGIN_RSP);
	ck_assert_uint_eq(be16_get(answer.bhs + ISCSI_O_LOGIN_STATUS), ISCSI_LOGIN_REMOVED);
	ck_assert(wire->is_close_due);
	ck_assert_uint_eq(w->n_begun, 0);
	mock_close(w);
}
END_TEST

START_TEST(test_who_says_no_more_is_no_obstacle)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_connect(w);

	login_step(wire, 0x04, NAMES, sizeof(NAMES));
	node_replace(w);
	mock_hangup(wire);
	(void)mock_session(w);
	mock_close(w);
}
END_TEST

static void
look_at_node(struct iscsi_session *session)
{
	struct mock_world *w = iscsi_loop_host(session->loop);

	w->n_freed++;
	was_idle = iscsi_node_is_idle(w->node);
}

static void
looking(struct mock_world *w)
{
	w->ops.session_free = look_at_node;
}

START_TEST(test_the_last_session_is_told_when_the_node_is_idle)
{
	struct mock_world *w = mock_open(looking);
	struct mock_wire *wire = mock_session(w);
	struct iovec iov[64];

	mock_read(wire, 1, 0, 64, 32768);
	(void)iscsi_conn_tx(wire->conn, iov, 64);
	iscsi_conn_sent(wire->conn, 100);
	iscsi_node_end(w->node, ISCSI_END_ADMIN);
	ck_assert_uint_eq(w->n_ended, 1);
	ck_assert(!iscsi_node_is_idle(w->node));
	mock_hangup(wire);
	ck_assert_uint_eq(w->n_freed, 1);
	ck_assert(was_idle);
	mock_close(w);
}
END_TEST

CHECK_MAIN("targets that go", test_a_login_under_way_hears_of_it,
    test_who_says_no_more_is_no_obstacle,
    test_the_last_session_is_told_when_the_node_is_idle)
