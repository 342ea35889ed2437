/* sys/inttypes.h - fixed-width integers, under the kernel's name for the header */
#ifndef SYS_DDI_INTTYPES_H
#define SYS_DDI_INTTYPES_H

#include <inttypes.h>

#endif /* SYS_DDI_INTTYPES_H */
