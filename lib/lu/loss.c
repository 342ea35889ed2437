#include "lu/loss.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "base/num.h"
#include "lu/port.h"

/* an initiator port that is away, and what it has to hear, or may have to */
struct loss_kept {
	struct lu_initiator initiator;
	uint16_t rtpi;
	uint64_t wrote_seq;
	bool is_owed;
	TAILQ_ENTRY(loss_kept) entry;
};

static bool
is_exposed(const struct lu *lu, uint64_t wrote_seq)
{
	return wrote_seq != 0 && wrote_seq >= lu->stable_seq;
}

/* ------ who is away ------ */

static void
kept_free(struct lu *lu, struct loss_kept *kept)
{
	TAILQ_REMOVE(&lu->losses, kept, entry);
	lu->n_losses--;
	free(kept);
}

static struct loss_kept *
kept_find(struct lu *lu, const struct lu_nexus *nexus)
{
	struct loss_kept *kept;

	TAILQ_FOREACH(kept, &lu->losses, entry) {
		if (lu_nexus_is(nexus, &kept->initiator, kept->rtpi))
			return kept;
	}
	return NULL;
}

/* room for one more: those go whose data is stable by now, else the oldest */
static void
kept_make_room(struct lu *lu)
{
	struct loss_kept *kept, *next;

	for (kept = TAILQ_FIRST(&lu->losses); kept != NULL; kept = next) {
		next = TAILQ_NEXT(kept, entry);
		if (!kept->is_owed && !is_exposed(lu, kept->wrote_seq))
			kept_free(lu, kept);
	}
	if (lu->n_losses == LU_LOSS_KEPT)
		kept_free(lu, TAILQ_FIRST(&lu->losses));
}

/* without memory it is forgotten */
static void
kept_add(struct lu *lu, const struct lu_nexus *nexus, uint64_t wrote_seq, bool is_owed)
{
	struct loss_kept *kept = kept_find(lu, nexus);

	if (kept == NULL) {
		kept_make_room(lu);
		kept = fault_hit() ? NULL : calloc(1, sizeof(*kept));
		if (kept == NULL)
			return;
		kept->initiator = *(nexus->initiator != NULL ? nexus->initiator :
		    lu_initiator_anonymous());
		kept->rtpi = nexus->port->rtpi;
		TAILQ_INSERT_TAIL(&lu->losses, kept, entry);
		lu->n_losses++;
	}
	kept->wrote_seq = num_max(kept->wrote_seq, wrote_seq);
	kept->is_owed |= is_owed;
}

/* ------ nexuses ------ */

static void
nexus_merge(struct lu_nexus *nexus, uint64_t wrote_seq, bool is_owed)
{
	nexus->wrote_seq = num_max(nexus->wrote_seq, wrote_seq);
	if (is_owed)
		lu_ua_raise(nexus, LU_UA_LOSS);
}

/* what one that left, or one of a copy, has on its mind concerns others of the same I_T nexus */
static void
nexus_hand_on(const struct lu_nexus *nexus, uint64_t wrote_seq, bool is_owed)
{
	struct lu *lu = nexus->unit;
	struct lu_nexus *other;
	bool has_heir = false;

	LIST_FOREACH(other, &lu->nexuses, entry) {
		if (other->is_gone || other->is_of_copy || !lu_nexus_is_same(other, nexus))
			continue;
		nexus_merge(other, wrote_seq, is_owed);
		has_heir = true;
	}
	if (!has_heir && nexus->port != NULL)
		kept_add(lu, nexus, wrote_seq, is_owed);
}

void
lu_loss_nexus_came(struct lu_nexus *nexus)
{
	struct lu *lu = nexus->unit;
	struct loss_kept *kept;

	if (nexus->is_of_copy || TAILQ_EMPTY(&lu->losses))
		return;
	kept = kept_find(lu, nexus);
	if (kept == NULL)
		return;
	nexus_merge(nexus, kept->wrote_seq, kept->is_owed);
	kept_free(lu, kept);
}

