/* the interrupt: what the chip has returned */
#include "hw/pvscsi/pvscsi.h"

static const uint8_t *
sense_of(const struct pvscsi *hba, uint32_t slot)
{
	const uint32_t per_page = PV_PAGE / PVSCSI_SENSE_ROOM;
	size_t page = hba->sense_page + slot / per_page;

	return (const uint8_t *)hba->mem.va + page * PV_PAGE +
	    slot % per_page * PVSCSI_SENSE_ROOM;
}

/* one completion; the command of one that is a lie stays with the chip, until that is silent */
static enum pvscsi_lie
cmp_take(struct pvscsi *hba, const struct pv_cmp *cmp, struct pvscsi_done *done)
{
	struct pvscsi_cmd *cmd = tags_find(&hba->tags, cmp->context);
	struct pvscsi_result result;

	if (cmd == NULL)
		return PVSCSI_LIE_CONTEXT;
	if (result_judge(cmp, &cmd->want, &result) < 0)
		return PVSCSI_LIE_LENGTH;
	/* nobody answers any more where somebody was, and no message said so */
	if (result.reason == CMD_DEV_GONE)
		pvscsi_work(hba, PVSCSI_WORK_SCAN);
	tags_drop(&hba->tags, cmd->context);
	pvscsi_end(hba, cmd, &result, sense_of(hba, tags_slot((uint32_t)cmp->context)), done);
	return PVSCSI_LIE_NONE;
}

static enum pvscsi_lie
cmps_take(struct pvscsi *hba, struct pvscsi_done *done, uint_t *n)
{
	enum pvscsi_lie lie = PVSCSI_LIE_NONE;
	struct pv_cmp cmp;
	int r = 1;

	for (; *n < PVSCSI_BATCH && lie == PVSCSI_LIE_NONE; (*n)++) {
		r = ring_cmp_next(&hba->rings, hba->tags.used, &cmp);
		if (r <= 0)
			break;
		lie = cmp_take(hba, &cmp, done);
	}
	return r < 0 ? PVSCSI_LIE_INDEX : lie;
}

static enum pvscsi_lie
msgs_take(struct pvscsi *hba, uint_t *n)
{
	struct pv_msg msg;
	bool is_lost;
	int r = 0;

	/* the chip may be writing them as fast as we read: no more at a time than have room */
	for (; *n < PV_MSG_PER_PAGE; (*n)++) {
		r = ring_msg_next(&hba->rings, &msg, &is_lost);
		if (r <= 0)
			break;
		pvscsi_note(hba, &msg, is_lost);
	}
	return r < 0 ? PVSCSI_LIE_INDEX : PVSCSI_LIE_NONE;
}

/* messages first: a target that has left takes its commands with it. How many were met */
static uint_t
batch_take(struct pvscsi *hba, enum pvscsi_lie *lie, struct pvscsi_done *done)
{
	uint_t nmsgs = 0, n = 0;

	mutex_enter(&hba->lock);
	if (hba->state == PVSCSI_READY || hba->state == PVSCSI_RESETTING) {
		*lie = msgs_take(hba, &nmsgs);
		if (*lie == PVSCSI_LIE_NONE)
			*lie = cmps_take(hba, done, &n);
	}
	mutex_exit(&hba->lock);
	(void)atomic_fetch_add_explicit(&hba->stats.completions, n, memory_order_relaxed);
	return n > 0 ? n : nmsgs > 0;
}

/* each completion is worth one interrupt, also if it came out by another way; more than can be
 * out at a time are not saved up */
static void
intr_credit(struct pvscsi *hba, uint_t n)
{
	if (n == 0)
		return;
	if (atomic_fetch_sub(&hba->idle_intrs, (int)n) - (int)n < -(int)hba->depth)
		atomic_store(&hba->idle_intrs, -(int)hba->depth);
}

bool
pvscsi_drain(struct pvscsi *hba, uint_t budget)
{
	enum pvscsi_lie lie = PVSCSI_LIE_NONE;
	struct pvscsi_done done = { .n = 0 };
	uint_t n, total = 0;

	do {
		n = batch_take(hba, &lie, &done);
		pvscsi_deliver(&done);
		total += n;
	} while (n == PVSCSI_BATCH && total < budget && lie == PVSCSI_LIE_NONE);
	intr_credit(hba, total);
	if (lie != PVSCSI_LIE_NONE)
		pvscsi_fail(hba, lie);
	return n == PVSCSI_BATCH && lie == PVSCSI_LIE_NONE;
}

void
pvscsi_drain_aside(struct pvscsi *hba)
{
	enum pvscsi_lie lie = PVSCSI_LIE_NONE;
	struct pvscsi_done done = { .n = 0 };
	uint_t n;

	do {
		n = batch_take(hba, &lie, &done);
		pvscsi_deliver_aside(hba, &done);
		intr_credit(hba, n);
	} while (n == PVSCSI_BATCH && lie == PVSCSI_LIE_NONE);
	if (lie != PVSCSI_LIE_NONE)
		pvscsi_fail(hba, lie);
}

/* a line is shared and stays up until the chip is told; a message is ours, and over */
static bool
intr_claim(struct pvscsi *hba)
{
	uint32_t status;

	if (hba->intr_type != DDI_INTR_TYPE_FIXED)
		return true;
	status = pvscsi_get(hba, PV_INTR_STATUS);
	if (status == PV_ALL_ONES)
		pvscsi_fail(hba, PVSCSI_LIE_GONE);
	else if (status != 0)
		pvscsi_put(hba, PV_INTR_STATUS, status);
	return status != 0;
}

uint_t
pvscsi_intr(caddr_t arg1, caddr_t arg2)
{
	struct pvscsi *hba = (struct pvscsi *)(void *)arg1;

	(void)arg2;
	if (!intr_claim(hba))
		return DDI_INTR_UNCLAIMED;
	(void)atomic_fetch_add_explicit(&hba->stats.interrupts, 1, memory_order_relaxed);
	if (atomic_fetch_add(&hba->idle_intrs, 1) >= PVSCSI_IDLE_INTRS)
		pvscsi_fail(hba, PVSCSI_LIE_INTERRUPT);
	/* others share the loop: what the budget leaves gets an interrupt of its own */
	if (pvscsi_drain(hba, PVSCSI_BUDGET))
		scsad_intr_trigger(hba->vector);
	return DDI_INTR_CLAIMED;
}
