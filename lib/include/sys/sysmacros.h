/*
 * sys/sysmacros.h - the host's device number macros, and small arithmetic
 *
 * Limits    Alignments are powers of two.
 */
#ifndef SYS_DDI_SYSMACROS_H
#define SYS_DDI_SYSMACROS_H

#include_next <sys/sysmacros.h>
#include <sys/param.h>
#include <stddef.h>

#ifndef MIN
#define MIN(a, b)	((a) < (b) ? (a) : (b))
#endif
#ifndef MAX
#define MAX(a, b)	((a) < (b) ? (b) : (a))
#endif
#ifndef ABS
#define ABS(a)		((a) < 0 ? -(a) : (a))
#endif
#ifndef SIGNOF
#define SIGNOF(a)	((a) < 0 ? -1 : (a) > 0)
#endif
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

#define ISP2(x)			(((x) & ((x) - 1)) == 0)
#define IS_P2ALIGNED(v, a)	((((uintptr_t)(v)) & ((uintptr_t)(a) - 1)) == 0)
#define P2ALIGN(x, a)		((x) & -(a))
#define P2PHASE(x, a)		((x) & ((a) - 1))
#define P2NPHASE(x, a)		(-(x) & ((a) - 1))
#define P2ROUNDUP(x, a)		(-(-(x) & -(a)))
#define P2ROUNDUP_TYPED(x, a, t) (-(-(t)(x) & -(t)(a)))
#ifndef roundup
#define roundup(x, y)		((((x) + ((y) - 1)) / (y)) * (y))
#endif
#ifndef howmany
#define howmany(x, y)		(((x) + ((y) - 1)) / (y))
#endif
#define DIV_ROUND_UP(x, y)	(((x) + (y) - 1) / (y))

#endif /* SYS_DDI_SYSMACROS_H */
