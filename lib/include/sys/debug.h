/*
 * sys/debug.h - assertions: ASSERT in debug builds, VERIFY always
 *
 * What      A failed assertion is an error of ours or of a driver, never an answer to input
 *           from outside: it logs file, line and text and aborts.
 * Thread    Any.
 */
#ifndef SYS_DDI_DEBUG_H
#define SYS_DDI_DEBUG_H

#include <sys/types.h>

#if defined(SCSAD_DEBUG) && !defined(DEBUG)
#define DEBUG	1
#endif

/* assfail() - log "assertion failed: @text, file @file, line @line" and abort */
int assfail(const char *text, const char *file, int line) __attribute__((noreturn));

/* assfail3() - the same with the two values compared */
void assfail3(const char *text, uintmax_t left, const char *op, uintmax_t right,
    const char *file, int line) __attribute__((noreturn));

#define VERIFY(x)	((void)((x) || assfail(#x, __FILE__, __LINE__)))

#define VERIFY3_IMPL(left, op, right, type)                                    \
	do {                                                                   \
		const type verify_l_ = (type)(left);                           \
		const type verify_r_ = (type)(right);                          \
		if (!(verify_l_ op verify_r_))                                 \
			assfail3(#left " " #op " " #right,                     \
			    (uintmax_t)verify_l_, #op, (uintmax_t)verify_r_,   \
			    __FILE__, __LINE__);                               \
	} while (0)

#define VERIFY3B(l, op, r)	VERIFY3_IMPL(l, op, r, boolean_t)
#define VERIFY3S(l, op, r)	VERIFY3_IMPL(l, op, r, int64_t)
#define VERIFY3U(l, op, r)	VERIFY3_IMPL(l, op, r, uint64_t)
#define VERIFY3P(l, op, r)	VERIFY3_IMPL(l, op, r, uintptr_t)
#define VERIFY0(x)		VERIFY3_IMPL(x, ==, 0, uintmax_t)

#ifdef DEBUG
#define ASSERT(x)		VERIFY(x)
#define ASSERT3B(l, op, r)	VERIFY3B(l, op, r)
#define ASSERT3S(l, op, r)	VERIFY3S(l, op, r)
#define ASSERT3U(l, op, r)	VERIFY3U(l, op, r)
#define ASSERT3P(l, op, r)	VERIFY3P(l, op, r)
#define ASSERT0(x)		VERIFY0(x)
#else
#define ASSERT(x)		((void)0)
#define ASSERT3B(l, op, r)	((void)0)
#define ASSERT3S(l, op, r)	((void)0)
#define ASSERT3U(l, op, r)	((void)0)
#define ASSERT3P(l, op, r)	((void)0)
#define ASSERT0(x)		((void)0)
#endif
#define IMPLY(a, b)		ASSERT(!(a) || (b))
#define EQUIV(a, b)		ASSERT(!!(a) == !!(b))

#define CTASSERT(x)		_Static_assert(x, #x)

#endif /* SYS_DDI_DEBUG_H */
