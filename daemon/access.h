/*
 * daemon/access.h - who a client is, and what it may do
 *
 * What      Credentials are taken once, when a connection is accepted; the role they give is
 *           looked up in the configured rules. What a role may do is one table: methods have a
 *           least role (proto/method.c), SCSI commands have a class (scsi/opcode.h). What no
 *           row allows is refused.
 * Thread    Any; rules are constant after start.
 * Source    unix(7), SO_PEERCRED and SO_PEERGROUPS
 */
#ifndef DAEMON_ACCESS_H
#define DAEMON_ACCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "daemon/config.h"

#define ACCESS_GROUPS_MAX	256	/* supplementary groups looked at */

struct access_cred {
	uid_t uid;
	gid_t gid;
	pid_t pid;		/* for logs only: numbers are recycled */
	gid_t groups[ACCESS_GROUPS_MAX];
	size_t n_groups;
};

/* access_cred_take() - credentials of the peer of a connected Unix socket; 0 or -errno */
int access_cred_take(int fd, struct access_cred *ret_cred) MUST_CHECK;

/**
 * access_role() - the highest role that a rule gives
 *
 * Besides the configured rules: root and the daemon's own user are admin, members of the group
 * "scsad" (@io_gid, (gid_t)-1: there is none) have io.
 */
Scsad__Role access_role(const struct config *conf, gid_t io_gid,
    const struct access_cred *cred);

/* access_io_gid() - number of the group "scsad", or (gid_t)-1 */
gid_t access_io_gid(void);

/* access_classes() - the LU_CLASS() mask of SCSI commands that a role may send */
uint32_t access_classes(Scsad__Role role);

#endif /* DAEMON_ACCESS_H */
