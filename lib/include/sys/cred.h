/*
 * sys/cred.h - who asks; kept as a name only, access is decided above the framework
 */
#ifndef SYS_DDI_CRED_H
#define SYS_DDI_CRED_H

#include <sys/types.h>

struct cred {
	uid_t cr_uid;
	gid_t cr_gid;
};

/* ddi_get_cred() - the credentials of the process itself */
cred_t *ddi_get_cred(void);

#define CRED()	ddi_get_cred()

/* drv_priv() - 0 when @cr is the superuser, else EPERM */
int drv_priv(cred_t *cr);

#endif /* SYS_DDI_CRED_H */
