/* a session that is lost, the pauses between logins, the end of patience */
#include "hw/iscsi/iscsi_hba_impl.h"

#include "base/clock.h"
#include "base/text.h"

uint64_t
ih_pause_ns(unsigned int nfailed, uint32_t max_ms, uint8_t noise)
{
	uint64_t ms = IH_RETRY_FIRST_MS;

	if (nfailed == 0)
		return 0;
	while (--nfailed > 0 && ms < max_ms)
		ms *= 2;
	if (ms > max_ms)
		ms = max_ms;
	return (ms - ms * noise / 1024) * NS_PER_MS;
}

/* nobody knows how far they came */
static void
sent_fail(struct ih_session *s)
{
	struct ih_cmd *cmd;

	mutex_enter(&s->lock);
	while ((cmd = TAILQ_FIRST(&s->sent)) != NULL) {
		TAILQ_REMOVE(&s->sent, cmd, link);
		s->nsent--;
		s->info.lost += cmd->why == CMD_CMPLT;
		ih_mark(cmd, CMD_TRAN_ERR, 0);
		TAILQ_INSERT_TAIL(&s->done, cmd, link);
	}
	mutex_exit(&s->lock);
}

static void
lose_count(struct ih_session *s, bool was_up, const char *why)
{
	mutex_enter(&s->lock);
	s->info.losses += was_up;
	s->info.refused_logins += !was_up;
	s->info.liars += s->wire != NULL && wire_is_liar(s->wire);
	(void)text_copy(s->info.error, sizeof(s->info.error), why);
	mutex_exit(&s->lock);
}

void
ih_lose(struct ih_session *s, uint64_t now_ns, const char *why)
{
	bool was_up = s->state == IH_UP, is_relogin = s->is_relogin;
	/* the thread's name in time: no two sessions have the same */
	uint8_t noise = (uint8_t)(now_ns >> 10 ^ s->index * 37u);

	ih_say_lost(s, why, was_up);
	lose_count(s, was_up, why);
	wire_close(s->wire);
	s->wire = NULL;
	ih_move(s, IH_DOWN);
	sent_fail(s);
	ih_orders_fail(s);
	s->is_relogin = s->is_redirected = false;
	s->nredirects = 0;
	if (is_relogin || (was_up && now_ns - s->up_ns >= IH_STABLE_MS * NS_PER_MS))
		s->nfailed = 0;
	s->retry_ns = now_ns + ih_pause_ns(s->nfailed++, s->conf.retry_ms, noise);
	if (was_up)
		s->lost_ns = now_ns;
	ih_known(s);
}

void
ih_grace(struct ih_session *s, uint64_t now_ns)
{
	if (s->lost_ns == 0 || now_ns - s->lost_ns < s->conf.grace_ms * NS_PER_MS)
		return;
	s->lost_ns = 0;
	mutex_enter(&s->lock);
	s->is_gone = true;
	(void)ih_take_queued(s, IH_ANY_LUN, CMD_DEV_GONE, 0, &s->done);
	mutex_exit(&s->lock);
	ih_say_gone(s);
	ih_report(s, false);
}
