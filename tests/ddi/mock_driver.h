/*
 * mock_driver.h - a driver that does as it is told and writes down what it was asked
 *
 * Life      mock_driver_install(name) → nodes of that name bind to it →
 *           mock_driver_remove(name)
 * Thread    Any; one set of switches for all of them.
 */
#ifndef TESTS_DDI_MOCK_DRIVER_H
#define TESTS_DDI_MOCK_DRIVER_H

#include <sys/sunddi.h>

#include "ddi/devtree.h"

struct mock_driver {
	int probe_answer, attach_answer, detach_answer, initchild_answer;
	clock_t attach_ticks;			/* attach takes this long */
	int (*in_attach)(dev_info_t *dip);	/* called inside; may be NULL */
	char calls[1024];			/* "init:a probe:a attach:a " */
};

extern struct mock_driver mock;

int mock_driver_install(const char *name);	/* driver_init(); a bus for its children too */
void mock_driver_reset(void);			/* answers to success, calls forgotten */

#endif /* TESTS_DDI_MOCK_DRIVER_H */
