/* what the pipeline asks of parts that are not in the tree yet: nothing stops anybody. Whoever
 * brings a part takes its lines away here */
#include "lu/lu_impl.h"
#include "lu/reserve.h"

/* ------ reserve.h ------ */

int
lu_reserve_init(struct lu *lu UNUSED)
{
	return 0;
}

void
lu_reserve_fini(struct lu *lu UNUSED)
{
}

bool
lu_reserve_conflicts(const struct lu *lu UNUSED, const struct lu_nexus *nexus UNUSED,
    const struct op_info *op UNUSED, const uint8_t *cdb UNUSED)
{
	return false;
}

void
lu_reserve_nexus_came(struct lu *lu UNUSED, struct lu_nexus *nexus UNUSED)
{
}

void
lu_reserve_nexus_lost(struct lu *lu UNUSED, struct lu_nexus *nexus UNUSED)
{
}

void
lu_reserve_reset(struct lu *lu UNUSED)
{
}
