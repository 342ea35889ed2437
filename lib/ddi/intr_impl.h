/*
 * ddi/intr_impl.h - a vector, and the built-in dispatcher; lib/ddi only
 *
 * Locks     intr_lock guards all vectors; it is not held while a handler runs.
 */
#ifndef DDI_INTR_IMPL_H
#define DDI_INTR_IMPL_H

#include <stdbool.h>
#include <sys/ddi_intr.h>
#include <sys/ksynch.h>
#include <sys/queue.h>

#include "ddi/devtree.h"
#include "ddi/intr.h"

enum intr_state { INTR_ALLOCATED, INTR_HANDLED, INTR_ENABLED, INTR_STATE_N };

struct intr_vector {
	TAILQ_ENTRY(intr_vector) link;		/* all vectors */
	dev_info_t *dip;
	const struct devi_intr_ops *ops;	/* NULL: a software vector */
	void *ops_arg;
	int type;
	unsigned int inum;
	int fd;
	uint_t pri;
	unsigned int state;			/* enum intr_state */
	bool is_masked;
	bool is_pending;			/* came while it could not be delivered */
	void *running;				/* thread in the handler */
	ddi_intr_handler_t *handler;
	void *arg1, *arg2;
	struct intr_dispatcher *dispatcher;	/* who watches the fd while enabled */
	void *slot;				/* the dispatcher's */
};

/* what a ddi_intr_handle_t points to */
struct ddi_intr_impl {
	struct intr_vector v;
};

/* intr_builtin() - the dispatcher of this room */
struct intr_dispatcher *intr_builtin(void);

/* intr_builtin_kick() - in a simulation: look at the descriptors again */
void intr_builtin_kick(void);

#endif /* DDI_INTR_IMPL_H */
