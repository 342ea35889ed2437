/* sys/proc.h - the process that thread_create(9F) callers name; there is one */
#ifndef SYS_DDI_PROC_H
#define SYS_DDI_PROC_H

#include <sys/types.h>

struct proc {
	int p_unused;
};

extern struct proc p0;

#endif /* SYS_DDI_PROC_H */
