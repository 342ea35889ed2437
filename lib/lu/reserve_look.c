#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "lu/reserve_impl.h"

int
lu_reserve_look(const struct lu *lu, struct lu_reserve_look *ret)
{
	const struct pr *pr = lu->reservations->pr;
	size_t size = sizeof(*pr) + pr->n * sizeof(pr->regs[0]);
	const struct lu_nexus *n;

	ret->pr = fault_hit() ? NULL : malloc(size);
	if (ret->pr == NULL)
		return -ENOMEM;
	memcpy(ret->pr, pr, size);
	ret->pr->room = pr->n;
	ret->has_owner = false;
	LIST_FOREACH(n, &lu->nexuses, entry) {
		if ((n->reserve & LU_RESERVE_OWNER) == 0)
			continue;
		ret->has_owner = true;
		*ret->owner = n->initiator != NULL ? *n->initiator : *lu_initiator_anonymous();
		ret->owner_rtpi = lu_port_or_local(n->port)->rtpi;
		break;
	}
	return 0;
}
