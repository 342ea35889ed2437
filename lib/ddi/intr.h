/*
 * ddi/intr.h - who listens to interrupts
 *
 * What      An interrupt vector is an eventfd with a handler. Which thread waits for it is
 *           decided by the process: a dispatcher. The built-in one is a single thread with
 *           epoll; the daemon installs one that puts vector n on loop n, so that a command
 *           completes on the loop it was started from.
 * Thread    intr_fire() runs the handler with the interrupt flag set (sched_is_interrupt()).
 * Source    ddi_intr_add_handler(9F), ddi_intr_disable(9F)
 */
#ifndef DDI_INTR_H
#define DDI_INTR_H

#include <stdint.h>

struct intr_vector;

struct intr_dispatcher {
	/* start to watch @fd for reading; @hint says which loop the driver prefers.
	 * Returns 0 or -errno. Any thread. */
	int (*arm)(struct intr_dispatcher *d, struct intr_vector *v, int fd, unsigned int hint);
	/* stop; returns when intr_fire() of @v is not running (unless called from it). Any
	 * thread. */
	void (*disarm)(struct intr_dispatcher *d, struct intr_vector *v);
};

/* intr_set_dispatcher() - NULL goes back to the built-in one; before any vector is enabled */
void intr_set_dispatcher(struct intr_dispatcher *d);

/* intr_fire() - for dispatchers: the fd of @v is readable; reads it empty and calls the handler
 */
void intr_fire(struct intr_vector *v);

/* intr_vector_slot() - for dispatchers: a pointer of theirs kept in the vector */
void **intr_vector_slot(struct intr_vector *v);

#endif /* DDI_INTR_H */
