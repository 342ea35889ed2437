/* what people should know of a target: once for each change */
#include "hw/iscsi/iscsi_hba_impl.h"

#include <string.h>

void
ih_say_up(struct ih_session *s)
{
	cmn_err(CE_NOTE, "!%s: target %s '%s' at %s: logged in", s->hba->name, s->addr,
	    s->conf.name, s->info.portal);
}

/* a login that fails again for the same reason is no news */
void
ih_say_lost(struct ih_session *s, const char *why, bool was_up)
{
	if (!was_up && strcmp(s->info.error, why) == 0)
		return;
	cmn_err(CE_WARN, "!%s: target %s '%s' at %s: %s: %s", s->hba->name, s->addr,
	    s->conf.name, s->info.portal, was_up ? "session lost" : "not logged in", why);
}

void
ih_say_gone(struct ih_session *s)
{
	cmn_err(CE_WARN, "!%s: target %s '%s' at %s: away for %u s: given up until it is back",
	    s->hba->name, s->addr, s->conf.name, s->info.portal, s->conf.grace_ms / 1000);
}
