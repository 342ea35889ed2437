/*
 * ddi/prop.h - the properties of one node; lib/ddi only
 *
 * What      Lists of named, typed values: those that the node's driver made (ddi_prop_*), and
 *           those of the framework, of parents and of the daemon (ndi_prop_*). A name is looked
 *           for among the driver's first. The published functions are in sys/sunddi.h and
 *           sys/sunndi.h.
 * Thread    The list's lock.
 */
#ifndef DDI_PROP_H
#define DDI_PROP_H

#include <sys/ksynch.h>
#include <sys/queue.h>

struct prop;

enum prop_owner { PROP_DRIVER, PROP_SYSTEM, PROP_OWNER_N };

struct prop_list {
	kmutex_t lock;
	STAILQ_HEAD(, prop) props[PROP_OWNER_N];
};

void prop_list_init(struct prop_list *l);
void prop_list_fini(struct prop_list *l);

#endif /* DDI_PROP_H */
