/*
 * scsactl/settle.h - wait until a change of the tree can be seen
 *
 * What      The daemon answers a change at once; units, ports and expanders follow by
 *           themselves. A settle listens for their events from before the request, so that none
 *           is missed, and looks at the list when events were lost or time is up.
 * Life      settle_begin(), the request, one settle_*() that waits.
 * Limits    SETTLE_MS, or what the command line says.
 */
#ifndef SCSACTL_SETTLE_H
#define SCSACTL_SETTLE_H

#include "client/scsactl/ctl.h"

#define SETTLE_MS	5000

struct settle {
	struct ctl *ctl;
	unsigned ms;		/* patience; 0: none, nothing is waited for */
	const struct scsac_change *change;	/* NULL before the answer: events are kept */
	unsigned kind;		/* of event that counts */
	bool want_lun;		/* units, not whole targets: their numbers count, too */
	bool is_lost;		/* some events did not fit */
	size_t seen;
	char **early;		/* subjects that came before the answer */
	size_t n_early, early_room;
};

/* settle_begin() - listen; @kind is SCSAC_EVENT_*. CTL_OK, or the error has been told */
enum ctl_exit settle_begin(struct settle *s, struct ctl *ctl, unsigned kind, unsigned ms);

/* settle_end() - listen no more */
void settle_end(struct settle *s);

/* settle_units() - until all units of @change have come, or gone; true when they have */
bool settle_units(struct settle *s, const struct scsac_change *change);

/* settle_list() - until @is_done says so of a list; true when it did */
bool settle_list(struct settle *s, bool (*is_done)(const struct scsac_list *list, void *arg),
    void *arg);

#endif /* SCSACTL_SETTLE_H */
