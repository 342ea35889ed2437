/* sys/id32.h - pointers as 32-bit numbers; id32_alloc() and its family are in sys/sunddi.h */
#ifndef SYS_DDI_ID32_H
#define SYS_DDI_ID32_H

#include <sys/sunddi.h>

#endif /* SYS_DDI_ID32_H */
