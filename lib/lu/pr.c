/* persistent reservations: the state, and the small questions about it (lu/pr.h) */
#include "lu/pr.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "lu/pr_impl.h"

enum {
	TYPE_ALL = 1 << 0,
	TYPE_EXCLUSIVE = 1 << 1,
	TYPE_REGISTRANTS = 1 << 2,	/* only or all */
	TYPE_VALID = 1 << 3,
};

static const uint8_t type_traits[16] = {
	[PR_WE]   = TYPE_VALID,
	[PR_EA]   = TYPE_VALID | TYPE_EXCLUSIVE,
	[PR_WERO] = TYPE_VALID | TYPE_REGISTRANTS,
	[PR_EARO] = TYPE_VALID | TYPE_REGISTRANTS | TYPE_EXCLUSIVE,
	[PR_WEAR] = TYPE_VALID | TYPE_REGISTRANTS | TYPE_ALL,
	[PR_EAAR] = TYPE_VALID | TYPE_REGISTRANTS | TYPE_ALL | TYPE_EXCLUSIVE,
};

static bool
type_has(uint8_t type, uint8_t trait)
{
	return type < sizeof(type_traits) && (type_traits[type] & trait) != 0;
}

bool
pr_type_is_valid(uint8_t type)
{
	return type_has(type, TYPE_VALID);
}

bool
pr_type_is_all(uint8_t type)
{
	return type_has(type, TYPE_ALL);
}

bool
pr_type_is_exclusive(uint8_t type)
{
	return type_has(type, TYPE_EXCLUSIVE);
}

bool
pr_type_has_registrants(uint8_t type)
{
	return type_has(type, TYPE_REGISTRANTS);
}

/* ------ nexuses ------ */

void
pr_nexus_set(struct pr_nexus *ret, const struct lu_initiator *initiator, uint16_t rtpi)
{
	if (initiator == NULL)
		initiator = lu_initiator_anonymous();
	ret->rtpi = rtpi;
	ret->id_len = initiator->id_len;
	memcpy(ret->id, initiator->id, initiator->id_len);
}

bool
pr_nexus_equal(const struct pr_nexus *a, const struct pr_nexus *b)
{
	return a->rtpi == b->rtpi && a->id_len == b->id_len &&
	    memcmp(a->id, b->id, a->id_len) == 0;
}

/* ------ states ------ */

struct pr *
pr_alloc(uint32_t limit, uint32_t room)
{
	struct pr *pr = fault_hit() ? NULL :
	    malloc(sizeof(*pr) + room * sizeof(pr->regs[0]));

	if (pr == NULL)
		return NULL;
	*pr = (struct pr){ .limit = limit, .room = room, .holder = PR_NOBODY };
	return pr;
}

struct pr *
pr_new(uint32_t limit)
{
	return pr_alloc(limit, 0);
}

struct pr *
pr_new_lost(uint32_t limit)
{
	struct pr *pr = pr_alloc(limit, 0);

	if (pr == NULL)
		return NULL;
	pr->type = PR_EAAR;
	pr->is_aptpl = true;
	return pr;
}

struct pr *
pr_copy(const struct pr *pr, uint32_t more)
{
	struct pr *copy = pr_alloc(pr->limit, pr->n + more);
	uint32_t room;

	if (copy == NULL)
		return NULL;
	room = copy->room;
	*copy = *pr;
	copy->room = room;
	memcpy(copy->regs, pr->regs, pr->n * sizeof(pr->regs[0]));
	return copy;
}

void
pr_free(struct pr *pr)
{
	free(pr);
}

uint32_t
pr_find(const struct pr *pr, const struct pr_nexus *nexus)
{
	for (uint32_t i = 0; i < pr->n; i++)
		if (pr->regs[i].key != 0 && pr_nexus_equal(&pr->regs[i].nexus, nexus))
			return i;
	return PR_NOBODY;
}

bool
pr_is_holder(const struct pr *pr, uint32_t i)
{
	if (i >= pr->n || pr->type == PR_NONE)
		return false;
	return pr_type_is_all(pr->type) || pr->holder == i;
}
