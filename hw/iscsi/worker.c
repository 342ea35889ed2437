/* the thread of a session: one turn after the other */
#include "hw/iscsi/iscsi_hba_impl.h"

#include <poll.h>
#include <sys/eventfd.h>

#include "base/clock.h"

static uint64_t
sooner(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

/* when there is something to do though nothing happens */
static uint64_t
next_ns(const struct ih_session *s, uint64_t now_ns, bool has_commands)
{
	uint64_t t = IH_NEVER;

	switch ((enum ih_state)s->state) {
	case IH_DOWN:
		t = s->retry_ns;
		break;
	case IH_OPENING:
		t = s->open_ns + s->conf.login_ms * NS_PER_MS;
		break;
	case IH_UP:
		if (has_commands || !TAILQ_EMPTY(&s->active))
			t = now_ns + IH_TICK_MS * NS_PER_MS;
		if (s->conf.ping_ms != 0)
			t = sooner(t, (s->ping_ns != 0 ? s->ping_ns : s->heard_ns) +
			    s->conf.ping_ms * NS_PER_MS);
		break;
	case IH_ENDING:
		t = s->open_ns + IH_LOGOUT_MS * NS_PER_MS;
		break;
	case IH_OVER:
	case IH_STATE_N:
		break;
	}
	if (s->lost_ns != 0)
		t = sooner(t, s->lost_ns + s->conf.grace_ms * NS_PER_MS);
	return t;
}

static int
timeout_ms(uint64_t until_ns, uint64_t now_ns)
{
	uint64_t ms;

	if (until_ns == IH_NEVER)
		return -1;
	if (until_ns <= now_ns)
		return 0;
	ms = (until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
	return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

/* from here on it has to be kicked; false: there is something to do already */
static bool
fall_asleep(struct ih_session *s, bool *ret_has_commands)
{
	bool can_send = s->state == IH_UP && s->nbarriers == 0 && wire_can_send(s->wire);
	bool is_idle;

	mutex_enter(&s->lock);
	*ret_has_commands = s->nsent > 0 || s->nqueued > 0;
	is_idle = TAILQ_EMPTY(&s->orders) && (s->nqueued == 0 || !can_send) &&
	    (!s->want_stop || s->state == IH_ENDING);
	s->is_asleep = is_idle;
	mutex_exit(&s->lock);
	return is_idle;
}

static void
wake(struct ih_session *s)
{
	eventfd_t n;

	mutex_enter(&s->lock);
	s->is_asleep = false;
	mutex_exit(&s->lock);
	(void)eventfd_read(s->kick_fd, &n);
}

/* wait for the target, for somebody's kick, or for time to pass; and take what came */
static void
wait_turn(struct ih_session *s)
{
	struct pollfd fds[2] = { { .fd = s->kick_fd, .events = POLLIN }, { .fd = -1 } };
	uint64_t now_ns = clock_now_ns();
	bool has_commands, is_asleep = fall_asleep(s, &has_commands);

	if (s->wire != NULL) {
		fds[1].fd = wire_fd(s->wire);
		fds[1].events = wire_events(s->wire);
	}
	(void)poll(fds, 2, is_asleep ? timeout_ms(next_ns(s, now_ns, has_commands), now_ns) : 0);
	wake(s);
	if (s->wire == NULL || fds[1].revents == 0)
		return;
	if ((fds[1].revents & POLLIN) != 0)
		s->heard_ns = clock_now_ns();
	wire_service(s->wire, fds[1].revents);
}

static bool
wants_stop(struct ih_session *s)
{
	bool want_stop;

	mutex_enter(&s->lock);
	want_stop = s->want_stop;
	mutex_exit(&s->lock);
	return want_stop;
}

/* no unit is left when this is wanted: nothing is under way, or it ends here */
static void
begin_end(struct ih_session *s, uint64_t now_ns)
{
	if (s->state != IH_UP) {
		ih_move(s, IH_OVER);
		return;
	}
	wire_logout(s->wire);
	s->open_ns = now_ns;
	ih_move(s, IH_ENDING);
}

static void
run_turn(struct ih_session *s)
{
	uint64_t now_ns = clock_now_ns();

	if (s->state != IH_ENDING && wants_stop(s))
		begin_end(s, now_ns);
	if (s->state == IH_DOWN && now_ns >= s->retry_ns) {
		ih_open(s, now_ns);
		now_ns = clock_now_ns();
	}
	ih_grace(s, now_ns);
	ih_orders_run(s, now_ns);
	if (s->state == IH_UP) {
		ih_times_run(s, now_ns);
		if (s->state == IH_UP)
			ih_send_all(s);
	}
}

static void
finish_turn(struct ih_session *s)
{
	ih_settle(s, clock_now_ns());
	ih_tell_resets(s);
	ih_finish_all(&s->done);
}

/* who comes from now on finds it over */
static void
end_all(struct ih_session *s)
{
	wire_close(s->wire);
	s->wire = NULL;
	mutex_enter(&s->lock);
	s->is_gone = true;
	(void)ih_take_queued(s, IH_ANY_LUN, CMD_DEV_GONE, 0, &s->done);
	while (!TAILQ_EMPTY(&s->sent)) {
		struct ih_cmd *cmd = TAILQ_FIRST(&s->sent);

		TAILQ_REMOVE(&s->sent, cmd, link);
		s->nsent--;
		ih_mark(cmd, CMD_DEV_GONE, 0);
		TAILQ_INSERT_TAIL(&s->done, cmd, link);
	}
	mutex_exit(&s->lock);
	ih_orders_run(s, clock_now_ns());
	ih_orders_fail(s);
	ih_finish_all(&s->done);
}

void
ih_worker(void *arg)
{
	struct ih_session *s = arg;

	/* its own id is written under the lock */
	mutex_enter(&s->lock);
	mutex_exit(&s->lock);
	while (s->state != IH_OVER) {
		run_turn(s);
		finish_turn(s);
		if (s->state == IH_OVER)
			break;
		wait_turn(s);
		finish_turn(s);
	}
	end_all(s);
}
