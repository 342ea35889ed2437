/* sys/varargs.h - variable arguments, under the kernel's name for the header */
#ifndef SYS_DDI_VARARGS_H
#define SYS_DDI_VARARGS_H

#include <stdarg.h>

#endif /* SYS_DDI_VARARGS_H */
