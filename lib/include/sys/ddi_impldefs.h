/* sys/ddi_impldefs.h - some drivers include it; nodes are opaque, see sys/sunddi.h and
 * sys/sunndi.h */
#ifndef SYS_DDI_IMPLDEFS_H
#define SYS_DDI_IMPLDEFS_H

#include <sys/sunddi.h>
#include <sys/sunndi.h>

#endif /* SYS_DDI_IMPLDEFS_H */