void
lu_loss_nexus_left(struct lu_nexus *nexus)
{
	bool is_owed = ua_set_has_loss(&nexus->ua);

	if (nexus->is_internal || (nexus->port == NULL && !nexus->is_of_copy))
		return;
	if (is_owed || is_exposed(nexus->unit, nexus->wrote_seq))
		nexus_hand_on(nexus, nexus->wrote_seq, is_owed);
	nexus->wrote_seq = 0;
}

void
lu_loss_fini(struct lu *lu)
{
	while (!TAILQ_EMPTY(&lu->losses))
		kept_free(lu, TAILQ_FIRST(&lu->losses));
}

/* ------ flushes ------ */

static bool
is_flush(const struct lu_task *task)
{
	return task->op != NULL && (task->op->id == OP_SYNCHRONIZE_CACHE_10 ||
	    task->op->id == OP_SYNCHRONIZE_CACHE_16);
}

/* from the first block to the last; and with IMMED nothing is stable yet (SBC-3 5.22) */
static bool
is_flush_of_all(const struct lu_task *task)
{
	const uint8_t *cdb = task->cdb;
	bool is_10 = task->op->id == OP_SYNCHRONIZE_CACHE_10;
	uint64_t lba = is_10 ? be32_get(cdb + 2) : be64_get(cdb + 2);
	uint32_t blocks = is_10 ? be16_get(cdb + 7) : be32_get(cdb + 10);

	return lba == 0 && blocks == 0 && (cdb[1] & 0x02) == 0;
}

void
lu_loss_flushed(struct lu *lu, const struct lu_task *task)
{
	if (is_flush_of_all(task))
		lu->stable_seq = num_max(lu->stable_seq, task->seq);
}

static bool
is_loss(const struct lu_task *task, const struct sense_data *sense)
{
	if (sense->is_deferred)
		return sense->key == SENSE_MEDIUM_ERROR || sense->key == SENSE_HARDWARE_ERROR;
	if (is_flush(task))
		return sense->key == SENSE_MEDIUM_ERROR ||
		    sense->key == SENSE_HARDWARE_ERROR || sense->key == SENSE_DATA_PROTECT;
	/* a write fails for itself */
	if (task->op == NULL || task->op->policy == OP_WRITE)
		return false;
	if (sense->asc >> 8 == ASC_WRITE_ERROR >> 8)
		return sense->key == SENSE_MEDIUM_ERROR || sense->key == SENSE_HARDWARE_ERROR;
	return sense->key == SENSE_DATA_PROTECT && sense->asc == ASC_SPACE_ALLOCATION_FAILED;
}

/* is that one concerned? Once, unless it has written since the flush began */
static bool
take_exposed(const struct lu *lu, uint64_t *wrote_seq, uint64_t flush_seq)
{
	bool was_exposed = is_exposed(lu, *wrote_seq);

	if (*wrote_seq < flush_seq)
		*wrote_seq = 0;
	return was_exposed;
}

void
lu_loss_check(struct lu *lu, const struct lu_task *task, const struct sense_data *sense)
{
	struct lu_nexus *nexus;
	struct loss_kept *kept;

	if (!is_loss(task, sense))
		return;
	TAILQ_FOREACH(kept, &lu->losses, entry)
		kept->is_owed |= take_exposed(lu, &kept->wrote_seq, task->seq);
	LIST_FOREACH(nexus, &lu->nexuses, entry) {
		if (!take_exposed(lu, &nexus->wrote_seq, task->seq))
			continue;
		if (nexus->is_of_copy)
			nexus_hand_on(nexus, 0, true);
		else
			lu_ua_raise(nexus, LU_UA_LOSS);
	}
	/* the sense data of the command itself tells it */
	ua_set_drop(&task->nexus->ua, LU_UA_LOSS);
}
