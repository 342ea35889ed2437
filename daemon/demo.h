/*
 * daemon/demo.h - what --demo serves
 *
 * What      A memory disk of 64 MiB and a sparse file disk of 256 MiB. The file is in a folder
 *           made for this run, below state_dir, $TMPDIR or /tmp: nobody else can have put
 *           anything there. Both go when the daemon ends.
 * Thread    The main thread.
 */
#ifndef DAEMON_DEMO_H
#define DAEMON_DEMO_H

#include "base/compiler.h"
#include "daemon/config.h"

/**
 * demo_add() - one more HBA with the two disks
 *
 * @want_dir  false: only to be judged (--check), nothing is made
 * @reterr    CONFIG_ERR_LEN bytes
 *
 * Returns:  0, -ENOMEM, or -errno of making the folder (@reterr)
 */
int demo_add(struct config *conf, bool want_dir, char *reterr) MUST_CHECK;

/* demo_remove() - the file and its folder, if demo_add() made one; the disks are closed */
void demo_remove(const struct config *conf);

#endif /* DAEMON_DEMO_H */
