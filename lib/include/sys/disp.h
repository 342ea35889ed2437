/* sys/disp.h - scheduling classes and priorities, as names: the host decides */
#ifndef SYS_DDI_DISP_H
#define SYS_DDI_DISP_H

#include <sys/types.h>

#define minclsyspri	((pri_t)60)
#define maxclsyspri	((pri_t)99)

#endif /* SYS_DDI_DISP_H */
