#include "daemon/access.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>

#include "lu/lu.h"
#include "scsi/opcode.h"

#define IO_GROUP	"scsad"

#define IO_CLASSES                                                             \
	(LU_CLASS(OP_INFO) | LU_CLASS(OP_READ) | LU_CLASS(OP_WRITE) | LU_CLASS(OP_RESERVE))

int
access_cred_take(int fd, struct access_cred *ret_cred)
{
	struct ucred ucred;
	socklen_t len = sizeof(ucred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &len) < 0)
		return -errno;
	ret_cred->uid = ucred.uid;
	ret_cred->gid = ucred.gid;
	ret_cred->pid = ucred.pid;
	ret_cred->n_groups = 0;

	len = sizeof(ret_cred->groups);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, ret_cred->groups, &len) == 0)
		ret_cred->n_groups = len / sizeof(gid_t);
	/* in more groups than we look at: the primary one still counts */
	return 0;
}

gid_t
access_io_gid(void)
{
	char buf[16384];
	struct group group, *found = NULL;

	if (getgrnam_r(IO_GROUP, &group, buf, sizeof(buf), &found) != 0 || found == NULL)
		return (gid_t)-1;
	return found->gr_gid;
}

static bool
cred_has_group(const struct access_cred *cred, gid_t gid)
{
	if (cred->gid == gid)
		return true;
	for (size_t i = 0; i < cred->n_groups; i++)
		if (cred->groups[i] == gid)
			return true;
	return false;
}

Scsad__Role
access_role(const struct config *conf, gid_t io_gid, const struct access_cred *cred)
{
	Scsad__Role role = SCSAD__ROLE__ROLE_NONE;

	if (cred->uid == 0 || cred->uid == geteuid())
		return SCSAD__ROLE__ROLE_ADMIN;
	if (io_gid != (gid_t)-1 && cred_has_group(cred, io_gid))
		role = SCSAD__ROLE__ROLE_IO;
	for (size_t i = 0; i < conf->n_access; i++) {
		const struct config_access *a = &conf->access[i];

		if (a->role > role &&
		    (a->is_group ? cred_has_group(cred, a->id) : cred->uid == a->id))
			role = a->role;
	}
	return role;
}

uint32_t
access_classes(Scsad__Role role)
{
	if (role >= SCSAD__ROLE__ROLE_ADMIN)
		return LU_CLASS(OP_POLICY_N) - 1;
	if (role == SCSAD__ROLE__ROLE_IO)
		return IO_CLASSES;
	return 0;
}
