/* a session's connection: opened, watched, brought up */
#include "hw/iscsi/iscsi_hba_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

const struct sm_state ih_states[IH_STATE_N] = {
	[IH_DOWN] = { "down", SM_TO(IH_OPENING) | SM_TO(IH_OVER) },
	[IH_OPENING] = { "opening", SM_TO(IH_UP) | SM_TO(IH_DOWN) | SM_TO(IH_OVER) },
	[IH_UP] = { "up", SM_TO(IH_DOWN) | SM_TO(IH_ENDING) },
	[IH_ENDING] = { "ending", SM_TO(IH_OVER) },
	[IH_OVER] = { "over", SM_TO(IH_DOWN) },
};

static const struct wire_ops ops = {
	.answered = ih_answered,
	.tmf_answered = ih_tmf_answered,
};

void
ih_move(struct ih_session *s, enum ih_state to)
{
	mutex_enter(&s->lock);
	(void)sm_move(ih_states, &s->state, to);
	mutex_exit(&s->lock);
}

/* FNV-1a: the same names, the same ISID, at every start */
static uint32_t
hash_text(uint32_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	return hash;
}

static int
session_open(struct ih_session *s, char *err)
{
	uint32_t hash = hash_text(hash_text(2166136261u, s->hba->name), s->conf.name);
	struct wire_conf conf = {
		.portal = s->is_redirected ? s->redirect : s->conf.portal,
		.initiator = s->hba->initiator,
		.isid = (hash ^ hash >> 24) & 0xffffff,
		.isid_qualifier = (uint16_t)(s->index + 1),
		.target = &s->conf,
		.ops = &ops,
		.arg = s,
	};

	mutex_enter(&s->lock);
	(void)text_copy(s->info.portal, sizeof(s->info.portal), conf.portal);
	mutex_exit(&s->lock);
	return wire_open(&conf, &s->wire, err);
}

void
ih_open(struct ih_session *s, uint64_t now_ns)
{
	char err[WIRE_ERR_LEN];

	s->open_ns = now_ns;
	s->is_relogin = false;
	ih_move(s, IH_OPENING);
	if (session_open(s, err) < 0)
		ih_lose(s, clock_now_ns(), err);
}

static void
session_up(struct ih_session *s, uint64_t now_ns)
{
	s->up_ns = s->heard_ns = now_ns;
	s->ping_ns = 0;
	s->pongs = 0;
	s->lost_ns = 0;
	s->nredirects = 0;
	s->is_redirected = false;
	mutex_enter(&s->lock);
	s->info.logins++;
	s->info.error[0] = '\0';
	s->is_gone = false;
	mutex_exit(&s->lock);
	ih_move(s, IH_UP);
	ih_say_up(s);
	ih_report(s, true);
	ih_known(s);
}

/* the login ended without a session; true: on to where the target says it is */
static bool
session_follow(struct ih_session *s, uint64_t now_ns)
{
	const char *to = wire_redirect(s->wire);

	if (to == NULL || s->nredirects >= IH_REDIRECTS_MAX)
		return false;
	s->nredirects++;
	(void)text_copy(s->redirect, sizeof(s->redirect), to);
	s->is_redirected = true;
	wire_close(s->wire);
	s->wire = NULL;
	mutex_enter(&s->lock);
	s->info.redirects++;
	mutex_exit(&s->lock);
	ih_move(s, IH_DOWN);
	ih_open(s, now_ns);
	return true;
}

static void
settle_opening(struct ih_session *s, uint64_t now_ns)
{
	if (wire_state(s->wire) == WIRE_UP)
		session_up(s, now_ns);
	else if (wire_state(s->wire) == WIRE_DEAD && !session_follow(s, now_ns))
		ih_lose(s, now_ns, wire_error(s->wire));
	else if (s->wire != NULL && now_ns - s->open_ns >= s->conf.login_ms * NS_PER_MS)
		ih_lose(s, now_ns, "no login in time");
}

static void
settle_up(struct ih_session *s, uint64_t now_ns)
{
	if (wire_state(s->wire) == WIRE_DEAD)
		ih_lose(s, now_ns, wire_error(s->wire));
	else if (s->is_relogin)
		ih_lose(s, now_ns, "reset by a new session");
	else
		ih_ping(s, now_ns);
}

void
ih_settle(struct ih_session *s, uint64_t now_ns)
{
	switch ((enum ih_state)s->state) {
	case IH_OPENING:
		settle_opening(s, now_ns);
		break;
	case IH_UP:
		settle_up(s, now_ns);
		break;
	case IH_ENDING:
		if (wire_state(s->wire) == WIRE_DEAD ||
		    now_ns - s->open_ns >= IH_LOGOUT_MS * NS_PER_MS)
			ih_move(s, IH_OVER);
		break;
	case IH_DOWN:
	case IH_OVER:
	case IH_STATE_N:
		break;
	}
}

/* a NOP-Out that waits behind a closed window says nothing about the target: broken connections
 * with something to write are found by TCP */
void
ih_ping(struct ih_session *s, uint64_t now_ns)
{
	uint64_t ping_ns = s->conf.ping_ms * NS_PER_MS;

	if (ping_ns == 0)
		return;
	if (wire_pongs(s->wire) != s->pongs) {
		s->pongs = wire_pongs(s->wire);
		s->heard_ns = now_ns;
	}
	if (s->ping_ns != 0 && s->heard_ns >= s->ping_ns)
		s->ping_ns = 0;
	if (s->ping_ns != 0 && now_ns - s->ping_ns >= ping_ns && !wire_has_unsent(s->wire))
		ih_lose(s, now_ns, "the target does not answer a NOP-Out");
	else if (s->ping_ns == 0 && now_ns - s->heard_ns >= ping_ns &&
	    wire_ping(s->wire) == 0)
		s->ping_ns = now_ns;
}
