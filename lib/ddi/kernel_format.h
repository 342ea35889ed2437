/*
 * ddi/kernel_format.h - printf with the kernel's %b
 *
 * What      "%b" takes an integer and a text: its first byte is the base of the number (8, 10
 *           or 16), then for each bit its number from 1 on as a byte, followed by its name. 3
 *           with "\20\1ready\2busy" is "3<ready,busy>".
 * Thread    Any; no state.
 * Source    cmn_err(9F)
 */
#ifndef DDI_KERNEL_FORMAT_H
#define DDI_KERNEL_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* kernel_vformat() - vsnprintf(3) with %b, %n ignored; bytes written without the NUL */
size_t kernel_vformat(char *buf, size_t size, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

#endif /* DDI_KERNEL_FORMAT_H */
