#include "daemon/ex_live.h"

void
ex_units_sync(const struct ex_set *set, const struct ex_set *before)
{
	(void)set;
	(void)before;
}
