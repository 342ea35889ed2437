/* a chip that lies, dies, or has to be started again */
#include "hw/pvscsi/pvscsi.h"

#include <errno.h>

#include "base/clock.h"

#define STATE_SENT	(STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD)

const struct sm_state pvscsi_states[PVSCSI_STATE_N] = {
	[PVSCSI_DOWN] = { "down", SM_TO(PVSCSI_READY) },
	[PVSCSI_READY] = { "ready",
		SM_TO(PVSCSI_RESETTING) | SM_TO(PVSCSI_FAILED) | SM_TO(PVSCSI_DOWN) },
	[PVSCSI_RESETTING] = { "resetting", SM_TO(PVSCSI_READY) | SM_TO(PVSCSI_FAILED) },
	[PVSCSI_FAILED] = { "failed",
		SM_TO(PVSCSI_RESETTING) | SM_TO(PVSCSI_DEAD) | SM_TO(PVSCSI_DOWN) },
	[PVSCSI_DEAD] = { "dead", SM_TO(PVSCSI_DOWN) },
};

static const char *const lie_names[PVSCSI_LIE_N] = {
	[PVSCSI_LIE_NONE] = "none",
	[PVSCSI_LIE_CONTEXT] = "completion of nothing",
	[PVSCSI_LIE_INDEX] = "ring index out of range",
	[PVSCSI_LIE_LENGTH] = "length beyond what was given",
	[PVSCSI_LIE_INTERRUPT] = "interrupts without end",
	[PVSCSI_LIE_GONE] = "registers read as ones",
	[PVSCSI_LIE_SETUP] = "does not take its rings",
};

const char *
pvscsi_lie_name(enum pvscsi_lie lie)
{
	return lie_names[lie];
}

void
pvscsi_show(struct pvscsi *hba)
{
	char state_prop[] = "hba-state", why_prop[] = "hba-why";
	char failures_prop[] = "hba-failures";
	const char *state, *why;

	mutex_enter(&hba->lock);
	state = pvscsi_states[hba->state].name;
	why = lie_names[hba->lie];
	mutex_exit(&hba->lock);
	(void)ddi_prop_update_string(DDI_DEV_T_NONE, hba->dip, state_prop, state);
	(void)ddi_prop_update_string(DDI_DEV_T_NONE, hba->dip, why_prop, why);
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, hba->dip, failures_prop,
	    (int)atomic_load(&hba->stats.failures));
}

/* from @from to @to, if it is there; whoever waits for commands looks again */
static bool
state_move(struct pvscsi *hba, enum pvscsi_state from, enum pvscsi_state to)
{
	bool is_moved;

	mutex_enter(&hba->lock);
	is_moved = hba->state == from && sm_move(pvscsi_states, &hba->state, to);
	cv_broadcast(&hba->cv);
	mutex_exit(&hba->lock);
	return is_moved;
}

static void
end_all(struct pvscsi *hba, uint8_t reason, uint_t state, uint_t stats)
{
	struct pvscsi_done done = { .n = 0 };
	bool has_more;

	do {
		mutex_enter(&hba->lock);
		has_more = pvscsi_end_all(hba, reason, state, stats, &done);
		mutex_exit(&hba->lock);
		pvscsi_deliver_aside(hba, &done);
	} while (has_more);
}

/*
 * Failure. From the first moment new commands are refused; what the chip has ends as soon as it
 * is sure to leave memory alone.
 */

void
pvscsi_fail(struct pvscsi *hba, enum pvscsi_lie lie)
{
	bool is_news;

	mutex_enter(&hba->lock);
	is_news = hba->state == PVSCSI_READY || hba->state == PVSCSI_RESETTING;
	if (is_news) {
		(void)sm_move(pvscsi_states, &hba->state, PVSCSI_FAILED);
		hba->lie = lie;
		hba->retry_ns = 0;
		pvscsi_work(hba, PVSCSI_WORK_FAILED);
		cv_broadcast(&hba->cv);
	}
	mutex_exit(&hba->lock);
	if (is_news)
		(void)atomic_fetch_add(&hba->stats.failures, 1);
}

/* when to try again, or never again */
static void
revival_plan(struct pvscsi *hba)
{
	uint64_t now_ns = clock_now_ns();

	mutex_enter(&hba->lock);
	if (hba->failed_ns != 0 && now_ns - hba->failed_ns > PVSCSI_STEADY_S * NS_PER_S)
		hba->attempts = 0;
	hba->failed_ns = now_ns;
	if (hba->state == PVSCSI_FAILED && hba->attempts >= PVSCSI_REVIVALS)
		(void)sm_move(pvscsi_states, &hba->state, PVSCSI_DEAD);
	hba->retry_ns = now_ns + (NS_PER_S << hba->attempts++);
	pvscsi_tick_arm(hba);
	mutex_exit(&hba->lock);
}

/* the order matters: polled commands have ended when it waits for an interrupt that may be
 * polling */
static void
failed_run(struct pvscsi *hba)
{
	bool is_failed;

	mutex_enter(&hba->recovery_lock);
	mutex_enter(&hba->lock);
	is_failed = hba->state == PVSCSI_FAILED;
	mutex_exit(&hba->lock);
	if (is_failed) {
		pvscsi_silence(hba, true);
		end_all(hba, CMD_TRAN_ERR, STATE_GOT_BUS, 0);
		if (hba->is_enabled)
			(void)ddi_intr_disable(hba->vector);
		hba->is_enabled = false;
		revival_plan(hba);
	}
	mutex_exit(&hba->recovery_lock);
}

