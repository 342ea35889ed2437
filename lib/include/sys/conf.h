/* sys/conf.h - driver switches' flags, with dev_ops and cb_ops */
#ifndef SYS_DDI_CONF_H
#define SYS_DDI_CONF_H

#include <sys/devops.h>
#include <sys/errno.h>
#include <sys/types.h>

#define D_NEW		0x000000	/* cb_flag */
#define D_TAPE		0x000008
#define D_MP		0x000020
#define D_MTSAFE	D_MP
#define D_64BIT		0x000200
#define D_HOTPLUG	0x000400
#define D_DEVMAP	0x000800

#endif /* SYS_DDI_CONF_H */
