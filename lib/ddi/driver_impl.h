/*
 * ddi/driver_impl.h - between the registry and the loader; lib/ddi only
 */
#ifndef DDI_DRIVER_IMPL_H
#define DDI_DRIVER_IMPL_H

#include <sys/modctl.h>

#define DRIVER_NAME_LEN	MODMAXNAMELEN

/* the name for the driver that this thread's mod_install() registers; NULL: see sys/modctl.h */
extern _Thread_local const char *driver_init_name;

#endif /* DDI_DRIVER_IMPL_H */