/*
 * Start again, from what the driver itself knows.
 */

/* up it is, or it has failed */
static int
restart(struct pvscsi *hba)
{
	int r = 0;

	if (!hba->is_enabled)
		hba->is_enabled = ddi_intr_enable(hba->vector) == DDI_SUCCESS;
	atomic_store(&hba->idle_intrs, 0);
	if (hba->is_enabled)
		r = pvscsi_bring_up(hba);
	if (!hba->is_enabled || r == -EIO)
		pvscsi_fail(hba, PVSCSI_LIE_SETUP);
	else if (r == -ENODEV)
		pvscsi_fail(hba, PVSCSI_LIE_GONE);
	if (!state_move(hba, PVSCSI_RESETTING, PVSCSI_READY))
		return -EIO;
	/* completions may have come while nobody was to look */
	pvscsi_drain_aside(hba);
	return 0;
}

static void
rescan(struct pvscsi *hba)
{
	mutex_enter(&hba->lock);
	pvscsi_work(hba, PVSCSI_WORK_SCAN);
	mutex_exit(&hba->lock);
}

/* everybody hears that the bus was reset, and hot plug may have been missed */
static void
restart_tell(struct pvscsi *hba)
{
	pvscsi_tell_reset(hba, NULL);
	rescan(hba);
}

static void
revive_run(struct pvscsi *hba)
{
	int r = -EIO;

	mutex_enter(&hba->recovery_lock);
	if (state_move(hba, PVSCSI_FAILED, PVSCSI_RESETTING)) {
		(void)atomic_fetch_add(&hba->stats.revivals, 1);
		pvscsi_silence(hba, true);
		r = restart(hba);
	}
	mutex_exit(&hba->recovery_lock);
	if (r == 0)
		restart_tell(hba);
}

static void
mark_all(struct pvscsi *hba, uint_t stats)
{
	mutex_enter(&hba->lock);
	for (uint32_t i = 0; i < hba->tags.n; i++) {
		struct pvscsi_cmd *cmd = hba->tags.slots[i].cmd;

		if (cmd == NULL)
			continue;
		cmd->stats |= stats;
		if (cmd->why == CMD_CMPLT)
			cmd->why = CMD_RESET;
	}
	mutex_exit(&hba->lock);
}

/* the chip is believed: what it still returns counts, and it is asked for everything first */
int
pvscsi_recover(struct pvscsi *hba)
{
	int r = -EIO;

	mutex_enter(&hba->recovery_lock);
	if (state_move(hba, PVSCSI_READY, PVSCSI_RESETTING)) {
		(void)atomic_fetch_add(&hba->stats.adapter_resets, 1);
		pvscsi_kick(hba);
		mark_all(hba, STAT_BUS_RESET);
		pvscsi_silence(hba, false);
		pvscsi_drain_aside(hba);
		end_all(hba, CMD_RESET, STATE_SENT, STAT_BUS_RESET);
		r = restart(hba);
	}
	mutex_exit(&hba->recovery_lock);
	if (r == 0)
		restart_tell(hba);
	return r;
}

/*
 * The model does not take indices beyond 2^32: in good time, and when it has nothing to do, the
 * rings start again at 0. A chip that does not want that is reset.
 */

static bool
refresh_begin(struct pvscsi *hba)
{
	bool is_due;

	pvscsi_drain_aside(hba);
	mutex_enter(&hba->lock);
	is_due = hba->state == PVSCSI_READY && hba->rings.req_prod >= hba->refresh_at &&
	    hba->tags.used == 0;
	if (is_due)
		(void)sm_move(pvscsi_states, &hba->state, PVSCSI_RESETTING);
	mutex_exit(&hba->lock);
	return is_due;
}

static void
refresh_run(struct pvscsi *hba)
{
	bool is_due, is_reset = false;

	mutex_enter(&hba->recovery_lock);
	is_due = refresh_begin(hba);
	if (is_due && pvscsi_rings_setup(hba) == 0) {
		(void)state_move(hba, PVSCSI_RESETTING, PVSCSI_READY);
	} else if (is_due) {
		pvscsi_silence(hba, false);
		is_reset = restart(hba) == 0;
	}
	mutex_exit(&hba->recovery_lock);
	if (!is_due)
		return;
	(void)atomic_fetch_add(&hba->stats.refreshes, 1);
	if (is_reset)
		pvscsi_tell_reset(hba, NULL);
	/* a message may have been lost between the old rings and the new */
	rescan(hba);
}

void
pvscsi_recovery(struct pvscsi *hba, uint_t work)
{
	if ((work & PVSCSI_WORK_FAILED) != 0)
		failed_run(hba);
	if ((work & PVSCSI_WORK_REVIVE) != 0)
		revive_run(hba);
	if ((work & PVSCSI_WORK_RESET) != 0)
		(void)pvscsi_recover(hba);
	if ((work & PVSCSI_WORK_REFRESH) != 0)
		refresh_run(hba);
	if ((work & PVSCSI_WORK_LATE) != 0)
		pvscsi_late(hba);
	pvscsi_show(hba);
}
