/*
 * sys/cmn_err.h - what drivers say
 *
 * What      Lines go to the process log (base/log.h): CE_WARN as warning, CE_NOTE as notice,
 *           CE_CONT as info, CE_PANIC as error and then abort. A first character '!' or '^'
 *           (log or console only) is dropped; '?' (verbose) makes it a debug line. One final
 *           newline is dropped. "%b" takes an integer and a text of base and bit names.
 * Thread    Any context.
 * Source    cmn_err(9F), dev_err(9F)
 */
#ifndef SYS_DDI_CMN_ERR_H
#define SYS_DDI_CMN_ERR_H

#include <stdarg.h>
#include <sys/types.h>

#define CE_CONT		0
#define CE_NOTE		1
#define CE_WARN		2
#define CE_PANIC	3
#define CE_IGNORE	4	/* says nothing */

void cmn_err(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void vcmn_err(int level, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* dev_err() - the same with the node's driver and instance in front */
void dev_err(dev_info_t *dip, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void vdev_err(dev_info_t *dip, int level, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* panic() - cmn_err(CE_PANIC) */
void panic(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif /* SYS_DDI_CMN_ERR_H */
