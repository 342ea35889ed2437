/*
 * ddi/prop.h - the properties of one node; lib/ddi only
 *
 * What      A list of named, typed values. The published functions are in sys/sunddi.h.
 * Thread    The list's lock.
 */
#ifndef DDI_PROP_H
#define DDI_PROP_H

#include <sys/ksynch.h>
#include <sys/queue.h>

struct prop;

struct prop_list {
	kmutex_t lock;
	STAILQ_HEAD(, prop) props;
};

void prop_list_init(struct prop_list *l);
void prop_list_fini(struct prop_list *l);

#endif /* DDI_PROP_H */
