/* sys/stddef.h - offsetof, under the kernel's name for the header */
#ifndef SYS_DDI_STDDEF_H
#define SYS_DDI_STDDEF_H

#include <stddef.h>

#endif /* SYS_DDI_STDDEF_H */
