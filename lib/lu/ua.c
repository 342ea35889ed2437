#include "lu/ua.h"

#include <string.h>

#include "lu/lu_impl.h"
#include "lu/port.h"
#include "scsi/status.h"

#define ASC_GROUP_RESET	0x29

/* ------ the set alone ------ */

/*
 * The smaller, the earlier (SAM-5 table 58); 0 to 3 stand for everything older.
 */
static unsigned int
ua_rank(uint16_t asc)
{
	switch (asc) {
	case ASC_POWER_ON:
		return 0;
	case ASC_POWER_ON_OR_RESET:
		return 1;
	case ASC_BUS_RESET:
		return 2;
	case ASC_NEXUS_LOSS:
		return 4;
	case LU_UA_LOSS:
		return 6;
	default:
		return asc >> 8 == ASC_GROUP_RESET ? 3 : 5;
	}
}

static bool
ua_is_reset(uint16_t asc)
{
	return ua_rank(asc) <= 3;
}

bool
ua_set_has_loss(const struct lu_ua_set *set)
{
	return set->n > 0 && set->asc[set->n - 1] == LU_UA_LOSS;
}

/* in place of everything but a loss: a reset does not bring data back */
static void
ua_set_add_reset(struct lu_ua_set *set, uint16_t asc)
{
	bool has_loss = ua_set_has_loss(set);

	if (set->n > 0 && ua_rank(set->asc[0]) < ua_rank(asc))
		asc = set->asc[0];
	*set = (struct lu_ua_set){ .asc = { asc, LU_UA_LOSS }, .n = has_loss ? 2 : 1 };
}

void
ua_set_add(struct lu_ua_set *set, uint16_t asc)
{
	uint8_t at = 0;

	if (ua_is_reset(asc)) {
		ua_set_add_reset(set, asc);
		return;
	}
	for (uint8_t i = 0; i < set->n; i++) {
		if (set->asc[i] == asc)
			return;
	}
	if (asc != LU_UA_LOSS && set->n - ua_set_has_loss(set) == LU_UA_MAX) {
		set->is_overflown = true;
		return;
	}
	while (at < set->n && ua_rank(set->asc[at]) <= ua_rank(asc))
		at++;
	memmove(&set->asc[at + 1], &set->asc[at], (set->n - at) * sizeof(set->asc[0]));
	set->asc[at] = asc;
	set->n++;
}

static void
ua_remove(struct lu_ua_set *set, uint8_t at)
{
	set->n--;
	memmove(&set->asc[at], &set->asc[at + 1], (set->n - at) * sizeof(set->asc[0]));
}

void
ua_set_drop(struct lu_ua_set *set, uint16_t asc)
{
	for (uint8_t i = 0; i < set->n; i++) {
		if (set->asc[i] == asc) {
			ua_remove(set, i);
			return;
		}
	}
}

bool
ua_set_look(const struct lu_ua_set *set, struct sense_data *ret)
{
	if (set->n == 0)
		return false;
	if (set->asc[0] == LU_UA_LOSS) {
		*ret = sense_make(SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR);
		ret->is_deferred = true;
		return true;
	}
	*ret = sense_make(SENSE_UNIT_ATTENTION, set->asc[0]);
	if (set->is_overflown) {
		ret->sks = SENSE_SKS_OVERFLOW;
		ret->sks_value = 1;
	}
	return true;
}

bool
ua_set_take(struct lu_ua_set *set, struct sense_data *ret)
{
	if (!ua_set_look(set, ret))
		return false;
	set->is_overflown = false;
	ua_remove(set, 0);
	return true;
}

/* ------ nexuses ------ */

void
lu_ua_raise(struct lu_nexus *nexus, uint16_t asc)
{
	if (!nexus->is_internal && !nexus->is_of_copy && !nexus->is_gone)
		ua_set_add(&nexus->ua, asc);
}

void
lu_ua_raise_all(struct lu *unit, uint16_t asc)
{
	lu_ua_raise_others(unit, NULL, asc);
}

void
lu_ua_raise_others(struct lu *unit, const struct lu_nexus *but_not, uint16_t asc)
{
	struct lu_nexus *nexus;

	/* what a copy was told its initiator has not heard */
	if (but_not != NULL && but_not->is_of_copy)
		but_not = NULL;
	LIST_FOREACH(nexus, &unit->nexuses, entry) {
		if (but_not == NULL || !lu_nexus_is_same(nexus, but_not))
			lu_ua_raise(nexus, asc);
	}
}

void
lu_ua_raise_identity(struct lu *unit, const struct lu_initiator *initiator, uint16_t rtpi,
    uint16_t asc)
{
	struct lu_nexus *nexus;

	LIST_FOREACH(nexus, &unit->nexuses, entry) {
		if (lu_nexus_is(nexus, initiator, rtpi))
			lu_ua_raise(nexus, asc);
	}
}

bool
lu_ua_pending(const struct lu_nexus *nexus)
{
	return nexus->ua.n > 0;
}

bool
lu_ua_take(struct lu_nexus *nexus, struct sense_data *ret)
{
	return ua_set_take(&nexus->ua, ret);
}

bool
lu_ua_tell(struct lu_nexus *nexus, struct sense_data *ret)
{
	bool is_kept = nexus->unit->control.has_interlock &&
	    nexus->ua.n > 0 && nexus->ua.asc[0] != LU_UA_LOSS;

	return is_kept ? ua_set_look(&nexus->ua, ret) : ua_set_take(&nexus->ua, ret);
}

void
lu_ua_status(struct lu_nexus *nexus, uint8_t status)
{
	if (LIKELY(!nexus->unit->control.has_status_ua))
		return;
	if (status == SAM_STAT_BUSY)
		lu_ua_raise(nexus, ASC_PREVIOUS_BUSY);
	else if (status == SAM_STAT_TASK_SET_FULL)
		lu_ua_raise(nexus, ASC_PREVIOUS_TASK_SET_FULL);
	else if (status == SAM_STAT_RESERVATION_CONFLICT)
		lu_ua_raise(nexus, ASC_PREVIOUS_CONFLICT);
}
