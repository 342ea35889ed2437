/* sys/kmem_impl.h - some drivers include it; everything public is in sys/kmem.h */
#ifndef SYS_DDI_KMEM_IMPL_H
#define SYS_DDI_KMEM_IMPL_H

#include <sys/kmem.h>

#endif /* SYS_DDI_KMEM_IMPL_H */
