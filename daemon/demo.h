/*
 * daemon/demo.h - a ready-made pair of disks for a first look
 *
 * Thread    The main thread, before others.
 */
#ifndef DAEMON_DEMO_H
#define DAEMON_DEMO_H

#include "base/compiler.h"
#include "daemon/config.h"

/**
 * demo_add() - one HBA with a memory disk and a sparse file disk
 *
 * The file is made in the configured state directory, else in $TMPDIR or /tmp, as
 * scsad-demo-UID.img, and stays there: what is written to it is found again.
 *
 * @reterr   CONFIG_ERR_LEN bytes
 *
 * Returns:  0, -EINVAL or -ENOMEM
 */
int demo_add(struct config *conf, char *reterr) MUST_CHECK;

#endif /* DAEMON_DEMO_H */
