/* sys/errno.h - the host's error numbers; the DDI's functions use the host's values */
#ifndef SYS_DDI_ERRNO_H
#define SYS_DDI_ERRNO_H

#include_next <sys/errno.h>

#endif /* SYS_DDI_ERRNO_H */
